"""Lines that find a smooth way past obstacles, and tubes around them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from scipy.spatial import cKDTree

from spineviz import measures
from spineviz.sdf.solid import Field
from spineviz.structure import Floats, Points, frozen


def relax(lines: Points, radii: Floats, free: Field) -> Points:
    """Let lines (k, n, 3) with radii (k, n), mm, find a smooth way around what is in it; their ends stay."""
    settings = measures.table("root_path")
    loyalty, current = settings["loyalty"], lines.copy()
    steps = 0.4 * np.vstack([np.eye(3), -np.eye(3)])
    for pace in np.repeat(settings["paces"], settings["rounds"]).tolist():
        smoother = _smoother(
            lines.shape[1], pace * settings["tension"], pace * settings["stiffness"], pace * loyalty
        )
        target = current + pace * loyalty * lines
        target[:, 0], target[:, -1] = lines[:, 0], lines[:, -1]
        current = np.einsum("ij,kjc->kic", smoother, target)
        current[:, 0], current[:, -1] = lines[:, 0], lines[:, -1]
        flat = current.reshape(-1, 3)
        lack = np.maximum(radii.ravel() + settings["clearance"] - free(flat), 0.0)
        near = np.flatnonzero(lack > 0.0)
        if len(near):
            values = free((flat[near, None] + steps).reshape(-1, 3)).reshape(-1, 6)
            slope = values[:, :3] - values[:, 3:]
            slope /= np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-6)
            flat[near] += 0.7 * np.minimum(lack[near], 1.0)[:, None] * slope
        current = flat.reshape(lines.shape)
        current[:, 0], current[:, -1] = lines[:, 0], lines[:, -1]
    return current


@cache
def _smoother(count: int, tension: float, stiffness: float, loyalty: float) -> Floats:
    """Return the matrix (count, count) of one implicit step of a stretched, stiff line with fixed ends."""
    second = np.zeros((count, count))
    for row in range(1, count - 1):
        second[row, row - 1 : row + 2] = [1.0, -2.0, 1.0]
    system = np.eye(count) * (1 + loyalty) - tension * second + stiffness * second.T @ second
    system[[0, -1]] = np.eye(count)[[0, -1]]
    return frozen(np.linalg.inv(system), np.float64)


def curve(points: Points) -> Callable[[Floats], Points]:
    """Return a smooth curve through points; its argument runs from 0 to 1."""
    from scipy.interpolate import CubicSpline, PchipInterpolator

    steps = np.sqrt(np.linalg.norm(np.diff(points, axis=0), axis=1))
    knots = np.concatenate([[0.0], np.cumsum(steps)])
    return (
        PchipInterpolator(knots / knots[-1], points)
        if len(points) < 12
        else CubicSpline(knots / knots[-1], points)
    )


def resampled(curve: Callable[[Floats], Points], count: int) -> Points:
    """Return points at equal ways along a curve."""
    fine = curve(np.linspace(0.0, 1.0, 800))
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(fine, axis=0), axis=1))])
    wanted = np.linspace(0.0, length[-1], count)
    return np.stack([np.interp(wanted, length, fine[:, k]) for k in range(3)], axis=1)


def unit(vector: Floats) -> Floats:
    """Return a vector of length 1 in the same direction."""
    return vector / np.linalg.norm(vector)


def tube(points: Points, radii: Floats) -> Callable[[Points], Floats]:
    """Return the signed distance to a tube of changing radius around a dense line, with round ends."""
    fine = np.linspace(0, len(points) - 1, 4 * len(points) - 3)
    index = np.arange(len(points))
    line = np.stack([np.interp(fine, index, points[:, k]) for k in range(3)], axis=1)
    thick = np.interp(fine, index, radii)
    tree = cKDTree(line)

    def distance(query: Points) -> Floats:
        lengths, nearest = tree.query(query)
        return np.asarray(lengths - thick[nearest])

    return distance
