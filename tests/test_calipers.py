"""Measures of a vertebra: taken from its shape, usual among people, and wanted."""

from __future__ import annotations

import csv
import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spineviz import measures
from spineviz.anatomy import vertebra
from spineviz.anatomy.morphometry import population
from spineviz.anatomy.morphometry.calipers import MEASURES, measured, own_frame, taken, unit
from spineviz.anatomy.morphometry.handles import VERTEBRA
from spineviz.anatomy.morphometry.morph import TOLERANCE, Morph, Near, prepare
from spineviz.anatomy.morphometry.moves import rebuilt, rotation
from spineviz.anatomy.vertebra import VertebraParameters
from spineviz.geometry import surface_distance
from spineviz.sdf import mesh
from spineviz.sdf.rays import crossings, rays
from spineviz.structure import Floats, Frame, Points

LUMBAR = ("L3", "L4", "L5")
FREE_ENDS = ("facet_superior_height", "facet_inferior_height")
MOVED = tuple(name for name in VERTEBRA if name not in FREE_ENDS)


@cache
def parameters(level: str) -> VertebraParameters:
    return VertebraParameters.model_validate(measures.table("vertebrae")[level])


@cache
def marks(level: str) -> dict[str, Frame]:
    return vertebra.landmarks(parameters(level))


@cache
def sizes(level: str) -> dict[str, float]:
    return measured(vertebra.field(parameters(level)), marks(level))


@cache
def ready(level: str) -> Morph[VertebraParameters]:
    return prepare(parameters(level), level, known=marks(level))


def close(found: float, wanted: float, name: str, share: float = 1.0) -> bool:
    return abs(found - wanted) <= share * TOLERANCE[unit(name)]


def taken_again(near: Near[VertebraParameters]) -> dict[str, float]:
    return measured(vertebra.field(near.parameters), near.landmarks, sides=("right",))


def ball(points: Points) -> Floats:
    return np.asarray(np.linalg.norm(points, axis=1) - 5.0)


# --- rays --------------------------------------------------------------------------------------------


def test_rays_end_where_they_leave_or_meet_the_solid() -> None:
    ways = np.array([[1.0, 0.0, 0.0], [0.0, 3.0, 4.0]])
    assert crossings(ball, rays(np.zeros(3), ways, 20.0)) == pytest.approx([5.0, 5.0], abs=1e-3)
    met = crossings(ball, rays([[-12.0, 3.0, 0.0]], [1.0, 0.0, 0.0], 20.0, entering=True))
    assert met == pytest.approx([8.0], abs=0.02)


def test_a_ray_that_meets_nothing_or_begins_wrongly_has_no_end() -> None:
    past = rays([[-12.0, 6.0, 0.0]], [1.0, 0.0, 0.0], 20.0, entering=True)
    wrong = rays([[-12.0, 0.0, 0.0]], [1.0, 0.0, 0.0], 20.0)
    short = rays([[0.0, 0.0, 0.0]], [1.0, 0.0, 0.0], 2.0)
    assert np.isnan([crossings(ball, cast)[0] for cast in (past, wrong, short)]).all()


def test_an_expected_place_finds_the_same_end_and_a_gap_before_it() -> None:
    cast = rays(np.zeros((3, 3)), np.eye(3), 30.0)
    assert crossings(ball, cast, np.array([4.2, 6.0, 5.0])) == pytest.approx([5.0] * 3, abs=0.02)
    assert crossings(ball, cast, np.array([22.0, 12.0, 5.0])) == pytest.approx([5.0] * 3, abs=0.02)


# --- the caliper ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", LUMBAR)
def test_every_measure_of_a_lumbar_vertebra_can_be_taken(level: str) -> None:
    found = sizes(level)
    assert set(found) == set(MEASURES)
    assert np.isfinite(list(found.values())).all()
    assert found["endplate_width_superior"] > found["endplate_depth_superior"] > found["canal_width"]
    assert found["canal_width"] > found["canal_depth"] > found["lamina_thickness"]


@pytest.mark.parametrize("level", LUMBAR)
def test_canal_pedicle_and_processes_are_near_the_usual_ones(level: str) -> None:
    usual = population.recommended(level)
    for name in ("canal_width", "canal_depth", "spinous_length", "transverse_span", "facet_superior_width"):
        assert sizes(level)[name] == pytest.approx(usual[name], rel=0.15), name
    assert sizes(level)["pedicle_width"] == pytest.approx(usual["pedicle_width"], rel=0.15)
    assert sizes(level)["pedicle_transverse_angle"] == pytest.approx(
        usual["pedicle_transverse_angle"], abs=0.5
    )


def test_downwards_pedicles_widen_and_the_spinous_process_shortens() -> None:
    for name in ("pedicle_width", "interfacet_width", "facet_superior_sagittal_angle", "pars_width"):
        assert sizes("L3")[name] < sizes("L4")[name] < sizes("L5")[name], name
    for name in ("spinous_length", "spinous_height", "wedge", "body_height_posterior"):
        assert sizes("L3")[name] > sizes("L4")[name] > sizes("L5")[name], name


def test_the_measures_do_not_depend_on_where_the_bone_stands() -> None:
    place = Frame(np.array([12.0, -40.0, 90.0]), rotation(np.array([1.0, 0.3, -0.2]), 25.0))
    field = vertebra.field(parameters("L4"))
    standing = {name: mark.then(place) for name, mark in marks("L4").items()}
    found = measured(lambda points: field(place.to_local(points)), standing)
    assert found == pytest.approx(sizes("L4"), abs=0.01)


def test_a_mesh_has_the_measures_of_the_bone_it_was_made_from() -> None:
    surface = mesh(vertebra.solid(parameters("L4")), 0.8, mirror=True)
    found = measured(surface_distance(surface), marks("L4"), sides=("right",))
    for name, value in sizes("L4").items():
        assert close(found[name], value, name), (name, found[name], value)


def test_one_side_of_a_symmetric_bone_is_enough() -> None:
    one = measured(vertebra.field(parameters("L3")), marks("L3"), sides=("right",))
    assert one == pytest.approx(sizes("L3"), abs=1e-6)


def test_only_what_is_asked_is_taken() -> None:
    field = vertebra.field(parameters("L3"))
    found = measured(field, marks("L3"), only=("canal_depth", "pedicle_width"))
    assert found == pytest.approx({name: sizes("L3")[name] for name in ("canal_depth", "pedicle_width")})


def test_measures_taken_again_nearby_are_the_same() -> None:
    field = vertebra.field(parameters("L5"))
    first = taken(field, marks("L5"), sides=("right",))
    again = taken(field, marks("L5"), sides=("right",), before=first)
    assert again.values == pytest.approx(first.values, abs=0.1)


def test_the_bone_itself_gives_the_directions() -> None:
    own = own_frame(marks("L3"))
    assert own.superior == pytest.approx([0.0, 0.0, 1.0], abs=0.03)
    assert own.anterior == pytest.approx([0.0, 1.0, 0.0], abs=0.03)


def test_what_cannot_be_measured_is_refused_by_name() -> None:
    field = vertebra.field(parameters("L3"))
    with pytest.raises(ValueError, match="no measure girth"):
        measured(field, marks("L3"), only=("girth",))
    with pytest.raises(ValueError, match=r"missing: endplate\.superior"):
        measured(field, {k: v for k, v in marks("L3").items() if k != "endplate.superior"})
    with pytest.raises(ValueError, match=r"pedicle right cannot be measured without .*pedicle\.right"):
        measured(field, {k: v for k, v in marks("L3").items() if k != "pedicle.right"})
    lost = {**marks("L3"), "pars.right": Frame(np.array([200.0, 0.0, 0.0]))}
    with pytest.raises(ValueError, match="pars right cannot be measured: there is no bone"):
        measured(field, lost)


# --- what is usual -------------------------------------------------------------------------------------


def test_every_measure_has_a_usual_value_and_a_spread_at_the_lumbar_levels() -> None:
    for level in LUMBAR:
        assert set(population.recommended(level)) == set(MEASURES)
        for name, value in population.recommended(level).items():
            low, high = population.allowed(level, name)
            assert low < value < high and population.spread(level, name) > 0.0, (level, name)


def test_every_level_below_the_axis_has_usual_measures() -> None:
    assert len(population.levels()) == 24
    for level in population.levels()[2:]:
        assert len(population.recommended(level)) >= 25
    with pytest.raises(ValueError, match="no measures are known for 'S1'"):
        population.recommended("S1")


def test_a_persons_stature_scales_lengths_but_not_the_depth_of_the_canal() -> None:
    usual = population.recommended("L3")
    tall = population.scaled(usual, "L3", stature=1.87)
    assert tall["endplate_width_superior"] == pytest.approx(1.1 * usual["endplate_width_superior"])
    assert tall["canal_depth"] == pytest.approx(usual["canal_depth"])
    assert tall["pedicle_transverse_angle"] == usual["pedicle_transverse_angle"]
    assert population.scaled(usual, "L3") == pytest.approx(usual)
    with pytest.raises(ValueError, match=r"stature of 3 m .* 1\.4 to 2\.1 m"):
        population.scaled(usual, "L3", stature=3.0)


def test_men_and_women_of_mean_stature_differ_as_published() -> None:
    usual = population.recommended("L3")
    man, woman = (population.scaled(usual, "L3", sex=sex) for sex in ("male", "female"))
    assert man["canal_width"] / woman["canal_width"] == pytest.approx(22.13 / 20.96, abs=0.001)
    assert man["canal_depth"] / woman["canal_depth"] == pytest.approx(14.04 / 14.18, abs=0.001)
    assert man["wedge"] - woman["wedge"] == pytest.approx(2.4)
    assert man["spinous_length"] / woman["spinous_length"] == pytest.approx(1.76 / 1.64)


def test_a_seed_is_a_person_whichever_levels_are_asked() -> None:
    both = population.variation(7, ("L3", "L4"))
    assert population.variation(7, ("L4",))["L4"] == both["L4"]
    assert population.variation(8, ("L4",))["L4"] != both["L4"]
    assert all(0.3 < factor < 1.7 for factor in both["L3"].values())


def test_neighbouring_levels_vary_together_within_the_published_spread() -> None:
    rows = [population.deviates(seed, ("T4", "L3", "L4")) for seed in range(300)]
    at = {level: [row[level]["canal_depth"] for row in rows] for level in ("T4", "L3", "L4")}
    together = np.corrcoef(at["L3"], at["L4"])[0, 1]
    assert together > 0.7 > np.corrcoef(at["L3"], at["T4"])[0, 1]
    assert np.std(at["L3"]) == pytest.approx(0.95, abs=0.12)
    assert np.abs(at["L3"]).max() <= 2.0
    widths = [row["L3"]["endplate_width_superior"] for row in rows]
    depths = [row["L3"]["endplate_depth_superior"] for row in rows]
    assert np.corrcoef(widths, depths)[0, 1] > 0.4


def test_a_varied_person_keeps_the_measures_it_was_given() -> None:
    given_sizes = {"L3": sizes("L3"), "L4": sizes("L4")}
    person = population.varied(given_sizes, 3)
    assert set(person["L3"]) == set(MEASURES) - {"wedge"}
    factors = population.variation(3, ("L3", "L4"))
    assert person["L4"]["canal_width"] == pytest.approx(
        sizes("L4")["canal_width"] * factors["L4"]["canal_width"]
    )


# --- morphing ------------------------------------------------------------------------------------------


def test_every_measure_but_the_wedge_has_a_handle() -> None:
    assert set(VERTEBRA) == set(MEASURES) - {"wedge"}


def test_a_shape_scaled_as_a_whole_has_scaled_lengths_and_the_same_angles() -> None:
    start = ready("L3")
    bigger = start.shape.scaled(1.1)
    field = vertebra.field(rebuilt(start.parameters, bigger.values))
    scaled_marks = {name: Frame(1.1 * mark.origin, mark.axes) for name, mark in marks("L3").items()}
    found = measured(field, scaled_marks, sides=("right",))
    for name in ("endplate_width_superior", "canal_depth", "pedicle_width", "spinous_length", "pars_width"):
        assert found[name] == pytest.approx(1.1 * sizes("L3")[name], rel=0.03), name
    for name in ("wedge", "spinous_slope", "facet_superior_sagittal_angle"):
        assert found[name] == pytest.approx(sizes("L3")[name], abs=1.5), name


@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    level=st.sampled_from(LUMBAR),
    wanted=st.dictionaries(st.sampled_from(MOVED), st.floats(-1.5, 1.5), min_size=1, max_size=2),
)
def test_a_wanted_measure_becomes_true_and_the_bone_stays_a_bone(
    level: str, wanted: dict[str, float]
) -> None:
    now = ready(level).now.values
    aim = {name: now[name] + share * population.spread(level, name) for name, share in wanted.items()}
    near = ready(level).near(aim)
    found = taken_again(near)
    for name, value in aim.items():
        assert close(found[name], value, name, 1.1), (name, value, found[name])
    surface = mesh(vertebra.solid(near.parameters), 1.8, mirror=True)
    made = trimesh.Trimesh(surface.vertices, surface.faces, process=False)
    assert made.body_count == 1 and made.euler_number == 0 and made.is_watertight


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("canal_depth", 4.0),
        ("pedicle_width", 2.5),
        ("endplate_width_superior", -4.0),
        ("spinous_slope", 7.0),
        ("transverse_span", -8.0),
    ],
)
def test_the_other_measures_stay(name: str, change: float) -> None:
    start = ready("L4").now.values
    near = ready("L4").near({name: start[name] + change})
    found = taken_again(near)
    assert close(found[name], start[name] + change, name)
    for other in set(MOVED) - {name}:
        assert close(found[other], start[other], other, 1.2), (other, start[other], found[other])


def test_landmarks_found_afresh_tell_the_same_measures() -> None:
    wanted = {"canal_depth": 18.0, "pedicle_width": 13.0, "spinous_length": 27.0}
    made = ready("L3").to_measures(wanted)
    found = measured(vertebra.field(made), vertebra.landmarks(made), sides=("right",))
    for name, value in wanted.items():
        assert close(found[name], value, name), (name, found[name])


def test_a_deeper_canal_takes_the_whole_posterior_arch_back() -> None:
    made = ready("L3").to_measures({"canal_depth": sizes("L3")["canal_depth"] + 3.0})
    before = parameters("L3")
    for part in ("superior_articular_process", "lamina", "transverse_process"):
        back = made.process(part).start[1] - before.process(part).start[1]
        assert back == pytest.approx(-3.0, abs=0.6), part
    assert made.spinous_process.end[0] - before.spinous_process.end[0] == pytest.approx(-3.0, abs=0.6)
    assert made.body.centre == before.body.centre


def test_a_wedge_moves_both_heights_of_the_body_and_keeps_their_mean() -> None:
    start = ready("L4").now.values
    found = ready("L4").near({"wedge": 1.0}).measures
    assert found["wedge"] == pytest.approx(1.0, abs=0.8)
    heights = ("body_height_anterior", "body_height_posterior")
    assert sum(found[h] for h in heights) == pytest.approx(sum(start[h] for h in heights), abs=0.8)
    assert found[heights[0]] < start[heights[0]] - 1.0


def test_what_is_not_human_is_refused_with_level_measure_value_and_range() -> None:
    with pytest.raises(ValueError, match=r"L3: canal_depth of 40 mm is not human; .* 6\.1 to 24\.3 mm"):
        ready("L3").to_measures({"canal_depth": 40.0})
    with pytest.raises(ValueError, match="L3: 'girth' cannot be changed"):
        ready("L3").to_measures({"girth": 4.0})
    heights = {"body_height_anterior": 27.0, "body_height_posterior": 27.0}
    with pytest.raises(
        ValueError, match="L3: a wedge of 6 degrees does not go with body heights of 27 and 27"
    ):
        ready("L3").to_measures({"wedge": 6.0, **heights})


def test_nothing_wanted_changes_nothing() -> None:
    assert ready("L5").to_measures({}) == parameters("L5")


def test_the_mean_of_two_neighbours_becomes_the_level_between() -> None:
    above, below = (ready(level).shape.values for level in ("L3", "L5"))
    mean = rebuilt(parameters("L3"), {path: (above[path] + below[path]) / 2.0 for path in above})
    start = prepare(mean, "L4")
    usual = {level: population.recommended(level) for level in LUMBAR}
    between = {name: (usual["L3"][name] + usual["L5"][name]) / 2.0 for name in usual["L4"]}
    aim = population.in_proportion(start.now.values, between, usual["L4"])
    found = taken_again(start.near({name: aim[name] for name in MOVED}))
    for name in MOVED:
        assert close(found[name], aim[name], name, 1.2), (name, aim[name], found[name])


@pytest.mark.skipif("SPINEVIZ_SHARED" not in os.environ, reason="needs the collected facts")
def test_the_usual_measures_are_those_of_the_facts() -> None:
    path = Path(os.environ["SPINEVIZ_SHARED"]) / "facts" / "morphometry_recommended.csv"
    rows = {row["level"]: row for row in csv.DictReader(path.read_text("utf-8").splitlines())}
    columns = {
        "canal_width": "canal_w",
        "pedicle_height": "ped_h",
        "pars_width": "pars_width",
        "wedge": "wedge_deg",
    }
    for level in LUMBAR:
        for name, column in columns.items():
            assert population.usual(level, name) == float(rows[level][column])
