"""A thin sleeve that is swung about the skin while one works through it: what lies around goes with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spineviz import measures
from spineviz.structure import Floats, Points
from spineviz.surgery.retraction.terrain import smooth
from spineviz.surgery.retraction.tube import TubeCorridor, TubePoints

TURNS = tuple(float(turn) for turn in np.arange(0.0, 2 * np.pi, np.pi / 3))
"""In which directions a swung sleeve is looked at."""


@dataclass(frozen=True, eq=False)
class SwingingCorridor(TubeCorridor):
    """The way of a sleeve whose end is swung across its axis, by ``swing`` mm at most, about the skin.

    Its amounts are those of the tube and, where it is swung, how far its end stands aside, in mm towards the
    patient's right and cranially.
    """

    swing: float = 0.0

    def swung(self, right: float = 0.0, cranial: float = 0.0) -> tuple[float, ...]:
        """Return the amounts of the docked sleeve whose end is swung aside, mm."""
        return (*self.full, right, cranial)

    def course(self) -> tuple[tuple[float, ...], ...]:  # type: ignore[override]
        """Return amounts that stand for the whole way of the tissue, the swung sleeve's with them."""
        far = (self.swung(self.swing * np.cos(turn), self.swing * np.sin(turn)) for turn in TURNS)
        return (*super().course(), *far)

    def opened_radius(self, depth: Floats, amounts: tuple[float, ...]) -> Floats:
        """Return the radius (n,) mm to which tissue is opened at depths (n,) mm below the skin."""
        return super().opened_radius(depth, amounts[:3])

    def move(self, points: TubePoints, amounts: tuple[float, ...]) -> Points:
        """Return where prepared points stand at some amounts, world mm (n, 3).

        Each plane across the axis goes aside as the sleeve does there, less and less with the distance; what
        is crowded on one side is stretched on the other.
        """
        moved = super().move(points, amounts[:3])
        if len(amounts) < 5 or not any(amounts[3:]):
            return moved
        shape = measures.table("retraction.tube.swing")
        local = self.frame.to_local(moved)
        away = np.hypot(local[:, 0], local[:, 2])
        share = 1.0 - smooth((away - self.radius - shape["whole"]) / shape["support"])
        held = points.fade * share * np.clip((self.length + local[:, 1]) / self.length, 0.0, 1.0)
        right, cranial = amounts[3:]
        way = right * self.frame.right + cranial * self.frame.superior
        return np.asarray(moved + np.multiply.outer(held, way))
