"""Psoas major: beside discs and bodies from T12 down, over the pelvic brim, to its tendon before the hip.

A section swept along a line that is laid beside the discs and on along the pelvic brim, with slips to the
transverse processes, less all that lies beside it. The sections are as large as the measures say.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from spineviz import measures
from spineviz.anatomy.back.around import Loin, area_of, squares
from spineviz.anatomy.back.transverse import TransverseSheet, unit_of
from spineviz.anatomy.back.whole import WholeRecipe
from spineviz.anatomy.column.alignment import endplate
from spineviz.anatomy.disc.space import landmark
from spineviz.anatomy.girdle import ilium
from spineviz.anatomy.recipe import Paint
from spineviz.anatomy.surroundings import Surroundings
from spineviz.sdf.loft import superellipsoid
from spineviz.sdf.solid import Field, Solid, smooth_intersection, smooth_union
from spineviz.structure import Floats, Frame, Points
from spineviz.terms import Disc

STEP = 1.7
"""The meshing step, mm."""

SPACING = 1.5
"""Samples of the muscle's line lie about so far apart, mm."""

OUTSIDE = 60.0
"""Discs are looked at from so far (mm) beside their middles."""

IN_THE_WALL = 7.0
"""So deep (mm) in the wall of a disc the muscle's section may reach before it gives way to the disc."""

FAR = 4.0
"""Farther outside its sweep than this (mm) a muscle is not asked what lies beside it."""


@dataclass(frozen=True)
class Section:
    """One section across the muscle: its middle, the way to its lateral side, and its half-widths; mm.

    ``across`` is half its width to the side and ``deep`` half its depth from front to back. It goes no
    farther than ``medial`` to its medial side.
    """

    middle: Floats
    lateral: Floats
    across: float
    deep: float
    medial: float


@dataclass(frozen=True, eq=False)
class Sweep:
    """A superelliptic section swept along a line: ``middles``, ``lateral`` (n, 3), the others (n,), mm.

    It begins with a rounded tip, ``tip`` mm long, and ends flat, its edge rounded by ``edge`` mm.
    """

    middles: Points
    lateral: Points
    across: Floats
    deep: Floats
    medial: Floats
    exponent: float
    tip: float
    edge: float

    @cached_property
    def along(self) -> Points:
        """The unit directions (n, 3) of the line."""
        return unit_of(np.gradient(self.middles, axis=0))

    @cached_property
    def _axes(self) -> tuple[Points, Points]:
        """The unit directions (n, 3) to the side and to the front or back, across the line."""
        flat = self.lateral - np.einsum("ij,ij->i", self.lateral, self.along)[:, None] * self.along
        side = unit_of(flat)
        return side, np.cross(self.along, side)

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(self.middles)

    def local(self, points: Points) -> tuple[Floats, Floats, Floats]:
        """Return for points (n, 3) where on the line they are, in samples, and their two offsets (mm)."""
        nearest = self._tree.query(points)[1]
        ahead = np.einsum("ij,ij->i", points - self.middles[nearest], self.along[nearest])
        place = nearest + ahead / SPACING
        inside = np.clip(place, 0.0, len(self.middles) - 1.0)
        side, deep = (self._at(table, inside) for table in self._axes)
        offset = points - self._at(self.middles, inside)
        return place, np.einsum("ij,ij->i", offset, side), np.einsum("ij,ij->i", offset, deep)

    def __call__(self, points: Points) -> Floats:
        """Return the distance (mm, negative inside) of points (n, 3)."""
        place, aside, deep = self.local(points)
        last = len(self.middles) - 1.0
        inside = np.clip(place, 0.0, last)
        before = np.maximum(-place, 0.0) * SPACING
        across, depth = (self._at(table, inside) for table in (self.across, self.deep))
        tip = np.full(len(points), self.tip)
        section = superellipsoid(np.abs(aside), np.abs(deep), before, across, depth, tip, self.exponent)
        inner = -aside - self._at(self.medial, inside)
        return smooth_intersection(np.maximum(section, inner), (place - last) * SPACING, self.edge)

    @staticmethod
    def _at(table: np.ndarray, place: Floats) -> np.ndarray:
        first = np.minimum(place.astype(np.intp), len(table) - 2)
        share = place - first
        share = share[:, None] if table.ndim == 2 else share
        return np.asarray((1.0 - share) * table[first] + share * table[first + 1])


def psoas_major(loin: Loin, sheet: TransverseSheet, quadratus: Field, hip: Field) -> WholeRecipe:
    """Return ``psoas_major.<side>``, in the world, mm.

    It keeps before the ``sheet`` of the transverse processes, and clear of ``quadratus``, on which it is
    draped, and of the ``hip`` bone, whose distances are given. Raises ValueError where a landmark is missing.
    """
    taken = _taken(loin, sheet, quadratus, hip)
    sweep = _sweep(loin, taken)
    slips = _slips(loin, sheet, sweep)
    fillet, edge = measures.value("psoas.fillet"), loin.gaps["edge"]
    draped, on_bone = measures.value("psoas.draped"), measures.value("psoas.on_bone")
    bone = loin.of("bone")

    def field(points: Points) -> Floats:
        points = np.asarray(points, dtype=np.float64)
        result = smooth_union(sweep(points), slips(points), fillet)
        beside = np.flatnonzero(result < draped)
        result[beside] = smooth_union(result[beside], quadratus(points[beside]), draped)
        beside = np.flatnonzero(result < on_bone)
        result[beside] = smooth_union(result[beside], bone(points[beside]), on_bone)
        near = np.flatnonzero(result < FAR)
        result[near] = smooth_intersection(result[near], -taken(points[near]), edge)
        return result

    reach = float(max(sweep.across.max(), sweep.deep.max())) + 8.0
    lower, upper = sweep.middles.min(axis=0) - reach, sweep.middles.max(axis=0) + reach
    name = f"psoas_major.{loin.side}"
    return WholeRecipe(
        name, "muscle", Solid(field, lower, upper), STEP, loin.side, lambda points: _paint(sweep, points)
    )


def hip_bone(loin: Loin) -> Field:
    """Return the distance (mm) of world points to the hip bone beside the sacrum, be it shown or not."""
    sacrum = loin.bones["S1"].frame
    bone = ilium.field(ilium.parameters(), lambda points: np.full(len(points), 50.0), loin.side)
    highest = 70.0 * loin.size

    def distance(points: Points) -> Floats:
        local = sacrum.to_local(points)
        result = np.full(len(points), 20.0)
        near = np.flatnonzero((local[:, 2] < highest) & (np.abs(local[:, 0]) > 25.0 * loin.size))
        if len(near):
            result[near] = loin.size * bone(local[near] / loin.size)
        return result

    return distance


def before_processes(place: Floats) -> Floats:
    """Return how far (mm) before the sheet of the transverse processes the muscle's back is, by place.

    On the processes it lies on them; between them short muscles lie behind it.
    """
    shape = measures.table("psoas")
    on_process, reach = shape["on_process"]
    beside = np.exp(-np.square((place - np.round(place)) / reach))
    return np.asarray(shape["before_processes"] + (on_process - shape["before_processes"]) * beside)


def _taken(loin: Loin, sheet: TransverseSheet, quadratus: Field, hip: Field) -> Field:
    """Return how far (mm) world points are from where the muscle ends; negative beyond."""
    around = loin.taken("bone", "disc", "ligament", "vessel", "nerve", "muscle")

    def distance(points: Points) -> Floats:
        place, _, front = sheet.local(points)
        behind = np.where(place < sheet.places[-1] - 0.5, front - before_processes(place), 9.0)
        muscle = quadratus(points) - loin.gaps["muscle"]
        bone = hip(points) - loin.gaps["bone"]
        return np.asarray(np.min([around(points), behind, muscle, bone], axis=0))

    return distance


def _sweep(loin: Loin, taken: Field) -> Sweep:
    """Return the muscle's sweep, its sections as large as they are measured."""
    from scipy.interpolate import PchipInterpolator

    shape = measures.table("psoas")
    sections = [*_at_discs(loin, taken), *_in_pelvis(loin)]
    sections = [_first(loin, sections[0]), *sections]
    middles = np.array([item.middle for item in sections])
    knots = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(middles, axis=0), axis=1))])
    line = PchipInterpolator(knots, middles)
    fine = np.linspace(0.0, knots[-1], 600)
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line(fine), axis=0), axis=1))])
    even = np.interp(np.linspace(0.0, length[-1], round(length[-1] / SPACING) + 1), length, fine)
    tables = (
        np.array([item.lateral for item in sections]),
        np.array([item.across for item in sections]),
        np.array([item.deep for item in sections]),
        np.array([item.medial for item in sections]),
    )
    lateral, across, deep, medial = (PchipInterpolator(knots, table)(even) for table in tables)
    return Sweep(
        line(even), lateral, across, deep, medial, shape["exponent"], shape["tip"], shape["end_edge"]
    )


def _at_discs(loin: Loin, taken: Field) -> list[Section]:
    """Return the sections in the planes of the discs, from above."""
    shape, areas = measures.table("psoas"), measures.value("psoas_area")
    result = []
    count = len(loin.discs)
    for share, disc in zip(
        np.linspace(max(len(areas) - count, 0), len(areas) - 1, count), loin.discs, strict=True
    ):
        angle, ratio, leaning, turn, area = (
            float(np.interp(share, range(len(areas)), values))
            for values in (shape["angle"], shape["depth_to_width"], shape["leaning"], shape["turn"], areas)
        )
        result.append(_at_disc(loin, disc, taken, angle, ratio, leaning, turn, 100.0 * area * loin.size**2))
    return result


def _at_disc(
    loin: Loin, disc: Disc, taken: Field, angle: float, ratio: float, leaning: float, turn: float, area: float
) -> Section:
    """Return the section beside a disc, at an angle (degrees) from behind; ``area`` in mm².

    ``leaning`` is the share of its half width by which it would stand in the disc, and ``turn`` (degrees) how
    far its lateral side is turned backwards.
    """
    plane = loin.plane(disc)
    bearing, away = np.radians(angle), np.radians(turn)
    way = np.array([loin.sign * np.sin(bearing), -np.cos(bearing), 0.0])
    lateral = np.array([loin.sign * np.cos(away), -np.sin(away), 0.0])
    deep = np.array([loin.sign * np.sin(away), np.cos(away), 0.0])
    wall = _wall(loin, disc, plane, way)
    points = squares(plane, loin.sign, (8.0, 100.0), (-60.0, 60.0))
    flat, free = plane.to_local(points), taken(points) > 0.0
    exponent = measures.value("psoas.exponent")

    def inside(across: float) -> np.ndarray:
        offset = flat - (wall + (1.0 - leaning) * across) * way
        aside, depth = np.abs(offset @ lateral) / across, np.abs(offset @ deep) / (ratio * across)
        return free & (aside**exponent + depth**exponent < 1.0)

    across = area_of(inside, area, 2.0, 45.0)
    middle = plane.to_parent((wall + (1.0 - leaning) * across) * way)
    medial = min(1.0 - leaning, 1.0) * across + IN_THE_WALL
    return Section(middle, lateral @ plane.axes, across, ratio * across, medial)


def _wall(loin: Loin, disc: Disc, plane: Frame, way: Floats) -> float:
    """Return how far (mm) from a disc's middle its side lies; without its mesh, where the bodies' lies."""
    name = f"disc.{disc}"
    reach = np.arange(8.0, 45.0, 0.25)
    if name in loin.made:
        thing = Surroundings(()).and_also([loin.made[name].surface])
        outwards = (way @ plane.axes)[None]
        met = thing.ahead(plane.origin + OUTSIDE * outwards, -outwards, OUTSIDE)[0]
        return float(OUTSIDE - met) if np.isfinite(met) else float(reach[-1])
    inside = loin.of("bone")(plane.to_parent(reach[:, None] * way)) < 3.0
    return float(reach[inside][-1]) if inside.any() else float(reach[-1])


def _first(loin: Loin, below: Section) -> Section:
    """Return the muscle's upper end: beside the lower margin of T12, or the upper one of L1 without it."""
    bone = loin.bones[loin.levels[0]]
    shape = measures.table("psoas")
    along = bone.frame.superior
    if bone.level.startswith("T"):
        end, share = endplate(bone.landmarks, "inferior", bone.level), shape["tip_area"] ** 0.5
        up = float((end.origin - below.middle) @ along) + shape["above_disc"]
    else:
        end, share = landmark(bone, "endplate.superior"), shape["cut_area"] ** 0.5
        up = float((end.origin - below.middle) @ along)
    middle = below.middle + up * along
    return Section(middle, below.lateral, share * below.across, share * below.deep, below.medial)


def _in_pelvis(loin: Loin) -> list[Section]:
    """Return the sections along the pelvic brim, from above."""
    shape = measures.table("psoas_pelvis")
    sacrum, upright = loin.bones["S1"].frame, ilium.parameters().pelvic_frame()
    lateral = loin.sign * sacrum.right
    result = []
    for place, area in zip(shape["course"], shape["area"], strict=True):
        local = upright.to_local(np.array(place)) * np.array([loin.sign, 1.0, 1.0])
        radius = loin.size * float(np.sqrt(100.0 * area / 3.35))
        result.append(Section(sacrum.to_parent(loin.size * local), lateral, radius, radius, 2.0 * radius))
    return result


def _slips(loin: Loin, sheet: TransverseSheet, sweep: Sweep) -> Field:
    """Return the distance (mm) to the slips that join the transverse processes."""
    shape = measures.table("psoas")
    ends: list[tuple[Floats, Floats, float]] = []
    for level in loin.lumbar:
        bone = loin.bones[level]
        tip, pedicle = (landmark(bone, f"{name}.{loin.side}").origin for name in ("transverse", "pedicle"))
        end = tip + shape["slip_part"] * (pedicle - tip)
        index = int(np.argmin(np.linalg.norm(sweep.middles - end, axis=1)))
        ends.append((sweep.middles[index], end, shape["slip_from"] * float(sweep.across[index])))

    def distance(points: Points) -> Floats:
        return np.min([_cone(points, *end, shape["slip_to"]) for end in ends], axis=0)

    return distance


def _cone(points: Points, start: Floats, end: Floats, first: float, last: float) -> Floats:
    """Return the distance of points (n, 3) to a cone with round ends of two radii."""
    way = end - start
    share = np.clip((points - start) @ way / (way @ way), 0.0, 1.0)
    return np.linalg.norm(points - start - share[:, None] * way, axis=1) - (first + share * (last - first))


def _paint(sweep: Sweep, points: Points) -> Paint:
    """Paint fibres along the muscle, which turns to tendon towards the hip."""
    place, aside, deep = sweep.local(np.asarray(points, dtype=np.float64))
    last = len(sweep.middles) - 1.0
    across = np.arctan2(deep, aside) * 18.0 + 0.4 * np.hypot(aside, deep)
    share = place / last + 0.06 * np.sin(0.9 * across)
    tint = np.clip(5.0 * (share - 0.79), 0.0, 0.95) + np.clip(0.35 - 3.0 * share, 0.0, 0.6)
    return Paint(np.clip(tint, 0.0, 1.0), np.stack([SPACING * place, across], axis=1))
