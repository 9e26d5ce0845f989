"""Categories that two coders give differently: shares and odds without their errors."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pandas as pd

from capelib.dataset import takes_dataset
from capelib.errors import ParameterError
from capelib.estimators.misclassified import Confusion, recodings, symmetric_errors
from capelib.estimators.misclassified_shares import corrected_shares
from capelib.estimators.simex import mc_simex
from capelib.questions.exiles import people
from capelib.vocabulary.codebook import codes

PAIR = ("religious", "opposition")  # whose odds are corrected for errors of the category
REST = "all others"
DRAWS = 60
SEED = 2006


def by_category(exiles: pd.DataFrame, coding: Confusion) -> pd.DataFrame:
    """Which share of exiles has each category: as coded, and without the errors that coders show?

    Parameters
    ----------
    exiles
        One row an exile, with `category`.
    coding
        `CodingRounds.categories`.

    Returns
    -------
    DataFrame
        By category (in words): `n`, `naive` (as coded), `second` with `second_low`, `second_high`
        (the second coder taken as right), `symmetric` with its ends (both as wrong equally often;
        missing where they agree too little for it). See
        `cape.misclassified_shares.corrected_shares` for what is assumed.
    """
    codes_given = exiles["category"].astype("object")
    result = None
    for name, symmetric in (("second", False), ("symmetric", True)):
        part = corrected_shares(codes_given, coding, symmetric)
        ends = {"share": name, "low": f"{name}_low", "high": f"{name}_high"}
        part = part.rename(columns=ends)
        result = part if result is None else result.join(part[list(ends.values())])
    return result.rename(index=codes("category")).rename_axis("category")


@takes_dataset
def corrected(joined: pd.DataFrame, coding: Confusion) -> pd.DataFrame:
    """`by_category` of the persons behind these incidents, groups left out."""
    exiles = people(joined)
    return by_category(exiles[~exiles["is_group"]], coding)


@takes_dataset
def held_odds(joined: pd.DataFrame, coding: Confusion) -> pd.DataFrame:
    """Is one category held more often than others: as coded, and without the coders' errors?

    Parameters
    ----------
    joined
        Incidents.
    coding
        `CodingRounds.categories`.

    Returns
    -------
    DataFrame
        By contrast and reading (in words): `ratio` of the odds of stage 2 or 3, `low`, `high`
        (95 %, clusters), `why` (there is no estimate).

    Notes
    -----
    "as coded": the naive ratio. "second coder drawn": categories as the second coder might have
    given them (`cape.misclassified.recodings`), 60 draws, put together by Rubin's rules; since the
    draws know nothing of who was held, they pull a true ratio towards 1. "SIMEX": see
    `cape.simex.mc_simex`, with the second coder as right, or with symmetric errors. Half a case,
    divided over all categories, is added to each cell of a table of chances, which is then taken as
    known: the intervals of SIMEX are somewhat too narrow.

    References
    ----------
    Rubin 1987, Multiple Imputation for Nonresponse in Surveys.
    """
    exiles = people(joined)
    exiles = exiles[~exiles["is_group"]].reset_index(drop=True)
    given = exiles["category"].astype("object")
    held, cluster = (exiles["stage"] >= 2).to_numpy(), pd.factorize(exiles["cluster"])[0]
    one, other = PAIR
    two = {code: code if code == other else REST for code in coding.counts.index}
    merged = coding.counts.rename(index=two, columns=two).groupby(level=0).sum()
    merged = merged.T.groupby(level=0).sum().T
    contrasts = {
        f"{one} against {other}": (given, coding, PAIR),
        f"{other} against {REST}": (
            given.map(two), Confusion(merged, coding.second.map(two)), (other, REST)
        ),
    }  # fmt: skip
    rows = []
    for words, (codes_given, errors, pair) in contrasts.items():
        fit = partial(_log_odds, held=held, cluster=cluster, pair=pair)
        for reading, (value, error), why in _readings(fit, codes_given, errors):
            ends = np.exp([value, value - 1.96 * error, value + 1.96 * error])
            rows.append((words, reading, *map(float, ends), why))
    return pd.DataFrame(rows, columns=["contrast", "reading", "ratio", "low", "high", "why"])


def _readings(
    fit: Callable[[pd.Series], tuple[float, float]], given: pd.Series, coding: Confusion
) -> Iterator[tuple[str, tuple[float, float], str]]:
    """The readings of `held_odds`: words, value and error, and why there is none."""
    value, variance = fit(given)
    yield "as coded", (value, float(np.sqrt(variance))), ""
    draws = np.array([fit(each) for each in recodings(given, coding, DRAWS, SEED)])
    between = (1 + 1 / len(draws)) * draws[:, 0].var(ddof=1)
    error = float(np.sqrt(draws[:, 1].mean() + between))
    yield "second coder drawn", (float(draws[:, 0].mean()), error), ""
    levels = coding.counts.index
    for words, symmetric in (("second coder right", False), ("errors symmetric", True)):
        numbers, why = (np.nan, np.nan), ""
        try:
            chances = pd.DataFrame(_chances(coding, symmetric), levels, levels)
            result = mc_simex(fit, given, chances, draws=DRAWS, seed=SEED)
            numbers = (result.corrected, result.error)
        except ParameterError as reason:
            why = str(reason)
        yield f"SIMEX, {words}", numbers, why


def _chances(coding: Confusion, symmetric: bool) -> np.ndarray:
    """One row a true category, one column the category as coded."""
    counts = coding.counts.to_numpy(float) + 0.5 / len(coding.counts)
    if not symmetric:
        return counts.T / counts.T.sum(axis=1, keepdims=True)
    chances = symmetric_errors(counts)
    if chances is None:
        raise ParameterError("the two coders agree too little to take their errors as symmetric")
    return chances


def _log_odds(
    given: pd.Series, held: np.ndarray, cluster: np.ndarray, pair: tuple[str, str]
) -> tuple[float, float]:
    """The log odds ratio of the pair, and its variance with clusters (linearised)."""
    codes_given = given.to_numpy(object)
    value, influence = 0.0, np.zeros(len(held))
    for sign, level in zip((1, -1), pair, strict=True):
        inside = codes_given == level
        n = inside.sum() + 1.0
        share = (held[inside].sum() + 0.5) / n
        value += sign * np.log(share / (1 - share))
        influence += sign * inside * (held - share) / (n * share * (1 - share))
    sums = np.bincount(cluster, influence)
    groups = len(sums)
    return float(value), float((sums**2).sum() * groups / (groups - 1))
