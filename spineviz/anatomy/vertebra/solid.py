"""The whole vertebra, T1 to L5: its parameters, and its parts joined into one smooth solid."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spineviz.anatomy.vertebra.costal import CostalFacet, costal_field
from spineviz.anatomy.vertebra.parts import (
    Facet,
    PedicleAxis,
    Process,
    SpinousProcess,
    Triple,
    VertebralBody,
    body_field,
    joint_field,
    process_field,
    spinous_field,
)
from spineviz.sdf.solid import Field, Solid, smooth_difference, smooth_intersection, smooth_union
from spineviz.spec import Spec
from spineviz.structure import Floats, Points

ACROSS: dict[str, Triple] = {
    "pedicle": (1.0, 0.0, 0.0),
    "superior_articular_process": (1.0, 0.0, 0.0),
    "inferior_articular_process": (1.0, 0.0, 0.0),
    "transverse_process": (0.0, 1.0, 0.0),
    "lamina": (0.0, 1.0, 0.0),
    "mammillary_process": (1.0, 0.0, 0.0),
    "uncinate_process": (1.0, 0.0, 0.0),
}
"""The paired processes in the order they are joined, and the direction of their ``across`` widths."""

BODY_COSTAL = ("superior_costal_facet", "inferior_costal_facet")
COSTAL = (*BODY_COSTAL, "transverse_costal_facet")
"""The costal facets: of the body, and all."""

COSTAL_EDGE = 1.0
"""The radius (mm) that rounds the border of a costal facet's hollow."""

JOINT_EDGE = 1.2
"""The radius (mm) that rounds the border of a flat articular surface."""

MARGIN = 4.0
"""Free space (mm) kept around the parts when a solid's bounds are drawn."""


class VertebraParameters(Spec):
    """The shape of one thoracic or lumbar vertebra, a parameter class for each of its parts.

    Parts that a level does not have are None: the mammillary process above T11, the uncinate process (a lip
    at the side of the superior endplate) below T2, costal facets in the lumbar spine.
    """

    body: VertebralBody
    pedicle: Process
    superior_articular_process: Process
    inferior_articular_process: Process
    transverse_process: Process
    lamina: Process
    mammillary_process: Process | None = None
    spinous_process: SpinousProcess
    pedicle_axis: PedicleAxis
    superior_facet: Facet
    inferior_facet: Facet
    uncinate_process: Process | None = None
    superior_costal_facet: CostalFacet | None = None
    inferior_costal_facet: CostalFacet | None = None
    transverse_costal_facet: CostalFacet | None = None

    def process(self, name: str) -> Process:
        """Return one of the paired processes that this level has, by its name."""
        result = getattr(self, name)
        assert isinstance(result, Process)
        return result

    def processes(self) -> dict[str, Process]:
        """Return the paired processes that this level has, in the order they are joined."""
        return {name: self.process(name) for name in ACROSS if getattr(self, name) is not None}

    def flat_facets(self) -> list[tuple[str, Floats, float]]:
        """Return the flat articular surfaces: name, normal out of the bone, +1 where the free end is up."""
        known = (("superior_facet", 1.0), ("inferior_facet", -1.0))
        return [
            (name, side * getattr(self, name).facing(), side)
            for name, side in known
            if getattr(self, name).centre is not None
        ]

    def costal_facets(self) -> dict[str, CostalFacet]:
        """Return the costal facets that this level has, by name."""
        known = {name: getattr(self, name) for name in COSTAL}
        return {name: facet for name, facet in known.items() if facet is not None}


def part_fields(parameters: VertebraParameters) -> dict[str, Field]:
    """Return the field of each part by name.

    The body's gives three distances (see `body_field`), a costal facet's two (see `costal_field`).
    """
    parts = {"body": body_field(parameters.body)}
    for name, process in parameters.processes().items():
        parts[name] = process_field(process, ACROSS[name])
    parts["spinous_process"] = spinous_field(parameters.spinous_process)
    for name, facet in parameters.costal_facets().items():
        parts[name] = costal_field(facet)
    for name, outward, free in parameters.flat_facets():
        parts[name] = joint_field(getattr(parameters, name), outward, free)
    return parts


def joined(parameters: VertebraParameters, distances: Mapping[str, Floats]) -> Floats:
    """Join the distances of the parts, each with its own fillet."""
    facets = parameters.costal_facets()
    side, above, below = distances["body"]
    result = smooth_union(side, distances["pedicle"], parameters.pedicle.blend)
    for name in BODY_COSTAL:
        if name in facets:
            result = smooth_union(result, distances[name][0], facets[name].blend)
    result = smooth_intersection(result, above, parameters.body.edges[0])
    result = smooth_intersection(result, below, parameters.body.edges[1])
    for name, process in list(parameters.processes().items())[1:]:
        result = smooth_union(result, distances[name], process.blend)
    result = smooth_union(result, distances["spinous_process"], parameters.spinous_process.blend)
    for name, _, _ in parameters.flat_facets():
        result = smooth_difference(result, distances[name], JOINT_EDGE)
    if "transverse_costal_facet" in facets:
        facet = facets["transverse_costal_facet"]
        result = smooth_union(result, distances["transverse_costal_facet"][0], facet.blend)
    for name in facets:
        result = smooth_difference(result, distances[name][1], COSTAL_EDGE)
    return result


def field(parameters: VertebraParameters) -> Field:
    """Return the signed distance of the whole bone in its own frame: (n, 3) mm -> (n,) mm."""
    parts = part_fields(parameters)

    def distance(points: Points) -> Floats:
        return joined(parameters, {name: part(points) for name, part in parts.items()})

    return distance


def solid(parameters: VertebraParameters) -> Solid:
    """Return the bone as a solid in its own frame, with bounds that hold all of it."""
    reaches = [_body_reach(parameters.body), _spinous_reach(parameters.spinous_process)]
    reaches += [_process_reach(process) for process in parameters.processes().values()]
    lower = np.min([low for low, _ in reaches], axis=0) - MARGIN
    upper = np.max([high for _, high in reaches], axis=0) + MARGIN
    lower[0] = -upper[0]
    return Solid(field(parameters), lower, upper)


def _body_reach(body: VertebralBody) -> tuple[Floats, Floats]:
    width = max(body.half_width)
    front = max(c + d for c, d in zip(body.centre, body.anterior_depth, strict=True))
    back = min(c - d for c, d in zip(body.centre, body.posterior_depth, strict=True))
    heights = [
        plate.height + abs(plate.tilt) + abs(plate.sagittal_curvature) + abs(plate.lateral_curvature)
        for plate in (body.superior_endplate, body.inferior_endplate)
    ]
    return np.array([-width, back, -heights[1]]), np.array([width, front, heights[0]])


def _process_reach(process: Process) -> tuple[Floats, Floats]:
    thick = max(*process.across, *process.along, *process.caps)
    thick += max(abs(process.bow[0]), abs(process.bow[1])) / 2.0
    ends = np.array([process.start, process.end])
    return ends.min(axis=0) - thick, ends.max(axis=0) + thick


def _spinous_reach(process: SpinousProcess) -> tuple[Floats, Floats]:
    ends = np.array([process.start, process.end, process.bulb_superior, process.bulb_inferior])
    thick = max(*process.half_height, process.cap, process.bulb_depth)
    low, high = ends.min(axis=0) - thick, ends.max(axis=0) + thick
    return np.array([-thick, *low]), np.array([thick, *high])
