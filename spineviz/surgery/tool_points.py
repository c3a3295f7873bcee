"""Points that stand for a tool: its working end, its shaft, its handle, and its way out."""

from __future__ import annotations

import numpy as np

from spineviz.geometry import surface_points
from spineviz.structure import Points
from spineviz.surgery.instruments import Instrument

WITHDRAWN = tuple(2.5 * step for step in range(16))
"""At which heights (mm) a tool is looked at while it is drawn out."""

WORKING, DEEP = 24.0, 96.0
"""How high (mm) above its tip a tool's working end and its shaft go that are looked at."""

FINE, COARSE, ROUGH = 1.0, 2.0, 3.0
"""How far apart (mm) the points are that stand for the working end, for the shaft and for the handle."""


def points_of(*tools: Instrument) -> Points:
    """Return points (n, 3) that stand for the working end and the shaft of tools in one frame, mm."""
    points = np.vstack([surface_points(tool.surface, 2 * FINE) for tool in tools])
    working = points[:, 2] < WORKING
    shaft = points[~working & (points[:, 2] < DEEP)]
    return np.vstack([thinned(points[working], FINE), thinned(shaft, COARSE)])


def handle_of(tool: Instrument) -> Points:
    """Return points (n, 3) that stand for what of a tool is higher than its shaft, mm."""
    points = surface_points(tool.surface, ROUGH)
    return thinned(points[points[:, 2] >= DEEP], ROUGH)


def thinned(points: Points, cell: float) -> Points:
    """Return the point farthest from the axis among points (n, 3) in each cell of some mm."""
    outward = points[np.argsort(-np.hypot(points[:, 0], points[:, 1]), kind="stable")]
    cells = np.floor(outward / cell).astype(np.int64)
    cells -= cells.min(axis=0, initial=0)
    keys = np.ravel_multi_index(tuple(cells.T), tuple(cells.max(axis=0, initial=0) + 1))
    _, chosen = np.unique(keys, return_index=True)
    return outward[np.sort(chosen)]


def withdrawn(tool: Points) -> Points:
    """Return the points of a tool together with those on its way out along its own axis, mm."""
    return thinned(np.vstack([tool + np.array([0.0, 0.0, way]) for way in WITHDRAWN]), FINE)
