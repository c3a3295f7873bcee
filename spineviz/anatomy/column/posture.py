"""Posture: how a standing column bends and turns, shared out over its segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
from pydantic import Field as Limits
from scipy.spatial.transform import Rotation

from spineviz import measures
from spineviz.spec import Spec
from spineviz.structure import Frame
from spineviz.terms import Level, region_of

Movement = Literal["flexion", "extension", "lateral_bend", "rotation"]


class Posture(Spec):
    """A movement away from neutral standing, of the whole column from C1 to the sacrum; all in degrees.

    ``flexion`` bends forward and ``extension`` backward; ``lateral_bend`` to the patient's right and, where
    negative, to the left; ``rotation`` turns the front to the patient's right and, where negative, to
    the left. Each segment takes the share that its published range of motion has in that of the column.
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


def moved(
    posture: Posture, column: Sequence[Level], frames: Mapping[Level, Frame], plates: Mapping[Level, Frame]
) -> dict[Level, Frame]:
    """Return the world frames of bones in a posture, from their frames in neutral.

    ``column`` are all bones from above, over which the movement is shared out; ``frames`` those that are
    asked for, down to the sacrum, which stands still with what hangs on it. ``plates`` are the frames about
    which what lies above turns (see `centre_of_rotation`), in the world, by the level below the segment.

    Raises ValueError where the posture asks for more than the column's range of motion.
    """
    angles = _angles(posture, list(pairwise(column)))
    result = dict(frames)
    movement = np.eye(4)
    for above, below in reversed(list(pairwise(frames))):
        if below in plates:
            movement = movement @ _turn(angles[above, below], plates[below])
            result[above] = _carried(frames[above], movement)
    return result


def _angles(posture: Posture, segments: Sequence[Segment]) -> dict[Segment, tuple[float, float, float]]:
    """Return each segment's forward tilt, bend to the right and turn to the right, degrees."""
    flexion = _shares(posture.flexion, "flexion", segments)
    extension = _shares(posture.extension, "extension", segments)
    bend = _shares(posture.lateral_bend, "lateral_bend", segments)
    turn = _shares(posture.rotation, "rotation", segments)
    return {item: (flexion[item] - extension[item], bend[item], turn[item]) for item in segments}


def _shares(degrees: float, movement: Movement, segments: Sequence[Segment]) -> dict[Segment, float]:
    ranges = {segment: range_of_motion(segment, movement) for segment in segments}
    whole = sum(ranges.values())
    if abs(degrees) > whole:
        words = movement.replace("_", " ")
        raise ValueError(f"{words} of {degrees:g} degrees: this column has a range of {whole:.0f} degrees")
    return {segment: degrees * own / whole if whole else 0.0 for segment, own in ranges.items()}


def _turn(angles: tuple[float, float, float], plate: Frame) -> np.ndarray:
    """Return the 4 x 4 movement of all that lies above a segment, in the world."""
    tilt, bend, turn = np.radians(angles)
    axes = -tilt * plate.right + bend * plate.anterior - turn * plate.superior
    rotation = Rotation.from_rotvec(axes).as_matrix()
    result = np.eye(4)
    result[:3, :3] = rotation
    result[:3, 3] = plate.origin - rotation @ plate.origin
    return result


def _carried(frame: Frame, movement: np.ndarray) -> Frame:
    rotation = movement[:3, :3]
    return Frame(rotation @ frame.origin + movement[:3, 3], frame.axes @ rotation.T)


def centre_of_rotation(plate: Frame, depth: float) -> Frame:
    """Return the frame about which a segment turns: its lower endplate's, moved back and down.

    ``plate`` is the endplate under the disc, in the world, and ``depth`` (mm) its size from front to back.
    """
    behind = float(measures.value("motion.centre_behind")) * depth
    below = float(measures.value("motion.centre_below"))
    return Frame(plate.origin - behind * plate.anterior - below * plate.superior, plate.axes)
