"""Distances, volumes, grids and occlusion, measured on solids whose answers are known."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from spineviz.geometry import (
    DistanceGrid,
    area,
    as_trimesh,
    bake_occlusion,
    nearest_places,
    perhaps_in,
    sample_distance,
    surface_distance,
    triangle_normals,
    unpinched,
    vertex_normals,
    volume,
)
from spineviz.structure import Floats, Frame, Points, Surface, frozen

PLACE = st.tuples(st.floats(-15, 15), st.floats(-15, 15), st.floats(-15, 15))
SIZE = st.floats(0.5, 20)
ANGLE = st.floats(-180, 180)


def surface(made: trimesh.Trimesh) -> Surface:
    return Surface(made.vertices, made.faces)


def box(x: float, y: float, z: float) -> Surface:
    return surface(trimesh.creation.box((x, y, z)))


@cache
def ball(radius: float = 10.0, subdivisions: int = 3) -> Surface:
    return surface(trimesh.creation.icosphere(subdivisions, radius))


def inside_out(given_surface: Surface) -> Surface:
    return Surface(given_surface.vertices, given_surface.faces[:, ::-1])


def to_box(points: Points, half: Floats) -> Floats:
    """Return the exact signed distance to a box with these half sizes."""
    beyond = np.abs(points) - half
    return np.linalg.norm(np.maximum(beyond, 0), axis=1) + np.minimum(beyond.max(axis=1), 0)


@st.composite
def turns(draw: st.DrawFn) -> Frame:
    turn = Rotation.from_euler("xyz", [draw(ANGLE), draw(ANGLE), draw(ANGLE)], degrees=True)
    return Frame(np.array(draw(PLACE)), turn.as_matrix())


@given(SIZE, SIZE, SIZE, turns())
def test_a_box_has_its_volume_and_area_wherever_it_stands(x: float, y: float, z: float, frame: Frame) -> None:
    made = box(x, y, z).placed(frame)
    assert volume(made) == pytest.approx(x * y * z, rel=1e-3)
    assert area(made) == pytest.approx(2 * (x * y + y * z + z * x), rel=1e-4)


def test_a_surface_turned_inside_out_has_a_negative_volume() -> None:
    assert volume(inside_out(ball())) == pytest.approx(-volume(ball()))


def test_a_ball_fills_a_little_less_than_its_formula() -> None:
    assert volume(ball()) == pytest.approx(4 / 3 * np.pi * 1000, rel=0.02)
    assert area(ball()) == pytest.approx(400 * np.pi, rel=0.01)


def test_normals_are_unit_vectors_and_look_outwards() -> None:
    made = ball()
    normals = vertex_normals(made.vertices, made.faces)
    assert np.allclose(np.linalg.norm(normals, axis=1), 1)
    assert np.einsum("ij,ij->i", normals, made.vertices / 10).min() > 0.999
    flat, areas = triangle_normals(made.vertices, made.faces)
    assert np.allclose(np.linalg.norm(flat, axis=1), 1) and areas.min() > 0


def test_a_triangle_without_area_has_no_normal_and_gives_no_nonsense() -> None:
    flat, areas = triangle_normals(np.zeros((3, 3)), np.array([[0, 1, 2]]))
    assert np.array_equal(flat, [[0, 0, 0]]) and areas[0] == 0
    assert np.isfinite(vertex_normals(np.zeros((4, 3)), np.array([[0, 1, 2]]))).all()


def test_a_mesh_goes_to_trimesh_as_it_is() -> None:
    made = as_trimesh(ball())
    assert made.is_watertight and len(made.vertices) == len(ball().vertices)


@settings(max_examples=60)
@given(st.lists(PLACE, min_size=1, max_size=30), SIZE, SIZE, SIZE)
def test_the_distance_to_a_box_is_exact_outside_and_inside(
    places: list[tuple[float, float, float]], x: float, y: float, z: float
) -> None:
    points, half = np.array(places), np.array([x, y, z]) / 2
    found = surface_distance(box(x, y, z))(points)
    assert found == pytest.approx(to_box(points, half), abs=1e-4)


@settings(max_examples=60)
@given(st.lists(PLACE, min_size=1, max_size=30))
def test_the_distance_to_a_ball_is_right_to_its_facets_and_signed(
    places: list[tuple[float, float, float]],
) -> None:
    points = np.array(places)
    exact = np.linalg.norm(points, axis=1) - 10
    found = surface_distance(ball())(points)
    assert found == pytest.approx(exact, abs=0.12)
    clear = np.abs(exact) > 0.12
    assert np.array_equal(found[clear] < 0, exact[clear] < 0)


@settings(max_examples=30)
@given(turns(), PLACE, PLACE)
def test_no_distance_changes_faster_than_the_way_between_two_points(
    frame: Frame, first: tuple[float, float, float], second: tuple[float, float, float]
) -> None:
    points = np.array([first, second])
    one, other = surface_distance(box(12, 3, 7).placed(frame))(points)
    assert abs(one - other) <= np.linalg.norm(points[0] - points[1]) + 1e-3


def test_every_point_of_a_surface_is_at_no_distance_from_it() -> None:
    made = ball()
    middles = made.vertices[made.faces].mean(axis=1)
    assert np.abs(surface_distance(made)(np.vstack([made.vertices, middles]))).max() < 1e-5


@pytest.mark.parametrize("thickness", [0.1, 0.5, 1.0])
def test_the_inside_of_a_thin_plate_is_inside(thickness: float) -> None:
    generator = np.random.default_rng(1)
    points = generator.uniform(-1, 1, (2000, 3)) * [13.5, 8.5, 0.49 * thickness]
    plate = trimesh.creation.box((30, 20, thickness))
    distance = surface_distance(surface(plate.subdivide_to_size(1.5)))
    assert (distance(points) < 0).all()
    assert (distance(np.add(points, [0, 0, thickness])) > 0).all()


def with_fold(made: Surface, height: float) -> Surface:
    """The surface with a fold without thickness on one of its edges, as a cut along a face leaves it."""
    first, second, _ = made.faces[0]
    ridge = made.vertices[[first, second]].mean(axis=0) * (1 + height)
    vertices = np.vstack([made.vertices, ridge])
    top = len(made.vertices)
    return Surface(vertices, np.vstack([made.faces, [first, second, top], [second, first, top]]))


def test_a_fold_without_thickness_does_not_turn_the_outside_in() -> None:
    points = np.random.default_rng(4).uniform(-12, 12, (4000, 3))
    for folded in (with_fold(ball(), 0.15), with_fold(ball(), -0.15)):
        found = surface_distance(folded)(points)
        clear = np.abs(np.linalg.norm(points, axis=1) - 10) > 0.15
        assert np.array_equal(found[clear] < 0, np.linalg.norm(points[clear], axis=1) < 10)


@pytest.mark.parametrize("most", [0.5, 3.0, 40.0])
def test_a_distance_that_is_told_only_so_far_is_the_same_up_to_there(most: float) -> None:
    points = np.random.default_rng(3).uniform(-25.0, 25.0, (3000, 3))
    for made in (ball(), box(12.0, 3.0, 7.0)):
        distance = surface_distance(made)
        assert np.abs(distance(points, most) - np.minimum(distance(points), most)).max() < 1e-9


def test_a_distance_does_not_depend_on_what_else_is_asked() -> None:
    points = np.random.default_rng(2).uniform(-15, 15, (200, 3))
    distance = surface_distance(ball())
    assert np.array_equal(distance(points)[50:], distance(points[50:]))
    assert distance(np.zeros((0, 3))).shape == (0,)


@given(st.tuples(*[st.floats(-2, 2)] * 4), st.lists(PLACE, min_size=1, max_size=20))
def test_a_grid_gives_back_every_straight_field_exactly(
    slope: tuple[float, float, float, float], places: list[tuple[float, float, float]]
) -> None:
    def field(points: Points) -> Floats:
        return points @ np.array(slope[:3]) + slope[3]

    lower = np.array([-16.0, -16, -16])
    nodes = np.moveaxis(np.indices((17, 17, 17)), 0, -1) * 2.0 + lower
    grid = DistanceGrid(lower, 2.0, frozen(field(nodes), np.float32))
    points = np.array(places)
    assert grid(points) == pytest.approx(field(points), abs=1e-3)


@pytest.mark.parametrize("most", [-1.0, 0.4, 3.0, 30.0])
def test_a_grid_that_is_asked_only_so_far_tells_the_same_up_to_there(most: float) -> None:
    ball = sample_distance(lambda points: np.linalg.norm(points, axis=1) - 6.0, [-9.0] * 3, [8.0] * 3, 0.7)
    points = np.random.default_rng(2).uniform(-14.0, 14.0, (4000, 3))
    assert np.array_equal(ball.within(points, most), np.minimum(ball(points), most))


def test_beyond_its_border_a_grid_adds_the_way_to_it() -> None:
    grid = DistanceGrid(np.zeros(3), 1.0, np.full((3, 3, 3), 5.0, dtype=np.float32))
    assert grid(np.array([[1.0, 1, 1], [6.0, 1, 1], [-3.0, -4, 1]])) == pytest.approx([5, 9, 10])


def sphere_field(points: Points) -> Floats:
    return np.linalg.norm(points, axis=1) - 10


def two_balls(points: Points) -> Floats:
    right, left = (np.linalg.norm(points - [x, 0, 0], axis=1) for x in (6, -6))
    return np.minimum(right, left) - 4.5


@pytest.mark.parametrize("field", [sphere_field, two_balls])
@pytest.mark.parametrize("step", [0.8, 1.0])
def test_a_sampled_distance_is_true_at_the_surface_and_near_elsewhere(field: object, step: float) -> None:
    assert callable(field)
    lower, upper = np.array([-20.0, -18, -17]), np.array([19.0, 18.5, 17.3])
    grid = sample_distance(field, lower, upper, step)
    points = np.random.default_rng(3).uniform(lower, upper, (20_000, 3))
    exact = field(points)
    error = np.abs(grid(points) - exact)
    assert error[np.abs(exact) < 1].max() < 0.1
    assert error.mean() < 0.15 and error.max() < 0.7 * step
    clear = np.abs(exact) > 0.12
    assert np.array_equal(grid(points)[clear] < 0, exact[clear] < 0)


def test_a_sampled_distance_covers_the_box_it_was_asked_for() -> None:
    grid = sample_distance(sphere_field, np.array([-15.0, -15, -15]), np.array([15.2, 15, 15]), 1.0)
    assert grid.values.shape == (32, 31, 31)
    assert not grid.values.flags.writeable


@pytest.mark.parametrize("step", [0.8, 1.0])
def test_a_mirrored_grid_is_the_same_on_both_sides_and_as_true(step: float) -> None:
    asked: list[Points] = []

    def recorded(points: Points) -> Floats:
        asked.append(points)
        return two_balls(points)

    lower, upper = np.array([-19.0, -18, -17]), np.array([16.0, 18.5, 17.3])
    grid = sample_distance(recorded, lower, upper, step, mirror=True)
    assert np.array_equal(grid.values, grid.values[::-1])
    assert np.vstack(asked)[:, 0].min() >= -4 * step
    top = grid.lower + step * (np.array(grid.values.shape) - 1)
    assert (grid.lower <= lower + 1e-9).all() and (top >= upper - 1e-9).all()
    points = np.random.default_rng(5).uniform(lower, upper, (20_000, 3))
    whole = sample_distance(two_balls, lower, upper, step)
    error, usual = (np.abs(made(points) - two_balls(points)) for made in (grid, whole))
    near = np.abs(two_balls(points)) < 1
    assert error[near].max() < 0.1 and error.mean() == pytest.approx(usual.mean(), rel=0.1)


def test_a_grid_asks_for_far_less_than_every_node() -> None:
    asked: list[int] = []

    def counted(points: Points) -> Floats:
        asked.append(len(points))
        return sphere_field(points)

    grid = sample_distance(counted, np.full(3, -40.0), np.full(3, 40.0), 1.0)
    assert sum(asked) < 0.2 * grid.values.size


def test_a_ball_in_the_open_is_bright_everywhere() -> None:
    light = bake_occlusion(ball()).occlusion
    assert light is not None and light.shape == (len(ball().vertices),)
    assert light == pytest.approx(1.0)


def test_the_inside_of_a_box_is_dark() -> None:
    cave = inside_out(surface(trimesh.creation.box((10, 10, 10)).subdivide()))
    light = bake_occlusion(cave).occlusion
    assert light is not None and light.max() < 0.55


def test_what_stands_around_darkens_the_nearer_the_more() -> None:
    darkness = [1.0]
    for half in (200.0, 60.0, 30.0, 15.0):
        wall = inside_out(box(2 * half, 2 * half, 2 * half))
        light = bake_occlusion(ball(5.0, 2), [wall]).occlusion
        assert light is not None
        darkness.append(float(light.mean()))
    assert darkness[1] == pytest.approx(1.0)
    assert darkness[1:] == sorted(darkness[1:], reverse=True)
    assert darkness[-1] < 0.65


def test_what_stands_beyond_the_reach_changes_nothing() -> None:
    near = box(40, 40, 2).placed(Frame(np.array([0.0, 0, 9])))
    far = ball(20.0, 3).placed(Frame(np.array([0.0, 0, -66.0])))
    alone, beside = bake_occlusion(ball(5.0, 2), [near]), bake_occlusion(ball(5.0, 2), [near, far])
    assert alone.occlusion is not None and beside.occlusion is not None
    assert np.array_equal(alone.occlusion, beside.occlusion)


def test_the_side_towards_a_wall_is_darker_than_the_side_away() -> None:
    wall = box(40, 40, 2).placed(Frame(np.array([0.0, 0, 9])))
    made = bake_occlusion(ball(5.0, 2), [wall])
    assert made.occlusion is not None
    up, down = made.vertices[:, 2] > 3, made.vertices[:, 2] < -3
    assert made.occlusion[up].mean() < made.occlusion[down].mean() - 0.2
    assert made.occlusion[down] == pytest.approx(1.0, abs=0.02)


def test_the_floor_is_darker_the_nearer_it_lies_to_a_wall() -> None:
    floor = surface(trimesh.creation.box((60, 60, 2)).subdivide_to_size(3))
    wall = box(60, 2, 40).placed(Frame(np.array([0.0, 0, 21.0])))
    made = bake_occlusion(floor, [wall])
    assert made.occlusion is not None
    x, y, _ = np.abs(made.vertices.T)
    top = (made.vertices[:, 2] > 0.9) & (x < 15)
    shades = [
        made.occlusion[top & (low < y) & (y < high)].mean() for low, high in ((2, 6), (9, 13), (20, 29))
    ]
    assert shades == sorted(shades) and shades[-1] - shades[0] > 0.2


def test_occlusion_leaves_shape_and_paint_alone_and_is_the_same_every_time() -> None:
    rest = ball(5.0, 2)
    painted = Surface(rest.vertices, rest.faces, tint=np.linspace(0, 1, len(rest.vertices)))
    wall = box(40, 40, 2).placed(Frame(np.array([0.0, 0, 9])))
    first, second = bake_occlusion(painted, [wall]), bake_occlusion(painted, [wall])
    assert np.array_equal(first.vertices, rest.vertices) and np.array_equal(first.faces, rest.faces)
    assert first.tint is not None and painted.tint is not None and np.array_equal(first.tint, painted.tint)
    assert first.occlusion is not None and second.occlusion is not None
    assert np.array_equal(first.occlusion, second.occlusion)
    assert first.occlusion.min() >= 0 and first.occlusion.max() <= 1


def test_a_few_rays_and_the_nearest_triangles_tell_what_the_distance_tells() -> None:
    made, points = ball(), np.random.default_rng(5).uniform(-12.0, 12.0, (400, 3))
    away = surface_distance(made)(points)
    assert (perhaps_in(made, points, surely=True) == (away < 0.0)).all()
    low, high = made.vertices.min(axis=0), made.vertices.max(axis=0)
    ways = np.linalg.norm(nearest_places(made, 1.0, (low, high))(points) - points, axis=1)
    assert ways == pytest.approx(np.abs(away), abs=0.02)


def test_a_distance_is_the_same_where_only_triangles_in_a_box_are_looked_at() -> None:
    made = ball()
    points = made.vertices[made.vertices[:, 0] > 0.9 * made.vertices[:, 0].max()] * 0.95
    box = points.min(axis=0) - 2.0, points.max(axis=0) + 2.0
    assert surface_distance(made, box=box)(points) == pytest.approx(surface_distance(made)(points), abs=1e-9)


def test_only_vertices_that_are_named_are_darkened_anew() -> None:
    made = bake_occlusion(ball())
    where = made.vertices[:, 0] > 0.0
    stale = replace(made, occlusion=np.zeros(len(made.vertices)))
    found = bake_occlusion(stale, where=where).occlusion
    assert found is not None and made.occlusion is not None
    assert found[where] == pytest.approx(made.occlusion[where]) and not found[~where].any()


def test_boxes_that_share_an_edge_are_parted_there_and_lose_nothing() -> None:
    box = trimesh.creation.box((2.0, 2.0, 2.0))
    pinched = trimesh.util.concatenate([box, box.copy().apply_translation([2.0, 2.0, 0.0])])
    pinched.merge_vertices()
    assert len(pinched.vertices) == 14 and not pinched.is_watertight
    parted = unpinched(Surface(pinched.vertices, pinched.faces))
    assert as_trimesh(parted).is_watertight and as_trimesh(parted).body_count == 2
    assert volume(parted) == pytest.approx(16.0)
    alone = Surface(box.vertices, box.faces)
    assert unpinched(alone) is alone
