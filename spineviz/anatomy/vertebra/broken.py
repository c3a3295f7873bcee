"""A piece that comes off a vertebra: a part of its body, or a process; and where it goes.

All in the bone's own frame, mm: x right, y anterior, z superior.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spineviz import measures
from spineviz.anatomy.column.deformation import Break
from spineviz.anatomy.vertebra.collapse import Extent
from spineviz.anatomy.vertebra.retropulsed import Retropulsed, retropulsed
from spineviz.structure import Floats, Frame, Points

NARROW = 8.0
"""A spinous process stands no farther (mm) than this from the midline; joints beside it do."""

SPINOUS_WAY, TRANSVERSE_WAY = (0.0, -0.6, -0.8), (0.9, 0.0, -0.44)
"""Where a broken process goes: down with the muscles on it; one on the right, to the side too."""


@dataclass(frozen=True)
class Crack:
    """A crack through a bone, and where the piece beyond it goes.

    ``origin`` and ``normal`` (a unit vector into the piece) are its plane, which waves by ``wave`` mm;
    ``narrow`` is how far (mm) from the midline the piece reaches at most. ``way`` (3,) is how it goes, mm.
    """

    origin: Floats
    normal: Floats
    wave: float
    narrow: float
    way: Floats

    def beyond(self, points: Points) -> Floats:
        """Return how far (n,) mm points (n, 3) lie beyond the crack; negative in the rest of the bone."""
        points = np.asarray(points, dtype=np.float64)
        local = points - self.origin
        first, second = np.eye(3)[np.argsort(np.abs(self.normal))[:2]]
        waves = np.sin(local @ first / 3.7) * np.cos(local @ second / 4.9 + 0.6)
        result: Floats = np.minimum(
            local @ self.normal + self.wave * waves, self.narrow - np.abs(points[:, 0])
        )
        return result

    def opened(self, points: Points) -> Points:
        """Return where places (n, 3) go: those beyond the crack all the way, those in it a part."""
        half = measures.value("fracture.crack.gap") / 2.0
        share = np.clip(0.5 + self.beyond(points) / (2.0 * half), 0.0, 1.0)
        result: Points = points + share[:, None] * self.way
        return result


def crack(asked: Break, landmarks: Mapping[str, Frame], body: Extent) -> Crack | Retropulsed:
    """Return the crack of a break, by a bone's landmarks in its own frame and the extent of its body.

    Raises ValueError where the bone has no such process.
    """
    if asked.part == "wall":
        return retropulsed(body, asked.apart)
    shape = measures.table("fracture.crack")
    apart = max(asked.apart - shape["gap"], 0.0)
    if asked.part == "body":
        back, front = body.upper_back[0], body.upper_front[0]
        origin = np.array([0.0, back + shape["split_at"] * (front - back), 0.0])
        return Crack(origin, np.array([0.0, 1.0, 0.0]), shape["wave"], np.inf, np.array([0.0, apart, 0.0]))
    if asked.part == "spinous":
        base, tip = _marks(landmarks, "spinous.base", "spinous.tip")
        normal = (tip - base) / np.linalg.norm(tip - base)
        origin = base + shape["spinous_at"] * (tip - base)
        return Crack(origin, normal, 0.5 * shape["wave"], NARROW, apart * np.array(SPINOUS_WAY))
    side = asked.part.rpartition(".")[2]
    root, tip = _marks(landmarks, f"pedicle.{side}", f"transverse.{side}")
    sign = float(np.sign(tip[0]))
    origin = root + shape["transverse_at"] * (tip - root)
    way = apart * np.array(TRANSVERSE_WAY) * np.array([sign, 1.0, 1.0])
    return Crack(origin, np.array([sign, 0.0, 0.0]), 0.5 * shape["wave"], np.inf, way)


def _marks(landmarks: Mapping[str, Frame], *names: str) -> list[Floats]:
    if missing := [name for name in names if name not in landmarks]:
        raise ValueError(f"a broken process needs the landmark {missing[0]}")
    return [landmarks[name].origin for name in names]
