"""Structures are found by what people call them, however they write it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import spineviz
from spineviz.cli import USAGE_ERROR, main
from spineviz.nomenclature import Found, baked_names, every_name, found, nothing_found
from spineviz.nomenclature.words import likeness, words_of

THERE = (
    *("C1", "C2", "C7", "T5", "T12", "L3", "L4", "L5", "S1", "Co1", "rib.T5.left", "rib.T12.right"),
    *("ilium.left", "disc.L3-L4", "disc.L4-L5", "disc.L5-S1", "nucleus.L4-L5", "thecal_sac"),
    *(f"root.{level}.{side}" for level in ("L3", "L4", "L5", "S1") for side in ("left", "right")),
    *(f"flavum.{disc}.{side}" for disc in ("L3-L4", "L4-L5") for side in ("left", "right")),
    *("interspinous.L4-L5", "supraspinous_ligament", "multifidus.left", "multifidus.right"),
    *("longissimus.left", "thoracolumbar_fascia", "subcutaneous_fat", "skin"),
)
SCIATIC = [f"root.{level}.{side}" for level in ("L4", "L5", "S1") for side in ("left", "right")]
FLAVA = [name for name in THERE if name.startswith("flavum")]
DISCS = ["disc.L3-L4", "disc.L4-L5", "disc.L5-S1"]


def names(entries: tuple[Found, ...]) -> list[str]:
    return [entry.name for entry in entries]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("sciatic", SCIATIC),
        ("sciatica", SCIATIC),
        ("yellow ligament", FLAVA),
        ("slipped disc", DISCS),
        ("tailbone", ["Co1"]),
        ("pinched nerve L5", ["root.L5.left", "root.L5.right"]),
        ("L5 root left", ["root.L5.left"]),
        ("left root of L5", ["root.L5.left"]),
        ("flavum L4/5 right", ["flavum.L4-L5.right"]),
        ("musculi multifidi", ["multifidus.left", "multifidus.right"]),
        ("vertebra prominens", ["C7"]),
        ("fifth lumbar vertebra", ["L5"]),
        ("12th thoracic vertebra", ["T12"]),
        ("hip bone", ["ilium.left"]),
        ("floating rib", ["rib.T12.right"]),
        ("dura", ["thecal_sac"]),
        ("fma:13075", ["L4"]),
        ("FMA13075", ["L4"]),
        ("UBERON:0001092", ["C1"]),
        ("TA2 2242", ["thoracolumbar_fascia"]),
    ],
)
def test_everyday_words_latin_and_ids_find_what_they_mean(words: str, expected: list[str]) -> None:
    assert names(found(words, THERE)) == expected


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("yelow ligment", "flavum.L3-L4.left"),
        ("mutlifidus", "multifidus.left"),
        ("ligamnetum flavum L4-L5", "flavum.L4-L5.left"),
        ("thoracolumber facia", "thoracolumbar_fascia"),
        ("tailbon", "Co1"),
        ("intervertebal disk", "disc.L3-L4"),
        ("ATLAS", "C1"),
        ("  Discus   intervertebrális ", "disc.L3-L4"),
        ("Th5", "T5"),
        ("l 4", "L4"),
    ],
)
def test_case_accents_spacing_and_small_mistakes_do_not_matter(words: str, first: str) -> None:
    assert names(found(words, THERE))[0] == first


def test_the_order_of_the_words_does_not_matter() -> None:
    forwards, backwards = found("left nerve root L5", THERE), found("L5 root nerve left", THERE)
    assert names(forwards) == names(backwards) == ["root.L5.left"]


def test_what_is_called_just_so_stands_before_what_only_has_to_do_with_it() -> None:
    assert names(found("L5", THERE))[0] == "L5"
    assert names(found("disc", THERE))[:3] == DISCS and "nucleus.L4-L5" in names(found("disc", THERE))
    scores = [entry.score for entry in found("lumbar", THERE)]
    assert scores == sorted(scores, reverse=True)


def test_every_word_must_be_met() -> None:
    assert found("multifidus ligament", THERE) == ()
    assert found("root C5", THERE) == ()


def test_a_level_is_never_taken_for_another_by_mistake() -> None:
    assert all("L4" in name for name in names(found("L4", THERE)))
    assert names(found("T1", THERE)) == []


def test_without_words_everything_is_listed_in_its_order() -> None:
    assert names(found("", THERE)) == list(THERE) == names(found(" the ", THERE))


@settings(max_examples=40)
@given(st.text(max_size=30))
def test_whatever_is_typed_finds_only_what_is_there(words: str) -> None:
    entries = found(words, THERE[:8])
    assert set(names(entries)) <= set(THERE) and all(0 < entry.score <= 1 for entry in entries)


@pytest.mark.parametrize("name", THERE)
def test_every_structure_finds_itself_by_its_full_name(name: str) -> None:
    (own,) = found("", [name])
    assert names(found(own.title, THERE))[0] == name
    assert name in names(found(name, THERE))


def test_a_root_tells_its_skin_and_its_muscles() -> None:
    (root,) = found("L5 root left", THERE)
    assert "foot" in root.skin and "hallucis" in root.muscles
    assert found("tailbone", THERE)[0].skin == ""
    assert found("C1 root left", every_name())[0].skin == ""


def test_what_is_known_but_not_there_is_told_apart_from_what_is_not_known() -> None:
    assert nothing_found("aorta") == "'aorta' is known (Aorta), but is not among the structures here"
    assert nothing_found("yellow tendon").startswith(
        "nothing is called 'yellow tendon'; nearest: yellow ligament"
    )
    assert nothing_found("qqq").startswith("nothing is called 'qqq'")


def test_words_are_compared_in_one_spelling() -> None:
    assert words_of("Ligamentum flavum L4–L5, left") == ("ligamentum", "flavum", "l4", "l5", "left")
    assert words_of("L4/5") == words_of("l4-L5") == words_of("L 4 – L 5") == ("l4", "l5")
    assert words_of("Th12") == words_of("twelfth thoracic") == ("t12",)
    assert likeness("l4", "l5", mistyped=True) == 0.0
    assert likeness("ribs", "rib", mistyped=False) > 0.9


def test_python_finds_what_the_command_line_finds(capsys: pytest.CaptureFixture[str]) -> None:
    entries = spineviz.structures("yellow ligament")
    assert [entry.name for entry in entries] == [name for name in baked_names() if name.startswith("flavum")]
    assert len(spineviz.structures()) == len(baked_names())
    assert main(["structures", "yellow", "ligament"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == names(entries)
    assert len({line.index("  ligament  ") for line in lines[1:]}) == 1, "columns are aligned"


def test_the_command_line_writes_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["structures", "L5", "root", "left", "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry["name"] == "root.L5.left" and entry["fma"] == "FMA:6416" and "foot" in entry["skin"]


@pytest.mark.parametrize("words", ["qqq", "pancreas", "yellow tendon"])
def test_finding_nothing_is_told_in_one_line_and_a_code(
    capsys: pytest.CaptureFixture[str], words: str
) -> None:
    assert main(["structures", *words.split()]) == USAGE_ERROR
    out, err = capsys.readouterr()
    assert out == "" and len(err.splitlines()) == 1 and err.startswith("spineviz: ") and words in err
