"""A spinal needle and the guide wire that is led through it; frames as in `instruments`."""

from __future__ import annotations

import numpy as np

from spineviz.measures import table
from spineviz.surgery.instruments import Instrument, instrument
from spineviz.surgery.shapes import joined, lathe, sweep


def spinal_needle(name: str) -> Instrument:
    """Return a needle with its hub; the tip is cut aslant."""
    size = table("instruments.spinal_needle")
    radius, length, hub = size["diameter"] / 2, size["length"], size["hub_radius"]
    shaft = lathe([(0.08, 0.0), (0.6 * radius, 1.2), (radius, 2.6), (radius, 0.5 * length), (radius, length)])
    grip = lathe(
        [(radius + 0.3, 0.0), (0.55 * hub, 1.0), (hub, 4.0), (0.8 * hub, 7.0), (hub, size["hub_length"])]
    )
    grip = grip.moved(grip.vertices + np.array([0.0, 0.0, length - 1.0]))
    return instrument(name, joined(shaft, grip), length - 4.0)


def guide_wire(name: str) -> Instrument:
    """Return a straight wire with a round tip."""
    size = table("instruments.guide_wire")
    radius, length = size["diameter"] / 2, size["length"]
    path = [(0, 0, 0.0), (0, 0, 0.3 * length), (0, 0, 0.7 * length), (0, 0, length)]
    return instrument(name, sweep(path, radius, radius), length)
