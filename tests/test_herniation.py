"""A herniation displaces nucleus material, tears the annulus and pushes one root and the sac aside."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise, product
from random import Random
from time import perf_counter
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from quick import sampled_bones
from standing import EXTRUSION, bones, herniated, nerve_structures, nerves

from spineviz import measures
from spineviz.anatomy.disc import DiscParameters, annulus_field, disc_parameters, disc_recipes
from spineviz.anatomy.disc.displaced_material import (
    DisplacedMaterial,
    facet_line,
    in_one_piece,
    lateral_border,
    material_frame,
    medial_border,
    resolved,
)
from spineviz.anatomy.disc.space import disc_space, endplate
from spineviz.anatomy.ligament import ligament_recipes
from spineviz.anatomy.nerve.warps import nerve_warps
from spineviz.anatomy.recipe import Recipe
from spineviz.body.parameters import Anatomy
from spineviz.geometry import as_trimesh, volume
from spineviz.pathology import Herniation, apply, displaced
from spineviz.pathology.herniation import Morphology, Zone
from spineviz.pathology.possible import ELSEWHERE
from spineviz.sdf.solid import Field
from spineviz.structure import Floats, Frame, Points, Warp
from spineviz.terms import LOWER_LUMBAR_DISCS as DISCS
from spineviz.terms import SIDES, Disc, HerniatedDisc, Side, levels_of, region_of

MORPHOLOGIES: tuple[Morphology, ...] = ("protrusion", "extrusion", "sequestration")
ZONES: tuple[Zone, ...] = get_args(Zone)


@dataclass(frozen=True)
class Discs:
    discs: dict[Disc, DiscParameters]


def healthy() -> Discs:
    return Discs({disc: disc_parameters(disc) for disc in DISCS})


@cache
def recipes(herniation: Herniation = EXTRUSION) -> dict[str, Recipe]:
    return disc_recipes(herniation.disc, herniated(herniation), bones())


@cache
def warps() -> dict[tuple[str, str], Warp]:
    return nerve_warps(nerve_structures(), "L4-L5", herniated(), bones())


def fragment(herniation: Herniation = EXTRUSION) -> Field:
    return recipes(herniation)[f"herniation.{herniation.disc}"].solid.field


def local_fragment(herniation: Herniation) -> Points:
    """Points inside the displaced material in its own frame, every 0.5 mm."""
    disc = herniated(herniation)
    space = disc_space(herniation.disc, bones())
    frame = material_frame(disc.herniations[0], space, disc.bulge)
    axes = [np.arange(low, high, 0.5) for low, high in ((-14, 14), (-6, 14), (-16, 12))]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    return grid[fragment(herniation)(frame.to_parent(grid)) < 0]


def test_a_herniation_without_depth_changes_nothing() -> None:
    anatomy = healthy()
    assert apply(Herniation(depth=0.0), anatomy) is anatomy


def test_a_herniation_is_added_to_its_disc_alone() -> None:
    anatomy = apply(EXTRUSION, healthy())
    assert anatomy.discs["L4-L5"].herniations == (displaced(EXTRUSION),)
    assert anatomy.discs["L5-S1"] == healthy().discs["L5-S1"]


def test_the_same_disc_cannot_herniate_twice_on_one_side() -> None:
    with pytest.raises(ValueError, match="already"):
        apply(EXTRUSION, apply(EXTRUSION, healthy()))


@pytest.mark.parametrize(
    "fields",
    [
        {"disc": "L5-L6"},
        {"zone": "lateral"},
        {"depth": 15.0},
        {"depth": 1.0},
        {"migration": "caudal"},
        {"migration_distance": 3.0},
        {"morphology": "protrusion", "migration": "caudal", "migration_distance": 3.0},
        {"size": 3.0},
    ],
)
def test_what_is_not_built_correctly_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Herniation.model_validate(fields)


def test_an_extrusion_is_wider_outside_than_at_its_base() -> None:
    points = local_fragment(EXTRUSION)
    base = points[np.abs(points[:, 1] + 1.0) < 0.6]
    outside = points[points[:, 1] > 1.0]
    assert np.ptp(outside[:, 0]) > 1.3 * np.ptp(base[:, 0])
    assert np.ptp(outside[:, 2]) > 1.3 * np.ptp(base[:, 2])


def test_a_protrusion_is_nowhere_wider_than_its_base() -> None:
    points = local_fragment(Herniation(morphology="protrusion", depth=4.0, width=13.0))
    widths = [np.ptp(points[np.abs(points[:, 1] - y) < 0.3][:, 0]) for y in (0.5, 1.5, 2.5, 3.5)]
    assert all(later <= earlier + 0.5 for earlier, later in pairwise(widths))


def test_an_extrusion_stands_as_far_behind_the_disc_and_below_the_endplate_as_it_says() -> None:
    points = local_fragment(EXTRUSION)
    assert EXTRUSION.depth - 2.0 < points[:, 1].max() < EXTRUSION.depth + 1.0
    space = disc_space("L4-L5", bones())
    disc = herniated()
    frame = material_frame(disc.herniations[0], space, disc.bulge)
    below = endplate(bones()["L5"], "superior").to_local(frame.to_parent(points))[:, 2].min()
    assert -below == pytest.approx(EXTRUSION.migration_distance, abs=2.0)


def test_a_subarticular_herniation_lies_before_the_facet_on_its_side() -> None:
    surface = recipes()["herniation.L4-L5"].surface()
    middle = surface.vertices[:, 0].mean()
    assert -12.0 < middle < -6.0
    right = recipes(Herniation(side="right"))["herniation.L4-L5"].surface()
    left = recipes(Herniation(side="left"))["herniation.L4-L5"].surface()
    assert right.vertices[:, 0].mean() == pytest.approx(-left.vertices[:, 0].mean(), abs=0.3)
    assert volume(right) == pytest.approx(volume(left), rel=0.05)


def test_the_fragment_is_one_closed_piece_that_enters_no_bone_disc_or_ligament() -> None:
    surface = recipes()["herniation.L4-L5"].surface()
    mesh = as_trimesh(surface)
    assert mesh.is_watertight
    assert mesh.body_count == 1
    points = surface.vertices.astype(float)
    assert min(bone.distance(points).min() for bone in bones().values()) > 0.0
    assert recipes()["disc.L4-L5"].solid.field(points).min() > -0.2
    flavum = ligament_recipes(bones(), nerves())["flavum.L4-L5.left"].solid.field
    assert flavum(points).min() > -0.3


def test_what_is_pinched_off_from_the_material_is_left_out() -> None:
    def two_pieces(points: Points) -> Floats:
        large = np.linalg.norm(points, axis=1) - 4.0
        return np.minimum(large, np.linalg.norm(points - np.array([5.5, 0.0, 0.0]), axis=1) - 0.8)

    kept = in_one_piece(two_pieces, Frame(), np.full(3, 9.0))
    points = np.random.default_rng(7).uniform(-9.0, 9.0, (20_000, 3))
    far = np.linalg.norm(points - np.array([5.5, 0.0, 0.0]), axis=1) > 3.0
    assert np.array_equal(kept(points[far]), two_pieces(points[far]))
    assert (kept(points[~far & (points[:, 0] > 4.3)]) > 0).all()
    assert in_one_piece(fragment(), Frame(), np.full(3, 2.0)) is fragment()


def test_the_fragment_hangs_on_to_the_nucleus_through_a_tear() -> None:
    space, disc = disc_space("L4-L5", bones()), herniated()
    core = recipes()["nucleus.L4-L5"].solid.field
    points = recipes()["herniation.L4-L5"].surface().vertices.astype(float)
    assert core(points).min() < 0.2
    torn = (annulus_field(space, disc)(points) < -1.0).sum()
    assert torn > 20


def test_whole_compression_frees_sac_and_root_from_the_fragment() -> None:
    inside = {name: fragment()(structure.surface.vertices.astype(float)).min()
              for name, structure in nerve_structures().items()}  # fmt: skip
    assert inside["root.L5.left"] < -0.5
    for (name, _), warp in warps().items():
        moved = warp((1.0, 0.0))
        assert fragment()(moved).min() > -0.3, name


def test_the_left_root_lies_on_the_fragment() -> None:
    moved = warps()["root.L5.left", "surgery"]((1.0, 0.0))
    assert fragment()(moved).min() < 1.2


def test_only_the_sac_what_lies_in_it_and_the_roots_of_the_herniated_side_give_way() -> None:
    names = {name for name, _ in warps()}
    strands = {name for name in names if name.startswith("cauda")}
    assert names - strands == {"thecal_sac", "filum_terminale", "root.L5.left"}
    assert {f"cauda.S1.{side}" for side in SIDES} <= strands and "cauda.L3.left" not in strands
    for level in ("L4", "L5", "S1"):
        other = nerve_structures()[f"root.{level}.right"].surface.vertices.astype(float)
        assert fragment()(other).min() > 0.5


def test_no_amount_is_the_rest_shape() -> None:
    for (name, _), warp in warps().items():
        assert np.array_equal(warp((0.0, 0.0)), nerve_structures()[name].surface.vertices.astype(float))


@pytest.mark.parametrize("amounts", [(1.0, 0.0), (1.0, 6.0), (0.0, 6.0), (0.5, 3.0), (1.0, 8.0)])
def test_moved_nerves_keep_out_of_bone(amounts: tuple[float, float]) -> None:
    for (name, _), warp in warps().items():
        moved = warp(amounts)
        assert min(bone.distance(moved).min() for bone in bones().values()) > -0.3, name


def test_retraction_carries_the_root_medially_at_the_disc_and_nowhere_far_from_it() -> None:
    rest = nerve_structures()["root.L5.left"].surface.vertices.astype(float)
    moved = warps()["root.L5.left", "surgery"]((0.0, 6.0))
    way = moved - rest
    height = disc_space("L4-L5", bones()).frame.to_local(rest)[:, 2]
    assert way[np.abs(height) < 3.0, 0].mean() == pytest.approx(6.0, abs=1.2)
    assert np.abs(way[np.abs(height) > 20.0]).max() < 1e-6


def test_moved_meshes_stay_smooth() -> None:
    for name in ("thecal_sac", "root.L5.left"):
        surface = nerve_structures()[name].surface
        mesh = as_trimesh(surface.moved(warps()[name, "surgery"]((1.0, 6.0))))
        assert mesh.is_watertight
        assert mesh.volume > 0.75 * as_trimesh(surface).volume
        assert np.quantile(np.degrees(mesh.face_adjacency_angles), 0.99) < 60.0


def test_wrong_amounts_are_refused() -> None:
    warp = warps()["thecal_sac", "surgery"]
    for amounts in ((1.0,), (1.2, 0.0), (0.0, 20.0)):
        with pytest.raises(ValueError, match="compression"):
            warp(amounts)


def test_a_warp_takes_a_few_milliseconds() -> None:
    warp = warps()["thecal_sac", "surgery"]
    start = perf_counter()
    for _ in range(10):
        warp((0.7, 3.0))
    assert (perf_counter() - start) / 10 < 0.02


def penetration(herniation: Herniation) -> float:
    """How far (mm) displaced material, coarsely meshed, lies within bone; negative where it keeps off."""
    surface = replace(recipes(herniation)[f"herniation.{herniation.disc}"], step=1.4).surface()
    assert as_trimesh(surface).is_watertight
    points = surface.vertices.astype(float)
    return -float(min(bone.distance(points).min() for bone in bones().values()))


def of_lumbar_disc(
    disc: HerniatedDisc, morphology: Morphology, zone: Zone, side: Side, shares: tuple[float, float]
) -> Herniation:
    """A herniation that is possible: its depth and its migration by shares of what may be."""
    deepest = measures.value(f"herniation.most.lumbar.{morphology}")
    deepest = min(deepest, measures.table("herniation.beside").get(zone, deepest))
    least = measures.value(f"herniation.least.lumbar.{morphology}")
    moves = morphology in ("extrusion", "sequestration") and zone != "anterior"
    farthest = measures.value(f"herniation.migration.lumbar.{morphology}") if moves else 0.0
    farthest = min(farthest, measures.table("herniation.migration_beside").get(zone, farthest))
    distance = shares[1] * farthest
    up = zone in ("foraminal", "extraforaminal") or shares[0] < 0.5
    return Herniation(
        disc=disc,
        morphology=morphology,
        zone=zone,
        side=side,
        depth=least + shares[0] * (deepest - least),
        migration="none" if distance == 0.0 else "cranial" if up else "caudal",
        migration_distance=distance,
    )


EVERY = list(product(DISCS, MORPHOLOGIES, ZONES, SIDES))
"""Every type, zone and side at the lower lumbar discs."""


@pytest.mark.parametrize("case", Random(5).sample(EVERY, 4), ids=" ".join)
def test_a_sample_of_all_herniations_builds_and_enters_no_bone(
    case: tuple[HerniatedDisc, Morphology, Zone, Side],
) -> None:
    random = Random(" ".join(case))
    assert penetration(of_lumbar_disc(*case, (random.random(), random.random()))) < 0.3


@pytest.mark.many
@pytest.mark.parametrize("case", EVERY, ids=" ".join)
@pytest.mark.parametrize("shares", [(0.3, 0.0), (1.0, 1.0)])
def test_every_herniation_builds_and_enters_no_bone(
    case: tuple[HerniatedDisc, Morphology, Zone, Side], shares: tuple[float, float]
) -> None:
    assert penetration(of_lumbar_disc(*case, shares)) < 0.3


def test_a_free_fragment_does_not_touch_its_disc() -> None:
    free = Herniation(morphology="sequestration", migration="caudal", migration_distance=12.0)
    parts = recipes(free)
    points = replace(parts["herniation.L4-L5"], step=1.0).surface().vertices.astype(float)
    assert parts["disc.L4-L5"].solid.field(points).min() > 0.8
    assert parts["nucleus.L4-L5"].solid.field(points).min() > 0.8
    below = endplate(bones()["L5"], "superior").to_local(points)[:, 2].min()
    assert -below == pytest.approx(12.0, abs=2.0)


def test_nucleus_stands_in_the_tear_that_a_free_fragment_left() -> None:
    free = Herniation(zone="central", morphology="sequestration")
    space, disc = disc_space("L4-L5", bones()), herniated(free)
    frame = material_frame(disc.herniations[0], space, disc.bulge)
    tear = frame.to_parent(np.array([[0.0, y, 0.0] for y in (-3.2, -2.6, -2.0)]))
    assert (recipes(free)["nucleus.L4-L5"].solid.field(tear) < 0.0).all()
    assert (
        disc_recipes("L4-L5", disc_parameters("L4-L5"), bones())["nucleus.L4-L5"].solid.field(tear) > 0.0
    ).all()


@pytest.mark.parametrize(
    ("zone", "low", "high"), [("central", 0.0, 0.3), ("foraminal", 1.0, 2.0), ("extraforaminal", 1.6, 3.0)]
)
def test_material_lies_in_its_zone(zone: Zone, low: float, high: float) -> None:
    """In shares of the way from the midline: 1 is the medial, 2 the lateral border of the pedicle above."""
    herniation = Herniation(zone=zone, depth=5.0)
    space = disc_space("L4-L5", bones())
    points = recipes(herniation)["herniation.L4-L5"].surface().vertices.astype(float)
    outside = points[annulus_field(space, disc_parameters("L4-L5"))(points) > 0.5]
    x = -float(space.frame.to_local(outside)[:, 0].mean())
    borders = medial_border(bones()["L5"], "left"), lateral_border(bones()["L4"], "left")
    medial, lateral = (-float(space.frame.to_local(border)[0]) for border in borders)
    place = x / medial if x < medial else 1 + (x - medial) / (lateral - medial)
    assert low <= abs(place) <= high


def test_a_bulge_takes_more_than_a_quarter_of_the_circumference_and_an_asymmetric_one_not_all() -> None:
    space, healthy = disc_space("L4-L5", bones()), disc_parameters("L4-L5")
    angle = np.radians(np.arange(0.0, 360.0, 2.0))
    even, uneven = (
        apply(Herniation(morphology="bulge", symmetric=symmetric, depth=3.0), Discs({"L4-L5": healthy}))
        for symmetric in (True, False)
    )
    shares = []
    for anatomy in (even, uneven):
        bulging = anatomy.discs["L4-L5"].bulging
        assert bulging is not None
        shares.append(float((bulging.beyond(angle, healthy.bulge) > 0.3).mean()))
    assert shares[0] == 1.0 and 0.25 < shares[1] < 0.75
    wide = annulus_field(space, even.discs["L4-L5"])
    edge = space.frame.to_parent(
        np.array([[0.0, -(space.radius(np.array([1.5 * np.pi]), np.array([0.5]))[0] + 2.0), 0.0]])
    )
    assert wide(edge)[0] < 0.0 < annulus_field(space, healthy)(edge)[0]


def test_a_migration_told_by_its_zone_reaches_the_pedicle_of_the_next_vertebra() -> None:
    free = Herniation(morphology="sequestration", migration="caudal", migration_zone="pedicular")
    points = replace(recipes(free)["herniation.L4-L5"], step=1.0).surface().vertices
    pedicle = bones()["L5"].landmarks["pedicle.left"].origin
    assert points[:, 2].min() == pytest.approx(pedicle[2], abs=3.0)


def test_the_sizes_of_msu_reach_more_and_more_of_the_way_to_the_facet_line() -> None:
    space, bulge = disc_space("L4-L5", bones()), disc_parameters("L4-L5").bulge
    line = facet_line(space, bulge)
    assert 6.0 < line < 14.0
    depths = [resolved(displaced(Herniation(msu=grade)), space, bulge).depth for grade in ("1B", "2B", "3B")]
    assert depths[0] <= 0.5 * line < depths[1] <= line < depths[2]


def nerves_beside(herniation: Herniation) -> tuple[dict[tuple[str, str], Warp], Field]:
    """How nerves give way, and what they give way to."""
    name = f"herniation.{herniation.disc}"
    warped = nerve_warps(nerve_structures(), herniation.disc, herniated(herniation), bones())
    return warped, recipes(herniation)[name].solid.field


def test_a_foraminal_herniation_lifts_the_exiting_root_and_leaves_the_passing_one() -> None:
    warped, material = nerves_beside(Herniation(zone="foraminal", depth=6.0))
    passing = nerve_structures()["root.L5.left"].surface.vertices
    assert np.abs(warped["root.L5.left", "surgery"]((1.0, 0.0)) - passing).max() < 0.3
    assert ("root.L4.right", "surgery") not in warped
    rest = nerve_structures()["root.L4.left"].surface.vertices.astype(float)
    moved = warped["root.L4.left", "surgery"]((1.0, 0.0))
    assert material(rest).min() < -1.0
    assert material(moved).min() > -0.3
    assert min(bone.distance(moved).min() for bone in bones().values()) > -0.3
    pressed = material(rest) < 0.0
    assert (moved - rest)[pressed, 2].mean() > 0.5


def test_the_deeper_a_herniation_the_less_is_left_for_the_root_concerned() -> None:
    root = nerve_structures()["root.L4.left"].surface.vertices.astype(float)
    rooms = [
        recipes(Herniation(zone="foraminal", depth=depth))["herniation.L4-L5"].solid.field(root).min()
        for depth in (2.5, 4.5, 6.5)
    ]
    assert rooms[0] > rooms[1] > rooms[2]


def canal_left(depth: float, width: float) -> float:
    """Area (mm²) of the canal's front half at the disc that the herniation leaves free."""
    herniation = Herniation(depth=depth, width=width)
    disc = herniated(herniation)
    space = disc_space("L4-L5", bones())
    frame = material_frame(disc.herniations[0], space, disc.bulge)
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(-9.0, 9.0, 0.5), np.arange(0.5, 12.0, 0.5)))
    plane = frame.to_parent(np.stack([x, y, 0 * x - 1.0], axis=1))
    field = disc_recipes("L4-L5", disc, bones())["herniation.L4-L5"].solid.field
    return float((field(plane) > 0).sum() * 0.25)


@settings(max_examples=6, deadline=None, derandomize=True)
@given(depth=st.floats(2.5, 7.0), more=st.floats(0.8, 2.5), width=st.floats(8.0, 15.0))
def test_a_deeper_herniation_leaves_less_canal(depth: float, more: float, width: float) -> None:
    assert canal_left(depth + more, width) < canal_left(depth, width)


def test_a_migrating_protrusion_is_refused_as_geometry_too() -> None:
    with pytest.raises(ValidationError, match="does not migrate"):
        DisplacedMaterial(
            side="left", morphology="protrusion", offset=0.0, depth=4.0, width=10.0, migration=-3.0
        )


UPPER: tuple[HerniatedDisc, ...] = ("C4-C5", "C7-T1", "T6-T7", "T11-T12", "L1-L2", "L2-L3")
"""Discs of neck, chest and the upper loin, one of each kind of neighbours."""


@pytest.mark.parametrize("disc", Random(8).sample(UPPER, 3))
def test_discs_of_neck_chest_and_upper_loin_herniate_as_well(disc: HerniatedDisc) -> None:
    random = Random(disc)
    pair = sampled_bones(Anatomy(), levels_of(disc), 1.2)
    zone = random.choice(ZONES if region_of(levels_of(disc)[0]) == "lumbar" else ELSEWHERE)
    herniation = Herniation(disc=disc, zone=zone, morphology=random.choice(MORPHOLOGIES))
    recipe = disc_recipes(disc, herniated(herniation), pair)[f"herniation.{disc}"]
    surface = replace(recipe, step=1.2).surface()
    mesh = as_trimesh(surface)
    assert mesh.is_watertight and mesh.volume > 20.0
    points = surface.vertices.astype(float)
    assert min(bone.distance(points).min() for bone in pair.values()) > -0.3
