"""Distances from surfaces, read off grids that are measured only where something is near.

Places are in the frame of the surfaces, mm; a distance is negative inside.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from spineviz.anatomy.surroundings import thing
from spineviz.geometry import DistanceGrid, surface_points
from spineviz.structure import Floats, Points, Surface, frozen

TOLD = 1.5
"""Up to this distance (mm) outside a surface a chart tells it as exactly as its grid can."""

FARTHEST = 99.0
"""What a chart tells (mm) where nothing is near its box."""

Nodes = npt.NDArray[np.intp]


def chart(surfaces: Iterable[Surface], lower: Floats, upper: Floats, cell: float) -> DistanceGrid:
    """Return the distance from the nearest of closed surfaces, every ``cell`` mm in a box.

    It is exact at nodes near a surface; farther ones are told by their way to the nearest of those.
    """
    counts = np.ceil((upper - lower) / cell).astype(int) + 1
    values = np.full(tuple(counts.tolist()), FARTHEST, dtype=np.float32)
    for surface in surfaces:
        np.minimum(values, _values(surface, lower, counts, cell), out=values)
    return DistanceGrid(frozen(lower, np.float64), cell, frozen(values, np.float32))


def _values(surface: Surface, lower: Floats, counts: Nodes, cell: float) -> Floats:
    """Return the distance (nx, ny, nz) from one surface at the nodes of a grid."""
    pad = int(np.ceil((TOLD + 2.0 * cell) / cell)) + 1
    shape = counts + 2 * pad
    places = _cells(surface_points(surface, cell), lower - pad * cell, cell, shape)
    marked = np.ones(tuple(shape.tolist()), dtype=bool)
    marked[tuple(places.T)] = False
    if marked.all():
        return np.full(tuple(counts.tolist()), FARTHEST, dtype=np.float32)
    way = cell * ndimage.distance_transform_edt(marked)
    inner = tuple(slice(pad, -pad) for _ in range(3))
    near = way[inner] < TOLD + 2.0 * cell
    nodes = np.argwhere(near)
    if not len(nodes):
        return np.asarray(way[inner], dtype=np.float32)
    values = np.zeros(near.shape, dtype=np.float32)
    values[near] = thing(surface).exact(lower + cell * nodes)
    beyond, nearest = ndimage.distance_transform_edt(~near, return_indices=True)
    known = values[tuple(nearest)]
    return np.asarray(known + np.copysign(cell * beyond, known), dtype=np.float32)


def _cells(points: Points, lower: Floats, cell: float, shape: Nodes) -> Nodes:
    """Return the nodes (k, 3) of a grid that are nearest to points (n, 3), as far as they lie in it."""
    places = np.round((points - lower) / cell).astype(np.intp)
    return places[((places >= 0) & (places < shape)).all(axis=1)]
