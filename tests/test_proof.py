"""A baked mesh that is not what the generator makes is found out, however right its hash may be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spineviz.body import proof
from spineviz.body.build import LIGHT, thinned, triangles_of
from spineviz.body.parameters import Anatomy
from spineviz.body.proof import Origin, compared
from spineviz.body.skeleton import solids
from spineviz.sdf.mesher import mesh
from spineviz.sdf.solid import Solid
from spineviz.structure import Frame, Points, Structure, Surface


@pytest.fixture(scope="module")
def origin() -> Origin:
    """What L4 is made of."""
    frame, solid = solids(Anatomy(), ["L4"])["L4"]
    return Origin(
        frame,
        solid.field,
        lambda: mesh(solid, proof.STEP, mirror=True),
        proof.STEP,
        ("bone", None),
    )


@pytest.fixture(scope="module")
def baked() -> Structure:
    """L4 as it is baked."""
    frame, solid = solids(Anatomy(), ["L4"])["L4"]
    fine = mesh(solid, 0.8, mirror=True).placed(frame)
    full, light = (thinned(fine, int(share * triangles_of("L4"))) for share in (1.0, LIGHT))
    return Structure("L4", "bone", full, light=light)


def scaled(surface: Surface, factor: float) -> Surface:
    middle = surface.vertices.mean(axis=0)
    return replace(surface, vertices=middle + factor * (surface.vertices - middle))


def flattened(surface: Surface) -> Surface:
    """Cut half of the spinous process away."""
    vertices = np.array(surface.vertices)
    vertices[:, 1] = np.maximum(vertices[:, 1], vertices[:, 1].min() + 10.0)
    return replace(surface, vertices=vertices)


def test_what_the_generator_made_agrees_with_it(baked: Structure, origin: Origin) -> None:
    assert list(compared(baked, origin)) == []


@pytest.mark.parametrize("factor", [1.03, 0.97, 1.01])
def test_a_bone_of_another_size_is_found_out(baked: Structure, origin: Origin, factor: float) -> None:
    assert list(compared(replace(baked, surface=scaled(baked.surface, factor)), origin))


@pytest.mark.parametrize("way", np.eye(3))
def test_a_bone_that_was_moved_is_found_out(baked: Structure, origin: Origin, way: Points) -> None:
    moved = replace(baked.surface, vertices=baked.surface.vertices + 0.4 * way)
    assert list(compared(replace(baked, surface=moved), origin))


def test_a_bone_that_lacks_a_part_is_found_out(baked: Structure, origin: Origin) -> None:
    assert any(
        "bounding box" in line for line in compared(replace(baked, surface=flattened(baked.surface)), origin)
    )


def test_a_light_mesh_of_another_bone_is_found_out(baked: Structure, origin: Origin) -> None:
    assert baked.light is not None
    lines = list(compared(replace(baked, light=scaled(baked.light, 1.03)), origin))
    assert lines and all(line.startswith("light mesh") for line in lines)


def test_normals_that_point_inward_are_found_out(baked: Structure, origin: Origin) -> None:
    assert baked.surface.normals is not None
    inward = replace(baked.surface, normals=-baked.surface.normals)
    assert any("normals" in line for line in compared(replace(baked, surface=inward), origin))


def test_a_bone_that_is_called_something_else_is_found_out(baked: Structure, origin: Origin) -> None:
    assert any("called ligament" in line for line in compared(replace(baked, tissue="ligament"), origin))


def test_left_and_right_exchanged_are_found_out() -> None:
    def ball(x: float) -> Solid:
        middle = np.array([x, 0.0, 0.0])
        return Solid(lambda points: np.linalg.norm(points - middle, axis=1) - 5.0, middle - 7.0, middle + 7.0)

    left, right = (
        Origin(Frame(), ball(x).field, lambda x=x: mesh(ball(x), 1.0), 1.0, ("nerve", side))  # type: ignore[misc]
        for x, side in ((-9.0, "left"), (9.0, "right"))
    )
    root = Structure("root.L5.left", "nerve", left.anew(), "left")
    assert list(compared(root, left)) == []
    assert list(compared(replace(root, surface=right.anew()), left))
    assert list(compared(replace(root, side="right"), left))


def test_what_is_missing_and_what_nothing_makes_is_named(
    baked: Structure, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "origins", lambda baked: {"L4": origin, "L5": origin})
    lines = proof.departures({"L4": baked, "aorta": baked})
    assert [line.partition(":")[0] for line in lines] == ["L5", "aorta"]


def leaping(points: Points) -> Points:
    """The distance to a ball of 6 mm whose right half is told 4 mm too far inside or outside."""
    distance = np.linalg.norm(points, axis=1) - 6.0
    return np.where(points[:, 0] > 0.0, distance + 4.0 * np.sign(distance), distance)


def test_a_muscle_whose_field_leaps_is_compared_with_the_mesh_made_anew() -> None:
    solid = Solid(leaping, np.full(3, -8.0), np.full(3, 8.0))
    fresh = mesh(solid, 0.8)
    origin = Origin(Frame(), leaping, lambda: fresh, 0.8, ("muscle", None))
    assert list(compared(Structure("muscle", "muscle", fresh), origin)) == []
    assert any(
        line.startswith("vertices")
        for line in compared(Structure("muscle", "muscle", scaled(fresh, 1.5)), origin)
    )
