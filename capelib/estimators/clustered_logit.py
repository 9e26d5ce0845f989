"""Odds ratios of a yes or no from binary logits, with or without Firth's penalty, for clusters.

Own code, since statsmodels has no Firth's penalty, and corrects its cluster errors by one factor
only (CR1); a second to import it comes on top.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from capelib.display import Result, terms_in_words
from capelib.errors import TooFewCases
from capelib.estimators.panel_counts import cluster_covariance, row_of

TERMS = ["term", "ratio", "low", "high", "p", "df"]
FEWEST = 5  # cases with a yes, and with a no, that a model needs
STEPS = 200  # of Newton's method; a logit that takes more has no maximum


@dataclass(frozen=True, repr=False)
class OddsRatios(Result):
    """A fitted logit.

    Attributes
    ----------
    n, events, clusters : int
        Cases that entered, those with a yes, and their clusters.
    terms : DataFrame
        `term`, `ratio` (odds ratio), `low`, `high` (95 %), `p` (two-sided, of a ratio of 1), `df`
        (degrees of freedom of its t). `low`, `high`, `p` and `df` are missing where one cluster
        decides.
    left_out : tuple of str
        Levels in which all cases have the same answer: they tell nothing of the terms.
    """

    n: int
    events: int
    clusters: int
    terms: pd.DataFrame
    left_out: tuple[str, ...]

    def summary(self) -> str:
        """The ratios in words."""
        return f"{terms_in_words(self.terms)}; n = {self.n:,}"

    def row(self, term: str) -> dict[str, float]:
        """ratio, low, high of a term; missing where it is none."""
        return row_of(self.terms, term)


def odds_ratios(
    event: pd.Series,
    terms: pd.DataFrame,
    cluster: pd.Series,
    levels: pd.Series | None = None,
    firth: bool = False,
) -> OddsRatios:
    """By what factor do the odds of a yes differ with each term, all others equal?

    Parameters
    ----------
    event
        True or False, one a case.
    terms
        Cases by terms, numbers or flags, same index. Cases with a missing value are left out.
    cluster
        Cases with the same value may depend on each other; in the order of `event`.
    levels
        Each of its values gets a level of its own, in the order of `event`; without, there is one
        level.
    firth
        True for Firth's penalty: estimates stay finite where all cases of a kind have the same
        answer, and are less biased where a yes is rare.

    Returns
    -------
    OddsRatios

    Raises
    ------
    TooFewCases
        Where fewer than 5 cases have a yes or a no, a term does not vary, or no finite odds ratio
        fits (then use `firth`).

    Notes
    -----
    The logarithm of the odds is linear in the terms; clusters are independent. The covariance is
    taken as if each cluster were left out in turn (CR3), with Satterthwaite's degrees of freedom,
    see `capelib.estimators.panel_counts.cluster_covariance`.
    For how well the intervals hold see `capelib.questions.host_acts.fellow_odds`; with Firth's
    penalty and few cases of one answer they are wide.

    References
    ----------
    Firth 1993, Biometrika 80, 27-38. Heinze and Schemper 2002, Statistics in Medicine 21,
    2409-2419. Bell and McCaffrey 2002, Survey Methodology 28, 169-181.

    Examples
    --------
    >>> yes = pd.Series([True, False, False, False] * 9 + [True, True, True, False] * 9)
    >>> terms = pd.DataFrame({"member": [False] * 36 + [True] * 36})
    >>> fit = odds_ratios(yes, terms, pd.Series(range(72)))
    >>> round(fit.row("member")["ratio"], 3)  # (3 / 1) / (1 / 3)
    9.0
    """
    names = list(terms)
    answer = event.to_numpy("float64", na_value=np.nan)
    given = _numbers(terms)
    group = pd.factorize(cluster)[0]
    level, level_names = np.zeros(len(event), dtype=int), pd.Index([0])
    if levels is not None:
        level, level_names = pd.factorize(levels, sort=True)
    known = ~np.isnan(answer) & ~np.isnan(given).any(axis=1) & (group >= 0) & (level >= 0)
    left_out: list[str] = []
    if not firth:
        cases = np.bincount(level[known], minlength=len(level_names))
        events = np.bincount(level[known], answer[known], minlength=len(level_names))
        telling = (events > 0) & (events < cases)
        left_out = sorted(map(str, level_names[(cases > 0) & ~telling]))
        known &= telling[level]
    y, given = answer[known], given[known]
    _refuse_too_few(y, names, given)
    group, level = pd.factorize(group[known])[0], np.unique(level[known], return_inverse=True)[1]
    x = np.column_stack([given - given.mean(axis=0), np.eye(level.max() + 1)[level]])
    estimate = _fit(y, x, firth)
    share = special.expit(x @ estimate)
    error, df = _errors(x, share * (1 - share), y - share, group)
    table = _table(names, estimate[: len(names)], error[: len(names)], df[: len(names)])
    return OddsRatios(len(y), int(y.sum()), int(group.max()) + 1, table, tuple(left_out))


def _numbers(terms: pd.DataFrame) -> np.ndarray:
    """Cases by terms; not a number where a value is missing."""
    columns = [terms[name].to_numpy("float64", na_value=np.nan) for name in terms]
    return np.column_stack(columns)


def _refuse_too_few(y: np.ndarray, names: list[str], terms: np.ndarray) -> None:
    if min(y.sum(), len(y) - y.sum()) < FEWEST:
        raise TooFewCases(
            f"odds ratios need {FEWEST} cases of each answer or more; here are "
            f"{int(y.sum())} and {int(len(y) - y.sum())}"
        )
    for name, lowest, highest in zip(names, terms.min(axis=0), terms.max(axis=0), strict=True):
        if lowest == highest:
            raise TooFewCases(f"{name} does not vary among these {len(y)} cases")


def _fit(y: np.ndarray, x: np.ndarray, firth: bool) -> np.ndarray:
    """The estimates of highest (penalised) likelihood, by Newton's method with short steps."""
    estimate = np.zeros(x.shape[1])
    try:
        for _ in range(STEPS):
            share = special.expit(x @ estimate)
            weight = share * (1 - share)
            information = (x * weight[:, None]).T @ x
            score = x.T @ (y - share)
            if firth:
                leverage = weight * np.einsum("ij,ji->i", x, np.linalg.solve(information, x.T))
                score = score + x.T @ (leverage * (0.5 - share))
            step = np.linalg.solve(information, score)
            if abs(step).max() < 1e-9:
                return estimate
            estimate = estimate + step / max(1.0, abs(x @ step).max() / 2)
            if abs(x @ estimate).max() > 30:  # odds beyond e^30 fit as well as any larger
                break
    except np.linalg.LinAlgError:
        raise TooFewCases("the terms cannot be told apart") from None
    raise TooFewCases("no finite odds ratio fits: all cases of a kind have the same answer")


def _errors(
    x: np.ndarray, weight: np.ndarray, residual: np.ndarray, group: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Standard errors and degrees of freedom; missing where a term rests on one cluster."""
    try:
        covariance, df = cluster_covariance(x, weight, residual, group)
    except np.linalg.LinAlgError:
        nothing = np.full(x.shape[1], np.nan)
        return nothing, nothing
    return np.sqrt(np.diag(covariance)), df


def _table(
    names: list[str], estimate: np.ndarray, error: np.ndarray, df: np.ndarray
) -> pd.DataFrame:
    """The columns `TERMS`."""
    width = special.stdtrit(df, 0.975) * error
    with np.errstate(over="ignore"):  # a bound that is not known at all is infinite
        numbers = [np.exp(estimate), np.exp(estimate - width), np.exp(estimate + width)]
    p = 2 * special.stdtr(df, -abs(estimate) / error)
    return pd.DataFrame(dict(zip(TERMS, [names, *numbers, p, df], strict=True)))
