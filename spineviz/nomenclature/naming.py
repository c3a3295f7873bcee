"""The names that structures can have, made from the patterns of the table."""

from __future__ import annotations

import tomllib
from itertools import product
from typing import get_args

from spineviz.library import data_folder
from spineviz.nomenclature.table import ENDS, Kind, kinds
from spineviz.terms import LEVELS, SIDES, Disc, levels_of

BESIDE = ("rib", "ilium")
"""Kinds that a scene can show although the baked library does not hold them."""


def names_of(kind: Kind) -> tuple[str, ...]:
    """Return every name that a structure of a kind can have, from above."""
    sides = SIDES if kind.paired else ("",)
    ends = ENDS if "{end}" in kind.pattern else ("",)
    return tuple(
        kind.pattern.format(side=side, end=end, **_filled(place))
        for place, end, side in product(kind.places or ("",), ends, sides)
    )


def every_name() -> tuple[str, ...]:
    """Return every name that the table knows, whether such a structure is made or not."""
    return tuple(name for kind in kinds().values() for name in names_of(kind))


def baked_names() -> tuple[str, ...]:
    """Return the names of the structures there are: the baked library's, and of the bones beside the spine.

    Without a library, those of bones.
    """
    beside = [name for kind in BESIDE for name in names_of(kinds()[kind])]
    try:
        text = (data_folder("meshes") / "catalog.toml").read_text("utf-8")
        baked = list(tomllib.loads(text)["structures"])
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError):
        baked = [level for level in LEVELS if level != "L6"]
    return tuple(dict.fromkeys([*baked, *beside]))


def _filled(place: str) -> dict[str, str]:
    """Return what a place puts into a pattern."""
    disc = next((disc for disc in get_args(Disc) if disc == place), None)
    upper, lower = levels_of(disc) if disc is not None else ("", "")
    return {"level": place, "root": place, "upper": upper, "lower": lower}
