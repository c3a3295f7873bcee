"""Deformity of the column: scoliosis by its Cobb angle, side, apex and rotation; kyphosis by its angle."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field as Limits
from pydantic import model_validator

from spineviz import measures
from spineviz.anatomy.column.deformation import Bend
from spineviz.anatomy.column.posture import range_of_motion
from spineviz.pathology.deforming import A, Deforming, require, with_entries
from spineviz.structure import Floats
from spineviz.terms import Disc, Side, column, discs_of, levels_of

# fmt: off
Apex = Literal[
    "T4", "T5", "T6", "T7", "T8", "T9", "T10", "T11", "T12", "L1", "L2", "L3",
]
"""The vertebrae that a curve can be farthest out at."""
# fmt: on


ENDS = 2
"""So many discs at either end of the column take no part in a curve: they bring it back."""


class Deformity(Deforming):
    """A curve of the column; an angle of 0 is a straight one.

    A ``scoliosis`` of some Cobb angle is convex to its ``side`` about the apex; its vertebrae turn into the
    convexity, and the column comes back to the middle above and below. A ``kyphosis`` adds its angle to the
    sagittal curve. Raises ValueError for what cannot be.
    """

    kind: Literal["deformity"] = "deformity"
    curve: Literal["scoliosis", "kyphosis"] = "scoliosis"
    cobb: float = Limits(default=35.0, ge=0.0, le=90.0, description="The angle, degrees.")
    side: Side = Limits("right", description="The side of the convexity of a scoliosis.")
    apex: Apex = Limits("T8", description="The vertebra farthest out.")
    rotation: float | None = Limits(
        default=None, ge=0.0, le=50.0, description="How far the apex is turned, degrees; usual if not told."
    )

    @model_validator(mode="after")
    def _possible(self) -> Deformity:
        most = float(measures.value("scoliosis.most"))
        if self.cobb > most:
            raise ValueError(f"a curve of {self.cobb:g} degrees is more than is shown here; up to {most:g}")
        return self

    @property
    def present(self) -> bool:
        """Whether there is a curve at all."""
        return self.cobb > 0.0

    @property
    def disc(self) -> Disc:
        """The disc above the apex."""
        return next(disc for disc in discs_of(column()) if levels_of(disc)[1] == self.apex)


def apply(deformity: Deformity, anatomy: A) -> A:
    """Return the anatomy with the curve; an angle of 0 returns the anatomy itself.

    Raises ValueError when the apex is not part of the anatomy, or a segment is bent already.
    """
    if not deformity.present:
        return anatomy
    require("bone", deformity.apex, anatomy.levels)
    return with_entries(anatomy, "bends", bends(deformity, discs_of(anatomy.levels)))


def bends(deformity: Deformity, discs: tuple[Disc, ...]) -> dict[Disc, Bend]:
    """Return how each of some discs, from above, is bent."""
    middle = next(index for index, disc in enumerate(discs) if levels_of(disc)[1] == deformity.apex)
    shape = measures.table("scoliosis")
    half = int(shape["discs"]) // 2
    inside = np.arange(max(middle - half, ENDS), min(middle + half + 2, len(discs) - ENDS))
    angle, weights = deformity.cobb, np.zeros(len(discs))
    place = (inside - middle - 0.5) / (half + 1.5)
    weights[inside] = np.cos(np.pi / 2 * place)
    weights /= weights.sum()
    if deformity.curve == "kyphosis":
        return {disc: Bend(forward=angle * w) for disc, w in zip(discs, weights, strict=True) if w}
    balance = int(shape["balance"])
    rest = np.zeros(len(discs))
    for rows in (
        np.arange(max(inside[0] - balance, 0), inside[0]),
        np.arange(inside[-1] + 1, min(inside[-1] + 1 + balance, len(discs))),
    ):
        rest[rows] = 0.5 / max(len(rows), 1)
    sign = 1.0 if deformity.side == "right" else -1.0
    aside = sign * angle * (rest - weights)
    most = shape["rotation"] * angle if deformity.rotation is None else deformity.rotation
    turn = sign * most * _turns(discs, middle, half + 2)
    return {
        disc: Bend(right=float(a), turned=float(t))
        for disc, a, t in zip(discs, aside, turn, strict=True)
        if abs(a) > 1e-9 or abs(t) > 1e-9
    }


def _turns(discs: tuple[Disc, ...], middle: int, reach: int) -> Floats:
    """Return what each disc adds to the turn, from above: the apex, below the middle disc, is turned by 1.

    Each takes the share that its range of rotation has among those on the same side of the apex.
    """
    ranges = np.array([range_of_motion(levels_of(disc), "rotation") for disc in discs])
    result = np.zeros(len(discs))
    above = np.arange(max(middle + 1 - reach, 0), middle + 1)
    below = np.arange(middle + 1, min(middle + 1 + reach, len(discs)))
    result[above] = -ranges[above] / ranges[above].sum()
    result[below] = ranges[below] / ranges[below].sum()
    return result
