"""What the deep muscles of one side of the loins lie against, and where: asked often, so asked quickly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spineviz import measures
from spineviz.anatomy.back.crowd import crowd
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.column.alignment import endplate
from spineviz.anatomy.disc.space import landmark, middle
from spineviz.anatomy.girdle import ilium
from spineviz.sdf.solid import Field, smooth_union
from spineviz.structure import Floats, Frame, Points, Structure
from spineviz.terms import LEVELS, SIGN, Disc, Level, Side, discs_of, levels_of

KINDS: Mapping[str, tuple[str, ...]] = {
    "disc": ("disc.",),
    "ligament": ("anterior_longitudinal_ligament", "intertransverse.", "interspinous.", "facet_capsule.",
                 "facet_cartilage.", "supraspinous_ligament.", "flavum."),
    "vessel": ("aorta", "common_iliac_", "inferior_vena_cava", "lumbar_artery.", "lumbar_vein."),
    "nerve": ("root.", "ganglion.", "spinal_nerve.", "thecal_sac"),
    "muscle": ("multifidus.", "erector_spinae.", "longissimus.", "iliocostalis.", "spinalis."),
    "cover": ("thoracolumbar_fascia", "subcutaneous_fat"),
}  # fmt: skip
"""What deep muscles keep clear of beside bones, by the beginnings of names."""

REGION = (np.array([-125.0, -110.0, -110.0]), np.array([125.0, 110.0, 20.0]))
"""The box around what is asked, beyond the sacrum's and the first bone's middles, mm."""

DEEPEST: Mapping[str, float] = {
    **{"bone": 9.0, "disc": 9.0, "ligament": 3.0, "nerve": 5.0},
    **{"vessel": 16.0, "muscle": 16.0, "cover": 16.0},
}
"""No place in such a thing of which muscle is cut out is deeper (mm) than this."""

SQUARE = 1.5
"""Sections are counted in squares with sides of so many mm."""

MIDLINE = 15.0
"""So far (mm) over the midline it is asked where both sides are the same."""


@dataclass(frozen=True, eq=False)
class Loin:
    """One side of the loins: ``bones`` from above down to the sacrum, and ``made`` structures by name.

    ``symmetric`` tells that the bones are the same on both sides; what lies on one side of them is then kept
    clear of on both. ``size`` is how large the body is beside the mean.
    """

    bones: Mapping[Level, LevelBone]
    made: Mapping[str, Structure]
    side: Side
    symmetric: bool
    size: float = 1.0

    @property
    def sign(self) -> float:
        """The sign of x on this side."""
        return SIGN[self.side]

    @property
    def levels(self) -> tuple[Level, ...]:
        """The bones' levels, from above."""
        return tuple(sorted(self.bones, key=LEVELS.index))

    @property
    def lumbar(self) -> tuple[Level, ...]:
        """The lumbar levels, from above."""
        return tuple(level for level in self.levels if level.startswith("L"))

    @property
    def discs(self) -> tuple[Disc, ...]:
        """The discs between the bones, from above."""
        return discs_of(self.levels)

    def plane(self, disc: Disc) -> Frame:
        """Return the plane of a section at a disc, in the world: x right, y anterior, z superior.

        It is that of the disc; at the last one, which is much inclined, it is level with a standing pelvis.
        """
        above, below = (self.bones[level] for level in levels_of(disc))
        upper, lower = (
            endplate(above.landmarks, "inferior", above.level),
            landmark(below, "endplate.superior"),
        )
        between = middle(Frame(upper.origin, above.frame.axes), Frame(lower.origin, lower.axes))
        if below.level != "S1":
            return between
        upright = ilium.parameters().pelvic_frame()
        return Frame(between.origin, upright.axes.T @ below.frame.axes)

    @cached_property
    def gaps(self) -> dict[str, float]:
        """What muscle keeps from each kind of thing, mm."""
        return measures.table("deep_muscle_gaps")

    def of(self, kind: str) -> Field:
        """Return the distance (mm) to every bone, or to one of the ``KINDS``."""
        if kind not in self._fields:
            self._fields[kind] = self._asked(kind)
        return self._fields[kind]

    @cached_property
    def _fields(self) -> dict[str, Field]:
        return {}

    def _asked(self, kind: str) -> Field:
        """Return the distance to a kind of thing, as far as it lies on this side."""
        named = [item.surface for name, item in self.made.items() if name.startswith(KINDS.get(kind, ()))]
        surfaces = [bone.surface for bone in self.bones.values()] if kind == "bone" else named
        ends = [self.bones[self.levels[place]].frame.origin for place in (0, -1)]
        lower, upper = np.min(ends, axis=0) + REGION[0], np.max(ends, axis=0) + REGION[1]
        if self.symmetric:
            lower[0], upper[0] = (-MIDLINE, upper[0]) if self.sign > 0 else (lower[0], MIDLINE)
        both = self.symmetric and kind == "vessel"
        return crowd(surfaces, lower, upper, both, DEEPEST[kind])

    def taken(self, *kinds: str) -> Field:
        """Return how far (mm) world points are from where muscle ends for some kinds of things, or beyond.

        Edges between bone and what lies on it are rounded, so that muscle has no thin tongues there.
        """
        hard = [(self.of(kind), self.gaps[kind]) for kind in kinds if kind in ("bone", "disc", "muscle")]
        soft = [(self.of(kind), self.gaps[kind]) for kind in kinds if kind not in ("bone", "disc", "muscle")]

        def distance(points: Points) -> Floats:
            first = np.min([field(points) - gap for field, gap in hard], axis=0)
            if not soft:
                return np.asarray(first)
            second = np.min([field(points) - gap for field, gap in soft], axis=0)
            return smooth_union(first, second, self.gaps["round"])

        return distance


def area_of(inside: Callable[[float], np.ndarray], wanted: float, low: float, high: float) -> float:
    """Return the size (mm) between two at which a section has the area that is wanted.

    ``inside`` tells for a size which squares of a plane belong to the section.
    """
    for _ in range(24):
        half = (low + high) / 2
        low, high = (half, high) if SQUARE**2 * float(inside(half).sum()) < wanted else (low, half)
    return (low + high) / 2


def squares(plane: Frame, sign: float, lateral: tuple[float, float], depth: tuple[float, float]) -> Points:
    """Return the middles (n, 3) of the squares of a plane, on one side and between some depths."""
    x, y = np.meshgrid(np.arange(*lateral, SQUARE), np.arange(*depth, SQUARE), indexing="ij")
    flat = np.stack([sign * x.ravel(), y.ravel(), np.zeros(x.size)], axis=1)
    return plane.to_parent(flat)


def places_of_discs(loin: Loin, count: int) -> Floats:
    """Return the places on the sheet of some number of discs, the last of them that above the last level."""
    return np.arange(count) - (count - 1) + len(sheet_levels(loin)) - 1.5


def sheet_levels(loin: Loin) -> tuple[Level, ...]:
    """Return the levels whose transverse processes the sheet passes."""
    return tuple(level for level in loin.levels if level != "S1")


def profile(loin: Loin, values: list[float]) -> Callable[[Floats], Floats]:
    """Return a smooth function of the place on the sheet through values at the discs down to L4-L5."""
    from scipy.interpolate import PchipInterpolator

    knots = places_of_discs(loin, len(values))
    curve = PchipInterpolator(knots, values)
    return lambda place: np.asarray(curve(np.clip(place, knots[0], knots[-1])))
