"""All ligaments of the column that are built as nets: which there are, and in what order they are laid."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import pairwise

from spineviz.anatomy.ligament.capsule import facet_capsule
from spineviz.anatomy.ligament.cartilage import facet_cartilage
from spineviz.anatomy.ligament.dorsal import interspinous_ligament, nuchal_ligament, supraspinous_ligament
from spineviz.anatomy.ligament.longitudinal import (
    anterior_longitudinal_ligament,
    posterior_longitudinal_ligament,
)
from spineviz.anatomy.ligament.transverse import (
    iliolumbar_ligament,
    intertransverse_ligament,
    transverse_ligament_of_atlas,
)
from spineviz.anatomy.ligament.yellow import yellow_ligament
from spineviz.anatomy.net import mirrored
from spineviz.anatomy.surroundings import Spine, Surroundings
from spineviz.structure import Structure, Surface
from spineviz.terms import DISCS, LEVELS, SIDES, Level

Pair = tuple[Level, Level]

NERVOUS = ("thecal_sac", "root", "rootlet", "spinal_cord", "ganglion")
"""What the posterior longitudinal ligament leaves room for, by the beginnings of names.

Displaced disc lifts or tears it: see `lifting`.
"""

IN_THE_CANAL = (*NERVOUS, "herniation")
"""What the yellow ligaments leave room for, by the beginnings of names."""


def spinal_ligaments(
    spine: Spine, known: Mapping[str, Surface], only: Iterable[str] | None = None
) -> dict[str, Structure]:
    """Return the ligaments of the bones that are there, by name, in the world, mm.

    ``known`` are structures made before: ligaments of these names are left as they are, the others end before
    them; nerves and displaced discs get the room they need. ``only`` tells how the names begin of those that
    are made, where the others are not wanted.
    Raises ValueError where a landmark is missing.
    """
    made = _Made(dict(known), None if only is None else frozenset(only))
    inside = Surroundings(()).and_also(made.of(*IN_THE_CANAL))
    passing = Surroundings(()).and_also(made.of("thecal_sac", "root"))
    pairs = neighbours(spine.bones)
    discs = [pair for pair in pairs if "-".join(pair) in DISCS]
    for pair in discs:
        made.both(pair, "flavum", spine, partial(yellow_ligament, *pair, spine=spine, within=inside))
    for pair in pairs:
        name, between = f"{pair[0]}-{pair[1]}", made.of(f"flavum.{pair[0]}-{pair[1]}")
        cord = made.of("supraspinous_ligament", exact=True)
        if pair in discs and pair[1] != "S1" and not made.cord_over(pair):
            made.one(f"supraspinous_ligament.{name}", partial(supraspinous_ligament, *pair, spine, cord))
            cord += made.of(f"supraspinous_ligament.{name}")
        if pair in discs and pair[1] != "S1":
            made.one(f"interspinous.{name}", partial(interspinous_ligament, *pair, spine, between, cord))
        capsule = partial(facet_capsule, *pair, spine=spine, others=between, nerves=passing)
        made.both(pair, "facet_capsule", spine, capsule)
        walls = between + made.of(f"facet_capsule.{name}")
        made.both(pair, "facet_cartilage", spine, partial(facet_cartilage, *pair, spine=spine, others=walls))
        if pair[0][0] in "TL" and pair[1][0] in "TL":
            made.both(pair, "intertransverse", spine, partial(intertransverse_ligament, *pair, spine=spine))
    _long_ones(spine, made, Surroundings(()).and_also(made.of(*NERVOUS)))
    return made.structures


def neighbours(bones: Iterable[Level]) -> list[Pair]:
    """Return the pairs of vertebrae, or of vertebra and sacrum, that stand one over the other."""
    levels = [level for level in sorted(bones, key=LEVELS.index) if level != "Co1"]
    follow = {("L5", "S1"), ("L5", "L6")}
    return [
        (above, below)
        for above, below in pairwise(levels)
        if LEVELS.index(below) - LEVELS.index(above) == 1 or (above, below) in follow
    ]


class _Made:
    """What has been made so far, and what is wanted at all."""

    def __init__(self, known: dict[str, Surface], only: frozenset[str] | None) -> None:
        self.known, self.only = known, only
        self.structures: dict[str, Structure] = {}

    def of(self, *stems: str, exact: bool = False) -> list[Surface]:
        """Return the surfaces of what is known whose names begin so."""
        return [
            surface
            for name, surface in self.known.items()
            if any(name == stem or (not exact and name.startswith(f"{stem}.")) for stem in stems)
        ]

    def one(self, name: str, make: Callable[[], Structure | None]) -> None:
        """Make a structure unless it is there."""
        if name in self.known or (self.only is not None and name.partition(".")[0] not in self.only):
            return
        made = make()
        if made is not None:
            self.structures[name] = made
            self.known[name] = made.surface

    def both(self, pair: Pair, stem: str, spine: Spine, make: Callable[..., Structure | None]) -> None:
        """Make a pair of structures unless it is there; the left one by reflection where bones allow it."""
        names = {side: f"{stem}.{pair[0]}-{pair[1]}.{side}" for side in SIDES}
        self.one(names["right"], partial(make, side="right"))
        right = self.structures.get(names["right"])
        if right is not None and spine.symmetric(*pair):
            self.one(names["left"], partial(mirrored, right, names["left"]))
        else:
            self.one(names["left"], partial(make, side="left"))

    def cord_over(self, pair: Pair) -> bool:
        """Tell whether no supraspinous ligament is to be made between two bones.

        It begins at C7; the one from L3 to L5 may be there already.
        """
        lower = "supraspinous_ligament" in self.known and set(pair) <= {"L3", "L4", "L5"}
        return lower or LEVELS.index(pair[0]) < LEVELS.index("C7")


def _long_ones(spine: Spine, made: _Made, inside: Surroundings) -> None:
    """Make the ligaments that belong to no one level, and those of the ilium where it is there."""
    pairs = neighbours(spine.bones)
    if pairs:
        made.one("anterior_longitudinal_ligament", partial(anterior_longitudinal_ligament, spine))
        made.one("posterior_longitudinal_ligament", partial(posterior_longitudinal_ligament, spine, inside))
    if {"C1", "C2"} <= set(spine.bones):
        made.one("transverse_ligament_of_atlas", partial(transverse_ligament_of_atlas, spine))
    necks = [f"interspinous.{above}-{below}" for above, below in pairs if below[0] == "C"]
    behind = made.of(*necks, "supraspinous_ligament.C7-T1")
    made.one("nuchal_ligament", partial(nuchal_ligament, spine, behind))
    for side in SIDES:
        for ilium in made.of(f"ilium.{side}"):
            made.one(f"iliolumbar_ligament.{side}", partial(iliolumbar_ligament, side, spine, ilium))
