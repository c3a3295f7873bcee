"""Rings about a slit: confocal elliptic coordinates in a plane, and how rings grow when a slit opens.

The slit lies on the local z axis from -c to c; x runs across it. A ring is the ellipse with foci at
the slit's ends and half-axes a (along z) and b (along x); ``area`` is a*b, the ring's area over pi.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spineviz.structure import Floats

PERIMETER = float(np.log(2.0) / np.log(np.pi / 2.0))
"""Exponent p of (a**p + b**p)**(1/p), a quarter of an ellipse's perimeter within 0.4 % (Maertens)."""

SLIT_HALF_WIDTH = 1e-3
"""How far (mm) the two faces of a closed slit stand from its middle, so that each keeps its side."""


@dataclass(frozen=True, eq=False)
class Ring:
    """The ring that each point lies on and where on it; every array has shape (n,).

    ``area`` a*b in mm², ``cosine`` z/a, ``sine`` x/b with the sign of x, ``narrow`` b in mm.
    """

    area: Floats
    cosine: Floats
    sine: Floats
    narrow: Floats


def ring(x: Floats, z: Floats, c: npt.ArrayLike) -> Ring:
    """Return the rings of points about the slit of half-length ``c`` (mm, a number or (n,))."""
    c2 = np.square(c)
    spread = x * x + z * z - c2
    root = np.sqrt(spread * spread + 4.0 * c2 * x * x)
    with np.errstate(divide="ignore", invalid="ignore"):
        near = np.where(root > spread, 2.0 * c2 * x * x / (root - spread), 0.0)
    b2 = np.where(spread >= 0.0, (spread + root) / 2.0, near)
    a = np.sqrt(b2 + c2)
    cosine = np.clip(z / a, -1.0, 1.0)
    sine = np.copysign(np.sqrt(1.0 - cosine * cosine), x)
    b = np.sqrt(b2)
    return Ring(a * b, cosine, sine, b)


def half_axes(area: Floats, focal: Floats) -> tuple[Floats, Floats]:
    """Return the half-axes a, b (mm) of ellipses of an area a*b whose a² - b² is ``focal`` (mm²)."""
    a = np.sqrt((focal + np.sqrt(focal * focal + 4.0 * area * area)) / 2.0)
    return a, area / np.maximum(a, 1e-9)


def support(area: Floats, reach: float) -> tuple[Floats, Floats]:
    """Return the weight (1 - area/reach²)³ of a ring, 0 beyond ``reach`` (mm), and its slope by area."""
    rest = np.maximum(1.0 - area / reach**2, 0.0)
    return rest**3, -3.0 / reach**2 * rest**2


def stretched_half_length(width: npt.ArrayLike, c: float) -> Floats:
    """Return the half-axis along a slit of half-length ``c`` that is opened to a half-width (mm).

    The slit keeps its perimeter, so it shortens while it opens to a circle; a wider circle stretches
    it and stays a circle.
    """
    b = np.asarray(width, dtype=np.float64)
    kept = np.maximum(c**PERIMETER - b**PERIMETER, 0.0) ** (1.0 / PERIMETER)
    return (kept**8 + b**8) ** 0.125
