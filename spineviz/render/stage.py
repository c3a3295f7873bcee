"""The stage: the plotter and its actors. It shows a State and remembers nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
import pyvista as pv
from PIL import Image
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkObject, vtkUnsignedCharArray
from vtkmodules.vtkRenderingCore import vtkLight, vtkRenderer

from spineviz.model import Camera, Look, Model, Pane, State
from spineviz.render.arrangement import arrange
from spineviz.render.figure import Figure, figure
from spineviz.render.materials import MATERIALS
from spineviz.render.offscreen import RenderingUnavailable, prepare
from spineviz.render.projection import Box, eye, reach

Picture = npt.NDArray[np.uint8]
"""Red, green and blue, (height, width, 3); the first row is the top."""

Background = Literal["screen", "print"]

INVISIBLE = 0.004
"""Opacity up to which a structure is not drawn at all."""

PEELS = 4
"""Layers of translucent surfaces that are drawn one behind the other."""

BACKGROUNDS: dict[Background, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "screen": ((0.925, 0.940, 0.950), (0.745, 0.785, 0.815)),
    "print": ((1.0, 1.0, 1.0), (1.0, 1.0, 1.0)),
}
"""The colour in the middle of a pane and in its corners."""


@dataclass(eq=False)
class _PaneActors:
    """One pane's renderer and the actors that it has needed so far, by structure and variant."""

    renderer: vtkRenderer
    figures: dict[tuple[str, str], Figure] = field(default_factory=dict)
    shown: Pane | None = None


class Stage:
    """The plotter and its actors; `show` puts a state on it and `image` takes its picture.

    ``size`` is the picture's width and height in pixels. ``samples`` 2 renders at twice the size and
    reduces, for stills; 1 smooths edges after the render, for film. A ``plotter`` with a window may be
    given; otherwise nothing is opened on the screen.
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
        self.plotter = plotter or _hidden_plotter((size[0] * samples, size[1] * samples))
        self._panes: list[_PaneActors] = []
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
        overlaid = state.layout == "overlay"
        arranged = (len(state.panes), overlaid)
        if model is not self._model or self._state is None or arranged != _arranged(self._state):
            self._clear()
            self._provide(len(state.panes), overlaid)
            self._model = model
        boxes = arrange(state, self.size).panes
        for index, (actors, pane, box) in enumerate(zip(self._panes, state.panes, boxes, strict=True)):
            if index == 0 or not overlaid:
                _place(actors.renderer, box, self.size)
                _aim(actors.renderer, pane.camera)
            _update(actors, model, pane)
        for actors in self._panes:
            through = any(
                item.translucent
                for other in self._panes
                if other.renderer is actors.renderer
                for item in other.figures.values()
            )
            actors.renderer.SetUseDepthPeeling(through)
        self._state = state

    def image(self) -> Picture:
        """Render and return the picture, uint8 (height, width, 3).

        Raises:
            RuntimeError: nothing has been shown yet.
            RenderingUnavailable: the graphics library could not open a picture.
        """
        if self._state is None or self._model is None:
            raise RuntimeError("the stage is empty: call show(model, state) before image()")
        picture = self._rendered()
        return _reduced(picture, self.samples)

    def _rendered(self) -> Picture:
        window = self.plotter.render_window
        window.Render()
        width, height = window.GetSize()
        pixels = vtkUnsignedCharArray()
        window.GetPixelData(0, 0, width - 1, height - 1, 0, pixels, 0)
        if pixels.GetNumberOfTuples() != width * height:
            raise RenderingUnavailable("The graphics library opened no picture to draw in.")
        return vtk_to_numpy(pixels).reshape(height, width, 3)[::-1]

    def _clear(self) -> None:
        for actors in self._panes:
            actors.renderer.RemoveAllViewProps()
            if actors.renderer is not self.plotter.renderer:
                self.plotter.render_window.RemoveRenderer(actors.renderer)
        self._panes.clear()

    def _provide(self, count: int, overlaid: bool) -> None:
        window = self.plotter.render_window
        for index in range(count):
            if index == 0:
                renderer = self.plotter.renderer
            elif overlaid:
                renderer = self._panes[0].renderer
            else:
                renderer = vtkRenderer()
                window.AddRenderer(renderer)
            if index == 0 or not overlaid:
                _equip(renderer, self.background, smooth=self.samples == 1)
            self._panes.append(_PaneActors(renderer))


def _arranged(state: State) -> tuple[int, bool]:
    return len(state.panes), state.layout == "overlay"


def _hidden_plotter(size: tuple[int, int]) -> pv.Plotter:
    prepare()
    plotter = pv.Plotter(off_screen=True, window_size=list(size), lighting="none", border=False)
    plotter.render_window.SetMultiSamples(0)
    return plotter


def _equip(renderer: vtkRenderer, background: Background, smooth: bool) -> None:
    """Set a renderer's background, its light and how it treats translucent surfaces."""
    middle, corner = BACKGROUNDS[background]
    renderer.SetBackground(*middle)
    renderer.SetBackground2(*corner)
    renderer.SetGradientBackground(middle != corner)
    renderer.SetGradientMode(vtkRenderer.GradientModes.VTK_GRADIENT_RADIAL_VIEWPORT_FARTHEST_CORNER)
    renderer.RemoveAllLights()
    lamp = vtkLight()
    lamp.SetLightTypeToHeadlight()
    renderer.AddLight(lamp)
    renderer.SetUseFXAA(smooth)
    renderer.SetMaximumNumberOfPeels(PEELS)
    renderer.SetOcclusionRatio(0.0)


def _place(renderer: vtkRenderer, box: Box, size: tuple[int, int]) -> None:
    width, height = size
    renderer.SetViewport(
        box.left / width, 1 - box.bottom / height, box.right / width, 1 - box.top / height
    )


def _aim(renderer: vtkRenderer, camera: Camera) -> None:
    seen = renderer.GetActiveCamera()
    seen.SetFocalPoint(*camera.focus)
    seen.SetPosition(*eye(camera))
    seen.SetViewUp(*camera.up)
    seen.SetViewAngle(camera.angle)
    seen.SetClippingRange(*reach(camera))


def _update(actors: _PaneActors, model: Model, pane: Pane) -> None:
    """Bring a pane's actors to what it says; structures it does not name are not drawn."""
    if pane is actors.shown:
        return
    wanted = {(name, look.variant): look for name, look in pane.looks.items() if _seen(look)}
    for key, item in actors.figures.items():
        item.actor.SetVisibility(key in wanted)
    for (name, variant), look in wanted.items():
        item = actors.figures.get((name, variant)) or _made(actors, model, name, look)
        _dress(item, model, name, look)
        if item.cuts != pane.cuts:
            item.cut(pane.cuts)
            item.fade(look.opacity)
    actors.shown = pane


def _seen(look: Look) -> bool:
    return look.visible and look.opacity > INVISIBLE


def _made(actors: _PaneActors, model: Model, name: str, look: Look) -> Figure:
    tissue = model.structures[name].tissue
    made = figure(model.surface(name, look), MATERIALS[tissue], sharp=tissue == "instrument")
    actors.figures[name, look.variant] = made
    actors.renderer.AddActor(made.actor)
    return made


def _dress(item: Figure, model: Model, name: str, look: Look) -> None:
    """Change of an actor only what differs between its last look and this one."""
    last = item.look
    if last is look:
        return
    if last is None or last.opacity != look.opacity:
        item.fade(look.opacity)
    if last is None or last.highlight != look.highlight:
        item.glow(look.highlight)
    if (None if last is None else last.matrix) != look.matrix:
        item.place(look.matrix)
    if (None if last is None else last.warp) != look.warp:
        item.move(model.vertices(name, replace(look, matrix=None)))
    item.look = look


def _reduced(picture: Picture, samples: int) -> Picture:
    if samples == 1:
        return np.ascontiguousarray(picture)
    return np.asarray(Image.fromarray(picture).reduce(samples))
