"""Choosing the best of many without judging all, and charts that are measured only near a surface."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from spineviz.geometry import DistanceGrid
from spineviz.structure import Floats, Surface
from spineviz.surgery.charts import TOLD, chart
from spineviz.surgery.choosing import Index, highest

CELL, RADIUS = 0.8, 6.0


@pytest.mark.parametrize("together", [1, 7])
def test_the_best_are_those_that_judging_all_would_find(together: int) -> None:
    random = np.random.default_rng(7)
    values = np.round(random.normal(size=60), 1)
    bounds = values + random.uniform(0.0, 0.5, 60)
    found, judged = highest(bounds, lambda rows: values[rows], 5, together=together)
    assert found.tolist() == np.argsort(-values, kind="stable")[:5].tolist()
    assert judged.tolist() == values[found].tolist()


def test_only_what_may_be_the_best_is_judged() -> None:
    values, asked = np.arange(20.0), []

    def judge(rows: Index) -> Floats:
        asked.extend(rows.tolist())
        return values[rows]

    assert highest(values + 0.5, judge)[0].tolist() == [19]
    assert asked == [19]


def test_nothing_is_found_where_nothing_is_good_enough() -> None:
    found, judged = highest(np.ones(4), lambda rows: np.zeros(len(rows)), above=0.5)
    assert len(found) == len(judged) == 0


@pytest.fixture(scope="module")
def charted() -> DistanceGrid:
    ball = trimesh.creation.icosphere(4, RADIUS)
    return chart([Surface(ball.vertices, ball.faces)], np.full(3, -16.0), np.full(3, 16.0), CELL)


def test_a_chart_tells_the_distance_near_a_surface_as_well_as_its_grid_can(charted: DistanceGrid) -> None:
    random = np.random.default_rng(3)
    ways = random.normal(size=(2000, 3))
    radii = random.uniform(RADIUS - TOLD, RADIUS + TOLD, 2000)
    points = ways / np.linalg.norm(ways, axis=1, keepdims=True) * radii[:, None]
    assert np.abs(charted(points) - (radii - RADIUS)).max() < 0.1


def test_a_chart_knows_far_places_from_near_ones_and_inside_from_outside(charted: DistanceGrid) -> None:
    radii = np.array([0.5, 2.0, 9.0, 12.0, 15.0])
    told = charted(np.stack([radii, 0 * radii, 0 * radii], axis=1))
    assert np.abs(told - (radii - RADIUS)).max() < 0.5


def test_a_chart_of_a_box_far_from_a_surface_tells_that_nothing_is_near() -> None:
    ball = trimesh.creation.icosphere(2, RADIUS)
    far = chart([Surface(ball.vertices, ball.faces)], np.full(3, 40.0), np.full(3, 44.0), CELL)
    assert far(np.full((1, 3), 42.0))[0] > 20.0
