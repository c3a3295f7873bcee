"""A person's vertebrae: sex, stature, natural variation, and single measures that somebody asks for."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from spineviz import library, measures
from spineviz.anatomy import cervical
from spineviz.anatomy.morphometry import morph
from spineviz.anatomy.morphometry.calipers import MEASURES, unit
from spineviz.anatomy.morphometry.cervical_handles import CERVICAL
from spineviz.anatomy.morphometry.person import Person
from spineviz.anatomy.morphometry.population import levels, recommended, scaled, variation
from spineviz.anatomy.morphometry.response import Response, changed, response
from spineviz.body.kinds import kind_of, landmarks_of
from spineviz.spec import Spec
from spineviz.terms import LEVELS, Level, region_of

CERVICAL_VERTEBRAE: morph.Kind[Any] = morph.Kind(cervical.field, cervical.landmarks, CERVICAL)

KINDS: Mapping[Level, morph.Kind[Any]] = {
    level: CERVICAL_VERTEBRAE if region_of(level) == "cervical" else morph.VERTEBRAE
    for level in LEVELS[LEVELS.index("C3") : LEVELS.index("L5") + 1]
}
"""How the bones are changed whose measures have handles."""

SHARES = (1.0, 0.75, 0.5, 0.25)
"""What a person's bone is changed by, as parts of what is wanted: the first at which it holds together."""

LEAST = 0.01
"""Smaller changes of a length (mm) are none."""


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
    if wanted and level not in KINDS:
        first, *_, last = KINDS
        known = f"{first} to {last}"
        raise ValueError(f"{level}: its measures cannot be changed one by one; those of {known} can")
    changes = _changes(level, person)
    if changes:
        shape = _changed(level, shape, changes)
    if not wanted:
        return shape
    size = size_of(person)
    own = {
        name: value / (size if name in MEASURES and unit(name) == "mm" else 1.0)
        for name, value in wanted.items()
    }
    return morph.to_measures(shape, own, level, KINDS[level])


def _changed(level: Level, shape: Spec, changes: Mapping[str, float]) -> Spec:
    """Return a usual bone with its lengths changed; by less where its parts would come apart."""
    ways = _response(level).ways(changes)
    for share in SHARES:
        result = changed(shape, KINDS[level], {name: share * way for name, way in ways.items()})
        with contextlib.suppress(ValueError):
            landmarks_of(level, result)
            return result
    return shape


def _changes(level: Level, person: Person) -> dict[str, float]:
    """Return by how much a person's lengths differ from the usual ones, before the bone is made as large.

    What no row of the measures tells, and what nobody has a handle for, stays in proportion.
    """
    if person == Person() or level not in KINDS or level not in levels():
        return {}
    usual = recommended(level)
    factors = {} if person.variation is None else variation(person.variation, [level])[level]
    varying = measures.table("calipers.variation")["lengths"]
    own = {
        name: value * factors.get(name, 1.0) if name in varying else value for name, value in usual.items()
    }
    grown, size = scaled(own, level, person.stature, person.sex), size_of(person)
    return {
        name: grown[name] / size - value
        for name, value in usual.items()
        if unit(name) == "mm" and abs(grown[name] / size - value) > LEAST
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
def _response(level: Level) -> Response:
    """Return how a usual bone's measures answer to its handles; kept in the user's cache."""
    place = library.cache_folder() / f"response-{level}-{library.recipe()}"
    known = library.read_object(place, Response)
    if known is None:
        shape = kind_of(level).parameters_of(level)
        names = {*measures.table("calipers.variation")["lengths"], *measures.table("calipers.man_to_woman")}
        own = [name for name in recommended(level) if name in names]
        known = response(shape, KINDS[level], own, landmarks_of(level, shape))
        library.write_object(place, known)
    return known
