"""Skin and fat are layers laid on the fascia: closed, of their thickness, and shaped like a back."""

from __future__ import annotations

import numpy as np
import pytest

from spineviz.anatomy.back.height_map import HeightMap
from spineviz.anatomy.back.layer import Layer, Outline
from spineviz.anatomy.back.skin import SkinParameters, skin_parameters, skin_recipes, skin_surface
from spineviz.anatomy.back.stations import Stations
from spineviz.anatomy.recipe import Recipe
from spineviz.geometry import area, as_trimesh, volume
from spineviz.sdf import Solid

SPAN = Stations((115.0, 80.0, 41.0, 5.0, -38.0, -66.0), 120.0, -66.0)
OUTLINE = Outline(80.0, SPAN.caudal, SPAN.cranial, 14.0)


def flat(y: float) -> HeightMap:
    return HeightMap(np.array([-92.0, -76.0]), 1.0, np.full((185, 207), y))


@pytest.fixture(scope="module")
def parameters() -> SkinParameters:
    return skin_parameters()


@pytest.fixture(scope="module")
def back(parameters: SkinParameters) -> HeightMap:
    return skin_surface(parameters, flat(-50.0), SPAN)


def at(surface: HeightMap, x: float, z: float) -> float:
    return float(surface.at(np.array([x]), np.array([z]))[0])


def test_a_layer_between_planes_has_its_volume_and_is_closed() -> None:
    layer = Layer(flat(-50.0), flat(-60.0), OUTLINE)
    surface = layer.extruded(*layer.plan(3.0))
    plan = 160.0 * 186.0 - (4.0 - np.pi) * 14.0**2
    assert as_trimesh(surface).is_watertight
    assert volume(surface) == pytest.approx(10.0 * plan, rel=2e-3)
    border = 692.0 - 8.0 * 14.0 + 2.0 * np.pi * 14.0
    assert area(surface) == pytest.approx(2.0 * plan + 10.0 * border, rel=2e-3)


def test_a_plan_with_a_hole_gives_a_closed_layer_with_a_wall_around_it() -> None:
    layer = Layer(flat(-50.0), flat(-52.0), OUTLINE)
    points, triangles = layer.plan(4.0)
    middle = points[triangles].mean(axis=1)
    kept = triangles[np.linalg.norm(middle - [15.0, 40.0], axis=1) > 10.0]
    surface = as_trimesh(layer.extruded(points, kept))
    assert surface.is_watertight and surface.euler_number == 0


def test_a_layer_as_a_solid_agrees_with_its_built_surface() -> None:
    layer = Layer(flat(-50.0), flat(-53.0), OUTLINE)
    surface = layer.extruded(*layer.plan(3.0))
    assert np.abs(layer.field(surface.vertices)).max() < 0.2


def test_neighbouring_layers_share_their_border_exactly() -> None:
    fat, skin = Layer(flat(-50.0), flat(-60.0), OUTLINE), Layer(flat(-60.0), flat(-62.5), OUTLINE)
    points, triangles = fat.plan(3.0)
    count = len(points)
    assert np.array_equal(
        fat.extruded(points, triangles).vertices[:count], skin.extruded(points, triangles).vertices[-count:]
    )


def test_triangles_of_a_plan_are_all_counter_clockwise_and_fill_the_outline() -> None:
    points, triangles = Layer(flat(-50.0), flat(-53.0), OUTLINE).plan(3.0)
    a, b, c = (points[triangles[:, k]] for k in range(3))
    doubled = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    assert np.all(doubled > 0.0)
    assert doubled.sum() / 2.0 == pytest.approx(160.0 * 186.0 - (4.0 - np.pi) * 14.0**2, rel=1e-3)


def test_the_midline_is_a_furrow_between_the_paraspinal_bulges(back: HeightMap) -> None:
    for z in (80.0, 41.0):
        assert 3.0 < at(back, 0.0, z) - at(back, 32.0, z) < 8.0
    assert at(back, 0.0, -38.0) - at(back, 20.0, -38.0) < 2.0


def test_the_skin_is_symmetric_and_dimpled_over_the_iliac_spines(back: HeightMap) -> None:
    assert np.allclose(back.values, back.values[::-1], atol=1e-9)
    assert at(back, 40.0, SPAN.heights[4]) - at(back, 62.0, SPAN.heights[4]) > 1.5


def test_more_fat_moves_the_skin_back_by_as_much(parameters: SkinParameters, back: HeightMap) -> None:
    thick = tuple(value + 10.0 for value in parameters.fat_thickness)
    fatter = parameters.model_copy(update={"fat_thickness": thick})
    surface = skin_surface(fatter, flat(-50.0), SPAN)
    assert at(back, 30.0, 41.0) - at(surface, 30.0, 41.0) == pytest.approx(10.0, abs=0.1)


def test_skin_refuses_a_fascia_that_is_no_layer(parameters: SkinParameters) -> None:
    lump = Recipe("thoracolumbar_fascia", "fascia", Solid(lambda p: p[:, 0], -np.ones(3), np.ones(3)), 1.0)
    with pytest.raises(TypeError, match="LayerRecipe"):
        skin_recipes(parameters, {}, {"thoracolumbar_fascia": lump})
