"""Build a body from an anatomy: bones, then every tissue that follows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from spineviz.anatomy.back.muscle import muscle_parameters, muscle_recipes
from spineviz.anatomy.back.skin import skin_parameters, skin_recipes
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.column.alignment import inverse
from spineviz.anatomy.disc import disc_recipes
from spineviz.anatomy.ligament import ligament_recipes
from spineviz.anatomy.nerve import nerve_recipes
from spineviz.anatomy.nerve.parameters import nerve_parameters
from spineviz.anatomy.nerve.warps import nerve_warps
from spineviz.anatomy.recipe import Body, Recipe
from spineviz.body.bake import shelf as library_shelf
from spineviz.body.girdle import Beside, girdle
from spineviz.body.kinds import kind_of
from spineviz.body.parameters import Anatomy
from spineviz.body.skeleton import bones as make_bones
from spineviz.geometry import bake_occlusion
from spineviz.structure import Structure, Surface, Warp
from spineviz.terms import DISCS, LOWER_LUMBAR_DISCS, LOWER_LUMBAR_LEVELS, Level

BONE_TERMS: Mapping[Level, str] = {
    **{"C1": "FMA:12519", "C2": "FMA:12520", "C3": "FMA:12521", "C4": "FMA:12522", "C5": "FMA:12523"},
    **{"C6": "FMA:12524", "C7": "FMA:12525"},
    **{"T1": "FMA:9165", "T2": "FMA:9187", "T3": "FMA:9209", "T4": "FMA:9248", "T5": "FMA:9922"},
    **{"T6": "FMA:9945", "T7": "FMA:9968", "T8": "FMA:9991", "T9": "FMA:10014", "T10": "FMA:10037"},
    **{"T11": "FMA:10059", "T12": "FMA:10081"},
    **{"L1": "FMA:13072", "L2": "FMA:13073", "L3": "FMA:13074", "L4": "FMA:13075", "L5": "FMA:13076"},
    **{"S1": "FMA:16202", "Co1": "FMA:20229"},
}
BONE_TRIANGLES: Mapping[str, int] = {"L3": 9_000, "L4": 13_000, "L5": 11_000, "S1": 10_000, "Co1": 2_500}
TRIANGLES: Mapping[str, int] = {
    "disc": 4_500,
    "nucleus": 1_500,
    "herniation": 8_000,
    "thecal_sac": 5_000,
    "root": 2_000,
    "flavum": 1_600,
    "supraspinous_ligament": 1_200,
    "multifidus": 9_000,
    "erector_spinae": 8_000,
    "rib": 2_500,
    "ilium": 8_000,
}
"""How many triangles a bone, and a structure whose name begins so, has in a scene."""

TRIANGLES_OF_A_BONE = 8_000
"""How many triangles any other bone has in a scene."""


def build(
    anatomy: Anatomy,
    levels: Sequence[Level] | None = None,
    beside: Sequence[Beside] = (),
    soft: bool = True,
    shelf: Mapping[str, Surface] | None = None,
    made: Callable[[Structure], None] = lambda structure: None,
) -> Body:
    """Build every structure of an anatomy, or of some of its levels, in the world, with occlusion baked.

    Soft tissue, unless it is not wanted, is there where all of its bones are: L3 to the sacrum.
    ``shelf`` holds baked surfaces by structure name and stands for what needs no building; the
    project's own library by default. ``made`` is called with each structure as soon as it is there.
    """
    bones = make_bones(anatomy, levels)
    baked = _fitting(anatomy, bones, library_shelf() if shelf is None else shelf)
    whole = set(LOWER_LUMBAR_LEVELS) <= set(bones) and set(LOWER_LUMBAR_DISCS) <= set(anatomy.discs)
    recipes = tissue_recipes(anatomy, bones) if soft and whole else {}
    hard = {
        level: baked[level]
        if level in baked
        else lighter(bone.surface, BONE_TRIANGLES.get(level, TRIANGLES_OF_A_BONE))
        for level, bone in bones.items()
    }
    structures: dict[str, Structure] = {}
    for level, bone in bones.items():
        surface = baked[level] if level in baked else _shaded_bone(anatomy, bone, hard)
        structures[level] = Structure(level, "bone", surface, None, BONE_TERMS.get(level, ""))
        made(structures[level])
    for name, recipe in recipes.items():
        surface = baked[name] if name in baked else shaded(recipe)
        structures[name] = Structure(name, recipe.tissue, surface, recipe.side, recipe.term)
        made(structures[name])
    for name, item in girdle(bones, beside, anatomy.size).items():
        surface = bake_occlusion(
            lighter(item.surface, TRIANGLES[name.partition(".")[0]]), list(hard.values())
        )
        structures[name] = replace(item, surface=surface)
        made(structures[name])
    return Body(bones, recipes, structures, _movements(anatomy, structures, bones))


def _shaded_bone(anatomy: Anatomy, bone: LevelBone, hard: Mapping[Level, Surface]) -> Surface:
    """Return a bone's surface with its cartilage, darkened by itself and by the other bones."""
    others = [surface for level, surface in hard.items() if level != bone.level]
    return bake_occlusion(_cartilage(anatomy, bone, hard[bone.level]), others)


def _movements(
    anatomy: Anatomy, structures: Mapping[str, Structure], bones: Mapping[Level, LevelBone]
) -> dict[tuple[str, str], Warp]:
    """Return how nerves give way: to the displaced material of the herniated disc, and to a retractor."""
    herniated = [disc for disc, shape in anatomy.discs.items() if shape.herniations]
    if len(herniated) > 1:
        raise ValueError(f"one herniated disc at a time, not {', '.join(herniated)}")
    if not herniated:
        return {}
    return nerve_warps(structures, herniated[0], anatomy.discs[herniated[0]], bones)


def _fitting(
    anatomy: Anatomy, bones: Mapping[Level, LevelBone], shelf: Mapping[str, Surface]
) -> Mapping[str, Surface]:
    """Return the baked surfaces that are true for an anatomy and the bones that are there.

    Baked bones are darkened by their neighbours; where one of these is missing, a bone is darkened anew.
    """
    healthy = Anatomy()
    if anatomy.given or _chain(anatomy) != _chain(healthy):
        return {}
    changed = [disc for disc in DISCS if anatomy.discs.get(disc) != healthy.discs.get(disc)]
    alone = [level for pair in pairwise(anatomy.levels) if not set(pair) <= set(bones) for level in pair]
    return {
        name: item
        for name, item in shelf.items()
        if name not in alone and not any(name.endswith(disc) for disc in changed)
    }


def _chain(anatomy: Anatomy) -> tuple[object, ...]:
    """Return what places the bones."""
    discs = tuple((disc.height_middle, disc.wedge) for disc in anatomy.discs.values())
    return anatomy.sacral_slope, anatomy.person, dict(anatomy.vertebrae), anatomy.posture, discs


def tissue_recipes(anatomy: Anatomy, bones: Mapping[Level, LevelBone]) -> dict[str, Recipe]:
    """Return the recipes of all soft tissue that belongs to an anatomy's bones."""
    recipes: dict[str, Recipe] = {}
    bones = {level: bones[level] for level in LOWER_LUMBAR_LEVELS}
    for disc in LOWER_LUMBAR_DISCS:
        recipes |= disc_recipes(disc, anatomy.discs[disc], bones)
    recipes |= nerve_recipes(nerve_parameters(), bones)
    recipes |= ligament_recipes(bones)
    muscles = muscle_recipes(muscle_parameters(), bones)
    return recipes | muscles | skin_recipes(skin_parameters(), bones, muscles)


def shaded(recipe: Recipe) -> Surface:
    """Return a recipe's surface, thinned for a scene and darkened by itself.

    Bones do not darken soft tissue: what lies in the canal is looked at through a window in the bone, or
    through bone like glass.
    """
    surface = recipe.surface()
    budget = TRIANGLES.get(recipe.name.partition(".")[0])
    if budget is not None and len(surface.faces) > budget:
        surface = recipe.painted(lighter(surface, budget))
    return bake_occlusion(surface)


def lighter(surface: Surface, triangles: int) -> Surface:
    """Return a surface with about so many triangles and no paint; closed surfaces stay closed."""
    if len(surface.faces) <= triangles:
        return surface
    from fast_simplification import simplify

    vertices, faces = simplify(surface.vertices.copy(), surface.faces.copy(), target_count=triangles)
    return Surface(vertices, faces)


def _cartilage(anatomy: Anatomy, bone: LevelBone, surface: Surface) -> Surface:
    """Return a bone's surface with its articular cartilage as tint, where the parameters tell it."""
    if bone.level in anatomy.given:
        return surface
    own = inverse(bone.frame)
    marks = {name: mark.then(own) for name, mark in bone.landmarks.items()}
    points = bone.frame.to_local(surface.vertices)
    tint = kind_of(bone.level).cartilage(anatomy.vertebrae[bone.level], points, marks)
    return Surface(surface.vertices, surface.faces, surface.occlusion, tint)
