"""The thoracic vertebrae among themselves: joints that fit without shaving, and sizes as published."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from spineviz import measures
from spineviz.anatomy import vertebra
from spineviz.anatomy.column.alignment import endplate, stacked
from spineviz.anatomy.morphometry import population
from spineviz.anatomy.morphometry.calipers import measured, unit
from spineviz.anatomy.vertebra.landmarks import leaving
from spineviz.body.parameters import Anatomy
from spineviz.sdf import mesh
from spineviz.sdf.solid import Field
from spineviz.structure import Floats, Frame
from spineviz.terms import Level, discs_of, levels_of
from spineviz.terms import column as levels_from_above

THORACIC: tuple[Level, ...] = tuple(level for level in levels_from_above() if level[0] == "T")
PAIRS: tuple[tuple[Level, Level], ...] = tuple(pairwise(THORACIC))
SPACE = float(measures.value("facet_joint.bone_to_bone_gap_cervical_and_thoracic"))
SHAVED = 0.5
"""The most (mm) that a bone may lose where it gives way to its neighbour; both lose half of what lacks."""


@cache
def marks(level: Level) -> dict[str, Frame]:
    return vertebra.landmarks(vertebra.parameters_of(level))


@cache
def field(level: Level) -> Field:
    return vertebra.field(vertebra.parameters_of(level))


@cache
def place(upper: Level, lower: Level) -> Frame:
    """Where a bone stands on its disc, in the own frame of the bone below."""
    above, below = (
        endplate(marks(upper), "inferior", upper),
        endplate(marks(lower), "superior", lower),
    )
    floors = [float(field(level)(frame.origin[None])[0]) for level, frame in ((upper, above), (lower, below))]
    disc = next(name for name in discs_of(levels_from_above()) if levels_of(name) == (upper, lower))
    shape = Anatomy().discs[disc]
    return stacked(below, above, shape.height_middle - sum(floors), shape.wedge)


def facing(lower: Level) -> Floats:
    """Places on a superior articular surface, over most of its oval."""
    mark, facet = marks(lower)["facet.superior.right"], vertebra.parameters_of(lower).superior_facet
    across, up = np.meshgrid(np.linspace(-0.8, 0.8, 9), np.linspace(-0.8, 0.8, 9))
    inside = across**2 + up**2 <= 0.65
    half = np.array([facet.width, 0.0, facet.height]) / 2.0
    spots = np.stack([across[inside], 0.0 * up[inside], up[inside]], axis=1) * half
    starts = mark.to_parent(spots) - 1.5 * mark.anterior
    return np.array([leaving(field(lower), start, mark.anterior, 6.0) for start in starts])


@pytest.mark.parametrize("pair", PAIRS)
def test_articular_surfaces_keep_the_joint_space_before_any_bone_gives_way(pair: tuple[Level, Level]) -> None:
    upper, lower = pair
    gaps = field(upper)(place(upper, lower).to_local(facing(lower)))
    assert gaps.min() > SPACE - 0.4 and gaps.max() < SPACE + 0.4
    down = marks(upper)["facet.inferior.right"].then(place(upper, lower))
    up = marks(lower)["facet.superior.right"]
    assert np.degrees(np.arccos(np.clip(-down.anterior @ up.anterior, -1.0, 1.0))) < 5.0
    assert np.linalg.norm(down.origin - up.origin) < SPACE + 1.0


def test_the_last_joint_of_the_chest_is_embraced_by_the_first_of_the_loins() -> None:
    """L1's superior surfaces are hollow; T12's fit them a little less closely than flat ones do."""
    gaps = field("T12")(place("T12", "L1").to_local(facing("L1")))
    assert gaps.min() > SPACE - 0.5 and np.percentile(gaps, 90) < SPACE + 0.9
    assert np.mean(gaps) == pytest.approx(SPACE, abs=0.25)
    down = marks("T12")["facet.inferior.right"].then(place("T12", "L1"))
    up = marks("L1")["facet.superior.right"]
    assert np.degrees(np.arccos(np.clip(-down.anterior @ up.anterior, -1.0, 1.0))) < 10.0
    assert np.linalg.norm(down.origin - up.origin) < 3.0


@pytest.mark.parametrize("pair", PAIRS)
def test_neighbours_hardly_give_way(pair: tuple[Level, Level]) -> None:
    upper, lower = pair
    vertices = np.asarray(mesh(vertebra.solid(vertebra.parameters_of(upper)), 1.2, mirror=True).vertices)
    behind = vertices[(vertices[:, 0] >= 0.0) & (vertices[:, 1] < 0.0)]
    gap = field(lower)(place(upper, lower).to_parent(behind)).min()
    assert (SPACE - gap) / 2.0 <= SHAVED


@pytest.mark.parametrize("level", THORACIC)
def test_measures_are_those_recommended_or_chosen_with_a_reason(level: Level) -> None:
    usual = population.recommended(level)
    chosen = measures.table("thoracic_rows").get(level, {})
    names = [name for name in usual if name not in measures.table("thoracic_rows.unmeasured").get(level, {})]
    found = measured(field(level), marks(level), only=names, sides=("right",))
    for name in names:
        value = float(chosen.get(name, usual[name]))
        slack = 0.1 * abs(value) if unit(name) == "mm" else max(0.1 * abs(value), 2.0)
        assert found[name] == pytest.approx(value, abs=slack), name


@pytest.mark.parametrize("level", THORACIC)
def test_articular_surfaces_and_pedicles_look_where_their_parameters_say(level: Level) -> None:
    parameters = vertebra.parameters_of(level)
    names = [name for name in measures.table(f"calipers.recommended.{level}") if "inferior" not in name]
    found = measured(field(level), marks(level), only=names, sides=("right",))
    facet = parameters.superior_facet
    assert found["facet_superior_height"] == pytest.approx(facet.height, abs=0.5)
    assert found["facet_superior_sagittal_angle"] == pytest.approx(facet.to_sagittal, abs=2.0)
    assert found["pedicle_transverse_angle"] == pytest.approx(parameters.pedicle_axis.medial, abs=2.0)


@pytest.mark.parametrize(("level", "depth"), [("T6", 12.0), ("T8", 14.0), ("T9", 14.0)])
def test_one_measure_can_be_asked_for_where_a_caliper_does_not_take_all(level: Level, depth: float) -> None:
    shape = Anatomy(vertebrae={level: {"canal_depth": depth}}).shape(level)
    assert isinstance(shape, vertebra.VertebraParameters)
    bone, found = vertebra.field(shape), vertebra.landmarks(shape)
    taken = measured(bone, found, only=("canal_depth",), sides=("right",))
    assert taken["canal_depth"] == pytest.approx(depth, abs=0.5)


def test_a_measure_that_no_caliper_takes_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="T8: 'pars_width' cannot be changed; choose of: "):
        Anatomy(vertebrae={"T8": {"pars_width": 12.0}}).shape("T8")
