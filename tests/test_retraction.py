"""Tissue parts about a tube or off the bone without losing volume, and falls back as it was."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import trimesh
from contacts import cylinder, gaps
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import LinearNDInterpolator
from scipy.spatial import cKDTree

from spineviz.anatomy.back.height_map import HeightMap
from spineviz.anatomy.back.layer import Layer, LayerRecipe, Outline
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.recipe import Recipe
from spineviz.geometry import as_trimesh, volume
from spineviz.sdf import Solid
from spineviz.structure import Frame, Points, Structure, Surface
from spineviz.surgery.retraction import (
    MidlineWound,
    PartedTissue,
    Terrain,
    TubeCorridor,
    blade,
    dock,
    expose,
    lip,
    parted,
    skin_slit,
)

FLOOR, FASCIA, DERMIS, SKIN = -24.0, -50.0, -64.0, -66.5
"""The y of the layers of a flat back, mm."""

Opening = TubeCorridor | MidlineWound


def box(points: Points, lower: tuple[float, float, float], upper: tuple[float, float, float]) -> Points:
    middle, half = (np.array(lower) + upper) / 2, (np.array(upper) - lower) / 2
    out = np.abs(points - middle) - half
    return np.linalg.norm(np.maximum(out, 0.0), axis=1) + np.minimum(out.max(1), 0.0)


def bone_field(points: Points) -> Points:
    """Laminae with a window between them, and spinous processes that stand up in the midline."""
    upper = box(points, (-30, FLOOR, 44), (30, -10, 75))
    lower = box(points, (-30, FLOOR, 5), (30, -10, 35))
    spines = [box(points, (-3.5, -47, low), (3.5, -20, low + 20)) for low in (10.0, 47.0)]
    return np.minimum.reduce([upper, lower, *spines])


def level(name: str, low: float, high: float) -> LevelBone:
    mesh = trimesh.creation.box((60, 14, high - low)).subdivide_to_size(1.5)
    mesh.apply_translation((0, FLOOR + 7, (low + high) / 2))
    middle = (low + high) / 2
    marks = {
        "endplate.superior": Frame((0, 10, high)),
        "endplate.inferior": Frame((0, 10, low)),
        "canal": Frame((0, 0, middle)),
        "lamina.left": Frame((-10, FLOOR, middle)),
        "lamina.right": Frame((10, FLOOR, middle)),
    }
    surface = Surface(mesh.vertices, mesh.faces)
    return LevelBone(name, Frame((0, 10, middle)), marks, surface, bone_field)  # type: ignore[arg-type]


def sheet(y: float) -> HeightMap:
    return HeightMap(np.array([-95.0, -75.0]), 5.0, np.full((39, 39), y))


def layer(name: str, tissue: str, inner: float, outer: float) -> LayerRecipe:
    made = Layer(sheet(inner), sheet(outer), Outline(80.0, -60.0, 110.0, 14.0))
    return LayerRecipe(name, tissue, made.solid(), 3.0, layer=made)  # type: ignore[arg-type]


def muscle(name: str, medial: float, lateral: float) -> Recipe:
    lower, upper = (-lateral, FASCIA + 1.4, -40.0), (-medial, FLOOR - 0.4, 95.0)
    solid = Solid(
        lambda points: box(points, lower, upper) - 0.2, np.array(lower) - 3.0, np.array(upper) + 3.0
    )
    return Recipe(name, "muscle", solid, 1.8, "left")


@pytest.fixture(scope="module")
def bones() -> dict[str, LevelBone]:
    return {"L4": level("L4", 44.0, 75.0), "L5": level("L5", 5.0, 35.0)}


@pytest.fixture(scope="module")
def ground() -> Terrain:
    return Terrain(sheet(FLOOR), bone_field)


@pytest.fixture(scope="module")
def recipes() -> dict[str, Recipe]:
    made = [
        muscle("multifidus.left", 4.0, 30.0),
        muscle("longissimus.left", 31.0, 60.0),
        layer("thoracolumbar_fascia", "fascia", FASCIA + 1.0, FASCIA),
        layer("subcutaneous_fat", "fat", FASCIA, DERMIS),
        layer("skin", "skin", DERMIS, SKIN),
    ]
    return {recipe.name: recipe for recipe in made}


@pytest.fixture(scope="module")
def corridor(bones, ground, recipes) -> TubeCorridor:
    return dock(bones, "L4-L5", "left", recipes["skin"].solid.field, ground=ground)


@pytest.fixture(scope="module")
def wound(bones, ground, recipes) -> MidlineWound:
    skin, fascia = recipes["skin"].solid.field, recipes["thoracolumbar_fascia"].layer
    return expose(bones, "L4-L5", "left", skin, fascia, ground=ground)


@pytest.fixture(scope="module")
def split(corridor, recipes) -> dict[str, PartedTissue]:
    return everything(corridor, recipes)


@pytest.fixture(scope="module")
def opened(wound, recipes) -> dict[str, PartedTissue]:
    return everything(wound, recipes)


def everything(opening: Opening, recipes: dict[str, Recipe]) -> dict[str, PartedTissue]:
    names = ("multifidus.left", "longissimus.left")
    rest = {name: Structure(name, "muscle", recipes[name].surface(), "left") for name in names}
    return parted(opening, recipes, rest)


@pytest.fixture(params=["split", "opened"])
def tissue(request) -> dict[str, PartedTissue]:
    return request.getfixturevalue(request.param)


def opening_of(tissue: dict[str, PartedTissue]) -> Opening:
    return tissue["skin"].warp.opening  # type: ignore[return-value]


def at(part: PartedTissue, share: float) -> Surface:
    return part.surface.moved(part.warp(part.warp.opening.part(share)))


def test_closed_tissue_is_the_rest_shape_exactly(tissue):
    for part in tissue.values():
        assert np.array_equal(part.warp((0.0,) * len(opening_of(tissue).full)), part.surface.vertices)


def test_tissue_leaves_its_rest_shape_without_a_jump(tissue):
    for part in tissue.values():
        assert np.abs(at(part, 1e-4).vertices - part.surface.vertices).max() < 0.1


def test_opening_backwards_equals_opening_forwards(tissue):
    shares = (0.0, 0.3, 0.7, 1.0)
    for part in tissue.values():
        forwards = [at(part, share).vertices for share in shares]
        backwards = [at(part, share).vertices for share in reversed(shares)]
        assert all(np.array_equal(a, b) for a, b in zip(forwards, reversed(backwards), strict=True))


def test_cut_tissue_is_one_closed_body_with_one_tunnel(split):
    for name, part in split.items():
        mesh = as_trimesh(part.surface)
        assert mesh.is_watertight
        assert mesh.body_count == 1
        assert mesh.euler_number == (0 if part.cut else 2), name


def test_a_tube_splits_multifidus_and_an_open_wound_detaches_it(split, opened):
    assert split["multifidus.left"].cut
    assert not opened["multifidus.left"].cut


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75, 1.0])
def test_muscle_keeps_its_volume(tissue, share):
    for name in ("multifidus.left", "longissimus.left"):
        rest = volume(tissue[name].surface)
        assert volume(at(tissue[name], share)) == pytest.approx(rest, rel=0.03), name


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75, 1.0])
def test_fascia_fat_and_skin_keep_their_volume(tissue, share):
    for name in ("thoracolumbar_fascia", "subcutaneous_fat", "skin"):
        rest = volume(tissue[name].surface)
        assert volume(at(tissue[name], share)) == pytest.approx(rest, rel=0.03), name


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75, 1.0])
def test_muscle_does_not_enter_bone(tissue, share):
    for name in ("multifidus.left", "longissimus.left"):
        assert bone_field(at(tissue[name], share).vertices.astype(float)).min() > -0.35, name


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_muscle_stays_under_the_fascia(tissue, share):
    fascia = tissue["thoracolumbar_fascia"]
    inner = fascia.surface.vertices[:, 1] > FASCIA + 0.5
    now = at(fascia, share).vertices[inner]
    roof = LinearNDInterpolator(now[:, [0, 2]], now[:, 1])
    points = at(tissue["multifidus.left"], share).vertices
    local = opening_of(tissue).axis.to_local(points)
    points = points[np.hypot(local[:, 0], local[:, 1]) < 45.0]
    away = opening_of(tissue).lumen(points) > 0.5 if share == 1.0 else np.ones(len(points), bool)
    depth = points[:, 1] - roof(points[:, [0, 2]])
    assert np.nanmin(depth[away]) > -0.30


def test_the_lumen_is_as_wide_as_the_tube(corridor, split):
    for name in ("multifidus.left", "thoracolumbar_fascia", "subcutaneous_fat", "skin"):
        points = at(split[name], 1.0).vertices.astype(float)
        height = corridor.axis.to_local(points)[:, 2]
        points, height = points[height > 1.0], height[height > 1.0]
        wall = corridor.lumen(points)
        assert wall.min() > -0.5, name
        for low in np.arange(3.0, height.max() - 4.0, 4.0) if "multifidus" in name else ():
            ring = wall[(height > low) & (height < low + 4.0)]
            assert ring.min() < 0.5, name


def test_dilators_in_series_open_ever_wider(corridor):
    diameters = (0.0, 5.3, 9.4, 12.8, 14.6, 16.8, corridor.diameter)
    heights = (2.0, 20.0, corridor.length)
    areas = np.array([
        [corridor.area(corridor.inserting(inner, outer, progress), height) for height in heights]
        for inner, outer in pairwise(diameters)
        for progress in (0.0, 0.5, 1.0)
    ])  # fmt: skip
    assert (np.diff(areas, axis=0) > -1.0).all()
    assert areas[-1] == pytest.approx(np.full(3, corridor.fascia_opening), rel=1e-3)


def test_a_dilator_opens_the_skin_before_the_muscle(corridor):
    halfway = corridor.inserting(0.0, 9.4, 0.5)
    assert corridor.area(halfway, corridor.length) > 60.0
    assert corridor.area(halfway, 2.0) == 0.0
    assert np.allclose(corridor.tip(corridor.full), corridor.target)


def test_muscle_falls_back_when_the_tube_is_withdrawn(corridor, split):
    for part in split.values():
        gone = part.warp(corridor.withdrawing(1.0))
        assert np.abs(gone - part.surface.vertices).max() < 1e-3


def test_the_tube_clears_the_spinous_process_and_stands_on_the_lamina(corridor):
    angles = np.linspace(0.0, 2.0 * np.pi, 48)
    around = corridor.radius * np.stack([np.cos(angles), np.sin(angles), np.zeros(48)], axis=1)
    rise = np.array([0.0, 0.0, 1.0])
    walls = [corridor.axis.to_parent(around + height * rise) for height in np.arange(0.5, 40.0, 1.0)]
    assert bone_field(np.vstack(walls)).min() > 0.0
    assert corridor.terrain.height(corridor.target[None])[0] < 8.0
    assert 15.0 <= -corridor.entry[0] <= 20.0
    assert 4.9 <= corridor.medial_angle <= 15.1


def test_a_wider_tube_stands_farther_from_the_midline(bones, ground, recipes):
    skin = recipes["skin"].solid.field
    thin = dock(bones, "L4-L5", "left", skin, diameter=14.0, ground=ground)
    wide = dock(bones, "L4-L5", "left", skin, diameter=22.0, ground=ground)
    assert wide.target[0] < thin.target[0]


def test_both_sides_are_mirror_images(bones, ground, recipes, corridor):
    other = dock(bones, "L4-L5", "right", recipes["skin"].solid.field, ground=ground)
    assert np.allclose(other.entry, corridor.entry * [-1, 1, 1])
    points = np.random.default_rng(3).uniform([-40, -60, 10], [0, -25, 80], (500, 3))
    left = corridor.open(points, corridor.full)
    assert np.allclose(other.open(points * [-1, 1, 1], other.full), left * [-1, 1, 1], atol=1e-6)


def test_the_incision_has_the_length_that_was_asked_for(corridor, wound, recipes):
    for opening, length in ((corridor, 18.0), (wound, 30.0)):
        line = skin_slit(opening, recipes["skin"])
        assert np.linalg.norm(np.diff(line, axis=0), axis=1).sum() == pytest.approx(length, abs=0.5)
        assert np.abs(line[:, 1] - SKIN).max() < 0.2


def test_twice_the_incision_reads_twice_the_length(bones, ground, recipes):
    skin, fascia = recipes["skin"].solid.field, recipes["thoracolumbar_fascia"].layer
    for length in (25.0, 50.0):
        opened = expose(bones, "L4-L5", "left", skin, fascia, incision=length, ground=ground)
        split = dock(bones, "L4-L5", "left", skin, incision=0.7 * length, ground=ground)
        for opening, asked in ((opened, length), (split, 0.7 * length)):
            line = skin_slit(opening, recipes["skin"])
            assert opening.incision == asked
            assert np.linalg.norm(np.diff(line, axis=0), axis=1).sum() == pytest.approx(asked, rel=0.03)


def test_a_tube_stretches_the_skin_of_its_own_length(corridor):
    assert corridor.stretch == pytest.approx(np.pi * 19.0 / 36.0)


def test_the_other_side_stays_while_muscle_is_retracted(corridor, wound):
    points = np.random.default_rng(1).uniform([8, -48, 0], [40, -26, 90], (500, 3))
    for opening in (corridor, wound):
        assert np.abs(opening.open(points, opening.full) - points).max() < 1e-9


def test_an_incision_alone_leaves_the_muscle_where_it_is(wound, opened):
    part = opened["multifidus.left"]
    assert np.abs(part.warp((0.3, 0.0)) - part.surface.vertices).max() < 0.5
    assert np.abs(opened["skin"].warp((0.3, 0.0)) - opened["skin"].surface.vertices).max() > 3.0


def test_lips_lie_on_the_wall_of_the_wound(corridor, wound):
    for opening in (corridor, wound):
        edge = lip(opening, opening.full, opening.depth)
        assert np.abs(opening.lumen(edge)).max() < 0.3


def test_the_blade_touches_the_tissue_that_it_holds(wound, opened):
    tissues = [at(part, 1.0) for part in opened.values()]
    cloud = np.vstack([as_trimesh(item).sample(150_000, seed=1) for item in tissues])
    held = blade(wound, tissues)
    assert as_trimesh(held.surface).is_watertight
    inside = wound.axis.to_local(held.contact)[:, 2] < wound.length - 4.0
    gap = cKDTree(cloud).query(held.contact[inside])[0]
    assert np.percentile(gap, 90) < 1.0
    assert np.allclose(held.pose(wound.full), np.eye(4), atol=1e-9)
    assert held.pose(wound.part(0.5))[0, 3] > 5.0


@pytest.mark.parametrize("share", [0.6, 0.7, 0.8, 0.9, 1.0])
def test_the_blade_lies_on_muscle_within_a_millimetre_however_far_the_wound_is_open(wound, opened, share):
    held = blade(wound, [at(part, 1.0) for part in opened.values()])
    pose = held.pose(wound.part(share))
    now = {name: at(part, share) for name, part in opened.items()}
    muscles = [now.pop(name) for name in ("multifidus.left", "longissimus.left")]
    face = held.contact @ pose[:3, :3].T + pose[:3, 3]
    outward = np.tile(-wound.axis.right, (len(face), 1))
    found = gaps(face, outward, muscles, list(now.values()))
    assert len(found) > 150
    assert found.max() <= 1.0


@pytest.mark.parametrize("progress", [0.6, 0.8, 0.95, 1.0])
def test_the_tube_lies_on_muscle_within_a_millimetre_wherever_it_has_come_to(corridor, split, progress):
    amounts = corridor.inserting(16.8, corridor.diameter, progress)
    now = {name: part.surface.moved(part.warp(amounts)) for name, part in split.items()}
    muscles = [now.pop(name) for name in ("multifidus.left", "longissimus.left")]
    end = (1.0 - progress) * corridor.length
    points, outward = cylinder(corridor.radius, end + 0.25, corridor.length)
    found = gaps(corridor.axis.to_parent(points), outward @ corridor.axis.axes, muscles, list(now.values()))
    assert len(found) > 500
    assert found.max() <= 1.0


@settings(max_examples=25, deadline=None)
@given(share=st.floats(0.0, 1.0), seed=st.integers(0, 1000))
def test_the_maps_never_fold(corridor, wound, share, seed):
    points = np.random.default_rng(seed).uniform([-60, -64, -20], [20, -26, 95], (200, 3))
    step = 1e-4 * np.eye(3)
    for opening in (corridor, wound):
        amounts = opening.part(share)
        columns = [
            (opening.open(points + s, amounts) - opening.open(points - s, amounts)) / 2e-4 for s in step
        ]
        assert (np.linalg.det(np.stack(columns, axis=-1)) > 0.0).all()
