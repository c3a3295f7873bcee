"""The window between two laminae as seen from the canal: where its roof lies and where it ends."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import ndimage

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc.space import landmark, middle
from spineviz.structure import Floats, Frame, Points
from spineviz.terms import SIDES

CELL = 0.75
"""Spacing (mm) of the columns that are followed from the canal backwards."""

WIDTH, HEIGHT, DEPTH = 25.5, 27.0, 32.0
"""How far (mm) columns reach to either side, up and down, and backwards."""

TALLEST = 24.0
"""A lamina is taken to be no higher than this (mm)."""

RIDGE = 3.5
"""Nearer to the midline than this (mm) the roof is bridged: the two ligaments meet there."""

START = 3.0
"""Columns start this far (mm) in front of the canal's middle."""


@dataclass(frozen=True, eq=False)
class Roof:
    """The roof of the canal between two laminae, in ``frame`` (world; z down the canal's axis, y anterior).

    ``back`` (i, k) is y (mm) of the roof at x, z = ``CELL`` * index - (WIDTH, HEIGHT): the laminae's
    front, and between them a straight bridge. ``top`` and ``bottom`` (i,) are the z (mm) between which
    a yellow ligament stretches. ``slant`` (i, k) is the cosine of the roof's inclination, ``open`` (i, k)
    is 1 where no lamina lies behind it.
    """

    frame: Frame
    back: Floats
    slant: Floats
    open: Floats
    top: Floats
    bottom: Floats
    lateral: tuple[float, float]
    """x (mm) of the facet on the left and on the right."""

    def at(self, local: Points) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """Return back, slant, open, top and bottom at local points (n, 3)."""
        i = (local[:, 0] + WIDTH) / CELL
        k = (local[:, 2] + HEIGHT) / CELL
        cells = np.stack([i, k])
        back, slant, gap = (
            ndimage.map_coordinates(table, cells, order=1, mode="nearest")
            for table in (self.back, self.slant, self.open)
        )
        index = np.arange(len(self.top))
        return back, slant, gap, np.interp(i, index, self.top), np.interp(i, index, self.bottom)


def flavum_front(vault: Roof, local: Points, thickness: float) -> tuple[Floats, Floats]:
    """Return y (n,) of the front of a yellow ligament at local points, and the roof's slant there."""
    shape = measures.table("flavum.shape")
    back, slant, gap, top, _ = vault.at(local)
    taper = np.clip((top - local[:, 2]) / shape["top_taper"], 0.15, 1.0)
    return back + thickness * taper / slant - shape["overlap"] * gap, slant


@lru_cache(maxsize=32)
def roof(above: LevelBone, below: LevelBone) -> Roof:
    """Find the roof between two bones; it is remembered.

    Raises ValueError where no lamina stands behind the canal.
    """
    frame = middle(landmark(above, "canal"), landmark(below, "canal"))
    xs, zs = (np.arange(-half, half + 0.01, CELL) for half in (WIDTH, HEIGHT))
    upper, lower = (_front(bone, frame, xs, zs) for bone in (above, below))
    start, first = _row(above, frame, zs, "lamina"), _row(below, frame, zs, "lamina")
    end = _edge(upper, lower, start)
    middles = [frame.to_local(landmark(above, f"lamina.{side}").origin)[0] for side in SIDES]
    columns = [int(np.argmin(np.abs(xs - middle))) for middle in middles]
    top = float(np.mean([_top(upper[i], zs, int(end[i]), start) for i in columns]))
    bottom = _bottom(lower, upper, zs, first)
    back = _bridged(upper, lower, zs, end, bottom)
    back = ndimage.gaussian_filter(_shallow(_filled(back), xs), 1.4, mode="nearest")
    slopes = np.gradient(back, CELL)
    slant = 1 / np.sqrt(1 + slopes[0] ** 2 + slopes[1] ** 2)
    beyond = measures.value("flavum.shape.beyond_facet")
    right = float(frame.to_local(landmark(below, "facet.superior.right").origin)[0]) + beyond
    left = float(frame.to_local(landmark(below, "facet.superior.left").origin)[0]) - beyond
    smooth = ndimage.gaussian_filter1d(zs[bottom], 1.5, mode="nearest")
    rows = np.arange(len(zs))
    gap = ndimage.gaussian_filter(((rows > bottom[:, None]) & (rows < end[:, None])).astype(float), 1.0)
    return Roof(frame, back, slant, gap, np.full(len(xs), top), smooth, (left, right))


def _front(bone: LevelBone, frame: Frame, xs: Floats, zs: Floats) -> Floats:
    """Return y (i, k) where columns from the canal backwards meet a bone; nan where they do not."""
    ys = np.arange(START, START - DEPTH, -0.5)
    grid = np.stack(np.meshgrid(xs, ys, zs, indexing="ij"), axis=-1)
    values = bone.grid(frame.to_parent(grid.reshape(-1, 3))).reshape(grid.shape[:3])
    met = values < 0.0
    index = met.argmax(axis=1)
    here = np.take_along_axis(values, index[:, None], axis=1)[:, 0]
    before = np.take_along_axis(values, np.maximum(index - 1, 0)[:, None], axis=1)[:, 0]
    share = np.where(index > 0, before / np.maximum(before - here, 1e-6), 0.0)
    depth = START - 0.5 * (index - 1 + share)
    return np.where(met.any(axis=1), depth, np.nan)


def _row(bone: LevelBone, frame: Frame, zs: Floats, feature: str) -> int:
    """Return the row at the height of both laminae's landmarks."""
    heights = [frame.to_local(landmark(bone, f"{feature}.{side}").origin)[2] for side in SIDES]
    return int(np.clip(np.argmin(np.abs(zs - np.mean(heights))), 0, len(zs) - 1))


def _edge(upper: Floats, lower: Floats, start: int) -> Floats:
    """Return for each column the lowest row (i,) at which the upper bone is met first."""
    seen = ~np.isnan(upper) & ~(lower > upper)
    result = np.empty(len(upper), dtype=int)
    for i, column in enumerate(seen):
        row = start
        while row > 0 and column[row - 1]:
            row -= 1
        while row < len(column) - 1 and not column[row]:
            row += 1
        result[i] = row
    return result


def _top(column: Floats, zs: Floats, end: int, start: int) -> float:
    """Return the z (mm) half-way up the upper lamina in one column."""
    row = start
    while row < len(zs) - 1 and not np.isnan(column[row + 1]):
        row += 1
    share = measures.value("flavum.shape.upper_share")
    return float(zs[end] + share * min(zs[row] - zs[end], TALLEST))


def _bottom(lower: Floats, upper: Floats, zs: Floats, first: int) -> Floats:
    """Return for each column the highest row (i,) at which the lower lamina is met first."""
    seen = ~np.isnan(lower) & ~(upper > lower)
    result = np.empty(len(lower), dtype=int)
    for i, column in enumerate(seen):
        row = first
        while row < len(zs) - 1 and column[row + 1]:
            row += 1
        while row > 0 and not column[row]:
            row -= 1
        result[i] = row
    return result


def _bridged(upper: Floats, lower: Floats, zs: Floats, end: Floats, bottom: Floats) -> Floats:
    """Return the roof (i, k): the upper lamina, and from its edge straight to the lower lamina's edge."""
    depth = measures.value("flavum.shape.edge_depth")
    result = upper.copy()
    for i in range(len(result)):
        low, high = int(bottom[i]), int(end[i])
        foot = lower[i, low] - depth
        result[i, : low + 1] = foot
        if high > low + 1:
            share = (zs[low:high] - zs[low]) / (zs[high] - zs[low])
            result[i, low:high] = foot + share * (upper[i, high] - foot)
    return result


def _shallow(back: Floats, xs: Floats) -> Floats:
    """Return the roof without the notch in front of the spinous process."""
    left, right = int(np.argmin(np.abs(xs + RIDGE))), int(np.argmin(np.abs(xs - RIDGE)))
    share = np.clip((xs + RIDGE) / (2 * RIDGE), 0.0, 1.0)[:, None]
    floor = (1 - share) * back[left] + share * back[right] - 0.4 * (RIDGE - np.abs(xs))[:, None]
    return np.where(np.abs(xs)[:, None] < RIDGE, np.maximum(back, floor), back)


def _filled(table: Floats) -> Floats:
    """Return a table whose holes take the value of the nearest known cell."""
    holes = np.isnan(table)
    if holes.all():
        raise ValueError("no lamina was found behind the canal; check the canal and lamina landmarks")
    nearest = ndimage.distance_transform_edt(holes, return_distances=False, return_indices=True)
    return table[tuple(nearest)]
