"""Costal facets: where a thoracic vertebra carries the head and the tubercle of a rib.

A facet is a low mound on the bone with a shallow oval hollow in it. Those of the body are joined to its side
wall before the endplates cut it, so that a demifacet ends at the border of the endplate. All in the bone's
own frame: x right, y anterior, z superior, mm; given on the right side.
"""

from __future__ import annotations

import numpy as np

from spineviz.sdf.loft import superellipsoid
from spineviz.sdf.solid import Field, smooth_intersection
from spineviz.spec import Spec
from spineviz.structure import Floats, Points

BORDER = 0.8
"""How far the mound reaches beyond the hollow's border, mm."""

ROOT = 4.0
"""How deep in the bone the mound begins, mm."""


class CostalFacet(Spec):
    """The oval articular surface for a rib, right side.

    ``centre`` is the middle of its border's plane (mm). It looks ``posterior`` degrees behind the right and
    ``superior`` degrees upward; ``half_width`` runs level, ``half_height`` across it; ``hollow`` is how deep
    the surface lies below the plane, ``mound`` how high the plane stands (mm), ``blend`` the mound's fillet.
    """

    centre: tuple[float, float, float]
    posterior: float
    superior: float
    half_width: float
    half_height: float
    hollow: float
    mound: float
    blend: float

    def axes(self) -> Floats:
        """Return rows: along the width, along the height, out of the bone."""
        back, up = np.radians(self.posterior), np.radians(self.superior)
        outward = np.array([np.cos(back) * np.cos(up), -np.sin(back) * np.cos(up), np.sin(up)])
        width = np.array([np.sin(back), np.cos(back), 0.0])
        return np.stack([width, np.cross(outward, width), outward])


def costal_field(facet: CostalFacet) -> Field:
    """Return the two distances that make a costal facet, both sides: (n, 3) mm -> (2, n) mm.

    Rows: to the mound, which is added, and to the hollow, which is taken away, within the mound's border.
    """
    axes, centre = facet.axes(), np.asarray(facet.centre)
    lens = facet.hollow + min(facet.half_width, facet.half_height) / 2.0
    spread = 1.0 / np.sqrt(1.0 - ((lens - facet.hollow) / lens) ** 2)
    wide, high = facet.half_width, facet.half_height
    narrow = min(wide, high) + BORDER

    def distances(points: Points) -> Floats:
        folded = np.array(points, dtype=np.float64)
        folded[:, 0] = np.abs(folded[:, 0])
        u, v, w = axes @ (folded - centre).T
        oval = narrow * (np.hypot(u / (wide + BORDER), v / (high + BORDER)) - 1.0)
        mound = smooth_intersection(oval, np.maximum(w, -ROOT - w), facet.mound)
        across, along = np.full_like(u, wide * spread), np.full_like(u, high * spread)
        sunk = np.abs(w - lens + facet.hollow)
        hollow = superellipsoid(np.abs(u), np.abs(v), sunk, across, along, np.asarray(lens), 2.0)
        return np.stack([mound, smooth_intersection(hollow, oval, 0.3)])

    return distances
