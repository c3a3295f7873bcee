"""Fracture of a vertebra: compression graded after Genant, and the AO Spine types A0 to A4."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field as Limits
from pydantic import model_validator

from spineviz import measures
from spineviz.anatomy.column.deformation import Break, Collapse, Part
from spineviz.pathology.deforming import A, Deforming, require, with_entries
from spineviz.terms import Disc, Side, region_of

# fmt: off
FracturedLevel = Literal[
    "T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8", "T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5",
]
"""The vertebrae that can be fractured here."""
# fmt: on

Shape = Literal["wedge", "biconcave", "crush", "split", "burst", "process"]
Ao = Literal["A0", "A1", "A2", "A3", "A4"]

TYPES: Mapping[Shape, tuple[Ao, ...]] = {
    "wedge": ("A1",),
    "biconcave": ("A1", "A2"),
    "crush": ("A1", "A2"),
    "split": ("A2",),
    "burst": ("A3", "A4"),
    "process": ("A0",),
}
"""The AO Spine types that a fracture of some shape can be of."""

Genant = Literal[1, 2, 3]
BY_GENANT: dict[int, str] = {1: "mild", 2: "moderate", 3: "severe"}


class Fracture(Deforming):
    """A fractured vertebra; a loss of 0 %, or no process that stands ``apart``, is an intact one.

    ``wedge`` gives way in front, ``biconcave`` in the middle, ``crush`` as a whole; ``split`` parts the front
    of the body from the rest, in the frontal plane; ``burst`` breaks its posterior wall too, a fragment
    stands back into the canal and the pedicles come apart; a broken ``process`` leaves the body as it is. AO
    Spine types: A0 is a process, A1 takes one endplate, A2 both (split or pincer), A3 and A4 are bursts of
    one and of both. Raises ValueError for what cannot be.
    """

    kind: Literal["fracture"] = "fracture"
    level: FracturedLevel = Limits("L1", description="The vertebra.")
    shape: Shape = Limits("wedge", description="Where the body has lost height, or what has broken.")
    loss: float = Limits(
        default=33.0, ge=0.0, le=60.0, description="How much height it has lost where most, in percent."
    )
    genant: Genant | None = Limits(None, description="The grade, in place of a loss.")
    ao: Ao | None = Limits(None, description="The AO Spine type.")
    retropulsion: float | None = Limits(
        default=None, ge=0.0, le=12.0, description="How far (mm) the fragment of a burst stands back."
    )
    process: Literal["spinous", "transverse"] = Limits("spinous", description="Which process has broken.")
    side: Side = Limits("left", description="The side of a broken transverse process.")
    apart: float | None = Limits(
        default=None,
        ge=0.0,
        le=8.0,
        description="How far (mm) a broken process, or the front of a split body, stands from the rest.",
    )

    @model_validator(mode="after")
    def _possible(self) -> Fracture:
        known = TYPES[self.shape]
        if self.ao is not None and self.ao not in known:
            raise ValueError(f"a {self.shape} fracture is of type {' or '.join(known)}, not {self.ao}")
        if self.shape == "process":
            self._possible_process()
        elif self.apart is not None and self.shape != "split":
            raise ValueError(f"a {self.shape} fracture has no piece that stands apart; choose 'split'")
        if self.retropulsion and self.shape != "burst":
            raise ValueError(
                f"a {self.shape} fracture keeps its posterior wall: nothing stands back; choose 'burst'"
            )
        least = float(measures.value("fracture.crack.gap"))
        if self.apart is not None and 0.0 < self.apart < least:
            raise ValueError(
                f"a piece {self.apart:g} mm apart can not be told from the rest; from {least:g} mm on"
            )
        return self

    def _possible_process(self) -> None:
        if self.genant is not None or ("loss" in self.model_fields_set and self.loss > 0.0):
            raise ValueError("a broken process leaves the body its height; say no loss and no grade")
        if self.process == "transverse" and region_of(self.level) != "lumbar":
            raise ValueError(
                f"the transverse processes of {self.level} are held by its ribs; choose L1 to L5, or the "
                "spinous process"
            )

    @property
    def percent(self) -> float:
        """The loss of height in percent, by the grade where one is told."""
        if self.shape == "process":
            return 0.0
        if self.genant is None or self.loss == 0.0:
            return self.loss
        return float(measures.value(f"fracture.loss.{BY_GENANT[self.genant]}"))

    @property
    def present(self) -> bool:
        """Whether anything is broken."""
        if self.shape == "process":
            return self.loss > 0.0 and self.distance > 0.0
        return self.loss > 0.0

    @property
    def distance(self) -> float:
        """How far (mm) a piece stands from the rest; 0 where none has come off."""
        if self.shape not in ("split", "process"):
            return 0.0
        return float(measures.value("fracture.crack.apart")) if self.apart is None else self.apart

    @property
    def off(self) -> Break | None:
        """What has come off the vertebra: of a burst one, the fragment that stands back into the canal."""
        if self.shape == "burst":
            usual = measures.table(f"fracture.burst.{self.ao or 'A3'}")["retropulsion"]
            back = usual if self.retropulsion is None else self.retropulsion
            return Break(part="wall", apart=back) if back > 0.0 else None
        return Break(part=self.part, apart=self.distance) if self.distance > 0.0 else None

    @property
    def part(self) -> Part:
        """What has come off a split body or a broken process."""
        if self.shape != "process":
            return "body"
        return "spinous" if self.process == "spinous" else f"transverse.{self.side}"  # type: ignore[return-value]

    @property
    def disc(self) -> Disc:
        """The disc above the vertebra, beside which it is looked at."""
        number = int(self.level[1:])
        above = f"{self.level[0]}{number - 1}" if number > 1 else {"T": "C7", "L": "T12"}[self.level[0]]
        return f"{above}-{self.level}"  # type: ignore[return-value]

    @property
    def _ends(self) -> float:
        """What a body has lost at its walls where both endplates have given way: they are dished besides."""
        loss = self.percent / 100.0
        return max(loss - float(measures.value("fracture.dished")), 0.3 * loss)

    @property
    def collapse(self) -> Collapse:
        """How the body has collapsed."""
        loss = self.percent / 100.0
        both = self.ao in ("A2", "A4") or (self.shape == "biconcave" and self.ao is None)
        if self.shape == "wedge":
            return Collapse(front=loss, middle=0.5 * loss, both=both)
        if self.shape == "biconcave":
            return Collapse(middle=loss, both=both)
        if self.shape == "split":
            front = float(measures.value("fracture.crack.front"))
            return Collapse(front=front * loss, middle=loss, both=True)
        if self.shape == "crush":
            ends = self._ends if both else 0.85 * loss
            return Collapse(front=ends, middle=loss, back=ends, both=both)
        usual = measures.table(f"fracture.burst.{self.ao or 'A3'}")
        front, middle = (self._ends, loss) if both else (loss, 0.85 * loss)
        return Collapse(
            front=front,
            middle=middle,
            back=front * usual["back"] / usual["front"],
            both=both,
            widened=usual["widened"],
        )


def apply(fracture: Fracture, anatomy: A) -> A:
    """Return the anatomy with the fracture; a loss of 0 returns the anatomy itself.

    Raises ValueError when the vertebra is not part of the anatomy, or fractured already.
    """
    if not fracture.present:
        return anatomy
    require("bone", fracture.level, anatomy.levels)
    if fracture.off is not None:
        anatomy = with_entries(anatomy, "broken", {fracture.level: fracture.off})
    if fracture.shape == "process":
        return anatomy
    return with_entries(anatomy, "collapsed", {fracture.level: fracture.collapse})
