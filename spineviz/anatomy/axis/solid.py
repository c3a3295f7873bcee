"""The whole axis: its parameters, and its parts joined into one smooth solid."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spineviz.anatomy.articular import FacetSize, Sheet, rounded, sheet_axes, sheet_field
from spineviz.anatomy.atlas.parts import Cut, cut_field, united
from spineviz.anatomy.axis.parts import Column, SpinousRoof, column_field, roof_field
from spineviz.anatomy.vertebra.parts import PedicleAxis, Process, Triple, process_field
from spineviz.sdf.solid import Field, Solid, smooth_difference, smooth_intersection
from spineviz.spec import Spec
from spineviz.structure import Floats, Points

ACROSS: dict[str, Triple] = {
    "superior_articular_mass": (0.0, 1.0, 0.0),
    "pars": (1.0, 0.0, 0.0),
    "inferior_articular_process": (1.0, 0.0, 0.0),
    "lamina": (0.0, 1.0, 0.0),
    "anterior_root": (0.0, 1.0, 0.0),
    "posterior_root": (0.0, 1.0, 0.0),
    "bifid_tip": (1.0, 0.0, 0.0),
    "transverse_foramen": (0.0, 1.0, 0.0),
    "spinous_hollow": (1.0, 0.0, 0.0),
}
"""The swept parts and the direction of their ``across`` half-widths."""

PROCESSES = tuple(ACROSS)[:7]
CUTS = tuple(ACROSS)[7:]
SHEETS = ("superior_facet", "inferior_facet", "dens_facet", "inferior_endplate")

BEYOND, CLEARANCE = 1.0, 6.0
"""The joint space under an inferior articular surface is kept free so far (mm) beyond the surface's rim, and
so deep."""

MARGIN = 4.0
"""Free space (mm) kept around the parts when a solid's bounds are drawn."""


class AxisParameters(Spec):
    """The shape of the axis, a parameter class for each of its parts."""

    body: Column
    dens: Column
    inferior_endplate: Sheet
    dens_facet: Sheet
    superior_articular_mass: Process
    superior_facet: Sheet
    pars: Process
    inferior_articular_process: Process
    inferior_facet: Sheet
    lamina: Process
    anterior_root: Process
    posterior_root: Process
    spinous_process: SpinousRoof
    bifid_tip: Process
    transverse_foramen: Cut
    spinous_hollow: Cut
    pedicle_axis: PedicleAxis
    superior_facet_size: FacetSize
    inferior_facet_size: FacetSize
    dens_facet_size: FacetSize

    def process(self, name: str) -> Process:
        """Return one of the swept parts by its name."""
        result = getattr(self, name)
        assert isinstance(result, Process)
        return result

    def cut(self, name: str) -> Cut:
        """Return one of the cuts by its name."""
        result = getattr(self, name)
        assert isinstance(result, Cut)
        return result

    def sheet(self, name: str) -> Sheet:
        """Return one of the articular sheets by its name."""
        result = getattr(self, name)
        assert isinstance(result, Sheet)
        return result


def part_fields(parameters: AxisParameters) -> dict[str, Field]:
    """Return the field of each part by name; the sheets' tell how far beyond them a point lies."""
    parts = {"body": column_field(parameters.body), "dens": column_field(parameters.dens)}
    parts["spinous_process"] = roof_field(parameters.spinous_process)
    parts |= {name: process_field(parameters.process(name), ACROSS[name]) for name in PROCESSES}
    parts |= {name: sheet_field(parameters.sheet(name)) for name in SHEETS}
    parts |= {name: cut_field(parameters.cut(name), ACROSS[name]) for name in CUTS}
    parts["joint_space"] = _joint_space(parameters)
    return parts


def _joint_space(parameters: AxisParameters) -> Field:
    """Return the field of the joint spaces under both inferior articular surfaces."""
    sheet, size = parameters.inferior_facet, parameters.inferior_facet_size
    beyond, (_, _, out) = sheet_field(sheet), sheet_axes(sheet)
    reach = max(size.across, size.along) + BEYOND

    def distance(points: Points) -> Floats:
        offset = np.column_stack([rounded(points[:, 0]), points[:, 1:]]) - np.asarray(sheet.centre)
        height = offset @ out
        radius = np.sqrt(np.maximum((offset * offset).sum(axis=1) - height * height, 0.0))
        return smooth_intersection(np.maximum(-beyond(points), height - CLEARANCE), radius - reach, 2.0)

    return distance


def joined(parameters: AxisParameters, distances: Mapping[str, Floats]) -> Floats:
    """Join the distances of the parts: each is faceted first, then joined; the cuts come last."""

    def faceted(part: str, sheet: str) -> Floats:
        return smooth_intersection(distances[part], distances[sheet], parameters.sheet(sheet).edge)

    body = faceted("body", "inferior_endplate")
    added = {
        "superior_articular_mass": faceted("superior_articular_mass", "superior_facet"),
        "dens": faceted("dens", "dens_facet"),
        "pars": distances["pars"],
        "inferior_articular_process": faceted("inferior_articular_process", "inferior_facet"),
    }
    for name in ("lamina", "anterior_root", "posterior_root", "spinous_process", "bifid_tip"):
        added[name] = distances[name]
    blends = tuple(float(getattr(parameters, name).blend) for name in added)
    result = united((body, *added.values()), blends)
    result = smooth_difference(result, distances["joint_space"], parameters.inferior_facet.edge)
    for name in CUTS:
        result = smooth_difference(result, distances[name], parameters.cut(name).edge)
    return result


def field(parameters: AxisParameters) -> Field:
    """Return the signed distance of the whole bone in its own frame: (n, 3) mm -> (n,) mm."""
    parts = part_fields(parameters)

    def distance(points: Points) -> Floats:
        return joined(parameters, {name: part(points) for name, part in parts.items()})

    return distance


def solid(parameters: AxisParameters) -> Solid:
    """Return the bone as a solid in its own frame, with bounds that hold all of it."""
    places, thick = [], []
    for column in (parameters.body, parameters.dens):
        places += [np.array([0.0, *column.start]), np.array([0.0, *column.end])]
        thick += [max(*column.half_width, *column.half_depth, *column.caps)] * 2
    roof = parameters.spinous_process
    places += [np.array([0.0, *roof.start]), np.array([0.0, *roof.end])]
    thick += [max(*roof.half_thickness, *roof.half_height, *roof.caps)] * 2
    for name in PROCESSES:
        process = parameters.process(name)
        places += [np.array(process.start), np.array(process.end)]
        thick += [max(*process.across, *process.along, *process.caps)] * 2
    reach = np.array(thick)[:, None] + MARGIN
    lower, upper = np.min(np.array(places) - reach, axis=0), np.max(np.array(places) + reach, axis=0)
    lower[0] = -upper[0]
    return Solid(field(parameters), lower, upper)
