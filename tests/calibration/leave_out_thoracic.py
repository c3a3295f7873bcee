"""T3 predicted without its reference bone: from T1 and T5, and some ninety places felt on its right side.

    SPINEVIZ_SHARED=<folder> python tests/calibration/leave_out_thoracic.py

The shape of ``spl_T3.ply`` takes no part, neither does the start of T3. What is known of T3 is where a feeler
meets it along fixed lines (`FEELERS`), as one would digitise a dry bone, on the parts that its scan shows
(`vertebra_references.ERODED` lists the others). The limits of parameters are those of `fit_thoracic`.

1. T1 and T5 are calibrated as in `fit_thoracic`, without anything that T3 taught.
2. The mean of the two is refined on the felt places, each number tied to where it started (see `fitting`).
"""

from __future__ import annotations

import sys

from feelers import BACK, DOWN, FORWARD, IN, OUT, UP, Feelers, felt, on_surface
from fit_thoracic import FAR, calibrated, designed, fitted_together, mixed, narrowed, shape_of, started, stout
from fitting import fit
from vertebra_levels import between
from vertebra_references import in_own_frame, told

from spineviz.anatomy.vertebra.solid import VertebraParameters
from spineviz.structure import Floats

FEELERS: Feelers = (
    # body
    (BACK, ((0, 40, 5), (0, 40, 0), (0, 40, -5), (6, 40, 4), (6, 40, -4), (10, 40, 5), (10, 40, -5))),
    (FORWARD, ((0, -14, 4), (0, -14, 0), (0, -14, -5), (5, -14, 0))),
    (DOWN, ((0, 6, 40), (0, 0, 40), (0, -5, 40), (8, 2, 40), (8, -5, 40), (12, -4, 40))),
    (UP, ((0, 6, -40), (0, 0, -40), (0, -6, -40), (8, 2, -40), (8, -5, -40), (12, -6, -40))),
    (IN, ((40, 2, 4), (40, 2, -4), (40, -4, 6), (40, -4, 0), (40, -4, -5), (40, -9, 6), (40, -9, -6))),
    # pedicle
    (OUT, ((0, -13, 4), (0, -15, 2), (0, -17, 3))),
    (IN, ((40, -13, 4), (40, -15, 2), (40, -17, 3))),
    (UP, ((11, -14, -20), (12, -17, -20))),
    (DOWN, ((11, -12, 40), (12, -15, 40))),
    # transverse process
    (IN, ((45, -30, 4), (45, -28, 2), (45, -33, 6))),
    (FORWARD, ((20, -60, 4), (24, -60, 3), (27, -60, 5), (24, -60, 8), (20, -60, 0))),
    (BACK, ((20, -8, 3), (24, -8, 3), (27, -8, 4), (24, -8, 7))),
    (DOWN, ((18, -26, 40), (22, -28, 40), (26, -30, 40), (27, -33, 40))),
    (UP, ((19, -26, -40), (22, -28, -40), (26, -30, -40), (27, -33, -40))),
    # laminae
    (FORWARD, ((5, -60, -2), (5, -60, -7), (9, -60, 0), (9, -60, -6), (13, -60, -1))),
    (FORWARD, ((13, -60, -7), (15, -60, 3))),
    (BACK, ((0, -18, -2), (0, -18, -7), (5, -18, -1), (5, -18, -6), (9, -18, 0), (9, -18, -4))),
    (DOWN, ((4, -29, 40), (8, -29, 40), (0, -32, 40))),
    (UP, ((4, -28, -40), (8, -28, -40), (12, -30, -40))),
    (IN, ((40, -28, -6), (40, -30, -9))),
    # spinous process
    (IN, ((40, -34, -6), (40, -38, -9), (40, -42, -13), (40, -46, -16), (40, -38, -5), (40, -42, -9))),
    (DOWN, ((0, -36, 40), (0, -40, 40), (0, -44, 40), (0, -48, 40))),
    (UP, ((0, -34, -60), (0, -38, -60), (0, -42, -60), (0, -46, -60))),
    (FORWARD, ((0, -80, -16), (0, -80, -19), (0, -80, -13))),
)  # fmt: skip
"""Lines along which T3 is felt: a direction, and places (mm, the bone's own frame) that they start from."""

TIED, ROUNDS = 1.0, 20
"""How strongly parameters are tied to where they started; how many rounds they are refined."""


def neighbours() -> tuple[VertebraParameters, VertebraParameters]:
    """Return T1 and T5 calibrated on their references, T3 standing for itself by their mean."""
    ends = started()
    ends["T3"] = between(ends["T1"], ends["T5"], 0.5)
    starts = stout(mixed(ends))
    starts = designed(fitted_together(starts), ("T1", "T3", "T5"))
    first, last = (narrowed(level, calibrated(level, starts[level])) for level in ("T1", "T5"))
    return first, last


def refined(start: VertebraParameters, places: Floats) -> VertebraParameters:
    """Return parameters refined on felt places, those that the scan of T3 shows."""
    target = told(on_surface(places), "T3")
    return fit(shape_of("T3"), start, target, FAR, ROUNDS, TIED)


def predicted(level: str) -> VertebraParameters:
    """Return T3 as predicted without its surface. Raises ValueError for another level."""
    if level != "T3":
        raise ValueError(f"only T3 has calibrated neighbours on both sides, not {level}")
    return refined(between(*neighbours(), 0.5), felt(in_own_frame(level), FEELERS))


if __name__ == "__main__":
    sys.stdout.write(predicted("T3").model_dump_json(indent=1) + "\n")
