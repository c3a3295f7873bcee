"""The stack of bones keeps the height and the wedge of every disc."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from spineviz.anatomy.column.alignment import endplates, inverse, sacral_frame, stacked, tilt
from spineviz.structure import Floats, Frame

ANGLE = st.floats(-180, 180)
LENGTH = st.floats(-80, 80)
HEIGHT = st.floats(3, 18)
WEDGE = st.floats(-10, 25)


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    turn = Rotation.from_euler("xyz", [draw(ANGLE), draw(ANGLE), draw(ANGLE)], degrees=True)
    return Frame(np.array([draw(LENGTH), draw(LENGTH), draw(LENGTH)]), turn.as_matrix())


def angle(first: Floats, second: Floats) -> float:
    return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(first, second)), first @ second)))


@given(frames(), frames(), HEIGHT, WEDGE)
def test_a_bone_stands_at_the_discs_height_and_wedge(
    below: Frame, inferior: Frame, height: float, wedge: float
) -> None:
    above = inferior.then(stacked(below, inferior, height, wedge))
    assert np.linalg.norm(above.origin - below.origin) == pytest.approx(height)
    assert angle(above.superior, below.superior) == pytest.approx(abs(wedge), abs=1e-5)
    assert above.right == pytest.approx(below.right, abs=1e-9)


@given(frames(), frames(), HEIGHT, st.floats(0.5, 25))
def test_a_wedge_opens_to_anterior(below: Frame, inferior: Frame, height: float, wedge: float) -> None:
    above = inferior.then(stacked(below, inferior, height, wedge))
    middle = (above.superior + below.superior) / np.linalg.norm(above.superior + below.superior)
    front, back = (
        (above.to_parent(np.array([0, y, 0])) - below.to_parent(np.array([0, y, 0]))) @ middle
        for y in (17.0, -17.0)
    )
    assert front > back
    assert (front + back) / 2 == pytest.approx(height)
    assert front - back == pytest.approx(4 * 17 * np.sin(np.radians(wedge / 2)))


@given(frames(), frames(), HEIGHT, WEDGE, st.floats(-12, 12))
def test_an_offset_slides_the_upper_bone_forward_and_keeps_height_and_wedge(
    below: Frame, inferior: Frame, height: float, wedge: float, offset: float
) -> None:
    straight = inferior.then(stacked(below, inferior, height, wedge))
    slid = inferior.then(stacked(below, inferior, height, wedge, offset))
    assert np.linalg.norm(slid.origin - straight.origin) == pytest.approx(abs(offset), abs=1e-9)
    assert slid.axes == pytest.approx(straight.axes)
    if offset > 0.01:
        assert (slid.origin - straight.origin) @ below.anterior > 0


@given(frames(), frames(), HEIGHT, WEDGE)
def test_a_stacked_bone_is_turned_and_not_stretched(
    below: Frame, inferior: Frame, height: float, wedge: float
) -> None:
    axes = stacked(below, inferior, height, wedge).axes
    assert axes @ axes.T == pytest.approx(np.eye(3), abs=1e-9)
    assert np.linalg.det(axes) == pytest.approx(1)


def test_wedges_add_up_to_the_lordosis() -> None:
    plate = Frame()
    top = plate
    for wedge in (13.0, 9.0, 7.0):
        top = stacked(top, plate, 11.0, wedge)
    assert angle(top.superior, plate.superior) == pytest.approx(29.0)
    assert top.superior[1] < 0


@given(frames())
def test_a_frame_and_its_inverse_undo_each_other(frame: Frame) -> None:
    assert inverse(frame).then(frame).matrix == pytest.approx(np.eye(4), abs=1e-9)
    assert frame.then(inverse(frame)).matrix == pytest.approx(np.eye(4), abs=1e-9)


@given(st.floats(-89, 89))
def test_a_positive_tilt_tips_the_top_forward(degrees: float) -> None:
    axes = tilt(degrees)
    assert np.linalg.det(axes) == pytest.approx(1)
    assert axes[2] == pytest.approx([0, np.sin(np.radians(degrees)), np.cos(np.radians(degrees))])
    assert tilt(degrees) @ tilt(-degrees) == pytest.approx(np.eye(3))


@given(st.floats(5, 75))
def test_the_sacral_slope_is_the_endplates_angle_to_the_horizontal(slope: float) -> None:
    frame = sacral_frame(slope)
    assert np.array_equal(frame.origin, [0, 0, 0])
    assert angle(frame.superior, np.array([0, 0, 1.0])) == pytest.approx(slope)
    assert frame.anterior[2] < 0, "the endplate slopes down to the front"


def test_a_vertebra_without_an_endplate_is_refused_by_name() -> None:
    plate = Frame()
    assert endplates({"endplate.superior": plate, "endplate.inferior": plate}, "L4") == (plate, plate)
    with pytest.raises(ValueError, match=r"^L4: the landmark 'endplate\.inferior' is needed"):
        endplates({"endplate.superior": plate}, "L4")
