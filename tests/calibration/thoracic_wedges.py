"""How much lower the bodies of thoracic vertebrae are in front than behind, as published."""

from __future__ import annotations

import numpy as np
from fitting import with_numbers
from vertebra_levels import numbers

from spineviz.anatomy.vertebra.landmarks import endplate_rim
from spineviz.anatomy.vertebra.parts import ENDPLATE_UNIT
from spineviz.anatomy.vertebra.solid import VertebraParameters, field

WEDGES = {
    "T2": 1.0, "T4": 2.5, "T5": 5.5, "T6": 3.5, "T7": 3.5, "T8": 3.5,
    "T9": 3.8, "T10": 3.2, "T11": 5.0, "T12": 4.2,
}  # fmt: skip
"""How much lower (degrees) a body is in front than behind, between the crests of its rims: the recommended
ones, T9 to T12 of Masharawi et al. 2010. T1 and T3 keep their reference's (2.2 and 2.5 degrees); T5 goes as
near to the recommended 3 degrees as its reference, whose inferior endplate ends with the scan, lets it."""

ROUNDS = 6


def wedge_of(shape: VertebraParameters) -> float:
    """Return how much lower a body is in front than behind, degrees between the planes of its rims."""
    bone = field(shape)
    above, below = (endplate_rim(bone, shape, side).superior for side in (1.0, -1.0))
    return float(np.degrees(np.arctan2(above[1], above[2]) - np.arctan2(below[1], below[2])))


def wedged(level: str, shape: VertebraParameters) -> VertebraParameters:
    """Return a vertebra whose endplates are tilted alike, in opposite ways, until it has its wedge."""
    for _ in range(ROUNDS if level in WEDGES else 0):
        lacking = np.tan(np.radians(wedge_of(shape) - WEDGES[level]) / 2.0) * ENDPLATE_UNIT
        moved = numbers(shape)
        for plate in ("superior_endplate", "inferior_endplate"):
            moved["body", plate, "tilt"] += 0.7 * float(lacking)
        shape = with_numbers(shape, moved)
    return shape
