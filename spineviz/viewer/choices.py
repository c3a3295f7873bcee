"""What a user has changed about the picture, and a state as it looks with that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from spineviz.cuts import cut_open
from spineviz.layers import APART, COVERS, LAYERS, Layer, chosen_layers, layer_of, structure_title
from spineviz.model import Camera, Cut, Label, Look, Message, Model, Pane, State, Vector
from spineviz.structure import Bone, Floats
from spineviz.terms import Disc, Level, Side
from spineviz.views import disc_frame, seen_from

CutName = Literal["axial", "sagittal"]
"""Where the scene can be cut open at its disc."""

CUTS: tuple[CutName, ...] = get_args(CutName)


@dataclass(frozen=True)
class Choices:
    """What a user has changed about the picture; the timeline's own state where nothing is chosen.

    ``shown_layers`` are brought back where the timeline hides a whole layer. ``camera`` replaces the
    camera of every pane, so that panes are always seen from the same place.
    """

    hidden_layers: frozenset[Layer] = frozenset()
    shown_layers: frozenset[Layer] = frozenset()
    hidden_structures: frozenset[str] = frozenset()
    selected: str | None = None
    camera: Camera | None = None
    cut: Cut | None = None
    labels: bool = True


def with_layers(choices: Choices, words: str) -> Choices:
    """Return choices that show some layers and no others, said in words: ``down to the fascia``.

    See `spineviz.layers.chosen_layers`, which raises ValueError for words that are no layers. Disease and
    instruments are hidden or left to the timeline, never brought back: they come and go with the operation.
    """
    shown = frozenset(chosen_layers(words))
    return replace(choices, hidden_layers=frozenset(LAYERS) - shown, shown_layers=shown - APART)


def cut_planes(bones: Mapping[Level, Bone], disc: Disc, side: Side) -> dict[CutName, Cut]:
    """Return the planes that open the scene at a disc, in the world, mm.

    ``axial`` takes away what lies above the middle of the disc; ``sagittal`` takes away the half on
    ``side``, up to the middle of the body.
    """
    frame = disc_frame(bones, disc)
    outward = frame.right if side == "right" else -frame.right
    return {
        "axial": Cut(_vector(frame.origin), _vector(frame.superior)),
        "sagittal": Cut(_vector(frame.origin), _vector(outward)),
    }


def adjusted(state: State, choices: Choices) -> State:
    """Return a state as the user wants to see it; slices stay as they are."""
    if state.layout == "views" and choices.camera is not None:
        state = alone(state)
    panes = tuple(_pane(pane, choices) if pane.scan is None else pane for pane in state.panes)
    view = state.view if choices.camera is None else _view(state.view, choices.camera)
    return replace(state, panes=panes, view=view)


def seen_by(panes: tuple[Pane, ...], camera: Camera) -> tuple[Pane, ...]:
    """Return panes as a camera sees them, but for slices, which have their own."""
    return tuple(pane if pane.scan is not None else replace(pane, camera=camera) for pane in panes)


def alone(state: State, index: int = 0) -> State:
    """Return one of several views of a body alone: seen from one place, all of them would be the same."""
    line = state.view and replace(state.view, key="view.range")
    return replace(state, panes=(replace(state.panes[index], heading=None),), layout="one", view=line)


def named(model: Model, state: State, structure: str | None) -> State:
    """Return the state with one structure's name on it, in every pane that shows the structure."""
    if structure is None:
        return state
    return replace(state, panes=tuple(_named(model, pane, structure) for pane in state.panes))


def _named(model: Model, pane: Pane, structure: str) -> Pane:
    look, words = pane.looks.get(structure), structure_title(structure)
    if look is None or strength(look) == 0 or any(label.text == words for label in pane.labels):
        return pane
    place = _place_on(model, pane, structure, look)
    return pane if place is None else replace(pane, labels=(*pane.labels, Label(words, _vector(place))))


def _place_on(model: Model, pane: Pane, structure: str, look: Look) -> Floats | None:
    """Return a place on what cuts leave of a structure: on a cut face that is seen, where there is one."""
    cuts = [cut for cut in pane.cuts if cut.cuts(structure)]
    for cut in cuts:
        if np.dot(cut.normal, pane.camera.direction) > 0:
            places, room = model.face(structure, look, cut).places()
            if len(places) and not any(other.beyond(places).all() for other in cuts if other != cut):
                return np.asarray(places[room.argmax()])
    vertices = model.vertices(structure, look)
    for cut in cuts:
        vertices = vertices[~cut.beyond(vertices)]
    if len(vertices) == 0:
        return None
    return np.asarray(vertices[((vertices - vertices.mean(axis=0)) ** 2).sum(axis=1).argmin()])


def _view(line: Message | None, camera: Camera) -> Message | None:
    """Return the line that tells where the picture is seen from, true for the camera."""
    if line is None:
        return None
    others = tuple(entry for entry in line.parameters if entry[0] != "view")
    return replace(line, parameters=(*others, ("view", f"@{seen_from(camera).key}")))


def _pane(pane: Pane, choices: Choices) -> Pane:
    strongest = _strongest(pane.looks) if choices.shown_layers else {}
    camera = choices.camera or pane.camera
    looks = {name: _look(name, look, choices, strongest) for name, look in pane.looks.items()}
    out = (*_kept_out(pane.looks, choices), *_covered(pane.looks, choices, strongest, camera))
    hidden = {structure_title(name) for name in out}
    labels = tuple(label for label in pane.labels if choices.labels and label.text not in hidden)
    inset = pane.inset
    if inset is not None:
        seen = {name: _look(name, look, choices, strongest) for name, look in inset.looks.items()}
        inset = replace(inset, looks=seen)
    pane = replace(pane, looks=looks, labels=labels, camera=camera, inset=inset)
    return pane if choices.cut is None else cut_open(pane, (choices.cut,))


def _kept_out(looks: Mapping[str, Look], choices: Choices) -> tuple[str, ...]:
    return tuple(
        name for name in looks if name in choices.hidden_structures or layer_of(name) in choices.hidden_layers
    )


def _covered(
    looks: Mapping[str, Look], choices: Choices, strongest: Mapping[Layer, float], camera: Camera
) -> tuple[str, ...]:
    """Return what lies under layers that the user has brought back, seen from behind."""
    back = [layer for layer in choices.shown_layers & COVERS if strongest.get(layer) == 0.0]
    if not back or camera.direction[1] >= 0:
        return ()
    cover = min(LAYERS.index(layer) for layer in back)
    return tuple(name for name in looks if LAYERS.index(layer_of(name)) > cover)


def _strongest(looks: Mapping[str, Look]) -> dict[Layer, float]:
    """Return how opaque the most opaque structure of each layer is."""
    result: dict[Layer, float] = {}
    for name, look in looks.items():
        layer = layer_of(name)
        result[layer] = max(result.get(layer, 0.0), strength(look))
    return result


def strength(look: Look) -> float:
    """Return how much of a look is seen, 0..1."""
    return look.opacity if look.visible else 0.0


def _look(name: str, look: Look, choices: Choices, strongest: Mapping[Layer, float]) -> Look:
    layer = layer_of(name)
    if layer in choices.hidden_layers or name in choices.hidden_structures:
        return replace(look, visible=False)
    if layer in choices.shown_layers:
        # In proportion to the layer: one that fades as a whole stays, a resected piece stays away.
        whole = strongest[layer]
        opacity = strength(look) / whole if whole > 0 else 1.0
        look = replace(look, visible=opacity > 0, opacity=opacity)
    if name == choices.selected:
        look = replace(look, highlight=1.0)
    return look


def visible_layers(state: State) -> frozenset[Layer]:
    """Return the layers of which any pane shows something."""
    return frozenset(
        layer_of(name) for pane in state.panes for name, look in pane.looks.items() if strength(look) > 0
    )


def _vector(values: Floats) -> Vector:
    x, y, z = (float(value) for value in values)
    return x, y, z
