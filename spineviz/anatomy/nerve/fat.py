"""Epidural fat: what fills the canal behind the sac, between the yellow ligaments of two vertebrae."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spineviz import measures
from spineviz.anatomy.back.whole import yielding
from spineviz.anatomy.bone import SurfaceDistance
from spineviz.anatomy.disc.space import landmark, middle
from spineviz.anatomy.surroundings import FAR, Spine, Surroundings, Thing
from spineviz.geometry import as_trimesh, volume
from spineviz.sdf.mesher import mesh
from spineviz.sdf.solid import Solid, smooth_intersection
from spineviz.structure import Floats, Points, Structure, Surface
from spineviz.terms import Level

BANDS = 5
"""The sac's back is looked for in so many bands, one over the other."""


def epidural_fat(
    above: Level, below: Level, spine: Spine, sac: Surface, others: Sequence[Surface]
) -> Structure | None:
    """Return ``epidural_fat.<above>-<below>``, in the world, mm, or None where there is no room for it.

    It lies behind the ``sac``, across the midline, and keeps clear of bones, sac and the ``others``; first
    among these are the two yellow ligaments beside it. Raises ValueError where a landmark is missing.
    """
    shape = measures.table("epidural_fat")
    frame = middle(landmark(spine.bones[above], "canal"), landmark(spine.bones[below], "canal"))
    flava = frame.to_local(np.vstack([item.vertices.astype(np.float64) for item in others[:2]]))
    low, high = flava[:, 2].min(), flava[:, 2].max()
    centre, half = (low + high) / 2, shape["share_of_height"] * (high - low) / 2
    skin = frame.to_local(sac.vertices.astype(np.float64))
    skin = skin[(np.abs(skin[:, 0]) < shape["near"]) & (np.abs(skin[:, 2] - centre) < half)]
    if len(skin) < BANDS:
        return None
    slope, start = _back(skin)
    behind = start + slope * centre + shape["around_sac"]
    ridge = float(flava[np.abs(flava[:, 0]) < shape["near"], 1].mean())
    ends = np.array([[x, y, z] for x in (-1, 1) for y in (ridge, behind) for z in (-1, 1)], dtype=np.float64)
    corners = frame.to_parent(ends * [shape["half_width"], 1.0, half] + [0.0, 0.0, centre])
    box = corners.min(axis=0) - 2.0 * FAR, corners.max(axis=0) + 2.0 * FAR
    things = tuple(Thing(item, SurfaceDistance(item, box)) for item in (sac, *others))
    around = Surroundings(things).among(corners)
    walls = [around.distance, *(spine.bones[level].distance for level in (above, below))]

    def field(points: Points) -> Floats:
        local = frame.to_local(points)
        local[:, 1] -= slope * (local[:, 2] - centre)
        x, y, z = np.abs(local - [0.0, (behind + ridge) / 2, centre]).T
        across = smooth_intersection(x - shape["half_width"], y - (behind - ridge) / 2, shape["rounding"])
        result = smooth_intersection(across, z - half, shape["rounding"])
        near = np.flatnonzero(result < 2.0)
        room = np.min([wall(points[near]) for wall in walls], axis=0)
        result[near] = smooth_intersection(result[near], shape["gap"] - room, shape["edge"])
        return result

    if behind - ridge < 1.0:
        return None
    lean = abs(slope) * half
    solid = Solid(field, corners.min(axis=0) - 2.0 - lean, corners.max(axis=0) + 2.0 + lean)
    made = _greatest(mesh(solid, shape["step"]))
    made = yielding(made, field, Surroundings(()).and_also(others[:2]).distance)
    alone = np.abs(frame.to_local(made.vertices)[:, 0]).min() > shape["step"]
    if alone or volume(made) < shape["least"]:
        return None
    return Structure(f"epidural_fat.{above}-{below}", "fat", made)


def _back(skin: Points) -> tuple[float, float]:
    """Return the line, y = slope * z + start, of the back of a sac with vertices (n, 3) in the midline."""
    bands = np.array_split(skin[np.argsort(skin[:, 2])], BANDS)
    ends = np.array([band[band[:, 1].argmin(), 1:] for band in bands])
    slope, start = np.polyfit(ends[:, 1], ends[:, 0], 1)
    return float(slope), float(start)


def _greatest(surface: Surface) -> Surface:
    """Return the greatest connected part of a surface."""
    parts = as_trimesh(surface).split(only_watertight=True)
    if len(parts) < 2:
        return surface
    best = max(parts, key=lambda part: float(part.volume))
    return Surface(np.asarray(best.vertices), np.asarray(best.faces))
