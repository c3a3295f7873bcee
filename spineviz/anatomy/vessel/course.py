"""Courses of vessels before the vertebral bodies: places by level, angle and clearance, and smooth lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc.space import landmark
from spineviz.anatomy.net import uphill
from spineviz.anatomy.relaxed_line import resampled
from spineviz.anatomy.surroundings import Surroundings
from spineviz.structure import Floats, Points
from spineviz.terms import LEVELS, Level

OUTSIDE = 90.0
"""Rays onto a body start this far (mm) from its middle."""

STRIDE = 2.0
"""Lines of great vessels have a point about every so many mm."""


@dataclass(frozen=True, eq=False)
class Axis:
    """The line through the vertebral bodies: ``points``, ``right`` and ``anterior`` (n, 3) by ``place`` (n,).

    ``place`` counts levels from the atlas: 21 is the middle of L3's body.
    """

    place: Floats
    points: Points
    right: Points
    anterior: Points

    def at(self, place: Floats, angle: Floats) -> tuple[Points, Points]:
        """Return middles (n, 3) at places, and unit directions at angles (degrees) from anterior to right."""
        middle, right, anterior = (
            np.stack([np.interp(place, self.place, table[:, k]) for k in range(3)], axis=-1)
            for table in (self.points, self.right, self.anterior)
        )
        turn = np.radians(angle)[..., None]
        way = np.cos(turn) * anterior + np.sin(turn) * right
        return middle, way / np.linalg.norm(way, axis=-1, keepdims=True)


def place_of(level: Level) -> float:
    """Return the place of the middle of a level's body."""
    return float(LEVELS.index(level))


def axis_of(bones: Mapping[Level, LevelBone]) -> Axis:
    """Return the line through the bodies that are there, and on before the sacrum.

    Raises ValueError where a landmark is missing.
    """
    places, points, rights, fronts = [], [], [], []
    for level in sorted(bones, key=LEVELS.index):
        if level in ("C1", "C2", "Co1"):
            continue
        bone = bones[level]
        plate = landmark(bone, "endplate.superior")
        shifts: Sequence[tuple[float, Points]]
        if level == "S1":
            down = -plate.superior
            shifts = [
                (-0.5, plate.origin),
                (0.0, plate.origin + 14.0 * down),
                (1.0, plate.origin + 34.0 * down),
            ]
        else:
            lower = landmark(bone, "endplate.inferior").origin
            middle = (plate.origin + lower) / 2
            shifts = [(-0.38, plate.origin), (0.0, middle), (0.38, lower)]
        for shift, point in shifts:
            places.append(place_of(level) + shift)
            points.append(point)
            rights.append(bone.frame.right)
            fronts.append(bone.frame.anterior)
    return Axis(*(np.array(table) for table in (places, points, rights, fronts)))


def by_level(table: Mapping[str, float]) -> Callable[[Floats], Floats]:
    """Return a smooth function of the place through values that a table gives for some levels."""
    from scipy.interpolate import PchipInterpolator

    known = sorted((place_of(level), table[level]) for level in LEVELS if level in table)
    places, values = np.array(known).T
    return lambda place: np.asarray(PchipInterpolator(places, values)(np.clip(place, places[0], places[-1])))


def beside(axis: Axis, around: Surroundings, place: Floats, angle: Floats, away: Floats) -> Points:
    """Return points (n, 3) that lie ``away`` mm off the first thing that is met from outside."""
    middle, way = axis.at(place, angle)
    met = around.ahead(middle + OUTSIDE * way, -way, OUTSIDE)
    reach = np.where(np.isfinite(met), OUTSIDE - met, 12.0)
    return np.asarray(middle + (reach + away)[..., None] * way)


def through(points: Points, stride: float = STRIDE) -> Points:
    """Return a smooth line through points with about ``stride`` mm from one place to the next."""
    from scipy.interpolate import PchipInterpolator

    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    knots = np.concatenate([[0.0], np.cumsum(steps)])
    curve = PchipInterpolator(knots / knots[-1], points)
    return resampled(curve, max(8, round(knots[-1] / stride)))


def clear(
    line: Points, radii: Floats, around: Surroundings, gap: float, even: float, rounds: int = 14
) -> Points:
    """Return a line (n, 3) bent smoothly until a tube around it keeps a gap (mm) from all; its ends stay."""
    current = line.copy()
    free = around.among(line, float(radii.max()) + gap + 8.0).reaching(float(radii.max()) + gap + 3.0)
    known, asked = free.distance(line), line.copy()
    for k in range(rounds):
        smooth = ndimage.gaussian_filter1d(current, even, axis=0, mode="nearest")
        weight = 1.0 if k < rounds - 8 else 0.3 if k < rounds - 3 else 0.0
        current[1:-1] = ((1.0 - weight) * current + weight * smooth)[1:-1]
        least = known - np.linalg.norm(current - asked, axis=1)
        moved = np.flatnonzero((least < radii + gap) & (current != asked).any(axis=1))
        known[moved], asked[moved] = free.distance(current[moved]), current[moved]
        lack = radii + gap - np.where(least < radii + gap, known, least)
        near = np.flatnonzero(lack > 0.02)
        near = near[(near > 0) & (near < len(line) - 1)]
        if len(near):
            current[near] += lack[near, None] * uphill(free.distance, current[near])
    return current
