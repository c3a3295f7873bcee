"""Labels in two columns beside the anatomy, laid out once as plain data for every output."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from spineviz.structure import Floats

Column = Literal["left", "right"]

WIDEST = 0.24
"""The share of a pane's width that one column of words may take."""

LINES = 3
"""A label has no more lines than this."""


@dataclass(frozen=True)
class Spot:
    """A label before it has a place: its words and the pixel (x, y) it points to; y runs down.

    ``hidden`` tells that something stands before what it points to.
    """

    words: str
    anchor: tuple[float, float]
    strong: bool = False
    hidden: bool = False


@dataclass(frozen=True)
class Lettering:
    """Measures of the letters, in pixels.

    ``width`` tells how long a line of words is, ``line`` how far lines stand apart, ``margin`` how far
    words keep from the picture's border, from each other and from the field of the anatomy. ``widest`` is
    the share of a pane's width that one column may take.
    """

    width: Callable[[str], float]
    line: float
    margin: float
    widest: float = WIDEST


@dataclass(frozen=True)
class PlacedLabel:
    """A label with its place: lines of words in a box, and a leader from ``port`` to ``anchor``.

    ``box`` is (left, top, right, bottom) in pixels. Words are set against the box's inner side, the one
    that ``port`` touches.
    """

    lines: tuple[str, ...]
    box: tuple[float, float, float, float]
    column: Column
    port: tuple[float, float]
    anchor: tuple[float, float]
    strong: bool
    hidden: bool


def layout(
    spots: Sequence[Spot], size: tuple[float, float], lettering: Lettering, left_only: bool = False
) -> tuple[PlacedLabel, ...]:
    """Place labels in two columns of a picture of ``size`` (width, height) pixels.

    Words never overlap, leaders never cross or run through words, and all stays in the picture. A
    label that points outside the field between the columns is left out; where a column is too short
    for all, strong labels stay and of the others the first ones. With ``left_only`` the left column is
    filled before the right one is begun.
    """
    width, height = size
    margin = lettering.margin
    longest = lettering.widest * width
    blocks = [wrapped(spot.words, longest, lettering.width, most=LINES) for spot in spots]
    column = max((lettering.width(line) for lines in blocks for line in lines), default=0.0)
    ports = (margin + column, width - margin - column)
    pitch = max((len(lines) for lines in blocks), default=1) * lettering.line + margin / 2
    room = int((height - 1.5 * margin) // pitch)
    inside = [
        index
        for index, spot in enumerate(spots)
        if ports[0] + margin <= spot.anchor[0] <= ports[1] - margin and 0 <= spot.anchor[1] <= height
    ]
    kept = sorted(sorted(inside, key=lambda index: not spots[index].strong)[: 2 * room])
    ordered = sorted(kept, key=lambda index: spots[index].anchor[0])
    across = [spots[index].anchor[0] for index in ordered]
    split = min(len(across), room) if left_only else _split(across, width / 2, room)
    placed: list[PlacedLabel] = []
    columns: tuple[tuple[Column, float, list[int]], ...] = (
        ("left", ports[0], ordered[:split]),
        ("right", ports[1], ordered[split:]),
    )
    for side, port, members in columns:
        anchors = np.round([spots[index].anchor for index in members], 1).reshape(-1, 2)
        heights = _spread(np.sort(anchors[:, 1]), pitch, margin + pitch / 2, height - margin - pitch / 2)
        for index, middle in zip(members, heights[_uncrossed(anchors, port, heights)], strict=True):
            placed.append(_placed(spots[index], blocks[index], side, (port, float(middle)), lettering))
    return tuple(placed)


def _placed(
    spot: Spot, lines: tuple[str, ...], column: Column, port: tuple[float, float], lettering: Lettering
) -> PlacedLabel:
    span = max(lettering.width(line) for line in lines)
    half = len(lines) * lettering.line / 2
    inner = lettering.margin / 4
    left = port[0] - span - inner if column == "left" else port[0] + inner
    box = (left, port[1] - half, left + span, port[1] + half)
    return PlacedLabel(lines, box, column, port, spot.anchor, spot.strong, spot.hidden)


def wrapped(words: str, longest: float, width: Callable[[str], float], most: int = 2) -> tuple[str, ...]:
    """Break words into the fewest lines, as even as can be, of which none is longer than ``longest``.

    Where ``most`` lines are too few, what is too long is cut.
    """
    parts = words.split()
    if not parts:
        return ("",)
    lines: tuple[str, ...] = ()
    for count in range(1, min(most, len(parts)) + 1):
        lines = min(_broken(parts, count), key=lambda found: max(map(width, found)))
        if max(map(width, lines)) <= longest:
            break
    return tuple(_shortened(line, longest, width) for line in lines)


def _broken(parts: Sequence[str], count: int) -> Iterator[tuple[str, ...]]:
    """Give every way to break words into so many lines."""
    for cuts in combinations(range(1, len(parts)), count - 1):
        ends = (0, *cuts, len(parts))
        yield tuple(" ".join(parts[start:end]) for start, end in pairwise(ends))


def _shortened(line: str, longest: float, width: Callable[[str], float]) -> str:
    """Cut a line that is too long and end it with an ellipsis."""
    if width(line) <= longest:
        return line
    for count in range(len(line) - 1, 0, -1):
        if width(line[:count].rstrip() + "…") <= longest:
            return line[:count].rstrip() + "…"
    return "…"


def _split(across: Sequence[float], middle: float, room: int) -> int:
    """Return how many of the anchors, sorted by x, go into the left column."""
    count = len(across)
    natural = sum(x < middle for x in across)
    possible = range(max(0, count - room), min(count, room) + 1)
    return min(possible, key=lambda left: (abs(left - natural) + 0.9 * abs(left - count / 2), left))


def _spread(wanted: Floats, pitch: float, top: float, bottom: float) -> Floats:
    """Return heights near the sorted wanted ones, at least ``pitch`` apart, from top to bottom.

    The least-squares answer: isotonic regression by pooling neighbours.
    """
    pools: list[list[float]] = []
    for order, height in enumerate(wanted):
        pools.append([float(height) - order * pitch, 1.0])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            value, weight = pools.pop()
            total = pools[-1][1] + weight
            pools[-1] = [(pools[-1][0] * pools[-1][1] + value * weight) / total, total]
    flat = np.repeat([value for value, _ in pools], [int(weight) for _, weight in pools])
    steps = np.arange(len(wanted)) * pitch
    highest = max(bottom - (len(wanted) - 1) * pitch, top)
    return np.clip(flat, top, highest) + steps


def _uncrossed(anchors: Floats, port: float, heights: Floats) -> npt.NDArray[np.intp]:
    """Return which height each anchor gets so that no two leaders cross.

    Of all assignments the one with the shortest leaders in total has no crossing: two crossing
    leaders would be shorter exchanged.
    """
    if len(anchors) < 2:
        return np.arange(len(anchors))
    from scipy.optimize import linear_sum_assignment  # all solvers come with it; few pictures need it

    lengths = np.hypot(anchors[:, :1] - port, anchors[:, 1:] - heights)
    return linear_sum_assignment(lengths)[1]
