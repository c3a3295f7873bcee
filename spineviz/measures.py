"""Anatomical numbers with their sources, read from ``meshes/measures/*.toml``.

An entry is either an inline table ``{ value, unit, source, confidence }`` or a plain number inside a
table that carries ``source`` and ``confidence`` for all of them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from spineviz.library import data_folder

_ABOUT = ("source", "confidence", "unit", "note")


@cache
def everything() -> Mapping[str, Any]:
    """Return every measure as it stands in the files, by table name."""
    merged: dict[str, Any] = {}
    for path in sorted((data_folder("meshes") / "measures").glob("*.toml")):
        for name, content in tomllib.loads(path.read_text("utf-8")).items():
            if name in merged:
                raise ValueError(f"{path.name}: the table [{name}] stands in another measures file too")
            merged[name] = content
    return MappingProxyType(merged)


def value(path: str) -> Any:
    """Return one number or list by its dotted path, e.g. ``discs.L4-L5.height_middle``."""
    entry = _find(path)
    if isinstance(entry, Mapping):
        if "value" not in entry:
            raise KeyError(f"measures: '{path}' is a table; name one of: {', '.join(_names(entry))}")
        return entry["value"]
    return entry


def table(path: str) -> dict[str, Any]:
    """Return a table's values by name; nested tables stay nested."""
    return dict(_table(path))


@cache
def _table(path: str) -> Mapping[str, Any]:
    entry = _find(path)
    if not isinstance(entry, Mapping) or "value" in entry:
        raise KeyError(f"measures: '{path}' is a single value, not a table")
    return {name: _strip(entry[name]) for name in _names(entry)}


def _find(path: str) -> Any:
    entry: Any = everything()
    for name in path.split("."):
        if not isinstance(entry, Mapping) or name not in entry:
            known = ", ".join(_names(entry)) if isinstance(entry, Mapping) else "nothing"
            raise KeyError(f"measures: no '{name}' in '{path}'; there is: {known}")
        entry = entry[name]
    return entry


def _names(entry: Mapping[str, Any]) -> list[str]:
    return [name for name in entry if name not in _ABOUT]


def _strip(entry: Any) -> Any:
    if not isinstance(entry, Mapping):
        return entry
    if "value" in entry:
        return entry["value"]
    return {name: _strip(entry[name]) for name in _names(entry)}
