"""The axis (C2): a vertebra whose body bears the dens, round which the atlas turns.

Own frame: x right, y anterior, z superior, mm; the origin is the centre of the body without the dens, z along
the vertebral canal. The shape parameters stand in ``meshes/measures/axis.toml``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spineviz import measures
from spineviz.anatomy.axis.landmarks import cartilage_of, landmarks
from spineviz.anatomy.axis.solid import AxisParameters, field, solid
from spineviz.anatomy.vertebra.landmarks import normals
from spineviz.structure import Floats, Frame, Points

__all__ = ["AxisParameters", "cartilage", "field", "landmarks", "parameters_of", "solid"]


def parameters_of(level: str) -> AxisParameters:
    """Return the shape parameters of C2. Raises ValueError for any other level."""
    if level != "C2":
        raise ValueError(f"the axis is C2, not {level!r}")
    return AxisParameters.model_validate(measures.table("axis.C2"))


def cartilage(parameters: AxisParameters, points: Points, known: Mapping[str, Frame] | None = None) -> Floats:
    """Return how much surface points belong to articular cartilage: (n, 3) mm -> (n,) 0..1.

    Points are on the bone's surface, in its own frame. An ellipse on each articular surface is covered,
    where the bone looks the same way. ``known`` are the bone's landmarks in its own frame, where the
    caller has them.
    """
    marks = landmarks(parameters) if known is None else known
    points = np.asarray(points, dtype=np.float64)
    return cartilage_of(parameters, marks, points, normals(field(parameters), points))
