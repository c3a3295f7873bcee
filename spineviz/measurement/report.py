"""What is measured: one row a number, with its unit, the healthy value and the grade it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from spineviz.terms import Disc, Side

Unit = Literal["mm", "mm²", "cm²", "cm³", "°", "%", ""]


@dataclass(frozen=True)
class Grade:
    """The grade that a published scheme gives a measure.

    ``scheme`` is the key of a table of ``measures/gradings.toml``; ``source`` and ``confidence`` are that
    table's own. ``grade`` is the scheme's own letter, number or term.
    """

    scheme: str
    grade: str
    source: str
    confidence: str


@dataclass(frozen=True)
class Row:
    """One measure.

    ``at`` is a disc (``L4-L5``), a vertebra (``L4``), a range of levels (``L1-S1``), or an approach's kind.
    ``key`` names the measure; its words stand in the catalog under ``measure.KEY``. ``value`` is in ``unit``;
    None where a scheme gives a grade and no number. ``healthy`` is the same measure in the same body without
    its disease; None where there is none to compare with. ``detail`` names what the measure is about: a root,
    a pair of end vertebrae.
    """

    at: str
    key: str
    value: float | None
    unit: Unit = ""
    side: Side | None = None
    healthy: float | None = None
    grade: Grade | None = None
    detail: str = ""

    @property
    def percent(self) -> float | None:
        """The value as a percentage of the healthy one."""
        if self.value is None or not self.healthy or self.unit in ("%", "°"):
            return None
        return 100.0 * self.value / self.healthy

    @property
    def name(self) -> tuple[str, str, Side | None, str]:
        """What tells a row from every other of a report."""
        return self.at, self.key, self.side, self.detail


@dataclass(frozen=True)
class Displaced:
    """A piece of displaced disc material as it is found on the geometry, in the terms of Fardon 2014.

    ``depth``, ``width`` and ``migration`` are in mm; ``zones`` are all that it reaches, the one of its middle
    first. ``compromise`` is the share (0..1) of the canal that it takes in the slice where that is largest.
    """

    disc: Disc
    side: Side | None
    morphology: Literal["bulge", "protrusion", "extrusion", "sequestration"]
    zones: tuple[str, ...]
    depth: float
    width: float
    direction: Literal["none", "cranial", "caudal"]
    migration: float
    level: str
    compromise: float
    size: Literal[1, 2, 3]
    location: str


@dataclass(frozen=True)
class Report:
    """Everything that was measured on one body: rows in the order in which they are read."""

    rows: tuple[Row, ...]
    displaced: tuple[Displaced, ...] = ()

    def row(self, at: str, key: str, side: Side | None = None) -> Row:
        """Return the first row of a place, a key and a side; raise KeyError where there is none."""
        for row in self.rows:
            if (row.at, row.key, row.side) == (at, key, side):
                return row
        raise KeyError(f"nothing was measured as '{key}' at {at}{f' on the {side}' if side else ''}")

    def value(self, at: str, key: str, side: Side | None = None) -> float:
        """Return the number of a row; raise KeyError where there is none."""
        value = self.row(at, key, side).value
        if value is None:
            raise KeyError(f"'{key}' at {at} has a grade and no number")
        return value

    def at(self, place: str) -> Report:
        """Return what was measured at a disc, with its displaced material; a report without rows else."""
        rows = tuple(row for row in self.rows if row.at == place)
        return Report(rows, tuple(item for item in self.displaced if item.disc == place))
