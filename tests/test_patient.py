from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from spineviz.anatomy import sacrum, vertebra
from spineviz.anatomy.bone import LevelBone
from spineviz.geometry import as_trimesh, sample_distance, surface_distance
from spineviz.patient import GivenBone, find_landmarks, given_bone, measures_of, read_mesh
from spineviz.patient.mesh_file import thinned
from spineviz.sdf.mesher import mesh
from spineviz.structure import Floats, Frame, Surface
from spineviz.terms import Level

SHARED = os.environ.get("SPINEVIZ_SHARED")
MIRROR = np.array([-1.0, 1.0, 1.0])
needs_reference = pytest.mark.skipif(SHARED is None, reason="the reference bones are not at hand")


@cache
def generated(level: Level) -> Surface:
    if level == "S1":
        return mesh(sacrum.solid(sacrum.parameters()), 2.0, mirror=True)
    return mesh(vertebra.solid(vertebra.parameters_of(level)), 1.5, mirror=True)


@cache
def known(level: Level) -> dict[str, Frame]:
    if level == "S1":
        return sacrum.landmarks(sacrum.parameters())
    return vertebra.landmarks(vertebra.parameters_of(level))


@cache
def found(level: Level) -> tuple[Frame, dict[str, Frame]]:
    return find_landmarks(generated(level), level)


def misses(level: Level) -> dict[str, float]:
    truth = known(level)
    return {
        name: float(np.linalg.norm(mark.origin - truth[name].origin))
        for name, mark in found(level)[1].items()
    }


def angle(first: Floats, second: Floats) -> float:
    return float(np.degrees(np.arccos(np.clip(first @ second, -1.0, 1.0))))


def write(surface: Surface, path: Path, scale: float = 1.0) -> Path:
    trimesh.Trimesh(surface.vertices * scale, surface.faces, process=False).export(path)
    return path


def turned(surface: Surface, degrees: tuple[float, float, float]) -> tuple[Surface, Floats, Floats]:
    turn = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    move = np.array([40.0, -110.0, 75.0])
    return surface.moved(surface.vertices @ turn.T + move), turn, move


@pytest.mark.parametrize("level", ["L3", "L4", "L5"])
def test_landmarks_are_found_where_the_vertebra_was_made_to_have_them(level: Level) -> None:
    errors = misses(level)
    assert errors.keys() == known(level).keys()
    assert np.median(list(errors.values())) < 2.0, errors
    assert max(errors.values()) < 6.0, errors
    for side in ("left", "right"):
        axis = found(level)[1][f"pedicle.{side}"].anterior
        assert angle(axis, known(level)[f"pedicle.{side}"].anterior) < 8.0


def test_landmarks_of_a_sacrum_are_found_where_it_was_made_to_have_them() -> None:
    errors = misses("S1")
    assert {"endplate.superior", "canal", "crest.S1", "foramen.anterior.S1.left"} <= errors.keys()
    assert np.median(list(errors.values())) < 2.0
    assert max(errors.values()) < 4.0


def test_landmarks_turn_with_the_bone() -> None:
    surface, turn, move = turned(generated("L4"), (-33.0, -14.0, 13.0))
    _, marks = find_landmarks(surface, "L4")
    for name, mark in found("L4")[1].items():
        assert np.linalg.norm(mark.origin @ turn.T + move - marks[name].origin) < 0.5, name
        assert angle(turn @ mark.anterior, marks[name].anterior) < 3.0, name


def test_a_mirrored_bone_swaps_left_and_right() -> None:
    skewed = generated("L5").vertices * [1.0, 1.0, 1.0] + 0.04 * generated("L5").vertices[:, [1, 2, 0]]
    surface = generated("L5").moved(skewed)
    image = Surface(surface.vertices * MIRROR, surface.faces[:, ::-1])
    _, marks = find_landmarks(surface, "L5")
    _, images = find_landmarks(image, "L5")
    for side, other in (("left", "right"), ("right", "left")):
        for name in ("pedicle", "facet.superior", "lamina", "transverse"):
            there = marks[f"{name}.{side}"].origin * MIRROR
            assert np.linalg.norm(there - images[f"{name}.{other}"].origin) < 0.5
    assert marks["pedicle.right"].origin[0] > 10.0 > -10.0 > marks["pedicle.left"].origin[0]


def test_the_frame_stands_on_the_endplates() -> None:
    frame, marks = found("L5")
    plates = [frame.to_local(marks[f"endplate.{end}"].origin) for end in ("superior", "inferior")]
    assert np.allclose(plates[0] + plates[1], 0.0, atol=0.2)
    up = frame.axes @ (marks["endplate.superior"].superior + marks["endplate.inferior"].superior)
    assert abs(up[1]) < 0.01
    assert frame.right @ [1.0, 0.0, 0.0] > 0.999


@needs_reference
@pytest.mark.parametrize(
    ("file", "level"),
    [("clouthier_L3", "L3"), ("clouthier_L5", "L5"), ("remus_L1", "L3"), ("remus_Sacrum", "S1")],
)
def test_a_real_bone_stands_in_its_own_frame(file: str, level: Level) -> None:
    spec = GivenBone(file=f"{file}.ply")
    marks, surface, distance = given_bone(spec, level, Path(str(SHARED)) / "reference")
    assert np.abs(distance(surface.vertices[::50])).max() < 0.25
    assert as_trimesh(surface).is_watertight
    assert abs(marks["canal"].origin[0]) < 1.0
    assert -33.0 < marks["canal"].origin[1] < -20.0
    for side, sign in (("left", -1.0), ("right", 1.0)):
        facet = marks[f"facet.superior.{side}"]
        assert sign * facet.origin[0] > 10.0
        assert sign * facet.anterior[0] < -0.4
        assert facet.anterior[1] < -0.3


def test_measures_tell_the_room_in_the_canal() -> None:
    frame, marks = found("L4")
    surface = generated("L4")
    sizes = measures_of(LevelBone("L4", frame, marks, surface, surface_distance(surface)))
    assert 14.0 < sizes["canal.depth"] < 22.0
    assert 20.0 < sizes["canal.width"] < 30.0
    assert 45.0 < sizes["endplate.superior.width"] < 55.0
    assert 30.0 < sizes["endplate.superior.depth"] < 40.0


def test_a_given_landmark_wins_and_guides_what_hangs_on_it(tmp_path: Path) -> None:
    write(generated("L4"), tmp_path / "bone.ply")
    tip, canal = (1.0, -60.0, -5.0), (0.5, -27.0, 2.0)
    spec = GivenBone.model_validate(
        {"file": "bone.ply", "landmarks": {"spinous.tip": {"at": tip, "towards": (0, -1, 0)}, "canal": canal}}
    )
    marks, _, _ = given_bone(spec, "L4", tmp_path)
    frame = found("L4")[0]
    assert np.allclose(marks["spinous.tip"].origin, frame.to_local(np.array(tip)), atol=0.1)
    assert np.allclose(marks["spinous.tip"].anterior, frame.axes @ [0, -1, 0], atol=0.01)
    assert np.allclose(marks["canal"].origin, frame.to_local(np.array(canal)), atol=0.1)
    assert hash(spec) == hash(GivenBone.model_validate(spec.model_dump()))


def test_an_unknown_landmark_is_refused_by_name(tmp_path: Path) -> None:
    write(generated("L4"), tmp_path / "bone.ply")
    spec = GivenBone.model_validate({"file": "bone.ply", "landmarks": {"pedicel.left": (0, 0, 0)}})
    with pytest.raises(ValueError, match=r"bone\.ply: L4: there is no landmark 'pedicel\.left'"):
        given_bone(spec, "L4", tmp_path)


def test_a_file_in_lps_is_refused_until_its_axes_are_said(tmp_path: Path) -> None:
    surface = generated("L4")
    write(surface.moved(surface.vertices * [-1, -1, 1]), tmp_path / "bone.stl")
    with pytest.raises(ValueError, match="LPS"):
        given_bone(GivenBone(file="bone.stl"), "L4", tmp_path)
    marks, _, _ = given_bone(GivenBone(file="bone.stl", axes="LPS"), "L4", tmp_path)
    assert marks["pedicle.right"].origin[0] > 10.0


def test_a_bone_without_spinous_process_asks_for_the_landmark() -> None:
    box = trimesh.creation.box(
        extents=[200, 200, 200], transform=trimesh.transformations.translation_matrix([0, 60, 0])
    )
    cut = trimesh.boolean.intersection([as_trimesh(generated("L4")), box], engine="manifold")
    with pytest.raises(ValueError, match=r"L4: spinous\.tip was not found .* landmarks = "):
        find_landmarks(Surface(cut.vertices, cut.faces), "L4")


def test_reading_merges_vertices_and_turns_faces_outward(tmp_path: Path) -> None:
    surface = generated("L3")
    inside_out = Surface(surface.vertices, surface.faces[:, ::-1])
    again = read_mesh(write(inside_out, tmp_path / "bone.stl"))
    assert len(again.vertices) == len(surface.vertices)
    assert as_trimesh(again).volume == pytest.approx(as_trimesh(surface).volume, rel=1e-4)


def test_a_stray_splinter_is_left_out_but_a_second_bone_is_refused(tmp_path: Path) -> None:
    bone = as_trimesh(generated("L3"))
    splinter = trimesh.creation.icosphere(radius=2.0).apply_translation([60, 0, 0])
    trimesh.util.concatenate([bone, splinter]).export(tmp_path / "stray.ply")
    assert len(read_mesh(tmp_path / "stray.ply").vertices) == len(bone.vertices)
    other = bone.copy().apply_translation([0, 0, 60])
    trimesh.util.concatenate([bone, other]).export(tmp_path / "two.ply")
    with pytest.raises(ValueError, match=r"two\.ply: .* 2 bodies"):
        read_mesh(tmp_path / "two.ply")


@pytest.mark.parametrize(
    ("scale", "advice"), [(0.001, "metres"), (0.1, "centimetres"), (5.0, "more than one bone")]
)
def test_a_wrong_unit_is_recognised(tmp_path: Path, scale: float, advice: str) -> None:
    with pytest.raises(ValueError, match=rf"bone\.ply: .*{advice}"):
        read_mesh(write(generated("L3"), tmp_path / "bone.ply", scale))


def test_files_that_hold_no_closed_surface_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none\.ply: there is no such file"):
        read_mesh(tmp_path / "none.ply")
    with pytest.raises(ValueError, match=r"bone\.vtk: .*\.ply, \.stl, \.obj"):
        read_mesh(tmp_path / "bone.vtk")
    (tmp_path / "text.ply").write_text("no mesh")
    with pytest.raises(ValueError, match=r"text\.ply: the file cannot be read"):
        read_mesh(tmp_path / "text.ply")
    (tmp_path / "empty.obj").write_text("# nothing\n")
    with pytest.raises(ValueError, match=r"empty\.obj: "):
        read_mesh(tmp_path / "empty.obj")
    surface = generated("L3")
    write(Surface(surface.vertices, surface.faces[40:]), tmp_path / "open.ply")
    with pytest.raises(ValueError, match=r"open\.ply: the surface is not closed"):
        read_mesh(tmp_path / "open.ply")


def test_a_dense_mesh_is_thinned_and_stays_closed_and_in_place() -> None:
    surface = generated("L3")
    thin = thinned(surface, 8000)
    assert len(surface.faces) > 8000 >= len(thin.faces)
    assert as_trimesh(thin).is_watertight
    centres = thin.vertices[thin.faces].mean(axis=1)
    assert np.abs(surface_distance(surface)(centres)).max() < 0.3


def test_the_distance_to_a_thin_sharp_plate_is_exact() -> None:
    plate = trimesh.creation.box(extents=[40.0, 0.4, 30.0])
    distance = surface_distance(Surface(plate.vertices, plate.faces))
    points = np.random.default_rng(3).uniform(-25, 25, (4000, 3)) * [1.0, 0.1, 1.0]
    outside = np.abs(points) - [20.0, 0.2, 15.0]
    exact = np.linalg.norm(np.maximum(outside, 0), axis=1) + np.minimum(outside.max(axis=1), 0)
    found = distance(points)
    assert ((found < 0) == (exact < 0)).all()
    assert np.allclose(found, exact, atol=0.05)


def test_a_sampled_distance_keeps_surface_and_canal() -> None:
    distance = surface_distance(generated("L4"))
    lower, upper = np.array([-60.0, -90.0, -50.0]), np.array([60.0, 40.0, 45.0])
    grid = sample_distance(distance, lower, upper, 1.0)
    points = np.random.default_rng(5).uniform(lower, upper, (3000, 3))
    exact = distance(points)
    errors = np.abs(grid(points) - exact)
    assert errors[np.abs(exact) < 5.0].max() < 0.5
    assert errors.mean() < 0.1
