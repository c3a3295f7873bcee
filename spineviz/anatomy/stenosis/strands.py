"""Rootlets, with the roots that they run into, as they are felt in slices across the sac."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from spineviz import measures
from spineviz.anatomy.stenosis.packing import toward
from spineviz.anatomy.stenosis.room import STEP, Room
from spineviz.structure import Floats, Points, Surface

Mask = npt.NDArray[np.bool_]

NEAR = 1.2
"""What lies within so many mm of a slice tells how thick a rootlet is in it."""

FELT = 8.0
"""What lies farther (mm) from all slices has no part in how a tube runs in them."""

STILL = 0.05
"""What is pressed less far (mm) than this stays as it is."""

AHEAD = 1.5
"""So many slices ahead of a root's thick beginning its neighbours begin to give way."""

WITHIN, LEAVING, SHED, GONE = 0.25, 0.55, 0.85, 1.05
"""A root with less than the first part of it beyond the sac is in it; with the second it begins to go its own
way, with the third to take its own shape, and with the last it has left the sac."""


@dataclass(frozen=True, eq=False)
class Course:
    """A tube in slices: its middles (n, 2) and radii (n,), mm, and in which slices (n,) it is."""

    middle: Floats
    radius: Floats
    there: Mask

    def at(self, heights: Floats, wanted: Floats) -> tuple[Floats, Floats]:
        """Return the middles (k, 2) and the radii (k,) at wanted heights."""
        return at_heights(self.middle, heights, wanted), np.interp(wanted, heights, self.radius)


@dataclass(frozen=True, eq=False)
class Strands:
    """Strands (m) in the slices (n) of a room: a rootlet and the root that it runs into are one.

    ``rows`` tells which strand a structure belongs to, ``parts`` how it runs in health. ``places`` (m, n, 2)
    and ``radii`` (m, n) in mm; a radius is 0 where there is none. ``free`` (m, n) is 0 where a strand ends or
    has left the sac, and 1 away from there: so much it may move, and so much (``shaped``) it takes its cell's
    shape. ``out`` (m, n) is how much of it is beyond the sac, ``now`` (m, n, 2) where it comes to lie if it
    is merely pressed.
    """

    names: tuple[str, ...]
    rows: Mapping[str, int]
    parts: Mapping[str, Course]
    places: Floats
    radii: Floats
    free: Floats
    shaped: Floats
    out: Floats
    now: Floats


def felt(
    room: Room,
    sac: Floats,
    usual: Mapping[str, Surface],
    press: Callable[[Points], Points],
    degree: Floats,
) -> Strands | None:
    """Find everything within a sac, or on its way out of it, in each slice; None where nothing is.

    ``sac`` (n, k) is how far the sac reaches, ``usual`` what may lie in it in health, by name; ``press``
    tells where points go that are merely pressed; ``degree`` (n,) tells how narrow the sac is.
    """
    names: list[str] = []
    tables: list[tuple[Floats, ...]] = []
    rows: dict[str, int] = {}
    parts: dict[str, Course] = {}
    for name, members in _strands(usual).items():
        own = {part: _course_of(usual[part], room) for part in members}
        whole = _together(tuple(own.values()))
        found = _of_one(room, sac, whole, degree)
        if found is not None:
            given = [room.frame.to_local(press(usual[part].vertices)) for part in members]
            pressed = [_line(local, room.heights) for local in given]
            weights = np.array([part.radius**2 * part.there + 1e-9 for part in own.values()])
            now = (weights[..., None] * np.array(pressed)).sum(axis=0) / weights.sum(axis=0)[:, None]
            if np.abs(now - whole.middle).max() < STILL:
                found = found[0], 0.0 * found[1], 0.0 * found[2], found[3]
            rows |= dict.fromkeys(members, len(names))
            parts |= own
            names.append(name)
            tables.append((whole.middle, *found, now))
    if not names:
        return None
    return Strands(tuple(names), rows, parts, *(np.array(table) for table in zip(*tables, strict=True)))


@lru_cache(maxsize=256)
def _course_of(surface: Surface, room: Room) -> Course:
    """Return the course of a healthy tube in a room, remembered: another grade has it again."""
    return course(room.frame.to_local(surface.vertices.astype(np.float64)), room.heights)


def _strands(usual: Collection[str]) -> dict[str, list[str]]:
    """Return the structures of each strand: those of one nerve and side run into each other."""
    result: dict[str, list[str]] = {}
    for name in usual:
        stem, _, rest = name.partition(".")
        result.setdefault(rest or stem, []).append(name)
    return result


def _together(parts: tuple[Course, ...]) -> Course:
    """Return the course of parts that run into each other: that of the thicker one where both are."""
    weights = np.array([part.radius**4 * part.there + 1e-9 for part in parts])
    share = weights / weights.sum(axis=0)
    middle = (share[..., None] * np.array([part.middle for part in parts])).sum(axis=0)
    radius = np.max([part.radius * part.there for part in parts], axis=0)
    return Course(middle, np.maximum(radius, 0.05), np.any([part.there for part in parts], axis=0))


def _of_one(room: Room, sac: Floats, whole: Course, degree: Floats) -> tuple[Floats, ...] | None:
    """Return a strand's radii, how free it is and how shaped, and how far out; None if not within."""
    away = whole.middle - room.centre
    beyond = np.hypot(away[:, 0], away[:, 1]) + whole.radius - toward(sac[None], away[None])[0]
    out = beyond / (2.0 * whole.radius)
    here = _longest(whole.there & (out < GONE))
    if not (here & (degree > 0.0)).any():
        return None
    bound = _freedom(here, whole.there) * eased(degree / 0.05) * here
    free, shaped = (bound * eased((GONE - out) / (GONE - start)) for start in (LEAVING, SHED))
    past = np.clip((out - WITHIN) / (1.0 - WITHIN), 0.0, 1.0)
    ahead = np.maximum(whole.radius, ndimage.gaussian_filter1d(whole.radius, AHEAD, mode="nearest"))
    return np.where(here, ahead, 0.0), free, shaped, past


def course(local: Points, heights: Floats) -> Course:
    """Return the course of a thin tube with vertices (v, 3) in a frame whose z are the heights (n,)."""
    middle = _line(local, heights)
    near = np.abs(local[:, 2] - heights[:, None]) < NEAR
    count = near.sum(axis=1)
    offset = local[:, :2] - at_heights(middle, heights, local[:, 2])
    size = np.sqrt((near @ (offset**2).sum(axis=1)) / np.maximum(count, 1))
    there = (heights >= local[:, 2].min()) & (heights <= local[:, 2].max()) & (count > 0)
    return Course(middle, np.maximum(size, 0.05), there)


def _line(local: Points, heights: Floats) -> Floats:
    """Return where (n, 2) a thin tube with vertices (k, 3) runs at some heights."""
    result = np.empty((len(heights), 2))
    near = (local[:, 2] > heights[0] - FELT) & (local[:, 2] < heights[-1] + FELT)
    local = local[near] if near.sum() > 2 else local
    for row, height in enumerate(np.clip(heights, local[:, 2].min(), local[:, 2].max())):
        off = local[:, 2] - height
        weight = np.exp(-((off / 1.6) ** 2)) + 1e-9
        mean = weight @ local / weight.sum()
        away = local - mean
        slope = (weight * away[:, 2]) @ away[:, :2] / max(float((weight * away[:, 2]) @ away[:, 2]), 1e-6)
        result[row] = mean[:2] + (height - mean[2]) * slope
    return result


def _longest(here: Mask) -> Mask:
    """Return the longest run of what is true (n,)."""
    runs, count = ndimage.label(here)
    return np.asarray(runs == 1 + np.argmax(np.bincount(runs)[1:])) if count else here


def _freedom(here: Mask, there: Mask) -> Floats:
    """Return how free (n,) a strand is in slices where it is: not where it ends, in the cord or in a cut."""
    known = np.flatnonzero(here)
    rows = np.arange(len(here), dtype=np.float64)
    far = np.inf + 0.0 * rows
    first = rows - known[0] if known[0] > 0 and not there[known[0] - 1] else far
    last = known[-1] - rows if known[-1] < len(here) - 1 and not there[known[-1] + 1] else far
    way = np.minimum(first, last)
    return np.asarray(here * np.clip(way * STEP / measures.value("stenosis.rootlets.bound"), 0.0, 1.0))


def eased(share: Floats) -> Floats:
    """Return a share (0..1 after clipping) that begins and ends gently."""
    share = np.clip(share, 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share))


def at_heights(line: Floats, heights: Floats, wanted: Floats) -> Floats:
    """Return the places (k, 2) of a line (n, 2) at wanted heights (k,)."""
    return np.stack([np.interp(wanted, heights, line[:, axis]) for axis in (0, 1)], axis=1)
