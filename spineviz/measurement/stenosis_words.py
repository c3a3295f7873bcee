"""A narrow canal, recess or foramen in words, from the grades that the geometry has."""

from __future__ import annotations

from collections.abc import Iterator

from spineviz.measurement.report import Report, Row
from spineviz.nomenclature import innervation
from spineviz.structure import Message

PLACES = {"schizas": "central", "bartynski": "recess", "lee": "foraminal"}
"""What each scheme grades."""

LESS = 90.0
"""A sac with less than this share (%) of its healthy area is worth a word though fluid is clearly seen."""


def narrow_places(report: Report) -> tuple[Row, ...]:
    """Return the rows whose grade tells of a narrow place, at discs whose material lies in its place."""
    displaced = {item.disc for item in report.displaced}
    return tuple(row for row in report.rows if row.at not in displaced and _narrow(report, row))


def _narrow(report: Report, row: Row) -> bool:
    if row.grade is None or row.grade.scheme not in PLACES or row.grade.grade == "0":
        return False
    if row.grade.scheme == "bartynski":
        return not any(other.grade is not None and other.grade.scheme == "schizas" and other.at == row.at
                       and other.grade.grade != "A" for other in report.rows)  # fmt: skip
    if row.grade.grade != "A":
        return True
    beside = ("bartynski", "lee")
    if any(other.at == row.at and other.grade and other.grade.scheme in beside and other.grade.grade != "0"
           for other in report.rows):  # fmt: skip
        return False
    percent = _sac(report, row.at)[1]
    return percent is not None and percent < LESS


def narrowing_told(report: Report, row: Row, plain: bool) -> Iterator[Message]:
    """Give the sentences on one narrow place; with ``plain`` in everyday words."""
    assert row.grade is not None
    place, grade = PLACES[row.grade.scheme], row.grade.grade
    above, below = row.at.split("-")
    where = (("level", f"{above}–{below}"), ("above", above), ("below", below), ("grade", grade))
    side = (("side", f"@side.{row.side}"),) if row.side else ()
    root = (("root", row.detail or above),) if row.side else ()
    kind = "plain." if plain else ""
    yield Message(f"describe.narrow.{kind}{place}", (*where, *side, *root))
    yield Message(f"describe.narrow.{kind}{place}_{grade}", root)
    if place == "central" and not plain:
        area, percent = _sac(report, row.at)
        if area is not None and percent is not None:
            yield Message("describe.sac", (("area", f"{area:.0f}"), ("percent", f"{percent:.0f}")))
    if row.side:
        supply = innervation(row.detail or above)
        words = (("skin", f"@{supply.skin(plain).key}"), ("muscles", f"@{supply.muscles(plain).key}"))
        yield Message("describe.plain.root" if plain else "describe.supply", (*root, *words))


def _sac(report: Report, at: str) -> tuple[float | None, float | None]:
    """Return the area of the sac at a disc, mm², and its percentage of the healthy one."""
    rows = [row for row in report.rows if (row.at, row.key) == (at, "dural_sac_area")]
    return (rows[0].value, rows[0].percent) if rows else (None, None)
