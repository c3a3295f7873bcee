"""Words around the anatomy: title, headings, captions, figures, orientation and scale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from spineviz.model import Camera, Figure, Message, Pane, State
from spineviz.render import strokes
from spineviz.render.arrangement import Arrangement
from spineviz.render.labels import wrapped
from spineviz.render.palette import ACCENT, BAND, FAINT, HAIRLINE, INK, PALE, WHITE
from spineviz.render.projection import Box, axes, pixels_per_mm
from spineviz.render.strokes import Canvas, Ink
from spineviz.render.typography import Weight, width
from spineviz.structure import frozen

Text = Callable[[Message], str]

SMALLEST = 9.0
"""Pixels below which no letter is set."""

HEADED = 0.55
"""The share of a pane's width that the heading of an operation may take, beside its inset."""

DISCLAIMER = Message("disclaimer")

_ENDS = (("right", "left"), ("anterior", "posterior"), ("superior", "inferior"))
_BARS = (5, 10, 20, 50, 100)


@dataclass(frozen=True)
class Clock:
    """Where a film stands: the second now, the film's length, and the seconds at which steps begin."""

    second: float
    seconds: float
    starts: tuple[float, ...] = ()


def draw(
    canvas: Canvas, state: State, arrangement: Arrangement, text: Text, clock: Clock | None = None
) -> None:
    """Paint everything but the labels over a rendered picture, in place."""
    unit = arrangement.unit
    if arrangement.header is not None:
        title = text(state.title) if state.title else ""
        view = text(state.view) if state.view else ""
        _put(canvas, arrangement.header, _header(title, view, arrangement.header, unit))
    captions = tuple(text(pane.caption) for pane in _captioned(state) if pane.caption)
    columns = tuple(box.left for box in arrangement.words[: len(captions)])
    footer = _footer(captions, columns, text(DISCLAIMER), arrangement.footer, unit)
    _put(canvas, arrangement.footer, footer)
    if clock is not None:
        _timeline(canvas, arrangement.footer, unit, clock)
    for pane, words, box in zip(state.panes, arrangement.words, arrangement.panes, strict=True):
        if pane.scan is None:
            if pane.heading is not None:
                _heading(canvas, pane, words, unit, text(pane.heading))
            if state.layout != "overlay" or pane is state.panes[0]:
                _orientation(canvas, pane.camera, box, unit, text)
                _scale(canvas, pane.camera, box, unit, text)
    for pane, box in zip(state.panes, arrangement.strips, strict=False):
        names = tuple(text(item.name) for item in pane.strip)
        _put(canvas, box, _strip(pane.strip, names, (box.width, box.height), unit))
    for before, after in pairwise(arrangement.cells):
        bottom = arrangement.strips[0].bottom if arrangement.strips else before.bottom
        canvas[before.top : bottom, before.right : after.left] = HAIRLINE
        canvas[before.bottom : after.top, arrangement.cells[0].left : arrangement.cells[-1].right] = HAIRLINE


def letters(size: float, unit: float) -> float:
    """Return the pixels of letters that are ``size`` units high, never too small to read."""
    return max(SMALLEST, size * unit)


def _captioned(state: State) -> tuple[Pane, ...]:
    """Return the panes whose captions are shown: all, or the first where they say the same."""
    return state.panes[:1] if len({pane.caption for pane in state.panes}) == 1 else state.panes


def _put(canvas: Canvas, box: Box, picture: Canvas) -> None:
    canvas[box.top : box.bottom, box.left : box.right] = picture


@lru_cache(maxsize=16)
def _header(title: str, view: str, box: Box, unit: float) -> Canvas:
    band = np.full((box.height, box.width, 3), BAND, dtype=np.uint8)
    middle = box.height / 2
    margin = 24 * unit
    small = letters(12.5, unit)
    beside = width(view, small) + 2 * margin if view else 0.0
    size = fitting(title, letters(17, unit), box.width - beside - margin, "bold")
    strokes.words(band, (margin, middle), title, size, INK, "bold")
    strokes.words(band, (box.width - margin, middle), view, small, FAINT, align=1.0)
    band[-max(1, round(unit)) :] = HAIRLINE
    return frozen(band, np.uint8)


@lru_cache(maxsize=64)
def _footer(
    captions: tuple[str, ...], columns: tuple[int, ...], disclaimer: str, box: Box, unit: float
) -> Canvas:
    band = np.full((box.height, box.width, 3), BAND, dtype=np.uint8)
    margin = 24 * unit
    room = box.width / max(len(captions), 1) - 2 * margin
    size = letters(15, unit)
    for caption, left in zip(captions, columns, strict=True):
        _lines(band, (left + margin, 0.40 * box.height), caption, size, room=room, ink=INK)
    small = letters(10, unit)
    low = (0.84 if captions else 0.52) * box.height
    strokes.words(band, (box.width - margin, low), disclaimer, small, FAINT, align=1.0)
    band[: max(1, round(unit))] = HAIRLINE
    return frozen(band, np.uint8)


def _lines(canvas: Canvas, place: strokes.Place, words: str, size: float, *, room: float, ink: Ink) -> None:
    """Paint words in one line or in two about the place's height, where one is longer than ``room``."""
    lines = wrapped(words, room, lambda line: width(line, size))
    for order, line in enumerate(lines):
        y = place[1] + (order - (len(lines) - 1) / 2) * 1.18 * size
        strokes.words(canvas, (place[0], y), line, size, ink)


def fitting(line: str, size: float, room: float, weight: Weight) -> float:
    """Return the size at which a line fits into ``room`` pixels, not above ``size``."""
    span = width(line, size, weight)
    return size if span <= room else max(SMALLEST, round(size * room / span, 1))


def _timeline(canvas: Canvas, footer: Box, unit: float, clock: Clock) -> None:
    """Paint how far the film has come along the footer's upper edge, with a dot for every step."""
    margin, thick = 24 * unit, max(2.0, 2.6 * unit)
    y = footer.top + 0.84 * footer.height
    left, right = margin, 0.46 * footer.width
    total = max(clock.seconds, 1e-9)
    now = left + (right - left) * min(max(clock.second / total, 0.0), 1.0)
    strokes.line(canvas, (left, y), (right, y), thick, PALE)
    strokes.line(canvas, (left, y), (now, y), thick, ACCENT)
    for start in clock.starts:
        x = left + (right - left) * start / total
        passed = start <= clock.second + 1e-6
        strokes.dot(canvas, (x, y), 3.4 * max(unit, 0.7), ACCENT if passed else PALE)
        strokes.dot(canvas, (x, y), 1.5 * max(unit, 0.7), BAND)
    strokes.dot(canvas, (now, y), 4.6 * max(unit, 0.7), ACCENT)


def _heading(canvas: Canvas, pane: Pane, box: Box, unit: float, heading: str) -> None:
    """Paint a pane's heading in its upper left corner; that of an operation leaves room for an inset."""
    margin, size = 24 * unit, letters(15, unit)
    room = HEADED * box.width if pane.strip else box.width - 2 * margin
    lines = wrapped(heading, room, lambda line: width(line, size, "bold")) if pane.strip else (heading,)
    size = min(fitting(line, size, room, "bold") for line in lines)
    span = max(width(line, size, "bold") for line in lines)
    left, top, pitch = box.left + margin, box.top + 26 * unit, 1.25 * size
    bottom = top + (len(lines) - 1) * pitch
    ends = (left - 9 * unit, top - 14 * unit, left + span + 9 * unit, bottom + 14 * unit)
    strokes.panel(canvas, ends, 5 * unit, WHITE, 0.80)
    for order, line in enumerate(lines):
        strokes.words(canvas, (left, top + order * pitch), line, size, ACCENT, "bold")


def orientation(camera: Camera) -> tuple[str, str]:
    """Return which end of the patient lies at the viewer's left and right: ``left``, ``anterior``, ..."""
    right = axes(camera)[0]
    axis = int(np.abs(right).argmax())
    positive, negative = _ENDS[axis]
    return (negative, positive) if right[axis] > 0 else (positive, negative)


def _orientation(canvas: Canvas, camera: Camera, box: Box, unit: float, text: Text) -> None:
    y = box.bottom - 26 * unit
    _ends_at(canvas, camera, ((box.left + 26 * unit, y), (box.right - 26 * unit, y)), unit, text, 1.0)


def mark_ends(canvas: Canvas, camera: Camera, box: Box, unit: float, text: Text, strength: float) -> None:
    """Paint which end of the patient lies at either side of a round picture that fills a box."""
    y = box.top + box.height / 2
    _ends_at(canvas, camera, ((box.left, y), (box.right, y)), 0.68 * unit, text, strength)


def _ends_at(
    canvas: Canvas,
    camera: Camera,
    places: tuple[strokes.Place, strokes.Place],
    unit: float,
    text: Text,
    strength: float,
) -> None:
    """Paint which end of the patient lies at the viewer's left and right."""
    size = letters(13, unit)
    radius = max(11 * unit, 0.8 * size)
    for end, place in zip(orientation(camera), places, strict=True):
        strokes.dot(canvas, place, radius, WHITE, 0.85 * strength)
        letter = text(Message(f"orientation.{end}"))
        strokes.words(canvas, place, letter, size, INK, "bold", align=0.5, strength=strength)


def _scale(canvas: Canvas, camera: Camera, box: Box, unit: float, text: Text) -> None:
    """Paint a bar that is true at the camera's focus."""
    per_mm = pixels_per_mm(camera, box)
    length = min(_BARS, key=lambda item: abs(item * per_mm - 80 * unit))
    half, x, y = length * per_mm / 2, box.left + box.width / 2, box.bottom - 16 * unit
    thick = max(1.5, 1.6 * unit)
    for ink, more, strength in ((WHITE, 2.4 * unit, 0.7), (INK, 0.0, 1.0)):
        strokes.line(canvas, (x - half, y), (x + half, y), thick + more, ink, strength=strength)
        for end in (-half, half):
            strokes.line(
                canvas, (x + end, y - 4 * unit), (x + end, y + 4 * unit), thick + more, ink, strength=strength
            )
    words = text(Message("overlay.scale", (("length", length),)))
    size = letters(11, unit)
    room = width(words, size) / 2 + 4 * unit
    middle = y - 14 * max(unit, 0.8)
    strokes.panel(canvas, (x - room, middle - 7 * unit, x + room, middle + 7 * unit), 3 * unit, WHITE, 0.6)
    strokes.words(canvas, (x, middle), words, size, INK, align=0.5)


@lru_cache(maxsize=16)
def _strip(figures: tuple[Figure, ...], names: tuple[str, ...], size: tuple[int, int], unit: float) -> Canvas:
    """Return the strip of measured figures, ``size`` (width, height) pixels, with their names in words."""
    across, height = size
    strip = np.array(_empty_strip(size, unit))
    margin = 24 * unit
    pitch = (across - 2 * margin) / max(len(figures), 1)
    large, small = letters(18, unit), letters(10.5, unit)
    for order, (item, name) in enumerate(zip(figures, names, strict=True)):
        left = margin + order * pitch
        value = f"{item.value:.{item.decimals}f}".replace("-", "−")
        span = strokes.words(strip, (left, 0.29 * height), value, large, INK, "bold")
        strokes.words(strip, (left + span + 4 * unit, 0.33 * height), item.unit, small, FAINT)
        place = (left, 0.74 * height)
        _lines(strip, place, name, small, room=pitch - 10 * unit, ink=FAINT)
    return frozen(strip, np.uint8)


@lru_cache(maxsize=4)
def _empty_strip(size: tuple[int, int], unit: float) -> Canvas:
    band = np.full((size[1], size[0], 3), BAND, dtype=np.uint8)
    band[: max(1, round(unit))] = HAIRLINE
    return frozen(band, np.uint8)
