"""Actions: how a pane changes while a step runs, each a pure function of pane and progress.

Every action leaves the pane as it is at progress 0 and is done at progress 1, so that steps
join without a jump.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy.spatial.transform import Rotation

from spineviz.model import HIDDEN, Look, Pane
from spineviz.structure import Floats, Frame, frozen
from spineviz.timeline import Action, eased

Amounts = tuple[float, ...]

VISIBLE = 0.004
"""Below this opacity a structure is not drawn at all."""


@dataclass(frozen=True, eq=False)
class Motion:
    """A way through space: frames in the world at times 0..1; it starts and ends at rest.

    Between two frames the origin moves straight and the axes turn about one axis. ``bows`` (3,) tell how far
    and where (world, mm) the origin swings aside halfway between two frames; without them it does not.
    """

    times: tuple[float, ...]
    frames: tuple[Frame, ...]
    bows: tuple[Floats, ...] = ()

    def __post_init__(self) -> None:
        """Refuse times that do not rise or do not fit the frames."""
        if len(self.times) != len(self.frames) or len(self.times) < 2:
            raise ValueError("a motion needs as many times as frames, and at least two")
        if any(later <= earlier for earlier, later in zip(self.times[:-1], self.times[1:], strict=True)):
            raise ValueError(f"a motion's times must rise, not {self.times}")
        if self.bows and len(self.bows) != len(self.frames) - 1:
            raise ValueError("a motion needs as many bows as ways between its frames, or none")

    def at(self, progress: float) -> Frame:
        """Return the frame at a progress 0..1."""
        index = int(np.clip(np.searchsorted(self.times, progress, side="right") - 1, 0, len(self.times) - 2))
        start, end = self.times[index], self.times[index + 1]
        return self.along(index, eased((progress - start) / (end - start)))

    def along(self, index: int, share: float) -> Frame:
        """Return the frame at a share 0..1 of the way from one frame to the next."""
        first, last = self.frames[index], self.frames[index + 1]
        if share <= 0.0:
            return first
        if share >= 1.0:
            return last
        turn = _turn(first, last) * share
        axes = (Rotation.from_rotvec(turn).as_matrix() @ first.axes.T).T
        origin = first.origin + share * (last.origin - first.origin)
        if self.bows:
            origin = origin + 16 * (share * (1 - share)) ** 2 * self.bows[index]
        return Frame(origin, axes)


@lru_cache(maxsize=64)
def _turn(first: Frame, last: Frame) -> Floats:
    """Return the rotation vector (3,) that turns one frame's axes into another's; ways are asked often."""
    return frozen(Rotation.from_matrix(last.axes.T @ first.axes).as_rotvec(), np.float64)


def turned(first: Frame, last: Frame) -> float:
    """Return by how many degrees one frame is turned against another."""
    return float(np.degrees(np.linalg.norm(_turn(first, last))))


def matrix_of(frame: Frame) -> tuple[float, ...]:
    """Return a frame as a look's matrix: from the frame to the world, row by row."""
    return tuple(float(value) for value in frame.matrix.ravel())


def together(*actions: Action) -> Action:
    """Return an action that runs several at once, in order."""

    def run(pane: Pane, progress: float) -> Pane:
        for action in actions:
            pane = action(pane, progress)
        return pane

    return run


def faded(names: Sequence[str], opacity: float) -> Action:
    """Return an action that brings structures from their opacity to another one."""

    def run(pane: Pane, progress: float) -> Pane:
        share = eased(progress)
        if share <= 0.0:
            return pane
        return _with(pane, {name: _faded(pane.looks[name], opacity, share) for name in names})

    return run


def _faded(look: Look, opacity: float, share: float) -> Look:
    start = look.opacity if look.visible else 0.0
    now = start + share * (opacity - start)
    return (
        replace(look, opacity=now, visible=True)
        if now > VISIBLE
        else replace(look, opacity=0.0, visible=False)
    )


def appeared(name: str, opacity: float = 1.0) -> Action:
    """Return an action that lets a structure appear."""
    return faded((name,), opacity)


def vanished(*names: str) -> Action:
    """Return an action that lets structures disappear."""

    def run(pane: Pane, progress: float) -> Pane:
        pane = faded(names, 0.0)(pane, progress)
        return _with(pane, dict.fromkeys(names, HIDDEN)) if progress >= 1.0 else pane

    return run


def warped(names: Sequence[str], warp: str, start: Amounts, end: Amounts, variant: str = "") -> Action:
    """Return an action that moves structures by a warp from some amounts to others.

    ``variant`` is the surface that the warp was prepared for; it is chosen when the movement begins.
    """

    def run(pane: Pane, progress: float) -> Pane:
        if progress <= 0.0:
            return pane
        share = eased(progress)
        amounts = tuple(a + share * (b - a) for a, b in zip(start, end, strict=True))
        moved = {name: replace(pane.looks[name], warp=(warp, amounts), variant=variant) for name in names}
        return _with(pane, moved)

    return run


def unwarped(names: Sequence[str]) -> Action:
    """Return an action at whose end structures stand in their rest shape again."""

    def run(pane: Pane, progress: float) -> Pane:
        if progress < 1.0:
            return pane
        return _with(pane, {name: replace(pane.looks[name], warp=None, variant="") for name in names})

    return run


def staged(name: str, variants: Sequence[str]) -> Action:
    """Return an action that goes through a structure's variants, each for an equal part of the time."""

    def run(pane: Pane, progress: float) -> Pane:
        if progress <= 0.0:
            return pane
        index = min(int(progress * len(variants)), len(variants) - 1)
        return _with(pane, {name: replace(pane.looks[name], variant=variants[index])})

    return run


def carried(names: Sequence[str], motion: Motion) -> Action:
    """Return an action that carries structures, which stand in their own frame, along a motion."""

    def run(pane: Pane, progress: float) -> Pane:
        if progress <= 0.0:
            return pane
        matrix = matrix_of(motion.at(progress))
        return _with(pane, {name: replace(pane.looks[name], matrix=matrix) for name in names})

    return run


def highlighted(names: Sequence[str], strength: float) -> Action:
    """Return an action that brings the highlight of structures to a strength 0..1."""

    def run(pane: Pane, progress: float) -> Pane:
        share = eased(progress)
        if share <= 0.0:
            return pane
        changed = {
            name: replace(look, highlight=look.highlight + share * (strength - look.highlight))
            for name, look in ((name, pane.looks[name]) for name in names)
        }
        return _with(pane, changed)

    return run


def _with(pane: Pane, looks: dict[str, Look]) -> Pane:
    return replace(pane, looks={**pane.looks, **looks})
