"""The thecal sac and the lumbar and first sacral roots with their ganglia."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.spatial import cKDTree

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.nerve.parameters import NerveParameters, nerve_parameters
from spineviz.anatomy.nerve.paths import Obstacles, RootPath, SacAxis, obstacles, root_paths, sac_axis
from spineviz.anatomy.recipe import Recipe
from spineviz.anatomy.relaxed_line import tube, unit
from spineviz.sdf.solid import Field, Solid, smooth_intersection, smooth_union
from spineviz.structure import Floats, Points
from spineviz.terms import Level

__all__ = ["NerveParameters", "nerve_parameters", "nerve_recipes", "root_name"]

CUT_EDGE = 0.6
"""The edges of the flat cuts where sac and roots end are rounded by this much (mm)."""

ROOT_CLEARANCE = 0.45
"""A root or its sleeve is flattened rather than come nearer to bone or disc than this (mm)."""


def root_name(level: Level, side: str) -> str:
    """Return the name of a root's structure."""
    return f"root.{level}.{side}"


def nerve_recipes(parameters: NerveParameters, bones: Mapping[Level, LevelBone]) -> dict[str, Recipe]:
    """Return ``thecal_sac`` and ``root.<level>.<side>`` at rest in a healthy spine.

    Solids are in the world frame, mm; they keep clear of the bones and of healthy discs. Raises
    ValueError when a bone or a landmark is missing.
    """
    free = obstacles(bones)
    axis = sac_axis(parameters, bones)
    paths = root_paths(parameters, axis, bones, free)
    steps = measures.table("nerve_mesh")
    sac = Recipe(
        "thecal_sac", "dura", _sac_solid(axis, paths, free, obstacles(bones, discs=False)), steps["sac"]
    )
    roots = [
        Recipe(root_name(path.level, path.side), "nerve", _root_solid(path, free), steps["root"], path.side)
        for path in paths
    ]
    return {recipe.name: recipe for recipe in (sac, *roots)}


def _root_solid(path: RootPath, free: Obstacles) -> Solid:
    """Return a root, flattened where room is short and cut off flat outside the foramen."""
    field = tube(path.points, path.radii)
    reach = float(path.radii.max()) + 2.0

    end, outwards = path.points[-1], unit(path.points[-1] - path.points[-4])

    def clear(points: Points) -> Floats:
        root = smooth_intersection(field(points), (points - end) @ outwards, CUT_EDGE)
        return smooth_intersection(root, ROOT_CLEARANCE - free(points), 0.5)

    return Solid(clear, path.points.min(0) - reach, path.points.max(0) + reach)


def _sac_solid(axis: SacAxis, paths: list[RootPath], free: Obstacles, bone: Obstacles) -> Solid:
    """Return the sac with the sleeves that the roots take with them, cut off flat at its upper end."""
    shape = measures.table("thecal_sac_shape")
    barrel = _barrel(axis, shape["egg"])
    sleeves = [_sleeve(path, shape["sleeve_length"]) for path in paths]

    def field(points: Points) -> Floats:
        result = barrel(points)
        near = np.flatnonzero(result < 14.0)
        around = points[near]
        room = np.maximum(shape["bone_clearance"] - bone(around), shape["disc_clearance"] - free(around))
        part = smooth_intersection(result[near], room, shape["blend"])
        for sleeve in sleeves:
            part = smooth_union(part, sleeve(around), shape["sleeve_blend"])
        result[near] = smooth_intersection(part, ROOT_CLEARANCE - free(around), 0.5)
        return smooth_intersection(result, axis.cut.to_local(points)[:, 2], CUT_EDGE)

    return Solid(field, axis.points.min(0) - 24.0, axis.points.max(0) + 24.0)


def _sleeve(path: RootPath, length: float) -> Field:
    """Return the dural sleeve: over the root at its take-off, ending within the root."""
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path.points, axis=0), axis=1))])
    past = (along - along[path.takeoff]) / length
    last = int(np.searchsorted(past, 1.0))
    radii = path.radii + 0.45 - 0.95 * np.clip(past, 0.0, 1.0)
    first = max(path.takeoff - 6, 0)
    return tube(path.points[first:last], radii[first:last])


def _barrel(axis: SacAxis, egg: float) -> Field:
    """Return the sac without sleeves: egg-shaped sections, narrower behind, around its axis."""
    tree = cKDTree(axis.points)
    down = np.cross(axis.right, axis.anterior)

    def field(points: Points) -> Floats:
        _, nearest = tree.query(points)
        offset = points - axis.points[nearest]
        half = axis.half[nearest]
        v = (offset * axis.anterior[nearest]).sum(1)
        u = (offset * axis.right[nearest]).sum(1)
        w = (offset * down[nearest]).sum(1)
        wide = half[:, 0] * (1 + egg * np.clip(v / half[:, 1], -1.0, 1.0))
        sizes = np.stack([wide, half[:, 1], np.minimum(half[:, 0], half[:, 1])], axis=1)
        scaled = np.stack([u, v, w], axis=1) / sizes
        radius = np.sqrt((scaled * scaled).sum(1)) + 1e-9
        slope = np.sqrt(((scaled / sizes) ** 2).sum(1)) + 1e-9
        return np.asarray((radius - 1.0) * radius / slope)

    return field
