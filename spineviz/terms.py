"""Names used everywhere: levels, sides, tissues, zones; and the one world frame.

World frame: RAS. +x is the patient's right, +y anterior, +z superior. The origin is the centre of
the S1 upper endplate. Lengths are millimetres, angles degrees, time seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, get_args

# fmt: off
Level = Literal[
    "C1", "C2", "C3", "C4", "C5", "C6", "C7",
    "T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8", "T9", "T10", "T11", "T12",
    "L1", "L2", "L3", "L4", "L5", "L6",
    "S1", "Co1",
]
"""A bone of the spine, named by its vertebral level; S1 stands for the whole sacrum, Co1 for the coccyx.
L6 is there only where somebody has six lumbar vertebrae."""

Disc = Literal[
    "C2-C3", "C3-C4", "C4-C5", "C5-C6", "C6-C7", "C7-T1",
    "T1-T2", "T2-T3", "T3-T4", "T4-T5", "T5-T6", "T6-T7", "T7-T8", "T8-T9", "T9-T10", "T10-T11", "T11-T12",
    "T12-L1", "L1-L2", "L2-L3", "L3-L4", "L4-L5", "L5-S1", "L5-L6", "L6-S1",
]
"""An intervertebral disc, named by the levels above and below it."""
# fmt: on

# fmt: off
Root = Literal[
    "C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8",
    "T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8", "T9", "T10", "T11", "T12",
    "L1", "L2", "L3", "L4", "L5", "L6",
    "S1", "S2", "S3", "S4", "S5", "Co1",
]
"""A pair of spinal nerves with their roots; there are 31, and L6 where somebody has six lumbar vertebrae."""
# fmt: on

LowerLumbarDisc = Literal["L3-L4", "L4-L5", "L5-S1"]
"""The discs from L3 to the sacrum, whose ligaments behind are solids."""

LumbarDisc = Literal["L1-L2", "L2-L3", "L3-L4", "L4-L5", "L5-S1"]
"""The discs of the lumbar spine; approaches from behind are made for them."""

# fmt: off
HerniatedDisc = Literal[
    "C2-C3", "C3-C4", "C4-C5", "C5-C6", "C6-C7", "C7-T1",
    "T1-T2", "T2-T3", "T3-T4", "T4-T5", "T5-T6", "T6-T7", "T7-T8", "T8-T9", "T9-T10", "T10-T11", "T11-T12",
    "T12-L1", "L1-L2", "L2-L3", "L3-L4", "L4-L5", "L5-S1",
]
"""The discs of a column with five lumbar vertebrae: those that can be herniated."""
# fmt: on

Region = Literal["cervical", "thoracic", "lumbar"]
"""A region of the spine; the sacrum and the coccyx move and are drawn with the lumbar one."""

Side = Literal["left", "right"]
"""The patient's side, never the viewer's."""

Tissue = Literal[
    "bone",
    "annulus",
    "nucleus",
    "cartilage",
    "fragment",
    "dura",
    "cord",
    "nerve",
    "ligament",
    "tendon",
    "muscle",
    "fascia",
    "fat",
    "artery",
    "vein",
    "skin",
    "instrument",
]
"""What a structure is made of; it decides colour and gloss."""

Layer = Literal[
    "skin",
    "fat",
    "fascia",
    "muscles",
    "ligaments",
    "bones",
    "epidural_fat",
    "dura",
    "nerves",
    "discs",
    "vessels",
    "disease",
    "instruments",
]
"""A layer, in the order of a dissection from behind; last what is not of the healthy body."""

SkinTone = Literal["fair", "light", "medium", "brown", "dark"]
"""The colour of skin, from the fairest to the darkest."""

Together = Literal["beside", "overlay", "in_turn"]
"""How two operations are shown: beside each other, one over the other, or one after the other."""

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
LOWER_LUMBAR_DISCS: tuple[LowerLumbarDisc, ...] = get_args(LowerLumbarDisc)
LUMBAR_DISCS: tuple[LumbarDisc, ...] = get_args(LumbarDisc)
UPPER_LUMBAR_DISCS: tuple[LumbarDisc, ...] = ("L1-L2", "L2-L3")
"""The discs at which the canal is narrow, and the end of the spinal cord may lie in the sac."""

LOWER_LUMBAR_LEVELS: tuple[Level, ...] = ("L3", "L4", "L5", "S1")
"""The bones beside those discs."""

SIDES: tuple[Side, ...] = get_args(Side)
ROOTS: tuple[Root, ...] = get_args(Root)
TISSUES: tuple[Tissue, ...] = get_args(Tissue)
LAYERS: tuple[Layer, ...] = get_args(Layer)
PHASES: tuple[Phase, ...] = get_args(Phase)

SIGN: dict[Side, float] = {"right": 1.0, "left": -1.0}
"""The sign of x on each side of the patient."""


def region_of(level: Level) -> Region:
    """Return the region a level belongs to."""
    return "cervical" if level in LEVELS[:7] else "thoracic" if level in LEVELS[7:19] else "lumbar"


def column(lumbar: int = 5) -> tuple[Level, ...]:
    """Return the bones of a column from above, with five lumbar vertebrae or six."""
    return tuple(level for level in LEVELS if lumbar == 6 or level != "L6")


def discs_of(levels: Sequence[Level]) -> tuple[Disc, ...]:
    """Return the discs between bones that are given from above; there is none at C1-C2 and below S1."""
    pairs = pairwise(levels)
    return tuple(disc for above, below in pairs for disc in DISCS if disc == f"{above}-{below}")


def levels_of(disc: Disc) -> tuple[Level, Level]:
    """Return the level above and the level below a disc."""
    above, below = disc.split("-")
    return LEVELS[LEVELS.index(above)], LEVELS[LEVELS.index(below)]


def roots_at(disc: Disc) -> tuple[Root, Root | None]:
    """Return the exiting and the traversing root of a disc.

    The exiting root leaves through the foramen at the disc, the traversing one passes behind it on its way
    to the next foramen. Nerves leave above their vertebra in the neck (C8 below C7) and below it from T1 on.
    Behind cervical and thoracic discs lies the spinal cord: no root passes there.
    """
    above, below = levels_of(disc)
    cervical = region_of(above) == "cervical"
    leaving = "C8" if above == "C7" else below if cervical else above
    passing = below if region_of(above) == "lumbar" else None
    return _root(leaving), None if passing is None else _root(passing)


def exiting_root(disc: Disc) -> Root:
    """Return the root that leaves through the foramen at a disc."""
    return roots_at(disc)[0]


def traversing_root(disc: Disc) -> Root | None:
    """Return the root that passes behind a disc on its way to the next foramen; None where the cord does."""
    return roots_at(disc)[1]


def _root(name: str) -> Root:
    return ROOTS[ROOTS.index(name)]
