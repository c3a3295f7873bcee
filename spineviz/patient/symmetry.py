"""The mid-sagittal plane of a bone, found by matching the bone with its own mirror image."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from spineviz.geometry import as_trimesh
from spineviz.structure import Floats, Frame, Points, Surface

COARSE, FINE = 700, 6000
"""Surface points that are matched, in the search for a start and in the end."""

TURNS = 30
"""How often the plane is improved at most."""

TRIMMED = 0.85
"""The part of the points that counts: what has no counterpart (a bent process) must not pull."""

STARTS = ((0.0, 0.0), (14.0, 0.0), (-14.0, 0.0), (0.0, 14.0), (0.0, -14.0))
"""Yaw and roll in degrees from which the plane is searched."""


def mid_sagittal_frame(surface: Surface) -> Frame:
    """Return a frame whose x axis (right) is the normal of the bone's mid-sagittal plane.

    The origin is the surface's centroid in that plane; z is as superior as possible. The bone may be
    turned by up to about 15 degrees about its long and its anteroposterior axis; any pitch will do.
    """
    import trimesh

    samples, _ = trimesh.sample.sample_surface(as_trimesh(surface), FINE, seed=11)
    points = np.asarray(samples, dtype=np.float64)
    some = points[:: FINE // COARSE]
    starts = [_registered(some, _normal(yaw, roll), some.mean(axis=0)) for yaw, roll in STARTS]
    normal, origin, _ = _registered(points, *min(starts, key=lambda found: found[2])[:2])
    superior = np.array([0.0, 0.0, 1.0]) - normal[2] * normal
    superior /= np.linalg.norm(superior)
    return Frame(origin, np.stack([normal, np.cross(superior, normal), superior]))


def _normal(yaw: float, roll: float) -> Floats:
    first, second = np.radians(yaw), np.radians(roll)
    return np.array([np.cos(first) * np.cos(second), np.sin(first), np.cos(first) * np.sin(second)])


def _registered(points: Points, normal: Floats, origin: Floats) -> tuple[Floats, Floats, float]:
    """Improve a plane of symmetry; return its normal, a point of it and the mean mismatch (mm)."""
    tree = cKDTree(points)
    residual = np.inf
    for _ in range(TURNS):
        image = points - 2 * ((points - origin) @ normal)[:, None] * normal
        lengths, nearest = tree.query(image)
        kept = lengths <= np.quantile(lengths, TRIMMED)
        now = float(lengths[kept].mean())
        normal, origin = _plane_between(points[kept], points[nearest[kept]], normal)
        if residual - now < 1e-4:
            break
        residual = now
    return normal, origin, residual


def _plane_between(points: Points, images: Points, normal: Floats) -> tuple[Floats, Floats]:
    """Return the plane that best maps points to their images, its normal to the side of ``normal``."""
    a, b = points - points.mean(axis=0), images - images.mean(axis=0)
    left, _, right = np.linalg.svd(b.T @ a)
    signs = np.diag([1.0, 1.0, -np.sign(np.linalg.det(left @ right))])
    turn = left @ signs @ right
    _, vectors = np.linalg.eigh(turn + turn.T)
    found = vectors[:, 0] * np.sign(vectors[:, 0] @ normal)
    middle = (points.mean(axis=0) + images.mean(axis=0)) / 2
    centroid = points.mean(axis=0)
    return found, centroid - ((centroid - middle) @ found) * found
