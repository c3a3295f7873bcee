"""Implicit solids, their joints and the mesher."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from spineviz.sdf import Loft, Solid, mesh, smooth_difference, smooth_intersection, smooth_union
from spineviz.structure import Floats, Points, Surface

STEPS = (0.5, 0.7, 1.0, 2.0, 2.5)


def ball(radius: float, centre: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Solid:
    middle = np.array(centre)
    return Solid(
        lambda points: np.linalg.norm(points - middle, axis=1) - radius,
        middle - radius - 3,
        middle + radius + 3,
    )


def box(half: tuple[float, float, float]) -> Solid:
    size = np.array(half)
    return Solid(lambda points: np.max(np.abs(points) - size, axis=1), -size - 3.0, size + 3.0)


def torus(points: Points) -> Floats:
    return np.hypot(np.hypot(points[:, 0], points[:, 1]) - 10.0, points[:, 2]) - 1.2


def as_trimesh(surface: Surface) -> trimesh.Trimesh:
    return trimesh.Trimesh(surface.vertices, surface.faces, process=False)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("mirror", [False, True])
def test_a_ball_is_watertight_and_outward_also_where_the_grid_meets_its_surface(
    step: float, mirror: bool
) -> None:
    made = as_trimesh(mesh(ball(10.0), step, mirror))
    assert made.is_watertight and made.is_winding_consistent
    assert made.euler_number == 2
    assert made.volume == pytest.approx(4188.8, rel=0.04)
    assert made.area_faces.min() > 0.0


@pytest.mark.parametrize("step", STEPS)
def test_a_box_whose_faces_lie_on_the_grid_is_watertight(step: float) -> None:
    made = as_trimesh(mesh(box((5.0, 7.0, 9.0)), step))
    assert made.is_watertight and made.euler_number == 2
    assert made.area_faces.min() > 0.0


@settings(max_examples=25, deadline=None)
@given(
    x=st.floats(-3.0, 3.0), y=st.floats(-3.0, 3.0), z=st.floats(-3.0, 3.0),
    radius=st.floats(2.0, 6.0), step=st.floats(0.4, 1.2),
)  # fmt: skip
def test_a_ball_anywhere_at_any_step_is_watertight(
    x: float, y: float, z: float, radius: float, step: float
) -> None:
    made = as_trimesh(mesh(ball(radius, (x, y, z)), step))
    assert made.is_watertight and made.volume > 0.0


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 9999), step=st.sampled_from(STEPS), mirror=st.booleans(), zeros=st.floats(0.0, 0.9)
)
def test_noise_is_watertight_also_where_it_is_zero_on_the_grid(
    seed: int, step: float, mirror: bool, zeros: float
) -> None:
    """Every configuration of signs that a cell can have, in a box whose border is outside."""
    random = np.random.default_rng(seed)
    values = step * random.uniform(-1.0, 1.0, (17, 17, 17))
    values[random.random(values.shape) < zeros] = 0.0
    values[3:-3, 3:-3, 3:-3][0, 0, 0] = -step  # so that there is something inside

    def noise(points: Points) -> Floats:
        nodes = np.round(points / step).astype(int) + 8
        border = np.abs(nodes - 8).max(axis=1) >= 8
        return np.where(border, step, values[tuple(np.clip(nodes, 0, 16).T)])

    made = mesh(Solid(noise, [-8 * step] * 3, [8 * step] * 3), step, mirror)
    edges = np.sort(np.stack([made.faces, np.roll(made.faces, -1, axis=1)], axis=2), axis=2).reshape(-1, 2)
    _, count = np.unique(edges, axis=0, return_counts=True)
    assert (count == 2).all()
    assert as_trimesh(made).area_faces.min() > 0.0
    assert as_trimesh(made).is_winding_consistent and as_trimesh(made).volume > 0.0


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("mirror", [False, True])
def test_planes_that_cross_on_the_grid_and_in_the_middle_leave_a_watertight_solid(
    step: float, mirror: bool
) -> None:
    """Two boxes that share an edge and a plane of symmetry: the field is zero on whole rows of nodes."""

    def field(points: Points) -> Floats:
        x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
        first = np.max([x - 5.0, np.abs(y - 5.0) - 5.0, np.abs(z - 5.0) - 5.0], axis=0)
        second = np.max([x - 5.0, np.abs(y + 5.0) - 5.0, np.abs(z + 5.0) - 5.0], axis=0)
        return np.minimum(first, second)

    made = as_trimesh(mesh(Solid(field, (-15, -15, -15), (15, 15, 15)), step, mirror))
    assert made.is_watertight and made.is_winding_consistent
    assert 1200.0 < made.volume < 2050.0, "edges are cut, faces stay"


def test_a_thin_ring_is_found_among_the_blocks() -> None:
    made = as_trimesh(mesh(Solid(torus, (-13, -13, -3), (13, 13, 3)), 0.5, mirror=True))
    assert made.is_watertight and made.euler_number == 0 and made.body_count == 1


def test_a_mirrored_mesh_is_exactly_symmetric() -> None:
    vertices = np.asarray(mesh(ball(8.0, (0.0, 1.3, -0.4)), 0.7, mirror=True).vertices)
    original = {tuple(v) for v in vertices.tolist()}
    assert original == {(-x if x else 0.0, y, z) for x, y, z in vertices.tolist()}


def test_sparse_evaluation_gives_the_same_surface_as_asking_for_it_at_the_vertices() -> None:
    surface = mesh(ball(10.0), 0.7)
    assert np.abs(np.linalg.norm(surface.vertices, axis=1) - 10.0).max() < 0.02


@pytest.mark.parametrize("mirror", [False, True])
def test_the_field_is_asked_only_near_the_surface_and_on_one_side_where_it_is_mirrored(mirror: bool) -> None:
    asked: list[int] = []
    solid = ball(30.0)

    def counted(points: Points) -> Floats:
        asked.append(len(points))
        return solid.field(points)

    mesh(replace(solid, field=counted), 0.5, mirror)
    dense = np.prod((solid.upper - solid.lower) / 0.5)
    assert sum(asked) < (0.15 if mirror else 0.3) * dense


def test_a_surface_that_touches_the_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match="touches the lower x bound"):
        mesh(Solid(lambda points: points[:, 0], (-5, -5, -5), (5, 5, 5)), 1.0)


def test_an_empty_solid_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        mesh(Solid(lambda points: np.ones(len(points)), (-5, -5, -5), (5, 5, 5)), 1.0)


def test_a_step_that_is_not_positive_is_refused() -> None:
    with pytest.raises(ValueError, match="positive step"):
        mesh(ball(3.0), 0.0)


def test_crossed_bounds_are_refused() -> None:
    with pytest.raises(ValueError, match="below its upper bounds"):
        Solid(torus, (1, 0, 0), (0, 1, 1))


def test_a_smooth_union_holds_both_and_a_difference_takes_away() -> None:
    a, b = np.array([-1.0, 0.5, 3.0]), np.array([2.0, 0.5, -2.0])
    assert np.all(smooth_union(a, b, 1.0) <= np.minimum(a, b))
    assert np.all(smooth_intersection(a, b, 1.0) >= np.maximum(a, b))
    assert np.all(smooth_difference(a, b, 1.0) >= a)
    assert np.array_equal(smooth_union(a, b, 0.0), np.minimum(a, b))
    assert smooth_union(a, b, 1.0)[1] == pytest.approx(0.25)


def test_a_straight_loft_is_a_capsule() -> None:
    loft = Loft((0, 0, 0), (0, 0, 10), across=(3.0,), along=(3.0,))
    points = np.array([[5.0, 0, 5], [0, 1.0, 5], [0, 0, 15], [0, 0, -4], [3, 0, 14]])
    assert loft(points) == pytest.approx([2.0, -2.0, 2.0, 1.0, 2.0], abs=1e-4)


def test_a_loft_measures_distance_to_its_elliptic_section() -> None:
    loft = Loft((0, 0, -20), (0, 0, 20), across=(3.0,), along=(6.0,))
    assert loft(np.array([[4.0, 0, 0], [0, 8.0, 0], [2.0, 0, 0]])) == pytest.approx(
        [1.0, 2.0, -1.0], abs=1e-3
    )


def test_the_points_a_loft_names_lie_where_it_says() -> None:
    loft = Loft(
        (1, 2, 3),
        (4, -2, 20),
        across=(3.0, 2.5, 4.0),
        along=(5.0, 7.0, 4.0),
        roll=(10, 50),
        bow=(1, 2),
        curl=(0, 0.02),
    )
    on_section = [
        loft.point(place, u, v) for place in (0.2, 0.5, 0.8) for u, v in ((1, 0), (-1, 0), (0, 1), (0, -1))
    ]
    assert np.abs(loft(np.array(on_section))).max() < 0.05
    assert np.all(loft(np.array([loft.point(p) for p in (0.1, 0.5, 0.9)])) < -1.5)
