"""Coarse generated bones standing in the world, made once a test run; quick enough for every test."""

from __future__ import annotations

from functools import cache

import numpy as np

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc import DiscParameters, disc_parameters
from spineviz.anatomy.nerve import nerve_parameters, nerve_recipes
from spineviz.anatomy.recipe import Recipe
from spineviz.body.parameters import Anatomy
from spineviz.body.skeleton import Blank, blank, placed
from spineviz.geometry import sample_distance
from spineviz.pathology import Herniation, displaced
from spineviz.sdf.mesher import mesh
from spineviz.structure import Frame, Structure
from spineviz.terms import LOWER_LUMBAR_LEVELS as LEVELS
from spineviz.terms import Level

EXTRUSION = Herniation(migration="caudal", migration_distance=5.5)


@cache
def bones() -> dict[Level, LevelBone]:
    """All bones of the healthy anatomy, with distances sampled every 1.25 mm."""
    healthy = Anatomy()
    blanks = {level: blank(healthy, level) for level in LEVELS}
    frames = placed(healthy, blanks)
    return {level: _standing(level, blanks[level], frames[level]) for level in LEVELS}


def _standing(level: Level, item: Blank, frame: Frame) -> LevelBone:
    assert item.solid is not None
    local = mesh(item.solid, 1.6, mirror=True)
    lower, upper = local.vertices.min(0) - 8.0, local.vertices.max(0) + 8.0
    grid = sample_distance(item.distance, np.floor(lower / 1.25) * 1.25, upper, 1.25)
    marks = {name: mark.then(frame) for name, mark in item.landmarks.items()}
    return LevelBone(level, frame, marks, local.placed(frame), lambda points: grid(frame.to_local(points)))


def herniated(herniation: Herniation = EXTRUSION) -> DiscParameters:
    """A disc with one herniation."""
    return disc_parameters(herniation.disc).model_copy(update={"herniations": (displaced(herniation),)})


@cache
def nerves() -> dict[str, Recipe]:
    """Sac and roots at rest."""
    return nerve_recipes(nerve_parameters(), bones())


@cache
def nerve_structures() -> dict[str, Structure]:
    """Sac and roots, meshed."""
    return {name: recipe.structure() for name, recipe in nerves().items()}
