"""Nerve roots at a disc: how far they are pushed, how much they are flattened, and what room they have left.

A root is looked at in the axial slices of its segment. Its healthy course is that of the body without the
disease, each segment in its own disc's frame, so that a slipped vertebra takes its roots with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from spineviz.geometry import surface_points
from spineviz.measurement.segment import Segment
from spineviz.measurement.slices import Slice, caliper, gap_about, largest, middle
from spineviz.section import Section
from spineviz.structure import Floats
from spineviz.terms import Side, roots_at

LEAST = 1.0
"""A root's face in a slice with less than this (mm²) is its end, and is not measured."""

SPACING = 0.7
"""The distance between surfaces is taken between points about so far (mm) apart."""


@dataclass(frozen=True)
class Effect:
    """What has become of a root beside its healthy course.

    ``displacement`` is the farthest way of its centre in any slice, mm; ``narrowing`` the largest loss of its
    thickness (the least width of its face) in any slice, percent.
    """

    displacement: float
    narrowing: float


def name_of(segment: Segment, which: int, side: Side) -> str | None:
    """Return the name of the exiting (0) or the traversing (1) root, where the body has it."""
    root = roots_at(segment.disc)[which]
    name = f"root.{root}.{side}"
    return name if root is not None and name in segment.shapes else None


def effect(segment: Segment, healthy: Segment, name: str) -> Effect | None:
    """Return what has become of a root; None where it is in no slice of both bodies."""
    now, usual = _faces(segment, name), _faces(healthy, name)
    shared = sorted(set(now) & set(usual))
    if not shared:
        return None
    ways = [np.linalg.norm(_place(segment, now[key][1]) - _place(healthy, usual[key][1])) for key in shared]
    kept = [caliper(now[key][1]) / caliper(usual[key][1]) for key in shared]
    return Effect(float(max(ways)), 100.0 * max(0.0, 1.0 - min(kept)))


def _faces(segment: Segment, name: str) -> Mapping[float, tuple[Slice, Section]]:
    """Return a root's faces by the share of the way from the disc to the pedicles."""
    top, bottom = segment.slices[0][0], segment.slices[-1][0]
    result: dict[float, tuple[Slice, Section]] = {}
    for height, cut in segment.slices:
        face = largest(cut.of(name))
        if face.area > LEAST:
            result[round(height / top if height > 0.0 else -height / bottom, 2)] = cut, face
    return result


def _place(segment: Segment, face: Section) -> Floats:
    """Return the centre (3,) of a face in its segment's frame, mm."""
    return segment.frame.to_local(face.world(middle(face)[None])[0])


def contact(segment: Segment, name: str) -> float | None:
    """Return how near (mm) a root comes to displaced material; None where there is none."""
    if not segment.displaced_names:
        return None
    material = np.vstack([surface_points(segment.shapes[item], SPACING) for item in segment.displaced_names])
    ways, _ = cKDTree(material).query(surface_points(segment.shapes[name], SPACING))
    return float(ways.min())


def room(segment: Segment, name: str) -> float | None:
    """Return the least room of a traversing root in the recess, mm: from front to back through its centre.

    In slices from the disc down; between disc, body or displaced material and yellow ligament or bone. None
    where the root is in no such slice.
    """
    ways: list[float] = []
    for height, cut in segment.slices:
        face = largest(cut.of(name))
        if height > 0.0 or face.area < LEAST:
            continue
        found = gap_about(cut.of(*segment.wall_names), middle(face), (0.0, 1.0))
        if found is not None:
            ways.append(found[1] - found[0])
    return min(ways, default=None)
