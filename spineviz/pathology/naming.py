"""What a herniation is called in a picture."""

from __future__ import annotations

from spineviz.pathology.herniation import Herniation
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
