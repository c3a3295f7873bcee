"""Great vessels before the spine, their segmental branches, and the vertebral arteries."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from spineviz.anatomy.surroundings import Spine
from spineviz.anatomy.vessel.branch import lumbar_vessels
from spineviz.anatomy.vessel.trunk import great_arteries, great_veins
from spineviz.anatomy.vessel.vertebral import vertebral_arteries
from spineviz.structure import Structure, Surface

__all__ = ["vessels"]


def vessels(spine: Spine, others: Sequence[Surface] = (), kept: Collection[str] = ()) -> list[Structure]:
    """Return the vessels of the levels that are there, clear of bones, discs and ``others``; world, mm.

    ``aorta``, ``common_iliac_artery.<side>``, ``inferior_vena_cava``, ``common_iliac_vein.<side>``,
    ``lumbar_artery.<level>.<side>``, ``lumbar_vein.<level>.<side>`` and ``vertebral_artery.<side>``; those
    ``kept`` are not made. Raises ValueError where a landmark is missing.
    """
    result: list[Structure] = []
    if not {"aorta", "inferior_vena_cava"} <= set(kept):
        around = spine.column.and_also(others)
        veins = great_veins(spine, around)
        arteries = great_arteries(spine, around, [item.surface for item in veins])
        result += [*veins, *arteries, *lumbar_vessels(spine, around, [*veins, *arteries])]
    if "vertebral_artery.right" not in kept:
        result += vertebral_arteries(spine, others)
    return result
