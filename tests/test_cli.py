"""The command line: one clear line and exit code 2 for a mistake, 130 for Ctrl-C, never a traceback."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh

from spineviz import __version__, arguments, assembly, scene
from spineviz.arguments import parser
from spineviz.cli import INTERRUPTED, USAGE_ERROR, main
from spineviz.export import mesh
from spineviz.production import Production
from spineviz.render.offscreen import RenderingUnavailable
from spineviz.structure import Surface

COMMANDS = (
    *("scenes", "structures", "check", "render", "measure", "evidence", "plate"),
    *("animate", "show", "mesh", "bake", "schema"),
)
SHIPPED = "lumbar_l3s1"


@pytest.fixture(autouse=True)
def nothing_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every mistake of these tests can be told before the body is built, which takes a minute."""

    def refuse(*_: object) -> None:
        raise AssertionError("the body was built before the mistake was told")

    monkeypatch.setattr(assembly, "assemble", refuse)
    monkeypatch.setattr(assembly, "built", refuse)
    monkeypatch.setattr(mesh, "bones", refuse)


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run the command line with a mistake and return the one line that tells it."""
    try:
        code: object = main(arguments)
    except SystemExit as stopped:
        code = stopped.code
    assert code == USAGE_ERROR
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    lines = [line for line in err.splitlines() if not line.startswith(("usage:", " "))]
    assert len(lines) == 1, err
    assert lines[0].startswith("spineviz")
    return lines[0]


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "nonsense"),
        ("render", "nonsense", "-o", "x.png"),
        ("animate", "nonsense", "-o", "x.mp4"),
        ("show", "nonsense"),
        ("measure", "nonsense"),
        ("mesh", "L4", "-o", "x.ply", "--scene", "nonsense"),
    ],
)
def test_an_unknown_scene_is_refused_with_those_there_are(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    line = complaint(capsys, *arguments)
    assert "no scene 'nonsense'" in line and SHIPPED in line
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["check", "render", "animate", "show", "measure"])
def test_a_missing_scene_file_is_refused_by_name(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str
) -> None:
    output = {"render": ("-o", str(tmp_path / "x.png")), "animate": ("-o", str(tmp_path / "x.mp4"))}
    line = complaint(capsys, command, str(tmp_path / "mine.toml"), *output.get(command, ()))
    assert "mine.toml: there is no such file" in line


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"title = ", "not valid TOML"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b'title = "a"\ncolour = 1\n', "colour: unknown field; allowed: "),
        (b'camera = "close"\n', "title: this field is needed"),
        (b'title = "a"\nposter = -1\n', "poster: "),
        (b'title = "a"\nposter = nan\n', "poster: "),
        (
            b'title = "a"\n[anatomy]\nfirst = "T13"\n',
            "anatomy.first: input should be 'C1', 'C2'",
        ),
    ],
)
def test_a_wrong_scene_file_is_refused_with_place_and_remedy(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes, expected: str
) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    line = complaint(capsys, "check", str(path))
    assert str(path) in line and expected in line


def test_a_disc_that_the_scene_lacks_is_not_measured(capsys: pytest.CaptureFixture[str]) -> None:
    line = complaint(capsys, "measure", SHIPPED, "--level", "T1-T2")
    assert line.endswith("this scene has no disc T1-T2; it has: L3-L4, L4-L5, L5-S1")


def test_several_bodies_are_not_measured_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert "one body is measured at a time" in complaint(capsys, "measure", "people")


def test_a_reader_who_stops_early_is_no_mistake() -> None:
    command = [sys.executable, "-m", "spineviz", "schema"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_a_pair_without_evidence_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert "there is on: discectomy" in complaint(capsys, "evidence", "nonsense")


def test_a_folder_is_no_scene(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert str(tmp_path) in complaint(capsys, "check", str(tmp_path))


@pytest.mark.parametrize("command", ["render", "animate"])
@pytest.mark.parametrize(
    "size", ["big", "1280", "1280x", "0x0", "63x600", "99999x10", "-5x5", "1.5x2", "12x34x56", ""]
)
def test_a_size_that_is_none_is_refused(capsys: pytest.CaptureFixture[str], command: str, size: str) -> None:
    line = complaint(capsys, command, SHIPPED, "-o", "x.png", f"--size={size}")
    assert f"'{size}' is" in line and ("1280x720" in line or "64 to 8192" in line)


@pytest.mark.parametrize("size", ["640x480", "640X480", "640×480"])
def test_a_size_is_read_however_its_cross_is_written(size: str) -> None:
    assert parser().parse_args(["render", SHIPPED, "-o", "x.png", "--size", size]).size == (640, 480)


def test_an_unknown_view_is_refused_with_those_there_are(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    line = complaint(capsys, "render", SHIPPED, "-o", str(tmp_path / "x.png"), "--view", "sideways")
    assert "sideways" in line and "posterior" in line and "corridor" in line


@pytest.mark.parametrize(
    "arguments",
    [
        ("render", SHIPPED, "-o", "{}/x.png"),
        ("animate", SHIPPED, "-o", "{}/x.mp4"),
        ("mesh", "L4", "-o", "{}/x.ply"),
    ],
)
def test_a_missing_folder_is_told_before_anything_is_built_and_not_made(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    missing = tmp_path / "missing"
    line = complaint(capsys, *(argument.format(missing) for argument in arguments))
    assert str(missing) in line and "does not exist" in line
    assert not missing.exists()


@pytest.mark.parametrize(
    "arguments",
    [("render", SHIPPED, "-o", "{}"), ("animate", SHIPPED, "-o", "{}"), ("mesh", "L4", "-o", "{}")],
)
def test_a_folder_is_no_file_to_write(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    suffix = {"render": ".png", "animate": ".mp4", "mesh": ".ply"}[arguments[0]]
    (tmp_path / f"in_the_way{suffix}").mkdir()
    line = complaint(capsys, *(argument.format(tmp_path / f"in_the_way{suffix}") for argument in arguments))
    assert "in_the_way" in line and "folder" in line


@pytest.mark.parametrize("name", ["L4.obj", "L4", "L4.ply.gz", "L4.glb"])
def test_a_mesh_format_we_do_not_write_is_refused_with_those_we_do(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    line = complaint(capsys, "mesh", "L4", "-o", str(tmp_path / name))
    assert name in line and ".ply" in line and ".stl" in line


@pytest.mark.parametrize(
    ("command", "name", "known"), [("render", "x.gif", ".png"), ("animate", "x.avi", ".mp4")]
)
def test_a_picture_or_film_format_we_do_not_write_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str, name: str, known: str
) -> None:
    line = complaint(capsys, command, SHIPPED, "-o", str(tmp_path / name))
    assert name in line and known in line


@pytest.mark.parametrize("fps", ["0", "-3", "many", "100000"])
def test_a_frame_rate_that_no_film_has_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, fps: str
) -> None:
    line = complaint(capsys, "animate", SHIPPED, "-o", str(tmp_path / "x.mp4"), f"--fps={fps}")
    assert fps in line and ("frames a second" in line or "--fps" in line)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("spleen", "names are like L4"),
        ("mutlifidus.left", "nearest: multifidus.left"),
        ("epidural_fat", "in the healthy body"),
        ("herniation.L4-L5", "in the healthy body"),
    ],
)
def test_an_unknown_structure_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, expected: str
) -> None:
    line = complaint(capsys, "mesh", name, "-o", str(tmp_path / "x.ply"))
    assert f"no structure '{name}'" in line and expected in line


def test_a_bone_file_that_is_missing_is_told_by_check(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('title = "a"\n[anatomy.bones.L4]\nfile = "l4.ply"\n')
    line = complaint(capsys, "check", str(path))
    assert f"{path}: anatomy.bones.L4.file: {tmp_path / 'l4.ply'}: there is no such file" in line


def test_a_bone_file_that_is_none_is_told_by_check(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('title = "a"\n[anatomy.bones.L4]\nfile = "l4.ply"\n')
    (tmp_path / "l4.ply").write_text("no mesh")
    line = complaint(capsys, "check", str(path))
    assert f"{path}: anatomy.bones.L4.file: " in line and "l4.ply" in line


def test_check_tells_of_every_scene(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.toml").write_text("colour = 1\n")
    assert main(["check", str(tmp_path / "one.toml"), SHIPPED, "nowhere", str(tmp_path / "two.toml")]) == 2
    out, err = capsys.readouterr()
    assert out.splitlines() == [f"{SHIPPED}: valid"]
    assert all(line.startswith("spineviz: ") for line in err.splitlines())
    assert "one.toml: title: " in err and "one.toml: colour: " in err
    assert "two.toml: title: " in err and "no scene 'nowhere'" in err


def test_check_without_scenes_tells_when_the_schema_is_old(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spineviz.scene.reading.schema", lambda: "{}")
    assert main(["check"]) == USAGE_ERROR
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == len(scene.names())
    assert "schema.json" in err and "spineviz schema >" in err


@pytest.mark.parametrize("second", ["-1", "nan", "inf"])
def test_a_second_that_no_scene_has_is_refused_before_anything_is_built(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, second: str
) -> None:
    line = complaint(capsys, "render", SHIPPED, "-o", str(tmp_path / "x.png"), f"--at={second}")
    assert f"second {second}" in line


@pytest.mark.parametrize("name", ["L4", "disc.L4-L5", "multifidus.left"])
def test_a_structure_is_written_as_a_mesh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    surface = Surface(np.eye(3), np.array([[0, 1, 2]]))
    monkeypatch.setattr(mesh, "_surface", lambda *_: surface)
    for suffix in (".ply", ".STL"):
        assert main(["mesh", name, "-o", str(tmp_path / f"x{suffix}")]) == 0
    assert sorted(item.name for item in tmp_path.iterdir()) == ["x.STL", "x.ply"]
    assert len(trimesh.load_mesh(tmp_path / "x.ply").faces) == 1


@pytest.mark.parametrize("step", ["0", "0.05", "9", "nan", "-1"])
def test_a_step_that_no_bone_is_meshed_with_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, step: str
) -> None:
    line = complaint(capsys, "mesh", "L4", "-o", str(tmp_path / "x.ply"), f"--step={step}")
    assert "choose 0.2 to 4.0 mm" in line


def test_only_bones_of_the_spine_are_meshed_with_a_step_of_ones_own(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    line = complaint(capsys, "mesh", "disc.L4-L5", "-o", str(tmp_path / "x.ply"), "--step", "2")
    assert "disc.L4-L5" in line and "bones of the spine" in line


def test_a_plate_of_several_bodies_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    line = complaint(capsys, "plate", "people", "-o", str(tmp_path / "x.png"))
    assert "one body" in line


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), "COMMAND"),
        (("fly",), "invalid choice: 'fly'"),
        (("render", SHIPPED), "-o/--output"),
        (("render", SHIPPED, "-o", "x.png", "--at", "noon"), "--at: invalid float value: 'noon'"),
        (("render", SHIPPED, "-o", "x.png", "--background", "pink"), "'screen', 'print'"),
        (("scenes", "--loud"), "--loud"),
        (("mesh",), "structure"),
    ],
)
def test_a_command_line_that_is_not_understood_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], expected: str
) -> None:
    line = complaint(capsys, *arguments)
    assert expected in line or expected in line.replace("screen, print", "'screen', 'print'")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_shows_an_example_that_is_understood(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    shown = re.split(r"examples?:\n", capsys.readouterr().out)[1].strip().splitlines()
    for example in shown:
        program, *words = shlex.split(example.partition(" >")[0])
        assert program == "spineviz" and words[0] == command
        assert parser().parse_args(words).command == command


def test_the_help_names_every_command_and_its_examples_are_understood(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    out = capsys.readouterr().out
    assert all(re.search(rf"\n    {command}\s", out) for command in COMMANDS)
    assert "not a diagnostic or planning device" in out
    examples = [line for line in out.partition("examples:")[2].splitlines() if line.startswith("  spineviz ")]
    assert len(examples) >= 4
    for example in examples:
        parser().parse_args(shlex.split(example)[1:])


def test_a_scene_in_an_example_is_a_shipped_one() -> None:
    words = {word for word in arguments.EXAMPLES.split() if word.startswith(("herniation", "lumbar"))}
    assert words and words <= set(scene.names())


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], "name a scene, or say one disease with its words: --herniation"),
        (["lumbar_l3s1", "--herniation", "L4-L5 left"], "name a scene, or say one disease"),
        (["--herniation", "L4-L5 leeft"], "'leeft' is not understood; nearest: left"),
        (["--herniation", "C5-C6 extraforaminal"], "a cervical disc has no extraforaminal zone"),
    ],
)
def test_a_herniation_that_is_not_understood_is_told_in_one_line(
    words: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", *words, "-o", "picture.png"]) == USAGE_ERROR
    err = capsys.readouterr().err
    assert problem in err and err.count("\n") == 1


def test_ctrl_c_ends_with_130_and_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> tuple[str, ...]:
        raise KeyboardInterrupt

    monkeypatch.setattr(scene, "names", interrupted)
    assert main(["scenes"]) == INTERRUPTED == 130
    out, err = capsys.readouterr()
    assert out == "" and err.strip().splitlines() == ["interrupted; nothing half-written was left"]


@pytest.mark.parametrize(
    "error", [PermissionError(13, "Permission denied", "/read/only"), OSError(28, "No space left")]
)
def test_an_error_of_the_disk_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    def fail() -> tuple[str, ...]:
        raise error

    monkeypatch.setattr(scene, "names", fail)
    line = complaint(capsys, "scenes")
    assert str(error.strerror) in line


def test_a_machine_that_cannot_draw_is_told_in_one_line_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RenderingUnavailable("There is no display.")

    monkeypatch.setattr(Production, "render", fail)
    assert main(["render", SHIPPED, "-o", str(tmp_path / "x.png")]) in {1, 2}
    out, err = capsys.readouterr()
    assert out == "" and len(err.splitlines()) == 1 and "There is no display" in err and "install" in err


def test_scenes_are_listed_with_their_titles(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(scene.names())
    assert all(len(line.split()) > 2 and "scene." not in line for line in lines)


def test_every_shipped_scene_is_valid(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    assert capsys.readouterr().out.splitlines() == [f"{name}: valid" for name in scene.names()]


def test_the_schema_is_printed_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["title"] == "Scene" and err == ""


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert __version__ in capsys.readouterr().out


def test_a_mistake_in_a_fresh_process_gives_one_line_and_code_2(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-m", "spineviz", "render", "nonsense", "-o", "x.png"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == USAGE_ERROR, result.stderr
    assert result.stdout == "" and len(result.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_layers_of_a_picture_are_said_in_words_and_a_wrong_one_is_told_before_anything_is_built(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    line = complaint(
        capsys, "render", SHIPPED, "-o", str(tmp_path / "x.png"), "--layers", "down to the facsia"
    )
    assert "no layer 'facsia'" in line and "nearest: fascia" in line and "skin, fat" in line
    assert "no layer 'bonse'" in complaint(capsys, "show", SHIPPED, "--layers", "only bonse")


def test_a_cut_of_a_picture_is_said_in_words_and_a_wrong_one_is_told_before_anything_is_built(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    line = complaint(capsys, "render", SHIPPED, "-o", str(tmp_path / "x.png"), "--cut", "axial keep left")
    assert "cut 'axial keep left'" in line and "below or above" in line


def test_a_scene_of_ones_own_names_no_layer_that_is_none(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('title = "a"\nshow = "down to the facsia"\n')
    assert "show: there is no layer 'facsia'; nearest: fascia" in complaint(capsys, "check", str(path))
    path.write_text('title = "a"\nhide = ["muscels"]\n')
    assert "nearest to 'muscels': muscles" in complaint(capsys, "check", str(path))
