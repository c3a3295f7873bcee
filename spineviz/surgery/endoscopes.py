"""Instruments of full-endoscopic surgery: working sleeve, dilator, endoscope, and tools for its channel.

Frames as in `instruments`. The sleeve's tongue, the long side of its bevel, lies towards +y, and so does the
endoscope's working channel; tools stand in their own frame on the middle of the channel.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spineviz.measures import table, value
from spineviz.structure import Floats, Frame, Surface
from spineviz.surgery.instruments import BAR, Instrument, instrument
from spineviz.surgery.punches import cup, pistol
from spineviz.surgery.shapes import joined, lathe, skin, sweep

ROUND_SIDES = 48
"""How many corners stand for a circle."""


def sleeve_bore(diameter: float) -> float:
    """Return the inner radius (mm) of a working sleeve of some outer diameter, mm."""
    return diameter / 2 - float(value("instruments.working_sleeve.wall"))


def bevel_length(diameter: float) -> float:
    """Return how far (mm) the tongue of a working sleeve stands beyond its short side."""
    return diameter * float(np.tan(np.radians(value("instruments.working_sleeve.bevel"))))


def working_sleeve(name: str, diameter: float) -> Instrument:
    """Return a thin-walled sleeve with a bevelled end; the tip is that of its tongue, which lies at +y.

    A groove on the flange at its outer end, towards +y, tells where the tongue is.
    """
    size = table("instruments.working_sleeve")
    outer, inner, length = diameter / 2, sleeve_bore(diameter), size["length"]
    flange, high = size["flange_radius"], size["flange_height"]
    profile = [
        (inner + 0.08, 0.0),
        (outer - 0.08, 0.0),
        (outer, 0.12),
        (outer, 0.35 * length),
        (outer, length - high),
        (flange - 0.4, length - high + 0.1),
        (flange, length - high + 0.5),
        (flange, length - 0.5),
        (flange - 0.4, length),
        (inner + 0.8, length),
        (inner, length - 0.8),
        (inner, 0.35 * length),
        (inner, 0.12),
    ]
    rings = _rings(profile)
    low = rings[:, :, 2] < 0.1 * length
    slope = float(np.tan(np.radians(size["bevel"])))
    rings[:, :, 2] += np.where(low, (outer - rings[:, :, 1]) * slope, 0.0)
    arm = [(0, flange - 1.0, length - high / 2), (0, flange + 14.0, length - high / 2)]
    wall = joined(skin(rings, closed=True), sweep(arm, 3.0, 1.1, exponent=BAR))
    return instrument(name, wall, length - high - 0.1)


def blunt_dilator(name: str, sleeve: float) -> Instrument:
    """Return the blunt dilator over which a working sleeve of some outer diameter (mm) slides."""
    size = table("instruments.endoscopic_dilator")
    radius, length = sleeve_bore(sleeve) - size["clearance"], size["length"]
    nose = [
        (0.3, 0.0),
        (0.7, 0.3),
        (1.0, 1.0),
        (radius - 0.25, size["nose"] - 1.2),
        (radius, size["nose"] + 1.0),
    ]
    grooves = [
        (radius - dent, share * length + way)
        for share in (0.86, 0.89, 0.92)
        for way, dent in ((-0.9, 0.0), (-0.6, 0.3), (0.6, 0.3), (0.9, 0.0))
    ]
    end = [(radius, length - 0.5), (radius - 0.4, length)]
    return instrument(name, lathe([*nose, (radius, 0.5 * length), *grooves, *end]), length)


def channel_off_axis() -> float:
    """Return how far (mm) the middle of the endoscope's working channel lies beside its axis."""
    return float(value("instruments.endoscope.off_axis"))


def endoscope(name: str) -> tuple[Instrument, Instrument]:
    """Return a rod-lens endoscope: its shaft with the working channel towards +y, and its body above it.

    The lens lies beside the channel, towards -y; see `lens`.
    """
    size = table("instruments.endoscope")
    outer, bore, length = size["diameter"] / 2, size["channel"] / 2, size["length"]
    rings = _rings([(outer - 0.1, 0.0), (outer, 0.1), (outer, 0.5 * length), (outer, length)])
    hole = _rings([(bore, length), (bore, 0.5 * length), (bore, 0.1), (bore + 0.05, 0.0)])
    hole[:, :, 1] += size["off_axis"]
    shaft = skin(np.concatenate([rings, hole]), closed=True)
    glass = lathe([(size["lens"] - 0.1, -0.12), (size["lens"], -0.05), (size["lens"], 2.0)], sides=20)
    glass = glass.moved(glass.vertices + np.array(lens_place()))
    body = _body(size["body_radius"], bore + size["off_axis"] + 0.3, length)
    return instrument(name, joined(shaft, glass), length), instrument(f"{name}_body", body, length + 60.0)


def lens_place() -> tuple[float, float, float]:
    """Return where the endoscope's lens stands in its frame, mm."""
    size = table("instruments.endoscope")
    return 0.0, -(size["diameter"] / 2 - size["lens"] - 0.2), 0.0


def _body(wide: float, bore: float, base: float) -> Surface:
    """Return the endoscope's body: eyepiece and light post leave it aside, tools enter it on top."""
    profile = [
        (bore + 0.4, base),
        (0.6 * wide, base),
        (0.72 * wide, base + 3),
        (wide, base + 9),
        (wide, base + 34),
        (0.7 * wide, base + 40),
        (0.62 * wide, base + 54),
        (0.7 * wide, base + 56),
        (0.7 * wide, base + 60),
        (bore, base + 60),
        (bore, base + 1),
    ]
    grip = lathe(profile, sides=36, hollow=True)
    arm = sweep([(0, -0.7 * wide, base + 22), (0, -34, base + 50), (0, -44, base + 60)], 5.0, 5.0)
    away = np.array([0.0, -1.0, 1.0]) / np.sqrt(2)
    cup_frame = Frame(
        np.array([0.0, -44, base + 60]), np.array([[1.0, 0, 0], np.cross(away, [1.0, 0, 0]), away])
    )
    eyepiece = lathe([(7.0, 0), (15.5, 1), (16, 2), (16, 8), (15, 9), (0.4, 9)], sides=36).placed(cup_frame)
    light = sweep([(0.7 * wide, 0, base + 14), (26, 0, base + 22), (34, 0, base + 26)], 3.2, 3.2)
    return joined(grip, arm, eyepiece, light)


def forceps(name: str) -> tuple[Instrument, Instrument]:
    """Return straight grasping forceps and their moving jaw, both closed; the jaw opens towards +y."""
    size = table("instruments.endoscopic_forceps")
    thin, length = size["shaft_radius"], size["length"]
    shaft = sweep([(0, 0, size["cup_length"] - 0.6), (0, 0, 0.5 * length), (0, 0, length)], thin, thin)
    fixed = joined(cup(size, -1.0), shaft, *pistol(size))
    return instrument(name, fixed, 0.75 * length), instrument(
        f"{name}_jaw", cup(size, 1.0), size["cup_length"]
    )


def endoscopic_burr(name: str) -> Instrument:
    """Return a long thin burr; its handpiece stands on the shaft's axis."""
    size = table("instruments.endoscopic_burr")
    radius, thin, length = size["head_diameter"] / 2, size["shaft_radius"], size["length"]
    height = np.linspace(-0.985, 0.97, 13)
    head = lathe([(radius * float(np.sqrt(1 - h * h)), radius * (1 + h)) for h in height], sides=20)
    shaft = sweep([(0, 0, radius), (0, 0, 0.5 * length), (0, 0, length)], thin, thin)
    piece, wide = size["handpiece_length"], size["handpiece_radius"]
    place = (0.0, 0.03, 0.12, 0.2, 0.9, 0.97, 1.0)
    swell = (0.3, 0.4, 0.5, 1.0, 1.0, 0.8, 0.4)
    body = lathe([(wide * s, length + piece * p) for s, p in zip(swell, place, strict=True)], sides=28)
    return instrument(name, joined(head, shaft, body), 0.75 * length)


def endoscopic_punch(name: str) -> Instrument:
    """Return a straight punch: its footplate at the tip bites towards +z; the shank stands at -y."""
    size = table("instruments.endoscopic_punch")
    half, plate, length = size["width"] / 2, size["plate"], size["length"]
    quarter = half / 2
    foot = sweep(
        [(0, -half + 0.1, plate / 2), (0, half - 0.1, plate / 2)], 0.8 * half, plate / 2, exponent=3.0
    )
    heel = [(0, -quarter, plate / 2), (0, -quarter, 0.5 * length), (0, -quarter, length)]
    shank = sweep(heel, 0.8 * half, 0.8 * quarter, exponent=3.5)
    top = plate + size["bite"]
    slide_path = [(0, quarter, top), (0, quarter, 0.5 * length), (0, quarter, length - 14)]
    slide = sweep(slide_path, 0.8 * half, 0.8 * quarter, exponent=3.5)
    return instrument(name, joined(foot, shank, slide, *pistol(size)), 0.75 * length)


def _rings(profile: Sequence[tuple[float, float]]) -> Floats:
    """Return circles (k, n, 3) about the z axis from pairs of radius and height, mm."""
    radius, height = np.asarray(profile, dtype=np.float64).T
    angle = np.linspace(0, 2 * np.pi, ROUND_SIDES, endpoint=False)
    rings = np.empty((len(radius), ROUND_SIDES, 3))
    rings[:, :, :2] = radius[:, None, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    rings[:, :, 2] = height[:, None]
    return rings
