"""What disease makes of a built body: tissues of a segment in other shapes, in place of the healthy ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.nerve import WITHIN
from spineviz.anatomy.stenosis.canal import canal_room, fitted
from spineviz.anatomy.stenosis.crowding import HEALTHY, crowded, same_volume
from spineviz.anatomy.stenosis.foramen import foraminal_room, narrowed_foramen
from spineviz.anatomy.stenosis.narrowing import Narrowing
from spineviz.anatomy.stenosis.recess import Closing, closed_recess, lateral_recess
from spineviz.anatomy.stenosis.squeeze import Pressed, Squeeze
from spineviz.anatomy.stenosis.untangled import out_of
from spineviz.anatomy.surroundings import Spine
from spineviz.body.connective import fat_behind
from spineviz.body.parameters import Anatomy
from spineviz.geometry import bake_occlusion, vertex_normals
from spineviz.structure import Points, Structure, Surface
from spineviz.terms import Disc, Level, levels_of

LIT = 0.05
"""What has moved less than this (mm) is lit as it was."""

Change = Squeeze | Closing
"""A map of space that leaves the order of things in it."""

AROUND_THE_SAC = ("flavum", "epidural_fat", "posterior_longitudinal_ligament", "facet_capsule")
"""What stands against the sac, by the beginnings of names."""

ON_BONE = ("flavum", "facet_cartilage")
"""What lies on the bones of a narrow segment, by the beginnings of names."""

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
    pairs: dict[str, tuple[Surface, Surface]] = {}
    nerves = {name: part for name, part in known.items() if name.startswith((*WITHIN, "root."))}
    if item.place == "central":
        sac = known["thecal_sac"].surface
        squeeze = fitted(canal_room(disc, bones, known), item, sac)
        pairs = crowded(squeeze, sac, nerves, item.filled, item.spread)
        maps: list[Change] = [squeeze]
    elif item.place == "recess":
        maps = [closed_recess(lateral_recess(disc, side, bones, known), item) for side in item.sides]
        pairs = _beside_a_recess(disc, maps, bones, known)
    else:
        maps = [narrowed_foramen(foraminal_room(disc, side, bones, known), item) for side in item.sides]
    moved = {name: pair[0] for name, pair in pairs.items()}
    for name, part in known.items():
        if name not in moved and part.tissue not in ASIDE:
            moved[name] = _changed(maps, part, name in nerves)
    if item.place != "foraminal":
        moved |= _off_the_bones(disc, item, moved)
        pressed = [surface for name, surface in moved.items() if _presses(name, surface, known)]
        moved |= _off_the_nerves(moved, pressed)
    changed = {
        name: _shaded(known[name], surface)
        for name, surface in moved.items()
        if _differs(surface, known[name].surface)
    }
    return {
        name: _remembering(item, known[name], pairs) if name.startswith(("thecal_sac", "root.")) else item
        for name, item in changed.items()
    }


def _remembering(
    item: Structure, before: Structure, pairs: Mapping[str, tuple[Surface, Surface]]
) -> Structure:
    """Return a narrowed nerve with the shape that it has in health as a variant, of the same triangles."""
    usual = before.variants.get(HEALTHY, before.surface)
    healthy = pairs[item.name][1] if item.name in pairs else usual
    return replace(item, variants={**item.variants, HEALTHY: healthy})


def _beside_a_recess(
    disc: Disc, maps: Sequence[Change], bones: Mapping[Level, LevelBone], known: Mapping[str, Structure]
) -> dict[str, tuple[Surface, Surface]]:
    """Return the rootlets in a sac that is dented beside a recess: they give way, each as thick as it was."""
    if "thecal_sac" not in known:
        return {}
    rootlets = {name: part for name, part in known.items() if name.startswith(WITHIN)}
    pressed = Pressed(canal_room(disc, bones, known), lambda points: _through(maps, points, False))
    return crowded(pressed, known["thecal_sac"].surface, rootlets, 0.0, 0.0)


def _through(maps: Sequence[Change], points: Points, bone: bool) -> Points:
    """Return where maps take points (n, 3), one after the other."""
    for change in maps:
        points = change(points, bone=bone)
    return points


def _off_the_bones(disc: Disc, item: Narrowing, moved: Mapping[str, Surface]) -> dict[str, Surface]:
    """Return what lies on the narrowed bones put out of them, on the narrow sides."""
    result = {}
    for name in (f"{stem}.{disc}.{side}" for stem in ON_BONE for side in item.sides):
        if name in moved:
            result[name] = moved[name]
            for level in levels_of(disc):
                result[name] = out_of(result[name], moved[level])
    return result


def _presses(name: str, surface: Surface, known: Mapping[str, Structure]) -> bool:
    """Tell whether ligaments and fat give way to a structure: to the sac, and to roots that have moved."""
    return name == "thecal_sac" or (name.startswith("root.") and _differs(surface, known[name].surface))


def _off_the_nerves(moved: Mapping[str, Surface], nerves: Sequence[Surface]) -> dict[str, Surface]:
    """Return the ligaments and fat around nerves put out of them, where coarse meshes stand in each."""
    around = {name: surface for name, surface in moved.items() if name.startswith(AROUND_THE_SAC)}
    for nerve in nerves:
        around = {name: out_of(surface, nerve) for name, surface in around.items()}
    return around


def _differs(after: Surface, before: Surface) -> bool:
    """Tell whether a surface has changed at all."""
    if after is before or len(after.vertices) != len(before.vertices):
        return after is not before
    return bool(np.abs(after.vertices - before.vertices).max() > 1e-3)


def _with_fat(
    disc: Disc, room: float, bones: Mapping[Level, LevelBone], known: Mapping[str, Structure]
) -> dict[str, Structure]:
    """Return structures with the fat behind the sac of a narrow canal: none where there is no ``room``."""
    result = {name: item for name, item in known.items() if name != f"epidural_fat.{disc}"}
    if room == 0.0:
        return result
    surfaces = {name: item.surface for name, item in known.items()}
    made = fat_behind(*levels_of(disc), Spine(bones, {}), surfaces)
    if made is not None:
        result[made.name] = replace(made, surface=bake_occlusion(made.surface))
    return result


def _changed(maps: Sequence[Change], part: Structure, nerve: bool) -> Surface:
    """Return a structure's surface as some maps move it; a nerve keeps its volume."""
    before = np.asarray(part.surface.vertices, dtype=np.float64)
    vertices = _through(maps, before, part.tissue == "bone")
    if vertices is before:
        return part.surface
    moved = np.linalg.norm(vertices - part.surface.vertices, axis=1) > 0.02
    after = part.surface.moved(vertices)
    return same_volume(part.surface, after, moved) if nerve and moved.any() else after


def _shaded(before: Structure, surface: Surface) -> Structure:
    """Return a structure with another surface: bone and nerves are lit as they were, other tissue anew."""
    if before.tissue == "nerve" and surface.occlusion is not None:
        return replace(before, surface=surface)
    if before.tissue != "bone":
        same = len(surface.vertices) == len(before.surface.vertices)
        moved = np.abs(surface.vertices - before.surface.vertices).max(axis=1) > LIT if same else None
        return replace(before, surface=bake_occlusion(surface, where=moved))
    return replace(before, surface=_lit(before.surface, surface), light=None)


def _lit(before: Surface, after: Surface) -> Surface:
    """Return a moved mesh with the normals of a finer one, turned as its own have turned."""
    if before.normals is None:
        return after
    turned = vertex_normals(after.vertices, after.faces) - vertex_normals(before.vertices, before.faces)
    normals = before.normals + turned
    lengths = np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    return replace(after, normals=normals / lengths)
