"""The second maker of a level's bone: a patient's own surface, with landmarks found on it or given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import field_validator

from spineviz.geometry import surface_distance
from spineviz.patient.landmarks import GivenFrame, find_landmarks
from spineviz.patient.mesh_file import read_mesh, thinned
from spineviz.patient.probe import frame_in
from spineviz.spec import Spec
from spineviz.structure import Floats, Frame, Points, Surface
from spineviz.terms import Level

Vector = tuple[float, float, float]


class GivenLandmark(Spec):
    """A landmark that someone placed on a bone.

    ``at`` (mm) and ``towards`` are in the file's coordinates. ``towards`` is where the landmark looks: up
    for endplates and the canal, to the front along a pedicle, out of the bone for all others. Without it,
    the direction is taken from the bone.
    """

    name: str
    at: Vector
    towards: Vector | None = None


class GivenBone(Spec):
    """A level's bone from a surface file.

    ``file`` (PLY, STL or OBJ, mm) is relative to the scene's folder. ``axes`` tells where x and y of the
    file point: right and anterior (``RAS``) or left and posterior (``LPS``); z is superior in both.
    ``landmarks`` win over what is found; they may be written as ``{name = [x, y, z]}`` or
    ``{name = {at = [x, y, z], towards = [x, y, z]}}``.
    """

    file: str
    axes: Literal["RAS", "LPS"] = "RAS"
    landmarks: tuple[GivenLandmark, ...] = ()

    @field_validator("landmarks", mode="before")
    @classmethod
    def _from_mapping(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return [
            {"name": name, **(entry if isinstance(entry, Mapping) else {"at": entry})}
            for name, entry in value.items()
        ]


def given_bone(
    spec: GivenBone, level: Level, folder: Path = Path()
) -> tuple[dict[str, Frame], Surface, Callable[[Points], Floats]]:
    """Return a patient's bone in the level's own frame: landmarks, surface and signed distance.

    The level's frame has its origin in the centre of the vertebral body and z normal to the mid-plane of
    the endplates; that of S1 stands on its upper endplate. The surface is thinned to what a scene needs;
    the distance (mm, negative inside) is the file's. A relative file name starts in ``folder``.

    Raises ValueError where the file is no bone in mm or a landmark cannot be found.
    """
    surface = read_mesh(folder / spec.file)
    flip = np.array([-1.0, -1.0, 1.0]) if spec.axes == "LPS" else np.ones(3)
    surface = surface.moved(surface.vertices * flip)
    distance = surface_distance(surface)
    try:
        frame, landmarks = find_landmarks(surface, level, _frames(spec.landmarks, flip), distance)
        thin = thinned(surface)
    except ValueError as error:
        raise ValueError(f"{spec.file}: {error}") from error
    own = {name: frame_in(frame, mark) for name, mark in landmarks.items()}
    return own, thin.moved(frame.to_local(thin.vertices)), Moved(distance, frame)


@dataclass(frozen=True, eq=False)
class Moved:
    """A distance function of a surface's coordinates, asked in a frame that is given in them."""

    distance: Callable[[Points], Floats]
    frame: Frame

    def __call__(self, points: Points) -> Floats:
        """Return the signed distance (n,) in mm at points (n, 3) of the frame."""
        return self.distance(self.frame.to_parent(points))


def _frames(landmarks: Sequence[GivenLandmark], flip: Floats) -> dict[str, GivenFrame]:
    """Return the given landmarks by name, in RAS."""
    result: dict[str, GivenFrame] = {}
    for mark in landmarks:
        if mark.name in result:
            raise ValueError(f"the landmark '{mark.name}' is given twice; keep one")
        towards = None if mark.towards is None else np.asarray(mark.towards) * flip
        result[mark.name] = GivenFrame(np.asarray(mark.at) * flip, towards)
    return result
