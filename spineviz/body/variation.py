"""The vertebrae of one person: how their lengths differ from the usual ones, and how they fit together."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from functools import cache, lru_cache

import numpy as np

from spineviz import library, measures
from spineviz.anatomy import vertebra
from spineviz.anatomy.column.alignment import stacked
from spineviz.anatomy.disc import disc_parameters
from spineviz.anatomy.morphometry.calipers import unit
from spineviz.anatomy.morphometry.moves import Marks, Shape, flat
from spineviz.anatomy.morphometry.person import Person
from spineviz.anatomy.morphometry.population import levels, recommended, scaled, variation
from spineviz.anatomy.morphometry.response import Response, finished, pulled, response
from spineviz.anatomy.vertebra import VertebraParameters
from spineviz.body.kinds import kind_of, landmarks_of
from spineviz.body.person import KINDS, size_of
from spineviz.sdf.mesher import mesh
from spineviz.spec import Spec
from spineviz.structure import Floats, Frame
from spineviz.terms import Disc, Level, discs_of, levels_of

LESS, TIMES = 0.7, 6
"""Where the parts of a changed bone would come apart, it changes by so much less, so many times at most."""

LOOK = 1.0
"""The step (mm) at which a bone is looked over for gaps between its parts."""

LEAST = 0.01
"""Smaller changes of a length (mm) are none."""

SUPERIOR = (
    *("superior_articular_process", "superior_facet", "mammillary_process"),
    *("articular_pillar.superior_facet", "articular_pillar.column.start"),
)
INFERIOR = (
    *("inferior_articular_process", "inferior_facet"),
    *("articular_pillar.inferior_facet", "articular_pillar.column.end"),
)
"""The parts that carry articular surfaces, of any kind of vertebra."""


def shapes_of(person: Person, like: Mapping[Level, Level]) -> dict[Level, Spec]:
    """Return the shapes of a person's bones, before they are made as large as the person.

    ``like`` tells for each bone of the column, from above, the level whose usual shape it has. Lengths vary
    bone by bone; then the articular processes are moved so that they meet as those of the usual bones do.
    """
    return dict(_shapes(person, tuple(like.items())))


def wedges_of(person: Person, like: Mapping[Level, Level]) -> dict[Disc, float]:
    """Return the wedges (degrees) of a person's discs: they stand the column in its usual curve.

    A body that is wedged otherwise than the usual one has its difference taken up by the discs above and
    below it, half by each.
    """
    if person == Person():
        return {disc: disc_parameters(disc).wedge for disc in discs_of(tuple(like))}
    shapes = _shapes(person, tuple(like.items()))
    usual = {level: _one_side(other) for level, other in like.items()}
    own = {level: landmarks_of(like[level], shape) for level, shape in shapes.items()}
    return _wedges(own, usual)


def _wedges(own: Mapping[Level, Marks], usual: Mapping[Level, Marks]) -> dict[Disc, float]:
    result = {}
    for disc in discs_of(tuple(own)):
        changed = [_body_wedge(own[level]) - _body_wedge(usual[level]) for level in levels_of(disc)]
        result[disc] = disc_parameters(disc).wedge - sum(changed) / 2.0
    return result


def _body_wedge(marks: Marks) -> float:
    """Return by how many degrees a body opens to anterior; 0 where it has but one endplate."""
    if not {"endplate.superior", "endplate.inferior"} <= set(marks):
        return 0.0
    upper, lower = (marks[f"endplate.{side}"].superior for side in ("superior", "inferior"))
    return float(np.degrees(np.arctan2(lower[1], lower[2]) - np.arctan2(upper[1], upper[2])))


@lru_cache(maxsize=32)
def _shapes(person: Person, pairs: tuple[tuple[Level, Level], ...]) -> Mapping[Level, Spec]:
    like = dict(pairs)
    usual = {level: kind_of(other).parameters_of(other) for level, other in like.items()}
    changes = {level: _changes(other, person) for level, other in like.items()}
    if not any(changes.values()):
        return usual
    for _ in range(TIMES):
        shapes = {level: _shape(like[level], usual[level], changes[level]) for level in like}
        made = {level: finished(usual[level], shape) for level, shape in _seated(shapes, like).items()}
        loose = [level for level, shape in made.items() if not _holds(like[level], shape)]
        if not loose:
            return made
        for level in loose:
            changes[level] = {name: LESS * change for name, change in changes[level].items()}
    return {level: usual[level] if level in loose else shape for level, shape in made.items()}


def _seated(shapes: Mapping[Level, Shape], like: Mapping[Level, Level]) -> dict[Level, Shape]:
    """Return bones whose articular surfaces meet as those of the usual bones do.

    What is missing between a lower and an upper articular surface is made up by both, where both can change.
    """
    result = dict(shapes)
    usual = {level: _one_side(other) for level, other in like.items()}
    wedges = _wedges({level: shape.marks for level, shape in shapes.items()}, usual)
    for disc in discs_of(tuple(like)):
        upper, lower = levels_of(disc)
        before, _ = _joint(usual[upper], usual[lower], disc, disc_parameters(disc).wedge)
        now, frame = _joint(shapes[upper].marks, shapes[lower].marks, disc, wedges[disc])
        missing = now - before
        sides = ((upper, INFERIOR, -frame.axes @ missing), (lower, SUPERIOR, missing))
        free = [side for side in sides if like[side[0]] in KINDS and any(result[side[0]].under(side[1]))]
        for level, parts, way in free:
            result[level] = result[level].placed(parts, (), Frame(way / len(free)))
    return result


def _joint(above: Marks, below: Marks, disc: Disc, wedge: float) -> tuple[Floats, Frame]:
    """Return the way between the articular surfaces beside a disc, and the upper bone's frame.

    Both are told in the lower bone's frame, mm.
    """
    height = disc_parameters(disc).height_middle
    frame = stacked(below["endplate.superior"], above["endplate.inferior"], height, wedge)
    way: Floats = above["facet.inferior"].then(frame).origin - below["facet.superior"].origin
    return way, frame


def _holds(level: Level, shape: Spec) -> bool:
    """Tell whether all parts of a bone hold together, without a gap between them."""
    with contextlib.suppress(ValueError):
        landmarks_of(level, shape)
        return not isinstance(shape, VertebraParameters) or _has_one_way_through(shape.model_dump_json())
    return False


@lru_cache(maxsize=256)
def _has_one_way_through(written: str) -> bool:
    """Tell whether the vertebral foramen is all that leads through a thoracic or lumbar vertebra."""
    surface = mesh(vertebra.solid(VertebraParameters.model_validate_json(written)), LOOK, mirror=True)
    return len(surface.vertices) == len(surface.faces) // 2  # the Euler number of a ring is 0


def _changes(level: Level, person: Person) -> dict[str, float]:
    """Return by how much a person's lengths differ from the usual ones, before the bone is made as large.

    What no row of the measures tells, and what nobody has a handle for, stays in proportion.
    """
    if person == Person() or level not in KINDS or level not in levels():
        return {}
    usual = recommended(level)
    factors = {} if person.variation is None else variation(person.variation, [level])[level]
    shares = measures.table("calipers.variation")["lengths"]
    own = {
        name: value * (1.0 + shares.get(name, 0.0) * (factors.get(name, 1.0) - 1.0))
        for name, value in usual.items()
    }
    grown, size = scaled(own, level, person.stature, person.sex), size_of(person)
    return {
        name: grown[name] / size - value
        for name, value in usual.items()
        if unit(name) == "mm" and abs(grown[name] / size - value) > LEAST
    }


def _shape(level: Level, usual: Spec, changes: Mapping[str, float]) -> Shape:
    """Return a bone with its lengths changed, and its landmarks of the midline and the right side."""
    shape = Shape(flat(usual.model_dump()), _one_side(level))
    return pulled(shape, KINDS[level], _response(level).ways(changes)) if changes else shape


@cache
def _one_side(level: Level) -> Marks:
    """Return the landmarks of a usual bone in the midline and on the right side, without a side's name."""
    marks = landmarks_of(level, kind_of(level).parameters_of(level))
    return {name.removesuffix(".right"): mark for name, mark in marks.items() if not name.endswith(".left")}


@cache
def _response(level: Level) -> Response:
    """Return how a usual bone's measures answer to its handles; kept in the user's cache."""
    place = library.cache_folder() / f"response-{level}-{_recipe()}"
    known = library.read_object(place, Response)
    if known is None:
        shape = kind_of(level).parameters_of(level)
        names = {*measures.table("calipers.variation")["lengths"], *measures.table("calipers.man_to_woman")}
        own = [name for name in recommended(level) if name in names]
        known = response(shape, KINDS[level], own, landmarks_of(level, shape))
        library.write_object(place, known)
    return known


@cache
def _recipe() -> str:
    """Return the hash of what shapes the healthy body; it takes seconds to find."""
    return library.recipe()
