"""Vertebral bodies as a radiograph shows them: corners of endplates, heights, slip and angles.

All corners are found on the bone's mesh; landmarks only tell where to look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spineviz.measurement.parts import joined
from spineviz.measurement.slices import axial, coronal, hit, reach, sagittal
from spineviz.section import Section, section
from spineviz.structure import Bone, Floats, Frame, Surface
from spineviz.terms import LEVELS, Disc, Level, levels_of

DEPTH, NEAR = 5.0, 8.0
"""A body's wall is felt this far (mm) from its endplate; its corner lies no farther from there."""


@dataclass(frozen=True, eq=False)
class Endplate:
    """An endplate by the four corners of its rim, world mm, (3,) each.

    Each is the outermost place of its edge, looked at along the bisector of wall and endplate, in the
    mid-sagittal and in the mid-coronal section.
    """

    anterior: Floats
    posterior: Floats
    right: Floats
    left: Floats

    @property
    def centre(self) -> Floats:
        """The middle between the anterior and the posterior corner."""
        return np.asarray((self.anterior + self.posterior) / 2.0)

    @property
    def normal(self) -> Floats:
        """The superior unit normal of the plane that the corners span."""
        normal = np.cross(self.right - self.left, self.anterior - self.posterior)
        return np.asarray(normal / np.linalg.norm(normal))

    @property
    def depth(self) -> float:
        """The way from the posterior to the anterior corner, mm."""
        return float(np.linalg.norm(self.anterior - self.posterior))

    @property
    def sagittal(self) -> float:
        """How the endplate rises to anterior on a lateral radiograph, degrees."""
        way = self.anterior - self.posterior
        return float(np.degrees(np.arctan2(way[2], way[1])))

    @property
    def coronal(self) -> float:
        """How the endplate rises to the right on a frontal radiograph, degrees."""
        way = self.right - self.left
        return float(np.degrees(np.arctan2(way[2], way[0])))


@dataclass(frozen=True, eq=False)
class Body:
    """A vertebral body: its endplates (the axis has no superior, the sacrum no inferior one).

    ``plate`` is the landmark of its superior endplate; ``outline`` the bone's ``surface``, with a fragment of
    its posterior wall joined to it.
    """

    level: Level
    frame: Frame
    surface: Surface
    superior: Endplate | None
    inferior: Endplate | None
    plate: Frame | None
    outline: Surface


def bodies(bones: Mapping[Level, Bone], shapes: Mapping[str, Surface]) -> dict[Level, Body]:
    """Return the bodies of some bones, from above; those that have no endplate (atlas, coccyx) are left out.

    ``shapes`` holds the bones' surfaces as they are. Raises ValueError where a body's wall is not found.
    """
    result: dict[Level, Body] = {}
    for level in sorted(bones, key=LEVELS.index):
        bone = bones[level]
        surface = shapes.get(level, bone.surface)
        mark = bone.landmarks.get("endplate.superior")
        outline = surface if mark is None else joined(surface, mark)
        superior, inferior = (_endplate(outline, bone, name) for name in ("superior", "inferior"))
        if superior or inferior:
            result[level] = Body(level, bone.frame, surface, superior, inferior, mark, outline)
    return result


def _endplate(surface: Surface, bone: Bone, name: str) -> Endplate | None:
    mark = bone.landmarks.get(f"endplate.{name}")
    if mark is None:
        return None
    side = 1.0 if name == "superior" else -1.0
    corners: list[Floats] = []
    for frame in (sagittal(mark), coronal(mark)):
        face = section(surface, frame)
        corners += [_corner(face, way, side, bone.level) for way in (1.0, -1.0)]
    return Endplate(*corners)


def _corner(face: Section, way: float, side: float, level: Level) -> Floats:
    """Return the corner of an endplate in a section through it, world (3,).

    ``way`` is the sign of x towards the corner's wall, ``side`` +1 for a superior endplate.
    """
    start = np.array([0.0, -side * DEPTH])
    wall = reach(face, start, (way, 0.0))
    if wall is None:
        raise ValueError(f"{level}: the wall of its body was not found {DEPTH:g} mm from the endplate")
    points = np.vstack(face.outlines)
    near = points[np.linalg.norm(points - (start + np.array([way * wall, 0.0])), axis=1) < NEAR]
    chosen = near[np.argmax(near @ np.array([way, side]))]
    return np.asarray(face.world(chosen[None])[0])


@dataclass(frozen=True)
class Heights:
    """Heights in the mid-sagittal plane, mm: between the anterior corners, in the middle, the posterior."""

    anterior: float
    middle: float
    posterior: float


def body_heights(body: Body) -> Heights | None:
    """Return the heights of a vertebral body, None for one with a single endplate.

    Anterior and posterior: from corner to corner. Middle: through the bone, midway between these two lines,
    from endplate to endplate (Genant 1993 measures these six points).
    """
    if body.superior is None or body.inferior is None:
        return None
    anterior = float(np.linalg.norm(body.superior.anterior - body.inferior.anterior))
    posterior = float(np.linalg.norm(body.superior.posterior - body.inferior.posterior))
    frame = sagittal(body.frame)
    up, down = (frame.to_local(plate.centre)[:2] for plate in (body.superior, body.inferior))
    face, start = section(body.outline, frame), (up + down) / 2.0
    ways = [reach(face, start, way) for way in (up - down, down - up)]
    if ways[0] is None or ways[1] is None:
        raise ValueError(f"{body.level}: there is no bone in the middle of its body")
    return Heights(anterior, ways[0] + ways[1], posterior)


def disc_heights(upper: Body, lower: Body) -> Heights:
    """Return the heights of the space between two bodies, from bone to bone along its middle plane's normal.

    Anterior and posterior: between the corners. Middle: between the endplates, midway. Raises ValueError
    where an endplate is missing or the bodies touch.
    """
    above, below = facing(upper, lower)
    normal = above.normal + below.normal
    normal = normal / np.linalg.norm(normal)
    frame = sagittal(disc_frame(upper, lower))
    point = np.zeros(2)
    top = hit(section(upper.surface, frame), point, (0.0, 1.0))
    bottom = hit(section(lower.surface, frame), point, (0.0, -1.0))
    if top is None or bottom is None:
        raise ValueError(f"{upper.level}-{lower.level}: the bodies touch or do not face each other")
    front, back = above.anterior - below.anterior, above.posterior - below.posterior
    return Heights(float(front @ normal), top + bottom, float(back @ normal))


def facing(upper: Body, lower: Body) -> tuple[Endplate, Endplate]:
    """Return the two endplates that a disc lies between; raise ValueError where one is missing."""
    if upper.inferior is None or lower.superior is None:
        raise ValueError(f"{upper.level}-{lower.level}: there is no disc between these bones")
    return upper.inferior, lower.superior


def disc_frame(upper: Body, lower: Body) -> Frame:
    """Return the frame of a disc: origin midway between its endplates, z their mean normal, y anterior."""
    above, below = facing(upper, lower)
    forward = above.anterior - above.posterior + below.anterior - below.posterior
    return axial((above.centre + below.centre) / 2.0, above.normal + below.normal, forward)


def slip(upper: Body, lower: Body) -> tuple[float, float]:
    """Return how far the upper body has slipped forwards on the lower one: mm, and percent.

    The posterior inferior corner of the upper body is dropped onto the line of the lower body's superior
    endplate; 100 % is that endplate's length (Taillard). Backwards is negative.
    """
    above, below = facing(upper, lower)
    along = (below.anterior - below.posterior) / below.depth
    way = float((above.posterior - below.posterior) @ along)
    return way, 100.0 * way / below.depth


@dataclass(frozen=True)
class Curve:
    """A coronal curve after Cobb: degrees, its end vertebrae, and the side of its convexity."""

    angle: float
    upper: Level
    lower: Level
    right: bool


def cobb(found: Sequence[Body]) -> Curve | None:
    """Return the largest angle that the superior endplate of a body makes with the inferior one of a body
    below it, on a frontal radiograph (Cobb 1948); None where no two endplates can be compared.

    The bodies are given from above.
    """
    best: Curve | None = None
    for index, upper in enumerate(found):
        for lower in found[index + 1 :]:
            if upper.superior is None or lower.inferior is None:
                continue
            angle = upper.superior.coronal - lower.inferior.coronal
            if best is None or abs(angle) > best.angle:
                best = Curve(abs(angle), upper.level, lower.level, angle > 0.0)
    return best


def between(found: Mapping[Level, Body], disc: Disc) -> tuple[Body, Body] | None:
    """Return the bodies above and below a disc; None where one of them is not there."""
    upper, lower = levels_of(disc)
    return (found[upper], found[lower]) if upper in found and lower in found else None
