"""Every nerve has a way out: the foramina of the standing column and of the sacrum."""

from __future__ import annotations

import csv
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from passage import ball_passes
from quick import SampledBone

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.column.foramen import Foramen, foramina, intervertebral
from spineviz.terms import DISCS, Disc, Level, levels_of

COLUMN_DISCS: tuple[Disc, ...] = tuple(disc for disc in DISCS if "L6" not in disc)
LUMBAR = ("L1-L2", "L2-L3", "L3-L4", "L4-L5", "L5-S1")
SACRAL = tuple(f"foramen.{aspect}.S{n}" for aspect in ("anterior", "posterior") for n in range(1, 5))

ROOT = {"cervical": 1.5, "thoracic": 1.5, "lumbar": 2.0}
"""The least radius (mm) of a ball that stands for a root: its diameter in the texts, less what gives way."""

Found = dict[str, Foramen]


@pytest.fixture(scope="module")
def found(sampled_column: dict[Level, SampledBone]) -> Found:
    return {
        name: window
        for upper, lower in pairwise(sampled_column)
        for name, window in _some({level: sampled_column[level] for level in (upper, lower)}).items()
    }


def _some(bones: dict[Level, SampledBone]) -> Found:
    """The foramina of two bones; none where one is closed."""
    try:
        return foramina(bones)
    except ValueError:
        return {}


def test_a_column_has_twenty_three_pairs_of_foramina_and_the_sacrum_four_before_and_behind(
    found: Found,
) -> None:
    between = [name for name in found if "-" in name]
    assert len(between) == 2 * 23
    assert len(found) == 2 * 23 + 2 * 2 * 4


@pytest.mark.parametrize("pair", COLUMN_DISCS)
def test_a_root_passes_through_every_foramen(
    found: Found, sampled_column: dict[Level, SampledBone], pair: Disc
) -> None:
    upper, lower = levels_of(pair)
    region = {"C": "cervical", "T": "thoracic"}.get(pair[0], "lumbar")
    window = found[f"foramen.{pair}.right"]
    assert window.room > ROOT[region]
    assert ball_passes([sampled_column[upper], sampled_column[lower]], window, ROOT[region] * 0.9)


@pytest.mark.parametrize("pair", LUMBAR)
def test_lumbar_foramina_are_as_high_and_wide_as_published(found: Found, shared: Path, pair: str) -> None:
    rows = list(csv.DictReader((shared / "facts" / "neural.csv").read_text("utf-8").splitlines()))
    published = {row["parameter"]: float(row["value"]) for row in rows if row["level"] == pair
                 and row["parameter"].startswith("REC_foramen")}  # fmt: skip
    window = found[f"foramen.{pair}.right"]
    assert window.height == pytest.approx(published["REC_foramen_height"], rel=0.2)
    assert window.width_superior == pytest.approx(published["REC_foramen_width_superior"], rel=0.2)


@pytest.mark.parametrize("pair", ["C3-C4", "C4-C5", "C5-C6", "C6-C7"])
def test_cervical_foramina_are_as_high_and_wide_as_in_the_texts(found: Found, pair: str) -> None:
    window = found[f"foramen.{pair}.right"]
    assert 9.0 * 0.8 <= window.height <= 10.0 * 1.2
    assert 5.0 * 0.8 <= window.width <= 6.0 * 1.2


@pytest.mark.parametrize("name", SACRAL)
def test_sacral_foramina_are_open_to_both_faces(
    found: Found, sampled_column: dict[Level, SampledBone], name: str
) -> None:
    window = found[f"{name}.right"]
    assert window.room > 2.0
    assert ball_passes([sampled_column["S1"]], window, 1.5, out=8.0)


def test_the_foramina_of_both_sides_mirror_each_other(found: Found) -> None:
    for name, left in found.items():
        if name.endswith(".left"):
            right = found[name.removesuffix("left") + "right"]
            assert left.frame.origin * [-1, 1, 1] == pytest.approx(right.frame.origin, abs=0.1)
            assert left.frame.anterior * [-1, 1, 1] == pytest.approx(right.frame.anterior, abs=1e-3)
            assert left.area == pytest.approx(right.area, rel=0.05)


def test_the_axis_of_a_foramen_leads_out_of_the_canal(found: Found) -> None:
    for name, window in found.items():
        outward = -1.0 if name.endswith("left") else 1.0
        if "-" in name:
            assert window.frame.anterior[0] * outward > 0.5
            assert window.frame.origin[0] * outward > 5.0
        else:
            assert window.frame.anterior[1] * (1.0 if "anterior" in name else -1.0) > 0.5
        assert np.linalg.det(window.frame.axes) == pytest.approx(1.0)


@pytest.mark.parametrize("pair", COLUMN_DISCS)
def test_a_foramen_lies_between_the_pedicles_behind_the_disc_and_before_the_joint(
    found: Found, sampled_column: dict[Level, SampledBone], pair: Disc
) -> None:
    upper, lower = (sampled_column[level] for level in levels_of(pair))
    window = found[f"foramen.{pair}.right"]
    above, below = (window.frame.to_local(bone.landmarks["pedicle.right"].origin) for bone in (upper, lower))
    assert below[2] < window.plane[:, 1].min() < 0 < window.plane[:, 1].max() < above[2]
    joint = window.frame.to_local(lower.landmarks["facet.superior.right"].origin)
    disc = window.frame.to_local(upper.landmarks["endplate.inferior"].origin)
    assert disc[0] < 0 < joint[0], "on the right, x leads backwards"


def test_nothing_larger_than_a_foramen_passes_through_it(
    found: Found, sampled_column: dict[Level, SampledBone]
) -> None:
    window = found["foramen.L3-L4.right"]
    assert not ball_passes([sampled_column["L3"], sampled_column["L4"]], window, window.room + 1.0)


def test_a_foramen_is_the_same_on_a_meshed_bone(found: Found, bones: dict[Level, LevelBone]) -> None:
    window, other = found["foramen.L4-L5.right"], intervertebral(bones["L4"], bones["L5"], "right")
    assert other.height == pytest.approx(window.height, abs=0.3)
    assert other.area == pytest.approx(window.area, rel=0.03)


def test_a_flatter_disc_leaves_a_lower_foramen(sampled_column: dict[Level, SampledBone]) -> None:
    upper, lower = sampled_column["L4"], sampled_column["L5"]
    usual = intervertebral(upper, lower, "right")
    sunk = upper.frame.origin - 4.0 * lower.frame.superior
    narrow = intervertebral(upper.at(type(upper.frame)(sunk, upper.frame.axes)), lower, "right")
    assert narrow.height == pytest.approx(usual.height - 4.0, abs=0.7)
    assert narrow.area < usual.area


def test_bones_without_the_landmarks_are_refused(sampled_column: dict[Level, SampledBone]) -> None:
    with pytest.raises(ValueError, match=r"foramen\.C1-C2.left: the landmark C1/pedicle.left is needed"):
        intervertebral(sampled_column["C1"], sampled_column["C2"], "left")
