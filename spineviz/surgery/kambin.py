"""Kambin's triangle: the free window beside a disc, between the exiting root, the endplate and the facet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spineviz.anatomy.recipe import Body
from spineviz.geometry import surface_points
from spineviz.structure import Floats, Points
from spineviz.surgery.site import NERVE_WARP
from spineviz.terms import SIGN, Disc, Side, exiting_root, levels_of, traversing_root

SLICE = 1.0
"""Half how thick (mm) the slices are in which borders of nerves are looked for."""

RIM, BEHIND = 3.0, 4.0
"""How far (mm) beside the midline and about the back of the disc the rim of the endplate is looked for."""


@dataclass(frozen=True, eq=False)
class Kambin:
    """The triangle on the back of a disc, seen from behind and lateral; world mm.

    ``corners`` (3, 3): where the exiting root leaves the traversing one (or the sac), where it crosses the
    plane of the endplate below, and where the traversing root crosses that. From the first to the second runs
    the exiting root, the hypotenuse; from the third to the second the upper endplate of the vertebra below,
    the base; from the third to the first the traversing root, the height.
    """

    corners: Points

    @property
    def base(self) -> float:
        """The length of the base, mm."""
        return float(np.linalg.norm(self.corners[1] - self.corners[2]))

    @property
    def height(self) -> float:
        """The length of the height, mm."""
        return float(np.linalg.norm(self.corners[0] - self.corners[2]))

    @property
    def hypotenuse(self) -> float:
        """The length of the hypotenuse, mm."""
        return float(np.linalg.norm(self.corners[0] - self.corners[1]))

    @property
    def area(self) -> float:
        """The triangle's area, mm²."""
        first, second, third = self.corners
        return float(np.linalg.norm(np.cross(first - third, second - third)) / 2.0)

    def crossed(self, place: Floats, direction: Floats) -> Floats:
        """Return the shares (3,) of the corners where a line crosses the triangle's plane.

        All are positive where it goes through the triangle. Raises ValueError for a line along the plane.
        """
        first, second, third = self.corners
        normal = np.cross(first - third, second - third)
        along = float(normal @ direction)
        if abs(along) < 1e-6 * float(np.linalg.norm(normal)):
            raise ValueError("the line runs along Kambin's triangle, not through it")
        point = place + float(normal @ (third - place)) / along * direction
        own = np.stack([first - third, second - third], axis=1)
        a, b = np.linalg.lstsq(own, point - third, rcond=None)[0]
        return np.array([a, b, 1.0 - a - b])


def kambin(body: Body, disc: Disc, side: Side) -> Kambin:
    """Return Kambin's triangle at a disc, from the roots and the endplate of a body.

    The traversing root stands as displaced material presses it. An exiting root that stays above the
    endplate's plane bounds the triangle as far as it goes down. Raises ValueError where a nerve is missing.
    """
    sign, lower = SIGN[side], levels_of(disc)[1]
    exiting = _nerve(body, f"root.{exiting_root(disc)}.{side}", disc)
    traversing = _nerve(body, f"root.{traversing_root(disc)}.{side}", disc)
    if "thecal_sac" in body.structures:
        traversing = np.vstack([traversing, _nerve(body, "thecal_sac", disc)])
    plate = body.bones[lower].landmarks["endplate.superior"]
    wall = body.structures[f"disc.{disc}"].surface.vertices
    back = float(plate.to_local(wall)[:, 1].min())
    own, other = (plate.to_local(points) for points in (exiting, traversing))
    rim = _rim(plate.to_local(body.bones[lower].surface.vertices), back)
    medial = float((sign * other[np.abs(other[:, 2] - rim) < 2.0 * SLICE, 0]).max())
    lateral = sign * own[:, 0]
    places = np.arange(medial, float(lateral.max()), SLICE)
    border = []
    for place in places:
        near = own[np.abs(lateral - place) < SLICE]
        border.append(near[near[:, 2].argmin()] if len(near) else np.full(3, np.nan))
    line = np.array(border)
    line = line[np.isfinite(line).all(axis=1)]
    if not len(line):
        raise ValueError(
            f"{disc} {side}: the exiting root does not pass beside the disc; there is no triangle"
        )
    crossing = np.flatnonzero(line[:, 2] < rim)
    start, end = line[0], line[crossing[0] if len(crossing) else line[:, 2].argmin()]
    corners = [start, [end[0], end[1], rim], [sign * medial, start[1], rim]]
    return Kambin(plate.to_parent(np.array(corners)))


def _rim(bone: Points, back: float) -> float:
    """Return how high (mm, in the endplate's frame) the posterior rim of an endplate stands."""
    near = bone[(np.abs(bone[:, 1] - back) < BEHIND) & (np.abs(bone[:, 0]) < 2.0 * RIM)]
    return float(near[:, 2].max()) if len(near) else 0.0


def _nerve(body: Body, name: str, disc: Disc) -> Points:
    """Return points (n, 3) on a nerve as it stands before the operation, world mm."""
    if name not in body.structures:
        raise ValueError(f"{disc}: there is no {name}; the triangle beside the disc needs it")
    surface = body.structures[name].surface
    if (name, NERVE_WARP) in body.warps:
        surface = surface.moved(body.warps[name, NERVE_WARP]((1.0, 0.0)))
    return surface_points(surface, SLICE)
