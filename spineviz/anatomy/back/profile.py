"""Parameters of the soft tissue of the back: read from the measures, and smooth along the spine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from spineviz import measures
from spineviz.anatomy.back.stations import SAME, Stations, names_of
from spineviz.spec import Spec
from spineviz.structure import Floats
from spineviz.terms import LOWER_LUMBAR_LEVELS, column

Profile = tuple[float, ...]
"""A measure in mm at the stations, from cranial to caudal (see `spineviz.anatomy.back.stations`)."""

STATIONS = names_of(column()[:-1])
"""All stations, from the atlas to the sacrum."""

LOWER_LUMBAR = names_of(LOWER_LUMBAR_LEVELS)
"""The stations of L3 to the sacrum."""

Parameters = TypeVar("Parameters", bound=Spec)


def measured(kind: type[Parameters], table: str, names: Sequence[str] = LOWER_LUMBAR) -> Parameters:
    """Return the parameters of a tissue at some stations from a table of the measures.

    Its lists, one number for each of `STATIONS`, become profiles. Raises pydantic's ValidationError where
    the table has other entries than the parameters, ValueError for a list of another length.
    """
    return kind.model_validate({name: _chosen(value, names) for name, value in measures.table(table).items()})


def _chosen(value: Any, names: Sequence[str]) -> Any:
    return at_stations(value, names) if isinstance(value, Sequence) else value


def at_stations(values: Sequence[float], names: Sequence[str]) -> Profile:
    """Return the numbers of some stations from a list that has one for each of `STATIONS`."""
    by_name = dict(zip(STATIONS, values, strict=True))
    return tuple(by_name[SAME.get(name, name)] for name in names)


def along(span: Stations, profile: Profile) -> Callable[[Floats], Floats]:
    """Return a measure given at the stations as a smooth function of z, constant beyond both ends."""
    from scipy.interpolate import PchipInterpolator

    heights = np.array(span.heights[::-1])
    fine = np.linspace(heights[0], heights[-1], int(2.0 * np.ptp(heights)) + 2)
    curve = PchipInterpolator(heights, profile[::-1])(fine)
    return lambda z: np.interp(z, fine, curve)
