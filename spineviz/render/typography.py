"""Letters: the font, how wide words are, and their shapes as arrays of coverage."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from spineviz.structure import frozen

Weight = Literal["regular", "bold"]

_FILES: dict[Weight, str] = {"regular": "DejaVuSans.ttf", "bold": "DejaVuSans-Bold.ttf"}


@cache
def _folder() -> Path:
    """Return the folder of the fonts that matplotlib, which PyVista brings, carries."""
    found = find_spec("matplotlib")
    if found is None or found.origin is None:
        raise FileNotFoundError("the fonts are missing: matplotlib is not installed; reinstall spineviz")
    return Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"


@lru_cache(maxsize=64)
def font(size: float, weight: Weight = "regular") -> ImageFont.FreeTypeFont:
    """Return the font at a size in pixels; its digits are all equally wide."""
    return ImageFont.truetype(_folder() / _FILES[weight], round(size, 1))


@lru_cache(maxsize=4096)
def width(words: str, size: float, weight: Weight = "regular") -> float:
    """Return how many pixels a line of words takes."""
    return float(font(size, weight).getlength(words))


@lru_cache(maxsize=1024)
def coverage(words: str, size: float, weight: Weight = "regular") -> npt.NDArray[np.uint8]:
    """Return the coverage (h, w), 0..255, of a line of words.

    The line's height is the font's ascent and descent, the same for all words, so that lines of the
    same size stand on one baseline.
    """
    face = font(size, weight)
    ascent, descent = face.getmetrics()
    image = Image.new("L", (max(1, round(face.getlength(words)) + 2), ascent + descent))
    ImageDraw.Draw(image).text((0, 0), words, font=face, fill=255)
    return frozen(np.asarray(image), np.uint8)
