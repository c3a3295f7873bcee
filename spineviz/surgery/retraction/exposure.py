"""Where the midline wound goes: centred over an interlaminar window."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spineviz import measures
from spineviz.anatomy.back.layer import Layer
from spineviz.anatomy.bone import LevelBone
from spineviz.sdf.solid import Field
from spineviz.structure import Floats, Frame
from spineviz.surgery.retraction.docking import AIM_SHARE, disc_direction, entry_depth, lamina_edge
from spineviz.surgery.retraction.midline import MidlineWound
from spineviz.surgery.retraction.terrain import Terrain, terrain
from spineviz.terms import SIGN, Disc, Level, Side, levels_of


def expose(
    bones: Mapping[Level, LevelBone],
    disc: Disc,
    side: Side,
    skin: Field,
    fascia: Layer,
    *,
    incision: float | None = None,
    both: bool = False,
    ground: Terrain | None = None,
) -> MidlineWound:
    """Return the midline wound through which the interlaminar window at a disc is exposed on one side.

    ``skin`` is the signed distance to the skin, negative in it, and ``fascia`` the layer over the muscles;
    ``incision`` is the length of the skin incision, mm (the usual one where None). Opened to ``both``
    sides it lies over the middle of the whole lamina above and the window. Raises ValueError where the
    bones have no such window or the line misses a layer.
    """
    ground = ground or terrain(bones)
    length = measures.value("retraction.open.incision_length") if incision is None else incision
    window = _over_the_lamina(bones, disc, side) if both else interlaminar_window(bones, disc, side)
    start = np.array([0.0, float(ground.floor.at(window[:1], window[2:])[0]), window[2]])
    direction = disc_direction(bones, disc)
    superior = np.array([0.0, 0.0, 1.0]) - direction[2] * direction
    superior /= np.linalg.norm(superior)
    frame = Frame(start, np.array([np.cross(direction, superior), direction, superior]))
    depth, fascia_depth = entry_depth(skin, start, direction), entry_depth(fascia.field, start, direction)
    return MidlineWound(frame, depth, float(length), fascia_depth, side, ground, fascia.inner, both)


def _over_the_lamina(bones: Mapping[Level, LevelBone], disc: Disc, side: Side) -> Floats:
    """Return the middle (3,) between the superior edges of the laminae above and below a disc, world mm."""
    edges = [lamina_edge(bones[level], side, 0.0, superior=True) for level in levels_of(disc)]
    return np.asarray((edges[0] + edges[1]) / 2.0)


def interlaminar_window(bones: Mapping[Level, LevelBone], disc: Disc, side: Side) -> Floats:
    """Return the middle (3,) of an interlaminar window on one side, world mm.

    Its upper border is the inferior edge of the upper lamina, its lower border the superior edge of the
    lower one.
    """
    above, below = levels_of(disc)
    lateral = AIM_SHARE * SIGN[side] * float(bones[above].landmarks[f"lamina.{side}"].origin[0])
    upper = lamina_edge(bones[above], side, lateral)
    lower = lamina_edge(bones[below], side, lateral, superior=True)
    return (upper + lower) / 2.0
