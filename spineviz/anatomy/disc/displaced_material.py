"""Displaced disc material: what a herniation puts behind a disc, as geometry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from pydantic import Field as Limits
from pydantic import model_validator
from scipy import ndimage
from scipy.spatial import cKDTree

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc.space import DiscSpace, landmark
from spineviz.anatomy.interlaminar import flavum_front, roof
from spineviz.sdf.solid import Field, Solid, smooth_difference, smooth_intersection, smooth_union
from spineviz.spec import Spec
from spineviz.structure import Floats, Frame, Points
from spineviz.terms import SIGN, Side

Morphology = Literal["protrusion", "extrusion"]

CELL = 0.5
"""How finely (mm) displaced material is searched for pieces that do not hang together."""


class DisplacedMaterial(Spec):
    """Nucleus material outside the disc space.

    ``offset`` is the place of its centre on the disc's posterior margin: 0 the midline, 1 the medial
    border of the pedicle below, on ``side``. ``depth`` is how far it stands behind the margin, ``width``
    its greatest width, ``migration`` how far it reaches beyond the endplate (positive cranial, negative
    caudal), all in mm.
    """

    side: Side
    morphology: Morphology
    offset: float = Limits(ge=0.0, le=1.0)
    depth: float = Limits(gt=0.0, le=12.0)
    width: float = Limits(ge=4.0, le=22.0)
    migration: float = Limits(default=0.0, ge=-15.0, le=15.0)

    @model_validator(mode="after")
    def _contained(self) -> DisplacedMaterial:
        if self.morphology == "protrusion" and self.migration != 0.0:
            raise ValueError("a protrusion does not migrate; choose an extrusion or leave the migration out")
        return self


def medial_border(bone: LevelBone, side: Side) -> Floats:
    """Return the point (3,), in the world, where a pedicle's medial wall meets the canal."""
    origin = landmark(bone, f"pedicle.{side}").origin
    towards = np.array([-SIGN[side], 0.0, 0.0])
    places = origin + np.arange(0.0, 20.0, 0.1)[:, None] * towards
    outside = bone.grid(places) > 0.0
    if outside[0] or not outside.any():
        raise ValueError(f"{bone.level}: the landmark 'pedicle.{side}' does not lie inside the pedicle")
    return places[int(np.argmax(outside))]


def material_frame(material: DisplacedMaterial, space: DiscSpace, bulge: float) -> Frame:
    """Return the world frame of displaced material.

    Origin on the disc's posterior margin, y out of the disc (backwards), z superior, x = y × z.
    """
    border = space.frame.to_local(medial_border(space.below, material.side))[0]
    angles = np.radians(np.arange(190.0, 351.0, 0.5))
    radii = space.radius(angles, np.full(len(angles), 0.5)) + bulge
    margin = np.stack([np.cos(angles) * radii, np.sin(angles) * radii], axis=1)
    nearest = int(np.argmin(np.abs(margin[:, 0] - material.offset * border)))
    along = margin[nearest + 4] - margin[nearest - 4]
    outward = np.array([along[1], -along[0], 0.0]) / np.linalg.norm(along)
    outward = outward + np.array([0.0, -1.0, 0.0])
    outward = outward / np.linalg.norm(outward)
    superior = np.array([0.0, 0.0, 1.0])
    local = Frame(
        np.array([*margin[nearest], 0.0]), np.stack([np.cross(outward, superior), outward, superior])
    )
    return local.then(space.frame)


def material_solid(
    material: DisplacedMaterial, space: DiscSpace, annulus: Field, nucleus: Field, bulge: float
) -> Solid:
    """Return displaced material as a solid in the world frame.

    ``annulus`` and ``nucleus`` are the disc's intact fields. The material starts at the nucleus, fills
    the tear of the annulus and stands behind the disc; it keeps off the bones and the yellow ligament
    in front of the laminae.
    """
    frame = material_frame(material, space, bulge)
    lateral = np.sign(frame.right[0]) * SIGN[material.side]
    shape = {"extrusion": _extrusion, "protrusion": _protrusion}[material.morphology]
    clearance = measures.value("herniation.extrusion.clearance")
    vault, thickness = roof(space.above, space.below), measures.value(f"flavum.thickness.{space.disc}")
    half = _half_height(space, frame)
    outside, tear = shape(material, half, _channel(space, frame) * np.array([lateral, 1.0, 1.0]))

    def field(points: Points) -> Floats:
        local = frame.to_local(points) * np.array([lateral, 1.0, 1.0])
        dome = smooth_difference(outside(local), annulus(points), 0.4)
        result = smooth_union(dome, tear(local), 1.0)
        above, below = space.distances(points)
        result = smooth_intersection(result, clearance - np.minimum(above, below), 0.8)
        canal = vault.frame.to_local(points)
        front, slant = flavum_front(vault, canal, thickness)
        result = smooth_intersection(result, clearance - (canal[:, 1] - front) * slant, 2.0)
        return np.maximum(result, -nucleus(points))

    reach = max(material.width, material.depth, abs(material.migration) + 8.0) + 14.0
    box = np.array([material.width, material.depth, half + abs(material.migration)]) + 4.0
    return Solid(in_one_piece(field, frame, box), frame.origin - reach, frame.origin + reach)


def in_one_piece(field: Field, frame: Frame, half: Floats) -> Field:
    """Return a field less what bone and ligament pinch off from its largest piece.

    ``half`` (3,) is half of the box (mm) about the frame's origin in which pieces are looked for, every CELL.
    """
    axes = [np.arange(-size, size + CELL, CELL) for size in half]
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    places = frame.to_parent(nodes.reshape(-1, 3))
    pieces, count = ndimage.label(field(places).reshape(nodes.shape[:3]) < 0.0, np.ones((3, 3, 3)))
    if count < 2:
        return field
    largest = int(np.argmax(np.bincount(pieces.ravel())[1:])) + 1
    loose = cKDTree(places[((pieces > 0) & (pieces != largest)).ravel()])

    def kept(points: Points) -> Floats:
        return np.maximum(field(points), 2 * CELL - loose.query(points)[0])

    return kept


def _half_height(space: DiscSpace, frame: Frame) -> float:
    """Return half of the gap (mm) between the bones at the disc's margin."""
    heights = np.arange(-9.0, 9.01, 0.1)
    places = frame.to_parent(np.stack([0 * heights, 0 * heights - 1.5, heights], axis=1))
    above, below = space.distances(places)
    free = np.minimum(above, below) > 0.0
    return float(np.count_nonzero(free)) * 0.05


def _channel(space: DiscSpace, frame: Frame) -> Floats:
    """Return where the tear starts in the nucleus, in the material's frame."""
    centre = frame.to_local(space.frame.origin)
    return np.asarray(0.62 * centre * np.array([1.0, 1.0, 0.0]))


def _ellipsoid(points: Points, centre: Floats, half: Floats) -> Floats:
    """Return a lower bound of the distance to an ellipsoid."""
    scaled = (points - centre) / half
    return (np.sqrt((scaled * scaled).sum(axis=1)) - 1.0) * float(np.min(half))


def _tear(start: Floats, base: float, height: float) -> Callable[[Points], Floats]:
    """Return the flat channel from inside the nucleus to just outside the annulus."""
    end = np.array([0.0, 1.6, 0.0])
    span = end - start

    def field(points: Points) -> Floats:
        share = np.clip((points - start) @ span / (span @ span), 0.0, 1.0)
        offset = points - start - share[:, None] * span
        half = base / 2 * (0.55 + 0.45 * share)
        flat = np.hypot(offset[:, 0], offset[:, 1]) / half
        return (np.hypot(flat, offset[:, 2] / height) - 1.0) * height

    return field


def _extrusion(
    material: DisplacedMaterial, half: float, channel: Floats
) -> tuple[Callable[[Points], Floats], Callable[[Points], Floats]]:
    """Return the lobulated dome and the tear of an extrusion, in its frame with x lateral."""
    shape = measures.table("herniation.extrusion")
    scale = np.array([material.width, material.depth, 1.0])
    down = -1.0 if material.migration <= 0.0 else 1.0
    rows = [np.array(row) for row in shape["lobes"]]
    lobes = [(row[:3] * scale * [1, 1, -down], row[3:] * scale) for row in rows]
    if material.migration:
        tip = np.array(shape["tip"])
        end = down * (half + abs(material.migration) - tip[5])
        lobes.append((np.array([tip[0] * material.width, tip[1] * material.depth, end]), tip[3:] * scale))

    def dome(points: Points) -> Floats:
        result = np.full(len(points), 99.0)
        for centre, size in lobes:
            result = smooth_union(result, _ellipsoid(points, centre, size), shape["blend"])
        x, y, z = points.T
        waves = np.sin(1.15 * x + 0.6) * np.sin(1.25 * z - 0.4 * y) + 0.5 * np.sin(
            1.9 * y + 1.1 * x - 0.8 * z
        )
        return result + shape["roughness"] * 0.6 * waves

    base = max(shape["base"] * material.width, 3.0)
    return dome, _tear(channel, base, min(shape["tear_height"], half - 0.6))


def _protrusion(
    material: DisplacedMaterial, half: float, channel: Floats
) -> tuple[Callable[[Points], Floats], Callable[[Points], Floats]]:
    """Return the smooth dome and the fissure of a protrusion; nothing is wider than its base."""
    shape = measures.table("herniation.protrusion")
    size = np.array([material.width / 2, material.depth, max(half * 2 * shape["height"], 2.0)])

    def dome(points: Points) -> Floats:
        power = shape["squareness"]
        scaled = (np.abs(points / size) ** power).sum(axis=1) ** (1 / power)
        return (scaled - 1.0) * float(size.min())

    return dome, _tear(channel, 0.5 * material.width, shape["fissure"])
