"""Landmarks of the posterior arch of a lumbar vertebra, searched from the frame of its body.

Everything here is in the level's own frame: origin in the centre of the vertebral body, x right, y
anterior, z superior. ``sign`` is +1 on the patient's right and -1 on the left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spineviz.patient.probe import SUPERIOR, NotFoundError, Probe, axis_frame, surface_frame, unit_vector
from spineviz.structure import Floats, Frame, Points

Angles = tuple[float, float]

BACKWARD = np.array([0.0, -1.0, 0.0])

PATCH = 3.0
"""Normals of articular and laminar surfaces are means over this radius (mm)."""

FACET_LENGTH = 18.0
"""How far articular surfaces reach from the ends of their processes (mm)."""

SMALLEST_FACET = 30.0
"""Less surface (mm²) that faces the neighbour is no facet."""

USUAL_MEDIAL, USUAL_CAUDAL = 0.0015, 0.003
"""How dearly (mm of depth) a pedicle's axis pays for each squared degree away from the usual one."""


@dataclass(frozen=True, eq=False)
class Canal:
    """The vertebral foramen: its frame, and the y of its front and back wall in the midline (mm)."""

    frame: Frame
    front: float
    back: float


def canal_at(bone: Probe, frame: Frame) -> Canal:
    """Return the vertebral foramen around a given centre."""
    front = posterior_wall(bone, float(frame.origin[2]))
    return Canal(frame, front, 2 * float(frame.origin[1]) - front)


def posterior_wall(bone: Probe, height: float = 0.0) -> float:
    """Return the y of the body's posterior wall at a height; the basivertebral foramen does not count."""
    starts = [np.array([x, 0.0, height]) for x in (-5.0, -2.5, 0.0, 2.5, 5.0)]
    return float(np.median([bone.leaving(start, BACKWARD)[1] for start in starts]))


def pedicle(bone: Probe, sign: float, usual: Angles) -> Frame:
    """Return the isthmus of a pedicle; its y axis is the trajectory with most bone around it.

    ``usual`` is where the axis usually points: degrees to the midline and down.
    """
    wall = posterior_wall(bone)
    places = np.arange(wall - 1.5, wall - 9.0, -0.5)
    sizes = np.array([len(_coronal_section(bone, sign, y)) for y in places])
    if not sizes.all():
        raise NotFoundError("the pedicle does not reach from the body to the arch")
    weights = np.exp(-30.0 * (sizes / sizes.min() - 1.0))
    narrowest = _coronal_section(bone, sign, float(weights @ places / weights.sum()))
    depth = bone.depth(narrowest)
    isthmus = narrowest[depth > 0.6 * depth.max()].mean(axis=0)
    return surface_frame(isthmus, trajectory(bone, isthmus, sign, usual))


def _coronal_section(bone: Probe, sign: float, y: float) -> Points:
    """Return the bone's points on a 0.5 mm lattice of the coronal plane lateral of the canal."""
    x, z = np.meshgrid(sign * np.arange(7.0, 30.0, 0.5), np.arange(-14.0, 16.0, 0.5), indexing="ij")
    points = np.stack([x, np.full_like(x, y), z], axis=-1).reshape(-1, 3)
    return points[bone.depth(points) > 0.0]


def trajectory(bone: Probe, isthmus: Floats, sign: float, usual: Angles) -> Floats:
    """Return the anterior direction of a screw through the isthmus that keeps deepest in the bone.

    Of about equal directions the one next to the ``usual`` (degrees to the midline and down) is preferred.
    """
    medial, caudal = np.meshgrid(np.arange(-5.0, 46.0), np.arange(-20.0, 21.0), indexing="ij")
    a, b = np.radians(medial), np.radians(caudal)
    ways = np.stack([-sign * np.sin(a) * np.cos(b), np.cos(a) * np.cos(b), -np.sin(b)], axis=-1)
    places = np.arange(-8.0, 25.0)
    depth = bone.depth(isthmus + places[:, None] * ways[..., None, :])
    rare = USUAL_MEDIAL * (medial - usual[0]) ** 2 + USUAL_CAUDAL * (caudal - usual[1]) ** 2
    score = np.minimum(depth, 8.0).mean(axis=-1) - rare
    weights = np.exp(8.0 * (score - score.max()))
    return unit_vector((weights[..., None] * ways).sum(axis=(0, 1)))


def canal(bone: Probe, height: float) -> Canal:
    """Return the vertebral foramen at the height of the pedicles; z runs along the posterior wall."""
    front = posterior_wall(bone, height)
    low, high = (np.array([0.0, posterior_wall(bone, z), z]) for z in (height - 9.0, height + 5.0))
    places = np.arange(front - 4.0, front - 40.0, -0.25)
    for z in np.arange(height, height - 22.0, -0.5):
        inside = bone.depth(np.column_stack([0 * places, places, 0 * places + z])) > 0.5
        if inside.any():
            back = float(places[np.argmax(inside)])
            centre = np.array([0.0, (front + back) / 2, height])
            return Canal(axis_frame(centre, high - low), front, back)
    raise NotFoundError(f"there is no lamina in the midline behind the body below z = {height:.0f} mm")


def transverse_tip(bone: Probe, sign: float, wall: float) -> Frame:
    """Return the tip of a transverse process; y runs along the process out of the bone."""
    behind, lateral = bone.centres[:, 1] < wall - 2.0, sign * bone.centres[:, 0]
    end = float(lateral[behind].max())
    tip = bone.middle(behind & (lateral > end - 2.0))
    middle = bone.middle(behind & (np.abs(lateral - 0.75 * end) < 2.0))
    direction = unit_vector(tip - middle)
    axis = middle + ((tip - middle) @ direction - 3.0) * direction
    start = _deepest(bone, _around(axis, 3.0))
    return surface_frame(bone.leaving(start, direction), direction)


def _deepest(bone: Probe, points: Points) -> Floats:
    """Return the middle of those points (n, 3) that lie deep in the bone."""
    depth = bone.depth(points)
    if depth.max() <= 0.3:
        raise NotFoundError(f"there is no bone around {np.round(points.mean(axis=0), 1)}")
    weights = np.maximum(depth / depth.max() - 0.6, 0.0)
    return weights @ points / weights.sum()


def _around(centre: Floats, radius: float) -> Points:
    """Return a lattice of points in a ball."""
    steps = np.arange(-radius, radius + 0.1, 0.5)
    offsets = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    return centre + offsets[np.linalg.norm(offsets, axis=1) <= radius]


def spinous_tip(bone: Probe, foramen: Canal) -> Frame:
    """Return the middle of the spinous process's posterior end."""
    x, y, _ = bone.centres.T
    plate = (np.abs(x) < 8.0) & (y < foramen.back - 6.0)
    if not plate.any():
        raise NotFoundError("there is no bone in the midline behind the laminae")
    end = bone.middle(plate & (y < y[plate].min() + 5.0))
    tip = bone.leaving(_deepest(bone, _around(end, 4.0)), BACKWARD)
    return surface_frame(tip, bone.normal(tip, PATCH, BACKWARD))


def spinous_base(bone: Probe, foramen: Canal) -> Frame:
    """Return the middle of the spinous process's upper border 5 mm behind the canal."""
    y = foramen.back - 5.0
    heights = np.arange(foramen.frame.origin[2] + 12.0, foramen.frame.origin[2] - 22.0, -0.5)
    depth = bone.depth(np.column_stack([0 * heights, 0 * heights + y, heights]))
    if depth.max() < 0.5:
        raise NotFoundError("the spinous process does not begin behind the canal")
    top = bone.leaving(np.array([0.0, y, heights[np.argmax(depth > 0.5)]]), SUPERIOR)
    return surface_frame(top, bone.normal(top, PATCH))


def superior_facet(bone: Probe, sign: float, wall: float) -> Frame:
    """Return the articular surface of a superior process: the posteromedial side of its upper end."""
    return _facet(bone, sign, wall, 1.0, np.array([-sign, -1.0, 0.0]) / np.sqrt(2.0))


def inferior_facet(bone: Probe, sign: float, wall: float) -> Frame:
    """Return the articular surface of an inferior process: the anterolateral side of its lower end."""
    return _facet(bone, sign, wall, -1.0, np.array([sign, 1.0, 0.0]) / np.sqrt(2.0))


def _facet(bone: Probe, sign: float, wall: float, up: float, towards: Floats) -> Frame:
    """Return the centre and normal of the surface that faces one way at the end of a process."""
    lateral, y, height = sign * bone.centres[:, 0], bone.centres[:, 1], up * bone.centres[:, 2]
    of_side = (lateral > 6.0) & (lateral < 36.0) & (y < wall - 6.0) & (y > wall - 30.0)
    if not of_side.any():
        raise NotFoundError("there is no articular process on this side of the canal")
    end = float(height[of_side].max())
    tip = bone.middle(of_side & (height > end - 2.0))
    near = of_side & (height > end - FACET_LENGTH)
    near &= np.linalg.norm((bone.centres - tip)[:, :2], axis=1) < 13.0
    facing = bone.normals @ towards
    weights = bone.areas * near * np.where(facing > 0.7, facing, 0.0) ** 2
    if weights.sum() < SMALLEST_FACET:
        raise NotFoundError("no surface of the articular process faces its neighbour")
    normal = unit_vector(weights @ bone.normals)
    origin = bone.leaving(weights @ bone.centres / weights.sum() - 3.0 * normal, normal)
    return surface_frame(origin, bone.normal(origin, 2 * PATCH, normal))


def pars(bone: Probe, sign: float, isthmus: Frame, facet: Frame, foramen: Canal) -> Frame:
    """Return the back of the pars interarticularis, between the pedicle and the inferior facet."""
    under = bone.leaving(isthmus.origin, -SUPERIOR)[2]
    height = under + 0.25 * (facet.origin[2] - under)
    across, along = np.arange(8.0, 28.0, 0.5), np.arange(foramen.back - 8.0, foramen.back + 8.0, 0.5)
    x, y = np.meshgrid(sign * across, along, indexing="ij")
    points = np.stack([x, y, np.full_like(x, height)], axis=-1).reshape(-1, 3)
    start = _deepest(bone, points)
    outward = np.array([0.9 * sign, -0.44, 0.0])
    place = bone.leaving(start, outward)
    return surface_frame(place, bone.normal(place, PATCH, outward))


def lamina(bone: Probe, sign: float, isthmus: Frame, foramen: Canal) -> Frame:
    """Return the centre of a lamina's posterior surface, midway between midline and pars."""
    x = float(isthmus.origin[0]) / 2
    height = float(isthmus.origin[2]) - 1.5
    places = np.arange(foramen.back + 6.0, foramen.back - 14.0, -0.25)
    column = np.column_stack([0 * places + x, places, 0 * places + height])
    outward = np.array([0.2 * sign, -1.0, 0.1])
    place = bone.leaving(_deepest(bone, column), outward)
    return surface_frame(place, bone.normal(place, PATCH, outward))
