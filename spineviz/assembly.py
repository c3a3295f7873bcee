"""From a scene to its model and its timeline: the one place where everything comes together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spineviz import library
from spineviz.anchors import visible_places
from spineviz.cuts import opening, reach, resolved
from spineviz.layers import COVERS, Layer, enclosed, layer_of, members, number_of, numbered, structure_title
from spineviz.locale import titled
from spineviz.model import HIDDEN, Camera, Cut, Label, Look, Message, Model, Pane, State, Vector
from spineviz.pathology import Herniation, Pathology, apply, label_of
from spineviz.scene import Body as BodySpec
from spineviz.scene import Compared, Scene, SceneStep
from spineviz.structure import Bone, Landmark, Structure, Warp
from spineviz.surgery.procedures import Decompressing, Prepared, prepare
from spineviz.surgery.site import NERVE_WARP
from spineviz.terms import LEVELS, PHASES, Disc, Level, Phase, Side, column, discs_of, levels_of
from spineviz.timeline import Action, Step, Timeline, eased, timeline
from spineviz.views import FLAT, OPENING, View, between, narrowed, overviews, seen_from, vector, views

if TYPE_CHECKING:  # the makers of anatomy are imported where a scene is built: one from the cache needs none
    from spineviz.anatomy.recipe import Body
    from spineviz.body import Anatomy

OPEN = 0.5
"""The share of a step in which its cuts open."""

PASSING = ("rootlet.", "cauda.")
"""Nerves are called by the level where they leave, and pass others on their way."""

ENCLOSED = ("spinal_cord", "filum_terminale", *PASSING)
"""What lies in the sac: in an operation nobody sees it, and it would have to be moved with the sac."""

JOINTS = ("facet_capsule", "facet_cartilage")
"""What every facet joint has beside its bones."""

BELOW = 40.0
"""Of compared columns that are deformed, what lies farther (mm) below the lower vertebra is not framed."""

BRIEF = {"thecal_sac": "sac", "flavum": "flavum", "epidural_fat": "fat"}
"""What has a short name for narrow panes."""

GLASS = 0.16
"""The opacity of a layer that one looks through."""


@dataclass(frozen=True, eq=False)
class Assembly:
    """A scene's model and what its approaches prepared; constant, and safe to keep in a file."""

    model: Model
    prepared: tuple[Prepared, ...]
    anchors: Mapping[tuple[SceneStep, str], Vector] = field(default_factory=dict)


def target(scene: Scene) -> tuple[Disc, Side]:
    """Return the disc and the side that a scene is about: of its disease, of its cuts, or in its middle."""
    compared = (entry for body in scene.compare for entry in body.pathologies)
    for entry in (*scene.pathologies, *scene.approaches, *compared):
        return entry.disc, entry.side
    for cut in (*scene.cuts, *(cut for step in scene.steps for cut in step.cuts)):
        if cut.disc is not None:
            return cut.disc, "left"
    discs = discs_of([level for level in column() if level in scene.anatomy.levels])
    return ("L4-L5" if "L4-L5" in discs or not discs else discs[len(discs) // 2]), "left"


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
    """Return a hash of everything that shapes a scene's meshes."""
    shaping = scene.model_copy(update={"title": "", "camera": "posterior", "poster": 0.0})
    given = [bone for shown in (scene.anatomy, *scene.compare) for bone in shown.bones.values()]
    files = [Path(bone.file).read_bytes() for bone in given]
    return library.digest(library.full_recipe(), shaping.model_dump_json(), *files)


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
        and not (scene.approaches and name.startswith(ENCLOSED))
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
    return Assembly(model, prepared, _anchors(scene, model))


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
    return Assembly(model, (), _anchors(scene, model))


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


def cameras(assembly: Assembly, scene: Scene) -> Mapping[View, Camera]:
    """Return a scene's named cameras."""
    disc, side = target(scene)
    named = views(assembly.model.bones, disc, side)
    if scene.compare and scene.diseased:
        named = narrowed(named, len(scene.compare))
    if (scene.diseased and not scene.deformed) or scene.approaches:
        return named
    structures = assembly.model.structures.values()
    bones = np.vstack([(item.light or item.surface).vertices for item in structures if item.tissue == "bone"])
    if scene.compare and scene.deformed:
        site = assembly.model.bones[levels_of(disc)[1]].frame.origin
        bones = bones[bones[:, 2] > site[2] - BELOW]
    panes = len(scene.views or scene.compare) or 1
    named |= overviews(bones, side, panes, FLAT if scene.views else OPENING)
    height = max((named[view].height for view in scene.views), default=0.0)
    return named | {view: replace(named[view], height=height) for view in scene.views}


def direct(scene: Scene, assembly: Assembly) -> Timeline:
    """Return a scene's timeline: its own steps first, then those of its approaches."""
    named = cameras(assembly, scene)
    if scene.compare:
        return _beside(scene, assembly, named)
    if scene.views:
        return _around(scene, assembly, named)
    approaches = assembly.prepared or (None,)
    panes = tuple(_first_pane(scene, assembly, prepared, named[scene.camera]) for prepared in approaches)
    own = [_scene_step(step, scene, assembly, named) for step in scene.steps]
    by_name = {str(name): camera for name, camera in named.items()}
    tracks = [
        [_afresh(step, pane.cuts) for step in (prepared.steps(by_name) if prepared is not None else ())]
        for pane, prepared in zip(panes, approaches, strict=True)
    ]
    if len(tracks) > 1:
        tracks = _under_one_camera(tracks)
    tracks = [[*own, *track] for track in tracks]
    state = State(panes, "twin" if len(panes) == 2 else "one", titled(scene.title))
    return timeline(state, tracks)


def _beside(scene: Scene, assembly: Assembly, named: Mapping[View, Camera]) -> Timeline:
    """Return the timeline of a scene that compares bodies: a pane each, under one camera."""
    panes, tracks = [], []
    for number, shown in enumerate(scene.compare):
        pane = _first_pane(scene, assembly, None, named[scene.camera])
        looks = {name: look if number_of(name) == number else HIDDEN for name, look in pane.looks.items()}
        panes.append(replace(pane, looks=looks, heading=titled(shown.title)))
        steps = [
            _scene_step(_step_of(step, number), scene, assembly, named, brief=True) for step in scene.steps
        ]
        tracks.append(steps)
    return timeline(State(tuple(panes), "twin", titled(scene.title)), tracks)


def _around(scene: Scene, assembly: Assembly, named: Mapping[View, Camera]) -> Timeline:
    """Return the timeline of a scene that shows one body from several sides: a pane each, at one scale."""
    panes, tracks = [], []
    for view in scene.views:
        pane = _first_pane(scene, assembly, None, named[view])
        panes.append(replace(pane, heading=Message(seen_from(named[view]).key.replace("direction", "from"))))
        steps = [
            _scene_step(_seen_by(step, view), scene, assembly, named, brief=True) for step in scene.steps
        ]
        tracks.append(steps)
    return timeline(State(tuple(panes), "views", titled(scene.title)), tracks)


def _seen_by(step: SceneStep, view: View) -> SceneStep:
    """Return a step as one of several views shows it."""
    return step.model_copy(update={"camera": view})


def _step_of(step: SceneStep, number: int) -> SceneStep:
    """Return a step whose labels name the structures of one of several bodies."""
    return step.model_copy(update={"labels": tuple(numbered(name, number) for name in step.labels)})


def _under_one_camera(tracks: list[list[Step]]) -> list[list[Step]]:
    """Return tracks whose panes are seen from one place: in each phase midway between their cameras."""
    shared: dict[Phase, Camera] = {}
    for phase in PHASES:
        wanted = [[step.camera for step in track if step.phase == phase and step.camera] for track in tracks]
        last = [cameras[-1] for cameras in wanted if cameras]
        if last:
            shared[phase] = reduce(lambda first, second: between(first, second, 0.5), last)
    return [[replace(step, camera=shared.get(step.phase)) for step in track] for track in tracks]


def _first_pane(scene: Scene, assembly: Assembly, prepared: Prepared | None, camera: Camera) -> Pane:
    looks = {name: Look() for name in assembly.model.structures}
    for other in assembly.prepared:
        looks |= dict.fromkeys(other.structures, HIDDEN)
    looks |= {name: Look(warp=(way, (1.0, 0.0))) for name, way in assembly.model.warps if way == NERVE_WARP}
    if prepared is not None:
        looks |= {name: look for name, look in prepared.looks.items() if name in looks}
    for layer in scene.hidden:
        looks |= dict.fromkeys(members(layer, looks), HIDDEN)
    cuts = _cuts(scene, None, assembly.model)
    return Pane(looks, camera, cuts, prepared.heading if prepared is not None else None)


def _scene_step(
    step: SceneStep, scene: Scene, assembly: Assembly, named: Mapping[View, Camera], brief: bool = False
) -> Step:
    known = assembly.model.structures
    cuts = _cuts(scene, step, assembly.model)
    ever = {cut for other in scene.steps for cut in _cuts(scene, other, assembly.model)}
    reaches = {cut: reach(cut, assembly.model) for cut in ever}
    labels = tuple(_label(name, step, scene, assembly, brief) for name in step.labels if name in known)
    actions: list[Action] = [
        partial(_fade_layers, hidden=step.hidden, glass=enclosed(step.fade)),
        partial(_highlight_layers, layers=enclosed(step.highlight)),
        partial(_cut, cuts=cuts, reaches=reaches),
        partial(_labelled, labels=labels, since=OPEN if step.cuts else 0.2),
    ]
    return Step("orientation", titled(step.title), step.seconds, tuple(actions), named[step.camera])


def _label(name: str, step: SceneStep, scene: Scene, assembly: Assembly, brief: bool) -> Label:
    """Return a structure's label, at the place that was chosen when the scene was built.

    A ``brief`` one names a vertebra by its level alone, and a root without its side.
    """
    anchor = assembly.anchors.get((step, name))
    if anchor is None:
        anchor = vector(assembly.model.structures[name].surface.vertices.mean(axis=0))
    stem = name.partition("#")[0]
    words = (brief and _brief(stem)) or structure_title(name)
    ill = disease_title(scene, name)
    return Label(ill or words, anchor, strong=ill is not None)


def _brief(stem: str) -> Message | None:
    """Return the short name of a structure that narrow panes name in brief; None for all others."""
    kind, *rest = stem.split(".")
    if kind in LEVELS and kind not in ("S1", "Co1"):
        return Message("label.level", (("level", kind),))
    if kind == "root":
        return Message("label.root", (("level", rest[0]),))
    return Message(f"label.{BRIEF[kind]}") if kind in BRIEF else None


def disease_title(scene: Scene, name: str) -> Message | None:
    """Return what a structure is called that a pathology of a scene displaces or changes; None for others."""
    number = number_of(name)
    own = scene.pathologies if number is None else scene.compare[number].pathologies
    labels = (label_of(entry, name.partition("#")[0]) for entry in own)
    return next((label for label in labels if label is not None), None)


def _anchors(scene: Scene, model: Model) -> dict[tuple[SceneStep, str], Vector]:
    """Return where each label of a scene's own steps touches its structure: amid what is seen of it."""
    named = cameras(Assembly(model, ()), scene)
    steps = [_seen_by(step, view) for step in scene.steps for view in scene.views or (step.camera,)]
    if scene.compare:
        steps = [_step_of(step, number) for step in steps for number in range(len(scene.compare))]
    result: dict[tuple[SceneStep, str], Vector] = {}
    for step in steps:
        if step.labels:
            through = {*step.hidden, *enclosed(step.fade), "instruments"}
            cuts = _cuts(scene, step, model)
            places = visible_places(step.labels, model, named[step.camera], through, cuts)
            result |= {(step, name): place for name, place in places.items()}
    return result


def _cuts(scene: Scene, step: SceneStep | None, model: Model) -> tuple[Cut, ...]:
    """Return the cuts of a scene, and of one of its steps, as they lie in the model."""
    disc, side = target(scene)
    wanted = (*scene.cuts, *(step.cuts if step is not None else ()))
    return tuple(resolved(cut, model, disc, side) for cut in wanted)


def _fade_layers(pane: Pane, progress: float, hidden: tuple[Layer, ...], glass: tuple[Layer, ...]) -> Pane:
    """Fade layers until some are out of sight, some are like glass, and all others stand in full."""
    share = eased(progress / 0.4)
    looks = dict(pane.looks)
    for name, look in pane.looks.items():
        layer = layer_of(name)
        goal = 0.0 if layer in hidden else GLASS if layer in glass else 1.0
        if look.visible and look.opacity != goal:
            looks[name] = replace(look, opacity=look.opacity + (goal - look.opacity) * share)
    return replace(pane, looks=looks)


def _highlight_layers(pane: Pane, progress: float, layers: tuple[Layer, ...]) -> Pane:
    """Bring the highlight of the layers named up, and that of all others down."""
    share = eased(progress / 0.3)
    looks = dict(pane.looks)
    for name, look in pane.looks.items():
        goal = 1.0 if layer_of(name) in layers else 0.0
        if look.highlight != goal:
            looks[name] = replace(look, highlight=look.highlight + (goal - look.highlight) * share)
    return replace(pane, looks=looks)


def _cut(pane: Pane, progress: float, cuts: tuple[Cut, ...], reaches: Mapping[Cut, float]) -> Pane:
    """Open a pane at some planes, and close it at all others."""
    return opening(pane, eased(progress / OPEN), cuts, reaches)


def _labelled(pane: Pane, progress: float, labels: tuple[Label, ...], since: float) -> Pane:
    return replace(pane, labels=labels if progress > since else ())


def _afresh(step: Step, cuts: tuple[Cut, ...]) -> Step:
    """Return an approach's step that begins by undoing what the scene's own steps wrote and cut."""
    return replace(step, actions=(partial(_begun, cuts=cuts), *step.actions))


def _begun(pane: Pane, progress: float, cuts: tuple[Cut, ...]) -> Pane:
    return replace(pane, labels=(), cuts=cuts) if pane.labels or pane.cuts != cuts else pane
