"""A slice through a body as a T2-weighted MRI shows it: grey values by tissue, from the geometry alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter
from scipy import ndimage

from spineviz.cuts import OVERLAP
from spineviz.filling import shown
from spineviz.model import Camera, Cut, Look, Model
from spineviz.morphing import severity
from spineviz.render.cut_faces import WITHIN
from spineviz.render.projection import Box, project
from spineviz.render.signal import AIR, FAT, Signal, signal_of
from spineviz.render.strokes import Canvas
from spineviz.section import Section, meets, section, turn
from spineviz.structure import Floats, Structure
from spineviz.terms import Tissue

Mask = npt.NDArray[np.bool_]

FINE = 3
"""Places that are painted for each pixel, along and across: borders come out as smooth as a scanner's."""

SHARPNESS = 0.30
"""How far (mm) a scanner smears a point."""

GRAIN = 0.9
"""The size (mm) of the finest spots that a tissue's brightness varies in."""

NOISE = 0.012
"""The noise of the scanner itself, of 1."""

NOT_SEEN: frozenset[Tissue] = frozenset({"instrument"})
"""What is no tissue."""


def scanned(model: Model, looks: Mapping[str, Look], camera: Camera, box: Box) -> Canvas:
    """Return the slice (h, w, 3) through a camera's focus, across its direction, as it fills a box.

    The camera's height is that of the box. Fat fills what no structure fills, up to the skin; behind it is
    air.
    """
    frame = Cut(camera.focus, camera.direction).plane
    width, height = FINE * box.width, FINE * box.height
    fine, scale = Box(0, 0, width, height), height / camera.height
    mottle = _mottle(width, height, scale)
    grey = np.full((height, width), FAT.inside, dtype=np.float32) * (1 + FAT.mottle * mottle)
    posed = ((item, model.posed(name, looks[name])) for name, item in _layered(model, looks))
    faces = [(item, section(surface, frame)) for item, surface in posed if meets(surface, frame)]
    for item, face in faces:
        _paint(grey, face, signal_of(item, severity(looks[item.name])), camera, fine, mottle)
    skin = next((face for item, face in faces if item.tissue == "skin"), None)
    if skin:
        grey[_behind(skin, camera, fine)] = AIR
    return _exposed(grey, SHARPNESS * scale)


def _layered(model: Model, looks: Mapping[str, Look]) -> Iterator[tuple[str, Structure]]:
    """Give the structures that are there by name, those first that others lie before."""
    order: dict[Tissue, int] = {tissue: place for place, tissue in enumerate(OVERLAP)}
    there = [
        (name, model.structures[name])
        for name, look in looks.items()
        if shown(look) and model.structures[name].tissue not in NOT_SEEN
    ]
    yield from sorted(there, key=lambda item: (item[0].startswith(WITHIN), order[item[1].tissue]))


def _paint(grey: Floats, face: Section, signal: Signal, camera: Camera, box: Box, mottle: Floats) -> None:
    """Paint the face of a structure into a picture (h, w), in place: its border, then what lies inside."""
    parts = [(face, signal.border), (face.within(signal.rim), signal.inside)] if signal.rim else []
    for part, value in parts or [(face, signal.inside)]:
        found = _mask(part, camera, box)
        if found is not None:
            rows, columns, mask = found
            varied = value * (1 + signal.mottle * mottle[rows, columns][mask])
            grey[rows, columns][mask] = varied


def _mask(face: Section, camera: Camera, box: Box) -> tuple[slice, slice, Mask] | None:
    """Return the rows and columns that a face lies in, and which places there are on it; None for none."""
    outlines = sorted(face.outlines, key=lambda outline: -abs(turn(outline)))
    if not outlines:
        return None
    drawn = [project(camera, face.world(outline), box)[0] for outline in outlines]
    corners = np.vstack(drawn)
    low = np.maximum(np.floor(corners.min(axis=0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 2, (box.width, box.height))
    if (high <= low).any():
        return None
    image = Image.new("L", tuple(high - low))
    pen = ImageDraw.Draw(image)
    for outline, points in zip(outlines, drawn, strict=True):
        pen.polygon([tuple(point) for point in points - low - 0.5], fill=int(turn(outline) > 0))
    return slice(low[1], high[1]), slice(low[0], high[0]), np.asarray(image, dtype=bool)


def _behind(skin: Section, camera: Camera, box: Box) -> Mask:
    """Tell which places (h, w) of a box lie behind the skin: on the far side of it, seen from the spine."""
    found = _mask(skin, camera, box)
    free = np.ones((box.height, box.width), dtype=bool)
    if found is None:
        return ~free
    rows, columns, mask = found
    free[rows, columns] &= ~mask
    parts, _ = ndimage.label(free[::FINE, ::FINE])
    inside = parts[parts.shape[0] // 2, parts.shape[1] // 2]
    outside = (parts > 0) & (parts != inside)
    whole = np.kron(outside, np.ones((FINE, FINE), dtype=bool))[: box.height, : box.width]
    return np.asarray(whole & free)


@lru_cache(maxsize=8)
def _mottle(width: int, height: int, scale: float) -> Floats:
    """Return how brightness varies (height, width), mean 0 and spread 1: always the same spots."""
    noise = np.random.default_rng(11).standard_normal((height // FINE + 1, width // FINE + 1))
    size = GRAIN * scale / FINE
    spots = sum(part * ndimage.gaussian_filter(noise, part * size, mode="wrap") for part in (0.5, 1.0, 2.0))
    spots = np.kron(spots / spots.std(), np.ones((FINE, FINE)))[:height, :width]
    return np.asarray(spots, dtype=np.float32)


def _exposed(grey: Floats, blur: float) -> Canvas:
    """Return a picture (h, w, 3) of brightness (3 h, 3 w), smeared by ``blur`` places, with some noise."""
    image = Image.fromarray(np.clip(grey * 255, 0, 255).astype(np.uint8))
    smeared = np.asarray(image.filter(ImageFilter.GaussianBlur(blur)).reduce(FINE), dtype=np.float32)
    noise = np.random.default_rng(5).standard_normal(smeared.shape) * (255 * NOISE)
    values = np.clip(smeared + noise, 0, 255).astype(np.uint8)
    return np.repeat(values[:, :, None], 3, axis=2)
