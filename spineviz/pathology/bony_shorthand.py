"""Slips, worn discs, fractures and curves in one line, as a report says them."""

from __future__ import annotations

import re
from typing import get_args

from spineviz.pathology.deformity import Apex, Deformity
from spineviz.pathology.degeneration import Degeneration
from spineviz.pathology.fracture import Fracture, FracturedLevel
from spineviz.pathology.line import Line, Number, Words, plain
from spineviz.pathology.listhesis import Listhesis, SlippedDisc
from spineviz.terms import HerniatedDisc

ROMAN = ("I", "II", "III", "IV", "V")

_GRADE = r"(iv|v|iii|ii|i|[1-5])\b"
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*(?:%|percent\b)")
_MM = re.compile(r"(\d+(?:\.\d+)?)\s*mm\b")

SLIP: Words = {
    "type": {
        "isthmic": ("isthmic", "lytic", "spondylolytic", "spondylolysis", "pars"),
        "degenerative": ("degenerative", "degenerated"),
    },
}
SLIP_FILLING = ("slip", "slipped", "listhesis", "spondylolisthesis", "anterolisthesis", "meyerding", "defect")

WORN_FILLING: tuple[str, ...] = (
    *("disc", "disk", "degeneration", "degenerated", "degenerative", "worn", "height", "pfirrmann"),
    *("changes", "change"),
)

BROKEN: Words = {
    "shape": {
        "wedge": ("wedge", "compression", "anterior"),
        "biconcave": ("biconcave", "concave"),
        "crush": ("crush", "crushed"),
        "split": ("split", "pincer", "coronal"),
        "burst": ("burst", "bursting"),
    },
    "process": {"spinous": ("spinous",), "transverse": ("transverse",)},
    "side": {"left": ("left", "left-sided"), "right": ("right", "right-sided")},
    "genant": {"1": ("mild", "slight"), "2": ("moderate",), "3": ("severe", "marked")},
}
BROKEN_FILLING: tuple[str, ...] = (
    *("fracture", "fractured", "loss", "height", "ao", "genant", "retropulsion", "retropulsed"),
    *("osteoporotic", "type", "process", "minor", "apart", "displaced"),
)

BY_TYPE = {"A0": "process", "A2": "split", "A3": "burst", "A4": "burst"}
"""The shapes that AO Spine types mean where none is said."""

CURVED: Words = {
    "curve": {"scoliosis": ("scoliosis", "scoliotic"), "kyphosis": ("kyphosis", "kyphotic")},
    "side": {"left": ("left", "left-sided", "levoconvex"), "right": ("right", "right-sided", "dextroconvex")},
}
CURVED_FILLING = (
    "apex",
    "cobb",
    "curve",
    "convex",
    "degrees",
    "thoracic",
    "lumbar",
    "thoracolumbar",
    "angle",
)


def _roman(grade: str) -> str:
    """Return a grade in Roman numbers."""
    return ROMAN[int(grade) - 1] if grade.isdigit() else grade.upper()


def _arabic(grade: str) -> int:
    """Return a grade as a number."""
    return int(grade) if grade.isdigit() else ROMAN.index(grade.upper()) + 1


def listhesis_shorthand(words: str) -> Listhesis:
    """Return the slip that one line tells: ``L5-S1 isthmic Meyerding II``, ``L4-L5 degenerative 7 mm``.

    The disc must be said, in any order with a type and a grade, percents or mm. Raises ValueError, with the
    word that is not understood and the nearest one, or with what is possible.
    """
    line = Line("listhesis", "L5-S1 isthmic Meyerding II", words, {})
    rest = line.disc(plain(words), get_args(SlippedDisc))
    grade = re.compile(rf"\b(?:meyerding\s*)?(?:grade\s*)?{_GRADE}")
    patterns: tuple[Number, ...] = (
        ("mm", _MM, float),
        ("slip", _PERCENT, float),
        ("meyerding", grade, _roman),
    )
    rest = line.numbers(rest, patterns)
    line.read(rest, SLIP, SLIP_FILLING)
    if {"slip", "meyerding"} <= set(line.told):
        raise line.wrong("both a grade and percents are said; say one")
    if "mm" in line.told and {"slip", "meyerding"} & set(line.told):
        raise line.wrong("both mm and a grade or percents are said; say one")
    return line.made(Listhesis)


def degeneration_shorthand(words: str) -> Degeneration:
    """Return the worn disc that one line tells: ``L4-L5 Pfirrmann IV``, ``L5-S1 Pfirrmann V Modic 2 50 %``.

    The disc must be said. Raises ValueError as `listhesis_shorthand` does.
    """
    line = Line("degeneration", "L4-L5 Pfirrmann IV", words, {})
    rest = line.disc(plain(words), get_args(HerniatedDisc))
    patterns: tuple[Number, ...] = (
        ("height", _PERCENT, float),
        ("osteophytes", re.compile(r"(?:osteophytes?\s*)(\d+(?:\.\d+)?)\s*mm\b"), float),
        ("modic", re.compile(r"\bmodic\s*(?:type\s*)?(iii|ii|i|[0-9])\b"), _arabic_or_none),
        ("pfirrmann", re.compile(rf"\b(?:pfirrmann\s*)?(?:grade\s*)?{_GRADE}"), _roman),
    )
    line.read(line.numbers(rest, patterns), {}, WORN_FILLING)
    return line.made(Degeneration)


def _arabic_or_none(grade: str) -> int:
    return 0 if grade == "0" else _arabic(grade)


def fracture_shorthand(words: str) -> Fracture:
    """Return the fracture that one line tells: ``L1 burst A3``, ``T12 wedge Genant 2``, ``L1 A2``.

    The vertebra must be said; a type of AO Spine tells the shape where none is said, and a process which
    has broken. A length is how far a piece stands apart, or back in a burst. Raises ValueError as
    `listhesis_shorthand` does.
    """
    line = Line("fracture", "L1 burst A3", words, {})
    rest = line.level("level", plain(words), get_args(FracturedLevel))
    patterns: tuple[Number, ...] = (
        ("loss", _PERCENT, float),
        ("mm", _MM, float),
        ("ao", re.compile(r"\b(a\d)\b"), str.upper),
        ("genant", re.compile(r"\bgenant\s*(?:grade\s*)?(\d)\b"), str),
        ("genant", re.compile(r"\bgrade\s*(\d)\b"), str),
    )
    line.read(line.numbers(rest, patterns), BROKEN, BROKEN_FILLING)
    told = line.told
    if "genant" in told:
        if "loss" in told:
            raise line.wrong("both a grade and percents are said; say one")
        told["genant"] = int(told["genant"])
    if "process" in told:
        line.say("shape", "process")
    if "shape" not in told:
        told["shape"] = BY_TYPE.get(told.get("ao", ""), "burst" if "mm" in told else "wedge")
    if "mm" in told:
        told["apart" if told["shape"] in ("split", "process") else "retropulsion"] = told.pop("mm")
    if "side" in told and told.get("process") != "transverse":
        raise line.wrong("a side is said of a transverse process alone")
    return line.made(Fracture)


def deformity_shorthand(words: str) -> Deformity:
    """Return the curve that one line tells: ``scoliosis 35 left apex L2``, ``kyphosis 25 degrees T8``.

    The kind of curve and the vertebra at its apex must be said. Raises ValueError as `listhesis_shorthand`
    does.
    """
    line = Line("deformity", "scoliosis 35 left apex L2", words, {})
    rest = line.level("apex", plain(words), get_args(Apex))
    patterns: tuple[Number, ...] = (
        (
            "rotation",
            re.compile(r"\b(?:rotation|rotated|turned)\s*(\d+(?:\.\d+)?)\s*(?:°|degrees?\b)?"),
            float,
        ),
        ("cobb", re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)\s*(?:°|degrees?\b)?"), float),
    )
    line.read(line.numbers(rest, patterns), CURVED, CURVED_FILLING)
    if "curve" not in line.told:
        raise line.wrong("say scoliosis or kyphosis")
    if line.told["curve"] == "kyphosis" and "side" in line.told:
        raise line.wrong("a kyphosis has no side; say none, or scoliosis")
    return line.made(Deformity)
