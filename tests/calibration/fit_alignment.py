"""Finds the wedges of discs with which the usual bones stand in curves of published size, and writes them.

Run ``python tests/calibration/fit_alignment.py`` after the shape of a vertebral body has changed; add
``--check`` to see the curves only. What a curve lacks is shared out over its discs.
"""

from __future__ import annotations

import re
import sys
from itertools import pairwise

import numpy as np

from spineviz import measures
from spineviz.body import Anatomy
from spineviz.body.kinds import landmarks_of
from spineviz.library import data_folder
from spineviz.structure import Floats
from spineviz.terms import Disc, Level, column, discs_of

CURVES: dict[str, tuple[tuple[Level, str], tuple[Level, str], float]] = {
    "lumbar lordosis": (("L1", "superior"), ("S1", "superior"), 51.0),
    "thoracic kyphosis": (("T4", "superior"), ("T12", "inferior"), -36.0),
    "cervical lordosis": (("C2", "inferior"), ("C7", "inferior"), 10.0),
}
"""Between which endplates each curve is measured, and how far it opens to the front, degrees."""

SIXTH: dict[Disc, Disc] = {"L4-L5": "L5-L6", "L5-S1": "L6-S1"}
"""Discs of six lumbar vertebrae that are like those of five."""


def body_wedge(level: Level) -> float:
    """Return how far a body opens to the front between its endplates, degrees."""
    marks = landmarks_of(level, Anatomy().shape(level))
    above, below = marks["endplate.superior"].superior, marks["endplate.inferior"].superior
    return float(_lean(above) - _lean(below))


def _lean(superior: Floats) -> float:
    _, y, z = superior
    return float(np.degrees(np.arctan2(-y, z)))


def within(upper: tuple[Level, str], lower: tuple[Level, str]) -> tuple[list[Level], list[Disc]]:
    """Return the bodies and the discs of a curve."""
    levels = column()
    first, last = levels.index(upper[0]), levels.index(lower[0])
    inside = levels[first : last + 1]
    bodies = [
        level
        for level in inside
        if (level != upper[0] or upper[1] == "superior") and (level != lower[0] or lower[1] == "inferior")
    ]
    return bodies, [disc for pair in pairwise(inside) for disc in discs_of(pair)]


def main() -> None:
    """Print the curves and, unless told otherwise, write the wedges that make them right."""
    path = data_folder("meshes") / "measures" / "alignment.toml"
    text = path.read_text("utf-8")
    for name, (upper, lower, wanted) in CURVES.items():
        bodies, discs = within(upper, lower)
        wedges = {disc: float(measures.value(f"discs.{disc}.wedge")) for disc in discs}
        found = sum(wedges.values()) + sum(body_wedge(level) for level in bodies)
        sys.stdout.write(f"{name}: {found:.1f} degrees, {wanted:g} wanted\n")
        for disc in discs:
            value = round(wedges[disc] + (wanted - found) / len(discs), 1)
            for one in (disc, SIXTH.get(disc)):
                if one is not None:
                    text = re.sub(
                        rf"(\[discs\.{one}\]\n.*\nwedge = {{ value = )[-\d.]+", rf"\g<1>{value}", text
                    )
    if "--check" not in sys.argv:
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
