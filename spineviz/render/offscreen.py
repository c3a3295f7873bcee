"""Rendering without a display: which window VTK opens, and what to install when none opens."""

from __future__ import annotations

import ctypes
import os
import sys

INSTALL = "On Debian or Ubuntu install software OpenGL with: apt install libegl1 libegl-mesa0 libgl1-mesa-dri"


class RenderingUnavailable(OSError):  # noqa: N818 - what it says, not that it is an error
    """Nothing on this machine can draw; the message says what to install."""

    def __init__(self, reason: str) -> None:
        """Take a sentence that says what is missing; what to install is added."""
        super().__init__(f"{reason} {INSTALL}")


def prepare() -> None:
    """Choose VTK's window for a machine without a display; call it before VTK is imported.

    An environment that has already chosen ``VTK_DEFAULT_OPENGL_WINDOW`` is left alone.

    Raises:
        RenderingUnavailable: there is no display and no EGL library.
    """
    if not sys.platform.startswith("linux"):
        return
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return
    chosen = os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
    if chosen == "vtkEGLRenderWindow" and not _loads("libEGL.so.1"):
        raise RenderingUnavailable("There is no display, and the library libEGL.so.1 is missing.")


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
