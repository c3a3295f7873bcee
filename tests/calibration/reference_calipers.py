"""Caliper measures of a reference bone: what somebody who holds the bone in hand could tell about it.

A caliper needs landmarks to be laid on. Those of a similar shape are taken to begin with (a neighbour's, or
the mean of two), the bone is measured, the shape moved to these measures, and its landmarks lie nearer.
A few such rounds end where landmarks and measures agree. Only measures leave this module, no surface.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

import numpy as np
import trimesh
from scipy.spatial import cKDTree

from spineviz.anatomy.morphometry import morph
from spineviz.anatomy.morphometry.caliper_parts import PARTS
from spineviz.anatomy.morphometry.calipers import measured, unit
from spineviz.anatomy.morphometry.population import allowed, recommended
from spineviz.sdf.solid import Field
from spineviz.spec import Spec
from spineviz.structure import Floats, Frame, Points

P = TypeVar("P", bound=Spec)

FROM_LANDMARKS = ("pedicle_transverse_angle", "pedicle_sagittal_angle")
"""Measures that repeat a landmark's direction; a surface does not tell them."""

ROUNDS = 3
"""How often landmarks and measures are brought together."""


def distance_to(bone: trimesh.Trimesh, samples: int = 200_000) -> Field:
    """Return the signed distance (mm, negative inside) to a mesh, also to one with holes: (n, 3) -> (n,).

    The sign is told by the normals of the five nearest of many points on the surface.
    """
    dense, face = trimesh.sample.sample_surface(bone, samples, seed=11)
    normals, tree = np.asarray(bone.face_normals[face]), cKDTree(dense)

    def distance(points: Points) -> Floats:
        _, nearest = tree.query(points, k=5)
        ways = np.asarray(points)[:, None] - dense[nearest]
        outward = np.einsum("ijk,ijk->ij", ways, normals[nearest])
        away = np.where(np.einsum("ij->i", outward) > 0.0, 1.0, -1.0)
        beside = np.linalg.norm(ways[:, 0], axis=1)
        flat: Floats = np.abs(outward).min(axis=1)
        return away * np.where(beside < 1.5, np.minimum(beside, np.maximum(flat, 0.0)), beside)

    return distance


def calipers_of(
    distance: Field, landmarks: Mapping[str, Frame], left_out: Collection[str] = ()
) -> dict[str, float]:
    """Return a bone's measures (mm, degrees) by name; what no caliper finds on it is left out.

    ``left_out`` are parts of `caliper_parts.PARTS` that the bone does not show.
    """
    found: dict[str, float] = {}
    for part, (_, names) in PARTS.items():
        if part in left_out:
            continue
        try:
            found |= measured(distance, landmarks, only=names, sides=("right",))
        except ValueError:
            continue
    return {name: value for name, value in found.items() if name not in FROM_LANDMARKS}


def agreed(
    bone: trimesh.Trimesh,
    start: P,
    level: str,
    kind: morph.Kind[Any] = morph.VERTEBRAE,
    left_out: Collection[str] = (),
    seen: Callable[[P], None] | None = None,
) -> tuple[P, dict[str, float]]:
    """Return a shape moved to a bone's caliper measures, and these measures.

    ``bone`` stands in the own frame of ``start``, the shape to begin with, which must not know it.
    ``level`` names whose ranges hold; ``seen`` is told the shape after each round.
    """
    distance, shape = distance_to(bone), start
    taken: dict[str, float] = {}
    for _ in range(ROUNDS):
        taken = calipers_of(distance, kind.landmarks(shape), left_out)
        ready = morph.prepare(shape, level, kind)
        shape = ready.near(_human(taken, level, ready.names)).parameters
        if seen is not None:
            seen(shape)
    return shape, taken


def _human(taken: Mapping[str, float], level: str, names: Collection[str]) -> dict[str, float]:
    """Return measures brought within what is human at a level, those with a handle and a usual value."""
    usual = recommended(level)
    limits = {name: allowed(level, name) for name in taken if name in names and name in usual}
    return {name: float(np.clip(taken[name], *limit)) for name, limit in limits.items()}


def told(taken: Mapping[str, float]) -> str:
    """Return measures as one line a measure."""
    return "\n".join(f"{name:32s} {value:7.1f} {unit(name)}" for name, value in taken.items())
