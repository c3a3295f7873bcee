"""Where a plane meets a closed surface: the outlines of the cut face, its area, and what fills it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from manifold3d import CrossSection, FillRule, JoinType, triangulate
from scipy.spatial import cKDTree

from spineviz.structure import Floats, Frame, Points, Surface

Indices = npt.NDArray[np.integer]

ARC = 8
"""Corners of a full circle where an outline is moved about a corner."""

FINEST = 1e-3
"""Corners of an outline that lie nearer than this (mm) to the line between their neighbours are left out."""

LEAST = 1e-3
"""Regions with less area (mm²) are none."""


def plane(origin: npt.ArrayLike, normal: npt.ArrayLike) -> Frame:
    """Return the frame of a plane through ``origin`` (mm): z is its normal.

    y is what the plane knows of superior; of anterior, where the plane is nearly axial.
    """
    z = np.asarray(normal, dtype=np.float64)
    z = z / np.linalg.norm(z)
    upright = np.array([0.0, 0.0, 1.0] if abs(z[2]) < 0.8 else [0.0, 1.0, 0.0])
    x = np.cross(upright, z)
    x /= np.linalg.norm(x)
    return Frame(np.asarray(origin, dtype=np.float64), np.array([x, np.cross(z, x), z]))


@dataclass(frozen=True, eq=False)
class Section:
    """The cut face of something in a plane.

    ``frame`` is the plane's frame in the world. ``region`` is the face in the frame's x and y, mm.
    """

    frame: Frame
    region: CrossSection

    def __bool__(self) -> bool:
        """Whether the plane meets the surface."""
        return self.area > LEAST

    @property
    def area(self) -> float:
        """The area in mm²; holes do not count."""
        return float(self.region.area())

    @property
    def breadth(self) -> float:
        """How broad the face is across its length, mm: so broad is a strip of its area and its border."""
        borders = [np.linalg.norm(np.roll(line, -1, axis=0) - line, axis=1).sum() for line in self.outlines]
        return 2.0 * self.area / max(float(np.sum(borders)), FINEST)

    @cached_property
    def outlines(self) -> tuple[Points, ...]:
        """The outlines (k, 2) in mm in the plane: the face lies to the left of each."""
        return tuple(np.asarray(outline) for outline in self.region.to_polygons())

    def within(self, margin: float) -> Section:
        """Return what lies ``margin`` mm or more inside the outlines; with less than 0, around them."""
        return self._with(self.region.offset(-margin, JoinType.Round, 2.0, ARC))

    def without(self, other: Section) -> Section:
        """Return the face without another in the same plane."""
        return self._with(self.region - other.region)

    def shared(self, other: Section) -> Section:
        """Return what the face and another in the same plane have in common."""
        return self._with(self.region ^ other.region)

    def filled(self) -> Section:
        """Return the face without holes; several pieces become one, by what lies between them."""
        pieces = [outline for outline in self.outlines if turn(outline) > 0]
        region = CrossSection(pieces, FillRule.Positive) if pieces else CrossSection()
        return self._with(region if len(pieces) == 1 else region.hull())

    def triangles(self) -> tuple[Points, Indices]:
        """Return vertices (n, 3) in the world, mm, and faces (m, 3), turned to the plane's normal."""
        if not self:
            return np.zeros((0, 3)), np.zeros((0, 3), dtype=int)
        flat = np.vstack(self.outlines)
        faces = np.asarray(triangulate(list(self.outlines)), dtype=int)
        return self.world(flat), faces

    def world(self, flat: Points) -> Points:
        """Return points (n, 2) of the plane in the world (n, 3), mm."""
        return self.frame.to_parent(np.column_stack([flat, np.zeros(len(flat))]))

    def contains(self, flat: Points) -> npt.NDArray[np.bool_]:
        """Tell which points (n, 2) of the plane lie on the face."""
        inside = np.zeros(len(flat), dtype=bool)
        for outline in self.outlines:
            ends = np.roll(outline, -1, axis=0)
            between = (outline[None, :, 1] > flat[:, None, 1]) != (ends[None, :, 1] > flat[:, None, 1])
            rise = np.where(ends[:, 1] == outline[:, 1], 1.0, ends[:, 1] - outline[:, 1])
            share = (flat[:, None, 1] - outline[None, :, 1]) / rise
            beyond = flat[:, None, 0] < outline[:, 0] + share * (ends[:, 0] - outline[:, 0])
            inside ^= (np.count_nonzero(between & beyond, axis=1) % 2).astype(bool)
        return inside

    def places(self, spacing: float = 1.0) -> tuple[Points, Floats]:
        """Return points (n, 3) on the face, in the world, and how far (n,) mm each is from its border.

        There is always one where there is a face: at least the middle of a triangle.
        """
        if not self:
            return np.zeros((0, 3)), np.zeros(0)
        corners = np.vstack(self.outlines)
        lower, upper = corners.min(axis=0), corners.max(axis=0)
        grid = np.meshgrid(
            *(np.arange(a + spacing / 2, b, spacing) for a, b in zip(lower, upper, strict=True))
        )
        flat = np.column_stack([part.ravel() for part in grid])
        flat = flat[self.contains(flat)]
        if not len(flat):
            flat = corners[np.asarray(triangulate(list(self.outlines)), dtype=int)].mean(axis=1)
        ways, _ = cKDTree(np.vstack([_dense(outline, spacing / 2) for outline in self.outlines])).query(flat)
        return self.world(flat), ways

    def _with(self, region: CrossSection) -> Section:
        return Section(self.frame, region)


def section(surface: Surface, frame: Frame) -> Section:
    """Return the cut face of a closed surface in a plane, given by its frame.

    An outline that does not close, because the surface has a hole there, bounds no face.
    """
    local = frame.to_local(surface.vertices)
    chains = [chain for chain in _outlines(local, surface.faces) if len(chain) > 2]
    if not chains:
        return Section(frame, CrossSection())
    return Section(frame, CrossSection(chains, FillRule.Positive).simplify(FINEST))


def union(sections: Sequence[Section], frame: Frame) -> Section:
    """Return what any of some faces in the same plane covers."""
    result = CrossSection()
    for item in sections:
        result += item.region
    return Section(frame, result)


def meets(surface: Surface, frame: Frame) -> bool:
    """Tell whether a plane passes through the box around a surface."""
    lower, upper = surface.vertices.min(axis=0), surface.vertices.max(axis=0)
    reach = np.abs(frame.axes[2]) @ (upper - lower) / 2
    return bool(abs(frame.axes[2] @ ((lower + upper) / 2 - frame.origin)) <= reach)


def _outlines(local: Points, faces: Indices) -> Iterator[Points]:
    """Give the closed lines (k, 2) in which triangles pass z = 0, the inside to the left."""
    above = local[:, 2] > 0
    beyond = above[faces]
    count = beyond.sum(axis=1)
    crossing = (count == 1) | (count == 2)
    corners, beyond, single = faces[crossing], beyond[crossing], count[crossing] == 1
    lone = np.argmax(beyond == single[:, None], axis=1)
    rows = np.arange(len(corners))
    apex, second, third = (corners[rows, (lone + step) % 3] for step in range(3))
    first = np.where(single, second, third)
    last = np.where(single, third, second)
    number = len(local)
    begin = np.minimum(apex, first).astype(np.int64) * number + np.maximum(apex, first)
    end = np.minimum(apex, last).astype(np.int64) * number + np.maximum(apex, last)
    edges, ids = np.unique(np.concatenate([begin, end]), return_inverse=True)
    points = _crossings(local, edges // number, edges % number)
    yield from (points[chain] for chain in _closed_chains(ids[: len(begin)], ids[len(begin) :]))


def _crossings(local: Points, first: Indices, last: Indices) -> Points:
    """Return where edges pass z = 0, (n, 2)."""
    start, way = local[first], local[last] - local[first]
    return start[:, :2] - way[:, :2] * (start[:, 2] / way[:, 2])[:, None]


def _closed_chains(begin: Indices, end: Indices) -> Iterator[Indices]:
    """Give the points, by number, of the closed chains that links from point to point make."""
    following: dict[int, list[int]] = {}
    for start, stop in zip(begin.tolist(), end.tolist(), strict=True):
        following.setdefault(start, []).append(stop)
    while following:
        first = point = next(iter(following))
        chain = []
        while point in following:
            stops = following[point]
            chain.append(point)
            point = stops.pop()
            if not stops:
                del following[chain[-1]]
            if point == first:
                yield np.array(chain)
                break


def turn(outline: Points) -> float:
    """Return the area (mm²) that a closed outline goes around, negative where it runs clockwise."""
    x, y = outline.T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def _dense(outline: Points, spacing: float) -> Points:
    """Return points (n, 2) along a closed outline, at most ``spacing`` mm apart."""
    ends = np.roll(outline, -1, axis=0)
    parts = np.maximum(np.ceil(np.linalg.norm(ends - outline, axis=1) / spacing), 1).astype(int)
    owner = np.repeat(np.arange(len(outline)), parts)
    share = (np.arange(parts.sum()) - np.repeat(np.cumsum(parts) - parts, parts)) / parts[owner]
    return outline[owner] + share[:, None] * (ends - outline)[owner]
