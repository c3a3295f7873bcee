"""Anatomy: every parameter of a body, resolved; pathologies map one anatomy to another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from spineviz import measures
from spineviz.anatomy import sacrum, vertebra
from spineviz.anatomy.disc import DiscParameters, disc_parameters
from spineviz.patient import GivenBone
from spineviz.terms import DISCS, LEVELS, Disc, Level


@dataclass(frozen=True)
class Anatomy:
    """One entry a level and structure. ``given`` bones replace generated ones; angles in degrees."""

    sacral_slope: float
    vertebrae: Mapping[Level, vertebra.VertebraParameters]
    sacrum: sacrum.SacrumParameters
    discs: Mapping[Disc, DiscParameters]
    given: Mapping[Level, GivenBone]


def anatomy(given: Mapping[Level, GivenBone] | None = None) -> Anatomy:
    """Return the healthy anatomy of the measures, with a patient's bones where given."""
    return Anatomy(
        sacral_slope=float(measures.value("alignment.sacral_slope")),
        vertebrae={level: vertebra.parameters_of(level) for level in LEVELS if level != "S1"},
        sacrum=sacrum.parameters(),
        discs={disc: disc_parameters(disc) for disc in DISCS},
        given=dict(given or {}),
    )
