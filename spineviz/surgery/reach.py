"""How a straight tool reaches a place in the depth without touching bone or the wall of its corridor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spineviz.anatomy.recipe import Body
from spineviz.structure import Floats, Frame, Points
from spineviz.surgery.resection import Window
from spineviz.surgery.site import Local, Place, Site

ENOUGH = 0.6
"""Clearance in mm beyond which a way is as good as any wider one."""

STEPS = 6
"""In how many steps a tip that cannot be reached is moved towards the middle of the window."""


@dataclass(frozen=True, eq=False)
class Reach:
    """The ways into a site after the bone of a window has been taken (none before the laminotomy).

    ``spread`` (mm) is how far from the wound's middle at the skin a shaft may pass; ``walled`` tells that a
    tube's wall limits it all the way down.
    """

    site: Site
    body: Body
    window: Window | None
    spread: float
    walled: bool

    def bone(self, points: Points) -> Floats:
        """Return the distance (n,) in mm of world points from the bone that is left, negative in it."""
        result = np.full(len(points), np.inf)
        for level, bone in self.body.bones.items():
            distance = bone.grid(points)
            if self.window is not None and level == self.site.lamina:
                distance = np.maximum(distance, -self.window.field(points))
            result = np.minimum(result, distance)
        return result

    def clearance(self, tips: Points, tops: Points, radius: float) -> Floats:
        """Return how far (n,) mm shafts of a radius, from tips to tops (n, 3), stay off bone and wall."""
        share = np.linspace(0.0, 1.0, 36) ** 1.5
        shafts = tips[:, None] + share[:, None] * (tops - tips)[:, None]
        shafts = shafts + np.array([0.0, 0.0, 0.8 * radius])
        bone = self.bone(self.site.frame.to_parent(shafts.reshape(-1, 3))).reshape(shafts.shape[:2])
        result = bone.min(axis=1) - radius
        if self.walled:
            outward = np.where(shafts[..., 2] > 0.0, np.hypot(shafts[..., 0], shafts[..., 1]), 0.0)
            result = np.minimum(result, self.site.room - radius - outward.max(axis=1))
        return result

    def pose(self, tip: Place, radius: float, facing: Place, toward: Local) -> Frame:
        """Return where a tool stands whose shaft of a radius (mm) comes freest to a tip in the site's frame.

        Among ways that are free it takes the one nearest to the place ``toward`` at the skin. A tip that no
        way reaches is moved towards the middle of the window.
        """
        goal = np.asarray(tip, dtype=np.float64)
        tops = self._tops()
        preference = 0.02 * np.hypot(*(tops - np.asarray(toward))[:, :2].T)
        best_score, best = -np.inf, (goal, np.asarray(toward, dtype=np.float64))
        for step in range(STEPS + 1):
            place = goal + step / STEPS * (self._middle(goal) - goal)
            free = self.clearance(np.broadcast_to(place, tops.shape), tops, radius)
            score = np.minimum(free, ENOUGH) - preference
            index = int(np.argmax(score))
            if score[index] > best_score:
                best_score, best = float(score[index]), (place, tops[index])
            if free[index] >= 0.0:
                break
        return self.site.pose(best[0], best[1], facing)

    def _tops(self) -> Points:
        """Return the places at the skin (site's frame) through which shafts may pass."""
        rings = [np.zeros((1, 2))]
        for radius in np.arange(1.5, self.spread + 0.01, 1.5):
            angle = np.linspace(0, 2 * np.pi, 14, endpoint=False)
            rings.append(radius * np.stack([np.cos(angle), np.sin(angle)], axis=1))
        flat = np.vstack(rings)
        return np.asarray(self.site.top) + np.pad(flat, ((0, 0), (0, 1)))

    def _middle(self, goal: Floats) -> Floats:
        """Return the window's middle at the depth of a goal; the goal itself where there is no window."""
        if self.window is None:
            return goal
        return np.array([*self.window.curve().mean(0), goal[2]])
