"""A narrow canal is widened: nerves fill out as far as there is room, and a scene must have such a canal."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from spineviz.scene import Scene
from spineviz.surgery import OpenLaminectomy, UnilateralLaminotomy
from spineviz.surgery.open_midline import OpenMidlineDiscectomy
from spineviz.surgery.relief import Relief
from spineviz.surgery.tubular import TubularMicrodiscectomy

NARROW = {"kind": "stenosis", "disc": "L4-L5", "grade": "C"}


def test_a_freed_nerve_goes_from_narrow_to_free_and_no_farther() -> None:
    relief = Relief(np.zeros((2, 3)), np.array([[0.0, -2.0, 0.0], [1.0, 0.0, 0.0]]))
    assert np.array_equal(relief((0.0,)), relief.rest)
    assert np.allclose(relief((0.5,)), [[0.0, -1.0, 0.0], [0.5, 0.0, 0.0]])
    for wrong in ((), (1.2,), (-0.1,), (0.0, 0.0)):
        with pytest.raises(ValueError, match="freed by one amount"):
            relief(wrong)


@pytest.mark.parametrize("kind", ["unilateral_laminotomy", "open_laminectomy"])
def test_a_decompression_needs_a_narrow_canal_at_its_disc(kind: str) -> None:
    entry = {"kind": kind, "disc": "L4-L5"}
    assert Scene.model_validate({"title": "x", "pathologies": [NARROW], "approaches": [entry]}).approaches
    for pathologies in ([], [{**NARROW, "disc": "L3-L4"}], [{**NARROW, "place": "recess", "grade": "2"}]):
        with pytest.raises(ValidationError, match="add a central stenosis of the disc L4-L5"):
            Scene.model_validate({"title": "x", "pathologies": pathologies, "approaches": [entry]})


@pytest.mark.parametrize(
    "kind", ["tubular_microdiscectomy", "interlaminar_endoscopic_discectomy", "open_laminectomy"]
)
@pytest.mark.parametrize("disc", ["C5-C6", "T12-L1"])
def test_an_approach_tells_at_which_discs_it_is_possible(kind: str, disc: str) -> None:
    entry = {"kind": kind, "disc": disc}
    with pytest.raises(ValidationError, match=f"{disc}: .* choose one of: L1-L2, L2-L3, L3-L4, L4-L5, L5-S1"):
        Scene.model_validate({"title": "x", "approaches": [entry]})


def test_where_no_way_is_found_beside_the_cords_end_the_refusal_says_why() -> None:
    entry = {"kind": "open_midline_discectomy", "disc": "L1-L2"}
    with pytest.raises(
        ValidationError, match=r"L1-L2: .* the dural sac.* choose one of: L2-L3, L3-L4, L4-L5"
    ):
        Scene.model_validate({"title": "x", "approaches": [entry]})


def test_a_nerve_root_is_drawn_less_where_the_spinal_cord_ends() -> None:
    for approach in (TubularMicrodiscectomy, OpenMidlineDiscectomy):
        usual = approach().root_retraction
        for disc in ("L1-L2", "L2-L3"):
            if disc in approach.barred:
                continue
            assert approach(disc=disc).root_retraction < usual  # type: ignore[arg-type]
            assert approach(disc=disc, root_retraction=6.0).root_retraction == 6.0  # type: ignore[arg-type]
        assert approach(disc="L3-L4").root_retraction == usual


def test_sizes_of_a_decompression_keep_to_the_ranges_of_surgery() -> None:
    for wrong in ({"tube_diameter": 30}, {"wand_angle": 40}, {"facet_removed": 6}):
        with pytest.raises(ValidationError):
            UnilateralLaminotomy(**wrong)  # type: ignore[arg-type]
    for wrong in ({"lamina_width": 30}, {"facet_share": 0.7}, {"incision_length": 30}):
        with pytest.raises(ValidationError):
            OpenLaminectomy(**wrong)  # type: ignore[arg-type]
