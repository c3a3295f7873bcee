"""A solid is a function: negative inside, zero on the surface, in millimetres.

Distances are joined as plain arrays, so that a field is ordinary numpy code:
``smooth_union(body(points), pedicle(points), radius=4.0)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spineviz.structure import Floats, Points, frozen

Field = Callable[[Points], Floats]
"""Signed distance: points, shape (n, 3), mm -> (n,) mm, negative inside the solid."""


@dataclass(frozen=True, eq=False)
class Solid:
    """A field and the box that holds its whole surface.

    ``lower`` and ``upper`` have shape (3,), mm, in the frame of the field.
    Raises ValueError where a lower bound is not below its upper bound.
    """

    field: Field
    lower: Floats
    upper: Floats

    def __post_init__(self) -> None:
        lower, upper = frozen(self.lower, np.float64), frozen(self.upper, np.float64)
        if lower.shape != (3,) or upper.shape != (3,) or not np.all(lower < upper):
            raise ValueError(f"a solid needs 3 lower bounds below its upper bounds, not {lower} and {upper}")
        object.__setattr__(self, "lower", lower)
        object.__setattr__(self, "upper", upper)


def smooth_union(first: npt.ArrayLike, second: npt.ArrayLike, radius: float) -> Floats:
    """Join two distances with a fillet: the quadratic smooth minimum.

    ``radius`` (mm) is how far apart the two distances may be and still be blended; where they are
    equal the surface is raised by a quarter of it. A radius of 0 gives the plain minimum.
    """
    a, b = np.asarray(first), np.asarray(second)
    if radius <= 0.0:
        return np.asarray(np.minimum(a, b))
    overlap = np.maximum(radius - np.abs(a - b), 0.0)
    result: Floats = np.minimum(a, b) - overlap * overlap / (4.0 * radius)
    return result


def smooth_intersection(first: npt.ArrayLike, second: npt.ArrayLike, radius: float) -> Floats:
    """Keep what lies inside both solids and round the edge between them by ``radius`` (mm)."""
    return -smooth_union(-np.asarray(first), -np.asarray(second), radius)


def smooth_difference(kept: npt.ArrayLike, removed: npt.ArrayLike, radius: float) -> Floats:
    """Take the second solid out of the first and round the new edge by ``radius`` (mm)."""
    return smooth_intersection(kept, -np.asarray(removed), radius)
