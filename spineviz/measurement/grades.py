"""Grades that published schemes give to measures; thresholds and sources: ``meshes/gradings.toml``."""

from __future__ import annotations

import numpy as np

from spineviz.measurement.report import Grade
from spineviz.measurement.thresholds import schemes, threshold


def graded(scheme: str, grade: str) -> Grade:
    """Return a grade with the source and the confidence of its scheme."""
    about = schemes()[scheme]
    return Grade(scheme, grade, str(about["source"]), str(about["confidence"]))


def of_sac(area: float) -> Grade:
    """Grade a dural sac area, mm²: relative or absolute central stenosis."""
    return _stenosis("dsca", area)


def _stenosis(scheme: str, value: float) -> Grade:
    """Return whether a measure means absolute or relative stenosis, or none."""
    absolute, relative = (value < threshold(scheme, name) for name in ("absolute", "relative"))
    return graded(scheme, "absolute" if absolute else "relative" if relative else "none")


def of_canal(depth: float) -> Grade:
    """Grade a mid-sagittal canal diameter, mm."""
    return _stenosis("canal_depth", depth)


def of_recess(height: float) -> Grade:
    """Grade the height of a lateral recess, mm."""
    normal, stenotic = height >= threshold("recess", "normal"), height <= threshold("recess", "stenotic")
    return graded("recess", "normal" if normal else "stenotic" if stenotic else "suspicious")


def of_foramen(height: float, posterior_disc_height: float) -> Grade:
    """Grade the height of a foramen, mm: critical where both it and the disc behind are low."""
    narrow = height < threshold("foramen", "height")
    low = posterior_disc_height < threshold("foramen", "posterior_disc_height")
    return graded("foramen", "critical" if narrow and low else "not critical")


def of_slip(way: float, percent: float) -> Grade:
    """Grade a slip after Meyerding, from its mm and percent; backwards it is called so."""
    if abs(way) < threshold("meyerding", "least"):
        return graded("meyerding", "0")
    if way < 0.0:
        return graded("meyerding", "retrolisthesis")
    names = ("I", "II", "III", "IV", "V")
    return graded("meyerding", names[int(np.searchsorted(threshold("meyerding", "grades"), percent))])


def of_heights(loss: float) -> Grade:
    """Grade a loss of vertebral height, percent, after Genant."""
    return graded("genant", str(int(np.searchsorted(threshold("genant", "grades"), loss, side="right"))))


def of_fracture(off: tuple[str, ...], loss: float, dished: tuple[float, float], wall: float) -> Grade:
    """Grade a vertebra after AO Spine, from what has come off it and how its body has given way.

    ``loss`` is in percent of its height, the rest in mm: see `spineviz.measurement.pieces`. "none" is a whole
    one, and one whose posterior arch alone is loose. A wall that stands back takes the superior endplate with
    it.
    """
    broken = "wall" in off or wall > threshold("ao_spine", "wall")
    upper, lower = (deep > threshold("ao_spine", "endplate") for deep in dished)
    both = (upper or broken) and lower
    if broken:
        return graded("ao_spine", "A4" if both else "A3")
    if "body" in off or loss > threshold("ao_spine", "lost"):
        return graded("ao_spine", "A2" if both or "body" in off else "A1")
    return graded("ao_spine", "A0" if {"spinous", "transverse"} & {*off} else "none")


def of_curve(angle: float) -> Grade:
    """Tell whether a coronal curve, degrees, is a scoliosis."""
    return graded("cobb", "scoliosis" if angle >= threshold("cobb", "scoliosis") else "none")


def of_contents(clear: float, filled: float, fat: float | None) -> Grade:
    """Grade central stenosis after Schizas, from the shares of the sac that are fluid wide enough to be seen
    and nerves, and the fat (mm²) behind it.

    A: fluid is clearly seen; B: rootlets fill the sac with a little fluid between; C: no fluid is seen; D: no
    fat behind either.
    """
    if clear >= threshold("schizas", "fluid"):
        return graded("schizas", "A")
    if clear >= threshold("schizas", "grains") or filled < threshold("schizas", "full"):
        return graded("schizas", "B")
    return graded("schizas", "C" if fat is None or fat >= threshold("schizas", "fat") else "D")


def of_traversing(room: float) -> Grade:
    """Grade a lateral recess after Bartynski, from the room (mm) that its root has from front to back.

    0: normal; 1: reduced, the root is not flattened; 2: the root is flattened; 3: no room is left.
    """
    return graded("bartynski", str(3 - int(np.searchsorted(threshold("bartynski", "grades"), room))))


def of_clearance(transverse: float, vertical: float, loss: float) -> Grade:
    """Grade a foramen after Lee, from the gaps (mm) around its root and its loss of thickness, percent.

    0: fat all around; 1: none in two opposing directions; 2: none in four; 3: the root collapses.
    """
    closed = sum(gap < threshold("lee", "fat") for gap in (transverse, vertical))
    return graded("lee", "3" if closed and loss >= threshold("lee", "collapse") else str(closed))


def of_root(contact: float | None, displacement: float, narrowing: float) -> Grade:
    """Grade what material does to a root (Pfirrmann): 0 free, 1 contact, 2 deviation, 3 compression.

    ``contact`` is the gap between them, mm; ``displacement`` in mm and ``narrowing`` in percent.
    """
    if narrowing >= threshold("root", "compression"):
        return graded("root", "3")
    if displacement >= threshold("root", "deviation"):
        return graded("root", "2")
    return graded("root", "1" if contact is not None and contact <= threshold("root", "contact") else "0")


def of_compromise(share: float) -> Grade:
    """Grade the share of the canal (0..1) that displaced material takes: thirds."""
    names = ("mild", "moderate", "severe")
    return graded(
        "canal_compromise", names[int(np.searchsorted(threshold("canal_compromise", "grades"), 100 * share))]
    )
