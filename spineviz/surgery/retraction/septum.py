"""The spinous processes with the ligaments between and over them: a wall that parted muscle keeps off."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import ndimage

from spineviz.geometry import surface_points
from spineviz.sdf.solid import Field
from spineviz.structure import Floats, Points, Structure
from spineviz.terms import SIGN, Side

CELL = 0.5
"""Spacing (mm) of the median plane on which the ligaments are drawn."""

MARGIN = 8.0
"""How far (mm) around the ligaments the plane goes."""

THIN = 4.0
"""Bone no farther than this (mm) from the midline belongs to the wall."""

LIGAMENTS = ("interspinous", "supraspinous")


def septum(structures: Mapping[str, Structure], side: Side) -> Field | None:
    """Return the distance (mm) in the world from the wall in the midline, as seen from one side.

    What has crossed it counts as deep inside, so that it is led back to its own side. None where the body
    has no midline ligaments.
    """
    ligaments = [item.surface for name, item in structures.items() if name.startswith(LIGAMENTS)]
    if not ligaments:
        return None
    sign = SIGN[side]
    points = np.vstack([surface_points(surface, CELL) for surface in ligaments]).astype(np.float64)
    bones = [item.surface.vertices for item in structures.values() if item.tissue == "bone"]
    spines = np.vstack(bones).astype(np.float64)
    behind = (points[:, 1:].min(axis=0) < spines[:, 1:]) & (spines[:, 1:] < points[:, 1:].max(axis=0))
    points = np.vstack([points, spines[behind.all(axis=1) & (np.abs(spines[:, 0]) < THIN)]])
    lower = points[:, 1:].min(axis=0) - MARGIN
    counts = np.ceil((points[:, 1:].max(axis=0) + MARGIN - lower) / CELL).astype(int) + 1
    half = np.full(counts, -np.inf)
    cells = np.round((points[:, 1:] - lower) / CELL).astype(int)
    np.maximum.at(half, (cells[:, 0], cells[:, 1]), sign * points[:, 0])
    drawn = ndimage.binary_fill_holes(ndimage.binary_closing(np.isfinite(half), np.ones((7, 7))))
    within = CELL * (ndimage.distance_transform_edt(~drawn) - ndimage.distance_transform_edt(drawn))
    nearest = ndimage.distance_transform_edt(~np.isfinite(half), return_distances=False, return_indices=True)
    thick = ndimage.gaussian_filter(ndimage.maximum_filter(half[tuple(nearest)], 3), 1.0)

    def distance(query: Points) -> Floats:
        index = ((query[:, 1:] - lower) / CELL).T
        plan, wide = (
            ndimage.map_coordinates(table, index, order=1, mode="nearest") for table in (within, thick)
        )
        return np.maximum(plan, sign * query[:, 0] - wide)

    return distance
