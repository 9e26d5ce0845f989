"""Incidents on the soil of other authoritarian states: the share in two periods, and its change."""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pandas as pd

from capelib.dataset import takes_dataset
from capelib.display import Result
from capelib.errors import TooFewCases
from capelib.estimators import periods
from capelib.estimators.clusters import KINDS_OF_CLUSTER, ClusteredDifference, cluster_of
from capelib.estimators.counts import collapse, years
from capelib.estimators.decomposition import Decomposition, kitagawa
from capelib.estimators.new_year import YearlyLevel, yearly_level
from capelib.estimators.shares import MARK, Estimate, Period, authoritarian_hosts, difference
from capelib.estimators.shares import wilson as independent
from capelib.meaning.pursuers import pursuers
from capelib.questions import estimates
from capelib.questions.selections import selections
from capelib.questions.wording import number_word, percent, points, signed
from capelib.reference import regimes
from capelib.vocabulary.codebook import codebook
from capelib.vocabulary.tables import states

__all__ = [
    "NUMBERS",
    "HostShares",
    "by_cluster",
    "by_definition",
    "by_selection",
    "host_shares",
]

NUMBERS = [*periods.CHANGE, "within", "within_low", "within_high"]


@dataclass(frozen=True, repr=False)
class HostShares(Result):
    """The share of incidents on authoritarian soil in two periods, and what its change consists of.

    Attributes
    ----------
    early, late : tuple of int
        First and last year of each period.
    definition : str
        What counts as authoritarian, in words.
    marked : DataFrame
        The incidents, each marked (see `cape.shares.authoritarian_hosts`), with its `cluster`.
    change : ClusteredDifference or None
        Late minus early, with both shares; None with too few cases.
    parts : Decomposition or None
        Who acts, and where the same states act; see `cape.decomposition.kitagawa`.
    years : DataFrame
        The share by year to the last year that the data covers, see `cape.periods.by_year`.
    typical : YearlyLevel or None
        The years before the later period as draws, see `cape.new_year.yearly_level`; None with
        fewer than four years.
    left_out : DataFrame
        The change with each corridor, origin and host left out: `kind` and the columns of
        `cape.periods.leave_one_out`.
    definitions, selections, clusters : DataFrame
        The change under other definitions, for parts of the data and under other assumptions on
        which incidents belong together; see `by_definition`, `by_selection`, `by_cluster`.
    why : str
        What there is too little of.
    """

    early: Period
    late: Period
    definition: str
    marked: pd.DataFrame
    change: ClusteredDifference | None
    parts: Decomposition | None
    years: pd.DataFrame
    typical: YearlyLevel | None
    left_out: pd.DataFrame
    definitions: pd.DataFrame
    selections: pd.DataFrame
    clusters: pd.DataFrame
    why: str

    CAVEAT = "Rests on what was reported: shares of a collection, no rates."

    def summary(self) -> str:
        """The answer in words."""
        return self.sentence()

    def averages(self) -> pd.DataFrame:
        """Each period's share, pooled and as the mean of its yearly shares: share, low, high."""
        rows = {}
        for period in (self.early, self.late):
            pooled = mean = (np.nan,) * 3
            with suppress(TooFewCases):
                pooled = periods.of_period(self.marked, period)[2:5]
                mean = periods.mean_of_years(self.marked, period)
            rows[f"{years(period)}, pooled"] = pooled
            rows[f"{years(period)}, mean of yearly shares"] = mean
        return pd.DataFrame.from_dict(rows, orient="index", columns=["share", "low", "high"])

    def compared(self) -> pd.DataFrame:
        """The main estimates, for laying runs side by side; see `capelib.questions.estimates`."""
        early = late = change = total = within = None
        early_n = late_n = None
        if self.change is not None and self.parts is not None:
            late, early = self.change.group[2:5], self.change.others[2:5]
            late_n, early_n = self.change.group.n, self.change.others.n
            change, total, within = self.change[:3], self.change.n, self.parts.within
        return estimates.table(
            [
                (f"share in {years(self.late)}", late, late_n, "share"),
                (f"share in {years(self.early)}, pooled", early, early_n, "share"),
                ("change, late minus early", change, total, "difference"),
                ("change within the pursuing states", within, total, "difference"),
            ]
        )

    def sentence(self) -> str:
        """The answer in a few sentences, with intervals."""
        if self.change is None or self.parts is None:
            return (
                f"Too few cases to compare {years(self.early)} with {years(self.late)}: {self.why}."
            )
        late, early = self.change.group, self.change.others
        parts = [
            f"In {years(self.late)} {_percent(late[2:5])} of the recorded incidents "
            f"(n = {late.n}) happened on the soil of other authoritarian states, "
            f"against {_percent(early[2:5])} in {years(self.early)} (n = {early.n}): "
            f"{_points(self.change[:3])}; {self._verdict()}.",
            f"Of these points {_plain(self.parts.composition)} come from who acts, "
            f"{_plain(self.parts.within)} from the same states{self._rated_alike()}.",
            self._later_years(),
            self._definitions(),
        ]
        return " ".join(part for part in parts if part)

    def _verdict(self) -> str:
        """What the intervals of the change allow one to say."""
        raw, within = (_direction(each) for each in (self.change, self.parts.within))
        if raw is None:
            return "there are too few clusters to say whether it changed"
        if not raw:
            return "that the share changed is not established"
        if raw == within:
            return f"the share {raw}, also within the same states"
        return f"the share {raw}, but not measurably within the same states"

    def _rated_alike(self) -> str:
        """The change if hosts had not been rated anew: a rating can move where nobody does."""
        rows = self.selections.set_index("selection")
        fixed = rows.loc[_rated_as_in(self.late[1]), ["difference", "low", "high"]]
        if pd.isna(fixed["difference"]):
            return ""
        change = _points(tuple(map(float, fixed)))
        return f"; with every state rated as in {self.late[1]} the change is {change}"

    def _later_years(self) -> str:
        """The years after the later period, and where a new year would lie."""
        after = self.years[(self.years["year"] > self.late[1]) & (self.years["n"] > 0)]
        words = ""
        if len(after):
            shares = ", ".join(
                f"{_percent((row.share, row.low, row.high))} in {row.year} (n = {row.n})"
                for row in after.itertuples()
            )
            words = f"Later it was {shares}."
        if self.typical is not None:
            _, low, high = self.typical.new_year
            words += (
                f" Judged by {years(self.early)}, a single year can show "
                f"{100 * low:.0f} to {100 * high:.0f} %."
            )
        return words.strip()

    def _definitions(self) -> str:
        changes = 100 * self.definitions["difference"].dropna()
        within = 100 * self.definitions["within"].dropna()
        chosen = self.definitions.loc[self.definitions["definition"] == self.definition]
        largest = ""
        if len(chosen) and chosen["difference"].iloc[0] >= self.definitions["difference"].max():
            largest = ", of which this one shows the largest rise,"
        return (
            f"Authoritarian is {self.definition}; under {number_word(len(self.definitions))} "
            f"definitions{largest} the change runs from {signed(changes.min())} to "
            f"{signed(changes.max())} "
            f"points, that within states from {signed(within.min())} to {signed(within.max())}."
        )


def _rated_as_in(year: int) -> str:
    return f"all, every state rated as in {year}"


def _direction(change: Estimate | ClusteredDifference) -> str | None:
    """The word "rose" or "fell" where the interval lies on one side of 0, else ""; None without."""
    if pd.isna(change.low):
        return None
    return "rose" if change.low > 0 else "fell" if change.high < 0 else ""


def _percent(share: tuple) -> str:
    return f"{100 * share[0]:.0f} %" if pd.isna(share[1]) else percent(*share)


def _points(change: tuple) -> str:
    return f"{signed(100 * change[0])} points" if pd.isna(change[1]) else points(*change)


def _plain(change: Estimate) -> str:
    """Points without the word."""
    return _points(tuple(change)).replace(" points", "")


@takes_dataset
def host_shares(
    joined: pd.DataFrame,
    early: Period,
    late: Period,
    measure: str = "fiw",
    cutoff: str | int = "NF",
    until: int | None = None,
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
    until
        The last year that the data covers, to which the yearly shares go on; by default the last of
        `late`.

    Returns
    -------
    HostShares
        `change` is None where there are too few cases; nothing is raised for them. All intervals
        allow for incidents of persons who share a source or an episode.

    Raises
    ------
    ParameterError
        For an unknown measure or cut-off.

    Examples
    --------
    >>> import capelib as cape
    >>> rows = cape.load(edition="2026-11").where(stage=(2, 3)).joined()
    >>> shares = host_shares(rows, (2014, 2020), (2021, 2021))
    >>> shares.change.group.k, shares.change.group.n, round(100 * shares.parts.within.value)
    (49, 63, 4)
    """
    joined = joined.assign(cluster=cluster_of(joined))
    marked = authoritarian_hosts(joined, measure, cutoff)
    change, parts, left_out, why = None, None, pd.DataFrame(), ""
    try:
        change, parts = _change(marked, early, late)
        kinds = {
            kind: periods.leave_one_out(marked, early, late, kind) for kind in periods.LEFT_OUT
        }
        left_out = pd.concat(kinds, names=["kind"]).reset_index(level=0)
    except TooFewCases as reason:
        why = str(reason)
    last = late[1] if until is None else max(early[0], until)
    by_year = periods.by_year(marked, early[0], last)
    typical = None
    with suppress(TooFewCases):
        typical = yearly_level(by_year[by_year["year"].between(*early)])
    return HostShares(
        early,
        late,
        definition=regimes.sentence(measure, cutoff),
        marked=marked,
        change=change,
        parts=parts,
        years=by_year,
        typical=typical,
        left_out=left_out,
        definitions=by_definition(joined, early, late),
        selections=by_selection(joined, early, late, measure, cutoff),
        clusters=by_cluster(marked, early, late),
        why=why,
    )


def _change(
    marked: pd.DataFrame, early: Period, late: Period
) -> tuple[ClusteredDifference, Decomposition]:
    """The change of the share, and its parts by pursuing state."""
    change = periods.change(marked, early, late)
    known = marked[["year", "origin", "cluster", MARK]].dropna(subset=["year", MARK])
    is_early, is_late = (known["year"].between(*span).astype(bool) for span in (early, late))
    rows = known[is_early | is_late]
    parts = kitagawa(rows[MARK].astype(bool), is_late[rows.index], rows["origin"], rows["cluster"])
    return change, parts


def _row(marked: pd.DataFrame, early: Period, late: Period) -> dict:
    """A row of `NUMBERS`; empty where a period is."""
    with suppress(TooFewCases):
        change, parts = _change(marked, early, late)
        within = dict(zip(("within", "within_low", "within_high"), parts.within, strict=True))
        return periods.numbers(change) | within
    return {}


@takes_dataset
def by_definition(joined: pd.DataFrame, early: Period, late: Period) -> pd.DataFrame:
    """Does the change depend on what "authoritarian" means?

    Parameters
    ----------
    joined
        Incidents as `Dataset.joined` gives.
    early, late
        First and last year of each period, both included.

    Returns
    -------
    DataFrame
        One row for each of `cape.regimes.definitions`: `regime_measure`, `cutoff`, `definition` (in
        words) and the columns `NUMBERS`: both shares, their difference, and the part of it within
        the pursuing states; missing where a period is empty.
    """
    joined = joined.assign(cluster=cluster_of(joined))
    rows = []
    for measure, cutoff in regimes.definitions():
        words = regimes.sentence(measure, cutoff)
        row = {"regime_measure": measure, "cutoff": cutoff, "definition": words}
        rows.append(row | _row(authoritarian_hosts(joined, measure, cutoff), early, late))
    return pd.DataFrame(rows).reindex(columns=["regime_measure", "cutoff", "definition", *NUMBERS])


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
        `selection` and the columns `NUMBERS`; missing where a period is empty. The second row keeps
        all incidents but rates every state as in the last year throughout: a share can rise because
        incidents move, or because host states are rated anew. One row leaves out each pursuing
        state whose counts are not safe, the last one the two states that move the change most.
    """
    joined = joined.assign(cluster=cluster_of(joined))
    marked = authoritarian_hosts(joined, measure, cutoff)
    year = joined["year"]
    fixed = authoritarian_hosts(
        joined.assign(year=year.mask(year.notna(), late[1])), measure, cutoff
    ).assign(year=year)
    searched = pursuers("all")
    central = joined["origin"].isin(searched.codes)
    parts = {
        "all counted incidents": marked,
        _rated_as_in(late[1]): fixed,
        "each episode once": collapse(marked),
        **selections(marked, "doubtful", "alleged", "interested", "court"),
        searched.words.removeprefix("the "): marked[central],
        "other states": marked[~central],
        "stage 3 only": marked[marked["stage"] == 3],
    }
    for state in codebook()["not_safe"]["burundi"]["origins"]:
        if (marked["origin"] == state).any():
            parts[f"without {states()[state]}"] = marked[marked["origin"] != state]
    with suppress(TooFewCases):
        largest = _change(marked, early, late)[1].groups["origin"].head(2).tolist()
        parts[f"without {' and '.join(largest)}"] = marked[~marked["origin"].isin(largest)]
    rows = [{"selection": words, **_row(part, early, late)} for words, part in parts.items()]
    return pd.DataFrame(rows).reindex(columns=["selection", *NUMBERS])


def by_cluster(marked: pd.DataFrame, early: Period, late: Period) -> pd.DataFrame:
    """Does the interval of the change depend on which incidents are taken to belong together?

    Parameters
    ----------
    marked
        Incidents, see `cape.shares.authoritarian_hosts`.
    early, late
        First and last year of each period, both included.

    Returns
    -------
    DataFrame
        `belong together` (in words), `difference`, `low`, `high`, `clusters`, `why`. The last row
        takes every incident as independent (Newcombe); it is what the others are compared with.
    """
    rows = []
    with suppress(TooFewCases):
        for kind, words in KINDS_OF_CLUSTER.items():
            of_kind = marked.assign(cluster=cluster_of(marked, kind))
            gap = periods.change(of_kind, early, late)
            rows.append((words, *gap[:3], gap.clusters, gap.why))
        late_share, early_share = (independent(side.k, side.n) for side in (gap.group, gap.others))
        naive = difference(late_share, early_share)
        rows.append(("nothing: every incident is independent", *naive, gap.n, ""))
    names = ["belong together", "difference", "low", "high", "clusters", "why"]
    return pd.DataFrame(rows, columns=names)
