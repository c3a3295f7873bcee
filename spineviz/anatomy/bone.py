"""A level's bone as both makers deliver it: generated from parameters, or given as a mesh."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from spineviz.anatomy.tiled_grid import TiledGrid
from spineviz.geometry import DistanceGrid, surface_distance
from spineviz.structure import Floats, Frame, Points, Surface
from spineviz.terms import Level

STEP, MARGIN = 1.0, 25.0
"""The step of a bone's distance grid, and how far it reaches beyond the bone, mm."""


NEAR = 2.0
"""As far outside (mm) as tells what stands in a bone or right beside it."""


@dataclass(frozen=True, eq=False)
class SurfaceDistance:
    """The signed distance (mm, negative inside) to a closed surface, which can be kept in a file."""

    surface: Surface
    box: tuple[Floats, Floats] | None = None
    """Where only places in a box (its two corners) are nearest to what is asked, it is faster to tell so."""

    def __call__(self, points: Points) -> Floats:
        """Return the distance of points, shape (n, 3) -> (n,)."""
        return self._distance(points)

    def within(self, points: Points, most: float | Floats) -> Floats:
        """Return the distance of points (n, 3), but ``most`` where they are farther outside; much faster.

        It is one for all points, or one for each (n,).
        """
        return self._distance(points, most)

    @cached_property
    def _distance(self) -> Callable[..., Floats]:
        return surface_distance(self.surface, box=self.box)

    def __getstate__(self) -> dict[str, object]:
        """Keep the surface alone, and the box."""
        return {"surface": self.surface, "box": self.box}


@dataclass(frozen=True, eq=False)
class LevelBone:
    """A bone standing in the world; it satisfies the protocol `spineviz.structure.Bone`.

    ``exact`` tells the signed distance (mm, negative inside) of world points, shape (n, 3); bones that were
    made for a scene hold it as a grid that is sampled where it is asked, and can be kept in a file.
    """

    level: Level
    frame: Frame
    landmarks: Mapping[str, Frame]
    surface: Surface
    exact: Callable[[Points], Floats]

    def distance(self, points: Points) -> Floats:
        """Signed distance (mm, negative inside) of world points, shape (n, 3) -> (n,)."""
        return self.exact(points)

    def within(self, points: Points, most: float = np.inf) -> Floats:
        """Return the distance of world points (n, 3), but ``most`` where they are farther outside; faster."""
        if isinstance(self.exact, SurfaceDistance | DistanceGrid):
            return self.exact.within(points, most)
        return np.minimum(self.exact(points), most)

    def near(self, points: Points) -> Floats:
        """Return the distance (n,) of world points, told no farther outside than `NEAR`."""
        return self.within(points, NEAR)

    @cached_property
    def grid(self) -> DistanceGrid:
        """The distance sampled every millimetre to 25 mm around the bone; fast to ask."""
        return self.exact if isinstance(self.exact, DistanceGrid) else sampled(self.exact, self.surface)

    @cached_property
    def felt(self) -> LevelBone:
        """The same bone with its sampled distance for its own."""
        return self if self.exact is self.grid else replace(self, exact=self.grid)


def sampled(distance: Callable[[Points], Floats], surface: Surface, mirror: bool = False) -> DistanceGrid:
    """Return a distance in the world sampled every millimetre to 25 mm around a bone's surface.

    It is sampled where it is asked. ``mirror`` tells that the bone is the same on both sides of x = 0; one
    side is then asked for.
    """
    lower = np.floor(surface.vertices.min(0) - MARGIN)
    upper = np.ceil(surface.vertices.max(0) + MARGIN)
    return TiledGrid(distance, lower, upper, STEP, mirror, SurfaceDistance(surface))
