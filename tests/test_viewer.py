"""The session without a window: playhead, choices, identification, moves of the camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from spineviz.anatomy.bone import LevelBone
from spineviz.layers import LAYERS, structure_title
from spineviz.locale import text
from spineviz.model import Camera, Cut, Label, Look, Message, Model, Pane, State
from spineviz.structure import Frame, Structure, Surface
from spineviz.terms import Tissue
from spineviz.timeline import Step, timeline
from spineviz.viewer import (
    Choices,
    CutName,
    Viewer,
    adjusted,
    cut_planes,
    pick,
    visible_layers,
)
from spineviz.viewer.navigation import eye, orbited, panned, ray, zoomed
from spineviz.views import between, camera_axes, seen_from

BEHIND = Camera((0.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, 1.0), 100.0)
VIEWS = {
    "posterior": BEHIND,
    "anterior": replace(BEHIND, direction=(0.0, 1.0, 0.0)),
    "superior": replace(BEHIND, direction=(0.0, 0.0, 1.0), up=(0.0, 1.0, 0.0), height=60.0),
}
BALLS: dict[str, tuple[Tissue, float, float]] = {
    "L4": ("bone", 0.0, 10.0),
    "disc.L4-L5": ("annulus", 0.0, 4.0),
    "herniation.L4-L5": ("fragment", -20.0, 4.0),
    "flavum.L4-L5.left": ("ligament", -26.0, 1.0),
    "supraspinous_ligament": ("ligament", -44.0, 1.0),
    "multifidus.left": ("muscle", -35.0, 5.0),
    "skin": ("skin", -60.0, 8.0),
    "instrument.tubular.retractor": ("instrument", -90.0, 3.0),
}
"""Balls one behind the other: tissue, y and radius in mm."""


def ball(y: float, radius: float) -> Surface:
    mesh = trimesh.creation.icosphere(2, radius)
    return Surface(mesh.vertices + np.array([0, y, 0]), mesh.faces)


def faded(pane: Pane, progress: float, names: tuple[str, ...]) -> Pane:
    looks = {name: replace(pane.looks[name], opacity=1 - progress) for name in names}
    return replace(pane, looks={**pane.looks, **looks})


def resected(pane: Pane, progress: float) -> Pane:
    return pane.with_look("flavum.L4-L5.left", Look(visible=progress < 0.5))


def pushed(pane: Pane, progress: float) -> Pane:
    moved = np.eye(4)
    moved[0, 3] = 30 * progress
    return pane.with_look("herniation.L4-L5", Look(matrix=tuple(moved.ravel())))


def session(panes: int = 2, glide: float = 0.0) -> Viewer:
    structures = {
        name: Structure(name, tissue, ball(y, radius)) for name, (tissue, y, radius) in BALLS.items()
    }
    pane = Pane(
        {name: Look() for name in structures},
        BEHIND,
        labels=(
            Label(structure_title("L4"), (0.0, -10.0, 0.0)),
            Label(structure_title("skin"), (0.0, -68.0, 0.0)),
        ),
    )
    word = Message("disclaimer")
    line = Message("view.line", (("level", "L4–L5"), ("side", "@side.left"), ("view", "@direction.behind")))
    steps = (
        Step("orientation", word, 4.0, (partial(faded, names=("skin", "multifidus.left")),)),
        Step("flavum", word, 2.0, (resected,)),
        Step("fragment", word, 4.0, (pushed,), VIEWS["anterior"]),
    )
    state = State((pane,) * panes, "twin" if panes == 2 else "one", view=line)
    cuts: dict[CutName, Cut] = {
        "axial": Cut((0.0, 0.0, 0.0), (0.0, 0.0, 1.0)),
        "sagittal": Cut((0.0, 0.0, 0.0), (-1.0, 0.0, 0.0)),
    }
    return Viewer(Model(structures, {}, {}), timeline(state, (steps,) * panes), VIEWS, cuts, glide=glide)


def seen_at(viewer: Viewer, second: float) -> State:
    viewer.scrub(second)
    return viewer.state


def test_scrubbing_backwards_equals_forwards() -> None:
    viewer = session()
    seconds = np.linspace(0, viewer.timeline.seconds, 23)
    forwards = [seen_at(viewer, second) for second in seconds]
    backwards = [seen_at(viewer, second) for second in seconds[::-1]]
    assert forwards == backwards[::-1]


def test_the_playhead_stays_on_the_timeline() -> None:
    viewer = session()
    viewer.scrub(-3)
    assert viewer.playhead == 0
    viewer.scrub(1e6)
    assert viewer.playhead == viewer.timeline.seconds


def test_playing_ends_at_the_end_and_starts_over_from_there() -> None:
    viewer = session()
    viewer.play()
    for _ in range(200):
        viewer.tick(0.1)
    assert viewer.playhead == viewer.timeline.seconds
    assert not viewer.playing
    viewer.play()
    assert viewer.playhead == 0


def test_double_speed_takes_half_the_time() -> None:
    viewer = session()
    viewer.set_speed(2.0)
    viewer.play()
    viewer.tick(1.0)
    assert viewer.playhead == pytest.approx(2.0)
    with pytest.raises(ValueError, match="above 0"):
        viewer.set_speed(0.0)


def test_a_paused_session_does_not_move() -> None:
    viewer = session()
    viewer.tick(5.0)
    assert viewer.playhead == 0


def test_stepping_goes_to_the_starts_of_steps() -> None:
    viewer = session()
    assert viewer.timeline.starts == (0.0, 4.0, 6.0)
    viewer.forward()
    assert viewer.playhead == 4.0
    assert viewer.step == 1
    viewer.forward()
    viewer.forward()
    assert viewer.playhead == viewer.timeline.seconds
    viewer.back()
    assert viewer.playhead == 6.0
    viewer.scrub(5.0)
    viewer.back()
    assert viewer.playhead == 4.0
    viewer.back()
    viewer.back()
    assert viewer.playhead == 0


def test_stepping_back_while_it_plays_gets_past_a_step_that_has_just_begun() -> None:
    viewer = session()
    viewer.scrub(4.0)
    viewer.play()
    viewer.tick(0.2)
    viewer.back()
    assert viewer.playhead == 0.0


def test_hiding_a_layer_survives_stepping_in_both_panes() -> None:
    viewer = session()
    viewer.toggle_layer("bones")
    viewer.forward()
    viewer.forward()
    assert all(not pane.looks["L4"].visible for pane in viewer.state.panes)
    assert "bones" not in visible_layers(viewer.state)


def test_a_layer_that_the_timeline_hides_is_brought_back() -> None:
    viewer = session()
    viewer.scrub(5.0)
    assert "muscles" not in visible_layers(viewer.state)
    viewer.toggle_layer("muscles")
    assert viewer.state.panes[0].looks["multifidus.left"] == Look()
    assert viewer.state.panes[0].looks["skin"].opacity == 0
    viewer.toggle_layer("muscles")
    assert "muscles" not in visible_layers(viewer.state)


def test_a_layer_brought_back_does_not_bring_a_resected_piece_back() -> None:
    viewer = session()
    viewer.scrub(10.0)
    viewer.choices = replace(viewer.choices, shown_layers=frozenset({"ligaments"}))
    looks = viewer.state.panes[0].looks
    assert not looks["flavum.L4-L5.left"].visible
    assert looks["supraspinous_ligament"].visible


def test_a_layer_brought_back_does_not_blink_while_the_timeline_fades_it() -> None:
    viewer = session()
    viewer.choices = replace(viewer.choices, shown_layers=frozenset({"skin"}))
    opacities = [seen_at(viewer, second).panes[0].looks["skin"].opacity for second in np.linspace(0, 5, 40)]
    assert opacities == [1.0] * 40


def test_an_unknown_layer_view_or_structure_is_refused_with_what_there_is() -> None:
    viewer = session()
    with pytest.raises(ValueError, match="skin, fat"):
        viewer.toggle_layer("organs")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="posterior, anterior"):
        viewer.choose_view("sideways")
    with pytest.raises(ValueError, match="no structure 'L9'"):
        viewer.select("L9")


def test_undo_restores_and_redo_repeats() -> None:
    viewer = session()
    before = viewer.state
    viewer.toggle_layer("bones")
    viewer.choose_view("anterior")
    viewer.choose_cut("axial")
    after = viewer.state
    for _ in range(3):
        viewer.undo()
    assert viewer.state == before
    viewer.undo()
    assert viewer.state == before
    for _ in range(4):
        viewer.redo()
    assert viewer.state == after


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(("layer", "hide", "select", "view", "cut", "labels", "all")), max_size=12))
def test_undoing_everything_ends_where_it_began(acts: list[str]) -> None:
    viewer = session(panes=1)
    for number, act in enumerate(acts):
        answers: dict[str, Callable[[], None]] = {
            "layer": partial(viewer.toggle_layer, LAYERS[number % len(LAYERS)]),
            "hide": partial(viewer.hide, "L4"),
            "select": partial(viewer.select, "skin"),
            "view": partial(viewer.choose_view, "superior"),
            "cut": partial(viewer.choose_cut, "sagittal"),
            "labels": viewer.toggle_labels,
            "all": viewer.show_all,
        }
        answers[act]()
    while viewer.can_undo:
        viewer.undo()
    assert viewer.choices == Choices()


def test_a_drag_of_many_moves_is_undone_at_once() -> None:
    viewer = session()
    for move in range(10):
        viewer.look_from(orbited(viewer.camera, 3.0, 1.0), same_gesture=move > 0)
    viewer.undo()
    assert viewer.camera == BEHIND
    assert not viewer.can_undo


def test_scrubbing_is_not_undone() -> None:
    viewer = session()
    viewer.toggle_layer("bones")
    viewer.scrub(5.0)
    viewer.undo()
    assert viewer.playhead == 5.0


def test_both_panes_share_the_camera() -> None:
    viewer = session()
    viewer.look_from(orbited(viewer.camera, 20.0, 10.0))
    first, second = viewer.state.panes
    assert first.camera == second.camera != BEHIND
    viewer.scrub(9.0)
    assert viewer.state.panes[0].camera == first.camera


def test_a_chosen_view_is_named_and_gives_way_to_the_scene_again() -> None:
    viewer = session()
    viewer.choose_view("superior")
    assert viewer.view == "superior"
    assert viewer.camera == VIEWS["superior"]
    viewer.look_from(orbited(viewer.camera, 5.0, 0.0))
    assert viewer.view is None
    viewer.choose_view(None)
    assert viewer.camera == BEHIND


def test_the_camera_glides_to_a_view_and_never_jumps() -> None:
    viewer = session(glide=0.5)
    viewer.choose_view("anterior")
    assert viewer.moving
    directions = [viewer.camera.direction]
    for _ in range(60):
        viewer.tick(0.01)
        directions.append(viewer.camera.direction)
    steps = np.linalg.norm(np.diff(directions, axis=0), axis=1)
    assert directions[0] == pytest.approx(BEHIND.direction)
    assert steps.max() < 0.15
    assert viewer.camera == VIEWS["anterior"]
    assert not viewer.moving


def test_the_picture_says_where_a_chosen_camera_looks_from() -> None:
    viewer = session()
    assert viewer.state.view is not None
    assert text(viewer.state.view).endswith("seen from behind")
    viewer.choose_view("superior")
    assert text(viewer.state.view).endswith("seen from above")


def test_the_selected_structure_is_highlighted_and_named() -> None:
    viewer = session()
    viewer.select("herniation.L4-L5")
    for pane in viewer.state.panes:
        assert pane.looks["herniation.L4-L5"].highlight == 1.0
        assert structure_title("herniation.L4-L5") in [label.text for label in pane.labels]
    viewer.hide("herniation.L4-L5")
    assert viewer.choices.selected is None


def test_every_structure_has_a_full_name() -> None:
    assert text(structure_title("instrument.tubular_microdiscectomy.dilator.3")) == "Dilator"
    assert text(structure_title("instrument.tubular_microdiscectomy.gadget")) == "Instrument"
    assert text(structure_title("root.L4.right")) == "L4 nerve root, right"
    assert text(structure_title("flavum.L4-L5.left")) == "Ligamentum flavum L4–L5, left"
    assert text(structure_title("S1")) == "Sacrum"


def test_labels_go_with_what_they_name() -> None:
    viewer = session()
    viewer.toggle_layer("skin")
    assert [label.text for label in viewer.state.panes[0].labels] == [structure_title("L4")]
    viewer.toggle_labels()
    assert viewer.state.panes[0].labels == ()


def test_a_cut_takes_the_labels_of_what_it_takes_away() -> None:
    viewer = session()
    cut = Cut((0.0, -40.0, 0.0), (0.0, -1.0, 0.0))
    state = adjusted(viewer.told, Choices(cut=cut))
    assert state.panes[0].cuts == (cut,)
    assert [label.text for label in state.panes[0].labels] == [structure_title("L4")]


def test_no_choice_changes_nothing() -> None:
    viewer = session()
    assert adjusted(viewer.told, Choices()) == viewer.told


def test_annotation_is_made_once_for_a_second_and_its_words_are_kept() -> None:
    calls: list[State] = []

    def annotate(state: State) -> State:
        calls.append(state)
        return replace(state, title=Message("disclaimer"))

    viewer = replace(session(), annotate=annotate)
    viewer.toggle_layer("bones")
    assert viewer.state.title == viewer.state.title == Message("disclaimer")
    assert len(calls) == 1


def test_each_change_is_announced() -> None:
    viewer = session()
    heard: list[str] = []
    viewer.changed.append(lambda: heard.append("changed"))
    acts = (viewer.play, viewer.forward, viewer.toggle_labels, viewer.undo, partial(viewer.tick, 0.1))
    for act in acts:
        act()
    assert len(heard) == 5


def test_the_nearest_visible_structure_is_picked() -> None:
    viewer = session(panes=1)
    away, forwards = (0.0, -200.0, 0.0), (0.0, 1.0, 0.0)
    order = []
    while (found := pick(viewer.model, viewer.state, 0, away, forwards)) is not None:
        order.append(found)
        viewer.hide(found)
    assert order == sorted(BALLS, key=lambda name: BALLS[name][1] - BALLS[name][2])


def test_nothing_is_picked_beside_everything() -> None:
    viewer = session()
    assert pick(viewer.model, viewer.state, 0, (0.0, -200.0, 50.0), (0.0, 1.0, 0.0)) is None
    assert pick(viewer.model, viewer.state, 0, (0.0, -200.0, 0.0), (0.0, -1.0, 0.0)) is None


def test_a_ghost_is_picked_only_where_nothing_solid_lies_behind_it() -> None:
    viewer = session()
    looks = {"skin": Look(opacity=0.2), "L4": Look()}
    state = State((Pane(looks, BEHIND),))
    assert pick(viewer.model, state, 0, (0.0, -200.0, 0.0), (0.0, 1.0, 0.0)) == "L4"
    assert pick(viewer.model, state, 0, (0.0, -60.0, 100.0), (0.0, 0.0, -1.0)) == "skin"


def test_what_a_cut_has_taken_away_is_not_picked() -> None:
    viewer = session()
    pane = Pane({"skin": Look(), "L4": Look()}, BEHIND, (Cut((0.0, -30.0, 0.0), (0.0, -1.0, 0.0)),))
    assert pick(viewer.model, State((pane,)), 0, (0.0, -200.0, 0.0), (0.0, 1.0, 0.0)) == "L4"


def test_on_a_cut_face_the_structure_is_picked_whose_inside_is_seen() -> None:
    viewer = session()
    looks = {"skin": Look(), "L4": Look(), "disc.L4-L5": Look()}
    start, way = (0.0, -200.0, 6.0), (0.0, 1.0, 0.0)

    def picked(*cuts: Cut) -> str | None:
        return pick(viewer.model, State((Pane(looks, BEHIND, cuts),)), 0, start, way)

    through_skin, through_bone = (Cut((0.0, y, 0.0), (0.0, -1.0, 0.0)) for y in (-60.0, 0.0))
    assert picked(through_skin) == "skin", "its inside is in the plane"
    assert picked(through_bone) == "L4", "beside the disc in its middle"
    assert picked(replace(through_skin, structures=frozenset({"L4"}))) == "skin"
    aside = replace(through_bone, structures=frozenset({"skin", "L4"}))
    assert picked(aside, Cut((0.0, 0.0, 4.0), (0.0, 0.0, 1.0))) is None


def test_a_cut_is_moved_along_its_normal_keeps_its_name_and_is_undone() -> None:
    viewer = session()
    viewer.move_cut(2.0)
    assert viewer.choices.cut is None and not viewer.can_undo
    viewer.choose_cut("axial")
    viewer.move_cut(2.0)
    viewer.move_cut(3.0, same_gesture=True)
    assert viewer.cut == "axial"
    assert viewer.state.panes[0].cuts[-1].origin == pytest.approx((0.0, 0.0, 5.0))
    viewer.undo()
    assert viewer.state.panes[0].cuts[-1].origin == pytest.approx((0.0, 0.0, 0.0))


def test_the_name_of_what_is_selected_lies_on_its_cut_face() -> None:
    viewer = session()
    viewer.choose_cut("axial")
    viewer.look_from(replace(BEHIND, direction=(0.0, 0.0, 1.0), up=(0.0, 1.0, 0.0)))
    viewer.select("L4")
    (label,) = (item for item in viewer.state.panes[0].labels if item.text == structure_title("L4"))
    viewer.toggle_labels()
    (label,) = (item for item in viewer.state.panes[0].labels if item.text == structure_title("L4"))
    assert label.anchor[2] == pytest.approx(0.0, abs=1e-6)


def test_a_moved_structure_is_picked_where_it_is_now() -> None:
    viewer = session()
    viewer.scrub(viewer.timeline.seconds)
    start, way = (30.0, -20.0, 50.0), (0.0, 0.0, -1.0)
    assert pick(viewer.model, viewer.state, 1, start, way) == "herniation.L4-L5"
    assert pick(viewer.model, viewer.state, 1, (0.0, -20.0, 50.0), way) is None


def test_the_ray_through_the_middle_leads_from_the_eye_to_the_focus() -> None:
    camera = orbited(replace(BEHIND, focus=(3.0, -4.0, 5.0)), 25.0, 15.0)
    start, way = ray(camera, 0.0, 0.0)
    assert start == pytest.approx(tuple(eye(camera)))
    reached = np.array(start) + np.linalg.norm(np.array(start) - camera.focus) * np.array(way)
    assert reached == pytest.approx(np.array(camera.focus))


def test_the_ray_through_the_upper_border_passes_half_the_height_above_the_focus() -> None:
    start, way = np.array(ray(BEHIND, 0.0, 1.0))
    assert (start + way * (-start[1] / way[1]))[2] == pytest.approx(50.0)


angles = st.floats(-170, 170)


@given(angles, angles)
def test_turning_keeps_distance_and_right_angles(across: float, up: float) -> None:
    camera = orbited(BEHIND, across, up)
    axes = camera_axes(camera)
    assert np.allclose(axes @ axes.T, np.eye(3))
    assert (camera.focus, camera.height) == (BEHIND.focus, BEHIND.height)


@given(angles, st.floats(-80, 80))
def test_turning_keeps_the_horizon_level(across: float, up: float) -> None:
    assert camera_axes(orbited(BEHIND, across, up))[0][2] == pytest.approx(0.0, abs=1e-9)


def test_dragging_to_the_right_shows_more_of_the_left_side() -> None:
    assert orbited(BEHIND, 30.0, 0.0).direction[0] < 0
    assert orbited(BEHIND, 0.0, 30.0).direction[2] < 0


def test_zooming_keeps_the_place_under_the_pointer() -> None:
    camera = zoomed(BEHIND, 2.0, 0.5, -0.25)
    assert camera.height == 50.0
    right, up, _ = camera_axes(camera)
    before = np.array(BEHIND.focus) + 50 * (0.5 * right - 0.25 * up)
    after = np.array(camera.focus) + 25 * (0.5 * right - 0.25 * up)
    assert after == pytest.approx(before)


def test_zooming_ends_before_the_body_is_lost() -> None:
    assert zoomed(BEHIND, 1e9).height > 1
    assert zoomed(BEHIND, 1e-9).height < 1e4


def test_moving_sideways_carries_the_body_with_the_pointer() -> None:
    assert panned(BEHIND, 1.0, 0.0).focus == pytest.approx((-50.0, 0.0, 0.0))


@given(st.floats(0, 1))
def test_the_way_between_opposite_views_leads_around_the_body(progress: float) -> None:
    camera = between(VIEWS["posterior"], VIEWS["anterior"], progress)
    assert np.linalg.norm(camera.direction) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("direction", "words"),
    [
        ((0.0, -1.0, 0.0), "behind"),
        ((-0.6, -0.8, 0.1), "behind_left"),
        ((0.9, 0.1, 0.1), "right"),
        ((0.5, 0.0, 0.9), "right_above"),
        ((0.0, 0.7, -0.7), "front_below"),
    ],
)
def test_directions_are_said_from_the_patients_side(
    direction: tuple[float, float, float], words: str
) -> None:
    message = seen_from(replace(BEHIND, direction=direction))
    assert message == Message(f"direction.{words}")
    assert text(message).startswith("seen from")


def test_every_direction_has_words() -> None:
    for direction in np.random.default_rng(5).normal(size=(400, 3)):
        x, y, z = direction
        assert text(seen_from(replace(BEHIND, direction=(x, y, z))))


def test_the_cuts_lie_in_the_middle_of_the_disc() -> None:
    def bone(level: str, feature: str, z: float) -> LevelBone:
        place = Frame(np.array([0.0, 0.0, z]))
        return LevelBone(level, place, {feature: place}, ball(z, 1.0), lambda points: points[:, 0])  # type: ignore[arg-type]

    bones = {"L4": bone("L4", "endplate.inferior", 45.0), "L5": bone("L5", "endplate.superior", 35.0)}
    planes = cut_planes(bones, "L4-L5", "left")  # type: ignore[arg-type]
    assert planes["axial"].origin == pytest.approx((0.0, 0.0, 40.0))
    assert planes["axial"].normal == pytest.approx((0.0, 0.0, 1.0))
    assert planes["sagittal"].normal == pytest.approx((-1.0, 0.0, 0.0))


def seen(viewer: Viewer) -> set[str]:
    return {name for name, look in viewer.state.panes[0].looks.items() if look.visible and look.opacity > 0}


def test_a_dissection_is_said_in_words_and_undone_at_once() -> None:
    viewer = session()
    before = seen(viewer)
    viewer.show_layers("down to the ligaments")
    assert seen(viewer) == before - {"skin", "multifidus.left"}
    viewer.show_layers("only bones and discs")
    assert seen(viewer) == {"L4", "disc.L4-L5"}
    viewer.undo()
    viewer.undo()
    assert seen(viewer) == before


def test_layers_in_words_bring_back_what_the_timeline_hides_but_no_instrument() -> None:
    viewer = session()
    viewer.scrub(viewer.timeline.seconds)
    hidden = set(viewer.state.panes[0].looks) - seen(viewer)
    viewer.show_layers("everything")
    assert {"skin", "multifidus.left"} <= seen(viewer)
    assert not hidden & {"instrument.tubular.retractor", "herniation.L4-L5"} & seen(viewer)


def test_a_word_that_is_no_layer_changes_nothing() -> None:
    viewer = session()
    before = viewer.choices
    with pytest.raises(ValueError, match="no layer 'bonse'; nearest: bones"):
        viewer.show_layers("bonse")
    assert viewer.choices == before and not viewer.can_undo


@pytest.mark.parametrize(("view", "named"), [("posterior", False), ("anterior", True)])
def test_nothing_is_named_through_a_layer_that_was_brought_back_over_it(view: str, named: bool) -> None:
    label = Label(structure_title("L4"), (0.0, -10.0, 0.0))
    looks = {"L4": Look(), "skin": Look(visible=False)}
    state = State((Pane(looks, VIEWS[view], labels=(label,)),))
    assert adjusted(state, Choices()).panes[0].labels == (label,)
    back = Choices(shown_layers=frozenset({"skin"}))
    assert (label in adjusted(state, back).panes[0].labels) is named
