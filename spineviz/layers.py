"""Layers: words that stand for groups of structures, in the order of a dissection.

What belongs to which layer, and what else a layer is called, stands in the table of terms.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache

from spineviz.nomenclature import display_name, kind_of, kinds, layer_words, structure_title
from spineviz.terms import LAYERS, Layer

__all__ = [
    "APART",
    "COVERS",
    "EVERYTHING",
    "LAYERS",
    "Layer",
    "chosen_layers",
    "display_name",
    "layer_of",
    "members",
    "number_of",
    "numbered",
    "structure_title",
]

APART: frozenset[Layer] = frozenset({"disease", "instruments"})
"""Layers that are no part of the healthy body: they come and go with the scene, and stay unless named."""

COVERS: frozenset[Layer] = frozenset({"skin", "fat", "fascia", "muscles"})
"""Layers that, seen from behind, hide what lies under them."""

NERVES = ("nerves", "nerve", "neural structures")
"""Words for the nerves with the dura around them, where layers are listed; down to them, it is opened."""

EVERYTHING = ("everything", "all", "all layers")
"""Words for all layers."""


def numbered(structure: str, number: int) -> str:
    """Return the name of a structure where several bodies stand in one model: ``L4#2``."""
    return f"{structure}#{number}"


def number_of(structure: str) -> int | None:
    """Return which of several bodies a structure belongs to, or None where there is but one."""
    number = structure.partition("#")[2]
    return int(number) if number else None


def layer_of(structure: str) -> Layer:
    """Return the layer that a structure, given by name, belongs to."""
    try:
        return kind_of(structure).layer
    except ValueError:
        raise ValueError(f"'{structure}' belongs to no layer") from None


def members(layer: Layer, structures: Iterable[str]) -> tuple[str, ...]:
    """Return the structures, by name, that belong to a layer, in the order given."""
    return tuple(name for name in structures if layer_of(name) == layer)


def chosen_layers(words: str, apart: bool = True) -> tuple[Layer, ...]:
    """Return the layers that some words leave to be seen, in the order of a dissection.

    ``down to the fascia`` takes away what lies over it, ``down to the nerves`` the dura too; ``everything but
    skin and fat`` (``all except``, ``without``) takes those away; ``bones, nerves`` shows these, and the dura
    with the nerves. Disease and instruments stay, unless they are taken away by name or ``only`` is said:
    ``only bones``; without ``apart`` a list means ``only`` these.

    Raises ValueError for a word that is no layer; the text tells the nearest, and those there are.
    """
    said = _plain(words)
    down = re.fullmatch(r"(?:from )?down to (.+)|(.+) (?:and|or) deeper", said)
    if down is not None:
        deepest = _named(down[1] or down[2], bare=True)
        shown = set(LAYERS[min(LAYERS.index(layer) for layer in deepest) :])
    elif (less := re.fullmatch(r"(?:(?:.+ )?(?:but|except|without|minus)|no) (.+)", said)) is not None:
        before = re.split(r"\b(?:but|except|without|minus|no)\b", said)[0].strip()
        whole = set(_named(before)) | APART if before else set(LAYERS)
        shown = whole - set(_named(less[1]))
    elif (only := re.fullmatch(r"only (.+)|(.+) only", said)) is not None:
        shown = set(_named(only[1] or only[2]))
    else:
        shown = set(_named(said)) | (APART if apart else set())
    return tuple(layer for layer in LAYERS if layer in shown)


def enclosed(layers: Iterable[Layer]) -> tuple[Layer, ...]:
    """Return layers as a scene file means them: the nerves with the dura around them."""
    named = tuple(layers)
    return tuple(layer for layer in LAYERS if layer in named or (layer == "dura" and "nerves" in named))


def _named(said: str, bare: bool = False) -> tuple[Layer, ...]:
    """Return the layers named in a list: ``skin, fat and muscles``; nerves are ``bare`` or in their dura."""
    result: list[Layer] = []
    for item in re.split(r",|;|\+|\band\b", said):
        word = re.sub(r"^(?:the|all|every) (?=.)", "", item.strip())
        if word in EVERYTHING:
            result += LAYERS
        elif word:
            result += ("dura", "nerves") if word in NERVES and not bare else (_layer(word),)
    if not result:
        raise ValueError(f"no layer is named; there is: {', '.join(LAYERS)}")
    return tuple(result)


def _layer(word: str) -> Layer:
    known = _by_word()
    if word in known:
        return known[word]
    near = get_close_matches(word, LAYERS, 1) or get_close_matches(word, list(known), 1)
    nearest = f"; nearest: {near[0]}" if near else ""
    raise ValueError(f"there is no layer '{word}'{nearest}; there is: {', '.join(LAYERS)}")


@cache
def _by_word() -> Mapping[str, Layer]:
    """Return the layers by everything they, and the kinds of structures in them, are called."""
    result: dict[str, Layer] = {_plain(layer): layer for layer in LAYERS}
    for layer, words in layer_words().items():
        result |= dict.fromkeys(map(_plain, words), layer)
    for kind in kinds().values():
        for word in (kind.name, *kind.synonyms):
            result.setdefault(_plain(word), kind.layer)
    return result


def _plain(words: str) -> str:
    """Return words without case, in single spaces."""
    return " ".join(words.casefold().replace("_", " ").split())
