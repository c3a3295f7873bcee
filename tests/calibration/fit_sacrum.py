"""Calibrate the sacrum's walls, body and crests, and the coccyx, on a reference by damped least squares.

Run ``python tests/calibration/fit_sacrum.py sacrum|coccyx OUTPUT.toml``, SPINEVIZ_SHARED naming the folder
of ``reference/remus_Sacrum.ply`` (Remus et al., PLoS ONE 2021;16(4):e0250456). The sacrum starts from
``start_sacrum.toml``, so that every run ends alike, the coccyx from its measures; both are written as their
measures file. `sacrum_relief` then sets what the smooth scan does not show. Canal, foramina, facets and
endplate keep their morphometric values: reference points near them take no part, nor does the coccyx.
Besides the pull to the starting values a penalty on their second differences along z keeps the walls
smooth: what stands out from them is a crest or a tubercle, and has a part of its own. The coccyx hangs
below the revised sacrum's apex. After its fit the segments were drawn a little apart and the cornua
shortened by hand.
"""

from __future__ import annotations

import json
import os
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from sacrum_relief import by_hand, toml_of
from scipy.spatial import cKDTree

from spineviz import measures
from spineviz.anatomy import coccyx, sacrum
from spineviz.anatomy.sacrum.parts import folded, nearby
from spineviz.library import data_folder
from spineviz.sdf import Field
from spineviz.structure import Floats, Points

SCALE = 0.96
TILT = np.radians(35.0)
ENDPLATE = np.array([-0.04, -1.5, 0.0])
RAISE = np.array([0.0, 0.5, 3.0])
CLIP = 4.0
SPREAD = {"anterior": 2.0, "posterior": 2.0, "half_width": 2.0, "flare": 0.15, "edge": 0.7}
SMOOTH = {"anterior": 1.0, "posterior": 1.0, "half_width": 0.5, "flare": 10.0}
STIFFNESS, PRIOR = 0.02, 0.6
MIDLINE = {("start", 0), ("end", 0)}
LOWEST = {"across": 2.6, "caps": 2.0, "edge": 5.0, "radii": 2.0, "half_depth": 1.8}
STRUT = {"start": 1.2, "end": 1.2, "radii": 0.5}
CREST = {"start": 1.5, "end": 1.5, "across": 0.5, "along": 1.0, "caps": 0.5}
COCCYX = {"start": 1.5, "end": 1.5, "half_width": 1.0, "half_depth": 0.7, "caps": 0.5, "across": 0.6}
COCCYX |= {"along": 0.6, "radii": 0.4}
FACETS = ("superior_process", "facet")
BODY = {"half_width": 1.0, "front": 1.0, "back": 1.0, "centre": 1.0}


def reference() -> trimesh.Trimesh:
    """The reference sacrum in the local frame of the model, at the model's size."""
    path = Path(os.environ["SPINEVIZ_SHARED"]) / "reference" / "remus_Sacrum.ply"
    bone = trimesh.load(path, force="mesh")
    x, y, z = (np.asarray(bone.vertices) - ENDPLATE).T
    c, s = np.cos(TILT), np.sin(TILT)
    bone.vertices = (np.column_stack([x, c * y - s * z, s * y + c * z]) - RAISE) * SCALE
    return bone


def samples(
    bone: trimesh.Trimesh, parameters: sacrum.SacrumParameters, lowest: float = -117.0
) -> tuple[Points, Floats]:
    """Points on and off the reference's surface with their signed distances, above z = ``lowest`` (mm)."""
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
    kept = (void > 3.0) & ~facet & (z > lowest) & ~((z > -4.0) & (y > -16.0))
    kept &= ~((z < -96.0) & (z > -121.0) & (x < 8.0) & (y < -26.0))
    return points[kept], target[kept]


Slot = tuple[list[Any], float]


def slots(document: dict[str, Any]) -> list[Slot]:
    """The numbers to be fitted, as paths into the document, and how far each may be expected to move."""
    found: list[Slot] = []
    walls = document["walls"]
    for name, spread in SPREAD.items():
        for i, row in enumerate(walls[name]):
            if name == "half_width" and i >= len(walls[name]) - 3:
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
    for group in ("crests", "pits"):
        for k, strut in document[group].items():
            for name, spread in STRUT.items():
                found += [([group, k, name, i], spread) for i in range(len(strut[name]))]
    return found


def roughness(document: dict[str, Any]) -> Floats:
    """The walls' second differences along z: about the mm by which a station leaves its neighbours' line."""
    walls = document["walls"]
    z = np.asarray(walls["heights"])
    rows = [np.asarray(walls[name]).reshape(len(z), -1) * weight for name, weight in SMOOTH.items()]
    values = np.column_stack(rows)[1:]
    share = ((z[2:-1] - z[1:-2]) / (z[3:] - z[1:-2]))[:, None]
    between = values[:-2] * (1.0 - share) + values[2:] * share
    span: Floats = ((z[3:] - z[1:-2]) / 24.0)[:, None]
    return np.ravel((values[1:-1] - between) / span**2)


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
    document: dict[str, Any],
    found: list[Slot],
    field: Callable[[dict[str, Any]], Field],
    points: Points,
    target: Floats,
    rounds: int,
    rough: Callable[[dict[str, Any]], Floats] | None = None,
) -> dict[str, Any]:
    """Damped Gauss-Newton with a robust loss and a prior at the starting values.

    ``field`` makes a distance of a document; ``rough`` returns what is to be kept small besides.
    """
    paths, spread = [p for p, _ in found], np.array([s for _, s in found])
    start = np.array([read(document, p) for p in paths])
    lowest = np.array([LOWEST.get(p[-2] if isinstance(p[-1], int) else p[-1], -np.inf) for p in paths])

    def residual(values: Floats) -> Floats:
        changed = written(document, paths, values)
        error: Floats = CLIP * np.tanh(field(changed)(points) / CLIP) - CLIP * np.tanh(target / CLIP)
        if rough is None:
            return error
        return np.concatenate([error, np.sqrt(STIFFNESS * len(points) / 100.0) * rough(changed)])

    step = gauss_newton(residual, start, spread, lowest, PRIOR * len(points) / 1000.0)
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


def sacral_field(document: dict[str, Any]) -> Field:
    """The distance to a sacrum."""
    return sacrum.field(sacrum.SacrumParameters.model_validate(document))


def coccygeal_field(document: dict[str, Any]) -> Field:
    """The distance to a coccyx."""
    return coccyx.field(coccyx.CoccyxParameters.model_validate(document))


def coccygeal_slots(node: dict[str, Any], path: tuple[Any, ...] = ()) -> list[Slot]:
    """The coccyx's numbers to be fitted."""
    found: list[Slot] = []
    for key, inner in node.items():
        if isinstance(inner, dict):
            found += coccygeal_slots(inner, (*path, key))
        elif path and key in COCCYX:
            found += [([*path, key, i], COCCYX[key]) for i in range(len(inner))]
    return found


def fitted_coccyx(rounds: int) -> dict[str, Any]:
    """The coccyx, fitted on the part of the reference below the sacrum's apex."""
    start, model = coccyx.parameters(), sacrum.parameters()
    points, target = samples(reference(), model, lowest=-np.inf)
    local = coccyx.below(start, sacrum.landmarks(model)["apex"]).to_local(points)
    hangs = local[:, 2] < -2.0
    document = json.loads(start.model_dump_json())
    return fitted(document, coccygeal_slots(document), coccygeal_field, local[hangs], target[hangs], rounds)


def begun() -> sacrum.SacrumParameters:
    """The sacrum that the fit begins with: round numbers for what is fitted, the rest as in the measures."""
    text = Path(__file__).with_name("start_sacrum.toml").read_text("utf-8")
    known = measures.table("sacrum") | tomllib.loads(text)["start"]
    return sacrum.SacrumParameters.model_validate(known)


def fitted_sacrum(rounds: int) -> dict[str, Any]:
    """The sacrum, fitted on the reference above the apex, with what is set by hand."""
    start = begun()
    points, target = samples(reference(), start)
    document = json.loads(start.model_dump_json())
    document = fitted(document, slots(document), sacral_field, points, target, rounds, roughness)
    now = json.loads(sacrum.parameters().model_dump_json())
    return by_hand(document) | {name: now[name] for name in FACETS}


def main(bone: str, output: str, rounds: int) -> None:
    """Fit and write the parameters as the measures file of the bone."""
    document = fitted_coccyx(rounds) if bone == "coccyx" else fitted_sacrum(rounds)
    now = (data_folder("meshes") / "measures" / f"{bone}.toml").read_text("utf-8")
    Path(output).write_text(toml_of(document, now), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 3)
