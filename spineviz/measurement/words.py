"""What is found in words: as a radiologist dictates it, and as anybody understands it."""

from __future__ import annotations

from collections.abc import Iterator

from spineviz.measurement.report import Displaced, Report, Row
from spineviz.measurement.stenosis_words import narrow_places, narrowing_told
from spineviz.nomenclature import innervation
from spineviz.structure import Message

Parameters = tuple[tuple[str, str | float], ...]


def described(report: Report, plain: bool = False) -> tuple[Message, ...]:
    """Return sentences on every herniation and narrow place of a report; with ``plain`` in everyday words.

    They name level, side, zone and the root concerned with its dermatome and myotome, and end with what
    imaging can not tell. Without either there is one sentence that says so.
    """
    narrow = narrow_places(report)
    if not report.displaced and not narrow:
        return (Message("describe.nothing"),)
    told = [line for item in report.displaced for line in (_plain if plain else _radiological)(report, item)]
    told += [line for row in narrow for line in narrowing_told(report, row, plain)]
    return (*told, Message(f"describe.caution{'_plain' if plain else ''}"))


def _radiological(report: Report, item: Displaced) -> Iterator[Message]:
    size = (("depth", _number(item.depth)), ("width", _number(item.width)))
    kind = ("morphology", f"@describe.morphology.{item.morphology}")
    grade = ("grade", f"MSU {item.size}-{item.location}")
    yield Message(
        "describe.finding",
        (_level(item), _side(item), ("zone", _key("zone", item.zones[0])), kind, *size, grade),
    )
    for zone in item.zones[1:]:
        yield Message("describe.reaches", (("zone", _key("zone", zone)),))
    if item.direction != "none":
        place = ("place", _key("level", item.level))
        way = ("way", _number(item.migration))
        yield Message("describe.migrated", (("direction", _key("direction", item.direction)), way, place))
    yield from _canal(report, item)
    for row in _roots(report, item):
        yield _root(report, row)
    root = concerned(report, item)
    if root is not None:
        supply = innervation(root)
        words = (("skin", f"@{supply.skin().key}"), ("muscles", f"@{supply.muscles().key}"))
        yield Message("describe.supply", (("root", root), *words))


def _canal(report: Report, item: Displaced) -> Iterator[Message]:
    share = report.row(item.disc, "canal_compromise", item.side)
    if share.value is not None and share.grade is not None:
        grade = ("grade", _key("compromise", share.grade.grade))
        yield Message("describe.canal", (("share", _number(share.value, 0)), grade))
    for row in report.rows:
        if (
            row.at == item.disc
            and row.key == "dural_sac_area"
            and row.value is not None
            and row.percent is not None
        ):
            values = (("area", _number(row.value, 0)), ("percent", _number(row.percent, 0)))
            yield Message("describe.sac", values)


def _root(report: Report, row: Row) -> Message:
    """Return the sentence on one root, from the row of its narrowing."""
    way = next(
        other.value
        for other in report.rows
        if (other.at, other.side, other.detail) == (row.at, row.side, row.detail)
        and "displacement" in other.key
    )
    assert row.grade is not None and row.value is not None and way is not None
    which = "exiting" if row.key.startswith("exiting") else "traversing"
    about: Parameters = (("root", row.detail), ("side", f"@side.{row.side}"), ("which", _key("which", which)))
    about += (("way", _number(way)), ("loss", _number(row.value, 0)))
    return Message(f"describe.root.{row.grade.grade}", about)


def _plain(report: Report, item: Displaced) -> Iterator[Message]:
    above, below = item.disc.split("-")
    place: Parameters = (("above", above), ("below", below), ("where", _key("where", item.side or "middle")))
    yield Message(f"describe.plain.{item.morphology}", place)
    root = concerned(report, item)
    if root is None:
        yield Message("describe.plain.free")
        return
    supply = innervation(root)
    words = (("skin", f"@{supply.skin(True).key}"), ("muscles", f"@{supply.muscles(True).key}"))
    yield Message("describe.plain.root", (("root", root), *words))


def concerned(report: Report, item: Displaced) -> str | None:
    """Return the root that a herniation harms most (``L5``); None where it touches none.

    Compression counts more than deviation, deviation more than contact; between equals, the loss of
    thickness.
    """
    touched = [row for row in _roots(report, item) if row.grade is not None and row.grade.grade != "0"]
    if not touched:
        return None
    return max(touched, key=lambda row: (row.grade.grade if row.grade else "", row.value or 0.0)).detail


def _roots(report: Report, item: Displaced) -> list[Row]:
    """Return the rows of the narrowing of the roots on the herniation's side; of both for one amid."""
    return [
        row
        for row in report.rows
        if row.at == item.disc and row.key.endswith("root_narrowing") and item.side in (None, row.side)
    ]


def _level(item: Displaced) -> tuple[str, str]:
    return "level", item.disc.replace("-", "–")


def _side(item: Displaced) -> tuple[str, str]:
    return "side", _key("side", item.side or "middle")


def _key(kind: str, name: str) -> str:
    """Return the parameter that stands for a word of the catalog."""
    return f"@describe.{kind}.{name}"


def _number(value: float, decimals: int = 1) -> str:
    return f"{value:.{decimals}f}"
