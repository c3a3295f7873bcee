"""Calibrate the atlas' shape parameters on two reference atlases at once, by least squares.

    SPINEVIZ_SHARED=<folder> python tests/calibration/fit_atlas.py [--rounds 8] [--out FILE]

The folder holds ``reference/art_C1.ply`` (cervical spine of the ArtiSynth jaw-neck model, symmetric) and
``reference/spl_C1.ply`` (one adult's CT, SPL head and neck atlas). Only parameters are kept, no vertex is.

1. The first reference is scaled to the recommended size and moved to the bone's own frame; the second is
   aligned to it: pitch, shift in the plane of symmetry, one uniform scale.
2. Both are sampled into one target: the fit is a compromise of two people who differ by 1.7 mm.
3. Points on the axis' facets (from ``meshes/measures/axis.toml``) are wanted a joint space away.
4. The parameters in ``start_atlas.toml``, set by hand, are refined (see ``fitting``) and brought to within
a tenth of published morphometry.
"""

from __future__ import annotations

import argparse
import os
import tomllib
from pathlib import Path as File
from typing import Any, TypeVar

import numpy as np
import trimesh
from cervical_levels import NEAR, SURELY
from fitting import Path, Shape, Target, fit, name_of, symmetric, tables, target_of
from scipy.spatial import cKDTree

from spineviz.anatomy import axis
from spineviz.anatomy.atlas.solid import CUTS, AtlasParameters, joined, part_fields
from spineviz.anatomy.axis import AxisParameters
from spineviz.anatomy.morphometry import morph
from spineviz.anatomy.morphometry.calipers import measured
from spineviz.anatomy.morphometry.population import recommended
from spineviz.body.person import KINDS
from spineviz.sdf import mesh
from spineviz.spec import Spec
from spineviz.terms import Level

P = TypeVar("P", bound=Spec)

SOURCE = (
    "calibrated on a compromise of two atlases, ArtiSynth jaw-neck model and SPL head and neck atlas, "
    "by tests/calibration/fit_atlas.py"
)
SOURCE_SIZES = "model values after Doherty & Heggeness 1994, Tan 2003; dens_share: rule of thirds, Steel 1968"
SOURCE_JOINT = (
    "model value: as in the ArtiSynth jaw-neck model, raised so that the atlantodental interval and the "
    "lateral atlantoaxial joint spaces are those of adults (1.5-3 mm, Hinck & Hopkins 1960)"
)

SIZE = 0.875
"""The first reference is this much too large (overall width of C1 77 mm, of C2 54 mm: recommended)."""

CENTRE = (-1.0, 4.0)
"""Where the ring's centre at the height of the anterior arch lies in the centred first reference (mm)."""

ATLAS_ORIGIN = (0.0, -11.3, 19.0)
"""The atlas' own frame in that of the axis (mm): as in the first reference, raised for the joint spaces."""

JOINT_SPACE = 2.0
"""What shall lie between the bones of the atlantoaxial joints (mm)."""

SCALES = {
    "roll": 8.0, "exponent": 0.1, "facing": 0.1, "turn": 6.0, "across": 0.6, "along": 0.6,
    "half_thickness": 0.6, "half_height": 0.6, "blend": 0.5, "radius": 0.8, "height": 0.8,
}  # fmt: skip
"""How far a parameter may be expected to move, by its name; 1 (mm) for all others."""

LIMITS: dict[str, tuple[float, float]] = {
    "exponent": (1.9, 2.5), "blend": (2.0, 5.0), "roll": (-35.0, 35.0), "half_thickness": (2.5, 6.0),
    "half_height": (3.4, 6.0), "turn": (-40.0, 10.0),
}  # fmt: skip

SIZES = ("canal", "superior_facet_size", "inferior_facet_size", "dens_facet_size")
FIXED = {*CUTS, *SIZES, "ligament_tubercle"}
"""Parts that are shaped by hand and by published measures, not calibrated."""

KEPT = ("edge", "curl", "caps", "cap", "bow", "reach")
"""Numbers that are set by hand in every part, not calibrated."""

KEPT_MEASURES = ("spinous_slope", "spinous_length", "pedicle_sagittal_angle", "pedicle_transverse_angle")
"""Measures that are not moved to the recommended ones: the axis' spinous process, whose recommended slope and
free length have no published rows behind them, and angles that are parameters of their own."""

PULL = 1.5
"""How strongly every number is pulled to its starting value: parts keep their anatomical roles."""

STIFF = ("anterior_arch",)
"""Parts that move half as far, so that they end inside the lateral mass without a bulge."""

MIDLINE = ("anterior_tubercle", "posterior_tubercle")
TIPS = ("transverse_process",)


def aligned(moving: trimesh.Trimesh, fixed: trimesh.Trimesh, rounds: int = 60) -> trimesh.Trimesh:
    """Return a symmetric mesh scaled, pitched and moved in the plane of symmetry onto another one."""
    a, b = (np.asarray(trimesh.sample.sample_surface(m, 6000, seed=1)[0]) for m in (moving, fixed))
    scale, rotation, shift = float(np.sqrt(b.var(axis=0).sum() / a.var(axis=0).sum())), np.eye(3), np.zeros(3)
    shift = b.mean(axis=0) - scale * a.mean(axis=0)
    shift[0] = 0.0
    tree = cKDTree(b)
    for _ in range(rounds):
        now = scale * a @ rotation.T + shift
        forth, back = tree.query(now), cKDTree(now).query(b)
        source = np.vstack([a, a[back[1]]])
        wanted = np.vstack([b[forth[1]], b])
        away = np.concatenate([forth[0], back[0]])
        kept = away < np.percentile(away, 95)
        scale, rotation, shift = _pitched(source[kept], wanted[kept])
    return trimesh.Trimesh(scale * moving.vertices @ rotation.T + shift, moving.faces, process=False)


def _pitched(source: np.ndarray, wanted: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the scale, rotation about x and shift without x that carry source onto wanted."""
    p, q = source.mean(axis=0) * [0.0, 1.0, 1.0], wanted.mean(axis=0) * [0.0, 1.0, 1.0]
    a, b = source - p, wanted - q
    sine = float((a[:, 1] * b[:, 2] - a[:, 2] * b[:, 1]).sum())
    cosine = float((a[:, 1] * b[:, 1] + a[:, 2] * b[:, 2]).sum())
    angle = np.arctan2(sine, cosine)
    c, s = np.cos(angle), np.sin(angle)
    rotation = np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])
    scale = float(((a @ rotation.T) * b).sum() / (a * a).sum())
    return scale, rotation, q - scale * rotation @ p


def references(level: str, centre: tuple[float, float], size: float = SIZE) -> list[trimesh.Trimesh]:
    """Return both references of a level in the bone's own frame, at the recommended size."""
    folder = File(os.environ["SPINEVIZ_SHARED"]) / "reference"
    first = symmetric(trimesh.load(folder / f"art_{level}.ply", force="mesh"))
    first.vertices = (first.vertices - [0.0, *centre]) * size
    second = symmetric(trimesh.load(folder / f"spl_{level}.ply", force="mesh"))
    return [first, aligned(second, first)]


def target_of_both(meshes: list[trimesh.Trimesh], surface: int, space: int, seed: int = 0) -> Target:
    """Sample several references into one target."""
    parts = [target_of(mesh, surface, space, seed) for mesh in meshes]
    return Target(
        np.vstack([part.points for part in parts]),
        np.concatenate([part.distances for part in parts]),
        np.concatenate([part.weights for part in parts]),
    )


def joint_target(axis_parameters: AxisParameters) -> Target:
    """Return points on the axis' facets, in the atlas' frame, that the atlas shall keep clear of."""
    points = mesh(axis.solid(axis_parameters), 0.8, mirror=True).vertices.astype(np.float64)
    points = points[(axis.cartilage(axis_parameters, points) > 0.5) & (points[:, 0] >= 0.0)]
    points = points[points[:, 2] > 3.0] - ATLAS_ORIGIN
    return Target(points, np.full(len(points), JOINT_SPACE), np.ones(len(points)))


def with_joint(target: Target, joint: Target) -> Target:
    """Return a target and the joint's, which weighs a quarter as much."""
    weight = 0.5 * np.sqrt(len(target.points) / len(joint.points))
    return Target(
        np.vstack([target.points, joint.points]),
        np.concatenate([target.distances, joint.distances]),
        np.concatenate([target.weights, np.full(len(joint.points), weight)]),
    )


def _is_free(path: Path) -> bool:
    on_midline = path[0] in MIDLINE and path[1] in ("start", "end") and path[2] == 0
    return path[0] not in FIXED and name_of(path) not in KEPT and not on_midline


def _scale(path: Path) -> float:
    return SCALES.get(name_of(path), 1.0) * (0.5 if path[0] in STIFF else 1.0)


def _plausible(paths: list[Path], numbers: list[float]) -> np.ndarray:
    values = dict(zip(paths, numbers, strict=True))
    for path in paths:
        low, high = LIMITS.get(name_of(path), (-100.0, 100.0))
        if name_of(path) in ("across", "along") and len(path) == 3:
            low, high = 2.2, 13.0
        values[path] = min(max(values[path], low), high)
        if path[0] in TIPS and path[1:] == ("caps", 1):
            ends = [max(p for p in paths if p[:2] == (path[0], name)) for name in ("across", "along")]
            values[path] = max([values[path], *(values[end] for end in ends)])
    return np.array([values[path] for path in paths])


ATLAS: Shape[AtlasParameters] = Shape(part_fields, joined, _is_free, _scale, _plausible)


def started(bone: str) -> dict[str, Any]:
    """Return the parameters a fit starts from, set by hand."""
    return tomllib.loads(File(__file__).with_name(f"start_{bone}.toml").read_text(encoding="utf-8"))


def brought(shape: P, level: Level) -> P:
    """Return a shape of atlas or axis with its measures near the recommended ones."""
    kind, usual = KINDS[level], recommended(level)
    for _ in range(2):
        now = measured(kind.field(shape), kind.landmarks(shape), sides=("right",))
        aim = {}
        for name, value in now.items():
            reach = max(NEAR * abs(usual[name]) - SURELY, 0.0)
            aim[name] = float(np.clip(value, usual[name] - reach, usual[name] + reach))
        aim = {name: value for name, value in aim.items() if name not in KEPT_MEASURES}
        shape = morph.prepare(shape, level, kind).near(aim).parameters
    return shape


def toml_of(parameters: AtlasParameters) -> str:
    """Return the measures file."""
    values = parameters.model_dump()
    sizes = {name: values.pop(name) for name in SIZES}
    text = "# Shape of the atlas in its own frame (see spineviz.anatomy.atlas).\n\n[atlas.C1]\n"
    text += f'source = "{SOURCE}"\nconfidence = "D"\nunit = "mm, deg, 1/mm"\n' + tables("atlas.C1", values)
    for name, numbers in sizes.items():
        text += f'\n[atlas.C1.{name}]\nsource = "{SOURCE_SIZES}"\nconfidence = "D"\n'
        text += tables(f"atlas.C1.{name}", numbers)
    origin = ", ".join(f"{number:.2f}" for number in ATLAS_ORIGIN)
    text += "\n# The atlas' own frame in that of the axis, neutral position.\n[atlantoaxial]\n"
    text += (
        f'atlas_origin = {{ value = [{origin}], unit = "mm", source = "{SOURCE_JOINT}", confidence = "D" }}\n'
    )
    return text


def main() -> None:
    """Refine the atlas and write its measures file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--out", type=File, default=File("meshes/measures/atlas.toml"))
    options = parser.parse_args()
    both = references("C1", CENTRE)
    shape = AtlasParameters.model_validate(started("atlas"))
    joint = joint_target(axis.parameters_of("C2"))
    far = with_joint(target_of_both(both, 1800, 3000), joint)
    near = with_joint(target_of_both(both, 3000, 4000, seed=7), joint)
    shape = fit(ATLAS, shape, far, 6.0, options.rounds, PULL)
    shape = fit(ATLAS, shape, near, 3.0, options.rounds, PULL)
    options.out.write_text(toml_of(brought(shape, "C1")), encoding="utf-8")


if __name__ == "__main__":
    main()
