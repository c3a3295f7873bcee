"""Flat shapes with soft edges, painted into a picture: lines, dots, rounded panels, words."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from spineviz.render import typography
from spineviz.render.typography import Weight
from spineviz.structure import Floats, frozen

Canvas = npt.NDArray[np.uint8]
"""A picture (h, w, 3) that is painted in place by this module's functions."""

Ink = tuple[int, int, int]
Place = tuple[float, float]

Placed = tuple[Floats, int, int]
"""A coverage (h, w), 0..1, and the column and the row of a picture at which its corner stands."""


def blend(canvas: Canvas, left: int, top: int, cover: Floats, ink: Ink) -> None:
    """Paint a colour through a coverage (h, w), 0..1, whose corner stands at (left, top)."""
    height, width = canvas.shape[:2]
    first_row, first_column = max(0, -top), max(0, -left)
    last_row, last_column = min(cover.shape[0], height - top), min(cover.shape[1], width - left)
    if first_row >= last_row or first_column >= last_column:
        return
    target = canvas[top + first_row : top + last_row, left + first_column : left + last_column]
    # Long rows of bytes are several times faster than many pixels of three.
    part = np.repeat(cover[first_row:last_row, first_column:last_column], 3, axis=1)
    before = target.reshape(part.shape)
    result = _row(ink, target.shape[1]) - before
    result *= part
    result += before
    result += np.float32(0.5)
    target[:] = result.reshape(target.shape)


@lru_cache(maxsize=256)
def _row(ink: Ink, width: int) -> Floats:
    """Return a row of pixels of one colour, byte by byte: (3 w,)."""
    return frozen(np.tile(ink, width), np.float32)


def line(
    canvas: Canvas, start: Place, end: Place, thickness: float, ink: Ink, *, strength: float = 1.0
) -> None:
    """Paint a straight line, ``thickness`` pixels wide."""
    cover, left, top = _line(start, end, thickness, strength)
    blend(canvas, left, top, cover, ink)


def dot(canvas: Canvas, centre: Place, radius: float, ink: Ink, strength: float = 1.0) -> None:
    """Paint a filled circle."""
    cover, left, top = _dot(centre, radius, strength)
    blend(canvas, left, top, cover, ink)


def ring(
    canvas: Canvas, centre: Place, radius: float, thickness: float, ink: Ink, strength: float = 1.0
) -> None:
    """Paint a circle's line, ``thickness`` pixels wide."""
    cover, left, top = _ring(centre, radius, thickness, strength)
    blend(canvas, left, top, cover, ink)


def panel(
    canvas: Canvas, box: tuple[float, float, float, float], radius: float, ink: Ink, strength: float = 1.0
) -> None:
    """Paint a rectangle (left, top, right, bottom) with round corners."""
    cover, left, top = _panel(box, radius, strength)
    blend(canvas, left, top, cover, ink)


def words(
    canvas: Canvas,
    place: Place,
    text: str,
    size: float,
    ink: Ink,
    weight: Weight = "regular",
    *,
    align: float = 0.0,
    strength: float = 1.0,
) -> float:
    """Paint a line of words and return its width in pixels.

    ``place`` is the line's vertical middle and its left end, or with ``align`` 1 its right end and
    with 0.5 its centre.
    """
    span = typography.width(text, size, weight)
    cover = _letters(text, size, weight, strength)
    left, top = round(place[0] - align * span), round(place[1] - cover.shape[0] / 2)
    blend(canvas, left, top, cover, ink)
    return span


@lru_cache(maxsize=48)
def _line(start: Place, end: Place, thickness: float, strength: float) -> Placed:
    half = thickness / 2
    rows, columns, left, top = _grid(start, end, half + 1.0)
    way = np.array([end[0] - start[0], end[1] - start[1]], dtype=np.float32)
    square = float(way @ way)
    along = ((columns - start[0]) * way[0] + (rows - start[1]) * way[1]) / max(square, 1e-9)
    along = np.clip(along, 0, 1)
    away = np.hypot(columns - start[0] - along * way[0], rows - start[1] - along * way[1])
    return frozen(np.clip(half + 0.5 - away, 0, 1) * strength, np.float32), left, top


@lru_cache(maxsize=256)
def _dot(centre: Place, radius: float, strength: float) -> Placed:
    rows, columns, left, top = _grid(centre, centre, radius + 1.0)
    away = np.hypot(columns - centre[0], rows - centre[1])
    return frozen(np.clip(radius + 0.5 - away, 0, 1) * strength, np.float32), left, top


@lru_cache(maxsize=16)
def _ring(centre: Place, radius: float, thickness: float, strength: float) -> Placed:
    rows, columns, left, top = _grid(centre, centre, radius + thickness / 2 + 1.0)
    away = np.abs(np.hypot(columns - centre[0], rows - centre[1]) - radius)
    return frozen(np.clip(thickness / 2 + 0.5 - away, 0, 1) * strength, np.float32), left, top


@lru_cache(maxsize=16)
def _panel(box: tuple[float, float, float, float], radius: float, strength: float) -> Placed:
    rows, columns, left, top = _grid(box[:2], box[2:], 1.0)
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    half = ((box[2] - box[0]) / 2 - radius, (box[3] - box[1]) / 2 - radius)
    across = np.maximum(np.abs(columns - middle[0]) - half[0], 0)
    down = np.maximum(np.abs(rows - middle[1]) - half[1], 0)
    away = np.hypot(across, down)
    return frozen(np.clip(radius + 0.5 - away, 0, 1) * strength, np.float32), left, top


@lru_cache(maxsize=256)
def _letters(text: str, size: float, weight: Weight, strength: float) -> Floats:
    return frozen(typography.coverage(text, size, weight) * np.float32(strength / 255), np.float32)


def _grid(start: Place, end: Place, border: float) -> tuple[Floats, Floats, int, int]:
    """Return rows (h, 1) and columns (1, w) of pixel centres around two places, and their corner."""
    left = int(np.floor(min(start[0], end[0]) - border))
    top = int(np.floor(min(start[1], end[1]) - border))
    right = int(np.ceil(max(start[0], end[0]) + border)) + 1
    bottom = int(np.ceil(max(start[1], end[1]) + border)) + 1
    rows = np.arange(top, bottom, dtype=np.float32)[:, None] + 0.5
    columns = np.arange(left, right, dtype=np.float32)[None, :] + 0.5
    return rows, columns, left, top
