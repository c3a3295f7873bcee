"""The measured strip comes from the geometry that is shown."""

from __future__ import annotations

import numpy as np
import pytest
from operated import KINDS, film, model, pane, prepared, span

from spineviz.locale import text
from spineviz.model import Figure
from spineviz.surgery import peaks
from spineviz.surgery.ledger import KEYS, charted


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


def test_the_ledger_over_time_is_what_it_measures_at_each_second() -> None:
    chart = charted([prepared(kind).ledger for kind in KINDS], film(), every=6.0)
    assert chart.seconds[0] == 0.0 and chart.seconds[-1] == film().seconds
    assert set(film().starts) <= set(chart.seconds)
    for number, second in list(enumerate(chart.seconds))[::3]:
        for index, kind in enumerate(KINDS):
            assert [curve.values[index][number] for curve in chart.curves] == list(
                figures(kind, second).values()
            )


def test_the_ledger_over_time_is_zero_before_the_first_cut_and_holds_the_peaks() -> None:
    ledgers = [prepared(kind).ledger for kind in KINDS]
    chart, best = charted(ledgers, film(), every=6.0), peaks(ledgers, film(), every=6.0)
    before = [second <= span("tubular", "incision")[0] for second in chart.seconds]
    for order, curve in enumerate(chart.curves):
        for values, strip in zip(curve.values, best, strict=True):
            assert not any(value for value, early in zip(values, before, strict=True) if early)
            assert max(values) == strip[order].value
        assert (curve.name, curve.unit) == (best[0][order].name, best[0][order].unit)
