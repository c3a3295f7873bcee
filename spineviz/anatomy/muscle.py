"""Multifidus, erector spinae and the thoracolumbar fascia of the lumbar back, laid on the bones.

World frame, mm. The muscles fill the space between the bony floor and the fascia; the intermuscular
plane divides it. They end at flat sections above L3 and below S2. Shape parameters and cross-sections
stand in ``meshes/measures/muscles.toml``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from spineviz import measures
from spineviz.anatomy import muscle_paint
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.layer import Layer, LayerRecipe, Outline
from spineviz.anatomy.muscle_floor import (
    HeightMap,
    Stations,
    bone_distance,
    bone_from_behind,
    floor_field,
    spinous_line,
    stations,
)
from spineviz.anatomy.muscle_paint import Fibres
from spineviz.anatomy.recipe import Recipe
from spineviz.sdf.solid import Field, Solid, smooth_intersection
from spineviz.spec import Spec
from spineviz.structure import Floats, Points
from spineviz.terms import SIDES, SIGN, Level, Side

Profile = tuple[float, float, float, float, float]
"""A measure in mm at the stations: top of L3, discs L3-L4, L4-L5, L5-S1, and the body of S2."""

MUSCLE_STEP, FASCIA_STEP = 1.8, 4.0
"""Meshing steps, mm."""

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
    return MuscleParameters.model_validate(measures.table("muscles.shape"))


@dataclass(frozen=True, eq=False)
class MuscleBed:
    """Where the muscles lie: ``floor`` is the bone under them, ``fascia`` the back of the fascia.

    ``roof`` is the front of the fascia. ``thin`` (mm) is positive where too little room is left between
    roof and bone, as over the median sacral crest. ``bone`` is the signed distance to the nearest bone, mm.
    """

    span: Stations
    floor: HeightMap
    fascia: HeightMap
    roof: HeightMap
    thin: HeightMap
    bone: Field


def along(span: Stations, profile: Profile) -> Callable[[Floats], Floats]:
    """Return a measure given at the stations as a smooth function of z, constant beyond both ends."""
    heights = np.array(span.heights[::-1])
    from scipy.interpolate import PchipInterpolator

    curve = PchipInterpolator(heights, profile[::-1])
    return lambda z: curve(np.clip(z, heights[0], heights[-1]))


def outline(span: Stations) -> Outline:
    """Return the rounded rectangle that fascia, fat and skin are cut out along."""
    extent = measures.table("muscles.extent")
    return Outline(extent["half_width"], span.caudal, span.cranial, extent["corner_radius"])


def fascia_field(
    parameters: MuscleParameters, bones: Mapping[Level, LevelBone], seen: HeightMap
) -> HeightMap:
    """Return the posterior surface of the thoracolumbar fascia.

    ``seen`` is the `bone_from_behind` of the same bones. The fascia is held at the spinous line, rises
    over the muscles on both sides, falls forward at their lateral border, and nowhere lets bone through.
    """
    span = stations(bones)
    thickness = measures.value("muscles.fascia_thickness")
    x, z = seen.plan
    u, heights = np.abs(x), z[0]
    centre, bulge, drop = (
        along(span, profile)(heights)[None, :]
        for profile in (parameters.bulge_centre, parameters.bulge, parameters.lateral_drop)
    )
    cover = measures.value("muscles.supraspinous_thickness") + thickness
    line = spinous_line(bones, seen)(heights)[None, :] - cover
    rise = np.sin(np.pi / 2.0 * np.minimum((np.sqrt(u**2 + 9.0) - 3.0) / centre, 1.0))
    edge = measures.table("muscles.extent")["half_width"]
    fall = np.maximum((u - centre) / (edge - centre), 0.0) ** 2.4
    surface = line - bulge * rise + drop * fall
    bound = seen.values - thickness - 1.5
    for _ in range(3):
        surface = ndimage.gaussian_filter(np.minimum(surface, bound), 2.0, mode="nearest")
    return HeightMap(seen.lower, seen.step, surface)


def muscle_bed(parameters: MuscleParameters, bones: Mapping[Level, LevelBone]) -> MuscleBed:
    """Return the space of the muscles: floor, fascia and the distance to bone."""
    seen = bone_from_behind(bones)
    fascia = fascia_field(parameters, bones, seen)
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
            side, "FMA:22827", deep.paint,
        )  # fmt: skip
    for side in SIDES:
        lateral = _erector_fibres(parameters, bed, side)
        result[f"erector_spinae.{side}"] = Recipe(
            f"erector_spinae.{side}", "muscle", _erector_spinae(parameters, bed, lateral, side), MUSCLE_STEP,
            side, "FMA:71302", lateral.paint,
        )  # fmt: skip
    layer = Layer(bed.roof, bed.fascia, outline(bed.span))
    result["thoracolumbar_fascia"] = LayerRecipe(
        "thoracolumbar_fascia", "fascia", layer.solid(), FASCIA_STEP,
        term="FMA:25072", paint=muscle_paint.fascia, layer=layer,
    )  # fmt: skip
    return result


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
    belly = np.maximum(smooth_intersection(roof, floor, 3.0), smooth_intersection(roof, flanks, 4.5))
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
