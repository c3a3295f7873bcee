"""How a scene without an operation fills its picture: one body from several sides, and where labels touch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image
from skimage import measure
from stand_ins import ball
from standing import bones

from spineviz.assembly import Assembly
from spineviz.directing import direct
from spineviz.export.plate import write_plate
from spineviz.framing import cameras, label_places
from spineviz.locale import text
from spineviz.model import Look, Message, Model, State
from spineviz.production import Production
from spineviz.render.picture import placed_labels, told_labels
from spineviz.render.projection import Box, pixels_per_mm, project
from spineviz.render.stage import Stage
from spineviz.render.troupe import LIGHT, SMALL
from spineviz.scene import Scene, SceneStep
from spineviz.structure import Structure, Surface
from spineviz.viewer.choices import Choices, adjusted
from spineviz.views import overviews

PANE = Box(0, 0, 420, 660)


def body() -> Model:
    """Three balls on a line from the head down, the middle one with a larger ball before it."""
    places = {"L3": (0.0, 0.0, 60.0), "L4": (0.0, 0.0, 20.0), "L5": (0.0, 0.0, -20.0)}
    items = {name: Structure(name, "bone", ball(place, 15.0)) for name, place in places.items()}
    items["S1"] = Structure("S1", "bone", ball((12.0, 24.0, 20.0), 11.0))
    return Model(items, {}, bones(), {})


def several() -> tuple[Scene, Assembly]:
    step = SceneStep(title="a", labels=("L3", "L4", "S1"))
    scene = Scene(title="a", views=("anterior", "lateral", "posterior"), steps=(step,))
    model = body()
    return scene, Assembly(model, (), label_places(scene, model))


def end(scene: Scene, assembly: Assembly) -> State:
    return direct(scene, assembly).at(4.0)


def test_views_of_one_body_stand_beside_each_other_at_one_scale_and_height() -> None:
    scene, assembly = several()
    state = end(scene, assembly)
    assert state.layout == "views" and len(state.panes) == 3
    assert len({pane.camera.height for pane in state.panes}) == 1
    assert [pane.heading.key for pane in state.panes if pane.heading] == [
        "from.front",
        "from.left",
        "from.behind",
    ]
    top = np.array([[0.0, 0.0, 75.0]])
    heights = [project(pane.camera, top, PANE)[0][0, 1] for pane in state.panes]
    assert np.ptp(heights) < 5.0


@pytest.mark.parametrize("panes", [1, 3])
def test_an_overview_fills_its_picture_and_cuts_nothing_off(panes: int) -> None:
    vertices = np.vstack([item.surface.vertices for item in body().structures.values()])
    width = 1280 // panes
    for view, camera in overviews(vertices, "left", panes).items():
        pixels, _ = project(camera, vertices, Box(0, 0, width, 660))
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        assert (low > 0).all() and high[0] < width and high[1] < 660
        assert max((high - low)[1] / 660, (high - low)[0] / width) > 0.7, view


def test_a_label_touches_its_structure_where_nothing_hides_it() -> None:
    scene, assembly = several()
    with Stage((1280, 800)) as stage:
        stage.show(assembly.model, end(scene, assembly))
        stage.image()
        assert [any(pane) for pane in stage.hidden()] == [False, False, False]
    anterior = scene.steps[0].model_copy(update={"camera": "anterior"})
    place = assembly.anchors[anterior, "L4"]
    assert np.hypot(place[0] - 12.0, place[2] - 20.0) > 10.0, "beside what stands before it"


def test_labels_of_several_views_stand_in_one_column_and_name_levels_alone() -> None:
    scene, assembly = several()
    pane = end(scene, assembly).panes[0]
    assert [label.text.key for label in pane.labels] == ["label.level", "label.level", "structure.S1"]
    placed = placed_labels(pane, PANE, 1.0, lambda message: message.key, left_only=True)
    assert {label.column for label in placed} == {"left"} and len(placed) == 3


def test_a_label_stands_only_in_the_views_that_show_what_it_names() -> None:
    scene, assembly = several()
    state = end(scene, assembly)
    hidden = [[True, True, False], [True, False, False], [True, False, False]]
    names = [[text(label.text) for label, _ in pane] for pane in told_labels(state, hidden)]
    every = ["L3", "L4", "Sacrum"]
    assert names == [["L3", "Sacrum"], every, every], "L3 is seen nowhere: its ring stays everywhere"
    beside = replace(state, layout="twin")
    assert [len(pane) for pane in told_labels(beside, hidden)] == [3, 3, 3]


def test_the_named_cameras_are_those_of_the_panes() -> None:
    scene, assembly = several()
    named = cameras(assembly.model, scene)
    assert [named[view] for view in scene.views] == [pane.camera for pane in end(scene, assembly).panes]


def test_turning_one_of_several_views_shows_it_alone() -> None:
    scene, assembly = several()
    state = end(scene, assembly)
    turned = replace(state.panes[1].camera, direction=(0.0, -1.0, 0.0))
    alone = adjusted(state, Choices(camera=turned))
    assert alone.layout == "one" and [pane.camera for pane in alone.panes] == [turned]
    assert len(adjusted(state, Choices()).panes) == 3


def test_one_view_asked_for_by_name_is_drawn_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    scene, assembly = several()
    monkeypatch.setattr(Production, "assembly", assembly)
    for view in ("lateral", "superior"):
        state = Production(scene).state(4.0, view)
        assert state.layout == "one" and len(state.panes) == 1
        assert state.panes[0].camera == cameras(assembly.model, scene)[view]
        assert state.view is not None and state.view.key == "view.range"


def test_a_plate_shows_every_bone_of_the_spine_from_four_sides(tmp_path: Path) -> None:
    path = write_plate(tmp_path / "plate.png", body(), Message("plate.title"), text)
    assert [item.name for item in tmp_path.iterdir()] == ["plate.png"]
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    warm = pixels[..., 0] - pixels[..., 2] > 12  # bone, not paper and not words
    assert (np.bincount(measure.label(warm.astype(np.int8)).ravel())[1:] > 1000).sum() == 4 * 4


def test_a_plate_of_no_bones_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="this scene has none"):
        write_plate(tmp_path / "plate.png", Model({}, {}, {}), Message("plate.title"), text)
    assert not list(tmp_path.iterdir())


def lit() -> Model:
    """A ball of many triangles and a light one of few, with the normals of the ball."""
    fine, coarse = (trimesh.creation.icosphere(count, 40.0) for count in (5, 3))
    full, light = (
        Surface(item.vertices, item.faces, normals=item.vertices / 40.0) for item in (fine, coarse)
    )
    return Model({"L4": Structure("L4", "bone", full, light=light)}, {}, {})


def shown(model: Model, height: float, size: tuple[int, int] = (640, 400)) -> tuple[np.ndarray, set[str]]:
    scene, assembly = several()
    pane = replace(end(scene, assembly).panes[0], looks={"L4": Look()}, labels=())
    camera = replace(pane.camera, focus=(0.0, 0.0, 0.0), height=height)
    with Stage(size) as stage:
        stage.show(model, State((replace(pane, camera=camera),)))
        keys = {variant for view in stage._views for _, variant in view.troupes[0].figures}
        return stage.image().astype(int), keys


def test_the_light_mesh_is_drawn_where_a_structure_is_small_and_nobody_sees_it() -> None:
    model = lit()
    heavy = replace(model, structures={"L4": replace(model.structures["L4"], light=None)})
    (small, keys), (full, others) = shown(model, 250.0), shown(heavy, 250.0)
    assert (keys, others) == ({LIGHT}, {""})
    assert (np.abs(small - full).max(axis=2) > 16).mean() < 0.001
    plain = {"L4": replace(model.structures["L4"], light=None, surface=ball((0, 0, 30.0), 40.0))}
    assert (np.abs(shown(replace(model, structures=plain), 250.0)[0] - full).max(axis=2) > 16).mean() > 0.01


def test_the_full_mesh_is_drawn_where_a_structure_is_large() -> None:
    height = 400 / (1.5 * SMALL)
    assert pixels_per_mm(replace(end(*several()).panes[0].camera, height=height), Box(0, 0, 640, 400)) > SMALL
    assert shown(lit(), height)[1] == {""}


def test_a_structure_that_is_warped_or_resected_is_drawn_as_it_is_however_small() -> None:
    model = lit()
    item = replace(model.structures["L4"], variants={"cut": model.structures["L4"].surface})
    model = replace(model, structures={"L4": item})
    pane = replace(end(*several()).panes[0], looks={"L4": Look(variant="cut")}, labels=())
    with Stage((640, 400)) as stage:
        stage.show(model, State((pane,)))
        assert {variant for _, variant in stage._views[0].troupes[0].figures} == {"cut"}
