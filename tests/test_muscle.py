"""Muscles and fascia lie on the bones, fill their compartments and have the sizes of the measures."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from scipy.spatial import cKDTree

from spineviz import measures
from spineviz.anatomy import sacrum, vertebra
from spineviz.anatomy.alignment import endplates, sacral_frame, stacked
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.layer import LayerRecipe
from spineviz.anatomy.muscle import MuscleBed, MuscleParameters, along, muscle_bed, muscle_parameters, muscle_recipes
from spineviz.anatomy.muscle_floor import bone_from_behind
from spineviz.anatomy.recipe import Recipe
from spineviz.anatomy.skin import skin_parameters, skin_recipes
from spineviz.geometry import as_trimesh, sample_distance, triangle_normals, vertex_normals, volume
from spineviz.sdf import Solid, mesh
from spineviz.structure import Floats, Frame, Points, Surface
from spineviz.terms import DISCS, SIDES, SIGN, Level, levels_of

MUSCLES = [f"{name}.{side}" for name in ("multifidus", "erector_spinae") for side in SIDES]


def standing(level: Level, solid: Solid, marks: Mapping[str, Frame], frame: Frame) -> LevelBone:
    local = mesh(solid, 1.2, mirror=True)
    lower, upper = local.vertices.min(0) - 12.0, local.vertices.max(0) + 12.0
    grid = sample_distance(solid.field, np.floor(lower), np.ceil(upper), 1.0)
    return LevelBone(
        level,
        frame,
        {name: mark.then(frame) for name, mark in marks.items()},
        local.placed(frame),
        lambda points: grid(frame.to_local(points)),
    )


@pytest.fixture(scope="module")
def bones() -> dict[Level, LevelBone]:
    base = sacrum.parameters()
    marks = sacrum.landmarks(base)
    below = sacral_frame(measures.value("alignment.sacral_slope"))
    result = {"S1": standing("S1", sacrum.solid(base), marks, Frame(below.origin, below.axes))}
    for disc in reversed(DISCS):
        level, _ = levels_of(disc)
        shape = vertebra.parameters_of(level)
        marks = vertebra.landmarks(shape)
        superior, inferior = endplates(marks, level)
        space = measures.table(f"discs.{disc}")
        frame = stacked(below, inferior, space["height_middle"], space["wedge"])
        result[level] = standing(level, vertebra.solid(shape), marks, frame)
        below = superior.then(frame)
    return {level: result[level] for level in ("L3", "L4", "L5", "S1")}


@pytest.fixture(scope="module")
def parameters() -> MuscleParameters:
    return muscle_parameters()


@pytest.fixture(scope="module")
def bed(parameters: MuscleParameters, bones: dict[Level, LevelBone]) -> MuscleBed:
    return muscle_bed(parameters, bones)


@pytest.fixture(scope="module")
def recipes(parameters: MuscleParameters, bones: dict[Level, LevelBone]) -> dict[str, Recipe]:
    muscles = muscle_recipes(parameters, bones)
    return muscles | skin_recipes(skin_parameters(), bones, muscles)


@pytest.fixture(scope="module")
def surfaces(recipes: dict[str, Recipe]) -> dict[str, Surface]:
    return {name: recipe.surface() for name, recipe in recipes.items()}
