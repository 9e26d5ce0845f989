"""Shares: intervals that agree with published tables and cover as often as they say, and shares
counted by hand.
"""

from itertools import product
from math import prod, sqrt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from shared import examples
from statsmodels.stats.proportion import confint_proportions_2indep

from capelib.errors import ParameterError, TooFewCases
from capelib.estimators import shares
from capelib.estimators.shares import difference, mean_of_shares, wilson

COUNTS = st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
cheap = settings(max_examples=examples(40), deadline=None, derandomize=True)


def chance(n: int, p: float) -> np.ndarray:
    """The binomial probability of each possible k of n: coverage is summed exactly, nothing is
    simulated.
    """
    return stats.binom.pmf(np.arange(n + 1), n, p)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_intervals_that_newcombe_printed(k, n, low, high):
    """Newcombe 1998, Statistics in Medicine 17, 857-872, table I, method 3."""
    share = wilson(k, n)
    assert (share.k, share.n, share.share) == (k, n, k / n)
    assert (round(share.low, 4), round(share.high, 4)) == (low, high)


@cheap
@given(COUNTS, st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_wilson_agrees_with_its_closed_form(cell, level):
    k, n = cell
    z = stats.norm.ppf((1 + level) / 2)
    root = z * sqrt(z * z + 4 * k * (n - k) / n)
    expected = (
        (2 * k + z * z - root) / (2 * (n + z * z)),
        (2 * k + z * z + root) / (2 * (n + z * z)),
    )
    assert wilson(k, n, level)[3:] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("n", [20, 50, 250])
def test_wilson_covers_the_true_share_in_95_of_100_cases(n):
    intervals = np.array([wilson(k, n)[3:] for k in range(n + 1)])
    truths = np.linspace(0.1, 0.9, 161)
    covered = [chance(n, p)[(intervals[:, 0] <= p) & (p <= intervals[:, 1])].sum() for p in truths]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.005)
    assert (
        min(covered) > 0.92
    )  # counts are whole numbers: at single shares no interval holds 95 % exactly


@pytest.mark.parametrize(
    ("a", "b", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_the_difference_gives_the_intervals_that_newcombe_printed(a, b, low, high):
    """Newcombe 1998, Statistics in Medicine 17, 873-890, table II, method 10."""
    gap = difference(wilson(*a), wilson(*b))
    assert gap.value == pytest.approx(a[0] / a[1] - b[0] / b[1])
    assert (round(gap.low, 4), round(gap.high, 4)) == (low, high)


@cheap
@given(COUNTS, COUNTS)
def test_the_difference_is_put_together_from_the_two_wilson_intervals(first, second):
    a, b = wilson(*first), wilson(*second)
    low = a.share - b.share - sqrt((a.share - a.low) ** 2 + (b.high - b.share) ** 2)
    high = a.share - b.share + sqrt((a.high - a.share) ** 2 + (b.share - b.low) ** 2)
    assert difference(a, b) == pytest.approx((a.share - b.share, low, high), abs=1e-9)


@pytest.mark.parametrize(("n", "m"), [(20, 20), (30, 45)])
def test_the_difference_covers_the_truth_in_95_of_100_cases(n, m):
    intervals = np.array(
        [[difference(wilson(i, n), wilson(j, m))[1:] for j in range(m + 1)] for i in range(n + 1)]
    )
    covered = []
    for p, q in product(np.linspace(0.1, 0.9, 9), repeat=2):
        holds = (intervals[..., 0] <= p - q + 1e-12) & (p - q - 1e-12 <= intervals[..., 1])
        covered.append((np.outer(chance(n, p), chance(m, q)) * holds).sum())
    assert np.mean(covered) == pytest.approx(0.95, abs=0.005)
    assert min(covered) > 0.92


@cheap
@given(COUNTS, COUNTS)
def test_the_mean_of_two_shares_agrees_with_statsmodels(first, second):
    """a - b is twice the mean of a and of (1 - b), minus one: for two shares the method is Agresti
    and Caffo's.
    """
    (k, n), (j, m) = first, second
    mean = mean_of_shares([wilson(k, n), wilson(m - j, m)])
    low, high = confint_proportions_2indep(k, n, j, m, method="agresti-caffo", compare="diff")
    assert 2 * mean.value - 1 == pytest.approx(k / n - j / m)
    assert (2 * mean.low - 1, 2 * mean.high - 1) == pytest.approx(
        (max(low, -1), min(high, 1)), abs=1e-6
    )


def test_the_mean_of_one_share_is_that_share():
    assert mean_of_shares([wilson(7, 19)]) == pytest.approx(wilson(7, 19)[2:])


def test_the_mean_of_three_shares_covers_the_truth_in_95_of_100_cases():
    sizes = (18, 24, 30)
    tables = [[wilson(k, n) for k in range(n + 1)] for n in sizes]
    cells = np.array([mean_of_shares(triple)[1:] for triple in product(*tables)])
    covered = []
    for truth in (
        (0.5, 0.5, 0.5),
        (0.3, 0.3, 0.3),
        (0.3, 0.5, 0.8),
        (0.6, 0.7, 0.8),
        (0.2, 0.4, 0.4),
    ):
        weight = np.array(
            [
                prod(item)
                for item in product(*(chance(n, p) for n, p in zip(sizes, truth, strict=True)))
            ]
        )
        covered.append(
            weight[(cells[:, 0] <= np.mean(truth)) & (np.mean(truth) <= cells[:, 1])].sum()
        )
    assert np.mean(covered) == pytest.approx(0.95, abs=0.01)
    assert min(covered) > 0.93


def test_the_mean_of_ten_yearly_shares_covers_the_truth_with_some_fifty_cases_a_year():
    """Simulation, 2,000 draws: the Monte Carlo error is 0.5 points, three of them are allowed."""
    rng, sizes = np.random.default_rng(20), np.array([39, 31, 31, 76, 71, 42, 34, 79, 49, 53])
    truth = np.linspace(0.35, 0.75, 10)
    hits = 0
    known = {(k, int(n)): wilson(k, int(n)) for n in set(sizes) for k in range(n + 1)}
    for drawn in rng.binomial(sizes, truth, (2000, 10)):
        mean = mean_of_shares([known[int(k), int(n)] for k, n in zip(drawn, sizes, strict=True)])
        hits += mean.low <= truth.mean() <= mean.high
    assert hits / 2000 == pytest.approx(0.95, abs=3 * sqrt(0.95 * 0.05 / 2000))


@pytest.mark.parametrize(("years", "cases", "truth"), [(10, 10, 0.1), (20, 10, 0.1), (7, 12, 0.5)])
def test_the_mean_of_many_years_of_few_cases_covers_the_truth(years, cases, truth):
    """Simulation, 2,000 draws; an interval put together from Wilson's holds the second in 87 %."""
    rng = np.random.default_rng(4)
    known = [wilson(k, cases) for k in range(cases + 1)]
    means = [
        mean_of_shares([known[k] for k in drawn])
        for drawn in rng.binomial(cases, truth, (2000, years))
    ]
    assert 0.93 < np.mean([mean.low <= truth <= mean.high for mean in means]) < 0.975


def test_a_share_of_nothing_and_impossible_counts_are_refused():
    with pytest.raises(TooFewCases, match="no cases: a share needs at least one"):
        wilson(0, 0)
    for k in (-1, 6):
        with pytest.raises(ParameterError, match=f"k must lie between 0 and n, not {k} of 5"):
            wilson(k, 5)
    for k, n in ((2.5, 5), (2, 5.5)):
        with pytest.raises(ParameterError, match="k and n must be whole numbers"):
            wilson(k, n)
    with pytest.raises(TooFewCases, match="no shares to average"):
        mean_of_shares([])


def incidents_of(rows: list[tuple]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["origin", "host", "year"]).astype(
        {"origin": "str", "host": "str", "year": "Int64"}
    )


def marked_frame(rows: list[tuple]) -> pd.DataFrame:
    return shares.authoritarian_hosts(incidents_of(rows))


# Not Free in these years: TJK, UZB, RUS, KAZ. Partly Free: KGZ (Not Free in 2009). Free: DEU.
CASES = [
    (("TJK", "RUS", 2011), True),
    (("TJK", "KGZ", 2011), False),
    (("TJK", "KGZ", 2009), True),
    (("KGZ", "RUS", 2011), False),
    (("UZB", "DEU", 2011), False),
    (("TJK", "TJK", 2011), False),  # at home: not another state's soil
    (("TJK", None, 2011), None),
    (("KGZ", None, 2011), None),  # unknown, though no host could make it count
    (("TJK", "RUS", None), None),
    (("TJK", "RUS", 1950), None),
]


@pytest.mark.parametrize(("row", "expected"), CASES)
def test_only_an_authoritarian_state_on_the_soil_of_another_one_counts(row, expected):
    marks = marked_frame([row, ("TJK", "RUS", 2011)])["on_authoritarian_soil"]
    assert str(marks.dtype) == "boolean"
    assert (None if pd.isna(marks[0]) else bool(marks[0])) is expected


def test_the_reader_chooses_which_states_count_as_authoritarian():
    rows = incidents_of([("TJK", "KGZ", 2011), ("TJK", "DEU", 2011)])
    assert shares.authoritarian_hosts(rows, "fiw", "PF")["on_authoritarian_soil"].tolist() == [
        True,
        False,
    ]
    with pytest.raises(ParameterError, match="unknown cut-off of fiw 'F'"):
        shares.authoritarian_hosts(rows, "fiw", "F")


def test_a_corridor_names_origin_and_host_and_is_missing_without_a_host():
    marks = marked_frame([("TJK", "RUS", 2011), ("TJK", None, 2011)])["corridor"]
    assert marks[0] == "TJK to RUS"
    assert pd.isna(marks[1])
