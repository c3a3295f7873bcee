"""Recipes of muscles that give way to what lies beside them: whole bodies, also on the other side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spineviz.anatomy.back.crowd import MIRROR
from spineviz.anatomy.recipe import Paint, Recipe
from spineviz.geometry import triangle_normals, vertex_normals, whole
from spineviz.sdf.mesher import mesh
from spineviz.sdf.solid import Field, Solid
from spineviz.structure import Floats, Points, Surface
from spineviz.terms import Side

STANDS_OUT = 0.1
"""A face gives way where it stands out of its solid by more than this, mm."""

STRIDE, MOST = 0.15, 1.5
"""The way back into the solid is felt in such steps, and up to so far, mm."""

PLACES = np.array([[4, 1, 1], [1, 4, 1], [1, 1, 4], [2, 2, 2], [3, 3, 0], [0, 3, 3], [3, 0, 3]]) / 6.0
"""Where a face is looked at, in barycentric coordinates."""


def yielding(surface: Surface, field: Field, rounds: int = 3) -> Surface:
    """Return a meshed surface with its faces drawn back into their solid where an edge of bone dents it.

    An edge that is thinner than the meshing step passes between vertices that all lie off it.
    """
    vertices, faces = surface.vertices.astype(np.float64), surface.faces
    asked = np.arange(len(faces))
    for _ in range(rounds):
        asked = asked[field(vertices[faces[asked]].mean(axis=1)) > STANDS_OUT / 2]
        places = np.einsum("pk,fkc->fpc", PLACES, vertices[faces[asked]]).reshape(-1, 3)
        high = np.flatnonzero(field(places) > STANDS_OUT)
        if not len(high):
            break
        rows = asked[high // len(PLACES)]
        lift = np.zeros(len(vertices))
        back = _way_back(field, places[high], -triangle_normals(vertices, faces[rows])[0])
        np.maximum.at(lift, faces[rows], back[:, None])
        vertices = vertices - lift[:, None] * vertex_normals(vertices, faces)
        asked = np.flatnonzero((lift > 0.0)[faces].any(axis=1))
    return Surface(vertices, faces)


def _way_back(field: Field, places: Points, ways: Points) -> Floats:
    """Return how far (n,) mm places are outside a solid along unit ways; 0 where it is not met."""
    result, left = np.zeros(len(places)), np.arange(len(places))
    for step in np.arange(STRIDE, MOST, STRIDE):
        met = field(places[left] + step * ways[left]) <= 0.0
        result[left[met]] = step
        left = left[~met]
        if not len(left):
            break
    return result


@dataclass(frozen=True, eq=False)
class WholeRecipe(Recipe):
    """A recipe whose surface is its greatest connected part; ``made`` is a surface that needs no meshing."""

    made: Surface | None = None

    @cached_property
    def shape(self) -> Surface:
        """The surface before it is painted."""
        return (
            yielding(whole(mesh(self.solid, self.step)), self.solid.field) if self.made is None else self.made
        )

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
