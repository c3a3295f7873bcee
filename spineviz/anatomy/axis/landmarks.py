"""Landmarks of the axis in its own frame, found on the bone that the parameters make.

Surface landmarks start inside a part and are carried along a ray to the zero surface of the whole bone;
their y axis points out of the bone, z is as superior as possible, x = y x z. Axis landmarks (endplate, canal,
pedicles, transverse foramina) keep z superior and y anterior.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spineviz.anatomy.articular import covered, sheet_axes
from spineviz.anatomy.atlas.landmarks import ANTERIOR, SUPERIOR, passage, surface
from spineviz.anatomy.axis.parts import column_field, column_loft, roof_loft
from spineviz.anatomy.axis.solid import ACROSS, AxisParameters, field
from spineviz.anatomy.vertebra.landmarks import axis_frame, leaving, mirrored, surface_frame
from spineviz.anatomy.vertebra.parts import process_loft
from spineviz.sdf.loft import Loft
from spineviz.sdf.solid import Field
from spineviz.structure import Floats, Frame, Points

RIM, DEPTH = 0.86, 5.0
"""Where the endplate's rim lies: the part of the way from the centre to the border of the body's section
``DEPTH`` mm above the endplate."""


def landmarks(parameters: AxisParameters) -> dict[str, Frame]:
    """Return the landmarks of the axis by feature name, in its own frame.

    ``endplate.inferior``, ``canal``, ``dens.tip``, ``facet.dens``, ``spinous.tip``, ``spinous.base`` and,
    each ``.left`` and ``.right``, ``pedicle``, ``pars``, ``lamina``, ``transverse``, ``foramen.transverse``,
    ``facet.superior``, ``facet.inferior``, ``tubercle.spinous`` (a tip of the fork).
    There is no superior endplate. Raises ValueError where a part's start does not lie in the bone.
    """
    bone = field(parameters)
    lofts = {
        name: process_loft(parameters.process(name), ACROSS[name])
        for name in ("superior_articular_mass", "pars", "inferior_articular_process", "lamina")
    }
    dens, roof = column_loft(parameters.dens), roof_loft(parameters.spinous_process)
    tip = process_loft(parameters.anterior_root, ACROSS["anterior_root"]).point(1.0)
    foramen = parameters.transverse_foramen
    pedicle = _pedicle(bone, parameters, lofts["pars"])
    fork = process_loft(parameters.bifid_tip, ACROSS["bifid_tip"])
    one_side = {
        "pedicle": pedicle,
        "pars": surface(bone, lofts["pars"].point(0.7), np.array([0.7, -0.7, 0.0])),
        "lamina": surface(bone, lofts["lamina"].point(0.5), np.array([0.5, -1.0, 0.1])),
        "transverse": surface(bone, tip, np.array([1.0, -0.1, -0.2])),
        "tubercle.spinous": surface(bone, fork.point(0.9), fork.axes()[2]),
        "foramen.transverse": passage(foramen.start, foramen.end),
        "facet.superior": _facet(bone, parameters, "superior_facet", lofts["superior_articular_mass"]),
        "facet.inferior": _facet(bone, parameters, "inferior_facet", lofts["inferior_articular_process"]),
    }
    result = {
        "endplate.inferior": _endplate(bone, parameters),
        "canal": _canal(bone, float(pedicle.origin[2])),
        "dens.tip": surface(bone, dens.point(0.9), dens.axes()[2]),
        "facet.dens": surface(bone, dens.point(0.95), ANTERIOR),
        "spinous.tip": surface(bone, roof.point(0.9), -ANTERIOR),
        "spinous.base": surface(bone, roof.point(0.1), SUPERIOR),
    }
    for name, frame in one_side.items():
        result[f"{name}.left"] = mirrored(frame)
        result[f"{name}.right"] = frame
    return result


def _facet(bone: Field, parameters: AxisParameters, name: str, loft: Loft) -> Frame:
    """Return an articular surface's centre on the right: where the ray from inside leaves the bone."""
    sheet = parameters.sheet(name)
    towards = sheet_axes(sheet)[2]
    inside = loft.point(0.5)
    depth = (np.asarray(sheet.centre) - inside) @ towards
    return surface(bone, np.asarray(sheet.centre) - depth * towards, towards)


def _pedicle(bone: Field, parameters: AxisParameters, pars: Loft) -> Frame:
    """Return the right pedicle's isthmus: the place with the least bone between articular mass and pars."""
    places = np.linspace(0.1, 0.6, 21)
    centres = np.array([pars.point(float(place)) for place in places])
    medial, caudal = np.radians(parameters.pedicle_axis.medial), np.radians(parameters.pedicle_axis.caudal)
    forward = np.array([-np.sin(medial) * np.cos(caudal), np.cos(medial) * np.cos(caudal), -np.sin(caudal)])
    return surface_frame(centres[np.argmax(bone(centres))], forward)


def _canal(bone: Field, height: float) -> Frame:
    """Return the centre of the vertebral foramen between the body's back and the laminae."""
    wall = leaving(bone, np.array([0.0, 0.0, height]), -ANTERIOR)
    behind = wall - np.arange(1.0, 40.0, 0.25)[:, None] * ANTERIOR
    for drop in np.arange(0.0, 20.0, 0.5):
        inside = bone(behind - drop * SUPERIOR) < 0.0
        if inside.any():
            return axis_frame((wall + behind[np.argmax(inside)]) / 2.0, SUPERIOR)
    raise ValueError(f"no lamina was found behind the axis' canal at z = {height:.1f} mm")


def _endplate(bone: Field, parameters: AxisParameters) -> Frame:
    """Return the frame of the inferior endplate's rim: its centre and the normal of its plane."""
    body, sheet = column_field(parameters.body), parameters.inferior_endplate
    centre = np.array([0.0, parameters.body.start[0], sheet.centre[2] + DEPTH])
    ring = []
    for angle in np.radians(np.arange(0.0, 360.0, 15.0)):
        border = leaving(body, centre, np.array([np.cos(angle), np.sin(angle), 0.0]))
        ring.append(leaving(bone, centre + RIM * (border - centre), -SUPERIOR))
    points = np.array(ring)
    slope = np.polyfit(points[:, 1], points[:, 2], 1)[0]
    return axis_frame(points.mean(axis=0) * [0.0, 1.0, 1.0], np.array([0.0, -slope, 1.0]))


def cartilage_of(
    parameters: AxisParameters, marks: Mapping[str, Frame], points: Points, facing: Floats
) -> Floats:
    """Return the cartilage cover of surface points with their unit normals: (n,) 0..1."""
    folded, turned = np.array(points, dtype=np.float64), np.array(facing)
    turned[folded[:, 0] < 0.0, 0] *= -1.0
    folded[:, 0] = np.abs(folded[:, 0])
    result = np.zeros(len(folded))
    for mark, sheet, size in (
        ("facet.dens", parameters.dens_facet, parameters.dens_facet_size),
        ("facet.superior.right", parameters.superior_facet, parameters.superior_facet_size),
        ("facet.inferior.right", parameters.inferior_facet, parameters.inferior_facet_size),
    ):
        cover = covered(marks[mark].origin, sheet_axes(sheet), size, folded, turned)
        result = np.maximum(result, cover)
    return result
