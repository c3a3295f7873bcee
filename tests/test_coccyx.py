"""The coccyx: one symmetric, watertight bone of four segments that hangs below the sacral apex."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree

from spineviz.anatomy import coccyx, sacrum
from spineviz.geometry import as_trimesh
from spineviz.sdf import mesh
from spineviz.structure import Frame
from spineviz.terms import SIDES


@pytest.fixture(scope="module")
def parameters() -> coccyx.CoccyxParameters:
    return coccyx.parameters()


@pytest.fixture(scope="module")
def bone(parameters: coccyx.CoccyxParameters) -> trimesh.Trimesh:
    return as_trimesh(mesh(coccyx.solid(parameters), 0.8, mirror=True))


@pytest.fixture(scope="module")
def frame(parameters: coccyx.CoccyxParameters) -> Frame:
    return coccyx.below(parameters, sacrum.landmarks(sacrum.parameters())["apex"])


@pytest.mark.parametrize("step", [0.61, 1.0])
def test_it_is_one_watertight_body_without_a_hole(parameters: coccyx.CoccyxParameters, step: float) -> None:
    bone = as_trimesh(mesh(coccyx.solid(parameters), step, mirror=True))
    assert bone.is_watertight
    assert bone.body_count == 1
    assert bone.euler_number == 2
    assert bone.volume > 0.0


def test_it_is_exactly_symmetric(bone: trimesh.Trimesh) -> None:
    assert cKDTree(bone.vertices).query(bone.vertices * [-1.0, 1.0, 1.0])[0].max() < 1e-6


def test_it_has_four_segments_that_grow_smaller(parameters: coccyx.CoccyxParameters) -> None:
    widths = [max(segment.half_width) for segment in parameters.segments.values()]
    assert list(parameters.segments) == ["Co1", "Co2", "Co3", "Co4"]
    assert np.all(np.diff(widths) < 0.0)


def test_it_is_as_large_as_measured_coccyges(bone: trimesh.Trimesh) -> None:
    lower, upper = bone.bounds
    assert 24.0 < upper[0] - lower[0] < 38.0
    ends = [bone.vertices[bone.vertices[:, 2].argmin()], np.zeros(3)]
    assert 30.0 < np.linalg.norm(ends[0] - ends[1]) < 50.0


def test_it_curves_forward_from_the_joint_to_the_tip(
    parameters: coccyx.CoccyxParameters, frame: Frame
) -> None:
    tip = frame.to_parent(coccyx.landmarks(parameters)["tip"].origin)
    assert tip[1] > frame.origin[1] + 15.0
    assert tip[2] < frame.origin[2] - 15.0


def test_landmarks_lie_on_the_bone_and_look_out(parameters: coccyx.CoccyxParameters) -> None:
    marks, distance = coccyx.landmarks(parameters), coccyx.field(parameters)
    assert set(marks) == {"joint.sacrum", "tip"} | {
        f"{n}.{s}" for n in ("transverse", "cornu") for s in SIDES
    }
    for mark in marks.values():
        assert abs(distance(mark.origin[None])[0]) < 0.1
        assert distance((mark.origin + 1.5 * mark.anterior)[None])[0] > 0.8
    assert marks["joint.sacrum"].anterior[2] > 0.9


def test_a_real_joint_space_parts_it_from_the_sacrum(
    parameters: coccyx.CoccyxParameters, bone: trimesh.Trimesh, frame: Frame
) -> None:
    gap = sacrum.field(sacrum.parameters())(frame.to_parent(bone.vertices))
    joint = (np.abs(bone.vertices[:, 0]) < 7.0) & (bone.vertices[:, 2] > -1.5)
    assert gap.min() > 0.8
    assert 2.0 < np.median(gap[joint]) < 4.0


@pytest.mark.parametrize("length", [30.0, 50.0])
def test_a_coccyx_of_another_length_keeps_its_joint(
    parameters: coccyx.CoccyxParameters, length: float
) -> None:
    made = coccyx.sized(parameters, {"length": length})
    bone = as_trimesh(mesh(coccyx.solid(made), 0.9, mirror=True))
    assert coccyx.length(made) == pytest.approx(length)
    marks = coccyx.landmarks(made)
    way = np.linalg.norm(marks["tip"].origin - marks["joint.sacrum"].origin)
    assert way == pytest.approx(length, abs=2.5)
    assert bone.is_watertight and bone.body_count == 1
    assert abs(marks["joint.sacrum"].origin[2]) < 2.0


def test_a_coccyx_that_no_human_has_is_refused(parameters: coccyx.CoccyxParameters) -> None:
    with pytest.raises(ValueError, match="Co1: length of 90 mm is not human; the allowed range is 25 to 60"):
        coccyx.sized(parameters, {"length": 90.0})


@pytest.mark.skipif("SPINEVIZ_SHARED" not in os.environ, reason="needs the reference bones")
def test_sacrum_and_coccyx_are_within_a_millimetre_and_a_half_of_a_real_one(
    bone: trimesh.Trimesh, frame: Frame, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(os.environ["SPINEVIZ_SHARED"]) / "reference"
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    import fidelity

    above = as_trimesh(mesh(sacrum.solid(sacrum.parameters()), 1.0, mirror=True))
    hanging = trimesh.Trimesh(frame.to_parent(bone.vertices), bone.faces, process=False)
    reference = trimesh.load(folder / "remus_Sacrum.ply", force="mesh")
    mean, p95, _, scale = fidelity.distance(trimesh.util.concatenate([above, hanging]), reference)
    assert mean < 1.1
    assert p95 < 3.2
    assert 0.9 < scale < 1.1
