"""From two calibrated cervical vertebrae to all five: between and beside them, moved by morphometry.

A level's shape is first taken between the calibrated C4 and C7, each part as far along as its own measures
are (`ALONG`); then its measures are moved, by the handles of `morphometry.cervical_handles`, by what
the recommended morphometry says the level departs from that place, and no farther from the recommended value
than `NEAR` allows.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from pathlib import Path as File
from typing import Any

import numpy as np
from fitting import Path, entries, with_numbers

from spineviz.anatomy.cervical.landmarks import landmarks
from spineviz.anatomy.cervical.parts import RIGHTWARD
from spineviz.anatomy.cervical.solid import CervicalParameters, field
from spineviz.anatomy.morphometry import morph
from spineviz.anatomy.morphometry.calipers import measured
from spineviz.anatomy.vertebra.landmarks import leaving
from spineviz.anatomy.vertebra.parts import process_loft
from spineviz.body.person import CERVICAL_VERTEBRAE

COLUMNS = {
    "endplate_width_superior": "epw_upper",
    "endplate_width_inferior": "epw_lower",
    "endplate_depth_superior": "epd_upper",
    "endplate_depth_inferior": "epd_lower",
    "body_height_anterior": "h_ant",
    "body_height_posterior": "h_post",
    "canal_width": "canal_w",
    "canal_depth": "canal_d",
    "pedicle_width": "ped_w",
    "pedicle_sagittal_angle": "ped_sagittal_deg",
    "spinous_length": "sp_free_length",
    "spinous_height": "sp_height",
    "spinous_slope": "sp_slope_deg",
    "transverse_span": "tp_span",
    "facet_superior_transverse_angle": "sup_facet_to_transverse_deg",
    "facet_superior_sagittal_angle": "sup_facet_to_sagittal_deg",
    "pedicle_height": "ped_h",
    "facet_superior_width": "sup_facet_w",
    "facet_inferior_width": "inf_facet_w",
    "interfacet_width": "interfacet_width_sup",
    "lamina_thickness": "lamina_thickness",
    "lamina_height": "lamina_height",
}
"""The measures that are moved, and their columns in the recommended morphometry."""

NEAR, SURELY = 0.1, 0.4
SURE = {"body_height_anterior": 0.25, "body_height_posterior": 0.25}
"""How far a measure may stay from its recommended value: a tenth, less what is to be sure of it (mm)."""

KEPT = (
    "spinous_slope",
    "pedicle_sagittal_angle",
    "facet_superior_transverse_angle",
    "facet_superior_sagittal_angle",
)
"""Measures that are not moved: the slope of the spinous process, whose recommended value has no published row
behind it and contradicts the calibrated bones by 30 degrees; angles that are parameters of their own."""

ENDLESS = {"C7": ("facet_superior_width",)}
"""Measures that a level leaves as calibrated: the superior articular surface of C7 runs on over the root
of its transverse process, so that a caliper finds no border at its side."""

LAST: dict[Path, float] = {
    ("body", "inferior_endplate", "height"): 0.15,
    ("articular_pillar", "column", "end", 2): 0.5,
}
"""What C7 gets at the very end (mm): a body as high as a tenth above the recommended height allows, for its
reference is higher still; an inferior articular process half a millimetre shorter."""

ROUNDS = 1
"""How often the measures are brought near their aim, the articular surfaces centred in between."""

ALONG: dict[str, dict[str, float]] = {
    "C3": {"": 0.0},
    "C4": {"": 0.0},
    "C5": {"": 0.2, "articular_pillar": 0.15, "lamina": 0.15, "spinous_process": 0.1,
           "spinous_tubercle": 0.1, "spinous_cleft": 0.1},
    "C6": {"": 0.45, "articular_pillar": 0.4, "lamina": 0.4, "spinous_process": 0.33,
           "spinous_tubercle": 0.33, "spinous_cleft": 0.33, "anterior_bar": 0.15, "posterior_bar": 0.3,
           "intertubercular_lamella": 0.3},
    "C7": {"": 1.0},
}  # fmt: skip
"""How far along from C4 to C7 each level stands, by part; ``""`` for the parts that are not named."""

DEPARTURES: dict[str, dict[Path, float]] = {
    "C5": {("articular_pillar", "column", "end", 2): -0.8},
    "C6": {
        ("anterior_bar", "end", 1): 0.6,
        ("anterior_bar", "across", 2): 0.9,
        ("anterior_bar", "along", 2): 0.6,
        ("articular_pillar", "column", "end", 0): 1.0,
        ("articular_pillar", "column", "end", 1): -1.0,
        ("articular_pillar", "column", "end", 2): -2.3,
    },
    "C7": {
        ("uncinate_process", "end", 2): -0.8,
        ("articular_pillar", "column", "end", 1): -2.6,
        ("articular_pillar", "column", "end", 2): -3.0,
    },
}
"""What a level has of its own (mm): the large anterior (carotid) tubercle of C6; in C7 an uncinate
process that runs out smoothly behind, which the reference's does not, and and inferior
articular processes long enough to lie behind the superior ones of the next bone, which C7's reference has
not."""

OWNER = {
    "spinous_length": "spinous_process",
    "spinous_height": "spinous_process",
    "spinous_slope": "spinous_process",
    "transverse_span": "posterior_bar",
    "facet_superior_transverse_angle": "articular_pillar",
    "facet_superior_sagittal_angle": "articular_pillar",
    "interfacet_width": "articular_pillar",
    "facet_superior_width": "articular_pillar",
    "facet_inferior_width": "articular_pillar",
    "lamina_thickness": "lamina",
    "lamina_height": "lamina",
}
"""The part whose place between C4 and C7 a measure is compared at, where it is not the body's."""


def recommended(level: str) -> dict[str, float]:
    """Return the recommended measures of a level by the calipers' names."""
    path = File(os.environ["SPINEVIZ_SHARED"]) / "facts" / "morphometry_recommended.csv"
    with path.open(encoding="utf-8") as lines:
        row = next(row for row in csv.DictReader(lines) if row["level"] == level)
    return {name: float(row[column]) for name, column in COLUMNS.items()}


def between(c4: CervicalParameters, c7: CervicalParameters, along: Mapping[str, float]) -> CervicalParameters:
    """Return the parameters between C4 (0) and C7 (1), part by part."""
    high = dict(entries(c7.model_dump()))
    numbers = {}
    for path, low in entries(c4.model_dump()):
        share = along.get(str(path[0]), along[""])
        numbers[path] = low + share * (high[path] - low)
    return with_numbers(c4, numbers)


def measures_of(parameters: CervicalParameters) -> dict[str, float]:
    """Return the measures of a shape that are brought near their recommended values."""
    names = [name for name in COLUMNS if name not in KEPT]
    return measured(field(parameters), landmarks(parameters), names, ("right",))


def aims(
    level: str, now: Mapping[str, float], before: Mapping[str, float], after: Mapping[str, float]
) -> dict[str, float]:
    """Return what the measures ``now`` are to become.

    They change as the recommended ones do from ``before`` to ``after``, and come near enough to ``after``.
    """
    result = {}
    for name, value in now.items():
        if name in ENDLESS.get(level, ()):
            continue
        reach = max(NEAR * after[name] - SURE.get(name, SURELY), 0.0)
        result[name] = float(
            np.clip(value + after[name] - before[name], after[name] - reach, after[name] + reach)
        )
    return result


def brought(parameters: CervicalParameters, aim: Mapping[str, float], level: str) -> CervicalParameters:
    """Return parameters whose measures come near an aim, and the others stay."""
    for _ in range(ROUNDS):
        parameters = centred(morph.prepare(parameters, level, CERVICAL_VERTEBRAE).near(aim).parameters)
    return parameters


def level_of(
    level: str, c4: CervicalParameters, c7: CervicalParameters
) -> tuple[CervicalParameters, dict[str, float]]:
    """Return the parameters of a level from the calibrated C4 and C7, and what its measures are to be."""
    along, after = ALONG[level], recommended(level)
    before = _along(recommended("C4"), recommended("C7"), along)
    now = _along(measures_of(c4), measures_of(c7), along)
    start = between(c4, c7, along)
    values = dict(entries(start.model_dump()))
    start = with_numbers(start, {path: values[path] + d for path, d in DEPARTURES.get(level, {}).items()})
    aim = aims(level, now, before, after)
    return brought(centred(start), aim, level), aim


def _along(
    low: Mapping[str, float], high: Mapping[str, float], along: Mapping[str, float]
) -> dict[str, float]:
    """Return measures between those of C4 and C7, each as far along as the part it belongs to."""
    shares = {name: along.get(OWNER.get(name, ""), along[""]) for name in low}
    return {name: value + shares[name] * (high[name] - value) for name, value in low.items()}


UNDER, GRID = 1.0, np.arange(-10.0, 10.01, 0.25)
"""How deep (mm) under an articular surface there is to be bone, and as far before it none; where it is
looked for."""

JAW_DEPTH = 2.0
"""How deep (mm) under an articular surface its free end is looked for, as the caliper does."""


def centred(parameters: CervicalParameters) -> CervicalParameters:
    """Return the same shape with the centres of the articular surfaces moved to their middles.

    They lie midway to the side, and half a facet's height from its free end: the upper of a superior, the
    lower of an inferior one; at their other end they run on into the lamina or the pedicle.
    """
    pillar, bone = parameters.articular_pillar, field(parameters)
    column = process_loft(pillar.column, RIGHTWARD)
    numbers: dict[Any, float] = {}
    for name, side in (("superior_facet", 1.0), ("inferior_facet", -1.0)):
        facet = pillar.superior_facet if side > 0.0 else pillar.inferior_facet
        height = (parameters.superior_facet if side > 0.0 else parameters.inferior_facet).height
        normal = facet.normal(side)
        across = np.cross(normal, [0.0, 0.0, 1.0])
        across = across / np.linalg.norm(across)
        up = np.cross(across, normal)
        a, b = (grid.ravel()[:, None] for grid in np.meshgrid(GRID, GRID, indexing="ij"))
        sheet = np.asarray(facet.centre) + a * across + b * up
        sheet = sheet - facet.gap(sheet, side)[:, None] * normal
        bare = (
            (bone(sheet - UNDER * normal) < 0.0)
            & (bone(sheet + UNDER * normal) > 0.0)
            & (column(sheet) < 0.0)
        )
        inside = sheet[bare & (bone(sheet - JAW_DEPTH * normal) < 0.0)]
        middle = inside[np.argmin(np.linalg.norm(inside - sheet[bare].mean(axis=0), axis=1))]
        deep = middle - JAW_DEPTH * normal
        free_end = float(np.linalg.norm(leaving(bone, deep, side * up) - deep))
        middle = middle + side * (free_end - height / 2.0) * up
        middle = middle - float(facet.gap(middle[None], side)[0]) * normal
        numbers |= {("articular_pillar", name, "centre", i): float(v) for i, v in enumerate(middle)}
    return with_numbers(parameters, numbers)
