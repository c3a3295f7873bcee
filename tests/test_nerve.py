"""Sac and roots run clear of bone, exit above the disc and traverse behind it."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
import pytest
from standing import bones, nerve_structures, nerves

from spineviz import measures
from spineviz.anatomy.disc.space import disc_space
from spineviz.anatomy.nerve import nerve_parameters, root_name
from spineviz.anatomy.nerve.paths import RootPath, obstacles, root_paths, sac_axis
from spineviz.geometry import as_trimesh, triangle_normals
from spineviz.structure import Floats, Points
from spineviz.terms import LOWER_LUMBAR_DISCS as DISCS
from spineviz.terms import LOWER_LUMBAR_LEVELS as LEVELS
from spineviz.terms import ROOTS, SIDES, SIGN, Disc, Level, Root, Side, exiting_root, traversing_root

HERE = [root for root in ROOTS[ROOTS.index("L3") :] if root != "L6"]


@cache
def paths() -> dict[tuple[Root, Side], RootPath]:
    axis = sac_axis(nerve_parameters(), bones())
    found = root_paths(nerve_parameters(), axis, bones(), obstacles(bones()))
    return {(path.root, path.side): path for path in found}


def bone_distance(points: Points) -> Floats:
    return np.min([bone.distance(points) for bone in bones().values()], axis=0)


def area(disc: Disc) -> float:
    space = disc_space(disc, bones())
    side = np.arange(-30.0, 30.0, 0.5)
    x, y = (axis.ravel() for axis in np.meshgrid(side, side))
    plane = space.frame.to_parent(np.stack([x, y - 20.0, 0 * x], axis=1))
    return float((nerves()["thecal_sac"].solid.field(plane) < 0).sum() * 0.25)


def test_every_nerve_is_there_and_closed() -> None:
    names = {"thecal_sac", "filum_terminale"}
    names |= {f"{stem}.{root}.{side}" for stem in ("root", "cauda") for root in HERE for side in SIDES}
    assert set(nerve_structures()) == names
    for name, structure in nerve_structures().items():
        mesh = as_trimesh(structure.surface)
        assert mesh.is_watertight
        if not name.startswith("root.S4"):  # thinner than what these coarse bones leave whole
            assert mesh.body_count == 1, name


@pytest.mark.parametrize("name", ["thecal_sac", *(root_name(level, "left") for level in LEVELS)])
def test_nerves_keep_clear_of_bone(name: str) -> None:
    assert bone_distance(nerve_structures()[name].surface.vertices.astype(float)).min() > 0.4


@pytest.mark.parametrize(("disc", "most"), [("L3-L4", 185), ("L4-L5", 185), ("L5-S1", 160)])
def test_the_sac_has_the_area_of_an_adult(disc: Disc, most: float) -> None:
    assert 110 < area(disc) < most


def test_the_sac_ends_at_the_second_sacral_vertebra() -> None:
    sac = nerve_structures()["thecal_sac"].surface.vertices
    lowest = sac[sac[:, 2].argmin()]
    sacrum = bones()["S1"].landmarks
    assert lowest[2] < sacrum["foramen.posterior.S1.left"].origin[2]
    assert lowest[2] > sacrum["foramen.anterior.S3.left"].origin[2]


@pytest.mark.parametrize("disc", DISCS)
def test_the_exiting_root_leaves_above_the_disc_and_the_traversing_root_passes_behind_it(disc: Disc) -> None:
    space = disc_space(disc, bones())
    for side in SIDES:
        leaving = bones()[exiting_root(disc)].landmarks[f"pedicle.{side}"].origin
        exiting = paths()[exiting_root(disc), side].points
        below = exiting[np.argmin(np.abs(exiting[:, 0] - leaving[0]))]
        local = space.frame.to_local(below[None])[0]
        assert local[2] > 0.0
        assert below[2] < leaving[2]
        passing = space.frame.to_local(paths()[traversing_root(disc), side].points)
        here = passing[np.argmin(np.abs(passing[:, 2]))]
        rim = space.radius(np.array([np.arctan2(here[1], here[0])]), np.array([0.5]))[0]
        assert here[1] < 0 and np.hypot(here[0], here[1]) > rim


@pytest.mark.parametrize("level", ["L3", "L4", "L5"])
def test_a_root_passes_medial_of_its_pedicle_and_through_the_upper_third_of_its_foramen(level: Level) -> None:
    pedicle = bones()[level].landmarks["pedicle.left"].origin
    points = paths()[level, "left"].points
    beside = points[np.argmin(np.abs(points[:, 2] - pedicle[2]))]
    assert beside[0] > pedicle[0] + 5.0
    under = points[np.argmin(np.abs(points[:, 0] - pedicle[0]))]
    assert 6.0 < pedicle[2] - under[2] < 19.0


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("side", SIDES)
def test_a_root_leaves_the_sac_at_the_measured_angle(level: Level, side: Side) -> None:
    axis, path = sac_axis(nerve_parameters(), bones()), paths()[level, side]
    leaving, ganglion = path.points[path.takeoff], path.points[path.ganglion]
    assert abs(nerves()["thecal_sac"].solid.field(leaving[None])[0]) < path.radii.max() + 0.5
    place = axis.nearest(leaving)
    down = axis.points[place + 2] - axis.points[place - 2]
    way = ganglion - leaving
    aside = SIGN[side] * float(way @ axis.right[place])
    angle = np.degrees(np.arctan2(aside, float(way @ down) / np.linalg.norm(down)))
    assert angle == pytest.approx(measures.value(f"root_takeoff_angle.{level}"), abs=5.0)


@pytest.mark.parametrize("level", ["L3", "L4", "L5"])
def test_a_root_leaves_the_sac_beside_its_own_pedicle_and_never_turns_back(level: Level) -> None:
    path = paths()[level, "right"]
    pedicle, rim = (bones()[level].landmarks[name].origin for name in ("pedicle.right", "endplate.superior"))
    assert pedicle[2] < path.points[path.takeoff, 2] < rim[2] + 13.0
    beyond = path.points[path.takeoff :]
    assert np.diff(beyond[:, 0]).min() > -0.2
    assert np.diff(beyond[:, 2]).max() < 0.05


def test_the_sac_goes_on_above_the_third_lumbar_vertebra_and_is_cut_off_flat() -> None:
    sac = nerve_structures()["thecal_sac"].surface
    vertices = sac.vertices.astype(float)
    cut = sac_axis(nerve_parameters(), bones()).cut
    assert vertices[:, 2].max() > bones()["L3"].landmarks["endplate.superior"].origin[2] + 6.0
    height = cut.to_local(vertices)[:, 2]
    assert height.max() < 0.05
    flat = np.abs(height) < 0.1
    _, areas = triangle_normals(vertices, sac.faces)
    on_cut = flat[sac.faces].all(axis=1)
    assert areas[on_cut].sum() > 120.0


def test_the_first_sacral_root_leaves_through_its_foramen() -> None:
    for side in SIDES:
        opening = bones()["S1"].landmarks[f"foramen.anterior.S1.{side}"].origin
        points = paths()["S1", side].points
        assert np.linalg.norm(points - opening, axis=1).min() < 5.0


def test_ganglia_of_lumbar_roots_lie_in_the_foramen_and_of_the_sacral_root_in_the_canal() -> None:
    for level, side in product(LEVELS, SIDES):
        path = paths()[level, side]
        place = abs(path.points[path.ganglion, 0])
        pedicle = abs(bones()[level].landmarks[f"pedicle.{side}"].origin[0])
        if level == "S1":
            assert place < pedicle - 5.0
        else:
            assert abs(place - pedicle) < 7.0
        assert path.radii[path.ganglion] == path.radii.max()
        assert SIGN[side] * path.points[-1, 0] > pedicle


def test_roots_mirror_each_other_where_the_bones_do() -> None:
    for level in LEVELS:
        left, right = paths()[level, "left"].points, paths()[level, "right"].points
        count = min(len(left), len(right))
        assert abs(len(left) - len(right)) <= 1
        assert np.abs(left[:count] * [-1, 1, 1] - right[:count]).max() < 0.8


def test_a_missing_landmark_is_named() -> None:
    from dataclasses import replace

    sacrum = bones()["S1"]
    marks = {name: mark for name, mark in sacrum.landmarks.items() if "foramen.anterior.S1" not in name}
    some = {**bones(), "S1": replace(sacrum, landmarks=marks)}
    with pytest.raises(ValueError, match=r"foramen\.anterior\.S1"):
        root_paths(nerve_parameters(), sac_axis(nerve_parameters(), some), some, obstacles(some))
