"""The nervous system of the spine: cord, cauda equina, thecal sac, and the roots with their ganglia."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.nerve.axis import sac_axis
from spineviz.anatomy.nerve.cauda import cauda_lines
from spineviz.anatomy.nerve.cord import Cord, cord_of, cord_solid, filum_line
from spineviz.anatomy.nerve.halves import Twofold, both, symmetric
from spineviz.anatomy.nerve.obstacles import Obstacles, obstacles
from spineviz.anatomy.nerve.parameters import NerveParameters, RootParameters, nerve_parameters
from spineviz.anatomy.nerve.paths import LATER, RootPath, root_paths
from spineviz.anatomy.nerve.rootlets import FANNED, fan
from spineviz.anatomy.nerve.sac import root_solid, sac_solid
from spineviz.anatomy.nerve.swept import strand
from spineviz.anatomy.recipe import Recipe
from spineviz.structure import Points
from spineviz.terms import SIDES, Level, Root, Side

__all__ = ["NerveParameters", "has_nerves", "nerve_parameters", "nerve_recipes", "root_name"]

WITHIN = ("spinal_cord", "filum_terminale", "rootlet", "cauda")
"""How the names of what lies within the sac begin."""

STEMS = ("thecal_sac", "root", *WITHIN)
"""How the names of the nervous system's structures begin."""

FILUM_SIDES = 8
"""How many flat sides the filum's mesh has."""


def root_name(root: Root, side: str) -> str:
    """Return the name of a root's structure."""
    return f"root.{root}.{side}"


def has_nerves(levels: Sequence[Level], column: Sequence[Level]) -> bool:
    """Tell whether some bones of a column, given from above, have a canal to lay nerves in: neighbours do."""
    if len(levels) < 2 or set(levels) <= {"S1", "Co1"}:
        return False
    first = list(column).index(levels[0])
    return list(levels) == list(column[first : first + len(levels)])


def nerve_recipes(
    parameters: NerveParameters, bones: Mapping[Level, LevelBone], within: bool = True
) -> dict[str, Recipe]:
    """Return what there is of the nervous system in some neighbouring bones, at rest in a healthy spine.

    ``thecal_sac``, ``root.<root>.<side>``, ``spinal_cord``, ``filum_terminale``, ``rootlet.<root>.<side>``
    (C1 to L1) and ``cauda.<root>.<side>`` (L2 and below). Solids are in the world frame, mm; sac and roots
    keep clear of the bones and of healthy discs. Without ``within`` only the sac and its roots down to S1 are
    made, for what lies around them. Raises ValueError when a landmark is missing and where a foramen has no
    room for a nerve.
    """
    free, exact = obstacles(bones), obstacles(bones, exact=True)
    axis = sac_axis(parameters, bones)
    some = parameters if within else parameters.model_copy(update={"roots": _outer(parameters)})
    paths = root_paths(some, axis, bones, free)
    solid = sac_solid(axis, paths, free, obstacles(bones, discs=False))
    alike = symmetric(bones)
    whole = Twofold if alike else Recipe
    sac = whole("thecal_sac", "dura", solid, measures.value("nerve_mesh.sac"))
    made = [_root_recipe(path, exact) for path in paths if path.side in _sides(alike)]
    recipes: list[Recipe] = [sac]
    if within:
        cord = cord_of(parameters, axis)
        if cord.there:
            recipes.append(whole("spinal_cord", "cord", cord_solid(cord), measures.value("nerve_mesh.cord")))
        alone, sided = _within(parameters, cord, paths, bones, free, sac)
        recipes, made = recipes + alone, made + sided
    if alike:
        made = [each for right in made for each in both(right, right.name.replace(".right", ".left"))]
    return {recipe.name: recipe for recipe in (*recipes, *made)}


def _sides(alike: bool) -> tuple[Side, ...]:
    """Return the sides that are made: one where the other is its reflection."""
    return ("right",) if alike else SIDES


def _outer(parameters: NerveParameters) -> tuple[RootParameters, ...]:
    return tuple(root for root in parameters.roots if root.root not in LATER)


def _root_recipe(path: RootPath, free: Obstacles) -> Recipe:
    thick = 2 * float(path.radii[path.takeoff])
    step = max(min(measures.value("nerve_mesh.root"), 0.17 * thick), measures.value("nerve_mesh.least"))
    return Recipe(root_name(path.root, path.side), "nerve", root_solid(path, free), step, path.side)


def _within(
    parameters: NerveParameters,
    cord: Cord,
    paths: Sequence[RootPath],
    bones: Mapping[Level, LevelBone],
    free: Obstacles,
    sac: Recipe,
) -> tuple[list[Recipe], list[Recipe]]:
    """Return the recipe of the filum, and those of the threads within the sac of the sides that are made."""
    sides = _sides(symmetric(bones))
    fans, threads = _fans(parameters, [path for path in paths if path.side in sides], cord)
    if not (cord.whole or cord.axis.cut_below is None):
        return [], threads
    filum, thick = filum_line(cord, bones, free)
    for side in sides:
        passed = {root: line for (root, of), line in fans.items() if of == side}
        lines = cauda_lines(parameters.roots, paths, cord, filum, sac.solid.field, passed, side)
        for root, (line, radii) in lines.items():
            count = int(measures.value("cauda.sides"))
            threads.append(strand(f"cauda.{root}.{side}", "nerve", line, radii, count, side))
    return [strand("filum_terminale", "ligament", filum, thick, FILUM_SIDES, None)], threads


def _fans(
    parameters: NerveParameters, paths: Sequence[RootPath], cord: Cord
) -> tuple[dict[tuple[Root, str], Points], list[Recipe]]:
    """Return the lines of the rootlets that are shown one by one, and their recipes."""
    by_root = {root.root: root for root in parameters.roots}
    shape = measures.table("rootlets")
    lines: dict[tuple[Root, str], Points] = {}
    recipes: list[Recipe] = []
    solid = cord_solid(cord).field if cord.there else None
    for path in paths if solid else ():
        if path.root in FANNED and solid:
            line = fan(by_root[path.root], path, cord, solid)
            lines[path.root, path.side] = line
            radii = np.full(len(line), shape["radius"])
            name = f"rootlet.{path.root}.{path.side}"
            recipes.append(strand(name, "nerve", line, radii, int(shape["sides"]), path.side))
    return lines, recipes
