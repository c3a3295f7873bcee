"""Slips, worn discs, fractures and curves are said in one line; what cannot be is refused with what can."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import spineviz
from spineviz.cli import main
from spineviz.pathology import (
    Deformity,
    Degeneration,
    Fracture,
    Listhesis,
    Pathology,
    deformity_shorthand,
    degeneration_shorthand,
    fracture_shorthand,
    listhesis_shorthand,
)
from spineviz.scene import dumps, loads, shown
from spineviz.terms import levels_of

LINES: tuple[tuple[Callable[[str], Pathology], str, Pathology], ...] = (
    (listhesis_shorthand, "L5-S1 isthmic Meyerding II", Listhesis(meyerding="II")),
    (listhesis_shorthand, "L4/5 degenerative 25%", Listhesis(disc="L4-L5", type="degenerative", slip=25)),
    (listhesis_shorthand, "L4–L5 spondylolysis 38 %", Listhesis(disc="L4-L5", slip=38.0)),
    (listhesis_shorthand, "L4-L5 degenerative 7 mm", Listhesis(disc="L4-L5", type="degenerative", mm=7.0)),
    (degeneration_shorthand, "L4-L5 Pfirrmann IV", Degeneration(pfirrmann="IV")),
    (degeneration_shorthand, "L4/5 grade 5, Modic II, 45 %", Degeneration(pfirrmann="V", modic=2, height=45)),
    (degeneration_shorthand, "C5-6 III", Degeneration(disc="C5-C6", pfirrmann="III")),
    (fracture_shorthand, "L1 burst A3", Fracture(shape="burst", ao="A3")),
    (fracture_shorthand, "A4 L1, 6 mm retropulsion", Fracture(shape="burst", ao="A4", retropulsion=6.0)),
    (fracture_shorthand, "moderate biconcave fracture L2", Fracture(level="L2", shape="biconcave", genant=2)),
    (fracture_shorthand, "T8 wedge Genant 3", Fracture(level="T8", genant=3)),
    (fracture_shorthand, "L3 crush 40%", Fracture(level="L3", shape="crush", loss=40.0)),
    (fracture_shorthand, "L1 A2", Fracture(shape="split", ao="A2")),
    (fracture_shorthand, "L3 pincer 30%, 4 mm", Fracture(level="L3", shape="split", loss=30.0, apart=4.0)),
    (fracture_shorthand, "L1 A0", Fracture(shape="process", ao="A0")),
    (
        fracture_shorthand,
        "right transverse process L2 3mm",
        Fracture(level="L2", shape="process", process="transverse", side="right", apart=3.0),
    ),
    (deformity_shorthand, "scoliosis 35 left apex L2", Deformity(side="left", apex="L2")),
    (deformity_shorthand, "T8 right scoliosis 50°, rotation 20°", Deformity(cobb=50.0, rotation=20.0)),
    (deformity_shorthand, "kyphosis 25 degrees apex T10", Deformity(curve="kyphosis", cobb=25.0, apex="T10")),
)  # fmt: skip


@pytest.mark.parametrize(("teller", "words", "disease"), LINES)
def test_a_report_is_understood_in_any_order_and_its_scene_is_a_valid_file(
    teller: Callable[[str], Pathology], words: str, disease: Pathology
) -> None:
    assert teller(words) == disease
    scene = shown(disease)
    assert loads(dumps(scene)) == scene
    assert set(levels_of(disease.disc)) <= set(scene.anatomy.levels)


@pytest.mark.parametrize(
    ("teller", "words", "problem"),
    [
        (listhesis_shorthand, "isthmic II", "say the disc, as in 'L5-S1 isthmic Meyerding II'"),
        (
            listhesis_shorthand,
            "L4-L5 degenerative Meyerding III",
            "no more than .* Meyerding I or II; choose",
        ),
        (listhesis_shorthand, "L5-S1 istmic II", "'istmic' is not understood; nearest: isthmic"),
        (
            listhesis_shorthand,
            "T4-T5 isthmic I",
            "there is no disc T4-T5; nearest: L4-L5; there is: L1-L2, L2-L3",
        ),
        (listhesis_shorthand, "L5-S1 II 38 %", "both a grade and percents"),
        (listhesis_shorthand, "L5-S1 II 7 mm", "both mm and a grade or percents"),
        (listhesis_shorthand, "L5-S1 isthmic 60 mm", "is 182 % .* no more than 120 %, 40 mm"),
        (listhesis_shorthand, "L4-L5 degenerative 20 mm", "no more than 35 %"),
        (degeneration_shorthand, "L4-L5 Pfirrmann VI", "'vi' is not understood"),
        (degeneration_shorthand, "L4-L5 Modic 7", "modic: Input should be 0, 1, 2 or 3"),
        (degeneration_shorthand, "L4-L5 IV height 10 %", "height: .* greater than or equal to 30"),
        (fracture_shorthand, "burst A3", "say the vertebra, as in 'L1 burst A3'"),
        (fracture_shorthand, "C5 wedge", "there is no vertebra C5; nearest: "),
        (fracture_shorthand, "L1 wedge A3", "a wedge fracture is of type A1, not A3"),
        (fracture_shorthand, "L1 wedge 5 mm retropulsion", "nothing stands back; choose 'burst'"),
        (fracture_shorthand, "L1 burst A2", "a burst fracture is of type A3 or A4, not A2"),
        (fracture_shorthand, "L1 A0 30 %", "a broken process leaves the body its height"),
        (fracture_shorthand, "T8 transverse process", "held by its ribs; choose L1 to L5, or the spinous"),
        (fracture_shorthand, "L1 split 1 mm", "from 1.4 mm on"),
        (fracture_shorthand, "L1 A2 left", "a side is said of a transverse process alone"),
        (fracture_shorthand, "L1 wegde", "'wegde' is not understood; nearest: wedge"),
        (deformity_shorthand, "35 left apex L2", "say scoliosis or kyphosis"),
        (deformity_shorthand, "kyphosis 30 left apex T8", "a kyphosis has no side"),
        (deformity_shorthand, "scoliosis 89 right apex T8", "more than is shown here; up to"),
        (deformity_shorthand, "scoliosis 35 left right T8", "both left and right are said"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(
    teller: Callable[[str], Pathology], words: str, problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        teller(words)


@pytest.mark.parametrize(
    ("kind", "words", "title"),
    [
        ("listhesis", "L5-S1 isthmic Meyerding II", "L5–S1: isthmic slip, Meyerding II"),
        ("degeneration", "L4-L5 Pfirrmann IV", "L4–L5: worn disc, Pfirrmann IV"),
        ("fracture", "L1 A3 40 %", "L1: fracture of AO Spine type A3, 40 % of its height lost"),
        ("deformity", "scoliosis 35 left apex L2", "Scoliosis of 35°, convex to the left, apex L2"),
    ],
)
def test_a_scene_is_called_what_was_understood(kind: str, words: str, title: str) -> None:
    assert getattr(spineviz, kind)(words).scene.title == title


def test_the_command_line_refuses_what_cannot_be_with_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "--listhesis", "L4-L5 degenerative IV", "-o", "never.png"]) == 2
    assert "choose a smaller one, or type 'isthmic'" in capsys.readouterr().err
    assert main(["measure", "--fracture", "L1 burst A3", "--stenosis", "L4-L5 central C"]) == 2
    assert "say one disease with its words" in capsys.readouterr().err
