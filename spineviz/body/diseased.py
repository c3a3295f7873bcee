"""What disease makes of a built body: tissues of a segment in other shapes, in place of the healthy ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.nerve import WITHIN
from spineviz.anatomy.nerve.fat import epidural_fat
from spineviz.anatomy.stenosis.canal import canal_room, fitted
from spineviz.anatomy.stenosis.crowding import crowded, same_volume
from spineviz.anatomy.stenosis.foramen import foraminal_room, narrowed_foramen
from spineviz.anatomy.stenosis.narrowing import Narrowing
from spineviz.anatomy.stenosis.recess import Closing, closed_recess, lateral_recess
from spineviz.anatomy.stenosis.squeeze import Squeeze
from spineviz.anatomy.surroundings import Spine
from spineviz.body.connective import BESIDE_FAT
from spineviz.body.parameters import Anatomy
from spineviz.geometry import bake_occlusion, vertex_normals
from spineviz.structure import Points, Structure, Surface
from spineviz.terms import SIDES, Disc, Level, levels_of

HEALTHY = "healthy"
"""The variant of a nerve in a narrow place that it has in health, and to which it is freed."""

Change = Squeeze | Closing
"""A map of space that leaves the order of things in it."""

ASIDE = ("muscle", "skin", "fascia", "vessel")
"""Tissues that a narrow canal leaves as they are."""


def diseased(
    anatomy: Anatomy, bones: Mapping[Level, LevelBone], structures: Mapping[str, Structure]
) -> dict[str, Structure]:
    """Return the structures of a healthy body as an anatomy's narrowings shape them, by name.

    Only what they touch changes. Raises ValueError where a narrow segment lacks its bones or its nerves.
    """
    result = dict(structures)
    for disc, several in anatomy.narrowings.items():
        if set(levels_of(disc)) <= set(bones):
            for item in several:
                result |= _narrowed(disc, item, bones, result)
                if item.place == "central":
                    result = _with_fat(disc, item.fat, bones, result)
    return result


def _narrowed(
    disc: Disc, item: Narrowing, bones: Mapping[Level, LevelBone], known: Mapping[str, Structure]
) -> dict[str, Structure]:
    """Return what a narrow place changes."""
    moved: dict[str, Surface] = {}
    nerves = {name: part for name, part in known.items() if name.startswith((*WITHIN, "root."))}
    if item.place == "central":
        squeeze = fitted(canal_room(disc, bones, known), item, known["thecal_sac"].surface)
        moved = crowded(squeeze, nerves, item.filled, item.spread)
        maps: list[Change] = [squeeze]
    elif item.place == "recess":
        maps = [closed_recess(lateral_recess(disc, side, bones, known), item) for side in item.sides]
    else:
        maps = [narrowed_foramen(foraminal_room(disc, side, bones, known), item) for side in item.sides]
    for name, part in known.items():
        if name not in moved and part.tissue not in ASIDE:
            moved[name] = _changed(maps, part, name in nerves)
    changed = {
        name: _shaded(known[name], surface)
        for name, surface in moved.items()
        if np.abs(surface.vertices - known[name].surface.vertices).max() > 1e-3
    }
    return {
        name: _remembering(item, known[name]) if name.startswith(("thecal_sac", "root.")) else item
        for name, item in changed.items()
    }


def _remembering(item: Structure, before: Structure) -> Structure:
    """Return a narrowed nerve with the shape that it has in health as a variant."""
    healthy = before.variants.get(HEALTHY, before.surface)
    return replace(item, variants={**item.variants, HEALTHY: healthy})


def _with_fat(
    disc: Disc, room: float, bones: Mapping[Level, LevelBone], known: Mapping[str, Structure]
) -> dict[str, Structure]:
    """Return structures with the fat behind the sac of a narrow canal: none where there is no ``room``."""
    result = {name: item for name, item in known.items() if name != f"epidural_fat.{disc}"}
    flava = [known.get(f"flavum.{disc}.{side}") for side in SIDES]
    if room == 0.0 or None in flava:
        return result
    above, below = levels_of(disc)
    others = [item.surface for name, item in known.items() if name.startswith(BESIDE_FAT)]
    beside = [item.surface for item in flava if item is not None]
    made = epidural_fat(above, below, Spine(bones, {}), known["thecal_sac"].surface, [*beside, *others])
    if made is not None:
        result[made.name] = replace(made, surface=bake_occlusion(made.surface))
    return result


def _changed(maps: Sequence[Change], part: Structure, nerve: bool) -> Surface:
    """Return a structure's surface as some maps move it; a nerve keeps its volume."""
    vertices: Points = np.asarray(part.surface.vertices, dtype=np.float64)
    for change in maps:
        vertices = change(vertices, bone=part.tissue == "bone")
    moved = np.linalg.norm(vertices - part.surface.vertices, axis=1) > 0.02
    after = part.surface.moved(vertices)
    return same_volume(part.surface, after, moved) if nerve and moved.any() else after


def _shaded(before: Structure, surface: Surface) -> Structure:
    """Return a structure with another surface: bone as finely lit as it was, soft tissue darkened anew."""
    if before.tissue != "bone":
        return replace(before, surface=bake_occlusion(surface))
    return replace(before, surface=_lit(before.surface, surface), light=None)


def _lit(before: Surface, after: Surface) -> Surface:
    """Return a moved mesh with the normals of a finer one, turned as its own have turned."""
    if before.normals is None:
        return after
    turned = vertex_normals(after.vertices, after.faces) - vertex_normals(before.vertices, before.faces)
    normals = before.normals + turned
    lengths = np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    return replace(after, normals=normals / lengths)
