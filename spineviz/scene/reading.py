"""Scene files: TOML in and out, what is shipped, JSON schema."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from spineviz.library import data_folder
from spineviz.pathology import Pathology
from spineviz.patient.mesh_file import read_mesh
from spineviz.scene.problems import SceneError, explained
from spineviz.scene.specification import Scene
from spineviz.spec import Spec, Table
from spineviz.surgery.procedures import Approach


def loads(text: str, name: str = "scene") -> Scene:
    """Read a scene from TOML text; ``name`` stands in error messages.

    Raises SceneError.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SceneError(f"{name}: not valid TOML: {error}") from None
    try:
        return Scene.model_validate(content, strict=False)
    except ValidationError as error:
        raise SceneError(explained(name, error)) from None


def dumps(scene: Scene) -> str:
    """Write a scene as TOML text; `loads` reads the same scene back."""
    return tomli_w.dumps(
        scene.model_dump(mode="json", exclude_none=True, exclude_defaults=True) | _kinds(scene)
    )


def load(source: str | Path) -> Scene:
    """Read a scene: a file's path, or the name of a shipped scene.

    Raises SceneError where there is none.
    """
    path = find(source)
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SceneError(f"{path}: cannot be read: {error}") from None
    return _anchored(loads(text, str(path)), path.resolve().parent)


def _anchored(scene: Scene, folder: Path) -> Scene:
    """Return the scene with the mesh files of its bones looked for beside the scene file."""
    bones = {
        level: bone.model_copy(update={"file": str(folder / bone.file)})
        for level, bone in scene.anatomy.bones.items()
    }
    anatomy = scene.anatomy.model_copy(update={"bones": Table(bones)})
    return scene.model_copy(update={"anatomy": anatomy})


def check(source: str | Path) -> None:
    """Read a scene and the mesh files it names; raise SceneError with everything that is wrong with them."""
    scene, name = load(source), find(source)
    problems = [
        f"{name}: anatomy.bones.{level}.file: {problem}"
        for level, bone in scene.anatomy.bones.items()
        if (problem := _unreadable(Path(bone.file)))
    ]
    if problems:
        raise SceneError("\n".join(problems))


def _unreadable(path: Path) -> str:
    """Return what is wrong with a mesh file, or nothing."""
    if not path.is_file():
        return f"{path}: there is no such file"
    try:
        read_mesh(path)
    except (OSError, ValueError) as error:
        return f"{path}: {error}"
    return ""


def check_schema() -> None:
    """Raise SceneError when the shipped ``scenes/schema.json`` is not the schema of this version."""
    path = data_folder("scenes") / "schema.json"
    if not path.is_file() or path.read_text("utf-8") != schema():
        raise SceneError(f"{path}: is not the schema of this version; run: spineviz schema > {path}")


def find(source: str | Path) -> Path:
    """Return the path of a scene file, given by path or by the name of a shipped scene."""
    path = Path(source)
    if path.suffix == ".toml" or path.is_file():
        if not path.is_file():
            raise SceneError(f"{path}: there is no such file")
        return path
    shipped = data_folder("scenes") / f"{source}.toml"
    if not shipped.is_file():
        raise SceneError(
            f"there is no scene '{source}'; shipped scenes: {', '.join(names())}; or name a .toml file"
        )
    return shipped


def names() -> tuple[str, ...]:
    """Return the names of the shipped scenes."""
    return tuple(sorted(path.stem for path in data_folder("scenes").glob("*.toml")))


def schema() -> str:
    """Return the JSON schema of a scene file."""
    return json.dumps(Scene.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def _kinds(scene: Scene) -> dict[str, Any]:
    """Return the entries whose ``kind`` must stand in the file although it is a default."""
    result: dict[str, Any] = {}
    for name in ("pathologies", "approaches"):
        if entries := getattr(scene, name):
            result[name] = [_told(entry) for entry in entries]
    if scene.compare:
        result["compare"] = [
            _brief(body) | ({"pathologies": list(map(_told, body.pathologies))} if body.pathologies else {})
            for body in scene.compare
        ]
    return result


def _told(entry: Pathology | Approach) -> dict[str, Any]:
    return {"kind": entry.kind} | _brief(entry)


def _brief(entry: Spec) -> dict[str, Any]:
    return entry.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
