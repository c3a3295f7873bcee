"""Which kind of bone stands at which level: each kind's parameters, solid, landmarks and cartilage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
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

    Raises ValueError where a part of the bone does not reach the rest of it.
    """
    return _landmarks(level, type(parameters), parameters.model_dump_json())


@lru_cache(maxsize=256)
def _landmarks(level: Level, shape: type[Spec], written: str) -> Mapping[str, Frame]:
    known = marks.kept(level, written)
    return kind_of(level).landmarks(shape.model_validate_json(written)) if known is None else known


def found_now() -> dict[Level, tuple[str, Mapping[str, Frame]]]:
    """Return the landmarks of every healthy bone, found anew, each beside the text of its parameters."""
    shapes = {level: kind_of(level).parameters_of(level) for level in column()}
    return {
        level: (shape.model_dump_json(), kind_of(level).landmarks(shape)) for level, shape in shapes.items()
    }


def kind_of(level: Level) -> Kind:
    """Return the kind of bone at a level."""
    named = {"C1": "atlas", "C2": "axis", "S1": "sacrum", "Co1": "coccyx"}
    return _KINDS[named.get(level) or ("cervical" if level.startswith("C") else "vertebra")]
