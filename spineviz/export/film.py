"""The whole timeline as an H.264 film that every player opens."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol

from tqdm import tqdm

from spineviz.export.encoder import Encoder
from spineviz.export.frames import Frame, render
from spineviz.library import replacing, require_folder, require_suffix
from spineviz.locale import text
from spineviz.model import Model, State
from spineviz.render.overlay import Clock
from spineviz.timeline import Timeline

FORMATS = (".mp4",)

SLOWEST, FASTEST = 1, 60
"""Frames a second."""

SMALLEST, LARGEST = 64, 4096
"""Pixels of each side: what players decode."""


MOST, LONG = 4, 240
"""The most processes that render one film by default, and the frames from which there are several."""


class _Built(Protocol):
    @property
    def model(self) -> Model: ...


class Play(Protocol):
    """What can be filmed: a model, a timeline, and the complete state at any second of it."""

    @property
    def assembly(self) -> _Built:
        """What has been built, with its ``model``."""

    @property
    def timeline(self) -> Timeline:
        """How long it lasts and when its steps begin."""

    def state(self, at: float | None = None) -> State:
        """Return what is shown at a second."""


def check_film(path: Path, fps: int, size: tuple[int, int]) -> None:
    """Raise what `write_film` would raise for its arguments, before anything is built."""
    require_suffix(path, FORMATS)
    require_folder(path)
    if not SLOWEST <= fps <= FASTEST:
        raise ValueError(f"{fps} frames a second: choose {SLOWEST} to {FASTEST}")
    for name, side in zip(("width", "height"), size, strict=True):
        if not SMALLEST <= side <= LARGEST:
            raise ValueError(f"film {name} {side}: choose {SMALLEST} to {LARGEST} pixels")
        if side % 2:
            raise ValueError(f"film {name} {side}: H.264 needs even sizes; choose {side - 1} or {side + 1}")


def write_film(
    path: Path | str,
    play: Play,
    fps: int = 24,
    size: tuple[int, int] = (1280, 720),
    progress: bool = False,
    *,
    processes: int | None = None,
) -> Path:
    """Write a play's whole timeline as a film of ``size`` (width, height) pixels; return its path.

    ``progress`` shows a bar on the terminal. ``processes`` render beside each other; by default one for
    every two cores (software OpenGL uses both of them by itself), up to four, for long films. The file
    appears whole or not at all.

    Raises:
        ValueError: a wrong format, rate, size or number of processes.
        OSError: the file cannot be written, or there is no ffmpeg that writes H.264.
        RenderingUnavailable: nothing on this machine can draw.
    """
    target = Path(path)
    check_film(target, fps, size)
    if processes is not None and processes < 1:
        raise ValueError(f"{processes} processes: choose 1 or more")
    count = round(play.timeline.seconds * fps) + 1
    processes = processes or (min((os.cpu_count() or 1) // 2, MOST) or 1 if count >= LONG else 1)
    frames = _frames(play, fps, count)
    with (
        replacing(target) as temporary,
        closing(render(play.assembly.model, frames, size, text, processes)) as pictures,
        Encoder(temporary, size, fps) as encoder,
    ):
        for picture in tqdm(pictures, target.name, count, unit="frame", disable=not progress):
            encoder.add(picture)
    return target


def _frames(play: Play, fps: int, count: int) -> Iterator[Frame]:
    seconds, starts = play.timeline.seconds, play.timeline.starts
    for index in range(count):
        second = min(index / fps, seconds)
        yield Frame(play.state(at=second), Clock(second, seconds, starts))
