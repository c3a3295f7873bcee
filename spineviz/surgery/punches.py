"""Instruments that bite and grind: burr, Kerrison punch, pituitary rongeur. Frames as in `instruments`."""

from __future__ import annotations

import numpy as np

from spineviz.measures import table
from spineviz.structure import Floats, Frame, Surface
from spineviz.surgery.instruments import BAR, Instrument, bayonet, instrument
from spineviz.surgery.shapes import bent, joined, lathe, skin, sweep


def burr(name: str) -> Instrument:
    """Return a high-speed burr; the handpiece leaves the axis towards -y at the attachment's angle."""
    size = table("instruments.burr")
    radius = size["head_diameter"] / 2
    height = np.linspace(-0.985, 0.97, 13)
    head = lathe([(radius * float(np.sqrt(1 - h * h)), radius * (1 + h)) for h in height], sides=20)
    turn = np.radians(size["angle"])
    away = np.array([0.0, -np.sin(turn), np.cos(turn)])
    bend = np.array([0.0, 0.0, 0.72 * size["shaft_length"]])
    end = bend + 0.28 * size["shaft_length"] * away
    thin = size["shaft_radius"]
    shaft = sweep(bent([(0, 0, radius), bend, end + 4 * away], 10.0), thin, thin)
    piece, wide = size["handpiece_length"], size["handpiece_radius"]
    place = np.array([0.0, 0.02, 0.1, 0.16, 0.18, 0.4, 0.86, 0.9, 0.97, 1.0])
    swell = np.array([0.3, 0.36, 0.42, 0.75, 0.8, 1.0, 1.0, 0.86, 0.8, 0.4])
    body = lathe([(wide * s, piece * p) for s, p in zip(swell, place, strict=True)], sides=28)
    lean = Frame(end, np.array([[1.0, 0, 0], np.cross(away, [1.0, 0, 0]), away]))
    return instrument(name, joined(head, shaft, body.placed(lean)), 0.7 * size["shaft_length"])


def kerrison(name: str) -> Instrument:
    """Return a Kerrison punch: the footplate at the tip bites towards +z, with its shoulder towards +y."""
    size = table("instruments.kerrison")
    half, rise = size["shaft_width"] / 2, np.radians(size["foot_angle"])
    low, high = -0.32 * size["shaft_height"], 0.3 * size["shaft_height"]
    bite, plate = size["bite"], 0.55
    shoulder = np.array([0.0, low, 2.2])
    toe = shoulder + np.array([0, np.cos(rise), -np.sin(rise)]) * (bite + 2.2)
    lift = np.array([0, 0, plate - toe[2]])
    heel = shoulder + lift
    rise_path = bent([heel + np.array([0, 0, 6.0]), heel, toe + lift], 1.2)
    foot = sweep(rise_path, half, plate, exponent=BAR)
    lower = bayonet(size["straight"], size["offset"], size["length"], start=3.4) + np.array([0, low, 0])
    bar = sweep(lower, half, 0.17 * size["shaft_height"], exponent=BAR)
    upper = bayonet(size["straight"], size["offset"], size["length"] - 16, start=bite + 3.2)
    slide_path = upper + np.array([0, high, 0])
    slide = sweep(slide_path, half, 0.24 * size["shaft_height"], exponent=BAR)
    return instrument(name, joined(foot, bar, slide, *pistol(size)), 0.8 * size["straight"])


def leksell(name: str) -> Instrument:
    """Return a Leksell rongeur, which bites bone off; its jaws stand to either side of y = 0."""
    size = table("instruments.leksell")
    fixed, jaw = _rongeur(name, size)
    return instrument(name, joined(fixed.surface, jaw.surface), fixed.reach)


def rongeur(name: str) -> tuple[Instrument, Instrument]:
    """Return a pituitary rongeur and its moving jaw, both closed; the jaw opens towards +y.

    The jaw turns about the x axis through `rongeur_hinge`.
    """
    return _rongeur(name, table("instruments.rongeur"))


def _rongeur(name: str, size: dict[str, float]) -> tuple[Instrument, Instrument]:
    half = size["shaft_width"] / 2
    rod = bayonet(size["straight"], size["offset"], size["length"], start=size["cup_length"] - 0.8)
    bar = sweep(rod, half, size["shaft_height"] / 2, exponent=3.5)
    fixed = instrument(name, joined(cup(size, -1.0), bar, *pistol(size)), 0.8 * size["straight"])
    jaw = instrument(f"{name}_jaw", cup(size, 1.0), size["cup_length"])
    return fixed, jaw


def rongeur_hinge() -> Floats:
    """Return where the rongeur's jaw turns, (3,) mm in the instrument's frame."""
    return np.array([0.0, 0.0, table("instruments.rongeur")["cup_length"]])


def rongeur_opening() -> float:
    """Return how far the rongeur's jaw opens, degrees."""
    return float(table("instruments.rongeur")["opening"])


def rongeur_jaw(pose: Frame, degrees: float, hinge: Floats | None = None) -> Frame:
    """Return where the rongeur's jaw stands, open by an angle, when the rongeur stands in a pose.

    ``hinge`` (3,) mm is that of another tool with such a jaw.
    """
    angle, hinge = np.radians(degrees), rongeur_hinge() if hinge is None else hinge
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    return Frame(hinge - turn @ hinge, turn.T).then(pose)


def cup(size: dict[str, float], side: float) -> Surface:
    """Return one jaw: a shell with a rim, hollow towards its fellow on the other side of y = 0."""
    place = np.array([0.0, 0.05, 0.18, 0.5, 0.8, 1.0])
    wide = size["cup_width"] / 2 * np.array([0.35, 0.7, 0.95, 1.0, 0.8, 0.62])
    deep = size["cup_height"] * np.array([0.3, 0.55, 0.85, 1.0, 0.9, 0.85])
    angle = np.linspace(0, np.pi, 9)
    outer = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    inner = outer[::-1] * 0.68
    outline = np.vstack([outer, inner])
    z = place * size["cup_length"]
    rings = np.empty((len(z), len(outline), 3))
    rings[:, :, 0] = wide[:, None] * outline[:, 0]
    rings[:, :, 1] = side * (0.08 + deep[:, None] * outline[:, 1])
    rings[:, :, 2] = z[:, None]
    return skin(rings)


def pistol(size: dict[str, float]) -> tuple[Surface, ...]:
    """Return the two grips that stand off the shaft's end, away from the wound's axis."""
    y, z = -size["offset"], size["length"]
    rear = bent([(0, y + 1, z - 3), (0, y - 4, z + 7), (0, y - 38, z + 20), (0, y - 74, z + 6)], 12.0)
    front = bent([(0, y + 1, z - 22), (0, y - 8, z - 20), (0, y - 38, z - 18), (0, y - 72, z - 30)], 12.0)
    return sweep(rear, 3.6, 2.6, exponent=3.0), sweep(front, 3.4, 2.4, exponent=3.0)
