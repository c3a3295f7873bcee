"""Geometry that knows no anatomy: distances, volumes, areas, occlusion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import trimesh
from scipy import ndimage
from scipy.spatial import cKDTree

from spineviz.structure import Floats, Points, Surface, frozen


def as_trimesh(surface: Surface) -> trimesh.Trimesh:
    """Return a surface as a trimesh mesh, vertices and faces as they are."""
    return trimesh.Trimesh(surface.vertices, surface.faces, process=False)


def triangle_normals(vertices: Points, faces: Floats) -> tuple[Floats, Floats]:
    """Return the unit normals (m, 3) and the areas (m,) in mm² of triangles."""
    corners = np.asarray(vertices, dtype=np.float64)[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1)
    return normals / np.maximum(lengths, 1e-12)[:, None], lengths / 2


def vertex_normals(vertices: Points, faces: Floats) -> Floats:
    """Return area-weighted unit normals (n, 3) of a mesh's vertices."""
    normals, areas = triangle_normals(vertices, faces)
    result = np.zeros((len(vertices), 3))
    for corner in range(3):
        for axis in range(3):
            result[:, axis] += np.bincount(
                faces[:, corner], normals[:, axis] * areas, minlength=len(vertices)
            )
    return result / np.maximum(np.linalg.norm(result, axis=1, keepdims=True), 1e-12)


def volume(surface: Surface) -> float:
    """Return the volume in mm³ that a closed surface encloses."""
    corners = surface.vertices[surface.faces].astype(np.float64)
    return float(np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6)


def area(surface: Surface) -> float:
    """Return a surface's area in mm²."""
    return float(triangle_normals(surface.vertices, surface.faces)[1].sum())


def surface_distance(surface: Surface, spacing: float = 0.5) -> Callable[[Points], Floats]:
    """Return a function that tells the signed distance (mm, negative inside) to a closed surface.

    The surface is sampled every ``spacing`` mm; the sign comes from the nearest samples' normals, so
    it holds for surfaces without folds thinner than the spacing.
    """
    mesh = as_trimesh(surface)
    count = int(np.clip(mesh.area / spacing**2 * 2, 2_000, 400_000))
    points, faces = trimesh.sample.sample_surface_even(mesh, count, seed=7)
    points = np.vstack([points, mesh.vertices])
    normals = np.vstack([mesh.face_normals[faces], vertex_normals(surface.vertices, surface.faces)])
    tree = cKDTree(points)

    def distance(query: Points) -> Floats:
        lengths, nearest = tree.query(query, k=4)
        steps = np.asarray(query)[:, None] - points[nearest]
        along = np.einsum("nkc,nkc->nk", steps, normals[nearest])
        weights = 1 / (lengths + 1e-3)
        side = np.sign((along * weights).sum(1))
        plane = np.abs((along * weights).sum(1) / weights.sum(1))
        near = lengths[:, 0] < 2 * spacing
        return np.where(side == 0, 1, side) * np.where(near, np.minimum(plane, lengths[:, 0]), lengths[:, 0])

    return distance


@dataclass(frozen=True, eq=False)
class DistanceGrid:
    """A distance field sampled on a regular grid; asking it is fast.

    ``values`` (nx, ny, nz) float32 mm at ``lower + index * step``. Points outside the grid get the
    value at its border plus their way to it.
    """

    lower: Floats
    step: float
    values: Floats

    def __call__(self, points: Points) -> Floats:
        """Return the distance (n,) in mm at points (n, 3), by trilinear interpolation."""
        index = (np.asarray(points) - self.lower) / self.step
        limit = np.array(self.values.shape) - 1.0
        inside = np.clip(index, 0, limit)
        result = ndimage.map_coordinates(self.values, inside.T, order=1, mode="nearest")
        outside = np.linalg.norm((index - inside) * self.step, axis=-1)
        return result + outside


def sample_distance(
    distance: Callable[[Points], Floats], lower: Points, upper: Points, step: float
) -> DistanceGrid:
    """Sample a distance function on the grid that covers a box (mm)."""
    counts = np.ceil((np.asarray(upper) - lower) / step).astype(int) + 1
    axes = [lower[axis] + step * np.arange(counts[axis]) for axis in range(3)]
    values = np.empty(counts, dtype=np.float32)
    for row, x in enumerate(axes[0]):
        plane = np.stack(np.meshgrid([x], axes[1], axes[2], indexing="ij"), -1).reshape(-1, 3)
        values[row] = distance(plane).reshape(counts[1:])
    return DistanceGrid(frozen(lower, np.float64), step, frozen(values, np.float32))


def bake_occlusion(
    surface: Surface, others: Sequence[Surface] = (), rays: int = 64, reach: float = 40.0
) -> Surface:
    """Return the surface with ambient occlusion (n,) baked from itself and what stands around it.

    Each vertex sends ``rays`` cosine-weighted rays; what they meet within ``reach`` mm darkens it,
    the nearer the more. 1 is open sky, 0 fully enclosed.
    """
    blockers = trimesh.util.concatenate([as_trimesh(item) for item in (surface, *others)])
    normals = vertex_normals(surface.vertices, surface.faces)
    directions = _cosine_rays(rays)
    light = np.zeros(len(surface.vertices))
    helper = np.where(np.abs(normals[:, :1]) > 0.7, [[0.0, 1, 0]], [[1.0, 0, 0]])
    first = np.cross(normals, helper)
    first /= np.maximum(np.linalg.norm(first, axis=1, keepdims=True), 1e-12)
    second = np.cross(normals, first)
    origins = surface.vertices + 0.15 * normals
    for x, y, z in directions:
        rays_now = x * first + y * second + z * normals
        _, index, place = _first_hits(blockers, origins, rays_now)
        depth = np.full(len(origins), reach)
        depth[index] = np.minimum(np.linalg.norm(place - origins[index], axis=1), reach)
        light += np.sqrt(depth / reach)
    return Surface(
        surface.vertices, surface.faces, light / len(directions), surface.tint, surface.coordinates
    )


def _first_hits(mesh: trimesh.Trimesh, origins: Points, rays: Points) -> tuple[Floats, Floats, Points]:
    places, index, faces = mesh.ray.intersects_location(origins, rays, multiple_hits=False)
    return faces, index, places


def _cosine_rays(count: int) -> Points:
    """Return unit directions (count, 3) about +z, spread like a matt surface receives light."""
    turn = np.pi * (3 - np.sqrt(5))
    height = (np.arange(count) + 0.5) / count
    radius = np.sqrt(height)
    angle = turn * np.arange(count)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), np.sqrt(1 - height)], axis=1)
