"""What slips, worn discs, fractures and curves are called in a picture."""

from __future__ import annotations

from spineviz.pathology.deforming import Deforming
from spineviz.pathology.deformity import Deformity
from spineviz.pathology.degeneration import Degeneration
from spineviz.pathology.fracture import Fracture
from spineviz.pathology.listhesis import Listhesis
from spineviz.structure import Message
from spineviz.terms import levels_of


def deformity_title(pathology: Deforming) -> Message:
    """Return a slip, a worn disc, a fracture or a curve in the words of a report."""
    if isinstance(pathology, Listhesis):
        return _slip_title(pathology)
    if isinstance(pathology, Degeneration):
        level = ("level", pathology.disc.replace("-", "–"))
        return Message("degeneration.title", (level, ("grade", pathology.pfirrmann)))
    if isinstance(pathology, Fracture):
        return _fracture_title(pathology)
    if isinstance(pathology, Deformity):
        told = ("cobb", f"{pathology.cobb:g}"), ("level", pathology.apex), ("side", f"@side.{pathology.side}")
        return Message(f"deformity.title.{pathology.curve}", told)
    raise TypeError(f"{type(pathology).__name__} has no title")


def _slip_title(slip: Listhesis) -> Message:
    level, kind = ("level", slip.disc.replace("-", "–")), f"listhesis.title.{slip.type}"
    if slip.mm is not None:
        return Message(f"{kind}.mm", (level, ("way", f"{slip.mm:g}")))
    if slip.meyerding is None:
        return Message(f"{kind}.percent", (level, ("percent", f"{slip.percent:.0f}")))
    return Message(f"{kind}.grade", (level, ("grade", slip.meyerding)))


def _fracture_title(fracture: Fracture) -> Message:
    level, percent = ("level", fracture.level), ("percent", f"{fracture.percent:.0f}")
    if fracture.shape == "process":
        return Message(f"fracture.title.{fracture.part}", (level,))
    if fracture.ao is None:
        return Message(f"fracture.title.{fracture.shape}", (level, percent))
    return Message("fracture.title.ao", (level, percent, ("type", fracture.ao)))


def deformity_label(pathology: Deforming, structure: str) -> Message | None:
    """Return what a structure is called that a pathology deforms, by name; None for others."""
    if isinstance(pathology, Listhesis) and structure == levels_of(pathology.disc)[0]:
        return Message(f"listhesis.{pathology.type}", (("level", structure),))
    if isinstance(pathology, Degeneration) and structure == f"disc.{pathology.disc}":
        return Message("degeneration.label", (("level", pathology.disc.replace("-", "–")),))
    if isinstance(pathology, Fracture) and structure == pathology.level:
        return Message(f"fracture.{pathology.shape}", (("level", structure),))
    if isinstance(pathology, Deformity) and structure == pathology.apex:
        return Message(f"deformity.{pathology.curve}", (("level", structure),))
    return None
