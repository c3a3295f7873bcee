"""Rootlets: fans of threads between the cord and the roots."""

from __future__ import annotations

import numpy as np

from spineviz import measures
from spineviz.anatomy.nerve.cord import Cord
from spineviz.anatomy.nerve.parameters import RootParameters
from spineviz.anatomy.nerve.paths import RootPath
from spineviz.anatomy.net import pushed
from spineviz.anatomy.relaxed_line import unit
from spineviz.sdf.solid import Field
from spineviz.structure import Points
from spineviz.terms import ROOTS, SIGN, Root

FANNED: tuple[Root, ...] = ROOTS[: ROOTS.index("L1") + 1]
"""Roots whose rootlets are shown one by one; those of the others are strands of the cauda equina."""

SAMPLES = 14
"""Points along one rootlet of a fan."""


def fan(parameters: RootParameters, path: RootPath, cord: Cord, solid: Field) -> Points:
    """Return the line of a root's rootlets: from cord to root and back, ventral ones, then dorsal ones.

    Neighbouring rootlets share their ends, so that all are one strand, in the world. ``solid`` is the cord's
    distance: they lie on it, not in it.
    """
    shape, axis = measures.table("rootlets"), cord.axis
    centre = axis.place(*parameters.segment)
    count = int(shape["count"])
    spread = (np.arange(count) / (count - 1) - 0.5) * shape["spread"]
    lines: list[Points] = []
    for angle, order in ((shape["ventral"], spread), (shape["dorsal"], spread[::-1])):
        for offset in order:
            line = _rootlet(path, cord, axis.index(centre + offset), np.radians(angle))
            line[:-1] = pushed(line[:-1], solid, shape["seated"])
            lines.append(line if len(lines) % 2 == 0 else line[::-1])
    return np.vstack(lines)


def _rootlet(path: RootPath, cord: Cord, start: int, angle: float) -> Points:
    """Return one rootlet's line (n, 3) from the cord at an index of the axis to the start of its root.

    ``angle`` (radians) tells where it leaves the cord: 0 on its side, positive behind.
    """
    shape, axis = measures.table("rootlets"), cord.axis
    goal = path.points[0]
    end = axis.nearest(goal)
    start = max(start, axis.top)
    share = np.linspace(0.0, 1.0, SAMPLES)
    index = np.clip(np.round(start + share * (end - start)).astype(int), 0, len(axis.points) - 1)
    exact = start + share * (end - start) - index
    sign = SIGN[path.side]
    local = goal - cord.centre[end]
    u, v = sign * float(local @ axis.right[end]), -float(local @ axis.anterior[end])
    turn = share * share * (3 - 2 * share)
    angles = angle + turn * (np.arctan2(v, u) - angle)
    ways = np.stack([sign * np.cos(angles), -np.sin(angles)], axis=1)
    surface = 1.0 / np.linalg.norm(ways / cord.half[index], axis=1)
    away = float(np.hypot(u, v)) - surface[-1]
    rise, fall = np.clip(share / 0.2, 0.0, 1.0), np.clip((share - 0.55) / 0.45, 0.0, 1.0)
    height = shape["seated"] + (shape["off_cord"] - shape["seated"]) * rise * rise * (3 - 2 * rise)
    height = height + (away - height) * fall * fall * (3 - 2 * fall)
    ways = ways * (surface + height)[:, None]
    line = cord.centre[index] + ways[:, :1] * axis.right[index] + ways[:, 1:] * axis.anterior[index]
    line = line + 0.5 * exact[:, None] * axis.down[index]
    line[-1] = goal + 0.95 * path.radii[0] * unit(line[-2] - goal)
    return line
