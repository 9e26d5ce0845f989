"""Did one state's pursuit of its exiles rise, did it break, and what would change the answer?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from capelib.dataset import takes_dataset
from capelib.errors import ParameterError, TooFewCases
from capelib.estimators.counts import per_year, years
from capelib.estimators.yearly_counts import Fit, break_scan, interrupted, trend
from capelib.questions import estimates
from capelib.questions.selections import selections
from capelib.questions.wording import signed
from capelib.vocabulary.codebook import break_margin, codes

_THINGS = {
    "incident": "incidents against",
    "exile": "persons targeted among",
    "episode": "incidents (clusters counted once) against",
}
_NUMBERS = ["ratio", "low", "high", "p"]
_LAST_OF_CAPE = 2018
_VARIANT = [
    *("choice", "n", "per_year", "low", "high"),
    *("level", "level_low", "level_high", "p_break", "passing"),
]


@dataclass(frozen=True)
class Targeting:
    """One series: its yearly counts, its trend and a break at a chosen year.

    Attributes
    ----------
    counts : DataFrame
        `year`, `n`.
    rise, broken : Fit or None
        The trend and the break; None where there are too few cases.
    scan : DataFrame
        The same break at every year, see `cape.trends.break_scan`.
    at : int
        The first year after the break.
    why : tuple of str
        What there is too little of.
    """

    counts: pd.DataFrame
    rise: Fit | None
    broken: Fit | None
    scan: pd.DataFrame
    at: int
    why: tuple[str, ...]

    @property
    def chosen_p(self) -> float:
        """The p value of no change in level and slope together at the chosen year, or missing."""
        p = self.scan.loc[self.scan["at"] == self.at, "p"]
        return float(p.iloc[0]) if len(p) else np.nan

    @property
    def tested(self) -> int:
        """How many other years could be tested?"""
        return int(self._other_p().notna().sum())

    @property
    def passing(self) -> int:
        """How many other years pass the same test at 5 %?"""
        return int((self._other_p() < 0.05).sum())

    def _other_p(self) -> pd.Series:
        return self.scan.loc[self.scan["at"] != self.at, "p"]

    def estimates(self) -> pd.DataFrame:
        """The estimates in words (index): ratio, low, high, p; missing with too few cases."""
        rows = {
            "yearly factor, whole period": _numbers(self.rise, "per year"),
            "yearly factor before the break": _numbers(self.broken, "per year before"),
            "jump in level at the break": _numbers(self.broken, "level at the break"),
            "change of the yearly factor": _numbers(self.broken, "slope change"),
        }
        index = pd.Index(rows, name="estimate")
        return pd.DataFrame(rows.values(), columns=_NUMBERS, index=index, dtype=float)

    def compared(self) -> pd.DataFrame:
        """The main estimates, for laying runs side by side; see `capelib.questions.estimates`."""
        n = int(self.counts["n"].sum())
        rows = self.estimates()[["ratio", "low", "high"]].itertuples(name=None)
        return estimates.table((words, numbers, n, "ratio") for words, *numbers in rows)

    @property
    def untested(self) -> str:
        """Why the chosen year cannot be tested as a break, and which can; "" where it can be."""
        tested = self.scan["at"]
        if (tested == self.at).any():
            return ""
        start = f"A break at {self.at} cannot be tested in {self._period}: a break needs "
        start += f"{break_margin()} years before it and {break_margin()} from it on. "
        if tested.empty:
            return f"{start}No year has them."
        return f"{start}Years that have them: {years((tested.min(), tested.max()))}."

    @property
    def _period(self) -> str:
        return years((self.counts["year"].min(), self.counts["year"].max()))

    def sentence(self, who: str, unit: str) -> str:
        """The answer in one sentence, with intervals.

        Parameters
        ----------
        who
            For example "exiles pursued by Tajikistan".
        unit
            "incident", "exile" or "episode".
        """
        period = self._period
        start = f"Recorded {_THINGS[unit]} {who}"
        why = "; ".join(self.why)
        if self.rise is None:
            return f"{start}, {period}: too few cases for a trend ({why})."
        trend = f"{start} {_direction(self.rise)} in {period}, n = {self.rise.n}"
        if self.broken is None:
            return f"{trend}; whether {self.at} was a break cannot be told ({why})."
        p = f"p = {self.chosen_p:.2g}"
        others = f"{self.passing} of {self.tested} other years"
        if self.chosen_p < 0.05:
            return f"{trend}; a break at {self.at} passes the test ({p}); so do {others}."
        return (
            f"{trend}; a break at {self.at} is not established ({p}; {others} pass the same test)."
        )


def _numbers(fit: Fit | None, term: str) -> list[float]:
    """Ratio, low, high and p of a term; missing without a fit."""
    return [np.nan] * 4 if fit is None else list(fit.term(term)[_NUMBERS])


def _direction(rise: Fit) -> str:
    """Rose or fell, and by how many percent a year."""
    ratio, low, high, _ = _numbers(rise, "per year")
    percents = [signed(100 * (factor - 1)) for factor in (ratio, low, high)]
    yearly = f"{percents[0]} % a year [{percents[1]}, {percents[2]}]"
    if low > 1:
        return f"rose: {yearly}"
    return f"fell: {yearly}" if high < 1 else f"neither clearly rose nor fell: {yearly}"


@takes_dataset
def targeting(
    incidents: pd.DataFrame,
    first_year: int,
    last_year: int,
    at: int,
    unit: str = "episode",
    model: str = "poisson",
) -> Targeting:
    """Did this series rise, and did it break at a chosen year?

    Parameters
    ----------
    incidents
        Of the states and measures asked about.
    first_year, last_year
        Both included.
    at
        First year after the break.
    unit, model
        See `cape.counts.per_year` and `cape.trends.trend`.

    Returns
    -------
    Targeting
        Parts that cannot be estimated are None; nothing is raised for too few cases.

    Raises
    ------
    ParameterError
        Where the first year lies after the last, or for an unknown unit or model.

    Examples
    --------
    >>> import capelib as cape
    >>> series = targeting(cape.load().where(origin="TJK").incidents, 2001, 2024, 2015)
    >>> round(float(series.rise.term("per year")["ratio"]), 2), series.rise.n
    (1.08, 214)
    """
    if first_year > last_year:
        raise ParameterError(
            f"the series would start in {first_year} and end in {last_year}: "
            "choose a later last_year"
        )
    counts = per_year(incidents, first_year, last_year, unit)
    why: list[str] = []
    rise = broken = None
    try:
        rise = trend(counts, model)
    except TooFewCases as reason:
        why.append(str(reason))
    try:
        broken = interrupted(counts, at, model)
    except TooFewCases as reason:
        why.append(str(reason))
    return Targeting(counts, rise, broken, break_scan(counts, model), at, tuple(why))


@takes_dataset
def variants(
    joined: pd.DataFrame, first_year: int, last_year: int, at: int, unit: str, model: str
) -> pd.DataFrame:
    """What would change the answer? The same estimates under other choices.

    Parameters
    ----------
    joined
        Incidents as `Dataset.joined` gives.
    first_year, last_year, at, unit, model
        As for `targeting`.

    Returns
    -------
    DataFrame
        One row a choice: `choice`, `n`, `per_year`, `low`, `high` (ratios), `level`, `level_low`,
        `level_high`, `p_break` (no change at `at`), `passing` (other years that pass at 5 %, of
        those tested); missing where there are too few cases. A choice that leaves fewer than 5
        years, or would go on after the last year, has no row.
    """
    other_model = "negative_binomial" if model == "poisson" else "poisson"
    chosen = {"incidents": joined, "last_year": last_year, "unit": unit, "model": model}
    choices: dict[str, dict] = {"as chosen": {}}
    choices |= {f"counted by {name}": {"unit": name} for name in codes("unit") if name != unit}
    choices[f"{other_model.replace('_', ' ')} model"] = {"model": other_model}
    parts = {"stages 2 and 3 only": joined[joined["stage"] >= 2]}
    parts |= selections(joined, "doubtful", "alleged", "cape", "relatives")
    choices |= {words: {"incidents": part} for words, part in parts.items()}
    if last_year >= _LAST_OF_CAPE:
        choices[f"until {_LAST_OF_CAPE}, CAPE's last year"] = {"last_year": _LAST_OF_CAPE}
    rows = []
    for words, changed in choices.items():
        arguments = chosen | changed
        if arguments["last_year"] - first_year >= 4:
            series = targeting(first_year=first_year, at=at, **arguments)
            rows.append({"choice": words, **_variant(series)})
    return pd.DataFrame(rows, columns=_VARIANT)


def _variant(series: Targeting) -> dict[str, object]:
    """A row of `variants`."""
    rise = _numbers(series.rise, "per year")[:3]
    level = _numbers(series.broken, "level at the break")[:3]
    return {
        "n": int(series.counts["n"].sum()),
        **dict(zip(("per_year", "low", "high"), rise, strict=True)),
        **dict(zip(("level", "level_low", "level_high"), level, strict=True)),
        "p_break": series.chosen_p,
        "passing": f"{series.passing} of {series.tested}",
    }
