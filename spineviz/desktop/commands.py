"""What can be done in the window, by key: one table for the keyboard, the buttons and the help."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from spineviz.layers import LAYERS
from spineviz.structure import Message
from spineviz.viewer import CUTS, SPEEDS, CutName, Viewer
from spineviz.viewer.navigation import orbited, zoomed

Act = Callable[[Viewer], None]

TURN = 15.0
"""Degrees by which one press of a key turns the picture."""

ZOOM = 1.15
"""The factor by which one press of a key, or one notch of a wheel, comes nearer."""

SLICE = 2.0
"""Millimetres by which one press of a key moves a cut."""

VIEW_KEYS = MappingProxyType(
    {
        "posterior": "p",
        "oblique": "o",
        "lateral": "l",
        "anterior": "a",
        "superior": "s",
        "axial": "v",
        "operative": "r",
        "corridor": "t",
        "close": "k",
        "axial_close": "e",
        "axial_canal": "g",
        "lateral_close": "w",
        "foramen": "m",
    }
)
"""The key of each named view."""

LAYER_KEYS = "1234567890xij"
"""The keys of the layers, from the skin inwards; with Ctrl, everything that lies over the layer goes."""


@dataclass(frozen=True)
class Command:
    """Something a key does.

    ``keys`` are X11 key symbols, ``ctrl+`` and ``shift+`` before them where those are held;
    ``shown`` is what the help prints for them.
    """

    name: str
    keys: tuple[str, ...]
    shown: str
    act: Act

    @property
    def about(self) -> Message:
        """What the help says about it."""
        return Message(f"desktop.help.{self.name}")


def play_or_pause(viewer: Viewer) -> None:
    """Play where it stands, stop where it plays."""
    if viewer.playing:
        viewer.pause()
    else:
        viewer.play()


def next_cut(viewer: Viewer) -> None:
    """Go through the cuts and back to none."""
    order: list[CutName | None] = [None, *(name for name in CUTS if name in viewer.cuts)]
    viewer.choose_cut(order[(order.index(viewer.cut) + 1) % len(order)])


def toggle_cut(viewer: Viewer, name: CutName) -> None:
    """Open a cut, or close it where it is open."""
    viewer.choose_cut(None if viewer.cut == name else name)


def hide_selected(viewer: Viewer) -> None:
    """Hide the selected structure, where there is one."""
    if viewer.choices.selected is not None:
        viewer.hide(viewer.choices.selected)


def change_speed(viewer: Viewer, by: int) -> None:
    """Take the next faster (1) or slower (-1) speed."""
    nearest = min(range(len(SPEEDS)), key=lambda index: abs(SPEEDS[index] - viewer.speed))
    viewer.set_speed(SPEEDS[min(max(nearest + by, 0), len(SPEEDS) - 1)])


def turn(viewer: Viewer, across: float, up: float) -> None:
    """Turn every pane by degrees."""
    viewer.look_from(orbited(viewer.camera, across, up))


def approach(viewer: Viewer, factor: float) -> None:
    """Bring every pane nearer by a factor."""
    viewer.look_from(zoomed(viewer.camera, factor))


COMMANDS: tuple[Command, ...] = (
    Command("play", ("space",), "Space", play_or_pause),
    Command("forward", ("Right",), "Right", Viewer.forward),
    Command("back", ("Left",), "Left", Viewer.back),
    Command("start", ("Home",), "Home", lambda viewer: viewer.scrub(0.0)),
    Command("end", ("End",), "End", lambda viewer: viewer.scrub(viewer.timeline.seconds)),
    Command("slower", ("bracketleft", "comma"), "[", partial(change_speed, by=-1)),
    Command("faster", ("bracketright", "period"), "]", partial(change_speed, by=1)),
    Command("follow", ("f",), "F", lambda viewer: viewer.choose_view(None)),
    Command("cut", ("c",), "C", next_cut),
    Command("cut_less", ("Prior",), "PageUp", partial(Viewer.move_cut, way=SLICE)),
    Command("cut_more", ("Next",), "PageDown", partial(Viewer.move_cut, way=-SLICE)),
    Command("labels", ("n",), "N", Viewer.toggle_labels),
    Command("hide", ("d", "Delete", "BackSpace"), "D", hide_selected),
    Command("all", ("b",), "B", Viewer.show_all),
    Command("undo", ("u", "ctrl+z"), "Ctrl+Z, U", Viewer.undo),
    Command("redo", ("y", "ctrl+y", "ctrl+shift+z"), "Ctrl+Y, Y", Viewer.redo),
    Command("nearer", ("plus", "equal", "KP_Add"), "+", partial(approach, factor=ZOOM)),
    Command("farther", ("minus", "KP_Subtract"), "-", partial(approach, factor=1 / ZOOM)),
    Command("turn_left", ("shift+Left",), "Shift+Left", partial(turn, across=-TURN, up=0.0)),
    Command("turn_right", ("shift+Right",), "Shift+Right", partial(turn, across=TURN, up=0.0)),
    Command("turn_up", ("shift+Up", "Up"), "Up", partial(turn, across=0.0, up=TURN)),
    Command("turn_down", ("shift+Down", "Down"), "Down", partial(turn, across=0.0, up=-TURN)),
)
"""Every command of the keyboard but the layers', the views', help and quitting."""


def act_of(key: str, viewer: Viewer) -> Act | None:
    """Return what a key does, or None. ``key`` is written as in `Command.keys`."""
    for command in COMMANDS:
        if key in command.keys:
            return command.act
    for layer, own in zip(LAYERS, LAYER_KEYS, strict=True):
        if key == own:
            return partial(Viewer.toggle_layer, layer=layer)
        if key == f"ctrl+{own}":
            return partial(Viewer.show_layers, words=f"down to {layer}")
    view = next((name for name, letter in VIEW_KEYS.items() if letter == key), None)
    if view in viewer.views:
        return partial(Viewer.choose_view, name=view)
    return None


def key_name(symbol: str, control: bool, shift: bool) -> str:
    """Return a pressed key as `Command.keys` writes it.

    Shift counts with arrows and with Ctrl only: elsewhere it is a part of the symbol (``plus``).
    """
    key = symbol.lower() if len(symbol) == 1 else symbol
    if shift and (control or key in ("Left", "Right", "Up", "Down")):
        key = f"shift+{key}"
    return f"ctrl+{key}" if control else key
