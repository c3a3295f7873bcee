"""Where one surface lies against another: an instrument's face against the muscle that it holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import trimesh
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene

from spineviz.geometry import as_trimesh, surface_distance, surface_points, triangle_normals
from spineviz.structure import Floats, Points, Surface

REACH = 4.0
"""A face's search for tissue begins this far (mm) on its free side."""

FARTHEST = 8.0
"""Muscle farther (mm) from a face than this is not what it holds."""

SMALL, WITHIN = 1.0, 0.6
"""What is no farther apart than this (mm) touches; a look ahead begins so deep within a structure."""

LONGEST = 4.0
"""The longest edge (mm) of a piece of surface that is looked at in its middle."""

FEW = 1_500
"""Surfaces with fewer triangles than this are looked at in the middles of their edges too."""

FACING = np.cos(np.radians(45.0))
"""Muscle that turns away from a face by more than this has left it: it is its edge or its back."""


def gaps(points: Points, outward: Points, muscles: Sequence[Surface], others: Sequence[Surface]) -> Floats:
    """Return the distance (mm) to muscle of each place on a face that lies against muscle.

    ``points`` (n, 3) stand on the face, ``outward`` (n, 3) are unit vectors out of it. A place lies against
    muscle where the first tissue that is met straight ahead is muscle and faces it.
    """
    muscle, other = (trimesh.util.concatenate([as_trimesh(item) for item in items])
                     for items in (muscles, others))  # fmt: skip
    ahead, triangle = _first(muscle, points, outward)
    facing = np.einsum("nk,nk->n", -muscle.face_normals[triangle], outward) > FACING
    held = facing & (ahead < FARTHEST) & (ahead < _first(other, points, outward)[0])
    result = np.full(len(points), np.inf)
    for item in muscles:
        result = np.minimum(result, np.abs(surface_distance(item)(points)))
    return result[held]


def _first(mesh: trimesh.Trimesh, points: Points, outward: Points) -> tuple[Floats, np.ndarray]:
    """Return how far ahead (n,) mm a mesh is met first, inf where it is not, and by which triangle."""
    places, rays, triangles = mesh.ray.intersects_location(
        points - REACH * outward, outward, multiple_hits=False
    )
    ahead, index = np.full(len(points), np.inf), np.zeros(len(points), dtype=int)
    ahead[rays] = np.einsum("nk,nk->n", places - points[rays], outward[rays])
    index[rays] = triangles
    return ahead, index


def touching(
    surfaces: Mapping[str, Surface], name: str, below: float = np.inf
) -> dict[str, tuple[float, float]]:
    """Return what a structure lies against: over what area (mm²), and over what share of it the gap is small.

    A face of it lies against another structure where that is met first straight ahead, faces it, and is no
    farther than `FARTHEST`; a gap is small up to `SMALL` mm. Faces are divided until no edge is longer than
    `LONGEST`, so that no wide face, flat where the other thing is round, stands for all of its area. What is
    not ``below`` a height (z, mm) is left out.
    """
    own = surfaces[name]
    vertices, faces = trimesh.remesh.subdivide_to_size(own.vertices, own.faces, LONGEST)
    middles = vertices[faces].mean(axis=1, dtype=np.float64)
    normals, areas = (found[middles[:, 2] < below] for found in triangle_normals(vertices, faces))
    middles = middles[middles[:, 2] < below]
    lower, upper = middles.min(axis=0) - FARTHEST, middles.max(axis=0) + FARTHEST
    ahead, result = np.full(len(middles), np.inf), {}
    owner, facing = np.full(len(middles), -1), np.zeros(len(middles), dtype=bool)
    others = [
        other
        for other, surface in surfaces.items()
        if other != name
        and (surface.vertices.min(axis=0) < upper).all()
        and (surface.vertices.max(axis=0) > lower).all()
    ]
    for number, other in enumerate(others):
        way, met = _met(surfaces[other], middles - WITHIN * normals, normals)
        nearer = way - WITHIN < ahead
        ahead[nearer], owner[nearer] = way[nearer] - WITHIN, number
        facing[nearer] = np.einsum("nk,nk->n", met[nearer], normals[nearer]) < -FACING
    for number, other in enumerate(others):
        rows = np.flatnonzero((owner == number) & facing & (ahead < FARTHEST))
        if len(rows):
            small = np.abs(surface_distance(surfaces[other])(middles[rows])) <= SMALL
            result[other] = float(areas[rows].sum()), float(areas[rows][small].sum() / areas[rows].sum())
    return result


def _met(surface: Surface, points: Points, ways: Points) -> tuple[Floats, Points]:
    """Return how far (n,) mm rays go before they meet a surface, inf where they do not, and its normals."""
    scene = EmbreeScene(robust=True)
    TriangleMesh(scene, np.array(surface.vertices, np.float32), np.array(surface.faces))
    met = scene.run(points.astype(np.float32), ways.astype(np.float32), output=True)
    triangle = met["primID"]
    normals = triangle_normals(surface.vertices, surface.faces)[0]
    return np.where(triangle >= 0, met["tfar"], np.inf), normals[triangle]


def cylinder(radius: float, low: float, high: float) -> tuple[Points, Points]:
    """Return places (n, 3) about every half millimetre on a cylinder around z, and their outward vectors."""
    angle, height = np.meshgrid(np.linspace(0, 2 * np.pi, 120, endpoint=False), np.arange(low, high, 0.5))
    around = np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=-1).reshape(-1, 3)
    return radius * around + height.reshape(-1, 1) * [0.0, 0.0, 1.0], around


def depth_in(surface: Surface, points: Points) -> float:
    """Return how deep (mm) the deepest of some points stands in a closed surface, 0 where none does."""
    lower, upper = surface.vertices.min(axis=0), surface.vertices.max(axis=0)
    near = points[((points > lower) & (points < upper)).all(axis=1)]
    if not len(near):
        return 0.0
    inside = near[as_trimesh(surface).contains(near)]
    return float(-surface_distance(surface)(inside).min(initial=0.0)) if len(inside) else 0.0


def penetration(first: Surface, second: Surface, spacing: float = 0.8) -> float:
    """Return how deep (mm) two closed surfaces stand in each other, looked at every ``spacing`` mm."""
    return max(
        depth_in(second, surface_points(first, spacing)), depth_in(first, surface_points(second, spacing))
    )


def depths(
    surfaces: Mapping[str, Surface], apart: Callable[[str, str], bool]
) -> dict[tuple[str, str], float]:
    """Return how deep (mm) named closed surfaces stand in each other: ``(what, in what)``, 0 left out.

    Only pairs of which ``apart`` tells that they lie apart by nature are looked at, at vertices and middles
    of faces, and of the edges of what has few of them.
    """
    names = list(surfaces)
    places = [_places(surface) for surface in surfaces.values()]
    lowers, uppers = (np.array([end(points, axis=0) for points in places]) for end in (np.min, np.max))
    result = {}
    for row, outer in enumerate(names):
        lower, upper = lowers[row], uppers[row]
        beside = np.flatnonzero(((lowers < upper) & (uppers > lower)).all(axis=1))
        found = {
            other: near
            for other in beside
            if other != row and apart(names[other], outer)
            for near in [_between(places[other], lower, upper)]
        }
        if not found:
            continue
        owners = np.repeat(list(found), [len(near) for near in found.values()])
        every = np.vstack([*found.values()])
        inside = _perhaps_in(surfaces[outer], every)
        if inside.any():
            owners, way = owners[inside], -surface_distance(surfaces[outer])(every[inside])
            result |= {
                (names[other], outer): float(way[owners == other].max()) for other in np.unique(owners)
            }
    return result


def _between(points: Points, lower: Floats, upper: Floats) -> Points:
    for axis in range(3):
        points = points[(points[:, axis] > lower[axis]) & (points[:, axis] < upper[axis])]
    return points


def _perhaps_in(surface: Surface, points: Points) -> np.ndarray:
    """Tell which points (n, 3) a ray leaves a closed surface from: those within, and some on its edges."""
    scene = EmbreeScene(robust=True)
    TriangleMesh(scene, np.array(surface.vertices, np.float32), np.array(surface.faces))
    way = np.array([0.36, 0.48, 0.8], dtype=np.float32)
    met = scene.run(points.astype(np.float32), np.tile(way, (len(points), 1)))
    normals = triangle_normals(surface.vertices, surface.faces)[0]
    return (met >= 0) & (normals[met] @ way > 0.0)


def _places(surface: Surface) -> Points:
    vertices = surface.vertices.astype(np.float64)
    corners = vertices[surface.faces]
    found = [vertices, corners.mean(axis=1)]
    if len(surface.faces) < FEW:
        found += [(corners[:, k] + corners[:, k - 1]) / 2 for k in range(3)]
    return np.vstack(found)
