"""The atlas: a symmetric, watertight ring with three openings that fits round the dens of the axis."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree

from spineviz.anatomy import atlas, axis
from spineviz.geometry import as_trimesh
from spineviz.sdf import Field, mesh
from spineviz.structure import Floats, Frame
from spineviz.terms import SIDES

STEP = 1.1
PAIRED = (
    "facet.superior", "facet.inferior", "transverse", "foramen.transverse", "lamina", "tubercle.ligament",
)  # fmt: skip
SINGLE = (
    "canal", "arch.anterior", "arch.posterior", "facet.dens", "spinous.tip", "spinous.base",
)  # fmt: skip
ON_SURFACE = (
    "arch.anterior", "arch.posterior", "facet.dens", "spinous.tip", "spinous.base", "facet.superior.right",
    "facet.inferior.right", "transverse.right", "lamina.right", "tubercle.ligament.right",
)  # fmt: skip


@pytest.fixture(scope="module")
def parameters() -> atlas.AtlasParameters:
    return atlas.parameters_of("C1")


@pytest.fixture(scope="module")
def bone(parameters: atlas.AtlasParameters) -> trimesh.Trimesh:
    return as_trimesh(mesh(atlas.solid(parameters), STEP, mirror=True))


@pytest.fixture(scope="module")
def distance(parameters: atlas.AtlasParameters) -> Field:
    return atlas.field(parameters)


@pytest.fixture(scope="module")
def marks(parameters: atlas.AtlasParameters) -> dict[str, Frame]:
    return atlas.landmarks(parameters)


@pytest.fixture(scope="module")
def axis_bone() -> trimesh.Trimesh:
    return as_trimesh(mesh(axis.solid(axis.parameters_of("C2")), 1.0, mirror=True))


def first_bone(distance: Field, start: Floats, direction: tuple[float, float, float]) -> float:
    """How far (mm) one can go from a point outside the bone before meeting it."""
    steps = np.arange(0.0, 30.0, 0.05)[:, None]
    inside = distance(np.asarray(start) + steps * np.array(direction)) < 0.0
    assert inside.any()
    return float(steps[np.argmax(inside), 0])


@pytest.mark.parametrize("step", [0.83, 1.0, 1.3])
def test_it_is_one_watertight_body_with_three_openings(
    parameters: atlas.AtlasParameters, step: float
) -> None:
    bone = as_trimesh(mesh(atlas.solid(parameters), step, mirror=True))
    assert bone.is_watertight
    assert bone.is_winding_consistent
    assert bone.body_count == 1
    assert bone.volume > 0.0
    assert bone.euler_number == 2 - 2 * 3


def test_only_c1_is_an_atlas() -> None:
    with pytest.raises(ValueError, match="the atlas is C1, not 'C2'"):
        atlas.parameters_of("C2")


def test_it_is_exactly_symmetric(bone: trimesh.Trimesh, distance: Field) -> None:
    mirrored = bone.vertices * [-1.0, 1.0, 1.0]
    assert cKDTree(bone.vertices).query(mirrored)[0].max() < 1e-6
    points = np.asarray(bone.vertices[::7])
    assert np.array_equal(distance(points), distance(points * [-1.0, 1.0, 1.0]))


def test_it_is_as_large_as_measured_atlases(bone: trimesh.Trimesh, distance: Field) -> None:
    assert bone.extents[0] == pytest.approx(77.0, rel=0.1)
    centre = np.array([0.0, 0.0, -6.0])
    width = max(
        2.0 * first_bone(distance, np.array([0.0, y, -6.0]), (1.0, 0.0, 0.0)) for y in (-8.0, -6.0, -4.0)
    )
    back = first_bone(distance, centre - [0.0, 0.0, 2.5], (0.0, -1.0, 0.0))
    front = first_bone(distance, np.zeros(3), (0.0, 1.0, 0.0))
    assert width == pytest.approx(29.0, rel=0.1)
    assert back + front == pytest.approx(30.0, rel=0.1)


def test_the_arches_are_as_high_as_measured(bone: trimesh.Trimesh) -> None:
    middle = bone.vertices[np.abs(bone.vertices[:, 0]) < 1.0]
    assert np.ptp(middle[middle[:, 1] > 0.0, 2]) == pytest.approx(11.0, rel=0.12)
    assert np.ptp(middle[middle[:, 1] < 0.0, 2]) == pytest.approx(9.0, rel=0.12)


def test_the_transverse_foramina_are_free(distance: Field, marks: dict[str, Frame]) -> None:
    for side in SIDES:
        frame = marks[f"foramen.transverse.{side}"]
        along = frame.origin + np.linspace(-6.0, 6.0, 50)[:, None] * frame.superior
        assert distance(along).min() > 2.0
        assert frame.superior[2] > 0.9


def test_the_superior_facets_are_hollow_and_face_each_other(distance: Field, marks: dict[str, Frame]) -> None:
    frame = marks["facet.superior.right"]
    assert frame.anterior[0] < -0.15
    assert frame.anterior[2] > 0.8
    aside = np.array([0.95, 0.3, 0.0])
    for way in (1.0, -1.0):
        place = frame.origin + way * 5.0 * aside
        rim = place - (place - frame.origin) @ frame.anterior * frame.anterior
        assert distance(rim[None])[0] < -0.15


def test_the_inferior_facets_look_down_and_inward(marks: dict[str, Frame]) -> None:
    out = marks["facet.inferior.right"].anterior
    assert out[2] < -0.85
    assert -0.6 < out[0] < -0.2


def test_the_tubercles_stand_proud(bone: trimesh.Trimesh) -> None:
    def reach(way: float, low: float, high: float) -> float:
        aside = np.abs(bone.vertices[:, 0])
        return float((way * bone.vertices[(aside >= low) & (aside < high), 1]).max())

    assert reach(1.0, 0.0, 1.0) > reach(1.0, 6.0, 7.0) + 2.0
    assert reach(-1.0, 0.0, 1.0) > reach(-1.0, 6.0, 7.0) + 1.0


def test_the_vertebral_artery_has_a_groove_behind_the_lateral_mass(distance: Field) -> None:
    def top(x: float, y: float) -> float:
        heights = np.arange(12.0, -14.0, -0.05)
        points = np.column_stack([np.full_like(heights, x), np.full_like(heights, y), heights])
        return float(heights[np.argmax(distance(points) < 0.0)])

    groove = top(17.0, -12.5)
    assert groove < top(17.0, -5.0) - 3.0
    assert groove < top(0.0, -18.5) + 0.5


def test_landmarks_are_named_and_mirrored(marks: dict[str, Frame]) -> None:
    assert set(marks) == {*SINGLE, *(f"{name}.{side}" for name in PAIRED for side in SIDES)}
    for frame in marks.values():
        assert np.allclose(frame.axes @ frame.axes.T, np.eye(3), atol=1e-9)
        assert np.linalg.det(frame.axes) == pytest.approx(1.0)
    for name in PAIRED:
        left, right = marks[f"{name}.left"].origin, marks[f"{name}.right"].origin
        assert np.allclose(left, right * [-1.0, 1.0, 1.0])
        assert right[0] > 5.0


def test_surface_landmarks_lie_on_the_bone_and_look_out(distance: Field, marks: dict[str, Frame]) -> None:
    for name in ON_SURFACE:
        frame = marks[name]
        values = distance(np.stack([frame.origin, frame.origin + 0.8 * frame.anterior]))
        assert abs(values[0]) < 0.05, name
        assert values[1] > 0.3, name


def test_cartilage_covers_the_five_articular_surfaces(
    parameters: atlas.AtlasParameters, bone: trimesh.Trimesh, marks: dict[str, Frame]
) -> None:
    points = np.asarray(bone.vertices)
    cover = atlas.cartilage(parameters, points)
    assert cover.min() >= 0.0
    assert cover.max() <= 1.0
    names = [f"facet.{name}.{side}" for name in ("superior", "inferior") for side in SIDES]
    for name in [*names, "facet.dens"]:
        near = np.linalg.norm(points - marks[name].origin, axis=1) < 1.8
        assert near.any(), name
        assert cover[near].min() > 0.8, name
    away = np.linalg.norm(points - marks["spinous.tip"].origin, axis=1) < 8.0
    assert cover[away].max() == 0.0


def test_it_does_not_touch_the_axis(distance: Field, axis_bone: trimesh.Trimesh) -> None:
    clear = distance(atlas.frame_on_axis().to_local(axis_bone.vertices))
    assert clear.min() > 1.2


def test_the_atlantodental_interval_is_that_of_an_adult(marks: dict[str, Frame]) -> None:
    behind_arch = atlas.frame_on_axis().to_parent(marks["facet.dens"].origin)
    interval = axis.field(axis.parameters_of("C2"))(behind_arch[None])[0]
    assert 1.5 < interval < 3.0


def test_the_lateral_atlantoaxial_joints_are_parallel(distance: Field, axis_bone: trimesh.Trimesh) -> None:
    parameters = axis.parameters_of("C2")
    points = np.asarray(axis_bone.vertices)
    covered = axis.cartilage(parameters, points) > 0.5
    facet = points[covered & (np.abs(points[:, 0]) > 7.0) & (points[:, 2] > 2.0)]
    spaces = distance(atlas.frame_on_axis().to_local(facet))
    assert len(facet) > 100
    assert np.quantile(spaces, 0.02) > 1.5
    assert np.quantile(spaces, 0.98) < 3.0


@pytest.mark.skipif("SPINEVIZ_SHARED" not in os.environ, reason="needs the reference bones")
@pytest.mark.parametrize("source", ["art", "spl"])
def test_it_is_closer_to_each_reference_than_they_are_to_each_other(
    parameters: atlas.AtlasParameters, source: str
) -> None:
    folder = Path(os.environ["SPINEVIZ_SHARED"]) / "reference"
    sys.path.insert(0, str(folder))
    import fidelity

    candidate = as_trimesh(mesh(atlas.solid(parameters), 0.8, mirror=True))
    reference = trimesh.load(folder / f"{source}_C1.ply", force="mesh")
    mean, _, _, _ = fidelity.distance(candidate, reference)
    assert mean < 1.2
