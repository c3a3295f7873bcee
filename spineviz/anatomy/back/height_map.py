"""Surfaces over a plan: y for each (x, z). World frame, mm; behind such a surface is posterior, -y."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from spineviz.structure import Floats, Points, frozen


@dataclass(frozen=True, eq=False)
class HeightMap:
    """A surface y(x, z) sampled every ``step`` mm from ``lower`` = (x, z).

    ``values`` has shape (nx, nz), mm; beyond its border the surface goes on level. Where there is a
    ``midline``, x of the samples is counted from there at each z.
    """

    lower: Floats
    step: float
    values: Floats
    midline: Callable[[Floats], Floats] | None = None

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        object.__setattr__(self, "lower", frozen(self.lower, np.float64))
        object.__setattr__(self, "values", frozen(self.values, np.float64))

    @cached_property
    def stretch(self) -> Floats:
        """How much longer the surface is than its plan, (nx, nz): 1 where it faces straight back."""
        along_x, along_z = np.gradient(self.values, self.step)
        return np.sqrt(1.0 + along_x**2 + along_z**2)

    def at(self, x: Floats, z: Floats) -> Floats:
        """Return y (mm) at x and z, shape (n,), by bilinear interpolation."""
        return self._sampled(self.values, x, z)

    def height(self, points: Points) -> Floats:
        """Return how far points (n, 3) stand behind the surface along y, mm; negative in front of it."""
        return self.at(points[:, 0], points[:, 2]) - points[:, 1]

    def behind(self, points: Points) -> Floats:
        """Return about the distance (n,) in mm of points (n, 3) from the surface, positive behind it."""
        return self.height(points) / self._sampled(self.stretch, points[:, 0], points[:, 2])

    def shifted(self, distance: npt.ArrayLike) -> HeightMap:
        """Return the surface moved backward along its normal by ``distance`` mm, a number or (nx, nz)."""
        return replace(self, values=self.values - np.asarray(distance) * self.stretch)

    @property
    def plan(self) -> tuple[Floats, Floats]:
        """The samples' x (nx, 1) and z (1, nz), mm."""
        x = self.lower[0] + self.step * np.arange(self.values.shape[0])
        z = self.lower[1] + self.step * np.arange(self.values.shape[1])
        return x[:, None], z[None, :]

    def _sampled(self, values: Floats, x: Floats, z: Floats) -> Floats:
        if self.midline is not None:
            x = x - self.midline(z)
        index = np.stack([(x - self.lower[0]) / self.step, (z - self.lower[1]) / self.step])
        return ndimage.map_coordinates(values, index, order=1, mode="nearest")
