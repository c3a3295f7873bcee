"""Strands that lie against each other, pushed apart where their coarse meshes stand in one another."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from spineviz.anatomy.dented import dented
from spineviz.anatomy.net import pushed
from spineviz.geometry import area, surface_distance, volume
from spineviz.structure import Floats, Points, Surface

Mask = npt.NDArray[np.bool_]

TOLERATED = 0.08
"""A vertex deeper (mm) than this in another strand is pushed onto its surface."""

ROUNDS, OFTEN = 2, 5
"""Strands are pushed apart so many times, and other tissue out of what it stands in at most so many."""

DENT, DENTS = 0.9, 2
"""Where a thinner strand still stands in a thick one, that is dented over so many mm, so many times."""

SEEN = 0.6
"""What tissue is put out of is looked up at samples so far (mm) from each other."""


def untangled(surfaces: Mapping[str, Surface], moved: Mapping[str, Mask], near: float) -> dict[str, Surface]:
    """Return strands of which none stands in another where both have ``moved``, by name.

    Thin strands give way to thick ones, then the thick ones' vertices to the thin. ``near`` (mm) is the
    spacing at which surfaces are looked up.
    """
    order = sorted(surfaces, key=lambda name: -_thickness(surfaces[name]))
    vertices: dict[str, Points] = {
        name: surface.vertices.astype(np.float64) for name, surface in surfaces.items()
    }
    touched = set(order)
    for _ in range(ROUNDS):
        before, touched = touched, set()
        for row, thick in enumerate(order):
            for which in (order[row + 1 :], order[:row]):
                others = which if thick in before else [other for other in which if other in before]
                touched |= _out_of(thick, others, vertices, surfaces, moved, near)
        if not touched:
            break
    for row, thick in enumerate(order):
        _give_way(thick, order[row + 1 :], vertices, surfaces, moved)
    return {name: surface.moved(vertices[name]) for name, surface in surfaces.items()}


def put_out(surface: Surface, distance: Callable[..., Floats], around: Points) -> Surface:
    """Return a surface put out of a thing, told by its distance and by places (n, 3) of its surface."""
    low, high = around.min(axis=0), around.max(axis=0)
    vertices = surface.vertices.astype(np.float64)
    inside = ((vertices > low) & (vertices < high)).all(axis=1)
    changed = _corners(vertices, np.flatnonzero(inside), distance)
    changed |= _faces(vertices, surface.faces[inside[surface.faces].all(axis=1)], distance)
    return surface.moved(vertices) if changed else surface


def wholly_out(surface: Surface, distance: Callable[..., Floats], around: Points) -> Surface:
    """Return a surface put out of a thing again and again, until it no longer changes."""
    for _ in range(OFTEN):
        before, surface = surface, put_out(surface, distance, around)
        if surface is before:
            break
    return surface


def out_of(surface: Surface, thing: Surface) -> Surface:
    """Return a surface put out of a closed one, where the two come near each other at all."""
    low, high = thing.vertices.min(axis=0), thing.vertices.max(axis=0)
    if not ((surface.vertices > low) & (surface.vertices < high)).all(axis=1).any():
        return surface
    return wholly_out(surface, surface_distance(thing, SEEN), thing.vertices)


def _out_of(
    name: str,
    others: list[str],
    vertices: dict[str, Points],
    surfaces: Mapping[str, Surface],
    moved: Mapping[str, Mask],
    near: float,
) -> set[str]:
    """Push others' vertices and faces out of a strand; return the names of those that stood in it."""
    low, high = (end(vertices[name][moved[name]], axis=0) for end in (np.min, np.max))
    found = {}
    for other in others:
        inside = ((vertices[other] > low) & (vertices[other] < high)).all(axis=1) & moved[other]
        if inside.any():
            found[other] = inside
    if not found:
        return set()
    distance = surface_distance(surfaces[name].moved(vertices[name]), near)
    touched = set()
    for other, inside in found.items():
        faces = surfaces[other].faces
        corners = _corners(vertices[other], np.flatnonzero(inside), distance)
        if _faces(vertices[other], faces[inside[faces].all(axis=1)], distance) or corners:
            touched.add(other)
    return touched


def _give_way(
    name: str,
    thinner: list[str],
    vertices: dict[str, Points],
    surfaces: Mapping[str, Surface],
    moved: Mapping[str, Mask],
) -> None:
    """Dent a strand where thinner ones still stand in it."""
    where = vertices[name][moved[name]]
    low, high = where.min(axis=0), where.max(axis=0)
    found = []
    for other in thinner:
        points = vertices[other][moved[other]]
        if ((points > low) & (points < high)).all(axis=1).any():
            faces = surfaces[other].faces[moved[other][surfaces[other].faces].all(axis=1)]
            found += [points, vertices[other][faces].mean(axis=1)]
    if found:
        made = dented(surfaces[name].moved(vertices[name]), np.vstack(found), DENT, DENTS)
        vertices[name] = made.vertices.astype(np.float64)


def _corners(vertices: Points, rows: npt.NDArray[np.intp], distance: Callable[..., Floats]) -> bool:
    """Push some vertices out of a strand, in place; tell whether any stood in it.

    ``distance`` takes points (n, 3) and the most (mm) that it is to tell.
    """
    deep = rows[distance(vertices[rows], 0.0) < -TOLERATED] if len(rows) else rows
    if len(deep):
        vertices[deep] = pushed(vertices[deep], distance, 0.0, 3)
    return len(deep) > 0


def _faces(vertices: Points, faces: npt.NDArray[np.integer], distance: Callable[..., Floats]) -> bool:
    """Push faces whose middles stand in a strand out of it, in place; tell whether any did."""
    middles = vertices[faces].mean(axis=1)
    if not len(middles):
        return False
    deep = np.flatnonzero(distance(middles, 0.0) < -2.0 * TOLERATED)
    if not len(deep):
        return False
    way = pushed(middles[deep], distance, -TOLERATED, 3) - middles[deep]
    corners = faces[deep].ravel()
    total, count = np.zeros_like(vertices), np.zeros(len(vertices))
    np.add.at(total, corners, np.repeat(way, 3, axis=0))
    np.add.at(count, corners, 1.0)
    rows = np.flatnonzero(count)
    vertices[rows] += total[rows] / count[rows, None]
    return True


def _thickness(surface: Surface) -> float:
    """Return a measure of how thick a tube is: the volume (mm³) that each mm² of it holds."""
    return volume(surface) / max(area(surface), 1e-9)
