"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary file beside ``path`` that takes its place when the block ends well.

    On any error, Ctrl-C included, the temporary file is removed and ``path`` stays as it was.

    Raises:
        OSError: the folder is missing or cannot be written; the message names it.
    """
    require_folder(path)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    except OSError as error:
        raise OSError(f"cannot write {path}: {error.strerror}; choose a folder you may write to") from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


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


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
