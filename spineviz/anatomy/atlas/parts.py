"""The parts that the uppermost vertebrae have beside lofts: arches, passages and hollows.

All in the bone's own frame: x right, y anterior, z superior, mm. Paired parts are given on the right
side; every field sees the rounded |x|, so that left and right meet in a curve.
"""

from __future__ import annotations

import numpy as np

from spineviz.anatomy.vertebra.parts import Knots, Pair, Process, Triple, process_field
from spineviz.sdf.loft import SMALLEST, polynomial, superellipsoid
from spineviz.sdf.solid import Field, smooth_union
from spineviz.spec import Spec
from spineviz.structure import Floats, Points

LEAST_RADIUS = 6.0
"""Nearer than this (mm) to its centre an arch takes the distance for this: directions mean nothing there."""


class Arch(Spec):
    """A bar that runs round a centre on the midline, the same on both sides.

    ``centre`` is the centre's y, ``reach`` the angle (degrees) from the midline to the arch's end on either
    side. ``radius`` and ``height`` place its axis (mm from the centre, and z), ``half_thickness`` and
    ``half_height`` are its section: all polynomials in the square of the way from the midline (0) to
    the end (1), through equally spaced knots, hence smooth at the midline. ``roll`` (degrees at the
    midline and at the end) turns the section: positive turns its upper edge outward.
    """

    centre: float
    reach: float
    radius: Knots
    height: Knots
    half_thickness: Knots
    half_height: Knots
    roll: Pair
    cap: float
    exponent: float
    blend: float


class Cut(Spec):
    """A round passage or hollow on the right side: a swept section that is taken out of the bone.

    The numbers are those of a ``Process``; ``edge`` (mm) rounds its rim.
    """

    start: Triple
    end: Triple
    across: Knots
    along: Knots
    bow: Pair = (0.0, 0.0)
    edge: float = 1.0


class RingCanal(Spec):
    """The canal for the cord: the ring without the anterior share (0..1) that the dens fills."""

    dens_share: float


def arch_point(arch: Arch, place: float, front: float) -> Floats:
    """Return the point of the right half of an arch's axis at ``place`` 0..1 from midline to end.

    ``front`` is 1 for an arch that bulges anteriorly, -1 posteriorly.
    """
    angle = np.radians(arch.reach) * place
    radius = float(polynomial(arch.radius, place * place))
    height = float(polynomial(arch.height, place * place))
    return np.array([radius * np.sin(angle), arch.centre + front * radius * np.cos(angle), height])


def arch_field(arch: Arch, front: float) -> Field:
    """Return the field of an arch, both halves; ``front`` is 1 for an anterior and -1 for a posterior one."""
    limit = np.radians(arch.reach)

    def distance(points: Points) -> Floats:
        x, ahead, z = np.abs(points[:, 0]), front * (points[:, 1] - arch.centre), points[:, 2]
        radius = np.maximum(np.hypot(x, ahead), LEAST_RADIUS)
        angle = np.arctan2(x, ahead)
        place = np.minimum(angle / limit, 1.0)
        square = place * place
        step = 1e-3
        further = (place + step) ** 2
        rise = (polynomial(arch.radius, further) - polynomial(arch.radius, square)) / (step * limit)
        climb = (polynomial(arch.height, further) - polynomial(arch.height, square)) / (step * limit)
        u = (radius - polynomial(arch.radius, square)) / np.sqrt(1.0 + (rise / radius) ** 2)
        v = (z - polynomial(arch.height, square)) / np.sqrt(1.0 + (climb / radius) ** 2)
        roll = np.radians(arch.roll[0] + (arch.roll[1] - arch.roll[0]) * square)
        c, s = np.cos(roll), np.sin(roll)
        u, v = c * u - s * v, s * u + c * v
        across = np.maximum(polynomial(arch.half_thickness, square), SMALLEST)
        along = np.maximum(polynomial(arch.half_height, square), SMALLEST)
        beyond = np.maximum(angle - limit, 0.0) * radius
        cap = np.full_like(u, arch.cap)
        return superellipsoid(np.abs(u), np.abs(v), beyond, across, along, cap, arch.exponent)

    return distance


def cut_process(cut: Cut) -> Process:
    """Return the process whose shape a cut has."""
    caps = (max(cut.across[0], cut.along[0]), max(cut.across[-1], cut.along[-1]))
    return Process(start=cut.start, end=cut.end, across=cut.across, along=cut.along, bow=cut.bow, caps=caps)


def cut_field(cut: Cut, reference: Triple) -> Field:
    """Return the field of what a cut takes out, both sides."""
    return process_field(cut_process(cut), reference)


def united(distances: tuple[Floats, ...], blends: tuple[float, ...]) -> Floats:
    """Join distances one after the other; ``blends`` (mm) are the fillets of all but the first."""
    result = distances[0]
    for distance, blend in zip(distances[1:], blends, strict=True):
        result = smooth_union(result, distance, blend)
    return result
