"""Steps and the timeline: what a scene looks like at any second, and nothing else."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from spineviz.model import Camera, Message, Pane, State
from spineviz.terms import PHASES, Phase
from spineviz.views import between

Action = Callable[[Pane, float], Pane]
"""Maps a pane and a progress 0..1 to the pane as it looks then; at 1 the action is done."""

TRAVEL = 1.4
"""The seconds that the camera travels to a step's view before it rests; a shorter step takes all it has."""


@dataclass(frozen=True)
class Step:
    """One named step of one pane."""

    phase: Phase
    title: Message
    seconds: float
    actions: tuple[Action, ...] = ()
    camera: Camera | None = None


@dataclass(frozen=True)
class Moment:
    """A step placed on the clock of its pane."""

    start: float
    end: float
    step: Step
    before: Pane


def eased(progress: float) -> float:
    """Return a progress that starts and ends at rest."""
    progress = min(max(progress, 0.0), 1.0)
    return progress * progress * progress * (progress * (6 * progress - 15) + 10)


def during(action: Action, start: float, end: float) -> Action:
    """Return an action that runs within a part of its step."""

    def narrowed(pane: Pane, progress: float) -> Pane:
        return action(pane, min(max((progress - start) / (end - start), 0.0), 1.0))

    return narrowed


def _applied(step: Step, pane: Pane, progress: float, seconds: float) -> Pane:
    origin = pane.camera
    for action in step.actions:
        pane = action(pane, progress)
    if step.camera is not None:
        pane = replace(
            pane, camera=between(origin, step.camera, eased(progress * seconds / min(TRAVEL, seconds)))
        )
    return replace(pane, caption=step.title)


@dataclass(frozen=True)
class Timeline:
    """What the scene looks like at any second; depends on the second alone.

    Build it with `timeline` or `in_turn`. ``tracks`` holds each pane's moments on the common clock. ``turns``
    are the seconds at which each pane's turn comes, where one is shown after the other.
    """

    initial: State
    tracks: tuple[tuple[Moment, ...], ...]
    turns: tuple[float, ...] = ()

    @property
    def seconds(self) -> float:
        """The length of the whole timeline."""
        return max((track[-1].end for track in self.tracks if track), default=0.0)

    @property
    def starts(self) -> tuple[float, ...]:
        """The seconds at which steps begin, over all panes, in order and without repeats."""
        return tuple(sorted({round(moment.start, 6) for track in self.tracks for moment in track}))

    def turn(self, second: float) -> int:
        """Return the index of the pane whose turn it is at a second; 0 where all are shown together."""
        return max(bisect_right(self.turns, second) - 1, 0)

    def begun(self, second: float) -> bool:
        """Tell whether the first pane's turn has come at a second; always so where all are shown together."""
        return not self.turns or second >= self.turns[0]

    def at(self, second: float) -> State:
        """Return the state at a second; before the start and after the end it rests."""
        panes = tuple(
            _pane_at(pane, track, second) for pane, track in zip(self.initial.panes, self.tracks, strict=True)
        )
        return replace(self.initial, panes=panes, second=min(max(second, 0.0), self.seconds))


def _pane_at(initial: Pane, track: tuple[Moment, ...], second: float) -> Pane:
    if not track:
        return initial
    index = max(bisect_right([moment.start for moment in track], second) - 1, 0)
    moment = track[index]
    progress = min(max((second - moment.start) / (moment.end - moment.start), 0.0), 1.0)
    return _applied(moment.step, moment.before, progress, moment.end - moment.start)


def timeline(initial: State, tracks: Sequence[Sequence[Step]]) -> Timeline:
    """Place each pane's steps on one clock, phase by phase.

    Every phase lasts as long as the longest track needs for it; the steps of the other tracks are
    stretched to fill it, so that all panes are always in the same phase.
    """
    if len(tracks) != len(initial.panes):
        raise ValueError(f"{len(initial.panes)} panes need as many tracks of steps, not {len(tracks)}")
    length = {
        phase: max(sum(step.seconds for step in track if step.phase == phase) for track in tracks)
        for phase in PHASES
    }
    begin = dict(zip(PHASES, accumulate(length.values(), initial=0.0), strict=False))
    placed = tuple(
        _placed(pane, track, begin, length) for pane, track in zip(initial.panes, tracks, strict=True)
    )
    return Timeline(initial, placed)


def _placed(
    pane: Pane, track: Sequence[Step], begin: dict[Phase, float], length: dict[Phase, float]
) -> tuple[Moment, ...]:
    moments: list[Moment] = []
    for phase in PHASES:
        steps = [step for step in track if step.phase == phase]
        total = sum(step.seconds for step in steps)
        start = begin[phase]
        for step in steps:
            end = start + step.seconds * length[phase] / total
            moments.append(Moment(start, end, step, pane))
            pane = _applied(step, pane, 1.0, end - start)
            start = end
    return tuple(moments)


def in_turn(initial: State, shared: Sequence[Step], tracks: Sequence[Sequence[Step]]) -> Timeline:
    """Place each pane's steps after those of the pane before it, and all after some steps that they share.

    A pane rests before its turn and after it. Steps take their own time: none is stretched.
    """
    begin = sum(step.seconds for step in shared)
    placed, turns = [], []
    for pane, track in zip(initial.panes, tracks, strict=True):
        moments = _in_order(pane, shared, 0.0)
        rested = _applied(shared[-1], moments[-1].before, 1.0, shared[-1].seconds) if shared else pane
        placed.append((*moments, *_in_order(rested, track, begin)))
        turns.append(begin)
        begin += sum(step.seconds for step in track)
    return Timeline(initial, tuple(placed), tuple(turns))


def _in_order(pane: Pane, steps: Sequence[Step], start: float) -> list[Moment]:
    """Return steps one after the other from a second on, each for as long as it takes by itself."""
    moments = []
    for step in steps:
        moments.append(Moment(start, start + step.seconds, step, pane))
        pane = _applied(step, pane, 1.0, step.seconds)
        start += step.seconds
    return moments
