"""How sac and roots give way to displaced disc material and to a nerve retractor: closed-form maps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc import DiscParameters, annulus_field, displaced_solids
from spineviz.anatomy.disc.displaced_material import DisplacedMaterial, material_frame
from spineviz.anatomy.disc.space import DiscSpace, disc_space
from spineviz.anatomy.nerve import WITHIN, root_name
from spineviz.anatomy.nerve.obstacles import obstacles
from spineviz.anatomy.nerve.settling import settled, widened
from spineviz.sdf.solid import Field
from spineviz.structure import Floats, Frame, Points, Structure, Surface, Warp, frozen
from spineviz.terms import (
    LOWER_LUMBAR_DISCS,
    ROOTS,
    SIDES,
    SIGN,
    Disc,
    Level,
    Side,
    exiting_root,
    levels_of,
)

CELL = 0.75
"""Spacing (mm) of the columns along which tissue gives way."""

ACROSS, HEIGHT = 15.0, 21.0
"""Half of the window (mm) around the herniation in which tissue gives way."""

FRONT, BACK = -7.0, 26.0
"""Where columns start and end (mm behind the disc's margin)."""

CAUGHT = 0.2
"""A nerve that columns leave no deeper (mm) in displaced material has given way enough."""


@dataclass(frozen=True, eq=False)
class Yielding:
    """A field of columns, y out of the disc, along which tissue is pushed backwards.

    In ``frame`` (world) tables (i, k) run over x and z: ``lift`` is how far tissue at the column's
    ``front`` moves, fading to nothing at ``end``; all in mm.
    """

    frame: Frame
    lift: Floats
    front: Floats
    end: Floats

    def __call__(self, points: Points, amount: float) -> Points:
        """Return world points (n, 3) moved by ``amount`` 0..1 of the whole way."""
        local = self.frame.to_local(points)
        cells = (local[:, [0, 2]] + [ACROSS, HEIGHT]) / CELL
        lift, front, end = (
            ndimage.map_coordinates(table, cells.T, order=1, mode="nearest")
            for table in (self.lift, self.front, self.end)
        )
        share = np.clip((local[:, 1] - front) / (end - front), 0.0, 1.0)
        moved = amount * lift * (1 - share) ** measures.value("nerve_displacement.yield")
        return points + moved[:, None] * self.frame.anterior


@dataclass(frozen=True, eq=False)
class NerveWarp:
    """Moves one nerve structure: amounts are compression 0..1 and retraction in mm, to medial.

    ``moving`` (m,) are the vertices that can move at all, ``medial`` (m, 3) their way per mm retracted,
    ``settling`` (m, 3) what is added in mm at full compression, where the columns do not tell it all.
    """

    rest: Points
    moving: Floats
    medial: Points
    yielding: tuple[Yielding, ...]
    settling: Points | None = None

    def __call__(self, amounts: tuple[float, ...]) -> Points:
        """Return the vertices (n, 3) in mm; (0, 0) gives the rest shape. Raises ValueError out of range."""
        if len(amounts) != 2:
            raise ValueError(f"a nerve takes two amounts, compression and retraction, not {len(amounts)}")
        compression, retraction = amounts
        most = measures.value("nerve_displacement.most_retraction")
        if not 0.0 <= compression <= 1.0 or not 0.0 <= retraction <= most:
            raise ValueError(f"compression is 0 to 1 and retraction 0 to {most} mm, not {amounts}")
        result = np.array(self.rest)
        points = self.rest[self.moving] + retraction * self.medial
        for field in self.yielding:
            points = field(points, compression)
        if self.settling is not None:
            points = points + compression * self.settling
        result[self.moving] = points
        return result


def nerve_warps(
    structures: Mapping[str, Structure],
    disc: Disc,
    parameters: DiscParameters,
    bones: Mapping[Level, LevelBone],
    side: Side | None = None,
) -> dict[tuple[str, str], Warp]:
    """Return the warp ``surgery`` of the sac, of what lies in it, and of the roots that pass behind a disc.

    ``structures`` holds at least those of the nerves, at rest. Compression 1 is pushed aside by the
    whole herniation. Retraction is towards the midline from ``side``, by default the herniation's
    (left without one). The roots of the other side and the exiting roots stay where nothing touches them.
    """
    space = disc_space(disc, bones)
    sides = {item.side for item in parameters.herniations} | ({side} if side else set())
    retracted: Side = side or (parameters.herniations[0].side if parameters.herniations else "left")
    passing = ROOTS[ROOTS.index(exiting_root(disc)) + 1 :]
    names = ["thecal_sac"]
    names += [root_name(root, each) for root in passing for each in SIDES if each in (sides or {retracted})]
    names += [name for name in structures if _within(name)]
    fields = tuple(_yielding(space, parameters, bones))
    material = _material(space, parameters)
    if material is not None:
        roots = [root_name(root, each) for root in ROOTS for each in SIDES]
        names += [name for name in roots if name not in names and _touched(name, structures, material)]
    told = _columns_tell_all(disc, parameters)
    walls = obstacles({level: bones[level] for level in levels_of(disc)}, discs=False, exact=True)
    result: dict[tuple[str, str], Warp] = {}
    for name in (name for name in names if name in structures):
        steps = []
        if material is not None:
            settle = partial(settled, material=material, walls=walls, within=_within(name))
            steps.append(partial(_where_caught, settle=settle, material=material) if told else settle)
        if material is not None and name != "thecal_sac":
            steps.append(
                partial(widened, material=_beside_the_disc(material, space, parameters), walls=walls)
            )
        warp = _warp(structures[name].surface, space.frame, retracted, fields, steps)
        if len(warp.moving):
            result[name, "surgery"] = warp
    return result


def _within(name: str) -> bool:
    return name.partition(".")[0] in WITHIN


def _columns_tell_all(disc: Disc, parameters: DiscParameters) -> bool:
    """Tell whether nerves give way to a disc's material along columns alone: in the lower lumbar canal."""
    simple = all(
        item.morphology != "sequestration" and not item.beside and not item.anterior
        for item in parameters.herniations
    )
    return simple and parameters.bulging is None and disc in LOWER_LUMBAR_DISCS


def _where_caught(
    surface: Surface, start: Points, settle: Callable[[Surface, Points], Points], material: Field
) -> Points:
    """Return the vertices (n, 3) of a nerve settled, where columns have left it standing in material."""
    return settle(surface, start) if material(start).min() < -CAUGHT else start


def _material(space: DiscSpace, parameters: DiscParameters) -> Field | None:
    """Return the distance to everything that has left its place, or None where nothing has."""
    fields = [solid.field for solid in displaced_solids(space, parameters)]
    if parameters.bulging is not None:
        fields.append(annulus_field(space, parameters))
    if not fields:
        return None
    return lambda points: np.asarray(np.min([field(points) for field in fields], axis=0))


def _beside_the_disc(material: Field, space: DiscSpace, parameters: DiscParameters) -> Field:
    """Return the distance to the healthy disc and to what has left its place."""
    intact = annulus_field(space, parameters.model_copy(update={"bulging": None}))
    return lambda points: np.minimum(material(points), intact(points))


def _touched(name: str, structures: Mapping[str, Structure], material: Field) -> bool:
    """Tell whether material lies where a nerve is at rest."""
    if name not in structures:
        return False
    return bool(material(np.asarray(structures[name].surface.vertices, dtype=np.float64)).min() < 0.0)


def _warp(
    surface: Surface,
    frame: Frame,
    side: Side,
    fields: tuple[Yielding, ...],
    steps: Sequence[Callable[[Surface, Points], Points]],
) -> NerveWarp:
    rest = np.asarray(surface.vertices, dtype=np.float64)
    weights = _retraction(frame.to_local(rest), side)
    direction = -SIGN[side] * frame.right
    moving = weights > 1e-3
    pushed: Points = rest
    for field in fields:
        moving |= np.linalg.norm(field(rest, 1.0) - rest, axis=1) > 1e-4
        pushed = field(pushed, 1.0)
    settled_at = pushed
    for step in steps:
        settled_at = step(surface, settled_at)
    added = settled_at - pushed
    moving |= np.linalg.norm(added, axis=1) > 1e-4
    index = np.flatnonzero(moving)
    medial = weights[index, None] * direction
    settling = frozen(added[index], np.float64) if steps else None
    return NerveWarp(
        frozen(rest, np.float64), frozen(index, np.int64), frozen(medial, np.float64), fields, settling
    )


def _retraction(local: Points, side: Side) -> Floats:
    """Return how much points of the disc's frame follow a retractor, 0..1."""
    shape = measures.table("nerve_displacement")
    along = np.cos(np.pi / 2 * np.clip(local[:, 2] / shape["half_length"], -1.0, 1.0)) ** 2
    lateral = local[:, 0] * SIGN[side]
    start, end = shape["medial_end"]
    rise = _ease((lateral - start) / (end - start))
    near, far = shape["lateral_end"]
    return np.asarray(along * rise * (1 - _ease((lateral - near) / (far - near))))


def _ease(share: Floats) -> Floats:
    share = np.clip(share, 0.0, 1.0)
    return share * share * (3 - 2 * share)


def _yielding(
    space: DiscSpace, parameters: DiscParameters, bones: Mapping[Level, LevelBone]
) -> list[Yielding]:
    """Return one field of columns for each piece of displaced material."""
    healthy = parameters.model_copy(update={"bulging": None})
    intact = annulus_field(space, healthy)
    around = obstacles({level: bones[level] for level in levels_of(space.disc)}, discs=False)

    def walls(points: Points) -> Floats:
        return np.minimum(intact(points), around(points))

    result = []
    for item, solid in zip(parameters.herniations, displaced_solids(space, parameters), strict=True):
        if item.anterior:
            continue
        frame = _turned(material_frame(item, space, parameters.bulge), item)
        result.append(_columns(frame, solid.field, walls, item.beside))
    if parameters.bulging is not None:
        middle = DisplacedMaterial(side="left", morphology="protrusion", offset=0.0, depth=3.0, width=13.0)
        frame = material_frame(middle, space, parameters.bulge)
        result.append(_columns(frame, annulus_field(space, parameters), walls, False))
    return result


def _turned(frame: Frame, material: DisplacedMaterial) -> Frame:
    """Return the material's frame with y turned from out of the disc to where nerves give way.

    That is towards the midline in the canal, and upwards in the foramen.
    """
    if material.beside:
        angle = np.radians(measures.value("nerve_displacement.foramen_turn"))
        out = np.cos(angle) * frame.anterior + np.sin(angle) * frame.superior
        return Frame(frame.origin, np.stack([frame.right, out, np.cross(frame.right, out)]))
    angle = np.radians(measures.value("nerve_displacement.medial_turn"))
    medial = -SIGN[material.side] * frame.right * np.sign(frame.right[0])
    out = np.cos(angle) * frame.anterior + np.sin(angle) * medial
    return Frame(frame.origin, np.stack([np.cross(out, frame.superior), out, frame.superior]))


def _columns(frame: Frame, material: Field, walls: Field, narrow: bool) -> Yielding:
    """Return the columns through displaced material: its back, the canal's front and its back wall.

    A ``narrow`` place is a foramen: there nerves move little, and settle between material and bone.
    """
    shape = measures.table("nerve_displacement")
    least = shape["foramen_room"] if narrow else shape["least_room"]
    xs, zs = (np.arange(-half, half + 0.01, CELL) for half in (ACROSS, HEIGHT))
    ys = np.arange(FRONT, BACK, CELL)
    grid = np.stack(np.meshgrid(xs, ys, zs, indexing="ij"), axis=-1)
    points = frame.to_parent(grid.reshape(-1, 3))
    inside = (material(points) < 0.0).reshape(grid.shape[:3])
    solid = (walls(points) < 0.0).reshape(grid.shape[:3])
    front = _front(solid, ys)
    back = np.where(inside.any(1), ys[len(ys) - 1 - inside[:, ::-1].argmax(1)] + CELL / 2, -np.inf)
    lift = np.maximum(back + shape["margin"] - front, 0.0)
    reach = int(np.ceil(shape["spread"] / CELL))
    disk = np.hypot(*np.mgrid[-reach : reach + 1, -reach : reach + 1]) * CELL <= shape["spread"]
    lift = ndimage.grey_dilation(lift, footprint=disk)
    lift = ndimage.gaussian_filter(lift, shape["blur"] / CELL)
    behind = solid & (ys[None, :, None] > front[:, None, :] + least)
    end = np.where(behind.any(1), ys[behind.argmax(1)], np.inf)
    end = np.clip(end, front + least, front + shape["room"])
    end = ndimage.gaussian_filter(ndimage.grey_erosion(end, size=3), 1.5 / CELL)
    if narrow:
        lift = np.minimum(lift, (end - front) / (shape["yield"] + 0.2))
    return Yielding(frame, frozen(lift, np.float64), frozen(front, np.float64), frozen(end, np.float64))


def _front(solid: npt.NDArray[np.bool_], ys: Floats) -> Floats:
    """Return where the canal begins in each column: behind the last wall within reach of the disc."""
    near = solid[:, ys < 3.0]
    last = near.shape[1] - 1 - near[:, ::-1].argmax(1)
    front = np.where(near.any(1), ys[last] + CELL / 2, 0.0)
    return np.asarray(ndimage.gaussian_filter(front, 1.2 / CELL))
