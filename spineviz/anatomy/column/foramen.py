"""Foramina: the windows through which nerves leave the canal, found on bones as they stand.

An intervertebral foramen is looked at along its axis, in the plane through the isthmi of the pedicles above
and below it: obliquely between cervical vertebrae, as oblique radiographs show it, in a parasagittal plane
elsewhere, as a sagittal section does. Bone bounds it above and below; a disc and the cleft of the joint close
the gaps between the two bones in front and behind. A sacral foramen is looked at along its own axis.

Bones may be generated or given; everything is in the world, mm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from spineviz.anatomy.column.alignment import joint_space
from spineviz.structure import Bone, Floats, Frame, Points
from spineviz.terms import SIDES, SIGN, Level, Side, region_of

Sacral = Literal["S1", "S2", "S3", "S4"]
Aspect = Literal["anterior", "posterior"]
SACRAL: tuple[Sacral, ...] = get_args(Sacral)
ASPECTS: tuple[Aspect, ...] = get_args(Aspect)

STEP = 0.75
"""How finely the plane of a foramen is sampled, mm."""

REACH = 16.0
"""How far from the middle between the pedicles a foramen is looked for, in front and behind, mm."""

HALF = 1.0
"""What stands this far (mm) from the plane of a foramen, to both sides, bounds it too."""

MEDIAL = 4.0
"""An articular process bounds a foramen though it stands up to this far medial of its plane, mm."""

CLEFT = 1.3
"""Where two bones are no farther from each other than so many joint spaces, their joint closes the gap."""

RIMS = (2.5, 1.5)
"""So far (mm) from an endplate the back of the body is felt: a low pedicle may reach the farther place."""

NARROWEST = 3.0
"""What lies less than this (mm) before the articular processes is no back of a body."""

DEPTHS, WIDEST = np.arange(0.5, 6.1, 0.5), 8.0
"""How deep in a sacral foramen its narrowest place is looked for, and how far from its axis it ends where its
wall is open, mm."""


@dataclass(frozen=True, eq=False)
class Foramen:
    """One foramen in the world.

    ``frame`` stands in the centre of the window: y leads out of the canal along the foramen's axis, z is as
    superior as the window's plane allows. ``outline`` (n, 3) is the closed polygon of the window, its first
    point not repeated. ``room`` is the radius (mm) of the largest circle that fits into the window, and
    ``width_superior`` (mm) the way from the lower edge of the body above, at the disc, to the articular
    process behind it; None for a foramen without a disc.
    """

    name: str
    frame: Frame
    outline: Points
    room: float
    width_superior: float | None = None

    @cached_property
    def plane(self) -> Floats:
        """The outline in its own plane, shape (n, 2): along the frame's x and z, mm."""
        return self.frame.to_local(self.outline)[:, ::2]

    @property
    def area(self) -> float:
        """The area of the window, mm²."""
        return abs(_signed_area(self.plane))

    @property
    def height(self) -> float:
        """The greatest height of the window, mm: from the pedicle above to the pedicle below."""
        return float(_chords(self.plane).max())

    @property
    def width(self) -> float:
        """The width of the window from front to back at half its height, mm."""
        low, high = self.plane[:, 1].min(), self.plane[:, 1].max()
        return float(_chords(self.plane[:, ::-1], np.array([(low + high) / 2.0]))[0])


def foramina(bones: Mapping[Level, Bone]) -> dict[str, Foramen]:
    """Return all foramina of bones that are given from above, by name.

    ``foramen.L4-L5.left`` between two bones, and ``foramen.anterior.S1.left`` and so on of the sacrum. Raises
    ValueError where a landmark is missing and where there is no opening.
    """
    result = [
        intervertebral(bones[upper], bones[lower], side)
        for upper, lower in pairwise(bones)
        for side in SIDES
        if upper != "C1" and lower != "Co1"
    ]
    if "S1" in bones:
        result += [
            sacral(bones["S1"], level, side, aspect)
            for level in SACRAL
            for aspect in ASPECTS
            for side in SIDES
        ]
    return {one.name: one for one in result}


def intervertebral(upper: Bone, lower: Bone, side: Side) -> Foramen:
    """Return the foramen between two neighbouring bones on one side.

    Raises ValueError where a landmark of the pedicles or of the facets is missing, and where there is no
    opening.
    """
    name = f"foramen.{upper.level}-{lower.level}.{side}"
    frame = _window(upper, lower, side, name)
    ahead = -SIGN[side]
    facets = [_mark(upper, f"facet.inferior.{side}", name), _mark(lower, f"facet.superior.{side}", name)]
    joint = frame.to_local(np.array([facet.origin for facet in facets]))
    disc = _back_of_disc(upper, frame, ahead, float(joint[:, 0].mean()))
    cleft = CLEFT * joint_space(upper.level, lower.level)
    medial = float(np.clip(joint[:, 1].min(), -MEDIAL, -HALF))
    reach = np.arange(-REACH, REACH + STEP, STEP)
    half = _half_height(upper, lower, frame, side)
    rise = np.arange(-half, half + STEP, STEP)
    across, up = np.meshgrid(reach, rise, indexing="ij")
    plane = np.stack([across, np.zeros_like(across), up], axis=-1).reshape(-1, 3)
    room = np.full(across.shape, np.inf)
    for depth in (*np.arange(medial, HALF, 1.0), HALF):
        points = frame.to_parent(plane + np.array([0.0, depth, 0.0]))
        above, below = (bone.distance(points).reshape(across.shape) for bone in (upper, lower))
        room = np.minimum.reduce([room, above, below, (above + below - cleft) / 2.0])
    room = np.minimum(room, ahead * (across - joint[:, 0].mean()))
    room = np.minimum(room, REACH - np.abs(across))
    if disc is not None:
        room = np.minimum(room, _behind(disc, ahead, across, up))
    found = _found(name, frame, room, (float(reach[0]), float(rise[0])))
    if disc is None:
        return found
    edge = frame.to_parent(np.array([disc[0][0], 0.0, disc[0][1]]))
    return replace(found, width_superior=_behind_edge(found, edge, ahead))


def sacral(sacrum: Bone, level: Sacral, side: Side, aspect: Aspect) -> Foramen:
    """Return the ``anterior`` or ``posterior`` foramen of a sacral level, S1 to S4, at its narrowest place.

    Raises ValueError where the bone has no such landmark, and where there is no opening.
    """
    name = f"foramen.{aspect}.{level}.{side}"
    mouth = _mark(sacrum, name, name)
    reach = np.arange(-WIDEST - STEP, WIDEST + 2.0 * STEP, STEP)
    across, up = np.meshgrid(reach, reach, indexing="ij")
    plane = np.stack([across, np.zeros_like(across), up], axis=-1).reshape(-1, 3)
    start = (float(reach[0]), float(reach[0]))
    found: list[Foramen] = []
    for depth in DEPTHS:
        frame = Frame(mouth.origin - depth * mouth.anterior, mouth.axes)
        room = sacrum.distance(frame.to_parent(plane)).reshape(across.shape)
        room = np.minimum(room, WIDEST - np.hypot(across, up))
        parts, _ = ndimage.label(room > 0.0)
        middle = parts[len(reach) // 2, len(reach) // 2]
        if middle:
            found.append(_found(name, frame, np.where(parts == middle, room, np.minimum(room, -0.01)), start))
    if not found:
        raise ValueError(f"{name}: there is no opening in the bone")
    return min(found, key=lambda one: one.area)


def _mark(bone: Bone, feature: str, name: str) -> Frame:
    """Return a landmark that a foramen needs."""
    if feature not in bone.landmarks:
        raise ValueError(f"{name}: the landmark {bone.level}/{feature} is needed to find it")
    return bone.landmarks[feature]


def _window(upper: Bone, lower: Bone, side: Side, name: str) -> Frame:
    """Return the frame midway between the two pedicles: y out along the axis, z to the upper pedicle."""
    above, below = (_mark(bone, f"pedicle.{side}", name) for bone in (upper, lower))
    forward = above.anterior + below.anterior
    superior = above.origin - below.origin
    if region_of(upper.level) != "cervical":
        forward = upper.frame.anterior + lower.frame.anterior
        superior = superior - (superior @ upper.frame.right) * upper.frame.right
    z = superior / np.linalg.norm(superior)
    forward = forward - (forward @ z) * z
    y = SIGN[side] * np.cross(forward, z)
    y = y / np.linalg.norm(y)
    return Frame((above.origin + below.origin) / 2.0, np.stack([np.cross(y, z), y, z]))


def _half_height(upper: Bone, lower: Bone, frame: Frame, side: Side) -> float:
    """Return half the way between the pedicles, mm."""
    ends = [frame.to_local(bone.landmarks[f"pedicle.{side}"].origin)[2] for bone in (upper, lower)]
    return float(ends[0] - ends[1]) / 2.0


def _back_of_disc(upper: Bone, frame: Frame, ahead: float, joint: float) -> tuple[Floats, Floats] | None:
    """Return where the disc's back begins under the upper body in the plane, and the way down from there.

    Both have shape (2,): along the frame's x and z. None where there is no disc. ``joint`` is the x of the
    articular processes: a back that is not clearly before them is the pedicle's.
    """
    if "endplate.inferior" not in upper.landmarks:
        return None
    rim = upper.landmarks["endplate.inferior"]
    corners = [corner for height in RIMS if (corner := _corner(upper, rim, height, frame, ahead)) is not None]
    if not corners:
        raise ValueError(f"{upper.level}: the back of its body was not found at the pedicle")
    before = [corner for corner in corners if ahead * (corner[0] - joint) > NARROWEST]
    down = -(rim.superior @ frame.axes.T)[::2]
    return (before or corners)[0], down / np.linalg.norm(down)


def _corner(upper: Bone, rim: Frame, height: float, frame: Frame, ahead: float) -> Floats | None:
    """Return where, along the frame's x and z, a body's back is met ``height`` mm over its lower rim.

    It is felt from the front along the rim's plane; ``ahead`` is the sign of x in front.
    """
    right, out, rise = rim.superior @ frame.axes.T
    start = frame.to_local(rim.origin + height * rim.superior)
    start = np.array([start[0], 0.0, start[2] + start[1] * out / rise])
    back = ahead * np.array([-rise, 0.0, right]) / np.hypot(right, rise)
    places = start + np.arange(0.0, 40.0, 0.25)[:, None] * back
    inside = upper.distance(frame.to_parent(places)) < 0.0
    first = int(np.argmax(inside))
    if not inside.any() or inside[first:].all():
        return None
    return np.asarray(places[first + int(np.argmin(inside[first:]))][::2])


def _behind(disc: tuple[Floats, Floats], ahead: float, across: Floats, up: Floats) -> Floats:
    """Return how far points of the plane lie behind a disc's back, mm; infinite above its beginning."""
    (x, z), (right, rise) = disc
    below = (across - x) * right + (up - z) * rise > 0.0
    away = ahead * ((across - x) * rise - (up - z) * right)
    return np.where(below, away, np.inf)


def _behind_edge(found: Foramen, edge: Floats, ahead: float) -> float:
    """Return the least way (mm) from the lower edge of the body above to the back of the window."""
    places = _along(found.plane)
    back = places[ahead * places[:, 0] < 0.0]
    return float(np.linalg.norm(back - found.frame.to_local(edge)[::2], axis=1).min())


def _largest(room: Floats) -> np.ndarray | None:
    """Return the connected free part of a sampled plane that has the most room; None where all is closed."""
    parts, count = ndimage.label(room > 0.0)
    chosen = parts[np.unravel_index(int(np.argmax(room)), room.shape)]
    return np.asarray(parts == chosen) if count else None


def _found(name: str, frame: Frame, room: Floats, start: tuple[float, float]) -> Foramen:
    """Return the foramen from the free room (mm) of points sampled in its plane from ``start`` on."""
    from skimage.measure import find_contours

    region = _largest(room)
    if region is None:
        raise ValueError(f"{name}: there is no opening between the bones")
    own = np.where(ndimage.binary_dilation(region), room, np.minimum(room, -0.01))
    padded = np.pad(own, 1, constant_values=-STEP)
    lines = find_contours(padded, 0.0)
    plane = max(lines, key=lambda line: abs(_signed_area(line)))[:-1]
    plane = np.asarray(start) + (plane - 1.0) * STEP
    middle = _centroid(plane)
    centre = frame.to_parent(np.array([middle[0], 0.0, middle[1]]))
    points = frame.to_parent(np.column_stack([plane[:, 0], np.zeros(len(plane)), plane[:, 1]]))
    nodes = np.asarray(start) + np.argwhere(region) * STEP
    room_inside = float(cKDTree(_along(plane)).query(nodes)[0].max())
    return Foramen(name, Frame(centre, frame.axes), points, room_inside)


def _along(plane: Floats) -> Floats:
    """Return points (n, 2) along a polygon, four on each edge."""
    return np.linspace(plane, np.roll(plane, -1, axis=0), 4, endpoint=False).reshape(-1, 2)


def _signed_area(plane: Floats) -> float:
    x, y = plane[:, 0], plane[:, 1]
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2.0


def _centroid(plane: Floats) -> Floats:
    """Return the centroid of a polygon's area."""
    after = np.roll(plane, -1, axis=0)
    share = plane[:, 0] * after[:, 1] - after[:, 0] * plane[:, 1]
    result: Floats = ((plane + after) * share[:, None]).sum(axis=0) / (3.0 * share.sum())
    return result


def _chords(plane: Floats, places: Floats | None = None) -> Floats:
    """Return the longest chords of a polygon along its second coordinate, at places along its first.

    By default they are taken a quarter of a mm apart.
    """
    if places is None:
        places = np.arange(plane[:, 0].min() + 0.125, plane[:, 0].max(), 0.25)
    after = np.roll(plane, -1, axis=0)
    result = np.zeros(len(places))
    for i, place in enumerate(places):
        crossing = (plane[:, 0] > place) != (after[:, 0] > place)
        one, other = plane[crossing], after[crossing]
        at = one[:, 1] + (place - one[:, 0]) / (other[:, 0] - one[:, 0]) * (other[:, 1] - one[:, 1])
        ends = np.sort(at).reshape(-1, 2)
        result[i] = float((ends[:, 1] - ends[:, 0]).max())
    return result
