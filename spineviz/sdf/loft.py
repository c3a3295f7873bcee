"""A superelliptic section swept along an axis: the one shape that bony processes are made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from spineviz.structure import Floats, Points, frozen

NEWTON_STEPS = 3
SMALLEST = 0.6
"""Half-widths never fall below this (mm) between two knots, so that a sheet cannot vanish."""


@dataclass(frozen=True)
class Loft:
    """A section swept from ``start`` to ``end`` (mm), with rounded ends; call it with points.

    At each place of the axis the section is a superellipse with half-widths ``across`` (along
    ``reference`` made normal to the axis: the section's u) and ``along`` (its v = axis x u), and with
    ``exponent`` (2 is an ellipse, more is squarer). Both are polynomials through one to four knots.

    ``roll`` (degrees at start and end) turns the section about the axis. ``bow`` (mm along u and v)
    bends the axis at its middle. ``curl`` (1/mm at start and end) bends the section itself into a
    trough: positive opens towards +u. ``caps`` (mm at start and end) are how far the rounded
    ends reach beyond start and end. ``taper`` (at start and end, below 1) narrows the section towards +v
    and widens it as much towards -v: a blade with a ridge.

    Progress along the axis is eased, ``t (2 - t)``, so that nothing changes any more where the end's
    cap begins: the surface is smooth there. Distances come from Newton steps onto the section.
    """

    start: tuple[float, float, float]
    end: tuple[float, float, float]
    across: tuple[float, ...]
    along: tuple[float, ...]
    reference: tuple[float, float, float] = (1.0, 0.0, 0.0)
    roll: tuple[float, float] = (0.0, 0.0)
    bow: tuple[float, float] = (0.0, 0.0)
    curl: tuple[float, float] = (0.0, 0.0)
    caps: tuple[float, float] = (3.0, 3.0)
    exponent: float = 2.0
    taper: tuple[float, float] = (0.0, 0.0)

    def axes(self) -> tuple[Floats, Floats, Floats, float]:
        """Return the unit vectors u, v and axis, and the length from start to end (mm)."""
        return self._axes

    @cached_property
    def _axes(self) -> tuple[Floats, Floats, Floats, float]:
        """The unit vectors u, v and axis, and the length from start to end (mm)."""
        span = np.subtract(self.end, self.start)
        length = float(np.linalg.norm(span))
        axis = span / length
        u = np.asarray(self.reference, dtype=np.float64)
        u = u - (u @ axis) * axis
        u = u / np.linalg.norm(u)
        return frozen(u, np.float64), frozen(np.cross(axis, u), np.float64), frozen(axis, np.float64), length

    def point(self, place: float, u: float = 0.0, v: float = 0.0) -> Floats:
        """Return the point at ``place`` 0..1 of the axis; u, v in half-widths of the section there."""
        eu, ev, axis, length = self._axes
        t = place * (2.0 - place)
        angle = np.radians(self.roll[0] + (self.roll[1] - self.roll[0]) * t)
        along = v * float(polynomial(self.along, np.asarray(t)))
        across = u * float(polynomial(self.across, np.asarray(t)))
        across -= (self.curl[0] + (self.curl[1] - self.curl[0]) * t) * along * along
        c, s, bow = np.cos(angle), np.sin(angle), 4.0 * t * (1.0 - t)
        x = c * across - s * along + self.bow[0] * bow
        y = s * across + c * along + self.bow[1] * bow
        result: Floats = np.asarray(self.start) + axis * length * place + eu * x + ev * y
        return result

    def __call__(self, points: Points) -> Floats:
        """Return the signed distance (mm, negative inside) of points, shape (n, 3) -> (n,)."""
        eu, ev, axis, length = self._axes
        offset = points - np.asarray(self.start)
        reach = offset @ axis
        t = np.clip(reach / length, 0.0, 1.0)
        t = t * (2.0 - t)
        bow = 4.0 * t * (1.0 - t)
        u = offset @ eu - self.bow[0] * bow
        v = offset @ ev - self.bow[1] * bow
        angle = np.radians(self.roll[0] + (self.roll[1] - self.roll[0]) * t)
        c, s = np.cos(angle), np.sin(angle)
        u, v = c * u + s * v, c * v - s * u
        across = np.maximum(polynomial(self.across, t), SMALLEST)
        along = np.maximum(polynomial(self.along, t), SMALLEST)
        curl = self.curl[0] + (self.curl[1] - self.curl[0]) * t
        u = u + curl * np.minimum(v * v, 4.0 * along * along)
        slope = np.minimum(np.abs(2.0 * curl * v), 1.5)
        if self.taper != (0.0, 0.0):
            taper = self.taper[0] + (self.taper[1] - self.taper[0]) * t
            across = np.maximum(across * (1.0 - taper * np.clip(v / along, -1.0, 1.0)), SMALLEST)
        beyond = np.where(reach < 0.0, -reach, np.maximum(reach - length, 0.0))
        cap = np.where(reach < 0.0, self.caps[0], self.caps[1])
        distance = superellipsoid(np.abs(u), np.abs(v), beyond, across, along, cap, self.exponent)
        result: Floats = distance / np.sqrt(1.0 + slope * slope)
        return result


def polynomial(knots: tuple[float, ...], place: npt.ArrayLike) -> Floats:
    """Return the polynomial through equally spaced knots at ``place`` 0..1 (Lagrange)."""
    t = np.asarray(place, dtype=np.float64)
    if len(knots) == 1:
        return np.full_like(t, knots[0])
    return np.polyval(_coefficients(knots), t)


@lru_cache(maxsize=1024)
def _coefficients(knots: tuple[float, ...]) -> Floats:
    """Return the coefficients (n,) of the polynomial through knots, that of the highest power first."""
    nodes = np.linspace(0.0, 1.0, len(knots))
    return frozen(np.linalg.solve(np.vander(nodes), np.asarray(knots, dtype=np.float64)), np.float64)


def superellipsoid(
    u: Floats, v: Floats, w: Floats, across: Floats, along: Floats, cap: Floats, exponent: float | Floats
) -> Floats:
    """Return the signed distance to a superelliptic section with elliptic ends.

    ``u``, ``v``, ``w`` (n,) are absolute offsets from the section's centre (w: beyond the end, 0 within);
    ``across``, ``along``, ``cap`` the half-axes; the exponent may be (n,) too. Each Newton step walks
    down the gradient onto the surface; the length walked is the distance.
    """
    distance = np.zeros_like(u)
    for _ in range(NEWTON_STEPS):
        qu, qv, qw = u / across + 1e-6, v / along + 1e-6, w / cap
        gu, gv = qu ** (exponent - 1.0), qv ** (exponent - 1.0)
        section = (qu * gu + qv * gv) ** (1.0 / exponent)
        level = np.sqrt(section * section + qw * qw)
        factor = section ** (2.0 - exponent) / level
        gu, gv, gw = factor * gu / across, factor * gv / along, qw / (level * cap)
        steepness = np.sqrt(gu * gu + gv * gv + gw * gw)
        walked = (level - 1.0) / steepness
        distance += walked
        scale = walked / steepness
        u, v, w = np.abs(u - scale * gu), np.abs(v - scale * gv), np.abs(w - scale * gw)
    return distance
