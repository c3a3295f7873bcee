"""A curved plate through named places: a sheet over its side view, with a thickness of its own everywhere.

The sheet's x and the thickness are thin-plate splines of (y, z) through the places; the border is a
closed curve through those on the outline, and is as round as the plate is thick there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np

from spineviz.structure import Floats, Points

if TYPE_CHECKING:
    from scipy.interpolate import RectBivariateSpline

Place = tuple[float, float, float, float]
"""x, y, z and the thickness of the plate there, mm."""

CELL = 2.0
"""The splines are tabulated on a grid of this spacing (mm)."""

MARGIN = 24.0
"""How far the tables reach beyond the outline (mm)."""

SMOOTHING = 2.0
"""How stiff the thin-plate splines are: a little above 0, they may miss a place by about a millimetre."""

STEEPEST = 1.6
"""The sheet's slope counts up to this much."""

CALM = 8.0
"""The slope is a mean over about this many mm, so that the plate's faces do not crease where it bends."""

HALF = (1.5, 22.0)
"""Half of the thickness stays between these (mm) where the spline runs beyond the places."""


@dataclass(frozen=True)
class Plate:
    """A plate between places on its ``outline``, in order, and ``inner`` ones; call it with points."""

    outline: tuple[Place, ...]
    inner: tuple[Place, ...]

    @cached_property
    def places(self) -> Floats:
        """Every place, shape (n, 4)."""
        return np.array([*self.outline, *self.inner])

    @cached_property
    def curve(self) -> Floats:
        """The outline as a closed polygon of many corners, (y, z), shape (n, 2)."""
        from scipy.interpolate import CubicSpline

        corners = np.array([*self.outline, self.outline[0]])[:, 1:3]
        chord = np.sqrt(np.linalg.norm(np.diff(corners, axis=0), axis=1))
        along = np.concatenate([[0.0], np.cumsum(chord)])
        spline = CubicSpline(along, corners, bc_type="periodic")
        return np.asarray(spline(np.linspace(0.0, along[-1], 40 * len(self.outline), endpoint=False)))

    @cached_property
    def _tables(self) -> tuple[RectBivariateSpline, ...]:
        """Splines of (y, z): the sheet's x, half the thickness, the way to the outline, the steepness."""
        from scipy.interpolate import RBFInterpolator, RectBivariateSpline
        from scipy.ndimage import gaussian_filter

        lower, upper = self.curve.min(axis=0) - MARGIN, self.curve.max(axis=0) + MARGIN
        y, z = (np.arange(a, b, CELL) for a, b in zip(lower, upper, strict=True))
        grid = np.stack(np.meshgrid(y, z, indexing="ij"), axis=-1).reshape(-1, 2)
        known = np.column_stack([self.places[:, 0], np.log(self.places[:, 3] / 2.0)])
        splines = RBFInterpolator(self.places[:, 1:3], known, kernel="thin_plate_spline", smoothing=SMOOTHING)
        x, half = (column.reshape(len(y), len(z)) for column in splines(grid).T)
        slope = np.minimum(np.hypot(*np.gradient(x, CELL)), STEEPEST)
        tables = (
            x,
            np.exp(np.clip(half, *np.log(HALF))),
            _to_polygon(grid, self.curve).reshape(len(y), len(z)),
            gaussian_filter(np.hypot(1.0, slope), CALM / CELL),
        )
        return tuple(RectBivariateSpline(y, z, table) for table in tables)

    def __call__(self, points: Points) -> Floats:
        """Return the signed distance (mm, negative inside) of points, shape (n, 3) -> (n,)."""
        x, y, z = np.asarray(points, dtype=np.float64).T
        sheet, half, border, steepness = self._tables
        (low_y, high_y), (low_z, high_z) = ((k[0], k[-1]) for k in sheet.get_knots())
        v, w = np.clip(y, low_y, high_y), np.clip(z, low_z, high_z)
        away = np.abs(x - sheet.ev(v, w)) / steepness.ev(v, w)
        thick = half.ev(v, w)
        beyond = np.maximum(border.ev(v, w) + np.hypot(y - v, z - w) + thick, 0.0)
        return np.asarray(np.hypot(away, beyond) - thick)

    def border(self, place: Place) -> Floats:
        """Return the point of the sheet on the outline at one of its places, shape (3,)."""
        return np.asarray(place[:3])

    def corners(self, floor: float) -> Floats:
        """Return the 8 corners of a box (mm) around the plate above z = ``floor``, shape (8, 3)."""
        reach = self.places[:, 3].max() / 2.0 + 4.0
        lower, upper = self.places[:, :3].min(axis=0) - reach, self.places[:, :3].max(axis=0) + reach
        lower[2] = floor - 3.0
        pairs = zip(lower, upper, strict=True)
        return np.stack(np.meshgrid(*pairs, indexing="ij"), axis=-1).reshape(-1, 3)


@cache
def plate_through(outline: tuple[Place, ...], inner: tuple[Place, ...]) -> Plate:
    """Return the plate through some places, with its tables made once."""
    return Plate(outline, inner)


def _to_polygon(points: Floats, corners: Floats) -> Floats:
    """Return the signed distance of points (n, 2) to a closed polygon (m, 2), negative inside."""
    nearest, crossings = np.full(len(points), np.inf), np.zeros(len(points), dtype=int)
    for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        span = b - a
        t = np.clip((points - a) @ span / float(span @ span), 0.0, 1.0)
        nearest = np.minimum(nearest, np.linalg.norm(points - a - t[:, None] * span, axis=1))
        straddles = (a[1] > points[:, 1]) != (b[1] > points[:, 1])
        if straddles.any():
            reached = a[0] + (points[:, 1] - a[1]) / (b[1] - a[1]) * span[0]
            crossings += straddles & (points[:, 0] < reached)
    return np.where(crossings % 2 == 1, -nearest, nearest)
