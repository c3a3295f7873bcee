"""A cervical vertebra, C3 to C7, from parameters: one smooth solid of named parts, and its landmarks.

The shape parameters stand in ``meshes/measures/cervical.toml``: C4 and C7 were calibrated on the cervical
vertebrae of the ArtiSynth jaw and neck model; C3, C5 and C6 lie beside and between them, moved by published
morphometry.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spineviz import measures
from spineviz.anatomy.cervical.landmarks import landmarks
from spineviz.anatomy.cervical.solid import CervicalParameters, field, solid
from spineviz.anatomy.vertebra.landmarks import normals
from spineviz.anatomy.vertebra.parts import Facet
from spineviz.structure import Floats, Frame, Points
from spineviz.terms import SIDES

__all__ = ["CervicalParameters", "cartilage", "field", "landmarks", "parameters_of", "solid"]

CARTILAGE_BORDER = 0.2
"""Over this part of its half-axes the cartilage of a facet fades into bone."""


def parameters_of(level: str) -> CervicalParameters:
    """Return the shape parameters of C3, C4, C5, C6 or C7. Raises ValueError for any other level."""
    known = measures.table("cervical")
    if level not in known:
        raise ValueError(f"there is no such cervical vertebra {level!r}; choose one of: {', '.join(known)}")
    return CervicalParameters.model_validate(known[level])


def cartilage(
    parameters: CervicalParameters, points: Points, known: Mapping[str, Frame] | None = None
) -> Floats:
    """Return how much surface points belong to articular cartilage: (n, 3) mm -> (n,) 0..1.

    Points are on the bone's surface, in its own frame. An ellipse of the facet's width and height is
    covered on each articular surface, where the surface looks the same way as the facet. ``known`` are the
    bone's landmarks in its own frame, where the caller has them.
    """
    marks = landmarks(parameters) if known is None else known
    points = np.asarray(points, dtype=np.float64)
    facing = normals(field(parameters), points)
    result = np.zeros(len(points))
    for name, facet in (("superior", parameters.superior_facet), ("inferior", parameters.inferior_facet)):
        for side in SIDES:
            cover = _covered(marks[f"facet.{name}.{side}"], facet, points, facing)
            result = np.maximum(result, cover)
    return result


def _covered(frame: Frame, facet: Facet, points: Points, facing: Floats) -> Floats:
    """Return how much points belong to one facet, 0..1."""
    x, y, z = frame.to_local(points).T
    radius = np.sqrt((2.0 * x / facet.width) ** 2 + (2.0 * z / facet.height) ** 2)
    inside = np.clip((1.0 - radius) / CARTILAGE_BORDER, 0.0, 1.0)
    aligned = np.clip((facing @ frame.anterior - 0.6) / 0.3, 0.0, 1.0)
    share = inside * aligned * (np.abs(y) < 2.0)
    result: Floats = share * share * (3.0 - 2.0 * share)
    return result
