"""What nerves keep clear of: distances to bones and healthy discs, asked only where these are near."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc import annulus_field, disc_parameters
from spineviz.anatomy.disc.space import disc_space, precise
from spineviz.sdf.solid import Field
from spineviz.structure import Floats, Points
from spineviz.terms import LEVELS, Level, discs_of

Obstacles = Field
"""Distance (mm) of world points (n, 3) to everything a nerve must keep clear of; FAR at most."""

FAR = 15.0
"""Farther away than this (mm) nothing is in a nerve's way."""

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
    for disc in discs_of(own) if discs else ():
        parameters = disc_parameters(disc)
        space = disc_space(disc, felt(bones))
        reach = float(max(space.upper.max(), space.lower.max())) + parameters.bulge + 2.0
        origin = space.frame.origin
        parts.append((annulus_field(space, parameters), origin - reach, origin + reach))
    return together(parts)


def together(parts: list[Part]) -> Obstacles:
    """Return the distance to the nearest of some things, each asked only around its box."""

    def distance(points: Points) -> Floats:
        points = np.asarray(points)
        result = np.full(len(points), FAR)
        for field, lower, upper in parts:
            near = np.flatnonzero(((points > lower - FAR) & (points < upper + FAR)).all(axis=1))
            if len(near):
                result[near] = np.minimum(result[near], field(points[near]))
        return result

    return distance


def felt(bones: Mapping[Level, LevelBone]) -> dict[Level, LevelBone]:
    """Return bones whose distance is that of their grids, which is fast to ask."""
    return {level: replace(bone, exact=bone.grid) for level, bone in bones.items()}


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
