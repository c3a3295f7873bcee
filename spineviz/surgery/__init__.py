"""Operations: approaches with their instruments, their steps and what they cost in tissue."""

from spineviz.surgery.interlaminar import InterlaminarEndoscopicDiscectomy
from spineviz.surgery.laminectomy import OpenLaminectomy
from spineviz.surgery.ledger import peaks
from spineviz.surgery.open_midline import OpenMidlineDiscectomy
from spineviz.surgery.over_the_top import UnilateralLaminotomy
from spineviz.surgery.procedures import Approach, Prepared, prepare
from spineviz.surgery.transforaminal import TransforaminalEndoscopicDiscectomy
from spineviz.surgery.tubular import TubularMicrodiscectomy

__all__ = [
    "Approach",
    "InterlaminarEndoscopicDiscectomy",
    "OpenLaminectomy",
    "OpenMidlineDiscectomy",
    "Prepared",
    "TransforaminalEndoscopicDiscectomy",
    "TubularMicrodiscectomy",
    "UnilateralLaminotomy",
    "peaks",
    "prepare",
]
