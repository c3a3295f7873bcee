"""How a caliper is laid on each part of a vertebra.

Each part is a generator: it yields the rays of a round and is sent how far each goes to the surface (mm,
NaN for none); at the end it returns its measures. So the rays of all parts are cast together. Everything is
in the bone's own frame: x right, y anterior, z superior, mm. ``side`` is +1 on the patient's right, -1 on
the left.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping

import numpy as np

from spineviz.sdf.rays import Rays, rays, together
from spineviz.structure import Floats, Frame, Points

Marks = Mapping[str, Frame]
Taking = Generator[Rays, Floats, dict[str, float]]
Part = tuple[Callable[[Marks, float], Taking], tuple[str, ...]]

X, Y, Z = np.eye(3)

RIM_DEPTHS = np.array([1.5, 3.0, 4.5])
"""How far below the plane of its rim an endplate's width and depth are taken (mm), half as far in the neck,
whose transverse processes begin close under it: the greatest counts."""

RIM_INSETS = np.array([1.5, 3.0, 4.5, 6.0])
"""How far inside the body's anterior and posterior border the crest of the rim is looked for (mm)."""

FAR_OUT = 50.0
"""From how far beyond an endplate's centre its border is felt (mm)."""

ACROSS = np.array([2.0, 5.0])
"""Where along y an endplate's width is taken, from its centre (mm): in front of the pedicles."""

UNCINATES, BETWEEN_UNCINATES, FOOT = np.arange(2.0, 15.0, 1.0), np.array([0.0, 2.0, 4.0]), 1.0 / 3.0
"""Where a cervical endplate is felt between its uncinate processes, to the side and backwards from its centre
(mm); how far up its slope, as a part, the foot of an uncinate process lies."""

BEHIND_ISTHMUS = np.arange(-1.0, -6.1, -0.5)
"""Where along y a cervical canal's width is taken, from the isthmus of its pedicles (mm)."""

CANAL_WIDTHS = np.array([0.0, 1.5, 3.0, 4.5, 6.0])
CANAL_DEPTHS = np.arange(4.0, -13.0, -1.5)
"""Where the canal's width is taken, forwards between the pedicles, and its depth, along its axis, from its
centre (mm)."""

ISTHMUS = np.array([-3.0, -1.5, 0.0, 2.0, 4.0, 6.0])
"""Where a pedicle's width and height are taken along its axis, from the isthmus (mm)."""

FREE_PART, BORDER_END, FAR = np.array([0.2, 0.35, 0.5, 0.6, 0.7, 0.8, 0.9]), 0.75, 30.0
"""Where a spinous process is felt, as parts of its free length; how far its upper border counts as straight;
from how far out it is felt (mm)."""

BEYOND_LAMINAE, BIFID = 2, 2.5
"""How many of these places the height of a bifid process, whose laminae slope with it, leaves out; how far
from the midline (mm) the tip of a bifid process lies."""

NOTHING = "there is no bone where the landmarks promise it"

BELOW_PARS, UNDER_PARS = np.array([-5.0, -4.0, -3.0, -2.0, -1.0]), 3.0
"""Where the width of the pars is taken along z from its landmark, and how deep under its back (mm)."""

TIP_PATCH = np.array([-4.0, -2.0, 0.0, 2.0, 4.0])
"""Where the end of a transverse process is felt, along y and z from its tip (mm)."""

LAMINA_PATCH = np.array([[0.0, 0.0], [2.5, 0.0], [-2.5, 0.0], [0.0, 2.5], [0.0, -2.5]])
"""Where a lamina's thickness is taken, across and along it from its centre (mm): the least counts."""

ABOVE_LAMINA, SKIN = 4.0, 0.02
"""From how far out the back of a lamina is felt, and how far under it a ray begins inside the bone (mm)."""

JAW_DEPTH = 2.0
"""An articular surface ends where the bone has fallen away, or risen, this far from its plane (mm)."""

BEYOND_END, END_PATCH = 28.0, np.array([1.0, 2.5, 4.0, 5.5])
"""From how far beyond its centre the free end of an articular process is felt, and how deep under the
articular surface (mm): the farthest point counts."""

FACET_PATCH, ABOVE_FACET = 3.0, 4.0
"""The direction of an articular surface is felt this far around its centre, from this far out (mm)."""


def body(marks: Marks, side: float) -> Taking:
    """Widths and depths of both endplates' rims, heights and wedge of the body."""
    plates = [(marks["endplate.superior"], 1.0), (marks["endplate.inferior"], -1.0)]
    depths = RIM_DEPTHS / 2.0 if "uncinate.right" in marks else RIM_DEPTHS
    inner = np.array([[p.origin - s * d * p.superior for d in depths] for p, s in plates])
    wide = inner[:, :, None] + ACROSS[:, None] * Y
    room = np.broadcast_to(inner[..., 1:2] - marks["canal"].origin[1], inner.shape)
    jaws = (
        (inner + FAR_OUT * Y, -Y),
        (inner - room * Y, Y),
        (wide + FAR_OUT * X, -X),
        (wide - FAR_OUT * X, X),
    )
    falls = yield together([rays(starts, way, FAR_OUT, entering=True) for starts, way in jaws])
    ahead, behind = FAR_OUT - falls[:6].reshape(2, 3), room[..., 0] - falls[6:12].reshape(2, 3)
    front, back = _outermost(ahead), _outermost(behind)
    widths = 2.0 * FAR_OUT - falls[12:].reshape(2, 2, -1).sum(axis=0)
    result = {}
    for i, name in enumerate(("superior", "inferior")):
        result[f"endplate_width_{name}"] = _most(widths[i])
        result[f"endplate_depth_{name}"] = float(front[i] + back[i])
    if "uncinate.right" in marks:
        result["endplate_width_superior"] = yield from _between_uncinates(plates[0][0])
    anterior, posterior = yield from _heights(plates, front, back)
    wedge = 2.0 * np.degrees(np.arctan((posterior - anterior) / (front + back).mean() / 2.0))
    heights = {"body_height_anterior": anterior, "body_height_posterior": posterior}
    return {**result, **heights, "wedge": float(wedge)}


def _between_uncinates(plate: Frame) -> Generator[Rays, Floats, float]:
    """Return the width of a cervical superior endplate between the feet of its uncinate processes.

    A foot is where the surface, going to the side, has risen by `FOOT` of the way from the endplate to the
    crest.
    """
    x = np.concatenate([-UNCINATES, UNCINATES])
    above = plate.origin + 9.0 * plate.superior + x[:, None] * X
    cast = rays(above[:, None] - BETWEEN_UNCINATES[:, None] * Y, -plate.superior, 20.0, entering=True)
    fall = yield cast
    height = (9.0 - fall).reshape(2, len(UNCINATES), len(BETWEEN_UNCINATES))
    floor, crest = np.nanmax(height[:, :4], axis=1), np.nanmax(height, axis=1)
    foot = floor + FOOT * (crest - floor)
    first = np.argmax(height > foot[:, None], axis=1)
    sides, rows = np.indices(first.shape)
    low, high = height[sides, first - 1, rows], height[sides, first, rows]
    reach = UNCINATES[first - 1] + (foot - low) / (high - low) * (UNCINATES[first] - UNCINATES[first - 1])
    return float(reach.sum(axis=0).mean())


def _heights(
    plates: list[tuple[Frame, float]], front: Floats, back: Floats
) -> Generator[Rays, Floats, tuple[float, float]]:
    """Return the height of the body between the crests of the rims, in front and behind."""
    falls = []
    for (plate, side), y_front, y_back in zip(plates, front, back, strict=True):
        above = plate.origin + side * 5.0 * plate.superior
        for y in (*(y_front - RIM_INSETS), *(RIM_INSETS - y_back)):
            falls.append(rays(above + y * plate.anterior, -side * plate.superior, 15.0, entering=True))
    cast = together(falls)
    fall = yield cast
    tops = cast.at(fall).reshape(2, 2, len(RIM_INSETS), 3)
    upper, lower = (
        [_crest(points, side * plate.superior)[2] for points in rows]
        for rows, (plate, side) in zip(tops, plates, strict=True)
    )
    return float(upper[0] - lower[0]), float(upper[1] - lower[1])


def _crest(points: Points, outward: Floats) -> Floats:
    """Return the outermost of some points on a rim, those without a surface left aside."""
    return points[_index(-points @ outward)]


def arch(marks: Marks, side: float) -> Taking:
    """Canal and spinous process: what is measured in the midline behind the body, and the canal's width.

    A bifid spinous process is measured to the tip of its tubercle.
    """
    canal, back = marks["canal"], _back_of_lamina(marks, side)
    axis = canal.origin + CANAL_DEPTHS[:, None] * canal.superior
    across = canal.origin + CANAL_WIDTHS[:, None] * Y
    if "uncinate.right" in marks or "dens.tip" in marks:
        _, y, z = marks[_sided("pedicle", side)].origin
        across = np.array([0.0, y, z]) + BEHIND_ISTHMUS[:, None] * Y
    tip = marks.get(_sided("tubercle.spinous", side), marks["spinous.tip"])
    ways = ((axis, Y), (axis, -Y), (across, X), (across, -X))
    found = yield together([*(rays(starts, way, 40.0, entering=True) for starts, way in ways), back])
    n, m = len(axis), 2 * len(across)
    front, behind, widths, fall = np.split(found, np.cumsum([n, n, m]))
    k = _index(front + behind)
    skipped = BEYOND_LAMINAE if abs(tip.origin[0]) > BIFID else 0
    spinous = yield from _spinous(axis[k] - behind[k] * Y, tip, _into(back, fall), skipped)
    return {
        "canal_depth": float(front[k] + behind[k]),
        "canal_width": _most(widths.reshape(2, -1).sum(axis=0)),
        **spinous,
    }


def _spinous(start: Floats, tip: Frame, into_lamina: Rays, skipped: int) -> Taking:
    """Length, height and slope of the spinous process behind the front of the laminae at ``start``.

    Its height leaves the first ``skipped`` places out; where there are such, its slope is that of the line to
    its tip, for so short a border tells none.
    """
    deep = tip.origin - 3.0 * tip.anterior
    way = _unit(deep - start)
    found = yield together([rays(deep, way, 25.0), into_lamina])
    thickness = _least(found[1:])
    length = float(np.linalg.norm(deep - start) + found[0]) - thickness
    up = np.array([0.0, -way[2], way[1]]) * np.sign(way[1])
    places = start + (thickness + FREE_PART[:, None] * length) * way
    above, below = rays(places + FAR * up, -up, 2 * FAR, True), rays(places - FAR * up, up, 2 * FAR, True)
    found = yield together([above, below])
    falls = found.reshape(2, -1)
    border = above.at(falls[0])[FREE_PART < BORDER_END]
    slope = way[2] / way[1] if skipped else np.polyfit(border[:, 1], border[:, 2], 1)[0]
    return {
        "spinous_length": length,
        "spinous_height": _most(2 * FAR - falls.sum(axis=0)[skipped:]),
        "spinous_slope": float(np.degrees(np.arctan(slope))),
    }


def pedicle(marks: Marks, side: float) -> Taking:
    """Width, height and direction of a pedicle."""
    frame = marks[_sided("pedicle", side)]
    ways = (frame.right, -frame.right, frame.superior, -frame.superior)
    stations = frame.origin + ISTHMUS[:, None] * frame.anterior
    found = yield together([rays(stations, way, 30.0) for way in ways])
    right, left, up, down = found.reshape(4, -1)
    centres = stations + ((right - left) / 2.0)[:, None] * ways[0] + ((up - down) / 2.0)[:, None] * ways[2]
    centres = np.where(np.isfinite(centres), centres, stations)
    found = yield together([rays(centres, way, 30.0) for way in ways])
    right, left, up, down = found.reshape(4, -1)
    x, y, z = frame.anterior
    return {
        "pedicle_width": _least(right + left),
        "pedicle_height": _least(up + down),
        "pedicle_transverse_angle": float(np.degrees(np.arctan2(-side * x, y))),
        "pedicle_sagittal_angle": float(np.degrees(np.arctan2(-z, np.hypot(x, y)))),
    }


def transverse(marks: Marks, side: float) -> Taking:
    """Twice the reach of a transverse process from the midline."""
    tip = marks[_sided("transverse", side)].origin
    y, z = (grid.reshape(-1, 1) for grid in np.meshgrid(TIP_PATCH, TIP_PATCH))
    cast = rays(tip + y * Y + z * Z + 6.0 * side * X, -side * X, 14.0, entering=True)
    ends = yield cast
    return {"transverse_span": 2.0 * _most(side * cast.at(ends)[:, 0])}


def superior_facet(marks: Marks, side: float) -> Taking:
    """Width, height, directions and place of a superior articular surface."""
    width, height, centre, normal = yield from _facet(marks[_sided("facet.superior", side)], 1.0)
    return {
        "facet_superior_width": width,
        "facet_superior_height": height,
        "facet_superior_transverse_angle": float(np.degrees(np.arccos(abs(normal[2])))),
        "facet_superior_sagittal_angle": float(np.degrees(np.arctan2(-normal[1], -side * normal[0]))),
        "interfacet_width": 2.0 * side * float(centre[0]),
    }


def inferior_facet(marks: Marks, side: float) -> Taking:
    """Width and height of an inferior articular surface."""
    width, height, _, _ = yield from _facet(marks[_sided("facet.inferior", side)], -1.0)
    return {"facet_inferior_width": width, "facet_inferior_height": height}


def _facet(frame: Frame, free: float) -> Generator[Rays, Floats, tuple[float, float, Floats, Floats]]:
    """Return an articular surface's width, height, centre and normal; ``free`` is the way to its free end."""
    x, y, z = frame.axes
    around = FACET_PATCH * np.array([x, -x, z, -z])
    felt = rays(frame.origin + around + ABOVE_FACET * y, -y, 3.0 * ABOVE_FACET, entering=True)
    found = yield felt
    corners = felt.at(found)
    if np.isnan(corners).any():
        raise ValueError(NOTHING)
    normal = _unit(np.cross(corners[2] - corners[3], corners[0] - corners[1]))
    normal = normal if normal @ y > 0.0 else -normal
    middle = frame.origin + (corners.mean(axis=0) - frame.origin) @ normal * normal
    z = _unit(Z - Z @ normal * normal)
    x = np.cross(normal, z)
    deep, high = middle - JAW_DEPTH * normal, middle + JAW_DEPTH * normal
    beyond = middle + BEYOND_END * free * z - END_PATCH[:, None] * normal
    found = yield together(
        [
            rays(deep, np.array([x, -x]), 25.0),
            rays(high, np.array([x, -x]), 25.0, entering=True),
            rays(beyond, -free * z, BEYOND_END, entering=True),
        ]
    )
    right, left = -_outermost(-found[[[0, 2], [1, 3]]])
    height = 2.0 * (BEYOND_END - _least(found[4:]))
    return float(right + left), height, middle + (right - left) / 2.0 * x, normal


def lamina(marks: Marks, side: float) -> Taking:
    """Thickness of a lamina, and its height along its middle layer."""
    back = _back_of_lamina(marks, side)
    fall = yield back
    inward = _into(back, fall)
    thickness = yield inward
    layer = inward.at(thickness / 2.0)
    up = _unit(layer[3] - layer[4])
    if np.isnan(up).any():
        raise ValueError(NOTHING)
    ends = yield rays(layer[0], np.stack([up, -up]), 30.0)
    return {"lamina_thickness": _least(thickness), "lamina_height": float(ends.sum())}


def _back_of_lamina(marks: Marks, side: float) -> Rays:
    """Return the rays from behind a lamina to its back."""
    frame = marks[_sided("lamina", side)]
    behind = frame.origin + ABOVE_LAMINA * frame.anterior + LAMINA_PATCH @ frame.axes[[0, 2]]
    return rays(behind, -frame.anterior, 3.0 * ABOVE_LAMINA, entering=True)


def _into(back: Rays, fall: Floats) -> Rays:
    """Return the rays that go on through a lamina, from its back to its front."""
    return rays(back.at(np.nan_to_num(fall) + SKIN), back.directions, 25.0)


def pars(marks: Marks, side: float) -> Taking:
    """Width of a pars interarticularis."""
    frame = marks[_sided("pars", side)]
    starts = frame.origin - UNDER_PARS * frame.anterior + BELOW_PARS[:, None] * Z
    ends = yield together([rays(starts, X, 30.0), rays(starts, -X, 30.0)])
    widths = ends.reshape(2, -1).sum(axis=0)
    if np.isnan(widths).all():
        raise ValueError(NOTHING)
    return {"pars_width": float(np.nanmedian(widths))}


PARTS: dict[str, Part] = {
    "body": (
        body,
        (
            *("endplate_width_superior", "endplate_width_inferior"),
            *("endplate_depth_superior", "endplate_depth_inferior"),
            *("body_height_anterior", "body_height_posterior", "wedge"),
        ),
    ),
    "arch": (arch, ("canal_width", "canal_depth", "spinous_length", "spinous_height", "spinous_slope")),
    "pedicle": (
        pedicle,
        ("pedicle_width", "pedicle_height", "pedicle_transverse_angle", "pedicle_sagittal_angle"),
    ),
    "transverse": (transverse, ("transverse_span",)),
    "superior_facet": (
        superior_facet,
        (
            *("facet_superior_width", "facet_superior_height", "interfacet_width"),
            *("facet_superior_transverse_angle", "facet_superior_sagittal_angle"),
        ),
    ),
    "inferior_facet": (inferior_facet, ("facet_inferior_width", "facet_inferior_height")),
    "lamina": (lamina, ("lamina_thickness", "lamina_height")),
    "pars": (pars, ("pars_width",)),
}
"""Each part's caliper and the measures it takes."""

MIDLINE = ("body", "arch")
"""Parts that are measured once, not on each side."""


def _sided(name: str, side: float) -> str:
    return f"{name}.{'right' if side > 0.0 else 'left'}"


def _unit(vector: Floats) -> Floats:
    return vector / np.linalg.norm(vector)


def _index(values: Floats) -> int:
    """Return where the least value stands, rays that met nothing left aside."""
    if np.isnan(values).all():
        raise ValueError(NOTHING)
    return int(np.nanargmin(values))


def _least(values: Floats) -> float:
    """Return the least of some widths, rays that met nothing left aside."""
    return float(values[_index(values)])


def _most(values: Floats) -> float:
    """Return the greatest of some widths, rays that met nothing left aside."""
    return -_least(-values)


def _outermost(rows: Floats) -> Floats:
    """Return the greatest value of each row."""
    return np.array([_most(row) for row in rows])
