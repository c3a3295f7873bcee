"""Calibrate the thoracic vertebrae's shape parameters on reference bones, by least squares.

    SPINEVIZ_SHARED=<folder> python tests/calibration/fit_vertebra.py [T1 T3 ...] [--rounds 14] [--out FOLDER]

The folder holds ``reference`` and ``facts``. Levels with a reference (`REFERENCES`) are refined when they are
asked for, starting from ``meshes/measures/thoracic.toml``; then `sized` moves their
measures towards published morphometry and costal facets are set. The levels between follow from them
(`vertebra_levels`). L1 to L5 have a command of their own (``fit_lumbar.py``), which shares what is here.
Only parameters are kept.

1. Each reference is moved to the bone's own frame: x = 0 its plane of symmetry, z normal to the mid-plane of
   its endplates, the origin in the body.
2. It is sampled on its surface and off it, and the parameters are refined (`fitting`). What a reference
   does not show takes no part (`told`): the scan that T1, T3 and T5 come from ends in T5, and its thin
   articular processes are eroded. There the starting values stay.
"""

from __future__ import annotations

import argparse
from pathlib import Path as File

import numpy as np
from fitting import Path, Shape, fit, name_of, tables, target_of
from vertebra_levels import (
    COLUMNS,
    FACETS,
    between,
    isthmus,
    jointed,
    lower_thoracic,
    morphometry,
    sized,
)
from vertebra_references import REFERENCES, in_own_frame, right_half_twice, told
from vertebra_ribs import with_costal_facets

from spineviz import measures
from spineviz.anatomy.vertebra.solid import COSTAL, VertebraParameters, joined, part_fields

RIBS = "set on the bone after Gray's Anatomy"
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

TIGHT = {"superior_articular_process": 0.2, "inferior_articular_process": 0.3}
TIGHTER_T5 = {"spinous_process": 0.25, "inferior_endplate": 0.15}
"""These parts of a thoracic vertebra stay near their start, for the references show little of them."""

LUMBAR: dict[str, tuple[float, float]] = {
    "across": (1.8, 11.0), "along": (2.5, 14.0), "caps": (3.0, 10.0), "exponent": (1.9, 2.2),
    "blend": (4.5, 8.0),
    "curl": (-0.045, 0.045), "roll": (-75.0, 75.0), "exponents": (1.9, 3.2), "notch": (0.0, 0.2),
    "notch_width": (5.0, 14.0), "waist_exponent": (1.6, 4.0), "edges": (2.0, 7.0), "dish_extent": (0.6, 1.0),
    "dish_depth": (0.5, 4.0), "dish_centre": (-6.0, 4.0), "half_thickness": (1.8, 5.0),
    "half_height": (3.0, 14.0),
    "cap": (3.0, 10.0), "bulb_thickness": (2.0, 5.5), "bulb_depth": (2.5, 6.0), "bulb_blend": (1.5, 8.0),
}  # fmt: skip
THORACIC = LUMBAR | {
    "along": (1.8, 14.0), "caps": (2.5, 10.0), "exponent": (1.9, 2.8), "blend": (2.5, 8.0),
    "exponents": (1.6, 3.4), "notch": (0.0, 0.35), "waist_exponent": (1.5, 4.0), "edges": (1.3, 6.0),
    "dish_centre": (-5.0, 4.0), "half_height": (2.5, 14.0), "cap": (2.5, 10.0), "bulb_thickness": (1.8, 5.5),
    "bulb_depth": (2.2, 6.0), "bulb_blend": (4.0, 8.0),
}  # fmt: skip
PARTS: dict[str, dict[str, dict[str, tuple[float, float]]]] = {
    "lumbar": {"mammillary_process": {"across": (3.0, 6.5), "along": (3.0, 6.5)}},
    "thoracic": {
        "superior_articular_process": {"across": (4.2, 11.0), "along": (1.8, 6.0)},
        "inferior_articular_process": {"across": (4.8, 11.0), "along": (1.8, 6.0)},
    },
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


def shape_of(level: str) -> Shape[VertebraParameters]:
    """Return how a level is fitted: what is free, how far it may move, and its limits."""
    region = "thoracic" if level.startswith("T") else "lumbar"
    limits = THORACIC if region == "thoracic" else LUMBAR

    def is_free(path: Path) -> bool:
        return path[0] not in (*SOURCED, *COSTAL) and (path[0], name_of(path)) not in FIXED

    def scale(path: Path) -> float:
        tight = TIGHT if region == "thoracic" else {}
        tight = tight | TIGHTER_T5 if level == "T5" else tight
        names = [tight[name] for name in path if name in tight]
        return SCALES.get(name_of(path), 1.0) * (names[0] if names else 1.0)

    def plausible(paths: list[Path], numbers: list[float]) -> np.ndarray:
        values = {}
        for path, number in zip(paths, numbers, strict=True):
            narrow = PARTS[region].get(str(path[0]), {})
            low, high = narrow.get(name_of(path), limits.get(name_of(path), (-100.0, 100.0)))
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
    bone = right_half_twice(bone) if level == "T1" else bone
    pull = 0.03 if level in ("T1", "T3", "T5") else 0.05
    far = fit(shape_of(level), start, told(target_of(bone, 2500, 5000), level), 10.0, rounds, pull)
    return fit(shape_of(level), far, told(target_of(bone, 4000, 7000, seed=7), level), 3.0, rounds, pull)


# --- all levels ------------------------------------------------------------------------------------

TOLERANCE = {"T1": 0.09, "T3": 0.09, "T5": 0.09, "L1": 0.09, "L2": 0.1}
NEAR = 0.07
LOOSE: dict[str, dict[str, float]] = {
    "T1": {
        "endplate_width_superior": 0.25, "endplate_width_inferior": 0.15,
        "pedicle_width": 0.2, "pedicle_height": 0.2,
    },
    "T2": {"endplate_width_superior": 0.2, "pedicle_width": 0.12, "pedicle_height": 0.12},
    "T5": {"pedicle_width": 0.12},
    "L1": {"body_height_anterior": 0.12, "pedicle_height": 0.15},
    "L2": {"body_height_anterior": 0.12},
}  # fmt: skip
"""How far (as a share) measures may stay from morphometry: by level, and where references are far off."""


def size(level: str, shape: VertebraParameters) -> VertebraParameters:
    """Return a level in the size that morphometry tells, with its costal facets."""
    tolerance = dict.fromkeys(COLUMNS, TOLERANCE.get(level, NEAR)) | LOOSE.get(level, {})
    shape = sized(shape, level, tolerance)
    axis = shape.pedicle_axis.model_copy(update={"isthmus": isthmus(shape)})
    shape = with_costal_facets(shape.model_copy(update={"pedicle_axis": axis}), level)
    if level in REFERENCES or level.startswith("L"):
        return shape
    return with_costal_facets(sized(shape, level, tolerance, rounds=3), level)


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


def all_levels(asked: list[str], rounds: int) -> dict[str, VertebraParameters]:
    """Return every level's shape, those asked for refined on their references."""
    known = {**measures.table("thoracic"), **measures.table("vertebrae")}
    shapes = {level: VertebraParameters.model_validate(known[level]) for level in known}
    for level in asked:
        shapes[level] = size(level, sourced(level, calibrated(level, shapes[level], rounds)))
    shapes["T2"] = size("T2", sourced("T2", jointed("T2", between(shapes["T1"], shapes["T3"], 0.5))))
    shapes["T4"] = size("T4", sourced("T4", jointed("T4", between(shapes["T3"], shapes["T5"], 0.5))))
    for number in range(6, 13):
        level = f"T{number}"
        shapes[level] = size(level, sourced(level, lower_thoracic(level, shapes["T5"], shapes["L1"])))
    return shapes


# --- files -----------------------------------------------------------------------------------------


def source_of(level: str) -> str:
    """Return where a level's shape comes from."""
    script = f"by tests/calibration/fit_{'vertebra' if level.startswith('T') else 'lumbar'}.py"
    if level in ("L3", "L5"):
        return f"calibrated on {REFERENCES[level].source}, its facets made to fit its neighbours', {script}"
    if level in REFERENCES:
        hand = "; what the scan does not show of its processes is set by hand" if level[0] == "T" else ""
        moved = f"its sizes then moved towards {MORPHOMETRY}, {script}"
        return f"calibrated on {REFERENCES[level].source}, {moved}{hand}"
    if level == "L4":
        return L4_SOURCE
    ends = {"T2": "T1 and T3", "T4": "T3 and T5", "L2": "L1 and L3"}.get(level, "T5 and L1")
    return f"model values: between {ends}, turned and sized after {MORPHOMETRY}, {script}"


def toml_of(level: str, shape: VertebraParameters) -> str:
    """Return one level's tables for the measures file."""
    name = f"{'thoracic' if level.startswith('T') else 'vertebrae'}.{level}"
    confidence = "V1" if level in ("L3", "L5") else "D"
    text = f'[{name}]\nsource = "{source_of(level)}"\nconfidence = "{confidence}"\nunit = "mm, deg, 1/mm"\n'
    values = shape.model_dump(exclude_none=True)
    about = dict.fromkeys(SOURCED, MORPHOMETRY) | dict.fromkeys(COSTAL, RIBS)
    text += tables(name, {part: values[part] for part in values if part not in about})
    for part in (part for part in values if part in about):
        text += f'\n[{name}.{part}]\nsource = "model values, {about[part]}"\nconfidence = "D"\n'
        text += tables(f"{name}.{part}", values[part])
    return text + "\n"


def main() -> None:
    """Refine the levels asked for and write the measures file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("levels", nargs="*", choices=[[], "T1", "T3", "T5"])
    parser.add_argument("--rounds", type=int, default=14)
    parser.add_argument("--out", type=File, default=File("meshes/measures"))
    options = parser.parse_args()
    shapes = all_levels(options.levels, options.rounds)
    text = "# Shape of the thoracic vertebrae in their own frames (see spineviz.anatomy.vertebra).\n\n"
    text += "".join(toml_of(f"T{n}", shapes[f"T{n}"]) for n in range(1, 13))
    (options.out / "thoracic.toml").write_text(text.rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
