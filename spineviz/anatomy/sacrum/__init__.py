"""The sacrum from parameters: five fused vertebrae with canal, foramina, crests and S1 facets.

Local frame: RAS, mm; origin in the centre of the S1 upper endplate's rim plane, z the plane's normal
(superior), y anterior, x right. The shape is exactly symmetric in x. Its parameters are calibrated on
the sacrum of Remus et al., PLoS ONE 2021;16(4):e0250456, at 0.96 of its size.
"""

from __future__ import annotations

import numpy as np

from spineviz import measures
from spineviz.anatomy.sacrum import landmarks as sacrum_landmarks
from spineviz.anatomy.sacrum.landmarks import Aspect, foramen_axis
from spineviz.anatomy.sacrum.parts import SacrumParameters, folded, nearby
from spineviz.anatomy.sacrum.sizes import MEASURES, measured, sized
from spineviz.anatomy.vertebra.landmarks import normals
from spineviz.sdf import Field, Solid, smooth_difference, smooth_union
from spineviz.structure import Floats, Frame, Points
from spineviz.terms import SIDES

__all__ = [
    "MEASURES",
    "Aspect",
    "SacrumParameters",
    "cartilage",
    "field",
    "foramen_axis",
    "landmarks",
    "measured",
    "parameters",
    "sized",
    "solid",
]


def parameters() -> SacrumParameters:
    """Return the calibrated sacrum from the measures."""
    return SacrumParameters.model_validate(measures.table("sacrum"))


def field(parameters: SacrumParameters) -> Field:
    """Return the signed distance (mm, negative inside) to the sacrum, in its local frame."""

    fillets, openings = parameters.fillets, parameters.openings

    def distance(points: Points) -> Floats:
        half = folded(points)
        bone = smooth_union(parameters.walls(half), parameters.body(half), fillets.body)
        for strut in parameters.crests.values():
            bone = smooth_union(bone, nearby(strut, half), fillets.crests)
        for pit in parameters.pits.values():
            bone = smooth_difference(bone, nearby(pit, half), fillets.pits)
        for spine in parameters.median_crest.values():
            bone = smooth_union(bone, nearby(spine, points), fillets.median_crest)
        bone = smooth_difference(bone, openings.interlaminar(half), fillets.lamina)
        bone = smooth_difference(bone, nearby(openings.hiatus, half), fillets.hiatus)
        bone = smooth_union(bone, nearby(parameters.cornu, half), fillets.cornu)
        process, pedicle = nearby(parameters.superior_process, half), nearby(parameters.pedicle, half)
        superior = smooth_union(process, pedicle, fillets.superior_process)
        bone = smooth_union(bone, superior, fillets.superior_process)
        bone = smooth_difference(bone, nearby(parameters.facet, half), parameters.facet.edge)
        void = parameters.canal(half)
        for foramen in parameters.foramina.values():
            void = smooth_union(void, nearby(foramen, half), fillets.passages)
        return smooth_difference(bone, void, fillets.canal)

    return distance


def cartilage(parameters: SacrumParameters, points: Points) -> Floats:
    """Return how much surface points belong to the S1 facets' cartilage: (n, 3) mm -> (n,) 0..1.

    Points are on the bone's surface, in its local frame. An ellipse is covered on each facet, where
    the surface looks the same way as the facet; it fades towards its border.
    """
    marks = landmarks(parameters)
    cover = parameters.articular_cartilage
    facing = normals(field(parameters), points)
    result = np.zeros(len(points))
    for side in SIDES:
        frame = marks[f"facet.superior.{side}"]
        x, y, z = frame.to_local(points).T
        radius = np.hypot(2.0 * x / cover.width, 2.0 * z / cover.height)
        inside = np.clip((1.0 - radius) / cover.border, 0.0, 1.0)
        aligned = np.clip((facing @ frame.anterior - 0.4) / 0.3, 0.0, 1.0)
        share = inside * aligned * (np.abs(y) < cover.width / 2.0)
        result = np.maximum(result, share * share * (3.0 - 2.0 * share))
    return result


def solid(parameters: SacrumParameters) -> Solid:
    """Return the sacrum with bounds that hold it whole."""
    walls = parameters.walls
    width = max(walls.half_width) + 8.0
    back = min(spine.end[1] for spine in parameters.median_crest.values()) - 8.0
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
