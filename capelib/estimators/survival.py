"""Times until an event: followed to an end, or known only to lie between two dates."""

import numpy as np
import pandas as pd
from scipy import stats


def kaplan_meier(
    time: np.ndarray, event: np.ndarray, cluster: np.ndarray | None = None
) -> pd.DataFrame:
    """What share goes on without the event beyond each time? Kaplan and Meier's estimate.

    Parameters
    ----------
    time
        Of the event or of the end of follow-up, in any unit; one a case.
    event
        Did it happen? One a case.
    cluster
        Which cases belong together; None where each stands alone.

    Returns
    -------
    DataFrame
        `time` (of events), `at_risk`, `events`, `survival`, `low`, `high` (pointwise 95 %, on the
        scale of log(-log), missing where survival is 0).

    Notes
    -----
    S(t) is the product, over the times of events up to t, of 1 - d / r: d events among r at risk.
    Assumes that those whose follow-up ends are like those who are followed on. The variance sums,
    over clusters, the squared influence on the estimate, which statsmodels' does not offer;
    without clusters it is close to Greenwood's.

    References
    ----------
    Kaplan and Meier 1958, Journal of the American Statistical Association 53, 457-481. Ying and
    Wei 1994, Journal of Multivariate Analysis 50, 17-29 (variance with clusters).

    Examples
    --------
    >>> curve = kaplan_meier(np.array([1, 2, 2, 4]), np.array([True, True, False, True]))
    >>> curve["survival"].round(3).tolist()
    [0.75, 0.5, 0.0]
    """
    return pd.DataFrame(kaplan_meier_columns(time, event, cluster))


def kaplan_meier_columns(
    time: np.ndarray, event: np.ndarray, cluster: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """The columns of `kaplan_meier` by name: for many curves, where a table takes most time."""
    from statsmodels.duration.survfunc import SurvfuncRight

    time = np.asarray(time, float)
    event = np.asarray(event, bool)
    columns = ["time", "at_risk", "events", "survival", "low", "high"]
    if not event.any():
        return {name: np.empty(0) for name in columns}
    fit = SurvfuncRight(time, event.astype(int))
    has_events = fit.n_events > 0
    times, risk, events, survival = (
        np.asarray(part)[has_events]
        for part in (fit.surv_times, fit.n_risk, fit.n_events, fit.surv_prob)
    )
    happened = event[:, None] & (time[:, None] == times)
    remaining = np.where(risk > events, risk - events, np.nan)
    expected = (time[:, None] >= times) * (events / risk)
    influence = np.cumsum((happened - expected) / remaining, axis=1)
    groups = pd.factorize(cluster)[0] if cluster is not None else np.arange(len(time))
    sums = sums_of_clusters(influence, groups)
    error = np.sqrt((sums**2).sum(axis=0) * len(sums) / max(len(sums) - 1, 1))  # of log survival
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.exp(stats.norm.ppf(0.975) * error / np.abs(np.log(survival)))
        low, high = survival**power, survival ** (1 / power)
    numbers = [times, risk, events, survival, low, high]
    return dict(zip(columns, numbers, strict=True))


def sums_of_clusters(values: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """What is the sum of the rows of each cluster? `np.add.at` takes several times as long.

    Parameters
    ----------
    values
        One row a case.
    cluster
        Whole numbers from 0, one a case.

    Examples
    --------
    >>> sums_of_clusters(np.array([[1.0], [2.0], [4.0]]), np.array([1, 0, 1])).tolist()
    [[2.0], [5.0]]
    """
    columns = values.reshape(len(values), -1).T
    sums = np.stack([np.bincount(cluster, column) for column in columns], axis=1)
    return sums.reshape(-1, *values.shape[1:])


def turnbull(low: np.ndarray, high: np.ndarray, rounds: int = 20_000) -> pd.DataFrame:
    """How are times distributed that are known only to lie between low and high?

    Parameters
    ----------
    low, high
        The bounds of each time, both included; high may be infinite.
    rounds
        Most steps of the iteration.

    Returns
    -------
    DataFrame
        The intervals that can hold probability: `low`, `high`, `p` (sums to 1). Where within an
        interval the probability lies is not known.

    Notes
    -----
    Each case i is divided over the intervals j that it can lie in, in proportion to p; the new p is
    the mean of these parts, until nothing changes:

        p_j = mean over i of a_ij p_j / (sum over k of a_ik p_k), a_ij = 1 where j lies in case i.

    Assumes that the bounds tell nothing of the time but that it lies between them. Attention that
    ends when something happens breaks that.

    Own code, since lifelines 0.30, which has this estimate, requires pandas < 3.

    References
    ----------
    Turnbull 1976, Journal of the Royal Statistical Society B 38, 290-295 (self-consistency).

    Examples
    --------
    >>> turnbull(np.array([0, 1, 4]), np.array([2, 3, 5]))[["low", "high"]].values.tolist()
    [[1.0, 2.0], [4.0, 5.0]]
    """
    spans = np.column_stack([low, high]).astype(float)
    spans, number = np.unique(spans, axis=0, return_counts=True)  # equal cases are worked out once
    low, high = spans.T
    ends = np.concatenate([low, high])
    is_high = np.repeat([0, 1], len(low))
    order = np.lexsort([is_high, ends])
    ends, is_high = ends[order], is_high[order]
    inner = (is_high[:-1] == 0) & (is_high[1:] == 1)  # a low end followed by a high end
    left, right = ends[:-1][inner], ends[1:][inner]
    possible = ((low[:, None] <= left) & (right <= high[:, None])).astype(float)
    weight = number / number.sum()
    p = np.full(len(left), 1 / len(left))
    for _ in range(rounds):
        # each case is divided over its intervals in proportion to p
        better = p * (weight / (possible @ p) @ possible)
        converged = np.abs(better - p).max() < 1e-8
        p = better
        if converged:
            break
    return pd.DataFrame({"low": left, "high": right, "p": p})
