"""Broken vertebrae: what has come off and how far it stands away, which endplates and walls have given way.

All is found on the bone's mesh, beside the same bone in health.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from spineviz.geometry import surface_distance, surface_points, volume
from spineviz.measurement.bodies import Body, body_heights
from spineviz.measurement.parts import fragment, parts
from spineviz.measurement.slices import axial, crossings, reach, sagittal
from spineviz.measurement.thresholds import threshold
from spineviz.section import Section, section
from spineviz.structure import Floats, Surface

Place = Literal["body", "wall", "arch", "spinous", "transverse"]

SPACING = 0.4
"""The gap between two pieces is looked for at places so far (mm) apart."""

SHARES = np.linspace(0.15, 0.85, 15)
"""Endplates and the posterior wall are looked at in so many places between their corners."""

INSIDE, DEEPEST = 5.0, 12.0
"""A wall is looked for from so far (mm) in front of the corners, an endplate so far from their line."""


@dataclass(frozen=True)
class Piece:
    """A piece that has come off a vertebra: from where, its volume (mm³), its least gap (mm) to the rest."""

    place: Place
    volume: float
    gap: float


def pieces(body: Body) -> tuple[Piece, ...]:
    """Return what has come off a vertebra, the largest first; nothing where the bone is whole.

    Raises ValueError where the body has no superior endplate.
    """
    if body.superior is None or body.plate is None:
        raise ValueError(f"{body.level}: without a superior endplate no piece can be named")
    found = parts(body.surface)
    wall, least = fragment(found, body.plate), threshold("ao_spine", "piece")
    return tuple(
        Piece("wall" if part is wall else _place(body, part), volume(part), _gap(part, found[0]))
        for part in found[1:]
        if volume(part) >= least
    )


def _gap(part: Surface, rest: Surface) -> float:
    """Return the least gap (mm) between a piece and the rest."""
    return float(surface_distance(rest)(surface_points(part, SPACING)).min())


def _place(body: Body, part: Surface) -> Place:
    """Tell from where a piece has come, by where its middle lies and how far to both sides it reaches."""
    assert body.superior is not None
    forward = body.superior.anterior - body.superior.posterior
    forward = forward / np.linalg.norm(forward)
    right = np.cross(forward, body.superior.normal)
    local: Floats = (part.vertices - body.superior.posterior) @ np.stack([right, forward]).T
    middle = (local.min(axis=0) + local.max(axis=0)) / 2.0
    if middle[1] > 0.0:
        return "body"
    if abs(middle[0]) > threshold("ao_spine", "aside"):
        return "transverse"
    return "arch" if np.ptp(local[:, 0]) > threshold("ao_spine", "wide") else "spinous"


@dataclass(frozen=True)
class Damage:
    """How a vertebral body differs from the same in health.

    ``dished`` is how much deeper (mm) the superior and the inferior endplate are in the midline than in a
    body that was evenly so low, ``wall`` how much farther back (mm) the posterior wall stands.
    """

    dished: tuple[float, float]
    wall: float


def damage(body: Body, usual: Body) -> Damage:
    """Return what has given way of a body. Raises ValueError where an endplate or a wall is not found."""
    now, before = _outline(body), _outline(usual)
    kept = _walls(body) / _walls(usual)
    dished = tuple(float(now[0][k] - kept * before[0][k]) for k in (0, 1))
    return Damage(dished, float(np.nanmax(now[1] - before[1])))  # type: ignore[arg-type]


def _walls(body: Body) -> float:
    """Return the sum of the heights (mm) in front and behind."""
    heights = body_heights(body)
    assert heights is not None
    return heights.anterior + heights.posterior


def _outline(body: Body) -> tuple[tuple[float, float], Floats]:
    """Return how deep (mm) both endplates are dished in the midline, and how far back the wall is at heights.

    The wall stands so far (mm) behind the lower posterior corner along the inferior endplate, at shares of
    the posterior height.
    """
    if body.superior is None or body.inferior is None:
        raise ValueError(f"{body.level}: a body with one endplate has no such damage")
    lower, upper = body.inferior, body.superior
    plane = sagittal(axial(lower.posterior, lower.normal, lower.anterior - lower.posterior))
    face = section(body.outline, plane)
    corners = [
        plane.to_local(point)[:2]
        for point in (lower.posterior, lower.anterior, upper.posterior, upper.anterior)
    ]
    below, above = _dish(face, corners[0], corners[1], -1.0), _dish(face, corners[2], corners[3], 1.0)
    back = []
    for share in SHARES:
        start = corners[0] + share * (corners[2] - corners[0]) + np.array([INSIDE, 0.0])
        way = reach(face, start, (-1.0, 0.0))
        back.append(np.nan if way is None else way - start[0])  # none in the crack beside a fragment
    if np.isnan(back).sum() > len(back) // 2:
        raise ValueError(f"{body.level}: its posterior wall was not found")
    return (above, below), np.array(back)


def _dish(face: Section, back: Floats, front: Floats, side: float) -> float:
    """Return how deep (mm) an endplate lies at most within the line between its corners in a section."""
    along = (front - back) / np.linalg.norm(front - back)
    inwards = -side * np.array([-along[1], along[0]])
    deep = []
    for share in SHARES:
        point = back + share * (front - back)
        places = crossings(face, point, inwards)
        near = places[(places > -DEEPEST) & (places < DEEPEST)]
        deep.append(float(near[0]) if len(near) else 0.0)
    return max(deep)
