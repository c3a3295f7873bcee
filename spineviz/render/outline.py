"""Lines and shade that a finished render is given by its depths: relief, and highlighted outlines."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter
from scipy import ndimage, special

from spineviz.structure import Floats, frozen

Canvas = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

STEP = 9.0
"""Millimetres behind a nearer edge at which the relief's shade is full."""

SHADE = 0.42
"""How much light the relief's shade takes."""

SPREAD = 5.5
"""Units across which an edge throws its shade on what lies behind it."""

STRIDE = 3
"""Pixels between the depths whose average the relief compares with; `_tripled` goes back."""

DARK, LIGHT, SOFT = 1.9, 4.1, 2.3
"""Units: where the dark line of an outline ends, where its white line ends, and its smoothness."""

SPECK = 7.0
"""Units: a visible patch smaller than the square of this is not outlined."""

BEHIND = 0.6
"""Millimetres by which something must be nearer to hide a highlighted structure."""


def relief(picture: Canvas, depth: Floats, far: float, unit: float) -> None:
    """Shade what lies close behind a nearer edge, in place.

    ``picture`` is (h, w, 3) and contiguous, ``depth`` (h, w) in mm from the eye, ``far`` the depth of the
    background.
    """
    thin = depth[::STRIDE, ::STRIDE]
    solid = thin < far - 1
    if not solid.any():
        return
    deepest = float(thin[solid].max())
    filled = np.where(solid, thin, deepest).astype(np.float32)
    width = max(3, 2 * round(SPREAD * unit / STRIDE) + 1)
    around = _tripled(ndimage.uniform_filter(ndimage.uniform_filter(filled, width), width))
    behind = depth - around[: depth.shape[0], : depth.shape[1]]
    shaded = np.flatnonzero((behind > 0.03 * STEP) & (depth < far - 1))
    keep = 1.0 - SHADE * np.minimum(behind.ravel()[shaded] / STEP, 1.0)
    pixels = picture.reshape(-1, 3)
    darker = pixels.take(shaded, axis=0) * keep[:, None]
    for channel in range(3):
        pixels[shaded, channel] = darker[:, channel]


def _tripled(values: Floats) -> Floats:
    """Return values (h, w) on a grid three times as fine (3 h, 3 w), by bilinear interpolation."""
    rows = len(values)
    for axis in (0, 1):
        padded = np.pad(values, [(1 - axis, 1 - axis), (axis, axis)], mode="edge")
        before, after = (padded[:-2], padded[2:]) if axis == 0 else (padded[:, :-2], padded[:, 2:])
        fine = (2 * values + before) / 3, values, (2 * values + after) / 3
        values = np.stack(fine, axis=axis + 1).reshape(3 * rows, -1)
    return values


def outline(
    picture: Canvas,
    drawn: Mask,
    visible: Mask,
    ink: tuple[int, int, int],
    *,
    strength: float,
    ghost: float,
    unit: float,
) -> None:
    """Draw a dark and a white line around a structure, in place.

    ``drawn`` (h, w) is where the structure would be seen if nothing stood before it, ``visible`` where
    it is seen. ``strength`` 0..1 is that of the lines; ``ghost`` that of the one faint line, in the
    colour ``ink``, around what is hidden.
    """
    box = around(drawn, margin(unit))
    if box is None:
        return
    part, whole = picture[box], drawn[box]
    seen = _without_specks(visible[box], (SPECK * unit) ** 2)
    away = _distance(seen, SOFT * unit)
    white, black, own = np.array([(255, 255, 255), (22, 20, 26), ink], dtype=np.float32)
    result = np.moveaxis(part, 2, 0).astype(np.float32)
    if ghost > 0:
        hidden = _distance(whole, SOFT * unit)
        open_ground = np.clip(away - LIGHT * unit, 0, 1)
        _paint(result, _band(hidden, -2.4 * unit, 2.6 * unit) * open_ground, 0.35 * ghost, white)
        _paint(result, _band(hidden, -0.8 * unit, 1.0 * unit) * open_ground, 0.80 * ghost, own)
    _paint(result, _band(away, DARK * unit, LIGHT * unit), 0.92 * strength, white)
    _paint(result, _band(away, -0.3 * unit, DARK * unit), 0.95 * strength, black)
    part[:] = np.moveaxis(result, 0, 2) + 0.5


def _paint(planes: Floats, cover: Floats, strength: float, ink: Floats) -> None:
    """Paint an ink through a coverage (h, w) over red, green and blue planes (3, h, w), in place."""
    planes += (ink[:, None, None] - planes) * (cover * strength)


def _without_specks(mask: Mask, smallest: float) -> Mask:
    """Return a mask without its patches of fewer pixels than ``smallest``."""
    patches, count = ndimage.label(mask)
    areas = np.bincount(patches.ravel(), minlength=count + 1)
    areas[0] = 0
    kept: Mask = (areas >= smallest)[patches]
    return kept


def margin(unit: float) -> int:
    """Return how many pixels around a structure its outline is drawn in at most."""
    return round(3 * LIGHT * unit) + 2


def around(mask: Mask, border: int) -> tuple[slice, slice] | None:
    """Return the rows and columns that a mask covers and ``border`` pixels around them, or None."""
    rows = np.flatnonzero(mask.any(axis=1))
    if len(rows) == 0:
        return None
    low, high = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(mask[low:high].any(axis=0))
    return (
        slice(max(0, low - border), min(mask.shape[0], high + border)),
        slice(max(0, int(columns[0]) - border), min(mask.shape[1], int(columns[-1]) + 1 + border)),
    )


def _distance(mask: Mask, blur: float) -> Floats:
    """Return the smooth distance (h, w) in pixels to a mask's border, positive outside.

    A blurred straight edge is the normal distribution of its distance; the inverse gives it back.
    """
    result = np.full(mask.shape, _quantiles()[0] * np.float32(blur))
    box = around(mask, round(4 * blur) + 4)
    if box is not None:
        image = Image.fromarray(mask[box].astype(np.uint8) * 255)
        blurred = np.asarray(image.filter(ImageFilter.GaussianBlur(blur)))
        result[box] = _quantiles()[blurred] * np.float32(blur)
    return result


@cache
def _quantiles() -> Floats:
    shares = np.arange(256) / 255
    return frozen(np.clip(-special.ndtri(shares), -4, 4), np.float32)


def _band(away: Floats, inner: float, outer: float) -> Floats:
    """Return the coverage of a line between two distances from a border."""
    return np.clip(np.minimum(away - inner, outer - away) + 0.5, 0, 1)
