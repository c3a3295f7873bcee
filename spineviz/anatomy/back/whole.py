"""Recipes of muscles that give way to what lies beside them: whole bodies, also on the other side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spineviz.anatomy.back.crowd import MIRROR
from spineviz.anatomy.recipe import Paint, Recipe
from spineviz.geometry import whole
from spineviz.sdf.mesher import mesh
from spineviz.sdf.solid import Field, Solid
from spineviz.structure import Floats, Points, Surface
from spineviz.terms import Side


@dataclass(frozen=True, eq=False)
class WholeRecipe(Recipe):
    """A recipe whose surface is its greatest connected part; ``made`` is a surface that needs no meshing."""

    made: Surface | None = None

    @cached_property
    def shape(self) -> Surface:
        """The surface before it is painted."""
        return whole(mesh(self.solid, self.step)) if self.made is None else self.made

    def surface(self) -> Surface:
        """Return the greatest part of the solid, painted."""
        return self.painted(self.shape)


@dataclass(frozen=True, eq=False)
class ReflectedRecipe(Recipe):
    """A recipe on the other side of x = 0; ``of`` is the one that it is the image of."""

    of: WholeRecipe | None = None

    def surface(self) -> Surface:
        """Return the image of the other side's surface, painted."""
        assert self.of is not None
        shape = self.of.shape
        return self.painted(Surface(shape.vertices * MIRROR.astype(np.float32), shape.faces[:, ::-1]))


def reflected(recipe: WholeRecipe, name: str, side: Side) -> ReflectedRecipe:
    """Return the image of a recipe on the other side of x = 0."""
    ends = np.stack([recipe.solid.lower, recipe.solid.upper]) * MIRROR
    solid = Solid(_reflected(recipe.solid.field), ends.min(axis=0), ends.max(axis=0))
    paint = recipe.paint

    def painted(points: Points) -> Paint:
        return Paint() if paint is None else paint(points * MIRROR)

    return ReflectedRecipe(name, recipe.tissue, solid, recipe.step, side, painted, of=recipe)


def _reflected(field: Field) -> Field:
    def distance(points: Points) -> Floats:
        return field(np.asarray(points) * MIRROR)

    return distance
