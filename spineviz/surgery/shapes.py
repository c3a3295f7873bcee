"""Closed steel shapes made of rings of points: turned on a lathe, or swept along a path. Knows no anatomy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from spineviz.structure import Floats, Points, Surface

ROUND = 2.0
"""The exponent of a round cross-section; larger ones come closer to a rectangle."""


def skin(rings: Floats, closed: bool = False) -> Surface:
    """Join rings of points, shape (k, n, 3), into one watertight surface whose faces point outward.

    The first and the last ring are closed by flat fans; with ``closed`` the last ring is joined to
    the first instead (a hollow body).
    """
    count, sides, _ = rings.shape
    vertices = rings.reshape(-1, 3)
    last = count if closed else count - 1
    quads = np.arange(last)[:, None] * sides + np.arange(sides)
    right = np.arange(last)[:, None] * sides + (np.arange(sides) + 1) % sides
    up = (quads + sides) % (count * sides)
    up_right = (right + sides) % (count * sides)
    faces = np.stack([quads, right, up_right, quads, up_right, up], axis=-1).reshape(-1, 3)
    if not closed:
        first, end = len(vertices), len(vertices) + 1
        vertices = np.vstack([vertices, rings[0].mean(0), rings[-1].mean(0)])
        ring, following = np.arange(sides), (np.arange(sides) + 1) % sides
        top = (count - 1) * sides
        faces = np.vstack(
            [
                faces,
                np.stack([following, ring, np.full(sides, first)], axis=1),
                np.stack([top + ring, top + following, np.full(sides, end)], axis=1),
            ]
        )
    corners = vertices[faces]
    if np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) < 0:
        faces = faces[:, ::-1]
    return Surface(vertices, faces)


def lathe(profile: Sequence[tuple[float, float]], sides: int = 32, hollow: bool = False) -> Surface:
    """Turn a profile of (radius, height) pairs, mm, about the z axis.

    With ``hollow`` the profile is a closed loop (a tube's wall); else its ends are closed by discs.
    """
    radius, height = np.asarray(profile, dtype=np.float64).T
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    rings = np.empty((len(radius), sides, 3))
    rings[:, :, :2] = radius[:, None, None] * circle
    rings[:, :, 2] = height[:, None]
    return skin(rings, closed=hollow)


def sweep(
    path: npt.ArrayLike,
    across: npt.ArrayLike,
    along: npt.ArrayLike,
    reference: npt.ArrayLike = (1.0, 0.0, 0.0),
    *,
    exponent: float = ROUND,
    sides: int = 16,
) -> Surface:
    """Sweep a cross-section along a path, shape (k, 3), mm; both ends are rounded a little.

    ``across`` and ``along`` are the half-widths (k,) or a number, mm; ``across`` lies in the direction of
    ``reference`` as far as it is perpendicular to the path. ``exponent`` 2 is an ellipse, 6 a bar.
    """
    points: Floats = np.asarray(path, dtype=np.float64)
    count = len(points)
    wide: Floats = np.broadcast_to(np.asarray(across, dtype=np.float64), count)
    thick: Floats = np.broadcast_to(np.asarray(along, dtype=np.float64), count)
    points, wide, thick = _rounded(points, wide, thick)
    tangent = np.gradient(points, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-12)
    first = np.asarray(reference, dtype=np.float64) - (tangent @ np.asarray(reference))[:, None] * tangent
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(tangent, first)
    outline = superellipse(exponent, sides)
    rings = (
        points[:, None]
        + (wide[:, None] * outline[:, 0])[..., None] * first[:, None]
        + (thick[:, None] * outline[:, 1])[..., None] * second[:, None]
    )
    return skin(rings)


def superellipse(exponent: float, sides: int) -> Floats:
    """Return the outline (sides, 2) of a superellipse with half-widths of 1."""
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False) + np.pi / sides
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.stack(
        [np.sign(cosine) * np.abs(cosine) ** (2 / exponent), np.sign(sine) * np.abs(sine) ** (2 / exponent)],
        axis=1,
    )


def bent(corners: npt.ArrayLike, radius: float, steps: int = 5) -> Points:
    """Return a path (k, 3) through corner points, mm, whose inner corners are rounded.

    ``radius`` is how far before and after a corner the bend begins and ends.
    """
    points = np.asarray(corners, dtype=np.float64)
    parts = [points[:1]]
    for before, corner, after in zip(points[:-2], points[1:-1], points[2:], strict=True):
        reach_in = min(radius, 0.49 * float(np.linalg.norm(corner - before)))
        reach_out = min(radius, 0.49 * float(np.linalg.norm(after - corner)))
        start = corner + reach_in * _unit(before - corner)
        end = corner + reach_out * _unit(after - corner)
        t = np.linspace(0, 1, steps)[:, None]
        parts.append((1 - t) ** 2 * start + 2 * t * (1 - t) * corner + t**2 * end)
    return np.vstack([*parts, points[-1:]])


def joined(*parts: Surface) -> Surface:
    """Return closed bodies as one surface; bodies may overlap, as parts pressed together do."""
    offsets = np.cumsum([0, *(len(part.vertices) for part in parts[:-1])])
    return Surface(
        np.vstack([part.vertices for part in parts]),
        np.vstack([part.faces + offset for part, offset in zip(parts, offsets, strict=True)]),
    )


def _unit(vector: Floats) -> Floats:
    return vector / max(float(np.linalg.norm(vector)), 1e-12)


def _rounded(points: Points, wide: Floats, thick: Floats) -> tuple[Points, Floats, Floats]:
    """Add two narrower rings at each end, so that the edge catches light."""
    edge = 0.35 * np.minimum(np.minimum(wide, thick)[[0, -1]], 1.0)
    start = points[0] + edge[0] * _unit(points[1] - points[0])
    end = points[-1] + edge[1] * _unit(points[-2] - points[-1])
    points = np.vstack([points[:1], start[None], points[1:-1], end[None], points[-1:]])

    def widths(values: Floats) -> Floats:
        ends = np.maximum(values[[0, -1]] - edge, 0.3 * values[[0, -1]])
        return np.concatenate([ends[:1], values[:1], values[1:-1], values[-1:], ends[1:]])

    return points, widths(wide), widths(thick)
