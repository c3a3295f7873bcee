"""Stenosis: what grows into the canal, a recess and a foramen, and what the nerves there do."""

from __future__ import annotations

import numpy as np
import pytest
from contacts import depths

from spineviz.anatomy.stenosis.canal import canal_room, fitted
from spineviz.anatomy.stenosis.narrowing import Causes, Narrowing
from spineviz.anatomy.stenosis.packing import Slices, packed, toward
from spineviz.anatomy.stenosis.room import ANGLES, TURN, Room
from spineviz.anatomy.stenosis.squeeze import Squeeze, between
from spineviz.body import Anatomy, build
from spineviz.body.diseased import diseased
from spineviz.geometry import volume
from spineviz.measurement import grades
from spineviz.measurement.canal import bony_depth, fat_behind, recess_height, sac_area
from spineviz.measurement.clearance import clearance
from spineviz.measurement.crowding import crowding
from spineviz.measurement.measuring import subject
from spineviz.measurement.roots import name_of, room
from spineviz.measurement.segment import Segment
from spineviz.model import Model
from spineviz.pathology import Stenosis, apply, stenosis_shorthand
from spineviz.pathology.stenosis import GRADES, LumbarDisc, grade_of, narrowing
from spineviz.section import section
from spineviz.structure import Floats, Frame, Structure
from spineviz.terms import Level

DISCS: tuple[LumbarDisc, ...] = ("L1-L2", "L2-L3", "L3-L4", "L4-L5", "L5-S1")
TANGLED = 0.3
"""How deep (mm) a rootlet may stand in another."""

FULL = 0.85
"""So much of the sac nerves fill at least where no fluid is seen; L2–L3 at grade D is the least with 0.86."""

LEVELS: tuple[Level, ...] = ("L1", "L2", "L3", "L4", "L5", "S1")


@pytest.fixture(scope="session")
def body() -> Model:
    """The two lower lumbar vertebrae with their discs, nerves and ligaments."""
    made = build(Anatomy(), ("L4", "L5"), covered=False)
    return Model(dict(made.structures), {}, made.bones, {})


@pytest.fixture(scope="session")
def lumbar() -> Model:
    """All lumbar vertebrae and the sacrum."""
    made = build(Anatomy(), LEVELS, covered=False)
    return Model(dict(made.structures), {}, made.bones, {})


def ill(stenosis: Stenosis, body: Model) -> Model:
    changed = diseased(apply(stenosis, Anatomy()), body.bones, body.structures)
    return Model(changed, {}, body.bones, {})


def segment_of(model: Model, stenosis: Stenosis) -> Segment:
    found = subject(model).segment(stenosis.disc)
    assert found is not None
    return found


def graded(segment: Segment, stenosis: Stenosis, body: Model) -> str:
    """Return the grade that the geometry has, by code that does not know what was asked."""
    if stenosis.place == "central":
        within = crowding(segment)
        assert within is not None
        return grades.of_contents(within.clear, within.filled, fat_behind(segment) or 0.0).grade
    if stenosis.place == "recess":
        name = name_of(segment, 1, stenosis.side)
        assert name is not None
        return grades.of_traversing(room(segment, name) or 0.0).grade
    now, usual = (clearance(each, stenosis.side) for each in (segment, segment_of(body, stenosis)))
    assert now is not None and usual is not None
    loss = 100.0 * (1.0 - now.thickness / usual.thickness)
    return grades.of_clearance(now.transverse, now.vertical, loss).grade


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


@pytest.fixture(scope="module")
def shared_out() -> tuple[Slices, Floats, Floats]:
    """Two thick and 14 thin strands in a sac with three lobes that is narrow amid, as they are packed."""
    count, heights = 16, np.linspace(-1.0, 1.0, 15)
    turn = np.arange(count) * 2.4 + 0.3
    wide = 3.0 + 3.0 * heights**2
    start = (np.sqrt(np.arange(count) + 0.5)[:, None] * wide / 4.5)[..., None]
    start = start * np.stack([np.cos(turn), np.sin(turn)], axis=1)[:, None]
    borders = np.repeat((wide[:, None] * (1.0 - 0.35 * np.sin(3.0 * TURN)))[None], count, axis=0)
    room = 0.5 * np.sin(TURN[1]) * (borders[0] * np.roll(borders[0], -1, axis=1)).sum(axis=1)
    shares = np.array([0.3, 0.3, *np.linspace(0.01, 0.4 / 7 - 0.01, 14)])[:, None]
    wanted = 0.96 * room.min() * shares * np.ones_like(heights)
    ones = np.ones((count, len(heights)))
    slices = Slices(start, np.sqrt(wanted / np.pi), wanted, ones, borders, None)
    return slices, *packed(slices, ones, ANGLES)


def test_strands_in_a_narrow_sac_have_their_areas_and_fill_it(
    shared_out: tuple[Slices, Floats, Floats],
) -> None:
    slices, _, reach = shared_out
    area = 0.5 * np.sin(TURN[1]) * (reach * np.roll(reach, -1, axis=-1)).sum(axis=-1)
    assert area.sum(axis=0) == pytest.approx(slices.wanted.sum(axis=0), rel=0.03)
    assert area == pytest.approx(slices.wanted, rel=0.2)


def test_no_cell_of_a_strand_reaches_into_that_of_another(shared_out: tuple[Slices, Floats, Floats]) -> None:
    _, places, reach = shared_out
    along = np.stack([np.cos(TURN), np.sin(TURN)], axis=1)
    for row in range(len(places)):
        ends = places[row][:, None] + reach[row][..., None] * along
        away = ends[None] - np.delete(places, row, axis=0)[:, :, None]
        far = toward(np.delete(reach, row, axis=0), away)
        assert (np.hypot(away[..., 0], away[..., 1]) > far - 0.03).all()


def test_strands_run_from_slice_to_slice_without_a_kink(shared_out: tuple[Slices, Floats, Floats]) -> None:
    _, places, _ = shared_out
    assert np.linalg.norm(np.diff(places, 2, axis=1), axis=2).max() < 0.4


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ({"place": "central", "grade": "2"}, "graded 0, A, B, C, D after Schizas"),
        ({"place": "recess", "grade": "C"}, "graded 0, 1, 2, 3 after Bartynski"),
        ({"place": "foraminal", "sac_area": 60.0}, "tells of the canal"),
        ({"sac_area": 60.0, "grade": "A"}, "is grade C here"),
        ({"sac_area": 300.0}, "25 to 160"),
        ({"both": True}, "no sides"),
        ({"place": "recess", "disc": "L2-L3", "grade": "2"}, "no true lateral recess; choose L3-L4"),
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
        (
            "L4-L5 central B from short pedicles and thick flavum",
            {"grade": "B", "causes": Causes(disc=0.0, flavum=1.0, facets=0.0, pedicles=1.0)},
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
        ("central C", "say the disc"),
        ("L4-L5 centrall C", "nearest: central"),
        ("L4-L5 2", "a recess or a foramen"),
        ("L4-L5 left central C", "no sides"),
        ("L4-L5 recess C", "Bartynski"),
        ("L2-L5 central", "there is no disc L2-L5"),
    ],
)
def test_a_line_that_is_not_understood_is_refused(words: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        stenosis_shorthand(words)


def test_an_area_has_the_grade_that_it_usually_has() -> None:
    assert [grade_of(area) for area in (140.0, 100.0, 60.0, 30.0)] == ["A", "B", "C", "D"]


@pytest.mark.parametrize(
    ("stenosis", "area"), [(Stenosis(sac_area=95.0), 95.0), (Stenosis(grade="D"), 0.23 * 170.5)]
)
def test_a_narrow_canal_leaves_what_was_asked_and_grades_so(
    body: Model, stenosis: Stenosis, area: float
) -> None:
    model = ill(stenosis, body)
    segment = segment_of(model, stenosis)
    assert sac_area(segment) == pytest.approx(area, rel=0.03)
    assert graded(segment, stenosis, body) == stenosis.grade
    for name, item in model.structures.items():
        if name.startswith(("root.", "cauda.")):
            assert kept_volume(item, body.structures[name]) == pytest.approx(1.0, abs=0.03), name


@pytest.mark.parametrize("pedicles", [0.0, 3.0])
def test_short_pedicles_make_the_bony_canal_shallow_and_other_causes_do_not(
    body: Model, pedicles: float
) -> None:
    stenosis = Stenosis(sac_area=95.0, causes=Causes(facets=0.0, pedicles=pedicles))
    segment = segment_of(ill(stenosis, body), stenosis)
    now, usual = bony_depth(segment), bony_depth(segment_of(body, stenosis))
    assert now is not None and usual is not None
    assert sac_area(segment) == pytest.approx(95.0, rel=0.03)
    assert (usual - now > 2.0) if pedicles else usual - now == pytest.approx(0.0, abs=0.2)


def kept_volume(item: Structure, before: Structure) -> float:
    return volume(item.surface) / volume(before.surface)


@pytest.mark.parametrize("place", ["recess", "foraminal"])
def test_a_narrow_recess_or_foramen_grades_so_on_its_side_alone(body: Model, place: str) -> None:
    stenosis = Stenosis(place=place, grade="3", side="right")  # type: ignore[arg-type]
    model = ill(stenosis, body)
    segment = segment_of(model, stenosis)
    assert graded(segment, stenosis, body) == "3"
    assert graded(segment, stenosis.model_copy(update={"side": "left"}), body) == "0"
    root = f"root.{'L5' if place == 'recess' else 'L4'}.left"
    assert model.structures[root] is body.structures[root]


@pytest.mark.parametrize("grade", ["1", "3"])
def test_in_a_narrow_recess_no_ligament_cartilage_or_fat_stands_in_the_root_or_in_bone(
    body: Model, grade: str
) -> None:
    model = ill(Stenosis(place="recess", grade=grade), body)  # type: ignore[arg-type]
    soft = ("flavum.L4-L5.left", "facet_cartilage.L4-L5.left", "epidural_fat.L4-L5")
    firm = ("root.L5.left", "thecal_sac", "L4", "L5")
    found = depths(
        {name: model.structures[name].surface for name in (*soft, *firm) if name in model.structures},
        lambda first, second: (first in soft) != (second in soft),
    )
    assert not {pair: way for pair, way in found.items() if way > 0.3}


@pytest.mark.parametrize("disc", DISCS)
def test_every_lumbar_sac_becomes_as_narrow_as_the_worst_grade_asks(lumbar: Model, disc: LumbarDisc) -> None:
    asked = narrowing(Stenosis(disc=disc, grade="D"))
    sac = lumbar.structures["thecal_sac"].surface
    canal = canal_room(disc, lumbar.bones, lumbar.structures)
    narrow = sac.moved(fitted(canal, asked, sac)(sac.vertices))
    left = section(narrow, canal.frame).area / section(sac, canal.frame).area
    assert left == pytest.approx(asked.share, rel=0.03)


@pytest.mark.many
@pytest.mark.parametrize("disc", DISCS[2:])
def test_the_higher_the_grade_of_a_recess_the_less_room_its_root_has(lumbar: Model, disc: LumbarDisc) -> None:
    rooms = []
    for grade in GRADES["recess"]:
        stenosis = Stenosis(disc=disc, place="recess", grade=grade)
        segment = segment_of(ill(stenosis, lumbar), stenosis)
        name = name_of(segment, 1, "left")
        assert name is not None
        rooms.append(room(segment, name) or 0.0)
    assert rooms == sorted(rooms, reverse=True) and len(set(rooms)) == len(rooms)


@pytest.mark.many
@pytest.mark.parametrize("disc", DISCS[:4])
def test_the_higher_the_grade_of_a_canal_the_less_its_sac_and_recesses(
    lumbar: Model, disc: LumbarDisc
) -> None:
    areas, heights = [], []
    for grade in GRADES["central"]:
        stenosis = Stenosis(disc=disc, grade=grade)
        segment = segment_of(ill(stenosis, lumbar), stenosis)
        areas.append(sac_area(segment) or 0.0)
        heights.append([recess_height(segment, side) or 0.0 for side in ("right", "left")])
    assert (np.diff(areas) < 0.0).all() and (np.diff(heights, axis=0) < 0.0).all()


@pytest.mark.many
@pytest.mark.parametrize("disc", DISCS)
@pytest.mark.parametrize("grade", ["B", "D"])
def test_in_a_narrow_sac_no_rootlet_stands_in_another(lumbar: Model, disc: LumbarDisc, grade: str) -> None:
    model = ill(Stenosis(disc=disc, grade=grade), lumbar)  # type: ignore[arg-type]
    nerves = {
        name: item.surface for name, item in model.structures.items() if name.startswith(("root.", "cauda."))
    }
    deep = {pair: way for pair, way in depths(nerves, lambda first, second: True).items() if way > TANGLED}
    assert not deep


@pytest.mark.many
@pytest.mark.parametrize(
    ("place", "disc"),
    [
        *(("central", disc) for disc in DISCS),
        *(("recess", disc) for disc in DISCS[2:]),
        *(("foraminal", disc) for disc in DISCS),
    ],
)
def test_every_lumbar_disc_grades_as_it_was_asked(lumbar: Model, disc: LumbarDisc, place: str) -> None:
    for grade in GRADES[place]:  # type: ignore[index]
        stenosis = Stenosis(disc=disc, place=place, grade=grade)  # type: ignore[arg-type]
        segment = segment_of(ill(stenosis, lumbar), stenosis)
        asked = "A" if place == "central" and grade == "0" else grade
        assert graded(segment, stenosis, lumbar) == asked
        within = crowding(segment) if place == "central" and grade in ("C", "D") else None
        assert within is None or within.filled > FULL
