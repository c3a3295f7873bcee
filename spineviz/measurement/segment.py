"""A motion segment as it is measured: its axial slices, the walls beside its canal, its facet joints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from spineviz.geometry import vertex_normals
from spineviz.measurement.bodies import Body, disc_frame
from spineviz.measurement.slices import Slice, axial, hit, reach, sagittal
from spineviz.section import section
from spineviz.structure import Bone, Floats, Frame, Points, Surface
from spineviz.terms import SIDES, SIGN, Disc, Side

JOINT = 3.0
"""Two articular surfaces face each other where they are no farther apart than this, mm."""

REACH, TURNED = 11.0, 0.5
"""An articular surface lies this near (mm) to its middle; its normals turn from that one's by no more than
the angle of this cosine."""

SLAB = 2.0
"""Half the thickness (mm) of the slice in which a joint's edge is looked for."""

STEP = 1.0
"""Slices through a segment lie so far (mm) from each other at most."""


@dataclass(frozen=True)
class Pedicle:
    """A pedicle in its own level's frame, mm: its borders as distances from the midline, and its top and
    bottom as heights."""

    medial: float
    lateral: float
    top: float
    bottom: float


@dataclass(frozen=True, eq=False)
class Segment:
    """Two vertebrae and what lies between them.

    ``shapes`` are all surfaces of the body as they are, by structure name, in the world.
    """

    disc: Disc
    upper: Body
    lower: Body
    bones: tuple[Bone, Bone]
    shapes: Mapping[str, Surface]

    @cached_property
    def frame(self) -> Frame:
        """The disc's frame: origin midway between the endplates, z normal to it, y anterior."""
        return disc_frame(self.upper, self.lower)

    @cached_property
    def slice(self) -> Slice:
        """The slice along the middle of the disc."""
        return Slice(self.frame, self.shapes)

    @cached_property
    def pedicles(self) -> tuple[dict[Side, Pedicle], dict[Side, Pedicle]]:
        """The pedicles of the upper and of the lower vertebra by side."""
        above, below = (
            {side: _pedicle(bone, body, side) for side in SIDES}
            for bone, body in zip(self.bones, (self.upper, self.lower), strict=True)
        )
        return above, below

    @cached_property
    def slices(self) -> tuple[tuple[float, Slice], ...]:
        """The axial slices between the pedicles, from above, each with its height (mm) over the disc's.

        They run from the lower border of the upper pedicles to the upper border of the lower ones, about a
        millimetre apart, and turn from the one vertebra's own plane over the disc's to the other's.
        """
        above, below = self.pedicles
        upper = min(pedicle.bottom for pedicle in above.values())
        lower = max(pedicle.top for pedicle in below.values())
        ends = [
            (body.frame, self.frame.to_local(body.frame.to_parent(np.array([0.0, canal, height])))[2])
            for body, canal, height in (
                (self.upper, self._canal(0), upper),
                (self.lower, self._canal(1), lower),
            )
        ]
        heights = [
            *np.linspace(ends[0][1], 0.0, int(np.ceil(abs(ends[0][1]) / STEP)) + 1)[:-1],
            *np.linspace(0.0, ends[1][1], int(np.ceil(abs(ends[1][1]) / STEP)) + 1),
        ]
        return tuple((float(height), self._at(float(height), ends)) for height in heights)

    def _canal(self, which: int) -> float:
        """Return the y of the canal's centre in the frame of the upper (0) or the lower (1) vertebra."""
        bone = self.bones[which]
        return float(bone.frame.to_local(bone.landmarks["canal"].origin)[1])

    def _at(self, height: float, ends: list[tuple[Frame, float]]) -> Slice:
        """Return the slice that crosses the canal at a height over the disc's plane."""
        frame, end = ends[0] if height > 0.0 else ends[1]
        share = height / end if end else 0.0
        marks = [self.frame.to_local(bone.landmarks["canal"].origin) for bone in self.bones]
        along = (height - marks[1][2]) / (marks[0][2] - marks[1][2])
        place = marks[1] + along * (marks[0] - marks[1])
        normal = (1.0 - share) * self.frame.superior + share * frame.superior
        forward = (1.0 - share) * self.frame.anterior + share * frame.anterior
        return Slice(axial(self.frame.to_parent(place), normal, forward), self.shapes)

    @cached_property
    def joints(self) -> dict[Side, Points]:
        """The articular surfaces (n, 3) of the lower vertebra by side, in the disc's frame, mm.

        They are the places of its superior articular process that face the inferior one of the vertebra
        above. Raises ValueError where the two never do.
        """
        above, below = (self.shapes[body.level] for body in (self.upper, self.lower))
        ways, _ = cKDTree(above.vertices).query(below.vertices, distance_upper_bound=JOINT)
        near = np.flatnonzero(np.isfinite(ways))
        normals = vertex_normals(below.vertices, below.faces)[near]
        result: dict[Side, Points] = {}
        for side in SIDES:
            mark = self.bones[1].landmarks[f"facet.superior.{side}"]
            way = np.linalg.norm(below.vertices[near] - mark.origin, axis=1)
            own = near[(way < REACH) & (normals @ mark.anterior > TURNED)]
            if not len(own):
                raise ValueError(f"{self.disc}: the facets on the {side} do not face each other")
            result[side] = self.frame.to_local(below.vertices[own])
        return result

    def facet_edge(self, side: Side, height: float | None = None) -> Floats:
        """Return the medial edge of a facet joint in the disc's frame (3,), mm.

        At a ``height`` over the disc's plane it is looked for in a slice around it, or in the nearest that
        meets the joint.
        """
        points = self.joints[side]
        if height is not None:
            off = np.abs(points[:, 2] - height)
            points = points[off < max(SLAB, float(off.min()) + SLAB)]
        return np.asarray(points[np.argmin(SIGN[side] * points[:, 0])])

    @property
    def lower_back(self) -> Floats:
        """The posterior corner of the lower vertebra's superior endplate, world (3,)."""
        assert self.lower.superior is not None
        return self.lower.superior.posterior

    @property
    def bone_names(self) -> tuple[str, str]:
        """The names of the two bones."""
        return self.upper.level, self.lower.level

    @property
    def front_names(self) -> tuple[str, ...]:
        """The names of what bounds the canal in front: bodies, disc, displaced material."""
        return (*self.bone_names, f"disc.{self.disc}", f"nucleus.{self.disc}", *self.displaced_names)

    @property
    def displaced_names(self) -> tuple[str, ...]:
        """The names of the disc's displaced material."""
        return tuple(name for name in self.shapes if name.startswith(f"herniation.{self.disc}"))

    @property
    def flavum_names(self) -> tuple[str, ...]:
        """The names of the yellow ligaments."""
        return tuple(f"flavum.{self.disc}.{side}" for side in SIDES)

    @property
    def wall_names(self) -> tuple[str, ...]:
        """The names of everything that bounds the canal."""
        return (*self.front_names, *self.flavum_names, f"interspinous.{self.disc}")


def _pedicle(bone: Bone, body: Body, side: Side) -> Pedicle:
    """Return a pedicle's borders: medially where the canal is widest at its height, above and below at its
    isthmus.

    The lateral border lies as far from the isthmus as the medial one: behind it stands the transverse
    process.
    """
    frame, centre = body.frame, body.frame.to_local(bone.landmarks[f"pedicle.{side}"].origin)
    level = axial(frame.to_parent(centre * [0.0, 1.0, 1.0]), frame.superior, frame.anterior)
    face, height = section(body.surface, level), float(centre[2])
    canal = level.to_local(bone.landmarks["canal"].origin)[:2]
    rows = [canal + np.array([0.0, shift]) for shift in np.arange(0.0, 8.1, 0.5)]
    wide = [hit(face, row, (SIGN[side], 0.0)) for row in rows]
    medial = max((way for way in wide if way is not None), default=0.0)
    upright = section(body.surface, sagittal(Frame(frame.to_parent(centre), frame.axes)))
    top, bottom = (reach(upright, (0.0, 0.0), (0.0, way)) for way in (1.0, -1.0))
    off = abs(float(centre[0]))
    if top is not None and body.superior is not None:  # the ala of a sacrum rises over its endplate
        top = min(top, float(frame.to_local(body.superior.posterior)[2]) - height)
    if not 0.0 < medial < off or top is None or bottom is None:
        raise ValueError(f"{bone.level}: the pedicle on the {side} was not found")
    return Pedicle(medial, 2.0 * off - medial, height + top, height - bottom)
