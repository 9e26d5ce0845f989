"""Agreement of coders, against published tables and the library's own kappa."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.inter_rater import cohens_kappa

from capelib.errors import ParameterError, TooFewCases
from capelib.estimators.agreement import agreement, alpha

NONE = np.nan
# Krippendorff's example: four coders, twelve units.
FOUR_CODERS = pd.DataFrame(
    {
        "A": [1, 2, 3, 3, 2, 1, 4, 1, 2, NONE, NONE, NONE],
        "B": [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NONE, 3],
        "C": [NONE, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NONE],
        "D": [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NONE],
    }
)
# Answers of husbands (rows) and wives (columns).
COUPLES = np.array([[7, 7, 2, 3], [2, 8, 3, 7], [1, 5, 4, 9], [2, 8, 9, 14]])


def cases(table: np.ndarray) -> tuple[pd.Series, pd.Series]:
    """The codes of both coders, one row a case, of a table of counts."""
    first, second = (place.ravel().repeat(table.ravel()) for place in np.indices(table.shape))
    return pd.Series(first), pd.Series(second)


@pytest.mark.parametrize(
    ("metric", "published"),
    [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)],
)
def test_alpha_is_krippendorffs(metric, published):
    assert alpha(FOUR_CODERS, metric) == pytest.approx(published, abs=5e-4)


def test_kappa_is_cohens_and_the_librarys():
    result = agreement(*cases(COUPLES))
    assert result.kappa == pytest.approx(0.12933, abs=1e-5)
    assert result.kappa == pytest.approx(cohens_kappa(COUPLES).kappa)
    low, high = result.kappa_low, result.kappa_high
    assert (low, high) == pytest.approx((-0.005, 0.264), abs=0.02)  # by its asymptotic error


@pytest.mark.parametrize(("weight", "published"), [("linear", 0.23738), ("quadratic", 0.33205)])
def test_the_librarys_weighted_kappa_is_the_published_one(weight, published):
    assert cohens_kappa(COUPLES, wt=weight).kappa == pytest.approx(published, abs=1e-5)


def test_both_ways_to_alpha_agree_for_two_coders():
    first, second = cases(COUPLES)
    both = pd.DataFrame({"husband": first, "wife": second})
    assert agreement(first, second).alpha == pytest.approx(alpha(both))


def test_perfect_agreement_on_one_code_shows_nothing():
    same = pd.Series(["a"] * 9)
    result = agreement(same, same)
    assert result.agree == 1
    assert np.isnan(result.kappa)
    assert np.isnan(result.alpha)
    assert np.isnan(alpha(pd.DataFrame({"one": [1, 1], "two": [1, 1]})))


def test_a_blank_is_a_value_of_its_own():
    first, second = pd.Series(["a", None, "b", None]), pd.Series(["a", None, "b", "a"])
    assert agreement(first, second).agree == 0.75


def test_cases_drawn_together_widen_the_interval():
    first, second = cases(COUPLES)
    number = np.arange(len(first)) // 7  # in the order of the table: neighbours are alike
    alone, together = agreement(first, second), agreement(first, second, pd.Series(number))
    assert together.clusters == 13
    assert together.kappa == alone.kappa
    assert together.kappa_high - together.kappa_low > alone.kappa_high - alone.kappa_low


def test_what_cannot_be_measured_is_refused_in_one_line():
    with pytest.raises(TooFewCases, match="no case"):
        agreement(pd.Series([], dtype="str"), pd.Series([], dtype="str"))
    with pytest.raises(TooFewCases, match="two coders"):
        alpha(pd.DataFrame({"one": [1, NONE], "two": [NONE, 2]}))
    with pytest.raises(ParameterError, match="metric must be"):
        alpha(FOUR_CODERS, "circular")
