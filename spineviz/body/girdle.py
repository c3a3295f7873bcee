"""The bones beside the spine: ribs on the thoracic vertebrae, an ilium on each side of the sacrum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from spineviz.anatomy import ilium, rib
from spineviz.anatomy.bone import LevelBone
from spineviz.sdf.mesher import mesh
from spineviz.structure import Structure, Surface
from spineviz.terms import LEVELS, SIDES, Level, Side, region_of

Beside = Literal["ribs", "ilium"]
"""Bones beside the spine that a scene may show."""

STEP: Mapping[Beside, float] = {"ribs": 1.3, "ilium": 1.5}
"""The meshing step, mm."""


def girdle(bones: Mapping[Level, LevelBone], shown: Sequence[Beside]) -> dict[str, Structure]:
    """Return the bones beside the spine, standing in the world: ``rib.T5.left``, ``ilium.left``.

    A rib is there where its vertebra is, and stands between it and the one above where that is there too;
    the ilium is there where the sacrum is.
    """
    result: dict[str, Structure] = {}
    thoracic = [level for level in bones if region_of(level) == "thoracic" and "ribs" in shown]
    for side in SIDES:
        for level in thoracic:
            name = f"rib.{level}.{side}"
            result[name] = Structure(name, "bone", _rib(bones, level, side), side)
        if "ilium" in shown and "S1" in bones:
            name = f"ilium.{side}"
            result[name] = Structure(name, "bone", _ilium(bones["S1"], side), side, "FMA:16589")
    return result


def _rib(bones: Mapping[Level, LevelBone], level: Level, side: Side) -> Surface:
    own = bones[level]
    above = bones.get(LEVELS[LEVELS.index(level) - 1])
    upper = above.landmarks.get(f"costal.inferior.{side}") if above is not None else None
    head = rib.head_frame(own.landmarks[f"costal.superior.{side}"], upper)
    near = [bone for bone in (own, above) if bone is not None]

    def vertebrae(points: np.ndarray) -> np.ndarray:
        return np.min([bone.distance(points) for bone in near], axis=0)

    tubercle = own.landmarks.get(f"costal.transverse.{side}")
    return mesh(rib.solid(rib.parameters_of(level), head, tubercle, side, vertebrae), STEP["ribs"])


def _ilium(sacrum: LevelBone, side: Side) -> Surface:
    def distance(points: np.ndarray) -> np.ndarray:
        return sacrum.distance(sacrum.frame.to_parent(points))

    return mesh(ilium.solid(ilium.parameters(), distance, side), STEP["ilium"]).placed(sacrum.frame)
