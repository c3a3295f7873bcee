"""The two large parts of a sacrum: the plate of fused vertebrae, and the first sacral body.

Both are parameter classes whose instances, called with points of shape (n, 3) in the sacrum's local
frame (mm; origin in the centre of the S1 upper endplate, z its normal, y anterior, x right; x must not
be negative), return signed distances (n,), negative inside.
"""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np

from spineviz.sdf import smooth_intersection
from spineviz.spec import Spec
from spineviz.structure import Floats, Points

if TYPE_CHECKING:
    from scipy.interpolate import CubicSpline

Triple = tuple[float, float, float]
Pair = tuple[float, float]
Columns = tuple[float, float, float, float]

COLUMNS = (0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0)
"""Where a wall's four columns stand, in half-widths: midline, foramina, lateral mass, margin."""


@cache
def cardinals() -> CubicSpline:
    """Return the columns' cardinal functions of the place across, level at the midline."""
    from scipy.interpolate import CubicSpline

    return CubicSpline(COLUMNS, np.eye(4), bc_type=((1, np.zeros(4)), (2, np.zeros(4))))


class Auricular(Spec):
    """The L-shaped joint surface for the ilium, raised a little from the lateral surface.

    ``cranial``, ``corner`` and ``caudal`` are (y, z) of the ends and the bend of its two limbs;
    ``half_width`` is theirs, ``relief`` how far the surface stands out, over a margin ``border`` mm wide.
    """

    cranial: Pair
    corner: Pair
    caudal: Pair
    half_width: float
    relief: float
    border: float

    def height(self, y: Floats, z: Floats) -> Floats:
        """Return by how much (mm) the lateral surface is raised at (y, z), arrays of shape (n,)."""
        place = np.column_stack([y, z])
        limbs = (_to_segment(place, self.corner, end) for end in (self.cranial, self.caudal))
        away = np.minimum(*limbs)
        inside = np.clip((self.half_width - away) / self.border + 0.5, 0.0, 1.0)
        return self.relief * inside * inside * (3.0 - 2.0 * inside)


class Walls(Spec):
    """The plate of fused vertebrae between its pelvic and its dorsal wall.

    ``heights`` (m,) are stations in z, from superior to inferior. ``anterior`` and ``posterior``
    (m, 4) are the walls' y in the midline, and at one third, two thirds and the whole half-width;
    ``half_width`` (m,) is the x of the anterior margin and ``flare`` (m,) by how many mm the
    lateral surface gains x per mm of y. ``edge`` (m,) rounds the margins. ``ridges`` are the z of the
    transverse lines across the bodies, ``ridge_height`` high and ``ridge_reach`` wide to each side.
    The inferior end is a plane through ``apex`` (y, z; the last station where not given) that faces
    ``apex_tilt`` degrees to anterior.
    """

    heights: tuple[float, ...]
    anterior: tuple[Columns, ...]
    posterior: tuple[Columns, ...]
    half_width: tuple[float, ...]
    flare: tuple[float, ...]
    edge: tuple[float, ...]
    ridges: tuple[float, ...]
    ridge_height: float
    ridge_reach: float
    auricular: Auricular
    apex: Pair | None = None
    apex_tilt: float = 0.0

    @property
    def end(self) -> Pair:
        """The middle of the inferior end, (y, z)."""
        middle = (self.anterior[-1][0] + self.posterior[-1][0]) / 2.0
        return (middle, self.heights[-1]) if self.apex is None else self.apex

    @cached_property
    def _along(self) -> CubicSpline:
        """All stations' numbers as one spline in z: 4 anterior, 4 posterior, half-width, flare, edge."""
        rows = np.column_stack([self.anterior, self.posterior, self.half_width, self.flare, self.edge])
        from scipy.interpolate import CubicSpline

        return CubicSpline(self.heights[::-1], rows[::-1], bc_type="natural")

    def wall(self, x: Floats, z: Floats, posterior: bool) -> Floats:
        """Return the y of a wall at (x, z), arrays of shape (n,)."""
        rows = self._along(self._clipped(z))
        place = np.clip(np.abs(x) / rows[:, 8], 0.0, 1.2)
        columns = rows[:, 4:8] if posterior else rows[:, :4]
        return np.einsum("ij,ij->i", cardinals()(place), columns)

    def _clipped(self, z: Floats) -> Floats:
        return np.clip(z, self.heights[-1], self.heights[0])

    def _transverse_lines(self, x: Floats, z: Floats) -> Floats:
        """By how much the transverse lines raise the anterior wall (mm)."""
        fade = np.exp(-((x / self.ridge_reach) ** 4))
        return self.ridge_height * fade * sum(np.exp(-(((z - ridge) / 1.8) ** 2)) for ridge in self.ridges)

    def __call__(self, points: Points) -> Floats:
        """Return the signed distance (mm, negative inside) of points, shape (n, 3) -> (n,)."""
        x, y, z = points.T
        height = self._clipped(z)
        rows, slopes = self._along(height), self._along(height, 1)
        slopes = np.where((height == z)[:, None], slopes, 0.0)
        width, flare, edge = rows[:, 8], rows[:, 9], rows[:, 10]
        place = np.clip(x / width, 0.0, 1.2)
        basis, rise = cardinals()(place), cardinals()(place, 1)
        sides = []
        for first, sign in ((0, 1.0), (4, -1.0)):
            columns, change = rows[:, first : first + 4], slopes[:, first : first + 4]
            across = np.einsum("ij,ij->i", rise, columns)
            along = np.einsum("ij,ij->i", basis, change) - across * place * slopes[:, 8] / width
            steepness = np.sqrt(1.0 + (across / width) ** 2 + along**2)
            sides.append(sign * (y - np.einsum("ij,ij->i", basis, columns)) / steepness)
        sides[0] -= self._transverse_lines(x, z)
        lateral = (x - width - flare * (y - rows[:, 3])) / np.sqrt(1.0 + slopes[:, 8] ** 2 + flare**2)
        lateral -= self.auricular.height(y, z)
        plate = _rounded(_rounded(sides[0], sides[1], edge), lateral, edge)
        return smooth_intersection(plate, np.maximum(z - self.heights[0], self._below(y, z)), 4.0)

    def _below(self, y: Floats, z: Floats) -> Floats:
        """Distance to the inferior end: positive below it."""
        tilt = np.radians(self.apex_tilt)
        middle, height = self.end
        return (height - z) * np.cos(tilt) + (y - middle) * np.sin(tilt)


class Body(Spec):
    """The first sacral body with its upper endplate; its other end is lost inside the plate.

    ``half_width``, ``front``, ``back`` and ``centre`` (y) are given at the endplate and at ``height``
    below it. The endplate sinks by ``concavity`` inside its rim, which lies at z = 0 and is
    ``edge`` mm round; ``exponents`` shape the anterior and the posterior half of the outline.
    """

    height: float
    half_width: tuple[float, float, float]
    front: tuple[float, float, float]
    back: tuple[float, float, float]
    centre: tuple[float, float, float]
    exponents: tuple[float, float]
    concavity: float
    steepness: float
    edge: float

    def __call__(self, points: Points) -> Floats:
        """Return the signed distance (mm, negative inside) of points, shape (n, 3) -> (n,)."""
        x, y, z = points.T
        t = np.clip(-z / self.height, -0.1, 1.1)
        width, front, back, centre = (
            _parabola(knots, t) for knots in (self.half_width, self.front, self.back, self.centre)
        )
        offset = y - centre
        depth = np.where(offset > 0.0, front, back)
        exponent = np.where(offset > 0.0, *self.exponents)
        qx, qy = np.abs(x) / width + 1e-6, np.abs(offset) / depth + 1e-6
        gx, gy = qx ** (exponent - 1.0), qy ** (exponent - 1.0)
        power = qx * gx + qy * gy
        radius = power ** (1.0 / exponent)
        side = (radius - 1.0) / (power ** (1.0 / exponent - 1.0) * np.hypot(gx / width, gy / depth))
        dish = self.concavity * (1.0 - np.clip(radius, 0.0, 1.0) ** self.steepness)
        rim = 0.25 * self.edge * 0.5
        top = z - rim + dish
        return smooth_intersection(smooth_intersection(side, top, self.edge), -self.height - z, 1.0)


def _parabola(knots: Triple, t: Floats) -> Floats:
    """Return the parabola through knots at 0, 1/2 and 1."""
    a, b, c = knots
    return a + t * (4.0 * b - 3.0 * a - c) + t * t * (2.0 * a + 2.0 * c - 4.0 * b)


def _rounded(a: Floats, b: Floats, radius: Floats) -> Floats:
    """Intersect two distances with a rounding that changes from place to place."""
    overlap = np.maximum(radius - np.abs(a - b), 0.0)
    return np.maximum(a, b) + overlap * overlap / (4.0 * radius)


def _to_segment(place: Floats, start: Pair, end: Pair) -> Floats:
    """Return the distance of points in a plane, shape (n, 2), to a segment."""
    a, span = np.asarray(start), np.subtract(end, start)
    t = np.clip((place - a) @ span / float(span @ span), 0.0, 1.0)
    return np.linalg.norm(place - a - t[:, None] * span, axis=1)
