"""A sleeve that comes from the side, past the articular processes: no floor of bone lies under its way."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from spineviz.structure import Floats, Points
from spineviz.surgery.retraction.swinging import SwingingCorridor
from spineviz.surgery.retraction.terrain import lifted_height, smooth
from spineviz.surgery.retraction.tube import TubePoints

BEYOND = (6.0, 22.0)
"""From how far (mm) beyond the docked end on tissue is opened less and less, and from where on not at all."""


@dataclass(frozen=True, eq=False)
class SidewaysCorridor(SwingingCorridor):
    """The way of a sleeve from the side of the back to the foramen.

    Tissue rises along the sleeve over the plane across its docked end, not over the bone seen from behind,
    and slides on no floor.
    """

    def prepared(self, points: Points) -> TubePoints:
        """Return world points (n, 3) with all that the map needs to know of them."""
        found = super().prepared(points)
        height = np.maximum(self.length - found.depth, 0.0)
        return replace(found, lift=lifted_height(height), follow=np.zeros(len(found.depth)))

    def _fade(self, points: Points) -> Floats:
        """Return 1 along the sleeve, and 0 in the midline and well beyond the docked end."""
        deep = self.frame.to_local(points)[:, 1]
        near, far = BEYOND
        return np.asarray(super()._fade(points) * (1.0 - smooth((deep - near) / (far - near))))
