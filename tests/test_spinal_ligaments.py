"""Ligaments and vessels of the whole column: closed, laid on bone and disc, clear of each other, where nature
has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pytest
from scipy.spatial import cKDTree
from standing import herniated

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc import disc_recipes
from spineviz.anatomy.ligament.capsule import facet_capsule
from spineviz.anatomy.ligament.cartilage import facet_cartilage
from spineviz.anatomy.ligament.dorsal import next_to
from spineviz.anatomy.ligament.longitudinal import posterior_longitudinal_ligament
from spineviz.anatomy.ligament.yellow import yellow_ligament
from spineviz.anatomy.surroundings import Spine, Surroundings
from spineviz.anatomy.vessel import vessels
from spineviz.body import Anatomy, connective
from spineviz.body.bake import shelf
from spineviz.body.skeleton import bones as make_bones
from spineviz.geometry import as_trimesh, surface_distance, volume
from spineviz.pathology import Herniation
from spineviz.sdf.mesher import mesh
from spineviz.structure import Floats, Frame, Points, Structure, Surface
from spineviz.terms import DISCS, LEVELS, SIDES, SIGN, Disc, Level, discs_of, levels_of, region_of
from spineviz.terms import column as levels_from_above

COLUMN = levels_from_above()
PRESENT = discs_of(COLUMN)
PAIRED = (
    *(f"flavum.{disc}" for disc in PRESENT),
    *(f"facet_capsule.{disc}" for disc in PRESENT),
    *(f"facet_cartilage.{disc}" for disc in PRESENT),
    *("facet_capsule.C1-C2", "facet_cartilage.C1-C2"),
    *(f"intertransverse.{disc}" for disc in PRESENT if disc[0] in "TL" and disc != "L5-S1"),
    *(f"{stem}.{level}" for stem in ("lumbar_artery", "lumbar_vein") for level in ("L1", "L2", "L3", "L4")),
    *("common_iliac_artery", "common_iliac_vein", "vertebral_artery"),
)
SINGLE = (
    *(f"interspinous.{disc}" for disc in PRESENT),
    *(f"supraspinous_ligament.{disc}" for disc in PRESENT[PRESENT.index("C7-T1") : PRESENT.index("L3-L4")]),
    "supraspinous_ligament",
    *("anterior_longitudinal_ligament", "posterior_longitudinal_ligament", "nuchal_ligament"),
    *("transverse_ligament_of_atlas", "aorta", "inferior_vena_cava"),
)
FAR = 1e3


@pytest.fixture(scope="module")
def baked() -> Mapping[str, Structure]:
    """The baked library: the proof of it shows that it is what the generator makes now."""
    found = shelf()
    if not found:
        pytest.skip("the library was baked by another generator; run: spineviz bake")
    return found


@pytest.fixture(scope="module")
def spine(baked: Mapping[str, Structure]) -> Spine:
    """All healthy bones and the discs between them."""
    bones = make_bones(Anatomy(), known={level: baked[level].surface for level in COLUMN})
    return Spine(bones, {disc: baked[f"disc.{disc}"].surface for disc in PRESENT})


@pytest.fixture(scope="module")
def made(baked: Mapping[str, Structure]) -> dict[str, Structure]:
    """Every ligament and every vessel."""
    names = [name for name in baked if connective.is_connective(name)]
    return {name: baked[name] for name in names if not name.startswith("epidural_fat")}


def vertices(structure: Structure) -> Points:
    return structure.surface.vertices.astype(float)


def to_skeleton(spine: Spine, points: Points) -> Floats:
    return spine.column.among(points).distance(points)


def width(points: Points, plane: Frame, half: float = 1.0) -> float:
    """How wide a structure is where it passes a plane, mm."""
    near = points[np.abs(plane.to_local(points)[:, 2]) < half]
    return float(np.ptp(near[:, 0]))


def test_every_level_has_its_ligaments_and_vessels_and_pairs_are_complete(made: dict[str, Structure]) -> None:
    assert set(made) == {*SINGLE, *(f"{name}.{side}" for name in PAIRED for side in SIDES)}
    for name, item in made.items():
        assert item.side == next((side for side in SIDES if name.endswith(side)), None)


def test_every_ligament_and_vessel_is_one_closed_body_and_cartilage_a_closed_plate_on_each_bone(
    made: dict[str, Structure],
) -> None:
    for name, item in made.items():
        shape = as_trimesh(item.surface)
        bodies = 2 if name.startswith("facet_cartilage") else 1
        assert shape.is_watertight and shape.is_winding_consistent and shape.body_count == bodies, name
        assert volume(item.surface) > 5.0, name


@pytest.mark.parametrize("name", ["anterior_longitudinal_ligament", "posterior_longitudinal_ligament"])
def test_a_longitudinal_ligament_lies_on_bodies_and_discs(
    spine: Spine, made: dict[str, Structure], name: str
) -> None:
    points = vertices(made[name])
    gap = to_skeleton(spine, points[: len(points) // 2])
    below_axis = points[: len(points) // 2, 2] < spine.bones["C3"].frame.origin[2]
    assert gap.min() > -0.1
    assert (gap[below_axis] < 0.2).mean() > 0.75
    assert (gap[below_axis] < 1.0).mean() > 0.98
    assert (gap < 1.0).mean() > 0.9


def test_the_anterior_ligament_runs_from_the_atlas_to_the_sacrum_and_broadens(
    spine: Spine, made: dict[str, Structure]
) -> None:
    points, bones = vertices(made["anterior_longitudinal_ligament"]), spine.bones
    assert np.abs(points[:, 2].max() - bones["C1"].landmarks["arch.anterior"].origin[2]) < 6.0
    assert points[:, 2].min() < bones["S1"].landmarks["endplate.superior"].origin[2] - 15.0
    widths = [width(points, bones[level].frame) for level in ("C3", "T4", "T10", "L4")]
    assert all(above < below for above, below in pairwise(widths))
    for level in ("C4", "T6", "L3"):
        local = bones[level].frame.to_local(points)
        assert (local[np.abs(local[:, 2]) < 8.0][:, 1] > 4.0).all()


def test_the_posterior_ligament_is_narrow_behind_a_body_and_wide_behind_a_disc(
    spine: Spine, made: dict[str, Structure]
) -> None:
    points = vertices(made["posterior_longitudinal_ligament"])
    segments: tuple[Disc, ...] = ("T8-T9", "L2-L3", "L3-L4", "L4-L5")
    for above, below in map(levels_of, segments):
        plates = [
            spine.bones[above].landmarks["endplate.inferior"],
            spine.bones[below].landmarks["endplate.superior"],
        ]
        disc = Frame((plates[0].origin + plates[1].origin) / 2, plates[0].axes)
        body = width(points, spine.bones[below].frame)
        assert 7.0 < body < 10.5
        assert width(points, disc) > 1.5 * body


def test_the_posterior_ligament_runs_inside_the_canal_from_the_axis_to_the_sacrum(
    spine: Spine, made: dict[str, Structure]
) -> None:
    points = vertices(made["posterior_longitudinal_ligament"])
    assert points[:, 2].max() < spine.bones["C1"].frame.origin[2]
    assert points[:, 2].max() > spine.bones["C2"].landmarks["endplate.inferior"].origin[2]
    assert points[:, 2].min() < spine.bones["S1"].landmarks["endplate.superior"].origin[2] - 10.0
    for level in ("C5", "T3", "L1", "L5"):
        canal = spine.bones[level].landmarks["canal"]
        local = canal.to_local(points)
        near = local[np.abs(local[:, 2]) < 3.0]
        assert len(near) and (near[:, 1] > 0.0).all() and near[:, 1].min() > 2.0


def test_the_posterior_ligament_leaves_room_for_a_herniation(spine: Spine) -> None:
    bones = {level: spine.bones[level] for level in levels_of("L4-L5")}
    parts = disc_recipes("L4-L5", herniated(Herniation(zone="paracentral")), bones)
    discs: dict[Disc, Surface] = {"L4-L5": mesh(parts["disc.L4-L5"].solid, 1.2)}
    fragment = parts["herniation.L4-L5"].surface()
    segment = Spine(bones, discs)
    band = posterior_longitudinal_ligament(segment, Surroundings(()).and_also([fragment])).surface
    whole = posterior_longitudinal_ligament(segment).surface
    entered, left = (surface_distance(item)(fragment.vertices.astype(float)).min() for item in (whole, band))
    assert entered < -0.4 and left > -0.3
    assert as_trimesh(band).is_watertight


@pytest.mark.parametrize("region", ["cervical", "thoracic", "lumbar"])
def test_yellow_ligaments_to_which_nerves_leave_room_are_as_thick_as_measured(
    spine: Spine, region: str
) -> None:
    wanted = measures.value(f"yellow_ligament_thickness.{region}")
    for disc in PRESENT:
        above, below = levels_of(disc)
        if region_of(above) != region:
            continue
        inner, outer = np.split(vertices(yellow_ligament(above, below, "right", spine)), 2)
        rows = int(measures.value("yellow_ligament.rows"))
        thickness = np.linalg.norm(outer - inner, axis=1).reshape(rows, -1)[rows // 3 : -rows // 3, :-3]
        assert 0.6 < np.median(thickness) / wanted < 1.6, disc


@pytest.mark.parametrize("disc", PRESENT)
def test_a_yellow_ligament_touches_both_laminae_and_leaves_a_cleft(
    spine: Spine, made: dict[str, Structure], disc: Disc
) -> None:
    for side in SIDES:
        points = vertices(made[f"flavum.{disc}.{side}"])
        for level in disc.split("-"):
            assert (spine.bones[level].distance(points) < 0.5).mean() > 0.03  # type: ignore[index]
        cleft = measures.value("yellow_ligament.cleft")
        assert (SIGN[side] * points[:, 0]).min() > cleft / 2 - 0.2


@pytest.mark.parametrize(
    "pair", [*pairwise(LEVELS[:7]), ("C7", "T1"), ("T6", "T7"), ("L2", "L3"), ("L5", "S1")]
)
def test_a_capsule_bridges_the_two_processes_of_its_joint(
    spine: Spine, made: dict[str, Structure], pair: tuple[Level, Level]
) -> None:
    points = vertices(made[f"facet_capsule.{pair[0]}-{pair[1]}.right"])
    rows = np.split(points[: len(points) // 2], int(measures.value("facet_capsule.rows")))
    lower, upper = np.vstack(rows[:3]), np.vstack(rows[-3:])
    for border, level in ((lower, pair[1]), (upper, pair[0])):
        gap = spine.bones[level].distance(border)
        assert gap.min() > -0.3 and (gap < 1.0).mean() > 0.9
    middle = np.vstack(rows[4:7])
    assert min(spine.bones[level].distance(middle).min() for level in pair) > -0.3
    marks = (
        spine.bones[pair[0]].landmarks["facet.inferior.right"],
        spine.bones[pair[1]].landmarks["facet.superior.right"],
    )
    joint = (marks[0].origin + marks[1].origin) / 2
    assert np.linalg.norm(points.mean(axis=0) - joint) < 5.0


@pytest.mark.parametrize("pair", [("C3", "C4"), ("C7", "T1"), ("T6", "T7"), ("L1", "L2"), ("L2", "L3")])
def test_cartilage_covers_both_facets_and_leaves_a_thin_cleft(
    spine: Spine, made: dict[str, Structure], pair: tuple[Level, Level]
) -> None:
    """Facets of the neck measure 83-106 mm2, of the chest 70-100, of the loins 128-212 (Panjabi 1993)."""
    surface = made[f"facet_cartilage.{pair[0]}-{pair[1]}.right"].surface
    plates, faces = np.split(surface.vertices.astype(float), 2), np.split(surface.faces, 2)
    sides = []
    for level, plate in zip(pair, plates, strict=True):
        on_bone, towards = np.split(plate[:-2], 2)
        assert np.abs(spine.bones[level].distance(on_bone)).max() < 0.3
        sides.append(towards)
    other = Surface(plates[1], faces[1] - len(plates[0]))
    cleft = surface_distance(other)(sides[0])
    assert cleft.min() > 0.05 and np.median(cleft) < 0.6
    area = as_trimesh(other).area / 2
    least, most = {"C": (55.0, 110.0), "T": (60.0, 125.0), "L": (125.0, 212.0)}[pair[0][0]]
    assert least < area < most


@pytest.mark.parametrize("disc", ["C4-C5", "T5-T6", "L1-L2"])
def test_left_is_made_like_right(spine: Spine, disc: Disc) -> None:
    above, below = levels_of(disc)
    even = Spine(make_bones(Anatomy(), (above, below)), {disc: spine.discs[disc]})
    flava = [yellow_ligament(above, below, side, even) for side in SIDES]
    capsules = [facet_capsule(above, below, side, even, [item.surface for item in flava]) for side in SIDES]
    beside = [item.surface for item in (*flava, *capsules)]
    plates = [facet_cartilage(above, below, side, even, beside) for side in SIDES]
    for left, right in (flava, capsules, plates):
        away = cKDTree(vertices(right) * [-1.0, 1.0, 1.0]).query(vertices(left))[0]
        assert np.percentile(away, 95) < 0.25


def test_a_spinous_process_carries_the_ligaments_between_and_over_it(
    spine: Spine, made: dict[str, Structure]
) -> None:
    for disc in PRESENT[:-1]:
        points = vertices(made[f"interspinous.{disc}"])
        assert np.abs(points[:, 0]).max() < 4.0
        for level in levels_of(disc):
            assert spine.bones[level].distance(points).min() < 0.6
    for level in ("T1", "T6", "L2", "L4"):
        tip = spine.bones[level].landmarks["spinous.tip"].origin
        names = [name for name in made if name.startswith("supraspinous") and level in name]
        cords = [vertices(made[name]) for name in (*names, "supraspinous_ligament")]
        assert min(np.linalg.norm(points - tip, axis=1).min() for points in cords) < 2.5


def test_the_nuchal_ligament_has_a_free_edge_behind_every_spinous_process(
    spine: Spine, made: dict[str, Structure]
) -> None:
    points = vertices(made["nuchal_ligament"])
    for level in LEVELS[:6]:
        tip = spine.bones[level].landmarks["spinous.tip"].origin
        near = points[np.abs(points[:, 2] - tip[2]) < 2.0]
        assert near[:, 1].min() < tip[1] - 2.5
    assert points[:, 2].max() > spine.bones["C1"].landmarks["spinous.tip"].origin[2] + 5.0
    assert np.abs(points[:, 0]).max() < 3.0


def test_the_transverse_ligament_holds_the_dens_from_behind(spine: Spine, made: dict[str, Structure]) -> None:
    points = vertices(made["transverse_ligament_of_atlas"])
    dens = spine.bones["C2"].landmarks["facet.dens"].origin
    middle = points[np.abs(points[:, 0]) < 2.0]
    assert (middle[:, 1] < dens[1] - 5.0).all()
    assert spine.bones["C2"].distance(middle).min() < 1.0
    for side in SIDES:
        tubercle = spine.bones["C1"].landmarks[f"tubercle.ligament.{side}"].origin
        assert np.linalg.norm(points - tubercle, axis=1).min() < 2.5


def test_the_aorta_parts_before_l4_and_the_cava_is_formed_before_l5(
    spine: Spine, made: dict[str, Structure]
) -> None:
    for trunk, branch, level in (
        ("aorta", "common_iliac_artery", "L4"),
        ("inferior_vena_cava", "common_iliac_vein", "L5"),
    ):
        body: LevelBone = spine.bones[level]  # type: ignore[index]
        plates = [body.landmarks[f"endplate.{end}"].origin[2] for end in ("superior", "inferior")]
        ends = np.array([vertices(made[f"{branch}.{side}"])[:, 2].max() for side in SIDES])
        assert (ends < plates[0]).all() and (ends > plates[1] - 8.0).all()
        for side in SIDES:
            limb, stem = vertices(made[f"{branch}.{side}"]), vertices(made[trunk])
            assert cKDTree(stem).query(limb)[0].min() < 1.0
            assert SIGN[side] * limb[np.argmin(limb[:, 2])][0] > 25.0


def test_the_aorta_lies_left_and_the_cava_right_of_it_in_front_of_the_bodies(
    spine: Spine, made: dict[str, Structure]
) -> None:
    for level in ("L1", "L2", "L3"):
        places = [
            spine.bones[level].frame.to_local(vertices(made[name]))
            for name in ("aorta", "inferior_vena_cava")
        ]
        artery, vein = (place[np.abs(place[:, 2]) < 3.0].mean(axis=0) for place in places)
        assert artery[0] < -2.0 and vein[0] > 6.0 and artery[1] > 15.0 and vein[1] > 10.0
    local = spine.bones["T6"].frame.to_local(vertices(made["aorta"]))
    assert local[np.abs(local[:, 2]) < 3.0][:, 0].max() < 0.0


def test_the_right_iliac_artery_crosses_before_the_veins(made: dict[str, Structure]) -> None:
    artery = vertices(made["common_iliac_artery.right"])
    for name in ("common_iliac_vein.left", "inferior_vena_cava"):
        vein = vertices(made[name])
        away, nearest = cKDTree(vein[:, [0, 2]]).query(artery[:, [0, 2]])
        crossing = away < 1.5
        if crossing.any():
            assert (artery[crossing, 1] > vein[nearest[crossing], 1]).mean() > 0.5


def test_lumbar_vessels_leave_their_trunks_and_run_back_around_the_waist(
    spine: Spine, made: dict[str, Structure]
) -> None:
    for level in ("L1", "L2", "L3", "L4"):
        for kind, trunk in (("artery", "aorta"), ("vein", "inferior_vena_cava")):
            for side in SIDES:
                points = vertices(made[f"lumbar_{kind}.{level}.{side}"])
                local = spine.bones[level].frame.to_local(points)
                assert (np.abs(local[:, 2]) < 14.0).all()
                assert (SIGN[side] * local[:, 0]).max() > 15.0 and local[:, 1].min() < 3.0
                assert np.abs(surface_distance(made[trunk].surface)(points)).min() < 0.3


@pytest.mark.parametrize("side", SIDES)
def test_the_vertebral_artery_passes_the_transverse_foramina_from_c6_on(
    spine: Spine, made: dict[str, Structure], side: str
) -> None:
    inside = surface_distance(made[f"vertebral_artery.{side}"].surface)
    centres = {
        level: spine.bones[level].landmarks[f"foramen.transverse.{side}"].origin for level in LEVELS[:7]
    }
    depth = {level: float(inside(centre[None])[0]) for level, centre in centres.items()}
    assert all(depth[level] < 0.5 for level in LEVELS[:6]), depth
    assert depth["C7"] > 2.0
    points = vertices(made[f"vertebral_artery.{side}"])
    atlas = spine.bones["C1"].frame.to_local(points)
    behind = centres["C1"] @ spine.bones["C1"].frame.anterior - 3.0
    over = points[(points @ spine.bones["C1"].frame.anterior < behind) & (atlas[:, 2] > 0.0)]
    assert len(over) > 20


def bends(structure: Structure) -> Floats:
    """The radii (n,) at which the line of a vertebral artery bends, mm."""
    points, sides = vertices(structure), int(measures.value("vertebral_artery.sides"))
    line = points[: len(points) // sides * sides].reshape(-1, sides, 3).mean(axis=1)
    steps = np.diff(line, axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    ways = steps / lengths[:, None]
    turns = np.arccos(np.clip((ways[1:] * ways[:-1]).sum(axis=1), -1.0, 1.0))
    return np.asarray(lengths[1:] / np.maximum(turns, 1e-6))


@pytest.mark.parametrize("beside", [(), connective.BESIDE_VESSELS])
def test_vertebral_arteries_bend_in_curves_and_stay_out_of_bone_and_of_roots(
    spine: Spine, made: dict[str, Structure], baked: Mapping[str, Structure], beside: tuple[str, ...]
) -> None:
    others = [item.surface for name, item in baked.items() if name.startswith(beside)] if beside else []
    kept = [name for name in made if not name.startswith("vertebral_artery")]
    arteries = vessels(spine, others, kept)
    assert len(arteries) == 2
    for item in arteries:
        assert bends(item).min() > 3.0
        assert spine.skeleton.and_also(others).distance(vertices(item)).min() > -0.3


def test_below_the_fifth_lumbar_vertebra_comes_the_sixth_where_there_is_one_and_else_the_sacrum(
    spine: Spine,
) -> None:
    five = spine.bones
    six = {**five, "L6": five["L5"]}
    assert next_to("L5", 1, five) is five["S1"] and next_to("S1", -1, five) is five["L5"]
    assert next_to("L5", 1, six) is six["L6"] and next_to("S1", -1, six) is six["L6"]
    assert next_to("C1", -1, five) is None and next_to("T4", 1, {"T4": five["T4"]}) is None


def test_a_bone_alone_has_neither_ligaments_nor_vessels(spine: Spine) -> None:
    assert connective.connective({"L3": spine.bones["L3"]}, {}, {}) == {}


def test_a_part_of_the_column_has_its_own_ligaments(spine: Spine) -> None:
    some: tuple[Level, ...] = ("T12", "L1")
    discs = {"disc.T12-L1": Structure("disc.T12-L1", "annulus", spine.discs["T12-L1"])}
    found = connective.connective({level: spine.bones[level] for level in some}, discs, {})
    assert {"flavum.T12-L1.left", "anterior_longitudinal_ligament", "lumbar_artery.L1.right"} <= set(found)
    assert not [name for name in found if {"T11", "L2"} & set(name.replace("-", ".").split("."))]
    points = vertices(found["anterior_longitudinal_ligament"])
    heights = [spine.bones[level].surface.vertices[:, 2] for level in some]
    assert points[:, 2].max() < heights[0].max() + 2.0 and points[:, 2].min() > heights[1].min() - 2.0


def test_what_is_baked_is_not_made_again(
    spine: Spine, made: dict[str, Structure], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> dict[str, Structure]:
        raise AssertionError("a ligament was made although it lay on the shelf")

    discs = {f"disc.{disc}": Structure(f"disc.{disc}", "annulus", item) for disc, item in spine.discs.items()}
    monkeypatch.setattr(connective, "spinal_ligaments", never)
    found = connective.connective(spine.bones, discs, made)
    assert set(found) == set(made)
    assert all(found[name].side == made[name].side for name in made)
    assert all(found[name].tissue == made[name].tissue for name in made)


def test_names_of_discs_are_known() -> None:
    assert set(PRESENT) <= set(DISCS)
