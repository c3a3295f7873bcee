"""What gives way to displaced disc in a body: nerves, and the posterior longitudinal ligament."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc import DiscParameters
from spineviz.anatomy.disc.displaced_material import material_frame
from spineviz.anatomy.disc.space import disc_space
from spineviz.anatomy.ligament.lifting import Breach, given_way
from spineviz.anatomy.nerve.warps import nerve_warps
from spineviz.structure import Points, Structure, Warp
from spineviz.terms import Disc, Level

LIGAMENT = "posterior_longitudinal_ligament"

Warps = dict[tuple[str, str], Warp]


@dataclass(frozen=True, eq=False)
class Together:
    """Several movements of one structure: it moves by the sum of their ways.

    ``discs`` are those that it gives way to. A retractor works at one disc alone.
    """

    rest: Points
    parts: tuple[Warp, ...]
    discs: tuple[Disc, ...]

    def __call__(self, amounts: tuple[float, ...]) -> Points:
        """Return the vertices (n, 3), mm. Raises ValueError where a retractor would draw at several discs."""
        if any(amounts[1:]):
            raise ValueError(f"nerves are retracted at one herniated disc, not at {', '.join(self.discs)}")
        return np.asarray(self.rest + sum(part(amounts) - self.rest for part in self.parts))


def displaced_by(
    discs: Mapping[Disc, DiscParameters],
    structures: Mapping[str, Structure],
    bones: Mapping[Level, LevelBone],
) -> tuple[dict[str, Structure], Warps]:
    """Return the structures that displaced disc has torn, by name, and how everything gives way to it.

    ``structures`` are all of a healthy body but its herniated discs, at rest.
    """
    found: dict[tuple[str, str], list[tuple[Disc, Warp]]] = {}
    torn: dict[str, Structure] = {}
    for disc, shape in discs.items():
        if f"herniation.{disc}" not in structures:
            continue
        for key, warp in nerve_warps(structures, disc, shape, bones).items():
            found.setdefault(key, []).append((disc, warp))
    result = {key: _together(structures[key[0]], parts) for key, parts in found.items()}
    torn, lifts = _ligament(discs, structures, bones)
    return torn, result | lifts


def _together(structure: Structure, parts: list[tuple[Disc, Warp]]) -> Warp:
    if len(parts) == 1:
        return parts[0][1]
    rest = np.asarray(structure.surface.vertices, dtype=np.float64)
    return Together(rest, tuple(warp for _, warp in parts), tuple(disc for disc, _ in parts))


def _ligament(
    discs: Mapping[Disc, DiscParameters],
    structures: Mapping[str, Structure],
    bones: Mapping[Level, LevelBone],
) -> tuple[dict[str, Structure], Warps]:
    """Return the ligament as it is torn, and how it is lifted; nothing where no disc touches it."""
    if LIGAMENT not in structures:
        return {}, {}
    pieces = {
        disc: (structures[f"herniation.{disc}"].surface, breaches(disc, shape, bones))
        for disc, shape in discs.items()
        if f"herniation.{disc}" in structures and _behind(shape)
    }
    if not pieces:
        return {}, {}
    made = given_way(structures[LIGAMENT], list(pieces.values()))
    return ({}, {}) if made is None else ({LIGAMENT: made[0]}, {(LIGAMENT, "surgery"): made[1]})


def _behind(shape: DiscParameters) -> bool:
    """Tell whether something of a disc stands out to the canal."""
    return shape.bulging is not None or not all(item.anterior for item in shape.herniations)


def breaches(disc: Disc, shape: DiscParameters, bones: Mapping[Level, LevelBone]) -> list[Breach]:
    """Return where material leaves a disc to the canal, and whether it pierces the ligament behind."""
    inside = [item for item in shape.herniations if not item.anterior]
    if not inside:
        return []
    space = disc_space(disc, bones)
    return [
        Breach(
            material_frame(item, space, shape.bulge).origin,
            torn=item.morphology != "protrusion" and not item.contained,
            free=item.morphology == "sequestration",
        )
        for item in inside
    ]
