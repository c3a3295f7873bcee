"""Cameras: named views placed by the anatomy itself, and the way from one camera to another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
from scipy.spatial.transform import Rotation

from spineviz.model import Camera, Vector
from spineviz.structure import Bone, Floats, Frame, Message, Points
from spineviz.terms import SIGN, Disc, Level, Side, levels_of

View = Literal[
    "posterior", "oblique", "lateral", "anterior", "superior", "axial", "corridor", "operative", "close",
    "axial_close", "axial_canal", "lateral_close", "foramen",
]  # fmt: skip
"""Where a scene is seen from. ``oblique`` and ``lateral`` look from the side of the disease.

``axial`` looks at a disc from below, as axial images are shown: the patient's right on the viewer's left;
``axial_close`` and ``lateral_close`` hold little more than the canal, ``axial_canal`` no more. ``foramen``
looks into it from aside.
"""

VIEWS: tuple[View, ...] = get_args(View)

ASIDE = 0.35
"""The share of a direction from which on words mention it beside the main one."""

MARGIN, MARGIN_OF_SEVERAL = 1.1, 1.17
"""How much larger an overview is than what it shows: alone, and beside others, which have headings."""

OPENING, FLAT = 20.0, 4.0
"""The opening (degrees) of cameras, and of those that show one body from several sides."""

CLOSE = 78.0
"""The height (mm) of a picture that holds a disc and the canal behind it."""

CANAL = 46.0
"""The height (mm) of a picture that holds the canal alone."""

CLOSE_VIEWS: tuple[View, ...] = ("axial_close", "axial_canal", "lateral_close", "foramen", "close")

PANE, LOWERED = 0.42, 11.0
"""The share of a picture's width that little more than the canal takes; and how far (mm) behind the canal the
middle of a slice lies where several stand beside each other, which are higher than wide."""

AXIAL = 172.0
"""The height (mm) of a picture that looks along the spine: from before the great vessels to the skin."""

ASPECT, NARROW = 1.2, 1.75
"""The width of what fills a picture for its height: of one alone, and of several together."""

_WAYS = (("right", "left"), ("front", "behind"), ("above", "below"))
_ORDER = ("behind", "front", "left", "right", "above", "below")


def disc_frame(bones: Mapping[Level, Bone], disc: Disc) -> Frame:
    """Return the frame in the middle of a disc, in the world."""
    above, below = levels_of(disc)
    upper = bones[above].landmarks["endplate.inferior"]
    lower = bones[below].landmarks["endplate.superior"]
    superior = unit(upper.superior + lower.superior)
    right = unit(upper.right + lower.right)
    anterior = unit(np.cross(superior, right))
    return Frame(
        (upper.origin + lower.origin) / 2, np.array([np.cross(anterior, superior), anterior, superior])
    )


def views(bones: Mapping[Level, Bone], disc: Disc, side: Side) -> dict[View, Camera]:
    """Return every named camera for a disc and a side, in the world, mm."""
    frame = disc_frame(bones, disc)
    sign = SIGN[side]
    canal = bones[levels_of(disc)[1]].landmarks["canal"].origin
    middle = (frame.origin + canal) / 2
    back = -frame.anterior
    window = canal + 12 * back + sign * 8 * frame.right
    operative = unit(back + 0.10 * sign * frame.right)
    oblique = unit(0.62 * sign * frame.right + 0.86 * back + 0.36 * frame.superior)
    close = unit(0.50 * sign * frame.right + 0.72 * back + 0.62 * frame.superior)
    foramen = unit(0.86 * sign * frame.right + 0.42 * back + 0.28 * frame.superior)
    up = (0.0, 0.0, 1.0)
    world_back = np.array([0.0, -1.0, 0.0])
    return {
        "posterior": Camera(vector(middle - 5 * frame.superior), vector(world_back), up, 190.0),
        "oblique": Camera(vector(middle - 12 * frame.superior), vector(oblique), up, 195.0),
        "lateral": Camera(vector(middle), (sign, 0.0, 0.0), up, 185.0),
        "anterior": Camera(vector(middle), (0.0, 1.0, 0.0), up, 185.0),
        "superior": Camera(vector(middle), vector(frame.superior), vector(frame.anterior), 120.0),
        "axial": Camera(
            vector(middle + 18 * back), vector(-frame.superior), vector(frame.anterior), AXIAL, FLAT
        ),
        "operative": Camera(vector(window + 20 * back), vector(operative), up, 115.0),
        "corridor": Camera(vector(window), vector(operative), up, 62.0),
        "axial_close": Camera(
            vector(middle + 2 * back), vector(-frame.superior), vector(frame.anterior), CLOSE, FLAT
        ),
        "axial_canal": Camera(
            vector(canal + 2 * frame.anterior), vector(-frame.superior), vector(frame.anterior), CANAL, FLAT
        ),
        "lateral_close": Camera(vector(middle + 5 * frame.anterior), (sign, 0.0, 0.0), up, CLOSE),
        "foramen": Camera(vector(middle + sign * 8 * frame.right), vector(foramen), up, CLOSE),
        "close": Camera(vector(canal + sign * 8 * frame.right), vector(close), up, 80.0),
    }


def narrowed(named: Mapping[View, Camera], panes: int) -> dict[View, Camera]:
    """Return cameras of pictures that stand beside each other: those from near by show as much in width."""
    wider = max(1.0, panes * PANE)
    result = dict(named)
    for view in CLOSE_VIEWS:
        camera = named[view]
        aside = np.asarray(camera.up) * (LOWERED if panes > 2 and view == "axial_close" else 0.0)
        result[view] = replace(camera, height=wider * camera.height, focus=vector(camera.focus - aside))
    return result


def overviews(vertices: Points, side: Side, panes: int = 1, angle: float = OPENING) -> dict[View, Camera]:
    """Return the cameras that show all of some vertices, shape (n, 3), mm; oblique ones from a side.

    ``panes`` is how many pictures stand beside each other; ``angle`` (degrees) is the cameras' opening.
    """
    sign = SIGN[side]
    upright, forward = (0.0, 0.0, 1.0), (0.0, 1.0, 0.0)
    ways: dict[View, tuple[Vector, Vector]] = {
        "posterior": ((0.0, -1.0, 0.0), upright),
        "oblique": ((0.58 * sign, -0.78, 0.23), upright),
        "lateral": ((sign, 0.0, 0.0), upright),
        "anterior": (forward, upright),
        "superior": (upright, forward),
    }
    room = (ASPECT, MARGIN) if panes == 1 else (NARROW / panes, MARGIN_OF_SEVERAL)
    return {
        view: _framed(vertices, Camera((0.0, 0.0, 0.0), vector(unit(way)), up, 1.0, angle), *room)
        for view, (way, up) in ways.items()
    }


def _framed(vertices: Points, camera: Camera, aspect: float, margin: float) -> Camera:
    """Return a camera that holds all vertices in its picture, as it stands but for its focus and its height.

    ``aspect`` is the width of what fills the picture for its height, ``margin`` how much larger it is. What
    is nearer to the eye than the focus is seen larger.
    """
    axes = camera_axes(camera)
    places = vertices @ axes.T
    middle = (places.min(axis=0) + places.max(axis=0)) / 2
    across, up, nearer = (places - middle).T
    wanted = 2 * margin * np.maximum(np.abs(up), np.abs(across) / aspect)
    height = float((wanted + 2 * np.tan(np.radians(camera.angle) / 2) * nearer).max())
    return replace(camera, focus=vector(middle @ axes), height=height)


def seen_from(camera: Camera) -> Message:
    """Return in words where a camera looks from: behind, the patient's left, above, ..."""
    back = unit(np.asarray(camera.direction))
    first, second, _ = sorted(range(3), key=lambda axis: -abs(back[axis]))
    main = _WAYS[first][0 if back[first] > 0 else 1]
    if abs(back[second]) < ASIDE:
        return Message(f"direction.{main}")
    pair = {main, _WAYS[second][0 if back[second] > 0 else 1]}
    return Message("direction." + "_".join(word for word in _ORDER if word in pair))


def along_spine(camera: Camera) -> bool:
    """Tell whether a camera looks along the spine: what it shows of the body is wider than high."""
    return abs(camera.direction[2]) > 0.7


def camera_axes(camera: Camera) -> Floats:
    """Return the camera's axes (3, 3): rows are right, up and towards the eye, in the world."""
    back = unit(camera.direction)
    right = unit(np.cross(camera.up, back))
    return np.stack([right, np.cross(back, right), back])


def between(first: Camera, last: Camera, progress: float) -> Camera:
    """Return the camera on its way from one to another, 0..1, turning about the body.

    It turns about one axis, the shortest way round, and so never passes through the focus. At 0 and 1 it is
    the first and the last camera themselves.
    """
    if progress <= 0:
        return first
    if progress >= 1:
        return last
    start, end = (Rotation.from_matrix(camera_axes(camera).T) for camera in (first, last))
    turn = (end * start.inv()).as_rotvec()
    axes = (Rotation.from_rotvec(progress * turn) * start).as_matrix().T
    focus = np.asarray(first.focus) + progress * np.subtract(last.focus, first.focus)
    return Camera(
        focus=vector(focus),
        direction=vector(axes[2]),
        up=vector(axes[1]),
        height=first.height * (last.height / first.height) ** progress,
        angle=first.angle + (last.angle - first.angle) * progress,
    )


def unit(values: Sequence[float] | Floats) -> Floats:
    """Return a vector (3,) at length 1; raises ValueError for one without length."""
    length = float(np.linalg.norm(values))
    if length == 0:
        raise ValueError("a direction needs a length; this one is zero")
    return np.asarray(values, dtype=np.float64) / length


def vector(values: Floats) -> Vector:
    """Return an array (3,) as plain numbers."""
    x, y, z = (float(value) for value in values)
    return x, y, z
