"""Ligaments bridge the laminae and the spinous processes without entering bone or dura."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from standing import bones, nerves

from spineviz import measures
from spineviz.anatomy.disc_space import landmark
from spineviz.anatomy.ligament import ligament_recipes
from spineviz.anatomy.recipe import Recipe
from spineviz.geometry import as_trimesh
from spineviz.structure import Floats, Points
from spineviz.terms import DISCS, SIDES, Disc, Side, levels_of


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


@pytest.mark.parametrize("disc", DISCS)
def test_the_yellow_ligament_reaches_the_lower_lamina_along_its_whole_edge(disc: Disc) -> None:
    below = bones()[levels_of(disc)[1]]
    points = vertices(f"flavum.{disc}.left")
    facet = abs(landmark(below, "facet.superior.left").origin[0])
    gaps = []
    for x in np.arange(1.0, 0.6 * facet, 1.0):
        near = points[np.abs(points[:, 0] + x) < 0.6]
        gaps.append(below.distance(near).min())
    assert (np.array(gaps) < 1.0).mean() >= 0.9


@pytest.mark.parametrize("disc", DISCS)
def test_the_yellow_ligament_is_as_thick_as_measured(disc: Disc) -> None:
    field = ligaments()[f"flavum.{disc}.left"].solid.field
    points = vertices(f"flavum.{disc}.left")
    lower, upper = points.min(0), points.max(0)
    probe = np.random.default_rng(2).uniform(lower, upper, (40_000, 3))
    half = -field(probe).min()
    assert 0.6 < 2 * half / measures.value(f"flavum.thickness.{disc}") < 1.5


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
