"""Which way the displaced disc material leaves: found so that it and the jaws that hold it have room.

All places are in the site's frame, mm: z is the way out of the body.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from spineviz.sdf import Field
from spineviz.structure import Floats, Frame, Points, Surface
from spineviz.surgery.judging import Judge, Judged, Passing
from spineviz.surgery.reach import Reach
from spineviz.surgery.removal import CLEAR, LONGEST, Removal, Way
from spineviz.surgery.retraction.bone_grid import BoneGrid, bone_grid

SHARES = (0.9, 0.8, 0.7, 0.6, 0.5, 0.42, 0.36)
"""The widths to which the fragment may be narrowed, as shares of its width at rest."""

INNER = (0.35, 0.7)
"""Where within the fragment, as shares of the way from its middle, thin things are looked for."""

CLIMBS = 8
"""How often a way is improved by a step."""

CELL = 0.7
"""Spacing (mm) of the grid that tells the fragment what is around it."""

ENTERED = 0.3
"""How deep (mm) the freest way may lead the place that the jaws hold into bone before another is taken."""

SHORTEST = 4.0
"""The least height (mm) over which a way bends and narrows."""

LINES, STARTS = 16, 6
"""How many straight lines are tried in all widths, and from how many of those better ways are looked for."""

HIGHEST = 34.0
"""The height in mm over the docking point up to which bone may stand beside the way."""


def prepare_removal(
    reach: Reach, surface: Surface, grasp: Frame, soft: Field, tool: Field, held: Points
) -> Removal:
    """Return how a fragment comes out through the window of a reach when the jaws hold it at ``grasp``.

    ``soft`` tells the distance in mm of points in the world from what the fragment touches at rest: nerves,
    which are held aside, and ligament; ``tool`` that from the retractor that holds them, and ``held`` (n, 3)
    are points on it, in the world. The fragment is narrowed no more than needed to stay off all that is
    around; where no way is free, the freest is taken, and the fragment gives way on it. The jaws do not:
    where the freest leads them into bone, one is taken that spares that.
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
    lines = _lines(reach, local, np.full(2, LONGEST**-0.4))
    way = _freest(judge, lines)
    if judge.off_bone(way) < -ENTERED:
        way = _freest(replace(judge, sparing=True), lines)
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


def _freest(judge: Judge, lines: Sequence[Way]) -> Way:
    """Return the best way to be found from straight lines."""
    best = judge.best(lines, judge.sparse, LINES)
    starts = sorted((_widest(judge, line) for line in best), key=lambda item: -item.score)
    return max((_climbed(judge, start) for start in starts[:STARTS]), key=lambda item: item.score).way


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
