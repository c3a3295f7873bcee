"""The whole cervical vertebra C3-C7: its parameters, and its parts joined into one smooth solid."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spineviz.anatomy.cervical.parts import (
    RIGHTWARD,
    UPWARD,
    ArticularPillar,
    Lamina,
    SpinousCleft,
    SpinousPlate,
    TransverseForamen,
    cleft_loft,
    foramen_field,
    joint_spaces_field,
    lamina_field,
    pillar_field,
    plate_loft,
    sheet_field,
)
from spineviz.anatomy.vertebra.parts import (
    Facet,
    PedicleAxis,
    Process,
    Triple,
    VertebralBody,
    body_field,
    process_field,
)
from spineviz.sdf.solid import Field, Solid, smooth_difference, smooth_intersection, smooth_union
from spineviz.spec import Spec
from spineviz.structure import Floats, Points

ACROSS: dict[str, Triple] = {
    "pedicle": UPWARD,
    "uncinate_process": RIGHTWARD,
    "lamina": UPWARD,
    "spinous_tubercle": RIGHTWARD,
    "anterior_bar": UPWARD,
    "posterior_bar": UPWARD,
    "intertubercular_lamella": UPWARD,
    "nerve_groove": UPWARD,
}
"""The plain paired processes, and the direction of their ``across`` half-widths."""

SHEETS = ("anterior_bar", "intertubercular_lamella")
"""The processes that are flat sheets of bone."""

MARGIN = 4.0
"""Free space (mm) kept around the parts when a solid's bounds are drawn."""


class CervicalParameters(Spec):
    """The shape of one cervical vertebra, a parameter class for each of its parts.

    The transverse process is an anterior bar with the anterior tubercle at its end, a posterior bar
    with the posterior tubercle, the lamella between the two tubercles and the foramen that they enclose.
    The groove of the spinal nerve, which is taken out, runs over the pedicle between the uncinate and the
    superior articular process.
    """

    body: VertebralBody
    uncinate_process: Process
    pedicle: Process
    articular_pillar: ArticularPillar
    lamina: Lamina
    spinous_process: SpinousPlate
    spinous_tubercle: Process
    spinous_cleft: SpinousCleft
    anterior_bar: Process
    posterior_bar: Process
    intertubercular_lamella: Process
    transverse_foramen: TransverseForamen
    nerve_groove: Process
    pedicle_axis: PedicleAxis
    superior_facet: Facet
    inferior_facet: Facet

    def process(self, name: str) -> Process:
        """Return one of the plain paired processes by its name."""
        result = getattr(self, name)
        assert isinstance(result, Process)
        return result


def part_fields(parameters: CervicalParameters) -> dict[str, Field]:
    """Return the field of each part by name; the body's gives three distances (see `body_field`), the
    articular pillar's two: to the bone, and to the joint spaces before its facets."""
    parts = {"body": body_field(parameters.body)}
    for name, reference in ACROSS.items():
        make = sheet_field if name in SHEETS else process_field
        parts[name] = make(parameters.process(name), reference)
    parts["lamina"] = lamina_field(parameters.lamina)
    parts["articular_pillar"] = _pillar(parameters.articular_pillar)
    parts["spinous_process"] = plate_loft(parameters.spinous_process)
    parts["spinous_cleft"] = cleft_loft(parameters.spinous_cleft)
    parts["transverse_foramen"] = foramen_field(parameters.transverse_foramen)
    return parts


def _pillar(pillar: ArticularPillar) -> Field:
    """Return two distances: to the articular pillars, and to the joint spaces before their facets."""
    column, spaces = pillar_field(pillar), joint_spaces_field(pillar)

    def distances(points: Points) -> Floats:
        return np.stack([column(points), spaces(points)])

    return distances


def joined(parameters: CervicalParameters, distances: Mapping[str, Floats]) -> Floats:
    """Join the distances of the parts, each with its own fillet; grooves and foramina are cut last.

    Uncinate process and articular pillar each grow from the body without bridging the cleft between them.
    """
    side, above, below = distances["body"]
    bone = smooth_union(side, distances["pedicle"], parameters.pedicle.blend)
    bone = smooth_intersection(bone, above, parameters.body.edges[0])
    bone = smooth_intersection(bone, below, parameters.body.edges[1])
    lipped = smooth_union(bone, distances["uncinate_process"], parameters.uncinate_process.blend)
    pillar, joint_spaces = distances["articular_pillar"]
    bone = smooth_union(bone, pillar, parameters.articular_pillar.column.blend)
    bone = np.minimum(bone, lipped)
    spinous, tubercle = distances["spinous_process"], distances["spinous_tubercle"]
    spinous = smooth_union(spinous, tubercle, parameters.spinous_tubercle.blend)
    spinous = smooth_difference(spinous, distances["spinous_cleft"], parameters.spinous_cleft.edge)
    arch = smooth_union(spinous, distances["lamina"], parameters.spinous_process.blend)
    bone = smooth_union(bone, arch, parameters.lamina.blend)
    for name in ("anterior_bar", "posterior_bar", "intertubercular_lamella"):
        bone = smooth_union(bone, distances[name], parameters.process(name).blend)
    bone = smooth_difference(bone, distances["nerve_groove"], parameters.nerve_groove.blend)
    bone = smooth_difference(bone, joint_spaces, parameters.articular_pillar.edge)
    return smooth_difference(bone, distances["transverse_foramen"], parameters.transverse_foramen.edge)


def field(parameters: CervicalParameters) -> Field:
    """Return the signed distance of the whole bone in its own frame: (n, 3) mm -> (n,) mm."""
    parts = part_fields(parameters)

    def distance(points: Points) -> Floats:
        return joined(parameters, {name: part(points) for name, part in parts.items()})

    return distance


def solid(parameters: CervicalParameters) -> Solid:
    """Return the bone as a solid in its own frame, with bounds that hold all of it."""
    plate = parameters.spinous_process
    reaches = [_body_reach(parameters.body), _process_reach(parameters.articular_pillar.column)]
    reaches += [_process_reach(parameters.process(name)) for name in ACROSS]
    thick = max(*plate.half_height, plate.cap)
    ends = np.array([plate.start, plate.end])
    reaches.append(
        (np.array([-thick, *(ends.min(axis=0) - thick)]), np.array([thick, *(ends.max(axis=0) + thick)]))
    )
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
