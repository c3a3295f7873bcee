"""No two structures of the loins enter each other in the baked library."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from contacts import depth_in

from spineviz.body.bake import shelf
from spineviz.geometry import surface_points
from spineviz.structure import Points, Structure

DEEPEST = 0.3
"""How deep (mm) a structure may stand in another one."""

REACH = (-45.0, 165.0)
"""The heights (mm) looked at: from the second sacral body to the first lumbar vertebra."""

MUSCLES = (
    "multifidus", "longissimus", "iliocostalis", "spinalis", "erector_spinae_aponeurosis",
    "thoracolumbar_fascia", "thoracolumbar_fascia_middle", "psoas_major", "quadratus_lumborum",
    "interspinalis", "intertransversarius_lateral", "intertransversarius_medial",
)  # fmt: skip

BESIDE = (
    "facet_capsule", "flavum", "interspinous", "supraspinous_ligament", "intertransverse", "disc",
    "anterior_longitudinal_ligament", "root", "lumbar_artery", "lumbar_vein", "aorta", "inferior_vena_cava",
    "common_iliac_artery", "common_iliac_vein",
)  # fmt: skip
"""What muscles lie beside, but for bones."""


@pytest.fixture(scope="module")
def library() -> Mapping[str, Structure]:
    """What lies on the right side, or in the middle, of the baked loins."""
    baked = shelf()
    if not baked:
        pytest.skip("the library was baked by another generator; run: spineviz bake")
    return {
        name: item
        for name, item in baked.items()
        if name.partition(".")[0] in MUSCLES + BESIDE and item.side != "left" and _in_reach(item)
    }


def _in_reach(item: Structure) -> bool:
    heights = item.surface.vertices[:, 2]
    return bool(heights.min() < REACH[1] and heights.max() > REACH[0])


def test_no_muscle_stands_in_a_tissue_beside_it(library: Mapping[str, Structure]) -> None:
    assert {"multifidus.right", "psoas_major.right", "facet_capsule.L4-L5.right"} <= set(library)
    places = {name: _places(item) for name, item in library.items()}
    deep = {}
    for outer in (name for name in library if name.partition(".")[0] in MUSCLES):
        others = [name for name in places if name != outer]
        if depth_in(library[outer].surface, np.vstack([places[name] for name in others])) > DEEPEST:
            found = {name: depth_in(library[outer].surface, places[name]) for name in others}
            deep[outer] = {name: round(way, 2) for name, way in found.items() if way > DEEPEST}
    assert not deep, deep


def test_interspinales_lie_in_every_lumbar_space(library: Mapping[str, Structure]) -> None:
    for space in ("L1-L2", "L2-L3", "L3-L4", "L4-L5", "L5-S1"):
        assert f"interspinalis.{space}.right" in library


def _places(item: Structure) -> Points:
    """Return places on a structure's surface within reach; small structures have them closer."""
    small = len(item.surface.faces) < 2_500
    points = surface_points(item.surface, 1.5 if small else 3.0)
    return points[(points[:, 2] > REACH[0]) & (points[:, 2] < REACH[1])]
