"""Distances to what lies around a muscle, quick enough to be asked a million times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from spineviz.geometry import vertex_normals
from spineviz.structure import Floats, Points, Surface

NEAR = 2.0
"""Nearer than this (mm) a place is measured from the plane at its nearest sample, farther from the sample."""

FAR = 5.0
"""The most (mm) that is told."""

MIRROR = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class Sampled:
    """One closed surface as samples (n, 3) with their outward unit ``normals`` and the box around it."""

    tree: cKDTree
    normals: Points
    lower: Floats
    upper: Floats
    deepest: float

    def __call__(self, points: Points) -> Floats:
        """Return the signed distance (mm, negative inside) of points (n, 3); ``FAR`` beyond ``deepest``."""
        away, nearest = self.tree.query(points, distance_upper_bound=self.deepest)
        result = np.full(len(points), FAR)
        met = np.flatnonzero(np.isfinite(away))
        away, nearest = away[met], nearest[met]
        height = np.einsum("ij,ij->i", points[met] - self.tree.data[nearest], self.normals[nearest])
        result[met] = np.where(away < NEAR, height, np.copysign(away, height))
        return result


@dataclass(frozen=True, eq=False)
class Crowd:
    """Some closed surfaces together; each is asked only where it is near."""

    things: tuple[Sampled, ...]

    def __call__(self, points: Points) -> Floats:
        """Return the signed distance (mm, negative inside) of world points (n, 3), at most ``FAR``."""
        result = np.full(len(points), FAR)
        for thing in self.things:
            near = np.flatnonzero(((points > thing.lower - FAR) & (points < thing.upper + FAR)).all(axis=1))
            if len(near):
                result[near] = np.minimum(result[near], thing(points[near]))
        return result


def crowd(
    surfaces: Iterable[Surface], lower: Floats, upper: Floats, both: bool = False, deepest: float = FAR
) -> Crowd:
    """Return the distance to some closed surfaces, as far as they lie in a box.

    ``lower`` and ``upper`` (3,) are in the world, mm. With ``both`` their images on the other side of x = 0
    stand there too. Places farther than ``deepest`` mm from a surface are taken to be outside it.
    """
    things = []
    for surface in surfaces:
        for mirror in (np.ones(3), MIRROR) if both else (np.ones(3),):
            vertices = surface.vertices.astype(np.float64) * mirror
            found = np.all((vertices > lower - FAR) & (vertices < upper + FAR), axis=1)
            if found.any():
                things.append(_sampled(vertices, surface, found, mirror, deepest))
    return Crowd(tuple(things))


def _sampled(
    vertices: Points, surface: Surface, found: np.ndarray, mirror: Floats, deepest: float
) -> Sampled:
    """Return the samples of a surface at the vertices and the faces' middles that are in the box."""
    normals = vertex_normals(surface.vertices, surface.faces) * mirror
    faces = surface.faces[found[surface.faces].any(axis=1)]
    points = np.vstack([vertices[found], vertices[faces].mean(axis=1)])
    ways = np.vstack([normals[found], normals[faces].mean(axis=1)])
    ways /= np.maximum(np.linalg.norm(ways, axis=1, keepdims=True), 1e-9)
    return Sampled(cKDTree(points), ways, points.min(axis=0), points.max(axis=0), deepest)
