"""Distances to what lies around a muscle, quick enough to be asked a million times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from spineviz.geometry import triangle_normals, vertex_normals
from spineviz.structure import Floats, Points, Surface

SPACING = 0.6
"""A place is measured from the plane at its nearest sample, which is seldom farther (mm) along the plane."""

NEAR, BEHIND = 1.2, 0.35
"""Farther than this (mm) from a sample a place is inside only where it lies behind the sample by such a share
of its way: elsewhere it lies beside an edge."""

MOST_PARTS = 6
"""The edges of a face are parted into at most so many pieces."""

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
        away, nearest = self.tree.query(points, distance_upper_bound=min(self.deepest, FAR))
        if self.deepest > FAR:  # deep within a surface, or far outside; the box tells most of the latter
            within = ((points > self.lower + FAR) & (points < self.upper - FAR)).all(axis=1)
            deep = np.flatnonzero(np.isinf(away) & within)
            away[deep], nearest[deep] = self.tree.query(points[deep], distance_upper_bound=self.deepest)
        result = np.full(len(points), FAR)
        met = np.flatnonzero(np.isfinite(away))
        away, nearest = away[met], nearest[met]
        height = np.einsum("ij,ij->i", points[met] - self.tree.data[nearest], self.normals[nearest])
        beside = np.sqrt(np.maximum(np.square(away) - SPACING**2, 0.0))
        inside = (height < 0.0) & ((away < NEAR) | (height < -BEHIND * away))
        result[met] = np.where(inside, -1.0, 1.0) * np.maximum(np.abs(height), beside)
        return result


@dataclass(frozen=True, eq=False)
class Crowd:
    """Some closed surfaces together; each is asked only where it is near."""

    things: tuple[Sampled, ...]

    def __call__(self, points: Points) -> Floats:
        """Return the signed distance (mm, negative inside) of world points (n, 3), at most ``FAR``."""
        points = np.asarray(points, dtype=np.float64)
        result = np.full(len(points), FAR)
        for thing in self._beside(points):
            ways = np.maximum(np.maximum(thing.lower - points, points - thing.upper), 0.0)
            least = np.sqrt(np.maximum(np.einsum("nc,nc->n", ways, ways) - SPACING**2, 0.0))
            near = np.flatnonzero(least < np.maximum(result, NEAR))
            if len(near):
                result[near] = np.minimum(result[near], thing(points[near]))
        return result

    @cached_property
    def _boxes(self) -> tuple[Points, Points]:
        """The corners of the boxes around the things, (k, 3) each."""
        both = np.array([(thing.lower, thing.upper) for thing in self.things]).reshape(-1, 2, 3)
        return both[:, 0], both[:, 1]

    def _beside(self, points: Points) -> list[Sampled]:
        """Return the things whose boxes come near the box around some points."""
        low, high = points.min(axis=0, initial=np.inf), points.max(axis=0, initial=-np.inf)
        beside = ((high > self._boxes[0] - FAR) & (low < self._boxes[1] + FAR)).all(axis=1)
        return [self.things[row] for row in np.flatnonzero(beside)]


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
    """Return the samples of a surface in the box: its vertices, and places in its faces."""
    normals = vertex_normals(surface.vertices, surface.faces) * mirror
    faces = surface.faces[found[surface.faces].any(axis=1)]
    points, ways = [vertices[found]], [normals[found]]
    corners = vertices[faces]
    longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
    parts = np.clip(np.ceil(longest / (2.0 * SPACING)).astype(int), 1, MOST_PARTS)
    flat = triangle_normals(surface.vertices, faces)[0] * mirror
    for count in np.unique(parts):
        chosen = parts == count
        weights = _places(int(count))
        points.append(np.einsum("pk,fkc->fpc", weights, corners[chosen]).reshape(-1, 3))
        ways.append(np.repeat(flat[chosen], len(weights), axis=0))
    every = np.vstack(points)
    return Sampled(cKDTree(every), np.vstack(ways), every.min(axis=0), every.max(axis=0), deepest)


def _places(parts: int) -> Floats:
    """Return the middles (n, 3), in barycentric coordinates, of small triangles in one with parted edges."""
    third = 1.0 / 3.0
    upright = [(i + third, j + third) for i in range(parts) for j in range(parts - i)]
    turned = [(i + 2 * third, j + 2 * third) for i in range(parts) for j in range(parts - i - 1)]
    two = np.array([*upright, *turned]) / parts
    return np.column_stack([two, 1.0 - two.sum(axis=1)])
