"""Structures as the command line lists them: aligned columns, or JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from spineviz.nomenclature import Found

_HEADINGS = ("NAME", "WHAT IT IS", "TISSUE", "TA2", "FMA", "UBERON", "ALSO CALLED")

CALLED = 6
"""How many other names a line of the table gives; JSON gives all."""


def as_table(entries: Sequence[Found], width: int | None = None) -> str:
    """Return a line for each structure, in aligned columns under headings.

    ``width`` is how many letters a line may have; the last column is shortened to fit, never the others.
    """
    rows = [_HEADINGS, *(_row(entry) for entry in entries)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS) - 1)]
    lines = [
        "  ".join([*(cell.ljust(size) for cell, size in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in rows
    ]
    return "\n".join(lines if width is None else [_shortened(line, width, sum(widths)) for line in lines])


def as_json(entries: Sequence[Found]) -> str:
    """Return everything that is known of some structures as JSON: a list of objects."""
    return json.dumps([_told(entry) for entry in entries], indent=2, ensure_ascii=False)


def _row(entry: Found) -> tuple[str, ...]:
    term = entry.term
    ids = (str(term.ta2) if term.ta2 else "", term.fma, term.uberon)
    told = {entry.title.casefold(): ""}
    calls = [call for call in (term.latin, *entry.synonyms) if call and _new(call, told)]
    called = ", ".join(calls[:CALLED]) + (", …" if len(calls) > CALLED else "")
    return entry.name, entry.title, entry.tissue, *ids, called


def _new(call: str, told: dict[str, str]) -> bool:
    """Tell whether a name has not been told yet, and note it."""
    return told.setdefault(call.casefold(), call) is call


def _shortened(line: str, width: int, kept: int) -> str:
    least = max(width, kept)
    return line if len(line) <= least else f"{line[: least - 1].rstrip(' ,')}…"


def _told(entry: Found) -> dict[str, object]:
    told: dict[str, object] = {
        "name": entry.name,
        "title": entry.title,
        "tissue": entry.tissue,
        "layer": entry.layer,
        "paired": entry.paired,
        **entry.term.model_dump(),
        "synonyms": list(entry.synonyms),
        "score": entry.score,
    }
    return told | {name: words for name in ("skin", "muscles") if (words := getattr(entry, name))}
