"""What stands still before an eye that stands still: drawn once, kept, and put back under what moves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from vtkmodules.vtkCommonCore import VTK_UNSIGNED_CHAR
from vtkmodules.vtkCommonDataModel import vtkPolyData
from vtkmodules.vtkRenderingCore import (
    vtkActor,
    vtkActor2D,
    vtkPolyDataMapper2D,
    vtkRenderer,
    vtkRenderWindow,
)
from vtkmodules.vtkRenderingOpenGL2 import vtkOpenGLFramebufferObject

from spineviz.model import Camera, Look
from spineviz.render import window
from spineviz.render.figure import Figure
from spineviz.render.projection import Box
from spineviz.render.window import Background

PATIENCE = 4
"""Pictures for which something must have stood still, before what is kept is drawn anew with it."""

COLOUR_AND_DEPTH = 0x4000 | 0x0100
"""What is copied between two frame buffers of OpenGL."""

NEAREST = 0x2600
"""Copied pixel by pixel."""

Shown = Mapping[Figure, Look]
"""Figures and the looks that they have now."""

Place = tuple[Camera, Box, tuple[int, int]]
"""Where a view is seen from, and its box of a window of some width and height."""

Share = Literal["whole", "anew", "moving"]
"""How much of a view is drawn: all; all, and what stands still is kept; what moves, over what is kept."""


@dataclass(eq=False)
class Ground:
    """Knows what of a view stands still, and what of it is kept.

    ``last`` are the opaque figures of the last picture from a ``place``; the picture of those ``kept`` lies
    ready. ``waiting`` counts the pictures since when more could be kept.
    """

    place: Place | None = None
    last: Shown = field(default_factory=dict)
    kept: Shown = field(default_factory=dict)
    waiting: int = 0

    def settle(self, place: Place, shown: Shown) -> Share:
        """Take in which opaque figures are shown now; return what of the view must be drawn."""
        still = {
            item: look for item, look in shown.items() if place == self.place and _is(self.last, item, look)
        }
        lasting = bool(self.kept) and all(_is(still, item, look) for item, look in self.kept.items())
        self.waiting = self.waiting + 1 if lasting and len(still) > len(self.kept) else 0
        self.place, self.last = place, shown
        if lasting and self.waiting < PATIENCE:
            return "moving"
        self.kept, self.waiting = still, 0
        return "anew" if still else "whole"

    def forget(self) -> None:
        """Keep nothing."""
        self.place, self.last, self.kept, self.waiting = None, {}, {}, 0


class Floor:
    """Two renderers of a view: one draws what stands still, the other what moves over it.

    The actors are those of the view's own renderer: none is uploaded twice. A renderer that sees no actor
    smooths no edges, so the second one has an empty one that is always in sight.
    """

    def __init__(self, seen: vtkRenderer, background: Background, smooth: bool) -> None:
        """Take the renderer that draws the whole view, and whether it smooths edges."""
        self.seen = seen
        self.still, self.moving = vtkRenderer(), vtkRenderer()
        for item in (self.still, self.moving):
            window.equip(item, background, smooth=smooth and item is self.moving)
            item.SetActiveCamera(seen.GetActiveCamera())
        self.moving.EraseOff()
        self._nothing = vtkActor2D()
        self._nothing.SetMapper(vtkPolyDataMapper2D())
        self._nothing.GetMapper().SetInputData(vtkPolyData())

    @property
    def renderers(self) -> tuple[vtkRenderer, vtkRenderer]:
        """Both renderers, in the order in which they draw."""
        return self.still, self.moving

    def fill(self, still: Iterable[vtkActor], moving: Iterable[vtkActor]) -> None:
        """Let the two draw some actors, in the order given, where the whole view is drawn."""
        for item, actors in zip(self.renderers, (still, moving), strict=True):
            item.SetViewport(self.seen.GetViewport())
            listed = item.GetViewProps()
            listed.RemoveAllItems()  # and not from the renderer: they would lose what they have uploaded
            for actor in actors:
                listed.AddItem(actor)
        self.moving.GetViewProps().AddItem(self._nothing)


class Cellar:
    """Keeps a window's colours and depths, box by box, before edges are smoothed."""

    def __init__(self, opened: vtkRenderWindow) -> None:
        """Take the window; memory is taken when something is kept."""
        self._window = opened
        self._buffer: vtkOpenGLFramebufferObject | None = None
        self._size = (0, 0)

    def keep(self, box: Box) -> None:
        """Keep what the window shows in a box, while it is being drawn or afterwards."""
        self._copy(box, self._window.GetRenderFramebuffer(), self._opened())

    def put_back(self, box: Box) -> None:
        """Let the window show in a box what was kept of it."""
        self._copy(box, self._opened(), self._window.GetRenderFramebuffer())

    def close(self) -> None:
        """Give the memory back."""
        if self._buffer is not None:
            self._buffer.ReleaseGraphicsResources(self._window)
            self._buffer = None

    def _opened(self) -> vtkOpenGLFramebufferObject:
        width, height = self._window.GetSize()
        if self._buffer is None or self._size != (width, height):
            self.close()
            self._window.MakeCurrent()
            self._buffer, self._size = vtkOpenGLFramebufferObject(), (width, height)
            self._buffer.SetContext(self._window)
            self._buffer.SaveCurrentBindingsAndBuffers()
            self._buffer.PopulateFramebuffer(width, height, True, 1, VTK_UNSIGNED_CHAR, True, 32, 0, False)
            self._buffer.RestorePreviousBindingsAndBuffers()
        return self._buffer

    def _copy(self, box: Box, source: vtkOpenGLFramebufferObject, target: vtkOpenGLFramebufferObject) -> None:
        self._window.MakeCurrent()
        source.SaveCurrentBindingsAndBuffers()
        source.Bind(source.GetReadMode())
        source.ActivateReadBuffer(0)
        target.Bind(target.GetDrawMode())
        target.ActivateDrawBuffer(0)
        height = self._window.GetSize()[1]
        extent = box.left, box.right, height - box.bottom, height - box.top
        source.Blit(extent, extent, COLOUR_AND_DEPTH, NEAREST)
        source.RestorePreviousBindingsAndBuffers()


def _is(shown: Shown, item: Figure, look: Look) -> bool:
    """Tell whether a figure is among some, and has that look."""
    before = shown.get(item)
    return before is look or before == look
