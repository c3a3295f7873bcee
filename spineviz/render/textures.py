"""Grain of tissues: small pictures that tile, made of formulas, without a file."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from spineviz.render.materials import Grain
from spineviz.structure import Floats, frozen

SIDE = 256
"""Pixels along each side of a tile."""


@cache
def tile(grain: Grain) -> npt.NDArray[np.uint8]:
    """Return a grain (256, 256, 3) that tiles without seams; rows run across the fibres.

    White leaves the tissue's colour as it is. Columns run along the fibres.
    """
    if grain == "fascicles":
        return _fascicles()
    if grain == "cross_fibres":
        return _cross_fibres()
    if grain == "bundles":
        return _bundles()
    if grain == "lobules":
        return _lobules()
    if grain == "cancellous":
        return _cancellous()
    if grain == "fibres":
        return _tinted(_normal(_streaks(3, (90.0, 1.1))), 0.07, (1.0, 1.0, 1.0))
    raise ValueError(f"no texture for the grain '{grain}'")


def _fascicles() -> npt.NDArray[np.uint8]:
    """Long bundles with darker seams between them and paler perimysium on some."""
    bundles = _normal(_streaks(11, (120.0, 4.0)))
    strands = _normal(_streaks(12, (70.0, 1.3)))
    fine = _normal(_streaks(13, (30.0, 0.7)))
    seams = np.clip(-bundles - 0.55, 0, 2.0) * 0.55
    light = 0.88 + 0.055 * bundles + 0.05 * strands + 0.03 * fine - 0.16 * seams
    pale = np.clip(strands * 0.5 + bundles * 0.7 - 1.1, 0, 1.0)[..., None]
    colour = light[..., None] * (1 + pale * np.array([0.04, 0.16, 0.15]))
    return _bytes(colour)


def _cross_fibres() -> npt.NDArray[np.uint8]:
    """Two silvery lattices at an angle to each other, the second one weaker."""
    wave = _normal(_streaks(21, (80.0, 0.8))) * 0.6 + _normal(_streaks(22, (50.0, 1.8))) * 0.4
    slanted = _sheared(_normal(_streaks(23, (80.0, 1.0))), 1)
    other = _sheared(_normal(_streaks(24, (80.0, 1.2))), -2)
    light = 0.93 + 0.016 * wave + 0.022 * slanted + 0.014 * other
    return _bytes(light[..., None] * np.array([1.0, 1.0, 1.0]))


def _bundles() -> npt.NDArray[np.uint8]:
    """Bundles of muscle fibres cut across: red fields, with pale perimysium between them."""
    seam, field = _cells(41, 12)
    finer, grain = _cells(42, 34)
    pale = np.clip(1 - seam / 0.16, 0, 1) * 0.85 + np.clip(1 - finer / 0.30, 0, 1) * 0.22
    depth = (0.82 + 0.035 * field + 0.02 * grain)[..., None] * np.array([1.0, 0.86, 0.86])
    return _bytes(depth + (1 - depth) * np.clip(pale, 0, 1)[..., None])


def _lobules() -> npt.NDArray[np.uint8]:
    """Lobules of fat, with thin septa between them."""
    seam, field = _cells(43, 9)
    septum = np.clip(1 - seam / 0.10, 0, 1)[..., None]
    light = (0.975 + 0.015 * field)[..., None] * np.ones(3)
    return _bytes(light * (1 - septum * np.array([0.10, 0.14, 0.20])))


def _cancellous() -> npt.NDArray[np.uint8]:
    """Cancellous bone: pale trabeculae around small spaces of red marrow."""
    seam, field = _cells(44, 26)
    finer, _ = _cells(45, 47)
    marrow = np.clip(seam / 0.42 - 0.35, 0, 1) * 0.75 + np.clip(finer / 0.5 - 0.5, 0, 1) * 0.25
    depth = (0.84 + 0.03 * field)[..., None] * np.array([1.0, 0.90, 0.86])
    return _bytes(1 + (depth - 1) * np.clip(marrow, 0, 1)[..., None])


def _cells(seed: int, count: int) -> tuple[Floats, Floats]:
    """Return cells, ``count`` along each side of a tile: the way of pixels to the seam, and a value of each.

    The way to the seam is 0 there, and about 1 in the middle of a cell.
    """
    random = np.random.default_rng(seed)
    grid = np.moveaxis(np.indices((count, count)), 0, -1).reshape(-1, 2)
    centres = ((grid + 0.5 + 0.42 * random.uniform(-1, 1, grid.shape)) / count * SIDE) % SIDE
    pixels = np.moveaxis(np.indices((SIDE, SIDE)), 0, -1).reshape(-1, 2) + 0.5
    ways, nearest = cKDTree(centres, boxsize=SIDE).query(pixels, k=2)
    seam = (ways[:, 1] - ways[:, 0]) * count / SIDE
    return seam.reshape(SIDE, SIDE), random.standard_normal(len(grid))[nearest[:, 0]].reshape(SIDE, SIDE)


def _streaks(seed: int, lengths: tuple[float, float]) -> Floats:
    """Return noise stretched along the columns; ``lengths`` are pixels along and across.

    It is blurred among its frequencies: that is as quick for a long blur as for a short one, and tiles.
    """
    noise = np.random.default_rng(seed).standard_normal((SIDE, SIDE))
    along, across = (_frequencies(length) for length in lengths)
    return np.fft.irfft2(np.fft.rfft2(noise) * across[:, None] * along[: SIDE // 2 + 1], s=(SIDE, SIDE))


def _frequencies(length: float) -> Floats:
    """Return what a Gaussian blur of a standard deviation in pixels leaves of each frequency."""
    reach = np.arange(-round(4 * length), round(4 * length) + 1)
    weights = np.exp(-0.5 * (reach / length) ** 2)
    kernel = np.bincount(reach % SIDE, weights / weights.sum(), minlength=SIDE)
    return np.fft.fft(kernel).real


def _sheared(tiled: Floats, turns: int) -> Floats:
    """Slant a tile so that it still tiles: each column is rolled by its share of whole turns."""
    columns = np.arange(SIDE)
    rows = (columns[:, None] + turns * columns[None, :]) % SIDE
    return tiled[rows, columns[None, :]]


def _normal(values: Floats) -> Floats:
    return (values - values.mean()) / values.std()


def _tinted(values: Floats, strength: float, colour: tuple[float, float, float]) -> npt.NDArray[np.uint8]:
    return _bytes((0.93 + strength * 0.5 * values)[..., None] * np.array(colour))


def _bytes(colour: Floats) -> npt.NDArray[np.uint8]:
    return frozen(np.round(np.clip(colour, 0, 1) * 255), np.uint8)
