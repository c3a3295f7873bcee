"""Write one structure as a mesh file, RAS, mm."""

from __future__ import annotations

from pathlib import Path

from spineviz import assembly, scene
from spineviz.body import Anatomy
from spineviz.body.bake import shelf
from spineviz.body.skeleton import bones
from spineviz.geometry import as_trimesh
from spineviz.layers import layer_of
from spineviz.library import replacing, require_folder, require_suffix
from spineviz.scene import Scene
from spineviz.structure import Surface
from spineviz.terms import LEVELS, column

FORMATS = (".ply", ".stl")


def write_structure(path: Path, name: str, source: str | None = None) -> None:
    """Write a structure of the healthy body, or of a scene, as binary PLY or STL.

    Bones of the healthy body are written at full resolution; L6 is that of a healthy body with six lumbar
    vertebrae. The file appears whole or not at all.

    Raises:
        ValueError: an unknown format, scene or structure.
        OSError: the file cannot be written; the message says where and why.
    """
    require_suffix(path, FORMATS)
    require_folder(path)
    chosen = scene.load(source) if source is not None else None
    require_name(name)
    data = as_trimesh(_surface(name, chosen)).export(file_type=path.suffix.lower()[1:])
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def require_name(name: str) -> None:
    """Raise ValueError for a name that no structure of any scene can have, before anything is built."""
    try:
        layer_of(name)
    except ValueError:
        raise ValueError(
            f"there is no structure '{name}'; names are like L4, disc.L4-L5, root.L5.left, multifidus.left"
        ) from None


def _surface(name: str, chosen: Scene | None) -> Surface:
    if chosen is None:
        level = next((level for level in LEVELS if level == name), None)
        if level is not None:
            return bones(Anatomy(levels=column(6 if level == "L6" else 5)), [level])[level].surface
        if name in shelf():
            return shelf()[name]
    structures = assembly.assemble(chosen or Scene(title="")).model.structures
    if name not in structures:
        raise ValueError(f"there is no structure '{name}'; choose one of: {', '.join(sorted(structures))}")
    return structures[name].surface
