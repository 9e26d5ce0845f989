"""Ordered (proportional odds) and binary logits whose intervals allow for cases in clusters.

Own code, since statsmodels' `OrderedModel` takes some 60 times as long for the same slopes, and its
cluster errors are 5 to 13 % smaller than those of leaving each cluster out.
"""

from typing import NamedTuple

import numpy as np
from scipy import optimize, sparse, special, stats
from scipy.special import expit

from capelib.errors import TooFewCases

MOST_BITS = 50  # terms that fit into a whole number, with the value


class _Cases(NamedTuple):
    """The distinct cases, how many of each there are, and the place of each case among them.

    Cases that are alike are worked out once.
    """

    y: np.ndarray
    x: np.ndarray
    number: np.ndarray
    place: np.ndarray


def separated(y: np.ndarray, x: np.ndarray) -> bool:
    """Do the data allow an infinite odds ratio? Then the likelihood has no maximum.

    Parameters
    ----------
    y
        Whole numbers from 0, each of which occurs; one a case.
    x
        Cases by terms, without a constant.

    Returns
    -------
    bool
        True where a linear program finds a direction of cuts and slopes along which no case's
        value becomes less likely and one becomes more likely.

    References
    ----------
    Albert and Anderson 1984, Biometrika 71, 1-10.

    Examples
    --------
    >>> separated(np.array([0, 1, 1, 1]), np.array([[0.0], [0.0], [1.0], [1.0]]))
    True
    """
    cases = _distinct(y, x)
    y, x = cases.y, cases.x
    last = y.max()
    cut = np.eye(last + 1)[:, :last]  # the cut above each value; none above the last
    above = np.column_stack([cut[y], -x])[y < last]
    below = np.column_stack([-np.roll(cut, 1, axis=0)[y], x])[y > 0]
    gain = np.vstack([above, below])
    best = optimize.linprog(-gain.sum(axis=0), A_ub=-gain, b_ub=np.zeros(len(gain)), bounds=(-1, 1))
    return bool(best.fun < -1e-7)


def ordered_logit(
    y: np.ndarray, x: np.ndarray, cluster: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What are the log odds ratios of a higher value, and how do they shift without each cluster?

    Parameters
    ----------
    y
        Whole numbers from 0, each of which occurs; with two of them this is the binary logit.
    x
        Cases by terms, without a constant.
    cluster
        Whole numbers from 0, one a case.

    Returns
    -------
    slopes : ndarray
        Log odds ratios of a higher value, one a term.
    shifts : ndarray
        Clusters by terms. shifts.T @ shifts is the covariance of the slopes (the jackknife over
        clusters, in one Newton step each).

    Raises
    ------
    TooFewCases
        Where an odds ratio rests on one cluster. Ask `separated` first: then there is a maximum.

    References
    ----------
    McCullagh 1980, Journal of the Royal Statistical Society B 42, 109-142. Bell and McCaffrey
    2002, Survey Methodology 28, 169-181 (leaving clusters out, there for linear models).

    Examples
    --------
    >>> y = np.array([0, 0, 0, 1] * 9 + [0, 1, 1, 1] * 9)
    >>> slopes, shifts = ordered_logit(y, np.repeat([[0.0], [1.0]], 36, axis=0), np.arange(72))
    >>> round(float(np.exp(slopes[0])), 3)  # (3 / 1) / (1 / 3)
    9.0
    """
    cases = _distinct(y, x)
    cuts, slopes = _most_likely(cases)
    score, information = _pieces(cases.y, cases.x, cuts, slopes)
    # How many of each case a cluster holds: the sums of clusters are products with it.
    held = sparse.csr_array((np.ones(len(y)), (cluster, cases.place)))
    cluster_score = held @ score
    cluster_information = (held @ information.reshape(len(score), -1)).reshape(
        -1, *information.shape[1:]
    )
    without = np.tensordot(cases.number, information, 1) - cluster_information
    try:
        shifts = np.linalg.solve(without, cluster_score[..., None])[..., 0]
    except np.linalg.LinAlgError:
        raise TooFewCases(
            "an odds ratio rests on one source or episode alone: it has no interval"
        ) from None
    return slopes, shifts[:, len(cuts) :]


def _distinct(y: np.ndarray, x: np.ndarray) -> _Cases:
    if x.shape[1] < MOST_BITS and ((x == 0) | (x == 1)).all():
        # As one number each they are sorted in the same order, in a tenth of the time.
        bits = 1 << np.arange(x.shape[1])[::-1]
        key = (y.astype(int) << x.shape[1]) + x.astype(int) @ bits
        _, first, place, number = np.unique(
            key, return_index=True, return_inverse=True, return_counts=True
        )
        return _Cases(y[first].astype(int), x[first], number, place)
    cells, place, number = np.unique(
        np.column_stack([y, x]), axis=0, return_inverse=True, return_counts=True
    )
    return _Cases(cells[:, 0].astype(int), cells[:, 1:], number, place)


def _most_likely(cases: _Cases) -> tuple[np.ndarray, np.ndarray]:
    """Cuts and slopes of the highest likelihood. It is concave: Newton's steps, halved to climb."""
    y, x, number, _ = cases
    below = np.cumsum(np.bincount(y, number))[:-1] / number.sum()
    cuts = len(below)
    estimate = np.concatenate([np.log(below / (1 - below)), np.zeros(x.shape[1])])  # no slopes yet
    likelihood = _likelihood(y, x, number, estimate[:cuts], estimate[cuts:])
    for _ in range(50):
        score, information = _pieces(y, x, estimate[:cuts], estimate[cuts:])
        step = np.linalg.lstsq(np.tensordot(number, information, 1), number @ score)[0]
        while np.abs(step).max() >= 1e-9:
            tried = estimate + step
            higher = _likelihood(y, x, number, tried[:cuts], tried[cuts:])
            if higher >= likelihood:
                break
            step = step / 2
        else:
            return estimate[:cuts], estimate[cuts:]
        estimate, likelihood = tried, higher
    raise TooFewCases("no ordered logit can be fitted to so few cases")


def _edges(
    y: np.ndarray, x: np.ndarray, cuts: np.ndarray, slopes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The chance of a value up to that of each case, and of a value below it."""
    edge = np.concatenate([[-np.inf], cuts, [np.inf]])
    line = x @ slopes
    return expit(edge[y + 1] - line), expit(edge[y] - line)


def _likelihood(
    y: np.ndarray, x: np.ndarray, number: np.ndarray, cuts: np.ndarray, slopes: np.ndarray
) -> float:
    """The log-likelihood; minus infinity where a value has no chance, as with cuts out of order."""
    upper, lower = _edges(y, x, cuts, slopes)
    p = upper - lower
    return float(number @ np.log(p)) if (p > 0).all() else -np.inf


def _pieces(
    y: np.ndarray, x: np.ndarray, cuts: np.ndarray, slopes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What each case adds to the score and to the observed information, first cuts, then slopes."""
    last = len(cuts)
    if last == 1:  # the binary logit: the same in a fifth of the time
        by = np.column_stack([np.ones(len(x)), -x])
        low = expit(by @ np.concatenate([cuts, slopes]))
        squares = by[:, :, None] * by[:, None, :]
        return ((y == 0) - low)[:, None] * by, (low * (1 - low))[:, None, None] * squares
    upper, lower = (chance[:, None] for chance in _edges(y, x, cuts, slopes))
    p = upper - lower
    cut = np.eye(last + 1)[:, :last]
    # derivatives of the two edges of each case; an infinite edge does not move
    by_upper = np.column_stack([cut[y], -x * (y < last)[:, None]])
    by_lower = np.column_stack([np.roll(cut, 1, axis=0)[y], -x * (y > 0)[:, None]])
    slope_upper = upper * (1 - upper)
    slope_lower = lower * (1 - lower)
    score = (slope_upper * by_upper - slope_lower * by_lower) / p
    bend_upper = slope_upper * (1 - 2 * upper) / p
    bend_lower = slope_lower * (1 - 2 * lower) / p

    def square(rows: np.ndarray) -> np.ndarray:
        return rows[:, :, None] * rows[:, None, :]

    curvature = bend_upper[..., None] * square(by_upper)
    return score, square(score) - curvature + bend_lower[..., None] * square(by_lower)


def ratios(slopes: np.ndarray, shifts: np.ndarray, free: int) -> np.ndarray:
    """How large are the odds ratios, and how sure are they?

    Parameters
    ----------
    slopes, shifts
        From `ordered_logit`.
    free
        Degrees of freedom: clusters - 1.

    Returns
    -------
    ndarray
        One row a slope: odds ratio, low, high (95 %), p (two-sided, of a ratio of 1).
    """
    error = np.sqrt(np.square(shifts).sum(axis=0))
    width = stats.t.ppf(0.975, free) * error
    p = 2 * stats.t.sf(np.abs(slopes / error), free)
    return np.column_stack([np.exp(slopes), np.exp(slopes - width), np.exp(slopes + width), p])


def wald(slopes: np.ndarray, shifts: np.ndarray, free: int) -> tuple[float, float]:
    """Are all slopes 0? Hotelling's test, which allows for the estimated covariance.

    Parameters
    ----------
    slopes, shifts, free
        As for `ratios`.

    Returns
    -------
    tuple of float
        F and its p value; missing where there are fewer clusters than the slopes need.
    """
    count = len(slopes)
    left = free + 1 - count
    if left < 1 or np.linalg.matrix_rank(shifts) < count:
        return np.nan, np.nan
    f = float(slopes @ np.linalg.solve(shifts.T @ shifts, slopes)) * left / free / count
    return f, float(special.fdtrc(count, left, f))  # stats.f.sf takes 50 times as long
