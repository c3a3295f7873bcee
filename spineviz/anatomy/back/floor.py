"""The bone under the muscles of the back, as seen from behind: a floor, and the line of the spines.

World frame, mm. A height map gives the y of a surface for each (x, z); behind it is posterior, -y.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse
from scipy.sparse.linalg import spsolve

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.geometry import DistanceGrid
from spineviz.structure import Floats, Points, frozen
from spineviz.terms import LOWER_LUMBAR_DISCS, Level, levels_of

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class HeightMap:
    """A surface y(x, z) sampled every ``step`` mm from ``lower`` = (x, z).

    ``values`` has shape (nx, nz), mm; beyond its border the surface goes on level.
    """

    lower: Floats
    step: float
    values: Floats

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
        return HeightMap(self.lower, self.step, self.values - np.asarray(distance) * self.stretch)

    @property
    def plan(self) -> tuple[Floats, Floats]:
        """The samples' x (nx, 1) and z (1, nz), mm."""
        x = self.lower[0] + self.step * np.arange(self.values.shape[0])
        z = self.lower[1] + self.step * np.arange(self.values.shape[1])
        return x[:, None], z[None, :]

    def _sampled(self, values: Floats, x: Floats, z: Floats) -> Floats:
        index = np.stack([(x - self.lower[0]) / self.step, (z - self.lower[1]) / self.step])
        return ndimage.map_coordinates(values, index, order=1, mode="nearest")


@dataclass(frozen=True)
class Stations:
    """Heights (world z, mm) that shape parameters are given at, from cranial to caudal.

    They are the top of L3, the discs L3-L4, L4-L5 and L5-S1, and the body of S2; ``cranial`` and
    ``caudal`` are where the muscles are cut off.
    """

    heights: tuple[float, float, float, float, float]
    cranial: float
    caudal: float


def stations(bones: Mapping[Level, LevelBone]) -> Stations:
    """Return the stations of a spine from its endplates; all of L3 to S1 must be given."""
    extent = measures.table("muscles.extent")
    top = float(bones["L3"].landmarks["endplate.superior"].origin[2])
    sacrum = float(bones["S1"].landmarks["endplate.superior"].origin[2])
    middles = [
        float(bones[above].landmarks["endplate.inferior"].origin[2]
              + bones[below].landmarks["endplate.superior"].origin[2]) / 2.0
        for above, below in map(levels_of, LOWER_LUMBAR_DISCS)
    ]  # fmt: skip
    heights = (top, middles[0], middles[1], middles[2], sacrum - extent["second_sacral_body"])
    return Stations(heights, top + extent["above_L3"], sacrum - extent["below_S1_endplate"])


@dataclass(frozen=True, eq=False)
class NearestBone:
    """The signed distance (mm, negative inside) to the nearest of several bones, from their 1 mm grids.

    Farther than ``far`` mm from all of them it tells ``far``.
    """

    grids: tuple[DistanceGrid, ...]
    far: float = 25.0

    def __call__(self, points: Points) -> Floats:
        """Return the distance (n,) at world points (n, 3)."""
        points = np.asarray(points, dtype=np.float64)
        result = np.full(len(points), self.far)
        for grid in self.grids:
            upper = grid.lower + grid.step * (np.array(grid.values.shape) - 1.0)
            near = np.all((points > grid.lower) & (points < upper), axis=1)
            result[near] = np.minimum(result[near], grid(points[near]))
        return result


def bone_distance(bones: Mapping[Level, LevelBone]) -> NearestBone:
    """Return the signed distance (mm, negative inside) to the nearest bone, from the bones' 1 mm grids."""
    return NearestBone(tuple(bone.grid for bone in bones.values()))


def bone_from_behind(bones: Mapping[Level, LevelBone]) -> HeightMap:
    """Return the y of the first bone met from behind; +inf where there is none.

    It covers the muscles' width and length with a margin, one sample a millimetre. The vertebra above
    L3, which is not shown, is taken to repeat L3 as far above it as L3 stands above L4.
    """
    extent = measures.table("muscles.extent")
    span = stations(bones)
    half, margin = extent["map_half_width"], extent["map_margin"]
    x = np.arange(-half, half + 1.0)
    z = np.arange(np.floor(span.caudal - margin), np.ceil(span.cranial + margin) + 1.0)
    values = np.full((len(x), len(z)), np.inf)
    above = bones["L3"].frame.origin - bones["L4"].frame.origin
    for bone, shift in [(bone, np.zeros(3)) for bone in bones.values()] + [(bones["L3"], above)]:
        lower, upper = bone.surface.vertices.min(0) + shift - 1.0, bone.surface.vertices.max(0) + shift + 1.0
        columns = np.ix_((x >= lower[0]) & (x <= upper[0]), (z >= lower[2]) & (z <= upper[2]))
        if not values[columns].size:
            continue
        rows = np.arange(np.floor(lower[1]), np.ceil(upper[1]) + 1.0)
        axes = x[columns[0][:, 0]], rows, z[columns[1][0]]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        distance = bone.grid(grid.reshape(-1, 3) - shift).reshape(grid.shape[:3])
        values[columns] = np.minimum(values[columns], _first_crossing(distance, rows))
    return HeightMap(np.array([x[0], z[0]]), 1.0, values)


def _first_crossing(distance: Floats, rows: Floats) -> Floats:
    """Return where (nx, nz) distances (nx, ny, nz) first turn negative along rows y (ny,); else +inf."""
    inside = distance < 0.0
    first = np.argmax(inside, axis=1)
    hit = inside.any(axis=1) & (first > 0)
    index = np.maximum(first, 1)[:, None, :]
    after = np.take_along_axis(distance, index, axis=1)[:, 0]
    before = np.take_along_axis(distance, index - 1, axis=1)[:, 0]
    share = np.clip(before / np.where(before - after == 0.0, 1.0, before - after), 0.0, 1.0)
    y = rows[index[:, 0] - 1] + share * (rows[1] - rows[0])
    return np.where(hit, y, np.inf)


def floor_field(bones: Mapping[Level, LevelBone], seen: HeightMap) -> HeightMap:
    """Return the bony floor under the muscles: laminae, articular and transverse processes, sacrum.

    ``seen`` is the `bone_from_behind` of the same bones. Spinous processes are left out, and so is what
    is seen through a gap between the bones, such as the back of a vertebral body through an interlaminar
    window. The gaps are spanned by a surface hung between their edges and raised over the ligamentum
    flavum, so that it never enters the canal.
    """
    shape = measures.table("muscles.floor")
    x, z = seen.plan
    depth = _canal_depth(bones, z[0]) + shape["deepest_behind_canal"]
    known = np.isfinite(seen.values) & (seen.values < depth[None, :])
    window = _windows(known, np.abs(x[:, 0]), shape)
    known &= np.abs(x) > shape["spinous_half_width"]
    known = ndimage.binary_opening(known, np.ones((3, 3)))
    filled = _hung(np.where(known, seen.values, 0.0), known)
    inside = np.clip(ndimage.distance_transform_edt(window) / shape["window_rim"], 0.0, 1.0)
    filled = filled - shape["window_cover"] * inside * np.clip(2.0 - np.abs(x) / 8.0, 0.0, 1.0)
    closed = np.where(window, _closed(filled, shape["window_closing"]), _closed(filled, shape["closing"]))
    return HeightMap(seen.lower, seen.step, ndimage.gaussian_filter(closed, shape["blur"]))


def _windows(bony: Mask, off_midline: Floats, shape: Mapping[str, float]) -> Mask:
    """Return where (nx, nz) no lamina is, near the midline.

    Under the spinous processes, which hide it, a window is as beside them and arches up by ``window_arch``.
    """
    strip = off_midline <= shape["spinous_half_width"]
    beside = (off_midline > shape["spinous_half_width"]) & (off_midline <= shape["spinous_half_width"] + 2.0)
    result = ~bony & (off_midline < shape["window_half_width"])[:, None]
    arch = int(shape["window_arch"])
    result[strip] = ndimage.maximum_filter1d(result[beside].any(axis=0), arch + 1, origin=arch // 2)
    return result


def _closed(values: Floats, size: Sequence[int]) -> Floats:
    """Fill pits of a floor y (nx, nz) that are narrower than ``size`` samples in x and z."""
    return -ndimage.grey_closing(-values, size=tuple(size))


def _canal_depth(bones: Mapping[Level, LevelBone], z: Floats) -> Floats:
    """Return the y of the canal's centre at heights z (n,), going on along the sacral canal below S1."""
    origins = [bones[level].landmarks["canal"].origin for level in ("S1", "L5", "L4", "L3")]
    axis = bones["S1"].landmarks["canal"].superior
    end = origins[0] - axis * 60.0 / max(float(axis[2]), 0.2)
    line = np.array([end, *origins])
    return np.interp(z, line[:, 2], line[:, 1])


def _hung(values: Floats, known: Mask) -> Floats:
    """Fill the unknown part of a grid (nx, nz) by the membrane hung on the known part."""
    shape = values.shape
    number = np.arange(values.size).reshape(shape)
    pairs = [
        np.stack([number[:-1].ravel(), number[1:].ravel()], axis=1),
        np.stack([number[:, :-1].ravel(), number[:, 1:].ravel()], axis=1),
    ]
    a, b = np.vstack([*pairs, *(pair[:, ::-1] for pair in pairs)]).T
    links = sparse.csr_array((np.ones(len(a)), (a, b)), shape=(values.size, values.size))
    laplacian = sparse.csr_array(sparse.diags_array(links.sum(axis=1)) - links)
    free = np.flatnonzero(~known)
    held = np.flatnonzero(known)
    pull = -laplacian[free][:, held] @ values.ravel()[held]
    result = values.copy().ravel()
    result[free] = spsolve(sparse.csc_array(laplacian[free][:, free]), pull)
    return result.reshape(shape)


def spinous_line(bones: Mapping[Level, LevelBone], seen: HeightMap) -> Callable[[Floats], Floats]:
    """Return the line drawn over the tips of the spinous processes and the median sacral crest: z -> y.

    ``seen`` is the `bone_from_behind` of the same bones. Nowhere near the midline is bone behind it.
    """
    shape = measures.table("muscles.floor")
    x, z = seen.plan
    heights = z[0]
    profile = seen.values[np.abs(x[:, 0]) <= shape["spinous_half_width"]].min(axis=0)
    profile = np.where(profile < _canal_depth(bones, heights), profile, np.inf)
    tips = ndimage.minimum_filter1d(profile, int(shape["tip_spacing"]), mode="nearest")
    met = np.isfinite(tips)
    tips = np.interp(heights, heights[met], tips[met])
    line = ndimage.maximum_filter1d(tips, int(shape["tip_spacing"]), mode="nearest")
    for _ in range(4):
        line = ndimage.gaussian_filter1d(np.minimum(line, profile), shape["line_blur"], mode="nearest")
    line = line - ndimage.gaussian_filter1d(np.maximum(line - profile, 0.0), 2.0)
    return lambda asked: np.interp(asked, heights, line)
