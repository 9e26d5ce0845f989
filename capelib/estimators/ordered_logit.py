"""Ordered (proportional odds) and binary logits whose intervals allow for cases that belong together."""

import numpy as np
from scipy import optimize, stats
from scipy.special import expit

from capelib.errors import TooFewCases


def separated(y: np.ndarray, x: np.ndarray) -> bool:
    """Do the data allow an infinite odds ratio? Then the likelihood has no maximum.

    y: whole numbers from 0, each of which occurs. x: one column a term, without a constant. A linear program looks for a direction of
    cuts and slopes along which no exile's stage becomes less likely and one becomes more likely.
    Source: Albert and Anderson 1984, Biometrika 71, 1-10.

    >>> import numpy as np
    >>> separated(np.array([0, 1, 1, 1]), np.array([[0.0], [0.0], [1.0], [1.0]]))
    True
    """
    cells = np.unique(np.column_stack([y, x]), axis=0)
    y, x = cells[:, 0].astype(int), cells[:, 1:]
    cut = np.eye(y.max() + 1)[:, :-1]  # the cut above each value; none above the last
    above, below = (
        np.column_stack([cut[y], -x])[y < y.max()],
        np.column_stack([-np.roll(cut, 1, axis=0)[y], x])[y > 0],
    )
    gain = np.vstack([above, below])
    found = optimize.linprog(
        -gain.sum(axis=0), A_ub=-gain, b_ub=np.zeros(len(gain)), bounds=(-1, 1)
    )
    return bool(found.fun < -1e-7)


def ordered_logit(
    y: np.ndarray, x: np.ndarray, cluster: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Slopes of an ordered logit (log odds ratios of a higher value), and how they shift when each cluster is left out.

    y: whole numbers from 0, each of which occurs; with two of them this is the binary logit. x: one column a term, without a constant.
    cluster: whole numbers from 0. Returns slopes (terms) and shifts (clusters, terms): shifts.T @ shifts is their covariance (the jackknife
    over clusters, in one Newton step each).
    Raises TooFewCases where an odds ratio rests on one cluster. Ask `separated` first: then there is a maximum.
    Source: McCullagh 1980, Journal of the Royal Statistical Society B 42, 109-142; Bell and McCaffrey 2002, Survey Methodology 28, 169-181
    (leaving clusters out, there for linear models).

    >>> import numpy as np
    >>> y, x = np.array([0, 0, 0, 1] * 9 + [0, 1, 1, 1] * 9), np.repeat([[0.0], [1.0]], 36, axis=0)
    >>> slopes, shifts = ordered_logit(y, x, np.arange(72))
    >>> round(float(np.exp(slopes[0])), 3)  # (3 / 1) / (1 / 3)
    9.0
    """
    cells, cell, many = np.unique(
        np.column_stack([y, x]), axis=0, return_inverse=True, return_counts=True
    )
    y, x = cells[:, 0].astype(int), cells[:, 1:]  # cases that are alike are worked out once
    below = np.cumsum(np.bincount(y, many))[:-1] / many.sum()
    cuts, found = (
        len(below),
        np.concatenate([np.log(below / (1 - below)), np.zeros(x.shape[1])]),
    )  # without slopes
    likelihood = _likelihood(y, x, many, found[:cuts], found[cuts:])
    for _ in range(50):  # Newton's steps, each halved until it climbs: the likelihood is concave
        score, information = _pieces(y, x, found[:cuts], found[cuts:])
        step = np.linalg.lstsq(np.einsum("i,ijk", many, information), many @ score)[0]
        while np.abs(step).max() >= 1e-9:
            higher = _likelihood(y, x, many, (found + step)[:cuts], (found + step)[cuts:])
            if higher >= likelihood:
                break
            step = step / 2
        else:
            break
        found, likelihood = found + step, higher
    else:
        raise TooFewCases("no ordered logit can be fitted to so few cases")
    score, information = _pieces(y, x, found[:cuts], found[cuts:])
    groups = cluster.max() + 1
    its_score = np.zeros((groups, score.shape[1]))
    its_information = np.zeros((groups, *information.shape[1:]))
    np.add.at(its_score, cluster, score[cell])
    np.add.at(its_information, cluster, information[cell])
    try:
        shifts = np.linalg.solve(
            np.einsum("i,ijk", many, information) - its_information, its_score[..., None]
        )[..., 0]
    except np.linalg.LinAlgError:
        raise TooFewCases(
            "an odds ratio rests on one source or episode alone: it has no interval"
        ) from None
    return found[cuts:], shifts[:, cuts:]


def _likelihood(
    y: np.ndarray, x: np.ndarray, many: np.ndarray, cuts: np.ndarray, slopes: np.ndarray
) -> float:
    """The log-likelihood of so many cases a row; minus infinity where a value has no chance at all, as where cuts are out of order."""
    edge, line = np.concatenate([[-np.inf], cuts, [np.inf]]), x @ slopes
    p = expit(edge[y + 1] - line) - expit(edge[y] - line)
    return float(many @ np.log(p)) if (p > 0).all() else -np.inf


def _pieces(
    y: np.ndarray, x: np.ndarray, cuts: np.ndarray, slopes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What each case adds to the score and to the observed information, for cuts and slopes (in this order)."""
    edge, line, last = np.concatenate([[-np.inf], cuts, [np.inf]]), x @ slopes, len(cuts)
    upper, lower = expit(edge[y + 1] - line), expit(edge[y] - line)
    p = (upper - lower)[:, None]
    cut = np.eye(last + 1)[:, :last]
    by_upper = np.column_stack(
        [cut[y], -x * (y < last)[:, None]]
    )  # derivatives of the two edges; an infinite edge does not move
    by_lower = np.column_stack([np.roll(cut, 1, axis=0)[y], -x * (y > 0)[:, None]])
    slope_upper, slope_lower = (upper * (1 - upper))[:, None], (lower * (1 - lower))[:, None]
    score = (slope_upper * by_upper - slope_lower * by_lower) / p
    bend_upper, bend_lower = (
        slope_upper * (1 - 2 * upper[:, None]) / p,
        slope_lower * (1 - 2 * lower[:, None]) / p,
    )

    def square(a: np.ndarray) -> np.ndarray:
        return a[:, :, None] * a[:, None, :]

    return score, square(score) - bend_upper[..., None] * square(by_upper) + bend_lower[
        ..., None
    ] * square(by_lower)


def ratios(slopes: np.ndarray, shifts: np.ndarray, free: int) -> np.ndarray:
    """Odds ratios with their 95 % intervals and p values, one row a slope: ratio, low, high, p. free: clusters - 1."""
    error, t = np.sqrt(np.square(shifts).sum(axis=0)), stats.t.ppf(0.975, free)
    p = 2 * stats.t.sf(np.abs(slopes / error), free)
    return np.column_stack(
        [np.exp(slopes), np.exp(slopes - t * error), np.exp(slopes + t * error), p]
    )


def wald(slopes: np.ndarray, shifts: np.ndarray, free: int) -> tuple[float, float]:
    """F and p of all slopes being 0; the F of Hotelling's test, which allows for the estimated covariance."""
    count, left = len(slopes), free + 1 - len(slopes)
    if left < 1 or np.linalg.matrix_rank(shifts) < count:
        return np.nan, np.nan
    f = float(slopes @ np.linalg.solve(shifts.T @ shifts, slopes)) * left / free / count
    return f, float(stats.f.sf(f, count, left))
