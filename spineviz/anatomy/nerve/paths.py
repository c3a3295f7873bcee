"""Where roots run: smooth lines from the sac through the foramina, clear of bone and disc."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.nerve.axis import STRIDE, SacAxis, sac_axis
from spineviz.anatomy.nerve.halves import MIRROR, symmetric
from spineviz.anatomy.nerve.obstacles import Obstacles, Part, obstacles, together
from spineviz.anatomy.nerve.parameters import NerveParameters, RootParameters
from spineviz.anatomy.nerve.ways import Surroundings, Way, bones_of, way_of
from spineviz.anatomy.relaxed_line import curve, relax, resampled, tube
from spineviz.structure import Floats, Frame, Points
from spineviz.terms import SIDES, Level, Root, Side

__all__ = ["Obstacles", "RootPath", "SacAxis", "obstacles", "root_paths", "sac_axis"]

TRIMMED = 4.0
"""This much (mm) is cut off a root's line: its end is held and may bend towards where it is held."""

FILUM = 0.3
"""Roots in the sacral canal keep this much (mm) farther from the midline, where the filum runs."""

GATHERED = 4.5
"""A root has its whole diameter so many mm from where its rootlets join, or where it leaves the sac."""

LATER: tuple[Root, ...] = ("S2", "S3", "S4", "S5", "Co1")
"""Roots that share the sacral canal: each keeps clear of those above it."""


@dataclass(frozen=True, eq=False)
class RootPath:
    """A root's centreline from inside the sac outwards: ``points`` (n, 3), ``radii`` (n,), mm.

    ``takeoff`` and ``ganglion`` are indices into the line: where it leaves the sac, where its ganglion is.
    """

    root: Root
    side: Side
    points: Points
    radii: Floats
    takeoff: int
    ganglion: int
    sheathed: float


def root_paths(
    parameters: NerveParameters, axis: SacAxis, bones: Mapping[Level, LevelBone], free: Obstacles
) -> list[RootPath]:
    """Return the roots of both sides whose bones are there, relaxed until smooth and clear of bone and disc.

    Raises ValueError where a landmark is missing and where a foramen is too narrow for any nerve.
    """
    around = Surroundings(bones, axis, free)
    known = [root for root in parameters.roots if set(bones_of(root.root)) <= set(bones)]
    sides: Sequence[Side] = ("right",) if symmetric(bones) else SIDES
    paths = _relaxed([root for root in known if root.root not in LATER], sides, around, free)
    for root in (root for root in known if root.root in LATER):
        taken = [path for path in paths if path.root.startswith("S")]
        paths += _relaxed([root], sides, around, _beside(free, taken, around.bone("S1").frame))
    return paths if len(sides) == 2 else [each for path in paths for each in (path, _reflected(path))]


def _reflected(path: RootPath) -> RootPath:
    return replace(path, side="left", points=path.points * MIRROR)


def _beside(free: Obstacles, paths: Sequence[RootPath], sacrum: Frame) -> Obstacles:
    """Return the distance to bone, disc, roots outside of the sac, and to the midline."""
    parts: list[Part] = []
    for path in paths:
        line, radii = path.points[path.takeoff :], path.radii[path.takeoff :]
        reach = float(radii.max())
        parts.append((tube(line, radii), line.min(0) - reach, line.max(0) + reach))
    roots = together(parts)

    def distance(points: Points) -> Floats:
        aside = np.abs(sacrum.to_local(points)[:, 0]) - FILUM
        return np.minimum(np.minimum(free(points), roots(points)), aside)

    return distance


def _relaxed(
    roots: Sequence[RootParameters], sides: Sequence[Side], around: Surroundings, free: Obstacles
) -> list[RootPath]:
    """Return some roots of the sides wanted, relaxed together in what is in their way."""
    keys = [(root, side) for root in roots for side in sides]
    if not keys:
        return []
    samples = measures.value("root_path.samples")
    ways = [way_of(root, side, around) for root, side in keys]
    lines = np.array([resampled(curve(way.points), samples) for way in ways])
    radii = np.array(
        [_radii(root, way, line)[0] for (root, _), way, line in zip(keys, ways, lines, strict=True)]
    )
    relaxed = relax(lines, radii, free)
    paths = []
    for (root, side), way, line in zip(keys, ways, relaxed, strict=True):
        dense = resampled(curve(line), int(np.linalg.norm(np.diff(line, axis=0), axis=1).sum() / STRIDE))
        dense = dense[: -round(TRIMMED / STRIDE)]
        profile, ganglion = _radii(root, way, dense)
        takeoff = int(np.argmin(np.linalg.norm(dense - way.points[1], axis=1)))
        paths.append(RootPath(root.root, side, dense, profile, takeoff, ganglion, root.sheathed))
    return paths


def _radii(root: RootParameters, way: Way, line: Points) -> tuple[Floats, int]:
    """Return the radius profile with its fusiform ganglion, and the ganglion's index."""
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    place = length[np.argmin(np.linalg.norm(line - way.anchor, axis=1))] + root.ganglion_place
    centre = int(np.argmin(np.abs(length - place)))
    reach = np.clip(np.abs(length - place) / (0.62 * root.ganglion_length), 0.0, 1.0)
    swell = (1 - reach * reach) ** 2
    start = 0.5 + 0.5 * np.clip(length / max(root.sheathed, GATHERED), 0.0, 1.0)
    return start * root.diameter / 2 + (root.ganglion_width - root.diameter) / 2 * swell, centre
