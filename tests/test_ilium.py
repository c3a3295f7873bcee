"""The ilium: one watertight bone that lies against the sacrum and is as large as measured pelves."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from spineviz import measures
from spineviz.anatomy import sacrum, vertebra
from spineviz.anatomy.column import alignment
from spineviz.anatomy.girdle import ilium
from spineviz.geometry import as_trimesh
from spineviz.sdf import Field, mesh
from spineviz.structure import Floats, Frame


@pytest.fixture(scope="module")
def parameters() -> ilium.IliumParameters:
    return ilium.parameters()


@pytest.fixture(scope="module")
def sacral() -> Field:
    return sacrum.field(sacrum.parameters())


@pytest.fixture(scope="module")
def bone(parameters: ilium.IliumParameters, sacral: Field) -> trimesh.Trimesh:
    return as_trimesh(mesh(ilium.solid(parameters, sacral), 1.5))


@pytest.fixture(scope="module")
def upright(parameters: ilium.IliumParameters, bone: trimesh.Trimesh) -> Floats:
    """The vertices in the pelvic frame."""
    return parameters.pelvic_frame().to_parent(bone.vertices)


@pytest.fixture(scope="module")
def marks(parameters: ilium.IliumParameters, sacral: Field) -> dict[str, Frame]:
    upright = parameters.pelvic_frame()
    return {name: frame.then(upright) for name, frame in ilium.landmarks(parameters, sacral).items()}


@pytest.mark.parametrize("step", [1.2, 2.0])
def test_it_is_one_watertight_body(parameters: ilium.IliumParameters, sacral: Field, step: float) -> None:
    bone = as_trimesh(mesh(ilium.solid(parameters, sacral), step))
    assert bone.is_watertight
    assert bone.body_count == 1
    assert bone.euler_number == 2
    assert bone.volume > 0.0


def test_the_left_one_mirrors_the_right_one(
    parameters: ilium.IliumParameters, sacral: Field, bone: trimesh.Trimesh
) -> None:
    left = ilium.field(parameters, sacral, "left")
    right = ilium.field(parameters, sacral)
    points = np.asarray(bone.vertices)[::50]
    assert np.allclose(left(points * [-1.0, 1.0, 1.0]), right(points), atol=1e-9)
    names = ilium.landmarks(parameters, sacral, "left")
    assert names["spine.posterior_superior"].origin[0] < -30.0


def test_iliac_breadth_and_spines_are_as_measured(upright: Floats, marks: dict[str, Frame]) -> None:
    assert 270.0 < 2.0 * upright[:, 0].max() < 290.0
    assert 225.0 < 2.0 * marks["spine.anterior_superior"].origin[0] < 255.0
    assert 80.0 < 2.0 * marks["spine.posterior_superior"].origin[0] < 110.0
    span = marks["spine.anterior_superior"].origin - marks["spine.posterior_superior"].origin
    assert 140.0 < np.linalg.norm(span) < 170.0


def test_the_crest_reaches_the_disc_between_l4_and_l5(upright: Floats) -> None:
    shape = vertebra.parameters_of("L5")
    marks = vertebra.landmarks(shape)
    slope = measures.value("alignment.sacral_slope")
    height, wedge = measures.value("discs.L5-S1.height_middle"), measures.value("discs.L5-S1.wedge")
    below = alignment.sacral_frame(slope)
    l5 = alignment.stacked(below, marks["endplate.inferior"], height, wedge)
    top = marks["endplate.superior"].then(l5).origin[2]
    assert top - 2.0 < upright[:, 2].max() < top + 18.0


def test_the_sacroiliac_joint_is_two_millimetres_wide_and_congruent(
    parameters: ilium.IliumParameters, bone: trimesh.Trimesh, sacral: Field
) -> None:
    gap = sacral(np.asarray(bone.vertices))
    assert gap.min() > 1.5
    joint = gap < 2.6
    area = trimesh.triangles.area(bone.triangles[joint[bone.faces].all(axis=1)]).sum()
    assert 800.0 < area < 2200.0


def test_it_keeps_clear_of_l5(parameters: ilium.IliumParameters, sacral: Field) -> None:
    shape = vertebra.parameters_of("L5")
    height, wedge = measures.value("discs.L5-S1.height_middle"), measures.value("discs.L5-S1.wedge")
    frame = alignment.stacked(Frame(), vertebra.landmarks(shape)["endplate.inferior"], height, wedge)
    l5 = mesh(vertebra.solid(shape), 2.0, mirror=True)
    assert ilium.field(parameters, sacral)(frame.to_parent(l5.vertices)).min() > 8.0


def test_the_wing_is_thin_and_the_roof_of_the_socket_thick(
    parameters: ilium.IliumParameters, sacral: Field
) -> None:
    distance, upright = ilium.field(parameters, sacral), parameters.pelvic_frame()

    def thickness(place: ilium.Place) -> float:
        x = place[0] + np.arange(-40.0, 40.0, 0.25)
        line = np.column_stack([x, np.full_like(x, place[1]), np.full_like(x, place[2])])
        return float(np.count_nonzero(distance(upright.to_local(line)) < 0.0) * 0.25)

    assert thickness(parameters.inner["fossa"]) < 11.0
    assert thickness(parameters.inner["supraacetabular"]) > 28.0


def test_landmarks_lie_on_the_bone_and_the_auricular_surface_faces_the_sacrum(
    parameters: ilium.IliumParameters, sacral: Field
) -> None:
    distance = ilium.field(parameters, sacral)
    marks = ilium.landmarks(parameters, sacral)
    assert max(abs(distance(mark.origin[None])[0]) for mark in marks.values()) < 0.3
    assert marks["auricular"].anterior[0] < -0.6
    assert sacral(marks["auricular"].origin[None])[0] < 3.0
