"""A distance field sampled on a grid, so that a warp can ask it many times in a frame. World, mm."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spineviz.sdf.solid import Field
from spineviz.structure import Floats, Points, frozen

Index = npt.NDArray[np.intp]


class Cells(NamedTuple):
    """Where points lie among a grid's nodes: the eight nodes (8, n) about each, and their weights (8, n)."""

    nodes: Index
    weights: Floats

    def of(self, chosen: Index) -> Cells:
        """Return the cells of the ``chosen`` (k,) points."""
        return Cells(self.nodes.take(chosen, axis=1), self.weights.take(chosen, axis=1))


@dataclass(frozen=True, eq=False)
class BoneGrid:
    """The bones' distance and its gradient every ``step`` mm in a box, interpolated trilinearly.

    ``counts`` are nx, ny, nz; ``distances`` has shape (nx * ny * nz,), mm, and ``slopes`` (nx * ny * nz, 3),
    both float32.
    """

    lower: Floats
    counts: tuple[int, int, int]
    distances: Floats
    slopes: Points
    step: float = 1.0

    def __call__(self, points: Points) -> tuple[Floats, Points]:
        """Return distances (n,) mm and gradients (n, 3) at points (n, 3)."""
        cells = self.cells(points)
        return self.distance(cells), self.gradient(cells)

    def cells(self, points: Points) -> Cells:
        """Return where points (n, 3) lie; those beyond the box are taken at its border."""
        place = np.minimum(np.maximum((points.T - self._lower) / self.step, 0.0), self._last)
        cell = place.astype(np.intp)
        weights = np.empty((8, len(points)), np.float32)
        x, y, z = place - cell
        plane = weights[::2]
        plane[0], plane[2] = (1.0 - x) * (1.0 - y), x * (1.0 - y)
        plane[1], plane[3] = (1.0 - x) * y, x * y
        np.multiply(plane, z, out=weights[1::2])
        plane -= weights[1::2]
        _, ny, nz = self.counts
        return Cells((cell[0] * ny + cell[1]) * nz + cell[2] + self._corners, weights)

    @cached_property
    def _lower(self) -> Floats:
        return self.lower[:, None]

    @cached_property
    def _last(self) -> Floats:
        return np.array(self.counts)[:, None] - 1.001

    @cached_property
    def _corners(self) -> Index:
        _, ny, nz = self.counts
        return np.array([[(i * ny + j) * nz + k] for i in (0, 1) for j in (0, 1) for k in (0, 1)])

    def distance(self, cells: Cells) -> Floats:
        """Return the distances (n,) mm in some cells."""
        return np.einsum("cn,cn->n", self.distances.take(cells.nodes), cells.weights)

    def gradient(self, cells: Cells) -> Points:
        """Return the gradients (n, 3) of the distance in some cells."""
        return np.einsum("cnk,cn->nk", self.slopes.take(cells.nodes, axis=0), cells.weights)


def bone_grid(bone: Field, points: Points, margin: float = 4.0, step: float = 1.0) -> BoneGrid:
    """Sample a distance field and its gradient every ``step`` mm in the box around points (n, 3)."""
    lower = np.floor(points.min(0) - margin)
    count = np.ceil((points.max(0) + margin - lower) / step).astype(int) + 1
    nodes = step * np.moveaxis(np.indices(tuple(count)), 0, -1) + lower
    distance = bone(nodes.reshape(-1, 3)).reshape(tuple(count))
    slopes: list[Floats] = list(np.gradient(distance))
    gradient = np.stack(slopes, axis=-1)
    gradient /= np.maximum(np.linalg.norm(gradient, axis=-1, keepdims=True), 1e-6)
    nx, ny, nz = (int(number) for number in count)
    return BoneGrid(
        frozen(lower, np.float64),
        (nx, ny, nz),
        frozen(distance.ravel(), np.float32),
        frozen(gradient.reshape(-1, 3), np.float32),
        step,
    )
