"""A bulging disc: annulus that stands beyond the endplates over more than a quarter of the circumference."""

from __future__ import annotations

import numpy as np
from pydantic import Field as Limits

from spineviz.spec import Spec
from spineviz.structure import Floats
from spineviz.terms import SIGN, Side

TOWARDS = 38.0
"""The direction (degrees from straight behind) of the posterior margin for each unit of ``offset``."""


class Bulging(Spec):
    """How far annulus stands out.

    ``depth`` (mm) is that of the whole bulge beyond the endplates' edges. ``share`` is the part of the
    circumference it takes: 1 is symmetric. An asymmetric one is greatest at ``offset`` on ``side``, as
    `DisplacedMaterial` tells it, or in front where there is no offset.
    """

    depth: float = Limits(gt=0.0, le=6.0)
    share: float = Limits(default=1.0, gt=0.25, le=1.0)
    side: Side = "left"
    offset: float | None = None

    def beyond(self, angle: Floats, healthy: float) -> Floats:
        """Return how much farther (n,) mm than a healthy annulus it stands out, at angles from the right.

        ``healthy`` (mm) is how far that one does.
        """
        more = max(self.depth - healthy, 0.0)
        if self.share == 1.0:
            return np.full(np.shape(angle), more)
        middle = (
            np.pi / 2
            if self.offset is None
            else -np.pi / 2 + SIGN[self.side] * np.radians(TOWARDS * self.offset)
        )
        away = np.abs((np.asarray(angle) - middle + np.pi) % (2 * np.pi) - np.pi)
        reach = np.clip(away / (np.pi * self.share), 0.0, 1.0)
        return np.asarray(more * np.cos(np.pi / 2 * reach) ** 2)
