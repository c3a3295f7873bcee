"""The last touches to the shapes of C3 to C7, after their calibration: what the references do not have.

The groove of the spinal nerve is laid over each pedicle, and the numbers in `LAST` are added.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from fitting import Path, entries, with_numbers

from spineviz.anatomy.cervical.landmarks import landmarks
from spineviz.anatomy.cervical.solid import CervicalParameters, field
from spineviz.anatomy.vertebra.landmarks import leaving
from spineviz.spec import Spec
from spineviz.structure import Floats

OUTWARD, FALL = 45.0, 12.0
"""How the nerve leaves the canal: so far (degrees) to the side of anterior, and downwards."""

OUTSIDE, HALF_HEIGHT = 9.0, 3.4
"""How far (mm) the groove runs out from the pedicle's isthmus, and half the height of what takes it out."""

HALF_WIDTH: dict[str, float] = {"C3": 2.6, "C4": 2.6, "C5": 2.6, "C6": 2.6, "C7": 2.0}
"""Half of the groove's width, mm."""

INSIDE: dict[str, float] = {"C3": 6.0, "C4": 6.0, "C5": 6.0, "C6": 6.0, "C7": -5.0}
"""How far (mm) it runs from the isthmus towards the canal; in C7 the articular process stands there."""

SUNK: dict[str, float] = {"C3": 0.0, "C4": 0.0, "C5": 0.1, "C6": -0.4, "C7": -0.4}
"""How deep (mm) the groove is sunk into the lowest place of the pedicle's top."""

SADDLE = np.arange(-1.0, 2.6, 0.25)
"""Where behind the isthmus, along the pedicle, that lowest place is looked for, mm."""

RAISED: dict[str, float] = {"C3": 5.0, "C4": 6.0, "C5": 12.0, "C6": 20.0}
"""How much less (degrees) a spinous process slopes than its reference, so that it stays clear of the next one
in extension."""

# fmt: off
LAST: dict[str, dict[Path, float]] = {
    "C3": {
        ("pedicle", "across", 1): -0.55, ("pedicle", "start", 2): 0.4, ("pedicle", "end", 2): 0.6,
        **{("spinous_process", "half_height", i): -0.2 for i in range(3)},
        ("spinous_tubercle", "along", 0): -0.2, ("spinous_tubercle", "along", 1): -0.2,
    },
    "C4": {
        ("pedicle", "across", 1): -0.7, ("pedicle", "start", 2): 0.4, ("pedicle", "end", 2): 0.6,
        ("pedicle", "along", 1): 0.25, ("pedicle", "along", 2): 0.3,
        ("articular_pillar", "column", "across", 0): -0.2, ("articular_pillar", "column", "across", 1): -0.2,
        ("spinous_process", "start", 0): 0.4, ("spinous_process", "end", 0): -0.2,
        ("spinous_cleft", "start", 0): -0.9, ("spinous_cleft", "start", 1): -0.9,
        **{("spinous_process", "half_height", i): -0.75 for i in range(3)},
        ("spinous_tubercle", "along", 0): -0.5, ("spinous_tubercle", "along", 1): -0.5,
    },
    "C5": {
        **{("lamina", "across", i): -0.3 for i in range(3)},
        ("lamina", "start", 2): 0.2, ("lamina", "end", 2): 0.3,
        ("spinous_process", "start", 1): 0.3, ("spinous_process", "end", 1): 0.3,
        ("spinous_tubercle", "start", 2): 0.3, ("spinous_tubercle", "end", 2): 0.3,
        ("spinous_cleft", "start", 1): 0.3, ("spinous_cleft", "end", 1): 0.3,
    },
    "C6": {
        **{("lamina", "across", i): -0.4 for i in range(3)},
        **{("spinous_process", "half_height", i): -0.4 for i in range(3)},
        **{("spinous_tubercle", "along", i): -0.4 for i in range(3)},
        ("lamina", "start", 2): 0.4, ("lamina", "end", 2): 0.6,
        ("spinous_process", "start", 1): 0.6, ("spinous_process", "end", 1): 0.6,
        ("spinous_tubercle", "start", 2): 0.6, ("spinous_tubercle", "end", 2): 0.6,
        ("spinous_cleft", "start", 1): 0.6, ("spinous_cleft", "end", 1): 0.6,
    },
    "C7": {
        ("lamina", "start", 2): -0.3, ("lamina", "end", 2): -0.6,
        ("spinous_process", "start", 1): -0.6, ("spinous_process", "end", 1): -0.2,
        ("spinous_process", "half_height", 0): -0.3, ("spinous_process", "half_height", 1): -0.2,
        ("uncinate_process", "end", 1): -1.9, ("uncinate_process", "end", 2): 2.2,
    },
}
# fmt: on
"""What a level gets at the very end (mm): a pedicle whose lower border leaves a notch (C3, C4); spinous
processes and laminae that stay clear of each other in extension; a higher uncinate process (C7) before the
foramen above it."""

NO_GROOVE = (np.array([0.0, 0.0, 60.0]), np.array([0.0, 10.0, 70.0]))
"""Where a groove touches no bone: from here to there, mm."""

GROOVED = {"roll": [0.0, 0.0], "bow": [0.0, 0.0], "curl": [0.0, 0.0], "exponent": 2.0}


def finished(shapes: Mapping[str, Spec]) -> dict[str, Any]:
    """Return the shapes of C3 to C7 with what is added at the very end."""
    result: dict[str, Any] = {}
    for level, shape in shapes.items():
        values = dict(entries(shape.model_dump()))
        by = LAST.get(level, {})
        touched = with_numbers(shape, {path: values[path] + d for path, d in by.items()})
        result[level] = grooved(raised(touched, RAISED.get(level, 0.0)), level)
    return result


def raised(shape: Any, degrees: float) -> Any:
    """Return a shape whose spinous process is turned up about its root."""
    values = dict(entries(shape.model_dump()))
    root = np.array(shape.spinous_process.start)
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    numbers: dict[Path, float] = {}
    for part, end, first in (
        ("spinous_process", "end", 0), ("spinous_tubercle", "start", 1), ("spinous_tubercle", "end", 1),
        ("spinous_cleft", "start", 0), ("spinous_cleft", "end", 0),
    ):  # fmt: skip
        y, z = (values[(part, end, first + i)] - root[i] for i in (0, 1))
        numbers[(part, end, first)] = float(root[0] + c * y + s * z)
        numbers[(part, end, first + 1)] = float(root[1] + c * z - s * y)
    return with_numbers(shape, numbers)


def grooved(shape: Any, level: str) -> CervicalParameters:
    """Return a shape with its groove laid over the isthmus of the pedicle as that stands."""
    bare = with_groove(shape.model_dump(), *NO_GROOVE)
    isthmus = landmarks(bare)["pedicle.right"]
    bone = field(bare)
    tops = [leaving(bone, isthmus.origin - by * isthmus.anterior, np.array([0.0, 0.0, 1.0])) for by in SADDLE]
    out, fall = np.radians(OUTWARD), np.radians(FALL)
    way = np.array([np.cos(fall) * np.sin(out), np.cos(fall) * np.cos(out), -np.sin(fall)])
    lowest = min(float(top[2]) for top in tops)
    middle = np.array([isthmus.origin[0], isthmus.origin[1], lowest - SUNK[level] + HALF_HEIGHT])
    return with_groove(
        shape.model_dump(), middle - INSIDE[level] * way, middle + OUTSIDE * way, HALF_WIDTH[level]
    )


def with_groove(
    shape: Mapping[str, Any], start: Floats, end: Floats, half_width: float = 2.0
) -> CervicalParameters:
    """Return the shape of some parameters with its groove from one place to another."""
    groove: dict[str, Any] = {
        "start": start.tolist(), "end": end.tolist(), "across": [HALF_HEIGHT], "along": [half_width],
        "caps": [2.0, 2.0], "blend": 1.2, **GROOVED,
    }  # fmt: skip
    return CervicalParameters.model_validate({**shape, "nerve_groove": groove})
