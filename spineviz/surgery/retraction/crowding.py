"""How fascia, fat and skin keep their volume beside a midline wound: crowded they rise, else they sink."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from spineviz.structure import Floats, Points
from spineviz.terms import SIGN

if TYPE_CHECKING:
    from spineviz.surgery.retraction.midline import MidlineWound

HEIGHTS, BESIDE = (1.0 / 6.0, 0.5, 5.0 / 6.0), 0.5
"""At which shares of its height a layer's crowding is looked at, and over how many mm."""

WIDENED = (0.35, 2.5)
"""Crowded tissue grows no thicker, and stretched tissue no thinner, than for these widths."""


@dataclass(frozen=True, eq=False)
class Crowding:
    """The points, by ``index`` (m,), that lie ``over`` (m,) mm above the fascia's underside along the axis.

    There the map widens tissue by the shares ``widened`` (2, k, m): at full superficial and at full deep
    opening, at some heights between the underside and the point.
    """

    index: npt.NDArray[np.intp]
    over: Floats
    widened: Floats

    def rise(self, amounts: tuple[float, ...]) -> Floats:
        """Return how much (m,) mm the points rise over the underside; so the layers keep their volume."""
        superficial, deep = amounts
        width = 1.0 + superficial * self.widened[0] + deep * self.widened[1]
        return np.asarray(self.over * (1.0 / np.clip(width, *WIDENED) - 1.0).mean(axis=0))


def crowding(wound: MidlineWound, points: Points) -> tuple[Crowding, Points]:
    """Return the crowding above the fascia at world points (n, 3), and the points (n, 3) brought under it."""
    over = _over(wound, points)
    index, under = np.flatnonzero(over > 0.0), points.copy()
    under[index] += np.multiply.outer(over[index], wound.frame.anterior)
    return Crowding(index, over[index], _widened(wound, under[index], over[index])), under


def _over(wound: MidlineWound, points: Points) -> Floats:
    """Return how far (n,) mm along the axis points (n, 3) stand over the fascia's underside; 0 below."""
    over, steep = np.zeros(len(points)), float(wound.frame.anterior[1])
    for _ in range(3):
        foot = points + np.multiply.outer(over, wound.frame.anterior)
        over = np.maximum(over + wound.underside.height(foot) / steep, 0.0)
    return over


def _widened(wound: MidlineWound, under: Points, over: Floats) -> Floats:
    """Return by how much (2, k, n) the map widens tissue at heights between the underside and the points."""
    result = np.zeros((2, len(HEIGHTS), len(over)))
    for k, share in enumerate(HEIGHTS):
        x, z, c, level = wound.beside_slit(under - np.multiply.outer(share * over, wound.frame.anterior))
        diseased, away = x * SIGN[wound.side] > 0.0, np.abs(x)
        near, far = (wound.sideways(away + step, z, c, level) for step in (0.0, BESIDE))
        for row, amounts in enumerate(((1.0, 0.0), (0.0, 1.0))):
            result[row, k] = wound.widths(level, amounts, diseased) * (far - near) / BESIDE
    return result
