"""Measures of a vertebra that decide how much room nerves have."""

from __future__ import annotations

import numpy as np

from spineviz.patient import posterior_arch as arch
from spineviz.patient.probe import Probe, frame_in, probe_of
from spineviz.patient.vertebral_body import endplate
from spineviz.structure import Bone, Floats
from spineviz.terms import SIDES, SIGN


def measures_of(bone: Bone) -> dict[str, float]:
    """Measure a lumbar vertebra, generated or given (mm).

    ``endplate.superior.width`` and ``.depth``, the same of ``endplate.inferior`` (5 mm under the rim);
    ``body.height`` between the centres of the rims; ``canal.depth`` (midsagittal, at the upper border of the
    lamina) and ``canal.width`` (between the pedicles).

    Raises ValueError for the sacrum and where the surface has no such walls.
    """
    if bone.level == "S1":
        raise ValueError("S1: these are measures of a lumbar vertebra; choose L3, L4 or L5")
    probe = probe_of(bone.surface, bone.distance).seen_from(bone.frame)
    own = {name: frame_in(bone.frame, mark) for name, mark in bone.landmarks.items()}
    room = arch.canal(probe, float(own["canal"].origin[2]))
    left, right = (_medial_wall(probe, own[f"pedicle.{side}"].origin, SIGN[side]) for side in SIDES)
    result = {
        "body.height": _between(own["endplate.superior"].origin, own["endplate.inferior"].origin),
        "canal.depth": room.front - room.back,
        "canal.width": right - left,
    }
    for name, side in (("superior", 1.0), ("inferior", -1.0)):
        plate = endplate(probe, side)
        result[f"endplate.{name}.width"] = plate.width
        result[f"endplate.{name}.depth"] = plate.depth
    return result


def _medial_wall(bone: Probe, isthmus: Floats, sign: float) -> float:
    """Return the x of a pedicle's wall towards the canal."""
    return float(bone.leaving(isthmus, np.array([-sign, 0.0, 0.0]))[0])


def _between(first: Floats, second: Floats) -> float:
    return float(np.linalg.norm(first - second))
