"""How fast the tools of an operation turn and move, from one picture of the film to the next."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.spatial.transform import Rotation

from spineviz.model import Look
from spineviz.timeline import Timeline

TURNING = 200.0
"""How fast (degrees per second) a tool may turn: a hand rolls a punch by a right angle in half a second."""

FLYING = 350.0
"""How fast (mm/s) the tip of a tool may move: it comes and goes over a wound 50 mm deep."""

SEEN = 0.3
"""What is less opaque than this fades in or out and may move as it likes."""

PICTURE = 0.04
"""From one picture to the next, s."""

Fastest = dict[str, tuple[float, float]]
"""How fast each tool is at most, and when (s), by name."""


def visible(look: Look) -> bool:
    return look.visible and look.opacity > SEEN


def fastest(timeline: Timeline, track: int) -> tuple[Fastest, Fastest]:
    """How fast each tool that is seen turns (degrees per second) and moves (mm/s) at most."""
    turning: Fastest = {}
    flying: Fastest = {}
    seconds = np.arange(0.0, timeline.seconds, PICTURE)
    panes = (timeline.at(float(second)).panes[track].looks for second in seconds)
    for second, (earlier, later) in zip(seconds, pairwise(panes), strict=False):
        for name, look in later.items():
            first, last = earlier[name].matrix, look.matrix
            if visible(look) and visible(earlier[name]) and first != last and first and last:
                before, after = np.reshape(first, (4, 4)), np.reshape(last, (4, 4))
                turn = Rotation.from_matrix(after[:3, :3] @ before[:3, :3].T).magnitude()
                way = float(np.linalg.norm(after[:3, 3] - before[:3, 3]))
                for found, most in ((turning, float(np.degrees(turn))), (flying, way)):
                    found[name] = max(found.get(name, (0.0, 0.0)), (most / PICTURE, float(second)))
    return turning, flying
