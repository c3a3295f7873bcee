"""Ligaments of other bodies and postures: bent, small, tall, and with a sixth lumbar vertebra."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from others import OTHERS
from quick import SampledBone

from spineviz.anatomy.ligament.capsule import facet_capsule
from spineviz.anatomy.ligament.spinal import neighbours
from spineviz.anatomy.ligament.yellow import yellow_ligament
from spineviz.anatomy.surroundings import Spine
from spineviz.geometry import as_trimesh
from spineviz.structure import Structure

DEEPEST = 0.3
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
