"""Where sac and roots run: smooth lines through the canal and the foramina, clear of bone and disc."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc import annulus_field, disc_parameters
from spineviz.anatomy.disc.displaced_material import medial_border
from spineviz.anatomy.disc.space import DiscSpace, disc_space, endplate, landmark
from spineviz.anatomy.nerve.parameters import NerveParameters, RootParameters, SacSection
from spineviz.anatomy.relaxed_line import curve, relax, resampled, unit
from spineviz.sdf.solid import Field
from spineviz.structure import Floats, Frame, Points
from spineviz.terms import LOWER_LUMBAR_DISCS, SIDES, SIGN, Level, Side

Obstacles = Field
"""Distance (mm) of world points (n, 3) to everything a nerve must keep clear of."""

LUMBAR: tuple[Level, ...] = ("L3", "L4", "L5")
STRIDE = 0.5
"""Lines are sampled this densely (mm)."""

FORAMINAL = 3.5
"""A root passes this far (mm) in front of the pedicle's axis on its way out."""

TRIMMED = 4.0
"""This much (mm) is cut off a root's line: its end is held and may bend towards where it is held."""

SHOULDER = 0.4
"""Behind the disc above its own vertebra a root's centre stands this share of its radius beside the sac."""

SHEATHED, INSIDE = 7.0, 0.3
"""A root's line starts this far (mm) above its take-off, at this share of the sac's half-width."""


@dataclass(frozen=True, eq=False)
class SacAxis:
    """The sac's axis from above downwards.

    ``points`` (n, 3) in the world; ``right`` and ``anterior`` (n, 3) unit vectors across; ``half``
    (n, 2) the half-widths in mm along them. ``length`` (n,) is the way from the top, mm.
    """

    points: Points
    right: Points
    anterior: Points
    half: Floats
    length: Floats
    wall: Points
    """The canal's front wall at the axis' points."""
    cut: Frame
    """Where the sac is cut off: z along it, upwards. The axis goes on beyond, so that the cut is flat."""

    def nearest(self, point: Floats) -> int:
        """Return the index of the axis point closest to a place."""
        return int(np.argmin(np.linalg.norm(self.points - point, axis=1)))


@dataclass(frozen=True, eq=False)
class RootPath:
    """A root's centreline from inside the sac outwards: ``points`` (n, 3), ``radii`` (n,), mm.

    ``takeoff`` and ``ganglion`` are indices into the line: where it leaves the sac, where its ganglion is.
    """

    level: Level
    side: Side
    points: Points
    radii: Floats
    takeoff: int
    ganglion: int


def obstacles(bones: Mapping[Level, LevelBone], discs: bool = True) -> Obstacles:
    """Return the distance to the nearest bone, and to the nearest healthy disc."""
    fields: list[Field] = [bone.grid for bone in bones.values()]
    for disc in LOWER_LUMBAR_DISCS if discs else ():
        fields.append(annulus_field(disc_space(disc, bones), disc_parameters(disc)))

    def distance(points: Points) -> Floats:
        return np.min([field(points) for field in fields], axis=0)

    return distance


def march(bone: LevelBone, start: Floats, direction: Floats, inside: bool, reach: float = 40.0) -> Floats:
    """Return where a ray leaves (``inside``) or meets a bone. Raises ValueError if it does not."""
    places = start + np.arange(0.0, reach, 0.1)[:, None] * direction
    found = (bone.grid(places) > 0.0) == inside
    if not found.any():
        raise ValueError(
            f"{bone.level}: no bone surface within {reach} mm of {np.round(start, 1).tolist()} along "
            f"{np.round(direction, 2).tolist()}; check the landmarks there"
        )
    return places[int(np.argmax(found))]


def sac_axis(parameters: NerveParameters, bones: Mapping[Level, LevelBone]) -> SacAxis:
    """Return the sac's axis, laid behind the posterior walls of bodies and discs."""
    names, walls = _walls(bones)
    shape = measures.table("thecal_sac_shape")
    knots = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(walls, axis=0), axis=1))])
    from scipy.interpolate import CubicSpline

    spline = CubicSpline(knots, walls)
    length = np.arange(-shape["above"], knots[-1], STRIDE)
    inside = np.maximum(length, 0.0)
    tangent = spline(inside, 1)
    wall = spline(inside) + np.minimum(length, 0.0)[:, None] * tangent
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    right = np.tile([1.0, 0.0, 0.0], (len(length), 1))
    right -= (right * tangent).sum(1, keepdims=True) * tangent
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    anterior = np.cross(right, tangent)
    ap, transverse, gap = _sections(parameters.sac, names, knots, length).T
    points = wall - (gap + ap / 2)[:, None] * anterior
    top = int(np.argmin(np.abs(length + shape["cut_above"])))
    cut = Frame(points[top], np.stack([right[top], anterior[top], -tangent[top]]))
    return SacAxis(points, right, anterior, np.stack([transverse, ap], axis=1) / 2, length, wall, cut)


def _sections(sac: tuple[SacSection, ...], names: list[str], knots: Floats, length: Floats) -> Floats:
    """Return ap, transverse and anterior gap (n, 3) along the sac."""
    known = [section for section in sac if section.station in names]
    if len(known) < 2:
        raise ValueError(f"the sac needs at least two of the stations {', '.join(n for n in names if n)}")
    places = [knots[names.index(section.station)] for section in known]
    rows = np.array([[section.ap, section.transverse, section.anterior_gap] for section in known])
    from scipy.interpolate import PchipInterpolator

    return np.asarray(PchipInterpolator(places, rows)(np.clip(length, places[0], places[-1])))


def _walls(bones: Mapping[Level, LevelBone]) -> tuple[list[str], Points]:
    """Return the stations down the front of the canal and their places on its wall, world mm."""
    names, walls = ["L3-above"], [_rim(bones["L3"])]
    for level, disc in zip(LUMBAR, LOWER_LUMBAR_DISCS, strict=True):
        canal = landmark(bones[level], "canal")
        names += [level, disc]
        space = disc_space(disc, bones)
        walls += [march(bones[level], canal.origin, canal.anterior, inside=False), _margin(space)]
    sacral = _sacral_walls(bones["S1"])
    return [*names, "S1", *[""] * (len(sacral) - 2), "S2"], np.array([*walls, *sacral])


def _rim(bone: LevelBone) -> Floats:
    """Return the posterior rim of a bone's upper endplate, in the middle."""
    plate = endplate(bone, "superior")
    return (
        march(bone, plate.origin - 4.0 * plate.superior, -plate.anterior, inside=True) + 4.0 * plate.superior
    )


def _margin(space: DiscSpace) -> Floats:
    """Return the middle of a healthy disc's posterior margin."""
    radius = float(space.radius(np.array([1.5 * np.pi]), np.array([0.5]))[0])
    bulge = measures.value("disc_shape.lumbar.bulge")
    return space.frame.to_parent(np.array([0.0, -radius - bulge, 0.0]))


def _sacral_walls(bone: LevelBone, stride: float = 3.0) -> Points:
    """Follow the front wall of the sacral canal from mid-S1 downwards."""
    canal = landmark(bone, "canal")
    down, place = -canal.superior, canal.origin
    wall = march(bone, place, canal.anterior, inside=False)
    depth = float(np.linalg.norm(wall - place))
    walls = [wall]
    count = int(measures.value("thecal_sac_shape.sacral_length") / stride)
    for step in range(count):
        anterior = np.cross(down, np.array([1.0, 0.0, 0.0])) * -1.0
        anterior = anterior if anterior @ canal.anterior > 0 else -anterior
        keep = depth * (1 - 0.5 * (step + 1) / count)
        wall = march(bone, walls[-1] - keep * anterior + stride * down, anterior, inside=False)
        turned = 0.6 * down + 0.4 * (wall - walls[-1]) / stride
        down = turned / np.linalg.norm(turned)
        walls.append(wall)
    return np.array(walls)


def root_paths(
    parameters: NerveParameters, axis: SacAxis, bones: Mapping[Level, LevelBone], free: Obstacles
) -> list[RootPath]:
    """Return the roots of both sides, relaxed until they are smooth and clear of bone and disc."""
    keys = [(root, side) for root in parameters.roots for side in SIDES]
    samples = measures.value("root_path.samples")
    guides = [_way(root, side, axis, bones) for root, side in keys]
    lines = np.array([resampled(curve(guide), samples) for guide in guides])
    radii = np.array(
        [_radii(root, guide, line)[0] for (root, _), guide, line in zip(keys, guides, lines, strict=True)]
    )
    relaxed = relax(lines, radii, free)
    paths = []
    for (root, side), guide, line in zip(keys, guides, relaxed, strict=True):
        dense = resampled(curve(line), int(np.linalg.norm(np.diff(line, axis=0), axis=1).sum() / STRIDE))
        dense = dense[: -round(TRIMMED / STRIDE)]
        profile, ganglion = _radii(root, guide, dense)
        takeoff = int(np.argmin(np.linalg.norm(dense - guide[1], axis=1)))
        paths.append(RootPath(root.level, side, dense, profile, takeoff, ganglion))
    return paths


def _way(root: RootParameters, side: Side, axis: SacAxis, bones: Mapping[Level, LevelBone]) -> Points:
    """Return the way-points: inside the sac, take-off, medial of the pedicle, ganglion, outside."""
    bone = bones[root.level]
    lateral = SIGN[side] * bone.frame.right
    if root.level == "S1":
        way = _sacral_way(root, side, bone, lateral)
    else:
        way = _lumbar_way(root, side, bone, lateral)
    return np.array([*_takeoff(root, axis, bone, SIGN[side]), *way])


def _takeoff(root: RootParameters, axis: SacAxis, bone: LevelBone, sign: float) -> Points:
    """Return where a root runs inside the sac, where it leaves it, and where it passes the disc above."""
    off_wall = root.diameter / 2 + measures.value("root_path.clearance")
    front = axis.wall - off_wall * axis.anterior
    sides = front + sign * 0.95 * axis.half[:, :1] * axis.right - 0.25 * axis.half[:, 1:] * axis.anterior
    leaving = axis.nearest(_rim(bone)) - round(root.takeoff_height / STRIDE)
    start = leaving - round(SHEATHED / STRIDE)
    if start < 0:
        raise ValueError(f"the {root.level} root leaves above the sac's upper end; lower its takeoff_height")
    inner = axis.points[start] + sign * INSIDE * axis.half[start, 0] * axis.right[start]
    inner = inner + 0.2 * axis.half[start, 1] * axis.anterior[start]
    behind = axis.nearest(_rim(bone))
    wide = axis.half[behind, 0] + SHOULDER * root.diameter / 2
    shoulder = front[behind] + sign * wide * axis.right[behind]
    return np.array([inner, sides[leaving], shoulder] if behind > leaving + 2 else [inner, sides[leaving]])


def _lumbar_way(root: RootParameters, side: Side, bone: LevelBone, lateral: Floats) -> Points:
    """Return the places medial of the pedicle, under it, beyond it, and where the line ends."""
    clearance = measures.value("root_path.clearance")
    down, radius = -bone.frame.superior, root.diameter / 2
    recess = medial_border(bone, side) - (radius + clearance) * lateral + 1.5 * down
    front = march(bone, recess, bone.frame.anterior, inside=False)
    recess = front - (radius + clearance) * bone.frame.anterior
    pedicle = landmark(bone, f"pedicle.{side}").origin + FORAMINAL * bone.frame.anterior
    under = march(bone, pedicle, down, inside=True) + (root.ganglion_width / 2 + clearance + 1.0) * down
    out = _outwards(root, bone, side)
    return np.array(
        [recess, under, under + 6.0 * unit(out + 0.2 * lateral), under + (6.0 + root.outside_length) * out]
    )


def _sacral_way(root: RootParameters, side: Side, bone: LevelBone, lateral: Floats) -> Points:
    """Return two places down the lateral recess, the foramen's depth and opening, and the line's end."""
    clearance = measures.value("root_path.clearance")
    canal, foramen = landmark(bone, "canal"), landmark(bone, f"foramen.anterior.S1.{side}")
    places = [canal.origin + 1.5 * canal.anterior - drop * canal.superior for drop in (-2.0, 7.0)]
    recess = [
        march(bone, place, lateral, inside=False) - (root.ganglion_width / 2 + clearance) * lateral
        for place in places
    ]
    outer = foramen.origin + root.outside_length * _outwards(root, bone, side)
    return np.array([*recess, foramen.origin - 8.0 * foramen.anterior, foramen.origin, outer])


def _outwards(root: RootParameters, bone: LevelBone, side: Side) -> Floats:
    local = np.array(root.outside_direction) * [SIGN[side], 1.0, 1.0]
    return unit(local @ bone.frame.axes)


def _radii(root: RootParameters, guide: Points, line: Points) -> tuple[Floats, int]:
    """Return the radius profile with its fusiform ganglion, and the ganglion's index."""
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    anchor = guide[-4] if root.level == "S1" else guide[-3]
    place = length[np.argmin(np.linalg.norm(line - anchor, axis=1))] + root.ganglion_place
    centre = int(np.argmin(np.abs(length - place)))
    reach = np.clip(np.abs(length - place) / (0.62 * root.ganglion_length), 0.0, 1.0)
    swell = (1 - reach * reach) ** 2
    start = 0.5 + 0.5 * np.clip(length / SHEATHED, 0.0, 1.0)
    return start * root.diameter / 2 + (root.ganglion_width - root.diameter) / 2 * swell, centre
