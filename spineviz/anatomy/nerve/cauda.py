"""The cauda equina: strands from the conus to their roots, lying side by side in the back of the sac."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spineviz import measures
from spineviz.anatomy.nerve.axis import STRIDE, SacAxis
from spineviz.anatomy.nerve.cord import Cord
from spineviz.anatomy.nerve.parameters import RootParameters
from spineviz.anatomy.nerve.parting import Strand, parted
from spineviz.anatomy.nerve.paths import RootPath
from spineviz.anatomy.nerve.rootlets import FANNED
from spineviz.anatomy.relaxed_line import curve, resampled, unit
from spineviz.sdf.solid import Field
from spineviz.structure import Floats, Points
from spineviz.terms import ROOTS, SIGN, Root, Side

EVERY = 4
"""Strands are laid at every so many points of the axis."""

ANGLES, RADII = 32, np.arange(0.5, 14.0, 0.5)
"""In which directions, and at which distances (mm) from its axis, the sac's wall is looked for."""

SPACING = 1.5
"""A strand's line has points this far apart (mm)."""

GROWN = 24
"""A strand that begins takes up its whole room after so many stations."""

WALL = 0.35
"""Strands stay this much farther (mm) off the sac's wall than off each other: it is felt coarsely."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Section:
    """The room across the sac at stations: ``index`` (n,) of the axis, ``wall`` (n, m) radii by angle."""

    index: npt.NDArray[np.integer]
    wall: Floats

    def reach(self, places: Floats) -> Floats:
        """Return how far (k, n) the wall is from the axis in the direction of places (k, n, 2)."""
        count = self.wall.shape[1]
        turn = np.arctan2(places[..., 1], places[..., 0]) / (2 * np.pi) * count
        first = np.floor(turn).astype(int)
        share = turn - first
        rows = np.arange(len(self.index))
        return (1 - share) * self.wall[rows, first % count] + share * self.wall[rows, (first + 1) % count]


@dataclass(frozen=True, eq=False)
class Discs:
    """What strands go around at each station: circles at ``places`` (m, n, 2) with ``radii`` (m, n), mm.

    A radius of 0 means that there is none. The first are the strands' own roots, which they run into.
    """

    places: Floats
    radii: Floats


def cauda_lines(
    parameters: Sequence[RootParameters],
    paths: Sequence[RootPath],
    cord: Cord,
    filum: Points,
    sac: Field,
    fans: Mapping[Root, Points],
    side: Side,
) -> dict[Root, Strand]:
    """Return the line (n, 3) and the radii (n,), mm, of each strand of one side, in the world.

    ``fans`` are the lines of rootlets that the strands pass. Strands start on the cord, or at the upper cut
    of a scene without it, and end on the roots that they become.
    """
    axis, wide = cord.axis, measures.table("cauda_radius")
    own = {path.root: path for path in paths if path.side == side and path.root not in FANNED}
    roots = sorted((each for each in parameters if each.root in own), key=lambda each: ROOTS.index(each.root))
    if not roots:
        return {}
    top = axis.top - round(measures.value("cauda.above_cut") / STRIDE)
    starts = [max(axis.index(axis.place(*root.segment)), top) for root in roots]
    ends = [axis.nearest(own[root.root].points[0]) for root in roots]
    index = np.arange(min(starts), max(ends) + 1, EVERY)
    section = _section(axis, index, sac)
    alive = np.array([(index >= start) & (index < end) for start, end in zip(starts, ends, strict=True)])
    radii = np.array([wide[root.root] for root in roots])
    goals = [
        _across(own[root.root].points[0], axis, end, side) for root, end in zip(roots, ends, strict=True)
    ]
    pinned = cord.there and cord.whole
    taken = _taken([own[root.root] for root in roots], fans, filum, axis, index, side)
    laid = _laid(section, alive, radii, np.array(goals), _cord_at(cord, index), taken, pinned)
    result: dict[Root, Strand] = {}
    for row, root in enumerate(roots):
        rows = np.flatnonzero(alive[row])
        if len(rows) < 2:
            continue
        places = laid[row, rows] * [SIGN[side], 1.0]
        line = axis.points[index[rows]] + places[:, :1] * axis.right[index[rows]]
        line = line + places[:, 1:] * axis.anterior[index[rows]]
        path = own[root.root]
        tip = path.points[0] + 0.95 * path.radii[0] * unit(line[-1] - path.points[0])
        line = np.vstack([line, tip])
        count = int(np.linalg.norm(np.diff(line, axis=0), axis=1).sum() / SPACING)
        line = resampled(curve(line), max(count, 6))
        thick = radii[row] * (_growing(line) if pinned else np.ones(len(line)))
        result[root.root] = line, thick
    roots_within = {root: _within(path) for root, path in own.items()}
    thread = filum, np.full(len(filum), measures.value("filum_terminale.diameter") / 2)
    return parted(result, roots_within, thread, sac, SIGN[side], axis.points)


def _within(path: RootPath) -> Strand:
    """Return the part of a root that lies in the sac."""
    return path.points[: path.takeoff + 1], path.radii[: path.takeoff + 1]


def _growing(line: Points) -> Floats:
    """Return the share of its radius that a strand has: thinner where its threads leave the cord."""
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    return 0.4 + 0.6 * np.clip(along / measures.value("cauda.gathered"), 0.0, 1.0)


def _across(point: Floats, axis: SacAxis, index: int, side: Side) -> Floats:
    """Return where a point lies across the axis: lateral (of its side) and anterior, mm."""
    offset = point - axis.points[index]
    return np.array([SIGN[side] * float(offset @ axis.right[index]), float(offset @ axis.anterior[index])])


def _section(axis: SacAxis, index: npt.NDArray[np.integer], sac: Field) -> Section:
    """Return the sac's room at points of its axis, felt at every other one."""
    felt = index[::2] if len(index) > 2 else index
    within = np.maximum(felt, axis.top + EVERY)  # above the cut there is no wall
    turn = np.arange(ANGLES) * 2 * np.pi / ANGLES
    ways = (
        np.cos(turn)[:, None] * axis.right[within][:, None]
        + np.sin(turn)[:, None] * axis.anterior[within][:, None]
    )
    places = axis.points[within][:, None, None] + RADII[:, None] * ways[:, :, None]
    values = sac(places.reshape(-1, 3)).reshape(len(felt), ANGLES, len(RADII))
    outside = values > 0.0
    first = np.where(outside.any(axis=2), outside.argmax(axis=2), len(RADII) - 1)
    before = np.take_along_axis(values, np.maximum(first - 1, 0)[..., None], 2)[..., 0]
    after = np.take_along_axis(values, first[..., None], 2)[..., 0]
    wall = RADII[first] - 0.5 * np.clip(after / np.maximum(after - before, 1e-6), 0.0, 1.0)
    return Section(index, np.stack([np.interp(index, felt, wall[:, k]) for k in range(ANGLES)], axis=1))


def _cord_at(cord: Cord, index: npt.NDArray[np.integer]) -> tuple[Floats, Floats]:
    """Return the cord's centre (lateral, anterior) from the axis and its half-widths (n, 2); 0 below it."""
    offset = ((cord.centre - cord.axis.points) * cord.axis.anterior).sum(axis=1)[index]
    there = (index <= cord.last) & cord.there
    return np.column_stack([np.zeros(len(index)), offset]), np.where(there[:, None], cord.half[index], 0.0)


def _taken(
    paths: Sequence[RootPath],
    fans: Mapping[Root, Points],
    filum: Points,
    axis: SacAxis,
    index: npt.NDArray[np.integer],
    side: Side,
) -> Discs:
    """Return the circles that roots within the sac, the filum and rootlets of fans fill at each station."""
    items: list[Strand] = [(path.points[: path.takeoff + 1], path.radii) for path in paths]
    items.append((filum, np.full(len(filum), measures.value("filum_terminale.diameter") / 2)))
    thin = measures.value("rootlets.radius")
    lines = [line.reshape(-1, len(line) // 6, 3) for line in fans.values()]
    items += [(one, np.full(len(one), thin)) for several in lines for one in several]
    places = np.zeros((len(items), len(index), 2))
    radii = np.zeros((len(items), len(index)))
    for row, (line, thick) in enumerate(items):
        near = np.array([axis.nearest(point) for point in line])
        order = np.argsort(near, kind="stable")
        if near.max() < index[0] or near.min() > index[-1]:
            continue
        flat = np.array([_across(line[k], axis, int(near[k]), side) for k in order])
        inside = (index >= near.min() - EVERY) & (index <= near.max() + EVERY)
        for k in range(2):
            places[row, inside, k] = np.interp(index[inside], near[order], flat[:, k])
        radii[row, inside] = np.interp(index[inside], near[order], np.asarray(thick)[: len(line)][order])
    return Discs(places, radii)


def _laid(
    section: Section,
    alive: Mask,
    radii: Floats,
    goals: Floats,
    cord: tuple[Floats, Floats],
    taken: Discs,
    pinned: bool,
) -> Floats:
    """Lay strands (k) at stations (n): return their places (k, n, 2), lateral and anterior of the axis, mm.

    They sink to the back and lie beside each other, the lower ones nearer to the midline; each starts on the
    cord where it is ``pinned`` and ends at its goal (k, 2).
    """
    shape = measures.table("cauda")
    first = alive.argmax(axis=1)
    last = alive.shape[1] - 1 - alive[:, ::-1].argmax(axis=1)
    rows = np.arange(len(radii))
    centre, half = cord
    angle = np.radians(shape["leaving"])
    way = np.array([np.cos(angle), -np.sin(angle)])
    surface = 1.0 / np.maximum(np.linalg.norm(way / np.maximum(half[first], 1e-3), axis=1), 1e-3)
    seats = centre[first] + (surface + shape["seated"])[:, None] * way
    beside = shape["beside_cord"] * np.clip((half[:, 0] - 1.5) / 2.5, 0.0, 1.0)
    slots = beside + (1 - beside) * _slots(alive, radii, pinned)
    wall = np.stack([section.reach(np.broadcast_to(w, (1, alive.shape[1], 2)))[0] for w in ([1, 0], [0, -1])])
    bed = np.stack([slots * (wall[0] - 1.0), -np.sqrt(np.clip(1 - slots**2, 0.0, 1.0)) * (wall[1] - 1.0)], -1)
    share = np.clip((np.arange(alive.shape[1]) - first[:, None]) / np.maximum(last - first, 1)[:, None], 0, 1)
    start = seats if pinned else bed[rows, first]
    places = (1 - share)[..., None] * start[:, None] + share[..., None] * goals[:, None]
    sunk = np.clip(share / 0.25, 0, 1) * np.clip((1 - share) / 0.2, 0, 1)
    places = places + sunk[..., None] * (bed - places)
    for turn in range(int(shape["rounds"])):
        late = turn >= int(shape["rounds"]) - int(shape["settling"])
        if not late:
            pull = shape["sinking"] * np.clip(np.minimum(share / 0.1, (1 - share) / 0.12), 0.0, 1.0)
            places = places + pull[..., None] * (bed - places)
            places[..., 1] -= 0.3 * pull
        places = _smoothed(places, alive, 0.25 if not late else 0.1)
        places[rows, last] = goals + 0.3 * (places[rows, last] - goals)
        if pinned:
            places[rows, first] = seats
        places = _kept_apart(places, alive, radii, taken, shape["gap"])
        places = _kept_inside(places, section, radii, (centre, half), shape["gap"])
    return places


def _slots(alive: Mask, radii: Floats, growing: bool) -> Floats:
    """Return where (k, n) each strand lies in the back of the sac: 0 in the midline, 1 on its side."""
    age = np.cumsum(alive, axis=1) - 1 if growing else np.full(alive.shape, GROWN)
    wide = alive * (2 * radii)[:, None] * np.clip(0.1 + age / GROWN, 0.0, 1.0)
    below = np.cumsum(wide[::-1], axis=0)[::-1] - wide / 2  # strands that go farther lie medially
    return 0.08 + 0.9 * below / np.maximum(wide.sum(axis=0), 6.0)


def _smoothed(places: Floats, alive: Mask, share: float) -> Floats:
    """Return strands smoothed along their course; their ends stay."""
    inner = alive[:, 1:-1] & alive[:, :-2] & alive[:, 2:]
    result = places.copy()
    bend = places[:, :-2] - 2 * places[:, 1:-1] + places[:, 2:]
    result[:, 1:-1] += np.where(inner[..., None], share * bend, 0.0)
    return result


def _kept_apart(places: Floats, alive: Mask, radii: Floats, taken: Discs, gap: float) -> Floats:
    """Push strands apart, out of what is taken, and to their own side of the midline."""
    offset = places[:, None] - places[None]
    length = np.maximum(_lengths(offset), 1e-6)
    need = (radii[:, None] + radii[None])[..., None] + gap
    both = alive[:, None] & alive[None] & ~np.eye(len(radii), dtype=bool)[..., None]
    lack = np.where(both, np.maximum(need - length, 0.0), 0.0)
    result = places + 0.8 * ((0.5 * lack / length)[..., None] * offset).sum(axis=1)
    away = result[:, None] - taken.places[None]
    length = np.maximum(_lengths(away), 1e-6)
    room = np.where(taken.radii > 0.0, taken.radii, -1.0e3)[None] + radii[:, None, None] + gap
    other = ~np.eye(len(radii), len(taken.radii), dtype=bool)[..., None]
    lack = np.where(other & alive[:, None], np.maximum(room - length, 0.0), 0.0)
    result = result + ((0.8 * lack / length)[..., None] * away).sum(axis=1)
    result[..., 0] = np.maximum(result[..., 0], (radii + gap / 2)[:, None])
    return result


def _lengths(flat: Floats) -> Floats:
    return np.sqrt(flat[..., 0] ** 2 + flat[..., 1] ** 2)


def _kept_inside(
    places: Floats, section: Section, radii: Floats, cord: tuple[Floats, Floats], gap: float
) -> Floats:
    """Push strands out of the cord and into the sac."""
    centre, half = cord
    offset = places - centre
    sizes = np.maximum(half + (radii + gap)[:, None, None], 1e-3)
    inside = np.linalg.norm(offset / sizes, axis=-1)
    grown = offset / np.maximum(inside, 1e-3)[..., None]
    pushed = (inside < 1.0) & (half[:, 0] > 0.0)
    result = np.where(pushed[..., None], centre + grown, places)
    length = np.maximum(np.linalg.norm(result, axis=-1), 1e-6)
    most = section.reach(result) - (radii + gap + WALL)[:, None]
    return result * np.minimum(1.0, most / length)[..., None]
