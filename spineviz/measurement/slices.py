"""Slices through surfaces and lines in a slice: what a ruler does on an image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from manifold3d import CrossSection, FillRule

from spineviz.section import Section, meets, section, union
from spineviz.structure import Floats, Frame, Points, Surface

Gap = tuple[float, float]
"""An interval along a line, mm: its lower and its upper end."""


@dataclass(frozen=True, eq=False)
class Slice:
    """A plane through a body; sections in it are made when asked for.

    In ``frame`` x and y span the plane (mm) and z is its normal.
    """

    frame: Frame
    shapes: Mapping[str, Surface]

    def of(self, *names: str) -> Section:
        """Return the face that the plane cuts in some structures together; absent ones give none."""
        found = [self.shapes[name] for name in names if name in self.shapes]
        return union([section(item, self.frame) for item in found if meets(item, self.frame)], self.frame)

    def local(self, point: Points) -> Floats:
        """Return a world point (3,) in the plane's x and y, mm."""
        return np.asarray(self.frame.to_local(point)[:2])


def axial(origin: npt.ArrayLike, normal: Floats, anterior: Floats) -> Frame:
    """Return the frame of an axial plane: x to the patient's right, y anterior, z its normal, superior."""
    z = normal / np.linalg.norm(normal)
    y = anterior - (anterior @ z) * z
    y = y / np.linalg.norm(y)
    return Frame(np.asarray(origin, dtype=np.float64), np.stack([np.cross(y, z), y, z]))


def sagittal(frame: Frame, offset: float = 0.0) -> Frame:
    """Return the frame of a sagittal plane of an upright frame: x anterior, y superior.

    It lies ``offset`` mm to the right of the frame's origin.
    """
    return Frame(frame.origin + offset * frame.right, np.stack([frame.anterior, frame.superior, frame.right]))


def coronal(frame: Frame) -> Frame:
    """Return the frame of the coronal plane through an upright frame's origin: x right, y superior."""
    return Frame(frame.origin, np.stack([frame.right, frame.superior, -frame.anterior]))


def crossings(face: Section, point: npt.ArrayLike, way: npt.ArrayLike) -> Floats:
    """Return where a line crosses the outlines of a face, sorted, as mm from ``point`` along ``way``."""
    start, along = np.asarray(point, dtype=np.float64), np.asarray(way, dtype=np.float64)
    along = along / np.linalg.norm(along)
    across = np.array([-along[1], along[0]])
    found: list[Floats] = []
    for outline in face.outlines:
        relative = outline - start
        off, far = relative @ across, relative @ along
        after, beyond = np.roll(off, -1), np.roll(far, -1)
        passed = (off > 0.0) != (after > 0.0)
        share = off[passed] / (off[passed] - after[passed])
        found.append(far[passed] + share * (beyond[passed] - far[passed]))
    return np.sort(np.concatenate(found)) if found else np.zeros(0)


def filled(face: Section, point: npt.ArrayLike, way: npt.ArrayLike) -> tuple[Gap, ...]:
    """Return the intervals in which a line runs inside a face, in order."""
    places = crossings(face, point, way)
    return tuple((float(a), float(b)) for a, b in zip(places[::2], places[1::2], strict=False))


def gap_about(face: Section, point: npt.ArrayLike, way: npt.ArrayLike) -> Gap | None:
    """Return the interval about ``point`` in which a line runs outside a face; None from inside, or where
    the line is open at one end."""
    places = crossings(face, point, way)
    before, beyond = places[places <= 0.0], places[places > 0.0]
    if len(before) % 2 or not len(before) or not len(beyond):
        return None
    return float(before[-1]), float(beyond[0])


def reach(face: Section, point: npt.ArrayLike, way: npt.ArrayLike) -> float | None:
    """Return how far (mm) a line runs inside a face from a point in it; None where the point is outside."""
    places = crossings(face, point, way)
    beyond = places[places > 0.0]
    return float(beyond[0]) if len(beyond) % 2 else None


def hit(face: Section, point: npt.ArrayLike, way: npt.ArrayLike) -> float | None:
    """Return how far (mm) a line runs from a point outside a face until it meets it; None where it does not,
    or starts inside."""
    places = crossings(face, point, way)
    beyond = places[places > 0.0]
    return float(beyond[0]) if len(beyond) and len(beyond) % 2 == 0 else None


def largest(face: Section) -> Section:
    """Return the piece of a face that has the largest area, with its holes."""
    pieces = face.region.decompose()
    if len(pieces) < 2:
        return face
    return Section(face.frame, max(pieces, key=lambda piece: float(piece.area())))


def middle(face: Section) -> Floats:
    """Return the centroid (2,) of a face in its plane, mm. Raises ValueError for no face."""
    total, moment = 0.0, np.zeros(2)
    for outline in face.outlines:
        after = np.roll(outline, -1, axis=0)
        share = outline[:, 0] * after[:, 1] - after[:, 0] * outline[:, 1]
        total += float(share.sum()) / 2.0
        moment += ((outline + after) * share[:, None]).sum(axis=0) / 6.0
    if total <= 0.0:
        raise ValueError("there is nothing in this slice")
    return np.asarray(moment / total)


def polygon(corners: npt.ArrayLike, frame: Frame) -> Section:
    """Return the face within corners (n, 2), mm, of a plane; the sense in which they run does not matter."""
    ring = np.asarray(corners, dtype=np.float64)
    return Section(frame, CrossSection([ring], FillRule.NonZero))


def extent(faces: Iterable[Section], axis: int) -> Gap | None:
    """Return from where to where some faces reach along an axis of their plane, mm; None for nothing."""
    corners = [outline[:, axis] for face in faces for outline in face.outlines]
    if not corners:
        return None
    every = np.concatenate(corners)
    return float(every.min()), float(every.max())


def caliper(face: Section) -> float:
    """Return the least width of a face between two parallel lines, mm: its thickness."""
    points = np.vstack(face.outlines)
    angles = np.radians(np.arange(0.0, 180.0, 3.0))
    ways = points @ np.stack([np.cos(angles), np.sin(angles)])
    return float((ways.max(axis=0) - ways.min(axis=0)).min())
