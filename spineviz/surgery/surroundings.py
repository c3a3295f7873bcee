"""What tools and the fragment keep off besides bone: nerves, ligament and other tools, as sampled fields.

All fields take points (n, 3) in the world and tell distances in mm, negative inside.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from spineviz.anatomy.recipe import Body
from spineviz.geometry import DistanceGrid
from spineviz.sdf import Field
from spineviz.structure import Floats, Frame, Points, Surface, frozen
from spineviz.surgery.charts import chart
from spineviz.surgery.instruments import Instrument
from spineviz.surgery.site import NERVE_WARP, Site
from spineviz.surgery.window import Window
from spineviz.terms import SIDES

CELL, THIN = 1.0, 0.6
"""Spacing (mm) of the grids that fields are read off, and of those of thin things: plates, cut edges."""

DEEP, CANAL, ACROSS = 24.0, 12.0, 17.0
"""How far below and above the docking point, and how far across, a tool may meet nerves, mm."""

FAR = 6.0
"""Farther than this (mm) distances need not be told apart."""

AROUND, REACH = 4.0, 240.0
"""How far (mm) around a tool, and how high above its tip, others keep off it."""

NERVOUS = ("dura", "nerve")
"""The tissues that give way to a tool and must not be met: the sac, with all that it holds, and the roots."""

MIDLINE = ("interspinous", "supraspinous")
"""How the names of the ligaments in the midline begin."""

Retraction = tuple[float, float]
"""How far nerves are pushed aside by the fragment, 0..1, and drawn medially, mm."""


def nerves(site: Site, body: Body, amounts: Sequence[Retraction]) -> dict[Retraction, Field]:
    """Return the distance from sac and nerves near the end of the corridor, in each of some positions."""
    lower, upper = site.box(-DEEP, CANAL, ACROSS)
    all_nerves = [item for item in body.structures.values() if item.tissue in NERVOUS]
    still = _charted((item.surface for item in all_nerves if item.name not in site.nerves), lower, upper)
    result = {}
    for amount in amounts:
        moved = (
            item.surface.moved(body.warps[item.name, NERVE_WARP](amount))
            for item in all_nerves
            if item.name in site.nerves
        )
        result[amount] = _united([*still, *_charted(moved, lower, upper)])
    return result


def ligament_left(site: Site, body: Body, window: Window) -> Field:
    """Return the distance from the ligamentum flavum that the last of its windows leaves."""
    if not site.present(site.flavum):
        return nowhere
    lower, upper = site.box(-DEEP, CANAL, ACROSS)
    whole = chart([body.structures[site.flavum].surface], lower, upper, THIN)
    nodes = lower + THIN * np.moveaxis(np.indices(whole.values.shape), 0, -1)
    taken = window.field(nodes.reshape(-1, 3)).reshape(whole.values.shape)
    return DistanceGrid(whole.lower, THIN, frozen(np.maximum(whole.values, -taken), np.float32))


def midline_ligaments(site: Site, body: Body) -> Field:
    """Return the distance from the ligaments between and over the spinous processes."""
    surfaces = (item.surface for name, item in body.structures.items() if name.startswith(MIDLINE))
    return _united(_charted(surfaces, *site.box(-DEEP, site.depth, ACROSS)))


def window_walls(site: Site, body: Body, blades: Iterable[Surface]) -> Field:
    """Return the distance from the ``blades`` that hold a wound and from the other side's yellow ligament."""
    lower, upper = site.box(-DEEP, site.depth, ACROSS)
    other = (f"flavum.{site.disc}.{side}" for side in SIDES if side != site.side)
    surfaces = [*blades, *(body.structures[name].surface for name in site.present(*other))]
    return chart(surfaces, lower, upper, THIN)


def standing(tool: Instrument, frames: Sequence[Frame]) -> Field:
    """Return the distance from a tool that stands in one of some frames of the world."""
    low, high = tool.surface.vertices.min(axis=0) - AROUND, tool.surface.vertices.max(axis=0) + AROUND
    own = chart([tool.surface], low, np.minimum(high, REACH), THIN)
    return nearest(*(Standing(own, frame) for frame in frames))


def fragment_at_rest(site: Site, body: Body) -> Field:
    """Return the distance from the displaced disc material before it is moved."""
    return _alone(site, body, site.fragment)


def disc_border(site: Site, body: Body) -> Field:
    """Return the distance from the disc's annulus, as far as it does not hold the displaced material."""
    return _alone(site, body, f"disc.{site.disc}")


def _alone(site: Site, body: Body, name: str) -> Field:
    """Return the distance from one structure near the end of the corridor; from nothing where it is not."""
    surfaces = (body.structures[present].surface for present in site.present(name))
    return _united(_charted(surfaces, *site.box(-DEEP, CANAL, ACROSS)))


def nowhere(points: Points) -> Floats:
    """Return the distance from nothing at all."""
    return np.full(len(points), np.inf)


@dataclass(frozen=True, eq=False)
class Standing:
    """The distance from a thing that stands in a ``frame`` of the world, read off a grid of its own."""

    own: DistanceGrid
    frame: Frame

    def __call__(self, points: Points) -> Floats:
        """Return the distance (n,) in mm at points (n, 3)."""
        return self.own(self.frame.to_local(points))

    def within(self, points: Points, most: float) -> Floats:
        """Return the same distance, but ``most`` (mm) where it is more."""
        return self.own.within(self.frame.to_local(points), most)


@dataclass(frozen=True, eq=False)
class Nearest:
    """The distance from the nearest of several things."""

    fields: tuple[Field, ...]

    def __call__(self, points: Points) -> Floats:
        """Return the distance (n,) in mm at points (n, 3)."""
        result: Floats = np.min([field(points) for field in self.fields], axis=0)
        return result

    def within(self, points: Points, most: float) -> Floats:
        """Return the same distance, but ``most`` (mm) where it is more."""
        result: Floats = np.min([within(field, points, most) for field in self.fields], axis=0)
        return result


def within(field: Field, points: Points, most: float) -> Floats:
    """Return the distance (n,) in mm of points (n, 3) from a thing, but ``most`` where it is more.

    What is read off grids is told faster so where it is often more.
    """
    if isinstance(field, (DistanceGrid, Standing, Nearest)):
        return field.within(points, most)
    return np.minimum(field(points), most)


def farther(field: Field, margin: float) -> Field:
    """Return the distance from a thing that is ``margin`` mm larger on all sides."""
    if isinstance(field, DistanceGrid):
        return _wider(field, margin)
    if isinstance(field, Standing):
        return replace(field, own=_wider(field.own, margin))
    if isinstance(field, Nearest):
        return Nearest(tuple(farther(item, margin) for item in field.fields))
    return lambda points: field(points) - margin


def _wider(grid: DistanceGrid, margin: float) -> DistanceGrid:
    """Return the grid of a thing that is ``margin`` mm larger on all sides."""
    return replace(grid, values=frozen(grid.values - np.float32(margin), np.float32))


def nearest(*fields: Field) -> Field:
    """Return the distance from the nearest of several things."""
    kept: list[Field] = []
    for field in fields:
        kept += field.fields if isinstance(field, Nearest) else [field] if field is not nowhere else []
    if not kept:
        return nowhere
    return kept[0] if len(kept) == 1 else Nearest(tuple(kept))


def _charted(surfaces: Iterable[Surface], lower: Floats, upper: Floats) -> list[DistanceGrid]:
    """Return the chart of those surfaces that have a vertex in or beside a box; none where none has."""
    near = [surface for surface in surfaces if _meets(surface, lower - FAR, upper + FAR)]
    return [chart(near, lower, upper, CELL)] if near else []


def _meets(surface: Surface, lower: Floats, upper: Floats) -> bool:
    """Tell whether a surface has a vertex in a box."""
    vertices = surface.vertices
    return bool(((vertices > lower) & (vertices < upper)).all(axis=1).any())


def _united(charts: Sequence[DistanceGrid]) -> Field:
    """Return the nearest of what charts of one box tell."""
    if not charts:
        return nowhere
    values = np.min([item.values for item in charts], axis=0)
    return DistanceGrid(charts[0].lower, charts[0].step, frozen(values, np.float32))
