"""A body as a disease has deformed it: the healthy one, carried where its bones go."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from spineviz.anatomy.bone import LevelBone, SurfaceDistance
from spineviz.anatomy.column.carrying import (
    BETWEEN,
    KEEN,
    Carrier,
    Rigid,
    carried,
    carried_frame,
    evened,
    swayed,
)
from spineviz.anatomy.column.deformation import Deformation
from spineviz.anatomy.column.movements import Moved, movements
from spineviz.anatomy.net import pushed
from spineviz.anatomy.recipe import Body
from spineviz.anatomy.stenosis.finer import finer
from spineviz.anatomy.stenosis.untangled import put_out
from spineviz.anatomy.surroundings import Spine
from spineviz.anatomy.way_out import by_distance
from spineviz.body.connective import fat_behind
from spineviz.body.nuclei import kept_nuclei
from spineviz.body.parameters import Anatomy
from spineviz.body.remade import Remade, marks_of, remade
from spineviz.body.settled import giving_way, settled_around, settled_nerves
from spineviz.body.wear import darkened, signs
from spineviz.geometry import bake_occlusion, surface_points
from spineviz.structure import Points, Structure, Surface, Warp
from spineviz.terms import LEVELS, Level, levels_of

SAMPLED = 0.9
"""The samples of a bone's surface lie about so far (mm) from each other."""

ON_THE_ARCH = ("flavum", "interspinous", "facet_capsule", "facet_cartilage")
"""What is attached to the posterior arch of the bone above it and not to its body."""

BEHIND = (
    *ON_THE_ARCH,
    "supraspinous_ligament",
    "multifidus",
    "longissimus",
    "iliocostalis",
    "spinalis",
    "semispinalis",
    "interspinalis",
    "skin",
    "subcutaneous_fat",
    "thoracolumbar_fascia",
    "erector_spinae_aponeurosis",
)
"""What follows a loose posterior arch; all else follows the bodies alone."""

TUBES = ("root.", "rootlet.", "cauda.", "filum_terminale", "ganglion.", "spinal_nerve.")
"""What keeps its section where it bends."""

TOLERATED, FREE = 0.05, 0.15
"""Tissue that lies deeper in a bone than the first is pushed out, until it is free by the second, mm."""

CLEAR = 0.5
"""A tube that is put aside is free of a bone by so much, mm: edges of bone stand between its vertices."""

ASIDE, EDGES = 10, 3
"""A tube is put aside out of bones at most so many times; its faces are then so often put out of them."""

STRETCHED = ("interspinous", "flavum", "root")
"""What a slip stretches across bones: it is divided finer on the way, lest its edges pass through them."""

EDGE, FINER = 1.2, 2
"""Edges of what is stretched are hardly longer than the first (mm); they are divided so often."""

PASSED = 1.0
"""Of a loose arch what the bone above comes nearer to than this on its way (mm) carries nothing."""

OF_A_DISC = ("disc", "nucleus", "endplate", "herniation", *ON_THE_ARCH)
"""What follows the two bones of its disc alone."""


Stages = tuple[tuple[Carrier, ...], ...]
"""What carries a structure, in each stage of a deformation."""


@dataclass(frozen=True, eq=False)
class CarriedWarp:
    """A movement of a surface, carried with the surface to where its bones go."""

    warp: Warp
    stages: Stages
    keen: float

    def __call__(self, amounts: tuple[float, ...]) -> Points:
        """Return the vertices (n, 3), mm, for some amounts."""
        return carried(self.warp(amounts), self.stages, self.keen)


def straightened(anatomy: Anatomy) -> Anatomy:
    """Return an anatomy without its deformation."""
    return replace(anatomy, deformation=Deformation())


def deformed(
    healthy: Body, anatomy: Anatomy, made: Callable[[Structure], None] = lambda structure: None
) -> Body:
    """Return a body as its anatomy's deformation leaves it.

    ``healthy`` is the same body without the deformation. Bones go where the deformation takes them, give way
    to each other where they meet, and are cleft where it says so; all tissue follows them. There are no
    recipes: approaches are not made for a deformed column. Raises ValueError where a bone that the
    deformation needs is not there.
    """
    heights = {disc: shape.height_middle for disc, shape in anatomy.discs.items()}
    way = [movements(stage, healthy.bones, heights) for stage in anatomy.deformation.on_the_way()]
    moves = way[-1]
    fresh = remade(anatomy, healthy, moves)
    parts = _carriers(healthy.bones, way, fresh)
    moved = {level: _bone(bone, moves[level], fresh.get(level)) for level, bone in healthy.bones.items()}
    bones = _parted(moved, anatomy)
    around = _around(anatomy, bones)
    slipped = frozenset(level for disc in anatomy.deformation.slips for level in levels_of(disc))
    structures: dict[str, Structure] = {}
    for name, item in healthy.structures.items():
        structures[name] = (
            fresh[name].structure
            if name in fresh
            else _clear(_carried(item, parts, slipped), around(name, item))
        )
    changed = [
        bones[level]
        for level in LEVELS
        if level in bones and level in slipped | {*anatomy.deformation.collapsed, *anatomy.deformation.broken}
    ]
    structures |= settled_nerves(structures, healthy.structures, changed)
    structures |= giving_way(structures)
    structures |= kept_nuclei(structures, healthy.structures, anatomy.deformation, bones)
    structures |= settled_around(structures, changed, [name for name, _ in healthy.warps])
    structures = _refilled(structures, anatomy.deformation, bones)
    for name, item in structures.items():
        structures[name] = darkened(item, anatomy.deformation.worn)
        made(structures[name])
    for sign in signs(anatomy.deformation.worn, bones, structures):
        structures[sign.name] = sign
        made(sign)
    warps: dict[tuple[str, str], Warp] = {
        key: CarriedWarp(warp, *_followed(key[0], parts)) for key, warp in healthy.warps.items()
    }
    return Body(bones, {}, structures, warps)


def _refilled(
    structures: Mapping[str, Structure], deformation: Deformation, bones: Mapping[Level, LevelBone]
) -> dict[str, Structure]:
    """Return structures with the fat behind the sac where a bone has slipped: it fills what room is left."""
    result = dict(structures)
    for disc in deformation.slips:
        if result.pop(f"epidural_fat.{disc}", None) is not None:
            surfaces = {name: item.surface for name, item in result.items()}
            made = fat_behind(*levels_of(disc), Spine(bones, {}), surfaces)
            if made is not None:
                result[made.name] = replace(made, surface=bake_occlusion(made.surface))
    return result


def _parted(bones: Mapping[Level, LevelBone], anatomy: Anatomy) -> dict[Level, LevelBone]:
    """Return bones whose joints have given way where the column is bent: the upper one to the lower."""
    result = dict(bones)
    for upper, lower in map(levels_of, anatomy.deformation.bends):
        if upper in bones and lower in bones:
            surface = _clear(Structure(upper, "bone", bones[upper].surface), [bones[lower]]).surface
            result[upper] = replace(bones[upper], surface=surface, exact=SurfaceDistance(surface))
    return result


def _around(
    anatomy: Anatomy, bones: Mapping[Level, LevelBone]
) -> Callable[[str, Structure], Sequence[LevelBone]]:
    """Return a function that tells out of which bones a structure, by name, must be pushed."""
    near = _concerned(anatomy, bones)
    bent = [pair for pair in map(levels_of, anatomy.deformation.bends) if set(pair) <= set(bones)]
    joints = {f"{upper}-{lower}": [bones[upper], bones[lower]] for upper, lower in bent}
    beneath = {str(upper): [bones[lower]] for upper, lower in bent}

    def around(name: str, item: Structure) -> Sequence[LevelBone]:
        stem, *rest = name.split(".")
        if item.tissue == "bone":
            return beneath.get(stem, [])
        if item.tissue == "skin":
            return []
        return [*near, *(joints.get(rest[0], []) if stem in ON_THE_ARCH and rest else [])]

    return around


def _carriers(
    bones: Mapping[Level, LevelBone], way: Sequence[Mapping[Level, Moved]], fresh: Mapping[Level, Remade]
) -> list[dict[str, Carrier]]:
    """Return the carriers of each stage by name: the bones, and ``L5.arch`` for an arch that is loose."""
    first: dict[str, Carrier] = {}
    for level, bone in bones.items():
        points, move = surface_points(bone.surface, SAMPLED), way[0][level]
        if move.arch is not None and level in fresh:
            loose = fresh[level].loose(points)
            first[f"{level}.arch"] = Carrier(f"{level}.arch", points[loose], move.arch)
            points = points[~loose]
        first[level] = Carrier(level, points, move.body)
    result = [first]
    for before, after in pairwise(way):
        last = result[-1].values()
        result.append({part.name: _farther(part, before, after) for part in last})
    return _passed(result, bones, way)


def _passed(
    stages: list[dict[str, Carrier]], bones: Mapping[Level, LevelBone], way: Sequence[Mapping[Level, Moved]]
) -> list[dict[str, Carrier]]:
    """Return carriers whose loose arches carry nothing where the bone above passes through on its way."""
    for name in [name for name in stages[0] if name.endswith(".arch")]:
        above = LEVELS[LEVELS.index(name.partition(".")[0]) - 1]
        if above not in bones:
            continue
        free = np.ones(len(stages[0][name].samples), dtype=bool)
        for stage, moves in zip(stages[1:], way, strict=False):
            still = Rigid(np.linalg.inv(moves[above].whole))
            free &= bones[above].distance(still(stage[name].samples)) > PASSED
        for stage in stages:
            stage[name] = replace(stage[name], samples=stage[name].samples[free])
    return stages


def _farther(part: Carrier, before: Mapping[Level, Moved], after: Mapping[Level, Moved]) -> Carrier:
    """Return a carrier as it stands after a stage, with its movement in the next one."""
    level, _, kind = part.name.partition(".")
    one, other = before[level], after[level]  # type: ignore[index]
    if kind == "arch" and one.arch is not None and other.arch is not None:
        step = other.arch.matrix @ np.linalg.inv(one.arch.matrix)
    else:
        step = other.whole @ np.linalg.inv(one.whole)
    return Carrier(part.name, part.movement(part.samples), Rigid(step))


def _followed(name: str, parts: Sequence[Mapping[str, Carrier]]) -> tuple[Stages, float]:
    """Return which carriers a structure follows in each stage, and how keenly it prefers the nearer one."""
    stem, *rest = name.split(".")
    known = parts[0]
    bone = "S1" if stem == "ilium" else rest[0] if stem == "rib" and rest else stem
    keen = KEEN if len(parts) == 1 else BETWEEN
    if bone in known:
        followed: Sequence[str] = (bone,)
    elif stem in OF_A_DISC and rest:
        followed, keen = _between(stem, rest, known), BETWEEN
    else:
        followed = [key for key in known if key in LEVELS or (key.endswith(".arch") and stem in BEHIND)]
    return tuple(tuple(stage[key] for key in followed) for stage in parts), keen


def _between(stem: str, rest: Sequence[str], known: Collection[str]) -> tuple[str, ...]:
    """Return the names of the carriers that what belongs to a disc, or stands behind it, follows."""
    above, below = rest[0].split("-")
    if stem == "endplate":
        return (above if rest[1] == "upper" else below,)
    if stem not in ON_THE_ARCH:
        return above, below
    upper, lower = (f"{level}.arch" if f"{level}.arch" in known else level for level in (above, below))
    return upper, below if stem.startswith("facet") else lower


def _stretched(name: str, slipped: frozenset[Level]) -> bool:
    """Tell whether a structure is stretched where bones have slipped: it belongs to one of them."""
    stem, *rest = name.split(".")
    return stem in STRETCHED and not slipped.isdisjoint(rest[0].split("-"))


def _carried(
    structure: Structure, parts: Sequence[Mapping[str, Carrier]], slipped: frozenset[Level]
) -> Structure:
    stages, keen = _followed(structure.name, parts)

    def placed(surface: Surface) -> Surface:
        goals = carried(surface.vertices, stages, keen)
        if structure.name.startswith(TUBES):
            goals = evened(surface, goals)
        return surface.moved(goals)

    surface = structure.surface
    if _stretched(structure.name, slipped):
        for _ in range(FINER):
            every = np.ones(len(surface.vertices), dtype=bool)
            surface = finer((placed(surface), surface), every, EDGE)[1]
    light = None if structure.light is None else placed(structure.light)
    variants = {name: placed(variant) for name, variant in structure.variants.items()}
    return replace(structure, surface=placed(surface), light=light, variants=variants)


def _bone(bone: LevelBone, move: Moved, fresh: Remade | None) -> LevelBone:
    """Return a bone where it goes, with its surface as it is then."""
    surface = fresh.surface if fresh is not None else bone.surface.moved(move.body(bone.surface.vertices))
    frame = carried_frame(bone.frame, move.body)
    return LevelBone(bone.level, frame, marks_of(bone, move), surface, SurfaceDistance(surface))


def _clear(structure: Structure, bones: Sequence[LevelBone]) -> Structure:
    """Return a structure pushed out of bones that it has come to lie in."""
    if not bones:
        return structure
    vertices: Points = structure.surface.vertices.astype(np.float64)
    if structure.name.startswith(TUBES):
        vertices = _aside(structure.surface, bones)
    for bone in bones:
        around = bone.surface.vertices
        near = ((vertices > around.min(axis=0)) & (vertices < around.max(axis=0))).all(axis=1)
        rows = np.flatnonzero(near)
        rows = rows[bone.near(vertices[rows]) < -TOLERATED] if len(rows) else rows
        if len(rows):
            free = CLEAR if structure.name.startswith(TUBES) else FREE
            vertices[rows] = pushed(vertices[rows], bone.near, free)
    surface = structure.surface.moved(vertices)
    if structure.name.startswith(TUBES):
        for bone in [*bones] * EDGES:
            surface = put_out(surface, by_distance(bone.within), bone.surface.vertices)
    return replace(structure, surface=surface)


def _aside(tube: Surface, bones: Sequence[LevelBone]) -> Points:
    """Return the vertices (n, 3) of a tube that goes aside as a whole where it has come to lie in bones."""
    vertices: Points = tube.vertices.astype(np.float64)
    for _ in range(ASIDE):
        ways = np.zeros(vertices.shape)
        for bone in bones:
            around = bone.surface.vertices
            near = ((vertices > around.min(axis=0)) & (vertices < around.max(axis=0))).all(axis=1)
            rows = np.flatnonzero(near)
            rows = rows[bone.near(vertices[rows]) < -TOLERATED] if len(rows) else rows
            if len(rows):
                ways[rows] += pushed(vertices[rows], bone.near, CLEAR) - vertices[rows]
        if not ways.any():
            break
        vertices = vertices + 2.0 * swayed(tube, ways)
    return vertices


def _concerned(anatomy: Anatomy, bones: Mapping[Level, LevelBone]) -> list[LevelBone]:
    """Return the bones that a deformation brings nearer to each other or changes."""
    deformation = anatomy.deformation
    order = [level for level in LEVELS if level in bones]
    found: set[Level] = {*deformation.collapsed, *deformation.broken}
    for disc in (*deformation.slips, *deformation.worn):
        found |= {*levels_of(disc)}
    above = {order[order.index(level) - 1] for level in found if order.index(level)}
    return [bones[level] for level in order if level in found | above]
