"""The anterior and the posterior longitudinal ligament: long bands on bodies and discs.

Both are nets laid by rays: stations down a guide line, in each of them places across, and from there a ray
onto the nearest bone or disc.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import ndimage

from spineviz import measures
from spineviz.anatomy.ligament.guide import Guide, canal_knots, front_knots, guide_through
from spineviz.anatomy.net import Net, pushed, raised, slab, smoothed
from spineviz.anatomy.surroundings import Spine, Surroundings, freed
from spineviz.structure import Floats, Points, Structure
from spineviz.terms import LEVELS

FORE = 45.0
"""Rays onto the fronts of the bodies start this far (mm) before the guide line."""


def anterior_longitudinal_ligament(spine: Spine) -> Structure:
    """Return the band before bodies and discs, from the anterior arch of the atlas to the sacrum.

    Where bones are missing it spans those that are there. Raises ValueError where a landmark is missing.
    """
    shape = measures.table("anterior_longitudinal_ligament")
    guide = guide_through(front_knots(spine.bones, shape["sacral"]), shape["row"], shape["below_disc"])
    around = spine.column
    half = guide.measured(shape["half_width"]) * guide.ends(shape["rounded_end"])
    across = np.linspace(-1.0, 1.0, int(shape["columns"]))
    offset = half[:, None] * across
    starts = _over(guide, offset) + FORE * guide.anterior[:, None]
    depth = around.ahead(starts.reshape(-1, 3), np.repeat(-guide.anterior, len(across), axis=0), 2 * FORE)
    depth = _bridged(depth.reshape(offset.shape), guide, shape["bridge"])
    inner = starts - (depth - shape["seam"])[..., None] * guide.anterior[:, None]
    inner = pushed(inner, around.distance, shape["seam"])
    thickness = _thickness(guide, across, shape)
    return _band("anterior_longitudinal_ligament", inner, thickness, around, guide.anterior, shape)


def posterior_longitudinal_ligament(spine: Spine, within: Surroundings | None = None) -> Structure:
    """Return the band on the canal's front wall, from the axis to the sacrum: narrow behind the bodies.

    ``within`` are nerves and displaced discs that it leaves room for. Raises ValueError where a landmark is
    missing.
    """
    shape = measures.table("posterior_longitudinal_ligament")
    around = spine.column
    guide = guide_through(canal_knots(spine.bones, around, shape), shape["row"], shape["below_disc"])
    narrow, broad = guide.measured(shape["half_width_body"]), guide.measured(shape["half_width_disc"])
    fan = guide.wide ** shape["fan"]
    across = np.linspace(-1.0, 1.0, int(shape["columns"]))
    width = (narrow + (broad - narrow) * fan) * guide.ends(shape["rounded_end"])
    half = np.repeat(width[:, None], 2, axis=1)
    half = np.minimum(half, _roomy(guide, half, around, within, shape))
    offset = np.where(across < 0.0, half[:, :1], half[:, 1:]) * across
    starts, directions = _behind(guide, offset, around, shape["before_wall"])
    depth = around.ahead(starts.reshape(-1, 3), directions.reshape(-1, 3), 2 * FORE).reshape(offset.shape)
    inner = starts + (_filled(depth) - shape["seam"])[..., None] * directions
    inner = pushed(inner, around.distance, shape["seam"])
    thickness = _thickness(guide, across, shape)
    thin = np.clip(np.abs(offset) / np.maximum(narrow, 1.0)[:, None] - 1.0, 0.0, 1.0)
    thickness = thickness * (1.0 - (1.0 - shape["fan_share"]) * thin)
    room = np.full(offset.shape, np.inf)
    if within is not None and within.things:
        flat = inner.reshape(-1, 3)
        room = within.among(flat).distance(flat).reshape(offset.shape) - shape["clear"]
        room = np.maximum(ndimage.minimum_filter(room, size=3, mode="nearest"), shape["thinnest"])
    return _band("posterior_longitudinal_ligament", inner, thickness, around, -guide.anterior, shape, room)


def _band(
    name: str,
    inner: Net,
    thickness: Floats,
    around: Surroundings,
    outward: Points,
    shape: Mapping[str, Any],
    room: Floats | float = np.inf,
) -> Structure:
    """Return the band over an inner net; its outer side is smoother than what it lies on.

    It is ``room`` mm thick at most.
    """
    inner = raised(inner, _normals(inner, outward), around.points_near(inner.reshape(-1, 3), 1.0))
    depth = np.einsum("nmk,nk->nm", inner, outward)
    even = smoothed(depth, shape["evened"], 1.0)
    lift = np.minimum(np.clip(even - depth, -0.4 * thickness, shape["filled"]) + thickness, room)
    normals = smoothed(_normals(inner, outward), 2.0, 1.0)
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    outer = inner + lift[..., None] * normals
    outer = pushed(outer, around.distance, 0.5 * np.minimum(lift, 0.6))
    inner, outer = freed(inner, outer, around, shape["least_thickness"], rounds=6)
    return Structure(name, "ligament", slab(inner, outer))


def _normals(net: Net, outward: Points) -> Net:
    """Return the unit normals (n, m, 3) of a net, on the side of ``outward`` (n, 3)."""
    result = np.cross(np.gradient(net, axis=0), np.gradient(net, axis=1))
    result /= np.maximum(np.linalg.norm(result, axis=2, keepdims=True), 1e-9)
    side = np.sign(np.einsum("nmk,nk->nm", result, outward))
    return result * np.where(side == 0.0, 1.0, side)[..., None]


def _thickness(guide: Guide, across: Floats, shape: Mapping[str, Any]) -> Floats:
    """Return a band's thickness (n, m): full in the middle, thin at its borders and its ends."""
    edge = shape["edge"]
    profile = edge + (1.0 - edge) * np.sqrt(np.clip(1.0 - across**4, 0.0, 1.0))
    ends = edge + (1.0 - edge) * guide.ends(shape["rounded_end"])
    return np.asarray((guide.measured(shape["thickness"]) * ends)[:, None] * profile)


def _over(guide: Guide, offset: Floats) -> Net:
    return np.asarray(guide.points[:, None] + offset[..., None] * guide.right[:, None])


def _filled(depth: Floats) -> Floats:
    """Return depths (n, m) whose missing ones are those of the nearest row."""
    missing = ~np.isfinite(depth)
    if missing.all():
        raise ValueError("no bone was met by a longitudinal ligament; check the endplate and canal landmarks")
    nearest = ndimage.distance_transform_edt(missing, return_distances=False, return_indices=True)
    return np.asarray(depth[tuple(nearest)])


def _bridged(depth: Floats, guide: Guide, window: float) -> Floats:
    """Return depths (n, m) that span the gap between atlas and axis, where there is no disc."""
    depth = _filled(depth)
    rows = max(3, round(window / float(np.linalg.norm(guide.points[1] - guide.points[0]))))
    closed = ndimage.grey_opening(depth, size=(rows, 1), mode="nearest")
    share = np.clip(LEVELS.index("C2") + 0.3 - guide.place, 0.0, 0.2)[:, None] / 0.2
    return np.asarray(depth + share * (smoothed(closed, 2.0) - depth))


def _behind(guide: Guide, offset: Floats, around: Surroundings, before: float) -> tuple[Net, Net]:
    """Return where rays onto the canal's front wall start, shortly behind it, and where they go."""
    forward = np.broadcast_to(guide.anterior[:, None], (*offset.shape, 3))
    middle = guide.points - 6.0 * guide.anterior
    depth = _filled(around.ahead(middle, guide.anterior, 20.0)[:, None])[:, 0]
    wall = middle + (ndimage.gaussian_filter1d(depth, 1.0) - before)[:, None] * guide.anterior
    return wall[:, None] + offset[..., None] * guide.right[:, None], forward


def _roomy(
    guide: Guide,
    half: Floats,
    around: Surroundings,
    within: Surroundings | None,
    shape: Mapping[str, float],
) -> Floats:
    """Return how far (n, 2) the wall goes on to either side before it bends away or is taken."""
    tried = np.linspace(0.0, 1.0, 15)
    result = np.empty_like(half)
    for k, sign in enumerate((-1.0, 1.0)):
        offset = sign * half[:, k : k + 1] * tried
        starts, ways = _behind(guide, offset, around, shape["before_wall"])
        depth = around.ahead(starts.reshape(-1, 3), ways.reshape(-1, 3), 2 * FORE).reshape(offset.shape)
        walls = starts + depth[..., None] * ways
        bad = (depth - shape["before_wall"] > shape["bend"]) | (depth < 0.3 * shape["before_wall"])
        if within is not None and within.things:
            flat = np.where(np.isfinite(walls), walls, 1e4).reshape(-1, 3)
            near = np.isfinite(walls).all(axis=2).ravel()
            room = np.full(len(flat), np.inf)
            room[near] = within.among(flat[near]).distance(flat[near])
            bad |= room.reshape(offset.shape) < shape["thinnest"] + shape["clear"]
        last = np.where(bad.any(axis=1), bad.argmax(axis=1) - 1, len(tried) - 1)
        result[:, k] = half[:, k] * tried[np.maximum(last, 0)]
    result = np.maximum(result, shape["least"])
    rows = round(4.0 / shape["row"])
    eroded = ndimage.minimum_filter1d(result, rows, axis=0, mode="nearest")
    return np.asarray(np.minimum(smoothed(eroded, 0.4 * rows), result))
