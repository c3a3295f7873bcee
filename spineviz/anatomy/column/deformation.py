"""What a disease changes of a column that stands: slips, worn discs, collapsed bodies, curves.

A deformation carries the healthy body to the diseased one. It is told by the discs and the bones concerned;
what lies above a disc moves with what the disc carries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from pydantic import Field as Limits

from spineviz import measures
from spineviz.spec import Spec
from spineviz.terms import Disc, Level

STAGE = 0.1
"""What a bone slips by at once, in parts of the endplate below, before what lies around it follows."""


class Slip(Spec):
    """How the bone above a disc has slipped forwards on the one below.

    ``share`` is in parts of the depth of the endplate below, after Taillard; ``tilt`` (degrees) how far the
    bone above has tipped forward over it and ``drop`` (mm) how far it has sunk before it. Where the pars is
    cleft (``lysis``) the posterior arch of the upper bone stays behind. ``mm`` is the way itself, where it is
    told; ``share`` is then what it is of a usual endplate.
    """

    share: float = Limits(gt=0.0, le=1.3)
    tilt: float = Limits(default=0.0, ge=0.0, le=60.0)
    drop: float = Limits(default=0.0, ge=0.0, le=40.0)
    lysis: bool = False
    mm: float | None = Limits(default=None, gt=0.0)

    @classmethod
    def usual(cls, share: float, lysis: bool, mm: float | None = None) -> Slip:
        """Return a slip with the tilt and the drop that one of some share usually has."""
        shape = measures.table(f"listhesis.{'isthmic' if lysis else 'degenerative'}")
        tilt, drop = (
            float(np.interp(100.0 * share, shape["slips"], shape[name])) for name in ("tilt", "drop")
        )
        return cls(share=share, tilt=tilt, drop=drop, lysis=lysis, mm=mm)


class Wear(Spec):
    """How worn a disc is: what part of its ``height`` it has kept, and what shows of it.

    ``signal`` is how bright its nucleus still is, 0 to 1; ``vacuum`` whether a cleft of gas has opened in it;
    ``osteophytes`` (mm) how far the rims have grown outwards; ``modic`` the change of the marrow beside it.
    """

    height: float = Limits(default=1.0, gt=0.2, le=1.0)
    signal: float = Limits(default=1.0, ge=0.0, le=1.0)
    vacuum: bool = False
    osteophytes: float = Limits(default=0.0, ge=0.0, le=8.0)
    modic: int = Limits(default=0, ge=0, le=3)


class Collapse(Spec):
    """How much lower a vertebral body has become, in parts of its height in front, in the middle and behind.

    ``both`` tells that both endplates gave way, not the upper one alone. ``widened`` (mm) is how much farther
    the pedicles stand apart.
    """

    front: float = Limits(default=0.0, ge=0.0, le=0.7)
    middle: float = Limits(default=0.0, ge=0.0, le=0.7)
    back: float = Limits(default=0.0, ge=0.0, le=0.7)
    both: bool = False
    widened: float = Limits(default=0.0, ge=0.0, le=10.0)


Part = Literal["body", "wall", "spinous", "transverse.right", "transverse.left"]
"""What can come off a vertebra: the front of its body, its upper posterior corner, or a process."""


class Break(Spec):
    """A piece that has come off a vertebra; it stands ``apart`` (mm) from the rest, or so far back."""

    part: Part
    apart: float = Limits(gt=0.0, le=12.0)


class Bend(Spec):
    """How a segment is bent, in degrees: forward, to the right, and turned with its front to the right."""

    forward: float = 0.0
    right: float = 0.0
    turned: float = 0.0

    def and_then(self, other: Bend) -> Bend:
        """Return both together."""
        return Bend(
            forward=self.forward + other.forward,
            right=self.right + other.right,
            turned=self.turned + other.turned,
        )


@dataclass(frozen=True)
class Deformation:
    """All that is deformed of a column, by disc and by level."""

    slips: Mapping[Disc, Slip] = field(default_factory=dict)
    worn: Mapping[Disc, Wear] = field(default_factory=dict)
    bends: Mapping[Disc, Bend] = field(default_factory=dict)
    collapsed: Mapping[Level, Collapse] = field(default_factory=dict)
    broken: Mapping[Level, Break] = field(default_factory=dict)

    def on_the_way(self) -> tuple[Deformation, ...]:
        """Return the deformations that a column passes through as a bone slips, this one last.

        No slip advances by more than `STAGE` from one to the next; what else is deformed is so at once, but
        for the discs that slip, which lose their height on the way.
        """
        count = max((int(np.ceil(slip.share / STAGE)) for slip in self.slips.values()), default=1)
        return *(self._partway(index / count) for index in range(1, count)), self

    def _partway(self, progress: float) -> Deformation:
        """Return the deformation when its slips have come a part of their way."""
        slips = {
            disc: Slip.usual(
                progress * slip.share, slip.lysis, None if slip.mm is None else progress * slip.mm
            )
            for disc, slip in self.slips.items()
        }
        worn = {
            disc: wear.model_copy(update={"height": 1.0 - progress * (1.0 - wear.height)})
            for disc, wear in self.worn.items()
            if disc in slips
        }
        return replace(self, slips=slips, worn={**self.worn, **worn})

    @property
    def none(self) -> bool:
        """Whether nothing is deformed."""
        return not (self.slips or self.worn or self.bends or self.collapsed or self.broken)
