"""Slips, worn discs, fractures and curves: what is asked for is what is measured on the bones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import trimesh
from contacts import depths, penetration
from pydantic import ValidationError

from spineviz.anatomy.bone import LevelBone, SurfaceDistance
from spineviz.anatomy.column.carrying import Carrier, Rigid, carried, carried_frame, evened
from spineviz.anatomy.column.movements import Moved, movements, turned
from spineviz.anatomy.nerve.swept import swept
from spineviz.anatomy.recipe import Body
from spineviz.anatomy.vertebra.pars_defect import pars_defect
from spineviz.body import Anatomy, build
from spineviz.body.changed import deformed
from spineviz.body.remade import marks_of
from spineviz.body.skeleton import standing
from spineviz.geometry import as_trimesh, volume
from spineviz.measurement import grades
from spineviz.measurement.bodies import bodies, body_heights, disc_heights, slip
from spineviz.measurement.pieces import Piece, damage, pieces
from spineviz.pathology import Deformity, Degeneration, Fracture, Listhesis, Pathology, apply
from spineviz.pathology.deformity import bends
from spineviz.scene import Scene
from spineviz.sdf.mesher import mesh
from spineviz.structure import Structure, Surface
from spineviz.terms import Level, column, discs_of

LEVELS: tuple[Level, ...] = ("L4", "L5", "S1")
STEP = 1.5

DEEPEST = 0.3
"""How deep (mm) a nerve may stand in bone or disc, and these in it, at any grade of a slip."""

WITHIN = ("root.", "rootlet.", "cauda.", "filum_terminale", "spinal_cord", "thecal_sac")
"""What lies in the sac or passes through its wall."""

EXACT = {"crush": 1.0, "biconcave": 1.0, "burst": 4.0, "split": 6.0}
"""How exactly (%) the middle has lost what was asked for where both endplates give way. Where a piece stands
behind the body or before it, the middle between their corners is not where the endplates are dished most: it
has lost 39.6 % of 45 % in a split of L4."""

GROWN = 0.08
"""What share of its volume the annulus beside a dished endplate may win: a dish is not as round as told."""

Bones = dict[Level, LevelBone]


@pytest.fixture(scope="module")
def low(healthy: Anatomy) -> Bones:
    """The bones about the last two discs, coarsely meshed."""
    result: Bones = {}
    for level, item in standing(healthy, LEVELS).items():
        if level not in LEVELS or item.blank.solid is None:
            continue
        surface = mesh(replace(item.blank.solid, field=item.field), STEP, mirror=True).placed(item.posed)
        marks = {name: mark.then(item.posed) for name, mark in item.blank.landmarks.items()}
        result[level] = LevelBone(level, item.posed, marks, surface, SurfaceDistance(surface))
    return result


def moves_of(bones: Bones, pathology: Pathology) -> dict[Level, Moved]:
    anatomy = apply(pathology, Anatomy())
    heights = {disc: shape.height_middle for disc, shape in anatomy.discs.items()}
    return movements(anatomy.deformation, bones, heights)


def ill(bones: Bones, pathology: Pathology) -> Bones:
    """Return bones where a pathology takes them, a loose arch with its body."""
    result: Bones = {}
    for level, move in moves_of(bones, pathology).items():
        bone = bones[level]
        surface = bone.surface.moved(move.body(bone.surface.vertices))
        frame = carried_frame(bone.frame, move.body)
        result[level] = LevelBone(level, frame, marks_of(bone, move), surface, SurfaceDistance(surface))
    return result


@pytest.mark.parametrize(
    "pathology",
    [Listhesis(slip=0.0), Degeneration(pfirrmann="I"), Fracture(loss=0.0), Deformity(cobb=0.0)],
    ids=lambda pathology: pathology.kind,
)
def test_a_pathology_of_no_severity_leaves_the_anatomy_as_it_is(
    healthy: Anatomy, pathology: Pathology
) -> None:
    assert apply(pathology, healthy) is healthy


@pytest.mark.parametrize("grade", ["I", "II", "III", "IV", "V"])
def test_a_slip_has_the_meyerding_grade_it_was_asked_for(low: Bones, grade: str) -> None:
    asked = Listhesis(meyerding=grade)
    found = bodies(ill(low, asked), {})
    way, percent = slip(found["L5"], found["S1"])
    assert percent == pytest.approx(asked.percent, abs=2.0)
    assert grades.of_slip(way, percent).grade == grade


@pytest.mark.parametrize("kind", ["isthmic", "degenerative"])
def test_a_slip_told_in_mm_is_measured_so_on_the_bones(low: Bones, kind: str) -> None:
    found = bodies(ill(low, Listhesis(disc="L4-L5", type=kind, mm=7.5)), {})
    assert slip(found["L4"], found["L5"])[0] == pytest.approx(7.5, abs=0.6)


def test_only_what_stands_on_the_disc_moves(low: Bones) -> None:
    moves = moves_of(low, Listhesis(disc="L4-L5", type="degenerative", slip=20.0))
    for level in ("L5", "S1"):
        points = low[level].surface.vertices
        assert np.allclose(moves[level].body(points), points, atol=1e-4)
    assert np.linalg.norm(moves["L4"].body(low["L4"].frame.origin[None]) - low["L4"].frame.origin) > 5.0


def test_a_cleft_vertebra_leaves_its_posterior_arch_behind(low: Bones) -> None:
    move = moves_of(low, Listhesis(meyerding="II"))["L5"]
    assert move.arch is not None
    marks = low["L5"].landmarks
    for name, arch in (("spinous.tip", True), ("facet.inferior.left", True), ("pedicle.left", False)):
        before = marks[name].origin
        after = marks_of(low["L5"], move)[name].origin
        assert (after[1] - before[1] < 2.0) == arch


def test_the_cleft_parts_a_vertebra_in_two(healthy: Anatomy) -> None:
    item = standing(healthy, ("L5", "S1"))["L5"]
    assert item.blank.solid is not None
    defect = pars_defect(item.blank.landmarks)
    solid = replace(
        item.blank.solid,
        field=lambda points: np.maximum(item.field(points), 1.4 - abs(defect.behind(points))),
    )
    parts = as_trimesh(mesh(solid, 1.2, mirror=True)).split(only_watertight=False)
    large = [part for part in parts if part.volume > 500.0]
    assert len(large) == 2
    behind = [bool((defect.behind(part.vertices) > 0.0).mean() > 0.5) for part in large]
    assert sorted(behind) == [False, True]


def test_a_worn_disc_has_the_height_that_its_grade_leaves(low: Bones) -> None:
    found = bodies(low, {})
    usual = disc_heights(found["L4"], found["L5"])
    left = []
    for grade in ("II", "III", "IV", "V"):
        asked = Degeneration(pfirrmann=grade, osteophytes=0.0)
        worn = bodies(ill(low, asked), {})
        height = disc_heights(worn["L4"], worn["L5"])
        assert height.middle / usual.middle == pytest.approx(asked.wear.height, abs=0.06)
        assert height.anterior > 0.0 and height.posterior > 0.0
        left.append(height.middle)
    assert left == sorted(left, reverse=True)


@pytest.mark.parametrize("shape", ["wedge", "biconcave", "crush"])
@pytest.mark.parametrize("genant", [1, 2, 3])
def test_a_fractured_body_has_the_genant_grade_it_was_asked_for(low: Bones, shape: str, genant: int) -> None:
    usual = body_heights(bodies(low, {})["L5"])
    found = body_heights(bodies(ill(low, Fracture(level="L5", shape=shape, genant=genant)), {})["L5"])
    assert usual is not None and found is not None
    kept = [getattr(found, place) / getattr(usual, place) for place in ("anterior", "middle", "posterior")]
    assert grades.of_heights(100.0 * (1.0 - min(kept))).grade == str(genant)
    assert int(np.argmin(kept)) == {"wedge": 0, "biconcave": 1}.get(shape, int(np.argmin(kept)))


def test_a_burst_drives_the_posterior_wall_into_the_canal_and_the_pedicles_apart(low: Bones) -> None:
    before, after = low["L5"], ill(low, Fracture(level="L5", shape="burst", ao="A4"))["L5"]
    wide = [
        np.linalg.norm(bone.landmarks["pedicle.left"].origin - bone.landmarks["pedicle.right"].origin)
        for bone in (before, after)
    ]
    assert wide[1] - wide[0] == pytest.approx(4.0, abs=1.0)
    moved = before.frame.to_local(after.surface.vertices) - before.frame.to_local(before.surface.vertices)
    assert moved[:, 1].min() == pytest.approx(-7.5, abs=1.5)


def broken(bones: Bones, fracture: Fracture) -> tuple[tuple[Piece, ...], str, float]:
    """Return what has come off a broken L4, its AO Spine type and the loss (%) of height in its middle."""
    healthy = Body(
        bones, {}, {level: Structure(level, "bone", bone.surface) for level, bone in bones.items()}
    )
    after = deformed(healthy, apply(fracture, Anatomy()))
    now, usual = bodies(after.bones, {})["L4"], bodies(bones, {})["L4"]
    kept = [
        getattr(body_heights(now), place) / getattr(body_heights(usual), place)
        for place in ("anterior", "middle", "posterior")
    ]
    off, change = pieces(now), damage(now, usual)
    places = tuple(piece.place for piece in off)
    grade = grades.of_fracture(places, 100.0 * (1.0 - min(kept)), change.dished, change.wall).grade
    return off, grade, 100.0 * (1.0 - kept[1])


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ({"shape": "split"}, "body"),
        ({"shape": "process", "process": "transverse", "side": "right", "apart": 5.0}, "transverse"),
        pytest.param({"shape": "process", "apart": 2.0}, "spinous", marks=pytest.mark.many),
    ],
)
def test_a_piece_stands_as_far_from_the_rest_as_it_was_asked_to(
    low: Bones, asked: dict[str, object], place: str
) -> None:
    fracture = Fracture.model_validate({"level": "L4", **asked})
    off, grade, _ = broken(low, fracture)
    assert [piece.place for piece in off] == [place]
    assert off[0].gap == pytest.approx(fracture.distance, abs=0.6)
    assert grade == ("A2" if place == "body" else "A0")


@pytest.mark.many
@pytest.mark.parametrize("loss", [25.0, 45.0])
@pytest.mark.parametrize(
    ("shape", "ao"),
    [
        ("wedge", "A1"),
        ("crush", "A1"),
        ("crush", "A2"),
        ("biconcave", "A2"),
        ("split", "A2"),
        ("burst", "A3"),
        ("burst", "A4"),
    ],
)
def test_a_fracture_has_the_ao_spine_type_it_was_asked_for(
    low: Bones, shape: str, ao: str, loss: float
) -> None:
    asked = Fracture.model_validate({"level": "L4", "shape": shape, "ao": ao, "loss": loss})
    off, found, lost = broken(low, asked)
    assert found == ao
    assert [piece.place for piece in off].count("wall") == (shape == "burst")
    if ao in ("A2", "A4"):
        assert lost == pytest.approx(loss, abs=EXACT[shape])


@pytest.mark.parametrize("apex", ["T8", "L2"])
def test_a_scoliosis_bends_by_its_cobb_angle_and_comes_back(apex: str) -> None:
    discs = discs_of(column())
    right = bends(Deformity(cobb=35.0, apex=apex), discs)
    lean = np.cumsum([right[disc].right if disc in right else 0.0 for disc in discs[::-1]])
    assert np.ptp([0.0, *lean]) == pytest.approx(35.0)
    assert lean[-1] == pytest.approx(0.0, abs=1e-6)
    left = bends(Deformity(cobb=35.0, apex=apex, side="left"), discs)
    assert all(
        left[disc].right == -bend.right and left[disc].turned == -bend.turned for disc, bend in right.items()
    )


def test_tissue_on_a_bone_goes_with_it_and_between_two_it_is_pressed_flat_without_folding() -> None:
    ball = trimesh.creation.icosphere(subdivisions=3, radius=5.0).vertices
    down = turned(np.zeros(3), np.zeros(3))
    down[2, 3] = -6.0
    above = Carrier("above", ball + np.array([0.0, 0.0, 10.0]), Rigid(down))
    below = Carrier("below", ball - np.array([0.0, 0.0, 10.0]), Rigid(np.eye(4)))
    line = np.column_stack([np.zeros((21, 2)), np.linspace(-5.0, 5.0, 21)])
    gone = carried(line, [(above, below)], keen=1.0)[:, 2]
    assert gone[0] == pytest.approx(-5.0, abs=0.1)
    assert gone[-1] == pytest.approx(-1.0, abs=0.1)
    assert (np.diff(gone) > 0.0).all()


def test_what_lies_between_bones_that_slide_far_past_each_other_neither_folds_nor_tears() -> None:
    plate = np.stack(np.meshgrid(np.arange(-20.0, 21.0), np.arange(-20.0, 21.0), [0.0]), axis=-1).reshape(
        -1, 3
    )
    stages, step = [], turned(np.zeros(3), np.zeros(3))
    step[1, 3] = 3.0
    for index in range(10):
        above = Carrier("above", plate + np.array([0.0, 3.0 * index, 5.0]), Rigid(step))
        stages.append((above, Carrier("below", plate - np.array([0.0, 0.0, 5.0]), Rigid(np.eye(4)))))
    grid = np.stack(np.meshgrid([0.0], np.linspace(-5.0, 5.0, 21), np.linspace(-4.0, 4.0, 17)), axis=-1)[:, 0]
    gone = carried(grid.reshape(-1, 3), stages, keen=1.0).reshape(grid.shape)
    across, up = np.diff(gone, axis=0)[:, :-1], np.diff(gone, axis=1)[:-1]
    areas = across[..., 1] * up[..., 2] - across[..., 2] * up[..., 1]
    assert (areas > 0.0).all()
    assert areas.sum() == pytest.approx(10.0 * 8.0, rel=0.1)
    assert gone[0, -1, 1] - gone[0, 0, 1] > 15.0


def test_a_tube_keeps_its_sections_where_it_is_carried_aside() -> None:
    line = np.column_stack([np.linspace(0.0, 40.0, 41), np.zeros((41, 2))])
    tube: Surface = swept(line, np.full(41, 2.0), 12)
    points = tube.vertices.astype(np.float64)
    uneven = points + np.column_stack([np.zeros((len(points), 2)), points[:, 1] * 2.0 + 5.0])
    even = evened(tube, uneven)
    middle = (points[:, 0] > 12.0) & (points[:, 0] < 28.0)
    assert np.ptp(uneven[middle, 2]) > 8.0
    assert np.ptp(even[middle, 2]) < 5.0
    assert np.allclose((even - points)[middle, 2].mean(), 5.0, atol=0.3)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"type": "degenerative", "meyerding": "III"}, "no more than 35"),
        ({"type": "degenerative", "slip": 60.0}, "no more than 35"),
    ],
)
def test_a_slip_that_cannot_be_is_refused(told: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Listhesis.model_validate(told)


@pytest.mark.many
@pytest.mark.parametrize("grade", ["I", "II", "III", "IV", "V"])
def test_nerves_keep_their_volume_and_stay_out_of_bone_and_disc_however_far_a_bone_slips(grade: str) -> None:
    """At grade V the body has fallen off the sacrum: what its disc has become is not asked."""
    levels: tuple[Level, ...] = ("L4", "L5", "S1")
    asked = Listhesis(meyerding=grade)
    before = build(Anatomy(), levels, covered=False).structures
    after = build(apply(asked, Anatomy()), levels, covered=False).structures
    for name, item in after.items():
        if name.startswith(("root.", "cauda.", "filum_terminale")):
            assert volume(item.surface) == pytest.approx(volume(before[name].surface), rel=0.03), name
    fallen = grade == "V"
    if not fallen:
        height = apply(asked, Anatomy()).deformation.worn["L5-S1"].height
        left = volume(after["nucleus.L5-S1"].surface) / volume(before["nucleus.L5-S1"].surface)
        assert left == pytest.approx(height, rel=0.03), "the nucleus keeps what water the worn disc has left"
    roots = [f"root.{level}.{side}" for level in levels for side in ("left", "right")]
    for name in ("thecal_sac", *roots):
        for firm in levels:
            assert penetration(after[name].surface, after[firm].surface) < DEEPEST, (name, firm)
    if not fallen:
        assert not entered(after)


def entered(structures: Mapping[str, Structure]) -> dict[tuple[str, str], float]:
    """Return how deep (mm) what stands in what, deeper than it may, but for what lies in the sac."""
    surfaces = {name: item.surface for name, item in structures.items()}
    found = depths(surfaces, lambda one, other: not (one.startswith(WITHIN) and other.startswith(WITHIN)))
    return {pair: way for pair, way in found.items() if way > DEEPEST}


@pytest.mark.many
def test_in_a_burst_fracture_nuclei_nerves_and_cord_keep_their_volume() -> None:
    levels: tuple[Level, ...] = ("T12", "L1", "L2")
    before = build(Anatomy(), levels, covered=False).structures
    broken = apply(Fracture(level="L1", shape="burst", ao="A4"), Anatomy())
    after = build(broken, levels, covered=False).structures
    for name, item in after.items():
        if name.startswith(("nucleus.", "root.", "cauda.", "spinal_cord")):
            assert volume(item.surface) == pytest.approx(volume(before[name].surface), rel=0.03), name
        if name.startswith("disc."):
            assert volume(item.surface) == pytest.approx(volume(before[name].surface), rel=GROWN), name
    for name in ("thecal_sac", "disc.T12-L1", "disc.L1-L2"):
        assert penetration(after[name].surface, after["L1"].surface) < DEEPEST, name


def test_approaches_are_refused_on_a_deformed_column() -> None:
    place = {"disc": "L4-L5", "side": "left"}
    with pytest.raises(ValidationError, match="deformed"):
        Scene.model_validate(
            {
                "title": "a",
                "pathologies": [{"kind": "herniation", **place}, {"kind": "listhesis", "disc": "L5-S1"}],
                "approaches": [{"kind": "tubular_microdiscectomy", **place}],
            }
        )
