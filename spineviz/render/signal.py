"""How bright each tissue is on a T2-weighted MRI: fluid and fat bright, ligament and cortical bone black.

Fast spin echo without fat suppression, as the lumbar spine is examined. The grey values are model values in
the order that textbooks give: fluid over fat over marrow over muscle over ligament. A worn disc is dark
(Pfirrmann 2001).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from spineviz.structure import Structure
from spineviz.terms import Tissue


@dataclass(frozen=True)
class Signal:
    """The brightness of a tissue, 0 black to 1 white; ``rim`` (mm) of its border is as bright as ``border``.

    ``mottle`` is how much it varies from place to place.
    """

    inside: float
    rim: float = 0.0
    border: float = 0.0
    mottle: float = 0.02


FAT = Signal(0.76, mottle=0.05)
"""What lies between all structures."""

AIR = 0.015
"""Behind the skin."""

SIGNALS: Mapping[Tissue, Signal] = MappingProxyType(
    {
        "skin": Signal(0.30),
        "fat": FAT,
        "muscle": Signal(0.235, mottle=0.10),
        "fascia": Signal(0.06),
        "tendon": Signal(0.08),
        "ligament": Signal(0.10),
        "vein": Signal(0.16, 0.5, 0.28),
        "artery": Signal(0.05, 0.8, 0.22),
        "annulus": Signal(0.10),
        "nucleus": Signal(0.80, 1.6, 0.50),
        "cartilage": Signal(0.34),
        "bone": Signal(0.47, 1.0, 0.05, mottle=0.05),
        "dura": Signal(0.97, 0.35, 0.16, mottle=0.01),
        "cord": Signal(0.40),
        "nerve": Signal(0.42),
        "fragment": Signal(0.30, 0.4, 0.14, mottle=0.04),
        "instrument": Signal(0.0),
    }
)
"""The signal of healthy tissue."""

FLAVUM = Signal(0.14)
"""The yellow ligament is a little less dark than others."""

OEDEMA = Signal(0.72, mottle=0.05)
"""Marrow that is changed after Modic 1 holds water."""


def signal_of(structure: Structure, severity: float = 1.0) -> Signal:
    """Return how bright a structure is that shows so much of its disease, 0 to 1."""
    if structure.name.startswith("flavum"):
        return FLAVUM
    found = SIGNALS[structure.tissue]
    if structure.name.startswith("vacuum"):
        return Signal(0.0)
    if structure.name.startswith("marrow_change") and structure.tissue == "fragment":
        return OEDEMA
    if not structure.shade:
        return found
    kept = 1.0 - severity * structure.shade
    return replace(found, inside=found.inside * kept, border=found.border * kept)
