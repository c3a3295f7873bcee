"""The bone that tools keep off: what stands near a site, and what a window leaves of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol

import numpy as np

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.recipe import Body
from spineviz.anatomy.surroundings import thing
from spineviz.geometry import DistanceGrid
from spineviz.structure import Floats, Points, frozen
from spineviz.surgery.site import Site
from spineviz.terms import LEVELS, Level, levels_of

BESIDE = 1.2
"""Nearer to bone than this (mm) distances are measured from the surface that is shown."""

LOWEST, BROAD, CELL = 26.0, 22.0, 1.0
"""How far below the docking point and how far across the chart of what is near goes, and its spacing, mm."""


@dataclass(frozen=True, eq=False)
class NearBone:
    """The bones near a site before any is taken."""

    site: Site
    body: Body

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """The levels whose bone a tool may meet: that of the lamina and those beside it."""
        over = LEVELS[max(LEVELS.index(self.site.lamina) - 1, 0)]
        return tuple(level for level in (over, *levels_of(self.site.disc)) if level in self.body.bones)

    @cached_property
    def surfaces(self) -> Mapping[Level, Callable[[Points], Floats]]:
        """The distance (mm) in the world from the surfaces that are shown of these bones."""
        return {level: thing(self.body.structures[level].surface).exact for level in self.levels}

    @cached_property
    def nodes(self) -> Points:
        """The nodes (nx, ny, nz, 3) in the world of the chart of what is near."""
        return _nodes(self.site)

    @cached_property
    def charted(self) -> Mapping[Level, Floats]:
        """The distance (nx, ny, nz) in mm of the nodes from each bone."""
        return {level: _charted(self.site, self.body.bones[level]) for level in self.levels}


@lru_cache(maxsize=2)
def _nodes(site: Site) -> Points:
    """Return the nodes (nx, ny, nz, 3) in the world of the chart of what is near a site."""
    lower, upper = site.box(-LOWEST, site.depth, BROAD)
    counts = np.ceil((upper - lower) / CELL).astype(int) + 1
    return frozen(lower + CELL * np.moveaxis(np.indices(tuple(counts.tolist())), 0, -1), np.float64)


@lru_cache(maxsize=8)
def _charted(site: Site, bone: LevelBone) -> Floats:
    """Return the distance (nx, ny, nz) in mm of the nodes near a site from a bone, remembered for a while."""
    nodes = _nodes(site)
    return frozen(bone.grid(nodes.reshape(-1, 3)).reshape(nodes.shape[:3]), np.float64)


class Cutout(Protocol):
    """What is cut out of a bone: a window, or several."""

    def field(self, points: Points) -> Floats:
        """Return the signed distance (n,) in mm of world points to what is cut out."""

    def curve(self) -> Floats:
        """Return places (n, 2) in the site's frame around the middle of the opening, mm."""


@dataclass(frozen=True, eq=False)
class BoneLeft:
    """The bone near a site of which a window has been taken (none before the laminotomy)."""

    near: NearBone
    window: Cutout | None

    @cached_property
    def chart(self) -> DistanceGrid:
        """The distance (mm) in the world from the bone, on one grid."""
        charted, nodes = dict(self.near.charted), self.near.nodes
        lamina = self.near.site.lamina
        if self.window is not None and lamina in charted:
            block = self.window.field(nodes.reshape(-1, 3)).reshape(nodes.shape[:3])
            charted[lamina] = np.maximum(charted[lamina], -block)
        values = np.min(list(charted.values()), axis=0)
        return DistanceGrid(nodes[0, 0, 0], CELL, frozen(values, np.float32))

    def shown(self, points: Points) -> Floats:
        """Return the distance (n,) in mm of world points from the surfaces that are shown."""
        result = np.full(len(points), np.inf)
        for level in self.near.levels:
            distance = np.array(self.near.body.bones[level].grid(points))
            near = np.flatnonzero(distance < BESIDE)
            if len(near):
                distance[near] = self.near.surfaces[level](points[near])
            if self.window is not None and level == self.near.site.lamina:
                distance = np.maximum(distance, -self.window.field(points))
            result = np.minimum(result, distance)
        return result
