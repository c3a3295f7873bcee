"""From health to disease in one camera: what both bodies have moves, and what disease makes grows."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from stand_ins import ball

import spineviz
from spineviz.assembly import Assembly
from spineviz.directing import direct
from spineviz.model import Camera, Look, Model, Pane
from spineviz.morphing import HEALTH, at_severity, morphing, severity_of
from spineviz.pathology import Herniation
from spineviz.scene import Scene, SceneStep
from spineviz.structure import Floats, Structure, Surface

CAMERA = Camera((0.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, 1.0), 80.0)


def coarse(radius: float) -> Surface:
    """Return a ball of other triangles than those of healthy structures."""
    mesh = trimesh.creation.icosphere(2, radius)
    return Surface(mesh.vertices, mesh.faces)


def pair() -> tuple[Model, Model]:
    """A body whose disc has grown, whose root has moved, with displaced disc; and the same body in health."""
    well = {
        "disc.L4-L5": Structure("disc.L4-L5", "annulus", ball((0.0, 0.0, 0.0), 10.0)),
        "root.L5.left": Structure("root.L5.left", "nerve", ball((0.0, -14.0, 0.0), 3.0)),
        "L4": Structure("L4", "bone", ball((0.0, 0.0, 20.0), 9.0)),
    }
    ill = {
        "disc.L4-L5": Structure("disc.L4-L5", "annulus", coarse(12.0)),
        "root.L5.left": Structure("root.L5.left", "nerve", ball((0.0, -18.0, 0.0), 3.0)),
        "L4": well["L4"],
        "herniation.L4-L5": Structure("herniation.L4-L5", "fragment", ball((0.0, -12.0, 0.0), 3.0)),
    }
    return Model(ill, {}, {}), Model(well, {}, {})


def whole() -> Model:
    ill, well = pair()
    return morphing(Assembly(ill, ()), Assembly(well, ())).model


def vertices(model: Model, name: str, share: float) -> Floats:
    pane = at_severity(Pane({name: Look() for name in model.structures}, CAMERA), share, model)
    return model.vertices(name, pane.looks[name])


def test_all_of_a_disease_is_its_own_shape_and_none_of_it_the_healthy_one() -> None:
    model, (ill, well) = whole(), pair()
    for name in ("root.L5.left", "disc.L4-L5"):
        assert np.allclose(vertices(model, name, 1.0), ill.structures[name].surface.vertices, atol=1e-5)
    root = well.structures["root.L5.left"].surface.vertices
    assert np.allclose(vertices(model, "root.L5.left", 0.0), root, atol=1e-5)
    radii = np.linalg.norm(vertices(model, "disc.L4-L5", 0.0), axis=1)
    assert np.abs(radii - 10.0).max() < 0.6


def test_what_disease_leaves_as_it_is_does_not_move() -> None:
    assert ("L4", HEALTH) not in whole().warps


def test_displaced_disc_grows_out_of_its_disc_and_is_not_there_in_health() -> None:
    model = whole()
    reach = [-vertices(model, "herniation.L4-L5", share)[:, 1].min() for share in (0.0, 0.5, 1.0)]
    assert reach[0] < 10.5 and np.all(np.diff(reach) > 1.0)
    pane = Pane({name: Look() for name in model.structures}, CAMERA)
    assert not at_severity(pane, 0.0, model).looks["herniation.L4-L5"].visible
    assert at_severity(pane, 0.5, model).looks["herniation.L4-L5"].visible
    assert severity_of(at_severity(pane, 0.3, model)) == pytest.approx(0.3)


def test_steps_bring_a_disease_and_scrubbing_backwards_equals_forwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("spineviz.directing.cameras", lambda *_: {"posterior": CAMERA})
    steps = (
        SceneStep(title="a", seconds=2.0),
        SceneStep(title="b", seconds=4.0, severity=1.0),
        SceneStep(title="c", seconds=2.0),
    )
    scene = Scene(title="a", pathologies=(Herniation(),), severity=0.0, steps=steps)
    timeline = direct(scene, Assembly(whole(), ()))
    seconds = np.linspace(0.0, 8.0, 17)
    forwards = [severity_of(timeline.at(second).panes[0]) for second in seconds]
    backwards = [severity_of(timeline.at(second).panes[0]) for second in seconds[::-1]][::-1]
    assert forwards == backwards and forwards[0] == 0.0 and forwards[4] == 0.0 and forwards[-1] == 1.0
    assert np.all(np.diff(forwards) >= 0.0) and 0.4 < forwards[8] < 0.6


def test_severity_is_that_of_one_body_with_a_disease() -> None:
    for scene in (spineviz.load("lumbar_l3s1"), spineviz.load("herniation_types")):
        with pytest.raises(ValueError, match="add a pathology, and take compare"):
            scene.at_severity(0.5)
    with pytest.raises(ValueError, match="less than or equal to 1"):
        spineviz.load("herniation_l4l5").at_severity(1.5)


def test_a_film_of_any_disease_begins_in_health() -> None:
    scene = spineviz.herniation("L4-L5 left extrusion").growing().scene
    assert scene.severity == 0.0 and [step.severity for step in scene.steps] == [0.0, 1.0, None]
    assert len({step.camera for step in scene.steps}) == 1
