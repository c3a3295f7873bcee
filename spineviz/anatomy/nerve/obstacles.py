"""What nerves keep clear of: distances to bones and healthy discs, asked only where these are near."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc import annulus_field, disc_parameters
from spineviz.anatomy.disc.space import disc_space, precise
from spineviz.anatomy.tiled_grid import TiledGrid
from spineviz.sdf.solid import Field
from spineviz.structure import Floats, Points
from spineviz.terms import LEVELS, Disc, Level, discs_of, levels_of

Obstacles = Field
"""Distance (mm) of world points (n, 3) to everything a nerve must keep clear of; FAR at most."""

FAR = 8.0
"""Farther away than this (mm) nothing is in a nerve's way."""

REACH, THICK = 2.0, 10.0
"""A disc's distance is sampled so far (mm) around its outline, and above and below its middle."""

Part = tuple[Field, Floats, Floats]
"""A distance, and the box (lower, upper; mm) around what it is the distance of."""


def obstacles(bones: Mapping[Level, LevelBone], discs: bool = True, exact: bool = False) -> Obstacles:
    """Return the distance to the nearest bone, and to the nearest healthy disc.

    It is that of the bones' grids; ``exact`` asks the bones themselves where they are near.
    """
    parts: list[Part] = []
    for bone in bones.values():
        vertices = bone.surface.vertices
        parts.append((precise(bone) if exact else bone.grid, vertices.min(axis=0), vertices.max(axis=0)))
    own = sorted(bones, key=LEVELS.index)
    parts += [
        _disc(disc, *(bones[level] for level in levels_of(disc)), exact) for disc in discs_of(own) if discs
    ]
    return together(parts)


@lru_cache(maxsize=64)
def _disc(disc: Disc, above: LevelBone, below: LevelBone, exact: bool) -> Part:
    """Return the distance to a healthy disc between two bones, sampled unless it is asked exactly."""
    parameters = disc_parameters(disc)
    space = disc_space(disc, felt({above.level: above, below.level: below}))
    across = float(max(space.upper.max(), space.lower.max())) + parameters.bulge + REACH
    around = np.abs(space.frame.axes.T) @ [across, across, THICK]
    lower, upper = space.frame.origin - around, space.frame.origin + around
    field = annulus_field(space, parameters)
    sampled = TiledGrid(field, lower - FAR, upper + FAR, 1.0, mirror=False, instead=field)
    return field if exact else sampled, lower, upper


def together(parts: list[Part]) -> Obstacles:
    """Return the distance to the nearest of some things, each asked only around its box."""

    lowers, uppers = (np.array([part[end] for part in parts]).reshape(-1, 3) for end in (1, 2))

    def distance(points: Points) -> Floats:
        points = np.asarray(points)
        result = np.full(len(points), FAR)
        low, high = points.min(axis=0, initial=np.inf), points.max(axis=0, initial=-np.inf)
        beside = ((high > lowers - FAR) & (low < uppers + FAR)).all(axis=1)
        for field, lower, upper in (parts[row] for row in np.flatnonzero(beside)):
            near = np.flatnonzero(((points > lower - FAR) & (points < upper + FAR)).all(axis=1))
            if len(near):
                result[near] = np.minimum(result[near], field(points[near]))
        return result

    return distance


def felt(bones: Mapping[Level, LevelBone]) -> dict[Level, LevelBone]:
    """Return bones whose distance is that of their grids, which is fast to ask."""
    return {level: bone.felt for level, bone in bones.items()}


def march(bone: LevelBone, start: Floats, direction: Floats, inside: bool, reach: float = 40.0) -> Floats:
    """Return where a ray leaves (``inside``) or meets a bone. Raises ValueError if it does not."""
    places = start + np.arange(0.0, reach, 0.1)[:, None] * direction
    found = (bone.grid(places) > 0.0) == inside
    if not found.any():
        raise ValueError(
            f"{bone.level}: no bone surface within {reach} mm of {np.round(start, 1).tolist()} along "
            f"{np.round(direction, 2).tolist()}; check the landmarks there"
        )
    return places[int(np.argmax(found))]
