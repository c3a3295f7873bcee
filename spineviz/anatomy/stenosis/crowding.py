"""Rootlets in a narrowed sac: they lie over all of it, and fill it, with the volume that each has.

A rootlet is round while there is room, and takes its cell's shape where there is none. What it gains there it
loses elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from spineviz import measures
from spineviz.anatomy.stenosis.finer import finer
from spineviz.anatomy.stenosis.packing import Slices, images_of, packed, toward
from spineviz.anatomy.stenosis.room import ANGLES, REACH, TURN, Room
from spineviz.anatomy.stenosis.squeeze import Pressed, Squeeze
from spineviz.anatomy.stenosis.strands import Strands, at_heights, eased, felt
from spineviz.anatomy.stenosis.untangled import untangled
from spineviz.anatomy.surroundings import Surroundings
from spineviz.geometry import vertex_normals, volume, volume_within
from spineviz.structure import Floats, Structure, Surface

Mask = npt.NDArray[np.bool_]

HEALTHY = "healthy"
"""The variant of a nerve in a narrow place that it has in health, and to which it is freed."""

ALIKE = 0.3
"""Strands whose places are mirror images to within so many mm are so in the narrow sac too."""

LEAST = 0.02
"""A sac that has lost less than this share of its area is not narrow at all."""

EDGE = 0.8
"""In a narrow sac the edges of strands are no longer than this, mm."""

SKIN = 0.75
"""What lies farther from a tube's middle than this part of its radius is its skin: the middles of its edges
too, so that they round out with it."""

CORNERS = 1.05
"""A tube of few sides is so much wider than its cell: between its corners it has what it lacks there."""


def crowded(
    squeeze: Squeeze | Pressed, sac: Surface, within: Mapping[str, Structure], filled: float, spread: float
) -> dict[str, tuple[Surface, Surface]]:
    """Return what lies ``within`` a healthy ``sac`` that a map narrows, by name: there and in health.

    Both of a pair have the same triangles. In the disc's slice it takes the share ``filled`` of the sac, and
    lies evenly in it where ``spread`` is 1; away from there ever less so. A root on its way out of the sac
    keeps its area.
    """
    room = squeeze.room
    usual = _border(room, sac, room.core)
    narrow = _border(room, sac.moved(squeeze(sac.vertices)), squeeze.core)
    less = 1.0 - (narrow**2).sum(axis=1) / (usual**2).sum(axis=1)
    degree = eased(less / max(float(less[len(less) // 2]), LEAST))
    strands = felt(room, usual, {name: item.surface for name, item in within.items()}, squeeze, degree)
    if strands is None:
        return {}
    slices = _slices(squeeze, usual, narrow, strands, filled, degree)
    laid, reach = packed(slices, spread * degree * strands.free, ANGLES)
    pairs = {
        name: _finer(within[name].surface, within[name].variants.get(HEALTHY), room) for name in strands.parts
    }
    fine = {name: pair[0] for name, pair in pairs.items()}
    found = {name: _moved(squeeze, name, fine[name], strands, laid, reach) for name in fine}
    moved = {name: _differs(fine[name], after) for name, after in found.items()}
    found = {name: after for name, after in found.items() if moved[name].any()}
    apart = untangled(found, moved)
    return {
        name: (same_volume(fine[name], after, moved[name]), pairs[name][1]) for name, after in apart.items()
    }


def _border(room: Room, sac: Surface, instead: Floats) -> Floats:
    """Return how far (n, k) a sac reaches in a room; ``instead`` where it is not met."""
    directions = np.stack([np.cos(TURN), np.sin(TURN), 0 * TURN], axis=1) @ room.frame.axes
    starts = room.frame.to_parent(np.column_stack([room.centre, room.heights]))
    things = Surroundings(()).and_also([sac])
    found = things.ahead(
        np.repeat(starts, ANGLES, axis=0), np.tile(directions, (len(starts), 1)), REACH
    ).reshape(len(starts), ANGLES)
    return np.where(np.isfinite(found), found, instead)


def _slices(
    squeeze: Squeeze | Pressed, usual: Floats, narrow: Floats, strands: Strands, filled: float, degree: Floats
) -> Slices:
    """Return the strands as they are to be packed into the narrow sac."""
    room, wall = squeeze.room, measures.value("stenosis.rootlets.wall")
    sac = np.maximum(narrow - wall, 0.2)
    beyond = np.maximum(squeeze.wall - wall, sac)
    borders = sac + strands.out[..., None] * (beyond - sac)
    places, now = strands.places - room.centre, strands.now - room.centre
    ratio = toward(np.repeat((narrow / np.maximum(usual, 1e-6))[None], len(places), axis=0), places)
    start = now + ((1.0 - strands.out) * strands.free)[..., None] * (places * ratio[..., None] - now)
    own = np.pi * strands.radii**2
    wanted = own * _factor(sac, strands, own, filled, degree)
    images = images_of(strands.names, start, ALIKE)
    return Slices(start, strands.radii, wanted, strands.free, borders, images)


def _factor(sac: Floats, strands: Strands, own: Floats, filled: float, degree: Floats) -> Floats:
    """Return by how much (m, n) the areas of strands grow or shrink so that they fill the sac as wanted."""
    room = 0.5 * np.sin(TURN[1]) * (sac * np.roll(sac, -1, axis=1)).sum(axis=1)
    inside = (own * (1.0 - strands.out)).sum(axis=0)
    middle = len(room) // 2
    whole = inside[middle] + degree * max(filled * room[middle] - inside[middle], 0.0)
    scaled = whole * inside / max(float(inside[middle]), 1e-6)
    wanted = np.where(degree > 1e-3, np.minimum(np.maximum(scaled, inside), room), inside)
    within = (own * (1.0 - strands.out) ** 2).sum(axis=0)
    lack = ndimage.minimum_filter1d((wanted - inside) / np.maximum(within, 1e-6), 3)
    more = ndimage.gaussian_filter1d(lack, 1.0)
    return np.asarray(np.maximum(1.0 + more * (1.0 - strands.out), 0.2))


def _moved(
    squeeze: Squeeze | Pressed, name: str, surface: Surface, strands: Strands, laid: Floats, reach: Floats
) -> Surface:
    """Return the surface of a part of a strand in its strand's cells."""
    room, vertices, row = squeeze.room, surface.vertices.astype(np.float64), strands.rows[name]
    local = room.frame.to_local(vertices)
    shaped = np.interp(local[:, 2], room.heights, strands.shaped[row], left=0.0, right=0.0)
    result = squeeze(vertices)
    rows = np.flatnonzero(shaped > 0.0)
    own, pressed = local[rows], room.frame.to_local(result[rows])
    height = own[:, 2]

    def at(line: Floats) -> Floats:
        return at_heights(line, room.heights, height)

    middle, radius = strands.parts[name].at(room.heights, height)
    whole = np.interp(height, room.heights, _spread_out(strands.radii[row]))
    thin = np.minimum(radius / whole, 1.0)
    offset = own[:, :2] - middle
    turn, length = np.arctan2(offset[:, 1], offset[:, 0]), np.hypot(offset[:, 0], offset[:, 1])
    scaled = CORNERS * np.minimum(length / (SKIN * radius), 1.0) * thin * room.at(reach[row], turn, height)
    away = np.stack([np.cos(turn), np.sin(turn)], axis=1) * scaled[:, None]
    away += (1.0 - thin)[:, None] * (middle - at(strands.places[row]))
    before = pressed[:, :2] - at(strands.now[row])
    flat = at(laid[row]) + room.middle(height) + before + shaped[rows, None] * (away - before)
    result[rows] = room.frame.to_parent(np.column_stack([flat, height]))
    return surface.moved(result)


@lru_cache(maxsize=128)
def _finer(surface: Surface, healthy: Surface | None, room: Room) -> tuple[Surface, ...]:
    """Return a strand, and it in health, with enough vertices in a room to take the shape of its cells."""
    height = room.frame.to_local(surface.vertices.astype(np.float64))[:, 2]
    within = (height > room.heights[0]) & (height < room.heights[-1])
    return finer((surface, healthy or surface), within, EDGE)


def _differs(before: Surface, after: Surface) -> Mask:
    """Return which vertices (n,) have moved."""
    way = np.linalg.norm(after.vertices.astype(np.float64) - before.vertices, axis=1)
    return np.asarray(way > 0.02)


def _spread_out(radii: Floats) -> Floats:
    """Return radii (n,) of which those that are 0 take the nearest known one."""
    known = np.flatnonzero(radii > 0.0)
    return radii[known[np.abs(np.arange(len(radii))[:, None] - known[None]).argmin(axis=1)]]


def same_volume(before: Surface, after: Surface, moved: Mask) -> Surface:
    """Return a rootlet that has won or lost elsewhere what it lost or gained where vertices ``moved``."""
    goal, most = volume(before), float(measures.value("stenosis.rootlets.thinner"))
    vertices = after.vertices.astype(np.float64)
    inwards = np.where(moved, 0.0, 1.0)[:, None] * -vertex_normals(after.vertices, after.faces)
    ways = most * np.array([-1.0, -1.0 / 3.0, 1.0 / 3.0, 1.0])
    found = [volume_within((vertices + way * inwards)[after.faces]) for way in ways]
    told = np.polyfit(ways, found, 3)  # the volume is a polynomial of the way, of the third degree
    low, high = -most, most
    for _ in range(24):
        amount = (low + high) / 2
        low, high = (amount, high) if np.polyval(told, amount) > goal else (low, amount)
    return after.moved(vertices + low * inwards)
