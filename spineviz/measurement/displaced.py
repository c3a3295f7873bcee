"""Displaced disc material as a radiologist names it (Fardon 2014) and grades it (Mysliwiec 2010).

It is measured on its own surface beside the healthy disc, bodies and facet joints. What lies within the
healthy disc space, in the tear, is no part of what is displaced. Everything is in the disc's frame, mm.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from scipy.spatial import cKDTree

from spineviz.geometry import surface_points
from spineviz.measurement.canal import compromise
from spineviz.measurement.report import Displaced
from spineviz.measurement.segment import Segment
from spineviz.measurement.slices import Gap, extent, filled, polygon
from spineviz.measurement.thresholds import threshold
from spineviz.section import Section, section, union
from spineviz.structure import Floats, Frame, Points
from spineviz.terms import Side

STEP, SPACING = 0.75, 0.6
"""Slices through displaced material, and points whose distance is taken, lie so far apart, mm."""

BASE = 0.8
"""The base of displaced material is what of it lies no farther than this (mm) from the healthy margin."""

BROAD = 0.85
"""Width and base are compared in slices at least this share as wide as the widest: not where it ends."""

FAR, ASIDE = 40.0, 60.0
"""How far in front of a disc's middle and beside it the healthy disc and bodies reach at most, mm."""

BEHIND = 4.0
"""What stands more than this (mm) behind the posterior corner of a body is no part of disc and bodies."""


@dataclass(frozen=True, eq=False)
class Level:
    """One axial slice: its height over the disc's plane, the displaced part, the healthy column before it.

    ``depth`` is how far (mm) it reaches beyond that at its deepest ``place`` (2,).
    """

    height: float
    outside: Section
    column: Section
    depth: float
    place: Floats

    @property
    def width(self) -> float:
        """The transverse extent of the displaced part, mm."""
        return _length(extent([self.outside], 0))

    @property
    def base(self) -> float:
        """The transverse extent of its base, along the healthy margin, mm."""
        return _length(extent([self.outside.shared(self.column.within(-BASE))], 0))


@dataclass(frozen=True, eq=False)
class Material:
    """One piece of displaced material; ``healthy`` is the same segment without it."""

    segment: Segment
    healthy: Segment
    name: str

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """The slices through the displaced part, from below."""
        surface = self.segment.shapes[self.name]
        heights = self.segment.frame.to_local(surface.vertices)[:, 2]
        found = (self._level(float(z)) for z in np.arange(heights.min() + 0.2, heights.max(), STEP))
        return tuple(level for level in found if level is not None)

    def _level(self, height: float) -> Level | None:
        own, usual = (_raised(item.frame, height) for item in (self.segment, self.healthy))
        healthy, names = self.healthy, (*self.healthy.bone_names, *_disc_names(self.healthy))
        column = union([section(healthy.shapes[name], usual) for name in names], usual)
        back = float(healthy.frame.to_local(healthy.lower_back)[1]) - BEHIND
        ends = [(-ASIDE, back), (ASIDE, back), (ASIDE, FAR), (-ASIDE, FAR)]
        column = Section(own, column.region ^ polygon(ends, own).region)
        outside = section(self.segment.shapes[self.name], own).without(column)
        if outside.area < 0.5 or not column:
            return None
        corners = np.vstack(outside.outlines)
        ways, _ = cKDTree(_along(column)).query(corners)
        deepest = int(np.argmax(ways))
        return Level(height, outside, column, float(ways[deepest]), corners[deepest])

    @cached_property
    def deepest(self) -> Level:
        """The slice of maximal extrusion."""
        return max(self.levels, key=lambda level: level.depth)

    @cached_property
    def spread(self) -> tuple[Floats, Floats]:
        """Where the displaced part stands: places (n, 2) in the slices' planes, and their areas (n,) mm²."""
        parts = [level.outside.places(STEP)[0] for level in self.levels]
        places = self.segment.frame.to_local(np.vstack(parts))[:, :2]
        return places, np.ones(len(places))

    @cached_property
    def side(self) -> Side | None:
        """The side of its middle; None where that is in the midline strip."""
        x = float(np.mean(self.spread[0][:, 0]))
        if abs(x) <= threshold("fardon_zones", "midline"):
            return None
        return "right" if x > 0.0 else "left"

    @cached_property
    def zones(self) -> tuple[str, ...]:
        """The axial zones in which it lies: of its middle first, then others that hold a good share of it."""
        places, _ = self.spread
        each = [self._zone(x, y) for x, y in places]
        first = self._zone(*places.mean(axis=0))
        least = threshold("fardon_zones", "share") * len(each)
        others = [zone for zone in dict.fromkeys(each) if zone != first and each.count(zone) >= least]
        return (first, *others)

    def _zone(self, x: float, y: float) -> str:
        """Return the axial zone of a place in the disc's plane."""
        if y > 0.0:
            return "anterior"
        side: Side = "right" if x > 0.0 else "left"
        off, (facet, medial, lateral) = abs(x), self._borders(side)
        limits = (threshold("fardon_zones", "midline"), facet, medial, lateral)
        names = ("central", "paracentral", "subarticular", "foraminal", "extraforaminal")
        return names[int(np.searchsorted(limits, off))]

    def _borders(self, side: Side) -> tuple[float, float, float]:
        """Return how far from the midline lie the facet joint's medial edge and the pedicles' two borders.

        Where a joint stands as wide as the pedicles, the recess before it still has a width.
        """
        pedicles = [level[side] for level in self.healthy.pedicles]
        medial = float(np.mean([pedicle.medial for pedicle in pedicles]))
        lateral = float(np.mean([pedicle.lateral for pedicle in pedicles]))
        facet = abs(float(self.healthy.facet_edge(side)[0]))
        return min(facet, medial - threshold("fardon_zones", "recess")), medial, lateral

    @cached_property
    def size(self) -> Literal[1, 2, 3]:
        """The MSU size: how far it reaches from the disc's border towards the intra-facet line, in halves."""
        level = self.deepest
        x, y = level.place
        column = filled(level.column, (x, FAR), (0.0, -1.0))
        border = FAR - column[-1][1] if column else float(np.vstack(level.column.outlines)[:, 1].min())
        share = (border - y) / (border - self._facet_line(x))
        half, line = threshold("msu_herniation", "size")
        return 1 if share <= half else 2 if share <= line else 3

    def _facet_line(self, x: float) -> float:
        """Return the y of the intra-facet line at a place across, in the slice of maximal extrusion."""
        left, right = (self.healthy.facet_edge(side, self.deepest.height) for side in ("left", "right"))
        share = (x - left[0]) / (right[0] - left[0])
        return float(left[1] + share * (right[1] - left[1]))

    @cached_property
    def location(self) -> str:
        """The MSU location in the slice of maximal extrusion: A, B, C, or AB, BC where it lies in two."""
        x = self.segment.frame.to_local(self.deepest.outside.places(STEP)[0])[:, 0]
        side: Side = "right" if x.mean() > 0.0 else "left"
        edge = abs(float(self.healthy.facet_edge(side, self.deepest.height)[0]))
        shares = {
            letter: float(np.mean(inside))
            for letter, inside in (
                ("A", np.abs(x) <= edge / 2.0),
                ("B", (np.abs(x) > edge / 2.0) & (np.abs(x) <= edge)),
                ("C", np.abs(x) > edge),
            )
        }
        kept = [letter for letter in "ABC" if shares[letter] >= threshold("msu_herniation", "mixed")]
        return "".join(kept) or max(shares, key=lambda letter: shares[letter])

    @cached_property
    def height(self) -> Gap:
        """From where to where the displaced part reaches along the disc's normal, mm."""
        return self.levels[0].height - STEP / 2.0, self.levels[-1].height + STEP / 2.0

    @cached_property
    def space(self) -> Gap:
        """Where the disc space ends behind: the heights of the two bodies' posterior corners, mm."""
        assert self.healthy.upper.inferior is not None
        corners = self.healthy.lower_back, self.healthy.upper.inferior.posterior
        low, high = (float(self.healthy.frame.to_local(corner)[2]) for corner in corners)
        return low, high

    @cached_property
    def morphology(self) -> Literal["protrusion", "extrusion", "sequestration"]:
        """Whether it is wider than its base in some plane, and still hangs together with its disc."""
        names = [name for name in _disc_names(self.segment) if name in self.segment.shapes]
        disc = np.vstack([surface_points(self.segment.shapes[name], SPACING) for name in names])
        ways, _ = cKDTree(disc).query(surface_points(self.segment.shapes[self.name], SPACING))
        if float(ways.min()) > threshold("fardon_morphology", "apart"):
            return "sequestration"
        wider = threshold("fardon_morphology", "wider")
        widest = max(level.width for level in self.levels)
        broad = (level for level in self.levels if level.base > 1.0 and level.width > BROAD * widest)
        axial = any(level.width > wider * level.base for level in broad)
        sagittal = self.height[1] - self.height[0] > wider * (self.space[1] - self.space[0])
        return "extrusion" if axial or sagittal else "protrusion"

    @property
    def migration(self) -> tuple[Literal["none", "cranial", "caudal"], float, str]:
        """Where it has migrated to, how far beyond the endplate (mm), and the level of its end."""
        cranial, caudal = self.height[1] - self.space[1], self.space[0] - self.height[0]
        way = max(cranial, caudal)
        if way < threshold("fardon_levels", "least"):
            return "none", 0.0, "disc"
        up = cranial >= caudal
        end = np.array([0.0, self.deepest.place[1], self.height[1] if up else self.height[0]])
        body = self.healthy.upper if up else self.healthy.lower
        z = float(body.frame.to_local(self.healthy.frame.to_parent(end))[2])
        pedicle = self.healthy.pedicles[0 if up else 1][self.side or "left"]
        level = (
            "suprapedicular" if z > pedicle.top else "pedicular" if z > pedicle.bottom else "infrapedicular"
        )
        return ("cranial" if up else "caudal"), way, level


def displaced(segment: Segment, healthy: Segment) -> tuple[Displaced, ...]:
    """Return every piece of displaced material of a disc, as it is found."""
    found = (Material(segment, healthy, name) for name in segment.displaced_names)
    return tuple(_told(item) for item in found if item.levels)


def _told(item: Material) -> Displaced:
    direction, way, level = item.migration
    return Displaced(
        disc=item.segment.disc,
        side=item.side,
        morphology=item.morphology,
        zones=item.zones,
        depth=item.deepest.depth,
        width=max(level.width for level in item.levels),
        direction=direction,
        migration=way,
        level=level,
        compromise=compromise(item.segment, item.healthy),
        size=item.size,
        location=item.location,
    )


def _disc_names(segment: Segment) -> tuple[str, ...]:
    """Return the names of what is between the bodies."""
    names = ("disc.{}", "nucleus.{}", "endplate.{}.upper", "endplate.{}.lower")
    return tuple(name for stem in names if (name := stem.format(segment.disc)) in segment.shapes)


def _raised(frame: Frame, height: float) -> Frame:
    return Frame(frame.origin + height * frame.superior, frame.axes)


def _along(face: Section) -> Points:
    """Return points (n, 2) along the outlines of a face, eight on each edge."""
    parts = [
        np.linspace(outline, np.roll(outline, -1, axis=0), 8, endpoint=False).reshape(-1, 2)
        for outline in face.outlines
    ]
    return np.vstack(parts)


def _length(gap: Gap | None) -> float:
    return 0.0 if gap is None else gap[1] - gap[0]
