"""The measured figures of all panes over time: a small plot each, with a cursor at the second shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from spineviz.model import Chart, Curve, State
from spineviz.render import strokes
from spineviz.render.labels import wrapped
from spineviz.render.overlay import Text, fitting, letters
from spineviz.render.palette import ACCENT, BAND, FAINT, HAIRLINE, INK, SECOND
from spineviz.render.projection import Box
from spineviz.render.strokes import Canvas, Ink, Place
from spineviz.render.typography import width
from spineviz.structure import Floats, frozen

STYLES: tuple[tuple[Ink, float], ...] = ((ACCENT, 0.0), (SECOND, 5.0))
"""The ink of each pane's curve, and the units of its dashes; 0 is a whole line."""

COMING = 0.62
"""How far what is still to come has faded into the band."""

MARGIN, LEGEND, GAP, NUMBERS = 24.0, 150.0, 14.0, 52.0
"""Units: the free border, the column that names the curves, between plots, the numbers beside each."""

TOP, BOTTOM, HEADROOM = 46.0, 20.0, 12.0
"""Units above a plot, below it, and for the number over its highest peak."""


@dataclass(frozen=True)
class Plot:
    """Where a curve is plotted in the band: pixels of its axes, and what they stand for."""

    left: float
    right: float
    top: float
    bottom: float
    seconds: float
    most: float

    def place(self, second: float, value: float) -> Place:
        """Return the pixel of a value at a second."""
        across = second / max(self.seconds, 1e-9)
        up = value / self.most if self.most > 0 else 0.0
        return self.left + across * (self.right - self.left), self.bottom - up * (self.bottom - self.top)


def draw(canvas: Canvas, state: State, box: Box, unit: float, text: Text) -> None:
    """Paint a state's chart into its band, in place: what has been in full, what is to come faintly."""
    chart = state.chart
    assert chart is not None
    names = tuple(text(name) for name in chart.names)
    titles = tuple(text(curve.name) for curve in chart.curves)
    size = (box.width, box.height)
    been, coming = _bands(chart, names, titles, size, unit)
    band = canvas[box.top : box.bottom, box.left : box.right]
    band[:] = been
    for curve, plot in zip(chart.curves, plots(chart, size, unit), strict=True):
        now, _ = plot.place(state.second, 0.0)
        rows = slice(round(plot.top - HEADROOM * unit), round(plot.bottom - unit))
        columns = slice(round(now), round(plot.right + 4 * unit))
        band[rows, columns] = coming[rows, columns]
        _now(band, chart, curve, plot, state.second, unit)
        _peaks(band, chart, curve, plot, state.second, unit)


def plots(chart: Chart, size: tuple[int, int], unit: float) -> tuple[Plot, ...]:
    """Return the plot of each curve, with a scale of its own, in a band of ``size`` (width, height)."""
    left = (MARGIN + LEGEND) * unit
    pitch = (size[0] - MARGIN * unit - left) / max(len(chart.curves), 1)
    return tuple(
        Plot(
            left=left + order * pitch + GAP * unit,
            right=left + (order + 1) * pitch - NUMBERS * unit,
            top=TOP * unit,
            bottom=size[1] - BOTTOM * unit,
            seconds=chart.seconds[-1],
            most=max((max(values) for values in curve.values), default=0.0),
        )
        for order, curve in enumerate(chart.curves)
    )


def value_at(chart: Chart, values: Sequence[float], second: float) -> float:
    """Return a curve's value at any second, straight between the seconds of its chart."""
    return float(np.interp(second, chart.seconds, values))


@lru_cache(maxsize=4)
def _bands(
    chart: Chart, names: tuple[str, ...], titles: tuple[str, ...], size: tuple[int, int], unit: float
) -> tuple[Canvas, Canvas]:
    """Return the band of whole curves in full and faintly, without the cursor."""
    band = np.full((size[1], size[0], 3), BAND, dtype=np.uint8)
    band[: max(1, round(unit))] = HAIRLINE
    _legend(band, names, unit)
    for curve, title, plot in zip(chart.curves, titles, plots(chart, size, unit), strict=True):
        _axes(band, f"{title}, {curve.unit}", plot, unit)
        for values, (ink, dash) in zip(curve.values, STYLES, strict=False):
            points = [plot.place(*place) for place in _corners(chart.seconds, values)]
            for start, end in _dashed(points, dash * unit) if dash else pairwise(points):
                strokes.line(band, start, end, 2.0 * unit, ink)
    coming = np.round(band + COMING * (np.array(BAND) - band.astype(np.float32)))
    return frozen(band, np.uint8), frozen(coming, np.uint8)


def _legend(band: Canvas, names: tuple[str, ...], unit: float) -> None:
    """Name the curves: a piece of each line, and what it stands for."""
    size, left = letters(10.5, unit), MARGIN * unit
    pitch = band.shape[0] / (len(names) + 0.4)
    for order, (name, (ink, dash)) in enumerate(zip(names, STYLES, strict=False)):
        y = (order + 0.70) * pitch
        line = [(left, y), (left + 24 * unit, y)]
        for start, end in _dashed(line, dash * unit) if dash else pairwise(line):
            strokes.line(band, start, end, 2.2 * unit, ink)
        room = (LEGEND - 32) * unit
        lines = wrapped(name, room, lambda words: width(words, size), most=3)
        for number, words in enumerate(lines):
            place = (left + 32 * unit, y + (number - (len(lines) - 1) / 2) * 1.15 * size)
            strokes.words(band, place, words, fitting(words, size, room, "regular"), INK)


def _axes(band: Canvas, title: str, plot: Plot, unit: float) -> None:
    """Paint what is plotted, the line of nothing, and when the clock begins and ends."""
    size, small = letters(10.5, unit), letters(9.0, unit)
    room = plot.right + (NUMBERS - GAP) * unit - plot.left
    lines = wrapped(title, room, lambda words: width(words, size))
    for number, words in enumerate(lines):
        y = 18 * unit + (number - (len(lines) - 1) / 2) * 1.12 * size
        strokes.words(band, (plot.left, y), words, fitting(words, size, room, "regular"), INK)
    strokes.line(band, (plot.left, plot.bottom), (plot.right, plot.bottom), max(1.0, unit), FAINT)
    y = plot.bottom + 9 * unit
    strokes.words(band, (plot.left, y), "0:00", small, FAINT)
    minutes, seconds = divmod(round(plot.seconds), 60)
    strokes.words(band, (plot.right, y), f"{minutes}:{seconds:02d}", small, FAINT, align=1.0)


def _peaks(band: Canvas, chart: Chart, curve: Curve, plot: Plot, second: float, unit: float) -> None:
    """Mark where each curve is highest first, with its number above it, or below where another one stands.

    Until that second comes, both are faint.
    """
    size = letters(9.5, unit)
    taken: list[float] = []
    order = sorted(range(min(len(curve.values), len(STYLES))), key=lambda index: -max(curve.values[index]))
    for index in order:
        values, (ink, _) = curve.values[index], STYLES[index]
        most = max(values)
        if most <= 0:
            continue
        since = chart.seconds[values.index(most)]
        strength = 1.0 if since <= second else 1.0 - COMING
        x, y = plot.place(since, most)
        strokes.dot(band, (x, y), 3.2 * unit, ink, strength)
        above = y - 7.5 * unit
        crowded = any(abs(above - other) < 1.1 * size for other in taken)
        label = y + 7.5 * unit if crowded else above
        taken.append(label)
        number = _number(most, curve)
        beyond = x + 5 * unit + width(number, size, "bold") > plot.right
        beside = x - 5 * unit if beyond else x + 5 * unit
        align = float(beyond)
        strokes.words(band, (beside, label), number, size, ink, "bold", align=align, strength=strength)


def _now(band: Canvas, chart: Chart, curve: Curve, plot: Plot, second: float, unit: float) -> None:
    """Paint the cursor, and each curve's value at it, as a dot and as a number beside the plot."""
    x, _ = plot.place(second, 0.0)
    strokes.line(band, (x, plot.top - 6 * unit), (x, plot.bottom), max(1.0, unit), INK, strength=0.75)
    size = letters(13, unit)
    for order, (values, (ink, _)) in enumerate(zip(curve.values, STYLES, strict=False)):
        value = value_at(chart, values, second)
        strokes.dot(band, plot.place(second, value), 4.0 * unit, BAND)
        strokes.dot(band, plot.place(second, value), 3.0 * unit, ink)
        y = (plot.top + plot.bottom) / 2 + (order - 0.5 * (len(curve.values) - 1)) * 1.5 * size
        strokes.words(band, (plot.right + 7 * unit, y), _number(value, curve), size, ink, "bold")


def _number(value: float, curve: Curve) -> str:
    return f"{value:.{curve.decimals}f}"


def _corners(seconds: Sequence[float], values: Sequence[float]) -> list[tuple[float, float]]:
    """Return a curve's points without those in the middle of a level stretch."""
    last = len(values) - 1
    return [
        (second, value)
        for index, (second, value) in enumerate(zip(seconds, values, strict=True))
        if index in (0, last) or not values[index - 1] == value == values[index + 1]
    ]


def _dashed(points: Sequence[Place], dash: float) -> Iterator[tuple[Place, Place]]:
    """Give the dashes of a line through points: as long as ``dash`` pixels and as far apart."""
    places: Floats = np.array(points)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(places, axis=0).T))])
    for start in np.arange(0.0, along[-1], 2 * dash):
        end = min(start + dash, along[-1])
        inner = along[(along > start) & (along < end)]
        stops = [start, *inner, end]
        line = [
            (float(np.interp(s, along, places[:, 0])), float(np.interp(s, along, places[:, 1])))
            for s in stops
        ]
        yield from pairwise(line)
