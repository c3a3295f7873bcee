"""Views are placed by the anatomy, and a posterior view shows the patient's right on the viewer's right."""

from __future__ import annotations

from functools import cache
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.column.alignment import sacral_frame, stacked, tilt
from spineviz.model import Camera
from spineviz.structure import Floats, Frame, Surface
from spineviz.terms import LOWER_LUMBAR_DISCS as DISCS
from spineviz.terms import LOWER_LUMBAR_LEVELS as LEVELS
from spineviz.terms import SIDES, SIGN, Disc, Level, Side
from spineviz.views import VIEWS, View, between, disc_frame, views

FROM_BEHIND: tuple[View, ...] = ("posterior", "oblique", "operative", "corridor", "close")
SURFACE = Surface(np.zeros((3, 3)), np.array([[0, 1, 2]]))


def bone(level: Level, frame: Frame) -> LevelBone:
    local = {
        "endplate.superior": Frame(np.array([0.0, 0, 14])),
        "endplate.inferior": Frame(np.array([0.0, 0, -14])),
        "canal": Frame(np.array([0.0, -27, 2])),
    }
    landmarks = {name: mark.then(frame) for name, mark in local.items()}
    return LevelBone(level, frame, landmarks, SURFACE, lambda points: np.zeros(len(points)))


@cache
def spine(slope: float = 40.0, wedge: float = 10.0) -> dict[Level, LevelBone]:
    below = sacral_frame(slope)
    made = {"S1": bone("S1", Frame(below.to_parent(np.array([0.0, 0, -14])), below.axes))}
    for level in reversed(LEVELS[:-1]):
        made[level] = bone(level, stacked(below, Frame(np.array([0.0, 0, -14])), 11.0, wedge))
        below = made[level].landmarks["endplate.superior"]
    return {level: made[level] for level in LEVELS}


def screen(camera: Camera, point: Floats) -> tuple[float, float]:
    """Return where a world point lies on the picture: mm to the right of and above its middle."""
    forward = -np.array(camera.direction)
    right = np.cross(forward, camera.up)
    right /= np.linalg.norm(right)
    way = np.asarray(point) - camera.focus
    return float(way @ right), float(way @ np.cross(right, forward))


@pytest.mark.parametrize("disc", DISCS)
@pytest.mark.parametrize("side", SIDES)
def test_every_named_view_is_a_camera_with_a_unit_direction_and_a_way_up(disc: Disc, side: Side) -> None:
    cameras = views(spine(), disc, side)
    assert set(cameras) == set(VIEWS)
    for camera in cameras.values():
        direction, up = np.array(camera.direction), np.array(camera.up)
        assert np.linalg.norm(direction) == pytest.approx(1)
        assert np.linalg.norm(up) == pytest.approx(1)
        assert abs(direction @ up) < 0.9
        assert camera.height > 0


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("view", FROM_BEHIND)
def test_from_behind_the_patients_right_is_on_the_viewers_right(view: View, side: Side) -> None:
    camera = views(spine(), "L4-L5", side)[view]
    right, left = (screen(camera, np.add(camera.focus, [x, 0, 0]))[0] for x in (10.0, -10.0))
    assert right > 0 > left
    assert camera.direction[1] < 0


def test_straight_from_behind_right_is_exactly_right_and_up_is_up() -> None:
    camera = views(spine(), "L4-L5", "left")["posterior"]
    assert screen(camera, np.add(camera.focus, [10.0, 0, 0])) == pytest.approx((10, 0))
    assert screen(camera, np.add(camera.focus, [0, 0, 10.0])) == pytest.approx((0, 10))


def test_from_the_front_the_patients_right_is_on_the_viewers_left() -> None:
    camera = views(spine(), "L4-L5", "left")["anterior"]
    assert screen(camera, np.add(camera.focus, [10.0, 0, 0]))[0] == pytest.approx(-10)


def test_from_above_anterior_is_up() -> None:
    camera = views(spine(), "L4-L5", "left")["superior"]
    assert screen(camera, np.add(camera.focus, [10.0, 0, 0]))[0] == pytest.approx(10)
    assert screen(camera, np.add(camera.focus, [0, 10.0, 0]))[1] > 8


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("view", ["oblique", "lateral", "operative", "corridor", "close"])
def test_a_view_looks_from_the_side_of_the_disease(view: View, side: Side) -> None:
    assert views(spine(), "L4-L5", side)[view].direction[0] * SIGN[side] > 0


@settings(max_examples=40)
@given(st.floats(15, 65), st.floats(0, 18), st.sampled_from(DISCS))
def test_left_and_right_are_mirror_images_on_a_symmetric_spine(
    slope: float, wedge: float, disc: Disc
) -> None:
    left, right = (views(spine(slope, wedge), disc, side) for side in SIDES)
    mirror = np.array([-1.0, 1, 1])
    for view in VIEWS:
        assert np.array(left[view].focus) == pytest.approx(mirror * right[view].focus)
        assert np.array(left[view].direction) == pytest.approx(mirror * right[view].direction)
        assert left[view].height == right[view].height


@settings(max_examples=40)
@given(st.floats(15, 65), st.floats(0, 18), st.sampled_from(DISCS), st.sampled_from(SIDES))
def test_every_view_holds_the_posterior_border_of_its_disc(
    slope: float, wedge: float, disc: Disc, side: Side
) -> None:
    bones = spine(slope, wedge)
    border = disc_frame(bones, disc).to_parent(np.array([0.0, -17, 0]))
    for camera in views(bones, disc, side).values():
        assert max(map(abs, screen(camera, border))) < camera.height / 2


@settings(max_examples=40)
@given(st.floats(15, 65), st.floats(0, 18), st.sampled_from(DISCS))
def test_a_discs_frame_lies_halfway_between_its_endplates(slope: float, wedge: float, disc: Disc) -> None:
    bones = spine(slope, wedge)
    above, below = (bones[level] for level in LEVELS if level in disc)
    frame = disc_frame(bones, disc)
    upper, lower = above.landmarks["endplate.inferior"], below.landmarks["endplate.superior"]
    assert frame.axes @ frame.axes.T == pytest.approx(np.eye(3), abs=1e-9)
    assert np.linalg.det(frame.axes) == pytest.approx(1)
    assert frame.to_local(upper.origin) == pytest.approx(-frame.to_local(lower.origin), abs=1e-9)
    assert frame.superior @ upper.superior == pytest.approx(frame.superior @ lower.superior)
    assert frame.superior @ upper.superior == pytest.approx(np.cos(np.radians(wedge / 2)))


def test_the_views_turn_with_a_spine_that_leans() -> None:
    upright, leaning = (views(spine(slope), "L5-S1", "left")["superior"] for slope in (20.0, 50.0))
    assert np.array(leaning.direction) == pytest.approx(np.array(upright.direction) @ tilt(30.0), abs=1e-9)


@pytest.mark.parametrize("pair", list(permutations(VIEWS, 2)), ids="-".join)
def test_the_camera_goes_from_any_view_to_any_other_and_never_through_the_body(
    pair: tuple[View, View],
) -> None:
    cameras = views(spine(), "L4-L5", "left")
    first, last = (cameras[view] for view in pair)
    way = [between(first, last, progress) for progress in np.linspace(0, 1, 21)]
    assert way[0] == first and way[-1] == last
    for one, other in pairwise(way):
        assert np.linalg.norm(other.direction) == pytest.approx(1)
        assert np.linalg.norm(np.cross(other.direction, other.up)) > 0.1
        assert np.dot(one.direction, other.direction) > np.cos(np.radians(40)), "the camera jumps"
