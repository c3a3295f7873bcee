"""The short muscles of the loins: between spinous processes, and between transverse processes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from spineviz import measures
from spineviz.anatomy.back.around import Loin
from spineviz.anatomy.back.psoas import before_processes
from spineviz.anatomy.back.transverse import TransverseSheet
from spineviz.anatomy.back.whole import WholeRecipe
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc.space import landmark
from spineviz.anatomy.net import pushed
from spineviz.anatomy.recipe import Paint
from spineviz.anatomy.relaxed_line import tube, unit
from spineviz.geometry import vertex_normals
from spineviz.sdf.loft import superellipsoid
from spineviz.sdf.solid import Field, Solid, smooth_intersection
from spineviz.structure import Floats, Points
from spineviz.terms import Level

STEP = 0.9
"""The meshing step, mm."""

NEAR, RELUCTANT = 8.0, 0.25
"""A muscle is attached no farther than so many mm from the usual place; each mm away must give it so much
more room."""

BESIDE = 3.0
"""Farther outside its own shape than this (mm) a muscle is not asked what lies beside it."""

LEAST = 30
"""A muscle of which fewer samples than this, 1.2 mm apart, are left is not made."""


def short_muscles(loin: Loin, sheet: TransverseSheet, passed: tuple[Level, ...]) -> list[WholeRecipe]:
    """Return the short muscles of one side, in the world, mm; those for which there is no room are left out.

    ``interspinalis.<above>-<below>.<side>`` and, where both levels' transverse processes lie in the ``sheet``
    that has ``passed`` them, ``intertransversarius_lateral.<above>-<below>.<side>`` and
    ``intertransversarius_medial.<above>-<below>.<side>``. Raises ValueError where a landmark is missing.
    """
    result = []
    for above, below in pairwise(loin.levels):
        result.append(_interspinalis(loin, above, below))
        if below in passed and above in loin.lumbar:
            result.append(_lateral(loin, sheet, passed.index(above), above, below))
            result.append(_medial(loin, sheet, above, below))
    return [recipe for recipe in result if recipe is not None]


def _interspinalis(loin: Loin, above: Level, below: Level) -> WholeRecipe | None:
    """Return the muscle beside an interspinous ligament; None where too little room is left beside it."""
    shape = measures.table("interspinalis")
    quad = _between(loin, above, below, shape["front"], shape["back"])
    middle = _freest(loin, quad)
    first = _ligament_side(loin, middle) + shape["from_ligament"]
    room = _room(loin, middle) - loin.gaps["muscle"]
    thick = min(shape["thickness"] * loin.size, room - first)
    if thick < shape["least"]:
        return None
    bone, taken = loin.of("bone"), loin.taken("bone", "disc", "ligament", "muscle")
    across = unit(np.cross(quad[1] - quad[0], quad[3] - quad[0]))
    across *= np.sign(across[0]) * loin.sign

    def field(points: Points) -> Floats:
        points = np.asarray(points, dtype=np.float64)
        aside = (points - middle) @ across
        flat = points - aside[:, None] * across
        plate = np.abs(aside - first - thick / 2) - thick / 2
        edges = np.max([(flat - a) @ unit(np.cross(b - a, across)) * turn for a, b, turn in sides], axis=0)
        result = smooth_intersection(plate, edges, shape["round"])
        near = np.flatnonzero(result < BESIDE)
        plate = np.maximum(plate[near], loin.gaps["bone"] - bone(flat[near]))
        result[near] = smooth_intersection(plate, edges[near], shape["round"])
        result[near] = np.maximum(result[near], -taken(points[near]))
        return result

    sides = []
    for a, b in zip(quad, np.roll(quad, -1, axis=0), strict=True):
        way = unit(np.cross(b - a, across))
        sides.append((a, b, -float(np.sign((middle - a) @ way))))
    margin = thick + first + 2.0
    solid = Solid(field, quad.min(axis=0) - margin, quad.max(axis=0) + margin)
    return _whole(loin, f"interspinalis.{above}-{below}.{loin.side}", solid, quad[0] - quad[3])


def _between(loin: Loin, above: Level, below: Level, front: float, back: float) -> Points:
    """Return the corners (4, 3) of what lies between two spinous processes, or a process and the crest."""
    upper, lower = loin.bones[above], loin.bones[below]
    base, tip = (landmark(upper, f"spinous.{end}").origin for end in ("base", "tip"))
    if below == "S1":
        crest, way = landmark(lower, "crest.S1").origin, tip - base
        return np.array([base + front * way, base + back * way, crest, crest + (front - back) * way])
    foot, end = (landmark(lower, f"spinous.{end}").origin for end in ("base", "tip"))
    return np.array(
        [base + front * (tip - base), base + back * (tip - base),
         foot + back * (end - foot), foot + front * (end - foot)]
    )  # fmt: skip


def _freest(loin: Loin, quad: Points) -> Points:
    """Return the place (3,) among corners (4, 3) that is farthest from bone: in the ligament, if any is."""
    share = np.linspace(0.05, 0.95, 19)[:, None]
    upper, lower = (quad[a] + share * (quad[b] - quad[a]) for a, b in ((0, 1), (3, 2)))
    places = (upper[:, None] + share * (lower - upper)[:, None]).reshape(-1, 3)
    inside = loin.of("ligament")(places) < 0.0
    places = places[inside] if inside.any() else places
    return np.asarray(places[np.argmax(loin.of("bone")(places))])


def _ligament_side(loin: Loin, middle: Points) -> float:
    """Return how far (mm) from the midline the interspinous ligament's side is; 0 where there is none."""
    reach = np.arange(0.0, 6.0, 0.1)
    inside = loin.of("ligament")(middle + loin.sign * reach[:, None] * [1.0, 0.0, 0.0]) < 0.0
    return float(reach[inside][-1]) if inside.any() else 0.0


def _room(loin: Loin, middle: Points) -> float:
    """Return how far (mm) from the midline the muscle of the back begins."""
    reach = np.arange(0.0, 12.0, 0.1)
    inside = loin.of("muscle")(middle + loin.sign * reach[:, None] * [1.0, 0.0, 0.0]) < 0.0
    return float(reach[inside][0]) if inside.any() else float(reach[-1])


def _lateral(
    loin: Loin, sheet: TransverseSheet, place: int, above: Level, below: Level
) -> WholeRecipe | None:
    """Return the muscle between two transverse processes, before the ligament there and behind psoas."""
    shape = measures.table("intertransversarius_lateral")
    middles = []
    for level in (above, below):
        tip, pedicle = (
            landmark(loin.bones[level], f"{name}.{loin.side}").origin for name in ("transverse", "pedicle")
        )
        middles.append(tip + shape["part"] * (pedicle - tip))
    taken = loin.taken("bone", "disc", "ligament", "vessel", "nerve", "muscle")
    _, ends, _ = sheet.local(np.array(middles))
    length = float(np.linalg.norm(middles[1] - middles[0]))
    width, depth = (loin.size * shape[name] for name in ("width", "depth"))

    def field(points: Points) -> Floats:
        points = np.asarray(points, dtype=np.float64)
        along, offset, front = sheet.local(points)
        share = along - place
        aside = np.abs(offset - ends[0] - share * (ends[1] - ends[0]))
        deep = np.abs(front - shape["before"] - depth / 2)
        nothing = np.zeros(len(points))
        strap = superellipsoid(aside, deep, nothing, nothing + width, nothing + depth / 2, nothing + 1.0, 2.5)
        strap = np.maximum(strap, length * (np.abs(share - 0.5) - 0.5))
        strap = np.maximum(strap, front - before_processes(along) + loin.gaps["muscle"])
        near = np.flatnonzero(strap < BESIDE)
        strap[near] = np.maximum(strap[near], -taken(points[near]))
        return strap

    corners = np.array(middles)
    solid = Solid(field, corners.min(axis=0) - 2.0 * width - 4.0, corners.max(axis=0) + 2.0 * width + 4.0)
    name = f"intertransversarius_lateral.{above}-{below}.{loin.side}"
    return _whole(loin, name, solid, corners[0] - corners[1])


def _medial(loin: Loin, sheet: TransverseSheet, above: Level, below: Level) -> WholeRecipe | None:
    """Return the muscle from an accessory process to the mammillary process below, behind psoas."""
    shape = measures.table("intertransversarius_medial")
    upper, lower = loin.bones[above], loin.bones[below]
    tip, pedicle = (landmark(upper, f"{name}.{loin.side}").origin for name in ("transverse", "pedicle"))
    start = pedicle + shape["part"] * (tip - pedicle) + np.array(shape["accessory"]) @ upper.frame.axes
    facet = landmark(lower, f"facet.superior.{loin.side}").origin
    beside = np.array(shape["mammillary"]) * [loin.sign, 1.0, 1.0]
    end = facet + beside @ lower.frame.axes
    around = loin.taken("bone", "disc", "ligament", "vessel", "nerve", "muscle")
    radius = loin.size * shape["radius"]

    def taken(points: Points) -> Floats:
        place, _, front = sheet.local(points)
        return np.minimum(around(points), before_processes(place) - loin.gaps["muscle"] - front)

    ends = np.array([_attachment(upper, start, taken, radius), _attachment(lower, end, taken, radius)])
    line = ends[0] + np.linspace(0.0, 1.0, 12)[:, None] * (ends[1] - ends[0])
    line[1:-1] = pushed(line[1:-1], taken, 0.75 * radius, rounds=12)
    belly = tube(line, radius * np.sqrt(np.linspace(0.4, 1.0, 12) * np.linspace(1.0, 0.4, 12) / 0.49))

    def field(points: Points) -> Floats:
        points = np.asarray(points, dtype=np.float64)
        result = belly(points)
        near = np.flatnonzero(result < BESIDE)
        result[near] = np.maximum(result[near], -taken(points[near]))
        return result

    solid = Solid(field, line.min(axis=0) - 2 * radius - 2.0, line.max(axis=0) + 2 * radius + 2.0)
    name = f"intertransversarius_medial.{above}-{below}.{loin.side}"
    return _whole(loin, name, solid, ends[0] - ends[1])


def _attachment(bone: LevelBone, wanted: Floats, taken: Field, radius: float) -> Floats:
    """Return the place (3,) on a bone near the one wanted before which a muscle of some radius has room."""
    vertices = bone.surface.vertices.astype(np.float64)
    way = np.linalg.norm(vertices - wanted, axis=1)
    near = np.flatnonzero(way < max(NEAR, float(way.min()) + 1.0))
    outward = vertex_normals(bone.surface.vertices, bone.surface.faces)[near]
    room = np.minimum(taken(vertices[near] + radius * outward), 0.75 * radius)
    return np.asarray(vertices[near][np.argmax(room - RELUCTANT * way[near])])


def _whole(loin: Loin, name: str, solid: Solid, along: Floats) -> WholeRecipe | None:
    """Return the recipe of a muscle whose fibres run one way; None where nothing is left of it."""
    way = unit(along)
    across = unit(np.cross(way, np.array([0.0, 1.0, 0.0])))

    def paint(points: Points) -> Paint:
        return Paint(np.zeros(len(points)), np.stack([points @ way, points @ across], axis=1))

    corner = np.meshgrid(*(np.arange(a, b, 1.2) for a, b in zip(solid.lower, solid.upper, strict=True)))
    if (solid.field(np.stack(corner, axis=-1).reshape(-1, 3)) < 0.0).sum() < LEAST:
        return None
    return WholeRecipe(name, "muscle", solid, STEP, loin.side, paint)
