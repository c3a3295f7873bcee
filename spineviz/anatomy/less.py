"""A closed surface less what others fill: none of it stands in them, however coarse the meshes are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import manifold3d
import numpy as np
from scipy.spatial import cKDTree

from spineviz.geometry import surface_distance, surface_points
from spineviz.sdf.mesher import mesh
from spineviz.sdf.solid import Solid
from spineviz.structure import Floats, Points, Surface

CRUMB, NOTHING = 0.5, 0.01
"""Pieces of less volume (mm³) than the first are left out; of what loses less than the second nothing is."""

FOLDED = 3
"""Where a surface is folded over itself so many times at most, all folds are cut."""

DEEP, STEP = 0.2, 0.6
"""What others still stand deeper in (mm) than the first is meshed anew with the second."""

FINE = 0.02
"""Where others have cut, corners that lie nearer (mm) to each other than this are joined."""


def less(surface: Surface, others: Sequence[Surface]) -> Surface:
    """Return a closed surface without what closed others fill, world mm; paint is that of its nearest places.

    What stands in none of them is returned as it is. Raises ValueError where a surface is not closed, or
    where nothing is left.
    """
    low, high = surface.vertices.min(axis=0), surface.vertices.max(axis=0)
    beside = [
        other
        for other in others
        if (other.vertices.min(axis=0) < high).all() and (other.vertices.max(axis=0) > low).all()
    ]
    own = _manifold(surface)
    left = own
    for thing in [_manifold(other) for other in beside]:
        for _ in range(FOLDED):
            before, left = left.volume(), left - thing
            if before - left.volume() < NOTHING:
                break
    if left.volume() > own.volume() - NOTHING:
        return surface
    return _painted(_pieces(left.simplify(FINE)), surface)


def _pieces(whole: manifold3d.Manifold) -> Surface:
    """Return the pieces of a solid but for crumbs. Raises ValueError where there is none."""
    parts = [part.to_mesh() for part in whole.decompose() if part.volume() > CRUMB]
    if not parts:
        raise ValueError("nothing is left of a structure: what is firmer fills all of it")
    starts = np.cumsum([0, *(len(part.vert_properties) for part in parts)])
    vertices = np.vstack([np.array(part.vert_properties)[:, :3] for part in parts])
    faces = np.vstack([np.array(part.tri_verts) + start for part, start in zip(parts, starts, strict=False)])
    return Surface(vertices, faces)


def _painted(surface: Surface, before: Surface) -> Surface:
    """Return a surface with the paint of the nearest places of another one."""
    nearest = cKDTree(before.vertices).query(surface.vertices)[1]

    def taken(values: Floats | None) -> Floats | None:
        return None if values is None else values[nearest]

    return Surface(
        surface.vertices,
        surface.faces,
        taken(before.occlusion),
        taken(before.tint),
        taken(before.coordinates),
    )


@lru_cache(maxsize=128)
def _manifold(surface: Surface) -> manifold3d.Manifold:
    made = manifold3d.Manifold(
        manifold3d.Mesh(
            vert_properties=np.array(surface.vertices, dtype=np.float32),
            tri_verts=np.array(surface.faces, dtype=np.uint32),
        )
    )
    if made.status() != manifold3d.Error.NoError:
        raise ValueError(f"what others are taken from has to be closed: {made.status().name}")
    return made


def cleared(surface: Surface, others: Sequence[Surface]) -> Surface:
    """Return a surface less what others fill, meshed anew where it is folded over them; see `less`."""
    result = less(surface, others)
    away = surface_distance(result)
    if not any(_stands_in(result, away, other) for other in others):
        return result
    return less(afresh(result, others), others)


def _stands_in(surface: Surface, away: Callable[..., Floats], thing: Surface) -> bool:
    """Tell whether a closed thing still stands in a surface, deeper than `DEEP`: folds hide it.

    ``away`` tells the distance from the surface, mm.
    """
    low, high = surface.vertices.min(axis=0), surface.vertices.max(axis=0)
    corners = thing.vertices[thing.faces]
    reaching = (corners.min(axis=1) < high).all(axis=1) & (corners.max(axis=1) > low).all(axis=1)
    if not reaching.any():
        return False
    points = surface_points(Surface(thing.vertices, thing.faces[reaching]), STEP)
    near = points[((points > low) & (points < high)).all(axis=1)]
    return bool(len(near)) and float(away(near, 0.0).min()) < -DEEP


def afresh(surface: Surface, others: Sequence[Surface]) -> Surface:
    """Return a surface meshed anew without what others fill: it has no folds then. World mm."""
    low, high = surface.vertices.min(axis=0) - STEP, surface.vertices.max(axis=0) + STEP
    own = surface_distance(surface, STEP)
    beside = [
        surface_distance(other)
        for other in others
        if (other.vertices.min(axis=0) < high).all() and (other.vertices.max(axis=0) > low).all()
    ]

    def field(points: Points) -> Floats:
        result = own(points)
        near = np.flatnonzero(result < STEP)
        for away in beside:
            result[near] = np.maximum(result[near], -away(points[near], STEP))
        return result

    return _painted(_pieces(_manifold(mesh(Solid(field, low, high), STEP))), surface)
