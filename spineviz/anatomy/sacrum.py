"""The sacrum from parameters: five fused vertebrae with canal, foramina, crests and S1 facets.

Local frame: RAS, mm; origin in the centre of the S1 upper endplate's rim plane, z the plane's normal
(superior), y anterior, x right. The shape is exactly symmetric in x. Its parameters are calibrated on
the sacrum of Remus et al., PLoS ONE 2021;16(4):e0250456, at 0.96 of its size.
"""

from __future__ import annotations

import numpy as np

from spineviz import measures
from spineviz.anatomy import sacrum_landmarks
from spineviz.anatomy.sacrum_parts import SacrumParameters, folded, nearby
from spineviz.sdf import Field, Solid, smooth_difference, smooth_union
from spineviz.structure import Floats, Frame, Points


def parameters() -> SacrumParameters:
    """Return the calibrated sacrum from the measures."""
    return SacrumParameters.model_validate(measures.table("sacrum"))


def field(parameters: SacrumParameters) -> Field:
    """Return the signed distance (mm, negative inside) to the sacrum, in its local frame."""

    def distance(points: Points) -> Floats:
        half = folded(points)
        bone = smooth_union(parameters.walls(half), parameters.body(half), parameters.body_blend)
        for strut in parameters.crests:
            bone = smooth_union(bone, nearby(strut, half), parameters.crest_blend)
        for pit in parameters.pits:
            bone = smooth_difference(bone, nearby(pit, half), 5.0)
        for spine in parameters.median_crest:
            bone = smooth_union(bone, nearby(spine, points), 5.0)
        bone = smooth_difference(bone, parameters.openings.interlaminar(half), 3.0)
        bone = smooth_difference(bone, nearby(parameters.openings.hiatus, half), 2.0)
        bone = smooth_union(bone, nearby(parameters.cornu, half), 3.0)
        superior = smooth_union(nearby(parameters.superior_process, half), nearby(parameters.pedicle, half), 4.0)
        bone = smooth_union(bone, superior, 4.0)
        bone = smooth_difference(bone, nearby(parameters.facet, half), parameters.facet.edge)
        void = parameters.canal(half)
        for foramen in parameters.foramina.values():
            void = smooth_union(void, nearby(foramen, half), 3.0)
        return smooth_difference(bone, void, 2.5)

    return distance


def solid(parameters: SacrumParameters) -> Solid:
    """Return the sacrum with bounds that hold it whole."""
    walls = parameters.walls
    width = max(walls.half_width) + 8.0
    back = min(spine.end[1] for spine in parameters.median_crest) - 8.0
    return Solid(
        field(parameters),
        np.array([-width, back, walls.heights[-1] - 6.0]),
        np.array([width, max(parameters.body.front) + 8.0, parameters.superior_process.end[2] + 10.0]),
    )


def landmarks(parameters: SacrumParameters) -> dict[str, Frame]:
    """Return the sacrum's landmarks by feature name, in its local frame.

    ``endplate.superior``, ``canal``, ``crest.S1``, ``apex``; and for each side (``.left``, ``.right``)
    ``facet.superior``, ``ala``, ``auricular``, ``lamina``, ``pedicle``, ``foramen.anterior.S1`` to ``S4`` and
    ``foramen.posterior.S1`` to ``S4`` (origin in the opening, y along the foramen out of the bone).
    """
    return sacrum_landmarks.landmarks(parameters, field(parameters))
