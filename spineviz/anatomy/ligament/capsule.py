"""Capsules of the facet joints: a thin sleeve around each joint that bridges its two processes.

The joint's cleft is followed from its middle outwards in every direction until the two surfaces part; there
the sleeve stands, and both its borders are drawn onto the bones. Where a yellow ligament closes the joint in
front, the sleeve is open: that ligament is the capsule there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import ndimage

from spineviz import measures
from spineviz.anatomy.ligament.joint import around, joint_frame, joint_rim
from spineviz.anatomy.net import Net, pushed, slab, sleeve, uphill
from spineviz.anatomy.surroundings import Spine, Surroundings, freed
from spineviz.structure import Floats, Points, Structure, Surface
from spineviz.terms import Level, Side, region_of

Shape = Mapping[str, float]

ALONE = Surroundings(())
"""No nerves."""

AROUND, LIFTED, CAUGHT = 12, 4, 0.15
"""A net is drawn around edges of bone, and then lifted off them, at most so often, where it stands in one by
more than this, mm."""

BESIDE = ((1, 0), (0, 1), (1, 1), (1, -1))
"""Which places of a net are beside a place of it, by rows and columns."""


def facet_capsule(
    above: Level,
    below: Level,
    side: Side,
    spine: Spine,
    others: Sequence[Surface] = (),
    nerves: Surroundings = ALONE,
) -> Structure:
    """Return ``facet_capsule.<above>-<below>.<side>``, in the world, mm.

    It ends at ``others``, such as the yellow ligaments, and is flat where ``nerves`` pass it. Raises
    ValueError where a landmark is missing.
    """
    shape = measures.table("facet_capsule")
    size = measures.table(f"facet_capsule_size.{region_of(above)}")
    upper, lower, bones = spine.of(above), spine.of(below), spine.of(above, below)
    joint = joint_frame(above, below, side, spine)
    outward = around(joint, int(shape["columns"]))
    rim = joint_rim(joint, outward, upper, lower, size)
    across = np.linspace(-1.0, 1.0, int(shape["rows"]))
    inner = rim[None] + across[:, None, None] * size["half_width"] * joint.anterior
    inner = inner + (size["bulge"] * np.cos(across * np.pi / 2))[:, None, None] * outward
    inner = _drawn(pushed(inner, bones.distance, shape["seam"]), across, upper, lower, shape)
    inner = pushed(_evened(inner, across), bones.distance, shape["seam"])
    near = nerves.among(inner.reshape(-1, 3))
    inner = _around_edges(pushed(inner, near.distance, shape["thinnest"], 2), bones, shape["seam"])
    ways = _outward(inner, rim)
    thickness = size["thickness"] * (shape["edge"] + (1.0 - shape["edge"]) * np.sqrt(1.0 - across**2))
    room = near.distance(inner.reshape(-1, 3)).reshape(inner.shape[:2]) - shape["seam"]
    thickness = np.maximum(np.minimum(thickness[:, None], room), shape["thinnest"])
    outer = pushed(inner + thickness[..., None] * ways, bones.distance, 2 * shape["seam"])
    outer = _around_edges(outer, bones, 2 * shape["seam"])
    name = f"facet_capsule.{above}-{below}.{side}"
    kept = _free(inner, outer, Surroundings(()).and_also(others), shape["beside"])
    build = sleeve if kept.all() else slab
    if not kept.all():
        order = _longest_way_round(kept)
        inner, outer = inner[:, order], outer[:, order]
    inner, outer = freed(inner, outer, bones, shape["thinnest"], build)
    inner, outer = _off_edges(inner, outer, bones, build is sleeve)
    return Structure(name, "ligament", build(inner, outer), side)


def _drawn(net: Net, across: Floats, upper: Surroundings, lower: Surroundings, shape: Shape) -> Net:
    """Return a net whose borders lie on their bones: its first rows on the lower, its last on the upper."""
    result = net.copy()
    for rows, bone in ((across < -0.45, lower), (across > 0.45, upper)):
        flat = result[rows].reshape(-1, 3)
        for _ in range(6):
            away = np.clip(bone.distance(flat) - shape["seam"], -0.8, 0.8)
            far = np.flatnonzero(np.abs(away) > 0.03)
            if not len(far):
                break
            flat[far] -= away[far, None] * uphill(bone.distance, flat[far])
        result[rows] = flat.reshape(result[rows].shape)
    return result


def _evened(net: Net, across: Floats) -> Net:
    """Return a net smoothed around and, but for its borders, across."""
    around = ndimage.gaussian_filter1d(net, 0.8, axis=1, mode="wrap")
    both = ndimage.gaussian_filter1d(around, 0.8, axis=0, mode="nearest")
    share = np.clip((1.0 - np.abs(across)) * 3.0, 0.0, 1.0)[:, None, None]
    return np.asarray(around + share * (both - around))


def _around_edges(net: Net, bones: Surroundings, seam: float) -> Net:
    """Return a sleeve's net with its meshes drawn around an edge of bone that they leap over.

    Places may all lie off a bone while the straight way from one to the next goes through it.
    """
    for _ in range(AROUND):
        caught = np.zeros(net.shape[:2])
        others = [np.roll(net, -along, axis=1)[down:] for down, along in BESIDE]
        middles = np.concatenate([(net[: len(other)] + other) / 2 for other in others])
        deep = bones.distance(middles.reshape(-1, 3)).reshape(middles.shape[:2]) < -CAUGHT
        for (down, along), part in zip(
            BESIDE, np.split(deep, np.cumsum([*map(len, others)])[:-1]), strict=True
        ):
            caught[: len(part)] += part
            caught[down:] += np.roll(part, along, axis=1)
        if not caught.any():
            break
        share = np.clip(
            2.0 * ndimage.gaussian_filter(np.minimum(caught, 1.0), 1.5, mode=("nearest", "wrap")), 0.0, 1.0
        )
        calm = ndimage.gaussian_filter(net, (1.0, 1.0, 0.0), mode=("nearest", "wrap", "nearest"))
        net = pushed(net + share[..., None] * (calm - net), bones.distance, seam)
    return net


def _off_edges(inner: Net, outer: Net, bones: Surroundings, closed: bool) -> tuple[Net, Net]:
    """Return both nets lifted off an edge of bone that their meshes still go through.

    ``closed`` tells that their last columns meet their first.
    """
    for _ in range(LIFTED):
        lift = _longer(_lift(inner, bones, closed), _lift(outer, bones, closed))
        if not lift.any():
            break
        inner, outer = inner + lift, outer + lift
    return inner, outer


def _lift(net: Net, bones: Surroundings, closed: bool) -> Net:
    """Return how far (n, m, 3) mm the places of a net must move for its meshes to leave bone."""
    net = np.concatenate([net, net[:, :1]], axis=1) if closed else net
    result = np.zeros_like(net)
    every, first, last = slice(None), slice(None, -1), slice(1, None)
    ways = ((first, every), (last, every)), ((every, first), (every, last))
    across = ((first, first), (last, last)), ((first, last), (last, first))
    pairs = (*ways, *across)
    middles = [(net[one] + net[other]) / 2 for one, other in pairs]
    flat = np.concatenate([part.reshape(-1, 3) for part in middles])
    deep = -bones.distance(flat)
    caught = np.flatnonzero(deep > CAUGHT)
    lift = np.zeros_like(flat)
    if len(caught):
        lift[caught] = deep[caught, None] * uphill(bones.distance, flat[caught])
    parts = np.split(lift, np.cumsum([part.size // 3 for part in middles])[:-1])
    for pair, middle, part in zip(pairs, middles, parts, strict=True):
        for end in pair:
            result[end] = _longer(result[end], part.reshape(middle.shape))
    if closed:
        result[:, 0] = _longer(result[:, 0], result[:, -1])
    return result[:, :-1] if closed else result


def _longer(first: Net, second: Net) -> Net:
    """Return the longer ones of vectors (..., 3)."""
    lengths = (np.linalg.norm(ways, axis=-1, keepdims=True) for ways in (first, second))
    return np.where(np.greater_equal(*lengths), first, second)


def _outward(net: Net, rim: Points) -> Net:
    """Return the unit directions (n, m, 3) out of a sleeve."""
    wrapped = np.concatenate([net[:, -1:], net, net[:, :1]], axis=1)
    normals = np.cross(np.gradient(wrapped, axis=0), np.gradient(wrapped, axis=1))[:, 1:-1]
    middle = rim.mean(axis=0)
    if np.einsum("nmk,nmk->", normals, net - middle) < 0.0:
        normals = -normals
    normals = normals / np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-9)
    normals = ndimage.gaussian_filter(normals, (1.0, 1.0, 0.0), mode=("nearest", "wrap", "nearest"))
    return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-9))


def _free(inner: Net, outer: Net, others: Surroundings, beside: float) -> np.ndarray:
    """Tell which columns (m,) of a sleeve keep clear of other things."""
    if not others.things:
        return np.ones(inner.shape[1], dtype=bool)
    both = np.concatenate([inner, (inner + outer) / 2, outer])
    room = others.distance(both.reshape(-1, 3)).reshape(both.shape[:2])
    return np.asarray((room > beside).all(axis=0))


def _longest_way_round(kept: np.ndarray) -> np.ndarray:
    """Return the longest run of columns that are kept, in order; the last column is beside the first."""
    count = len(kept)
    best: list[int] = []
    for start in np.flatnonzero(kept & ~np.roll(kept, 1)):
        run = [int(start)]
        while kept[(run[-1] + 1) % count] and len(run) < count:
            run.append((run[-1] + 1) % count)
        best = max(best, run, key=len)
    if len(best) < count // 3:
        return np.arange(count)
    return np.array(best)
