"""The measured strip comes from the geometry that is shown."""

from __future__ import annotations

import numpy as np
import pytest
from operated import KINDS, film, model, pane, prepared, span

from spineviz.locale import text
from spineviz.model import Figure
from spineviz.surgery import peaks
from spineviz.surgery.ledger import KEYS


def figures(kind: str, second: float) -> dict[str, float]:
    strip = prepared(kind).measure(model(), pane(kind, second))
    return {key: figure.value for key, figure in zip(KEYS, strip, strict=True)}


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_is_zero_before_the_first_cut(kind: str) -> None:
    start, _ = span(kind, "incision")
    for second in (0.0, start / 2, start):
        assert set(figures(kind, second).values()) == {0.0}


@pytest.mark.parametrize("kind", KINDS)
def test_bone_removed_and_incision_stay_and_everything_else_closes(kind: str) -> None:
    end = figures(kind, film().seconds)
    assert end["incision"] > 0 and end["removed"] > 0
    assert end["bared"] == end["displaced"] == 0
    assert end["corridor"] < 0.01


def test_splitting_and_detaching_are_counted_differently() -> None:
    _, end = span("tubular", "retractor")
    tube, wound = figures("tubular", end), figures("open", end)
    assert tube["incision"] == 18 and wound["incision"] == 30
    assert 0.5 < tube["bared"] < 4 < wound["bared"]
    assert tube["corridor"] < wound["corridor"]
    assert tube["displaced"] < 2 < wound["displaced"]


def test_both_strips_name_the_same_figures_in_the_same_units() -> None:
    strips = [prepared(kind).measure(model(), pane(kind, 20.0)) for kind in KINDS]
    for first, second in zip(*strips, strict=True):
        assert (first.name, first.unit, first.decimals) == (second.name, second.unit, second.decimals)
        assert text(first.name)
    assert "10 mm" in text(strips[0][KEYS.index("displaced")].name)


def test_the_corridor_of_the_tube_is_about_its_cylinder() -> None:
    site = prepared("tubular").story.site
    _, end = span("tubular", "retractor")
    assert figures("tubular", end)["corridor"] == pytest.approx(np.pi * 9.5**2 * site.depth / 1000, rel=0.15)


def test_peaks_are_the_largest_values_of_the_timeline() -> None:
    best = peaks([prepared(kind).ledger for kind in KINDS], film(), every=4.0)
    assert len(best) == len(KINDS)
    for kind, strip in zip(KINDS, best, strict=True):
        assert all(isinstance(figure, Figure) for figure in strip)
        _, end = span(kind, "laminotomy")
        now = figures(kind, end)
        for key, figure in zip(KEYS, strip, strict=True):
            assert figure.value >= now[key]
