"""Where the project's data lies, and the cache of what is dear to build."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import mmap
import os
import pickle
import secrets
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, reduce
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np
import platformdirs

from spineviz.structure import Surface

SurfaceMap = Mapping[str, Surface]
Kept = TypeVar("Kept")

_PACKAGE = Path(__file__).resolve().parent
_KINDS: Mapping[str, type] = {
    **{"vertices": np.float32, "occlusion": np.float16, "tint": np.float16},
    **{"coordinates": np.float32, "normals": np.int16},
}
"""How the attributes of a surface are written: paint to 0.001, normals as two numbers each, see `folded`."""

_FULL = 32767.0
"""The largest number of a written normal."""

_MARK, _SUM, _LENGTH = b"spineviz cache 2\n", struct.Struct("<I"), struct.Struct("<Q")

CATALOG, LANDMARKS = "catalog.toml", "landmarks.json"
"""The files in ``meshes/`` that tell every baked structure with the hash of its mesh, and its landmarks."""

_ALIGNED = 64
"""The bytes to whose multiples the parts of a kept file are aligned, as arrays in memory are."""

_LARGE = 4096
"""The bytes from which an array of a kept object is a part of its own, read only where it is used."""

KEEPERS = ("bake.py", "marks.py", "proof.py")
"""The files that keep and check the baked library, and do not shape it."""

DISEASED = ("diseased", "stenosis")
"""The files and folders that change a healthy body that is built, and do not shape it."""

SURGICAL = ("deformity", "herniation", "instruments", "procedures", "retraction", "stenosis")
"""The files of measures that do not shape the healthy body."""


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
    """Return a hash of what the code and the measures say that shape the healthy body.

    Comments, docstrings and the layout of the files do not count.
    """
    return _digest_of(_body(), _said)


def sources() -> str:
    """Return a hash of the same files to the letter; it is quicker to take."""
    return _digest_of(_body(), _written)


def full_recipe() -> str:
    """Return a hash of the code and the measures that shape a scene: its body, disease and approaches."""
    changing = ("anatomy/stenosis", "body", "pathology", "patient", "surgery")
    floors = [path for floor in changing for path in _sources(floor) if path.name not in KEEPERS]
    modules = [_PACKAGE / f"{name}.py" for name in ("assembly", "framing", "layers", "model", "timeline")]
    return _digest_of({*_body(), *floors, *modules, *_measures()}, _written)


@cache
def told(file: str) -> bytes:
    """Return the `CATALOG` or the `LANDMARKS` of the baked library; nothing where the file is missing.

    They are read once: what a process builds and keeps is of one library, also where it is baked meanwhile.
    """
    path = data_folder("meshes") / file
    return path.read_bytes() if path.is_file() else b""


def _body() -> list[Path]:
    """Return the files that shape the healthy body."""
    floors = [
        path
        for floor in ("sdf", "anatomy", "body")
        for path in _sources(floor)
        if path.name not in KEEPERS and not {path.stem, path.parent.name} & {*DISEASED}
    ]
    modules = [_PACKAGE / f"{name}.py" for name in ("geometry", "structure", "terms", "spec", "measures")]
    return [*floors, *modules, *(path for path in _measures() if path.stem not in SURGICAL)]


def _sources(floor: str) -> list[Path]:
    return list((_PACKAGE / floor).rglob("*.py"))


def _measures() -> list[Path]:
    return list((data_folder("meshes") / "measures").glob("*.toml"))


def _digest_of(files: Iterable[Path], content: Callable[[Path], bytes]) -> str:
    """Return a hash of text files, by what counts of their content, and of their places."""
    named = sorted((_place(path), content(path)) for path in files)
    return digest(*(part for entry in named for part in entry))


def _written(path: Path) -> bytes:
    """Return the bytes of a text file, the same on every system."""
    return path.read_bytes().replace(b"\r\n", b"\n")


def _said(path: Path) -> bytes:
    """Return what a file says, the same for every version of Python: of code, its syntax tree."""
    return _syntax(_written(path)) if path.suffix == ".py" else _written(path)


def _syntax(code: bytes) -> bytes:
    """Return the syntax tree of a module as text."""
    return repr(_tree(ast.parse(code))).encode()


def _tree(node: object) -> object:
    """Return a syntax tree as plain lists, without docstrings and what is empty."""
    if isinstance(node, list):
        return [_tree(item) for item in node if not _docstring(item)]
    if not isinstance(node, ast.AST):
        return node
    parts = [(name, getattr(node, name, None)) for name in node._fields]
    return [type(node).__name__, *((name, _tree(part)) for name, part in parts if part not in (None, []))]


def _docstring(node: object) -> bool:
    """Tell whether a statement is nothing but a text."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _place(path: Path) -> str:
    """Return where a file stands: in the package, or beside it among the measures."""
    inside = path.is_relative_to(_PACKAGE) and path.suffix == ".py"
    return path.relative_to(_PACKAGE).as_posix() if inside else f"measures/{path.name}"


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary file beside ``path`` that takes its place when the block ends well.

    On any error, Ctrl-C included, the temporary file is removed and ``path`` stays as it was. The file gets
    the permissions that every new file of this user gets.

    Raises:
        OSError: the folder is missing or cannot be written; the message names the file.
    """
    require_folder(path)
    temporary = path.with_name(f".{path.stem}-{secrets.token_hex(4)}{path.suffix}")
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        raise OSError(f"cannot write {path}: {error.strerror}; choose a folder you may write to") from error
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file whole or not at all, see `replacing`; its folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary, temporary.open("wb") as stream:
        write(stream)


def require_folder(path: Path) -> None:
    """Raise OSError when a file cannot be made at ``path``; the message says why and what to do."""
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"cannot write {path}: the folder {path.parent} does not exist; make it first"
        )
    if path.is_dir():
        raise IsADirectoryError(f"cannot write {path}: it is a folder; name a file")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(
            f"cannot write {path}: you may not write to {path.parent}; choose another folder"
        )


def require_suffix(path: Path, allowed: Sequence[str]) -> None:
    """Raise ValueError with the allowed list when a file's name ends in none of them."""
    if path.suffix.lower() not in allowed:
        raise ValueError(
            f"{path.name}: the format '{path.suffix or 'without a suffix'}' is not supported; "
            f"choose one of {', '.join(allowed)}"
        )


def read_object(path: Path, kind: type[Kept]) -> Kept | None:
    """Return an object kept in the user's own cache, or None where there is none that fits.

    Its large arrays are read-only and stay in the file, which the system brings into memory as they are
    used. A file that is damaged, cut short or not ours counts as none: its content is checked before it is
    opened. The cache is private to the user, like compiled Python: never point it at files of others.
    """
    try:
        with path.open("rb") as stream:
            data = memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError):  # there is no such file, or an empty one
        return None
    head, content = data[: len(_MARK) + _SUM.size], data[_ALIGNED:]
    if head != _MARK + _SUM.pack(zlib.crc32(content)):
        return None
    try:
        payload, *buffers = _parts(content)
        kept = pickle.loads(payload, buffers=buffers)
    except Exception:  # an older version wrote it, and a class that it names may fail in any way
        return None
    return kept if isinstance(kept, kind) else None


def write_object(path: Path, thing: object) -> None:
    """Keep an object in the user's cache; a cache that cannot be written is no error."""
    buffers: list[memoryview] = []

    def inside(buffer: pickle.PickleBuffer) -> bool:
        """Tell whether an array stays inside the pickle, or note it as a part of its own."""
        raw = buffer.raw()
        if raw.nbytes >= _LARGE:
            buffers.append(raw)
        return raw.nbytes < _LARGE

    payload = pickle.dumps(thing, protocol=5, buffer_callback=inside)
    content = list(_padded([payload, *buffers]))
    checksum = reduce(lambda total, part: zlib.crc32(part, total), content, 0)
    head = (_MARK + _SUM.pack(checksum)).ljust(_ALIGNED, b"\0")
    with contextlib.suppress(OSError):
        write_whole(path, lambda stream: stream.writelines([head, *content]))


def _padded(parts: Sequence[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    """Give the number of parts and their lengths, then the parts, each filled up to where the next begins."""
    lengths = b"".join(_LENGTH.pack(number) for number in (len(parts), *map(len, parts)))
    for part in (lengths, *parts):
        yield part
        yield b"\0" * (-len(part) % _ALIGNED)


def _parts(content: memoryview) -> Iterator[memoryview]:
    """Give the parts that `_padded` wrote."""
    (count,) = _LENGTH.unpack_from(content)
    lengths = [length for (length,) in _LENGTH.iter_unpack(content[: (count + 1) * _LENGTH.size])]
    place = len(lengths) * _LENGTH.size
    for length in lengths[1:]:
        place += -place % _ALIGNED
        yield content[place : place + length]
        place += length


def write_surfaces(path: Path, surfaces: SurfaceMap) -> None:
    """Write named surfaces into one file, whole or not at all.

    Vertices, coordinates and faces are kept as they are, paint to 0.001 and normals to 0.01°.
    """
    arrays: dict[str, np.ndarray] = {}
    for name, surface in surfaces.items():
        few = len(surface.vertices) <= np.iinfo(np.uint16).max
        arrays[f"{name}:faces"] = surface.faces.astype(np.uint16 if few else np.int32)
        for attribute, kind in _KINDS.items():
            value = getattr(surface, attribute)
            if value is not None:
                plain = folded(value) if attribute == "normals" else value
                arrays[f"{name}:{attribute}"] = plain.astype(kind)
    write_whole(path, lambda stream: np.savez(stream, allow_pickle=False, **arrays))


def folded(normals: np.ndarray) -> np.ndarray:
    """Return unit vectors (n, 3) as whole numbers (n, 2) up to 32767: the octahedron about them, laid flat.

    After Cigolle et al., Journal of Computer Graphics Techniques 2014;3(2):1-30.
    """
    x, y, z = normals.T / np.abs(normals).sum(axis=1)
    below = z < 0
    u = np.where(below, (1 - np.abs(y)) * np.copysign(1, x), x)
    v = np.where(below, (1 - np.abs(x)) * np.copysign(1, y), y)
    return np.round(_FULL * np.stack([u, v], axis=1))


def unfolded(flat: np.ndarray) -> np.ndarray:
    """Return the unit vectors (n, 3), float32, that `folded` laid flat."""
    u, v = flat.T.astype(np.float32) / np.float32(_FULL)
    z = 1 - np.abs(u) - np.abs(v)
    fold = np.maximum(-z, 0)
    result = np.stack([u - np.copysign(fold, u), v - np.copysign(fold, v), z], axis=1)
    return result / np.linalg.norm(result, axis=1, keepdims=True)


def read_surfaces(source: Path | BinaryIO) -> dict[str, Surface]:
    """Read the named surfaces that `write_surfaces` wrote.

    Raises OSError where the file is missing, ValueError where it is damaged.
    """
    fields: dict[str, dict[str, np.ndarray]] = {}
    try:
        with np.load(source, allow_pickle=False) as archive:
            for key in archive.files:
                name, _, attribute = key.rpartition(":")
                fields.setdefault(name, {})[attribute] = archive[key]
        for attributes in fields.values():
            if "normals" in attributes:
                attributes["normals"] = unfolded(attributes["normals"])
        return {name: Surface(**attributes) for name, attributes in fields.items()}
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{source}: no whole file of surfaces: {error}") from error
