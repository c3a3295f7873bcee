"""How dear the bones are, told as ratios within one run. Run: pytest -s tests/benchmarks

Seconds are those of the processor, so that what else runs on the machine does not count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from statistics import median
from time import perf_counter, process_time

import numpy as np
import pytest
from skimage.measure import marching_cubes

from spineviz.body import Anatomy
from spineviz.body.bake import shelf
from spineviz.body.kinds import kind_of
from spineviz.body.skeleton import STEP as DISPLAY
from spineviz.body.skeleton import bones
from spineviz.sdf.mesher import mesh
from spineviz.sdf.solid import Solid
from spineviz.terms import Level, region_of

STEP = 0.5


def seconds(work: Callable[[], object], rounds: int = 3) -> float:
    """Return the median of some rounds of a piece of work, and print it beside the clock's."""
    times, clock = [], []
    for _ in range(rounds):
        start, begin = process_time(), perf_counter()
        work()
        times.append(process_time() - start)
        clock.append(perf_counter() - begin)
    print(f"\n{median(times):8.3f} s of processor, {median(clock):8.3f} s by the clock", end="")  # noqa: T201
    return median(times)


def tight(solid: Solid) -> Solid:
    surface = mesh(solid, 2.0, mirror=True)
    return replace(solid, lower=surface.vertices.min(0) - 1.0, upper=surface.vertices.max(0) + 1.0)


def dense(solid: Solid) -> None:
    """Mesh a solid as one would without thinking: every node of its tight box, then marching cubes."""
    axes = [np.arange(low, high + STEP, STEP) for low, high in zip(solid.lower, solid.upper, strict=True)]
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    values = np.concatenate([solid.field(plane.reshape(-1, 3)) for plane in nodes])
    marching_cubes(values.reshape(nodes.shape[:3]), 0.0)


@cache
def solids() -> dict[Level, Solid]:
    """Every bone from C1 to the coccyx, in its tight box."""
    return {level: tight(kind_of(level).solid(shape)) for level, shape in Anatomy().vertebrae.items()}


@cache
def plain(level: Level) -> float:
    """The seconds of meshing a bone densely."""
    return seconds(lambda: dense(solids()[level]), rounds=1)


def all_plain() -> float:
    return sum(plain(level) for level in solids())


def test_all_bones_are_meshed_four_times_faster_than_densely() -> None:
    ours = seconds(lambda: [mesh(solid, STEP, mirror=True) for solid in solids().values()], rounds=1)
    print(f"  all bones at {STEP} mm; densely {all_plain():.1f} s")  # noqa: T201
    assert all_plain() >= 4 * ours


def test_all_bones_stand_in_no_more_time_than_a_third_of_meshing_them_densely() -> None:
    ours = seconds(lambda: bones(Anatomy()), rounds=1)
    print("  all bones, standing, with landmarks and what soft tissue asks of L3 to S1")  # noqa: T201
    assert ours <= all_plain() / 3


@pytest.mark.parametrize("level", ["C5", "T6", "L4"])
def test_one_changed_vertebra_costs_a_small_part_of_meshing_it_densely(level: Level) -> None:
    shape, step = Anatomy().shape(level), DISPLAY[region_of(level)]

    def changed() -> None:
        mesh(kind_of(level).solid(shape), step, mirror=True)

    ours = seconds(changed)
    print(f"  {level} from changed parameters, at {step} mm")  # noqa: T201
    assert ours <= plain(level) / 4


def test_the_baked_library_is_read_in_a_fraction_of_the_time_of_meshing_one_vertebra() -> None:
    def read() -> None:
        shelf.cache_clear()
        assert shelf()

    ours = seconds(read)
    print("  the library read")  # noqa: T201
    assert ours <= seconds(lambda: mesh(solids()["L4"], STEP, mirror=True))
