"""The session over one model and its timeline: where it stands, and what the user has chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from spineviz.cuts import moved
from spineviz.filling import FATS
from spineviz.layers import APART, LAYERS, Layer
from spineviz.model import Camera, Cut, Model, State
from spineviz.timeline import Timeline, eased
from spineviz.viewer.choices import (
    Choices,
    CutName,
    adjusted,
    named,
    seen_by,
    visible_layers,
    with_layers,
)
from spineviz.views import between

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""How fast a timeline can be played; 1 is its own pace."""

_Named = TypeVar("_Named")


@dataclass(eq=False)
class Viewer:
    """A session: a playhead on the timeline and the user's choices, with one signal.

    ``views`` and ``cuts`` are the cameras and planes that can be chosen by name. ``annotate`` adds
    what is written to a state of the timeline. Each callback in ``changed`` is called after every
    change. ``glide`` is the time in seconds in which the camera travels to a chosen view.
    """

    model: Model
    timeline: Timeline
    views: Mapping[str, Camera] = field(default_factory=dict)
    cuts: Mapping[CutName, Cut] = field(default_factory=dict)
    annotate: Callable[[State], State] = lambda state: state
    glide: float = 0.5
    changed: list[Callable[[], None]] = field(default_factory=list)
    playhead: float = field(default=0.0, init=False)
    playing: bool = field(default=False, init=False)
    speed: float = field(default=1.0, init=False)
    choices: Choices = field(default_factory=Choices, init=False)
    _past: list[Choices] = field(default_factory=list, init=False)
    _future: list[Choices] = field(default_factory=list, init=False)
    _journey: tuple[Camera, float] | None = field(default=None, init=False)
    _told: tuple[float, State] | None = field(default=None, init=False)

    @property
    def state(self) -> State:
        """What is to be seen now."""
        state = named(self.model, adjusted(self.told, self.choices), self.choices.selected)
        if self._journey is None:
            return state
        origin, progress = self._journey
        camera = between(origin, state.panes[0].camera, eased(progress))
        return replace(state, panes=seen_by(state.panes, camera))

    @property
    def told(self) -> State:
        """What the timeline tells now, before the user's choices."""
        if self._told is None or self._told[0] != self.playhead:
            self._told = self.playhead, self.annotate(self.timeline.at(self.playhead))
        return self._told[1]

    @property
    def camera(self) -> Camera:
        """The camera of the picture now."""
        return self.state.panes[0].camera

    @property
    def moving(self) -> bool:
        """Whether `tick` will change the picture."""
        return self.playing or self._journey is not None

    @property
    def hiding(self) -> bool:
        """Whether the user has hidden or brought back anything."""
        chosen = self.choices
        return bool(chosen.hidden_layers or chosen.shown_layers or chosen.hidden_structures)

    @property
    def can_undo(self) -> bool:
        """Whether there is a choice to take back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether there is a choice to make again."""
        return bool(self._future)

    @property
    def step(self) -> int:
        """The index of the step, among the timeline's starts, in which the playhead stands."""
        return sum(start <= self.playhead + 1e-6 for start in self.timeline.starts[1:])

    def scrub(self, second: float) -> None:
        """Move the playhead to a second; before the start and after the end it stays on them."""
        self.playhead = min(max(second, 0.0), self.timeline.seconds)
        self._announce()

    def play(self) -> None:
        """Start playing; at the end, from the beginning."""
        if self.playhead >= self.timeline.seconds:
            self.playhead = 0.0
        self.playing = self.timeline.seconds > 0
        self._announce()

    def pause(self) -> None:
        """Stop playing; the playhead stays."""
        self.playing = False
        self._announce()

    def set_speed(self, speed: float) -> None:
        """Play at a multiple of the timeline's own pace; raises ValueError unless it is above 0."""
        if not speed > 0:
            raise ValueError(f"the speed must be above 0, not {speed}")
        self.speed = speed
        self._announce()

    def tick(self, seconds: float) -> None:
        """Let time pass, in seconds of the wall clock."""
        if not self.moving:
            return
        if self.playing:
            self.playhead = min(self.playhead + seconds * self.speed, self.timeline.seconds)
            self.playing = self.playhead < self.timeline.seconds
        if self._journey is not None:
            origin, progress = self._journey
            progress += seconds / self.glide
            self._journey = (origin, progress) if progress < 1 else None
        self._announce()

    def forward(self) -> None:
        """Go to the start of the next step, or to the end."""
        later = (start for start in self.timeline.starts if start > self.playhead + 1e-6)
        self.scrub(next(later, self.timeline.seconds))

    def back(self) -> None:
        """Go to the start of this step, or of the one before where the playhead has just passed it."""
        grace = 0.75 * self.speed if self.playing else 1e-6
        earlier = [start for start in self.timeline.starts if start < self.playhead - grace]
        self.scrub(earlier[-1] if earlier else 0.0)

    def toggle_layer(self, layer: Layer) -> None:
        """Hide a layer, or show it again.

        A layer that the timeline itself hides is brought back; not so the disease and the instruments,
        which come and go with the operation.
        """
        if layer not in LAYERS:
            raise ValueError(f"there is no layer '{layer}'; there is: {', '.join(LAYERS)}")
        hidden, shown = self.choices.hidden_layers, self.choices.shown_layers
        if layer in hidden | shown:
            hidden, shown = hidden - {layer}, shown - {layer}
        elif layer in APART or layer in visible_layers(self.told):
            hidden = hidden | {layer}
        else:
            shown = shown | {layer}
        self._choose(replace(self.choices, hidden_layers=hidden, shown_layers=shown))

    def show_layers(self, words: str) -> None:
        """Show some layers and no others, said in words: ``down to the fascia``, ``everything but skin``.

        Raises ValueError for a word that is no layer; the text tells the nearest, and those there are.
        """
        self._choose(with_layers(self.choices, words))

    def hide(self, structure: str) -> None:
        """Hide one structure until `show_all`."""
        self._known(structure)
        selected = None if self.choices.selected == structure else self.choices.selected
        hidden = self.choices.hidden_structures | {structure}
        self._choose(replace(self.choices, hidden_structures=hidden, selected=selected))

    def show_all(self) -> None:
        """Forget which layers and structures the user hid or showed."""
        none: frozenset = frozenset()
        self._choose(replace(self.choices, hidden_layers=none, shown_layers=none, hidden_structures=none))

    def select(self, structure: str | None) -> None:
        """Highlight one structure, or none; fat in the face of a cut is no structure."""
        if structure in FATS:
            structure = None
        if structure is not None:
            self._known(structure)
        self._choose(replace(self.choices, selected=structure))

    def toggle_labels(self) -> None:
        """Take the labels away, or bring them back."""
        self._choose(replace(self.choices, labels=not self.choices.labels))

    @property
    def view(self) -> str | None:
        """The name of the chosen view; None for the timeline's camera and for one moved by hand."""
        return next((name for name, camera in self.views.items() if camera == self.choices.camera), None)

    def choose_view(self, name: str | None) -> None:
        """Travel to a named view, or back to the timeline's camera with None."""
        self._travel(replace(self.choices, camera=None if name is None else _named(self.views, name)))

    def look_from(self, camera: Camera, *, same_gesture: bool = False) -> None:
        """See every pane from a camera; moves of one gesture are undone together."""
        self._journey = None
        self._choose(replace(self.choices, camera=camera), merge=same_gesture)

    @property
    def cut(self) -> CutName | None:
        """The name of the chosen cut, wherever it has been moved."""
        chosen = self.choices.cut
        return next(
            (name for name, plane in self.cuts.items() if chosen and plane.normal == chosen.normal), None
        )

    def choose_cut(self, name: CutName | None) -> None:
        """Cut every pane open at a named plane, or close it with None."""
        self._choose(replace(self.choices, cut=None if name is None else _named(self.cuts, name)))

    def move_cut(self, way: float, *, same_gesture: bool = False) -> None:
        """Move the chosen cut so that it takes less away, by mm; moves of one gesture are undone together."""
        if self.choices.cut is not None:
            cut = moved(self.choices.cut, way)
            self._choose(replace(self.choices, cut=cut), merge=same_gesture)

    def undo(self) -> None:
        """Take the last choice back; without one, nothing happens."""
        self._exchange(self._past, self._future)

    def redo(self) -> None:
        """Choose again what was taken back; without that, nothing happens."""
        self._exchange(self._future, self._past)

    def _exchange(self, source: list[Choices], target: list[Choices]) -> None:
        if source:
            target.append(self.choices)
            self._travel(source.pop(), remember=False)

    def _travel(self, choices: Choices, *, remember: bool = True) -> None:
        before = self.camera
        self._journey = None
        if remember:
            self._choose(choices, announce=False)
        else:
            self.choices = choices
        if self.glide > 0 and self.camera != before:
            self._journey = before, 0.0
        self._announce()

    def _choose(self, choices: Choices, *, merge: bool = False, announce: bool = True) -> None:
        if choices != self.choices:
            if not merge:
                self._past.append(self.choices)
                self._future.clear()
            self.choices = choices
        if announce:
            self._announce()

    def _known(self, structure: str) -> None:
        if structure not in self.model.structures:
            raise ValueError(f"there is no structure '{structure}' in this scene")

    def _announce(self) -> None:
        for callback in tuple(self.changed):
            callback()


def _named(known: Mapping[Any, _Named], name: str) -> _Named:
    try:
        return known[name]
    except KeyError:
        raise ValueError(f"there is no '{name}'; there is: {', '.join(known) or 'none'}") from None
