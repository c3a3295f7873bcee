"""Pathologies: a parameter class beside a function that maps one anatomy to another."""

from spineviz.pathology.deforming import Deforming
from spineviz.pathology.deformity import Deformity
from spineviz.pathology.degeneration import Degeneration
from spineviz.pathology.fracture import Fracture
from spineviz.pathology.herniation import Herniation, displaced
from spineviz.pathology.kinds import Pathology, apply, label_of
from spineviz.pathology.listhesis import Listhesis
from spineviz.pathology.naming import herniation_size, herniation_title, stenosis_title
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
    "displaced",
    "herniation_size",
    "herniation_title",
    "label_of",
    "shorthand",
    "stenosis_shorthand",
    "stenosis_title",
]
