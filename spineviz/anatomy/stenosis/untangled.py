"""Strands that lie against each other, pushed apart where their coarse meshes stand in one another."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from spineviz.anatomy.dented import dented
from spineviz.anatomy.surroundings import thing
from spineviz.anatomy.way_out import Leaving, WayOut
from spineviz.geometry import area, faces_within, volume
from spineviz.structure import Points, Surface

Mask = npt.NDArray[np.bool_]

TOLERATED = 0.08
"""A vertex deeper (mm) than this in another strand is pushed onto its surface."""

ROUNDS, OFTEN = 2, 5
"""Strands are pushed apart so many times, and other tissue out of what it stands in at most so many."""

BEYOND = 4.0
"""A strand is looked at so far (mm) beyond where it has moved: a ray has left it before it ends there."""

DENT, DENTS = 0.9, 2
"""Where a thinner strand still stands in a thick one, that is dented over so many mm, so many times."""


def untangled(surfaces: Mapping[str, Surface], moved: Mapping[str, Mask]) -> dict[str, Surface]:
    """Return strands of which none stands in another where both have ``moved``, by name.

    Thin strands give way to thick ones, then the thick ones' vertices to the thin.
    """
    order = sorted(surfaces, key=lambda name: -_thickness(surfaces[name]))
    vertices: dict[str, Points] = {
        name: surface.vertices.astype(np.float64) for name, surface in surfaces.items()
    }
    touched = set(order)
    for _ in range(ROUNDS):
        before, touched = touched, set()
        for row, thick in enumerate(order):
            which = [*order[row + 1 :], *order[:row]]
            others = which if thick in before else [other for other in which if other in before]
            touched |= _out_of(thick, others, vertices, surfaces, moved)
        if not touched:
            break
    for row, thick in enumerate(order):
        _give_way(thick, [other for other in order[row + 1 :] if other in touched], vertices, surfaces, moved)
    return {name: surface.moved(vertices[name]) for name, surface in surfaces.items()}


def put_out(surface: Surface, leaving: Leaving, around: Points) -> Surface:
    """Return a surface put out of a thing, told by the way out of it and by places (n, 3) of its surface."""
    low, high = around.min(axis=0), around.max(axis=0)
    vertices = surface.vertices.astype(np.float64)
    inside = ((vertices > low) & (vertices < high)).all(axis=1)
    changed = _corners(vertices, np.flatnonzero(inside), leaving)
    faces = surface.faces[inside[surface.faces].all(axis=1)]
    changed |= _spans(vertices, faces, leaving)
    changed |= _spans(vertices, np.vstack([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), leaving)
    return surface.moved(vertices) if changed else surface


def wholly_out(surface: Surface, leaving: Leaving, around: Points) -> Surface:
    """Return a surface put out of a thing again and again, until it no longer changes."""
    for _ in range(OFTEN):
        before, surface = surface, put_out(surface, leaving, around)
        if surface is before:
            break
    return surface


def out_of(surface: Surface, other: Surface) -> Surface:
    """Return a surface put out of another, a closed one, where the two come near each other at all."""
    low, high = thing(other).box
    if not ((surface.vertices > low) & (surface.vertices < high)).all(axis=1).any():
        return surface
    box = surface.vertices.min(axis=0), surface.vertices.max(axis=0)
    return wholly_out(surface, WayOut(other, box, thing(other).scene), other.vertices)


def _out_of(
    name: str,
    others: list[str],
    vertices: dict[str, Points],
    surfaces: Mapping[str, Surface],
    moved: Mapping[str, Mask],
) -> set[str]:
    """Push others' vertices and faces out of a strand; return the names of those that stood in it."""
    low, high = (end(vertices[name][moved[name]], axis=0) for end in (np.min, np.max))
    beside: dict[str, tuple[npt.NDArray[np.intp], npt.NDArray[np.integer]]] = {}
    for other in others:
        inside = ((vertices[other] > low) & (vertices[other] < high)).all(axis=1) & moved[other]
        if inside.any():
            faces = surfaces[other].faces
            beside[other] = np.flatnonzero(inside), faces[inside[faces].all(axis=1)]
    if not beside:
        return set()
    places = [
        part
        for other, (rows, faces) in beside.items()
        for part in (vertices[other][rows], vertices[other][faces].mean(axis=1))
    ]
    around = low - BEYOND, high + BEYOND
    solid = Surface(vertices[name], surfaces[name].faces)
    leaving = WayOut(Surface(solid.vertices, solid.faces[faces_within(solid, around)]), (low, high))
    held = np.split(leaving.holds(np.vstack(places)), np.cumsum([len(part) for part in places])[:-1])
    touched = set()
    for (other, (rows, faces)), corners, middles in zip(beside.items(), held[::2], held[1::2], strict=True):
        changed = _corners(vertices[other], rows[corners], leaving)
        if _spans(vertices[other], faces[middles], leaving) or changed:
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


def _corners(vertices: Points, rows: npt.NDArray[np.intp], leaving: Leaving) -> bool:
    """Push some vertices out of a thing, in place; tell whether any stood in it."""
    ways = leaving(vertices[rows], TOLERATED)
    vertices[rows] += ways
    return bool(ways.any())


def _spans(vertices: Points, spans: npt.NDArray[np.integer], leaving: Leaving) -> bool:
    """Push faces or edges (m, corners) whose middles stand in a thing out of it, in place.

    Tell whether any did.
    """
    ways = leaving(vertices[spans].mean(axis=1), 2.0 * TOLERATED)
    lengths = np.linalg.norm(ways, axis=1)
    deep = np.flatnonzero(lengths > 0.0)
    if not len(deep):
        return False
    way = ways[deep] * (1.0 - TOLERATED / lengths[deep])[:, None]
    corners = spans[deep].ravel()
    total, count = np.zeros_like(vertices), np.zeros(len(vertices))
    np.add.at(total, corners, np.repeat(way, spans.shape[1], axis=0))
    np.add.at(count, corners, 1.0)
    rows = np.flatnonzero(count)
    vertices[rows] += total[rows] / count[rows, None]
    return True


def _thickness(surface: Surface) -> float:
    """Return a measure of how thick a tube is: the volume (mm³) that each mm² of it holds."""
    return volume(surface) / max(area(surface), 1e-9)
