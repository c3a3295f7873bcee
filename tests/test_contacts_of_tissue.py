"""No two structures of the whole baked body enter each other, but for those that do so by nature."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from contacts import depths, touching

from spineviz.body.bake import shelf
from spineviz.geometry import as_trimesh, unpinched
from spineviz.structure import Structure

DEEPEST = 0.3
"""How deep (mm) a structure may stand in another one."""

TOUCHING = 0.9
"""What share of a contact has no gap of more than a millimetre."""

LAYERS = ("subcutaneous_fat", "skin")
"""What no muscle lies on."""

TOUCHED = {
    "splenius.right": ("semispinalis.right", "longissimus.right", "thoracolumbar_fascia"),
    "semispinalis.right": ("multifidus.right", "spinalis.right", "splenius.right", "thoracolumbar_fascia"),
    "spinalis.right": ("multifidus.right", "semispinalis.right", "thoracolumbar_fascia"),
    "longissimus.right": (
        "multifidus.right",
        "semispinalis.right",
        "spinalis.right",
        "splenius.right",
        "iliocostalis.right",
        "erector_spinae_aponeurosis.right",
        "thoracolumbar_fascia",
    ),
    "iliocostalis.right": (
        "S1",
        "longissimus.right",
        "splenius.right",
        "thoracolumbar_fascia",
        "thoracolumbar_fascia_middle.right",
    ),
    "multifidus.right": (
        *("L1", "L2", "L3", "L4", "L5", "S1"),
        "longissimus.right",
        "semispinalis.right",
        "spinalis.right",
        "erector_spinae_aponeurosis.right",
    ),
    "erector_spinae_aponeurosis.right": ("multifidus.right", "longissimus.right", "thoracolumbar_fascia"),
    "thoracolumbar_fascia_middle.right": ("iliocostalis.right", "quadratus_lumborum.right"),
    "quadratus_lumborum.right": ("thoracolumbar_fascia_middle.right", "psoas_major.right"),
    "psoas_major.right": (
        *("L1", "L2", "L3", "L4", "L5"),
        *("disc.L1-L2", "disc.L2-L3", "disc.L3-L4", "disc.L4-L5"),
        *("root.L1.right", "root.L2.right", "root.L3.right", "root.L4.right"),
        "quadratus_lumborum.right",
    ),
    "thoracolumbar_fascia": (
        *("splenius.right", "semispinalis.right", "spinalis.right", "longissimus.right"),
        *("iliocostalis.right", "erector_spinae_aponeurosis.right"),
    ),
}
"""What lies on each other in nature.

Left out is what faces each other across other tissue: multifidus and the fascia, with the aponeurosis
between, beside whose medial edge fat fills the cleft along the supraspinous ligament; iliocostalis and
quadratus, with the middle layer between; quadratus and the posterior layer, with the lateral raphe between;
psoas and the sacrum, with fat, lumbosacral trunk and iliac vessels between.
"""

IN_THE_LOWER_LOINS = {
    "iliocostalis.right": ("longissimus.right", "thoracolumbar_fascia", "thoracolumbar_fascia_middle.right"),
    "erector_spinae_aponeurosis.right": ("multifidus.right", "longissimus.right", "thoracolumbar_fascia"),
}
"""What lies on each other there; the aponeurosis lies between the fascia and the other muscles."""

IN_THE_SAC = ("spinal_cord", "filum_terminale", "rootlet", "cauda", "root")
"""What the thecal sac holds, or lets out, by the beginnings of names."""

ON_THE_CORD = ("filum_terminale", "rootlet", "cauda")
"""What goes on from the cord."""

ON_EACH_OTHER = ("thoracolumbar_fascia", "subcutaneous_fat", "skin")
"""Layers that share a surface: the muscles' own tests look at them."""


@pytest.fixture(scope="module")
def library() -> Mapping[str, Structure]:
    """The baked structures of the right side and of the middle; the left ones are their images."""
    baked = shelf()
    if not baked:
        pytest.skip("the library was baked by another generator; run: spineviz bake")
    return {name: item for name, item in baked.items() if item.side != "left"}


def apart(first: str, second: str) -> bool:
    """Tell whether two structures have nothing of each other by nature."""
    stems = first.partition(".")[0], second.partition(".")[0]
    for one, other in (stems, stems[::-1]):
        if (one == "thecal_sac" and other in IN_THE_SAC) or (one == "spinal_cord" and other in ON_THE_CORD):
            return False
    threads = {"root", "rootlet", "cauda"}
    goes_on = set(stems) <= threads and first.split(".")[1:] == second.split(".")[1:]
    return not goes_on and not set(stems) <= set(ON_EACH_OTHER)


def test_no_structure_stands_in_another_one(library: Mapping[str, Structure]) -> None:
    assert {"multifidus.right", "psoas_major.right", "facet_capsule.L4-L5.right", "C1"} <= set(library)
    found = depths({name: item.surface for name, item in library.items()}, apart)
    deep = {pair: round(way, 2) for pair, way in found.items() if way > DEEPEST}
    assert not deep, deep


def test_every_structure_is_closed_and_nowhere_pinched() -> None:
    baked = shelf()
    if not baked:
        pytest.skip("the library was baked by another generator; run: spineviz bake")
    for name, item in baked.items():
        for surface in filter(None, (item.surface, item.light)):
            assert unpinched(surface) is surface and as_trimesh(surface).is_watertight, name


def test_interspinales_lie_in_every_lumbar_space(library: Mapping[str, Structure]) -> None:
    for space in ("L1-L2", "L2-L3", "L3-L4", "L4-L5", "L5-S1"):
        assert f"interspinalis.{space}.right" in library


@pytest.mark.parametrize("name", TOUCHED)
def test_what_lies_on_each_other_in_nature_touches(name: str, library: Mapping[str, Structure]) -> None:
    surfaces = {other: item.surface for other, item in library.items() if other not in LAYERS}
    found = touching(surfaces, name)
    for other in TOUCHED[name]:
        area, share = found[other]
        assert area > 100.0 and share >= TOUCHING, (other, area, share)


@pytest.mark.parametrize("name", IN_THE_LOWER_LOINS)
def test_what_lies_on_each_other_touches_from_l3_to_the_sacrum_too(
    name: str, library: Mapping[str, Structure]
) -> None:
    surfaces = {other: item.surface for other, item in library.items() if other not in LAYERS}
    top = float(surfaces["disc.L2-L3"].vertices[:, 2].mean())
    found = touching(surfaces, name, below=top)
    for other in IN_THE_LOWER_LOINS[name]:
        area, share = found[other]
        assert area > 100.0 and share >= TOUCHING, (other, area, share)
