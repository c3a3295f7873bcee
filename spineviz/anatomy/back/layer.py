"""Layers of the back: a sheet between two height maps, cut out along a rounded rectangle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.spatial import Delaunay

from spineviz.anatomy.back.height_map import HeightMap
from spineviz.anatomy.recipe import Recipe
from spineviz.sdf.solid import Solid
from spineviz.structure import Floats, Points, Surface

Triangles = npt.NDArray[np.integer]

STEP = 3.8
"""Edge length (mm) of the triangles of all layers: on the same plan they lie on each other without a gap."""

BESIDE_CREASE = 0.3
"""Points of the plan that are nearer to a crease than this share of the triangles' edges make way for it."""

RIM = 0.5
"""Breadth of the narrow triangles along a layer's edges, mm: smooth shading keeps the edges crisp."""


@dataclass(frozen=True)
class Outline:
    """A rectangle with rounded corners in the (x, z) plane, symmetric in x; mm.

    Where there is a ``taper``, the rectangle is drawn in across at each z to that share of its width; where
    there is a ``midline``, it is moved aside by that at each z. Along the ``creases``, mm from the midline at
    z on both sides, a sheet's triangles have edges.
    """

    half_width: float
    caudal: float
    cranial: float
    radius: float
    taper: Callable[[Floats], Floats] | None = None
    midline: Callable[[Floats], Floats] | None = None
    creases: tuple[Callable[[Floats], Floats], ...] = ()

    @property
    def upright(self) -> Outline:
        """The rectangle as it is before it is drawn."""
        return replace(self, taper=None, midline=None, creases=())

    def drawn(self, plan: Floats) -> Floats:
        """Return places (n, 2) of the rectangle as (x, z) where the outline has them."""
        x, z = plan[:, 0], plan[:, 1]
        x = x if self.taper is None else x * self.taper(z)
        x = x if self.midline is None else x + self.midline(z)
        return np.stack([x, z], axis=1)

    def distance(self, x: Floats, z: Floats) -> Floats:
        """Return the signed distance (mm, negative inside) of (x, z), shape (n,), about so where tapered."""
        if self.midline is not None:
            x = x - self.midline(z)
        if self.taper is not None:
            x = x / self.taper(z)
        middle, half = (self.cranial + self.caudal) / 2.0, (self.cranial - self.caudal) / 2.0
        across = np.abs(x) - self.half_width + self.radius
        along = np.abs(z - middle) - half + self.radius
        outside = np.hypot(np.maximum(across, 0.0), np.maximum(along, 0.0))
        return outside + np.minimum(np.maximum(across, along), 0.0) - self.radius

    def border(self, step: float) -> Floats:
        """Return points (n, 2) about every ``step`` mm along the rectangle, counter-clockwise in (x, z)."""
        width, height = self.half_width - self.radius, (self.cranial - self.caudal) / 2.0 - self.radius
        middle = (self.cranial + self.caudal) / 2.0
        count = max(int(np.ceil(self.radius * np.pi / 2.0 / step)), 2)
        corners = [
            np.stack([sx * width + self.radius * np.cos(t), sz * height + self.radius * np.sin(t)], axis=1)
            for k, (sx, sz) in enumerate(((1, 1), (-1, 1), (-1, -1), (1, -1)))
            for t in [np.linspace(k * np.pi / 2.0, (k + 1) * np.pi / 2.0, count + 1)]
        ]
        parts = []
        for corner, following in zip(corners, corners[1:] + corners[:1], strict=True):
            length = float(np.linalg.norm(following[0] - corner[-1]))
            pieces = max(int(np.ceil(length / step)), 1)
            share = np.arange(1, pieces)[:, None] / pieces
            parts += [corner, corner[-1] + share * (following[0] - corner[-1])]
        return np.vstack(parts) + np.array([0.0, middle])


@dataclass(frozen=True, eq=False)
class Layer:
    """A sheet of tissue: between ``inner`` (anterior) and ``outer`` (posterior), inside ``outline``."""

    inner: HeightMap
    outer: HeightMap
    outline: Outline

    def field(self, points: Points) -> Floats:
        """Return the signed distance (mm, negative inside) of world points, shape (n, 3) -> (n,)."""
        points = np.asarray(points, dtype=np.float64)
        edge = self.outline.distance(points[:, 0], points[:, 2])
        return np.maximum(np.maximum(self.outer.behind(points), -self.inner.behind(points)), edge)

    def solid(self) -> Solid:
        """Return the layer as a solid with its bounds."""
        outline = self.outline
        aside: Floats = np.zeros(1)
        if outline.midline is not None:
            aside = outline.midline(np.arange(outline.caudal, outline.cranial, 1.0))
        lower = [aside.min() - outline.half_width, self.outer.values.min(), outline.caudal]
        upper = [aside.max() + outline.half_width, self.inner.values.max(), outline.cranial]
        return Solid(self.field, np.array(lower) - 5.0, np.array(upper) + 5.0)

    def plan(self, step: float) -> tuple[Floats, Triangles]:
        """Return a triangulation of the outline with edges of about ``step`` mm.

        Gives points (n, 2) as (x, z) and triangles (m, 3), counter-clockwise in (x, z).
        """
        border = self.outline.border(step)
        rim = replace(
            self.outline,
            half_width=self.outline.half_width - RIM,
            caudal=self.outline.caudal + RIM,
            cranial=self.outline.cranial - RIM,
            radius=self.outline.radius - RIM,
        ).border(step)
        half = int(self.outline.half_width // step)
        x = step * np.arange(-half, half + 1)
        z = np.arange(self.outline.caudal + step, self.outline.cranial, step)
        grid = np.stack(np.meshgrid(x, z, indexing="ij"), axis=-1).reshape(-1, 2)
        rectangle = self.outline.upright
        grid = grid[rectangle.distance(grid[:, 0], grid[:, 1]) < -0.6 * step]
        grid = self._creased(grid, z, step)
        points = np.vstack([border, rim, grid])
        triangles = Delaunay(points).simplices
        a, b, c = (points[triangles[:, k]] for k in range(3))
        doubled = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
        triangles = np.where((doubled < 0.0)[:, None], triangles[:, ::-1], triangles)
        return self.outline.drawn(points), triangles[np.abs(doubled) > 1e-6 * step * step]

    def _creased(self, grid: Floats, z: Floats, step: float) -> Floats:
        """Return a grid (n, 2) in the rectangle with points along the creases in place of those nearby."""
        outline, rectangle = self.outline, self.outline.upright
        taper = outline.taper or np.ones_like
        added = []
        for crease in outline.creases:
            line = crease(grid[:, 1]) / taper(grid[:, 1])
            grid = grid[np.abs(np.abs(grid[:, 0]) - line) > BESIDE_CREASE * step]
            x = crease(z) / taper(z)
            added += [np.stack([side * x, z], axis=1) for side in (-1.0, 1.0)]
        lines = np.vstack([np.zeros((0, 2)), *added])
        return np.vstack([grid, lines[rectangle.distance(lines[:, 0], lines[:, 1]) < -0.6 * step]])

    def extruded(self, points: Floats, triangles: Triangles) -> Surface:
        """Return the closed surface of the sheet over a plan: points (n, 2), triangles (m, 3).

        The plan may have holes and slits; it is walled along each of its free edges. Triangles are
        counter-clockwise in (x, z).
        """
        points = np.asarray(points, dtype=np.float64)
        x, z = points.T
        back, front = self.outer.at(x, z), self.inner.at(x, z)
        edges = _free_edges(triangles)
        border = np.unique(edges)
        place = np.full(len(points), -1)
        place[border] = np.arange(len(border))
        margin = np.minimum(RIM, 0.3 * (front - back)[border])
        rings = [back, back[border] + margin, front[border] - margin, front]
        plans = [points, points[border], points[border], points]
        vertices = [
            np.stack([plan[:, 0], y, plan[:, 1]], axis=1) for plan, y in zip(plans, rings, strict=True)
        ]
        starts = np.cumsum([0, *(len(y) for y in rings)])
        upper = [edges, place[edges] + starts[1], place[edges] + starts[2], edges + starts[3]]
        walls = [
            np.vstack([np.stack([b, a, c], axis=1), np.stack([b, c, d], axis=1)])
            for (a, b), (c, d) in zip([e.T for e in upper[:-1]], [e.T for e in upper[1:]], strict=True)
        ]
        return Surface(np.vstack(vertices), np.vstack([triangles, triangles[:, ::-1] + starts[3], *walls]))


def _free_edges(triangles: Triangles) -> Triangles:
    """Return the directed edges (n, 2) that belong to one triangle only."""
    edges = np.vstack([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]).astype(np.int64)
    count = int(edges.max()) + 1
    forward, backward = edges[:, 0] * count + edges[:, 1], edges[:, 1] * count + edges[:, 0]
    return edges[~np.isin(forward, backward)]


@dataclass(frozen=True, eq=False, kw_only=True)
class LayerRecipe(Recipe):
    """A recipe of a sheet thinner than a sensible meshing step: its surface is built, not sampled.

    ``cover`` is the surface that the layers over it follow, its own outer one where None.
    """

    layer: Layer
    cover: HeightMap | None = None

    def surface(self) -> Surface:
        """Build the sheet over a plan of ``step`` mm and paint it."""
        return self.painted(self.layer.extruded(*self.layer.plan(self.step)))
