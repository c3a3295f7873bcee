"""The bones of a scene: each made from parameters or given, stacked from the sacrum upwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType

import numpy as np

from spineviz.anatomy import atlas, coccyx
from spineviz.anatomy.bone import LevelBone, SurfaceDistance, sampled
from spineviz.anatomy.column.alignment import endplate, inverse, joint_space, sacral_frame, stacked
from spineviz.anatomy.column.posture import Centres, centres_of_rotation, moved
from spineviz.body.kinds import kind_of, landmarks_of
from spineviz.body.parameters import Anatomy
from spineviz.geometry import whole
from spineviz.patient import given_bone
from spineviz.sdf.mesher import mesh
from spineviz.sdf.solid import Solid
from spineviz.structure import Floats, Frame, Points, Surface
from spineviz.terms import LOWER_LUMBAR_LEVELS, Level, discs_of, levels_of, region_of

STEP: Mapping[str, float] = {"cervical": 0.6, "thoracic": 0.8, "lumbar": 0.8}
"""The meshing step of generated bones by region, mm."""


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


@dataclass(frozen=True, eq=False)
class Standing:
    """A bone in its place, before it is meshed.

    ``neutral`` and ``posed`` are its frames in the world, in neutral standing and in the anatomy's posture.
    ``field`` is its distance in its own frame, where it keeps the joint spaces; ``symmetric`` tells that it
    is the same left and right.
    """

    blank: Blank
    neutral: Frame
    posed: Frame
    field: Callable[[Points], Floats]
    symmetric: bool


def bones(
    anatomy: Anatomy,
    levels: Sequence[Level] | None = None,
    known: Mapping[str, Surface] = MappingProxyType({}),
    step: float | None = None,
) -> dict[Level, LevelBone]:
    """Make the bones of an anatomy, or some of them, and stand them in the world.

    Generated bones give way at the facet joints, so that neighbours keep the joint space; given
    bones stay as they are. They do so in neutral standing: a posture moves bones and does not change them.

    ``known`` are surfaces in the world, by level, that need no meshing; ``step`` (mm) meshes all others
    more finely or more coarsely than usual.
    """
    return {
        level: _meshed(level, item, known.get(level), step)
        for level, item in standing(anatomy, levels).items()
    }


def solids(anatomy: Anatomy, levels: Sequence[Level] | None = None) -> dict[Level, tuple[Frame, Solid]]:
    """Return the generated bones, or some of them: where each stands in the world, and its solid there.

    The solids, in the bones' own frames, give way to their neighbours. Every one is the same on both sides
    of x = 0 where all of an anatomy's bones are generated.
    """
    return {
        level: (item.posed, replace(item.blank.solid, field=item.field))
        for level, item in standing(anatomy, levels).items()
        if item.blank.solid is not None
    }


def standing(anatomy: Anatomy, levels: Sequence[Level] | None = None) -> dict[Level, Standing]:
    """Return the bones of an anatomy, or some of them, in their places; see `bones`."""
    wanted = _wanted(anatomy, levels)
    blanks = _blanks(anatomy, wanted)
    frames = placed(anatomy, blanks)
    posed = _posed(anatomy, blanks, frames)
    result: dict[Level, Standing] = {}
    for level in wanted:
        item, near = blanks[level], _next_to(tuple(blanks), level)
        others = [(blanks[other], frames[other], joint_space(level, other)) for other in near]
        field = _yielding(item, frames[level], others) if item.solid is not None else item.distance
        symmetric = item.solid is not None and all(other.solid for other, _, _ in others)
        result[level] = Standing(item, frames[level], posed[level], field, symmetric)
    return result


def standing_frames(anatomy: Anatomy, levels: Sequence[Level] | None = None) -> dict[Level, Frame]:
    """Return where the bones of an anatomy, or some of them, stand in the world in its posture."""
    wanted = _wanted(anatomy, levels)
    blanks = _blanks(anatomy, wanted)
    posed = _posed(anatomy, blanks, placed(anatomy, blanks))
    return {level: posed[level] for level in wanted}


def _wanted(anatomy: Anatomy, levels: Sequence[Level] | None) -> tuple[Level, ...]:
    return anatomy.levels if levels is None else tuple(level for level in anatomy.levels if level in levels)


def _blanks(anatomy: Anatomy, wanted: Sequence[Level]) -> dict[Level, Blank]:
    """Return the bones that some bones stand on, and the one above them, in their own frames."""
    first = max(0, min(map(anatomy.levels.index, wanted)) - 1)
    last = max(anatomy.levels.index("S1"), *map(anatomy.levels.index, wanted))
    return {level: blank(anatomy, level) for level in anatomy.levels[first : last + 1]}


def blank(anatomy: Anatomy, level: Level) -> Blank:
    """Return one bone in its own frame, generated or given."""
    given = anatomy.given.get(level)
    if given is not None:
        landmarks, surface, distance = given_bone(given, level)
        return Blank(landmarks, distance, surface=surface)
    kind, parameters, size = kind_of(level), anatomy.shape(level), anatomy.size
    solid, marks = kind.solid(parameters), landmarks_of(level, parameters)
    if size == 1.0:
        return Blank(marks, solid.field, solid)
    larger = Solid(lambda points: size * solid.field(points / size), solid.lower * size, solid.upper * size)
    grown = {name: _grown(mark, size) for name, mark in marks.items()}
    return Blank(grown, larger.field, larger)


def placed(anatomy: Anatomy, blanks: Mapping[Level, Blank]) -> dict[Level, Frame]:
    """Return each bone's frame in the world in neutral standing, from above.

    The discs make a chain from the sacrum upwards; a disc's middle height is measured between the floors of
    its two endplates, as on an MRI. The atlas rests on the axis, the coccyx hangs on the sacrum.
    """
    sacral = blanks["S1"].landmarks["endplate.superior"]
    top = sacral_frame(anatomy.sacral_slope)
    frames: dict[Level, Frame] = {"S1": inverse(sacral).then(top)}
    below, floor = top, _dish(blanks["S1"], "endplate.superior")
    for disc in reversed(discs_of(tuple(blanks))):
        level, _ = levels_of(disc)
        inferior = endplate(blanks[level].landmarks, "inferior", level)
        shape = anatomy.discs[disc]
        height = shape.height_middle - floor - _dish(blanks[level], "endplate.inferior")
        frames[level] = stacked(below, inferior, height, shape.wedge)
        if level != "C2":
            below = endplate(blanks[level].landmarks, "superior", level).then(frames[level])
            floor = _dish(blanks[level], "endplate.superior")
    if "C1" in blanks:
        frames["C1"] = _grown(atlas.frame_on_axis(), anatomy.size).then(frames["C2"])
    if "Co1" in blanks:
        frames["Co1"] = coccyx.below(coccyx.parameters(), blanks["S1"].landmarks["apex"]).then(frames["S1"])
    return {level: frames[level] for level in blanks}


def _grown(frame: Frame, size: float) -> Frame:
    return Frame(size * frame.origin, frame.axes)


def _posed(
    anatomy: Anatomy, blanks: Mapping[Level, Blank], frames: Mapping[Level, Frame]
) -> Mapping[Level, Frame]:
    """Return the frames of the bones in the anatomy's posture."""
    if anatomy.posture.neutral:
        return frames
    centres: dict[Level, Centres] = {}
    for above, below in pairwise(blanks):
        name = "endplate.superior" if "endplate.superior" in blanks[below].landmarks else "facet.dens"
        if below != "Co1":
            plate = blanks[below].landmarks[name].then(frames[below])
            centres[below] = centres_of_rotation(plate, _depth(blanks[below], name), (above, below))
    return moved(anatomy.posture, anatomy.levels, frames, centres)


def _dish(blank: Blank, endplate: str) -> float:
    """Return how deep an endplate's floor lies under its rim plane, mm."""
    return float(blank.distance(blank.landmarks[endplate].origin[None])[0])


def _depth(blank: Blank, endplate: str) -> float:
    """Return how deep an endplate is from front to back, mm, by rays just under its rim."""
    frame = blank.landmarks[endplate]
    reach = np.arange(-30.0, 30.0, 0.5)
    inside = blank.distance(frame.origin - 2.0 * frame.superior + reach[:, None] * frame.anterior) < 0
    return float(np.ptp(reach[inside])) if inside.any() else 0.0


def _next_to(levels: Sequence[Level], level: Level) -> list[Level]:
    """Return the bones beside one, among some."""
    index = levels.index(level)
    return [levels[other] for other in (index - 1, index + 1) if 0 <= other < len(levels)]


Neighbour = tuple[Blank, Frame, float]
"""A bone beside another, where it stands, and the joint space (mm) between the two."""


def _meshed(level: Level, item: Standing, known: Surface | None, step: float | None) -> LevelBone:
    """Return a bone with its surface in the world: the known one, or meshed anew."""
    surface = item.blank.surface
    if known is None and item.blank.solid is not None:
        solid = replace(item.blank.solid, field=item.field)
        surface = whole(mesh(solid, step or STEP[region_of(level)], mirror=item.symmetric))
    standing = surface.placed(item.posed) if surface is not None else known
    if standing is None:
        raise ValueError(f"{level}: neither parameters nor a mesh")
    landmarks = {name: mark.then(item.posed) for name, mark in item.blank.landmarks.items()}
    exact: Callable[[Points], Floats] = SurfaceDistance(standing)
    if level in LOWER_LUMBAR_LEVELS:  # soft tissue asks these often
        mirrored = item.symmetric and item.posed is item.neutral
        exact = sampled(lambda points: item.field(item.posed.to_local(points)), standing, mirrored)
    return LevelBone(level, item.posed, landmarks, standing, exact)


def _yielding(item: Blank, frame: Frame, neighbours: Sequence[Neighbour]) -> Callable[[Points], Floats]:
    """Return a bone's field that keeps the joint space from its neighbours.

    Between two generated bones the loss is shared evenly, which makes their facets parallel; beside a
    given bone the generated one gives way alone.
    """

    def field(points: Points) -> Floats:
        own = item.distance(points)
        result = np.array(own)
        for other, other_frame, gap in neighbours:
            near = np.flatnonzero(own < 2 * gap)
            places = other_frame.to_local(frame.to_parent(points[near]))
            close = other.away(places) < 2 * gap - own[near]
            rows, beside = near[close], other.distance(places[close])
            cut = gap - beside if other.solid is None else (gap + own[rows] - beside) / 2
            result[rows] = np.maximum(result[rows], cut)
        return result

    return field
