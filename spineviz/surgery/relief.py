"""Nerves that fill out again where bone and ligament no longer press on them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spineviz.anatomy.recipe import Body
from spineviz.anatomy.stenosis.crowding import HEALTHY
from spineviz.measures import table
from spineviz.sdf import Field
from spineviz.structure import Floats, Points, Surface, Warp, frozen
from spineviz.surgery.charts import chart
from spineviz.surgery.site import Site

CELL = 0.6
"""Spacing (mm) of the grid that tells nerves what is left around them."""

SHARES = np.linspace(0.0, 1.0, 13)
"""At which shares of its way back to health a place of a nerve is looked at."""

STILL = 0.02
"""What has been moved by less than this (mm) has not been narrowed."""


@dataclass(frozen=True, eq=False)
class Relief:
    """The movement of a nerve that is freed; its amount goes from 0, narrowed, to 1.

    ``rest`` (n, 3) is where it is narrowed and ``way`` (n, 3) how far each vertex moves, mm.
    """

    rest: Points
    way: Points

    def __call__(self, amounts: tuple[float, ...]) -> Points:
        """Return the vertices (n, 3), mm; 0 gives the narrowed shape. Raises ValueError beyond 1."""
        if len(amounts) != 1 or not 0.0 <= amounts[0] <= 1.0:
            raise ValueError(f"a nerve is freed by one amount from 0 to 1, not by {amounts}")
        return np.asarray(self.rest + amounts[0] * self.way)


def relief_warp(site: Site) -> str:
    """Return the name of the warp by which nerves are freed in an approach."""
    return f"{site.approach}.relief"


def reliefs(site: Site, body: Body, left: Iterable[Surface]) -> dict[tuple[str, str], Warp]:
    """Return how nerves that are narrowed at a site fill out, past the surfaces that are ``left`` there.

    Each vertex goes back towards where it is in health, as far as it stays off what is left: the bulging disc
    in front keeps its part of the room.
    """
    size = table("procedures.relief")
    names = [name for name, item in sorted(body.structures.items()) if HEALTHY in item.variants]
    if not names:
        return {}
    lower, upper = site.box(-size["deep"], size["high"], size["across"])
    around = chart(left, lower, upper, CELL)
    result: dict[tuple[str, str], Warp] = {}
    for name in names:
        item = body.structures[name]
        rest = np.asarray(item.surface.vertices, dtype=np.float64)
        way = np.asarray(item.variants[HEALTHY].vertices, dtype=np.float64) - rest
        share = _shares(rest, way, around, item.surface.faces, size["gap"], int(size["rounds"]))
        result[name, relief_warp(site)] = Relief(
            frozen(rest, np.float64), frozen(share[:, None] * way, np.float64)
        )
    return result


def _shares(
    rest: Points, way: Points, around: Field, faces: npt.NDArray[np.integer], gap: float, rounds: int
) -> Floats:
    """Return how far (n,), 0 to 1, vertices can go on their way while they keep a gap (mm) from all around.

    What is nearer at rest may stay so near. Neighbours go about equally far.
    """
    moving = np.flatnonzero(np.linalg.norm(way, axis=1) > STILL)
    allowed = np.ones(len(rest))
    if not len(moving):
        return allowed
    places = rest[moving] + SHARES[:, None, None] * way[moving]
    off = around(places.reshape(-1, 3)).reshape(len(SHARES), -1)
    free = np.logical_and.accumulate(off >= np.minimum(gap, off[0] - 1e-6), axis=0)
    allowed[moving] = SHARES[free.sum(axis=0) - 1]
    edges = np.vstack([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    first, second = np.concatenate([edges, edges[:, ::-1]]).T
    count = np.maximum(np.bincount(first, minlength=len(rest)), 1)
    even = allowed
    for _ in range(rounds):
        mean = np.bincount(first, weights=even[second], minlength=len(rest)) / count
        even = np.minimum(mean, allowed)
    return even
