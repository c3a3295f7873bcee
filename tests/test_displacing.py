"""Nerves give way to displaced disc and keep their volume; the ligament behind the disc is lifted or torn."""

from __future__ import annotations

from functools import cache
from random import Random

import numpy as np
import pytest
from standing import bones, herniated, nerve_structures
from test_herniation import EVERY, MORPHOLOGIES, of_lumbar_disc

from spineviz.anatomy.disc import annulus_field, disc_recipes, displaced_solids
from spineviz.anatomy.disc.space import disc_space
from spineviz.anatomy.ligament.lifting import LigamentWarp, given_way
from spineviz.anatomy.ligament.longitudinal import posterior_longitudinal_ligament
from spineviz.anatomy.nerve.warps import nerve_warps
from spineviz.anatomy.surroundings import Spine
from spineviz.body.bake import shelf
from spineviz.body.displacing import breaches, displaced_by
from spineviz.body.parameters import Anatomy
from spineviz.body.skeleton import bones as make_bones
from spineviz.geometry import as_trimesh, surface_distance, surface_points, volume
from spineviz.pathology import Herniation, apply
from spineviz.sdf.mesher import mesh
from spineviz.structure import Structure, Surface
from spineviz.terms import HerniatedDisc, levels_of

KEPT = 0.03
"""What share of its volume a nerve may lose or gain."""

DEEPEST = 0.3
"""How deep (mm) one thing may stand in another."""

CORD = (
    Herniation(disc="C5-C6", depth=5.0),
    Herniation(disc="T9-T10", zone="central", depth=7.0),
    Herniation(disc="L1-L2", zone="central", depth=9.0),
)
"""Herniations behind which the cord, its cone or their rootlets lie."""


@pytest.mark.parametrize("case", Random(11).sample(EVERY, 4), ids=" ".join)
def test_flattened_nerves_keep_their_volume_and_enter_neither_bone_nor_material(
    case: tuple[HerniatedDisc, str, str, str],
) -> None:
    random = Random(" ".join(case))
    herniation = of_lumbar_disc(*case, (random.random(), random.random()))  # type: ignore[arg-type]
    disc = herniated(herniation)
    around = {level: bones()[level] for level in levels_of(herniation.disc)}
    material = displaced_solids(disc_space(herniation.disc, around), disc)[0].field
    for (name, _), warp in nerve_warps(nerve_structures(), herniation.disc, disc, around).items():
        surface, moved = nerve_structures()[name].surface, warp((1.0, 0.0))
        if name != "thecal_sac":
            half = warp((0.5, 0.0))
            for vertices in (half, moved):
                assert volume(surface.moved(vertices)) == pytest.approx(volume(surface), rel=KEPT), name
        assert material(moved).min() > -DEEPEST, name
        assert min(bone.distance(moved).min() for bone in around.values()) > -DEEPEST, name


@pytest.mark.many
@pytest.mark.parametrize("herniation", CORD, ids=lambda item: item.disc)
def test_the_cord_and_its_rootlets_keep_their_volume_and_stay_in_the_sac(herniation: Herniation) -> None:
    around = make_bones(Anatomy(), levels_of(herniation.disc))
    structures = dict(shelf())
    warps = nerve_warps(
        structures, herniation.disc, apply(herniation, Anatomy()).discs[herniation.disc], around
    )
    rest = structures["thecal_sac"].surface
    sac = surface_distance(rest.moved(warps["thecal_sac", "surgery"]((1.0, 0.0))))
    for (name, _), warp in warps.items():
        surface, moved = structures[name].surface, warp((1.0, 0.0))
        if name == "thecal_sac":
            continue
        assert volume(surface.moved(moved)) == pytest.approx(volume(surface), rel=KEPT), name
        assert min(bone.distance(moved).min() for bone in around.values()) > -DEEPEST, name
        if name == "spinal_cord":  # its upper end stands out of the sac's, where both are cut
            displaced = np.linalg.norm(moved - surface.vertices, axis=1) > 0.0
            assert displaced.any() == (herniation.disc != "L1-L2")  # the cone ends above
            assert sac(moved)[displaced].max(initial=-np.inf) < DEEPEST


@cache
def band() -> Structure:
    """The healthy ligament behind L4 and L5."""
    disc = disc_recipes("L4-L5", Anatomy().discs["L4-L5"], bones())["disc.L4-L5"]
    pair = {level: bones()[level] for level in levels_of("L4-L5")}
    return posterior_longitudinal_ligament(Spine(pair, {"L4-L5": mesh(disc.solid, 1.2)}))


@cache
def behind(herniation: Herniation) -> tuple[Surface, Structure, LigamentWarp]:
    """The displaced material, and the ligament behind it."""
    shape = apply(herniation, Anatomy()).discs[herniation.disc]
    material = mesh(disc_recipes(herniation.disc, shape, bones())[f"herniation.{herniation.disc}"].solid, 0.8)
    made = given_way(band(), [(material, breaches(herniation.disc, shape, bones()))])
    assert made is not None
    return material, *made


LIFTED = (
    Herniation(zone="central", morphology="protrusion"),
    Herniation(zone="central", contained=True, migration="caudal", migration_distance=5.0),
    Herniation(morphology="bulge", depth=3.0),
)
PIERCED = (
    Herniation(zone="central", migration="caudal", migration_distance=6.0),
    Herniation(zone="paracentral", depth=6.0),
    Herniation(zone="central", morphology="sequestration", migration="caudal", migration_distance=10.0),
)


@pytest.mark.parametrize("herniation", [*LIFTED, *PIERCED], ids=lambda item: item.morphology)
def test_the_ligament_stays_closed_and_keeps_off_displaced_material(herniation: Herniation) -> None:
    material, torn, warp = behind(herniation)
    lifted = torn.surface.moved(warp((1.0, 0.0)))
    assert as_trimesh(lifted).is_watertight and as_trimesh(torn.surface).is_watertight
    assert surface_distance(material)(surface_points(lifted, 0.6)).min() > -DEEPEST
    assert surface_distance(lifted)(surface_points(material, 0.6)).min() > -DEEPEST
    assert np.array_equal(warp((0.0, 0.0)), torn.surface.vertices.astype(float))


@pytest.mark.parametrize("herniation", LIFTED, ids=lambda item: item.morphology)
def test_what_the_ligament_covers_lifts_it_whole(herniation: Herniation) -> None:
    material, torn, warp = behind(herniation)
    assert np.array_equal(torn.surface.faces, band().surface.faces)
    assert np.linalg.norm(warp.way, axis=1).max() > 0.6 * herniation.depth
    assert surface_distance(material)(surface_points(band().surface, 0.6)).min() < -DEEPEST


@pytest.mark.parametrize("herniation", PIERCED, ids=lambda item: item.morphology)
def test_what_has_pierced_the_ligament_leaves_a_hole_in_it(herniation: Herniation) -> None:
    _, torn, warp = behind(herniation)
    whole, rest = as_trimesh(band().surface), as_trimesh(torn.surface)
    assert rest.area < whole.area - 10.0
    assert rest.euler_number <= whole.euler_number
    assert np.linalg.norm(warp.way, axis=1).max() < 2.0


def test_a_ligament_is_lifted_by_all_of_its_way_at_most() -> None:
    _, _, warp = behind(LIFTED[0])
    for amounts in ((), (1.2, 0.0), (-0.1,)):
        with pytest.raises(ValueError, match="lifted"):
            warp(amounts)


def test_two_herniated_discs_move_nerves_by_the_sum_of_their_ways() -> None:
    anatomy = Anatomy()
    for herniation in (Herniation(), Herniation(disc="L5-S1", side="right")):
        anatomy = apply(herniation, anatomy)
    pieces = {
        f"herniation.{disc}": Structure(f"herniation.{disc}", "fragment", band().surface)
        for disc in ("L4-L5", "L5-S1")
    }
    _, both = displaced_by(anatomy.discs, nerve_structures() | pieces, bones())
    sac = nerve_structures()["thecal_sac"].surface.vertices
    alone = [
        nerve_warps(nerve_structures(), disc, anatomy.discs[disc], bones())["thecal_sac", "surgery"]
        for disc in ("L4-L5", "L5-S1")
    ]
    ways = [warp((1.0, 0.0)) - sac for warp in alone]
    assert np.allclose(both["thecal_sac", "surgery"]((1.0, 0.0)) - sac, sum(ways), atol=1e-9)
    assert all(np.abs(way).max() > 2.0 for way in ways)
    assert {("root.L5.left", "surgery"), ("root.S1.right", "surgery")} <= set(both)
    with pytest.raises(ValueError, match="retracted at one herniated disc, not at L4-L5, L5-S1"):
        both["thecal_sac", "surgery"]((1.0, 3.0))


def test_a_disc_may_herniate_to_both_sides() -> None:
    shape = apply(Herniation(side="right"), apply(Herniation(side="left"), Anatomy())).discs["L4-L5"]
    warps = nerve_warps(nerve_structures(), "L4-L5", shape, bones())
    space = disc_space("L4-L5", bones())
    material = [solid.field for solid in displaced_solids(space, shape)]
    assert len(material) == 2 and annulus_field(space, shape) is not None
    for side in ("left", "right"):
        root = nerve_structures()[f"root.L5.{side}"].surface
        moved = warps[f"root.L5.{side}", "surgery"]((1.0, 0.0))
        assert min(field(moved).min() for field in material) > -DEEPEST
        assert volume(root.moved(moved)) == pytest.approx(volume(root), rel=KEPT)


def test_every_type_of_herniation_tells_whether_it_has_pierced_the_ligament() -> None:
    for morphology in MORPHOLOGIES:
        shape = apply(Herniation(zone="central", morphology=morphology), Anatomy()).discs["L4-L5"]
        (breach,) = breaches("L4-L5", shape, bones())
        assert breach.torn == (morphology != "protrusion")
        assert breach.free == (morphology == "sequestration")
