"""Where thoracic vertebrae carry ribs: costal facets, set on a bone's surface by hand from anatomy.

The head of a rib rests on the superior demifacet of its own vertebra and the inferior demifacet of the one
above; T1 has a whole facet above and a demifacet below, T10 one facet at the superior border, T11 and T12 a
whole one on the pedicle's root. The tubercles rest on the transverse processes of T1 to T10: in front and
hollow above T7, flatter and facing upward below (Gray's Anatomy).
"""

from __future__ import annotations

import numpy as np

from spineviz.anatomy.vertebra.costal import CostalFacet
from spineviz.anatomy.vertebra.landmarks import leaving
from spineviz.anatomy.vertebra.solid import COSTAL, VertebraParameters, field

MOUND, LOW_MOUND, BLEND = 1.2, 0.4, 3.5
"""How high a facet stands above its surroundings, on a body and on a transverse process; its fillet; mm."""

INSET = 1.5
"""How far before the end of a transverse process its facet lies, mm."""

WHOLE = ("T11", "T12")
"""Levels whose single facet lies on the root of the pedicle."""


def with_costal_facets(parameters: VertebraParameters, level: str) -> VertebraParameters:
    """Return the vertebra with the costal facets of its level; a lumbar one is returned as it is."""
    bare = parameters.model_copy(update=dict.fromkeys(COSTAL))
    if not level.startswith("T"):
        return bare
    facets = {"superior_costal_facet": _superior(bare, level)}
    if level not in ("T10", *WHOLE):
        facets["inferior_costal_facet"] = _inferior(bare, level)
    if level not in WHOLE:
        facets["transverse_costal_facet"] = _transverse(bare, level)
    return bare.model_copy(update=facets)


def _superior(bone: VertebraParameters, level: str) -> CostalFacet:
    body = bone.body
    wall = body.centre[1] - body.posterior_depth[1] * (1.0 - body.notch[1])
    top = body.superior_endplate.height
    if level in WHOLE:
        start, size = (0.45 * body.half_width[1], wall + 1.5, top - 6.5), (4.8, 5.0)
        return _facet(bone, start, 24.0, 0.0, size, 0.7)
    if level == "T1":
        start = (0.45 * body.half_width[1], wall + 5.5, top - 4.2)
        return _facet(bone, start, 0.0, 0.0, (4.0, 4.0), 0.6)
    if level == "T10":
        start, size = (0.45 * body.half_width[1], wall + 3.0, top - 4.2), (4.2, 4.2)
        return _facet(bone, start, 18.0, 5.0, size, 0.6)
    size = (4.2 + 0.1 * (int(level[1:]) - 2), 4.2)
    return _facet(bone, (0.45 * body.half_width[1], wall + 3.5, top - 2.6), 25.0, 8.0, size, 0.8)


def _inferior(bone: VertebraParameters, level: str) -> CostalFacet:
    body = bone.body
    size = (2.8, 2.4) if level in ("T1", "T9") else (3.6, 3.0)
    start = (0.45 * body.half_width[2], body.centre[2] - 0.1 * body.posterior_depth[2], 0.0)
    height = -body.inferior_endplate.height + 1.8
    return _facet(bone, (start[0], start[1], height), 32.0, -6.0, size, 0.7)


def _transverse(bone: VertebraParameters, level: str) -> CostalFacet:
    process, number = bone.transverse_process, int(level[1:])
    size = (3.2, 3.4) if number < 9 else (2.9, 3.0)
    upward = 0.0 if number < 5 else min(10.0 * (number - 4), 42.0)
    way = np.subtract(process.end, process.start)
    x, y, z = np.asarray(process.end) - INSET * way / np.linalg.norm(way)
    facet = _facet(bone, (float(x), float(y), float(z)), -62.0, upward, size, 0.6 if number < 7 else 0.35)
    return facet.model_copy(update={"mound": LOW_MOUND})


def _facet(
    bone: VertebraParameters,
    start: tuple[float, float, float],
    posterior: float,
    superior: float,
    size: tuple[float, float],
    hollow: float,
) -> CostalFacet:
    """Return a facet where the ray from ``start`` in its direction leaves the bone."""
    facet = CostalFacet(
        centre=start, posterior=posterior, superior=superior, half_width=size[0], half_height=size[1],
        hollow=hollow, mound=MOUND, blend=BLEND,
    )  # fmt: skip
    outward = facet.axes()[2]
    surface = leaving(field(bone), np.asarray(start), outward)
    centre = tuple(float(v) for v in np.round(surface + 0.3 * MOUND * outward, 2))
    return facet.model_copy(update={"centre": centre})
