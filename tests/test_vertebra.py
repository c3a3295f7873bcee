"""The parametric thoracic and lumbar vertebra: mesh, field, landmarks and likeness to real bone."""

from __future__ import annotations

import csv
import importlib.util
import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import trimesh

from spineviz.anatomy import vertebra
from spineviz.anatomy.morphometry.calipers import measured
from spineviz.sdf import mesh
from spineviz.structure import Frame
from spineviz.terms import SIDES

THORACIC = tuple(f"T{number}" for number in range(1, 13))
LUMBAR = tuple(f"L{number}" for number in range(1, 6))
LEVELS = (*THORACIC, *LUMBAR)
PAIRED = ("pedicle", "pars", "lamina", "transverse", "facet.superior", "facet.inferior")
SINGLE = ("endplate.superior", "endplate.inferior", "canal", "spinous.tip", "spinous.base")
COSTAL = ("costal.superior", "costal.inferior", "costal.transverse")


def costal(level: str) -> tuple[str, ...]:
    """The costal facets an anatomist looks for at a level."""
    if level.startswith("L"):
        return ()
    number = int(level[1:])
    return COSTAL if number < 10 else (COSTAL[0], COSTAL[2]) if number == 10 else COSTAL[:1]


@cache
def bone(level: str, step: float = 1.2) -> trimesh.Trimesh:
    surface = mesh(vertebra.solid(vertebra.parameters_of(level)), step, mirror=True)
    return trimesh.Trimesh(surface.vertices, surface.faces, process=False)


@cache
def marks(level: str) -> dict[str, Frame]:
    return vertebra.landmarks(vertebra.parameters_of(level))


@pytest.mark.parametrize("level", LEVELS)
def test_a_vertebra_is_one_watertight_body_with_one_hole(level: str) -> None:
    made = bone(level)
    assert made.is_watertight and made.is_winding_consistent
    assert made.body_count == 1
    assert made.euler_number == 0
    assert made.volume > (30_000.0 if level > "L1" and level in LUMBAR else 8_000.0)


@pytest.mark.parametrize("step", [0.9, 1.0, 1.5])
def test_a_vertebra_stays_watertight_at_coarser_steps(step: float) -> None:
    surface = mesh(vertebra.solid(vertebra.parameters_of("L4")), step, mirror=True)
    made = trimesh.Trimesh(surface.vertices, surface.faces, process=False)
    assert made.is_watertight and made.euler_number == 0


@pytest.mark.parametrize("level", LEVELS)
def test_left_and_right_of_a_vertebra_are_the_same(level: str) -> None:
    vertices = np.asarray(bone(level).vertices)
    assert {tuple(v) for v in vertices.tolist()} == {
        (-x if x else 0.0, y, z) for x, y, z in vertices.tolist()
    }


@pytest.mark.parametrize("level", LEVELS)
def test_the_field_stays_close_to_a_true_distance(level: str) -> None:
    field = vertebra.field(vertebra.parameters_of(level))
    thoracic = level in THORACIC
    step, every = (1.2, 5) if thoracic else (0.7, 29)
    points = np.asarray(bone(level, step).vertices[::every], dtype=np.float64)
    points = points[np.abs(points[:, 0]) > 1.5]
    slope = np.stack([(field(points + d) - field(points - d)) / 0.02 for d in np.eye(3) * 0.01], axis=1)
    steepness = np.linalg.norm(slope, axis=1)
    assert np.median(steepness) == pytest.approx(1.0, abs=0.08 if thoracic else 0.05)
    assert np.percentile(steepness, 8) > (0.62 if thoracic else 0.7)
    most = 1.45 if level == "T12" else 1.35  # its inferior facets turn to the sagittal plane within a few mm
    assert np.percentile(steepness, 99.5) < most


@pytest.mark.parametrize("level", LEVELS)
def test_every_landmark_is_there_once_and_right_handed(level: str) -> None:
    names = {*SINGLE, *(f"{name}.{side}" for name in (*PAIRED, *costal(level)) for side in SIDES)}
    assert set(marks(level)) == names
    for frame in marks(level).values():
        assert frame.axes @ frame.axes.T == pytest.approx(np.eye(3), abs=1e-9)
        assert np.linalg.det(frame.axes) == pytest.approx(1.0)


@pytest.mark.parametrize("level", LEVELS)
def test_surface_landmarks_lie_on_the_bone_and_look_out_of_it(level: str) -> None:
    field = vertebra.field(vertebra.parameters_of(level))
    sided = (f"{name}.right" for name in (*PAIRED[1:], *costal(level)))
    for name in (*sided, "spinous.tip", "spinous.base"):
        frame = marks(level)[name]
        inside, on, outside = field(frame.origin + np.array([[-1.0], [0.0], [1.0]]) * frame.anterior)
        assert abs(on) < 0.02 and inside < -0.4 and outside > 0.4, name


@pytest.mark.parametrize("level", LEVELS)
def test_left_landmarks_mirror_the_right_ones(level: str) -> None:
    for name in (*PAIRED, *costal(level)):
        left, right = marks(level)[f"{name}.left"], marks(level)[f"{name}.right"]
        assert right.origin[0] > 0.0
        assert left.origin == pytest.approx(right.origin * [-1.0, 1.0, 1.0])
        assert left.anterior == pytest.approx(right.anterior * [-1.0, 1.0, 1.0])


@pytest.mark.parametrize("level", LEVELS)
def test_landmarks_stand_where_an_anatomist_looks_for_them(level: str) -> None:
    at = {name: frame.origin for name, frame in marks(level).items()}
    half = 10.0 if level in LUMBAR else 6.5
    assert at["endplate.superior"][2] > half and at["endplate.inferior"][2] < -half
    assert at["spinous.tip"][1] < at["spinous.base"][1] < at["canal"][1] < at["pedicle.right"][1] + 8.0
    assert at["facet.superior.right"][2] > at["pars.right"][2] > at["facet.inferior.right"][2]
    assert at["transverse.right"][0] > at["pedicle.right"][0] > at["lamina.right"][0] > 4.0


@pytest.mark.parametrize("level", LEVELS)
def test_facets_face_backwards_in_the_chest_and_inwards_in_the_loins(level: str) -> None:
    superior = marks(level)["facet.superior.right"].anterior
    inferior = marks(level)["facet.inferior.right"].anterior
    if level in LUMBAR:
        assert superior[:2].max() < -0.3 and inferior[:2].min() > 0.3
    else:
        assert superior[1] < -0.75
        assert inferior[0] > 0.7 if level == "T12" else inferior[1] > 0.6


def test_spinous_processes_are_steepest_in_the_middle_of_the_chest() -> None:
    slopes = {}
    for level in THORACIC:
        at = marks(level)
        _, y, z = at["spinous.tip"].origin - at["spinous.base"].origin
        slopes[level] = np.degrees(np.arctan2(-z, -y))
    assert min(slopes[f"T{n}"] for n in range(5, 9)) > 50.0
    assert slopes["T1"] < 45.0 and slopes["T12"] < 40.0
    assert max(slopes, key=slopes.__getitem__) in ("T5", "T6", "T7", "T8")


@pytest.mark.parametrize("level", THORACIC)
def test_costal_facets_are_hollow_and_face_the_ribs(level: str) -> None:
    field = vertebra.field(vertebra.parameters_of(level))
    for name in costal(level):
        frame = marks(level)[f"{name}.right"]
        border = frame.origin + 2.5 * np.array([[-1.0], [1.0]]) * frame.right
        assert field(border).mean() < -0.03, name
        assert frame.anterior[0] > 0.3
    if "costal.transverse" in costal(level):
        assert marks(level)["costal.transverse.right"].anterior[1] > 0.5


@pytest.mark.parametrize("level", LEVELS)
def test_the_canal_is_free_and_the_pedicles_hold_a_screw(level: str) -> None:
    field = vertebra.field(vertebra.parameters_of(level))
    assert field(marks(level)["canal"].origin[None])[0] > 4.0
    pedicle = marks(level)["pedicle.right"]
    reach, thick = (25.0, 2.5) if level in LUMBAR else (12.0, 1.2)
    line = pedicle.origin + np.linspace(-reach / 5.0, reach, 16)[:, None] * pedicle.anterior
    assert field(line).max() < -thick


@pytest.mark.parametrize("level", ["T1", "T7", "L4"])
def test_only_the_articular_surfaces_carry_cartilage(level: str) -> None:
    vertices = np.asarray(bone(level).vertices)
    share = vertebra.cartilage(vertebra.parameters_of(level), vertices)
    assert share.min() >= 0.0 and share.max() == pytest.approx(1.0)
    covered = vertices[share > 0.5]
    assert 0.01 < len(covered) / len(vertices) < (0.08 if level in LUMBAR else 0.12)
    assert covered[:, 1].max() < (-22.0 if level in LUMBAR else 3.0)


def test_a_level_without_such_a_vertebra_is_refused() -> None:
    with pytest.raises(ValueError, match="no thoracic or lumbar vertebra 'S1'"):
        vertebra.parameters_of("S1")


@pytest.mark.skipif("SPINEVIZ_SHARED" not in os.environ, reason="needs the reference bones")
@pytest.mark.parametrize(
    "level, source, mean_limit, p95_limit",
    [
        ("T1", "spl", 1.0, 2.8),
        ("T3", "spl", 1.0, 2.8),
        ("T5", "spl", 1.0, 2.8),
        ("L1", "remus", 0.9, 2.2),
        ("L3", "clouthier", 0.45, 1.0),
        ("L5", "clouthier", 0.45, 1.0),
    ],
)
def test_a_vertebra_is_closer_to_its_reference_than_two_people_are_to_each_other(
    level: str, source: str, mean_limit: float, p95_limit: float
) -> None:
    folder = Path(os.environ["SPINEVIZ_SHARED"]) / "reference"
    spec = importlib.util.spec_from_file_location("fidelity", folder / "fidelity.py")
    assert spec is not None and spec.loader is not None
    fidelity = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fidelity)
    reference = trimesh.load(folder / f"{source}_{level}.ply", force="mesh")
    mean, p95, _, scale = fidelity.distance(bone(level, 0.8), reference)
    assert mean <= mean_limit and p95 <= p95_limit
    if source == "clouthier":
        assert scale == pytest.approx(1.0, abs=0.01)


SIZES = {
    "endplate_width_superior": "epw_upper", "endplate_width_inferior": "epw_lower",
    "endplate_depth_superior": "epd_upper", "endplate_depth_inferior": "epd_lower",
    "body_height_anterior": "h_ant", "body_height_posterior": "h_post", "canal_width": "canal_w",
    "canal_depth": "canal_d", "pedicle_width": "ped_w", "pedicle_height": "ped_h",
    "transverse_span": "tp_span", "spinous_length": "sp_free_length",
}  # fmt: skip
REFERENCES_WIN = {
    "L1": {"body_height_anterior", "canal_depth", "pedicle_height", "spinous_length"},
    "L2": {"body_height_anterior", "pedicle_width", "pedicle_height", "spinous_length"},
    "L3": {
        *("endplate_width_superior", "endplate_width_inferior"),
        *("body_height_anterior", "body_height_posterior", "pedicle_height"),
    },
    "L4": {"endplate_width_superior", "endplate_width_inferior", "body_height_anterior"},
    "L5": {"endplate_width_superior"},
}
"""Where the reference bones contradict the published row. The mean of 87 patients (L3, L5, and L4 between
them) is larger in width and height. The Visible Human's L1 has a higher body and pedicle, a shallower canal,
and a spinous process that is shorter behind its thick laminae; L2 lies between. There the bone is within
20 %, the spinous length of L1 and L2 within a third."""


@pytest.mark.skipif("SPINEVIZ_SHARED" not in os.environ, reason="needs the collected facts")
@pytest.mark.parametrize("level", LUMBAR)
def test_lumbar_measures_are_those_published_unless_the_reference_contradicts(level: str) -> None:
    path = Path(os.environ["SPINEVIZ_SHARED"]) / "facts" / "morphometry_recommended.csv"
    row = next(r for r in csv.DictReader(path.read_text("utf-8").splitlines()) if r["level"] == level)
    field = vertebra.field(vertebra.parameters_of(level))
    found = measured(field, marks(level), only=list(SIZES), sides=("right",))
    for name, column in SIZES.items():
        short = name == "spinous_length" and level in ("L1", "L2")
        limit = (1 / 3 if short else 0.2) if name in REFERENCES_WIN[level] else 0.1
        assert found[name] == pytest.approx(float(row[column]), rel=limit), name
