"""Muscles, fascia, fat and skin behind chest, neck and the upper loins divide one bed among them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from spineviz import measures
from spineviz.anatomy.back.muscle import MuscleBed, muscle_bed, muscle_parameters, muscle_recipes
from spineviz.anatomy.back.skin import Toned, skin_parameters, skin_recipes
from spineviz.anatomy.back.stations import names_of, stations
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.recipe import Recipe
from spineviz.body.parameters import Anatomy
from spineviz.body.skeleton import bones as make_bones
from spineviz.geometry import as_trimesh
from spineviz.structure import Surface
from spineviz.terms import Level

CHEST: tuple[Level, ...] = ("T5", "T6", "T7")
NECK: tuple[Level, ...] = ("C4", "C5", "C6")


def standing(levels: tuple[Level, ...]) -> dict[Level, LevelBone]:
    return make_bones(Anatomy(), levels, step=2.0)


@pytest.fixture(scope="module")
def chest() -> dict[Level, LevelBone]:
    return standing(CHEST)


@pytest.fixture(scope="module")
def bed(chest: dict[Level, LevelBone]) -> MuscleBed:
    return muscle_bed(muscle_parameters(CHEST), chest)


@pytest.fixture(scope="module")
def behind_chest(chest: dict[Level, LevelBone]) -> dict[str, Recipe]:
    muscles = muscle_recipes(muscle_parameters(CHEST), chest)
    return muscles | skin_recipes(skin_parameters(CHEST), chest, muscles)


@pytest.fixture(scope="module")
def behind_neck() -> dict[str, Recipe]:
    return muscle_recipes(muscle_parameters(NECK), standing(NECK))


@pytest.fixture(scope="module")
def surfaces(behind_chest: dict[str, Recipe]) -> dict[str, Surface]:
    return {name: recipe.surface() for name, recipe in behind_chest.items()}


def test_each_region_has_the_muscles_that_run_there(
    behind_chest: dict[str, Recipe], behind_neck: dict[str, Recipe]
) -> None:
    every = {"multifidus", "longissimus", "iliocostalis", "semispinalis", "splenius"}
    for recipes, names in ((behind_chest, every | {"spinalis"}), (behind_neck, every)):
        assert {name.partition(".")[0] for name, item in recipes.items() if item.tissue == "muscle"} == names


def test_every_tissue_behind_the_chest_is_one_closed_body(surfaces: dict[str, Surface]) -> None:
    for name, surface in surfaces.items():
        mesh = as_trimesh(surface)
        assert mesh.is_watertight and mesh.body_count == 1, name


def test_muscles_behind_the_chest_mirror_each_other(surfaces: dict[str, Surface]) -> None:
    for name in (name for name in surfaces if name.endswith(".left")):
        left, right = surfaces[name].vertices, surfaces[name.replace("left", "right")].vertices
        apart = cKDTree(right).query(left * [-1.0, 1.0, 1.0])[0]
        assert apart.max() < 0.05, name


def test_muscles_touch_and_never_enter_each_other_or_bone(
    behind_chest: dict[str, Recipe], surfaces: dict[str, Surface], bed: MuscleBed
) -> None:
    own = [name for name in surfaces if name.endswith(".right")]
    for name in own:
        points = surfaces[name].vertices.astype(np.float64)
        assert bed.bone(points).min() > -0.3, name
    for first, second in combinations(own, 2):
        points = surfaces[first].vertices.astype(np.float64)
        assert behind_chest[second].solid.field(points).min() > -0.3, (first, second)
    neighbours = [("multifidus", "semispinalis"), ("multifidus", "spinalis"), ("longissimus", "iliocostalis")]
    for first, second in neighbours:
        ways = cKDTree(surfaces[f"{first}.right"].vertices).query(surfaces[f"{second}.right"].vertices)[0]
        assert np.count_nonzero(ways < 1.6) > 100, (first, second)


def test_the_bed_is_filled_from_the_bone_to_the_fascia(
    behind_chest: dict[str, Recipe], bed: MuscleBed
) -> None:
    own = [item for name, item in behind_chest.items() if item.tissue == "muscle" and item.side == "right"]
    ways = np.meshgrid(np.arange(7.0, 60.0, 1.5), np.arange(-90.0, -30.0, 1.0), np.arange(305.0, 350.0, 5.0))
    points = np.stack([way.ravel() for way in ways], axis=1)
    room = (bed.floor.height(points) > 1.5) & (bed.roof.height(points) < -1.5) & (bed.bone(points) > 1.0)
    room &= bed.thin.at(points[:, 0], points[:, 2]) < -2.0
    ways_to_muscle = np.min([item.solid.field(points[room]) for item in own], axis=0)
    assert np.count_nonzero(room) > 3000
    assert np.mean(ways_to_muscle < 0.6) > 0.97


def test_muscles_lie_on_the_backs_of_the_ribs(bed: MuscleBed, surfaces: dict[str, Surface]) -> None:
    points = surfaces["iliocostalis.right"].vertices.astype(np.float64)
    height = bed.floor.height(points)
    assert height.min() > -0.3
    assert np.count_nonzero(height < 1.0) > 0.15 * len(points)


@pytest.mark.parametrize(("muscle", "low", "high"), [("splenius", -35, -15), ("semispinalis", 4, 15)])
def test_fibres_run_up_and_outwards_in_splenius_and_up_and_inwards_in_semispinalis(
    behind_chest: dict[str, Recipe], bed: MuscleBed, muscle: str, low: float, high: float
) -> None:
    """As seen from behind, in degrees from the midline, from a start at one depth under the fascia."""
    paint = behind_chest[f"{muscle}.right"].paint
    assert paint is not None
    ahead = np.linspace(-45.0, 45.0, 361)
    turned = np.radians(ahead)
    start = np.array([[14.0, -60.0, 330.0]])
    tracks = start + 2.0 * np.stack([np.sin(turned), 0.0 * turned, -np.cos(turned)], axis=1)
    tracks[:, 1] += bed.roof.height(tracks) - bed.roof.height(start)
    across = paint(np.vstack([start, tracks])).coordinates
    assert across is not None
    assert low <= ahead[np.argmin(np.abs(across[1:, 1] - across[0, 1]))] <= high


def test_stations_of_a_range_are_its_discs_and_one_beyond_each_end() -> None:
    assert names_of(("L3", "L4", "L5", "S1")) == ("L2-L3", "L3-L4", "L4-L5", "L5-S1", "S2", "S4")
    assert names_of(("C1", "C2")) == ("C1", "C1-C2", "C2-C3")
    assert names_of(CHEST) == ("T4-T5", "T5-T6", "T6-T7", "T7-T8")
    assert names_of(("L5", "L6", "S1")) == ("L4-L5", "L5-L6", "L6-S1", "S2", "S4")


def test_a_range_with_a_gap_is_refused(chest: dict[Level, LevelBone]) -> None:
    with pytest.raises(ValueError, match="neighbouring bones"):
        stations({"T5": chest["T5"], "T7": chest["T7"]})


def test_the_back_is_broader_at_the_chest_than_at_the_waist_and_narrow_at_the_neck() -> None:
    breadth = dict(zip(names_of_all(), measures.value("muscles.extent.back"), strict=True))
    assert breadth["T6-T7"] > breadth["L5-S1"] > breadth["L2-L3"] > 1.8 * breadth["C4-C5"]


def names_of_all() -> tuple[str, ...]:
    return names_of(Anatomy().levels[:-1])


def test_fat_is_as_thick_as_it_is_asked_for_and_changes_evenly() -> None:
    usual, asked = skin_parameters(CHEST), skin_parameters(CHEST, fat={"T5-T6": 20.0, "T6-T7": 24.0})
    assert asked.fat_thickness[1:3] == (20.0, 24.0)
    first, *_, last = np.subtract(asked.fat_thickness, usual.fat_thickness)
    assert (first, last) == (20.0 - usual.fat_thickness[1], 24.0 - usual.fat_thickness[2])


def test_fat_that_nobody_has_is_refused_with_the_range() -> None:
    with pytest.raises(ValueError, match=r"L4-L5: fat of 200 mm.*2 to 80 mm"):
        Anatomy(fat={"L4-L5": 200.0})


def test_darker_skin_has_more_of_the_dark_colour(surfaces: dict[str, Surface]) -> None:
    shares = [
        float(Toned(tone).repainted(surfaces["skin"]).tint.mean())  # type: ignore[union-attr]
        for tone in ("fair", "light", "medium", "brown", "dark")
    ]
    assert shares == sorted(shares) and shares[0] == 0.0 and shares[-1] > 0.8
