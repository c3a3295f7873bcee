"""Articular surfaces: the sheet that bounds a part of a bone, and the cartilage that covers it.

All in a bone's own frame: x right, y anterior, z superior, mm, given on the right side.
"""

from __future__ import annotations

import numpy as np

from spineviz.anatomy.vertebra.parts import MIDLINE_SOFTENING, Triple
from spineviz.sdf.solid import Field
from spineviz.spec import Spec
from spineviz.structure import Floats, Points

STEEPEST = 1.5
"""The steepest slope (mm per mm) for which the distance to a curved sheet is corrected."""

SHEET_UNIT = 10.0
"""Curvatures of articular sheets are the rise (mm) at this distance (mm) from the centre."""

FADE = 0.2
"""Over this part of its half-axes the cartilage of a facet fades into bone."""

DEPTH = 4.0
"""Cartilage is looked for this far (mm) from the facet's tangent plane."""


class Sheet(Spec):
    """An articular surface that bounds a part: a curved sheet through ``centre`` looking to ``facing``.

    ``turn`` (degrees) turns its long axis about ``facing``, from anterior (or, on an upright sheet, from
    superior) towards the right. ``across`` and ``along`` are its curvatures: the rise in mm 10 mm from the
    centre, positive where the bone is hollow. ``edge`` (mm) rounds the rim.
    """

    centre: Triple
    facing: Triple
    turn: float
    across: float
    along: float
    edge: float


class FacetSize(Spec):
    """The half-axes (mm) of an articular surface, across and along its long axis."""

    across: float
    along: float


def rounded(x: Floats) -> Floats:
    """Return |x| with its kink at the midline rounded."""
    result: Floats = np.sqrt(x * x + MIDLINE_SOFTENING**2)
    return result


def sheet_axes(sheet: Sheet) -> tuple[Floats, Floats, Floats]:
    """Return the unit vectors across, along and out of a sheet."""
    out = np.asarray(sheet.facing, dtype=np.float64)
    out = out / np.linalg.norm(out)
    ahead = np.array([0.0, 1.0, 0.0]) if abs(out[1]) < 0.7 else np.array([0.0, 0.0, 1.0])
    ahead = ahead - (ahead @ out) * out
    ahead = ahead / np.linalg.norm(ahead)
    aside = np.cross(ahead, out)
    aside = aside if aside[0] > 0.0 else -aside
    c, s = np.cos(np.radians(sheet.turn)), np.sin(np.radians(sheet.turn))
    return c * aside - s * ahead, s * aside + c * ahead, out


def sheet_field(sheet: Sheet) -> Field:
    """Return the distance (mm) beyond a sheet, on both sides of the body; negative on the bone's side."""
    across, along, out = sheet_axes(sheet)

    def distance(points: Points) -> Floats:
        offset = np.column_stack([rounded(points[:, 0]), points[:, 1:]]) - np.asarray(sheet.centre)
        u, v = offset @ across / SHEET_UNIT, offset @ along / SHEET_UNIT
        slope = np.hypot(2.0 * sheet.across * u, 2.0 * sheet.along * v) / SHEET_UNIT
        gap = offset @ out - sheet.across * u * u - sheet.along * v * v
        result: Floats = gap / np.sqrt(1.0 + np.minimum(slope, STEEPEST) ** 2)
        return result

    return distance


def covered(
    centre: Floats, axes: tuple[Floats, Floats, Floats], size: FacetSize, points: Points, facing: Floats
) -> Floats:
    """Return how much surface points with their unit normals belong to one facet: (n,) 0..1.

    ``axes`` are the unit vectors across, along and out of the facet round its ``centre``.
    """
    across, along, out = axes
    offset = points - centre
    radius = np.hypot(offset @ across / size.across, offset @ along / size.along)
    inside = np.clip((1.0 - radius) / FADE, 0.0, 1.0)
    aligned = np.clip((facing @ out - 0.5) / 0.3, 0.0, 1.0)
    share = inside * aligned * (np.abs(offset @ out) < DEPTH)
    result: Floats = share * share * (3.0 - 2.0 * share)
    return result
