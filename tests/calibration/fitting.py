"""Calibrate a bone's shape parameters on a reference mesh, by least squares: what all levels share.

A bone kind says how its parameters make a signed distance (`Shape`); `fit` refines them.

1. `symmetric` moves a reference to x = 0 its plane of symmetry; each kind then finds its own axes.
2. `target_of` samples it on its surface (distance 0) and off it (signed distance): without the points off the
   surface a process may overshoot into free space at no cost.
3. `fit` takes Gauss-Newton steps with a robust loss, a weak pull to the starting values, and limits that keep
   every part a plausible shape. A first pass looks 10 mm far, a second 3 mm.

Only parameters are kept, no vertex is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import trimesh
from scipy.spatial import cKDTree

from spineviz.sdf.solid import Field
from spineviz.spec import Spec
from spineviz.structure import Floats

P = TypeVar("P", bound=Spec)
Path = tuple[Any, ...]


@dataclass(frozen=True)
class Target:
    """Points in the bone's frame, the signed distance the model should have there, and weights."""

    points: np.ndarray
    distances: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class Shape(Generic[P]):
    """How one kind of bone is fitted.

    ``part_fields`` returns the field of each part, by the name of the parameter class it belongs to;
    ``joined`` joins their distances. ``is_free`` tells which numbers are calibrated (by their path),
    ``scale`` how far each may be expected to move, and ``plausible`` brings numbers back within their limits.
    Parameters under a name that is no part (joints, cuts) count as changing every distance's joining only.
    """

    part_fields: Callable[[P], dict[str, Field]]
    joined: Callable[[P, Mapping[str, Floats]], Floats]
    is_free: Callable[[Path], bool]
    scale: Callable[[Path], float]
    plausible: Callable[[list[Path], list[float]], np.ndarray]


# --- the reference ---------------------------------------------------------------------------------


def symmetric(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """Return the largest body of a reference, moved so that x = 0 is its plane of symmetry."""
    bodies = mesh.split(only_watertight=False)
    mesh = max(bodies, key=lambda body: len(body.faces)) if len(bodies) > 1 else mesh
    points = np.asarray(mesh.vertices) - np.mean(mesh.vertices, axis=0)
    for _ in range(40):
        mirrored = points * [-1.0, 1.0, 1.0]
        partner = mirrored[cKDTree(mirrored).query(points)[1]]
        rotation, shift = _rigid(points, (points + partner) / 2.0)
        points = points @ rotation.T + shift
    return trimesh.Trimesh(points, mesh.faces, process=False)


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


def entries(values: dict[str, Any], path: Path = ()) -> Iterator[tuple[Path, float]]:
    """Yield the path and value of every number in nested parameters."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from entries(value, (*path, key))
        elif isinstance(value, (tuple, list)):
            yield from (((*path, key, i), float(number)) for i, number in enumerate(value))
        elif value is not None:
            yield (*path, key), float(value)


def with_numbers(parameters: P, numbers: Mapping[Path, float]) -> P:
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
    return type(parameters).model_validate(values)


def name_of(path: Path) -> str:
    """Return the name of the field a number belongs to."""
    return str(path[-2] if isinstance(path[-1], int) else path[-1])


# --- the fit ---------------------------------------------------------------------------------------


def fit(
    kind: Shape[P],
    start: P,
    target: Target,
    reach: float,
    rounds: int,
    pull: float = 0.05,
) -> P:
    """Refine parameters on a target; differences beyond ``reach`` (mm) no longer count."""
    paths = [path for path, _ in entries(start.model_dump()) if kind.is_free(path)]
    owner = [str(path[0]) for path in paths]
    scale = np.array([kind.scale(path) for path in paths])
    values = dict(entries(start.model_dump()))
    x = kind.plausible(paths, [values[path] for path in paths])
    rest = np.array([values[path] for path in paths])
    wanted = reach * np.tanh(target.distances / reach)
    strength = pull * len(target.points) / 1000.0

    def shape(x: np.ndarray) -> P:
        return with_numbers(start, dict(zip(paths, x.tolist(), strict=True)))

    def parts(p: P) -> dict[str, np.ndarray]:
        return {name: part(target.points) for name, part in kind.part_fields(p).items()}

    def misfit(p: P, distances: dict[str, np.ndarray]) -> np.ndarray:
        return target.weights * (reach * np.tanh(kind.joined(p, distances) / reach) - wanted)

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
            changed = distances
            if name in distances:
                changed = {**distances, name: kind.part_fields(p)[name](target.points)}
            jacobian[:, j] = (misfit(p, changed) - r) / 1e-3
        weight = 1.0 / np.sqrt(1.0 + r * r)
        hessian = (jacobian * weight[:, None]).T @ jacobian + strength * np.eye(len(x))
        slope = jacobian.T @ (weight * r) + strength * (x - rest) / scale
        for _ in range(6):
            step = -np.linalg.solve(hessian + damping * 0.1 * len(r) * np.eye(len(x)), slope)
            y = x + np.clip(step, -2.0, 2.0) * scale
            y = kind.plausible(paths, y.tolist())
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


# --- files -----------------------------------------------------------------------------------------


def tables(path: str, values: dict[str, Any]) -> str:
    """Return nested parameters as TOML tables under a path."""
    lines, inner = [], []
    for key, value in values.items():
        if isinstance(value, dict):
            inner.append(f"\n[{path}.{key}]\n{tables(f'{path}.{key}', value)}")
        elif isinstance(value, (tuple, list)):
            lines.append(f"{key} = [{', '.join(_number(v) for v in value)}]\n")
        else:
            lines.append(f"{key} = {_number(value)}\n")
    return "".join(lines + inner)


def _number(value: float) -> str:
    text = f"{value:.4f}".rstrip("0") if abs(value) < 0.1 else f"{value:.2f}".rstrip("0")
    return "0.0" if text in ("-0.", "0.") else text + "0" if text.endswith(".") else text


def two_passes(kind: Shape[P], start: P, mesh: trimesh.Trimesh, rounds: int = 15, pull: float = 0.05) -> P:
    """Refine parameters on a reference in the bone's own frame: first looking 10 mm far, then 3 mm."""
    far = fit(kind, start, target_of(mesh, 2500, 5000), 10.0, rounds, pull)
    return fit(kind, far, target_of(mesh, 4000, 7000, seed=7), 3.0, rounds, pull)
