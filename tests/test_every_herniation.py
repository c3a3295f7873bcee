"""Every herniation of a lumbar disc: type by zone by side by level, as deep and as far as chance has it."""

from __future__ import annotations

from functools import cache
from itertools import product
from random import Random
from typing import get_args

import numpy as np
import pytest
from contacts import depth_in
from test_herniation import MORPHOLOGIES, of_lumbar_disc

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc import DiscParameters, annulus_field, disc_recipes, displaced_solids
from spineviz.anatomy.disc.space import disc_space
from spineviz.anatomy.nerve.warps import nerve_warps
from spineviz.body.bake import shelf
from spineviz.body.parameters import Anatomy
from spineviz.body.skeleton import bones as make_bones
from spineviz.geometry import as_trimesh, volume
from spineviz.pathology import Herniation, apply
from spineviz.pathology.herniation import Morphology, Zone
from spineviz.sdf.mesher import mesh
from spineviz.sdf.solid import Field
from spineviz.structure import Surface
from spineviz.terms import SIDES, HerniatedDisc, Level, Side, levels_of

DISCS: tuple[HerniatedDisc, ...] = ("L1-L2", "L2-L3", "L3-L4", "L4-L5", "L5-S1")
TYPES: tuple[Morphology, ...] = ("bulge", *MORPHOLOGIES)
EVERY = list(product(DISCS, TYPES, get_args(Zone), SIDES))

KEPT = 0.03
"""What share of its volume a nerve may lose or gain."""

DEEPEST = 0.3
"""How deep (mm) one thing may stand in another."""

STEP = 1.4
"""Displaced material is meshed so coarsely, mm."""

ALIKE = 0.3
"""How much (mm) the material of one side may differ from the mirror image of the other's: bones are baked."""


@cache
def bones() -> dict[Level, LevelBone]:
    levels: tuple[Level, ...] = ("L1", "L2", "L3", "L4", "L5", "S1")
    return make_bones(Anatomy(), levels, {name: item.surface for name, item in shelf().items()})


def chosen(case: tuple[HerniatedDisc, Morphology, Zone, Side]) -> Herniation:
    """A herniation of a disc, type, zone and side, as deep as chance has it; one in three is extreme."""
    disc, morphology, zone, side = case
    random = Random(" ".join(case[:3]))
    extreme = random.random() < 1.0 / 3.0
    shares = (1.0, 1.0) if extreme else (random.random(), random.random())
    if morphology != "bulge":
        return of_lumbar_disc(disc, morphology, zone, side, shares)
    least, most = (measures.value(f"herniation.{end}.lumbar.bulge") for end in ("least", "most"))
    depth = least + shares[0] * (most - least)
    return Herniation(disc=disc, morphology="bulge", symmetric=False, zone=zone, side=side, depth=depth)


def material(herniation: Herniation) -> tuple[DiscParameters, Field, Surface]:
    """Return the ill disc, the distance to what has left its place, and that, coarsely meshed."""
    pair = {level: bones()[level] for level in levels_of(herniation.disc)}
    shape = apply(herniation, Anatomy()).discs[herniation.disc]
    space = disc_space(herniation.disc, pair)
    if herniation.morphology == "bulge":
        ring = disc_recipes(herniation.disc, shape, pair)[f"disc.{herniation.disc}"].solid
        return shape, annulus_field(space, shape), mesh(ring, STEP)
    (solid,) = displaced_solids(space, shape)
    return shape, solid.field, mesh(solid, STEP)


@pytest.mark.many
@pytest.mark.parametrize("case", EVERY, ids=" ".join)
def test_every_lumbar_herniation_builds_and_nerves_give_way_to_it(
    case: tuple[HerniatedDisc, Morphology, Zone, Side],
) -> None:
    herniation = chosen(case)
    pair = {level: bones()[level] for level in levels_of(herniation.disc)}
    shape, field, surface = material(herniation)
    assert as_trimesh(surface).is_watertight and volume(surface) > 20.0
    if herniation.morphology != "bulge":
        assert as_trimesh(surface).body_count == 1
    for bone in pair.values():
        assert depth_in(bone.surface, surface.vertices.astype(float)) < DEEPEST, bone.level
    if herniation.side == "right":
        mirrored = surface.vertices * np.array([-1.0, 1.0, 1.0])
        other = material(herniation.model_copy(update={"side": "left"}))[1]
        assert np.abs(other(mirrored) - field(surface.vertices)).max() < ALIKE
    nerves = shelf()
    for (name, _), warp in nerve_warps(nerves, herniation.disc, shape, pair).items():
        rest, moved = nerves[name].surface, warp((1.0, 0.0))
        if name != "thecal_sac":  # of its fluid some is pressed up and down
            assert volume(rest.moved(moved)) == pytest.approx(volume(rest), rel=KEPT), name
        assert field(moved).min() > -DEEPEST, name
        assert min(bone.distance(moved).min() for bone in pair.values()) > -DEEPEST, name
