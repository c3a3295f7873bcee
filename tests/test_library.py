"""Files appear whole or not at all, and the cache never shows what is damaged."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from spineviz import library
from spineviz.assembly import Assembly
from spineviz.directing import direct
from spineviz.library import (
    cache_folder,
    data_folder,
    digest,
    folded,
    full_recipe,
    read_object,
    read_surfaces,
    recipe,
    replacing,
    sources,
    unfolded,
    write_object,
    write_surfaces,
    write_whole,
)
from spineviz.scene import load
from spineviz.structure import Frame, Surface

SURFACE = Surface(
    np.arange(12.0).reshape(4, 3),
    np.array([[0, 1, 2], [0, 2, 3]]),
    tint=np.linspace(0, 1, 4),
    occlusion=np.ones(4),
)


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("before", [None, b"old"])
def test_a_write_that_breaks_off_leaves_everything_as_it_was(
    tmp_path: Path, error: type[BaseException], before: bytes | None
) -> None:
    path = tmp_path / "made.npz"
    if before is not None:
        path.write_bytes(before)

    def write(stream: BinaryIO) -> None:
        stream.write(b"half")
        raise error

    with pytest.raises(error):
        write_whole(path, write)
    assert {item.name: item.read_bytes() for item in tmp_path.iterdir()} == (
        {} if before is None else {"made.npz": before}
    )


def test_a_write_replaces_the_file_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "made.bin"
    for content in (b"first", b"second"):
        write_whole(path, lambda stream, content=content: stream.write(content) and None)  # type: ignore[misc]
    assert [item.name for item in path.parent.iterdir()] == ["made.bin"]
    assert path.read_bytes() == b"second"


def test_named_surfaces_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "two.npz"
    bare = Surface(SURFACE.vertices, SURFACE.faces)
    write_surfaces(path, {"disc.L4-L5": SURFACE, "root.L5.left": bare})
    back = read_surfaces(path)
    assert list(back) == ["disc.L4-L5", "root.L5.left"]
    assert np.array_equal(back["disc.L4-L5"].vertices, SURFACE.vertices)
    assert back["disc.L4-L5"].tint == pytest.approx(SURFACE.tint, abs=0.001)
    assert back["root.L5.left"].tint is None and back["disc.L4-L5"].coordinates is None


@given(st.tuples(*3 * [st.floats(-1, 1)]).filter(lambda way: sum(x * x for x in way) > 1e-3))
def test_a_normal_comes_back_as_it_was_from_two_numbers(way: tuple[float, float, float]) -> None:
    normal = np.array([way]) / np.linalg.norm(way)
    flat = folded(normal)
    assert np.abs(flat).max() <= 32767
    assert np.degrees(np.arccos(np.clip((unfolded(flat) * normal).sum(), -1, 1))) < 0.05


def test_the_same_surfaces_give_the_same_file(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        write_surfaces(tmp_path / name, {"L4": SURFACE})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_a_kept_object_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "kept" / "surface.pickle"
    write_object(path, SURFACE)
    back = read_object(path, Surface)
    assert back is not None and np.array_equal(back.faces, SURFACE.faces)


@pytest.mark.parametrize("count", [3, 5000])
def test_arrays_of_a_kept_object_come_back_whole_and_cannot_be_changed(tmp_path: Path, count: int) -> None:
    points = np.random.default_rng(1).normal(size=(count, 3))
    things = {"forth": points, "back": np.asfortranarray(points), "part": points[::2], "none": points[:0]}
    write_object(tmp_path / "kept", things)
    back = read_object(tmp_path / "kept", dict)
    assert back is not None
    assert all(np.array_equal(back[name], array) for name, array in things.items())
    surface = Surface(points, np.zeros((1, 3), dtype=int))
    write_object(tmp_path / "kept", surface)
    kept = read_object(tmp_path / "kept", Surface)
    assert kept is not None and not kept.vertices.flags.writeable


def test_a_kept_object_stays_whole_while_its_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    write_object(path, np.arange(9999.0))
    before = read_object(path, np.ndarray)
    write_object(path, np.zeros(5))
    assert before is not None and np.array_equal(before, np.arange(9999.0))


def test_an_object_of_another_kind_is_not_taken_for_the_kept_one(tmp_path: Path) -> None:
    write_object(tmp_path / "kept", Frame())
    assert read_object(tmp_path / "kept", Surface) is None
    assert read_object(tmp_path / "nothing", Surface) is None
    assert read_object(tmp_path, Surface) is None


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    write_object(tmp_path / "file" / "kept", SURFACE)
    assert (tmp_path / "file").read_text() == "in the way"


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(0, 2**16), st.integers(1, 255))
@example(1, 200)
def test_a_byte_changed_in_a_kept_file_is_noticed_or_harmless(
    tmp_path: Path, place: int, change: int
) -> None:
    path = tmp_path / "kept"
    write_object(path, SURFACE)
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= change
    path.write_bytes(data)
    back = read_object(path, Surface)
    assert back is None or np.array_equal(back.vertices, SURFACE.vertices)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.floats(0, 0.999))
def test_a_kept_file_cut_short_is_not_taken(tmp_path: Path, share: float) -> None:
    path = tmp_path / "kept"
    write_object(path, SURFACE)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    assert read_object(path, Surface) is None


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 99, b"no pickle at all", b"\x80\xffgarbage", b"I12x\n.", b"h\x07."]
)
def test_a_kept_file_of_nonsense_is_not_taken(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "kept").write_bytes(content)
    assert read_object(tmp_path / "kept", Surface) is None


def test_a_scene_is_built_anew_where_its_kept_copy_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spineviz import assembly
    from spineviz.model import Model
    from spineviz.scene import Scene

    built: list[Scene] = []

    def build(scene: Scene) -> assembly.Assembly:
        built.append(scene)
        return assembly.Assembly(Model({}, {}, {}), ())

    monkeypatch.setenv("SPINEVIZ_CACHE", str(tmp_path))
    monkeypatch.setattr(assembly, "built", build)
    scene = Scene(title="a")
    for _ in range(2):
        assembly.assemble(scene)
    assert len(built) == 1
    for path in (item for item in tmp_path.rglob("*") if item.is_file()):
        path.write_bytes(b"\x80\x05damaged")
    for _ in range(2):
        assembly.assemble(scene)
    assert len(built) == 2


def test_the_cache_folder_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPINEVIZ_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"
    monkeypatch.delenv("SPINEVIZ_CACHE")
    assert cache_folder().name == "spineviz"


def test_the_data_of_the_project_is_found_and_a_missing_folder_is_named() -> None:
    assert (data_folder("meshes") / "measures").is_dir()
    assert list(data_folder("scenes").glob("*.toml"))
    with pytest.raises(FileNotFoundError, match=r"'nonsense' is missing .* reinstall"):
        data_folder("nonsense")


@settings(max_examples=40)
@given(st.lists(st.text(), min_size=1, max_size=4), st.lists(st.text(), min_size=1, max_size=4))
def test_other_parts_have_another_digest(first: list[str], second: list[str]) -> None:
    assert (digest(*first) == digest(*second)) == (first == second)


def test_a_digest_tells_where_one_part_ends() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest("ab") == digest(b"ab")


def test_the_recipe_does_not_depend_on_the_order_in_which_a_disk_lists_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listed = Path.rglob

    def backwards(folder: Path, pattern: str) -> Iterator[Path]:
        return iter(sorted(listed(folder, pattern), reverse=True))

    def forwards(folder: Path, pattern: str) -> Iterator[Path]:
        return iter(sorted(listed(folder, pattern)))

    monkeypatch.setattr(Path, "rglob", forwards)
    before = recipe()
    monkeypatch.setattr(Path, "rglob", backwards)
    assert recipe() == before


syntax = lru_cache(maxsize=None)(library._syntax)
"""Reading all modules takes seconds: those that a test does not change are read once for all tests."""


@pytest.fixture(autouse=True)
def read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "_syntax", syntax)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package's code and measures that may be changed."""
    for source in library._PACKAGE.rglob("*.py"):
        copy = tmp_path / "spineviz" / source.relative_to(library._PACKAGE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, copy)
    shutil.copytree(data_folder("meshes") / "measures", tmp_path / "meshes" / "measures")
    monkeypatch.setattr(library, "_PACKAGE", tmp_path / "spineviz")
    return tmp_path


def test_the_recipe_does_not_depend_on_where_the_package_lies(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = recipe(), full_recipe()
    monkeypatch.undo()
    assert moved == (recipe(), full_recipe())


@pytest.mark.parametrize(
    ("place", "healthy", "scene"),
    [
        ("spineviz/anatomy/disc/space.py", True, True),
        ("spineviz/sdf/mesher.py", True, True),
        ("spineviz/geometry.py", True, True),
        ("spineviz/body/build.py", True, True),
        ("meshes/measures/alignment.toml", True, True),
        ("spineviz/body/bake.py", False, False),
        ("spineviz/body/proof.py", False, False),
        ("spineviz/cli.py", False, False),
        ("spineviz/render/stage.py", False, False),
        ("spineviz/assembly.py", False, True),
        ("spineviz/framing.py", False, True),
        ("spineviz/directing.py", False, False),
        ("spineviz/surgery/tubular.py", False, True),
        ("spineviz/surgery/retraction/tube.py", False, True),
        ("spineviz/pathology/herniation.py", False, True),
        ("spineviz/patient/given.py", False, True),
        ("meshes/measures/procedures.toml", False, True),
    ],
)
def test_what_shapes_a_mesh_changes_the_recipe_and_nothing_else_does(
    package: Path, place: str, healthy: bool, scene: bool
) -> None:
    before = recipe(), full_recipe()
    with (package / place).open("a") as stream:
        stream.write("\nchanged = 1\n")
    assert (recipe() != before[0], full_recipe() != before[1]) == (healthy, scene)


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("x = [1, 2]\n", '"""Told."""\n\n# why\nx = [\n    1,\n    2,\n]\n', True),
        ("def f():\n    return 1\n", 'def f():\n    """Return one."""\n    return (1)\n', True),
        ('x = "a"\n', "x = 'a'\n", True),
        ("x = 1\n", "x = 2\n", False),
        ("x = 1\n", "x = 1.0\n", False),
        ("x = -1\n", "x = 1\n", False),
        ("x = None\n", "x = False\n", False),
        ('x = f"{y}"\n', 'x = f"{y:.2f}"\n', False),
        ("def f(x=1): return x\n", "def f(x): return x\n", False),
    ],
)
def test_the_recipe_hears_what_code_says_and_not_how_it_looks(
    package: Path, before: str, after: str, same: bool
) -> None:
    path = package / "spineviz/anatomy/disc/space.py"
    path.write_text(before)
    first = recipe(), sources()
    path.write_text(after)
    assert (recipe() == first[0]) == same
    assert sources() != first[1]


def test_a_file_under_another_name_gives_another_recipe(package: Path) -> None:
    before = recipe()
    (package / "spineviz/anatomy/disc/space.py").rename(package / "spineviz/anatomy/disc/room.py")
    assert recipe() != before


def test_line_ends_do_not_change_the_recipe(package: Path) -> None:
    before = recipe()
    for path in (package / "spineviz/geometry.py", package / "meshes/measures/alignment.toml"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert recipe() == before


def test_a_new_file_gets_the_permissions_that_the_user_gives_to_new_files(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "made", lambda stream: stream.write(b"x"))
        (tmp_path / "usual").write_bytes(b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "made").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_file_is_replaced_only_when_all_went_well(tmp_path: Path) -> None:
    target = tmp_path / "film.mp4"
    with replacing(target) as temporary:
        assert temporary.parent == tmp_path and temporary.suffix == ".mp4"
        temporary.write_bytes(b"new")
        assert not target.exists()
    assert target.read_bytes() == b"new"
    with pytest.raises(KeyboardInterrupt), replacing(target) as temporary:
        temporary.write_bytes(b"half")
        raise KeyboardInterrupt
    assert [(item.name, item.read_bytes()) for item in tmp_path.iterdir()] == [("film.mp4", b"new")]


def test_everything_built_for_a_scene_can_be_kept_and_comes_back(assembled: Assembly, tmp_path: Path) -> None:
    write_object(tmp_path / "kept", assembled)
    back = read_object(tmp_path / "kept", Assembly)
    assert back is not None
    assert list(back.model.structures) == list(assembled.model.structures)
    assert set(back.model.warps) == set(assembled.model.warps)
    for name, structure in assembled.model.structures.items():
        assert np.array_equal(back.model.structures[name].surface.vertices, structure.surface.vertices)
    scene = load("herniation_l4l5")
    first, second = direct(scene, assembled), direct(scene, back)
    assert first.at(second.seconds / 2) == second.at(second.seconds / 2)
