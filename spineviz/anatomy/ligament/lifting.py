"""How the posterior longitudinal ligament gives way to displaced disc: lifted by it, or pierced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from spineviz import measures
from spineviz.anatomy.bone import SurfaceDistance
from spineviz.anatomy.net import Net, smoothed
from spineviz.anatomy.surroundings import Surroundings, Thing
from spineviz.geometry import volume
from spineviz.structure import Floats, Points, Structure, Surface, frozen

FINE = 4
"""Between two places of the ligament's net displaced material is looked for at so many."""

BEHIND = 25.0
"""Rays onto the back of displaced material start this far (mm) behind the ligament."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Breach:
    """Where displaced material leaves its disc: the place (3,) in the world, mm.

    ``torn`` tells that it has pierced the ligament, ``free`` that it has lost its disc.
    """

    place: Floats
    torn: bool
    free: bool = False


@dataclass(frozen=True, eq=False)
class LigamentWarp:
    """Lifts a ligament off its disc: the first amount, 0..1, is how far, any others are of no account.

    ``moving`` (m,) are the vertices that move and ``way`` (m, 3) their ways at 1, mm.
    """

    rest: Points
    moving: npt.NDArray[np.integer]
    way: Points

    def __call__(self, amounts: tuple[float, ...]) -> Points:
        """Return the vertices (n, 3) in mm; 0 gives the rest shape. Raises ValueError out of range."""
        if not amounts or not 0.0 <= amounts[0] <= 1.0:
            raise ValueError(f"a ligament is lifted by 0 to 1 of its way, not {amounts}")
        result = np.array(self.rest)
        result[self.moving] += amounts[0] * self.way
        return result


@dataclass(frozen=True, eq=False)
class _Patch:
    """Some rows of a ligament's two nets (n, m, 3) over displaced material, and what stands there.

    ``dorsal`` (n, 3) is the way out of the disc. Of every place: ``rise`` is how far (mm) it must be lifted
    to lie behind the material, ``room`` how thick (mm) it may be before the material; ``own`` tells which
    breach's material it is, -1 for none.
    """

    inner: Net
    outer: Net
    dorsal: Points
    rise: Floats
    room: Floats
    own: npt.NDArray[np.integer]


def given_way(
    band: Structure, displaced: Sequence[tuple[Surface, Sequence[Breach]]]
) -> tuple[Structure, LigamentWarp] | None:
    """Return the posterior longitudinal ligament with its tears, and how it is lifted; None if it stays.

    ``band`` is the healthy ligament, made of two nets; ``displaced`` is, of each disc, what stands beyond the
    healthy one, and where it left. Raises ValueError for a surface that is no such ligament.
    """
    inner, outer = _nets(band.surface)
    ways = np.zeros((2, *inner.shape))
    cells = np.ones((len(inner) - 1, inner.shape[1] - 1), dtype=bool)
    for material, breaches in displaced:
        rows = _rows_at(inner, material)
        if rows.stop - rows.start < 3:
            continue
        patch = _patch(inner[rows], outer[rows], material, breaches)
        torn = np.array([*(breach.torn for breach in breaches), False])
        pierced = torn[patch.own]
        ways[:, rows] += _ways(patch, _lift(patch, ~pierced))
        cells[rows.start : rows.stop - 1] &= ~_holes(patch, pierced, breaches)
    if not np.abs(ways).max() > 1e-3 and cells.all():
        return None
    whole = band.surface, np.arange(len(band.surface.vertices))
    surface, used = whole if cells.all() else _with_holes(band.surface, cells)
    way = ways.reshape(-1, 3)[used]
    moving = np.flatnonzero(np.linalg.norm(way, axis=1) > 1e-4)
    rest = frozen(surface.vertices, np.float64)
    warp = LigamentWarp(rest, frozen(moving, np.int64), frozen(way[moving], np.float64))
    return replace(band, surface=surface), warp


def _ways(patch: _Patch, lift: Floats) -> Floats:
    """Return the ways (2, n, m, 3) of both nets: lifted, stretched over material, squeezed before it."""
    shape = measures.table("posterior_longitudinal_ligament.lifted")
    thickness = np.linalg.norm(patch.outer - patch.inner, axis=2)
    thin = np.minimum(thickness, np.maximum(_least(patch.room), shape["thinnest"]))
    share = np.clip(lift / shape["covering"], 0.0, 1.0)
    thin = np.minimum(thin, (1.0 - share) * thickness + share * shape["covering"])
    out = (patch.outer - patch.inner) / np.maximum(thickness, 1e-6)[..., None]
    out = (1.0 - share[..., None]) * out + share[..., None] * patch.dorsal[:, None]
    up = lift[..., None] * patch.dorsal[:, None]
    return np.stack([up, up + patch.inner + thin[..., None] * out - patch.outer])


def _nets(surface: Surface) -> tuple[Net, Net]:
    """Return the two nets (n, m, 3) that a ligament is made of."""
    columns = int(measures.value("posterior_longitudinal_ligament.columns"))
    if len(surface.vertices) % (2 * columns):
        raise ValueError(f"a ligament of {len(surface.vertices)} vertices is not made of two nets")
    inner, outer = surface.vertices.astype(np.float64).reshape(2, -1, columns, 3)
    return inner, outer


def _rows_at(inner: Net, material: Surface) -> slice:
    """Return the rows within the reach of material."""
    reach = measures.value("posterior_longitudinal_ligament.lifted.reach")
    low, high = material.vertices.min(axis=0) - reach, material.vertices.max(axis=0) + reach
    near = np.flatnonzero(((inner > low) & (inner < high)).all(axis=2).any(axis=1))
    return slice(int(near[0]), int(near[-1]) + 1) if len(near) else slice(0, 0)


def _patch(inner: Net, outer: Net, material: Surface, breaches: Sequence[Breach]) -> _Patch:
    """Look for material before and behind a ligament, FINE times as finely as its net is."""
    dorsal = smoothed((outer - inner).mean(axis=1), 2.0)
    dorsal /= np.linalg.norm(dorsal, axis=1, keepdims=True)
    fine, way = _finer(inner), _finer(np.repeat(dorsal[:, None], inner.shape[1], axis=1))
    places, ways = fine.reshape(-1, 3), way.reshape(-1, 3)
    stuff = Surroundings((Thing(material, SurfaceDistance(material)),))
    seam = measures.value("posterior_longitudinal_ligament.lifted.seam")
    back = BEHIND - stuff.ahead(places + BEHIND * ways, -ways, 2 * BEHIND)
    rise = np.where(back > -seam, back + seam, 0.0)
    distance = stuff.distance(places)
    room = np.where(distance > 0.0, stuff.ahead(places, ways, BEHIND) - seam, 0.0)
    own = np.full(len(places), -1)
    if breaches:
        off = np.linalg.norm(places[:, None] - np.array([item.place for item in breaches]), axis=2)
        own = np.where((rise > 0.0) | (off.min(axis=1) < 2.5), off.argmin(axis=1), -1)
    shape = fine.shape[:2]
    return _Patch(inner, outer, dorsal, rise.reshape(shape), room.reshape(shape), own.reshape(shape))


def _finer(net: Net) -> Net:
    """Return a net (n, m, 3) with FINE - 1 places between every two."""
    rows, columns = (np.arange(FINE * (count - 1) + 1) / FINE for count in net.shape[:2])
    at = np.stack(np.meshgrid(rows, columns, indexing="ij"))
    return np.stack([ndimage.map_coordinates(net[..., k], at, order=1) for k in range(3)], axis=-1)


def _lift(patch: _Patch, covered: Mask) -> Floats:
    """Return how far (n, m) mm the ligament is lifted where it covers material, and beside it like a tent."""
    need = ndimage.maximum_filter(np.where(covered, patch.rise, 0.0), 2 * FINE + 1)[::FINE, ::FINE]
    if not need.any():
        return need
    slope = measures.value("posterior_longitudinal_ligament.lifted.slope")
    flat = patch.inner.reshape(-1, 3)
    high = np.flatnonzero(need.ravel() > 0.0)
    off = np.linalg.norm(flat[:, None] - flat[high], axis=2)
    tent = (need.ravel()[high] - slope * off).max(axis=1).clip(0.0).reshape(need.shape)
    ends = np.minimum(np.arange(len(need)), np.arange(len(need))[::-1])[:, None] / 2.0
    return np.maximum(smoothed(tent, 1.0, 0.7) * np.clip(ends, 0.0, 1.0), need)


def _least(room: Floats) -> Floats:
    return ndimage.minimum_filter(room, 2 * FINE + 1, mode="nearest")[::FINE, ::FINE]


def _holes(patch: _Patch, pierced: Mask, breaches: Sequence[Breach]) -> Mask:
    """Return which cells (n - 1, m - 1) of the net are torn away."""
    shape = measures.table("posterior_longitudinal_ligament.lifted")
    torn = pierced & (patch.rise > 0.0) & (patch.room < shape["thinnest"])
    fine = _finer(patch.inner)
    for breach in breaches:
        if breach.torn and breach.free:
            torn |= np.linalg.norm(fine - breach.place, axis=2) < shape["hole"]
    spread = ndimage.maximum_filter(torn, FINE + 1)
    half = FINE // 2
    cells = spread[half::FINE, half::FINE]
    cells = ndimage.binary_closing(np.pad(cells, 2), np.ones((2, 2)))[2:-2, 2:-2] | cells
    for _ in range(8):  # no two holes may meet in a corner alone
        first = cells[:-1, :-1] & cells[1:, 1:] & ~cells[1:, :-1] & ~cells[:-1, 1:]
        second = cells[1:, :-1] & cells[:-1, 1:] & ~cells[:-1, :-1] & ~cells[1:, 1:]
        cells[1:, :-1] |= first
        cells[:-1, :-1] |= second
    return np.asarray(cells)


def _with_holes(surface: Surface, cells: Mask) -> tuple[Surface, npt.NDArray[np.integer]]:
    """Return a ligament of some cells of its net alone, closed, and which of its vertices are left."""
    rows, columns = cells.shape[0] + 1, cells.shape[1] + 1
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = (
        corner[cells] for corner in (index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1])
    )
    quads = np.vstack([np.column_stack([a, b, c]), np.column_stack([a, c, d])])
    edges = np.vstack([quads[:, [0, 1]], quads[:, [1, 2]], quads[:, [2, 0]]])
    keys, back = edges @ [index.size, 1], edges[:, ::-1] @ [index.size, 1]
    start, end = edges[~np.isin(keys, back)].T
    count = index.size
    walls = [np.column_stack([end, start, start + count]), np.column_stack([end, start + count, end + count])]
    faces = np.vstack([quads, (quads + count)[:, ::-1], *walls])
    used, faces = np.unique(faces, return_inverse=True)
    faces = faces.reshape(-1, 3)
    paint = {
        name: value[used]
        for name in ("occlusion", "tint", "coordinates")
        if (value := getattr(surface, name)) is not None
    }
    result = Surface(surface.vertices[used], faces, **paint)
    return (result if volume(result) > 0.0 else replace(result, faces=faces[:, ::-1])), used
