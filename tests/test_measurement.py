"""What is measured on stand-ins reads as large as they were made, and the healthy lower back as published."""

from __future__ import annotations

import csv
import io
import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
import trimesh
from test_measures import faults

from spineviz.anatomy.bone import LevelBone, SurfaceDistance
from spineviz.anatomy.disc import disc_recipes
from spineviz.body import Anatomy
from spineviz.body.bake import shelf
from spineviz.body.skeleton import standing
from spineviz.library import data_folder
from spineviz.locale import catalog, text
from spineviz.measurement import Displaced, Report, Row, grades, measure
from spineviz.measurement.bodies import bodies, body_heights, cobb, disc_heights, slip
from spineviz.measurement.canal import sac_area
from spineviz.measurement.crowding import crowding
from spineviz.measurement.displaced import displaced
from spineviz.measurement.roots import effect
from spineviz.measurement.segment import Segment
from spineviz.measurement.slices import axial, caliper, filled, gap_about, hit, middle, reach
from spineviz.measurement.table import FIELDS, as_csv, as_json, as_table, as_words
from spineviz.measurement.words import described
from spineviz.model import Model
from spineviz.pathology import apply
from spineviz.pathology.herniation import Herniation
from spineviz.section import section
from spineviz.structure import Bone, Floats, Frame, Structure, Surface
from spineviz.terms import Level

HALF = np.array([22.0, 17.0, 13.0])
"""Half the width, depth and height of a stand-in's body, mm."""


@dataclass(frozen=True, eq=False)
class Block:
    """A stand-in vertebra: a box with endplates, placed by a frame; it has no arch."""

    level: Level
    frame: Frame
    height: float = 1.0

    @property
    def surface(self) -> Surface:
        mesh = trimesh.creation.box(extents=2 * HALF * [1.0, 1.0, self.height]).subdivide().subdivide()
        return Surface(mesh.vertices, mesh.faces).placed(self.frame)

    @property
    def landmarks(self) -> dict[str, Frame]:
        plates = {"superior": HALF[2] * self.height, "inferior": -HALF[2] * self.height}
        return {
            f"endplate.{name}": Frame([0.0, 0.0, z], np.eye(3)).then(self.frame) for name, z in plates.items()
        }

    def distance(self, points: Floats) -> Floats:
        raise AssertionError("a stand-in is measured on its mesh")


def turned(angle: float, axis: str, origin: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Frame:
    """Return a frame turned by degrees: ``x`` raises its front, ``y`` its right side."""
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    axes = [[1, 0, 0], [0, c, s], [0, -s, c]] if axis == "x" else [[c, 0, s], [0, 1, 0], [-s, 0, c]]
    return Frame(np.array(origin), np.array(axes, dtype=float))


def tube(radius: float, centre: tuple[float, float, float], length: float = 60.0) -> Surface:
    mesh = trimesh.creation.cylinder(radius, length, sections=96)
    return Surface(mesh.vertices + centre, mesh.faces)


def pair(shift: float = 0.0, **shapes: Surface) -> Segment:
    """Return two stand-ins 10 mm apart, the upper one slid forwards, with some surfaces about their canal."""
    upper = Block("L4", Frame(np.array([0.0, shift, 36.0])))
    lower = Block("L5", Frame(np.zeros(3)))
    surfaces = {"L4": upper.surface, "L5": lower.surface, **shapes}
    found = bodies({"L4": upper, "L5": lower}, surfaces)
    return Segment("L4-L5", found["L4"], found["L5"], (upper, lower), surfaces)


def test_lines_in_a_slice_tell_what_is_filled_and_what_is_free() -> None:
    face = section(tube(5.0, (0.0, 0.0, 0.0)), Frame())
    assert filled(face, (0.0, 20.0), (0.0, -1.0))[0] == pytest.approx((15.0, 25.0), abs=0.02)
    assert hit(face, (0.0, 20.0), (0.0, -1.0)) == pytest.approx(15.0, abs=0.02)
    assert reach(face, (0.0, 2.0), (0.0, 1.0)) == pytest.approx(3.0, abs=0.02)
    assert reach(face, (0.0, 20.0), (0.0, 1.0)) is None
    assert gap_about(face, (0.0, 0.0), (0.0, 1.0)) is None
    assert caliper(face) == pytest.approx(10.0, abs=0.02)
    assert middle(face) == pytest.approx([0.0, 0.0], abs=0.01)


def test_a_body_and_a_disc_are_as_high_as_they_were_made() -> None:
    segment = pair()
    heights = body_heights(segment.upper)
    assert heights is not None
    assert (heights.anterior, heights.middle, heights.posterior) == pytest.approx(
        (26.0, 26.0, 26.0), abs=0.01
    )
    space = disc_heights(segment.upper, segment.lower)
    assert (space.anterior, space.middle, space.posterior) == pytest.approx((10.0, 10.0, 10.0), abs=0.01)


@pytest.mark.parametrize(
    ("shift", "grade"),
    [(0.0, "0"), (2.0, "0"), (6.8, "I"), (11.9, "II"), (20.4, "III"), (30.6, "IV"), (37.4, "V")],
)
def test_a_slid_vertebra_has_the_slip_and_the_meyerding_grade_of_its_way(shift: float, grade: str) -> None:
    segment = pair(shift)
    way, percent = slip(segment.upper, segment.lower)
    assert way == pytest.approx(shift, abs=0.01)
    assert percent == pytest.approx(100 * shift / 34.0, abs=0.1)
    assert grades.of_slip(way, percent).grade == grade


def test_a_vertebra_slid_backwards_is_called_so() -> None:
    assert grades.of_slip(*slip(pair(-5.0).upper, pair().lower)).grade == "retrolisthesis"


@pytest.mark.parametrize("angle", [12.0, 35.0, 60.0])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_two_tilted_planes_have_the_cobb_angle_between_them(angle: float, sign: float) -> None:
    tilts = (0.6 * angle * sign, 0.1 * angle, -0.4 * angle * sign)
    levels: tuple[Level, ...] = ("L1", "L2", "L3")
    bones = {
        level: Block(level, turned(tilt, "y", (0.0, 0.0, -60.0 * index)))
        for index, (level, tilt) in enumerate(zip(levels, tilts, strict=True))
    }
    curve = cobb(list(bodies(bones, {}).values()))
    assert curve is not None
    assert curve.angle == pytest.approx(angle, abs=0.2)
    assert (curve.upper, curve.lower, curve.right) == ("L1", "L3", sign > 0)
    assert grades.of_curve(curve.angle).grade == "scoliosis"


def test_lordosis_is_the_angle_between_the_endplates_of_l1_and_s1() -> None:
    bones = {
        "L1": Block("L1", turned(15.0, "x", (0.0, 0.0, 150.0))),
        "S1": Block("S1", turned(-33.0, "x")),
    }
    surfaces = {level: Structure(level, "bone", bone.surface) for level, bone in bones.items()}
    report = measure(Model(surfaces, {}, bones))  # type: ignore[arg-type]
    assert report.value("L1-S1", "lumbar_lordosis") == pytest.approx(48.0, abs=0.2)


@pytest.mark.parametrize(("left", "grade"), [(0.9, "0"), (0.78, "1"), (0.7, "2"), (0.5, "3")])
def test_a_crushed_body_has_the_genant_grade_of_its_loss(left: float, grade: str) -> None:
    healthy, crushed = (
        Model({"L3": Structure("L3", "bone", bone.surface)}, {}, {"L3": bone})
        for bone in (Block("L3", Frame()), Block("L3", Frame(), left))
    )
    row = measure(crushed, healthy).row("L3", "vertebra_height_loss")
    assert row.value == pytest.approx(100 * (1 - left), abs=0.2)
    assert row.grade is not None and row.grade.grade == grade
    assert measure(crushed, healthy).row("L3", "vertebra_height_anterior").percent == pytest.approx(
        100 * left, abs=0.2
    )


@pytest.mark.parametrize(("radius", "grade"), [(7.0, "none"), (5.2, "relative"), (4.0, "absolute")])
def test_a_tube_has_the_area_of_its_circle_however_the_disc_is_tilted(radius: float, grade: str) -> None:
    segment = pair(thecal_sac=tube(radius, (0.0, -26.0, 18.0)))
    area = sac_area(segment)
    assert area == pytest.approx(np.pi * radius**2, rel=0.003)
    assert area is not None and grades.of_sac(area).grade == grade


def test_rootlets_fill_the_share_of_the_sac_that_they_take() -> None:
    sac, bundle = tube(8.0, (0.0, -26.0, 18.0)), tube(4.0, (0.0, -28.0, 18.0))
    found = crowding(pair(thecal_sac=sac, **{"cauda.S2.left": bundle}))
    assert found is not None and found.filled == pytest.approx(0.25, abs=0.003)
    assert found.clear == pytest.approx(0.75, abs=0.03)
    assert crowding(pair(thecal_sac=sac)) is None
    told = [
        grades.of_contents(clear, filled, fat).grade
        for clear, filled, fat in (
            (0.5, 0.3, 9.0),
            (0.1, 0.5, 9.0),
            (0.0, 0.5, 9.0),
            (0.0, 0.8, 9.0),
            (0.0, 0.8, 0.0),
        )
    ]
    assert told == ["A", "B", "B", "C", "D"]


def test_a_root_that_is_pushed_and_flattened_shows_by_how_much(monkeypatch: pytest.MonkeyPatch) -> None:
    def between_pedicles(segment: Segment) -> tuple[tuple[float, object], ...]:
        from spineviz.measurement.slices import Slice

        heights = np.arange(5.0, -6.0, -1.0)
        frames = [
            axial((0.0, 0.0, 18.0 + z), np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])) for z in heights
        ]
        return tuple(
            (float(z), Slice(frame, segment.shapes)) for z, frame in zip(heights, frames, strict=True)
        )

    monkeypatch.setattr(Segment, "slices", property(between_pedicles))
    healthy, root = tube(2.0, (-6.0, -24.0, 18.0)), "root.L5.left"
    flat = Surface((healthy.vertices - [-6, -24, 0]) * [1.0, 0.6, 1.0] + [-4.0, -27.0, 0.0], healthy.faces)
    found = effect(pair(**{root: flat}), pair(**{root: healthy}), root)
    assert found is not None
    assert found.displacement == pytest.approx(np.hypot(2.0, 3.0), abs=0.01)
    assert found.narrowing == pytest.approx(40.0, abs=0.5)
    assert grades.of_root(0.0, found.displacement, found.narrowing).grade == "3"
    assert [grades.of_root(gap, way, 0.0).grade for gap, way in ((2.0, 0.1), (0.2, 0.1), (0.2, 2.0))] == [
        "0",
        "1",
        "2",
    ]


@pytest.fixture(scope="module")
def lower_back() -> Model:
    """The baked healthy lumbar spine: its own meshes, and landmarks as the bones stand."""
    baked, levels = shelf(), ("L4", "L5", "S1")
    bones = {
        level: LevelBone(
            level,
            item.posed,
            {name: mark.then(item.posed) for name, mark in item.blank.landmarks.items()},
            baked[level].surface,
            SurfaceDistance(baked[level].surface),
        )
        for level, item in standing(Anatomy(), levels).items()
    }
    return Model(dict(baked), {}, bones)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def healthy_report(lower_back: Model) -> Report:
    return measure(lower_back, lower_back)


def test_the_healthy_lower_back_measures_as_published(healthy_report: Report) -> None:
    at = "L4-L5"
    value = healthy_report.value
    assert value(at, "disc_height_middle") == pytest.approx(11.4, abs=0.6)
    assert value(at, "disc_height_posterior") == pytest.approx(6.6, abs=1.0)
    assert 151.67 - 53.59 < value(at, "dural_sac_area") < 151.67 + 53.59  # Lim 2017
    assert 12.0 < value(at, "canal_depth") < 19.0
    assert value("L4-S1", "lower_lumbar_lordosis") == pytest.approx(35.6, abs=2.0)
    for side in ("left", "right"):
        assert 15.0 < value(at, "foramen_height", side) < 22.0
        assert 80.0 < value(at, "foramen_area", side) < 180.0
        assert value(at, "recess_height", side) > 3.0
    assert not healthy_report.displaced


def test_what_is_healthy_is_graded_so(healthy_report: Report) -> None:
    for row in healthy_report.rows:
        if row.grade is not None and row.grade.scheme in ("dsca", "canal_depth", "cobb"):
            assert row.grade.grade == "none", row
        if row.grade is not None and row.grade.scheme in ("meyerding", "genant", "root"):
            assert row.grade.grade == "0", row


def test_left_measures_as_right(healthy_report: Report) -> None:
    sided = [row for row in healthy_report.rows if row.side == "left" and row.at == "L4-L5" and row.value]
    assert len(sided) > 4
    for row in sided:
        assert row.value == pytest.approx(healthy_report.value(row.at, row.key, "right"), rel=0.03), row


def lump(centre: tuple[float, float, float], size: tuple[float, float, float]) -> Structure:
    mesh = trimesh.creation.icosphere(4)
    return Structure("herniation.L4-L5", "fragment", Surface(mesh.vertices * size + centre, mesh.faces))


def with_lump(model: Model, y: float) -> Model:
    """Return a body with a ball 9 mm wide and 7 mm deep, in the left half of the canal behind L4-L5."""
    found = bodies(model.bones, {name: item.surface for name, item in model.structures.items()})
    frame = Segment("L4-L5", found["L4"], found["L5"], bones_of(model), {}).frame
    ball = lump((-5.0, y, -1.0), (4.5, 3.5, 5.5))
    there = replace(ball, surface=ball.surface.placed(frame))
    return replace(model, structures={**model.structures, there.name: there})


@pytest.fixture(scope="module")
def herniated(lower_back: Model) -> Report:
    return measure(with_lump(lower_back, -20.0), lower_back, disc="L4-L5")


def test_displaced_material_is_found_where_it_was_put(herniated: Report) -> None:
    (found,) = herniated.displaced
    assert (found.side, found.zones[0], found.morphology) == ("left", "paracentral", "extrusion")
    assert found.width == pytest.approx(9.0, abs=0.6)
    assert found.depth == pytest.approx(5.0, abs=0.6)
    assert found.direction == "caudal" and found.level == "pedicular"
    assert found.migration == pytest.approx(3.0, abs=0.6)
    assert found.size == 2 and "A" in found.location
    assert 0.05 < found.compromise < 0.3


def test_a_piece_apart_from_its_disc_is_a_sequestration_and_deeper(
    lower_back: Model, herniated: Report
) -> None:
    sick, usual = (
        Segment(
            "L4-L5", *(bodies(body.bones, shapes)[level] for level in ("L4", "L5")), bones_of(body), shapes
        )
        for body in (with_lump(lower_back, -24.5), lower_back)
        for shapes in [{name: item.surface for name, item in body.structures.items()}]
    )
    (found,) = displaced(sick, usual)
    assert found.morphology == "sequestration"
    assert found.depth == pytest.approx(herniated.displaced[0].depth + 4.5, abs=0.3)
    assert found.size > herniated.displaced[0].size


def bones_of(model: Model) -> tuple[Bone, Bone]:
    return model.bones["L4"], model.bones["L5"]


@pytest.mark.many
@pytest.mark.parametrize(
    ("zone", "morphology", "side", "depth", "migration"),
    [
        ("central", "protrusion", "left", 4.0, 0.0),
        ("subarticular", "protrusion", "right", 5.0, 0.0),
        ("subarticular", "extrusion", "right", 9.0, 8.0),
        ("subarticular", "extrusion", "left", 5.0, 0.0),
        ("central", "extrusion", "left", 8.0, 0.0),
    ],
)
def test_a_herniation_is_read_as_it_was_asked_for(
    bones: dict[Level, LevelBone], zone: str, morphology: str, side: str, depth: float, migration: float
) -> None:
    wanted = {"zone": zone, "morphology": morphology, "side": side, "depth": depth}
    wanted |= {"migration": "cranial", "migration_distance": migration} if migration else {}
    asked = Herniation.model_validate(wanted, strict=False)
    healthy = Model(dict(shelf()), {}, bones)  # type: ignore[arg-type]
    made = disc_recipes("L4-L5", apply(asked, Anatomy()).discs["L4-L5"], bones)
    changed = {
        name: Structure(name, item.tissue, item.surface())
        for name, item in made.items()
        if name.startswith(("herniation", "disc"))
    }
    sick = replace(healthy, structures={**healthy.structures, **changed})
    (found,) = displaced(
        *(
            Segment(
                "L4-L5",
                *(bodies(model.bones, shapes)[level] for level in ("L4", "L5")),
                bones_of(model),
                shapes,
            )
            for model in (sick, healthy)
            for shapes in [{name: item.surface for name, item in model.structures.items()}]
        )
    )
    assert found.morphology == morphology
    assert found.side == (None if zone == "central" else side)
    assert found.depth == pytest.approx(depth, abs=1.5)
    if migration:
        assert found.direction == "cranial"
        assert found.migration == pytest.approx(migration, abs=1.0)


def test_displaced_material_leaves_less_canal(herniated: Report, healthy_report: Report) -> None:
    assert herniated.value("L4-L5", "canal_area") < healthy_report.value("L4-L5", "canal_area") - 20.0


def test_a_disc_that_is_not_there_is_refused_with_those_that_are(lower_back: Model) -> None:
    with pytest.raises(ValueError, match="no disc L1-L2 to measure; there is: L4-L5, L5-S1"):
        measure(lower_back, disc="L1-L2")


def told(report: Report) -> Iterator[str]:
    yield from as_table(report).splitlines()


def test_a_table_is_aligned_and_has_units(healthy_report: Report) -> None:
    lines = list(told(healthy_report))
    column = lines[0].index("UNIT")
    areas = [line for line in lines if line.startswith("Dural sac area at the disc")]
    assert len(areas) == 2
    assert all(line[column:].startswith("mm²") for line in areas)
    assert lines[-1] == text_of("measure.note")


def text_of(key: str) -> str:
    return catalog()[key]


def test_json_and_csv_hold_every_row_with_its_unit_and_source(healthy_report: Report) -> None:
    entries = json.loads(as_json(healthy_report, "test"))["measures"]
    rows = list(csv.DictReader(io.StringIO(as_csv(healthy_report))))
    assert len(entries) == len(rows) == len(healthy_report.rows)
    assert tuple(rows[0]) == FIELDS
    for entry in entries:
        assert entry["unit"] or entry["grade"]
        assert entry["grade"] is None or entry["source"]


def example(side: str | None = "left", grade: str = "3", disc: str = "L4-L5", root: str = "L5") -> Report:
    """Return a report of one extrusion, as it would be measured."""
    piece = Displaced(
        disc,
        side,
        "extrusion",
        ("subarticular", "foraminal"),
        7.0,
        11.0,
        "caudal",
        6.0,
        "suprapedicular",
        0.4,
        2,
        "AB",
    )  # type: ignore[arg-type]
    row_side = side or "left"
    share = grades.of_compromise(0.4)
    graded = grades.graded("root", grade)
    rows = (
        Row(disc, "dural_sac_area", 90.0, "mm²", healthy=160.0, grade=grades.of_sac(90.0)),
        Row(disc, "traversing_root_displacement", 3.0, "mm", row_side, detail=root),  # type: ignore[arg-type]
        Row(disc, "traversing_root_narrowing", 30.0, "%", row_side, None, graded, root),  # type: ignore[arg-type]
        Row(disc, "canal_compromise", 40.0, "%", side, grade=share),  # type: ignore[arg-type]
    )
    return Report(rows, (piece,))


def test_a_herniation_is_told_in_radiological_words() -> None:
    words = " ".join(text(line) for line in described(example()))
    assert words.startswith(
        "L4–L5: left subarticular disc extrusion, 7.0 mm deep and 11.0 mm wide, MSU 2-AB."
    )
    for part in (
        "6.0 mm caudally",
        "40 % of the canal (moderate",
        "56 % of the healthy area",
        "L5 root is compressed",
    ):
        assert part in words
    assert "extensor hallucis longus" in words and "hardly go together" in words


def test_a_herniation_is_told_in_plain_words() -> None:
    words = " ".join(text(line) for line in described(example(), plain=True))
    assert "on the left, the soft centre of the disc has pushed out" in words
    assert "big toe" in words and "says little about how much it hurts" in words
    assert not {"extrusion", "subarticular", "MSU", "dermatome"} & set(words.split())


def test_a_root_that_is_free_is_not_blamed() -> None:
    words = as_words(example(grade="0"))
    assert "It touches no nerve root in this model." in words and "big toe" not in words


def test_without_a_herniation_the_words_say_so() -> None:
    assert as_words(Report(())) == text_of("describe.nothing")


def test_every_threshold_has_a_source_and_a_confidence() -> None:
    content = tomllib.loads((data_folder("meshes") / "gradings.toml").read_text("utf-8"))
    assert not list(faults(content))
    assert {f"measure.scheme.{name}" for name in content} <= set(catalog())
