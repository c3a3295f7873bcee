"""Frames round-trip and compose; surfaces and landmarks never change under anyone's hand."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from spineviz.structure import Floats, Frame, Message, Surface, frozen
from spineviz.terms import (
    DISCS,
    LEVELS,
    ROOTS,
    Disc,
    column,
    discs_of,
    exiting_root,
    levels_of,
    roots_at,
    traversing_root,
)

ANGLE = st.floats(-180, 180)
LENGTH = st.floats(-500, 500)


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    turn = Rotation.from_euler("xyz", [draw(ANGLE), draw(ANGLE), draw(ANGLE)], degrees=True)
    return Frame(np.array([draw(LENGTH), draw(LENGTH), draw(LENGTH)]), turn.as_matrix())


@st.composite
def clouds(draw: st.DrawFn) -> Floats:
    rows = draw(st.lists(st.tuples(LENGTH, LENGTH, LENGTH), min_size=1, max_size=6))
    return np.array(rows)


def triangle() -> Surface:
    return Surface(
        np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]),
        np.array([[0, 1, 2]]),
        occlusion=np.array([0.2, 0.4, 0.6]),
        tint=np.array([0.0, 0.5, 1.0]),
        coordinates=np.array([[0.0, 1], [2, 3], [4, 5]]),
    )


@given(frames(), clouds())
def test_a_point_comes_back_from_a_frame_where_it_was(frame: Frame, points: Floats) -> None:
    assert np.allclose(frame.to_local(frame.to_parent(points)), points, atol=1e-9)
    assert np.allclose(frame.to_parent(frame.to_local(points)), points, atol=1e-9)


@given(frames(), frames(), clouds())
def test_two_frames_in_a_chain_carry_points_like_one(inner: Frame, outer: Frame, points: Floats) -> None:
    assert np.allclose(
        inner.then(outer).to_parent(points), outer.to_parent(inner.to_parent(points)), atol=1e-8
    )


@given(frames())
def test_normals_turn_with_a_surface_and_are_gone_where_it_changes(frame: Frame) -> None:
    lit = replace(triangle(), normals=np.eye(3))
    placed = lit.placed(frame).normals
    assert placed is not None and np.allclose(placed, frame.axes, atol=1e-6)
    assert lit.moved(2 * lit.vertices).normals is None


@given(frames(), frames(), frames())
def test_a_chain_of_frames_may_be_joined_in_any_order(a: Frame, b: Frame, c: Frame) -> None:
    first, second = a.then(b).then(c), a.then(b.then(c))
    assert np.allclose(first.matrix, second.matrix, atol=1e-8)


@given(frames(), clouds())
def test_a_frames_matrix_says_the_same_as_the_frame(frame: Frame, points: Floats) -> None:
    homogeneous = np.column_stack([points, np.ones(len(points))])
    assert np.allclose((homogeneous @ frame.matrix.T)[:, :3], frame.to_parent(points), atol=1e-9)


@given(frames(), clouds())
def test_a_frame_keeps_lengths_and_hands(frame: Frame, points: Floats) -> None:
    assert np.linalg.det(frame.axes) == pytest.approx(1)
    carried = frame.to_parent(points)
    assert np.allclose(
        np.linalg.norm(carried - carried[0], axis=1), np.linalg.norm(points - points[0], axis=1)
    )


@given(frames())
def test_a_frames_directions_are_where_its_unit_points_go(frame: Frame) -> None:
    right, anterior, superior = frame.to_parent(np.eye(3)) - frame.origin
    assert np.allclose(right, frame.right, atol=1e-9)
    assert np.allclose(anterior, frame.anterior, atol=1e-9)
    assert np.allclose(superior, frame.superior, atol=1e-9)


def test_a_frame_takes_one_point_and_many() -> None:
    frame = Frame(np.array([1.0, 2, 3]))
    assert frame.to_parent(np.zeros(3)).shape == (3,)
    assert frame.to_parent(np.zeros((4, 5, 3))).shape == (4, 5, 3)


def test_the_world_is_the_frame_that_changes_nothing() -> None:
    assert np.array_equal(Frame().matrix, np.eye(4))


@pytest.mark.parametrize("name", ["vertices", "faces", "occlusion", "tint", "coordinates"])
def test_no_array_of_a_surface_can_be_written(name: str) -> None:
    with pytest.raises(ValueError, match="read-only"):
        getattr(triangle(), name)[0] = 9
    with pytest.raises(FrozenInstanceError):
        setattr(triangle(), name, None)


def test_no_array_of_a_frame_can_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        Frame().origin[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        Frame().axes[0, 0] = 1


def test_a_surface_from_the_cache_cannot_be_written_either() -> None:
    kept = pickle.loads(pickle.dumps(triangle(), protocol=5))
    with pytest.raises(ValueError, match="read-only"):
        kept.vertices[0] = 9


def test_freezing_leaves_the_callers_own_array_writable() -> None:
    own = np.zeros(3)
    assert not frozen(own, np.float64).flags.writeable
    own[0] = 1.0
    assert own.flags.writeable


@pytest.mark.parametrize("part", [slice(None), slice(0, 4), slice(2, None)])
@pytest.mark.parametrize("locked", [False, True])
def test_nobody_can_change_what_is_frozen_by_another_name_for_it(part: slice, locked: bool) -> None:
    own = np.zeros((6, 3), dtype=np.float32)
    lent = own[part]
    lent.flags.writeable = not locked
    kept = frozen(lent, np.float32)
    own[:] = 1.0
    assert not kept.any()


def test_what_is_frozen_already_is_not_copied() -> None:
    kept = frozen(np.zeros((6, 3)), np.float32)
    assert frozen(kept, np.float32) is kept
    assert np.shares_memory(frozen(kept[:2], np.float32), kept)


def test_a_surface_keeps_its_paint_when_it_moves() -> None:
    frame = Frame(np.array([0.0, 0, 7]), Rotation.from_euler("z", 90, degrees=True).as_matrix().T)
    rest, moved = triangle(), triangle().placed(frame)
    assert moved.vertices == pytest.approx(np.array([[0.0, 0, 7], [0, 1, 7], [-1, 0, 7]]), abs=1e-6)
    for name in ("faces", "occlusion", "tint", "coordinates"):
        assert np.array_equal(getattr(moved, name), getattr(rest, name))


def test_a_surface_is_stored_small_and_contiguous() -> None:
    surface = Surface(np.zeros((4, 3))[::-1], np.zeros((2, 3), dtype=np.int64))
    assert surface.vertices.dtype == np.float32 and surface.faces.dtype == np.int32
    assert surface.vertices.flags.c_contiguous
    assert surface.occlusion is None and surface.tint is None and surface.coordinates is None


def test_a_message_can_be_compared_and_hashed() -> None:
    message = Message("view.line", (("level", "L4–L5"), ("side", "@side.left")))
    assert message == Message("view.line", (("level", "L4–L5"), ("side", "@side.left")))
    assert len({message, Message("view.line")}) == 2


@pytest.mark.parametrize("disc", DISCS)
def test_a_disc_lies_between_two_levels_and_two_roots(disc: str) -> None:
    named = next(item for item in DISCS if item == disc)
    above, below = levels_of(named)
    assert f"{above}-{below}" == disc
    assert LEVELS.index(below) - LEVELS.index(above) in (1, 2), "L6 may be passed over"
    assert (exiting_root(named), traversing_root(named)) == roots_at(named)


# The roots at every disc, written out: the nerve that leaves there, and the one that passes behind it.
# fmt: off
LEAVING = {
    "C2-C3": "C3", "C3-C4": "C4", "C4-C5": "C5", "C5-C6": "C6", "C6-C7": "C7", "C7-T1": "C8",
    "T1-T2": "T1", "T2-T3": "T2", "T3-T4": "T3", "T4-T5": "T4", "T5-T6": "T5", "T6-T7": "T6", "T7-T8": "T7",
    "T8-T9": "T8", "T9-T10": "T9", "T10-T11": "T10", "T11-T12": "T11", "T12-L1": "T12",
    "L1-L2": "L1", "L2-L3": "L2", "L3-L4": "L3", "L4-L5": "L4", "L5-S1": "L5", "L5-L6": "L5", "L6-S1": "L6",
}
PASSING = {
    "L1-L2": "L2", "L2-L3": "L3", "L3-L4": "L4", "L4-L5": "L5", "L5-S1": "S1", "L5-L6": "L6", "L6-S1": "S1",
}
# fmt: on


@pytest.mark.parametrize("disc", DISCS)
def test_nerves_leave_above_their_vertebra_in_the_neck_and_below_it_from_t1_on(disc: Disc) -> None:
    assert roots_at(disc) == (LEAVING[disc], PASSING.get(disc))


def test_every_disc_of_the_usual_spine_is_told_and_no_two_have_the_same_exiting_root() -> None:
    usual = discs_of(column())
    assert len(usual) == 23
    assert len({exiting_root(disc) for disc in usual}) == 23


def test_there_are_31_pairs_of_spinal_nerves() -> None:
    usual = [root for root in ROOTS if root != "L6"]
    assert len(usual) == 31 and usual[7] == "C8" and usual[-1] == "Co1"
