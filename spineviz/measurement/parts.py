"""The connected parts of a bone, and a burst body with the fragment of its posterior wall joined to it.

Corners, heights and walls are those of the outline that a radiograph shows: what lies between a fragment that
stands back and the body it has come from counts as body.
"""

from __future__ import annotations

from collections.abc import Sequence

import manifold3d
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from spineviz.geometry import surface_distance, volume
from spineviz.measurement.thresholds import threshold
from spineviz.structure import Floats, Frame, Surface

ASIDE, BEHIND, LARGEST = 6.0, 34.0, 22.0
"""A fragment's middle lies no farther (mm) from the midline, and behind the middle of its endplate, than the
first two; it is no larger than the third: an arch is."""

FARTHEST, STEP, MET = 16.0, 0.5, 0.6
"""How far (mm) a fragment is looked for in front of where it stands, in which steps; it is met so near."""


def parts(surface: Surface) -> list[Surface]:
    """Return the connected parts of a surface, the largest first."""
    faces, count = surface.faces, len(surface.vertices)
    ends = np.vstack([faces[:, :2], faces[:, 1:]])
    links = coo_array((np.ones(len(ends)), tuple(ends.T)), shape=(count, count))
    number = connected_components(links, directed=False)[1]
    result = []
    for part in np.unique(number[faces[:, 0]]):
        own = faces[number[faces[:, 0]] == part]
        used, index = np.unique(own, return_inverse=True)
        result.append(Surface(surface.vertices[used], index.reshape(own.shape)))
    return sorted(result, key=volume, reverse=True)


def fragment(found: Sequence[Surface], plate: Frame) -> Surface | None:
    """Return the fragment of the posterior wall among a bone's parts, by its superior endplate's frame."""
    for part in found[1:]:
        if volume(part) >= threshold("ao_spine", "piece") and _of_the_wall(plate.to_local(part.vertices)):
            return part
    return None


def _of_the_wall(local: Floats) -> bool:
    """Tell whether a piece (n, 3) in the superior endplate's frame has come from the posterior wall."""
    middle, size = (local.min(axis=0) + local.max(axis=0)) / 2.0, np.ptp(local, axis=0)
    return bool(abs(middle[0]) < ASIDE and -BEHIND < middle[1] < 0.0 and size.max() < LARGEST)


def joined(surface: Surface, plate: Frame) -> Surface:
    """Return a bone with the fragment of its posterior wall joined to it; a whole bone as it is."""
    found = parts(surface)
    piece = fragment(found, plate)
    if piece is None:
        return surface
    rest, ahead = surface_distance(found[0]), np.array(plate.anterior)
    steps = np.arange(STEP, FARTHEST, STEP)
    met = (way for way in steps if rest(piece.vertices + way * ahead, 2.0).min() < MET)
    way = next(met, STEP)
    filled = manifold3d.Manifold.hull_points(
        np.vstack([piece.vertices, piece.vertices + (way + MET) * ahead]).astype(np.float32)
    )
    made = _manifold(found[0]) + filled
    if made.is_empty():
        raise ValueError("a broken bone whose surface is not closed can not be measured")
    mesh = made.to_mesh()
    return Surface(np.array(mesh.vert_properties)[:, :3], np.array(mesh.tri_verts))


def _manifold(surface: Surface) -> manifold3d.Manifold:
    return manifold3d.Manifold(
        manifold3d.Mesh(
            vert_properties=np.array(surface.vertices, dtype=np.float32),
            tri_verts=np.array(surface.faces, dtype=np.uint32),
        )
    )
