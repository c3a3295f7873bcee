"""The articular surfaces of a vertebra: where the middle of each lies and where it looks.

A facet is that side of the free end of its process which faces the neighbour. All in the bone's own frame: x
right, y anterior, z superior, mm; on the right side.
"""

from __future__ import annotations

import numpy as np

from spineviz.anatomy.vertebra.parts import Facet
from spineviz.sdf.loft import Loft
from spineviz.sdf.solid import Field
from spineviz.structure import Floats, Points

FACING, KEEN = 0.6, 20
"""The facet's surface looks its way to within this (cosine), and counts by this power of it: of a curved
facet that place is the middle which neighbours share."""

REACH, WIDE = 1.15, 0.5
"""The facet with the rounded end beyond it reaches so far down its process, in heights of the facet; its
middle is taken of what is not farther from the process's axis, in widths."""

LOOSE = 3.5
"""Where the bone's surface is farther than this from the process's own (mm), other parts cover it."""

ALONG = np.linspace(0.0, 1.0, 13)
CAP = np.radians(np.arange(10.0, 81.0, 10.0))
AROUND = np.radians(np.arange(0.0, 360.0, 15.0))
"""Where a process is felt: along its axis, over its rounded end, and around it."""

SUPERIOR = np.array([0.0, 0.0, 1.0])


def articular_surface(bone: Field, process: Loft, facet: Facet, sense: float) -> tuple[Floats, Floats]:
    """Return a facet's middle (mm) and the unit vector that it looks along.

    ``process`` carries it on its free end; ``sense`` is +1 for a superior facet and -1 for an inferior one.
    Raises ValueError where no side of the process looks towards the neighbour.
    """
    towards = sense * facet.facing()
    points, centres, areas = _surface(process)
    places = points
    for _ in range(4):
        places = places - np.clip(bone(places), -2.0, 2.0)[:, None] * _normals(bone, places)
    outward = _normals(bone, places)
    axis = process.axes()[2]
    tip = np.asarray(process.end) + process.caps[1] * axis
    aside = np.cross(SUPERIOR, towards)
    looks = outward @ towards
    felt = (np.abs(bone(places)) < 0.1) & (looks > FACING)
    felt &= (tip - places) @ axis < REACH * facet.height
    felt &= np.abs((places - centres) @ aside) < facet.width * WIDE
    felt &= np.linalg.norm(places - points, axis=1) < LOOSE
    if not felt.any():
        raise ValueError("no side of the articular process looks towards its neighbour")
    weights = np.where(felt, areas * np.clip(looks, 0.0, 1.0) ** KEEN, 0.0)
    normal = weights @ outward
    centre: Floats = weights @ places / weights.sum()
    return centre, normal / np.linalg.norm(normal)


def _surface(process: Loft) -> tuple[Points, Points, Floats]:
    """Return points (n, 3) on a process's side and rounded end, and their places on its axis.

    The third is the area (mm²) that each point stands for.
    """
    rings = [
        [process.point(float(place), float(np.cos(a)), float(np.sin(a))) for a in AROUND] for place in ALONG
    ]
    last, middle, axis = np.array(rings[-1]), process.point(1.0), process.axes()[2]
    caps = [middle + np.cos(rise) * (last - middle) + process.caps[1] * np.sin(rise) * axis for rise in CAP]
    grid = np.concatenate([np.array(rings), np.array(caps)])
    along = np.gradient(grid, axis=0)
    across = (np.roll(grid, -1, axis=1) - np.roll(grid, 1, axis=1)) / 2.0
    areas = np.linalg.norm(np.cross(along, across), axis=2)
    axial = [process.point(float(place)) for place in ALONG] + [middle] * len(CAP)
    return grid.reshape(-1, 3), np.repeat(axial, len(AROUND), axis=0), areas.ravel()


def _normals(bone: Field, points: Points) -> Floats:
    steps = 0.5 * np.eye(3)
    slope = np.stack([bone(points + step) - bone(points - step) for step in steps], axis=1)
    result: Floats = slope / np.linalg.norm(slope, axis=1, keepdims=True)
    return result
