"""The centre line of a rib and its flat section: a smooth curve that carries its own directions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from spineviz.structure import Floats, Points

if TYPE_CHECKING:
    from scipy.interpolate import CubicSpline
    from scipy.spatial import cKDTree

Quadruple = tuple[float, float, float, float]

SPACING = 1.0
"""Samples of the centre line lie this far apart (mm)."""


@dataclass(frozen=True)
class Sections:
    """Height and thickness (mm) and upward facing (degrees) at the neck, the angle, mid-shaft and the end."""

    height: Quadruple
    thickness: Quadruple
    facing: Quadruple

    def half(self, share: Floats, angle: float) -> tuple[Floats, Floats]:
        """Return half of thickness and height at shares of the length, arrays of shape (n,)."""
        place = _places(angle)
        thick, high = (np.interp(share, place, knots) / 2.0 for knots in (self.thickness, self.height))
        return thick, high

    def facing_at(self, share: Floats, angle: float) -> Floats:
        """Return how far the outer face looks up, in radians, at shares of the length."""
        return np.radians(np.interp(share, _places(angle), self.facing))


@dataclass(frozen=True, eq=False)
class Path:
    """A smooth curve through ``places`` (m, 3), mm; ``up`` is the vertebra's superior direction.

    ``angle`` is the index of the place where the rib turns forward.
    """

    places: Floats
    up: Floats
    sections: Sections
    angle: int

    @cached_property
    def along(self) -> Floats:
        """The arc length at every place, mm, shape (m,)."""
        knots, spline = self._raw
        fine = np.linspace(0.0, knots[-1], 801)
        length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(spline(fine), axis=0), axis=1))])
        return np.interp(knots, fine, length)

    @cached_property
    def _raw(self) -> tuple[Floats, CubicSpline]:
        """The curve over the chord length, and the chord length of every place."""
        from scipy.interpolate import CubicSpline

        chords = np.sqrt(np.linalg.norm(np.diff(self.places, axis=0), axis=1))
        knots = np.concatenate([[0.0], np.cumsum(chords)])
        return knots, CubicSpline(knots, self.places, bc_type="natural")

    @property
    def length(self) -> float:
        """The length along the rib, mm."""
        return float(self.along[-1])

    @property
    def share_of_angle(self) -> float:
        """Where the angle lies, as a share of the length."""
        return float(self.along[self.angle] / self.along[-1])

    @cached_property
    def centres(self) -> Floats:
        """Samples of the curve at equal distances, shape (k, 3)."""
        knots, spline = self._raw
        fine = np.linspace(0.0, knots[-1], 4001)
        points = spline(fine)
        length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
        even = np.linspace(0.0, length[-1], max(int(length[-1] / SPACING), 8) + 1)
        return np.asarray(spline(np.interp(even, length, fine)))

    @cached_property
    def _splines(self) -> tuple[CubicSpline, CubicSpline]:
        """The curve and its outward direction over the arc length."""
        from scipy.interpolate import CubicSpline

        s = np.linspace(0.0, self.length, len(self.centres))
        curve = CubicSpline(s, self.centres)
        tangents = _unit(curve(s, 1))
        side = _unit(np.cross(self.up, tangents) * self._turn)
        upward = np.cross(tangents, side) * self._turn
        facing = self.sections.facing_at(s / self.length, self.share_of_angle)[:, None]
        outward = np.cos(facing) * side + np.sin(facing) * upward
        return curve, CubicSpline(s, _smooth(outward))

    @cached_property
    def _turn(self) -> float:
        """+1 where outward is up x tangent, -1 on the other side: away from the curve's middle."""
        middle = self.places[self.angle :].mean(axis=0)
        tangent = self.places[self.angle + 2] - self.places[self.angle]
        outward = np.cross(self.up, tangent)
        return float(np.sign(outward @ (self.places[self.angle + 1] - middle)))

    @cached_property
    def _tree(self) -> cKDTree:
        from scipy.spatial import cKDTree

        return cKDTree(self.centres)

    def tangent(self, along: float) -> Floats:
        """Return the unit vector along the rib, to its end, at an arc length (mm)."""
        return np.asarray(_unit(self._splines[0](along, 1)))

    def outward(self, along: float) -> Floats:
        """Return the unit normal of the outer face at an arc length (mm)."""
        tangent, outward = self.tangent(along), self._splines[1](along)
        return np.asarray(_unit(outward - (outward @ tangent) * tangent))

    def local(self, points: Points) -> tuple[Floats, Floats, Floats, Floats]:
        """Return for points (n, 3) their offsets from the centre line and the share of its length.

        Offsets (mm, each (n,)): outward, upward in the plane of the section, and beyond the nearer end.
        """
        curve, directions = self._splines
        nearest = self._tree.query(points)[1]
        s = nearest * (self.length / (len(self.centres) - 1))
        s = s + np.einsum("ij,ij->i", points - self.centres[nearest], _unit(curve(s, 1)))
        near = np.clip(s, 0.0, self.length)
        s = np.where(near == s, near + np.einsum("ij,ij->i", points - curve(near), _unit(curve(near, 1))), s)
        inside = np.clip(s, 0.0, self.length)
        tangents = _unit(curve(inside, 1))
        outward = directions(inside)
        outward = _unit(outward - np.einsum("ij,ij->i", outward, tangents)[:, None] * tangents)
        upward = np.cross(tangents, outward) * self._turn
        offset = points - curve(inside)
        beyond = np.abs(np.einsum("ij,ij->i", offset, tangents))
        u, v = np.einsum("ij,ij->i", offset, outward), np.einsum("ij,ij->i", offset, upward)
        return u, v, beyond, inside / self.length


def _places(angle: float) -> Floats:
    """Shares of the length at which the sections are given."""
    return np.array([0.0, angle, (1.0 + angle) / 2.0, 1.0])


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def _smooth(rows: Floats, reach: int = 12) -> Floats:
    """Return rows (k, 3) averaged over their neighbours, so that the faces turn without a crease."""
    from scipy.ndimage import gaussian_filter1d

    return _unit(gaussian_filter1d(rows, reach / 2.0, axis=0, mode="nearest"))
