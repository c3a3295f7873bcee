"""The lumbar muscles outside the bed of the back: built on what is there, or taken from the baked library."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from spineviz.anatomy.back.deep import deep_muscles, levels_of_deep_muscles
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.recipe import Recipe
from spineviz.structure import Structure
from spineviz.terms import LEVELS, SIDES, Level

ALONG = ("psoas_major", "quadratus_lumborum", "thoracolumbar_fascia_middle")
"""Structures that belong to no one level: baked ones are true where all levels from L1 to the sacrum are."""

OF_A_DISC = ("interspinalis", "intertransversarius_lateral", "intertransversarius_medial")
"""Muscles that belong to one disc, and are true where its levels and those from L1 to the sacrum are."""

ON_THE_DISCS = tuple(f"psoas_major.{side}" for side in SIDES)
"""Muscles that lie on discs: a baked one is not true where a disc has another shape."""


def loins(
    bones: Mapping[Level, LevelBone],
    made: Mapping[str, Structure],
    baked: Mapping[str, Structure],
    size: float = 1.0,
) -> dict[str, Structure | Recipe]:
    """Return the deep muscles of the bones that are there, by name: baked, or as recipes; see `deep_muscles`.

    ``made`` are all structures so far, which the muscles keep clear of; ``size`` is how large the body is
    beside the mean. Where the shelf ``baked`` holds all of them, nothing is computed.
    """
    if not levels_of_deep_muscles(bones):
        return {}
    ready: dict[str, Structure | Recipe] = {name: baked[name] for name in true_on_the_shelf(bones, baked)}
    if {f"{stem}.{side}" for stem in ALONG for side in SIDES} <= set(ready):
        return ready
    return {**deep_muscles(bones, made, size), **ready}


def true_on_the_shelf(bones: Collection[Level], baked: Iterable[str]) -> list[str]:
    """Return which baked deep muscles are true where only some bones are there."""
    if not levels_of_deep_muscles(bones):
        return []
    there = set(bones)
    return [
        name for name in baked if name.partition(".")[0] in (*ALONG, *OF_A_DISC) and _named(name) <= there
    ]


def _named(name: str) -> set[Level]:
    """Return the levels that a structure's name tells."""
    words = {word for part in name.split(".") for word in part.split("-")}
    return {level for level in LEVELS if level in words}
