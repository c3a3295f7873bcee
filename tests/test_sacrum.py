"""The sacrum: one symmetric, watertight bone whose canal, foramina and facets are where they belong."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree

from spineviz import measures
from spineviz.anatomy import sacrum, vertebra
from spineviz.anatomy.column import alignment
from spineviz.anatomy.vertebra.landmarks import landmarks as vertebra_landmarks
from spineviz.geometry import as_trimesh
from spineviz.sdf import Field, mesh
from spineviz.structure import Floats, Frame
from spineviz.terms import SIDES

LEVELS = ("S1", "S2", "S3", "S4")


@pytest.fixture(scope="module")
def parameters() -> sacrum.SacrumParameters:
    return sacrum.parameters()


@pytest.fixture(scope="module")
def bone(parameters: sacrum.SacrumParameters) -> trimesh.Trimesh:
    return as_trimesh(mesh(sacrum.solid(parameters), 1.2, mirror=True))


@pytest.fixture(scope="module")
def distance(parameters: sacrum.SacrumParameters) -> Field:
    return sacrum.field(parameters)


@pytest.fixture(scope="module")
def marks(parameters: sacrum.SacrumParameters) -> dict[str, Frame]:
    return sacrum.landmarks(parameters)


def sampled(bone: trimesh.Trimesh, count: int) -> tuple[Floats, Floats]:
    points, faces = trimesh.sample.sample_surface(bone, count, seed=1)
    return np.asarray(points), np.asarray(bone.face_normals[faces])


@pytest.mark.parametrize("step", [0.97, 1.2, 2.0])
def test_it_is_one_watertight_body(parameters: sacrum.SacrumParameters, step: float) -> None:
    bone = as_trimesh(mesh(sacrum.solid(parameters), step, mirror=True))
    assert bone.is_watertight
    assert bone.is_winding_consistent
    assert bone.body_count == 1
    assert bone.volume > 0.0


def test_it_is_exactly_symmetric(bone: trimesh.Trimesh, distance: Field) -> None:
    mirrored = bone.vertices * [-1.0, 1.0, 1.0]
    assert cKDTree(bone.vertices).query(mirrored)[0].max() < 1e-6
    points = sampled(bone, 500)[0]
    assert np.array_equal(distance(points), distance(points * [-1.0, 1.0, 1.0]))


def test_eighteen_openings_lead_into_the_canal(bone: trimesh.Trimesh) -> None:
    assert bone.euler_number == 2 - 2 * (18 - 1)


def test_it_is_as_large_as_measured_sacra(bone: trimesh.Trimesh) -> None:
    lower, upper = bone.bounds
    assert 100.0 < upper[0] - lower[0] < 122.0
    assert 95.0 < -lower[2] < 128.0


def test_the_endplate_is_fifty_by_thirty_three_millimetres(bone: trimesh.Trimesh) -> None:
    rim = bone.section(plane_origin=[0.0, 0.0, -2.5], plane_normal=[0.0, 0.0, 1.0])
    assert rim is not None
    outline = np.asarray(rim.vertices)
    body = outline[outline[:, 1] > -3.0]
    width = body[:, 0].max() - body[:, 0].min()
    middle = outline[np.abs(outline[:, 0]) < 3.0]
    depth = middle[:, 1].max() - middle[middle[:, 1] > -22.0][:, 1].min()
    assert 48.0 < width < 54.0
    assert 30.0 < depth < 35.0


def test_the_endplate_is_concave_with_its_rim_at_zero(bone: trimesh.Trimesh) -> None:
    top = bone.vertices[(bone.vertices[:, 1] > -14.0) & (np.abs(bone.vertices[:, 0]) < 22.0)]
    assert abs(top[:, 2].max()) < 0.5
    centre = top[(np.hypot(top[:, 0], top[:, 1]) < 4.0) & (top[:, 2] > -6.0)]
    assert -2.5 < centre[:, 2].mean() < -0.8


def test_the_canal_is_free_from_s1_to_the_hiatus(
    parameters: sacrum.SacrumParameters, distance: Field
) -> None:
    heights = np.linspace(0.0, -118.0, 119)
    sections = [parameters.canal.section(z) for z in heights]
    points = np.array([[0.0, s[0] - 0.45 * s[1], z] for s, z in zip(sections, heights, strict=True)])
    assert distance(points).min() > 1.5


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("aspect", ["anterior", "posterior"])
def test_a_foramen_is_free_from_the_canal_to_the_outside(
    parameters: sacrum.SacrumParameters, distance: Field, level: str, aspect: sacrum.Aspect
) -> None:
    foramen = parameters.foramina[level]
    for side in SIDES:
        inside, axis = sacrum.foramen_axis(foramen, side, aspect)
        canal = np.array([0.0, parameters.canal.section(foramen.canal[2])[0] - 3.0, foramen.canal[2]])
        inward = canal + np.linspace(0.0, 1.0, 30)[:, None] * (inside - canal)
        outward = inside + np.linspace(0.0, 30.0, 30)[:, None] * axis
        assert distance(np.vstack([inward, outward])).min() > 1.0


def test_foramina_grow_smaller_from_s1_to_s4(distance: Field, marks: dict[str, Frame]) -> None:
    for aspect in ("anterior", "posterior"):
        openings = np.array([marks[f"foramen.{aspect}.{level}.right"].origin for level in LEVELS])
        assert np.all(np.diff(distance(openings)) < 0.0)
        assert np.all(np.diff(openings[:, 2]) < 0.0)


def test_landmarks_are_complete_right_handed_and_mirrored(marks: dict[str, Frame]) -> None:
    single = {"endplate.superior", "canal", "crest.S1", "apex"}
    paired = {"facet.superior", "ala", "auricular", "lamina", "pedicle"}
    paired |= {f"foramen.{aspect}.{level}" for aspect in ("anterior", "posterior") for level in LEVELS}
    assert set(marks) == single | {f"{name}.{side}" for name in paired for side in SIDES}
    for frame in marks.values():
        assert np.allclose(frame.axes @ frame.axes.T, np.eye(3), atol=1e-9)
        assert np.linalg.det(frame.axes) > 0.0
    for name in paired:
        left, right = marks[f"{name}.left"], marks[f"{name}.right"]
        assert left.origin[0] < 0.0 < right.origin[0]
        assert np.allclose(left.anterior * [-1.0, 1.0, 1.0], right.anterior)


@pytest.mark.parametrize("name", ["crest.S1", "apex", "facet.superior", "ala", "auricular", "lamina"])
def test_surface_landmarks_lie_on_the_bone_and_look_out(
    marks: dict[str, Frame], distance: Field, name: str
) -> None:
    for frame in [frame for key, frame in marks.items() if key.startswith(name)]:
        outside = frame.origin + 2.0 * frame.anterior
        assert abs(distance(frame.origin[None])[0]) < 0.1
        assert distance(outside[None])[0] > 1.0


def test_the_facets_face_posteromedially_and_stand_47_mm_apart(marks: dict[str, Frame]) -> None:
    right, left = marks["facet.superior.right"], marks["facet.superior.left"]
    assert 44.0 < right.origin[0] - left.origin[0] < 50.0
    assert right.anterior[0] < -0.4
    assert right.anterior[1] < -0.4


def test_cartilage_covers_the_facets_only(parameters: sacrum.SacrumParameters, bone: trimesh.Trimesh) -> None:
    points = sampled(bone, 20_000)[0]
    cover = sacrum.cartilage(parameters, points)
    area = bone.area * cover.mean() / 2.0
    assert 90.0 < area < 260.0
    assert np.abs(points[cover > 0.1][:, 0]).min() > 12.0


def test_the_field_is_nearly_a_distance_close_to_the_surface(bone: trimesh.Trimesh, distance: Field) -> None:
    points, outward = sampled(bone, 4000)
    points = points + outward * np.random.default_rng(3).uniform(-1.0, 3.0, (len(points), 1))
    shift = 0.05 * np.eye(3)
    slope = np.stack([distance(points + s) - distance(points - s) for s in shift], axis=1) / 0.1
    steepness = np.linalg.norm(slope, axis=1)
    assert np.mean((steepness > 0.7) & (steepness < 1.3)) > 0.85
    assert np.quantile(steepness, 0.995) < 1.6


def test_l5_stands_on_the_sacrum_with_open_facet_joints(distance: Field) -> None:
    shape = vertebra.parameters_of("L5")
    height, wedge = measures.value("discs.L5-S1.height_middle"), measures.value("discs.L5-S1.wedge")
    frame = alignment.stacked(Frame(), vertebra_landmarks(shape)["endplate.inferior"], height, wedge)
    l5 = as_trimesh(mesh(vertebra.solid(shape), 1.5, mirror=True))
    points, outward = (frame.to_parent(sampled(l5, 20_000)[0]), sampled(l5, 20_000)[1] @ frame.axes)
    gap = distance(points)
    assert gap.min() > 1.0
    x, y, z = points.T
    facing = np.sign(x) * outward[:, 0] * 0.66 + outward[:, 1] * 0.75 > 0.6
    joint = (np.abs(x) > 14.0) & (np.abs(x) < 27.0) & (y < -22.0) & (z > -9.0) & (z < 7.0) & facing
    assert 2.0 < np.median(gap[joint]) < 4.0
    spinous = (np.abs(x) < 6.0) & (y < -38.0)
    assert gap[spinous].min() > 4.0


def test_the_sacrum_is_curved_by_fifty_degrees_or_more() -> None:
    walls = sacrum.parameters().walls
    first, last = np.array([-3.0, -25.0]), np.array([-112.0, -121.0])
    slopes = [np.ptp(walls.wall(np.zeros(2), z, posterior=False)) / np.ptp(z) for z in (first, last)]
    assert 50.0 < np.degrees(np.arctan(slopes)).sum() < 75.0


@pytest.mark.skipif("SPINEVIZ_SHARED" not in os.environ, reason="needs the reference bones")
def test_it_is_within_a_millimetre_and_a_half_of_a_real_sacrum(
    bone: trimesh.Trimesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(os.environ["SPINEVIZ_SHARED"]) / "reference"
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    import fidelity

    reference = trimesh.load(folder / "remus_Sacrum.ply", force="mesh")
    sacral = reference.vertices @ [0.0, np.sin(np.radians(35.0)), np.cos(np.radians(35.0))] > -122.0
    reference.update_vertices(sacral)
    mean, p95, _, scale = fidelity.distance(bone, reference)
    assert mean < 1.3
    assert p95 < 3.6
    assert 0.9 < scale < 1.1


@pytest.mark.parametrize("name", sacrum.MEASURES)
def test_a_measure_of_the_sacrum_can_be_asked_for_and_the_others_stay(
    parameters: sacrum.SacrumParameters, name: str
) -> None:
    before = sacrum.measured(parameters)
    value = before[name] + (6.0 if name == "kyphosis" else 2.0)
    made = sacrum.sized(parameters, {name: value})
    found = sacrum.measured(made)
    assert found[name] == pytest.approx(value, abs=0.2)
    for other in set(before) - {name}:
        assert found[other] == pytest.approx(before[other], abs=0.5), other
    bone = as_trimesh(mesh(sacrum.solid(made), 1.9, mirror=True))
    assert bone.is_watertight and bone.body_count == 1
    assert set(sacrum.landmarks(made)) == set(sacrum.landmarks(parameters))


def test_the_measures_of_the_sacrum_are_those_of_its_mesh(bone: trimesh.Trimesh) -> None:
    found = sacrum.measured(sacrum.parameters())
    lower, upper = bone.bounds
    assert found["ala_width"] == pytest.approx(upper[0] - lower[0], abs=1.5)
    rim = bone.vertices[(bone.vertices[:, 2] > -1.5) & (bone.vertices[:, 1] > -8.0)]
    assert found["endplate_width"] == pytest.approx(np.ptp(rim[:, 0]), abs=2.0)


def test_a_sacrum_that_no_human_has_is_refused_with_the_range(parameters: sacrum.SacrumParameters) -> None:
    with pytest.raises(ValueError, match=r"S1: kyphosis of 170 degrees is not human; .* 20 to 90 degrees"):
        sacrum.sized(parameters, {"kyphosis": 170.0})
    with pytest.raises(ValueError, match="S1: 'girth' cannot be changed; choose of: endplate_width"):
        sacrum.sized(parameters, {"girth": 1.0})
