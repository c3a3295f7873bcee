"""How a picture is divided: bands for words above and below, panes of equal area between them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from spineviz.model import Pane, State
from spineviz.render.projection import Box

UNIT_HEIGHT = 720.0
"""The height in pixels at which one typographic unit is one pixel."""

SMALLEST_UNIT = 0.62
"""Pixels of a unit in the smallest pictures, so that words stay legible."""

HEADER, FOOTER, FOOTNOTE, STRIP, CHART = 52.0, 74.0, 26.0, 64.0, 116.0
"""Units: the band above, that below with and without captions, the strip of figures, that of their plots."""

EDGE, TITLED = 0.025, 48.0
"""The share of a pane's height that an inset keeps from its borders, and the units it leaves to a heading."""

HEADING, NOTES = 48.0, 96.0
"""Units of its cell that a slice leaves to its heading, and to the notes beneath it."""


@dataclass(frozen=True)
class Arrangement:
    """Where everything stands in a picture; ``unit`` is the pixels of one typographic unit.

    A pane fills its cell; one that is a slice leaves room for what is written around it. ``words`` are where
    each pane's own words stand: in the pane, or side by side where panes lie over each other. ``insets`` are
    the boxes of round pictures within panes, None where a pane has none.
    """

    size: tuple[int, int]
    unit: float
    panes: tuple[Box, ...]
    cells: tuple[Box, ...]
    words: tuple[Box, ...]
    header: Box | None
    strips: tuple[Box, ...]
    footer: Box
    insets: tuple[Box | None, ...] = ()
    chart: Box | None = None


def arrange(state: State, size: tuple[int, int]) -> Arrangement:
    """Divide a picture of ``size`` (width, height) pixels for what a state says.

    A band is left out when the state has no words for it; plots of figures stand in place of the figures.
    """
    width, height = size
    unit = max(min(height / UNIT_HEIGHT, width / (UNIT_HEIGHT * 4 / 3)), SMALLEST_UNIT)
    worded = state.title or state.view or any(pane.heading for pane in state.panes)
    top = round(HEADER * unit) if worded else 0
    bottom = round((FOOTER if any(pane.caption for pane in state.panes) else FOOTNOTE) * unit)
    plot = round(CHART * unit) if state.chart is not None else 0
    strip = round(STRIP * unit) if not plot and any(pane.strip for pane in state.panes) else 0
    middle = height - top - bottom - strip - plot
    columns = _columns(width, max(1, round(1.5 * unit)), state)
    cells = _cells(columns, top, middle, max(1, round(1.5 * unit)), len(state.panes))
    panes = tuple(_filled(pane, cell, unit) for pane, cell in zip(state.panes, cells, strict=True))
    halves, words = columns, panes
    if state.layout == "overlay":
        halves = _shares(width, 0, len(panes))
        words = tuple(
            replace(box, left=left, width=span) for box, (left, span) in zip(panes, halves, strict=True)
        )
    return Arrangement(
        size=size,
        unit=unit,
        panes=panes,
        cells=cells,
        header=Box(0, 0, width, top) if top else None,
        strips=tuple(Box(left, top + middle, span, strip) for left, span in halves) if strip else (),
        footer=Box(0, height - bottom, width, bottom),
        chart=Box(0, height - bottom - plot, width, plot) if plot else None,
        insets=tuple(_inset(pane, box, unit) for pane, box in zip(state.panes, panes, strict=True)),
        words=words,
    )


def _inset(pane: Pane, box: Box, unit: float) -> Box | None:
    """Return the square that holds a pane's inset: in an upper corner, on the left below the heading."""
    if pane.inset is None:
        return None
    side, edge = round(pane.inset.size * box.height), round(EDGE * box.height)
    if pane.inset.corner == "right":
        return Box(box.right - edge - side, box.top + edge, side, side)
    below = round(TITLED * unit) if pane.heading is not None else edge
    return Box(box.left + edge, box.top + below, side, side)


def _cells(
    columns: list[tuple[int, int]], top: int, height: int, divider: int, count: int
) -> tuple[Box, ...]:
    """Return the cells of ``count`` panes: as many rows of some columns as they need, one below the other."""
    rows = -(-count // len(columns))
    span = (height - (rows - 1) * divider) // rows
    result = []
    for index in range(count):
        row, column = divmod(index, len(columns))
        left, width = columns[column]
        result.append(Box(left, top + row * (span + divider), width, span))
    return tuple(result)


def _filled(pane: Pane, cell: Box, unit: float) -> Box:
    """Return what of its cell a pane's picture fills."""
    if pane.scan is None:
        return cell
    above, below = round(HEADING * unit), round(NOTES * unit)
    room = max(cell.height - above - below, 1)
    scale = min(cell.width / pane.scan.width, room / pane.camera.height)
    width, height = max(round(scale * pane.scan.width), 1), max(round(scale * pane.camera.height), 1)
    return Box(cell.left + (cell.width - width) // 2, cell.top + above, width, height)


def _columns(width: int, divider: int, state: State) -> list[tuple[int, int]]:
    count = len(state.panes) if state.layout != "rows" else -(-len(state.panes) // 2)
    if state.layout in ("one", "overlay"):
        return [(0, width)] * count
    if count < 2:
        raise ValueError(f"the layout '{state.layout}' needs two panes or more; this state has {count}")
    return _shares(width, divider, count)


def _shares(width: int, divider: int, count: int) -> list[tuple[int, int]]:
    """Return the left border and the span of equal columns that fill a width."""
    span = (width - (count - 1) * divider) // count
    gap = (width - count * span) / max(count - 1, 1)
    return [(round(index * (span + gap)), span) for index in range(count)]
