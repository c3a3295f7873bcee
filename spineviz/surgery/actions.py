"""Actions: how a pane changes while a step runs, each a pure function of pane and progress.

Every action leaves the pane as it is at progress 0 and is done at progress 1, so that steps
join without a jump.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from spineviz.model import HIDDEN, Look, Pane
from spineviz.structure import Floats, Frame
from spineviz.timeline import Action, eased

Amounts = tuple[float, ...]

VISIBLE = 0.004
"""Below this opacity a structure is not drawn at all."""


@dataclass(frozen=True, eq=False)
class Motion:
    """A way through space: frames in the world at times 0..1; it starts and ends at rest.

    Between two frames the origin moves straight and the axes turn about one axis.
    """

    times: tuple[float, ...]
    frames: tuple[Frame, ...]

    def __post_init__(self) -> None:
        """Refuse times that do not rise or do not fit the frames."""
        if len(self.times) != len(self.frames) or len(self.times) < 2:
            raise ValueError("a motion needs as many times as frames, and at least two")
        if any(later <= earlier for earlier, later in zip(self.times[:-1], self.times[1:], strict=True)):
            raise ValueError(f"a motion's times must rise, not {self.times}")

    def at(self, progress: float) -> Frame:
        """Return the frame at a progress 0..1."""
        index = int(np.clip(np.searchsorted(self.times, progress, side="right") - 1, 0, len(self.times) - 2))
        start, end = self.times[index], self.times[index + 1]
        share = eased((progress - start) / (end - start))
        first, last = self.frames[index], self.frames[index + 1]
        if share <= 0.0:
            return first
        if share >= 1.0:
            return last
        turn = Rotation.from_matrix(last.axes.T @ first.axes).as_rotvec() * share
        axes = (Rotation.from_rotvec(turn).as_matrix() @ first.axes.T).T
        return Frame(first.origin + share * (last.origin - first.origin), axes)

    def moved(self, offset: Floats) -> Motion:
        """Return the same way shifted by a vector (3,) mm."""
        return Motion(self.times, tuple(Frame(frame.origin + offset, frame.axes) for frame in self.frames))


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


def carried(names: Sequence[str], motion: Motion, rest: Frame | None = None) -> Action:
    """Return an action that carries structures along a motion.

    Without ``rest`` a structure stands in its own frame, as instruments do. With ``rest`` it stands in the
    world and moves as if it were held by a hand that starts at ``rest``.
    """

    def run(pane: Pane, progress: float) -> Pane:
        if progress <= 0.0:
            return pane
        frame = motion.at(progress)
        if rest is not None:
            frame = _displacement(rest, frame)
        matrix = matrix_of(frame)
        return _with(pane, {name: replace(pane.looks[name], matrix=matrix) for name in names})

    return run


def _displacement(start: Frame, now: Frame) -> Frame:
    """Return the movement of the world that brings one frame to another, as a frame."""
    turn = now.axes.T @ start.axes
    return Frame(now.origin - turn @ start.origin, turn.T)


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
