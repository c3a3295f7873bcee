"""Discs fill the space between two endplates and stand out as much as their parameters say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from standing import bones, herniated

from spineviz.anatomy.disc import DiscParameters, annulus_field, disc_parameters, disc_recipes, nucleus_field
from spineviz.anatomy.disc.space import disc_space
from spineviz.geometry import as_trimesh, volume
from spineviz.structure import Floats, Points
from spineviz.terms import LOWER_LUMBAR_DISCS as DISCS
from spineviz.terms import Disc, levels_of


def inside_points(disc: Disc, share: float) -> Points:
    """Points of the mid-plane within a share of the rims."""
    space = disc_space(disc, bones())
    angle, radius = np.meshgrid(np.arange(0, 2 * np.pi, 0.2), np.linspace(0.1, share, 6))
    rim = space.radius(angle.ravel(), np.full(angle.size, 0.5)) * radius.ravel()
    local = np.stack([np.cos(angle.ravel()) * rim, np.sin(angle.ravel()) * rim, np.zeros(angle.size)], axis=1)
    return space.frame.to_parent(local)


def bone_distance(points: Points, disc: Disc) -> Floats:
    return np.min([bones()[level].distance(points) for level in levels_of(disc)], axis=0)


@pytest.mark.parametrize("disc", DISCS)
def test_a_disc_leaves_no_gap_to_either_endplate(disc: Disc) -> None:
    field = annulus_field(disc_space(disc, bones()), disc_parameters(disc))
    space = disc_space(disc, bones())
    for start in inside_points(disc, 0.9):
        column = start + np.arange(-12.0, 12.0, 0.05)[:, None] * space.frame.superior
        free = bone_distance(column, disc) > 0.0
        middle = len(column) // 2
        low = middle - np.argmax(~free[middle::-1])
        high = middle + np.argmax(~free[middle:])
        filled = field(column[low + 1 : high]) < 0.0
        assert (~filled).sum() * 0.05 <= 0.2


@pytest.mark.parametrize("disc", DISCS)
def test_annulus_nucleus_and_cartilage_fill_the_disc(disc: Disc) -> None:
    space, parameters = disc_space(disc, bones()), disc_parameters(disc)
    whole = annulus_field(space, parameters)
    fields = [recipe.solid.field for recipe in disc_recipes(disc, parameters, bones()).values()]
    points = np.random.default_rng(2).uniform(-28.0, 28.0, (20_000, 3)) + space.frame.origin
    points = points[whole(points) < -0.3]
    parts = np.array([field(points) for field in fields])
    assert (parts.min(axis=0) < 0.15).all()
    assert (np.sort(parts, axis=0)[1] > -0.1).all()


@pytest.mark.parametrize("disc", DISCS)
def test_a_cartilage_endplate_lies_on_its_bone(disc: Disc) -> None:
    recipes = disc_recipes(disc, disc_parameters(disc), bones())
    for name, level in zip(("upper", "lower"), levels_of(disc), strict=True):
        surface = recipes[f"endplate.{disc}.{name}"].surface()
        gap = bones()[level].distance(surface.vertices[: len(surface.vertices) // 2])
        assert np.abs(gap).max() < 0.3
        assert volume(surface) > 0


@pytest.mark.parametrize("disc", DISCS)
def test_disc_surfaces_do_not_enter_bone(disc: Disc) -> None:
    for recipe in disc_recipes(disc, disc_parameters(disc), bones()).values():
        assert bone_distance(recipe.surface().vertices.astype(float), disc).min() > -0.2


@pytest.mark.parametrize("disc", DISCS)
def test_disc_meshes_are_closed_and_in_one_piece(disc: Disc) -> None:
    for recipe in disc_recipes(disc, disc_parameters(disc), bones()).values():
        mesh = as_trimesh(recipe.surface())
        assert mesh.is_watertight
        assert mesh.body_count == 1


def test_annulus_and_nucleus_do_not_overlap() -> None:
    recipes = disc_recipes("L4-L5", disc_parameters("L4-L5"), bones())
    ring, core = recipes["disc.L4-L5"].solid.field, recipes["nucleus.L4-L5"].solid.field
    points = inside_points("L4-L5", 1.0)
    assert not ((ring(points) < -0.01) & (core(points) < -0.01)).any()


def test_a_disc_stands_out_by_its_bulge() -> None:
    space, healthy = disc_space("L4-L5", bones()), disc_parameters("L4-L5")
    angle = np.arange(0.0, 2 * np.pi, 0.1)
    for bulge in (0.0, 1.0, 2.5):
        field = annulus_field(space, healthy.model_copy(update={"bulge": bulge}))
        rim = space.radius(angle, np.full(len(angle), 0.5)) + bulge
        for offset, sign in ((-0.5, -1), (0.6, 1)):
            radius = rim + offset
            local = np.stack([np.cos(angle) * radius, np.sin(angle) * radius, 0 * angle], axis=1)
            assert (np.sign(field(space.frame.to_parent(local))) == sign).mean() > 0.95


def test_the_nucleus_has_its_share_of_the_disc() -> None:
    space, parameters = disc_space("L4-L5", bones()), disc_parameters("L4-L5")
    side = np.arange(-32.0, 32.0, 0.5)
    x, y = (axis.ravel() for axis in np.meshgrid(side, side))
    plane = space.frame.to_parent(np.stack([x, y, 0 * x], axis=1))
    core = (nucleus_field(space, parameters)(plane) < 0).sum()
    whole = (annulus_field(space, parameters)(plane) < 0).sum()
    assert core / whole == pytest.approx(parameters.nucleus_share, abs=0.06)


def test_a_healthy_disc_is_the_same_left_and_right() -> None:
    field = annulus_field(disc_space("L4-L5", bones()), disc_parameters("L4-L5"))
    points = np.random.default_rng(1).uniform([-30, -10, 25], [30, 40, 50], (4000, 3))
    assert np.abs(field(points) - field(points * [-1, 1, 1])).max() < 0.02


def test_a_thicker_nucleus_share_is_refused() -> None:
    with pytest.raises(ValidationError):
        DiscParameters(height_middle=11.0, wedge=9.0, bulge=1.0, nucleus_share=0.9, nucleus_offset=0.1)


def test_torn_fibres_are_painted_only_beside_the_tear() -> None:
    ring = disc_recipes("L4-L5", herniated(), bones())["disc.L4-L5"].surface()
    assert ring.tint is not None
    torn = ring.vertices[ring.tint > 0.6]
    assert len(torn) > 20
    assert torn[:, 0].max() < 4.0


def test_a_disc_without_a_bone_says_which_one_is_missing() -> None:
    some = {level: bone for level, bone in bones().items() if level != "L5"}
    with pytest.raises(ValueError, match="L5 is missing"):
        disc_recipes("L4-L5", disc_parameters("L4-L5"), some)


def test_disc_volumes_are_those_of_adults() -> None:
    recipes = disc_recipes("L4-L5", disc_parameters("L4-L5"), bones())
    total = sum(volume(recipe.surface()) for recipe in recipes.values())
    assert 9_000 < total < 22_000


@dataclass(frozen=True, eq=False)
class Hollowed:
    """A bone with a ball dug out of it."""

    bone: Any
    centre: Points
    radius: float

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bone, name)

    def distance(self, points: Points) -> Floats:
        return np.maximum(
            self.bone.distance(points), self.radius - np.linalg.norm(points - self.centre, axis=1)
        )


def test_a_hollow_in_an_endplate_is_not_taken_for_the_border_of_its_rim() -> None:
    whole = bones()
    plate = whole["L5"].landmarks["endplate.superior"]
    dug: Any = Hollowed(whole["L5"], plate.to_parent(np.array([-12.0, -4.0, -0.5])), 5.0)
    rim, dug_rim = (disc_space("L4-L5", {**whole, "L5": bone}).lower for bone in (whole["L5"], dug))
    assert np.abs(rim - dug_rim).max() < 0.3
