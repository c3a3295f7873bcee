"""Herniation and bulge of a disc, named and measured after Fardon et al., Spine J 2014;14:2525."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, Protocol, TypeVar, get_args

from pydantic import Field as Limits
from pydantic import model_validator

from spineviz import measures
from spineviz.anatomy.disc import DiscParameters
from spineviz.anatomy.disc.bulging import Bulging
from spineviz.anatomy.disc.displaced_material import DisplacedMaterial, SagittalZone
from spineviz.pathology.possible import impossible
from spineviz.spec import Spec
from spineviz.terms import Disc, HerniatedDisc, Side, levels_of, region_of

Morphology = Literal["bulge", "protrusion", "extrusion", "sequestration"]
Zone = Literal["central", "paracentral", "subarticular", "foraminal", "extraforaminal", "anterior"]
Msu = Literal["1A", "1B", "1C", "2A", "2B", "2C", "3A", "3B", "3C"]

BY_QUADRANT: Mapping[str, tuple[Zone, ...]] = {
    "A": ("central", "paracentral"),
    "B": ("subarticular",),
    "C": ("foraminal", "extraforaminal"),
}
"""The axial zones of the MSU letters: first the one meant where no zone is told."""


class Herniation(Spec):
    """A herniated or bulging disc; a depth of 0 is a healthy one.

    Cervical and thoracic discs have the zones central, paracentral and foraminal. What is not told takes
    values that are usual in the disc's region and for the morphology. Raises ValueError, telling what is
    possible, for what cannot be.
    """

    kind: Literal["herniation"] = "herniation"
    disc: HerniatedDisc = Limits("L4-L5", description="The disc, by the vertebrae above and below it.")
    side: Side = Limits("left", description="The patient's side; of no account behind the midline.")
    zone: Zone = Limits(
        "subarticular",
        description="Where it lies in the axial plane: subarticular is the lateral recess, foraminal between "
        "the borders of the pedicle, extraforaminal beyond it.",
    )
    morphology: Morphology = Limits(
        "extrusion",
        description="A bulge takes more than a quarter of the circumference; a protrusion is nowhere wider "
        "than its base, an extrusion is; a sequestrated fragment has lost its disc.",
    )
    symmetric: bool = Limits(True, description="A bulge all around the disc, or most of all in its zone.")
    depth: float = Limits(
        default=7.5, ge=0.0, le=60.0, description="How far (mm) it stands beyond the disc's margin."
    )
    width: float = Limits(default=13.0, gt=0.0, le=60.0, description="Its greatest width, mm.")
    msu: Msu | None = Limits(
        None, description="Size and place by the Michigan State University grades, in place of a depth."
    )
    migration: Literal["none", "cranial", "caudal"] = "none"
    migration_distance: float = Limits(
        default=0.0, ge=0.0, le=60.0, description="How far (mm) it reaches beyond the endplate."
    )
    migration_zone: SagittalZone | None = Limits(
        None, description="The zone of the vertebra that it reaches, in place of a distance."
    )
    contained: bool | None = Limits(
        None, description="Whether outer annulus and ligament cover it; as its morphology has it if not told."
    )

    @model_validator(mode="before")
    @classmethod
    def _usual(cls, data: Any) -> Any:
        """Fill in what is usual in the disc's region and for the morphology."""
        if not isinstance(data, dict):
            return data
        disc, morphology = data.get("disc", "L4-L5"), data.get("morphology", "extrusion")
        if disc not in get_args(HerniatedDisc) or morphology not in get_args(Morphology):
            return data
        region = region_of(levels_of(disc)[0])
        usual: dict[str, Any] = {}
        if data.get("msu") in get_args(Msu):
            usual["zone"] = BY_QUADRANT[data["msu"][1]][0]
        elif region != "lumbar":
            usual["zone"] = "paracentral"
        if data.get("depth") is None:
            usual["depth"] = _usual_depth(region, morphology, data.get("zone", "subarticular"))
        if data.get("width") is None:
            usual["width"] = measures.value(f"herniation.width.{region}")[1]
        return usual | {name: value for name, value in data.items() if value is not None}

    @model_validator(mode="after")
    def _consistent(self) -> Herniation:
        if (problem := impossible(self)) is not None:
            raise ValueError(problem)
        return self

    @property
    def present(self) -> bool:
        """Whether there is a herniation at all."""
        return self.depth > 0.0

    @property
    def covered(self) -> bool:
        """Whether the outer annulus and the posterior longitudinal ligament cover the material."""
        return self.morphology in ("bulge", "protrusion") if self.contained is None else self.contained


class WithDiscs(Protocol):
    """An anatomy, as far as a herniation needs to know it: a frozen dataclass with its discs."""

    @property
    def discs(self) -> Mapping[Disc, DiscParameters]:
        """Every disc's parameters."""
        ...


A = TypeVar("A", bound=WithDiscs)


def displaced(herniation: Herniation) -> DisplacedMaterial:
    """Return the geometry of displaced material. Raises ValueError for a bulge, and when the depth is 0."""
    if herniation.depth == 0.0:
        raise ValueError("a herniation of depth 0 has no displaced material")
    if herniation.morphology == "bulge":
        raise ValueError("a bulge has no displaced material: the annulus itself stands out")
    sign = {"none": 0.0, "cranial": 1.0, "caudal": -1.0}[herniation.migration]
    return DisplacedMaterial(
        side=herniation.side,
        morphology=herniation.morphology,
        offset=0.0 if herniation.zone == "anterior" else _offset(herniation),
        anterior=herniation.zone == "anterior",
        depth=herniation.depth,
        share=None if herniation.msu is None else measures.value(f"herniation.msu.{herniation.msu[0]}"),
        width=herniation.width,
        migration=sign * herniation.migration_distance,
        reached=herniation.migration_zone,
        upwards=herniation.migration == "cranial",
        contained=herniation.covered and herniation.morphology != "protrusion",
    )


def bulging(herniation: Herniation) -> Bulging:
    """Return how the annulus of a bulging disc stands out."""
    if herniation.symmetric:
        return Bulging(depth=herniation.depth)
    offset = None if herniation.zone == "anterior" else _offset(herniation)
    return Bulging(
        depth=herniation.depth,
        share=measures.value("herniation.bulge.share"),
        side=herniation.side,
        offset=offset,
    )


def apply(herniation: Herniation, anatomy: A) -> A:
    """Return the anatomy with the herniation; a depth of 0 returns the anatomy itself.

    Raises ValueError when the disc is not part of the anatomy, already bulges, or is already herniated on
    that side.
    """
    if herniation.depth == 0.0:
        return anatomy
    if herniation.disc not in anatomy.discs:
        raise ValueError(f"no disc {herniation.disc}; there is: {', '.join(anatomy.discs)}")
    disc = anatomy.discs[herniation.disc]
    change: dict[str, object]
    if herniation.morphology == "bulge":
        if disc.bulging is not None:
            raise ValueError(f"the disc {herniation.disc} already bulges")
        change = {"bulging": bulging(herniation)}
    else:
        if any(item.side == herniation.side for item in disc.herniations):
            raise ValueError(f"the disc {herniation.disc} already has a herniation on the {herniation.side}")
        change = {"herniations": (*disc.herniations, displaced(herniation))}
    everything: Any = anatomy
    changed = disc.model_copy(update=change)
    result: A = replace(everything, discs={**anatomy.discs, herniation.disc: changed})
    return result


def _usual_depth(region: str, morphology: str, zone: str) -> float:
    usual = float(measures.value(f"herniation.usual.{region}.{morphology}"))
    beside = measures.table("herniation.beside")
    return min(usual, 0.75 * float(beside[zone])) if zone in beside else usual


def _offset(herniation: Herniation) -> float:
    """Return the place of a zone on the posterior margin; see `DisplacedMaterial`."""
    lumbar = region_of(levels_of(herniation.disc)[0]) == "lumbar"
    table = measures.table("herniation.zones" if lumbar else "herniation.neck_and_chest")
    return float(table[herniation.zone])
