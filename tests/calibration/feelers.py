"""A feeler along fixed lines: how the surface of a bone is told by some hundred places, as one digitises it.

Every bone to be felt lies in its own frame (mm): x to its right, y anterior, z superior. A line begins at a
place and runs one way until it first meets the bone.
"""

from __future__ import annotations

import numpy as np
import trimesh
from fitting import Target

from spineviz.structure import Floats

UP, DOWN, FORWARD, BACK, OUT, IN = (
    np.array(way)
    for way in (
        (0.0, 0.0, 1.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0), (0.0, -1.0, 0.0),
        (1.0, 0.0, 0.0), (-1.0, 0.0, 0.0),
    )
)  # fmt: skip
"""The ways a feeler goes, on the right side."""

Feelers = tuple[tuple[Floats, tuple[tuple[float, float, float], ...]], ...]
"""Lines along which a bone is felt: a way, and the places (mm) that they start from."""


def felt(bone: trimesh.Trimesh, feelers: Feelers) -> Floats:
    """Return where feelers meet a bone in its own frame, (n, 3) mm; lines that miss it are left out."""
    found = []
    for way, starts in feelers:
        for start in starts:
            hits, _, _ = bone.ray.intersects_location([start], [way], multiple_hits=True)
            if len(hits):
                found.append(hits[np.argmin((hits - np.asarray(start)) @ way)])
    return np.array(found)


def on_surface(places: Floats) -> Target:
    """Return what a fit aims at when only places on the surface, (n, 3) mm, are known."""
    return Target(places, np.zeros(len(places)), np.ones(len(places)))
