"""The parts that only a cervical vertebra has: their parameters and the field of each.

All in the bone's own frame: x right, y anterior, z superior, mm; the origin is the centre of the
vertebral body, z normal to the mid-plane of its endplates. Paired parts are given on the right side.
Body and plain processes are the ones of `spineviz.anatomy.vertebra.parts`.
"""

from __future__ import annotations

import numpy as np

from spineviz.anatomy.vertebra.parts import MIDLINE_SOFTENING, Knots, Pair, Process, Triple, process_loft
from spineviz.sdf.loft import SMALLEST, Loft, polynomial
from spineviz.sdf.solid import Field, smooth_intersection
from spineviz.spec import Spec
from spineviz.structure import Floats, Points

RIGHTWARD: Triple = (1.0, 0.0, 0.0)
UPWARD: Triple = (0.0, 0.0, 1.0)

CLEARANCE = 4.0
"""How deep the joint space in front of an articular surface is kept free of neighbouring parts, mm."""


class FacetSurface(Spec):
    """An articular surface: a gently curved sheet that cuts the articular pillar, crisp at its edge.

    ``centre`` lies on the sheet. ``tilt`` is the angle (degrees) from lying flat, as the endplates
    do, towards standing upright in the coronal plane; ``turn`` (degrees) turns a superior facet to look
    laterally, an inferior one medially. ``curvature`` (1/mm) is positive where the surface bulges.
    """

    centre: Triple
    tilt: float
    turn: float
    curvature: float

    def normal(self, side: float) -> Floats:
        """Return the unit normal out of the bone; ``side`` is +1 for a superior facet, -1 for an inferior."""
        tilt, turn = np.radians(self.tilt), np.radians(self.turn)
        back = np.sin(tilt)
        return side * np.array([back * np.sin(turn), -back * np.cos(turn), np.cos(tilt)])

    def gap(self, points: Points, side: float) -> Floats:
        """Return the distance (mm) of points, shape (n, 3), beyond the sheet: (n,)."""
        normal = self.normal(side)
        offset = points - np.asarray(self.centre)
        height = offset @ normal
        spread = np.minimum((offset * offset).sum(axis=1) - height * height, 100.0)
        bulge = 0.5 * self.curvature * spread
        result: Floats = (height + bulge) / np.sqrt(1.0 + self.curvature**2 * spread)
        return result

    def joint_space(self, points: Points, side: float, reach: float) -> Floats:
        """Return the distance (mm) to the space before the sheet, within ``reach`` of its axis: (n,)."""
        normal = self.normal(side)
        offset = points - np.asarray(self.centre)
        height = offset @ normal
        radius = np.sqrt(np.maximum((offset * offset).sum(axis=1) - height * height, 0.0))
        before = -self.gap(points, side)
        return smooth_intersection(np.maximum(before, height - CLEARANCE), radius - reach, 2.0)


class ArticularPillar(Spec):
    """The articular pillar, right side: a column cut to length by its two articular surfaces.

    ``edge`` is the radius (mm) of the facets' rims. The column runs on beyond both facets. Within ``reach``
    (mm) of a facet's axis its joint space is kept free of the neighbouring parts too.
    """

    column: Process
    superior_facet: FacetSurface
    inferior_facet: FacetSurface
    edge: float
    reach: float


class SpinousPlate(Spec):
    """The midline plate of the spinous process, from the laminae to where its tubercles part.

    ``start`` and ``end`` are (y, z) of the plate's axis; ``half_thickness`` and ``half_height`` its
    sections from base to tip; ``bow`` the sagitta of its axis (mm, positive superior), ``cap`` how far
    the plate's rounded end reaches beyond ``end``.
    """

    start: Pair
    end: Pair
    half_thickness: Knots
    half_height: Knots
    bow: float
    cap: float
    exponent: float
    blend: float


class SpinousCleft(Spec):
    """The cleft between the two tips of a bifid spinous process: a midline wedge that is taken out.

    ``start`` and ``end`` are (y, z) of its axis, from the depth of the cleft to beyond the tips; ``opening``
    (to the side) and ``depth`` its half-widths there; ``edge`` is the radius (mm) of its rims.
    """

    start: Pair
    end: Pair
    opening: Pair
    depth: Pair
    edge: float


class TransverseForamen(Spec):
    """The canal of the vertebral artery through the right transverse process.

    An elliptic tunnel from ``inferior`` to ``superior``, ``half_width`` (to the side) and ``half_depth``
    wide; ``edge`` is the radius (mm) of its rims.
    """

    inferior: Triple
    superior: Triple
    half_width: float
    half_depth: float
    edge: float


class Lamina(Process):
    """A lamina, right side: a sheet of bone, thicker towards its inferior border.

    ``taper`` (mm) is by how much its half-thickness grows from the middle of its height to the inferior
    border, and falls to the superior one. ``ridge`` (mm) rounds the edge in which the two laminae meet behind
    and the angle between them in front; ``bulge`` (mm) is how far its back is vaulted across its height.
    """

    taper: float
    ridge: float
    bulge: float


def lamina_field(lamina: Lamina) -> Field:
    """Return the field of both laminae."""
    loft = process_loft(lamina, UPWARD)

    def distance(points: Points) -> Floats:
        u, v, beyond, t = _swept(loft, folded(points, lamina.ridge))
        across = polynomial(lamina.across, t)
        along = polynomial(lamina.along, t)
        share = np.clip(u / across, -1.0, 1.0)
        radius = np.maximum(along - lamina.taper * share, SMALLEST)
        du = np.maximum(np.abs(u) - (across - radius), 0.0)
        dv = v - lamina.bulge * share * share
        return np.sqrt(du * du + dv * dv + beyond * beyond) - radius

    return distance


def sheet_field(process: Process, reference: Triple) -> Field:
    """Return the field of a paired process whose section is a flat sheet with round edges.

    The same parameters as of a plain process, but for ``exponent`` and ``curl``, which a sheet does not have:
    its section is a stadium, as thick as twice the smaller half-width all over. Lofts of such
    slender sections are ragged along their edges.
    """
    loft = process_loft(process, reference)

    def distance(points: Points) -> Floats:
        u, v, beyond, t = _swept(loft, folded(points))
        across = polynomial(process.across, t)
        along = polynomial(process.along, t)
        radius = np.minimum(across, along)
        du = np.maximum(np.abs(u) - (across - radius), 0.0)
        dv = np.maximum(np.abs(v) - (along - radius), 0.0)
        return np.sqrt(du * du + dv * dv + beyond * beyond) - radius

    return distance


def _swept(loft: Loft, points: Points) -> tuple[Floats, Floats, Floats, Floats]:
    """Return u, v (mm in the rolled section), the reach beyond the ends (mm) and the eased progress 0..1."""
    eu, ev, axis, length = loft.axes()
    offset = points - np.asarray(loft.start)
    reach = offset @ axis
    t = np.clip(reach / length, 0.0, 1.0)
    t = t * (2.0 - t)
    bow = 4.0 * t * (1.0 - t)
    u = offset @ eu - loft.bow[0] * bow
    v = offset @ ev - loft.bow[1] * bow
    angle = np.radians(loft.roll[0] + (loft.roll[1] - loft.roll[0]) * t)
    c, s = np.cos(angle), np.sin(angle)
    beyond = np.where(reach < 0.0, -reach, np.maximum(reach - length, 0.0))
    return c * u + s * v, c * v - s * u, beyond, t


def folded(points: Points, softening: float = MIDLINE_SOFTENING) -> Points:
    """Return points, shape (n, 3), folded onto the right side, without a crease at the midline."""
    result = np.array(points, dtype=np.float64)
    result[:, 0] = np.sqrt(result[:, 0] ** 2 + softening**2)
    return result


def pillar_field(pillar: ArticularPillar) -> Field:
    """Return the field of both articular pillars."""
    column = process_loft(pillar.column, RIGHTWARD)

    def distance(points: Points) -> Floats:
        right = folded(points)
        whole = column(right)
        topped = smooth_intersection(whole, pillar.superior_facet.gap(right, 1.0), pillar.edge)
        return smooth_intersection(topped, pillar.inferior_facet.gap(right, -1.0), pillar.edge)

    return distance


def joint_spaces_field(pillar: ArticularPillar) -> Field:
    """Return the field of the joint spaces before all four articular surfaces."""

    def distance(points: Points) -> Floats:
        right = folded(points)
        above = pillar.superior_facet.joint_space(right, 1.0, pillar.reach)
        return np.minimum(above, pillar.inferior_facet.joint_space(right, -1.0, pillar.reach))

    return distance


def plate_loft(plate: SpinousPlate) -> Loft:
    """Return the loft of the spinous process' midline plate."""
    return Loft(
        start=(0.0, *plate.start),
        end=(0.0, *plate.end),
        across=plate.half_thickness,
        along=plate.half_height,
        bow=(0.0, plate.bow),
        caps=(1.5, plate.cap),
        exponent=plate.exponent,
    )


def cleft_loft(cleft: SpinousCleft) -> Loft:
    """Return the loft of what the cleft of a spinous process takes out."""
    return Loft(
        start=(0.0, *cleft.start),
        end=(0.0, *cleft.end),
        across=cleft.opening,
        along=cleft.depth,
        caps=(cleft.opening[0], 1.0),
    )


def foramen_loft(foramen: TransverseForamen) -> Loft:
    """Return the tunnel of the right transverse foramen."""
    return Loft(
        start=foramen.inferior,
        end=foramen.superior,
        across=(foramen.half_width,),
        along=(foramen.half_depth,),
        caps=(3.0, 3.0),
    )


def foramen_field(foramen: TransverseForamen) -> Field:
    """Return the field of both transverse foramina, negative in the hole."""
    loft = foramen_loft(foramen)

    def distance(points: Points) -> Floats:
        return loft(folded(points))

    return distance
