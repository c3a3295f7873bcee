"""What a herniation or a stenosis is called in a picture."""

from __future__ import annotations

from spineviz.pathology.herniation import Herniation
from spineviz.pathology.stenosis import SCHEMES, Stenosis
from spineviz.structure import Message


def herniation_title(herniation: Herniation) -> Message:
    """Return a herniation in the words of a report: level, side, zone and morphology."""
    level = ("level", herniation.disc.replace("-", "–"))
    if herniation.morphology == "bulge" and herniation.symmetric:
        return Message("herniation.bulge.even", (level,))
    midline = herniation.zone == "central"
    place = f"@herniation.zone.{herniation.zone}"
    kind = f"@herniation.{herniation.morphology}.word"
    if midline:
        return Message("herniation.midline", (level, ("zone", place), ("kind", kind)))
    side = ("side", f"@side.{herniation.side}")
    return Message("herniation.sided", (level, side, ("zone", place), ("kind", kind)))


def herniation_size(herniation: Herniation) -> tuple[Message, ...]:
    """Return how large a herniation is, and how far it has migrated, as a report says it."""
    said = [
        Message("herniation.deep", (("depth", f"{herniation.depth:g}"),))
        if herniation.msu is None
        else Message("herniation.msu", (("grade", herniation.msu),))
    ]
    if herniation.migration != "none":
        way = ("way", f"@herniation.way.{herniation.migration}")
        if herniation.migration_zone is None:
            distance = ("distance", f"{herniation.migration_distance:g}")
            said.append(Message("herniation.migrated", (way, distance)))
        else:
            reached = ("zone", f"@herniation.reached.{herniation.migration_zone}")
            said.append(Message("herniation.reaching", (way, reached)))
    return tuple(said)


def herniation_label(herniation: Herniation) -> Message:
    """Return what displaced material, or a bulging disc, is called beside it."""
    level = ("level", herniation.disc.replace("-", "–"))
    return Message(f"herniation.{herniation.morphology}.label", (level,))


def stenosis_title(stenosis: Stenosis) -> Message:
    """Return a stenosis in the words of a report: level, side, place and grade."""
    level = ("level", stenosis.disc.replace("-", "–"))
    grade = ("grade", f"{SCHEMES[stenosis.place]} {stenosis.grade}")
    if stenosis.place == "central":
        return Message("stenosis.central", (level, grade))
    side = ("side", "@stenosis.both" if stenosis.both else f"@side.{stenosis.side}")
    return Message(f"stenosis.{stenosis.place}", (level, side, grade))


def stenosis_label(stenosis: Stenosis, structure: str) -> Message | None:
    """Return what a structure that narrows room is called beside it; None for others."""
    stem, _, rest = structure.partition(".")
    disc, _, side = rest.partition(".")
    if disc != stenosis.disc or (side and side not in stenosis.sides):
        return None
    causes = stenosis.causes
    words = {"flavum": causes.flavum, "disc": causes.disc, "facet_capsule": causes.facets}
    return Message(f"stenosis.label.{stem}") if words.get(stem, 0.0) > 0.0 else None
