"""Muscles and fascia lie on the bones, fill their compartments and have the sizes of the measures."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pytest
from contacts import depth_in, touching
from scipy.spatial import cKDTree

from spineviz import measures
from spineviz.anatomy import sacrum, vertebra
from spineviz.anatomy.back.floor import Mask
from spineviz.anatomy.back.layer import LayerRecipe
from spineviz.anatomy.back.muscle import (
    MuscleBed,
    MuscleParameters,
    muscle_bed,
    muscle_parameters,
    muscle_recipes,
)
from spineviz.anatomy.back.profile import along
from spineviz.anatomy.back.skeleton import bone_from_behind
from spineviz.anatomy.back.skin import skin_parameters, skin_recipes
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.column.alignment import endplates, sacral_frame, stacked
from spineviz.anatomy.ligament import ligament_recipes
from spineviz.anatomy.recipe import Recipe
from spineviz.geometry import as_trimesh, sample_distance, triangle_normals, vertex_normals, volume
from spineviz.sdf import Solid, mesh
from spineviz.structure import Frame, Points, Surface
from spineviz.terms import LOWER_LUMBAR_DISCS as DISCS
from spineviz.terms import SIDES, Level, levels_of

NAMES = ("multifidus", "longissimus", "iliocostalis")
MUSCLES = [f"{name}.{side}" for name in NAMES for side in SIDES]

EDGE = 0.5
"""So far (mm) from its edges in the midplane, and from ligaments, a process is left to interspinales."""


def standing(level: Level, solid: Solid, marks: Mapping[str, Frame], frame: Frame) -> LevelBone:
    local = mesh(solid, 1.2, mirror=True)
    lower, upper = local.vertices.min(0) - 12.0, local.vertices.max(0) + 12.0
    grid = sample_distance(solid.field, np.floor(lower), np.ceil(upper), 1.0)
    return LevelBone(
        level,
        frame,
        {name: mark.then(frame) for name, mark in marks.items()},
        local.placed(frame),
        lambda points: grid(frame.to_local(points)),
    )


@pytest.fixture(scope="module")
def bones() -> dict[Level, LevelBone]:
    base = sacrum.parameters()
    marks = sacrum.landmarks(base)
    below = sacral_frame(measures.value("alignment.sacral_slope"))
    result = {"S1": standing("S1", sacrum.solid(base), marks, Frame(below.origin, below.axes))}
    for disc in reversed(DISCS):
        level, _ = levels_of(disc)
        shape = vertebra.parameters_of(level)
        marks = vertebra.landmarks(shape)
        superior, inferior = endplates(marks, level)
        space = measures.table(f"discs.{disc}")
        frame = stacked(below, inferior, space["height_middle"], space["wedge"])
        result[level] = standing(level, vertebra.solid(shape), marks, frame)
        below = superior.then(frame)
    return {level: result[level] for level in ("L3", "L4", "L5", "S1")}


@pytest.fixture(scope="module")
def parameters() -> MuscleParameters:
    return muscle_parameters()


@pytest.fixture(scope="module")
def ligaments(bones: dict[Level, LevelBone]) -> dict[str, Surface]:
    """Ligaments in the bed of the muscles; what is paired on both sides."""
    made = ligament_recipes(bones, {})
    names = ("interspinous.L4-L5", "supraspinous_ligament", "flavum.L4-L5.left", "flavum.L5-S1.left")
    found = {name: made[name].surface() for name in names}
    for name in names[2:]:
        item = found[name]
        image = Surface(item.vertices * np.array([-1, 1, 1], np.float32), item.faces[:, ::-1])
        found[name.replace("left", "right")] = image
    return found


@pytest.fixture(scope="module")
def bed(
    parameters: MuscleParameters, bones: dict[Level, LevelBone], ligaments: dict[str, Surface]
) -> MuscleBed:
    return muscle_bed(parameters, bones, ligaments=list(ligaments.values()))


@pytest.fixture(scope="module")
def recipes(
    parameters: MuscleParameters, bones: dict[Level, LevelBone], ligaments: dict[str, Surface]
) -> dict[str, Recipe]:
    muscles = muscle_recipes(parameters, bones, ligaments=list(ligaments.values()))
    return muscles | skin_recipes(skin_parameters(), bones, muscles)


@pytest.fixture(scope="module")
def surfaces(recipes: dict[str, Recipe]) -> dict[str, Surface]:
    return {name: recipe.surface() for name, recipe in recipes.items()}


def section_area(recipe: Recipe, z: float) -> float:
    """Area in cm² of the horizontal section of a solid at z."""
    solid, step = recipe.solid, 0.5
    x, y = np.arange(solid.lower[0], solid.upper[0], step), np.arange(solid.lower[1], solid.upper[1], step)
    plan = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    inside = solid.field(np.column_stack([plan, np.full(len(plan), z)])) < 0.0
    return float(np.count_nonzero(inside) * step * step / 100.0)


def sampled(surface: Surface, spacing: float = 0.5) -> tuple[Points, Points]:
    """Points about every ``spacing`` mm on a surface and their triangles' normals."""
    vertices = surface.vertices.astype(np.float64)
    normals, areas = triangle_normals(vertices, surface.faces)
    counts = np.maximum(np.ceil(areas / spacing**2).astype(int), 1)
    face = np.repeat(np.arange(len(areas)), counts)
    generator = np.random.default_rng(5)
    a, b = generator.random((2, len(face)))
    a, b = np.where(a + b > 1.0, 1.0 - a, a), np.where(a + b > 1.0, 1.0 - b, b)
    corner = vertices[surface.faces[face]]
    first, second = corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]
    return corner[:, 0] + a[:, None] * first + b[:, None] * second, normals[face]


def near(points: Points, surface: Surface, distance: float) -> float:
    """Share of points that lie within a distance (mm) of a surface."""
    lengths, _ = cKDTree(sampled(surface, 0.4)[0]).query(points)
    return float(np.mean(lengths <= distance))


@pytest.mark.parametrize("muscles", [("multifidus",), ("longissimus", "iliocostalis")])
def test_sections_at_the_discs_are_within_a_fifth_of_the_measured_areas(
    muscles: tuple[str, ...], recipes: dict[str, Recipe], bed: MuscleBed
) -> None:
    measured = measures.value(f"muscles.area.{'erector_spinae' if len(muscles) > 1 else muscles[0]}")
    for side in SIDES:
        parts = np.array(
            [
                [section_area(recipes[f"{muscle}.{side}"], z) for z in bed.span.heights[1:4]]
                for muscle in muscles
            ]
        )
        assert np.allclose(parts.sum(axis=0), measured[2:], rtol=0.2)
        if len(muscles) > 1:
            shares = measures.value("muscles.area.longissimus_share")[2:]
            assert np.allclose(parts[0] / parts.sum(axis=0), shares, atol=0.06)


def test_every_tissue_is_one_closed_body(surfaces: dict[str, Surface]) -> None:
    for name, surface in surfaces.items():
        mesh = as_trimesh(surface)
        assert mesh.is_watertight and mesh.body_count == 1, name
        assert volume(surface) > 0.0, name


def test_the_tissues_together_stay_within_their_budget_of_triangles(surfaces: dict[str, Surface]) -> None:
    """Iliocostalis, meshed finely for the strip where it touches splenius, has 22 000 a side."""
    assert sum(len(surfaces[name].faces) for name in MUSCLES) < 105_000
    assert all(len(surface.faces) < 23_000 for surface in surfaces.values())


def test_both_sides_mirror_each_other_when_the_bones_do(surfaces: dict[str, Surface]) -> None:
    for muscle in NAMES:
        left, right = surfaces[f"{muscle}.left"].vertices, surfaces[f"{muscle}.right"].vertices
        lengths, _ = cKDTree(right).query(left * [-1.0, 1.0, 1.0])
        assert lengths.max() < 0.05


def test_the_intermuscular_plane_goes_from_under_20_to_over_35_mm_off_the_midline(
    surfaces: dict[str, Surface], bed: MuscleBed
) -> None:
    edges = []
    for z in bed.span.heights[:4]:
        vertices = surfaces["multifidus.right"].vertices
        edges.append(float(vertices[np.abs(vertices[:, 2] - z) < 1.5, 0].max()))
    assert 16.0 <= edges[0] <= 20.0
    assert 35.0 <= edges[3] <= 38.0
    assert all(below > above for above, below in pairwise(edges[:4]))


def test_multifidus_lies_on_the_laminae_and_against_the_spinous_processes(
    bones: dict[Level, LevelBone], bed: MuscleBed, parameters: MuscleParameters, surfaces: dict[str, Surface]
) -> None:
    seen = bone_from_behind(bones, bed.span)
    plane, slant = along(bed.span, parameters.intermuscular_plane), along(bed.span, parameters.plane_slant)
    for level, bone in bones.items():
        points, normals = sampled(bone.surface, 1.0)
        x, y, z = points.T
        depth = np.maximum(-bed.roof.height(points), 0.0)
        under = (depth > 3.0) & (x < plane(z) - slant(z) * depth - 2.5)
        under &= (z < bed.span.cranial - 3.0) & (z > bed.span.caudal + 3.0) & (y < bed.floor.at(x, z) + 2.0)
        lamina = under & (x > 5.0) & (normals[:, 1] < -0.35) & (np.abs(y - seen.at(x, z)) < 0.8)
        spinous = under & (x > 1.0) & (x < 8.0) & (normals[:, 0] > 0.5)
        spinous &= (bed.bone(points * [0.0, 1.0, 1.0]) < -EDGE) & (bed.ligament(points) > EDGE)
        for contact in (lamina, spinous):
            assert np.count_nonzero(contact) > 100
            assert near(points[contact], surfaces["multifidus.right"], 1.0) > 0.9, level


def test_no_muscle_enters_bone_or_fascia_or_its_neighbour(
    bed: MuscleBed, recipes: dict[str, Recipe], surfaces: dict[str, Surface]
) -> None:
    for name in MUSCLES:
        points = surfaces[name].vertices.astype(np.float64)
        assert bed.bone(points).min() > -0.3
        for other in (*MUSCLES, "thoracolumbar_fascia"):
            if other != name:
                assert recipes[other].solid.field(points).min() > -0.3


def test_multifidus_does_not_fall_through_the_interlaminar_windows(
    bones: dict[Level, LevelBone], surfaces: dict[str, Surface]
) -> None:
    marks = [bones[level].landmarks["canal"].origin for level in ("S1", "L5", "L4", "L3")]
    vertices = surfaces["multifidus.left"].vertices
    x, _, z = vertices.T
    middle = vertices[(z > marks[0][2]) & (z < marks[3][2]) & (x > -10.0)]
    canal = np.interp(middle[:, 2], [mark[2] for mark in marks], [mark[1] for mark in marks])
    assert float((canal - middle[:, 1]).min()) > 6.0


def test_multifidus_keeps_out_of_the_ligaments_of_the_midline(
    ligaments: dict[str, Surface], recipes: dict[str, Recipe], surfaces: dict[str, Surface]
) -> None:
    for name, ligament in ligaments.items():
        points = ligament.vertices.astype(np.float64)
        assert depth_in(surfaces["multifidus.left"], points) < 0.3, name
        assert recipes["thoracolumbar_fascia"].solid.field(points).min() > -0.3, name


def test_the_fascia_lies_on_the_whole_back_of_the_muscles_as_far_as_the_lateral_raphe(
    bed: MuscleBed, parameters: MuscleParameters, surfaces: dict[str, Surface]
) -> None:
    fascia = surfaces["thoracolumbar_fascia"]
    points, normals = sampled(fascia, 1.0)
    x, z = points[:, 0], points[:, 2]
    border = along(bed.span, parameters.lateral_border)(z)
    over = (normals[:, 1] > 0.3) & (x > 3.0) & (x < border) & within(bed, points)
    over &= ~np.isfinite(bed.hips.at(x, z))  # there it lies on the hip bone
    crest = over & (z < bed.span.at("S2")) & (bed.thin.at(x, z) > 0.0)  # and there on the sacral crest
    assert bed.bone(points[crest]).max() < 1.5 * measures.value("muscles.floor.least_thickness")
    assert crest.sum() < 0.2 * (over & (z < bed.span.at("L5-S1"))).sum()
    over &= ~crest
    muscles = [surfaces[f"{name}.right"] for name in NAMES]
    tree = cKDTree(np.vstack([sampled(surface, 0.4)[0] for surface in muscles]))
    touching = tree.query(points)[0] <= 1.0
    top = (bed.span.cranial, *bed.span.heights[1:4], bed.span.caudal)
    for upper, lower in pairwise(top):
        part = over & (z < upper) & (z > lower)
        assert np.mean(touching[part]) > 0.9, (upper, lower)
    for surface in muscles:
        points, normals = sampled(surface, 0.7)
        back = (normals[:, 1] < -0.5) & (bed.roof.height(points) > -14.0) & within(bed, points)
        assert near(points[back], fascia, 1.0) > 0.9


def test_muscles_touch_fascia_and_bone_over_nine_tenths_of_what_they_face(
    bones: dict[Level, LevelBone], surfaces: dict[str, Surface]
) -> None:
    """As far as no aponeurosis lies between, as in scenes of an operation."""
    layers = ("subcutaneous_fat", "skin")
    every = {name: item for name, item in surfaces.items() if name not in layers}
    every |= {str(level): bone.surface for level, bone in bones.items()}
    for name, others in {
        "multifidus.right": ("thoracolumbar_fascia", "L3", "L4", "L5", "S1", "longissimus.right"),
        "longissimus.right": ("thoracolumbar_fascia", "multifidus.right", "iliocostalis.right"),
        "iliocostalis.right": ("thoracolumbar_fascia", "longissimus.right"),
    }.items():
        found = touching(every, name)
        for other in others:
            area, share = found[other]
            assert area > 100.0 and share >= 0.9, (name, other, area, share)


def within(bed: MuscleBed, points: Points) -> Mask:
    """Tell which points (n, 3) lie between the two sections that the muscles end at."""
    return (points[:, 2] < bed.span.cranial - 3.0) & (points[:, 2] > bed.span.caudal + 3.0)


def test_the_fascia_clears_the_spinous_tips(bed: MuscleBed, surfaces: dict[str, Surface]) -> None:
    assert bed.bone(surfaces["thoracolumbar_fascia"].vertices.astype(np.float64)).min() > 0.5


def test_fascia_solids_survive_meshing_although_thin(recipes: dict[str, Recipe]) -> None:
    for name, step in (("thoracolumbar_fascia", 1.2), ("subcutaneous_fat", 2.5), ("skin", 2.0)):
        surface = as_trimesh(mesh(recipes[name].solid, step))
        assert surface.is_watertight and surface.body_count == 1, name


def test_fascicles_of_multifidus_run_15_to_20_degrees_from_the_midline(
    bed: MuscleBed, recipes: dict[str, Recipe]
) -> None:
    """As seen from behind, under the fascia, however it slopes: tracks keep the depth they start at."""
    paint = recipes["multifidus.right"].paint
    assert paint is not None
    ahead = np.linspace(-30.0, 30.0, 601)
    turned = np.radians(ahead)
    for height in (15.0, 30.0, 45.0):
        start = np.array([[22.0, -60.0, height]])
        tracks = start + 2.0 * np.stack([np.sin(turned), 0.0 * turned, -np.cos(turned)], axis=1)
        tracks[:, 1] += bed.roof.height(tracks) - bed.roof.height(start)
        across = paint(np.vstack([start, tracks])).coordinates
        assert across is not None
        best = ahead[np.argmin(np.abs(across[1:, 1] - across[0, 1]))]
        assert 15.0 <= best <= 20.0


def test_fibres_gather_at_the_spinous_tips(bones: dict[Level, LevelBone], recipes: dict[str, Recipe]) -> None:
    paint = recipes["multifidus.left"].paint
    tips = [bones[level].landmarks["spinous.tip"].origin[2] for level in ("L5", "L4")]
    middle = (tips[0] + tips[1]) / 2.0

    def crowding(z: float) -> float:
        assert paint is not None
        across = paint(np.array([[-0.5, -80.0, z - 1.0], [-0.5, -80.0, z + 1.0]])).coordinates
        assert across is not None
        return float(across[1, 1] - across[0, 1])

    assert all(crowding(tip) > 3.0 * crowding(middle) for tip in tips)


@pytest.mark.parametrize("muscle", NAMES)
def test_muscles_taper_on_the_sacrum_and_end_in_no_flat_section(
    muscle: str, recipes: dict[str, Recipe], surfaces: dict[str, Surface], bed: MuscleBed
) -> None:
    """Cut off at one height they ended in 0.6 to 8 cm²; multifidus goes on to S4, the others end above."""
    surface, top, low = surfaces[f"{muscle}.right"], bed.span.at("L5-S1"), bed.span.at("S4")
    normals, areas = triangle_normals(surface.vertices, surface.faces)
    middles = surface.vertices[surface.faces].mean(axis=1)
    flat = (normals[:, 2] < -0.95) & (middles[:, 2] < top)
    assert areas[flat].sum() < 60.0
    end = float(surface.vertices[:, 2].min())
    assert end < low + 4.0 if muscle == "multifidus" else low + 10.0 < end < top - 5.0
    sections = [section_area(recipes[f"{muscle}.right"], end + way) for way in (2.0, 8.0, 16.0)]
    assert sections[0] < 0.5 * sections[1] < 0.5 * sections[2]


def test_the_aponeurosis_pales_erector_spinae_caudally(surfaces: dict[str, Surface], bed: MuscleBed) -> None:
    surface = surfaces["longissimus.left"]
    assert surface.tint is not None
    back = vertex_normals(surface.vertices, surface.faces)[:, 1] < -0.7
    z = surface.vertices[:, 2]
    assert surface.tint[back & (z > bed.span.heights[0])].mean() < 0.1
    assert surface.tint[back & (z < bed.span.heights[3])].mean() > 0.8


def test_a_stouter_muscle_raises_the_fascia(
    bones: dict[Level, LevelBone], parameters: MuscleParameters, bed: MuscleBed
) -> None:
    stout = parameters.model_copy(update={"bulge": tuple(value + 4.0 for value in parameters.bulge)})
    x, z = np.array([30.0]), np.array([40.0])
    after = muscle_bed(stout, bones).fascia.at(x, z)
    assert (bed.fascia.at(x, z) - after)[0] == pytest.approx(4.0, abs=0.5)


def test_skin_to_lamina_is_about_50_mm_at_l4_l5(
    bones: dict[Level, LevelBone], recipes: dict[str, Recipe]
) -> None:
    skin = recipes["skin"]
    assert isinstance(skin, LayerRecipe)
    depths = [
        float(skin.layer.outer.height(bones[level].landmarks[f"lamina.{side}"].origin[None])[0])
        for level in ("L4", "L5")
        for side in SIDES
    ]
    assert -np.mean(depths) == pytest.approx(measures.value("skin.lamina_depth"), abs=3.0)


def test_fat_and_skin_lie_on_each_other_without_a_gap(
    recipes: dict[str, Recipe], surfaces: dict[str, Surface]
) -> None:
    order = ("thoracolumbar_fascia", "subcutaneous_fat", "skin")
    for under, over in pairwise(order):
        lower, upper = recipes[under], recipes[over]
        assert isinstance(lower, LayerRecipe) and isinstance(upper, LayerRecipe)
        assert np.array_equal(lower.layer.outer.values, upper.layer.inner.values)
        assert recipes[under].solid.field(surfaces[over].vertices).min() > -0.3
