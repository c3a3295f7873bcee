"""Ligaments of other bodies and postures: bent, small, tall, and with a sixth lumbar vertebra."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from random import Random

import numpy as np
import pytest
from quick import SampledBone, curved, sampled_bones, sized

from spineviz.anatomy.column.posture import Posture
from spineviz.anatomy.ligament.capsule import facet_capsule
from spineviz.anatomy.ligament.spinal import neighbours
from spineviz.anatomy.ligament.yellow import yellow_ligament
from spineviz.anatomy.surroundings import Spine
from spineviz.body import Anatomy
from spineviz.body.skeleton import standing_frames
from spineviz.geometry import as_trimesh
from spineviz.structure import Structure
from spineviz.terms import Level, column

LOWER: tuple[Level, ...] = ("L4", "L5", "S1")
STEP = 1.2
DEEPEST = 0.3
COBB_OF_FIVE = 20.0
"""What a Cobb angle of so many degrees over five discs gives two of them is asked here."""


@cache
def upright() -> dict[Level, SampledBone]:
    return sampled_bones(Anatomy(), LOWER, STEP)


def moved(posture: Posture) -> dict[Level, SampledBone]:
    frames = standing_frames(Anatomy(posture=posture), LOWER)
    return {level: bone.at(frames[level]) for level, bone in upright().items()}


OTHERS: Mapping[str, Callable[[], dict[Level, SampledBone]]] = {
    "flexed": lambda: moved(Posture(flexion=80.0)),
    "extended": lambda: moved(Posture(extension=40.0)),
    "scoliotic": lambda: curved(upright(), 2 * COBB_OF_FIVE / 5),
    "small": lambda: {level: sized(bone, 0.9) for level, bone in upright().items()},
    "tall": lambda: {level: sized(bone, 1.1) for level, bone in upright().items()},
    "six": lambda: sampled_bones(Anatomy(levels=column(6)), ("L5", "L6", "S1"), STEP),
}
OFTEN = Random(4).sample(sorted(OTHERS), 3)


@pytest.mark.parametrize(
    "body", [name if name in OFTEN else pytest.param(name, marks=pytest.mark.many) for name in OTHERS]
)
def test_capsules_and_yellow_ligaments_join_two_bones_and_enter_none_in_other_bodies(body: str) -> None:
    bones = OTHERS[body]()
    spine = Spine(bones, {})
    for above, below in neighbours(bones):
        flavum = yellow_ligament(above, below, "right", spine)
        for made in (flavum, facet_capsule(above, below, "right", spine, [flavum.surface])):
            joined(made, bones[above], bones[below])


def joined(made: Structure, *bones: SampledBone) -> None:
    """Assert that a ligament is one closed body on each of two bones and in none."""
    shape = as_trimesh(made.surface)
    assert shape.is_watertight and shape.body_count == 1, made.name
    points = np.vstack([shape.vertices, shape.triangles_center])
    for bone in bones:
        away = bone.distance(points)
        assert away.min() > -DEEPEST, (made.name, bone.level)
        assert np.count_nonzero(away < 1.0) > 20, (made.name, bone.level)
