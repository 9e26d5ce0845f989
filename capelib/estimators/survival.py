"""Times until an event: followed to an end (Kaplan and Meier), or known only to lie in an interval (Turnbull)."""

import numpy as np
import pandas as pd
from scipy import stats


def kaplan_meier(
    time: np.ndarray, event: np.ndarray, cluster: np.ndarray | None = None
) -> pd.DataFrame:
    """What share goes on without the event beyond each time? Kaplan and Meier's estimate.

    time: of the event or of the end of follow-up, in any unit. event: did it happen? cluster: which cases belong together (None: each
    stands alone). Returns `time` (of events), `at_risk`, `events`, `survival`, `low`, `high` (pointwise 95 %, on the scale of
    log(-log), missing where survival is 0). Assumes that those whose follow-up ends are like those who are followed on.
    The variance sums, over clusters, the squared influence on the estimate; without clusters it is close to Greenwood's.
    Source: Kaplan and Meier 1958, JASA 53, 457-481; variance with clusters: Ying and Wei 1994, Journal of Multivariate Analysis 50, 17-29.

    >>> import numpy as np
    >>> kaplan_meier(np.array([1, 2, 2, 4]), np.array([True, True, False, True]))["survival"].round(3).tolist()
    [0.75, 0.5, 0.0]
    """
    from statsmodels.duration.survfunc import SurvfuncRight

    time, event = np.asarray(time, float), np.asarray(event, bool)
    if not event.any():
        return pd.DataFrame(
            columns=["time", "at_risk", "events", "survival", "low", "high"], dtype=float
        )
    fit = SurvfuncRight(time, event.astype(int))
    at, risk, events, survival = (
        np.asarray(part)[fit.n_events > 0]
        for part in (fit.surv_times, fit.n_risk, fit.n_events, fit.surv_prob)
    )
    happened = event[:, None] & (time[:, None] == at)
    left = np.where(risk > events, risk - events, np.nan)
    influence = np.cumsum((happened - (time[:, None] >= at) * (events / risk)) / left, axis=1)
    groups = pd.factorize(cluster)[0] if cluster is not None else np.arange(len(time))
    total = np.zeros((groups.max() + 1, len(at)))
    np.add.at(total, groups, influence)
    error = np.sqrt((total**2).sum(axis=0) * len(total) / max(len(total) - 1, 1))  # of log survival
    with np.errstate(divide="ignore", invalid="ignore"):
        bend = np.exp(stats.norm.ppf(0.975) * error / np.abs(np.log(survival)))
        low, high = survival**bend, survival ** (1 / bend)
    return pd.DataFrame(
        {
            "time": at,
            "at_risk": risk,
            "events": events,
            "survival": survival,
            "low": low,
            "high": high,
        }
    )


def turnbull(low: np.ndarray, high: np.ndarray, rounds: int = 20_000) -> pd.DataFrame:
    """The distribution of times that are known only to lie between low and high, both included (high may be infinite).

    Returns the intervals that can hold probability: `low`, `high`, `p` (sums to 1). Where within an interval it lies is not known.
    Source: Turnbull 1976, Journal of the Royal Statistical Society B 38, 290-295 (self-consistency, at most `rounds` steps).

    >>> import numpy as np
    >>> turnbull(np.array([0, 1, 4]), np.array([2, 3, 5]))[["low", "high"]].values.tolist()
    [[1.0, 2.0], [4.0, 5.0]]
    """
    cases, many = np.unique(
        np.column_stack([low, high]).astype(float), axis=0, return_counts=True
    )  # times that are alike, once
    low, high = cases.T
    ends = np.concatenate([low, high])
    is_high = np.repeat([0, 1], len(low))
    order = np.lexsort([is_high, ends])
    ends, is_high = ends[order], is_high[order]
    inner = (is_high[:-1] == 0) & (is_high[1:] == 1)  # a low end followed by a high end
    left, right = ends[:-1][inner], ends[1:][inner]
    can = ((low[:, None] <= left) & (right <= high[:, None])).astype(float)
    p, weight = np.full(len(left), 1 / len(left)), many / many.sum()
    for _ in range(rounds):
        new = p * (weight / (can @ p) @ can)  # each case is shared out over its intervals by p
        done, p = np.abs(new - p).max() < 1e-8, new
        if done:
            break
    return pd.DataFrame({"low": left, "high": right, "p": p})
