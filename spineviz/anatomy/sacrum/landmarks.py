"""Named frames on a sacrum: where discs, roots, instruments and measures attach.

All frames stand in the sacrum's local frame (mm; origin in the centre of the S1 upper endplate, z its
normal, y anterior, x right). On a surface landmark y points out of the bone and z as far
superior as possible; axis landmarks (endplate, canal) keep z along the axis and y anterior.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from spineviz.anatomy.sacrum.parts import Foramen, SacrumParameters
from spineviz.anatomy.vertebra.landmarks import axis_frame, leaving, mirrored, normals, surface_frame
from spineviz.sdf import Field
from spineviz.structure import Floats, Frame
from spineviz.terms import SIDES, SIGN, Side

Aspect = Literal["anterior", "posterior"]

DEPTH = 3.0
"""Rays to the surface start this far (mm) inside the bone."""


def landmarks(parameters: SacrumParameters, field: Field) -> dict[str, Frame]:
    """Return every landmark of the sacrum by its feature name."""
    crest = _crest(parameters, field)
    found = {
        "endplate.superior": Frame(),
        "canal": _canal(parameters),
        "crest.S1": crest,
        "apex": _apex(parameters, field),
    }
    for side in SIDES:
        for name, frame in _right(parameters, field, crest).items():
            found[f"{name}.{side}"] = frame if side == "right" else mirrored(frame)
    return found


def foramen_axis(foramen: Foramen, side: Side, aspect: Aspect) -> tuple[Floats, Floats]:
    """Return a point in the depth of a foramen (mm) and the unit vector from there out of the bone."""
    mirror = np.array([SIGN[side], 1.0, 1.0])
    inside = np.asarray(foramen.chamber) * mirror
    outside = np.asarray(foramen.anterior if aspect == "anterior" else foramen.posterior) * mirror
    return inside, _unit(outside - inside)


def _right(parameters: SacrumParameters, field: Field, crest: Frame) -> dict[str, Frame]:
    """The landmarks that come in pairs, on the right."""
    walls = parameters.walls
    process = parameters.superior_process.loft
    facing = process.axes()[0]
    facet = parameters.facet.centre((-facing[0], -facing[1], 0.0), process.point(0.6)[2])
    z = crest.origin[2] + 4.0
    lamina = _on_wall(parameters, 0.36 * parameters.canal.section(z)[2], z, "posterior")
    margin = np.array([walls.half_width[4], walls.anterior[4][3], walls.heights[4]])
    found = {
        "facet.superior": _surface(field, facet - DEPTH * facing, facing),
        "lamina": _surface(field, lamina + np.array([0.0, 1.5, 0.0]), (0.3, -1.0, 0.3)),
        "ala": _surface(
            field, np.array([0.65 * walls.half_width[2], -10.0, walls.heights[3]]), (0.0, 0.0, 1.0)
        ),
        "auricular": _surface(field, margin - np.array([3.0 * DEPTH, 8.0, 0.0]), (1.0, 0.0, 0.0)),
        "pedicle": _pedicle(parameters),
    }
    for level, foramen in parameters.foramina.items():
        found[f"foramen.anterior.{level}"] = _opening(parameters, foramen, "anterior")
        found[f"foramen.posterior.{level}"] = _opening(parameters, foramen, "posterior")
    return found


def _crest(parameters: SacrumParameters, field: Field) -> Frame:
    """The most posterior place of the median crest at S1."""
    end = np.asarray(parameters.median_crest["S1"].end, dtype=np.float64)
    rises = np.arange(-4.0, 6.1, 0.5)[:, None] * np.array([0.0, 0.0, 1.0])
    inside = [place for place in end + rises if field(place[None])[0] < 0]
    tips = [_surface(field, place, (0.0, -1.0, 0.0)) for place in inside]
    return min(tips, key=lambda frame: float(frame.origin[1]))


def _canal(parameters: SacrumParameters) -> Frame:
    """The centre of the canal at mid-pedicle of S1, z along its axis."""
    z = parameters.foramina["S1"].chamber[2] / 2.0
    front, depth, _ = parameters.canal.section(z)
    above, below = parameters.canal.section(z + 6.0), parameters.canal.section(z - 6.0)
    superior = np.array([0.0, (above[0] - below[0]) - 0.4 * (above[1] - below[1]), 12.0])
    return axis_frame(np.array([0.0, front - 0.4 * depth, z]), superior)


def _pedicle(parameters: SacrumParameters) -> Frame:
    """The middle of the S1 pedicle, y along it to the front and the midline (the axis of a pedicle screw)."""
    chamber = np.asarray(parameters.foramina["S1"].chamber)
    origin = np.array([chamber[0] + 1.0, chamber[1], chamber[2] / 2.0])
    promontory = np.array([8.0, parameters.body.front[0] - 4.0, -6.0])
    return surface_frame(origin, promontory - origin)


def _apex(parameters: SacrumParameters, field: Field) -> Frame:
    """The middle of the inferior end, looking as its plane does: there the coccyx hangs."""
    tilt, (middle, height) = np.radians(parameters.walls.apex_tilt), parameters.walls.end
    outward = np.array([0.0, np.sin(tilt), -np.cos(tilt)])
    return surface_frame(leaving(field, np.array([0.0, middle, height]) - DEPTH * outward, outward), outward)


def _on_wall(parameters: SacrumParameters, x: float, z: float, aspect: Aspect) -> Floats:
    y = parameters.walls.wall(np.array([x]), np.array([z]), aspect == "posterior")
    return np.array([x, y[0], z])


def _opening(parameters: SacrumParameters, foramen: Foramen, aspect: Aspect) -> Frame:
    """Where a foramen's axis passes through the wall of the plate."""
    inside, axis = foramen_axis(foramen, "right", aspect)
    places = inside + np.linspace(0.0, 40.0, 161)[:, None] * axis
    wall = parameters.walls.wall(places[:, 0], places[:, 2], aspect == "posterior")
    outside = places[:, 1] > wall if aspect == "anterior" else places[:, 1] < wall
    if not outside.any():
        raise ValueError(f"a foramen at {foramen.chamber} misses the {aspect} wall: move its {aspect} point")
    return surface_frame(places[int(np.argmax(outside))], axis)


def _surface(bone: Field, start: npt.ArrayLike, direction: npt.ArrayLike) -> Frame:
    """Return the landmark where a ray that starts inside the bone leaves it."""
    origin = leaving(bone, np.asarray(start, dtype=np.float64), np.asarray(direction, dtype=np.float64))
    return surface_frame(origin, normals(bone, origin[None])[0])


def _unit(vector: Floats) -> Floats:
    return np.asarray(vector / np.linalg.norm(vector))
