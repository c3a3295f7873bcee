"""From a diseased shape back to the healthy one, and all shapes between: how a disease comes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

from spineviz.assembly import Assembly
from spineviz.geometry import surface_points
from spineviz.model import Look, Model, Pane
from spineviz.structure import Points, Surface, Warp
from spineviz.surgery.site import NERVE_WARP
from spineviz.terms import LEVELS

Indices = npt.NDArray[np.integer]

HEALTH = "health"
"""The warp of everything that a disease changes; its amount is 0 in disease and 1 in health."""

SPACING, NEAREST, ON_IT = 0.4, 6, 0.25
"""A healthy surface of other triangles is looked up at places so far (mm) apart, so many at once; what lies
so near (mm) to it lies on it."""

LEAST = 1e-3
"""What moves less than this (mm) does not change."""

ABSENT = 0.02
"""Up to this severity what only a disease makes is not there."""


@dataclass(frozen=True, eq=False)
class Recovery:
    """The way of a structure from its diseased shape to its healthy one, mm.

    ``rest`` (n, 3) are its vertices as disease leaves them, but for the way by which a ``nerve`` gives way;
    ``healthy`` (n, 3) are those of the healthy body. ``vanishing`` tells that that one has no such structure.
    """

    rest: Points
    healthy: Points
    nerve: Warp | None = None
    vanishing: bool = False

    def __call__(self, amounts: tuple[float, ...]) -> Points:
        """Return the vertices (n, 3), mm, for a share of health."""
        (share,) = amounts
        points = self.rest + share * (self.healthy - self.rest)
        if self.nerve is None:
            return points
        return np.asarray(points + (self.nerve((1.0 - share, 0.0)) - self.rest))


def morphing(diseased: Assembly, healthy: Assembly) -> Assembly:
    """Return a diseased scene's assembly that can also show less of its disease, down to a healthy body.

    Structures of the same triangles in both bodies pass from one to the other vertex by vertex. What has
    other triangles, or is made by the disease alone, starts from the nearest places of the healthy surface:
    displaced disc grows out of its disc.
    """
    made = {(name, HEALTH): warp for name, warp in _recoveries(diseased.model, healthy.model)}
    return replace(diseased, model=replace(diseased.model, warps={**diseased.model.warps, **made}))


def _recoveries(ill: Model, well: Model) -> Iterator[tuple[str, Recovery]]:
    for name, item in ill.structures.items():
        rest = np.asarray(item.surface.vertices, dtype=np.float64)
        nerve, before = ill.warps.get((name, NERVE_WARP)), well.structures.get(name)
        if before is not None and _alike(item.surface, before.surface):
            goal = np.asarray(before.surface.vertices, dtype=np.float64)
            if nerve is not None or np.abs(goal - rest).max() > LEAST:
                yield name, Recovery(rest, goal, nerve)
        elif before is not None:
            yield (
                name,
                Recovery(
                    rest, _onto(before.surface, _carried(name, rest, ill, well), _pieces(item.surface)), nerve
                ),
            )
        else:
            stem, _, disc = name.partition(".")
            source = well.structures.get(f"disc.{disc}") if stem == "herniation" else None
            start = rest if source is None else _onto(source.surface, [rest])
            yield name, Recovery(rest, start, vanishing=True)


def _alike(first: Surface, second: Surface) -> bool:
    return first.faces.shape == second.faces.shape and bool((first.faces == second.faces).all())


def _carried(name: str, points: Points, ill: Model, well: Model) -> list[Points]:
    """Return where a structure's vertices may come from: where they are, or were with their bone."""
    level = next((level for level in LEVELS if level == name), None)
    if level is None or level not in ill.bones or level not in well.bones:
        return [points]
    now, then = ill.bones[level].frame, well.bones[level].frame
    return [points, then.to_parent(now.to_local(points))]


def _onto(surface: Surface, candidates: list[Points], pieces: Indices | None = None) -> Points:
    """Return the nearest places (n, 3) of a surface to points.

    Of several candidates each of the ``pieces`` (n,) takes those that lie nearest as a whole.
    """
    places = surface_points(surface, SPACING)
    tree, result = cKDTree(places), np.array(candidates[0])
    numbers = np.zeros(len(result), dtype=int) if pieces is None else pieces
    best = np.full(numbers.max() + 1, np.inf)
    for points in candidates:
        ways, found = tree.query(points, k=NEAREST)
        weights = 1.0 / np.maximum(ways, 1e-6) ** 2
        near = np.einsum("nk,nkd->nd", weights, places[found]) / weights.sum(axis=1)[:, None]
        near = np.where((ways[:, :1] < ON_IT), points, near)
        mean = np.bincount(numbers, ways[:, 0]) / np.bincount(numbers)
        chosen = (mean < best)[numbers]
        result[chosen], best = near[chosen], np.minimum(mean, best)
    return result


def _pieces(surface: Surface) -> Indices:
    """Return which connected piece of a surface each vertex (n,) belongs to."""
    ends = surface.faces[:, [0, 1, 1, 2]].reshape(-1, 2)
    count = len(surface.vertices)
    links = sparse.coo_matrix((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(count, count))
    return np.asarray(csgraph.connected_components(links, directed=False)[1])


def severity_of(pane: Pane) -> float:
    """Return how much of its disease a pane shows, 0 none to 1 all."""
    return next((severity(look) for look in pane.looks.values() if look.warp and look.warp[0] == HEALTH), 1.0)


def severity(look: Look) -> float:
    """Return how much of what a disease does to it a structure shows, 0 none to 1 all."""
    return 1.0 - look.warp[1][0] if look.warp is not None and look.warp[0] == HEALTH else 1.0


def at_severity(pane: Pane, share: float, model: Model, unseen: frozenset[str] = frozenset()) -> Pane:
    """Return a pane that shows so much of its disease, 0 to 1; what is ``unseen`` stays so."""
    looks: dict[str, Look] = dict(pane.looks)
    for (name, way), warp in model.warps.items():
        if way == HEALTH and name in looks and isinstance(warp, Recovery):
            there = (not warp.vanishing or share > ABSENT) and name not in unseen
            looks[name] = replace(looks[name], warp=(HEALTH, (1.0 - share,)), visible=there)
    return replace(pane, looks=looks)
