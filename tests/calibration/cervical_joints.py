"""Facet joints of the neck: both articular surfaces of a joint are cut along one sheet, a joint space apart.

The bones are stacked on their discs as they stand. Between the two surfaces of a joint a sheet is laid:
midway
between their centres, looking as the lower bone's superior surface is recommended to look, as near as that
allows
to where both look now, and as curved as both are on average. Either bone gets it, half the joint space away.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from cervical_levels import recommended
from fitting import with_numbers

from spineviz.anatomy.articular import SHEET_UNIT
from spineviz.anatomy.axis import AxisParameters
from spineviz.anatomy.cervical.parts import FacetSurface
from spineviz.anatomy.cervical.solid import CervicalParameters
from spineviz.anatomy.column.alignment import joint_space
from spineviz.body.parameters import Anatomy
from spineviz.body.skeleton import Blank, blank, placed
from spineviz.spec import Spec
from spineviz.structure import Floats, Frame
from spineviz.terms import column

JOINTS = (("C3", "C4"), ("C4", "C5"), ("C5", "C6"), ("C6", "C7"))

STEEPER, FLATTER = 1.08, 0.95
"""How steep, beside what is recommended, a superior articular surface may stand."""

ASIDE = 4.0
"""How far (degrees) it may look aside of where it is recommended to look."""

THORACIC_SURFACE = FacetSurface(centre=(18.05, -19.22, 12.16), tilt=62.0, turn=10.0, curvature=0.0)
"""The superior articular surface of T1 in its own frame."""

MEETING = 0.5
"""How much of the way to the joint space before T1 the inferior surface of C7 goes."""

CURVED = 0.002
"""How far (1/mm) the surfaces may be bent: so flat that their centres may lie anywhere on the sheet."""

WORN = 0.29
"""How far an articular surface lies under its sheet, as a part of the radius that rounds the cut before
it."""


def standing(shapes: Mapping[str, Spec]) -> dict[Any, Frame]:
    """Return where bones of these shapes stand on their discs, with the usual bones below them."""
    anatomy = Anatomy(vertebrae=dict(shapes))
    made: dict[Any, Blank] = {level: blank(anatomy, level) for level in anatomy.levels if level in shapes}
    return dict(placed(anatomy, made | _usual()))


@cache
def _usual() -> dict[Any, Blank]:
    """Return the usual bones of the column but those of the neck, each in its own frame."""
    anatomy = Anatomy(levels=tuple(level for level in column() if level == "Co1" or level[0] != "C"))
    return {level: blank(anatomy, level) for level in anatomy.levels}


def mated(shapes: Mapping[str, Spec]) -> dict[str, Spec]:
    """Return shapes of C3 to C7 whose articular surfaces lie parallel, the joint space apart."""
    frames, result = standing(shapes), dict(shapes)
    for upper, lower in JOINTS:
        centre, normal, curvature = _between(result, frames, upper, lower)
        half = joint_space(upper, lower) / 2.0  # type: ignore[arg-type]
        for level, name, way in ((lower, "superior", -1.0), (upper, "inferior", 1.0)):
            place = centre + way * (half - _worn(result[level])) * normal
            result[level] = _cut(result[level], frames[level], name, place, normal, curvature)
    return result


def on_thorax(shapes: Mapping[str, Spec]) -> Spec:
    """Return C7 with its inferior articular surface parallel to the superior one of T1, and nearer to it."""
    frames, below = standing(shapes), THORACIC_SURFACE
    normal = below.normal(1.0) @ frames["T1"].axes
    space = joint_space("C7", "T1") - _worn(shapes["C7"])
    centre = frames["T1"].to_parent(np.asarray(below.centre)[None])[0] + space * normal
    own, facing = frames["C7"].to_local(centre[None])[0], frames["C7"].axes @ normal
    now = np.asarray(_surface(shapes["C7"], "inferior").centre)
    own = now + MEETING * ((own - now) @ facing) * facing
    return _cut(shapes["C7"], frames["C7"], "inferior", frames["C7"].to_parent(own[None])[0], normal, 0.0)


def following(axis: AxisParameters, shapes: Mapping[str, Spec]) -> AxisParameters:
    """Return the axis with its inferior articular surface the joint space before the superior one of C3."""
    frames, below = standing({"C2": axis, **shapes}), _surface(shapes["C3"], "superior")
    normal = below.normal(1.0) @ frames["C3"].axes
    space = joint_space("C2", "C3") - _worn(axis) - _worn(shapes["C3"])
    centre = frames["C3"].to_parent(np.asarray(below.centre)[None])[0] + space * normal
    own, facing = frames["C2"].to_local(centre[None])[0], frames["C2"].axes @ normal
    hollow = below.curvature * SHEET_UNIT**2 / 2.0
    numbers: dict[Any, float] = {("inferior_facet", "centre", i): float(v) for i, v in enumerate(own)}
    numbers |= {("inferior_facet", "facing", i): -float(v) for i, v in enumerate(facing)}
    return with_numbers(axis, numbers | {("inferior_facet", name): hollow for name in ("across", "along")})


def _between(
    shapes: Mapping[str, Spec], frames: Mapping[str, Frame], upper: str, lower: str
) -> tuple[Floats, Floats, float]:
    """Return the centre, the normal out of the lower bone and the curvature of the sheet in a joint."""
    below, above = _surface(shapes[lower], "superior"), _surface(shapes[upper], "inferior")
    centres = [
        frames[lower].to_parent(np.asarray(below.centre)[None])[0],
        frames[upper].to_parent(np.asarray(above.centre)[None])[0],
    ]
    normal = (below.normal(1.0) @ frames[lower].axes - above.normal(-1.0) @ frames[upper].axes) / 2.0
    own = _angles(frames[lower].axes @ normal)
    usual = recommended(lower)
    tilt, turn = usual["facet_superior_transverse_angle"], usual["facet_superior_sagittal_angle"] - 90.0
    tilt = float(np.clip(own[0], FLATTER * tilt, STEEPER * tilt))
    turn = float(np.clip(own[1], turn - ASIDE, turn + ASIDE))
    facing = FacetSurface(centre=(0.0, 0.0, 0.0), tilt=tilt, turn=turn, curvature=0.0).normal(1.0)
    curvature = float(np.clip((below.curvature - above.curvature) / 2.0, -CURVED, CURVED))
    return np.mean(centres, axis=0), facing @ frames[lower].axes, curvature


def _angles(normal: Floats) -> tuple[float, float]:
    """Return the tilt and the turn of a surface that looks up along a normal, in the bone's own frame."""
    unit = normal / np.linalg.norm(normal)
    return float(np.degrees(np.arccos(unit[2]))), float(np.degrees(np.arctan2(unit[0], -unit[1])))


def _surface(shape: Spec, name: str) -> FacetSurface:
    """Return an articular surface of one of these bones."""
    assert isinstance(shape, CervicalParameters)
    found = getattr(shape.articular_pillar, f"{name}_facet")
    assert isinstance(found, FacetSurface)
    return found


def _worn(shape: Any) -> float:
    """Return how far (mm) under its sheet an articular surface lies, by the rounding of the cut before it."""
    edge = shape.articular_pillar.edge if isinstance(shape, CervicalParameters) else shape.inferior_facet.edge
    return WORN * edge


def _cut(shape: Spec, frame: Frame, name: str, centre: Floats, normal: Floats, curvature: float) -> Spec:
    """Return a shape with its articular surface in a sheet, given in the world."""
    own, facing = frame.to_local(centre[None])[0], frame.axes @ normal
    path = ("articular_pillar", f"{name}_facet")
    tilt, turn = _angles(facing)
    bulge = curvature if name == "superior" else -curvature
    numbers: dict[Any, float] = {(*path, "centre", i): float(v) for i, v in enumerate(own)}
    numbers |= {(*path, "tilt"): tilt, (*path, "turn"): turn, (*path, "curvature"): bulge}
    return with_numbers(shape, numbers)
