"""A timeline depends on the second alone."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spineviz.model import Camera, Look, Message, Pane, State
from spineviz.timeline import Step, Timeline, during, eased, timeline
from spineviz.views import between

CAMERA = Camera((0, 0, 0), (0, -1, 0), (0, 0, 1), 200.0)
CLOSE = Camera((5, 0, 0), (-1, 0, 0), (0, 0, 1), 50.0)


def fade(pane: Pane, progress: float) -> Pane:
    return pane.with_look("skin", Look(opacity=1 - progress))


def turn(pane: Pane, progress: float) -> Pane:
    return pane.with_look("skin", replace(pane.looks["skin"], highlight=progress))


def twin() -> Timeline:
    pane = Pane({"skin": Look()}, CAMERA)
    first = [
        Step("orientation", Message("a"), 2.0, (fade,), CLOSE),
        Step("access", Message("b"), 1.0, (turn,)),
        Step("access", Message("c"), 1.0),
    ]
    second = [Step("orientation", Message("a"), 2.0), Step("access", Message("d"), 6.0)]
    return timeline(State((pane, pane), "twin"), [first, second])


@given(st.lists(st.floats(-1, 12), max_size=8))
def test_scrubbing_in_any_order_gives_the_same_states(seconds: list[float]) -> None:
    play = twin()
    once = {second: play.at(second) for second in sorted(seconds)}
    assert all(play.at(second) == once[second] for second in reversed(seconds))


def test_both_panes_are_always_in_the_same_phase() -> None:
    play = twin()
    for second in (0.5, 1.9, 2.1, 4.9, 7.9):
        phases = {next(m.step.phase for m in reversed(track) if m.start <= second) for track in play.tracks}
        assert len(phases) == 1


def test_a_phase_lasts_as_long_as_the_slowest_track_needs() -> None:
    play = twin()
    assert play.seconds == pytest.approx(8.0)
    assert play.starts == pytest.approx((0.0, 2.0, 5.0))


def test_a_finished_step_stays_finished() -> None:
    play = twin()
    assert play.at(7.0).panes[0].looks["skin"] == Look(opacity=0.0, highlight=1.0)
    assert play.at(100.0) == play.at(8.0)
    assert play.at(-3.0) == play.at(0.0)


def test_the_camera_travels_and_then_rests() -> None:
    play = twin()
    assert play.at(0.0).panes[0].camera == CAMERA
    assert play.at(1.5).panes[0].camera == play.at(2.0).panes[0].camera == CLOSE
    halfway = play.at(0.35).panes[0].camera
    assert 50 < halfway.height < 200


@given(st.floats(0, 1))
def test_easing_stays_between_start_and_end(progress: float) -> None:
    assert -1e-12 <= eased(progress) <= 1 + 1e-12
    assert eased(progress) + eased(1 - progress) == pytest.approx(1)


def test_an_action_can_run_within_a_part_of_its_step() -> None:
    pane = Pane({"skin": Look()}, CAMERA)
    late = during(fade, 0.5, 1.0)
    assert late(pane, 0.5).looks["skin"].opacity == 1
    assert late(pane, 0.75).looks["skin"].opacity == 0.5


def test_a_camera_path_keeps_unit_directions() -> None:
    halfway = between(CAMERA, CLOSE, 0.5)
    assert sum(value**2 for value in halfway.direction) == pytest.approx(1)
    assert halfway.height == pytest.approx(100)


def test_tracks_and_panes_must_match() -> None:
    pane = Pane({}, CAMERA)
    with pytest.raises(ValueError, match="2 panes need as many tracks"):
        timeline(State((pane, pane)), [[]])
