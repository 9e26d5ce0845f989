"""Many series of yearly counts at once: drawn from a model, and fitted.

Own code, since a test by simulation needs some ten thousand fits: statsmodels takes 1 ms for each,
this 0.02 ms (24 years, 4 terms).
"""

import numpy as np
from scipy import optimize

_HIGHEST = 20.0  # of a logarithm of an expected count: a side without cases goes to minus infinity


def fit_many(counts: np.ndarray, terms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which log-linear Poisson models are most likely for these series?

    Parameters
    ----------
    counts
        One row a series, one column a year.
    terms
        The terms of the model: one row a year, one column a term, the first of them the level. Or a
        stack of such models, one for each series.

    Returns
    -------
    tuple of array
        The estimates (one row a series) and the expected counts (one row a series).

    Notes
    -----
    Newton's method with steps that are not too long. A part of a series without any case has no
    best fit: its expected counts come out near 0, which is right for deviances; the estimates
    there mean nothing.

    Examples
    --------
    >>> estimates, expected = fit_many(np.array([[2.0, 4, 8]]), np.c_[np.ones(3), range(3)])
    >>> np.exp(estimates).round(3).tolist()
    [[2.0, 2.0]]
    """
    series, width = len(counts), terms.shape[-1]
    if series > 1 and width > 1 and terms.ndim == 2:
        first, second = np.array_split(terms.astype(bool), 2, axis=1)
        early = first.any(axis=1)
        if not (early & second.any(axis=1)).any():
            # Two lines with nothing in common: two small fits take half the time of a large one.
            estimates, expected = np.empty((series, width)), np.empty(counts.shape)
            split = first.shape[1]
            for years, columns in ((early, slice(split)), (~early, slice(split, None))):
                fitted = fit_many(counts[:, years], terms[years, columns])
                estimates[:, columns], expected[:, years] = fitted
            return estimates, expected
    products = terms[..., :, None] * terms[..., None, :]
    products = products.reshape(*terms.shape[:-1], width * width)
    largest = np.abs(terms).max(axis=-2)
    estimates = np.zeros((series, width))
    estimates[:, 0] = np.log(np.maximum(counts.mean(axis=1), 1e-3))
    expected = _expected(estimates, terms)
    rows, n, b, mean = np.arange(series), counts, estimates, expected  # of what still moves
    for _ in range(60):
        information = _times(mean, products).reshape(-1, width, width) + 1e-9 * np.eye(width)
        score = _times(n - mean, terms)
        step = _solved(information, score)
        longest = (np.abs(step) * largest).sum(axis=1)
        b = b + step / np.maximum(1, longest / 3)[:, None]
        mean = _expected(b, terms)
        estimates[rows], expected[rows] = b, mean
        moves = (score * step).sum(axis=1) > 1e-6  # of the deviance: the next step would be 1e-14
        if not moves.any():
            break
        rows, n, b, mean = rows[moves], n[moves], b[moves], mean[moves]
        if terms.ndim == 3:
            terms, products, largest = terms[moves], products[moves], largest[moves]
    return estimates, expected


def _times(rows: np.ndarray, terms: np.ndarray) -> np.ndarray:
    """Each row times the terms, or times those of its own model."""
    return rows @ terms if terms.ndim == 2 else (rows[:, None, :] @ terms)[:, 0]


def _expected(estimates: np.ndarray, terms: np.ndarray) -> np.ndarray:
    logarithm = _times(estimates, np.swapaxes(terms, -1, -2))
    np.clip(logarithm, -_HIGHEST, _HIGHEST, out=logarithm)
    return np.exp(logarithm, out=logarithm)


def _solved(information: np.ndarray, score: np.ndarray) -> np.ndarray:
    """The Newton steps; of two terms by hand, since np.linalg.solve takes five times as long."""
    if score.shape[1] != 2:
        return np.linalg.solve(information, score[:, :, None])[:, :, 0]
    a, b, d = information[:, 0, 0], information[:, 0, 1], information[:, 1, 1]
    x, y = score.T
    return np.column_stack([d * x - b * y, a * y - b * x]) / (a * d - b * b)[:, None]


def deviances(counts: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """How far are Poisson series from their expected counts? One deviance a row.

    Examples
    --------
    >>> deviances(np.array([[2.0, 0]]), np.array([[1.0, 1]])).round(4).tolist()
    [2.7726]
    """
    ratio = np.where(counts > 0, counts, 1) / expected
    return 2 * (np.where(counts > 0, counts * np.log(ratio), 0) - (counts - expected)).sum(axis=1)


def extra_variance(counts: np.ndarray, expected: np.ndarray, terms: int) -> float:
    """The alpha of one series: its variance is mean + alpha * mean^2.

    Parameters
    ----------
    counts, expected
        One series and its fitted counts.
    terms
        How many terms were fitted.

    Returns
    -------
    float
        The alpha at which Pearson's chi-squared equals its degrees of freedom, 0 to 20; the
        expected counts stay those of the Poisson model.
    """
    free = len(counts) - terms

    def excess(alpha: float) -> float:
        return float(((counts - expected) ** 2 / (expected + alpha * expected**2)).sum() - free)

    if excess(0.0) <= 0:
        return 0.0
    return 20.0 if excess(20.0) > 0 else float(optimize.brentq(excess, 0.0, 20.0))


def draw(
    expected: np.ndarray, alpha: float, correlation: float, draws: int, rng: np.random.Generator
) -> np.ndarray:
    """Series of counts whose level wanders from year to year.

    Parameters
    ----------
    expected
        The expected count of each year.
    alpha
        The variance of a year's count is mean + alpha * mean^2.
    correlation
        Of the logarithm of the level with that of the year before, 0 to below 1.
    draws
        How many series.
    rng
        Where chance comes from.

    Returns
    -------
    array
        One row a series.

    Notes
    -----
    n_t is Poisson with mean m_t exp(u_t - s^2 / 2); u is a normal AR(1) with variance
    s^2 = log(1 + alpha).

    References
    ----------
    Zeger 1988, Biometrika 75, 621-629 (counts with a correlated level).
    """
    variance = np.log1p(alpha)
    level = rng.standard_normal((draws, len(expected)))
    fresh = np.sqrt(1 - correlation**2)
    for year in range(1, len(expected)):
        level[:, year] = correlation * level[:, year - 1] + fresh * level[:, year]
    return rng.poisson(expected * np.exp(np.sqrt(variance) * level - variance / 2)).astype(float)


def level_correlation(correlation: float, expected: np.ndarray, alpha: float) -> float:
    """How far does the level carry over where neighbouring residuals correlate so much?

    Counts vary by chance around their level, so their correlation is smaller than the level's:
    by the part of the variance that is the level's. Limited to 0 to 0.8.
    """
    if alpha == 0:
        return 0.0
    part = float(np.mean(alpha * expected / (1 + alpha * expected)))
    return float(np.clip(correlation / part, 0.0, 0.8))
