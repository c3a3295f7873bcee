"""The canal at a disc: thecal sac, midline depth, lateral recesses, what fills the sac and what is behind it.

Slices are parallel to the disc, or turn from it to the vertebrae's own planes (`Segment.slices`), as a
radiographer tilts them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spineviz.measurement.segment import Segment
from spineviz.measurement.slices import Slice, crossings, filled, gap_about, largest, middle, polygon
from spineviz.section import Section
from spineviz.structure import Frame
from spineviz.terms import SIGN, Side

TOUCHING = 0.25
"""Between neighbouring surfaces that thin meshes stand for, this much (mm) is no gap."""

BESIDE = (-1.0, 0.0, 1.0)
"""The midline's diameter is the least of those along these lines (mm): a cleft parts the yellow ligaments."""

REACH = 14.0
"""The canal is looked for this far (mm) in front of its middle and behind it."""

BESIDE_PEDICLE = 1.0
"""A recess is measured up to so far (mm) from the medial border of the pedicle."""

BEHIND, ASIDE = 9.0, 3.0
"""Posterior epidural fat is looked for so far (mm) behind the sac and to either side of the midline."""


def sac(cut: Slice) -> Section:
    """Return the thecal sac in a slice: its largest piece, with what of root sleeves is one with it."""
    return largest(cut.of("thecal_sac"))


def sac_area(segment: Segment) -> float | None:
    """Return the dural sac cross-sectional area (DSCA) along the disc, mm²; None without a sac."""
    area = sac(segment.slice).area
    return area if area > 0.0 else None


def sac_areas(segment: Segment) -> tuple[tuple[float, float], ...]:
    """Return the areas (mm²) of the sac in all slices of a segment, each after its share of the way.

    The share is 1 at the lower border of the upper pedicles, 0 at the disc and -1 at the upper border of the
    lower pedicles, so that the same place of two bodies has the same share.
    """
    top, bottom = segment.slices[0][0], segment.slices[-1][0]
    shares = [(height / top if height > 0.0 else -height / bottom, cut) for height, cut in segment.slices]
    return tuple((share, sac(cut).area) for share, cut in shares)


@dataclass(frozen=True)
class Worst:
    """The slice of a segment where the sac is narrowest: its area and the healthy one there, mm².

    ``index`` is its place among the slices of the segment.
    """

    share: float
    area: float
    healthy: float | None
    index: int


def worst_slice(segment: Segment, healthy: Segment | None) -> Worst | None:
    """Return the slice where the sac has lost the largest part of its healthy area.

    Without a healthy body it is the slice with the least area. None without a sac.
    """
    every = sac_areas(segment)
    areas = [entry for entry in every if entry[1] > 0.0]
    if not areas:
        return None
    if healthy is None:
        share, area = least = min(areas, key=lambda entry: entry[1])
        return Worst(share, area, None, every.index(least))
    known = [entry for entry in sac_areas(healthy) if entry[1] > 0.0][::-1]
    if not known:
        return None
    usual = np.interp([share for share, _ in areas], *np.transpose(known))
    index = int(np.argmin([area / there for (_, area), there in zip(areas, usual, strict=True)]))
    return Worst(*areas[index], float(usual[index]), every.index(areas[index]))


def canal_depth(segment: Segment) -> float | None:
    """Return the mid-sagittal diameter of the canal in the slice along the disc, mm.

    From disc, body or displaced material in front to yellow ligament or bone behind, in the midline; the
    cleft between the two yellow ligaments counts as closed. None where the canal is open at an end, or
    filled.
    """
    point, walls = _inside(segment), segment.slice.of(*segment.wall_names)
    gaps = [gap_about(walls, (x, point), (0.0, 1.0)) for x in BESIDE]
    return min((gap[1] - gap[0] for gap in gaps if gap is not None), default=None)


def bony_depth(segment: Segment) -> float | None:
    """Return the least mid-sagittal diameter of the bony canal in a segment, mm: from body to arch.

    In slices where both stand in the midline; None where they do in none.
    """
    found = []
    for _, cut in segment.slices:
        gap = gap_about(cut.of(*segment.bone_names), (0.0, 0.0), (0.0, 1.0))
        if gap is not None:
            found.append(gap[1] - gap[0])
    return min(found, default=None)


def _inside(segment: Segment) -> float:
    """Return the y of the middle of the sac in the slice along the disc; without one, of the bony canal."""
    face = sac(segment.slice)
    if face:
        return float(middle(face)[1])
    marks = [segment.frame.to_local(bone.landmarks["canal"].origin)[1] for bone in segment.bones]
    return float(np.mean(marks))


def recess_height(segment: Segment, side: Side) -> float | None:
    """Return the height of a lateral recess, mm: the least way free before the superior articular process.

    In slices from the lower endplate to the upper border of the lower pedicle, from the vertebral body, disc
    or displaced material in front to the bone behind, from the medial edge of the facet joint nearly to the
    medial border of the pedicle: so far aside however far the joint has grown inwards. Where displaced
    material stands amid the recess the largest way that is left counts. None where no bone stands behind it.
    """
    pedicle = segment.pedicles[1][side]
    rim = segment.frame.to_local(segment.lower_back)[2]
    found = [
        height
        for level, cut in segment.slices
        if level <= rim
        for height in _recess(segment, cut, side, pedicle.medial, level)
    ]
    return min(found, default=None)


def _recess(segment: Segment, cut: Slice, side: Side, border: float, level: float) -> list[float]:
    """Return the free ways in a recess in one slice, mm, along lines half a millimetre apart."""
    edge = abs(float(segment.facet_edge(side, level)[0]))
    bone, front = cut.of(*segment.bone_names), cut.of(*segment.front_names)
    inner = min(edge, border - 2.0 * BESIDE_PEDICLE)
    ways: list[float] = []
    for x in np.arange(border - BESIDE_PEDICLE, inner - 0.01, -0.5):
        place = (SIGN[side] * float(x), 0.0)
        body = [gap for gap in filled(front, place, (0.0, -1.0)) if gap[1] > 0.0]
        hard = filled(bone, place, (0.0, -1.0))
        behind = [gap for gap in hard if body and gap[0] > _back_of_body(segment, cut) + 1.0]
        if not behind:
            continue
        wall, start = behind[0][0], _back_of_body(segment, cut) - 4.0
        stops = [gap for gap in filled(front, place, (0.0, -1.0)) if start < gap[1] <= wall + TOUCHING]
        ends = [start, *(end for gap in stops for end in gap), wall]
        free = [later - sooner for sooner, later in zip(ends[2::2], ends[3::2], strict=False)]
        ways.append(max(free, default=0.0))
    return ways


def _back_of_body(segment: Segment, cut: Slice) -> float:
    """Return how far behind a slice's origin the posterior wall of the lower body lies, mm."""
    return float(-cut.local(segment.lower_back)[1])


def fat_behind(segment: Segment) -> float | None:
    """Return the area of posterior epidural fat along the disc, mm²; None where none is drawn."""
    names = [name for name in segment.shapes if name.startswith("epidural_fat")]
    face = sac(segment.slice)
    if not names or not face:
        return None
    x, y = middle(face)
    back = float(crossings(face, (x, y), (0.0, -1.0))[-1])
    corners = [(x - ASIDE, y), (x + ASIDE, y), (x + ASIDE, y - back - BEHIND), (x - ASIDE, y - back - BEHIND)]
    return segment.slice.of(*names).shared(polygon(corners, face.frame)).area


def canal_face(segment: Segment, cut: Slice, floor: float) -> Section:
    """Return the canal in a slice: behind bodies and disc, before yellow ligament and bone.

    Displaced material is no wall of it. ``floor`` is a y (mm, in the slice) amid the canal.
    """
    half = min(pedicle.medial for level in segment.pedicles for pedicle in level.values())
    low, high = floor - REACH, floor + REACH
    box = polygon([(-half, low), (half, low), (half, high), (-half, high)], cut.frame)
    walls = [name for name in segment.wall_names if name not in segment.displaced_names]
    pieces = box.without(cut.of(*walls)).region.decompose()
    faces = [Section(cut.frame, piece) for piece in pieces]
    holding = [face for face in faces if face.contains(np.array([[0.0, floor]]))[0]]
    return holding[0] if holding else Section(cut.frame, box.region - box.region)


def compromise(segment: Segment, healthy: Segment | None) -> float:
    """Return the largest share (0..1) of the canal that displaced material takes in a slice of a segment.

    The canal is that of the healthy body where one is given, whose disc has no tear.
    """
    if not segment.displaced_names:
        return 0.0
    shares = [0.0]
    for _, cut in segment.slices:
        face = cut.of(*segment.displaced_names)
        if face:
            around = segment if healthy is None else healthy
            canal = canal_face(around, Slice(_in(around, segment, cut), around.shapes), 0.0)
            taken = Section(canal.frame, face.region ^ canal.region).area
            shares.append(taken / canal.area if canal else 0.0)
    return max(shares)


def _in(other: Segment, segment: Segment, cut: Slice) -> Frame:
    """Return the plane of another body that lies to its disc as a slice lies to the disc of a segment."""
    own = cut.frame
    axes = own.axes @ segment.frame.axes.T @ other.frame.axes
    return Frame(other.frame.to_parent(segment.frame.to_local(own.origin)), axes)


def canal_area(segment: Segment) -> float | None:
    """Return the canal's area along the disc less displaced material, mm²; None where it is filled."""
    canal = canal_face(segment, segment.slice, _inside(segment))
    area = canal.without(segment.slice.of(*segment.displaced_names)).area
    return area or None
