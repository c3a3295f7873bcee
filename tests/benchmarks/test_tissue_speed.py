"""How dear soft tissue is, told as ratios within one run. Run: pytest -s tests/benchmarks

Times are those of the processor. What else runs on the machine still makes them longer, by up to a half where
cores are shared: so they are printed, and told in yardsticks that are measured in the same run.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from time import process_time

import numpy as np
import pytest
import trimesh
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage.measure import marching_cubes

from spineviz.anatomy.recipe import Recipe
from spineviz.body import Anatomy
from spineviz.body.bake import shelf
from spineviz.body.build import build
from spineviz.sdf.mesher import mesh
from spineviz.structure import Structure, Surface
from spineviz.terms import LEVELS, Level, column

LOINS: tuple[Level, ...] = ("L1", "L2", "L3", "L4", "L5", "S1")
LOINS_YARDSTICKS, WHOLE_YARDSTICKS, LOADED_YARDSTICKS = 55.0, 200.0, 2.0
"""How many yardsticks soft tissue of the loins, of the whole spine, and reading the library may take."""

SOME = ("disc.L3-L4", "nucleus.L3-L4", "thecal_sac", "root.L4.right", "flavum.L3-L4.right",
        "interspinous.L3-L4", "multifidus.right", "longissimus.right", "iliocostalis.right")  # fmt: skip


def yardstick() -> float:
    """Return the seconds of a core that a piece of work takes which is none of the project's.

    It is what soft tissue is made of, in pieces of about the same size: nearest neighbours, rays,
    interpolation and elementwise arithmetic.
    """
    ball = trimesh.creation.icosphere(5, 30.0)
    tree, scene = cKDTree(ball.vertices), EmbreeScene(robust=True)
    TriangleMesh(scene, ball.vertices.astype(np.float32), ball.faces.astype(np.int32))
    random = np.random.default_rng(1)
    values = random.normal(size=(64, 64, 64)).astype(np.float32)
    clouds = [random.uniform(-32.0, 32.0, (size, 3)) for size in (30, 300, 3_000, 16_000)]
    start = process_time()
    for points in clouds:
        for _ in range(6_000 // len(points) + 5):
            tree.query(points, k=3)
            scene.run(points.astype(np.float32), np.tile(np.float32([0.6, 0.0, 0.8]), (len(points), 1)))
            ndimage.map_coordinates(values, points.T + 32.0, order=1, mode="nearest")
            np.sqrt(np.einsum("ij,ij->i", points, points)) - np.abs(points).max(axis=1)
    return process_time() - start


def told(what: str, seconds: float, *yardsticks: float) -> float:
    """Print how many seconds of a core something took, and return how many yardsticks that is."""
    result = seconds / float(np.mean(yardsticks))
    print(f"\n{what}: {seconds:.1f} s of a core, {result:.1f} yardsticks", end="")  # noqa: T201
    return result


def tissue(levels: tuple[Level, ...]) -> float:
    """Return how many yardsticks soft tissue between some bones costs beside the bones, and print it."""
    baked: dict[str, Structure] = {name: item for name, item in shelf().items() if name in LEVELS}
    if not baked:
        pytest.skip("the library was baked by another generator; run: spineviz bake")
    build(Anatomy(), levels, soft=False, shelf=baked)
    before, start = yardstick(), process_time()
    build(Anatomy(), levels, shelf=baked)
    seconds = process_time() - start
    return told(f"soft tissue from {levels[0]} to {levels[-1]}", seconds, before, yardstick())


@cache
def recipes() -> Mapping[str, Recipe]:
    return build(Anatomy(), LOINS, shelf={n: item for n, item in shelf().items() if n in LEVELS}).recipes


def test_soft_tissue_of_the_loins_is_built_in_time() -> None:
    assert tissue(LOINS) < LOINS_YARDSTICKS


def test_soft_tissue_of_the_whole_spine_is_built_in_time() -> None:
    assert tissue(column()) < WHOLE_YARDSTICKS


def sparsely(recipe: Recipe) -> Surface:
    return mesh(recipe.solid, recipe.step)


def densely(recipe: Recipe, surface: Surface) -> None:
    """Mesh a recipe as one would without thinking: every node of its tight box, then marching cubes."""
    lower, upper = (end(surface.vertices, axis=0) for end in (np.min, np.max))
    axes = [np.arange(low - 1.0, high + 1.0, recipe.step) for low, high in zip(lower, upper, strict=True)]
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    values = np.concatenate([recipe.solid.field(plane.reshape(-1, 3)) for plane in nodes])
    marching_cubes(values.reshape(nodes.shape[:3]), 0.0)


def test_tissue_is_meshed_three_times_faster_than_densely() -> None:
    """Together: what is only a few steps thick, as a disc, lies near its surface wherever one asks.

    Each is made once before: what it lies on is sampled when it is first asked.
    """
    ours = dense = 0.0
    for recipe in (recipes()[name] for name in SOME):
        densely(recipe, sparsely(recipe))
        rounds = []
        for _ in range(3):
            start = process_time()
            surface = sparsely(recipe)
            middle = process_time()
            densely(recipe, surface)
            rounds.append((middle - start, process_time() - middle))
        own, other = np.min(rounds, axis=0).tolist()
        print(f"\n{recipe.name}: {own:.3f} s, densely {other:.3f} s", end="")  # noqa: T201
        ours, dense = ours + own, dense + other
    assert dense >= 3.0 * ours


def test_the_baked_library_is_read_in_time() -> None:
    shelf.cache_clear()
    before, start = yardstick(), process_time()
    assert shelf()
    assert told("the library", process_time() - start, before, yardstick()) < LOADED_YARDSTICKS
