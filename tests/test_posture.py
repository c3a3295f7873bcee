"""The column in movement: bones keep clear of each other and the canal stays free."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from passage import sac_passes, sac_sizes
from quick import SampledBone, in_posture, overlap
from scipy.spatial.transform import Rotation

from spineviz.anatomy.column.alignment import joint_space
from spineviz.anatomy.column.posture import Posture, range_of_motion
from spineviz.body import Anatomy
from spineviz.body.skeleton import standing_frames
from spineviz.structure import Frame
from spineviz.terms import SIDES, Level
from spineviz.terms import column as levels_from_above

COLUMN = levels_from_above()
SEGMENTS = tuple(pairwise(COLUMN))

NORMAL = {
    "neutral": Posture(),
    "flexion": Posture(flexion=40),
    "extension": Posture(extension=25),
    "lateral bend": Posture(lateral_bend=30),
    "rotation": Posture(rotation=-30),
    "flexion with bend and rotation": Posture(flexion=40, lateral_bend=-20, rotation=20),
    "extension with bend and rotation": Posture(extension=25, lateral_bend=20, rotation=-20),
}
"""Movements of everyday life, in degrees of the whole column."""

FAR = {
    "flexion": Posture(flexion=150),
    "rotation": Posture(rotation=75),
    "lateral bend": Posture(lateral_bend=80),
    "extension": Posture(extension=52),
}
"""Flexion to its end, the others to half of their range."""

LEAST = 1.0
"""A common volume (mm³) under this is none."""


@pytest.fixture(scope="module")
def posed(sampled_column: dict[Level, SampledBone]) -> dict[str, dict[Level, SampledBone]]:
    return {name: in_posture(sampled_column, posture) for name, posture in NORMAL.items()}


@pytest.mark.parametrize("name", NORMAL)
def test_neighbours_do_not_intersect_in_everyday_postures(
    posed: dict[str, dict[Level, SampledBone]], name: str
) -> None:
    bones = posed[name]
    common = {pair: overlap(bones[pair[0]], bones[pair[1]]) for pair in SEGMENTS}
    assert {pair: volume for pair, volume in common.items() if volume > LEAST} == {}


@pytest.mark.parametrize("name", FAR)
def test_neighbours_do_not_intersect_far_into_a_movement(
    sampled_column: dict[Level, SampledBone], name: str
) -> None:
    bones = in_posture(sampled_column, FAR[name])
    common = {pair: overlap(bones[pair[0]], bones[pair[1]]) for pair in SEGMENTS}
    assert {pair: volume for pair, volume in common.items() if volume > LEAST} == {}


def test_two_bones_that_stand_in_each_other_have_a_common_volume(
    sampled_column: dict[Level, SampledBone],
) -> None:
    upper, lower = sampled_column["L3"], sampled_column["L4"]
    sunk = Frame(upper.frame.origin - [0.0, 0.0, 15.0], upper.frame.axes)
    assert overlap(upper.at(sunk), lower) > 1000.0


@pytest.mark.parametrize("name", NORMAL)
def test_joint_spaces_stay_within_range_in_everyday_postures(
    posed: dict[str, dict[Level, SampledBone]], name: str
) -> None:
    bones = posed[name]
    for upper, lower in SEGMENTS[1:-1]:
        gap = joint_space(upper, lower)
        for side in SIDES:
            facet = bones[lower].landmarks[f"facet.superior.{side}"]
            vertices = bones[lower].surface.vertices
            near = vertices[np.linalg.norm(vertices - facet.origin, axis=1) < 6.0]
            least = bones[upper].distance(near).min()
            assert 0.2 <= least <= gap + 2.5, (upper, lower, side)


@pytest.mark.parametrize("name", ["neutral", "flexion", "extension", "lateral bend"])
def test_the_sac_passes_through_the_whole_canal(
    posed: dict[str, dict[Level, SampledBone]], shared: Path, name: str
) -> None:
    assert sac_passes(posed[name], sac_sizes(shared / "facts")) == np.inf


def test_a_much_thicker_sac_is_stopped(sampled_column: dict[Level, SampledBone], shared: Path) -> None:
    sizes = {place: (1.5 * a, 1.5 * b) for place, (a, b) in sac_sizes(shared / "facts").items()}
    assert sac_passes(sampled_column, sizes) < np.inf


def movement_of(posture: Posture, upper: Level, lower: Level) -> tuple[float, float]:
    """How far one bone bends and turns to the right above the other, degrees."""
    still, now = (
        frames[upper].axes @ frames[lower].axes.T
        for frames in (standing_frames(Anatomy(posture=chosen)) for chosen in (Posture(), posture))
    )
    _, bend, turn = np.degrees(Rotation.from_matrix((still.T @ now).T).as_rotvec())
    return float(bend), float(-turn)


def test_a_neck_that_bends_turns_to_the_same_side_and_the_head_turns_back() -> None:
    bend, turn = movement_of(Posture(lateral_bend=60), "C3", "C4")
    assert turn == pytest.approx(0.6 * bend, abs=0.4)
    whole = sum(movement_of(Posture(lateral_bend=60), upper, lower)[1] for upper, lower in SEGMENTS[:6])
    assert abs(whole) < 1.0


def test_a_neck_that_turns_bends_to_the_same_side() -> None:
    bend, turn = movement_of(Posture(rotation=-60), "C5", "C6")
    assert turn < -1.0
    assert bend == pytest.approx(0.8 * turn, abs=0.4)


def test_the_lumbar_spine_bends_without_turning() -> None:
    bend, turn = movement_of(Posture(lateral_bend=60), "L3", "L4")
    assert bend > 1.0
    assert turn == pytest.approx(0.0, abs=0.2)


@pytest.mark.parametrize("movement", ["flexion", "extension", "lateral_bend", "rotation"])
def test_every_segment_above_the_sacrum_has_a_range_of_motion(movement: str) -> None:
    for segment in SEGMENTS[:-1]:
        assert range_of_motion(segment, movement) > 0  # type: ignore[arg-type]
