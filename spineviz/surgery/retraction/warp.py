"""Warps of parted tissue: prepared once for a surface, then a function of the amounts alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from spineviz import measures
from spineviz.sdf.solid import Field
from spineviz.structure import Floats, Frame, Points, Surface, frozen
from spineviz.surgery.retraction.bone_grid import BoneGrid, bone_grid
from spineviz.surgery.retraction.terrain import Terrain

Amounts = tuple[float, ...]
Index = npt.NDArray[np.intp]
Triangles = npt.NDArray[np.integer]


class Opening(Protocol):
    """What a tube's corridor and a midline wound have in common: a map that parts all tissue."""

    @property
    def terrain(self) -> Terrain:
        """The bone that the tissue slides on."""

    @property
    def axis(self) -> Frame:
        """The frame in the world: origin on the floor, z out of the body, y about cranial."""

    @property
    def full(self) -> Amounts:
        """The amounts at full opening."""

    @property
    def edge_radius(self) -> float:
        """By how much (mm) the edge between a muscle's surface and the lumen's wall is rounded."""

    def moves(self, points: Points) -> npt.NDArray[np.bool_]:
        """Tell which points (n, 3) the map can move at all."""

    def prepared(self, points: Points) -> Any:
        """Return points (n, 3) with all that the map needs to know of them."""

    def move(self, points: Any, amounts: Amounts) -> Points:
        """Return where prepared points stand at some amounts."""

    def open(self, points: Points, amounts: Amounts) -> Points:
        """Return where points (n, 3) stand at some amounts."""

    def part(self, share: float) -> Amounts:
        """Return the amounts of an opening of a share 0..1 of the full one at all depths."""

    def course(self) -> Sequence[Amounts]:
        """Return amounts that stand for the whole way of the tissue."""

    def lumen(self, points: Points) -> Floats:
        """Return the signed distance (n,) mm of opened points to the lumen, negative in it."""

    def closed(self, points: Points, snap: float = 0.0) -> Points:
        """Return the rest positions (n, 3) of points in the fully opened tissue."""


@dataclass(frozen=True, eq=False)
class Clearance:
    """Keeps some vertices off the bone: ``watched`` (k,) of the moving ones, each by ``gap`` (k,) mm.

    They are pushed off it and outward, along the unit vector ``outward``: tissue rides over an
    edge of bone and never slips under it. Once they have come away from where they are at ``rest`` (k, 3),
    they keep ``wider`` (k,) mm farther off.
    """

    grid: BoneGrid
    watched: Index
    gap: Floats
    outward: Floats
    rest: Points
    wider: Floats

    def cleared(self, moving: Points) -> Points:
        """Return moving vertices (n, 3), with the watched ones pushed out of the bone."""
        result = moving.copy()
        result[self.watched] = self.pushed(moving[self.watched])
        return result

    def pushed(self, watched: Points) -> Points:
        """Return the watched vertices (k, 3) pushed out of the bone."""
        points = watched.copy()
        stirred = np.clip(np.linalg.norm(points - self.rest, axis=1) / STIRRED, 0.0, 1.0)
        gap = self.gap + stirred * self.wider
        within = np.arange(len(points))
        for _ in range(PUSHES):
            cells = self.grid.cells(points[within])
            deficit = gap[within] - self.grid.distance(cells)
            low = np.flatnonzero(deficit > NEGLIGIBLE)
            if not len(low):
                break
            within = within[low]
            gradient = self.grid.gradient(cells.of(low))
            way = gradient + OUTWARD * self.outward
            gain = np.maximum(np.einsum("nk,nk->n", way, gradient), LEAST_GAIN)
            points[within] += (deficit[low] / gain)[:, None] * way
        return points


PUSHES = 9
"""How often vertices are pushed; the later pushes mend what a corner left."""

NEGLIGIBLE = 0.005
"""What lacks less than this (mm) is far enough off the bone."""

OUTWARD = 1.3
"""How much vertices are pushed outward for each part off the bone."""

SPANNED, KEPT = 3, 0.15
"""How often vertices are told to keep farther off bone, until the faces between them keep so far off (mm)."""

ENTERED, LEFT = 1.0, 0.3
"""What lies no deeper than this (mm) in the midline's wall gets so far out of it when it is moved."""

STIRRED = 1.0
"""How far (mm) vertices have moved when they keep farther off bone than at rest."""

LEAST_GAIN = 1.15
"""The least distance that a push of one part is taken to win; it damps the push at a thin edge."""


@dataclass(frozen=True, eq=False)
class PartingWarp:
    """The movement of one surface while an opening is made.

    Call it with the opening's amounts; it gives the vertices (n, 3) float32, world mm. Amounts of zero
    give the rest shape exactly. ``pressing`` is how its moving points give way to what holds them; they are
    cleared of what is ``aside`` first, and of bone last.
    """

    rest: Points
    opening: Opening
    moving: Index
    prepared: Any
    clearance: Clearance | None
    pressing: Callable[[Amounts], Points] | None = None
    aside: Clearance | None = None

    def __call__(self, amounts: Amounts) -> Points:
        """Return the vertices (n, 3) at some amounts."""
        if not any(amounts):
            return self.rest
        moved = self.opening.move(self.prepared, amounts)
        if self.pressing is not None:
            moved += self.pressing(amounts)
        for clearance in (self.aside, self.clearance):
            if clearance is not None:
                moved = clearance.cleared(moved)
        result = np.array(self.rest)
        result[self.moving] = moved
        return result


def parting_warp(
    points: Points,
    opening: Opening,
    *,
    clear_of_bone: bool,
    beside: Field | None = None,
    faces: Triangles | None = None,
) -> PartingWarp:
    """Prepare the movement of points (n, 3) in the world, for instance a surface's vertices at rest.

    With ``clear_of_bone`` the points that come near bone on the way are kept off it, and off what stands
    ``beside`` it, a distance in the world, mm; so are ``faces`` (m, 3) between them.
    """
    rest = frozen(points, np.float32)
    moving = np.flatnonzero(opening.moves(rest))
    prepared = opening.prepared(rest[moving].astype(np.float64))
    clearance = aside = None
    if clear_of_bone and len(moving):
        clearance = _clearance(rest[moving], prepared, opening, opening.terrain.bone)
        if clearance is not None and faces is not None:
            clearance = _spanned(clearance, _among(faces, moving, len(rest)), prepared, opening)
        if beside is not None:
            aside = _clearance(rest[moving], prepared, opening, beside)
            aside = None if aside is None else _uncrossed(aside)
    return PartingWarp(rest, opening, moving, prepared, clearance, aside=aside)


def _clearance(rest: Points, prepared: Any, opening: Opening, bone: Field) -> Clearance | None:
    """Choose the points that come near bone at some opening, and how far they must stay off it."""
    common = measures.table("retraction.common")
    near = np.zeros(len(rest), dtype=bool)
    for amounts in opening.course():
        near |= bone(opening.move(prepared, amounts)) < common["watch_distance"]
    watched = np.flatnonzero(near)
    if not len(watched):
        return None
    grid = bone_grid(bone, np.vstack([rest[watched], opening.move(prepared, opening.full)[watched]]))
    gap = np.minimum(grid(rest[watched].astype(np.float64))[0], common["bone_gap"])
    return Clearance(grid, watched, gap, opening.axis.superior, rest[watched], np.zeros(len(watched)))


def _spanned(clearance: Clearance, faces: Triangles, prepared: Any, opening: Opening) -> Clearance:
    """Return a clearance whose vertices keep so far off bone that the ``faces`` (m, 3) between them do too.

    Parted tissue is stretched: its triangles span more than at rest, and cut across edges of bone.
    """
    near = _among(faces, clearance.watched, int(faces.max(initial=0)) + 1)
    most = np.maximum(measures.value("retraction.common.spanned_gap") - clearance.gap, 0.0)
    course = [opening.move(prepared, amounts)[clearance.watched] for amounts in opening.course()]
    for _ in range(SPANNED):
        lack = np.zeros(len(clearance.gap))
        for stand in course:
            corners = clearance.pushed(stand)[near]
            edges = ((corners[:, k] + corners[:, k - 1]) / 2 for k in range(3))
            grid = clearance.grid
            distance = grid.distance(grid.cells(np.concatenate([corners.mean(axis=1), *edges])))
            within = np.maximum(KEPT - distance.reshape(4, -1).min(axis=0), 0.0)
            low = within > 0.0
            np.maximum.at(lack, near[low].ravel(), np.repeat(within[low], 3))
        wider = np.minimum(clearance.wider + lack, most)
        near = near[(wider > clearance.wider)[near].any(axis=1)]  # no other face moves from now on
        clearance = replace(clearance, wider=wider)
    return clearance


def _uncrossed(clearance: Clearance) -> Clearance:
    """Return a clearance whose vertices leave what they just enter at rest when they are moved."""
    entered = (clearance.gap > -ENTERED) & (clearance.gap < LEFT)
    return replace(clearance, wider=np.where(entered, LEFT - clearance.gap, 0.0))


def _among(faces: Triangles, chosen: Index, count: int) -> Triangles:
    """Return those ``faces`` (m, 3) of ``count`` vertices that join ``chosen`` (k,) ones, by place there."""
    own = np.full(count, -1)
    own[chosen[chosen < count]] = np.arange(len(chosen[chosen < count]))
    known = own[faces]
    return known[(known >= 0).all(axis=1)]


def surface_warp(
    surface: Surface, opening: Opening, *, clear_of_bone: bool, beside: Field | None = None
) -> PartingWarp:
    """Prepare the movement of a surface."""
    return parting_warp(
        surface.vertices, opening, clear_of_bone=clear_of_bone, beside=beside, faces=surface.faces
    )
