"""The fragment of a burst fracture: the upper posterior corner of a body, driven back into the canal.

All in the bone's own frame, mm: x right, y anterior, z superior.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spineviz import measures
from spineviz.structure import Floats, Points

if TYPE_CHECKING:
    from spineviz.anatomy.vertebra.collapse import Extent


@dataclass(frozen=True)
class Retropulsed:
    """The fragment between the pedicles, and how far (mm) it goes ``back``.

    ``corner`` and ``foot`` (y, z) are the upper and the lower posterior corner of the body; ``width`` and
    ``depth`` are those of its superior endplate. In `fracture.wall` stands what shares of them it takes.
    """

    corner: tuple[float, float]
    foot: tuple[float, float]
    width: float
    depth: float
    back: float

    def beyond(self, points: Points) -> Floats:
        """Return how far (n,) mm points (n, 3) lie within the fragment; negative in the rest of the bone."""
        inside, behind, _ = self._inside(points)
        result: Floats = np.minimum(inside, measures.value("fracture.wall.behind") - behind)
        return result

    def opened(self, points: Points) -> Points:
        """Return where places (n, 3) go: the fragment all the way back, what lies behind it ever less.

        In bone the border is as wide as the crack; behind it and above it, in soft tissue, it fades.
        """
        shape = measures.table("fracture.wall")
        inside, behind, above = self._inside(points)
        off = np.maximum(behind, above)
        beside, fading = (np.minimum(shape[name][0] * off, shape[name][1]) for name in ("beside", "fading"))
        half = measures.value("fracture.crack.gap") / 2.0 + fading
        share = np.clip(0.5 + (inside + beside) / (2.0 * half), 0.0, 1.0)
        share = share * share * (3.0 - 2.0 * share)
        share = share * np.clip(1.0 - behind / shape["canal_depth"], 0.0, 1.0)
        result: Points = np.array(points, dtype=np.float64)
        result[:, 1] -= self.back * share
        return result

    def _inside(self, points: Points) -> tuple[Floats, Floats, Floats]:
        """Return how far (n,) points lie within the fragment's sides, behind the wall, and above the body."""
        shape = measures.table("fracture.wall")
        x, y, z = np.asarray(points, dtype=np.float64).T
        tall = shape["height"] * (self.corner[1] - self.foot[1])
        lower = np.clip((self.corner[1] - z) / tall, 0.0, 1.0)
        wall = np.interp(z, [self.foot[1], self.corner[1]], [self.foot[0], self.corner[0]])
        waves = shape["wave"] * np.sin(y / 2.3 + 0.4) * np.cos(z / 2.9)
        deep = self.depth * (shape["depth"] + lower * (shape["depth_below"] - shape["depth"]))
        inside = np.min(
            [
                shape["width"] * self.width / 2.0 - np.abs(x) + waves,
                deep - (y - wall) + shape["wave"] * np.sin(x / 2.7) * np.cos(z / 2.3),
                z - (self.corner[1] - tall) + waves,
                self.corner[1] + shape["above"] - z,
            ],
            axis=0,
        )
        return inside, np.maximum(wall - y, 0.0), np.maximum(z - self.corner[1], 0.0)


def retropulsed(body: Extent, back: float) -> Retropulsed:
    """Return the fragment of a body that is driven ``back`` so far, mm."""
    return Retropulsed(body.upper_back, body.lower_back, 2.0 * body.half_width, body.depth, back)
