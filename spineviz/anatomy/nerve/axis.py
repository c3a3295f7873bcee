"""The thecal sac's axis: behind the bodies and the discs, from the atlas to the second sacral segment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc.space import DiscSpace, disc_space, endplate, landmark
from spineviz.anatomy.nerve.obstacles import felt, march
from spineviz.anatomy.nerve.parameters import NerveParameters, SacSection
from spineviz.structure import Floats, Frame, Points
from spineviz.terms import LEVELS, Level, discs_of, levels_of, region_of

STRIDE = 0.5
"""Lines are sampled this densely (mm)."""

LIGAMENT = 2.5
"""How thick the transverse ligament of the atlas is behind the dens, mm."""


@dataclass(frozen=True, eq=False)
class SacAxis:
    """The sac's axis from above downwards.

    ``points`` (n, 3) in the world; ``right`` and ``anterior`` (n, 3) unit vectors across; ``half``
    (n, 2) the half-widths in mm along them, ``egg`` (n,) the share of its width by which it is narrower at
    its back. ``length`` (n,) is the way from the highest station, mm; ``stations`` tells it for each level
    and disc.
    """

    points: Points
    right: Points
    anterior: Points
    half: Floats
    egg: Floats
    length: Floats
    wall: Points
    """The canal's front wall at the axis' points."""
    stations: Mapping[str, float]
    cut: Frame
    """Where the sac is cut off above: z along it, upwards. The axis goes on beyond: the cut is flat."""
    cut_below: Frame | None = None
    """Where it is cut off below, z along it, downwards; None where it ends by itself in the sacrum."""

    def nearest(self, point: Floats) -> int:
        """Return the index of the axis point closest to a place."""
        return int(np.argmin(np.linalg.norm(self.points - point, axis=1)))

    @property
    def down(self) -> Points:
        """The unit vectors (n, 3) along the axis, downwards."""
        return np.cross(self.right, self.anterior) * -1.0

    def place(self, level: Level, share: float) -> float:
        """Return the length (mm) at a share of the way from the middle of a level to that of the next.

        Beyond the bones that are there, lengths are guessed by the spacing of the outermost two.
        """
        known = [name for name in LEVELS if name in self.stations]
        order = [name for name in LEVELS if name != "L6" or "L6" in known]
        index = np.array([order.index(name) for name in known], dtype=np.float64)
        lengths = np.array([self.stations[name] for name in known])
        wanted = order.index(level) + share
        result = float(np.interp(wanted, index, lengths))
        if wanted < index[0]:
            result += (wanted - index[0]) * _spacing(lengths[:2])
        if wanted > index[-1]:
            result += (wanted - index[-1]) * _spacing(lengths[-2:])
        return result

    def index(self, length: float) -> int:
        """Return the index of the axis point at a length from the highest station, mm."""
        return int(np.clip(round((length - self.length[0]) / STRIDE), 0, len(self.length) - 1))

    @property
    def top(self) -> int:
        """The index of the axis point where the sac is cut off above."""
        return self.nearest(self.cut.origin)

    @property
    def bottom(self) -> int:
        """The index of the axis point where the sac ends or is cut off below."""
        return len(self.points) - 1 if self.cut_below is None else self.nearest(self.cut_below.origin)


def _spacing(lengths: Floats) -> float:
    return float(lengths[1] - lengths[0]) if len(lengths) == 2 else 30.0


class Station(NamedTuple):
    """A place of the canal's front wall in the world: its name, where it is, and its right."""

    name: str
    wall: Floats
    right: Floats


def sac_axis(parameters: NerveParameters, bones: Mapping[Level, LevelBone]) -> SacAxis:
    """Return the sac's axis, laid behind the posterior walls of bodies and discs.

    ``bones`` are neighbours, from above. Raises ValueError where a landmark is missing.
    """
    stations = _stations(bones)
    names, walls = [one.name for one in stations], np.array([one.wall for one in stations])
    shape = measures.table("thecal_sac_shape")
    knots = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(walls, axis=0), axis=1))])
    from scipy.interpolate import CubicSpline

    spline = CubicSpline(knots, walls)
    closed = names[-1] == "S2"
    length = np.arange(-shape["above"], knots[-1] + (0.0 if closed else shape["above"]), STRIDE)
    within = np.clip(length, 0.0, knots[-1])
    tangent = spline(within, 1)
    wall = spline(within) + (length - within)[:, None] * tangent
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    rights = np.array([one.right for one in stations])
    right = np.stack([np.interp(within, knots, rights[:, k]) for k in range(3)], axis=1)
    right -= (right * tangent).sum(1, keepdims=True) * tangent
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    anterior = np.cross(right, tangent)
    ap, transverse, gap, egg = _sections(parameters.sac, names, knots, length).T
    points = wall - (gap + ap / 2)[:, None] * anterior
    top = int(np.argmin(np.abs(length + shape["cut_above"])))
    cut = Frame(points[top], np.stack([right[top], anterior[top], -tangent[top]]))
    below = None
    if not closed:
        end = int(np.argmin(np.abs(length - knots[-1] - shape["cut_below"])))
        below = Frame(points[end], np.stack([-right[end], anterior[end], tangent[end]]))
    half = np.stack([transverse, ap], axis=1) / 2
    places = {name: float(knot) for name, knot in zip(names, knots, strict=True) if name}
    return SacAxis(points, right, anterior, half, egg, length, wall, places, cut, below)


def _sections(sac: tuple[SacSection, ...], names: list[str], knots: Floats, length: Floats) -> Floats:
    """Return ap, transverse, anterior gap and egg (n, 4) along the sac."""
    places, rows = [], []
    by_name = {section.station: section for section in sac}
    for name, knot in zip(names, knots, strict=True):
        section = by_name.get(name)
        if section is not None:
            places.append(knot)
            rows.append([section.ap, section.transverse, section.anterior_gap, section.egg])
    if not rows:
        raise ValueError(f"the sac needs at least one of the stations {', '.join(n for n in names if n)}")
    if len(rows) == 1:
        return np.repeat(np.array(rows), len(length), axis=0)
    from scipy.interpolate import PchipInterpolator

    return np.asarray(PchipInterpolator(places, rows)(np.clip(length, places[0], places[-1])))


def _stations(bones: Mapping[Level, LevelBone]) -> list[Station]:
    """Return the stations down the front of the canal."""
    levels = [level for level in bones if level != "Co1"]
    top, bottom = levels[0], levels[-1]
    result: list[Station] = []
    if "endplate.superior" in bones[top].landmarks and top != "S1":
        result.append(Station(f"{top}-above", rim(bones[top]), bones[top].frame.right))
    gridded = felt(bones)
    discs = {levels_of(disc)[0]: disc for disc in discs_of(levels)}
    for level in levels:
        bone = bones[level]
        if level == "S1":
            continue
        result.append(Station(level, _body(level, bones), bone.frame.right))
        if level in discs:
            beside = bones[levels_of(discs[level])[1]].frame.right
            margin = _margin(disc_space(discs[level], gridded))
            result.append(Station(discs[level], margin, (bone.frame.right + beside) / 2))
    if bottom != "S1":
        result.append(Station(f"{bottom}-below", rim(bones[bottom], below=True), bones[bottom].frame.right))
        return result
    sacral, right = _sacral_walls(bones["S1"]), bones["S1"].frame.right
    names = ["S1", *[""] * (len(sacral) - 2), "S2"]
    return result + [Station(name, wall, right) for name, wall in zip(names, sacral, strict=True)]


def _body(level: Level, bones: Mapping[Level, LevelBone]) -> Floats:
    """Return where the canal's front wall stands at the middle of a body; at C1 that is behind the dens."""
    canal = landmark(bones[level], "canal")
    if level != "C1":
        return march(bones[level], canal.origin, canal.anterior, inside=False)
    if "C2" in bones:
        dens = march(bones["C2"], canal.origin, canal.anterior, inside=False)
    else:
        ends = [landmark(bones["C1"], f"tubercle.ligament.{side}").origin for side in ("left", "right")]
        dens = canal.origin + ((np.mean(ends, axis=0) - canal.origin) @ canal.anterior) * canal.anterior
    return dens - LIGAMENT * canal.anterior


def rim(bone: LevelBone, below: bool = False) -> Floats:
    """Return the posterior rim of a bone's upper endplate, or of its lower, in the middle."""
    plate = endplate(bone, "inferior" if below else "superior")
    way = 4.0 if below else -4.0
    start = plate.origin + way * plate.superior
    return march(bone, start, -plate.anterior, inside=True) - way * plate.superior


def _margin(space: DiscSpace) -> Floats:
    """Return the middle of a healthy disc's posterior margin."""
    radius = float(space.radius(np.array([1.5 * np.pi]), np.array([0.5]))[0])
    bulge = measures.value(f"disc_shape.{region_of(levels_of(space.disc)[0])}.bulge")
    return space.frame.to_parent(np.array([0.0, -radius - bulge, 0.0]))


def _sacral_walls(bone: LevelBone) -> Points:
    """Return the front wall of the sacral canal from mid-S1 to the end of the sac."""
    return followed(bone, measures.value("thecal_sac_shape.sacral_length"))


def followed(bone: LevelBone, reach: float, stride: float = 3.0) -> Points:
    """Follow the front wall of the sacral canal from mid-S1 downwards for ``reach`` mm.

    It ends sooner where the canal does.
    """
    canal = landmark(bone, "canal")
    down, place = -canal.superior, canal.origin
    wall = march(bone, place, canal.anterior, inside=False)
    depth = float(np.linalg.norm(wall - place))
    walls = [wall]
    count = int(measures.value("thecal_sac_shape.sacral_length") / stride)
    for step in range(int(reach / stride)):
        anterior = np.cross(bone.frame.right, down)
        anterior = anterior if anterior @ canal.anterior > 0 else -anterior
        keep = depth * (1 - 0.5 * min((step + 1) / count, 1.0))
        try:
            wall = march(bone, walls[-1] - keep * anterior + stride * down, anterior, inside=False)
        except ValueError:
            if step < count:
                raise
            break
        turned = 0.6 * down + 0.4 * (wall - walls[-1]) / stride
        down = turned / np.linalg.norm(turned)
        walls.append(wall)
    return np.array(walls)
