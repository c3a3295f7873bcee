"""Parameters of the soft tissue of the back: read from the measures, and smooth along the spine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from spineviz import measures
from spineviz.anatomy.back.floor import Stations
from spineviz.spec import Spec
from spineviz.structure import Floats

Profile = tuple[float, float, float, float, float]
"""A measure in mm at the stations: top of L3, discs L3-L4, L4-L5, L5-S1, and the body of S2."""

Parameters = TypeVar("Parameters", bound=Spec)


def measured(kind: type[Parameters], table: str) -> Parameters:
    """Return the parameters of a tissue from a table of the measures.

    Raises pydantic's ValidationError where the table has other entries than the parameters.
    """
    return kind.model_validate(measures.table(table))


def along(span: Stations, profile: Profile) -> Callable[[Floats], Floats]:
    """Return a measure given at the stations as a smooth function of z, constant beyond both ends."""
    from scipy.interpolate import PchipInterpolator

    heights = np.array(span.heights[::-1])
    curve = PchipInterpolator(heights, profile[::-1])
    return lambda z: curve(np.clip(z, heights[0], heights[-1]))
