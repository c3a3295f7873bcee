"""Flat shapes with soft edges, painted into a picture: lines, dots, rounded panels, words."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spineviz.render import typography
from spineviz.render.typography import Weight
from spineviz.structure import Floats

Canvas = npt.NDArray[np.uint8]
"""A picture (h, w, 3) that is painted in place by this module's functions."""

Ink = tuple[int, int, int]
Place = tuple[float, float]


def blend(canvas: Canvas, left: int, top: int, cover: Floats, ink: Ink) -> None:
    """Paint a colour through a coverage (h, w), 0..1, whose corner stands at (left, top)."""
    height, width = canvas.shape[:2]
    first_row, first_column = max(0, -top), max(0, -left)
    last_row, last_column = min(cover.shape[0], height - top), min(cover.shape[1], width - left)
    if first_row >= last_row or first_column >= last_column:
        return
    part = cover[first_row:last_row, first_column:last_column, None].astype(np.float32)
    target = canvas[top + first_row : top + last_row, left + first_column : left + last_column]
    target[:] = target + (np.array(ink, dtype=np.float32) - target) * part + 0.5


def line(
    canvas: Canvas, start: Place, end: Place, thickness: float, ink: Ink, *, strength: float = 1.0
) -> None:
    """Paint a straight line, ``thickness`` pixels wide."""
    half = thickness / 2
    rows, columns, left, top = _grid(start, end, half + 1.0)
    way = np.array([end[0] - start[0], end[1] - start[1]], dtype=np.float32)
    square = float(way @ way)
    along = ((columns - start[0]) * way[0] + (rows - start[1]) * way[1]) / max(square, 1e-9)
    along = np.clip(along, 0, 1)
    away = np.hypot(columns - start[0] - along * way[0], rows - start[1] - along * way[1])
    blend(canvas, left, top, np.clip(half + 0.5 - away, 0, 1) * strength, ink)


def dot(canvas: Canvas, centre: Place, radius: float, ink: Ink, strength: float = 1.0) -> None:
    """Paint a filled circle."""
    rows, columns, left, top = _grid(centre, centre, radius + 1.0)
    away = np.hypot(columns - centre[0], rows - centre[1])
    blend(canvas, left, top, np.clip(radius + 0.5 - away, 0, 1) * strength, ink)


def panel(
    canvas: Canvas, box: tuple[float, float, float, float], radius: float, ink: Ink, strength: float = 1.0
) -> None:
    """Paint a rectangle (left, top, right, bottom) with round corners."""
    rows, columns, left, top = _grid(box[:2], box[2:], 1.0)
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    half = ((box[2] - box[0]) / 2 - radius, (box[3] - box[1]) / 2 - radius)
    across = np.maximum(np.abs(columns - middle[0]) - half[0], 0)
    down = np.maximum(np.abs(rows - middle[1]) - half[1], 0)
    blend(canvas, left, top, np.clip(radius + 0.5 - np.hypot(across, down), 0, 1) * strength, ink)


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
    cover = typography.coverage(text, size, weight)
    left, top = round(place[0] - align * span), round(place[1] - cover.shape[0] / 2)
    blend(canvas, left, top, cover.astype(np.float32) * (strength / 255), ink)
    return span


def _grid(start: Place, end: Place, border: float) -> tuple[Floats, Floats, int, int]:
    """Return rows (h, 1) and columns (1, w) of pixel centres around two places, and their corner."""
    left = int(np.floor(min(start[0], end[0]) - border))
    top = int(np.floor(min(start[1], end[1]) - border))
    right = int(np.ceil(max(start[0], end[0]) + border)) + 1
    bottom = int(np.ceil(max(start[1], end[1]) + border)) + 1
    rows = np.arange(top, bottom, dtype=np.float32)[:, None] + 0.5
    columns = np.arange(left, right, dtype=np.float32)[None, :] + 0.5
    return rows, columns, left, top
