"""A stenosis in one line, as a report says it: ``L4-L5 central Schizas C``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import ValidationError

from spineviz.pathology.stenosis import LumbarDisc, Stenosis

WORDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "place": {
        "central": ("central", "canal", "schizas"),
        "recess": ("recess", "lateral", "subarticular", "bartynski"),
        "foraminal": ("foraminal", "foramen", "neuroforaminal", "lee"),
    },
    "side": {
        "left": ("left", "left-sided"),
        "right": ("right", "right-sided"),
        "both": ("both", "bilateral"),
    },
    "severity": {
        "mild": ("mild", "slight"),
        "moderate": ("moderate",),
        "severe": ("severe", "marked"),
        "extreme": ("extreme",),
    },
}
"""What can be said of a stenosis, and the words for it."""

SEVERITY: Mapping[str, Mapping[str, str]] = {
    "central": {"mild": "A", "moderate": "B", "severe": "C", "extreme": "D"},
    "other": {"mild": "1", "moderate": "2", "severe": "3", "extreme": "3"},
}
"""The grades that words for a severity mean."""

FILLING = (
    "a",
    "an",
    "and",
    "at",
    "grade",
    "in",
    "is",
    "mm2",
    "mm²",
    "of",
    "on",
    "sac",
    "spinal",
    "stenosis",
    "the",
    "with",
)
"""Words that say nothing of their own."""

_DISC = re.compile(r"l(\d)\s*[-/]\s*([ls]?)(\d)(?![\d.])")
_AREA = re.compile(r"(\d+(?:\.\d+)?)\s*mm(?:²|2)")
_MEANING = {
    word: (field, value) for field, table in WORDS.items() for value, words in table.items() for word in words
}


def stenosis_shorthand(words: str) -> Stenosis:
    """Return the stenosis that one line tells, in any order of its words.

    The disc must be said; a letter is a grade after Schizas, a number one after Bartynski or Lee, ``60 mm²``
    what is left of the sac. Raises ValueError, with the word that is not understood and the nearest one, or
    with what is possible.
    """
    said = words.casefold().replace("–", "-").replace("—", "-").replace(",", " ").replace(";", " ")
    told, rest = _disc(said, words)
    if (area := _AREA.search(rest)) is not None:
        told["sac_area"] = float(area[1])
        rest = _AREA.sub(" ", rest, count=1)
    for word in rest.split():
        if word in _MEANING:
            _say(told, *_MEANING[word], words)
        elif re.fullmatch(r"[a-d]|[0-3]", word) and not (word == "a" and "grade" in told):
            _say(told, "grade", word.upper(), words)
        elif word not in FILLING:
            near = get_close_matches(word, [*_MEANING], 1, 0.5)
            nearest = f"nearest: {near[0]}" if near else f"there is: {', '.join(_MEANING)}"
            raise ValueError(f"stenosis '{words}': '{word}' is not understood; {nearest}")
    return _made(told, words)


def _disc(said: str, words: str) -> tuple[dict[str, Any], str]:
    """Return the disc that is said, and the rest."""
    found = _DISC.search(said)
    if found is None:
        raise ValueError(f"stenosis '{words}': say a lumbar disc, as in 'L4-L5 central Schizas C'")
    above, region, below = found.groups()
    region = region or ("s" if below == "1" else "l")
    name = f"L{above}-{region.upper()}{below}"
    if name not in get_args(LumbarDisc):
        near = get_close_matches(name, get_args(LumbarDisc), 1, 0.0)[0]
        raise ValueError(f"stenosis '{words}': there is no disc {name}; nearest: {near}")
    return {"disc": name}, said[: found.start()] + " " + said[found.end() :]


def _say(told: dict[str, Any], field: str, value: str, words: str) -> None:
    if told.get(field, value) != value:
        raise ValueError(f"stenosis '{words}': both {told[field]} and {value} are said; say one")
    told[field] = value


def _made(told: dict[str, Any], words: str) -> Stenosis:
    """Return the stenosis of what was told, and of what goes without saying."""
    severity, side = told.pop("severity", None), told.pop("side", None)
    if "place" not in told and str(told.get("grade", "A")).isdigit():
        raise ValueError(f"stenosis '{words}': say whether a recess or a foramen is narrow")
    place = told.setdefault("place", "central")
    if severity is not None and "grade" not in told:
        told["grade"] = SEVERITY["central" if place == "central" else "other"][severity]
    if side is not None and place == "central":
        raise ValueError(
            f"stenosis '{words}': the canal has no sides; name a recess or a foramen, or no side"
        )
    if side is not None:
        told |= {"both": True} if side == "both" else {"side": side}
    try:
        return Stenosis(**told)
    except ValidationError as error:
        first = error.errors()[0]
        problem = first.get("ctx", {}).get("error", first["msg"])
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"stenosis '{words}': {where + ': ' if where else ''}{problem}") from None
