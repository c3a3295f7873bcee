"""Nerves of a column that is the same on both sides: one half is made, the other is its reflection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.recipe import Recipe
from spineviz.sdf.mesher import mesh
from spineviz.sdf.solid import Solid
from spineviz.structure import Points, Surface
from spineviz.terms import Level, Side

MIRROR = np.array([-1.0, 1.0, 1.0])
"""What reflects points in the plane x = 0."""

SAME, SAME_EXTENT = 1e-3, 0.1
"""Landmarks that are reflections differ by less than this (mm), and so do the extents of thinned meshes."""


def symmetric(bones: Mapping[Level, LevelBone]) -> bool:
    """Tell whether all bones are the same on both sides of x = 0, by their landmarks and their extent."""
    return all(map(_symmetric, bones.values()))


def _symmetric(bone: LevelBone) -> bool:
    marks, ends = bone.landmarks, bone.surface.vertices[:, 0]
    pairs = [(mark, marks[f"{name[:-5]}.right"]) for name, mark in marks.items() if name.endswith(".left")]
    return abs(float(ends.min() + ends.max())) < SAME_EXTENT and all(
        np.abs(left.origin * MIRROR - right.origin).max() < SAME for left, right in pairs
    )


@dataclass(frozen=True, eq=False)
class Twofold(Recipe):
    """A recipe of what is the same on both sides: half of it is sampled."""

    def surface(self) -> Surface:
        """Mesh the right half, and reflect it."""
        return self.painted(mesh(self.solid, self.step, mirror=True))


@dataclass(frozen=True, eq=False)
class Once(Recipe):
    """A recipe whose surface is made once, for itself and for its reflection."""

    of: Recipe | None = None

    @cached_property
    def _made(self) -> Surface:
        assert self.of is not None
        return self.of.surface()

    def surface(self) -> Surface:
        """Return the surface, made where it has not been yet."""
        return self._made


@dataclass(frozen=True, eq=False)
class Reflected(Recipe):
    """A recipe of the reflection of another."""

    of: Recipe | None = None

    def surface(self) -> Surface:
        """Return the other's surface, reflected."""
        assert self.of is not None
        other = self.of.surface()
        return replace(other, vertices=other.vertices * MIRROR, faces=other.faces[:, ::-1])


def both(right: Recipe, name: str, side: Side = "left") -> list[Recipe]:
    """Return a recipe and the one of its reflection, which is called ``name``; it is meshed but once."""
    once = Once(right.name, right.tissue, right.solid, right.step, right.side, of=right)
    own = right.solid

    def field(points: Points) -> Points:
        return own.field(points * MIRROR)

    lower, upper = own.lower * MIRROR, own.upper * MIRROR
    solid = Solid(field, np.minimum(lower, upper), np.maximum(lower, upper))
    return [once, Reflected(name, right.tissue, solid, right.step, side, of=once)]
