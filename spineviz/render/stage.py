"""The stage: a window and its actors. It shows a State and remembers nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from types import TracebackType
from typing import Self

import numpy as np
from vtkmodules.vtkCommonCore import vtkObject
from vtkmodules.vtkRenderingCore import vtkRenderer

from spineviz.model import Camera, Model, Pane, State
from spineviz.render import window
from spineviz.render.arrangement import Arrangement, arrange
from spineviz.render.ground import Cellar, Floor
from spineviz.render.lens import put_in
from spineviz.render.projection import Box, pixels_per_mm
from spineviz.render.scan import scanned
from spineviz.render.strokes import Canvas
from spineviz.render.troupe import Troupe, Wardrobe
from spineviz.render.view import View, hidden, silhouettes, take
from spineviz.render.window import BACKGROUNDS, Background
from spineviz.structure import frozen

Picture = Canvas
"""Red, green and blue, uint8 (height, width, 3); the first row is the top."""


class Stage:
    """A window and its actors; `show` puts a state on it and `image` takes its picture.

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
        self.window = window.hidden(_scaled(size, samples))
        self._cellars = Cellar(self.window), Cellar(self.window)
        self._wardrobe = Wardrobe()
        self._views: list[View] = []
        self._insets: dict[int, View] = {}
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
        for cellar in self._cellars:
            cellar.close()
        self.window.Finalize()

    def resize(self, size: tuple[int, int], samples: float = 1) -> None:
        """Change the size and the fineness of the pictures to come; the actors stay."""
        if (size, samples) == (self.size, self.samples):
            return
        self.size, self.samples = size, samples
        self.window.SetSize(*_scaled(size, samples))
        for view in self._all:
            for renderer in (view.renderer, view.floor.moving):
                renderer.SetUseFXAA(samples == 1)
            view.picture = None
        if self._model is not None and self._state is not None:
            self.show(self._model, self._state)

    def show(self, model: Model, state: State) -> None:
        """Put a state of a model on the stage; only what has changed since the last one is touched."""
        arrangement = arrange(state, self.size)
        if model is not self._model or self._state is None or _shape(state) != _shape(self._state):
            self._clear()
            self._provide(state, arrangement.panes)
            self._model = model
        self._state = state
        panes = iter(state.panes)
        for view, box in zip(self._views, arrangement.panes, strict=False):
            first, *_ = shown = [next(panes) for _ in view.troupes]
            if first.scan is not None:
                view.turn(first, box)
            else:
                self._show(view, model, shown, box)
        for index, (pane, inner) in enumerate(zip(state.panes, arrangement.insets, strict=True)):
            if inner is not None and pane.inset is not None and pane.within is not None:
                self._show(self._inset(index, pane.inset.coaxial, inner), model, [pane.within], inner)

    def _show(self, view: View, model: Model, shown: list[Pane], box: Box) -> None:
        """Bring a view's actors to what its panes say, and aim its eye."""
        camera = shown[0].camera
        scale = pixels_per_mm(camera, box)
        changed = [troupe.show(model, pane, scale) for troupe, pane in zip(view.troupes, shown, strict=True)]
        if any(changed) or view.camera != camera or view.box != box or view.picture is None:
            view.camera, view.box, view.picture = camera, box, None
            window.place(view.renderer, box, self.size)
            window.aim(view.renderer, camera)
            self._layer(view)

    def image(self) -> Picture:
        """Render what has changed and return the picture, uint8 (height, width, 3).

        Raises:
            RuntimeError: nothing has been shown yet.
            RenderingUnavailable: the graphics library could not draw.
        """
        if self._state is None or self._model is None:
            raise RuntimeError("the stage is empty: call show(model, state) before image()")
        for view in self._views:
            if view.picture is None and view.slice is not None:
                view.picture = scanned(self._model, view.slice.looks, view.camera, view.box)
        arrangement = arrange(self._state, self.size)
        insets = self._seen(self._state, arrangement)
        for views in (self._views, [view for view, _ in insets]):  # insets are drawn over panes: one by one
            stale = [view for view in views if view.picture is None]
            if stale:
                self._render(stale, self._model, arrangement.unit * self.samples)
        canvas = np.array(_empty(self.size, self.background))
        for view in self._views:
            if view.picture is not None:
                canvas[view.box.top : view.box.bottom, view.box.left : view.box.right] = view.picture
        for view, strength in insets:
            if view.picture is not None:
                put_in(canvas, view.box, view.picture, strength)
        return canvas

    def _seen(self, state: State, arrangement: Arrangement) -> list[tuple[View, float]]:
        """Return the views of the insets that a state shows, and how much of each is seen."""
        return [
            (self._insets[index], pane.inset.strength)
            for index, (pane, box) in enumerate(zip(state.panes, arrangement.insets, strict=True))
            if box is not None and pane.inset is not None
        ]

    def hidden(self) -> list[list[bool]]:
        """Tell for each pane's labels, in the last picture, whether something stands before them."""
        if self._state is None:
            return []
        views = self._views * len(self._state.panes) if len(self._views) == 1 else self._views
        return [
            hidden(view, pane, self.samples) for view, pane in zip(views, self._state.panes, strict=False)
        ]

    def _render(self, stale: list[View], model: Model, unit: float) -> None:
        """Take new pictures of some views: colours and depths first, then silhouettes for outlines.

        Silhouettes are drawn only where they have changed. Pictures are finished beside each other: arrays
        are worked on while other threads run.
        """
        self._draw(renderer for view in stale for renderer in self._drawing(view))
        takes = [take(self.window, view, view.box.scaled(self.samples), model) for view in stale]
        outdated = [taken for taken in takes if taken.outdated]
        if outdated:
            for taken in outdated:
                taken.view.gather(taken.cast)
            self._draw(taken.view.outlines for taken in outdated)
            for taken in outdated:
                taken.view.silhouettes = silhouettes(self.window, taken, unit)
        with ThreadPoolExecutor(len(takes)) as threads:
            for finished in [threads.submit(taken.finish, unit) for taken in takes]:
                finished.result()

    def _layer(self, view: View) -> None:
        """Order a view's actors: the opaque ones from the front, so that nothing hidden is shaded in vain.

        Translucent ones come from behind. Stills peel their layers one by one. Otherwise whole actors are
        put in order, which on software GL costs half as much and differs only where they lie around each
        other.
        """
        solid = [item for troupe in view.troupes for item in troupe.opaque]
        solid.sort(key=lambda item: float(item.shape.middle @ view.camera.direction), reverse=True)
        through = [actor for troupe in view.troupes for actor in troupe.translucent]
        view.renderer.SetUseDepthPeeling(bool(through) and self.samples > 1)
        if self.samples <= 1 and len(through) > 1:
            through = window.from_behind(through, view.camera)
        view.solid, view.through = solid, through
        window.reorder(view.renderer, [*(item.actor for item in solid), *through])

    def _drawing(self, view: View) -> tuple[vtkRenderer, ...]:
        """Return the renderers that draw a view: before a still eye, all that stands still is drawn once."""
        share = "whole" if self.samples > 1 else view.settle(self.window.GetSize())
        if share == "whole":
            return (view.renderer,)
        if share == "anew":
            return view.floor.renderers
        view.cellar.put_back(view.box.scaled(self.samples))
        return (view.floor.moving,)

    def _draw(self, renderers: Iterable[vtkRenderer]) -> None:
        """Render only some of the window's renderers."""
        wanted = list(renderers)
        for view in self._all:
            for renderer in view.renderers:
                renderer.SetDraw(renderer in wanted)
        self.window.Render()

    def _clear(self) -> None:
        for view in self._all:
            for renderer in view.renderers:
                renderer.RemoveAllObservers()
                renderer.RemoveAllViewProps()
                self.window.RemoveRenderer(renderer)
        self._views.clear()
        self._insets.clear()
        self._wardrobe = Wardrobe()

    def _provide(self, state: State, boxes: tuple[Box, ...]) -> None:
        count, overlaid = _shape(state)
        for index in range(1 if overlaid else count):
            camera, troupes = state.panes[index].camera, count if overlaid else 1
            self._views.append(self._opened(camera, boxes[index], self._cellars[0], troupes))

    def _inset(self, index: int, coaxial: float, box: Box) -> View:
        """Return the view of a pane's inset, given by the pane's index: opened when it is first seen."""
        if index not in self._insets:
            camera = self._views[0].camera
            self._insets[index] = self._opened(camera, box, self._cellars[1], 1, coaxial)
        return self._insets[index]

    def _opened(self, camera: Camera, box: Box, cellar: Cellar, troupes: int, coaxial: float = 0.0) -> View:
        """Return a new view with its renderers in the window; ``troupes`` lie over each other in it."""
        renderer, outlines = vtkRenderer(), vtkRenderer()
        window.equip(renderer, self.background, smooth=self.samples == 1)
        outlines.SetBackground(0.0, 0.0, 0.0)
        outlines.SetActiveCamera(renderer.GetActiveCamera())
        floor = Floor(renderer, self.background, smooth=self.samples == 1)
        acting = [Troupe(renderer, self._wardrobe, coaxial=coaxial) for _ in range(troupes)]
        view = View(renderer, outlines, floor, cellar, acting, camera, box)
        for item in view.renderers:
            self.window.AddRenderer(item)
        floor.still.AddObserver("EndEvent", partial(self._keep, view))
        return view

    def _keep(self, view: View, *_: object) -> None:
        """Keep what has been drawn of a view so far."""
        view.cellar.keep(view.box.scaled(self.samples))

    @property
    def _all(self) -> list[View]:
        """The views of all panes and of their insets."""
        return [*self._views, *self._insets.values()]


@lru_cache(maxsize=4)
def _empty(size: tuple[int, int], background: Background) -> Picture:
    """Return a picture of nothing, read-only."""
    ground = np.round(np.array(BACKGROUNDS[background][0]) * 255)
    return frozen(np.broadcast_to(ground, (size[1], size[0], 3)), np.uint8)


def _shape(state: State) -> tuple[int, bool]:
    """Return the number of panes, and whether they lie one over the other."""
    return len(state.panes), state.layout == "overlay"


def _scaled(size: tuple[int, int], samples: float) -> tuple[int, int]:
    return round(size[0] * samples), round(size[1] * samples)
