"""Write one structure as a mesh file, RAS, mm."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from spineviz import assembly, scene
from spineviz.body import Anatomy
from spineviz.body.bake import shelf
from spineviz.body.girdle import girdle
from spineviz.body.skeleton import bones
from spineviz.geometry import as_trimesh
from spineviz.library import replacing, require_folder, require_suffix
from spineviz.nomenclature import baked_names, every_name, kind_of, parts_of
from spineviz.scene import Scene
from spineviz.structure import Surface
from spineviz.terms import LEVELS, Level, column

FORMATS = (".ply", ".stl")

FINEST, COARSEST = 0.2, 4.0
"""The steps, mm, that bones are meshed with."""


def write_structure(path: Path, name: str, source: str | None = None, step: float | None = None) -> None:
    """Write a structure of the healthy body, or of a scene, as binary PLY or STL, in the world, mm.

    Bones of the spine of the healthy body are written at full resolution; with ``step`` (mm) they are
    meshed on a grid of this step, those of a scene too. L6 is that of a healthy body with six lumbar
    vertebrae. The file appears whole or not at all.

    Raises:
        ValueError: an unknown format, scene or structure.
        OSError: the file cannot be written; the message says where and why.
    """
    require_suffix(path, FORMATS)
    require_folder(path)
    chosen = scene.load(source) if source is not None else None
    require_name(name, made=chosen is None)
    data = as_trimesh(_surface(name, chosen, step)).export(file_type=path.suffix.lower()[1:])
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def require_name(name: str, made: bool = False) -> None:
    """Raise ValueError for a name that no structure of any scene can have, before anything is built.

    With ``made`` also for a structure that the healthy body does not have.
    """
    try:
        kind_of(name)
    except ValueError:
        near = get_close_matches(name, every_name(), n=1, cutoff=0.7)
        hint = (
            f"nearest: {near[0]}" if near else "names are like L4, disc.L4-L5, root.L5.left, multifidus.left"
        )
        raise ValueError(f"there is no structure '{name}'; {hint}") from None
    if made and name not in (*baked_names(), "L6"):
        raise ValueError(f"there is no structure '{name}' in the healthy body; spineviz structures lists it")


def _surface(name: str, chosen: Scene | None, step: float | None) -> Surface:
    level = next((level for level in LEVELS if level == name), None)
    if level is not None and (step is not None or chosen is None):
        return _bone(level, chosen, step)
    if step is not None:
        raise ValueError(f"'{name}': only bones of the spine are meshed with a step of your own")
    if chosen is None and name in shelf():
        return shelf()[name].surface
    if chosen is None and kind_of(name).name in ("rib", "ilium"):
        return _beside(name)
    structures = assembly.assemble(chosen or Scene(title="")).model.structures
    if name not in structures:
        raise ValueError(f"there is no structure '{name}'; choose one of: {', '.join(sorted(structures))}")
    return structures[name].surface


def _beside(name: str) -> Surface:
    """Return a rib or an ilium of the healthy body at full resolution, with the bones that it touches."""
    index = LEVELS.index(parts_of(name).place or "S1")
    anatomy = Anatomy()
    levels = [level for level in LEVELS[index - 1 : index + 1] if level in anatomy.levels]
    return girdle(bones(anatomy, levels), ("ribs", "ilium"), anatomy.size)[name].surface


def _bone(level: Level, chosen: Scene | None, step: float | None) -> Surface:
    """Return a bone of the spine, of the healthy body or of a scene, meshed anew."""
    if step is not None and not FINEST <= step <= COARSEST:
        raise ValueError(f"step {step:g}: choose {FINEST} to {COARSEST} mm")
    usual = column(6 if level == "L6" else 5)
    anatomy = Anatomy(levels=usual) if chosen is None else assembly.anatomy_of(chosen)
    if level not in anatomy.levels:
        raise ValueError(f"there is no {level} in this body; choose one of: {', '.join(anatomy.levels)}")
    return bones(anatomy, [level], step=step)[level].surface
