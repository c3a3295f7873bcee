"""Landmarks of a lumbar vertebra or a sacrum, found on its surface."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from spineviz import measures
from spineviz.geometry import surface_distance
from spineviz.patient import posterior_arch as arch
from spineviz.patient import sacral_base
from spineviz.patient.probe import (
    SUPERIOR,
    NotFoundError,
    Probe,
    axis_frame,
    frame_in,
    probe_of,
    surface_frame,
    unit_vector,
)
from spineviz.patient.symmetry import mid_sagittal_frame
from spineviz.patient.vertebral_body import find_body
from spineviz.structure import Floats, Frame, Points, Surface
from spineviz.terms import SIDES, SIGN, Level

VERTEBRA = (
    "endplate.superior",
    "endplate.inferior",
    "canal",
    "spinous.tip",
    "spinous.base",
    *(
        f"{name}.{side}"
        for name in ("pedicle", "pars", "lamina", "transverse", "facet.superior", "facet.inferior")
        for side in SIDES
    ),
)
"""The landmarks of a lumbar vertebra."""

SACRUM = (
    "endplate.superior",
    "canal",
    "crest.S1",
    *(
        f"{name}.{side}"
        for name in ("facet.superior", "lamina", "ala", "foramen.anterior.S1", "foramen.posterior.S1")
        for side in SIDES
    ),
)
"""The landmarks that are found on a sacrum."""

SACRUM_GIVEN = (
    "apex",
    *(f"{name}.{side}" for name in ("pedicle", "auricular") for side in SIDES),
    *(
        f"foramen.{aspect}.{level}.{side}"
        for aspect in ("anterior", "posterior")
        for level in ("S2", "S3", "S4")
        for side in SIDES
    ),
)
"""Landmarks of a sacrum that are not searched but can be given."""

SURE = ("endplate.superior", "endplate.inferior")
"""Landmarks that also decide the level's frame."""

LOWEST_PEDICLE = -4.0
"""Pedicles spring from the upper half of a body: never this far (mm) below its middle."""

Found = dict[str, Frame]


@dataclass(frozen=True, eq=False)
class GivenFrame:
    """A landmark that someone placed: its origin (3,) in mm and the direction (3,) it looks, if known."""

    origin: Floats
    towards: Floats | None = None


def find_landmarks(
    surface: Surface,
    level: Level,
    given: Mapping[str, GivenFrame] | None = None,
    distance: Callable[[Points], Floats] | None = None,
) -> tuple[Frame, Found]:
    """Find a level's frame and its landmarks, all in the coordinates of the surface.

    The surface is closed, in mm, and stands about upright in RAS: up to some 35 degrees of pitch and 15 of
    roll and yaw. The frame's origin is the centre of the vertebral body, z the normal of the mid-plane of
    its endplates, x the normal of the bone's mid-sagittal plane to the patient's right; for S1 it is the
    frame of the upper endplate. Landmarks that are given win over found ones. ``distance`` is the
    surface's signed distance, where it is known already.

    Raises ValueError naming the level and the landmark where one cannot be found, and where the bone
    looks backwards or stands on its head.
    """
    marks = dict(given or {})
    _check_names(level, marks)
    bone = probe_of(surface, distance or surface_distance(surface))
    symmetry = mid_sagittal_frame(surface)
    frame, plates = _level_frame(bone, symmetry, level, marks)
    probe = bone.seen_from(frame)
    if level != "S1":
        _check_direction(probe, level)
    found = {name: frame_in(frame, mark) for name, mark in plates.items()}
    for name in marks.keys() - set(SURE):
        found[name] = _placed(probe, level, name, marks[name], frame)
    complete = _sacrum(probe, found) if level == "S1" else _vertebra(probe, level, found)
    return frame, {name: mark.then(frame) for name, mark in complete.items()}


def _check_names(level: Level, given: Mapping[str, GivenFrame]) -> None:
    known = (*SACRUM, *SACRUM_GIVEN) if level == "S1" else VERTEBRA
    for name in given:
        if name not in known:
            raise ValueError(f"{level}: there is no landmark '{name}'; choose one of: {', '.join(known)}")


def _check_direction(probe: Probe, level: Level) -> None:
    """Refuse a bone whose arch is not behind its body."""
    if probe.areas @ probe.centres[:, 1] > 0.0:
        raise ValueError(
            f"{level}: the vertebral arch lies in front of the body, as if x and y of the file pointed "
            'left and posterior; say axes = "LPS"'
        )


def _level_frame(
    bone: Probe, symmetry: Frame, level: Level, given: Mapping[str, GivenFrame]
) -> tuple[Frame, Found]:
    """Return the level's frame and its endplates, all in the coordinates of the bone."""
    names = SURE[:1] if level == "S1" else SURE
    plates = {name: _given_plate(given[name], symmetry) for name in names if name in given}
    if len(plates) < len(names):
        try:
            plates = {**_endplates(bone, symmetry, level), **plates}
        except NotFoundError as error:
            missing = " and ".join(name for name in names if name not in plates)
            raise ValueError(_advice(level, missing, error)) from error
    if level == "S1":
        return plates["endplate.superior"], plates
    superior, inferior = plates["endplate.superior"], plates["endplate.inferior"]
    both = superior.superior + inferior.superior
    up = unit_vector(both - (both @ symmetry.right) * symmetry.right)
    middle = (superior.origin + inferior.origin) / 2
    middle = middle - ((middle - symmetry.origin) @ symmetry.right) * symmetry.right
    return Frame(middle, np.stack([symmetry.right, np.cross(up, symmetry.right), up])), plates


def _endplates(bone: Probe, symmetry: Frame, level: Level) -> Found:
    if level == "S1":
        return {"endplate.superior": sacral_base.find_endplate(bone, symmetry)}
    body = find_body(bone, symmetry)
    return {
        "endplate.superior": body.superior.frame.then(body.frame),
        "endplate.inferior": body.inferior.frame.then(body.frame),
    }


def _given_plate(given: GivenFrame, symmetry: Frame) -> Frame:
    """Return a given endplate; without a direction it is level in the file."""
    up = SUPERIOR if given.towards is None else given.towards
    local = axis_frame(symmetry.to_local(given.origin), symmetry.axes @ up)
    return local.then(symmetry)


def _placed(bone: Probe, level: Level, name: str, given: GivenFrame, frame: Frame) -> Frame:
    """Return a given landmark in the level's frame; where its direction is not given, the bone tells it."""
    origin = frame.to_local(given.origin)
    towards: Floats | None = None if given.towards is None else frame.axes @ given.towards
    if name == "canal":
        return axis_frame(origin, SUPERIOR if towards is None else towards)
    if towards is None and name.startswith("pedicle."):
        sign = SIGN["right" if name.endswith("right") else "left"]
        towards = arch.trajectory(bone, origin, sign, _usual_axis(level))
    return surface_frame(origin, bone.normal(origin, arch.PATCH) if towards is None else towards)


def _usual_axis(level: Level) -> tuple[float, float]:
    """Return how far (degrees) a pedicle's axis usually points to the midline and down; S1 as L5."""
    axis = measures.table(f"vertebrae.{'L5' if level == 'S1' else level}.pedicle_axis")
    return float(axis["medial"]), float(axis["caudal"])


def _advice(level: Level, name: str, error: Exception) -> str:
    return (
        f"{level}: {name} was not found ({error}); check that the file is this bone, or give the landmark "
        'beside the mesh as landmarks = { "name" = [x, y, z] }'
    )


def _searched(level: Level, name: str, find: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return find(*arguments)
    except NotFoundError as error:
        raise ValueError(_advice(level, name, error)) from error


def _vertebra(bone: Probe, level: Level, placed: Mapping[str, Frame]) -> Found:
    """Return every landmark of a lumbar vertebra in its own frame."""
    found = dict(placed)

    def provide(name: str, find: Callable[..., Frame], *arguments: Any) -> Frame:
        if name not in found:
            found[name] = _searched(level, name, find, *arguments)
        return found[name]

    wall = arch.posterior_wall(bone)
    usual = _usual_axis(level)
    pedicles = [provide(f"pedicle.{side}", arch.pedicle, bone, SIGN[side], usual) for side in SIDES]
    height = float(np.mean([pedicle.origin[2] for pedicle in pedicles]))
    if height < LOWEST_PEDICLE:
        raise ValueError(f"{level}: the pedicles lie in the lower half of the body; turn the bone upright")
    if "canal" in found:
        canal = arch.canal_at(bone, found["canal"])
    else:
        canal = _searched(level, "canal", arch.canal, bone, height)
        found["canal"] = canal.frame
    provide("spinous.tip", arch.spinous_tip, bone, canal)
    provide("spinous.base", arch.spinous_base, bone, canal)
    for side, pedicle in zip(SIDES, pedicles, strict=True):
        sign = SIGN[side]
        provide(f"transverse.{side}", arch.transverse_tip, bone, sign, wall)
        provide(f"facet.superior.{side}", arch.superior_facet, bone, sign, wall)
        facet = provide(f"facet.inferior.{side}", arch.inferior_facet, bone, sign, wall)
        pars = provide(f"pars.{side}", arch.pars, bone, sign, pedicle, facet, canal)
        provide(f"lamina.{side}", arch.lamina, bone, sign, pars, canal)
    return found


def _sacrum(bone: Probe, placed: Mapping[str, Frame]) -> Found:
    """Return the landmarks of a sacrum in the frame of its upper endplate."""
    found = dict(placed)

    def provide(name: str, find: Callable[..., Frame], *arguments: Any) -> Frame:
        if name not in found:
            found[name] = _searched("S1", name, find, *arguments)
        return found[name]

    if "canal" in found:
        canal = arch.canal_at(bone, found["canal"])
    else:
        canal = _searched("S1", "canal", sacral_base.canal, bone)
        found["canal"] = canal.frame
    crest = provide("crest.S1", sacral_base.median_crest, bone, canal)
    for side in SIDES:
        sign = SIGN[side]
        provide(f"facet.superior.{side}", arch.superior_facet, bone, sign, canal.front + 3.0)
        provide(f"lamina.{side}", sacral_base.lamina, bone, sign, canal, crest)
        provide(f"ala.{side}", sacral_base.ala, bone, sign)
        provide(f"foramen.anterior.S1.{side}", sacral_base.foramen, bone, sign, "anterior")
        provide(f"foramen.posterior.S1.{side}", sacral_base.foramen, bone, sign, "posterior")
    return found
