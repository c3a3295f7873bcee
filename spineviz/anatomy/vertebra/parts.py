"""The parts of a thoracic or lumbar vertebra: their parameters and the field of each.

All in the bone's own frame: x right, y anterior, z superior, mm; the origin is the centre of the
vertebral body, z normal to the mid-plane of its endplates. Paired parts are given on the right side.
"""

from __future__ import annotations

import numpy as np

from spineviz.sdf.loft import Loft
from spineviz.sdf.solid import Field, smooth_intersection, smooth_union
from spineviz.spec import Spec
from spineviz.structure import Floats, Points

Pair = tuple[float, float]
Triple = tuple[float, float, float]
Knots = tuple[float, ...]

MIDLINE_SOFTENING = 0.5
"""Paired parts see sqrt(x² + 0.5²) for |x| (mm): left and right meet in a curve, not in a crease."""

ENDPLATE_UNIT = 20.0
"""Endplate curvatures are the rise (mm) at this distance (mm) from the centre."""


JOINT_ROOM, JOINT_DEPTH = {1.0: 0.7, -1.0: 0.8}, {1.0: 5.6, -1.0: 7.5}
"""The room before a flat articular surface reaches this far beyond its border, and out of the bone (mm):
before a superior one (1), whose neighbour is a lamina, and an inferior one (-1), which meets a process."""

JOINT_ROOT, JOINT_SLOPE, FREE_REACH = 1.4, 0.3, 6.0
"""How far that room reaches beyond the surface's root, how much longer (mm per mm) it grows there outward,
and how far it reaches beyond the free end (mm)."""


class Endplate(Spec):
    """One endplate: a tilted, gently curved sheet whose raised ring rim surrounds a shallow dish.

    ``height`` is the sheet's z at the centre, ``tilt`` and the two curvatures its rise 20 mm away, all
    positive away from the body. The dish is ``dish_depth`` deep (mm) at ``dish_centre`` (y, mm) and
    ends, without a crease, at ``dish_extent`` times the half-width and half-depth of the body.
    """

    height: float
    tilt: float
    sagittal_curvature: float
    lateral_curvature: float
    dish_depth: float
    dish_extent: float
    dish_centre: float


class VertebralBody(Spec):
    """Superelliptic sections at the superior endplate, the waist and the inferior endplate (Triples).

    ``notch`` is the fraction of the posterior depth that the posterior concavity takes at the
    midline and ``notch_width`` its reach to the side (mm). ``exponents`` are the anterior and the
    posterior section's; ``waist_exponent`` says how suddenly the body flares from its waist.
    ``edges`` are the radii (mm) of the superior and the inferior rim.
    """

    half_width: Triple
    anterior_depth: Triple
    posterior_depth: Triple
    centre: Triple
    notch: Triple
    notch_width: float
    exponents: Pair
    waist_exponent: float
    edges: Pair
    superior_endplate: Endplate
    inferior_endplate: Endplate


class Process(Spec):
    """A paired bony process, right side: a swept section (see ``Loft``) and its ``blend`` (mm).

    ``across`` and ``along`` are half-widths (mm) at equal steps from ``start`` to ``end``; ``roll``
    in degrees, ``curl`` in 1/mm.
    """

    start: Triple
    end: Triple
    across: Knots
    along: Knots
    roll: Pair = (0.0, 0.0)
    bow: Pair = (0.0, 0.0)
    curl: Pair = (0.0, 0.0)
    caps: Pair = (3.0, 3.0)
    exponent: float = 2.0
    blend: float = 4.0


class SpinousProcess(Spec):
    """The midline plate of the spinous process and the bulb along its posterior border.

    ``start`` and ``end`` are (y, z) of the plate's axis; ``half_thickness`` and ``half_height`` its
    sections from base to tip; ``bow`` the sagitta of its axis (mm, positive superior), ``cap`` how far
    the plate's rounded end reaches beyond ``end``. ``taper`` (at base and tip, 0 to below 1) narrows the
    plate towards its superior border and widens it below: a three-sided blade with a ridge. The bulb runs
    from ``bulb_superior`` to ``bulb_inferior`` (y, z), ``bulb_thickness`` thick to the side and
    ``bulb_depth`` deep (half-widths).
    """

    start: Pair
    end: Pair
    half_thickness: Knots
    half_height: Knots
    bow: float
    cap: float
    exponent: float
    bulb_superior: Pair
    bulb_inferior: Pair
    bulb_thickness: Pair
    bulb_depth: float
    bulb_blend: float
    blend: float
    taper: Pair = (0.0, 0.0)


class PedicleAxis(Spec):
    """The direction of a pedicle from back to front: degrees towards the midline and caudally.

    ``isthmus`` is where its loft is narrowest, 0 at the body to 1 at the arch; None: it is looked for.
    """

    medial: float
    caudal: float
    isthmus: float | None = None


class Facet(Spec):
    """An articular surface: its size (mm) and the angle of its plane to the sagittal plane (degrees).

    The right superior surface looks posteromedially below 90 degrees (lumbar), straight back at 90 and
    posterolaterally above (thoracic); the inferior one looks the opposite way. ``to_transverse`` is the
    angle of its plane to the transverse one, below 90 where its superior border leans forward. Where
    ``centre`` is given (mm, right side) the surface is flat: what stands before it is taken away.
    """

    width: float
    height: float
    to_sagittal: float = 45.0
    to_transverse: float = 90.0
    centre: Triple | None = None

    def facing(self) -> Floats:
        """Return the direction in which the right superior articular surface looks."""
        angle, lean = np.radians(self.to_sagittal), np.radians(self.to_transverse)
        level = np.array([-np.cos(angle), -np.sin(angle), 0.0])
        result: Floats = np.sin(lean) * level + np.cos(lean) * np.array([0.0, 0.0, 1.0])
        return result


def joint_field(facet: Facet, outward: Floats, free: float) -> Field:
    """Return the distance to the room before a flat articular surface, both sides: (n, 3) mm -> (n,) mm.

    ``outward`` is the unit normal out of the bone, ``free`` +1 where the surface's free end is its superior
    one, -1 where it is the inferior one. At the other end the room widens outward, for the neighbour's tip.
    """
    assert facet.centre is not None
    centre, up = np.asarray(facet.centre), np.array([0.0, 0.0, free])
    v_axis = up - (up @ outward) * outward
    axes = np.stack([np.cross(v_axis, outward), v_axis, outward])
    axes = axes / np.linalg.norm(axes, axis=1, keepdims=True)
    wide, high = facet.width / 2.0 + JOINT_ROOM[free], facet.height / 2.0 + JOINT_ROOT

    def distance(points: Points) -> Floats:
        folded = np.array(points, dtype=np.float64)
        folded[:, 0] = np.sqrt(folded[:, 0] ** 2 + MIDLINE_SOFTENING**2)
        u, v, w = axes @ (folded - centre).T
        out = np.maximum(w, 0.0)
        v = np.where(v < 0.0, v / (1.0 + JOINT_SLOPE * out / high), np.maximum(v - FREE_REACH, 0.0))
        oval = min(wide, high) * ((np.abs(u / wide) ** 3 + np.abs(v / high) ** 3) ** (1.0 / 3.0) - 1.0)
        return smooth_intersection(oval, np.maximum(-w, w - JOINT_DEPTH[free]), 1.0)

    return distance


def process_loft(process: Process, reference: Triple) -> Loft:
    """Return the loft of a process; ``reference`` is the direction of its ``across`` half-widths."""
    return Loft(
        start=process.start,
        end=process.end,
        across=process.across,
        along=process.along,
        reference=reference,
        roll=process.roll,
        bow=process.bow,
        curl=process.curl,
        caps=process.caps,
        exponent=process.exponent,
    )


def process_field(process: Process, reference: Triple) -> Field:
    """Return the field of a paired process, both sides."""
    loft = process_loft(process, reference)

    def distance(points: Points) -> Floats:
        folded = np.array(points, dtype=np.float64)
        folded[:, 0] = np.sqrt(folded[:, 0] ** 2 + MIDLINE_SOFTENING**2)
        return loft(folded)

    return distance


def spinous_plate(process: SpinousProcess) -> Loft:
    """Return the loft of the spinous process' plate."""
    return Loft(
        start=(0.0, *process.start),
        end=(0.0, *process.end),
        across=process.half_thickness,
        along=process.half_height,
        bow=(0.0, process.bow),
        caps=(2.0, process.cap),
        exponent=process.exponent,
        taper=process.taper,
    )


def spinous_field(process: SpinousProcess) -> Field:
    """Return the field of the spinous process: plate and bulb."""
    plate = spinous_plate(process)
    bulb = Loft(
        start=(0.0, *process.bulb_superior),
        end=(0.0, *process.bulb_inferior),
        across=process.bulb_thickness,
        along=(process.bulb_depth,),
        caps=(process.bulb_depth, process.bulb_depth),
    )

    def distance(points: Points) -> Floats:
        return smooth_union(plate(points), bulb(points), process.bulb_blend)

    return distance


def endplate_gap(
    plate: Endplate, points: Points, half_width: float, half_depth: float, side: float
) -> Floats:
    """Return the distance (mm) beyond an endplate; ``side`` is +1 for the superior one.

    ``half_width`` and ``half_depth`` are the body's at this endplate.
    """
    x, y, z = np.asarray(points).T
    across, ahead = x / ENDPLATE_UNIT, y / ENDPLATE_UNIT
    sheet = plate.height + plate.tilt * ahead
    sheet = sheet + plate.sagittal_curvature * ahead * ahead + plate.lateral_curvature * across * across
    reach = (x / half_width) ** 2 + ((y - plate.dish_centre) / half_depth) ** 2
    dish = plate.dish_depth * np.maximum(1.0 - reach / plate.dish_extent**2, 0.0) ** 2
    gap: Floats = side * z - (sheet - dish)
    return gap


def body_side(body: VertebralBody, points: Points) -> Floats:
    """Return the distance (mm) to the body's side wall, as if it had no endplates."""
    x, y, z = np.asarray(points).T
    top, bottom = body.superior_endplate.height, -body.inferior_endplate.height
    rise = np.clip(np.where(z > 0.0, z / top, z / bottom), 0.0, 1.15) ** body.waist_exponent

    def at(values: Triple) -> Floats:
        flare: Floats = np.where(z > 0.0, values[0] - values[1], values[2] - values[1])
        return np.asarray(values[1] + flare * rise)

    hollow = 1.0 - at(body.notch) * np.exp(-((x / body.notch_width) ** 2))
    ahead = y - at(body.centre)
    front = ahead > 0.0
    depth = np.where(front, at(body.anterior_depth), at(body.posterior_depth) * hollow)
    exponent = np.where(front, body.exponents[0], body.exponents[1])
    width = at(body.half_width)
    qx, qy = np.abs(x) / width + 1e-6, np.abs(ahead) / depth + 1e-6
    gx, gy = qx ** (exponent - 1.0), qy ** (exponent - 1.0)
    power = qx * gx + qy * gy
    steepness = power ** (1.0 / exponent - 1.0) * np.sqrt((gx / width) ** 2 + (gy / depth) ** 2)
    result: Floats = (power ** (1.0 / exponent) - 1.0) / steepness
    return result


def body_field(body: VertebralBody) -> Field:
    """Return the three distances that make the vertebral body: (n, 3) mm -> (3, n) mm.

    Rows: to the side wall, beyond the superior endplate, beyond the inferior endplate. The pedicles
    join the side wall before the endplates cut both, so that no pedicle dents an endplate's rim.
    """
    depths = [(a + p) / 2.0 for a, p in zip(body.anterior_depth, body.posterior_depth, strict=True)]

    def distances(points: Points) -> Floats:
        above = endplate_gap(body.superior_endplate, points, body.half_width[0], depths[0], 1.0)
        below = endplate_gap(body.inferior_endplate, points, body.half_width[2], depths[2], -1.0)
        return np.stack([body_side(body, points), above, below])

    return distances
