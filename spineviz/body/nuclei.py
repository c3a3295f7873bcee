"""Nuclei of discs that are deformed: each keeps its volume, but for the water that a worn one has lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.column.deformation import Deformation, Wear
from spineviz.anatomy.dented import dented
from spineviz.anatomy.stenosis.untangled import out_of
from spineviz.anatomy.way_out import SAMPLED
from spineviz.geometry import surface_distance, surface_points, volume
from spineviz.structure import Floats, Frame, Structure, Surface
from spineviz.terms import LEVELS, Disc, Level, discs_of, levels_of

AROUND = 5.0
"""The annulus gives way to its nucleus up to so far (mm) around it."""

ENOUGH = 0.01
"""A nucleus that differs by less than this share is left as it is."""

TWICE, DENT = 2, 3.0
"""So often an annulus gives way to the roots beside it; a dent fades over so many mm."""

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
        if abs(volume(core.surface) / goal - 1.0) < ENOUGH:
            continue
        frame = bones[levels_of(disc)[1]].landmarks["endplate.superior"]
        own = replace(frame, origin=core.surface.vertices.astype(np.float64).mean(axis=0))
        more = _more(core.surface, own, goal)
        away = surface_distance(core.surface)(ring.surface.vertices, AROUND)
        fading = np.clip(1.0 - away / AROUND, 0.0, 1.0) ** 2
        annulus = _widened(ring.surface, own, more * fading)
        for root in [name for name in structures if name.startswith("root.")] * TWICE:
            nerve = structures[root].surface
            if _near(nerve, annulus):
                annulus = out_of(dented(annulus, surface_points(nerve, SAMPLED), DENT), nerve)
        yield core.name, replace(core, surface=_widened(core.surface, own, more))
        yield ring.name, replace(ring, surface=annulus)


def _near(nerve: Surface, annulus: Surface) -> bool:
    """Tell whether any of a nerve lies in the box around an annulus."""
    low, high = annulus.vertices.min(axis=0), annulus.vertices.max(axis=0)
    return bool(((nerve.vertices > low) & (nerve.vertices < high)).all(axis=1).any())


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
