"""A model never changes; a look chooses variant, movement and place."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spineviz.model import HIDDEN, Camera, Cut, Label, Look, Message, Model, Pane, State
from spineviz.structure import Floats, Frame, Points, Structure, Surface

REST = Surface(np.eye(3), np.array([[0, 1, 2]]), tint=np.array([0.0, 0.5, 1.0]))
SLIT = Surface(np.vstack([np.eye(3), [[1.0, 1, 1]]]), np.array([[0, 1, 2], [0, 2, 3]]))
CAMERA = Camera((0, 0, 0), (0, -1, 0), (0, 0, 1), 200.0)
AMOUNT = st.floats(-50, 50)


class Widening:
    """Moves every vertex of the slit along x by the first amount."""

    def __call__(self, amounts: tuple[float, ...]) -> Points:
        return SLIT.vertices + np.array([amounts[0], 0, 0])


def model() -> Model:
    muscle = Structure("multifidus.left", "muscle", REST, "left", variants={"slit": SLIT})
    return Model({muscle.name: muscle}, {}, {}, {(muscle.name, "open"): Widening()})


def test_a_plain_look_shows_the_rest_shape() -> None:
    assert np.array_equal(model().vertices("multifidus.left", Look()), REST.vertices)
    assert model().surface("multifidus.left", HIDDEN) is model().structures["multifidus.left"].surface


def test_a_look_chooses_a_variant() -> None:
    shown = model().posed("multifidus.left", Look(variant="slit"))
    assert np.array_equal(shown.faces, SLIT.faces)


@given(AMOUNT)
def test_a_warp_moves_the_variant_it_was_made_for(amount: float) -> None:
    look = Look(variant="slit", warp=("open", (amount,)))
    moved = model().posed("multifidus.left", look)
    assert np.allclose(moved.vertices - SLIT.vertices, [amount, 0, 0], atol=1e-4)


@given(AMOUNT, AMOUNT, st.floats(-180, 180))
def test_a_matrix_places_what_the_warp_has_moved(amount: float, height: float, degrees: float) -> None:
    turn = np.radians(degrees)
    axes = np.array([[np.cos(turn), np.sin(turn), 0], [-np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    frame = Frame(np.array([0, 0, height]), axes)
    look = Look(variant="slit", warp=("open", (amount,)), matrix=tuple(frame.matrix.ravel()))
    expected = frame.to_parent(Widening()((amount,)))
    assert np.allclose(model().vertices("multifidus.left", look), expected, atol=1e-5)


def test_a_pose_keeps_the_paint() -> None:
    shown = model().posed("multifidus.left", Look(matrix=tuple(np.eye(4).ravel())))
    assert shown.tint is not None and REST.tint is not None
    assert np.array_equal(shown.tint, REST.tint)


def test_an_unknown_variant_or_warp_is_refused_by_name() -> None:
    with pytest.raises(KeyError, match=r"multifidus\.left: no variant 'torn'; there is: slit"):
        model().surface("multifidus.left", Look(variant="torn"))
    with pytest.raises(KeyError, match=r"multifidus\.left: no warp 'close'"):
        model().vertices("multifidus.left", Look(warp=("close", (1.0,))))


def test_posing_changes_nothing_in_the_model() -> None:
    kept = model()
    before = kept.structures["multifidus.left"].surface.vertices.copy()
    kept.posed("multifidus.left", Look(matrix=tuple(2 * np.eye(4).ravel())))
    assert np.array_equal(kept.structures["multifidus.left"].surface.vertices, before)


def test_exchanging_a_look_leaves_the_old_pane_as_it_was() -> None:
    pane = Pane({"skin": Look(), "L4": Look()}, CAMERA)
    faded = pane.with_look("skin", Look(opacity=0.3))
    assert pane.looks["skin"].opacity == 1 and faded.looks["skin"].opacity == 0.3
    assert faded.looks["L4"] is pane.looks["L4"]


def test_a_state_is_plain_data_compared_by_what_it_says() -> None:
    def state(opacity: float) -> State:
        pane = Pane(
            {"skin": Look(opacity=opacity)}, CAMERA, (Cut((0, 0, 0), (1, 0, 0)),), caption=Message("a")
        )
        return State((pane, pane), "twin", Message("title"))

    assert state(0.5) == state(0.5) != state(0.6)
    assert pickle.loads(pickle.dumps(state(0.5))) == state(0.5)
    with pytest.raises(FrozenInstanceError):
        setattr(state(0.5), "title", None)  # noqa: B010 - the type checker knows that it is frozen


def test_looks_labels_and_cameras_can_be_hashed() -> None:
    label = Label(Message("structure.L4"), (0, 0, 0))
    assert len({Look(), Look(), HIDDEN}) == 2
    assert len({CAMERA, label}) == 2


def test_the_distance_of_the_eye_follows_from_height_and_opening() -> None:
    distance: Floats = np.array(CAMERA.height / 2 / np.tan(np.radians(CAMERA.angle / 2)))
    assert 500 < distance < 600
