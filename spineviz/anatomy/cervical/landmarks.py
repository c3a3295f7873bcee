"""Landmarks of a cervical vertebra C3-C7 in its own frame, found on the bone that the parameters make.

Surface landmarks start from a part's parameters and are carried along a ray to the zero surface of
the whole bone; their y axis points out of the bone, z is as superior as possible, x = y x z. Axis
landmarks (endplates, canal, pedicles, transverse foramina) keep z superior and y anterior.
"""

from __future__ import annotations

import numpy as np

from spineviz.anatomy.cervical.parts import RIGHTWARD, FacetSurface, plate_loft
from spineviz.anatomy.cervical.solid import ACROSS, CervicalParameters, field
from spineviz.anatomy.vertebra.landmarks import (
    axis_frame,
    crest_slope,
    leaving,
    leaving_all,
    mirrored,
    normals,
    surface_frame,
)
from spineviz.anatomy.vertebra.parts import PedicleAxis, VertebralBody, body_field, process_loft
from spineviz.sdf.loft import Loft
from spineviz.sdf.solid import Field
from spineviz.structure import Floats, Frame

RIM, DEPTH = 0.9, 3.0
"""Where an endplate's rim lies: the part of the way from the centre to the border of the body's section
``DEPTH`` mm below the endplate, between the uncinate processes."""

PATCH = 1.5
"""Normals of articular and laminar surfaces are means over this radius (mm)."""

SUPERIOR = np.array([0.0, 0.0, 1.0])
FORWARD = np.array([0.4, 0.9, 0.2])
BACKWARD = np.array([0.0, -1.0, 0.0])


def landmarks(parameters: CervicalParameters) -> dict[str, Frame]:
    """Return the landmarks of a cervical vertebra by feature name, in the bone's own frame.

    ``endplate.superior``, ``endplate.inferior``, ``canal``, ``spinous.tip``, ``spinous.base`` and, each
    ``.left`` and ``.right``, ``pedicle``, ``pars`` (the middle of the articular pillar's back), ``lamina``,
    ``transverse`` (the posterior tubercle), ``facet.superior``, ``facet.inferior``; of its own
    ``uncinate`` (the top of the uncinate process), ``tubercle.anterior``, ``tubercle.spinous`` and
    ``foramen.transverse`` (z along the canal of the vertebral artery).

    Raises ValueError where a part's start does not lie in the bone.
    """
    bone = field(parameters)
    lofts = {name: process_loft(parameters.process(name), reference) for name, reference in ACROSS.items()}
    pedicle = _pedicle(bone, lofts["pedicle"], parameters.pedicle_axis)
    pillar = parameters.articular_pillar
    column = process_loft(pillar.column, RIGHTWARD)
    one_side = {
        "pedicle": pedicle,
        "pars": _surface(bone, column.point(0.5), BACKWARD, PATCH),
        "lamina": _surface(bone, lofts["lamina"].point(0.4), np.array([0.5, -0.85, 0.0]), PATCH),
        "transverse": _end(bone, lofts["posterior_bar"]),
        "facet.superior": _facet(bone, pillar.superior_facet, 1.0),
        "facet.inferior": _facet(bone, pillar.inferior_facet, -1.0),
        "uncinate": _surface(bone, lofts["uncinate_process"].point(0.5), SUPERIOR),
        "tubercle.anterior": _surface(bone, lofts["anterior_bar"].point(1.0), FORWARD),
        "tubercle.spinous": _end(bone, lofts["spinous_tubercle"]),
        "foramen.transverse": _foramen(parameters),
    }
    plate = plate_loft(parameters.spinous_process)
    result = {
        "endplate.superior": _endplate(bone, parameters.body, 1.0),
        "endplate.inferior": _endplate(bone, parameters.body, -1.0),
        "canal": _canal(bone, parameters.body, pedicle),
        "spinous.tip": _end(bone, plate),
        "spinous.base": _surface(bone, plate.point(0.05), np.array([0.0, -0.3, 1.0]), PATCH),
    }
    for name, frame in one_side.items():
        result[f"{name}.left"] = mirrored(frame)
        result[f"{name}.right"] = frame
    return result


def _surface(bone: Field, start: Floats, direction: Floats, radius: float = 0.5) -> Frame:
    """Return the landmark where a ray leaves the bone."""
    origin = leaving(bone, start, direction)
    return surface_frame(origin, normals(bone, origin[None], radius)[0])


def _end(bone: Field, loft: Loft) -> Frame:
    """Return the tip of a process: where its axis leaves the bone."""
    return _surface(bone, loft.point(1.0), loft.axes()[2], PATCH)


def _facet(bone: Field, facet: FacetSurface, side: float) -> Frame:
    """Return the centre of an articular surface."""
    normal = facet.normal(side)
    return _surface(bone, np.asarray(facet.centre) - 1.5 * normal, normal, PATCH)


def _pedicle(bone: Field, loft: Loft, axis: PedicleAxis) -> Frame:
    """Return the isthmus of the right pedicle: the place along it with the least bone around."""
    medial, caudal = np.radians(axis.medial), np.radians(axis.caudal)
    forward = np.array([-np.sin(medial) * np.cos(caudal), np.cos(medial) * np.cos(caudal), -np.sin(caudal)])
    u, v, _, _ = loft.axes()
    steps = np.arange(-2.5, 2.51, 0.25)
    a, b = (grid.ravel()[:, None] for grid in np.meshgrid(steps, steps, indexing="ij"))
    along = np.array([loft.point(float(place)) for place in np.linspace(0.3, 0.8, 21)])
    sections = along[:, None] + a * u + b * v
    depths = bone(sections.reshape(-1, 3)).reshape(sections.shape[:2])
    centres = sections[np.arange(len(along)), np.argmin(depths, axis=1)]
    return surface_frame(centres[np.argmax(bone(centres))], forward)


def _foramen(parameters: CervicalParameters) -> Frame:
    """Return the middle of the right transverse foramen."""
    tunnel = parameters.transverse_foramen
    low, high = np.asarray(tunnel.inferior), np.asarray(tunnel.superior)
    height = parameters.intertubercular_lamella.start[2]
    share = np.clip((height - low[2]) / (high[2] - low[2]), 0.0, 1.0)
    return axis_frame(low + share * (high - low), high - low)


def _canal(bone: Field, body: VertebralBody, pedicle: Frame) -> Frame:
    """Return the roomiest place of the vertebral foramen at the pedicles; z runs along the posterior wall."""
    lowest, highest = 2.5 - body.inferior_endplate.height, body.superior_endplate.height - 2.5
    low, high = (leaving(bone, np.array([0.0, 0.0, z]), BACKWARD) for z in (lowest, highest))
    height = float(np.clip(pedicle.origin[2], lowest, highest))
    wall = leaving(bone, np.array([0.0, 0.0, height]), BACKWARD)
    behind = wall + np.arange(1.0, 30.0, 0.25)[:, None] * BACKWARD
    for drop in np.arange(0.0, 20.0, 0.5):
        inside = bone(behind - drop * SUPERIOR) < 0.0
        if inside.any():
            between = behind[: np.argmax(inside)]
            return axis_frame(between[np.argmax(bone(between))], high - low)
    raise ValueError(f"no lamina was found behind the vertebral canal at z = {wall[2]:.1f} mm")


def _endplate(bone: Field, body: VertebralBody, side: float) -> Frame:
    """Return the frame of an endplate's rim, in front and behind: its centre and the normal of its plane."""
    row = 0 if side > 0.0 else 2
    plate = body.superior_endplate if side > 0.0 else body.inferior_endplate
    parts = body_field(body)
    centre = np.array([0.0, body.centre[row], side * (plate.height - DEPTH)])
    angles = np.radians([-30.0, -15.0, 0.0, 15.0, 30.0])
    towards = np.array([[np.sin(a), ahead * np.cos(a), 0.0] for a in angles for ahead in (1.0, -1.0)])
    starts = np.tile(centre, (len(towards), 1))
    border = leaving_all(lambda points: parts(points).max(axis=0), starts, towards)
    up = np.tile(side * SUPERIOR, (len(towards), 1))
    points = leaving_all(bone, centre + RIM * (border - centre), up)
    slope = crest_slope(bone, centre, side)
    middle = np.array([0.0, (points[:, 1].max() + points[:, 1].min()) / 2.0])
    height = points[:, 2].mean() + slope * (middle[1] - points[:, 1].mean())
    return axis_frame(np.array([*middle, height]), np.array([0.0, -slope, 1.0]))
