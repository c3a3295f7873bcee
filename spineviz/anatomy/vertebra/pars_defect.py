"""A defect of both partes interarticulares: the posterior arch comes apart from the rest of the vertebra.

All in the bone's own frame, mm: x right, y anterior, z superior; the same left and right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spineviz import measures
from spineviz.structure import Floats, Frame, Points


@dataclass(frozen=True)
class ParsDefect:
    """Where both partes are cleft: from laterally below to medially above, and forwards as it descends.

    The cleft passes ``middle`` (x, y, z) on the right side; it rises by ``medial`` (mm per mm) towards the
    midline and by ``dorsal`` backwards. What lies below it and behind ``front`` (y) is the loose arch.
    """

    middle: tuple[float, float, float]
    medial: float
    dorsal: float
    front: float

    def behind(self, points: Points) -> Floats:
        """Return how far (n,) mm points (n, 3) lie in the loose arch; negative in what carries the body."""
        x, y, z = np.asarray(points, dtype=np.float64).T
        own = self.middle
        height = own[2] + self.medial * (own[0] - np.abs(x)) - self.dorsal * (y - own[1])
        steep = np.sqrt(1.0 + self.medial**2 + self.dorsal**2)
        return np.minimum((height - z) / steep, self.front - y)


def pars_defect(landmarks: Mapping[str, Frame]) -> ParsDefect:
    """Return the defect of a vertebra, by its landmarks in its own frame.

    Raises ValueError where a landmark of the arch is missing.
    """
    names = ("facet.superior.right", "facet.inferior.right", "pedicle.right", "pars.right")
    if missing := [name for name in names if name not in landmarks]:
        raise ValueError(f"a pars defect needs the landmark {missing[0]}")
    above, below, pedicle, pars = (landmarks[name].origin for name in names)
    shape = measures.table("pars_defect")
    middle = (above + below) / 2.0
    return ParsDefect(
        (float(middle[0]), float(pars[1]), float(middle[2]) + shape["raised"]),
        shape["medial"],
        shape["dorsal"],
        float((pedicle[1] + below[1]) / 2.0),
    )
