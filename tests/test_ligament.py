"""Ligaments bridge the laminae and the spinous processes without entering bone or dura."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
import pytest
from standing import bones, nerves

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc.space import landmark
from spineviz.anatomy.interlaminar import roof
from spineviz.anatomy.ligament import ligament_recipes
from spineviz.anatomy.recipe import Recipe
from spineviz.geometry import as_trimesh, surface_distance, vertex_normals
from spineviz.structure import Floats, Frame, Points
from spineviz.terms import LOWER_LUMBAR_DISCS as DISCS
from spineviz.terms import SIDES, SIGN, Disc, Side, levels_of


@cache
def ligaments() -> dict[str, Recipe]:
    return ligament_recipes(bones(), nerves())


def bone_distance(points: Points) -> Floats:
    return np.min([bone.distance(points) for bone in bones().values()], axis=0)


@cache
def vertices(name: str) -> Points:
    return ligaments()[name].surface().vertices.astype(float)


def test_every_level_has_a_pair_of_yellow_ligaments_and_an_interspinous_one() -> None:
    pairs = {f"flavum.{disc}.{side}" for disc in DISCS for side in SIDES}
    assert set(ligaments()) == pairs | {f"interspinous.{disc}" for disc in DISCS} | {"supraspinous_ligament"}


@pytest.mark.parametrize("name", ["flavum.L4-L5.left", "flavum.L5-S1.right", "interspinous.L4-L5"])
def test_ligaments_are_closed(name: str) -> None:
    assert as_trimesh(ligaments()[name].surface()).is_watertight


@pytest.mark.parametrize("disc", DISCS)
def test_ligaments_enter_neither_bone_nor_dura(disc: Disc) -> None:
    for name in (f"flavum.{disc}.left", f"interspinous.{disc}"):
        assert bone_distance(vertices(name)).min() > -0.3
        assert nerves()["thecal_sac"].solid.field(vertices(name)).min() > 0.0


@pytest.mark.parametrize("disc", DISCS)
@pytest.mark.parametrize("side", SIDES)
def test_the_yellow_ligament_touches_both_laminae(disc: Disc, side: Side) -> None:
    points = vertices(f"flavum.{disc}.{side}")
    for level in levels_of(disc):
        assert (bones()[level].distance(points) < 0.3).mean() > 0.06


def to_ligament(name: str, points: Points) -> Floats:
    """How far (mm) points (n, 3) are from a ligament's surface."""
    return np.abs(surface_distance(ligaments()[name].surface())(points))


def first_met(front: LevelBone, behind: LevelBone, frame: Frame, across: Floats, up: Floats) -> Points:
    """Where a bone is met first from the canal backwards, and not the other one; world points (n, 3)."""
    depth = np.arange(3.0, -12.0, -0.25)
    grid = np.stack(np.meshgrid(across, up, depth, indexing="ij"), axis=-1)[..., [0, 2, 1]]
    values = [
        bone.distance(frame.to_parent(grid.reshape(-1, 3))).reshape(grid.shape[:3])
        for bone in (front, behind)
    ]
    first, other = ((value < 0.0).argmax(axis=2) for value in values)
    met = (values[0] < 0.0).any(axis=2)
    met &= ~(values[1] < 0.0).any(axis=2) | (first < other)
    places = np.take_along_axis(grid, first[..., None, None], axis=2)[:, :, 0]
    return frame.to_parent(places[met])


@pytest.mark.parametrize("disc", DISCS)
@pytest.mark.parametrize("side", SIDES)
def test_the_yellow_ligament_lies_on_the_lower_half_of_the_upper_lamina(disc: Disc, side: Side) -> None:
    above, below = (bones()[level] for level in levels_of(disc))
    vault = roof(above, below)
    facet = abs(landmark(below, f"facet.superior.{side}").origin[0])
    edge = vault.frame.to_local(vertices(f"flavum.{disc}.{side}"))[:, 2].min()
    across, up = SIGN[side] * np.arange(0.75, 0.8 * facet, 0.75), np.arange(edge, float(vault.top[0]), 0.75)
    lamina = first_met(above, below, vault.frame, across, up)
    gap = to_ligament(f"flavum.{disc}.{side}", lamina)
    assert len(lamina) > 110
    assert (gap <= 1.0).mean() >= 0.9


@pytest.mark.parametrize("disc", DISCS)
@pytest.mark.parametrize("side", SIDES)
def test_the_yellow_ligament_lies_on_the_upper_border_of_the_lower_lamina(disc: Disc, side: Side) -> None:
    above, below = (bones()[level] for level in levels_of(disc))
    vault = roof(above, below)
    facet = abs(landmark(below, f"facet.superior.{side}").origin[0])
    points = below.surface.vertices.astype(float)
    local, normals = vault.frame.to_local(points), vertex_normals(points, below.surface.faces)
    back, _, _, _, bottom = vault.at(local)
    border = (SIGN[side] * local[:, 0] > 0.5) & (SIGN[side] * local[:, 0] < 0.6 * facet)
    border &= (np.abs(local[:, 2] - bottom) < 1.2) & (np.abs(local[:, 1] - back) < 4.0)
    border &= (normals @ vault.frame.superior > 0.5) | (normals @ vault.frame.anterior > 0.4)
    gap = to_ligament(f"flavum.{disc}.{side}", points[border])
    assert border.sum() > 20
    assert (gap <= 1.0).mean() >= 0.9


def thickness(disc: Disc) -> Floats:
    """How thick (mm) the left yellow ligament is half-way down, column by column from cleft to facet."""
    above, below = (bones()[level] for level in levels_of(disc))
    vault, field = roof(above, below), ligaments()[f"flavum.{disc}.left"].solid.field
    depth, found = np.arange(-22.0, 8.0, 0.1), []
    for across, share in product(np.arange(1.0, -0.8 * vault.lateral[0], 0.75), np.linspace(0.3, 0.7, 7)):
        _, _, _, top, bottom = vault.at(np.array([[-across, 0.0, 0.0]]))
        height = float(bottom[0] + share * (top[0] - bottom[0]))
        ray = np.column_stack([np.full(len(depth), -across), depth, np.full(len(depth), height)])
        back, slant, *_ = vault.at(ray)
        here = np.interp(back[0], depth, slant)
        found.append(0.1 * here * (field(vault.frame.to_parent(ray)) < 0.0).sum())
    return np.array(found)


@pytest.mark.parametrize("disc", DISCS)
def test_the_yellow_ligament_is_as_thick_beside_the_sac_as_measured(disc: Disc) -> None:
    wanted = measures.value(f"flavum.thickness.{disc}")
    assert np.median(thickness(disc)) == pytest.approx(wanted, rel=0.2)


@pytest.mark.parametrize("disc", DISCS)
def test_a_cleft_parts_left_from_right(disc: Disc) -> None:
    cleft = measures.value("flavum.shape.cleft")
    assert vertices(f"flavum.{disc}.left")[:, 0].max() == pytest.approx(-cleft / 2, abs=0.15)
    assert vertices(f"flavum.{disc}.right")[:, 0].min() == pytest.approx(cleft / 2, abs=0.15)


def test_the_supraspinous_ligament_lies_on_the_tips_of_the_spinous_processes() -> None:
    points = vertices("supraspinous_ligament")
    for level in ("L3", "L4", "L5"):
        tip = landmark(bones()[level], "spinous.tip").origin
        assert np.linalg.norm(points - tip, axis=1).min() < 2.5
