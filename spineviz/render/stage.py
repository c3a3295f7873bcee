"""The stage: the plotter and its actors. It shows a State and remembers nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
from PIL import Image
from vtkmodules.vtkCommonCore import vtkObject
from vtkmodules.vtkRenderingCore import vtkRenderer

from spineviz.model import Camera, Model, Pane, State
from spineviz.render import outline, window
from spineviz.render.arrangement import arrange
from spineviz.render.materials import material_of
from spineviz.render.projection import Box, project, reach
from spineviz.render.strokes import Canvas
from spineviz.render.troupe import Key, Troupe, silhouette
from spineviz.render.window import BACKGROUNDS, Background
from spineviz.structure import Floats

Picture = Canvas
"""Red, green and blue, uint8 (height, width, 3); the first row is the top."""

HIDES = 3.0
"""Millimetres before a label's place from which something hides it."""

GREYS = 3
"""Steps of grey, of 255, between the silhouettes of two structures."""


@dataclass(eq=False)
class _View:
    """One pane's place in the window: its renderer, the one of its silhouettes, its last picture."""

    renderer: vtkRenderer
    silhouettes: vtkRenderer
    troupes: list[Troupe]
    camera: Camera
    box: Box
    picture: Picture | None = None
    depths: Floats | None = None


@dataclass(frozen=True, eq=False)
class _Take:
    """What was read back of one view: its colours (h, w, 3), and its depths (h, w) in mm."""

    view: _View
    box: Box
    colours: Picture
    depths: Floats


class Stage:
    """The plotter and its actors; `show` puts a state on it and `image` takes its picture.

    ``size`` is the picture's width and height in pixels. ``samples`` 2 renders at twice the size and
    reduces, for stills; 1 smooths edges after the render, for film; 0.5 is coarse and fast, for turning.

    Raises:
        RenderingUnavailable: nothing on this machine can draw.
    """

    def __init__(
        self,
        size: tuple[int, int] = (1280, 720),
        background: Background = "screen",
        samples: float = 1,
    ) -> None:
        """Open a window that is not on the screen."""
        if background not in BACKGROUNDS:
            raise ValueError(f"background '{background}': choose one of {', '.join(BACKGROUNDS)}")
        vtkObject.GlobalWarningDisplayOff()
        self.size = size
        self.background: Background = background
        self.samples = samples
        self.plotter = window.hidden_plotter(_scaled(size, samples))
        self._views: list[_View] = []
        self._model: Model | None = None
        self._state: State | None = None

    def __enter__(self) -> Self:
        """Return the stage itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the stage."""
        self.close()

    def close(self) -> None:
        """Give the window and its memory back."""
        self._clear()
        self._model = self._state = None
        self.plotter.close()

    def resize(self, size: tuple[int, int], samples: float = 1) -> None:
        """Change the size and the fineness of the pictures to come; the actors stay."""
        if (size, samples) == (self.size, self.samples):
            return
        self.size, self.samples = size, samples
        self.plotter.render_window.SetSize(*_scaled(size, samples))
        for view in self._views:
            view.renderer.SetUseFXAA(samples == 1)
            view.picture = None
        if self._model is not None and self._state is not None:
            self.show(self._model, self._state)

    def show(self, model: Model, state: State) -> None:
        """Put a state of a model on the stage; only what has changed since the last one is touched."""
        boxes = arrange(state, self.size).panes
        if model is not self._model or self._state is None or _shape(state) != _shape(self._state):
            self._clear()
            self._provide(state, boxes)
            self._model = model
        self._state = state
        panes = iter(state.panes)
        for view, box in zip(self._views, boxes, strict=False):
            first, *_ = shown = [next(panes) for _ in view.troupes]
            changed = [troupe.show(model, pane) for troupe, pane in zip(view.troupes, shown, strict=True)]
            if any(changed) or view.camera != first.camera or view.box != box or view.picture is None:
                view.camera, view.box, view.picture = first.camera, box, None
                window.place(view.renderer, box, self.size)
                window.aim(view.renderer, first.camera)
                self._layer(view)

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
            self._render(stale, self._model, arrange(self._state, self.size).unit * self.samples)
        canvas = np.empty((self.size[1], self.size[0], 3), dtype=np.uint8)
        if sum(view.box.height * view.box.width for view in self._views) < self.size[0] * self.size[1]:
            canvas[:] = np.round(np.array(BACKGROUNDS[self.background][0]) * 255).astype(np.uint8)
        for view in self._views:
            if view.picture is not None:
                canvas[view.box.top : view.box.bottom, view.box.left : view.box.right] = view.picture
        return canvas

    def hidden(self) -> list[list[bool]]:
        """Tell for each pane's labels, in the last picture, whether something stands before them."""
        if self._state is None:
            return []
        views = self._views * len(self._state.panes) if len(self._views) == 1 else self._views
        return [
            _hidden(view, pane, self.samples) for view, pane in zip(views, self._state.panes, strict=False)
        ]

    def _render(self, stale: list[_View], model: Model, unit: float) -> None:
        """Take new pictures of some views: colours and depths first, then silhouettes for outlines."""
        opened = self.plotter.render_window
        self._draw(view.renderer for view in stale)
        takes = []
        for view in stale:
            box = view.box.scaled(self.samples)
            depths = window.depths(opened, box, view.camera)
            takes.append(_Take(view, box, window.colours(opened, box), depths))
        for take in takes:
            outline.relief(take.colours, take.depths, reach(take.view.camera)[1], unit)
        self._outline(takes, model, unit)
        for take in takes:
            take.view.picture, take.view.depths = _fitted(take.colours, take.view.box), take.depths

    def _outline(self, takes: list[_Take], model: Model, unit: float) -> None:
        """Draw the outlines of highlighted structures into pictures, in place."""
        opened = self.plotter.render_window
        outlined = [(take, cast) for take in takes if (cast := _cast(take.view, model))]
        if not outlined:
            return
        self._draw(take.view.silhouettes for take, _ in outlined)
        for take, cast in outlined:
            greys = window.colours(opened, take.box)[..., 0]
            unhidden = window.depths(opened, take.box, take.view.camera) <= take.depths + outline.BEHIND
            for order, (key, (strength, ghost)) in enumerate(cast, start=1):
                drawn = greys == order * GREYS
                red, green, blue = (
                    round(215 * part) for part in material_of(key[0], model.structures[key[0]].tissue).first
                )
                outline.outline(
                    take.colours,
                    drawn,
                    drawn & unhidden,
                    (red, green, blue),
                    strength=strength,
                    ghost=ghost,
                    unit=unit,
                )

    def _layer(self, view: _View) -> None:
        """See to it that translucent actors are drawn from behind to the front.

        Stills peel their layers one by one. Otherwise whole actors are put in order, which on software
        GL costs half as much and differs only where actors lie around each other.
        """
        through = [actor for troupe in view.troupes for actor in troupe.translucent]
        view.renderer.SetUseDepthPeeling(bool(through) and self.samples > 1)
        if self.samples > 1:
            return
        for actor in window.from_behind(through, view.camera):
            view.renderer.RemoveActor(actor)
            view.renderer.AddActor(actor)

    def _draw(self, renderers: Iterable[vtkRenderer]) -> None:
        """Render only some of the window's renderers."""
        wanted = list(renderers)
        for view in self._views:
            for renderer in (view.renderer, view.silhouettes):
                renderer.SetDraw(renderer in wanted)
        self.plotter.render_window.Render()

    def _clear(self) -> None:
        opened = self.plotter.render_window
        for view in self._views:
            for renderer in (view.renderer, view.silhouettes):
                renderer.RemoveAllViewProps()
                if renderer is not self.plotter.renderer:
                    opened.RemoveRenderer(renderer)
        self._views.clear()

    def _provide(self, state: State, boxes: tuple[Box, ...]) -> None:
        count, overlaid = _shape(state)
        for index in range(1 if overlaid else count):
            renderer = self.plotter.renderer if index == 0 else vtkRenderer()
            silhouettes = vtkRenderer()
            window.equip(renderer, self.background, smooth=self.samples == 1)
            silhouettes.SetBackground(0.0, 0.0, 0.0)
            silhouettes.SetActiveCamera(renderer.GetActiveCamera())
            for item in (renderer, silhouettes):
                if item is not self.plotter.renderer:
                    self.plotter.render_window.AddRenderer(item)
            troupes = [Troupe(renderer) for _ in range(count if overlaid else 1)]
            self._views.append(_View(renderer, silhouettes, troupes, state.panes[index].camera, boxes[index]))


def _shape(state: State) -> tuple[int, bool]:
    """Return the number of panes, and whether they lie one over the other."""
    return len(state.panes), state.layout == "overlay"


def _scaled(size: tuple[int, int], samples: float) -> tuple[int, int]:
    return round(size[0] * samples), round(size[1] * samples)


def _cast(view: _View, model: Model) -> list[tuple[Key, tuple[float, float]]]:
    """Fill a view's silhouettes with the structures to be outlined; return them with their strengths."""
    view.silhouettes.RemoveAllViewProps()
    view.silhouettes.SetViewport(view.renderer.GetViewport())
    cast: list[tuple[Key, tuple[float, float]]] = []
    for troupe in view.troupes:
        for key, strengths in troupe.outlined(model).items():
            cast.append((key, strengths))
            view.silhouettes.AddActor(silhouette(troupe.figures[key].actor, len(cast) * GREYS / 255))
    return cast


def _hidden(view: _View, pane: Pane, samples: float) -> list[bool]:
    if view.depths is None or not pane.labels:
        return [False] * len(pane.labels)
    points = np.array([label.anchor for label in pane.labels])
    box = Box(0, 0, view.box.width, view.box.height)
    pixels, depth = project(view.camera, points, box)
    columns, rows = np.nan_to_num(pixels * samples, nan=-1.0).astype(int).T
    height, width = view.depths.shape
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    before = view.depths[np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)]
    return [bool(value) for value in inside & (before < depth - HIDES)]


def _fitted(picture: Picture, box: Box) -> Picture:
    """Return a picture at the size of its box."""
    height, width = picture.shape[:2]
    if (width, height) == (box.width, box.height):
        return picture
    image = Image.fromarray(picture)
    if (width, height) == (2 * box.width, 2 * box.height):
        return np.array(image.reduce(2))
    return np.array(image.resize((box.width, box.height), Image.Resampling.BILINEAR))
