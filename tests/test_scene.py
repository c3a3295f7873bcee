"""A scene file is read strictly, and says what is wrong where."""

import json
import re
from pathlib import Path

import pytest

from spineviz import scene
from spineviz.layers import LAYERS
from spineviz.library import data_folder
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


def test_a_scene_says_in_words_which_layers_are_shown() -> None:
    text = 'title = "a"\nshow = "down to the fascia"\nhide = ["nerves"]\n[[steps]]\ntitle = "b"\n'
    told = loads(text + 'show = "only bones, discs"\n')
    assert told.hidden == ("skin", "fat", "dura", "nerves")
    assert set(told.steps[0].hidden) == set(LAYERS) - {"bones", "discs"}
    assert loads(dumps(told)) == told
    assert loads('title = "a"').hidden == ()


def test_the_committed_schema_is_the_schema() -> None:
    committed = (data_folder("scenes") / "schema.json").read_text("utf-8")
    assert committed == scene.schema(), "run: spineviz schema > scenes/schema.json"
    assert json.loads(committed)["additionalProperties"] is False


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('title = "a"\ncolour = 3', r"colour: unknown field; allowed: .*camera.*title"),
        ('title = "a"\ncamera = "below"', r"camera: input should be 'posterior', 'oblique'"),
        ('title = "a"\n[anatomy]\nfirst = "L9"', r"anatomy\.first: input should be 'C1', 'C2', .* or 'Co1'"),
        ('title = "a"\n[anatomy]\nfirst = "S1"\nlast = "L3"', r"first \(S1\) lies below last \(L3\)"),
        ('title = "a"\n' + HERNIATION + "depth = -4", r"pathologies\[0\].*depth: .*greater than"),
        ('title = "a"\n' + HERNIATION + "depth = 90", r"pathologies\[0\].*depth: .*less than"),
        (
            'title = "a"\n' + HERNIATION + "size = 3",
            r"pathologies\[0\].*size: unknown field; allowed: .*depth",
        ),
        ("camera = 'posterior'", r"title: this field is needed"),
        ('title = "a"\nviews = ["lateral"]', r"views: name two or more"),
        (
            'title = "a"\nviews = ["lateral", "anterior"]\n[[compare]]\ntitle = "b"',
            r"views: they show one body",
        ),
        ("title = ", r"not valid TOML"),
    ],
)
def test_a_wrong_scene_is_refused_with_place_and_remedy(text: str, expected: str) -> None:
    with pytest.raises(SceneError) as caught:
        loads(text, "my.toml")
    assert re.search(r"^my\.toml: .*" + expected, str(caught.value), re.DOTALL)


def test_a_missing_scene_names_those_that_exist() -> None:
    with pytest.raises(SceneError, match=r"shipped scenes: .*herniation_l4l5"):
        load("nonsense")
    with pytest.raises(SceneError, match="no such file"):
        load("nonsense.toml")


def test_a_mesh_file_is_looked_for_beside_the_scene(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('title = "a"\n[anatomy.bones.L3]\nfile = "l3.ply"\n')
    read = load(tmp_path / "own.toml")
    assert read.anatomy.bones["L3"] is not None
    assert Path(read.anatomy.bones["L3"].file) == tmp_path / "l3.ply"


TUBULAR = '[[approaches]]\nkind = "tubular_microdiscectomy"\ndisc = "{}"\nside = "{}"\n'
OPEN = '[[approaches]]\nkind = "open_midline_discectomy"\ndisc = "{}"\nside = "{}"\n'
AT_L4 = "[anatomy]\nfirst = {!r}\nlast = {!r}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (AT_L4.format("L5", "S1") + HERNIATION, r"pathologies\[0\]: the disc L4-L5 is not shown.*L5 to S1"),
        (AT_L4.format("L3", "L4") + HERNIATION, r"pathologies\[0\]: the disc L4-L5 is not shown.*L3 to L4"),
        (
            AT_L4.format("L3", "L5") + HERNIATION + TUBULAR.format("L5-S1", "left"),
            r"approaches\[0\]: the disc L5-S1 is not shown.*widen",
        ),
        (
            TUBULAR.format("L4-L5", "left"),
            r"approaches\[0\]: it removes a herniation, and the scene has none",
        ),
        (HERNIATION + "depth = 0\n" + OPEN.format("L4-L5", "left"), r"approaches\[0\]: .*has none"),
        (
            HERNIATION + TUBULAR.format("L5-S1", "left"),
            r"approaches\[0\]: .*L5-S1, left.*is at the disc L4-L5, left",
        ),
        (
            HERNIATION + TUBULAR.format("L4-L5", "right"),
            r"approaches\[0\]: .*L4-L5, right.*is at the disc L4-L5, left",
        ),
        (
            HERNIATION + 'zone = "foraminal"\n' + TUBULAR.format("L4-L5", "left"),
            r"approaches\[0\]: it reaches protrusion or extrusion, central, paracentral or subarticular; .*"
            "is: foraminal, extrusion",
        ),
        (
            HERNIATION + 'morphology = "sequestration"\n' + OPEN.format("L4-L5", "left"),
            r"approaches\[0\]: it reaches .*is: subarticular, sequestration",
        ),
        (
            HERNIATION + TUBULAR.format("L4-L5", "left") + OPEN.format("L4-L5", "right"),
            r"approaches\[1\]: .*L4-L5, right.*is at the disc L4-L5, left",
        ),
        (
            HERNIATION
            + HERNIATION.replace("left", "right")
            + TUBULAR.format("L4-L5", "left")
            + OPEN.format("L4-L5", "right"),
            "approaches: two are compared at the same disc and on the same side",
        ),
    ],
)
def test_an_approach_that_misses_its_disease_is_refused(text: str, expected: str) -> None:
    with pytest.raises(SceneError) as caught:
        loads('title = "a"\n' + text, "my.toml")
    assert re.search(r"^my\.toml: .*" + expected, str(caught.value), re.DOTALL)


@pytest.mark.parametrize("disc", ["L3-L4", "L4-L5", "L5-S1"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_two_approaches_to_one_herniation_are_compared(disc: str, side: str) -> None:
    herniation = HERNIATION.replace("L4-L5", disc).replace("left", side)
    read = loads('title = "a"\n' + herniation + TUBULAR.format(disc, side) + OPEN.format(disc, side))
    assert {(entry.disc, entry.side) for entry in read.approaches} == {(disc, side)}


COMPARED = '[[compare]]\ntitle = "b"\n' + HERNIATION.replace("[[pathologies]]", "[[compare.pathologies]]")


def test_a_compared_body_has_pathologies_of_its_own() -> None:
    read = loads('title = "a"\n' + COMPARED + '[[compare]]\ntitle = "healthy"\n')
    assert [len(body.pathologies) for body in read.compare] == [1, 0]
    assert read.diseased and not read.pathologies
    assert loads(dumps(read)) == read


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (AT_L4.format("L5", "S1") + COMPARED, r"compare\[0\]\.pathologies\[0\]: the disc L4-L5 is not shown"),
        (COMPARED + HERNIATION, r"compare: a pathology belongs to one of the bodies"),
        (
            COMPARED.replace('"b"\n', '"b"\nvariant = "six_lumbar"\n'),
            r"variant: soft tissue is drawn for five",
        ),
    ],
)
def test_a_pathology_that_no_compared_body_can_have_is_refused(text: str, expected: str) -> None:
    with pytest.raises(SceneError, match=expected):
        loads('title = "a"\n' + text)


def test_three_approaches_at_once_are_refused() -> None:
    entry = '[[approaches]]\nkind = "tubular_microdiscectomy"\n'
    with pytest.raises(SceneError, match=r"approaches: .*at most 2"):
        loads('title = "a"\n' + 3 * entry)


def test_a_scene_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load("herniation_l4l5").title = "other"  # type: ignore[misc]
    assert Scene.model_config["extra"] == "forbid"


def test_two_rows_are_for_several_bodies() -> None:
    with pytest.raises(ValueError, match="three to five bodies"):
        Scene.model_validate({"title": "a", "rows": 2})
