"""Calibrate the cervical vertebrae's shape parameters on reference bones, by least squares.

    SPINEVIZ_SHARED=<folder> python tests/calibration/fit_cervical.py [--rounds 9] [--out FILE]

The folder holds ``reference/art_C4.ply`` and ``art_C7.ply``: the cervical vertebrae of the ArtiSynth jaw
and neck model (symmetric, smooth, about a tenth large). Only parameters are kept, no vertex is.

1. Each reference is reduced to its outer shell, moved to the bone's own frame (pitch and centre read off its
   midline section) and scaled to the size of published morphometry.
2. The parameters in ``start_cervical.toml``, set by hand, are refined (see `fitting`).
3. All five levels are made of the two, between and beside them, and moved to published morphometry (see
   `cervical_levels`).
4. The articular surfaces are laid parallel, a joint space apart, as the bones stand (see `cervical_joints`);
   the axis' own are moved by ``fit_axis.py``.
"""

from __future__ import annotations

import argparse
import os
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path as File
from typing import Any

import numpy as np
import trimesh
from cervical_finish import NO_GROOVE, finished, with_groove
from cervical_joints import mated, on_thorax
from cervical_levels import LAST, brought, centred, level_of
from fitting import Path, Shape, entries, name_of, symmetric, tables, two_passes, with_numbers
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage.measure import marching_cubes

from spineviz.anatomy.cervical.solid import CervicalParameters, joined, part_fields
from spineviz.spec import Spec
from spineviz.structure import Floats

START = File(__file__).with_name("start_cervical.toml")
"""Shapes of C4 and C7 set by hand, from which the fit starts; parts that are not calibrated stay as they
are."""

SCALES = {
    "roll": 8.0, "exponent": 0.3, "exponents": 0.3, "curl": 0.02, "notch": 0.05, "notch_width": 1.0,
    "dish_extent": 0.08, "waist_exponent": 0.5, "tilt": 3.0, "turn": 3.0, "curvature": 0.01,
    "taper": 0.3, "bulge": 0.4,
    "dish_depth": 0.4,
    "sagittal_curvature": 1.5, "lateral_curvature": 1.5, "edges": 0.4, "edge": 0.3, "across": 0.6,
    "along": 0.6,     "half_thickness": 0.6, "half_height": 0.6, "caps": 0.6, "blend": 0.5,
}  # fmt: skip
"""How far a parameter may be expected to move, by its name; 1 (mm) for all others."""

LIMITS: dict[str, tuple[float, float]] = {
    "across": (1.25, 9.0), "along": (1.25, 7.0), "caps": (1.5, 4.0), "cap": (1.5, 5.0),
    "exponent": (1.9, 3.0), "blend": (1.5, 5.0), "curl": (-0.08, 0.08), "roll": (-60.0, 60.0),
    "exponents": (1.9, 3.4),
    "notch": (0.0, 0.2), "notch_width": (3.0, 8.0), "waist_exponent": (1.5, 4.0), "edges": (0.8, 2.2),
    "edge": (1.8, 2.6), "dish_extent": (0.6, 1.05), "dish_depth": (0.5, 3.0), "dish_centre": (-4.0, 4.0),
    "half_thickness": (1.2, 5.0), "half_height": (1.5, 8.0), "curvature": (-0.03, 0.03),
    "half_width": (1.8, 16.0), "half_depth": (1.8, 4.0),
}  # fmt: skip

PART_LIMITS: dict[tuple[str, str], tuple[float, float]] = {
    ("articular_pillar", "across"): (3.6, 7.0), ("articular_pillar", "exponent"): (2.0, 2.4),
    ("articular_pillar", "bow"): (-2.0, 2.0), ("articular_pillar", "edge"): (2.2, 3.6),
    ("articular_pillar", "blend"): (3.0, 5.0), ("articular_pillar", "roll"): (-30.0, 30.0),
    ("lamina", "along"): (1.2, 3.0), ("lamina", "blend"): (5.0, 8.0), ("lamina", "taper"): (0.0, 0.7),
    ("lamina", "bulge"): (0.0, 1.5),
    ("spinous_tubercle", "across"): (1.6, 4.0), ("spinous_tubercle", "along"): (1.6, 6.0),
    ("articular_pillar", "tilt"): (42.0, 62.0), ("articular_pillar", "along"): (3.2, 7.0),
    ("spinous_tubercle", "caps"): (1.7, 3.0), ("spinous_tubercle", "blend"): (2.0, 6.0),
    ("spinous_process", "exponent"): (1.9, 2.3), ("spinous_process", "half_height"): (2.6, 8.0),
    ("spinous_process", "half_thickness"): (2.4, 4.2),
    ("spinous_process", "blend"): (5.0, 9.0),
    ("uncinate_process", "across"): (1.8, 3.5), ("uncinate_process", "blend"): (4.5, 6.0),
    ("uncinate_process", "caps"): (2.0, 4.0), ("uncinate_process", "roll"): (-30.0, 10.0),
    ("body", "exponents"): (2.0, 3.2), ("body", "waist_exponent"): (1.6, 4.0),
    ("anterior_bar", "along"): (1.4, 3.0), ("anterior_bar", "blend"): (2.5, 5.0),
    ("posterior_bar", "along"): (1.8, 3.5), ("posterior_bar", "blend"): (2.5, 5.0),
    ("intertubercular_lamella", "blend"): (2.5, 5.0), ("intertubercular_lamella", "along"): (1.4, 2.5),
}  # fmt: skip
"""Narrower limits of some parts."""

SPINOUS = {
    "C4": ("spinous_process", "spinous_tubercle", "spinous_cleft"),
    "C7": ("spinous_cleft",),
}
MIDLINE = {("spinous_tubercle", "start", 0), ("spinous_tubercle", "end", 0), ("lamina", "end", 0)}
"""Ends whose x is set by hand: laminae meet in the midline, tubercles part as the level wants it."""

SOURCED = ("pedicle_axis", "superior_facet", "inferior_facet")
LAID = ("nerve_groove",)
FIXED = {
    ("pedicle", "curl"), ("pedicle", "caps"), ("lamina", "caps"), ("spinous_tubercle", "curl"),
    ("spinous_tubercle", "roll"), ("spinous_tubercle", "bow"),
    ("anterior_bar", "curl"),
    ("posterior_bar", "curl"),
    ("intertubercular_lamella", "curl"), ("intertubercular_lamella", "roll"),
    ("intertubercular_lamella", "bow"),
    ("uncinate_process", "curl"), ("uncinate_process", "bow"), ("articular_pillar", "curl"),
    ("articular_pillar", "caps"),
    ("intertubercular_lamella", "exponent"), ("anterior_bar", "exponent"), ("posterior_bar", "exponent"),
    ("uncinate_process", "exponent"), ("spinous_tubercle", "exponent"), ("lamina", "exponent"),
    ("transverse_foramen", "edge"), ("articular_pillar", "reach"), ("lamina", "curl"),
    ("lamina", "ridge"), ("spinous_cleft", "edge"),
}  # fmt: skip
"""Parameters that are set by hand and not calibrated."""


def is_free(path: Path, level: str) -> bool:
    """Tell whether a number is calibrated."""
    held = path[0] in SPINOUS.get(level, ()) or (
        level == "C7" and path[:2] == ("articular_pillar", "inferior_facet")
    )
    named = (path[0], name_of(path))
    return not held and path[0] not in (*SOURCED, *LAID) and named not in FIXED and path not in MIDLINE


def scale(path: Path) -> float:
    """Return how far a number may be expected to move."""
    if path[0] == "body" and name_of(path) == "tilt":
        return 0.7
    return SCALES.get(name_of(path), 1.0)


def limits(path: Path) -> tuple[float, float]:
    """Return the least and greatest plausible value of a number."""
    own = PART_LIMITS.get((str(path[0]), name_of(path)))
    return own or LIMITS.get(name_of(path), (-100.0, 100.0))


def plausible(paths: list[Path], numbers: list[float]) -> np.ndarray:
    """Return numbers within the limits of their names."""
    return np.clip(numbers, *np.array([limits(path) for path in paths]).T)


def kind(level: str) -> Shape[CervicalParameters]:
    """Return how a level is fitted."""
    return Shape(part_fields, joined, lambda path: is_free(path, level), scale, plausible)


# --- the references --------------------------------------------------------------------------------

SIZE = 0.9
"""The ArtiSynth vertebrae are about a tenth larger than published morphometry."""

POSES = {"C4": (16.8, 10.0, -1.2), "C7": (22.8, 11.0, -5.5)}
"""Pitch (degrees) and y, z (mm) of the body's centre in the symmetrised reference, read off its midline."""

VOXEL = 0.4

MATINGS = 2
"""How often articular surfaces are laid parallel and measures brought back to their aim, by turns."""


def shell(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """Return the outside of a reference that has inner or doubled faces, as one watertight mesh."""
    on = np.vstack([trimesh.sample.sample_surface(mesh, 600_000, seed=3)[0], mesh.vertices])
    lower = mesh.bounds[0] - 4.0 * VOXEL
    hit = np.zeros(np.ceil((mesh.bounds[1] + 4.0 * VOXEL - lower) / VOXEL).astype(int), dtype=bool)
    hit[tuple(np.round((on - lower) / VOXEL).astype(int).T)] = True
    regions, _ = ndimage.label(~hit)
    outside = regions == regions[0, 0, 0]
    inside = ~outside & ~hit
    nearer_inside = ndimage.distance_transform_edt(~inside) < ndimage.distance_transform_edt(~outside)
    volume = np.where(nearer_inside, -2.0, 2.0) * VOXEL
    near = ndimage.binary_dilation(hit, iterations=2)
    distance = cKDTree(on).query(np.argwhere(near) * VOXEL + lower)[0]
    volume[near] = np.sign(volume[near]) * np.minimum(distance, 2.0 * VOXEL)
    vertices, faces, _, _ = marching_cubes(
        ndimage.gaussian_filter(volume, 0.6), 0.0, gradient_direction="descent"
    )
    bodies = trimesh.Trimesh(vertices * VOXEL + lower, faces).split(only_watertight=False)
    return max(bodies, key=lambda body: len(body.faces))


def in_own_frame(mesh: trimesh.Trimesh, level: str) -> trimesh.Trimesh:
    """Return a reference in the bone's own frame and size."""
    pitch, y, z = POSES[level]
    result = symmetric(mesh if mesh.is_watertight else shell(mesh))
    c, s = np.cos(np.radians(pitch)), np.sin(np.radians(pitch))
    rotation = np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])
    points: Floats = (np.asarray(result.vertices) - [0.0, y, z]) @ rotation.T * SIZE
    return trimesh.Trimesh(points, result.faces, process=False)


# --- the measures file -----------------------------------------------------------------------------

SOURCE = (
    "calibrated on {level} of the ArtiSynth jaw and neck model (artisynth.org), scaled by 0.9, by "
    "tests/calibration/fit_cervical.py; moved to within a tenth of a blend of published morphometry"
)
SOURCE_BETWEEN = (
    "model values: beside and between the calibrated C4 and C7 of the ArtiSynth jaw and neck model, moved by "
    "what a blend of published morphometry says the level departs from them "
    "(tests/calibration/cervical_levels.py)"
)
SOURCE_SOURCED = "model values, blend of published morphometry (Panjabi 1991 and 1993, Karaikovic 1997)"
MORPHOMETRY: dict[str, dict[str, dict[str, float]]] = {
    "C3": {
        "pedicle_axis": {"medial": 47.0, "caudal": -9.0},
        "superior_facet": {"width": 11.5, "height": 12.5, "to_sagittal": 75.0},
        "inferior_facet": {"width": 11.7, "height": 12.9, "to_sagittal": 82.0},
    },
    "C4": {
        "pedicle_axis": {"medial": 49.0, "caudal": -2.0},
        "superior_facet": {"width": 11.7, "height": 12.9, "to_sagittal": 82.0},
        "inferior_facet": {"width": 12.2, "height": 13.0, "to_sagittal": 88.0},
    },
    "C5": {
        "pedicle_axis": {"medial": 46.0, "caudal": 3.0},
        "superior_facet": {"width": 12.2, "height": 13.0, "to_sagittal": 88.0},
        "inferior_facet": {"width": 11.2, "height": 10.8, "to_sagittal": 92.0},
    },
    "C6": {
        "pedicle_axis": {"medial": 43.0, "caudal": 5.0},
        "superior_facet": {"width": 11.2, "height": 10.8, "to_sagittal": 92.0},
        "inferior_facet": {"width": 12.7, "height": 12.3, "to_sagittal": 95.0},
    },
    "C7": {
        "pedicle_axis": {"medial": 37.0, "caudal": 4.0},
        "superior_facet": {"width": 12.7, "height": 12.3, "to_sagittal": 95.0},
        "inferior_facet": {"width": 12.6, "height": 11.4, "to_sagittal": 100.0},
    },
}
"""Measures that the surface does not tell; they are not calibrated."""


def with_morphometry(parameters: CervicalParameters, level: str) -> CervicalParameters:
    """Return parameters with the measures of a level that are not calibrated."""
    return CervicalParameters.model_validate(parameters.model_dump() | MORPHOMETRY[level])


def toml_of(level: str, shape: CervicalParameters, source: str) -> str:
    """Return the tables of one level."""
    values = shape.model_dump(exclude_none=True)
    calibrated = {name: part for name, part in values.items() if name not in SOURCED}
    path = f"cervical.{level}"
    confidence = "M-high" if level in POSES else "D"
    text = f'[{path}]\nsource = "{source}"\nconfidence = "{confidence}"\nunit = "mm, deg, 1/mm"\n'
    text += tables(path, calibrated)
    for name in SOURCED:
        text += f'\n[{path}.{name}]\nsource = "{SOURCE_SOURCED}"\nconfidence = "D"\n'
        text += tables(f"{path}.{name}", values[name])
    return text


def calibrated(rounds: int, levels: Collection[str] = tuple(POSES)) -> dict[str, CervicalParameters]:
    """Return C4 and C7, or one of them, refined on their references from the starting shapes."""
    folder = File(os.environ["SPINEVIZ_SHARED"]) / "reference"
    result = {}
    for level in levels:
        mesh = in_own_frame(trimesh.load(folder / f"art_{level}.ply", force="mesh"), level)
        shape = two_passes(kind(level), starting(level), mesh, rounds)
        result[level] = centred(with_morphometry(shape, level))
    return result


def starting(level: str) -> CervicalParameters:
    """Return the parameters a fit starts from, set by hand."""
    known = tomllib.loads(START.read_text(encoding="utf-8"))
    return with_groove(known[level], *NO_GROOVE)


def levels(fitted: Mapping[str, CervicalParameters]) -> dict[str, Spec]:
    """Return the shapes of C3 to C7 from the calibrated C4 and C7."""
    shapes: dict[str, Any] = {}
    aims = {}
    for level in MORPHOMETRY:
        shapes[level], aims[level] = level_of(
            level, with_morphometry(fitted["C4"], level), with_morphometry(fitted["C7"], level)
        )
    for _ in range(MATINGS):
        shapes = mated(shapes)
        shapes |= {level: brought(centred(shapes[level]), aim, level) for level, aim in aims.items()}
    shapes = mated(shapes)
    shapes["C7"] = on_thorax(shapes)
    values = dict(entries(shapes["C7"].model_dump()))
    shapes["C7"] = with_numbers(shapes["C7"], {path: values[path] + by for path, by in LAST.items()})
    return finished({level: with_morphometry(centred(shapes[level]), level) for level in MORPHOMETRY})


def toml_of_all(shapes: Mapping[str, Spec]) -> str:
    """Return the measures file of C3 to C7."""
    text = "# Shape of the cervical vertebrae C3-C7 in their own frames (see spineviz.anatomy.cervical).\n"
    for level in MORPHOMETRY:
        shape = shapes[level]
        assert isinstance(shape, CervicalParameters)
        source = SOURCE.format(level=level) if level in POSES else SOURCE_BETWEEN
        text += "\n" + toml_of(level, shape, source)
    return text


def main() -> None:
    """Refine C4 and C7, make all levels from them and write the whole measures file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--out", type=File, default=File("meshes/measures/cervical.toml"))
    options = parser.parse_args()
    options.out.write_text(toml_of_all(levels(calibrated(options.rounds))), encoding="utf-8")


if __name__ == "__main__":
    main()
