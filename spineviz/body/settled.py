"""Soft tissue about bones that have slipped or collapsed, settled: nothing stands in what is firmer.

What is carried by its bones alone stands in its neighbours here and there, where coarse meshes pass each
other. Nerves go apart and keep their volume, and ligaments give way to all that is firmer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.dented import dented
from spineviz.anatomy.less import cleared
from spineviz.anatomy.stenosis.crowding import same_volume
from spineviz.anatomy.stenosis.untangled import out_of, untangled, wholly_out
from spineviz.anatomy.way_out import by_distance
from spineviz.body.passing import passing
from spineviz.geometry import volume
from spineviz.structure import Structure, Surface

Mask = npt.NDArray[np.bool_]

NERVES = ("root", "cauda", "rootlet", "filum_terminale")
"""Nerves that go apart."""

CORD = "spinal_cord"
"""What keeps its volume too: it is thicker elsewhere where it is pressed."""

SAC, DENT = "thecal_sac", 3.0
"""What bones dent that stand in it, fading over so many mm beside them."""

BESIDE_CORD, TWICE, ENOUGH = ("rootlet.", "cauda."), 2, 0.01
"""What lies against the cord goes out of it, so often; a share of volume that the cord may lose."""

FIRM: Mapping[str, tuple[str, ...]] = {
    "posterior_longitudinal_ligament": ("nucleus", "disc", "thecal_sac", "root"),
    "anterior_longitudinal_ligament": ("disc", "root"),
    "flavum": ("thecal_sac", "root"),
    "facet_cartilage": (),
    "facet_capsule": ("facet_cartilage", "root"),
    "interspinous": ("flavum",),
    "supraspinous_ligament": ("interspinous",),
    "epidural_fat": ("posterior_longitudinal_ligament", "flavum", "thecal_sac", "root"),
}
"""What gives way to bones and to what besides, the firmest first: to the firmest last."""

EVERYWHERE: Mapping[str, tuple[str, ...]] = {"psoas_major": ("root",)}
"""What gives way wherever bones have moved at all, and to what, which other bones carry."""

BESIDE = 6.0
"""Tissue is settled so far (mm) beyond the bones concerned."""

TIGHT = 1.0
"""A root that lies nearer (mm) to a bone than this keeps its thickness there."""


def settled_nerves(
    structures: Mapping[str, Structure], healthy: Mapping[str, Structure], bones: Sequence[LevelBone]
) -> dict[str, Structure]:
    """Return the nerves and the cord that change, by name, where they settle about some bones.

    ``structures`` are carried already, ``healthy`` the same before that; all in the world, mm. A nerve keeps
    the volume that it has in health.
    """
    if not bones:
        return {}
    inside = _about(bones)
    result: dict[str, Surface] = {}
    nerves = {
        name: structures[name].surface
        for name in _of(NERVES, structures)
        if inside(structures[name].surface).any()
    }
    moved = {name: inside(surface) for name, surface in nerves.items()}
    if SAC in structures and inside(structures[SAC].surface).any():
        result[SAC] = structures[SAC].surface
        for bone in bones:
            result[SAC] = dented(result[SAC], bone.surface.vertices.astype(np.float64), DENT)
    if CORD in structures and (near := inside(structures[CORD].surface)).any():
        result[CORD] = _kept(healthy[CORD].surface, structures[CORD].surface, near)
    for _ in range(TWICE if CORD in result else 1):
        for name, surface in untangled(nerves, moved).items():
            if name.startswith("root."):
                free = _out_of_bones(passing(surface, bones), bones)
                nerves[name] = same_volume(healthy[name].surface, free, _tight(free, bones))
            else:
                free = (
                    out_of(surface, result[CORD])
                    if name.startswith(BESIDE_CORD) and CORD in result
                    else surface
                )
                nerves[name] = same_volume(healthy[name].surface, free, moved[name])
    result |= nerves
    return {name: replace(structures[name], surface=surface) for name, surface in result.items()}


def settled_around(
    structures: Mapping[str, Structure], bones: Sequence[LevelBone], warped: Collection[str]
) -> dict[str, Structure]:
    """Return the ligaments and the fat that change, by name, where they settle about some bones.

    All of ``structures`` stand where they will, but for these. What is pushed out of firmer things still
    stands in them where there is little room, or where its edges are long: there it is cut off, unless
    something warps it by its vertices (``warped`` names it).
    """
    if not bones:
        return {}
    inside, result = _about(bones), dict[str, Surface]()
    hard = [item.surface for item in structures.values() if item.tissue == "bone"]
    for stem, firmer in FIRM.items():
        for name in _of((stem,), structures):
            surface = structures[name].surface
            if not inside(surface).any():
                continue
            others = [result.get(other, structures[other].surface) for other in _of(firmer, structures)]
            surface = _out_of_bones(surface, bones)
            for other in others:
                surface = out_of(surface, other)
            result[name] = surface if name in warped else cleared(surface, [*hard, *others])
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


def _about(bones: Sequence[LevelBone]) -> Callable[[Surface], Mask]:
    """Return a function that tells which vertices (n,) of a surface lie about some bones."""
    around = np.vstack([bone.surface.vertices for bone in bones])
    low, high = around.min(axis=0) - BESIDE, around.max(axis=0) + BESIDE
    return lambda surface: np.asarray(((surface.vertices > low) & (surface.vertices < high)).all(axis=1))


def _kept(before: Surface, after: Surface, near: Mask) -> Surface:
    """Return the cord thicker elsewhere, so that it keeps its volume; all over, where that is too little."""
    result = same_volume(before, after, near)
    if abs(volume(result) / volume(before) - 1.0) < ENOUGH:
        return result
    return same_volume(before, result, np.zeros(len(near), dtype=bool))


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
