"""A bone as a search sees it: depth, normals and rays in one frame; it knows no anatomy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spineviz.geometry import sample_distance, triangle_normals
from spineviz.structure import Floats, Frame, Points, Surface

STEP, MARGIN = 1.25, 4.0
"""Spacing of the sampled distance, and free space around the bone (mm)."""

STRIDE = 0.5
"""Rays are first followed in steps of this length (mm)."""

SUPERIOR = np.array([0.0, 0.0, 1.0])


class NotFoundError(ValueError):
    """A place that was searched on a bone is not there."""


@dataclass(frozen=True, eq=False)
class Probe:
    """A closed surface in some frame, ready to be searched.

    ``distance`` is the signed distance (mm, negative inside); ``centres``, ``normals``
    (m, 3) and ``areas`` (m,) describe the triangles.
    """

    distance: Callable[[Points], Floats]
    centres: Points
    normals: Points
    areas: Floats

    def seen_from(self, frame: Frame) -> Probe:
        """Return the same bone as seen from a frame that is given in this one."""
        before = self.distance

        def distance(points: Points) -> Floats:
            return before(frame.to_parent(points))

        return Probe(distance, frame.to_local(self.centres), self.normals @ frame.axes.T, self.areas)

    def depth(self, points: Points) -> Floats:
        """Return how deep points of shape (..., 3) lie in the bone (mm); negative outside."""
        flat = np.asarray(points, dtype=np.float64).reshape(-1, 3)
        return -self.distance(flat).reshape(np.shape(points)[:-1])

    def leaving(self, start: Floats, direction: Floats, reach: float = 70.0) -> Floats:
        """Return where a ray from a point inside first leaves the bone."""
        return self._crossing(start, direction, reach, inside=True)

    def entering(self, start: Floats, direction: Floats, reach: float = 70.0) -> Floats:
        """Return where a ray from a point outside first meets the bone."""
        return self._crossing(start, direction, reach, inside=False)

    def _crossing(self, start: Floats, direction: Floats, reach: float, inside: bool) -> Floats:
        unit = np.asarray(direction) / np.linalg.norm(direction)
        places = np.arange(0.0, reach, STRIDE)
        depth = self.depth(start + places[:, None] * unit)
        changed = (depth < 0.0) if inside else (depth > 0.0)
        if changed[0] or not changed.any():
            state = "does not start" if changed[0] else "does not end"
            where = "inside" if inside else "outside"
            raise NotFoundError(
                f"the ray from {np.round(start, 1)} along {np.round(unit, 2)} {state} {where}"
            )
        k = int(np.argmax(changed))
        share = depth[k - 1] / (depth[k - 1] - depth[k])
        return start + (places[k - 1] + share * STRIDE) * unit

    def middle(self, chosen: npt.NDArray[np.bool_]) -> Floats:
        """Return the centroid of chosen triangles."""
        weights = self.areas * chosen
        return weights @ self.centres / weights.sum()

    def normal(self, point: Floats, radius: float, outward: Floats | None = None) -> Floats:
        """Return the mean outward unit normal of the surface within ``radius`` mm of a surface point.

        Only triangles that face the half-space of ``outward`` count: by default the normal of the nearest
        triangle, so that the far side of a thin plate does not.
        """
        far = np.linalg.norm(self.centres - point, axis=1)
        way = self.normals[np.argmin(far)] if outward is None else outward
        weights = self.areas * (far < max(radius, far.min() + 0.5)) * (self.normals @ way > 0.0)
        return unit_vector(weights @ self.normals)


def probe_of(surface: Surface, distance: Callable[[Points], Floats]) -> Probe:
    """Prepare a closed surface with its distance function for searches in its own frame."""
    normals, areas = triangle_normals(surface.vertices, surface.faces)
    lower = surface.vertices.min(axis=0).astype(np.float64) - MARGIN
    upper = surface.vertices.max(axis=0).astype(np.float64) + MARGIN
    grid = sample_distance(distance, lower, upper, STEP)
    return Probe(grid, surface.vertices[surface.faces].mean(axis=1), normals, areas)


def unit_vector(vector: Floats) -> Floats:
    """Return a vector of length 1."""
    return vector / np.linalg.norm(vector)


def frame_in(outer: Frame, inner: Frame) -> Frame:
    """Return ``inner`` as seen from ``outer``, where both are given in the same coordinates."""
    return Frame(outer.to_local(inner.origin), inner.axes @ outer.axes.T)


def surface_frame(origin: Floats, outward: Floats) -> Frame:
    """Return a frame whose y axis is ``outward``, z as superior as possible and x = y × z."""
    y = unit_vector(outward)
    up = SUPERIOR if abs(y[2]) < 0.99 else np.array([0.0, 1.0, 0.0])
    z = unit_vector(up - (up @ y) * y)
    return Frame(origin, np.stack([np.cross(y, z), y, z]))


def axis_frame(origin: Floats, superior: Floats) -> Frame:
    """Return a frame whose z axis is ``superior`` and y as anterior as possible."""
    z = unit_vector(superior)
    y = unit_vector(np.array([0.0, 1.0, 0.0]) - z[1] * z)
    return Frame(origin, np.stack([np.cross(y, z), y, z]))
