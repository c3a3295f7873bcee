"""One table names every structure: its ids are well formed, checked, and come to every name."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from spineviz.locale import text
from spineviz.nomenclature import (
    Kind,
    baked_names,
    every_name,
    innervation,
    kind_of,
    kinds,
    parts_of,
    structure_title,
    term_of,
)
from spineviz.nomenclature.innervation import sources as innervation_sources
from spineviz.nomenclature.table import sources
from spineviz.terms import LAYERS, LEVELS, ROOTS, TISSUES

KINDS = tuple(kinds().values())
PAIRED = {"rib", "ilium", "root", "flavum", "multifidus", "psoas_major", "vertebral_artery", "lumbar_vein"}
SINGLE = {"disc", "thecal_sac", "skin", "aorta", "spinal_cord", "interspinous", "sacrum"}
DERMATOMES = [root for root in ROOTS if root not in ("C1", "L6", "Co1")]


def ids(kind: Kind) -> set[str]:
    terms = [kind, *kind.sides.values(), *kind.at.values()]
    return {field for field in ("ta2", "fma", "uberon") if any(getattr(term, field) for term in terms)}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_id_tells_how_it_was_checked_and_nothing_is_checked_that_is_not_there(kind: Kind) -> None:
    latin = {"latin"} if kind.latin else set()
    assert set(kind.checked) == ids(kind) | latin
    assert {check.split()[1] for check in kind.checked.values()} <= set(sources())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_holds_for_single_levels_names_levels_that_the_kind_has(kind: Kind) -> None:
    places = {place.partition(".")[0] for place in kind.at}
    places |= {place for group in kind.groups.values() for place in group}
    assert places <= set(kind.places)


def test_no_two_structures_share_an_id_of_their_own() -> None:
    own = [
        (term.fma, kind.name, place)
        for kind in KINDS
        for place, term in kind.at.items()
        if term.fma and kind.name != "root"
    ]
    own += [(term.fma, kind.name, side) for kind in KINDS for side, term in kind.sides.items()]
    own += [(kind.fma, kind.name, "") for kind in KINDS if kind.fma]
    assert len({fma for fma, *_ in own}) == len(own)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("C1", "FMA:12519"),
        ("T5", "FMA:9922"),
        ("L4", "FMA:13075"),
        ("L4#2", "FMA:13075"),
        ("S1", "FMA:16202"),
        ("Co1", "FMA:20229"),
        ("rib.T5.left", "FMA:8093"),
        ("disc.L4-L5", "FMA:16036"),
        ("root.L5.left", "FMA:6416"),
        ("multifidus.right", "FMA:22878"),
        ("erector_spinae.left", "FMA:71302"),
        ("thoracolumbar_fascia", "FMA:25072"),
        ("nucleus.L4-L5", ""),
    ],
)
def test_a_structures_id_is_the_truest_that_was_read(name: str, expected: str) -> None:
    assert term_of(name).fma == expected


def test_the_eighth_thoracic_vertebra_stands_out_of_the_row_of_ids() -> None:
    assert term_of("T8").uberon == "UBERON:0011050"


def test_an_id_falls_back_on_that_of_the_level_and_of_the_kind() -> None:
    rib = term_of("rib.T1.right")
    assert (rib.fma, rib.uberon, rib.ta2, rib.latin) == ("FMA:7857", "UBERON:0004601", 1107, "Costa")


@pytest.mark.parametrize("wrong", [{"fma": "13072"}, {"uberon": "UBERON:12"}, {"ta2": 7163}])
def test_an_id_that_is_none_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Kind.model_validate({"name": "x", "pattern": "x", "tissue": "bone", "layer": "bones", **wrong})


def test_every_name_has_a_title_a_kind_and_a_layer() -> None:
    names = every_name()
    assert len(set(names)) == len(names) > 1000
    for name in names:
        words = text(structure_title(name))
        assert "{" not in words and "@" not in words
        assert kind_of(name).tissue in TISSUES and kind_of(name).layer in LAYERS


def test_what_is_baked_is_known_by_the_table() -> None:
    assert all(kind_of(name).name for name in baked_names())
    assert {"L4", "disc.L4-L5", "rib.T5.left", "ilium.right"} <= set(baked_names())


def test_the_table_tells_what_is_paired() -> None:
    assert all(kinds()[name].paired for name in PAIRED)
    assert not any(kinds()[name].paired for name in SINGLE)


def test_there_is_a_root_for_each_pair_of_nerves_and_a_bone_for_each_level() -> None:
    assert kinds()["root"].places == ROOTS
    assert [name for name in every_name() if name in LEVELS] == list(LEVELS)


@pytest.mark.parametrize("name", ["spleen", "", "L7", "disc_L4-L5"])
def test_a_name_that_no_structure_can_have_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"no structure '{name}'"):
        term_of(name)


def test_a_name_is_taken_apart() -> None:
    parts = parts_of("endplate.L4-L5.upper#1")
    assert (parts.stem, parts.place, parts.side, parts.end) == ("endplate", "L4-L5", "", "upper")
    assert (parts_of("C4").place, parts_of("root.C8.left").place) == ("C4", "C8")


@pytest.mark.parametrize("root", DERMATOMES)
def test_every_root_from_c2_to_s5_has_skin_and_muscles_in_words(root: str) -> None:
    supply = innervation(root)
    told = {text(words(plain)) for words in (supply.skin, supply.muscles) for plain in (False, True)}
    assert len(told) == 4 and all(len(words) > 4 for words in told)
    checks = (supply.supply.skin, supply.supply.muscles)
    assert all(check.startswith("M-") and check.split()[1] in innervation_sources() for check in checks)


def test_the_key_muscles_are_those_of_the_ten_roots_that_are_tested() -> None:
    tested = [root for root in DERMATOMES if innervation(root).supply.key_muscle]
    assert tested == ["C5", "C6", "C7", "C8", "T1", "L2", "L3", "L4", "L5", "S1"]
    assert all("key muscle" in text(innervation(root).muscles()) for root in tested)


@pytest.mark.parametrize(
    ("root", "skin", "muscles"),
    [
        ("C6", "thumb", "wrist"),
        ("C8", "little finger", "fingers"),
        ("T4", "nipple", "Intercostal"),
        ("T10", "umbilicus", "umbilicus"),
        ("L4", "medial malleolus", "tibialis anterior"),
        ("root.L5.left", "back of the foot", "hallucis"),
        ("S1", "heel", "gastrocnemius"),
    ],
)
def test_a_dermatome_and_a_myotome_lie_where_every_textbook_draws_them(
    root: str, skin: str, muscles: str
) -> None:
    assert skin in text(innervation(root).skin()) and muscles in text(innervation(root).muscles())


@pytest.mark.parametrize("root", ["C1", "Co1", "L6", "L4-L5", "skin", ""])
def test_what_has_no_dermatome_is_refused_with_those_that_have(root: str) -> None:
    with pytest.raises(ValueError, match=r"no dermatome is known for .*C2, C3.*S5"):
        innervation(root)
