"""Where the two bones of a facet joint face each other: the joint's frame, its middle surface and its rim."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import ndimage

from spineviz.anatomy.disc.space import landmark
from spineviz.anatomy.surroundings import Spine, Surroundings
from spineviz.structure import Floats, Frame, Points
from spineviz.terms import Level, Side

Shape = Mapping[str, float]


def joint_frame(above: Level, below: Level, side: Side, spine: Spine) -> Frame:
    """Return the joint's frame: y from the lower bone's facet towards the upper bone's, z along the facet.

    Raises ValueError where a landmark is missing.
    """
    upper = landmark(spine.bones[above], f"facet.inferior.{side}")
    lower = landmark(spine.bones[below], f"facet.superior.{side}")
    normal = lower.anterior - upper.anterior
    normal = normal / np.linalg.norm(normal)
    up = np.array([0.0, 0.0, 1.0]) if abs(normal[2]) < 0.9 else np.array([0.0, 1.0, 0.0])
    up = up - (up @ normal) * normal
    up = up / np.linalg.norm(up)
    right = np.cross(normal, up) * (1.0 if side == "right" else -1.0)
    return Frame((upper.origin + lower.origin) / 2, np.stack([right, normal, up]))


def around(joint: Frame, columns: int) -> Points:
    """Return so many unit directions (n, 3) around a joint, in its plane."""
    angles = np.arange(columns) * 2 * np.pi / columns
    return np.asarray(np.cos(angles)[:, None] * joint.right + np.sin(angles)[:, None] * joint.superior)


def joint_rim(joint: Frame, outward: Points, upper: Surroundings, lower: Surroundings, size: Shape) -> Points:
    """Return where the two surfaces part (n, 3), followed from the middle of the joint outwards."""
    stride = 0.5
    points = np.tile(joint.origin, (len(outward), 1))
    for _ in range(3):
        points, width = centred(points, joint, upper, lower)
    usual = float(np.median(width))
    reach, open_ = np.zeros(len(outward)), np.zeros(len(outward), dtype=bool)
    for step in range(1, int(size["farthest"] / stride) + 1):
        points = points + stride * outward
        points, width = centred(points, joint, upper, lower)
        usual = min(usual, float(np.median(width[~open_]))) if not open_.all() else usual
        open_ |= (width > usual + size["parted"]) & (step * stride > size["nearest"])
        reach = np.where(open_, reach, step * stride)
        if open_.all():
            break
    even = ndimage.median_filter(reach, size=5, mode="wrap")
    even = ndimage.gaussian_filter1d(even, 1.5, mode="wrap")
    result = np.tile(joint.origin, (len(outward), 1))
    for share in np.linspace(0.0, 1.0, 9)[1:]:
        result = joint.origin + ((result - joint.origin) @ joint.anterior)[:, None] * joint.anterior
        result = centred(result + share * even[:, None] * outward, joint, upper, lower)[0]
    height = (result - joint.origin) @ joint.anterior
    calm = ndimage.gaussian_filter1d(ndimage.median_filter(height, size=5, mode="wrap"), 1.0, mode="wrap")
    return np.asarray(result + (calm - height)[:, None] * joint.anterior)


def centred(points: Points, joint: Frame, upper: Surroundings, lower: Surroundings) -> tuple[Points, Floats]:
    """Return points moved midway between the two bones, and how wide (n,) the cleft is there."""
    above, below = upper.distance(points), lower.distance(points)
    shift = np.clip((above - below) / 2, -0.5, 0.5)
    return points + shift[:, None] * joint.anterior, above + below
