"""A scene file is read strictly, and says what is wrong where."""

import json
import re
from pathlib import Path

import pytest

from spineviz import scene
from spineviz.locale import catalog
from spineviz.scene import Scene, SceneError, dumps, load, loads

HERNIATION = '[[pathologies]]\nkind = "herniation"\ndisc = "L4-L5"\nside = "left"\n'


@pytest.mark.parametrize("name", scene.names())
def test_a_shipped_scene_survives_the_round_trip(name: str) -> None:
    shipped = load(name)
    assert loads(dumps(shipped)) == shipped
    assert hash(loads(dumps(shipped))) == hash(shipped)


@pytest.mark.parametrize("name", scene.names())
def test_every_title_of_a_shipped_scene_stands_in_the_catalog(name: str) -> None:
    shipped = load(name)
    assert shipped.title in catalog()
    assert all(step.title in catalog() for step in shipped.steps)


def test_the_committed_schema_is_the_schema() -> None:
    committed = (scene.data_folder("scenes") / "schema.json").read_text("utf-8")
    assert committed == scene.schema(), "run: spineviz schema > scenes/schema.json"
    assert json.loads(committed)["additionalProperties"] is False


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('title = "a"\ncolour = 3', r"colour: unknown field; allowed: .*camera.*title"),
        ('title = "a"\ncamera = "below"', r"camera: input should be 'posterior', 'oblique'"),
        ('title = "a"\n[anatomy]\nfirst = "L9"', r"anatomy\.first: input should be 'L3', 'L4', 'L5' or 'S1'"),
        ('title = "a"\n[anatomy]\nfirst = "S1"\nlast = "L3"', r"first \(S1\) lies below last \(L3\)"),
        ('title = "a"\n' + HERNIATION + "depth = -4", r"pathologies\[0\].*depth: .*greater than"),
        ('title = "a"\n' + HERNIATION + "depth = 90", r"pathologies\[0\].*depth: .*less than"),
        ('title = "a"\n' + HERNIATION + "size = 3", r"pathologies\[0\].*size: unknown field; allowed: .*depth"),
        ("camera = 'posterior'", r"title: this field is needed"),
        ("title = ", r"not valid TOML"),
    ],
)
def test_a_wrong_scene_is_refused_with_place_and_remedy(text: str, expected: str) -> None:
    with pytest.raises(SceneError) as caught:
        loads(text, "my.toml")
    assert re.search(r"^my\.toml: .*" + expected, str(caught.value), re.DOTALL)


def test_a_missing_scene_names_those_that_exist() -> None:
    with pytest.raises(SceneError, match="shipped scenes: .*herniation_l4l5"):
        load("nonsense")
    with pytest.raises(SceneError, match="no such file"):
        load("nonsense.toml")


def test_a_mesh_file_is_looked_for_beside_the_scene(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('title = "a"\n[anatomy.bones.L3]\nfile = "l3.ply"\n')
    read = load(tmp_path / "own.toml")
    assert read.anatomy.bones.L3 is not None
    assert Path(read.anatomy.bones.L3.file) == tmp_path / "l3.ply"


def test_three_approaches_at_once_are_refused() -> None:
    entry = '[[approaches]]\nkind = "tubular_microdiscectomy"\n'
    with pytest.raises(SceneError, match="approaches: .*at most 2"):
        loads('title = "a"\n' + 3 * entry)


def test_a_scene_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load("herniation_l4l5").title = "other"  # type: ignore[misc]
    assert Scene.model_config["extra"] == "forbid"
