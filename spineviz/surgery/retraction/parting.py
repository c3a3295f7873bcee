"""All tissue of one approach: which surfaces are cut, and the warps that part them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from spineviz.anatomy.recipe import Recipe
from spineviz.structure import Points, Structure, Surface
from spineviz.surgery.retraction.face import blade_face
from spineviz.surgery.retraction.midline import MidlineWound
from spineviz.surgery.retraction.pressing import pressed
from spineviz.surgery.retraction.septum import septum
from spineviz.surgery.retraction.tube import TubeCorridor
from spineviz.surgery.retraction.variant import opened_variant
from spineviz.surgery.retraction.warp import Amounts, PartingWarp, surface_warp

MUSCLES = ("multifidus", "longissimus", "iliocostalis", "spinalis")
"""The muscles that a posterior approach to the lower back meets on its side; spinalis ends at L1."""

LAYERS = ("thoracolumbar_fascia", "subcutaneous_fat", "skin")
"""The sheets that every posterior approach cuts, from the deepest to the skin."""


@dataclass(frozen=True, eq=False)
class PartedTissue:
    """A tissue and its movement; ``cut`` tells whether ``surface`` is a variant or the rest surface."""

    surface: Surface
    warp: PartingWarp
    cut: bool


def parted(
    opening: TubeCorridor | MidlineWound, recipes: Mapping[str, Recipe], structures: Mapping[str, Structure]
) -> dict[str, PartedTissue]:
    """Return every tissue that an opening moves, by the name of its structure.

    Fascia, fat and skin are cut, and so are the muscles of the sides that are opened where the slit goes
    through them; a muscle beside the slit is moved as it is. Raises KeyError where a layer is missing.
    """
    result: dict[str, PartedTissue] = {}
    sides = opening.sides if isinstance(opening, MidlineWound) else (opening.side,)
    walls = {f".{side}": septum(structures, side) for side in sides}
    muscles = [name for side in walls for muscle in MUSCLES if (name := muscle + side) in recipes]
    for name in (*muscles, *LAYERS):
        recipe = recipes[name]
        muscle = recipe.tissue == "muscle"
        cut = not muscle or _is_cut(recipe, opening)
        surface = opened_variant(recipe, opening) if cut else structures[name].surface
        wall = next((wall for side, wall in walls.items() if name.endswith(side)), None)
        warp = surface_warp(surface, opening, clear_of_bone=muscle, beside=wall)
        result[name] = PartedTissue(surface, warp, cut)
    return _held(opening, result) if isinstance(opening, MidlineWound) else result


def _held(wound: MidlineWound, parts: dict[str, PartedTissue]) -> dict[str, PartedTissue]:
    """Return the tissue of a midline wound with its muscle pressed flat by the blades that hold it."""
    opened = {name: part.surface.moved(part.warp(wound.full)) for name, part in parts.items()}
    faces = {
        f".{side}": blade_face(wound, list(opened.values()), diseased=side == wound.side)
        for side in wound.sides
    }
    return parts | {
        name: replace(part, warp=pressed(part.surface, part.warp, face, opened[LAYERS[0]]))
        for name, part in parts.items()
        for side, face in faces.items()
        if name.endswith(side)
    }


def _is_cut(recipe: Recipe, opening: TubeCorridor | MidlineWound) -> bool:
    """Tell whether the slit passes through a tissue at any depth."""
    slit = [_slit(opening, float(height), 48) for height in np.arange(0.0, opening.depth, 1.5)]
    return bool((recipe.solid.field(np.vstack(slit)) < 0.0).any())


def lip(opening: TubeCorridor | MidlineWound, amounts: Amounts, height: float, count: int = 72) -> Points:
    """Return the wound's edge (count, 3), a closed curve in order, world mm.

    ``height`` is taken at rest, in mm above the opening's origin along its axis; at the opening's depth
    it is the edge of the skin.
    """
    return opening.open(_slit(opening, height, count), amounts)


def skin_slit(opening: TubeCorridor | MidlineWound, skin: Recipe) -> Points:
    """Return the line (n, 3) of the skin incision at rest, from cranial to caudal, world mm.

    It lies on the outside of the skin: measured along it, it is the incision on the patient.
    """
    half = opening.incision / 2.0
    along = np.linspace(half, -half, 41)
    points = np.stack([np.zeros(41), np.full(41, -opening.depth), along], axis=1)
    start = opening.frame.to_parent(points) - LEAD * opening.frame.anterior
    steps = np.arange(0.0, 2.0 * LEAD, 0.1)
    line = start[:, None, :] + steps[:, None] * opening.frame.anterior
    inside = (skin.solid.field(line.reshape(-1, 3)) < 0.0).reshape(line.shape[:2])
    if not inside.any(axis=1).all():
        raise ValueError("the incision runs off the skin: shorten it or move it away from the border")
    return start + steps[np.argmax(inside, axis=1)][:, None] * opening.frame.anterior


LEAD = 25.0
"""How far (mm) before and behind the expected depth the skin is looked for."""


def _slit(opening: TubeCorridor | MidlineWound, height: float, count: int) -> Points:
    """Return places (count, 3) around the slit at a height, at rest, world mm."""
    sine, cosine = opening.around(np.arange(count) / count)
    level = np.full(count, height)
    across, along = opening.slice(np.copysign(1e-3, sine), opening.incision / 2.0 * cosine, level)
    return opening.frame.to_parent(np.stack([across, -level, along], axis=1))
