"""The reference bones that vertebrae are calibrated on, in the bone's own frame, and what they do not show.

A reference is moved so that x = 0 is its plane of symmetry, z normal to the mid-plane of its endplates, and
the origin in the middle of the body. The scan that T1, T3 and T5 come from ends in T5, and its thin articular
processes are eroded: `told` leaves those places out.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import trimesh
from fitting import Target, symmetric

from spineviz.structure import Floats

CLOUTHIER = "the mean of 87 patients, Clouthier et al., J Biomech 2023;146:111421 (MIT)"
SPL = "one adult's CT, SPL head and neck atlas (3D Slicer licence)"
REMUS = "the Visible Human Male, Remus et al., PLoS ONE 2021;16(4):e0250456 (BSD-3)"


@dataclass(frozen=True)
class Reference:
    """A reference bone and how it comes into the bone's own frame.

    ``pitch`` (degrees) first raises its front roughly level. Its endplates are looked for up to ``depth``
    behind the front and ``half_width`` beside the midline (mm). ``front`` is the y of its front in the own
    frame, ``scale`` then brings it to the size of an average adult. Where the inferior endplate is not on the
    scan, ``superior`` is the z of the superior one, which then stands at half a wedge of 3 degrees.
    """

    file: str
    source: str
    front: float
    depth: float
    half_width: float
    pitch: float = 0.0
    scale: float = 1.0
    superior: float | None = None


REFERENCES = {
    "T1": Reference("spl_T1", SPL, 10.1, 14.0, 9.0, pitch=30.0),
    "T3": Reference("spl_T3", SPL, 10.4, 18.0, 9.0, pitch=25.0),
    "T5": Reference("spl_T5", SPL, 12.7, 18.0, 7.0, pitch=25.0, superior=8.0),
    "L1": Reference("remus_L1", REMUS, 19.8, 27.0, 18.0, scale=0.9),
    "L3": Reference("clouthier_L3", CLOUTHIER, 17.0, 30.0, 20.0),
    "L5": Reference("clouthier_L5", CLOUTHIER, 17.0, 30.0, 20.0),
}

SCAN_END = (np.array([0.0, 0.351, -0.936]), 6.2)
"""Normal and distance (mm) of the plane where the scan of T5 ends, in its own frame."""

ERODED: dict[str, tuple[tuple[Floats, Floats], ...]] = {
    "T1": (
        (np.array([0, -32, 4]), np.array([15, -14, 40])),
        (np.array([4, -27, -40]), np.array([17, -13, -8])),
    ),
    "T3": (
        (np.array([0, -32, 8]), np.array([15, -14, 40])),
        (np.array([4, -29, -40]), np.array([17, -13, -8])),
    ),
    "T5": ((np.array([0, -32, 9]), np.array([15, -14, 40])),),
}
"""Boxes (lower and upper corner, right side) where articular processes are missing from a reference."""


@cache
def in_own_frame(level: str) -> trimesh.Trimesh:
    """Return a level's reference in the bone's own frame."""
    reference = REFERENCES[level]
    path = Path(os.environ["SPINEVIZ_SHARED"]) / "reference" / f"{reference.file}.ply"
    bone = _pitched(symmetric(trimesh.load(path, force="mesh")), np.radians(reference.pitch))
    for _ in range(8):
        above, below = (_plate(bone, reference, side)[0] for side in (1.0, -1.0))
        lean = above if reference.superior is not None else above - below
        bone = _pitched(bone, np.arctan2(lean[1], lean[2]))
    heights = [_plate(bone, reference, side)[1] for side in (1.0, -1.0)]
    middle = float(np.mean(heights))
    if reference.superior is not None:
        bone = _pitched(bone, np.radians(1.5))
        middle = _plate(bone, reference, 1.0)[1] - reference.superior
    front = bone.vertices[:, 1].max() - reference.front
    bone.vertices = (bone.vertices - [0.0, front, middle]) * reference.scale
    return bone


def _pitched(bone: trimesh.Trimesh, angle: float) -> trimesh.Trimesh:
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    return trimesh.Trimesh(bone.vertices @ turn.T, bone.faces, process=False)


def _plate(bone: trimesh.Trimesh, reference: Reference, side: float) -> tuple[Floats, float]:
    """Return an endplate's mean unit normal and its mean height."""
    centre, normal, area = bone.triangles_center, bone.face_normals, bone.area_faces
    front = np.percentile(bone.vertices[:, 1], 99.8)
    chosen = (centre[:, 1] > front - reference.depth) & (centre[:, 1] < front - 3.0)
    chosen &= (np.abs(centre[:, 0]) < reference.half_width) & (side * normal[:, 2] > 0.8)
    mean = (normal[chosen] * area[chosen, None]).sum(axis=0)
    return mean / np.linalg.norm(mean), float(np.average(centre[chosen, 2], weights=area[chosen]))


def right_half_twice(bone: trimesh.Trimesh) -> trimesh.Trimesh:
    """Return a bone's right side and its mirror image: T1's left lamina has a hole in the reference."""
    faces = bone.faces[bone.triangles_center[:, 0] > 0.0]
    right = trimesh.Trimesh(bone.vertices, faces, process=False)
    left = trimesh.Trimesh(bone.vertices * [-1.0, 1.0, 1.0], faces[:, ::-1], process=False)
    return trimesh.util.concatenate([right, left])


def told(target: Target, level: str) -> Target:
    """Return a target without the points about which a reference tells nothing."""
    kept = np.ones(len(target.points), dtype=bool)
    if level == "T5":
        inside = SCAN_END[1] - target.points @ SCAN_END[0]
        kept &= (inside > 2.5) & (inside > np.abs(target.distances) + 1.5)
    for lower, upper in ERODED.get(level, ()):
        kept &= ~((target.points > lower) & (target.points < upper)).all(axis=1)
    return Target(target.points[kept], target.distances[kept], target.weights[kept])
