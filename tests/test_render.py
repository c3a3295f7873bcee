"""The stage and the words around it: what a state looks like in pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import trimesh
from stand_ins import POSTERIOR, ball, luminance, model, state, structure, words

from spineviz.export.png import write_png
from spineviz.model import Camera, Chart, Curve, Cut, Figure, Inset, Label, Look, Model, Pane, State
from spineviz.render import offscreen, overlay, troupe
from spineviz.render.arrangement import arrange
from spineviz.render.chart import plots
from spineviz.render.cut_faces import CUT_LOOKS, Patch, patches
from spineviz.render.figure import skin
from spineviz.render.materials import MATERIALS, vertex_colours
from spineviz.render.offscreen import RenderingUnavailable
from spineviz.render.picture import annotate, picture, placed_labels
from spineviz.render.projection import Box, eye, project
from spineviz.render.stage import Picture, Stage
from spineviz.render.textures import tile
from spineviz.structure import Message, Surface

SIZE = (320, 240)
MODEL = model()


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    try:
        with Stage(SIZE) as opened:
            opened.show(MODEL, state(L4=Look()))
            opened.image()
            yield opened
    except RenderingUnavailable as reason:
        pytest.skip(str(reason))


def seen(stage: Stage, shown: State, body: Model = MODEL) -> Picture:
    stage.show(body, shown)
    return stage.image()


def around(image: Picture, x: float, z: float, radius: int = 4) -> Picture:
    """Return the pixels of a posterior picture around a place of the world, in mm."""
    box = arrange(state(L4=Look()), SIZE).panes[0]
    (pixel,), _ = project(POSTERIOR, np.array([[x, 0.0, z]]), box)
    column, row = int(pixel[0]), int(pixel[1])
    return image[row - radius : row + radius, column - radius : column + radius].astype(float)


def differs(first: Picture, second: Picture) -> float:
    """Return the share of pixels that differ by more than 16 of 255."""
    return float((np.abs(first.astype(int) - second).max(axis=2) > 16).mean())


def test_bodies_in_two_rows_fill_the_picture_without_overlapping() -> None:
    four = state(L4=Look()).panes * 4
    cells = arrange(State(four, layout="rows"), (1280, 800)).cells
    assert [(cell.left > 0, cell.top > cells[0].top) for cell in cells] == [
        (False, False),
        (True, False),
        (False, True),
        (True, True),
    ]
    assert cells[1].left >= cells[0].right and cells[2].top >= cells[0].bottom
    assert cells[3].right == 1280 and abs(cells[3].height - cells[0].height) <= 1


def test_a_posterior_view_shows_the_patients_right_on_the_viewers_right(stage: Stage) -> None:
    image = seen(stage, state(herniation=Look()))
    red, green, blue = around(image, 25, 0).mean(axis=(0, 1))
    assert red > 1.8 * green and red > 1.3 * blue
    assert np.ptp(around(image, -25, 0).mean(axis=(0, 1))) < 20


def test_a_translucent_mesh_is_really_visible_and_shows_what_is_behind_it(stage: Stage) -> None:
    bare = seen(stage, state(herniation=Look()))
    veiled = seen(stage, state(herniation=Look(), skin=Look(opacity=0.4)))
    opaque = seen(stage, state(herniation=Look(), skin=Look()))
    assert differs(bare, veiled) > 0.1
    assert differs(opaque, veiled) > 0.1
    red, green, _ = around(veiled, 25, 0).mean(axis=(0, 1))
    assert red > 1.3 * green


def test_a_translucent_mesh_is_visible_in_a_still(tmp_path: Path, stage: Stage) -> None:
    with Stage(SIZE, samples=2) as fine:
        veiled = seen(fine, state(skin=Look(opacity=0.4)))
    assert differs(veiled, seen(stage, state())) > 0.1


def test_going_back_to_a_state_gives_the_same_picture(stage: Stage) -> None:
    first = state(L4=Look(warp=("lift", (0.0,))), herniation=Look())
    second = state(
        Camera((5.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, 1.0), 90.0),
        L4=Look(warp=("lift", (12.0,)), opacity=0.5, highlight=1.0),
        skin=Look(),
    )
    before = seen(stage, first)
    between = seen(stage, second)
    assert differs(before, between) > 0.1
    assert (seen(stage, first) == before).all()


def test_a_warp_moves_what_is_drawn_and_a_matrix_too(stage: Stage) -> None:
    matrix = (1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 12.0, 0.0, 0.0, 0.0, 1.0)
    rest = seen(stage, state(L4=Look()))
    warped = seen(stage, state(L4=Look(warp=("lift", (12.0,)))))
    placed = seen(stage, state(L4=Look(matrix=matrix)))
    assert differs(rest, warped) > 0.02
    assert differs(warped, placed) < 0.001


def test_what_has_not_changed_is_not_rendered_again(stage: Stage) -> None:
    renders: list[str] = []
    watcher = stage.window.AddObserver("StartEvent", lambda *_: renders.append("render"))
    shown = state(L4=Look())
    seen(stage, shown)
    renders.clear()
    stage.show(MODEL, replace(shown, view=None, panes=(replace(shown.panes[0], looks={"L4": Look()}),)))
    stage.image()
    stage.window.RemoveObserver(watcher)
    assert renders == []


def test_outlines_of_what_rests_are_not_drawn_again(stage: Stage) -> None:
    renders: list[str] = []
    resting = state(herniation=Look(highlight=1.0), L4=Look())
    moved = state(herniation=Look(highlight=1.0), L4=Look(warp=("lift", (12.0,))))
    before = seen(stage, resting)
    watcher = stage.window.AddObserver("StartEvent", lambda *_: renders.append("render"))
    seen(stage, moved)
    assert renders == ["render"]
    seen(stage, state(replace(POSTERIOR, height=90.0), herniation=Look(highlight=1.0), L4=Look()))
    assert renders == ["render"] * 3
    stage.window.RemoveObserver(watcher)
    assert (seen(stage, resting) == before).all()


STORY = [
    state(L4=Look(warp=("lift", (2.0 * step,))), herniation=Look(highlight=step / 9), skin=Look(opacity=veil))
    for step, veil in enumerate((1.0, 1.0, 1.0, 0.6, 0.3, 0.3, 0.3, 0.0, 1.0))
]
"""A bone that rises, a fragment that begins to glow, a skin that fades, goes and comes back."""


def test_what_moves_over_what_was_kept_looks_as_if_all_were_drawn_anew(stage: Stage) -> None:
    still = replace(STORY[0].panes[0], looks={"L4": Look(), "herniation.L4-L5": Look(), "skin": Look()})
    for shown in STORY:
        moving = State((shown.panes[0], still), layout="twin")
        with Stage(SIZE) as fresh:
            assert (seen(stage, moving) == seen(fresh, moving)).all()


def test_edges_are_smooth_where_what_moves_is_out_of_sight(stage: Stage) -> None:
    close = replace(POSTERIOR, focus=(-25.0, 0.0, 0.0), height=34.0)
    for step in range(4):
        for look in (Look(warp=None, highlight=step / 10), Look(visible=False, highlight=step / 10)):
            moving = state(close, L4=Look(), herniation=look)
            with Stage(SIZE) as fresh:
                assert (seen(stage, moving) == seen(fresh, moving)).all()


def test_what_stands_still_before_a_still_eye_is_drawn_once(stage: Stage) -> None:
    drawn: list[str] = []
    seen(stage, state(replace(POSTERIOR, height=80.0), L4=Look()))
    view = stage._views[0]
    renderers = {"all": view.renderer, "still": view.floor.still, "moving": view.floor.moving}
    watchers = [
        (item, item.AddObserver("StartEvent", lambda *_, name=name: drawn.append(name)))
        for name, item in renderers.items()
    ]
    for lift in range(3):
        seen(stage, state(L4=Look(warp=("lift", (float(lift),))), skin=Look()))
    assert drawn == ["all", "still", "moving", "moving"]
    for lift in range(3, 9):
        seen(stage, state(L4=Look(), skin=Look(), herniation=Look(highlight=lift / 10)))
    assert drawn[4:] == ["moving"] * 4 + ["still", "moving", "moving"]
    seen(stage, state(replace(POSTERIOR, height=90.0), L4=Look(), skin=Look()))
    assert drawn[11:] == ["all"]
    for item, watcher in watchers:
        item.RemoveObserver(watcher)


def test_panes_share_a_shape_until_one_moves_it(stage: Stage) -> None:
    rest = state(L4=Look()).panes[0]
    moved = state(L4=Look(warp=("lift", (12.0,)))).panes[0]
    still = seen(stage, State((rest, rest), layout="twin"))
    first, second = (view.troupes[0].figures["L4", ""] for view in stage._views)
    assert first.mesh is second.mesh
    split = seen(stage, State((rest, moved), layout="twin"))
    assert first.mesh is not second.mesh
    assert (still[:, :158] == split[:, :158]).all()
    assert differs(still[:, 162:], split[:, 162:]) > 0.02
    assert (seen(stage, State((rest, rest), layout="twin")) == still).all()


def test_what_stands_before_all_else_is_drawn_first(stage: Stage) -> None:
    looks = state(L4=Look(), herniation=Look(), skin=Look()).panes[0]
    seen(stage, State((looks,)))
    seen(stage, State((replace(looks, looks={**looks.looks, "herniation.L4-L5": Look(opacity=0.5)}),)))
    view = stage._views[0]
    figures = view.troupes[0].figures
    drawn = [actor for actor in view.renderer.GetViewProps() if actor.GetVisibility()]
    names = {id(figure.actor): name for (name, _), figure in figures.items()}
    assert [names[id(actor)] for actor in drawn] == ["skin", "L4", "herniation.L4-L5"]


def test_a_picture_handed_out_may_be_painted_on(stage: Stage) -> None:
    shown = state(L4=Look())
    seen(stage, shown)[:] = 0
    assert seen(stage, shown).max() > 0


def test_bone_is_ivory_and_never_burns_out(stage: Stage) -> None:
    lit = around(seen(stage, state(L4=Look())), -27, 3, 8)
    assert lit.max() < 254
    red, green, blue = lit.mean(axis=(0, 1))
    assert red > green > blue > 120


def test_the_fragment_stands_out_in_greyscale_from_every_tissue(stage: Stage) -> None:
    white = np.array([[1.0, 1.0, 1.0]])
    fragment = luminance(np.array(MATERIALS["fragment"].first)[None])[0]
    for tissue in ("bone", "annulus", "dura", "nerve", "ligament", "fat"):
        other = luminance(np.array(MATERIALS[tissue].first)[None])[0]
        assert other - fragment > 0.35 * luminance(white)[0]


def test_the_fragment_has_a_dark_and_a_white_outline(stage: Stage) -> None:
    image = luminance(seen(stage, state(herniation=Look())).astype(float))
    box = arrange(state(L4=Look()), SIZE).panes[0]
    (middle,), _ = project(POSTERIOR, np.array([[25.0, 0.0, 0.0]]), box)
    ray = image[int(middle[1]), int(middle[0]) :]
    edge = int(np.argmin(ray))
    assert ray[edge] < 60
    assert ray[edge : edge + 6].max() > 225


def test_a_highlight_is_seen_through_what_hides_it(stage: Stage) -> None:
    hidden = state(skin=Look(), herniation=Look())
    marked = state(skin=Look(), herniation=Look(highlight=1.0))
    assert differs(seen(stage, hidden), seen(stage, marked)) > 0.002


def test_a_cut_hides_what_lies_beyond_it(stage: Stage) -> None:
    whole = seen(stage, state(L4=Look()))
    cut = Cut((-25.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    pane = replace(state(L4=Look()).panes[0], cuts=(cut,))
    half = seen(stage, State((pane,)))
    bare = seen(stage, state())
    assert np.abs(around(half, -25, 9) - around(bare, -25, 9)).max() < 6
    assert np.abs(around(half, -25, -9) - around(whole, -25, -9)).max() < 24


def test_a_cut_that_returns_is_not_computed_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Cut] = []

    def counted(body: Model, name: str, look: Look, cut: Cut, line: float) -> tuple[Patch, ...]:
        made.append(cut)
        return patches(body, name, look, cut, line)

    monkeypatch.setattr(troupe, "patches", counted)
    first, second = (replace(LOWER_HALF_AWAY, origin=(0.0, 0.0, z)) for z in (3.3, 4.4))
    for cut in (first, second, first, second):
        seen(stage, opened(cut, L4=Look()))
    assert made == [first, second]


FROM_BELOW = Camera((0.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0), 100.0)
LOWER_HALF_AWAY = Cut((0.0, 0.0, 0.0), (0.0, 0.0, -1.0))


def opened(cut: Cut = LOWER_HALF_AWAY, camera: Camera = FROM_BELOW, **looks: Look) -> State:
    """Return a state that is cut; the bone's middle lies 25 mm to the patient's left."""
    return State((replace(state(**looks).panes[0], camera=camera, cuts=(cut,)),))


def patch_at(image: Picture, x: float, y: float) -> np.ndarray:
    """Return the mean colour around a place of the cut plane, seen from below."""
    box = arrange(state(L4=Look()), SIZE).panes[0]
    (pixel,), _ = project(FROM_BELOW, np.array([[x, y, 0.0]]), box)
    column, row = int(pixel[0]), int(pixel[1])
    return image[row - 3 : row + 3, column - 3 : column + 3].astype(float).mean(axis=(0, 1))


def test_a_cut_face_is_filled_flat_in_the_colour_of_the_inside(stage: Stage) -> None:
    image = seen(stage, opened(herniation=Look()))
    inside = 255 * np.array(CUT_LOOKS["fragment"].inside)
    places = [patch_at(image, 25 + x, y) for x, y in ((0, 0), (6, 0), (-6, 0), (0, 7), (0, -7))]
    assert np.ptp(places, axis=0).max() < 6
    assert np.abs(places[0] - inside).max() < 30


def test_a_cut_face_hides_what_lies_behind_it(stage: Stage) -> None:
    items = dict(MODEL.structures)
    items["skin"] = structure("skin", "skin", ball((-25, 0, 0), 15))
    items["herniation.L4-L5"] = structure("herniation.L4-L5", "fragment", ball((-25, 0, 8), 5))
    body = Model(items, {}, {}, {})
    alone, with_core = (
        seen(stage, opened(skin=Look(), **more), body) for more in ({}, {"herniation": Look()})
    )
    assert np.abs(patch_at(alone, -25, 0) - patch_at(with_core, -25, 0)).max() < 2


def test_of_faces_that_overlap_the_inner_tissue_is_seen(stage: Stage) -> None:
    items = dict(MODEL.structures)
    items["herniation.L4-L5"] = structure("herniation.L4-L5", "fragment", ball((-25, 0, 0), 6))
    image = seen(stage, opened(L4=Look(), herniation=Look()), Model(items, {}, {}, {}))
    (red, green, _), (ivory, less, _) = patch_at(image, -25, 0), patch_at(image, -25, 10)
    assert red > 1.8 * green and ivory < 1.8 * less


def test_a_cut_of_some_structures_leaves_the_others_whole(stage: Stage) -> None:
    some = replace(LOWER_HALF_AWAY, structures=frozenset({"herniation.L4-L5"}))
    whole, cut = seen(stage, state(FROM_BELOW, L4=Look(), herniation=Look())), opened(some)
    image = seen(stage, State((replace(cut.panes[0], looks={"L4": Look(), "herniation.L4-L5": Look()}),)))
    assert np.abs(patch_at(image, -25, 0) - patch_at(whole, -25, 0)).max() < 3
    assert np.abs(patch_at(image, 25, 6) - patch_at(whole, 25, 6)).max() > 20


def test_a_cut_face_follows_its_structure_and_goes_with_it(stage: Stage) -> None:
    aside = np.eye(4)
    aside[1, 3] = 20.0
    moved = Look(matrix=tuple(aside.ravel()))
    here, there = seen(stage, opened(herniation=Look())), seen(stage, opened(herniation=moved))
    assert np.abs(patch_at(here, 25, 0) - patch_at(there, 25, 20)).max() < 8
    assert (seen(stage, opened(herniation=Look())) == here).all()
    bare = seen(stage, State((replace(opened().panes[0], looks={}),)))
    assert np.abs(patch_at(there, 25, 0) - patch_at(bare, 25, 0)).max() < 6


def test_a_cut_that_moves_to_and_fro_shows_the_same(stage: Stage) -> None:
    first = seen(stage, opened(L4=Look(), herniation=Look()))
    seen(stage, opened(replace(LOWER_HALF_AWAY, origin=(0.0, 0.0, 9.0)), L4=Look(), herniation=Look()))
    assert (seen(stage, opened(L4=Look(), herniation=Look())) == first).all()


def test_print_has_a_white_background() -> None:
    with Stage(SIZE, background="print") as white:
        assert (seen(white, state(L4=Look()))[:20] == 255).all()


def test_an_unknown_background_is_refused_with_the_choices() -> None:
    with pytest.raises(ValueError, match="screen, print"):
        Stage(SIZE, background="black")  # type: ignore[arg-type]


def test_an_empty_stage_says_what_to_do() -> None:
    with Stage(SIZE) as empty, pytest.raises(RuntimeError, match="call show"):
        empty.image()


def test_a_twin_shows_each_pane_in_its_half_and_only_redraws_the_changed_one(stage: Stage) -> None:
    left, right = state(L4=Look()).panes[0], state(herniation=Look()).panes[0]
    twin = State((left, right), layout="twin")
    first = seen(stage, twin)
    second = seen(stage, replace(twin, panes=(left, state(skin=Look()).panes[0])))
    assert (first[:, :158] == second[:, :158]).all()
    assert differs(first, second) > 0.05


LENS = replace(POSTERIOR, focus=(-25.0, 0.0, 0.0), height=40.0)
"""An eye that looks at the bone alone."""


def with_inset(pane: Pane, strength: float = 1.0, **looks: Look) -> Pane:
    return replace(pane, inset=Inset(LENS, Message("disclaimer"), looks, strength=strength))


def test_an_inset_is_round_and_leaves_the_rest_of_its_pane(stage: Stage) -> None:
    plain = state(L4=Look(), herniation=Look())
    shown = replace(plain, panes=(with_inset(plain.panes[0]),))
    before, after = seen(stage, plain), seen(stage, shown)
    box = arrange(shown, SIZE).insets[0]
    assert box is not None
    rows, columns = np.mgrid[: SIZE[1], : SIZE[0]] + 0.5
    away = np.hypot(columns - box.left - box.width / 2, rows - box.top - box.height / 2)
    assert (before == after)[away > box.width / 2 + 1].all()
    middle = after[away < box.width / 8].astype(float)
    assert (middle[:, 0] > middle[:, 2] + 20).all(), "the bone fills its middle"
    assert seen(stage, plain).tobytes() == before.tobytes()


def test_an_inset_fades_in(stage: Stage) -> None:
    plain = state(L4=Look())
    nothing, half, whole = (
        seen(stage, replace(plain, panes=(with_inset(plain.panes[0], strength),))).astype(float)
        for strength in (0.0, 0.5, 1.0)
    )
    assert (nothing == seen(stage, plain)).all()
    assert np.abs(half - (nothing + whole) / 2).max() <= 1.0
    assert differs(nothing, whole) > 0.02


def test_an_inset_shows_its_own_looks(stage: Stage) -> None:
    bare = state(L4=Look())
    hidden = replace(bare.panes[0].looks["L4"], visible=False)
    shown = seen(stage, replace(bare, panes=(with_inset(bare.panes[0], L4=hidden),)))
    assert differs(shown, seen(stage, replace(bare, panes=(with_inset(bare.panes[0]),)))) > 0.02


def test_light_along_the_line_of_sight_leaves_what_turns_away_in_the_shade(stage: Stage) -> None:
    plain = state(L4=Look())
    told = with_inset(plain.panes[0])
    lit = seen(stage, replace(plain, panes=(told,)))
    box = arrange(replace(plain, panes=(told,)), SIZE).insets[0]
    assert box is not None
    part = luminance(lit[box.top : box.bottom, box.left : box.right].astype(float))
    middle = box.height // 2
    ball = round(15 / LENS.height * box.height)  # the bone's radius in pixels
    centre = part[middle - 2 : middle + 2, middle - 2 : middle + 2].mean()
    rim = [
        part[middle + round(0.93 * y * ball), middle + round(0.93 * x * ball)]
        for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1))
    ]
    assert max(rim) < 0.75 * centre
    assert max(rim) - min(rim) < 0.2 * centre, "it comes from no side"


def test_what_moves_in_an_inset_looks_as_if_all_were_drawn_anew(stage: Stage) -> None:
    for shown in STORY:
        told = replace(shown, panes=(with_inset(shown.panes[0]),))
        with Stage(SIZE) as fresh:
            assert (seen(stage, told) == seen(fresh, told)).all()


def test_what_stands_still_in_an_inset_is_drawn_once(stage: Stage) -> None:
    resting = state(L4=Look(), herniation=Look())
    told = replace(resting, panes=(with_inset(resting.panes[0]),))
    seen(stage, replace(told, panes=(replace(told.panes[0], camera=replace(POSTERIOR, height=70.0)),)))
    drawn: list[str] = []
    view = stage._insets[0]
    watchers = [
        (item, item.AddObserver("StartEvent", lambda *_, name=name: drawn.append(name)))
        for name, item in (("all", view.renderer), ("still", view.floor.still), ("moving", view.floor.moving))
    ]
    for lift in range(4):
        moved = state(L4=Look(warp=("lift", (float(lift),))), herniation=Look())
        seen(stage, replace(moved, panes=(with_inset(moved.panes[0]),)))
    for item, watcher in watchers:
        item.RemoveObserver(watcher)
    assert "all" not in drawn and drawn.count("still") <= 1 and drawn.count("moving") >= 3


def test_panes_laid_over_each_other_show_both(stage: Stage) -> None:
    panes = (state(L4=Look()).panes[0], state(herniation=Look()).panes[0])
    both = seen(stage, State(panes, layout="overlay"))
    assert differs(both, seen(stage, state(L4=Look(), herniation=Look()))) < 0.001


def test_a_coarse_stage_fills_the_same_picture(stage: Stage) -> None:
    with Stage(SIZE, samples=0.5) as coarse:
        assert differs(seen(coarse, state(L4=Look())), seen(stage, state(L4=Look()))) < 0.03
        coarse.resize((200, 150))
        assert coarse.image().shape == (150, 200, 3)


@pytest.mark.parametrize("size", [(1280, 720), (640, 360), (1600, 1000), (900, 1200)])
def test_twin_panes_are_equal_in_area_and_no_band_covers_them(size: tuple[int, int]) -> None:
    pane = Pane(
        {}, POSTERIOR, heading=Message("a"), caption=Message("b"), strip=(Figure(Message("c"), 1, "mm"),)
    )
    arranged = arrange(State((pane, pane), layout="twin", title=Message("t")), size)
    first, second = arranged.panes
    assert (first.width, first.height) == (second.width, second.height)
    assert first.right <= second.left and second.right == size[0]
    assert arranged.header is not None and arranged.header.bottom == first.top
    assert first.bottom == arranged.strips[0].top and arranged.strips[0].bottom == arranged.footer.top


def test_a_twin_of_one_pane_is_refused() -> None:
    with pytest.raises(ValueError, match="two panes or more"):
        arrange(State((Pane({}, POSTERIOR),), layout="twin"), SIZE)


def test_three_panes_share_the_width_evenly() -> None:
    boxes = arrange(State((Pane({}, POSTERIOR),) * 3, layout="twin"), (1280, 800)).panes
    assert len({box.width for box in boxes}) == 1
    assert all(one.right < other.left for one, other in pairwise(boxes))
    assert (boxes[0].left, boxes[-1].right) == (0, 1280)


@pytest.mark.parametrize(
    ("direction", "up", "ends"),
    [
        ((0.0, -1.0, 0.0), (0.0, 0.0, 1.0), ("left", "right")),
        ((0.0, 1.0, 0.0), (0.0, 0.0, 1.0), ("right", "left")),
        ((-1.0, 0.0, 0.0), (0.0, 0.0, 1.0), ("anterior", "posterior")),
        ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0), ("posterior", "anterior")),
        ((-0.5, -0.8, 0.3), (0.0, 0.0, 1.0), ("left", "right")),
    ],
)
def test_orientation_marks_follow_the_camera(
    direction: tuple[float, float, float], up: tuple[float, float, float], ends: tuple[str, str]
) -> None:
    assert overlay.orientation(Camera((0, 0, 0), direction, up, 100.0)) == ends


def test_a_point_at_the_focus_falls_in_the_middle_and_height_is_kept() -> None:
    box = Box(10, 20, 300, 200)
    pixels, depth = project(POSTERIOR, np.array([[0, 0, 0], [0, 0, 50.0]]), box)
    assert pixels == pytest.approx(np.array([[160, 120], [160, 20]]))
    assert depth[0] == pytest.approx(np.linalg.norm(eye(POSTERIOR)))


def test_the_projection_agrees_with_the_renderer(stage: Stage) -> None:
    small = Model({"L4": structure("L4", "bone", ball((20, 0, -30), 2))}, {}, {})
    camera = Camera((3.0, 1.0, -8.0), (0.3, -0.9, 0.2), (0.0, 0.0, 1.0), 110.0)
    image = seen(stage, state(camera, L4=Look()), small)
    bare = seen(stage, state(camera), small)
    rows, columns = np.nonzero(np.abs(image.astype(int) - bare).max(axis=2) > 20)
    (pixel,), _ = project(camera, np.array([[20.0, 0.0, -30.0]]), arrange(state(L4=Look()), SIZE).panes[0])
    assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx(tuple(pixel), abs=1.0)


def test_the_same_words_are_painted_on_any_picture() -> None:
    pane = Pane(
        {}, POSTERIOR, heading=Message("Heading"), caption=Message("Caption"),
        labels=(Label(Message("Bone"), (-10.0, 0.0, 0.0)), Label(Message("Piece"), (10.0, 0.0, 5.0), True)),
        strip=(Figure(Message("Opened"), 2.75, "cm²"),),
    )  # fmt: skip
    shown = State((pane,), title=Message("Title"), view=Message("View"))
    first, second = np.full((360, 640, 3), 200, np.uint8), np.full((360, 640, 3), 200, np.uint8)
    clock = overlay.Clock(3.0, 10.0, (0.0, 4.0))
    annotate(first, shown, words, clock)
    annotate(second, shown, words, clock)
    assert (first == second).all()
    assert (first != 200).any(axis=2).mean() > 0.2
    arranged = arrange(shown, (640, 360))
    assert [label.strong for label in placed_labels(pane, arranged.panes[0], arranged.unit, words)] == [
        False,
        True,
    ]


def test_a_camera_that_looks_along_its_up_is_refused() -> None:
    with pytest.raises(ValueError, match="lies along its direction"):
        project(replace(POSTERIOR, up=(0.0, 1.0, 0.0)), np.zeros((1, 3)), Box(0, 0, 10, 10))


def test_occlusion_darkens_and_warms_and_tint_leads_to_the_second_colour() -> None:
    vertices, faces = np.zeros((3, 3)), np.array([[0, 1, 2]])
    bone = MATERIALS["bone"]
    open_sky, deep = vertex_colours(Surface(vertices, faces, np.array([1.0, 0.0, 1.0])), bone)[:2].astype(
        float
    )
    assert deep.sum() < 0.5 * open_sky.sum()
    assert deep[0] / deep[2] > open_sky[0] / open_sky[2]
    cartilage = vertex_colours(Surface(vertices, faces, None, np.ones(3)), bone)[0].astype(float)
    assert cartilage[2] > cartilage[0]


@pytest.mark.parametrize("grain", ["fascicles", "cross_fibres", "fibres"])
def test_grain_tiles_without_a_seam(grain: str) -> None:
    values = tile(grain)[..., 0].astype(float)  # type: ignore[arg-type]
    for axis in (0, 1):
        steps = np.abs(np.diff(values, axis=axis)).mean()
        seam = np.abs(values.take(0, axis=axis) - values.take(-1, axis=axis)).mean()
        assert seam < 2.0 * steps


def test_an_instruments_edges_stay_sharp_and_bone_stays_smooth() -> None:
    mesh = trimesh.creation.box((10, 10, 10))
    box = Surface(mesh.vertices, mesh.faces)
    sharp, smooth = skin(box, sharp=True), skin(box, sharp=False)
    points = sharp.points(box.vertices)
    assert len(points) == 24 and len(smooth.points(box.vertices)) == 8
    assert np.abs(sharp.normals(points)).max(axis=1) == pytest.approx(1.0)


def test_a_still_is_written_whole_with_its_size(tmp_path: Path, stage: Stage) -> None:
    shown = replace(state(L4=Look()), title=Message("Title"))
    path = write_png(tmp_path / "still.png", MODEL, shown, words, size=(300, 200))
    assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert [item.name for item in tmp_path.iterdir()] == ["still.png"]


def test_a_still_that_cannot_be_written_leaves_nothing(tmp_path: Path, stage: Stage) -> None:
    broken = replace(state(L4=Look(variant="none")))
    with pytest.raises(KeyError):
        write_png(tmp_path / "still.png", MODEL, broken, words, size=(100, 80))
    assert list(tmp_path.iterdir()) == []


def test_wrong_places_for_a_still_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"choose one of \.png"):
        write_png(tmp_path / "still.jpg", MODEL, state(), words)
    with pytest.raises(OSError, match="does not exist; make it first"):
        write_png(tmp_path / "none" / "still.png", MODEL, state(), words)
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(OSError, match="it is a folder"):
        write_png(tmp_path / "folder.png", MODEL, state(), words)


def test_where_nothing_can_draw_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offscreen.sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "VTK_DEFAULT_OPENGL_WINDOW"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(offscreen, "_loads", lambda library: False)
    with pytest.raises(RenderingUnavailable, match="libegl1 libegl-mesa0 libgl1-mesa-dri"):
        offscreen.prepare()


def test_a_picture_has_its_words_at_the_smallest_size(stage: Stage) -> None:
    shown = replace(state(L4=Look()), title=Message("Title"))
    stage.show(MODEL, shown)
    image = picture(stage, shown, words)
    assert image.shape == (SIZE[1], SIZE[0], 3)
    assert luminance(image[:30].astype(float)).min() < 90


def test_a_label_of_what_is_hidden_ends_in_a_ring(stage: Stage) -> None:
    labels = (Label(Message("Bone"), (-25.0, -15.0, 0.0)), Label(Message("Behind"), (-25.0, 15.0, 0.0)))
    pane = replace(state(L4=Look()).panes[0], labels=labels)
    shown = State((pane,))
    seen(stage, shown)
    assert stage.hidden() == [[False, True]]
    box = arrange(shown, SIZE).panes[0]
    placed = placed_labels(pane, box, 1.0, words, stage.hidden()[0])
    assert {label.lines[0]: label.hidden for label in placed} == {"Bone": False, "Behind": True}


CHART = Chart(
    (0.0, 10.0, 20.0, 30.0),
    (Curve(Message("disclaimer"), "mm", 0, ((0.0, 18.0, 18.0, 0.0), (0.0, 30.0, 30.0, 30.0))),),
    (Message("plain"), Message("plain")),
)


def charted(second: float) -> Picture:
    pane = Pane({}, POSTERIOR, heading=Message("plain"))
    told = State((pane, pane), layout="twin", second=second, chart=CHART)
    canvas = np.full((720, 1280, 3), 255, dtype=np.uint8)
    annotate(canvas, told, words)
    box = arrange(told, (1280, 720)).chart
    assert box is not None
    return canvas[box.top : box.bottom, box.left : box.right]


def test_all_panes_have_one_scale_in_a_plot_and_the_highest_value_fills_it() -> None:
    (plot,) = plots(CHART, (1280, 116), 1.0)
    assert plot.place(0.0, 0.0) == (plot.left, plot.bottom)
    assert plot.place(30.0, 30.0) == (plot.right, plot.top)
    assert plot.place(15.0, 15.0) == ((plot.left + plot.right) / 2, (plot.top + plot.bottom) / 2)


def test_the_cursor_stands_at_the_second_and_what_is_to_come_is_faint() -> None:
    (plot,) = plots(CHART, (1280, 116), 1.0)
    for second in (12.0, 18.0):
        band = luminance(charted(second).astype(float))
        rows = slice(round(plot.top) + 24, round(plot.bottom) - 4)  # below both curves
        now = round(plot.place(second, 0.0)[0])
        dark = band[rows, round(plot.place(11.0, 0.0)[0]) : round(plot.place(19.0, 0.0)[0])].mean(axis=0)
        assert abs(int(dark.argmin()) + round(plot.place(11.0, 0.0)[0]) - now) <= 1
    top = round(plot.top)
    line = luminance(charted(15.0).astype(float))[top - 1 : top + 2]
    been, coming = (
        slice(round(plot.place(a, 0)[0]) + 8, round(plot.place(b, 0)[0]) - 8) for a, b in ((10, 15), (15, 20))
    )
    assert line[:, been].min() + 40 < line[:, coming].min()


def test_curves_are_told_apart_without_colour() -> None:
    (plot,) = plots(CHART, (1280, 116), 1.0)
    grey = luminance(charted(30.0).astype(float))
    columns = slice(round(plot.place(12.0, 0.0)[0]), round(plot.place(19.0, 0.0)[0]))
    whole, dashed = (
        grey[round(plot.place(0.0, value)[1]) - 1 : round(plot.place(0.0, value)[1]) + 1, columns].min(axis=0)
        for value in (18.0, 30.0)
    )
    assert (whole < 160).all()
    assert 0.2 < (dashed > 200).mean() < 0.6


def test_plots_stand_in_place_of_the_figures_of_the_second_alone() -> None:
    strip = (Figure(Message("disclaimer"), 1.0, "mm"),)
    pane = Pane({}, POSTERIOR, strip=strip, caption=Message("plain"))
    plain = State((pane, pane), layout="twin")
    assert arrange(plain, (1280, 720)).strips and arrange(plain, (1280, 720)).chart is None
    told = arrange(replace(plain, chart=CHART), (1280, 720))
    assert not told.strips and told.chart is not None
    assert told.panes[0].bottom == told.chart.top and told.chart.bottom == told.footer.top
