"""The bed of the back's muscles: one room between the bony floor and the fascia, and how it is divided.

World frame, mm. Surfaces over the plan of the back divide the room by depth, planes by the way from the
midline; every muscle keeps half a cleft from the border that it shares with its neighbour.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from spineviz import measures
from spineviz.anatomy.back.aponeurosis import thickness as thickness_of_aponeurosis
from spineviz.anatomy.back.crowd import crowd
from spineviz.anatomy.back.fascia import fascia_field
from spineviz.anatomy.back.floor import floor_field
from spineviz.anatomy.back.height_map import HeightMap
from spineviz.anatomy.back.layer import STEP
from spineviz.anatomy.back.parameters import MuscleParameters
from spineviz.anatomy.back.profile import STATIONS, along
from spineviz.anatomy.back.skeleton import (
    bone_distance,
    bone_from_behind,
    first_met,
    hip_bones,
    hips_from_behind,
    ribs_from_behind,
)
from spineviz.anatomy.back.stations import Stations, stations
from spineviz.anatomy.bone import LevelBone
from spineviz.sdf.solid import Field
from spineviz.structure import Floats, Points, Surface
from spineviz.terms import SIGN, Level, Side

THINNEST = 3.0
"""A muscle that lies on others ends where it would be thinner than this, mm."""

DEEPEST = 3.0
"""No place in a ligament is deeper than this, mm."""

ON_LIGAMENT = 1.2
"""The fascia lies by so much nearer on the supraspinous ligament than on bone, mm."""

ON_HIP = 0.3
"""What the fascia keeps from the hip bones that it lies on, mm."""

NERVE_GAP = 0.4
"""What muscle keeps from the nerves that it lies behind, mm."""

EDGE = 3.0
"""Over this way (mm) such a muscle's border rises to its full thickness."""


LAST = "T10-T11"
"""Down to this station semispinalis lies beside spinalis."""

ABOVE_LAST = STATIONS[: STATIONS.index(LAST)]


@dataclass(frozen=True, eq=False)
class MuscleBed:
    """Where the muscles lie: ``floor`` is the bone under them, ``fascia`` bridges their back.

    ``roof`` stands the fascia's thickness (mm, (1, nz)) in front of it. ``tendon`` (mm, (nx, nz)) is the
    thickness of the aponeurosis between roof and muscle. ``under_splenius`` is the roof of
    what splenius covers, and ``under_superficial`` that of multifidus; both are the roof itself where nothing
    lies between. ``thin`` (mm) is positive where too little room
    is left between roof and bone, as over the median sacral crest. ``hips`` is what
    the fascia lies on at the hip bones, +inf elsewhere. ``bone`` is the signed distance to the
    nearest bone, mm, and ``ligament`` that to the nearest ligament, at most 5.
    """

    span: Stations
    floor: HeightMap
    fascia: HeightMap
    thickness: Floats
    roof: HeightMap
    tendon: Floats
    under_splenius: HeightMap
    under_superficial: HeightMap
    thin: HeightMap
    hips: HeightMap
    bone: Field
    ligament: Field


@dataclass(frozen=True, eq=False)
class Ground:
    """What the muscles lie on: bone and ribs as seen from behind, +inf elsewhere, and their floor."""

    span: Stations
    seen: HeightMap
    ribs: HeightMap
    floor: HeightMap


def ground(bones: Mapping[Level, LevelBone], size: float = 1.0) -> Ground:
    """Return what the muscles lie on beside some neighbouring bones.

    ``size`` is how large the body is beside the mean; ribs are as large.
    """
    span = stations(bones)
    seen = bone_from_behind(bones, span)
    ribs = ribs_from_behind(bones, seen, size)
    return Ground(span, seen, ribs, floor_field(bones, seen, ribs))


def muscle_bed(
    parameters: MuscleParameters,
    bones: Mapping[Level, LevelBone],
    size: float = 1.0,
    aponeurosis: bool = False,
    ligaments: Collection[Surface] = (),
    nerves: Collection[Surface] = (),
) -> MuscleBed:
    """Return the space of the muscles beside some neighbouring bones: floor, fascia and the distance to bone.

    ``size`` is how large the body is beside the mean; ``aponeurosis`` leaves room for that of erector spinae.
    Muscles and fascia give way to the ``ligaments``, closed surfaces, and muscles lie behind the ``nerves``.
    """
    below = ground(bones, size)
    span, seen, ribs = below.span, below.seen, below.ribs
    floor = _before_muscle(below.floor, first_met(nerves, seen).values)
    hips = hip_bones(bones, size)
    crests = hips_from_behind(hips, seen)
    on_hips = _spread(crests)
    held_off = np.minimum(_held_off(ribs, floor), first_met(ligaments, seen).values + ON_LIGAMENT)
    held_off = np.minimum(held_off, on_hips.values)
    fascia = fascia_field(parameters, bones, seen, HeightMap(floor.lower, floor.step, held_off))
    thickness = along(span, parameters.fascia_thickness)(seen.plan[1])
    fascia = HeightMap(fascia.lower, fascia.step, np.minimum(fascia.values, on_hips.values - thickness))
    roof = fascia.shifted(-thickness)
    tendon = thickness_of_aponeurosis(parameters, span, roof) * float(aponeurosis)
    splenius = _under_splenius(parameters, span, roof.shifted(-tendon), floor)
    superficial = _under_superficial(parameters, span, splenius, floor)
    thin = _thin(np.min([seen.values, ribs.values, crests.values, floor.values], axis=0), roof)
    lower = np.array([seen.lower[0], fascia.values.min(), seen.lower[1]])
    upper = np.array([-seen.lower[0], floor.values.max(), seen.plan[1].max()])
    return MuscleBed(
        span, floor, fascia, thickness, roof, tendon, splenius, superficial, thin, on_hips,
        bone_distance(bones, hips),
        crowd(ligaments, lower, upper, deepest=DEEPEST),
    )  # fmt: skip


def _spread(hips: HeightMap) -> HeightMap:
    """Return what a sheet lies on at the ``hips``: they reach as far as one of its triangles does."""
    reach = 2 * int(STEP) + 1
    return HeightMap(hips.lower, hips.step, ndimage.minimum_filter(hips.values, reach) - ON_HIP)


def _before_muscle(floor: HeightMap, nerves: Floats) -> HeightMap:
    """Return the floor drawn backwards over nerves, the y (nx, nz) of which is seen from behind."""
    lack = np.minimum(ndimage.minimum_filter(nerves, 3) - NERVE_GAP - floor.values, 0.0)
    eased = np.minimum(lack, ndimage.gaussian_filter(lack, 1.0))
    return HeightMap(floor.lower, floor.step, floor.values + eased)


def _held_off(ribs: HeightMap, floor: HeightMap) -> Floats:
    """Return the floor where it spans the ribs; +inf elsewhere."""
    reach = int(measures.table("muscles.floor")["rib_reach"])
    between = ndimage.binary_closing(np.isfinite(ribs.values), np.ones((1, 3)), reach // 2)
    return np.where(between, floor.values, np.inf)


def _thin(ground: Floats, roof: HeightMap) -> HeightMap:
    """Return the plan distance (mm) into where less than the least thickness is left over the ground."""
    least = measures.value("muscles.floor.least_thickness")
    room = ndimage.gaussian_filter(np.clip(ground - roof.values, 0.0, 4.0 * least), 1.0)
    slope = np.hypot(*np.gradient(room, roof.step))
    return HeightMap(roof.lower, roof.step, (least - room) / np.maximum(slope, 0.5))


def _under_splenius(
    parameters: MuscleParameters, span: Stations, roof: HeightMap, floor: HeightMap
) -> HeightMap:
    """Return the roof of what splenius covers: a flat muscle between two lines that go apart upwards."""
    x, z = roof.plan
    thick, medial, lateral = (
        along(span, profile)(z)
        for profile in (
            parameters.splenius_thickness,
            parameters.splenius_medial,
            parameters.splenius_lateral,
        )
    )
    inside = np.minimum(np.abs(x) - medial, lateral - np.abs(x))
    room = 0.7 * np.maximum(floor.values - roof.values, 0.0)
    return _laid(roof, np.minimum(thick * roof.stretch, room), inside)


def _under_superficial(
    parameters: MuscleParameters, span: Stations, roof: HeightMap, floor: HeightMap
) -> HeightMap:
    """Return the roof of multifidus: spinalis and semispinalis have their share of the depth over it."""
    share = np.clip(along(span, parameters.superficial_share)(roof.plan[1]), 0.0, 2.0)
    x, z = roof.plan
    room = np.maximum(floor.values - roof.values, 0.0)
    beside_spinalis = z - span.at(LAST) if span.has(LAST) else EDGE if span.names[0] in ABOVE_LAST else -EDGE
    inside = np.maximum(along(span, parameters.spinalis_width)(z) - np.abs(x), beside_spinalis)
    return _laid(roof, share * room, inside)


def _laid(roof: HeightMap, thickness: Floats, inside: Floats) -> HeightMap:
    """Return the underside of a muscle under a roof.

    ``thickness`` (mm, along y) is that of the muscle, which is nowhere thinner than `THINNEST`; ``inside``
    (mm) is how far a place lies within its borders.
    """
    thick = ndimage.gaussian_filter(np.where(inside > 0.0, thickness, 0.0), 1.0)
    full = np.clip((thick - THINNEST) / 1.0, 0.0, 1.0) * np.clip(inside / EDGE, 0.0, 1.0)
    return HeightMap(roof.lower, roof.step, roof.values + thick * full)


def beyond_plane(parameters: MuscleParameters, bed: MuscleBed, side: Side) -> Field:
    """Return the distance (mm) of points lateral to the intermuscular plane, negative medial to it."""
    plane, slant = along(bed.span, parameters.intermuscular_plane), along(bed.span, parameters.plane_slant)

    def distance(points: Points) -> Floats:
        lean = slant(points[:, 2])
        depth = np.maximum(-bed.roof.height(points), 0.0)
        offset = SIGN[side] * points[:, 0] - plane(points[:, 2]) + lean * depth
        return offset / np.sqrt(1.0 + lean**2 + 0.05)

    return distance


def beyond_longissimus(parameters: MuscleParameters, bed: MuscleBed, side: Side) -> Field:
    """Return the distance (mm) of points lateral to the plane between longissimus and iliocostalis."""
    border, lean = longissimus_border(parameters, bed.span), parameters.longissimus_slant

    def distance(points: Points) -> Floats:
        depth = np.maximum(-bed.roof.height(points), 0.0)
        offset = SIGN[side] * points[:, 0] - border(points[:, 2]) + lean * depth
        return offset / np.sqrt(1.0 + lean**2 + 0.05)

    return distance


def beyond_spinalis(parameters: MuscleParameters, bed: MuscleBed, side: Side) -> Field:
    """Return the distance (mm) of points lateral to the plane between spinalis and semispinalis.

    Where semispinalis would be thinner than `THINNEST`, it ends, and spinalis goes on to longissimus.
    """
    border, plane, slant = (
        along(bed.span, profile)
        for profile in (parameters.spinalis_width, parameters.intermuscular_plane, parameters.plane_slant)
    )

    def distance(points: Points) -> Floats:
        z = points[:, 2]
        width = border(z)
        slope = (border(z + 1.0) - border(z - 1.0)) / 2.0
        left = plane(z) - slant(z) * np.maximum(-bed.roof.height(points), 0.0) - width
        width = width + left * np.clip(THINNEST - left, 0.0, 1.0)
        return (SIGN[side] * points[:, 0] - width) / np.sqrt(1.0 + slope**2)

    return distance


def longissimus_border(parameters: MuscleParameters, span: Stations) -> Callable[[Floats], Floats]:
    """Return how far from the midline (mm) longissimus meets iliocostalis, as a function of z."""
    plane, border, share = (
        along(span, profile)
        for profile in (
            parameters.intermuscular_plane,
            parameters.lateral_border,
            parameters.longissimus_share,
        )
    )
    return lambda z: plane(z) + share(z) * (border(z) - plane(z))
