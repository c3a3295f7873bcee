"""Guides: the lines down the fronts of the bodies and down the canal that long ligaments are laid along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import ndimage

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc.space import landmark
from spineviz.anatomy.surroundings import Surroundings
from spineviz.structure import Floats, Frame, Points
from spineviz.terms import LEVELS, Level

Knots = list[tuple[Level, str, Points]]
"""Places that a guide passes: their level, what is there, and where (3,) that is."""

EVEN = 4.0
"""Values along a band are evened over so many rows."""


@dataclass(frozen=True, eq=False)
class Guide:
    """Stations down a column: ``points``, ``right`` and ``anterior`` (n, 3); ``place`` (n,) tells the level.

    ``place`` counts levels from the atlas, parts of a level included; ``wide`` (n,) is 1 at the middle of a
    disc and 0 at that of a body.
    """

    points: Points
    right: Points
    anterior: Points
    place: Floats
    wide: Floats

    def measured(self, table: Mapping[str, float]) -> Floats:
        """Return values (n,) that a table gives at some levels; between these they are interpolated."""
        known = sorted((LEVELS.index(level), table[level]) for level in LEVELS if level in table)
        places, values = np.array(known).T
        even = ndimage.gaussian_filter1d(np.interp(self.place, places, values), EVEN, mode="nearest")
        return np.asarray(even)

    def ends(self, reach: float) -> Floats:
        """Return 1 (n,) along the guide, and less within ``reach`` mm of its ends, as on a rounded end."""
        way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(self.points, axis=0), axis=1))])
        near = np.clip(np.minimum(way, way[-1] - way) / reach, 0.0, 1.0)
        return np.asarray(0.45 + 0.55 * np.sqrt(1.0 - (1.0 - near) ** 2))


def front_knots(bones: Mapping[Level, LevelBone], sacral: float) -> Knots:
    """Return the middles of bodies and endplates, from the anterior arch of the atlas downwards."""
    knots: Knots = []
    for level in _levels(bones):
        bone = bones[level]
        if level == "C1":
            arch = landmark(bone, "arch.anterior")
            middle = arch.origin - 5.0 * bone.frame.anterior
            knots += [(level, "body", middle + 2.5 * bone.frame.superior), (level, "body", middle)]
        elif level == "S1":
            plate = landmark(bone, "endplate.superior")
            knots += [(level, "superior", plate.origin)]
            knots += [(level, "body", plate.origin - share * sacral * plate.superior) for share in (0.5, 1.0)]
        else:
            lower = landmark(bone, "endplate.inferior")
            upper = bone.landmarks.get("endplate.superior")
            top = upper.origin if upper is not None else bone.frame.origin
            knots += [(level, "superior" if upper is not None else "body", top)]
            knots += [(level, "body", (top + lower.origin) / 2), (level, "inferior", lower.origin)]
    return knots


def canal_knots(bones: Mapping[Level, LevelBone], around: Surroundings, shape: Mapping[str, float]) -> Knots:
    """Return places on the canal's front wall, from the axis downwards."""
    knots: Knots = []
    for level in _levels(bones):
        bone = bones[level]
        if level == "C1":
            continue
        canal = landmark(bone, "canal")
        wall = (
            canal.origin + float(around.ahead(canal.origin[None], canal.anterior, 30.0)[0]) * canal.anterior
        )
        if level == "S1":
            plate = landmark(bone, "endplate.superior")
            knots += [(level, "superior", _rim(around, wall, plate.origin, plate.superior, 1.5))]
            knots += [(level, "body", place) for place in _down(around, wall, canal, shape["sacral"])]
            continue
        plates = [bone.landmarks.get("endplate.superior"), landmark(bone, "endplate.inferior")]
        upper, lower = (
            None if plate is None else _rim(around, wall, plate.origin, plate.superior, inwards)
            for plate, inwards in zip(plates, (1.5, -1.5), strict=True)
        )
        if upper is not None:
            knots += [(level, "superior", upper)]
        assert lower is not None
        knots += [(level, "body", wall), (level, "inferior", lower)]
    return knots


def _rim(around: Surroundings, wall: Points, plate: Points, superior: Points, inwards: float) -> Points:
    """Return the back of a body's rim in the middle, ``inwards`` mm under its endplate."""
    anterior = np.cross(superior, [1.0, 0.0, 0.0])
    start = plate - inwards * superior
    back = start + float((wall - start) @ anterior) * anterior - 6.0 * anterior
    depth = float(around.ahead(back[None], anterior, 20.0)[0])
    return np.asarray(back + min(depth, 12.0) * anterior)


def _down(around: Surroundings, wall: Points, canal: Frame, length: float) -> list[Points]:
    """Follow the front wall of the sacral canal for some mm from a place on it."""
    down = -canal.superior
    walls = [wall]
    stride = 3.0
    for _ in range(int(length / stride)):
        anterior = np.cross(np.array([1.0, 0.0, 0.0]), down)
        start = walls[-1] - 3.0 * anterior + stride * down
        depth = float(around.ahead(start[None], anterior, 12.0)[0])
        if not np.isfinite(depth):
            break
        walls.append(start + depth * anterior)
        way = 0.5 * down + 0.5 * (walls[-1] - walls[-2]) / stride
        down = way / np.linalg.norm(way)
    return walls


def _levels(bones: Mapping[Level, LevelBone]) -> Sequence[Level]:
    """Return the levels that have a body, from above."""
    return [level for level in sorted(bones, key=LEVELS.index) if level != "Co1"]


def guide_through(knots: Knots, row: float, below: float) -> Guide:
    """Return stations every ``row`` mm along a smooth line through knots.

    ``wide`` reaches its height at a disc and fades within ``below`` of the way to the middles of the bodies.
    """
    points = np.array([point for _, _, point in knots])
    ways = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    length = np.arange(0.0, ways[-1], row)
    line = np.stack([np.interp(length, ways, points[:, k]) for k in range(3)], axis=1)
    even = ndimage.gaussian_filter1d(line, 6.0 / row, axis=0, mode="nearest")
    tangents = np.gradient(even, axis=0)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    right = np.array([1.0, 0.0, 0.0]) - tangents[:, :1] * tangents
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    places = [
        LEVELS.index(level) + {"superior": -0.4, "inferior": 0.4}.get(what, 0.0) for level, what, _ in knots
    ]
    wide = np.zeros(len(length))
    for k, ((level, what, _), (after, then, _)) in enumerate(pairwise(knots)):
        start, end = ways[k], ways[k + 1]
        if (what, then) == ("inferior", "superior") and level != after:
            middles = ways[[max(k - 1, 0), min(k + 2, len(ways) - 1)]]
            reach = np.maximum(
                (start - length) / max(start - middles[0], 4.0), (length - end) / max(middles[1] - end, 4.0)
            )
            wide = np.maximum(wide, np.clip(1.0 - np.maximum(reach, 0.0) / below, 0.0, 1.0))
    wide = wide * wide * (3.0 - 2.0 * wide)
    return Guide(line, right, np.cross(right, tangents), np.interp(length, ways, places), wide)
