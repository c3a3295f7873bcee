"""Ligaments and vessels that are built as nets on bones and discs, or taken from the baked library."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.ligament import neighbours, spinal_ligaments
from spineviz.anatomy.nerve.fat import epidural_fat
from spineviz.anatomy.surroundings import Spine
from spineviz.anatomy.vessel import vessels
from spineviz.structure import Structure, Surface
from spineviz.terms import DISCS, LEVELS, SIDES, Disc, Level, column

ALONG: Mapping[str, tuple[Level, ...]] = {
    "anterior_longitudinal_ligament": column()[:-1],
    "posterior_longitudinal_ligament": column()[1:-1],
    "transverse_ligament_of_atlas": ("C1", "C2"),
    "nuchal_ligament": LEVELS[:7],
    "vertebral_artery": LEVELS[:7],
}
"""Structures that belong to no one level: a baked one is true where all these levels are there."""

BEHIND_THE_DISCS = "posterior_longitudinal_ligament"
"""The ligament that is laid on what has left a disc."""

ON_EVERY_DISC = ("anterior_longitudinal_ligament", BEHIND_THE_DISCS)
"""Ligaments that lie on every disc: a baked one is not true where a disc has another shape."""

TRUNKS = ("aorta", "common_iliac_artery", "inferior_vena_cava", "common_iliac_vein")
"""Great vessels: baked ones are true where all levels from T5 to the sacrum are there."""

BRANCHES = ("lumbar_artery", "lumbar_vein")
"""Vessels of one level, that hang on the great vessels."""

TRUNK_LEVELS: tuple[Level, ...] = column()[column().index("T5") : -1]

OF_A_DISC = (
    "flavum",
    "interspinous",
    "supraspinous_ligament",
    "facet_capsule",
    "facet_cartilage",
    "intertransverse",
    "epidural_fat",
)
"""Ligaments, and fat, that belong to one disc."""

JOINTS = ("facet_capsule", "facet_cartilage")
"""What every pair of facet joints has."""

FATTY: tuple[Level, ...] = ("L1", "L2", "L3", "L4", "L5", "L6", "S1")
"""Between these there is fat behind the sac, where that leaves room; what there is of it above is drawn in
the faces of cuts only."""


def connective(
    bones: Mapping[Level, LevelBone],
    made: Mapping[str, Structure],
    baked: Mapping[str, Structure],
    complete: bool = False,
) -> dict[str, Structure]:
    """Return the ligaments and vessels of the bones that are there and are not ``made`` yet, by name.

    There are none where no bone stands on its neighbour.
    ``made`` are all structures so far: nets are laid on its discs and leave room for its nerves. What the
    shelf ``baked`` holds is not built; where that is everything, nothing is computed. ``complete`` tells that
    it holds whatever belongs to these levels in a healthy body: then only what runs along the column may be
    missing.
    """
    if not neighbours(bones):
        return {}
    true = filter(is_connective, baked) if complete else true_on_the_shelf(bones, baked)
    result = {name: baked[name] for name in true if name not in made}
    ready = {name: item.surface for name, item in result.items()}
    known = {name: item.surface for name, item in made.items()} | ready
    stems = {name.partition(".")[0] for name in known}
    between: dict[Disc, Surface] = {disc: known[f"disc.{disc}"] for disc in DISCS if f"disc.{disc}" in known}
    spine = Spine(bones, between)
    jointed = complete or all(f"{part}.{disc}.right" in known for disc in between for part in JOINTS)
    if not (jointed and stems >= set(ALONG) - {"vertebral_artery"}):
        result |= spinal_ligaments(spine, known, [*ALONG, "iliolumbar_ligament"] if complete else None)
    known |= {name: item.surface for name, item in result.items()}
    result |= {} if complete else _fat(spine, known)
    others = [surface for name, surface in known.items() if name.startswith(BESIDE_VESSELS)]
    kept = {*ready, *TRUNKS} if complete else ready
    result |= {item.name: item for item in vessels(spine, others, kept)}
    return result


def _fat(spine: Spine, known: Mapping[str, Surface]) -> dict[str, Structure]:
    """Return the epidural fat that is not known yet, by name."""
    result: dict[str, Structure] = {}
    for above, below in neighbours(spine.bones):
        made = f"epidural_fat.{above}-{below}" in known
        if made or above not in FATTY or "thecal_sac" not in known:
            continue
        fat = fat_behind(above, below, spine, known)
        result |= {fat.name: fat} if fat else {}
    return result


def fat_behind(above: Level, below: Level, spine: Spine, known: Mapping[str, Surface]) -> Structure | None:
    """Return the epidural fat between two vertebrae among the ``known`` surfaces, in the world, mm.

    None where there is no room for it, or where a yellow ligament beside it is missing.
    """
    flava = [known.get(f"flavum.{above}-{below}.{side}") for side in SIDES]
    if None in flava:
        return None
    others = [surface for name, surface in known.items() if name.startswith(BESIDE_FAT)]
    return epidural_fat(above, below, spine, known["thecal_sac"], [*filter(None, flava), *others])


BESIDE_FAT = ("root.L", "root.S1", "interspinous.L", "facet_capsule.L")
"""What epidural fat keeps clear of beside bones, sac and yellow ligaments, by the beginnings of names."""

BESIDE_VESSELS = ("anterior_longitudinal_ligament", "facet_capsule.C", "root.", "ganglion.", "spinal_nerve.")
"""What vessels keep clear of beside bones and discs, by the beginnings of names."""


def true_on_the_shelf(bones: Collection[Level], baked: Iterable[str]) -> list[str]:
    """Return which baked ligaments and vessels are true where only some bones are there."""
    there = set(bones)
    return [name for name in baked if is_connective(name) and _levels(name) <= there]


def is_connective(name: str) -> bool:
    """Tell whether a structure, given by name, is one of those that are built here."""
    return name.partition(".")[0] in {*ALONG, *TRUNKS, *BRANCHES, *OF_A_DISC}


def _levels(name: str) -> set[Level]:
    """Return the levels that must be there for a baked structure to be true."""
    stem = name.partition(".")[0]
    if stem in (*TRUNKS, *BRANCHES):
        return set(TRUNK_LEVELS)
    named = {word for part in name.split(".") for word in part.split("-")}
    return set(ALONG.get(stem, ())) | {level for level in LEVELS if level in named}
