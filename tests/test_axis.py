"""The axis: one symmetric, watertight bone with a dens, a bifid spine and three openings."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree

from spineviz.anatomy import axis
from spineviz.anatomy.morphometry.calipers import measured
from spineviz.anatomy.morphometry.population import recommended
from spineviz.body.kinds import kind_of
from spineviz.body.parameters import Anatomy
from spineviz.geometry import as_trimesh
from spineviz.sdf import Field, mesh
from spineviz.structure import Floats, Frame
from spineviz.terms import SIDES, Level

STEP = 1.1
PAIRED = (
    "pedicle", "pars", "lamina", "transverse", "foramen.transverse", "facet.superior", "facet.inferior",
    "tubercle.spinous",
)  # fmt: skip
SINGLE = (
    "endplate.inferior", "canal", "dens.tip", "facet.dens", "spinous.tip", "spinous.base",
)  # fmt: skip
ON_SURFACE = (
    "pars.right", "lamina.right", "transverse.right", "facet.superior.right", "facet.inferior.right",
    "dens.tip", "facet.dens", "spinous.tip", "spinous.base",
)  # fmt: skip


@pytest.fixture(scope="module")
def parameters() -> axis.AxisParameters:
    return axis.parameters_of("C2")


@pytest.fixture(scope="module")
def bone(parameters: axis.AxisParameters) -> trimesh.Trimesh:
    return as_trimesh(mesh(axis.solid(parameters), STEP, mirror=True))


@pytest.fixture(scope="module")
def distance(parameters: axis.AxisParameters) -> Field:
    return axis.field(parameters)


@pytest.fixture(scope="module")
def marks(parameters: axis.AxisParameters) -> dict[str, Frame]:
    return axis.landmarks(parameters)


def through(distance: Field, point: Floats, direction: tuple[float, float, float]) -> float:
    """The length (mm) of the bone around a point inside it along a direction."""
    unit = np.asarray(direction) / np.linalg.norm(direction)
    place = np.arange(0.0, 45.0, 0.05)[:, None]
    return sum(
        float(place[np.argmax(distance(np.asarray(point) + place * way) > 0.0), 0]) for way in (unit, -unit)
    )


@pytest.mark.parametrize("step", [0.83, 1.0, 1.3])
def test_it_is_one_watertight_body_with_three_openings(parameters: axis.AxisParameters, step: float) -> None:
    bone = as_trimesh(mesh(axis.solid(parameters), step, mirror=True))
    assert bone.is_watertight
    assert bone.is_winding_consistent
    assert bone.body_count == 1
    assert bone.volume > 0.0
    assert bone.euler_number == 2 - 2 * 3


def test_only_c2_is_an_axis() -> None:
    with pytest.raises(ValueError, match="the axis is C2, not 'C3'"):
        axis.parameters_of("C3")


def test_it_is_exactly_symmetric(bone: trimesh.Trimesh, distance: Field) -> None:
    mirrored = bone.vertices * [-1.0, 1.0, 1.0]
    assert cKDTree(bone.vertices).query(mirrored)[0].max() < 1e-6
    points = np.asarray(bone.vertices[::7])
    assert np.array_equal(distance(points), distance(points * [-1.0, 1.0, 1.0]))


def test_it_is_as_large_as_measured_axes(bone: trimesh.Trimesh, distance: Field) -> None:
    assert bone.extents[0] == pytest.approx(54.0, rel=0.1)
    middle = bone.vertices[(np.abs(bone.vertices[:, 0]) < 1.5) & (bone.vertices[:, 1] > -12.0)]
    assert np.ptp(middle[:, 2]) == pytest.approx(38.0, rel=0.1)
    body = np.array([0.0, 0.0, -6.3])
    assert through(distance, body, (1.0, 0.0, 0.0)) == pytest.approx(17.5, rel=0.1)
    assert through(distance, body, (0.0, 1.0, 0.0)) == pytest.approx(15.6, rel=0.1)


def test_the_dens_has_a_waist_and_a_rounded_tip(distance: Field, marks: dict[str, Frame]) -> None:
    widths = {z: through(distance, np.array([0.0, -4.0, z]), (1.0, 0.0, 0.0)) for z in (13.5, 18.0, 23.0)}
    assert widths[13.5] < widths[18.0] - 0.3
    assert widths[23.0] < widths[18.0] - 1.0
    assert widths[18.0] == pytest.approx(10.0, rel=0.1)
    assert through(distance, np.array([0.0, -4.0, 18.0]), (0.0, 1.0, 0.0)) == pytest.approx(11.0, rel=0.1)
    assert marks["dens.tip"].anterior[2] > 0.9


def test_the_canal_is_as_wide_and_deep_as_measured(distance: Field, marks: dict[str, Frame]) -> None:
    centre = marks["canal"].origin
    assert abs(centre[0]) < 1e-9
    steps = np.arange(0.0, 25.0, 0.05)[:, None]

    def free(y: float, z: float, direction: tuple[float, float, float]) -> float:
        inside = distance(np.array([0.0, y, z]) + steps * np.array(direction)) < 0.0
        return float(steps[np.argmax(inside), 0]) if inside.any() else 0.0

    heights = (-2.0, -4.0, -6.0)
    width = max(2.0 * free(y, z, (1.0, 0.0, 0.0)) for y in (-11.0, -13.0, -15.0) for z in heights)
    depth = max(free(-16.0, z, (0.0, 1.0, 0.0)) + free(-16.0, z, (0.0, -1.0, 0.0)) for z in heights)
    assert width == pytest.approx(23.5, rel=0.1)
    assert depth == pytest.approx(18.5, rel=0.1)


def test_the_transverse_foramina_lead_from_below_to_the_side(
    distance: Field, marks: dict[str, Frame]
) -> None:
    for side in SIDES:
        frame = marks[f"foramen.transverse.{side}"]
        along = frame.origin + np.linspace(-9.0, 9.0, 50)[:, None] * frame.superior
        assert distance(along).min() > 1.5
        outward = 1.0 if side == "right" else -1.0
        assert frame.superior[0] * outward > 0.5


def test_the_superior_facets_slope_down_to_the_sides(marks: dict[str, Frame]) -> None:
    out = marks["facet.superior.right"].anterior
    assert 15.0 < np.degrees(np.arctan2(out[0], out[2])) < 35.0


def test_the_inferior_facets_look_down_and_forward(marks: dict[str, Frame]) -> None:
    out = marks["facet.inferior.right"].anterior
    assert out[1] > 0.3
    assert out[2] < -0.5


def test_the_spinous_process_is_forked(distance: Field, marks: dict[str, Frame]) -> None:
    tip = marks["spinous.tip"].origin
    behind = float(tip[1]) - 1.5
    middle = np.array([[0.0, behind, z] for z in np.arange(-18.0, -4.0, 0.5)])
    prong = middle + np.array([4.4, 0.0, 0.0])
    assert distance(middle).min() > 0.0
    assert distance(prong).min() < 0.0


def test_landmarks_are_named_and_mirrored(marks: dict[str, Frame]) -> None:
    expected = {*SINGLE, *(f"{name}.{side}" for name in PAIRED for side in SIDES)}
    assert set(marks) == expected
    for frame in marks.values():
        assert np.allclose(frame.axes @ frame.axes.T, np.eye(3), atol=1e-9)
        assert np.linalg.det(frame.axes) == pytest.approx(1.0)
    for name in PAIRED:
        left, right = marks[f"{name}.left"].origin, marks[f"{name}.right"].origin
        assert np.allclose(left, right * [-1.0, 1.0, 1.0])
        assert right[0] > 4.0


def test_surface_landmarks_lie_on_the_bone_and_look_out(distance: Field, marks: dict[str, Frame]) -> None:
    for name in ON_SURFACE:
        frame = marks[name]
        values = distance(np.stack([frame.origin, frame.origin + 0.8 * frame.anterior]))
        assert abs(values[0]) < 0.05, name
        assert values[1] > 0.3, name


def test_cartilage_covers_the_five_articular_surfaces(
    parameters: axis.AxisParameters, bone: trimesh.Trimesh, marks: dict[str, Frame]
) -> None:
    points = np.asarray(bone.vertices)
    cover = axis.cartilage(parameters, points)
    assert cover.min() >= 0.0
    assert cover.max() <= 1.0
    for name in ("facet.superior", "facet.inferior"):
        for side in SIDES:
            near = np.linalg.norm(points - marks[f"{name}.{side}"].origin, axis=1) < 2.0
            assert cover[near].min() > 0.9
    near = np.linalg.norm(points - marks["facet.dens"].origin, axis=1) < 1.2
    assert cover[near].min() > 0.7
    away = np.linalg.norm(points - marks["spinous.tip"].origin, axis=1) < 8.0
    assert cover[away].max() == 0.0


@pytest.mark.parametrize("level", ["C1", "C2"])
def test_its_measures_are_those_of_published_morphometry(level: Level) -> None:
    """Angles of the pedicle are parameters of their own; the fork's slope stays as calibrated."""
    kind, shape = kind_of(level), kind_of(level).parameters_of(level)
    found = measured(kind.solid(shape).field, kind.landmarks(shape), sides=("right",))
    assert set(found) == set(recommended(level))
    for name, value in recommended(level).items():
        assert found[name] == pytest.approx(value, rel=0.1, abs=4.0 if name == "spinous_slope" else 0.0), name


@pytest.mark.parametrize(
    ("level", "wanted"),
    [
        ("C1", {"canal_depth": 32.0}),
        ("C1", {"transverse_span": 72.0}),
        ("C2", {"canal_width": 24.5, "canal_depth": 17.5}),
        ("C2", {"spinous_length": 15.0, "pedicle_width": 8.0}),
    ],
)
def test_any_measure_of_atlas_and_axis_can_be_asked_for(level: Level, wanted: dict[str, float]) -> None:
    shape, kind = Anatomy(vertebrae={level: wanted}).shape(level), kind_of(level)
    found = measured(kind.solid(shape).field, kind.landmarks(shape), tuple(wanted), ("right",))
    for name, value in wanted.items():
        assert found[name] == pytest.approx(value, abs=0.5)


def test_an_axis_that_no_human_has_is_refused_with_the_range() -> None:
    with pytest.raises(ValueError, match="C2: canal_depth of 5 mm is not human; the allowed range is"):
        Anatomy(vertebrae={"C2": {"canal_depth": 5.0}})


@pytest.mark.skipif("SPINEVIZ_SHARED" not in os.environ, reason="needs the reference bones")
@pytest.mark.parametrize("source", ["art", "spl"])
def test_it_is_closer_to_each_reference_than_they_are_to_each_other(
    parameters: axis.AxisParameters, source: str
) -> None:
    folder = Path(os.environ["SPINEVIZ_SHARED"]) / "reference"
    sys.path.insert(0, str(folder))
    import fidelity

    candidate = as_trimesh(mesh(axis.solid(parameters), 0.8, mirror=True))
    reference = trimesh.load(folder / f"{source}_C2.ply", force="mesh")
    mean, _, _, _ = fidelity.distance(candidate, reference)
    assert mean < (1.0 if source == "art" else 1.05)
