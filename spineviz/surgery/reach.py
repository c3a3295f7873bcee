"""How a straight tool reaches a place in the depth without touching bone or the wall of its corridor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import pairwise, product

import numpy as np

from spineviz.anatomy.recipe import Body
from spineviz.sdf import Field
from spineviz.structure import Floats, Frame, Points
from spineviz.surgery.actions import Motion
from spineviz.surgery.bone_left import BESIDE, BoneLeft
from spineviz.surgery.choosing import Index, highest
from spineviz.surgery.site import Local, Place, Round, Site
from spineviz.surgery.surroundings import within

ENOUGH = 0.6
"""Clearance in mm beyond which a way is as good as any wider one."""

NEARER = (0.0, 0.15, 0.3, 0.5, 0.75, 1.0)
"""By which shares of its way to the middle of the window a tip that cannot be reached is moved."""

HIGHER = (0.0, 0.6, 1.2, 2.0, 3.0)
"""By how much (mm) a tip that cannot be reached is raised."""

ROLLS, TURNED = (-20.0, 20.0, -40.0, 40.0), 8
"""By which angles (degrees) a tool may be turned about its shaft, and on how many of the best ways."""

JUDGED, FEW = 5, 6
"""How many of the best ways are judged on the surfaces that are shown; of how many points of a tool one is
looked at first."""

BACK, ASIDE = (0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0), (0.0, 1.0, 2.0, 3.5, 5.0)
"""How far (mm) a tool may be drawn back, and moved towards the middle of the window, between two places."""

NEAR = 0.1
"""Clearance in mm from which on a way is free."""

TOUCH = 0.05
"""How deep (mm) a tool may press into bone on its way from one place to the next."""


@dataclass(frozen=True, eq=False)
class Reach:
    """The ways into a site past the ``bone`` that is left there.

    ``spread`` (mm) is how far from the wound's middle at the skin a shaft may pass; ``walled`` tells that a
    tube's wall limits it all the way down. ``beside`` tells the distance (mm) of points in the world from
    what else is to be kept off: nerves, ligament, another tool.
    """

    bone: BoneLeft
    spread: float
    walled: bool
    beside: Field | None = None

    @property
    def site(self) -> Site:
        """The site that is reached."""
        return self.bone.near.site

    @property
    def body(self) -> Body:
        """The body that is operated on."""
        return self.bone.near.body

    @cached_property
    def top(self) -> float:
        """How high (mm) above the docking point the wall that limits tools ends: the tube's rim."""
        return float(self.site.tools["tube"].surface.vertices[:, 2].max()) if self.walled else self.site.depth

    def keeping_off(self, beside: Field) -> Reach:
        """Return the same ways, on which something else is kept off as well."""
        return replace(self, beside=beside)

    def free(self, places: Points) -> Floats:
        """Return the distance (n,) in mm of places in the site's frame from bone, wall and what is beside.

        All is read off grids.
        """
        world = self.site.frame.to_parent(places)
        return np.minimum(self.bone.chart(world), self._off_others(world))

    def clearance(self, origin: Floats, axes: Floats, tool: Points) -> Floats:
        """Return how far (k,) mm by the grids a tool at one place stays off all in its turns (k, 3, 3).

        It tells no more than ENOUGH. ``tool`` (n, 3) are points on it in its own frame, see `points_of`;
        place and axes are in the world.
        """
        world = (tool @ axes + origin).reshape(-1, 3)
        free = np.minimum(self.bone.chart.within(world, ENOUGH), self._off_others(world, ENOUGH))
        return free.reshape(len(axes), -1).min(axis=1)

    def measured(self, frames: Sequence[Frame], tool: Points) -> Floats:
        """Return how far (k,) mm a tool in frames of the world stays off all that it is to keep off.

        The distance from bone that is near is measured on the surfaces that are shown.
        """
        world = np.vstack([frame.to_parent(tool) for frame in frames])
        bone, others = (
            distance.reshape(len(frames), -1)
            for distance in (self.bone.chart(world).astype(np.float64), self._off_others(world))
        )
        near = bone < BESIDE
        if near.any():
            bone[near] = self.bone.shown(world[near.ravel()])
        return np.minimum(bone, others).min(axis=1)

    def _off_others(self, world: Points, most: float = np.inf) -> Floats:
        """Return the distance (n,) in mm of places in the world from the wall and what is beside.

        Where it is more than ``most`` (mm), that may be told.
        """
        if self.beside is None:
            result = np.full(len(world), most)
        elif np.isfinite(most):
            result = within(self.beside, world, most)
        else:
            result = self.beside(world)
        if not self.walled:
            return result
        x, y, z = np.ascontiguousarray(self.site.frame.to_local(world).T)
        inside = np.flatnonzero((z > 0.0) & (z < self.top))
        result[inside] = np.minimum(result[inside], self.site.room - np.hypot(x[inside], y[inside]))
        return result

    def pose(self, tip: Place, tool: Points, facing: Place, toward: Local) -> Frame:
        """Return where a tool stands whose shaft comes freest to a tip in the site's frame.

        Among ways that are free it takes the one nearest to the place ``toward`` at the skin and the least
        turned from ``facing``. A tip that no way reaches is raised, and moved towards the window's middle.
        """
        goal = np.asarray(tip, dtype=np.float64)
        moves = sorted(product(NEARER, HIGHER), key=sum)
        best_score, best = -np.inf, Frame()
        for share, height in moves:
            place = goal + share * (self._middle(goal) - goal) + [0.0, 0.0, height]
            score, free, frame = self.freest(place, tool, facing, toward)
            if score > best_score:
                best_score, best = score, frame
            if free >= NEAR:
                break
        return best

    def freest(self, tip: Floats, tool: Points, facing: Place, toward: Local) -> tuple[float, float, Frame]:
        """Return the score and the clearance (mm) of the best way to a tip, and the tool's frame there.

        All ways are judged on the grids, and the best of them on the surfaces that are shown.
        """
        tops = self.tops()
        cost = 0.02 * np.hypot(*(tops - toward)[:, :2].T)
        place, axes = self.site.world(tip), self.site.axes(tip, tops, facing)
        chosen, charted = self._charted(place, axes, cost, tool, TURNED)
        axes = np.concatenate([axes[chosen], (TURNS @ axes[chosen, None]).reshape(-1, 3, 3)])
        turned = cost[chosen, None] + 0.004 * np.abs(ROLLS)
        cost = np.concatenate([cost[chosen], turned.ravel()])
        rolled = self.clearance(place, axes[len(chosen) :], tool[::FEW]) - turned.ravel()
        known = np.concatenate([charted, np.full(len(rolled), np.nan)])

        def judged(rows: Index) -> Floats:
            new = rows[np.isnan(known[rows])]
            if len(new):
                known[new] = self._charts(place, axes, cost, tool, new)
            return known[rows]

        best, _ = highest(np.concatenate([charted, rolled]), judged, JUDGED, together=TURNED)
        frames = [Frame(place, axes[index]) for index in best]
        free = np.full(len(best), -np.inf)

        def shown(rows: Index) -> Floats:
            free[rows] = self.measured([frames[row] for row in rows.tolist()], tool)
            return np.minimum(free[rows], ENOUGH) - cost[best[rows]]

        chosen, score = highest(ENOUGH - cost[best], shown, together=JUDGED)
        return float(score[0]), float(free[chosen[0]]), frames[int(chosen[0])]

    def room(self, tip: Floats, tool: Points, facing: Place) -> float:
        """Return the clearance (mm) by the grids of a tool on the freest way to a tip in the site's frame."""
        return float(
            self.clearance(self.site.world(tip), self.site.axes(tip, self.tops(), facing), tool).max()
        )

    def _charted(
        self, place: Floats, axes: Floats, cost: Floats, tool: Points, count: int
    ) -> tuple[Index, Floats]:
        """Return in which ``count`` of some turns (k, 3, 3) a tool stands best by the grids, and how good."""
        few = self.clearance(place, axes, tool[::FEW]) - cost
        return highest(few, partial(self._charts, place, axes, cost, tool), count, together=2 * count)

    def _charts(self, place: Floats, axes: Floats, cost: Floats, tool: Points, rows: Index) -> Floats:
        """Return how good some of the turns (k, 3, 3) of a tool are by the grids."""
        return self.clearance(place, axes[rows], tool) - cost[rows]

    def round(self, frames: Sequence[Frame], tool: Points, home: Frame | None = None) -> Round:
        """Return a tool's way through frames that swings aside where bone stands in between.

        Where no swing helps it goes by way of ``home``.
        """
        path, bows = [frames[0]], []
        for first, last in pairwise(frames):
            bow, pressed = self._bow(first, last, tool)
            if pressed > TOUCH and home is not None:
                path.append(home)
                bows += [self._bow(first, home, tool)[0], self._bow(home, last, tool)[0]]
            else:
                bows.append(bow)
            path.append(last)
        return Round(tuple(path), tuple(bows))

    def _bow(self, first: Frame, last: Frame, tool: Points) -> tuple[Floats, float]:
        """Return the least swing (3,) mm in the world by which a tool stays off bone between two frames.

        Beside it stands how deep (mm) the tool still gets into bone.
        """
        half = Motion((0.0, 1.0), (first, last)).along(0, 0.5)
        middle = self.site.frame.to_parent(self._middle(self.site.frame.to_local(half.origin)))
        inward = (middle - half.origin) / max(float(np.linalg.norm(middle - half.origin)), 1.0)
        swings = [
            back * half.superior + aside * inward for back, aside in sorted(product(BACK, ASIDE), key=sum)
        ]
        least, best = np.inf, swings[0]
        for swing in swings:
            way = Motion((0.0, 1.0), (first, last), (swing,))
            frames = [way.along(0, float(share)) for share in np.linspace(0, 1, 13)]
            pressed = -float(self.measured(frames, tool).min())
            if pressed < least:
                least, best = pressed, swing
            if least <= TOUCH:
                break
        return best, least

    def tops(self) -> Points:
        """Return the places at the skin (site's frame) through which shafts may pass."""
        rings = [np.zeros((1, 2))]
        for radius in np.arange(1.5, self.spread + 0.01, 1.5):
            angle = np.linspace(0, 2 * np.pi, 14, endpoint=False)
            rings.append(radius * np.stack([np.cos(angle), np.sin(angle)], axis=1))
        flat = np.vstack(rings)
        return np.asarray(self.site.top) + np.pad(flat, ((0, 0), (0, 1)))

    def _middle(self, goal: Floats) -> Floats:
        """Return the window's middle at the depth of a goal; the goal itself where there is no window."""
        window = self.bone.window
        if window is None:
            return goal
        return np.array([*window.curve().mean(0), goal[2]])


def _rolling(degrees: float) -> Floats:
    """Return what turns (3, 3) axes about their own z axis."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])


TURNS = np.stack([_rolling(roll) for roll in ROLLS])
"""What turns axes by each of the ROLLS."""
