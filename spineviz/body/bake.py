"""The baked library: every healthy structure as a mesh in ``meshes/``, with its catalogue."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import tomli_w

from spineviz import library
from spineviz.geometry import volume
from spineviz.structure import Structure, Surface

CATALOG = "catalog.toml"


@cache
def shelf() -> Mapping[str, Surface]:
    """Return the baked surfaces by structure name; empty where they do not fit the generator."""
    folder = library.data_folder("meshes")
    try:
        catalog = tomllib.loads((folder / CATALOG).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    if catalog["recipe"] != library.recipe():
        return {}
    return {name: library.read_surfaces(folder / f"{name}.npz")[name] for name in catalog["structures"]}


def bake() -> Iterator[str]:
    """Build every healthy structure, write the library, and tell a line for each."""
    folder = library.data_folder("meshes")
    structures = _fresh()
    for old in folder.glob("*.npz"):
        old.unlink()
    entries = {}
    for name, structure in structures.items():
        library.write_surfaces(folder / f"{name}.npz", {name: structure.surface})
        entries[name] = _entry(structure, folder / f"{name}.npz")
        yield f"{name:32} {entries[name]['triangles']:7d} triangles  {entries[name]['volume_cm3']:8.2f} cm³"
    text = tomli_w.dumps({"recipe": library.recipe(), "structures": entries})
    library.write_whole(folder / CATALOG, lambda stream: stream.write(text.encode()) and None)
    shelf.cache_clear()


def check() -> Iterator[str]:
    """Tell whether library, catalogue and generator agree; raise ValueError where they do not."""
    folder = library.data_folder("meshes")
    catalog = tomllib.loads((folder / CATALOG).read_text("utf-8"))
    if catalog["recipe"] != library.recipe():
        raise ValueError("meshes/catalog.toml was baked by another generator; run: spineviz bake")
    for name, entry in catalog["structures"].items():
        path = folder / f"{name}.npz"
        if not path.is_file() or library.digest(path.read_bytes()) != entry["hash"]:
            raise ValueError(f"{path}: differs from meshes/catalog.toml; run: spineviz bake")
    yield f"{len(catalog['structures'])} structures agree with their catalogue and the generator"


def _fresh() -> Mapping[str, Structure]:
    from spineviz.body.build import build  # noqa: PLC0415 - the builder reads the shelf
    from spineviz.body.parameters import anatomy  # noqa: PLC0415

    return build(anatomy(), shelf={}).structures


def _entry(structure: Structure, path: Path) -> dict[str, str | int | float]:
    return {
        "tissue": structure.tissue,
        "side": structure.side or "",
        "term": structure.term,
        "triangles": len(structure.surface.faces),
        "volume_cm3": round(volume(structure.surface) / 1000, 3),
        "hash": library.digest(path.read_bytes()),
    }
