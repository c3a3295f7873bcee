"""The muscles beside the spinous processes and the fascia over them, laid on the bones.

World frame, mm. Multifidus lies in the depth beside the spinous processes, longissimus and iliocostalis
lateral to it; in chest and neck spinalis, semispinalis and splenius lie over it. They fill the space between
the bony floor and the fascia and end at flat sections above and below the bones. Shape parameters
and cross-sections stand in ``meshes/measures/muscles.toml``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import numpy as np

from spineviz.anatomy.back import paint as muscle_paint
from spineviz.anatomy.back.aponeurosis import aponeurosis_recipe, spread
from spineviz.anatomy.back.bed import (
    THINNEST,
    MuscleBed,
    beyond_longissimus,
    beyond_plane,
    beyond_spinalis,
    longissimus_border,
    muscle_bed,
)
from spineviz.anatomy.back.fascia import fascia_recipe, on_muscle
from spineviz.anatomy.back.height_map import HeightMap
from spineviz.anatomy.back.paint import Fibres
from spineviz.anatomy.back.parameters import MuscleParameters, muscle_parameters
from spineviz.anatomy.back.profile import along
from spineviz.anatomy.back.skeleton import symmetric
from spineviz.anatomy.back.stations import SACRAL_BODIES
from spineviz.anatomy.back.whole import WholeRecipe, reflected
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.recipe import Recipe
from spineviz.sdf.solid import Field, Solid, smooth_intersection, smooth_union
from spineviz.structure import Floats, Points, Surface
from spineviz.terms import LEVELS, SIDES, SIGN, Level, Side

__all__ = ["MuscleBed", "MuscleParameters", "muscle_bed", "muscle_parameters", "muscle_recipes"]

MUSCLE_STEP = 1.9
FINER: Mapping[str, float] = {"spinalis": 1.4, "iliocostalis": 1.4}
"""The meshing step, mm; that of muscles that are slender, where they touch others on narrow strips."""

PROCESS = 0.3
"""This deep (mm) in its midplane a spinous process has muscle on its sides, however thin it is."""

SUPRASPINOUS = 6.0
"""Down to this depth (mm) muscle keeps beside the supraspinous ligament."""

DEEPEST = 50.0
"""Nowhere is the bed deeper than this, mm."""

NOTCH = 1.2
"""By so many mm muscle is rounded where a ligament lies on bone."""

CUT, ROUNDED = 1.5, 6.0
"""By so many mm muscle is rounded where it is cut off, and where it ends by nature."""

ENDS = ("C1", SACRAL_BODIES[-1])
"""The stations at which muscle ends by nature."""

SHALLOW = 0.8
"""By such a share the furrows between fascicles are shallower under other muscle."""

FLAT = 1.5, 1.2
"""By so many mm flat muscles that lie on others are rounded at their flanks, and where they grow thin."""

POINTED = 0.6, 1.2
"""The same of iliocostalis, which runs out to a slender end under splenius."""

MOST_LEANING, HALF_DEPTH = 20.0, 6.0
"""So far (mm) from the middle of its depth the lateral border of erector spinae leans, and about where it
reaches farthest."""

ENDING = 1.5, 2.5
"""The same of splenius, over whose lateral end the fascia turns."""

TIP, BLUNT, RISING = 1.5, 5.0, 0.35
"""On the sacrum the parts of erector spinae end where they would be narrower, mm; there they are rounded by
so many mm, and end by so many mm higher for each mm of depth."""

ROOF_GAP = 0.1
"""What the crests of the fascicles keep from the fascia, mm."""


REACH: Mapping[str, tuple[Level, Level]] = {
    "multifidus": ("C2", "S1"),
    "longissimus": ("C1", "S1"),
    "iliocostalis": ("C4", "S1"),
    "spinalis": ("T2", "L1"),
    "semispinalis": ("C1", "T10"),
    "splenius": ("C1", "T6"),
}
"""Between which levels a muscle runs, in the order from the depth; it is there beside two of them or more."""


def muscle_recipes(
    parameters: MuscleParameters,
    bones: Mapping[Level, LevelBone],
    size: float = 1.0,
    aponeurosis: bool = False,
    ligaments: Collection[Surface] = (),
    nerves: Collection[Surface] = (),
) -> dict[str, Recipe]:
    """Return the muscles of both sides beside some neighbouring bones and the fascia over them, by name.

    ``size`` is how large the body is beside the mean. With ``aponeurosis``, that of erector spinae lies
    between the fascia and the muscles, where loins and sacrum are there. All give way to the ``ligaments``
    and lie behind the ``nerves``.
    """
    there = tuple(name for name in REACH if present(name, bones))
    parameters = _without(parameters, there)
    bed = muscle_bed(parameters, bones, size, aponeurosis, ligaments, nerves)
    result: dict[str, Recipe] = {}
    for name in there:
        right = _recipe(name, parameters, bed, bones, "right")
        if all(map(symmetric, bones.values())):
            result[f"{name}.left"] = reflected(right, f"{name}.left", "left")
        else:
            result[f"{name}.left"] = _recipe(name, parameters, bed, bones, "left")
        result[right.name] = right
    wrapped = [name for name in ("longissimus", "iliocostalis", "splenius") if name in there]
    outer = {side: [result[f"{name}.{side}"].solid.field for name in wrapped] for side in SIDES}
    medial, lateral, lean = (
        along(bed.span, profile)
        for profile in (parameters.intermuscular_plane, parameters.lateral_border, parameters.border_lean)
    )
    front = on_muscle(bed.roof, bed.tendon, outer, (medial, lateral), bed.hips)
    fascia = fascia_recipe(
        bed.roof, front, bed.span, bed.thickness, lambda z: lateral(z) + HALF_DEPTH * lean(z)
    )
    result[fascia.name] = fascia
    sheet = spread(parameters, bed.span)
    if aponeurosis and sheet is not None:
        sheets = [aponeurosis_recipe(front, bed.tendon, sheet, side) for side in SIDES]
        result |= {sheet.name: sheet for sheet in sheets}
    return result


def _recipe(
    name: str, parameters: MuscleParameters, bed: MuscleBed, bones: Mapping[Level, LevelBone], side: Side
) -> WholeRecipe:
    """Return one muscle of one side: one body, without splinters where it ends on others."""
    fibres = _fibres(name, parameters, bed, bones, side)
    solid = _SOLIDS[name](parameters, bed, fibres, side)
    step = FINER.get(name, MUSCLE_STEP)
    return WholeRecipe(f"{name}.{side}", "muscle", solid, step, side, fibres.paint, bone=bed.bone)


def present(muscle: str, levels: Mapping[Level, LevelBone]) -> bool:
    """Tell whether a muscle is there beside some levels: beside two or more of those it runs along."""
    first, last = (LEVELS.index(level) for level in REACH[muscle])
    return sum(first <= LEVELS.index(level) <= last for level in levels) >= 2


def _without(parameters: MuscleParameters, there: tuple[str, ...]) -> MuscleParameters:
    """Return the parameters with no room for muscles that are not there."""
    nothing = tuple(0.0 for _ in parameters.bulge)
    changed = {} if "splenius" in there else {"splenius_thickness": nothing}
    if not {"spinalis", "semispinalis"} & set(there):
        changed["superficial_share"] = nothing
    return parameters.model_copy(update=changed)


def _fibres(
    name: str, parameters: MuscleParameters, bed: MuscleBed, bones: Mapping[Level, LevelBone], side: Side
) -> Fibres:
    size = parameters.fascicle_width, parameters.fascicle_relief
    if name == "multifidus":
        return muscle_paint.MultifidusFibres(
            SIGN[side], bed.roof, *size, parameters.fibre_angle, _tips(bones), bed.span
        )
    if name in ("longissimus", "iliocostalis"):
        plane = along(bed.span, parameters.intermuscular_plane)
        border = along(bed.span, parameters.lateral_border)
        return muscle_paint.ErectorSpinaeFibres(SIGN[side], bed.roof, *size, plane, border, bed.span)
    return muscle_paint.StraightFibres(SIGN[side], bed.roof, *size, muscle_paint.ANGLES[name])


def _tips(bones: Mapping[Level, LevelBone]) -> tuple[float, ...]:
    """Return the heights of the spinous tips from below, where multifidus begins."""
    heights: list[float] = []
    for level in sorted(bones, key=LEVELS.index, reverse=True):
        mark = "crest.S1" if level == "S1" else "spinous.tip"
        height = float(bones[level].landmarks[mark].origin[2])
        if level != "C1" and (not heights or height > heights[-1] + 2.0):
            heights.append(height)
    return tuple(heights)


def _within(
    bed: MuscleBed,
    parameters: MuscleParameters,
    points: Points,
    flanks: Floats,
    roof: Floats,
    floor: Floats | None = None,
    edge: float = 2.5,
    rim: float = 3.0,
) -> Floats:
    """Bound a muscle by its roof, floor, bone and the two end sections; ``flanks`` (n,) are its sides.

    ``roof`` (n,) is how far points stand behind the roof and its fascicles, and ``floor`` how far before the
    muscle under it. Where roof and flanks meet, the muscle is rounded by ``edge`` mm, and by ``rim`` mm where
    it grows thin between roof and floor.
    """
    free = smooth_union(
        bed.bone(points) - parameters.bone_gap, bed.ligament(points) - parameters.ligament_gap, NOTCH
    )
    bony = np.maximum(-bed.floor.behind(points), -free)
    under = bony if floor is None else np.maximum(bony, floor)
    flanks = np.maximum(flanks, bed.thin.at(points[:, 0], points[:, 2]))
    belly = np.maximum(smooth_intersection(roof, under, rim), smooth_intersection(roof, flanks, edge))
    first, last = (CUT if name not in ENDS else ROUNDED for name in (bed.span.names[0], bed.span.names[-1]))
    upper = smooth_intersection(belly, points[:, 2] - bed.span.cranial, first)
    return smooth_intersection(upper, bed.span.caudal - points[:, 2], last)


def _medial(parameters: MuscleParameters, bed: MuscleBed, side: Side) -> Field:
    """Return how far (mm) points lie too near the midline for muscle."""
    narrow, wide = parameters.midline_gap, along(bed.span, parameters.supraspinous_gap)
    room = along(bed.span, parameters.interspinous_room)

    def field(points: Points) -> Floats:
        depth = np.maximum(-bed.roof.height(points), 0.0)
        deep = np.clip((depth - SUPRASPINOUS) / 3.0, 0.0, 1.0)
        gap = narrow + (wide(points[:, 2]) - narrow) * np.exp(-np.square(depth / 5.0))
        gap += room(points[:, 2]) * deep
        process = np.clip(-bed.bone(points * [0.0, 1.0, 1.0]) / PROCESS, 0.0, 1.0)
        return gap * (1.0 - process * deep) - SIGN[side] * points[:, 0]

    return field


def _multifidus(parameters: MuscleParameters, bed: MuscleBed, fibres: Fibres, side: Side) -> Solid:
    """Return multifidus: medial of the intermuscular plane, against the spinous processes.

    On the lower sacrum, where there is no erector spinae beside it, it ends at the lateral border itself.
    """
    beyond, medial = beyond_plane(parameters, bed, side), _medial(parameters, bed, side)
    border = _border(parameters, bed, side)
    roof = _under(bed.under_superficial, bed, fibres, parameters.cleft)

    def field(points: Points) -> Floats:
        points = np.asarray(points, dtype=np.float64)
        lateral = smooth_intersection(beyond(points) + parameters.cleft / 2.0, border(points), 2.0)
        flanks = np.maximum(lateral, medial(points))
        return _within(bed, parameters, points, flanks, roof(points))

    return _bounded(field, bed, 0.0, _farthest(parameters) + 6.0, side)


def _over_multifidus(name: str) -> Callable[[MuscleParameters, MuscleBed, Fibres, Side], Solid]:
    """Return the maker of spinalis or semispinalis: on multifidus, medial of the intermuscular plane."""

    def solid(parameters: MuscleParameters, bed: MuscleBed, fibres: Fibres, side: Side) -> Solid:
        half = parameters.cleft / 2.0
        beyond, medial = beyond_plane(parameters, bed, side), _medial(parameters, bed, side)
        between = beyond_spinalis(parameters, bed, side)
        roof = _under(bed.under_splenius, bed, fibres, parameters.cleft)

        def field(points: Points) -> Floats:
            points = np.asarray(points, dtype=np.float64)
            own = between(points) if name == "spinalis" else -between(points)
            flanks = np.maximum(np.maximum(beyond(points), own) + half, medial(points))
            floor = half - bed.under_superficial.behind(points)
            return _within(bed, parameters, points, flanks, roof(points), floor, *FLAT)

        return _bounded(field, bed, 0.0, _farthest(parameters) + 6.0, side)

    return solid


def _splenius(parameters: MuscleParameters, bed: MuscleBed, fibres: Fibres, side: Side) -> Solid:
    """Return splenius: a flat muscle under the fascia, over all others."""
    medial, roof = _medial(parameters, bed, side), _under(bed.roof, bed, fibres, parameters.cleft)

    def field(points: Points) -> Floats:
        points = np.asarray(points, dtype=np.float64)
        floor = parameters.cleft / 2.0 - bed.under_splenius.behind(points)
        return _within(bed, parameters, points, medial(points), roof(points), floor, *ENDING)

    return _bounded(field, bed, 0.0, max(parameters.splenius_lateral) + 3.0, side)


def _longissimus(parameters: MuscleParameters, bed: MuscleBed, fibres: Fibres, side: Side) -> Solid:
    """Return longissimus: lateral of the intermuscular plane, as far as iliocostalis."""
    half = parameters.cleft / 2.0
    beyond, outer = beyond_plane(parameters, bed, side), beyond_longissimus(parameters, bed, side)
    end = _sacral_end(bed, along(bed.span, parameters.intermuscular_plane), parameters)
    border, roof = _border(parameters, bed, side), _under(bed.under_splenius, bed, fibres, parameters.cleft)

    def field(points: Points) -> Floats:
        points = np.asarray(points, dtype=np.float64)
        sides = np.maximum(half - beyond(points), outer(points) + half)
        flanks = smooth_intersection(smooth_intersection(sides, border(points), 2.0), end(points), BLUNT)
        return _within(bed, parameters, points, flanks, roof(points), edge=1.5)

    deepest = min(parameters.intermuscular_plane) - 12.0
    return _bounded(field, bed, deepest, max(parameters.lateral_border), side)


def _iliocostalis(parameters: MuscleParameters, bed: MuscleBed, fibres: Fibres, side: Side) -> Solid:
    """Return iliocostalis: lateral of longissimus, rounded at its lateral border."""
    half = parameters.cleft / 2.0
    inner = beyond_longissimus(parameters, bed, side)
    end = _sacral_end(bed, longissimus_border(parameters, bed.span), parameters)
    border, roof = _border(parameters, bed, side), _under(bed.under_splenius, bed, fibres, parameters.cleft)

    def field(points: Points) -> Floats:
        points = np.asarray(points, dtype=np.float64)
        flanks = smooth_intersection(half - inner(points), border(points), 1.0)
        flanks = smooth_intersection(flanks, end(points), BLUNT)
        return _within(bed, parameters, points, flanks, roof(points), None, *POINTED)

    heights = np.array(bed.span.heights)
    nearest = float(longissimus_border(parameters, bed.span)(heights).min())
    return _bounded(
        field, bed, nearest - DEEPEST * parameters.longissimus_slant, max(parameters.lateral_border), side
    )


_SOLIDS: Mapping[str, Callable[[MuscleParameters, MuscleBed, Fibres, Side], Solid]] = {
    "multifidus": _multifidus,
    "longissimus": _longissimus,
    "iliocostalis": _iliocostalis,
    "spinalis": _over_multifidus("spinalis"),
    "semispinalis": _over_multifidus("semispinalis"),
    "splenius": _splenius,
}


def _under(roof: HeightMap, bed: MuscleBed, fibres: Fibres, cleft: float) -> Field:
    """Return how far points stand behind a muscle's roof and its fascicles.

    Under the fascia the crests keep off it. Under other muscle the roof lies half a cleft in front, and the
    furrows between fascicles are shallow.
    """
    half = cleft / 2.0
    gap = HeightMap(roof.lower, roof.step, np.clip(roof.values - bed.roof.values, 0.0, half))

    def field(points: Points) -> Floats:
        within = gap.at(points[:, 0], points[:, 2])
        off = ROOF_GAP * (1.0 - within / half) + (1.0 - SHALLOW * within / half) * fibres.relief(points)
        return roof.behind(points) + within + off

    return field


def _border(parameters: MuscleParameters, bed: MuscleBed, side: Side) -> Field:
    """Return the distance (mm) of points beyond the rounded lateral border of erector spinae.

    It leans laterally with the depth. Under splenius the border keeps its edge, so that the two muscles lie
    on each other as far as it goes.
    """
    border, plane, roundness, lean = (
        along(bed.span, profile)
        for profile in (
            parameters.lateral_border,
            parameters.intermuscular_plane,
            parameters.border_roundness,
            parameters.border_lean,
        )
    )

    splenius = np.clip(bed.under_splenius.values - bed.roof.values - bed.tendon - THINNEST, 0.0, 1.0)
    covered = HeightMap(bed.roof.lower, bed.roof.step, splenius)

    def field(points: Points) -> Floats:
        z = points[:, 2]
        above, below = -bed.roof.height(points), bed.floor.height(points)
        level = np.clip((above - below) / np.maximum(above + below, 12.0), -1.2, 1.2)
        sharp = np.where(level < 0.0, covered.at(points[:, 0], z), 0.0)
        inset = roundness(z) * (1.0 - sharp) * (border(z) - plane(z)) * np.abs(level) ** 4
        inset -= lean(z) * np.clip((above - below) / 2.0, -MOST_LEANING, MOST_LEANING)
        return (SIGN[side] * points[:, 0] - border(z) + inset) / (1.0 + inset / 12.0)

    return field


def _sacral_end(bed: MuscleBed, inner: Callable[[Floats], Floats], parameters: MuscleParameters) -> Field:
    """Return how far (mm) points lie below where a part of erector spinae ends on the sacrum.

    The part reaches from ``inner`` (z -> mm from the midline) to the lateral border. Without a sacrum it does
    not end.
    """
    span, border = bed.span, along(bed.span, parameters.lateral_border)
    if not span.has("L5-S1", SACRAL_BODIES[-1]):
        return lambda points: np.full(len(points), -np.inf)
    z = np.arange(span.caudal, span.at("L5-S1"))
    end = float(z[border(z) - inner(z) < TIP].max(initial=span.caudal))

    def field(points: Points) -> Floats:
        rise = RISING * np.maximum(-bed.roof.height(points), 0.0)
        return (end + rise - points[:, 2]) / np.hypot(1.0, RISING)

    return field


def _farthest(parameters: MuscleParameters) -> float:
    """Return how far from the midline (mm) the muscles reach that lie medial of the intermuscular plane."""
    pairs = zip(parameters.intermuscular_plane, parameters.plane_slant, strict=True)
    return max(plane + DEEPEST * max(-slant, 0.0) for plane, slant in pairs)


def _bounded(field: Field, bed: MuscleBed, medial: float, lateral: float, side: Side) -> Solid:
    """Return a solid between two distances (mm) from the midline on one side."""
    reach = sorted((SIGN[side] * (medial - 3.0), SIGN[side] * (lateral + 3.0)))
    lower = np.array([reach[0], bed.fascia.values.min() - 4.0, bed.span.caudal - 4.0])
    upper = np.array([reach[1], bed.floor.values.max() + 4.0, bed.span.cranial + 4.0])
    return Solid(field, lower, upper)
