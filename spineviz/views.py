"""Named views: cameras placed by the anatomy itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np

from spineviz.model import Camera, Vector
from spineviz.structure import Bone, Floats, Frame, Message
from spineviz.terms import SIGN, Disc, Level, Side, levels_of

View = Literal["posterior", "oblique", "lateral", "anterior", "superior", "corridor", "operative", "close"]
"""Where a scene is seen from. ``oblique`` and ``lateral`` look from the side of the disease."""

VIEWS: tuple[View, ...] = get_args(View)


ASIDE = 0.35
"""The share of a direction from which on words mention it beside the main one."""

_WAYS = (("right", "left"), ("front", "behind"), ("above", "below"))
_ORDER = ("behind", "front", "left", "right", "above", "below")


def disc_frame(bones: Mapping[Level, Bone], disc: Disc) -> Frame:
    """Return the frame in the middle of a disc, in the world."""
    above, below = levels_of(disc)
    upper = bones[above].landmarks["endplate.inferior"]
    lower = bones[below].landmarks["endplate.superior"]
    superior = _unit(upper.superior + lower.superior)
    right = _unit(upper.right + lower.right)
    anterior = _unit(np.cross(superior, right))
    return Frame((upper.origin + lower.origin) / 2, np.array([np.cross(anterior, superior), anterior, superior]))


def views(bones: Mapping[Level, Bone], disc: Disc, side: Side) -> dict[View, Camera]:
    """Return every named camera for a disc and a side, in the world, mm."""
    frame = disc_frame(bones, disc)
    sign = SIGN[side]
    canal = bones[levels_of(disc)[1]].landmarks["canal"].origin
    middle = (frame.origin + canal) / 2
    back = -frame.anterior
    window = canal + 12 * back + sign * 8 * frame.right
    operative = _unit(back + 0.10 * sign * frame.right)
    oblique = _unit(0.62 * sign * frame.right + 0.86 * back + 0.36 * frame.superior)
    close = _unit(0.50 * sign * frame.right + 0.72 * back + 0.62 * frame.superior)
    up = (0.0, 0.0, 1.0)
    world_back = np.array([0.0, -1.0, 0.0])
    return {
        "posterior": Camera(_vector(middle - 5 * frame.superior), _vector(world_back), up, 190.0),
        "oblique": Camera(_vector(middle), _vector(oblique), up, 165.0),
        "lateral": Camera(_vector(middle), (sign, 0.0, 0.0), up, 185.0),
        "anterior": Camera(_vector(middle), (0.0, 1.0, 0.0), up, 185.0),
        "superior": Camera(_vector(middle), _vector(frame.superior), _vector(frame.anterior), 120.0),
        "operative": Camera(_vector(window + 20 * back), _vector(operative), up, 115.0),
        "corridor": Camera(_vector(window), _vector(operative), up, 62.0),
        "close": Camera(_vector(canal + sign * 8 * frame.right), _vector(close), up, 80.0),
    }


def seen_from(camera: Camera) -> Message:
    """Return in words where a camera looks from: behind, the patient's left, above, ..."""
    back = _unit(np.asarray(camera.direction))
    first, second, _ = sorted(range(3), key=lambda axis: -abs(back[axis]))
    main = _WAYS[first][0 if back[first] > 0 else 1]
    if abs(back[second]) < ASIDE:
        return Message(f"direction.{main}")
    pair = {main, _WAYS[second][0 if back[second] > 0 else 1]}
    return Message("direction." + "_".join(word for word in _ORDER if word in pair))


def _unit(vector: Floats) -> Floats:
    return np.asarray(vector) / np.linalg.norm(vector)


def _vector(values: Floats) -> Vector:
    x, y, z = (float(value) for value in values)
    return x, y, z
