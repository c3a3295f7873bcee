"""The joints of the neck laid anew in the chain of discs, all else as it stands in the measures.

    SPINEVIZ_SHARED=<folder> python tests/calibration/cervical_again.py

Run it after the wedges of discs or of bodies have changed, and after `thoracic_joints`: C7 meets T1. The axis
stays as it is: its disc is wedged so that it meets C3.
"""

from __future__ import annotations

from typing import Any

from cervical_joints import mated, on_thorax
from cervical_levels import centred
from fit_cervical import MORPHOMETRY, toml_of_all

from spineviz.anatomy import cervical
from spineviz.library import data_folder

ROUNDS = 2
"""How often both surfaces of a joint are brought together."""


def main() -> None:
    """Write the measures file anew."""
    shapes: dict[str, Any] = {level: cervical.parameters_of(level) for level in MORPHOMETRY}
    for _ in range(ROUNDS):
        shapes = mated(shapes)
        shapes["C7"] = on_thorax(shapes)
    path = data_folder("meshes") / "measures" / "cervical.toml"
    path.write_text(toml_of_all({level: centred(shape) for level, shape in shapes.items()}), encoding="utf-8")


if __name__ == "__main__":
    main()
