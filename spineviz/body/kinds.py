"""Which kind of bone stands at which level: each kind's parameters, solid, landmarks and cartilage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from spineviz.anatomy import atlas, axis, cervical, coccyx, sacrum, vertebra
from spineviz.sdf.solid import Solid
from spineviz.spec import Spec
from spineviz.structure import Floats, Frame
from spineviz.terms import Level


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


def kind_of(level: Level) -> Kind:
    """Return the kind of bone at a level."""
    named = {"C1": "atlas", "C2": "axis", "S1": "sacrum", "Co1": "coccyx"}
    return _KINDS[named.get(level) or ("cervical" if level.startswith("C") else "vertebra")]
