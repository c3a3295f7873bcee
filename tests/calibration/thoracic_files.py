"""The measures file of the thoracic vertebrae: every number with its source."""

from __future__ import annotations

from collections.abc import Mapping

from fitting import tables
from vertebra_references import SPL

from spineviz.anatomy.vertebra.solid import COSTAL, VertebraParameters

SCRIPT = "tests/calibration/fit_thoracic.py"
MORPHOMETRY = "a blend of published morphometry (Panjabi 1991-1993, Zindrick 1987, Bonczar 2024 and others)"
RIBS = "set on the bone after Gray's Anatomy"
JOINTS = f"{MORPHOMETRY}, laid in the chain of discs so that neighbours fit, by {SCRIPT}"

ABOUT = {
    "pedicle_axis": MORPHOMETRY,
    "superior_facet": JOINTS,
    "inferior_facet": JOINTS,
    **dict.fromkeys(COSTAL, RIBS),
}
"""The source of the parts that follow neither a reference nor its neighbours."""

ENDS = {"T2": "T1 and T3", "T4": "T3 and T5"}


def source_of(level: str) -> str:
    """Return where a level's shape comes from."""
    if level in ("T1", "T3", "T5"):
        hand = "its articular processes, which the scan does not show, are designed"
        return f"calibrated on {SPL}, its sizes then moved towards {MORPHOMETRY}, by {SCRIPT}; {hand}"
    ends = ENDS.get(level, "T5 and L1")
    return f"model values: between {ends}, its arch designed and sized after {MORPHOMETRY}, by {SCRIPT}"


def toml_of(level: str, shape: VertebraParameters) -> str:
    """Return one level's tables for the measures file."""
    name = f"thoracic.{level}"
    text = f'[{name}]\nsource = "{source_of(level)}"\nconfidence = "D"\nunit = "mm, deg, 1/mm"\n'
    values = shape.model_dump(exclude_none=True)
    text += tables(name, {part: values[part] for part in values if part not in ABOUT})
    for part in (part for part in values if part in ABOUT):
        text += f'\n[{name}.{part}]\nsource = "model values, {ABOUT[part]}"\nconfidence = "D"\n'
        text += tables(f"{name}.{part}", values[part])
    return text + "\n"


def written(shapes: Mapping[str, VertebraParameters]) -> str:
    """Return the text of the measures file of all levels."""
    head = "# Shape of the thoracic vertebrae in their own frames (see spineviz.anatomy.vertebra).\n\n"
    return (head + "".join(toml_of(level, shape) for level, shape in shapes.items())).rstrip() + "\n"
