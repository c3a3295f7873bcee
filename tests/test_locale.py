"""Every text a user reads stands in the catalog, and every sentence can be filled in."""

from __future__ import annotations

import ast
import string
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import spineviz
from spineviz import assembly, directing
from spineviz.annotation import annotated
from spineviz.layers import LAYERS, structure_title
from spineviz.locale import catalog, languages, text, title, titled
from spineviz.model import Camera, Model, State
from spineviz.scene import Scene, SceneStep
from spineviz.structure import Message, Structure, Surface
from spineviz.terms import DISCS, LEVELS, SIDES
from spineviz.views import VIEWS, seen_from

PACKAGE = Path(spineviz.__file__).parent
STRUCTURES = (
    *LEVELS,
    *(f"{stem}.{disc}" for stem in ("disc", "nucleus", "herniation", "interspinous") for disc in DISCS),
    *(f"flavum.{disc}.{side}" for disc in DISCS for side in SIDES),
    *(f"root.{level}.{side}" for level in LEVELS for side in SIDES),
    *(f"{muscle}.{side}" for muscle in ("multifidus", "longissimus", "splenius") for side in SIDES),
    *("thecal_sac", "supraspinous_ligament", "posterior_longitudinal_ligament"),
    *("thoracolumbar_fascia", "subcutaneous_fat", "skin"),
)


def keys(table: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, entry in table.items():
        if isinstance(entry, Mapping):
            yield from keys(entry, f"{prefix}{name}.")
        else:
            yield prefix + name


def files(language: str) -> list[Path]:
    folder = PACKAGE / "locale"
    return [folder / f"{language}.toml", *sorted((folder / language).glob("*.toml"))]


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def message_keys() -> Iterator[tuple[str, str, bool]]:
    """Tell where in the code a Message is made, its key, and whether only the key's beginning is known."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Message"
            ):
                continue
            where = f"{path.relative_to(PACKAGE)}:{node.lineno}"
            match node.args:
                case [ast.Constant(value=str(key)), *_]:
                    yield where, key, False
                case [ast.JoinedStr(values=[ast.Constant(value=str(start)), *_]), *_]:
                    yield where, start, True


def test_every_message_of_the_code_has_a_sentence() -> None:
    known = catalog()
    missing = [
        f"{where}: {key}"
        for where, key, beginning in message_keys()
        if key not in known and not (beginning and any(name.startswith(key) for name in known))
    ]
    assert not missing


@pytest.mark.parametrize("language", languages())
def test_no_key_stands_twice(language: str) -> None:
    found = Counter(key for path in files(language) for key in keys(tomllib.loads(path.read_text("utf-8"))))
    assert [key for key, count in found.items() if count > 1] == []
    assert set(found) == set(catalog(language))


@pytest.mark.parametrize("language", languages())
def test_every_language_says_everything_with_the_same_parameters(language: str) -> None:
    english, other = catalog("en"), catalog(language)
    assert set(other) == set(english)
    assert {key: fields(sentence) for key, sentence in other.items()} == {
        key: fields(sentence) for key, sentence in english.items()
    }


@pytest.mark.parametrize("language", languages())
def test_every_sentence_can_be_filled_by_named_parameters(language: str) -> None:
    for key, sentence in catalog(language).items():
        assert sentence.strip() == sentence != "", key
        assert all(name.isidentifier() for name in fields(sentence)), key


@pytest.mark.parametrize("name", STRUCTURES)
def test_every_structure_has_a_name_to_be_read(name: str) -> None:
    sentence = text(structure_title(name))
    assert "{" not in sentence and "@" not in sentence
    assert all(part.replace("-", "–") in sentence for part in name.split(".") if part in (*DISCS, *SIDES))


def test_every_layer_and_side_has_a_name() -> None:
    assert {*(f"layer.{layer}" for layer in LAYERS), *(f"side.{side}" for side in SIDES)} <= set(catalog())


@given(st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda way: np.linalg.norm(way) > 0.1))
def test_every_direction_can_be_told_in_words(way: tuple[float, float, float]) -> None:
    assert text(seen_from(Camera((0, 0, 0), way, (0, 0, 1), 100.0)))


def said(state: State) -> Iterator[Message]:
    """Tell every message of a state."""
    panes = state.panes
    yield from (item for item in (state.title, state.view) if item is not None)
    yield from (item for pane in panes for item in (pane.heading, pane.caption) if item is not None)
    yield from (label.text for pane in panes for label in pane.labels)


@pytest.mark.parametrize("name", ["scene.lumbar_l3s1.title", "A case of my own"])
def test_every_text_of_a_scene_can_be_read(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    camera = Camera((0, 0, 0), (0, -1, 0), (0, 0, 1), 100.0)
    monkeypatch.setattr(directing, "cameras", lambda *_: dict.fromkeys(VIEWS, camera))
    surface = Surface(np.eye(3), np.array([[0, 1, 2]]))
    model = Model({item: Structure(item, "bone", surface) for item in STRUCTURES}, {}, {})
    step = SceneStep(title="scene.lumbar_l3s1.look", seconds=4.0, labels=STRUCTURES)
    scene, made = Scene(title=name, steps=(step,)), assembly.Assembly(model, ())
    play = directing.direct(scene, made)
    states = [annotated(scene, made, play.at(second)) for second in (0.0, 2.0, 4.0)]
    sentences = [text(message) for state in states for message in said(state)]
    assert len(sentences) > len(STRUCTURES)
    assert title(name) in sentences
    assert not [sentence for sentence in sentences if "{" in sentence or "@" in sentence]


def test_a_parameter_may_itself_be_a_key() -> None:
    message = Message("structure.root", (("level", "L5"), ("side", "@side.left")))
    assert text(message) == "L5 nerve root, left"


@given(st.text(alphabet=st.characters(exclude_characters="{}@")))
def test_a_parameter_stands_in_the_sentence_as_it_is(level: str) -> None:
    assert text(Message("structure.disc", (("level", level),))) == f"Disc {level}"


def test_a_parameter_with_braces_is_no_template() -> None:
    assert text(Message("structure.disc", (("level", "{0.__class__}"),))) == "Disc {0.__class__}"


def test_a_missing_text_or_parameter_is_refused() -> None:
    with pytest.raises(KeyError, match=r"locale/en\.toml has no text 'no\.such\.key'"):
        text(Message("no.such.key"))
    with pytest.raises(KeyError, match="level"):
        text(Message("structure.disc"))
    with pytest.raises(KeyError, match=r"no text 'side\.middle'"):
        text(Message("structure.disc", (("level", "@side.middle"),)))


def test_a_language_without_texts_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="no texts for the language 'xx'; there is: en"):
        catalog("xx")


@given(st.text())
def test_a_title_of_ones_own_is_shown_as_it_is(words: str) -> None:
    assume(words not in catalog())
    assert title(words) == words


@pytest.mark.parametrize("words", ["@side.left", "@@", "view.line", "{level}", "plain"])
def test_a_title_that_looks_like_a_key_or_a_template_is_shown_as_it_is(words: str) -> None:
    assert text(titled(words)) == words


def test_a_title_of_the_catalog_is_its_key() -> None:
    assert titled("scene.lumbar_l3s1.title") == Message("scene.lumbar_l3s1.title")
    assert title("scene.lumbar_l3s1.title") == catalog()["scene.lumbar_l3s1.title"]
