"""The baked library: every healthy structure as a mesh in ``meshes/``, with its catalogue."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from io import BytesIO
from pathlib import Path

import tomli_w

from spineviz import library
from spineviz.geometry import volume
from spineviz.nomenclature import term_of
from spineviz.structure import Structure, Surface

CATALOG = "catalog.toml"


@cache
def shelf() -> Mapping[str, Surface]:
    """Return the baked surfaces by structure name.

    Empty where the library was baked by another generator, is missing or is damaged: then everything is
    built, which takes longer and gives the same.
    """
    folder = library.data_folder("meshes")
    try:
        recipe, hashes = _catalog(folder)
        if recipe != library.recipe():
            return {}
        return {name: _read(folder, name, expected) for name, expected in hashes.items()}
    except (OSError, ValueError):
        return {}


def bake(tell: Callable[[str], None]) -> None:
    """Build every healthy structure and write the library; ``tell`` is called with a line for each.

    Broken off at any moment, it leaves a catalogue whose files are all there.
    """
    folder = library.data_folder("meshes")
    tell("building bones and soft tissue ...")
    entries = {}
    for name, structure in _fresh(tell).items():
        library.write_surfaces(folder / f"{name}.npz", {name: structure.surface})
        entries[name] = _entry(structure, folder / f"{name}.npz")
    text = tomli_w.dumps({"recipe": library.recipe(), "structures": entries})
    library.write_whole(folder / CATALOG, lambda stream: stream.write(text.encode()))
    for orphan in folder.glob("*.npz"):
        if orphan.stem not in entries:
            orphan.unlink()
    shelf.cache_clear()
    tell(f"{len(entries)} structures written to {folder}")


def check() -> str:
    """Return how much of the library agrees with its catalogue and the generator.

    Raises ValueError where anything does not, FileNotFoundError where there is no catalogue.
    """
    folder = library.data_folder("meshes")
    recipe, hashes = _catalog(folder)
    if recipe != library.recipe():
        raise ValueError("meshes/catalog.toml was baked by another generator; run: spineviz bake")
    for name, expected in hashes.items():
        _read(folder, name, expected)
    return f"{len(hashes)} structures agree with their catalogue and the generator"


def _catalog(folder: Path) -> tuple[str, dict[str, str]]:
    """Return the recipe that a library was baked by, and the hash of each structure's file."""
    path = folder / CATALOG
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no baked library; run: spineviz bake")
    content = tomllib.loads(path.read_text("utf-8"))
    try:
        return content["recipe"], {name: entry["hash"] for name, entry in content["structures"].items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: no catalogue of a library; run: spineviz bake") from error


def _read(folder: Path, name: str, expected: str) -> Surface:
    """Return a baked surface; raise ValueError where its file is not the one of the catalogue."""
    path = folder / f"{name}.npz"
    data = path.read_bytes() if path.is_file() else b""
    if library.digest(data) != expected:
        raise ValueError(f"{path}: differs from meshes/catalog.toml; run: spineviz bake")
    return library.read_surfaces(BytesIO(data))[name]


def _fresh(tell: Callable[[str], None]) -> Mapping[str, Structure]:
    from spineviz.body.build import build
    from spineviz.body.parameters import Anatomy

    def told(structure: Structure) -> None:
        cubic = volume(structure.surface) / 1000
        tell(f"{structure.name:24} {len(structure.surface.faces):7d} triangles  {cubic:8.2f} cm³")

    return build(Anatomy(), shelf={}, made=told).structures


def _entry(structure: Structure, path: Path) -> dict[str, str | int | float]:
    return {
        "tissue": structure.tissue,
        "side": structure.side or "",
        "term": term_of(structure.name).fma,
        "triangles": len(structure.surface.faces),
        "volume_cm3": round(volume(structure.surface) / 1000, 3),
        "hash": library.digest(path.read_bytes()),
    }
