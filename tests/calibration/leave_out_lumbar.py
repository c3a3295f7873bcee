"""L3 and L5 predicted without their references: from neighbours, calipers and some 130 felt places.

The shape of a level's own reference takes no part. What is known of the level is what an anthropometer tells
who has the bone in hand: sizes, landmarks, and where a feeler meets it along fixed lines (`FEELERS`, the same
for both levels).

1. The neighbours are calibrated. The shape to begin with is the mean of L1 and L5 for L3, and for L5, the
last above the sacrum, L3 alone.
2. It is moved to the sizes that a caliper takes (`reference_calipers.TRUSTED`), and its parts to where the
landmarks lie, found on both bones alike.
3. Its parameters are refined on the felt places, each tied to where it started (see `fitting`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import trimesh
from feelers import BACK, DOWN, FORWARD, IN, OUT, UP, Feelers, felt, on_surface
from fit_lumbar import begun
from fit_vertebra import calibrated, shape_of
from fitting import Path, fit, with_numbers
from reference_calipers import agreed
from vertebra_levels import between, numbers
from vertebra_references import in_own_frame

from spineviz.anatomy import vertebra
from spineviz.anatomy.vertebra import VertebraParameters
from spineviz.patient.landmarks import find_landmarks
from spineviz.sdf import mesh
from spineviz.structure import Floats, Frame, Surface
from spineviz.terms import Level

FEELERS: Feelers = (
    # body
    (BACK, ((0, 40, 8), (0, 40, 0), (0, 40, -8), (10, 40, 8), (10, 40, 0), (10, 40, -8))),
    (BACK, ((17, 40, 8), (17, 40, -8))),
    (FORWARD, ((0, -26, 8), (0, -26, 0), (0, -26, -8), (7, -26, 0))),
    (DOWN, ((0, 10, 40), (0, -4, 40), (0, -16, 40), (12, 6, 40), (12, -8, 40), (20, -2, 40), (20, -10, 40))),
    (UP, ((0, 10, -60), (0, -4, -60), (0, -16, -60), (12, 6, -60), (12, -8, -60))),
    (UP, ((20, -2, -60), (20, -10, -60))),
    (IN, ((80, 6, 8), (80, -4, 8), (80, -14, 8), (80, 6, 0), (80, -4, 0))),
    (IN, ((80, 6, -8), (80, -4, -8), (80, -14, -8))),
    # pedicle and vertebral foramen
    (OUT, ((0, -23, 5), (0, -23, 1), (0, -27, 5), (0, -27, 2))),
    (DOWN, ((14, -24, 40), (18, -24, 40))),
    (UP, ((14, -24, -60), (18, -24, -60))),
    # superior articular and mammillary process
    (DOWN, ((13, -32, 40), (17, -32, 40), (21, -32, 40), (17, -38, 40), (21, -38, 40), (24, -36, 40))),
    (FORWARD, ((16, -80, 12), (20, -80, 12), (16, -80, 5), (20, -80, 5), (24, -80, 8), (24, -80, 3))),
    (IN, ((80, -33, 12), (80, -38, 12), (80, -42, 8))),
    (OUT, ((0, -32, 12), (0, -36, 12), (0, -40, 12))),
    # transverse process
    (BACK, ((30, 10, 3), (36, 10, 3), (42, 10, 3), (30, 10, 0))),
    (FORWARD, ((30, -80, 3), (36, -80, 3), (42, -80, 3), (30, -80, 0))),
    (DOWN, ((28, -26, 40), (28, -32, 40), (35, -26, 40), (35, -34, 40), (42, -28, 40), (42, -38, 40))),
    (UP, ((28, -26, -60), (28, -32, -60), (35, -26, -60), (35, -34, -60), (42, -28, -60), (42, -38, -60))),
    (IN, ((80, -27, 3), (80, -32, 3), (80, -38, 3))),
    # pars and laminae
    (IN, ((80, -34, -4), (80, -37, -8))),
    (FORWARD, ((7, -80, 0), (7, -80, -6), (7, -80, -12))),
    (FORWARD, ((12, -80, -2), (12, -80, -8), (12, -80, -14), (16, -80, -8))),
    (BACK, ((0, -26, 3), (0, -26, -2), (0, -26, -8), (6, -26, 3), (6, -26, -4), (6, -26, -8), (11, -26, -8))),
    (DOWN, ((6, -35, 40), (10, -35, 40))),
    (UP, ((6, -37, -60), (10, -32, -60))),
    # inferior articular process
    (UP, ((11, -38, -60), (14, -38, -60), (18, -36, -60))),
    (FORWARD, ((12, -80, -20), (16, -80, -20), (20, -80, -18))),
    (BACK, ((12, 0, -20), (16, 0, -20), (20, 0, -18))),
    (IN, ((80, -38, -15), (80, -38, -20))),
    (OUT, ((0, -38, -20),)),
    # spinous process
    (IN, ((30, -54, -2), (30, -48, -8), (30, -54, -8), (30, -60, -8), (30, -66, -10))),
    (IN, ((30, -48, -14), (30, -54, -14), (30, -60, -16), (30, -66, -18))),
    (DOWN, ((0, -42, 40), (0, -48, 40), (0, -54, 40), (0, -60, 40), (0, -66, 40))),
    (UP, ((0, -42, -60), (0, -48, -60), (0, -54, -60), (0, -60, -60), (0, -66, -60))),
    (FORWARD, ((0, -100, -8), (0, -100, -12), (0, -100, -16), (0, -100, -20))),
)  # fmt: skip
"""Lines along which L3 and L5 are felt: a way, and places (mm, the bone's own frame) that they start from."""

ROUNDS = 20
"""Rounds of a calibration, and of the refinement on felt places."""

FAR, TIED = 10.0, 1.0
"""How far (mm) the refinement looks, and how strongly parameters are tied to where they started."""

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
    shape = agreed(bone, placed(shape, marks, level), level, rounds=1)[0]
    return refined(placed(shape, marks, level), felt(bone, FEELERS))


def refined(start: VertebraParameters, places: Floats) -> VertebraParameters:
    """Return parameters refined on felt places."""
    return fit(shape_of(), start, on_surface(places), FAR, ROUNDS, TIED)


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
