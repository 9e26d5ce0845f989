"""Many defensible ways to one number: what they give together, and whether chance gives as much."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import special

from capelib.display import as_html, in_words
from capelib.errors import ParameterError

TIE = 1e-9  # estimates that differ by less are equal
STEPS = 25  # of Newton's method, for the model without the mark
LITTLE = 1e-3  # information on a mark below which there is no estimate


class JointTest(NamedTuple):
    """A specification curve against labels that were moved.

    Attributes
    ----------
    median
        Of the estimates.
    p_median
        Share of labelings with a median at least as far from 0.
    p_each
        The same for each specification alone.
    passing
        How many of these are 0.05 or less.
    p_passing
        Share of labelings in which as many pass.
    labelings
        How many there are, the true one included: no p is below 1 / labelings.
    """

    median: float
    p_median: float
    p_each: np.ndarray
    passing: int
    p_passing: float
    labelings: int

    __repr__ = in_words
    _repr_html_ = as_html


def joint_test(estimates: np.ndarray) -> JointTest:
    """Do many specifications together show more than chance would?

    Parameters
    ----------
    estimates
        One row a labeling, the true one first; one column a specification. A labeling is the
        regressor moved between the units to which it was assigned, all other data kept.

    Returns
    -------
    JointTest
        All p are two-sided and count the true labeling.

    Raises
    ------
    ParameterError
        With one labeling, or an estimate that is missing.

    Notes
    -----
    Under the hypothesis that the regressor has no effect, every labeling was as likely as the true
    one, for all specifications at once; so no assumption is needed on how these depend on each
    other. The unit that is moved must be that at which the regressor was assigned: a regime is
    assigned to a host and year, a period to a year. Moving rows instead takes rows reported
    together as independent, and gives a p that is too small.

    The median and the number that pass can disagree: the one asks whether the whole curve lies
    aside, the other whether many parts of it do.

    References
    ----------
    Simonsohn, Simmons and Nelson 2020, Nature Human Behaviour 4, 1208-1214.

    Examples
    --------
    >>> test = joint_test(np.array([[3.0, 2.0], [0.0, 1.0], [-1.0, 0.0], [1.0, -3.0]]))
    >>> test.median, test.p_median, test.p_each.tolist()
    (2.5, 0.25, [0.25, 0.5])
    """
    if len(estimates) < 2 or np.isnan(estimates).any():
        raise ParameterError("a joint test needs two labelings or more, and every estimate")
    median = np.median(estimates, axis=1)
    far = np.abs(estimates)
    # p of each labeling's own estimates, in the same reference
    p = np.empty_like(far)
    for column, values in enumerate(far.T):
        rising = np.sort(values)
        p[:, column] = 1 - np.searchsorted(rising, values - TIE, side="left") / len(values)
    passing = (p <= 0.05 + TIE).sum(axis=1)
    p_median = (np.abs(median) >= abs(median[0]) - TIE).mean()
    p_passing = (passing >= passing[0]).mean()
    return JointTest(
        float(median[0]), float(p_median), p[0], int(passing[0]), float(p_passing), len(estimates)
    )


def gaps(hits: np.ndarray, cases: np.ndarray, late: np.ndarray) -> np.ndarray:
    """How much higher is the share in the later units, for each specification and labeling?

    Parameters
    ----------
    hits, cases
        Specifications by groups by units (such as pursuing states and years).
    late
        Labelings by units, True for the later ones.

    Returns
    -------
    array
        Labelings by specifications by two: the change of the pooled share, and the part of it
        within groups (Kitagawa's, see `cape.decomposition.kitagawa`). Missing where a side is
        empty.

    Examples
    --------
    >>> hits, cases = np.array([[[1, 2, 3]]]), np.array([[[4, 4, 4]]])
    >>> gaps(hits, cases, np.array([[False, False, True]])).tolist()
    [[[0.375, 0.375]]]
    """
    side = np.stack([~late, late]).astype(float)  # 2, labelings, units
    k = np.einsum("sgu,pau->pasg", hits, side)
    n = np.einsum("sgu,pau->pasg", cases, side)
    with np.errstate(divide="ignore", invalid="ignore"):
        share, weight = k / n, n / n.sum(axis=-1, keepdims=True)
    total = k.sum(axis=-1) / np.where(n.sum(axis=-1) > 0, n.sum(axis=-1), np.nan)
    inside = (weight[0] + weight[1]) / 2 * (share[1] - share[0])
    within = np.where((n[0] > 0) & (n[1] > 0), inside, 0).sum(axis=-1)
    change = total[1] - total[0]
    return np.stack([change, np.where(np.isnan(change), np.nan, within)], axis=-1)


def moved_within(kinds: np.ndarray, labelings: int, seed: int = 1) -> np.ndarray:
    """Which unit lends its mark to which, where marks are moved among units of one kind?

    Parameters
    ----------
    kinds
        The kind of each unit; marks never leave their kind.
    labelings
        How many; the first is the true one.
    seed
        Of the random numbers.

    Returns
    -------
    array of int
        Labelings by units: the number of the unit whose mark this unit takes.

    Examples
    --------
    >>> moved_within(np.array(["NF", "F", "NF", "F"]), 2).tolist()[0]
    [0, 1, 2, 3]
    """
    rng = np.random.default_rng(seed)
    lender = np.tile(np.arange(len(kinds)), (labelings, 1))
    for kind in np.unique(kinds):
        places = np.flatnonzero(kinds == kind)
        lender[1:, places] = rng.permuted(lender[1:, places], axis=1)
    return lender


def odds_of_marks(
    marks: np.ndarray, event: np.ndarray, held_equal: Sequence[np.ndarray]
) -> np.ndarray:
    """By what factor are the odds of an event higher with a mark, for each labeling?

    Parameters
    ----------
    marks
        Labelings by cases, 1 where the case has the mark, 0 where not.
    event
        1 or 0, one a case; missing where the case does not count.
    held_equal
        For each specification cases by terms, among them a level.

    Returns
    -------
    array
        Labelings by specifications: the logarithm of the odds ratio; infinite where a labeling
        shows nothing of it, so that it counts as far from 0.

    Notes
    -----
    One Newton step from the logit without the mark, Peto's estimate where only a level is held
    equal: U / I, with U the sum of event minus its chance over the marked cases, and I the variance
    of U with the terms estimated. That logit is the same for all labelings, so a thousand of them
    cost one product of matrices. The step falls short of the best fit where the ratio is far from
    1, in truth and where marks are moved.

    References
    ----------
    Yusuf, Peto, Lewis, Collins and Sleight 1985, Progress in Cardiovascular Diseases 27, 335-371.

    Examples
    --------
    >>> event = np.repeat([1.0, 0, 1, 0], [12, 8, 8, 12])
    >>> marks = np.repeat([[1.0, 0]], 20, axis=1)
    >>> odds_of_marks(marks, event, [np.ones((40, 1))]).round(3).tolist()  # log of 2.25: 0.811
    [[0.8]]
    """
    counts = ~np.isnan(event)
    columns, inverses = [], []
    for terms in held_equal:
        share = _chances(event[counts], terms[counts])
        weight = share * (1 - share)
        weighted = terms[counts] * weight[:, None]
        inverses.append(np.linalg.inv(weighted.T @ terms[counts] + _small(terms)))
        columns += [event[counts] - share, weight, *weighted.T]
    of_cases = np.zeros((len(event), len(columns)), marks.dtype)
    of_cases[counts] = np.column_stack(columns)
    sums = (marks @ of_cases).astype(float)
    estimates, place = [], 0
    for inverse in inverses:
        score, total = sums[:, place], sums[:, place + 1]
        shared = sums[:, place + 2 : place + 2 + len(inverse)]
        place += 2 + len(inverse)
        information = total - ((shared @ inverse) * shared).sum(axis=1)
        shows = information > LITTLE
        estimates.append(np.where(shows, score / np.where(shows, information, 1.0), np.inf))
    return np.column_stack(estimates)


def _small(terms: np.ndarray) -> np.ndarray:
    """Keeps a level without cases from having no solution; it changes no digit shown."""
    return 1e-6 * np.eye(terms.shape[1])


def _chances(event: np.ndarray, terms: np.ndarray) -> np.ndarray:
    """The chance of an event in each case by the logit with these terms."""
    estimate = np.zeros(terms.shape[1])
    for _ in range(STEPS):
        share = special.expit(terms @ estimate)
        weighted = terms * (share * (1 - share))[:, None]
        step = np.linalg.solve(weighted.T @ terms + _small(terms), terms.T @ (event - share))
        estimate = estimate + step / max(1.0, abs(terms @ step).max() / 2)
        if abs(step).max() < 1e-8:
            break
    return special.expit(terms @ estimate)
