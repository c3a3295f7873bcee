"""The face of a retractor's blade: the smooth surface that lies closest to the wall of an open wound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from spineviz import measures
from spineviz.geometry import as_trimesh
from spineviz.structure import Floats, Points, Surface
from spineviz.surgery.retraction.lip_shape import lip_shape
from spineviz.surgery.retraction.midline import MidlineWound
from spineviz.terms import SIGN

WITHIN = 2.0
"""How far (mm) beside the midline the search for the wall begins; it is inside the open wound."""

BEYOND, BEYOND_FAT, FAT = 6.0, 2.0, 0.3
"""Tissue this much farther (mm) than the lip is no wall: the search has passed above or below it.

Fat and skin, from this level on, stand at the lip itself; muscle beside the slit stands farther.
"""

POWERS = tuple((i, j) for i in range(3) for j in range(5))
"""Powers of place and height in a blade's face."""


@dataclass(frozen=True, eq=False)
class Face:
    """A blade's face at full opening, in the wound's frame: how far it stands from the midline.

    ``side`` is the sign of x of the held tissue. ``heights`` (n,) and ``along`` (m,) are the mm above
    the floor and along the wound that it spans; the blade begins at the ``first`` of the heights.
    ``weights`` are those of `POWERS`; up to the height ``foot`` and from ``ending`` (slope and height by
    place) upwards the face is upright.
    """

    wound: MidlineWound
    side: float
    heights: Floats
    along: Floats
    weights: Floats
    foot: float
    ending: Floats
    first: int = 0

    @property
    def rows(self) -> Floats:
        """The heights (k,) mm above the floor that the blade spans: those that are free of bone."""
        return self.heights[self.first :]

    def across(self, along: Floats, height: Floats) -> Floats:
        """Return how far (mm) towards its side the face stands at places and heights of one shape."""
        place = np.clip(along, self.along[0], self.along[-1])
        low = np.minimum(np.maximum(height, self.foot), np.polyval(self.ending, place))
        return np.asarray(_basis(self.heights, self.along, place, low) @ self.weights)

    def world(self, across: Floats, along: Floats, height: Floats) -> Points:
        """Return the world points (n, 3) at mm towards the face's side, along the wound and above it."""
        local = np.stack([self.side * across.ravel(), -height.ravel(), along.ravel()], axis=1)
        return self.wound.frame.to_parent(local)


def blade_face(wound: MidlineWound, opened: Sequence[Surface], *, diseased: bool = True) -> Face:
    """Return the face that holds the wall of a fully open wound on the diseased or on the other side.

    ``opened`` are the cut tissues as they stand at full opening. The face nowhere presses deeper into
    them than a fraction of a millimetre. Where muscle is off the bone it reaches from the lamina, else from
    the fascia, past the skin where that has risen highest, but for what would stand in bone. Raises
    ValueError where the tissues leave no wall to hold, or bone no room.
    """
    size = measures.table("retraction.blade")
    side = SIGN[wound.side] * (1.0 if diseased else -1.0)
    deep = diseased or wound.both
    bottom = size["above_floor"] if deep else wound.fascia_height + size["above_fascia"]
    foot = bottom + (size["foot"] if deep else 0.0)
    heights = _spaced(bottom, _crest(wound, opened) + size["above_skin"])
    along = _spaced(-size["width"] / 2.0, size["width"] / 2.0)
    height, place = np.meshgrid(heights, along, indexing="ij")
    across = wall(wound, opened, side, place, height)
    known = np.isfinite(across)
    if known.sum() < 2 * len(POWERS):
        raise ValueError("the wound has no wall where the blade should stand; open it further")
    basis = _basis(heights, along, place, np.maximum(height, foot))[known]
    weights, *_ = np.linalg.lstsq(basis, across[known], rcond=None)
    excess = float(np.percentile(basis @ weights - across[known], 98.0))
    weights[0] -= max(excess - size["pressed"], 0.0)
    highest = np.where(known, height, height[known].min()).max(axis=0)
    return _off_bone(Face(wound, side, heights, along, weights, foot, np.polyfit(along, highest, 1)))


def _crest(wound: MidlineWound, opened: Sequence[Surface]) -> float:
    """Return how high (mm) above the floor the tissue rises that the retractor's arms have to cross."""
    size = measures.table("retraction.blade")
    local = np.vstack([wound.frame.to_local(item.vertices) for item in opened])
    crossed = (np.abs(local[:, 0]) < size["crossed"]) & (np.abs(local[:, 2]) < size["crossed"])
    return max(float(-local[crossed, 1].min(initial=0.0)), wound.length)


def _off_bone(face: Face) -> Face:
    """Return a face without its lowest rows, as far as they would stand in bone while the blade spreads.

    Raises ValueError where bone leaves less than half of a blade.
    """
    height, place = np.meshgrid(face.heights, face.along, indexing="ij")
    across, size = face.across(place, height), measures.table("retraction.blade")
    outer, inner = (face.world(across - inward, place, height) for inward in (0.0, size["thickness"]))
    held, free = face.wound.closed(outer), np.ones(len(face.heights), dtype=bool)
    for share in size["spreads"]:
        way = face.wound.open(held, face.wound.part(share)) - outer
        for sheet in (outer, inner):
            off = face.wound.terrain.bone(sheet + way).reshape(height.shape)
            free &= off.min(axis=1) > size["off_bone"]
    first = int(np.flatnonzero(~free).max(initial=-1)) + 1
    if first > len(free) / 2:
        raise ValueError("bone stands in the wound where the blade should stand; open it further")
    return replace(face, first=first)


def wall(
    wound: MidlineWound, opened: Sequence[Surface], side: float, along: Floats, height: Floats
) -> Floats:
    """Return how far (mm) from the midline, towards a side, the first tissue stands; nan where none does.

    ``along`` and ``height`` (mm, of one shape) are places in the wound's frame.
    """
    import trimesh

    mesh = trimesh.util.concatenate([as_trimesh(item) for item in opened])
    start = side * WITHIN * np.ones(along.size)
    local = np.stack([start, -height.ravel(), along.ravel()], axis=1)
    rays = np.tile(side * wound.frame.right, (along.size, 1))
    places, index, _ = mesh.ray.intersects_location(wound.frame.to_parent(local), rays, multiple_hits=False)
    result = np.full(along.size, np.nan)
    result[index] = side * wound.frame.to_local(places)[:, 0]
    level = wound.level(height.ravel())
    share = np.minimum(np.abs(along.ravel()) / wound.half_length(level), 1.0)
    reached = wound.widths(level, wound.full, side == SIGN[wound.side]) * lip_shape(share, level)
    result[result > reached + np.where(level > FAT, BEYOND_FAT, BEYOND)] = np.nan
    return result.reshape(along.shape)


def _spaced(start: float, end: float) -> Floats:
    count = int(np.ceil((end - start) / measures.value("retraction.blade.spacing"))) | 1
    return np.linspace(start, end, count)


def _basis(heights: Floats, along: Floats, place: Floats, height: Floats) -> Floats:
    """Return the powers (..., k) of places and heights, scaled to the blade's own size."""
    z = place / np.ptp(along)
    h = (height - heights.mean()) / np.ptp(heights)
    return np.stack([z**i * h**j for i, j in POWERS], axis=-1)
