"""A scene's timeline: its panes, its own steps with their looks and labels, then those of its approaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial, reduce

from spineviz.assembly import Assembly
from spineviz.cuts import opening, reach
from spineviz.framing import cameras, cuts_of, seen_by, step_of
from spineviz.layers import Layer, enclosed, layer_of, members, number_of, structure_title
from spineviz.locale import titled
from spineviz.model import HIDDEN, Camera, Cut, Label, Look, Message, Model, Pane, State
from spineviz.morphing import at_severity, severity_of
from spineviz.pathology import label_of
from spineviz.scene import Scene, SceneStep
from spineviz.surgery.eye import watched
from spineviz.surgery.procedures import Prepared
from spineviz.surgery.site import NERVE_WARP
from spineviz.terms import LEVELS, PHASES, Phase
from spineviz.timeline import Action, Step, Timeline, eased, in_turn, timeline
from spineviz.views import View, between, seen_from, vector

OPEN = 0.5
"""The share of a step in which its cuts open."""

BRIEF = {"thecal_sac": "sac", "flavum": "flavum", "epidural_fat": "fat"}
"""What has a short name for narrow panes."""

GLASS = 0.16
"""The opacity of a layer that one looks through."""


def direct(scene: Scene, assembly: Assembly) -> Timeline:
    """Return a scene's timeline: its own steps first, then those of its approaches."""
    named = cameras(assembly.model, scene)
    if scene.compare:
        return _beside(scene, assembly, named)
    if scene.views:
        return _around(scene, assembly, named)
    approaches = assembly.prepared or (None,)
    panes = tuple(_first_pane(scene, assembly, prepared, named[scene.camera]) for prepared in approaches)
    if scene.morphs:
        panes = tuple(
            at_severity(pane, scene.severity, assembly.model, _unseen(scene, pane)) for pane in panes
        )
    own = [_scene_step(step, scene, assembly, named) for step in scene.steps]
    tracks = [
        [_afresh(step, pane.cuts) for step in _operation(scene, prepared, named)]
        for pane, prepared in zip(panes, approaches, strict=True)
    ]
    if scene.together == "in_turn":
        return in_turn(State(panes, "twin", titled(scene.title)), own, tracks)
    if len(tracks) > 1:
        tracks = _under_one_camera(tracks)
    tracks = [[*own, *track] for track in tracks]
    state = State(panes, "twin" if len(panes) == 2 else "one", titled(scene.title))
    return timeline(state, tracks)


def _operation(scene: Scene, prepared: Prepared | None, named: Mapping[View, Camera]) -> tuple[Step, ...]:
    """Return the steps of an approach, with what the surgeon sees where the scene wants it."""
    if prepared is None:
        return ()
    steps = prepared.steps({str(name): camera for name, camera in named.items()})
    return watched(steps, prepared.story.site, prepared.ledger.incision) if scene.inset else steps


def _beside(scene: Scene, assembly: Assembly, named: Mapping[View, Camera]) -> Timeline:
    """Return the timeline of a scene that compares bodies: a pane each, under one camera."""
    panes, tracks = [], []
    for number, shown in enumerate(scene.compare):
        pane = _first_pane(scene, assembly, None, named[scene.camera])
        looks = {name: look if number_of(name) == number else HIDDEN for name, look in pane.looks.items()}
        panes.append(replace(pane, looks=looks, heading=titled(shown.title)))
        steps = [
            _scene_step(step_of(step, number), scene, assembly, named, brief=True) for step in scene.steps
        ]
        tracks.append(steps)
    return timeline(State(tuple(panes), "rows" if scene.rows > 1 else "twin", titled(scene.title)), tracks)


def _around(scene: Scene, assembly: Assembly, named: Mapping[View, Camera]) -> Timeline:
    """Return the timeline of a scene that shows one body from several sides: a pane each, at one scale."""
    panes, tracks = [], []
    for view in scene.views:
        pane = _first_pane(scene, assembly, None, named[view])
        panes.append(replace(pane, heading=Message(seen_from(named[view]).key.replace("direction", "from"))))
        steps = [_scene_step(seen_by(step, view), scene, assembly, named, brief=True) for step in scene.steps]
        tracks.append(steps)
    return timeline(State(tuple(panes), "views", titled(scene.title)), tracks)


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
    cuts = cuts_of(scene, None, assembly.model)
    return Pane(looks, camera, cuts, prepared.heading if prepared is not None else None)


def _scene_step(
    step: SceneStep, scene: Scene, assembly: Assembly, named: Mapping[View, Camera], brief: bool = False
) -> Step:
    known = assembly.model.structures
    cuts = cuts_of(scene, step, assembly.model)
    ever = {cut for other in scene.steps for cut in cuts_of(scene, other, assembly.model)}
    reaches = {cut: reach(cut, assembly.model) for cut in ever}
    labels = tuple(_label(name, step, scene, assembly, brief) for name in step.labels if name in known)
    actions: list[Action] = [
        partial(_sickened, severity=step.severity, model=assembly.model, scene=scene),
        partial(_fade_layers, hidden=step.hidden, glass=enclosed(step.fade)),
        partial(_highlight_layers, layers=enclosed(step.highlight), ill=_ill(scene, assembly.model)),
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


def _unseen(scene: Scene, pane: Pane) -> frozenset[str]:
    """Return the structures of a pane that a scene never shows."""
    return frozenset(name for layer in scene.hidden for name in members(layer, pane.looks))


def _sickened(pane: Pane, progress: float, severity: float | None, model: Model, scene: Scene) -> Pane:
    """Bring the disease to a severity; None leaves it as it is."""
    if severity is None:
        return pane
    before = severity_of(pane)
    now = before + (severity - before) * eased(progress)
    return at_severity(pane, now, model, _unseen(scene, pane))


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


def _ill(scene: Scene, model: Model) -> frozenset[str]:
    """Return the structures that a disease has changed; displaced disc has a colour of its own.

    A worn disc behind which displaced material lies keeps its look: what presses on nerves is told apart.
    """
    changed = {name for name in model.structures if disease_title(scene, name) is not None}
    fragments = {name for name in changed if model.structures[name].tissue == "fragment"}
    behind = {name.replace("herniation.", f"{part}.") for name in fragments for part in ("disc", "nucleus")}
    return frozenset(changed - fragments - behind)


def _highlight_layers(pane: Pane, progress: float, layers: tuple[Layer, ...], ill: frozenset[str]) -> Pane:
    """Bring the highlight of the layers named up, and that of all others down.

    With the layer of disease, what a disease has changed takes on its colour too.
    """
    share = eased(progress / 0.3)
    looks = dict(pane.looks)
    for name, look in pane.looks.items():
        alarm = 1.0 if name in ill and "disease" in layers else 0.0
        goal = 1.0 if layer_of(name) in layers else alarm
        if (look.highlight, look.alarm) != (goal, alarm):
            glow, colour = (
                look.highlight + (goal - look.highlight) * share,
                look.alarm + (alarm - look.alarm) * share,
            )
            looks[name] = replace(look, highlight=glow, alarm=colour)
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
    """Take away what the scene's own steps wrote and cut, and let the colour of disease fade."""
    left = 1.0 - eased(progress / 0.3)
    ill = {name: look for name, look in pane.looks.items() if look.alarm > 0.0}
    if not (ill or pane.labels or pane.cuts != cuts):
        return pane
    faded = {
        name: replace(look, alarm=look.alarm * left, highlight=look.highlight * left)
        for name, look in ill.items()
    }
    return replace(pane, looks={**pane.looks, **faded}, labels=(), cuts=cuts)
