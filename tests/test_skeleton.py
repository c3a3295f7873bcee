"""The bones stand on their discs, keep their joint spaces, and are the same left and right."""

from __future__ import annotations

import pickle
from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
from scipy.spatial import cKDTree

from spineviz import measures
from spineviz.anatomy.bone import LevelBone, sampled
from spineviz.body.build import BONE_TRIANGLES, lighter
from spineviz.body.parameters import Anatomy
from spineviz.geometry import as_trimesh, surface_distance, volume
from spineviz.structure import Floats, Surface
from spineviz.terms import LOWER_LUMBAR_DISCS as DISCS
from spineviz.terms import LOWER_LUMBAR_LEVELS as LEVELS
from spineviz.terms import SIDES, Level, levels_of

PAIRS = tuple(pairwise(LEVELS))


@pytest.fixture(scope="session")
def gaps(bones: dict[Level, LevelBone]) -> dict[tuple[Level, Level], Floats]:
    """The exact distance of each vertex of the upper bone from the lower one, where they are near."""
    return {pair: gap(bones[pair[0]].surface, bones[pair[1]].surface) for pair in PAIRS}


def gap(upper: Surface, lower: Surface) -> Floats:
    reach = np.array([8.0, 8.0, 8.0])
    low, high = lower.vertices.min(axis=0) - reach, lower.vertices.max(axis=0) + reach
    near = ((upper.vertices > low) & (upper.vertices < high)).all(axis=1)
    return surface_distance(lower)(upper.vertices[near])


def test_there_is_one_bone_a_level(bones: dict[Level, LevelBone]) -> None:
    assert tuple(bones) == LEVELS
    assert all(bone.level == level for level, bone in bones.items())


@pytest.mark.parametrize("level", LEVELS)
def test_a_bone_is_one_closed_body_with_its_outside_out(bones: dict[Level, LevelBone], level: Level) -> None:
    made = as_trimesh(bones[level].surface)
    assert made.is_watertight and made.is_winding_consistent
    assert made.body_count == 1
    assert made.volume > 25_000


@pytest.mark.parametrize("pair", PAIRS)
def test_neighbours_keep_the_joint_space(
    gaps: dict[tuple[Level, Level], Floats], pair: tuple[Level, Level]
) -> None:
    assert gaps[pair].min() >= 1.5


@pytest.mark.parametrize("pair", PAIRS)
def test_neighbours_meet_at_their_facets(
    bones: dict[Level, LevelBone], gaps: dict[tuple[Level, Level], Floats], pair: tuple[Level, Level]
) -> None:
    assert gaps[pair].min() <= float(measures.value("facet_joint.bone_to_bone_gap_lumbar")) + 1
    upper, lower = (bones[level] for level in pair)
    for side in SIDES:
        below = upper.landmarks[f"facet.inferior.{side}"]
        above = lower.landmarks[f"facet.superior.{side}"]
        assert np.linalg.norm(below.origin - above.origin) < 8
        assert below.anterior @ above.anterior < -0.5, "two articular surfaces face each other"


@pytest.mark.parametrize("pair", list(combinations(LEVELS, 2)))
def test_no_two_bones_intersect(bones: dict[Level, LevelBone], pair: tuple[Level, Level]) -> None:
    one, other = (bones[level] for level in pair)
    assert one.distance(other.surface.vertices).min() > 0
    assert other.distance(one.surface.vertices).min() > 0


@pytest.mark.parametrize("level", LEVELS)
def test_a_bone_is_the_same_left_and_right(bones: dict[Level, LevelBone], level: Level) -> None:
    vertices = bones[level].surface.vertices
    assert cKDTree(vertices).query(vertices * [-1, 1, 1])[0].max() < 1e-3


@pytest.mark.parametrize("level", LEVELS)
def test_landmarks_of_the_two_sides_mirror_each_other(bones: dict[Level, LevelBone], level: Level) -> None:
    marks = bones[level].landmarks
    left = [name for name in marks if name.endswith(".left")]
    assert left
    for name in left:
        one, other = marks[name].origin, marks[name.removesuffix("left") + "right"].origin
        assert one[0] < 0 < other[0]
        assert one * [-1, 1, 1] == pytest.approx(other, abs=0.01)


@pytest.mark.parametrize("level", LEVELS)
def test_every_landmark_is_a_right_handed_frame(bones: dict[Level, LevelBone], level: Level) -> None:
    for mark in bones[level].landmarks.values():
        assert mark.axes @ mark.axes.T == pytest.approx(np.eye(3), abs=1e-6)
        assert np.linalg.det(mark.axes) == pytest.approx(1)


@pytest.mark.parametrize("level", LEVELS)
def test_articular_landmarks_stand_on_the_bone_as_it_is(bones: dict[Level, LevelBone], level: Level) -> None:
    marks = [mark for name, mark in bones[level].landmarks.items() if name.startswith("facet")]
    assert np.abs(bones[level].distance(np.array([mark.origin for mark in marks]))).max() < 1.5


@pytest.mark.parametrize("disc", DISCS)
def test_every_disc_has_its_height_and_its_wedge(
    bones: dict[Level, LevelBone], healthy: Anatomy, disc: str
) -> None:
    name = next(item for item in DISCS if item == disc)
    above, below = levels_of(name)
    upper, lower = bones[above].landmarks["endplate.inferior"], bones[below].landmarks["endplate.superior"]
    middle = (upper.origin + lower.origin) / 2
    rise = (
        np.arange(0.0, 12.0, 0.02)[:, None]
        * (upper.origin - lower.origin)
        / np.linalg.norm(upper.origin - lower.origin)
    )
    free = [
        np.argmax(bone.distance(middle + way) < 0) * 0.02
        for bone, way in ((bones[above], rise), (bones[below], -rise))
    ]
    assert min(free) > 0
    assert sum(free) == pytest.approx(healthy.discs[name].height_middle, abs=0.4), "from floor to floor"
    cosine = float(np.clip(upper.superior @ lower.superior, -1, 1))
    assert np.degrees(np.arccos(cosine)) == pytest.approx(healthy.discs[name].wedge, abs=1e-3)
    assert upper.superior[1] < lower.superior[1], "the wedge opens to anterior"


def test_the_sacral_endplate_lies_at_the_origin_at_its_slope(
    bones: dict[Level, LevelBone], healthy: Anatomy
) -> None:
    plate = bones["S1"].landmarks["endplate.superior"]
    assert plate.origin == pytest.approx([0, 0, 0], abs=1e-9)
    assert np.degrees(np.arcsin(plate.superior[1])) == pytest.approx(healthy.sacral_slope)


def test_the_spine_rises_in_a_lordosis(bones: dict[Level, LevelBone]) -> None:
    heights = [bones[level].landmarks["endplate.superior"].origin[2] for level in LEVELS]
    assert heights == sorted(heights, reverse=True)
    tilts = [bones[level].landmarks["endplate.superior"].superior[1] for level in LEVELS]
    assert tilts == sorted(tilts)


def test_the_canal_runs_free_behind_the_discs(bones: dict[Level, LevelBone]) -> None:
    centres = np.array([bones[level].landmarks["canal"].origin for level in LEVELS])
    assert np.abs(centres[:, 0]).max() < 0.01
    for one, other in pairwise(centres):
        way = one + np.linspace(0, 1, 20)[:, None] * (other - one)
        assert min(bone.distance(way).min() for bone in bones.values()) > 4
    for disc in DISCS:
        above, _ = levels_of(disc)
        middle = bones[above].landmarks["endplate.inferior"].origin[1]
        assert bones[above].landmarks["canal"].origin[1] < middle - 10


@pytest.mark.parametrize("level", LEVELS)
def test_a_bones_distance_agrees_with_its_surface(bones: dict[Level, LevelBone], level: Level) -> None:
    bone = bones[level]
    vertices = bone.surface.vertices[::7]
    assert np.abs(bone.distance(vertices)).max() < 0.4
    assert np.abs(bone.distance(vertices)).mean() < 0.05
    nearby = vertices + np.random.default_rng(4).normal(0, 3, vertices.shape)
    exact = surface_distance(bone.surface)(nearby)
    clear = np.abs(exact) > 0.5
    assert np.mean((bone.distance(nearby) < 0)[clear] == (exact < 0)[clear]) > 0.999


@pytest.mark.parametrize("level", LEVELS)
def test_a_bone_comes_back_from_the_cache_with_the_distance_it_had_been_asked_for(
    bones: dict[Level, LevelBone], level: Level
) -> None:
    points = bones[level].surface.vertices[:50] + 2.0
    known = bones[level].distance(points)
    kept = pickle.loads(pickle.dumps(bones[level], protocol=5))
    assert np.array_equal(kept.distance(points), known)
    assert kept.grid is kept.exact


def test_a_bone_tells_much_the_same_where_it_was_not_asked_before_it_was_kept(
    bones: dict[Level, LevelBone],
) -> None:
    fresh = replace(bones["L4"], exact=sampled(bones["L4"].distance, bones["L4"].surface, mirror=True))
    kept = pickle.loads(pickle.dumps(fresh, protocol=5))
    points = bones["L4"].surface.vertices[::40] + np.float32(0.5)
    apart = np.abs(kept.distance(points) - bones["L4"].distance(points))
    assert apart.mean() < 0.05 and apart.max() < 0.6


@pytest.mark.parametrize("level", LEVELS)
def test_a_lighter_bone_is_still_the_same_closed_bone(bones: dict[Level, LevelBone], level: Level) -> None:
    whole = bones[level].surface
    light = lighter(whole, BONE_TRIANGLES[level])
    assert len(light.faces) <= BONE_TRIANGLES[level] < len(whole.faces)
    made = as_trimesh(light)
    assert made.is_watertight and made.body_count == 1
    assert volume(light) == pytest.approx(volume(whole), rel=0.005)
    assert np.abs(bones[level].distance(light.vertices)).max() < 0.6


def test_a_surface_with_few_triangles_is_left_as_it_is(bones: dict[Level, LevelBone]) -> None:
    surface = bones["L4"].surface
    assert lighter(surface, len(surface.faces)) is surface
