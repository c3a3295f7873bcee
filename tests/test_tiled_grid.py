"""A grid that is sampled where it is asked is the grid that is sampled everywhere."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from spineviz.anatomy.tiled_grid import TiledGrid
from spineviz.geometry import sample_distance
from spineviz.structure import Floats, Points

LOWER, UPPER = np.array([-19.0, -18.0, -17.0]), np.array([36.0, 28.5, 27.3])


def two_balls(points: Points) -> Floats:
    right, left = (np.linalg.norm(points - [x, 0, 0], axis=1) for x in (6, -6))
    return np.minimum(right, left) - 4.5


def tiled(mirror: bool = False, step: float = 1.0) -> TiledGrid:
    return TiledGrid(two_balls, LOWER, UPPER, step, mirror, two_balls)


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("step", [0.8, 1.0])
def test_wherever_it_is_asked_it_tells_what_the_whole_grid_tells(mirror: bool, step: float) -> None:
    whole, grid = sample_distance(two_balls, LOWER, UPPER, step, mirror), tiled(mirror, step)
    random = np.random.default_rng(3)
    for low in ([-12.0, -9.0, -9.0], [2.0, -9.0, 0.0], [-30.0, -30.0, -30.0]):
        points = random.uniform(low, np.array(low) + 9.0, (500, 3))
        assert grid(points) == pytest.approx(whole(points), abs=1e-9)
    points = random.uniform(LOWER - 5.0, UPPER + 5.0, (5000, 3))
    assert grid(points) == pytest.approx(whole(points), abs=1e-9)
    assert np.array_equal(grid.values, whole.values)
    assert grid.count == whole.values.shape and np.array_equal(grid.lower, whole.lower)


def test_asked_in_one_place_it_asks_for_little() -> None:
    asked: list[int] = []

    def counted(points: Points) -> Floats:
        asked.append(len(points))
        return two_balls(points)

    grid = TiledGrid(counted, LOWER, UPPER, 0.5, False, two_balls)
    assert not asked
    grid(np.array([[-10.5, 0.0, 0.0]]))
    part = sum(asked)
    grid(np.array([[-10.5, 0.0, 0.0]]))
    assert sum(asked) == part
    grid(np.random.default_rng(3).uniform(LOWER, UPPER, (5000, 3)))
    assert part < 0.6 * sum(asked)


def test_threads_that_ask_at_once_are_told_the_same() -> None:
    points, grid = np.random.default_rng(3).uniform(LOWER, UPPER, (8, 400, 3)), tiled()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(grid, points))
    assert np.array_equal(found, [tiled()(some) for some in points])


def test_kept_in_a_file_it_knows_what_it_was_asked() -> None:
    grid = tiled(mirror=True)
    points = np.random.default_rng(3).uniform(LOWER, UPPER, (2, 300, 3))
    first = grid(points[0])
    kept = pickle.loads(pickle.dumps(grid, protocol=5))
    assert np.array_equal(kept(points[0]), first)
    assert np.array_equal(kept(points[1]), grid(points[1]))
    untouched = pickle.loads(pickle.dumps(tiled(), protocol=5))
    assert np.array_equal(untouched(points[1]), tiled()(points[1]))
