"""Every kind of pathology: known by its ``kind`` in a file, applied to an anatomy, named in a picture.

A pathology is a parameter class that tells, besides its own parameters, ``present`` (whether it is there at
all: at severity 0 it is not), and its site, ``disc`` and ``side``: where cameras look. Its function maps an
anatomy to another, and at severity 0 to itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import Field

from spineviz.pathology import deformity, degeneration, fracture, herniation, listhesis, stenosis
from spineviz.pathology.deforming import Deforming
from spineviz.pathology.deformity import Deformity
from spineviz.pathology.degeneration import Degeneration
from spineviz.pathology.fracture import Fracture
from spineviz.pathology.herniation import Herniation
from spineviz.pathology.listhesis import Listhesis
from spineviz.pathology.naming import herniation_label, stenosis_label
from spineviz.pathology.naming_of_deformities import deformity_label
from spineviz.pathology.stenosis import Stenosis
from spineviz.structure import Message

Pathology = Annotated[
    Herniation | Stenosis | Listhesis | Degeneration | Fracture | Deformity, Field(discriminator="kind")
]
"""A pathology as a scene file tells it."""

A = TypeVar("A")

_CHANGES: Mapping[type, Callable[[Any, Any], Any]] = {
    Herniation: herniation.apply,
    Stenosis: stenosis.apply,
    Listhesis: listhesis.apply,
    Degeneration: degeneration.apply,
    Fracture: fracture.apply,
    Deformity: deformity.apply,
}


def apply(pathology: Pathology, anatomy: A) -> A:
    """Return an anatomy with a pathology; at severity 0 the anatomy itself.

    Raises ValueError where the anatomy has no room for it.
    """
    changed: A = _CHANGES[type(pathology)](pathology, anatomy)
    return changed


def label_of(pathology: Pathology, structure: str) -> Message | None:
    """Return what a structure is called that a pathology made or changed, by name; None for others."""
    if not pathology.present:
        return None
    if isinstance(pathology, Stenosis):
        return stenosis_label(pathology, structure)
    if isinstance(pathology, Deforming):
        return deformity_label(pathology, structure)
    stem, _, disc = structure.partition(".")
    if stem == "herniation" and disc == pathology.disc:
        return herniation_label(pathology)
    return None
