"""A report as the command line writes it: an aligned table, JSON or CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from itertools import groupby

from spineviz.locale import catalog, text
from spineviz.measurement.report import Report, Row
from spineviz.measurement.stenosis_words import narrow_places
from spineviz.measurement.words import described
from spineviz.structure import Message

FIELDS = (
    "at",
    "key",
    "side",
    "detail",
    "value",
    "unit",
    "healthy",
    "percent",
    "grade",
    "scheme",
    "source",
    "confidence",
)
COLUMNS = ("measure", "side", "value", "unit", "healthy", "percent", "grade")
RIGHT = ("value", "healthy", "percent")
"""The columns whose numbers are aligned at their right."""

DIGITS = 3
"""Decimals of a number in JSON and CSV; the table shows one."""


def as_table(report: Report) -> str:
    """Return the rows as aligned columns, a block for each disc, vertebra, range or approach."""
    blocks = [(place, [_cells(row) for row in rows]) for place, rows in _places(report)]
    heading = [text(Message(f"measure.column.{name}")) for name in COLUMNS]
    every = [heading, *(cells for _, rows in blocks for cells in rows)]
    widths = [max(len(cells[index]) for cells in every) for index in range(len(COLUMNS))]
    lines = [_line(heading, widths)]
    for place, rows in blocks:
        lines += ["", _title(place), *(_line(cells, widths) for cells in rows)]
    return "\n".join([*lines, "", text(Message("measure.note"))])


def _places(report: Report) -> list[tuple[str, list[Row]]]:
    return [(place, list(rows)) for place, rows in groupby(report.rows, lambda row: row.at)]


def _title(place: str) -> str:
    key = f"approach.{place}"
    return text(Message(key)) if key in catalog() else place.replace("-", "–")


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.rjust(width) if name in RIGHT else cell.ljust(width)
        for name, cell, width in zip(COLUMNS, cells, widths, strict=True)
    ]
    return "  ".join(padded).rstrip()


def _cells(row: Row) -> list[str]:
    name = text(Message(f"measure.{row.key}", (("detail", row.detail or "–"),)))
    side = text(Message(f"side.{row.side}")) if row.side else ""
    numbers = [_shown(row.value), row.unit if row.value is not None else "", _shown(row.healthy)]
    percent = "" if row.percent is None else f"{row.percent:.0f}"
    grade = ""
    if row.grade is not None:
        grade = text(Message(f"measure.scheme.{row.grade.scheme}", (("grade", row.grade.grade),)))
    return [name, side, *numbers, percent, grade]


def _shown(value: float | None) -> str:
    return "" if value is None else f"{round(value, 1) + 0.0:.1f}"


def as_words(report: Report) -> str:
    """Return what is found in words: for professionals, then in everyday ones."""
    told = [" ".join(text(line) for line in described(report, plain)) for plain in (False, True)]
    return "\n\n".join(dict.fromkeys(told))


def as_json(report: Report, scene: str) -> str:
    """Return one JSON object: ``measures``, a list of rows each with its unit, and ``description``."""
    found = report.displaced or narrow_places(report)
    told = {
        "scene": scene,
        "note": text(Message("measure.note")),
        "measures": [_fields(row) for row in report.rows],
        "description": [text(line) for line in described(report)] if found else [],
    }
    return json.dumps(told, indent=2, ensure_ascii=False)


def as_csv(report: Report) -> str:
    """Return the rows as comma-separated values under a line of headings."""
    target = io.StringIO()
    writer = csv.DictWriter(target, FIELDS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for row in report.rows:
        writer.writerow({name: "" if value is None else value for name, value in _fields(row).items()})
    return target.getvalue().rstrip("\n")


def _fields(row: Row) -> dict[str, object]:
    grade = row.grade
    return {
        "at": row.at,
        "key": row.key,
        "side": row.side,
        "detail": row.detail or None,
        "value": _rounded(row.value),
        "unit": row.unit or None,
        "healthy": _rounded(row.healthy),
        "percent": _rounded(row.percent),
        "grade": grade.grade if grade else None,
        "scheme": grade.scheme if grade else None,
        "source": grade.source if grade else None,
        "confidence": grade.confidence if grade else None,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS) + 0.0
