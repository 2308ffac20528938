"""Carving: what belongs together stays together, shares are met, and the order of rows is none."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from suite.contracts.strategy import Rows
from suite.contracts.task import TestCarving as Carving
from suite.data import times
from suite.data.audit import normalise
from suite.data.splits import MOST_TEST, Keyed, carve, carve_test
from suite.data.splits import test_share as share_of
from suite.errors import DataError

CLASSES = 5


def keyed(rows):
    """Rows of (text, label, group, time)."""
    texts, labels, groups, moments = zip(*rows, strict=True)
    return Keyed(
        Rows(texts, labels),
        groups if any(groups) else None,
        moments if any(moments) else None,
    )


def of(rows, *, share=0.2, seed=0):
    rest, part = carve(keyed(rows), share=share, seed=seed)
    assert len(rest) + len(part) == len(rows)
    return rest, part


#: Some texts repeat, but for case; a few groups, and rows that come from nobody else.
rows_of = some.lists(
    some.tuples(
        some.integers(0, 60).map(lambda n: f"{'Text' if n % 3 else 'text'} {n // 2}"),
        some.integers(0, CLASSES - 1),
        some.none() | some.integers(0, 12).map("g{}".format),
        some.just(0.0),
    ),
    min_size=1,
    max_size=150,
)
shares = some.floats(0.05, 0.5)


@settings(max_examples=150, deadline=None)
@given(rows=rows_of, share=shares, seed=some.integers(0, 5))
def test_groups_never_straddle(rows, share, seed):
    rest, part = of(rows, share=share, seed=seed)
    if rest.groups is not None:
        assert not (set(rest.groups) & set(part.groups)) - {None}


@settings(max_examples=150, deadline=None)
@given(rows=rows_of, share=shares, seed=some.integers(0, 5), timed=some.booleans())
def test_duplicates_never_straddle(rows, share, seed, timed):
    rows = [(text, label, None, float(len(text)) * timed) for text, label, *_ in rows]
    rest, part = of(rows, share=share, seed=seed)
    assert not set(map(normalise, rest.rows.texts)) & set(map(normalise, part.rows.texts))


@settings(max_examples=150, deadline=None)
@given(rows=rows_of, share=shares, order=some.randoms(use_true_random=False), timed=some.booleans())
def test_the_order_of_rows_is_none(rows, share, order, timed):
    rows = [(*row[:3], float(len(row[0])) * timed) for row in rows]
    _, part = of(rows, share=share)
    mixed = list(rows)
    order.shuffle(mixed)
    _, again = of(mixed, share=share)
    pairs = [sorted(zip(p.rows.texts, p.rows.labels, strict=True)) for p in (part, again)]
    assert pairs[0] == pairs[1]


@settings(max_examples=150, deadline=None)
@given(labels=some.lists(some.integers(0, CLASSES - 1), min_size=1, max_size=200), share=shares)
def test_each_class_gives_its_share_and_never_its_last_row(labels, share):
    rows = [(f"text {row}", label, None, 0.0) for row, label in enumerate(labels)]
    rest, part = of(rows, share=share)
    for label in set(labels):
        count, given = labels.count(label), part.rows.labels.count(label)
        assert given == min(max(round(share * count), count >= 3), count - 1)
        assert label in rest.rows.labels


@settings(max_examples=100, deadline=None)
@given(
    sizes=some.lists(some.integers(1, 8), min_size=12, max_size=40),
    share=shares,
    draw=some.randoms(use_true_random=False),
)
def test_with_groups_shares_are_met_as_far_as_groups_are_whole(sizes, share, draw):
    rows = [
        (f"text {group} {row}", draw.randrange(3), f"g{group}", 0.0)
        for group, size in enumerate(sizes)
        for row in range(size)
    ]
    _, part = of(rows, share=share)
    assert abs(len(part) - share * len(rows)) <= max(sizes) + 3
    # Every class of three groups and more is in both.
    rest, _ = of(rows, share=share)
    for label in range(3):
        if len({group for _, found, group, _ in rows if found == label}) >= 3:
            assert label in rest.rows.labels


@settings(max_examples=100, deadline=None)
@given(moments=some.lists(some.integers(1, 50), min_size=2, max_size=120), share=shares)
def test_the_newest_rows_are_the_part(moments, share):
    rows = [(f"text {row}", row % 2, None, float(at)) for row, at in enumerate(moments)]
    rest, part = of(rows, share=share)
    assert abs(len(part) - share * len(rows)) <= 0.5
    if len(part):
        assert max(rest.times) <= min(part.times)


def test_groups_are_whole_and_the_newest_is_what_counts():
    rows = [(f"text {row}", row % 2, f"g{row // 4}", float(row + 1)) for row in range(80)]
    rest, part = of(rows)
    assert set(part.groups) == {"g16", "g17", "g18", "g19"}
    assert max(rest.times) < min(part.times)
    rows[0] = ("text 0", 0, "g19", 1.0)  # an old row of the newest group goes with it
    _, part = of(rows)
    assert 1.0 in part.times


def test_a_greeting_that_all_send_makes_no_one_group():
    rows = [
        ("hello" if row % 5 == 0 else f"text {row}", row % 2, f"g{row // 5}", 0.0)
        for row in range(1000)
    ]
    rest, part = of(rows)
    assert 190 <= len(part) <= 210
    assert not set(rest.groups) & set(part.groups)


def test_a_group_that_is_nearly_all_rows_stays_in_train():
    rows = [(f"text {row}", row % 2, "one" if row < 90 else f"g{row}", 0.0) for row in range(100)]
    _, part = of(rows)
    assert "one" not in part.groups
    assert len(part) > 0


def test_rows_that_are_added_move_few_others():
    rows = [(f"text {row}", row % 3, None, 0.0) for row in range(1000)]
    before = set(of(rows)[1].rows.texts)
    after = set(of(rows + [(f"new {row}", row % 3, None, 0.0) for row in range(100)])[1].rows.texts)
    assert len(before - after) <= 0.1 * len(before)
    assert len(after) == pytest.approx(220, abs=2)


def test_a_fifth_and_at_most_ten_thousand():
    assert share_of(3000) == 0.2
    rows = Keyed(Rows(tuple(f"text {row}" for row in range(60_000)), (0, 1) * 30_000))
    assert len(carve_test(rows, Carving())[1]) == MOST_TEST
    assert len(carve_test(rows, Carving(share=0.3))[1]) == 18_000
    assert carve_test(rows, Carving(seed=1))[1] != carve_test(rows, Carving())[1]


@pytest.mark.parametrize(
    ("values", "order"),
    [
        (["2024-01-03", "2024-1-2 10:00", "2024-01-02T09:00:00Z", ""], [3, 2, 1, 0]),
        (["13/02/2024", "01/03/2024 9:30"], [0, 1]),
        (["2/13/2024", "3/1/2024"], [0, 1]),
        (["3.2.2024", "2.3.2024"], [0, 1]),
        (["2024年3月4日", "2024年1月2日 10:00"], [1, 0]),
        ([3, "2.5", None, 1.0], [2, 3, 1, 0]),
    ],
)
def test_times_as_people_write_them(values, order):
    found = times.read(values, "created", "rows.csv")
    assert sorted(range(len(values)), key=found.__getitem__) == order


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["03/04/2024", "05/06/2024"], "could be day or month first: 03/04/2024"),
        (["2024-01-01", "soon"], "'created' has what is no date: 'soon'"),
        (["13/02/2024", "02/13/2024"], "'created' has what is no date"),
    ],
)
def test_times_that_could_be_read_wrongly_are_refused(values, expected):
    with pytest.raises(DataError, match=expected) as caught:
        times.read(values, "created", "rows.csv")
    assert caught.value.fix.startswith("Write")


def test_a_large_table_is_carved_in_linear_time():
    draw = random.Random(0)
    rows = [
        (f"text {draw.randrange(40_000)}", draw.randrange(20), f"g{draw.randrange(9000)}", 0.0)
        for _ in range(60_000)
    ]
    _, part = of(rows)
    assert 11_000 < len(part) < 13_000
