"""Geometry that knows no anatomy: distances, volumes, areas, occlusion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from scipy import ndimage
from scipy.spatial import cKDTree

from spineviz.structure import Floats, Points, Surface, frozen

if TYPE_CHECKING:
    import trimesh

Indices = npt.NDArray[np.integer]

CANDIDATES, WALK, CHUNK = 3, 4, 16_384
"""Triangles compared for a point, steps to nearer neighbours after that, and points handled at once."""

SLACK, BETWEEN = 3.0, 1.2
"""Candidates are looked for so many spacings beyond the most that is told; no place of a surface is farther
from a sample than so many spacings."""

RAYS = 11
"""How many rays tell whether a point lies inside a surface."""

AMONG = 6
"""The nearest place of a surface is looked for among the triangles of so many samples."""

THREE = np.array([[0.36, 0.48, 0.8], [-0.8, 0.36, 0.48], [0.48, -0.8, -0.36]], dtype=np.float32)
"""Directions of the rays that tell quickly whether a point may lie inside a surface."""

NEAR, BEND = 1.75, 0.5
"""A grid is refined within this many strides of the surface, and where the values bend by more than
this part of a stride."""


def as_trimesh(surface: Surface) -> trimesh.Trimesh:
    """Return a surface as a trimesh mesh, vertices and faces as they are."""
    import trimesh

    return trimesh.Trimesh(surface.vertices, surface.faces, process=False)


def triangle_normals(vertices: Points, faces: npt.NDArray[np.integer]) -> tuple[Floats, Floats]:
    """Return the unit normals (m, 3) and the areas (m,) in mm² of triangles."""
    corners = np.asarray(vertices, dtype=np.float64)[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1)
    return normals / np.maximum(lengths, 1e-12)[:, None], lengths / 2


def vertex_normals(vertices: Points, faces: npt.NDArray[np.integer]) -> Floats:
    """Return area-weighted unit normals (n, 3) of a mesh's vertices."""
    normals, areas = triangle_normals(vertices, faces)
    result = np.zeros((len(vertices), 3))
    for corner in range(3):
        for axis in range(3):
            result[:, axis] += np.bincount(
                faces[:, corner], normals[:, axis] * areas, minlength=len(vertices)
            )
    return result / np.maximum(np.linalg.norm(result, axis=1, keepdims=True), 1e-12)


def normals_of(fine: Surface, points: Points) -> Floats:
    """Return the unit normals (n, 3) of a finely meshed surface at points (n, 3) on it or beside it.

    The normals of the three nearest vertices are averaged, the nearer the stronger.
    """
    ways, near = cKDTree(fine.vertices).query(points, k=3)
    weights = 1.0 / np.maximum(ways, 1e-3)
    result = np.einsum("nk,nkc->nc", weights, vertex_normals(fine.vertices, fine.faces)[near])
    return result / np.maximum(np.linalg.norm(result, axis=1, keepdims=True), 1e-12)


def volume(surface: Surface) -> float:
    """Return the volume in mm³ that a closed surface encloses."""
    return volume_within(surface.vertices[surface.faces].astype(np.float64))


def volume_within(corners: Floats) -> float:
    """Return the volume in mm³ that triangles (m, 3, 3), which close, have within them."""
    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = corners.transpose(1, 2, 0)
    parts = ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx)
    return float(parts.sum() / 6)


def area(surface: Surface) -> float:
    """Return a surface's area in mm²."""
    return float(triangle_normals(surface.vertices, surface.faces)[1].sum())


def surface_points(surface: Surface, spacing: float) -> Points:
    """Return points (n, 3) on a surface, about ``spacing`` mm from one to the next, and its vertices."""
    samples, _ = _triangle_samples(surface.vertices[surface.faces].astype(np.float64), spacing)
    return np.vstack([surface.vertices, samples])


def surface_distance(
    surface: Surface, spacing: float = 1.0, box: tuple[Floats, Floats] | None = None
) -> Callable[..., Floats]:
    """Return a function that tells the signed distance (mm, negative inside) to a closed surface.

    The nearest triangles are looked up among samples that leave no place of the surface farther than
    about ``spacing`` mm from one; the distance to these triangles is exact. The sign is what most of RAYS
    rays tell by the side of the first triangle that they meet: so it holds in thin plates and at sharp
    edges, and does not hang on slivers and folds without thickness, whose normals mean nothing.

    The function takes points (n, 3) and the ``most`` (mm) that it is to tell, for all or for each (n,):
    farther outside, it tells no more than that and that it is outside, which is much faster.

    Where only points are asked whose nearest place lies in a ``box`` (its two corners), no other triangles
    need be looked at, which is faster on a large surface.
    """
    near = surface if box is None else Surface(surface.vertices, surface.faces[faces_within(surface, box)])
    corners = near.vertices[near.faces].astype(np.float64)
    triangles, neighbours = _Triangles.of(corners), _neighbours(near)
    samples, owners = _triangle_samples(corners, spacing)
    tree = cKDTree(samples, balanced_tree=False, compact_nodes=False)
    inside = _insider(surface)

    def distance(query: Points, most: float | Floats = np.inf) -> Floats:
        points, limits = np.asarray(query, dtype=np.float64), np.full(len(query), most, dtype=np.float64)
        if len(points) <= CHUNK:
            return _told(points, limits) if len(points) else limits
        chunks = [slice(i, i + CHUNK) for i in range(0, len(points), CHUNK)]
        return np.concatenate([_told(points[chunk], limits[chunk]) for chunk in chunks])

    def _told(points: Points, most: Floats) -> Floats:
        within = inside(points)
        away, found = tree.query(points, k=CANDIDATES, distance_upper_bound=most.max() + SLACK * spacing)
        first, result = away[:, 0], most.copy()
        near = np.flatnonzero(np.isfinite(first) & (within | (first < most + BETWEEN * spacing)))
        found = np.where(np.isfinite(away[near]), found[near], found[near, :1])
        result[near] = _nearest(points[near], owners[found])
        deep = np.flatnonzero(np.isinf(first) & within)
        if len(deep):
            result[deep] = _nearest(points[deep], owners[tree.query(points[deep], k=CANDIDATES)[1]])
        return np.where(within, -result, np.minimum(result, most))

    def _nearest(points: Points, faces: Indices) -> Floats:
        way, inner, face = triangles.closest(points, faces)
        rows = np.flatnonzero(~inner)
        for _ in range(WALK if len(rows) else 0):
            near, _, onto = triangles.closest(points[rows], neighbours[face[rows]])
            moved = near < way[rows]
            rows, near, onto = rows[moved], near[moved], onto[moved]
            way[rows], face[rows] = near, onto
            if not len(rows):
                break
        return way

    return distance


def faces_within(surface: Surface, box: tuple[Floats, Floats]) -> npt.NDArray[np.bool_]:
    """Return which faces (m,) come within a box; all of them where none does."""
    above, below = (surface.vertices > box[0]), (surface.vertices < box[1])
    faces = surface.faces
    reach = np.logical_or.reduce([above[faces[:, k]] for k in range(3)])
    reach &= np.logical_or.reduce([below[faces[:, k]] for k in range(3)])
    found: npt.NDArray[np.bool_] = reach.all(axis=1)
    return found if found.any() else ~found


def scene_of(surface: Surface) -> EmbreeScene:
    """Return a surface as rays meet it."""
    scene = EmbreeScene(robust=True)
    TriangleMesh(scene, np.array(surface.vertices), np.array(surface.faces))
    return scene


def perhaps_in(
    surface: Surface, points: Points, scene: EmbreeScene | None = None, surely: bool = False
) -> npt.NDArray[np.bool_]:
    """Tell from which points (n, 3) a ray leaves a closed surface: from those within, and few others.

    ``surely`` asks most of three rays. It is fast, and nothing needs to be prepared but the ``scene``.
    """
    scene = scene or scene_of(surface)
    origins, corners = np.array(points, dtype=np.float32), surface.vertices
    lower, upper = corners.min(axis=0), corners.max(axis=0)
    rows: Indices = np.flatnonzero(((origins >= lower) & (origins <= upper)).all(axis=1))

    def leaving(rows: Indices, way: Floats) -> Indices:
        met = scene.run(origins[rows], np.repeat(way[None], len(rows), axis=0))
        rows, met = rows[met >= 0], met[met >= 0]
        a, b, c = (corners[surface.faces[met, k]] for k in range(3))
        return rows[np.cross(b - a, c - a) @ way > 0.0]

    result = np.zeros(len(origins), dtype=bool)
    rows = leaving(rows, THREE[0]) if len(rows) else rows
    if surely and len(rows):
        second = leaving(rows, THREE[1])
        rows = np.union1d(second, leaving(np.setdiff1d(rows, second), THREE[2]))
    result[rows] = True
    return result


def nearest_places(
    surface: Surface, spacing: float, box: tuple[Floats, Floats]
) -> Callable[[Points], Points]:
    """Return a function that tells the nearest places (n, 3) of a surface to points (n, 3).

    It looks at the triangles within a ``box`` alone (its two corners); the nearest are looked up among
    samples that leave no place of them farther than about ``spacing`` mm from one.
    """
    corners = surface.vertices[surface.faces[faces_within(surface, box)]].astype(np.float64)
    triangles = _Triangles.of(corners)
    samples, owners = _triangle_samples(corners, spacing)
    tree = cKDTree(samples, balanced_tree=False, compact_nodes=False)
    count = min(AMONG, len(samples))

    def nearest(points: Points) -> Points:
        found = tree.query(points, k=count)[1].reshape(len(points), count)
        return np.asarray(points - triangles.ways(points, owners[found]))

    return nearest


def _insider(surface: Surface) -> Callable[[Points], npt.NDArray[np.bool_]]:
    """Return a function that tells which points (n, 3) lie inside a closed surface."""
    scene = scene_of(surface)
    normals = triangle_normals(surface.vertices, surface.faces)[0].astype(np.float32)
    ways = _directions(RAYS).astype(np.float32)
    out = np.vstack([np.einsum("mc,rc->mr", normals, ways) > 0.0, np.zeros((1, RAYS), dtype=bool)]).ravel()
    lower, upper = surface.vertices.min(axis=0), surface.vertices.max(axis=0)
    most = RAYS // 2 + 1

    def leaving(origins: Points, first: int, last: int) -> npt.NDArray[np.integer]:
        """Return how many (n,) of the rays from first to last meet a triangle from within first."""
        count = len(origins)
        met = scene.run(np.tile(origins, (last - first, 1)), np.repeat(ways[first:last], count, axis=0))
        rows = np.where(met >= 0, met, len(normals)) * RAYS  # what meets nothing leaves nothing
        result = np.zeros(count, dtype=np.intp)
        for ray, part in zip(range(first, last), rows.reshape(-1, count), strict=True):
            result += out[part + ray]
        return result

    def inside(points: Points) -> npt.NDArray[np.bool_]:
        origins = np.array(points, dtype=np.float32)
        result = np.zeros(len(origins), dtype=int)
        left = np.flatnonzero(((origins >= lower) & (origins <= upper)).all(axis=1))
        for first, last in ((0, most), (most, RAYS)) if len(left) else ():
            result[left] += leaving(origins[left], first, last)
            left = left[(result[left] > 0) & (result[left] < most)]  # for the others all tell the same
            if not len(left):
                break
        return result >= most

    return inside


def _directions(count: int) -> Points:
    """Return unit directions (count, 3) spread over the sphere; none lies along an axis."""
    height = 1 - (2 * np.arange(count) + 1) / count
    angle = np.pi * (3 - np.sqrt(5)) * np.arange(count) + 1.0
    radius = np.sqrt(1 - height * height)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), height], axis=1)


@dataclass(frozen=True, eq=False)
class _Triangles:
    """Triangles, of which each has a row: a corner, the two edges from there, and their products."""

    rows: Floats

    @classmethod
    def of(cls, corners: Floats) -> _Triangles:
        """Return triangles from their corners (m, 3, 3)."""
        a, ab, ac = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
        products = [np.einsum("mc,mc->m", *pair) for pair in ((ab, ab), (ac, ac), (ab, ac))]
        return cls(np.column_stack([a, ab, ac, *products]))

    def closest(self, points: Points, faces: Indices) -> tuple[Floats, npt.NDArray[np.bool_], Indices]:
        """Return how far the nearest of triangles (n, k) is, whether its inside is nearest, and which one."""
        ways, inner = self._ways(points[:, None], faces)
        rows = np.arange(len(points))
        squares = np.einsum("nkc,nkc->nk", ways, ways)
        best = squares.argmin(axis=1)
        return np.sqrt(squares[rows, best]), inner[rows, best], faces[rows, best]

    def ways(self, points: Points, faces: Indices) -> Points:
        """Return the ways (n, 3) to points from the nearest of triangles (n, k)."""
        ways, _ = self._ways(points[:, None], faces)
        best = np.einsum("nkc,nkc->nk", ways, ways).argmin(axis=1)
        return np.asarray(ways[np.arange(len(points)), best])

    def _ways(self, points: Points, faces: Indices) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Return the ways from triangles (n, k) to points, and whether they start within, not at the border.

        After Ericson, Real-Time Collision Detection, 5.1.5.
        """
        rows = self.rows[faces]
        ab, ac, ap = rows[..., 3:6], rows[..., 6:9], points - rows[..., :3]
        aa, cc, bc = rows[..., 9], rows[..., 10], rows[..., 11]
        d1, d2 = np.einsum("nkc,nkc->nk", ab, ap), np.einsum("nkc,nkc->nk", ac, ap)
        d3, d4, d5, d6 = d1 - aa, d2 - bc, d1 - bc, d2 - cc
        on_ab, on_ac, on_bc = d1 * d4 - d3 * d2, d5 * d2 - d1 * d6, d3 * d6 - d5 * d4
        to_c, to_b = d4 - d3, d5 - d6
        total = np.maximum(on_ab + on_ac + on_bc, 1e-30)
        v, w = on_ac / total, on_ab / total
        slide = to_c / np.maximum(to_c + to_b, 1e-30)
        cases: list[tuple[npt.NDArray[np.bool_], npt.ArrayLike, npt.ArrayLike]] = [
            ((on_ac <= 0) & (d2 >= 0) & (d6 <= 0), 0.0, d2 / np.maximum(cc, 1e-30)),
            ((on_bc <= 0) & (to_c >= 0) & (to_b >= 0), 1 - slide, slide),
            ((on_ab <= 0) & (d1 >= 0) & (d3 <= 0), d1 / np.maximum(aa, 1e-30), 0.0),
            ((d6 >= 0) & (d5 <= d6), 0.0, 1.0),
            ((d3 >= 0) & (d4 <= d3), 1.0, 0.0),
            ((d1 <= 0) & (d2 <= 0), 0.0, 0.0),
        ]
        border = np.zeros(v.shape, dtype=bool)
        for case, first, second in cases:  # the last case that holds tells
            np.copyto(v, first, where=case)
            np.copyto(w, second, where=case)
            border |= case
        return ap - v[..., None] * ab - w[..., None] * ac, ~border


def _neighbours(surface: Surface) -> Indices:
    """Return for each triangle the triangles (m, 3) beyond its edges.

    An edge that does not join exactly two triangles has the triangle itself beyond it.
    """
    faces = surface.faces
    ends = np.sort(np.stack([faces, np.roll(faces, -1, axis=1)], axis=2), axis=2).reshape(-1, 2)
    keys = ends[:, 0].astype(np.int64) * len(surface.vertices) + ends[:, 1]
    _, edge, count = np.unique(keys, return_inverse=True, return_counts=True)
    order = np.argsort(edge, kind="stable")
    pairs = order[count[edge[order]] == 2].reshape(-1, 2)
    beyond = np.repeat(np.arange(len(faces)), 3)
    beyond[pairs] = pairs[:, ::-1] // 3
    return beyond.reshape(-1, 3)


def _triangle_samples(corners: Floats, spacing: float) -> tuple[Points, npt.NDArray[np.integer]]:
    """Divide triangles (m, 3, 3) until none is larger than the spacing; return centres and owners."""
    edges = np.linalg.norm(corners - np.roll(corners, -1, axis=1), axis=2).max(axis=1)
    parts = np.clip(np.ceil(0.6 * edges / spacing), 1, 200).astype(int)
    samples, owners = [], []
    for count in np.unique(parts):
        chosen = np.flatnonzero(parts == count)
        i, j = (grid.ravel() for grid in np.meshgrid(np.arange(count), np.arange(count), indexing="ij"))
        upright = np.stack([i, j], axis=1)[i + j < count] + 1 / 3
        turned = np.stack([i, j], axis=1)[i + j < count - 1] + 2 / 3
        share = np.vstack([upright, turned]) / count
        weights = np.column_stack([1 - share.sum(axis=1), share])
        samples.append(np.einsum("sw,mwc->msc", weights, corners[chosen]).reshape(-1, 3))
        owners.append(np.repeat(chosen, len(weights)))
    return np.vstack(samples), np.concatenate(owners)


@dataclass(frozen=True, eq=False)
class DistanceGrid:
    """A distance field sampled on a regular grid; asking it is fast.

    ``values`` (nx, ny, nz) float32 mm at ``lower + index * step``. Points outside the grid get the
    value at its border plus their way to it.
    """

    lower: Floats
    step: float
    values: Floats

    @property
    def count(self) -> tuple[int, int, int]:
        """How many nodes there are along each axis."""
        nx, ny, nz = self.values.shape
        return nx, ny, nz

    def __call__(self, points: Points) -> Floats:
        """Return the distance (n,) in mm at points (n, 3), by trilinear interpolation."""
        index = np.ascontiguousarray(((np.asarray(points, dtype=np.float64) - self.lower) / self.step).T)
        return interpolated(self.values, index, np.array(self.values.shape) - 1.0, self.step)

    def within(self, points: Points, most: float) -> Floats:
        """Return the same distance, but ``most`` (mm) where it is more; faster where that is often so."""
        index = np.ascontiguousarray(((np.asarray(points, dtype=np.float64) - self.lower) / self.step).T)
        limit = np.array(self.values.shape) - 1.0
        x, y, z = np.clip(index, 0.0, limit[:, None]).astype(np.intp)
        near = np.flatnonzero(
            self._least.ravel()[(x * len(self.values[0]) + y) * len(self.values[0, 0]) + z] < most
        )
        result = np.full(index.shape[1], most)
        told = interpolated(self.values, np.ascontiguousarray(index[:, near]), limit, self.step)
        result[near] = np.minimum(told, most)
        return result

    @cached_property
    def _least(self) -> Floats:
        """The least value (nx, ny, nz) at the corners of the cell that begins at a node."""
        return ndimage.minimum_filter(self.values, size=2, origin=-1, mode="nearest")


def interpolated(values: Floats, index: Floats, limit: Floats, step: float) -> Floats:
    """Return a grid's values, a ``step`` (mm) apart, at indices (axes, n), by linear interpolation; (n,).

    Beyond the ``limit`` (axes,) of the indices, the way to there is added.
    """
    inside = np.minimum(np.maximum(index, 0.0), limit[:, None])
    result: Floats = ndimage.map_coordinates(values, inside, order=1, mode="nearest").astype(np.float64)
    beyond = np.flatnonzero((index != inside).any(axis=0))
    result[beyond] += np.linalg.norm((index[:, beyond] - inside[:, beyond]).T * step, axis=-1)
    return result


def sample_distance(
    distance: Callable[[Points], Floats],
    lower: npt.ArrayLike,
    upper: npt.ArrayLike,
    step: float,
    mirror: bool = False,
) -> DistanceGrid:
    """Sample a distance function on the grid that covers a box (mm).

    It is evaluated every ``4 * step``, then again every ``2 * step`` and ``step`` where the surface is
    near or the values bend (between two bones, in a canal); elsewhere values are interpolated. With
    ``mirror`` only x >= 0 is evaluated and reflected, and the grid is the same on both sides.
    """
    lower, upper = np.asarray(lower, dtype=np.float64), np.asarray(upper, dtype=np.float64)
    if mirror:
        reach = max(-lower[0], upper[0])
        right = sample_distance(distance, [-4 * step, *lower[1:]], [reach, *upper[1:]], step).values[4:]
        whole = np.concatenate([right[:0:-1], right])
        corner = [-step * (len(right) - 1), *lower[1:]]
        return DistanceGrid(frozen(corner, np.float64), step, frozen(whole, np.float32))
    counts = np.ceil((upper - lower) / step).astype(int) + 1
    coarse = -(-(counts - 1) // 4) + 1
    nodes = np.moveaxis(np.indices(tuple(coarse.tolist())), 0, -1).reshape(-1, 3)
    values = _asked(distance, lower + 4 * step * nodes).reshape(coarse)
    for stride in (4 * step, 2 * step):
        wanted = halved(crucial(values, stride).astype(np.float32)) > 0.0
        wanted[::2, ::2, ::2] = False
        values = halved(values)
        nodes = np.argwhere(wanted)
        values[wanted] = _asked(distance, lower + stride / 2 * nodes)
    nx, ny, nz = counts
    return DistanceGrid(frozen(lower, np.float64), step, frozen(values[:nx, :ny, :nz], np.float32))


def _asked(distance: Callable[[Points], Floats], points: Points) -> Floats:
    """Return a distance (n,) at points (n, 3), a chunk at a time to stay in the processor's cache."""
    parts = [distance(points[i : i + CHUNK]) for i in range(0, len(points), CHUNK)]
    return np.concatenate(parts).astype(np.float32) if parts else np.zeros(0, dtype=np.float32)


def crucial(values: Floats, stride: float) -> npt.NDArray[np.bool_]:
    """Tell at which nodes of a grid the surface is near or interpolation would err."""
    near = np.abs(values) < NEAR * stride
    bent = np.zeros(values.shape, dtype=bool)
    for axis in range(3):
        along, marks = np.moveaxis(values, axis, 0), np.moveaxis(bent, axis, 0)
        marks[1:-1] |= np.abs(along[2:] - 2 * along[1:-1] + along[:-2]) > BEND * stride
    return near | bent


def halved(values: Floats) -> Floats:
    """Put a node between every two of a grid, by linear interpolation along each axis."""
    for axis in range(3):
        old = np.moveaxis(values, axis, 0)
        new = np.empty((2 * len(old) - 1, *old.shape[1:]), dtype=np.float32)
        new[::2] = old
        new[1::2] = (old[:-1] + old[1:]) / 2
        values = np.moveaxis(new, 0, axis)
    return values


def whole(surface: Surface) -> Surface:
    """Return the greatest connected part of a surface: where solids give way, a splinter may be cut off."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(surface.vertices)
    edges = surface.faces[:, [0, 1, 1, 2]].reshape(-1, 2)
    links = coo_array((np.ones(len(edges), dtype=bool), tuple(edges.T)), shape=(count, count))
    parts, part = connected_components(links, directed=False)
    if parts == 1:
        return surface
    kept = part == np.bincount(part).argmax()
    faces = surface.faces[kept[surface.faces[:, 0]]]
    return Surface(surface.vertices[kept], (np.cumsum(kept) - 1)[faces])


def unpinched(surface: Surface) -> Surface:
    """Return a surface parted where it is pinched: where more than two triangles meet at an edge.

    Every vertex becomes as many as there are fans of triangles around it. What has no pinched edge comes back
    as it is; of paint and normals nothing is kept.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    faces = np.asarray(surface.faces, dtype=np.int64)
    starts, ends = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    corners = np.arange(faces.size)
    after = corners.reshape(faces.shape)[:, [1, 2, 0]].ravel()
    low, high = np.minimum(starts, ends), np.maximum(starts, ends)
    _, edge, count = np.unique(low * len(surface.vertices) + high, return_inverse=True, return_counts=True)
    if (count <= 2).all():
        return surface
    shared = np.flatnonzero(count[edge] == 2)
    first, second = shared[np.argsort(edge[shared], kind="stable")].reshape(-1, 2).T
    same = starts[first] == starts[second]
    pairs = np.concatenate(
        [
            np.stack([first, np.where(same, second, after[second])]),
            np.stack([after[first], np.where(same, after[second], second)]),
        ],
        axis=1,
    )
    links = coo_array((np.ones(pairs.shape[1], dtype=bool), tuple(pairs)), shape=(faces.size, faces.size))
    _, fan = connected_components(links, directed=False)
    _, place = np.unique(fan, return_index=True)
    return Surface(surface.vertices[starts[place]], fan.reshape(faces.shape))


def bake_occlusion(
    surface: Surface,
    others: Sequence[Surface] = (),
    rays: int = 48,
    reach: float = 40.0,
    where: npt.NDArray[np.bool_] | None = None,
) -> Surface:
    """Return the surface with ambient occlusion (n,) baked from itself and what stands around it.

    Each vertex sends ``rays`` cosine-weighted rays; what they meet within ``reach`` mm darkens it,
    the nearer the more. 1 is open sky, 0 fully enclosed. With ``where`` (n,) other vertices of a baked
    surface stay as they are.
    """
    scene = EmbreeScene()
    TriangleMesh(scene, np.array(surface.vertices), np.array(surface.faces))
    for item in others:
        faces = _faces_near(item, surface, reach)
        if len(faces):
            TriangleMesh(scene, np.array(item.vertices), faces)
    normals = vertex_normals(surface.vertices, surface.faces).astype(np.float32)
    helper = np.where(np.abs(normals[:, :1]) > 0.7, [[0, 1, 0]], [[1, 0, 0]]).astype(np.float32)
    first = np.cross(normals, helper)
    first /= np.maximum(np.linalg.norm(first, axis=1, keepdims=True), 1e-12)
    second = np.cross(normals, first)
    rows = np.arange(len(normals)) if where is None or surface.occlusion is None else np.flatnonzero(where)
    first, second, normals = first[rows], second[rows], normals[rows]
    origins = surface.vertices[rows] + np.float32(0.15) * normals
    light = np.zeros(len(rows), dtype=np.float32)
    turns = _cosine_rays(rays).astype(np.float32)
    at_once = max(CHUNK // max(len(rows), 1), 1)
    for some in (turns[start : start + at_once] for start in range(0, rays, at_once)):
        x, y, z = (some[:, axis, None, None] for axis in range(3))
        along = (x * first + y * second + z * normals).reshape(-1, 3)
        farthest = np.full(len(along), reach, dtype=np.float32)
        depth = scene.run(np.tile(origins, (len(some), 1)), along, farthest, query="DISTANCE")
        shares = np.sqrt(np.clip(depth, 0, reach) / np.float32(reach)).reshape(len(some), -1)
        for share in shares:
            light += share
    every = np.empty(len(surface.vertices)) if surface.occlusion is None else surface.occlusion.copy()
    every[rows] = light / rays
    return replace(surface, occlusion=every)


def _faces_near(other: Surface, surface: Surface, reach: float) -> npt.NDArray[np.int32]:
    """Return the faces of another surface that may lie within ``reach`` mm of a surface."""
    corners = other.vertices[other.faces]
    lower, upper = surface.vertices.min(axis=0) - reach, surface.vertices.max(axis=0) + reach
    near = ((corners.max(axis=1) >= lower) & (corners.min(axis=1) <= upper)).all(axis=1)
    return np.asarray(other.faces[near], dtype=np.int32)


def _cosine_rays(count: int) -> Points:
    """Return unit directions (count, 3) about +z, spread like a matt surface receives light."""
    turn = np.pi * (3 - np.sqrt(5))
    height = (np.arange(count) + 0.5) / count
    radius = np.sqrt(height)
    angle = turn * np.arange(count)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), np.sqrt(1 - height)], axis=1)
