"""The midline of a column that is bent aside: its back is laid out as a straight one's, and bent with it.

World frame, mm. A place is straightened by a shear: its x is counted from the midline at its height, and
volumes stay the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from spineviz.anatomy.back.height_map import HeightMap
from spineviz.anatomy.back.layer import Layer, LayerRecipe
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.recipe import Paint, Recipe
from spineviz.sdf.solid import Solid
from spineviz.structure import Floats, Frame, Points, Surface
from spineviz.terms import Level

STRAIGHT = 0.05
"""A midline that nowhere is farther (mm) from x = 0 is straight."""

BEYOND = 120.0
"""So far (mm) above the first bone's midline and below the last's it goes on straight."""

LEAST = 2.0
"""Bones whose places on the midline are nearer in height than this (mm) share one."""


@dataclass(frozen=True, eq=False)
class Midline:
    """Where the middle of the back is: x (mm) ``across`` at some ``heights`` (mm), both (n,), from below."""

    heights: Floats
    across: Floats

    def at(self, z: Floats) -> Floats:
        """Return x at heights z (n,), mm."""
        return np.interp(z, self.heights, self.across)

    def straight(self, points: Points) -> Points:
        """Return world points (n, 3) where they are beside a straight midline."""
        return self._sheared(points, -1.0)

    def bent(self, points: Points) -> Points:
        """Return points (n, 3) beside a straight midline where they are in the world."""
        return self._sheared(points, 1.0)

    def _sheared(self, points: Points, sign: float) -> Points:
        result = np.array(points, dtype=np.float64)
        result[:, 0] += sign * self.at(result[:, 2])
        return result


def midline(bones: Mapping[Level, LevelBone]) -> Midline | None:
    """Return the midline through the spinous processes of some bones; None where it is straight.

    At each bone it lies in that bone's median plane.
    """
    from scipy.interpolate import CubicHermiteSpline

    knots: list[tuple[float, float, float]] = []
    for bone in sorted(bones.values(), key=lambda bone: _spinous(bone)[0]):
        height, across = _spinous(bone)
        if not knots or height > knots[-1][0] + LEAST:
            knots.append((height, across, float(-bone.frame.right[2] / bone.frame.right[0])))
    (low, left, falling), (high, right, rising) = knots[0], knots[-1]
    below = low - BEYOND, left - BEYOND * falling, falling
    above = high + BEYOND, right + BEYOND * rising, rising
    z, x, slopes = np.array([below, *knots, above]).T
    heights = np.arange(z[0], z[-1], 1.0)
    places = np.asarray(CubicHermiteSpline(z, x, slopes)(heights))
    within = (heights > low) & (heights < high)
    return Midline(heights, places) if np.abs(places[within]).max(initial=0.0) > STRAIGHT else None


def straightened(bones: Mapping[Level, LevelBone], line: Midline) -> dict[Level, LevelBone]:
    """Return bones as they stand beside a straight midline."""

    def placed(frame: Frame) -> Frame:
        return Frame(line.straight(frame.origin[None])[0], frame.axes)

    def exact(bone: LevelBone) -> Callable[[Points], Floats]:
        return lambda points: bone.distance(line.bent(points))

    return {
        level: LevelBone(
            level,
            placed(bone.frame),
            {name: placed(mark) for name, mark in bone.landmarks.items()},
            bone.surface.moved(line.straight(bone.surface.vertices)),
            exact(bone),
        )
        for level, bone in bones.items()
    }


def bent(recipe: Recipe, line: Midline) -> Recipe:
    """Return the recipe of what was laid out beside a straight midline, bent with the column."""

    def paint(points: Points) -> Paint:
        return Paint() if recipe.paint is None else recipe.paint(line.straight(points))

    if isinstance(recipe, LayerRecipe):
        inner, outer = _bent_map(recipe.layer.inner, line), _bent_map(recipe.layer.outer, line)
        layer = Layer(inner, outer, replace(recipe.layer.outline, midline=line.at))
        cover = None if recipe.cover is None else _bent_map(recipe.cover, line)
        return replace(recipe, solid=layer.solid(), paint=paint, layer=layer, cover=cover)
    own = recipe.solid
    reach = line.at(np.arange(own.lower[2], own.upper[2], 1.0))
    aside = np.array([[reach.min(), 0.0, 0.0], [reach.max(), 0.0, 0.0]])
    solid = Solid(lambda points: own.field(line.straight(points)), own.lower + aside[0], own.upper + aside[1])
    return BentRecipe(
        recipe.name, recipe.tissue, solid, recipe.step, recipe.side, paint, of=recipe, line=line
    )  # fmt: skip


@dataclass(frozen=True, eq=False, kw_only=True)
class BentRecipe(Recipe):
    """A recipe whose surface is meshed beside a straight ``line`` and bent with it; ``of`` is that recipe."""

    of: Recipe
    line: Midline

    def surface(self) -> Surface:
        """Return the other recipe's surface, bent and painted."""
        straight = self.of.surface()
        return self.painted(straight.moved(self.line.bent(straight.vertices)))


def _bent_map(surface: HeightMap, line: Midline) -> HeightMap:
    return replace(surface, midline=line.at)


def _spinous(bone: LevelBone) -> tuple[float, float]:
    """Return the height and the x (mm) of the middle of a bone's spinous process, or of its canal."""
    marks = bone.landmarks
    names = ("spinous.base", "spinous.tip")
    ends = [marks[name].origin for name in names if name in marks] or [marks["canal"].origin]
    middle = np.mean(ends, axis=0)
    return float(middle[2]), float(middle[0])
