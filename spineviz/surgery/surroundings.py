"""What tools and the fragment keep off besides bone: nerves, ligament and other tools, as sampled fields.

All fields take points (n, 3) in the world and tell distances in mm, negative inside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from spineviz.anatomy.recipe import Body
from spineviz.geometry import DistanceGrid, sample_distance, surface_distance
from spineviz.sdf import Field
from spineviz.structure import Floats, Frame, Points, Surface
from spineviz.surgery.instruments import Instrument
from spineviz.surgery.site import NERVE_WARP, Site
from spineviz.surgery.window import Window

CELL, THIN = 1.0, 0.6
"""Spacing (mm) of the grids that fields are read off, and of those of thin things: plates, cut edges."""

DEEP, CANAL, ACROSS = 24.0, 12.0, 17.0
"""How far below and above the docking point, and how far across, a tool may meet nerves, mm."""

FAR = 6.0
"""Farther than this (mm) distances need not be told apart."""

ABOVE = 24.0
"""How far above the skin (mm) one tool keeps off another."""

NERVOUS = ("dura", "nerve")
"""The tissues that give way to a tool and must not be met: the sac, with all that it holds, and the roots."""

MIDLINE = ("interspinous", "supraspinous")
"""How the names of the ligaments in the midline begin."""

Retraction = tuple[float, float]
"""How far nerves are pushed aside by the fragment, 0..1, and drawn medially, mm."""


def nerves(site: Site, body: Body, amounts: Sequence[Retraction]) -> Field:
    """Return the distance from sac and nerves near the end of the corridor, in each of some positions."""
    lower, upper = site.box(-DEEP, CANAL, ACROSS)
    fields = []
    for structure in body.structures.values():
        if structure.tissue not in NERVOUS:
            continue
        movable = structure.name in site.nerves
        for amount in amounts if movable else amounts[:1]:
            surface = structure.surface
            if movable:
                surface = surface.moved(body.warps[structure.name, NERVE_WARP](amount))
            if _meets(surface, lower - FAR, upper + FAR):
                fields.append(surface_distance(surface))
    return _sampled(fields, lower, upper)


def ligament_left(site: Site, body: Body, window: Window) -> Field:
    """Return the distance from the ligamentum flavum that the last of its windows leaves."""
    if not site.present(site.flavum):
        return nowhere
    whole = surface_distance(body.structures[site.flavum].surface)
    return _sampled(
        [lambda points: np.maximum(whole(points), -window.field(points))],
        *site.box(-DEEP, CANAL, ACROSS),
        THIN,
    )


def midline_ligaments(site: Site, body: Body) -> Field:
    """Return the distance from the ligaments between and over the spinous processes."""
    lower, upper = site.box(-DEEP, site.depth, ACROSS)
    surfaces = [item.surface for name, item in body.structures.items() if name.startswith(MIDLINE)]
    near = [surface for surface in surfaces if _meets(surface, lower, upper)]
    return _sampled([surface_distance(surface) for surface in near], lower, upper)


def standing(site: Site, tool: Instrument, frames: Sequence[Frame]) -> Field:
    """Return the distance from a tool that stands in one of some frames of the world."""
    surfaces = [tool.surface.moved(frame.to_parent(tool.surface.vertices)) for frame in frames]
    box = site.box(-DEEP, site.depth + ABOVE, ACROSS)
    return _sampled([surface_distance(surface) for surface in surfaces], *box, THIN)


def fragment_at_rest(site: Site, body: Body) -> Field:
    """Return the distance from the displaced disc material before it is moved."""
    if not site.present(site.fragment):
        return nowhere
    surface = body.structures[site.fragment].surface
    return _sampled([surface_distance(surface)], *site.box(-DEEP, CANAL, ACROSS))


def disc_border(site: Site, body: Body) -> Field:
    """Return the distance from the disc's annulus, as far as it does not hold the displaced material."""
    name = f"disc.{site.disc}"
    if not site.present(name):
        return nowhere
    surface = body.structures[name].surface
    return _sampled([surface_distance(surface)], *site.box(-DEEP, CANAL, ACROSS))


def nowhere(points: Points) -> Floats:
    """Return the distance from nothing at all."""
    return np.full(len(points), np.inf)


def farther(field: Field, margin: float) -> Field:
    """Return the distance from a thing that is ``margin`` mm larger on all sides."""
    return lambda points: field(points) - margin


def nearest(*fields: Field) -> Field:
    """Return the distance from the nearest of several things."""
    kept = [field for field in fields if field is not nowhere]
    if not kept:
        return nowhere
    return lambda points: np.min([field(points) for field in kept], axis=0)


def _meets(surface: Surface, lower: Floats, upper: Floats) -> bool:
    """Tell whether a surface has a vertex in a box."""
    vertices = surface.vertices
    return bool(((vertices > lower) & (vertices < upper)).all(axis=1).any())


def _sampled(
    fields: Iterable[Callable[[Points], Floats]], lower: Floats, upper: Floats, cell: float = CELL
) -> Field:
    """Return the nearest of some fields, read off one grid; beyond its border it is the border's or more."""
    known = list(fields)
    if not known:
        return nowhere
    grid: DistanceGrid = sample_distance(
        lambda points: np.min([field(points) for field in known], axis=0), lower, upper, cell
    )
    return grid
