"""What the baked library has of some levels of the healthy body: the bones in their places, and all tissue.

What runs on above or below these levels is cut off flat, see `nerves_within` for the nerves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise

import numpy as np

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc import parts_of
from spineviz.anatomy.disc.space import landmark
from spineviz.anatomy.nerve.part import Cut, ends_of, is_nerve, nerves_within
from spineviz.anatomy.vessel.trunk import PASSED
from spineviz.body.bake import Shelf
from spineviz.body.connective import BRANCHES, true_on_the_shelf
from spineviz.body.covering import COVERING, covers_all
from spineviz.body.loins import true_on_the_shelf as true_loins
from spineviz.body.parameters import Anatomy
from spineviz.body.skeleton import bones as make_bones
from spineviz.geometry import bake_occlusion
from spineviz.structure import Structure, Surface
from spineviz.terms import Level, discs_of

BANDS = ("anterior_longitudinal_ligament", "posterior_longitudinal_ligament")
"""Ligaments along the column; what is left of them ends with the bodies."""

TRUNKS: Mapping[str, tuple[Level, ...]] = {
    **PASSED,
    "common_iliac_artery": ("L5", "S1"),
    "common_iliac_vein": ("L5", "S1"),
}
"""Vessels along the column, and the levels that they pass."""


@dataclass(frozen=True, eq=False)
class Stock:
    """Bones by level and baked structures by name that are true where these bones are.

    ``complete`` tells that all tissue of the healthy body between them is there.
    """

    bones: Mapping[Level, LevelBone]
    structures: Mapping[str, Structure] = field(default_factory=dict)
    complete: bool = False


def stock(levels: tuple[Level, ...], shelf: Mapping[str, Structure]) -> Stock:
    """Return what a shelf, or the library, has of some levels of the healthy column, given from above.

    What the library has is remembered: whoever changes one disc after the other is given the same again.
    """
    return _of_library(levels, shelf) if isinstance(shelf, Shelf) else _stock(levels, shelf)


@lru_cache(maxsize=8)
def _of_library(levels: tuple[Level, ...], shelf: Shelf) -> Stock:
    return replace(_stock(levels, shelf), complete=True)


def _stock(levels: tuple[Level, ...], shelf: Mapping[str, Structure]) -> Stock:
    healthy = Anatomy()
    column = healthy.levels
    hard = {level: shelf[level] for level in levels if level in shelf}
    bones = make_bones(healthy, levels, {level: item.surface for level, item in hard.items()})
    own = set(levels)
    apart = [level for pair in pairwise(column) if not set(pair) <= own for level in pair if level in own]
    structures = {name: shelf[name] for name in _whole(shelf, levels)}
    structures |= nerves_within({name: shelf[name] for name in shelf if is_nerve(name)}, bones, column)
    structures |= _cut({name: shelf[name] for name in shelf if _along(name)}, bones, column)
    surfaces = {level: bone.surface for level, bone in bones.items()}
    structures |= {
        level: _darkened(item, surfaces) if level in apart else item for level, item in hard.items()
    }
    return Stock(bones, structures)


def _whole(names: Iterable[str], levels: Sequence[Level]) -> list[str]:
    """Return the soft tissue, without nerves, that is true as it is where only some levels are there."""
    discs = [name for disc in discs_of(levels) for name in parts_of(disc)]
    covers = [name for name in names if name.partition(".")[0] in COVERING] if covers_all(levels) else []
    beside = [name for name in true_on_the_shelf(levels, names) if not _along(name)]
    beside += [name for name in names if name.startswith(BRANCHES) and name.split(".")[1] in levels]
    return [*(name for name in discs if name in set(names)), *beside, *covers, *true_loins(levels, names)]


def _along(name: str) -> bool:
    """Tell whether a structure runs along the column, so that it can be cut off."""
    stem = name.partition(".")[0]
    return stem in BANDS or stem in TRUNKS


def _darkened(bone: Structure, hard: Mapping[Level, Surface]) -> Structure:
    """Return a bone darkened by itself and by the bones that are there, in both its meshes."""
    others = [surface for level, surface in hard.items() if level != bone.name]
    light = bone.light and bake_occlusion(bone.light, others)
    return replace(bone, surface=bake_occlusion(bone.surface, others), light=light)


def _cut(
    along: Mapping[str, Structure], bones: Mapping[Level, LevelBone], column: Sequence[Level]
) -> dict[str, Structure]:
    """Return what some bones of a column have of the vessels and ligaments along the whole of it."""
    if set(bones) >= set(column[:-1]):
        return dict(along)
    result: dict[str, Structure] = {}
    for name, item in along.items():
        stem = name.partition(".")[0]
        if stem in BANDS and len(bones) > 1:
            surface = cut_off(item.surface, _faces(bones, column))
        elif set(TRUNKS.get(stem, ())) & set(bones):
            surface = cut_off(item.surface, ends_of(bones, column))
        else:
            continue
        if len(surface.faces):
            result[name] = replace(item, surface=surface)
    return result


def _faces(bones: Mapping[Level, LevelBone], column: Sequence[Level]) -> list[Cut]:
    """Return the planes of the outermost endplates of some bones of a column, from above."""
    top, *_, bottom = bones
    ends = [] if top == column[0] else [(top, "superior", 1.0)]
    ends += [] if bottom in ("S1", "Co1") else [(bottom, "inferior", -1.0)]
    result: list[Cut] = []
    for level, side, way in ends:
        if f"endplate.{side}" in bones[level].landmarks:
            plate = landmark(bones[level], f"endplate.{side}")
            result.append((plate.origin, way * plate.superior))
    return result


def cut_off(surface: Surface, cuts: Collection[Cut]) -> Surface:
    """Return a closed surface without what lies beyond some planes, closed by flat faces; it may be empty.

    Occlusion stays; other paint, and normals of its own, are lost.
    """
    import manifold3d

    light = np.ones(len(surface.vertices)) if surface.occlusion is None else surface.occlusion
    whole = manifold3d.Manifold(
        manifold3d.Mesh(
            vert_properties=np.column_stack([surface.vertices, light]).astype(np.float32),
            tri_verts=surface.faces.astype(np.uint32),
        )
    )
    if whole.status() != manifold3d.Error.NoError:
        raise ValueError(f"what is cut off has to be closed: {whole.status().name}")
    for place, outwards in cuts:
        whole = whole.trim_by_plane(tuple(-outwards), float(-outwards @ place))
    if whole.is_empty():
        return Surface(np.zeros((0, 3)), np.zeros((0, 3), dtype=np.int32))
    made = whole.to_mesh()
    joined = np.arange(len(made.vert_properties))
    joined[np.array(made.merge_from_vert, dtype=int)] = made.merge_to_vert
    used, faces = np.unique(joined[np.array(made.tri_verts, dtype=int)], return_inverse=True)
    kept = np.array(made.vert_properties)[used]
    return Surface(kept[:, :3], faces.reshape(-1, 3), kept[:, 3])
