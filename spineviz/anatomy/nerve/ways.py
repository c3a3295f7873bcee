"""The ways of the roots: through which places each goes from the sac to the outside of its foramen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc.displaced_material import medial_border
from spineviz.anatomy.disc.space import landmark
from spineviz.anatomy.nerve.axis import STRIDE, SacAxis, followed, rim
from spineviz.anatomy.nerve.obstacles import Obstacles, march
from spineviz.anatomy.nerve.parameters import RootParameters
from spineviz.anatomy.relaxed_line import unit
from spineviz.structure import Floats, Frame, Points
from spineviz.terms import LEVELS, SIGN, Level, Root, Side

FORAMINAL = 3.5
"""A lumbar root passes this far (mm) in front of the pedicle's axis on its way out."""

SHOULDER = 0.4
"""Behind the disc above its own vertebra a root's centre stands this share of its radius beside the sac."""

LEAST_ROOM = 0.9
"""A root that is flattened needs at least this much (mm) from its middle to the walls of its foramen."""

SEARCH = np.arange(-5.0, 5.01, 0.5)
"""How far around its middle the roomiest place of a foramen is looked for, mm."""

BEHIND_JOINT = np.arange(3.0, 18.0, 0.25)
"""How far behind the middle of the lateral atlantoaxial joint the C2 ganglion may lie, mm."""

OFF_FLOOR = {"S5": 3.4, "Co1": 2.4}
"""The last two roots run this far (mm) behind the front wall of the sacral canal, behind those above them."""

ASIDE = {"S2": 0.35, "S3": 0.4, "S4": 1.6}
"""Sacral roots go to the side of the canal sooner (below 1) or later than evenly on their way down: they lie
side by side, the upper ones outside."""

HIATUS = {"S5": 3.2, "Co1": 1.5}
"""How far (mm) from the midline the last two roots come out of the sacral hiatus."""


@dataclass(frozen=True, eq=False)
class Way:
    """Places (n, 3) that a root goes through, in the world; the second is its take-off from the sac.

    ``anchor`` is the place that its ganglion is told from.
    """

    points: Points
    anchor: Floats


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What a way is found in: the bones, the sac's axis, and the distance to bones and discs."""

    bones: Mapping[Level, LevelBone]
    axis: SacAxis
    free: Obstacles

    def bone(self, level: Level) -> LevelBone:
        """Return a bone. Raises ValueError where it is missing."""
        if level not in self.bones:
            raise ValueError(f"the bone {level} is missing here")
        return self.bones[level]


def bones_of(root: Root) -> tuple[Level, ...]:
    """Return the bones that a root's way is told by."""
    if root == "C8":
        return "C7", "T1"
    if root in ("S2", "S3", "S4", "S5", "Co1"):
        return ("S1",)
    own = LEVELS[LEVELS.index(root)]
    if root.startswith("C") and root != "C1":
        return LEVELS[LEVELS.index(own) - 1], own
    return (own,)


def way_of(root: RootParameters, side: Side, around: Surroundings) -> Way:
    """Return the way of a root on one side. Raises ValueError where there is no room for it."""
    name = root.root
    found: dict[str, Callable[[RootParameters, Side, Surroundings], Way]] = {
        "C1": _atlas_way,
        "C2": _axis_way,
        "S5": _hiatal_way,
        "Co1": _hiatal_way,
    }
    regional = {"C": _cervical_way, "T": _thoracic_way, "L": _lumbar_way, "S": _sacral_way}
    return found.get(name, regional[name[0]])(root, side, around)


def _lateral_takeoff(root: RootParameters, side: Side, place: Floats, axis: SacAxis) -> list[Floats]:
    """Return where a root of the neck or the thorax starts in the sac, and where it leaves its side."""
    leaving = axis.nearest(place) - round(root.takeoff_height / STRIDE)
    start = max(leaving - round(root.sheathed / STRIDE), 0)
    sign = SIGN[side]
    inner = axis.points[start] + sign * root.inside * axis.half[start, 0] * axis.right[start]
    outer = axis.points[leaving] + sign * axis.half[leaving, 0] * axis.right[leaving]
    return [inner, outer]


def _anterior_takeoff(root: RootParameters, side: Side, bone: LevelBone, axis: SacAxis) -> list[Floats]:
    """Return where a root runs inside the sac, where it leaves it, and where it passes the disc above."""
    sign = SIGN[side]
    off_wall = root.diameter / 2 + measures.value("root_path.clearance")
    front = axis.wall - off_wall * axis.anterior
    sides = (
        front + sign * root.leaving * axis.half[:, :1] * axis.right - 0.25 * axis.half[:, 1:] * axis.anterior
    )
    behind = axis.nearest(rim(bone))
    leaving = min(behind - round(root.takeoff_height / STRIDE), len(axis.points) - 1)
    start = leaving - round(root.sheathed / STRIDE)
    if start < 0:
        raise ValueError(f"the {root.root} root leaves above the sac's upper end; lower its takeoff_height")
    inner = axis.points[start] + sign * root.inside * axis.half[start, 0] * axis.right[start]
    inner = inner + 0.2 * axis.half[start, 1] * axis.anterior[start]
    wide = axis.half[behind, 0] + SHOULDER * root.diameter / 2
    shoulder = front[behind] + sign * wide * axis.right[behind]
    return [inner, sides[leaving], shoulder] if behind > leaving + 2 else [inner, sides[leaving]]


def _lumbar_way(root: RootParameters, side: Side, around: Surroundings) -> Way:
    """Return the way medial of the pedicle, under it and beyond it."""
    bone = around.bone(bones_of(root.root)[0])
    lateral = SIGN[side] * bone.frame.right
    clearance = measures.value("root_path.clearance")
    down, radius = -bone.frame.superior, root.diameter / 2
    recess = medial_border(bone, side) - (radius + clearance) * lateral + 1.5 * down
    front = march(bone, recess, bone.frame.anterior, inside=False)
    recess = front - (radius + clearance) * bone.frame.anterior
    under = _under_pedicle(root, side, bone, FORAMINAL)
    out = _outwards(root, bone, side)
    beyond = [under + 6.0 * unit(out + 0.2 * lateral), under + (6.0 + root.outside_length) * out]
    takeoff = _anterior_takeoff(root, side, bone, around.axis)
    if around.axis.nearest(recess) <= around.axis.nearest(takeoff[1]):  # it leaves the sac below the recess
        return Way(np.array([*takeoff, under, *beyond]), under)
    return Way(np.array([*takeoff, recess, under, *beyond]), under)


def _under_pedicle(root: RootParameters, side: Side, bone: LevelBone, ahead: float) -> Floats:
    """Return where a root passes under a pedicle, ``ahead`` mm in front of its axis."""
    clearance = measures.value("root_path.clearance")
    down = -bone.frame.superior
    pedicle = landmark(bone, f"pedicle.{side}").origin + ahead * bone.frame.anterior
    return march(bone, pedicle, down, inside=True) + (root.ganglion_width / 2 + clearance + 1.0) * down


def _thoracic_way(root: RootParameters, side: Side, around: Surroundings) -> Way:
    """Return the way from the side of the sac under the pedicle towards the intercostal space."""
    bone = around.bone(bones_of(root.root)[0])
    under = _under_pedicle(root, side, bone, 0.0)
    under = _roomiest(under, bone.frame.anterior, bone.frame.superior, around.free, 2.5)
    _require_room(root, side, under, around.free)
    lateral = SIGN[side] * bone.frame.right
    out = _outwards(root, bone, side)
    takeoff = _lateral_takeoff(root, side, under, around.axis)
    beyond = [under + 6.0 * unit(out + 0.5 * lateral), under + (6.0 + root.outside_length) * out]
    return Way(np.array([*takeoff, under, *beyond]), under)


def _cervical_way(root: RootParameters, side: Side, around: Surroundings) -> Way:
    """Return the way obliquely forward through the foramen and along the groove of the transverse process."""
    upper, lower = (around.bone(level) for level in bones_of(root.root))
    window = _window(upper, lower, side)
    middle = _roomiest(window.origin, window.right, window.superior, around.free, 4.5)
    _require_room(root, side, middle, around.free)
    entrance = middle - 4.0 * window.anterior + 0.6 * window.superior
    groove = _groove(root, side, lower, middle, window)
    out = _outwards(root, lower, side)
    takeoff = _lateral_takeoff(root, side, entrance, around.axis)
    return Way(
        np.array([*takeoff, entrance, middle, groove, groove + (4.0 + root.outside_length) * out]), middle
    )


def _window(upper: LevelBone, lower: LevelBone, side: Side) -> Frame:
    """Return the frame midway between two pedicles: y out of the canal, z to the upper pedicle."""
    above, below = (landmark(bone, f"pedicle.{side}") for bone in (upper, lower))
    forward = above.anterior + below.anterior
    z = unit(above.origin - below.origin)
    y = unit(SIGN[side] * np.cross(forward - (forward @ z) * z, z))
    return Frame((above.origin + below.origin) / 2.0, np.stack([np.cross(y, z), y, z]))


def _groove(root: RootParameters, side: Side, bone: LevelBone, middle: Floats, window: Frame) -> Floats:
    """Return where a root lies between the tubercles of the transverse process below it."""
    if f"tubercle.anterior.{side}" not in bone.landmarks:
        return middle + 8.0 * unit(window.anterior + 0.4 * _outwards(root, bone, side))
    ends = [landmark(bone, f"{name}.{side}").origin for name in ("tubercle.anterior", "transverse")]
    between = (ends[0] + ends[1]) / 2
    up = bone.frame.superior
    places = between + np.arange(14.0, -14.0, -0.1)[:, None] * up
    inside = bone.grid(places) < 0.0
    floor = places[int(np.argmax(inside))] if inside.any() else between
    return floor + (root.diameter / 2 + measures.value("root_path.clearance") + 0.3) * up


def _atlas_way(root: RootParameters, side: Side, around: Surroundings) -> Way:
    """Return the way over the posterior arch of the atlas, behind the lateral mass."""
    bone = around.bone("C1")
    arch, mass = (landmark(bone, f"{name}.{side}") for name in ("lamina", "facet.superior"))
    inner = arch.origin - 2.0 * arch.anterior
    place = inner + 0.3 * (mass.origin - inner) * [1.0, 1.0, 0.0]
    up, out = bone.frame.superior, _outwards(root, bone, side)
    above = march(bone, place + 15.0 * up, -up, inside=False)
    over = above + (root.diameter / 2 + measures.value("root_path.clearance") + 0.3) * up
    takeoff = _lateral_takeoff(root, side, over, around.axis)
    beyond = over + (4.0 + root.outside_length) * out
    return Way(np.array([*takeoff, over, over + 5.0 * unit(out + 0.2 * up), beyond]), over)


def _axis_way(root: RootParameters, side: Side, around: Surroundings) -> Way:
    """Return the way between atlas and axis, behind their lateral joint."""
    upper, lower = (around.bone(level) for level in bones_of(root.root))
    joint = (
        landmark(upper, f"facet.inferior.{side}").origin + landmark(lower, f"facet.superior.{side}").origin
    ) / 2
    frame = lower.frame
    places = joint - BEHIND_JOINT[:, None] * frame.anterior
    room = around.free(places)
    wanted = root.ganglion_width / 2 + measures.value("root_path.clearance")
    chosen = int(np.argmax(room >= wanted)) if (room >= wanted).any() else int(np.argmax(room))
    behind = _roomiest(places[chosen], frame.anterior, frame.superior, around.free, 2.0)
    _require_room(root, side, behind, around.free)
    lateral, out = SIGN[side] * frame.right, _outwards(root, lower, side)
    takeoff = _lateral_takeoff(root, side, behind, around.axis)
    beyond = [behind + 4.0 * unit(out + lateral), behind + (4.0 + root.outside_length) * out]
    return Way(np.array([*takeoff, behind - 4.0 * lateral, behind, *beyond]), behind)


def _sacral_way(root: RootParameters, side: Side, around: Surroundings) -> Way:
    """Return the way down the canal and through an anterior sacral foramen."""
    bone = around.bone("S1")
    lateral = SIGN[side] * bone.frame.right
    clearance = measures.value("root_path.clearance")
    canal, foramen = landmark(bone, "canal"), landmark(bone, f"foramen.anterior.{root.root}.{side}")
    outer = foramen.origin + root.outside_length * _outwards(root, bone, side)
    takeoff = _anterior_takeoff(root, side, bone, around.axis)
    if root.root != "S1":
        depth = foramen.origin - 5.0 * foramen.anterior
        along = _down_the_canal(root, side, takeoff[1], depth, around)
        return Way(np.array([*takeoff, *along, depth, foramen.origin, outer]), depth)
    places = [canal.origin + 1.5 * canal.anterior - drop * canal.superior for drop in (-2.0, 7.0)]
    recess = [
        march(bone, place, lateral, inside=False) - (root.ganglion_width / 2 + clearance) * lateral
        for place in places
    ]
    mouth = [foramen.origin - 8.0 * foramen.anterior, foramen.origin, outer]
    return Way(np.array([*takeoff, *recess, *mouth]), recess[1])


def _down_the_canal(
    root: RootParameters, side: Side, start: Floats, goal: Floats, around: Surroundings
) -> list[Floats]:
    """Return places down the sacral canal, to the one from where a foramen's depth is nearest."""
    bone = around.bone("S1")
    radius = root.diameter / 2
    lateral = SIGN[side] * bone.frame.right
    line = canal_floor(bone, radius + 0.6)
    aside = np.arange(2.0, 14.1, 0.5)
    places = line[:, None] + aside[:, None] * lateral
    lack = np.maximum(radius + 0.5 - around.free(places.reshape(-1, 3)), 0.0).reshape(places.shape[:2])
    cost = np.linalg.norm(places - goal, axis=2) + 6.0 * lack
    last, chosen = divmod(int(np.argmin(cost)), len(aside))
    before = (start - line) @ lateral
    first = int(np.argmin(np.linalg.norm(line + before[:, None] * lateral - start, axis=1)))
    steps = range(first + 2, last, 2)
    shares = [((k - first) / (last - first)) ** ASIDE[root.root] for k in steps]
    offsets = [before[first] + share * (aside[chosen] - before[first]) for share in shares]
    along = [line[k] + offset * lateral for k, offset in zip(steps, offsets, strict=True)]
    return [*along, places[last, chosen]]


def _hiatal_way(root: RootParameters, side: Side, around: Surroundings) -> Way:
    """Return the way down the sacral canal, out of the hiatus and around the first coccygeal segment."""
    bone = around.bone("S1")
    aside = HIATUS[root.root] * SIGN[side] * bone.frame.right
    takeoff = _anterior_takeoff(root, side, bone, around.axis)
    line = canal_floor(bone, root.diameter / 2 + OFF_FLOOR[root.root])
    first = int(np.argmin(np.linalg.norm(line - takeoff[1], axis=1)))
    inside = [place + aside for place in line[first + 3 :: 4]]
    apex = landmark(bone, "apex")
    behind = apex.origin - (root.diameter / 2 + 1.6) * bone.frame.anterior + aside
    if "Co1" in around.bones:
        coccyx = around.bones["Co1"]
        tip, up = landmark(coccyx, f"transverse.{side}").origin, coccyx.frame.superior
        way = 1.0 if root.root == "S5" else -1.0
        beside = tip + way * (root.diameter / 2 + 2.0) * up - 1.0 * coccyx.frame.anterior
        outer = [beside, beside + (4.0 + root.outside_length) * _outwards(root, coccyx, side)]
    else:
        outer = [behind + (4.0 + root.outside_length) * _outwards(root, bone, side)]
    return Way(np.array([*takeoff, *inside, *outer]), takeoff[1])


def canal_floor(bone: LevelBone, off: float) -> Points:
    """Return a line (n, 3) ``off`` mm behind the front wall of the sacral canal, from S1 to its end."""
    apex = landmark(bone, "apex").origin
    wall = followed(bone, 130.0)
    wall = wall[: int(np.argmin(np.linalg.norm(wall - apex, axis=1))) + 1]
    tangent = np.gradient(wall, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    return wall - off * np.cross(bone.frame.right, tangent)


def _roomiest(place: Floats, across: Floats, up: Floats, free: Obstacles, reach: float) -> Floats:
    """Return the place with most room within ``reach`` mm of another, in the plane of two directions.

    Places farther away must offer more: a tenth of a mm for each.
    """
    steps = SEARCH[np.abs(SEARCH) <= reach]
    x, z = (grid.ravel() for grid in np.meshgrid(steps, steps))
    places = place + x[:, None] * across + z[:, None] * up
    score = np.minimum(free(places), 3.5) - 0.1 * np.hypot(x, z)
    return places[int(np.argmax(score))]


def _require_room(root: RootParameters, side: Side, place: Floats, free: Obstacles) -> None:
    room = float(free(place[None])[0])
    if room < LEAST_ROOM:
        raise ValueError(
            f"{root.root} {side}: its foramen has {room:.1f} mm of room from the middle to the walls, "
            f"and at least {LEAST_ROOM} are needed"
        )


def _outwards(root: RootParameters, bone: LevelBone, side: Side) -> Floats:
    local = np.array(root.outside_direction) * [SIGN[side], 1.0, 1.0]
    return unit(local @ bone.frame.axes)
