"""What covers the spine behind: muscles, fascia, fat and skin of a body."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from spineviz.anatomy.back.midline import bent, midline, straightened
from spineviz.anatomy.back.muscle import REACH, muscle_parameters, muscle_recipes
from spineviz.anatomy.back.skin import Toned, skin_parameters, skin_recipes
from spineviz.anatomy.back.stations import above_coccyx
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.recipe import Recipe
from spineviz.body.parameters import Anatomy
from spineviz.structure import Structure
from spineviz.terms import Level, SkinTone, column

COVERING = (*REACH, "erector_spinae_aponeurosis", "thoracolumbar_fascia", "subcutaneous_fat", "skin")
"""How the names of the structures begin that cover the spine behind."""

YIELDS_TO = ("facet_capsule.", "intertransverse.", "interspinous.", "supraspinous_ligament", "flavum.")
"""How the names of the ligaments begin that lie in the bed of the muscles."""


IN_THE_NECK = ("root.C", "vertebral_artery.")
"""How the names of the nerves and vessels begin that the muscles of the neck lie behind."""


def covers_all(levels: Collection[Level]) -> bool:
    """Tell whether some levels are the whole column, which the baked covering is made for."""
    return set(column()[:-1]) <= set(levels)


def covering_recipes(
    anatomy: Anatomy,
    bones: Mapping[Level, LevelBone],
    made: Mapping[str, Structure],
    known: Collection[str] = (),
) -> dict[str, Recipe]:
    """Return the recipes of muscles, fascia, fat and skin behind an anatomy's bones.

    They follow the midline of the bones and give way to the ligaments among the structures ``made``, by name.
    There are none where fewer than two neighbouring bones are. What is not operated on and ``known`` already,
    by name, needs no recipe. Where an operation is to come, the aponeurosis is left out: no approach cuts it.
    """
    own = above_coccyx(bones)
    levels = [level for level in anatomy.levels if level in own]
    first = anatomy.levels.index(levels[0]) if levels else 0
    if len(levels) < 2 or tuple(levels) != tuple(anatomy.levels[first : first + len(levels)]):
        return {}
    operated = any(shape.herniations for shape in anatomy.discs.values())
    if not operated and {"skin", "thoracolumbar_fascia"} <= set(known):
        return {}
    ligaments = [item.surface for name, item in made.items() if name.startswith(YIELDS_TO)]
    nerves = [item.surface for name, item in made.items() if name.startswith(IN_THE_NECK)]
    line = midline(own)
    if line is not None:
        own = straightened(own, line)
        ligaments, nerves = (
            [item.moved(line.straight(item.vertices)) for item in items] for items in (ligaments, nerves)
        )
    muscles = muscle_recipes(muscle_parameters(levels), own, anatomy.size, not operated, ligaments, nerves)
    recipes = muscles | skin_recipes(skin_parameters(levels, anatomy.skin, anatomy.fat), own, muscles)
    return recipes if line is None else {name: bent(recipe, line) for name, recipe in recipes.items()}


def toned(structure: Structure, tone: SkinTone) -> Structure:
    """Return the skin in a tone, and any other structure as it is."""
    if structure.name != "skin":
        return structure
    return replace(structure, surface=Toned(tone).repainted(structure.surface))
