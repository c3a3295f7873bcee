"""C4 predicted without its reference: from the calibrated C7 and some eighty places felt on C4.

The shape of ``art_C4.ply`` takes no part; neither does the hand-set start of C4. What is known of C4 is where
a feeler meets it along fixed lines (`FEELERS`), as one would digitise a dry bone, and that its spinous
process is cleft.

1. C7 is calibrated on its own reference.
2. Its measures are moved to what published morphometry recommends for C4, and its spinous process is laid
between the places felt on that of C4.
3. Its parameters are refined on the felt places, each tied to where it started (see `fitting`).
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path as File

import numpy as np
import trimesh
from cervical_levels import aims, centred, measures_of, recommended
from feelers import BACK, DOWN, FORWARD, IN, OUT, UP, Feelers, felt, on_surface
from fit_cervical import calibrated, in_own_frame, is_free, plausible, scale, with_morphometry
from fitting import Path, Shape, fit, with_numbers

from spineviz.anatomy.cervical.solid import CervicalParameters, joined, part_fields
from spineviz.anatomy.morphometry import morph
from spineviz.body.person import CERVICAL_VERTEBRAE
from spineviz.structure import Floats

FEELERS: Feelers = (
    # body and uncinate process
    (BACK, ((0, 40, 4), (0, 40, 0), (0, 40, -5), (7, 40, 0), (7, 40, -5))),
    (FORWARD, ((0, -14, 4), (0, -14, 0), (0, -14, -4), (6, -14, 0))),
    (DOWN, ((0, 4, 40), (0, -3, 40), (7, -2, 40), (11.5, -3, 40), (11.5, 0, 40), (12.5, -6, 40))),
    (UP, ((0, 4, -40), (0, -3, -40), (6, -2, -40), (8, 2, -40))),
    (IN, ((40, 1, -5), (40, -4, -5))),
    # pedicle and vertebral foramen
    (OUT, ((0, -9, 1), (0, -12, 1), (0, -15, -3))),
    (DOWN, ((13, -9, 40),)),
    (UP, ((13, -8, -40),)),
    # articular pillar
    (DOWN, ((16, -10, 40), (20, -10, 40), (23, -10, 40), (20, -14, 40), (16, -13, 40))),
    (FORWARD, ((16, -40, -3), (20, -40, -3), (23, -40, -3), (20, -40, 3), (20, -40, -9), (16, -40, -9))),
    (IN, ((40, -12, 5), (40, -12, -2), (40, -13, -8))),
    (UP, ((16, -12, -40), (20, -12, -40), (23, -12, -40), (20, -8, -40), (16, -8, -40))),
    # laminae
    (FORWARD, ((12, -40, -5), (8, -40, -7), (4, -40, -8), (10, -40, -10), (10, -40, -1))),
    (BACK, ((11, -10, -6), (5, -14, -9), (0, -14, -9))),
    (DOWN, ((9, -20, 40), (5, -23, 40), (0, -26, 40))),
    (UP, ((10, -19, -40), (6, -23, -40))),
    # spinous process
    (FORWARD, ((0, -50, -9), (0, -50, -13), (4.5, -50, -16), (3, -50, -12))),
    (IN, ((30, -28, -14), (30, -30, -16.5), (30, -26, -12))),
    (UP, ((4.5, -30, -40), (0, -27, -40), (3, -28, -40))),
    # transverse process and its foramen
    (IN, ((40, -1, 1), (40, -5, -1), (40, -8, 1))),
    (BACK, ((17, 40, 2), (20, 40, 2), (17, 40, -2))),
    (DOWN, ((20, -1, 40), (22, -4, 40), (18, 0, 40), (22, -8, 40))),
    (UP, ((20, -1, -40), (22, -4, -40), (18, 0, -40))),
    (OUT, ((15.5, -3, 1.5),)), (IN, ((15.5, -3, 1.5),)), (FORWARD, ((15.5, -3, 1.5),)),
    (BACK, ((15.5, -3, 1.5),)),
)  # fmt: skip
"""Lines along which C4 is felt: a direction, and places (mm, the bone's own frame) that they start from."""

TIED, ROUNDS = 2.0, 25
"""How strongly parameters are tied to where they started; how many rounds they are refined."""


def cleft(shape: CervicalParameters, places: Floats) -> CervicalParameters:
    """Return a shape whose spinous process is cleft, its tips where the hindmost felt place is."""
    tip = places[np.argmin(places[:, 1])]
    base = places[(places[:, 0] < 1.0) & (places[:, 1] < -15.0)]
    root = base[np.argmax(base[:, 1])] * [0.0, 1.0, 1.0] + [0.0, -1.0, -1.0]
    way = (tip - root) * [0.0, 1.0, 1.0]
    x = float(abs(tip[0]))
    numbers: dict[Path, float] = {}
    lay = {
        ("spinous_process", "start"): (root + 0.1 * way)[1:],
        ("spinous_process", "end"): (root + 0.55 * way)[1:],
        ("spinous_process", "half_thickness"): (1.6, 2.2, 2.6),
        ("spinous_process", "half_height"): (3.2, 2.8, 2.2),
        ("spinous_tubercle", "start"): root + 0.2 * way + [0.4 * x, 0.0, 0.0],
        ("spinous_tubercle", "end"): root + 0.88 * way + [x, 0.0, 0.0],
        ("spinous_tubercle", "across"): (2.0, 2.0, 1.8), ("spinous_tubercle", "along"): (3.2, 2.8, 1.8),
        ("spinous_cleft", "start"): (root + 0.72 * way)[1:], ("spinous_cleft", "end"): (root + 1.3 * way)[1:],
    }  # fmt: skip
    for path, values in lay.items():
        numbers |= {(*path, i): float(value) for i, value in enumerate(values)}
    return with_numbers(shape, numbers)


@cache
def predicted(level: str) -> CervicalParameters:
    """Return the shape of C4 without its reference; ValueError for any other level."""
    if level != "C4":
        raise ValueError(f"only C4 is predicted without its reference, not {level!r}")
    folder = File(os.environ["SPINEVIZ_SHARED"]) / "reference"
    places = felt(in_own_frame(trimesh.load(folder / "art_C4.ply", force="mesh"), "C4"), FEELERS)
    start = calibrated(9, ("C7",))["C7"]
    known = recommended(level)
    aim = aims(level, measures_of(start), known, known)
    start = morph.prepare(start, level, CERVICAL_VERTEBRAE).near(aim).parameters
    start = cleft(start, places)
    return centred(with_morphometry(refined(start, places), level))


def refined(start: CervicalParameters, places: Floats) -> CervicalParameters:
    """Return parameters refined on felt places."""
    kind: Shape[CervicalParameters] = Shape(
        part_fields, joined, lambda path: is_free(path, ""), scale, plausible
    )
    return fit(kind, start, on_surface(places), 10.0, ROUNDS, TIED)
