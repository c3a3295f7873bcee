"""What every way in from behind has in common: its sizes, the cut through the layers, the steps of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, get_args

from pydantic import Field, field_validator, model_validator

from spineviz.measures import table
from spineviz.model import Camera
from spineviz.spec import Spec
from spineviz.structure import Frame
from spineviz.surgery import phases, wound
from spineviz.surgery.actions import Amounts
from spineviz.surgery.site import Site
from spineviz.terms import UPPER_LUMBAR_DISCS, LumbarDisc, Side
from spineviz.timeline import Step

SAID = {
    "tube_diameter": "Inner diameter of the tube.",
    "sleeve_diameter": "Outer diameter of the working sleeve.",
    "flavum_opened": "The first opening in the ligamentum flavum; the sleeve needs its own width.",
    "incision_length": "Length of the skin incision.",
    "midline_offset": "Incision from the midline.",
    "wand_angle": "How far the tilted tube leans from the sagittal plane.",
    "lamina_removed": "Bone taken from the lamina's edge.",
    "facet_removed": "Bone taken from the medial facet.",
    "process_removed": "Bone taken at most from the superior articular process.",
    "root_retraction": "The root drawn medially.",
    "width": "How wide the trough in the lamina is.",
    "facet_share": "What share of each facet joint is taken from medial.",
}
"""What the sizes of approaches mean, in scene files and forms."""


def within(procedure: str, size: str, default: float) -> Any:
    """Return the field of a size in mm, degrees or shares, limited to its range in a procedure's measures."""
    low, high = table(f"procedures.{procedure}")[size]
    return Field(default, ge=low, le=high, description=SAID[size])


class PosteriorApproach(Spec):
    """What every approach from behind is told. Raises ValueError for discs above L1-L2.

    Sizes that nothing is said of have other defaults at the upper lumbar discs, where there are any in the
    measures.
    """

    disc: LumbarDisc = "L4-L5"
    side: Side = "left"
    incision_length: float

    upper: ClassVar[str] = ""
    """The table of the measures with the sizes at the upper lumbar discs, where they are others."""

    barred: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Lumbar discs at which the approach is not made, and why."""

    @model_validator(mode="before")
    @classmethod
    def _as_high_as_it_is(cls, told: Any) -> Any:
        """Fill in the sizes at an upper lumbar disc."""
        if not isinstance(told, Mapping) or told.get("disc") not in UPPER_LUMBAR_DISCS:
            return told
        return (table(f"procedures.upper_lumbar.{cls.upper}") if cls.upper else {}) | dict(told)

    @field_validator("disc", mode="before")
    @classmethod
    def _parted(cls, disc: object) -> object:
        """Tell at which discs an approach from behind may be made."""
        known = [one for one in get_args(cls.model_fields["disc"].annotation) if one not in cls.barred]
        if disc in cls.barred:
            raise ValueError(f"{disc}: {cls.barred[str(disc)]}; choose one of: {', '.join(known)}")
        if disc not in known:
            raise ValueError(
                f"{disc}: approaches from behind are made for lumbar discs alone; choose one of: "
                f"{', '.join(known)}"
            )
        return disc


@dataclass(frozen=True, eq=False)
class Access:
    """How the layers over the spine are cut, whatever opens the depth.

    ``incision`` in mm. ``closed`` are the amounts of tissue at rest, ``uncut`` those from which skin and
    fascia begin to gape, ``skin_cut`` and ``fascia_cut`` those after each cut. The lines are the knife's
    frames.
    """

    site: Site
    incision: float
    closed: Amounts
    uncut: tuple[Amounts, Amounts]
    skin_cut: Amounts
    fascia_cut: Amounts
    skin_line: tuple[Frame, Frame]
    fascia_line: tuple[Frame, Frame]


def layers_cut(access: Access, cameras: Mapping[str, Camera]) -> tuple[Step, Step, Step]:
    """Return the steps from the whole back to the cut fascia, for cameras posterior and operative."""
    site, over = access.site, cameras["operative"]
    skin, fascia = access.uncut
    return (
        wound.step(site, "orientation", cameras["posterior"], wound.set_out(site)),
        wound.step(
            site,
            "incision",
            over,
            phases.incised(site, access.skin_line, (skin, access.skin_cut)),
            parameters={"length": access.incision},
        ),
        wound.step(
            site,
            "fascia",
            over,
            phases.fascia_incised(site, access.fascia_line, (access.skin_cut, access.fascia_cut), fascia),
        ),
    )
