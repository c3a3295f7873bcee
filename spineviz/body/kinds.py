"""Which kind of bone stands at which level: each kind's parameters, solid, landmarks and cartilage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from spineviz.anatomy import atlas, axis, cervical, coccyx, sacrum, vertebra
from spineviz.body import marks
from spineviz.sdf.solid import Solid
from spineviz.spec import Spec
from spineviz.structure import Floats, Frame
from spineviz.terms import Level, column


@dataclass(frozen=True)
class Kind:
    """What every kind of bone offers, in the bone's own frame, mm (see ``spineviz.anatomy.vertebra``)."""

    parameters_of: Callable[[Level], Spec]
    solid: Callable[[Any], Solid]
    landmarks: Callable[[Any], Mapping[str, Frame]]
    cartilage: Callable[..., Floats]


_KINDS: Mapping[str, Kind] = {
    "atlas": Kind(atlas.parameters_of, atlas.solid, atlas.landmarks, atlas.cartilage),
    "axis": Kind(axis.parameters_of, axis.solid, axis.landmarks, axis.cartilage),
    "cervical": Kind(cervical.parameters_of, cervical.solid, cervical.landmarks, cervical.cartilage),
    "vertebra": Kind(vertebra.parameters_of, vertebra.solid, vertebra.landmarks, vertebra.cartilage),
    "sacrum": Kind(
        lambda level: sacrum.parameters(),
        sacrum.solid,
        sacrum.landmarks,
        lambda parameters, points, known=None: sacrum.cartilage(parameters, points),
    ),
    "coccyx": Kind(
        lambda level: coccyx.parameters(),
        coccyx.solid,
        coccyx.landmarks,
        lambda parameters, points, known=None: np.zeros(len(points)),
    ),
}


def landmarks_of(level: Level, parameters: Spec) -> Mapping[str, Frame]:
    """Return the landmarks of a bone in its own frame; they take long to find and are remembered.

    Those of the usual bones are kept beside the library. Raises ValueError where a part of the bone does not
    reach the rest of it.
    """
    return _landmarks(level, type(parameters), parameters.model_dump_json())


def keep_landmarks(folder: Path) -> None:
    """Find the landmarks of all usual bones anew, and write them into the library's folder."""
    marks.write(folder, {key: found for _, key, found in _usual()})
    _landmarks.cache_clear()


def stale_landmarks() -> list[str]:
    """Return a line for each usual bone whose landmarks beside the library are not those found now."""
    kept = marks.kept()
    return [
        f"{level}: its landmarks are others"
        for level, key, found in _usual()
        if not _same(found, kept.get(key))
    ]


def _usual() -> Iterator[tuple[Level, str, Mapping[str, Frame]]]:
    """Give every usual bone's level, what its landmarks are kept by, and these, found anew."""
    for level in column():
        shape = kind_of(level).parameters_of(level)
        key = marks.key_of(level, type(shape).__name__, shape.model_dump_json())
        yield level, key, kind_of(level).landmarks(shape)


def _same(found: Mapping[str, Frame], kept: Mapping[str, Frame] | None) -> bool:
    return (
        kept is not None
        and set(found) == set(kept)
        and all(np.allclose(mark.matrix, kept[name].matrix, atol=1e-6) for name, mark in found.items())
    )


@lru_cache(maxsize=256)
def _landmarks(level: Level, shape: type[Spec], written: str) -> Mapping[str, Frame]:
    known = marks.kept().get(marks.key_of(level, shape.__name__, written))
    return known or kind_of(level).landmarks(shape.model_validate_json(written))


def kind_of(level: Level) -> Kind:
    """Return the kind of bone at a level."""
    named = {"C1": "atlas", "C2": "axis", "S1": "sacrum", "Co1": "coccyx"}
    return _KINDS[named.get(level) or ("cervical" if level.startswith("C") else "vertebra")]
