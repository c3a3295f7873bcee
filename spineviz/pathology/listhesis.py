"""Spondylolisthesis: a vertebra that has slipped forwards, graded after Meyerding; two of Wiltse's types."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field as Limits
from pydantic import model_validator

from spineviz import measures
from spineviz.anatomy.column.deformation import Slip, Wear
from spineviz.pathology.deforming import A, Deforming, require, with_entries
from spineviz.terms import Disc, Side, discs_of, levels_of

SlippedDisc = Literal["L1-L2", "L2-L3", "L3-L4", "L4-L5", "L5-S1"]
Meyerding = Literal["I", "II", "III", "IV", "V"]
HIGH: tuple[Meyerding, ...] = ("III", "IV", "V")
"""The grades that a slip with an intact arch does not reach."""


class Listhesis(Deforming):
    """A slipped lumbar vertebra; a slip of 0 is a healthy one.

    ``isthmic``: both partes interarticulares are cleft, the posterior arch stays behind. ``degenerative``:
    the arch is intact and slips too, the facet joints wear, the canal narrows. The slip is told in percent
    of the depth of the endplate below (Taillard), by the grade, or in mm: so far then goes the posterior
    corner of this body's own vertebra. Raises ValueError for what cannot be.
    """

    kind: Literal["listhesis"] = "listhesis"
    disc: SlippedDisc = Limits("L5-S1", description="The disc over which the vertebra above it has slipped.")
    type: Literal["isthmic", "degenerative"] = Limits(
        "isthmic", description="With a defect of the pars, or with an intact arch and worn facets."
    )
    slip: float = Limits(
        default=20.0,
        ge=0.0,
        le=120.0,
        description="How far it has slipped, in percent of the endplate below.",
    )
    meyerding: Meyerding | None = Limits(None, description="The grade, in place of a slip.")
    mm: float | None = Limits(None, gt=0.0, description="The slip in mm, in place of percents.")

    @model_validator(mode="after")
    def _possible(self) -> Listhesis:
        if self.mm is not None and (self.meyerding is not None or "slip" in self.model_fields_set):
            raise ValueError("a slip is told in mm, in percent or by its grade; say one of them")
        furthest = float(measures.value("listhesis.furthest"))
        if self.mm is not None and self.percent > furthest:
            raise ValueError(
                f"a slip of {self.mm:g} mm is {self.percent:.0f} % of the endplate below; here it is no more "
                f"than {furthest:g} %, {furthest / 100.0 * usual_depth(self.disc):.0f} mm"
            )
        most = float(measures.value("listhesis.degenerative.most"))
        if self.type == "degenerative" and (self.meyerding in HIGH or self.percent > most):
            raise ValueError(
                f"a degenerative slip, whose arch is intact, is no more than {most:g} %, Meyerding I or II; "
                "choose a smaller one, or type 'isthmic'"
            )
        return self

    @property
    def percent(self) -> float:
        """The slip in percent of the endplate below, by the grade where one is told.

        One in mm is so many percent of the usual endplate.
        """
        if self.mm is not None:
            return 100.0 * self.mm / usual_depth(self.disc)
        if self.meyerding is None or self.slip == 0.0:
            return self.slip
        return float(measures.value(f"listhesis.{self.type}.{self.meyerding}"))

    @property
    def present(self) -> bool:
        """Whether there is a slip at all."""
        return self.slip > 0.0

    @property
    def side(self) -> Side:
        """The side it is looked at from: both are alike."""
        return "left"


def usual_depth(disc: Disc) -> float:
    """Return the usual depth (mm) of the endplate below a lumbar disc."""
    below = levels_of(disc)[1]
    if below == "S1":
        return float(measures.value("calipers.sacrum.endplate_depth.usual"))
    return float(measures.value(f"calipers.recommended.{below}.endplate_depth_superior"))


def apply(listhesis: Listhesis, anatomy: A) -> A:
    """Return the anatomy with the slip; a slip of 0 returns the anatomy itself.

    Raises ValueError when the disc is not part of the anatomy, or slips already.
    """
    if not listhesis.present:
        return anatomy
    require("disc", listhesis.disc, discs_of(anatomy.levels))
    shape = measures.table(f"listhesis.{listhesis.type}")

    def at(name: str) -> float:
        return float(np.interp(listhesis.percent, shape["slips"], shape[name]))

    slip = Slip.usual(listhesis.percent / 100.0, listhesis.type == "isthmic", listhesis.mm)
    slipped = with_entries(anatomy, "slips", {listhesis.disc: slip})
    if listhesis.disc in anatomy.deformation.worn:
        return slipped
    wear = Wear(height=at("height"), signal=at("signal"))
    return with_entries(slipped, "worn", {listhesis.disc: wear})
