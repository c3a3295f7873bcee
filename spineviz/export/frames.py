"""The frames of a film in order, rendered in this process or by several beside each other."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from itertools import cycle, islice
from multiprocessing import get_context
from multiprocessing.connection import Connection

from spineviz.model import Model, State
from spineviz.render.overlay import Clock, Text
from spineviz.render.picture import picture
from spineviz.render.stage import Picture, Stage

BATCH = 6
"""Neighbouring frames that one process renders in a row: few things change between them."""


@dataclass(frozen=True)
class Frame:
    """One frame: what it shows and where the film stands."""

    state: State
    clock: Clock


def render(
    model: Model, frames: Iterator[Frame], size: tuple[int, int], text: Text, processes: int
) -> Generator[Picture, None, None]:
    """Yield the picture, uint8 (height, width, 3), of each frame, in order.

    Close the iterator to end the other processes before the last frame.
    """
    if processes > 1:
        yield from _rendered_beside(model, frames, size, text, processes)
        return
    with Stage(size) as stage:
        for frame in frames:
            yield _picture(stage, model, frame, text)


def _picture(stage: Stage, model: Model, frame: Frame, text: Text) -> Picture:
    stage.show(model, frame.state)
    return picture(stage, frame.state, text, frame.clock)


def _rendered_beside(
    model: Model, frames: Iterator[Frame], size: tuple[int, int], text: Text, processes: int
) -> Generator[Picture, None, None]:
    context = get_context("spawn")
    pipes = [context.Pipe() for _ in range(processes)]
    drawn = replace(model, bones={}, landmarks={})
    workers = [context.Process(target=_serve, args=(far, drawn, size, text), daemon=True) for _, far in pipes]
    try:
        for worker, (_, far) in zip(workers, pipes, strict=True):
            worker.start()
            far.close()
        waiting: deque[Connection] = deque()
        for near in cycle(near for near, _ in pipes):
            if len(waiting) == processes:
                yield from _received(waiting.popleft())
            batch = list(islice(frames, BATCH))
            if not batch:
                break
            near.send(batch)
            waiting.append(near)
        while waiting:
            yield from _received(waiting.popleft())
    finally:
        for near, _ in pipes:
            near.close()
        for worker in workers:
            if worker.pid is not None:
                worker.terminate()
                worker.join()


def _received(near: Connection) -> list[Picture]:
    """Take a batch of pictures, or raise what went wrong in the process that made them."""
    try:
        answer = near.recv()
    except EOFError:
        raise OSError("a rendering process ended; is there enough memory for so many of them?") from None
    if isinstance(answer, Exception):
        raise answer
    pictures: list[Picture] = answer
    return pictures


def _serve(far: Connection, model: Model, size: tuple[int, int], text: Text) -> None:
    """Render batches until the other end of the pipe closes: with one thread of software GL each.

    Ctrl-C is left to the parent, which ends this process.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["LP_NUM_THREADS"] = "1"
    try:
        with Stage(size) as stage:
            while True:
                batch: list[Frame] = far.recv()
                far.send([_picture(stage, model, frame, text) for frame in batch])
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except Exception as error:
        far.send(error)
