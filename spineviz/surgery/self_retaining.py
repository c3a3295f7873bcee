"""The frame of a self-retaining retractor: two arms that hold the blades, and the ratchet between them.

The blades are made of the wound's own lips; here are the parts that stand outside. In an arm's frame the
blade's upper edge is at the origin, +x is lateral and +z out of the body; the arm goes caudally, where
``caudal`` is the sign of y in that direction.
"""

from __future__ import annotations

import numpy as np

from spineviz.measures import table
from spineviz.structure import Surface
from spineviz.surgery.instruments import BAR, Instrument
from spineviz.surgery.shapes import bent, joined, lathe, sweep

UP = (0.0, 0.0, 1.0)


def lateral_arm(name: str, caudal: float) -> Instrument:
    """Return the arm of the lateral blade, with the ratchet's box and its key."""
    size = table("instruments.self_retaining")
    wide, thick, length = size["bar_width"] / 2, size["bar_thickness"] / 2, caudal * size["arm_length"]
    path = [(-1.0, 0, 0.5), (8, 0, 1), (13, 0.2 * length, 1), (13, length, 1)]
    arm = sweep(bent(path, 6.0), thick, wide, UP, exponent=BAR)
    box = sweep([(13, length - 6, 1), (13, length + 6, 1)], 4.6, 7.0, UP, exponent=BAR)
    wing = lathe([(5.0, 0), (5.6, 0.5), (5.6, 2.6), (5.0, 3.2)], sides=24)
    key = wing.moved(wing.vertices + np.array([13, length, 5]))
    return Instrument(name, joined(arm, box, key, _stem(size)), 0.0, 0.0)


def medial_arm(name: str, caudal: float, spread: float) -> Instrument:
    """Return the arm of the medial blade and the toothed bar that runs through the ratchet's box.

    ``spread`` (mm) is how far the blades stand apart at full opening.
    """
    size = table("instruments.self_retaining")
    wide, thick, length = size["bar_width"] / 2, size["bar_thickness"] / 2, caudal * size["arm_length"]
    path = [(1.0, 0, 0.5), (-4, 0, 1), (-7, 0.2 * length, 1), (-7, length, 1)]
    arm = sweep(bent(path, 6.0), thick, wide, UP, exponent=BAR)
    end = spread + 26.0
    bar = sweep([(-10, length, 1), (end, length, 1)], 0.8 * thick, 0.8 * wide, UP, exponent=BAR)
    return Instrument(
        name, joined(arm, bar, _stem(size), *_teeth(size["tooth_pitch"], end, length)), 0.0, 0.0
    )


def _stem(size: dict[str, float]) -> Surface:
    """Return the piece that grips the blade's upper edge."""
    return sweep([(0, 0, -size["stem"]), (0, 0, 2.2)], 1.6, 3.2, exponent=BAR)


def _teeth(pitch: float, end: float, length: float) -> list[Surface]:
    """Return the ratchet's teeth along the bar."""
    outside = float(np.sign(length))
    return [
        sweep(
            [(x, length + 2.0 * outside, 1), (x + 0.45 * pitch, length + 3.2 * outside, 1)],
            1.2,
            [1.2, 0.4],
            UP,
            exponent=BAR,
            sides=8,
        )
        for x in np.arange(4.0, end - 2.0, pitch)
    ]
