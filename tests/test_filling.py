"""Fat in the face of a cut: between muscles, bones and ligaments and in the canal, but in no wound."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from stand_ins import ball

from spineviz import measures
from spineviz.filling import Filling, filling, strength
from spineviz.model import Camera, Cut, Look, Model, Pane, State
from spineviz.section import section
from spineviz.structure import Structure, Surface
from spineviz.terms import Tissue
from spineviz.viewer import pick

PLANES = {"axial": (0.0, 0.0, 1.0), "sagittal": (1.0, 0.0, 0.0), "coronal": (0.0, -1.0, 0.0)}
AXIAL = Cut((0.0, 0.0, 0.0), PLANES["axial"])
"""Keeps what lies below."""

ABOVE = Camera((0.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, 1.0, 0.0), 100.0)
UNDER = float(measures.value("intermuscular_fat.beneath"))


def block(name: str, tissue: Tissue, low: tuple[float, ...], high: tuple[float, ...]) -> Structure:
    """A box from one corner to the other, mm."""
    made = trimesh.creation.box(np.subtract(high, low))
    return Structure(name, tissue, Surface(made.vertices + np.add(low, high) / 2, made.faces))


def two(gap: float, axis: int, tissue: Tissue = "muscle") -> Model:
    """Two blocks of 30 x 40 x 40 mm with a gap (mm) between them along an axis."""
    low, high = np.full(3, -20.0), np.full(3, 20.0)
    items = {}
    for name, sign in (("multifidus.left", -1.0), ("longissimus.left", 1.0)):
        low[axis], high[axis] = sorted((sign * gap / 2, sign * (gap / 2 + 30.0)))
        items[name] = block(name, tissue, tuple(low), tuple(high))
    return Model(items, {}, {}, {})


def fat(model: Model, cut: Cut = AXIAL, **looks: Look) -> Filling:
    return filling(model, {name: looks.get(name.partition(".")[0], Look()) for name in model.structures}, cut)


@pytest.mark.parametrize(("plane", "axis"), [("axial", 0), ("axial", 1), ("sagittal", 1), ("coronal", 0)])
def test_the_septum_between_two_muscles_is_filled_in_every_plane(plane: str, axis: int) -> None:
    found = fat(two(2.0, axis), Cut((0.0, 0.0, 0.0), PLANES[plane]))
    assert found.fat.area == pytest.approx((2.0 + 2 * UNDER) * 40.0, rel=0.05)
    assert found.name_at(np.zeros(3)) == "intermuscular_fat"
    assert found.name_at(np.full(3, 60.0)) is None


def test_a_gap_as_wide_as_a_muscle_is_left_open() -> None:
    assert not fat(two(2.5 * float(measures.value("intermuscular_fat.reach")), 0)).fat


def test_fat_lies_in_no_structure_but_for_what_goes_on_beneath_its_border() -> None:
    model = two(3.0, 0)
    root = Structure("root.L4.left", "nerve", ball((0, 0, 0), 1))
    model = Model({**model.structures, root.name: root}, {}, {}, {})
    found = fat(model).fat
    for item in model.structures.values():
        inner = section(item.surface, AXIAL.plane).within(UNDER + 0.1)
        assert found.shared(inner).area < 0.05
    assert found.area > 100.0


def test_bones_alone_have_no_fat_between_them() -> None:
    assert not fat(two(2.0, 0, "bone")).fat


def test_nothing_is_filled_in_front_of_a_vertebral_body() -> None:
    model = two(2.0, 0)
    items = {
        **model.structures,
        "L4": block("L4", "bone", (-20.0, 21.0, -20.0), (20.0, 45.0, 20.0)),
        "aorta": block("aorta", "artery", (-8.0, 48.0, -20.0), (8.0, 60.0, 20.0)),
    }
    corners = np.vstack(fat(Model(items, {}, {}, {})).fat.outlines)
    assert corners[:, 1].max() < 26.0, "only the corners beside it are filled"
    assert corners[:, 1].min() < -19.0


@pytest.mark.parametrize(("way", "edge"), [(0.0, 1.0), (1.0, 2.0), (4.0, 0.0)])
def test_fat_follows_a_small_shift_of_muscle_but_does_not_fill_a_wound(way: float, edge: float) -> None:
    """Pushed 4 mm aside, a muscle leaves a wound, with half of what was the septum on its other side."""
    model = two(2.0, 0)
    rest = model.structures["longissimus.left"].surface
    moved = rest.moved(rest.vertices + np.array([way, 0.0, 0.0]))
    item = Structure("longissimus.left", "muscle", rest, variants={"open": moved})
    opened = Model({**model.structures, "longissimus.left": item}, {}, {}, {})
    corners = np.vstack(fat(opened, longissimus=Look(variant="open")).fat.outlines)
    assert corners[:, 0].min() == pytest.approx(-1.0, abs=0.3)
    assert corners[:, 0].max() == pytest.approx(edge, abs=0.3)


def test_where_no_muscle_is_seen_there_is_none_between_them_and_it_fades_with_them() -> None:
    model = two(2.0, 0)
    assert not fat(model, longissimus=Look(visible=False), multifidus=Look(opacity=0.0)).fat
    looks = dict.fromkeys(model.structures, Look(opacity=0.3))
    assert strength(model, looks, AXIAL) == 0.3
    assert filling(model, looks, AXIAL).fat


def test_what_surrounds_the_sac_is_called_epidural_space() -> None:
    items = [
        block("L4", "bone", (-20.0, 8.0, -20.0), (20.0, 30.0, 20.0)),
        block("flavum.L4-L5.left", "ligament", (-20.0, -12.0, -20.0), (20.0, -9.0, 20.0)),
        Structure("thecal_sac", "dura", ball((0, 0, 0), 6)),
    ]
    found = fat(Model({item.name: item for item in items}, {}, {}, {}))
    assert found.name_at(np.array([0.0, 7.0, 0.0])) == found.name_at(np.array([0.0, -7.5, 0.0]))
    assert found.name_at(np.array([0.0, 7.0, 0.0])) == "epidural_space"
    assert found.name_at(np.zeros(3)) is None


@pytest.mark.parametrize(("within", "filled"), [("nucleus", False), ("cartilage", False), ("nerve", True)])
def test_there_is_no_fat_in_the_hollow_of_an_endplate(within: Tissue, filled: bool) -> None:
    outer, inner = ball((0, 0, 0), 16), ball((0, 0, 0), 8)
    faces = np.vstack([outer.faces, inner.faces[:, ::-1] + len(outer.vertices)])
    bone = Structure("L4", "bone", Surface(np.vstack([outer.vertices, inner.vertices]), faces))
    items = {"L4": bone, "inner": Structure("inner", within, ball((0, 0, 0), 5))}
    items |= two(50.0, 0).structures
    place = np.array([0.0, 6.5, 0.0])
    assert (fat(Model(items, {}, {}, {})).name_at(place) is not None) == filled


def test_a_cut_of_some_structures_fills_between_these_only() -> None:
    model = two(2.0, 0)
    assert not fat(model, Cut((0.0, 0.0, 0.0), PLANES["axial"], frozenset({"skin"}))).fat
    assert fat(model, Cut((0.0, 0.0, 0.0), PLANES["axial"], frozenset(model.structures))).fat


def test_fat_is_pointed_at_by_its_name_and_hides_what_lies_behind_it() -> None:
    model = two(2.0, 0)
    deep = block("L4", "bone", (-20.0, -20.0, -60.0), (20.0, 20.0, -40.0))
    model = Model({**model.structures, "L4": deep}, {}, {}, {})
    down = (0.0, 0.0, -1.0)

    def at(x: float, looks: dict[str, Look]) -> str | None:
        return pick(model, State((Pane(looks, ABOVE, (AXIAL,)),)), 0, (x, 0.0, 100.0), down)

    solid = dict.fromkeys(model.structures, Look())
    assert at(0.0, solid) == "intermuscular_fat" and at(10.0, solid) == "longissimus.left"
    glass = solid | dict.fromkeys(("multifidus.left", "longissimus.left"), Look(opacity=0.1))
    assert at(0.0, glass) == "L4"
