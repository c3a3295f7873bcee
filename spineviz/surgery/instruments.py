"""Instruments as closed solids with a tip and an axis; all sizes come from ``measures/instruments.toml``.

Every instrument stands in its own frame: the tip at the origin, +z along the axis towards the handle,
+y where the working end faces (the bite of a punch, the toe of a retractor, the cutting edge), mm.
Handles leave the axis towards -y, so that the eye can look along the shaft into the wound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spineviz.measures import table
from spineviz.structure import Floats, Points, Structure, Surface
from spineviz.surgery.shapes import bent, joined, lathe, skin, sweep

BAR = 6.0
"""The exponent of a bar's cross-section."""


@dataclass(frozen=True, eq=False)
class Instrument:
    """An instrument in its own frame: tip at the origin, +z along the axis towards the handle.

    ``reach`` is the length in mm from the tip that is slim enough to stand in a corridor and ``radius`` the
    largest distance of that part from the axis.
    """

    name: str
    surface: Surface
    reach: float
    radius: float

    def structure(self) -> Structure:
        """Return the instrument as a structure; a look's matrix brings it into the world."""
        return Structure(self.name, "instrument", self.surface)


def instrument(name: str, surface: Surface, reach: float) -> Instrument:
    """Return an instrument whose corridor radius is measured on its own surface."""
    slim = surface.vertices[surface.vertices[:, 2] <= reach]
    return Instrument(name, surface, reach, float(np.linalg.norm(slim[:, :2], axis=1).max()))


def scalpel(name: str) -> Instrument:
    """Return a No. 15 scalpel; the edge faces +y."""
    size = table("instruments.scalpel")
    length, width = size["blade_length"], size["blade_width"]
    along = np.array([0.0, 0.06, 0.2, 0.45, 0.75, 1.0])
    half = width / 2 * np.array([0.08, 0.5, 0.85, 1.0, 1.0, 0.92])
    blade_path = np.stack([np.zeros(6), width / 2 - half, along * length], axis=1)
    thickness = size["blade_thickness"] / 2
    blade = sweep(blade_path, thickness, half, exponent=1.6)
    z = length + size["handle_length"] * np.array([-0.04, 0.05, 0.18, 0.5, 0.9, 1.0])
    handle_path = np.stack([np.zeros(6), np.zeros(6), z], axis=1)
    broad = size["handle_width"] / 2 * np.array([0.55, 0.6, 1.0, 0.9, 0.95, 0.7])
    handle = sweep(handle_path, size["handle_thickness"] / 2, broad, exponent=BAR, sides=20)
    return instrument(name, joined(blade, handle), length)


def dilators(approach: str) -> tuple[Instrument, ...]:
    """Return the dilators in series, the thinnest and longest first; each slides over the one before."""
    size = table("instruments.dilators")
    result = []
    inner = 0.0
    for number, diameter in enumerate(size["diameters"]):
        radius, length = diameter / 2, size["longest"] - number * size["shorter_by"]
        surface = _dilator(radius, inner, length)
        result.append(instrument(f"instrument.{approach}.dilator.{number + 1}", surface, length))
        inner = radius + size["clearance"]
    return tuple(result)


def _dilator(radius: float, inner: float, length: float) -> Surface:
    tip = max(3.0, 1.9 * (radius - inner))
    grooves = [
        point
        for place in (0.80, 0.84, 0.88, 0.92)
        for point in (
            (radius, place * length - 0.9),
            (radius - 0.3, place * length - 0.6),
            (radius - 0.3, place * length + 0.6),
            (radius, place * length + 0.9),
        )
    ]
    outside = [
        (radius, tip),
        (radius, 0.5 * length),
        *grooves,
        (radius, length - 0.5),
        (radius - 0.4, length),
    ]
    if inner == 0.0:
        nose = [(0.15, 0.0), (0.55 * radius, 0.35 * radius), (0.9 * radius, 0.9 * radius)]
        outside[0] = (radius, 1.4 * radius)
        return lathe([*nose, *outside])
    edge = [(inner + 0.12, 0.0), (inner + 0.3, 0.1), (radius - 0.1, tip - 0.3)]
    hole = [(inner + 0.3, length), (inner, length - 0.4), (inner, 0.15)]
    return lathe([*edge, *outside, *hole], sides=40, hollow=True)


def tube_lengths() -> tuple[float, ...]:
    """Return the lengths in mm that tubular retractors come in: every 10 mm."""
    shortest, longest = table("instruments.tube")["lengths"]
    return tuple(float(length) for length in np.arange(shortest, longest + 1, 10))


def tube_length(depth: float) -> float:
    """Return the shortest tube that stands proud of the skin at a depth (mm) from skin to bone.

    Raises ValueError where no tube is long enough.
    """
    proud = table("instruments.tube")["above_skin"]
    for length in tube_lengths():
        if length >= depth + proud:
            return length
    raise ValueError(
        f"no tube reaches {depth:.0f} mm below the skin; the longest has {tube_lengths()[-1]:.0f} mm"
    )


def tubular_retractor(name: str, inner_diameter: float, outer_diameter: float, length: float) -> Instrument:
    """Return a thin-walled tube with its rim and the bracket of the table arm towards -y."""
    size = table("instruments.tube")
    inner, outer, rim = inner_diameter / 2, outer_diameter / 2, size["rim_height"]
    flare = outer + size["rim_width"]
    wall = lathe(
        [
            (inner + 0.1, 0.0),
            (outer - 0.1, 0.0),
            (outer, 0.15),
            (outer, 0.5 * length),
            (outer, length - rim),
            (flare - 0.4, length - rim + 0.1),
            (flare, length - rim + 0.5),
            (flare, length - 0.5),
            (flare - 0.4, length),
            (inner + 0.8, length),
            (inner, length - 0.8),
            (inner, 0.5 * length),
            (inner, 0.15),
        ],
        sides=56,
        hollow=True,
    )
    top = length - rim / 2
    arm_path = [
        (0, -outer - 1.2, top),
        (0, -outer - 8, top + 2.0),
        (0, -outer - size["arm_length"], top + 2.0),
    ]
    arm = sweep(bent(arm_path, 4.0), 4.5, 1.5, exponent=BAR)
    knob = lathe([(3.6, 0), (4.0, 0.4), (4.0, 6.0), (3.4, 6.8), (0.4, 7.0)], sides=20)
    screw = knob.moved(knob.vertices + np.array([0, -outer - size["arm_length"] + 8, top + 2.0]))
    return instrument(name, joined(wall, arm, screw), length - rim - 0.1)


def cobb_elevator(name: str) -> Instrument:
    """Return a Cobb elevator: a broad, slightly curved blade; its back faces +y."""
    size = table("instruments.cobb")
    width, blade = size["blade_width"] / 2, size["blade_length"]
    place = np.array([0.0, 0.06, 0.2, 0.45, 0.7, 0.9, 1.0])
    half = np.array([0.72, 0.9, 1.0, 0.92, 0.6, 0.34, 0.3]) * width
    thick = np.array([0.25, 0.45, 0.7, 0.9, 1.3, 1.7, 1.9]) * size["blade_thickness"] / 2
    bow = -4.0 * place * (1 - place) * 2.2
    spoon = sweep(np.stack([0 * place, bow, place * blade], axis=1), half, thick, exponent=2.6, sides=24)
    radius, length = size["shaft_radius"], size["length"]
    shaft = sweep([(0, 0, blade - 4), (0, 0, 80), (0, 0, 0.56 * length)], radius, radius)
    grip = size["handle_radius"]
    z = length * np.array([0.54, 0.56, 0.6, 0.66, 0.8, 0.93, 0.985, 1.0])
    r = grip * np.array([0.45, 0.7, 0.85, 0.8, 1.0, 0.95, 0.7, 0.3])
    handle = lathe(list(zip(r, z, strict=True)), sides=24)
    return instrument(name, joined(spoon, shaft, handle), 0.5 * length)


def nerve_root_retractor(name: str, *, walled: bool = True) -> Instrument:
    """Return a Love retractor: its toe turns 90 degrees towards +y; the tip is the toe's heel.

    One that is not ``walled`` by a tube leaves its axis sooner.
    """
    size = table("instruments.nerve_root_retractor")
    size = size if walled else {**size, "straight": size["straight_open"]}
    half = size["toe_thickness"] / 2
    toe_path = bent([(0, -0.4, 7.0), (0, 0, half), (0, size["toe"], half)], 1.8)
    wide = size["toe_width"] / 2 * np.linspace(0.7, 1.0, len(toe_path))
    toe = sweep(toe_path, wide, half, exponent=3.0)
    radius = size["shaft_radius"]
    shaft = sweep(bayonet(size["straight"], size["offset"], size["length"], start=5.0), radius, radius)
    grip = sweep(_grip_path(size), 3.6, 3.0, exponent=3.0)
    return instrument(name, joined(toe, shaft, grip), 0.8 * size["straight"])


def nerve_probe(name: str) -> Instrument:
    """Return a probe with a ball at its tip, which feels whether a root is free."""
    size = table("instruments.nerve_probe")
    ball, thin = size["ball"] / 2, size["shaft_radius"]
    height = np.linspace(-0.985, 0.9, 9)
    head = lathe([(ball * float(np.sqrt(1 - h * h)), ball * (1 + h)) for h in height], sides=16)
    shaft = sweep(bayonet(size["straight"], size["offset"], size["length"], start=ball), thin, thin)
    grip = sweep(_grip_path(size), 3.4, 3.4, exponent=3.0)
    return instrument(name, joined(head, shaft, grip), 0.8 * size["straight"])


def bayonet(straight: float, offset: float, length: float, start: float) -> Points:
    """Return the path (k, 3) of a shaft that leaves its axis towards -y beyond its straight part, mm."""
    turn = straight + 0.9 * offset
    return bent([(0, 0, start), (0, 0, straight), (0, -offset, turn), (0, -offset, length)], 9.0)


def _grip_path(size: dict[str, float]) -> Floats:
    turn = size["straight"] + 0.9 * size["offset"]
    z = np.linspace(turn + 12, size["length"], 6)
    return np.stack([0 * z, np.full(6, -size["offset"]), z], axis=1)


def needle_holder(name: str) -> Instrument:
    """Return a needle holder with its curved needle; the middle of the needle's circle is at the origin.

    The circle lies across the axis; the jaws hold the needle where the circle is highest towards +y, and its
    point looks towards -x.
    """
    size = table("instruments.needle_holder")
    high, thin = size["needle_radius"], size["needle_thickness"] / 2
    angles = np.radians(np.linspace(90.0 - size["held"], 90.0 - size["held"] + size["needle_arc"], 24))
    circle = high * np.stack([np.cos(angles), np.sin(angles), np.zeros(24)], axis=1)
    needle = sweep(circle, thin * _pointed(24), thin * _pointed(24), (0.0, 0.0, 1.0))
    joint, ring = size["jaw_length"], size["ring_radius"]
    along = np.array([-0.5, 0.5, 0.5, 0.9, 1.1]) * np.array([1.0, 1.0, joint, joint, joint])
    jaws_path = np.stack([np.zeros(5), np.full(5, high), along], axis=1)
    slim = np.array([0.55, 0.65, 0.85, 1.2, 1.0])
    jaws = sweep(jaws_path, size["jaw_width"] / 2 * slim, size["jaw_thickness"] / 2 * slim, exponent=BAR)
    parts = [needle, jaws]
    for side in (1.0, -1.0):
        end = np.array([side * size["shank_spread"] / 2, high, joint + size["shank_length"]])
        start = np.array([-0.6 * side, high, 0.95 * joint])
        bow = start + 0.6 * (end - start) + [side * 2.5, 0.0, 0.0]
        shank = bent([start, bow, end], 20.0)
        parts.append(sweep(shank, size["shank_width"] / 2, 0.7 * size["shank_width"] / 2, exponent=3.0))
        parts.append(_ring(end + ring * np.array([0.0, 0.0, 1.0]), ring, size["ring_thickness"] / 2))
    return instrument(name, joined(*parts), joint)


def tissue_forceps(name: str) -> Instrument:
    """Return fine tissue forceps, slightly open; the arms lie beside each other along the x axis."""
    size = table("instruments.tissue_forceps")
    z = size["length"] * np.array([0.0, 0.12, 0.3, 0.55, 0.85, 0.97, 1.0])
    apart = np.interp(z, size["length"] * np.array([0.0, 0.3, 0.6, 0.97, 1.0]), [0.0, 0.45, 1.0, 0.12, 0.05])
    broad = np.interp(z, size["length"] * np.array([0.0, 0.25, 0.5, 1.0]), [0.0, 0.3, 1.0, 0.55])
    wide = (size["tip_width"] + (size["grip_width"] - size["tip_width"]) * broad) / 2
    arms = [
        sweep(
            np.stack([side * (size["open"] + size["spread"] * apart) / 2, np.zeros(7), z], axis=1),
            size["thickness"] / 2,
            wide,
            exponent=BAR,
        )
        for side in (1.0, -1.0)
    ]
    return instrument(name, joined(*arms), 0.2 * size["length"])


def _pointed(count: int) -> Floats:
    """Return shares (count,) by which a needle is thick along its way: its end is a point."""
    return np.clip(np.linspace(6.0, 0.08, count), 0.0, 1.0)


def _ring(middle: Floats, radius: float, half: float) -> Surface:
    """Return a finger ring across the y axis, mm."""
    turn = np.linspace(0.0, 2 * np.pi, 33)[:-1]
    around = np.linspace(0.0, 2 * np.pi, 10, endpoint=False)
    out = radius + half * np.cos(around)
    rings = np.stack(
        [
            np.cos(turn)[:, None] * out,
            np.broadcast_to(half * np.sin(around), (32, 10)),
            np.sin(turn)[:, None] * out,
        ],
        axis=2,
    )
    return skin(rings + middle, closed=True)
