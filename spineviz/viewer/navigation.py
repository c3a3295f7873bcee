"""Moves of a camera by hand, and the way from one camera to another; plain data in and out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from spineviz.model import Camera, Message, Vector
from spineviz.structure import Floats

NEAREST, FARTHEST = 8.0, 900.0
"""The smallest and the largest height of world, mm, that zooming reaches."""


def unit(vector: Sequence[float] | Floats) -> Floats:
    """Return a vector (3,) at length 1; raises ValueError for one without length."""
    length = float(np.linalg.norm(vector))
    if length == 0:
        raise ValueError("a direction needs a length; this one is zero")
    return np.asarray(vector, dtype=np.float64) / length


def frame(camera: Camera) -> Floats:
    """Return the camera's frame (3, 3): rows are right, up and towards the eye, in the world."""
    back = unit(camera.direction)
    right = unit(np.cross(camera.up, back))
    return np.stack([right, np.cross(back, right), back])


def eye(camera: Camera) -> Floats:
    """Return where the eye stands, (3,), world mm."""
    away = camera.height / 2 / float(np.tan(np.radians(camera.angle) / 2))
    return np.asarray(camera.focus) + away * unit(camera.direction)


def ray(camera: Camera, across: float, up: float) -> tuple[Vector, Vector]:
    """Return the origin (mm) and unit direction of the ray through a place of the picture.

    ``across`` and ``up`` are in half heights of the picture, from its middle.
    """
    right, top, _ = frame(camera)
    start = eye(camera)
    through = np.asarray(camera.focus) + camera.height / 2 * (across * right + up * top)
    return _vector(start), _vector(unit(through - start))


def orbited(camera: Camera, across: float, up: float) -> Camera:
    """Return the camera turned about its focus, in degrees, like a body on a turntable.

    ``across`` turns about the body's long axis, so the horizon stays level; ``up`` tips the picture.
    Positive degrees carry the side that faces the eye to the right and upwards.
    """
    axes = frame(camera)
    sign = 1.0 if axes[1][2] >= 0 else -1.0
    turn = Rotation.from_rotvec(np.radians(-across) * sign * np.array([0.0, 0.0, 1.0]))
    tip = Rotation.from_rotvec(np.radians(up) * axes[0])
    _, top, back = (turn * tip).apply(axes)
    return replace(camera, direction=_vector(back), up=_vector(top))


def panned(camera: Camera, across: float, up: float) -> Camera:
    """Return the camera with the body moved in the picture, in half heights of it."""
    right, top, _ = frame(camera)
    focus = np.asarray(camera.focus) - camera.height / 2 * (across * right + up * top)
    return replace(camera, focus=_vector(focus))


def zoomed(camera: Camera, factor: float, across: float = 0.0, up: float = 0.0) -> Camera:
    """Return the camera nearer by a factor; the place under ``across``, ``up`` stays where it is."""
    height = min(max(camera.height / factor, NEAREST), FARTHEST)
    shift = 1 - height / camera.height
    near = panned(camera, -across * shift, -up * shift)
    return replace(near, height=height)


def carried(first: Camera, last: Camera, progress: float) -> Camera:
    """Return the camera on its way from one to another, 0..1, turning about the body.

    Unlike a straight line between the two, the way never leads through the focus.
    """
    if progress <= 0:
        return first
    if progress >= 1:
        return last
    start, end = Rotation.from_matrix(frame(first).T), Rotation.from_matrix(frame(last).T)
    turn = (end * start.inv()).as_rotvec()
    axes = (Rotation.from_rotvec(progress * turn) * start).as_matrix().T
    focus = np.asarray(first.focus) + progress * (np.asarray(last.focus) - np.asarray(first.focus))
    return Camera(
        focus=_vector(focus),
        direction=_vector(axes[2]),
        up=_vector(axes[1]),
        height=first.height * (last.height / first.height) ** progress,
        angle=first.angle + (last.angle - first.angle) * progress,
    )


def _vector(values: Floats) -> Vector:
    x, y, z = (float(value) for value in values)
    return x, y, z
