"""The bone under the muscles of the back, as seen from behind: a floor, and the line of the spines.

World frame, mm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse
from scipy.sparse.linalg import spsolve

from spineviz import measures
from spineviz.anatomy.back.height_map import HeightMap
from spineviz.anatomy.bone import LevelBone
from spineviz.structure import Floats
from spineviz.terms import LEVELS, Level, region_of

Mask = npt.NDArray[np.bool_]


def floor_field(bones: Mapping[Level, LevelBone], seen: HeightMap, ribs: HeightMap) -> HeightMap:
    """Return the bony floor under the muscles: laminae, articular and transverse processes, ribs, sacrum.

    ``seen`` is the `bone_from_behind` of the same bones and ``ribs`` the `ribs_from_behind`. Spinous
    processes are left out, and so is what
    is seen through a gap between the bones, such as the back of a vertebral body through an interlaminar
    window; beside the canal, the sacrum's back is the floor however far forward it slopes. The gaps are
    spanned by a surface hung between their edges and raised over the ligamentum flavum, so that it never
    enters the canal.
    """
    shape = measures.table("muscles.floor")
    x, z = seen.plan
    depth = _canal_depth(bones, z[0]) + shape["deepest_behind_canal"]
    beside = (np.abs(x) > shape["sacral_side"]) & (z < _sacral_canal(bones))
    known = np.isfinite(seen.values) & ((seen.values < depth[None, :]) | beside)
    window = _windows(known, np.abs(x[:, 0]), shape)
    known &= np.abs(x) > shape["spinous_half_width"]
    known = ndimage.binary_opening(known, np.ones((3, 3)))
    hard = np.where(known, seen.values, np.inf)
    hard = np.minimum(
        hard, np.where(np.abs(x) > shape["spinous_half_width"], ribs.values - shape["on_ribs"], np.inf)
    )
    known = np.isfinite(hard)
    filled = _hung(np.where(known, hard, 0.0), known)
    inside = np.clip(ndimage.distance_transform_edt(window) / shape["window_rim"], 0.0, 1.0)
    filled = filled - shape["window_cover"] * inside * np.clip(2.0 - np.abs(x) / 9.0, 0.0, 1.0)
    closed = np.where(window, _closed(filled, shape["window_closing"]), _closed(filled, shape["closing"]))
    return HeightMap(seen.lower, seen.step, ndimage.gaussian_filter(closed, shape["blur"]))


def _sacral_canal(bones: Mapping[Level, LevelBone]) -> float:
    """Return the height of the sacral canal's upper end; -inf without the sacrum."""
    return float(bones["S1"].landmarks["canal"].origin[2]) if "S1" in bones else -np.inf


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
    order = sorted(bones, key=LEVELS.index, reverse=True)
    line = [bones[level].landmarks["canal"].origin for level in order]
    if order[0] == "S1":
        axis = bones["S1"].landmarks["canal"].superior
        line.insert(0, line[0] - axis * 60.0 / max(float(axis[2]), 0.2))
    points = np.array(line)
    return np.interp(z, points[:, 2], points[:, 1])


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

    ``seen`` is the `bone_from_behind` of the same bones. Nowhere near the midline is bone behind it. In the
    neck it is the free edge of the nuchal ligament.
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
    caught = ndimage.maximum_filter1d(np.maximum(line - profile, 0.0), int(shape["line_blur"]))
    line = line - ndimage.gaussian_filter1d(caught, shape["line_blur"], mode="nearest")
    line = np.minimum(line, _nuchal(bones, heights))
    return lambda asked: np.interp(asked, heights, line)


def _nuchal(bones: Mapping[Level, LevelBone], heights: Floats) -> Floats:
    """Return the y of the nuchal ligament's free edge at heights (n,); +inf below C7 and without a neck."""
    behind = measures.table("muscles.nuchal")
    neck = [
        level for level in sorted(bones, key=LEVELS.index, reverse=True) if region_of(level) == "cervical"
    ]
    if len(neck) < 2:
        return np.full(len(heights), np.inf)
    tips = np.array([bones[level].landmarks["spinous.tip"].origin for level in neck])
    edge = tips[:, 1] - [behind[level] for level in neck]
    line = ndimage.gaussian_filter1d(np.interp(heights, tips[:, 2], edge), 4.0, mode="nearest")
    return np.where(heights < tips[0, 2], np.inf, line)
