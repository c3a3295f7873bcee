"""A midline wound: skin and fat open to both sides, the muscle of one side, or of both, comes off the bone.

Each plane across the wound's axis has its own slit: short in the skin, longer in fascia and muscle.
The skin opens to a lens with pointed ends; the lips of fascia and muscle stand straight along the
retractor's blade and bend only beside it. Farther rings move so much less as keeps the area between
them but for what the finite support takes, and that is given back as a lift. Fascia, fat and skin lie on
the muscle that rises and grow thicker where they are crowded, thinner where they are stretched.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spineviz import measures
from spineviz.anatomy.back.height_map import HeightMap
from spineviz.structure import Floats, Frame, Points
from spineviz.surgery.retraction import ellipse
from spineviz.surgery.retraction.crowding import Crowding, crowding
from spineviz.surgery.retraction.lip_shape import lip_shape, lip_slope
from spineviz.surgery.retraction.terrain import Terrain, following, lifted_height
from spineviz.surgery.retraction.warp import PartingWarp, parting_warp
from spineviz.terms import SIGN, Side

LENS, STRAIGHT = 4.0 / 3.0, 8.0 / 5.0
"""The area beside a slit of half-length c that is opened to b is this times c*b: in skin, and in muscle."""

BELT = 5.0 / 8.0
"""The mean of 1 - cos⁴ over a ring: the lift is spread so that it vanishes in line with the slit."""


class OpenAmounts(NamedTuple):
    """How far the lips are open, 0..1: ``superficial`` of skin and fat, ``deep`` of fascia and muscle."""

    superficial: float = 0.0
    deep: float = 0.0


@dataclass(frozen=True, eq=False)
class WoundPoints:
    """Points prepared for the map; arrays of shape (n,) but ``rest`` (n, 3), the world positions in mm.

    ``superficial`` and ``deep`` are how far (mm) a point moves sideways at full opening of either.
    ``taken`` is by how much (negative) a point's ring grows in area at full deep opening and ``lift`` the
    height (mm) that rises for it; ``layers`` is the crowding above the fascia's underside.
    """

    rest: Points
    superficial: Floats
    deep: Floats
    taken: Floats
    lift: Floats
    follow: Floats
    floor: Floats
    layers: Crowding


@dataclass(frozen=True, eq=False)
class MidlineWound:
    """A midline wound over an interlaminar window or a lamina.

    ``frame`` (world): origin on the bony floor in the midline, y along the wound's axis into the body,
    z superior, across the axis. ``length`` mm from the skin to there. ``incision`` is the length of the
    skin incision, mm; ``fascia_height`` the height of the fascia above the origin, mm, and ``underside``
    its anterior surface. Where it is opened to ``both`` sides, the muscle of the other side comes off the
    bone as well.
    """

    frame: Frame
    length: float
    incision: float
    fascia_height: float
    side: Side
    terrain: Terrain
    underside: HeightMap
    both: bool = False

    @property
    def axis(self) -> Frame:
        """The wound's frame (world): origin on the floor, z out of the body, y about cranial."""
        right, anterior, superior = self.frame.axes
        return Frame(self.frame.origin, np.array([right, superior, -anterior]))

    @property
    def depth(self) -> float:
        """The distance from the floor to the skin along the axis, mm."""
        return self.length

    @property
    def full(self) -> OpenAmounts:
        """The amounts of the wound with the retractor fully open."""
        return OpenAmounts(1.0, 1.0)

    @property
    def edge_radius(self) -> float:
        """By how much (mm) the edge between a muscle's surface and the lumen's wall is rounded."""
        return float(measures.value("retraction.open.map.edge_radius"))

    def part(self, share: float) -> OpenAmounts:
        """Return the amounts of the wound open to a share 0..1 at all depths."""
        return OpenAmounts(share, share)

    def course(self) -> tuple[OpenAmounts, ...]:
        """Return amounts that stand for the whole way of the tissue."""
        return tuple(self.part(float(share)) for share in np.linspace(0.125, 1.0, 8))

    @property
    def sides(self) -> tuple[Side, ...]:
        """The sides whose muscle comes off the bone, the first that which the wound is named after."""
        other: Side = "right" if self.side == "left" else "left"
        return (self.side, other) if self.both else (self.side,)

    @cached_property
    def _shape(self) -> dict[str, Any]:
        own = measures.table("retraction.open.both") if self.both else {}
        return measures.table("retraction.open.map") | own

    @property
    def deep_length(self) -> float:
        """The length of the slit in fascia and muscle, mm."""
        return float(self._shape["deep_length"])

    @property
    def stretch(self) -> float:
        """The perimeter of the fully open skin wound over that of the slit."""
        c = self.incision / 2.0
        z = np.linspace(-c, c, 401)
        shape = lip_shape(z / c, np.ones(401))
        lips = [self.widths(np.ones(1), self.full, side)[0] * shape for side in (True, False)]
        lengths = [np.hypot(np.diff(z), np.diff(lip)).sum() for lip in lips]
        return float(sum(lengths) / (2.0 * self.incision))

    @property
    def fascia_opening(self) -> float:
        """The area of the opening in the fascia at full opening, mm²."""
        return self.area(self.full, self.fascia_height)

    def area(self, amounts: tuple[float, ...], height: float) -> float:
        """Return the area (mm²) of the opening at a height (mm) above the floor."""
        level = self.level(np.array([height]))
        width = self.widths(level, amounts, True) + self.widths(level, amounts, False)
        shape = STRAIGHT + (LENS - STRAIGHT) * level
        return float((shape * self.half_length(level) * width)[0])

    def corridor(self, amounts: tuple[float, ...]) -> float:
        """Return the volume (mm³) of the opening from the floor to the skin."""
        heights = np.linspace(0.0, self.length, 101)
        return float(np.trapezoid([self.area(amounts, float(height)) for height in heights], heights))

    def on(self, points: Points) -> PartingWarp:
        """Return the movement of any points (n, 3), world mm, as a warp; bone does not hold them up."""
        return parting_warp(points, self, clear_of_bone=False)

    # slits by height ----------------------------------------------------------------------------

    def level(self, height: Floats) -> Floats:
        """Return 0 at heights (n,) mm of muscle and fascia, 1 at those of the skin."""
        span = self.length - self.fascia_height
        t = np.clip((height - self.fascia_height) / span, 0.0, 1.0)
        return t * t * (3.0 - 2.0 * t)

    def half_length(self, level: Floats) -> Floats:
        """Return the slit's half-length c (n,) mm at levels (n,) 0..1."""
        return (self.deep_length + (self.incision - self.deep_length) * level) / 2.0

    def slit(self, level: Floats) -> Floats:
        """Return where the slit crosses the frame's x axis at levels (n,) 0..1, mm."""
        return SIGN[self.side] * self._shape["deep_offset"] * (1.0 - level)

    def widths(self, level: Floats, amounts: tuple[float, ...], diseased: npt.ArrayLike) -> Floats:
        """Return how far (n,) mm the lip of the diseased or of the other side stands from the slit.

        That is at the middle of the wound; ``diseased`` is bool, of shape (n,) or one for all.
        """
        superficial, deep = amounts
        diseased = np.asarray(diseased) | self.both
        near, far = self._shape["superficial_opening"]
        lip = superficial * level * np.where(diseased, near, far)
        return lip + np.where(diseased, deep * self._shape["deep_opening"] * (1.0 - level), 0.0)

    # the map ------------------------------------------------------------------------------------

    def beside_slit(self, points: Points) -> tuple[Floats, Floats, Floats, Floats]:
        """Return x from the slit, z, the slit's half-length and the level of world points."""
        local = self.frame.to_local(points)
        level = self.level(-local[:, 1])
        return local[:, 0] - self.slit(level), local[:, 2], self.half_length(level), level

    def moves(self, points: Points) -> npt.NDArray[np.bool_]:
        """Tell which points (n, 3) the map can move at all, (n,) bool."""
        x, z, c, level = self.beside_slit(np.asarray(points, dtype=np.float64))
        diseased = x * SIGN[self.side] > 0.0
        freed = diseased | self.both | (level > 0.0)
        return (ellipse.ring(x, z, c).area < self._shape["support"] ** 2) & freed

    def prepared(self, points: Points) -> WoundPoints:
        """Return world points (n, 3) with all that the map needs to know of them."""
        points = np.asarray(points, dtype=np.float64)
        x, z, c, level = self.beside_slit(points)
        diseased = x * SIGN[self.side] > 0.0
        sideways = np.sign(x) * self.sideways(np.abs(x), z, c, level)
        layers, under = crowding(self, points)
        height = self.terrain.height(points)
        belt, taken = self._taken(under)
        return WoundPoints(
            rest=points,
            superficial=self.widths(level, (1.0, 0.0), diseased) * sideways,
            deep=self.widths(level, (0.0, 1.0), diseased) * sideways,
            taken=taken,
            lift=lifted_height(self.terrain.height(under)) * belt,
            follow=following(height),
            floor=self.terrain.floor.at(points[:, 0], points[:, 2]),
            layers=layers,
        )

    def sideways(self, away: Floats, z: Floats, c: Floats, level: Floats) -> Floats:
        """Return which share (n,) of its lip's way a point goes that is ``away`` (n,) mm from the slit."""
        rings = ellipse.ring(away, z, c)
        weight, _ = ellipse.support(rings.area, self._shape["support"])
        return np.asarray(c / np.hypot(c, rings.narrow) * weight * lip_shape(rings.cosine, level))

    def _taken(self, points: Points) -> tuple[Floats, Floats]:
        """Return how much of its height (n,) a point rises, and its ring's growth (n,), negative.

        What lies over the deep wound rises with it. The lift is spread over a belt beside the slit, so
        that it vanishes in line with it, and grows from the wall outward, where the sideways movement
        crowds the tissue most.
        """
        x, z, c, _ = self.beside_slit(points)
        rings = ellipse.ring(x, z, c)
        weight, slope = ellipse.support(rings.area, self._shape["support"])
        opened = (x * SIGN[self.side] > 0.0) | self.both
        width = np.where(opened, self._shape["deep_opening"], 0.0)
        near, far = self._shape["lift_near"], self._shape["lift_far"]
        belt = (1.0 - rings.cosine**4) / BELT * (far + (near - far) * weight)
        return belt, 2.0 / np.pi * STRAIGHT * self.deep_length / 2.0 * width * slope

    def move(self, points: WoundPoints, amounts: tuple[float, ...]) -> Points:
        """Return where prepared points stand at some amounts, world mm (n, 3)."""
        superficial, deep = amounts
        x = superficial * points.superficial + deep * points.deep
        lift = self._lift(points, amounts)
        moved = points.rest + np.multiply.outer(x, self.frame.right)
        low = points.follow > 0.0
        floor = self.terrain.floor.at(moved[low, 0], moved[low, 2])
        lift[low] += points.follow[low] * (points.floor[low] - floor)
        moved -= np.multiply.outer(lift, self.frame.anterior)
        return moved

    @staticmethod
    def _lift(points: WoundPoints, amounts: tuple[float, ...]) -> Floats:
        """Return how much (n,) mm prepared points rise for the area that an opening takes."""
        lift = points.lift * (1.0 / (1.0 + amounts[1] * points.taken) - 1.0)
        lift[points.layers.index] += points.layers.rise(amounts)
        return np.asarray(lift)

    def open(self, points: Points, amounts: tuple[float, ...]) -> Points:
        """Return where world points (n, 3) stand at some amounts, mm: the map in closed form."""
        return self.move(self.prepared(points), amounts)

    def ring_axes(self, offset: float) -> tuple[float, float]:
        """Return the half-axes (mm) along and across of the ring ``offset`` mm about the slit at rest."""
        return self.incision / 2.0 + offset, offset

    def around(self, share: Floats) -> tuple[Floats, Floats]:
        """Return sine and cosine of places 0..1 around the slit, about evenly along it."""
        cosine = 0.6 * (np.abs(4.0 * share - 2.0) - 1.0) + 0.4 * np.cos(2.0 * np.pi * share)
        return np.copysign(np.sqrt(np.maximum(1.0 - cosine**2, 0.0)), 0.5 - share), cosine

    def slice(self, across: Floats, along: Floats, height: Floats) -> tuple[Floats, Floats]:
        """Return x and z (n,) at heights (n,) above the floor of places beside the skin's slit.

        Near the slit they move and stretch with it as it grows longer with the depth.
        """
        c = self.incision / 2.0
        near, _ = ellipse.support(ellipse.ring(across, along, c).area, self._shape["support"])
        level = self.level(height)
        return across + near * self.slit(level), along * (1.0 + near * (self.half_length(level) / c - 1.0))

    # the way back, at full opening --------------------------------------------------------------

    def lumen(self, points: Points, amounts: tuple[float, ...] | None = None) -> Floats:
        """Return about the signed distance (n,) mm of opened world points to the wound, negative in it.

        It is fully open where no ``amounts`` are told.
        """
        x, z, c, level = self.beside_slit(np.asarray(points, dtype=np.float64))
        width = self.widths(level, amounts or self.full, x * SIGN[self.side] > 0.0)
        share = np.clip(z / c, -1.0, 1.0)
        lip = width * lip_shape(share, level)
        steep = np.sqrt(1.0 + np.square(width * lip_slope(share, level) / c))
        across, beyond = (np.abs(x) - lip) / steep, np.maximum(np.abs(z) - c, 0.0)
        return np.where(beyond > 0.0, np.hypot(np.maximum(across, 0.0), beyond), across)

    def closed(self, points: Points, snap: float = 0.0) -> Points:
        """Return the rest positions (n, 3) mm of world points that stand in the fully opened tissue.

        Points in the wound, and those within ``snap`` mm of it, come to lie on the slit.
        """
        points = np.asarray(points, dtype=np.float64)
        local = self.frame.to_local(points)
        wall = self.lumen(points) < snap
        rest = points.copy()
        for _ in range(6):
            _, z, c, level = self.beside_slit(rest)
            slit = self.slit(level)
            across = local[:, 0] - slit
            back = self._back(across, z, c, level, wall)
            flat = self.frame.to_parent(np.stack([slit + back, self.frame.to_local(rest)[:, 1], z], axis=1))
            here = self.prepared(flat)
            lift = self._lift(here, self.full)
            lift += here.follow * (here.floor - self.terrain.floor.at(points[:, 0], points[:, 2]))
            rest = self.frame.to_parent(np.stack([slit + back, local[:, 1] + lift, z], axis=1))
        return rest

    def _back(self, x: Floats, z: Floats, c: Floats, level: Floats, wall: npt.NDArray[np.bool_]) -> Floats:
        """Return the rest x from the slit of opened x; halve the range to it."""
        far = np.abs(x)
        width = self.widths(level, self.full, x * SIGN[self.side] > 0.0)
        low, high = np.zeros(len(x)), far
        for _ in range(24):
            middle = (low + high) / 2.0
            reached = middle + width * self.sideways(middle, z, c, level)
            outside = reached < far
            low, high = np.where(outside, middle, low), np.where(outside, high, middle)
        back = np.where(wall, 0.0, high)
        return np.copysign(np.maximum(back, ellipse.SLIT_HALF_WIDTH), x)
