"""The parts that a sacrum is put together from: walls, S1 body, canal, foramina, crests, S1 facets.

Every part is a parameter class whose instances, called with points of shape (n, 3) in the sacrum's
local frame (mm; origin in the centre of the S1 upper endplate, z its normal, y anterior, x right),
return signed distances (n,), negative inside. Parts are symmetric in x unless said otherwise.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from spineviz.anatomy.sacrum.walls import Body, Triple, Walls
from spineviz.sdf import Loft, smooth_intersection, smooth_union
from spineviz.spec import Entries, Spec
from spineviz.structure import Floats, Points

if TYPE_CHECKING:
    from scipy.interpolate import CubicSpline

REACH = 8.0
"""A small part is evaluated only this near to its bounding sphere (mm); farther, a bound stands in."""

SOFTNESS = 0.5
"""The absolute value of x is rounded over this length (mm), so that nothing creases at the midline."""


def folded(points: Points) -> Points:
    """Return points with x replaced by its rounded absolute value."""
    result = np.array(points, dtype=np.float64)
    result[:, 0] = np.sqrt(result[:, 0] ** 2 + SOFTNESS**2)
    return result


class Canal(Spec):
    """The sacral canal: a rounded triangle with its base on the bodies, swept from S1 to S5.

    At ``heights`` (z, superior first) the base stands at y = ``front``, the apex ``depth`` behind it,
    and the base is ``half_width`` wide to each side. ``corner`` rounds the triangle, at most to half of
    the radius of its inscribed circle.
    """

    heights: tuple[float, ...]
    front: tuple[float, ...]
    depth: tuple[float, ...]
    half_width: tuple[float, ...]
    corner: float

    @cached_property
    def _along(self) -> CubicSpline:
        from scipy.interpolate import CubicSpline

        rows = np.column_stack([self.front, self.depth, self.half_width])
        return CubicSpline(self.heights[::-1], rows[::-1], bc_type="natural")

    def section(self, z: float) -> tuple[float, float, float]:
        """Return front, depth and half-width at a height."""
        front, depth, width = self._along(np.clip(z, self.heights[-1], self.heights[0]))
        return float(front), float(depth), float(width)

    def __call__(self, points: Points) -> Floats:
        """Return the signed distance (mm, negative inside) of points, shape (n, 3) -> (n,)."""
        x, y, z = points.T
        front, depth, width = self._along(np.clip(z, self.heights[-1], self.heights[0])).T
        return _rounded_triangle(x, front - y, width, depth, self.corner)


class Strut(Spec):
    """A rod from ``start`` to ``end``, round at both; its radius runs from ``radii[0]`` to ``radii[1]``."""

    start: Triple
    end: Triple
    radii: tuple[float, float]

    def __call__(self, points: Points) -> Floats:
        """Return the signed distance (mm, negative inside) of points, shape (n, 3) -> (n,)."""
        start, span = np.asarray(self.start), np.subtract(self.end, self.start)
        length2 = float(span @ span)
        t = np.clip((points - start) @ span / length2, 0.0, 1.0)
        radius = self.radii[0] + (self.radii[1] - self.radii[0]) * t
        distance: Floats = np.linalg.norm(points - start - t[:, None] * span, axis=1) - radius
        return distance

    def bounds(self) -> tuple[Floats, float]:
        """Return the centre and the radius of a sphere around the rod."""
        return _sphere(self.start, self.end, max(self.radii))


class Process(Spec):
    """A bony process as one loft: see `spineviz.sdf.Loft` for the meaning of the numbers."""

    start: Triple
    end: Triple
    across: tuple[float, ...]
    along: tuple[float, ...]
    reference: Triple
    roll: tuple[float, float] = (0.0, 0.0)
    curl: tuple[float, float] = (0.0, 0.0)
    caps: tuple[float, float] = (3.0, 3.0)
    exponent: float = 2.0

    @cached_property
    def loft(self) -> Loft:
        """The loft itself."""
        return Loft(
            self.start, self.end, self.across, self.along, self.reference, self.roll, (0.0, 0.0), self.curl,
            self.caps, self.exponent,
        )  # fmt: skip

    def __call__(self, points: Points) -> Floats:
        """Return the signed distance (mm, negative inside) of points, shape (n, 3) -> (n,)."""
        return self.loft(points)

    def bounds(self) -> tuple[Floats, float]:
        """Return the centre and the radius of a sphere around the process."""
        return _sphere(self.start, self.end, max(*self.across, *self.along, *self.caps))


class Foramen(Spec):
    """One sacral foramen, right side: from the canal into a chamber, and from there out to both walls.

    ``canal``, ``chamber``, ``anterior`` and ``posterior`` are points (mm) with the radii of the same
    order in ``radii``; the last two lie just outside the walls, where the foramen has flared. From the
    anterior opening a groove for the ventral ramus runs out to ``groove`` and ends with the fifth radius.
    """

    canal: Triple
    chamber: Triple
    anterior: Triple
    posterior: Triple
    groove: Triple
    radii: tuple[float, float, float, float, float]

    @cached_property
    def passages(self) -> tuple[Strut, Strut, Strut, Strut]:
        """From the chamber to the canal, to the front and to the back; and the groove in front."""
        canal, chamber, anterior, posterior, groove = self.radii
        return (
            Strut(start=self.chamber, end=self.canal, radii=(chamber, canal)),
            Strut(start=self.chamber, end=self.anterior, radii=(chamber, anterior)),
            Strut(start=self.chamber, end=self.posterior, radii=(chamber, posterior)),
            Strut(start=self.anterior, end=self.groove, radii=(anterior, groove)),
        )

    def __call__(self, points: Points) -> Floats:
        """Return the signed distance (mm, negative inside) of points, shape (n, 3) -> (n,)."""
        inward, front, back, groove = (passage(points) for passage in self.passages)
        through = smooth_union(smooth_union(front, back, 2.0), inward, 2.0)
        return smooth_union(through, groove, 3.0)

    def bounds(self) -> tuple[Floats, float]:
        """Return the centre and the radius of a sphere around the foramen."""
        return _sphere(self.groove, self.posterior, max(self.radii) + 6.0)


class Openings(Spec):
    """Where the canal's roof is missing: above the S1 laminae, and in the sacral hiatus.

    ``lamina_height`` is the z of the S1 laminae's upper edge in the midline; to the sides it rises by
    ``lamina_slope`` mm per mm. Behind the body the gap is ``gap`` wide to each side, growing by
    ``gap_flare`` mm per mm posteriorly from ``gap_front`` (y) on. ``hiatus`` is the void itself.
    """

    lamina_height: float
    lamina_slope: float
    gap: float
    gap_front: float
    gap_flare: float
    hiatus: Process

    def interlaminar(self, points: Points) -> Floats:
        """Distance to the gap between the S1 laminae and L5."""
        x, y, z = points.T
        below = (self.lamina_height + self.lamina_slope * x - z) / np.hypot(1.0, self.lamina_slope)
        behind = self.gap_front - y
        aside = (x - self.gap - self.gap_flare * np.maximum(behind, 0.0)) / np.hypot(1.0, self.gap_flare)
        return smooth_intersection(smooth_intersection(below, aside, 6.0), -behind, 3.0)


class Facet(Spec):
    """The articular surface of the superior articular process, right side: cut by an upright cylinder.

    The facet faces ``lower`` and ``upper``, the ends of the cylinder's axis, from ``radius`` away. Nothing
    is cut below z = ``floor``, a plane that sinks by ``slope`` mm per mm from there posteriorly. ``edge``
    rounds the rim.
    """

    lower: Triple
    upper: Triple
    radius: float
    floor: float
    slope: float
    edge: float

    def __call__(self, points: Points) -> Floats:
        """Return the signed distance (mm, negative inside) of points, shape (n, 3) -> (n,)."""
        cylinder = Strut(start=self.lower, end=self.upper, radii=(self.radius, self.radius))
        _, y, z = points.T
        below = (self.floor + self.slope * (y - self.lower[1] - self.radius) - z) / np.hypot(1.0, self.slope)
        return smooth_intersection(cylinder(points), below, 6.0)

    def bounds(self) -> tuple[Floats, float]:
        """Return the centre and the radius of a sphere around the cylinder."""
        return _sphere(self.lower, self.upper, self.radius)

    def centre(self, direction: Triple, z: float) -> Floats:
        """Return the point of the articular surface at height z, seen from the axis along ``direction``."""
        lower, upper = np.asarray(self.lower), np.asarray(self.upper)
        axis = lower + (upper - lower) * (z - lower[2]) / (upper[2] - lower[2])
        point: Floats = axis + self.radius * np.asarray(direction) / np.hypot(direction[0], direction[1])
        return point


class ArticularCartilage(Spec):
    """The ellipse of cartilage on a facet, ``width`` by ``height``, fading over ``border`` of its radius."""

    width: float
    height: float
    border: float


class Fillets(Spec):
    """How far (mm) a part is blended with the bone it joins, or an opening's edge is rounded."""

    body: float
    crests: float
    median_crest: float
    pits: float
    lamina: float
    hiatus: float
    cornu: float
    superior_process: float
    passages: float
    canal: float


class SacrumParameters(Spec):
    """Everything that shapes a sacrum; lengths in mm in the local frame, right side."""

    walls: Walls
    body: Body
    canal: Canal
    openings: Openings
    foramina: Entries[str, Foramen]
    superior_process: Process
    pedicle: Strut
    facet: Facet
    articular_cartilage: ArticularCartilage
    median_crest: Entries[str, Process]
    crests: Entries[str, Strut]
    cornu: Strut
    pits: Entries[str, Strut]
    fillets: Fillets


def nearby(part: Strut | Process | Foramen | Facet, points: Points) -> Floats:
    """Evaluate a small part where it matters; farther than `REACH` from its sphere, a lower bound."""
    centre, radius = part.bounds()
    distance: Floats = np.linalg.norm(points - centre, axis=1) - radius
    close = distance < REACH
    distance[close] = part(points[close])
    return distance


def _sphere(start: Triple, end: Triple, margin: float) -> tuple[Floats, float]:
    a, b = np.asarray(start), np.asarray(end)
    return (a + b) / 2.0, float(np.linalg.norm(a - b)) / 2.0 + margin


def _rounded_triangle(x: Floats, v: Floats, width: Floats, depth: Floats, corner: float) -> Floats:
    """Return the distance to triangles: half base from x = 0 to ``width`` at v = 0, apex at v = ``depth``.

    A triangle with rounded corners is a smaller one, drawn together about the centre of its
    inscribed circle, and everything within ``corner`` of it.
    """
    slant = np.hypot(width, depth)
    inscribed = width * depth / (width + slant)
    radius = np.minimum(corner, 0.5 * inscribed)
    scale = 1.0 - radius / inscribed
    reach, rise = width * scale, depth * scale
    v = v - inscribed * (1.0 - scale)
    to_base = np.hypot(np.maximum(x - reach, 0.0), v)
    t = np.clip(((reach - x) * reach + v * rise) / (reach * reach + rise * rise), 0.0, 1.0)
    to_side = np.hypot(x - reach * (1.0 - t), v - rise * t)
    inside = (v > 0.0) & (x / reach + v / rise < 1.0)
    nearest = np.minimum(to_base, to_side)
    return np.where(inside, -nearest, nearest) - radius
