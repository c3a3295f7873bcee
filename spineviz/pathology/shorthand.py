"""A herniation in one line, as a report says it: ``L4-L5 left subarticular extrusion 7mm caudal``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import ValidationError

from spineviz import measures
from spineviz.pathology.herniation import Herniation
from spineviz.terms import HerniatedDisc, levels_of, region_of

WORDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "side": {"left": ("left", "left-sided"), "right": ("right", "right-sided")},
    "zone": {
        "central": ("central", "midline", "median"),
        "paracentral": ("paracentral", "paramedian", "parasagittal"),
        "subarticular": ("subarticular", "recess", "lateral recess"),
        "foraminal": ("foraminal", "intraforaminal", "foramen"),
        "extraforaminal": ("extraforaminal", "far lateral", "far-lateral"),
        "anterior": ("anterior", "ventral"),
    },
    "morphology": {
        "bulge": ("bulge", "bulging"),
        "protrusion": ("protrusion", "protruded", "protruding"),
        "extrusion": ("extrusion", "extruded", "prolapse", "prolapsed"),
        "sequestration": ("sequestration", "sequestrated", "sequestered", "sequester", "free fragment"),
    },
    "symmetric": {
        "symmetric": ("symmetric", "symmetrical", "circumferential", "diffuse"),
        "asymmetric": ("asymmetric", "asymmetrical"),
    },
    "migration": {
        "cranial": ("cranial", "cranially", "upward", "upwards", "up"),
        "caudal": ("caudal", "caudally", "downward", "downwards", "down"),
    },
    "migration_zone": {
        "suprapedicular": ("suprapedicular",),
        "pedicular": ("pedicular",),
        "infrapedicular": ("infrapedicular",),
    },
    "contained": {
        "contained": ("contained", "subligamentous"),
        "uncontained": ("uncontained", "transligamentous", "non-contained"),
    },
}
"""What can be said of a herniation, and the words for it."""

MEASURED: Mapping[str, str] = {"deep": "depth", "depth": "depth", "wide": "width", "width": "width"}
MOVED = ("migration", "migrated", "migrating", "migrates")
FILLING = (
    *(
        "a",
        "an",
        "and",
        "at",
        "by",
        "disc",
        "disk",
        "grade",
        "herniated",
        "herniation",
        "in",
        "into",
        "is",
        "it",
    ),
    *("level", "msu", "of", "side", "the", "to", "with", "zone"),
)
"""Words that say nothing of their own."""

_DISC = re.compile(r"([ctls])(\d{1,2})\s*[-/]\s*([ctls]?)(\d{1,2})(?![\d.])")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:mm)?\s*[x×]\s*(\d+(?:\.\d+)?)\s*mm\b")
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*mm\b")
_MSU = re.compile(r"\b([123])\s?-?([abc])\b")
_MEANING = {
    word: (field, value) for field, table in WORDS.items() for value, words in table.items() for word in words
}


def shorthand(words: str) -> Herniation:
    """Return the herniation that one line tells, in any order of its words.

    The disc must be said. The first length is the depth (``7mm``, ``7x12mm`` with the width); one after a
    direction (``caudal 6mm``), or with the word migration, is how far it migrates: a usual distance where
    a direction stands alone. Left or right central is paracentral. Raises ValueError, with the word that is
    not understood and the nearest one, or with what is possible.
    """
    said = words.casefold().replace("–", "-").replace("—", "-").replace(",", " ").replace(";", " ")
    told, rest = _disc(said, words)
    if (size := _SIZE.search(rest)) is not None:
        told |= {"depth": float(size[1]), "width": float(size[2])}
        rest = _SIZE.sub(" ", rest, count=1)
    if (grade := _MSU.search(rest)) is not None:
        told["msu"] = f"{grade[1]}{grade[2].upper()}"
        rest = _MSU.sub(" ", rest, count=1)
    tokens = _tokens(rest)
    _read(tokens, told, words)
    return _made(told, words)


def _disc(said: str, words: str) -> tuple[dict[str, Any], str]:
    """Return the disc that is said, and the rest."""
    found = _DISC.search(said)
    if found is None:
        raise ValueError(f"herniation '{words}': say the disc, as in 'L4-L5 left subarticular extrusion 7mm'")
    region, above, other, below = found.groups()
    name = f"{region}{above}-{other or region}{below}".upper()
    if not other and name not in get_args(HerniatedDisc):
        name = next(
            (disc for disc in get_args(HerniatedDisc) if disc.startswith(f"{region}{above}-".upper())
             and disc.endswith(below) and len(disc.partition("-")[2]) == len(below) + 1),
            name,
        )  # fmt: skip
    if name not in get_args(HerniatedDisc):
        near = get_close_matches(name, get_args(HerniatedDisc), 1, 0.0)[0]
        raise ValueError(f"herniation '{words}': there is no disc {name}; nearest: {near}")
    return {"disc": name}, said[: found.start()] + " " + said[found.end() :]


def _tokens(rest: str) -> list[str]:
    """Return the words of a line: phrases of two words, and lengths as numbers, are one each."""
    spaced = _LENGTH.sub(r" \1mm ", rest)
    result: list[str] = []
    for word in spaced.split():
        if result and f"{result[-1]} {word}" in _MEANING:
            result[-1] = f"{result[-1]} {word}"
        else:
            result.append(word)
    return [word for word in result if word not in FILLING]


def _read(tokens: list[str], told: dict[str, Any], words: str) -> None:
    """Read words and lengths into the fields of a herniation."""
    for index, word in enumerate(tokens):
        if word.endswith("mm") and word[0].isdigit():
            field = _measured(tokens, index, told)
            _say(told, field, float(word[:-2]), words)
        elif word in _MEANING:
            _say(told, *_MEANING[word], words)
        elif word not in MEASURED and word not in MOVED:
            known = [*_MEANING, *MEASURED, *MOVED]
            near = get_close_matches(word, known, 1, 0.5)
            nearest = f"nearest: {near[0]}" if near else f"there is: {', '.join(_MEANING)}"
            raise ValueError(f"herniation '{words}': '{word}' is not understood; {nearest}")


def _measured(tokens: list[str], index: int, told: Mapping[str, Any]) -> str:
    """Return what a length is the length of."""
    before, after = tokens[:index][-1:], tokens[index + 1 : index + 3]
    if after and after[0] in ("deep", "wide"):
        return MEASURED[after[0]]
    if before and before[0] in ("depth", "width"):
        return MEASURED[before[0]]
    directions = [word for table in WORDS["migration"].values() for word in table]
    moved = bool(before) and (before[0] in directions or before[0] in MOVED)
    if (
        moved
        or (after and after[0] in MOVED)
        or (after[:1] and after[0] in directions and after[-1] in MOVED)
    ):
        return "migration_distance"
    return "depth" if "depth" not in told else "width"


def _say(told: dict[str, Any], field: str, value: object, words: str) -> None:
    if told.get(field, value) != value:
        raise ValueError(f"herniation '{words}': both {told[field]} and {value} are said; say one")
    told[field] = value


def _made(told: dict[str, Any], words: str) -> Herniation:
    """Return the herniation of what was told, and of what goes without saying."""
    if told.get("zone") == "central" and "side" in told:
        told["zone"] = "paracentral"
    if told.get("morphology") == "bulge":
        even = told.pop("symmetric", "asymmetric" if {"side", "zone"} & set(told) else "symmetric")
        told["symmetric"] = even == "symmetric"
    elif "symmetric" in told:
        raise ValueError(f"herniation '{words}': '{told['symmetric']}' is said of a bulge")
    if "contained" in told:
        told["contained"] = told["contained"] == "contained"
    if told.get("migration_zone") and "migration" not in told:
        raise ValueError(f"herniation '{words}': say whether it migrates cranially or caudally")
    if "migration" in told and not {"migration_distance", "migration_zone"} & set(told):
        region = region_of(levels_of(told["disc"])[0])
        told["migration_distance"] = measures.value(f"herniation.usual_migration.{region}")
    try:
        return Herniation(**told)
    except ValidationError as error:
        first = error.errors()[0]
        problem = first.get("ctx", {}).get("error", first["msg"])
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"herniation '{words}': {where + ': ' if where else ''}{problem}") from None
