"""Calibrate the sacrum's walls, body and crests on a reference sacrum by damped least squares.

Run ``python tests/calibration/fit_sacrum.py OUTPUT.json`` with SPINEVIZ_SHARED naming the folder that
holds ``reference/remus_Sacrum.ply`` (Remus et al., PLoS ONE 2021;16(4):e0250456). It starts from
the measures and writes the fitted parameters as JSON. Canal, foramina, facets and endplate keep
their morphometric values: reference points near them take no part, nor does the coccyx. The measures
are such a fit, with the first body's front, the apex and the lateral margins smoothed by hand after it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from scipy.spatial import cKDTree

from spineviz.anatomy import sacrum
from spineviz.anatomy.sacrum_parts import folded, nearby
from spineviz.structure import Floats, Points

SCALE = 0.96
TILT = np.radians(35.0)
ENDPLATE = np.array([-0.04, -1.5, 0.0])
RAISE = np.array([0.0, 0.5, 3.0])
CLIP = 4.0
SPREAD = {"anterior": 2.0, "posterior": 2.0, "half_width": 2.0, "flare": 0.15, "edge": 0.7}
MIDLINE = {("start", 0), ("end", 0)}
LOWEST = {"across": 2.0, "caps": 2.0, "edge": 5.0}
CREST = {"start": 1.5, "end": 1.5, "across": 0.5, "along": 1.0, "caps": 0.5}
BODY = {"half_width": 1.0, "front": 1.0, "back": 1.0, "centre": 1.0}


def reference() -> trimesh.Trimesh:
    """The reference sacrum in the local frame of the model, at the model's size."""
    path = Path(os.environ["SPINEVIZ_SHARED"]) / "reference" / "remus_Sacrum.ply"
    bone = trimesh.load(path, force="mesh")
    x, y, z = (np.asarray(bone.vertices) - ENDPLATE).T
    c, s = np.cos(TILT), np.sin(TILT)
    bone.vertices = (np.column_stack([x, c * y - s * z, s * y + c * z]) - RAISE) * SCALE
    return bone


def samples(bone: trimesh.Trimesh, parameters: sacrum.SacrumParameters) -> tuple[Points, Floats]:
    """Points on and off the reference's surface with their signed distances."""
    dense, faces = trimesh.sample.sample_surface(bone, 150_000, seed=1)
    normals = bone.face_normals[faces]
    random = np.random.default_rng(2)
    on = np.asarray(dense[:7000])
    off = dense[7000:14000] + normals[7000:14000] * random.uniform(-4.0, 6.0, (7000, 1))
    points = np.vstack([on, off])
    distance, nearest = cKDTree(dense).query(points, k=5)
    side = np.sign(np.einsum("ijk,ijk->i", points[:, None] - dense[nearest], normals[nearest]))
    target = np.where(np.arange(len(points)) < len(on), 0.0, side * distance[:, 0])
    points[:, 0] = np.abs(points[:, 0])
    void = parameters.canal(folded(points))
    for foramen in parameters.foramina.values():
        void = np.minimum(void, nearby(foramen, folded(points)))
    x, y, z = points.T
    facet = (z > -14.0) & (x > 11.0) & (x < 33.0) & (y < -15.0)
    kept = (void > 3.0) & ~facet & (z > -113.0) & ~((z > -4.0) & (y > -16.0))
    kept &= ~((z < -96.0) & (x < 8.0) & (y < -28.0))
    return points[kept], target[kept]


Slot = tuple[list[Any], float]


def slots(document: dict[str, Any]) -> list[Slot]:
    """The numbers to be fitted, as paths into the document, and how far each may be expected to move."""
    found: list[Slot] = []
    walls = document["walls"]
    for name, spread in SPREAD.items():
        for i, row in enumerate(walls[name]):
            if name == "half_width" and i >= len(walls[name]) - 2:
                continue
            if isinstance(row, list):
                found += [(["walls", name, i, j], spread) for j in range(2 if i < 2 else 0, len(row))]
            else:
                found.append((["walls", name, i], spread))
    for name, spread in BODY.items():
        found += [(["body", name, i], spread) for i in (1, 2)]
    for k, spine in document["median_crest"].items():
        for name, spread in CREST.items():
            places = [i for i in range(len(spine[name])) if (name, i) not in MIDLINE]
            found += [(["median_crest", k, name, i], spread) for i in places]
    return found


def read(document: Any, path: list[Any]) -> float:
    for key in path:
        document = document[key]
    return float(document)


def written(document: dict[str, Any], paths: list[list[Any]], values: Floats) -> dict[str, Any]:
    """A copy of the document with other numbers at the paths."""
    copy: dict[str, Any] = json.loads(json.dumps(document))
    for path, number in zip(paths, values, strict=True):
        node = copy
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = float(number)
    return copy


def fitted(
    document: dict[str, Any], points: Points, target: Floats, rounds: int, prior: float
) -> dict[str, Any]:
    """Damped Gauss-Newton with a robust loss and a prior at the starting values."""
    found = slots(document)
    paths, spread = [p for p, _ in found], np.array([s for _, s in found])
    start = np.array([read(document, p) for p in paths])
    lowest = np.array([LOWEST.get(p[2] if p[0] == "median_crest" else p[1], -np.inf) for p in paths])

    def residual(values: Floats) -> Floats:
        model = sacrum.SacrumParameters.model_validate(written(document, paths, values))
        error: Floats = CLIP * np.tanh(sacrum.field(model)(points) / CLIP) - CLIP * np.tanh(target / CLIP)
        return error

    step = gauss_newton(residual, start, spread, lowest, prior * len(points) / 1000.0)
    values, damping = start, 1e-2
    for k in range(rounds):
        values, damping, cost, mean = step(values, damping)
        sys.stdout.write(f"{k}: cost {cost:.1f}, mean distance {mean:.3f} mm\n")
        if damping > 1e3:
            break
    return written(document, paths, values)


def gauss_newton(
    residual: Callable[[Floats], Floats], start: Floats, spread: Floats, lowest: Floats, weight: float
) -> Callable[[Floats, float], tuple[Floats, float, float, float]]:
    """One step of the fit: values and damping in; values, damping, cost and mean residual out."""

    def cost(errors: Floats, values: Floats) -> float:
        moved = (values - start) / spread
        return float(2.0 * (np.sqrt(1.0 + errors**2) - 1.0).sum() + weight * (moved**2).sum())

    def step(values: Floats, damping: float) -> tuple[Floats, float, float, float]:
        errors = residual(values)
        before = cost(errors, values)
        columns = []
        for j in range(len(values)):
            moved = values.copy()
            moved[j] += 1e-3 * spread[j]
            columns.append((residual(moved) - errors) / 1e-3)
        slope = np.column_stack(columns)
        robust = 1.0 / np.sqrt(1.0 + errors**2)
        normal = (slope * robust[:, None]).T @ slope + weight * np.eye(len(values))
        downhill = slope.T @ (robust * errors) + weight * (values - start) / spread
        while damping < 1e3:
            move = -np.linalg.solve(normal + damping * 0.05 * len(errors) * np.eye(len(values)), downhill)
            trial = np.maximum(values + np.clip(move, -1.5, 1.5) * spread, lowest)
            errors = residual(trial)
            if cost(errors, trial) < before:
                return trial, max(damping / 3.0, 1e-5), cost(errors, trial), float(np.abs(errors).mean())
            damping *= 4.0
        return values, damping, before, float(np.abs(residual(values)).mean())

    return step


def main(output: str, rounds: int) -> None:
    """Fit and write the parameters."""
    start = sacrum.parameters()
    points, target = samples(reference(), start)
    document = fitted(json.loads(start.model_dump_json()), points, target, rounds, 0.6)
    Path(output).write_text(json.dumps(document), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 8)
