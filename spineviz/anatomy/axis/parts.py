"""The parts of the axis that no other vertebra has: its body with the dens, and the bifid spinous process.

All in the bone's own frame: x right, y anterior, z superior, mm; the origin is the centre of the body without
the dens. Paired parts are given on the right side.
"""

from __future__ import annotations

import numpy as np

from spineviz.anatomy.articular import rounded
from spineviz.anatomy.vertebra.parts import Knots, Pair
from spineviz.sdf.loft import Loft
from spineviz.sdf.solid import Field
from spineviz.spec import Spec
from spineviz.structure import Floats, Points


class Column(Spec):
    """A part on the midline that stands upright: the axis' body, or its dens.

    ``start`` and ``end`` are (y, z) of its axis, inferior first; ``half_width`` and ``half_depth`` its
    sections at equal steps between them; ``bow`` how far the axis is bent anteriorly at its middle;
    ``caps`` how far the rounded ends reach beyond start and end. ``keel`` is the share of the depth by
    which the section's front is drawn out to a ridge in the midline, ``keel_width`` (mm) the ridge's width.
    """

    start: Pair
    end: Pair
    half_width: Knots
    half_depth: Knots
    bow: float
    caps: Pair
    exponent: float
    keel: float
    keel_width: float
    blend: float


class SpinousRoof(Spec):
    """The roof of the spinous process: a midline keel from the laminae to the fork.

    ``start`` and ``end`` are (y, z) of its axis; ``half_thickness`` and ``half_height`` its sections from
    base to fork; ``bow`` the sagitta of its axis (mm, positive superior); ``caps`` its rounded ends.
    """

    start: Pair
    end: Pair
    half_thickness: Knots
    half_height: Knots
    bow: float
    caps: Pair
    exponent: float
    blend: float


def column_loft(column: Column) -> Loft:
    """Return the loft of a column, without its keel."""
    return Loft(
        start=(0.0, *column.start),
        end=(0.0, *column.end),
        across=column.half_width,
        along=column.half_depth,
        bow=(0.0, column.bow),
        caps=column.caps,
        exponent=column.exponent,
    )


def column_field(column: Column) -> Field:
    """Return the field of a column with its keel."""
    loft = column_loft(column)
    depth = float(np.mean(column.half_depth))

    def distance(points: Points) -> Floats:
        x, y, z = np.asarray(points, dtype=np.float64).T
        middle = np.interp(z, [column.start[1], column.end[1]], [column.start[0], column.end[0]])
        front = np.clip((y - middle) / depth, 0.0, 1.5)
        drawn = column.keel * depth * front**2 * np.exp(-((x / column.keel_width) ** 2))
        return loft(np.column_stack([rounded(x), y - drawn, z]))

    return distance


def roof_loft(roof: SpinousRoof) -> Loft:
    """Return the loft of the spinous process' keel."""
    return Loft(
        start=(0.0, *roof.start),
        end=(0.0, *roof.end),
        across=roof.half_thickness,
        along=roof.half_height,
        bow=(0.0, roof.bow),
        caps=roof.caps,
        exponent=roof.exponent,
    )


def roof_field(roof: SpinousRoof) -> Field:
    """Return the field of the spinous process' keel."""
    return roof_loft(roof)
