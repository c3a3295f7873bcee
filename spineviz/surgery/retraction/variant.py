"""Cut tissue: closed surfaces with a real wall, made in the opened space and brought back to rest."""

from __future__ import annotations

import numpy as np

from spineviz.anatomy.layer import LayerRecipe
from spineviz.anatomy.recipe import Recipe
from spineviz.sdf.mesher import mesh
from spineviz.sdf.solid import Solid, smooth_intersection
from spineviz.structure import Floats, Points, Surface
from spineviz.surgery.retraction.layer_cut import LayerOpening, opened_layer
from spineviz.surgery.retraction.warp import Opening

SNAP = 0.2
"""Vertices this near (mm) to the lumen's wall are its wall: marching cubes put them there."""

MARGIN = 14.0
"""How far (mm) tissue may move beyond its bounds while it is parted."""


def opened_variant(recipe: Recipe, opening: LayerOpening, step: float | None = None) -> Surface:
    """Return a tissue's surface at rest, cut so that an opening can part it.

    It is watertight and, warped to the full opening, has the lumen's wall as its own. ``step`` is the
    meshing step in mm, the recipe's own where None. The paint is that of the uncut tissue.
    """
    if isinstance(recipe, LayerRecipe):
        return opened_layer(recipe, opening)
    return opened_solid(recipe, opening, step or recipe.step)


def opened_solid(recipe: Recipe, opening: Opening, step: float) -> Surface:
    """Return a sampled solid's surface, cut by an opening and brought back to rest."""
    solid, radius = recipe.solid, opening.edge_radius

    def field(points: Points) -> Floats:
        rest = np.array(points, dtype=np.float64)
        inside = opening.moves(rest)
        rest[inside] = opening.closed(rest[inside])
        return smooth_intersection(solid.field(rest), -opening.lumen(points), radius)

    opened = mesh(Solid(field, solid.lower - MARGIN, solid.upper + MARGIN), step)
    vertices = opened.vertices.astype(np.float64)
    moved = opening.moves(vertices)
    vertices[moved] = opening.closed(vertices[moved], SNAP)
    return recipe.painted(opened.moved(vertices))
