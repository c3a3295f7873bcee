"""Blades of a self-retaining retractor, built on the wall of the wound that they hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spineviz import measures
from spineviz.geometry import volume
from spineviz.structure import Floats, Frame, Points, Surface
from spineviz.surgery.retraction.face import blade_face
from spineviz.surgery.retraction.midline import MidlineWound
from spineviz.surgery.retraction.warp import Amounts


@dataclass(frozen=True, eq=False)
class Blade:
    """A blade as it stands at full opening, and how it moves there.

    ``surface`` is closed, world mm. ``frame`` (world): origin in the middle of its upper edge, z along
    the blade out of the body, x away from the held tissue. ``contact`` (n, 3) is the side that touches
    the tissue; ``held`` (n, 3) where the same places of the tissue are at rest. A blade that holds muscle
    goes with it; fat and skin, which open by other amounts, slide on the blade.
    """

    surface: Surface
    frame: Frame
    contact: Points
    held: Points
    wound: MidlineWound

    @cached_property
    def _leading(self) -> Points:
        """The held places that the blade goes with: those in muscle, or all where it holds none."""
        muscle = self.wound.axis.to_local(self.contact)[:, 2] < self.wound.fascia_height
        return self.held[muscle] if muscle.any() else self.held

    def pose(self, amounts: Amounts) -> Floats:
        """Return the rigid 4 x 4 matrix that brings the blade from full opening to where it stands now."""
        full, now = (self.wound.open(self._leading, at) for at in (self.wound.full, amounts))
        centre, target = full.mean(0), now.mean(0)
        u, _, vt = np.linalg.svd((full - centre).T @ (now - target))
        turn = (u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt).T
        result = np.eye(4)
        result[:3, :3], result[:3, 3] = turn, target - turn @ centre
        return result


def blade(wound: MidlineWound, opened: Sequence[Surface], *, diseased: bool = True) -> Blade:
    """Return the blade that holds the wall of a fully open wound on the diseased or on the other side.

    ``opened`` are the cut tissues as they stand at full opening: the blade's outer side is the
    `blade_face` of their wall. Raises ValueError where the tissues leave no wall to hold.
    """
    face = blade_face(wound, opened, diseased=diseased)
    height, place = np.meshgrid(face.rows, face.along, indexing="ij")
    outer = face.across(place, height)
    contact = face.world(outer, place, height)
    inner = face.world(outer - measures.value("retraction.blade.thickness"), place, height)
    middle = len(face.along) // 2
    edge = face.world(outer[-1:, middle], face.along[middle, None], face.heights[-1:])[0]
    surface = _shell(contact, inner, outer.shape)
    return Blade(surface, _frame(wound, edge, face.side), contact, wound.closed(contact), wound)


def _frame(wound: MidlineWound, origin: Floats, side: float) -> Frame:
    right, _, superior = wound.axis.axes
    away = -side * right
    return Frame(origin, np.array([away, np.cross(superior, away), superior]))


def _shell(outer: Points, inner: Points, shape: tuple[int, ...]) -> Surface:
    """Close two sheets of (rows * columns, 3) vertices to a blade."""
    rows, columns = shape
    number = np.arange(rows * columns).reshape(shape)
    a, b = number[:-1, :-1].ravel(), number[1:, :-1].ravel()
    c, d = number[1:, 1:].ravel(), number[:-1, 1:].ravel()
    sheet = np.vstack([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])
    rim = np.concatenate([number[0], number[1:, -1], number[-1, -2::-1], number[-2:0:-1, 0]])
    following = np.roll(rim, -1)
    count = rows * columns
    first = np.stack([rim, following, following + count], axis=1)
    second = np.stack([rim, following + count, rim + count], axis=1)
    faces = np.vstack([sheet, sheet[:, ::-1] + count, first, second])
    surface = Surface(np.vstack([outer, inner]), faces)
    return surface if volume(surface) > 0.0 else Surface(surface.vertices, faces[:, ::-1])
