"""The baked library: every healthy structure as a mesh in ``meshes/``, with its catalogue."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import tomli_w

from spineviz import library
from spineviz.body import marks
from spineviz.geometry import volume
from spineviz.nomenclature import term_of
from spineviz.structure import Structure
from spineviz.terms import Level

LIGHT = "light"
"""What a file calls the light mesh of its structure."""


class Shelf(Mapping[str, Structure]):
    """The baked structures by name; each is opened when it is first asked for, and only then."""

    def __init__(self, folder: Path, entries: Mapping[str, Mapping[str, Any]]) -> None:
        """Take a library's folder and the entries of its catalogue.

        Raises ValueError where a file is not the one of the catalogue.
        """
        self._entries = entries
        self._closed = {name: _data(folder / f"{name}.npz", entry["hash"]) for name, entry in entries.items()}
        self._open: dict[str, Structure] = {}

    def __getitem__(self, name: str) -> Structure:
        """Return a structure; raise KeyError where there is none of that name."""
        if name not in self._open:
            entry, surfaces = self._entries[name], library.read_surfaces(BytesIO(self._closed[name]))
            tissue, side = entry["tissue"], entry["side"] or None
            self._open[name] = Structure(name, tissue, surfaces[name], side, light=surfaces.get(LIGHT))
            del self._closed[name]
        return self._open[name]

    def __iter__(self) -> Iterator[str]:
        """Give the names in the order of the catalogue."""
        return iter(self._entries)

    def __len__(self) -> int:
        """Return how many structures there are."""
        return len(self._entries)

    __hash__ = object.__hash__


@cache
def shelf() -> Mapping[str, Structure]:
    """Return the baked structures by name.

    Empty where the library was baked by another generator, is missing or is damaged: then everything is
    built, which takes longer and gives the same.
    """
    try:
        return _stored(library.data_folder("meshes"), library.told(library.CATALOG))
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
        surfaces = {name: structure.surface} | ({LIGHT: structure.light} if structure.light else {})
        library.write_surfaces(folder / f"{name}.npz", surfaces)
        entries[name] = _entry(structure, folder / f"{name}.npz")
    made_by = {"recipe": library.recipe(), "sources": library.sources()}
    text = tomli_w.dumps({**made_by, "structures": entries})
    library.write_whole(folder / library.CATALOG, lambda stream: stream.write(text.encode()))
    for orphan in folder.glob("*.npz"):
        if orphan.stem not in entries:
            orphan.unlink()
    marks.write(_landmarks())
    shelf.cache_clear()
    tell(f"{len(entries)} structures written to {folder}")


def check() -> str:
    """Return in words that the library agrees with its catalogue and with the generator.

    Every file is the one of the catalogue, and every structure the one that the generator makes of its
    parameters now, see `spineviz.body.proof`.

    Raises ValueError, a line for each structure that departs, and FileNotFoundError without a catalogue.
    """
    from spineviz.body import proof

    folder = library.data_folder("meshes")
    path = folder / library.CATALOG
    content = path.read_bytes() if path.is_file() else b""
    known = _stored(folder, content)
    entries = tomllib.loads(content.decode())["structures"]
    departures = [
        f"{name}: the catalogue tells other facts of its mesh"
        for name, item in known.items()
        if _entry(item, folder / f"{name}.npz") != entries[name]
    ]
    departures += proof.departures(known)
    departures += marks.departures(_landmarks())
    if departures:
        raise ValueError(
            "\n".join([*departures, "the library is not what the generator makes; run: spineviz bake"])
        )
    return f"{len(known)} structures agree with their catalogue and the generator"


def _stored(folder: Path, catalog: bytes) -> Shelf:
    """Return the structures of a library that this generator baked, by name.

    Raises FileNotFoundError without a catalogue, and ValueError where another generator baked or a file is
    not the one of the catalogue.
    """
    path = folder / library.CATALOG
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no baked library; run: spineviz bake")
    content = tomllib.loads(catalog.decode())
    try:
        recipe, letters, entries = content["recipe"], content["sources"], dict(content["structures"])
        if letters != library.sources() and recipe != library.recipe():
            raise ValueError(f"{path}: was baked by another generator; run: spineviz bake")
        return Shelf(folder, entries)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: no catalogue of a library; run: spineviz bake") from error


def _data(path: Path, known: str) -> bytes:
    """Return a file's content; raise ValueError where it is not the one that is known."""
    data = path.read_bytes() if path.is_file() else b""
    if library.digest(data) != known:
        raise ValueError(f"{path}: differs from meshes/catalog.toml; run: spineviz bake")
    return data


def _fresh(tell: Callable[[str], None]) -> Mapping[str, Structure]:
    from spineviz.body.build import build
    from spineviz.body.parameters import Anatomy

    def told(structure: Structure) -> None:
        cubic = volume(structure.surface) / 1000
        tell(f"{structure.name:24} {len(structure.surface.faces):7d} triangles  {cubic:8.2f} cm³")

    return build(Anatomy(), shelf={}, made=told).structures


def _landmarks() -> Mapping[Level, tuple[str, marks.Marks]]:
    from spineviz.body.kinds import found_now

    return found_now()


def _entry(structure: Structure, path: Path) -> dict[str, str | int | float]:
    light = {} if structure.light is None else {"triangles_light": len(structure.light.faces)}
    return {
        "tissue": structure.tissue,
        "side": structure.side or "",
        "term": term_of(structure.name).fma,
        "triangles": len(structure.surface.faces),
        **light,
        "volume_cm3": round(volume(structure.surface) / 1000, 3),
        "hash": library.digest(path.read_bytes()),
    }
