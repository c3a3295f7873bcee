"""Calibrate the lumbar vertebra's shape parameters on reference bones, by least squares.

    SPINEVIZ_SHARED=<folder> python tests/calibration/fit_vertebra.py [L3 L5] [--rounds 15] [--out FILE]

The folder holds ``reference/clouthier_L3.ply`` and ``clouthier_L5.ply``: the mean of 87
patients (Clouthier et al., J Biomech 2023;146:111421, MIT licence). Only parameters are kept, no vertex is.

1. Each reference is moved to the bone's own frame: x = 0 its plane of symmetry, z normal to the
   mid-plane of its endplates, the origin in the body.
2. It is sampled on its surface (distance 0) and off it (signed distance): without the points off the
   surface a process may overshoot into free space at no cost.
3. The parameters now in ``meshes/measures/vertebrae.toml`` are refined: Gauss-Newton steps with a robust
   loss, a weak pull to the starting values, and bounds that keep every part a plausible shape. The first pass
   looks 10 mm far, the second 3 mm.
4. L4 is the mean of L3 and L5, moved by what published morphometry says L4 departs from that mean.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from scipy.spatial import cKDTree

from spineviz import measures
from spineviz.anatomy.vertebra_solid import VertebraParameters, joined, part_fields

SOURCE = (
    "calibrated on the mean of 87 patients, Clouthier et al., J Biomech 2023;146:111421 (MIT), "
    "by tests/calibration/fit_vertebra.py"
)
SOURCE_L4 = (
    "model values: mean of the calibrated L3 and L5 (Clouthier et al., J Biomech 2023;146:111421), moved "
    "by the departure of L4 from that mean in a blend of published morphometry (Panjabi 1992, Bonczar 2024)"
)

SCALES = {
    "roll": 8.0, "exponent": 0.3, "exponents": 0.3, "curl": 0.01, "notch": 0.05, "notch_width": 2.0,
    "dish_extent": 0.08, "waist_exponent": 0.5, "tilt": 0.7, "sagittal_curvature": 0.5,
    "lateral_curvature": 0.5,
}  # fmt: skip
"""How far a parameter may be expected to move, by its name; 1 (mm) for all others."""

LIMITS: dict[str, tuple[float, float]] = {
    "across": (1.8, 11.0), "along": (2.5, 14.0), "caps": (3.0, 10.0), "exponent": (1.9, 2.2),
    "blend": (4.5, 8.0),
    "curl": (-0.045, 0.045), "roll": (-75.0, 75.0), "exponents": (1.9, 3.2), "notch": (0.0, 0.2),
    "notch_width": (5.0, 14.0), "waist_exponent": (1.6, 4.0), "edges": (2.0, 7.0), "dish_extent": (0.6, 1.0),
    "dish_depth": (0.5, 4.0), "dish_centre": (-6.0, 4.0), "half_thickness": (1.8, 5.0),
    "half_height": (3.0, 14.0),
    "cap": (3.0, 10.0), "bulb_thickness": (2.0, 5.5), "bulb_depth": (2.5, 6.0), "bulb_blend": (1.5, 8.0),
}  # fmt: skip

SOURCED = ("pedicle_axis", "superior_facet", "inferior_facet")
SOURCE_SOURCED = (
    "model values, blend of published morphometry (Panjabi 1992 and 1993, Zindrick 1987 and others)"
)
MORPHOMETRY: dict[str, dict[str, dict[str, float]]] = {
    "L3": {
        "pedicle_axis": {"medial": 15.0, "caudal": 5.0},
        "superior_facet": {"width": 12.7, "height": 16.0},
        "inferior_facet": {"width": 13.8, "height": 15.7},
    },
    "L4": {
        "pedicle_axis": {"medial": 18.0, "caudal": 3.0},
        "superior_facet": {"width": 13.8, "height": 15.7},
        "inferior_facet": {"width": 14.7, "height": 16.2},
    },
    "L5": {
        "pedicle_axis": {"medial": 27.0, "caudal": 0.0},
        "superior_facet": {"width": 14.7, "height": 16.2},
        "inferior_facet": {"width": 15.6, "height": 18.4},
    },
}
"""Measures that the surface does not tell; they are not calibrated."""

FIXED = {
    ("pedicle", "caps"), ("pedicle", "curl"), ("lamina", "caps"), ("lamina", "curl"),
    ("transverse_process", "curl"), ("mammillary_process", "roll"), ("mammillary_process", "curl"),
    ("mammillary_process", "bow"), ("mammillary_process", "caps"), ("mammillary_process", "exponent"),
}  # fmt: skip
"""Parameters that are set by hand and not calibrated."""

L4_DEPARTURES: dict[tuple[str, str], tuple[float, ...]] = {
    ("body", "half_width"): (0.37, 0.4, 0.4),
    ("body", "anterior_depth"): (0.27, 0.1, 0.0),
    ("body", "posterior_depth"): (0.27, 0.1, 0.0),
    ("pedicle", "across"): (-0.4, -0.4, -0.4),
    ("transverse_process", "end"): (-2.2, 0.3, 0.0),
    ("lamina", "along"): (0.3, 0.3, 0.3),
    ("spinous_process", "end"): (-1.3, 0.0),
    ("spinous_process", "half_height"): (0.3, 0.5, 0.5, 0.5),
    ("spinous_process", "bulb_superior"): (-1.3, 0.5),
    ("spinous_process", "bulb_inferior"): (-1.3, -0.5),
}
"""Half of (recommended L4 - mean of recommended L3 and L5), mm, for the measures that depart clearly."""


@dataclass(frozen=True)
class Target:
    """Points in the bone's frame, the signed distance the model should have there, and weights."""

    points: np.ndarray
    distances: np.ndarray
    weights: np.ndarray


# --- the reference ---------------------------------------------------------------------------------


def in_own_frame(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """Return the reference in the bone's own frame."""
    points = np.asarray(mesh.vertices) - np.mean(mesh.vertices, axis=0)
    for _ in range(40):
        mirrored = points * [-1.0, 1.0, 1.0]
        partner = mirrored[cKDTree(mirrored).query(points)[1]]
        rotation, shift = _rigid(points, (points + partner) / 2.0)
        points = points @ rotation.T + shift
    result = trimesh.Trimesh(points, mesh.faces, process=False)
    for _ in range(6):
        above, below = _endplates(result)
        pitch = np.arctan2(*(above - below)[1:])
        c, s = np.cos(pitch), np.sin(pitch)
        result.vertices = result.vertices @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]]).T
    front = result.vertices[:, 1].max()
    centres, weights = _plate_faces(result)
    middle = (centres[weights > 0, 2].mean() + centres[weights < 0, 2].mean()) / 2.0
    result.vertices = result.vertices - [0.0, front - 17.0, middle]
    return result


def _plate_faces(mesh: trimesh.Trimesh) -> tuple[np.ndarray, np.ndarray]:
    """Return centres of the endplates' faces, and their areas, negative for the inferior endplate."""
    centre, normal = mesh.triangles_center, mesh.face_normals
    front = mesh.vertices[:, 1].max()
    body = (centre[:, 1] > front - 30) & (centre[:, 1] < front - 4) & (np.abs(centre[:, 0]) < 20)
    chosen = body & (np.abs(normal[:, 2]) > 0.8)
    return centre[chosen], (mesh.area_faces * np.sign(normal[:, 2]))[chosen]


def _endplates(mesh: trimesh.Trimesh) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean unit normals of the superior and the inferior endplate."""
    centre, normal = mesh.triangles_center, mesh.face_normals
    front = mesh.vertices[:, 1].max()
    body = (centre[:, 1] > front - 30) & (centre[:, 1] < front - 4) & (np.abs(centre[:, 0]) < 20)
    normals = []
    for side in (1.0, -1.0):
        chosen = body & (side * normal[:, 2] > 0.8)
        mean = (normal[chosen] * mesh.area_faces[chosen, None]).sum(axis=0)
        normals.append(mean / np.linalg.norm(mean))
    return normals[0], normals[1]


def _rigid(source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rotation and shift that carry source onto target (least squares)."""
    a, b = source.mean(axis=0), target.mean(axis=0)
    u, _, vt = np.linalg.svd((target - b).T @ (source - a))
    rotation = u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt
    return rotation, b - rotation @ a


def target_of(mesh: trimesh.Trimesh, surface: int, space: int, seed: int = 0) -> Target:
    """Sample a reference on its surface and around it; the right side is folded onto the left."""
    random = np.random.default_rng(seed)
    on, face = trimesh.sample.sample_surface(mesh, surface, seed=seed)
    near = on + mesh.face_normals[face] * random.uniform(-5.0, 6.0, (len(on), 1))
    lower, upper = mesh.bounds
    far = random.uniform(lower - 8.0, upper + 8.0, (space, 3))
    around = np.vstack([near[: space // 2], far[space // 2 :]])
    dense, dense_face = trimesh.sample.sample_surface(mesh, 150_000, seed=seed + 1)
    distance, nearest = cKDTree(dense).query(around, k=5)
    outward = ((around[:, None] - dense[nearest]) * mesh.face_normals[dense_face][nearest]).sum(axis=(1, 2))
    points = np.vstack([on, around])
    points[:, 0] = np.abs(points[:, 0])
    return Target(
        points,
        np.concatenate([np.zeros(len(on)), np.sign(outward) * distance[:, 0]]),
        np.concatenate([np.ones(len(on)), np.full(space, 0.5)]),
    )


# --- parameters as a vector ------------------------------------------------------------------------


def entries(values: dict[str, Any], path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], float]]:
    """Yield the path and value of every number in nested parameters."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from entries(value, (*path, key))
        elif isinstance(value, (tuple, list)):
            yield from (((*path, key, i), float(number)) for i, number in enumerate(value))
        else:
            yield (*path, key), float(value)


def with_numbers(parameters: VertebraParameters, numbers: dict[tuple[Any, ...], float]) -> VertebraParameters:
    """Return parameters with some numbers replaced, by path."""
    values = parameters.model_dump()
    for path, number in numbers.items():
        place: Any = values
        for key in path[: -2 if isinstance(path[-1], int) else -1]:
            place = place[key]
        if isinstance(path[-1], int):
            place[path[-2]] = tuple(number if i == path[-1] else v for i, v in enumerate(place[path[-2]]))
        else:
            place[path[-1]] = number
    return VertebraParameters.model_validate(values)


def _name(path: tuple[Any, ...]) -> str:
    return str(path[-2] if isinstance(path[-1], int) else path[-1])


def free_paths(parameters: VertebraParameters) -> list[tuple[Any, ...]]:
    """Return the paths of the numbers that are calibrated."""
    return [path for path, _ in entries(parameters.model_dump()) if _is_free(path)]


def _is_free(path: tuple[Any, ...]) -> bool:
    return path[0] not in SOURCED and (path[0], _name(path)) not in FIXED


def bounded(path: tuple[Any, ...], number: float) -> float:
    """Return a number within the limits of its name."""
    low, high = LIMITS.get(_name(path), (-100.0, 100.0))
    if path[0] == "mammillary_process" and _name(path) in ("across", "along"):
        low, high = 3.6, 6.5
    return min(max(number, low), high)


ROUNDNESS = 1.0
"""A process' end cap reaches at least this many times its last half-widths: tips are round, never cut off."""


def plausible(paths: list[tuple[Any, ...]], numbers: list[float]) -> np.ndarray:
    """Return numbers within their limits, the tips of the processes rounded."""
    values = {path: bounded(path, v) for path, v in zip(paths, numbers, strict=True)}
    for path in paths:
        ends = []
        if path[1:] == ("caps", 1):
            ends = [max(p for p in paths if p[:2] == (path[0], name)) for name in ("across", "along")]
        elif path == ("spinous_process", "cap"):
            ends = [max(p for p in paths if p[:2] == (path[0], "half_height"))]
        values[path] = max([values[path], *(ROUNDNESS * values[end] for end in ends)])
    return np.array([values[path] for path in paths])


# --- the fit ---------------------------------------------------------------------------------------


def fit(
    start: VertebraParameters,
    target: Target,
    reach: float,
    rounds: int,
    pull: float = 0.05,
) -> VertebraParameters:
    """Refine parameters on a target; differences beyond ``reach`` (mm) no longer count."""
    paths = free_paths(start)
    owner = [str(path[0]) for path in paths]
    scale = np.array([SCALES.get(_name(path), 1.0) for path in paths])
    values = dict(entries(start.model_dump()))
    x = plausible(paths, [values[path] for path in paths])
    rest = np.array([values[path] for path in paths])
    wanted = reach * np.tanh(target.distances / reach)
    strength = pull * len(target.points) / 1000.0

    def shape(x: np.ndarray) -> VertebraParameters:
        return with_numbers(start, dict(zip(paths, x.tolist(), strict=True)))

    def parts(p: VertebraParameters) -> dict[str, np.ndarray]:
        return {name: part(target.points) for name, part in part_fields(p).items()}

    def misfit(p: VertebraParameters, distances: dict[str, np.ndarray]) -> np.ndarray:
        return target.weights * (reach * np.tanh(joined(p, distances) / reach) - wanted)

    def cost(r: np.ndarray, x: np.ndarray) -> float:
        return float(2.0 * (np.sqrt(1.0 + r * r) - 1.0).sum() + strength * (((x - rest) / scale) ** 2).sum())

    now = shape(x)
    distances = parts(now)
    r = misfit(now, distances)
    best, damping = cost(r, x), 1e-2
    for _ in range(rounds):
        jacobian = np.empty((len(target.points), len(x)))
        for j, name in enumerate(owner):
            nudged = x.copy()
            nudged[j] += 1e-3 * scale[j]
            p = shape(nudged)
            changed = {**distances, name: part_fields(p)[name](target.points)}
            jacobian[:, j] = (misfit(p, changed) - r) / 1e-3
        weight = 1.0 / np.sqrt(1.0 + r * r)
        hessian = (jacobian * weight[:, None]).T @ jacobian + strength * np.eye(len(x))
        slope = jacobian.T @ (weight * r) + strength * (x - rest) / scale
        for _ in range(6):
            step = -np.linalg.solve(hessian + damping * 0.1 * len(r) * np.eye(len(x)), slope)
            y = x + np.clip(step, -2.0, 2.0) * scale
            y = plausible(paths, y.tolist())
            p = shape(y)
            tried = parts(p)
            r_tried = misfit(p, tried)
            if cost(r_tried, y) < best:
                break
            damping *= 4.0
        else:
            break
        gain = 1.0 - cost(r_tried, y) / best
        x, distances, r, best, damping = y, tried, r_tried, cost(r_tried, y), max(damping / 3.0, 1e-5)
        if gain < 2e-4:
            break
    return shape(x)


def between(l3: VertebraParameters, l5: VertebraParameters) -> VertebraParameters:
    """Return L4: the mean of its neighbours and the published departures from it."""
    other = dict(entries(l5.model_dump()))
    mean = {path: (value + other[path]) / 2.0 for path, value in entries(l3.model_dump())}
    for (part, name), departures in L4_DEPARTURES.items():
        for i, departure in enumerate(departures):
            mean[(part, name, i)] += departure
    return with_numbers(l3, mean)


# --- files -----------------------------------------------------------------------------------------


def toml_of(level: str, parameters: VertebraParameters, source: str) -> str:
    """Return one level's tables for the measures file."""
    confidence = "D" if source == SOURCE_L4 else "V1"
    head = f'[vertebrae.{level}]\nsource = "{source}"\nconfidence = "{confidence}"\nunit = "mm, deg, 1/mm"\n'
    values = {name: part for name, part in parameters.model_dump().items() if name not in SOURCED}
    text = head + _tables(f"vertebrae.{level}", values)
    for name, numbers in MORPHOMETRY[level].items():
        text += f'\n[vertebrae.{level}.{name}]\nsource = "{SOURCE_SOURCED}"\nconfidence = "D"\n'
        text += _tables(f"vertebrae.{level}.{name}", numbers)
    return text


def _tables(path: str, values: dict[str, Any]) -> str:
    lines, inner = [], []
    for key, value in values.items():
        if isinstance(value, dict):
            inner.append(f"\n[{path}.{key}]\n{_tables(f'{path}.{key}', value)}")
        elif isinstance(value, (tuple, list)):
            lines.append(f"{key} = [{', '.join(_number(v) for v in value)}]\n")
        else:
            lines.append(f"{key} = {_number(value)}\n")
    return "".join(lines + inner)


def _number(value: float) -> str:
    text = f"{value:.4f}".rstrip("0") if abs(value) < 0.1 else f"{value:.2f}".rstrip("0")
    return "0.0" if text in ("-0.", "0.") else text + "0" if text.endswith(".") else text


def main() -> None:
    """Refine the levels asked for and write the whole measures file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("levels", nargs="*", default=["L3", "L5"])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", type=Path, default=Path("meshes/measures/vertebrae.toml"))
    options = parser.parse_args()
    folder = Path(os.environ["SPINEVIZ_SHARED"]) / "reference"
    shapes = {}
    for level in ("L3", "L5"):
        shape = VertebraParameters.model_validate(measures.table(f"vertebrae.{level}"))
        if level in options.levels:
            mesh = in_own_frame(trimesh.load(folder / f"clouthier_{level}.ply", force="mesh"))
            shape = fit(shape, target_of(mesh, 2500, 5000), 10.0, options.rounds)
            shape = fit(shape, target_of(mesh, 4000, 7000, seed=7), 3.0, options.rounds)
        shapes[level] = shape
    text = "# Shape of the lumbar vertebrae in their own frames (see spineviz.anatomy.vertebra).\n\n"
    text += toml_of("L3", shapes["L3"], SOURCE) + "\n"
    text += toml_of("L4", between(shapes["L3"], shapes["L5"]), SOURCE_L4) + "\n"
    text += toml_of("L5", shapes["L5"], SOURCE)
    options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
