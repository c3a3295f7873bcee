"""The shape of the lips of a midline wound, by the share of the slit's half-length."""

from __future__ import annotations

import numpy as np

from spineviz.structure import Floats


def lip_shape(share: Floats, level: Floats) -> Floats:
    """Return how far (n,) a lip stands at a share -1..1 of the slit's half-length, 1 in its middle.

    That is a parabola in the skin (``level`` 1) and flat over the middle in muscle (``level`` 0).
    """
    square = np.square(share)
    return (1.0 - square) * (1.0 + (1.0 - level) * square)


def lip_slope(share: Floats, level: Floats) -> Floats:
    """Return the slope of `lip_shape` by the share."""
    return -2.0 * share * (level + 2.0 * (1.0 - level) * np.square(share))
