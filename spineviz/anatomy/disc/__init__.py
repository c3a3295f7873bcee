"""The intervertebral disc: annulus and nucleus between two cartilage endplates, and what has left it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
from pydantic import Field as Limits

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc.bulging import Bulging
from spineviz.anatomy.disc.displaced_material import DisplacedMaterial, material_solid, tear_field
from spineviz.anatomy.disc.endplate import plate_recipe
from spineviz.anatomy.disc.space import DiscSpace, disc_space
from spineviz.anatomy.recipe import Paint, Recipe
from spineviz.sdf.solid import Field, Solid, smooth_difference, smooth_intersection
from spineviz.spec import Spec
from spineviz.structure import Floats, Points
from spineviz.terms import Disc, Level, Tissue, levels_of, region_of

EDGE = 0.6
"""The annulus' edge at the endplates is rounded over this length (mm)."""

SEAM = 0.05
"""Half the slit (mm) between annulus and nucleus, and between annulus and displaced material."""

LARGE = 32.0
"""The depth (mm) from which a disc is meshed as coarsely as the measures say."""

Painter = Callable[[Points], Paint]


def parts_of(disc: Disc) -> tuple[str, ...]:
    """Return the names of a healthy disc's parts."""
    return f"disc.{disc}", f"nucleus.{disc}", f"endplate.{disc}.upper", f"endplate.{disc}.lower"


class DiscParameters(Spec):
    """A disc's shape.

    ``height_middle`` (mm) and ``wedge`` (degrees, opening to anterior) place the bones; ``bulge`` (mm) is
    how far the annulus stands beyond the rims at mid-height; ``nucleus_share`` is the nucleus' part
    of the disc's area and ``nucleus_offset`` how far, in parts of the disc's depth, it lies posterior of
    the disc's centroid. ``endplate_thickness`` (mm) is that of the cartilage on either bone.
    ``herniations`` is the material that has left the disc, ``bulging`` how far more its annulus stands out.
    """

    height_middle: float = Limits(gt=1.0, le=20.0)
    wedge: float = Limits(ge=-15.0, le=30.0)
    bulge: float = Limits(ge=0.0, le=6.0)
    nucleus_share: float = Limits(ge=0.15, le=0.65)
    nucleus_offset: float = Limits(ge=0.0, le=0.2)
    endplate_thickness: float = Limits(default=0.7, ge=0.0, le=1.5)
    herniations: tuple[DisplacedMaterial, ...] = ()
    bulging: Bulging | None = None

    @property
    def outermost(self) -> float:
        """How far (mm) the annulus stands beyond the rims where it does most."""
        return self.bulge if self.bulging is None else max(self.bulge, self.bulging.depth)


def disc_parameters(disc: Disc) -> DiscParameters:
    """Return the healthy disc of a level from the measures."""
    place = measures.table(f"discs.{disc}")
    return DiscParameters(**place, **measures.table(f"disc_shape.{region_of(levels_of(disc)[0])}"))


def disc_recipes(
    disc: Disc, parameters: DiscParameters, bones: Mapping[Level, LevelBone]
) -> dict[str, Recipe]:
    """Return ``disc.<disc>`` (annulus), ``nucleus.<disc>``, the two ``endplate.<disc>.upper`` and ``lower``
    of cartilage and, where a part of it is displaced or bulges, that part as ``herniation.<disc>``.

    Solids are in the world frame, mm. The faces are the bones' own surfaces, so height and wedge come
    from how the bones stand. Raises ValueError when a bone or an endplate is missing.
    """
    space = disc_space(disc, bones)
    solids = displaced_solids(space, parameters)
    inner, hollow = _between(space, parameters), nucleus_wall(space, parameters)
    steps = measures.table("disc_mesh")
    finer = min(1.0, space.depth / LARGE)

    def made(kind: str, tissue: Tissue, field: Field, paint: Painter | None = None) -> Recipe:
        solid = _bounded(space, field, parameters.outermost)
        return Recipe(f"{kind}.{disc}", tissue, solid, finer * steps[kind], paint=paint)

    healthy = parameters.model_copy(update={"bulging": None})
    leaving = [solid.field for solid in solids] + _tears(space, parameters)
    ring = _ring(annulus_field(space, healthy), inner, hollow, leaving)
    recipes = [
        made("disc", "annulus", ring, lambda points: _annulus_paint(points, space, parameters, leaving)),
        made("nucleus", "nucleus", _core(_escaping(space, parameters), inner)),
    ]
    thickness = parameters.endplate_thickness
    if thickness > 0.0:
        recipes += [
            plate_recipe(f"endplate.{disc}.upper", space, thickness, inner, upper=True),
            plate_recipe(f"endplate.{disc}.lower", space, thickness, inner, upper=False),
        ]
    if parameters.bulging is not None:
        solids.append(_bulging_solid(space, parameters, healthy))
    if solids:
        one = len(solids) == 1 and parameters.bulging is None
        side = parameters.herniations[0].side if one else None
        recipes.append(Recipe(f"herniation.{disc}", "fragment", _joined(solids), steps["herniation"], side))
    return {recipe.name: recipe for recipe in recipes}


def annulus_field(space: DiscSpace, parameters: DiscParameters) -> Field:
    """Return the whole disc without a hollow for its nucleus, world frame."""

    def field(points: Points) -> Floats:
        gap, share = _gap(space, points)
        local = space.frame.to_local(points)
        angle = np.arctan2(local[:, 1], local[:, 0])
        rim = space.radius(angle, share)
        radius = np.hypot(local[:, 0], local[:, 1])
        wall = 0.92 * (radius - rim - _bulge(parameters, angle) * 4 * share * (1 - share))
        wall = np.maximum(wall, 0.8 * space.beyond(points, radius / rim))
        return smooth_intersection(wall, -gap, EDGE)

    return field


def nucleus_field(space: DiscSpace, parameters: DiscParameters) -> Field:
    """Return the nucleus, from endplate to endplate, world frame."""
    wall = nucleus_wall(space, parameters)

    def field(points: Points) -> Floats:
        gap, share = _gap(space, points)
        local = space.frame.to_local(points)
        radius = np.hypot(local[:, 0], local[:, 1]) / space.radius(
            np.arctan2(local[:, 1], local[:, 0]), share
        )
        return np.maximum(np.maximum(wall(points), SEAM - gap), 0.8 * space.beyond(points, radius))

    return field


def nucleus_wall(space: DiscSpace, parameters: DiscParameters) -> Field:
    """Return the nucleus as if it went on into the bones, world frame: the hollow of the annulus."""
    barrel = measures.value("disc_build.nucleus_barrel")
    scale = float(np.sqrt(parameters.nucleus_share))
    back = parameters.nucleus_offset * space.depth - space.centroid

    def field(points: Points) -> Floats:
        _, share = _gap(space, points)
        local = space.frame.to_local(points)
        x, y = local[:, 0], local[:, 1] + back
        rim = space.radius(np.arctan2(y, x), share) * scale
        profile = 1 - barrel * (1 - 4 * share * (1 - share))
        return 0.92 * (np.hypot(x, y) - rim * profile)

    return field


def displaced_solids(space: DiscSpace, parameters: DiscParameters) -> list[Solid]:
    """Return each piece of displaced material as a solid in the world frame."""
    return list(_displaced(space, parameters))


@lru_cache(maxsize=4)
def _displaced(space: DiscSpace, parameters: DiscParameters) -> tuple[Solid, ...]:
    """Return the pieces, remembered: what looks for pieces that are pinched off takes long."""
    intact, nucleus = annulus_field(space, parameters), nucleus_field(space, parameters)
    every = parameters.herniations
    return tuple(material_solid(item, space, intact, nucleus, parameters.bulge) for item in every)


def _bulge(parameters: DiscParameters, angle: Floats) -> Floats | float:
    """Return how far (mm) the annulus stands beyond the rims at mid-height, at angles from the right."""
    if parameters.bulging is None:
        return parameters.bulge
    return parameters.bulge + parameters.bulging.beyond(angle, parameters.bulge)


def _bulging_solid(space: DiscSpace, parameters: DiscParameters, healthy: DiscParameters) -> Solid:
    """Return what of a bulging annulus stands beyond a healthy one, world frame."""
    outer, inner = annulus_field(space, parameters), annulus_field(space, healthy)
    return _bounded(
        space, lambda points: np.maximum(outer(points), SEAM - inner(points)), parameters.outermost
    )


def _escaping(space: DiscSpace, parameters: DiscParameters) -> Field:
    """Return the nucleus with what of it stands in the tears that free fragments left through."""
    core = nucleus_field(space, parameters)
    tears = _tears(space, parameters)
    if not tears:
        return core
    intact = annulus_field(space, parameters)

    def field(points: Points) -> Floats:
        torn = np.maximum(np.min([tear(points) for tear in tears], axis=0) + SEAM, intact(points) + 2 * EDGE)
        return np.minimum(core(points), np.maximum(torn, SEAM - _gap(space, points)[0]))

    return field


def _tears(space: DiscSpace, parameters: DiscParameters) -> list[Field]:
    return [
        tear_field(item, space, parameters.bulge)
        for item in parameters.herniations
        if item.morphology == "sequestration"
    ]


def _gap(space: DiscSpace, points: Points) -> tuple[Floats, Floats]:
    """Return the distance (mm) to the nearer bone, and the place between them: 0 above, 1 below."""
    above, below = space.distances(points)
    up, down = np.maximum(above, 0.0), np.maximum(below, 0.0)
    return np.minimum(above, below), (up + 1e-6) / (up + down + 2e-6)


def _between(space: DiscSpace, parameters: DiscParameters) -> Field:
    """Return the distance (mm) into the cartilage of the nearer endplate: negative between the two."""
    reach = measures.value("disc_build.endplate_reach")

    def field(points: Points) -> Floats:
        gap, share = _gap(space, points)
        local = space.frame.to_local(points)
        rim = space.radius(np.arctan2(local[:, 1], local[:, 0]), share)
        return np.minimum(
            parameters.endplate_thickness - gap, rim * reach - np.hypot(local[:, 0], local[:, 1])
        )

    return field


def _core(nucleus: Field, inner: Field) -> Field:
    """Return the nucleus between its cartilage endplates."""
    return lambda points: np.maximum(nucleus(points), inner(points) + SEAM)


def _ring(intact: Field, inner: Field, hollow: Field, leaving: list[Field]) -> Field:
    """Return the annulus: the disc without nucleus, cartilage endplates and what tore through it."""

    def field(points: Points) -> Floats:
        result = np.maximum(intact(points), SEAM - hollow(points))
        result = smooth_intersection(result, inner(points) + SEAM, EDGE)
        for material in leaving:
            result = smooth_difference(result, material(points) - SEAM, 0.3)
        return result

    return field


def _joined(solids: list[Solid]) -> Solid:
    if len(solids) == 1:
        return solids[0]
    lower = np.min([solid.lower for solid in solids], axis=0)
    upper = np.max([solid.upper for solid in solids], axis=0)
    return Solid(lambda points: np.min([solid.field(points) for solid in solids], axis=0), lower, upper)


def _bounded(space: DiscSpace, field: Field, bulge: float) -> Solid:
    reach = float(max(space.upper.max(), space.lower.max())) + bulge + 3.0
    return Solid(field, space.frame.origin - reach, space.frame.origin + reach)


def _annulus_paint(
    points: Points, space: DiscSpace, parameters: DiscParameters, leaving: list[Field]
) -> Paint:
    """Paint lamellae as faint rings and torn fibres fully; coordinates run along and across the rings."""
    shape = measures.table("disc_build")
    _, share = _gap(space, points)
    local = space.frame.to_local(points)
    angle = np.arctan2(local[:, 1], local[:, 0])
    rim = space.radius(angle, share)
    depth = np.maximum(rim + parameters.bulge - np.hypot(local[:, 0], local[:, 1]), 0.0)
    tint = shape["lamella_tint"] * (0.5 + 0.5 * np.cos(2 * np.pi * depth / shape["lamella_period"]))
    for material in leaving:
        torn = np.exp(-((np.maximum(material(points), 0.0) / shape["torn_reach"]) ** 2))
        tint = np.maximum(tint, torn)
    return Paint(tint, np.stack([angle * rim, depth], axis=1))
