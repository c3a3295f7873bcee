"""Fracture of a vertebral body: compression graded after Genant, bursts of the AO Spine types A3 and A4."""

from __future__ import annotations

from typing import Literal

from pydantic import Field as Limits
from pydantic import model_validator

from spineviz import measures
from spineviz.anatomy.column.deformation import Collapse
from spineviz.pathology.deforming import A, Deforming, require, with_entries
from spineviz.terms import Disc, Side

# fmt: off
FracturedLevel = Literal[
    "T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8", "T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5",
]
"""The vertebrae that can be fractured here."""
# fmt: on

Genant = Literal[1, 2, 3]
BY_GENANT: dict[int, str] = {1: "mild", 2: "moderate", 3: "severe"}


class Fracture(Deforming):
    """A fractured vertebral body; a loss of 0 % is an intact one.

    ``wedge`` gives way in front, ``biconcave`` in the middle, ``crush`` as a whole; ``burst`` breaks its
    posterior wall too, a fragment stands back into the canal and the pedicles come apart. AO Spine types: A1
    is a wedge or crush of one endplate, A2 takes both, A3 and A4 are bursts of one and of both.
    Raises ValueError for what cannot be.
    """

    kind: Literal["fracture"] = "fracture"
    level: FracturedLevel = Limits("L1", description="The vertebra.")
    shape: Literal["wedge", "biconcave", "crush", "burst"] = Limits(
        "wedge", description="Where the body has lost height."
    )
    loss: float = Limits(
        default=33.0, ge=0.0, le=60.0, description="How much height it has lost where most, in percent."
    )
    genant: Genant | None = Limits(None, description="The grade, in place of a loss.")
    ao: Literal["A1", "A2", "A3", "A4"] | None = Limits(None, description="The AO Spine type.")
    retropulsion: float | None = Limits(
        default=None, ge=0.0, le=12.0, description="How far (mm) the fragment of a burst stands back."
    )

    @model_validator(mode="after")
    def _possible(self) -> Fracture:
        burst = self.ao in ("A3", "A4")
        if self.ao is not None and burst != (self.shape == "burst"):
            other = "A3 or A4" if self.shape == "burst" else "A1 or A2"
            raise ValueError(f"a {self.shape} fracture is of type {other}, not {self.ao}")
        if self.retropulsion and self.shape != "burst":
            raise ValueError(
                f"a {self.shape} fracture keeps its posterior wall: nothing stands back; choose 'burst'"
            )
        return self

    @property
    def percent(self) -> float:
        """The loss of height in percent, by the grade where one is told."""
        if self.genant is None or self.loss == 0.0:
            return self.loss
        return float(measures.value(f"fracture.loss.{BY_GENANT[self.genant]}"))

    @property
    def present(self) -> bool:
        """Whether anything is broken."""
        return self.loss > 0.0

    @property
    def disc(self) -> Disc:
        """The disc above the vertebra, beside which it is looked at."""
        number = int(self.level[1:])
        above = f"{self.level[0]}{number - 1}" if number > 1 else {"T": "C7", "L": "T12"}[self.level[0]]
        return f"{above}-{self.level}"  # type: ignore[return-value]

    @property
    def side(self) -> Side:
        """The side it is looked at from: both are alike."""
        return "left"

    @property
    def collapse(self) -> Collapse:
        """How the body has collapsed."""
        loss = self.percent / 100.0
        both = self.ao in ("A2", "A4") or self.shape == "biconcave"
        if self.shape == "wedge":
            return Collapse(front=loss, middle=0.5 * loss, both=both)
        if self.shape == "biconcave":
            return Collapse(middle=loss, both=True)
        if self.shape == "crush":
            return Collapse(front=0.85 * loss, middle=loss, back=0.85 * loss, both=both)
        usual = measures.table(f"fracture.burst.{self.ao or 'A3'}")
        back = self.retropulsion if self.retropulsion is not None else usual["retropulsion"]
        return Collapse(
            front=loss,
            middle=0.85 * loss,
            back=loss * usual["back"] / usual["front"],
            both=both,
            retropulsion=back,
            widened=usual["widened"],
        )


def apply(fracture: Fracture, anatomy: A) -> A:
    """Return the anatomy with the fracture; a loss of 0 returns the anatomy itself.

    Raises ValueError when the vertebra is not part of the anatomy, or fractured already.
    """
    if not fracture.present:
        return anatomy
    require("bone", fracture.level, anatomy.levels)
    return with_entries(anatomy, "collapsed", {fracture.level: fracture.collapse})
