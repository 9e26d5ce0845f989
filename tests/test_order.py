"""Order: what dates can tell agrees with trying every day that they allow, and bounds always hold
the truth.
"""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from shared import examples

from capelib.errors import TooFewCases
from capelib.estimators.event_order import (
    AFTER,
    BEFORE,
    FIRST,
    NONE,
    NOT_FIRST,
    SAME,
    UNKNOWN,
    bounds,
    comes_first,
    then,
)
from capelib.estimators.shares import wilson
from capelib.vocabulary.edtf import bounds as days_of

# The days on which anything can happen in the enumerations; a blank date is any, and beyond.
WINDOW = range(5)
cheap = settings(max_examples=examples(150), deadline=None, derandomize=True)


def dated(rows: list[tuple[str, str | None]]) -> pd.DataFrame:
    """Incidents of (exile, EDTF date)."""
    frame = pd.DataFrame(rows, columns=["exile_id", "date"]).astype("str")
    return frame.join(days_of(frame["date"]))


def of_days(spans: list[tuple[int, int] | None]) -> pd.DataFrame:
    """Incidents of one exile, each between a first and a last day (numbers), or without a date."""
    start, end = (
        [
            None if span is None else pd.Timestamp("2015-01-01") + pd.Timedelta(days=span[place])
            for span in spans
        ]
        for place in (0, 1)
    )
    return pd.DataFrame(
        {
            "exile_id": "A",
            "date_start": pd.to_datetime(pd.Series(start)),
            "date_end": pd.to_datetime(pd.Series(end)),
        }
    )


SPAN = st.one_of(
    st.none(),
    st.tuples(st.sampled_from(WINDOW), st.sampled_from(WINDOW)).map(
        lambda pair: (min(pair), max(pair))
    ),
)
ROWS = st.lists(st.tuples(SPAN, st.booleans(), st.booleans()), min_size=1, max_size=4)


def resolutions(spans):
    """Every way in which the dates can be filled in."""
    return product(
        *[
            range(WINDOW[0] - 1, WINDOW[-1] + 2) if span is None else range(span[0], span[1] + 1)
            for span in spans
        ]
    )


@cheap
@given(ROWS)
def test_first_is_what_every_possible_day_agrees_on(rows):
    spans, step = [row[0] for row in rows], [row[1] for row in rows]
    if not any(step):
        return
    verdicts = set()
    for days in resolutions(spans):
        mine, others = (
            [day for day, own in zip(days, step, strict=True) if own is side]
            for side in (True, False)
        )
        verdicts |= (
            {FIRST}
            if not others or min(mine) < min(others)
            else {NOT_FIRST}
            if min(others) < min(mine)
            else {FIRST, NOT_FIRST}
        )
    order = comes_first(of_days(spans), pd.Series(step))
    assert order.loc["A", "order"] == (verdicts.pop() if len(verdicts) == 1 else UNKNOWN)
    assert order.loc["A", "alone"] == all(step)


@cheap
@given(ROWS)
def test_after_is_what_every_possible_day_agrees_on(rows):
    spans, step, later = (
        [row[0] for row in rows],
        [row[1] for row in rows],
        [row[2] for row in rows],
    )
    if not any(step):
        return
    verdicts = set()
    for days in resolutions(spans):
        first = min(day for day, own in zip(days, step, strict=True) if own)
        others = [
            day for day, own, other in zip(days, step, later, strict=True) if other and not own
        ]
        if others:
            verdicts |= (
                {AFTER}
                if max(others) > first
                else {BEFORE}
                if max(others) < first
                else {AFTER, BEFORE}
            )
    expected = NONE if not verdicts else verdicts.pop() if len(verdicts) == 1 else UNKNOWN
    if any(own and other for own, other in zip(step, later, strict=True)):
        expected = SAME
    assert then(of_days(spans), pd.Series(step), pd.Series(later))["A"] == expected


@pytest.mark.parametrize(
    ("step", "other", "order"),
    [
        ("2015-03", "2015-04-01", FIRST),
        ("2015-03", "2015-02", NOT_FIRST),
        ("2015", "2015-04-01", UNKNOWN),
        ("2015-04-01", "2015-04-01", UNKNOWN),  # the same day: no hour is known
        ("2014", "2015", FIRST),
        (None, "2015", UNKNOWN),
        ("2015", None, UNKNOWN),
    ],
)
def test_the_order_of_two_dates(step, other, order):
    orders = comes_first(dated([("A", step), ("A", other)]), pd.Series([True, False]))
    assert orders.loc["A", "order"] == order
    assert not orders.loc["A", "alone"]


def test_one_dated_step_before_everything_else_is_enough_even_where_another_step_has_no_date():
    rows = dated(
        [("A", "2010"), ("A", None), ("A", "2012"), ("B", None), ("B", "2012"), ("C", None)]
    )
    order = comes_first(rows, pd.Series([True, True, False, True, False, True]))
    assert order["order"].tolist() == [FIRST, UNKNOWN, FIRST]
    assert order["alone"].tolist() == [
        False,
        False,
        True,
    ]  # C: an undated step is first for want of others


def test_an_exile_without_the_step_is_not_asked():
    order = comes_first(dated([("A", "2010"), ("B", "2011")]), pd.Series([True, False]))
    assert list(order.index) == ["A"]
    assert comes_first(dated([("A", "2010")]), pd.Series([False])).empty
    assert then(dated([("A", "2010")]), pd.Series([False]), pd.Series([True])).empty


def test_what_is_recorded_before_and_after_counts_as_after():
    rows = dated([("A", "2010"), ("A", "2012"), ("A", "2014")])
    assert then(rows, pd.Series([False, True, False]), pd.Series([True, False, True]))["A"] == AFTER
    assert (
        then(rows, pd.Series([False, False, True]), pd.Series([True, True, False]))["A"] == BEFORE
    )


def test_bounds_count_the_unknown_as_no_and_as_yes():
    share = bounds(14, 11, 29)
    assert (share.lower, share.upper) == (14 / 29, 25 / 29)
    assert (share.low, share.high) == (wilson(14, 29).low, wilson(25, 29).high)
    assert bounds(3, 0, 8)[3:] == (3 / 8, 3 / 8, *wilson(3, 8)[3:])
    with pytest.raises(TooFewCases):
        bounds(0, 0, 0)


@pytest.mark.parametrize(("yes", "no"), [(0.3, 0.3), (0.6, 0.0), (0.0, 0.6), (0.0, 0.0)])
def test_the_limits_hold_the_true_share_in_95_of_100_samples_however_dates_go_missing(yes, no):
    """yes, no: the chance that a case cannot be told, by what it is. The probability is summed
    exactly.
    """
    n, covered = 29, []
    for p in np.linspace(0.15, 0.85, 15):
        cells = [(k, u) for k in range(n + 1) for u in range(n + 1 - k)]
        chance = stats.multinomial.pmf(
            [(k, u, n - k - u) for k, u in cells],
            n,
            [p * (1 - yes), p * yes + (1 - p) * no, (1 - p) * (1 - no)],
        )
        limits = np.array([LIMITS[k, u] for k, u in cells])
        covered.append(chance[(limits[:, 0] <= p) & (p <= limits[:, 1])].sum())
    assert np.mean(covered) > 0.945
    assert min(covered) > 0.92


LIMITS = {
    (k, u): (wilson(k, 29).low, wilson(k + u, 29).high) for k in range(30) for u in range(30 - k)
}


@pytest.mark.slow
def test_the_share_lies_between_the_bounds_in_every_simulated_collection():
    """Days are drawn, then coarsened to month, year or nothing: the share by the true days lies
    between the bounds each time.
    """
    rng = np.random.default_rng(11)
    for _ in range(60):
        n = 40
        day = pd.Timestamp("2010-01-01") + pd.to_timedelta(
            rng.integers(0, 1500, (n, 3)).ravel(), unit="D"
        )
        exile, step = np.repeat([f"E{i}" for i in range(n)], 3), np.tile([True, False, False], n)
        truth = (
            pd.Series(day)
            .groupby(exile)
            .apply(lambda days: days.iloc[0] < days.iloc[1:].min())
            .sum()
        )
        forms = rng.choice(["%Y-%m-%d", "%Y-%m", "%Y", ""], 3 * n, p=[0.4, 0.25, 0.25, 0.1])
        text = [
            when.strftime(form) if form else None for when, form in zip(day, forms, strict=True)
        ]
        order = comes_first(dated(list(zip(exile, text, strict=True))), pd.Series(step))[
            "order"
        ].value_counts()
        share = bounds(int(order[FIRST]), int(order[UNKNOWN]), n)
        assert share.k <= truth <= share.k + share.unknown
        assert 0 < share.unknown < n
