"""Pathologies: a parameter class beside a function that maps one anatomy to another."""

from spineviz.pathology.herniation import Herniation, apply, displaced
from spineviz.pathology.naming import herniation_label, herniation_size, herniation_title
from spineviz.pathology.shorthand import shorthand

__all__ = [
    "Herniation",
    "apply",
    "displaced",
    "herniation_label",
    "herniation_size",
    "herniation_title",
    "shorthand",
]
