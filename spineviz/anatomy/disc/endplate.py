"""The cartilage endplates: thin plates on the two bones that a disc stands between.

They are thinner than a sensible meshing step, so their surfaces are built, not sampled: a polar net over the
disc is laid on the bone and once more the cartilage's thickness before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from spineviz import measures
from spineviz.anatomy.disc.space import DiscSpace
from spineviz.anatomy.recipe import Recipe
from spineviz.sdf.solid import Field, Solid
from spineviz.structure import Floats, Points, Surface

SPOKES, RINGS = 56, 11
"""The polar net has so many points around, and so many rings from the centre to the border."""

SEAM = 0.05
"""A plate lies this far (mm) off the bone, so that the two surfaces do not flicker."""

BORDER = 0.15
"""The plate's thickness at its border, in parts of its thickness in the middle."""

REACH, PROBES, STEPS = 9.0, 19, 14
"""The bone is met within so many mm of the disc's middle; places tried for a start, and steps from there."""


@dataclass(frozen=True, eq=False)
class Plate:
    """One cartilage endplate: on the bone above the disc (``upper``) or on the one below, mm."""

    space: DiscSpace
    thickness: float
    upper: bool

    @cached_property
    def net(self) -> tuple[Points, Points]:
        """The points on the bone and those before them, each (1 + RINGS * SPOKES, 3), in the world."""
        angle = np.arange(SPOKES) * 2 * np.pi / SPOKES
        ring = np.sqrt(np.arange(1, RINGS + 1) / RINGS)
        share = 0.0 if self.upper else 1.0
        rim = self.space.radius(angle, np.full(SPOKES, share)) * measures.value("disc_build.endplate_reach")
        around = np.stack([np.cos(angle) * rim, np.sin(angle) * rim], axis=1)
        plan = np.vstack([[[0.0, 0.0]], (ring[:, None, None] * around).reshape(-1, 2)])
        part = np.concatenate([[0.0], np.repeat(ring, SPOKES)])
        profile = BORDER + (1 - BORDER) * np.clip(8.0 * (1 - part), 0.0, 1.0)
        height, room = self._heights(plan)
        away = -1.0 if self.upper else 1.0
        depth = np.minimum(self.thickness * profile, 0.4 * room)
        bone = height + away * SEAM
        points = (np.column_stack([plan, z]) for z in (bone, bone + away * depth))
        first, second = (self.space.frame.to_parent(local) for local in points)
        return first, second

    def _heights(self, plan: Floats) -> tuple[Floats, Floats]:
        """Return where the bone is met above or below places (n, 2) of the disc, and the room there, mm."""
        tried = np.linspace(-REACH, REACH, PROBES)
        grid = np.concatenate([np.column_stack([plan, np.full(len(plan), z)]) for z in tried])
        above, below = self.space.distances(self.space.frame.to_parent(grid))
        room = np.minimum(above, below).reshape(PROBES, -1)
        room = room - 0.01 * np.abs(tried)[:, None]
        height, free = tried[room.argmax(axis=0)], 2 * room.max(axis=0)
        way = 1.0 if self.upper else -1.0
        for _ in range(STEPS):
            local = np.column_stack([plan, height])
            both = self.space.distances(self.space.frame.to_parent(local))
            height = height + way * 0.95 * both[0 if self.upper else 1]
        return height, np.maximum(free, 0.0)

    def surface(self) -> Surface:
        """Return the plate as a closed surface."""
        bone, front = self.net
        inner, outer = _fan(), _fan() + len(bone)
        edge = np.arange(SPOKES) + 1 + (RINGS - 1) * SPOKES
        beside = np.roll(edge, -1)
        wall = [
            np.stack([edge, edge + len(bone), beside], 1),
            np.stack([beside, edge + len(bone), beside + len(bone)], 1),
        ]
        faces = np.vstack([inner, outer[:, ::-1], *wall])
        if not self.upper:
            faces = faces[:, ::-1]
        return Surface(np.vstack([bone, front]), faces)


def _fan() -> npt.NDArray[np.integer]:
    """Return the triangles (m, 3) of a polar net, counter-clockwise seen from above."""
    spoke = np.arange(SPOKES)
    after = (spoke + 1) % SPOKES
    faces = [np.stack([np.zeros_like(spoke), spoke + 1, after + 1], axis=1)]
    for ring in range(RINGS - 1):
        low, high = 1 + ring * SPOKES, 1 + (ring + 1) * SPOKES
        faces += [
            np.stack([low + spoke, high + spoke, high + after], axis=1),
            np.stack([low + spoke, high + after, low + after], axis=1),
        ]
    return np.vstack(faces)


@dataclass(frozen=True, eq=False, kw_only=True)
class PlateRecipe(Recipe):
    """A recipe of a cartilage endplate, whose surface is built over a polar net."""

    plate: Plate

    def surface(self) -> Surface:
        """Build the plate and paint it."""
        return self.painted(self.plate.surface())


def plate_recipe(name: str, space: DiscSpace, thickness: float, inner: Field, upper: bool) -> PlateRecipe:
    """Return the cartilage endplate on one of a disc's two bones, world frame, mm.

    ``inner`` tells how far points lie into the cartilage of either (positive there).
    """
    plate = Plate(space, thickness, upper)

    def field(points: Points) -> Floats:
        own, other = space.distances(points)[:: 1 if upper else -1]
        return np.maximum(np.maximum(-inner(points), SEAM - own), own - other)

    reach = float(max(space.upper.max(), space.lower.max())) + 3.0
    solid = Solid(field, space.frame.origin - reach, space.frame.origin + reach)
    return PlateRecipe(name, "cartilage", solid, 1.0, plate=plate)
