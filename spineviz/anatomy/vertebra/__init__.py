"""A thoracic or lumbar vertebra from parameters: one smooth solid of named parts, and its landmarks.

The shape parameters stand in ``meshes/measures/thoracic.toml`` and ``vertebrae.toml``. T1, T3 and T5 were
calibrated on one adult's CT (SPL head and neck atlas), L1 on the Visible Human Male (Remus et al., PLoS ONE
2021;16(4):e0250456), L3 and L5 on the mean vertebra of 87 patients (Clouthier et al., J Biomech
2023;146:111421); the levels between follow from them and from published morphometry.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spineviz import measures
from spineviz.anatomy.vertebra.landmarks import landmarks, normals
from spineviz.anatomy.vertebra.solid import VertebraParameters, field, solid
from spineviz.structure import Floats, Frame, Points
from spineviz.terms import SIDES

__all__ = ["VertebraParameters", "cartilage", "field", "landmarks", "parameters_of", "solid"]

CARTILAGE_BORDER = 0.2
"""Over this part of its half-axes the cartilage of a facet fades into bone."""


def parameters_of(level: str) -> VertebraParameters:
    """Return the shape parameters of one of T1 to T12 or L1 to L5. Raises ValueError for any other level."""
    known = {**measures.table("thoracic"), **measures.table("vertebrae")}
    if level not in known:
        raise ValueError(
            f"there is no thoracic or lumbar vertebra {level!r}; choose one of: {', '.join(known)}"
        )
    return VertebraParameters.model_validate(known[level])


def cartilage(
    parameters: VertebraParameters, points: Points, known: Mapping[str, Frame] | None = None
) -> Floats:
    """Return how much surface points belong to articular cartilage: (n, 3) mm -> (n,) 0..1.

    Points are on the bone's surface, in its own frame. An ellipse of the facet's width and height is
    covered on each articular surface, also those for ribs, where the surface looks the same way as the
    facet. ``known`` are the bone's landmarks in its own frame, where the caller has them.
    """
    marks = landmarks(parameters) if known is None else known
    points = np.asarray(points, dtype=np.float64)
    facing = normals(field(parameters), points)
    result = np.zeros(len(points))
    for name, facet in (("superior", parameters.superior_facet), ("inferior", parameters.inferior_facet)):
        for side in SIDES:
            frame = marks[f"facet.{name}.{side}"]
            cover = _covered(frame, facet.width, facet.height, points, facing)
            result = np.maximum(result, cover)
    for name, costal in parameters.costal_facets().items():
        for side in SIDES:
            frame = marks[f"costal.{name.removesuffix('_costal_facet')}.{side}"]
            size = 2.0 * costal.half_width, 2.0 * costal.half_height
            result = np.maximum(result, _covered(frame, *size, points, facing))
    return result


def _covered(frame: Frame, width: float, height: float, points: Points, facing: Floats) -> Floats:
    """Return how much points belong to one facet, 0..1."""
    x, y, z = frame.to_local(points).T
    radius = np.sqrt((2.0 * x / width) ** 2 + (2.0 * z / height) ** 2)
    inside = np.clip((1.0 - radius) / CARTILAGE_BORDER, 0.0, 1.0)
    aligned = np.clip((facing @ frame.anterior - 0.3) / 0.3, 0.0, 1.0)
    share = inside * aligned * (np.abs(y) < width / 2.0)
    result: Floats = share * share * (3.0 - 2.0 * share)
    return result
