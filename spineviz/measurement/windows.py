"""Intervertebral foramina with what stands in them: bone, disc, yellow ligament and displaced material."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spineviz.anatomy.column.foramen import Foramen, intervertebral
from spineviz.measurement.segment import Segment
from spineviz.measurement.slices import Slice, largest, polygon
from spineviz.structure import Frame
from spineviz.terms import SIDES, Side


@dataclass(frozen=True)
class Window:
    """A foramen, mm and mm².

    ``height`` is its greatest height between the pedicles and ``width`` the way from disc or body to the
    articular process at half its height, both of the bony window (`spineviz.anatomy.column.foramen`);
    ``superior`` its width at the disc's upper edge; ``area`` is what disc, yellow ligament and displaced
    material leave of the window.
    """

    height: float
    width: float
    superior: float | None
    bony: float
    area: float


def window(segment: Segment, side: Side) -> Window:
    """Return the foramen of a segment on one side.

    It is looked at in the plane through the isthmi of both pedicles. Raises ValueError where there is no
    opening.
    """
    found = intervertebral(*segment.bones, side)
    cut = Slice(_plane(found), segment.shapes)
    whole = polygon(found.plane[:, ::-1], cut.frame)
    free = largest(whole.without(cut.of(*_soft(segment))))
    return Window(found.height, found.width, found.width_superior, found.area, free.area)


def _plane(found: Foramen) -> Frame:
    """Return the plane of a foramen: x superior, y along its frame's x, z out of the canal."""
    frame = found.frame
    return Frame(frame.origin, np.stack([frame.superior, frame.right, frame.anterior]))


def _soft(segment: Segment) -> tuple[str, ...]:
    """Return the names of what can narrow a foramen besides its bones."""
    flava = (f"flavum.{segment.disc}.{side}" for side in SIDES)
    return (f"disc.{segment.disc}", f"nucleus.{segment.disc}", *segment.displaced_names, *flava)
