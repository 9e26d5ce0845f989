"""Incidents on the soil of other authoritarian states: the share in two periods, and what would change it."""

from contextlib import suppress
from dataclasses import dataclass

import pandas as pd

from capelib.dataset import CENTRAL_ASIA
from capelib.errors import TooFewCases
from capelib.estimators.counts import collapse
from capelib.estimators.shares import (
    CHANGE,
    Estimate,
    Share,
    authoritarian_hosts,
    by_year,
    change,
    leave_one_corridor_out,
    mean_of_shares,
)
from capelib.reference import regimes

Period = tuple[int, int]


@dataclass(frozen=True)
class HostShares:
    """The share on authoritarian soil in two periods.

    numbers: the columns of `cape.shares.change`, or None with too few cases (`why` says which). marked: the incidents, each
    marked. years: the share by year. corridors: the change with each corridor left out. definitions, selections: the change
    under other definitions of "authoritarian" and for parts of the data.
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
        """Each period's share read in two ways, pooled and as the mean of its yearly shares: share, low, high (fractions)."""
        rows = {}
        for name, period in (("early", self.early), ("late", self.late)):
            pooled = (
                None
                if self.numbers is None
                else [self.numbers[key] for key in (name, f"{name}_low", f"{name}_high")]
            )
            rows[f"{years(period)}, pooled"] = pooled or [float("nan")] * 3
            rows[f"{years(period)}, mean of yearly shares"] = list(
                self.mean_of_years(period) or [float("nan")] * 3
            )
        return pd.DataFrame.from_dict(rows, orient="index", columns=["share", "low", "high"])

    def mean_of_years(self, period: Period) -> Estimate | None:
        """The unweighted mean of the yearly shares of a period: the other reading of a published average."""
        rows = self.years[self.years["year"].between(*period) & (self.years["n"] > 0)]
        columns = ["k", "n", "share", "low", "high"]
        return (
            mean_of_shares([Share(*row) for row in rows[columns].itertuples(index=False)])
            if len(rows)
            else None
        )

    def compared(self) -> pd.DataFrame:
        """The main estimates, for laying runs side by side: estimate, value, low, high (fractions), n, unit."""
        found = self.numbers or {}
        rows = [
            (f"share in {years(self.late)}", "late", "late_low", "late_high", "late_n", "share"),
            (
                f"share in {years(self.early)}, pooled",
                "early",
                "early_low",
                "early_high",
                "early_n",
                "share",
            ),
            ("change, late minus early", "difference", "low", "high", "", "difference"),
        ]
        total = int(found["early_n"] + found["late_n"]) if found else None
        cells = [
            (name, *(found.get(key, float("nan")) for key in keys), found.get(n, total), unit)
            for name, *keys, n, unit in rows
        ]
        return pd.DataFrame(cells, columns=["estimate", "value", "low", "high", "n", "unit"])

    def sentence(self) -> str:
        """The answer in one sentence, with intervals."""
        if self.numbers is None:
            return (
                f"Too few cases to compare {years(self.early)} with {years(self.late)}: {self.why}."
            )
        found = self.numbers

        def said(name: str) -> str:
            return f"{100 * found[name]:.0f} % [{100 * found[f'{name}_low']:.0f}, {100 * found[f'{name}_high']:.0f}]"

        gap = f"{100 * found['difference']:+.0f} points [{100 * found['low']:+.0f}, {100 * found['high']:+.0f}]"
        others = 100 * self.definitions["difference"].dropna()
        return (
            f"In {years(self.late)} {said('late')} of the recorded incidents (n = {found['late_n']}) happened on the soil of other "
            f"authoritarian states, against {said('early')} in {years(self.early)} (n = {found['early_n']}): {gap}. "
            f"Authoritarian is {self.definition}; under six definitions the change runs from {others.min():+.0f} to "
            f"{others.max():+.0f} points."
        )


def years(period: Period) -> str:
    """A period in words.

    >>> years((2014, 2020)), years((2021, 2021))
    ('2014-2020', '2021')
    """
    return str(period[0]) if period[0] == period[1] else f"{period[0]}-{period[1]}"


def host_shares(
    joined: pd.DataFrame,
    early: Period,
    late: Period,
    measure: str = "fiw",
    cutoff: str | int = "NF",
) -> HostShares:
    """What share of incidents happens on the soil of other authoritarian states, and did it change?

    joined: incidents with `source_kind`, as `Dataset.joined` gives. early, late: first and last year, both included.
    measure, cutoff: which states count as authoritarian, see `cape.regimes.at_or_below`.
    Nothing is raised for too few cases: `numbers` is None then, and `why` says so.

    >>> import capelib as cape
    >>> found = host_shares(cape.load().where(stage=(2, 3)).joined(), (2014, 2020), (2021, 2021))
    >>> found.numbers["late_k"], found.numbers["late_n"]
    (49, 63)
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
        regimes.sentence(measure, cutoff),
        marked,
        numbers,
        by_year(marked, early[0], late[1]),
        corridors,
        by_definition(joined, early, late),
        by_selection(joined, early, late, measure, cutoff),
        why,
    )


def by_definition(
    incidents: pd.DataFrame, early: tuple[int, int], late: tuple[int, int]
) -> pd.DataFrame:
    """Does the change depend on what "authoritarian" means? The change under every regime measure and sensible cut-off.

    Cut-offs: Not Free; not Free; Regimes of the World <= 0 and <= 1; Lexical Index <= 2 and <= 3.
    Returns `regime_measure`, `cutoff`, `definition` (in words) and the columns of `change`; missing where a period is empty.
    """
    rows = []
    for measure, cutoff in (
        ("fiw", "NF"),
        ("fiw", "PF"),
        ("row", "0"),
        ("row", "1"),
        ("lied", "2"),
        ("lied", "3"),
    ):
        row: dict[str, object] = {
            "regime_measure": measure,
            "cutoff": cutoff,
            "definition": regimes.sentence(measure, cutoff),
        }
        with suppress(TooFewCases):
            row |= change(authoritarian_hosts(incidents, measure, cutoff), early, late)
        rows.append(row)
    return pd.DataFrame(rows).reindex(columns=["regime_measure", "cutoff", "definition", *CHANGE])


def by_selection(
    joined: pd.DataFrame,
    early: tuple[int, int],
    late: tuple[int, int],
    measure: str,
    cutoff: str | int,
) -> pd.DataFrame:
    """Does the change depend on which incidents are counted? The change for parts of the data.

    joined: incidents with `source_kind`, as `Dataset.joined` gives. The second row keeps all incidents but rates every state as
    in the last year throughout. Returns `selection` and the columns of `change`; missing where a period is empty.
    """
    marked, central = (
        authoritarian_hosts(joined, measure, cutoff),
        joined["origin"].isin(CENTRAL_ASIA),
    )
    selections = {
        "all counted incidents": marked,
        "each episode once": collapse(marked),
        "without doubtful cases": marked[~marked["doubtful"]],
        "without alleged cases": marked[marked["attribution"].isna()],
        "without interested sources": marked[marked["source_kind"] != "interested_party"],
        "five Central Asian states": marked[central],
        "other states": marked[~central],
        "stage 3 only": marked[marked["stage"] == 3],
    }
    rows = []
    for name, part in selections.items():
        row: dict[str, object] = {"selection": name}
        with suppress(TooFewCases):
            row |= change(part, early, late)
        rows.append(row)
    # a share can rise because incidents move, or because host states are rated anew: here every year has the last year's ratings
    fixed = authoritarian_hosts(
        joined.assign(year=joined["year"].mask(joined["year"].notna(), late[1])), measure, cutoff
    )
    row = {"selection": f"all, every state rated as in {late[1]}"}
    with suppress(TooFewCases):
        row |= change(fixed.assign(year=joined["year"]), early, late)
    rows.insert(1, row)
    return pd.DataFrame(rows).reindex(columns=["selection", *CHANGE])
