"""A map that narrows a room: walls grow inwards, and what lies between them gives way in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spineviz.anatomy.stenosis.room import Room
from spineviz.structure import Floats, Points

SLACK = 0.02
"""Two things that lie behind each other keep this much (mm) between them."""


@dataclass(frozen=True, eq=False)
class Squeeze:
    """Moves points towards or away from the centre of a room, and never one past another.

    ``core``, ``wall`` and ``hard`` (n, k) are where the nerve's border, the wall and the bone come to lie,
    mm from the centre. Deeper than ``deep`` mm in the bone, or in what stands for it, nothing moves.
    """

    room: Room
    core: Floats
    wall: Floats
    hard: Floats
    deep: float

    def __call__(self, points: Points, bone: bool = False) -> Points:
        """Return world points (n, 3) moved; those of a ``bone`` move with its surface only."""
        points = np.asarray(points, dtype=np.float64)
        height: Floats = (points - self.room.frame.origin) @ self.room.frame.superior
        inside = np.flatnonzero((height > self.room.heights[0]) & (height < self.room.heights[-1]))
        if not len(inside):
            return points
        way, angle, height = self.room.polar(points[inside])
        near = way < float(self.room.hard.max()) + self.deep
        inside, way, angle, height = inside[near], way[near], angle[near], height[near]
        if not len(inside):
            return points
        before, after = self._nodes(angle, height, bone)
        moved = between(way, before, after)
        result = np.array(points)
        changed = np.abs(moved - way) > 1e-6
        result[inside[changed]] = self.room.world(moved[changed], angle[changed], height[changed])
        return result

    def _nodes(self, angle: Floats, height: Floats, bone: bool) -> tuple[Floats, Floats]:
        """Return where (m, n) borders lie and come to lie, from the centre outwards."""

        def at(table: Floats) -> Floats:
            return self.room.at(table, angle, height)

        before, after = [0 * angle], [0 * angle]
        if not bone:
            before += [at(self.room.core), at(self.room.wall)]
            after += [at(self.core), at(self.wall)]
        hard = at(self.room.hard)
        before += [hard, hard + self.deep]
        after += [at(self.hard), hard + self.deep]
        return np.array(before), np.array(after)


@dataclass(frozen=True, eq=False)
class Pressed:
    """A map that dents the wall of a room, as what lies in it feels it: used as a `Squeeze` is."""

    room: Room
    change: Callable[[Points], Points]

    @property
    def core(self) -> Floats:
        """How far the nerve's border reaches in health."""
        return self.room.core

    @property
    def wall(self) -> Floats:
        """How far it is to the wall in health."""
        return self.room.wall

    def __call__(self, points: Points) -> Points:
        """Return world points (n, 3) moved."""
        return self.change(points)


def between(way: Floats, before: Floats, after: Floats) -> Floats:
    """Return ways (n,) carried from borders (m, n) to others, in order; beyond these none moves."""
    before, after = before.copy(), after.copy()
    for row in range(1, len(before)):
        before[row] = np.maximum(before[row], before[row - 1] + SLACK)
        after[row] = np.maximum(after[row], after[row - 1] + SLACK)
    result = np.array(way)
    for row in range(len(before) - 1):
        here = (way >= before[row]) & (way < before[row + 1])
        share = (way - before[row]) / (before[row + 1] - before[row])
        moved = after[row] + share * (after[row + 1] - after[row])
        result = np.where(here, moved, result)
    return result
