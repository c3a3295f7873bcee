"""Displaced disc is seen beside what lies around it: in colour, in grey and with deficient colour vision."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from spineviz.render.materials import LIGAMENTUM_FLAVUM, MATERIALS, Material
from spineviz.structure import Floats
from spineviz.terms import Tissue

IMAGES = Path(__file__).parent / "images"

DEFICIENT = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
"""What is seen of linear red, green and blue: Machado, Oliveira and Fernandes, IEEE Trans Vis Comput Graph
2009;15:1291, at full severity."""

SEEN_AS = ("full colour", "grey", *DEFICIENT)

TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
"""Linear sRGB to CIE XYZ, white D65 (IEC 61966-2-1)."""

AROUND: tuple[Tissue, ...] = (
    *("bone", "annulus", "nucleus", "cartilage"),
    *("dura", "cord", "nerve", "ligament", "fat"),
)
"""What lies around displaced disc where the site is shown."""

CLEAR = 20.0
"""The least difference (CIELAB 1976) of two colours that are told apart at a glance: some ten times what is
just seen."""


def linear(colour: Floats) -> Floats:
    """Return linear red, green and blue (..., 3) of sRGB, both 0..1."""
    return np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)


def lab(colour: Floats, seen_as: str) -> Floats:
    """Return CIELAB (..., 3) of sRGB colours as somebody sees them; in grey only the lightness is left."""
    light = linear(np.asarray(colour, dtype=float))
    if seen_as in DEFICIENT:
        light = np.clip(light @ np.array(DEFICIENT[seen_as]).T, 0.0, 1.0)
    xyz = light @ TO_XYZ.T / TO_XYZ.sum(axis=1)
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    x, y, z = np.moveaxis(f, -1, 0)
    result = np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)
    return result * [1.0, 0.0, 0.0] if seen_as == "grey" else result


def colours(material: Material) -> list[tuple[float, float, float]]:
    """The colours of a tissue's surface in the open, and of a face that a cut makes."""
    return [material.first, material.inside]


@pytest.mark.parametrize("seen_as", SEEN_AS)
def test_the_colour_of_displaced_disc_differs_from_everything_around_it(seen_as: str) -> None:
    around = [*(MATERIALS[tissue] for tissue in AROUND), LIGAMENTUM_FLAVUM]
    for own in colours(MATERIALS["fragment"]):
        for material in around:
            for other in colours(material):
                difference = np.linalg.norm(lab(np.array(own), seen_as) - lab(np.array(other), seen_as))
                assert difference > CLEAR, (own, other)


def site(picture: Floats) -> np.ndarray:
    """Tell which pixels of a picture (h, w, 3), 0..1, show displaced disc: nothing else is crimson."""
    red, green, blue = np.moveaxis(picture * 255, -1, 0)
    seen = (red > 110) & (green < 90) & (blue > 40) & (blue < 200) & (red - green > 80) & (blue - green > 15)
    return np.asarray(ndimage.binary_opening(seen, iterations=2))


@pytest.mark.parametrize("seen_as", SEEN_AS)
@pytest.mark.parametrize("name", ["problem", "types", "zones"])
def test_the_site_stands_out_in_the_picture(name: str, seen_as: str) -> None:
    picture = np.asarray(Image.open(IMAGES / f"herniation_{name}.png").convert("RGB")) / 255.0
    seen = site(picture)
    assert seen.sum() > 500
    ring = ndimage.binary_dilation(seen, iterations=24) & ~ndimage.binary_dilation(seen, iterations=8)
    own, others = (lab(picture[mask], seen_as) for mask in (seen, ring))
    assert np.linalg.norm(np.median(own, axis=0) - np.median(others, axis=0)) > CLEAR
    far = np.linalg.norm(others - np.median(own, axis=0), axis=1)
    assert (far > CLEAR / 2).mean() > 0.8


def coloured(picture: Floats) -> np.ndarray:
    """Tell which pixels of a picture (h, w, 3), 0..1, have the colour of what a disease has changed."""
    red, green, blue = np.moveaxis(picture * 255, -1, 0)
    seen = (red - green > 55) & (red - blue > 15) & (blue > 0.75 * green) & (blue < 1.9 * green)
    return np.asarray(ndimage.binary_opening(seen, iterations=3))


@pytest.mark.parametrize("seen_as", SEEN_AS)
@pytest.mark.parametrize("name", ["listhesis_grades", "degeneration", "fractures", "stenosis_planes"])
def test_what_a_disease_has_changed_stands_out_in_the_picture(name: str, seen_as: str) -> None:
    picture = np.asarray(Image.open(IMAGES / f"{name}.png").convert("RGB")) / 255.0
    seen = coloured(picture)
    assert seen.sum() > 500
    ring = ndimage.binary_dilation(seen, iterations=24) & ~ndimage.binary_dilation(seen, iterations=8)
    own, others = (lab(picture[mask], seen_as) for mask in (seen, ring))
    assert np.linalg.norm(np.median(own, axis=0) - np.median(others, axis=0)) > CLEAR


def test_grey_and_deficient_vision_are_simulated_as_published() -> None:
    red, green = np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])
    apart = {seen_as: np.linalg.norm(lab(red, seen_as) - lab(green, seen_as)) for seen_as in SEEN_AS}
    assert apart["full colour"] > 150.0
    assert max(apart["deuteranopia"], apart["protanopia"]) < 0.6 * apart["full colour"]
    white = np.ones(3)
    for seen_as in SEEN_AS:
        assert lab(white, seen_as) == pytest.approx([100.0, 0.0, 0.0], abs=0.1)
