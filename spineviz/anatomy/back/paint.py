"""Fibres of the back: their direction, the relief of their fascicles, and where they are tendon.

World frame, mm. Coordinates run along and across the fibres, measured on the rest shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from spineviz.anatomy.back.height_map import HeightMap
from spineviz.anatomy.back.stations import Stations
from spineviz.anatomy.recipe import Paint
from spineviz.structure import Floats, Points

DEPTH_ACROSS = 0.8
"""How much a millimetre of depth counts as a millimetre across the fibres."""

FULL_WIDTH = 45.0
"""Breadth of erector spinae that its cross coordinate is measured in, mm; narrower parts are gathered."""


class Fibres(Protocol):
    """The fibres of one muscle: paint of its points and the relief of its fascicles."""

    def paint(self, points: Points) -> Paint:
        """Return tint and coordinates of points (n, 3)."""
        ...

    def relief(self, points: Points) -> Floats:
        """Return how far (n,) mm the surface lies below its highest fascicles."""
        ...


def smoothstep(low: float, high: float, value: Floats) -> Floats:
    """Return 0 at ``low`` and before, 1 at ``high`` and after, smoothly; ``high`` may be the smaller one."""
    share = np.clip((value - low) / (high - low), 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)


def strands(across: Floats) -> Floats:
    """Return an uneven 0..1 pattern of strands over the fibres' cross coordinate (mm)."""
    return 0.5 + (np.sin(across * 1.3) + np.sin(across * 0.71 + 1.3) + np.sin(across * 0.37 + 0.4)) / 6.0


def _furrows(along: Floats, across: Floats, width: float) -> Floats:
    """Return 0 on the crest of fascicles about ``width`` mm wide and 1 in the furrows between them."""
    phase = across / width + 0.22 * np.sin(along / 19.0 + across / 5.0) + 0.15 * np.sin(along / 11.0 + 1.0)
    return 0.5 - 0.5 * np.cos(2.0 * np.pi * phase)


def _depth(roof: HeightMap, points: Points) -> Floats:
    return np.maximum(-roof.height(points), 0.0)


@dataclass(frozen=True, eq=False)
class MultifidusFibres:
    """Multifidus: fascicles that leave each spinous tip and run caudally and laterally.

    ``angle`` (degrees) is their angle from the midline as seen from behind; ``tips`` are the heights
    (z, mm) of the spinous tips from below. Fibres gather at the tips.
    """

    sign: float
    roof: HeightMap
    width: float
    height: float
    angle: float
    tips: tuple[float, ...]
    span: Stations

    def paint(self, points: Points) -> Paint:
        """Return tint and coordinates of points (n, 3)."""
        along, across = self._fibres(points)
        depth = _depth(self.roof, points)
        lateral = np.maximum(self.sign * points[:, 0], 0.0)
        pattern = strands(across)
        near_tip = np.exp(-lateral / (2.5 + 6.0 * pattern))
        level = points[:, 2] + 14.0 * pattern - 7.0
        sacral = 0.7 * self._sacral(level)
        surface = 1.0 - smoothstep(1.5, 5.0, depth)
        tint = np.clip(np.maximum(0.95 * near_tip, sacral) * surface, 0.0, 1.0)
        return Paint(tint, np.stack([along, across + DEPTH_ACROSS * depth], axis=1))

    def _sacral(self, z: Floats) -> Floats:
        """Return 1 on the sacrum and 0 above it."""
        if not self.span.has("L5-S1", "S2"):
            return np.zeros(len(z))
        return smoothstep(self.span.at("L5-S1") + 4.0, self.span.caudal, z)

    def relief(self, points: Points) -> Floats:
        """Return how far (n,) mm the surface lies below its highest fascicles."""
        return self.height * _furrows(*self._fibres(points), self.width)

    def _fibres(self, points: Points) -> tuple[Floats, Floats]:
        """Return the coordinates (mm) along and across the fibres as seen from behind."""
        slope = np.radians(self.angle)
        lateral, z = np.maximum(self.sign * points[:, 0], 0.0), points[:, 2]
        origin = z + lateral / np.tan(slope)
        rungs, heights = self._ladder()
        rung = np.interp(origin, heights, rungs)
        gathered = rung + 0.9 * np.exp(-lateral / 14.0) * np.sin(2.0 * np.pi * rung) / (2.0 * np.pi)
        across = np.sin(slope) * np.interp(gathered, rungs, heights)
        return np.sin(slope) * lateral - np.cos(slope) * z, across

    def _ladder(self) -> tuple[Floats, Floats]:
        """Return the spinous tips' numbers and heights, continued evenly above and below."""
        tips = np.array(self.tips)
        spacing = (tips[-1] - tips[0]) / (len(tips) - 1)
        more = spacing * np.arange(1, 13)
        heights = np.concatenate([tips[0] - more[::-1], tips, tips[-1] + more])
        return np.arange(len(heights), dtype=np.float64), heights


@dataclass(frozen=True, eq=False)
class ErectorSpinaeFibres:
    """Erector spinae: nearly longitudinal, gathered caudally; its aponeurosis is pale.

    Longissimus and iliocostalis share their coordinates: ``plane`` and ``border`` give the medial and the
    lateral border (mm from the midline) of both together at z.
    """

    sign: float
    roof: HeightMap
    width: float
    height: float
    plane: Callable[[Floats], Floats]
    border: Callable[[Floats], Floats]
    span: Stations

    def paint(self, points: Points) -> Paint:
        """Return tint and coordinates of points (n, 3)."""
        along, across = self._fibres(points)
        depth = _depth(self.roof, points)
        tint = self._aponeurosis(points[:, 2], across, depth)
        return Paint(tint, np.stack([along, across + DEPTH_ACROSS * depth], axis=1))

    def _aponeurosis(self, z: Floats, across: Floats, depth: Floats) -> Floats:
        """Return where the muscle is pale: below a slanting, frayed line, and not in its depth."""
        if not self.span.has("L2-L3", "L5-S1"):
            return np.zeros(len(z))
        share = np.clip(across / FULL_WIDTH, 0.0, 1.0)
        top, bottom = self.span.at("L2-L3"), self.span.at("L5-S1")
        edge = top + (bottom - top) * (0.35 + 0.65 * share) + 26.0 * (strands(across) - 0.5)
        deepest = 5.0 + 60.0 * smoothstep(bottom + 25.0, bottom - 12.0, z)
        return smoothstep(-3.0, 6.0, edge - z) * (1.0 - smoothstep(0.7, 1.0, depth / deepest))

    def relief(self, points: Points) -> Floats:
        """Return how far (n,) mm the surface lies below its highest fascicles."""
        return self.height * _furrows(*self._fibres(points), self.width)

    def _fibres(self, points: Points) -> tuple[Floats, Floats]:
        """Return the coordinates (mm) along and across the fibres as seen from behind."""
        z = points[:, 2]
        medial, lateral = self.plane(z), self.border(z)
        across = FULL_WIDTH * (self.sign * points[:, 0] - medial) / np.maximum(lateral - medial, 30.0)
        return -z, across


@dataclass(frozen=True, eq=False)
class StraightFibres:
    """A muscle whose fibres run one way, ``angle`` degrees from the midline as seen from behind.

    Above 0 they run caudally and laterally, below 0 cranially and laterally.
    """

    sign: float
    roof: HeightMap
    width: float
    height: float
    angle: float

    def paint(self, points: Points) -> Paint:
        """Return coordinates of points (n, 3), and as tint where the muscle is tendon: at the midline."""
        along, across = self._fibres(points)
        depth = _depth(self.roof, points)
        lateral = np.maximum(self.sign * points[:, 0], 0.0)
        tint = np.exp(-lateral / (1.5 + 3.0 * strands(across))) * (1.0 - smoothstep(1.5, 6.0, depth))
        return Paint(tint, np.stack([along, across + DEPTH_ACROSS * depth], axis=1))

    def relief(self, points: Points) -> Floats:
        """Return how far (n,) mm the surface lies below its highest fascicles."""
        return self.height * _furrows(*self._fibres(points), self.width)

    def _fibres(self, points: Points) -> tuple[Floats, Floats]:
        """Return the coordinates (mm) along and across the fibres as seen from behind."""
        slope = np.radians(self.angle)
        lateral, z = self.sign * points[:, 0], points[:, 2]
        return np.sin(slope) * lateral - np.cos(slope) * z, np.cos(slope) * lateral + np.sin(slope) * z


ANGLES: Mapping[str, float] = {"spinalis": 2.0, "semispinalis": 8.0, "splenius": -24.0}
"""How fibres run, degrees from the midline; see `StraightFibres`."""


def fascia(points: Points) -> Paint:
    """Paint the thoracolumbar fascia: fibres run caudally to the midline, denser white near it."""
    lateral, z = np.abs(points[:, 0]), points[:, 2]
    slope = np.radians(28.0)
    along = np.cos(slope) * lateral + np.sin(slope) * z
    across = np.cos(slope) * z - np.sin(slope) * lateral
    tint = np.exp(-lateral / 9.0)
    return Paint(tint, np.stack([along, across], axis=1))
