"""People: they differ as published, their bones fit together, and random ones are sound in any posture."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from time import process_time
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from passage import sac_passes, sac_sizes
from pydantic import ValidationError
from quick import SampledBone, overlap, sampled_bones
from scipy.spatial import cKDTree

from spineviz.anatomy.column.foramen import intervertebral
from spineviz.anatomy.column.posture import Posture
from spineviz.anatomy.morphometry.calipers import measured
from spineviz.anatomy.morphometry.person import Person
from spineviz.anatomy.morphometry.population import deviates, scaled, spread, usual
from spineviz.body import Anatomy
from spineviz.body.kinds import kind_of, landmarks_of
from spineviz.body.person import KINDS, size_of
from spineviz.body.skeleton import standing, standing_frames
from spineviz.body.variation import shapes_of
from spineviz.geometry import as_trimesh
from spineviz.sdf import mesh
from spineviz.spec import Spec
from spineviz.terms import Level, region_of

VARYING: tuple[Level, ...] = tuple(KINDS)

SEXES: tuple[Literal["male", "female"], ...] = ("male", "female")

DEPTH = "endplate_depth_superior"

THIN = 0.6
"""The part of the usual sac's size that still passes through the narrowest canals of healthy people."""


def lengths(level: Level, shape: Spec, *names: str) -> dict[str, float]:
    """Measures of a bone in its own frame, before it is made as large as the person."""
    return measured(KINDS[level].field(shape), landmarks_of(level, shape), names, ("right",))


def alone(person: Person, level: Level) -> Spec:
    """One vertebra of a person, as if it had no neighbours to meet."""
    return shapes_of(person, {level: level})[level]


@pytest.mark.parametrize("level", VARYING)
def test_every_measured_level_varies_and_a_seed_repeats_itself(level: Level) -> None:
    one, again, other = (Anatomy(person=Person(variation=seed)) for seed in (3, 3, 4))
    assert one.shape(level) == again.shape(level)
    assert one.shape(level) != other.shape(level) != Anatomy().shape(level)


SELDOM = pytest.mark.many
"""What shows the same as its neighbours is looked at with the many."""


@pytest.mark.parametrize(
    "level", ["C6", pytest.param("T4", marks=SELDOM), "T9", pytest.param("L2", marks=SELDOM), "L5"]
)
def test_people_differ_by_published_deviations(level: Level) -> None:
    names = ("endplate_width_inferior", "endplate_depth_superior", "body_height_anterior")
    people = [lengths(level, alone(Person(variation=seed), level), *names) for seed in range(1, 9)]
    middle = lengths(level, Anatomy().shape(level), *names)
    for name in names:
        apart = np.array([person[name] - middle[name] for person in people]) / spread(level, name)
        assert 0.3 < apart.std() < 1.7, name
        assert np.abs(apart).max() < 3.0, name


def test_no_gap_opens_beside_thin_pedicles() -> None:
    person = Person(sex="male", stature=2.0, variation=4)
    shape = shapes_of(person, {"T1": "T1"})["T1"]
    assert as_trimesh(mesh(kind_of("T1").solid(shape), 1.0, mirror=True)).euler_number == 0


def test_the_canal_is_found_where_pedicles_stand_as_high_as_the_endplate() -> None:
    shape = shapes_of(Person(sex="male", variation=279), {"C7": "C7"})["C7"]
    canal = landmarks_of("C7", shape)["canal"].origin
    assert KINDS["C7"].field(shape)(canal[None])[0] > 4.0


def test_neighbouring_bones_resemble_each_other() -> None:
    name = "endplate_width_inferior"
    widths = [
        [lengths(level, alone(Person(variation=seed), level), name)[name] for level in ("T9", "T10")]
        for seed in range(1, 9)
    ]
    assert np.corrcoef(np.array(widths).T)[0, 1] > 0.6


@pytest.mark.parametrize("seed", [3, 4])
def test_articular_surfaces_of_a_person_meet_like_those_of_the_usual_bones(seed: int) -> None:
    usual_joints, joints = _joints(Anatomy()), _joints(Anatomy(person=Person(variation=seed)))
    apart = {pair: np.linalg.norm(way - usual_joints[pair]) for pair, way in joints.items()}
    assert np.median(list(apart.values())) < 1.0
    assert max(apart.values()) < 4.0


def _joints(anatomy: Anatomy) -> dict[tuple[Level, Level], np.ndarray]:
    """The way from each superior articular surface to the one above it, in the lower bone's frame."""
    bones = standing(anatomy)
    result = {}
    for upper, lower in list(pairwise(bones))[1:-1]:
        above = bones[upper].blank.landmarks["facet.inferior.right"].then(bones[upper].neutral)
        below = bones[lower].blank.landmarks["facet.superior.right"].then(bones[lower].neutral)
        result[upper, lower] = bones[lower].neutral.axes @ (above.origin - below.origin)
    return result


@pytest.mark.parametrize("level", ["T12", "L1", "L3", "L5"])
def test_the_sexes_differ_by_more_than_size(level: Level) -> None:
    names = ("endplate_width_superior", "transverse_span", "canal_depth")
    ours, wanted = [], []
    for sex in SEXES:
        person = Person(sex=sex)
        found = lengths(level, alone(person, level), *names)
        ours.append({name: value * size_of(person) for name, value in found.items()})
        wanted.append(scaled({name: usual(level, name) for name in names}, level, None, sex))
    for name in names:
        ratio = ours[0][name] / ours[1][name]
        assert ratio == pytest.approx(wanted[0][name] / wanted[1][name], abs=0.05), name


def test_a_mans_canal_is_no_deeper_for_his_stature() -> None:
    deep, shallow = (
        lengths("L3", alone(person, "L3"), "canal_depth")["canal_depth"] * size_of(person)
        for person in (Person(stature=1.9), Person(stature=1.55))
    )
    assert deep == pytest.approx(shallow, abs=0.8)


@pytest.mark.parametrize("person", [Person(sex="male", stature=1.92), Person(variation=3)])
def test_whoever_it_is_stands_upright(person: Person) -> None:
    usual_frames, anatomy = standing_frames(Anatomy()), Anatomy(person=person)
    frames = standing_frames(anatomy)
    for level in ("C7", "T6", "L1"):
        lean = frames[level].origin[1] / anatomy.size - usual_frames[level].origin[1]
        assert abs(lean) < 8.0, level


def test_the_heights_of_a_body_go_together() -> None:
    names = ("body_height_anterior", "body_height_posterior")
    apart = np.array([[deviates(seed, ["L3"])["L3"][name] for name in names] for seed in range(200)])
    assert np.corrcoef(apart.T)[0, 1] > 0.85
    wedges = (apart * [spread("L3", name) for name in names]) @ [1.0, -1.0] / usual("L3", DEPTH)
    assert 0.5 < np.degrees(wedges).std() < 3.0


@pytest.mark.parametrize("stature", [1.2, 2.5])
def test_a_stature_that_no_adult_has_is_refused_with_the_range(stature: float) -> None:
    with pytest.raises(ValidationError, match=r"is not an adult's; the allowed range is 1\.4 to 2\.1 m"):
        Person(stature=stature)


def test_another_person_takes_little_longer_than_finding_the_landmarks_of_the_bones() -> None:
    levels = {level: level for level in VARYING[8:11]}
    shapes_of(Person(variation=1), levels)
    start = process_time()
    another = shapes_of(Person(variation=1234), levels)
    taken, start = process_time() - start, process_time()
    for level, shape in another.items():
        kind_of(level).landmarks(shape)
    assert taken < 3.0 * (process_time() - start)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sacral_slope": 90.0}, "a sacral slope of 90 degrees is not human; the allowed range is 7 to 75"),
        ({"sacral_slope": -10.0}, "a sacral slope of -10 degrees"),
    ],
)
def test_an_impossible_sacral_slope_is_refused(change: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Anatomy(**change)  # type: ignore[arg-type]


@pytest.mark.parametrize(("what", "value"), [("height_middle", 14.0), ("wedge", 25.0)])
def test_an_impossible_disc_is_refused(what: str, value: float) -> None:
    disc = Anatomy().discs["C4-C5"].model_copy(update={what: value})
    with pytest.raises(ValueError, match=f"C4-C5: {what} of {value:g} .* is not human; the allowed range is"):
        Anatomy(discs={"C4-C5": disc})


postures = st.builds(
    lambda tilt, bend, turn: Posture(
        flexion=max(tilt, 0.0), extension=max(-tilt, 0.0), lateral_bend=bend, rotation=turn
    ),
    st.floats(-25.0, 40.0),
    st.floats(-30.0, 30.0),
    st.floats(-30.0, 30.0),
)
people = st.builds(
    Person,
    sex=st.sampled_from(["female", "male", None]),
    stature=st.one_of(st.none(), st.floats(1.5, 2.0)),
    variation=st.integers(0, 10_000),
)
singles = st.tuples(
    st.sampled_from(["T4", "T9", "L1", "L2", "L3", "L4"]),
    st.sampled_from(["canal_depth", "canal_width", "spinous_length", "body_height_anterior"]),
    st.floats(-1.5, 1.5),
)


def faults(bones: dict[Level, SampledBone], facts: Path) -> list[str]:
    """Everything about a column that no healthy person's has."""
    result = []
    for level, bone in bones.items():
        made = as_trimesh(bone.surface)
        if not (made.is_watertight and made.is_winding_consistent and made.volume > 0):
            result.append(f"{level} is no closed body with its outside out")
        holes = {"cervical": -4, "thoracic": 0, "lumbar": 0}[region_of(level)]
        if made.body_count != 1 or (level not in ("S1", "Co1") and made.euler_number != holes):
            result.append(f"{level}: {made.body_count} bodies, Euler number {made.euler_number}")
        own = bone.frame.to_local(bone.surface.vertices)
        if cKDTree(own).query(own * [-1, 1, 1])[0].max() > 0.1:
            result.append(f"{level} is not the same left and right")
    for upper, lower in pairwise(bones):
        common = overlap(bones[upper], bones[lower])
        if common > 1.0:
            result.append(f"{upper} and {lower} have {common:.0f} mm³ in common")
        if upper == "C1" or lower == "Co1":
            continue
        for side in ("left", "right"):
            try:
                room = intervertebral(bones[upper], bones[lower], side).room
            except ValueError:
                room = 0.0
            if room < 0.5:
                result.append(f"the foramen {upper}-{lower} on the {side} leaves {room:.1f} mm")
    thin = {place: (THIN * a, THIN * b) for place, (a, b) in sac_sizes(facts).items()}
    if sac_passes(bones, thin) < np.inf:
        result.append("the canal is closed")
    return result


def random_anatomy(person: Person, posture: Posture, single: tuple[Level, str, float]) -> Anatomy:
    """Somebody in a posture, one measure of one vertebra being chosen too."""
    level, name, deviation = single
    value = usual(level, name) + deviation * spread(level, name)
    try:
        return Anatomy(person=person, posture=posture, vertebrae={level: {name: value}})
    except ValueError as error:
        assume("cannot be had together" not in str(error))
        raise


LARGE: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "phases": (Phase.generate,),
    "report_multiple_bugs": False,
}
"""An example takes ten seconds: failures are told as they are, not made smaller."""

SOME, COARSE = 6, {"cervical": 0.8, "thoracic": 1.25, "lumbar": 1.25}
"""How many neighbours of a column the quick sample looks at, and the steps (mm) it looks with."""


def neighbours_of(person: Person) -> tuple[Level, ...]:
    """Some neighbouring levels, other ones for other people."""
    assert person.variation is not None
    first = person.variation % (len(VARYING) - SOME + 1)
    return VARYING[first : first + SOME]


def test_some_neighbours_in_a_random_person_are_sound_in_a_random_posture(shared: Path) -> None:
    person = Person(sex="male", stature=1.57, variation=3646)
    posture = Posture(flexion=31.0, lateral_bend=-17.0, rotation=22.0)
    levels = neighbours_of(person)
    step = min(COARSE[region_of(level)] for level in levels)
    bones = sampled_bones(random_anatomy(person, posture, ("L2", "canal_depth", -1.2)), levels, step)
    assert faults(bones, shared / "facts") == []


@pytest.mark.many
@settings(max_examples=30, **LARGE)
@given(person=people, posture=postures, single=singles)
def test_many_random_people_are_sound_in_random_postures(
    shared: Path, person: Person, posture: Posture, single: tuple[Level, str, float]
) -> None:
    bones = sampled_bones(random_anatomy(person, posture, single))
    assert faults(bones, shared / "facts") == []


def test_a_tall_man_is_larger_in_every_bone_than_a_small_woman() -> None:
    levels: tuple[Level, ...] = ("L4", "L5", "S1")
    woman = Anatomy(levels, person=Person(sex="female", stature=1.52))
    man = Anatomy(levels, person=Person(sex="male", stature=1.92))
    assert woman.size < 1 < man.size
    heights = []
    for anatomy in (woman, man):
        heights.append(standing_frames(anatomy, ["L5"])["L5"].origin[2])
    assert heights[1] / heights[0] == pytest.approx(man.size / woman.size, rel=0.05)
