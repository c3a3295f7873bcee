"""Which way the displaced disc material leaves: found so that it and the jaws that hold it have room.

All places are in the site's frame, mm: z is the way out of the body.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from scipy.spatial import ConvexHull

from spineviz.sdf import Field
from spineviz.structure import Floats, Frame, Points, Surface
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

    def score(way: Way) -> float:
        room = _room(reach, way, sample, np.array([[x, y, height]]), soft, tool)
        met = min(passing.room(way) - BERTH, 0.0) if len(beside) else 0.0
        return room + PASSING * met + WIDTH * float(np.log(way.shares).sum())

    even = np.full(2, LONGEST**-0.4)
    lines = sorted(_lines(reach, local, even), key=lambda way: -score(way))
    starts = [_widest(reach, way, score) for way in lines[:LINES]]
    starts.sort(key=lambda way: -score(way))
    way = max((_climbed(reach, start, score) for start in starts[:STARTS]), key=score)
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


def _widest(reach: Reach, way: Way, score: Callable[[Way], float]) -> Way:
    """Return the best of a way's widths."""
    ways = [replace(way, shares=np.array(pair)) for pair in product(SHARES, SHARES)]
    return max((wide for wide in ways if _allowed(reach, wide)), key=score)


def _climbed(reach: Reach, way: Way, score: Callable[[Way], float]) -> Way:
    """Return the best way to be found from one by small steps, each as long as it helps."""
    best = score(way)
    for step in (2.0, 1.0, 0.5):
        for _ in range(CLIMBS):
            near = [item for item in _nearby(way, step) if _allowed(reach, item)]
            found = max(near, key=score, default=way)
            if score(found) <= best:
                break
            best, way = score(found), found
    return way


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


def _room(reach: Reach, way: Way, points: Points, grasp: Points, soft: Field, tool: Field) -> float:
    """Return how much room (mm) the fragment's points (n, 3) and the jaws at ``grasp`` (1, 3) have on a way.

    That is where it is narrowest. In the bed the jaws, which can turn there, count only where they come
    nearer to the ``tool`` that holds the nerves than they are when they grasp.
    """
    share = np.concatenate([np.linspace(0.0, 0.48, 25), np.linspace(0.52, 1.0, 9)])
    top = max(reach.top, reach.site.depth + BEYOND)

    def way_of(points: Points) -> Points:
        heights = points[:, 2:] + share * np.maximum(top - points[:, 2:], 0.0)
        return way.streamlines(points, heights).reshape(-1, 3)

    places = way_of(points)
    room = np.minimum(reach.free(places), soft(reach.site.frame.to_parent(places)) + ROOM + TOUCHING)
    jaws = way_of(grasp)
    beside = tool(reach.site.frame.to_parent(jaws))
    beside = beside - min(float(beside[0]), JAWS + ROOM) + ROOM
    room = np.concatenate([room, reach.free(jaws[jaws[:, 2] > way.high]) - JAWS, beside])
    narrowest = np.partition(np.minimum(room, ROOM), NARROWEST)[:NARROWEST]
    return float(narrowest.mean() + narrowest.min()) / 2
