"""Quadratus lumborum: from the iliac crest to the twelfth rib, before the transverse processes' tips."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from spineviz import measures
from spineviz.anatomy.back.around import Loin, area_of, profile, squares
from spineviz.anatomy.back.middle_layer import Before
from spineviz.anatomy.back.psoas import before_processes
from spineviz.anatomy.back.transverse import TransverseSheet
from spineviz.anatomy.back.whole import WholeRecipe
from spineviz.anatomy.disc.space import landmark
from spineviz.anatomy.girdle import rib
from spineviz.anatomy.recipe import Paint
from spineviz.anatomy.relaxed_line import unit
from spineviz.sdf.loft import superellipsoid
from spineviz.sdf.solid import Field, Solid, smooth_intersection
from spineviz.structure import Floats, Frame, Points
from spineviz.terms import Disc

STEP = 1.6
"""The meshing step, mm."""

FAR = 4.0
"""Farther outside its shape than this (mm) a muscle is not asked what lies beside it."""


@dataclass(frozen=True, eq=False)
class Strap:
    """A flat muscle before a sheet: its borders, and half its thickness, by place on the sheet; mm.

    ``before`` is how far before the sheet its back is, by place and offset. Its section is a superellipse of
    an ``exponent`` in front and of another one at its ``back``, which lies flat on the fascia. Medial of the
    processes' ``tips``, by so much, it keeps before the short muscles between the processes, as psoas does.
    """

    sheet: TransverseSheet
    medial: Callable[[Floats], Floats]
    lateral: Callable[[Floats], Floats]
    half: Callable[[Floats], Floats]
    before: Before
    exponent: float
    back: float
    tips: float

    def __call__(self, points: Points) -> Floats:
        """Return the distance (mm, negative inside) of world points (n, 3)."""
        place, offset, front = self.sheet.local(points)
        return self.section(place, offset, front, self.half(place))

    def section(self, place: Floats, offset: Floats, front: Floats, half: Floats) -> Floats:
        """Return the distance for places on the sheet and before it, where the muscle is so thick."""
        medial, lateral = self.medial(place), self.lateral(place)
        across, middle = (lateral - medial) / 2, (lateral + medial) / 2
        aside, deep = np.abs(offset - middle), front - self.before(place, offset) - half
        nothing = np.zeros_like(aside)
        exponent = np.where(deep > 0.0, self.exponent, self.back)
        strap = superellipsoid(aside, np.abs(deep), nothing, across, half, nothing + 3.0, exponent)
        behind = np.where(offset < -self.tips, before_processes(place) - front, -half)
        return np.maximum(strap, behind)


def quadratus_shape(loin: Loin, sheet: TransverseSheet, fascia: Before) -> Field:
    """Return the distance (mm) to the muscle, before it gives way to what lies beside it.

    It lies before the ``fascia``, given by how far this reaches before the sheet.
    Without the twelfth rib's vertebra it ends flat above the first lumbar one. Raises ValueError where a
    landmark is missing.
    """
    strap, upper, lower = _sized(loin, sheet, fascia), _upper_end(loin), _lower_end(loin)
    edge = measures.value("quadratus.edge")

    def field(points: Points) -> Floats:
        result = strap(points)
        near = np.flatnonzero(result < FAR)
        ends = np.maximum(upper(points[near]), lower(points[near]))
        result[near] = smooth_intersection(result[near], ends, edge)
        return result

    return field


def quadratus_lumborum(loin: Loin, sheet: TransverseSheet, shape: Field, hip: Field) -> WholeRecipe:
    """Return ``quadratus_lumborum.<side>`` of a shape, in the world, mm.

    ``hip`` is the distance to the hip bone.
    """
    taken = loin.taken("bone", "disc", "ligament", "nerve", "muscle", "cover")

    def field(points: Points) -> Floats:
        points = np.asarray(points, dtype=np.float64)
        result = shape(points)
        near = np.flatnonzero(result < FAR)
        some = points[near]
        free = np.minimum(taken(some), hip(some) - loin.gaps["bone"])
        result[near] = smooth_intersection(result[near], -free, loin.gaps["edge"])
        return result

    net = sheet.net.reshape(-1, 3)
    solid = Solid(field, net.min(axis=0) - 8.0, net.max(axis=0) + 30.0)
    name = f"quadratus_lumborum.{loin.side}"
    return WholeRecipe(name, "muscle", solid, STEP, loin.side, lambda points: _paint(sheet, points))


def _sized(loin: Loin, sheet: TransverseSheet, fascia: Before) -> Strap:
    """Return the muscle as thick as its cross-sections ask for."""
    shape, areas = measures.table("quadratus"), measures.value("quadratus_area")
    medial, lateral = (profile(loin, shape[name]) for name in ("medial", "lateral"))

    def grown(place: Floats) -> Floats:
        return loin.size * lateral(place)

    def nothing(place: Floats) -> Floats:
        return np.zeros_like(place)

    def before(place: Floats, offset: Floats) -> Floats:
        return fascia(place, offset) + shape["before_fascia"]

    flat = Strap(
        sheet, medial, grown, nothing, before, shape["exponent"], shape["back_exponent"], shape["before_tips"]
    )
    discs = loin.discs[-1 - len(areas) : -1]
    halves = [
        _half_at(loin, flat, disc, 100.0 * area * loin.size**2)
        for disc, area in zip(discs, areas, strict=True)
    ]
    return replace(flat, half=profile(loin, halves))


def _half_at(loin: Loin, strap: Strap, disc: Disc, area: float) -> float:
    """Return half the thickness (mm) with which a strap has an area (mm²) in the plane of a disc."""
    points = squares(loin.plane(disc), loin.sign, (10.0, 115.0), (-70.0, 30.0))
    place, offset, front = strap.sheet.local(points)
    free = loin.taken("bone", "disc", "ligament", "nerve", "muscle", "cover")(points) > 0.0

    def inside(half: float) -> np.ndarray:
        return free & (strap.section(place, offset, front, np.full(len(place), half)) < 0.0)

    return area_of(inside, area, 1.0, 20.0)


def _upper_end(loin: Loin) -> Field:
    """Return how far (mm) points are above the lower border of the twelfth rib, or above L1 without it."""
    below = measures.value("quadratus.below_rib")
    if "T12" not in loin.bones or f"costal.superior.{loin.side}" not in loin.bones["T12"].landmarks:
        top = landmark(loin.bones[loin.levels[0]], "endplate.superior")
        return lambda points: (points - top.origin) @ top.superior
    facet = landmark(loin.bones["T12"], f"costal.superior.{loin.side}")
    head = rib.head_frame(Frame(facet.origin / loin.size, facet.axes))
    line = rib.path(rib.parameters_of("T12"), head, None, loin.side)

    def above(points: Points) -> Floats:
        _, upwards, _, share = line.local(points / loin.size)
        _, high = line.sections.half(share, line.share_of_angle)
        return loin.size * (upwards + high) + below

    return above


def _lower_end(loin: Loin) -> Field:
    """Return how far (mm) points are below a line from the last transverse process down to the crest."""
    last, shape = loin.bones[loin.lumbar[-1]], measures.table("quadratus")
    tip = landmark(last, f"transverse.{loin.side}").origin
    across = loin.sign * last.frame.right
    up = unit(last.frame.superior + shape["slope"] * across)
    return lambda points: shape["above_last_process"] - (points - tip) @ up


def _paint(sheet: TransverseSheet, points: Points) -> Paint:
    """Paint fibres along the sheet's rows; they are tendon at the rib and at the crest."""
    place, offset, _ = sheet.local(np.asarray(points, dtype=np.float64))
    along = 32.0 * place
    top, bottom = sheet.places[0], sheet.places[-1]
    ends = np.minimum(place - top - 0.6, bottom - 1.1 - place)
    tint = np.clip(0.8 - 3.0 * ends + 0.3 * np.sin(1.1 * offset), 0.0, 0.9)
    return Paint(tint, np.stack([along, offset + 0.12 * along], axis=1))
