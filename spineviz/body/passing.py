"""Tubes that an edge of bone stands in: they pass beside it as a whole, and keep their sections.

A root's vertices can all be out of a bone while an edge of that bone cuts into its middle; so places of the
bone are looked up in the root, not only the root's in the bone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.net import pushed
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
