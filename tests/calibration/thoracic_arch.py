"""The arches of the thoracic vertebrae: articular processes that fit each other, laminae like tiles, spines.

A joint is a flat oval between the superior articular surface of one vertebra and the inferior one of the
vertebra above. Its place is told in the lower bone, and carried into the upper one by the chain of discs.
Both processes are plates before and behind that oval, the lamina goes on in the same plane towards the
midline, and the spinous process is a three-sided blade whose ridge begins at the laminae. All lengths in mm,
angles in degrees, in the bones' own frames, right side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from spineviz.anatomy.vertebra.parts import Facet
from spineviz.anatomy.vertebra.solid import VertebraParameters
from spineviz.structure import Floats, Frame

SPACE = 1.2
"""The joint space from bone to bone."""

THICK, PROUD = 2.4, 0.9
"""The half-thickness of articular processes, and how far they stand beyond the joint's plane, which cuts them
flat."""

CAP = 5.0
"""How far the rounded end of an articular process reaches."""

LEAN = 20.0
"""How much the midline of a lamina leans forward at its top."""

TIP = (2.15, 1.6)
"""The half-thickness of a spinous process's tip to the side, and how deep it is."""


@dataclass(frozen=True)
class Joint:
    """The superior articular surface of the lower bone of a joint: middle, normal backwards, and its size."""

    centre: Floats
    normal: Floats
    width: float
    height: float

    def seen_from(self, upper: Frame) -> Joint:
        """Return the joint in the upper bone's own frame, which stands at ``upper`` in the lower one's."""
        return Joint(upper.to_local(self.centre[None])[0], upper.axes @ self.normal, self.width, self.height)

    def axes(self) -> tuple[Floats, Floats]:
        """Return the unit vectors in the surface, to the right and upward."""
        up = np.array([0.0, 0.0, 1.0]) - self.normal[2] * self.normal
        up = up / np.linalg.norm(up)
        right = np.cross(up, self.normal)
        return (right if right[0] > 0.0 else -right), up


@dataclass(frozen=True)
class Design:
    """How a lamina and a spinous process run; see `thoracic_design`.

    A lamina's ``lamina_heights`` are the z of its middle at its side (x = ``lamina_side``) and in the
    midline, where its front has y = ``lamina_front``; ``lamina_reach`` its half-heights.
    """

    lamina_thickness: float
    lamina_side: float
    lamina_heights: tuple[float, float]
    lamina_front: float
    lamina_reach: tuple[float, float, float]
    spinous_start: tuple[float, float]
    spinous_slope: float
    spinous_length: float
    spinous_height: tuple[float, float, float, float]


def normal_of(to_sagittal: float, to_transverse: float) -> Floats:
    """Return where a superior articular surface looks."""
    return Facet(width=1.0, height=1.0, to_sagittal=to_sagittal, to_transverse=to_transverse).facing()


def facet_of(joint: Joint, space: float = 0.0) -> dict[str, Any]:
    """Return an articular surface in the joint's plane, or ``space`` behind it."""
    n = joint.normal
    return {
        "width": joint.width,
        "height": joint.height,
        "to_sagittal": float(np.degrees(np.arctan2(-n[1], -n[0]))),
        "to_transverse": float(np.degrees(np.arccos(n[2]))),
        "centre": tuple((joint.centre + space * n).tolist()),
    }


def superior_process(joint: Joint) -> dict[str, Any]:
    """Return the plate that carries a superior articular surface, rising from the pedicle."""
    wide, high = joint.width / 2.0, joint.height / 2.0
    widths = (wide + 0.8, wide + 0.6, wide + 0.5, wide + 0.3)
    return _plate(joint, PROUD - THICK, (-high - 3.5, high - CAP), widths, 3.0)


def inferior_process(joint: Joint, top: float) -> dict[str, Any]:
    """Return the plate that carries an inferior articular surface, behind its neighbour's.

    It begins as the pars interarticularis at the height ``top``, under the superior articular surface.
    """
    wide, high = joint.width / 2.0, joint.height / 2.0
    widths = (wide + 1.0, wide + 0.8, wide + 0.6, wide + 0.4)
    start = max(high + 1.0, (top - joint.centre[2]) / joint.axes()[1][2])
    return _plate(joint, SPACE + THICK - PROUD, (start, CAP - high), widths, 3.5)


def _plate(
    joint: Joint, behind: float, span: tuple[float, float], widths: tuple[float, ...], blend: float
) -> dict[str, Any]:
    """Return a process in a joint's plane, its middle layer ``behind`` it, from and to a height on it."""
    right, up = joint.axes()
    start, end = (joint.centre + behind * joint.normal + height * up for height in span)
    return {
        "start": tuple(start.tolist()),
        "end": tuple(end.tolist()),
        "across": widths,
        "along": (THICK + 0.4, THICK, THICK, THICK),
        "roll": (rolled(start, end, (1.0, 0.0, 0.0), right),) * 2,
        "caps": (3.0, CAP),
        "exponent": 2.6,
        "blend": blend,
    }


def rolled(start: Floats, end: Floats, reference: tuple[float, float, float], wanted: Floats) -> float:
    """Return the roll that turns a loft's first direction, ``reference`` across its axis, to ``wanted``."""
    axis = (np.asarray(end) - start) / np.linalg.norm(np.asarray(end) - start)
    u = np.asarray(reference) - (np.asarray(reference) @ axis) * axis
    u = u / np.linalg.norm(u)
    return float(np.degrees(np.arctan2(wanted @ np.cross(axis, u), wanted @ u)))


def jointed(shape: VertebraParameters, own: Joint, below: Joint | None) -> VertebraParameters:
    """Return a vertebra with the articular processes of its two joints, or of the upper one alone."""
    changes = {"superior_articular_process": superior_process(own), "superior_facet": facet_of(own)}
    if below is not None:
        changes["inferior_articular_process"] = inferior_process(
            below, own.centre[2] - own.height / 2.0 - 1.0
        )
        changes["inferior_facet"] = facet_of(below, SPACE)
    return VertebraParameters.model_validate({**shape.model_dump(), **changes})


def arched(shape: VertebraParameters, below: Joint, design: Design) -> VertebraParameters:
    """Return a vertebra with the lamina and the spinous process of a design."""
    changes = {"lamina": lamina(below, design), "spinous_process": blade(design)}
    return VertebraParameters.model_validate({**shape.model_dump(), **changes})


def lamina(below: Joint, design: Design) -> dict[str, Any]:
    """Return a lamina: a plate in the plane of the joint below, from its process to the midline."""
    thick, (side, middle) = design.lamina_thickness, design.lamina_heights
    right, up = below.axes()
    layer = below.centre + (SPACE + thick) * below.normal
    start = layer - right * ((layer[0] - design.lamina_side) / right[0])
    start = start + up * ((side - layer[2]) / up[2])
    end = np.array([1.2, design.lamina_front - thick, middle])
    ahead = np.array([0.0, np.cos(np.radians(LEAN)), -np.sin(np.radians(LEAN))])
    rolls = (rolled(start, end, (0.0, 1.0, 0.0), way) for way in (-below.normal, ahead))
    return {
        "start": tuple(start.tolist()),
        "end": tuple(end.tolist()),
        "across": (thick, thick, thick + 0.3),
        "along": design.lamina_reach,
        "roll": tuple(rolls),
        "caps": (3.0, 3.0),
        "exponent": 2.4,
        "blend": 4.5,
    }


def blade(design: Design) -> dict[str, Any]:
    """Return a spinous process: a three-sided blade with a ridge above, a little thicker at its tip."""
    slope = np.radians(design.spinous_slope)
    along = np.array([-np.cos(slope), -np.sin(slope)])
    start = np.asarray(design.spinous_start)
    end = start + design.spinous_length * along
    process = {
        "start": tuple(start.tolist()),
        "end": tuple(end.tolist()),
        "half_thickness": (5.5, 3.8, 2.7, 2.2),
        "half_height": design.spinous_height,
        "bow": 0.0,
        "cap": 2.5,
        "exponent": 1.9,
        "bulb_thickness": (0.85 * TIP[0], TIP[0]),
        "bulb_depth": TIP[1],
        "bulb_blend": 3.0,
        "blend": 5.0,
        "taper": (0.55, 0.2),
    }
    return process | tipped(process["start"], process["end"], design.spinous_height[-1])


def tipped(
    start: tuple[float, float], end: tuple[float, float], height: float
) -> dict[str, tuple[float, float]]:
    """Return the ends of the bulb along the tip of a spinous process whose half-height there is given."""
    along = np.subtract(end, start)
    along = along / np.linalg.norm(along)
    up, reach = np.array([along[1], -along[0]]), max(height - 1.2, 0.5)
    above, below = np.asarray(end) + 0.5 * reach * up, np.asarray(end) - reach * up + 0.5 * along
    return {"bulb_superior": tuple(above.tolist()), "bulb_inferior": tuple(below.tolist())}


def clubbed(process: dict[str, Any], size: float, lift: float) -> dict[str, Any]:
    """Return a transverse process: a stout bar with a blunt, upright end, ``lift`` higher than it was."""
    (x, y, z), (a, b, c) = process["start"], process["end"]
    return {
        "start": (x + 1.5, y, z - 1.5),
        "end": (a, b, c + lift),
        "across": tuple(size * width for width in (3.6, 3.5, 3.5, 3.3)),
        "along": tuple(size * width for width in (6.0, 5.0, 5.0, 5.3)),
        "caps": (2.5, 3.0),
        "exponent": 2.6,
        "blend": 4.0,
    }
