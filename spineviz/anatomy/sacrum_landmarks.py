"""Named frames on a sacrum: where discs, roots, instruments and measures attach.

All frames stand in the sacrum's local frame (mm; origin in the centre of the S1 upper endplate, z its
normal, y anterior, x right). On a surface landmark y points out of the bone and z as far
superior as possible; axis landmarks (endplate, canal) keep z along the axis and y anterior.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from spineviz.anatomy.sacrum_parts import Foramen, SacrumParameters
from spineviz.sdf import Field
from spineviz.structure import Floats, Frame
from spineviz.terms import SIDES, SIGN, Side

Aspect = Literal["anterior", "posterior"]

STEPS = 60
DAMPING = 0.7
"""The part of the distance that a search walks at once; safe where the field is steeper than 1."""


def landmarks(parameters: SacrumParameters, field: Field) -> dict[str, Frame]:
    """Return every landmark of the sacrum by its feature name."""
    found = {"endplate.superior": Frame(), "canal": _canal(parameters)}
    found["crest.S1"] = _outermost(field, parameters.median_crest[0].end, (0.0, -1.0, 0.1))
    found["apex"] = _outermost(field, _apex(parameters), (0.0, 0.3, -1.0))
    for side in SIDES:
        for name, frame in _right(parameters, field).items():
            found[f"{name}.{side}"] = frame if side == "right" else mirrored(frame)
    return found


def foramen_axis(foramen: Foramen, side: Side, aspect: Aspect) -> tuple[Floats, Floats]:
    """Return a point in the depth of a foramen (mm) and the unit vector from there out of the bone."""
    mirror = np.array([SIGN[side], 1.0, 1.0])
    inside = np.asarray(foramen.chamber) * mirror
    outside = np.asarray(foramen.anterior if aspect == "anterior" else foramen.posterior) * mirror
    return inside, _unit(outside - inside)


def mirrored(frame: Frame) -> Frame:
    """Return a frame's counterpart on the other side; its y and z are mirrored, its x is y × z."""
    mirror = np.array([-1.0, 1.0, 1.0])
    anterior, superior = frame.anterior * mirror, frame.superior * mirror
    return Frame(frame.origin * mirror, np.stack([np.cross(anterior, superior), anterior, superior]))


def _right(parameters: SacrumParameters, field: Field) -> dict[str, Frame]:
    """The landmarks that come in pairs, on the right."""
    process = parameters.superior_process.loft
    facing = process.axes()[0]
    facet = parameters.facet.centre((-facing[0], -facing[1], 0.0), process.point(0.6)[2])
    walls = parameters.walls
    z = parameters.openings.lamina_height - 8.0
    x = 0.45 * parameters.canal.section(z)[2]
    found = {
        "facet.superior": _outermost(field, facet, facing, 6.0),
        "lamina": _outermost(field, _on_wall(parameters, x, z, "posterior"), (0.3, -1.0, 0.3)),
        "ala": _outermost(field, _on_wall(parameters, 0.72 * walls.half_width[2], -10.0, "anterior"), (0.1, 0.6, 0.7)),
        "auricular": _outermost(field, (walls.half_width[4], walls.anterior[4][3] - 8.0, walls.heights[4]), (1.0, 0.0, 0.0)),
        "pedicle": _pedicle(parameters),
    }  # fmt: skip
    for level, foramen in parameters.foramina.items():
        found[f"foramen.anterior.{level}"] = _opening(parameters, foramen, "anterior")
        found[f"foramen.posterior.{level}"] = _opening(parameters, foramen, "posterior")
    return found


def _canal(parameters: SacrumParameters) -> Frame:
    """The centre of the canal at mid-pedicle of S1, z along its axis."""
    z = parameters.foramina["S1"].chamber[2] / 2.0
    front, depth, _ = parameters.canal.section(z)
    above, below = parameters.canal.section(z + 6.0), parameters.canal.section(z - 6.0)
    superior = _unit(np.array([0.0, (above[0] - below[0]) - 0.4 * (above[1] - below[1]), 12.0]))
    anterior = np.cross(superior, np.array([1.0, 0.0, 0.0]))
    return Frame(np.array([0.0, front - 0.4 * depth, z]), np.stack([np.array([1.0, 0.0, 0.0]), anterior, superior]))


def _pedicle(parameters: SacrumParameters) -> Frame:
    """The middle of the S1 pedicle, y along it to the front and the midline (the axis of a pedicle screw)."""
    chamber = np.asarray(parameters.foramina["S1"].chamber)
    origin = np.array([chamber[0] + 1.0, chamber[1], chamber[2] / 2.0])
    promontory = np.array([8.0, parameters.body.front[0] - 4.0, -6.0])
    return outward(origin, promontory - origin)


def _apex(parameters: SacrumParameters) -> Floats:
    walls = parameters.walls
    return np.array([0.0, (walls.anterior[-1][0] + walls.posterior[-1][0]) / 2.0, walls.heights[-1]])


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
        raise ValueError(f"a foramen at {foramen.chamber} never reaches the {aspect} wall: move its {aspect} point")
    return outward(places[int(np.argmax(outside))], axis)


def _outermost(field: Field, near: npt.ArrayLike, direction: npt.ArrayLike, away: float = 15.0) -> Frame:
    """Walk inwards from ``away`` mm outside ``near`` until the surface; y is the surface's normal there."""
    along = _unit(np.asarray(direction, dtype=np.float64))
    point = np.asarray(near, dtype=np.float64) + away * along
    for _ in range(STEPS):
        point = point - DAMPING * float(field(point[None])[0]) * along
    if abs(float(field(point[None])[0])) > 0.05:
        raise ValueError(f"no surface near {np.round(near, 1).tolist()} mm against {np.round(along, 2).tolist()}")
    offsets = 0.25 * np.vstack([np.eye(3), -np.eye(3)])
    values = field(point + offsets)
    return outward(point, values[:3] - values[3:])


def outward(origin: Floats, direction: Floats) -> Frame:
    """Return the frame at ``origin`` whose y is ``direction`` and whose z is as superior as possible."""
    anterior = _unit(direction)
    superior = np.array([0.0, 0.0, 1.0])
    superior = _unit(superior - (superior @ anterior) * anterior)
    return Frame(origin, np.stack([np.cross(anterior, superior), anterior, superior]))


def _unit(vector: Floats) -> Floats:
    return np.asarray(vector / np.linalg.norm(vector))
