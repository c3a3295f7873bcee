"""How a bone itself changes on its way: a body that collapses, rims that grow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.column.alignment import inverse
from spineviz.anatomy.column.carrying import Movement, Rigid
from spineviz.anatomy.column.deformation import Collapse, Deformation
from spineviz.anatomy.vertebra.broken import Crack, crack
from spineviz.anatomy.vertebra.collapse import Extent, crushed, tipped
from spineviz.anatomy.vertebra.retropulsed import Retropulsed
from spineviz.structure import Floats, Frame, Points
from spineviz.terms import Level

MIDST = 1.5
"""Corners of endplates are looked for within this many mm of the midline."""

HEIGHT, BEHIND = 6.0, 26.0
"""A corner lies within this height (mm) of its endplate's plane, and no farther behind its centre."""


def corners(bone: LevelBone, plate: Frame, side: float) -> tuple[Floats, Floats]:
    """Return the anterior and the posterior corner (3,) of an endplate; ``side`` is +1 for a superior one.

    Raises ValueError where they are not found.
    """
    local = plate.to_local(bone.surface.vertices)
    near = (np.abs(local[:, 0]) < MIDST) & (np.abs(local[:, 2]) < HEIGHT) & (local[:, 1] > -BEHIND)
    points = local[near]
    if not len(points):
        raise ValueError(f"{bone.level}: the corners of its endplate were not found")
    found = []
    for way in (1.0, -1.0):
        chosen = points[np.argmax(way * points[:, 1] + side * points[:, 2])]
        found.append(plate.to_parent(chosen * np.array([0.0, 1.0, 1.0])))
    return found[0], found[1]


def half_width(bone: LevelBone, plate: Frame) -> float:
    """Return half the width of an endplate, mm."""
    local = plate.to_local(bone.surface.vertices)
    near = (np.abs(local[:, 2]) < HEIGHT / 2.0) & (np.abs(local[:, 1]) < MIDST)
    return float(np.abs(local[near, 0]).max(initial=10.0))


@dataclass(frozen=True, eq=False)
class Rim:
    """A rim that grows: its plane's frame at the middle of the endplate, half its width and depth, in mm.

    ``side`` is +1 for a superior endplate, ``growth`` how far it grows outwards.
    """

    plate: Frame
    half_width: float
    half_depth: float
    side: float
    growth: float

    def __call__(self, points: Points) -> Points:
        """Return where places (n, 3) in the world go."""
        shape = measures.table("osteophytes")
        local = self.plate.to_local(points)
        x, y, z = local.T
        radius = np.hypot(x / self.half_width, y / self.half_depth)
        way = np.stack([x, y], axis=1) / np.maximum(np.hypot(x, y), 1e-6)[:, None]
        level = np.exp(-((z / shape["along"]) ** 2))
        rim = np.clip((radius - 0.75) / 0.25, 0.0, 1.0)
        fading = np.clip(1.0 - (radius - 1.0) * self.half_depth / shape["beyond"], 0.0, 1.0)
        back = np.clip(-y / self.half_depth, 0.0, 1.0) ** 2
        amount = self.growth * level * np.minimum(rim, fading) * (1.0 - (1.0 - shape["backwards"]) * back)
        local[:, :2] += amount[:, None] * way
        local[:, 2] += self.side * shape["towards"] * amount
        return self.plate.to_parent(local)


@dataclass(frozen=True, eq=False)
class Changed:
    """The movement of a bone: rims grow, a piece comes off, its body collapses, then all moves."""

    frame: Frame
    matrix: Floats
    rims: tuple[Rim, ...] = ()
    collapse: Collapse | None = None
    body: Extent | None = None
    crack: Crack | Retropulsed | None = None

    def __call__(self, points: Points) -> Points:
        """Return where places (n, 3) in the world go."""
        places: Points = np.asarray(points, dtype=np.float64)
        for rim in self.rims:
            places = rim(places)
        if self.crack is not None:
            places = self.frame.to_parent(self.crack.opened(self.frame.to_local(places)))
        if self.collapse is not None and self.body is not None:
            own = crushed(self.collapse, self.body, self.frame.to_local(places))
            places = self.frame.to_parent(own)
        return Rigid(self.matrix)(places)


def changed_bone(
    deformation: Deformation, level: Level, bone: LevelBone, matrix: Floats
) -> tuple[Movement, Floats]:
    """Return the movement of a bone, and the 4 x 4 movement of what stands on it.

    ``matrix`` is how the bone moves as a whole.
    """
    rims = tuple(_rims(deformation, level, bone))
    collapse, off = deformation.collapsed.get(level), cracked(deformation, level, bone)
    if collapse is None:
        changed = Changed(bone.frame, matrix, rims, crack=off)
        return (changed if rims or off is not None else Rigid(matrix)), matrix
    body = extent(bone)
    own = tipped(collapse, body)
    place = np.eye(4)
    place[:3, :3], place[:3, 3] = bone.frame.axes.T, bone.frame.origin
    above = matrix @ place @ own @ np.linalg.inv(place)
    return Changed(bone.frame, matrix, rims, collapse, body, off), above


def cracked(deformation: Deformation, level: Level, bone: LevelBone) -> Crack | Retropulsed | None:
    """Return the crack of a bone that a piece has come off, None for a whole one."""
    asked = deformation.broken.get(level)
    if asked is None:
        return None
    marks = {name: mark.then(inverse(bone.frame)) for name, mark in bone.landmarks.items()}
    return crack(asked, marks, extent(bone))


def extent(bone: LevelBone) -> Extent:
    """Return the extent of a vertebral body. Raises ValueError where an endplate is missing."""
    marks = bone.landmarks
    if not {"endplate.superior", "endplate.inferior"} <= set(marks):
        raise ValueError(f"{bone.level}: only a vertebral body with two endplates can collapse")
    found = []
    for name, side in (("endplate.superior", 1.0), ("endplate.inferior", -1.0)):
        for corner in corners(bone, marks[name], side):
            y, z = bone.frame.to_local(corner)[1:]
            found.append((float(y), float(z)))
    origins = np.stack([marks[name].origin for name in ("endplate.superior", "endplate.inferior")])
    dishes = float(np.maximum(bone.distance(origins), 0.0).sum())
    (_, upper), (_, lower) = np.mean(found[:2], axis=0), np.mean(found[2:], axis=0)
    width = half_width(bone, marks["endplate.superior"])
    above, behind, below, last = found
    return Extent(above, behind, below, last, width, float(upper - lower) - dishes)


def _rims(deformation: Deformation, level: Level, bone: LevelBone) -> list[Rim]:
    """Return the rims of a bone that grow."""
    result = []
    for disc, wear in deformation.worn.items():
        upper, lower = disc.split("-")
        if wear.osteophytes > 0.0 and level in (upper, lower):
            name, side = ("inferior", -1.0) if level == upper else ("superior", 1.0)
            plate = bone.landmarks[f"endplate.{name}"]
            front, back = corners(bone, plate, side)
            middle = Frame((front + back) / 2.0, plate.axes)
            depth = float(np.linalg.norm(front - back)) / 2.0
            result.append(Rim(middle, half_width(bone, plate), depth, side, wear.osteophytes))
    return result
