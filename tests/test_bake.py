"""The baked library is whole at every moment, and what is damaged is built instead."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spineviz import library
from spineviz.assembly import fingerprint
from spineviz.body import bake, marks, proof
from spineviz.scene import Scene
from spineviz.structure import Frame, Structure, Surface

LIGHT = Surface(np.eye(3) / 2, np.array([[0, 1, 2]]), normals=np.eye(3))
SURFACE = Surface(np.eye(3), np.array([[0, 1, 2]]), tint=np.array([0.0, 0.5, 1.0]))
FOUND = {"L4": ("a shape", {"canal": Frame(np.array([0.1, 1.0 / 3.0, 2.0]), np.eye(3))})}
NAMES = ("L4", "disc.L4-L5", "root.L5.left")


def told(_: str) -> None:
    pass


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A library of three triangles."""

    def fresh(tell: Callable[[str], None]) -> Mapping[str, Structure]:
        for name in NAMES:
            tell(name)
        return {name: Structure(name, "bone", SURFACE, light=LIGHT) for name in NAMES}

    monkeypatch.setattr(bake, "_fresh", fresh)
    monkeypatch.setattr(bake, "_landmarks", lambda: FOUND)
    monkeypatch.setattr(proof, "departures", lambda baked: [])
    monkeypatch.setattr(library, "data_folder", lambda name: tmp_path)
    monkeypatch.setattr(library, "recipe", lambda: "now")
    monkeypatch.setattr(library, "sources", lambda: "now, to the letter")
    bake.bake(told)
    yield tmp_path
    forget()


def forget() -> None:
    """Read the library anew, as another process does."""
    for known in (library.told, marks._all, bake.shelf):
        known.cache_clear()


def refreshed() -> Mapping[str, Structure]:
    forget()
    return bake.shelf()


def test_what_was_baked_stands_on_the_shelf(folder: Path) -> None:
    assert tuple(bake.shelf()) == NAMES
    stored = bake.shelf()["L4"]
    assert np.array_equal(stored.surface.vertices, SURFACE.vertices)
    assert stored.light is not None and np.array_equal(stored.light.vertices, LIGHT.vertices)
    assert (stored.tissue, stored.side) == ("bone", None)
    assert bake.check().startswith("3 structures agree")
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["catalog.toml", "landmarks.json", *(f"{name}.npz" for name in NAMES)]
    )


def test_landmarks_come_back_as_they_were_found_for_the_same_shape_only() -> None:
    kept = marks.kept("L4", "a shape")
    assert kept is not None
    assert np.array_equal(kept["canal"].origin, FOUND["L4"][1]["canal"].origin)
    assert marks.kept("L4", "another shape") is None and marks.kept("L3", "a shape") is None


def test_landmarks_of_another_generator_or_a_damaged_file_are_not_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(library, "recipe", lambda: "later")
        patch.setattr(library, "sources", lambda: "later, to the letter")
        forget()
        assert marks.kept("L4", "a shape") is None
    (folder / "landmarks.json").write_text('{"bones": 3')
    forget()
    assert marks.kept("L4", "a shape") is None


def test_the_check_tells_of_a_landmark_that_has_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    moved = {"L4": ("a shape", {"canal": Frame(np.array([0.1, 0.4, 2.0]), np.eye(3))})}
    monkeypatch.setattr(bake, "_landmarks", lambda: moved)
    with pytest.raises(ValueError, match=r"L4: its landmarks in landmarks\.json"):
        bake.check()


def test_baking_tells_how_far_it_is() -> None:
    lines: list[str] = []
    bake.bake(lines.append)
    assert [line for line in lines if line in NAMES] == list(NAMES)
    assert len(lines) == len(NAMES) + 2


def test_a_structure_is_opened_once_and_only_when_it_is_asked_for() -> None:
    shelf = bake.shelf()
    assert len(shelf) == 3 and "L4" in shelf and "L9" not in shelf
    assert shelf["L4"] is shelf["L4"]
    with pytest.raises(KeyError):
        shelf["L9"]


def test_the_shelf_of_another_generator_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "recipe", lambda: "later")
    assert refreshed(), "to the letter it is the same"
    monkeypatch.setattr(library, "sources", lambda: "later, to the letter")
    assert refreshed() == {}
    with pytest.raises(ValueError, match="run: spineviz bake"):
        bake.check()


def test_the_shelf_of_a_generator_that_says_the_same_in_other_letters_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(library, "sources", lambda: "with a comment more")
    assert tuple(refreshed()) == NAMES


def test_what_departs_from_the_generator_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "departures", lambda baked: ["L4: too large"])
    with pytest.raises(ValueError, match=r"(?s)^L4: too large\n.*run: spineviz bake"):
        bake.check()


def test_a_catalogue_that_tells_other_facts_of_a_mesh_is_found_out(folder: Path) -> None:
    path = folder / "catalog.toml"
    path.write_text(path.read_text("utf-8").replace("triangles_light = 1", "triangles_light = 2", 1))
    with pytest.raises(ValueError, match=r"^L4: the catalogue tells other facts"):
        bake.check()


@pytest.mark.parametrize("damage", [None, b"", b"PK damaged", "short", "flipped"])
def test_a_damaged_file_counts_as_no_library(folder: Path, damage: bytes | str | None) -> None:
    path = folder / "L4.npz"
    data = bytearray(path.read_bytes())
    path.unlink()
    if isinstance(damage, bytes):
        path.write_bytes(damage)
    elif damage == "short":
        path.write_bytes(data[:-40])
    elif damage == "flipped":
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    assert refreshed() == {}
    with pytest.raises(ValueError, match=r"L4\.npz: differs from .*run: spineviz bake"):
        bake.check()


@pytest.mark.parametrize("text", ["", "recipe = ", 'recipe = "now"\n', 'recipe = "now"\nstructures = 3\n'])
def test_a_damaged_catalogue_counts_as_no_library(folder: Path, text: str) -> None:
    (folder / "catalog.toml").write_text(text)
    assert refreshed() == {}
    (folder / "catalog.toml").unlink()
    assert refreshed() == {}
    with pytest.raises(FileNotFoundError, match="no baked library; run: spineviz bake"):
        bake.check()


@pytest.mark.parametrize("moment", range(4))
def test_a_bake_that_is_broken_off_leaves_a_catalogue_whose_files_are_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    written: list[Path] = []
    write = library.write_whole

    def broken(path: Path, content: Callable[..., object]) -> None:
        if len(written) == moment:
            raise KeyboardInterrupt
        written.append(path)
        write(path, content)

    monkeypatch.setattr(library, "write_whole", broken)
    with pytest.raises(KeyboardInterrupt):
        bake.bake(told)
    catalog = tomllib.loads((folder / "catalog.toml").read_text("utf-8"))
    assert all((folder / f"{name}.npz").is_file() for name in catalog["structures"])
    assert tuple(refreshed()) == NAMES
    assert not list(folder.glob(".*"))


def test_what_is_baked_no_more_is_taken_away_at_the_end(folder: Path) -> None:
    (folder / "aorta.npz").write_bytes(b"old")
    bake.bake(told)
    assert not (folder / "aorta.npz").exists()
    assert tuple(bake.shelf()) == NAMES


def test_what_is_built_of_another_library_is_kept_under_another_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "full_recipe", lambda: "now")
    monkeypatch.setattr(sys.modules[__name__], "SURFACE", replace(SURFACE, vertices=np.eye(3) * 1.01))
    before = fingerprint(Scene(title="a"))
    forget()
    assert fingerprint(Scene(title="a")) == before
    bake.bake(told)
    assert fingerprint(Scene(title="a")) != before


def test_a_process_keeps_to_the_library_that_it_saw_first_while_another_one_bakes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "full_recipe", lambda: "now")
    before = fingerprint(Scene(title="a"))
    catalog = folder / "catalog.toml"
    catalog.write_text(catalog.read_text("utf-8").replace("triangles = 1", "triangles = 2"), "utf-8")
    bake.shelf.cache_clear()
    assert fingerprint(Scene(title="a")) == before
    (folder / "L4.npz").write_bytes(b"baked meanwhile")
    bake.shelf.cache_clear()
    assert bake.shelf() == {}, "neither the old library nor the new one, and not one mixed of both"
