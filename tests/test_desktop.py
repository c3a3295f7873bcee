"""The window: its controls as data, and one session with events under a virtual display."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh

from spineviz.desktop import layout
from spineviz.desktop.commands import COMMANDS, LAYER_KEYS, VIEW_KEYS, act_of, key_name
from spineviz.desktop.drawing import coarse_size
from spineviz.desktop.identify import identified, name_of, place_at
from spineviz.desktop.window import NoDisplay, Window, check_display, show
from spineviz.layers import LAYERS
from spineviz.locale import catalog, text
from spineviz.model import Camera, Cut, Inset, Look, Message, Model, Pane, State
from spineviz.render.arrangement import arrange
from spineviz.render.offscreen import RenderingUnavailable
from spineviz.structure import Structure, Surface
from spineviz.timeline import Step, timeline
from spineviz.viewer import Viewer
from spineviz.views import VIEWS

BEHIND = Camera((0.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, 1.0), 100.0)
ABOVE = Camera((0.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, 1.0, 0.0), 100.0)
SIZE = (1000, 640)
SIZES = ((640, 480), (1000, 640), (1440, 900), (3840, 2160))


def session() -> Viewer:
    def ball(x: float, radius: float) -> Surface:
        mesh = trimesh.creation.icosphere(3, radius)
        return Surface(mesh.vertices + np.array([x, 0, 0]), mesh.faces)

    structures = {
        "L4": Structure("L4", "bone", ball(-20.0, 15.0)),
        "root.L5.left": Structure("root.L5.left", "nerve", ball(20.0, 10.0)),
    }
    pane = Pane({name: Look() for name in structures}, BEHIND)
    steps = (Step("orientation", Message("disclaimer"), 3.0), Step("fragment", Message("disclaimer"), 3.0))
    moments = timeline(State((pane, pane), "twin"), (steps, steps))
    views = {"posterior": BEHIND, "superior": ABOVE}
    cuts = {"axial": Cut((0.0, 0.0, 0.0), (0.0, 0.0, 1.0))}
    return Viewer(Model(structures, {}, {}), moments, views, cuts, glide=0.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", SIZES)
def test_controls_stay_in_the_window_and_apart(size: tuple[int, int]) -> None:
    viewer = session()
    areas = layout.divided(size)
    boxes = [item.box for item in layout.controls(viewer, areas)]
    for index, box in enumerate(boxes):
        assert box.left >= 0 and box.top >= 0 and box.right <= size[0] and box.bottom <= size[1]
        assert not layout.inside(areas.stage, box.right - 1, box.top)
        for other in boxes[index + 1 :]:
            apart = box.right <= other.left or other.right <= box.left
            assert apart or box.bottom <= other.top or other.bottom <= box.top


@pytest.mark.parametrize("size", SIZES)
def test_the_slider_goes_there_and_back(size: tuple[int, int]) -> None:
    viewer = session()
    slider = layout.divided(size).slider
    for second in np.linspace(0, viewer.timeline.seconds, 9):
        column = layout.column_of(viewer, slider, second)
        assert layout.second_at(viewer, slider, column) == pytest.approx(second, abs=6 / slider.width)
    assert layout.second_at(viewer, slider, -100) == 0
    assert layout.second_at(viewer, slider, size[0] + 100) == viewer.timeline.seconds


def test_a_click_on_a_layers_box_hides_the_layer() -> None:
    viewer = session()
    areas = layout.divided(SIZE)
    bones = next(item for item in layout.controls(viewer, areas) if item.name.key == "layer.bones")
    assert bones.on
    found = layout.at(layout.controls(viewer, areas), bones.box.left + 3, bones.box.top + 3)
    assert found is not None and found.act is not None
    found.act(viewer)
    assert not viewer.state.panes[0].looks["L4"].visible
    again = next(item for item in layout.controls(viewer, areas) if item.name.key == "layer.bones")
    assert not again.on


def test_what_a_scene_does_not_have_cannot_be_clicked() -> None:
    viewer = session()
    items = layout.controls(viewer, layout.divided(SIZE))
    unusable = {item.name.key for item in items if not item.usable}
    assert {"layer.skin", "desktop.cut.sagittal", "desktop.tool.undo"} <= unusable
    skin = next(item for item in items if item.name.key == "layer.skin")
    assert layout.at(items, skin.box.left, skin.box.top) is None


def test_no_key_does_two_things() -> None:
    keys = [key for command in COMMANDS for key in command.keys]
    keys += [*VIEW_KEYS.values(), *LAYER_KEYS, "h", "question", "q", "Escape"]
    assert len(keys) == len(set(keys))


def test_every_layer_and_every_view_has_a_key() -> None:
    assert len(LAYER_KEYS) == len(LAYERS)
    assert set(VIEW_KEYS) == set(VIEWS)


def test_a_layers_key_with_control_goes_down_to_the_layer() -> None:
    viewer = session()
    for layer, key in zip(LAYERS, LAYER_KEYS, strict=True):
        act = act_of(f"ctrl+{key}", viewer)
        assert act is not None
        act(viewer)
        assert viewer.choices.hidden_layers == set(LAYERS[: LAYERS.index(layer)])


def test_every_key_works_on_a_session() -> None:
    viewer = session()
    for key in [key for command in COMMANDS for key in command.keys] + ["p", "s", "6", "8"]:
        act = act_of(key, viewer)
        assert act is not None, key
        act(viewer)
    assert act_of("F12", viewer) is None
    assert act_of("l", viewer) is None, "the session has no lateral view"


def test_shift_and_control_are_a_part_of_the_key() -> None:
    assert key_name("Z", True, True) == "ctrl+shift+z"
    assert key_name("z", True, False) == "ctrl+z"
    assert key_name("Left", False, True) == "shift+Left"
    assert key_name("plus", False, True) == "plus"
    assert key_name("P", False, True) == "p"


def test_every_word_of_the_window_is_in_the_catalog() -> None:
    viewer = session()
    names = [item.name for item in layout.controls(viewer, layout.divided(SIZE)) if item.kind != "icon"]
    names += [command.about for command in COMMANDS]
    names += [Message(f"desktop.view.{name}") for name in VIEWS]
    assert {name.key for name in names} <= set(catalog())


def test_the_structure_under_a_pixel_has_its_full_name() -> None:
    viewer = session()
    area = layout.divided(SIZE).stage
    for pane, box in enumerate(arrange(viewer.state, (area.width, area.height)).panes):
        column, row = area.left + box.left + box.width // 2, area.top + box.top + box.height // 2
        place = place_at(viewer.state, area, column + round(0.2 * box.height), row)
        assert place is not None and place.pane == pane
        assert place.across == pytest.approx(0.4, abs=0.01)
        found = identified(viewer, place)
        assert found == "root.L5.left"
        assert name_of(found, text) == "L5 nerve root, left"
    assert place_at(viewer.state, area, 2, 300) is None


def test_what_lies_under_an_inset_is_not_picked() -> None:
    state, area = session().state, layout.divided(SIZE).stage
    panes = tuple(replace(pane, inset=Inset(ABOVE, Message("disclaimer"))) for pane in state.panes)
    inner = arrange(replace(state, panes=panes), (area.width, area.height)).insets[0]
    assert inner is not None
    pixel = area.left + inner.left + inner.width // 2, area.top + inner.top + inner.height // 2
    assert place_at(state, area, *pixel) is not None
    assert place_at(replace(state, panes=panes), area, *pixel) is None


@pytest.mark.parametrize("size", SIZES)
def test_a_coarse_picture_has_the_panes_of_the_fine_one_at_half_the_size(size: tuple[int, int]) -> None:
    state = session().state
    fine, coarse = (arrange(state, item).panes[0] for item in (size, coarse_size(state, size)))
    assert abs(fine.width / 2 - coarse.width) <= 2
    assert abs(fine.height / 2 - coarse.height) <= 1


def test_without_a_display_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(NoDisplay, match="spineviz animate"):
        show(session())
    assert issubclass(NoDisplay, RenderingUnavailable)


def test_a_vtk_that_was_told_to_open_no_window_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
    with pytest.raises(NoDisplay, match="vtkEGLRenderWindow"):
        check_display()


@pytest.fixture
def virtual_display(tmp_path: Path) -> Iterator[str]:
    server = shutil.which("Xvfb")
    if server is None:
        pytest.skip("Xvfb is not installed")
    reading, writing = os.pipe()
    with subprocess.Popen(
        [server, "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp"],
        pass_fds=[writing],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        os.close(writing)
        with os.fdopen(reading) as stream:
            number = stream.readline().strip()
        try:
            if not number:
                pytest.skip("Xvfb does not start here")
            yield f":{number}"
        finally:
            process.terminate()


def test_a_session_in_a_window_answers_keys_and_pointer(virtual_display: str) -> None:
    environment = {**os.environ, "DISPLAY": virtual_display, "OMP_NUM_THREADS": "1"}
    environment.pop("VTK_DEFAULT_OPENGL_WINDOW", None)
    done = subprocess.run(
        [sys.executable, __file__], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


class Events:
    """Sends a window the events that a display would send it."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.interactor = window.screen.interactor

    def key(self, symbol: str, control: bool = False) -> None:
        self.interactor.SetKeyEventInformation(control, 0, "\0", 0, symbol)
        self.interactor.InvokeEvent("KeyPressEvent")
        self.beat()

    def pointer(self, event: str, x: int, y: int) -> None:
        self.interactor.SetEventInformation(x, self.window.screen.size[1] - 1 - y, 0, 0, "\0", 0, "")
        self.interactor.InvokeEvent(event)

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        self.pointer("LeftButtonPressEvent", *start)
        for share in np.linspace(0, 1, 6):
            x, y = (round(a + share * (b - a)) for a, b in zip(start, end, strict=True))
            self.pointer("MouseMoveEvent", x, y)
        self.pointer("LeftButtonReleaseEvent", *end)
        self.beat()

    def beat(self) -> None:
        self.interactor.InvokeEvent("TimerEvent")


def window_session() -> None:
    """Open a window, work in it and assert that it answers; the process must have a display."""
    viewer = session()
    window = Window(viewer, SIZE)
    events = Events(window)
    window.redraw()
    shown = [window.screen.shot()]
    assert shown[0].shape == (SIZE[1], SIZE[0], 3) and shown[0].std() > 20

    def redrawn() -> bool:
        shown.append(window.screen.shot())
        return bool(np.any(shown[-1] != shown[-2]))

    events.key("space")
    assert viewer.playing and redrawn()
    events.key("space")
    events.key("Right")
    assert viewer.playhead == 3.0 and redrawn()
    events.key("6")
    assert not viewer.state.panes[1].looks["L4"].visible and redrawn()
    events.key("z", control=True)
    assert viewer.state.panes[1].looks["L4"].visible and redrawn()
    box = arrange(viewer.state, (window.areas.stage.width, window.areas.stage.height)).panes[1]
    middle = (window.areas.stage.left + box.left + box.width // 2, box.top + box.height // 2)
    nerve = (middle[0] + round(0.2 * box.height), middle[1])
    events.drag(nerve, nerve)
    assert viewer.choices.selected == "root.L5.left" and redrawn()
    events.drag(middle, (middle[0] + 60, middle[1] + 20))
    first, second = viewer.state.panes
    assert first.camera == second.camera != BEHIND and redrawn()
    slider = window.areas.slider
    events.drag((slider.left, slider.top + 5), (slider.right + 50, slider.top + 5))
    assert viewer.playhead == viewer.timeline.seconds and redrawn()
    events.pointer("MouseMoveEvent", *middle)
    events.pointer("MouseWheelForwardEvent", *middle)
    assert viewer.camera.height < BEHIND.height
    events.key("h")
    assert window.pointing.help and redrawn()
    events.key("Escape")
    assert not window.pointing.help
    window.close()


if __name__ == "__main__":
    window_session()
