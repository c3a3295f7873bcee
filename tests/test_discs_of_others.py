"""Discs of other bodies and postures fill their spaces, enter no bone and are whole."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from others import OTHERS
from quick import SampledBone

from spineviz.anatomy.disc import annulus_field, disc_parameters, disc_recipes
from spineviz.anatomy.disc.space import disc_space
from spineviz.geometry import as_trimesh
from spineviz.terms import Disc, Level, column, discs_of, levels_of

OFTEN = Random(7).sample(sorted(OTHERS), 2)
STEP = 0.05
"""The height (mm) of the steps in which a gap is told."""

OPEN = 0.2
"""The widest gap, and the deepest overlap, mm."""


def columns(disc: Disc, bones: dict[Level, SampledBone]) -> list[np.ndarray]:
    """Return lines of points along the disc's normal, well within the rims."""
    space = disc_space(disc, bones)
    angle, share = (
        item.ravel() for item in np.meshgrid(np.arange(0, 2 * np.pi, 0.3), np.linspace(0.1, 0.9, 5))
    )
    radius = space.radius(angle, np.full(angle.size, 0.5)) * share
    local = np.stack([np.cos(angle) * radius, np.sin(angle) * radius, np.zeros(angle.size)], axis=1)
    rise = np.arange(-14.0, 14.0, STEP)[:, None] * space.frame.superior
    return [start + rise for start in space.frame.to_parent(local)]


@pytest.mark.parametrize(
    "body", [name if name in OFTEN else pytest.param(name, marks=pytest.mark.many) for name in OTHERS]
)
def test_discs_fill_their_spaces_and_enter_no_bone_in_other_bodies(body: str) -> None:
    bones = OTHERS[body]()
    shown = [level for level in column(6) if level in bones]
    discs = discs_of(shown)
    assert len(discs) == len(shown) - 1
    for disc in discs:
        field = annulus_field(disc_space(disc, bones), disc_parameters(disc))
        pair = [bones[level] for level in levels_of(disc)]
        for line in columns(disc, bones):
            free = np.min([bone.distance(line) for bone in pair], axis=0) > 0.0
            middle = len(line) // 2
            low, high = middle - np.argmax(~free[middle::-1]), middle + np.argmax(~free[middle:])
            assert np.count_nonzero(field(line[low + 1 : high]) >= 0.0) * STEP <= OPEN, disc
        for name, recipe in disc_recipes(disc, disc_parameters(disc), bones).items():
            made = as_trimesh(recipe.surface())
            assert made.is_watertight and made.body_count == 1, name
            assert min(bone.distance(made.vertices).min() for bone in pair) > -OPEN, name
