"""Stenosis of the lateral recess: articular process and yellow ligament close it from behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc.space import endplate, middle
from spineviz.anatomy.stenosis.narrowing import Narrowing
from spineviz.anatomy.stenosis.squeeze import between
from spineviz.anatomy.surroundings import Surroundings
from spineviz.structure import Floats, Frame, Points, Structure, Surface
from spineviz.terms import SIDES, SIGN, Disc, Level, Side, levels_of, roots_at

CELL = 0.5
"""Spacing (mm) of the columns, from front to back, in which a recess is felt."""

WIDTH, HALF, REACH = 18.0, 20.0, 25.0
"""Columns reach so far (mm) to the side, up and down, and to either end."""

BEFORE, BEHIND = 8.0, 24.0
"""A root is looked for from so far (mm) before the place where a recess is felt from, and behind it."""

PASSING = 1.5
"""The root's place is looked for so far (mm) under the disc's middle, and so much above and below."""

NONE = 9.0
"""Where no wall stands in front or behind, room goes on so far (mm)."""


@dataclass(frozen=True, eq=False)
class Recess:
    """Columns through a recess, by distance (mm) to the side, times ``sign``, and by height over the disc.

    In ``frame``, that of the disc, tables (i, k) tell how far (mm) behind the frame's origin the wall in
    front stands, where the traversing root begins and ends, the tissue that bounds the recess behind, and the
    bone there.
    """

    frame: Frame
    sign: float
    front: Floats
    root: tuple[Floats, Floats]
    wall: Floats
    hard: Floats

    @property
    def aside(self) -> Floats:
        """The columns' distances to the side (i, 1), mm."""
        return (np.arange(self.front.shape[0]) * CELL)[:, None]

    @property
    def heights(self) -> Floats:
        """The columns' heights over the disc (k,), mm."""
        return np.arange(self.front.shape[1]) * CELL - HALF

    @property
    def place(self) -> float:
        """How far to the side the root passes the disc, mm."""
        thick = (self.root[1] - self.root[0]) * (np.abs(self.heights + PASSING) <= PASSING)
        return float((thick * self.aside).sum() / max(float(thick.sum()), 1e-6))


@dataclass(frozen=True, eq=False)
class Closing:
    """Moves points of a recess forwards and backwards, and never one past another.

    Tables (i, k) are where front, root, wall and bone come to lie; ``deep`` mm beyond nothing moves.
    """

    recess: Recess
    front: Floats
    root: tuple[Floats, Floats]
    wall: Floats
    hard: Floats
    deep: float

    def __call__(self, points: Points, bone: bool = False) -> Points:
        """Return world points (n, 3) moved; those of a ``bone`` move with its surface behind only."""
        frame, recess = self.recess.frame, self.recess
        local = frame.to_local(np.asarray(points, dtype=np.float64))
        side = recess.sign * local[:, 0]
        inside = np.flatnonzero((side > 0.0) & (side < WIDTH) & (np.abs(local[:, 2]) < HALF))
        cells = np.stack([side[inside], local[inside, 2] + HALF]) / CELL

        def at(table: Floats) -> Floats:
            return np.asarray(ndimage.map_coordinates(table, cells, order=1, mode="nearest"))

        front, hard = at(recess.front), at(recess.hard)
        before, after = [hard, hard + self.deep], [at(self.hard), hard + self.deep]
        if bone:
            before, after = [front, *before], [front, *after]
        else:
            before = [front - self.deep, front, *map(at, recess.root), at(recess.wall), *before]
            after = [front - self.deep, at(self.front), *map(at, self.root), at(self.wall), *after]
        way = -local[inside, 1]
        moved = between(way, np.array(before), np.array(after))
        changed = np.abs(moved - way) > 1e-6
        local[inside[changed], 1] = -moved[changed]
        result = np.array(points, dtype=np.float64)
        rows = inside[changed]
        result[rows] = frame.to_parent(local[rows])
        return result


def lateral_recess(
    disc: Disc, side: Side, bones: Mapping[Level, LevelBone], structures: Mapping[str, Structure]
) -> Recess:
    """Return the recess at a disc on one side. Raises ValueError where a bone lacks an endplate."""
    above, below = levels_of(disc)
    frame = middle(endplate(bones[above], "inferior"), endplate(bones[below], "superior"))
    hard = [structures[level].surface for level in (above, below)]
    root = f"root.{roots_at(disc)[1]}.{side}"
    if root not in structures:
        raise ValueError(f"{disc}: the recess on the {side} has no root; show soft tissue too")
    names = (f"disc.{disc}", *(f"flavum.{disc}.{each}" for each in SIDES))
    soft = [structures[name].surface for name in names if name in structures]
    aside, heights = np.arange(0.0, WIDTH + CELL / 2, CELL), np.arange(-HALF, HALF + CELL / 2, CELL)
    canal = np.mean(
        [frame.to_local(bones[level].landmarks["canal"].origin) for level in (above, below)], axis=0
    )
    start = _behind_bodies(frame, heights, float(canal[1]), [*hard, *soft])

    def felt(surfaces: list[Surface], ahead: float, off: float = 0.0) -> Floats:
        x, z = (grid.ravel() for grid in np.meshgrid(SIGN[side] * aside, heights, indexing="ij"))
        y = np.tile(start, len(aside)) - ahead * off
        things = Surroundings(()).and_also(surfaces)
        way = np.broadcast_to(ahead * frame.anterior, (len(x), 3))
        found = things.ahead(frame.to_parent(np.column_stack([x, y, z])), way, REACH)
        return np.asarray(-y - ahead * found).reshape(len(aside), len(heights))

    def known(table: Floats, ahead: float) -> Floats:
        return np.where(np.isfinite(table), table, -start - ahead * NONE)

    bone = known(felt(hard, -1.0), -1.0)
    wall = _even(np.minimum(known(felt([*hard, *soft], -1.0), -1.0), bone))
    front = np.minimum(_even(known(felt([*hard, *soft], 1.0), 1.0)), wall - 0.5)
    nerve = structures[root].surface
    ends = _root(felt([nerve], -1.0, BEFORE), felt([nerve], 1.0, BEHIND), front, wall)
    return Recess(frame, float(SIGN[side]), front, ends, wall, np.maximum(_even(bone), wall))


def _root(first: Floats, last: Floats, front: Floats, wall: Floats) -> tuple[Floats, Floats]:
    """Return where a root begins and ends (i, k) from front to back; beside it, the two are one."""
    there = np.isfinite(first) & np.isfinite(last) & (first > front) & (last < wall)
    if not there.any():
        middle = (front + wall) / 2
        return middle, middle
    nearest = ndimage.distance_transform_edt(~there, return_distances=False, return_indices=True)
    middle = np.where(there, (np.where(there, first, 0.0) + np.where(there, last, 0.0)) / 2, 0.0)[
        tuple(nearest)
    ]
    half = np.where(there, (last - first) / 2, 0.0)
    half = ndimage.gaussian_filter(half, 1.0)
    middle = np.clip(ndimage.gaussian_filter(middle, 1.0), front, wall)
    return np.maximum(middle - half, front), np.minimum(middle + half, wall)


def _behind_bodies(frame: Frame, heights: Floats, canal: float, surfaces: list[Surface]) -> Floats:
    """Return y (k,) just behind bodies and disc in the midline, at some heights."""
    starts = frame.to_parent(np.stack([0 * heights, 0 * heights + canal, heights], axis=1))
    way = np.broadcast_to(frame.anterior, starts.shape)
    found = Surroundings(()).and_also(surfaces).ahead(starts, way, REACH)
    known = np.isfinite(found)
    if not known.any():
        raise ValueError("no body stands before the canal; check the landmarks of the canal")
    places = np.interp(heights, heights[known], canal + found[known])
    return np.asarray(ndimage.gaussian_filter1d(places, 2.0, mode="nearest") - 1.5)


def _even(table: Floats) -> Floats:
    return np.asarray(ndimage.gaussian_filter(ndimage.median_filter(table, 3), 1.0, mode="nearest"))


def closed_recess(recess: Recess, narrowing: Narrowing) -> Closing:
    """Return the map that leaves a recess as high as a grade (1 to 3, after Bartynski) means."""
    shape = measures.table("stenosis.recess")
    causes = narrowing.causes
    goal = shape["left"][narrowing.grade - 1]
    place = recess.place
    near, full, far, end = place - shape["medial"], place - shape["full"], shape["lateral"], shape["end"]
    across = np.clip((recess.aside - near) / (full - near), 0.0, 1.0)
    across = across * np.clip((end - recess.aside) / (end - far), 0.0, 1.0)
    along = np.clip((shape["span"] - np.abs(recess.heights - shape["at"])) / shape["fading"], 0.0, 1.0)
    weight = _eased(across) * _eased(along)
    gone = weight * np.maximum(recess.wall - recess.front - goal, 0.0)
    bones = causes.facets + causes.pedicles
    whole = causes.disc + causes.flavum + bones
    bulge = np.clip((shape["disc_half"] - np.abs(recess.heights)) / 2.0, 0.0, 1.0)
    front = recess.front + np.minimum(gone * causes.disc / whole, shape["disc_most"]) * bulge
    wall = np.maximum(recess.wall - (gone - (front - recess.front)), front)
    bony = bones / max(bones + causes.flavum, 1e-6)
    thick = recess.hard - recess.wall
    soft = np.clip(thick / shape["soft"], 0.0, 1.0)
    moved = (recess.wall - wall) * (1.0 - soft * (1.0 - bony * shape["bone"]))
    bare = weight * np.maximum(recess.hard - recess.front - shape["bony"][narrowing.grade - 1], 0.0)
    beside = np.clip((recess.aside - shape["process"]) / 2.0, 0.0, 1.0)
    hard = recess.hard - shape["bone_most"] * np.tanh(np.maximum(moved, beside * bare) / shape["bone_most"])
    hard = np.maximum(hard, np.minimum(front + shape["bony"][narrowing.grade - 1], recess.hard))
    grown = np.clip(thick / shape["thin"], 0.0, 1.0) * shape["flavum_most"]
    wall = np.clip(np.maximum(wall, hard - thick - grown), front, np.maximum(hard, front))
    return Closing(recess, front, _pressed(recess, front, wall), wall, np.maximum(hard, wall), shape["deep"])


def _pressed(recess: Recess, front: Floats, wall: Floats) -> tuple[Floats, Floats]:
    """Return where the root comes to lie between two walls: flattened where there is no room beside it."""
    first, last = recess.root
    free = np.maximum(wall - front, 0.0)
    thick = np.minimum(last - first, np.maximum(free - 2 * measures.value("stenosis.recess.gap"), 0.3 * free))
    before = recess.wall - recess.front - (last - first)
    share = np.clip((first - recess.front) / np.maximum(before, 1e-6), 0.0, 1.0)
    start = front + share * (free - thick)
    return start, start + thick


def _eased(share: Floats) -> Floats:
    return share * share * (3.0 - 2.0 * share)
