"""A person's vertebrae: sex, stature, natural variation, and single measures that somebody asks for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from spineviz import measures
from spineviz.anatomy import cervical, coccyx, sacrum
from spineviz.anatomy.coccyx import CoccyxParameters
from spineviz.anatomy.morphometry import morph
from spineviz.anatomy.morphometry.calipers import MEASURES, unit
from spineviz.anatomy.morphometry.cervical_handles import CERVICAL
from spineviz.anatomy.morphometry.person import Person
from spineviz.anatomy.morphometry.population import allowed, scaled, variation
from spineviz.anatomy.sacrum import SacrumParameters
from spineviz.body.kinds import kind_of
from spineviz.spec import Spec
from spineviz.terms import LEVELS, Level

MORPHED: tuple[Level, ...] = LEVELS[LEVELS.index("C3") : LEVELS.index("L5") + 1]
"""The levels whose measures can be asked for one by one."""

VARIED: tuple[Level, ...] = LEVELS[LEVELS.index("L1") : LEVELS.index("L5") + 1]
"""The levels that vary from person to person by more than their size."""

VARYING = (
    *("endplate_width_superior", "endplate_width_inferior"),
    *("endplate_depth_superior", "endplate_depth_inferior"),
    *("body_height_anterior", "body_height_posterior", "canal_width", "canal_depth"),
    *("pedicle_width", "pedicle_height", "spinous_length", "transverse_span"),
)
"""The measures by which people's vertebrae differ; what they leave open follows."""

CERVICAL_VERTEBRAE: morph.Kind[Any] = morph.Kind(cervical.field, cervical.landmarks, CERVICAL)


def size_of(person: Person) -> float:
    """Return how large a body is beside the mean, from stature and sex."""
    return scaled({"body_height_posterior": 1.0}, "L3", person.stature, person.sex)["body_height_posterior"]


def vertebra_of(level: Level, person: Person, wanted: Mapping[str, float]) -> Spec:
    """Return the shape of a person's vertebra, before it is made as large as the person.

    ``wanted`` are measures (mm, degrees) that are asked for and true of the bone at its final size.

    Raises ValueError for a level that no caliper measures, for an unknown measure, and for a value that no
    human vertebra has, with the allowed range.
    """
    shape = kind_of(level).parameters_of(level)
    if wanted and isinstance(shape, SacrumParameters | CoccyxParameters):
        own = _before_growing(wanted, size_of(person), angles=("kyphosis",))
        return sacrum.sized(shape, own) if isinstance(shape, SacrumParameters) else coccyx.sized(shape, own)
    if wanted and level not in MORPHED:
        known = f"{MORPHED[0]} to {MORPHED[-1]}"
        raise ValueError(f"{level}: its measures cannot be changed one by one; those of {known} can")
    if person.variation is not None and level in VARIED:
        shape = _ready(level).near(_varied(level, person.variation)).parameters
    if not wanted:
        return shape
    angles = [name for name in wanted if name not in MEASURES or unit(name) != "mm"]
    own = _before_growing(wanted, size_of(person), angles)
    return morph.to_measures(shape, own, level, _kind(level))


def _before_growing(wanted: Mapping[str, float], size: float, angles: Collection[str]) -> dict[str, float]:
    """Return measures of a bone before it is made as large as the person."""
    return {name: value / (1.0 if name in angles else size) for name, value in wanted.items()}


def _varied(level: Level, seed: int) -> dict[str, float]:
    """Return the measures of one person's vertebra, within what is human.

    A measure that the usual bone itself has outside its range is left to follow the others.
    """
    now, factors = _ready(level).now.values, variation(seed, [level])[level]
    ranges = {name: allowed(level, name) for name in VARYING if name in factors}
    return {
        name: min(max(now[name] * factors[name], low), high)
        for name, (low, high) in ranges.items()
        if low < now[name] < high
    }


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


@cache
def _ready(level: Level) -> morph.Morph[Any]:
    return morph.prepare(kind_of(level).parameters_of(level), level, _kind(level))


def _kind(level: Level) -> morph.Kind[Any]:
    return CERVICAL_VERTEBRAE if level.startswith("C") else morph.VERTEBRAE
