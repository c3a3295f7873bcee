"""The window: events in, the viewer driven, pictures out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from os import environ
from time import perf_counter
from typing import Literal

from spineviz.desktop import layout
from spineviz.desktop.commands import ZOOM, act_of, key_name
from spineviz.desktop.drawing import Drawing, Pointing
from spineviz.desktop.identify import Place, identified, place_at
from spineviz.desktop.layout import divided, inside
from spineviz.desktop.screen import Screen
from spineviz.locale import text as catalog_text
from spineviz.render.offscreen import RenderingUnavailable
from spineviz.structure import Message
from spineviz.viewer import Viewer
from spineviz.viewer.navigation import orbited, panned, zoomed

SIZE = (1440, 900)
"""Pixels of a new window, width and height."""

BEAT = 16
"""Milliseconds between two looks at the clock."""

REST = 0.12
"""Seconds that the pointer rests before the structure under it is named."""

STILL = 4
"""Pixels that a click may move before it counts as a drag."""

HALF_TURN = 180.0
"""Degrees that a drag over the whole height of the picture turns."""

SIDEWAYS = 4.0
"""Degrees that one notch of a wheel to the side turns."""

ONE_SCROLL = 0.4
"""Seconds between two notches of a wheel that are undone together."""

LONGEST = 1.0
"""Seconds of the scene that one frame may skip where drawing is slow."""

Grip = Literal["slider", "turn", "move"]
"""What a pressed button drags."""


class NoDisplay(RenderingUnavailable):
    """There is no screen to open a window on; the message says what to do instead."""

    def __init__(self, reason: Message) -> None:
        """Take the reason as a message of the catalog."""
        OSError.__init__(self, catalog_text(reason))


def show(viewer: Viewer, size: tuple[int, int] = SIZE, language: str = "en") -> None:
    """Open a session in a window and return when it is closed.

    Raises:
        NoDisplay: there is no display, or VTK has been told to open no window.
    """
    check_display()
    Window(viewer, size, language).run()


def check_display() -> None:
    """Raise NoDisplay where no window can be opened; nothing is tried."""
    linux = sys.platform.startswith("linux")
    if linux and not (environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")):
        raise NoDisplay(Message("desktop.error.no_display"))
    chosen = environ.get("VTK_DEFAULT_OPENGL_WINDOW", "")
    if "EGL" in chosen or "OSOpenGL" in chosen:
        raise NoDisplay(Message("desktop.error.no_window", (("kind", chosen),)))


class Window:
    """One window over one viewer. What it remembers is about the pointer, not about the scene."""

    def __init__(self, viewer: Viewer, size: tuple[int, int] = SIZE, language: str = "en") -> None:
        """Open the window; `run` then serves it until it is closed."""
        text = partial(catalog_text, language=language)
        self.viewer = viewer
        self.screen = Screen(size, text(Message("desktop.window")))
        self.drawing = Drawing(viewer, text)
        self.areas = divided(self.screen.size)
        self.pointing = Pointing()
        self._stale = True
        self._grip: Grip | None = None
        self._pressed = (0, 0)
        self._gesture = False
        self._error: Exception | None = None
        self._rests_since: float | None = None
        self._wheeled_at = self._ticked_at = perf_counter()
        viewer.changed.append(self._changed)
        self._listen()

    def run(self) -> None:
        """Serve the window until it is closed."""
        try:
            self.redraw()
            self.screen.interactor.Start()
        finally:
            self.close()
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Close the window and give its memory back."""
        self.viewer.changed.remove(self._changed)
        self.drawing.close()
        self.screen.close()

    def redraw(self) -> None:
        """Draw the window as everything stands now."""
        self._stale = False
        items = layout.controls(self.viewer, self.areas)
        self.screen.put(self.drawing.frame(self.areas, items, self.pointing))

    def _changed(self) -> None:
        self.drawing.outdate()
        self._stale = True
        if self.viewer.moving:
            self.pointing = replace(self.pointing, structure=None)

    def _point(self, pointing: Pointing) -> None:
        if pointing != self.pointing:
            self.pointing, self._stale = pointing, True

    def _listen(self) -> None:
        interactor = self.screen.interactor
        answers: dict[str, Callable[[], None]] = {
            "TimerEvent": self._on_beat,
            "KeyPressEvent": self._on_key,
            "MouseMoveEvent": self._on_move,
            "LeftButtonPressEvent": self._on_press,
            "MiddleButtonPressEvent": partial(self._on_press, moving=True),
            "RightButtonPressEvent": partial(self._on_press, moving=True),
            "LeftButtonReleaseEvent": self._on_release,
            "MiddleButtonReleaseEvent": self._on_release,
            "RightButtonReleaseEvent": self._on_release,
            "MouseWheelForwardEvent": partial(self._on_wheel, factor=ZOOM),
            "MouseWheelBackwardEvent": partial(self._on_wheel, factor=1 / ZOOM),
            "MouseWheelLeftEvent": partial(self._on_sideways, way=-1.0),
            "MouseWheelRightEvent": partial(self._on_sideways, way=1.0),
            "PinchEvent": self._on_pinch,
            "LeaveEvent": self._on_leave,
        }
        for event, react in answers.items():
            interactor.AddObserver(event, partial(self._react, react))
        interactor.CreateRepeatingTimer(BEAT)

    def _react(self, react: Callable[[], None], *_: object) -> None:
        """Answer an event; VTK would only print an error, so it is kept and ends the window."""
        if self._error is not None:
            return
        try:
            react()
        except Exception as error:
            self._error = error
            self.screen.interactor.TerminateApp()

    def _on_beat(self) -> None:
        now = perf_counter()
        passed, self._ticked_at = min(now - self._ticked_at, LONGEST), now
        if self.screen.resized():
            self.areas = divided(self.screen.size)
            self._changed()
        self.viewer.tick(passed)
        if not self.viewer.moving and self._grip is None:
            if self.drawing.coarse:
                self._changed()
            if self._rests_since is not None and now - self._rests_since > REST:
                self._rests_since = None
                self._identify()
        if self._stale:
            self.redraw()

    def _identify(self) -> None:
        place = None if self.pointing.help else self._place()
        found = None if place is None else identified(self.viewer, place)
        self._point(replace(self.pointing, structure=found))

    def _place(self) -> Place | None:
        return place_at(self.viewer.state, self.areas.stage, *self.pointing.pixel)

    def _on_key(self) -> None:
        pressed = self.screen.interactor
        control, shift = bool(pressed.GetControlKey()), bool(pressed.GetShiftKey())
        name = key_name(pressed.GetKeySym() or "", control, shift)
        leaving = name in ("q", "Escape")
        if name in ("h", "question") or (leaving and self.pointing.help):
            self._point(replace(self.pointing, help=not self.pointing.help))
        elif leaving:
            pressed.TerminateApp()
        elif (act := act_of(name, self.viewer)) is not None:
            act(self.viewer)

    def _on_move(self) -> None:
        before, now = self.pointing.pixel, self.screen.pointer()
        self._rests_since = perf_counter()
        beside = not inside(self.areas.stage, *now)
        if beside or self.pointing.structure is not None or not inside(self.areas.stage, *before):
            self._stale = True
        self.pointing = replace(self.pointing, pixel=now)
        if self._grip == "slider":
            self.viewer.scrub(layout.second_at(self.viewer, self.areas.slider, now[0]))
        elif self._grip is not None:
            self._drag(before, now)

    def _drag(self, before: tuple[int, int], now: tuple[int, int]) -> None:
        gone = max(abs(now[0] - self._pressed[0]), abs(now[1] - self._pressed[1]))
        if gone <= STILL and not self._gesture:
            return
        half = self.areas.stage.height / 2
        across, up = (now[0] - before[0]) / half, (before[1] - now[1]) / half
        self.pointing = replace(self.pointing, turning=True, structure=None)
        camera = self.viewer.camera
        if self._grip == "move":
            camera = panned(camera, across, up)
        else:
            camera = orbited(camera, HALF_TURN * across / 2, HALF_TURN * up / 2)
        self.viewer.look_from(camera, same_gesture=self._gesture)
        self._gesture = True

    def _on_press(self, *, moving: bool = False) -> None:
        pixel = self.screen.pointer()
        self.pointing = replace(self.pointing, pixel=pixel)
        self._pressed, self._gesture = pixel, False
        control = layout.at(layout.controls(self.viewer, self.areas), *pixel)
        if self.pointing.help:
            self._point(replace(self.pointing, help=False))
        elif control is not None and control.act is not None:
            control.act(self.viewer)
        elif inside(self.areas.slider, *pixel):
            self._grip = "slider"
            self.pointing = replace(self.pointing, scrubbing=True)
            self.viewer.pause()
            self._on_move()
        elif inside(self.areas.stage, *pixel):
            self._grip = "move" if moving or self.screen.interactor.GetShiftKey() else "turn"

    def _on_release(self) -> None:
        clicked = self._grip in ("turn", "move") and not self._gesture
        self._grip, self._gesture = None, False
        self._rests_since = perf_counter()
        self._point(replace(self.pointing, scrubbing=False, turning=False))
        place = self._place() if clicked else None
        if place is not None:
            found = identified(self.viewer, place)
            self.viewer.select(None if found == self.viewer.choices.selected else found)

    def _on_wheel(self, factor: float) -> None:
        self.pointing = replace(self.pointing, pixel=self.screen.pointer(), structure=None)
        now, place = perf_counter(), self._place()
        same, self._rests_since, self._wheeled_at = now - self._wheeled_at < ONE_SCROLL, now, now
        if place is not None:
            camera = zoomed(self.viewer.camera, factor, place.across, place.up)
            self.viewer.look_from(camera, same_gesture=same)

    def _on_sideways(self, way: float) -> None:
        now = perf_counter()
        same, self._wheeled_at = now - self._wheeled_at < ONE_SCROLL, now
        self.viewer.look_from(orbited(self.viewer.camera, SIDEWAYS * way, 0.0), same_gesture=same)

    def _on_pinch(self) -> None:
        pinched = self.screen.interactor
        self._on_wheel(pinched.GetScale() / max(pinched.GetLastScale(), 1e-6))

    def _on_leave(self) -> None:
        if self._grip is None:
            self._rests_since = None
            self._point(replace(self.pointing, pixel=(-1, -1), structure=None))
