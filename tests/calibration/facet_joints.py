"""Articular processes that fit their neighbours': congruent facets a joint space apart, as they stand.

The mean bone of many patients and a single bone do not meet where they are stacked: their facets overlap, by
up to 2 mm. `congruent` finds the sheet midway between the two facing surfaces of each joint, with the bones
standing on their discs, and refines the articular processes of both until the sheet lies half a joint space
from each. All else about a bone stays: its reference, or where it has none its own surface, takes part in
the fit. The giving way of `spineviz.body.skeleton` then finds little left to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from fitting import Path, Shape, Target, fit, name_of, target_of
from scipy.optimize import least_squares
from scipy.spatial import cKDTree
from vertebra_references import in_own_frame

from spineviz import measures
from spineviz.anatomy import sacrum, vertebra
from spineviz.anatomy.sacrum import SacrumParameters
from spineviz.anatomy.vertebra import VertebraParameters
from spineviz.anatomy.vertebra.landmarks import normals
from spineviz.body import Anatomy
from spineviz.body.skeleton import Blank, blank, placed
from spineviz.geometry import as_trimesh
from spineviz.sdf import mesh
from spineviz.structure import Floats, Frame, Points

SPACE = float(measures.value("facet_joint.bone_to_bone_gap_lumbar"))
"""The joint space between bone and bone, mm."""

AROUND, FACING, CLOSE = 17.0, -0.75, 5.0
"""A facet is looked for this far around its landmark (mm), where the surfaces oppose each other (cosine), not
farther apart than this (mm)."""

TOUCHING, SLACK = -0.5, 0.6
"""Beside the facets bones come too near where they face each other so little (cosine) and are so much (mm)
nearer than a joint space."""

REACH = 9.0
"""The sheet reaches this far from its centre (mm); beyond, bones are only kept from coming too near."""

WEIGHT, USUAL = 4.0, 500
"""How much a point of the sheet counts beside one of the bone's surface; more than so many count as these."""

MOVING, PULL = ("start", "end", "roll", "across"), 0.3
"""What of an articular process is refined, and the pull to its shape before."""

SAME = 0.7
"""A sheet found anew reaches no farther (mm) than this from the one before: facets do not grow."""

CLEAR = 2.0
"""So near (mm) to a joint's sheet the bone need not stay as it was."""

ROUNDS = 3
"""How often sheets are found anew."""

S1_FACET, S1_TIP = np.array([13.05, -38.4, 10.8, -39.1, 16.0]), 3.7
"""The S1 facet to begin with, x and y of its axis below and above and its radius (mm): facet centres near the
published 47 mm apart. And where the axis of its process ends (z, mm), clear of the pars of L5."""

S1_PULL = np.array([2.0, 2.0, 2.0, 2.0, 4.0])
"""The pull of the S1 facet to where it begins."""

GIVES_WAY = {"L1": 1.0, "L2": 1.0, "L3": 1.0, "L4": 2.0, "L5": 0.5, "S1": 2.0}
"""How much of what a joint lacks a bone takes upon itself, beside its neighbour: bones with a trusted
reference give way less."""


@dataclass(frozen=True, eq=False)
class Joint:
    """The right facet joint of two standing bones, as a sheet midway between their facets.

    ``points`` (n, 3) and ``outward`` (n, 3), unit normals from the upper to the lower bone, stand in the
    world; ``frames`` are the bones'. ``wanted`` (2, n) is how far (mm) each bone shall be from the points.
    """

    points: Points
    outward: Floats
    frames: tuple[Frame, Frame]
    wanted: Floats


Joints = dict[tuple[str, str], Joint]


def joint(
    level: tuple[str, str],
    bones: tuple[Blank, Blank],
    frames: tuple[Frame, Frame],
    before: Joint | None = None,
) -> Joint:
    """Return the joint of two bones as they stand, no larger than it was ``before``."""
    (upper, lower), (above, below) = bones, frames
    assert upper.solid is not None
    bone = as_trimesh(mesh(upper.solid, 1.0, mirror=True))
    mark = upper.landmarks["facet.inferior.right"].origin
    near = np.linalg.norm(bone.triangles_center - mark, axis=1) < AROUND
    points = above.to_parent(bone.triangles_center[near])
    own = np.asarray(bone.face_normals[near]) @ above.axes

    def gaps(places: Points) -> Floats:
        return np.stack([upper.distance(above.to_local(places)), lower.distance(below.to_local(places))])

    facing = normals(lower.distance, below.to_local(points)) @ below.axes
    opposed = (np.einsum("ij,ij->i", facing, own) < TOUCHING) & (gaps(points)[1] < CLOSE)
    points, own = points[opposed], own[opposed]
    for _ in range(4):
        first, second = gaps(points)
        points = points + 0.5 * (second - first)[:, None] * own
    away = normals(upper.distance, above.to_local(points)) @ above.axes
    back = normals(lower.distance, below.to_local(points)) @ below.axes
    outward = (away - back) / np.linalg.norm(away - back, axis=1, keepdims=True)
    first, second = gaps(points)
    even = (np.abs(first - second) < 0.3) & (np.einsum("ij,ij->i", outward, own) > -FACING)
    facet = even & (np.einsum("ij,ij->i", away, back) < FACING)
    facet &= np.linalg.norm(points - points[facet].mean(axis=0), axis=1) < REACH
    if before is not None:
        facet &= cKDTree(before.points).query(points)[0] < SAME
    chosen = facet | (even & (first + second < SPACE - SLACK))
    points, outward = points[chosen], outward[chosen]
    now = gaps(points)
    shares = np.array([[GIVES_WAY[name]] for name in level])
    return Joint(points, outward, frames, now + shares / shares.sum() * (SPACE - now.sum(axis=0)))


def congruent(
    shapes: Mapping[str, VertebraParameters],
    sacral: SacrumParameters,
    kind: Mapping[str, Shape[VertebraParameters]],
) -> tuple[dict[str, VertebraParameters], SacrumParameters]:
    """Return L1 to L5 and the sacrum with facets that keep the joint space from each other.

    ``kind`` tells how each level is fitted (limits and scales).
    """
    shapes, met = dict(shapes), None
    for _ in range(ROUNDS):
        met = joints(shapes, sacral, met)
        shapes = {level: refined(level, shapes[level], kind[level], met) for level in shapes}
        sacral = faced(sacral, met[("L5", "S1")])
    return shapes, sacral


def joints(
    shapes: Mapping[str, VertebraParameters], sacral: SacrumParameters, before: Joints | None = None
) -> Joints:
    """Return each joint by the two levels, from above, no larger than it was ``before``."""
    anatomy = Anatomy(vertebrae={**shapes, "S1": sacral})  # type: ignore[dict-item]
    levels: tuple[Any, ...] = (*sorted(shapes), "S1")
    blanks = {level: blank(anatomy, level) for level in levels}
    frames = placed(anatomy, blanks)
    return {
        pair: joint(
            pair, *(tuple(of[level] for level in pair) for of in (blanks, frames)), before and before[pair]
        )
        for pair in pairwise(levels)
    }


def refined(
    level: str,
    shape: VertebraParameters,
    kind: Shape[VertebraParameters],
    met: Joints,
) -> VertebraParameters:
    """Return a level with its articular processes refined."""
    targets, names = [_kept(level, shape)], []
    for levels, found in met.items():
        if level in levels:
            side = levels.index(level)
            targets.append(_wanted(found, side))
            names.append(("inferior_articular_process", "superior_articular_process")[side])
    targets[0] = _away(targets[0], np.vstack([target.points for target in targets[1:]]))
    target = Target(*(np.concatenate(rows) for rows in zip(*map(_rows, targets), strict=True)))

    def is_free(path: Path) -> bool:
        return path[0] in names and name_of(path) in MOVING and kind.is_free(path)

    only = Shape(kind.part_fields, kind.joined, is_free, kind.scale, kind.plausible)
    return fit(only, shape, target, 3.0, 10, PULL)


def facing_l5(sacral: SacrumParameters) -> SacrumParameters:
    """Return the sacrum with the S1 facets that a fit begins with."""
    tree = sacral.model_dump()
    x_below, y_below, x_above, y_above, radius = S1_FACET
    tree["facet"] |= {
        "lower": (x_below, y_below, tree["facet"]["lower"][2]),
        "upper": (x_above, y_above, tree["facet"]["upper"][2]),
        "radius": radius,
    }
    tree["superior_process"]["end"] = (*tree["superior_process"]["end"][:2], S1_TIP)
    return SacrumParameters.model_validate(tree)


def faced(sacral: SacrumParameters, found: Joint) -> SacrumParameters:
    """Return the sacrum with its S1 facet, the wall of a cylinder, moved to what the joint wants of it."""
    local = found.frames[1].to_local(found.points)
    start = np.array([*sacral.facet.lower[:2], *sacral.facet.upper[:2], sacral.facet.radius])

    def shaped(values: Floats) -> SacrumParameters:
        lower, upper = (*values[:2], sacral.facet.lower[2]), (*values[2:4], sacral.facet.upper[2])
        facet = {**sacral.facet.model_dump(), "lower": lower, "upper": upper, "radius": values[4]}
        return SacrumParameters.model_validate(sacral.model_dump() | {"facet": facet})

    def misfit(values: Floats) -> Floats:
        return np.append(sacrum.field(shaped(values))(local) - found.wanted[1], S1_PULL * (values - S1_FACET))

    solved = least_squares(misfit, start, loss="soft_l1", max_nfev=8)
    return shaped(np.round(solved.x, 2))


def _rows(target: Target) -> tuple[Floats, Floats, Floats]:
    return target.points, target.distances, target.weights


def _wanted(found: Joint, side: int) -> Target:
    """A bone's distance from a joint's sheet, and its facet's surface itself."""
    frame, wanted = found.frames[side], found.wanted[side]
    local, away = frame.to_local(found.points), found.outward @ frame.axes.T
    surface = local - (1 - 2 * side) * wanted[:, None] * away
    points = np.vstack([local, surface])
    points[:, 0] = np.abs(points[:, 0])
    weight = WEIGHT * min(1.0, float(np.sqrt(USUAL / max(len(local), 1))))
    return Target(points, np.append(wanted, np.zeros(len(wanted))), np.full(len(points), weight))


def _kept(level: str, shape: VertebraParameters) -> Target:
    """What a bone is to stay like: its reference, or its own surface."""
    if level in ("L3", "L5"):
        return target_of(in_own_frame(level), 5000, 8000, seed=5)
    return target_of(as_trimesh(mesh(vertebra.solid(shape), 0.9, mirror=True)), 5000, 8000, seed=5)


def _away(target: Target, sheet_points: Points) -> Target:
    """Return a target without the points near a joint's sheet, and without the body in front."""
    kept = cKDTree(sheet_points).query(target.points)[0] > CLEAR
    kept &= target.points[:, 1] < -15.0
    return Target(target.points[kept], target.distances[kept], target.weights[kept])
