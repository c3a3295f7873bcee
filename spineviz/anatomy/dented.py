"""A closed surface that gives way to what has come to stand in it from outside: it is dented there."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from spineviz.anatomy.net import uphill
from spineviz.geometry import perhaps_in, surface_distance
from spineviz.structure import Points, Surface

TOLERATED = 0.15
"""What stands no deeper (mm) in a surface is left there."""

SPARE = 0.2
"""A dent is so much deeper (mm) than what makes it stands in the surface."""

ROUNDS = 8
"""A dent deepens at most so many times."""


def dented(soft: Surface, points: Points, reach: float, rounds: int = ROUNDS) -> Surface:
    """Return a closed surface out of which points (n, 3) stand, world mm, that stood in it.

    Its vertices go the way from its own surface to what stands in it, so that none slips to the far side. A
    dent fades over about ``reach`` mm beside what makes it.
    """
    low, high = soft.vertices.min(axis=0), soft.vertices.max(axis=0)
    points = points[((points > low) & (points < high)).all(axis=1)]
    points = points[perhaps_in(soft, points)] if len(points) else points
    for _ in range(rounds if len(points) else 0):
        distance = surface_distance(soft)
        depth = -distance(points, 0.0)
        rows = np.flatnonzero(depth > TOLERATED)
        if not len(rows):
            break
        into = -uphill(distance, points[rows])
        edge = points[rows] - depth[rows, None] * into
        away, nearest = cKDTree(edge).query(soft.vertices)
        share = np.exp(-((away / reach) ** 2)) * (depth[rows] + SPARE)[nearest]
        soft = soft.moved(soft.vertices + share[:, None] * into[nearest])
    return soft
