"""A tube that is tilted where it stands: what lies around turns with it, less and less with the distance."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spineviz import measures
from spineviz.structure import Floats, Frame, Points
from spineviz.surgery.retraction.terrain import smooth
from spineviz.surgery.retraction.tube import TubeCorridor, TubePoints
from spineviz.terms import SIGN

COURSE = (0.35, 0.7, 1.0)
"""At which shares of the tilt tissue is looked at besides."""


@dataclass(frozen=True, eq=False)
class TiltingCorridor(TubeCorridor):
    """The way of a tube that is tilted about the lateral edge of its docked end, so that it looks across.

    Its amounts are those of the tube and, where it is tilted, the angle in degrees behind them; ``tilt`` is
    the whole angle.
    """

    tilt: float = 0.0

    @cached_property
    def pivot(self) -> Floats:
        """The place (3,) in the world about which the tube turns."""
        return np.asarray(self.target + SIGN[self.side] * self.radius * self.frame.right)

    def standing(self, degrees: float) -> tuple[float, ...]:
        """Return the amounts of the docked tube, tilted by an angle in degrees."""
        return (*self.full, degrees)

    def tilted(self, frame: Frame, degrees: float) -> Frame:
        """Return where a frame in the world stands that turns with the tube, by an angle in degrees."""
        turn = self._turn(degrees)
        return Frame(self.pivot + (frame.origin - self.pivot) @ turn.T, frame.axes @ turn.T)

    def _turn(self, degrees: float) -> Floats:
        """Return the rotation (3, 3) in the world: the tube's outer end goes lateral."""
        angle = np.radians(degrees) * SIGN[self.side]
        x, y, z = self.frame.right, self.frame.superior, -self.frame.anterior
        cosine, sine = np.cos(angle), np.sin(angle)
        own = np.stack([x, y, z])
        turned = np.stack([cosine * x - sine * z, y, cosine * z + sine * x])
        return np.asarray(turned.T @ own)

    def course(self) -> tuple[tuple[float, ...], ...]:  # type: ignore[override]
        """Return amounts that stand for the whole way of the tissue, the tilted tube's with them."""
        return (*super().course(), *(self.standing(share * self.tilt) for share in COURSE))

    def opened_radius(self, depth: Floats, amounts: tuple[float, ...]) -> Floats:
        """Return the radius (n,) mm to which tissue is opened at depths (n,) mm below the skin."""
        return super().opened_radius(depth, amounts[:3])

    def move(self, points: TubePoints, amounts: tuple[float, ...]) -> Points:
        """Return where prepared points stand at some amounts, world mm (n, 3).

        What is crowded beside the tilted tube rises, and what is stretched on its other side sinks, so that
        both keep their volume. What rises is sheared as well, and loses on either side what a rise of second
        order gives back: by crowding times height of the first.
        """
        moved = super().move(points, amounts[:3])
        if len(amounts) < 4 or amounts[3] == 0.0:
            return moved
        shape = measures.table("retraction.tube.tilt")
        local = self.frame.to_local(moved)
        away = np.hypot(local[:, 0], local[:, 2])
        share = np.clip((away - self.radius - shape["whole"]) / shape["support"], 0.0, 1.0)
        held = points.fade * smooth((self.radius - local[:, 1]) / self.radius)
        turned = self._rotated(moved, amounts[3] * held * (1.0 - smooth(share)))
        crowded = 6.0 * share * (1.0 - share) / shape["support"] * local[:, 0] / np.maximum(away, 1.0)
        crowded *= SIGN[self.side] * np.tan(np.radians(amounts[3]))
        height = np.minimum(np.maximum(-local[:, 1], 0.0), shape["highest"])
        first = crowded * np.square(height)
        rise = held * shape["rising"] * (first + first * crowded * height)
        return np.asarray(turned - np.multiply.outer(rise, self.frame.anterior))

    def _rotated(self, points: Points, degrees: Floats) -> Points:
        """Return points (n, 3) turned with the tube, each by an angle (n,) in degrees."""
        angle = np.radians(degrees) * SIGN[self.side]
        cosine, sine = np.cos(angle), np.sin(angle)
        away = points - self.pivot
        x, z = away @ self.frame.right, -(away @ self.frame.anterior)
        across = (cosine - 1.0) * x + sine * z
        out = (cosine - 1.0) * z - sine * x
        return np.asarray(
            points + np.multiply.outer(across, self.frame.right) - np.multiply.outer(out, self.frame.anterior)
        )
