"""Nets: thin sheets, sleeves and tubes whose surfaces are built point by point, not sampled from a solid.

A net is an array of points (n, m, 3), mm, rows along the fibres and columns across them. Two nets with some
thickness between them make a closed surface.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import cKDTree

from spineviz.geometry import volume
from spineviz.structure import Floats, Points, Structure, Surface
from spineviz.terms import Side

Net = npt.NDArray[np.floating]
Faces = npt.NDArray[np.integer]

SLOPE = 0.3
"""Gradients of distances are differences over this length (mm) to either side."""


def slab(inner: Net, outer: Net) -> Surface:
    """Return the closed surface between two nets (n, m, 3), with a wall around their borders."""
    rows, columns = inner.shape[:2]
    index = np.arange(rows * columns).reshape(rows, columns)
    border = np.concatenate([index[0, :-1], index[:-1, -1], index[-1, :0:-1], index[:0:-1, 0]])
    count = index.size
    faces = np.vstack([_quads(index), _quads(index + count)[:, ::-1], _wall(border, count)])
    return _closed(inner, outer, faces)


def sleeve(inner: Net, outer: Net) -> Surface:
    """Return the closed surface between two nets (n, m, 3) whose last columns meet their first."""
    rows, columns = inner.shape[:2]
    index = np.arange(rows * columns).reshape(rows, columns)
    ring = np.column_stack([index, index[:, :1]])
    count = index.size
    first, last = index[0], index[-1, ::-1]
    faces = np.vstack([_quads(ring), _quads(ring + count)[:, ::-1], _wall(first, count), _wall(last, count)])
    return _closed(inner, outer, faces)


def pipe(rings: Net) -> Surface:
    """Return the closed surface of a tube from its rings (n, m, 3), with a flat lid at either end."""
    rows, columns = rings.shape[:2]
    index = np.arange(rows * columns).reshape(rows, columns)
    around = np.column_stack([index, index[:, :1]])
    ends = index.size + np.arange(2)
    lids = [
        np.column_stack([index[0], np.roll(index[0], -1), np.full(columns, ends[0])])[:, ::-1],
        np.column_stack([index[-1], np.roll(index[-1], -1), np.full(columns, ends[1])]),
    ]
    vertices = np.vstack([rings.reshape(-1, 3), rings[0].mean(0), rings[-1].mean(0)])
    along, across = _ways(np.concatenate([rings, rings[:, :1]], axis=1))
    coordinates = np.column_stack([along[:, :columns].ravel(), across[:, :columns].ravel()])
    coordinates = np.vstack([coordinates, coordinates[0], coordinates[-1]])
    return _outward(vertices, np.vstack([_quads(around), *lids]), coordinates)


def rings_around(line: Points, radii: Floats, sides: int, squeeze: float = 1.0) -> Net:
    """Return rings (n, sides, 3) of some radii (n,) around a line (n, 3); they turn as little as possible.

    ``squeeze`` is how deep a ring is beside its width; the first ring is as wide as possible along x.
    """
    tangents = np.gradient(line, axis=0)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    start = np.array([1.0, 0.0, 0.0]) if abs(tangents[0, 0]) < 0.8 else np.array([0.0, 1.0, 0.0])
    across = np.empty_like(line)
    for k, tangent in enumerate(tangents):
        start = start - (start @ tangent) * tangent
        start = start / np.linalg.norm(start)
        across[k] = start
    deep = np.cross(tangents, across)
    angle = np.arange(sides) * 2 * np.pi / sides
    way = (
        np.cos(angle)[None, :, None] * across[:, None]
        + squeeze * np.sin(angle)[None, :, None] * deep[:, None]
    )
    result: Net = line[:, None] + np.asarray(radii)[:, None, None] * way
    return result


def mirrored(structure: Structure, name: str) -> Structure:
    """Return a structure of one side on the other side of x = 0, under another name."""
    surface = structure.surface
    vertices = surface.vertices * np.array([-1.0, 1.0, 1.0], dtype=np.float32)
    other: Side = "left" if structure.side == "right" else "right"
    return Structure(
        name,
        structure.tissue,
        Surface(vertices, surface.faces[:, ::-1], coordinates=surface.coordinates),
        other,
    )


def smoothed(values: Floats, along: float, across: float = 0.0) -> Floats:
    """Return an array (n, m, ...) smoothed along its rows and across its columns, by so many places."""
    result = ndimage.gaussian_filter1d(values, along, axis=0, mode="nearest") if along else values
    return ndimage.gaussian_filter1d(result, across, axis=1, mode="nearest") if across else result


def pushed(
    points: npt.NDArray, distance: Callable[[Points], Floats], gap: float | Floats, rounds: int = 4
) -> npt.NDArray:
    """Return points (..., 3) moved out of what they are in, until they keep a gap (mm) from it."""
    flat = np.array(points, dtype=np.float64).reshape(-1, 3)
    wanted = np.broadcast_to(np.asarray(gap, dtype=np.float64), np.shape(points)[:-1]).ravel()
    lack = wanted - distance(flat)
    low = np.flatnonzero(lack > 0.0)
    lack = lack[low]
    for left in range(rounds, 0, -1):
        low, lack = low[lack > 0.01], lack[lack > 0.01]
        if not len(low):
            break
        flat[low] += lack[:, None] * uphill(distance, flat[low])
        lack = wanted[low] - distance(flat[low]) if left > 1 else lack
    return flat.reshape(np.shape(points))


def raised(net: Net, normals: Net, points: Points, most: float = 0.12) -> Net:
    """Return a net raised where points (k, 3) of what it lies on would stand out by more than ``most`` mm.

    A net's vertices may all lie on a thing while an edge of the thing passes through between them.
    """
    flat, ways = net.reshape(-1, 3).copy(), normals.reshape(-1, 3)
    reach = 0.75 * float(np.median(np.linalg.norm(np.diff(net, axis=0), axis=2))) + 0.4
    for _ in range(2):
        away, nearest = cKDTree(flat).query(points, distance_upper_bound=reach + 0.4)
        met = np.flatnonzero(np.isfinite(away))
        height = np.einsum("kc,kc->k", points[met] - flat[nearest[met]], ways[nearest[met]])
        high = met[height > most]
        if not len(high):
            break
        lift = np.zeros(len(flat))
        excess = height[height > most] - 0.5 * most
        tree = cKDTree(flat)
        for point, rise in zip(points[high], excess, strict=True):
            around = tree.query_ball_point(point, reach)
            lift[around] = np.maximum(lift[around], rise)
        flat += lift[:, None] * ways
    return flat.reshape(net.shape)


def uphill(distance: Callable[[Points], Floats], points: Points) -> Points:
    """Return the unit gradients (n, 3) of a distance at points."""
    steps = SLOPE * np.vstack([np.eye(3), -np.eye(3)])
    values = distance((points[:, None] + steps).reshape(-1, 3)).reshape(-1, 6)
    slope = values[:, :3] - values[:, 3:]
    result: Points = slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-6)
    return result


def _closed(inner: Net, outer: Net, faces: Faces) -> Surface:
    along, across = _ways((inner + outer) / 2)
    coordinates = np.column_stack([along.ravel(), across.ravel()])
    vertices = np.vstack([inner.reshape(-1, 3), outer.reshape(-1, 3)])
    return _outward(vertices, faces, np.vstack([coordinates, coordinates]))


def _outward(vertices: Points, faces: Faces, coordinates: Floats) -> Surface:
    result = Surface(vertices, faces, coordinates=coordinates)
    return result if volume(result) > 0.0 else Surface(vertices, faces[:, ::-1], coordinates=coordinates)


def _ways(net: Net) -> tuple[Floats, Floats]:
    """Return how far (n, m) each place lies along the rows and across the columns, mm."""
    along = np.cumsum(np.linalg.norm(np.diff(net, axis=0, prepend=net[:1]), axis=2).mean(axis=1))
    across = np.cumsum(np.linalg.norm(np.diff(net, axis=1, prepend=net[:, :1]), axis=2), axis=1)
    return np.broadcast_to(along[:, None], net.shape[:2]), across


def _quads(index: Faces) -> Faces:
    """Return the triangles of a grid of vertices."""
    a, b, c, d = (grid.ravel() for grid in (index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]))
    return np.vstack([np.column_stack([a, b, c]), np.column_stack([a, c, d])])


def _wall(border: Faces, count: int) -> Faces:
    """Return the triangles between a closed row of vertices and the one ``count`` places after it."""
    beside = np.roll(border, -1)
    return np.vstack(
        [
            np.column_stack([border, border + count, beside]),
            np.column_stack([beside, border + count, beside + count]),
        ]
    )
