"""Muscle lies flat on the blade that holds it: its wall takes the shape of the blade's face."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from spineviz import measures
from spineviz.geometry import as_trimesh
from spineviz.structure import Floats, Points, Surface
from spineviz.surgery.retraction.face import Face, wall
from spineviz.surgery.retraction.midline import OpenAmounts
from spineviz.surgery.retraction.terrain import smooth
from spineviz.surgery.retraction.warp import PartingWarp

CELL = 1.0
"""Spacing (mm) of the rays that find the wall."""

UNDER, REACH = 0.1, 6.0
"""Pressed muscle keeps this far (mm) under the fascia, which is looked for from this far below it."""

UNTOUCHED = 0.02
"""Muscle that gives way by less than this (mm) is left where it is."""


@dataclass(frozen=True, eq=False)
class Pressing:
    """How far (n, 3) mm a warp's moving points give way to the blade; all of it from ``begins`` on.

    ``begins`` is the share of the deep opening at which the blade can be set in.
    """

    way: Points
    begins: float

    def __call__(self, amounts: tuple[float, ...]) -> Points:
        """Return the movement (n, 3) at some amounts of a midline wound."""
        share = smooth(np.array(OpenAmounts(*amounts).deep / self.begins))
        return np.asarray(share * self.way)


def pressed(surface: Surface, warp: PartingWarp, face: Face, fascia: Surface) -> PartingWarp:
    """Return a muscle's warp with which its wall lies on a blade's face, under the fascia.

    ``surface`` is the muscle at rest, ``fascia`` the one over it at full opening. Its wall moves as one
    with the blade, so that what is fitted at full opening fits whenever the blade stands in the wound.
    """
    size = measures.table("retraction.pressing")
    opened = warp(face.wound.full)
    local = face.wound.frame.to_local(opened[warp.moving].astype(np.float64))
    if not len(local):
        return warp
    across, height, along = face.side * local[:, 0], -local[:, 1], local[:, 2]
    gap = _gap(face, surface.moved(opened), along, height)
    behind = np.maximum(across - face.across(along, height) - gap, 0.0)
    fading = np.square(np.maximum(1.0 - behind / size["depth"], 0.0))
    beside = np.abs(along) - face.along[-1]
    below = face.rows[0] - height
    margin = size["margin"]
    window = smooth((margin - np.maximum(beside, below)) / (margin - size["whole"]))
    push = -face.side * gap * fading * window
    way = np.multiply.outer(push, face.wound.frame.right)
    touched = np.flatnonzero(np.abs(push) > UNTOUCHED)
    lowered = _over(fascia, opened[warp.moving[touched]] + way[touched], face.wound.axis.superior)
    way[touched] -= np.multiply.outer(lowered, face.wound.axis.superior)
    return replace(warp, pressing=Pressing(way, size["begins"]))


def _over(fascia: Surface, points: Points, up: Floats) -> Floats:
    """Return how far (n,) mm points (n, 3) near the fascia stand too high to lie under it."""
    start = points - REACH * up
    rays = np.tile(up, (len(points), 1))
    places, index, _ = as_trimesh(fascia).ray.intersects_location(start, rays, multiple_hits=False)
    result = np.zeros(len(points))
    result[index] = np.maximum(UNDER - (places - points[index]) @ up, 0.0)
    return result


def _gap(face: Face, opened: Surface, along: Floats, height: Floats) -> Floats:
    """Return how far (n,) mm the wall stands beyond the face at places and heights, at most a little."""
    size = measures.table("retraction.pressing")
    low, high = float(height.min()), float(height.max())
    half = face.along[-1] + size["margin"]
    heights, places = np.arange(low, high + CELL, CELL), np.arange(-half, half + CELL, CELL)
    rows, columns = np.meshgrid(heights, places, indexing="ij")
    table = wall(face.wound, [opened], face.side, columns, rows) - face.across(columns, rows)
    holes = ~np.isfinite(table)
    if holes.all():
        return np.zeros(len(along))
    nearest = ndimage.distance_transform_edt(holes, return_distances=False, return_indices=True)
    filled = np.clip(table[tuple(nearest)], -size["most"], size["most"])
    cells = np.stack([(height - low) / CELL, (along - places[0]) / CELL])
    return np.asarray(ndimage.map_coordinates(filled, cells, order=1, mode="nearest"))
