"""The yellow ligaments above L3: one on each side between the laminae of two neighbours, with a cleft.

Rays from the middle of the canal, from straight backwards to the side, find the inner side of both arches.
The ligament is a net from the lower half of the upper lamina's front to the upper border of the lower lamina,
and to the side as far as the facet joint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from spineviz import measures
from spineviz.anatomy.disc.space import landmark, middle
from spineviz.anatomy.net import Net, pushed, slab, smoothed
from spineviz.anatomy.surroundings import Spine, Surroundings, freed
from spineviz.structure import Floats, Frame, Structure
from spineviz.terms import SIGN, Level, Side, region_of

Shape = Mapping[str, float]

REACH = 32.0
"""Arches are looked for within so many mm of the canal's middle."""


@dataclass(frozen=True, eq=False)
class Fan:
    """Rays out of the canal in ``frame``, by angle from posterior (radians) and height (mm), on one side.

    ``upper`` and ``lower`` (i, k) are how far (mm) they go to the upper and to the lower bone; infinity
    where they do not meet it.
    """

    frame: Frame
    sign: float
    angles: Floats
    heights: Floats
    upper: Floats
    lower: Floats

    def at(self, angle: Floats, height: Floats, way: Floats) -> Net:
        """Return places in the world."""
        local = np.stack([self.sign * way * np.sin(angle), -way * np.cos(angle), height], axis=-1)
        return np.asarray(self.frame.to_parent(local))


def yellow_ligament(
    above: Level, below: Level, side: Side, spine: Spine, within: Surroundings | None = None
) -> Structure:
    """Return ``flavum.<above>-<below>.<side>``, in the world, mm; it leaves room for the nerves ``within``.

    Raises ValueError where a landmark is missing or no lamina stands behind the canal.
    """
    frame = middle(landmark(spine.bones[above], "canal"), landmark(spine.bones[below], "canal"))
    shape = measures.table("yellow_ligament")
    thickness = float(measures.value(f"yellow_ligament_thickness.{region_of(above)}"))
    bones, name = spine.of(above, below), f"flavum.{above}-{below}.{side}"
    inner = pushed(_back(name, above, below, side, frame, spine), bones.distance, shape["seam"])
    nerves = within.among(inner.reshape(-1, 3)) if within is not None else Surroundings(())
    inner = pushed(pushed(inner, nerves.distance, shape["thinnest"]), bones.distance, shape["seam"])
    inner = _beside(inner, side, frame, shape["cleft"])
    ways = _inward(inner, frame)
    rise = thickness * _profile(inner.shape[:2], shape)
    even = np.einsum("nmk,nmk->nm", smoothed(inner, 1.5, 1.2) - inner, ways)
    rise = rise + even
    room = nerves.distance(inner.reshape(-1, 3)).reshape(rise.shape) - shape["clear"]
    rise = np.minimum(rise, ndimage.minimum_filter(room, size=3, mode="nearest"))
    outer = inner + np.maximum(rise, shape["thinnest"])[..., None] * ways
    outer = pushed(outer, bones.distance, 0.3)
    inner, outer = freed(inner, outer, bones, shape["thinnest"])
    inner, outer = (_beside(net, side, frame, shape["cleft"]) for net in (inner, outer))
    return Structure(name, "ligament", slab(inner, outer), side)


def _inward(net: Net, frame: Frame) -> Net:
    """Return the directions (n, m, 3) from a net into the canal."""
    result = np.cross(np.gradient(net, axis=0), np.gradient(net, axis=1))
    towards = frame.origin + 4.0 * frame.anterior - net
    result *= np.where(np.einsum("nmk,nmk->nm", result, towards) < 0.0, -1.0, 1.0)[..., None]
    result = smoothed(result / np.maximum(np.linalg.norm(result, axis=2, keepdims=True), 1e-9), 2.0, 1.5)
    return np.asarray(result / np.linalg.norm(result, axis=2, keepdims=True))


def _beside(net: Net, side: Side, frame: Frame, cleft: float) -> Net:
    """Return a net that leaves the cleft in the midline free."""
    local = frame.to_local(net)
    local[..., 0] = SIGN[side] * np.maximum(SIGN[side] * local[..., 0], cleft / 2)
    return np.asarray(frame.to_parent(local))


def _profile(shape: tuple[int, int], measured: Shape) -> Floats:
    """Return the share of the thickness (n, m): full in the middle, thin where the ligament ends on bone."""
    down, across = (np.linspace(0.0, 1.0, count) for count in shape)
    ends = np.clip(np.minimum(down, 1.0 - down) / measured["taper"], 0.0, 1.0)
    lateral = np.clip((1.0 - across) / measured["taper"], 0.0, 1.0)
    both = np.sqrt(ends)[:, None] * np.sqrt(lateral)[None, :]
    return np.asarray(measured["edge"] + (1.0 - measured["edge"]) * both)


def _back(name: str, above: Level, below: Level, side: Side, frame: Frame, spine: Spine) -> Net:
    """Return the net of a ligament's back: rows downwards, columns from the midline to the side."""
    shape = measures.table("yellow_ligament")
    fan = _fan(above, below, side, frame, spine, shape)
    marks = [landmark(spine.bones[level], f"lamina.{side}").origin for level in (above, below)]
    rows = [int(np.argmin(np.abs(fan.heights - frame.to_local(mark)[2]))) for mark in marks]
    edges = _edges(fan, rows[0], rows[1])
    if np.isnan(edges).all():
        raise ValueError(f"{name}: no laminae behind the canal; check the canal and lamina landmarks")
    top, end, start = _even(edges, shape["steepest"] * shape["column"]).T
    high = end + shape["upper_share"] * max(
        float(np.median(top[: len(top) // 2] - end[: len(top) // 2])), 2.0
    )
    low = start - shape["overlap"]
    down = np.linspace(0.0, 1.0, int(shape["rows"]))[:, None]
    height = high + down * (low - high)
    first = np.minimum(fan.upper, fan.lower)
    way = np.stack([np.interp(height[:, i], fan.heights, _known(first[i])) for i in range(len(end))], axis=1)
    bridge = _bridge(fan, height, end, start)
    way = np.minimum(way, bridge) - shape["seam"]
    way = np.minimum(way, smoothed(ndimage.minimum_filter(way, size=(3, 3), mode="nearest"), 1.0, 1.0) + 0.15)
    return fan.at(fan.angles[None, :], height, way)


def _bridge(fan: Fan, height: Floats, end: Floats, start: Floats) -> Floats:
    """Return the straight way (n, m) from the upper lamina's lower border to the lower one's upper border."""
    ends = _at(fan.upper, fan.heights, end)
    starts = _at(fan.lower, fan.heights, start)
    share = np.clip((end - height) / np.maximum(end - start, 0.5), 0.0, 1.0)
    result = smoothed(ends[None], 0.0, 1.0) + share * smoothed((starts - ends)[None], 0.0, 1.0)
    return np.where((height < end) & (height > start), result, np.inf)


def _at(ways: Floats, heights: Floats, wanted: Floats) -> Floats:
    """Return the ways (m,) of a fan to one bone at a height for each column."""
    return np.array([np.interp(z, heights, _known(row)) for z, row in zip(wanted, ways, strict=True)])


def _fan(above: Level, below: Level, side: Side, frame: Frame, spine: Spine, shape: Shape) -> Fan:
    """Cast the rays: from beside the midline to before the facet joint."""
    bones = [spine.bones[above], spine.bones[below]]
    facets = [
        landmark(bones[0], f"facet.inferior.{side}").origin,
        landmark(bones[1], f"facet.superior.{side}").origin,
    ]
    x, y, _ = frame.to_local(np.mean(facets, axis=0))
    widest = shape["facet_share"] * float(np.arctan2(abs(x), -y))
    heights = [frame.to_local(landmark(bone, f"lamina.{side}").origin)[2] for bone in bones]
    zs = np.arange(heights[1] - 14.0, heights[0] + 18.0, shape["probe"])
    near = float(np.median(_cast(spine.of(above), frame, 0.4 * np.ones(1), zs, SIGN[side])))
    near = near if np.isfinite(near) else 10.0
    angles = np.linspace(
        shape["cleft"] / 2 / near, widest, max(6, round(widest * min(near, 14.0) / shape["column"]))
    )
    upper, lower = (_cast(spine.of(level), frame, angles, zs, SIGN[side]) for level in (above, below))
    return Fan(frame, SIGN[side], angles, zs, upper, lower)


def _cast(bone: Surroundings, frame: Frame, angles: Floats, heights: Floats, sign: float) -> Floats:
    """Return how far (i, k) rays at some angles and heights go to a bone; infinity where they miss it."""
    angle, height = (grid.ravel() for grid in np.meshgrid(angles, heights, indexing="ij"))
    starts = frame.to_parent(np.column_stack([np.zeros((len(angle), 2)), height]))
    local = np.column_stack([sign * np.sin(angle), -np.cos(angle), np.zeros(len(angle))])
    return bone.ahead(starts, local @ frame.axes, REACH).reshape(len(angles), len(heights))


def _edges(fan: Fan, first: int, last: int) -> Floats:
    """Return for each column the heights (m, 3) of the upper lamina's upper and lower border and of the
    lower lamina's upper border; NaN where one is not met.
    """
    result = np.full((len(fan.angles), 3), np.nan)
    for i, (upper, lower) in enumerate(zip(fan.upper, fan.lower, strict=True)):
        seen = np.isfinite(upper) & (upper <= lower)
        beneath = np.isfinite(lower) & (lower < upper)
        if not seen.any() or not beneath.any():
            continue
        end = top = _nearest(seen, first)
        while top < len(seen) - 1 and seen[top + 1]:
            top += 1
        while end > 0 and seen[end - 1]:
            end -= 1
        start = _nearest(beneath, last)
        while start < len(beneath) - 1 and beneath[start + 1]:
            start += 1
        if start < top:
            result[i] = fan.heights[[top, end, start]]
    return result


def _nearest(seen: npt.NDArray[np.bool_], row: int) -> int:
    places = np.flatnonzero(seen)
    return int(places[np.argmin(np.abs(places - row))])


def _even(edges: Floats, most: float) -> Floats:
    """Return borders (m, 3) without gaps, that change by ``most`` mm at most from one column to the next."""
    index, good = np.arange(len(edges)), ~np.isnan(edges[:, 0])
    filled = np.column_stack([np.interp(index, index[good], edges[good, k]) for k in range(3)])
    filled = ndimage.median_filter(filled, size=(3, 1), mode="nearest")
    calm = filled.copy()
    for i in range(min(3, len(calm)), len(calm)):
        calm[i] = np.clip(filled[i], calm[i - 1] - most, calm[i - 1] + most)
    return np.asarray(ndimage.gaussian_filter1d(calm, 1.0, axis=0, mode="nearest"))


def _known(ways: Floats) -> Floats:
    """Return ways (k,) in which what is missing takes the nearest known value."""
    known = np.flatnonzero(np.isfinite(ways))
    if not len(known):
        return np.full(len(ways), REACH)
    index = np.arange(len(ways))
    nearest = known[np.abs(index[:, None] - known[None, :]).argmin(axis=1)]
    return np.asarray(ways[nearest])
