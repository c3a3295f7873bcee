"""Degeneration of a disc, graded after Pfirrmann, with what it does to the bones beside it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field as Limits

from spineviz import measures
from spineviz.anatomy.column.deformation import Wear
from spineviz.pathology.deforming import A, Deforming, require, with_entries
from spineviz.terms import HerniatedDisc, Side, discs_of

Pfirrmann = Literal["I", "II", "III", "IV", "V"]


class Degeneration(Deforming):
    """A worn disc; grade I without anything else is a healthy one.

    It loses height, and what stands on it sinks; its nucleus darkens as on a T2-weighted image; at grade V a
    cleft of gas opens in it. What is not told is usual for the grade.
    """

    kind: Literal["degeneration"] = "degeneration"
    disc: HerniatedDisc = Limits("L4-L5", description="The disc, by the vertebrae above and below it.")
    pfirrmann: Pfirrmann = Limits("IV", description="The grade, Pfirrmann et al., Spine 2001;26:1873.")
    height: float | None = Limits(
        default=None, ge=30.0, le=100.0, description="What is left of its height, in percent."
    )
    osteophytes: float | None = Limits(
        default=None, ge=0.0, le=8.0, description="How far (mm) the rims of the bones beside it have grown."
    )
    modic: Literal[0, 1, 2, 3] = Limits(
        0, description="Change of the marrow beside it: 1 oedema, 2 fat, 3 sclerosis (Modic 1988)."
    )

    @property
    def wear(self) -> Wear:
        """How worn the disc is."""
        usual = measures.table(f"degeneration.{self.pfirrmann}")
        return Wear(
            height=usual["height"] if self.height is None else self.height / 100.0,
            signal=usual["signal"],
            vacuum=self.pfirrmann == "V",
            osteophytes=usual["osteophytes"] if self.osteophytes is None else self.osteophytes,
            modic=self.modic,
        )

    @property
    def present(self) -> bool:
        """Whether anything is worn at all."""
        return self.wear != Wear()

    @property
    def side(self) -> Side:
        """The side it is looked at from: both are alike."""
        return "left"


def apply(degeneration: Degeneration, anatomy: A) -> A:
    """Return the anatomy with the worn disc; one that is healthy returns the anatomy itself.

    Raises ValueError when the disc is not part of the anatomy, or worn already.
    """
    if not degeneration.present:
        return anatomy
    require("disc", degeneration.disc, discs_of(anatomy.levels))
    return with_entries(anatomy, "worn", {degeneration.disc: degeneration.wear})
