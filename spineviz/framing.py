"""Where a scene is seen from, where its cuts lie, and where its labels touch what they name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from spineviz.anchors import visible_places
from spineviz.cuts import resolved
from spineviz.layers import enclosed, numbered
from spineviz.model import Camera, Cut, Model, Vector
from spineviz.scene import Scene, SceneStep
from spineviz.terms import Disc, Side, column, discs_of, levels_of
from spineviz.views import FLAT, OPENING, View, narrowed, overviews, views

BELOW = 40.0
"""Of compared columns that are deformed, what lies farther (mm) below the lower vertebra is not framed."""


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


def cameras(model: Model, scene: Scene) -> Mapping[View, Camera]:
    """Return a scene's named cameras."""
    disc, side = target(scene)
    named = views(model.bones, disc, side)
    if scene.compare and scene.diseased:
        named = narrowed(named, -(-len(scene.compare) // scene.rows))
    if scene.planes:
        named = narrowed(named, 1 + len(scene.planes))
    if (scene.diseased and not scene.deformed) or scene.approaches:
        return named
    structures = model.structures.values()
    bones = np.vstack([(item.light or item.surface).vertices for item in structures if item.tissue == "bone"])
    if scene.compare and scene.deformed:
        site = model.bones[levels_of(disc)[1]].frame.origin
        bones = bones[bones[:, 2] > site[2] - BELOW]
    panes = -(-len(scene.views or scene.compare) // scene.rows) or 1
    named |= overviews(bones, side, panes, FLAT if scene.views else OPENING)
    height = max((named[view].height for view in scene.views), default=0.0)
    return named | {view: replace(named[view], height=height) for view in scene.views}


def seen_by(step: SceneStep, view: View) -> SceneStep:
    """Return a step as one of several views shows it."""
    return step.model_copy(update={"camera": view})


def step_of(step: SceneStep, number: int) -> SceneStep:
    """Return a step whose labels name the structures of one of several bodies."""
    return step.model_copy(update={"labels": tuple(numbered(name, number) for name in step.labels)})


def label_places(scene: Scene, model: Model) -> dict[tuple[SceneStep, str], Vector]:
    """Return where each label of a scene's own steps touches its structure: amid what is seen of it."""
    named = cameras(model, scene)
    steps = [seen_by(step, view) for step in scene.steps for view in scene.views or (step.camera,)]
    if scene.compare:
        steps = [step_of(step, number) for step in steps for number in range(len(scene.compare))]
    result: dict[tuple[SceneStep, str], Vector] = {}
    for step in steps:
        if step.labels:
            through = {*step.hidden, *enclosed(step.fade), "instruments"}
            cuts = cuts_of(scene, step, model)
            places = visible_places(step.labels, model, named[step.camera], through, cuts)
            result |= {(step, name): place for name, place in places.items()}
    return result


def cuts_of(scene: Scene, step: SceneStep | None, model: Model) -> tuple[Cut, ...]:
    """Return the cuts of a scene, and of one of its steps, as they lie in the model."""
    disc, side = target(scene)
    wanted = (*scene.cuts, *(step.cuts if step is not None else ()))
    return tuple(resolved(cut, model, disc, side) for cut in wanted)
