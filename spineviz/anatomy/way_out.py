"""The shortest way out of a closed surface, for what has come to stand in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from embreex.rtcore_scene import EmbreeScene

from spineviz.anatomy.net import pushed
from spineviz.geometry import nearest_places, perhaps_in, scene_of
from spineviz.structure import Floats, Points, Surface

Mask = npt.NDArray[np.bool_]

Leaving = Callable[[Points, float], Points]
"""Tells the ways (n, 3) on which points (n, 3) deeper than so much (mm) leave a thing; 0 for others."""

SAMPLED = 0.6
"""Places of a surface are looked up at samples so far (mm) from each other."""

DEEPEST = 3.0
"""Nothing stands deeper in another thing than this, mm."""


@dataclass(frozen=True, eq=False)
class WayOut:
    """The way out of a closed surface; what is asked about lies in the ``box`` from one corner to another."""

    surface: Surface
    box: tuple[Floats, Floats]
    built: EmbreeScene | None = None

    @cached_property
    def scene(self) -> EmbreeScene:
        """The surface as rays meet it."""
        return self.built or scene_of(self.surface)

    def holds(self, points: Points) -> Mask:
        """Tell which points (n, 3) are in the surface, by most of three rays."""
        return perhaps_in(self.surface, points, self.scene, surely=True)

    def __call__(self, points: Points, deeper: float) -> Points:
        """Return the ways (n, 3) to the nearest places for points that stand deeper than so much, mm."""
        result = np.zeros((len(points), 3))
        rows = np.flatnonzero(self.holds(points)) if len(points) else np.zeros(0, dtype=np.intp)
        if len(rows):
            ways = self._nearest(points[rows]) - points[rows]
            deep = np.einsum("nc,nc->n", ways, ways) > deeper**2
            result[rows[deep]] = ways[deep]
        return result

    @cached_property
    def _nearest(self) -> Callable[[Points], Points]:
        low, high = self.box
        return nearest_places(self.surface, SAMPLED, (low - DEEPEST, high + DEEPEST))


def by_distance(distance: Callable[..., Floats]) -> Leaving:
    """Return the way out of a thing of which only the distance is known.

    ``distance`` takes points (n, 3) and the most (mm) that it is to tell.
    """

    def leaving(points: Points, deeper: float) -> Points:
        result = np.zeros((len(points), 3))
        deep = np.flatnonzero(distance(points, 0.0) < -deeper) if len(points) else np.zeros(0, dtype=np.intp)
        if len(deep):
            result[deep] = pushed(points[deep], distance, 0.0, 3) - points[deep]
        return result

    return leaving
