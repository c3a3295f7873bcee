"""The chain of level frames, from the sacrum upwards, and the space between neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from spineviz import measures
from spineviz.structure import Floats, Frame
from spineviz.terms import Level


def tilt(degrees: float) -> Floats:
    """Return frame axes (3, 3) turned forward about the left-right axis by an angle in degrees.

    A positive angle tips the frame's superior direction towards anterior.
    """
    angle = np.radians(degrees)
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])


def sacral_frame(sacral_slope: float) -> Frame:
    """Return the S1 endplate's frame in the world: at the origin, tipped forward by the slope."""
    return Frame(np.zeros(3), tilt(sacral_slope))


def stacked(
    below: Frame, inferior_endplate: Frame, height: float, wedge: float, offset: float = 0.0
) -> Frame:
    """Return the world frame of a bone that stands on a disc.

    ``below`` is the world frame of the upper endplate under the disc; ``inferior_endplate`` the
    frame, in the bone's own frame, of the endplate above the disc. ``height`` (mm) is the disc's
    height between the two endplate centres, ``wedge`` (degrees) its opening to anterior, ``offset``
    (mm) how far the upper centre stands anterior of the lower one.
    """
    half = Frame(np.zeros(3), tilt(-wedge / 2))
    middle = half.then(below)
    centre = below.origin + height * middle.superior + offset * middle.anterior
    above = Frame(centre, half.axes @ middle.axes)
    return inverse(inferior_endplate).then(above)


def inverse(frame: Frame) -> Frame:
    """Return the frame that undoes another."""
    return Frame(-frame.origin @ frame.axes.T, frame.axes.T)


def endplate(landmarks: Mapping[str, Frame], side: Literal["superior", "inferior"], level: Level) -> Frame:
    """Return one of the two endplates among a vertebra's landmarks; ValueError where it is missing."""
    try:
        return landmarks[f"endplate.{side}"]
    except KeyError as error:
        raise ValueError(f"{level}: the landmark {error} is needed to align the spine") from None


def endplates(landmarks: Mapping[str, Frame], level: Level) -> tuple[Frame, Frame]:
    """Return the superior and the inferior endplate among a vertebra's landmarks."""
    return endplate(landmarks, "superior", level), endplate(landmarks, "inferior", level)


def joint_space(level: Level, other: Level) -> float:
    """Return the space (mm) that two neighbouring bones keep, cartilage included."""
    region = "lumbar" if {level[0], other[0]} <= {"L", "S"} else "cervical_and_thoracic"
    return float(measures.value(f"facet_joint.bone_to_bone_gap_{region}"))
