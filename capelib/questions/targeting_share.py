"""One state against the others: the argument against "it is only more reporting"."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from capelib.dataset import CENTRAL_ASIA, takes_dataset
from capelib.display import Result
from capelib.errors import TooFewCases
from capelib.estimators.counts import per_year
from capelib.estimators.trend_shapes import Course
from capelib.estimators.yearly_counts import trend
from capelib.estimators.yearly_odds import OddsTrend, odds_trend
from capelib.questions.wording import number_word


@dataclass(frozen=True, repr=False)
class AgainstOthers(Result):
    """One state's counts by year beside those of the other states of its region.

    Attributes
    ----------
    words : str
        The other states: "the other four Central Asian states".
    counts : DataFrame
        `year`, `part` (the state), `rest` (the others).
    odds : OddsTrend or None
        None where there are too few cases, or no other states.
    why : str
        What there is too little of.
    """

    words: str
    counts: pd.DataFrame
    odds: OddsTrend | None
    why: str

    def summary(self) -> str:
        """The answer in words."""
        return f"against {self.words}: {self.odds.summary() if self.odds else self.why}"

    def table(self, course: Course | None = None) -> pd.DataFrame:
        """Yearly factors of the state, of the others, and of the odds: whole period and since.

        Parameters
        ----------
        course
            Of the state, for the years since its turn, with the interval that its answer names;
            None leaves these rows out.

        Returns
        -------
        DataFrame
            Index `years` and `of`; `ratio`, `low`, `high`, `n`; missing with too few cases.
        """
        rows = {}
        parts = {"all years": self.counts}
        if course is not None:
            parts[f"since {course.turn}"] = self.counts[self.counts["year"] >= course.turn]
        for years, counts in parts.items():
            for column, words in (("part", "the state"), ("rest", self.words)):
                rows[years, words] = _trend(counts, column)
            rows[years, "odds of the one against the other"] = _odds(counts)
        if course is not None:
            since = (f"since {course.turn}", "the state")
            rows[since][:3] = map(float, course.terms.loc["since the turn"])
        index = pd.MultiIndex.from_tuples(rows, names=["years", "of"])
        return pd.DataFrame(rows.values(), index=index, columns=["ratio", "low", "high", "n"])


def _trend(counts: pd.DataFrame, column: str) -> list[float]:
    n = int(counts[column].sum())
    try:
        fit = trend(counts[["year"]].assign(n=counts[column].to_numpy()).reset_index(drop=True))
    except TooFewCases:
        return [np.nan] * 3 + [n]
    return [*map(float, fit.with_correlation.loc["per year"]), n]


def _odds(counts: pd.DataFrame) -> list[float]:
    n = int(counts[["part", "rest"]].to_numpy().sum())
    try:
        odds = odds_trend(counts)
    except TooFewCases:
        return [np.nan] * 3 + [n]
    return [odds.ratio, odds.low, odds.high, n]


@takes_dataset
def against_others(
    incidents: pd.DataFrame,
    origins: tuple[str, ...],
    first_year: int,
    last_year: int,
    unit: str = "episode",
) -> AgainstOthers:
    """Did one state's part of what is on record for Central Asia grow?

    Parameters
    ----------
    incidents
        Of all five Central Asian states.
    origins
        The states asked about.
    first_year, last_year
        Both included.
    unit
        See `cape.counts.per_year`.

    Returns
    -------
    AgainstOthers
        Without odds for a state of another region, or for all five together.

    Notes
    -----
    More reporting of the whole region raises all five states and leaves the odds as they are. The
    odds also rise where reporting grew on the one state only, where the others' pursuit fell, or
    where the search went deeper into the one.

    Examples
    --------
    >>> import capelib as cape
    >>> against_others(cape.load().incidents, ("TJK",), 2001, 2024).odds.ratio > 1
    True
    """
    rest = [state for state in CENTRAL_ASIA if state not in origins]
    words = f"the other {number_word(len(rest))} Central Asian states"
    parts = {
        name: per_year(incidents[incidents["origin"].isin(states)], first_year, last_year, unit)
        for name, states in (("part", list(origins)), ("rest", rest))
    }
    counts = pd.DataFrame(
        {"year": parts["part"]["year"], **{name: table["n"] for name, table in parts.items()}}
    )
    if not rest or not set(origins) <= set(CENTRAL_ASIA):
        return AgainstOthers(words, counts, None, "no other states of the region to compare with")
    try:
        return AgainstOthers(words, counts, odds_trend(counts), "")
    except TooFewCases as reason:
        return AgainstOthers(words, counts, None, str(reason))
