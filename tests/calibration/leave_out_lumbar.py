"""L3 and L5 predicted without their references: from neighbours and what is measured on the bone by hand.

`predicted` leaves a level's reference out of the calibration and begins with the shape that its neighbours
give: the mean of L1 and L5 for L3, and for L5, the last above the sacrum, L3 alone. Then the bone is measured
as an anthropometer does, and the shape moved to it: the sizes that a caliper takes
(`reference_calipers.TRUSTED`), and the places of two dozen landmarks, found on both bones alike.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import trimesh
from fit_lumbar import begun
from fit_vertebra import calibrated
from fitting import Path, with_numbers
from reference_calipers import agreed
from vertebra_levels import between, numbers
from vertebra_references import in_own_frame

from spineviz.anatomy import vertebra
from spineviz.anatomy.vertebra import VertebraParameters
from spineviz.patient.landmarks import find_landmarks
from spineviz.sdf import mesh
from spineviz.structure import Frame, Surface
from spineviz.terms import Level

ROUNDS, TIMES = 20, 3
"""Rounds of a calibration, and how often sizes and places are brought together."""

WHOLE = np.ones(3)
LEVEL = np.array([0.0, 1.0, 1.0])

CARRIED: dict[str, dict[tuple[str, str], np.ndarray]] = {
    "facet.superior.right": {
        (part, end): WHOLE
        for part in ("superior_articular_process", "mammillary_process")
        for end in ("start", "end")
    },
    "facet.inferior.right": {("inferior_articular_process", "end"): WHOLE},
    "pars.right": {("inferior_articular_process", "start"): WHOLE},
    "transverse.right": {("transverse_process", "end"): WHOLE},
    "pedicle.right": {
        ("pedicle", "start"): WHOLE, ("pedicle", "end"): WHOLE, ("transverse_process", "start"): WHOLE,
    },
    "lamina.right": {("lamina", "start"): WHOLE},
    "spinous.base": {("spinous_process", "start"): WHOLE, ("lamina", "end"): LEVEL},
    "spinous.tip": {
        ("spinous_process", name): WHOLE for name in ("end", "bulb_superior", "bulb_inferior")
    },
}  # fmt: skip
"""Which places move with a landmark, and along which axes."""

TURNED = {
    "facet.superior.right": "superior_articular_process",
    "facet.inferior.right": "inferior_articular_process",
}
"""Which processes turn with a facet."""

SHARE, TURN = 0.8, 0.7
"""How much of a way, and of an angle, is gone at a time."""


def predicted(level: Level) -> VertebraParameters:
    """Return L3 or L5 as its neighbours and its measures tell. Raises KeyError for any other level."""
    starts = {"L3": _between_neighbours, "L5": _above}
    shape, bone = starts[level](), in_own_frame(level)
    marks = _found(bone, level)
    shape = placed(shape, marks, level)
    for _ in range(TIMES):
        shape = placed(_sized(bone, shape, level), marks, level)
    return shape


def _sized(bone: trimesh.Trimesh, shape: VertebraParameters, level: Level) -> VertebraParameters:
    """Return a shape moved to a bone's caliper measures; one that no caliper fits yet stays for a round."""
    try:
        return agreed(bone, shape, level, rounds=1)[0]
    except ValueError:
        return shape


def placed(shape: VertebraParameters, marks: Mapping[str, Frame], level: Level) -> VertebraParameters:
    """Return a shape whose parts are carried towards where some landmarks lie."""
    surface = mesh(vertebra.solid(shape), 1.0, mirror=True)
    own = _found(trimesh.Trimesh(surface.vertices, surface.faces, process=False), level)
    known = numbers(shape)
    for name, parts in CARRIED.items():
        way = SHARE * (marks[name].origin - own[name].origin)
        for (part, end), along in parts.items():
            places: list[Path] = [(part, end, i) for i in range(3) if (part, end, i) in known]
            for path, step in zip(places, (along * way)[3 - len(places) :], strict=True):
                known[path] += float(step)
    for name, part in TURNED.items():
        turns = [np.degrees(np.arctan2(*mark[name].anterior[1::-1])) for mark in (own, marks)]
        for i in range(2):
            known[(part, "roll", i)] += TURN * float((turns[1] - turns[0] + 180.0) % 360.0 - 180.0)
    return with_numbers(shape, known)


def _found(bone: trimesh.Trimesh, level: Level) -> Mapping[str, Frame]:
    """Return the landmarks found on a bone's surface."""
    return find_landmarks(Surface(np.asarray(bone.vertices), np.asarray(bone.faces)), level)[1]


def _between_neighbours() -> VertebraParameters:
    above, below = (calibrated(level, begun("L1"), ROUNDS) for level in ("L1", "L5"))
    return between(above, below, 0.5)


def _above() -> VertebraParameters:
    return calibrated("L3", begun("L1"), ROUNDS)
