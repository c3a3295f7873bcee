"""A tube between muscle fascicles: the map that parts the tissue about the corridor's axis.

Each plane across the axis is parted along a slit of the incision's length. The slit opens to an
ellipse that keeps the slit's perimeter until it is a circle, then to ever wider circles; rings about
it keep their area but for what the finite support takes, and that is given back as a lift.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spineviz import measures
from spineviz.anatomy.back.height_map import HeightMap
from spineviz.structure import Floats, Frame, Points
from spineviz.surgery.retraction import ellipse
from spineviz.surgery.retraction.terrain import Terrain, following, lifted_height, smooth
from spineviz.surgery.retraction.warp import PartingWarp, parting_warp
from spineviz.terms import SIGN, Side


class TubeAmounts(NamedTuple):
    """What stands in the corridor now, mm: radius ``established`` all the way to the floor, and
    ``radius`` around it down to a conical tip that has come ``depth`` from the skin."""

    established: float = 0.0
    radius: float = 0.0
    depth: float = 0.0


@dataclass(frozen=True, eq=False)
class TubePoints:
    """Points prepared for the map; arrays of shape (n,) but ``rest`` (n, 3), the world positions in mm."""

    rest: Points
    ring: ellipse.Ring
    across: Floats
    along: Floats
    depth: Floats
    weight: Floats
    slope: Floats
    fade: Floats
    lift: Floats
    follow: Floats
    floor: Floats


@dataclass(frozen=True, eq=False)
class TubeCorridor:
    """The way of a tube from the skin to the lamina.

    ``frame`` (world): origin at the centre of the tube's end when docked, y along the axis into the
    body, z superior, across the axis. ``length`` mm from the skin to there; ``diameter`` the tube's
    outer diameter, mm; ``incision`` the length of the skin incision, mm. Over the ``dermis``, the skin's
    anterior surface, tissue grows so much thicker as it is crowded.
    """

    frame: Frame
    length: float
    diameter: float
    incision: float
    side: Side
    terrain: Terrain
    dermis: HeightMap | None = None

    @property
    def target(self) -> Floats:
        """The centre of the docked tube's end, world mm (3,)."""
        return self.frame.origin

    @property
    def direction(self) -> Floats:
        """The unit vector from the skin to the target, world (3,)."""
        return self.frame.anterior

    @property
    def entry(self) -> Floats:
        """Where the axis passes the skin, world mm (3,)."""
        return self.target - self.length * self.direction

    @property
    def radius(self) -> float:
        """The tube's outer radius, mm."""
        return self.diameter / 2.0

    @property
    def medial_angle(self) -> float:
        """How far the axis leans from the sagittal plane towards the midline, degrees."""
        return float(np.degrees(np.arcsin(-SIGN[self.side] * self.direction[0])))

    @property
    def stretch(self) -> float:
        """The tube's perimeter over the slit's: how much it stretches the skin incision."""
        return np.pi * self.diameter / (2.0 * self.incision)

    @property
    def fascia_opening(self) -> float:
        """The area of the opening in the fascia when the tube stands, mm²."""
        return float(np.pi * self.radius**2)

    @cached_property
    def _cone(self) -> float:
        return float(measures.value("retraction.tube.map.cone"))

    @cached_property
    def _support(self) -> float:
        return float(measures.value("retraction.tube.map.support"))

    @cached_property
    def _half_lengths(self) -> tuple[Floats, Floats]:
        widths = np.linspace(0.0, 2.0 * self.radius, 512)
        return widths, ellipse.stretched_half_length(widths, self.incision / 2.0)

    @property
    def axis(self) -> Frame:
        """The corridor's frame (world): origin at the target, z out of the body, y about cranial."""
        right, anterior, superior = self.frame.axes
        return Frame(self.target, np.array([right, superior, -anterior]))

    @property
    def depth(self) -> float:
        """The distance from the target to the skin along the axis, mm."""
        return self.length

    # amounts ------------------------------------------------------------------------------------

    @property
    def edge_radius(self) -> float:
        """By how much (mm) the edge between a muscle's surface and the lumen's wall is rounded."""
        return float(measures.value("retraction.tube.map.edge_radius"))

    def part(self, share: float) -> TubeAmounts:
        """Return the amounts of a tube of a share 0..1 of the full radius, standing on the floor."""
        return TubeAmounts(share * self.radius, share * self.radius, self.full.depth)

    @property
    def full(self) -> TubeAmounts:
        """The amounts of the docked tube."""
        return TubeAmounts(self.radius, self.radius, self.length + self._cone)

    def inserting(self, established: float, diameter: float, progress: float) -> TubeAmounts:
        """Return the amounts while a dilator or the tube (``diameter`` mm) slides over what stands there.

        ``established`` is the diameter in place (0 for the first); ``progress`` 0..1.
        """
        return TubeAmounts(established / 2.0, diameter / 2.0, progress * (self.length + self._cone))

    def course(self) -> tuple[TubeAmounts, ...]:
        """Return amounts that stand for the whole way of the tissue: standing and advancing dilators."""
        standing = (self.part(float(share)) for share in np.linspace(0.125, 1.0, 8))
        advancing = (
            self.inserting(0.0, share * self.diameter, progress)
            for share in (0.3, 1.0)
            for progress in (0.5, 0.7, 0.8, 0.9)
        )
        return (*standing, *advancing)

    def withdrawing(self, progress: float) -> TubeAmounts:
        """Return the amounts while the tube is drawn out, ``progress`` 0..1; the muscle falls back."""
        return self.inserting(0.0, self.diameter, 1.0 - progress)

    def incising(self, gape: float, depth: float) -> TubeAmounts:
        """Return the amounts of a bare slit that gapes by ``gape`` mm down to ``depth`` mm."""
        return TubeAmounts(0.0, gape / 2.0, depth)

    def tip(self, amounts: tuple[float, ...]) -> Floats:
        """Return where the tip of the advancing dilator stands now, world mm (3,)."""
        return self.entry + min(TubeAmounts(*amounts).depth, self.length) * self.direction

    def area(self, amounts: tuple[float, ...], height: float) -> float:
        """Return the area (mm²) of the opening at a height (mm) above the target."""
        width = float(self.opened_radius(np.array([self.length - height]), amounts)[0])
        return float(np.pi * width * np.interp(width, *self._half_lengths)) if width > 0.0 else 0.0

    def corridor(self, amounts: tuple[float, ...]) -> float:
        """Return the volume (mm³) of the opening from the target to the skin."""
        heights = np.linspace(0.0, self.length, 101)
        return float(np.trapezoid([self.area(amounts, float(height)) for height in heights], heights))

    def on(self, points: Points) -> PartingWarp:
        """Return the movement of any points (n, 3), world mm, as a warp; bone does not hold them up."""
        return parting_warp(points, self, clear_of_bone=False)

    def opened_radius(self, depth: Floats, amounts: tuple[float, ...]) -> Floats:
        """Return the radius (n,) mm to which tissue is opened at depths (n,) mm below the skin."""
        established, radius, tip = amounts
        reached = np.clip((tip - np.clip(depth, 0.0, self.length)) / self._cone, 0.0, 1.0)
        return established + max(radius - established, 0.0) * reached

    # the map ------------------------------------------------------------------------------------

    def moves(self, points: Points) -> npt.NDArray[np.bool_]:
        """Tell which points (n, 3) the map can move at all, (n,) bool."""
        local = self.frame.to_local(points)
        rings = ellipse.ring(local[:, 0], local[:, 2], self.incision / 2.0)
        return (rings.area < self._support**2) & (self._fade(points) > 0.0)

    def prepared(self, points: Points) -> TubePoints:
        """Return world points (n, 3) with all that the map needs to know of them."""
        points = np.asarray(points, dtype=np.float64)
        local = self.frame.to_local(points)
        rings = ellipse.ring(local[:, 0], local[:, 2], self.incision / 2.0)
        weight, slope = ellipse.support(rings.area, self._support)
        height = self.terrain.height(points)
        thick = 0.0 if self.dermis is None else np.maximum(self.dermis.height(points), 0.0)
        return TubePoints(
            rest=points,
            ring=rings,
            across=local[:, 0],
            along=local[:, 2],
            depth=self.length + local[:, 1],
            weight=weight,
            slope=slope,
            fade=self._fade(points),
            lift=lifted_height(height) + thick,
            follow=following(height),
            floor=self.terrain.floor.at(points[:, 0], points[:, 2]),
        )

    def move(self, points: TubePoints, amounts: tuple[float, ...]) -> Points:
        """Return where prepared points stand at some amounts, world mm (n, 3)."""
        width = points.fade * self.opened_radius(points.depth, amounts)
        length = np.interp(width, *self._half_lengths)
        a, b, growth = self._grown(points.ring.area, points.weight, width, length)
        x, z = b * points.ring.sine, a * points.ring.cosine
        lift = self._lift(points, growth, amounts)
        right, anterior, superior = self.frame.axes
        moved = points.rest + np.multiply.outer(x - points.across, right)
        moved += np.multiply.outer(z - points.along, superior)
        low = points.follow > 0.0
        floor = self.terrain.floor.at(moved[low, 0], moved[low, 2])
        lift[low] += points.follow[low] * (points.floor[low] - floor)
        moved -= np.multiply.outer(lift, anterior)
        return moved

    def _lift(self, points: TubePoints, growth: Floats, amounts: tuple[float, ...]) -> Floats:
        """Return how much (n,) mm prepared points rise for the area that the opening takes below them.

        What an advancing tip takes it takes only down to where it has come.
        """
        established, _, tip = amounts
        inner = points.fade * established
        before = 1.0 / (1.0 + inner * np.interp(inner, *self._half_lengths) * points.slope)
        depth = np.clip(points.depth, 0.0, self.length)
        half = self._cone / 2.0
        passed = np.clip((tip - half - depth) / (self.length + half - depth), 0.0, 1.0)
        return np.asarray(
            points.lift * (before - 1.0 + passed * (1.0 / (1.0 + growth * points.slope) - before))
        )

    def open(self, points: Points, amounts: tuple[float, ...]) -> Points:
        """Return where world points (n, 3) stand at some amounts, mm: the map in closed form."""
        return self.move(self.prepared(points), amounts)

    def _grown(
        self, area: Floats, weight: Floats, width: Floats, length: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """Return the half-axes of rings now, and by how much (area over pi, mm²) the slit has grown."""
        c2 = (self.incision / 2.0) ** 2
        growth = width * length
        focal = c2 + (length * length - width * width - c2) * weight * weight
        a, b = ellipse.half_axes(area + growth * weight, focal)
        return a, b, growth

    def _fade(self, points: Points) -> Floats:
        """Return 1 on the tube's side and 0 where the spinous processes hold the tissue of the other side.

        Fat and skin over them are free to move.
        """
        shape, common = measures.table("retraction.tube.map"), measures.table("retraction.common")
        free = smooth((self.terrain.height(points) - common["full_lift"]) / common["ebb_height"])
        low, high = (
            held + free * (loose - held)
            for held, loose in zip(shape["midline_fade"], shape["skin_fade"], strict=True)
        )
        return smooth((SIGN[self.side] * np.asarray(points)[:, 0] - low) / (high - low))

    def ring_axes(self, offset: float) -> tuple[float, float]:
        """Return the half-axes (mm) along and across, at rest, of the ring ``offset`` mm off the tube."""
        area = (self.radius + offset) ** 2 - self.radius**2
        a, b = ellipse.half_axes(np.array([area]), np.array([(self.incision / 2.0) ** 2]))
        return float(a[0]), float(b[0])

    def around(self, share: Floats) -> tuple[Floats, Floats]:
        """Return sine and cosine of places 0..1 around the slit, evenly around the tube."""
        return np.sin(2.0 * np.pi * share), np.cos(2.0 * np.pi * share)

    def slice(self, across: Floats, along: Floats, height: Floats) -> tuple[Floats, Floats]:
        """Return x and z (n,) at heights (n,) above the target of places beside the skin's slit: the same."""
        return across, along

    # the way back, at full opening --------------------------------------------------------------

    def lumen(self, points: Points) -> Floats:
        """Return the signed distance (n,) mm of opened world points to the tube's outside, negative in it."""
        local = self.frame.to_local(points)
        return np.hypot(local[:, 0], local[:, 2]) - self.radius

    def closed(self, points: Points, snap: float = 0.0) -> Points:
        """Return the rest positions (n, 3) mm of world points that stand in the fully opened tissue.

        Points in the lumen, and those within ``snap`` mm of it, come to lie on the slit.
        """
        points = np.asarray(points, dtype=np.float64)
        local = self.frame.to_local(points)
        rest = points.copy()
        wall = self.lumen(points) < snap
        for _ in range(5):
            here = self.prepared(rest)
            width = here.fade * self.radius
            length = np.interp(width, *self._half_lengths)
            x, z, area = self._back(local[:, 0], local[:, 2], width, length, wall)
            _, slope = ellipse.support(area, self._support)
            lift = here.lift * (1.0 / (1.0 + width * length * slope) - 1.0)
            lift += here.follow * (here.floor - self.terrain.floor.at(points[:, 0], points[:, 2]))
            rest = self.frame.to_parent(np.stack([x, local[:, 1] + lift, z], axis=1))
        return rest

    def _back(
        self, x: Floats, z: Floats, width: Floats, length: Floats, wall: npt.NDArray[np.bool_]
    ) -> tuple[Floats, Floats, Floats]:
        """Return rest x, z and ring area of opened points; halve the range of the ring's size to it."""
        c = self.incision / 2.0
        low, high = np.zeros(len(x)), np.sqrt(x * x + z * z + c * c)
        for _ in range(24):
            middle = (low + high) / 2.0
            area = middle * middle
            weight, _ = ellipse.support(area, self._support)
            a, b, _ = self._grown(area, weight, width, length)
            outside = x * x * (a * a) + z * z * (b * b) > (a * b) ** 2
            low, high = np.where(outside, middle, low), np.where(outside, high, middle)
        area = np.where(wall, 0.0, high * high)
        weight, _ = ellipse.support(area, self._support)
        a, _, _ = self._grown(area, weight, width, length)
        cosine = np.clip(z / a, -1.0, 1.0)
        rest_a, rest_b = ellipse.half_axes(area, np.full_like(area, c * c))
        sine = np.sqrt(1.0 - cosine * cosine)
        back = np.maximum(rest_b * sine, ellipse.SLIT_HALF_WIDTH)
        return np.copysign(back, x), rest_a * cosine, area
