"""What slips, worn discs, fractures and curves are called in a picture."""

from __future__ import annotations

from spineviz.pathology.deforming import Deforming
from spineviz.pathology.deformity import Deformity
from spineviz.pathology.degeneration import Degeneration
from spineviz.pathology.fracture import Fracture
from spineviz.pathology.listhesis import Listhesis
from spineviz.structure import Message
from spineviz.terms import levels_of


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
