"""How a caliper is laid on the atlas and the axis, which have no superior endplate.

The parts work as those of `morphometry.caliper_parts`; what the axis shares with other vertebrae is
taken as there.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spineviz.anatomy.morphometry.caliper_parts import (
    FAR_OUT,
    RIM_DEPTHS,
    Marks,
    Part,
    Taking,
    X,
    Y,
    _most,
    _outermost,
    _sided,
    arch,
    inferior_facet,
    lamina,
    pedicle,
    transverse,
)
from spineviz.sdf.rays import rays, together

RING_WIDTHS, RING_DEPTHS = np.arange(-8.0, 4.1, 2.0), np.array([-4.0, -6.0, -8.0, -10.0])
"""Where the width of the atlas' ring is taken along y from the canal's centre, and along z from the middle
of the anterior arch the depth to the posterior one (mm)."""

SHOULDER = 0.55
"""How far out to the centre of a superior articular surface, as a part, the shoulder of the dens lies."""


def ring(marks: Marks, side: float) -> Taking:
    """Width of the atlas' ring between the lateral masses behind, depth from arch to arch in the midline."""
    canal, front, back = marks["canal"], marks["facet.dens"].origin, marks["arch.posterior"].origin
    across = (
        canal.origin * [0.0, 1.0, 0.0]
        + RING_WIDTHS[:, None] * Y
        + (back[2] + 3.0) * np.array([0.0, 0.0, 1.0])
    )
    middle = np.array([0.0, canal.origin[1], 0.0])
    behind = middle + np.column_stack([np.zeros((3, 2)), back[2] + np.array([-1.5, 0.0, 1.5])])
    ahead = middle + np.array([0.0, 0.0, front[2]])
    ways = ((across, X), (across, -X), (behind, -Y), (ahead, Y))
    found = yield together([rays(starts, way, 40.0, entering=True) for starts, way in ways])
    n = len(across)
    widths = found[: 2 * n].reshape(2, -1).sum(axis=0)
    depth = float(np.nanmin(found[2 * n : -1]) + found[-1])
    return {"canal_width": _most(widths), "canal_depth": depth}


def axis_body(marks: Marks, side: float) -> Taking:
    """Width and depth of the axis' inferior endplate, and the height of its body behind."""
    plate, facet = marks["endplate.inferior"], marks[_sided("facet.superior", side)].origin
    inner = plate.origin + RIM_DEPTHS[:, None] / 2.0 * plate.superior
    room = inner[:, 1] - marks["canal"].origin[1]
    ways = (
        rays(inner + FAR_OUT * Y, -Y, FAR_OUT, entering=True),
        rays(inner - room[:, None] * Y, Y, FAR_OUT, entering=True),
        rays(inner + FAR_OUT * X, -X, FAR_OUT, entering=True),
        rays(inner - FAR_OUT * X, X, FAR_OUT, entering=True),
    )
    falls = (yield together(list(ways))).reshape(4, -1)
    front, back = _outermost(np.stack([FAR_OUT - falls[0], room - falls[1]]))
    under = (
        plate.origin
        - 5.0 * plate.superior
        - (back - 1.5 * np.array([1.0, 2.0, 3.0]))[:, None] * plate.anterior
    )
    above = facet * [SHOULDER, 1.0, 1.0] + [0.0, 0.0, 15.0]
    cast = together(
        [rays(under, plate.superior, 15.0, entering=True), rays(above, -plate.superior, 30.0, entering=True)]
    )
    fall = yield cast
    heights = cast.at(fall)[:, 2]
    return {
        "endplate_width_inferior": _most(2.0 * FAR_OUT - falls[2] - falls[3]),
        "endplate_depth_inferior": float(front + back),
        "body_height_posterior": float(heights[-1] - np.nanmin(heights[:-1])),
    }


AXIS_PARTS: Mapping[str, Part] = {
    "body": (axis_body, ("endplate_width_inferior", "endplate_depth_inferior", "body_height_posterior")),
    "arch": (arch, ("canal_width", "canal_depth", "spinous_length", "spinous_height", "spinous_slope")),
    "pedicle": (
        pedicle,
        ("pedicle_width", "pedicle_height", "pedicle_transverse_angle", "pedicle_sagittal_angle"),
    ),
    "transverse": (transverse, ("transverse_span",)),
    "inferior_facet": (inferior_facet, ("facet_inferior_width", "facet_inferior_height")),
    "lamina": (lamina, ("lamina_thickness", "lamina_height")),
}
"""Each part of the axis, its caliper and the measures it takes."""

ATLAS_PARTS: Mapping[str, Part] = {
    "arch": (ring, ("canal_width", "canal_depth")),
    "transverse": (transverse, ("transverse_span",)),
}
"""Each part of the atlas, its caliper and the measures it takes."""
