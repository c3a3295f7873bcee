"""Which structure a ray meets: identification without a window."""

from __future__ import annotations

import numpy as np

from spineviz import filling
from spineviz.model import Cut, Model, Pane, State, Vector
from spineviz.structure import Floats, Surface
from spineviz.viewer.choices import strength
from spineviz.views import unit

GHOST = 0.5
"""Opacity below which a structure is seen through."""


def pick(model: Model, state: State, pane: int, origin: Vector, direction: Vector) -> str | None:
    """Return the name of the structure, or of the fat in the face of a cut, that a ray meets first, or None.

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
        cuts = tuple(cut for cut in shown.cuts if cut.cuts(name))
        depth = _first_hit(model.posed(name, look), start, way, cuts)
        if strength(look) >= GHOST and depth < solid[0]:
            solid = depth, name
        elif depth < ghost[0]:
            ghost = depth, name
    return _fat(model, shown, start, way, solid[0]) or solid[1] or ghost[1]


def _fat(model: Model, pane: Pane, origin: Floats, direction: Floats, depth: float) -> str | None:
    """Return what the fat of a cut face is called that a ray meets before ``depth`` mm, or None."""
    for cut in pane.cuts:
        way, others = _way_to(cut, origin, direction), (other for other in pane.cuts if other != cut)
        place = origin + way * direction
        if 0 < way < depth and not any(other.beyond(place) for other in others):
            name = filling.filling(model, pane.looks, cut).name_at(place)
            if name is not None and filling.strength(model, pane.looks, cut) >= GHOST:
                return name
    return None


def _first_hit(surface: Surface, origin: Floats, direction: Floats, cuts: tuple[Cut, ...]) -> float:
    """Return how far along a ray (mm) a surface is met, infinity where it is not (Möller–Trumbore).

    A cut face is met where the ray passes the plane inside: the surface lies an odd number of times behind.
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
    met = [depth, *(_through(cut, origin, direction, depth) for cut in cuts)]
    owners: list[Cut | None] = [None, *cuts]
    nearest = np.inf
    for ways, owner in zip(met, owners, strict=True):
        points = origin + ways[:, None] * direction
        kept = np.ones(len(ways), dtype=bool)
        for cut in cuts:
            if cut != owner:
                kept &= ~cut.beyond(points)
        nearest = min(nearest, float(ways[kept].min(initial=np.inf)))
    return nearest


def _through(cut: Cut, origin: Floats, direction: Floats, depth: Floats) -> Floats:
    """Return how far along a ray its cut face is met (1,), or nothing (0,), by where the surface is met."""
    way = _way_to(cut, origin, direction)
    inside = way > 0 and np.count_nonzero(depth > way) % 2
    return np.array([way] if inside else [])


def _way_to(cut: Cut, origin: Floats, direction: Floats) -> float:
    """Return how far along a ray (mm) the plane of a cut is met from the side that is hidden; -1 if not."""
    slant = float(np.dot(direction, cut.normal))
    return float(np.dot(np.subtract(cut.origin, origin), cut.normal)) / slant if slant < -1e-9 else -1.0


def _meets_box(vertices: Floats, origin: Floats, direction: Floats) -> bool:
    if len(vertices) == 0:
        return False
    lower, upper = vertices.min(0) - 0.01 - origin, vertices.max(0) + 0.01 - origin
    way = np.where(np.abs(direction) < 1e-12, 1e-12, direction)
    near, far = np.sort(np.stack([lower / way, upper / way]), axis=0)
    return bool(max(near.max(), 0.0) <= far.min())
