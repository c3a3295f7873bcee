"""Which skin and which muscles each spinal nerve supplies: textbook maps, in words."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Any

from spineviz.library import data_folder
from spineviz.nomenclature.table import Check
from spineviz.spec import Entries, Spec
from spineviz.structure import Message
from spineviz.terms import ROOTS, Root


class Supply(Spec):
    """How sure the words on one root are, and where they come from; ``key_muscle``: ISNCSCI tests one."""

    skin: Check
    muscles: Check
    key_muscle: bool = False


class _File(Spec):
    sources: Entries[str, str]
    roots: Entries[Root, Supply]


class Innervation(Spec):
    """The dermatome and the myotome of a root.

    ``supply`` holds for both the confidence code and the key of a source. The words are messages of the
    catalog: for professionals, or in plain words.
    """

    root: Root
    supply: Supply

    def skin(self, plain: bool = False) -> Message:
        """Return the words for the skin that the root supplies: its dermatome."""
        return self._words("skin", plain)

    def muscles(self, plain: bool = False) -> Message:
        """Return the words for what the muscles of the root do: its myotome."""
        return self._words("muscles", plain)

    def _words(self, of: str, plain: bool) -> Message:
        return Message(f"innervation.{self.root}.{of}{'_plain' if plain else ''}")


def innervation(root: str) -> Innervation:
    """Return the dermatome and the myotome of a root: ``L5``, or a structure's name, ``root.L5.left``.

    Raises ValueError for a root without a dermatome in the maps (C1, L6, Co1) and for what is no root.
    """
    asked = next((part for part in root.partition("#")[0].split(".") if part in ROOTS), "")
    for known, supply in _file().roots.items():
        if known == asked:
            return Innervation(root=known, supply=supply)
    raise ValueError(f"no dermatome is known for '{root}'; there are those of {', '.join(_file().roots)}")


def sources() -> Mapping[str, str]:
    """Return where the maps come from, by the keys that `Supply` uses."""
    return _file().sources


@cache
def _file() -> _File:
    path = data_folder("meshes") / "terms" / "innervation.toml"
    content: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    return _File.model_validate(content, strict=False)
