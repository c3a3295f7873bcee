"""The base of a sacrum: its upper endplate, canal, facets and median crest.

`find_endplate` searches in the frame of the mid-sagittal plane; everything else in the endplate's own
frame: origin in its centre, x right, y anterior, z its normal. ``sign`` is +1 on the patient's right.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from spineviz.patient.posterior_arch import BACKWARD, PATCH, Canal, posterior_wall
from spineviz.patient.probe import SUPERIOR, NotFoundError, Probe, axis_frame, surface_frame, unit_vector
from spineviz.patient.vertebral_body import RIM, plane_normal
from spineviz.structure import Floats, Frame, Points

PITCHES = np.arange(-5.0, 81.0, 2.5)
"""How far forward (degrees) the normal of the endplate may be tipped."""

CORE, SKIN = 14.0, 6.0
"""The endplate is recognised within this distance of the midline, as a layer of this thickness (mm)."""

FLAT = 2.5
"""What stays this near (mm) to the plane of the endplate's core belongs to the endplate."""

SMALLEST = 250.0
"""An endplate's core faces up with no less than this area (mm²)."""

TOP = 25
"""The endplate lies this near (mm) to the highest point of the midline."""

PEDICLE_HEIGHT = -14.0
"""Where the middle of the S1 pedicles lies along the normal of the endplate (mm)."""

FACING = 0.9
"""Cosine of the angle up to which a surface counts as parallel to the endplate."""


def find_endplate(bone: Probe, symmetry: Frame) -> Frame:
    """Return the frame of the upper endplate of S1 in the coordinates of the bone.

    It is the flat surface at the end of the bone's long way: the dorsal surface is flat, too, but the bone
    is thin behind it.
    """
    probe = bone.seen_from(symmetry)
    core = np.abs(probe.centres[:, 0]) < CORE
    centres, normals, areas = probe.centres[core], probe.normals[core], probe.areas[core]
    angles = np.radians(PITCHES)
    ways = np.column_stack([0 * angles, np.sin(angles), np.cos(angles)])
    found = [_layer(centres, normals, areas, way) for way in ways]
    long = [np.ptp(probe.centres @ way) for way in ways]
    best = int(np.argmax([areas[layer].sum() * reach for layer, reach in zip(found, long, strict=True)]))
    up: Floats = ways[best]
    layer = found[best]
    if areas[layer].sum() < SMALLEST:
        raise NotFoundError("no flat surface faces up and forward in the midline")
    for _ in range(4):
        up = unit_vector((areas[layer] @ normals[layer]) * [0.0, 1.0, 1.0])
        height = centres @ up
        level = areas[layer] @ height[layer] / areas[layer].sum()
        layer = (np.abs(height - level) < SKIN / 2) & (normals @ up > FACING)
    middle = areas[layer] @ centres[layer] / areas[layer].sum() * [0.0, 1.0, 1.0]
    frame = axis_frame(middle, up).then(symmetry)
    for _ in range(3):
        frame = _rim_frame(bone.seen_from(frame)).then(frame)
    return frame


def _rim_frame(bone: Probe) -> Frame:
    """Return the frame of the endplate's rim in the frame of an estimate of it."""
    half = np.arange(-32.0, 33.0)
    x, y = np.meshgrid(half, half, indexing="ij")
    above, below = (bone.depth(np.stack([x, y, np.full_like(x, z)], axis=-1)) for z in (FLAT, -FLAT))
    flat = ndimage.binary_opening((above < 0.0) & (below > 0.0), iterations=2)
    parts, _ = ndimage.label(flat)
    if not parts[32, 32]:
        raise NotFoundError("the upper endplate has a hole in its middle")
    own = parts == parts[32, 32]
    rows = half[own[30:35].any(axis=0)]
    centre = np.array([0.0, (rows.min() + rows.max()) / 2, 0.0])
    line = half[own[:, round(float(centre[1])) + 32]]
    ring = []
    for angle in np.radians(np.arange(0.0, 360.0, 15.0)):
        reach = np.array([np.cos(angle) * (line.max() - line.min()), np.sin(angle) * np.ptp(rows), 0.0]) / 2
        ring.append(bone.leaving(centre + RIM * reach - [0.0, 0.0, 2 * FLAT], SUPERIOR))
    points = np.array(ring)
    normal = plane_normal(points) * [0.0, 1.0, 1.0]
    return axis_frame(points.mean(axis=0) * [0.0, 1.0, 1.0], normal)


def _layer(centres: Points, normals: Points, areas: Floats, up: Floats) -> npt.NDArray[np.bool_]:
    """Tell which triangles face one way and lie in the best filled layer across it."""
    facing = normals @ up > FACING
    if not facing.any():
        return facing
    height = centres @ up
    bins = np.floor(height / 1.0).astype(int)
    bins -= bins.min()
    filled = np.bincount(bins, areas * facing, bins.max() + 7)
    filled[: max(bins.max() - TOP, 0)] = 0.0
    best = int(np.argmax(np.convolve(filled, np.ones(int(SKIN)), "valid")))
    return facing & (bins >= best) & (bins < best + int(SKIN))


def canal(bone: Probe) -> Canal:
    """Return the sacral canal at the height of the S1 pedicles; z runs along its front wall."""
    fronts = [posterior_wall(bone, height) for height in (-8.0, PEDICLE_HEIGHT, -20.0)]
    height = PEDICLE_HEIGHT
    places = np.arange(fronts[1] - 3.0, fronts[1] - 45.0, -0.25)
    for drop in np.arange(0.0, 20.0, 0.5):
        depth = bone.depth(np.column_stack([0 * places, places, 0 * places + height - drop]))
        if (depth > 0.5).any():
            back = float(places[np.argmax(depth > 0.5)])
            up = np.array([0.0, fronts[0] - fronts[2], 12.0])
            centre = np.array([0.0, (fronts[1] + back) / 2, height])
            return Canal(axis_frame(centre, up), fronts[1], back)
    raise NotFoundError("there is no bone behind the sacral canal in the midline")


def median_crest(bone: Probe, foramen: Canal) -> Frame:
    """Return the most posterior place of the median sacral crest at S1 and S2."""
    middle = (np.abs(bone.centres[:, 0]) < 6.0) & (bone.centres[:, 1] < foramen.back)
    middle &= (bone.centres[:, 2] > -45.0) & (bone.centres[:, 2] < 0.0)
    if not middle.any():
        raise NotFoundError("there is no median crest behind the canal")
    centres = bone.centres[middle]
    top = centres[np.argmin(centres[:, 1])]
    return surface_frame(top, bone.normal(top, PATCH, BACKWARD))


def lamina(bone: Probe, sign: float, foramen: Canal, crest: Frame) -> Frame:
    """Return the centre of an S1 lamina's posterior surface, beside the upper end of the crest."""
    start = np.array([7.0 * sign, crest.origin[1] - 20.0, crest.origin[2] + 4.0])
    place = bone.entering(start, -BACKWARD)
    return surface_frame(place, bone.normal(place, PATCH))


def ala(bone: Probe, sign: float) -> Frame:
    """Return the middle of the upper surface of an ala."""
    place = bone.entering(np.array([37.0 * sign, -10.0, 30.0]), -SUPERIOR)
    return surface_frame(place, bone.normal(place, PATCH))


def foramen(bone: Probe, sign: float, aspect: Literal["anterior", "posterior"]) -> Frame:
    """Return the anterior or the posterior S1 foramen: y runs along the passage out of the bone.

    The passage is where the least bone lies between the front and the back of the plate.
    """
    x, z = np.arange(12.0, 36.0), np.arange(-44.0, -20.0)
    y = np.arange(25.0, -65.0, -0.5)
    points = np.stack(np.meshgrid(sign * x, y, z, indexing="ij"), axis=-1)
    inside = bone.depth(points) > 0.0
    thickness = ndimage.gaussian_filter(0.5 * inside.sum(axis=1), 2.0)
    if thickness.min() > 0.7 * np.median(thickness):
        raise NotFoundError("nowhere beside the S1 body is the bone thin")
    i, k = np.unravel_index(int(np.argmin(thickness)), thickness.shape)
    around = np.hypot(x[:, None] - x[i], z[None] - z[k])
    ring = (around > 6.0) & (around < 11.0) & inside.any(axis=1)
    front = aspect == "anterior"
    first = y[inside.argmax(axis=1)] if front else y[::-1][inside[:, ::-1].argmax(axis=1)]
    origin = np.array([sign * x[i], float(np.median(first[ring])), z[k]])
    return surface_frame(origin, -BACKWARD if front else BACKWARD)
