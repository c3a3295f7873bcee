"""The ffmpeg that imageio-ffmpeg brings, fed with pictures."""

from __future__ import annotations

import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import imageio_ffmpeg

from spineviz.render.stage import Picture


def ffmpeg() -> str:
    """Return the path of an ffmpeg that writes H.264.

    Raises:
        OSError: there is none; the message says what to install.
    """
    try:
        program: str = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise OSError("no ffmpeg to write films with; install the package imageio-ffmpeg") from error
    listed = subprocess.run(
        [program, "-hide_banner", "-encoders"], capture_output=True, text=True, check=False, timeout=60
    )
    if "libx264" not in listed.stdout:
        raise OSError(
            f"{program} cannot write H.264 (no libx264); unset IMAGEIO_FFMPEG_EXE or let it name another"
        )
    return program


class Encoder:
    """Takes pictures of one size, in order, and writes them as an H.264 film, yuv420p, fast to start.

    Leaving the ``with`` block well finishes the file; leaving it by an error ends ffmpeg.
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: int) -> None:
        """Start ffmpeg on a film of ``size`` (width, height) pixels."""
        width, height = size
        self._path = path
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [
                ffmpeg(), "-y", "-loglevel", "error",
                "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(fps), "-i", "-",
                "-an", "-vf", "scale=out_color_matrix=bt709:out_range=tv",
                "-c:v", "libx264", "-preset", "veryfast", "-crf", "16", "-pix_fmt", "yuv420p",
                "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
                "-movflags", "+faststart", "-f", "mp4", str(path),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            start_new_session=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        """Return the encoder itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish the film, or end ffmpeg where an error has."""
        try:
            if kind is None:
                self._finish()
        finally:
            if self._process.poll() is None:
                self._process.kill()
            self._process.wait()
            if self._process.stdin is not None and not self._process.stdin.closed:
                with suppress(BrokenPipeError):
                    self._process.stdin.close()
            self._errors.close()

    def add(self, picture: Picture) -> None:
        """Append a picture, uint8 (height, width, 3).

        Raises:
            OSError: ffmpeg has stopped; the message carries what it said.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(picture.tobytes())
        except BrokenPipeError as error:
            self._process.wait()
            raise OSError(f"{self._path}: ffmpeg stopped: {self._said()}") from error

    def _finish(self) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        if self._process.wait() != 0:
            raise OSError(f"{self._path}: ffmpeg could not write the film: {self._said()}")

    def _said(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace").strip()[-400:] or "it gave no reason"
