"""The bones beside the spine: ribs on the thoracic vertebrae, an ilium on each side of the sacrum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.girdle import ilium, rib
from spineviz.sdf.mesher import mesh
from spineviz.structure import Floats, Frame, Points, Structure, Surface
from spineviz.terms import LEVELS, SIDES, Level, Side, region_of

Beside = Literal["ribs", "ilium"]
"""Bones beside the spine that a scene may show."""

STEP: Mapping[Beside, float] = {"ribs": 1.3, "ilium": 1.5}
"""The meshing step, mm."""


def girdle(
    bones: Mapping[Level, LevelBone], shown: Sequence[Beside], size: float = 1.0
) -> dict[str, Structure]:
    """Return the bones beside the spine, standing in the world: ``rib.T5.left``, ``ilium.left``.

    ``size`` is how large the body is beside the mean; ribs and ilium are as large.

    A rib is there where its vertebra is, and stands between it and the one above where that is there too;
    the ilium is there where the sacrum is.
    """
    result: dict[str, Structure] = {}
    thoracic = [level for level in bones if region_of(level) == "thoracic" and "ribs" in shown]
    for side in SIDES:
        for level in thoracic:
            name = f"rib.{level}.{side}"
            result[name] = Structure(name, "bone", _rib(bones, level, side, size), side)
        if "ilium" in shown and "S1" in bones:
            name = f"ilium.{side}"
            result[name] = Structure(name, "bone", _ilium(bones["S1"], side, size), side)
    return result


def _rib(bones: Mapping[Level, LevelBone], level: Level, side: Side, size: float) -> Surface:
    own = bones[level]
    above = bones.get(LEVELS[LEVELS.index(level) - 1])
    upper = above.landmarks.get(f"costal.inferior.{side}") if above is not None else None
    head = _smaller(rib.head_frame(own.landmarks[f"costal.superior.{side}"], upper), size)
    near = [bone for bone in (own, above) if bone is not None]

    def vertebrae(points: Points) -> Floats:
        return np.min([bone.distance(size * points) for bone in near], axis=0) / size

    facet = own.landmarks.get(f"costal.transverse.{side}")
    tubercle = _smaller(facet, size) if facet is not None else None
    made = mesh(rib.solid(rib.parameters_of(level), head, tubercle, side, vertebrae), STEP["ribs"])
    return made.moved(size * made.vertices)


def _ilium(sacrum: LevelBone, side: Side, size: float) -> Surface:
    def distance(points: Points) -> Floats:
        return sacrum.distance(sacrum.frame.to_parent(size * points)) / size

    made = mesh(ilium.solid(ilium.parameters(), distance, side), STEP["ilium"])
    return made.moved(size * made.vertices).placed(sacrum.frame)


def _smaller(frame: Frame, size: float) -> Frame:
    """Return a frame where it would be in a body of mean size."""
    return Frame(frame.origin / size, frame.axes)
