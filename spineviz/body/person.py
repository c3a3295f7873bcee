"""A person's vertebrae: sex, stature, natural variation, and single measures that somebody asks for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from spineviz import measures
from spineviz.anatomy import cervical, morph
from spineviz.anatomy.cervical_handles import CERVICAL
from spineviz.anatomy.person import Person
from spineviz.anatomy.population import scaled, variation
from spineviz.body.kinds import kind_of
from spineviz.spec import Spec
from spineviz.terms import LEVELS, Level

MORPHED: tuple[Level, ...] = LEVELS[LEVELS.index("C3") : LEVELS.index("L5") + 1]
"""The levels whose measures a caliper takes; other bones follow the size of the body as a whole."""

VARIED = (
    *("endplate_width_superior", "endplate_width_inferior"),
    *("endplate_depth_superior", "endplate_depth_inferior"),
    *("body_height_anterior", "body_height_posterior", "canal_width", "canal_depth"),
    *("pedicle_width", "pedicle_height", "spinous_length", "transverse_span"),
)
"""The measures by which people are told apart; what they leave open follows the size of the bone."""

CERVICAL_VERTEBRAE: morph.Kind[Any] = morph.Kind(cervical.field, cervical.landmarks, CERVICAL)


def size_of(person: Person) -> float:
    """Return how large a body is beside the mean, from stature and sex."""
    return scaled({"body_height_posterior": 1.0}, "L3", person.stature, person.sex)["body_height_posterior"]


def vertebra_of(level: Level, person: Person, wanted: Mapping[str, float]) -> Spec:
    """Return the shape of a person's vertebra, with measures (mm, degrees) that are asked for.

    Raises ValueError for a level that no caliper measures, for an unknown measure, and for a value that no
    human vertebra has, with the allowed range.
    """
    shape = kind_of(level).parameters_of(level)
    if person == Person() and not wanted:
        return shape
    if level not in MORPHED:
        if wanted:
            known = f"{MORPHED[0]} to {MORPHED[-1]}"
            raise ValueError(f"{level}: its measures cannot be changed one by one; those of {known} can")
        return shape
    ready = _ready(level)
    if person != Person():
        shape = ready.near(_personal(level, person, ready)).parameters
        ready = morph.prepare(shape, level, _kind(level)) if wanted else ready
    return ready.to_measures(wanted) if wanted else shape


def _personal(level: Level, person: Person, ready: morph.Morph[Any]) -> dict[str, float]:
    """Return the measures that a person's vertebra is to have, within what is human."""
    usual = scaled(ready.now.values, level, person.stature, person.sex)
    factors = variation(person.variation, [level])[level] if person.variation is not None else {}
    return {name: usual[name] * factors.get(name, 1.0) for name in ready.names if name in VARIED}


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
