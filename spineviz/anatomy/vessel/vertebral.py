"""The vertebral arteries: up before C7, through the transverse foramina from C6 on, and over the atlas."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from spineviz import measures
from spineviz.anatomy.disc.space import landmark
from spineviz.anatomy.net import mirrored, pipe, rings_around
from spineviz.anatomy.surroundings import Spine, Surroundings
from spineviz.anatomy.vessel.course import clear, through
from spineviz.structure import Points, Structure, Surface
from spineviz.terms import SIGN, Level, Side

FORAMINA: tuple[Level, ...] = ("C6", "C5", "C4", "C3", "C2", "C1")
"""The levels whose transverse foramina the artery passes, from below."""


TURNS, ASIDE, RELUCTANT = 16, np.arange(0.2, 1.7, 0.2), 0.2
"""Where an artery is squeezed, more room is looked for in so many directions and so far aside (mm); a place
is taken where it gives more than this share of the way there."""


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
    line = _freest(line, around, shape["thinnest"] / 2 + shape["gap"])
    room = around.distance(line) - shape["gap"] / 2
    radii = np.clip(np.minimum(radii, room), shape["thinnest"] / 2, radius)
    narrowed = ndimage.gaussian_filter1d(ndimage.minimum_filter1d(radii, 13), 3.0, mode="nearest")
    radii = np.minimum(radii, narrowed)
    made = pipe(rings_around(line, radii, int(shape["sides"])))
    return Structure(f"vertebral_artery.{side}", "artery", made, side)


def _freest(line: Points, around: Surroundings, wanted: float) -> Points:
    """Return a line (n, 3) moved aside, where less room (mm) than wanted is left, to where there is most."""
    low = np.flatnonzero(around.distance(line) < wanted)
    if not len(low):
        return line
    ring = rings_around(line, np.ones(len(line)), TURNS)[low] - line[low, None]
    ways = np.concatenate([np.zeros((len(low), 1, 3)), *(step * ring for step in ASIDE)], axis=1)
    places = line[low, None] + ways
    room = around.distance(places.reshape(-1, 3)).reshape(places.shape[:2])
    best = (room - RELUCTANT * np.linalg.norm(ways, axis=2)).argmax(axis=1)
    shift = np.zeros_like(line)
    shift[low] = ways[np.arange(len(low)), best]
    return np.asarray(line + ndimage.gaussian_filter1d(shift, 1.0, axis=0, mode="nearest"))


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
