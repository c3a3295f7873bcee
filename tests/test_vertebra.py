"""The parametric lumbar vertebra: its mesh, its field, its landmarks and its likeness to real bone."""

from __future__ import annotations

import importlib.util
import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import trimesh

from spineviz.anatomy import vertebra
from spineviz.sdf import mesh
from spineviz.structure import Frame
from spineviz.terms import SIDES, Level

LEVELS: tuple[Level, ...] = ("L3", "L4", "L5")
PAIRED = ("pedicle", "pars", "lamina", "transverse", "facet.superior", "facet.inferior")
SINGLE = ("endplate.superior", "endplate.inferior", "canal", "spinous.tip", "spinous.base")
ON_SURFACE = (*(f"{name}.right" for name in PAIRED[1:]), "spinous.tip", "spinous.base")


@cache
def bone(level: Level) -> trimesh.Trimesh:
    surface = mesh(vertebra.solid(vertebra.parameters_of(level)), 0.7, mirror=True)
    return trimesh.Trimesh(surface.vertices, surface.faces, process=False)


@cache
def marks(level: Level) -> dict[str, Frame]:
    return vertebra.landmarks(vertebra.parameters_of(level))


@pytest.mark.parametrize("level", LEVELS)
def test_a_vertebra_is_one_watertight_body_with_one_hole(level: Level) -> None:
    made = bone(level)
    assert made.is_watertight and made.is_winding_consistent
    assert made.body_count == 1
    assert made.euler_number == 0
    assert made.volume > 30_000.0


@pytest.mark.parametrize("step", [0.9, 1.0, 1.5])
def test_a_vertebra_stays_watertight_at_coarser_steps(step: float) -> None:
    surface = mesh(vertebra.solid(vertebra.parameters_of("L4")), step, mirror=True)
    made = trimesh.Trimesh(surface.vertices, surface.faces, process=False)
    assert made.is_watertight and made.euler_number == 0


@pytest.mark.parametrize("level", LEVELS)
def test_left_and_right_of_a_vertebra_are_the_same(level: Level) -> None:
    vertices = np.asarray(bone(level).vertices)
    assert {tuple(v) for v in vertices.tolist()} == {
        (-x if x else 0.0, y, z) for x, y, z in vertices.tolist()
    }


@pytest.mark.parametrize("level", LEVELS)
def test_the_field_stays_close_to_a_true_distance(level: Level) -> None:
    field = vertebra.field(vertebra.parameters_of(level))
    points = np.asarray(bone(level).vertices[::29], dtype=np.float64)
    points = points[np.abs(points[:, 0]) > 1.5]
    slope = np.stack([(field(points + d) - field(points - d)) / 0.02 for d in np.eye(3) * 0.01], axis=1)
    steepness = np.linalg.norm(slope, axis=1)
    assert np.median(steepness) == pytest.approx(1.0, abs=0.05)
    assert np.percentile(steepness, 8) > 0.7 and np.percentile(steepness, 99.5) < 1.35


@pytest.mark.parametrize("level", LEVELS)
def test_every_landmark_is_there_once_and_right_handed(level: Level) -> None:
    names = {*SINGLE, *(f"{name}.{side}" for name in PAIRED for side in SIDES)}
    assert set(marks(level)) == names
    for frame in marks(level).values():
        assert frame.axes @ frame.axes.T == pytest.approx(np.eye(3), abs=1e-9)
        assert np.linalg.det(frame.axes) == pytest.approx(1.0)


@pytest.mark.parametrize("level", LEVELS)
def test_surface_landmarks_lie_on_the_bone_and_look_out_of_it(level: Level) -> None:
    field = vertebra.field(vertebra.parameters_of(level))
    for name in ON_SURFACE:
        frame = marks(level)[name]
        inside, on, outside = field(frame.origin + np.array([[-1.0], [0.0], [1.0]]) * frame.anterior)
        assert abs(on) < 0.02 and inside < -0.4 and outside > 0.4, name


@pytest.mark.parametrize("level", LEVELS)
def test_left_landmarks_mirror_the_right_ones(level: Level) -> None:
    for name in PAIRED:
        left, right = marks(level)[f"{name}.left"], marks(level)[f"{name}.right"]
        assert right.origin[0] > 0.0
        assert left.origin == pytest.approx(right.origin * [-1.0, 1.0, 1.0])
        assert left.anterior == pytest.approx(right.anterior * [-1.0, 1.0, 1.0])


@pytest.mark.parametrize("level", LEVELS)
def test_landmarks_stand_where_an_anatomist_looks_for_them(level: Level) -> None:
    at = {name: frame.origin for name, frame in marks(level).items()}
    assert at["endplate.superior"][2] > 10.0 and at["endplate.inferior"][2] < -10.0
    assert at["spinous.tip"][1] < at["spinous.base"][1] < at["canal"][1] < at["pedicle.right"][1] + 8.0
    assert at["facet.superior.right"][2] > at["pars.right"][2] > at["facet.inferior.right"][2]
    assert at["transverse.right"][0] > at["pedicle.right"][0] > at["lamina.right"][0] > 4.0
    assert marks(level)["facet.superior.right"].anterior[:2].max() < -0.3
    assert marks(level)["facet.inferior.right"].anterior[:2].min() > 0.3


@pytest.mark.parametrize("level", LEVELS)
def test_the_canal_is_free_and_the_pedicles_hold_a_screw(level: Level) -> None:
    field = vertebra.field(vertebra.parameters_of(level))
    assert field(marks(level)["canal"].origin[None])[0] > 4.0
    pedicle = marks(level)["pedicle.right"]
    line = pedicle.origin + np.linspace(-5.0, 25.0, 16)[:, None] * pedicle.anterior
    assert field(line).max() < -2.5


def test_only_the_articular_surfaces_carry_cartilage() -> None:
    vertices = np.asarray(bone("L4").vertices)
    share = vertebra.cartilage(vertebra.parameters_of("L4"), vertices)
    assert share.min() >= 0.0 and share.max() == pytest.approx(1.0)
    covered = vertices[share > 0.5]
    assert 0.01 < len(covered) / len(vertices) < 0.08
    assert covered[:, 1].max() < -22.0


def test_a_level_without_a_lumbar_vertebra_is_refused() -> None:
    with pytest.raises(ValueError, match="no lumbar vertebra 'S1'"):
        vertebra.parameters_of("S1")


@pytest.mark.skipif("SPINEVIZ_SHARED" not in os.environ, reason="needs the reference bones")
@pytest.mark.parametrize("level", ["L3", "L5"])
def test_a_vertebra_is_closer_to_the_mean_than_two_people_are_to_each_other(level: Level) -> None:
    folder = Path(os.environ["SPINEVIZ_SHARED"]) / "reference"
    spec = importlib.util.spec_from_file_location("fidelity", folder / "fidelity.py")
    assert spec is not None and spec.loader is not None
    fidelity = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fidelity)
    reference = trimesh.load(folder / f"clouthier_{level}.ply", force="mesh")
    mean, p95, _, scale = fidelity.distance(bone(level), reference)
    assert mean <= 0.45 and p95 <= 1.0
    assert scale == pytest.approx(1.0, abs=0.01)
