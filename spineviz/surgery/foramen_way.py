"""Where a sleeve is led from the side of the back through Kambin's triangle, and what stands in its way.

World frame, mm and degrees.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from spineviz.anatomy.back.layer import LayerRecipe
from spineviz.anatomy.back.skeleton import hip_bones
from spineviz.anatomy.recipe import Body
from spineviz.geometry import surface_points
from spineviz.measures import table
from spineviz.sdf import Field
from spineviz.structure import Floats, Frame, Points
from spineviz.surgery import wound
from spineviz.surgery.kambin import Kambin, kambin
from spineviz.surgery.retraction.docking import disc_direction, entry_depth
from spineviz.surgery.site import NERVE_WARP
from spineviz.terms import SIGN, Disc, Side, exiting_root, levels_of, traversing_root

TURNS = np.linspace(0.0, 2 * np.pi, 20, endpoint=False)
"""In which directions across the sleeve bone is looked for."""

SHARES = (0.35, 0.7, 1.0)
"""Where across the sleeve bone is looked for: shares of its radius."""

BEHIND = 1.0
"""What lies no farther than this (mm) beyond the sleeve's end counts as beside it."""

FREE_ENOUGH, CRAMPED, LATERAL = 1.5, 250.0, 25.0
"""How far (mm) the exiting root is to be off the sleeve; what a mm less, and a mm that the end stays lateral
of the fragment's middle, count for in mm³ of bone."""

BORDER = 9.0
"""How far (mm) within the border of the skin that is shown the incision has to lie."""


@dataclass(frozen=True, eq=False)
class ForamenWay:
    """Where a sleeve leads: ``frame`` (world) with the origin at the end of its tongue and z out of the body.

    ``length`` (mm) is the way from there to the skin. It stays off the exiting root by ``root``, off the sac
    and the traversing root, as they are pressed, by ``medial`` and off the hip bone by ``crest`` (mm), and
    meets ``bone`` (mm³) of the articular process, which it enters by ``deep`` (mm) at most.
    ``axial`` and ``sagittal`` are its angles (degrees) from the coronal plane backwards, and from the plane
    of the disc cranially.
    """

    frame: Frame
    length: float
    axial: float
    sagittal: float
    root: float
    medial: float
    crest: float
    bone: float
    deep: float

    @property
    def entry(self) -> Floats:
        """Where it passes the skin (3,)."""
        return self.frame.origin + self.length * self.frame.superior


def foramen_ways(
    body: Body, disc: Disc, side: Side, radius: float, offset: float, allowed: float
) -> tuple[list[ForamenWay], Kambin]:
    """Return the ways of a sleeve (radius in mm) that spare all but the articular process; best first.

    ``offset`` (mm) is how far from the midline it passes the skin, ``allowed`` (mm) how much of the articular
    process may stand in its way. Raises ValueError, telling what stands in the way, where there is none.
    """
    triangle = kambin(body, disc, side)
    near = _Near(body, disc, side, radius)
    found, least = [], _Least()
    for frame, length, angles, lateral, shown in _candidates(body, disc, side, offset):
        way = near.way(frame, length, angles, least)
        if way is None or not _through(triangle, way):
            continue
        least.hidden |= not shown
        if not shown:
            continue
        least.deep = min(least.deep, way.deep)
        if way.deep <= allowed:
            score = way.bone + CRAMPED * max(FREE_ENOUGH - way.root, 0.0) + LATERAL * lateral
            found.append((score, way))
    if not found:
        raise ValueError(_refusal(disc, side, radius, allowed, offset, least))
    return [way for _, way in sorted(found, key=lambda item: item[0])], triangle


def _through(triangle: Kambin, way: ForamenWay) -> bool:
    """Tell whether a way leads through the triangle."""
    return bool((triangle.crossed(way.frame.origin, way.frame.superior) > 0.0).all())


def _candidates(
    body: Body, disc: Disc, side: Side, offset: float
) -> Iterator[tuple[Frame, float, tuple[float, float], float, bool]]:
    """Give frames at the fragment, how far they are from the skin, their angles, how far lateral they end.

    The last tells whether skin is shown as far as the incision.
    """
    size, sign = table("procedures.transforaminal.docking"), SIGN[side]
    skin = body.recipes[wound.SKIN]
    ahead = disc_direction(body.bones, disc)
    upward = np.cross([1.0, 0.0, 0.0], ahead)
    middle = body.structures[f"herniation.{disc}"].surface.vertices.mean(axis=0)
    ranges = size["sagittal"][disc]
    for steep, aside, before, up in product(ranges, size["aside"], size["before"], size["along"]):
        target = middle + sign * aside * np.array([1.0, 0.0, 0.0]) + before * ahead + up * upward
        axial, out, length, shown = _leaning(skin.solid.field, target, sign, steep, (ahead, upward), offset)
        if not size["axial"][0] <= axial <= size["axial"][1]:
            continue
        entry = target + length * out
        if isinstance(skin, LayerRecipe):
            shown &= float(skin.layer.outline.distance(entry[:1], entry[2:])[0]) < -BORDER
        cranial = np.array([0.0, 0.0, 1.0]) - out[2] * out
        cranial /= np.linalg.norm(cranial)
        axes = np.array([np.cross(cranial, out), cranial, out])
        yield Frame(target, axes), length, (axial, float(steep)), float(aside), shown


def _leaning(
    skin: Field, target: Floats, sign: float, steep: float, plane: tuple[Floats, Floats], offset: float
) -> tuple[float, Floats, float, bool]:
    """Return the axial angle of a way that passes the skin at an offset, its direction out, and its length.

    The last tells whether it meets the skin that is shown; where not, it ends at the offset.
    """
    ahead, upward = plane
    axial, shown = 35.0, True
    wide = offset - sign * float(target[0])
    for _ in range(6):
        turn = np.radians(axial)
        out = np.cos(turn) * sign * np.array([1.0, 0.0, 0.0]) - np.sin(turn) * ahead
        out = out + np.tan(np.radians(steep)) * upward
        out /= np.linalg.norm(out)
        try:
            length = entry_depth(skin, target, -out)
        except ValueError:
            shown, length = False, wide / (sign * float(out[0]))
            break
        axial = 0.5 * (axial + float(np.degrees(np.arctan2(-length * float(out @ ahead), wide))))
    return axial, out, length, shown


@dataclass
class _Least:
    """What a refusal tells: the least that stood in a way, and the most room that one left, mm.

    ``crest`` is the room beside the hip bone at each angle to the disc (degrees). ``hidden`` tells that a way
    was free, but begins where no skin is shown.
    """

    deep: float = np.inf
    root: float = -np.inf
    crest: dict[float, float] = field(default_factory=dict)
    hidden: bool = False


class _Near:
    """What lies about the ways to a disc, sampled once."""

    def __init__(self, body: Body, disc: Disc, side: Side, radius: float) -> None:
        self.body, self.radius = body, radius
        self.lower = levels_of(disc)[1]
        self.exiting = surface_points(body.structures[f"root.{exiting_root(disc)}.{side}"].surface, 1.0)
        names = ("thecal_sac", f"root.{traversing_root(disc)}.{side}")
        self.medial = np.vstack([_pressed(body, name) for name in names if name in body.structures])
        self.hips = hip_bones(body.bones) if "S1" in body.bones else ()
        self.size: Mapping[str, float] = table("procedures.transforaminal.docking")

    def way(
        self, frame: Frame, length: float, angles: tuple[float, float], least: _Least
    ) -> ForamenWay | None:
        """Return the way along a frame; None where it does not spare what it must."""
        size = self.size
        root = self._beside(frame, self.exiting)
        medial = self._beside(frame, self.medial)
        least.root = max(least.root, root)
        heights = np.arange(0.0, length, 1.0)
        rim = _tube(frame, heights, (1.0,), self.radius)
        crest = min((float(hip(rim).min()) for hip in self.hips), default=np.inf)
        least.crest[angles[1]] = max(least.crest.get(angles[1], -np.inf), crest)
        if root < size["off_root"] or medial < size["off_sac"]:
            return None
        others = [bone for level, bone in self.body.bones.items() if level != self.lower]
        if min(float(bone.grid(rim).min()) for bone in others) < size["free"]:
            return None
        if crest < size["off_crest"]:
            return None
        whole = _tube(frame, heights, SHARES, self.radius)
        met = self.body.bones[self.lower].grid(whole)
        share = float(np.mean(met < 0.0))
        bone = share * np.pi * self.radius**2 * length
        return ForamenWay(frame, length, *angles, root, medial, crest, bone, max(-float(met.min()), 0.0))

    def _beside(self, frame: Frame, points: Points) -> float:
        """Return how far (mm) points stay off a sleeve along a frame."""
        local = frame.to_local(points)
        local = local[local[:, 2] > -BEHIND]
        if not len(local):
            return np.inf
        return float(np.hypot(local[:, 0], local[:, 1]).min()) - self.radius


def _pressed(body: Body, name: str) -> Points:
    """Return points (n, 3) on a nerve as displaced material presses it."""
    surface = body.structures[name].surface
    if (name, NERVE_WARP) in body.warps:
        surface = surface.moved(body.warps[name, NERVE_WARP]((1.0, 0.0)))
    return surface_points(surface, 1.0)


def _tube(frame: Frame, heights: Floats, shares: tuple[float, ...], radius: float) -> Points:
    """Return points (n, 3) in the world on circles about an axis, height by height, share by share."""
    ring = np.stack([np.cos(TURNS), np.sin(TURNS), 0.0 * TURNS], axis=1)
    flat = radius * np.multiply.outer(np.array(shares), ring)
    local = flat[None] + heights[:, None, None, None] * np.array([0.0, 0.0, 1.0])
    return frame.to_parent(local.reshape(-1, 3))


def _refusal(disc: Disc, side: Side, radius: float, allowed: float, offset: float, least: _Least) -> str:
    """Return the sentence that tells what stands in the way where no way is free."""
    size, where = table("procedures.transforaminal.docking"), f"{disc} {side}"
    wide = f"a sleeve of {2 * radius:g} mm"
    barred = {angle: room for angle, room in least.crest.items() if room < size["off_crest"]}
    if barred:
        flattest, steepest = min(barred), max(barred)
        free = min((angle for angle in least.crest if angle > steepest), default=None)
        else_ = "" if free is None else f", and at {free:g} and more bone and roots leave no room for it"
        stands = f"enters it by {-barred[flattest]:.1f} mm" if barred[flattest] < 0.0 else "meets it"
        return (
            f"{where}: the iliac crest stands in the way of {wide}: at {flattest:g} degrees to the disc the "
            f"freest way {stands}{else_}; go between the laminae, or through a tube"
        )
    if least.hidden:
        return (
            f"{where}: the skin that is shown ends too near to an incision {offset:g} mm from the midline; "
            'show more of the spine (first = "T12" in [anatomy]), or move the incision'
        )
    if least.root < size["off_root"]:
        return (
            f"{where}: the exiting root leaves too little room for {wide}: the freest way keeps "
            f"{least.root:.1f} mm off it, and {size['off_root']:g} are wanted; take a thinner sleeve"
        )
    if np.isfinite(least.deep):
        return (
            f"{where}: {wide} needs {least.deep:.1f} mm of the articular process, and process_removed allows "
            f"{allowed:g}; allow more, or move the incision"
        )
    return (
        f"{where}: no way of {wide} through the foramen to the fragment spares bone and nerves; "
        "move the incision, take a thinner sleeve, or go through a tube"
    )
