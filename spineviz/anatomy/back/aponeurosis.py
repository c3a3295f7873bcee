"""The aponeurosis of erector spinae: the broad tendon on the muscles of the loins, under the fascia.

World frame, mm. It covers them from the sacrum up to a slanting, frayed line, high beside the spinous
processes and low at the lateral border.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spineviz import measures
from spineviz.anatomy.back.height_map import HeightMap
from spineviz.anatomy.back.layer import Layer, LayerRecipe, Outline, Triangles
from spineviz.anatomy.back.paint import smoothstep, strands
from spineviz.anatomy.back.parameters import MuscleParameters
from spineviz.anatomy.back.profile import along
from spineviz.anatomy.back.stations import Stations
from spineviz.anatomy.recipe import Paint
from spineviz.structure import Floats, Points, Surface
from spineviz.terms import SIGN, Side

APONEUROSIS_STEP = 2.5
"""Half the length of the sheet's triangles along its fibres, mm; across them it is a third of it."""

TONGUES = 60.0
"""How finely its upper edge is frayed: the turns, in radians, of `strands` across the sheet."""

TOP, LOW, BOTTOM = "L1-L2", "L4-L5", "L5-S1"
"""The stations that the sheet reaches medially and laterally, and the last above the sacrum."""

CLEAR = 0.22
"""Of its thickness, what the sheet leaves free on either side: fascia and muscles are meshed coarsely."""

TAPER = 0.3
"""Share of the ways over which the sheet's edges taper that is cut off: there it would be a film."""


@dataclass(frozen=True, eq=False)
class Spread:
    """How far one sheet goes: up to ``edge`` (share of its breadth -> z), out to ``border`` (z -> mm)."""

    caudal: float
    medial: float
    edge: Callable[[Floats], Floats]
    border: Callable[[Floats], Floats]

    def share(self, u: Floats, z: Floats) -> Floats:
        """Return where places ``u`` mm from the midline lie across the sheet: 0 medially, 1 at its border."""
        return np.clip((u - self.medial) / (self.border(z) - self.medial), 0.0, 1.0)

    def plan(self, step: float) -> tuple[Floats, Triangles]:
        """Return a triangulation of the sheet on the right: points (n, 2) as (x, z) and triangles (m, 3)."""
        shape = measures.table("muscles.aponeurosis")
        columns = int(3.0 * self.border(np.array([self.edge(np.array([1.0]))[0]]))[0] / step)
        share = np.linspace(0.0, 1.0, columns + 1)[:, None]
        top = self.edge(share) - TAPER * shape["fade"]
        z = self.caudal + np.linspace(0.0, 1.0, int((top.max() - self.caudal) / (2.0 * step)) + 1) * (
            top - self.caudal
        )
        x = self.medial + share * (self.border(z) - TAPER * shape["rim"] - self.medial)
        number = np.arange(x.size).reshape(x.shape)
        a, b, c, d = (
            part.ravel() for part in (number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:])
        )
        return np.stack([x.ravel(), z.ravel()], axis=1), np.vstack(
            [np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)]
        )


def spread(parameters: MuscleParameters, span: Stations) -> Spread | None:
    """Return how far the aponeurosis goes; None where loins and sacrum are not both in the range."""
    if not span.has(TOP, LOW, BOTTOM, "S2"):
        return None
    shape = measures.table("muscles.aponeurosis")
    top, low, border = span.at(TOP), span.at(LOW), along(span, parameters.lateral_border)
    narrowest = shape["midline_gap"] + shape["tip"]
    z = np.arange(span.caudal, span.at(BOTTOM))
    return Spread(
        float(z[border(z) - shape["short_of_border"] > narrowest].min()),
        shape["midline_gap"],
        lambda share: top + share * (low - top) + shape["fraying"] * (strands(TONGUES * share) - 0.5),
        lambda z: np.maximum(border(z) - shape["short_of_border"], narrowest),
    )


def thickness(parameters: MuscleParameters, span: Stations, plan: HeightMap) -> Floats:
    """Return how thick (nx, nz) the aponeurosis is on the samples of a plan, mm; 0 where there is none."""
    sheet = spread(parameters, span)
    if sheet is None:
        return np.zeros_like(plan.values)
    shape = measures.table("muscles.aponeurosis")
    x, z = plan.plan
    u = np.abs(x)
    here = smoothstep(0.0, shape["fade"], sheet.edge(sheet.share(u, z)) - z)
    here = here * smoothstep(0.0, shape["rim"], sheet.border(z) - u)
    return np.asarray(shape["thickness"] * here * smoothstep(-2.0, -0.5, u - sheet.medial))


@dataclass(frozen=True, eq=False, kw_only=True)
class AponeurosisRecipe(LayerRecipe):
    """The aponeurosis of one side: its layer, as far as it is spread."""

    spread: Spread

    def surface(self) -> Surface:
        """Build the sheet and paint it."""
        points, triangles = self.spread.plan(self.step)
        if self.side == "left":
            points, triangles = points * [SIGN["left"], 1.0], triangles[:, ::-1]
        return self.painted(self.layer.extruded(self.layer.outline.drawn(points), triangles))


def aponeurosis_recipe(front: HeightMap, thick: Floats, sheet: Spread, side: Side) -> AponeurosisRecipe:
    """Return the aponeurosis of one side, ``thick`` (nx, nz) mm, in front of the fascia's ``front``."""
    half = float(np.abs(front.plan[0]).max()) - 12.0
    outline = Outline(half, sheet.caudal, float(sheet.edge(np.array([0.0]))[0]) + 30.0, 6.0)
    layer = Layer(front.shifted(-(1.0 - CLEAR) * thick), front.shifted(-CLEAR * thick), outline)
    return AponeurosisRecipe(
        f"erector_spinae_aponeurosis.{side}", "tendon", layer.solid(), APONEUROSIS_STEP, side, _paint,
        layer=layer, spread=sheet,
    )  # fmt: skip


def _paint(points: Points) -> Paint:
    """Give points (n, 3) the coordinates of the tendon's fibres, which gather downwards; mm."""
    x, z = np.abs(points[:, 0]), points[:, 2]
    return Paint(None, np.stack([-z, x - 0.12 * z], axis=1))
