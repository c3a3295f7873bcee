"""Which structure a ray meets: identification without a window."""

from __future__ import annotations

import numpy as np

from spineviz.model import Cut, Model, State, Vector
from spineviz.structure import Floats, Surface
from spineviz.viewer.choices import strength
from spineviz.views import unit

GHOST = 0.5
"""Opacity below which a structure is seen through."""


def pick(model: Model, state: State, pane: int, origin: Vector, direction: Vector) -> str | None:
    """Return the name of the structure that a ray meets first, or None.

    ``origin`` (mm) and ``direction`` are in the world. Only what the pane shows counts: hidden
    structures and what a cut has taken away do not, and a ghost (opacity below one half) only where
    nothing solid lies behind it.
    """
    shown = state.panes[pane]
    start, way = np.array(origin, dtype=np.float64), unit(direction)
    solid: tuple[float, str | None] = (np.inf, None)
    ghost: tuple[float, str | None] = (np.inf, None)
    for name, look in shown.looks.items():
        if strength(look) <= 0.02:
            continue
        depth = _first_hit(model.posed(name, look), start, way, shown.cuts)
        if strength(look) >= GHOST and depth < solid[0]:
            solid = depth, name
        elif depth < ghost[0]:
            ghost = depth, name
    return solid[1] or ghost[1]


def _first_hit(surface: Surface, origin: Floats, direction: Floats, cuts: tuple[Cut, ...]) -> float:
    """Return how far along a ray (mm) a surface is met, infinity where it is not (Möller–Trumbore).

    One ray against all triangles is sooner done than the tree that would spare them.
    """
    if not _meets_box(surface.vertices, origin, direction):
        return float(np.inf)
    corners = surface.vertices[surface.faces]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    across = np.cross(direction, second)
    determinant = np.einsum("ij,ij->i", first, across)
    with np.errstate(divide="ignore", invalid="ignore"):
        offset = (origin - corners[:, 0]) / determinant[:, None]
        turned = np.cross(offset, first)
        one = np.einsum("ij,ij->i", offset, across)
        two = turned @ direction
        depth = np.einsum("ij,ij->i", turned, second)
        hit = (one >= 0) & (two >= 0) & (one + two <= 1) & (depth > 0) & np.isfinite(depth)
    depth = depth[hit]
    points = origin + depth[:, None] * direction
    for cut in cuts:
        kept = (points - cut.origin) @ np.array(cut.normal) <= 0
        points, depth = points[kept], depth[kept]
    return float(depth.min(initial=np.inf))


def _meets_box(vertices: Floats, origin: Floats, direction: Floats) -> bool:
    if len(vertices) == 0:
        return False
    lower, upper = vertices.min(0) - 0.01 - origin, vertices.max(0) + 0.01 - origin
    way = np.where(np.abs(direction) < 1e-12, 1e-12, direction)
    near, far = np.sort(np.stack([lower / way, upper / way]), axis=0)
    return bool(max(near.max(), 0.0) <= far.min())
