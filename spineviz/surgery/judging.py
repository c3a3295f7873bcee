"""How good a way is for displaced disc material: how much room it and the jaws that hold it have there.

All places are in the site's frame, mm: z is the way out of the body.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import ConvexHull

from spineviz.sdf import Field
from spineviz.structure import Floats, Points
from spineviz.surgery.choosing import Index, highest
from spineviz.surgery.reach import Reach
from spineviz.surgery.removal import Way

ROOM = 0.3
"""Clearance in mm beyond which a way for the fragment is as good as any wider one."""

TOUCHING = 0.15
"""How deep (mm) the fragment may press into what lies on it at rest, nerves and ligament."""

LOOKED = 64
"""At how many of the narrowest places of a way those near it are looked at before all others."""

PLACES = np.concatenate([np.linspace(0.0, 0.48, 25), np.linspace(0.52, 1.0, 9)])
"""Where a way is looked at, as shares of the height from the fragment's points to where it ends."""

BERTH = 0.4
"""How far (mm) the way keeps off the retractor."""

STEEP, STEEP_COUNT = 0.5, 8
"""What of the fragment lies less than this (mm) above a tool's deepest point passes it; how much at least."""

BEYOND = 12.0
"""How far (mm) above the skin the fragment is looked after."""

JAWS = 1.6
"""Half the greatest width (mm) of the rongeur that leaves with the fragment."""

NARROWEST = 12
"""How many of the narrowest places tell how good a way is."""

PASSING, WIDTH = 2.0, 0.05
"""What a mm too near to the retractor, and a narrower fragment, count against a mm of room on the way."""

BESIDE = 0.6
"""How far (mm) off bone a sparing way keeps what the jaws hold; a mm counts as one of the retractor."""


@dataclass(frozen=True, eq=False)
class Passing:
    """A tool beside a fragment's way: ``points`` (n, 3) on it, and those (m, 3) of the ``fragment``."""

    points: Points
    fragment: Points

    def room(self, way: Way) -> float:
        """Return how far (mm) the tool stays off all places that the fragment passes on a way.

        What lies higher than the tool's deepest point passes only those points that stand over all of it.
        """
        heights, own = self.points[:, 2], self.fragment[:, 2]
        over = heights > own.max()
        (line, width), (middle, widths) = way.section(heights), way.section(own)
        across = (self.points[:, :2] - line) / width
        passed = (self.fragment[:, :2] - middle) / widths
        outside = np.full(len(heights), np.inf)
        for tool, lower in ((~over, own < heights.min() + STEEP), (over, own < np.inf)):
            if tool.any() and lower.sum() > STEEP_COUNT:
                sides = ConvexHull(passed[lower]).equations
                outside[tool] = (across[tool] @ sides[:, :2].T + sides[:, 2]).max(axis=1)
        return float((outside * width.min(axis=1)).min())


@dataclass(frozen=True, eq=False)
class Judged:
    """A way, how good it is, and which places (k,) on it are its narrowest."""

    way: Way
    score: float
    narrow: Index


@dataclass(frozen=True, eq=False)
class Judge:
    """Tells how good ways are for the ``points`` (n, 3) of a fragment and the jaws at ``grasp`` (1, 3).

    ``soft`` and ``tool`` are those of `prepare_removal`; ``passing`` is the tool beside the way, if any.
    Where ``sparing``, what the jaws hold is to keep off bone all the way: they do not give way.
    """

    reach: Reach
    points: Points
    grasp: Points
    soft: Field
    tool: Field
    passing: Passing | None
    sparing: bool = False

    @cached_property
    def sparse(self) -> Index:
        """Places that stand for all: of every few points at every few heights."""
        return np.arange(len(self.points) * len(PLACES)).reshape(len(self.points), -1)[::5, ::3].ravel()

    @cached_property
    def heights(self) -> Floats:
        """The heights (n, m) at which the points' places on a way are."""
        return self._heights(self.points)

    def best(
        self, ways: Sequence[Way], places: Index, count: int = 1, above: float = -np.inf
    ) -> list[Judged]:
        """Return the ``count`` best ways that are better than ``above``, the best first.

        A way is judged in full only where it is free enough at some ``places`` (k,).
        """
        if not ways:
            return []
        looked = self._room(np.vstack([self._at(way, places) for way in ways])).reshape(len(ways), -1)
        free = [self._rated(way, room) for way, room in zip(ways, looked, strict=True)]
        within = np.flatnonzero(np.array(free) > above)
        met = np.array([self._met(ways[index]) for index in within.tolist()])
        found: dict[int, Judged] = {}

        def judge(rows: Index) -> Floats:
            found.update(
                {row: self._judged(ways[int(within[row])], float(met[row])) for row in rows.tolist()}
            )
            return np.array([found[row].score for row in rows.tolist()])

        chosen, _ = highest(np.array(free)[within] + met, judge, count, above)
        return [found[row] for row in chosen.tolist()]

    def off_bone(self, way: Way) -> float:
        """Return how far (mm) a way keeps the place that the jaws hold off bone and wall."""
        return float(self.reach.free(self._held(way)).min())

    def _met(self, way: Way) -> float:
        """Return what a way loses by what it meets of the tool beside it, and by bone near the jaws."""
        met = 0.0 if self.passing is None else min(self.passing.room(way) - BERTH, 0.0)
        return PASSING * (met + (min(self.off_bone(way) - BESIDE, 0.0) if self.sparing else 0.0))

    def _judged(self, way: Way, met: float) -> Judged:
        """Return a way with how good it is."""
        room = self._room(way.streamlines(self.points, self.heights).reshape(-1, 3))
        score = self._rated(way, np.concatenate([room, self._jaws_room(way)])) + met
        return Judged(way, score, np.argpartition(room, LOOKED)[:LOOKED])

    def _at(self, way: Way, places: Index) -> Points:
        """Return some of the places (k, 3) that the points pass on a way."""
        rows, columns = np.divmod(places, len(PLACES))
        return way.streamlines(self.points[rows], self.heights[rows, columns, None])[:, 0]

    def _room(self, places: Points) -> Floats:
        """Return how much room (k,) mm the fragment has at places (k, 3)."""
        soft = self.soft(self.reach.site.frame.to_parent(places))
        return np.minimum(self.reach.free(places), soft + ROOM + TOUCHING)

    def _jaws_room(self, way: Way) -> Floats:
        """Return how much room (k,) mm the jaws have on a way.

        In the bed the jaws, which can turn there, count only where they come nearer to the ``tool`` that
        holds the nerves than they are when they grasp.
        """
        jaws = self._held(way)
        beside = self.tool(self.reach.site.frame.to_parent(jaws))
        beside = beside - min(float(beside[0]), JAWS + ROOM) + ROOM
        return np.concatenate([self.reach.free(jaws[jaws[:, 2] > way.high]) - JAWS, beside])

    def _held(self, way: Way) -> Points:
        """Return places (k, 3) that the jaws pass on a way."""
        return way.streamlines(self.grasp, self._heights(self.grasp)).reshape(-1, 3)

    def _heights(self, points: Points) -> Floats:
        top = max(self.reach.top, self.reach.site.depth + BEYOND)
        return points[:, 2:] + PLACES * np.maximum(top - points[:, 2:], 0.0)

    @staticmethod
    def _rated(way: Way, room: Floats) -> float:
        """Return how good a way is that has so much room (k,) mm: that is where it is narrowest."""
        narrowest = np.partition(np.minimum(room, ROOM), NARROWEST)[:NARROWEST]
        wide = WIDTH * float(np.log(way.shares).sum())
        return float(narrowest.mean() + narrowest.min()) / 2 + wide
