"""What the surgeon sees, down the tube or through the middle of the wound, of the same moment."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from operated import CAMERAS, KINDS, body, film, model, prepared, span

import spineviz
from spineviz import scene
from spineviz.annotation import ledger_chart
from spineviz.assembly import Assembly, fingerprint
from spineviz.cuts import cut_open
from spineviz.directing import direct
from spineviz.layers import layer_of
from spineviz.locale import text
from spineviz.model import Cut, Inset, Pane, State
from spineviz.render.arrangement import arrange
from spineviz.render.projection import eye
from spineviz.structure import Floats
from spineviz.surgery.eye import Sight, sight, watched
from spineviz.timeline import Timeline, timeline
from spineviz.viewer import Choices, adjusted
from spineviz.viewer.picking import pick
from spineviz.views import camera_axes


@cache
def seen() -> Timeline:
    """Both operations beside each other, with what the surgeon sees."""
    tracks = []
    for kind in KINDS:
        made = prepared(kind)
        tracks.append(watched(made.steps(CAMERAS), made.story.site, made.ledger.incision))
    return timeline(film().initial, tracks)


def pane(kind: str, second: float) -> Pane:
    return seen().at(second).panes[KINDS.index(kind)]


def inset(kind: str, second: float) -> Inset:
    found = pane(kind, second).inset
    assert found is not None
    return found


def working(kind: str) -> float:
    """A second at which the bone is being opened."""
    start, end = span(kind, "laminotomy")
    return (start + end) / 2


def tube(second: float) -> tuple[Floats, Floats]:
    """Where the tube's end stands, and its axis out of the body, in the world."""
    name = prepared("tubular").story.site.tools["tube"].name
    placed = np.reshape(pane("tubular", second).looks[name].matrix, (4, 4))
    return placed[:3, 3], placed[:3, 2]


def met(kind: str, second: float, across: float = 0.0, up: float = 0.0) -> str | None:
    """What the eye sees at a place of its picture, given in mm at its focus."""
    shown = pane(kind, second).within
    assert shown is not None
    place = np.array(shown.camera.focus) + camera_axes(shown.camera).T @ np.array([across, up, 0.0])
    start = eye(shown.camera)
    return pick(model(), State((shown,)), 0, tuple(start), tuple(place - start))


def test_the_eye_lies_on_the_axis_of_the_tube_and_looks_at_its_end() -> None:
    camera = inset("tubular", working("tubular")).camera
    end, axis = tube(working("tubular"))
    away = eye(camera) - end
    assert np.linalg.norm(away - (away @ axis) * axis) < 1e-6
    assert away @ axis == pytest.approx(300.0)
    assert np.linalg.norm(np.array(camera.focus) - end) < 1e-6
    assert camera.up[2] > 0.8, "what is cranial lies upwards"


def test_the_eye_follows_a_tube_that_is_tilted() -> None:
    second = working("tubular")
    shown, name = pane("tubular", second), prepared("tubular").story.site.tools["tube"].name
    turned = np.reshape(shown.looks[name].matrix, (4, 4)).copy()
    turn = np.radians(20.0)
    turned[:3, :3] = (
        np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
        @ turned[:3, :3]
    )
    tilted = shown.with_look(name, replace(shown.looks[name], matrix=tuple(turned.ravel())))
    made = prepared("tubular")
    camera = sight(made.story.site, made.ledger.incision).camera(tilted)
    assert np.allclose(camera.direction, turned[:3, 2])


def test_an_angled_optic_turns_the_line_of_sight_cranially_from_the_axis() -> None:
    made = prepared("tubular")
    straight = sight(made.story.site, made.ledger.incision)
    angled: Sight = replace(straight, optic=30.0)
    shown = pane("tubular", working("tubular"))
    first, second = straight.camera(shown), angled.camera(shown)
    assert np.degrees(np.arccos(np.dot(first.direction, second.direction))) == pytest.approx(30.0)
    assert np.dot(second.direction, first.up) < 0, "it looks up from below"
    assert np.dot(second.direction, second.up) == pytest.approx(0.0, abs=1e-9)


def test_the_eye_looks_through_the_middle_of_the_open_wound() -> None:
    site, camera = prepared("open").story.site, inset("open", working("open")).camera
    top = site.world(site.top) - np.array(camera.focus)
    assert np.allclose(top / np.linalg.norm(top), camera.direction)
    assert np.allclose(camera.focus, site.world(site.focus))


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_seen_before_the_way_stands_open_and_after_it_is_left(kind: str) -> None:
    start, end = span(kind, "retractor")
    _, last = span(kind, "closure")
    for second in (0.0, start, (start + end) / 2, last, seen().seconds):
        assert pane(kind, second).inset is None
    assert inset(kind, end).strength == 1.0


@pytest.mark.parametrize("kind", KINDS)
def test_the_eye_opens_and_closes_without_a_jump(kind: str) -> None:
    for phase, ends in (("retractor", [0.0, 1.0]), ("closure", [1.0, 0.0])):
        found = (pane(kind, float(second)).inset for second in np.arange(*span(kind, phase), 0.1))
        strengths = [item.strength if item else 0.0 for item in found]
        assert [strengths[0], round(strengths[-1])] == ends
        assert np.abs(np.diff(strengths)).max() < 0.5


def test_the_eye_closes_before_the_tube_is_drawn() -> None:
    start, end = span("tubular", "closure")
    rest, _ = tube(start)
    for second in np.linspace(start, end, 40):
        if pane("tubular", float(second)).inset is not None:
            assert np.allclose(tube(float(second))[0], rest)


@pytest.mark.parametrize("kind", KINDS)
def test_scrubbing_backwards_shows_the_same_inset(kind: str) -> None:
    seconds = [float(second) for second in np.linspace(*span(kind, "flavum"), 7)]
    forward = [inset(kind, second) for second in seconds]
    assert [inset(kind, second) for second in reversed(seconds)][::-1] == forward


def test_bone_and_ligament_are_seen_through_the_tube_and_its_wall_around_them() -> None:
    second = span("tubular", "retractor")[1]
    seen_there = {met("tubular", second, x, y) for x in (-6.0, 0.0, 6.0) for y in (-6.0, 0.0, 6.0)}
    assert "L4" in seen_there
    assert seen_there <= {"L4", "L5", "flavum.L4-L5.left", "flavum.L4-L5.right"}
    name = prepared("tubular").story.site.tools["tube"].name
    rim = 0.47 * inset("tubular", second).camera.height
    assert {met("tubular", second, x, y) for x, y in ((rim, 0), (-rim, 0), (0, rim), (0, -rim))} == {name}


def test_the_lamina_is_seen_in_the_depth_of_the_open_wound_and_its_lips_around_it() -> None:
    second = span("open", "retractor")[1]
    assert met("open", second) in ("L4", "L5", "flavum.L4-L5.left")
    edge = 0.48 * inset("open", second).camera.height
    corners = [(edge * np.cos(turn), edge * np.sin(turn)) for turn in np.radians([50, 130, 230, 310])]
    assert "skin" in {met("open", second, x, y) for x, y in corners}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_glass_to_the_eye_and_nothing_glows(kind: str) -> None:
    for second in (working(kind), sum(span(kind, "fragment")) / 2):
        shown = pane(kind, second).within
        assert shown is not None
        assert not any(look.highlight for look in shown.looks.values())
        standing = [name for name in body().structures if layer_of(name) in ("bones", "muscles")]
        assert {shown.looks[name].opacity for name in standing} == {1.0}


def test_a_layer_that_the_user_hides_is_hidden_from_the_eye_too() -> None:
    state = seen().at(working("open"))
    chosen = adjusted(state, Choices(hidden_layers=frozenset({"bones"})))
    for item in chosen.panes:
        assert item.within is not None
        assert not any(look.visible for name, look in item.within.looks.items() if layer_of(name) == "bones")


def test_a_pane_that_is_cut_open_has_no_inset() -> None:
    cut = Cut((0.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    assert cut_open(pane("open", working("open")), (cut,)).inset is None


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (640, 360)])
def test_an_inset_is_large_and_stays_in_its_pane_off_the_middle(size: tuple[int, int]) -> None:
    state = seen().at(working("open"))
    arranged = arrange(replace(state, title=state.panes[0].caption), size)
    for box, inner in zip(arranged.panes, arranged.insets, strict=True):
        assert inner is not None
        assert inner.height >= 0.22 * box.height
        assert box.left < inner.left and inner.right < box.right and box.top < inner.top
        assert inner.left > box.left + box.width / 2, "the left side is operated on"
        assert inner.bottom < box.top + box.height / 2


def test_where_the_right_side_is_operated_on_an_inset_lies_on_the_left_below_the_heading() -> None:
    state = seen().at(working("open"))
    panes = [
        replace(item, heading=item.caption, inset=replace(item.inset, corner="left"))
        for item in state.panes
        if item.inset is not None
    ]
    arranged = arrange(replace(state, panes=tuple(panes)), (1280, 720))
    for box, inner in zip(arranged.panes, arranged.insets, strict=True):
        assert inner is not None
        assert box.left < inner.left and inner.right < box.left + box.width / 2
        assert inner.top >= box.top + 40


def test_a_scene_shows_the_inset_and_the_ledger_as_it_is_told() -> None:
    told = spineviz.load("herniation_l4l5")
    assert told.scene.inset and not told.scene.ledger
    changed = told.with_extras(inset=False, ledger=True).scene
    assert changed.ledger and not changed.inset
    assert fingerprint(changed) == fingerprint(told.scene), "its meshes are the same"
    assert told.with_extras().scene == told.scene
    assert not told.with_extras(ledger=True).sliced().scene.ledger


def test_without_an_operation_there_is_no_ledger_to_plot() -> None:
    with pytest.raises(ValueError, match="the scene has none; add an approach"):
        spineviz.load("lumbar_l3s1").with_extras(ledger=True)


def test_without_insets_the_film_is_the_same_otherwise(assembled: Assembly) -> None:
    shipped = scene.load("herniation_l4l5")
    plain = direct(shipped.model_copy(update={"inset": False}), assembled)
    shown = direct(shipped, assembled)
    for second in (12.0, 40.0):
        state = shown.at(second)
        assert all((item.inset is not None) == (second > 30.0) for item in state.panes)
        bare = tuple(replace(item, inset=None) for item in state.panes)
        assert replace(state, panes=bare) == plain.at(second)


def test_the_ledger_over_time_is_computed_once_and_kept(
    assembled: Assembly, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = scene.load("herniation_l4l5")
    timeline = direct(shipped, assembled)
    first = ledger_chart(shipped, assembled, timeline)
    monkeypatch.setattr("spineviz.annotation.charted", lambda *_: pytest.fail("computed again"))
    assert ledger_chart(shipped, assembled, timeline) == first


def test_both_captions_have_words() -> None:
    captions = {text(inset(kind, working(kind)).caption) for kind in KINDS}
    assert captions == {"Down the tube", "Into the wound"}
