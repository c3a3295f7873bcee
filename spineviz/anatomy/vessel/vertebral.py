"""The vertebral arteries: up before C7, through the transverse foramina from C6 on, and over the atlas."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from spineviz import measures
from spineviz.anatomy.disc.space import landmark
from spineviz.anatomy.net import mirrored, pipe, rings_around, uphill
from spineviz.anatomy.relaxed_line import curve, resampled
from spineviz.anatomy.surroundings import Spine, Surroundings
from spineviz.anatomy.vessel.course import clear, through
from spineviz.structure import Points, Structure, Surface
from spineviz.terms import SIGN, Level, Side

FORAMINA: tuple[Level, ...] = ("C6", "C5", "C4", "C3", "C2", "C1")
"""The levels whose transverse foramina the artery passes, from below."""

ROUNDS, STIFF, SPREAD, EASY = 20, 1.0, 0.7, 0.1
"""An artery is by turns straightened, this stiffly, and moved to where it has room: at once to where its
thinnest has it, and by such a share of the way to where its whole width has it. What moves a place of its
line moves those within about so many samples beside it too."""

SPARE = 0.1
"""What is wanted around the thinnest artery, mm."""


def vertebral_arteries(spine: Spine, others: Sequence[Surface] = ()) -> list[Structure]:
    """Return ``vertebral_artery.<side>`` in the world, mm, of the foramina that are there; none without two.

    It gets thinner where a foramen is narrow. Raises ValueError where a landmark is missing.
    """
    levels = [level for level in FORAMINA if level in spine.bones]
    if len(levels) < 2:
        return []
    right = _artery("right", levels, spine, others)
    if spine.symmetric("C7", *levels):
        return [right, mirrored(right, "vertebral_artery.left")]
    return [right, _artery("left", levels, spine, others)]


def _artery(side: Side, levels: Sequence[Level], spine: Spine, others: Sequence[Surface]) -> Structure:
    """Return the artery of one side through the foramina of some levels, from below."""
    shape = measures.table("vertebral_artery")
    knots: list[Points] = []
    if "C7" in spine.bones and levels[0] == "C6":
        knots += _before_c7(spine, side)
    for level in levels:
        frame = landmark(spine.bones[level], f"foramen.transverse.{side}")
        knots += [frame.origin - 2.5 * frame.superior, frame.origin + 2.5 * frame.superior]
    if levels[-1] == "C1":
        knots += _over_the_arch(spine, side)
    line = through(np.array(knots), shape["stride"])
    around = spine.column.among(line).and_also(others)
    radius = shape["diameter"] / 2
    radii = np.full(len(line), radius)
    line = ndimage.gaussian_filter1d(line, shape["bend"], axis=0, mode="nearest")
    line = clear(line, shape["slack"] * radii, around, shape["gap"], shape["even"], 30)
    line = ndimage.gaussian_filter1d(line, shape["last_even"], axis=0, mode="nearest")
    line = _eased(line, around, shape["thinnest"] / 2 + SPARE, radius + shape["gap"])
    room = around.distance(line) - shape["gap"] / 2
    radii = np.clip(np.minimum(radii, room), shape["thinnest"] / 2, radius)
    narrowed = ndimage.gaussian_filter1d(ndimage.minimum_filter1d(radii, 13), 3.0, mode="nearest")
    radii = np.minimum(radii, narrowed)
    made = pipe(rings_around(line, radii, int(shape["sides"])))
    return Structure(f"vertebral_artery.{side}", "artery", made, side)


def _eased(line: Points, around: Surroundings, least: float, whole: float) -> Points:
    """Return a line (n, 3) that bends evenly and keeps the least room (mm) or nearly so, and more at ease."""
    second = np.diff(np.eye(len(line)), 2, axis=0)
    even = np.linalg.inv(np.eye(len(line)) + STIFF * second.T @ second)
    current, free = line, around.among(line)
    for _ in range(ROUNDS):
        current = even @ current
        current[[0, -1]] = line[[0, -1]]
        room = free.distance(current)
        lack = np.maximum(least - room, 0.0) + EASY * np.clip(whole - room, 0.0, whole - least)
        low = np.flatnonzero(lack > 0.01)
        shift = np.zeros_like(line)
        if len(low):
            shift[low] = lack[low, None] * uphill(free.distance, current[low])
        current = current + ndimage.gaussian_filter1d(shift, SPREAD, axis=0, mode="nearest")
    return resampled(curve(even @ current), len(line))


def _before_c7(spine: Spine, side: Side) -> list[Points]:
    """Return the places (3,) before the transverse process of C7, from below."""
    bone = spine.bones["C7"]
    entry = landmark(spine.bones["C6"], f"foramen.transverse.{side}")
    own = landmark(bone, f"foramen.transverse.{side}")
    front = own.origin + 9.0 * bone.frame.anterior - 1.0 * SIGN[side] * bone.frame.right
    below = front - 14.0 * bone.frame.superior + 3.0 * bone.frame.anterior
    return [below, front, entry.origin - 6.0 * entry.superior + 1.5 * bone.frame.anterior]


def _over_the_arch(spine: Spine, side: Side) -> list[Points]:
    """Return the places (3,) from above the atlas's foramen backwards, over its arch, and to the midline."""
    atlas = spine.bones["C1"]
    right, anterior, up = SIGN[side] * atlas.frame.right, atlas.frame.anterior, atlas.frame.superior
    foramen = landmark(atlas, f"foramen.transverse.{side}").origin
    facet = landmark(atlas, f"facet.superior.{side}").origin
    arch = landmark(atlas, f"lamina.{side}").origin
    base = landmark(atlas, "spinous.base").origin
    canal = landmark(atlas, "canal").origin
    bend = foramen + 8.0 * up - 2.5 * anterior + 0.5 * right
    behind = foramen + 8.0 * up - 6.5 * anterior - 1.5 * right
    groove = (foramen + arch) / 2
    groove = groove + (foramen + 6.0 * up - groove) @ up * up - 1.5 * right
    inner = canal + 9.0 * right + ((base - canal) @ up + 6.0) * up - 6.0 * anterior
    end = canal + 5.0 * right + ((facet - canal) @ up + 12.0) * up + 1.0 * anterior
    return [foramen + 5.0 * up, bend, behind, groove, inner, end]
