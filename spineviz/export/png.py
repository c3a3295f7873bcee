"""A picture of one moment as a PNG file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PIL import Image

from spineviz.library import replacing, require_folder, require_suffix
from spineviz.model import Message, Model, State
from spineviz.render.picture import picture
from spineviz.render.stage import Stage
from spineviz.render.window import Background

FORMATS = (".png",)


def check_path(path: Path) -> None:
    """Raise what `write_png` would raise for a path, before anything is built."""
    require_suffix(path, FORMATS)
    require_folder(path)


def write_png(
    path: Path | str,
    model: Model,
    state: State,
    text: Callable[[Message], str],
    *,
    size: tuple[int, int] = (1600, 1000),
    background: Background = "screen",
) -> Path:
    """Write a state as a picture of ``size`` (width, height) pixels and return its path.

    ``text`` gives the sentence of a message in the reader's language. The file appears whole or not
    at all.

    Raises:
        ValueError: the file's name does not end in ``.png``.
        OSError: the file cannot be written; the message says where and why.
        RenderingUnavailable: nothing on this machine can draw.
    """
    target = Path(path)
    check_path(target)
    with replacing(target) as temporary, Stage(size, background, samples=2) as stage:
        stage.show(model, state)
        Image.fromarray(picture(stage, state, text)).save(temporary, format="PNG", compress_level=2)
    return target
