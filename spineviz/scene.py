"""The scene file: what to show, validated; TOML in and out, JSON schema out."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import Field, ValidationError, model_validator

from spineviz.anatomy.column.posture import Posture
from spineviz.anatomy.morphometry.person import Person
from spineviz.cuts import CutPlane, LayersSaid
from spineviz.layers import LAYERS, Layer, chosen_layers, enclosed
from spineviz.library import data_folder
from spineviz.locale import text
from spineviz.pathology import Herniation, herniation_size, herniation_title
from spineviz.patient import GivenBone
from spineviz.patient.mesh_file import read_mesh
from spineviz.spec import Entries, Spec, Table
from spineviz.surgery.procedures import Approach
from spineviz.terms import (
    LEVELS,
    LOWER_LUMBAR_DISCS,
    Disc,
    Level,
    Side,
    SkinTone,
    column,
    levels_of,
    roots_at,
)
from spineviz.views import View

Pathology = Annotated[Herniation, Field()]
"""A pathology as a scene file tells it, known by its ``kind``."""

REMOVED, REACHED = ("protrusion", "extrusion"), ("central", "paracentral", "subarticular")
"""The morphologies and the zones of the herniations that approaches remove."""

LayerWords = Annotated[
    LayersSaid,
    Field(
        description="The layers that are shown, in words, and no others: 'down to the fascia', "
        "'everything but skin', 'bones and nerves', 'only muscles'. 'hide' takes more away."
    ),
]
"""Which layers are seen, in words; empty for all."""


Cuts = Annotated[tuple[CutPlane, ...], Field(max_length=12)]


class SceneError(ValueError):
    """A scene that cannot be shown; the text names the file, the field and what is allowed."""


class Body(Spec):
    """Whose body is shown, and how it stands."""

    person: Person = Person()
    posture: Posture = Posture()
    variant: Literal["usual", "six_lumbar", "sacralised_L5"] = Field(
        "usual", description="Six lumbar vertebrae, or an L5 that joins the sacrum."
    )
    vertebrae: Entries[Level, Entries[str, float]] = Field(
        {}, description="Measures (mm, degrees) of single vertebrae that differ from the usual ones."
    )
    bones: Entries[Level, GivenBone] = Field(
        {}, description="Bones of a patient that stand in for the generated ones, by level."
    )
    skin: SkinTone = Field("light", description="The tone of the skin.")
    fat: Entries[Disc, float] = Field(
        {},
        description="Thickness of the fat under the skin behind some discs, mm, where it is not the usual.",
    )


class AnatomyRange(Body):
    """Which part of the spine is shown, and whose body it is."""

    first: Level = Field("L3", description="The uppermost level shown.")
    last: Level = Field("S1", description="The lowermost level shown.")
    beside: tuple[Literal["ribs", "ilium"], ...] = Field(
        (), description="Bones beside the spine that are shown too."
    )

    @model_validator(mode="after")
    def _downwards(self) -> AnatomyRange:
        if LEVELS.index(self.first) > LEVELS.index(self.last):
            raise ValueError(f"first ({self.first}) lies below last ({self.last}); exchange them")
        if "L6" in (self.first, self.last) and self.variant != "six_lumbar":
            raise ValueError(
                'there is no L6 in this column; set variant = "six_lumbar", or choose another bone'
            )
        return self

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels shown, from above."""
        return LEVELS[LEVELS.index(self.first) : LEVELS.index(self.last) + 1]


class Compared(Body):
    """A body that stands beside the others of a scene."""

    title: str = Field(description="A key of the text catalog, or the title itself.")
    pathologies: tuple[Pathology, ...] = Field(
        (), description="What this body has; discs, nerves and ligaments are then shown of all bodies."
    )


class SceneStep(Spec):
    """A step of the scene itself, before any approach begins."""

    title: str = Field(description="A key of the text catalog.")
    seconds: Annotated[float, Field(ge=0.5, le=120)] = 4.0
    camera: View = "posterior"
    show: LayerWords = ""
    hide: tuple[Layer, ...] = Field((), description="Layers that are out of sight at the end of the step.")
    fade: tuple[Layer, ...] = Field((), description="Layers that one looks through at the end of the step.")
    highlight: tuple[Layer, ...] = ()
    labels: tuple[str, ...] = Field((), description="Structures named in the picture.")
    cuts: Cuts = Field((), description="Planes that open the scene in this step, besides those of the scene.")

    @property
    def hidden(self) -> tuple[Layer, ...]:
        """The layers that are out of sight at the end of the step."""
        return _hidden(self.show, self.hide)


class Scene(Spec):
    """A scene as its file tells it: frozen, validated, hashable."""

    title: str = Field(description="A key of the text catalog, or the title itself.")
    anatomy: AnatomyRange = AnatomyRange()
    compare: Annotated[tuple[Compared, ...], Field(max_length=4)] = Field(
        (), description="Bodies that are shown beside each other, in place of the one of ``anatomy``."
    )
    pathologies: tuple[Pathology, ...] = ()
    approaches: Annotated[tuple[Approach, ...], Field(max_length=2)] = ()
    camera: View = "posterior"
    show: LayerWords = ""
    views: Annotated[tuple[View, ...], Field(max_length=4)] = Field(
        (), description="Views that stand beside each other, in place of ``camera`` and those of the steps."
    )
    hide: tuple[Layer, ...] = Field((), description="Layers that are not shown.")
    cuts: Cuts = Field((), description="Planes that open the scene, from beginning to end.")
    steps: tuple[SceneStep, ...] = ()
    poster: Annotated[float, Field(ge=0)] = Field(0.0, description="The second that a still picture shows.")

    @model_validator(mode="after")
    def _within_range(self) -> Scene:
        for place, entry in self._entries():
            if not set(levels_of(entry.disc)) <= set(self.anatomy.levels):
                raise ValueError(
                    f"{place}: the disc {entry.disc} is not shown; the anatomy runs from "
                    f"{self.anatomy.first} to {self.anatomy.last}: widen it, or choose another disc"
                )
        for place, cut in self._cut_planes():
            if missing := [level for level in cut.levels if level not in self.anatomy.levels]:
                raise ValueError(
                    f"{place}.at: {' and '.join(missing)} is not shown; the anatomy runs from "
                    f"{self.anatomy.first} to {self.anatomy.last}: widen it, or cut elsewhere"
                )
        return self

    @model_validator(mode="after")
    def _disease_has_its_tissue(self) -> Scene:
        six = [self.anatomy, *self.compare] if self.diseased else [self.anatomy]
        if any(body.variant == "six_lumbar" for body in six) and (self.diseased or self.approaches):
            raise ValueError(
                "anatomy.variant: soft tissue is drawn for five lumbar vertebrae; take six_lumbar away, or "
                "pathologies and approaches"
            )
        return self

    @model_validator(mode="after")
    def _compared_bodies_have_their_own(self) -> Scene:
        if self.compare and (self.pathologies or self.approaches):
            raise ValueError(
                "compare: a pathology belongs to one of the bodies (compare.pathologies), and none is "
                "operated on; take the scene's own pathologies and approaches away"
            )
        return self

    @model_validator(mode="after")
    def _views_are_of_one_body(self) -> Scene:
        if len(self.views) == 1:
            raise ValueError("views: name two or more, or one as ``camera``")
        if self.views and (self.compare or self.approaches):
            raise ValueError("views: they show one body; take compare and approaches away")
        return self

    @model_validator(mode="after")
    def _approaches_aim_at_the_herniation(self) -> Scene:
        herniated = [(entry.disc, entry.side) for entry in self.pathologies if entry.depth > 0]
        for index, entry in enumerate(self.approaches):
            self._can_be_reached(index, entry)
            if not herniated:
                raise ValueError(
                    f"approaches[{index}]: it removes a herniation, and the scene has none; add one at "
                    f"{_aim(entry.disc, entry.side)}"
                )
            if (entry.disc, entry.side) not in herniated:
                raise ValueError(
                    f"approaches[{index}]: it aims at {_aim(entry.disc, entry.side)}, but the herniation is "
                    f"at {' and '.join(_aim(disc, side) for disc, side in herniated)}"
                )
        if len({(entry.disc, entry.side) for entry in self.approaches}) > 1:
            raise ValueError(
                "approaches: two are compared at the same disc and on the same side; give both the same"
            )
        return self

    def _can_be_reached(self, index: int, approach: Approach) -> None:
        """Raise ValueError where an approach meets a herniation that it is not made for."""
        for entry in self.pathologies:
            here = entry.depth > 0 and (entry.disc, entry.side) == (approach.disc, approach.side)
            if here and not (entry.morphology in REMOVED and entry.zone in REACHED):
                raise ValueError(
                    f"approaches[{index}]: it reaches {_either(REMOVED)}, {_either(REACHED)}; that of "
                    f"{_aim(entry.disc, entry.side)}, is: {entry.zone}, {entry.morphology}"
                )

    @property
    def diseased(self) -> bool:
        """Whether the scene, or one of the bodies it compares, has a pathology."""
        return bool(self.pathologies) or any(body.pathologies for body in self.compare)

    @property
    def hidden(self) -> tuple[Layer, ...]:
        """The layers that are not shown."""
        return _hidden(self.show, self.hide)

    def _cut_planes(self) -> Iterator[tuple[str, CutPlane]]:
        """Give every cut with its place in the file."""
        for index, cut in enumerate(self.cuts):
            yield f"cuts[{index}]", cut
        for number, step in enumerate(self.steps):
            for index, cut in enumerate(step.cuts):
                yield f"steps[{number}].cuts[{index}]", cut

    def _entries(self) -> Iterator[tuple[str, Pathology | Approach]]:
        """Give every pathology and approach with its place in the file."""
        for index, pathology in enumerate(self.pathologies):
            yield f"pathologies[{index}]", pathology
        for number, body in enumerate(self.compare):
            for index, pathology in enumerate(body.pathologies):
                yield f"compare[{number}].pathologies[{index}]", pathology
        for index, approach in enumerate(self.approaches):
            yield f"approaches[{index}]", approach


def _hidden(show: str, hide: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """Return the layers that are out of sight, in the order of a dissection."""
    shown = chosen_layers(show) if show else LAYERS
    return tuple(layer for layer in LAYERS if layer in enclosed(hide) or layer not in shown)


def _either(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _aim(disc: Disc, side: Side) -> str:
    return f"the disc {disc}, {side}"


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
        raise SceneError(_explained(name, error)) from None


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


def shown_herniation(herniation: Herniation) -> Scene:
    """Return the scene that shows one herniation from near by, between its neighbouring levels."""
    above, below = levels_of(herniation.disc)
    lower = herniation.disc in LOWER_LUMBAR_DISCS
    own = column()
    first = "L3" if lower else own[max(own.index(above) - 1, own.index("C2"))]
    last = "S1" if lower else own[min(own.index(below) + 1, own.index("S1"))]
    exiting, traversing = roots_at(herniation.disc)
    roots = [f"root.{root}.{herniation.side}" for root in (traversing, exiting) if root is not None]
    camera: View = {"foraminal": "foramen", "extraforaminal": "foramen", "anterior": "anterior"}.get(
        herniation.zone, "close"
    )  # type: ignore[assignment]
    step = SceneStep(
        title=f"herniation.{herniation.morphology}.plain",
        camera=camera,
        hide=("skin", "fat", "fascia", "muscles", "ligaments", "vessels", "epidural_fat"),
        fade=("bones",),
        highlight=("disease",),
        labels=(
            f"herniation.{herniation.disc}",
            *roots,
            "thecal_sac",
            "spinal_cord",
            f"disc.{herniation.disc}",
        ),
    )
    return Scene(
        title=", ".join(map(text, (herniation_title(herniation), *herniation_size(herniation)))),
        anatomy=AnatomyRange(first=first, last=last),
        pathologies=(herniation,),
        camera=camera,
        steps=(step,),
        poster=step.seconds,
    )


def _kinds(scene: Scene) -> dict[str, Any]:
    """Return the entries whose ``kind`` must stand in the file although it is a default."""
    result: dict[str, Any] = {}
    for name in ("pathologies", "approaches"):
        entries = getattr(scene, name)
        if entries:
            result[name] = [
                {"kind": entry.kind} | entry.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
                for entry in entries
            ]
    return result


def _explained(name: str, error: ValidationError) -> str:
    lines = [
        _problem(item["loc"], item["type"], item["msg"], item.get("ctx", {})) + _nearest(item["type"], item)
        for item in error.errors()
    ]
    return "\n".join(f"{name}: {line}" for line in lines)


def _nearest(kind: str, problem: Mapping[str, Any]) -> str:
    """Return the nearest of the words allowed where another was given."""
    if kind != "literal_error" or not isinstance(problem["input"], str):
        return ""
    allowed = re.findall(r"'([^']*)'", problem["ctx"]["expected"])
    near = get_close_matches(problem["input"], allowed, n=1, cutoff=0.6)
    return f"; nearest to '{problem['input']}': {near[0]}" if near else ""


def _problem(place: Iterable[int | str], kind: str, message: str, context: dict[str, Any]) -> str:
    where = ""
    for part in place:
        where += f"[{part}]" if isinstance(part, int) else f".{part}" if where else str(part)
    if kind == "extra_forbidden":
        return f"{where}: unknown field{_allowed(where)}"
    if kind == "missing":
        return f"{where}: this field is needed"
    if kind == "value_error":
        return f"{where or 'scene'}: {context.get('error', message)}"
    return f"{where}: {message[0].lower()}{message[1:]}"


def _allowed(where: str) -> str:
    """Return the fields allowed beside an unknown one, found in the schema."""
    parent = where.replace("]", "").replace("[", ".").split(".")[:-1]
    root = Scene.model_json_schema()
    options = _properties(root, root, parent)
    return f"; allowed: {', '.join(sorted(options))}" if options else ""


def _properties(root: dict[str, Any], node: dict[str, Any], path: list[str]) -> set[str]:
    while "$ref" in node:
        node = root["$defs"][node["$ref"].rpartition("/")[2]]
    choices = [item for key in ("anyOf", "oneOf") for item in node.get(key, []) if item.get("type") != "null"]
    if choices:
        found = [_properties(root, choice, path) for choice in _chosen(root, choices, path)]
        return set().union(*found)
    if not path:
        return set(node.get("properties", {}))
    head, *rest = path
    if head.isdigit():
        return _properties(root, node.get("items", {}), rest)
    return _properties(root, node.get("properties", {}).get(head, {}), rest)


def _chosen(root: dict[str, Any], choices: list[dict[str, Any]], path: list[str]) -> list[dict[str, Any]]:
    """Return the members of a union that the path's kind points to, and drop the kind from the path."""
    if path:
        for choice in choices:
            target = root["$defs"].get(choice.get("$ref", "").rpartition("/")[2], {})
            if target.get("properties", {}).get("kind", {}).get("const") == path[0]:
                path.pop(0)
                return [choice]
    return choices
