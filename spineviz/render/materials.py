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

Grain = Literal["none", "fascicles", "cross_fibres", "fibres", "bundles", "lobules", "cancellous"]
"""What is seen of a tissue from close by: on its surface, and the last three where it is cut across."""

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


def rgb(code: str) -> Colour:
    """Return the colour that a code like ``#f6ead0`` stands for."""
    red, green, blue = (int(code[index : index + 2], 16) / 255 for index in (1, 3, 5))
    return red, green, blue


MATERIALS: Mapping[Tissue, Material] = MappingProxyType(
    {
        "bone": Material(
            rgb("#f6ead0"), rgb("#d3dee2"), rgb("#6e5138"), rgb("#dcb695"), 0.06, 12, mottle=0.035
        ),
        "annulus": Material(
            rgb("#c3d6de"), rgb("#b79c9c"), rgb("#566b7a"), rgb("#c9d6dc"), 0.20, 26, 0.28,
            shade=0.65, grain="fibres", grain_size=(24.0, 12.0),
        ),
        "nucleus": Material(
            rgb("#d5e4ea"), rgb("#c8b4b0"), rgb("#63798a"), rgb("#e3eef2"), 0.28, 34, 0.2
        ),
        "cartilage": Material(
            rgb("#d9e6ec"), rgb("#c8d2d6"), rgb("#6d8494"), rgb("#e6eff3"), 0.30, 34, 0.22, shade=0.6
        ),
        "fragment": Material(
            rgb("#d4145a"), rgb("#ff5a8a"), rgb("#4d0623"), rgb("#e8487f"), 0.30, 30, 0.2, shade=0.5
        ),
        "dura": Material(
            rgb("#f0e3c3"), rgb("#d8b9a4"), rgb("#8d6f55"), rgb("#e6cfae"), 0.22, 30, 0.30, shade=0.38
        ),
        "cord": Material(
            rgb("#f3e7b4"), rgb("#e4cd86"), rgb("#8a7338"), rgb("#efe3c8"), 0.22, 30, 0.30, shade=0.45
        ),
        "nerve": Material(
            rgb("#f4d35a"), rgb("#e2ab3a"), rgb("#8a601c"), rgb("#f6e09a"), 0.22, 30, 0.30, shade=0.45
        ),
        "ligament": Material(
            rgb("#eee4ca"), rgb("#e0c26a"), rgb("#7d643f"), rgb("#e4d6ac"), 0.12, 18, 0.25, shade=0.6,
            grain="fibres", grain_size=(30.0, 12.0),
        ),
        "tendon": Material(
            rgb("#e9e4d8"), rgb("#d3c6ac"), rgb("#746653"), rgb("#d9d0bd"), 0.22, 26, 0.25, shade=0.7,
            grain="fibres", grain_size=(40.0, 12.0),
        ),
        "muscle": Material(
            rgb("#9c342b"), rgb("#e6d8c8"), rgb("#3c100e"), rgb("#8e3a33"), 0.10, 18, 0.4,
            grain="fascicles", grain_size=(90.0, 26.0),
        ),
        "fascia": Material(
            rgb("#d8d8d4"), rgb("#f2f0ea"), rgb("#67666a"), rgb("#bfc4c8"), 0.24, 26, 0.25,
            grain="cross_fibres", grain_size=(36.0, 36.0),
        ),
        "fat": Material(
            rgb("#f3d288"), rgb("#d98e63"), rgb("#96662a"), rgb("#f0d089"), 0.14, 20, 0.25, mottle=0.025
        ),
        "artery": Material(
            rgb("#c22f2b"), rgb("#e0685a"), rgb("#541010"), rgb("#d98078"), 0.30, 34, 0.30, shade=0.6
        ),
        "vein": Material(
            rgb("#3f62a8"), rgb("#6e8cc4"), rgb("#182a4f"), rgb("#7f93bd"), 0.30, 34, 0.30, shade=0.6
        ),
        "skin": Material(
            rgb("#ecc0a2"), rgb("#55301f"), rgb("#6d3a2a"), rgb("#d88f78"), 0.07, 14, 0.3, mottle=0.012
        ),
        "instrument": Material(
            rgb("#bfc6cd"), rgb("#4a5561"), rgb("#262c33"), rgb("#8b949d"), 0.75, 48, -0.10
        ),
    }
)  # fmt: skip


LIGAMENTUM_FLAVUM = replace(
    MATERIALS["ligament"], first=rgb("#ecd182"), second=rgb("#c9a54d"), inside=rgb("#e8cd84")
)
"""The yellow ligament: elastic fibres give it a colour of its own."""


DARK = rgb("#1c2226")
"""What a tissue that has lost all of its brightness looks like."""


def material_of(structure: str, tissue: Tissue, shade: float = 0.0) -> Material:
    """Return the look of a structure, given by name, of a tissue; ``shade`` tells how dark it has become."""
    material = LIGAMENTUM_FLAVUM if structure.startswith("flavum") else MATERIALS[tissue]
    if not shade:
        return material
    first, second, inside = (
        darkened(colour, shade) for colour in (material.first, material.second, material.inside)
    )
    return replace(material, first=first, second=second, inside=inside)


def darkened(colour: Colour, shade: float) -> Colour:
    """Return a colour made darker by a share, 0 to 1."""
    red, green, blue = (own + (dark - own) * shade for own, dark in zip(colour, DARK, strict=True))
    return red, green, blue


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
