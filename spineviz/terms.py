"""Names used everywhere: levels, sides, tissues, zones; and the one world frame.

World frame: RAS. +x is the patient's right, +y anterior, +z superior. The origin is the centre of
the S1 upper endplate. Lengths are millimetres, angles degrees, time seconds.
"""

from __future__ import annotations

from typing import Literal, get_args

Level = Literal["L3", "L4", "L5", "S1"]
"""A bone of the spine, named by its vertebral level; S1 stands for the whole sacrum."""

Disc = Literal["L3-L4", "L4-L5", "L5-S1"]
"""An intervertebral disc, named by the levels above and below it."""

Side = Literal["left", "right"]
"""The patient's side, never the viewer's."""

Tissue = Literal[
    "bone",
    "annulus",
    "nucleus",
    "fragment",
    "dura",
    "nerve",
    "ligament",
    "muscle",
    "fascia",
    "fat",
    "skin",
    "instrument",
]
"""What a structure is made of; it decides colour, gloss and layer."""

Phase = Literal[
    "orientation",
    "incision",
    "fascia",
    "access",
    "retractor",
    "laminotomy",
    "flavum",
    "root",
    "fragment",
    "closure",
    "comparison",
]
"""The stages that every posterior decompression goes through; twins are synchronised by them."""

LEVELS: tuple[Level, ...] = get_args(Level)
DISCS: tuple[Disc, ...] = get_args(Disc)
SIDES: tuple[Side, ...] = get_args(Side)
TISSUES: tuple[Tissue, ...] = get_args(Tissue)
PHASES: tuple[Phase, ...] = get_args(Phase)

SIGN: dict[Side, float] = {"right": 1.0, "left": -1.0}
"""The sign of x on each side of the patient."""


def levels_of(disc: Disc) -> tuple[Level, Level]:
    """Return the level above and the level below a disc."""
    above, below = disc.split("-")
    return LEVELS[LEVELS.index(above)], LEVELS[LEVELS.index(below)]


def exiting_root(disc: Disc) -> Level:
    """Return the level of the root that leaves through the foramen at a disc, above it."""
    return levels_of(disc)[0]


def traversing_root(disc: Disc) -> Level:
    """Return the level of the root that passes behind a disc on its way to the next foramen."""
    return levels_of(disc)[1]
