"""The ilium from named places: a curved plate of changing thickness that fits the sacrum's auricular surface.

It stands in the sacrum's local frame (mm; origin in the centre of the S1 upper endplate, z its normal,
y anterior, x right). Its places are given in the pelvic frame, which has the same origin and is
upright in a standing body. The bone ends, cut flat, at the roof of the acetabulum.
"""

from __future__ import annotations

import numpy as np

from spineviz import measures
from spineviz.anatomy.column.alignment import sacral_frame
from spineviz.anatomy.girdle.ilium_plate import Place, Plate, plate_through
from spineviz.anatomy.vertebra.landmarks import mirrored, normals, surface_frame
from spineviz.sdf import Field, Solid, smooth_difference, smooth_intersection
from spineviz.spec import Spec
from spineviz.structure import Floats, Frame, Points
from spineviz.terms import SIGN, Side

__all__ = ["IliumParameters", "Place", "field", "landmarks", "parameters", "solid"]

Triple = tuple[float, float, float]
MIRROR = np.array([-1.0, 1.0, 1.0])

NAMES = {
    "crest": "summit",
    "tubercle": "tubercle",
    "spine.anterior_superior": "anterior_superior_spine",
    "spine.anterior_inferior": "anterior_inferior_spine",
    "spine.posterior_superior": "posterior_superior_spine",
    "spine.posterior_inferior": "posterior_inferior_spine",
    "crest.posterior": "posterior_crest",
    "crest.dorsal": "dorsal_crest",
}
"""Landmarks on the border of the plate, and the places that they come from."""


class Acetabulum(Spec):
    """The hip's socket: a sphere taken out of the bone, its rim rounded by ``edge``."""

    centre: Triple
    radius: float
    edge: float


class IliumParameters(Spec):
    """Everything that shapes a right ilium: places (mm) in the pelvic frame.

    ``outline`` are the places on the border of the plate, seen from the side, in order from the anterior
    superior spine over the crest; ``inner`` those within it. ``standing_slope`` (degrees) is the
    sacral slope at which the pelvic frame is upright. The bone keeps ``joint_space`` from the
    sacrum, and ``recess`` more dorsal of the joint: from ``recess_from[0]`` to ``recess_from[1]`` (y in the
    sacrum's frame). Below z = ``cut_height`` nothing is shown. ``cut_edge`` and ``joint_edge`` round
    the edges of the two.
    """

    standing_slope: float
    joint_space: float
    recess: float
    recess_from: tuple[float, float]
    cut_height: float
    cut_edge: float
    joint_edge: float
    acetabulum: Acetabulum
    outline: dict[str, Place]
    inner: dict[str, Place]

    def pelvic_frame(self) -> Frame:
        """Return the sacrum's local frame as seen in the pelvic frame."""
        return sacral_frame(self.standing_slope)

    def plate(self) -> Plate:
        """Return the plate between the places, in the pelvic frame."""
        return plate_through(tuple(self.outline.values()), tuple(self.inner.values()))


def parameters() -> IliumParameters:
    """Return the ilium of the measures."""
    return IliumParameters.model_validate(measures.table("ilium"))


def field(parameters: IliumParameters, sacrum: Field, side: Side = "right") -> Field:
    """Return the signed distance (mm, negative inside) to an ilium, in the sacrum's local frame.

    ``sacrum`` is the distance to the sacrum that it lies against, in the same frame.
    """
    upright, plate, socket = parameters.pelvic_frame(), parameters.plate(), parameters.acetabulum
    mirror = np.array([SIGN[side], 1.0, 1.0])

    def distance(points: Points) -> Floats:
        place = upright.to_parent(points * mirror)
        bone = plate(place)
        hip = np.linalg.norm(place - np.asarray(socket.centre), axis=1) - socket.radius
        bone = smooth_difference(bone, hip, socket.edge)
        bone = smooth_intersection(bone, parameters.cut_height - place[:, 2], parameters.cut_edge)
        near = bone < 12.0
        sacral = sacrum(points[near]) - _space(parameters, points[near])
        bone[near] = smooth_difference(bone[near], sacral, parameters.joint_edge)
        return bone

    return distance


def solid(parameters: IliumParameters, sacrum: Field, side: Side = "right") -> Solid:
    """Return an ilium with bounds that hold it whole, in the sacrum's local frame."""
    corners = parameters.plate().corners(parameters.cut_height) * [SIGN[side], 1.0, 1.0]
    local = parameters.pelvic_frame().to_local(corners)
    return Solid(field(parameters, sacrum, side), local.min(axis=0), local.max(axis=0))


def landmarks(parameters: IliumParameters, sacrum: Field, side: Side = "right") -> dict[str, Frame]:
    """Return an ilium's landmarks by feature name, in the sacrum's local frame.

    On the border, y out of the bone: ``crest`` (its summit), ``crest.posterior``, ``crest.dorsal``,
    ``tubercle``, ``spine.anterior_superior``, ``spine.anterior_inferior``, ``spine.posterior_superior``,
    ``spine.posterior_inferior``. ``auricular`` lies on the joint surface and faces the sacrum; ``fossa``
    on the medial surface of the wing. ``sacrum`` is the sacrum's distance in the same frame.
    """
    upright, plate = parameters.pelvic_frame(), parameters.plate()
    bone = field(parameters, sacrum)
    found = {}
    for name, place in NAMES.items():
        found[name] = _on_bone(bone, upright.to_local(plate.border(parameters.outline[place])))
    for name, place in (("auricular", "auricular_centre"), ("fossa", "fossa")):
        found[name] = _medial(bone, upright.to_local(np.asarray(parameters.inner[place][:3])))
    return found if side == "right" else {name: mirrored(frame) for name, frame in found.items()}


def _space(parameters: IliumParameters, points: Points) -> Floats:
    """The distance to keep from the sacrum (mm), at points in its frame."""
    first, last = parameters.recess_from
    share = np.clip((points[:, 1] - first) / (last - first), 0.0, 1.0)
    return parameters.joint_space + parameters.recess * share * share * (3.0 - 2.0 * share)


def _on_bone(bone: Field, start: Floats) -> Frame:
    """The landmark on the surface nearest to a point that is close to it."""
    point = np.array(start, dtype=np.float64)
    for _ in range(5):
        point = point - bone(point[None])[0] * normals(bone, point[None])[0]
    return surface_frame(point, normals(bone, point[None], 2.0)[0])


def _medial(bone: Field, start: Floats) -> Frame:
    """The landmark where a ray to the midline leaves the bone."""
    along = start + np.arange(0.0, 40.0, 0.1)[:, None] * np.array([-1.0, 0.0, 0.0])
    inside = bone(along) < 0.0
    if not inside.any():
        raise ValueError(f"no bone lies medial of {np.round(start, 1)}: move the ilium's place there")
    return _on_bone(bone, along[np.flatnonzero(inside)[-1]])
