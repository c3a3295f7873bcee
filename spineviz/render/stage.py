"""The stage: the plotter and its actors. It shows a State and remembers nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

import numpy as np
import pyvista as pv
from PIL import Image
from vtkmodules.vtkCommonCore import vtkObject
from vtkmodules.vtkRenderingCore import vtkRenderer

from spineviz.model import Camera, Model, State
from spineviz.render import outline, window
from spineviz.render.arrangement import Arrangement, arrange
from spineviz.render.materials import MATERIALS
from spineviz.render.projection import Box, reach
from spineviz.render.strokes import Canvas
from spineviz.render.troupe import Key, Troupe, silhouette
from spineviz.render.window import BACKGROUNDS, Background
from spineviz.structure import Floats

Picture = Canvas
"""Red, green and blue, uint8 (height, width, 3); the first row is the top."""


@dataclass(eq=False)
class _View:
    """One pane's place in the window: its renderer, the one of its silhouettes, its last picture."""

    renderer: vtkRenderer
    silhouettes: vtkRenderer
    troupes: list[Troupe]
    camera: Camera | None = None
    box: Box | None = None
    picture: Picture | None = None


class Stage:
    """The plotter and its actors; `show` puts a state on it and `image` takes its picture.

    ``size`` is the picture's width and height in pixels. ``samples`` 2 renders at twice the size and
    reduces, for stills; 1 smooths edges after the render, for film. A ``plotter`` with a window may be
    given; otherwise nothing is opened on the screen.

    Raises:
        RenderingUnavailable: nothing on this machine can draw.
    """

    def __init__(
        self,
        size: tuple[int, int] = (1280, 720),
        background: Background = "screen",
        samples: Literal[1, 2] = 1,
        plotter: pv.Plotter | None = None,
    ) -> None:
        if background not in BACKGROUNDS:
            raise ValueError(f"background '{background}': choose one of {', '.join(BACKGROUNDS)}")
        vtkObject.GlobalWarningDisplayOff()
        self.size = size
        self.background: Background = background
        self.samples = samples
        self.plotter = plotter or window.hidden_plotter((size[0] * samples, size[1] * samples))
        self._views: list[_View] = []
        self._model: Model | None = None
        self._state: State | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the window and its memory back."""
        self._clear()
        self._model = self._state = None
        self.plotter.close()

    def show(self, model: Model, state: State) -> None:
        """Put a state of a model on the stage; only what has changed since the last one is touched."""
        if model is not self._model or self._state is None or _shape(state) != _shape(self._state):
            self._clear()
            self._provide(state)
            self._model = model
        self._state = state
        panes = iter(state.panes)
        for view, box in zip(self._views, arrange(state, self.size).panes, strict=False):
            first, *_ = shown = [next(panes) for _ in view.troupes]
            changed = [troupe.show(model, pane) for troupe, pane in zip(view.troupes, shown, strict=True)]
            if any(changed) or view.camera != first.camera or view.box != box:
                view.camera, view.box, view.picture = first.camera, box, None
                window.place(view.renderer, box, self.size)
                window.aim(view.renderer, first.camera)
                view.renderer.SetUseDepthPeeling(any(troupe.translucent for troupe in view.troupes))

    def image(self) -> Picture:
        """Render what has changed and return the picture, uint8 (height, width, 3).

        Raises:
            RuntimeError: nothing has been shown yet.
            RenderingUnavailable: the graphics library could not draw.
        """
        if self._state is None or self._model is None:
            raise RuntimeError("the stage is empty: call show(model, state) before image()")
        stale = [view for view in self._views if view.picture is None]
        if stale:
            self._render(stale, self._model, arrange(self._state, self.size))
        middle = np.array(BACKGROUNDS[self.background][0]) * 255
        canvas = np.full((self.size[1], self.size[0], 3), middle, dtype=np.uint8)
        for view in self._views:
            assert view.box is not None and view.picture is not None
            canvas[view.box.top : view.box.bottom, view.box.left : view.box.right] = view.picture
        return canvas

    def _render(self, stale: list[_View], model: Model, arrangement: Arrangement) -> None:
        """Take new pictures of some views: colours and depths first, then silhouettes for outlines."""
        opened = self.plotter.render_window
        unit = arrangement.unit * self.samples
        self._draw(view.renderer for view in stale)
        taken: list[tuple[_View, Box, Picture, Floats]] = []
        for view in stale:
            assert view.box is not None and view.camera is not None
            box = view.box.scaled(self.samples)
            taken.append((view, box, window.colours(opened, box), window.depths(opened, box, view.camera)))
        for view, _, picture, depth in taken:
            assert view.camera is not None
            outline.relief(picture, depth, reach(view.camera)[1], unit)
        self._outline(taken, model, unit)
        for view, _, picture, _ in taken:
            view.picture = _reduced(picture, self.samples)

    def _outline(
        self, taken: list[tuple[_View, Box, Picture, Floats]], model: Model, unit: float
    ) -> None:
        """Draw the outlines of highlighted structures into pictures, in place."""
        opened = self.plotter.render_window
        cast = {id(view): _cast(view, model) for view, *_ in taken}
        if not any(cast.values()):
            return
        self._draw(view.silhouettes for view, *_ in taken if cast[id(view)])
        for view, box, picture, depth in taken:
            assert view.camera is not None
            shades = window.colours(opened, box)[..., 0] if cast[id(view)] else None
            nearest = window.depths(opened, box, view.camera) if cast[id(view)] else None
            for shade, (key, (strength, ghost)) in enumerate(cast[id(view)], start=1):
                assert shades is not None and nearest is not None
                drawn = shades == shade * _SHADE
                visible = drawn & (nearest <= depth + outline.BEHIND)
                red, green, blue = MATERIALS[model.structures[key[0]].tissue].first
                ink = (round(red * 215), round(green * 215), round(blue * 215))
                outline.outline(picture, drawn, visible, ink, strength, ghost, unit)

    def _draw(self, renderers: Iterable[vtkRenderer]) -> None:
        """Render only some of the window's renderers."""
        wanted = list(renderers)
        every = [item for view in self._views for item in (view.renderer, view.silhouettes)]
        for renderer in every:
            renderer.SetDraw(renderer in wanted)
        self.plotter.render_window.Render()
        for view in self._views:
            view.renderer.DrawOn()
            view.silhouettes.DrawOff()

    def _clear(self) -> None:
        opened = self.plotter.render_window
        for view in self._views:
            for renderer in (view.renderer, view.silhouettes):
                renderer.RemoveAllViewProps()
                if renderer is not self.plotter.renderer:
                    opened.RemoveRenderer(renderer)
        self._views.clear()

    def _provide(self, state: State) -> None:
        count, overlaid = _shape(state)
        for index in range(1 if overlaid else count):
            renderer = self.plotter.renderer if index == 0 else vtkRenderer()
            silhouettes = vtkRenderer()
            window.equip(renderer, self.background, smooth=self.samples == 1)
            silhouettes.SetBackground(0.0, 0.0, 0.0)
            silhouettes.SetActiveCamera(renderer.GetActiveCamera())
            silhouettes.DrawOff()
            for item in (renderer, silhouettes):
                if item is not self.plotter.renderer:
                    self.plotter.render_window.AddRenderer(item)
            troupes = [Troupe(renderer) for _ in range(count if overlaid else 1)]
            self._views.append(_View(renderer, silhouettes, troupes))


_SHADE = 3
"""Steps of grey, of 255, between the silhouettes of two structures."""


def _shape(state: State) -> tuple[int, bool]:
    """Return the number of panes, and whether they lie one over the other."""
    return len(state.panes), state.layout == "overlay"


def _cast(view: _View, model: Model) -> list[tuple[Key, tuple[float, float]]]:
    """Fill a view's silhouettes with the structures to be outlined; return them, each with its strength."""
    view.silhouettes.RemoveAllViewProps()
    view.silhouettes.SetViewport(view.renderer.GetViewport())
    cast: list[tuple[Key, tuple[float, float]]] = []
    for troupe in view.troupes:
        for key, strength in troupe.outlined(model).items():
            cast.append((key, strength))
            view.silhouettes.AddActor(silhouette(troupe.figures[key].actor, len(cast) * _SHADE / 255))
    return cast


def _reduced(picture: Picture, samples: int) -> Picture:
    return picture if samples == 1 else np.array(Image.fromarray(picture).reduce(samples))
