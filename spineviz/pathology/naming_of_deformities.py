"""What slips, worn discs, fractures and curves are called in a picture."""

from __future__ import annotations

from spineviz.pathology.deforming import Deforming
from spineviz.pathology.listhesis import Listhesis
from spineviz.structure import Message
from spineviz.terms import levels_of


def deformity_label(pathology: Deforming, structure: str) -> Message | None:
    """Return what a structure is called that a pathology deforms, by name; None for others."""
    if isinstance(pathology, Listhesis) and structure == levels_of(pathology.disc)[0]:
        return Message(f"listhesis.{pathology.type}", (("level", structure),))
    return None
