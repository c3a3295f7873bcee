"""The measured strip: what an approach costs in tissue, from the geometry of the frame that is shown.

All figures are measures of the model that is drawn, not clinical results; thresholds stand in
``measures/procedures.toml`` and are printed with the figure that depends on them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.spatial import cKDTree

from spineviz.anatomy.recipe import Body
from spineviz.geometry import triangle_normals, volume
from spineviz.measures import table
from spineviz.model import Chart, Curve, Figure, Message, Pane
from spineviz.structure import Floats, Points, Surface, Warp
from spineviz.surgery.retraction.parting import MUSCLES
from spineviz.timeline import Timeline

Amounts = tuple[float, ...]
Follow = Callable[[Points], Warp]
"""Prepares rest points (n, 3) for an opening: amounts -> where they stand then."""

KEYS = ("incision", "bared", "corridor", "displaced", "removed")
"""The figures in the order in which they are shown."""

HULL_SPACING = 1.5
"""How far apart (mm) the points on a muscle's surface are that tell where it covers bone."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Points of one muscle that an opening moves, mm: ``volume`` (n, 3) inside it, ``hull`` (m, 3) near bone.

    Both are rest places; the warps beside them tell where they stand at some amounts.
    """

    muscle: str
    volume: Points
    hull: Points
    volume_warp: Warp
    hull_warp: Warp

    def displaced(self, amounts: Amounts | None, threshold: float) -> int:
        """Count the points of the volume that stand farther than ``threshold`` mm from their rest place."""
        if amounts is None:
            return 0
        way = np.linalg.norm(self.volume_warp(amounts) - self.volume, axis=1)
        return int(np.count_nonzero(way > threshold))

    def hull_now(self, amounts: Amounts | None) -> Points:
        """Return where the points near bone stand, (m, 3) mm."""
        return self.hull if amounts is None else self.hull_warp(amounts)


@dataclass(frozen=True, eq=False)
class Ledger:
    """What is needed to measure one approach in any frame.

    ``incision`` mm; ``corridor`` maps amounts to the volume of the open way in mm³; ``bone`` (n, 3) are the
    centres and ``areas`` (n,) the areas in mm² of bone triangles that muscle covers at rest
    (within ``touching`` mm) and that the opening can reach; they are bared when it stands off by more than
    ``bare`` mm. ``removed`` gives the volume in mm³ that each bone variant lacks.
    """

    approach: str
    incision: float
    corridor: Callable[[Amounts], float]
    samples: tuple[Sample, ...]
    bone: Points
    areas: Floats
    cell: float
    removed: Mapping[tuple[str, str], float]
    touching: float
    bare: float
    threshold: float


def prepare_ledger(
    approach: str,
    body: Body,
    *,
    incision: float,
    corridor: Callable[[Amounts], float],
    follow: Follow,
    full: Amounts,
    variants: Mapping[str, Mapping[str, Surface]],
) -> Ledger:
    """Sample muscles and bone once, so that every frame can be measured quickly.

    ``follow`` moves rest points as the approach moves the tissue; ``full`` are its widest amounts.
    ``variants`` hold the bones that the approach leaves.
    """
    size = table("procedures.ledger")
    names = [name for name in body.recipes if name.split(".")[0] in MUSCLES]
    samples, statics = [], []
    for name in names:
        sample, static = _sample(name, body, follow, full, size["sample"])
        statics.append(static)
        if sample is not None:
            samples.append(sample)
    centres, areas = _covered_bone(body, samples, statics, size["touching"])
    removed = {
        (bone, variant): volume(body.structures[bone].surface) - volume(surface)
        for bone, stages in variants.items()
        if bone in body.bones
        for variant, surface in stages.items()
    }
    return Ledger(
        approach,
        incision,
        corridor,
        tuple(samples),
        centres,
        areas,
        size["sample"] ** 3,
        removed,
        size["touching"],
        size["bare"],
        size["displaced"],
    )


def measured(ledger: Ledger, pane: Pane) -> tuple[Figure, ...]:
    """Return the five figures of a pane, in the order of `KEYS`; each is 0 before the first cut."""
    amounts = tuple((sample.muscle, _amounts(ledger, pane, sample.muscle)) for sample in ledger.samples)
    openings = {_amounts(ledger, pane, name) for name in pane.looks} - {None}
    displaced, bared = _tissue(ledger, amounts)
    values = {
        "incision": ledger.incision if _cut(ledger, pane) else 0.0,
        "bared": bared / 100,
        "corridor": max((_corridor(ledger, opening) for opening in openings if opening), default=0.0) / 1000,
        "displaced": displaced / 1000,
        "removed": _removed(ledger, pane) / 1000,
    }
    units = {"incision": "mm", "bared": "cm²", "corridor": "cm³", "displaced": "cm³", "removed": "cm³"}
    return tuple(
        Figure(_name(ledger, key), round(float(values[key]), 6), units[key], 0 if key == "incision" else 1)
        for key in KEYS
    )


def peaks(
    ledgers: Sequence[Ledger], timeline: Timeline, every: float = 0.5
) -> tuple[tuple[Figure, ...], ...]:
    """Return the largest value of each figure over a whole timeline, pane by pane.

    The timeline is asked every ``every`` seconds and at the end of each step.
    """
    _, strips = _over_time(ledgers, timeline, every)
    return tuple(
        tuple(max(column, key=lambda figure: figure.value) for column in zip(*own, strict=True))
        for own in strips
    )


def charted(ledgers: Sequence[Ledger], timeline: Timeline, every: float = 0.25) -> Chart:
    """Return each figure over a whole timeline, for all panes; the timeline is asked as for `peaks`."""
    seconds, strips = _over_time(ledgers, timeline, every)
    curves = []
    for order, first in enumerate(strips[0][0]):
        values = tuple(tuple(strip[order].value for strip in own) for own in strips)
        curves.append(Curve(first.name, first.unit, first.decimals, values))
    names = tuple(pane.heading for pane in timeline.initial.panes if pane.heading is not None)
    return Chart(tuple(seconds), tuple(curves), names)


def _over_time(
    ledgers: Sequence[Ledger], timeline: Timeline, every: float
) -> tuple[list[float], list[list[tuple[Figure, ...]]]]:
    """Return rising seconds of a timeline, and for each ledger the figures of its pane at all of them."""
    sampled = {*np.arange(0.0, timeline.seconds, every), *timeline.starts, timeline.seconds}
    seconds = sorted(float(second) for second in sampled)
    states = [timeline.at(second) for second in seconds]
    strips = [
        [measured(ledger, state.panes[index]) for state in states] for index, ledger in enumerate(ledgers)
    ]
    return seconds, strips


def _name(ledger: Ledger, key: str) -> Message:
    if key == "displaced":
        return Message("ledger.displaced", (("threshold", f"{ledger.threshold:g}"),))
    return Message(f"ledger.{key}")


def _amounts(ledger: Ledger, pane: Pane, name: str) -> Amounts | None:
    """Return how far the approach has opened a structure, or None while it stands at rest."""
    look = pane.looks.get(name)
    if look is None or look.warp is None or look.warp[0] != ledger.approach:
        return None
    return look.warp[1]


def _cut(ledger: Ledger, pane: Pane) -> bool:
    look = pane.looks.get("skin")
    return look is not None and look.variant == ledger.approach


def _removed(ledger: Ledger, pane: Pane) -> float:
    return sum(ledger.removed.get((name, look.variant), 0.0) for name, look in pane.looks.items())


@lru_cache(maxsize=256)
def _corridor(ledger: Ledger, opening: Amounts) -> float:
    """Return the volume of the open way in mm³."""
    return ledger.corridor(opening)


@lru_cache(maxsize=256)
def _tissue(ledger: Ledger, amounts: tuple[tuple[str, Amounts | None], ...]) -> tuple[float, float]:
    """Return the muscle volume displaced beyond the threshold (mm³) and the bone bared of muscle (mm²)."""
    now = dict(amounts)
    if all(opening is None for opening in now.values()):
        return 0.0, 0.0
    count = sum(sample.displaced(now[sample.muscle], ledger.threshold) for sample in ledger.samples)
    hull = np.vstack([sample.hull_now(now[sample.muscle]) for sample in ledger.samples])
    tree = cKDTree(hull, balanced_tree=False, compact_nodes=False)
    lengths, _ = tree.query(ledger.bone, distance_upper_bound=ledger.bare)
    return count * ledger.cell, float(ledger.areas[~np.isfinite(lengths)].sum())


def _sample(
    name: str, body: Body, follow: Follow, full: Amounts, spacing: float
) -> tuple[Sample | None, Points]:
    """Return the points of a muscle that the opening moves, and those of its hull near bone that stay."""
    solid = body.recipes[name].solid
    axes = [np.arange(a, b, spacing) for a, b in zip(solid.lower, solid.upper, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    hull = _near_bone(body, _spread(body.structures[name].surface, HULL_SPACING), 2.5)
    stirred = np.linalg.norm(follow(hull)(full) - hull, axis=1) > 0.2
    grid = grid[np.linalg.norm(follow(grid)(full) - grid, axis=1) > 1.0]
    grid = grid[solid.field(grid) < 0.0]
    if not len(grid) and not stirred.any():
        return None, hull
    return Sample(name, grid, hull[stirred], follow(grid), follow(hull[stirred])), hull[~stirred]


def _spread(surface: Surface, spacing: float) -> Points:
    """Return points on a surface about every ``spacing`` mm: each triangle divided evenly."""
    corners = surface.vertices[surface.faces].astype(np.float64)
    edges = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(1)
    parts = [surface.vertices.astype(np.float64)]
    divisions = np.clip(np.ceil(edges / spacing), 1, 8).astype(int)
    for count in np.unique(divisions[divisions > 1]):
        i, j = np.meshgrid(np.arange(count), np.arange(count), indexing="ij")
        inside = i + j < count
        a, b = (i[inside] + 1 / 3) / count, (j[inside] + 1 / 3) / count
        weights = np.stack([1 - a - b, a, b], axis=1)
        parts.append(np.einsum("kw,nwc->nkc", weights, corners[divisions == count]).reshape(-1, 3))
    return np.vstack(parts)


def _near_bone(body: Body, points: Points, reach: float) -> Points:
    near = np.zeros(len(points), dtype=bool)
    for bone in body.bones.values():
        near |= bone.grid(points) < reach
    return points[near]


def _covered_bone(
    body: Body, samples: Sequence[Sample], statics: Sequence[Points], touching: float
) -> tuple[Points, Floats]:
    """Return centres and areas of bone triangles that only muscle which can move covers at rest."""
    if not samples:
        return np.empty((0, 3)), np.empty(0)
    near = cKDTree(np.vstack([sample.hull for sample in samples]))
    fixed = cKDTree(np.vstack([*statics, np.full((1, 3), 1e6)]))
    centres, areas = [], []
    for bone in body.bones.values():
        surface = body.structures[bone.level].surface
        middle = surface.vertices[surface.faces].mean(1)
        covered = np.isfinite(near.query(middle, distance_upper_bound=touching)[0])
        covered[covered] = ~np.isfinite(fixed.query(middle[covered], distance_upper_bound=touching)[0])
        centres.append(middle[covered])
        areas.append(triangle_normals(surface.vertices, surface.faces[covered])[1])
    return np.vstack(centres), np.concatenate(areas)
