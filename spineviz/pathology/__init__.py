"""Pathologies: a parameter class beside a function that maps one anatomy to another."""

from spineviz.pathology.bony_shorthand import (
    deformity_shorthand,
    degeneration_shorthand,
    fracture_shorthand,
    listhesis_shorthand,
)
from spineviz.pathology.deforming import Deforming
from spineviz.pathology.deformity import Deformity
from spineviz.pathology.degeneration import Degeneration
from spineviz.pathology.fracture import Fracture
from spineviz.pathology.herniation import Herniation, displaced
from spineviz.pathology.kinds import Pathology, apply, label_of
from spineviz.pathology.listhesis import Listhesis
from spineviz.pathology.naming import herniation_size, herniation_title, stenosis_title
from spineviz.pathology.naming_of_deformities import deformity_title
from spineviz.pathology.shorthand import shorthand
from spineviz.pathology.stenosis import Stenosis
from spineviz.pathology.stenosis_shorthand import stenosis_shorthand

__all__ = [
    "Deforming",
    "Deformity",
    "Degeneration",
    "Fracture",
    "Herniation",
    "Listhesis",
    "Pathology",
    "Stenosis",
    "apply",
    "deformity_shorthand",
    "deformity_title",
    "degeneration_shorthand",
    "displaced",
    "fracture_shorthand",
    "herniation_size",
    "herniation_title",
    "label_of",
    "listhesis_shorthand",
    "shorthand",
    "stenosis_shorthand",
    "stenosis_title",
]
