"""How a nerve settles between displaced disc material and bone: pushed out of both, and smooth between.

What is flattened widens: a nerve keeps its volume.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from spineviz import measures
from spineviz.geometry import triangle_normals, vertex_normals, volume
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


def widened(surface: Surface, start: Points, material: Field, walls: Field) -> Points:
    """Return vertices (n, 3), mm, of a nerve that encloses as much at ``start`` as at rest.

    ``surface`` is the nerve at rest. It widens where it has been moved and is free: the more, the farther it
    has been moved; nothing is pushed into material or walls. What is missing at most afterwards is a share
    told in the measures, unless there is no room.
    """
    shape = measures.table("nerve_displacement.settling")
    wanted = volume(surface)
    if abs(volume(surface.moved(start)) / wanted - 1.0) < shape["kept_within"]:
        return start
    way = np.linalg.norm(start - surface.vertices, axis=1)
    region = np.flatnonzero(way > 1e-3)
    even = _evening(surface.faces, region, len(way))
    off = np.minimum(
        material(start[region]) - shape["off_material"], walls(start[region]) - shape["off_walls"]
    )
    free = np.clip(off / shape["free"], 0.0, 1.0) * way[region]
    for _ in range(int(shape["evened"])):
        free = even @ free
    result = np.array(start)
    for _ in range(int(shape["fills"])):
        lack = wanted - volume(surface.moved(result))
        if abs(lack) < shape["kept_within"] * wanted:
            break
        gain = float(free @ _shares(result, surface.faces)[region])
        normals = vertex_normals(result, surface.faces)[region]
        rise = np.clip(lack / max(gain, 1e-9) * free, -LONGEST, LONGEST)
        here = result[region] + rise[:, None] * normals
        here = _out(here, material, shape["off_material"])
        result[region] = _out(here, walls, shape["off_walls"])
    return result


def _shares(vertices: Points, faces: npt.NDArray[np.integer]) -> Floats:
    """Return each vertex' share (n,) of a mesh's area, mm²."""
    areas = triangle_normals(vertices, faces)[1]
    return np.bincount(faces.ravel(), np.repeat(areas / 3.0, 3), minlength=len(vertices))


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
