"""Parameters of the thecal sac and the roots, and their healthy values."""

from __future__ import annotations

from pydantic import Field as Limits

from spineviz import measures
from spineviz.spec import Spec
from spineviz.terms import Level


class SacSection(Spec):
    """The sac at one station: its extents and the epidural space in front of it, mm."""

    station: str
    ap: float = Limits(gt=1.0, le=25.0)
    transverse: float = Limits(gt=1.0, le=30.0)
    anterior_gap: float = Limits(ge=0.0, le=10.0)


class RootParameters(Spec):
    """A root on both sides, mm.

    ``takeoff_height`` is how far it leaves the sac above the upper endplate of its own vertebra.
    ``ganglion_place`` is how far the ganglion's centre lies beyond the point under the pedicle, or, for
    S1, beyond the lower end of the lateral recess. ``outside_direction`` (right side, in the bone's
    frame) and ``outside_length`` lay the piece outside the foramen.
    """

    level: Level
    diameter: float = Limits(gt=1.0, le=9.0)
    ganglion_width: float = Limits(gt=1.0, le=12.0)
    ganglion_length: float = Limits(gt=2.0, le=20.0)
    takeoff_height: float = Limits(ge=-15.0, le=20.0)
    ganglion_place: float = Limits(ge=-10.0, le=10.0)
    outside_direction: tuple[float, float, float]
    outside_length: float = Limits(ge=0.0, le=60.0)


class NerveParameters(Spec):
    """The thecal sac, from its highest station to its end, and the roots that leave it."""

    sac: tuple[SacSection, ...]
    roots: tuple[RootParameters, ...]


def nerve_parameters() -> NerveParameters:
    """Return the healthy sac and roots from the measures."""
    return NerveParameters(
        sac=tuple(SacSection(station=name, **row) for name, row in measures.table("thecal_sac").items()),
        roots=tuple(RootParameters(level=name, **row) for name, row in measures.table("roots").items()),
    )
