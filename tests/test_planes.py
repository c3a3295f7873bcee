"""Slices beside a scene: grey as a T2-weighted MRI, sides as radiologists see them, and the sac measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from stand_ins import ball

import spineviz
from spineviz.model import Camera, Cut, Look, Model, Pane, Scan, State
from spineviz.pathology import Herniation
from spineviz.planes import AXIAL
from spineviz.production import Production
from spineviz.render.arrangement import arrange
from spineviz.render.projection import Box
from spineviz.render.scan import scanned
from spineviz.render.slices import ends
from spineviz.render.stage import Stage
from spineviz.scene import Compared, Scene
from spineviz.structure import Floats, Structure
from spineviz.terms import Tissue
from spineviz.viewer.choices import Choices, adjusted

BELOW = Camera((0.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0), 80.0, 4.0)
"""An axial slice seen from below, 80 mm high."""

LEFT = Camera((0.0, 0.0, 0.0), (-1.0, 0.0, 0.0), (0.0, 0.0, 1.0), 80.0, 4.0)
"""A sagittal slice seen from the patient's left."""

BOX = Box(0, 0, 160, 160)


def body(**tissues: tuple[Tissue, tuple[float, float, float], float]) -> Model:
    """Return balls by name: tissue, centre (mm) and how dark each has become."""
    items = {
        name: Structure(name, tissue, ball(place, 8.0), shade=shade)
        for name, (tissue, place, shade) in tissues.items()
    }
    return Model(items, {}, {})


def seen(model: Model, camera: Camera) -> Floats:
    return scanned(model, {name: Look() for name in model.structures}, camera, BOX)[:, :, 0].astype(float)


def around(picture: Floats, column: int, row: int) -> float:
    return float(picture[row - 4 : row + 5, column - 4 : column + 5].mean())


def test_fluid_and_fat_are_bright_marrow_is_grey_and_ligament_black() -> None:
    tissues: tuple[Tissue, ...] = ("dura", "fat", "bone", "muscle", "ligament")
    values = [around(seen(body(part=(tissue, (0, 0, 0), 0.0)), BELOW), 80, 80) for tissue in tissues]
    assert np.all(np.diff(values) < -15.0)


def test_a_worn_nucleus_is_darker_than_a_healthy_one() -> None:
    healthy, worn = (seen(body(part=("nucleus", (0, 0, 0), shade)), BELOW) for shade in (0.0, 0.7))
    assert around(worn, 80, 80) < 0.5 * around(healthy, 80, 80)


def test_the_patients_right_is_on_the_viewers_left_of_an_axial_slice_and_anterior_is_above() -> None:
    right, front = body(part=("ligament", (20, 0, 0), 0.0)), body(part=("ligament", (0, 20, 0), 0.0))
    assert around(seen(right, BELOW), 40, 80) < 60 < around(seen(right, BELOW), 120, 80)
    assert around(seen(front, BELOW), 80, 40) < 60 < around(seen(front, BELOW), 80, 120)
    assert ends(BELOW) == {"left": "right", "right": "left", "top": "anterior", "bottom": "posterior"}


def test_the_front_of_the_body_is_on_the_viewers_left_of_a_sagittal_slice() -> None:
    front = body(part=("ligament", (0, 20, 0), 0.0))
    assert around(seen(front, LEFT), 40, 80) < 60 < around(seen(front, LEFT), 120, 80)
    assert ends(LEFT) == {"left": "anterior", "right": "posterior", "top": "superior", "bottom": "inferior"}


def test_a_cortex_is_a_dark_line_around_marrow() -> None:
    row = seen(body(part=("bone", (0, 0, 0), 0.0)), BELOW)[80]
    assert row[63:67].min() < 0.5 * row[80]


def test_a_slice_keeps_its_room_for_words_and_the_stage_fills_the_rest() -> None:
    model = body(part=("dura", (0, 0, 0), 0.0))
    space = Pane({"part": Look()}, BELOW)
    plane = Pane({"part": Look()}, BELOW, (Cut(BELOW.focus, BELOW.direction),), scan=Scan(80.0))
    state = State((space, plane), "planes")
    arranged = arrange(state, (600, 400))
    first, second = arranged.panes
    assert first == arranged.cells[0] and second.width == second.height
    assert arranged.cells[1].top < second.top and second.bottom < arranged.cells[1].bottom
    with Stage((600, 400)) as stage:
        stage.show(model, state)
        before = stage.image()
        stage.show(model, replace(state, panes=(replace(space, looks={"part": Look(highlight=1.0)}), plane)))
        after = stage.image()
    part = np.s_[second.top : second.bottom, second.left : second.right]
    assert before[part].std() > 10 and np.array_equal(before[part], after[part])
    assert not np.array_equal(before, after)


def test_a_camera_that_the_user_chooses_turns_no_slice() -> None:
    plane = Pane({"L4": Look()}, BELOW, scan=Scan(80.0))
    state = State((Pane({"L4": Look()}, LEFT), plane), "planes")
    other = replace(LEFT, height=10.0)
    shown = adjusted(state, Choices(camera=other, labels=False))
    assert shown.panes[0].camera == other and shown.panes[1] == plane


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "the scene has none; add a pathology"),
        ({"pathologies": (Herniation(),), "views": ("anterior", "lateral")}, "one body and its disease"),
        ({"compare": (Compared(title="a", pathologies=(Herniation(),)),)}, "one body and its disease"),
    ],
)
def test_slices_are_of_one_diseased_body(fields: dict, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Scene(title="a", planes=("axial",), **fields)


def test_an_operation_gives_way_to_slices_and_what_covers_the_spine_is_cut_but_not_seen() -> None:
    sliced = spineviz.load("herniation_l4l5").sliced().scene
    assert not sliced.approaches and sliced.planes == ("axial", "sagittal") and not sliced.hidden
    assert {"skin", "muscles"} <= set(sliced.steps[0].hidden)
    narrow = spineviz.stenosis("L4-L5 central Schizas C").sliced().scene
    assert (narrow.anatomy.first, narrow.anatomy.last) == ("L1", "S1")
    with pytest.raises(ValueError, match="take compare"):
        spineviz.load("herniation_types").sliced()


@pytest.fixture(scope="module")
def narrow() -> Production:
    return spineviz.load("stenosis_planes")


def test_the_outline_on_the_axial_slice_encloses_the_area_that_is_measured_and_written(
    narrow: Production,
) -> None:
    state = narrow.state()
    assert [pane.scan is not None for pane in state.panes] == [False, True, True]
    axial = state.panes[1]
    assert axial.scan is not None
    row = narrow.measure("L4-L5", operations=False).row("L4-L5", "dural_sac_area_worst")
    assert row.value is not None and row.percent is not None
    said = dict(axial.scan.notes[0].parameters)
    assert said["area"] == f"{row.value:.0f}" and said["share"] == f"{row.percent:.0f}"
    (ring,) = (np.array(trace.points) for trace in axial.scan.traces if trace.measured)
    across = np.cross(axial.camera.up, axial.camera.direction)
    x, y = ring @ across, ring @ np.array(axial.camera.up)
    assert abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2 == pytest.approx(row.value, rel=0.01)
    offsets = (ring - axial.camera.focus) @ np.array(axial.camera.direction)
    assert np.abs(offsets).max() < 1e-6 and AXIAL[1] == axial.camera.height
