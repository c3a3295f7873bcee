"""The full name of a structure, as the user reads it."""

from __future__ import annotations

from spineviz.locale import catalog
from spineviz.nomenclature.table import parts_of
from spineviz.structure import Message


def display_name(structure: str) -> tuple[tuple[str, str | float], ...]:
    """Return the parameters (level, side, end) that a structure's catalog name is filled with."""
    parts = parts_of(structure)
    found: list[tuple[str, str | float]] = [("level", parts.place.replace("-", "–"))]
    if parts.side:
        found.append(("side", f"@side.{parts.side}"))
    if parts.end:
        found.append(("end", f"@end.{parts.end}"))
    return tuple(found)


def structure_title(structure: str) -> Message:
    """Return the full name of a structure, given by its name in the model.

    An instrument is called by what it is (``instrument.tubular.scalpel``: scalpel), or where the
    catalog has no word for it, instrument.
    """
    stem, *parts = structure.partition("#")[0].split(".")
    key = f"instrument.{parts[1]}" if stem == "instrument" and len(parts) > 1 else ""
    return Message(key) if key in catalog() else Message(f"structure.{stem}", display_name(structure))
