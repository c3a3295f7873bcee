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
"""Pixels between the depths whose average the relief compares with."""

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
    around = Image.fromarray(ndimage.uniform_filter(ndimage.uniform_filter(filled, width), width))
    rows, columns = thin.shape
    around = around.resize((columns * STRIDE, rows * STRIDE), Image.Resampling.BILINEAR)
    behind = depth - np.asarray(around)[: depth.shape[0], : depth.shape[1]]
    shaded = np.flatnonzero((behind > 0.03 * STEP) & (depth < far - 1))
    keep = 1.0 - SHADE * np.minimum(behind.ravel()[shaded] / STEP, 1.0)
    pixels = picture.reshape(-1, 3)
    pixels[shaded] = pixels[shaded] * keep[:, None]


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
    box = _around(drawn, round(3 * LIGHT * unit) + 2)
    if box is None:
        return
    part, whole = picture[box], drawn[box]
    seen = _without_specks(visible[box], (SPECK * unit) ** 2)
    away = _distance(seen, SOFT * unit)
    dark = _band(away, -0.3 * unit, DARK * unit)
    light = _band(away, DARK * unit, LIGHT * unit)
    hidden = _distance(whole, SOFT * unit)
    open_ground = np.clip(away - LIGHT * unit, 0, 1)
    glow = _band(hidden, -2.4 * unit, 2.6 * unit) * open_ground
    thread = _band(hidden, -0.8 * unit, 1.0 * unit) * open_ground
    white, black, own = np.array([(255, 255, 255), (22, 20, 26), ink], dtype=np.float32)
    result = part.astype(np.float32)
    for cover, colour in (
        (glow * 0.35 * ghost, white),
        (thread * 0.80 * ghost, own),
        (light * 0.92 * strength, white),
        (dark * 0.95 * strength, black),
    ):
        result += (colour - result) * cover[..., None]
    part[:] = result + 0.5


def _without_specks(mask: Mask, smallest: float) -> Mask:
    """Return a mask without its patches of fewer pixels than ``smallest``."""
    patches, count = ndimage.label(mask)
    areas = np.bincount(patches.ravel(), minlength=count + 1)
    areas[0] = 0
    kept: Mask = (areas >= smallest)[patches]
    return kept


def _around(mask: Mask, border: int) -> tuple[slice, slice] | None:
    """Return the rows and columns that a mask covers, and ``border`` pixels around them."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        return None
    return (
        slice(max(0, int(rows[0]) - border), int(rows[-1]) + border + 1),
        slice(max(0, int(columns[0]) - border), int(columns[-1]) + border + 1),
    )


def _distance(mask: Mask, blur: float) -> Floats:
    """Return the smooth distance (h, w) in pixels to a mask's border, positive outside.

    A blurred straight edge is the normal distribution of its distance; the inverse gives it back.
    """
    image = Image.fromarray(mask.astype(np.uint8) * 255)
    blurred = np.asarray(image.filter(ImageFilter.GaussianBlur(blur)))
    return _quantiles()[blurred] * np.float32(blur)


@cache
def _quantiles() -> Floats:
    shares = np.arange(256) / 255
    return frozen(np.clip(-special.ndtri(shares), -4, 4), np.float32)


def _band(away: Floats, inner: float, outer: float) -> Floats:
    """Return the coverage of a line between two distances from a border."""
    return np.clip(np.minimum(away - inner, outer - away) + 0.5, 0, 1)
