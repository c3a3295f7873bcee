"""From a scene to its model, with every variant that its approaches ask for; built once, then kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spineviz import library
from spineviz.framing import label_places
from spineviz.layers import COVERS, numbered
from spineviz.model import Model, Vector
from spineviz.pathology import Herniation, Pathology, apply
from spineviz.scene import Body as BodySpec
from spineviz.scene import Compared, Scene, SceneStep
from spineviz.structure import Bone, Landmark, Structure, Warp
from spineviz.surgery.procedures import Decompressing, Prepared, prepare
from spineviz.terms import LEVELS, Level, column

if TYPE_CHECKING:  # the makers of anatomy are imported where a scene is built: one from the cache needs none
    from spineviz.anatomy.recipe import Body
    from spineviz.body import Anatomy

PASSING = ("rootlet.", "cauda.")
"""Nerves are called by the level where they leave, and pass others on their way."""

ENCLOSED = ("spinal_cord", "filum_terminale", *PASSING)
"""What lies in the sac: in an operation nobody sees it, and it would have to be moved with the sac."""

UNCUT = ("erector_spinae_aponeurosis", *ENCLOSED)
"""What is left out of an operation: no approach cuts the aponeurosis, which the fascia lies on."""

JOINTS = ("facet_capsule", "facet_cartilage")
"""What every facet joint has beside its bones."""


@dataclass(frozen=True, eq=False)
class Assembly:
    """A scene's model and what its approaches prepared; constant, and safe to keep in a file."""

    model: Model
    prepared: tuple[Prepared, ...]
    anchors: Mapping[tuple[SceneStep, str], Vector] = field(default_factory=dict)


def anatomy_of(scene: Scene, shown: BodySpec | None = None) -> Anatomy:
    """Return the anatomy of a scene's body, or of one of those it compares, with its pathologies."""
    from spineviz.body import Anatomy

    shown = shown or scene.anatomy
    result = Anatomy(
        levels=column(6 if shown.variant == "six_lumbar" else 5),
        vertebrae=dict(shown.vertebrae),
        posture=shown.posture,
        person=shown.person,
        sacralised=shown.variant == "sacralised_L5",
        given=dict(shown.bones),
        skin=shown.skin,
        fat=dict(shown.fat),
    )
    for pathology in shown.pathologies if isinstance(shown, Compared) else scene.pathologies:
        result = apply(pathology, result)
    return result


def assemble(scene: Scene) -> Assembly:
    """Return a scene's assembly from the user's cache, or build it and keep it there."""
    path = library.cache_folder() / "scenes" / f"{fingerprint(scene)}.pickle"
    kept = library.read_object(path, Assembly)
    if kept is not None:
        return kept
    result = built(scene)
    library.write_object(path, result)
    return result


def fingerprint(scene: Scene) -> str:
    """Return a hash of everything that shapes a scene's meshes, the baked library included."""
    shaping = scene.model_copy(
        update={"title": "", "camera": "posterior", "poster": 0.0, "planes": (), "severity": 1.0}
        | {"inset": True, "ledger": False, "together": "beside"}
    )
    given = [bone for shown in (scene.anatomy, *scene.compare) for bone in shown.bones.values()]
    files = [Path(bone.file).read_bytes() for bone in given]
    baked = [library.told(file) for file in (library.CATALOG, library.LANDMARKS)]
    return library.digest(library.full_recipe(), *baked, shaping.model_dump_json(), *files)


def built(scene: Scene) -> Assembly:
    """Build a scene's model with every variant that its approaches ask for.

    Muscles, fascia, fat and skin are built where the scene may show them. Capsule and cartilage of a facet
    joint whose edge an approach takes away are left out: they have no variant without it. So is epidural fat
    where a disc is displaced or a canal is opened.
    An approach knows no tissue of levels that are not shown.
    """
    from spineviz.body import build

    if scene.compare:
        return _compared(scene)
    covered = bool(scene.approaches) or not set(COVERS) <= set(scene.hidden)
    whole = build(anatomy_of(scene), scene.anatomy.levels, scene.anatomy.beside, covered=covered)
    cutting = [entry for entry in scene.approaches if not isinstance(entry, Decompressing)]
    opened = {f"{part}.{entry.disc}.{entry.side}" for entry in cutting for part in JOINTS}
    left = {
        name: item
        for name, item in whole.structures.items()
        if name not in opened
        and not (_displacing(scene.pathologies) and name.startswith("epidural_fat"))
        and not (scene.approaches and name.startswith(UNCUT))
        and (item.tissue == "bone" or _in_range(name, scene.anatomy.levels))
    }
    known = {(name, way): warp for (name, way), warp in whole.warps.items() if name in left}
    whole = replace(whole, structures=left, warps=known)
    prepared = tuple(prepare(approach, whole) for approach in scene.approaches)
    structures = {name: _with_variants(item, prepared) for name, item in whole.structures.items()}
    warps = dict(whole.warps)
    for approach in prepared:
        structures |= approach.structures
        warps |= approach.warps
    shown = {name: item for name, item in structures.items() if _in_range(name, scene.anatomy.levels)}
    landmarks = {
        f"{level}/{name}": Landmark(f"{level}/{name}", frame)
        for level, bone in whole.bones.items()
        for name, frame in bone.landmarks.items()
    }
    model = Model(shown, landmarks, whole.bones, warps)
    return Assembly(model, prepared, label_places(scene, model))


def _compared(scene: Scene) -> Assembly:
    """Build the bodies that a scene compares; each has its number behind the names of its structures.

    Where one has a pathology, all have their discs, nerves and ligaments; none has muscles or skin.
    """
    from spineviz.body import build
    from spineviz.body.changed import deformed, straightened

    structures: dict[str, Structure] = {}
    warps: dict[tuple[str, str], Warp] = {}
    bones: dict[Level, Bone] = {}
    ready: list[tuple[Anatomy, Body]] = []
    soft, levels = scene.diseased, scene.anatomy.levels
    displacing = _displacing(entry for body in scene.compare for entry in body.pathologies)
    for number, shown in enumerate(scene.compare):
        anatomy = anatomy_of(scene, shown)
        straight = straightened(anatomy)
        whole = next((body for other, body in ready if other == straight), None)
        if whole is None:
            whole = build(straight, levels, scene.anatomy.beside, soft=soft, covered=False)
            ready.append((straight, whole))
        if not anatomy.deformation.none:
            whole = deformed(whole, anatomy)
        for name, item in whole.structures.items():
            if _in_range(name, levels) and not (displacing and name.startswith("epidural_fat")):
                structures[numbered(name, number)] = replace(item, name=numbered(name, number))
        warps |= {
            (numbered(name, number), way): warp
            for (name, way), warp in whole.warps.items()
            if numbered(name, number) in structures
        }
        bones = max(bones, dict(whole.bones), key=_height)
    model = Model(structures, {}, bones, warps)
    return Assembly(model, (), label_places(scene, model))


def _displacing(pathologies: Iterable[Pathology]) -> bool:
    """Tell whether a disc is displaced: then no fat is drawn behind the sac."""
    return any(isinstance(entry, Herniation) for entry in pathologies)


def _height(bones: Mapping[Level, Bone]) -> float:
    """Return how high some bones reach, mm."""
    return max((float(bone.surface.vertices[:, 2].max()) for bone in bones.values()), default=-np.inf)


def _with_variants(structure: Structure, prepared: Iterable[Prepared]) -> Structure:
    variants = dict(structure.variants)
    for approach in prepared:
        variants |= approach.variants.get(structure.name, {})
    return replace(structure, variants=variants)


def _in_range(name: str, levels: tuple[Level, ...]) -> bool:
    """Tell whether a structure belongs to the levels shown; what has no level, or passes, always does."""
    if name.startswith(PASSING):
        return True
    named = {word for part in name.split(".") for word in part.split("-")}
    return named & set(LEVELS) <= set(levels)
