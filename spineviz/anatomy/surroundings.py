"""What thin structures are laid on and kept clear of: bones, discs, whatever was made before them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
from embreex.rtcore_scene import EmbreeScene
from scipy.spatial import cKDTree

from spineviz.anatomy.bone import LevelBone, SurfaceDistance
from spineviz.anatomy.net import Net, pushed, slab
from spineviz.geometry import scene_of, surface_distance
from spineviz.structure import Floats, Points, Surface
from spineviz.terms import Disc, Level

CAUGHT = 0.12
"""What stands into a sheet by more than this (mm) makes the sheet give way."""

SEAM = 0.06
"""Sheets end this far (mm) from bone, so that the two surfaces do not flicker."""

SAME = 1e-3
"""Places that differ by less than this (mm) are the same."""

FAR = 6.0
"""Farther from a thing than this (mm) its distance is not asked."""

TOUCHED = 1e-6
"""The way (mm) to a box within which a place counts as in it."""


@dataclass(frozen=True, eq=False)
class Thing:
    """One closed surface in the world, asked by rays and for its distance."""

    surface: Surface
    exact: SurfaceDistance

    @cached_property
    def box(self) -> tuple[Floats, Floats]:
        """The corners of the box around it."""
        return self.surface.vertices.min(axis=0), self.surface.vertices.max(axis=0)

    @cached_property
    def scene(self) -> EmbreeScene:
        """The surface as rays meet it."""
        return scene_of(self.surface)


@lru_cache(maxsize=64)
def thing(surface: Surface) -> Thing:
    """Return a surface as a thing, remembered: bodies that differ in one disc share all others."""
    return Thing(surface, SurfaceDistance(surface))


@dataclass(frozen=True, eq=False)
class Surroundings:
    """Some things together; farther than ``far`` mm from a thing its distance is not asked."""

    things: tuple[Thing, ...]
    far: float = FAR

    def distance(self, points: Points) -> Floats:
        """Return the signed distance (mm, negative inside) to the nearest thing, at most ``far``; (n,).

        A thing is asked only for points whose way to its box is shorter than that to the things before it.
        """
        points = np.asarray(points, dtype=np.float64)
        result = np.full(len(points), self.far)
        for thing in self._beside(points, points, self.far):
            lower, upper = thing.box
            ways = np.maximum(np.maximum(lower - points, points - upper), 0.0)
            near = np.flatnonzero(np.einsum("nc,nc->n", ways, ways) < np.square(np.maximum(result, TOUCHED)))
            if len(near):
                told = thing.exact.within(points[near], np.maximum(result[near], TOUCHED))
                result[near] = np.minimum(result[near], told)
        return result

    @cached_property
    def _boxes(self) -> tuple[Floats, Floats]:
        """The corners of the boxes around the things, (k, 3) each."""
        both = np.array([thing.box for thing in self.things], dtype=np.float64).reshape(-1, 2, 3)
        return both[:, 0], both[:, 1]

    def _beside(self, low: Points, high: Points, margin: float) -> list[Thing]:
        """Return the things whose boxes come within a margin (mm) of the box from some corners to others."""
        lower, upper = self._boxes
        least, most = low.min(axis=0, initial=np.inf), high.max(axis=0, initial=-np.inf)
        beside = ((most > lower - margin) & (least < upper + margin)).all(axis=1)
        return [self.things[row] for row in np.flatnonzero(beside)]

    def ahead(self, points: Points, directions: Points, reach: float) -> Floats:
        """Return how far (n,) mm rays go before they meet a thing; infinity where they meet none in reach."""
        points, directions = (np.array(a, dtype=np.float32) for a in np.broadcast_arrays(points, directions))
        result = np.full(len(points), np.inf)
        ends = points + np.float32(reach) * directions
        low, high = np.minimum(points, ends), np.maximum(points, ends)
        for thing in self._beside(low, high, 0.0):
            lower, upper = thing.box
            near = np.flatnonzero(((high > lower) & (low < upper)).all(axis=1))
            if len(near):
                limit = np.full(len(near), reach, dtype=np.float32)
                met = thing.scene.run(points[near], directions[near], limit, query="DISTANCE")
                result[near] = np.minimum(result[near], np.where(met < reach, met, np.inf))
        return result

    def points_near(self, points: Points, margin: float) -> Points:
        """Return the things' vertices (k, 3) that lie within a margin (mm) of some points."""
        tree, found = cKDTree(points), [np.zeros((0, 3))]
        low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
        for thing in self._beside(points, points, margin):
            vertices = thing.surface.vertices.astype(np.float64)
            vertices = vertices[((vertices > low) & (vertices < high)).all(axis=1)]
            if len(vertices):
                found.append(vertices[tree.query(vertices, distance_upper_bound=margin)[0] < margin])
        return np.vstack(found)

    def among(self, points: Points, margin: float = FAR) -> Surroundings:
        """Return the things whose boxes come within a margin (mm) of the box around some points."""
        return Surroundings(tuple(self._beside(points, points, margin)), self.far)

    def reaching(self, far: float) -> Surroundings:
        """Return the same things, asked for their distance within ``far`` mm."""
        return Surroundings(self.things, far)

    def and_also(self, surfaces: Iterable[Surface]) -> Surroundings:
        """Return these things and some more."""
        return Surroundings((*self.things, *map(thing, surfaces)), self.far)


@dataclass(frozen=True, eq=False)
class Spine:
    """Bones and discs as soft tissue beside them sees them."""

    bones: Mapping[Level, LevelBone]
    discs: Mapping[Disc, Surface]
    things: dict[str, Thing] = field(default_factory=dict)

    def of(self, *names: str) -> Surroundings:
        """Return some bones and discs, by level and by disc; those that are not there are left out."""
        return Surroundings(tuple(self._thing(name) for name in names if self._has(name)))

    @property
    def skeleton(self) -> Surroundings:
        """Every bone."""
        return self.of(*self.bones)

    @property
    def column(self) -> Surroundings:
        """Every bone and every disc."""
        return self.of(*self.bones, *self.discs)

    def symmetric(self, *levels: Level) -> bool:
        """Tell whether some bones are the same on both sides of x = 0."""
        return all(self._symmetric(self.bones[level]) for level in levels if level in self.bones)

    @staticmethod
    def _symmetric(bone: LevelBone) -> bool:
        marks = bone.landmarks
        mirror = np.array([-1.0, 1.0, 1.0])
        pairs = [(name, f"{name[:-5]}.right") for name in marks if name.endswith(".left")]
        ends = bone.surface.vertices[:, 0]
        return abs(float(ends.min() + ends.max())) < SAME and all(
            np.abs(marks[left].origin * mirror - marks[right].origin).max() < SAME for left, right in pairs
        )

    def _has(self, name: str) -> bool:
        return name in self.bones or name in self.discs

    def _thing(self, name: str) -> Thing:
        if name not in self.things:
            bone = next((bone for level, bone in self.bones.items() if level == name), None)
            if bone is None:
                self.things[name] = thing(next(item for disc, item in self.discs.items() if disc == name))
            elif isinstance(bone.exact, SurfaceDistance):
                self.things[name] = Thing(bone.surface, bone.exact)
            else:
                self.things[name] = thing(bone.surface)
        return self.things[name]


def freed(
    inner: Net,
    outer: Net,
    around: Surroundings,
    thinnest: float,
    build: Callable[[Net, Net], Surface] = slab,
    rounds: int = 5,
) -> tuple[Net, Net]:
    """Return the two sides of a sheet with its inner side moved off whatever stands out into the sheet.

    A net's vertices may all lie off a bone while an edge of the bone passes through between them. The sheet
    stays ``thinnest`` mm thick or more: where it has to, its outer side moves too.
    """
    points = around.points_near(np.vstack([inner.reshape(-1, 3), outer.reshape(-1, 3)]), 2.0)
    reach = 0.6 * float(np.median(np.linalg.norm(np.diff(inner, axis=0), axis=2))) + 0.5
    best, least = (inner, outer), np.inf
    for _ in range(rounds if len(points) else 0):
        depth = -surface_distance(build(inner, outer), 0.6)(points)
        caught = depth > CAUGHT
        excess = float(depth[caught].sum())
        if excess < least:
            best, least = (inner, outer), excess
        if not caught.any():
            break
        tree, lift = cKDTree(inner.reshape(-1, 3)), np.zeros(inner.size // 3)
        for point, height in zip(points[caught], depth[caught], strict=True):
            near = tree.query_ball_point(point, reach + height)
            lift[near] = np.maximum(lift[near], height + 0.05)
        way = outer - inner
        thickness = np.linalg.norm(way, axis=2, keepdims=True)
        way = way / np.maximum(thickness, 1e-6)
        inner = pushed(inner + lift.reshape(*inner.shape[:2], 1) * way, around.distance, SEAM)
        rest = np.einsum("nmk,nmk->nm", outer - inner, way)[..., None]
        outer = pushed(outer + np.maximum(thinnest - rest, 0.0) * way, around.distance, 2 * SEAM)
    return best
