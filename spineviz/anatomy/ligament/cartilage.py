"""Articular cartilage of the facet joints: two thin plates that fill each joint space but for a thin cleft.

The middle surface between the two bones is followed from the joint's middle to its rim; each plate reaches
from its bone towards that surface and grows thin at the rim.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from spineviz import measures
from spineviz.anatomy.ligament.joint import Shape, around, centred, joint_frame, joint_rim
from spineviz.anatomy.net import Net, pipe, uphill
from spineviz.anatomy.surroundings import Spine, Surroundings
from spineviz.structure import Floats, Frame, Points, Structure, Surface
from spineviz.terms import Level, Side, region_of

TRIES = 3
"""Plates are drawn back from what they would meet, and made anew, until they are free, this often at most."""


def facet_cartilage(
    above: Level, below: Level, side: Side, spine: Spine, others: Sequence[Surface] = ()
) -> Structure:
    """Return ``facet_cartilage.<above>-<below>.<side>``: both plates of a joint, in the world, mm.

    They end before ``others``, such as the yellow ligaments and the joint's capsule. Raises ValueError where
    a landmark is missing.
    """
    shape = measures.table("facet_cartilage")
    region = region_of(above)
    size = measures.table(f"facet_capsule_size.{region}")
    thickest = float(measures.value(f"facet_cartilage_thickness.{region}"))
    bones = spine.of(above), spine.of(below)
    joint = joint_frame(above, below, side, spine)
    rim = joint_rim(joint, around(joint, int(shape["columns"])), *bones, size)
    share = np.linspace(1.0 / shape["rings"], 1.0, int(shape["rings"]))
    reach, beside = np.full(len(rim), shape["cover"]), Surroundings(()).and_also(others)
    for _ in range(TRIES):
        middle = _middle(joint, rim, share[:, None] * reach, bones)
        plates = [_plate(middle, bone, share, thickest, shape) for bone in bones]
        free = _free(plates, share, beside, shape["clear"])
        if (free == 1.0).all():
            break
        reach = reach * free
    surface = _together([pipe(plate) for plate in plates])
    return Structure(f"facet_cartilage.{above}-{below}.{side}", "cartilage", surface, side)


def _middle(joint: Frame, rim: Points, share: Floats, bones: tuple[Surroundings, Surroundings]) -> Net:
    """Return places (n, m, 3) midway between two bones, at ``share`` (n, m) of the way to the rim."""
    result = np.tile(joint.origin, (share.shape[1], 1))
    rows = []
    for row in share:
        height = (result - joint.origin) @ joint.anterior
        flat = rim - ((rim - joint.origin) @ joint.anterior)[:, None] * joint.anterior
        result = joint.origin + row[:, None] * (flat - joint.origin) + height[:, None] * joint.anterior
        for _ in range(2):
            result, _ = centred(result, joint, *bones)
        rows.append(result)
    return np.array(rows)


def _plate(middle: Net, bone: Surroundings, share: Floats, thickest: float, shape: Shape) -> Net:
    """Return the rings (2n, m, 3) of a plate: on its bone from within to the rim, and back on its face."""
    flat = middle.reshape(-1, 3)
    way, room = uphill(bone.distance, flat), bone.distance(flat)
    taper = shape["edge"] + (1.0 - shape["edge"]) * np.sqrt(1.0 - share**4)
    full = np.clip(room - shape["cleft"] / 2, shape["thinnest"], thickest).reshape(middle.shape[:2])
    height = np.maximum(full * taper[:, None], shape["thinnest"]).ravel()
    sides = [flat - (room - level)[:, None] * way for level in (np.full(len(flat), shape["seam"]), height)]
    inner, outer = (side.reshape(middle.shape) for side in sides)
    return np.concatenate([inner, outer[::-1]])


def _free(plates: Sequence[Net], share: Floats, others: Surroundings, clear: float) -> Floats:
    """Return what part (m,) of their reach plates keep clear of other things."""
    count, kept = len(share), np.ones((len(share), plates[0].shape[1]), dtype=bool)
    for plate in plates:
        room = others.distance(plate.reshape(-1, 3)).reshape(plate.shape[:2]) > clear
        kept &= room[:count] & room[: count - 1 : -1]
    rows = np.cumprod(kept, axis=0).sum(axis=0)
    free = np.where(rows < count, np.concatenate([[share[0]], share])[rows], 1.0)
    least = ndimage.minimum_filter1d(free, 3, mode="wrap")
    calm = ndimage.gaussian_filter1d(least, 1.0, mode="wrap")
    return np.asarray(np.where(kept.all(), 1.0, np.minimum(calm, free)))


def _together(plates: Sequence[Surface]) -> Surface:
    """Return closed surfaces as one."""
    starts = np.cumsum([0, *(len(plate.vertices) for plate in plates)])
    coordinates = [plate.coordinates for plate in plates if plate.coordinates is not None]
    return Surface(
        np.vstack([plate.vertices for plate in plates]),
        np.vstack([plate.faces + start for plate, start in zip(plates, starts, strict=False)]),
        coordinates=np.vstack(coordinates),
    )
