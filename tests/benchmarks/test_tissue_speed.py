"""How dear soft tissue is: as a ratio within one run, and in seconds. Run: pytest -s tests/benchmarks

Seconds are those of the processor, so that what else runs on the machine does not count.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from time import process_time

import numpy as np
import pytest

from spineviz.anatomy.recipe import Recipe
from spineviz.body import Anatomy
from spineviz.body.bake import shelf
from spineviz.body.build import build
from spineviz.sdf.mesher import mesh
from spineviz.structure import Structure, Surface
from spineviz.terms import LEVELS, Level, column

LOINS: tuple[Level, ...] = ("L1", "L2", "L3", "L4", "L5", "S1")
CORES = 2
LOINS_SECONDS, WHOLE_SECONDS = 20.0, 90.0
"""How long (s) both cores may work on the soft tissue of the loins, and of the whole spine."""

LOADED = 1.0
"""How long (s) the baked loins may take to be read."""

SOME = ("disc.L3-L4", "nucleus.L3-L4", "thecal_sac", "root.L4.right", "flavum.L3-L4.right",
        "interspinous.L3-L4", "multifidus.right", "longissimus.right", "iliocostalis.right")  # fmt: skip


def seconds(levels: tuple[Level, ...]) -> float:
    """Return the seconds of a core that soft tissue between some bones costs beside the bones."""
    baked: dict[str, Structure] = {name: item for name, item in shelf().items() if name in LEVELS}
    if not baked:
        pytest.skip("the library was baked by another generator; run: spineviz bake")
    start = process_time()
    build(Anatomy(), levels, soft=False, shelf=baked)
    bones = process_time()
    build(Anatomy(), levels, shelf=baked)
    result = (process_time() - bones) - (bones - start)
    print(f"\n{result:.1f} s of a core: soft tissue from {levels[0]} to {levels[-1]}", end="")  # noqa: T201
    return result


@cache
def recipes() -> Mapping[str, Recipe]:
    return build(Anatomy(), LOINS, shelf={n: item for n, item in shelf().items() if n in LEVELS}).recipes


def test_soft_tissue_of_the_loins_takes_both_cores_twenty_seconds() -> None:
    assert seconds(LOINS) <= CORES * LOINS_SECONDS


def test_soft_tissue_of_the_whole_spine_takes_both_cores_ninety_seconds() -> None:
    assert seconds(column()) <= CORES * WHOLE_SECONDS


def sparsely(recipe: Recipe) -> Surface:
    return mesh(recipe.solid, recipe.step)


def densely(recipe: Recipe, surface: Surface) -> None:
    """Ask a recipe's field at every node of the tight box around its surface, and no more than that."""
    lower, upper = (end(surface.vertices, axis=0) for end in (np.min, np.max))
    axes = [np.arange(low - 1.0, high + 1.0, recipe.step) for low, high in zip(lower, upper, strict=True)]
    for x in axes[0]:
        recipe.solid.field(np.stack(np.meshgrid([x], *axes[1:], indexing="ij"), axis=-1).reshape(-1, 3))


def test_tissue_is_meshed_three_times_faster_than_densely() -> None:
    """Together: what is only a few steps thick, as a disc, lies near its surface wherever one asks.

    Each is made once before: what it lies on is sampled when it is first asked.
    """
    ours = dense = 0.0
    for recipe in (recipes()[name] for name in SOME):
        densely(recipe, sparsely(recipe))
        start = process_time()
        surface = sparsely(recipe)
        middle = process_time()
        densely(recipe, surface)
        own, other = middle - start, process_time() - middle
        print(f"\n{recipe.name}: {own:.3f} s, densely {other:.3f} s", end="")  # noqa: T201
        ours, dense = ours + own, dense + other
    assert dense >= 3.0 * ours


def test_the_baked_loins_are_read_within_a_second() -> None:
    shelf.cache_clear()
    start = process_time()
    assert shelf()
    assert process_time() - start <= LOADED
