"""Layers: words that stand for groups of structures, in the order of a dissection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

from spineviz.locale import catalog
from spineviz.structure import Message
from spineviz.terms import DISCS, LEVELS, SIDES

Layer = Literal[
    "skin", "fat", "fascia", "muscles", "ligaments", "bones", "discs", "nerves", "disease", "instruments"
]
"""A layer, from the skin inwards."""

LAYERS: tuple[Layer, ...] = get_args(Layer)

_BEGINNINGS: dict[Layer, tuple[str, ...]] = {
    "skin": ("skin",),
    "fat": ("subcutaneous_fat",),
    "fascia": ("thoracolumbar_fascia",),
    "muscles": ("multifidus", "erector_spinae"),
    "ligaments": ("flavum", "interspinous", "supraspinous_ligament", "posterior_longitudinal_ligament"),
    "bones": (*LEVELS, "rib", "ilium"),
    "discs": ("disc", "nucleus", "endplate"),
    "nerves": ("thecal_sac", "root"),
    "disease": ("herniation",),
    "instruments": ("instrument",),
}


def numbered(structure: str, number: int) -> str:
    """Return the name of a structure where several bodies stand in one model: ``L4#2``."""
    return f"{structure}#{number}"


def number_of(structure: str) -> int | None:
    """Return which of several bodies a structure belongs to, or None where there is but one."""
    number = structure.partition("#")[2]
    return int(number) if number else None


def layer_of(structure: str) -> Layer:
    """Return the layer that a structure, given by name, belongs to."""
    stem = structure.partition("#")[0].partition(".")[0]
    for layer, beginnings in _BEGINNINGS.items():
        if stem in beginnings:
            return layer
    raise ValueError(f"'{structure}' belongs to no layer")


def members(layer: Layer, structures: Iterable[str]) -> tuple[str, ...]:
    """Return the structures, by name, that belong to a layer, in the order given."""
    return tuple(name for name in structures if layer_of(name) == layer)


def display_name(structure: str) -> tuple[tuple[str, str | float], ...]:
    """Return the parameters (level, side) that a structure's catalog name is filled with."""
    structure = structure.partition("#")[0]
    _, *parts = structure.split(".")
    level = next((part for part in parts if part in DISCS or part in LEVELS), "")
    if not parts and structure in LEVELS:
        level = structure
    side = next((part for part in parts if part in SIDES), "")
    found: list[tuple[str, str | float]] = [("level", level.replace("-", "–"))]
    if side:
        found.append(("side", f"@side.{side}"))
    return tuple(found)


def structure_title(structure: str) -> Message:
    """Return the full name of a structure, given by its name in the model.

    An instrument is called by what it is (``instrument.tubular.scalpel``: scalpel), or where the
    catalog has no word for it, instrument.
    """
    stem, *parts = structure.partition("#")[0].split(".")
    key = f"instrument.{parts[1]}" if stem == "instrument" and len(parts) > 1 else ""
    return Message(key) if key in catalog() else Message(f"structure.{stem}", display_name(structure))
