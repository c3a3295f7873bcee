"""Pathologies: a parameter class beside a function that maps one anatomy to another."""

from spineviz.pathology.herniation import Herniation, apply, displaced

__all__ = ["Herniation", "apply", "displaced"]
