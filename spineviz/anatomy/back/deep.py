"""The lumbar muscles outside the bed of the back: psoas, quadratus lumborum, short muscles, middle layer."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from spineviz.anatomy.back.around import Loin, sheet_levels
from spineviz.anatomy.back.middle_layer import middle_layer
from spineviz.anatomy.back.psoas import hip_bone, psoas_major
from spineviz.anatomy.back.quadratus import quadratus_lumborum, quadratus_shape
from spineviz.anatomy.back.short import short_muscles
from spineviz.anatomy.back.skeleton import symmetric
from spineviz.anatomy.back.transverse import transverse_sheet
from spineviz.anatomy.back.whole import WholeRecipe, reflected
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.recipe import Recipe
from spineviz.structure import Structure
from spineviz.terms import LEVELS, Level

__all__ = ["deep_muscles", "levels_of_deep_muscles"]

HIGHEST: Level = "T12"


def levels_of_deep_muscles(levels: Collection[Level]) -> tuple[Level, ...]:
    """Return the levels, from above, that the deep muscles of some bones lie on; none without all loins.

    They go up to the twelfth thoracic vertebra where that is there.
    """
    own = tuple(level for level in LEVELS[LEVELS.index(HIGHEST) : LEVELS.index("S1") + 1] if level in levels)
    needed = {"L1", "L2", "L3", "L4", "L5", "S1"}
    return own if needed <= set(own) else ()


def deep_muscles(
    bones: Mapping[Level, LevelBone], made: Mapping[str, Structure], size: float = 1.0
) -> dict[str, Recipe]:
    """Return the recipes of the lumbar muscles that do not lie in the bed of the back, by name; world, mm.

    ``psoas_major.<side>``, ``quadratus_lumborum.<side>``, ``interspinalis.<disc>.<side>``,
    ``intertransversarius_lateral.<disc>.<side>``, ``intertransversarius_medial.<disc>.<side>`` and
    ``thoracolumbar_fascia_middle.<side>``. They keep clear of the bones and of what is ``made``, by name;
    ``size`` is how large the body is beside the mean. There are none without the bones from L1 to the sacrum.
    Raises ValueError where a landmark is missing.
    """
    levels = levels_of_deep_muscles(bones)
    if not levels:
        return {}
    own = {level: bones[level] for level in levels}
    alike = all(map(symmetric, own.values()))
    right = _one_side(Loin(own, made, "right", alike, size))
    if alike:
        names = [recipe.name.replace(".right", ".left") for recipe in right]
        left: list[Recipe] = [reflected(item, name, "left") for item, name in zip(right, names, strict=True)]
    else:
        left = [*_one_side(Loin(own, made, "left", alike, size))]
    return {recipe.name: recipe for recipe in (*right, *left)}


def _one_side(loin: Loin) -> list[WholeRecipe]:
    """Return the recipes of one side."""
    passed = sheet_levels(loin)
    sheet = transverse_sheet(passed, loin.bones, loin.side, loin.of("muscle"))
    fascia, before = middle_layer(loin, sheet)
    shape, hip = quadratus_shape(loin, sheet, before), hip_bone(loin)
    return [
        psoas_major(loin, sheet, shape, hip),
        quadratus_lumborum(loin, sheet, shape, hip),
        fascia,
        *short_muscles(loin, sheet, passed),
    ]
