"""Strands of the cauda equina that lie beside each other: moved apart along their whole course."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from spineviz.anatomy.net import pushed
from spineviz.sdf.solid import Field
from spineviz.structure import Floats, Points
from spineviz.terms import Root

Strand = tuple[Points, Floats]
"""A line (n, 3) in the world, and its radii (n,), mm."""

ROUNDS = 12
"""Strands are moved apart at most so often."""

DENSE = 6
"""Between two points of its line a strand is looked at so often."""

GAP, OFF_WALL = 0.05, 0.1
"""What strands keep from each other, and from the sac's wall, mm."""

SOFT, STEEPEST = 2.5, 3.0
"""A shift is spread over so many points of a line, and raised again by no more than so many times."""

JOINING = 4
"""So many points at either end stay: they lie on the cord or in a cut, and on the strand's root."""


def parted(
    strands: Mapping[Root, Strand],
    roots: Mapping[Root, Strand],
    filum: Strand,
    sac: Field,
    sign: float,
    axis: Points,
) -> dict[Root, Strand]:
    """Return the strands of one side, that of ``sign``, lying beside each other within the sac.

    They give way to each other, to the filum and to the ``roots`` in the sac but for their own, and keep to
    their side of the sac's ``axis`` (n, 3).
    """
    middle = axis[np.argsort(axis[:, 2])]
    lines = {root: np.array(line) for root, (line, _) in strands.items()}
    still = {root: _dense(*strand) for root, strand in roots.items()} | {None: _dense(*filum)}
    for turn in range(ROUNDS):
        moving = {root: _dense(line, strands[root][1]) for root, line in lines.items()}
        most = 0.0
        for root, line in lines.items():
            inner, thick = line[JOINING:-JOINING], strands[root][1][JOINING:-JOINING]
            others = [(item, 0.5) for name, item in moving.items() if name != root]
            others += [(item, 1.0) for name, item in still.items() if name != root]
            shift = _away(inner, thick, others)
            aside = sign * (inner[:, 0] - np.interp(inner[:, 2], middle[:, 2], middle[:, 0]))
            shift[:, 0] += sign * np.maximum(thick + GAP / 2 - aside, 0.0)
            most = max(most, float(np.abs(shift).max(initial=0.0)))
            shift = _eased(shift)
            inner += shift
            moved = np.flatnonzero(shift.any(axis=1) | (turn == 0))
            inner[moved] = pushed(inner[moved], lambda points: -sac(points), thick[moved] + OFF_WALL)
        if most < GAP:
            break
    return {root: (line, strands[root][1]) for root, line in lines.items()}


def _dense(line: Points, radii: Floats) -> tuple[cKDTree, Floats]:
    """Return closely spaced places of a strand, and its radii there."""
    index = np.arange(0.0, len(line) - 1 + 1e-6, 1.0 / DENSE)
    whole = np.arange(len(line))
    places = np.stack([np.interp(index, whole, line[:, k]) for k in range(3)], axis=1)
    return cKDTree(places), np.interp(index, whole, radii[: len(line)])


def _away(points: Points, radii: Floats, others: list[tuple[tuple[cKDTree, Floats], float]]) -> Points:
    """Return by how much (n, 3) points of a strand move out of others, each of which leaves them a share."""
    result = np.zeros((len(points), 3))
    for (tree, thick), share in others:
        way, nearest = tree.query(points, distance_upper_bound=3.0)
        met = np.flatnonzero(np.isfinite(way))
        lack = radii[met] + thick[nearest[met]] + GAP - way[met]
        met, lack = met[lack > 0.0], lack[lack > 0.0]
        offset = points[met] - tree.data[nearest[met]]
        result[met] += share * (lack / np.maximum(way[met], 1e-3))[:, None] * offset
    return result


def _eased(shift: Points) -> Points:
    """Return a shift (n, 3) along a line that begins and ends softly, as large at its greatest."""
    soft = ndimage.gaussian_filter1d(shift, SOFT, axis=0, mode="nearest")
    soft[np.abs(soft) < 1e-3] = 0.0
    most = ndimage.maximum_filter1d(np.abs(shift), int(4 * SOFT), axis=0)
    reached = ndimage.maximum_filter1d(np.abs(soft), int(4 * SOFT), axis=0)
    return np.asarray(soft * np.minimum(most / np.maximum(reached, 1e-6), STEEPEST))
