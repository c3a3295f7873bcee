"""Posture: how a standing column bends and turns, shared out over its segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from pydantic import Field as Limits
from scipy.spatial.transform import Rotation

from spineviz import measures
from spineviz.spec import Spec
from spineviz.structure import Floats, Frame
from spineviz.terms import Level, region_of

Movement = Literal["flexion", "extension", "lateral_bend", "rotation"]


class Posture(Spec):
    """A movement away from neutral standing, of the whole column from C1 to the sacrum; all in degrees.

    ``flexion`` bends forward and ``extension`` backward; ``lateral_bend`` to the patient's right and, where
    negative, to the left; ``rotation`` turns the front to the patient's right and, where negative, to
    the left. Each segment takes the share that its published range of motion has in that of the column. In
    the neck bending and turning go together, as the oblique facets glide on each other.
    """

    flexion: float = Limits(default=0.0, ge=0.0)
    extension: float = Limits(default=0.0, ge=0.0)
    lateral_bend: float = 0.0
    rotation: float = 0.0

    @property
    def neutral(self) -> bool:
        """Whether nothing moves."""
        return self == Posture()


Segment = tuple[Level, Level]
"""The level above and the level below a motion segment."""


COMPENSATING: Segment = ("C1", "C2")
"""The segment in which the head turns back what the neck below it turns while bending."""


def range_of_motion(segment: Segment, movement: Movement) -> float:
    """Return how far a segment moves from neutral, in degrees; to one side for bend and rotation.

    0 for a segment that has no range in the measures. Source: White and Panjabi 1990.
    """
    known = measures.table("range_of_motion")
    name = "-".join(segment)
    if name not in known:
        return 0.0
    if movement in ("flexion", "extension"):
        share = float(measures.value(f"motion.flexion_share_{region_of(segment[0])}"))
        return float(known[name]["flexion_extension"]) * (share if movement == "flexion" else 1 - share)
    return float(known[name][movement])


@dataclass(frozen=True, eq=False)
class Centres:
    """About which points a segment tilts, bends and turns: frames in the world, with the endplate's axes."""

    tilt: Frame
    bend: Frame
    turn: Frame


def moved(
    posture: Posture, column: Sequence[Level], frames: Mapping[Level, Frame], centres: Mapping[Level, Centres]
) -> dict[Level, Frame]:
    """Return the world frames of bones in a posture, from their frames in neutral.

    ``column`` are all bones from above, over which the movement is shared out; ``frames`` those that are
    asked for, down to the sacrum, which stands still with what hangs on it. ``centres`` are those about
    which what lies above turns (see `centres_of_rotation`), by the level below the segment.

    Raises ValueError where the posture asks for more than the column's range of motion.
    """
    angles = _angles(posture, list(pairwise(column)))
    result = dict(frames)
    movement = np.eye(4)
    for above, below in reversed(list(pairwise(frames))):
        if below in centres:
            movement = movement @ _movement(angles[above, below], centres[below])
            result[above] = _carried(frames[above], movement)
    return result


def _angles(posture: Posture, segments: Sequence[Segment]) -> dict[Segment, tuple[float, float, float]]:
    """Return each segment's forward tilt, bend to the right and turn to the right, degrees.

    Where bending and turning are coupled, each brings some of the other to the same side; between atlas and
    axis the head turns back by as much, so that it looks ahead while the neck bends.
    """
    flexion = _shares(posture.flexion, "flexion", segments)
    extension = _shares(posture.extension, "extension", segments)
    bend = _shares(posture.lateral_bend, "lateral_bend", segments)
    turn = _shares(posture.rotation, "rotation", segments)
    known = measures.table("coupling")
    ratios = {item: known.get("-".join(item), {}) for item in segments}
    turned = {item: bend[item] * ratios[item].get("turn_with_bend", 0.0) for item in segments}
    bent = {item: turn[item] * ratios[item].get("bend_with_turn", 0.0) for item in segments}
    if COMPENSATING in turned:
        turned[COMPENSATING] -= sum(turned.values())
    return {
        item: (flexion[item] - extension[item], bend[item] + bent[item], turn[item] + turned[item])
        for item in segments
    }


def _shares(degrees: float, movement: Movement, segments: Sequence[Segment]) -> dict[Segment, float]:
    ranges = {segment: range_of_motion(segment, movement) for segment in segments}
    whole = sum(ranges.values())
    if abs(degrees) > whole:
        words = movement.replace("_", " ")
        raise ValueError(f"{words} of {degrees:g} degrees: this column has a range of {whole:.0f} degrees")
    return {segment: degrees * own / whole if whole else 0.0 for segment, own in ranges.items()}


def _movement(angles: tuple[float, float, float], centres: Centres) -> np.ndarray:
    """Return the 4 x 4 movement of all that lies above a segment, in the world."""
    tilt, bend, turn = np.radians(angles)
    forward = _turned(-tilt * centres.tilt.right, centres.tilt.origin)
    aside = _turned(bend * centres.bend.anterior, centres.bend.origin)
    around = _turned(-turn * centres.turn.superior, centres.turn.origin)
    return aside @ around @ forward


def _turned(vector: Floats, centre: Floats) -> np.ndarray:
    """Return the 4 x 4 rotation about a point by a rotation vector (radians)."""
    rotation = Rotation.from_rotvec(vector).as_matrix()
    result = np.eye(4)
    result[:3, :3] = rotation
    result[:3, 3] = centre - rotation @ centre
    return result


def _carried(frame: Frame, movement: np.ndarray) -> Frame:
    rotation = movement[:3, :3]
    return Frame(rotation @ frame.origin + movement[:3, 3], frame.axes @ rotation.T)


def centres_of_rotation(plate: Frame, depth: float, segment: Segment) -> Centres:
    """Return about which points a segment moves, by the endplate under its disc.

    ``plate`` is that endplate's frame in the world (under the atlas, that of the dens' facet) and ``depth``
    (mm) its size from front to back.
    """
    tables = measures.table("centres_of_rotation")
    known = tables.get("-".join(segment), tables[region_of(segment[0])])

    def centre(movement: str) -> Frame:
        behind, above = known[movement]["behind"] * depth, known[movement]["above"]
        return Frame(plate.origin - behind * plate.anterior + above * plate.superior, plate.axes)

    return Centres(centre("tilt"), centre("bend"), centre("turn"))
