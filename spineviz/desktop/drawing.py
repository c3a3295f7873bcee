"""The window's whole picture: what the stage shows, with the controls around it."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import numpy as np
from PIL import Image

from spineviz.desktop import layout, paint
from spineviz.desktop.identify import name_of
from spineviz.desktop.layout import Areas, Control, inside
from spineviz.model import State
from spineviz.render.arrangement import Arrangement, arrange
from spineviz.render.overlay import Text
from spineviz.render.palette import BAND
from spineviz.render.picture import annotate
from spineviz.render.stage import Picture, Stage
from spineviz.structure import Message
from spineviz.viewer import Viewer

COMFORT = 0.1
"""Seconds a frame may take; where it takes longer, moving anatomy is drawn with fewer pixels."""

COARSE = 2
"""By how much a fast frame's anatomy is smaller before it is enlarged."""


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
        state, size = self.viewer.state, (areas.stage.width, areas.stage.height)
        started = perf_counter()
        self.coarse = self._slow and (self.viewer.moving or pointing.turning)
        drawn = coarse_size(state, size) if self.coarse else size
        _resize(self.stage, drawn)
        self.stage.show(self.viewer.model, state)
        canvas = self.stage.image()
        if self.coarse:
            canvas = enlarged(canvas, arrange(state, drawn), arrange(state, size))
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
            timeline = self.viewer.timeline
            caption = timeline.at(second).panes[timeline.turn(second)].caption
            words = paint.clock(second) + (f"  {self.text(caption)}" if caption else "")
            paint.bubble(canvas, (place[0], areas.stage.height), words, areas.unit)
        elif pointing.structure is not None and pointing.structure != self.viewer.choices.selected:
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


def coarse_size(state: State, size: tuple[int, int]) -> tuple[int, int]:
    """Return the size of a picture whose panes have `COARSE` times fewer rows and columns.

    The bands of words do not shrink in proportion, so the height is sought.
    """
    width, height = -(-size[0] // COARSE), -(-size[1] // COARSE)
    wanted = max(arrange(state, size).panes[0].height // COARSE, 1)
    for _ in range(4):
        height += wanted - arrange(state, (width, height)).panes[0].height
    return width, height


def enlarged(small: Picture, source: Arrangement, target: Arrangement) -> Picture:
    """Return a picture arranged as ``target`` with the panes of a smaller one, without its words."""
    canvas = np.full((target.size[1], target.size[0], 3), BAND, dtype=np.uint8)
    for drawn, box in zip(source.panes, target.panes, strict=True):
        pane = Image.fromarray(small[drawn.top : drawn.bottom, drawn.left : drawn.right])
        resized = pane.resize((box.width, box.height), Image.Resampling.BILINEAR)
        canvas[box.top : box.bottom, box.left : box.right] = np.asarray(resized)
    return canvas


def _resize(stage: Stage, size: tuple[int, int]) -> None:
    if stage.size != size:
        stage.size = size
        stage.window.SetSize(*(value * stage.samples for value in size))
