"""The sheet of the transverse processes: what lies before it, behind it, and beside their tips."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc.space import landmark
from spineviz.anatomy.net import Net
from spineviz.anatomy.relaxed_line import unit
from spineviz.structure import Floats, Points
from spineviz.terms import SIGN, Level, Side

EASED = (5, 3)
"""Over so many rows and columns a sheet gives way to what lies behind it."""

NEAREST = 8
"""Places are told from so many vertices of a sheet together, so that they change smoothly."""


@dataclass(frozen=True, eq=False)
class TransverseSheet:
    """A surface through the transverse processes of one side: ``net`` (n, m, 3), world mm.

    Rows run from above; ``places`` (n,) count the levels of the sheet from 0, its first. Columns run
    laterally; ``offsets`` (m,) are mm from the tips, negative over the processes.
    """

    net: Net
    places: Floats
    offsets: Floats
    sign: float

    @cached_property
    def _ways(self) -> tuple[Net, Net, Net]:
        """Unit vectors (n, m, 3): downwards along the rows, laterally along the columns, and to the front."""
        down, out = (unit_of(np.gradient(self.net, axis=axis)) for axis in (0, 1))
        return down, out, unit_of(np.cross(out, down) * self.sign)

    @property
    def front(self) -> Net:
        """Unit normals (n, m, 3) to the front."""
        return self._ways[2]

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(self.net.reshape(-1, 3))

    def local(self, points: Points) -> tuple[Floats, Floats, Floats]:
        """Return for points (n, 3) their place, their offset, and how far before the sheet they are; mm."""
        rows, columns = self.net.shape[:2]
        away, index = self._tree.query(points, k=NEAREST)
        weights = np.square(away[:, -1:] - away + 1e-3)
        weights /= weights.sum(axis=1, keepdims=True)
        row, column = np.divmod(index, columns)
        step = np.asarray(points)[:, None] - self.net[row, column]
        down, out, front = (np.einsum("nkj,nkj->nk", step, ways[row, column]) for ways in self._ways)
        down, out = (
            part / length[row, column] for part, length in zip((down, out), self._lengths, strict=True)
        )
        place = np.clip(((row + down) * weights).sum(axis=1), -0.5, rows - 0.5)
        offset = np.clip(((column + out) * weights).sum(axis=1), -20.0, columns + 20.0)
        return (
            np.interp(place, np.arange(rows), self.places),
            self.offsets[0] + offset * (self.offsets[1] - self.offsets[0]),
            (front * weights).sum(axis=1),
        )

    @cached_property
    def _lengths(self) -> tuple[Floats, Floats]:
        """How many mm (n, m) a row and a column are from the next."""
        down, out = (np.linalg.norm(np.gradient(self.net, axis=axis), axis=2) for axis in (0, 1))
        return np.maximum(down, 0.2), np.maximum(out, 0.2)


def unit_of(vectors: Net) -> Net:
    """Return vectors (..., 3) at length 1."""
    result: Net = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return result


def transverse_sheet(
    levels: Sequence[Level], bones: Mapping[Level, LevelBone], side: Side, behind: Callable[[Points], Floats]
) -> TransverseSheet:
    """Return the sheet of some neighbouring levels, from above, which keeps before what lies ``behind``.

    It goes on by half a level above the first, and by a whole one below the last. ``behind`` is the distance
    (mm) of world points to the muscles of the back. Raises ValueError where a landmark is missing.
    """
    from scipy.interpolate import PchipInterpolator

    shape, sign = measures.table("transverse_sheet"), SIGN[side]
    offsets = np.arange(-shape["inner"], shape["outer"] + 0.1, shape["column"])
    lines = [_line(bones[level], side, offsets, shape["backwards"]) for level in levels]
    first, last = bones[levels[0]], bones[levels[-1]]
    lines = [lines[0] + 18.0 * first.frame.superior, *lines, lines[-1] - 30.0 * last.frame.superior]
    knots = np.array([-0.6, *range(len(levels)), len(levels)], dtype=np.float64)
    places = np.linspace(knots[0], knots[-1], round((knots[-1] - knots[0]) * shape["rows"]) + 1)
    net = np.asarray(PchipInterpolator(knots, np.array(lines))(places))
    net = ndimage.gaussian_filter1d(net, 1.0, axis=1, mode="nearest")
    sheet = TransverseSheet(net, places, offsets, sign)
    for _ in range(3):
        lack = shape["gap"] - behind(sheet.net.reshape(-1, 3)).reshape(sheet.net.shape[:2])
        lack = ndimage.gaussian_filter(ndimage.maximum_filter(np.maximum(lack, 0.0), EASED), EASED[0] / 3.0)
        if not lack.any():
            break
        sheet = TransverseSheet(sheet.net + lack[..., None] * sheet.front, places, offsets, sign)
    return sheet


def _line(bone: LevelBone, side: Side, offsets: Floats, backwards: float) -> Points:
    """Return places (m, 3) along a transverse process and on beside its tip."""
    tip, pedicle = (landmark(bone, f"{name}.{side}").origin for name in ("transverse", "pedicle"))
    inwards = unit(pedicle - tip)
    outwards = unit(SIGN[side] * bone.frame.right - backwards * bone.frame.anterior)
    share = np.maximum(-offsets, 0.0)[:, None] * inwards + np.maximum(offsets, 0.0)[:, None] * outwards
    return np.asarray(tip + share)
