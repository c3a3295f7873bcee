"""Other lower loins than the healthy upright ones: bent, small, tall, and with a sixth lumbar vertebra."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from quick import SampledBone, curved, sampled_bones, sized

from spineviz.anatomy.column.posture import Posture
from spineviz.body import Anatomy
from spineviz.body.skeleton import standing_frames
from spineviz.terms import Level, column

LOWER: tuple[Level, ...] = ("L4", "L5", "S1")
STEP = 1.2
COBB_OF_FIVE = 20.0
"""What a Cobb angle of so many degrees over five discs gives two of them is asked here."""


@cache
def upright() -> dict[Level, SampledBone]:
    """The healthy ones."""
    return sampled_bones(Anatomy(), LOWER, STEP)


def moved(posture: Posture) -> dict[Level, SampledBone]:
    """The healthy ones in a posture."""
    frames = standing_frames(Anatomy(posture=posture), LOWER)
    return {level: bone.at(frames[level]) for level, bone in upright().items()}


OTHERS: Mapping[str, Callable[[], dict[Level, SampledBone]]] = {
    "flexed": lambda: moved(Posture(flexion=80.0)),
    "extended": lambda: moved(Posture(extension=40.0)),
    "scoliotic": lambda: curved(upright(), 2 * COBB_OF_FIVE / 5),
    "small": lambda: {level: sized(bone, 0.9) for level, bone in upright().items()},
    "tall": lambda: {level: sized(bone, 1.1) for level, bone in upright().items()},
    "six": lambda: sampled_bones(Anatomy(levels=column(6)), ("L5", "L6", "S1"), STEP),
}
