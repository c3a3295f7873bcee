"""Calibrate L1 to L5 and the S1 facets, from vertebrae in round numbers to what stands in the measures.

    SPINEVIZ_SHARED=<folder> python tests/calibration/fit_lumbar.py [--out FOLDER]

The folder holds ``reference`` and ``facts``. Every run begins with ``start_lumbar.toml``, vertebrae in round
numbers, and ends in the same ``vertebrae.toml`` and the same two tables of ``sacrum.toml``, in a few minutes.
The sacrum comes first (``fit_sacrum.py``).

1. L1, L3 and L5 are refined on their references (`fit_vertebra.calibrated`); L1, one large man's bone, is
   then moved towards published morphometry. L3 and L5, the mean of 87 patients, keep their sizes.
2. L2 lies between L1 and L3, L4 between L3 and L5, both moved by published departures.
3. `facet_joints.congruent` makes the facets of all joints to S1 fit.
4. What is set by hand after looking at the bones stands in `BY_HAND`.
"""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Mapping
from pathlib import Path as File
from typing import Any

from facet_joints import congruent, facing_l5
from fit_vertebra import calibrated, shape_of, size, sourced, toml_of
from fitting import with_numbers
from sacrum_relief import toml_of as sacral_toml
from tqdm import tqdm
from vertebra_levels import between, l4_between

from spineviz.anatomy import sacrum
from spineviz.anatomy.sacrum import SacrumParameters
from spineviz.anatomy.vertebra import VertebraParameters
from spineviz.library import data_folder

ROUNDS = 20
LEVELS = ("L1", "L2", "L3", "L4", "L5")

BY_HAND: dict[str, dict[tuple[Any, ...], float]] = {
    "L5": {("transverse_process", "blend"): 7.0, ("body", "edges", 0): 4.1, ("body", "edges", 1): 2.9}
}
"""Numbers that are set after the fit, by level and path: narrower fillets keep the field a distance."""

TRUE_TO_L3 = 0.03
"""How far L3, which gives way on both sides, comes back to its reference."""

AFTERWARDS: dict[str, dict[tuple[Any, ...], float]] = {
    "L1": {
        ("superior_articular_process", "curl", 0): 0.012,
        ("superior_articular_process", "curl", 1): 0.005,
        ("inferior_articular_process", "curl", 0): -0.0228,
        ("inferior_articular_process", "curl", 1): 0.0117,
    },
    "L2": {
        **{("superior_articular_process", "across", i): width for i, width in enumerate((5.2, 2.4))},
        **{("inferior_articular_process", "across", i): 2.4 for i in range(2)},
        **{("inferior_articular_process", "start", i): place for i, place in enumerate((9.46, -37.89))},
        **{("inferior_articular_process", "end", i): place for i, place in enumerate((10.07, -39.48))},
    },
    "L3": {
        ("mammillary_process", "end", 1): -44.68,
        **{("transverse_process", "bow", i): bow for i, bow in enumerate((-1.58, -0.44))},
        ("transverse_process", "blend"): 7.9,
        **{("superior_articular_process", "bow", i): bow for i, bow in enumerate((0.55, 0.08))},
    },
    "L4": {
        ("superior_articular_process", "along", 0): 4.8,
        ("superior_articular_process", "blend"): 5.0,
        **{("inferior_articular_process", "across", i): width for i, width in ((1, 5.2), (2, 4.2))},
        ("inferior_articular_process", "curl", 0): -0.0146,
        ("inferior_articular_process", "curl", 1): 0.0131,
    },
}
"""Numbers that are set when the facets fit: flatter processes and the pars no thinner, for the same reason;
L3 nearer to its reference, for which the facet of L2 gives way."""


def begun(level: str) -> VertebraParameters:
    """Return the vertebra that a level's calibration begins with."""
    text = File(__file__).with_name("start_lumbar.toml").read_text("utf-8")
    return VertebraParameters.model_validate(tomllib.loads(text)["upper" if level == "L1" else "lower"])


def calibrated_levels(rounds: int = ROUNDS) -> dict[str, VertebraParameters]:
    """Return L1, L3 and L5 as their references tell."""
    names = ("L1", "L3", "L5")
    shapes = {level: calibrated(level, begun(level), rounds) for level in tqdm(names, "references")}
    shapes = {level: sourced(level, shape) for level, shape in shapes.items()}
    shapes["L1"] = size("L1", shapes["L1"])
    return shapes


def all_lumbar(rounds: int = ROUNDS) -> tuple[dict[str, VertebraParameters], SacrumParameters]:
    """Return L1 to L5 and the sacrum whose facets face L5."""
    shapes = calibrated_levels(rounds)
    shapes["L2"] = size("L2", sourced("L2", between(shapes["L1"], shapes["L3"], 0.5)))
    shapes["L4"] = sourced("L4", l4_between(shapes["L3"], shapes["L5"]))
    shapes = {level: by_hand(shapes[level], BY_HAND.get(level, {})) for level in LEVELS}
    kinds = {level: shape_of() for level in LEVELS}
    before = shapes["L3"]
    shapes, sacral = congruent(shapes, facing_l5(sacrum.parameters()), kinds)
    shapes["L3"] = between(shapes["L3"], before, TRUE_TO_L3)
    return {level: by_hand(shapes[level], AFTERWARDS.get(level, {})) for level in LEVELS}, sacral


def by_hand(shape: VertebraParameters, chosen: Mapping[tuple[Any, ...], float]) -> VertebraParameters:
    """Return a level with what is set by hand."""
    return with_numbers(shape, chosen)


def main() -> None:
    """Calibrate and write ``vertebrae.toml`` and the S1 facets in ``sacrum.toml``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=File, default=File("meshes/measures"))
    folder = parser.parse_args().out
    shapes, sacral = all_lumbar()
    text = "# Shape of the lumbar vertebrae in their own frames (see spineviz.anatomy.vertebra).\n\n"
    text += "".join(toml_of(level, shapes[level]) for level in LEVELS)
    (folder / "vertebrae.toml").write_text(text.rstrip() + "\n", encoding="utf-8")
    now = (data_folder("meshes") / "measures" / "sacrum.toml").read_text("utf-8")
    (folder / "sacrum.toml").write_text(sacral_toml(sacral.model_dump(), now), encoding="utf-8")


if __name__ == "__main__":
    main()
