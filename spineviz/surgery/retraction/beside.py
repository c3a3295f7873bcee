"""What a sleeve from the side parts besides the muscles of the back: small muscles, ligament, psoas' edge."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spineviz.anatomy.recipe import Recipe
from spineviz.anatomy.surroundings import thing
from spineviz.geometry import surface_points
from spineviz.sdf.solid import Solid
from spineviz.structure import Structure
from spineviz.surgery.retraction.parting import PartedTissue
from spineviz.surgery.retraction.sideways import SidewaysCorridor
from spineviz.surgery.retraction.variant import opened_solid
from spineviz.surgery.retraction.warp import surface_warp
from spineviz.terms import Disc

ALONG = ("psoas_major", "quadratus_lumborum", "thoracolumbar_fascia_middle")
"""Tissues of a side that a sleeve may touch on its way."""

AT_A_DISC = ("intertransversarius_lateral", "intertransversarius_medial", "intertransverse")
"""Those that belong to a disc."""

TOUCHED, MARGIN = 0.6, 3.0
"""What comes nearer (mm) to the sleeve than this gives way; how far around it that is asked, mm."""

STEP, ROUNDING, SNAP = 0.5, 0.3, 0.15
"""How finely (mm) what is split is meshed: the sleeve leaves shells of these thin muscles about as thick as
itself, which a coarser mesh and a rounder rim would shrink."""


def parted_beside(
    corridor: SidewaysCorridor, structures: Mapping[str, Structure], disc: Disc
) -> dict[str, PartedTissue]:
    """Return what gives way to a sleeve besides the muscles and layers of the back, by name.

    What the sleeve's slit passes through is split; what it only touches is pushed aside as it is.
    """
    names = [f"{stem}.{corridor.side}" for stem in ALONG]
    names += [f"{stem}.{disc}.{corridor.side}" for stem in AT_A_DISC]
    result = {}
    for name in names:
        item = structures.get(name)
        if item is None or not _touched(corridor, item):
            continue
        split = _slit_through(corridor, item)
        surface = item.surface
        if split:
            solid = Solid(
                thing(surface).exact,
                surface.vertices.min(axis=0) - MARGIN,
                surface.vertices.max(axis=0) + MARGIN,
            )
            recipe = Recipe(name, item.tissue, solid, STEP, item.side)
            surface = opened_solid(recipe, corridor, STEP, ROUNDING, SNAP)
        warp = surface_warp(surface, corridor, clear_of_bone=False)
        result[name] = PartedTissue(surface, warp, split)
    return result


def _touched(corridor: SidewaysCorridor, item: Structure) -> bool:
    """Tell whether a tissue comes near to the sleeve between its end and the skin."""
    local = corridor.axis.to_local(surface_points(item.surface, 1.0))
    along = (local[:, 2] > 0.0) & (local[:, 2] < corridor.length)
    near = np.hypot(local[along, 0], local[along, 1]) < corridor.radius + TOUCHED
    return bool(near.any())


def _slit_through(corridor: SidewaysCorridor, item: Structure) -> bool:
    """Tell whether the slit from which the tissue parts passes through a tissue."""
    heights, along = np.meshgrid(
        np.arange(0.5, corridor.length, 1.0), np.linspace(-0.5, 0.5, 9) * corridor.incision
    )
    places = np.stack([0.0 * heights.ravel(), along.ravel(), heights.ravel()], axis=1)
    world = corridor.axis.to_parent(places)
    low, high = item.surface.vertices.min(axis=0), item.surface.vertices.max(axis=0)
    world = world[((world > low) & (world < high)).all(axis=1)]
    return bool(len(world)) and bool((thing(item.surface).exact(world) < 0.0).any())
