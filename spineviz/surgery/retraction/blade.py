"""Blades of a self-retaining retractor, built on the wall of the wound that they hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spineviz import measures
from spineviz.geometry import as_trimesh, volume
from spineviz.structure import Floats, Frame, Points, Surface
from spineviz.surgery.retraction.midline import MidlineWound
from spineviz.surgery.retraction.warp import Amounts
from spineviz.terms import SIGN


@dataclass(frozen=True, eq=False)
class Blade:
    """A blade as it stands at full opening, and how it moves there.

    ``surface`` is closed, world mm. ``frame`` (world): origin in the middle of its upper edge, z along
    the blade out of the body, x away from the held tissue. ``contact`` (n, 3) is the side that touches
    the tissue; ``held`` (n, 3) where the same places of the tissue are at rest.
    """

    surface: Surface
    frame: Frame
    contact: Points
    held: Points
    wound: MidlineWound

    def pose(self, amounts: Amounts) -> Floats:
        """Return the rigid 4 x 4 matrix that brings the blade from full opening to where it stands now."""
        full, now = (self.wound.open(self.held, at) for at in (self.wound.full, amounts))
        centre, target = full.mean(0), now.mean(0)
        u, _, vt = np.linalg.svd((full - centre).T @ (now - target))
        turn = (u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt).T
        result = np.eye(4)
        result[:3, :3], result[:3, 3] = turn, target - turn @ centre
        return result


def blade(wound: MidlineWound, opened: Sequence[Surface], *, diseased: bool = True) -> Blade:
    """Return the blade that holds the wall of a fully open wound on the diseased or on the other side.

    ``opened`` are the cut tissues as they stand at full opening: the blade's outer side is the smooth
    surface that lies closest to their wall and nowhere presses deeper than a fraction of a millimetre.
    The lateral blade reaches from the lamina past the skin, the other one from the fascia.
    Raises ValueError where the tissues leave no wall to hold.
    """
    size = measures.table("retraction.blade")
    side = SIGN[wound.side] * (1.0 if diseased else -1.0)
    bottom = size["above_floor"] if diseased else wound.fascia_height + size["above_fascia"]
    top = wound.length + size["above_skin"]
    heights = np.linspace(bottom, top, _count(top - bottom))
    along = np.linspace(-size["width"] / 2.0, size["width"] / 2.0, _count(size["width"]))
    height, place = np.meshgrid(heights, along, indexing="ij")
    across = _wall(wound, opened, side, place, height)
    outer = side * _fitted(place, height, across)
    contact = _world(wound, outer, place, height)
    inner = _world(wound, outer - side * size["thickness"], place, height)
    edge = wound.frame.to_parent(np.array([outer[-1, len(along) // 2], -top, 0.0]))
    surface = _shell(contact, inner, outer.shape)
    return Blade(surface, _frame(wound, edge, side), contact, wound.closed(contact), wound)


def _count(length: float) -> int:
    return int(np.ceil(length / measures.value("retraction.blade.spacing"))) | 1


def _world(wound: MidlineWound, across: Floats, along: Floats, height: Floats) -> Points:
    return wound.frame.to_parent(np.stack([across.ravel(), -height.ravel(), along.ravel()], axis=1))


def _frame(wound: MidlineWound, origin: Floats, side: float) -> Frame:
    right, _, superior = wound.axis.axes
    away = -side * right
    return Frame(origin, np.array([away, np.cross(superior, away), superior]))


def _wall(
    wound: MidlineWound, opened: Sequence[Surface], side: float, along: Floats, height: Floats
) -> Floats:
    """Return how far from the midline, towards a side, the first tissue stands (nan where there is none)."""
    import trimesh

    mesh = trimesh.util.concatenate([as_trimesh(item) for item in opened])
    start = side * WITHIN * np.ones(along.size)
    local = np.stack([start, -height.ravel(), along.ravel()], axis=1)
    rays = np.tile(side * wound.frame.right, (along.size, 1))
    places, index, _ = mesh.ray.intersects_location(wound.frame.to_parent(local), rays, multiple_hits=False)
    result = np.full(along.size, np.nan)
    result[index] = side * wound.frame.to_local(places)[:, 0]
    diseased = side == SIGN[wound.side]
    level = wound.level(height.ravel())
    share = np.minimum(np.abs(along.ravel()) / wound.half_length(level), 1.0)
    reached = wound.widths(level, wound.full, diseased) * (1.0 - share**2)
    result[result > reached + np.where(level > FAT, BEYOND_FAT, BEYOND)] = np.nan
    return result.reshape(along.shape)


WITHIN = 2.0
"""How far (mm) beside the midline the search for the wall begins; it is inside the open wound."""

BEYOND, BEYOND_FAT, FAT = 6.0, 2.0, 0.3
"""Tissue this much farther (mm) than the lip is no wall: the search has passed above or below it.

Fat and skin, from this level on, stand at the lip itself; muscle beside the slit stands farther.
"""


def _fitted(along: Floats, height: Floats, across: Floats) -> Floats:
    """Return the smooth surface closest to a wall (nan where it is unknown), pressed in but a little.

    All are of shape (rows, columns), mm. Above the tissue it goes on upright.
    """
    known = np.isfinite(across)
    if known.sum() < 2 * len(POWERS):
        raise ValueError("the wound has no wall where the blade should stand; open it further")
    span, middle = np.ptp(height[known]), height[known].mean()

    def basis(at: Floats) -> Floats:
        z, h = along / np.ptp(along), (at - middle) / span
        return np.stack([z**i * h**j for i, j in POWERS], axis=-1)

    weights, *_ = np.linalg.lstsq(basis(height)[known], across[known], rcond=None)
    highest = np.where(known, height, height[known].min()).max(axis=0)
    ending = np.polyval(np.polyfit(along[0], highest, 1), along[0])
    surface = basis(np.minimum(height, ending)) @ weights
    excess = float(np.percentile((surface - across)[known], 98.0))
    return surface - max(excess - measures.value("retraction.blade.pressed"), 0.0)


POWERS = tuple((i, j) for i in range(3) for j in range(4))
"""Powers of place and height in the blade's surface."""


def _shell(outer: Points, inner: Points, shape: tuple[int, ...]) -> Surface:
    """Close two sheets of (rows * columns, 3) vertices to a blade."""
    rows, columns = shape
    number = np.arange(rows * columns).reshape(shape)
    a, b = number[:-1, :-1].ravel(), number[1:, :-1].ravel()
    c, d = number[1:, 1:].ravel(), number[:-1, 1:].ravel()
    sheet = np.vstack([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])
    rim = np.concatenate([number[0], number[1:, -1], number[-1, -2::-1], number[-2:0:-1, 0]])
    following = np.roll(rim, -1)
    count = rows * columns
    first = np.stack([rim, following, following + count], axis=1)
    second = np.stack([rim, following + count, rim + count], axis=1)
    faces = np.vstack([sheet, sheet[:, ::-1] + count, first, second])
    surface = Surface(np.vstack([outer, inner]), faces)
    return surface if volume(surface) > 0.0 else Surface(surface.vertices, faces[:, ::-1])
