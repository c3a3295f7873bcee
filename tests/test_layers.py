"""Every structure belongs to one layer, and has a name to be read."""

from __future__ import annotations

import tomllib

import pytest

from spineviz.layers import LAYERS, chosen_layers, display_name, enclosed, layer_of, members
from spineviz.library import data_folder
from spineviz.nomenclature import every_name, kinds, layer_words
from spineviz.terms import DISCS, LEVELS, SIDES

NAMES = (
    *LEVELS,
    *(f"{stem}.{disc}" for stem in ("disc", "nucleus", "herniation", "interspinous") for disc in DISCS),
    *(f"flavum.{disc}.{side}" for disc in DISCS for side in SIDES),
    *(f"root.{level}.{side}" for level in LEVELS for side in SIDES),
    *(f"{muscle}.{side}" for muscle in ("multifidus", "longissimus", "iliocostalis") for side in SIDES),
    "thecal_sac",
    "supraspinous_ligament",
    "posterior_longitudinal_ligament",
    "thoracolumbar_fascia",
    "subcutaneous_fat",
    "skin",
    "instrument.tubular_microdiscectomy.tube",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_structure_belongs_to_one_layer(name: str) -> None:
    assert [layer for layer in LAYERS if name in members(layer, NAMES)] == [layer_of(name)]


def test_every_baked_structure_belongs_to_a_layer() -> None:
    catalog = data_folder("meshes") / "catalog.toml"
    if not catalog.is_file():
        pytest.skip("the library is not baked")
    for name in tomllib.loads(catalog.read_text("utf-8"))["structures"]:
        assert layer_of(name) in LAYERS


def test_no_layer_is_empty_and_their_members_keep_their_order() -> None:
    for layer in LAYERS:
        assert members(layer, every_name())
    assert members("bones", ("S1", "skin", "L3")) == ("S1", "L3")


def test_the_layers_stand_in_the_order_of_a_dissection() -> None:
    order = [LAYERS.index(layer_of(name)) for name in ("skin", "subcutaneous_fat", "thoracolumbar_fascia")]
    order += [
        LAYERS.index(layer_of(name)) for name in ("multifidus.left", "flavum.L4-L5.left", "L4", "thecal_sac")
    ]
    assert order == sorted(order)


def test_dura_comes_before_what_it_holds_and_a_file_means_both_by_nerves() -> None:
    within = [f"{stem}.left" for stem in ("rootlet.T4", "cauda.S1", "root.L5")] + [
        "spinal_cord",
        "filum_terminale",
    ]
    assert layer_of("thecal_sac") == "dura" and {layer_of(name) for name in within} == {"nerves"}
    assert LAYERS.index("dura") + 1 == LAYERS.index("nerves")
    assert enclosed(("nerves", "bones")) == ("bones", "dura", "nerves")
    assert enclosed(("dura",)) == ("dura",)


@pytest.mark.parametrize("name", ["spleen", "", "L7", "disc_L4-L5", "roots.L4.left"])
def test_an_unknown_structure_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=f"'{name}' belongs to no layer"):
        layer_of(name)


def test_a_display_name_is_filled_with_level_and_side() -> None:
    assert dict(display_name("root.L5.left")) == {"level": "L5", "side": "@side.left"}
    assert dict(display_name("disc.L4-L5")) == {"level": "L4–L5"}
    assert dict(display_name("flavum.L5-S1.right")) == {"level": "L5–S1", "side": "@side.right"}
    assert dict(display_name("multifidus.right"))["side"] == "@side.right"
    assert dict(display_name("L4"))["level"] == "L4"


def test_every_layer_has_its_words_and_its_kinds_of_structures() -> None:
    assert tuple(layer_words()) == LAYERS
    assert {kind.layer for kind in kinds().values()} == set(LAYERS)


@pytest.mark.parametrize(
    ("words", "hidden"),
    [
        ("everything", ()),
        ("down to the fascia", ("skin", "fat")),
        ("Down to the Fascia", ("skin", "fat")),
        ("down to the muscles", ("skin", "fat", "fascia")),
        ("down to the bones", ("skin", "fat", "fascia", "muscles", "ligaments")),
        ("down to the dura", ("skin", "fat", "fascia", "muscles", "ligaments", "bones", "epidural_fat")),
        (
            "down to the cord",
            ("skin", "fat", "fascia", "muscles", "ligaments", "bones", "epidural_fat", "dura"),
        ),
        ("muscles and deeper", ("skin", "fat", "fascia")),
        ("everything but skin", ("skin",)),
        ("all except skin, fat and fascia", ("skin", "fat", "fascia")),
        ("without the skin", ("skin",)),
        ("no bones", ("bones",)),
        ("everything but nerves", ("dura", "nerves")),
        ("everything but the dura", ("dura",)),
        ("everything but the disease", ("disease",)),
    ],
)
def test_layers_are_taken_away_in_words(words: str, hidden: tuple[str, ...]) -> None:
    assert tuple(layer for layer in LAYERS if layer not in chosen_layers(words)) == hidden


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("muscles", ("muscles", "disease", "instruments")),
        ("nerves", ("dura", "nerves", "disease", "instruments")),
        ("bones, discs and nerves", ("bones", "dura", "nerves", "discs", "disease", "instruments")),
        ("cord and rootlets", ("nerves", "disease", "instruments")),
        ("cauda equina", ("nerves", "disease", "instruments")),
        ("thecal sac", ("dura", "disease", "instruments")),
        ("arteries", ("vessels", "disease", "instruments")),
        ("yellow ligament", ("ligaments", "disease", "instruments")),
        ("only bones", ("bones",)),
        ("bones only", ("bones",)),
        ("bones and nerves without nerves", ("bones", "disease", "instruments")),
    ],
)
def test_layers_are_shown_in_words(words: str, shown: tuple[str, ...]) -> None:
    assert chosen_layers(words) == shown


@pytest.mark.parametrize(
    ("words", "word", "nearest"),
    [
        ("msucles", "msucles", "nearest: muscles"),
        ("down to the facsia", "facsia", "nearest: fascia"),
        ("everything but skim", "skim", "nearest: skin"),
        ("bones and qqq", "qqq", ""),
    ],
)
def test_a_word_that_is_no_layer_is_refused_with_the_nearest_and_those_there_are(
    words: str, word: str, nearest: str
) -> None:
    with pytest.raises(
        ValueError, match=f"there is no layer '{word}'.*{nearest}.*there is: skin, fat, fascia"
    ):
        chosen_layers(words)


@pytest.mark.parametrize("words", ["", " , ", "and"])
def test_words_without_a_layer_are_refused(words: str) -> None:
    with pytest.raises(ValueError, match="no layer is named; there is: skin"):
        chosen_layers(words)
