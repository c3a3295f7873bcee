"""The shipped operation on the real model, looked at over its whole length."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spineviz import directing, scene
from spineviz.annotation import annotated
from spineviz.assembly import Assembly
from spineviz.geometry import volume
from spineviz.model import Pane, State
from spineviz.scene import Scene
from spineviz.timeline import Timeline

MOMENTS = [share / 20 for share in range(21)]
MUSCLES = tuple(
    f"{name}.{side}" for name in ("multifidus", "longissimus", "iliocostalis") for side in ("left", "right")
)
INTO_BONE = 0.35
"""How far (mm) muscle may enter bone while it is held aside."""


@pytest.fixture(scope="module")
def shipped() -> Scene:
    return scene.load("herniation_l4l5")


@pytest.fixture(scope="module")
def timeline(shipped: Scene, assembled: Assembly) -> Timeline:
    return directing.direct(shipped, assembled)


@pytest.fixture(scope="module")
def states(timeline: Timeline) -> list[State]:
    return [timeline.at(share * timeline.seconds) for share in MOMENTS]


def panes(states: list[State]) -> list[Pane]:
    return [pane for state in states for pane in state.panes]


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("muscles", [("multifidus",), ("longissimus", "iliocostalis")])
def test_moving_muscle_keeps_its_volume(
    muscles: tuple[str, ...], side: str, assembled: Assembly, states: list[State]
) -> None:
    """Erector spinae, which longissimus and iliocostalis are, gives way as one."""
    model, names = assembled.model, [f"{muscle}.{side}" for muscle in muscles]
    built = sum(volume(model.structures[name].surface) for name in names)
    for pane in panes(states):
        rest = sum(volume(model.surface(name, pane.looks[name])) for name in names)
        now = sum(volume(model.posed(name, pane.looks[name])) for name in names)
        assert now == pytest.approx(rest, rel=0.03)
        assert now == pytest.approx(built, rel=0.04)


@pytest.mark.parametrize("name", MUSCLES)
def test_muscle_never_enters_bone(name: str, assembled: Assembly, states: list[State]) -> None:
    for pane in panes(states):
        vertices = assembled.model.vertices(name, pane.looks[name])
        nearest = min(float(bone.distance(vertices).min()) for bone in assembled.model.bones.values())
        assert nearest > -INTO_BONE


def test_the_measured_strip_is_zero_before_the_first_cut(
    shipped: Scene, assembled: Assembly, timeline: Timeline
) -> None:
    first = next(m.start for m in timeline.tracks[0] if m.step.phase == "incision")
    for second in (0.0, first / 2, first):
        for pane in annotated(shipped, assembled, timeline.at(second)).panes:
            assert [figure.value for figure in pane.strip] == [0.0] * 5


def test_the_two_approaches_measure_differently_in_the_same_order(
    shipped: Scene, assembled: Assembly, timeline: Timeline
) -> None:
    held = next(m.end for m in timeline.tracks[0] if m.step.phase == "retractor")
    tube, opened = (pane.strip for pane in annotated(shipped, assembled, timeline.at(held)).panes)
    assert [(a.name.key.rpartition(".")[2], a.unit) for a in tube] == [
        (b.name.key.rpartition(".")[2], b.unit) for b in opened
    ]
    assert all(a.value < b.value for a, b in zip(tube[:4], opened[:4], strict=True))


def test_both_panes_share_one_camera_and_one_phase(timeline: Timeline, states: list[State]) -> None:
    for state in states:
        first, second = (pane.camera for pane in state.panes)
        for name in ("focus", "direction", "up", "height", "angle"):
            assert getattr(first, name) == pytest.approx(getattr(second, name), abs=1e-9)
    assert [m.step.phase for m in timeline.tracks[1]] == sorted(
        (m.step.phase for m in timeline.tracks[1]), key=[m.step.phase for m in timeline.tracks[0]].index
    )


def test_at_the_end_the_fragment_is_gone_and_all_tissue_is_back(
    assembled: Assembly, timeline: Timeline
) -> None:
    for pane in timeline.at(timeline.seconds).panes:
        assert not pane.looks["herniation.L4-L5"].visible
        assert not any(look.visible for name, look in pane.looks.items() if name.startswith("instrument"))
        for name in MUSCLES:
            rest = assembled.model.structures[name].surface.vertices
            assert np.array_equal(assembled.model.vertices(name, pane.looks[name]), rest)
        compression, retraction = pane.looks["root.L5.left"].warp[1]
        assert (compression, retraction) == (0.0, 0.0)


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_scrubbing_backwards_equals_forwards(timeline: Timeline, data: st.DataObject) -> None:
    seconds = data.draw(st.lists(st.floats(0, timeline.seconds), min_size=2, max_size=4))
    once = {second: timeline.at(second) for second in sorted(seconds)}
    assert all(timeline.at(second) == once[second] for second in reversed(seconds))


def test_every_caption_stands_in_the_catalog(timeline: Timeline) -> None:
    from spineviz.locale import text

    assert all(text(m.step.title) for track in timeline.tracks for m in track)
