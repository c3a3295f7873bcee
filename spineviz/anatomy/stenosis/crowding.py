"""Rootlets in a narrowed sac: they lie over all of it, and fill it, with the volume that each has.

A rootlet's place in a slice is the middle of a cell, which its neighbours and the sac's wall bound: it is
round while there is room, and takes the cell's shape where there is none. What it gains there it loses
elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from spineviz import measures
from spineviz.anatomy.stenosis.finer import finer
from spineviz.anatomy.stenosis.packing import Slices, images_of, packed, toward
from spineviz.anatomy.stenosis.room import ANGLES, REACH, STEP, TURN, Room
from spineviz.anatomy.stenosis.squeeze import Squeeze
from spineviz.anatomy.stenosis.untangled import untangled
from spineviz.anatomy.surroundings import Surroundings
from spineviz.geometry import vertex_normals, volume
from spineviz.structure import Floats, Points, Structure, Surface

NEAR = 1.2
"""What lies within so many mm of a slice tells how thick a rootlet is in it."""

Mask = npt.NDArray[np.bool_]

WITHIN, LEAVING, SHED, GONE = 0.25, 0.55, 0.85, 1.05
"""A root with less than this part of it beyond the sac is in it; it begins to go its own way with the second, to
take its own shape with the third, and has left the sac with the last."""

ALIKE = 0.3
"""Strands whose places are mirror images to within so many mm are so in the narrow sac too."""

FULL = 1.0
"""Strands take no more than this share of a sac."""

EDGE = 0.7
"""In a narrow sac the edges of strands are no longer than this, mm."""

SEEN = 0.6
"""Strands are looked up at samples so far (mm) from each other."""

CORNERS = 1.03
"""A tube of few sides is so much wider than its cell: between its corners it has what it lacks there."""


@dataclass(frozen=True, eq=False)
class Strands:
    """Rootlets, and roots within the sac, in the slices of a room.

    ``places`` (m, n, 2) and ``radii`` (m, n) in mm; a radius is 0 where there is none. ``free`` (m, n) is 0
    where a rootlet ends or has left the sac, and 1 away from there: so much it may move, and so much
    (``shaped``) it takes its cell's shape. ``out`` (m, n) is how much of it is beyond
    the sac, ``now`` (m, n, 2) where it comes to lie if it is merely pressed.
    """

    names: tuple[str, ...]
    places: Floats
    radii: Floats
    free: Floats
    shaped: Floats
    out: Floats
    now: Floats


def crowded(
    squeeze: Squeeze, sac: Surface, within: Mapping[str, Structure], filled: float, spread: float
) -> dict[str, Surface]:
    """Return the surfaces of what lies ``within`` a healthy ``sac`` that a map narrows, by name.

    In the disc's slice it takes the share ``filled`` of the sac, and lies evenly in it where ``spread`` is 1;
    away from there ever less so. Roots that leave the sac are roots on their way, and keep their areas.
    """
    room = squeeze.room
    usual = _border(room, sac, room.core)
    narrow = _border(room, sac.moved(squeeze(sac.vertices)), squeeze.core)
    less = 1.0 - (narrow**2).sum(axis=1) / (usual**2).sum(axis=1)
    middle = len(less) // 2
    degree = np.clip(less / max(less[middle], 1e-6), 0.0, 1.0)
    degree = degree * degree * (3.0 - 2.0 * degree)
    given = {name: squeeze(item.surface.vertices) for name, item in within.items()}
    strands = _felt(room, usual, within, given, degree)
    if not strands.names:
        return {}
    fine = {name: _finer(within[name].surface, room) for name in strands.names}
    even = spread * degree * strands.free
    laid, reach = packed(_slices(squeeze, usual, narrow, strands, filled, degree), even, ANGLES)
    found = {
        name: _moved(squeeze, fine[name], row, strands, laid[row], reach[row])
        for row, name in enumerate(strands.names)
    }
    moved = {name: _apart(fine[name], after) for name, after in found.items()}
    before = {name: after for name, after in found.items() if moved[name].any()}
    apart = untangled(before, moved, SEEN)
    return found | {name: same_volume(fine[name], apart[name], moved[name]) for name in before}


def _border(room: Room, sac: Surface, instead: Floats) -> Floats:
    """Return how far (n, k) a sac reaches in a room; ``instead`` where it is not met."""
    directions = np.stack([np.cos(TURN), np.sin(TURN), 0 * TURN], axis=1) @ room.frame.axes
    starts = room.frame.to_parent(np.column_stack([room.centre, room.heights]))
    count = len(starts)
    found = Surroundings(()).and_also([sac]).ahead(
        np.repeat(starts, ANGLES, axis=0), np.tile(directions, (count, 1)), REACH
    )
    table = found.reshape(count, ANGLES)
    return np.where(np.isfinite(table), table, instead)


def _felt(
    room: Room, sac: Floats, within: Mapping[str, Structure], given: Mapping[str, Points], degree: Floats
) -> Strands:
    """Find the middle and the radius of everything within the sac, or on its way out, in each slice."""
    names, rows = [], []
    for name, item in within.items():
        local = room.frame.to_local(item.surface.vertices.astype(np.float64))
        middle, size, there = _course(local, room.heights)
        away = middle - room.centre
        out = (np.hypot(away[:, 0], away[:, 1]) + size - _toward(sac, away)) / (2.0 * size)
        here = _longest(there & (out < GONE))
        if (here & (degree > 0.0)).any():
            names.append(name)
            bound = _freedom(here, there) * _eased(degree / 0.05) * here
            free, own = (bound * _eased((GONE - out) / (GONE - start)) for start in (LEAVING, SHED))
            now = _course(room.frame.to_local(given[name]), room.heights)[0]
            rows.append((middle, np.where(here, size, 0.0), free, own, np.clip((out - WITHIN) / (1.0 - WITHIN), 0.0, 1.0), now))
    if not names:
        none = np.zeros((0, len(room.heights)))
        return Strands((), none[..., None], none, none, none, none, none[..., None])
    return Strands(tuple(names), *(np.array(part) for part in zip(*rows, strict=True)))


def _course(local: Points, heights: Floats) -> tuple[Floats, Floats, Mask]:
    """Return the middles (n, 2) and radii (n,) of a thin tube at some heights, and where it is."""
    middle = _line(local, heights)
    near = np.abs(local[:, 2] - heights[:, None]) < NEAR
    count = near.sum(axis=1)
    offset = local[:, :2] - _at(middle, heights, local[:, 2])
    size = np.sqrt((near @ (offset**2).sum(axis=1)) / np.maximum(count, 1))
    there = (heights >= local[:, 2].min()) & (heights <= local[:, 2].max()) & (count > 0)
    return middle, np.maximum(size, 0.05), there


def _longest(here: Mask) -> Mask:
    """Return the longest run of what is true (n,)."""
    runs, count = ndimage.label(here)
    return np.asarray(runs == 1 + np.argmax(np.bincount(runs)[1:])) if count else here


def _freedom(here: Mask, there: Mask) -> Floats:
    """Return how free (n,) a rootlet is in slices where it is: not where it ends, in its root or in a cut."""
    known = np.flatnonzero(here)
    if not len(known):
        return np.zeros(len(here))
    rows = np.arange(len(here), dtype=np.float64)
    far = np.inf + 0.0 * rows
    first = rows - known[0] if known[0] > 0 and not there[known[0] - 1] else far
    last = known[-1] - rows if known[-1] < len(here) - 1 and not there[known[-1] + 1] else far
    way = np.minimum(first, last)
    return np.asarray(here * np.clip(way * STEP / measures.value("stenosis.rootlets.bound"), 0.0, 1.0))


def _eased(share: Floats) -> Floats:
    share = np.clip(share, 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share))


def _line(local: Points, heights: Floats) -> Floats:
    """Return where (n, 2) a thin tube with vertices (k, 3) runs at some heights."""
    result = np.empty((len(heights), 2))
    for row, height in enumerate(np.clip(heights, local[:, 2].min(), local[:, 2].max())):
        off = local[:, 2] - height
        weight = np.exp(-((off / 1.6) ** 2)) + 1e-9
        mean = weight @ local / weight.sum()
        away = local - mean
        slope = (weight * away[:, 2]) @ away[:, :2] / max(float((weight * away[:, 2]) @ away[:, 2]), 1e-6)
        result[row] = mean[:2] + (height - mean[2]) * slope
    return result


def _at(line: Floats, heights: Floats, wanted: Floats) -> Floats:
    """Return the places (k, 2) of a line (n, 2) at some heights."""
    return np.stack([np.interp(wanted, heights, line[:, axis]) for axis in (0, 1)], axis=1)


def _toward(table: Floats, places: Floats) -> Floats:
    """Return the values (n,) of a table (n, k) in the directions of places (n, 2)."""
    return toward(table[None], places[None])[0]


def _slices(
    squeeze: Squeeze, usual: Floats, narrow: Floats, strands: Strands, filled: float, degree: Floats
) -> Slices:
    """Return the strands as they are to be packed into the narrow sac."""
    room, wall = squeeze.room, measures.value("stenosis.rootlets.wall")
    sac = np.maximum(narrow - wall, 0.2)
    beyond = np.maximum(squeeze.wall - wall, sac)
    borders = sac + strands.out[..., None] * (beyond - sac)
    places = strands.places - room.centre
    now = strands.now - room.centre
    ratio = np.stack([_toward(narrow / np.maximum(usual, 1e-6), place) for place in places])
    start = now + ((1.0 - strands.out) * strands.free)[..., None] * (places * ratio[..., None] - now)
    own = np.pi * strands.radii**2
    images = images_of(strands.names, start, ALIKE)
    return Slices(start, strands.radii, own * _factor(sac, strands, own, filled, degree), strands.free,
                  borders, images)  # fmt: skip


def _factor(sac: Floats, strands: Strands, own: Floats, filled: float, degree: Floats) -> Floats:
    """Return by how much (m, n) the areas of strands grow or shrink so that they fill the sac as wanted."""
    room = 0.5 * np.sin(TURN[1]) * (sac * np.roll(sac, -1, axis=1)).sum(axis=1)
    inside = (own * (1.0 - strands.out)).sum(axis=0)
    middle = len(room) // 2
    whole = inside[middle] + degree * max(filled * room[middle] - inside[middle], 0.0)
    scaled = whole * inside / max(float(inside[middle]), 1e-6)
    wanted = np.where(degree > 1e-3, np.minimum(np.maximum(scaled, inside), FULL * room), inside)
    within = (own * (1.0 - strands.out) ** 2).sum(axis=0)
    more = ndimage.gaussian_filter1d(ndimage.minimum_filter1d((wanted - inside) / np.maximum(within, 1e-6), 3), 1.0)
    return np.asarray(np.maximum(1.0 + more * (1.0 - strands.out), 0.2))


def _moved(
    squeeze: Squeeze, surface: Surface, row: int, strands: Strands, laid: Floats, reach: Floats
) -> Surface:
    """Return a rootlet's surface in its cells."""
    room, vertices = squeeze.room, surface.vertices.astype(np.float64)
    local = room.frame.to_local(vertices)
    shaped = np.interp(local[:, 2], room.heights, strands.shaped[row], left=0.0, right=0.0)
    result = squeeze(vertices)
    rows = np.flatnonzero(shaped > 0.0)
    own, pressed = local[rows], room.frame.to_local(result[rows])
    offset = own[:, :2] - _at(strands.places[row], room.heights, own[:, 2])
    size = np.interp(own[:, 2], room.heights, _spread_out(strands.radii[row]))
    turn, length = np.arctan2(offset[:, 1], offset[:, 0]), np.hypot(offset[:, 0], offset[:, 1])
    scaled = np.minimum(length / (0.95 * size), 1.0) * room.at(reach, turn, own[:, 2])
    middle = _at(laid, room.heights, own[:, 2]) + room.middle(own[:, 2])
    away = np.stack([np.cos(turn), np.sin(turn)], axis=1) * (CORNERS * scaled)[:, None]
    before = pressed[:, :2] - _at(strands.now[row], room.heights, own[:, 2])
    around = before + shaped[rows, None] * (away - before)
    result[rows] = room.frame.to_parent(np.column_stack([middle + around, own[:, 2]]))
    return surface.moved(result)


def _finer(surface: Surface, room: Room) -> Surface:
    """Return a strand with enough vertices in a room to take the shape of its cells."""
    height = room.frame.to_local(surface.vertices.astype(np.float64))[:, 2]
    return finer(surface, (height > room.heights[0]) & (height < room.heights[-1]), EDGE)


def _apart(before: Surface, after: Surface) -> Mask:
    """Return which vertices (n,) have moved."""
    way = np.linalg.norm(after.vertices.astype(np.float64) - before.vertices, axis=1)
    return np.asarray(way > 0.02)


def _spread_out(radii: Floats) -> Floats:
    """Return radii (n,) of which those that are 0 take the nearest known one."""
    known = np.flatnonzero(radii > 0.0)
    return radii[known[np.abs(np.arange(len(radii))[:, None] - known[None]).argmin(axis=1)]]


def same_volume(before: Surface, after: Surface, moved: Mask) -> Surface:
    """Return a rootlet that has won or lost elsewhere what it lost or gained where vertices ``moved``."""
    goal, most = volume(before), measures.value("stenosis.rootlets.thinner")
    vertices = after.vertices.astype(np.float64)
    inwards = np.where(moved, 0.0, 1.0)[:, None] * -vertex_normals(after.vertices, after.faces)
    low, high = -most, most
    for _ in range(16):
        amount = (low + high) / 2
        more = volume(after.moved(vertices + amount * inwards)) > goal
        low, high = (amount, high) if more else (low, amount)
    return after.moved(vertices + low * inwards)
