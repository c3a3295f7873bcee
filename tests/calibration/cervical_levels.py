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
from spineviz.anatomy.morphometry.calipers import measured
from spineviz.anatomy.morphometry.cervical_handles import CERVICAL
from spineviz.anatomy.morphometry.moves import Shape, flat, rebuilt
from spineviz.anatomy.vertebra.landmarks import leaving
from spineviz.anatomy.vertebra.parts import process_loft
from spineviz.structure import Frame

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
    "interfacet_width": "interfacet_width_sup",
    "lamina_thickness": "lamina_thickness",
    "lamina_height": "lamina_height",
}
"""The measures that are moved, and their columns in the recommended morphometry."""

NEAR = {
     "endplate_depth_superior": 0.09, "endplate_depth_inferior": 0.09,
    "body_height_anterior": 0.09, "body_height_posterior": 0.09, "canal_width": 0.09, "canal_depth": 0.09,
    "pedicle_width": 0.09, "transverse_span": 0.09, "lamina_height": 0.15,
    "spinous_length": 0.25, "spinous_height": 0.15,
}  # fmt: skip
"""How far (as a part) a measure may stay from its recommended value; others move by differences only."""

STEEPER = 0.1
"""How much steeper than recommended (as a part) a superior articular surface may stand."""

ASIDE = 4.0
"""How far (degrees) a superior articular surface may look aside of where it is recommended to look."""

ALONG: dict[str, dict[str, float]] = {
    "C3": {"": 0.0},
    "C4": {"": 0.0},
    "C5": {"": 0.2, "articular_pillar": 0.15, "lamina": 0.15, "spinous_process": 0.1,
           "spinous_tubercle": 0.1},
    "C6": {"": 0.45, "articular_pillar": 0.4, "lamina": 0.4, "spinous_process": 0.33,
           "spinous_tubercle": 0.33, "anterior_bar": 0.15, "posterior_bar": 0.3,
           "intertubercular_lamella": 0.3},
    "C7": {"": 1.0},
}  # fmt: skip
"""How far along from C4 to C7 each level stands, by part; ``""`` for the parts that are not named."""

DEPARTURES: dict[str, dict[Path, float]] = {
    "C6": {
        ("anterior_bar", "end", 1): 0.6,
        ("anterior_bar", "across", 2): 0.9,
        ("anterior_bar", "along", 2): 0.6,
    },
    "C7": {
        ("uncinate_process", "end", 2): -0.8,
    },
}
"""What a level has of its own (mm): the large anterior (carotid) tubercle of C6; in C7 an uncinate
process that runs out smoothly behind, which the reference's does not."""

OWNER = {
    "spinous_length": "spinous_process",
    "spinous_height": "spinous_process",
    "spinous_slope": "spinous_process",
    "transverse_span": "posterior_bar",
    "facet_superior_transverse_angle": "articular_pillar",
    "facet_superior_sagittal_angle": "articular_pillar",
    "interfacet_width": "articular_pillar",
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


def shape_of(parameters: CervicalParameters) -> Shape:
    """Return parameters by dotted path with the landmarks of the right side, as handles want them."""
    marks = {
        name.removesuffix(".right"): frame
        for name, frame in landmarks(parameters).items()
        if not name.endswith(".left")
    }
    return Shape(flat(parameters.model_dump()), marks)


def measures_of(parameters: CervicalParameters) -> dict[str, float]:
    """Return the measures of a shape that are brought near their recommended values."""
    marks = landmarks(parameters)
    names = [name for name in NEAR if name != "canal_width"]
    return {
        **measured(field(parameters), marks, names, ("right",)),
        "canal_width": _canal_width(parameters, marks),
    }


def _canal_width(parameters: CervicalParameters, marks: Mapping[str, Frame]) -> float:
    """Return the width of the vertebral foramen between the pedicles, at the isthmus of the pedicles.

    (The caliper made for lumbar bone looks so far to front and back that it passes a cervical pedicle.)
    """
    bone, (_, y, z) = field(parameters), marks["pedicle.right"].origin
    places = np.arange(0.0, 20.0, 0.05)
    widths = []
    for behind in np.arange(1.0, 6.1, 0.5):
        inside = bone(np.column_stack([places, *np.full((2, len(places)), [[y - behind], [z]])])) < 0.0
        if inside.any() and not inside[0]:
            widths.append(places[np.argmax(inside)])
    return 2.0 * float(np.median(widths))


def wanted(
    now: Mapping[str, float], before: Mapping[str, float], after: Mapping[str, float]
) -> dict[str, float]:
    """Return by how much the measures ``now`` are to change.

    They change as the recommended ones do from ``before`` to ``after``, and come near enough to ``after``.
    """
    result = {}
    for name in COLUMNS:
        change = after[name] - before[name]
        if name in NEAR:
            reach = NEAR[name] * after[name]
            change = min(max(now[name] + change, after[name] - reach), after[name] + reach) - now[name]
        result[name] = change
    return result


def moved(parameters: CervicalParameters, steps: Mapping[str, float]) -> CervicalParameters:
    """Return parameters whose measures are moved by ``steps``, each by its handle."""
    shape = shape_of(parameters)
    for name, step in steps.items():
        for move in CERVICAL[name]:
            shape = move(shape, step)
    return rebuilt(parameters, shape.values)


def level_of(level: str, c4: CervicalParameters, c7: CervicalParameters) -> CervicalParameters:
    """Return the parameters of a level from the calibrated C4 and C7."""
    along, after = ALONG[level], recommended(level)
    before = _along(recommended("C4"), recommended("C7"), along)
    now = _along(measures_of(c4), measures_of(c7), along)
    start = between(c4, c7, along)
    values = dict(entries(start.model_dump()))
    start = with_numbers(start, {path: values[path] + d for path, d in DEPARTURES.get(level, {}).items()})
    result = moved(start, wanted(now, before, after))
    return centred(_facing(result, after))


def _facing(parameters: CervicalParameters, after: Mapping[str, float]) -> CervicalParameters:
    """Return parameters whose superior articular surface looks nearly as morphometry recommends."""
    facet = parameters.articular_pillar.superior_facet
    steepest = (1.0 + STEEPER) * after["facet_superior_transverse_angle"]
    straight = after["facet_superior_sagittal_angle"] - 90.0
    path = ("articular_pillar", "superior_facet")
    return with_numbers(
        parameters,
        {
            (*path, "tilt"): min(facet.tilt, steepest),
            (*path, "turn"): min(max(facet.turn, straight - ASIDE), straight + ASIDE),
        },
    )


def _along(
    low: Mapping[str, float], high: Mapping[str, float], along: Mapping[str, float]
) -> dict[str, float]:
    """Return measures between those of C4 and C7, each as far along as the part it belongs to."""
    shares = {name: along.get(OWNER.get(name, ""), along[""]) for name in low}
    return {name: value + shares[name] * (high[name] - value) for name, value in low.items()}


JAW_DEPTH = 2.0
"""How deep (mm) under an articular surface its free end is looked for, as the caliper does."""


def centred(parameters: CervicalParameters) -> CervicalParameters:
    """Return the same shape with the centres of the articular surfaces moved to their middles.

    They lie half a facet's height from its free end: the upper of a superior, the lower of an inferior one.
    """
    pillar, bone = parameters.articular_pillar, field(parameters)
    numbers: dict[Any, float] = {}
    sizes = {
        "superior_facet": parameters.superior_facet.height,
        "inferior_facet": parameters.inferior_facet.height,
    }
    for name, facet, side in (
        ("superior_facet", pillar.superior_facet, 1.0),
        ("inferior_facet", pillar.inferior_facet, -1.0),
    ):
        normal = facet.normal(side)
        across = np.cross(normal, [0.0, 0.0, 1.0])
        across = across / np.linalg.norm(across)
        up = np.cross(across, normal)
        steps = np.arange(-9.0, 9.01, 0.25)
        a, b = (grid.ravel()[:, None] for grid in np.meshgrid(steps, steps, indexing="ij"))
        sheet = np.asarray(facet.centre) + a * across + b * up
        sheet = sheet - facet.gap(sheet, side)[:, None] * normal
        height = bone(sheet)
        bare = (height > -0.2) & (height < 0.8) & (bone(sheet + normal) > height + 0.8)
        bare &= process_loft(pillar.column, RIGHTWARD)(sheet) < 0.0
        wide = a[bare, 0].mean()
        deep = np.asarray(facet.centre) + wide * across - JAW_DEPTH * normal
        free_end = np.linalg.norm(leaving(bone, deep, side * up) - deep)
        middle = np.asarray(facet.centre) + wide * across + side * (free_end - sizes[name] / 2.0) * up
        numbers |= {("articular_pillar", name, "centre", i): float(v) for i, v in enumerate(middle)}
    return with_numbers(parameters, numbers)
