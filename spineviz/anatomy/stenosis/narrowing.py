"""How a segment is narrowed: plain parameters, which geometry is made from."""

from __future__ import annotations

from typing import Literal

from pydantic import Field as Limits
from pydantic import model_validator

from spineviz.spec import Spec
from spineviz.terms import Side

Place = Literal["central", "recess", "foraminal"]
"""Where room is lost: in the canal, in a lateral recess, in a foramen."""


class Causes(Spec):
    """What takes the room away, in proportions that need not add up to 1."""

    disc: float = Limits(default=1.0, ge=0.0, le=10.0, description="The disc that bulges.")
    flavum: float = Limits(
        default=1.0, ge=0.0, le=10.0, description="The yellow ligaments, thickened and buckled."
    )
    facets: float = Limits(
        default=1.0, ge=0.0, le=10.0, description="The facet joints, enlarged and with osteophytes."
    )
    pedicles: float = Limits(
        default=0.0, ge=0.0, le=10.0, description="Short pedicles: the bony canal itself is shallow."
    )

    @model_validator(mode="after")
    def _something(self) -> Causes:
        if self.disc + self.flavum + self.facets + self.pedicles <= 0.0:
            raise ValueError("a stenosis has a cause: give disc, flavum, facets or pedicles more than 0")
        return self


class Narrowing(Spec):
    """A narrowed canal, recess or foramen at a disc.

    Of a canal, ``area`` (mm²) is what is left of the sac in the slice along the disc, or ``share`` of what it
    is in health (0..1); ``filled`` (0..1) how much of it rootlets take there, ``spread`` (0..1) how evenly
    they lie in it, ``fat`` how much (mm) room for fat there is behind it besides what there was. A recess or
    a foramen has a ``grade``: 0 to 3.
    """

    place: Place
    sides: tuple[Side, ...] = ("right", "left")
    causes: Causes = Causes()
    area: float | None = Limits(default=None, gt=0.0)
    share: float = Limits(default=1.0, gt=0.0, le=1.0)
    filled: float = Limits(default=0.0, ge=0.0, le=1.0)
    spread: float = Limits(default=0.0, ge=0.0, le=1.0)
    fat: float = Limits(default=0.0, ge=0.0, le=5.0)
    grade: int = Limits(default=0, ge=0, le=3)
