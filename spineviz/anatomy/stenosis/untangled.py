"""Strands that lie against each other, pushed apart where their coarse meshes stand in one another."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from spineviz.anatomy.net import pushed
from spineviz.geometry import surface_distance
from spineviz.structure import Points, Surface

Mask = npt.NDArray[np.bool_]

TOLERATED = 0.08
"""A vertex deeper (mm) than this in another strand is pushed onto its surface."""

ROUNDS = 1


def untangled(surfaces: Mapping[str, Surface], moved: Mapping[str, Mask], near: float) -> dict[str, Surface]:
    """Return strands of which none stands in another where both have ``moved``, by name.

    Thin strands give way to thick ones, then the thick ones' vertices to the thin. ``near`` (mm) is the
    spacing at which surfaces are looked up.
    """
    order = sorted(surfaces, key=lambda name: -_thickness(surfaces[name]))
    vertices = {name: surface.vertices.astype(np.float64) for name, surface in surfaces.items()}
    for _ in range(ROUNDS):
        changed = False
        for row, thick in enumerate(order):
            for which in (order[row + 1 :], order[:row]):
                changed |= _out_of(thick, which, vertices, surfaces, moved, near)
        if not changed:
            break
    return {name: surface.moved(vertices[name]) for name, surface in surfaces.items()}


def _out_of(
    name: str,
    others: list[str],
    vertices: dict[str, Points],
    surfaces: Mapping[str, Surface],
    moved: Mapping[str, Mask],
    near: float,
) -> bool:
    """Push others' vertices out of a strand; tell whether any stood in it."""
    low, high = (end(vertices[name][moved[name]], axis=0) for end in (np.min, np.max))
    found = {}
    for other in others:
        inside = ((vertices[other] > low) & (vertices[other] < high)).all(axis=1) & moved[other]
        if inside.any():
            found[other] = np.flatnonzero(inside)
    if not found:
        return False
    distance = surface_distance(surfaces[name].moved(vertices[name]), near)
    changed = False
    for other, rows in found.items():
        deep = rows[distance(vertices[other][rows]) < -TOLERATED]
        if len(deep):
            vertices[other][deep] = pushed(vertices[other][deep], distance, 0.0, 3)
            changed = True
    return changed


def _thickness(surface: Surface) -> float:
    """Return a measure of how thick a tube is: how far its vertices lie from those beside them on the mesh."""
    corners = surface.vertices[surface.faces].astype(np.float64)
    return float(np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1).mean())
