"""Bones of any anatomy, sampled every millimetre instead of meshed finely: quick enough for whole columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.column.posture import Posture
from spineviz.body import Anatomy
from spineviz.body.skeleton import Standing, standing, standing_frames
from spineviz.geometry import DistanceGrid, sample_distance, whole
from spineviz.sdf.mesher import mesh
from spineviz.sdf.solid import Solid
from spineviz.structure import Floats, Frame, Points
from spineviz.terms import Level, region_of

MARGIN = 12.0
"""How far the sampled distances reach beyond a bone, mm."""

FINE: Mapping[str, float] = {"cervical": 0.7, "thoracic": 1.0, "lumbar": 1.0}
"""The sampling step by region, mm: the lamella between the tubercles of a small neck is a millimetre thin."""


class SampledBone(LevelBone):
    """A bone whose distance is sampled in its own frame, so that it can be carried elsewhere."""

    exact: LocalGrid

    def at(self, frame: Frame) -> SampledBone:
        """Return the bone where its frame is another one."""
        own = self.frame
        marks = {
            name: Frame(own.to_local(mark.origin), mark.axes @ own.axes.T).then(frame)
            for name, mark in self.landmarks.items()
        }
        surface = self.surface.moved(own.to_local(self.surface.vertices)).placed(frame)
        return SampledBone(self.level, frame, marks, surface, LocalGrid(self.exact.grid, frame))


class LocalGrid:
    """A distance sampled in a bone's own frame, asked for in the world."""

    def __init__(self, grid: DistanceGrid, frame: Frame) -> None:
        self.grid, self.frame = grid, frame

    def __call__(self, points: Points) -> Floats:
        return self.grid(self.frame.to_local(points))


def sampled_bones(
    anatomy: Anatomy, levels: Sequence[Level] | None = None, step: float | None = None
) -> dict[Level, SampledBone]:
    """Return the bones of an anatomy in its posture, sampled every ``step`` mm; `FINE` by default."""
    return {
        level: _sampled(level, item, step or FINE[region_of(level)])
        for level, item in standing(anatomy, levels).items()
    }


def _sampled(level: Level, item: Standing, step: float) -> SampledBone:
    solid, frame = item.blank.solid, item.posed
    assert solid is not None
    grid = sample_distance(
        item.field, np.floor(solid.lower) - MARGIN, np.ceil(solid.upper) + MARGIN, step, item.symmetric
    )
    surface = whole(mesh(Solid(grid, solid.lower, solid.upper), step, mirror=item.symmetric)).placed(frame)
    marks = {name: mark.then(frame) for name, mark in item.blank.landmarks.items()}
    return SampledBone(level, frame, marks, surface, LocalGrid(grid, frame))


def in_posture(bones: Mapping[Level, SampledBone], posture: Posture) -> dict[Level, SampledBone]:
    """Return the healthy bones, sampled in neutral standing, in a posture."""
    frames = standing_frames(Anatomy(posture=posture))
    return {level: bone.at(frames[level]) for level, bone in bones.items()}


def curved(bones: Mapping[Level, SampledBone], degrees: float) -> dict[Level, SampledBone]:
    """Return bones, from above, with so many degrees of Cobb from the first to the last, the same at each."""
    result, levels = dict(bones), list(bones)
    for index in range(len(levels) - 1):
        plate = result[levels[index + 1]].landmarks["endplate.superior"]
        turn = Rotation.from_rotvec(np.radians(degrees / (len(levels) - 1)) * plate.anterior).as_matrix()
        for level in levels[: index + 1]:
            frame = result[level].frame
            origin = plate.origin + turn @ (frame.origin - plate.origin)
            result[level] = result[level].at(Frame(origin, frame.axes @ turn.T))
    return result


def sized(bone: SampledBone, size: float) -> SampledBone:
    """Return the bone of somebody who is so much taller."""
    grid, frame = bone.exact.grid, Frame(size * bone.frame.origin, bone.frame.axes)
    larger = DistanceGrid(size * grid.lower, size * grid.step, size * grid.values)
    marks = {name: Frame(size * mark.origin, mark.axes) for name, mark in bone.landmarks.items()}
    surface = bone.surface.moved(size * bone.surface.vertices)
    return SampledBone(bone.level, frame, marks, surface, LocalGrid(larger, frame))


def overlap(one: SampledBone, other: SampledBone, spacing: float = 0.5) -> float:
    """Return the volume (mm³) that two bones have in common, counted on a grid in their common box."""
    own = one.frame.to_local(other.surface.vertices)
    mine = one.frame.to_local(one.surface.vertices)
    low, high = np.maximum(own.min(0), mine.min(0)) - 1.0, np.minimum(own.max(0), mine.max(0)) + 1.0
    if (high <= low).any():
        return 0.0
    axes = [np.arange(a, b, 2.0 * spacing) for a, b in zip(low, high, strict=True)]
    coarse = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    coarse = coarse[one.exact.grid(coarse) < 2.0 * spacing]
    coarse = coarse[other.distance(one.frame.to_parent(coarse)) < 2.0 * spacing]
    corners = np.stack(np.meshgrid(*[(-0.5, 0.5)] * 3, indexing="ij"), axis=-1).reshape(-1, 3) * spacing
    fine = (coarse[:, None] + corners).reshape(-1, 3)
    both = np.maximum(one.exact.grid(fine), other.distance(one.frame.to_parent(fine)))
    return float(np.count_nonzero(both < 0.0)) * spacing**3
