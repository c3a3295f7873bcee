"""What each tissue looks like: its colours, its gloss, its grain; and the colour of every vertex."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt

from spineviz.structure import Floats, Points, Surface
from spineviz.terms import Tissue

Colour = tuple[float, float, float]
"""Red, green and blue, 0..1, as a screen shows them (sRGB)."""

Grain = Literal["none", "fascicles", "cross_fibres", "fibres"]

OPEN_SKY = 0.86
"""Baked occlusion from which a place counts as lying in the open."""

SHADE_DEPTH = 1.25
"""Exponent of the baked occlusion; larger makes crevices darker."""


@dataclass(frozen=True)
class Material:
    """The look of one tissue.

    ``second`` is the colour where a surface's tint is 1; from there on to 2 it becomes ``inside``, the
    colour of a cut face. ``crevice`` is what light turns into where the sky is shut out, and ``shade``
    the share of the baked occlusion that is taken. ``gloss`` is the strength and ``polish`` the exponent
    of the highlight. ``edge`` darkens (above 0) or brightens (below 0) where the surface turns away;
    ``mottle`` is the strength of slow variations of colour. ``grain_size`` is the mm of tissue that one
    tile of the grain covers, along and across.
    """

    first: Colour
    second: Colour
    crevice: Colour
    inside: Colour
    gloss: float
    polish: float
    edge: float = 0.35
    shade: float = 1.0
    mottle: float = 0.0
    grain: Grain = "none"
    grain_size: tuple[float, float] = (60.0, 20.0)


def _rgb(code: str) -> Colour:
    red, green, blue = (int(code[index : index + 2], 16) / 255 for index in (1, 3, 5))
    return red, green, blue


_BROWN = _rgb("#6b4a36")

MATERIALS: Mapping[Tissue, Material] = MappingProxyType(
    {
        "bone": Material(
            _rgb("#f6ead0"), _rgb("#d3dee2"), _rgb("#6e5138"), _rgb("#dcb695"), 0.06, 12, mottle=0.035
        ),
        "annulus": Material(
            _rgb("#c3d6de"), _rgb("#b79c9c"), _rgb("#566b7a"), _rgb("#c9d6dc"), 0.20, 26, 0.28,
            shade=0.65, grain="fibres", grain_size=(24.0, 12.0),
        ),
        "nucleus": Material(
            _rgb("#d5e4ea"), _rgb("#c8b4b0"), _rgb("#63798a"), _rgb("#e3eef2"), 0.28, 34, 0.2
        ),
        "cartilage": Material(
            _rgb("#d9e6ec"), _rgb("#c8d2d6"), _rgb("#6d8494"), _rgb("#e6eff3"), 0.30, 34, 0.22, shade=0.6
        ),
        "fragment": Material(
            _rgb("#d4145a"), _rgb("#ff5a8a"), _rgb("#4d0623"), _rgb("#e8487f"), 0.30, 30, 0.2, shade=0.5
        ),
        "dura": Material(
            _rgb("#f0e3c3"), _rgb("#d8b9a4"), _rgb("#8d6f55"), _rgb("#e6cfae"), 0.22, 30, 0.30, shade=0.38
        ),
        "cord": Material(
            _rgb("#f3e7b4"), _rgb("#e4cd86"), _rgb("#8a7338"), _rgb("#efe3c8"), 0.22, 30, 0.30, shade=0.45
        ),
        "nerve": Material(
            _rgb("#f4d35a"), _rgb("#e2ab3a"), _rgb("#8a601c"), _rgb("#f6e09a"), 0.22, 30, 0.30, shade=0.45
        ),
        "ligament": Material(
            _rgb("#eee4ca"), _rgb("#e0c26a"), _rgb("#7d643f"), _rgb("#e4d6ac"), 0.12, 18, 0.25, shade=0.6,
            grain="fibres", grain_size=(30.0, 12.0),
        ),
        "tendon": Material(
            _rgb("#e9e4d8"), _rgb("#d3c6ac"), _rgb("#746653"), _rgb("#d9d0bd"), 0.22, 26, 0.25, shade=0.7,
            grain="fibres", grain_size=(40.0, 12.0),
        ),
        "muscle": Material(
            _rgb("#9c342b"), _rgb("#e6d8c8"), _rgb("#3c100e"), _rgb("#8e3a33"), 0.10, 18, 0.4,
            grain="fascicles", grain_size=(90.0, 26.0),
        ),
        "fascia": Material(
            _rgb("#d8d8d4"), _rgb("#f2f0ea"), _rgb("#67666a"), _rgb("#bfc4c8"), 0.24, 26, 0.25,
            grain="cross_fibres", grain_size=(36.0, 36.0),
        ),
        "fat": Material(
            _rgb("#f3d288"), _rgb("#d98e63"), _rgb("#96662a"), _rgb("#f0d089"), 0.14, 20, 0.25, mottle=0.025
        ),
        "artery": Material(
            _rgb("#c22f2b"), _rgb("#e0685a"), _rgb("#541010"), _rgb("#d98078"), 0.30, 34, 0.30, shade=0.6
        ),
        "vein": Material(
            _rgb("#3f62a8"), _rgb("#6e8cc4"), _rgb("#182a4f"), _rgb("#7f93bd"), 0.30, 34, 0.30, shade=0.6
        ),
        "skin": Material(
            _rgb("#ecc0a2"), _rgb("#55301f"), _rgb("#6d3a2a"), _rgb("#d88f78"), 0.07, 14, 0.3, mottle=0.012
        ),
        "instrument": Material(
            _rgb("#bfc6cd"), _rgb("#4a5561"), _rgb("#262c33"), _rgb("#8b949d"), 0.75, 48, -0.10
        ),
    }
)  # fmt: skip


LIGAMENTUM_FLAVUM = replace(
    MATERIALS["ligament"], first=_rgb("#ecd182"), second=_rgb("#c9a54d"), inside=_rgb("#e8cd84")
)
"""The yellow ligament: elastic fibres give it a colour of its own."""


def material_of(structure: str, tissue: Tissue) -> Material:
    """Return the look of a structure, given by name, of a tissue."""
    return LIGAMENTUM_FLAVUM if structure.startswith("flavum") else MATERIALS[tissue]


def vertex_colours(surface: Surface, material: Material) -> npt.NDArray[np.uint8]:
    """Return the colour (n, 3) of every vertex: tissue, tint and baked occlusion."""
    count = len(surface.vertices)
    first, second = np.array(material.first), np.array(material.second)
    tint = _column(surface.tint, 0.0, count)
    colour = first + (second - first) * np.clip(tint, 0, 1)
    colour = colour + (np.array(material.inside) - colour) * np.clip(tint - 1, 0, 1)
    if material.mottle:
        colour = colour * (1 + material.mottle * _clouds(surface.vertices)[:, None])
    light = np.clip(_column(surface.occlusion, 1.0, count) / OPEN_SKY, 0, 1) ** SHADE_DEPTH
    # Light that has met walls keeps their warmth: a crevice is dark brown, not grey.
    depth = np.array(material.crevice) / np.maximum(first, 0.05) * 0.55
    shade = depth + (1 - depth) * light
    shade = 1 - material.shade * (1 - shade)
    return np.round(np.clip(colour * shade, 0, 1) * 255).astype(np.uint8)


def _column(values: Floats | None, otherwise: float, count: int) -> Floats:
    return np.full((count, 1), otherwise) if values is None else np.asarray(values)[:, None]


def _clouds(points: Points) -> Floats:
    """Return slow variations (n,), about -1..1, with lengths between 4 and 25 mm."""
    waves = np.array([[0.25, 0.11, 0.17], [-0.21, 0.37, 0.29], [0.63, -0.41, 0.55], [0.9, 0.8, -1.1]])
    phases = np.asarray(points) @ waves.T
    bent = phases + 1.7 * np.sin(phases[:, [1, 2, 3, 0]])
    return np.sin(bent) @ np.array([0.4, 0.3, 0.2, 0.1]) / 0.6
