"""Nuclei of discs that are deformed: each keeps its volume, but for the water that a worn one has lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.column.deformation import Deformation, Wear
from spineviz.anatomy.less import cleared
from spineviz.geometry import surface_distance, volume
from spineviz.structure import Floats, Frame, Structure, Surface
from spineviz.terms import LEVELS, Disc, Level, discs_of, levels_of

AROUND = 5.0
"""The annulus gives way to its nucleus up to so far (mm) around it."""

ENOUGH = 0.01
"""A nucleus whose volume differs by less than this share has it."""

FITTED = 6
"""So often at most a nucleus widens for what bones, endplates and nerves have cut off it."""

NARROWEST, WIDEST, ROUNDS = 0.7, 1.4, 14
"""A nucleus becomes so many times as wide at least and at most; it is looked for in so many halvings."""


def kept_nuclei(
    structures: Mapping[str, Structure],
    healthy: Mapping[str, Structure],
    deformation: Deformation,
    bones: Mapping[Level, LevelBone],
) -> dict[str, Structure]:
    """Return the nuclei, and the annuli around them, that widen or narrow until the volume is right, by name.

    A worn disc has lost water (it is dark on a T2-weighted image: Pfirrmann et al., Spine 2001;26:1873): of
    its nucleus as much is left as of its height, which is a model value. An annulus gives way to roots.
    """
    return dict(_kept(structures, healthy, deformation, bones))


def _kept(
    structures: Mapping[str, Structure],
    healthy: Mapping[str, Structure],
    deformation: Deformation,
    bones: Mapping[Level, LevelBone],
) -> Iterator[tuple[str, Structure]]:
    for disc in _concerned(deformation, bones):
        core, ring = structures.get(f"nucleus.{disc}"), structures.get(f"disc.{disc}")
        if core is None or ring is None:
            continue
        goal = deformation.worn.get(disc, Wear()).height * volume(healthy[core.name].surface)
        frame = bones[levels_of(disc)[1]].landmarks["endplate.superior"]
        own = replace(frame, origin=core.surface.vertices.astype(np.float64).mean(axis=0))
        firm = [
            item.surface
            for name, item in structures.items()
            if item.tissue == "bone" or name.startswith((f"endplate.{disc}.", "root.", "thecal_sac"))
        ]
        nucleus, more = _fitted(core.surface, own, goal, firm)
        away = surface_distance(core.surface)(ring.surface.vertices, AROUND)
        fading = np.clip(1.0 - away / AROUND, 0.0, 1.0) ** 2
        annulus = cleared(_widened(ring.surface, own, more * fading), [*firm, nucleus])
        yield core.name, replace(core, surface=nucleus)
        yield ring.name, replace(ring, surface=annulus)


def _fitted(core: Surface, frame: Frame, goal: float, firm: Sequence[Surface]) -> tuple[Surface, float]:
    """Return a nucleus of some volume, mm³, that stands in nothing firm, and by what share it has widened."""
    wanted = goal
    for _ in range(FITTED):
        more = _more(core, frame, wanted)
        result = cleared(_widened(core, frame, more), firm)
        lack = goal - volume(result)
        if abs(lack) < ENOUGH * goal:
            break
        wanted += 1.5 * lack
    return result, more


def _more(core: Surface, frame: Frame, goal: float) -> float:
    """Return by what share a nucleus must widen to have a volume, mm³."""
    low, high = NARROWEST - 1.0, WIDEST - 1.0
    for _ in range(ROUNDS):
        more = (low + high) / 2
        low, high = (more, high) if volume(_widened(core, frame, more)) < goal else (low, more)
    return more


def _widened(surface: Surface, frame: Frame, more: float | Floats) -> Surface:
    """Return a surface whose vertices go away from the axis of a frame by a share of their way to it."""
    local = frame.to_local(surface.vertices.astype(np.float64))
    local[:, :2] *= 1.0 + np.broadcast_to(more, len(local))[:, None]
    return surface.moved(frame.to_parent(local))


def _concerned(deformation: Deformation, bones: Mapping[Level, LevelBone]) -> list[Disc]:
    """Return the discs that slip or are worn, and those beside a collapsed body."""
    changed = {*deformation.slips, *deformation.worn}
    order = discs_of(sorted(bones, key=LEVELS.index))
    return [disc for disc in order if disc in changed or {*levels_of(disc)} & {*deformation.collapsed}]
