"""The landmarks of the usual bones, kept beside the baked library: they take long to find."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

from spineviz import library
from spineviz.structure import Frame

FILE = "landmarks.npz"

MADE_BY = "made_by"
"""What the file calls the two hashes of the generator that found the landmarks: of its letters, and of what
they say."""


@cache
def kept() -> Mapping[str, Mapping[str, Frame]]:
    """Return the landmarks of bones in their own frames, by what `key_of` calls the bones.

    Empty where another generator found them, or the file is missing or damaged: then they are found anew.
    """
    try:
        with np.load(library.data_folder("meshes") / FILE, allow_pickle=False) as archive:
            letters, recipe = (str(text) for text in archive[MADE_BY])
            if letters != library.sources() and recipe != library.recipe():
                return {}
            names = [name.removesuffix(":names") for name in archive.files if name.endswith(":names")]
            return {key: _frames(archive[f"{key}:names"], archive[f"{key}:frames"]) for key in names}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return {}


def write(folder: Path, found: Mapping[str, Mapping[str, Frame]]) -> None:
    """Write the landmarks of bones, by what `key_of` calls the bones."""
    arrays = {MADE_BY: np.array([library.sources(), library.recipe()])}
    for key, marks in found.items():
        arrays[f"{key}:names"] = np.array(list(marks))
        arrays[f"{key}:frames"] = np.array([[mark.origin, *mark.axes] for mark in marks.values()])
    library.write_whole(
        folder / FILE, lambda stream: np.savez_compressed(stream, allow_pickle=False, **arrays)
    )
    kept.cache_clear()


def key_of(level: str, shape: str, parameters: str) -> str:
    """Return what a bone is called here, by its level, the kind of its shape, and its parameters as JSON."""
    return f"{level}.{library.digest(shape, parameters)}"


def _frames(names: np.ndarray, frames: np.ndarray) -> dict[str, Frame]:
    return {str(name): Frame(rows[0], rows[1:]) for name, rows in zip(names, frames, strict=True)}
