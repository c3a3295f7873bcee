"""Cord, cauda equina and 31 pairs of roots: each where an atlas shows it, none in bone or in another."""

from __future__ import annotations

import csv
from functools import cache
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import cKDTree
from skimage.measure import points_in_poly

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.column.foramen import Foramen, intervertebral, sacral
from spineviz.anatomy.ligament.spinal import IN_THE_CANAL
from spineviz.anatomy.ligament.yellow import yellow_ligament
from spineviz.anatomy.nerve import has_nerves, nerve_parameters, nerve_recipes, root_name
from spineviz.anatomy.nerve.axis import SacAxis, sac_axis
from spineviz.anatomy.nerve.cord import Cord, cord_of
from spineviz.anatomy.nerve.fat import epidural_fat
from spineviz.anatomy.nerve.obstacles import obstacles
from spineviz.anatomy.nerve.part import nerves_within
from spineviz.anatomy.nerve.paths import RootPath, root_paths
from spineviz.anatomy.nerve.rootlets import FANNED
from spineviz.anatomy.nerve.ways import bones_of
from spineviz.anatomy.recipe import Recipe
from spineviz.anatomy.surroundings import Spine
from spineviz.anatomy.surroundings import Surroundings as Around
from spineviz.body import Anatomy
from spineviz.body.skeleton import Standing, standing
from spineviz.geometry import as_trimesh, sample_distance, surface_distance, surface_points
from spineviz.sdf.mesher import mesh
from spineviz.sdf.solid import Solid
from spineviz.structure import Floats, Points, Structure, Surface
from spineviz.terms import (
    LEVELS,
    LOWER_LUMBAR_DISCS,
    ROOTS,
    SIDES,
    SIGN,
    Disc,
    Level,
    Root,
    Side,
    discs_of,
    levels_of,
    region_of,
    roots_at,
)

PAIRS = tuple(root for root in ROOTS if root != "L6")
COLUMN = tuple(level for level in LEVELS if level != "L6")
FORAMINAL = PAIRS[PAIRS.index("C3") : PAIRS.index("S1")]
"""Roots that leave between two vertebrae, or between the last one and the sacrum."""

SACRAL = PAIRS[PAIRS.index("S1") : PAIRS.index("S5")]
JOINED = 1.5
"""A root and its own rootlets, which it continues, are not compared nearer to where they join (mm)."""

TOUCHING = 0.3


@cache
def stood() -> dict[Level, Standing]:
    return standing(Anatomy())


@cache
def bones() -> dict[Level, LevelBone]:
    """All healthy bones, sampled every millimetre in the world and meshed coarsely."""
    return {level: _sampled(level, item) for level, item in stood().items()}


def _sampled(level: Level, item: Standing) -> LevelBone:
    solid, frame = item.blank.solid, item.posed
    assert solid is not None
    ends = np.array(list(product(*zip(solid.lower, solid.upper, strict=True))))
    lower, upper = (find(frame.to_parent(ends), axis=0) for find in (np.min, np.max))

    def exact(points: Points) -> Floats:
        return np.asarray(item.field(frame.to_local(points)))

    grid = sample_distance(exact, np.floor(lower - 6.0), upper + 6.0, 1.0, True)
    marks = {name: mark.then(frame) for name, mark in item.blank.landmarks.items()}
    surface = mesh(Solid(grid, lower - 1.0, upper + 1.0), 2.0, mirror=True)
    bone = LevelBone(level, frame, marks, surface, exact)
    vars(bone)["grid"] = grid
    return bone


def from_bone(points: Points) -> float:
    """How far (mm) the nearest of points is from the generated bones themselves."""
    least = np.inf
    for level, item in stood().items():
        near = points[bones()[level].grid(points) < 2.0]
        if len(near):
            least = min(least, float(item.field(item.posed.to_local(near)).min()))
    return least


@cache
def recipes() -> dict[str, Recipe]:
    return nerve_recipes(nerve_parameters(), bones())


@cache
def surfaces() -> dict[str, Surface]:
    return {name: recipe.surface() for name, recipe in recipes().items()}


@cache
def axis() -> SacAxis:
    return sac_axis(nerve_parameters(), bones())


@cache
def cord() -> Cord:
    return cord_of(nerve_parameters(), axis())


@cache
def paths() -> dict[tuple[Root, Side], RootPath]:
    found = root_paths(nerve_parameters(), axis(), bones(), obstacles(bones()))
    return {(path.root, path.side): path for path in found}


def vertices(name: str) -> Points:
    return surfaces()[name].vertices.astype(float)


def beside(root: Root) -> tuple[Level, Level]:
    """The bones above and below the foramen that a root leaves through."""
    if root == "C8":
        return "C7", "T1"
    own = COLUMN[COLUMN.index(root)]  # type: ignore[arg-type]
    place = COLUMN.index(own)
    return (COLUMN[place - 1], own) if root.startswith("C") else (own, COLUMN[place + 1])


def passage(path: RootPath, foramen: Foramen) -> Floats:
    """Where (2,) a root's line goes through the plane of a foramen, nearest to its middle, in that plane."""
    local = foramen.frame.to_local(path.points)
    through = np.flatnonzero((local[:-1, 1] < 0.0) & (local[1:, 1] >= 0.0))
    assert len(through), f"{path.root} {path.side} does not reach {foramen.name}"
    places = local[through][:, [0, 2]]
    return places[np.argmin(np.linalg.norm(places, axis=1))]


def half_widths(place: Floats) -> tuple[float, float]:
    """Half of the meshed cord's depth and width across its course at a point of the axis."""
    nearest = axis().nearest(place)
    local = vertices("spinal_cord") - cord().centre[nearest]
    near = np.abs(local @ axis().down[nearest]) < 1.0
    depth, width = local[near] @ axis().anterior[nearest], local[near] @ axis().right[nearest]
    return float(np.ptp(depth)), float(np.ptp(width))


def test_there_are_31_pairs_of_roots_with_their_rootlets_and_what_they_come_from() -> None:
    names = {"thecal_sac", "spinal_cord", "filum_terminale"}
    names |= {root_name(root, side) for root in PAIRS for side in SIDES}
    names |= {f"{'rootlet' if root in FANNED else 'cauda'}.{root}.{side}" for root in PAIRS for side in SIDES}
    assert len(PAIRS) == 31
    assert set(recipes()) == names


def test_every_structure_is_one_closed_body() -> None:
    for name, surface in surfaces().items():
        own = as_trimesh(surface)
        assert own.is_watertight and own.body_count == 1 and own.volume > 0.0, name


@pytest.mark.parametrize("level", ["C2", "C4", "C5", "C7", "T2", "T6", "T8", "T10", "T12"])
def test_the_cord_is_as_thick_as_measured(shared: Path, level: Level) -> None:
    rows = csv.DictReader((shared / "facts" / "neural.csv").read_text("utf-8").splitlines())
    known = {row["parameter"]: float(row["value"]) for row in rows if row["level"] == f"{level} vertebra"
             and row["parameter"].startswith("REC_cord")}  # fmt: skip
    here = axis().points[axis().index(axis().stations[level])]
    depth, width = half_widths(here)
    assert width == pytest.approx(known["REC_cord_transverse"], rel=0.1)
    assert depth == pytest.approx(known["REC_cord_ap"], rel=0.1)


def test_the_cord_is_widest_in_the_neck_and_wider_again_above_the_conus() -> None:
    _, neck = half_widths(axis().points[axis().index(axis().stations["C5"])])
    _, thorax = half_widths(axis().points[axis().index(axis().stations["T7"])])
    _, lower = half_widths(axis().points[axis().index(axis().stations["T12"])])
    assert neck > lower > thorax


def test_the_conus_ends_at_the_lower_third_of_l1() -> None:
    lowest = vertices("spinal_cord")[vertices("spinal_cord")[:, 2].argmin()]
    local = bones()["L1"].frame.to_local(lowest)[2]
    plates = [bones()["L1"].landmarks[f"endplate.{end}"].origin for end in ("inferior", "superior")]
    low, high = (bones()["L1"].frame.to_local(plate)[2] for plate in plates)
    assert low - 1.0 < local < low + (high - low) / 3 + 1.0


def test_the_cord_lies_in_fluid_and_the_sac_in_epidural_room() -> None:
    sac = recipes()["thecal_sac"].solid.field
    inside = axis().cut.to_local(vertices("spinal_cord"))[:, 2] < -2.0
    assert sac(vertices("spinal_cord")[inside]).max() < -0.45
    assert from_bone(vertices("thecal_sac")) > 0.4


def test_threads_and_strands_lie_within_the_sac() -> None:
    sac = recipes()["thecal_sac"].solid.field
    for name in surfaces():
        if name.startswith(("rootlet", "cauda")):
            assert sac(vertices(name)).max() < TOUCHING, name


def test_strands_sink_to_the_back_of_the_sac_and_the_lower_ones_lie_nearer_to_the_midline() -> None:
    for level in ("L3", "L4"):
        here = axis().index(axis().stations[level])
        lateral, behind = {}, []
        for root in PAIRS[PAIRS.index("S1") :]:
            local = vertices(f"cauda.{root}.right") - axis().points[here]
            near = np.abs(local @ axis().down[here]) < 1.5
            lateral[root] = float((local[near] @ axis().right[here]).mean())
            behind.append(float((local[near] @ axis().anterior[here]).mean()))
        assert max(behind) < 0.0
        assert lateral["S1"] > lateral["S3"] > lateral["Co1"] > 0.0


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("root", FORAMINAL)
def test_a_root_passes_through_its_own_foramen(root: Root, side: Side) -> None:
    upper, lower = (bones()[level] for level in beside(root))
    foramen = intervertebral(upper, lower, side)
    assert points_in_poly([passage(paths()[root, side], foramen)], foramen.plane)[0]


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("root", SACRAL)
def test_a_sacral_root_passes_through_its_anterior_foramen(root: Root, side: Side) -> None:
    foramen = sacral(bones()["S1"], root, side, "anterior")  # type: ignore[arg-type]
    assert points_in_poly([passage(paths()[root, side], foramen)], foramen.plane)[0]


@pytest.mark.parametrize("side", SIDES)
def test_the_first_root_passes_over_the_arch_of_the_atlas_behind_its_lateral_mass(side: Side) -> None:
    atlas, points = bones()["C1"], paths()["C1", side].points
    arch = atlas.landmarks[f"lamina.{side}"].origin
    over = points[np.argmin(np.abs(np.abs(points[:, 0]) - abs(arch[0])))]
    down = over - np.arange(0.0, 8.0, 0.1)[:, None] * atlas.frame.superior
    assert atlas.distance(down).min() < 0.0
    assert over[1] < atlas.landmarks[f"facet.superior.{side}"].origin[1]
    assert np.linalg.norm(over - points[0]) < 20.0


@pytest.mark.parametrize("side", SIDES)
def test_the_second_root_passes_between_atlas_and_axis_behind_their_joint(side: Side) -> None:
    atlas, axis_bone, path = bones()["C1"], bones()["C2"], paths()["C2", side]
    ganglion = path.points[path.ganglion]
    joint = axis_bone.landmarks[f"facet.superior.{side}"].origin
    assert axis_bone.frame.to_local(ganglion)[1] < axis_bone.frame.to_local(joint)[1] - 4.0
    rays = np.arange(0.0, 15.0, 0.2)[:, None] * axis_bone.frame.superior
    assert atlas.distance(ganglion + rays).min() < 0.0
    assert axis_bone.distance(ganglion - rays).min() < 0.0


@pytest.mark.parametrize("root", ["S5", "Co1"])
@pytest.mark.parametrize("side", SIDES)
def test_the_last_two_roots_come_out_of_the_hiatus_and_turn_forward_beside_the_coccyx(
    root: Root, side: Side
) -> None:
    points, apex = paths()[root, side].points, bones()["S1"].landmarks["apex"].origin
    out = points[np.argmin(np.abs(points[:, 2] - apex[2]))]
    assert out[1] < apex[1] and abs(out[0]) < 8.0
    tip = bones()["Co1"].landmarks[f"transverse.{side}"].origin
    beside = points[np.argmin(np.linalg.norm(points - tip, axis=1))]
    assert ((beside - tip) @ bones()["Co1"].frame.superior > 0.0) == (root == "S5")
    assert points[-1, 1] > out[1] + 2.0
    assert SIGN[side] * points[-1, 0] > abs(tip[0]) - 4.0


def test_roots_keep_clear_of_bone_along_their_whole_course() -> None:
    for root in PAIRS:
        for side in SIDES:
            points = vertices(root_name(root, side))
            assert from_bone(points) > 0.4, (root, side, from_bone(points))


def test_roots_and_filum_keep_clear_of_discs() -> None:
    free = obstacles(bones())
    for name in [*(root_name(root, "left") for root in PAIRS), "filum_terminale"]:
        assert free(vertices(name)).min() > 0.1, name


def test_no_two_nerves_penetrate_each_other() -> None:
    names = [name for name in surfaces() if name != "thecal_sac"]
    points = {name: surface_points(surfaces()[name], 0.8) for name in names}
    boxes = {name: (found.min(0) - 0.5, found.max(0) + 0.5) for name, found in points.items()}
    for one, other in combinations(names, 2):
        for first, second in ((one, other), (other, one)):
            low, high = boxes[second]
            near = points[first][((points[first] > low) & (points[first] < high)).all(axis=1)]
            if set(first.split(".")[1:]) == set(second.split(".")[1:]) != set() and len(near):
                start = paths()[ROOTS[ROOTS.index(first.split(".")[1])], first.split(".")[2]].points[0]  # type: ignore[index, arg-type]
                near = near[np.linalg.norm(near - start, axis=1) > JOINED]
            if len(near):
                deepest = recipes()[second].solid.field(near).min()
                fused = {first, second} == {"spinal_cord", "filum_terminale"}
                assert deepest > -(2.0 if fused else TOUCHING), (first, second, deepest)


@pytest.mark.parametrize(("root", "least", "most"), [
    ("C3", 35.0, 100.0), ("C5", 45.0, 90.0), ("C6", 45.0, 90.0), ("C7", 45.0, 90.0),
    ("T3", 30.0, 70.0), ("T6", 30.0, 60.0), ("T9", 25.0, 60.0), ("L1", 33.0, 43.0), ("L2", 32.0, 42.0),
    ("S2", 5.0, 32.0), ("S4", 2.0, 25.0),
])  # fmt: skip
def test_roots_leave_the_sac_the_more_steeply_the_lower_they_are(
    root: Root, least: float, most: float
) -> None:
    path = paths()[root, "right"]
    leaving, ganglion = path.points[path.takeoff], path.points[path.ganglion]
    place = axis().nearest(leaving)
    way = ganglion - leaving
    along = float(way @ axis().down[place])
    angle = np.degrees(np.arctan2(np.linalg.norm(way - along * axis().down[place]), along))
    assert least < angle < most


def test_the_part_in_the_canal_outside_of_the_sac_is_short_in_the_neck() -> None:
    for root in ("C4", "C5", "C6", "C7"):
        path = paths()[root, "left"]
        medial = abs(bones()[beside(root)[1]].landmarks["pedicle.left"].origin[0]) - 4.0
        outside = path.points[path.takeoff :]
        inner = outside[np.abs(outside[:, 0]) < medial]
        assert np.linalg.norm(np.diff(inner, axis=0), axis=1).sum() < 8.0, root


def test_ganglia_lie_in_the_foramina_and_the_sacral_ones_in_the_canal_or_behind_their_foramen() -> None:
    for (root, side), path in paths().items():
        thickest = path.points[path.ganglion]
        assert path.radii[path.ganglion] == path.radii.max()
        if root in FORAMINAL:
            lower = bones()[bones_of(root)[-1]].landmarks[f"pedicle.{side}"].origin
            assert abs(abs(thickest[0]) - abs(lower[0])) < 8.0, root
        elif root in SACRAL:
            mouth = bones()["S1"].landmarks[f"foramen.anterior.{root}.{side}"]
            assert (thickest - mouth.origin) @ mouth.anterior < 0.0, root


@pytest.mark.parametrize("disc", discs_of(COLUMN))
def test_the_exiting_root_leaves_at_the_disc_and_the_traversing_root_passes_behind_it(disc: Disc) -> None:
    upper, lower = (bones()[level] for level in levels_of(disc))
    exiting, traversing = roots_at(disc)
    assert beside(exiting) == levels_of(disc)
    leaving = paths()[exiting, "left"].points[paths()[exiting, "left"].ganglion]
    plates = upper.landmarks["endplate.inferior"].origin, lower.landmarks["endplate.superior"].origin
    pedicles = upper.landmarks["pedicle.left"].origin, lower.landmarks["pedicle.left"].origin
    assert pedicles[1][2] < leaving[2] < pedicles[0][2]
    middle = (plates[0] + plates[1]) / 2
    if traversing is None:
        assert np.abs(vertices("spinal_cord")[:, 2] - middle[2]).min() < 1.0
        return
    passing = np.vstack([vertices(f"{stem}.{traversing}.left") for stem in ("cauda", "root")])
    level = passing[np.abs(passing[:, 2] - middle[2]) < 3.0]
    assert len(level) and level[:, 1].max() < middle[1] - 8.0
    assert np.abs(level[:, 0]).max() < abs(pedicles[1][0])


def test_left_mirrors_right() -> None:
    for name in surfaces():
        if name.endswith(".left"):
            other = vertices(name.removesuffix("left") + "right") * [-1.0, 1.0, 1.0]
            away, _ = cKDTree(other).query(vertices(name))
            assert np.percentile(away, 99) < 0.5, name


def test_the_nerves_of_a_neck_alone_are_cut_off_flat_at_both_ends() -> None:
    neck = {level: bones()[level] for level in ("C3", "C4", "C5", "C6")}
    found = nerve_recipes(nerve_parameters(), neck)
    roots = {name for name in found if name.startswith("root.")}
    assert roots == {root_name(root, side) for root in ("C4", "C5", "C6") for side in SIDES}
    assert "filum_terminale" not in found and not any(name.startswith("cauda") for name in found)
    sac = sac_axis(nerve_parameters(), neck)
    assert sac.cut_below is not None
    for name, most in (
        ("thecal_sac", 0.05),
        ("spinal_cord", measures.value("spinal_cord_shape.above_cut") + 0.3),
    ):
        points = found[name].surface().vertices.astype(float)
        for cut in (sac.cut, sac.cut_below):
            height = cut.to_local(points)[:, 2]
            assert -0.3 < height.max() < most + 0.1
            assert (height > height.max() - 0.1).sum() > 20


def test_a_foramen_without_room_for_any_nerve_is_named() -> None:
    from dataclasses import replace

    some = {level: bones()[level] for level in ("C4", "C5", "C6")}
    inside = replace(some["C5"], exact=lambda points: some["C5"].distance(points) - 6.0)
    with pytest.raises(ValueError, match=r"C[56] (left|right): its foramen has"):
        nerve_recipes(nerve_parameters(), {**some, "C5": inside}, within=False)


def test_nerves_are_laid_through_neighbours_only() -> None:
    assert has_nerves(["L3", "L4", "L5", "S1"], COLUMN) and has_nerves(COLUMN, COLUMN)
    assert not has_nerves(["L3", "L5"], COLUMN) and not has_nerves(["L4"], COLUMN)


@cache
def structures() -> dict[str, Structure]:
    return {
        name: Structure(name, item.tissue, surfaces()[name], item.side) for name, item in recipes().items()
    }


def part(first: Level, last: Level) -> dict[str, Structure]:
    """The nerves of the whole column in a part of it."""
    some = COLUMN[COLUMN.index(first) : COLUMN.index(last) + 1]
    return nerves_within(structures(), {level: bones()[level] for level in some}, COLUMN)


def test_part_of_the_column_has_the_roots_of_its_bones_and_the_strands_that_pass() -> None:
    lower, neck, whole = part("L3", "S1"), part("C1", "T1"), part("C1", "Co1")
    assert whole.keys() == structures().keys()
    assert {root_name(root, "left") for root in ("L3", "L5", "S1", "S4")} <= lower.keys()
    assert not {"root.S5.left", "root.L2.left", "spinal_cord", "rootlet.L1.left"} & lower.keys()
    assert {"root.C1.left", "root.C8.left", "root.T1.left", "spinal_cord", "rootlet.C5.left"} <= neck.keys()
    assert not {"root.T2.left", "filum_terminale", "cauda.L2.left"} & neck.keys()
    assert part("S1", "Co1") == {}


@pytest.mark.parametrize(("first", "last"), [("L3", "S1"), ("C1", "T1"), ("T4", "T9")])
def test_nerves_of_a_part_are_closed_and_end_beyond_its_bones(first: Level, last: Level) -> None:
    plates = (first, "endplate.superior", 1.0), (last, "endplate.inferior", -1.0)
    for name, item in part(first, last).items():
        own = as_trimesh(item.surface)
        assert own.is_watertight and own.volume > 0.0, name
        for level, plate, sign in plates if name == "thecal_sac" else ():
            if plate in bones()[level].landmarks and level != "S1":
                mark = bones()[level].landmarks[plate]
                height = sign * (item.surface.vertices.astype(float) - mark.origin) @ mark.superior
                flat = height > height.max() - 0.01
                assert 11.9 < height.max() < 12.1 and flat.sum() > 20


ABOVE_L3 = tuple(disc for disc in discs_of(COLUMN) if disc not in LOWER_LUMBAR_DISCS)


@pytest.mark.parametrize("disc", ABOVE_L3)
def test_the_sac_with_its_roots_leaves_the_yellow_ligaments_as_thick_as_measured(disc: Disc) -> None:
    above, below = levels_of(disc)
    spine = Spine({level: bones()[level] for level in (above, below)}, {})
    inside = [item for name, item in surfaces().items() if name.partition(".")[0] in IN_THE_CANAL]
    ligament = yellow_ligament(above, below, "right", spine, Around(()).and_also(inside))
    back, front = np.split(ligament.surface.vertices.astype(float), 2)
    rows = int(measures.value("yellow_ligament.rows"))
    thickness = np.linalg.norm(front - back, axis=1).reshape(rows, -1)[rows // 3 : -rows // 3, :-3]
    wanted = measures.value(f"yellow_ligament_thickness.{region_of(above)}")
    assert np.median(thickness) == pytest.approx(wanted, rel=0.2)


@pytest.mark.parametrize("disc", ["L1-L2", "L2-L3", "L4-L5", "L5-S1"])
def test_epidural_fat_lies_behind_the_sac_between_the_yellow_ligaments_and_in_nothing(disc: Disc) -> None:
    above, below = levels_of(disc)
    spine, sac = Spine({level: bones()[level] for level in (above, below)}, {}), surfaces()["thecal_sac"]
    within = Around(()).and_also([sac])
    flava = [yellow_ligament(above, below, side, spine, within).surface for side in SIDES]
    fat = epidural_fat(above, below, spine, sac, flava)
    assert fat is not None and fat.name == f"epidural_fat.{disc}"
    own, points = as_trimesh(fat.surface), surface_points(fat.surface, 0.8).astype(float)
    assert own.is_watertight and own.body_count == 1 and own.volume > 30.0
    others = [surface_distance(item) for item in (sac, *flava)]
    walls = [*others, *(bones()[level].distance for level in (above, below))]
    assert min(wall(points).min() for wall in walls) > -TOUCHING
    assert all(np.percentile(wall(points), 15) < 1.0 for wall in others[:1])
    for point in points[::20]:
        place = axis().nearest(point)
        assert (point - axis().points[place]) @ axis().anterior[place] < 0.0
