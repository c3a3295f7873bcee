"""The movement of a fragment that is drawn out: a narrowed tongue on its way, soft to what is around it.

All places are in the site's frame, mm: z is the way out of the body.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spineviz.geometry import volume
from spineviz.structure import Floats, Frame, Points, Surface
from spineviz.surgery.retraction.bone_grid import BoneGrid
from spineviz.surgery.site import Local

Triangles = npt.NDArray[np.integer]

LONGEST = 4.4
"""How many times its length at rest a narrowed fragment may have."""

CLEAR, LOOSENED = 0.4, 6.0
"""How far (mm) the fragment keeps off what is around it, from what rise (mm) of the jaws on."""

NEGLIGIBLE = 0.005
"""What lacks less than this (mm) is far enough off what is around."""

PUSHES, MOST = 8, 4.0
"""How often, and how far at most (mm), parts of the fragment give way to what is around it."""

SPANNED, SPAN, FACES_CLEAR = 4, 2.0, 0.2
"""How often faces give way with a vertex so near (mm) to what is around, and how far off it they keep."""

SWELLS, ROOMY = 5, 1.0
"""How often the fragment swells where it is free, and from what distance (mm) on it is wholly free."""


class Column(NamedTuple):
    """How much of a way's volume (k,) lies below heights ``z`` (k,), mm, for a piece 1 mm² wide at rest."""

    z: Floats
    volume: Floats

    def risen(self, heights: Floats, start: float, end: float) -> Floats:
        """Return to which heights (n,) those of a fragment rise while one rises from start to end.

        Each slice keeps its volume: it becomes longer as it becomes narrower.
        """
        z, volume = self
        way = np.interp(end, z, volume) - np.interp(start, z, volume)
        return np.interp(np.interp(heights, z, volume) + way, volume, z)


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

    @property
    def direction(self) -> Floats:
        """The line's direction (3,), 1 mm high."""
        return np.array([*self.slope, 1.0])

    def width(self, z: Floats) -> Floats:
        """Return the shares (..., 2) of the width at rest that are left at heights (...)."""
        return self.shares ** self._narrowed(z)[..., None]

    def section(self, z: Floats) -> tuple[Floats, Floats]:
        """Return the middle line and the shares of the width, (..., 2) each, at heights (...)."""
        narrowed = self._narrowed(z)[..., None]
        line = np.asarray(self.entry[:2]) + (z - self.entry[2])[..., None] * self.slope
        return self.bed + narrowed * (line - self.bed), self.shares**narrowed

    def streamlines(self, points: Points, heights: Floats) -> Floats:
        """Return where points (n, 3) pass heights (n, m): places (n, m, 3)."""
        (middle, width), (line, widths) = self.section(points[:, 2]), self.section(heights)
        flat = line + ((points[:, :2] - middle) / width)[:, None] * widths
        return np.concatenate([flat, heights[..., None]], axis=-1)

    def risen(self, heights: Floats, start: float, end: float) -> Floats:
        """Return to which heights (n,) those of the fragment rise while one rises from start to end."""
        return self.column(heights, start, end).risen(heights, start, end)

    def column(self, heights: Floats, start: float, end: float) -> Column:
        """Return the column through which heights (n,) rise while one rises from start to end at most."""
        low = min(float(heights.min()), start)
        top = max(end, self.high) + LONGEST * (float(heights.max()) - low) + 10.0
        z = np.linspace(low, top, 4000)
        area = self.width(z).prod(axis=-1)
        return Column(z, np.concatenate([[0.0], np.cumsum((area[1:] + area[:-1]) / 2 * np.diff(z))]))

    def _narrowed(self, z: Floats) -> Floats:
        share = np.minimum(np.maximum((z - self.low) / (self.high - self.low), 0.0), 1.0)
        return share * share * (3 - 2 * share)


@dataclass(frozen=True, eq=False)
class Removal:
    """The warp of a fragment that is drawn out; its one amount is how far (mm) the jaws have risen.

    ``rest`` (n, 3) mm is in the world. ``grasp`` is where the jaws hold it at rest, ``narrow`` the height to
    which they have risen when all of it has been narrowed; from there on it moves as one piece along the
    way's line. Where it comes too near to what is around it, it gives way, and swells by as much where it is
    free: ``around`` tells the distance from that in the world, ``gap`` (n,) how far (mm) each vertex stays
    off it at rest, at most CLEAR; ``faces`` (m, 3) join the vertices.
    """

    site: Frame
    way: Way
    rest: Points
    faces: Triangles
    grasp: Local
    narrow: float
    around: BoneGrid
    gap: Floats

    def __call__(self, amounts: tuple[float, ...]) -> Points:
        """Return the vertices (n, 3), mm, in the world. Raises ValueError for an amount below 0."""
        if len(amounts) != 1 or amounts[0] < 0.0:
            raise ValueError(f"a removal has one amount, the jaws' rise of 0 mm or more, not {amounts}")
        if amounts[0] == 0.0:
            return self.rest
        start = self.grasp[2]
        end = min(start + amounts[0], self.narrow)
        local = self.local
        heights = self.column.risen(local[:, 2], start, end)
        places = self.way.streamlines(local, heights[:, None])[:, 0]
        world = self.site.to_parent(places + (start + amounts[0] - end) * self.way.direction)
        return self._yielding(world, min(amounts[0] / LOOSENED, 1.0))

    def _yielding(self, points: Points, share: float) -> Points:
        """Return points (n, 3) in the world, with those too near to what is around pushed off it."""
        wanted = self.gap + share * (CLEAR - self.gap)
        moved, within = points.copy(), np.arange(len(points))
        off = np.full(len(points), np.inf)
        for _ in range(PUSHES):
            cells = self.around.cells(moved[within])
            off[within] = distance = self.around.distance(cells)
            low = np.flatnonzero(distance < wanted[within] - NEGLIGIBLE)
            if not len(low):
                break
            within = within[low]
            gradient = self.around.gradient(cells.of(low))
            moved[within] += (wanted[within] - distance[low])[:, None] * gradient
        near = _touched(self.faces, off < SPAN)
        for _ in range(SPANNED):
            way = self._spanning(moved, near, share * FACES_CLEAR)
            moved += way
            near = _touched(near, (way != 0.0).any(axis=1))  # what has not moved stands as far off as before
        way = moved - points
        length = np.linalg.norm(way, axis=1, keepdims=True)
        pushed = points + way * np.minimum(1.0, MOST / np.maximum(length, 1e-9))
        return self._swollen(pushed, wanted)

    def _spanning(self, points: Points, near: Triangles, clear: float) -> Points:
        """Return the movement (n, 3) that brings faces ``near`` (m, 3) what is around ``clear`` mm off it."""
        first, second, third = near.T
        cells = self.around.cells((points[first] + points[second] + points[third]) / 3)
        off = self.around.distance(cells)
        low = np.flatnonzero(off < clear - NEGLIGIBLE)
        way = (clear - off[low])[:, None] * self.around.gradient(cells.of(low))
        corners = near[low].ravel()
        count = np.bincount(corners, minlength=len(points))
        total = [np.bincount(corners, np.repeat(way[:, k], 3), len(points)) for k in range(3)]
        return np.stack(total, axis=1) / np.maximum(count, 1)[:, None]

    def _swollen(self, points: Points, wanted: Floats) -> Points:
        """Return points (n, 3) in the world swollen to the volume at rest where they are free.

        None comes nearer to what is around than the distance ``wanted`` (n,), mm.
        """
        for _ in range(SWELLS):
            first, second, third = (points[self.faces[:, k]] for k in range(3))
            doubled = np.cross(second - first, third - first)
            missing = self.whole - float(np.einsum("ij,ij->", first, doubled)) / 6
            if missing <= 0.0:
                break
            shares = [np.bincount(self.corners, np.repeat(doubled[:, k], 3), len(points)) for k in range(3)]
            outward = np.stack(shares, axis=1)
            size = np.linalg.norm(outward, axis=1)
            free = np.clip((self.around.distance(self.around.cells(points)) - wanted) / ROOMY, 0.0, 1.0)
            gain = float(free @ size) / 6  # of volume for each mm of swelling
            if gain <= 0.0:
                break
            step = min(missing / gain, ROOMY) * free / np.maximum(size, 1e-12)
            points = points + step[:, None] * outward
        return points

    @cached_property
    def local(self) -> Points:
        """The vertices (n, 3) at rest in the site's frame."""
        return self.site.to_local(self.rest)

    @cached_property
    def column(self) -> Column:
        """The column through which the fragment rises until all of it has been narrowed."""
        return self.way.column(self.local[:, 2], self.grasp[2], self.narrow)

    @cached_property
    def whole(self) -> float:
        """The fragment's volume at rest, mm³."""
        return volume(Surface(self.rest, self.faces))

    @cached_property
    def corners(self) -> Triangles:
        """The vertices of all faces, one after the other."""
        return self.faces.ravel()

    def held(self, rise: float) -> Floats:
        """Return where (3,) in the site's frame the jaws stand when they have risen by some mm."""
        end = min(self.grasp[2] + rise, self.narrow)
        place = self.way.streamlines(np.array([self.grasp]), np.array([[end]]))[0, 0]
        return place + (self.grasp[2] + rise - end) * self.way.direction


def _touched(faces: Triangles, chosen: npt.NDArray[np.bool_]) -> Triangles:
    """Return those ``faces`` (m, 3) that have one of the vertices ``chosen`` (n,)."""
    first, second, third = faces.T
    return faces[chosen[first] | chosen[second] | chosen[third]]
