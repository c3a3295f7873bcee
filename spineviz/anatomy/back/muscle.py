"""Multifidus, erector spinae and the thoracolumbar fascia of the lumbar back, laid on the bones.

World frame, mm. The muscles fill the space between the bony floor and the fascia; the intermuscular
plane divides it. They end at flat sections above L3 and below S2. Shape parameters and cross-sections
stand in ``meshes/measures/muscles.toml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from spineviz import measures
from spineviz.anatomy.back import paint as muscle_paint
from spineviz.anatomy.back.fascia import fascia_field, fascia_recipe
from spineviz.anatomy.back.floor import (
    HeightMap,
    Stations,
    bone_distance,
    bone_from_behind,
    floor_field,
    stations,
)
from spineviz.anatomy.back.paint import Fibres
from spineviz.anatomy.back.profile import Profile, along, measured
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.recipe import Recipe
from spineviz.sdf.solid import Field, Solid, smooth_intersection
from spineviz.spec import Spec
from spineviz.structure import Floats, Points
from spineviz.terms import SIDES, SIGN, Level, Side

MUSCLE_STEP = 1.8
"""The meshing step, mm."""

PROCESS = 0.3
"""This deep (mm) in its midplane a spinous process has muscle on its sides, however thin it is."""

SUPRASPINOUS = 6.0
"""Down to this depth (mm) muscle keeps beside the supraspinous ligament."""

ROOF_GAP = 0.1
"""What the crests of the fascicles keep from the fascia, mm."""


class MuscleParameters(Spec):
    """The shape of the muscles and of the fascia over them; mm, and degrees for the angle.

    ``intermuscular_plane`` is how far from the midline multifidus meets erector spinae under the fascia;
    the plane leans medially by ``plane_slant`` mm for each mm of depth. Erector spinae ends at
    ``lateral_border``, drawn in by ``border_roundness`` of its width where it meets fascia and floor.
    ``bulge`` is how far the fascia stands behind the spinous line, at ``bulge_centre`` from the midline;
    ``lateral_drop`` how far it falls forward again at the edge of the region. ``midline_gap`` separates
    multifidus from the midline between the spinous processes and ``supraspinous_gap`` beside the
    supraspinous ligament, ``bone_gap`` muscle from bone, ``cleft``
    multifidus from erector spinae. Fascicles are ``fascicle_width`` wide and raise the surface by
    ``fascicle_relief``; those of multifidus run ``fibre_angle`` from the midline.
    """

    intermuscular_plane: Profile
    plane_slant: Profile
    lateral_border: Profile
    border_roundness: float
    bulge: Profile
    bulge_centre: Profile
    lateral_drop: Profile
    midline_gap: float
    supraspinous_gap: Profile
    bone_gap: float
    cleft: float
    fascicle_relief: float
    fascicle_width: float
    fibre_angle: float


def muscle_parameters() -> MuscleParameters:
    """Return the shape of a man's lumbar muscles from the measures."""
    return measured(MuscleParameters, "muscles.shape")


@dataclass(frozen=True, eq=False)
class MuscleBed:
    """Where the muscles lie: ``floor`` is the bone under them, ``fascia`` bridges their back.

    ``roof`` stands the fascia's thickness in front of it. ``thin`` (mm) is positive where too little room
    is left between roof and bone, as over the median sacral crest. ``bone`` is the signed distance to the
    nearest bone, mm.
    """

    span: Stations
    floor: HeightMap
    fascia: HeightMap
    roof: HeightMap
    thin: HeightMap
    bone: Field


def muscle_bed(parameters: MuscleParameters, bones: Mapping[Level, LevelBone]) -> MuscleBed:
    """Return the space of the muscles: floor, fascia and the distance to bone."""
    seen = bone_from_behind(bones)
    profiles = parameters.bulge, parameters.bulge_centre, parameters.lateral_drop
    fascia = fascia_field(*profiles, bones, seen)
    roof = fascia.shifted(-measures.value("muscles.fascia_thickness"))
    floor = floor_field(bones, seen)
    thin = _thin(np.minimum(seen.values, floor.values), roof)
    return MuscleBed(stations(bones), floor, fascia, roof, thin, bone_distance(bones))


def _thin(ground: Floats, roof: HeightMap) -> HeightMap:
    """Return the plan distance (mm) into where less than the least thickness is left over the ground."""
    least = measures.value("muscles.floor.least_thickness")
    room = ndimage.gaussian_filter(np.clip(ground - roof.values, 0.0, 4.0 * least), 1.0)
    slope = np.hypot(*np.gradient(room, roof.step))
    return HeightMap(roof.lower, roof.step, (least - room) / np.maximum(slope, 0.5))


def muscle_recipes(parameters: MuscleParameters, bones: Mapping[Level, LevelBone]) -> dict[str, Recipe]:
    """Return multifidus and erector spinae of both sides and the thoracolumbar fascia, by name.

    ``bones`` are L3, L4, L5 and S1 in the world.
    """
    bed = muscle_bed(parameters, bones)
    result: dict[str, Recipe] = {}
    for side in SIDES:
        deep = _multifidus_fibres(parameters, bed, bones, side)
        result[f"multifidus.{side}"] = Recipe(
            f"multifidus.{side}", "muscle", _multifidus(parameters, bed, deep, side), MUSCLE_STEP,
            side, deep.paint,
        )  # fmt: skip
    for side in SIDES:
        lateral = _erector_fibres(parameters, bed, side)
        result[f"erector_spinae.{side}"] = Recipe(
            f"erector_spinae.{side}", "muscle", _erector_spinae(parameters, bed, lateral, side), MUSCLE_STEP,
            side, lateral.paint,
        )  # fmt: skip
    lateral_muscles = [result[f"erector_spinae.{side}"].solid.field for side in SIDES]
    medial = along(bed.span, parameters.intermuscular_plane)
    fascia = fascia_recipe(bed.roof, bed.span, lateral_muscles, medial)
    return result | {fascia.name: fascia}


def _multifidus_fibres(
    parameters: MuscleParameters, bed: MuscleBed, bones: Mapping[Level, LevelBone], side: Side
) -> muscle_paint.MultifidusFibres:
    l5, l4, l3 = (float(bones[level].landmarks["spinous.tip"].origin[2]) for level in ("L5", "L4", "L3"))
    crest = float(bones["S1"].landmarks["crest.S1"].origin[2])
    return muscle_paint.MultifidusFibres(
        SIGN[side], bed.roof, parameters.fascicle_width, parameters.fascicle_relief,
        parameters.fibre_angle, (crest, l5, l4, l3), bed.span,
    )  # fmt: skip


def _erector_fibres(
    parameters: MuscleParameters, bed: MuscleBed, side: Side
) -> muscle_paint.ErectorSpinaeFibres:
    return muscle_paint.ErectorSpinaeFibres(
        SIGN[side], bed.roof, parameters.fascicle_width, parameters.fascicle_relief,
        along(bed.span, parameters.intermuscular_plane), along(bed.span, parameters.lateral_border), bed.span,
    )  # fmt: skip


def _beyond_plane(parameters: MuscleParameters, bed: MuscleBed, side: Side) -> Field:
    """Return the distance (mm) of points lateral to the intermuscular plane, negative medial to it."""
    plane, slant = along(bed.span, parameters.intermuscular_plane), along(bed.span, parameters.plane_slant)

    def distance(points: Points) -> Floats:
        lean = slant(points[:, 2])
        depth = np.maximum(-bed.roof.height(points), 0.0)
        offset = SIGN[side] * points[:, 0] - plane(points[:, 2]) + lean * depth
        return offset / np.sqrt(1.0 + lean**2 + 0.05)

    return distance


def _within(bed: MuscleBed, fibres: Fibres, bone_gap: float, points: Points, flanks: Floats) -> Floats:
    """Bound a muscle by fascia, floor, bone and the two end sections; ``flanks`` (n,) are its sides."""
    roof = bed.roof.behind(points) + fibres.relief(points) + ROOF_GAP
    floor = np.maximum(-bed.floor.behind(points), bone_gap - bed.bone(points))
    flanks = np.maximum(flanks, bed.thin.at(points[:, 0], points[:, 2]))
    belly = np.maximum(smooth_intersection(roof, floor, 3.0), smooth_intersection(roof, flanks, 2.5))
    ends = np.maximum(points[:, 2] - bed.span.cranial, bed.span.caudal - points[:, 2])
    return smooth_intersection(belly, ends, 1.5)


def _multifidus(parameters: MuscleParameters, bed: MuscleBed, fibres: Fibres, side: Side) -> Solid:
    """Return multifidus: medial of the intermuscular plane, against the spinous processes."""
    beyond = _beyond_plane(parameters, bed, side)
    narrow, wide = parameters.midline_gap, along(bed.span, parameters.supraspinous_gap)

    def field(points: Points) -> Floats:
        points = np.asarray(points, dtype=np.float64)
        lateral = beyond(points) + parameters.cleft / 2.0
        depth = np.maximum(-bed.roof.height(points), 0.0)
        gap = narrow + (wide(points[:, 2]) - narrow) * np.exp(-np.square(depth / 5.0))
        process = np.clip(-bed.bone(points * [0.0, 1.0, 1.0]) / PROCESS, 0.0, 1.0)
        gap *= 1.0 - process * np.clip((depth - SUPRASPINOUS) / 3.0, 0.0, 1.0)
        medial = gap - SIGN[side] * points[:, 0]
        return _within(bed, fibres, parameters.bone_gap, points, np.maximum(lateral, medial))

    return _bounded(field, bed, 0.0, max(parameters.intermuscular_plane) + 6.0, side)


def _erector_spinae(parameters: MuscleParameters, bed: MuscleBed, fibres: Fibres, side: Side) -> Solid:
    """Return erector spinae: lateral of the intermuscular plane, rounded at its lateral border."""
    beyond = _beyond_plane(parameters, bed, side)
    border = along(bed.span, parameters.lateral_border)
    plane = along(bed.span, parameters.intermuscular_plane)

    def field(points: Points) -> Floats:
        points = np.asarray(points, dtype=np.float64)
        z = points[:, 2]
        medial = parameters.cleft / 2.0 - beyond(points)
        above, below = -bed.roof.height(points), bed.floor.height(points)
        level = np.clip((above - below) / np.maximum(above + below, 12.0), -1.2, 1.2)
        inset = parameters.border_roundness * (border(z) - plane(z)) * np.abs(level) ** 4
        lateral = (SIGN[side] * points[:, 0] - border(z) + inset) / (1.0 + inset / 12.0)
        return _within(bed, fibres, parameters.bone_gap, points, smooth_intersection(medial, lateral, 2.0))

    deepest = min(parameters.intermuscular_plane) - 12.0
    return _bounded(field, bed, deepest, max(parameters.lateral_border), side)


def _bounded(field: Field, bed: MuscleBed, medial: float, lateral: float, side: Side) -> Solid:
    """Return a solid between two distances (mm) from the midline on one side."""
    reach = sorted((SIGN[side] * (medial - 3.0), SIGN[side] * (lateral + 3.0)))
    lower = np.array([reach[0], bed.fascia.values.min() - 4.0, bed.span.caudal - 4.0])
    upper = np.array([reach[1], bed.floor.values.max() + 4.0, bed.span.cranial + 4.0])
    return Solid(field, lower, upper)
