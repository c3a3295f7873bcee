"""The whole column: every bone sound, in its natural curve, clear of its neighbours, in any posture."""

from __future__ import annotations

import csv
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import cKDTree

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.column.posture import Movement, Posture, range_of_motion
from spineviz.anatomy.morphometry.calipers import measured
from spineviz.body import Anatomy
from spineviz.body.kinds import kind_of
from spineviz.body.skeleton import bones as make_bones
from spineviz.body.skeleton import standing_frames
from spineviz.geometry import as_trimesh, surface_distance
from spineviz.structure import Frame
from spineviz.terms import Level, discs_of, region_of
from spineviz.terms import column as levels_from_above

COLUMN = levels_from_above()
MEETING = tuple(pair for pair in pairwise(COLUMN))


def lean(frame: Frame) -> float:
    """How far a frame leans to posterior, degrees."""
    return float(np.degrees(np.arctan2(-frame.superior[1], frame.superior[2])))


def test_a_column_has_twenty_six_bones_from_the_atlas_to_the_coccyx(column: dict[Level, LevelBone]) -> None:
    assert tuple(column) == COLUMN
    assert len(column) == 26


@pytest.mark.parametrize("level", COLUMN)
def test_every_bone_is_one_closed_body_the_same_left_and_right(
    column: dict[Level, LevelBone], level: Level
) -> None:
    made = as_trimesh(column[level].surface)
    assert made.is_watertight and made.is_winding_consistent and made.body_count == 1
    assert made.volume > 0
    holes = {"cervical": -4, "thoracic": 0, "lumbar": 0}[region_of(level)]
    if level not in ("S1", "Co1"):
        assert made.euler_number == holes
    vertices = column[level].surface.vertices
    assert cKDTree(vertices).query(vertices * [-1, 1, 1])[0].max() < 1e-3


@pytest.mark.parametrize("pair", MEETING)
def test_neighbours_keep_a_joint_space(column: dict[Level, LevelBone], pair: tuple[Level, Level]) -> None:
    upper, lower = (column[level].surface for level in pair)
    low, high = lower.vertices.min(axis=0) - 8, lower.vertices.max(axis=0) + 8
    near = ((upper.vertices > low) & (upper.vertices < high)).all(axis=1)
    assert surface_distance(lower)(upper.vertices[near]).min() >= 0.75


def test_the_column_stands_in_three_curves_of_published_size(column: dict[Level, LevelBone]) -> None:
    def between(upper: str, lower: str) -> float:
        (one, first), (other, last) = (name.split("/") for name in (upper, lower))
        above, below = (level for level in COLUMN if level in (one, other))
        return lean(column[above].landmarks[first]) - lean(column[below].landmarks[last])

    assert between("L1/endplate.superior", "S1/endplate.superior") == pytest.approx(51, abs=3)
    assert between("T4/endplate.superior", "T12/endplate.inferior") == pytest.approx(-36, abs=3)
    assert between("C2/endplate.inferior", "C7/endplate.inferior") == pytest.approx(10, abs=3)


def test_the_bones_stand_one_above_the_other(column: dict[Level, LevelBone]) -> None:
    heights = [column[level].frame.origin[2] for level in COLUMN]
    assert heights == sorted(heights, reverse=True)


@pytest.mark.parametrize(
    ("posture", "movement"),
    [
        (Posture(flexion=40), "flexion"),
        (Posture(extension=25), "extension"),
        (Posture(lateral_bend=30), "lateral_bend"),
        (Posture(rotation=-30), "rotation"),
    ],
)
def test_a_posture_is_shared_out_by_the_ranges_of_motion(posture: Posture, movement: Movement) -> None:
    levels: tuple[Level, ...] = ("L3", "L4", "L5", "S1")
    neutral, bent = (standing_frames(Anatomy(posture=chosen), levels) for chosen in (Posture(), posture))
    whole = sum(range_of_motion(pair, movement) for pair in pairwise(COLUMN))
    asked = abs(getattr(posture, movement))
    for above, below in pairwise(levels):
        turned = [(frames[above].axes @ frames[below].axes.T) for frames in (neutral, bent)]
        angle = np.degrees(np.arccos(np.clip((np.trace(turned[0] @ turned[1].T) - 1) / 2, -1, 1)))
        assert angle == pytest.approx(asked * range_of_motion((above, below), movement) / whole, abs=0.2)


def test_signs_of_a_posture_are_the_patients_own() -> None:
    levels: tuple[Level, ...] = ("L3", "S1")
    forward = standing_frames(Anatomy(posture=Posture(flexion=60)), levels)["L3"]
    neutral = standing_frames(Anatomy(), levels)["L3"]
    right = standing_frames(Anatomy(posture=Posture(lateral_bend=40)), levels)["L3"]
    turned = standing_frames(Anatomy(posture=Posture(rotation=40)), levels)["L3"]
    assert forward.superior[1] > neutral.superior[1]
    assert right.superior[0] > 0.05
    assert turned.anterior[0] > 0


def test_more_than_the_range_of_motion_is_refused() -> None:
    with pytest.raises(ValueError, match="flexion of 500 degrees: this column has a range of"):
        standing_frames(Anatomy(posture=Posture(flexion=500)), ["L5", "S1"])


def test_a_single_measure_can_be_asked_for() -> None:
    shape = Anatomy(vertebrae={"L4": {"canal_depth": 12.0}}).shape("L4")
    kind = kind_of("L4")
    found = measured(kind.solid(shape).field, kind.landmarks(shape), only=("canal_depth",))
    assert found["canal_depth"] == pytest.approx(12.0, abs=0.5)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"L4": {"canal_depth": 90.0}}, "L4: canal_depth of 90 mm is not human; the allowed range is"),
        ({"L4": {"beauty": 1.0}}, "L4: 'beauty' cannot be changed"),
        ({"S1": {"canal_depth": 60.0}}, "S1: canal_depth of 60 mm is not human; the allowed range is 8 to"),
        ({"S1": {"beauty": 1.0}}, "S1: 'beauty' cannot be changed"),
        ({"Co1": {"length": 90.0}}, "Co1: length of 90 mm is not human; the allowed range is 25 to 60 mm"),
        ({"Co1": {"width": 9.0}}, "Co1: 'width' cannot be changed; choose of: length"),
        ({"L6": {"canal_depth": 12.0}}, "there is no bone 'L6' in this column"),
    ],
)
def test_impossible_measures_are_refused_with_the_range(
    wanted: dict[Level, dict[str, float]], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        Anatomy(vertebrae=dict(wanted))


def test_a_sixth_lumbar_vertebra_stands_between_the_fifth_and_the_sacrum() -> None:
    six = Anatomy(levels=levels_from_above(6))
    assert "L5-L6" in six.discs and "L6-S1" in six.discs and "L5-S1" not in six.discs
    assert six.shape("L6") == Anatomy().shape("L5")
    made = standing_frames(six, ["L5", "L6", "S1"])
    assert made["L5"].origin[2] > made["L6"].origin[2] > made["S1"].origin[2]


def test_a_sacralised_l5_meets_the_ala_and_its_disc_is_low() -> None:
    joined, usual = Anatomy(sacralised=True), Anatomy()
    assert joined.discs["L5-S1"].height_middle < 0.7 * usual.discs["L5-S1"].height_middle
    made = make_bones(joined, ["L5", "S1"])
    lower, upper = made["S1"].surface, made["L5"].surface.vertices
    lateral = upper[np.abs(upper[:, 0]) > 32]
    assert 0.9 < surface_distance(lower)(lateral).min() < 4.0


def test_every_disc_of_a_column_has_a_height() -> None:
    assert set(Anatomy().discs) == set(discs_of(COLUMN))


REFERENCES = {
    "L3": ("clouthier", 0.45, 1.0), "L5": ("clouthier", 0.45, 1.0), "L1": ("remus", 0.9, 2.2),
    "C1": ("art", 1.2, 3.5), "C2": ("art", 1.0, 3.0), "C4": ("art", 0.9, 2.4), "C7": ("art", 0.9, 2.4),
    "T1": ("spl", 1.0, 2.8), "T3": ("spl", 1.0, 2.8), "T5": ("spl", 1.0, 2.8),
}  # fmt: skip


@pytest.mark.parametrize("level", REFERENCES)
def test_standing_bones_are_closer_to_real_ones_than_two_people_are(
    column: dict[Level, LevelBone], shared: Path, level: Level, monkeypatch: pytest.MonkeyPatch
) -> None:
    import trimesh

    monkeypatch.syspath_prepend(str(shared / "reference"))
    from fidelity import distance

    source, mean, p95 = REFERENCES[level]
    reference = trimesh.load(shared / "reference" / f"{source}_{level}.ply", force="mesh")
    found = distance(as_trimesh(column[level].surface), reference)
    assert found[0] <= mean and found[1] <= p95


def test_the_column_is_balanced_over_the_pelvis(column: dict[Level, LevelBone]) -> None:
    """Published: C7 less than 40 mm before the back of S1 (SRS-Schwab), T1 slope of 25 degrees, SD 8."""
    plate = column["S1"].landmarks["endplate.superior"]
    local = plate.to_local(column["S1"].surface.vertices)
    rim = local[(np.abs(local[:, 0]) < 1.5) & (np.abs(local[:, 2]) < 1.5) & (np.abs(local[:, 1]) < 25)]
    corner = plate.to_parent(rim[np.argmin(rim[:, 1])])
    c7 = column["C7"].landmarks
    centre = (c7["endplate.superior"].origin + c7["endplate.inferior"].origin) / 2
    assert 0 < (centre - corner)[1] < 40
    assert 25 - 8 < -lean(column["T1"].landmarks["endplate.superior"]) < 25 + 8


def test_the_sacral_slope_is_within_the_published_spread(shared: Path) -> None:
    rows = list(csv.DictReader((shared / "facts" / "alignment.csv").read_text("utf-8").splitlines()))
    published = next(row for row in rows if row["parameter"] == "SS")
    departure = abs(float(published["value"]) - Anatomy().sacral_slope)
    assert departure <= float(published["sd"]) + 1e-6
