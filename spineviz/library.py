"""Where the project's data lies, and the cache of what is dear to build."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np
import platformdirs

from spineviz.structure import Surface

SurfaceMap = Mapping[str, Surface]
Kept = TypeVar("Kept")

_PACKAGE = Path(__file__).resolve().parent
_ATTRIBUTES = ("vertices", "faces", "occlusion", "tint", "coordinates")


def data_folder(name: str) -> Path:
    """Return the folder ``meshes`` or ``scenes``: inside an installed wheel, or in a checkout."""
    for parent in (_PACKAGE, _PACKAGE.parent):
        if (parent / name).is_dir():
            return parent / name
    raise FileNotFoundError(f"the folder '{name}' is missing beside {_PACKAGE}; reinstall spineviz")


def cache_folder() -> Path:
    """Return the user's cache folder; ``SPINEVIZ_CACHE`` overrides it."""
    chosen = os.environ.get("SPINEVIZ_CACHE")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("spineviz", appauthor=False))


def digest(*parts: str | bytes) -> str:
    """Return a short hash of texts and bytes, for naming what was made of them."""
    result = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        result.update(len(data).to_bytes(8, "little"))
        result.update(data)
    return result.hexdigest()[:24]


def recipe() -> str:
    """Return a hash of the code and the measures that shape the meshes."""
    floors = ("sdf", "anatomy", "patient", "pathology", "body", "surgery")
    files = [path for floor in floors for path in (_PACKAGE / floor).rglob("*.py")]
    files += [_PACKAGE / f"{name}.py" for name in ("geometry", "model", "structure", "terms", "measures")]
    files += list((data_folder("meshes") / "measures").glob("*.toml"))
    return digest(*(path.read_bytes() for path in sorted(files, key=lambda path: path.name)))


def write_whole(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write a file whole or not at all: into a temporary one beside it, renamed at the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            write(stream)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_object(path: Path, kind: type[Kept]) -> Kept | None:
    """Return an object kept in the user's own cache, or None where there is none that fits.

    The cache is private to the user, like compiled Python: never point it at files of others.
    """
    try:
        with path.open("rb") as stream:
            kept = pickle.load(stream)
    except (OSError, EOFError, pickle.UnpicklingError, AttributeError, ImportError, IndexError, TypeError):
        return None
    return kept if isinstance(kept, kind) else None


def write_object(path: Path, thing: object) -> None:
    """Keep an object in the user's cache; a cache that cannot be written is no error."""
    with contextlib.suppress(OSError):
        write_whole(path, lambda stream: pickle.dump(thing, stream, protocol=5))


def write_surfaces(path: Path, surfaces: SurfaceMap) -> None:
    """Write named surfaces into one file, whole or not at all."""
    arrays: dict[str, np.ndarray] = {}
    for name, surface in surfaces.items():
        for attribute in _ATTRIBUTES:
            value = getattr(surface, attribute)
            if value is not None:
                arrays[f"{name}:{attribute}"] = value
    write_whole(path, lambda stream: np.savez(stream, allow_pickle=False, **arrays))  # type: ignore[arg-type]


def read_surfaces(path: Path) -> dict[str, Surface]:
    """Read the named surfaces that `write_surfaces` wrote."""
    fields: dict[str, dict[str, np.ndarray]] = {}
    with np.load(path, allow_pickle=False) as archive:
        for key in archive.files:
            name, _, attribute = key.rpartition(":")
            fields.setdefault(name, {})[attribute] = archive[key]
    return {name: Surface(**attributes) for name, attributes in fields.items()}
