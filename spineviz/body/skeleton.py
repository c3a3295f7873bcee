"""The bones of a scene: each made from parameters or given, stacked from the sacrum upwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from spineviz import measures
from spineviz.anatomy import sacrum, vertebra
from spineviz.anatomy.alignment import endplates, inverse, sacral_frame, stacked
from spineviz.anatomy.bone import LevelBone, sampled
from spineviz.body.parameters import Anatomy
from spineviz.patient import given_bone
from spineviz.sdf.mesher import mesh
from spineviz.sdf.solid import Solid
from spineviz.structure import Floats, Frame, Points, Surface
from spineviz.terms import DISCS, LEVELS, Level, levels_of

STEP = 0.8
"""The meshing step of generated bones, mm."""


@dataclass(frozen=True, eq=False)
class Blank:
    """A bone in its own frame, before it is placed; ``solid`` is None for a given mesh."""

    landmarks: Mapping[str, Frame]
    distance: Callable[[Points], Floats]
    solid: Solid | None = None
    surface: Surface | None = None

    def away(self, points: Points) -> Floats:
        """Return how far points (n, 3) at least are from the bone, mm: their way to the box around it."""
        if self.solid is not None:
            lower, upper = self.solid.lower, self.solid.upper
        elif self.surface is not None:
            lower, upper = self.surface.vertices.min(axis=0), self.surface.vertices.max(axis=0)
        else:
            return np.zeros(len(points))
        return np.linalg.norm(np.maximum(np.maximum(lower - points, points - upper), 0.0), axis=1)


def bones(anatomy: Anatomy) -> dict[Level, LevelBone]:
    """Make every bone of an anatomy and stand it in the world.

    Generated bones give way at the facet joints, so that neighbours keep the joint space; given
    bones stay as they are.
    """
    blanks = {level: blank(anatomy, level) for level in LEVELS}
    frames = placed(anatomy, blanks)
    gap = float(measures.value("facet_joint.bone_to_bone_gap"))
    result: dict[Level, LevelBone] = {}
    for level in LEVELS:
        neighbours = [(blanks[other], frames[other]) for other in _neighbours(level)]
        result[level] = _standing(level, blanks[level], frames[level], neighbours, gap)
    return result


def blank(anatomy: Anatomy, level: Level) -> Blank:
    """Return one bone in its own frame, generated or given."""
    given = anatomy.given.get(level)
    if given is not None:
        landmarks, surface, distance = given_bone(given, level)
        return Blank(landmarks, distance, surface=surface)
    if level == "S1":
        solid = sacrum.solid(anatomy.sacrum)
        return Blank(sacrum.landmarks(anatomy.sacrum), solid.field, solid)
    parameters = anatomy.vertebrae[level]
    solid = vertebra.solid(parameters)
    return Blank(vertebra.landmarks(parameters), solid.field, solid)


def placed(anatomy: Anatomy, blanks: Mapping[Level, Blank]) -> dict[Level, Frame]:
    """Return each bone's frame in the world: the chain of discs from the sacrum upwards.

    A disc's middle height is measured between the floors of its two endplates, as on an MRI.
    """
    sacral = blanks["S1"].landmarks["endplate.superior"]
    top = sacral_frame(anatomy.sacral_slope)
    frames: dict[Level, Frame] = {"S1": inverse(sacral).then(top)}
    below, floor = top, _dish(blanks["S1"], "endplate.superior")
    for disc in reversed(DISCS):
        level, _ = levels_of(disc)
        superior, inferior = endplates(blanks[level].landmarks, level)
        shape = anatomy.discs[disc]
        height = shape.height_middle - floor - _dish(blanks[level], "endplate.inferior")
        frames[level] = stacked(below, inferior, height, shape.wedge)
        below, floor = superior.then(frames[level]), _dish(blanks[level], "endplate.superior")
    return frames


def _dish(blank: Blank, endplate: str) -> float:
    """Return how deep an endplate's floor lies under its rim plane, mm."""
    return float(blank.distance(blank.landmarks[endplate].origin[None])[0])


def _neighbours(level: Level) -> list[Level]:
    index = LEVELS.index(level)
    return [LEVELS[other] for other in (index - 1, index + 1) if 0 <= other < len(LEVELS)]


def _standing(
    level: Level, item: Blank, frame: Frame, neighbours: list[tuple[Blank, Frame]], gap: float
) -> LevelBone:
    field = item.distance
    surface = item.surface
    symmetric = item.solid is not None and all(other.solid for other, _ in neighbours)
    if item.solid is not None:
        field = _yielding(item, frame, neighbours, gap)
        surface = mesh(replace(item.solid, field=field), STEP, mirror=symmetric)
    if surface is None:
        raise ValueError(f"{level}: neither parameters nor a mesh")
    standing = surface.placed(frame)
    landmarks = {name: mark.then(frame) for name, mark in item.landmarks.items()}
    grid = sampled(lambda points: field(frame.to_local(points)), standing, symmetric)
    return LevelBone(level, frame, landmarks, standing, grid)


def _yielding(
    item: Blank, frame: Frame, neighbours: list[tuple[Blank, Frame]], gap: float
) -> Callable[[Points], Floats]:
    """Return a bone's field that keeps ``gap`` mm from its neighbours.

    Between two generated bones the loss is shared evenly, which makes their facets parallel; beside a
    given bone the generated one gives way alone.
    """

    def field(points: Points) -> Floats:
        own = item.distance(points)
        result = np.array(own)
        near = np.flatnonzero(own < 2 * gap)
        world = frame.to_parent(points[near])
        for other, other_frame in neighbours:
            places = other_frame.to_local(world)
            close = other.away(places) < 2 * gap - own[near]
            rows, beside = near[close], other.distance(places[close])
            cut = gap - beside if other.solid is None else (gap + own[rows] - beside) / 2
            result[rows] = np.maximum(result[rows], cut)
        return result

    return field
