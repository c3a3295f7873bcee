"""Where the eye stands, and where the world's points fall in a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spineviz.model import Camera
from spineviz.structure import Floats, Points

REACH = 260.0
"""Millimetres of world that are drawn in front of and behind the camera's focus."""


@dataclass(frozen=True)
class Box:
    """A rectangle of a picture in pixels; y runs down."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column beyond the box."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """The first row beyond the box."""
        return self.top + self.height

    def part(self, rows: slice, columns: slice) -> Box:
        """Return the rectangle that some rows and columns of this one fill."""
        return Box(
            self.left + columns.start,
            self.top + rows.start,
            columns.stop - columns.start,
            rows.stop - rows.start,
        )

    def scaled(self, factor: float) -> Box:
        """Return the same rectangle in a picture that is ``factor`` times as large."""
        left, top = round(self.left * factor), round(self.top * factor)
        return Box(left, top, round(self.right * factor) - left, round(self.bottom * factor) - top)


def distance(camera: Camera) -> float:
    """Return the mm between the eye and the focus."""
    return camera.height / 2 / float(np.tan(np.radians(camera.angle) / 2))


def eye(camera: Camera) -> Floats:
    """Return where the eye stands, (3,), world mm."""
    return np.asarray(camera.focus) + np.asarray(camera.direction) * distance(camera)


def reach(camera: Camera) -> tuple[float, float]:
    """Return the nearest and the farthest depth, mm from the eye, that are drawn."""
    away = distance(camera)
    return max(away - REACH, away / 50), away + REACH


def axes(camera: Camera) -> Floats:
    """Return the eye's frame (3, 3): rows are right, up and towards the eye."""
    back = np.asarray(camera.direction, dtype=np.float64)
    back = back / np.linalg.norm(back)
    right = np.cross(np.asarray(camera.up, dtype=np.float64), back)
    length = np.linalg.norm(right)
    if length < 1e-9:
        raise ValueError(f"camera: its up {camera.up} lies along its direction {camera.direction}")
    right = right / length
    return np.stack([right, np.cross(back, right), back])


def project(camera: Camera, points: Points, box: Box) -> tuple[Floats, Floats]:
    """Return the pixels (n, 2) of world points (n, 3) in a box, and their depth (n,) mm from the eye."""
    local = (np.asarray(points, dtype=np.float64) - eye(camera)) @ axes(camera).T
    depth = -local[:, 2]
    scale = box.height / 2 / np.tan(np.radians(camera.angle) / 2)
    safe = np.where(depth > 1e-6, depth, np.nan)
    x = box.left + box.width / 2 + local[:, 0] / safe * scale
    y = box.top + box.height / 2 - local[:, 1] / safe * scale
    return np.stack([x, y], axis=1), depth


def pixels_per_mm(camera: Camera, box: Box) -> float:
    """Return the pixels that one mm covers at the camera's focus."""
    return box.height / camera.height
