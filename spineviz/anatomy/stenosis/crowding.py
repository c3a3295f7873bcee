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
from spineviz.anatomy.stenosis.room import ANGLES, STEP, TURN
from spineviz.anatomy.stenosis.squeeze import Squeeze
from spineviz.geometry import vertex_normals, volume
from spineviz.structure import Floats, Points, Structure, Surface

NEAR = 1.2
"""What lies within so many mm of a slice tells how thick a rootlet is in it."""

Mask = npt.NDArray[np.bool_]

WAYS = np.stack([np.cos(TURN), np.sin(TURN)], axis=1)


@dataclass(frozen=True, eq=False)
class Strands:
    """Rootlets, and roots within the sac, in the slices of a room.

    ``places`` (m, n, 2) and ``radii`` (m, n) in mm; a radius is 0 where there is none. ``free`` (m, n) is 0
    where a rootlet ends, in its root or in a cut, and 1 away from there.
    """

    names: tuple[str, ...]
    places: Floats
    radii: Floats
    free: Floats

    @property
    def alive(self) -> Floats:
        """1 where a rootlet is, 0 else; (m, n)."""
        return (self.radii > 0.0).astype(np.float64)


def crowded(
    squeeze: Squeeze, within: Mapping[str, Structure], filled: float, spread: float
) -> dict[str, Surface]:
    """Return the surfaces of what lies ``within`` a sac that a map narrows, by name.

    In the disc's slice it takes the share ``filled`` of the sac, and lies evenly in it where ``spread`` is 1;
    away from there ever less so.
    """
    room = squeeze.room
    less = 1.0 - (squeeze.core**2).sum(axis=1) / (room.core**2).sum(axis=1)
    middle = len(less) // 2
    degree = np.clip(less / max(less[middle], 1e-6), 0.0, 1.0)
    degree = degree * degree * (3.0 - 2.0 * degree)
    strands = _felt(squeeze, within)
    if not strands.names:
        return {}
    laid = _laid(squeeze, strands, spread * degree)
    cells = _cells(squeeze, strands, laid)
    grown = _grown(squeeze, strands, cells, filled, degree)
    reach = np.minimum(grown[..., None], cells)
    return {
        name: _moved(squeeze, within[name].surface, row, strands, laid[row], reach[row])
        for row, name in enumerate(strands.names)
    }


def _felt(squeeze: Squeeze, within: Mapping[str, Structure]) -> Strands:
    """Find the middle and the radius of everything within the sac in each slice."""
    room, names, places, radii, free = squeeze.room, [], [], [], []
    for name, item in within.items():
        local = room.frame.to_local(item.surface.vertices.astype(np.float64))
        middle = _line(local, room.heights)
        offset = local[:, :2] - _at(middle, room.heights, local[:, 2])
        near = np.abs(local[:, 2] - room.heights[:, None]) < NEAR
        count = near.sum(axis=1)
        size = np.sqrt((near @ (offset**2).sum(axis=1)) / np.maximum(count, 1))
        away = middle - room.centre
        inside = np.hypot(away[:, 0], away[:, 1]) + 0.5 * size < _toward(room.core, away[None])[0]
        here = (
            (room.heights >= local[:, 2].min()) & (room.heights <= local[:, 2].max()) & inside & (count > 0)
        )
        here = _longest(here)
        if here.any():
            names.append(name)
            places.append(middle)
            radii.append(np.where(here, size, 0.0))
            free.append(_freedom(here))
    return Strands(tuple(names), np.array(places), np.array(radii), np.array(free))


def _longest(here: Mask) -> Mask:
    """Return the longest run of what is true (n,)."""
    runs, count = ndimage.label(here)
    return np.asarray(runs == 1 + np.argmax(np.bincount(runs)[1:])) if count else here


def _freedom(here: Mask) -> Floats:
    """Return how free (n,) a rootlet is in slices where it is: not at its ends."""
    there = np.flatnonzero(here)
    rows = np.arange(len(here), dtype=np.float64)
    first = rows - there[0] if there[0] > 0 else np.inf + 0.0 * rows
    last = there[-1] - rows if there[-1] < len(here) - 1 else np.inf + 0.0 * rows
    way = np.minimum(first, last)
    return np.asarray(here * np.clip(way * STEP / measures.value("stenosis.rootlets.bound"), 0.0, 1.0))


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


def _laid(squeeze: Squeeze, strands: Strands, even: Floats) -> Floats:
    """Return the places (m, n, 2) of rootlets, from the sac's middle, in the narrowed sac."""
    shape = measures.table("stenosis.rootlets")
    room = squeeze.room
    places: Floats = strands.places - room.centre
    ratio = squeeze.core / np.maximum(room.core, 1e-6)
    places = places * _toward(ratio, places)[..., None]
    pull = even * strands.free
    rounds = int(shape["rounds"])
    for turn in range(rounds):
        if turn % 3 == 0 and pull.max() > 0.0:
            goal = _centroids(places, _reaches(squeeze, places, strands.radii))
            places = places + (0.9 * pull)[..., None] * (goal - places)
        places = _apart(places, strands.radii, shape["gap"])
        places = _inside(places, strands.radii, squeeze.core, shape["wall"])
        if turn < rounds - 4:
            smooth = ndimage.gaussian_filter1d(places, 1.0, axis=1, mode="nearest")
            places = np.where(pull[..., None] > 0.0, places + 0.5 * (smooth - places), places)
    return places


def _toward(table: Floats, places: Floats) -> Floats:
    """Return the values (m, n) of a table (n, k) in the directions of places (m, n, 2)."""
    turn = (np.arctan2(places[..., 1], places[..., 0]) / (2 * np.pi) * ANGLES) % ANGLES
    first = np.floor(turn).astype(int) % ANGLES
    share, rows = turn - np.floor(turn), np.arange(table.shape[0])
    return (1 - share) * table[rows, first] + share * table[rows, (first + 1) % ANGLES]


def _apart(places: Floats, radii: Floats, gap: float) -> Floats:
    """Push rootlets that overlap apart."""
    offset = places[:, None] - places[None]
    length = np.maximum(np.hypot(offset[..., 0], offset[..., 1]), 1e-6)
    both = (radii[:, None] > 0.0) & (radii[None] > 0.0) & ~np.eye(len(radii), dtype=bool)[..., None]
    lack = np.where(both, np.maximum(radii[:, None] + radii[None] + gap - length, 0.0), 0.0)
    return places + 0.8 * ((0.5 * lack / length)[..., None] * offset).sum(axis=1)


def _inside(places: Floats, radii: Floats, core: Floats, wall: float) -> Floats:
    """Push rootlets into the sac."""
    length = np.maximum(np.hypot(places[..., 0], places[..., 1]), 1e-6)
    most = np.maximum(_toward(core, places) - radii - wall, 0.1)
    return places * np.minimum(1.0, most / length)[..., None]


def _reaches(squeeze: Squeeze, places: Floats, radii: Floats) -> Floats:
    """Return how far (m, n, k) each rootlet's cell reaches in every direction from its place, mm."""
    offset = places[None] - places[:, None]
    square = (offset**2).sum(axis=-1)
    power = (square + (radii**2)[:, None] - (radii**2)[None]) / 2.0
    there = (radii[None] > 0.0) & (square > 1e-6)
    along = np.einsum("mqnc,kc->mqnk", offset, WAYS)
    open_ = there[..., None] & (along > 1e-6)
    reach = np.where(open_, np.maximum(power, 0.05)[..., None] / np.maximum(along, 1e-6), np.inf).min(axis=1)
    return np.minimum(reach, _to_wall(places, squeeze.core))


def _to_wall(places: Floats, core: Floats) -> Floats:
    """Return how far (m, n, k) it is from places to the sac's border in every direction: by halving."""
    low = np.zeros((*places.shape[:2], ANGLES))
    high = np.full_like(low, 2.0 * float(core.max()))
    for _ in range(9):
        amount = (low + high) / 2
        there = places[:, :, None] + amount[..., None] * WAYS
        away = np.hypot(there[..., 0], there[..., 1])
        flat = there.transpose(0, 2, 1, 3).reshape(-1, places.shape[1], 2)
        most = _toward(core, flat).reshape(places.shape[0], ANGLES, -1).transpose(0, 2, 1)
        inside = away < most
        low, high = np.where(inside, amount, low), np.where(inside, high, amount)
    return low


def _centroids(places: Floats, reach: Floats) -> Floats:
    """Return the middles (m, n, 2) of cells."""
    area = np.maximum((reach**2).sum(axis=-1), 1e-6)
    shift = (reach[..., None] ** 3 * WAYS).sum(axis=2) * (2.0 / 3.0)
    return places + shift / area[..., None]


def _cells(squeeze: Squeeze, strands: Strands, places: Floats) -> Floats:
    """Return how far (m, n, k) a rootlet may reach in every direction, with gaps between neighbours."""
    shape = measures.table("stenosis.rootlets")
    reach = _reaches(squeeze, places, strands.radii)
    return np.maximum(reach - shape["gap"] / 2, 0.1)


def _grown(squeeze: Squeeze, strands: Strands, cells: Floats, filled: float, degree: Floats) -> Floats:
    """Return the radius (m, n) to which each rootlet grows where its cell lets it."""
    alive = strands.alive
    own = (np.pi * strands.radii**2).sum(axis=0)
    sac = 0.5 * np.sin(TURN[1]) * (squeeze.core * np.roll(squeeze.core, -1, axis=1)).sum(axis=1)
    middle = len(sac) // 2
    whole = own[middle] + degree * max(filled * sac[middle] - own[middle], 0.0)
    wanted = np.where(degree > 1e-3, np.minimum(whole * own / own[middle], filled * sac), 0.0)
    free = strands.free
    low, high = np.ones(len(sac)), np.full(len(sac), 12.0)
    for _ in range(20):
        factor = (low + high) / 2
        radius = strands.radii * (1.0 + (factor - 1.0) * free)
        area = 0.5 * np.sin(TURN[1]) * (np.minimum(radius[..., None], cells) ** 2).sum(axis=-1) * alive
        less = area.sum(axis=0) < wanted
        low, high = np.where(less, factor, low), np.where(less, high, factor)
    factor = ndimage.gaussian_filter1d((low + high) / 2, 1.0)
    return np.asarray(strands.radii * (1.0 + (factor - 1.0) * free))


def _moved(
    squeeze: Squeeze, surface: Surface, row: int, strands: Strands, laid: Floats, reach: Floats
) -> Surface:
    """Return a rootlet's surface in its cells, with the volume that it had."""
    room, vertices = squeeze.room, surface.vertices.astype(np.float64)
    local = room.frame.to_local(vertices)
    free = np.interp(local[:, 2], room.heights, strands.free[row], left=0.0, right=0.0)
    result = squeeze(vertices)
    rows = np.flatnonzero(free > 0.0)
    own = local[rows]
    offset = own[:, :2] - _at(strands.places[row], room.heights, own[:, 2])
    size = np.interp(own[:, 2], room.heights, _spread_out(strands.radii[row]))
    turn, length = np.arctan2(offset[:, 1], offset[:, 0]), np.hypot(offset[:, 0], offset[:, 1])
    scaled = np.minimum(length / size, 1.4) * room.at(reach, turn, own[:, 2])
    middle = _at(laid, room.heights, own[:, 2]) + room.middle(own[:, 2])
    away = np.stack([np.cos(turn), np.sin(turn)], axis=1) * scaled[:, None]
    there = room.frame.to_parent(np.column_stack([middle + away, own[:, 2]]))
    result[rows] += free[rows, None] * (there - result[rows])
    moved = np.linalg.norm(result - vertices, axis=1) > 0.02
    return same_volume(surface, surface.moved(result), moved)


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
