"""What an approach adds to the body's own structures: cut surfaces, how they move, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scipy.spatial import cKDTree

from spineviz.anatomy.recipe import Body
from spineviz.structure import Surface, Warp
from spineviz.surgery.decompression import removal_warps
from spineviz.surgery.ledger import Ledger, prepare_ledger
from spineviz.surgery.plan import Plan
from spineviz.surgery.resection import resected
from spineviz.surgery.retraction import MidlineWound, PartedTissue, TubeCorridor
from spineviz.surgery.site import Site
from spineviz.surgery.window import Window


@dataclass(frozen=True, eq=False)
class Tissue:
    """Variants and warps of the body's structures by name, and the ledger that measures them."""

    variants: Mapping[str, Mapping[str, Surface]]
    warps: Mapping[tuple[str, str], Warp]
    ledger: Ledger


def approach_tissue(
    site: Site,
    body: Body,
    opening: TubeCorridor | MidlineWound,
    parts: Mapping[str, PartedTissue],
    windows: tuple[Window, ...],
    plan: Plan,
) -> Tissue:
    """Return what an opening, with the tissue it parts, and a decompression make of the body's structures."""
    return opened_tissue(site, body, opening, parts, resected(site, body, windows), removal_warps(site, plan))


def opened_tissue(
    site: Site,
    body: Body,
    opening: TubeCorridor | MidlineWound,
    parts: Mapping[str, PartedTissue],
    cut: Mapping[str, Mapping[str, Surface]],
    moved: Mapping[tuple[str, str], Warp],
) -> Tissue:
    """Return what an opening makes of the body's structures beside the variants that are ``cut`` otherwise.

    ``moved`` are the movements of structures beside those that the opening parts.
    """
    variants, warps = dict(cut), dict(moved)
    for name, part in parts.items():
        variants[name] = {site.approach: part.surface}
        warps[name, site.approach] = part.warp
    shaded = {
        name: {
            stage: shaded_like(surface, body.structures[name].surface) for stage, surface in stages.items()
        }
        for name, stages in variants.items()
    }
    ledger = prepare_ledger(
        site.approach,
        body,
        incision=opening.incision,
        corridor=opening.corridor,
        follow=opening.on,
        full=opening.full,
        variants=shaded,
    )
    return Tissue(shaded, warps, ledger)


def shaded_like(surface: Surface, original: Surface) -> Surface:
    """Return a variant with the ambient occlusion of the nearest vertex of its original."""
    if surface.occlusion is not None or original.occlusion is None:
        return surface
    _, nearest = cKDTree(original.vertices).query(surface.vertices)
    return Surface(
        surface.vertices, surface.faces, original.occlusion[nearest], surface.tint, surface.coordinates
    )
