"""Psoas, quadratus lumborum, the short muscles: whole, as large as measured, on bone and off the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from contacts import depth_in
from quick import SampledBone, curved, sampled_bones, sized
from scipy.spatial import cKDTree

from spineviz import measures
from spineviz.anatomy.back.around import Loin
from spineviz.anatomy.back.deep import deep_muscles
from spineviz.anatomy.back.stations import stations
from spineviz.anatomy.back.whole import WholeRecipe
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.column.posture import Posture
from spineviz.anatomy.disc import disc_recipes
from spineviz.anatomy.nerve.swept import swept
from spineviz.anatomy.recipe import Recipe
from spineviz.anatomy.surroundings import Spine
from spineviz.body import Anatomy
from spineviz.body.covering import covering_recipes
from spineviz.body.loins import loins, true_on_the_shelf
from spineviz.body.skeleton import standing_frames
from spineviz.geometry import as_trimesh, surface_distance, surface_points
from spineviz.sdf.mesher import mesh
from spineviz.sdf.solid import Solid
from spineviz.structure import Floats, Frame, Structure, Surface
from spineviz.terms import SIDES, Level, Tissue, discs_of

LOINS: tuple[Level, ...] = ("T12", "L1", "L2", "L3", "L4", "L5", "S1")
GREAT = ("psoas_major.right", "quadratus_lumborum.right")
COARSE = 2.2
"""The step (mm) of bones and discs here."""

SIDEWAYS = np.cos(np.radians(40.0))
"""The side of a disc turns to the side by no less: beyond, towards the foramen, a nerve lies behind psoas."""


@pytest.fixture(scope="module")
def bones() -> dict[Level, SampledBone]:
    """The healthy bones of the loins, coarse."""
    return sampled_bones(Anatomy(), LOINS, COARSE)


@pytest.fixture(scope="module")
def made(bones: dict[Level, SampledBone]) -> dict[str, Structure]:
    """Discs; and tubes in place of the caval vein, of an artery around L3 and of a nerve below L3."""
    healthy, result = Anatomy(), {}
    for disc in discs_of(LOINS):
        solid = disc_recipes(disc, healthy.discs[disc], bones)[f"disc.{disc}"].solid
        result[f"disc.{disc}"] = Structure(f"disc.{disc}", "annulus", mesh(solid, COARSE))
    for name, tissue, line, radius in (
        ("inferior_vena_cava", "vein", before(bones), 10.0),
        ("lumbar_artery.L3.right", "artery", around(bones["L3"]), 1.3),
        ("root.L3.right", "nerve", outwards(bones["L3"]), 2.5),
    ):
        result[name] = tube(name, tissue, line, radius)  # type: ignore[arg-type]
    return result


@pytest.fixture(scope="module")
def recipes(bones: dict[Level, SampledBone], made: dict[str, Structure]) -> dict[str, Recipe]:
    return deep_muscles(bones, made)


@pytest.fixture(scope="module")
def surfaces(recipes: dict[str, Recipe]) -> dict[str, Surface]:
    """The muscles of the right side."""
    return {name: item.surface() for name, item in recipes.items() if item.side == "right"}


def tube(name: str, tissue: Tissue, line: Floats, radius: float) -> Structure:
    return Structure(name, tissue, swept(line, np.full(len(line), radius), 16), "right")


def before(bones: Mapping[Level, LevelBone]) -> Floats:
    """A line right of the middle before the bodies of L1 to L4."""
    places = [bones[level].frame.to_parent(np.array([18.0, 32.0, 0.0])) for level in ("L1", "L2", "L3", "L4")]
    index = np.linspace(0.0, 3.0, 60)
    return np.stack([np.interp(index, range(4), column) for column in np.array(places).T], axis=1)


def around(bone: LevelBone) -> Floats:
    """A line around the right half of a body, 1.8 mm off it."""
    turn = np.radians(np.linspace(25.0, 110.0, 40))[:, None]
    ways = np.cos(turn) * bone.frame.anterior + np.sin(turn) * bone.frame.right
    outside = bone.frame.origin + 60.0 * ways
    met = Spine({bone.level: bone}, {}).of(bone.level).ahead(outside, -ways, 60.0)
    return np.asarray(bone.frame.origin + (60.0 - met + 1.8)[:, None] * ways)


def outwards(bone: LevelBone) -> Floats:
    """A line from below a right pedicle forwards and to the side."""
    start = bone.landmarks["pedicle.right"].origin - 14.0 * bone.frame.superior
    end = start + bone.frame.axes.T @ np.array([16.0, 8.0, -28.0])
    return start + np.linspace(0.0, 1.0, 30)[:, None] * (end - start)


def section(surface: Surface, plane: Frame) -> tuple[float, Floats]:
    """The area (cm²) of a closed surface's section, and its middle in the plane."""
    points = plane.to_local(surface.vertices.astype(np.float64))
    above = points[:, 2] > 0.0
    total, moment = 0.0, np.zeros(2)
    for face in surface.faces[above[surface.faces].any(axis=1) & ~above[surface.faces].all(axis=1)]:
        ring = [(face[k], face[(k + 1) % 3]) for k in range(3)]
        ends = {bool(above[a]): cut(points[a], points[b]) for a, b in ring if above[a] != above[b]}
        a, b = ends[True], ends[False]
        total += (a[0] * b[1] - a[1] * b[0]) / 2.0
        moment += (a + b) * (a[0] * b[1] - a[1] * b[0]) / 6.0
    return abs(total) / 100.0, moment / total


def cut(a: Floats, b: Floats) -> Floats:
    return np.asarray((a + a[2] / (a[2] - b[2]) * (b - a))[:2])


def plane(disc: str, bones: Mapping[Level, LevelBone]) -> Frame:
    return Loin(bones, {}, "right", True).plane(disc)  # type: ignore[arg-type]


def test_every_muscle_is_one_closed_body(surfaces: dict[str, Surface]) -> None:
    assert {*GREAT, "thoracolumbar_fascia_middle.right"} <= set(surfaces)
    for name, surface in surfaces.items():
        body = as_trimesh(surface)
        assert body.is_watertight and body.body_count == 1 and body.volume > 50.0, name


def test_both_sides_are_mirror_images(recipes: dict[str, Recipe], surfaces: dict[str, Surface]) -> None:
    rights = [name for name in recipes if name.endswith(".right")]
    assert {name.replace(".right", ".left") for name in rights} == set(recipes) - set(rights)
    mirror = np.array([-1.0, 1.0, 1.0])
    for name in rights:
        image = surfaces[name].vertices.astype(np.float64)[::40]
        twin = recipes[name.replace(".right", ".left")]
        assert np.allclose(twin.solid.field(image * mirror), recipes[name].solid.field(image), atol=1e-6)
    short = "intertransversarius_medial.L3-L4"
    left = recipes[f"{short}.left"].surface()
    assert np.allclose(left.vertices, surfaces[f"{short}.right"].vertices * mirror)
    assert as_trimesh(left).volume > 0.0


@pytest.mark.parametrize(
    ("muscle", "table", "discs"),
    [
        ("psoas_major", "psoas_area", discs_of(LOINS)),
        ("quadratus_lumborum", "quadratus_area", discs_of(LOINS)[1:-1]),
    ],
)
def test_sections_are_as_large_as_measured(
    muscle: str,
    table: str,
    discs: tuple[str, ...],
    bones: dict[Level, SampledBone],
    surfaces: dict[str, Surface],
) -> None:
    for disc, wanted in zip(discs, measures.value(table), strict=True):
        found, middle = section(surfaces[f"{muscle}.right"], plane(disc, bones))
        assert found == pytest.approx(wanted, rel=0.2), disc
        if muscle == "psoas_major" and disc != "T12-L1":
            bearing = np.degrees(np.arctan2(middle[0], -middle[1]))
            assert 75.0 <= bearing <= 105.0, f"{disc}: as seen from the disc's middle, from behind"


def test_muscles_enter_neither_bone_nor_disc_nor_vessel_nor_nerve(
    bones: dict[Level, SampledBone], made: dict[str, Structure], surfaces: dict[str, Surface]
) -> None:
    others = {level: bone.surface for level, bone in bones.items()} | {
        name: item.surface for name, item in made.items()
    }
    for name, surface in surfaces.items():
        points = surface_points(surface, 2.5)
        for other, thing in others.items():
            assert depth_in(thing, points) <= 0.3, f"{name} in {other}"
            if other in made and "disc" not in other:
                assert depth_in(surface, surface_points(thing, 1.5)) <= 0.3, f"{other} in {name}"


def test_muscles_do_not_enter_each_other(surfaces: dict[str, Surface]) -> None:
    for name, surface in surfaces.items():
        points = surface_points(surface, 2.5)
        for other in GREAT:
            thing = surfaces[other]
            if other != name:
                assert depth_in(thing, points) <= 0.3, f"{name} in {other}"


def test_psoas_lies_on_the_sides_of_the_discs(
    made: dict[str, Structure], surfaces: dict[str, Surface]
) -> None:
    psoas = surfaces["psoas_major.right"]
    scene, distance = as_trimesh(psoas), surface_distance(psoas)
    for disc in discs_of(LOINS)[:-1]:
        body = as_trimesh(made[f"disc.{disc}"].surface)
        middles, normals = body.triangles_center, body.face_normals
        aside = (normals[:, 0] > SIDEWAYS) & (middles[:, 0] > 0.6 * middles[:, 0].max())
        places, rays, _ = scene.ray.intersects_location(
            middles[aside], normals[aside] * [1.0, 1.0, 0.0], multiple_hits=False
        )
        facing = middles[aside][rays[np.linalg.norm(places - middles[aside][rays], axis=1) < 8.0]]
        gaps = np.abs(distance(facing))
        assert len(facing) > 20 and np.quantile(gaps, 0.9) <= 1.0, disc


def test_psoas_thins_to_a_pale_tendon_before_the_hip(surfaces: dict[str, Surface]) -> None:
    """Cut off there, it ended in 10.5 cm²; at the pelvic brim it has more than 9."""
    psoas = surfaces["psoas_major.right"]
    end = float(psoas.vertices[:, 2].min())
    tendon, belly = (section(psoas, Frame(np.array([0.0, 0.0, end + way]), np.eye(3)))[0] for way in (4, 50))
    assert tendon < 2.0 and belly > 9.0
    assert psoas.tint is not None
    assert psoas.tint[psoas.vertices[:, 2] < end + 4.0].mean() > 0.85


def test_psoas_reaches_the_transverse_processes_and_quadratus_their_tips(
    bones: dict[Level, SampledBone], surfaces: dict[str, Surface]
) -> None:
    near = {name: surface_distance(surfaces[name]) for name in GREAT}
    for level in ("L2", "L3", "L4"):
        marks = bones[level].landmarks
        tip, pedicle = marks["transverse.right"].origin, marks["pedicle.right"].origin
        assert np.abs(near["quadratus_lumborum.right"](tip[None]))[0] < 6.0, level
        inner = tip + 0.45 * (pedicle - tip)
        assert np.abs(near["psoas_major.right"](inner[None]))[0] < 9.0, level


def test_where_the_loins_are_not_whole_there_are_no_deep_muscles(bones: dict[Level, SampledBone]) -> None:
    assert deep_muscles({level: bones[level] for level in ("L3", "L4", "L5", "S1")}, {}) == {}


def test_what_is_baked_is_not_made_again(
    bones: dict[Level, SampledBone], recipes: dict[str, Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> dict[str, Recipe]:
        raise AssertionError("a muscle was made although it lay on the shelf")

    monkeypatch.setattr("spineviz.body.loins.deep_muscles", never)
    flat = Surface(np.eye(3), np.array([[0, 1, 2]]))
    baked = {name: Structure(name, item.tissue, flat, item.side) for name, item in recipes.items()}
    assert set(loins(bones, {}, baked)) == set(recipes)
    lumbar = [level for level in bones if level != "T12"]
    assert set(true_on_the_shelf(lumbar, baked)) == {name for name in recipes if "T12" not in name}
    assert true_on_the_shelf(["L3", "L4", "L5", "S1"], baked) == []


def test_sections_of_the_back_at_the_upper_loins_are_within_a_fifth_of_the_measured_areas(
    bones: dict[Level, SampledBone],
) -> None:
    recipes = back(bones)
    for index, z in enumerate(stations(lumbar(bones)).heights[1:3]):
        deep = area(recipes["multifidus.right"], z)
        lateral = area(recipes["longissimus.right"], z) + area(recipes["iliocostalis.right"], z)
        assert deep == pytest.approx(measures.value("muscles.area.multifidus")[index], rel=0.2)
        assert lateral == pytest.approx(measures.value("muscles.area.erector_spinae")[index], rel=0.2)


def moved(bones: Mapping[Level, SampledBone], posture: Posture) -> dict[Level, SampledBone]:
    frames = standing_frames(Anatomy(posture=posture), list(bones))
    return {level: bone.at(frames[level]) for level, bone in bones.items()}


STANDING: Mapping[str, Callable[[dict[Level, SampledBone]], dict[Level, SampledBone]]] = {
    "scoliotic": lambda bones: curved(bones, 20.0),
    "bent aside": lambda bones: moved(bones, Posture(lateral_bend=-60.0)),
    "flexed": lambda bones: moved(bones, Posture(flexion=80.0)),
    "extended": lambda bones: moved(bones, Posture(extension=40.0)),
    "small": lambda bones: {level: sized(bone, 0.9) for level, bone in bones.items()},
    "tall": lambda bones: {level: sized(bone, 1.1) for level, bone in bones.items()},
}


OFTEN = ("scoliotic", "bent aside")


@pytest.mark.parametrize(
    "way", [*OFTEN, *(pytest.param(way, marks=pytest.mark.many) for way in STANDING if way not in OFTEN)]
)
def test_multifidus_lies_on_the_laminae_and_in_no_bone_however_the_loins_stand(
    way: str, bones: dict[Level, SampledBone]
) -> None:
    standing = STANDING[way](lumbar(bones))
    recipes = back(standing)
    for side in SIDES:
        surface = recipes[f"multifidus.{side}"].surface()
        body = as_trimesh(surface)
        assert body.is_watertight and body.body_count == 1
        vertices, tree = surface.vertices.astype(np.float64), cKDTree(surface_points(surface, 0.5))
        for level, bone in standing.items():
            assert bone.distance(vertices).min() > -0.3, level
            if level == "S1":
                continue
            lamina = bone.landmarks[f"lamina.{side}"].origin
            places = surface_points(bone.surface, 1.0)
            places = places[np.linalg.norm(places - lamina, axis=1) < 5.0]
            behind = places[(places - lamina) @ bone.frame.anterior < 1.0]
            assert np.mean(tree.query(behind)[0] <= 1.0) > 0.9, (level, side)


def lumbar(bones: Mapping[Level, SampledBone]) -> dict[Level, SampledBone]:
    return {level: bone for level, bone in bones.items() if level != "T12"}


def back(bones: Mapping[Level, SampledBone]) -> dict[str, Recipe]:
    return covering_recipes(Anatomy(), lumbar(bones), {})


def area(recipe: Recipe, z: float, step: float = 0.8) -> float:
    """Area of a horizontal section, cm²."""
    lower, upper = recipe.solid.lower, recipe.solid.upper
    plan = np.meshgrid(np.arange(lower[0], upper[0], step), np.arange(lower[1], upper[1], step))
    points = np.stack([*(axis.ravel() for axis in plan), np.full(plan[0].size, z)], axis=1)
    return float(np.count_nonzero(recipe.solid.field(points) < 0.0) * step**2 / 100.0)


def test_a_splinter_is_left_out() -> None:
    def field(points: Floats) -> Floats:
        great = np.linalg.norm(points, axis=1) - 6.0
        return np.minimum(great, np.linalg.norm(points - [14.0, 0.0, 0.0], axis=1) - 2.0)

    solid = Solid(field, np.full(3, -10.0), np.array([20.0, 10.0, 10.0]))
    body = as_trimesh(WholeRecipe("psoas_major.right", "muscle", solid, 1.0).surface())
    assert body.body_count == 1 and body.bounds[1, 0] < 7.0
