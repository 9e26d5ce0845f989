"""Incidents on the soil of other authoritarian states: the share in two periods, and its change."""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pandas as pd

from capelib.dataset import takes_dataset
from capelib.errors import TooFewCases
from capelib.estimators.counts import collapse, years
from capelib.estimators.shares import (
    CHANGE,
    Estimate,
    Period,
    Share,
    authoritarian_hosts,
    by_year,
    change,
    leave_one_corridor_out,
    mean_of_shares,
)
from capelib.meaning.pursuers import pursuers
from capelib.questions import estimates
from capelib.questions.selections import selections
from capelib.questions.wording import number_word, percent, points, signed
from capelib.reference import regimes


@dataclass(frozen=True)
class HostShares:
    """The share of incidents on authoritarian soil in two periods.

    Attributes
    ----------
    early, late : tuple of int
        First and last year of each period.
    definition : str
        What counts as authoritarian, in words.
    marked : DataFrame
        The incidents, each marked, see `cape.shares.authoritarian_hosts`.
    numbers : dict or None
        See `cape.shares.change`; None with too few cases.
    years : DataFrame
        The share by year, see `cape.shares.by_year`.
    corridors : DataFrame
        The change with each corridor left out, see `cape.shares.leave_one_corridor_out`.
    definitions, selections : DataFrame
        The change under other definitions and for parts of the data, see `by_definition` and
        `by_selection`.
    why : str
        What there is too little of.
    """

    early: Period
    late: Period
    definition: str
    marked: pd.DataFrame
    numbers: dict[str, float] | None
    years: pd.DataFrame
    corridors: pd.DataFrame
    definitions: pd.DataFrame
    selections: pd.DataFrame
    why: str

    def averages(self) -> pd.DataFrame:
        """Each period's share, pooled and as the mean of its yearly shares: share, low, high."""
        rows = {}
        for name, period in (("early", self.early), ("late", self.late)):
            rows[f"{years(period)}, pooled"] = self._numbers(name)
            rows[f"{years(period)}, mean of yearly shares"] = self.mean_of_years(period)
        cells = [[np.nan] * 3 if numbers is None else list(numbers) for numbers in rows.values()]
        return pd.DataFrame(cells, index=list(rows), columns=["share", "low", "high"])

    def mean_of_years(self, period: Period) -> Estimate | None:
        """The unweighted mean of a period's yearly shares: another reading of an average."""
        rows = self.years[self.years["year"].between(*period) & (self.years["n"] > 0)]
        if rows.empty:
            return None
        return mean_of_shares([Share(*row) for row in rows[[*Share._fields]].to_numpy()])

    def compared(self) -> pd.DataFrame:
        """The main estimates, for laying runs side by side; see `capelib.questions.estimates`."""
        early_n = late_n = total = None
        if self.numbers is not None:
            early_n, late_n = int(self.numbers["early_n"]), int(self.numbers["late_n"])
            total = early_n + late_n
        return estimates.table(
            [
                (f"share in {years(self.late)}", self._numbers("late"), late_n, "share"),
                (f"share in {years(self.early)}, pooled", self._numbers("early"), early_n, "share"),
                ("change, late minus early", self._numbers("difference"), total, "difference"),
            ]
        )

    def _numbers(self, name: str) -> Estimate | None:
        """A share or the difference, with its interval; None with too few cases."""
        if self.numbers is None:
            return None
        prefix = "" if name == "difference" else f"{name}_"
        keys = (name, f"{prefix}low", f"{prefix}high")
        return Estimate(*[self.numbers[key] for key in keys])

    def sentence(self) -> str:
        """The answer in one sentence, with intervals."""
        early, late, gap = (self._numbers(name) for name in ("early", "late", "difference"))
        if self.numbers is None or not (early and late and gap):
            return (
                f"Too few cases to compare {years(self.early)} with {years(self.late)}: {self.why}."
            )
        changes = 100 * self.definitions["difference"].dropna()
        return (
            f"In {years(self.late)} {percent(*late)} of the recorded incidents "
            f"(n = {self.numbers['late_n']}) happened on the soil of other authoritarian states, "
            f"against {percent(*early)} in {years(self.early)} (n = {self.numbers['early_n']}): "
            f"{points(*gap)}. Authoritarian is {self.definition}; "
            f"under {number_word(len(self.definitions))} definitions the change runs from "
            f"{signed(changes.min())} to {signed(changes.max())} points."
        )


@takes_dataset
def host_shares(
    joined: pd.DataFrame,
    early: Period,
    late: Period,
    measure: str = "fiw",
    cutoff: str | int = "NF",
) -> HostShares:
    """What share of incidents happens on the soil of other authoritarian states; did it change?

    Parameters
    ----------
    joined
        Incidents as `Dataset.joined` gives.
    early, late
        First and last year of each period, both included.
    measure, cutoff
        Which states count as authoritarian, see `cape.regimes.at_or_below`.

    Returns
    -------
    HostShares
        `numbers` is None where there are too few cases; nothing is raised for them.

    Raises
    ------
    ParameterError
        For an unknown measure or cut-off.

    Examples
    --------
    >>> import capelib as cape
    >>> rows = cape.load().where(stage=(2, 3)).joined()
    >>> shares = host_shares(rows, (2014, 2020), (2021, 2021))
    >>> shares.numbers["late_k"], shares.numbers["late_n"]
    (68, 115)
    """
    marked = authoritarian_hosts(joined, measure, cutoff)
    numbers, corridors, why = None, pd.DataFrame(), ""
    try:
        numbers = change(marked, early, late)
        corridors = leave_one_corridor_out(marked, early, late)
    except TooFewCases as reason:
        why = str(reason)
    return HostShares(
        early,
        late,
        definition=regimes.sentence(measure, cutoff),
        marked=marked,
        numbers=numbers,
        years=by_year(marked, early[0], late[1]),
        corridors=corridors,
        definitions=by_definition(joined, early, late),
        selections=by_selection(joined, early, late, measure, cutoff),
        why=why,
    )


@takes_dataset
def by_definition(incidents: pd.DataFrame, early: Period, late: Period) -> pd.DataFrame:
    """Does the change depend on what "authoritarian" means?

    Parameters
    ----------
    incidents
        A frame with `origin`, `host` and `year`.
    early, late
        First and last year of each period, both included.

    Returns
    -------
    DataFrame
        One row for each of `cape.regimes.definitions`: `regime_measure`, `cutoff`, `definition` (in
        words) and the columns of `cape.shares.change`; missing where a period is empty.
    """
    rows = []
    for measure, cutoff in regimes.definitions():
        words = regimes.sentence(measure, cutoff)
        row = {"regime_measure": measure, "cutoff": cutoff, "definition": words}
        marked = authoritarian_hosts(incidents, measure, cutoff)
        rows.append(row | _change_if_any(marked, early, late))
    return pd.DataFrame(rows).reindex(columns=["regime_measure", "cutoff", "definition", *CHANGE])


def _change_if_any(marked: pd.DataFrame, early: Period, late: Period) -> dict[str, float]:
    """The columns of `cape.shares.change`; none where a period is empty."""
    with suppress(TooFewCases):
        return change(marked, early, late)
    return {}


@takes_dataset
def by_selection(
    joined: pd.DataFrame, early: Period, late: Period, measure: str, cutoff: str | int
) -> pd.DataFrame:
    """Does the change depend on which incidents are counted?

    Parameters
    ----------
    joined
        Incidents as `Dataset.joined` gives.
    early, late, measure, cutoff
        As for `host_shares`.

    Returns
    -------
    DataFrame
        `selection` and the columns of `cape.shares.change`; missing where a period is empty. The
        second row keeps all incidents but rates every state as in the last year throughout: a share
        can rise because incidents move, or because host states are rated anew.
    """
    marked = authoritarian_hosts(joined, measure, cutoff)
    year = joined["year"]
    fixed = authoritarian_hosts(
        joined.assign(year=year.mask(year.notna(), late[1])), measure, cutoff
    ).assign(year=year)
    searched = pursuers("all")
    central = joined["origin"].isin(searched.codes)
    parts = {
        "all counted incidents": marked,
        f"all, every state rated as in {late[1]}": fixed,
        "each episode once": collapse(marked),
        **selections(marked, "doubtful", "alleged", "interested"),
        searched.words.removeprefix("the "): marked[central],
        "other states": marked[~central],
        "stage 3 only": marked[marked["stage"] == 3],
    }
    rows = [
        {"selection": words, **_change_if_any(part, early, late)} for words, part in parts.items()
    ]
    return pd.DataFrame(rows).reindex(columns=["selection", *CHANGE])
