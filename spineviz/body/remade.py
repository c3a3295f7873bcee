"""Bones that a deformation changes: cleft, or worn where they meet; they are meshed anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.column.alignment import joint_space
from spineviz.anatomy.column.carrying import Movement, carried_frame
from spineviz.anatomy.column.changed_bone import cracked
from spineviz.anatomy.column.deformation import Deformation
from spineviz.anatomy.column.movements import Moved
from spineviz.anatomy.recipe import Body
from spineviz.anatomy.vertebra.broken import Crack
from spineviz.anatomy.vertebra.pars_defect import ParsDefect, pars_defect
from spineviz.anatomy.vertebra.retropulsed import Retropulsed
from spineviz.body.parameters import Anatomy
from spineviz.body.skeleton import STEP, Standing, standing
from spineviz.geometry import whole
from spineviz.sdf.mesher import mesh
from spineviz.structure import Floats, Frame, Points, Structure, Surface
from spineviz.terms import LEVELS, Level, discs_of, levels_of, region_of

FIRM: Level = "S1"
"""The sacrum does not give way: what stands on it does so alone."""

OF_THE_ARCH = ("facet.inferior", "lamina", "spinous")
"""The landmarks of a posterior arch, by the beginnings of their names."""

MET = 0.7
"""Bones meet where they are nearer to each other than this part of the joint space."""


@dataclass(frozen=True, eq=False)
class Remade:
    """A bone made anew: its fine surface in the world, its structure, and its defect where it has one."""

    surface: Surface
    structure: Structure
    frame: Frame
    defect: ParsDefect | None

    def loose(self, points: Points) -> npt.NDArray[np.bool_]:
        """Tell which places (n, 3) of the healthy bone in the world belong to its loose arch."""
        if self.defect is None:
            return np.zeros(len(points), dtype=bool)
        result: npt.NDArray[np.bool_] = self.defect.behind(self.frame.to_local(points)) > 0.0
        return result


@dataclass(frozen=True, eq=False)
class Piece:
    """A bone that moves as one: its field in its own frame, and where that frame goes in the world."""

    field: Callable[[Points], Floats]
    frame: Frame

    def away(self, points: Points) -> Floats:
        """Return the distance (n,) of places in the world from it, mm."""
        return self.field(self.frame.to_local(points))


@dataclass(frozen=True, eq=False)
class Planned:
    """A bone that may be made anew: how it stood, the piece with its body, its loose arch and its defect."""

    item: Standing
    move: Moved
    body: Piece
    arch: Piece | None = None
    defect: ParsDefect | None = None
    crack: Crack | Retropulsed | None = None


@dataclass(frozen=True, eq=False)
class Neighbour:
    """What a piece gives way to, the space (mm) between them, and whether both give way alike."""

    piece: Piece
    gap: float
    shared: bool


def remade(anatomy: Anatomy, healthy: Body, moves: Mapping[Level, Moved]) -> dict[Level, Remade]:
    """Return the bones that must be made anew, by level."""
    deformation = anatomy.deformation
    changed = [*deformation.slips, *(disc for disc, wear in deformation.worn.items() if wear.height < 1.0)]
    levels = sorted(healthy.bones, key=LEVELS.index)
    discs = [disc for disc in discs_of(levels) if disc in changed]
    if not discs and not deformation.broken:
        return {}
    stand = standing(replace(anatomy, deformation=Deformation()), levels)
    cracks = {level: cracked(deformation, level, healthy.bones[level]) for level in levels}
    plans = {level: _planned(level, stand[level], moves[level], cracks[level]) for level in levels}
    beside: dict[Level, list[Neighbour]] = {}
    for disc in discs:
        upper, lower = levels_of(disc)
        gap = joint_space(upper, lower)
        if _meet(healthy.bones[upper], plans[upper], plans[lower].body, gap):
            firm = lower == FIRM or plans[lower].item.blank.solid is None
            beside.setdefault(upper, []).append(Neighbour(plans[lower].body, gap, not firm))
            if not firm:
                beside.setdefault(lower, []).append(Neighbour(plans[upper].body, gap, True))
    wanted = [
        level
        for level in levels
        if level in beside or plans[level].defect is not None or _parted(plans[level])
    ]
    result: dict[Level, Remade] = {}
    for level in wanted:
        near = [plans[other].body for other in levels if abs(levels.index(other) - levels.index(level)) == 1]
        around = [Neighbour(piece, joint_space(level, level), False) for piece in near]
        result[level] = _made(anatomy, healthy.bones[level], plans[level], beside.get(level, []), around)
    return result


def _parted(plan: Planned) -> bool:
    """Tell whether a piece comes off a bone; the wall of a given one, without a solid, is dented instead."""
    return plan.crack is not None and not (
        isinstance(plan.crack, Retropulsed) and plan.item.blank.solid is None
    )


def _planned(level: Level, item: Standing, move: Moved, crack: Crack | Retropulsed | None) -> Planned:
    """Return a bone as it may be made anew.

    Raises ValueError where a given bone should be cleft, or one be cleft and broken.
    """
    frame = carried_frame(item.posed, move.body)
    if move.arch is None:
        return Planned(item, move, Piece(item.blank.distance, frame), crack=crack)
    if crack is not None:
        raise ValueError(f"{level}: its pars is cleft, it cannot be broken in two besides; take one away")
    if item.blank.solid is None:
        raise ValueError(f"{level}: a given bone cannot be cleft; take the isthmic slip away")
    defect = pars_defect(item.blank.landmarks)
    ahead = Piece(lambda points: np.maximum(item.blank.distance(points), defect.behind(points)), frame)
    arch = Piece(
        lambda points: np.maximum(item.blank.distance(points), -defect.behind(points)),
        carried_frame(item.posed, move.arch),
    )
    return Planned(item, move, ahead, arch, defect)


def _meet(bone: LevelBone, plan: Planned, other: Piece, gap: float) -> bool:
    """Tell whether a bone, where it goes, comes nearer to another than bones of a joint are."""
    points = bone.surface.vertices.astype(np.float64)
    if plan.defect is not None:
        points = points[plan.defect.behind(plan.item.posed.to_local(points)) < 0.0]
    return float(other.away(plan.move.body(points)).min()) < MET * gap


def _made(
    anatomy: Anatomy, bone: LevelBone, plan: Planned, beside: list[Neighbour], around: list[Neighbour]
) -> Remade:
    """Return one bone made anew: its body gives way to what is ``beside``, a loose arch to all ``around``."""
    from spineviz.body.build import shaded_bone, thinned, triangles_of

    item, defect, solid = plan.item, plan.defect, plan.item.blank.solid
    if solid is None:
        raise ValueError(f"{bone.level}: a given bone cannot give way to its neighbours")
    cleft = float(measures.value("pars_defect.gap")) / 2.0

    gap = float(measures.value("fracture.crack.gap")) / 2.0

    def field(points: Points) -> Floats:
        healthy = np.asarray(item.field(points), dtype=np.float64)
        if plan.crack is not None:
            healthy = np.maximum(healthy, gap - np.abs(plan.crack.beyond(points)))
        if defect is None or plan.arch is None:
            return _yielding(healthy, points, plan.body, beside)
        behind = defect.behind(points)
        ahead = _yielding(np.maximum(healthy, behind + cleft), points, plan.body, beside)
        return np.minimum(ahead, _yielding(np.maximum(healthy, cleft - behind), points, plan.arch, around))

    even = item.symmetric and plan.crack is None
    fine = mesh(replace(solid, field=field), STEP[region_of(bone.level)], mirror=even)
    off = plan.crack.beyond if plan.crack is not None else defect.behind if defect is not None else None
    fine = whole(fine) if off is None else _pair(fine, off)
    still = fine.placed(item.posed)
    vertices = np.array(plan.move.body(still.vertices))
    if defect is not None and plan.move.arch is not None:
        loose = defect.behind(fine.vertices) > 0.0
        vertices[loose] = plan.move.arch(still.vertices[loose])
    surface = still.moved(vertices)
    marks = marks_of(bone, plan.move)
    moved = LevelBone(bone.level, plan.body.frame, marks, surface, plan.body.away)
    structure = shaded_bone(anatomy, moved, {bone.level: thinned(surface, triangles_of(bone.level))})
    return Remade(surface, structure, item.posed, defect)


def _yielding(values: Floats, points: Points, own: Piece, others: list[Neighbour]) -> Floats:
    """Return a field (n,) that keeps its distance from others where they go."""
    result = values
    for other in others:
        near = np.flatnonzero(values < 2.0 * other.gap)
        away = other.piece.away(own.frame.to_parent(points[near]))
        cut = (other.gap + values[near] - away) / 2.0 if other.shared else other.gap - away
        result[near] = np.maximum(result[near], cut)
    return result


def _pair(surface: Surface, off: Callable[[Points], Floats]) -> Surface:
    """Return a cleft bone's two greatest parts: what is ``off`` (above 0), and the rest."""
    loose = off(surface.vertices) > 0.0
    behind = loose[surface.faces[:, 0]]
    parts = [whole(_faces(surface, rows)) for rows in (~behind, behind)]
    count = len(parts[0].vertices)
    return Surface(
        np.vstack([part.vertices for part in parts]), np.vstack([parts[0].faces, parts[1].faces + count])
    )


def _faces(surface: Surface, chosen: npt.NDArray[np.bool_]) -> Surface:
    """Return some faces of a surface with their vertices."""
    faces = surface.faces[chosen]
    used = np.unique(faces)
    return Surface(surface.vertices[used], np.searchsorted(used, faces))


def marks_of(bone: LevelBone, move: Moved) -> dict[str, Frame]:
    """Return a bone's landmarks where they go; those of a loose arch go with it."""

    def way(name: str) -> Movement:
        return move.arch if move.arch is not None and name.startswith(OF_THE_ARCH) else move.body

    return {name: carried_frame(mark, way(name)) for name, mark in bone.landmarks.items()}


__all__ = ["Remade", "marks_of", "remade"]
