"""The thecal sac and the roots as solids."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial import cKDTree

from spineviz import measures
from spineviz.anatomy.nerve.axis import SacAxis
from spineviz.anatomy.nerve.obstacles import Obstacles
from spineviz.anatomy.nerve.paths import LATER, RootPath
from spineviz.anatomy.relaxed_line import tube, unit
from spineviz.sdf.solid import Field, Solid, smooth_intersection, smooth_union
from spineviz.structure import Floats, Points

CUT_EDGE = 0.6
"""The edges of the flat cuts where sac and roots end are rounded by this much (mm)."""

ROOT_CLEARANCE = 0.5
"""A root or its sleeve is flattened rather than come nearer to bone or disc than this (mm)."""

AROUND = 24.0
"""How far (mm) around its axis the sac is looked for."""


def root_solid(path: RootPath, free: Obstacles) -> Solid:
    """Return a root, flattened where room is short and cut off flat outside the foramen."""
    field = tube(path.points, path.radii)
    reach = float(path.radii.max()) + 2.0
    end, outwards = path.points[-1], unit(path.points[-1] - path.points[-4])
    beyond = float(((path.points[:-1] - end) @ outwards).max())

    def clear(points: Points) -> Floats:
        root = field(points)
        if beyond < -0.1:  # a root that bends back ends round
            root = smooth_intersection(root, (points - end) @ outwards, CUT_EDGE)
        return smooth_intersection(root, ROOT_CLEARANCE - free(points), 0.5)

    return Solid(clear, path.points.min(0) - reach, path.points.max(0) + reach)


def sac_solid(axis: SacAxis, paths: Sequence[RootPath], free: Obstacles, bone: Obstacles) -> Solid:
    """Return the sac with the sleeves that the roots take with them, cut off flat where it goes on."""
    shape = measures.table("thecal_sac_shape")
    barrel, tree = barrel_field(axis), cKDTree(axis.points)
    ends = [axis.place("T12", 0.0), axis.place("L1", 0.0)]
    clearance = np.interp(axis.length, ends, [shape["bone_clearance_above"], shape["bone_clearance"]])
    sleeves = [
        _sleeve(path, min(shape["sleeve_length"], path.sheathed)) for path in paths if path.root not in LATER
    ]

    def field(points: Points) -> Floats:
        result = barrel(points)
        near = np.flatnonzero(result < 14.0)
        around = points[near]
        off = clearance[tree.query(around)[1]]
        room = np.maximum(off - bone(around), shape["disc_clearance"] - free(around))
        part = smooth_intersection(result[near], room, shape["blend"])
        for sleeve, lower, upper in sleeves:
            rows = np.flatnonzero(((around > lower) & (around < upper)).all(axis=1))
            part[rows] = smooth_union(part[rows], sleeve(around[rows]), shape["sleeve_blend"])
        result[near] = smooth_intersection(part, ROOT_CLEARANCE - free(around), 0.5)
        result = smooth_intersection(result, axis.cut.to_local(points)[:, 2], CUT_EDGE)
        if axis.cut_below is not None:
            result = smooth_intersection(result, axis.cut_below.to_local(points)[:, 2], CUT_EDGE)
        return result

    return Solid(field, axis.points.min(0) - AROUND, axis.points.max(0) + AROUND)


def _sleeve(path: RootPath, length: float) -> tuple[Field, Floats, Floats]:
    """Return the dural sleeve, over the root at its take-off and ending within the root, and its box."""
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path.points, axis=0), axis=1))])
    past = (along - along[path.takeoff]) / length
    last = max(int(np.searchsorted(past, 1.0)), path.takeoff + 2)
    radii = path.radii + 0.45 - 0.95 * np.clip(past, 0.0, 1.0)
    first = max(path.takeoff - 6, 0)
    line = path.points[first:last]
    reach = float(radii.max()) + 5.0
    return tube(line, radii[first:last]), line.min(0) - reach, line.max(0) + reach


def barrel_field(axis: SacAxis) -> Field:
    """Return the sac without sleeves: egg-shaped sections around its axis."""
    tree = cKDTree(axis.points)
    down = np.cross(axis.right, axis.anterior)

    def field(points: Points) -> Floats:
        _, nearest = tree.query(points)
        offset = points - axis.points[nearest]
        half = axis.half[nearest]
        v = (offset * axis.anterior[nearest]).sum(1)
        u = (offset * axis.right[nearest]).sum(1)
        w = (offset * down[nearest]).sum(1)
        wide = half[:, 0] * (1 + axis.egg[nearest] * np.clip(v / half[:, 1], -1.0, 1.0))
        sizes = np.stack([wide, half[:, 1], np.minimum(half[:, 0], half[:, 1])], axis=1)
        scaled = np.stack([u, v, w], axis=1) / sizes
        radius = np.sqrt((scaled * scaled).sum(1)) + 1e-9
        slope = np.sqrt(((scaled / sizes) ** 2).sum(1)) + 1e-9
        return np.asarray((radius - 1.0) * radius / slope)

    return field
