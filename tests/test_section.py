"""The face that a plane makes on a closed surface: its area, its holes, and the triangles that fill it."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from stand_ins import ball

from spineviz.geometry import triangle_normals
from spineviz.section import Section, meets, plane, section, union
from spineviz.structure import Frame, Points, Surface

BALL = ball((0.0, 0.0, 0.0), 20.0)


def box(*extents: float, at: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Surface:
    made = trimesh.creation.box(extents)
    return Surface(made.vertices + np.array(at), made.faces)


def shell() -> Surface:
    """A ball of 20 mm with a hollow of 12 mm."""
    outer, inner = BALL, ball((0.0, 0.0, 0.0), 12.0)
    faces = np.vstack([outer.faces, inner.faces[:, ::-1] + len(outer.vertices)])
    return Surface(np.vstack([outer.vertices, inner.vertices]), faces)


def filled(face: Section) -> tuple[float, Points, np.ndarray]:
    vertices, faces = face.triangles()
    normals, areas = triangle_normals(vertices, faces)
    assert normals @ face.frame.superior == pytest.approx(np.ones(len(faces)), abs=1e-6)
    return float(areas.sum()), vertices, faces


def borders(faces: np.ndarray) -> int:
    """Return how many edges belong to one triangle only."""
    edges = np.sort(np.stack([faces, np.roll(faces, -1, axis=1)], axis=2).reshape(-1, 2), axis=1)
    _, count = np.unique(edges, axis=0, return_counts=True)
    assert count.max() <= 2
    return int((count == 1).sum())


@settings(max_examples=25)
@given(st.floats(-15, 15), st.tuples(st.floats(-1, 1), st.floats(-1, 1), st.floats(0.1, 1)))
def test_the_face_of_a_ball_is_a_disc_at_any_slant(way: float, normal: tuple[float, float, float]) -> None:
    frame = plane(way * np.array(normal) / np.linalg.norm(normal), normal)
    assert section(BALL, frame).area == pytest.approx(np.pi * (400 - way**2), abs=10)


@pytest.mark.parametrize("height", [0.0, 10.0, -10.0])
def test_a_plane_through_vertices_and_along_faces_is_none_the_worse(height: float) -> None:
    face = section(box(30, 20, 20, at=(5, 0, 0)), Frame(np.array([0.0, 0.0, height])))
    assert face.area == pytest.approx(600 if height < 10 else 0)


def test_the_hollow_of_a_shell_stays_a_hole_in_what_fills_its_face() -> None:
    face = section(shell(), Frame())
    area, vertices, faces = filled(face)
    assert area == pytest.approx(face.area, rel=1e-9)
    assert area == pytest.approx(np.pi * (400 - 144), rel=0.03)
    assert np.linalg.norm(vertices[faces].mean(axis=1), axis=1).min() > 11.5
    assert borders(faces) == len(vertices)
    assert face.filled().area == pytest.approx(np.pi * 400, rel=0.02)


def test_what_lies_apart_is_filled_apart() -> None:
    two = [box(10, 10, 10, at=(x, 0, 0)) for x in (-20.0, 20.0)]
    both = Surface(
        np.vstack([item.vertices for item in two]),
        np.vstack([two[0].faces, two[1].faces + len(two[0].vertices)]),
    )
    face = section(both, Frame())
    area, vertices, faces = filled(face)
    assert len(face.outlines) == 2 and area == pytest.approx(200)
    assert np.abs(vertices[faces].mean(axis=1)[:, 0]).min() > 15


def test_an_outline_that_does_not_close_bounds_no_face() -> None:
    whole = box(10, 10, 10)
    torn = Surface(whole.vertices, whole.faces[1:])
    heights = np.linspace(-4, 4, 5)
    areas = [section(torn, Frame(np.array([0.0, 0.0, height]))).area for height in heights]
    assert set(np.round(areas, 3)) <= {0.0, 100.0} and section(whole, Frame()).area == pytest.approx(100)


def test_a_plane_beside_a_surface_makes_no_face() -> None:
    beside = Frame(np.array([0.0, 0.0, 21.0]))
    empty = section(BALL, beside)
    assert not empty and not meets(BALL, beside)
    assert empty.triangles()[1].shape == (0, 3) and len(empty.places()[0]) == 0
    assert not empty.filled() and not empty.within(-1.0)


def test_a_rim_and_what_it_encloses_make_up_the_face() -> None:
    face = section(box(20, 20, 20), Frame())
    core = face.within(2.0)
    rim = face.without(core)
    assert core.area == pytest.approx(256) and rim.area == pytest.approx(144)
    assert rim.shared(core).area == pytest.approx(0, abs=1e-6)
    assert union([rim, core], face.frame).area == pytest.approx(400)


def test_the_place_farthest_from_the_border_is_the_middle() -> None:
    face = section(box(20, 10, 10, at=(3, 4, 0)), Frame())
    places, room = face.places(0.5)
    assert room.max() == pytest.approx(4.75, abs=0.3)
    assert abs(places[room.argmax()][1] - 4) < 0.5 and np.ptp(places[:, 2]) == 0
    assert len(section(box(0.2, 0.2, 10), Frame()).places(1.0)[0]) > 0


@settings(max_examples=30)
@given(st.tuples(*3 * (st.floats(-1, 1),)).filter(lambda way: np.linalg.norm(way) > 0.1))
def test_the_frame_of_a_plane_is_right_handed_and_upright(normal: tuple[float, float, float]) -> None:
    frame = plane((1.0, 2.0, 3.0), normal)
    assert np.linalg.det(frame.axes) == pytest.approx(1)
    assert frame.superior @ np.array(normal) == pytest.approx(np.linalg.norm(normal))
    assert frame.anterior @ (0, 1, 1) >= -1e-9 or frame.anterior[2] >= -1e-9
