"""Measure a built body: every disc, vertebra and region that it has, beside the same body in health."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TypeVar

from spineviz.assembly import Assembly
from spineviz.measurement import grades
from spineviz.measurement.bodies import Body, Heights, between, bodies, body_heights, cobb, disc_heights, slip
from spineviz.measurement.canal import (
    bony_depth,
    canal_area,
    canal_depth,
    fat_behind,
    recess_height,
    sac_area,
    worst_slice,
)
from spineviz.measurement.clearance import clearance
from spineviz.measurement.crowding import crowding
from spineviz.measurement.displaced import displaced
from spineviz.measurement.pieces import damage, pieces
from spineviz.measurement.report import Displaced, Report, Row, Unit
from spineviz.measurement.roots import contact, effect, name_of, room
from spineviz.measurement.segment import Segment
from spineviz.measurement.windows import window
from spineviz.model import Look, Model
from spineviz.structure import Surface
from spineviz.surgery.site import NERVE_WARP
from spineviz.terms import DISCS, SIDES, Disc, Level, Side, levels_of, region_of

T = TypeVar("T")

Name = tuple[str, str, Side | None, str]

SLOPES: tuple[tuple[str, Level, str, Level, str], ...] = (
    ("lumbar_lordosis", "L1", "superior", "S1", "superior"),
    ("lower_lumbar_lordosis", "L4", "superior", "S1", "superior"),
    ("thoracic_kyphosis", "T12", "inferior", "T4", "superior"),
    ("cervical_lordosis", "C2", "inferior", "C7", "inferior"),
)
"""Sagittal angles: of the one endplate against the other, both named by vertebra and place."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A body as it is measured: its model, and every surface as some looks pose it."""

    model: Model
    looks: Mapping[str, Look]

    @cached_property
    def shapes(self) -> dict[str, Surface]:
        """The surfaces by structure name, in the world, without instruments and what is taken out."""
        return {
            name: self.model.posed(name, self.looks.get(name, Look()))
            for name, item in self.model.structures.items()
            if item.tissue not in ("instrument", "skin", "fascia", "muscle")
            and not (name.startswith("herniation") and _gone(self.looks.get(name, Look())))
        }

    @cached_property
    def bodies(self) -> dict[Level, Body]:
        """The vertebral bodies, from above."""
        return bodies(self.model.bones, self.shapes)

    def segment(self, disc: Disc) -> Segment | None:
        """Return a motion segment; None where one of its bones is not there."""
        pair = between(self.bodies, disc)
        if pair is None:
            return None
        above, below = (self.model.bones[body.level] for body in pair)
        return Segment(disc, *pair, (above, below), self.shapes)


def subject(built: Model | Assembly, looks: Mapping[str, Look] | None = None) -> Subject:
    """Return a body to measure: as its disease leaves it, or as some looks pose it."""
    model = built.model if isinstance(built, Assembly) else built
    if looks is None:
        looks = {name: Look(warp=(way, (1.0, 0.0))) for name, way in model.warps if way == NERVE_WARP}
    return Subject(model, looks)


def _gone(look: Look) -> bool:
    return not look.visible or look.opacity <= 0.0


def measure(
    built: Model | Assembly,
    healthy: Model | Assembly | None = None,
    *,
    disc: Disc | None = None,
    looks: Mapping[str, Look] | None = None,
) -> Report:
    """Measure a built body on its geometry: lengths in mm, areas in mm², angles in degrees.

    ``healthy`` is the same body without its disease: what is compared with it (percent of the healthy value,
    loss of height, what has become of roots, displaced material) is measured only where it is given. ``disc``
    limits it to one disc; ``looks`` pose the body otherwise than its disease leaves it. A measure that a body
    lacks the bones or the tissue for is left out.

    Raises ValueError for a disc that the body does not have.
    """
    body, usual = subject(built, looks), None if healthy is None else subject(healthy)
    found = [name for name in DISCS if body.segment(name) is not None]
    if disc is not None and disc not in found:
        raise ValueError(f"there is no disc {disc} to measure; there is: {', '.join(found) or 'none'}")
    rows: list[Row] = []
    pieces: list[Displaced] = []
    for name in [disc] if disc is not None else found:
        segment, other = body.segment(name), usual.segment(name) if usual else None
        assert segment is not None
        known = {row.name: row.value for row in _disc_rows(other, None)} if other else {}
        own = [_beside(row, known) for row in _disc_rows(segment, other)]
        rows += own
        if other is not None:
            pieces += _taken(partial(displaced, segment, other)) or ()
            rows += _displaced_rows(pieces, name)
    levels = [level for level in body.bodies if disc is None or level in levels_of(disc)]
    rows += [row for level in levels for row in _vertebra_rows(body, usual, level)]
    if disc is None:
        known = {row.name: row.value for row in _region_rows(usual.bodies)} if usual else {}
        rows += [_beside(row, known) for row in _region_rows(body.bodies)]
    return Report(tuple(rows), tuple(pieces))


def _beside(row: Row, known: Mapping[Name, float | None]) -> Row:
    """Return a row with the healthy value of the same name, where it has none of its own."""
    return row if row.healthy is not None else replace(row, healthy=known.get(row.name))


def _taken(measured: Callable[[], T]) -> T | None:
    """Return a measure, or None where a body lacks what it is taken from."""
    try:
        return measured()
    except (ValueError, KeyError):
        return None


def _disc_rows(segment: Segment, healthy: Segment | None) -> Iterator[Row]:
    yield from _space_rows(segment)
    yield from _canal_rows(segment, healthy)
    for side in SIDES:
        yield from _side_rows(segment, healthy, side)
        if healthy is not None:
            yield from _root_rows(segment, healthy, side)


def _space_rows(segment: Segment) -> Iterator[Row]:
    """Give the rows of the space between two bodies; Meyerding graded lumbar slips."""
    at = segment.disc
    heights = _taken(lambda: disc_heights(segment.upper, segment.lower))
    yield from _height_rows(at, "disc_height", heights)
    way, percent = slip(segment.upper, segment.lower)
    yield Row(at, "slip", way, "mm")
    lumbar = region_of(segment.upper.level) == "lumbar"
    yield Row(at, "slip_percent", percent, "%", grade=grades.of_slip(way, percent) if lumbar else None)
    above, below = segment.upper.inferior, segment.lower.superior
    if above is not None and below is not None:
        yield Row(at, "disc_angle", above.sagittal - below.sagittal, "°")


def _height_rows(at: str, key: str, heights: Heights | None) -> Iterator[Row]:
    if heights is not None:
        for place in ("anterior", "middle", "posterior"):
            yield Row(at, f"{key}_{place}", getattr(heights, place), "mm")


def _canal_rows(segment: Segment, healthy: Segment | None) -> Iterator[Row]:
    """Give the rows of the canal and the sac; grades are those of lumbar discs above the sacrum."""
    at, lumbar = segment.disc, region_of(segment.upper.level) == "lumbar"
    above_sacrum = lumbar and segment.lower.level != "S1"
    area = _taken(lambda: sac_area(segment))
    if area is not None:
        yield Row(at, "dural_sac_area", area, "mm²", grade=grades.of_sac(area) if above_sacrum else None)
    worst = _taken(lambda: worst_slice(segment, healthy))
    if worst is not None:
        grade = grades.of_sac(worst.area) if above_sacrum else None
        yield Row(at, "dural_sac_area_worst", worst.area, "mm²", healthy=worst.healthy, grade=grade)
    yield from _single(at, "canal_area", "mm²", _taken(lambda: canal_area(segment)))
    depth = _taken(lambda: canal_depth(segment))
    if depth is not None:
        yield Row(at, "canal_depth", depth, "mm", grade=grades.of_canal(depth) if lumbar else None)
    bony = _taken(lambda: bony_depth(segment))
    if bony is not None:
        yield Row(at, "bony_canal_depth", bony, "mm", grade=grades.of_canal(bony) if lumbar else None)
    within, fat = _taken(lambda: crowding(segment)), _taken(lambda: fat_behind(segment))
    if fat is None and healthy is not None and _taken(lambda: fat_behind(healthy)) is not None:
        fat = 0.0  # there is some in health, and none is left
    if within is not None:
        grade = grades.of_contents(within.clear, within.filled, fat) if lumbar else None
        yield Row(at, "sac_filled", 100.0 * within.filled, "%")
        yield Row(at, "sac_fluid", 100.0 * within.clear, "%", grade=grade)
    yield from _single(at, "posterior_epidural_fat", "mm²", fat)


def _single(at: str, key: str, unit: Unit, value: float | None) -> Iterator[Row]:
    if value is not None:
        yield Row(at, key, value, unit)


def _side_rows(segment: Segment, healthy: Segment | None, side: Side) -> Iterator[Row]:
    """Give the rows of the recess and the foramen of one side."""
    at, lumbar = segment.disc, region_of(segment.upper.level) == "lumbar"
    height = _taken(lambda: recess_height(segment, side)) if lumbar else None
    if height is not None:
        yield Row(at, "recess_height", height, "mm", side, grade=grades.of_recess(height))
    found = _taken(lambda: window(segment, side))
    if found is not None:
        heights = _taken(lambda: disc_heights(segment.upper, segment.lower))
        known = lumbar and heights is not None
        grade = grades.of_foramen(found.height, heights.posterior) if known and heights else None
        yield Row(at, "foramen_height", found.height, "mm", side, grade=grade)
        yield Row(at, "foramen_width", found.width, "mm", side)
        if found.superior is not None:
            yield Row(at, "foramen_width_superior", found.superior, "mm", side)
        yield Row(at, "foramen_area", found.area, "mm²", side)
    name = name_of(segment, 1, side)
    space = _taken(lambda: room(segment, name)) if name is not None else None
    if space is not None and name is not None:
        narrow = grades.of_traversing(space) if lumbar else None
        yield Row(at, "root_room", space, "mm", side, grade=narrow, detail=name.split(".")[1])
    if lumbar:
        yield from _clearance_rows(segment, healthy, side)


def _clearance_rows(segment: Segment, healthy: Segment | None, side: Side) -> Iterator[Row]:
    """Give the rows of the room around the exiting root, and of what its thickness has lost."""
    found = _taken(lambda: clearance(segment, side))
    if found is None:
        return
    usual = None if healthy is None else _taken(lambda: clearance(healthy, side))
    loss = 0.0 if usual is None else max(0.0, 100.0 * (1.0 - found.thickness / usual.thickness))
    grade = grades.of_clearance(found.transverse, found.vertical, loss)
    yield Row(segment.disc, "foramen_gap_transverse", found.transverse, "mm", side, grade=grade)
    yield Row(segment.disc, "foramen_gap_vertical", found.vertical, "mm", side)
    yield Row(segment.disc, "foramen_root_loss", loss, "%", side)


def _root_rows(segment: Segment, healthy: Segment, side: Side) -> Iterator[Row]:
    """Give the rows of the exiting and the traversing root of one side."""
    for which, stem in enumerate(("exiting_root", "traversing_root")):
        name = name_of(segment, which, side)
        if name is None:
            continue
        near = _taken(partial(contact, segment, name))
        change = _taken(partial(effect, segment, healthy, name))
        root = name.split(".")[1]
        if change is not None:
            grade = grades.of_root(near, change.displacement, change.narrowing)
            yield Row(segment.disc, f"{stem}_displacement", change.displacement, "mm", side, detail=root)
            yield Row(segment.disc, f"{stem}_narrowing", change.narrowing, "%", side, None, grade, root)
        if near is not None:
            yield Row(segment.disc, f"{stem}_gap", near, "mm", side, detail=root)


def _displaced_rows(pieces: Sequence[Displaced], disc: Disc) -> Iterator[Row]:
    """Give the rows of the displaced material of one disc."""
    for item in (piece for piece in pieces if piece.disc == disc):
        msu = grades.graded("msu_herniation", f"{item.size}-{item.location}")
        zone = grades.graded("fardon_zones", ", ".join(item.zones))
        kind = grades.graded("fardon_morphology", item.morphology)
        yield Row(disc, "herniation_depth", item.depth, "mm", item.side, grade=msu)
        yield Row(disc, "herniation_width", item.width, "mm", item.side, grade=kind)
        yield Row(disc, "herniation_zone", None, side=item.side, grade=zone)
        level = grades.graded("fardon_levels", item.level)
        yield Row(disc, "herniation_migration", item.migration, "mm", item.side, None, level, item.direction)
        share = grades.of_compromise(item.compromise)
        yield Row(disc, "canal_compromise", 100.0 * item.compromise, "%", item.side, grade=share)


def _vertebra_rows(body: Subject, usual: Subject | None, level: Level) -> Iterator[Row]:
    """Give the rows of a vertebral body."""
    heights = _taken(lambda: body_heights(body.bodies[level]))
    if heights is None:
        return
    before = _taken(lambda: body_heights(usual.bodies[level])) if usual else None
    for row in _height_rows(level, "vertebra_height", heights):
        known = None if before is None else getattr(before, row.key.rpartition("_")[2])
        yield replace(row, healthy=known)
    if before is not None:
        kept = min(
            getattr(heights, name) / getattr(before, name) for name in ("anterior", "middle", "posterior")
        )
        loss = max(0.0, 100.0 * (1.0 - kept))
        yield Row(level, "vertebra_height_loss", loss, "%", grade=grades.of_heights(loss))
        yield from _broken_rows(body.bodies[level], usual.bodies[level], loss) if usual else ()


def _broken_rows(body: Body, usual: Body, loss: float) -> Iterator[Row]:
    """Give the rows of a broken vertebra; nothing of a whole one."""
    off, change = _taken(lambda: pieces(body)) or (), _taken(lambda: damage(body, usual))
    if change is None:
        return
    grade = grades.of_fracture(tuple(piece.place for piece in off), loss, change.dished, change.wall)
    if grade.grade == "none" and not off:
        return
    yield Row(body.level, "wall_back", change.wall, "mm", grade=grade)
    for piece in off:
        yield Row(body.level, "piece_apart", piece.gap, "mm", detail=piece.place)


def _region_rows(found: Mapping[Level, Body]) -> Iterator[Row]:
    """Give the rows of the curves of the column, as radiographs show them."""
    for key, upper, above, lower, below in SLOPES:
        if upper in found and lower in found:
            first, second = getattr(found[upper], above), getattr(found[lower], below)
            at = f"{upper}-{lower}" if key != "thoracic_kyphosis" else f"{lower}-{upper}"
            yield Row(at, key, first.sagittal - second.sagittal, "°")
    if "T1" in found and found["T1"].superior is not None:
        yield Row("T1", "t1_slope", -found["T1"].superior.sagittal, "°")
    curve = cobb(list(found.values()))
    if curve is not None:
        scoliosis = grades.of_curve(curve.angle)
        side: Side | None = None if scoliosis.grade == "none" else "right" if curve.right else "left"
        ends = f"{curve.upper}-{curve.lower}" if side is not None else ""
        levels = list(found)
        yield Row(f"{levels[0]}-{levels[-1]}", "cobb", curve.angle, "°", side, None, scoliosis, ends)
