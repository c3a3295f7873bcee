"""Skin and subcutaneous fat of the lumbar back, laid on the thoracolumbar fascia.

World frame, mm. Shape parameters stand in ``meshes/measures/skin.toml``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from scipy import ndimage

from spineviz import measures
from spineviz.anatomy.back.height_map import HeightMap
from spineviz.anatomy.back.layer import STEP, Layer, LayerRecipe
from spineviz.anatomy.back.profile import Profile, along, measured
from spineviz.anatomy.back.stations import Stations, names_of, stations
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.recipe import Paint, Recipe
from spineviz.spec import Spec
from spineviz.structure import Points, Surface
from spineviz.terms import LOWER_LUMBAR_LEVELS, Disc, Level, SkinTone

LEAST_FAT = 0.5
"""Nowhere is the fat thinner than this, mm."""


class SkinParameters(Spec):
    """Thickness and surface of the skin and of the fat under it, mm.

    ``tone`` is the skin's colour. ``fat_thickness`` is given at the stations; along the midline the skin is
    drawn in by ``furrow_depth`` over ``furrow_width``. The surface is smoothed over ``smoothing`` mm across
    and four times as much along the back. Two dimples lie over the posterior superior iliac spines,
    ``dimple_offset`` from the midline.
    """

    fat_thickness: Profile
    dermis_thickness: float
    furrow_depth: Profile
    furrow_width: float
    smoothing: float
    dimple_depth: float
    dimple_offset: float
    dimple_radius: float
    tone: SkinTone = "light"


def skin_parameters(
    levels: Iterable[Level] = LOWER_LUMBAR_LEVELS,
    tone: SkinTone = "light",
    fat: Mapping[Disc, float] = MappingProxyType({}),
) -> SkinParameters:
    """Return a man's skin and fat behind some neighbouring bones from the measures.

    ``fat`` tells the thickness of the fat (mm) behind some discs where it is another one. Above and below
    them it departs from the usual as far as at the nearest.
    """
    names = names_of(levels)
    usual = measured(SkinParameters, "skin.shape", names)
    told = sorted((disc for disc in fat if disc in names), key=names.index)
    if not told:
        return usual.model_copy(update={"tone": tone})
    places = [names.index(disc) for disc in told]
    more = [fat[disc] - usual.fat_thickness[place] for disc, place in zip(told, places, strict=True)]
    added = np.interp(np.arange(len(names)), places, more)
    thick = tuple(float(value) for value in np.array(usual.fat_thickness) + added)
    return usual.model_copy(update={"tone": tone, "fat_thickness": thick})


def skin_surface(parameters: SkinParameters, fascia: HeightMap, span: Stations) -> HeightMap:
    """Return the surface of the back from the surface that bridges the muscles, the fascia's ``cover``."""
    x, z = fascia.plan
    fat = along(span, parameters.fat_thickness)(z)
    furrow = along(span, parameters.furrow_depth)(z) * np.exp(-((x / parameters.furrow_width) ** 2))
    iliac = span.at("S2") if span.has("S2") else np.inf
    distance = np.hypot(np.abs(x) - parameters.dimple_offset, z - iliac)
    dimples = np.exp(-((distance / parameters.dimple_radius) ** 2))
    depth = fat - furrow + parameters.dermis_thickness
    raised = fascia.shifted(depth).values
    spread = np.array([1.0, 4.0]) * parameters.smoothing / fascia.step
    smooth = ndimage.gaussian_filter(raised, spread, mode="nearest")
    return HeightMap(fascia.lower, fascia.step, smooth + parameters.dimple_depth * dimples)


def skin_recipes(
    parameters: SkinParameters, bones: Mapping[Level, LevelBone], muscles: Mapping[str, Recipe]
) -> dict[str, Recipe]:
    """Return the subcutaneous fat and the skin over the fascia among ``muscles``, by name.

    Raises KeyError without a ``thoracolumbar_fascia`` and TypeError when it is not a layer.
    """
    fascia = muscles["thoracolumbar_fascia"]
    if not isinstance(fascia, LayerRecipe):
        raise TypeError(f"skin is laid on a fascia that is a LayerRecipe, not on a {type(fascia).__name__}")
    under = fascia.layer
    surface = skin_surface(parameters, fascia.cover or under.outer, stations(bones))
    least = under.outer.shifted(parameters.dermis_thickness + LEAST_FAT)
    surface = replace(surface, values=np.minimum(surface.values, least.values))
    dermis = surface.shifted(-parameters.dermis_thickness)
    fat, skin = Layer(under.outer, dermis, under.outline), Layer(dermis, surface, under.outline)
    return {
        "subcutaneous_fat": LayerRecipe("subcutaneous_fat", "fat", fat.solid(), STEP, paint=plain, layer=fat),
        "skin": LayerRecipe(
            "skin", "skin", skin.solid(), STEP, None, Toned(parameters.tone).paint, layer=skin
        ),
    }


@dataclass(frozen=True)
class Toned:
    """Skin of a tone: its paint, and skin that was painted otherwise."""

    tone: SkinTone

    @property
    def share(self) -> float:
        """How far the skin's colour is from the fairest to the darkest, 0..1."""
        return float(measures.table("skin.tones")[self.tone])

    def paint(self, points: Points) -> Paint:
        """Return the tint of points (n, 3) and their coordinates."""
        return Paint(np.full(len(points), self.share), plain(points).coordinates)

    def repainted(self, skin: Surface) -> Surface:
        """Return the same skin in this tone."""
        return replace(skin, tint=np.full(len(skin.vertices), self.share))


def plain(points: Points) -> Paint:
    """Give points (n, 3) the coordinates of their plan: down and across the back, mm."""
    return Paint(None, np.stack([-points[:, 2], points[:, 0]], axis=1))
