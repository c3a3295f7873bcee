"""The room around the exiting root in its foramen, in front and behind, above and below."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spineviz.anatomy.column.foramen import intervertebral
from spineviz.measurement.roots import LEAST, name_of
from spineviz.measurement.segment import Segment
from spineviz.measurement.slices import Slice, caliper, crossings, largest, middle
from spineviz.section import Section
from spineviz.structure import Floats, Frame
from spineviz.terms import SIDES, Side

ALONG = np.arange(-5.0, 5.1, 1.0)
"""The slices, mm out of the canal from the isthmi of the pedicles."""

CONE = (-24.0, -12.0, 0.0, 12.0, 24.0)
"""What stands in these directions (degrees) beside one counts as standing in it."""

FAR = 20.0
"""A direction in which nothing stands has so much room, mm."""


@dataclass(frozen=True)
class Clearance:
    """What is free around a root, mm, where that is least.

    ``transverse`` is the larger of the gaps in front and behind: both are gone where it is; ``vertical`` that
    of those above and below. ``thickness`` is the least width of the root's face.
    """

    transverse: float
    vertical: float
    thickness: float


def clearance(segment: Segment, side: Side) -> Clearance | None:
    """Return the room around the exiting root in its foramen; None where there is no root in it.

    Raises ValueError where there is no opening.
    """
    name = name_of(segment, 0, side)
    if name is None:
        return None
    frame = intervertebral(*segment.bones, side).frame
    axes = np.stack([frame.superior, frame.right, frame.anterior])
    found = []
    for way in ALONG:
        cut = Slice(Frame(frame.origin + way * axes[2], axes), segment.shapes)
        face = largest(cut.of(name))
        if face.area > LEAST:
            found.append((_gaps(face, cut.of(*_walls(segment))), caliper(face)))
    if not found:
        return None
    gaps = np.array([gap for gap, _ in found])
    transverse, vertical = gaps[:, 1::2].max(axis=1), gaps[:, ::2].max(axis=1)
    return Clearance(float(transverse.min()), float(vertical.min()), min(width for _, width in found))


def _gaps(face: Section, walls: Section) -> Floats:
    """Return the gaps (4,) mm from a root's face upwards, along y, downwards, and against y.

    Each is the least within a cone about its direction.
    """
    place, result = middle(face), []
    for way in (0.0, 90.0, 180.0, 270.0):
        gaps = []
        for turn in CONE:
            angle = np.radians(way + turn)
            ray = (float(np.cos(angle)), float(np.sin(angle)))
            own, beyond = crossings(face, place, ray), crossings(walls, place, ray)
            edge = float(own[own > 0.0].max(initial=0.0))
            gaps.append(float(beyond[beyond > 0.0].min(initial=FAR)) - edge)
        result.append(min(gaps))
    return np.maximum(result, 0.0)


def _walls(segment: Segment) -> tuple[str, ...]:
    """Return the names of what bounds a foramen."""
    sided = [f"{stem}.{segment.disc}.{side}" for stem in ("flavum", "facet_capsule") for side in SIDES]
    return (*segment.front_names, *sided)
