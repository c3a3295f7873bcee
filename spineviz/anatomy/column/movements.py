"""Where a deformation takes every bone: movements in the world, from the sacrum upwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.column.carrying import Movement, Rigid
from spineviz.anatomy.column.changed_bone import changed_bone, corners, extent
from spineviz.anatomy.column.deformation import Bend, Deformation, Slip, Wear
from spineviz.anatomy.vertebra.collapse import dished
from spineviz.structure import Floats, Frame
from spineviz.terms import LEVELS, SIDES, Disc, Level, discs_of, levels_of

ARCH_TILT, ARCH_TILT_MOST = 30.0, 14.0
"""A loose arch tips back by so many degrees for a slip of the whole endplate, and by no more than that."""

RIMS_APART = 0.8
"""However worn a disc is, the rims beside it keep this distance, mm."""


@dataclass(frozen=True, eq=False)
class Space:
    """The space between two bodies: corners (3,) of the endplates above and below it in the midline, mm."""

    above: tuple[Floats, Floats]
    below: tuple[Floats, Floats]
    lower: Frame
    """The frame of the endplate below, in the world."""

    @property
    def depth(self) -> float:
        """The depth of the endplate below, mm."""
        return float(np.linalg.norm(self.below[0] - self.below[1]))

    @property
    def forward(self) -> Floats:
        """The way from the posterior to the anterior corner of the endplate below, a unit vector."""
        way: Floats = (self.below[0] - self.below[1]) / self.depth
        return way

    @property
    def upward(self) -> Floats:
        """The normal of the endplate below in the midline, a unit vector."""
        normal = np.cross(self.lower.right, self.forward)
        result: Floats = normal / np.linalg.norm(normal)
        return result

    def heights(self) -> tuple[float, float]:
        """Return how far (mm) the anterior and the posterior corners are apart along the normal."""
        front, back = (
            float((up - down) @ self.upward) for up, down in zip(self.above, self.below, strict=True)
        )
        return front, back

    def moved(self, matrix: Floats) -> Space:
        """Return the space after the bone above has moved."""
        movement = Rigid(matrix)
        front, back = movement(np.stack(self.above))
        return Space((front, back), self.below, self.lower)


def space(upper: LevelBone, lower: LevelBone) -> Space:
    """Return the space between two bodies. Raises ValueError where a corner is not found."""
    above, below = upper.landmarks["endplate.inferior"], lower.landmarks["endplate.superior"]
    return Space(corners(upper, above, -1.0), corners(lower, below, 1.0), below)


@dataclass(frozen=True, eq=False)
class Moved:
    """A bone's movement, that of its loose posterior arch where it has one, and that of what it carries.

    ``whole`` is how the bone moves but for what changes in itself, 4 x 4.
    """

    body: Movement
    arch: Rigid | None
    above: Floats
    whole: Floats


def movements(
    deformation: Deformation, bones: Mapping[Level, LevelBone], heights: Mapping[Disc, float]
) -> dict[Level, Moved]:
    """Return where every bone goes, by level.

    ``heights`` are the heights (mm) of the healthy discs in their middle. The sacrum and what hangs on it
    stay. Raises ValueError where a bone that a deformation needs is not there.
    """
    result: dict[Level, Moved] = {}
    still = np.eye(4)
    total = Bend()
    order = sorted(bones, key=LEVELS.index, reverse=True)
    between = {levels_of(disc): disc for disc in discs_of(sorted(bones, key=LEVELS.index))}
    for index, level in enumerate(order):
        below = order[index - 1] if index else None
        matrix = result[below].above if below is not None else still
        arch: Rigid | None = None
        if below is not None and (level, below) in between:
            disc = between[level, below]
            slip = deformation.slips.get(disc)
            step = _step(deformation, disc, bones[level], bones[below], heights[disc])
            if slip is not None and slip.lysis:
                arch = Rigid(matrix @ _tipped_arch(slip, bones[level]))
            matrix = matrix @ step
            if disc in deformation.bends:
                more = total.and_then(deformation.bends[disc])
                turn = _bent(total, more, bones[below], bones[level])
                matrix, total = matrix @ turn, more
        move, above = changed_bone(deformation, level, bones[level], matrix)
        result[level] = Moved(move, arch, above, matrix)
    return result


def _step(deformation: Deformation, disc: Disc, upper: LevelBone, lower: LevelBone, height: float) -> Floats:
    """Return the 4 x 4 movement of what lies above a disc, beside what lies below it."""
    result: Floats = np.eye(4)
    dish = _dish(deformation, upper, lower)
    if not dish and disc not in deformation.slips and disc not in deformation.worn:
        return result
    room = space(upper, lower)
    if dish:
        fall = min(dish, max(min(room.heights()) - RIMS_APART, 0.0))
        result = _shifted(-fall * room.upward)
    if disc in deformation.worn:
        result = _lowered(deformation.worn[disc], room.moved(result), height) @ result
    if disc in deformation.slips:
        result = _slipped(deformation.slips[disc], room.moved(result)) @ result
    return result


def _dish(deformation: Deformation, upper: LevelBone, lower: LevelBone) -> float:
    """Return how much deeper (mm), on the mean, the endplates beside a disc are dished in collapsed bodies.

    The disc sinks into them and keeps its volume: so far the bone above comes down.
    """
    result = 0.0
    for index, bone in enumerate((lower, upper)):
        if bone.level in deformation.collapsed:
            result += dished(deformation.collapsed[bone.level], extent(bone))[index]
    return result


def _middle(room: Space) -> Floats:
    return np.mean([*room.above, *room.below], axis=0)


def _bent(before: Bend, after: Bend, lower: LevelBone, upper: LevelBone) -> Floats:
    """Return how a segment bends about the middle of its disc.

    The two are how far all below it, and all above it, is bent in sum: to the side as a frontal radiograph
    shows it, then forward, and turned about the bone's own axis.
    """
    rotation = _attitude(before, lower).T @ _attitude(after, upper)
    return turned(Rotation.from_matrix(rotation).as_rotvec(), _middle(space(upper, lower)))


def _attitude(bend: Bend, bone: LevelBone) -> Floats:
    """Return the rotation (3, 3) of a bone that is bent so far in sum."""
    aside = Rotation.from_rotvec([0.0, np.radians(bend.right), 0.0])
    forward = Rotation.from_rotvec([-np.radians(bend.forward), 0.0, 0.0])
    around = Rotation.from_rotvec(-np.radians(bend.turned) * bone.frame.superior)
    result: Floats = (aside * forward * around).as_matrix()
    return result


def _lowered(wear: Wear, room: Space, height: float) -> Floats:
    """Return how a disc that loses height lets the bone above down: in front as much as behind, in share."""
    front, back = room.heights()
    lost = 1.0 - wear.height
    angle = lost * np.arctan2(front - back, room.depth)
    result = turned(-angle * room.lower.right, _middle(room))
    least = min(room.moved(result).heights())
    fall = min(lost * height, max(least - RIMS_APART, 0.0))
    return _shifted(-fall * room.upward) @ result


def _slipped(slip: Slip, room: Space) -> Floats:
    """Return how a bone tips about its lower posterior corner, slips forward and sinks."""
    corner = room.above[1]
    tipped = turned(-np.radians(slip.tilt) * room.lower.right, corner)
    own = float((corner - room.below[1]) @ room.forward)
    asked = slip.share * room.depth if slip.mm is None else slip.mm
    way = max(asked - own, 0.0)
    return _shifted(way * room.forward - slip.drop * room.upward) @ tipped


def _tipped_arch(slip: Slip, bone: LevelBone) -> Floats:
    """Return how a loose arch tips back over the joints beneath it, out of the way of the bone above."""
    sides = [bone.landmarks[f"facet.inferior.{side}"].origin for side in SIDES]
    angle = min(ARCH_TILT * slip.share, ARCH_TILT_MOST)
    return turned(np.radians(angle) * bone.frame.right, np.mean(sides, axis=0))


def turned(vector: Floats, centre: Floats) -> Floats:
    """Return the 4 x 4 rotation about a point by a rotation vector (radians)."""
    rotation = Rotation.from_rotvec(vector).as_matrix()
    result = np.eye(4)
    result[:3, :3] = rotation
    result[:3, 3] = centre - rotation @ centre
    return result


def _shifted(way: Floats) -> Floats:
    result = np.eye(4)
    result[:3, 3] = way
    return result
