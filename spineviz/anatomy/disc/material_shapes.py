"""The shapes of displaced disc material in its own frame: domes, lobes, free fragments and tears."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from spineviz import measures
from spineviz.sdf.solid import smooth_union
from spineviz.structure import Floats, Points

Shape = Callable[[Points], Floats]
"""A distance in the material's frame, x lateral, y out of the disc, z superior, mm."""


class Size(Protocol):
    """What a shape needs to know of displaced material; see `DisplacedMaterial`."""

    @property
    def depth(self) -> float:
        """How far it stands out, mm."""
        ...

    @property
    def width(self) -> float:
        """Its greatest width, mm."""
        ...

    @property
    def migration(self) -> float:
        """How far it reaches beyond the endplate, mm, positive cranial."""
        ...

    @property
    def up(self) -> bool:
        """Whether it tends upwards."""
        ...

    @property
    def aside(self) -> float:
        """How far it stands before the pedicle: 0 well inside the canal, 1 at the canal's border."""
        ...

    @property
    def contained(self) -> bool:
        """Whether annulus and ligament cover it."""
        ...


def _ellipsoid(points: Points, centre: Floats, half: Floats) -> Floats:
    """Return a lower bound of the distance to an ellipsoid."""
    scaled = (points - centre) / half
    return (np.sqrt((scaled * scaled).sum(axis=1)) - 1.0) * float(np.min(half))


def tear(start: Floats, base: float, height: float) -> Shape:
    """Return the flat channel from inside the nucleus to just outside the annulus."""
    end = np.array([0.0, 1.6, 0.0])
    span = end - start

    def field(points: Points) -> Floats:
        share = np.clip((points - start) @ span / (span @ span), 0.0, 1.0)
        offset = points - start - share[:, None] * span
        half = base / 2 * (0.55 + 0.45 * share)
        flat = np.hypot(offset[:, 0], offset[:, 1]) / half
        return (np.hypot(flat, offset[:, 2] / height) - 1.0) * height

    return field


def extrusion(material: Size, half: float, channel: Floats) -> tuple[Shape, Shape]:
    """Return the lobulated dome and the tear of an extrusion, in its frame with x lateral."""
    shape = measures.table("herniation.extrusion")
    scale = np.array([material.width, material.depth, 1.0])
    down = 1.0 if material.up else -1.0
    rows = [np.array(row) for row in shape["lobes"]]
    lobes = [(row[:3] * scale * [1, 1, -down], row[3:] * scale) for row in rows]
    if material.migration:
        tip = np.array(shape["tip"])
        end = down * (half + abs(material.migration) - tip[5])
        aside = (tip[0] - shape["lean"] * material.aside) * material.width
        lobes.append((np.array([aside, tip[1] * material.depth, end]), tip[3:] * scale))

    roughness = 0.0 if material.contained else shape["roughness"]

    def dome(points: Points) -> Floats:
        result = np.full(len(points), 99.0)
        for centre, size in lobes:
            result = smooth_union(result, _ellipsoid(points, centre, size), shape["blend"])
        x, y, z = points.T
        waves = np.sin(1.15 * x + 0.6) * np.sin(1.25 * z - 0.4 * y) + 0.5 * np.sin(
            1.9 * y + 1.1 * x - 0.8 * z
        )
        return result + roughness * 0.6 * waves

    base = max(shape["base"] * material.width, 3.0)
    return dome, tear(channel, base, min(shape["tear_height"], half - 0.6))


def protrusion(material: Size, half: float, channel: Floats) -> tuple[Shape, Shape]:
    """Return the smooth dome and the fissure of a protrusion; nothing is wider than its base."""
    shape = measures.table("herniation.protrusion")
    size = np.array([material.width / 2, material.depth, max(half * 2 * shape["height"], 2.0)])

    def dome(points: Points) -> Floats:
        power = shape["squareness"]
        scaled = (np.abs(points / size) ** power).sum(axis=1) ** (1 / power)
        return (scaled - 1.0) * float(size.min())

    return dome, tear(channel, 0.5 * material.width, shape["fissure"])


def sequestration(material: Size, half: float, channel: Floats) -> tuple[Shape, Shape]:
    """Return a free fragment and the tear that it left through; nothing joins the two."""
    shape = measures.table("herniation.sequestration")
    sign = 1.0 if material.up else -1.0
    height = shape["half_height"]
    middle = sign * max(half + abs(material.migration) - height, 0.0) if material.migration else 0.0
    scale = np.array([material.width, material.depth, height])
    rows = [np.array(row) for row in shape["lobes"]]
    lean = measures.value("herniation.extrusion.lean") * material.aside * material.width
    inwards = lean * min(abs(middle) / (2.0 * height), 1.0)  # beside it lies the pedicle
    lobes = [(row[:3] * scale + [-inwards, 0.0, middle], row[3:] * scale) for row in rows]

    def fragment(points: Points) -> Floats:
        result = np.full(len(points), 99.0)
        for centre, size in lobes:
            result = smooth_union(result, _ellipsoid(points, centre, size), shape["blend"])
        x, y, z = points.T
        waves = np.sin(1.1 * x + 0.3) * np.sin(1.2 * z + 0.5 * y) + 0.5 * np.sin(1.7 * y - 0.9 * x + 0.8 * z)
        return np.asarray(result + shape["roughness"] * 0.6 * waves)

    base = max(0.3 * material.width, 2.5)
    return fragment, tear(channel, base, min(shape["tear_height"], max(half - 0.6, 0.5)))
