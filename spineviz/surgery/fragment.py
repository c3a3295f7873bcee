"""The displaced disc material on its way out: soft, it follows the jaws as a narrowed tongue.

All places are in the site's frame, mm: z is the way out of the body.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from spineviz.structure import Floats, Frame, Points, Surface
from spineviz.surgery.reach import Reach
from spineviz.surgery.site import Local, Site

ROOM = 0.3
"""Clearance in mm beyond which a way for the fragment is as good as any wider one."""

SHARES = (0.9, 0.8, 0.7, 0.6, 0.5, 0.42)
"""The widths to which the fragment may be narrowed, as shares of its width at rest."""

LONGEST = 3.7
"""How many times its length at rest a narrowed fragment may have."""

HIGHEST = 34.0
"""The height in mm over the docking point up to which bone may stand beside the way."""

STAGES = 48
"""How many surfaces show the fragment while it is being narrowed."""


@dataclass(frozen=True, eq=False)
class Way:
    """The way of a fragment from its bed to the wound: a bent middle line, and how narrow it is.

    Up to the height ``low`` the line stands on ``bed``, from ``high`` on it is the straight line through
    ``entry``, which rises by ``slope`` (2,) mm across for each mm; the widths in x and y change there from
    those at rest to the ``shares`` (2,) of them.
    """

    bed: Floats
    entry: Local
    slope: Floats
    low: float
    high: float
    shares: Floats

    def middle(self, z: Floats) -> Floats:
        """Return the middle line (..., 2) at heights (...)."""
        line = np.asarray(self.entry[:2]) + (z - self.entry[2])[..., None] * self.slope
        return self.bed + self._narrowed(z)[..., None] * (line - self.bed)

    def width(self, z: Floats) -> Floats:
        """Return the shares (..., 2) of the width at rest that are left at heights (...)."""
        return self.shares ** self._narrowed(z)[..., None]

    def streamlines(self, points: Points, heights: Floats) -> Floats:
        """Return where points (n, 3) pass heights (n, m): places (n, m, 3)."""
        across = (points[:, :2] - self.middle(points[:, 2])) / self.width(points[:, 2])
        flat = self.middle(heights) + across[:, None] * self.width(heights)
        return np.concatenate([flat, heights[..., None]], axis=-1)

    def risen(self, heights: Floats, start: float, end: float) -> Floats:
        """Return to which heights (n,) those of the fragment rise while one rises from start to end.

        Each slice keeps its volume: it becomes longer as it becomes narrower.
        """
        low = min(float(heights.min()), start)
        top = max(end, self.high) + LONGEST * (float(heights.max()) - low) + 10.0
        z = np.linspace(low, top, 4000)
        area = self.width(z).prod(axis=-1)
        volume = np.concatenate([[0.0], np.cumsum((area[1:] + area[:-1]) / 2 * np.diff(z))])
        way = np.interp(end, z, volume) - np.interp(start, z, volume)
        return np.interp(np.interp(heights, z, volume) + way, volume, z)

    def _narrowed(self, z: Floats) -> Floats:
        share = np.clip((z - self.low) / (self.high - self.low), 0.0, 1.0)
        return share * share * (3 - 2 * share)


@dataclass(frozen=True, eq=False)
class Removal:
    """The warp of a fragment that is drawn out; its one amount is 0 at rest and 1 where all of it is narrow.

    ``rest`` (n, 3) mm in the world. ``grasp`` is the height at which the jaws hold it at rest,
    ``narrow`` that to which they have risen when all of it has been narrowed; from there on it moves as one
    piece along the way's line.
    """

    site: Frame
    way: Way
    rest: Points
    grasp: float
    narrow: float

    def __call__(self, amounts: tuple[float, ...]) -> Points:
        """Return the vertices (n, 3), mm, in the world."""
        local = self.site.to_local(self.rest)
        end = self.grasp + amounts[0] * (self.narrow - self.grasp)
        heights = self.way.risen(local[:, 2], self.grasp, end)
        return self.site.to_parent(self.way.streamlines(local, heights[:, None])[:, 0])

    def narrowed(self, height: float) -> float:
        """Return the amount that belongs to a height of the jaws."""
        return float(np.clip((height - self.grasp) / (self.narrow - self.grasp), 0.0, 1.0))

    def shift(self, height: float) -> Floats:
        """Return how far (3,) mm in the world the narrow piece has moved when the jaws stand at a height."""
        beyond = max(height - self.narrow, 0.0)
        return beyond * np.array([*self.way.slope, 1.0]) @ self.site.axes

    def held(self, height: float) -> Local:
        """Return the place on the way's line at a height of the jaws."""
        x, y = self.way.middle(np.asarray(height))
        return (float(x), float(y), height)


def prepare_removal(site: Site, reach: Reach, surface: Surface, grasp: Frame) -> Removal:
    """Return how a fragment comes out through the window of a reach when the jaws hold it at ``grasp``.

    It is narrowed no more than needed to stay off bone and wall; where no way is free, the freest is taken.
    """
    rest = np.asarray(surface.vertices, dtype=np.float64)
    local = site.frame.to_local(rest)
    height = float(site.frame.to_local(grasp.origin)[2])
    loose = local[_free(site, reach, local) > 0.0]
    if len(loose) == 0:
        raise ValueError("the fragment lies in bone; check its place and its size")
    sample = loose[:: max(len(loose) // 70, 1)]
    even = np.full(2, LONGEST**-0.4)
    lines = sorted(_lines(site, reach, local, even), key=lambda way: -_score(site, reach, way, sample))
    ways = [replace(way, shares=np.array(pair)) for way in lines[:24] for pair in product(SHARES, SHARES)]
    allowed = [way for way in ways if way.shares.prod() * LONGEST >= 1.0]
    way = max(allowed, key=lambda way: _score(site, reach, way, sample))
    for step in (1.6, 0.8, 0.4):
        way = max(_nearby(way, step), key=lambda way: _score(site, reach, way, sample))
    deepest = float(local[:, 2].min())
    narrow = float(way.risen(np.array([height]), deepest, way.high)[0])
    return Removal(site.frame, way, rest, height, narrow)


def _lines(site: Site, reach: Reach, local: Points, shares: Floats) -> list[Way]:
    """Return ways of one width along the straight lines that are freest, above the fragment (n, 3)."""
    lower, upper = local.min(axis=0), local.max(axis=0)
    bed = local[:, :2].mean(axis=0)
    result = []
    for rise in (4.0, 8.0, 12.0):
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
            free = _free(site, reach, places.reshape(-1, 3)).reshape(len(entries), -1).min(axis=1)
            found += list(zip(free, entries, slopes, strict=True))
        found.sort(key=lambda item: -float(item[0]))
        low = float(lower[2] + 0.4 * (upper[2] - lower[2]))
        for _, entry, slope in found[:60]:
            place = (float(entry[0]), float(entry[1]), high)
            result.append(Way(bed, place, slope, low, high, shares))
    return result


def _nearby(way: Way, step: float) -> list[Way]:
    """Return a way and its neighbours: its line shifted by a step in mm, bent earlier or later."""
    x, y, z = way.entry
    shifts = (0.0, -step, step)
    return [
        replace(way, entry=(x + right, y + up, z), low=way.low + later)
        for right, up, later in product(shifts, repeat=3)
    ]


def _score(site: Site, reach: Reach, way: Way, points: Points) -> float:
    """Tell how good a way is: first its room, then how wide it leaves the fragment."""
    share = np.linspace(0.0, 1.0, 26)
    heights = points[:, 2:] + share * np.maximum(HIGHEST - points[:, 2:], 0.0)
    places = way.streamlines(points, heights).reshape(-1, 3)
    return min(float(_free(site, reach, places).min()), ROOM) + 0.05 * float(np.log(way.shares).sum())


def _free(site: Site, reach: Reach, places: Points) -> Floats:
    """Return the distance (n,) in mm of places in the site's frame from bone and from the tube's wall."""
    bone = reach.bone(site.frame.to_parent(places))
    if not reach.walled:
        return bone
    outward = np.where(places[:, 2] > 0.0, np.hypot(places[:, 0], places[:, 1]), 0.0)
    return np.minimum(bone, site.room - outward)
