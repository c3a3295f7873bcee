"""Soft tissue that follows its bones: every point goes where the bones near it go.

A point on a bone moves with it; between bones the nearer one counts for more, so what lies between two bones
that come together is pressed flat, and nothing tears or leaves what it lies in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from spineviz.structure import Floats, Frame, Points, Surface

Movement = Callable[[Points], Points]
"""A map of places in the world, (n, 3) -> (n, 3), mm."""

TOUCHING, LEAST = 0.4, 0.05
"""Within this way (mm) of a bone's samples tissue touches it; so near counts as no less than the other."""

KEEN, BETWEEN = 1.5, 1.0
"""The weight of a bone falls with this power of its distance; with the second between two bones of a disc."""

REACH = 35.0
"""Bones that lie this much farther away (mm) than the nearest one have no say."""

FAR = 90.0
"""Bones are looked for within this many mm."""

EVEN = 3.0
"""The ways of a tube's places are evened out over this length, mm."""

THICKER = 1.35
"""A tube that becomes shorter becomes no more times thicker than this."""

SPARSE, NEAR = 16, 12.0
"""Of so many samples of a bone one is asked from afar; within so many mm, all are."""


@dataclass(frozen=True, eq=False)
class Rigid:
    """A rigid movement in the world, by its 4 x 4 matrix."""

    matrix: Floats

    def __call__(self, points: Points) -> Points:
        """Return where points (n, 3) go."""
        return np.asarray(points, dtype=np.float64) @ self.matrix[:3, :3].T + self.matrix[:3, 3]


@dataclass(frozen=True, eq=False)
class Carrier:
    """A bone, or a part of one, as it stood: its name, samples (k, 3) of its surface, and where it goes."""

    name: str
    samples: Points
    movement: Movement

    @cached_property
    def _trees(self) -> tuple[cKDTree, cKDTree]:
        return cKDTree(self.samples[::SPARSE]), cKDTree(self.samples)

    def away(self, points: Points) -> Floats:
        """Return how far (n,) points are from the bone, mm; FAR for all that are farther."""
        sparse, dense = self._trees
        result: Floats = np.minimum(sparse.query(points, distance_upper_bound=FAR)[0], FAR)
        near = np.flatnonzero(result < NEAR)
        result[near] = np.minimum(result[near], dense.query(points[near], distance_upper_bound=NEAR)[0])
        return result

    def __getstate__(self) -> dict[str, object]:
        """Keep what it was made of alone."""
        return {"name": self.name, "samples": self.samples, "movement": self.movement}


def carried(points: Points, stages: Sequence[Sequence[Carrier]], keen: float = KEEN) -> Points:
    """Return where points (n, 3) go with the bones near them, stage by stage.

    Where bones go far past each other one stage would fold what lies between them; small ones never do.
    """
    places: Points = np.asarray(points, dtype=np.float64)
    for carriers in stages:
        places = _carried_once(places, carriers, keen)
    return places


def _carried_once(places: Points, carriers: Sequence[Carrier], keen: float) -> Points:
    if len(carriers) == 1:
        return carriers[0].movement(places)
    weights = _weights(places, carriers, keen)
    result = np.zeros_like(places)
    for index, carrier in enumerate(carriers):
        rows = np.flatnonzero(weights[:, index] > 0.0)
        result[rows] += weights[rows, index, None] * carrier.movement(places[rows])
    return result


def evened(surface: Surface, goals: Points) -> Points:
    """Return where the vertices (n, 3) of a tube go, when its sections keep their shape and it its volume.

    ``goals`` is where each would go alone. The ways are evened out around the tube, and a little along it:
    so its line moves. Its sections turn with the line; where it becomes shorter it becomes thicker, as far
    as `THICKER` lets it.
    """
    points = surface.vertices.astype(np.float64)
    along = _along(points, surface.faces)
    places, ways = np.sort(along), (goals - points)[np.argsort(along)]
    sorted_points = points[np.argsort(along)]
    stations = np.linspace(places[0], places[-1], max(int((places[-1] - places[0]) / (EVEN / 4)), 2))
    weights = np.exp(-(((stations[:, None] - places) / EVEN) ** 2))
    weights /= weights.sum(axis=1, keepdims=True)
    before = weights @ sorted_points
    after = before + weights @ ways

    def at(table: Floats) -> Floats:
        return np.stack([np.interp(along, stations, table[:, axis]) for axis in range(3)], axis=1)

    old, new = np.gradient(before, axis=0), np.gradient(after, axis=0)
    lengths = [np.maximum(np.linalg.norm(line, axis=1), 1e-6) for line in (old, new)]
    thicker = np.clip(np.sqrt(lengths[0] / lengths[1]), 1.0 / THICKER, THICKER)
    scale = np.interp(along, stations, np.convolve(np.pad(thicker, 2, mode="edge"), np.full(5, 0.2), "valid"))
    start, end = (_unit(at(line / length[:, None])) for line, length in zip((old, new), lengths, strict=True))
    offset = points - at(before)
    level = np.einsum("nk,nk->n", offset, start)[:, None]
    across = _turned(offset - level * start, start, end)
    result: Points = at(after) + scale[:, None] * across + level * end
    return result


def swayed(surface: Surface, ways: Points) -> Points:
    """Return ways (n, 3) of a tube's vertices evened out around it: each of its sections goes as one."""
    points = surface.vertices.astype(np.float64)
    along = _along(points, surface.faces)
    order = np.argsort(along)
    places = along[order]
    stations = np.linspace(places[0], places[-1], max(int((places[-1] - places[0]) / (EVEN / 4)), 2))
    weights = np.exp(-(((stations[:, None] - places) / EVEN) ** 2))
    means = weights @ ways[order] / weights.sum(axis=1, keepdims=True)
    result: Points = np.stack([np.interp(along, stations, means[:, axis]) for axis in range(3)], axis=1)
    return result


def _unit(vectors: Floats) -> Floats:
    result: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return result


def _turned(vectors: Floats, start: Floats, end: Floats) -> Floats:
    """Return vectors (n, 3) turned as unit vectors ``start`` turn to ``end`` by the shortest way."""
    axis = np.cross(start, end)
    cosine = np.einsum("nk,nk->n", start, end)[:, None]
    share = np.einsum("nk,nk->n", axis, vectors)[:, None] / np.maximum(1.0 + cosine, 1e-3)
    result: Floats = cosine * vectors + np.cross(axis, vectors) + share * axis
    return result


def _along(points: Points, faces: npt.NDArray[np.integer]) -> Floats:
    """Return how far (n,) mm along a tube each of its vertices lies, by the ways over its surface."""
    edges = np.unique(np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0)
    lengths = np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)
    links = coo_array((lengths, tuple(edges.T)), shape=(len(points), len(points))).tocsr()

    def ways(start: int) -> Floats:
        found: Floats = dijkstra(links, directed=False, indices=start)
        return np.where(np.isfinite(found), found, 0.0)

    end = int(ways(int(ways(0).argmax())).argmax())
    return ways(end)


def _weights(points: Points, carriers: Sequence[Carrier], keen: float) -> Floats:
    """Return how much (n, k) each bone counts at points; rows sum to 1."""
    away = np.stack([carrier.away(points) for carrier in carriers], axis=1)
    near = np.maximum(away - TOUCHING, LEAST)
    rank = np.clip(1.0 - (away - away.min(axis=1, keepdims=True)) / REACH, 0.0, 1.0)
    weights = rank**2 / near**keen
    result: Floats = weights / weights.sum(axis=1, keepdims=True)
    return result


def carried_frame(frame: Frame, movement: Movement, step: float = 1.0) -> Frame:
    """Return a frame where a movement takes it: z stays normal to where x and y go."""
    origin, right, ahead = movement(np.stack([frame.origin, *(frame.origin + step * frame.axes[:2])]))
    x, y = right - origin, ahead - origin
    z = np.cross(x, y)
    z = z / np.linalg.norm(z)
    y = y - (y @ z) * z
    y = y / np.linalg.norm(y)
    return replace(frame, origin=origin, axes=np.stack([np.cross(y, z), y, z]))
