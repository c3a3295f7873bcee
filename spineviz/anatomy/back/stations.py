"""Stations: the heights that the shape of the back's soft tissue is given at, for any range of bones.

World frame, mm.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.terms import LEVELS, LOWER_LUMBAR_LEVELS, Level

SACRAL_BODIES = ("S2", "S4")
"""The stations at the second sacral body, and at the fourth, where the muscles of the back end."""

SAME: Mapping[str, str] = {"L5-L6": "L4-L5", "L6-S1": "L5-S1"}
"""Stations of a column with six lumbar vertebrae, and where their values stand."""


def names_of(levels: Iterable[Level]) -> tuple[str, ...]:
    """Return the stations of some neighbouring bones, from cranial to caudal.

    They are the discs between the bones, and above the first and below the last the disc that would be
    there: ``C1`` above the atlas, ``S2`` and ``S4`` in the sacrum.
    """
    known = sorted(levels, key=LEVELS.index)
    whole = [level for level in LEVELS if level != "L6" or "L6" in known]
    first, last = whole.index(known[0]), whole.index(known[-1])
    top = f"{whole[first - 1]}-{whole[first]}" if first else "C1"
    bottom = SACRAL_BODIES if known[-1] == "S1" else (f"{whole[last]}-{whole[last + 1]}",)
    return (top, *(f"{above}-{below}" for above, below in pairwise(known)), *bottom)


@dataclass(frozen=True)
class Stations:
    """Heights (world z, mm) that shape parameters are given at, from cranial to caudal.

    ``names`` tells what they are, see `names_of`; by default those of L3 to the sacrum. ``cranial`` and
    ``caudal`` are where the muscles are cut off.
    """

    heights: tuple[float, ...]
    cranial: float
    caudal: float
    names: tuple[str, ...] = names_of(LOWER_LUMBAR_LEVELS)

    def has(self, *names: str) -> bool:
        """Tell whether some stations are there."""
        return all(any(own in self.names for own in _alike(name)) for name in names)

    def at(self, name: str) -> float:
        """Return the height of a station, mm; raise KeyError where it is not there."""
        for own in _alike(name):
            if own in self.names:
                return self.heights[self.names.index(own)]
        raise KeyError(f"no station {name}; there is: {', '.join(self.names)}")


def _alike(name: str) -> tuple[str, ...]:
    """Return the stations that take the place of one, beginning with those of six lumbar vertebrae."""
    return (*(own for own, usual in SAME.items() if usual == name), name)


def above_coccyx(bones: Mapping[Level, LevelBone]) -> dict[Level, LevelBone]:
    """Return the bones that the back is laid on: all but the coccyx."""
    return {level: bone for level, bone in bones.items() if level != "Co1"}


def stations(bones: Mapping[Level, LevelBone]) -> Stations:
    """Return the stations of a range of neighbouring bones, from their endplates.

    Raises ValueError where a bone of the range is missing, or the coccyx is among them.
    """
    levels = sorted(bones, key=LEVELS.index)
    missing = [
        level
        for level in LEVELS[LEVELS.index(levels[0]) : LEVELS.index(levels[-1])]
        if level not in bones and level != "L6"
    ]
    if missing or "Co1" in bones:
        raise ValueError(f"the back is laid on neighbouring bones down to the sacrum, not on {levels}")
    extent = measures.table("muscles.extent")
    top, bottom = _upper(bones[levels[0]]), _lower(bones[levels[-1]])
    middles = [(_lower(bones[a]) + _upper(bones[b])) / 2.0 for a, b in pairwise(levels)]
    if levels[-1] == "S1":
        last = tuple(bottom - extent[name] for name in ("second_sacral_body", "fourth_sacral_body"))
        caudal = last[-1]
    else:
        last, caudal = (bottom,), bottom - extent["below_last"]
    return Stations((top, *middles, *last), top + extent["above_first"], caudal, names_of(levels))


def _upper(bone: LevelBone) -> float:
    """Return the height of a bone's upper end: its endplate, or the joints of atlas and axis."""
    marks = bone.landmarks
    if "endplate.superior" in marks:
        return float(marks["endplate.superior"].origin[2])
    return float(np.mean([marks[f"facet.superior.{side}"].origin[2] for side in ("left", "right")]))


def _lower(bone: LevelBone) -> float:
    """Return the height of a bone's lower end; of the sacrum, that of its upper endplate."""
    marks = bone.landmarks
    if bone.level == "S1":
        return float(marks["endplate.superior"].origin[2])
    if "endplate.inferior" in marks:
        return float(marks["endplate.inferior"].origin[2])
    return float(np.mean([marks[f"facet.inferior.{side}"].origin[2] for side in ("left", "right")]))
