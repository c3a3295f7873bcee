"""Moves of a camera by hand; plain data in and out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from spineviz.model import Camera, Vector
from spineviz.structure import Floats
from spineviz.views import camera_axes, unit, vector

NEAREST, FARTHEST = 8.0, 900.0
"""The smallest and the largest height of world, mm, that zooming reaches."""


def eye(camera: Camera) -> Floats:
    """Return where the eye stands, (3,), world mm."""
    away = camera.height / 2 / float(np.tan(np.radians(camera.angle) / 2))
    return np.asarray(camera.focus) + away * unit(camera.direction)


def ray(camera: Camera, across: float, up: float) -> tuple[Vector, Vector]:
    """Return the origin (mm) and unit direction of the ray through a place of the picture.

    ``across`` and ``up`` are in half heights of the picture, from its middle.
    """
    right, top, _ = camera_axes(camera)
    start = eye(camera)
    through = np.asarray(camera.focus) + camera.height / 2 * (across * right + up * top)
    return vector(start), vector(unit(through - start))


def orbited(camera: Camera, across: float, up: float) -> Camera:
    """Return the camera turned about its focus, in degrees, like a body on a turntable.

    ``across`` turns about the body's long axis, so the horizon stays level; ``up`` tips the picture.
    Positive degrees carry the side that faces the eye to the right and upwards.
    """
    axes = camera_axes(camera)
    sign = 1.0 if axes[1][2] >= 0 else -1.0
    turn = Rotation.from_rotvec(np.radians(-across) * sign * np.array([0.0, 0.0, 1.0]))
    tip = Rotation.from_rotvec(np.radians(up) * axes[0])
    _, top, back = (turn * tip).apply(axes)
    return replace(camera, direction=vector(back), up=vector(top))


def panned(camera: Camera, across: float, up: float) -> Camera:
    """Return the camera with the body moved in the picture, in half heights of it."""
    right, top, _ = camera_axes(camera)
    focus = np.asarray(camera.focus) - camera.height / 2 * (across * right + up * top)
    return replace(camera, focus=vector(focus))


def zoomed(camera: Camera, factor: float, across: float = 0.0, up: float = 0.0) -> Camera:
    """Return the camera nearer by a factor; the place under ``across``, ``up`` stays where it is."""
    height = min(max(camera.height / factor, NEAREST), FARTHEST)
    shift = 1 - height / camera.height
    near = panned(camera, -across * shift, -up * shift)
    return replace(near, height=height)
