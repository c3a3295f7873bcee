"""The atlas (C1): a ring of two arches between two lateral masses, without a vertebral body.

Own frame: x right, y anterior, z superior, mm; the origin is the centre of the ring at the height of the
anterior arch, the axes are those of the axis (C2) in the neutral position, z along its canal. The shape
parameters stand in ``meshes/measures/atlas.toml``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spineviz import measures
from spineviz.anatomy.atlas.landmarks import cartilage_of, landmarks
from spineviz.anatomy.atlas.solid import AtlasParameters, field, solid
from spineviz.anatomy.vertebra.landmarks import normals
from spineviz.structure import Floats, Frame, Points

__all__ = ["AtlasParameters", "cartilage", "field", "frame_on_axis", "landmarks", "parameters_of", "solid"]


def parameters_of(level: str) -> AtlasParameters:
    """Return the shape parameters of C1. Raises ValueError for any other level."""
    if level != "C1":
        raise ValueError(f"the atlas is C1, not {level!r}")
    return AtlasParameters.model_validate(measures.table("atlas.C1"))


def cartilage(
    parameters: AtlasParameters, points: Points, known: Mapping[str, Frame] | None = None
) -> Floats:
    """Return how much surface points belong to articular cartilage: (n, 3) mm -> (n,) 0..1.

    Points are on the bone's surface, in its own frame. An ellipse on each articular surface is covered,
    where the bone looks the same way. ``known`` are the bone's landmarks in its own frame, where the
    caller has them.
    """
    marks = landmarks(parameters) if known is None else known
    points = np.asarray(points, dtype=np.float64)
    return cartilage_of(parameters, marks, points, normals(field(parameters), points))


def frame_on_axis() -> Frame:
    """Return the atlas' own frame in that of the axis (C2), neutral: no rotation, joint spaces kept."""
    return Frame(np.asarray(measures.value("atlantoaxial.atlas_origin")))
