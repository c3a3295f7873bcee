"""The landmarks of the healthy bones, kept in ``meshes/landmarks.json``: finding them takes long."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache

import numpy as np

from spineviz import library
from spineviz.structure import Frame
from spineviz.terms import Level

AS_FOUND = 1e-6
"""How far (mm, or parts of a direction) a kept landmark may lie from the one found now."""

Marks = Mapping[str, Frame]


def kept(level: Level, shape: str) -> Marks | None:
    """Return a bone's landmarks in its own frame where those of a bone of this shape are kept, else None.

    ``shape`` is the text of its parameters.
    """
    written, marks = _all().get(level, ("", {}))
    return marks if written == library.digest(shape) else None


def write(found: Mapping[Level, tuple[str, Marks]]) -> None:
    """Keep the landmarks of some bones, each beside the text of its parameters."""
    bones = {
        level: {
            "shape": library.digest(shape),
            "landmarks": {
                name: {"origin": mark.origin.tolist(), "axes": mark.axes.tolist()}
                for name, mark in marks.items()
            },
        }
        for level, (shape, marks) in found.items()
    }
    content = {"recipe": library.recipe(), "sources": library.sources(), "frame": "RAS, mm", "bones": bones}
    path = library.data_folder("meshes") / library.LANDMARKS
    library.write_whole(path, lambda stream: stream.write(json.dumps(content, indent=1).encode()))
    library.told.cache_clear()
    _all.cache_clear()


def departures(found: Mapping[Level, tuple[str, Marks]]) -> list[str]:
    """Return a line for each bone whose kept landmarks are not those that are found now."""
    return [
        f"{level}: its landmarks in {library.LANDMARKS} are not those of its shape"
        for level, (shape, marks) in found.items()
        if not _same(kept(level, shape), marks)
    ]


def _same(before: Marks | None, now: Marks) -> bool:
    return (
        before is not None
        and set(before) == set(now)
        and all(
            np.allclose(before[name].origin, mark.origin, atol=AS_FOUND, rtol=0.0)
            and np.allclose(before[name].axes, mark.axes, atol=AS_FOUND, rtol=0.0)
            for name, mark in now.items()
        )
    )


@cache
def _all() -> Mapping[str, tuple[str, Marks]]:
    """Return what is kept by level; nothing where another generator found it, or the file is damaged."""
    try:
        content = json.loads(library.told(library.LANDMARKS))
        if content["sources"] != library.sources() and content["recipe"] != library.recipe():
            return {}
        return {
            level: (
                bone["shape"],
                {
                    name: Frame(np.array(mark["origin"]), np.array(mark["axes"]))
                    for name, mark in bone["landmarks"].items()
                },
            )
            for level, bone in content["bones"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
