"""Labels: a pure layout whose words never overlap and whose leaders never cross."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spineviz.render.labels import Lettering, PlacedLabel, Spot, layout

WIDTH, HEIGHT = 640.0, 536.0
LETTERING = Lettering(lambda words: 7.4 * len(words), 16.0, 18.0)

WORDS = st.text(alphabet="abcdefgh ", min_size=1, max_size=34).filter(str.strip)
SPOTS = st.lists(
    st.builds(
        Spot,
        words=WORDS,
        anchor=st.tuples(st.floats(-50, WIDTH + 50), st.floats(-50, HEIGHT + 50)),
        strong=st.booleans(),
    ),
    max_size=40,
)
MIDDLE = st.floats(WIDTH * 0.35, WIDTH * 0.65)


def turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def cross(first: PlacedLabel, second: PlacedLabel) -> bool:
    """Tell whether two leaders properly cross; meeting in the same place is no crossing."""
    a, b, c, d = first.port, first.anchor, second.port, second.anchor
    near = 0.3 * WIDTH
    apart = [turn(a, b, c), turn(a, b, d), turn(c, d, a), turn(c, d, b)]
    if min(abs(value) for value in apart) < near:
        return False
    return apart[0] * apart[1] < 0 and apart[2] * apart[3] < 0


@given(SPOTS)
@settings(deadline=None)
def test_words_never_overlap(spots: list[Spot]) -> None:
    for first, second in combinations(layout(spots, (WIDTH, HEIGHT), LETTERING), 2):
        across = min(first.box[2], second.box[2]) - max(first.box[0], second.box[0])
        down = min(first.box[3], second.box[3]) - max(first.box[1], second.box[1])
        assert min(across, down) <= 1e-6


@given(SPOTS)
@settings(deadline=None)
def test_leaders_never_cross(spots: list[Spot]) -> None:
    for first, second in combinations(layout(spots, (WIDTH, HEIGHT), LETTERING), 2):
        assert not cross(first, second)


@given(SPOTS)
@settings(deadline=None)
def test_leaders_never_run_through_words(spots: list[Spot]) -> None:
    placed = layout(spots, (WIDTH, HEIGHT), LETTERING)
    for label in placed:
        xs = sorted((label.port[0], label.anchor[0]))
        assert all(other.box[2] <= xs[0] or other.box[0] >= xs[1] for other in placed)


@given(SPOTS)
@settings(deadline=None)
def test_all_that_is_placed_stays_in_the_picture(spots: list[Spot]) -> None:
    for label in layout(spots, (WIDTH, HEIGHT), LETTERING):
        left, top, right, bottom = label.box
        assert left >= 0 and top >= 0 and right <= WIDTH and bottom <= HEIGHT


@given(st.lists(st.tuples(MIDDLE, st.floats(0, HEIGHT)), max_size=12))
@settings(deadline=None)
def test_a_dozen_labels_in_the_field_are_all_placed(anchors: list[tuple[float, float]]) -> None:
    spots = [Spot("Thecal sac", anchor) for anchor in anchors]
    assert len(layout(spots, (WIDTH, HEIGHT), LETTERING)) == len(spots)


def test_the_layout_of_the_same_labels_is_the_same() -> None:
    spots = [Spot(f"label {index}", (200.0 + 37 * index % 240, 40.0 * index)) for index in range(9)]
    assert layout(spots, (WIDTH, HEIGHT), LETTERING) == layout(spots, (WIDTH, HEIGHT), LETTERING)


def test_a_long_name_is_broken_into_two_even_lines() -> None:
    (label,) = layout([Spot("Ligamentum flavum L4–L5, left", (320.0, 200.0))], (WIDTH, HEIGHT), LETTERING)
    assert label.lines == ("Ligamentum flavum", "L4–L5, left")


def test_a_word_longer_than_its_column_ends_with_an_ellipsis() -> None:
    (label,) = layout([Spot("m" * 60, (320.0, 200.0))], (WIDTH, HEIGHT), LETTERING)
    assert label.lines[0].endswith("…")


def test_where_room_is_short_strong_labels_stay() -> None:
    spots = [Spot(f"label {index}", (320.0, 10.0 * index), strong=index >= 45) for index in range(50)]
    placed = layout(spots, (WIDTH, HEIGHT), LETTERING)
    assert len(placed) < len(spots)
    assert sum(label.strong for label in placed) == 5


def test_labels_stand_on_the_side_of_what_they_name() -> None:
    spots = [Spot("one", (220.0, 100.0)), Spot("two", (420.0, 100.0))]
    left, right = layout(spots, (WIDTH, HEIGHT), LETTERING)
    assert (left.column, right.column) == ("left", "right")
    assert left.lines == ("one",)


@given(SPOTS)
def test_with_the_left_column_first_nothing_stands_right_until_it_is_full(spots: list[Spot]) -> None:
    placed = layout(spots, (WIDTH, HEIGHT), LETTERING, left_only=True)
    columns = [label.column for label in placed]
    assert len(placed) == len(layout(spots, (WIDTH, HEIGHT), LETTERING))
    assert "right" not in columns or columns.count("left") >= len(spots) / 2


@pytest.mark.parametrize("anchor", [(5.0, 100.0), (635.0, 100.0), (300.0, -5.0), (300.0, 540.0)])
def test_a_label_that_points_out_of_the_field_is_left_out(anchor: tuple[float, float]) -> None:
    assert layout([Spot("Thecal sac", anchor)], (WIDTH, HEIGHT), LETTERING) == ()


def test_a_leader_ends_exactly_where_it_points() -> None:
    spots = [Spot(f"label {index}", (200.0 + 20.03 * index, 31.07 * index)) for index in range(10)]
    placed = layout(spots, (WIDTH, HEIGHT), LETTERING)
    assert {label.anchor for label in placed} == {spot.anchor for spot in spots}
    assert np.isfinite([label.port for label in placed]).all()
