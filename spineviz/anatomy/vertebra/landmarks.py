"""Landmarks of a thoracic or lumbar vertebra in its own frame, found on the bone that the parameters make.

Surface landmarks start from a part's parameters and are carried along a ray to the zero surface of
the whole bone; their y axis points out of the bone, z is as superior as possible, x = y x z. Axis
landmarks (endplates, canal, pedicles) keep z superior and y anterior.
"""

from __future__ import annotations

import numpy as np

from spineviz.anatomy.vertebra.costal import CostalFacet
from spineviz.anatomy.vertebra.facets import articular_surface
from spineviz.anatomy.vertebra.parts import Facet, PedicleAxis, body_field, process_loft, spinous_plate
from spineviz.anatomy.vertebra.solid import ACROSS, VertebraParameters, field
from spineviz.sdf.loft import Loft
from spineviz.sdf.solid import Field
from spineviz.structure import Floats, Frame, Points

RIM, DEPTH = 0.86, 5.0
"""Where an endplate's raised rim lies: the part of the way from the centre to the border of the body's
section ``DEPTH`` mm below the endplate."""

CREST_INSETS = np.arange(1.0, 6.1, 0.5)
"""How far inside the body's border the crest of an endplate's rim is looked for (mm)."""

CREST_ANGLES = np.radians([-15.0, 0.0, 15.0])
"""In which directions, from anterior and from posterior, that crest tells an endplate's inclination: where a
lateral radiograph shows its corners."""

LUMBAR_LAMINA, THORACIC_LAMINA = 0.25, 0.45
"""Where along its loft a lamina's centre lies; a thoracic one begins farther to the side."""

FLAT_PARS = 0.35
"""Where along a thoracic inferior articular process the pars lies, whose start is under the joint above."""

RIM_FREE = 3.5
"""The posterior wall's direction is taken this far (mm) from the endplates' rims or farther."""

PATCH = 2.0
"""Normals of articular and laminar surfaces are means over this radius (mm)."""

INSIDE = 2.0
"""A ray to a facet starts this far (mm) under its middle."""

BEHIND = 1.5
"""A flat articular surface is looked for from this far (mm) inside the bone."""

STRIDE = 0.5
"""Rays are first followed in steps of this length (mm)."""

TOGETHER = 1000
"""About so many places of all rays are looked at together, before rays that left the bone go no farther."""

SUPERIOR = np.array([0.0, 0.0, 1.0])
MIRROR = np.array([-1.0, 1.0, 1.0])


def landmarks(parameters: VertebraParameters) -> dict[str, Frame]:
    """Return the landmarks of a vertebra by feature name, in the bone's own frame.

    ``endplate.superior``, ``endplate.inferior``, ``canal``, ``spinous.tip``, ``spinous.base`` and, each
    ``.left`` and ``.right``, ``pedicle``, ``pars``, ``lamina``, ``transverse``, ``facet.superior``,
    ``facet.inferior`` and, where the level carries ribs, ``costal.superior``, ``costal.inferior`` and
    ``costal.transverse``. Raises ValueError where a part's start does not lie in the bone.
    """
    bone = field(parameters)
    lofts = {name: process_loft(process, ACROSS[name]) for name, process in parameters.processes().items()}
    transverse = lofts["transverse_process"]
    costal = parameters.costal_facets()
    pedicle = _pedicle(bone, lofts["pedicle"], parameters.pedicle_axis)
    lower = parameters.inferior_facet
    one_side = {
        "pedicle": pedicle,
        "pars": _pars(bone, lofts["inferior_articular_process"], 0.0 if lower.centre is None else FLAT_PARS),
        "lamina": _lamina(bone, lofts["lamina"], LUMBAR_LAMINA if lower.centre is None else THORACIC_LAMINA),
        "transverse": _surface(bone, transverse.point(1.0), transverse.axes()[2]),
        "facet.superior": _facet(bone, lofts["superior_articular_process"], parameters.superior_facet, 1.0),
        "facet.inferior": _facet(bone, lofts["inferior_articular_process"], parameters.inferior_facet, -1.0),
        **{f"costal.{name[: -len('_costal_facet')]}": _costal(bone, facet) for name, facet in costal.items()},
    }
    result = {
        "endplate.superior": endplate_rim(bone, parameters, 1.0),
        "endplate.inferior": endplate_rim(bone, parameters, -1.0),
        "canal": _canal(bone, parameters, pedicle),
        **_spinous(bone, parameters),
    }
    for name, frame in one_side.items():
        result[f"{name}.left"] = mirrored(frame)
        result[f"{name}.right"] = frame
    return result


def surface_frame(origin: Floats, outward: Floats) -> Frame:
    """Return a frame whose y axis is ``outward``, z as superior as possible and x = y x z."""
    y = outward / np.linalg.norm(outward)
    up = SUPERIOR if abs(y[2]) < 0.99 else np.array([0.0, 1.0, 0.0])
    z = up - (up @ y) * y
    z = z / np.linalg.norm(z)
    return Frame(origin, np.stack([np.cross(y, z), y, z]))


def axis_frame(origin: Floats, superior: Floats) -> Frame:
    """Return a frame whose z axis is ``superior`` and y as anterior as possible."""
    z = superior / np.linalg.norm(superior)
    y = np.array([0.0, 1.0, 0.0]) - z[1] * z
    y = y / np.linalg.norm(y)
    return Frame(origin, np.stack([np.cross(y, z), y, z]))


def mirrored(frame: Frame) -> Frame:
    """Return the frame on the other side of the body; it stays right-handed."""
    y, z = frame.anterior * MIRROR, frame.superior * MIRROR
    return Frame(frame.origin * MIRROR, np.stack([np.cross(y, z), y, z]))


def normals(bone: Field, points: Points, radius: float = 0.5) -> Floats:
    """Return the outward unit normals of a field, shape (n, 3), by differences over ``radius`` mm."""
    points = np.asarray(points, dtype=np.float64)
    steps = np.vstack([np.eye(3), -np.eye(3)]) * radius
    values = bone((points[:, None] + steps).reshape(-1, 3)).reshape(len(points), 6)
    slope = values[:, :3] - values[:, 3:]
    result: Floats = slope / np.linalg.norm(slope, axis=1, keepdims=True)
    return result


def leaving(bone: Field, start: Floats, direction: Floats, reach: float = 60.0) -> Floats:
    """Return where a ray that starts inside the bone first leaves it.

    Raises ValueError when the start is outside or the ray does not leave within ``reach`` mm.
    """
    result: Floats = leaving_all(bone, np.asarray(start)[None], np.asarray(direction)[None], reach)[0]
    return result


def leaving_all(bone: Field, starts: Points, directions: Points, reach: float = 60.0) -> Points:
    """Return where rays (n, 3) that start inside the bone first leave it; see `leaving`."""
    units = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    places = np.arange(0.0, reach, STRIDE)
    outside = np.zeros((len(starts), len(places)), dtype=bool)
    stretch = max(8, TOGETHER // len(starts))
    for first in range(0, len(places), stretch):
        inside = np.flatnonzero(~outside.any(axis=1))
        ahead = slice(first, first + stretch)
        points = starts[inside, None] + places[ahead, None] * units[inside, None]
        outside[inside, ahead] = (bone(points.reshape(-1, 3)) > 0.0).reshape(len(inside), -1)
        if outside.any(axis=1).all():
            break
    wrong = outside[:, 0] | ~outside.any(axis=1)
    if wrong.any():
        i = int(np.argmax(wrong))
        state = "starts outside the bone" if outside[i, 0] else f"does not leave the bone within {reach} mm"
        raise ValueError(f"the ray from {np.round(starts[i], 1)} along {np.round(units[i], 2)} {state}")
    last = places[np.argmax(outside, axis=1) - 1]
    fine = last[:, None] + np.linspace(0.0, STRIDE, 9)
    values = bone((starts[:, None] + fine[..., None] * units[:, None]).reshape(-1, 3)).reshape(fine.shape)
    k = np.maximum(np.argmax(values > 0.0, axis=1), 1)
    rows = np.arange(len(starts))
    share = values[rows, k - 1] / (values[rows, k - 1] - values[rows, k])
    way = fine[rows, k - 1] + share * (fine[rows, k] - fine[rows, k - 1])
    return np.asarray(starts + way[:, None] * units)


def _surface(bone: Field, start: Floats, direction: Floats, radius: float = 0.5) -> Frame:
    """Return the landmark where a ray leaves the bone."""
    origin = leaving(bone, start, direction)
    return surface_frame(origin, normals(bone, origin[None], radius)[0])


def _deepest(bone: Field, starts: Points, first: Floats, second: Floats) -> Points:
    """Return the points farthest inside the bone in the planes of two unit vectors, within 4 mm of starts."""
    steps = np.arange(-4.0, 4.01, 0.5)
    a, b = (grid.ravel()[:, None] for grid in np.meshgrid(steps, steps, indexing="ij"))
    points = starts[:, None] + a * first + b * second
    depths = bone(points.reshape(-1, 3)).reshape(points.shape[:2])
    result: Floats = points[np.arange(len(starts)), np.argmin(depths, axis=1)]
    return result


def _pedicle(bone: Field, loft: Loft, axis: PedicleAxis) -> Frame:
    """Return the isthmus of the right pedicle: where its axis tells, or where the least bone is around."""
    u, v, _, _ = loft.axes()
    if axis.isthmus is None:
        along = np.array([loft.point(float(place)) for place in np.linspace(0.3, 0.85, 23)])
        centres = _deepest(bone, along, u, v)
    else:
        centres = _middle(bone, loft.point(axis.isthmus))[None]
    medial, caudal = np.radians(axis.medial), np.radians(axis.caudal)
    forward = np.array([-np.sin(medial) * np.cos(caudal), np.cos(medial) * np.cos(caudal), -np.sin(caudal)])
    return surface_frame(centres[np.argmax(bone(centres))], forward)


def _middle(bone: Field, start: Floats) -> Floats:
    """Return the point midway between the walls to the right and left of a start, then above and below it."""
    for way in (np.array([1.0, 0.0, 0.0]), SUPERIOR):
        start = (leaving(bone, start, way) + leaving(bone, start, -way)) / 2.0
    return start


def _pars(bone: Field, process: Loft, place: float) -> Frame:
    """Return the back of the pars interarticularis, at a place of the inferior articular process."""
    return _surface(bone, process.point(place), np.array([0.7, -0.7, 0.0]), PATCH)


def _lamina(bone: Field, loft: Loft, place: float) -> Frame:
    """Return the centre of the right lamina's posterior surface."""
    return _surface(bone, loft.point(place), np.array([0.2, -1.0, 0.1]), PATCH)


def _facet(bone: Field, process: Loft, facet: Facet, sense: float) -> Frame:
    """Return the middle of an articular surface and where it looks; ``sense`` is +1 for a superior one."""
    if facet.centre is not None:
        outward = sense * facet.facing()
        return _surface(bone, np.asarray(facet.centre) - BEHIND * outward, outward, PATCH / 2.0)
    middle, outward = articular_surface(bone, process, facet, sense)
    return surface_frame(leaving(bone, middle - INSIDE * outward, outward), outward)


def _costal(bone: Field, facet: CostalFacet) -> Frame:
    """Return the centre of a costal facet, looking out of the bone."""
    outward = facet.axes()[2]
    return surface_frame(leaving(bone, np.asarray(facet.centre) - 2.0 * outward, outward), outward)


def _spinous(bone: Field, parameters: VertebraParameters) -> dict[str, Frame]:
    """Return the tip of the spinous process, and its base: the dorsal end of the laminae's roof."""
    process = parameters.spinous_process
    bulb = np.array([0.0, *np.mean([process.bulb_superior, process.bulb_inferior], axis=0)])
    backward = np.array([0.0, -1.0, 0.0])
    return {
        "spinous.tip": _surface(bone, bulb, backward, PATCH),
        "spinous.base": _surface(bone, spinous_plate(process).point(0.08), np.array([0.0, -0.3, 1.0]), PATCH),
    }


def _canal(bone: Field, parameters: VertebraParameters, pedicle: Frame) -> Frame:
    """Return the centre of the vertebral foramen at the pedicles; z runs along the posterior wall."""
    height = float(pedicle.origin[2])
    backward = np.array([0.0, -1.0, 0.0])
    lowest = RIM_FREE - parameters.body.inferior_endplate.height
    highest = parameters.body.superior_endplate.height - RIM_FREE
    heights = max(height - 9.0, lowest), min(height + 5.0, highest)
    low, high = (leaving(bone, np.array([0.0, 0.0, z]), backward) for z in heights)
    wall = leaving(bone, np.array([0.0, 0.0, height]), backward)
    behind = wall + np.arange(1.0, 40.0, 0.25)[:, None] * backward
    for drop in np.arange(0.0, 20.0, 0.5):
        inside = bone(behind - drop * SUPERIOR) < 0.0
        if inside.any():
            return axis_frame((wall + behind[np.argmax(inside)]) / 2.0, high - low)
    raise ValueError(f"no lamina was found behind the vertebral canal at z = {height:.1f} mm")


def endplate_rim(bone: Field, parameters: VertebraParameters, side: float) -> Frame:
    """Return the frame of an endplate's rim: its centre and the normal of its plane."""
    body, row = parameters.body, 0 if side > 0.0 else 2
    plate = body.superior_endplate if side > 0.0 else body.inferior_endplate
    parts = body_field(body)
    centre = np.array([0.0, body.centre[row], side * (plate.height - DEPTH)])
    angles = np.radians(np.arange(0.0, 360.0, 15.0))
    towards = np.column_stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)])
    starts = np.tile(centre, (len(angles), 1))
    border = leaving_all(lambda points: parts(points).max(axis=0), starts, towards)
    points = leaving_all(bone, centre + RIM * (border - centre), np.tile(side * SUPERIOR, (len(angles), 1)))
    slope = crest_slope(bone, centre, side)
    return axis_frame(points.mean(axis=0) * [0.0, 1.0, 1.0], np.array([0.0, -slope, 1.0]))


def crest_slope(bone: Field, centre: Floats, side: float) -> float:
    """Return how an endplate rises to anterior (mm per mm): from its rim's crest behind to that in front.

    ``centre`` lies inside the body, under the endplate; ``side`` is +1 for the superior one.
    """
    towards = np.array([[np.sin(a), way * np.cos(a), 0.0] for way in (1.0, -1.0) for a in CREST_ANGLES])
    border = leaving_all(bone, np.tile(centre, (len(towards), 1)), towards)
    starts = (border[:, None] - CREST_INSETS[:, None] * towards[:, None]).reshape(-1, 3)
    tops = leaving_all(bone, starts, np.tile(side * SUPERIOR, (len(starts), 1)))
    rows = tops.reshape(len(towards), len(CREST_INSETS), 3)
    crests = rows[np.arange(len(towards)), np.argmax(side * rows[..., 2], axis=1)]
    return float(np.polyfit(crests[:, 1], crests[:, 2], 1)[0])
