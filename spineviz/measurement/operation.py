"""What an approach costs in tissue, from its ledger: the peak over its film, and what is left at the end.

These are computed from a model; they are not results of patients.
"""

from __future__ import annotations

from collections.abc import Iterator

from spineviz.assembly import Assembly
from spineviz.directing import direct
from spineviz.measurement.canal import sac_area
from spineviz.measurement.measuring import subject
from spineviz.measurement.report import Row, Unit
from spineviz.model import Figure, Pane
from spineviz.scene import Scene
from spineviz.surgery.ledger import KEYS, measured, peaks
from spineviz.terms import Disc

UNITS: dict[str, Unit] = {"mm": "mm", "mm²": "mm²", "cm²": "cm²", "cm³": "cm³"}


def operation_rows(scene: Scene, assembly: Assembly) -> tuple[Row, ...]:
    """Return the rows of every approach of a scene, named by its kind: each figure's peak and its last value.

    With them the dural sac area at the disc before the first step and after the last. Empty without
    approaches.
    """
    if not assembly.prepared:
        return ()
    timeline = direct(scene, assembly)
    highest = peaks([prepared.ledger for prepared in assembly.prepared], timeline)
    first, last = timeline.at(0.0).panes, timeline.at(timeline.seconds).panes
    rows: list[Row] = []
    for index, prepared in enumerate(assembly.prepared):
        at, disc = prepared.approach.kind, prepared.approach.disc
        rows += _figures(at, highest[index], measured(prepared.ledger, last[index]))
        for when, pane in (("before", first[index]), ("after", last[index])):
            rows += _sac(at, disc, when, assembly, pane)
    return tuple(rows)


def _figures(at: str, peak: tuple[Figure, ...], final: tuple[Figure, ...]) -> Iterator[Row]:
    for key, most, end in zip(KEYS, peak, final, strict=True):
        detail = str(dict(most.name.parameters).get("threshold", ""))
        yield Row(at, f"{key}_peak", most.value, UNITS[most.unit], detail=detail)
        yield Row(at, f"{key}_final", end.value, UNITS[end.unit], detail=detail)


def _sac(at: str, disc: Disc, when: str, assembly: Assembly, pane: Pane) -> Iterator[Row]:
    segment = subject(assembly, pane.looks).segment(disc)
    area = sac_area(segment) if segment is not None else None
    if area is not None:
        yield Row(at, f"dural_sac_area_{when}", area, "mm²")
