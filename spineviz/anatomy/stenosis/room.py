"""The room around nerves: in slices across them, how far in every direction the nerve and the walls reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from spineviz.anatomy.surroundings import Surroundings
from spineviz.structure import Floats, Frame, Points, Surface

ANGLES = 72
"""In so many directions a slice is felt."""

STEP = 1.0
"""Slices lie so far (mm) from each other."""

REACH = 22.0
"""No wall is looked for farther away than this, mm."""

THICK = 5.0
"""Where no bone lies behind a wall of soft tissue, it gives way so deep (mm)."""

TURN = np.arange(ANGLES) * 2 * np.pi / ANGLES
"""The directions, from x (right) over y (anterior), radians."""


@dataclass(frozen=True, eq=False)
class Room:
    """Slices across nerves, in ``frame``: z along them, x and y in the slices, mm.

    ``heights`` (n,) are the z of the slices, ``centre`` (n, 2) where directions start. ``core`` (n, k) is how
    far the nerve reaches in each direction, ``wall`` how far it is to the nearest tissue that bounds the
    room, ``hard`` how far to bone; core < wall <= hard.
    """

    frame: Frame
    heights: Floats
    centre: Floats
    core: Floats
    wall: Floats
    hard: Floats

    def polar(self, points: Points) -> tuple[Floats, Floats, Floats]:
        """Return world points (n, 3) as ways from the centre, directions, and z."""
        local = self.frame.to_local(points)
        away = local[:, :2] - self.middle(local[:, 2])
        return np.hypot(away[:, 0], away[:, 1]), np.arctan2(away[:, 1], away[:, 0]), local[:, 2]

    def middle(self, heights: Floats) -> Floats:
        """Return the centres (n, 2) at some heights."""
        return np.stack([np.interp(heights, self.heights, self.centre[:, axis]) for axis in (0, 1)], axis=-1)

    def world(self, way: Floats, angle: Floats, height: Floats) -> Points:
        """Return the world points of ways from the centre, directions and z."""
        flat = self.middle(height) + way[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return self.frame.to_parent(np.column_stack([flat, height]))

    def at(self, table: Floats, angle: Floats, height: Floats) -> Floats:
        """Return a table (n, k) of this room between its slices and directions."""
        rows = (height - self.heights[0]) / STEP
        columns = (np.asarray(angle) / (2 * np.pi) * ANGLES) % ANGLES
        closed = np.concatenate([table, table[:, :1]], axis=1)
        return np.asarray(ndimage.map_coordinates(closed, np.stack([rows, columns]), order=1, mode="nearest"))


def room(
    frame: Frame,
    centre: Floats,
    heights: Floats,
    core: Surface,
    soft: Sequence[Surface],
    bones: Sequence[Surface],
) -> Room:
    """Feel the room around a nerve; ``centre`` (n, 2) lies inside of it at ``heights`` (n,) of a frame."""
    ways = np.stack([np.cos(TURN), np.sin(TURN), 0 * TURN], axis=1) @ frame.axes
    starts = frame.to_parent(np.column_stack([centre, heights]))
    shape = (len(heights), ANGLES)
    points = np.repeat(starts, ANGLES, axis=0)
    along = np.tile(ways, (len(heights), 1))

    def felt(surfaces: Sequence[Surface]) -> Floats:
        things = Surroundings(()).and_also(surfaces)
        return things.ahead(points, along, REACH).reshape(shape)

    inner = _filled(felt([core]), 1.0)
    inner = np.minimum(inner, _even(ndimage.grey_opening(inner, size=(3, 7), mode="wrap"), 1.0) + 0.5)
    hard = np.minimum(felt(bones), REACH)
    wall = np.minimum(np.minimum(felt(soft), hard), REACH)
    wall = np.maximum(_even(ndimage.grey_erosion(wall, size=(1, 3), mode="wrap"), 0.8), inner + 0.1)
    hard = np.where(hard < REACH, hard, np.minimum(wall + THICK, REACH))
    return Room(frame, heights, centre, inner, wall, np.maximum(_even(hard, 0.8), wall))


def _filled(table: Floats, least: float) -> Floats:
    """Return a table (n, k) in which slices that miss something take what their neighbours have."""
    known = np.flatnonzero(np.isfinite(table).all(axis=1))
    if not len(known):
        return np.where(np.isfinite(table), table, least)
    rows = np.arange(len(table))
    return table[known[np.abs(rows[:, None] - known[None]).argmin(axis=1)]]


def _even(table: Floats, slices: float) -> Floats:
    """Return a table (n, k) smoothed over slices and directions."""
    result = ndimage.gaussian_filter1d(table, slices, axis=0, mode="nearest")
    return np.asarray(ndimage.gaussian_filter1d(result, 1.0, axis=1, mode="wrap"))
