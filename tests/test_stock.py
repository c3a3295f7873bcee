"""A diseased body takes from the library all that its disease does not touch."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import numpy as np
import pytest

from spineviz.anatomy.recipe import Body, Recipe, Recipes
from spineviz.anatomy.vessel.trunk import PASSED
from spineviz.body import Anatomy, build
from spineviz.body.bake import shelf
from spineviz.body.stock import cut_off, stock
from spineviz.geometry import as_trimesh, volume
from spineviz.pathology import apply
from spineviz.pathology.herniation import Herniation
from spineviz.structure import Surface
from spineviz.terms import Level

LEVELS: tuple[Level, ...] = ("L3", "L4", "L5", "S1")

DISEASED = {"disc.L4-L5", "nucleus.L4-L5", "herniation.L4-L5", "posterior_longitudinal_ligament"}


def herniated(**told: object) -> Body:
    anatomy = apply(Herniation.model_validate({"disc": "L4-L5", "depth": 6.0, **told}), Anatomy())
    return build(anatomy, LEVELS, covered=False)


@pytest.fixture(scope="module")
def body() -> Body:
    return herniated()


def test_the_baked_library_is_there_and_of_this_generator() -> None:
    """Without it much is built anew, or is not looked at by the tests."""
    assert shelf(), "meshes/ was baked by another generator, is missing or damaged; run: spineviz bake"


def test_what_a_herniation_does_not_touch_comes_from_the_library(body: Body) -> None:
    ready = stock(LEVELS, shelf()).structures  # type: ignore[arg-type]
    taken = {name for name, item in body.structures.items() if item is ready.get(name)}
    assert set(body.structures) - taken == DISEASED
    some = ("L4", "L5", "disc.L3-L4", "flavum.L4-L5.left", "endplate.L4-L5.upper")
    uncut = {name for name in taken if name.startswith(("root", "facet", "lumbar_artery"))}
    assert all(body.structures[name] is shelf()[name] for name in (*some, *uncut))


def test_a_posterior_herniation_changes_neither_vessels_nor_bones(body: Body) -> None:
    healthy = build(Anatomy(), LEVELS, covered=False)
    same = [name for name, item in healthy.structures.items() if item.tissue in ("artery", "vein", "bone")]
    assert {"aorta", "inferior_vena_cava", "lumbar_vein.L4.left", *LEVELS} <= set(same)
    assert all(body.structures[name] is healthy.structures[name] for name in same)
    assert all(body.bones[level] is healthy.bones[level] for level in LEVELS)


def test_a_herniation_in_front_leaves_the_ligament_behind_as_it_is(body: Body) -> None:
    before = herniated(zone="anterior", morphology="protrusion")
    made = {name for name, item in before.structures.items() if item is not body.structures.get(name)}
    assert made == DISEASED
    ready = stock(LEVELS, shelf()).structures  # type: ignore[arg-type]
    name = "posterior_longitudinal_ligament"
    assert before.structures[name] is ready[name]


def test_a_bone_from_the_library_stands_where_its_field_is(body: Body) -> None:
    for level in ("L4", "L5"):
        bone = body.bones[level]  # type: ignore[index]
        assert np.abs(bone.distance(bone.surface.vertices[::50])).mean() < 0.06


def test_recipes_of_what_is_cut_are_made_when_they_are_asked_for(body: Body) -> None:
    name = "flavum.L4-L5.left"
    assert {name, "disc.L3-L4", "disc.L4-L5"} <= set(body.recipes) and name in body.recipes
    recipe = body.recipes[name]
    assert recipe.name == name and body.recipes[name] is recipe
    own = body.structures[name].surface.vertices
    assert np.abs(recipe.solid.field(own[::10].astype(float))).mean() < 0.06


def test_a_recipe_is_made_once_with_those_that_are_made_with_it() -> None:
    made: list[str] = []

    def make() -> Mapping[str, Recipe]:
        made.append("made")
        return {"a": object(), "b": object(), "c": object()}  # type: ignore[dict-item]

    recipes = Recipes({"c": object()}, dict.fromkeys("abc", make))  # type: ignore[dict-item]
    own = recipes["c"]
    assert sorted(recipes) == ["a", "b", "c"] and len(recipes) == 3 and not made
    assert recipes["a"] is recipes["a"] and recipes["b"] is not recipes["a"]
    assert made == ["made"] and recipes["c"] is own
    with pytest.raises(KeyError):
        recipes["d"]


def test_vessels_and_ligaments_end_with_the_bones_that_are_there_and_are_closed(body: Body) -> None:
    top = body.bones["L3"].landmarks["endplate.superior"]
    for name in ("aorta", "inferior_vena_cava", "anterior_longitudinal_ligament"):
        made, baked = body.structures[name].surface, shelf()[name].surface
        assert as_trimesh(made).is_watertight and 0.0 < volume(made) < volume(baked)
        above = (made.vertices - top.origin) @ top.superior
        assert above.max() < 13.0
    assert above.max() < 0.01
    assert set(PASSED) <= set(body.structures)


def test_a_box_is_cut_off_flat_and_stays_closed() -> None:
    import trimesh

    box = trimesh.creation.box((4.0, 4.0, 10.0))
    up = np.array([0.0, 0.0, 1.0])
    cut = cut_off(Surface(box.vertices, box.faces), [(2.0 * up, up), (-3.0 * up, -up)])
    assert volume(cut) == pytest.approx(4.0 * 4.0 * 5.0)
    assert as_trimesh(cut).is_watertight and cut.occlusion == pytest.approx(1.0)
    assert not len(cut_off(Surface(box.vertices, box.faces), [(-9.0 * up, up)]).faces)


def test_other_bones_are_not_taken_from_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> object:
        raise AssertionError("a body whose bones stand otherwise was given those of the library")

    monkeypatch.setattr(sys.modules["spineviz.body.build"], "stock", never)
    monkeypatch.setattr(sys.modules["spineviz.body.build"], "make_bones", lambda anatomy, levels: {})
    assert not build(Anatomy(vertebrae={"L4": {"canal_depth": 14.0}}), ("L4",), soft=False).bones
    with pytest.raises(AssertionError, match="given those of the library"):
        build(Anatomy(), ("L4",), soft=False)
