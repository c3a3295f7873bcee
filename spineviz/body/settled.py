"""Soft tissue about bones that have slipped or collapsed, settled: nothing stands in what is firmer.

What is carried by its bones alone stands in its neighbours here and there, where coarse meshes pass each
other. Nerves go apart and keep their volume, discs give way to nerves, and ligaments and fat to all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.dented import dented
from spineviz.anatomy.stenosis.crowding import same_volume
from spineviz.anatomy.stenosis.untangled import out_of, untangled, wholly_out
from spineviz.anatomy.way_out import by_distance
from spineviz.body.passing import passing
from spineviz.geometry import surface_points
from spineviz.structure import Structure, Surface

Mask = npt.NDArray[np.bool_]

NERVES = ("root", "cauda", "rootlet", "filum_terminale")
"""Nerves that go apart."""

CORD = "spinal_cord"
"""What keeps its volume too: it is thicker elsewhere where it is pressed."""

FIRM: Mapping[str, tuple[str, ...]] = {
    "disc": ("endplate", "thecal_sac", "root"),
    "nucleus": ("endplate", "thecal_sac", "root"),
    "posterior_longitudinal_ligament": ("disc", "thecal_sac", "root"),
    "anterior_longitudinal_ligament": ("disc", "root"),
    "flavum": ("thecal_sac", "root"),
    "facet_capsule": ("facet_cartilage", "root"),
    "interspinous": ("flavum",),
    "supraspinous_ligament": ("interspinous",),
    "epidural_fat": ("posterior_longitudinal_ligament", "flavum", "thecal_sac", "root"),
}
"""What gives way besides to bones, the firmest first, and to what: to the firmest last."""

DENTED, DENT = ("disc", "nucleus"), 3.0
"""What a root dents where it has come to stand in it, and over how many mm beside it."""

EVERYWHERE: Mapping[str, tuple[str, ...]] = {"psoas_major": ("root",)}
"""What gives way wherever bones have moved at all, and to what, which other bones carry."""

BESIDE = 6.0
"""Tissue is settled so far (mm) beyond the bones concerned."""

TIGHT = 1.0
"""A root that lies nearer (mm) to a bone than this keeps its thickness there."""

SEEN = 0.6
"""Nerves are looked up at samples so far (mm) apart."""


def settled(
    structures: Mapping[str, Structure], healthy: Mapping[str, Structure], bones: Sequence[LevelBone]
) -> dict[str, Structure]:
    """Return the structures that change, by name, where soft tissue about some bones settles.

    ``structures`` are carried already, ``healthy`` the same before that; all in the world, mm. A nerve keeps
    the volume that it has in health.
    """
    if not bones:
        return {}
    around = np.vstack([bone.surface.vertices for bone in bones])
    low, high = around.min(axis=0) - BESIDE, around.max(axis=0) + BESIDE

    def inside(surface: Surface) -> Mask:
        return np.asarray(((surface.vertices > low) & (surface.vertices < high)).all(axis=1))

    result: dict[str, Surface] = {}
    for name in _of((*NERVES, *FIRM), structures):
        if inside(structures[name].surface).any():
            result[name] = structures[name].surface
    nerves = {name: result[name] for name in _of(NERVES, result)}
    moved = {name: inside(surface) for name, surface in nerves.items()}
    for name, surface in untangled(nerves, moved).items():
        if name.startswith("root."):
            free = _out_of_bones(passing(surface, bones), bones)
            result[name] = same_volume(healthy[name].surface, free, _tight(free, bones))
        else:
            result[name] = same_volume(healthy[name].surface, surface, moved[name])
    if CORD in structures and (near := inside(structures[CORD].surface)).any():
        result[CORD] = same_volume(healthy[CORD].surface, structures[CORD].surface, near)
    for stem, firmer in FIRM.items():
        for name in list(_of((stem,), result)):
            if stem in DENTED:
                for root in _of(("root",), nerves):
                    result[name] = dented(result[name], surface_points(result[root], SEEN), DENT)
            result[name] = _out_of_bones(result[name], bones)
            for other in _of(firmer, structures):
                result[name] = out_of(result[name], result.get(other, structures[other].surface))
    return {name: replace(structures[name], surface=surface) for name, surface in result.items()}


def giving_way(structures: Mapping[str, Structure]) -> dict[str, Structure]:
    """Return the structures that change, by name, where one of them gives way to another `EVERYWHERE`."""
    result = {}
    for stem, firmer in EVERYWHERE.items():
        for name in _of((stem,), structures):
            surface = structures[name].surface
            for other in _of(firmer, structures):
                surface = out_of(surface, structures[other].surface)
            if surface is not structures[name].surface:
                result[name] = replace(structures[name], surface=surface)
    return result


def _tight(root: Surface, bones: Sequence[LevelBone]) -> Mask:
    """Tell which vertices (n,) of a root lie so near to a bone that it can not be thicker there."""
    return np.min([bone.near(root.vertices) for bone in bones], axis=0) < TIGHT


def _of(stems: Sequence[str], names: Iterable[str]) -> list[str]:
    """Return the names that begin so, in the order of the beginnings."""
    known = list(names)
    return [name for stem in stems for name in known if name.partition(".")[0] == stem]


def _out_of_bones(surface: Surface, bones: Sequence[LevelBone]) -> Surface:
    for bone in bones:
        surface = wholly_out(surface, by_distance(bone.within), bone.surface.vertices)
    return surface
