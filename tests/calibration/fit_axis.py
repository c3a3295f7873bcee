"""Calibrate the axis' shape parameters on two reference axes at once, by least squares.

    SPINEVIZ_SHARED=<folder> python tests/calibration/fit_axis.py [--rounds 8] [--out FILE]

The folder holds ``reference/art_C2.ply`` and ``reference/spl_C2.ply``. They are read, scaled, aligned and
sampled as the atlas' are (see ``fit_atlas``).

1. The parameters in ``start_axis.toml``, set by hand, are refined.
2. Its measures are brought to within a tenth of what published morphometry recommends, but for slope and
   free length of the spinous process (see `SOURCE`).
3. Its inferior articular surface is laid the joint space before the superior one of C3, as the bones stand
   (``meshes/measures/cervical.toml`` comes first).
"""

from __future__ import annotations

import argparse
from pathlib import Path as File

import numpy as np
from cervical_joints import following
from fit_atlas import brought, references, started, target_of_both
from fitting import Path, Shape, fit, name_of, tables

from spineviz.anatomy import cervical
from spineviz.anatomy.axis.solid import CUTS, AxisParameters, joined, part_fields

SOURCE = (
    "calibrated on a compromise of two axes, ArtiSynth jaw-neck model and SPL head and neck atlas, "
    "by tests/calibration/fit_axis.py; moved to within a tenth of a blend of published morphometry. "
    "The spinous process keeps its calibrated slope and free length: with canal and lamina it makes up the "
    "34 mm from the body's back to the tip of Panjabi 1991, the recommended free length of 18 mm makes 38"
)
SOURCE_SIZES = (
    "model values after Doherty & Heggeness 1995 and Xu & Ebraheim 1995, pedicle axis after Karaikovic 1997"
)

CENTRE = (13.0, 2.5)
"""Where the centre of the body lies in the centred first reference (y, z, mm)."""

SCALES = {
    "roll": 8.0, "exponent": 0.1, "facing": 0.1, "across": 0.6, "along": 0.6, "half_width": 0.6,
    "half_depth": 0.6, "half_thickness": 0.6, "half_height": 0.6, "blend": 0.5, "keel": 0.04,
    "keel_width": 0.7,
}  # fmt: skip
"""How far a parameter may be expected to move, by its name; 1 (mm) for all others."""

LIMITS: dict[str, tuple[float, float]] = {
    "exponent": (1.9, 2.5), "blend": (2.0, 5.0), "roll": (-40.0, 40.0), "keel": (0.0, 0.3),
    "keel_width": (2.5, 6.0), "half_thickness": (2.4, 7.0), "half_height": (3.0, 9.0),
}  # fmt: skip

SIZES = ("pedicle_axis", "superior_facet_size", "inferior_facet_size", "dens_facet_size")
FIXED = {*CUTS, *SIZES, "dens", "dens_facet"}
"""Parts that are shaped by hand and by published measures, not calibrated."""

KEPT = ("edge", "curl", "caps", "bow", "turn")
"""Numbers that are set by hand in every part, not calibrated."""

PULL = 1.5
"""How strongly every number is pulled to its starting value: parts keep their anatomical roles."""

STIFF = (
    "pars",
    "lamina",
    "spinous_process",
    "bifid_tip",
    "anterior_root",
    "posterior_root",
    "superior_facet",
    "inferior_facet",
)
"""Parts in which the two references contradict each other: they move half as far."""

MIDLINE_SHEETS = ("inferior_endplate",)


def _is_free(path: Path) -> bool:
    on_midline = path[0] in MIDLINE_SHEETS and path[1] in ("centre", "facing") and path[2] == 0
    return path[0] not in FIXED and name_of(path) not in KEPT and not on_midline


def _scale(path: Path) -> float:
    return SCALES.get(name_of(path), 1.0) * (0.5 if path[0] in STIFF else 1.0)


def _plausible(paths: list[Path], numbers: list[float]) -> np.ndarray:
    values = []
    for path, number in zip(paths, numbers, strict=True):
        low, high = LIMITS.get(name_of(path), (-100.0, 100.0))
        if name_of(path) in ("across", "along") and len(path) == 3:
            low, high = 2.2, 13.0
        values.append(min(max(number, low), high))
    return np.array(values)


AXIS: Shape[AxisParameters] = Shape(part_fields, joined, _is_free, _scale, _plausible)


def toml_of(parameters: AxisParameters) -> str:
    """Return the measures file."""
    values = parameters.model_dump(exclude_none=True)
    sizes = {name: values.pop(name) for name in SIZES}
    text = "# Shape of the axis in its own frame (see spineviz.anatomy.axis).\n\n[axis.C2]\n"
    text += f'source = "{SOURCE}"\nconfidence = "D"\nunit = "mm, deg, 1/mm"\n' + tables("axis.C2", values)
    for name, numbers in sizes.items():
        text += f'\n[axis.C2.{name}]\nsource = "{SOURCE_SIZES}"\nconfidence = "D"\n'
        text += tables(f"axis.C2.{name}", numbers)
    return text


def main() -> None:
    """Refine the axis and write its measures file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--out", type=File, default=File("meshes/measures/axis.toml"))
    options = parser.parse_args()
    both = references("C2", CENTRE)
    shape = AxisParameters.model_validate(started("axis"))
    shape = fit(AXIS, shape, target_of_both(both, 1800, 3000), 6.0, options.rounds, PULL)
    shape = fit(AXIS, shape, target_of_both(both, 3000, 4000, seed=7), 3.0, options.rounds, PULL)
    below = {level: cervical.parameters_of(level) for level in ("C3", "C4", "C5", "C6", "C7")}
    for _ in range(2):
        shape = following(brought(shape, "C2"), below)
    options.out.write_text(toml_of(shape), encoding="utf-8")


if __name__ == "__main__":
    main()
