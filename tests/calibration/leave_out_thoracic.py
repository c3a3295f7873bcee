"""T3 predicted without its reference bone: from T1 and T5, its caliper measures, and published morphometry.

    SPINEVIZ_SHARED=<folder> python tests/calibration/leave_out_thoracic.py

T1 and T5 are calibrated as in `fit_thoracic`, without anything that T3 taught: their starts are the only
other input. Of the bone T3 itself only what a caliper tells is used (`reference_calipers`), on the parts that
its scan shows. Its shape is the mean of its neighbours, moved to these measures.
"""

from __future__ import annotations

import sys

from fit_thoracic import calibrated, designed, fitted_together, mixed, narrowed, started, stout
from reference_calipers import agreed
from vertebra_levels import between
from vertebra_references import in_own_frame

from spineviz.anatomy.vertebra.solid import VertebraParameters

UNSEEN = ("superior_facet", "inferior_facet", "pars", "lamina")
"""What a caliper cannot rest on: the scan shows the articular processes eroded or fused."""


def neighbours() -> tuple[VertebraParameters, VertebraParameters]:
    """Return T1 and T5 calibrated on their references, T3 standing for itself by their mean."""
    ends = started()
    ends["T3"] = between(ends["T1"], ends["T5"], 0.5)
    starts = stout(mixed(ends))
    starts = designed(fitted_together(starts), ("T1", "T3", "T5"))
    first, last = (narrowed(level, calibrated(level, starts[level])) for level in ("T1", "T5"))
    return first, last


def predicted(level: str) -> VertebraParameters:
    """Return T3 as predicted without its surface. Raises ValueError for another level."""
    if level != "T3":
        raise ValueError(f"only T3 has calibrated neighbours on both sides, not {level}")
    first, last = neighbours()
    shape, _ = agreed(in_own_frame(level), between(first, last, 0.5), level, left_out=UNSEEN)
    return shape


if __name__ == "__main__":
    sys.stdout.write(predicted("T3").model_dump_json(indent=1) + "\n")
