"""Displaced disc material: what a herniation puts behind a disc, as geometry."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field as Limits
from pydantic import model_validator
from scipy import ndimage
from scipy.spatial import cKDTree

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc.material_shapes import extrusion, protrusion, sequestration
from spineviz.anatomy.disc.space import DiscSpace, endplate, landmark
from spineviz.anatomy.interlaminar import flavum_front, roof
from spineviz.sdf.solid import Field, Solid, smooth_difference, smooth_intersection, smooth_union
from spineviz.spec import Spec
from spineviz.structure import Floats, Frame, Points
from spineviz.terms import SIDES, SIGN, Side, levels_of, region_of

Morphology = Literal["protrusion", "extrusion", "sequestration"]

SagittalZone = Literal["suprapedicular", "pedicular", "infrapedicular"]
"""A zone of a vertebra: above its pedicle, along the pedicle, below it."""

EDGE_DEPTH, EDGE_ROUNDED = 2.5, 0.35
"""The gap between two rims is met so far (mm) inside the disc's margin; their edges leave more beside it."""

RIM_DEPTHS = (2.5, 3.5, 5.0)
"""Before a disc and beside it the gap narrows inwards: its narrowest is met at one of these depths (mm)."""

RIM_PLACES = (-3.0, 0.0, 3.0)
"""It is narrowest at one of these places (mm) beside the material's middle: rims are not parallel there."""

INSIDE = 0.6
"""Up to this share of the way to the pedicle it is in no migrating material's way."""

CELL = 0.5
"""How finely (mm) displaced material is searched for pieces that do not hang together."""


class DisplacedMaterial(Spec):
    """Nucleus material outside the disc space.

    ``offset`` is the place of its centre on the disc's posterior margin: 0 the midline, 1 the medial
    borders of the pedicles, 2 the lateral border of the one above, on ``side``; ``anterior`` material lies
    before the disc. ``depth`` is how far it stands beyond the margin, ``width`` its greatest width,
    ``migration`` how far it reaches beyond the endplate (positive cranial, negative caudal), all in mm.
    A ``share`` stands for the depth: of the way from the margin to the line between the facet joints. A zone
    ``reached``, with ``upwards``, stands for the migration. ``contained`` material is smooth.
    """

    side: Side
    morphology: Morphology
    offset: float = Limits(ge=0.0, le=3.0)
    anterior: bool = False
    depth: float = Limits(gt=0.0, le=20.0)
    share: float | None = Limits(default=None, gt=0.0, le=1.5)
    width: float = Limits(ge=4.0, le=22.0)
    migration: float = Limits(default=0.0, ge=-40.0, le=40.0)
    reached: SagittalZone | None = None
    upwards: bool = False
    contained: bool = False

    @model_validator(mode="after")
    def _contained(self) -> DisplacedMaterial:
        if self.morphology == "protrusion" and (self.migration != 0.0 or self.reached is not None):
            raise ValueError("a protrusion does not migrate; choose an extrusion or leave the migration out")
        return self

    @property
    def beside(self) -> bool:
        """Whether it lies in the foramen or beyond it, not in the canal."""
        return self.offset > 1.0

    @property
    def aside(self) -> float:
        """How far it stands before the pedicle: 0 well inside the canal, 1 at the canal's border."""
        return 0.0 if self.beside or self.anterior else max(self.offset - INSIDE, 0.0) / (1.0 - INSIDE)

    @property
    def up(self) -> bool:
        """Whether it tends upwards: where it migrates to, or in the foramen, whose pedicle lies below."""
        return self.migration > 0.0 or (self.migration == 0.0 and self.beside)


def medial_border(bone: LevelBone, side: Side) -> Floats:
    """Return the point (3,), in the world, where a pedicle's medial wall meets the canal."""
    origin = landmark(bone, f"pedicle.{side}").origin
    towards = np.array([-SIGN[side], 0.0, 0.0])
    places = origin + np.arange(0.0, 20.0, 0.1)[:, None] * towards
    outside = bone.grid(places) > 0.0
    if outside[0] or not outside.any():
        raise ValueError(f"{bone.level}: the landmark 'pedicle.{side}' does not lie inside the pedicle")
    return places[int(np.argmax(outside))]


def lateral_border(bone: LevelBone, side: Side) -> Floats:
    """Return the point (3,), in the world, as far lateral in a pedicle as its medial wall is medial."""
    return np.asarray(2 * landmark(bone, f"pedicle.{side}").origin - medial_border(bone, side))


def material_frame(material: DisplacedMaterial, space: DiscSpace, bulge: float) -> Frame:
    """Return the world frame of displaced material.

    Origin on the disc's margin, y out of the disc, z superior, x = y × z.
    """
    target, angles = _place(material, space)
    radii = space.radius(angles, np.full(len(angles), 0.5)) + bulge
    margin = np.stack([np.cos(angles) * radii, np.sin(angles) * radii], axis=1)
    nearest = int(np.clip(np.argmin(np.abs(margin[:, 0] - target)), 4, len(margin) - 5))
    along = margin[nearest + 4] - margin[nearest - 4]
    outward = np.array([along[1], -along[0], 0.0]) / np.linalg.norm(along)
    if not (material.beside or material.anterior):
        outward = outward + np.array([0.0, -1.0, 0.0])
        outward = outward / np.linalg.norm(outward)
    superior = np.array([0.0, 0.0, 1.0])
    local = Frame(
        np.array([*margin[nearest], 0.0]), np.stack([np.cross(outward, superior), outward, superior])
    )
    return local.then(space.frame)


def _place(material: DisplacedMaterial, space: DiscSpace) -> tuple[float, Floats]:
    """Return where material lies across (mm, in the disc's frame), and the angles it may lie at."""
    if material.anterior:
        aside = SIGN[material.side] * measures.value("herniation.anterior.aside")
        return aside, np.radians(np.arange(60.0, 121.0, 0.5))
    edges = [_canal_edge(bone, material.side) for bone in (space.above, space.below)]
    border = float(space.frame.to_local(np.array(edges))[:, 0].mean())
    if not material.beside:
        return material.offset * border, np.radians(np.arange(190.0, 351.0, 0.5))
    lateral = float(space.frame.to_local(lateral_border(space.above, material.side))[0])
    right = material.side == "right"
    angles = np.arange(275.0, 354.5, 0.5) if right else np.arange(186.0, 265.5, 0.5)
    return border + (material.offset - 1.0) * (lateral - border), np.radians(angles)


def _canal_edge(bone: LevelBone, side: Side) -> Floats:
    """Return the point (3,), in the world, at the canal's side: the pedicle, in the neck the uncinate."""
    uncinate = f"uncinate.{side}"
    return bone.landmarks[uncinate].origin if uncinate in bone.landmarks else medial_border(bone, side)


def resolved(material: DisplacedMaterial, space: DiscSpace, bulge: float) -> DisplacedMaterial:
    """Return material with a depth and a migration in mm where these are told by share and zone."""
    change: dict[str, float | None] = {}
    if material.share is not None:
        change |= {"depth": material.share * facet_line(space, bulge), "share": None}
    if material.reached is not None:
        way = _height(material.reached, material.upwards, space, material.side)
        change |= {"migration": way, "reached": None}
    return material.model_copy(update=change) if change else material


def _height(zone: SagittalZone, upwards: bool, space: DiscSpace, side: Side) -> float:
    """Return how far (mm, positive cranial) material reaches that ends amid a zone of the next vertebra."""
    bone = space.above if upwards else space.below
    near = endplate(bone, "inferior" if upwards else "superior")
    pedicle = landmark(bone, f"pedicle.{side}").origin
    middle = abs(float((pedicle - near.origin) @ near.superior))
    half = _pedicle_half(bone, pedicle, near.superior)
    top, bottom = middle - half, middle + half
    if not upwards:
        # From the upper endplate down: suprapedicular, pedicular, infrapedicular.
        depth = {"suprapedicular": 0.7 * top, "pedicular": middle, "infrapedicular": bottom + 3.0}[zone]
        return -max(depth, 1.5)
    return max({"infrapedicular": 0.7 * top, "pedicular": middle, "suprapedicular": bottom + 3.0}[zone], 1.5)


def _pedicle_half(bone: LevelBone, middle: Floats, superior: Floats) -> float:
    """Return half of a pedicle's height, mm."""
    heights = np.arange(-14.0, 14.01, 0.2)
    inside = np.abs(heights[bone.grid(middle + heights[:, None] * superior) < 0.0])
    return float(inside.max()) if len(inside) else 6.0


def facet_line(space: DiscSpace, bulge: float) -> float:
    """Return how far (mm) the line between the medial edges of the facet joints lies behind the disc.

    Raises ValueError where no joint is found at the disc's height.
    """
    xs, ys, zs = np.arange(3.0, 22.0, 0.5), np.arange(-45.0, -8.0, 0.5), np.array([-2.0, 2.0, 6.0])
    found = []
    for side in SIDES:
        grid = np.stack(np.meshgrid(SIGN[side] * xs, ys, zs, indexing="ij"), axis=-1)
        places = space.frame.to_parent(grid.reshape(-1, 3))
        above, below = (bone.grid(places).reshape(grid.shape[:3]) for bone in (space.above, space.below))
        margin = -float(space.radius(np.array([1.5 * np.pi]), np.array([0.5]))[0]) - bulge
        joint = (np.abs(above) < 2.5) & (np.abs(below) < 2.5) & (grid[..., 1] < margin - 3.0)
        if joint.any():
            index = np.argwhere(joint)
            first = index[index[:, 0].argmin()]
            found.append(margin - float(ys[first[1]]))
    if not found:
        raise ValueError(f"{space.disc}: no facet joint at the height of the disc; give a depth in mm")
    return float(np.mean(found))


def material_solid(
    material: DisplacedMaterial, space: DiscSpace, annulus: Field, nucleus: Field, bulge: float
) -> Solid:
    """Return displaced material as a solid in the world frame.

    ``annulus`` and ``nucleus`` are the disc's intact fields. The material starts at the nucleus, fills
    the tear of the annulus and stands behind the disc; it keeps off the bones and the yellow ligament
    in front of the laminae.
    """
    material = resolved(material, space, bulge)
    frame = material_frame(material, space, bulge)
    lateral = np.sign(frame.right[0]) * SIGN[material.side]
    shape = {"extrusion": extrusion, "protrusion": protrusion, "sequestration": sequestration}
    clearance = measures.value("herniation.extrusion.clearance")
    half = _half_height(space, frame)
    if material.morphology == "protrusion" and (material.beside or material.anterior):
        half = min(_gap(space, frame, depth, aside) for depth in RIM_DEPTHS for aside in RIM_PLACES)
    outside, torn = shape[material.morphology](
        material, half, _channel(space, frame) * np.array([lateral, 1.0, 1.0])
    )
    free = material.morphology == "sequestration"
    apart = measures.value("herniation.sequestration.gap") if free else 0.0
    behind = None if material.beside or material.anterior else _behind(space)

    def field(points: Points) -> Floats:
        local = frame.to_local(points) * np.array([lateral, 1.0, 1.0])
        if free:
            result = smooth_intersection(outside(local), apart - annulus(points), 0.4)
        else:
            dome = smooth_difference(outside(local), annulus(points), 0.4)
            result = smooth_union(dome, torn(local), 1.0)
        above, below = space.distances(points)
        result = smooth_intersection(result, clearance - np.minimum(above, below), 0.8)
        if material.beside:
            result = smooth_intersection(result, _for_the_root(local, above), 1.0)
        if behind is not None:
            result = smooth_intersection(result, clearance - behind(points), 2.0)
        return np.maximum(result, -nucleus(points))

    reach = max(material.width, material.depth, abs(material.migration) + 8.0) + 14.0
    box = np.array([material.width, material.depth, half + abs(material.migration)]) + 4.0
    return Solid(in_one_piece(field, frame, box), frame.origin - reach, frame.origin + reach)


def tear_field(material: DisplacedMaterial, space: DiscSpace, bulge: float) -> Field:
    """Return the tear that a free fragment left through, world frame; nucleus fills it."""
    frame = material_frame(material, space, bulge)
    lateral = np.sign(frame.right[0]) * SIGN[material.side]
    turn = np.array([lateral, 1.0, 1.0])
    half = _half_height(space, frame)
    _, torn = sequestration(material, half, _channel(space, frame) * turn)
    return lambda points: torn(frame.to_local(points) * turn)


def _for_the_root(local: Points, above: Floats) -> Floats:
    """Return the distance into what is left of a foramen for its root: under pedicle and pars."""
    room = measures.value("herniation.foramen.root")
    share = np.clip((local[:, 1] - 1.5) / 2.5, 0.0, 1.0) * np.clip((local[:, 2] - 1.0) / 3.0, 0.0, 1.0)
    return np.asarray(room * share - above)


def _behind(space: DiscSpace) -> Field:
    """Return the distance to the yellow ligaments before the laminae, world frame: negative in them."""
    vault = roof(space.above, space.below)
    known = measures.table("flavum.thickness")
    thickness = known.get(space.disc) or measures.value(
        f"herniation.flavum.{region_of(levels_of(space.disc)[0])}"
    )

    def field(points: Points) -> Floats:
        canal = vault.frame.to_local(points)
        front, slant = flavum_front(vault, canal, thickness)
        return np.asarray((canal[:, 1] - front) * slant)

    return field


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
    """Return half of the gap (mm) between the bones' edges at the disc's margin.

    It is met a little deeper, where no rim stands back any more; the edges of the rims are rounded.
    """
    return _gap(space, frame, EDGE_DEPTH) + EDGE_ROUNDED


def _gap(space: DiscSpace, frame: Frame, depth: float, aside: float = 0.0) -> float:
    """Return half of the gap (mm) between the bones so far (mm) inside the disc's margin, and ``aside``."""
    heights = np.arange(-9.0, 9.01, 0.1)
    places = frame.to_parent(np.stack([0.0 * heights + aside, 0.0 * heights - depth, heights], axis=1))
    free = np.minimum(*space.distances(places)) > 0.0
    return float(np.count_nonzero(free)) * 0.05


def _channel(space: DiscSpace, frame: Frame) -> Floats:
    """Return where the tear starts in the nucleus, in the material's frame."""
    centre = frame.to_local(space.frame.origin)
    return np.asarray(0.62 * centre * np.array([1.0, 1.0, 0.0]))
