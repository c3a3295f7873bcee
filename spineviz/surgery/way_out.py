"""How the closed rongeur leaves with what it holds: it turns evenly, as little as keeps it off all else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy.spatial.transform import Rotation

from spineviz.structure import Floats, Frame, Points
from spineviz.surgery.choosing import Index, highest
from spineviz.surgery.reach import ENOUGH, FEW, TOUCH, TURNS, Reach
from spineviz.surgery.removal import Removal
from spineviz.surgery.site import place_of, raised

OVER = (2.0, 8.0, 16.0, 32.0)
"""Within which rises (mm) above the fragment's bed the rongeur may turn: the longer, the slower."""

LOOKED = np.concatenate([np.linspace(0.0, 0.25, 13)[1:], np.linspace(0.3, 1.0, 8)])
"""Where a way out is looked at, as shares of the rise until the jaws are out of the body."""

CHARTED, JUDGED = 12, 4
"""How many of the best ways are judged on all points of the tool, and on the surfaces that are shown."""

TURNING = 0.0004
"""What a degree of turning counts against a squared mm that is lacking on the way."""

STEEPEST = 3.5
"""How far (degrees) the rongeur may turn for each mm that it rises, so that it is not twisted hastily."""

WORST = 0.1
"""What the deepest mm in bone counts more than the others."""

ASIDE = 2
"""How often the rongeur turns aside."""

EARLIEST = 1.0
"""After which rise (mm) at the earliest the rongeur may have turned aside."""


@dataclass(frozen=True, eq=False)
class WayOut:
    """How the closed rongeur leaves: it holds one place of the fragment, and turns evenly as it rises.

    It stands at ``grasp`` in the world first. When it has risen by ``rises`` (k,) mm it is turned by the
    rotation vectors ``turns`` (k, 3), radians in the world; beyond the last it keeps its direction.
    ``removal`` tells where the place that it holds is; without one it is drawn back along its own axis.
    """

    site: Frame
    grasp: Frame
    rises: Floats
    turns: Floats
    removal: Removal | None

    def at(self, rise: float) -> Frame:
        """Return where the rongeur stands when it has risen by some mm."""
        if self.removal is None:
            return raised(self.grasp, rise)
        return Frame(self.site.to_parent(self.removal.held(rise)), self.axes(np.array([rise]))[0])

    def turned(self, rises: Floats) -> Floats:
        """Return the rotation vectors (n, 3) by which it is turned at rises (n,)."""
        index = np.clip(np.searchsorted(self.rises, rises, side="right") - 1, 0, len(self.rises) - 2)
        first, last = self.rises[index], self.rises[index + 1]
        share = np.clip((rises - first) / (last - first), 0.0, 1.0)[:, None]
        return self.turns[index] + share**2 * (3 - 2 * share) * (self.turns[index + 1] - self.turns[index])

    def axes(self, rises: Floats) -> Floats:
        """Return the rongeur's axes (n, 3, 3) in the world at rises (n,)."""
        turns = Rotation.from_rotvec(self.turned(rises)).as_matrix()
        result: Floats = self.grasp.axes @ turns.transpose(0, 2, 1)
        return result

    @property
    def degrees(self) -> float:
        """By how many degrees the rongeur turns in all."""
        return float(self._parts.sum())

    @property
    def steepest(self) -> float:
        """By how many degrees for a mm of rise the rongeur turns where it turns most."""
        return float((self._parts / np.diff(self.rises)).max())

    @property
    def _parts(self) -> Floats:
        """By how many degrees (k - 1,) the rongeur turns from each rise to the next."""
        result: Floats = np.degrees(np.linalg.norm(np.diff(self.turns, axis=0), axis=1))
        return result


def way_out(reach: Reach, grasp: Frame, removal: Removal | None, tool: Points) -> WayOut:
    """Return how the rongeur, of which ``tool`` (n, 3) are points, leaves with the fragment.

    Among the directions in which it may leave the wound, and the heights until which it may turn to them, it
    takes those on which it stays off best, turned as little as does for that. Where it still touches bone,
    it turns aside there.
    """
    straight = WayOut(reach.site.frame, grasp, np.array([0.0, 1.0]), np.zeros((2, 3)), removal)
    if removal is None:
        return straight
    rises = LOOKED * (reach.site.depth - removal.grasp[2])
    passing = Passing(
        reach, reach.site.frame.to_parent(np.array([removal.held(r) for r in rises])), rises, tool
    )
    best, free = passing.best([straight, *_ways(reach, straight, removal)])
    for _ in range(ASIDE):
        low = float(rises[np.argmin(free)])
        if free.min() > -TOUCH or low < EARLIEST or np.abs(best.rises - low).min() < EARLIEST:
            break
        best, free = passing.best([best, *_aside(reach, best, removal, low)])
    return best


@dataclass(frozen=True, eq=False)
class Passing:
    """Tells how good ways out are; the tool has come to ``places`` (k, 3) in the world at ``rises`` (k,)."""

    reach: Reach
    places: Points
    rises: Floats
    tool: Points

    def best(self, every: Sequence[WayOut]) -> tuple[WayOut, Floats]:
        """Return the best of some ways that turn slowly, and how far (k,) mm it stays off all."""
        ways = [way for way in every if way.steepest <= STEEPEST]
        cost = np.array([TURNING * way.degrees for way in ways])
        measured: dict[int, Floats] = {}

        def charted(points: Points, rows: Index) -> Floats:
            axes = [ways[row].axes(self.rises) for row in rows.tolist()]
            free = [self.reach.clearance(self.places[:, None], turned, points) for turned in axes]
            return _freedom(np.array(free)) - cost[rows]

        def shown(rows: Index) -> Floats:
            for row in rows.tolist():
                axes = ways[int(best[row])].axes(self.rises)
                frames = [Frame(place, turned) for place, turned in zip(self.places, axes, strict=True)]
                measured[row] = self.reach.measured(frames, self.tool)
            return _freedom(np.array([measured[row] for row in rows.tolist()])) - cost[best[rows]]

        few = charted(self.tool[::FEW], np.arange(len(ways)))
        best, told = highest(few, partial(charted, self.tool), CHARTED, together=CHARTED)
        chosen = int(highest(told, shown, together=JUDGED)[0][0])
        return ways[int(best[chosen])], measured[chosen]


def _ways(reach: Reach, straight: WayOut, removal: Removal) -> list[WayOut]:
    """Return the ways on which the rongeur turns to another direction, and about its own shaft."""
    bed, result = removal.way.high - removal.grasp[2], []
    for over in OVER:
        for turn in _turns(reach, straight, removal, bed + over):
            result.append(
                replace(straight, rises=np.array([0.0, bed + over]), turns=np.stack([0 * turn, turn]))
            )
    return result


def _aside(reach: Reach, way: WayOut, removal: Removal, rise: float) -> list[WayOut]:
    """Return ways on which the rongeur is turned otherwise at a rise, and as before beyond it."""
    index = int(np.searchsorted(way.rises, rise))
    return [
        replace(way, rises=np.insert(way.rises, index, rise), turns=np.insert(way.turns, index, turn, axis=0))
        for turn in _turns(reach, way, removal, rise)
    ]


def _turns(reach: Reach, way: WayOut, removal: Removal, rise: float) -> list[Floats]:
    """Return rotation vectors (3,) by which the rongeur may be turned at a rise, about its shaft too."""
    site = reach.site
    facing = place_of(site.frame.axes @ way.axes(np.array([rise]))[0, 1])
    axes = site.axes(removal.held(rise), reach.tops(), facing)
    every = np.concatenate([axes, (TURNS @ axes[:, None]).reshape(-1, 3, 3)])
    return list(Rotation.from_matrix(every.transpose(0, 2, 1) @ way.grasp.axes).as_rotvec())


def _freedom(free: Floats) -> Floats:
    """Return how good ways are (n,) that stay so far (n, k) mm off all at some heights, at most 0."""
    lacking = ENOUGH - np.minimum(free, ENOUGH)
    return -(lacking**2).mean(axis=1) - WORST * (lacking.max(axis=1) > ENOUGH + TOUCH) * lacking.max(axis=1)
