"""How sac and roots give way to displaced disc material and to a nerve retractor: closed-form maps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc import DiscParameters, annulus_field, displaced_solids
from spineviz.anatomy.disc.displaced_material import material_frame
from spineviz.anatomy.disc.space import DiscSpace, disc_space
from spineviz.anatomy.nerve import WITHIN, root_name
from spineviz.anatomy.nerve.obstacles import obstacles
from spineviz.sdf.solid import Field
from spineviz.structure import Floats, Frame, Points, Structure, Warp, frozen
from spineviz.terms import ROOTS, SIDES, SIGN, Disc, Level, Side, exiting_root, levels_of

CELL = 0.75
"""Spacing (mm) of the columns along which tissue gives way."""

ACROSS, HEIGHT = 15.0, 21.0
"""Half of the window (mm) around the herniation in which tissue gives way."""

FRONT, BACK = -7.0, 26.0
"""Where columns start and end (mm behind the disc's margin)."""


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

    ``moving`` (m,) are the vertices that can move at all, ``medial`` (m, 3) their way per mm retracted.
    """

    rest: Points
    moving: Floats
    medial: Points
    yielding: tuple[Yielding, ...]

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
    (left without one). The other side's roots and the exiting root stay.
    """
    space = disc_space(disc, bones)
    sides = {item.side for item in parameters.herniations} | ({side} if side else set())
    retracted: Side = side or (parameters.herniations[0].side if parameters.herniations else "left")
    fields = tuple(_yielding(space, parameters, bones))
    passing = ROOTS[ROOTS.index(exiting_root(disc)) + 1 :]
    names = ["thecal_sac"]
    names += [root_name(root, each) for root in passing for each in SIDES if each in (sides or {retracted})]
    names += [name for name in structures if name.partition(".")[0] in WITHIN]
    result: dict[tuple[str, str], Warp] = {}
    for name in (name for name in names if name in structures):
        rest = np.asarray(structures[name].surface.vertices, dtype=np.float64)
        warp = _warp(rest, space.frame, retracted, fields)
        if len(warp.moving):
            result[name, "surgery"] = warp
    return result


def _warp(rest: Points, frame: Frame, side: Side, fields: tuple[Yielding, ...]) -> NerveWarp:
    weights = _retraction(frame.to_local(rest), side)
    direction = -SIGN[side] * frame.right
    moving = weights > 1e-3
    for field in fields:
        moving |= np.linalg.norm(field(rest, 1.0) - rest, axis=1) > 1e-4
    index = np.flatnonzero(moving)
    medial = weights[index, None] * direction
    return NerveWarp(frozen(rest, np.float64), frozen(index, np.int64), frozen(medial, np.float64), fields)


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
    intact = annulus_field(space, parameters)
    around = obstacles({level: bones[level] for level in levels_of(space.disc)}, discs=False)
    result = []
    for item, solid in zip(parameters.herniations, displaced_solids(space, parameters), strict=True):
        frame = _turned(material_frame(item, space, parameters.bulge), item.side)
        result.append(_columns(frame, solid.field, lambda points: np.minimum(intact(points), around(points))))
    return result


def _turned(frame: Frame, side: Side) -> Frame:
    """Return the material's frame with y turned from straight backwards towards the midline."""
    angle = np.radians(measures.value("nerve_displacement.medial_turn"))
    medial = -SIGN[side] * frame.right * np.sign(frame.right[0])
    out = np.cos(angle) * frame.anterior + np.sin(angle) * medial
    return Frame(frame.origin, np.stack([np.cross(out, frame.superior), out, frame.superior]))


def _columns(frame: Frame, material: Field, walls: Field) -> Yielding:
    """Return the columns through displaced material: its back, the canal's front and its back wall."""
    shape = measures.table("nerve_displacement")
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
    behind = solid & (ys[None, :, None] > front[:, None, :] + shape["least_room"])
    end = np.where(behind.any(1), ys[behind.argmax(1)], np.inf)
    end = np.clip(end, front + shape["least_room"], front + shape["room"])
    end = ndimage.gaussian_filter(ndimage.grey_erosion(end, size=3), 1.5 / CELL)
    return Yielding(frame, frozen(lift, np.float64), frozen(front, np.float64), frozen(end, np.float64))


def _front(solid: npt.NDArray[np.bool_], ys: Floats) -> Floats:
    """Return where the canal begins in each column: behind the last wall within reach of the disc."""
    near = solid[:, ys < 3.0]
    last = near.shape[1] - 1 - near[:, ::-1].argmax(1)
    front = np.where(near.any(1), ys[last] + CELL / 2, 0.0)
    return np.asarray(ndimage.gaussian_filter(front, 1.2 / CELL))
