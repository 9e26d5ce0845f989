"""Ratios of expected counts from panels: Poisson and negative binomial models, clustered intervals.

Own code, since statsmodels' GLM takes tens of times as long for the same ratios, and corrects its
cluster errors by one factor only (CR1): [1.95, 6.44] where this gives [1.29, 9.75].
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import optimize, special

from capelib.display import Result, as_html, in_words, terms_in_words
from capelib.errors import ParameterError, TooFewCases
from capelib.meaning.arguments import codes_meant

TERMS = ["term", "ratio", "low", "high", "p", "df", "vif"]
MOST = 0.5  # of the counts on one side of a flag: with more in one cluster there is no interval


class OneCluster(NamedTuple):
    """A cluster that holds more than half of the counts on one side of a flag.

    Attributes
    ----------
    cluster
        Its name, as in the column of clusters.
    share
        Of the counts on that side, a fraction.
    flagged
        True for the cells with the flag, False for those without.
    """

    cluster: str
    share: float
    flagged: bool

    def __str__(self) -> str:
        side = "with" if self.flagged else "without"
        return f"{self.cluster} alone holds {100 * self.share:.0f} % of the counts {side} it"

    __repr__ = in_words
    _repr_html_ = as_html


@dataclass(frozen=True, repr=False)
class Ratios(Result):
    """A fitted model of the counts in a panel.

    Attributes
    ----------
    model : str
        "poisson" or "negative_binomial".
    n_cells, n, n_clusters : int
        Cells, counts and clusters that entered.
    carrying : int
        Clusters with a count in them.
    terms : DataFrame
        `term` (str), `ratio` (of expected counts), `low`, `high` (95 %), `p` (two-sided, of a ratio
        of 1), `df` (degrees of freedom of its t), `vif` (variance inflation: how much less sure the
        ratio is because the terms go together; 1 is not at all). `low`, `high` and `p` are missing
        for the terms in `no_interval`.
    dropped : dict
        Terms that cannot be estimated, with the reason.
    no_interval : dict
        Flags whose ratio has no interval, each with the cluster that holds most of the counts.
    alpha : float
        The variance is mean + alpha * mean^2.
    """

    model: str
    n_cells: int
    n: int
    n_clusters: int
    carrying: int
    terms: pd.DataFrame
    dropped: dict[str, str]
    no_interval: dict[str, OneCluster]
    alpha: float

    def summary(self) -> str:
        """The ratios in words."""
        return f"{terms_in_words(self.terms)}; n = {self.n:,}"

    def row(self, term: str) -> dict[str, float]:
        """ratio, low, high of a term; missing where it was dropped, or has no interval."""
        return row_of(self.terms, term)


def row_of(terms: pd.DataFrame, term: str) -> dict[str, float]:
    """ratio, low, high of a term in a table of terms; missing where it is none of them.

    Examples
    --------
    >>> row_of(pd.DataFrame({"term": ["ally"], "ratio": 2.0, "low": 1.0, "high": 4.0}), "ally")
    {'ratio': 2.0, 'low': 1.0, 'high': 4.0}
    """
    numbers = dict.fromkeys(("ratio", "low", "high"), np.nan)
    listed = terms["term"].tolist()
    if term not in listed:
        return numbers
    place = listed.index(term)
    return {name: float(terms[name].to_numpy()[place]) for name in numbers}


class _Cells(NamedTuple):
    """The cells that enter, in the order of their levels; levels and groups are numbers from 0."""

    y: np.ndarray
    columns: dict[str, np.ndarray]
    offset: np.ndarray
    level: np.ndarray
    group: np.ndarray
    groups: pd.Index

    @property
    def conditional(self) -> bool:
        """Does each level lie in one cluster? Then the model is conditional on its counts."""
        return bool((self.group == self.group[_starts(self.level)][self.level]).all())


class _Terms(NamedTuple):
    """The terms that can be estimated, and the others with the reason."""

    kept: list[str]
    dropped: dict[str, str]


class _Fitted(NamedTuple):
    """Estimates of the terms, expected counts, dispersion."""

    estimate: np.ndarray
    mean: np.ndarray
    alpha: float


class _Spread(NamedTuple):
    """Of each term: standard error, degrees of freedom, variance inflation."""

    error: np.ndarray
    df: np.ndarray
    vif: np.ndarray


def expected_counts(
    cells: pd.DataFrame,
    terms: Sequence[str],
    effects: str,
    cluster: str,
    model: str = "poisson",
    offset: str | None = None,
) -> Ratios:
    """By what factor does the expected count of a cell differ with each term, all others equal?

    Parameters
    ----------
    cells
        One row a cell, with `n` (count) and the columns named below. Cells with a missing value are
        left out.
    terms
        Columns of numbers or flags; of a flag, the ratio is of cells with it to cells without.
    effects
        A column; each of its values gets a level of its own. Where each value lies in one cluster
        (corridors in hosts), the model is conditional on the counts of each (fixed effects: only
        changes within a value speak).
    cluster
        A column; cells with the same value may depend on each other.
    model
        "poisson", or "negative_binomial" (NB2 by maximum likelihood; not with conditional effects).
    offset
        A column of logarithms whose coefficient is held at 1.

    Returns
    -------
    Ratios
        A flag is dropped, with the reason, where it does not vary, or fewer than two clusters hold
        counts with it or without it: then one cluster alone would decide, and no interval can say
        how sure that is. Where one cluster holds more than half of the counts with a flag, or
        without it, the ratio has no interval (`no_interval` says which cluster), unless the model
        is conditional. Values of `effects` without any count are left out: they do not change the
        ratios.

    Raises
    ------
    TooFewCases
        Where fewer than 5 counts a term, or no term, are left, or the terms cannot be told apart.
    ParameterError
        For an unknown model.

    Notes
    -----
    The logarithm of the expected count is linear in the terms; clusters are independent. A ratio is
    an association between what was recorded and the term, not an effect of it. The covariance is
    taken as if each cluster were left out in turn (CR3), with Satterthwaite's degrees of freedom on
    the weights of the model. In panels like that of notebook 07, with random levels of corridors
    and hosts (standard deviation of their logarithm up to 1.3), the 95 % intervals clustered by
    host hold in 92 to 99 % of simulations as long as no host stands out. Where one host has e^3
    times the level of the others, as Russia may, they would hold in 83 to 88 % only, and the ratio
    itself is twice the true one. One cluster cannot show how clusters vary, so there is no interval
    where one holds more than half of the counts on one side: that refuses seven of ten such panels,
    and one in twenty where hosts have a standard deviation of 1 and none stands out. Clustered by
    corridor, with the usual small-sample factor (CR1), intervals hold in as few as 62 %; those of
    the model alone in as few as 38 %. Conditional on corridors, in 97 % or more: wide, not wrong.

    References
    ----------
    McCullagh and Nelder 1989, Generalized Linear Models, ch. 9. Hausman, Hall and Griliches 1984,
    Econometrica 52, 909-938 (conditional Poisson). Bell and McCaffrey 2002, Survey Methodology 28,
    169-181 (CR3, degrees of freedom).

    Examples
    --------
    >>> panel = pd.DataFrame({"n": [8, 4, 9, 3, 10, 5] * 4, "ally": [True, False] * 12})
    >>> panel = panel.assign(origin="XXX", host=np.arange(24) // 2)
    >>> ratios = expected_counts(panel, ["ally"], "origin", "host")
    >>> round(ratios.row("ally")["ratio"], 2), ratios.n, ratios.n_clusters
    (2.25, 156, 12)
    """
    model = codes_meant("model", model, "model")[0]
    used = _usable_cells(cells, terms, effects, cluster, offset)
    kept, dropped = _drop_terms(used, terms)
    if used.conditional and model != "poisson":
        raise ParameterError(
            "with effects inside clusters only the Poisson model is conditional: "
            "choose model poisson"
        )
    # a term's cells lie together in memory: three times as fast
    x = np.array([used.columns[term] - used.columns[term].mean() for term in kept]).T
    try:
        fitted = _fit_panel(used, x, model)
        spread = _clustered_spread(used, x, fitted)
    except np.linalg.LinAlgError:
        raise TooFewCases(
            "the terms cannot be told apart, at the latest when one cluster is left out"
        ) from None
    alone = {} if used.conditional else _in_one_cluster(used, kept)
    table = _table(kept, fitted.estimate, spread, [term in alone for term in kept])
    return Ratios(
        model,
        n_cells=len(used.y),
        n=int(used.y.sum()),
        n_clusters=int(used.group.max()) + 1,
        carrying=len(np.unique(used.group[used.y > 0])),
        terms=table,
        dropped=dropped,
        no_interval=alone,
        alpha=fitted.alpha,
    )


def _usable_cells(
    cells: pd.DataFrame, terms: Sequence[str], effects: str, cluster: str, offset: str | None
) -> _Cells:
    """The complete cells whose level has a count."""
    names = dict.fromkeys(["n", *terms, *([offset] if offset else [])])
    columns = {name: cells[name].to_numpy("float64", na_value=np.nan) for name in names}
    level = pd.factorize(cells[effects])[0]
    group, names_of_groups = pd.factorize(cells[cluster])
    complete = np.flatnonzero((level >= 0) & (group >= 0) & np.isfinite(sum(columns.values())))
    counts = np.bincount(level[complete], columns["n"][complete])
    used = complete[counts[level[complete]] > 0]
    if not len(used):
        raise TooFewCases("a model of counts needs some; here are none")
    used = used[np.argsort(level[used], kind="stable")]
    columns = {name: column[used] for name, column in columns.items()}
    known = columns[offset] if offset else np.zeros(len(used))
    level = pd.factorize(level[used])[0]
    group, kept = pd.factorize(group[used])
    return _Cells(columns["n"], columns, known, level, group, pd.Index(names_of_groups)[kept])


def _drop_terms(cells: _Cells, terms: Sequence[str]) -> _Terms:
    """Which terms can be estimated? Too few counts for them are an error."""
    reasons = {term: _unusable(cells.columns[term], cells) for term in terms}
    kept = [term for term in terms if not reasons[term]]
    dropped = {term: reason for term, reason in reasons.items() if reason}
    if not kept:
        listed = "; ".join(f"{term}: {reason}" for term, reason in dropped.items())
        raise TooFewCases(f"no term can be estimated: {listed}")
    if cells.y.sum() < 5 * len(kept):
        raise TooFewCases(
            f"a model of counts with {len(kept)} term(s) needs {5 * len(kept)} or more; "
            f"here are {int(cells.y.sum())}"
        )
    return _Terms(kept, dropped)


def _unusable(x: np.ndarray, cells: _Cells) -> str:
    """Why a term cannot be estimated; nothing where it can."""
    level = cells.level
    varies = (_sums(x != x[_starts(level)][level], level) > 0)[level]
    if not varies.any():
        return "does not vary"
    least, most = x.min(), x.max()
    if ((x > least) & (x < most)).any():  # a number, not a flag
        return ""
    telling = varies & (cells.y > 0)
    sides = [len(np.unique(cells.group[telling & (x == value)])) for value in (least, most)]
    return "" if min(sides) >= 2 else "fewer than two clusters with counts on one side"


def _in_one_cluster(cells: _Cells, terms: Sequence[str]) -> dict[str, OneCluster]:
    """The flags of which one cluster holds more than `MOST` of the counts on one side."""
    alone = {}
    for term in terms:
        x = cells.columns[term]
        least, most = x.min(), x.max()
        if ((x > least) & (x < most)).any():  # a number, not a flag
            continue
        for value in (least, most):
            counts = np.bincount(cells.group, cells.y * (x == value))
            share = float(counts.max() / counts.sum())
            if share > MOST:
                alone[term] = OneCluster(str(cells.groups[counts.argmax()]), share, value == most)
    return alone


def _fit_panel(cells: _Cells, x: np.ndarray, model: str) -> _Fitted:
    fitted = _poisson(cells.y, x, cells.level, cells.offset)
    if model == "poisson":
        return fitted
    design = np.column_stack([x, _dummies(cells.level)])
    return _negative_binomial(cells.y, design, cells.offset, fitted.estimate)


def _clustered_spread(cells: _Cells, x: np.ndarray, fitted: _Fitted) -> _Spread:
    _, mean, alpha = fitted
    weight = mean / (1 + alpha * mean)
    centred = _centred(x, weight, cells.level)
    # levels inside one cluster leave with it, and conditioning on them is all; others are terms
    # like any other
    design = centred if cells.conditional else np.column_stack([x, _dummies(cells.level)])
    residual = (cells.y - mean) / (1 + alpha * mean)
    covariance, df = cluster_covariance(design, weight, residual, cells.group)
    information = (centred * weight[:, None]).T @ centred
    vif = np.diag(information) * np.diag(np.linalg.inv(information))
    terms = x.shape[1]
    return _Spread(np.sqrt(np.diag(covariance))[:terms], df[:terms], vif)


def _table(
    terms: list[str], estimate: np.ndarray, spread: _Spread, no_interval: list[bool]
) -> pd.DataFrame:
    """The columns `TERMS`."""
    width = special.stdtrit(spread.df, 0.975) * spread.error
    width[no_interval] = np.nan
    with np.errstate(over="ignore"):  # a bound that is not known at all is infinite
        numbers = [np.exp(estimate), np.exp(estimate - width), np.exp(estimate + width)]
    p = 2 * special.stdtr(spread.df, -abs(estimate) / spread.error)
    p[no_interval] = np.nan
    columns = [terms, *numbers, p, spread.df, spread.vif]
    return pd.DataFrame(dict(zip(TERMS, columns, strict=True)))


def _dummies(level: np.ndarray) -> np.ndarray:
    """One column a level, 1 in its cells."""
    return np.eye(level.max() + 1)[level]


def _starts(level: np.ndarray) -> np.ndarray:
    """The place of the first cell of each level; cells stand in the order of their levels."""
    return np.searchsorted(level, np.arange(level[-1] + 1))


def _sums(values: np.ndarray, level: np.ndarray) -> np.ndarray:
    """The sum within each level."""
    return np.add.reduceat(values, _starts(level), dtype=float)


def _centred(x: np.ndarray, weight: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Each column minus its weighted mean within each level."""
    means = _sums(x * weight[:, None], level) / _sums(weight, level)[:, None]
    return x - np.repeat(means.T, np.bincount(level), axis=1).T


def _poisson(y: np.ndarray, x: np.ndarray, level: np.ndarray, offset: np.ndarray) -> _Fitted:
    """Conditional on the count of each level, which is the same as a free level for each.

    Newton's method, with steps that are not too long.
    """
    estimate = np.zeros(x.shape[1])
    counts = _sums(y, level)
    for _ in range(100):
        relative = np.exp(x @ estimate + offset)
        mean = relative * (counts / _sums(relative, level))[level]
        centred = _centred(x, mean, level)
        step = np.linalg.solve((centred * mean[:, None]).T @ centred, centred.T @ (y - mean))
        if abs(step).max() < 1e-9:
            return _Fitted(estimate, mean, 0.0)
        estimate = estimate + step / max(1.0, abs(x @ step).max() / 3)
    raise TooFewCases(
        "the Poisson model finds no best fit here: a term goes with no counts at all, "
        "or the terms go together"
    )


class _NegativeBinomial:
    """The likelihood of the negative binomial model; the last parameter is the log of alpha."""

    def __init__(self, y: np.ndarray, design: np.ndarray, offset: np.ndarray):
        self.y, self.design, self.offset = y, design, offset
        # how many cells have more than k: what the gamma functions of whole counts come down to
        self.k = np.arange(y.max())
        self.more = np.array([(y > k).sum() for k in self.k])

    def parts(self, parameters: np.ndarray) -> tuple[np.ndarray, ...]:
        """The linear predictor, and what value, gradient and curvature have in common."""
        linear = self.design @ parameters[:-1] + self.offset
        over = self.k * np.exp(parameters[-1])
        to_one = linear + parameters[-1]
        return linear, special.expit(to_one), np.logaddexp(0, to_one), over / (1 + over)

    def minus(self, parameters: np.ndarray) -> tuple[float, np.ndarray]:
        """Minus the log-likelihood, and its gradient."""
        y, more = self.y, self.more
        size = np.exp(-parameters[-1])
        linear, share, log, rise = self.parts(parameters)
        value = y @ linear - (y + size) @ log - more @ np.log1p(-rise)
        by_alpha = more @ rise + size * log.sum() - (y + size) @ share
        return -value, -np.append(self.design.T @ (y - (y + size) * share), by_alpha)

    def curvature(self, parameters: np.ndarray) -> np.ndarray:
        """The second derivatives of `minus`."""
        y, more, design = self.y, self.more, self.design
        size = np.exp(-parameters[-1])
        _, share, log, rise = self.parts(parameters)
        inner = (design * ((y + size) * share * (1 - share))[:, None]).T @ design
        cross = design.T @ (share * (y - (y + size) * share))
        by_share = share @ (2 * size - (y + size) * (1 - share))
        by_alpha = size * log.sum() - by_share - more @ (rise * (1 - rise))
        return np.block([[inner, cross[:, None]], [cross, by_alpha]])


def _negative_binomial(
    y: np.ndarray, design: np.ndarray, offset: np.ndarray, start: np.ndarray
) -> _Fitted:
    """Most likely estimates, from those of the Poisson model; the design ends with the levels.

    Newton's method in a trust region: the likelihood is not concave far from its top.
    """
    terms = len(start)
    levels = design[:, terms:]
    base = np.log((levels.T @ y) / (levels.T @ np.exp(design[:, :terms] @ start + offset)))
    likelihood = _NegativeBinomial(y, design, offset)
    fit = optimize.minimize(
        likelihood.minus,
        np.concatenate([start, base, [0.0]]),
        jac=True,
        hess=likelihood.curvature,
        method="trust-exact",
        options={"gtol": 1e-4},
    )
    if not fit.success:
        raise TooFewCases("the negative binomial model finds no best fit here")
    best = fit.x
    for _ in range(2):  # nearer than the likelihood itself can show
        best = best - np.linalg.solve(likelihood.curvature(best), likelihood.minus(best)[1])
    return _Fitted(best[:terms], np.exp(likelihood.parts(best)[0]), float(np.exp(best[-1])))


def cluster_covariance(
    x: np.ndarray, weight: np.ndarray, residual: np.ndarray, group: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How sure are estimates when cells of a cluster depend on each other?

    Parameters
    ----------
    x
        Cells by terms.
    weight
        Of each cell in the information matrix x'Wx.
    residual
        Of each cell, so that x'residual is the score.
    group
        The cluster of each cell, whole numbers from 0.

    Returns
    -------
    covariance : ndarray
        Terms by terms. Each cluster's score is divided by the information of the *other* clusters,
        as if it were left out (CR3).
    df : ndarray
        Degrees of freedom of each term: they compare with a chi-squared (Satterthwaite) what this
        variance would be if the model held. Few where few clusters decide.

    Raises
    ------
    numpy.linalg.LinAlgError
        Where a term rests on one cluster.

    References
    ----------
    Bell and McCaffrey 2002, Survey Methodology 28, 169-181.
    """
    groups = group.max() + 1
    order = np.argsort(group, kind="stable")
    x, weight, residual = x[order], weight[order], residual[order]
    ends = np.cumsum(np.bincount(group))[:-1]
    parts = np.split(x, ends)
    weighted = np.split(x * weight[:, None], ends)
    information = np.array([a.T @ b for a, b in zip(weighted, parts, strict=True)])
    residuals = np.split(residual, ends)
    score = np.array([part.T @ rest for part, rest in zip(parts, residuals, strict=True)])
    total = information.sum(axis=0)
    size = abs(np.linalg.eigvalsh(total - information))
    if (size.max(axis=1) > 1e12 * size.min(axis=1)).any():
        raise np.linalg.LinAlgError("a term rests on one cluster")
    inverse = np.linalg.inv(total)
    without = np.linalg.inv(total - information)
    step = np.einsum("gij,gj->gi", without, score)
    # The expected products of two clusters' steps are, for each term, a diagonal matrix `within`
    # minus B = leverage inverse leverage'. The sum of the squares of B is a trace of matrices of
    # terms, so that no matrix of clusters by clusters is needed: slow with hundreds of clusters.
    leverage = (information @ without).transpose(2, 0, 1)
    within = np.einsum("git,tgi->tg", without, leverage)
    between = (leverage @ inverse * leverage).sum(axis=2)  # the diagonal of B
    of_terms = inverse @ leverage.transpose(0, 2, 1) @ leverage
    others = np.einsum("tij,tji->t", of_terms, of_terms) - (between**2).sum(axis=1)
    variance = within - between
    df = variance.sum(axis=1) ** 2 / ((variance**2).sum(axis=1) + others)
    return (groups - 1) / groups * step.T @ step, df
