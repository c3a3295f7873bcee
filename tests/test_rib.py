"""Ribs: flat, curved bones on the costal facets, growing longer to the seventh and shorter below it."""

from __future__ import annotations

import numpy as np
import pytest

from spineviz.anatomy.girdle import rib
from spineviz.anatomy.vertebra.landmarks import mirrored, surface_frame
from spineviz.geometry import as_trimesh
from spineviz.sdf import mesh
from spineviz.structure import Frame

LEVELS = [f"T{n}" for n in range(1, 13)]


def facets(level: str) -> tuple[Frame, Frame | None]:
    """Right costal facets that stand in for a vertebra's."""
    number = int(level[1:])
    head = surface_frame(np.array([13.0, -11.0, 7.0 if number < 11 else 1.0]), np.array([0.85, -0.5, 0.0]))
    if number > 10:
        return head, None
    return head, surface_frame(np.array([34.0 - number, -29.0, 2.0]), np.array([0.35, 0.9, 0.1]))


def length(level: str) -> float:
    return rib.path(rib.parameters_of(level), *facets(level), "right").length


@pytest.mark.parametrize("level", LEVELS)
def test_it_is_one_watertight_body(level: str) -> None:
    bone = as_trimesh(mesh(rib.solid(rib.parameters_of(level), *facets(level)), 1.6))
    assert bone.is_watertight
    assert bone.body_count == 1
    assert bone.euler_number == 2
    assert bone.volume > 0.0


def test_lengths_rise_to_the_seventh_rib_and_fall_from_there() -> None:
    lengths = np.array([length(level) for level in LEVELS])
    assert np.all(np.diff(lengths[:7]) > 0.0)
    assert np.all(np.diff(lengths[6:]) < 0.0)
    assert 110.0 < lengths[0] < 160.0
    assert 290.0 < lengths[6] < 340.0
    assert lengths[11] < 140.0


def test_the_first_rib_lies_flat_and_the_sixth_stands_upright() -> None:
    first = rib.landmarks(rib.parameters_of("T1"), *facets("T1"))["angle"]
    sixth = rib.landmarks(rib.parameters_of("T6"), *facets("T6"))["lateral"]
    assert first.anterior[2] > 0.7
    assert abs(sixth.anterior[2]) < 0.4
    assert sixth.anterior[0] > 0.8


def test_the_shaft_runs_downward_and_forward() -> None:
    for level in LEVELS:
        marks = rib.landmarks(rib.parameters_of(level), *facets(level))
        assert marks["end"].origin[2] < marks["angle"].origin[2] < marks["head"].origin[2] + 8.0
        assert marks["end"].origin[1] > marks["angle"].origin[1]


def test_head_and_tubercle_keep_the_joint_space_and_face_the_vertebra() -> None:
    for level in LEVELS:
        parameters, (head, tubercle) = rib.parameters_of(level), facets(level)
        marks = rib.landmarks(parameters, head, tubercle)
        assert ("tubercle" in marks) == (tubercle is not None)
        for name, facet in (("head", head), ("tubercle", tubercle)):
            if facet is not None:
                space = facet.to_local(marks[name].origin)[1]
                assert abs(space - parameters.joint_space) < 1.0
                assert marks[name].anterior @ facet.anterior < -0.7


def test_a_rib_gives_way_to_its_vertebrae() -> None:
    parameters, (head, tubercle) = rib.parameters_of("T5"), facets("T5")

    def vertebrae(points: np.ndarray) -> np.ndarray:
        return np.asarray(np.linalg.norm(points - [17.0, -19.0, 5.0], axis=1) - 5.0)

    bone = mesh(rib.solid(parameters, head, tubercle, "right", vertebrae), 1.2)
    assert vertebrae(bone.vertices).min() > parameters.joint_space - 0.3
    assert vertebrae(mesh(rib.solid(parameters, head, tubercle), 1.2).vertices).min() < 0.5


def test_the_left_rib_mirrors_the_right_one() -> None:
    head, tubercle = facets("T4")
    assert tubercle is not None
    parameters = rib.parameters_of("T4")
    right, left = (
        rib.field(parameters, head, tubercle),
        rib.field(parameters, mirrored(head), mirrored(tubercle), "left"),
    )
    points = np.random.default_rng(1).uniform([0.0, -60.0, -80.0], [130.0, 80.0, 20.0], (4000, 3))
    assert np.abs(left(points * [-1.0, 1.0, 1.0]) - right(points)).max() < 1e-6


def test_the_head_lies_between_two_vertebrae() -> None:
    own = surface_frame(np.array([14.0, -11.0, 8.0]), np.array([0.8, -0.5, 0.3]))
    above = surface_frame(np.array([13.0, -11.0, 14.0]), np.array([0.8, -0.5, -0.3]))
    head = rib.head_frame(own, above)
    assert np.allclose(head.origin, [13.5, -11.0, 11.0])
    assert abs(head.anterior[2]) < 1e-9
    assert rib.head_frame(own) is own


def test_other_levels_have_no_rib() -> None:
    with pytest.raises(KeyError):
        rib.parameters_of("L1")
