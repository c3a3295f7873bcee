"""A level's bone as both makers deliver it: generated from parameters, or given as a mesh."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spineviz.geometry import DistanceGrid, sample_distance
from spineviz.structure import Floats, Frame, Points, Surface
from spineviz.terms import Level


@dataclass(frozen=True, eq=False)
class LevelBone:
    """A bone standing in the world; it satisfies the protocol `spineviz.structure.Bone`.

    ``exact`` tells the signed distance (mm, negative inside) of world points, shape (n, 3).
    """

    level: Level
    frame: Frame
    landmarks: Mapping[str, Frame]
    surface: Surface
    exact: Callable[[Points], Floats]

    def distance(self, points: Points) -> Floats:
        """Signed distance (mm, negative inside) of world points, shape (n, 3) -> (n,)."""
        return self.exact(points)

    @cached_property
    def grid(self) -> DistanceGrid:
        """The distance sampled every millimetre to 25 mm around the bone; fast to ask."""
        lower, upper = self.surface.vertices.min(0), self.surface.vertices.max(0)
        return sample_distance(self.exact, np.floor(lower - 25), np.ceil(upper + 25), 1.0)
