"""The table of terms: one entry for each kind of structure, with its ids and where they were read."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field

from spineviz.library import data_folder
from spineviz.spec import Entries, Spec
from spineviz.terms import DISCS, LEVELS, ROOTS, SIDES, Layer, Region, Side, Tissue

FILES = ("bones", "discs", "nerves", "ligaments", "vessels", "muscles", "coverings")
"""The files of the table, in ``meshes/terms``."""

ENDS = ("upper", "lower")
"""The two ends of a disc."""

Fma = Annotated[str, Field(pattern=r"^(FMA:\d{4,6})?$")]
Uberon = Annotated[str, Field(pattern=r"^(UBERON:\d{7})?$")]
Ta2 = Annotated[int, Field(ge=0, le=7113)]
Check = Annotated[str, Field(pattern=r"^(V1|V2|M-high|M-med|M-low|D) [A-Z0-9]+$")]
"""How sure an id is, and a key of ``sources.toml`` that tells where it was read."""


class Term(Spec):
    """Names of a structure in anatomical nomenclatures; empty (0) where none was read.

    ``ta2`` is the number of Terminologia Anatomica, second edition; ``fma`` and ``uberon`` are ids such as
    ``FMA:13072`` of the Foundational Model of Anatomy and of the Uberon ontology.
    """

    latin: str = ""
    ta2: Ta2 = 0
    fma: Fma = ""
    uberon: Uberon = ""


class Kind(Term):
    """A kind of structure: ``flavum`` for all ligamenta flava.

    ``pattern`` is how its structures are named, with ``{level}``, ``{upper}-{lower}``, ``{root}``,
    ``{side}`` and ``{end}`` to be filled in; ``first`` and ``last`` bound the levels. ``sides`` and ``at``
    (by level, disc or root, or by that and side: ``T5.left``) hold terms that are truer than the kind's own.
    ``groups`` are words that stand for some of its levels. ``checked`` tells for each sort of id how it was
    verified.
    """

    name: str
    pattern: str
    first: str = ""
    last: str = ""
    tissue: Tissue
    layer: Layer
    region: tuple[Region, ...] = ()
    sides: Entries[Side, Term] = Field({})
    at: Entries[str, Term] = Field({})
    groups: Entries[str, tuple[str, ...]] = Field({})
    synonyms: tuple[str, ...] = ()
    checked: Entries[Literal["latin", "ta2", "fma", "uberon"], Check] = Field({})
    note: str = ""

    @property
    def paired(self) -> bool:
        """Whether there is one on each side."""
        return "{side}" in self.pattern

    @property
    def key(self) -> str:
        """The key of its English name in the text catalog; bones are named one by one."""
        return f"structure.{self.name}"

    @property
    def places(self) -> tuple[str, ...]:
        """The levels, discs or roots at which there is one; empty where the pattern has none."""
        known: tuple[str, ...] = ()
        for mark, names in (("{level}", LEVELS), ("{upper}", DISCS), ("{root}", ROOTS)):
            if mark in self.pattern:
                known = names
        if not self.first or not self.last:
            return known
        return known[known.index(self.first) : known.index(self.last) + 1]


@dataclass(frozen=True)
class Parts:
    """What a structure's name is made of; empty where its kind has no such part."""

    stem: str
    place: str = ""
    side: str = ""
    end: str = ""


def parts_of(structure: str) -> Parts:
    """Return the parts of a structure's name; the number of a body (``L4#2``) is none of them."""
    stem, *parts = structure.partition("#")[0].split(".")
    places = (*DISCS, *LEVELS, *ROOTS)
    place = next((part for part in parts if part in places), stem if stem in LEVELS else "")
    side = next((part for part in parts if part in SIDES), "")
    return Parts(stem, place, side, next((part for part in parts if part in ENDS), ""))


@cache
def kinds() -> Mapping[str, Kind]:
    """Return every kind of structure by name, as the files tell it.

    Raises ValueError where a kind stands in two files, or a file is not as it should be.
    """
    result: dict[str, Kind] = {}
    for file in FILES:
        for name, content in _read(file).items():
            if name in result:
                raise ValueError(f"{file}.toml: the kind [{name}] stands in another file too")
            result[name] = Kind.model_validate({"name": name, **content}, strict=False)
    return MappingProxyType(result)


def sources() -> Mapping[str, str]:
    """Return where ids were read, by the keys that ``checked`` uses."""
    return _read("sources")


def layer_words() -> Mapping[Layer, tuple[str, ...]]:
    """Return other words for each layer."""
    return {layer: tuple(entry["words"]) for layer, entry in _read("layers").items()}  # type: ignore[misc]


def kind_of(structure: str) -> Kind:
    """Return the kind of a structure, given by name.

    Raises ValueError for a name that none can have.
    """
    stem = structure.partition("#")[0].partition(".")[0]
    kind = _by_stem().get(stem)
    if kind is None:
        raise ValueError(f"there is no structure '{structure}'")
    return kind


def term_of(structure: str) -> Term:
    """Return the truest term there is for a structure, given by name.

    Each id is the structure's own where that was read, or else that of its level, its side or its kind.
    Raises ValueError for a name that none can have.
    """
    kind, parts = kind_of(structure), parts_of(structure)
    side = next((entry for name, entry in kind.sides.items() if name == parts.side), None)
    nearer = (kind.at.get(f"{parts.place}.{parts.side}"), kind.at.get(parts.place), side)
    return _merged([*(entry for entry in nearer if entry is not None), kind])


def _merged(terms: Iterable[Term]) -> Term:
    """Return a term with each field from the first of some that has it."""
    result: dict[str, Any] = {}
    for term in terms:
        for field in Term.model_fields:
            if not result.get(field):
                result[field] = getattr(term, field)
    return Term(**result)


@cache
def _by_stem() -> Mapping[str, Kind]:
    """Return the kinds by the first part of their structures' names: bones are named by their level."""
    return {
        stem: kind
        for kind in kinds().values()
        for stem in (kind.places if kind.pattern == "{level}" else (kind.name,))
    }


@cache
def _read(file: str) -> Mapping[str, Any]:
    path: Path = data_folder("meshes") / "terms" / f"{file}.toml"
    return tomllib.loads(path.read_text("utf-8"))
