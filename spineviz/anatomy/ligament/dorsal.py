"""The ligaments behind the laminae, in the midline: between the spinous processes, over their tips, and the
nuchal ligament, which the neck has in the place of a supraspinous one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import ndimage

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc.space import landmark
from spineviz.anatomy.net import Net, pipe, pushed, rings_around, slab, smoothed
from spineviz.anatomy.relaxed_line import unit
from spineviz.anatomy.surroundings import Spine, Surroundings
from spineviz.structure import Floats, Points, Structure, Surface
from spineviz.terms import Level, column, region_of

SIDEWAYS = np.array([1.0, 0.0, 0.0])


def interspinous_ligament(
    above: Level,
    below: Level,
    spine: Spine,
    others: Sequence[Surface] = (),
    cords: Sequence[Surface] = (),
) -> Structure | None:
    """Return ``interspinous.<above>-<below>``: the sheet between two spinous processes, in the world, mm.

    It ends before ``others``, such as the yellow ligaments, and before the ``cords`` over the tips. There is
    none where no process stands over the other. Raises ValueError where a landmark is missing.
    """
    shape = measures.table("interspinous_sheet")
    half = float(measures.value(f"interspinous_half_thickness.{region_of(above)}"))
    share = np.linspace(shape["first"], shape["last"], int(shape["columns"]))
    offsets = np.linspace(-half, half, 5)[:, None] * SIDEWAYS
    foot = _border(spine.of(below), spine.bones[below], share, offsets)
    root, tip = (landmark(spine.bones[above], f"spinous.{name}").origin for name in ("base", "tip"))
    head = root + share[:, None] * (tip - root)
    way = head - foot
    length = np.linalg.norm(way, axis=1)
    way = way / np.maximum(length, 1e-6)[:, None]
    around = spine.of(above, below).and_also(others)
    start = foot + 2 * shape["seam"] * way
    free = np.min([around.ahead(start + offset, way, 60.0) for offset in offsets], axis=0)
    clear = np.min([around.distance(start + offset) for offset in offsets], axis=0) > 0.0
    behind = Surroundings(()).and_also(cords)
    sample = (start[:, None] + np.linspace(0.0, 1.0, 9)[:, None] * (free[:, None] * way)[:, None]).reshape(
        -1, 3
    )
    sample = np.where(np.isfinite(sample), sample, 1e4)
    clear &= (behind.distance(sample).reshape(len(start), -1) > half + 0.1).all(axis=1)
    high = np.minimum(free, length)
    first, last = _longest(clear & (high > shape["lowest"]) & (high < shape["highest"]))
    if last - first < 3:
        return None
    high = _eased(high[first:last], -1.0) - shape["seam"]
    rise = np.linspace(0.0, 1.0, int(shape["rows"]))[:, None]
    middle = start[None, first:last] + (rise * high)[..., None] * way[first:last]
    profile = half * _profile(middle.shape[:2], shape["edge"])[..., None]
    sides = [
        pushed(middle + sign * profile * SIDEWAYS, around.distance, shape["seam"]) for sign in (-1.0, 1.0)
    ]
    return Structure(f"interspinous.{above}-{below}", "ligament", slab(*sides))


def _border(bone: Surroundings, own: LevelBone, share: Floats, offsets: Points) -> Points:
    """Return places (n, 3) on the upper border of a spinous process, from its root to its tip."""
    root, tip = (landmark(own, f"spinous.{name}").origin for name in ("base", "tip"))
    along = tip - root
    up = unit(np.cross(SIDEWAYS, -along))
    line = root + share[:, None] * along
    heights = np.arange(-8.0, 30.0, 0.3)
    result = np.full(len(line), -np.inf)
    for offset in offsets:
        places = (line + offset)[:, None] + heights[:, None] * up
        inside = (bone.distance(places.reshape(-1, 3)) < 0.1).reshape(len(line), -1)
        known = inside.any(axis=1)
        begin = inside.argmax(axis=1)
        after = np.where(np.arange(len(heights)) > begin[:, None], ~inside, False)
        end = heights[np.where(after.any(axis=1), after.argmax(axis=1), len(heights) - 1)]
        result = np.maximum(result, np.where(known, end, -np.inf))
    good = np.isfinite(result)
    if good.any():
        result = np.interp(share, share[good], result[good])
    return line + np.where(np.isfinite(result), result, 0.0)[:, None] * up


def _longest(good: Floats) -> tuple[int, int]:
    """Return the begin and the end of the longest run of columns that are good."""
    labels, count = ndimage.label(good)
    if not count:
        return 0, 0
    best = 1 + int(np.argmax(np.bincount(labels)[1:]))
    places = np.flatnonzero(labels == best)
    return int(places[0]), int(places[-1]) + 1


def _eased(border: Floats, sign: float) -> Floats:
    """Return a border (n,) without steps, nowhere beyond what it was (upwards for a sign of 1)."""
    ends = sign * ndimage.maximum_filter1d(sign * border, 3, mode="nearest")
    return np.asarray(
        sign * np.maximum(sign * ndimage.gaussian_filter1d(ends, 1.0, mode="nearest"), sign * border)
    )


def _profile(shape: tuple[int, int], edge: float) -> Floats:
    """Return the share of a sheet's thickness (n, m): thinner at its borders."""
    down, across = (np.linspace(-1.0, 1.0, count) for count in shape)
    round_ = np.sqrt(np.clip(1.0 - np.maximum(np.abs(down)[:, None], np.abs(across)[None]) ** 6, 0.0, 1.0))
    return np.asarray(edge + (1.0 - edge) * round_)


def supraspinous_ligament(
    above: Level, below: Level, spine: Spine, others: Sequence[Surface] = ()
) -> Structure:
    """Return ``supraspinous_ligament.<above>-<below>``: the cord from one spinous tip to the next, world mm.

    It ends before ``others``, such as the cord that goes on below. Raises ValueError where a landmark is
    missing.
    """
    shape = measures.table("supraspinous_cord")
    bones = spine.of(above, below)
    tips = [landmark(spine.bones[level], "spinous.tip") for level in (above, below)]
    lift = shape["half_depth"] + shape["seam"]
    ends = [tip.origin + lift * _backward(tip.anterior) for tip in tips]
    line = ends[0] + np.linspace(0.0, 1.0, int(shape["rows"]))[:, None] * (ends[1] - ends[0])
    back = np.tile(_backward(tips[0].anterior + tips[1].anterior), (len(line), 1))
    for _ in range(3):
        lack = np.maximum(lift - bones.distance(line), 0.0)
        line = line + smoothed(lack[:, None], 1.0) * back
    line[:, 0] = ends[0][0] + np.linspace(0.0, 1.0, len(line)) * (ends[1][0] - ends[0][0])
    beyond = Surroundings(()).and_also(others)
    free = beyond.distance(line) > shape["half_depth"] + 0.2
    line = line[: len(line) if free.all() else max(int(np.argmin(free)), 4)]
    line[[0, -1]] += shape["end_seam"] * unit(line[-1] - line[0]) * np.array([[1.0], [-1.0]])
    line = np.vstack(
        [line[0] - _step(line, spine, above, -1), line, line[-1] + _step(line[::-1], spine, below, 1)]
    )
    radii = np.full(len(line), shape["half_width"])
    rings = rings_around(line, radii, int(shape["sides"]), shape["half_depth"] / shape["half_width"])[1:-1]
    rings = pushed(rings, bones.and_also(others).distance, shape["seam"])
    return Structure(f"supraspinous_ligament.{above}-{below}", "ligament", pipe(rings))


def next_to(level: Level, way: int, bones: Mapping[Level, LevelBone]) -> LevelBone | None:
    """Return the bone below a level (``way`` 1) or above it (-1), or None where it is not there.

    After L5 comes L6 where somebody has one, and the sacrum where not.
    """
    order = column(6 if "L6" in bones else 5)
    place = order.index(level) + way
    return bones.get(order[place]) if 0 <= place < len(order) else None


def _step(line: Points, spine: Spine, level: Level, way: int) -> Floats:
    """Return how the cord's line (n, 3) goes on beyond its first place, along the next piece, downwards."""
    along = (line[0] - line[1]) * way
    beyond = next_to(level, way, spine.bones)
    if beyond is None or "spinous.tip" not in beyond.landmarks:
        return np.asarray(along)
    onward = way * (
        landmark(beyond, "spinous.tip").origin - landmark(spine.bones[level], "spinous.tip").origin
    )
    onward[0] = 0.0
    return unit(onward) * float(np.linalg.norm(along))


def _backward(direction: Floats) -> Floats:
    """Return a landmark's outward direction in the mid-sagittal plane, as far back as it is."""
    result = np.array([0.0, direction[1], direction[2]])
    return unit(result if result[1] < 0.0 else np.array([0.0, -1.0, 0.0]))


def nuchal_ligament(spine: Spine, others: Sequence[Surface] = ()) -> Structure | None:
    """Return the midline septum from the tip of C7 upwards beyond the atlas, with a free edge behind.

    It reaches forward to the spinous processes and, between them, to ``others``, such as the interspinous
    ligaments. There is none without C7 and at least two bones above it. Raises ValueError where a landmark is
    missing.
    """
    levels = [level for level in spine.bones if region_of(level) == "cervical"]
    if "C7" not in levels or len(levels) < 3:
        return None
    shape = measures.table("nuchal_ligament")
    tips = _tips(spine.bones, levels, shape)
    around = spine.of(*levels).and_also(others)
    edge = _free_edge(tips, shape)
    front = np.stack([np.interp(edge[:, 2], tips[::-1, 2], tips[::-1, k]) for k in range(3)], axis=1)
    forward = np.array([0.0, 1.0, 0.0])
    half = shape["half_thickness"]
    offsets = np.linspace(-1.1, 1.1, 7) * shape["edge_half_thickness"]
    depths = [around.ahead(edge + offset * SIDEWAYS, forward, 120.0) for offset in offsets]
    limit = np.maximum((front - edge)[:, 1] + shape["between_tips"], shape["least"])
    depth = np.minimum(np.min(depths, axis=0) - shape["seam"], limit)
    depth = np.minimum(ndimage.gaussian_filter1d(depth, 1.0, mode="nearest"), depth)
    across = np.linspace(0.0, 1.0, int(shape["columns"])) ** 1.5
    middle = edge[:, None] + (depth[:, None] * across)[..., None] * forward
    thick = half + (shape["edge_half_thickness"] - half) * np.exp(
        -((depth[:, None] * across / shape["cord"]) ** 2)
    )
    thick = thick * np.where(across == 0.0, 0.35, 1.0)
    sides = [
        pushed(middle + sign * thick[..., None] * SIDEWAYS, around.distance, shape["seam"])
        for sign in (-1.0, 1.0)
    ]
    return Structure("nuchal_ligament", "ligament", slab(*sides))


def _tips(bones: Mapping[Level, LevelBone], levels: Sequence[Level], shape: Mapping[str, float]) -> Points:
    """Return the tips (n, 3) of the spinous processes of the neck from above, and where the ligament ends."""
    tips = np.array([landmark(bones[level], "spinous.tip").origin for level in levels])
    above = tips[0] + np.array([0.0, 0.0, shape["above"]])
    return np.vstack([above, tips])


def _free_edge(tips: Points, shape: Mapping[str, float]) -> Net:
    """Return the posterior edge (n, 3): from C7's tip in a hollow line up and back to the occiput."""
    top = tips[0] + np.array([0.0, -shape["behind_top"], 0.0])
    bottom = tips[-1] + np.array([0.0, -shape["behind_c7"], shape["over_c7"]])
    count = int(np.ceil((top[2] - bottom[2]) / shape["row"]))
    share = np.linspace(0.0, 1.0, count)
    line = top + share[:, None] * (bottom - top)
    line[:, 1] += shape["hollow"] * 4.0 * share * (1.0 - share)
    behind = np.interp(line[:, 2], tips[::-1, 2], tips[::-1, 1]) - shape["behind_tips"]
    line[:, 1] = np.minimum(line[:, 1], ndimage.gaussian_filter1d(behind, 3.0, mode="nearest"))
    line[-1, 1] = bottom[1]
    return line
