"""The spinal cord with its conus, and the filum terminale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc.space import landmark
from spineviz.anatomy.nerve.axis import STRIDE, SacAxis
from spineviz.anatomy.nerve.obstacles import Obstacles
from spineviz.anatomy.nerve.parameters import NerveParameters
from spineviz.anatomy.nerve.ways import canal_floor
from spineviz.anatomy.relaxed_line import curve, relax, resampled
from spineviz.sdf.solid import Solid, smooth_difference, smooth_intersection
from spineviz.structure import Floats, Points
from spineviz.terms import Level

ROUNDING = 0.3
"""The edges of fissure and sulcus are rounded by this much (mm)."""

BEYOND = 8
"""So many points of the axis lie beyond a flat cut."""

GROOVED = 1.6
"""The cord has a fissure where half of its depth is more than this (mm)."""

FUSED = 6
"""The filum starts so many points of the axis within the conus."""


@dataclass(frozen=True, eq=False)
class Cord:
    """Where the cord lies along the sac's axis.

    It reaches from the axis' index ``first`` to ``last``. ``centre`` (n, 3) in the world and ``half`` (n, 2),
    its half-widths to the right and to anterior in mm, are told for every point of the axis; beyond the
    cord's end they are those of the filum. ``whole`` tells that the conus is there.
    """

    axis: SacAxis
    first: int
    last: int
    centre: Points
    half: Floats
    whole: bool

    @property
    def there(self) -> bool:
        """Whether any of the cord lies along the axis."""
        return self.last > self.first + 4


def cord_of(parameters: NerveParameters, axis: SacAxis) -> Cord:
    """Return where the cord lies in a sac."""
    shape = measures.table("spinal_cord_shape")
    end = axis.place("L1", shape["tip"])
    places = [axis.place(*section.place) for section in parameters.cord]
    sizes = np.array([[section.transverse, section.ap] for section in parameters.cord]) / 2
    thread = measures.value("filum_terminale.diameter") / 2
    from scipy.interpolate import PchipInterpolator

    places, sizes = [*places, end], np.vstack([sizes, [thread, thread]])
    half = np.asarray(PchipInterpolator(places, sizes)(np.clip(axis.length, places[0], end)))
    half = np.maximum(half, thread)
    above = round(shape["above_cut"] / STRIDE)
    below = axis.bottom + (above if axis.cut_below is not None else 0)
    first, last = max(axis.top - above, 0), min(axis.index(end), below, len(axis.length) - 1)
    room = np.maximum(axis.half[:, 1] - half[:, 1] - shape["fluid"], 0.0)
    behind = measures.value("filum_terminale.behind")
    past = np.clip((axis.length - end + 10.0) / 45.0, 0.0, 1.0)
    past = past * past * (3 - 2 * past)
    offset = room * ((1 - past) * shape["forward"] - past * behind)
    centre = axis.points + offset[:, None] * axis.anterior
    whole = bool(axis.length[0] < end < axis.length[axis.bottom])
    return Cord(axis, first, last if axis.length[axis.top] < end else first, centre, half, whole)


def cord_solid(cord: Cord) -> Solid:
    """Return the cord: oval sections, a fissure in front and a shallow sulcus behind.

    It is cut off flat where the scene ends.
    """
    shape, axis = measures.table("spinal_cord_shape"), cord.axis
    rows = slice(max(cord.first - BEYOND, 0), cord.last + (1 if cord.whole else BEYOND))
    points, half = cord.centre[rows], cord.half[rows]
    right, anterior = axis.right[rows], axis.anterior[rows]
    up, tree = np.cross(right, anterior), cKDTree(points)
    cuts = [(cord.centre[cord.first], -axis.down[cord.first])]
    if not cord.whole:
        cuts.append((cord.centre[cord.last], axis.down[cord.last]))

    def field(query: Points) -> Floats:
        _, near = tree.query(query)
        offset = query - points[near]
        u, v, w = ((offset * way[near]).sum(1) for way in (right, anterior, up))
        sizes = np.column_stack([half[near], half[near].min(axis=1)])
        scaled = np.stack([u, v, w], axis=1) / sizes
        radius = np.sqrt((scaled * scaled).sum(1)) + 1e-9
        slope = np.sqrt(((scaled / sizes) ** 2).sum(1)) + 1e-9
        result = (radius - 1.0) * radius / slope
        deep = half[near, 1]
        fissure = np.abs(u) - shape["fissure_opening"] * (v - deep * (1 - 2 * shape["fissure_depth"]))
        sulcus = np.abs(u) - shape["sulcus_opening"] * (-v - deep * (1 - 2 * shape["sulcus_depth"]))
        for groove in (fissure, sulcus):
            result = np.where(deep > GROOVED, smooth_difference(result, groove, ROUNDING), result)
        for origin, outwards in cuts:
            result = smooth_intersection(result, (query - origin) @ outwards, ROUNDING)
        return np.asarray(result)

    ends = cord.centre[cord.first : cord.last + 1]
    return Solid(field, ends.min(0) - 10.0, ends.max(0) + 10.0)


def filum_line(cord: Cord, bones: Mapping[Level, LevelBone], free: Obstacles) -> tuple[Points, Floats]:
    """Return the filum's line (n, 3) from the conus, or from the upper cut, and its radii (n,), mm.

    Within the sac it is the filum internum, below it the externum down to the back of the coccyx. Where the
    scene has no sacrum it ends with the sac.
    """
    axis, sizes = cord.axis, measures.table("filum_terminale")
    start = cord.last - FUSED if cord.whole else axis.top
    inner = cord.centre[start : axis.bottom + 1 : 8]
    if "S1" not in bones:
        return inner, np.full(len(inner), sizes["diameter"] / 2)
    floor = canal_floor(bones["S1"], sizes["outer_diameter"] / 2 + 0.8)
    beyond = floor[int(np.argmin(np.linalg.norm(floor - inner[-1], axis=1))) + 3 :: 3]
    outer = [inner[-1], *beyond]
    if "Co1" in bones:
        outer.append(_coccygeal_end(bones["Co1"], free))
    line = resampled(curve(np.array(outer)), measures.value("root_path.samples"))
    thin = np.full(len(line), sizes["outer_diameter"] / 2)
    line = relax(line[None], thin[None], free)[0]
    whole = resampled(curve(np.vstack([inner[:-1], line])), 140)
    within = np.linalg.norm(whole[:, None] - line[::4], axis=2).min(axis=1) > 2.0
    return whole, np.where(within, sizes["diameter"], sizes["outer_diameter"]) / 2


def _coccygeal_end(coccyx: LevelBone, free: Obstacles) -> Floats:
    """Return where the filum ends: just off the back of the first coccygeal segment."""
    top, tip = (landmark(coccyx, name).origin for name in ("joint.sacrum", "tip"))
    start = top + 0.3 * (tip - top)
    places = start - np.arange(0.0, 30.0, 0.25)[:, None] * coccyx.frame.anterior
    away = free(places) > measures.value("filum_terminale.outer_diameter") / 2 + 0.3
    inside = free(places) < 0.0
    last = len(places) - 1 - int(np.argmax(inside[::-1])) if inside.any() else 0
    return places[last + int(np.argmax(away[last:]))]
