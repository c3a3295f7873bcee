"""Where the project's data lies, and the cache of what is dear to build."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import platformdirs

from spineviz.structure import Surface

SurfaceMap = Mapping[str, Surface]

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
    floors = ("sdf", "anatomy", "patient", "pathology", "surgery")
    files = [path for floor in floors for path in (_PACKAGE / floor).rglob("*.py")]
    files += [_PACKAGE / f"{name}.py" for name in ("geometry", "model", "structure", "terms", "measures")]
    files += list((data_folder("meshes") / "measures").glob("*.toml"))
    return digest(*(path.read_bytes() for path in sorted(files, key=lambda path: path.name)))


def write_surfaces(path: Path, surfaces: SurfaceMap) -> None:
    """Write named surfaces into one file, whole or not at all."""
    arrays: dict[str, np.ndarray] = {}
    for name, surface in surfaces.items():
        for attribute in _ATTRIBUTES:
            value = getattr(surface, attribute)
            if value is not None:
                arrays[f"{name}:{attribute}"] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)  # type: ignore[arg-type]
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_surfaces(path: Path) -> dict[str, Surface]:
    """Read the named surfaces that `write_surfaces` wrote."""
    fields: dict[str, dict[str, np.ndarray]] = {}
    with np.load(path, allow_pickle=False) as archive:
        for key in archive.files:
            name, _, attribute = key.rpartition(":")
            fields.setdefault(name, {})[attribute] = archive[key]
    return {name: Surface(**attributes) for name, attributes in fields.items()}


def cached(key: str, make: Callable[[], SurfaceMap]) -> SurfaceMap:
    """Return surfaces from the cache, or make them and keep them there.

    A damaged file counts as missing. A cache that cannot be written is no error: the surfaces are
    made again the next time.
    """
    path = cache_folder() / "meshes" / f"{key}.npz"
    try:
        return read_surfaces(path)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        pass
    surfaces = make()
    try:
        write_surfaces(path, surfaces)
    except OSError:
        pass
    return surfaces
