"""The space between two endplates: its frame, its outline, and where a point stands in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from threading import get_ident

import numpy as np
import numpy.typing as npt

from spineviz.anatomy.bone import LevelBone
from spineviz.structure import Floats, Frame, Points, frozen
from spineviz.terms import Disc, Level, levels_of

ANGLES = 96
"""Directions in which the outline of an endplate is looked for."""

HARMONICS = 8
"""The outline keeps this many waves around its circumference; finer ones are noise of the search."""

RIM_DEPTHS = (1.0, 2.0, 3.0)
"""An endplate ends where the bone is left this far (mm) beyond the plane of its rim; deeper where a given
bone's rim is not met all around at the first depth."""

RIM_MET = 0.7
"""In this part of the directions at least a rim is met; where a process stands on it, it runs on between."""

NEAREST, FARTHEST = 3.0, 40.0
"""A rim is looked for between these radii, mm."""

HOLLOWED = 0.65
"""Nearer to the middle than this share of the radius on the other side bone is left for a hollow."""

ASTRAY, ROUNDS, WAVES = 0.8, 8, 4
"""A rim is followed where it strays less than this (mm) outwards from the few slow waves that fit it best:
farther out the bone goes on into a pedicle or a rib's facet. So many rounds settle which places those are."""

LIP, HOLLOW = 0.3, 8.0
"""How far (mm) a disc may reach beyond the edge of a rim: at the rim, and how much more in its middle."""

EDGE_SHARE, EDGE_REACH = 0.92, 7.0
"""A rim's edge is felt at this share of its radius, within so many mm of the disc's middle."""

OVERHANG = 2.5
"""One rim counts as no more than this (mm) wider than the other: beyond, a disc has nothing to hold to."""

EXACT = 1.5
"""Nearer to a bone than this (mm) its own distance is asked, farther away the sampled one."""


@dataclass(frozen=True, eq=False)
class DiscSpace:
    """The space that a disc fills.

    ``frame`` is in the world: origin midway between the centres of the two endplates, z the mean of
    their normals, y anterior. ``upper`` and ``lower`` are the radii (ANGLES,) in mm of the two rims
    about that origin, in the frame's x-y plane, by angle from x (right) towards y (anterior).
    """

    disc: Disc
    frame: Frame
    above: LevelBone
    below: LevelBone
    upper: Floats
    lower: Floats
    edges: tuple[Floats, Floats]
    """The heights (ANGLES,) in mm of the upper and the lower rim's edge in the frame, by the same angles."""
    asked: dict[int, tuple[Points, tuple[Floats, Floats]]] = field(default_factory=dict, repr=False)
    """The points that a thread asked for last, and what it was told: parts of one disc ask for the same."""

    def distances(self, points: Points) -> tuple[Floats, Floats]:
        """Return the signed distances (mm) of world points (n, 3) to the bones above and below."""
        known = self.asked.get(get_ident())
        if known is None or known[0] is not points:
            told = (
                frozen(precise(self.above)(points), np.float64),
                frozen(precise(self.below)(points), np.float64),
            )
            known = self.asked[get_ident()] = points, told
        return known[1]

    def radius(self, angle: Floats, share: Floats) -> Floats:
        """Return the rim's radius (mm) at angles (radians); share is 0 at the upper, 1 at the lower rim."""
        return (1 - share) * _periodic(self.upper, angle) + share * _periodic(self.lower, angle)

    def beyond(self, points: Points, radius: Floats) -> Floats:
        """Return how far (mm) world points leave the space between the rims, through either end.

        ``radius`` (n,) is the share of the rim's radius, 0 at the centre: there a hollow endplate may
        be up to HOLLOW mm deep.
        """
        allowed = LIP + HOLLOW * np.maximum(1 - radius * radius, 0.0)
        local = self.frame.to_local(points)
        angle = np.arctan2(local[:, 1], local[:, 0])
        upper, lower = (_periodic(edge, angle) for edge in self.edges)
        return np.maximum(local[:, 2] - upper, lower - local[:, 2]) - allowed

    @property
    def area(self) -> float:
        """The mean of the two rims' areas, mm²."""
        return float(np.mean(self.upper**2 + self.lower**2) * np.pi / 2)

    @property
    def centroid(self) -> float:
        """How far (mm) the outline's centroid lies anterior of the frame's origin."""
        angle = np.arange(ANGLES) * 2 * np.pi / ANGLES
        both = (self.upper + self.lower) / 2
        return float(2 / 3 * np.sum(both**3 * np.sin(angle)) / np.sum(both**2))

    @property
    def depth(self) -> float:
        """The mean antero-posterior depth in the mid-plane, mm."""
        both = (self.upper + self.lower) / 2
        return float(both[ANGLES // 4] + both[3 * ANGLES // 4])


def precise(bone: LevelBone) -> Callable[[Points], Floats]:
    """Return a bone's distance: its own near the surface, the sampled one farther away."""
    if bone.exact is bone.grid:
        return bone.grid

    def distance(points: Points) -> Floats:
        values = np.asarray(bone.grid(points), dtype=np.float64)
        near = np.abs(values) < EXACT
        if near.any():
            values[near] = bone.distance(np.asarray(points)[near])
        return values

    return distance


def disc_space(disc: Disc, bones: Mapping[Level, LevelBone]) -> DiscSpace:
    """Find the space between two bones from their endplates and their own distances.

    Raises ValueError when a bone or one of its endplates is missing, or its rim is not found.
    """
    names = levels_of(disc)
    for level in names:
        if level not in bones:
            raise ValueError(f"disc {disc} needs the bones {names[0]} and {names[1]}; {level} is missing")
    return _space(disc, bones[names[0]], bones[names[1]])


@lru_cache(maxsize=64)
def _space(disc: Disc, above: LevelBone, below: LevelBone) -> DiscSpace:
    upper, lower = endplate(above, "inferior"), endplate(below, "superior")
    frame = middle(upper, lower)
    wide, narrow = _outline(above, upper, frame, 1.0), _outline(below, lower, frame, -1.0)
    rims = np.minimum(wide, narrow + OVERHANG), np.minimum(narrow, wide + OVERHANG)
    edges = _edge(above, frame, rims[0], 1.0), _edge(below, frame, rims[1], -1.0)
    return DiscSpace(disc, frame, above, below, *rims, edges)


def endplate(bone: LevelBone, which: str) -> Frame:
    """Return the world frame of a bone's ``superior`` or ``inferior`` endplate."""
    return landmark(bone, f"endplate.{which}")


def landmark(bone: LevelBone, feature: str) -> Frame:
    """Return a landmark of a bone in the world. Raises ValueError when the bone has none of that name."""
    try:
        return bone.landmarks[feature]
    except KeyError:
        raise ValueError(
            f"{bone.level}: the landmark '{feature}' is needed here; add it to the bone"
        ) from None


def middle(upper: Frame, lower: Frame) -> Frame:
    """Return the frame midway between two frames; z is the mean of theirs, y as anterior as theirs."""
    superior = upper.superior + lower.superior
    superior = superior / np.linalg.norm(superior)
    anterior = upper.anterior + lower.anterior
    anterior = anterior - (anterior @ superior) * superior
    anterior = anterior / np.linalg.norm(anterior)
    axes = np.stack([np.cross(anterior, superior), anterior, superior])
    return Frame((upper.origin + lower.origin) / 2, axes)


def _across(leaving: npt.NDArray[np.bool_], radii: Floats) -> Floats:
    """Return the radius (ANGLES,) at which bone is left on the other side of the midline, 0 where nowhere."""
    first = np.where(leaving.any(axis=1), radii[leaving.argmax(axis=1)], 0.0)
    return first[(ANGLES // 2 - np.arange(ANGLES)) % ANGLES]


def _outline(bone: LevelBone, plate: Frame, frame: Frame, inwards: float) -> Floats:
    """Return an endplate's rim as radii (ANGLES,) about the disc's frame."""
    angles = np.arange(ANGLES) * 2 * np.pi / ANGLES
    radii, asked = np.arange(NEAREST, FARTHEST, 0.25), precise(bone)
    local = np.empty((ANGLES, len(radii), 3))
    local[..., 0] = np.cos(angles)[:, None] * radii
    local[..., 1] = np.sin(angles)[:, None] * radii
    for depth in RIM_DEPTHS:
        local[..., 2] = inwards * depth
        values = asked(plate.to_parent(local.reshape(-1, 3))).reshape(local.shape[:2])
        leaving = (values[:, :-1] < 0) & (values[:, 1:] >= 0)
        met = np.flatnonzero(leaving.any(axis=1))
        if len(met) >= RIM_MET * ANGLES:
            break
    else:
        raise ValueError(f"{bone.level}: no rim was found around its endplate; check the endplate landmark")
    leaving &= radii[:-1] > HOLLOWED * _across(leaving, radii)[:, None]
    met = np.flatnonzero(leaving.any(axis=1))
    first = leaving[met].argmax(axis=1)
    before, after = values[met, first], values[met, first + 1]
    rim = radii[first] + 0.25 * before / (before - after)
    followed = _followed(angles[met], rim)
    met, rim = met[followed], rim[followed]
    edge = np.stack([np.cos(angles[met]) * rim, np.sin(angles[met]) * rim, np.zeros(len(met))], axis=1)
    flat = frame.to_local(plate.to_parent(edge))
    turned = np.unwrap(np.arctan2(flat[:, 1], flat[:, 0]))
    lengths = np.hypot(flat[:, 0], flat[:, 1])
    return _smooth(np.interp(angles, turned, lengths, period=2 * np.pi))


def _edge(bone: LevelBone, frame: Frame, rim: Floats, way: float) -> Floats:
    """Return how high (ANGLES,) in mm a bone stands at the edge of its rim, in the disc's frame."""
    angles = np.arange(ANGLES) * 2 * np.pi / ANGLES
    heights = way * np.arange(-EDGE_REACH, EDGE_REACH, 0.25)
    local = np.empty((ANGLES, len(heights), 3))
    local[..., 0] = (np.cos(angles) * rim * EDGE_SHARE)[:, None]
    local[..., 1] = (np.sin(angles) * rim * EDGE_SHARE)[:, None]
    local[..., 2] = heights
    values = precise(bone)(frame.to_parent(local.reshape(-1, 3))).reshape(local.shape[:2])
    nearest = np.abs(values).argmin(axis=1)
    entered = (values[:, :-1] > 0) & (values[:, 1:] <= 0)
    found = np.where(entered.any(axis=1), entered.argmax(axis=1), nearest)
    return _smooth(heights[found])


def _followed(angles: Floats, rim: Floats) -> npt.NDArray[np.bool_]:
    """Tell at which angles a rim (n,) is the endplate's own, not that of a process which stands on it."""
    waves = np.arange(1, WAVES + 1) * angles[:, None]
    basis = np.column_stack([np.ones_like(angles), np.cos(waves), np.sin(waves)])
    kept = rim < 1.5 * np.median(rim)
    for _ in range(ROUNDS):
        weights = np.where(kept, 1.0, 0.02)[:, None]
        fit = basis @ np.linalg.lstsq(weights * basis, weights[:, 0] * np.minimum(rim, 40.0), rcond=None)[0]
        kept = rim - fit < ASTRAY
    return kept


def _smooth(radii: Floats) -> Floats:
    """Keep the slow waves of an outline."""
    waves = np.fft.rfft(radii)
    waves[HARMONICS + 1 :] = 0
    return np.fft.irfft(waves, len(radii))


def _periodic(table: Floats, angle: Floats) -> Floats:
    """Interpolate a table around the circle."""
    place = np.asarray(angle) * (len(table) / (2 * np.pi))
    first = np.floor(place).astype(np.intp)
    share = place - first
    return (1 - share) * table[first % len(table)] + share * table[(first + 1) % len(table)]
