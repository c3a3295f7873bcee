"""Structures as they stand at a moment of an operation, and how deep one stands in another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np

from spineviz.geometry import surface_distance, surface_points
from spineviz.model import Look, Model, Pane
from spineviz.structure import Floats, Points, Surface
from spineviz.timeline import Timeline


class Posed:
    """Structures of one model as they stand now; what has been posed once is remembered."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.surface = cache(self._surface)
        self.points = cache(self._points)
        self.distance = cache(self._distance)

    def _surface(self, name: str, look: Look) -> Surface:
        return self.model.posed(name, look)

    def _points(self, name: str, look: Look) -> Points:
        points = surface_points(self.surface(name, look), 0.8)
        _, chosen = np.unique(np.floor(points / 0.6), axis=0, return_index=True)
        return points[chosen]

    def _distance(self, name: str, look: Look) -> Callable[[Points], Floats]:
        return surface_distance(self.surface(name, look))

    def pressed(self, pane: Pane, first: str, second: str) -> float:
        """How deep (mm) two structures stand in each other now."""
        one, other = ((name, pane.looks[name]) for name in (first, second))
        return max(self.depth(one, other), self.depth(other, one))

    def depth(self, inner: tuple[str, Look], outer: tuple[str, Look]) -> float:
        """How deep (mm) the deepest point of one structure stands in another, 0 where none does."""
        points, around = self.points(*inner), self.surface(*outer).vertices
        near = points[((points > around.min(axis=0)) & (points < around.max(axis=0))).all(axis=1)]
        return max(-float(self.distance(*outer)(near).min()), 0.0) if len(near) else 0.0


def shown(pane: Pane, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if name in pane.looks and pane.looks[name].visible]


def moments(
    timeline: Timeline, track: int, phases: tuple[str, ...], count: int
) -> Iterator[tuple[float, Pane]]:
    """Panes of one approach, evenly over some phases."""
    for moment in timeline.tracks[track]:
        if moment.step.phase in phases:
            for share in (np.arange(count) + 0.5) / count:
                second = float(moment.start + share * (moment.end - moment.start))
                yield second, timeline.at(second).panes[track]
