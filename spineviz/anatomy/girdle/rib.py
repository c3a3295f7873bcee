"""A rib from parameters, on the costal facets of the vertebrae that carry it.

The head stands on a facet of the vertebral bodies, the tubercle on the transverse process; from there
the shaft runs over the angle round the thorax. Both facets are frames of any parent frame whose x = 0
is the plane of symmetry (a vertebra's own frame, or the world): y points out of the vertebra, z is as
superior as possible. The rib stands in the same parent frame; mm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spineviz import measures
from spineviz.anatomy.girdle.rib_path import Path, Sections
from spineviz.anatomy.vertebra.landmarks import normals, surface_frame
from spineviz.sdf import Field, Solid, smooth_difference, smooth_intersection, smooth_union
from spineviz.sdf.loft import superellipsoid
from spineviz.spec import Spec
from spineviz.structure import Floats, Frame, Points
from spineviz.terms import Side

__all__ = ["RibParameters", "field", "head_frame", "landmarks", "parameters_of", "path", "solid"]

Triple = tuple[float, float, float]
Quadruple = tuple[float, float, float, float]

NECK_FILLET, GROOVE_EDGE, FACET_EDGE = 5.0, 1.5, 1.2
"""How far (mm) head and tubercle are blended with the neck, and how groove and facets are rounded."""

NEAR = 12.0
"""Vertebrae are looked at within this distance (mm) of the rib."""

TUBERCLE_FORWARD = 0.5
"""The centre line passes this far (mm) in front of the tubercle's radius."""

KNOBS = ("head", "tubercle")

HEAD_FACET, TUBERCLE_FACET = 0.72, 0.75
"""How far from the centre of head and tubercle their facets lie, in radii."""


class RibParameters(Spec):
    """Everything that shapes a rib (mm, degrees).

    ``angle``, ``lateral``, ``anterolateral`` and ``end`` are places of the shaft's centre, from the head's
    centre: away from the midline, anterior, superior, in the frame of the carrying vertebra.
    ``height`` (along the rib's flat faces) and ``thickness`` of the section, and how far its outer face
    looks up (``facing``), are given at the neck, the angle, the middle of the shaft and the end. A
    ``tubercle_radius`` of 0 means none. The costal groove runs inside the lower border, ``groove_depth``
    deep, from ``groove_from`` to ``groove_until`` (shares of the length). ``head_wedge`` (degrees) is how
    far the two facets of the head turn up and down from its crest; 0 where it has a single facet.
    """

    angle: Triple
    lateral: Triple
    anterolateral: Triple
    end: Triple
    height: Quadruple
    thickness: Quadruple
    facing: Quadruple
    head_radius: float
    head_wedge: float
    tubercle_radius: float
    groove_depth: float
    joint_space: float
    shaft_exponent: float
    groove_from: float
    groove_until: float


def parameters_of(level: str) -> RibParameters:
    """Return the rib whose head stands on a thoracic vertebra, ``T1`` to ``T12``.

    Raises KeyError for any other level.
    """
    shared = {name: number for name, number in measures.table("ribs").items() if not isinstance(number, dict)}
    return RibParameters.model_validate({**shared, **measures.table(f"ribs.{level}")})


def head_frame(superior: Frame, inferior: Frame | None = None) -> Frame:
    """Return the frame that a rib's head stands on.

    ``superior`` is the superior (or only) costal facet of the rib's own vertebra and ``inferior`` the
    inferior one of the vertebra above, both in one parent frame; the head lies between the two.
    """
    if inferior is None:
        return superior
    outward = superior.anterior + inferior.anterior
    return surface_frame((superior.origin + inferior.origin) / 2.0, outward)


def path(parameters: RibParameters, head: Frame, tubercle: Frame | None, side: Side) -> Path:
    """Return the rib's centre line in the facets' parent frame, from the head to the end.

    ``tubercle`` is the facet of the transverse process, None where the rib has none.
    """
    start = _standing_off(parameters, head, HEAD_FACET * parameters.head_radius)
    axes = _vertebral_axes(head, side)
    places = [start]
    if tubercle is not None and parameters.tubercle_radius > 0.0:
        places.append(_standing_off(parameters, tubercle, parameters.tubercle_radius + TUBERCLE_FORWARD))
    for place in (parameters.angle, parameters.lateral, parameters.anterolateral, parameters.end):
        places.append(start + np.asarray(place) @ axes)
    sections = Sections(parameters.height, parameters.thickness, parameters.facing)
    return Path(np.array(places), axes[2], sections, angle=len(places) - 4)


def field(
    parameters: RibParameters,
    head: Frame,
    tubercle: Frame | None,
    side: Side = "right",
    vertebrae: Field | None = None,
) -> Field:
    """Return the signed distance (mm, negative inside) to a rib, in the facets' parent frame.

    Where ``vertebrae``, the distance to its neighbours in that frame, is given, the rib keeps the
    joint space from them everywhere.
    """
    line = path(parameters, head, tubercle, side)
    groove = Groove(parameters.groove_depth, parameters.groove_from, parameters.groove_until)
    knobs = _knobs(parameters, head, tubercle)

    def distance(points: Points) -> Floats:
        u, v, beyond, share = line.local(points)
        thick, high = line.sections.half(share, line.share_of_angle)
        cap = np.minimum(thick, 3.0)
        bone = superellipsoid(np.abs(u), np.abs(v), beyond, thick, high, cap, parameters.shaft_exponent)
        if groove.depth > 0.0:
            bone = smooth_difference(bone, groove(u, v, share, thick, high), GROOVE_EDGE)
        for knob in knobs:
            bone = smooth_union(bone, knob(points), NECK_FILLET)
        for knob in knobs:
            bone = smooth_difference(bone, knob.before(points), FACET_EDGE)
        if vertebrae is not None:
            near = (bone < NEAR) & (share < line.share_of_angle)
            kept = vertebrae(points[near]) - parameters.joint_space
            bone[near] = smooth_difference(bone[near], kept, FACET_EDGE)
        return bone

    return distance


def solid(
    parameters: RibParameters,
    head: Frame,
    tubercle: Frame | None,
    side: Side = "right",
    vertebrae: Field | None = None,
) -> Solid:
    """Return a rib with bounds that hold it whole, in the facets' parent frame."""
    centres = path(parameters, head, tubercle, side).centres
    reach = max(*parameters.height, *parameters.thickness) / 2.0 + 6.0
    bone = field(parameters, head, tubercle, side, vertebrae)
    return Solid(bone, centres.min(axis=0) - reach, centres.max(axis=0) + reach)


def landmarks(
    parameters: RibParameters, head: Frame, tubercle: Frame | None, side: Side = "right"
) -> dict[str, Frame]:
    """Return a rib's landmarks by feature name, in the facets' parent frame.

    ``head`` and, where there is one, ``tubercle`` look at the vertebra; ``angle`` and ``lateral`` lie on the
    outer face, ``end`` on the sternal end; y always points out of the rib.
    """
    bone, line = field(parameters, head, tubercle, side), path(parameters, head, tubercle, side)
    knobs = _knobs(parameters, head, tubercle)
    found = {
        name: _towards(bone, knob.centre, -knob.facet.anterior)
        for name, knob in zip(KNOBS, knobs, strict=False)
    }
    for name, place in (("angle", line.angle), ("lateral", line.angle + 1)):
        found[name] = _towards(bone, line.places[place], line.outward(line.along[place]))
    found["end"] = _towards(bone, line.places[-1], line.tangent(line.along[-1]))
    return found


def _vertebral_axes(head: Frame, side: Side) -> Floats:
    """Rows: away from the midline, anterior and superior, as unit vectors of the parent frame."""
    across = np.array([1.0 if side == "right" else -1.0, 0.0, 0.0])
    up = head.superior - (head.superior @ across) * across
    up = up / np.linalg.norm(up)
    return np.stack([across, np.cross(up, [1.0, 0.0, 0.0]), up])


def _standing_off(parameters: RibParameters, facet: Frame, distance: float) -> Floats:
    """A point ``distance`` (mm) behind the rib's own facet, a joint space away from the vertebra's."""
    place: Floats = facet.origin + (parameters.joint_space + distance) * facet.anterior
    return place


def _knobs(parameters: RibParameters, head: Frame, tubercle: Frame | None) -> list[Knob]:
    """The head and, where the rib has one, the tubercle."""
    radius = parameters.head_radius
    share = HEAD_FACET
    knobs = [
        Knob(_standing_off(parameters, head, share * radius), radius, head, share, parameters.head_wedge)
    ]
    if tubercle is not None and parameters.tubercle_radius > 0.0:
        radius, share = parameters.tubercle_radius, TUBERCLE_FACET
        knobs.append(Knob(_standing_off(parameters, tubercle, share * radius), radius, tubercle, share, 0.0))
    return knobs


@dataclass(frozen=True, eq=False)
class Knob:
    """A ball cut by a joint surface that looks at ``facet``, ``share`` of the radius (mm) from the centre.

    With a ``wedge`` (degrees) the surface is two that meet in a crest and turn up and down by that much.
    """

    centre: Floats
    radius: float
    facet: Frame
    share: float
    wedge: float

    def __call__(self, points: Points) -> Floats:
        """Return the signed distance (mm, negative inside) to the ball, shape (n, 3) -> (n,)."""
        distance: Floats = np.linalg.norm(points - self.centre, axis=1) - self.radius
        return distance

    def before(self, points: Points) -> Floats:
        """Return the distance to the space before the joint surface, towards the vertebra, (n, 3) -> (n,)."""
        offset = points - self.centre
        turned = np.radians(self.wedge)
        towards, up = -(offset @ self.facet.anterior), np.abs(offset @ self.facet.superior)
        plane = towards * np.cos(turned) + up * np.sin(turned) - self.share * self.radius
        around = np.linalg.norm(offset, axis=1) - 2.0 * self.radius
        return smooth_intersection(-plane, around, FACET_EDGE)


@dataclass(frozen=True)
class Groove:
    """The costal groove: a furrow inside the lower border, ``depth`` mm deep between two shares."""

    depth: float
    first: float
    last: float

    def __call__(self, u: Floats, v: Floats, share: Floats, thick: Floats, high: Floats) -> Floats:
        """Return the distance to the furrow from offsets outward and upward, arrays of shape (n,)."""
        fade = np.clip((share - self.first) / 0.08, 0.0, 1.0) * np.clip((self.last - share) / 0.15, 0.0, 1.0)
        radius = 0.5 * high
        depth = self.depth * fade * fade * (3.0 - 2.0 * fade) - GROOVE_EDGE * (1.0 - fade)
        return np.hypot(u + thick + radius - depth, v + 0.5 * high) - radius


def _towards(bone: Field, start: Floats, direction: Floats) -> Frame:
    """The landmark where a ray from the rib's centre line leaves it."""
    along = start + np.arange(0.0, 20.0, 0.1)[:, None] * direction
    outside = bone(along) > 0.0
    if outside[0] or not outside.any():
        raise ValueError(f"the rib has no surface from {np.round(start, 1)} along {np.round(direction, 2)}")
    point = along[int(np.argmax(outside))]
    point = point - bone(point[None])[0] * normals(bone, point[None])[0]
    return surface_frame(point, normals(bone, point[None], 1.0)[0])
