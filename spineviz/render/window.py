"""VTK's window and renderers: opening them, aiming them, reading back colours and depths."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkFloatArray, vtkUnsignedCharArray
from vtkmodules.vtkRenderingCore import vtkActor, vtkLight, vtkRenderer, vtkRenderWindow

from spineviz.model import Camera
from spineviz.render.offscreen import RenderingUnavailable, prepare
from spineviz.render.projection import Box, eye, reach
from spineviz.render.strokes import Canvas
from spineviz.structure import Floats

Background = Literal["screen", "print"]

PEELS = 4
"""Layers of translucent surfaces that are drawn one behind the other."""

BACKGROUNDS: dict[Background, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "screen": ((0.935, 0.948, 0.957), (0.775, 0.810, 0.838)),
    "print": ((1.0, 1.0, 1.0), (1.0, 1.0, 1.0)),
}
"""The colour in the middle of a pane and in its corners."""


def hidden(size: tuple[int, int]) -> vtkRenderWindow:
    """Return a window of ``size`` (width, height) pixels that opens nothing on the screen.

    A plotter of PyVista is not needed for it, and would load the whole of matplotlib.

    Raises:
        RenderingUnavailable: there is no display and no EGL library.
    """
    prepare()
    opened = vtkRenderWindow()
    opened.SetOffScreenRendering(True)
    opened.SetMultiSamples(0)
    opened.SetSize(*size)
    return opened


def equip(renderer: vtkRenderer, background: Background, smooth: bool) -> None:
    """Set a renderer's background, its one lamp and how it treats translucent surfaces.

    The tissues' own shader makes three lamps and a sky of the one. ``smooth`` softens edges afterwards.
    """
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


def place(renderer: vtkRenderer, box: Box, size: tuple[int, int]) -> None:
    """Give a renderer its box of a picture of ``size`` (width, height) pixels."""
    width, height = size
    renderer.SetViewport(box.left / width, 1 - box.bottom / height, box.right / width, 1 - box.top / height)


def aim(renderer: vtkRenderer, camera: Camera) -> None:
    """Put a renderer's eye where a camera stands."""
    seen = renderer.GetActiveCamera()
    seen.SetFocalPoint(*camera.focus)
    seen.SetPosition(*eye(camera))
    seen.SetViewUp(*camera.up)
    seen.SetViewAngle(camera.angle)
    seen.SetClippingRange(*reach(camera))


def reorder(renderer: vtkRenderer, actors: list[vtkActor]) -> None:
    """Draw some of a renderer's actors after all others, in the order given.

    The list that they stand in is sorted: an actor that left the renderer would lose what it has uploaded.
    """
    listed = renderer.GetViewProps()
    first = listed.GetNumberOfItems() - len(actors)
    if all(listed.GetItemAsObject(first + index) is actor for index, actor in enumerate(actors)):
        return
    for actor in actors:
        listed.RemoveItem(actor)
        listed.AddItem(actor)


def from_behind(actors: Iterable[vtkActor], camera: Camera) -> list[vtkActor]:
    """Return actors in the order in which they come near to the eye, the farthest first.

    An actor is as near as the nearest corner of its box: what encloses others comes after them.
    """

    def nearness(actor: vtkActor) -> float:
        left, right, back, front, low, high = actor.GetBounds()
        corners = np.array([[x, y, z] for x in (left, right) for y in (back, front) for z in (low, high)])
        return float((corners @ np.asarray(camera.direction)).max())

    return sorted(actors, key=nearness)


def colours(window: vtkRenderWindow, box: Box) -> Canvas:
    """Return what a window shows in a box, uint8 (h, w, 3), as an array of its own.

    Raises:
        RenderingUnavailable: the graphics library has drawn nothing.
    """
    return np.array(_pixels(window, box))


def greys(window: vtkRenderWindow, box: Box) -> Canvas:
    """Return what a window shows in a box, uint8 (h, w), where it is drawn in greys."""
    return np.array(_pixels(window, box)[..., 0])


def depths(window: vtkRenderWindow, box: Box, camera: Camera) -> Floats:
    """Return the depth (h, w) in mm from the eye of what a window shows in a box."""
    values = vtkFloatArray()
    window.GetZbufferData(*_corners(window, box), values)
    near, far = reach(camera)
    share = vtk_to_numpy(values).reshape(box.height, box.width)[::-1]
    result: Floats = share * np.float32(near - far)
    result += np.float32(far)
    return np.divide(np.float32(near * far), result, out=result)


def _pixels(window: vtkRenderWindow, box: Box) -> Canvas:
    pixels = vtkUnsignedCharArray()
    window.GetPixelData(*_corners(window, box), 0, pixels, 0)
    if pixels.GetNumberOfTuples() != box.width * box.height:
        raise RenderingUnavailable("The graphics library opened no picture to draw in.")
    return vtk_to_numpy(pixels).reshape(box.height, box.width, 3)[::-1]


def _corners(window: vtkRenderWindow, box: Box) -> tuple[int, int, int, int]:
    height = window.GetSize()[1]
    return box.left, height - box.bottom, box.right - 1, height - 1 - box.top
