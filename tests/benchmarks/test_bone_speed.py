"""How dear the bones are, told as ratios within one run. Run: pytest tests/benchmarks"""

from __future__ import annotations

from dataclasses import replace
from statistics import median
from time import perf_counter

import numpy as np
from skimage.measure import marching_cubes

from spineviz.body import Anatomy
from spineviz.body.bake import shelf
from spineviz.body.kinds import kind_of
from spineviz.body.skeleton import bones
from spineviz.sdf.mesher import mesh
from spineviz.sdf.solid import Solid

STEP = 0.5


def seconds(work: object, rounds: int = 3) -> float:
    assert callable(work)
    times = []
    for _ in range(rounds):
        start = perf_counter()
        work()
        times.append(perf_counter() - start)
    return median(times)


def dense(solid: Solid) -> None:
    """Mesh a solid as one would without thinking: every node of its tight box, then marching cubes."""
    axes = [np.arange(low, high + STEP, STEP) for low, high in zip(solid.lower, solid.upper, strict=True)]
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    values = np.concatenate([solid.field(plane.reshape(-1, 3)) for plane in nodes])
    marching_cubes(values.reshape(nodes.shape[:3]), 0.0)


def tight(solid: Solid) -> Solid:
    surface = mesh(solid, 2.0, mirror=True)
    return replace(solid, lower=surface.vertices.min(0) - 1.0, upper=surface.vertices.max(0) + 1.0)


def test_all_bones_are_meshed_four_times_faster_than_densely() -> None:
    solids = [tight(kind_of(level).solid(shape)) for level, shape in Anatomy().vertebrae.items()]
    ours = seconds(lambda: [mesh(solid, STEP, mirror=True) for solid in solids], rounds=1)
    plain = seconds(lambda: [dense(solid) for solid in solids], rounds=1)
    assert plain >= 4 * ours, f"{ours:.1f} s, densely {plain:.1f} s"


def test_all_bones_stand_in_no_more_time_than_a_quarter_of_meshing_them_densely() -> None:
    solids = [tight(kind_of(level).solid(shape)) for level, shape in Anatomy().vertebrae.items()]
    ours = seconds(lambda: bones(Anatomy()), rounds=1)
    plain = seconds(lambda: [dense(solid) for solid in solids], rounds=1)
    assert ours <= plain / 4, f"{ours:.1f} s, densely {plain:.1f} s"


def test_one_changed_vertebra_costs_a_small_part_of_meshing_it_densely() -> None:
    shape = Anatomy().shape("L4")
    ours = seconds(lambda: mesh(kind_of("L4").solid(shape), 0.8, mirror=True))
    plain = seconds(lambda: dense(tight(kind_of("L4").solid(shape))), rounds=1)
    assert ours <= plain / 16, f"{ours:.2f} s, densely {plain:.1f} s"


def test_the_baked_library_is_read_in_a_fraction_of_the_time_of_meshing_one_vertebra() -> None:
    def read() -> None:
        shelf.cache_clear()
        assert shelf()

    ours = seconds(read)
    one = seconds(lambda: mesh(kind_of("L4").solid(Anatomy().shape("L4")), STEP, mirror=True))
    assert ours <= 2 * one, f"{ours:.2f} s, one vertebra {one:.2f} s"
