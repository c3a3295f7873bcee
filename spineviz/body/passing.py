"""Tubes that an edge of bone stands in: they pass beside it as a whole, and keep their sections.

A root's vertices can all be out of a bone while an edge of that bone cuts into its middle; so places of the
bone are looked up in the root, not only the root's in the bone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.spatial import cKDTree

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.net import pushed, uphill
from spineviz.geometry import surface_distance, surface_points, vertex_normals
from spineviz.structure import Floats, Points, Surface

TOLERATED = 0.15
"""An edge that stands no deeper (mm) in a tube is left there."""

SPARE = 0.2
"""A tube that goes aside goes so much farther (mm) than the edge stands in it."""

BESIDE = 6.0
"""Beside the deepest place of an edge a tube goes aside over about so many mm."""

SPACING = 0.7
"""A tube is looked at every so many mm."""

ROUNDS = 24
"""A tube goes aside at most so many times."""


DENT, DENTS = 3.0, 8
"""A dent fades over about so many mm beside what makes it; it deepens at most so many times."""


def passing(tube: Surface, bones: Sequence[LevelBone]) -> Surface:
    """Return a tube in the world, mm, none of whose sections an edge of a bone stands in, as far as it can.

    The deepest place is looked for again and again; the tube goes the way that the bone faces there.
    """
    for _ in range(ROUNDS):
        deepest = max(_deepest(tube, bones), key=lambda found: found[0], default=None)
        if deepest is None or deepest[0] < TOLERATED:
            break
        deep, place, way = deepest
        away = np.linalg.norm(tube.vertices - place, axis=1) / BESIDE
        tube = tube.moved(tube.vertices + (deep + SPARE) * np.exp(-(away**2))[:, None] * way)
    return tube


def _deepest(tube: Surface, bones: Sequence[LevelBone]) -> Iterator[tuple[float, Points, Floats]]:
    """Give how deep (mm) each bone stands in a tube, and it in the bone, where (3,), and the way out."""
    low, high = tube.vertices.min(axis=0), tube.vertices.max(axis=0)
    distance, own = surface_distance(tube), surface_points(tube, SPACING)
    for bone in bones:
        around = bone.surface.vertices
        rows = np.flatnonzero(((around > low) & (around < high)).all(axis=1))
        if len(rows):
            away = distance(around[rows], 0.0)
            first = int(away.argmin())
            if away[first] < 0.0:
                normals = vertex_normals(around, bone.surface.faces)
                yield float(-away[first]), around[rows[first]].astype(np.float64), normals[rows[first]]
        within = ((own > around.min(axis=0)) & (own < around.max(axis=0))).all(axis=1)
        if within.any():
            away = bone.within(own[within], 0.0)
            place = own[within][int(away.argmin())]
            if away.min() < 0.0:
                way = pushed(place[None], bone.near, 0.0)[0] - place
                yield float(-away.min()), place, way / max(float(np.linalg.norm(way)), 1e-6)


def dented(soft: Surface, firm: Surface) -> Surface:
    """Return a closed surface that gives way to what has come to stand in it from outside: it is dented.

    Its vertices go the way from its own surface to what stands in it, so that none slips to the far side.
    """
    low, high = soft.vertices.min(axis=0), soft.vertices.max(axis=0)
    if not ((firm.vertices > low) & (firm.vertices < high)).all(axis=1).any():
        return soft
    points = surface_points(firm, SPACING)
    points = points[((points > low) & (points < high)).all(axis=1)]
    for _ in range(DENTS if len(points) else 0):
        depth = -surface_distance(soft)(points, 0.0)
        rows = np.flatnonzero(depth > TOLERATED)
        if not len(rows):
            break
        into = _inwards(soft, points[rows])
        edge = points[rows] - depth[rows, None] * into
        away, nearest = cKDTree(edge).query(soft.vertices)
        share = np.exp(-((away / DENT) ** 2)) * (depth[rows] + SPARE)[nearest]
        soft = soft.moved(soft.vertices + share[:, None] * into[nearest])
    return soft


def _inwards(soft: Surface, points: Points) -> Floats:
    """Return the ways (n, 3), unit vectors, from the surface next to points within it to these."""
    distance = surface_distance(soft)
    ways = -uphill(distance, points)
    result: Floats = ways / np.maximum(np.linalg.norm(ways, axis=1, keepdims=True), 1e-6)
    return result
