"""How a bone's measures answer to its handles: found once, then bones are changed without measuring them.

`morph` brings measures to wanted values by measuring again and again. For the natural variation of a whole
column that takes too long, and being near is enough: here the answers are taken as linear and solved at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spineviz.anatomy.morphometry.caliper_parts import PARTS
from spineviz.anatomy.morphometry.calipers import Taken, taken
from spineviz.anatomy.morphometry.morph import Kind, P
from spineviz.anatomy.morphometry.moves import Shape, both_sides, flat, rebuilt
from spineviz.structure import Floats, Frame

NUDGE = 0.5
"""How far a handle is moved (mm or degrees) to see how measures answer."""

FAITHFUL = (0.4, 1.8)
"""A measure that answers to its own handle by less or more than so much a unit was not followed by the
caliper: it is taken to answer to its own handle alone, and in full."""

EASE = 0.3
"""How dearly a handle's way is paid for beside a missed change, so that none runs far for a little."""

FARTHEST = 1.5
"""No handle goes farther than so many times the change of its own measure, or of all in the mean."""

NARROWEST = 0.5
"""No half-width of a part becomes less than this share of what it was."""

WIDTHS = ("across", "along", "half_width", "half_depth", "half_thickness", "half_height", "bulb_thickness")


@dataclass(frozen=True, eq=False)
class Response:
    """``slopes`` (n, n): how each measure of ``names`` (row) changes with a unit of each handle (column)."""

    names: tuple[str, ...]
    slopes: Floats

    def ways(self, changes: Mapping[str, float]) -> dict[str, float]:
        """Return how far each handle goes for some changes of measures, the other measures staying.

        Changes of measures that are not among ``names`` are left out.
        """
        wanted = np.array([changes.get(name, 0.0) for name in self.names])
        a, count = self.slopes, len(wanted)
        way = np.linalg.solve(a.T @ a + EASE**2 * np.eye(count), (a.T + EASE**2 * np.eye(count)) @ wanted)
        reach = FARTHEST * np.maximum(np.abs(wanted), np.sqrt(np.mean(wanted**2)))
        return dict(zip(self.names, np.clip(way, -reach, reach).tolist(), strict=True))


def response(parameters: P, kind: Kind[Any], names: Sequence[str], marks: Mapping[str, Frame]) -> Response:
    """Return how some measures of a bone answer to their handles.

    ``marks`` are the bone's landmarks in its own frame. Parts that no caliper finds answer as their handles
    promise: in full, and to no other handle.
    """
    own = [name for name in names if name in kind.handles]
    one_side = {
        name.removesuffix(".right"): mark for name, mark in marks.items() if not name.endswith(".left")
    }
    midline = [name for name in one_side if name in marks]
    shape = Shape(flat(parameters.model_dump()), one_side)
    slopes: Floats = np.eye(len(own))
    try:
        slopes = _answers(parameters, kind, shape, midline, own, own)
    except ValueError:  # some part is not found; the others are
        for _, group in PARTS.values():
            only = [name for name in own if name in group]
            with contextlib.suppress(ValueError):
                rows = [own.index(name) for name in only]
                slopes[rows] = _answers(parameters, kind, shape, midline, own, only) if only else slopes[rows]
    for row, answer in enumerate(slopes):
        if not FAITHFUL[0] < answer[row] < FAITHFUL[1]:
            slopes[row] = np.eye(len(own))[row]
    return Response(tuple(own), np.clip(slopes, -1.5, 1.5))


def _answers(
    parameters: P,
    kind: Kind[Any],
    shape: Shape,
    midline: Sequence[str],
    own: Sequence[str],
    only: Sequence[str],
) -> Floats:
    """Return how some measures of one part (rows) answer to all handles (columns)."""

    def measured(moved: Shape, before: Taken | None = None) -> Taken:
        bone = kind.field(rebuilt(parameters, moved.values))
        return taken(bone, both_sides(moved.marks, midline), only, ("right",), before)

    here = measured(shape, measured(shape))
    there = [measured(pulled(shape, kind, {name: NUDGE}), here) for name in own]
    return np.array([[(moved.values[name] - here.values[name]) / NUDGE for moved in there] for name in only])


def finished(parameters: P, shape: Shape) -> P:
    """Return the parameters of a bone that was moved as a shape; ``parameters`` are those before."""
    before = flat(parameters.model_dump())
    kept = {
        path: np.sign(before[path]) * np.maximum(np.abs(value), NARROWEST * np.abs(before[path]))
        if path.rpartition(".")[2] in WIDTHS
        else value
        for path, value in shape.values.items()
    }
    return rebuilt(parameters, kept)


def pulled(shape: Shape, kind: Kind[Any], ways: Mapping[str, float]) -> Shape:
    """Return a shape with its handles moved by some ways (mm or degrees), landmarks carried along."""
    for name, way in ways.items():
        for move in kind.handles[name] if way else ():
            shape = move(shape, way)
    return shape
