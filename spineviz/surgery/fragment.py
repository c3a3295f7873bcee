"""Which way the displaced disc material leaves: found so that it and the jaws that hold it have room.

All places are in the site's frame, mm: z is the way out of the body.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import numpy as np
from scipy.spatial import ConvexHull

from spineviz.sdf import Field
from spineviz.structure import Floats, Frame, Points, Surface
from spineviz.surgery.choosing import Index, highest
from spineviz.surgery.reach import Reach
from spineviz.surgery.removal import CLEAR, LONGEST, Removal, Way
from spineviz.surgery.retraction.warp import BoneGrid, bone_grid

ROOM = 0.3
"""Clearance in mm beyond which a way for the fragment is as good as any wider one."""

SHARES = (0.9, 0.8, 0.7, 0.6, 0.5, 0.42, 0.36)
"""The widths to which the fragment may be narrowed, as shares of its width at rest."""

TOUCHING = 0.15
"""How deep (mm) the fragment may press into what lies on it at rest, nerves and ligament."""

INNER = (0.35, 0.7)
"""Where within the fragment, as shares of the way from its middle, thin things are looked for."""

NARROWEST, CLIMBS = 12, 8
"""How many of the narrowest places tell how good a way is, and how often it is improved by a step."""

LOOKED = 64
"""At how many of the narrowest places of a way those near it are looked at before all others."""

PLACES = np.concatenate([np.linspace(0.0, 0.48, 25), np.linspace(0.52, 1.0, 9)])
"""Where a way is looked at, as shares of the height from the fragment's points to where it ends."""

BERTH = 0.4
"""How far (mm) the way keeps off the retractor."""

CELL = 0.7
"""Spacing (mm) of the grid that tells the fragment what is around it."""

PASSING, WIDTH = 2.0, 0.05
"""What a mm into the retractor, and a narrower fragment, count against a mm of room on the way."""

STEEP, STEEP_COUNT = 0.5, 8
"""What of the fragment lies less than this (mm) above a tool's deepest point passes it; how much at least."""

SHORTEST = 4.0
"""The least height (mm) over which a way bends and narrows."""

JAWS = 1.6
"""Half the greatest width (mm) of the rongeur that leaves with the fragment."""

LINES, STARTS = 16, 6
"""How many straight lines are tried in all widths, and from how many of those better ways are looked for."""

BEYOND = 12.0
"""How far (mm) above the skin the fragment is looked after."""

HIGHEST = 34.0
"""The height in mm over the docking point up to which bone may stand beside the way."""


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
        width = way.width(heights)
        across = (self.points[:, :2] - way.middle(heights)) / width
        passed = (self.fragment[:, :2] - way.middle(own)) / way.width(own)
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
    """

    reach: Reach
    points: Points
    grasp: Points
    soft: Field
    tool: Field
    passing: Passing | None

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

    def _met(self, way: Way) -> float:
        """Return what a way loses by what it meets of the tool beside it; 0 where it stays off that."""
        return 0.0 if self.passing is None else PASSING * min(self.passing.room(way) - BERTH, 0.0)

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
        jaws = way.streamlines(self.grasp, self._heights(self.grasp)).reshape(-1, 3)
        beside = self.tool(self.reach.site.frame.to_parent(jaws))
        beside = beside - min(float(beside[0]), JAWS + ROOM) + ROOM
        return np.concatenate([self.reach.free(jaws[jaws[:, 2] > way.high]) - JAWS, beside])

    def _heights(self, points: Points) -> Floats:
        top = max(self.reach.top, self.reach.site.depth + BEYOND)
        return points[:, 2:] + PLACES * np.maximum(top - points[:, 2:], 0.0)

    @staticmethod
    def _rated(way: Way, room: Floats) -> float:
        """Return how good a way is that has so much room (k,) mm: that is where it is narrowest."""
        narrowest = np.partition(np.minimum(room, ROOM), NARROWEST)[:NARROWEST]
        wide = WIDTH * float(np.log(way.shares).sum())
        return float(narrowest.mean() + narrowest.min()) / 2 + wide


def prepare_removal(
    reach: Reach, surface: Surface, grasp: Frame, soft: Field, tool: Field, held: Points
) -> Removal:
    """Return how a fragment comes out through the window of a reach when the jaws hold it at ``grasp``.

    ``soft`` tells the distance in mm of points in the world from what the fragment touches at rest: nerves,
    which are held aside, and ligament; ``tool`` that from the retractor that holds them, and ``held`` (n, 3)
    are points on it, in the world. The fragment is narrowed no more than needed to stay off all that is
    around; where no way is free, the freest is taken, and the fragment gives way on it.
    """
    site = reach.site
    rest = np.asarray(surface.vertices, dtype=np.float64)
    local = site.frame.to_local(rest)
    x, y, height = (float(value) for value in site.frame.to_local(grasp.origin))
    loose = local[reach.free(local) > 0.0]
    if len(loose) == 0:
        raise ValueError("the fragment lies in bone; check its place and its size")
    shell = loose[:: max(len(loose) // 70, 1)]
    core = local.mean(axis=0) + np.multiply.outer(INNER, shell[::3] - local.mean(axis=0)).reshape(-1, 3)
    sample = np.vstack([shell, core])

    beside = site.frame.to_local(held)
    beside = beside[beside[:, 2] > local[:, 2].mean()]
    passing = Passing(beside, local[:: max(len(local) // 300, 1)])

    judge = Judge(reach, sample, np.array([[x, y, height]]), soft, tool, passing if len(beside) else None)
    lines = judge.best(_lines(reach, local, np.full(2, LONGEST**-0.4)), judge.sparse, LINES)
    starts = sorted((_widest(judge, line) for line in lines), key=lambda item: -item.score)
    way = max((_climbed(judge, start) for start in starts[:STARTS]), key=lambda item: item.score).way
    deepest = float(local[:, 2].min())
    narrow = float(way.risen(np.array([height]), deepest, way.high)[0])
    around = _around(reach.keeping_off(tool), soft, rest)
    gap = np.minimum(around(rest)[0], CLEAR)
    return Removal(site.frame, way, rest, surface.faces, (x, y, height), narrow, around, gap)


def _around(reach: Reach, soft: Field, rest: Points) -> BoneGrid:
    """Return the distance, and its gradient, from all that a fragment may meet on its way out."""
    site = reach.site

    def distance(points: Points) -> Floats:
        return np.minimum(reach.free(site.frame.to_local(points)), soft(points))

    return bone_grid(distance, np.vstack([rest, site.world(site.top)]), margin=10.0, step=CELL)


def _widest(judge: Judge, line: Judged) -> Judged:
    """Return the best of a way's widths."""
    ways = [replace(line.way, shares=np.array(pair)) for pair in product(SHARES, SHARES)]
    return judge.best([way for way in ways if _allowed(judge.reach, way)], line.narrow)[0]


def _climbed(judge: Judge, start: Judged) -> Judged:
    """Return the best way to be found from one by small steps, each as long as it helps."""
    best = start
    for step in (2.0, 1.0, 0.5):
        for _ in range(CLIMBS):
            near = [way for way in _nearby(best.way, step) if _allowed(judge.reach, way)]
            better = judge.best(near, best.narrow, above=best.score)
            if not better:
                break
            best = better[0]
    return best


def _allowed(reach: Reach, way: Way) -> bool:
    """Tell whether a way leads through the wound, bends within a bed and makes the fragment not too long."""
    site, (x, y, z) = reach.site, way.entry
    aside = np.array([x - site.top[0], y - site.top[1]]) + (site.depth - z) * way.slope
    within = float(np.hypot(*aside)) < reach.spread
    return bool(within and way.shares.prod() * LONGEST >= 1.0 and way.high - way.low > SHORTEST)


def _lines(reach: Reach, local: Points, shares: Floats) -> list[Way]:
    """Return ways of one width along the straight lines that are freest, above the fragment (n, 3)."""
    site, lower, upper = reach.site, local.min(axis=0), local.max(axis=0)
    bed = local[:, :2].mean(axis=0)
    result = []
    for rise in (-2.0, 4.0, 10.0):
        high = float(upper[2]) + rise
        steps = np.arange(-8.0, 8.1, 1.6)
        entries = bed + np.array(list(product(steps, steps)))
        spread = reach.spread - 2.5
        tops = np.array(site.top[:2]) + np.array(list(product((-spread, 0.0, spread), repeat=2))) * 0.7
        heights = np.linspace(high, max(high, HIGHEST), 16)
        found = []
        for top in tops:
            slopes = (top - entries) / (site.depth - high)
            flat = entries[:, None] + (heights - high)[:, None] * slopes[:, None]
            places = np.concatenate([flat, np.broadcast_to(heights[:, None], (*flat.shape[:2], 1))], axis=-1)
            free = reach.free(places.reshape(-1, 3)).reshape(len(entries), -1).min(axis=1)
            found += list(zip(free, entries, slopes, strict=True))
        found.sort(key=lambda item: -float(item[0]))
        low = float(lower[2] + (0.4 if rise > 0.0 else 0.0) * (upper[2] - lower[2]))
        for _, entry, slope in found[:60]:
            place = (float(entry[0]), float(entry[1]), high)
            result.append(Way(bed, place, slope, low, high, shares))
    return result


def _nearby(way: Way, step: float) -> list[Way]:
    """Return a way's neighbours: its line shifted or leant by a step in mm, bent or narrowed otherwise."""
    x, y, z = way.entry
    result = []
    for sign in (-step, step):
        lean, wider = sign / 40.0, 1.0 + sign / 20.0
        result += [
            replace(way, entry=(x + sign, y, z)),
            replace(way, entry=(x, y + sign, z)),
            replace(way, slope=way.slope + np.array([lean, 0.0])),
            replace(way, slope=way.slope + np.array([0.0, lean])),
            replace(way, low=way.low + sign),
            replace(way, high=way.high + sign, entry=(x, y, z + sign)),
            replace(way, shares=way.shares * np.array([wider, 1.0])),
            replace(way, shares=way.shares * np.array([1.0, wider])),
        ]
    return result
