"""Herniation of an intervertebral disc, named and measured after Fardon et al., Spine J 2014;14:2525.

Protrusion and extrusion, central and subarticular, are built; anything else is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, Protocol, TypeVar

from pydantic import Field as Limits
from pydantic import model_validator

from spineviz import measures
from spineviz.anatomy.disc import DiscParameters
from spineviz.anatomy.disc.displaced_material import DisplacedMaterial
from spineviz.spec import Spec
from spineviz.terms import Disc, LowerLumbarDisc, Side


class Herniation(Spec):
    """A herniated disc.

    ``zone``: central is behind the middle of the disc, subarticular lies in the lateral recess.
    ``morphology``: an extrusion is somewhere wider than its base, a protrusion nowhere. ``depth`` (mm)
    is how far it stands behind the disc's margin; 0 is no herniation at all. ``width`` (mm) is its
    greatest width; ``migration_distance`` (mm) how far it reaches beyond the endplate.
    """

    kind: Literal["herniation"] = "herniation"
    disc: LowerLumbarDisc = "L4-L5"
    side: Side = "left"
    zone: Literal["central", "subarticular"] = "subarticular"
    morphology: Literal["protrusion", "extrusion"] = "extrusion"
    depth: float = Limits(default=7.5, ge=0.0, le=10.0)
    width: float = Limits(default=13.0, ge=6.0, le=20.0)
    migration: Literal["none", "cranial", "caudal"] = "none"
    migration_distance: float = Limits(default=0.0, ge=0.0, le=12.0)

    @model_validator(mode="after")
    def _consistent(self) -> Herniation:
        if (self.migration == "none") != (self.migration_distance == 0.0):
            raise ValueError("migration needs both a direction and a distance in mm, or neither")
        if self.morphology == "protrusion" and self.migration != "none":
            raise ValueError("a protrusion does not migrate; choose an extrusion or migration 'none'")
        if 0.0 < self.depth < 2.0:
            raise ValueError(f"a depth of {self.depth} mm is less than a bulge; choose 0, or 2 mm and more")
        return self


class WithDiscs(Protocol):
    """An anatomy, as far as a herniation needs to know it: a frozen dataclass with its discs."""

    @property
    def discs(self) -> Mapping[Disc, DiscParameters]:
        """Every disc's parameters."""
        ...


A = TypeVar("A", bound=WithDiscs)


def displaced(herniation: Herniation) -> DisplacedMaterial:
    """Return the geometry of the displaced material. Raises ValueError when the depth is 0."""
    if herniation.depth == 0.0:
        raise ValueError("a herniation of depth 0 has no displaced material")
    sign = {"none": 0.0, "cranial": 1.0, "caudal": -1.0}[herniation.migration]
    return DisplacedMaterial(
        side=herniation.side,
        morphology=herniation.morphology,
        offset=measures.table("herniation.zones")[herniation.zone],
        depth=herniation.depth,
        width=herniation.width,
        migration=sign * herniation.migration_distance,
    )


def apply(herniation: Herniation, anatomy: A) -> A:
    """Return the anatomy with the herniation; a depth of 0 returns the anatomy itself.

    Raises ValueError when the disc is not part of the anatomy or is already herniated on that side.
    """
    if herniation.depth == 0.0:
        return anatomy
    if herniation.disc not in anatomy.discs:
        raise ValueError(f"no disc {herniation.disc}; there is: {', '.join(anatomy.discs)}")
    disc = anatomy.discs[herniation.disc]
    if any(item.side == herniation.side for item in disc.herniations):
        raise ValueError(f"the disc {herniation.disc} already has a herniation on the {herniation.side}")
    changed = disc.model_copy(update={"herniations": (*disc.herniations, displaced(herniation))})
    everything: Any = anatomy
    result: A = replace(everything, discs={**anatomy.discs, herniation.disc: changed})
    return result
