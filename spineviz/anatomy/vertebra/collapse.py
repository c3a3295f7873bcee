"""The collapse of a vertebral body, as a map of the places in and around it.

All in the bone's own frame, mm: x right, y anterior, z superior. What lies above the body's superior
endplate sinks and tips with it, the posterior arch goes part of the way, and walls bulge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spineviz import measures
from spineviz.anatomy.column.deformation import Collapse
from spineviz.structure import Floats, Points

UPPER_OF_BOTH = 0.5
"""Where both endplates give way, the superior one is dished by this share of it all."""


@dataclass(frozen=True)
class Extent:
    """A vertebral body by its corners in the midline, mm in its own frame, each as (y, z).

    ``half_width`` is that of its endplates, ``middle`` its height in the middle, through the dishes.
    """

    upper_front: tuple[float, float]
    upper_back: tuple[float, float]
    lower_front: tuple[float, float]
    lower_back: tuple[float, float]
    half_width: float
    middle: float

    @property
    def heights(self) -> tuple[float, float]:
        """The heights in front and behind."""
        return self.upper_front[1] - self.lower_front[1], self.upper_back[1] - self.lower_back[1]

    @property
    def depth(self) -> float:
        """The depth of the superior endplate."""
        return float(np.hypot(*(np.array(self.upper_front) - np.array(self.upper_back))))


def tipped(collapse: Collapse, body: Extent) -> Floats:
    """Return the 4 x 4 movement of the superior endplate, and of all above it, in the bone's own frame."""
    front, back = body.heights
    fall, sink = collapse.front * front, collapse.back * back
    angle = float(np.arcsin(np.clip((fall - sink) / body.depth, -0.9, 0.9)))
    cosine, sine = np.cos(angle), np.sin(angle)
    result = np.eye(4)
    result[1:3, 1:3] = [[cosine, sine], [-sine, cosine]]
    hinge = np.array([0.0, *body.upper_back])
    result[:3, 3] = hinge - result[:3, :3] @ hinge - np.array([0.0, 0.0, sink])
    return result


def crushed(collapse: Collapse, body: Extent, points: Points) -> Points:
    """Return where places (n, 3) in and around a body go when it collapses."""
    shape = measures.table("collapse")
    points = np.asarray(points, dtype=np.float64)
    x, y, z = points.T
    share = np.clip((y - body.upper_back[0]) / (body.upper_front[0] - body.upper_back[0]), 0.0, 1.0)
    floor = body.lower_back[1] + share * (body.lower_front[1] - body.lower_back[1])
    roof = body.upper_back[1] + share * (body.upper_front[1] - body.upper_back[1])
    up = np.clip((z - floor) / (roof - floor), 0.0, 1.0)
    behind = _smooth((body.upper_back[0] - y) / shape["pedicle"])
    risen = (1.0 - behind) * up + behind * shape["arch"]
    matrix = tipped(collapse, body)
    moved = points @ matrix[:3, :3].T + matrix[:3, 3]
    result = points + risen[:, None] * (moved - points)
    middle = (body.upper_front[0] + body.upper_back[0]) / 2.0
    half_depth = (body.upper_front[0] - body.upper_back[0]) / 2.0
    radius = np.hypot(x / body.half_width, (y - middle) / half_depth)
    deep = _deep(collapse, body)
    dish = deep * np.clip(1.0 - radius**2, 0.0, 1.0) ** 2
    upper = UPPER_OF_BOTH if collapse.both else 1.0
    result[:, 2] += dish * (1.0 - behind) * ((1.0 - upper) * (1.0 - up) - upper * up)
    bulge = shape["bulge"] * (_sunk(collapse, body) + deep / 2.0) * 4.0 * up * (1.0 - up) * (1.0 - behind)
    outward = np.stack([x, y - middle], axis=1) / np.maximum(np.hypot(x, y - middle), 1e-6)[:, None]
    result[:, :2] += (bulge * _smooth(radius - 0.3))[:, None] * outward
    result[:, 0] += collapse.widened / 2.0 * np.sign(x) * _smooth(np.abs(x) / shape["canal_half_width"])
    return result


def dished(collapse: Collapse, body: Extent) -> tuple[float, float]:
    """Return how deep (mm), on the mean, the superior and the inferior endplate have become dished."""
    upper, mean = UPPER_OF_BOTH if collapse.both else 1.0, _deep(collapse, body) / 3.0
    return upper * mean, (1.0 - upper) * mean


def _sunk(collapse: Collapse, body: Extent) -> float:
    """Return how far (mm) the line between the upper corners has sunk amid the body."""
    front, back = body.heights
    return (collapse.front * front + collapse.back * back) / 2.0


def _deep(collapse: Collapse, body: Extent) -> float:
    """Return how much deeper (mm) the endplates are dished, at their middles and in sum.

    What is between the dishes of a healthy body takes its share of all that sinks: so of the walls' height,
    not of its own, the middle loses the part that it is asked for.
    """
    return max(collapse.middle * float(np.mean(body.heights)) - _sunk(collapse, body), 0.0)


def _smooth(share: Floats) -> Floats:
    clipped = np.clip(share, 0.0, 1.0)
    result: Floats = clipped * clipped * (3.0 - 2.0 * clipped)
    return result
