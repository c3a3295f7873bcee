"""How a lumbar vertebra's shape parameters are calibrated on a reference bone, by least squares.

``fit_lumbar.py`` is the command that does it for all lumbar levels.

1. Each reference is moved to the bone's own frame: x = 0 its plane of symmetry, z normal to the mid-plane of
   its endplates, the origin in the body.
2. It is sampled on its surface and off it, and the parameters are refined (`fitting`).
3. Levels without a reference that shows them well are moved towards published morphometry (`size`).

Only parameters are kept.
"""

from __future__ import annotations

import numpy as np
from fitting import Path, Shape, fit, name_of, tables, target_of
from vertebra_levels import (
    COLUMNS,
    FACETS,
    isthmus,
    morphometry,
    sized,
)
from vertebra_references import REFERENCES, in_own_frame

from spineviz.anatomy.vertebra.solid import COSTAL, VertebraParameters, joined, part_fields

L4_SOURCE = (
    "model values: mean of the calibrated L3 and L5 (Clouthier et al., J Biomech 2023;146:111421), moved "
    "by the departure of L4 from that mean in a blend of published morphometry (Panjabi 1992, Bonczar 2024)"
)
MORPHOMETRY = "a blend of published morphometry (Panjabi 1991-1993, Zindrick 1987, Bonczar 2024 and others)"


SCALES = {
    "roll": 8.0, "exponent": 0.3, "exponents": 0.3, "curl": 0.01, "notch": 0.05, "notch_width": 2.0,
    "dish_extent": 0.08, "waist_exponent": 0.5, "tilt": 0.7, "sagittal_curvature": 0.5,
    "lateral_curvature": 0.5,
}  # fmt: skip
"""How far a parameter may be expected to move, by its name; 1 (mm) for all others."""

LUMBAR: dict[str, tuple[float, float]] = {
    "across": (1.8, 11.0), "along": (2.5, 14.0), "caps": (3.0, 10.0), "exponent": (1.9, 2.2),
    "blend": (4.5, 8.0),
    "curl": (-0.045, 0.045), "roll": (-75.0, 75.0), "exponents": (1.9, 3.2), "notch": (0.0, 0.2),
    "notch_width": (5.0, 14.0), "waist_exponent": (1.6, 4.0), "edges": (2.0, 7.0), "dish_extent": (0.6, 1.0),
    "dish_depth": (0.5, 4.0), "dish_centre": (-6.0, 4.0), "half_thickness": (1.8, 5.0),
    "half_height": (3.0, 14.0),
    "cap": (3.0, 10.0), "bulb_thickness": (2.0, 5.5), "bulb_depth": (2.5, 6.0), "bulb_blend": (1.5, 8.0),
}  # fmt: skip
PARTS: dict[str, dict[str, tuple[float, float]]] = {
    "mammillary_process": {"across": (3.0, 6.5), "along": (3.0, 6.5)},
}
"""The limits of parameters, by the name of their field, and narrower ones for some parts."""

SOURCED = ("pedicle_axis", "superior_facet", "inferior_facet")
"""Measures that the surface does not tell; they are not calibrated."""

FIXED = {
    ("pedicle", "caps"), ("pedicle", "curl"), ("lamina", "caps"), ("lamina", "curl"),
    ("transverse_process", "curl"), ("mammillary_process", "roll"), ("mammillary_process", "curl"),
    ("mammillary_process", "bow"), ("mammillary_process", "caps"), ("mammillary_process", "exponent"),
}  # fmt: skip
"""Parameters that are set by hand and not calibrated."""


# --- the shape -------------------------------------------------------------------------------------


def shape_of() -> Shape[VertebraParameters]:
    """Return how a vertebra is fitted: what is free, how far it may move, and its limits."""

    def is_free(path: Path) -> bool:
        return path[0] not in (*SOURCED, *COSTAL) and (path[0], name_of(path)) not in FIXED

    def scale(path: Path) -> float:
        return SCALES.get(name_of(path), 1.0)

    def plausible(paths: list[Path], numbers: list[float]) -> np.ndarray:
        values = {}
        for path, number in zip(paths, numbers, strict=True):
            narrow = PARTS.get(str(path[0]), {})
            low, high = narrow.get(name_of(path), LUMBAR.get(name_of(path), (-100.0, 100.0)))
            values[path] = min(max(number, low), high)
        return np.array([max([values[path], *_round_tip(path, values)]) for path in paths])

    return Shape(part_fields, joined, is_free, scale, plausible)


def _round_tip(path: Path, values: dict[Path, float]) -> list[float]:
    """Return what an end cap must reach at least: its last half-widths, so that tips are never cut off."""
    names: tuple[str, ...] = ("across", "along") if path[1:] == ("caps", 1) else ()
    names = ("half_height",) if path == ("spinous_process", "cap") else names
    return [values[max(p for p in values if p[:2] == (path[0], name))] for name in names]


def calibrated(level: str, start: VertebraParameters, rounds: int) -> VertebraParameters:
    """Refine a level on its reference: first looking 10 mm far, then 3 mm."""
    bone = in_own_frame(level)
    far = fit(shape_of(), start, target_of(bone, 2500, 5000), 10.0, rounds)
    return fit(shape_of(), far, target_of(bone, 4000, 7000, seed=7), 3.0, rounds)


# --- all levels ------------------------------------------------------------------------------------

TOLERANCE = {"L1": 0.09, "L2": 0.1}
NEAR = 0.07
LOOSE: dict[str, dict[str, float]] = {
    "L1": {"body_height_anterior": 0.12, "pedicle_height": 0.15},
    "L2": {"body_height_anterior": 0.12},
}  # fmt: skip
"""How far (as a share) measures may stay from morphometry: by level, and where references are far off."""


def size(level: str, shape: VertebraParameters) -> VertebraParameters:
    """Return a level in the size that morphometry tells."""
    tolerance = dict.fromkeys(COLUMNS, TOLERANCE.get(level, NEAR)) | LOOSE.get(level, {})
    shape = sized(shape, level, tolerance)
    axis = shape.pedicle_axis.model_copy(update={"isthmus": isthmus(shape)})
    return shape.model_copy(update={"pedicle_axis": axis})


def sourced(level: str, shape: VertebraParameters) -> VertebraParameters:
    """Return a level with the measures that its surface does not tell."""
    row = morphometry()[level]
    above, below = FACETS[level]
    values = {
        "pedicle_axis": {"medial": row["ped_transverse_deg"], "caudal": row["ped_sagittal_deg"]},
        "superior_facet": {"width": row["sup_facet_w"], "height": row["sup_facet_h"], "to_sagittal": above},
        "inferior_facet": {"width": row["inf_facet_w"], "height": row["inf_facet_h"], "to_sagittal": below},
    }
    return VertebraParameters.model_validate(shape.model_dump() | values)


# --- files -----------------------------------------------------------------------------------------


def source_of(level: str) -> str:
    """Return where a level's shape comes from."""
    script = "by tests/calibration/fit_lumbar.py"
    if level in ("L3", "L5"):
        return f"calibrated on {REFERENCES[level].source}, its facets made to fit its neighbours', {script}"
    if level in REFERENCES:
        moved = f"its sizes then moved towards {MORPHOMETRY}, {script}"
        return f"calibrated on {REFERENCES[level].source}, {moved}"
    if level == "L4":
        return L4_SOURCE
    return f"model values: between L1 and L3, turned and sized after {MORPHOMETRY}, {script}"


def toml_of(level: str, shape: VertebraParameters) -> str:
    """Return one level's tables for the measures file."""
    name = f"vertebrae.{level}"
    confidence = "V1" if level in ("L3", "L5") else "D"
    text = f'[{name}]\nsource = "{source_of(level)}"\nconfidence = "{confidence}"\nunit = "mm, deg, 1/mm"\n'
    values = shape.model_dump(exclude_none=True)
    about = dict.fromkeys(SOURCED, MORPHOMETRY)
    text += tables(name, {part: values[part] for part in values if part not in about})
    for part in (part for part in values if part in about):
        text += f'\n[{name}.{part}]\nsource = "model values, {about[part]}"\nconfidence = "D"\n'
        text += tables(f"{name}.{part}", values[part])
    return text + "\n"
