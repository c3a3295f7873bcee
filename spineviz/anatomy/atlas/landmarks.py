"""Landmarks of the atlas in its own frame, found on the bone that the parameters make.

Surface landmarks start inside a part and are carried along a ray to the zero surface of the whole bone;
their y axis points out of the bone, z is as superior as possible, x = y x z. Axis landmarks (canal,
transverse foramina) keep z superior and y anterior.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spineviz.anatomy.articular import covered, sheet_axes
from spineviz.anatomy.atlas.parts import arch_point
from spineviz.anatomy.atlas.solid import ACROSS, ARCHES, AtlasParameters, field
from spineviz.anatomy.vertebra.landmarks import axis_frame, leaving, mirrored, normals, surface_frame
from spineviz.anatomy.vertebra.parts import process_loft
from spineviz.sdf.solid import Field
from spineviz.structure import Floats, Frame, Points

PATCH = 1.5
"""Normals of articular surfaces are means over this radius (mm)."""

ANTERIOR = np.array([0.0, 1.0, 0.0])
SUPERIOR = np.array([0.0, 0.0, 1.0])


def landmarks(parameters: AtlasParameters) -> dict[str, Frame]:
    """Return the landmarks of the atlas by feature name, in its own frame.

    ``canal``, ``arch.anterior``, ``arch.posterior``, ``facet.dens``, ``spinous.tip`` (the posterior
    tubercle), ``spinous.base`` and, each ``.left`` and ``.right``, ``facet.superior``, ``facet.inferior``,
    ``transverse``, ``foramen.transverse``, ``lamina`` (the posterior arch) and ``tubercle.ligament`` (of the
    transverse ligament). Raises ValueError where a part's start does not lie in the bone.
    """
    bone = field(parameters)
    front, back = (arch_point(parameters.arch(name), 0.0, way) for name, way in ARCHES.items())
    mass = process_loft(parameters.lateral_mass, ACROSS["lateral_mass"])
    transverse = process_loft(parameters.transverse_process, ACROSS["transverse_process"])
    ligament = process_loft(parameters.ligament_tubercle, ACROSS["ligament_tubercle"])
    aside = arch_point(parameters.posterior_arch, 0.5, -1.0)
    tubercle = surface(bone, back, -ANTERIOR)
    one_side = {
        "facet.superior": _facet(bone, parameters, "superior_facet", mass.point(0.45)),
        "facet.inferior": _facet(bone, parameters, "inferior_facet", mass.point(0.45)),
        "transverse": surface(bone, transverse.point(0.97), transverse.axes()[2]),
        "foramen.transverse": passage(parameters.transverse_foramen.start, parameters.transverse_foramen.end),
        "lamina": surface(bone, aside, aside * [1.0, 1.0, 0.0]),
        "tubercle.ligament": surface(bone, ligament.point(0.0), ligament.axes()[2], 0.5),
    }
    result = {
        "canal": _canal(bone, parameters, front, back),
        "arch.anterior": surface(bone, front, ANTERIOR),
        "arch.posterior": tubercle,
        "facet.dens": surface(bone, front, -ANTERIOR),
        "spinous.tip": tubercle,
        "spinous.base": surface(bone, back, SUPERIOR),
    }
    for name, frame in one_side.items():
        result[f"{name}.left"] = mirrored(frame)
        result[f"{name}.right"] = frame
    return result


def surface(bone: Field, start: Floats, direction: Floats, radius: float = PATCH) -> Frame:
    """Return the surface landmark where a ray leaves the bone; its normal is a mean over ``radius`` mm."""
    origin = leaving(bone, start, np.asarray(direction))
    return surface_frame(origin, normals(bone, origin[None], radius)[0])


def passage(start: tuple[float, float, float], end: tuple[float, float, float]) -> Frame:
    """Return the middle of a passage; z runs along it, superior."""
    along = np.subtract(end, start)
    return axis_frame(np.add(start, end) / 2.0, along if along[2] > 0.0 else -along)


def _facet(bone: Field, parameters: AtlasParameters, name: str, start: Floats) -> Frame:
    """Return an articular surface's centre on the right: where the ray out of the mass leaves the bone."""
    sheet = parameters.sheet(name)
    towards = sheet_axes(sheet)[2]
    along = (np.asarray(sheet.centre) - start) @ towards
    return surface(bone, np.asarray(sheet.centre) - 0.5 * along * towards, towards)


def _canal(bone: Field, parameters: AtlasParameters, front: Floats, back: Floats) -> Frame:
    """Return the centre of the canal for the cord: the ring without the part that the dens fills."""
    ahead = leaving(bone, front, -ANTERIOR)
    behind = leaving(bone, back, ANTERIOR)
    middle = (1.0 + parameters.canal.dens_share) / 2.0
    return axis_frame(ahead + middle * (behind - ahead), SUPERIOR)


def cartilage_of(
    parameters: AtlasParameters, marks: Mapping[str, Frame], points: Points, facing: Floats
) -> Floats:
    """Return the cartilage cover of surface points with their unit normals: (n,) 0..1."""
    folded, turned = np.array(points, dtype=np.float64), np.array(facing)
    turned[folded[:, 0] < 0.0, 0] *= -1.0
    folded[:, 0] = np.abs(folded[:, 0])
    result = covered(
        marks["facet.dens"].origin,
        (np.array([1.0, 0.0, 0.0]), SUPERIOR, -ANTERIOR),
        parameters.dens_facet_size,
        folded,
        turned,
    )
    for name, size in (
        ("superior", parameters.superior_facet_size),
        ("inferior", parameters.inferior_facet_size),
    ):
        axes = sheet_axes(parameters.sheet(f"{name}_facet"))
        centre = marks[f"facet.{name}.right"].origin
        result = np.maximum(result, covered(centre, axes, size, folded, turned))
    return result
