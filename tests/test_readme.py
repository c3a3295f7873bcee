"""Every number and command of the README is real."""

import re
import shlex
import unicodedata
from pathlib import Path

import pytest

from spineviz import directing, load, scene
from spineviz.arguments import parser
from spineviz.assembly import Assembly
from spineviz.cli import COMMANDS
from spineviz.locale import text
from spineviz.measurement import measure
from spineviz.measurement.operation import operation_rows
from spineviz.nomenclature import Kind, baked_names, kind_of, structure_title
from spineviz.surgery import OpenLaminectomy, TubularMicrodiscectomy
from spineviz.surgery.ledger import peaks
from spineviz.terms import UPPER_LUMBAR_DISCS

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")


def cells(name: str) -> list[list[str]]:
    """Return the cells of a table of the README between two marks, without its head."""
    between = README.partition(f"<!-- {name} -->")[2].partition(f"<!-- end of {name} -->")[0]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in between.strip().splitlines()[2:]]


def columns(name: str, assembled: Assembly) -> list[list[str]]:
    """Return what the model measures at most in a scene: the figure's name, then each approach's value."""
    timeline = directing.direct(scene.load(name), assembled)
    strips = peaks([prepared.ledger for prepared in assembled.prepared], timeline)
    return [
        [f"{text(row[0].name)}, {row[0].unit}", *(f"{item.value:.{item.decimals}f}" for item in row)]
        for row in zip(*strips, strict=True)
    ]


def test_the_peaks_in_the_readme_are_what_the_model_measures(assembled: Assembly) -> None:
    assert [row[:3] for row in cells("peaks")] == columns("herniation_l4l5", assembled)


@pytest.mark.many
def test_the_peaks_of_a_narrow_canal_in_the_readme_are_what_the_model_measures() -> None:
    production = load("stenosis_l4l5")
    shown = [[row[0], *row[3:5]] for row in cells("peaks")]
    assert shown == columns("stenosis_l4l5", production.assembly)
    told = {(row.at, row.key): row.value for row in operation_rows(production.scene, production.assembly)}
    kinds = [entry.kind for entry in production.scene.approaches]
    keys = ("dural_sac_area_before", "dural_sac_area_after")
    areas = [[f"{told[kind, key]:.1f}" for kind in kinds] for key in keys]
    assert [row[1:] for row in cells("sac")] == areas


@pytest.mark.many
def test_the_peaks_of_endoscopic_discectomy_in_the_readme_are_what_the_model_measures() -> None:
    shown = [[row[0], row[5], row[2]] for row in cells("peaks")]
    assert shown == columns("herniation_endoscopic", load("herniation_endoscopic").assembly)


@pytest.mark.many
def test_the_peaks_of_the_way_through_the_foramen_in_the_readme_are_what_the_model_measures() -> None:
    """The open operation beside it stands in no column: it has another body there, and another fragment."""
    told = columns("herniation_transforaminal", load("herniation_transforaminal").assembly)
    assert [[row[0], row[6]] for row in cells("peaks")] == [row[:2] for row in told]


@pytest.mark.many
def test_the_measures_in_the_readme_are_what_the_model_measures(assembled: Assembly) -> None:
    between = README.partition("<!-- measures -->")[2].partition("<!-- end of measures -->")[0]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in between.splitlines()[3:]]
    report = measure(assembled, load("herniation_l4l5").healthy.assembly, disc="L4-L5")
    told = {row.key: row for row in report.rows if row.side in (None, "left")}
    keys = ("herniation_depth", "herniation_migration", "dural_sac_area", "canal_compromise")
    for key, (_, value, healthy, grade) in zip(
        (*keys, "traversing_root_displacement", "traversing_root_narrowing"), cells, strict=True
    ):
        row = told[key]
        decimals = 1 if row.unit == "mm" else 0
        assert row.value is not None and value == f"{row.value:.{decimals}f} {row.unit}"
        assert healthy == ("" if row.healthy is None else f"{row.healthy:.{decimals}f} {row.unit}")
        if row.grade is not None and row.grade.scheme != "root":
            assert row.grade.grade in grade


@pytest.mark.parametrize("command", re.findall(r"^\$ (spineviz [^#\n]*)", README, re.MULTILINE))
def test_every_command_of_the_readme_is_understood(command: str) -> None:
    assert parser().parse_args(shlex.split(command)[1:]).command in COMMANDS


def test_the_readme_has_one_command_that_runs_and_one_that_tests() -> None:
    commands = re.findall(r"^\$ (.*venv.*)$", README, re.MULTILINE)
    assert len(commands) == 2
    assert "spineviz animate" in commands[0]
    assert "pytest" in commands[1]


ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in README.partition("| Tissue |")[2].partition("\n\n")[0].splitlines()[2:]
]
"""The README's table of tissues: tissue, what there is, where its numbers come from."""


def roots(words: str) -> set[str]:
    """The beginnings of words, without accents: what singular and plural, noun and adjective share."""
    plain = unicodedata.normalize("NFKD", words.casefold())
    return {
        word[:6].rstrip("s") for word in re.findall(r"[a-z]+", plain) if word not in ("of", "the", "layer")
    }


def stands_in(row: list[str], kind: Kind, example: str) -> bool:
    """Whether a row names a kind of structure, by its title or one of its other names."""
    title = text(structure_title(example))
    place = roots(" ".join(example.split(".")[1:]))
    calls = [title, kind.name.replace("_", " "), *kind.synonyms]
    return any(roots(call) - place <= roots(f"{row[0]} {row[1]}") for call in calls)


def test_every_kind_of_structure_of_the_library_stands_in_the_readmes_table_of_tissues() -> None:
    assert len(ROWS) >= 9 and all(len(row) == 3 and min(map(len, row)) > 2 for row in ROWS)
    examples = {kind_of(name).name: name for name in baked_names()}
    examples |= {"facet_cartilage": "facet_cartilage.L4-L5.left", "intermuscular_fat": "intermuscular_fat"}
    missing = [
        name
        for name, example in examples.items()
        if not any(stands_in(row, kind_of(example), example) for row in ROWS)
    ]
    assert missing == []


def test_the_test_of_the_table_of_tissues_finds_what_is_missing() -> None:
    for name, word in (
        ("skin", "Skin"),
        ("aorta", "Vessels"),
        ("subcutaneous_fat", "Fat"),
        ("flavum.L4-L5.left", "Ligaments"),
    ):
        rest = [row for row in ROWS if row[0] != word]
        assert not any(stands_in(row, kind_of(name), name) for row in rest), name


def test_the_sizes_at_the_upper_lumbar_discs_are_those_of_the_approaches() -> None:
    for disc in UPPER_LUMBAR_DISCS:
        drawn, wide = (
            TubularMicrodiscectomy(disc=disc).root_retraction,
            OpenLaminectomy(disc=disc).lamina_width,
        )
        words = f"the root is drawn aside by {drawn:g} mm and a laminectomy is {wide:g} mm wide"
        assert words in " ".join(README.split())
