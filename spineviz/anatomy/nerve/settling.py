"""How a nerve settles between displaced disc material and bone: pushed out of both, and smooth between."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from spineviz import measures
from spineviz.sdf.solid import Field
from spineviz.structure import Floats, Points, Surface

STEP = 0.05
"""How far (mm) apart the places are asked that tell which way leads out."""

LONGEST = 1.2
"""No vertex is pushed farther than this (mm) in one round."""


def settled(surface: Surface, start: Points, material: Field, walls: Field, within: bool = False) -> Points:
    """Return vertices (n, 3), mm, that keep out of material and walls, as near to ``start`` as they come.

    ``surface`` is the nerve at rest; what it is moved by is evened along it. Far from the material nothing
    moves. Where there is no room between the two, walls win. What lies ``within`` the sac keeps farther off.
    """
    shape = measures.table("nerve_displacement.settling")
    rest = np.asarray(surface.vertices, dtype=np.float64)
    result = np.array(start)
    region = np.flatnonzero(_near(rest, start, material, shape["reach"]))
    if not len(region):
        return result
    off = shape["within_sac"] if within else shape["off_material"]
    even = _evening(surface.faces, region, len(rest))
    rounds = int(shape["rounds"])
    for number in range(rounds):
        here = result[region]
        here = _out(here, material, off)
        here = _out(here, walls, shape["off_walls"])
        if number < rounds - int(shape["last"]):
            here = rest[region] + even @ (here - rest[region])
        result[region] = here
    return result


def _near(rest: Points, start: Points, material: Field, reach: float) -> npt.NDArray[np.bool_]:
    return (material(start) < reach) | (np.linalg.norm(start - rest, axis=1) > 1e-3)


def _out(points: Points, field: Field, off: float) -> Points:
    """Return points (n, 3) moved out of a solid, to ``off`` mm before its surface."""
    depth = off - field(points)
    inside = np.flatnonzero(depth > 0.0)
    if not len(inside):
        return points
    places = points[inside]
    steps = STEP * np.eye(3)
    slope = np.stack([field(places + step) - field(places - step) for step in steps], axis=1) / (2 * STEP)
    length = np.linalg.norm(slope, axis=1)
    way = np.minimum(depth[inside] / np.maximum(length, 0.3), LONGEST) / np.maximum(length, 1e-6)
    result = np.array(points)
    result[inside] = places + way[:, None] * slope
    return result


def _evening(faces: npt.NDArray[np.integer], region: npt.NDArray[np.integer], count: int) -> sparse.csr_array:
    """Return the matrix that takes movements of a region half-way to the mean of their neighbours'.

    Neighbours outside of the region do not move.
    """
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    both = np.concatenate([pairs, pairs[:, ::-1]])
    links = sparse.csr_array((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(count, count))
    links.data[:] = 1.0
    degree: Floats = np.asarray(links.sum(axis=1)).ravel()
    own = links[region][:, region]
    mean = sparse.diags_array(0.5 / np.maximum(degree[region], 1.0)) @ own
    return sparse.csr_array(mean + 0.5 * sparse.eye_array(len(region)))
