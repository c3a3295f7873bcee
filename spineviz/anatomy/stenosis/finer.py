"""A triangle mesh with more vertices where it will bend: its shape stays, its long edges are halved."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from spineviz.structure import Floats, Surface

Mask = npt.NDArray[np.bool_]

ROUNDS = 2


def finer(surfaces: Sequence[Surface], where: Mask, longest: float) -> tuple[Surface, ...]:
    """Return surfaces of the same triangles whose edges between vertices ``where`` (n,) are halved.

    Edges of the first are hardly longer than ``longest`` (mm); those of the others are divided alike. The new
    vertices stand amid the old edges, so each shape and its volume are the same; the old vertices come first.
    Triangles beside halved edges are divided too, and no gap opens.
    """
    for _ in range(ROUNDS):
        first = surfaces[0]
        edges, of_face = _edges(first.faces)
        ends = first.vertices[edges].astype(np.float64)
        lengths = np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1)
        halved = where[edges].all(axis=1) & (lengths > longest)
        if not halved.any():
            break
        number = np.where(halved, len(first.vertices) + np.cumsum(halved) - 1, -1)
        faces = _divided(first.faces, number[of_face])
        surfaces = [_with(surface, edges[halved], faces) for surface in surfaces]
        where = np.concatenate([where, np.ones(int(halved.sum()), dtype=bool)])
    return tuple(surfaces)


def _edges(faces: npt.NDArray[np.integer]) -> tuple[npt.NDArray[np.integer], npt.NDArray[np.intp]]:
    """Return the edges (e, 2), and which (m, 3) of them each face has: from its corner k to the next."""
    sides = np.sort(np.stack([faces, np.roll(faces, -1, axis=1)], axis=2).reshape(-1, 2), axis=1)
    edges, index = np.unique(sides, axis=0, return_inverse=True)
    return edges, index.reshape(faces.shape)


def _divided(faces: npt.NDArray[np.integer], middles: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
    """Return faces divided at the middles (m, 3) of their edges, -1 where an edge is whole."""
    count = (middles >= 0).sum(axis=1)
    parts = [faces[count == 0]]
    rows = np.flatnonzero(count == 3)
    a, b, c = faces[rows].T
    ab, bc, ca = middles[rows].T
    parts += [np.column_stack(corners) for corners in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
    rows = np.flatnonzero(count == 1)
    (a, b, c), (ab, _, _) = _turned(faces[rows], middles[rows], (middles[rows] >= 0).argmax(axis=1))
    parts += [np.column_stack(corners) for corners in ((a, ab, c), (ab, b, c))]
    rows = np.flatnonzero(count == 2)
    whole = (middles[rows] < 0).argmax(axis=1)
    (a, b, c), (ab, bc, _) = _turned(faces[rows], middles[rows], (whole + 1) % 3)
    parts += [np.column_stack(corners) for corners in ((ab, b, bc), (a, ab, bc), (a, bc, c))]
    return np.vstack(parts)


def _turned(
    faces: npt.NDArray[np.integer], middles: npt.NDArray[np.integer], first: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.integer], npt.NDArray[np.integer]]:
    """Return corners and middles (3, m) of faces, beginning with the corner ``first``."""
    order = (first[:, None] + np.arange(3)) % 3
    return np.take_along_axis(faces, order, axis=1).T, np.take_along_axis(middles, order, axis=1).T


def _with(surface: Surface, ends: npt.NDArray[np.integer], faces: npt.NDArray[np.integer]) -> Surface:
    """Return a surface with a vertex more amid each of some pairs (k, 2) of its vertices."""

    def more(values: Floats | None) -> Floats | None:
        return None if values is None else np.concatenate([values, values[ends].mean(axis=1)])

    vertices = np.concatenate([surface.vertices, surface.vertices[ends].mean(axis=1)])
    return Surface(vertices, faces, more(surface.occlusion), more(surface.tint), more(surface.coordinates))
