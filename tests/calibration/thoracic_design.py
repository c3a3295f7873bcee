"""The design of thoracic arches, level by level: where joints lie, and how laminae and spinous processes run.

Knots stand at some levels, the others lie on straight lines between them. Sizes and angles of articular
surfaces, slopes and heights come from the table of recommended measures; what stands here are model values
after anatomy (Gray's Anatomy) and the reference bones T1, T3 and T5: superior surfaces rise just above the
endplate, laminae descend towards the midline and cover the next level like tiles from T4 to T10, spinous
processes are long and steep in the middle of the chest, short and level below.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from thoracic_arch import Design, Joint, normal_of
from vertebra_levels import morphometry

from spineviz.anatomy.vertebra.landmarks import endplate_rim
from spineviz.anatomy.vertebra.solid import VertebraParameters, field

KNOTS: dict[str, dict[int, float]] = {
    # the middle of the superior articular surface: how far behind the middle of the canal, above the endplate
    "joint_behind": {1: 3.4, 2: 3.2, 3: 3.0, 6: 2.5, 10: 2.5, 12: 3.5},
    "joint_above": {1: 4.6, 2: 3.4, 3: 2.6, 5: 1.3, 6: 2.2, 8: 2.8, 10: 2.6, 12: 2.2},
    # the size of articular surfaces beside the recommended one: the reference bones' are small
    "joint_size": {1: 0.92, 5: 0.93, 6: 1.0},
    # how much lower a lamina stands in the midline than at its side
    "lamina_drop": {1: 3.0, 3: 4.0, 6: 5.0, 8: 4.2, 10: 3.2, 11: 3.0},
    # the spinous process from the lamina's middle layer to its end, how much taller
    # its free part is, and what its ridge is less steep than said
    "spinous_length": {1: 23.0, 3: 25.0, 5: 20.5, 6: 27.5, 7: 29.0, 8: 28.5, 9: 27.0, 10: 25.5, 11: 24.5},
    "spinous_tall": {8: 0.0, 10: 0.5, 11: 1.2},
    "spinous_level": {1: 2.0, 5: 4.0, 9: 5.0, 11: 6.0},
    # the exponent of the body's front, least where it is heart-shaped
    "body_front": {6: 1.8, 8: 1.8, 10: 1.9, 12: 1.95},
    # the transverse process: its size beside T5's, and how much its end is lifted above the mixed one
    "transverse_size": {1: 1.1, 5: 1.0, 9: 0.95, 10: 0.92, 11: 0.8, 12: 0.62},
    "transverse_lift": {1: 0.0, 5: 0.0, 6: 1.0, 8: 1.0, 10: 0.0, 11: -2.0, 12: 0.0},
}
"""The design's numbers (mm, degrees) by the number of the level."""

WIDTH_OF_JOINTS: dict[str, float] = {"T1": 0.95}
"""The superior articular surfaces' distance beside the recommended one, where they differ."""


def knot(name: str, level: str) -> float:
    """Return a number of the design at a level."""
    known = KNOTS[name]
    return float(np.interp(int(level[1:]), list(known), list(known.values())))


@dataclass(frozen=True)
class Place:
    """What a vertebral body tells its arch: the posterior wall's y and the superior endplate's z (mm)."""

    wall: float
    top: float


def place_of(shape: VertebraParameters) -> Place:
    """Return where a vertebra's arch begins."""
    body = shape.body
    wall = body.centre[1] - body.posterior_depth[1] * (1.0 - body.notch[1])
    return Place(wall, float(endplate_rim(field(shape), shape, 1.0).origin[2]))


def joint_of(level: str, place: Place) -> Joint:
    """Return the superior articular surface of a thoracic vertebra, in its own frame."""
    row = morphometry()[level]
    aside = row["interfacet_width_sup"] / 2.0 * WIDTH_OF_JOINTS.get(level, 1.0)
    behind = place.wall - row["canal_d"] / 2.0 - knot("joint_behind", level)
    centre = np.array([aside, behind, place.top + knot("joint_above", level)])
    looks = normal_of(row["sup_facet_to_sagittal_deg"], row["sup_facet_to_transverse_deg"])
    size = knot("joint_size", level)
    return Joint(centre, looks, size * row["sup_facet_w"], size * row["sup_facet_h"])


def design_of(level: str, place: Place, own: Joint, below: Joint) -> Design:
    """Return how lamina and spinous process of a thoracic vertebra run between its joints."""
    row = morphometry()[level]
    front = place.wall - row["canal_d"] - 0.6
    thick = row["lamina_thickness"] / 2.0
    top, bottom = own.centre[2] - own.height / 2.0, below.centre[2] - below.height / 2.0
    side = (top + bottom + 1.5) / 2.0
    middle = side - knot("lamina_drop", level)
    tall = knot("spinous_tall", level)
    half, height = (top - bottom - 1.5) / 2.0, row["sp_height"] / 2.0
    return Design(
        lamina_thickness=thick - 0.2,
        lamina_side=own.centre[0] - 2.0,
        lamina_heights=(side, middle),
        lamina_front=front,
        lamina_reach=(half, 0.9 * half, 0.68 * half),
        spinous_start=(front - thick + 0.6, middle - 0.5),
        spinous_slope=row["sp_slope_deg"] - knot("spinous_level", level),
        spinous_length=knot("spinous_length", level),
        spinous_height=(height + 0.3, height + tall, height - 0.4 + 2.0 * tall, height - 0.8 + 2.0 * tall),
    )
