"""Cut sheets: fascia, fat and skin with a slit whose two lips can part.

The sheet is triangulated about the slit, with rings of vertices around it, and walled along the slit and
along its outline. Slit and rings follow the opening's axis through the sheet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.spatial import Delaunay

from spineviz import measures
from spineviz.anatomy.back.height_map import HeightMap
from spineviz.anatomy.back.layer import LayerRecipe
from spineviz.structure import Floats, Frame, Points, Surface
from spineviz.surgery.retraction import ellipse
from spineviz.surgery.retraction.warp import Opening

Triangles = npt.NDArray[np.integer]

OBLIQUE = 0.8
"""The cosine to the sagittal direction from which on an opening goes through the layers from behind."""

TANGENT = 9.0
"""How far (mm) about the place where an opening from the side passes a layer this is taken to be flat."""


class LayerOpening(Opening, Protocol):
    """An opening that tells how its slit passes through a layer."""

    @property
    def frame(self) -> Frame:
        """The frame in the world: origin on the floor, y into the body, z superior."""

    @property
    def incision(self) -> float:
        """The length of the slit in the skin, mm."""

    def ring_axes(self, offset: float) -> tuple[float, float]:
        """Return the half-axes (mm) along and across of a ring about the slit at rest."""

    def around(self, share: Floats) -> tuple[Floats, Floats]:
        """Return sine and cosine of places 0..1 around the slit."""

    def slice(self, across: Floats, along: Floats, height: Floats) -> tuple[Floats, Floats]:
        """Return x and z (n,) at heights (n,) mm of places beside the skin's slit."""


@dataclass(frozen=True, eq=False)
class Plan:
    """Where a cut layer has its columns of vertices; arrays of shape (n,), mm.

    ``across`` and ``along`` are taken from the skin's slit in the opening's frame, ``x`` and ``z`` are
    the world position of columns that stand upright; ``tilt`` is 1 where a column follows the axis
    and 0 where it stands upright. The first ``slit`` columns are the slit's, in order around it; the
    next ``border`` ones the outline's.
    """

    across: Floats
    along: Floats
    x: Floats
    z: Floats
    tilt: Floats
    slit: int
    border: int


def opened_layer(recipe: LayerRecipe, opening: LayerOpening) -> Surface:
    """Return a layer's surface at rest, slit so that an opening can part it; it is watertight."""
    layer = recipe.layer
    plan = _plan(recipe, opening)
    outer = _columns(plan, opening, layer.outer)
    inner = _columns(plan, opening, layer.inner)
    triangles = _triangles(plan, opening.incision / 2.0)
    size = measures.table("retraction.layer")
    thickness = float(np.abs(layer.outer.values - layer.inner.values).mean())
    rows = int(size["wall_rows"]) if thickness > 2.0 * size["edge"] else 0
    between = [
        _columns(_slit_of(plan), opening, _between(layer.outer, layer.inner, k / (rows + 1)))
        for k in range(1, rows + 1)
    ]
    return recipe.painted(_walled(outer, inner, between, triangles, plan.slit))


def _plan(recipe: LayerRecipe, opening: LayerOpening) -> Plan:
    """Lay out the columns: the slit, the outline, rings about the slit, and a grid for the rest."""
    size = measures.table("retraction.layer")
    facing = abs(float(opening.frame.anterior[1])) > OBLIQUE
    flat = _level(recipe, opening) if facing else _tangent(recipe, opening)
    slit, rings = _rings(opening, size["ring_offsets"], size["edge"])
    limit = opening.ring_axes(size["ring_offsets"][-1] + 0.6 * recipe.step)
    outline = recipe.layer.outline
    border = outline.drawn(outline.border(recipe.step))
    grid = _grid(recipe, opening, flat, limit)
    upright = np.vstack([border, grid])
    local = opening.frame.to_local(flat.on(upright))
    if facing:
        reference = opening.frame.to_parent(_at(np.vstack([slit, rings]), float(local[:, 1].mean())))
    else:
        reference = flat.along(opening.frame, np.vstack([slit, rings]))
    count = len(slit)
    across = np.concatenate([slit[:, 0], local[: len(border), 0], rings[:, 0], local[len(border) :, 0]])
    along = np.concatenate([slit[:, 1], local[: len(border), 2], rings[:, 1], local[len(border) :, 2]])
    x = np.concatenate([reference[:count, 0], border[:, 0], reference[count:, 0], grid[:, 0]])
    z = np.concatenate([reference[:count, 2], border[:, 1], reference[count:, 2], grid[:, 1]])
    width = ellipse.ring(across, along, opening.incision / 2.0).narrow
    low, high = (size["upright_from"], size["upright_to"]) if facing else size["oblique"]
    t = np.clip((high - width) / (high - low), 0.0, 1.0)
    tilt = t * t * (3.0 - 2.0 * t)
    if not facing:
        tilt[count:] *= np.clip(-outline.distance(x[count:], z[count:]) / size["oblique_border"], 0.0, 1.0)
    return Plan(across, along, x, z, tilt, count, len(border))


@dataclass(frozen=True)
class _Flat:
    """A plane that a layer's columns are laid out in: y at the origin, and how it rises along x and z."""

    y: float
    along_x: float = 0.0
    along_z: float = 0.0

    def on(self, places: Floats) -> Points:
        """Return places (n, 2) as points (n, 3) of the plane, mm."""
        x, z = places[:, 0], places[:, 1]
        return np.column_stack([x, self.y + self.along_x * x + self.along_z * z, z])

    def along(self, frame: Frame, places: Floats) -> Points:
        """Return where (n, 3) lines along a frame's y axis through places (n, 2) of it meet the plane, mm."""
        start, way = frame.to_parent(_at(places, 0.0)), frame.anterior
        normal = np.array([self.along_x, -1.0, self.along_z])
        return start - np.multiply.outer((start @ normal + self.y) / float(way @ normal), way)


def _level(recipe: LayerRecipe, opening: LayerOpening) -> _Flat:
    """Return the coronal plane through a layer over the opening's origin."""
    return _Flat(float(recipe.layer.outer.at(opening.axis.origin[:1], opening.axis.origin[2:])[0]))


def _tangent(recipe: LayerRecipe, opening: LayerOpening) -> _Flat:
    """Return the plane that lies in a layer where an opening from the side passes it."""
    middle = _between(recipe.layer.outer, recipe.layer.inner, 0.5)
    line = opening.axis.origin + np.multiply.outer(np.arange(0.0, 160.0, 0.25), opening.axis.superior)
    behind = line[:, 1] < middle.at(line[:, 0], line[:, 2])
    place = line[int(np.argmax(behind))] if behind.any() else line[-1]
    steps = np.linspace(-TANGENT, TANGENT, 9)
    x, z = (axis.ravel() for axis in np.meshgrid(place[0] + steps, place[2] + steps))
    rise_x, rise_z, y = np.linalg.lstsq(
        np.column_stack([x, z, np.ones(len(x))]), middle.at(x, z), rcond=None
    )[0]
    return _Flat(float(y), float(rise_x), float(rise_z))


def _rings(opening: LayerOpening, offsets: list[float], edge: float) -> tuple[Floats, Floats]:
    """Return the slit's columns (n, 2), in order around it, and those of the rings about it."""
    wall = np.pi * sum(opening.ring_axes(0.0))
    count = 2 * int(np.ceil(max(wall, 4.4 * opening.ring_axes(0.0)[0]) / edge / 2.0))
    parts = []
    for row, offset in enumerate([0.0, *offsets]):
        a, b = opening.ring_axes(offset)
        sine, cosine = opening.around((np.arange(count) + 0.5 * (row % 2)) / count)
        across = np.copysign(np.maximum(np.abs(b * sine), ellipse.SLIT_HALF_WIDTH), sine)
        parts.append(np.column_stack([np.where(np.abs(sine) < 1e-9, 0.0, across), a * cosine]))
    return parts[0], np.vstack(parts[1:])


def _grid(recipe: LayerRecipe, opening: LayerOpening, flat: _Flat, limit: tuple[float, float]) -> Floats:
    """Return the upright columns (n, 2) as world (x, z) beyond the last ring."""
    outline, step = recipe.layer.outline, recipe.step
    half = int(outline.half_width // step)
    x, z = step * np.arange(-half, half + 1), np.arange(outline.caudal + step, outline.cranial, step)
    grid = np.stack(np.meshgrid(x, z, indexing="ij"), axis=-1).reshape(-1, 2)
    grid = outline.drawn(grid[outline.upright.distance(grid[:, 0], grid[:, 1]) < -0.6 * step])
    local = opening.frame.to_local(flat.on(grid))
    return grid[np.square(local[:, 2] / limit[0]) + np.square(local[:, 0] / limit[1]) > 1.0]


def _at(places: Floats, y: float) -> Points:
    """Return places (n, 2) as points (n, 3) at one y, mm."""
    return np.column_stack([places[:, 0], np.full(len(places), y), places[:, 1]])


def _slit_of(plan: Plan) -> Plan:
    n = plan.slit
    return Plan(plan.across[:n], plan.along[:n], plan.x[:n], plan.z[:n], plan.tilt[:n], n, 0)


def _between(outer: HeightMap, inner: HeightMap, share: float) -> HeightMap:
    return replace(outer, values=outer.values + share * (inner.values - outer.values))


def _columns(plan: Plan, opening: LayerOpening, surface: HeightMap) -> Points:
    """Return where (n, 3) a plan's columns pass a surface, world mm."""
    depth = np.full(len(plan.x), float(opening.frame.to_local(_on(surface, plan.x, plan.z))[:, 1].mean()))
    for _ in range(12):
        across, along = opening.slice(plan.across, plan.along, -depth)
        axial = opening.frame.to_parent(np.stack([across, depth, along], axis=1))
        x = plan.tilt * axial[:, 0] + (1.0 - plan.tilt) * plan.x
        z = plan.tilt * axial[:, 2] + (1.0 - plan.tilt) * plan.z
        points = _on(surface, x, z)
        depth = opening.frame.to_local(points)[:, 1]
    return np.where((plan.tilt == 1.0)[:, None], axial, points)


def _on(surface: HeightMap, x: Floats, z: Floats) -> Points:
    return np.stack([x, surface.at(x, z), z], axis=1)


def _triangles(plan: Plan, c: float) -> Triangles:
    """Triangulate the columns (m, 3) about the slit of half-length ``c`` mm; the slit itself stays open.

    The plan is first unfolded conformally, so that the slit is a circle. Raises ValueError where a
    triangle would bridge the slit.
    """
    rings = ellipse.ring(plan.across, plan.along, c)
    radius = (rings.narrow + np.hypot(rings.narrow, c)) / 2.0
    places = np.stack([radius * rings.sine, radius * rings.cosine], axis=1)
    triangles = Delaunay(places).simplices.astype(np.int32)
    in_slit = (triangles < plan.slit).all(axis=1)
    on_border = ((triangles >= plan.slit) & (triangles < plan.slit + plan.border)).all(axis=1)
    triangles = triangles[~in_slit & ~on_border]
    p, q, r = (places[triangles[:, k]] for k in range(3))
    doubled = (q - p)[:, 0] * (r - p)[:, 1] - (q - p)[:, 1] * (r - p)[:, 0]
    triangles = np.where((doubled < 0.0)[:, None], triangles[:, ::-1], triangles)
    triangles = triangles[np.abs(doubled) > 1e-6]
    edges = _free_edges(triangles)
    if (edges < plan.slit).all(axis=1).sum() != plan.slit:
        raise ValueError("a cut layer is bridged across its slit: lower retraction.layer.edge")
    return triangles


def _free_edges(triangles: Triangles) -> Triangles:
    """Return the directed edges (n, 2) that belong to one triangle only."""
    edges = np.vstack([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]).astype(np.int64)
    count = int(edges.max()) + 1
    forward, backward = edges[:, 0] * count + edges[:, 1], edges[:, 1] * count + edges[:, 0]
    return edges[~np.isin(forward, backward)]


def _walled(outer: Points, inner: Points, between: list[Points], triangles: Triangles, slit: int) -> Surface:
    """Close a sheet: outer and inner surface, a wall along the outline, and rows of wall along the slit."""
    count = len(outer)
    edges = _free_edges(triangles)
    in_slit = (edges < slit).all(axis=1)
    starts = [0, *(2 * count + slit * k for k in range(len(between))), count]
    faces = [triangles, triangles[:, ::-1] + count, _wall(edges[~in_slit], 0, count)]
    faces += [_wall(edges[in_slit], upper, lower) for upper, lower in pairwise(starts)]
    return Surface(np.vstack([outer, inner, *between]), np.vstack(faces))


def _wall(edges: Triangles, upper: int, lower: int) -> Triangles:
    """Return the triangles between two rows of vertices along directed edges (n, 2)."""
    a, b = edges.T
    first = np.stack([b + upper, a + upper, a + lower], axis=1)
    return np.vstack([first, np.stack([b + upper, a + lower, b + lower], axis=1)])
