"""Foraminal stenosis: disc, yellow ligament and facet joint close in on the root."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import ndimage

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.column.foramen import intervertebral
from spineviz.anatomy.stenosis.narrowing import Narrowing
from spineviz.anatomy.stenosis.room import STEP, TURN, Room, room
from spineviz.anatomy.stenosis.squeeze import Squeeze
from spineviz.section import section, turn
from spineviz.structure import Floats, Frame, Structure
from spineviz.terms import SIDES, Disc, Level, Side, levels_of, roots_at

HALF = 11.0
"""So far (mm) out of the canal, and into it, a foramen is felt."""


def foraminal_room(
    disc: Disc, side: Side, bones: Mapping[Level, LevelBone], structures: Mapping[str, Structure]
) -> Room:
    """Return the room of the exiting root in its foramen: x upwards, z out of the canal.

    Raises ValueError where there is no opening, or no root in it.
    """
    above, below = levels_of(disc)
    root = f"root.{roots_at(disc)[0]}.{side}"
    if root not in structures:
        raise ValueError(f"{disc}: the foramen on the {side} has no root; show soft tissue too")
    window = intervertebral(bones[above], bones[below], side).frame
    frame = Frame(window.origin, np.stack([window.superior, window.right, window.anterior]))
    heights = np.arange(-HALF, HALF + STEP / 2, STEP)
    names = [f"disc.{disc}"]
    names += [f"{stem}.{disc}.{each}" for stem in ("flavum", "facet_capsule") for each in SIDES]
    soft = [structures[name].surface for name in names if name in structures]
    hard = [structures[level].surface for level in (above, below)]
    nerve = structures[root].surface
    return room(frame, _middles(structures[root], frame, heights), heights, nerve, soft, hard)


def _middles(root: Structure, frame: Frame, heights: Floats) -> Floats:
    """Return the middle (n, 2) of a root at some heights of a frame."""
    found: dict[int, Floats] = {}
    for row, height in enumerate(heights):
        level = Frame(frame.to_parent(np.array([0.0, 0.0, height])), frame.axes)
        outlines = section(root.surface, level).outlines
        if outlines:
            ring = max(outlines, key=turn)
            found[row] = (ring.min(axis=0) + ring.max(axis=0)) / 2
    if not found:
        raise ValueError(f"{root.name} does not lie in its foramen")
    rows, places = np.array(list(found)), np.array(list(found.values()))
    index = np.arange(len(heights))
    even = np.stack([np.interp(index, rows, places[:, axis]) for axis in (0, 1)], axis=1)
    return np.asarray(ndimage.gaussian_filter1d(even, 1.0, axis=0, mode="nearest"))


def narrowed_foramen(foramen: Room, narrowing: Narrowing) -> Squeeze:
    """Return the map that leaves the root as much room as a grade (1 to 3, after Lee) means."""
    shape = measures.table("stenosis.foramen")
    long = shape["span"]
    along = np.clip((long - np.abs(foramen.heights - shape["at"])) / shape["fading"], 0.0, 1.0)
    along = (along * along * (3.0 - 2.0 * along))[:, None]
    start = shape["from"][narrowing.grade - 1]
    aside = np.clip((np.abs(np.sin(TURN)) - start) / shape["rise"], 0.0, 1.0)
    upright = np.clip((np.abs(np.cos(TURN)) - start) / shape["rise"], 0.0, 1.0)
    closed = aside if narrowing.grade == 1 else np.maximum(aside, upright)
    loss = shape["flattened"] * np.sin(TURN) ** 2 if narrowing.grade == 3 else 0.0 * aside
    core = foramen.core * (1.0 - along * loss)
    goal = core + shape["gap"]
    gone = along * closed * np.maximum(foramen.wall - goal, 0.0)
    wall = np.maximum(foramen.wall - gone, goal - 0.05)
    wall = np.minimum(wall, foramen.wall)
    soft = foramen.hard - foramen.wall
    bony = 1.0 - np.clip(soft / shape["soft"], 0.0, 1.0) * (1.0 - shape["bone"])
    hard = np.maximum(foramen.hard - bony * (foramen.wall - wall), wall)
    return Squeeze(foramen, core, wall, hard, shape["deep"])
