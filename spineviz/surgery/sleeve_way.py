"""The way of a working sleeve between the laminae: where it leads to the fragment and what bone it costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from scipy import ndimage

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.recipe import Body
from spineviz.geometry import surface_distance
from spineviz.measures import table
from spineviz.structure import Floats, Frame, Points
from spineviz.surgery.retraction.docking import disc_direction, entry_depth
from spineviz.surgery.retraction.terrain import terrain
from spineviz.surgery.window import Window, columns_of, window_of
from spineviz.terms import LEVELS, SIGN, Disc, Level, Side, levels_of

FIELD = 9.0
"""How far (mm) about the sleeve's axis bone is looked at."""

RINGS, TURNS = (0.0, 0.5, 1.0), np.linspace(0.0, 2 * np.pi, 24, endpoint=False)
"""Where across the sleeve bone is looked for: shares of its radius, and directions."""

LEAN, MEDIAL = 2.0, 60.0
"""How many mm³ of bone a degree of lean, and a mm medial of the fragment's middle, count for."""


@dataclass(frozen=True, eq=False)
class SleeveWay:
    """Where a sleeve leads: its ``frame`` (world) with the origin on the fragment and z out of the body.

    ``length`` (mm) is the way from there to the skin, ``bone`` (mm³) roughly what bone stands in it.
    """

    frame: Frame
    length: float
    bone: float


def fragment_apex(body: Body, disc: Disc) -> Floats:
    """Return the place (3,) of displaced material that lies nearest to the skin, world mm.

    Raises ValueError where there is none.
    """
    item = body.structures.get(f"herniation.{disc}")
    if item is None:
        raise ValueError(f"{disc}: there is no displaced disc material to remove; add a herniation")
    vertices = item.surface.vertices
    return np.asarray(vertices[vertices[:, 1] <= np.quantile(vertices[:, 1], 0.03)].mean(axis=0))


def sleeve_ways(body: Body, disc: Disc, side: Side, radius: float, offset: float) -> list[SleeveWay]:
    """Return the ways on which a sleeve (radius in mm) meets the upper lamina and the facet's edge alone.

    The best come first. ``offset`` (mm) is how far from the midline it passes the skin.
    """
    found = []
    middle = SIGN[side] * float(body.structures[f"herniation.{disc}"].surface.vertices[:, 0].mean())
    for frame, length, degrees in _candidates(body, disc, side, offset):
        bone = _bone_met(body, disc, frame, length, radius)
        if bone is not None:
            medial = max(middle - SIGN[side] * float(frame.origin[0]), 0.0)
            found.append((bone + LEAN * degrees + MEDIAL * medial, SleeveWay(frame, length, bone)))
    return [way for _, way in sorted(found, key=lambda item: item[0])]


def _candidates(body: Body, disc: Disc, side: Side, offset: float) -> Iterator[tuple[Frame, float, float]]:
    """Return frames on the fragment, how far they are from the skin, and at which angle to the disc."""
    size = table("procedures.interlaminar.docking")
    skin, apex = body.recipes["skin"].solid.field, fragment_apex(body, disc)
    level, sign = disc_direction(body.bones, disc), SIGN[side]
    for aside, along, degrees in product(size["aside"], size["along"], size["angles"]):
        target = apex + np.array([sign * aside, 0.0, along])
        turn = np.radians(degrees)
        inward = np.array([0.0, level[1] * np.cos(turn) - level[2] * np.sin(turn), 0.0])
        inward[2] = level[1] * np.sin(turn) + level[2] * np.cos(turn)
        lean = np.arctan2(target[0] - sign * offset, entry_depth(skin, target, inward))
        direction = np.cos(lean) * inward + np.sin(lean) * np.array([1.0, 0.0, 0.0])
        cranial = np.array([0.0, 0.0, 1.0]) - direction[2] * direction
        cranial /= np.linalg.norm(cranial)
        frame = Frame(target, np.array([np.cross(direction, cranial), cranial, -direction]))
        yield frame, entry_depth(skin, target, direction), float(degrees)


def _bone_met(body: Body, disc: Disc, frame: Frame, length: float, radius: float) -> float | None:
    """Return how much (mm³) of bone stands in a sleeve's way; None where more does than may be taken.

    Of the lower bone it may meet the edge of the facet.
    """
    size = table("procedures.interlaminar.docking")
    upper, lower = levels_of(disc)
    heights = np.arange(0.0, length, 1.0)
    rim = _tube(frame, heights, (1.0,), radius)
    for level in _near(body, disc):
        free = -size["facet"] if level == lower else size["free"]
        if level != upper and float(body.bones[level].grid(rim).min()) < free:
            return None
    tube = _tube(frame, heights, RINGS, radius)
    inside = np.any([body.bones[level].grid(tube) < 0.0 for level in (upper, lower)], axis=0)
    weight = np.repeat(np.tile(np.array(RINGS) + 0.15, len(heights)), len(TURNS))
    return float(np.average(inside, weights=weight) * np.pi * radius**2 * length)


def _near(body: Body, disc: Disc) -> tuple[Level, ...]:
    """Return the levels whose bone may stand beside a way to a disc."""
    upper, lower = levels_of(disc)
    over = LEVELS[LEVELS.index(upper) - 1]
    return tuple(level for level in (over, upper, lower) if level in body.bones)


def _tube(frame: Frame, heights: Floats, shares: tuple[float, ...], radius: float) -> Points:
    """Return points (n, 3) in the world on circles about an axis, height by height, share by share."""
    ring = np.stack([np.cos(TURNS), np.sin(TURNS), 0.0 * TURNS], axis=1)
    flat = radius * np.multiply.outer(np.array(shares), ring)
    local = flat[None] + heights[:, None, None, None] * np.array([0.0, 0.0, 1.0])
    return frame.to_parent(local.reshape(-1, 3))


def resting(body: Body, disc: Disc, way: SleeveWay, radius: float) -> float:
    """Return how high (mm) above a way's origin the sleeve comes to rest on bone or yellow ligament."""
    size = table("procedures.interlaminar.docking")
    heights = np.arange(0.0, way.length, 0.25)
    rim = _tube(way.frame, heights, (1.0,), radius)
    ground = terrain(body.bones)
    touching = (ground.bone(rim).reshape(len(heights), -1) < size["resting"]).any(axis=1)
    for name in (f"flavum.{disc}.{side}" for side in ("left", "right")):
        if name in body.recipes:
            inside = body.recipes[name].solid.field(rim) < 0.0
        elif name in body.structures:
            inside = surface_distance(body.structures[name].surface)(rim) < 0.0
        else:
            continue
        touching |= inside.reshape(len(heights), -1).any(axis=1)
    return float(heights[np.flatnonzero(touching)[-1]]) + 0.25 if touching.any() else 0.0


def sleeve_windows(
    bone: LevelBone, frame: Frame, radius: float, stages: int
) -> tuple[tuple[Window, ...], float] | None:
    """Return the nested windows that let a sleeve through a lamina, and how far (mm) they go into it.

    There are none where no bone stands in its way. ``radius`` (mm) is that of the last. None where the lamina
    closes the way altogether.
    """
    size = table("procedures.laminotomy")
    axis = np.arange(-FIELD, FIELD + size["grid"] / 2, size["grid"])
    columns = columns_of(bone, frame, axis, (size["deep"], size["height"]))
    u, v = np.meshgrid(axis, axis, indexing="ij")
    circle = np.hypot(u, v) < radius
    gap = columns.free(-size["depth"])
    met = circle & ~gap
    if not met.any():
        return (), 0.0
    labels, count = ndimage.label(gap)
    if not (circle & gap).any():
        return None
    largest = int(np.argmax(ndimage.sum_labels(circle & gap, labels, np.arange(1, count + 1)))) + 1
    depth = ndimage.distance_transform_edt(labels != largest) * size["grid"]
    taken = float(depth[met].max())
    masks = [circle & (depth <= taken * k / stages) for k in range(1, stages + 1)]
    through = columns.through(masks[-1], size["beyond"])
    return tuple(window_of(frame, axis, mask, through) for mask in masks), taken


def circle_window(frame: Frame, radius: float, deep: float, shallow: float) -> Window:
    """Return a round window about a frame's axis between two heights, mm."""
    step = float(table("procedures.laminotomy")["grid"])
    axis = np.arange(-FIELD, FIELD + step / 2, step)
    u, v = np.meshgrid(axis, axis, indexing="ij")
    return Window(frame, axis[[0, 0]], step, np.hypot(u, v) - radius, deep, shallow)


def moved_out(way: SleeveWay, height: float) -> Frame:
    """Return a way's frame with the origin so many mm farther out."""
    return replace(way.frame, origin=way.frame.origin + height * way.frame.superior)
