"""A tube finds the lamina at the upper lumbar levels, between articular processes beside a narrow window."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from spineviz.anatomy.bone import LevelBone
from spineviz.body.bake import shelf
from spineviz.body.stock import stock
from spineviz.measures import value
from spineviz.structure import Floats, Points
from spineviz.surgery.retraction import Terrain, dock
from spineviz.surgery.retraction.docking import disc_direction
from spineviz.surgery.retraction.terrain import terrain
from spineviz.surgery.window import laminotomy_windows
from spineviz.terms import UPPER_LUMBAR_DISCS, Disc, Level, levels_of

Bones = Mapping[Level, LevelBone]


@pytest.fixture(scope="module")
def bones() -> Bones:
    return stock(("L1", "L2", "L3"), shelf()).bones


@pytest.fixture(scope="module")
def ground(bones: Bones) -> Terrain:
    return terrain(bones)


def skin(points: Points) -> Floats:
    """A flat back 90 mm behind the sacrum's endplate."""
    return -(points[:, 1] + 90.0)


def cranial_of_the_disc(bones: Bones, disc: Disc, place: Floats) -> float:
    """How far (mm) a place lies cranial of the plane of a disc."""
    above, below = (bones[level].landmarks for level in levels_of(disc))
    middle = (above["endplate.inferior"].origin + below["endplate.superior"].origin) / 2
    direction = disc_direction(bones, disc)
    return float((place - middle) @ [0.0, -direction[2], direction[1]])


@pytest.mark.parametrize("diameter", [14.0, 18.0, 22.0])
@pytest.mark.parametrize("disc", UPPER_LUMBAR_DISCS)
def test_a_tube_reaches_the_lamina_medial_of_the_joint(
    disc: Disc, diameter: float, bones: Bones, ground: Terrain
) -> None:
    axis = dock(bones, disc, "left", skin, diameter=diameter, offset=15.0, ground=ground).axis
    joint = bones[levels_of(disc)[1]].landmarks["facet.superior.left"].origin[0]
    assert ground.height(axis.origin[None])[0] <= value("retraction.tube.docking.near_floor")
    assert joint - 1.0 < axis.origin[0] < 0.0
    assert -11.5 < cranial_of_the_disc(bones, disc, axis.origin) < 0.0


@pytest.mark.parametrize("disc", UPPER_LUMBAR_DISCS)
def test_the_window_in_the_lamina_lies_medial_of_the_articular_process(
    disc: Disc, bones: Bones, ground: Terrain
) -> None:
    bone = bones[levels_of(disc)[0]]
    axis = dock(bones, disc, "left", skin, offset=15.0, ground=ground).axis
    windows = laminotomy_windows(
        bone, axis, lamina=10.0, facet=4.0, reach=8.6, midline=3.0, stages=4
    )  # fmt: skip
    process = float(axis.to_local(bone.landmarks["facet.inferior.left"].origin)[0])
    curves = [window.curve() for window in windows]
    assert all(curve[:, 0].min() > process - 0.5 for curve in curves)
    assert np.ptp(curves[-1][:, 1]) > 8.0
    assert np.ptp(curves[-1][:, 0]) > 4.0
