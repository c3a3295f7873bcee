"""A person's vertebrae: sex, stature, natural variation, and single measures that somebody asks for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from spineviz import measures
from spineviz.anatomy import atlas, axis, cervical, coccyx, sacrum
from spineviz.anatomy.coccyx import CoccyxParameters
from spineviz.anatomy.morphometry import morph
from spineviz.anatomy.morphometry.calipers import MEASURES, unit
from spineviz.anatomy.morphometry.cervical_handles import CERVICAL
from spineviz.anatomy.morphometry.person import Person
from spineviz.anatomy.morphometry.population import scaled
from spineviz.anatomy.morphometry.uppermost_handles import ATLAS, AXIS
from spineviz.anatomy.sacrum import SacrumParameters
from spineviz.spec import Spec
from spineviz.terms import LEVELS, Level, region_of

CERVICAL_VERTEBRAE: morph.Kind[Any] = morph.Kind(cervical.field, cervical.landmarks, CERVICAL)
KINDS: Mapping[Level, morph.Kind[Any]] = {
    "C1": morph.Kind(atlas.field, atlas.landmarks, ATLAS),
    "C2": morph.Kind(axis.field, axis.landmarks, AXIS),
    **{
        level: CERVICAL_VERTEBRAE if region_of(level) == "cervical" else morph.VERTEBRAE
        for level in LEVELS[LEVELS.index("C3") : LEVELS.index("L5") + 1]
    },
}
"""How the bones are changed whose measures have handles."""


def size_of(person: Person) -> float:
    """Return how large a body is beside the mean, from stature and sex."""
    return scaled({"body_height_posterior": 1.0}, "L3", person.stature, person.sex)["body_height_posterior"]


def measured_as(shape: Spec, level: Level, person: Person, wanted: Mapping[str, float]) -> Spec:
    """Return a vertebra of a level with some measures that are asked for, before it is made as large.

    ``wanted`` (mm, degrees) are true of the bone at its final size, that of the person.

    Raises ValueError for a level that no caliper measures, for an unknown measure, and for a value that no
    human vertebra has, with the allowed range.
    """
    if wanted and isinstance(shape, SacrumParameters | CoccyxParameters):
        own = _before_growing(wanted, size_of(person), angles=("kyphosis",))
        return sacrum.sized(shape, own) if isinstance(shape, SacrumParameters) else coccyx.sized(shape, own)
    if wanted and level not in KINDS:
        first, *_, last = KINDS
        known = f"{first} to {last}"
        raise ValueError(f"{level}: its measures cannot be changed one by one; those of {known} can")
    if not wanted:
        return shape
    angles = [name for name in wanted if name not in MEASURES or unit(name) != "mm"]
    own = _before_growing(wanted, size_of(person), angles)
    return morph.to_measures(shape, own, level, KINDS[level])


def _before_growing(wanted: Mapping[str, float], size: float, angles: Collection[str]) -> dict[str, float]:
    """Return measures of a bone before it is made as large as the person."""
    return {name: value / (1.0 if name in angles else size) for name, value in wanted.items()}


def sacralised(shape: Spec) -> Spec:
    """Return a last lumbar vertebra whose transverse processes are broad and reach down to the ala."""
    values = shape.model_dump()
    process, change = values["transverse_process"], measures.table("sacralisation")
    shift = (change["lateral"], change["anterior"], -change["caudal"])
    process["end"] = tuple(place + way for place, way in zip(process["end"], shift, strict=True))
    for name in ("across", "along"):
        last = len(process[name]) - 1
        grown = [1.0 + (change[name] - 1.0) * index / last for index in range(last + 1)]
        process[name] = tuple(value * by for value, by in zip(process[name], grown, strict=True))
    return type(shape).model_validate(values)
