"""Muscles of the loins lie on each other and on bone beside a sixth lumbar vertebra too."""

from __future__ import annotations

import pytest
from contacts import depths, touching
from quick import sampled_bones

from spineviz.anatomy.back.deep import deep_muscles
from spineviz.anatomy.disc import disc_recipes
from spineviz.body import Anatomy
from spineviz.body.covering import covering_recipes
from spineviz.geometry import as_trimesh
from spineviz.sdf.mesher import mesh
from spineviz.structure import Structure, Surface
from spineviz.terms import SIDES, column, discs_of

STEP = 1.4
"""The step (mm) of bones and discs here."""

DEEPEST, TOUCHING = 0.3, 0.9
"""How deep (mm) a muscle may stand in something, and what share of a contact has no gap over a millimetre."""

MUSCLES = (
    *("longissimus", "iliocostalis", "psoas_major", "quadratus_lumborum"),
    *("interspinalis", "intertransversarius", "thoracolumbar_fascia_middle"),
)
"""How the names of what enters nothing begin.

Multifidus gives way to the capsules of the facet joints, which are not made here.
"""

TOUCHED = {
    "psoas_major.right": ("L2", "L3", "L4", "L5", "disc.L5-L6", "quadratus_lumborum.right"),
    "quadratus_lumborum.right": ("thoracolumbar_fascia_middle.right", "psoas_major.right"),
    "multifidus.right": ("L3", "L4", "L6", "S1", "longissimus.right"),
    "longissimus.right": ("L4", "L6", "S1", "iliocostalis.right"),
}
"""What lies on each other."""


@pytest.fixture(scope="module")
def surfaces() -> dict[str, Surface]:
    """Bones, discs and muscles from T12 down to the sacrum, with L6."""
    anatomy = Anatomy(levels=column(6))
    levels = anatomy.levels[anatomy.levels.index("T12") : anatomy.levels.index("S1") + 1]
    bones, made = sampled_bones(anatomy, levels, STEP), {}
    for disc in discs_of(levels):
        solid = disc_recipes(disc, anatomy.discs[disc], bones)[f"disc.{disc}"].solid
        made[f"disc.{disc}"] = Structure(f"disc.{disc}", "annulus", mesh(solid, STEP))
    for name, recipe in covering_recipes(anatomy, bones, made).items():
        if recipe.tissue == "muscle":
            made[name] = Structure(name, "muscle", recipe.surface(), recipe.side)
    for name, recipe in deep_muscles(bones, made).items():
        made[name] = Structure(name, recipe.tissue, recipe.surface(), recipe.side)
    found = {name: item.surface for name, item in made.items()}
    return found | {str(level): bone.surface for level, bone in bones.items()}


@pytest.mark.many
def test_muscles_touch_and_enter_nothing_beside_a_sixth_lumbar_vertebra(surfaces: dict[str, Surface]) -> None:
    assert "L6" in surfaces
    for name in (name for name in surfaces if name.endswith(SIDES) and not name.startswith("disc.")):
        body = as_trimesh(surfaces[name])
        assert body.is_watertight and body.body_count == 1, name
    found = depths(surfaces, lambda first, second: first.startswith(MUSCLES) or second.startswith(MUSCLES))
    deep = {pair: round(way, 2) for pair, way in found.items() if way > DEEPEST}
    assert not deep, deep
    for name, others in TOUCHED.items():
        near = touching(surfaces, name)
        for other in others:
            area, share = near[other]
            assert area > 100.0 and share >= TOUCHING, (name, other, area, share)
