"""Stenosis: what grows into the canal, a recess and a foramen, and what the nerves there do."""

from __future__ import annotations

import numpy as np
import pytest

from spineviz.anatomy.stenosis.narrowing import Causes, Narrowing
from spineviz.anatomy.stenosis.room import ANGLES, TURN, Room
from spineviz.anatomy.stenosis.squeeze import Squeeze, between
from spineviz.body import Anatomy, build
from spineviz.body.diseased import diseased
from spineviz.geometry import volume
from spineviz.measurement.measuring import measure
from spineviz.measurement.report import Report
from spineviz.model import Model
from spineviz.pathology import Stenosis, apply, stenosis_shorthand
from spineviz.pathology.stenosis import GRADES, LumbarDisc, grade_of, narrowing
from spineviz.structure import Frame, Structure

DISCS: tuple[LumbarDisc, ...] = ("L1-L2", "L2-L3", "L3-L4", "L4-L5", "L5-S1")
SCHEME = {"central": "schizas", "recess": "bartynski", "foraminal": "lee"}
LEVELS = ("L1", "L2", "L3", "L4", "L5", "S1")


@pytest.fixture(scope="session")
def healthy() -> Model:
    """The two lower lumbar vertebrae with their discs, nerves and ligaments."""
    body = build(Anatomy(), ("L4", "L5"), covered=False)
    return Model(dict(body.structures), {}, body.bones, {})


@pytest.fixture(scope="session")
def lumbar() -> Model:
    """All lumbar vertebrae and the sacrum."""
    body = build(Anatomy(), LEVELS, covered=False)
    return Model(dict(body.structures), {}, body.bones, {})


def ill(stenosis: Stenosis, healthy: Model) -> Model:
    changed = diseased(apply(stenosis, Anatomy()), healthy.bones, healthy.structures)
    return Model(changed, {}, healthy.bones, {})


def measured_grade(report: Report, stenosis: Stenosis) -> str:
    found = [
        row.grade.grade
        for row in report.rows
        if row.at == stenosis.disc
        and row.grade is not None
        and row.grade.scheme == SCHEME[stenosis.place]
        and row.side in (None, stenosis.side)
    ]
    return found[0]


def round_room() -> Room:
    heights = np.arange(-5.0, 5.1)
    shape = np.ones((len(heights), ANGLES))
    return Room(Frame(), heights, np.zeros((len(heights), 2)), 5.0 * shape, 6.0 * shape, 8.0 * shape)


def test_a_stenosis_of_grade_0_is_the_anatomy_itself() -> None:
    anatomy = Anatomy()
    assert apply(Stenosis(grade="0"), anatomy) is anatomy
    assert not Stenosis(grade="0").present


def test_a_squeeze_never_moves_one_thing_past_another() -> None:
    room = round_room()
    squeeze = Squeeze(room, 0.4 * room.core, 0.5 * room.wall, 0.8 * room.hard, 4.0)
    ways = np.linspace(0.1, 14.0, 200)
    line = np.column_stack([ways, 0 * ways, 0 * ways])
    moved = squeeze(line)[:, 0]
    assert (np.diff(moved) > 0.0).all()
    assert moved[np.searchsorted(ways, 5.0)] == pytest.approx(2.0, abs=0.1)
    assert (moved[ways > 12.1] == ways[ways > 12.1]).all()


def test_a_bone_moves_with_its_own_surface_only() -> None:
    room = round_room()
    squeeze = Squeeze(room, 0.4 * room.core, 0.5 * room.wall, room.hard, 4.0)
    places = np.column_stack([8.0 * np.cos(TURN), 8.0 * np.sin(TURN), 0 * TURN])
    assert squeeze(places, bone=True) == pytest.approx(places, abs=1e-9)


def test_borders_that_meet_stay_in_order() -> None:
    before = np.array([[0.0], [3.0], [3.0], [9.0]])
    after = np.array([[0.0], [2.0], [1.0], [9.0]])
    ways = np.linspace(0.0, 10.0, 101)
    moved = between(ways, np.repeat(before, 101, axis=1), np.repeat(after, 101, axis=1))
    assert (np.diff(moved) > 0.0).all() and moved[-1] == 10.0


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ({"place": "central", "grade": "2"}, "graded 0, A, B, C, D after Schizas"),
        ({"place": "recess", "grade": "C"}, "graded 0, 1, 2, 3 after Bartynski"),
        ({"place": "foraminal", "sac_area": 60.0}, "tells of the canal"),
        ({"sac_area": 60.0, "grade": "A"}, "is grade C here"),
        ({"sac_area": 300.0}, "25 to 160"),
        ({"both": True}, "no sides"),
        ({"disc": "T12-L1"}, "L1-L2"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(told: dict[str, object], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Stenosis(**told)  # type: ignore[arg-type]


def test_a_stenosis_needs_a_cause_and_one_place_is_narrow_once() -> None:
    with pytest.raises(ValueError, match="has a cause"):
        Causes(disc=0.0, flavum=0.0, facets=0.0)
    once = apply(Stenosis(), Anatomy())
    with pytest.raises(ValueError, match="already has a central"):
        apply(Stenosis(grade="B"), once)
    with pytest.raises(ValueError, match="narrows nothing"):
        narrowing(Stenosis(grade="0"))
    assert isinstance(once.narrowings["L4-L5"][0], Narrowing)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("L4-L5 central Schizas C", {"disc": "L4-L5", "grade": "C"}),
        ("severe central stenosis at L3/4", {"disc": "L3-L4", "grade": "C"}),
        ("L4-L5 60 mm²", {"sac_area": 60.0, "grade": "C"}),
        ("left lateral recess L4–L5 Bartynski 2", {"place": "recess", "grade": "2", "side": "left"}),
        (
            "L5-S1 right foraminal Lee 3",
            {"disc": "L5-S1", "place": "foraminal", "side": "right", "grade": "3"},
        ),
        ("bilateral foraminal stenosis L5-S1", {"place": "foraminal", "both": True, "grade": "2"}),
    ],
)
def test_a_line_tells_a_stenosis(words: str, told: dict[str, object]) -> None:
    said = stenosis_shorthand(words)
    assert {name: getattr(said, name) for name in told} == told


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("central C", "say a lumbar disc"),
        ("L4-L5 centrall C", "nearest: central"),
        ("L4-L5 2", "a recess or a foramen"),
        ("L4-L5 left central C", "no sides"),
        ("L4-L5 recess C", "Bartynski"),
        ("L2-L5 central", "nearest: L2-L3"),
    ],
)
def test_a_line_that_is_not_understood_is_refused(words: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        stenosis_shorthand(words)


def test_an_area_has_the_grade_that_it_usually_has() -> None:
    assert [grade_of(area) for area in (140.0, 100.0, 60.0, 30.0)] == ["A", "B", "C", "D"]


def changed_names(model: Model, healthy: Model) -> set[str]:
    return {name for name, item in model.structures.items() if item is not healthy.structures.get(name)} | {
        name for name in healthy.structures if name not in model.structures
    }


def test_a_narrow_canal_grades_as_it_was_asked_and_keeps_its_nerves(healthy: Model) -> None:
    areas = []
    for grade in ("B", "C", "D"):
        stenosis = Stenosis(grade=grade)  # type: ignore[arg-type]
        model = ill(stenosis, healthy)
        report = measure(model, healthy, disc="L4-L5")
        assert measured_grade(report, stenosis) == grade
        areas.append(report.value("L4-L5", "dural_sac_area"))
        for name, item in model.structures.items():
            if name.startswith(("root.", "cauda.")):
                assert kept_volume(item, healthy.structures[name]) == pytest.approx(1.0, abs=0.03), name
    assert areas == sorted(areas, reverse=True)


def kept_volume(item: Structure, before: Structure) -> float:
    return volume(item.surface) / volume(before.surface)


def test_a_sac_has_the_area_that_was_asked(healthy: Model) -> None:
    report = measure(ill(Stenosis(sac_area=75.0), healthy), healthy, disc="L4-L5")
    assert report.value("L4-L5", "dural_sac_area") == pytest.approx(75.0, abs=3.0)


@pytest.mark.parametrize(("place", "key"), [("recess", "root_room"), ("foraminal", "foramen_gap_transverse")])
def test_a_narrow_recess_or_foramen_grades_as_it_was_asked_on_its_side(
    healthy: Model, place: str, key: str
) -> None:
    usual = measure(healthy, healthy, disc="L4-L5")
    for grade in ("2", "3"):
        stenosis = Stenosis(place=place, grade=grade, side="right")  # type: ignore[arg-type]
        report = measure(ill(stenosis, healthy), healthy, disc="L4-L5")
        assert measured_grade(report, stenosis) == grade
        assert report.value("L4-L5", key, "right") < 0.5 * usual.value("L4-L5", key, "right")
        other = report.value("L4-L5", key, "left")
        assert other == pytest.approx(usual.value("L4-L5", key, "left"), rel=0.02)


@pytest.mark.many
@pytest.mark.parametrize("disc", DISCS)
@pytest.mark.parametrize("place", ["central", "recess", "foraminal"])
def test_every_lumbar_disc_grades_as_it_was_asked(lumbar: Model, disc: LumbarDisc, place: str) -> None:
    for grade in GRADES[place]:  # type: ignore[index]
        stenosis = Stenosis(disc=disc, place=place, grade=grade)  # type: ignore[arg-type]
        report = measure(ill(stenosis, lumbar), lumbar, disc=disc)
        assert measured_grade(report, stenosis) == (grade if grade != "0" or place != "central" else "A")
