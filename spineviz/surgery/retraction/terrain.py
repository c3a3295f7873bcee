"""The bone that parted tissue slides on: a floor to follow and a distance to keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from spineviz import measures
from spineviz.anatomy.back.bed import ground
from spineviz.anatomy.back.height_map import HeightMap
from spineviz.anatomy.back.skeleton import bone_distance
from spineviz.anatomy.back.stations import above_coccyx
from spineviz.anatomy.bone import LevelBone
from spineviz.sdf.solid import Field
from spineviz.structure import Floats, Points
from spineviz.terms import Level


@dataclass(frozen=True, eq=False)
class Terrain:
    """What stands still under the tissue: ``floor`` y(x, z) and the ``bone`` distance, world mm."""

    floor: HeightMap
    bone: Field

    def height(self, points: Points) -> Floats:
        """Return how high points (n, 3) stand behind the floor, mm, 0 on and in front of it."""
        return np.maximum(self.floor.height(points), 0.0)


def terrain(bones: Mapping[Level, LevelBone]) -> Terrain:
    """Return the terrain of a spine."""
    return _terrain(tuple(bones.items()))


@lru_cache(maxsize=1)
def _terrain(bones: tuple[tuple[Level, LevelBone], ...]) -> Terrain:
    """Return the terrain of a spine; both approaches of a scene slide tissue on the same."""
    own = above_coccyx(dict(bones))
    return Terrain(ground(own).floor, bone_distance(own))


def lifted_height(height: Floats) -> Floats:
    """Return how much rises of a height (mm) above the floor when tissue is crowded.

    Muscle rises in full; in the fat above it the lift ebbs to the share that the skin rises by.
    """
    common = measures.table("retraction.common")
    full, ebb = common["full_lift"], common["ebb_height"]
    rest = 1.0 - (1.0 - common["skin_lift"]) * smooth((height - full) / ebb)
    return np.minimum(height, full) * rest


def smooth(share: Floats) -> Floats:
    """Return 0 up to 0, 1 from 1 on, and a smooth step between."""
    t = np.clip(share, 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def following(height: Floats) -> Floats:
    """Return how much tissue at a height above the floor (mm) follows the floor, 1 on it and 0 far above."""
    reach = measures.value("retraction.common.follow_height")
    return np.square(np.maximum(1.0 - np.square(height / reach), 0.0))
