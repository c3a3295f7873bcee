"""The window's whole picture: what the stage shows, with the controls around it."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import numpy as np

from spineviz.desktop import layout, paint
from spineviz.desktop.identify import name_of
from spineviz.desktop.layout import Areas, Control, inside
from spineviz.render.overlay import Text
from spineviz.render.picture import annotate
from spineviz.render.stage import Picture, Stage
from spineviz.structure import Message
from spineviz.viewer import Viewer

COMFORT = 0.1
"""Seconds a frame may take; where it takes longer, moving anatomy is drawn with fewer pixels."""

COARSE = 2
"""How many pixels of a fast frame's anatomy stand side by side for one that was drawn."""


@dataclass(frozen=True)
class Pointing:
    """What the pointer is about: its pixel, the structure under it, and whether it moves something."""

    pixel: tuple[int, int] = (-1, -1)
    structure: str | None = None
    scrubbing: bool = False
    turning: bool = False
    help: bool = False


class Drawing:
    """The pictures of one window. It keeps the last ones, for drawing only what has changed."""

    def __init__(self, viewer: Viewer, text: Text) -> None:
        """Take the session that is drawn and the words' catalog."""
        self.viewer = viewer
        self.text = text
        self.stage = Stage()
        self.coarse = False
        self._slow = False
        self._picture: Picture | None = None
        self._sidebar: tuple[tuple, Picture] | None = None

    def close(self) -> None:
        """Give the stage's memory back."""
        self.stage.close()

    def outdate(self) -> None:
        """Draw the anatomy anew at the next frame."""
        self._picture = None

    def frame(self, areas: Areas, items: tuple[Control, ...], pointing: Pointing) -> Picture:
        """Return the window's picture (height, width, 3)."""
        if self._picture is None:
            self._picture = self._anatomy(areas, pointing)
        hovered = layout.at(items, *pointing.pixel)
        middle = self._picture.copy()
        self._bubble(middle, areas, pointing)
        if pointing.help:
            paint.help_sheet(middle, areas.unit, self.text)
        side = self._side(areas, items, hovered)
        low = paint.bar(areas, self.viewer, items, hovered, self._status())
        return np.vstack([np.hstack([side, middle]), low])

    def _anatomy(self, areas: Areas, pointing: Pointing) -> Picture:
        state, area = self.viewer.state, areas.stage
        started = perf_counter()
        self.coarse = self._slow and (self.viewer.moving or pointing.turning)
        factor = COARSE if self.coarse else 1
        _resize(self.stage, (-(-area.width // factor), -(-area.height // factor)))
        self.stage.show(self.viewer.model, state)
        canvas = self.stage.image()
        if self.coarse:
            canvas = canvas.repeat(factor, axis=0).repeat(factor, axis=1)
            canvas = np.ascontiguousarray(canvas[: area.height, : area.width])
        else:
            self._slow = perf_counter() - started > COMFORT
        annotate(canvas, state, self.text)
        return canvas

    def _side(self, areas: Areas, items: tuple[Control, ...], hovered: Control | None) -> Picture:
        key = (areas, hovered and hovered.name, *((item.name, item.on, item.usable) for item in items))
        if self._sidebar is None or self._sidebar[0] != key:
            self._sidebar = key, paint.sidebar(areas, items, hovered, self.text)
        return self._sidebar[1]

    def _bubble(self, canvas: Picture, areas: Areas, pointing: Pointing) -> None:
        x, y = pointing.pixel
        place = (x - areas.stage.left, y - areas.stage.top)
        if pointing.scrubbing or inside(areas.slider, x, y):
            second = layout.second_at(self.viewer, areas.slider, x)
            caption = self.viewer.timeline.at(second).panes[0].caption
            words = paint.clock(second) + (f"  {self.text(caption)}" if caption else "")
            paint.bubble(canvas, (place[0], areas.stage.height), words, areas.unit)
        elif pointing.structure is not None:
            paint.bubble(canvas, place, name_of(pointing.structure, self.text), areas.unit)

    def _status(self) -> tuple[str, str, str]:
        viewer = self.viewer
        parameters = (
            ("now", paint.clock(viewer.playhead)),
            ("end", paint.clock(viewer.timeline.seconds)),
            ("speed", f"{viewer.speed:g}"),
        )
        clock = Message("desktop.clock" if viewer.speed == 1 else "desktop.clock_fast", parameters)
        step = Message("desktop.step", (("step", viewer.step + 1), ("steps", len(viewer.timeline.starts))))
        selected = viewer.choices.selected
        if selected is None:
            return self.text(clock), self.text(step), self.text(Message("desktop.hint"))
        status = Message("desktop.selected", (("name", name_of(selected, self.text)),))
        return self.text(clock), self.text(step), self.text(status)


def _resize(stage: Stage, size: tuple[int, int]) -> None:
    if stage.size != size:
        stage.size = size
        stage.plotter.render_window.SetSize(*(value * stage.samples for value in size))
