"""What a herniation cannot be, and what it can instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from spineviz import measures
from spineviz.terms import levels_of, region_of

if TYPE_CHECKING:
    from spineviz.pathology.herniation import Herniation

Check = Callable[["Herniation", str], "str | None"]

LATERAL = ("foraminal", "extraforaminal")

ELSEWHERE = ("central", "paracentral", "foraminal")
"""The zones of cervical and thoracic discs."""


def impossible(herniation: Herniation) -> str | None:
    """Return why a herniation cannot be, with what can; None where nothing is wrong."""
    region = region_of(levels_of(herniation.disc)[0])
    return next(_problems(herniation, region), None)


def _problems(herniation: Herniation, region: str) -> Iterator[str]:
    for check in (_zone, _place, _msu, _bulge, _depth, _width, _migration, _reach, _containment):
        if (problem := check(herniation, region)) is not None:
            yield problem


def _zone(herniation: Herniation, region: str) -> str | None:
    if region != "lumbar" and herniation.zone not in ELSEWHERE:
        return (
            f"a {region} disc has no {herniation.zone} zone: the exiting root lies right beside the canal; "
            f"choose {', '.join(ELSEWHERE)}"
        )
    return None


def _place(herniation: Herniation, region: str) -> str | None:
    if herniation.place is not None and herniation.zone in (*LATERAL, "anterior"):
        return (
            f"a place in the canal is told of what lies in the canal, not of {_a(herniation.zone)} herniation"
        )
    return None


def _msu(herniation: Herniation, region: str) -> str | None:
    from spineviz.pathology.herniation import BY_QUADRANT

    if herniation.msu is None:
        return None
    if region != "lumbar":
        return f"the MSU grades are those of lumbar discs; give {herniation.disc} a depth in mm"
    if herniation.morphology == "bulge":
        return "the MSU grades are those of herniations; give a bulge a depth in mm"
    if herniation.zone not in (zones := BY_QUADRANT[herniation.msu[1]]):
        return f"MSU {herniation.msu} lies {' or '.join(zones)}, not {herniation.zone}"
    return None


def _bulge(herniation: Herniation, region: str) -> str | None:
    told = herniation.model_fields_set
    if herniation.morphology != "bulge":
        if not herniation.symmetric:
            return (
                f"'symmetric' tells of a bulge, not of {_a(herniation.morphology)}; choose morphology 'bulge'"
            )
        return None
    if herniation.symmetric and herniation.zone not in ("subarticular", "paracentral"):
        return (
            f"a symmetric bulge goes all around and has no zone; leave '{herniation.zone}' out, or set "
            "symmetric = false"
        )
    if herniation.migration != "none":
        return "a bulge does not migrate; choose an extrusion or migration 'none'"
    if "contained" in told and not herniation.covered:
        return "a bulge is the annulus itself, and always contained"
    return None


def _depth(herniation: Herniation, region: str) -> str | None:
    depth, morphology = herniation.depth, herniation.morphology
    if depth == 0.0 or herniation.msu is not None:
        return None
    least = measures.value(f"herniation.least.{region}.{morphology}")
    most = measures.value(f"herniation.most.{region}.{morphology}")
    zone = measures.table("herniation.beside").get(herniation.zone, most)
    if morphology == "protrusion" and region == "lumbar" and most < depth <= 12.0:
        more = f"; deeper is an extrusion, up to {measures.value('herniation.most.lumbar.extrusion'):g} mm"
    else:
        more = "; deeper is a protrusion" if morphology == "bulge" and depth > most else ""
    place = f"{_a(region)} disc, {herniation.zone}," if zone < most else f"{_a(region)} disc"
    if depth < least and morphology != "bulge":
        return (
            f"a depth of {depth:g} mm is less than a bulge; choose 0, or {least:g} mm and more for "
            f"{_a(morphology)} of {place}"
        )
    if not least <= depth <= min(most, zone):
        return (
            f"a depth of {depth:g} mm: {_a(morphology)} of {place} is {least:g} to {min(most, zone):g} mm "
            f"deep{more}"
        )
    return None


def _width(herniation: Herniation, region: str) -> str | None:
    if herniation.morphology == "bulge":
        return None
    least, _, most = measures.value(f"herniation.width.{region}")
    quarter = measures.value(f"herniation.quarter.{region}")
    if not least <= herniation.width <= most:
        return (
            f"a width of {herniation.width:g} mm: {_a(herniation.morphology)} of {_a(region)} disc is "
            f"{least:g} to {most:g} mm wide; from a quarter of the circumference on, about {quarter:g} mm, "
            "it is a bulge"
        )
    return None


def _migration(herniation: Herniation, region: str) -> str | None:
    moved = herniation.migration_distance > 0.0 or herniation.migration_zone is not None
    if (herniation.migration != "none") != moved:
        return "migration needs both a direction and a distance in mm or a zone, or neither"
    if herniation.migration_distance > 0.0 and herniation.migration_zone is not None:
        return "give migration a distance in mm or a zone, not both"
    return _migrates(herniation, region) if moved else None


def _migrates(herniation: Herniation, region: str) -> str | None:
    if herniation.morphology == "protrusion":
        return "a protrusion does not migrate; choose an extrusion or migration 'none'"
    if herniation.zone == "anterior":
        return "an anterior herniation does not migrate here; choose migration 'none'"
    if herniation.zone in LATERAL and herniation.migration == "caudal":
        return (
            f"below a {herniation.zone} herniation lies the pedicle of {levels_of(herniation.disc)[1]}: it "
            "migrates cranially, or not at all"
        )
    most = measures.value(f"herniation.migration.{region}.{herniation.morphology}")
    most = min(most, measures.table("herniation.migration_beside").get(herniation.zone, most))
    if herniation.migration_distance > most:
        return (
            f"a migration of {herniation.migration_distance:g} mm: {_a(herniation.morphology)} of "
            f"{_a(region)} disc, {herniation.zone}, reaches {most:g} mm beyond the endplate at most"
        )
    return None


def _reach(herniation: Herniation, region: str) -> str | None:
    zone = herniation.migration_zone
    if zone is None:
        return None
    if region != "lumbar":
        return f"the zones of migration are those of lumbar discs; give {herniation.disc} a distance in mm"
    far = herniation.morphology == "sequestration" and herniation.zone != "foraminal"
    allowed: tuple[str, ...]
    if herniation.migration == "cranial":
        allowed = ("infrapedicular", "pedicular") if far else ("infrapedicular",)
    else:
        allowed = (
            ("suprapedicular", "pedicular", "infrapedicular") if far else ("suprapedicular", "pedicular")
        )
    if zone not in allowed:
        vertebra = levels_of(herniation.disc)[0 if herniation.migration == "cranial" else 1]
        return (
            f"{_a(herniation.morphology)} that migrates to {herniation.migration} reaches the "
            f"{' or '.join(allowed)} zone of {vertebra}, not the {zone} one"
        )
    return None


def _containment(herniation: Herniation, region: str) -> str | None:
    if herniation.contained is None:
        return None
    if herniation.morphology == "protrusion" and not herniation.contained:
        return "a protrusion is contained; what has broken through is an extrusion"
    if herniation.morphology == "sequestration" and herniation.contained:
        return "a sequestrated fragment is free, not contained; choose an extrusion"
    return None


def _a(word: str) -> str:
    """Return a word with its article."""
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"
