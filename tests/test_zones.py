"""Where displaced disc lies is read on its surface as it was asked for: zone, side and level."""

from __future__ import annotations

from functools import cache
from itertools import product
from random import Random
from typing import get_args

import pytest
from pydantic import ValidationError
from standing import bones as coarse_bones
from standing import herniated

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc import disc_recipes, displaced_solids
from spineviz.anatomy.disc.space import disc_space
from spineviz.body.bake import shelf
from spineviz.body.parameters import Anatomy
from spineviz.body.skeleton import bones as make_bones
from spineviz.measurement.bodies import bodies
from spineviz.measurement.displaced import Material
from spineviz.measurement.segment import Segment
from spineviz.pathology import Herniation, displaced
from spineviz.pathology.herniation import Zone
from spineviz.sdf.mesher import mesh
from spineviz.structure import Surface
from spineviz.terms import SIDES, HerniatedDisc, Level, Side, levels_of

LUMBAR: tuple[HerniatedDisc, ...] = ("L1-L2", "L2-L3", "L3-L4", "L4-L5", "L5-S1")
CASES = list(product(LUMBAR, get_args(Zone), ("protrusion", "extrusion")))
LOWER = list(product(("L4-L5", "L5-S1"), get_args(Zone), SIDES))


def read(herniation: Herniation, healthy: Segment, bones: dict[Level, LevelBone]) -> Material:
    """Return displaced material, coarsely meshed, as it is measured beside the healthy segment."""
    disc = herniation.disc
    solid = displaced_solids(disc_space(disc, bones), herniated(herniation))[0]
    name = f"herniation.{disc}"
    shapes = {**healthy.shapes, name: mesh(solid, 1.2)}
    return Material(Segment(disc, healthy.upper, healthy.lower, healthy.bones, shapes), healthy, name)


def segment(disc: HerniatedDisc, shapes: dict[str, Surface], bones: dict[Level, LevelBone]) -> Segment:
    found = bodies(bones, shapes)
    upper, lower = levels_of(disc)
    return Segment(disc, found[upper], found[lower], (bones[upper], bones[lower]), shapes)


@cache
def lower_segment(disc: HerniatedDisc) -> Segment:
    """A healthy segment of coarse bones, with its disc."""
    pair = {level: coarse_bones()[level] for level in levels_of(disc)}
    parts = disc_recipes(disc, Anatomy().discs[disc], coarse_bones())
    shapes = {level: bone.surface for level, bone in pair.items()}
    whole = {name: mesh(part.solid, 1.4) for name, part in parts.items() if name.startswith(("disc", "nucl"))}
    return segment(disc, shapes | whole, pair)


@pytest.mark.parametrize("case", Random(3).sample(LOWER, 6), ids=" ".join)
def test_a_zone_is_read_as_it_was_asked_for(case: tuple[HerniatedDisc, Zone, Side]) -> None:
    disc, zone, side = case
    pair = {level: coarse_bones()[level] for level in levels_of(disc)}
    found = read(Herniation(disc=disc, zone=zone, side=side), lower_segment(disc), pair)
    assert found.zones[0] == zone
    assert found.side == (None if zone == "central" else side)
    assert found.morphology == "extrusion"


@cache
def lumbar() -> dict[Level, LevelBone]:
    levels: tuple[Level, ...] = ("L1", "L2", "L3", "L4", "L5", "S1")
    return make_bones(Anatomy(), levels, {name: item.surface for name, item in shelf().items()})


@pytest.mark.many
@pytest.mark.parametrize("case", CASES, ids=" ".join)
def test_every_zone_is_read_as_it_was_asked_for(case: tuple[HerniatedDisc, Zone, str]) -> None:
    disc, zone, morphology = case
    names = (f"disc.{disc}", f"nucleus.{disc}", f"endplate.{disc}.upper", f"endplate.{disc}.lower")
    pair = {level: lumbar()[level] for level in levels_of(disc)}
    shapes = {level: bone.surface for level, bone in pair.items()}
    healthy = segment(disc, shapes | {name: shelf()[name].surface for name in names}, pair)
    found = read(
        Herniation.model_validate({"disc": disc, "zone": zone, "morphology": morphology}), healthy, pair
    )
    assert found.zones[0] == zone
    assert found.side == (None if zone == "central" else "left")
    assert found.morphology == morphology


def test_a_place_of_its_own_is_nearer_to_the_midline_or_to_the_pedicle() -> None:
    inner, usual = (displaced(Herniation(place=place)).offset for place in (0.58, None))
    assert inner == 0.58 < usual < 1.0
    for zone in ("foraminal", "extraforaminal", "anterior"):
        with pytest.raises(ValidationError, match="in the canal"):
            Herniation.model_validate({"zone": zone, "place": 0.5})


def test_a_migrating_extrusion_stays_in_the_lateral_recess() -> None:
    pair = {level: coarse_bones()[level] for level in levels_of("L4-L5")}
    found = read(Herniation(migration="caudal", migration_distance=6.0), lower_segment("L4-L5"), pair)
    assert found.zones[0] == "subarticular"
    direction, way, _ = found.migration
    assert direction == "caudal" and way == pytest.approx(6.0, abs=1.5)
