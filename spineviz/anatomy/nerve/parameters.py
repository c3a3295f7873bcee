"""Parameters of the cord, the thecal sac and the roots, and their healthy values."""

from __future__ import annotations

from pydantic import Field as Limits

from spineviz import measures
from spineviz.spec import Spec
from spineviz.terms import Level, Root


class SacSection(Spec):
    """The sac at one station: its extents and the epidural space in front of it, mm.

    A ``station`` is a level (the middle of its body), a disc, ``L3-above`` (the upper rim of a body that
    is the highest of a scene) or ``S2`` (the end of the sac). ``egg`` is by what share of its width the sac
    is narrower at its back, and wider at its front, than half-way.
    """

    station: str
    ap: float = Limits(gt=1.0, le=25.0)
    transverse: float = Limits(gt=1.0, le=30.0)
    anterior_gap: float = Limits(ge=0.0, le=10.0)
    egg: float = Limits(ge=-0.5, le=0.5)


class CordSection(Spec):
    """The cord at a place: its extents in mm. ``place`` is a level and how much of the way to the next."""

    place: tuple[Level, float]
    ap: float = Limits(gt=0.5, le=12.0)
    transverse: float = Limits(gt=0.5, le=18.0)


class RootParameters(Spec):
    """A root on both sides, mm.

    ``takeoff_height`` is how far it leaves the sac above a place that its region tells: the upper endplate
    of its own vertebra, or the middle of its foramen from C1 to T12. ``ganglion_place`` is how far the
    ganglion's centre lies beyond the point under the pedicle; for C1 to C8 beyond the middle of the foramen,
    for sacral roots beyond the deepest place in the canal. ``outside_direction`` (right side, in the bone's
    frame) and ``outside_length`` lay the piece outside the foramen. The root's line starts ``sheathed`` mm
    above its take-off at ``inside`` of the sac's half-width; there its rootlets join.
    From L1 on it leaves the sac at ``leaving`` of its half-width.
    ``segment`` is where its rootlets leave the cord: a level and how much of the way to the next.
    """

    root: Root
    diameter: float = Limits(gt=0.5, le=9.0)
    ganglion_width: float = Limits(gt=0.5, le=12.0)
    ganglion_length: float = Limits(gt=2.0, le=20.0)
    takeoff_height: float = Limits(ge=-50.0, le=20.0)
    ganglion_place: float = Limits(ge=-10.0, le=10.0)
    outside_direction: tuple[float, float, float]
    outside_length: float = Limits(ge=0.0, le=60.0)
    sheathed: float = Limits(default=7.0, ge=0.5, le=20.0)
    inside: float = Limits(default=0.3, ge=0.0, le=1.0)
    leaving: float = Limits(default=0.95, ge=0.0, le=1.0)
    segment: tuple[Level, float]


class NerveParameters(Spec):
    """The cord, the thecal sac from its highest station to its end, and the roots that leave it."""

    sac: tuple[SacSection, ...]
    cord: tuple[CordSection, ...]
    roots: tuple[RootParameters, ...]


def nerve_parameters() -> NerveParameters:
    """Return the healthy cord, sac and roots from the measures."""
    segments = measures.table("cord_segments")
    roots = measures.table("roots")
    return NerveParameters(
        sac=tuple(SacSection(station=name, **row) for name, row in measures.table("thecal_sac").items()),
        cord=tuple(CordSection(**row) for row in measures.table("spinal_cord").values()),
        roots=tuple(RootParameters(root=name, segment=segments[name], **row) for name, row in roots.items()),
    )
