"""Every anatomical number says where it comes from and how sure it is."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from spineviz import measures
from spineviz.library import data_folder
from spineviz.terms import LEVELS

CONFIDENCES = {"V1", "V2", "M-high", "M-med", "D"}
ABOUT = {"source", "confidence", "unit", "note"}
FILES = sorted((data_folder("meshes") / "measures").glob("*.toml"))


def faults(table: Mapping[str, Any], path: str = "", about: Mapping[str, Any] | None = None) -> Iterator[str]:
    """Tell what is wrong with a measures file; ``about`` is what the tables around it say."""
    known = {**(about or {}), **{name: table[name] for name in ("source", "confidence") if name in table}}
    if "value" in table:
        yield from _origin(path, known)
        yield from _numbers(path, table["value"])
        yield from (f"{path}: '{name}' is no part of a measure" for name in table.keys() - ABOUT - {"value"})
        return
    for name, entry in table.items():
        where = f"{path}.{name}".lstrip(".")
        if isinstance(entry, Mapping):
            yield from faults(entry, where, known)
        elif name not in ABOUT:
            yield from _origin(where, known)
            yield from _numbers(where, entry)


def _origin(path: str, about: Mapping[str, Any]) -> Iterator[str]:
    if not str(about.get("source", "")).strip():
        yield f"{path}: no source"
    if about.get("confidence") not in CONFIDENCES:
        yield f"{path}: confidence '{about.get('confidence')}'"


def _numbers(path: str, value: object) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _numbers(path, item)
    elif value in LEVELS:
        return
    elif isinstance(value, bool) or not isinstance(value, int | float):
        yield f"{path}: {value!r} is no number"
    elif not abs(value) < 1e6:
        yield f"{path}: {value!r} is not finite"


def content(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_measure_has_a_source_and_a_confidence(path: Path) -> None:
    assert not list(faults(content(path)))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_source_is_a_place_on_somebodys_disk(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not [word for word in ("/work", "/home", "../", "\\\\", "facts.md") if word in text]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[a]\nb = { value = 1, confidence = "V1" }', "a.b: no source"),
        ('[a]\nb = { value = 1, source = "x" }', "a.b: confidence 'None'"),
        ('[a]\nb = { value = 1, source = "x", confidence = "M-low" }', "a.b: confidence 'M-low'"),
        ('[a]\nsource = " "\nconfidence = "D"\nb = 1', "a.b: no source"),
        ('[a]\nsource = "x"\nconfidence = "D"\nb = "1"', "a.b: '1' is no number"),
        ('[a]\nsource = "x"\nconfidence = "D"\nb = [1, nan]', "a.b: nan is not finite"),
        (
            '[a]\nb = { value = 1, source = "x", confidence = "D", sorce = "y" }',
            "a.b: 'sorce' is no part of a measure",
        ),
    ],
)
def test_a_measure_without_origin_would_be_found(text: str, fault: str) -> None:
    assert list(faults(tomllib.loads(text))) == [fault]


def test_a_tables_origin_holds_for_what_stands_inside() -> None:
    text = '[a]\nsource = "x"\nconfidence = "V1"\n[a.b]\nc = 1\nd = [[1, 2], [3, 4]]'
    assert not list(faults(tomllib.loads(text)))


def test_all_files_are_read_as_one() -> None:
    assert set(measures.everything()) == {name for path in FILES for name in content(path)}


def test_no_table_stands_in_two_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "measures").mkdir()
    for name in ("one", "two"):
        (tmp_path / "measures" / f"{name}.toml").write_text("[same]\na = 1\n")
    monkeypatch.setattr(measures, "data_folder", lambda name: tmp_path)
    with pytest.raises(ValueError, match=r"two\.toml: the table \[same\] stands in another"):
        measures.everything.__wrapped__()


def test_a_value_is_found_by_its_path() -> None:
    assert measures.value("alignment.sacral_slope") == 32.6
    assert measures.value("disc_mesh.disc") == measures.table("disc_mesh")["disc"]


def test_a_table_holds_values_and_nothing_about_them() -> None:
    disc = measures.table("discs.L4-L5")
    assert set(disc) == {"height_middle", "wedge"}
    assert all(isinstance(item, float) for item in disc.values())
    assert not ABOUT & set(measures.table("vertebrae.L4"))
    assert isinstance(measures.table("vertebrae.L4")["body"], dict)


def test_a_misspelt_measure_is_refused_with_what_there_is() -> None:
    with pytest.raises(
        KeyError, match=r"no 'heigth' in 'discs\.L4-L5\.heigth'; there is: height_middle, wedge"
    ):
        measures.value("discs.L4-L5.heigth")
    with pytest.raises(KeyError, match="is a table; name one of: height_middle, wedge"):
        measures.value("discs.L4-L5")
    with pytest.raises(KeyError, match="is a single value, not a table"):
        measures.table("alignment.sacral_slope")
    with pytest.raises(KeyError, match="there is: nothing"):
        measures.value("disc_mesh.disc.deeper")


def test_nobody_can_change_the_measures() -> None:
    with pytest.raises(TypeError):
        measures.everything()["alignment"] = {}  # type: ignore[index]
    measures.table("discs.L4-L5")["wedge"] = 99.0
    assert measures.value("discs.L4-L5.wedge") != 99.0
