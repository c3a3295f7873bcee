"""Thin strands as swept meshes: what is far longer than thick needs no field to be meshed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spineviz.anatomy.recipe import Recipe
from spineviz.anatomy.relaxed_line import tube
from spineviz.sdf.solid import Solid
from spineviz.structure import Floats, Points, Surface
from spineviz.terms import Side, Tissue


@dataclass(frozen=True, eq=False)
class Strand(Recipe):
    """A recipe whose mesh is a tube swept along a line, made already."""

    made: Surface | None = None

    def surface(self) -> Surface:
        """Return the swept tube."""
        assert self.made is not None
        return self.painted(self.made)


def strand(name: str, tissue: Tissue, points: Points, radii: Floats, sides: int, side: Side | None) -> Strand:
    """Return the recipe of a tube with ``sides`` flat sides around a line (n, 3) with radii (n,), mm."""
    reach = float(np.max(radii)) + 1.0
    solid = Solid(tube(points, radii), points.min(axis=0) - reach, points.max(axis=0) + reach)
    return Strand(name, tissue, solid, float(np.min(radii)), side, made=swept(points, radii, sides))


def swept(points: Points, radii: Floats, sides: int) -> Surface:
    """Return a closed tube around a line (n, 3) with radii (n,), mm; its ends are flat.

    Its rings are carried along the line without twist. Faces point outward.
    """
    points, radii = np.asarray(points, dtype=np.float64), np.asarray(radii, dtype=np.float64)
    tangents = np.gradient(points, axis=0)
    lengths = np.linalg.norm(tangents, axis=1, keepdims=True)
    tangents = tangents / np.maximum(lengths, 1e-9)
    normals = _carried(tangents)
    binormals = np.cross(tangents, normals)
    angles = np.arange(sides) * 2 * np.pi / sides
    around = np.cos(angles)[:, None, None] * normals + np.sin(angles)[:, None, None] * binormals
    rings = (points + radii[:, None] * around).transpose(1, 0, 2)
    vertices = np.vstack([rings.reshape(-1, 3), points[:1], points[-1:]])
    first, other = np.arange(sides), (np.arange(sides) + 1) % sides
    starts = sides * np.arange(len(points) - 1)[:, None]
    a, b, c, d = starts + first, starts + other, starts + sides + first, starts + sides + other
    walls = np.vstack([np.stack(corner, axis=-1).reshape(-1, 3) for corner in ((a, b, d), (a, d, c))])
    top, bottom = len(vertices) - 2, len(vertices) - 1
    last = sides * (len(points) - 1)
    caps = [np.stack([np.full(sides, top), other, first], axis=1)]
    caps.append(np.stack([np.full(sides, bottom), last + first, last + other], axis=1))
    return Surface(vertices, np.vstack([walls, *caps]))


def _carried(tangents: Points) -> Points:
    """Return unit normals (n, 3) to tangents (n, 3), each the one before without a twist."""
    result = np.empty_like(tangents)
    helper = np.eye(3)[int(np.argmin(np.abs(tangents[0])))]
    normal = helper - (helper @ tangents[0]) * tangents[0]
    for row, tangent in enumerate(tangents):
        flat = normal - (normal @ tangent) * tangent
        size = float(np.linalg.norm(flat))
        normal = flat / size if size > 1e-6 else normal
        result[row] = normal
    return result
