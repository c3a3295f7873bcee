"""A round picture within another one, as an eyepiece shows it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from spineviz.model import Inset
from spineviz.render import strokes
from spineviz.render.overlay import Text, letters, mark_ends
from spineviz.render.palette import INK, WHITE
from spineviz.render.projection import Box
from spineviz.render.strokes import Canvas
from spineviz.render.typography import width
from spineviz.structure import Floats, frozen

SHADED, DARK = 0.80, 0.38
"""From which share of its radius on a round picture falls into shade, and how much of its light is lost."""


def put_in(canvas: Canvas, box: Box, picture: Canvas, strength: float) -> None:
    """Put a square picture (h, h, 3) into a box of a canvas, in place: what lies in its inner circle.

    ``strength`` 0..1 tells how much of it is seen.
    """
    cover, light = _eyepiece(box.width)
    target = canvas[box.top : box.bottom, box.left : box.right]
    share = (strength * cover)[..., None]
    target[:] = np.round(target * (1 - share) + picture * light[..., None] * share)


@lru_cache(maxsize=8)
def _eyepiece(side: int) -> tuple[Floats, Floats]:
    """Return what a circle covers of a square of ``side`` pixels, and how bright it is there, 0..1."""
    across = np.arange(side, dtype=np.float32) + 0.5 - side / 2
    away = np.hypot(across[:, None], across[None, :])
    cover = np.clip(side / 2 - away, 0, 1)
    edge = np.clip((2 * away / side - SHADED) / (1 - SHADED), 0, 1)
    return frozen(cover, np.float32), frozen(1 - DARK * edge * edge, np.float32)


def frame(canvas: Canvas, inset: Inset, box: Box, unit: float, text: Text) -> None:
    """Paint an inset's ring, its sides and its caption, in place."""
    centre, radius = (box.left + box.width / 2, box.top + box.height / 2), box.width / 2
    for ink, thick in ((INK, 4.4), (WHITE, 2.2)):
        strokes.ring(canvas, centre, radius, thick * unit, ink, inset.strength)
    mark_ends(canvas, inset.camera, box, unit, text, inset.strength)
    words, size = text(inset.caption), letters(12, unit)
    half, y = width(words, size, "bold") / 2 + 7 * unit, box.bottom + 1 * unit
    strokes.panel(
        canvas,
        (centre[0] - half, y - 9.5 * unit, centre[0] + half, y + 9.5 * unit),
        4 * unit,
        WHITE,
        0.92 * inset.strength,
    )
    strokes.words(canvas, (centre[0], y), words, size, INK, "bold", align=0.5, strength=inset.strength)
