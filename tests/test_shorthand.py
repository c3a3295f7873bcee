"""A herniation is said in one line, and what cannot be is refused with what can."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spineviz.pathology import Herniation, shorthand
from spineviz.pathology.shorthand import WORDS
from spineviz.scene import dumps, loads, shown_herniation
from spineviz.terms import levels_of


@pytest.mark.parametrize(
    ("words", "fields"),
    [
        (
            "L4-L5 left subarticular extrusion 7mm caudal",
            {"depth": 7.0, "migration": "caudal", "migration_distance": 6.0},
        ),
        (
            "right foraminal protrusion of L5/S1, 4 mm",
            {"disc": "L5-S1", "side": "right", "zone": "foraminal", "morphology": "protrusion", "depth": 4.0},
        ),
        (
            "L4–5 left central extrusion 6x12mm migrated 8 mm caudally",
            {
                "zone": "paracentral",
                "depth": 6.0,
                "width": 12.0,
                "migration": "caudal",
                "migration_distance": 8.0,
            },
        ),
        (
            "extruded disc L4-L5 9 mm deep, 5 mm caudal migration",
            {"depth": 9.0, "migration": "caudal", "migration_distance": 5.0},
        ),
        (
            "L3-4 free fragment down pedicular",
            {
                "disc": "L3-L4",
                "morphology": "sequestration",
                "migration": "caudal",
                "migration_zone": "pedicular",
            },
        ),
        ("bulge L4-L5", {"morphology": "bulge"}),
        (
            "L4-L5 left far lateral bulge 3mm",
            {"morphology": "bulge", "symmetric": False, "zone": "extraforaminal", "depth": 3.0},
        ),
        (
            "C5-6 central protrusion 2mm",
            {"disc": "C5-C6", "zone": "central", "morphology": "protrusion", "depth": 2.0},
        ),
        ("C7-T1 right foraminal", {"disc": "C7-T1", "side": "right", "zone": "foraminal"}),
        ("L4-L5 MSU 2B", {"msu": "2B"}),
        ("subligamentous L4-L5", {"contained": True}),
    ],
)
def test_a_report_is_understood(words: str, fields: dict[str, Any]) -> None:
    assert shorthand(words) == Herniation(**fields)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("L4-L5 leeft subarticular", "'leeft' is not understood; nearest: left"),
        ("L4-L5 subarticullar extrusion", "nearest: subarticular"),
        ("left extrusion", "say the disc"),
        ("L6-L7 extrusion", "there is no disc L6-L7; nearest: "),
        ("L4-L5 left right extrusion", "both left and right"),
        ("C5-C6 extraforaminal extrusion", "a cervical disc has no extraforaminal zone.*choose central, par"),
        ("T7-T8 subarticular extrusion", "a thoracic disc has no subarticular zone"),
        ("L4-L5 40mm extrusion", "an extrusion of a lumbar disc is 2 to 12 mm deep"),
        ("C5-C6 extrusion 7mm", "of a cervical disc is 2 to 5 mm deep"),
        ("L4-L5 protrusion 8mm", "2 to 6 mm deep; deeper is an extrusion"),
        ("L4-L5 foraminal extrusion 10mm", "of a lumbar disc, foraminal, is 2 to 8 mm deep"),
        ("L4-L5 bulge 5mm", "1 to 3 mm deep; deeper is a protrusion"),
        ("L4-L5 extrusion 7x34mm", "quarter of the circumference on, about 33 mm, it is a bulge"),
        ("L4-L5 protrusion caudal", "a protrusion does not migrate"),
        ("L4-L5 bulge caudal", "a bulge does not migrate"),
        ("L4-L5 extrusion caudal 20mm", "reaches 15 mm beyond the endplate at most"),
        ("L4-L5 foraminal extrusion caudal 4mm", "lies the pedicle of L5: it migrates cranially"),
        ("L4-L5 extrusion caudal infrapedicular", "suprapedicular or pedicular zone of L5, not the infra"),
        ("C5-C6 extrusion cranial infrapedicular", "those of lumbar discs; give C5-C6 a distance"),
        ("L4-L5 contained free fragment", "free, not contained"),
        ("L4-L5 uncontained protrusion", "what has broken through is an extrusion"),
        ("L4-L5 foraminal MSU 2B", "MSU 2B lies subarticular, not foraminal"),
        ("C5-C6 MSU 2A", "those of lumbar discs"),
        ("L4-L5 extrusion pedicular", "say whether it migrates cranially or caudally"),
        ("L4-L5 symmetric extrusion", "is said of a bulge"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(words: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        shorthand(words)


@given(st.randoms(use_true_random=False), st.data())
def test_the_order_of_the_words_does_not_matter(random: Any, data: st.DataObject) -> None:
    said = ["L4-L5", data.draw(st.sampled_from(["left", "right"]))]
    said.append(data.draw(st.sampled_from([words[0] for words in WORDS["zone"].values()])))
    said += [data.draw(st.sampled_from(["protrusion", "extrusion"])), "5mm"]
    first = shorthand(" ".join(said))
    random.shuffle(said)
    assert shorthand(" ".join(said)) == first


@pytest.mark.parametrize("words", ["L5-S1 left", "C2-C3 central", "T12-L1 right bulge", "L1-L2 anterior"])
def test_its_scene_is_a_valid_file_of_the_neighbouring_levels(words: str) -> None:
    scene = shown_herniation(shorthand(words))
    assert loads(dumps(scene)) == scene
    assert set(levels_of(scene.pathologies[0].disc)) <= set(scene.anatomy.levels)
    assert len(scene.anatomy.levels) <= 5


@pytest.mark.parametrize(
    ("words", "title"),
    [
        (
            "L4-L5 left subarticular extrusion 7mm caudal 5mm",
            "L4–L5: left subarticular extrusion, 7 mm deep, migrated 5 mm downwards",
        ),
        ("C5-C6 midline protrusion 2.5mm", "C5–C6: central protrusion, 2.5 mm deep"),
        ("L3-L4 bulge 2mm", "L3–L4: symmetric bulge, 2 mm deep"),
        (
            "L4-L5 right MSU 2B caudal pedicular",
            "L4–L5: right subarticular extrusion, MSU 2B, migrated downwards to the pedicular zone",
        ),
    ],
)
def test_its_scene_is_called_what_was_understood(words: str, title: str) -> None:
    assert shown_herniation(shorthand(words)).title == title


def test_every_region_has_its_own_usual_depth() -> None:
    depths = [Herniation(disc=disc).depth for disc in ("C5-C6", "T7-T8", "L4-L5")]
    assert depths == sorted(depths)
    assert all(Herniation.model_validate({"disc": disc, "depth": None}).depth > 0 for disc in ("C5-C6",))


def test_a_grade_gives_the_zone_and_a_letter_the_other_zones_of_its_own() -> None:
    zones = [Herniation(msu=grade).zone for grade in ("1A", "2B", "3C")]
    assert zones == ["central", "subarticular", "foraminal"]
    assert Herniation(msu="1C", zone="extraforaminal").zone == "extraforaminal"
