"""A window that shows pixels and tells what the pointer does; it draws nothing itself."""

from __future__ import annotations

import numpy as np
import pyvista as pv
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkRenderingCore import vtkActor2D, vtkImageMapper, vtkRenderWindowInteractor

from spineviz.render.stage import Picture


class Screen:
    """A window on the display. Pixels count from its top left corner."""

    def __init__(self, size: tuple[int, int], title: str) -> None:
        """Open a window of ``size`` (width, height) pixels."""
        self.plotter = pv.Plotter(
            off_screen=False, window_size=list(size), lighting="none", border=False, title=title
        )
        self._window = self.plotter.render_window
        self._window.SetMultiSamples(0)
        self._window.SetWindowName(title)
        self.interactor: vtkRenderWindowInteractor = self.plotter.iren.interactor
        self.interactor.SetInteractorStyle(None)
        self.interactor.RemoveAllObservers()
        self._image = vtkImageData()
        self._pixels = np.zeros((size[1], size[0], 3), dtype=np.uint8)
        mapper = vtkImageMapper()
        mapper.SetInputData(self._image)
        mapper.SetColorWindow(255)
        mapper.SetColorLevel(127.5)
        actor = vtkActor2D()
        actor.SetMapper(mapper)
        self.plotter.renderer.AddViewProp(actor)
        self.size = size
        self.put(self._pixels)
        self.interactor.Initialize()
        self.resized()

    def put(self, frame: Picture) -> None:
        """Show a picture (height, width, 3); the first row is the top."""
        self._pixels = np.ascontiguousarray(frame[::-1])
        height, width = frame.shape[:2]
        self._image.SetDimensions(width, height, 1)
        self._image.GetPointData().SetScalars(numpy_to_vtk(self._pixels.reshape(-1, 3)))
        self._image.Modified()
        self._window.Render()

    def pointer(self) -> tuple[int, int]:
        """Return the pixel under the pointer; y runs down."""
        x, y = self.interactor.GetEventPosition()
        return int(x), self.size[1] - 1 - int(y)

    def resized(self) -> bool:
        """Take the window's size over; tell whether it has changed."""
        now = tuple(int(value) for value in self._window.GetSize())
        changed = now != self.size and min(now) > 0
        if changed:
            self.size = (now[0], now[1])
        return changed

    def shot(self) -> Picture:
        """Return what the window was last told to show (height, width, 3)."""
        return self._pixels[::-1]

    def close(self) -> None:
        """Close the window."""
        self.plotter.close()
