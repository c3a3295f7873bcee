"""The coccyx from parameters: four segments, fused into one bone, with the cornua and transverse processes.

Own frame: mm; origin a joint space below the sacral apex, in the plane of the first segment's upper
surface, z its normal (superior, towards the sacrum), y anterior, x right. Exactly symmetric in x and
calibrated on the coccyx of Remus et al., PLoS ONE 2021;16(4):e0250456, at 0.96 of its size.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from spineviz import measures
from spineviz.anatomy.sacrum.parts import Process, Strut, folded, nearby
from spineviz.anatomy.vertebra.landmarks import leaving, mirrored, normals, surface_frame
from spineviz.sdf import Field, Loft, Solid, smooth_difference, smooth_union
from spineviz.spec import Entries, Spec
from spineviz.structure import Floats, Frame, Points
from spineviz.terms import SIDES

__all__ = [
    "CoccyxParameters",
    "Segment",
    "below",
    "field",
    "landmarks",
    "length",
    "parameters",
    "sized",
    "solid",
]

Pair = tuple[float, float]


class Segment(Spec):
    """One coccygeal vertebra: a body from ``start`` to ``end``, both (y, z) in the midline.

    ``half_width`` and ``half_depth`` are given at the start, the middle and the end; ``caps`` are
    how far the rounded ends reach beyond, ``exponent`` how square the section is.
    """

    start: Pair
    end: Pair
    half_width: tuple[float, float, float]
    half_depth: tuple[float, float, float]
    caps: Pair
    exponent: float

    def loft(self) -> Loft:
        """Return the body; its section's u points to the right."""
        return Loft(
            (0.0, *self.start), (0.0, *self.end), self.half_width, self.half_depth, caps=self.caps,
            exponent=self.exponent,
        )  # fmt: skip


class Fillets(Spec):
    """How far (mm) the segments, the processes and the edge of the joint surface are blended."""

    segments: float
    processes: float
    joint: float


class CoccyxParameters(Spec):
    """Everything that shapes a coccyx; lengths in mm in its own frame, paired parts on the right.

    ``segments`` run from Co1 to Co4. The first segment's upper end is cut flat by the joint surface,
    which is hollowed by ``joint_depth``. ``joint_space`` (mm) is the distance to the sacral apex.
    """

    segments: Entries[str, Segment]
    transverse: Entries[str, Process]
    cornu: Strut
    joint_depth: float
    joint_space: float
    fillets: Fillets


def parameters() -> CoccyxParameters:
    """Return the calibrated coccyx from the measures."""
    return CoccyxParameters.model_validate(measures.table("coccyx"))


def length(parameters: CoccyxParameters) -> float:
    """Return the way from the middle of the joint surface to the tip, mm."""
    last = list(parameters.segments.values())[-1]
    end = np.asarray(last.end) + last.caps[1] * last.loft().axes()[2][1:]
    return float(np.hypot(*end))


def sized(parameters: CoccyxParameters, wanted: Mapping[str, float]) -> CoccyxParameters:
    """Return the coccyx with another ``length`` (mm), the only measure it has; it keeps its proportions.

    Raises ValueError for an unknown measure and for a length that no human coccyx has, with the range.
    """
    for name in wanted:
        if name != "length":
            raise ValueError(f"Co1: '{name}' cannot be changed; choose of: length")
    if not wanted:
        return parameters
    value, known = wanted["length"], measures.table("calipers.coccyx.length")
    if not known["low"] <= value <= known["high"]:
        raise ValueError(
            f"Co1: length of {value:g} mm is not human; "
            f"the allowed range is {known['low']:g} to {known['high']:g} mm"
        )
    tree, factor = parameters.model_dump(), value / length(parameters)
    for part in ("segments", "transverse", "cornu"):
        tree[part] = _grown(tree[part], factor)
    return CoccyxParameters.model_validate(tree)


def _grown(value: Any, factor: float, name: str = "") -> Any:
    """Return nested lengths ``factor`` times as large; directions, angles and exponents stay."""
    if isinstance(value, dict):
        return {key: _grown(inner, factor, key) for key, inner in value.items()}
    if name in ("exponent", "reference", "roll"):
        return value
    if name == "curl":
        return tuple(number / factor for number in value)
    return tuple(factor * number for number in value)


def below(parameters: CoccyxParameters, apex: Frame) -> Frame:
    """Return the coccyx's frame under a sacrum: a joint space below the ``apex`` landmark.

    ``apex`` looks out of the sacrum with its y axis and has z as superior as possible; the result
    stands in the same parent frame as ``apex``.
    """
    axes = np.stack([apex.right, apex.superior, -apex.anterior])
    return Frame(apex.origin + parameters.joint_space * apex.anterior, axes)


def field(parameters: CoccyxParameters) -> Field:
    """Return the signed distance (mm, negative inside) to the coccyx, in its own frame."""

    fillets = parameters.fillets
    bodies = [segment.loft() for segment in parameters.segments.values()]

    def distance(points: Points) -> Floats:
        half = folded(points)
        bone = bodies[0](half)
        for body in bodies[1:]:
            bone = smooth_union(bone, body(half), fillets.segments)
        for process in parameters.transverse.values():
            bone = smooth_union(bone, nearby(process, half), fillets.processes)
        bone = smooth_difference(bone, _above(parameters, half), fillets.joint)
        return smooth_union(bone, nearby(parameters.cornu, half), fillets.processes)

    return distance


def solid(parameters: CoccyxParameters) -> Solid:
    """Return the coccyx with bounds that hold it whole."""
    ends = np.array([point for part in parameters.segments.values() for point in (part.start, part.end)])
    width = max(process.end[0] + max(process.caps) for process in parameters.transverse.values()) + 6.0
    low, high = ends.min(axis=0) - 14.0, ends.max(axis=0) + 12.0
    top = max(parameters.cornu.end[2] + max(parameters.cornu.radii) + 4.0, 6.0)
    return Solid(field(parameters), np.array([-width, *low]), np.array([width, high[0], top]))


def landmarks(parameters: CoccyxParameters) -> dict[str, Frame]:
    """Return the coccyx's landmarks by feature name, in its own frame.

    ``joint.sacrum`` (y out of the bone), ``tip``; and for each side (``.left``, ``.right``)
    ``transverse`` and ``cornu``. Raises ValueError where a part's start does not lie in the bone.
    """
    bone = field(parameters)
    first, *_, last = parameters.segments.values()
    transverse = next(iter(parameters.transverse.values())).loft
    cornu = parameters.cornu
    found = {
        "joint.sacrum": _surface(bone, np.array([0.0, 0.0, first.start[1] - 4.0]), np.array([0.0, 0.0, 1.0])),
        "tip": _surface(bone, np.array([0.0, *last.end]), last.loft().axes()[2]),
    }
    paired = {
        "transverse": _surface(bone, transverse.point(1.0), transverse.axes()[2]),
        "cornu": _surface(bone, np.asarray(cornu.end), np.subtract(cornu.end, cornu.start)),
    }
    for side in SIDES:
        for name, frame in paired.items():
            found[f"{name}.{side}"] = frame if side == "right" else mirrored(frame)
    return found


def _above(parameters: CoccyxParameters, points: Points) -> Floats:
    """The space above the joint surface: a plane at z = 0, hollowed in the middle."""
    x, y, z = points.T
    first = next(iter(parameters.segments.values()))
    across = np.hypot(x / first.half_width[0], (y - first.start[0]) / first.half_depth[0])
    return -z - parameters.joint_depth * np.clip(1.0 - across * across, 0.0, 1.0)


def _surface(bone: Field, start: Floats, direction: Floats) -> Frame:
    origin = leaving(bone, start, direction)
    return surface_frame(origin, normals(bone, origin[None])[0])
