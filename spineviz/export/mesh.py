"""Write one structure as a mesh file, RAS, mm."""

from __future__ import annotations

from pathlib import Path

from spineviz import assembly, scene
from spineviz.body import anatomy
from spineviz.body.bake import shelf
from spineviz.body.skeleton import bones
from spineviz.geometry import as_trimesh
from spineviz.library import write_whole
from spineviz.structure import Surface
from spineviz.terms import LEVELS

FORMATS = (".ply", ".stl")


def write_structure(path: Path, name: str, source: str | None = None) -> None:
    """Write a structure of the healthy body, or of a scene, as binary PLY or STL.

    Bones of the healthy body are written at full resolution. Raises ValueError for an unknown format
    or structure, OSError for a path that cannot be written.
    """
    kind = path.suffix.lower()
    if kind not in FORMATS:
        raise ValueError(f"{path}: a mesh is written as one of: {', '.join(FORMATS)}")
    if not path.parent.is_dir():
        raise ValueError(f"{path}: the folder {path.parent} does not exist")
    data = as_trimesh(_surface(name, source)).export(file_type=kind[1:])
    write_whole(path, lambda stream: stream.write(data) and None)


def _surface(name: str, source: str | None) -> Surface:
    if source is None and name in LEVELS:
        return bones(anatomy())[name].surface  # type: ignore[index]
    if source is None and name in shelf():
        return shelf()[name]
    chosen = scene.load(source) if source is not None else scene.Scene(title="")
    structures = assembly.assemble(chosen).model.structures
    if name not in structures:
        raise ValueError(f"there is no structure '{name}'; choose one of: {', '.join(sorted(structures))}")
    return structures[name].surface
