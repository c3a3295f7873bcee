"""The whole atlas: its parameters, and its parts joined into one smooth solid."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spineviz.anatomy.articular import FacetSize, Sheet, sheet_field
from spineviz.anatomy.atlas.parts import Arch, Cut, RingCanal, arch_field, arch_point, cut_field, united
from spineviz.anatomy.vertebra.parts import Process, Triple, process_field
from spineviz.sdf.solid import Field, Solid, smooth_difference, smooth_intersection
from spineviz.spec import Spec
from spineviz.structure import Floats, Points

ACROSS: dict[str, Triple] = {
    "lateral_mass": (1.0, 0.0, 0.0),
    "transverse_process": (0.0, 1.0, 0.0),
    "anterior_tubercle": (1.0, 0.0, 0.0),
    "posterior_tubercle": (1.0, 0.0, 0.0),
    "ligament_tubercle": (0.0, 1.0, 0.0),
    "transverse_foramen": (1.0, 0.0, 0.0),
    "artery_groove": (0.0, 0.0, 1.0),
    "dens_facet": (1.0, 0.0, 0.0),
}
"""The swept parts and the direction of their ``across`` half-widths."""

PROCESSES = tuple(ACROSS)[:5]
CUTS = tuple(ACROSS)[5:]
ARCHES: dict[str, float] = {"anterior_arch": 1.0, "posterior_arch": -1.0}
SHEETS = ("superior_facet", "inferior_facet")

MARGIN = 4.0
"""Free space (mm) kept around the parts when a solid's bounds are drawn."""


class AtlasParameters(Spec):
    """The shape of the atlas, a parameter class for each of its parts."""

    anterior_arch: Arch
    posterior_arch: Arch
    lateral_mass: Process
    superior_facet: Sheet
    inferior_facet: Sheet
    transverse_process: Process
    anterior_tubercle: Process
    posterior_tubercle: Process
    ligament_tubercle: Process
    transverse_foramen: Cut
    artery_groove: Cut
    dens_facet: Cut
    canal: RingCanal
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

    def arch(self, name: str) -> Arch:
        """Return one of the arches by its name."""
        result = getattr(self, name)
        assert isinstance(result, Arch)
        return result

    def sheet(self, name: str) -> Sheet:
        """Return one of the articular sheets by its name."""
        result = getattr(self, name)
        assert isinstance(result, Sheet)
        return result


def part_fields(parameters: AtlasParameters) -> dict[str, Field]:
    """Return the field of each part by name; the sheets' tell how far beyond them a point lies."""
    parts = {name: arch_field(parameters.arch(name), front) for name, front in ARCHES.items()}
    parts |= {name: process_field(parameters.process(name), ACROSS[name]) for name in PROCESSES}
    parts |= {name: sheet_field(parameters.sheet(name)) for name in SHEETS}
    parts |= {name: cut_field(parameters.cut(name), ACROSS[name]) for name in CUTS}
    return parts


def joined(parameters: AtlasParameters, distances: Mapping[str, Floats]) -> Floats:
    """Join the distances of the parts: arches and processes to the faceted masses, then the cuts."""
    mass = distances["lateral_mass"]
    for name in SHEETS:
        mass = smooth_intersection(mass, distances[name], parameters.sheet(name).edge)
    added = ("anterior_arch", "posterior_arch", *PROCESSES[1:])
    blends = tuple(float(getattr(parameters, name).blend) for name in added)
    result = united((mass, *(distances[name] for name in added)), blends)
    for name in CUTS:
        result = smooth_difference(result, distances[name], parameters.cut(name).edge)
    return result


def field(parameters: AtlasParameters) -> Field:
    """Return the signed distance of the whole bone in its own frame: (n, 3) mm -> (n,) mm."""
    parts = part_fields(parameters)

    def distance(points: Points) -> Floats:
        return joined(parameters, {name: part(points) for name, part in parts.items()})

    return distance


def solid(parameters: AtlasParameters) -> Solid:
    """Return the bone as a solid in its own frame, with bounds that hold all of it."""
    places, thick = [], []
    for name, front in ARCHES.items():
        arch = parameters.arch(name)
        places += [arch_point(arch, place, front) for place in (0.0, 0.5, 1.0)]
        thick += [max(*arch.half_thickness, *arch.half_height)] * 3
    for name in PROCESSES:
        process = parameters.process(name)
        places += [np.array(process.start), np.array(process.end)]
        thick += [max(*process.across, *process.along, *process.caps)] * 2
    reach = np.array(thick)[:, None] + MARGIN
    lower, upper = np.min(np.array(places) - reach, axis=0), np.max(np.array(places) + reach, axis=0)
    lower[0] = -upper[0]
    return Solid(field(parameters), lower, upper)
