"""The joints of thoracic vertebrae laid anew in the chain of discs, all else as it stands in the measures.

    SPINEVIZ_SHARED=<folder> python tests/calibration/thoracic_joints.py

Run it after the wedges of discs or of bodies have changed (`fit_alignment`, `thoracic_wedges`): endplates are
tilted to the wedges of bodies, inferior articular processes meet the bone below, axes of pedicles are told
against the endplates, costal facets follow. T12 keeps its inferior processes, which L1 embraces.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from fit_thoracic import LEVELS, Shapes, standing
from thoracic_arch import Joint, jointed
from thoracic_files import written
from thoracic_wedges import wedged
from vertebra_levels import morphometry
from vertebra_ribs import with_costal_facets

from spineviz.anatomy.vertebra import parameters_of
from spineviz.anatomy.vertebra.landmarks import endplate_rim
from spineviz.anatomy.vertebra.solid import VertebraParameters, field
from spineviz.library import data_folder

NARROWER: dict[str, tuple[float, ...]] = {"T4": (0.0, 0.0, -0.5, -0.85)}
"""What is taken from the half-width of inferior articular processes (mm), from their root to their end: they
keep clear of the pedicle's root below."""


def joint_on(shape: VertebraParameters) -> Joint:
    """Return the joint above a vertebra as it has it, in its own frame."""
    facet = shape.superior_facet
    return Joint(np.asarray(facet.centre), facet.facing(), facet.width, facet.height)


def rejoined(shapes: Shapes) -> Shapes:
    """Return all levels with inferior articular processes that fit the bone below; the upper ones stay."""
    result = dict(shapes)
    for upper, lower in pairwise(LEVELS):
        below = joint_on(shapes[lower]).seen_from(standing(upper, lower, shapes))
        fitting = jointed(shapes[upper], joint_on(shapes[upper]), below)
        parts = ("inferior_articular_process", "inferior_facet")
        result[upper] = shapes[upper].model_copy(update={part: getattr(fitting, part) for part in parts})
    for level, amounts in NARROWER.items():
        process = result[level].inferior_articular_process
        across = tuple(width + by for width, by in zip(process.across, amounts, strict=True))
        narrow = process.model_copy(update={"across": across})
        result[level] = result[level].model_copy(update={"inferior_articular_process": narrow})
    return {level: with_costal_facets(result[level], level) for level in LEVELS}


def told(level: str, shape: VertebraParameters) -> VertebraParameters:
    """Return a vertebra whose pedicles descend as recommended, against the mid-plane of its endplates."""
    bone = field(shape)
    above, below = (endplate_rim(bone, shape, side).superior for side in (1.0, -1.0))
    forward = np.degrees(np.arctan2((above + below)[1], (above + below)[2]))
    caudal = morphometry()[level]["ped_sagittal_deg"] + float(forward)
    return shape.model_copy(update={"pedicle_axis": shape.pedicle_axis.model_copy(update={"caudal": caudal})})


def main() -> None:
    """Write the measures file anew."""
    shapes = rejoined({level: told(level, wedged(level, parameters_of(level))) for level in LEVELS})
    path = data_folder("meshes") / "measures" / "thoracic.toml"
    path.write_text(written(shapes), encoding="utf-8")


if __name__ == "__main__":
    main()
