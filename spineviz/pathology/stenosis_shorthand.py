"""A stenosis in one line, as a report says it: ``L4-L5 central Schizas C``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import get_args

from spineviz.pathology.line import FILLING as COMMON
from spineviz.pathology.line import Line, Words, meaning, plain
from spineviz.pathology.stenosis import Stenosis
from spineviz.terms import LumbarDisc

WORDS: Words = {
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
    "disc": {"cause": ("bulge", "bulging")},
    "flavum": {"cause": ("flavum", "flava", "ligament", "ligamentous")},
    "facets": {"cause": ("facet", "facets", "facet-joint")},
    "pedicles": {"cause": ("pedicle", "pedicles", "congenital", "developmental")},
}
"""What can be said of a stenosis, and the words for it: its causes, where some are named, are these alone."""

CAUSES = ("disc", "flavum", "facets", "pedicles")

SEVERITY: Mapping[str, Mapping[str, str]] = {
    "central": {"mild": "A", "moderate": "B", "severe": "C", "extreme": "D"},
    "other": {"mild": "1", "moderate": "2", "severe": "3", "extreme": "3"},
}
"""The grades that words for a severity mean."""

FILLING = (
    *("mm2", "mm²", "sac", "spinal", "stenosis"),
    *("short", "thick", "hypertrophy", "hypertrophic", "joints", "yellow", "from", "due"),
)
"""Words that say nothing of their own."""

_AREA = re.compile(r"(\d+(?:\.\d+)?)\s*mm(?:²|2)")
_MEANING = meaning(WORDS)


def stenosis_shorthand(words: str) -> Stenosis:
    """Return the stenosis that one line tells, in any order of its words.

    The disc must be said; a letter is a grade after Schizas, a number one after Bartynski or Lee, ``60 mm²``
    what is left of the sac, ``short pedicles`` or ``facet hypertrophy`` a cause. Raises ValueError, with the
    word that is not understood and the nearest one, or with what is possible.
    """
    line = Line("stenosis", "L4-L5 central Schizas C", words, {})
    rest = line.numbers(line.disc(plain(words), get_args(LumbarDisc)), (("sac_area", _AREA, float),))
    for word in rest.split():
        if word in _MEANING:
            field, value = _MEANING[word]
            line.say(f"cause_{field}" if value == "cause" else field, value)
        elif re.fullmatch(r"[a-d]|[0-3]", word) and not (word == "a" and "grade" in line.told):
            line.say("grade", word.upper())
        elif word not in (*FILLING, *COMMON):
            raise line.unknown(word, [*_MEANING], _MEANING)
    return _made(line)


def _made(line: Line) -> Stenosis:
    """Return the stenosis of what was told, and of what goes without saying."""
    told = line.told
    named = [cause for cause in CAUSES if told.pop(f"cause_{cause}", None)]
    if named:
        told["causes"] = {cause: float(cause in named) for cause in CAUSES}
    severity, side = told.pop("severity", None), told.pop("side", None)
    if "place" not in told and str(told.get("grade", "A")).isdigit():
        raise line.wrong("say whether a recess or a foramen is narrow")
    place = told.setdefault("place", "central")
    if severity is not None and "grade" not in told:
        told["grade"] = SEVERITY["central" if place == "central" else "other"][severity]
    if side is not None and place == "central":
        raise line.wrong("the canal has no sides; name a recess or a foramen, or no side")
    if side is not None:
        told |= {"both": True} if side == "both" else {"side": side}
    return line.made(Stenosis)
