"""Cut tissue: closed surfaces with a real wall, made in the opened space and brought back to rest."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spineviz.anatomy.back.layer import LayerRecipe
from spineviz.anatomy.recipe import Recipe
from spineviz.sdf.mesher import mesh
from spineviz.sdf.solid import Solid, smooth_intersection
from spineviz.structure import Floats, Points, Surface
from spineviz.surgery.retraction.layer_cut import LayerOpening, opened_layer
from spineviz.surgery.retraction.warp import Opening

SNAP = 0.5
"""Vertices this near (mm) to the lumen's wall are its wall: marching cubes put them there."""

CUT_STEP = 1.6
"""Cut muscle is meshed no coarser than this (mm), so that the lumen's rim stays crisp."""

OFF_BONE, NEAR_BONE, PUSHES = 0.15, 1.5, 5
"""Cut muscle at rest keeps this far (mm) from bone; how near triangles count, how often they give way."""

BESIDE_SLIT = 3.0
"""What lies this near (mm) to the plane of the slit keeps its distance from it."""

Triangles = npt.NDArray[np.integer]

MARGIN = 14.0
"""How far (mm) tissue may move beyond its bounds while it is parted."""


def opened_variant(recipe: Recipe, opening: LayerOpening, step: float | None = None) -> Surface:
    """Return a tissue's surface at rest, cut so that an opening can part it.

    It is watertight and, warped to the full opening, has the lumen's wall as its own. ``step`` is the
    meshing step in mm; where None it is the recipe's own, or a finer one. The paint is that of
    the uncut tissue.
    """
    if isinstance(recipe, LayerRecipe):
        return opened_layer(recipe, opening)
    return opened_solid(recipe, opening, step or min(recipe.step, CUT_STEP))


def opened_solid(
    recipe: Recipe, opening: Opening, step: float, rounding: float | None = None, snap: float = SNAP
) -> Surface:
    """Return a sampled solid's surface, cut by an opening and brought back to rest.

    ``rounding`` (mm) is that of the lumen's rim, the opening's own where None. Vertices within ``snap`` mm of
    the lumen's wall are its wall.
    """
    solid, radius = recipe.solid, opening.edge_radius if rounding is None else rounding

    def field(points: Points) -> Floats:
        rest = np.array(points, dtype=np.float64)
        inside = opening.moves(rest)
        rest[inside] = opening.closed(rest[inside])
        return smooth_intersection(solid.field(rest), -opening.lumen(points), radius)

    opened = mesh(Solid(field, solid.lower - MARGIN, solid.upper + MARGIN), step)
    vertices = opened.vertices.astype(np.float64)
    moved = opening.moves(vertices)
    vertices[moved] = opening.closed(vertices[moved], snap)
    own = np.full(len(vertices), -1)
    own[moved] = np.arange(np.count_nonzero(moved))
    faces = own[opened.faces]
    vertices[moved] = _off_bone(vertices[moved], faces[(faces >= 0).all(axis=1)], opening)
    return recipe.painted(opened.moved(vertices))


def _off_bone(points: Points, faces: Triangles, opening: Opening) -> Points:
    """Return points (n, 3) so far out of bone that neither they nor their ``faces`` (m, 3) enter it.

    Beside the slit they move along it only, so that none changes sides.
    """
    result, bone = points.copy(), opening.terrain.bone
    beside = np.abs(opening.axis.to_local(points)[:, 0]) < BESIDE_SLIT
    for _ in range(PUSHES):
        distance = bone(result)
        short, close = np.maximum(OFF_BONE - distance, 0.0), distance < NEAR_BONE
        near = faces[close[faces].any(axis=1)]
        within = np.maximum(OFF_BONE - bone(result[near].mean(axis=1)), 0.0)
        np.maximum.at(short, near.ravel(), np.repeat(within, 3))
        pushed = np.flatnonzero(short)
        if not len(pushed):
            break
        steps = 0.3 * np.vstack([np.eye(3), -np.eye(3)])
        values = bone((result[pushed, None] + steps).reshape(-1, 3)).reshape(-1, 6)
        slope = values[:, :3] - values[:, 3:]
        across = np.where(beside[pushed], slope @ opening.axis.right, 0.0)
        slope -= np.multiply.outer(across, opening.axis.right)
        slope /= np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-6)
        result[pushed] += short[pushed, None] * slope
    return result
