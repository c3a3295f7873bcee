"""Build a body from an anatomy: bones, then every tissue that follows them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.column.alignment import inverse
from spineviz.anatomy.disc import disc_parameters, disc_recipes, parts_of
from spineviz.anatomy.ligament import ligament_recipes
from spineviz.anatomy.nerve import has_nerves, nerve_parameters, nerve_recipes
from spineviz.anatomy.nerve.part import is_nerve
from spineviz.anatomy.recipe import Body, Recipe, Recipes
from spineviz.body.bake import shelf as library_shelf
from spineviz.body.connective import BEHIND_THE_DISCS, ON_EVERY_DISC, connective
from spineviz.body.covering import COVERING, covering_recipes, toned
from spineviz.body.diseased import diseased
from spineviz.body.displacing import displaced_by
from spineviz.body.girdle import Beside, girdle
from spineviz.body.kinds import kind_of
from spineviz.body.loins import ON_THE_DISCS, loins
from spineviz.body.parameters import Anatomy
from spineviz.body.skeleton import bones as make_bones
from spineviz.body.stock import Stock, stock
from spineviz.geometry import bake_occlusion, normals_of, unpinched, whole
from spineviz.structure import Structure, Surface
from spineviz.terms import LEVELS, LOWER_LUMBAR_DISCS, LOWER_LUMBAR_LEVELS, SIDES, Disc, Level, discs_of

BONE_TRIANGLES: Mapping[str, int] = {"L3": 9_000, "L4": 13_000, "L5": 11_000, "S1": 14_000, "Co1": 2_500}
TRIANGLES: Mapping[str, int] = {
    "disc": 4_500,
    "nucleus": 1_500,
    "endplate": 1_200,
    "herniation": 8_000,
    "thecal_sac": 5_000,
    "root": 2_000,
    "spinal_cord": 4_000,
    "filum_terminale": 4_000,
    "rootlet": 1_100,
    "cauda": 3_000,
    "flavum": 1_600,
    "supraspinous_ligament": 1_200,
    "multifidus": 9_000,
    "longissimus": 5_500,
    "iliocostalis": 5_000,
    "spinalis": 6_000,
    "semispinalis": 6_000,
    "splenius": 5_000,
    "psoas_major": 11_500,
    "quadratus_lumborum": 4_000,
    "interspinalis": 400,
    "intertransversarius_lateral": 600,
    "intertransversarius_medial": 400,
    "thoracolumbar_fascia_middle": 2_400,
    "rib": 2_500,
    "ilium": 8_000,
    "aorta": 6_000,
    "inferior_vena_cava": 4_000,
}
"""How many triangles a bone, and a structure whose name begins so, has in a scene."""

SHARES: Mapping[str, float] = {
    **{"thecal_sac": 0.29, "spinal_cord": 0.25},
    **{"multifidus": 0.4, "longissimus": 0.3, "iliocostalis": 0.3},
}
"""What share of its triangles a structure keeps at least that is as long as the scene has bones."""

TRIANGLES_OF_A_BONE = 8_000
"""How many triangles any other bone has in a scene."""

LIGAMENTS = (
    *(f"flavum.{disc}.{side}" for disc in LOWER_LUMBAR_DISCS for side in SIDES),
    *(f"interspinous.{disc}" for disc in LOWER_LUMBAR_DISCS),
    "supraspinous_ligament",
)
"""The ligaments that have recipes, so that approaches can cut them."""

LIGHT = 0.25
"""The share of its triangles that a bone's light mesh has."""


def build(
    anatomy: Anatomy,
    levels: Sequence[Level] | None = None,
    beside: Sequence[Beside] = (),
    soft: bool = True,
    shelf: Mapping[str, Structure] | None = None,
    made: Callable[[Structure], None] = lambda structure: None,
    covered: bool = True,
) -> Body:
    """Build every structure of an anatomy, or of some of its levels, in the world, with occlusion baked.

    Soft tissue, unless it is not wanted, is there where all of its bones are: discs, nerves, ligaments and
    vessels wherever two bones meet, psoas and what lies beside it from L1. So are muscles, fascia, fat and
    skin behind them; not ``covered``, they are left out where they are not on the shelf.
    ``shelf`` holds baked structures by name and stands for what needs no building; the project's own
    library by default. ``made`` is called with each structure as soon as it is there.
    """
    if not anatomy.deformation.none:
        from spineviz.body.changed import deformed, straightened

        healthy = build(straightened(anatomy), levels, beside, soft, shelf, covered=covered)
        return deformed(healthy, anatomy, made)
    wanted = tuple(level for level in anatomy.levels if levels is None or level in levels)
    own = _from_stock(anatomy, wanted, library_shelf() if shelf is None else shelf)
    bones, baked = own.bones, own.structures
    recipes = tissue_recipes(anatomy, bones, known=baked) if soft else {}
    hard = {
        level: baked[level].surface if level in baked else thinned(bone.surface, triangles_of(level))
        for level, bone in bones.items()
    }
    structures: dict[str, Structure] = {}
    for level, bone in bones.items():
        structures[level] = baked[level] if level in baked else shaded_bone(anatomy, bone, hard)
        made(structures[level])
    for name in (*recipes, *(_ready(bones, baked, recipes) if soft else ())):
        structures[name] = _structure(name, recipes, baked)
        made(structures[name])
    for name, item in girdle(bones, beside, anatomy.size).items():
        surfaces = [
            bake_occlusion(thinned(item.surface, count), list(hard.values()))
            for count in (triangles_of(name), int(LIGHT * triangles_of(name)))
        ]
        structures[name] = replace(item, surface=surfaces[0], light=surfaces[1])
        made(structures[name])
    if soft:
        for name, item in connective(bones, structures, baked, own.complete).items():
            structures[name] = (
                item if name in baked else replace(item, surface=bake_occlusion(_thinned(item)))
            )
            made(structures[name])
        covers = covering_recipes(anatomy, bones, structures, known=baked) if covered else {}
        recipes |= covers
        for name in (*covers, *(name for name in baked if _covers(name) and name not in covers)):
            structures[name] = toned(_structure(name, covers, baked), anatomy.skin)
            made(structures[name])
        for name, muscle in loins(bones, structures, baked, anatomy.size).items():
            structures[name] = (
                muscle if isinstance(muscle, Structure) else _structure(name, {name: muscle}, {})
            )
            made(structures[name])
    structures = diseased(anatomy, bones, structures)
    torn, warps = displaced_by(anatomy.discs, structures, bones)
    later = Recipes(recipes, _later(anatomy, bones, structures))
    return Body(bones, later, structures | torn, warps)


def _ready(
    bones: Mapping[Level, LevelBone], baked: Mapping[str, Structure], recipes: Collection[str]
) -> list[str]:
    """Return which baked discs and nerves need no recipe and have none."""
    parts = [name for disc in discs_between(bones) for name in parts_of(disc)]
    return [name for name in (*parts, *filter(is_nerve, baked)) if name not in recipes]


def _covers(name: str) -> bool:
    """Tell whether a structure covers the spine behind."""
    return name.partition(".")[0] in COVERING


def _structure(name: str, recipes: Mapping[str, Recipe], baked: Mapping[str, Structure]) -> Structure:
    """Return a structure as it is baked, or made of its recipe."""
    if name in baked:
        return baked[name]
    recipe = recipes[name]
    return Structure(name, recipe.tissue, shaded(recipe), recipe.side)


def shaded_bone(anatomy: Anatomy, bone: LevelBone, hard: Mapping[Level, Surface]) -> Structure:
    """Return a bone with its cartilage, darkened by itself and by the other bones, in both its meshes."""
    others = [surface for level, surface in hard.items() if level != bone.level]
    light = thinned(bone.surface, int(LIGHT * triangles_of(bone.level)))
    surface, light = (
        bake_occlusion(_cartilage(anatomy, bone, item), others) for item in (hard[bone.level], light)
    )
    return Structure(bone.level, "bone", surface, light=light)


def _from_stock(anatomy: Anatomy, levels: tuple[Level, ...], shelf: Mapping[str, Structure]) -> Stock:
    """Return the bones of some levels of an anatomy, and the baked structures that are true for them."""
    if not shelf or anatomy.given or _chain(anatomy) != _healthy_chain():
        return Stock(make_bones(anatomy, levels))
    found = stock(levels, shelf)
    return replace(found, structures=_spared(anatomy, found.structures))


def _spared(anatomy: Anatomy, baked: Mapping[str, Structure]) -> dict[str, Structure]:
    """Return the baked structures that an anatomy, whose bones are healthy, leaves as they are.

    What has left a disc, or bulges out of it, moves nothing but what lies behind the disc: nerves, which give
    way as they are shown, and the posterior longitudinal ligament, which is laid on it.
    """
    changed = {disc: shape for disc, shape in anatomy.discs.items() if shape != disc_parameters(disc)}
    gone: set[str] = set()
    for disc, shape in changed.items():
        gone |= {f"disc.{disc}", f"nucleus.{disc}"}
        if shape.model_copy(update={"herniations": (), "bulging": None}) != disc_parameters(disc):
            gone |= {*parts_of(disc), *ON_EVERY_DISC, *ON_THE_DISCS}
        elif shape.bulging is not None or not all(item.anterior for item in shape.herniations):
            gone.add(BEHIND_THE_DISCS)
    return {
        name: item for name, item in baked.items() if name not in gone and not (anatomy.fat and _covers(name))
    }


def _chain(anatomy: Anatomy) -> tuple[object, ...]:
    """Return what places the bones."""
    discs = tuple((disc.height_middle, disc.wedge) for disc in anatomy.discs.values())
    return anatomy.sacral_slope, anatomy.person, dict(anatomy.vertebrae), anatomy.posture, discs


@cache
def _healthy_chain() -> tuple[object, ...]:
    """Return what places the bones of the healthy column."""
    return _chain(Anatomy())


def tissue_recipes(
    anatomy: Anatomy, bones: Mapping[Level, LevelBone], known: Collection[str] = ()
) -> dict[str, Recipe]:
    """Return the recipes of the soft tissue between an anatomy's bones and in their canal.

    Discs and nerves are there between any two bones, the rest where L3 to the sacrum are. What is ``known``
    already, by name, needs no recipe.
    """
    recipes: dict[str, Recipe] = {}
    for disc in discs_between(bones):
        if not set(parts_of(disc)) <= set(known):
            recipes |= disc_recipes(disc, anatomy.discs[disc], bones)
    if has_nerves(list(bones), anatomy.levels) and "thecal_sac" not in known:
        recipes |= nerve_recipes(nerve_parameters(), bones)
    if not set(LIGAMENTS) <= set(known):
        recipes |= _ligaments(anatomy, bones)
    return recipes


def _ligaments(anatomy: Anatomy, bones: Mapping[Level, LevelBone]) -> dict[str, Recipe]:
    """Return the recipes of the posterior ligaments from L3 to the sacrum, where all of these bones are."""
    if not set(LOWER_LUMBAR_LEVELS) <= set(bones) or not set(LOWER_LUMBAR_DISCS) <= set(anatomy.discs):
        return {}
    own = {level: bones[level] for level in LOWER_LUMBAR_LEVELS}
    return ligament_recipes(own, nerve_recipes(nerve_parameters(), own, within=False))


def _later(
    anatomy: Anatomy, bones: Mapping[Level, LevelBone], known: Collection[str]
) -> dict[str, Callable[[], Mapping[str, Recipe]]]:
    """Return what makes the recipes of discs and ligaments that are ``known``, for whoever cuts them."""
    result: dict[str, Callable[[], Mapping[str, Recipe]]] = {}
    for disc in discs_between(bones):
        make = partial(disc_recipes, disc, anatomy.discs[disc], bones)
        result |= dict.fromkeys((name for name in parts_of(disc) if name in known), make)
    if set(LOWER_LUMBAR_LEVELS) <= set(bones):
        ligaments = partial(_ligaments, anatomy, bones)
        result |= dict.fromkeys((name for name in LIGAMENTS if name in known), ligaments)
    return result


def discs_between(bones: Iterable[Level]) -> tuple[Disc, ...]:
    """Return the discs whose two bones are there, from above."""
    return discs_of(sorted(bones, key=LEVELS.index))


def shaded(recipe: Recipe) -> Surface:
    """Return a recipe's surface, thinned for a scene and darkened by itself.

    Bones do not darken soft tissue: what lies in the canal is looked at through a window in the bone, or
    through bone like glass.
    """
    surface = recipe.surface()
    budget = TRIANGLES.get(recipe.name.partition(".")[0])
    if budget is not None:
        budget = max(budget, int(SHARES.get(recipe.name.partition(".")[0], 0.0) * len(surface.faces)))
    if budget is not None and len(surface.faces) > budget:
        surface = recipe.painted(lighter(surface, budget))
    return bake_occlusion(surface)


def _thinned(structure: Structure) -> Surface:
    """Return a structure's surface with no more triangles than a scene needs."""
    budget = TRIANGLES.get(structure.name.partition(".")[0])
    return structure.surface if budget is None else lighter(structure.surface, budget)


def lighter(surface: Surface, triangles: int) -> Surface:
    """Return a surface with about so many triangles and no paint; closed surfaces stay closed.

    Where thinning has pinched one, it is parted, and a splinter that is cut off by that is left out.
    """
    if len(surface.faces) <= triangles:
        return surface
    from fast_simplification import simplify

    vertices, faces = simplify(surface.vertices.copy(), surface.faces.copy(), target_count=triangles)
    made = Surface(vertices, faces)
    parted = unpinched(made)
    return made if parted is made else whole(parted)


def thinned(surface: Surface, triangles: int) -> Surface:
    """Return a surface with about so many triangles that is lit like the finer one."""
    if len(surface.faces) <= triangles:
        return surface
    result = lighter(surface, triangles)
    return replace(result, normals=normals_of(surface, result.vertices))


def triangles_of(bone: str) -> int:
    """Return how many triangles a bone, given by its name, has in a scene."""
    stem = bone.partition(".")[0]
    return BONE_TRIANGLES.get(stem) or TRIANGLES.get(stem) or TRIANGLES_OF_A_BONE


def _cartilage(anatomy: Anatomy, bone: LevelBone, surface: Surface) -> Surface:
    """Return a bone's surface with its articular cartilage as tint, where the parameters tell it."""
    if bone.level in anatomy.given:
        return surface
    own = inverse(bone.frame)
    marks = {name: mark.then(own) for name, mark in bone.landmarks.items()}
    points = bone.frame.to_local(surface.vertices)
    tint = kind_of(bone.level).cartilage(anatomy.vertebrae[bone.level], points, marks)
    return replace(surface, tint=tint)
