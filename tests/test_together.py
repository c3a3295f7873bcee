"""Two operations are shown beside each other, one over the other, or one after the other."""

from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spineviz import scene
from spineviz.assembly import fingerprint
from spineviz.model import Camera, Figure, Inset, Look, Message, Pane, State
from spineviz.render.arrangement import arrange
from spineviz.timeline import Step, Timeline, in_turn, timeline
from spineviz.together import GLASS, shown_together

CAMERA = Camera((0, 0, 0), (0, -1, 0), (0, 0, 1), 200.0)
PANES = tuple(
    Pane({"skin": Look(), "L4": Look()}, CAMERA, heading=Message(name)) for name in ("small", "open")
)
SHARED = [Step("orientation", Message("problem"), 2.0)]


def opened(pane: Pane, progress: float, width: float) -> Pane:
    return pane.with_look("skin", Look(warp=("cut", (width * progress,))))


TRACKS = [
    [
        Step("access", Message("cut"), 3.0, (partial(opened, width=18.0),)),
        Step("closure", Message("close"), 1.0),
    ],
    [Step("access", Message("cut"), 5.0, (partial(opened, width=30.0),))],
]


def one_after_the_other() -> Timeline:
    return in_turn(State(PANES, "twin"), SHARED, TRACKS)


def test_one_operation_follows_the_other_at_its_own_pace() -> None:
    play = one_after_the_other()
    assert play.turns == (2.0, 6.0) and play.seconds == 11.0
    assert play.starts == (0.0, 2.0, 5.0, 6.0)


@given(st.floats(-1.0, 12.0))
def test_an_operation_rests_while_the_other_has_its_turn(second: float) -> None:
    small, wide = one_after_the_other().at(second).panes
    if second <= 6.0:
        assert wide.looks == PANES[1].looks
    if second >= 6.0:
        assert small.looks["skin"].warp == ("cut", (18.0,))


def test_both_end_as_they_do_beside_each_other() -> None:
    beside = timeline(State(PANES, "twin"), [[*SHARED, *track] for track in TRACKS])
    play = one_after_the_other()
    ends = [[pane.looks for pane in item.at(item.seconds).panes] for item in (beside, play)]
    assert ends[0] == ends[1]


def test_only_the_pane_whose_turn_it_is_is_seen() -> None:
    play = one_after_the_other()
    for second, heading in ((1.0, None), (2.0, "small"), (5.9, "small"), (6.0, "open"), (11.0, "open")):
        (pane,) = shown_together(play.at(second), "in_turn", play).panes
        assert pane.heading == (heading and Message(heading)), second


def test_glass_is_only_what_looks_otherwise_in_the_second_operation() -> None:
    play = timeline(State(PANES, "twin"), [[*SHARED, *track] for track in TRACKS])
    told = play.at(3.0)
    inset = Inset(CAMERA, Message("down"), {"L4": Look(variant="window")})
    told = replace(told, panes=tuple(replace(pane, inset=inset) for pane in told.panes))
    shown = shown_together(told, "overlay", play)
    first, second = shown.panes
    assert shown.layout == "overlay" and first.looks == told.panes[0].looks
    assert not second.looks["L4"].visible
    assert second.looks["skin"] == replace(told.panes[1].looks["skin"], opacity=GLASS)
    assert second.within is not None and told.panes[1].within is not None
    assert second.within.looks == told.panes[1].within.looks, "what the surgeon sees is no glass"
    assert first.inset and second.inset and (first.inset.corner, second.inset.corner) == ("left", "right")


def test_beside_each_other_nothing_is_changed() -> None:
    play = timeline(State(PANES, "twin"), [[*SHARED, *track] for track in TRACKS])
    assert shown_together(play.at(3.0), "beside", play) == play.at(3.0)


def test_words_of_panes_that_lie_over_each_other_stand_side_by_side() -> None:
    figures = (Figure(Message("length"), 18.0, "mm"),)
    panes = tuple(replace(pane, strip=figures, caption=Message("cut")) for pane in PANES)
    arranged = arrange(State(panes, "overlay"), (1280, 720))
    assert arranged.panes[0] == arranged.panes[1]
    for left, right in (arranged.words, arranged.strips):
        assert left.right <= right.left and left.width == right.width and right.right == 1280


def test_one_operation_alone_is_not_shown_together() -> None:
    twin = scene.load("herniation_l4l5")
    with pytest.raises(ValueError, match="two operations"):
        scene.Scene.model_validate({**dict(twin), "approaches": twin.approaches[:1], "together": "overlay"})


def test_how_they_are_shown_changes_no_mesh() -> None:
    twin = scene.load("herniation_l4l5")
    assert fingerprint(twin.model_copy(update={"together": "in_turn"})) == fingerprint(twin)
