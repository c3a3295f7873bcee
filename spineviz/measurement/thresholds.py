"""Thresholds of grading schemes with their sources, read from ``meshes/gradings.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Any

from spineviz.library import data_folder


@cache
def schemes() -> Mapping[str, Mapping[str, Any]]:
    """Return every scheme's table by name: its thresholds, ``source`` and ``confidence``."""
    return tomllib.loads((data_folder("meshes") / "gradings.toml").read_text("utf-8"))


def threshold(scheme: str, name: str) -> Any:
    """Return one threshold, or the list of them, of a scheme; raise KeyError for one that there is not."""
    entry = schemes()[scheme][name]
    return entry["value"] if isinstance(entry, Mapping) else entry
