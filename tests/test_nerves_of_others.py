"""Nerves find their way in other bodies and postures: bent, small, tall, and with a sixth lumbar vertebra."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import pytest
from contacts import depths
from quick import SampledBone, curved, sampled_bones, sized
from skimage.measure import points_in_poly

from spineviz.anatomy.column.foramen import intervertebral
from spineviz.anatomy.column.posture import Posture
from spineviz.anatomy.nerve import nerve_parameters, nerve_recipes, root_name
from spineviz.anatomy.nerve.axis import sac_axis
from spineviz.anatomy.nerve.obstacles import obstacles
from spineviz.anatomy.nerve.paths import root_paths
from spineviz.body import Anatomy
from spineviz.body.skeleton import standing_frames
from spineviz.terms import SIDES, Level, column

LUMBAR: tuple[Level, ...] = ("L1", "L2", "L3", "L4", "L5", "S1")
LOWER: tuple[Level, ...] = ("L4", "L5", "S1")
STEP = 1.5
CLEAR = 0.3
DEEPEST = 0.3
COBB = 20.0

Bones = Mapping[Level, SampledBone]


@cache
def upright() -> Bones:
    return sampled_bones(Anatomy(), LUMBAR, STEP)


def moved(posture: Posture) -> Bones:
    frames = standing_frames(Anatomy(posture=posture), LUMBAR)
    return {level: bone.at(frames[level]) for level, bone in upright().items()}


def small_or_tall(size: float) -> Bones:
    """The bones of somebody who is so much taller; the nerves are as thick as usual."""
    return {level: sized(upright()[level], size) for level in LOWER}


def six() -> Bones:
    return sampled_bones(Anatomy(levels=column(6)), ("L5", "L6", "S1"), STEP)


OTHERS = {
    "flexed": lambda: moved(Posture(flexion=80.0)),
    "extended": lambda: moved(Posture(extension=40.0)),
    "scoliotic": lambda: curved(upright(), COBB),
    "small": lambda: small_or_tall(0.9),
    "tall": lambda: small_or_tall(1.1),
    "six": six,
}


@pytest.mark.parametrize("body", OTHERS)
def test_roots_pass_their_own_foramina_clear_of_bone_in_other_bodies(body: str) -> None:
    bones = OTHERS[body]()
    free, levels = obstacles(bones, discs=False), list(bones)
    recipes = nerve_recipes(nerve_parameters(), bones, within=False)
    assert {root_name(root, side) for root in levels for side in SIDES} <= recipes.keys()  # type: ignore[arg-type]
    for name, recipe in recipes.items():
        assert free(recipe.surface().vertices.astype(float)).min() > CLEAR, name
    for path in root_paths(nerve_parameters(), sac_axis(nerve_parameters(), bones), bones, obstacles(bones)):
        if path.root not in levels[:-1]:
            continue
        place = levels.index(path.root)
        foramen = intervertebral(bones[levels[place]], bones[levels[place + 1]], path.side)
        local = foramen.frame.to_local(path.points)
        through = np.flatnonzero((local[:-1, 1] < 0.0) & (local[1:, 1] >= 0.0))
        places = local[through][:, [0, 2]]
        nearest = places[np.argmin(np.linalg.norm(places, axis=1))]
        assert points_in_poly([nearest], foramen.plane)[0], (path.root, path.side)


def test_strands_keep_clear_of_lumbar_roots_on_both_sides_of_a_curve() -> None:
    recipes = nerve_recipes(nerve_parameters(), OTHERS["scoliotic"]())
    for side in SIDES:
        nerves = {
            name: recipe.surface()
            for name, recipe in recipes.items()
            if name.startswith(("root.L", "cauda.")) and name.endswith(side)
        }
        assert {f"cauda.L5.{side}", f"root.L2.{side}"} <= set(nerves)
        found = depths(nerves, lambda one, other: one.split(".")[1] != other.split(".")[1])
        deep = {pair: round(way, 2) for pair, way in found.items() if way > DEEPEST}
        assert not deep, deep


def test_the_curve_of_the_test_has_its_cobb_angle() -> None:
    bones = curved(upright(), COBB)
    first, last = (bones[level].landmarks["endplate.superior"].superior for level in ("L1", "S1"))
    usual = [upright()[level].landmarks["endplate.superior"].superior for level in ("L1", "S1")]
    assert usual[0][0] == pytest.approx(usual[1][0], abs=1e-6)
    assert abs(np.degrees(np.arcsin(first[0] - last[0]))) == pytest.approx(COBB, abs=3.0)
