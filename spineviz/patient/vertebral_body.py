"""The vertebral body in a bone: its endplates, and the level's frame that stands on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spineviz.patient.probe import SUPERIOR, NotFoundError, Probe, axis_frame
from spineviz.structure import Floats, Frame, Points

RIM, DEPTH = 0.86, 5.0
"""Where an endplate's raised rim lies: the part of the way from the centre to the border of the body's
section ``DEPTH`` mm below the endplate."""

PITCH, SPREAD = 50, 10.0
"""Endplates are searched up to this pitch in degrees; surfaces within about the spread count for it."""


@dataclass(frozen=True, eq=False)
class Endplate:
    """An endplate in the frame it was searched in: its rim plane, and its width and depth (mm)."""

    frame: Frame
    width: float
    depth: float


@dataclass(frozen=True, eq=False)
class Body:
    """A level's frame in the mesh, the bone as seen from it, and the endplates in it."""

    frame: Frame
    probe: Probe
    superior: Endplate
    inferior: Endplate


def find_body(bone: Probe, symmetry: Frame) -> Body:
    """Find the vertebral body of a bone whose mid-sagittal frame is known.

    Raises NotFoundError where the bone has no body with two endplates.
    """
    probe = bone.seen_from(symmetry)
    centre = _thickest(probe)
    pitch = np.radians(np.mean([_endplate_pitch(probe, centre, side) for side in (1.0, -1.0)]))
    frame = axis_frame(centre, np.array([0.0, np.sin(pitch), np.cos(pitch)])).then(symmetry)
    for _ in range(4):
        probe = bone.seen_from(frame)
        superior, inferior = endplate(probe, 1.0), endplate(probe, -1.0)
        upward = superior.frame.superior + inferior.frame.superior
        middle = (superior.frame.origin + inferior.frame.origin) / 2
        if np.linalg.norm(middle[1:]) < 0.02 and abs(upward[1]) < 0.001:
            break
        step = axis_frame(middle * [0.0, 1.0, 1.0], upward * [0.0, 1.0, 1.0])
        frame = step.then(frame)
    return Body(frame, probe, superior, inferior)


def _thickest(probe: Probe) -> Floats:
    """Return the middle of the thickest part of the bone: its body."""
    lower, upper = probe.centres.min(axis=0), probe.centres.max(axis=0)
    nodes = np.moveaxis(np.indices(np.ceil((upper - lower) / 2).astype(int)), 0, -1).reshape(-1, 3)
    points = lower + 2.0 * nodes
    depth = probe.depth(points)
    return points[depth > 0.85 * depth.max()].mean(axis=0) * [0.0, 1.0, 1.0]


def _endplate_pitch(probe: Probe, centre: Floats, side: float) -> float:
    """Return the pitch (degrees) at which most of the body's surface faces up, or down."""
    ways = probe.centres - centre
    near = (np.abs(ways[:, 0]) < 18.0) & (np.linalg.norm(ways[:, 1:], axis=1) < 25.0)
    normals, areas = side * probe.normals[near], probe.areas[near]
    angles = np.arange(-PITCH, PITCH + 1.0)
    directions = np.stack([0 * angles, np.sin(np.radians(angles)), np.cos(np.radians(angles))])
    away = np.degrees(np.arccos(np.clip(normals @ directions, -1.0, 1.0)))
    return float(angles[np.argmax(areas @ np.exp(-((away / SPREAD) ** 2)))])


def endplate(probe: Probe, side: float) -> Endplate:
    """Measure the superior (side 1) or inferior (side -1) endplate of a body around the origin."""
    upward = SUPERIOR
    for _ in range(3):
        top = probe.leaving(np.zeros(3), side * upward)
        ring, width, depth = _rim(probe, top - side * DEPTH * upward, upward, side)
        upward = plane_normal(ring)
    return Endplate(axis_frame(ring.mean(axis=0), upward), width, depth)


def _rim(probe: Probe, start: Floats, upward: Floats, side: float) -> tuple[Points, float, float]:
    """Return points (n, 3) on an endplate's rim, and the width and depth of the section under it."""
    across = axis_frame(start, upward)
    front, back = (probe.leaving(start, sign * across.anterior) for sign in (1.0, -1.0))
    centre = (front + back) / 2
    depth = float(np.linalg.norm(front - back))
    ends = [probe.leaving(centre, sign * across.right) for sign in (1.0, -1.0)]
    width = float(np.linalg.norm(ends[0] - ends[1]))
    ring = []
    for angle in np.radians(np.arange(0.0, 360.0, 15.0)):
        towards = np.cos(angle) * across.right + np.sin(angle) * across.anterior
        border = probe.leaving(centre, towards) - centre
        limit = _oval(width / 2 * 1.08, depth / 2 * 1.08, angle)
        reach = min(float(np.linalg.norm(border)), limit)
        ring.append(probe.leaving(centre + RIM * reach * towards, side * upward))
    return np.array(ring), width, depth


def _oval(half_width: float, half_depth: float, angle: float) -> float:
    """Return the radius of a superellipse that a body's section does not exceed."""
    return float(
        (abs(np.cos(angle) / half_width) ** 2.8 + abs(np.sin(angle) / half_depth) ** 2.8) ** (-1 / 2.8)
    )


def plane_normal(points: Points) -> Floats:
    """Return the upward normal of the plane through points, without those that stand out of it."""
    kept = np.ones(len(points), dtype=bool)
    for _ in range(3):
        columns = np.column_stack([points[:, :2], np.ones(len(points))])
        fit = np.linalg.lstsq(columns[kept], points[kept, 2], rcond=None)[0]
        misses = np.abs(points[:, 2] - columns @ fit)
        kept = misses <= max(3 * float(np.median(misses)), 0.3)
    if kept.sum() < len(points) // 2:
        raise NotFoundError("the rim of the endplate lies in no plane")
    normal = np.array([-fit[0], -fit[1], 1.0])
    return normal / np.linalg.norm(normal)
