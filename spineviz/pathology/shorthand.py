"""A herniation in one line, as a report says it: ``L4-L5 left subarticular extrusion 7mm caudal``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args

from spineviz import measures
from spineviz.pathology.herniation import Herniation
from spineviz.pathology.line import FILLING as COMMON
from spineviz.pathology.line import Line, Words, meaning, plain
from spineviz.terms import HerniatedDisc, levels_of, region_of

WORDS: Words = {
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
FILLING = ("disc", "disk", "herniated", "herniation", "into", "msu", "side", "zone", *COMMON)
"""Words that say nothing of their own."""

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:mm)?\s*[x×]\s*(\d+(?:\.\d+)?)\s*mm\b")
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*mm\b")
_MSU = re.compile(r"\b([123])\s?-?([abc])\b")
_MEANING = meaning(WORDS)


def shorthand(words: str) -> Herniation:
    """Return the herniation that one line tells, in any order of its words.

    The disc must be said. The first length is the depth (``7mm``, ``7x12mm`` with the width); one after a
    direction (``caudal 6mm``), or with the word migration, is how far it migrates: a usual distance where
    a direction stands alone. Left or right central is paracentral. Raises ValueError, with the word that is
    not understood and the nearest one, or with what is possible.
    """
    line = Line("herniation", "L4-L5 left subarticular extrusion 7mm", words, {})
    rest = line.disc(plain(words), get_args(HerniatedDisc))
    if (size := _SIZE.search(rest)) is not None:
        line.told.update(depth=float(size[1]), width=float(size[2]))
        rest = _SIZE.sub(" ", rest, count=1)
    if (grade := _MSU.search(rest)) is not None:
        line.told["msu"] = f"{grade[1]}{grade[2].upper()}"
        rest = _MSU.sub(" ", rest, count=1)
    _read(_tokens(rest), line)
    return _made(line)


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


def _read(tokens: list[str], line: Line) -> None:
    """Read words and lengths into the fields of a herniation."""
    for index, word in enumerate(tokens):
        if word.endswith("mm") and word[0].isdigit():
            line.say(_measured(tokens, index, line.told), float(word[:-2]))
        elif word in _MEANING:
            line.say(*_MEANING[word])
        elif word not in MEASURED and word not in MOVED:
            raise line.unknown(word, [*_MEANING, *MEASURED, *MOVED], _MEANING)


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


def _made(line: Line) -> Herniation:
    """Return the herniation of what was told, and of what goes without saying."""
    told = line.told
    if told.get("zone") == "central" and "side" in told:
        told["zone"] = "paracentral"
    if told.get("morphology") == "bulge":
        even = told.pop("symmetric", "asymmetric" if {"side", "zone"} & set(told) else "symmetric")
        told["symmetric"] = even == "symmetric"
    elif "symmetric" in told:
        raise line.wrong(f"'{told['symmetric']}' is said of a bulge")
    if "contained" in told:
        told["contained"] = told["contained"] == "contained"
    if told.get("migration_zone") and "migration" not in told:
        raise line.wrong("say whether it migrates cranially or caudally")
    if "migration" in told and not {"migration_distance", "migration_zone"} & set(told):
        region = region_of(levels_of(told["disc"])[0])
        told["migration_distance"] = measures.value(f"herniation.usual_migration.{region}")
    return line.made(Herniation)
