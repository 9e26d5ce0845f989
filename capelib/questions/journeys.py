"""Journeys: where exiles are recorded, and where caught. Persons are counted, not incidents."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from capelib.dataset import takes_dataset
from capelib.display import Result
from capelib.estimators.clusters import clustered_difference, linked
from capelib.estimators.counts import collapse, years
from capelib.estimators.decomposition import kitagawa
from capelib.estimators.shares import difference, wilson
from capelib.progress import progress
from capelib.questions import estimates as shared
from capelib.questions.host_order import (
    abroad,
    hosts_on_record,
    of_period,
    share_or_none,
    stays,
)
from capelib.questions.journey_hosts import (
    FORMER_SOVIET,
    LEAST_EXILES,
    OTHER,
    POOLED,
    by_host,
    by_space,
    reached,
)
from capelib.questions.journey_moves import LEAST_MOVES, directions, moves
from capelib.questions.selections import CORRIDOR, INDEPENDENT, ORIGIN, selections
from capelib.questions.wording import (
    percent,
    points,
    pursued_by,
)
from capelib.vocabulary.groups import group
from capelib.vocabulary.tables import states

__all__ = [
    "CAUGHT", "CORRIDOR", "FORMER_SOVIET", "GAP", "GAP_WITHIN", "HOST", "INDEPENDENT", "INSIDE",
    "LEAST_EXILES", "LEAST_MOVES", "ORIGIN", "OTHER", "POOLED", "SEVERAL", "TOGETHER", "Journeys",
    "abroad", "by_host", "by_space", "directions", "hosts_on_record", "journeys", "moves",
    "of_period", "reached", "stays", "variants",
]  # fmt: skip


RECENT = 2001  # the years before have few reports
TOGETHER = "exiles reported together as one group"
HOST = "exiles of one host as one group"
GAP_WITHIN = "the same, within pursuing states"
INSIDE = "recorded in the former Soviet space"
_NAMES = ("inside", "caught", "several", "gap", "within")  # of the estimates, in `variants`
CAUGHT = "held, returned or attacked in a host"
SEVERAL = "two or more hosts on record"
GAP = "returned or attacked: former Soviet space minus beyond"


@dataclass(frozen=True, repr=False)
class Journeys(Result):
    """Where the exiles of one or more states were recorded, and where they were caught.

    Attributes
    ----------
    first_year, last_year : int
        The period, both included.
    incidents : DataFrame
        Those of the period with a host.
    exiles : int
        Persons with any incident in the period.
    missing : int
        Persons without a host.
    stays, record, hosts, spaces : DataFrame
        From `stays`, `hosts_on_record`, `by_host`, `by_space`.
    estimates : DataFrame
        The main estimates, see `capelib.questions.estimates`.
    """

    first_year: int
    last_year: int
    incidents: pd.DataFrame
    exiles: int
    missing: int
    stays: pd.DataFrame
    record: pd.DataFrame
    hosts: pd.DataFrame
    spaces: pd.DataFrame
    estimates: pd.DataFrame

    CAVEAT = "Rests on what was reported: shares of a collection, no rates."

    def summary(self) -> str:
        """The answer in words."""
        return self.sentence(f"exiles pursued by {pursued_by(self.incidents['origin'])}")

    @property
    def located(self) -> int:
        """How many exiles have a host on record?"""
        return self.exiles - self.missing

    @property
    def clusters(self) -> pd.Series:
        """By exile_id, who was reported together, see `capelib.estimators.clusters.linked`."""
        return linked(self.incidents)

    def order(self) -> pd.DataFrame:
        """What can be told about the order of hosts? Counts in words, one row each."""
        moved = self.stays[self.stays["came_from"].notna()]
        several = self.stays.groupby("exile_id")["host"].nunique().gt(1)
        unplaced = self.stays[self.stays["step"].isna()]
        counts = {
            "exiles with two or more hosts on record": int(several.sum()),
            "of these, with a host that has no date at all": unplaced["exile_id"].nunique(),
            "moves between dated stays": len(moved),
            "of these, order certain": int(moved["certain"].sum()),
            "of these, order not certain": int((~moved["certain"]).sum()),
        }
        return pd.DataFrame({"n": counts.values()}, index=pd.Index(counts, name="what"))

    def sentence(self, who: str, choices: pd.DataFrame | None = None) -> str:
        """The answer in words, with intervals.

        Parameters
        ----------
        who
            For example "exiles pursued by Tajikistan".
        choices
            From `variants`: under how many of them the difference is not told from none.
        """
        span = years((self.first_year, self.last_year))
        if not self.located:
            return (
                f"No host is on record for {who} in {span}: "
                "where they go, and where they are caught, cannot be told."
            )
        rows = self.estimates.set_index("estimate")[["value", "low", "high"]]
        inside, caught, several = (percent(*rows.loc[key]) for key in (INSIDE, CAUGHT, SEVERAL))
        return (
            f"Of the {who} with a host on record in {span} (n = {self.located}), {inside} were "
            f"recorded in the former Soviet space, and {caught} were held, returned or attacked in "
            f"a host{self._extremes()}; {several} have more than one host on record."
            f"{self._gap(choices)}"
        )

    def _gap(self, choices: pd.DataFrame | None) -> str:
        """The difference between inside and beyond at stage 3, in words."""
        rows = self.estimates.set_index("estimate")[["value", "low", "high"]]
        gap, within = rows.loc[GAP], rows.loc[GAP_WITHIN]
        if pd.isna(gap["value"]):
            return ""
        text = (
            f" At stage 3 (returned or attacked), former Soviet space minus beyond: {points(*gap)}"
        )
        if gap.isna().any():
            return f"{text}, since too few hosts decide it."
        if within.notna().all():
            text += f", {points(*within)} within pursuing states"
        text += " (exiles of one corridor as one group; too narrow where hosts differ in more)"
        if gap["low"] <= 0 <= gap["high"]:
            text += ", which may be no difference at all"
        elif choices is not None:
            text += _under_choices(choices)
        return f"{text}."

    def _extremes(self) -> str:
        """The hosts with the least and the largest share of exiles caught, in words.

        Drawn towards the share of all hosts where cases are few. Only hosts with an interval of
        their own: where one report has most exiles, the share is that report's.
        """
        known = (self.hosts["host"] != OTHER) & self.hosts[["low", POOLED[0]]].notna().all(axis=1)
        hosts = self.hosts[known].sort_values(POOLED[0], kind="stable")
        if len(hosts) < 2:
            return ""
        words = [
            f"{states()[row.host]} {percent(row.pooled, row.pooled_low, row.pooled_high)} "
            f"(n = {row.exiles})"
            for row in hosts.itertuples()
        ]
        return (
            f" (by host, the shares of few drawn towards the others, from {words[0]} to "
            f"{words[-1]})"
        )


def _under_choices(choices: pd.DataFrame) -> str:
    """Under how many other choices the difference holds 0, and which of them has the smallest."""
    by_host = choices.loc[choices["choice"] == HOST, "gap_low"]
    refused = "; by host no interval can be given" if by_host.isna().any() else ""
    others = choices[~choices["choice"].isin(["as chosen", CORRIDOR, TOGETHER, INDEPENDENT])]
    others = others.dropna(subset=["gap_low", "gap_high"])
    if others.empty:
        return refused
    none = int((others["gap_low"] <= 0).sum())
    least = others.loc[others["gap"].idxmin()]
    smallest = points(*least[["gap", "gap_low", "gap_high"]])
    return (
        f"{refused}; it may be none under {none} of {len(others)} other choices "
        f"({least['choice']}: {smallest})"
    )


@takes_dataset
def journeys(
    incidents: pd.DataFrame, first_year: int, last_year: int, space: Sequence[str] = FORMER_SOVIET
) -> Journeys:
    """In which hosts are exiles recorded, and where are they caught?

    Parameters
    ----------
    incidents
        Of the states asked about.
    first_year, last_year
        Both included; undated incidents are kept.
    space
        The states that count as the former Soviet space.

    Returns
    -------
    Journeys
        Nothing is raised for too few cases. Intervals of shares allow for exiles reported together.
        Those of the difference take all exiles of one corridor as one group: inside or beyond is a
        trait of hosts, and hosts differ in more than that.

    Notes
    -----
    Simulated on the hosts and exiles of edition 2026-12, without a difference (250 draws each; the
    levels of hosts vary by 0, 0.4, 0.7 and 1 on the logit): the 95 % interval of the difference
    holds none in 96, 86, 76 and 72 % with corridors as groups, in 95, 79, 61 and 53 % with exiles
    reported together as groups. Hosts themselves as groups give no interval where one of them, as
    Russia here, has most exiles of a side (see `clustered_difference`). So the interval can show
    that there may be no difference, and not by itself that there is one.

    Examples
    --------
    >>> import capelib as cape
    >>> result = journeys(cape.load().where(origin="TJK").incidents, 1990, 2024)
    >>> result.located, result.missing, result.hosts["host"].tolist()
    (121, 26, ['RUS', 'DEU', 'POL', 'other'])
    """
    rows = of_period(incidents, first_year, last_year)
    located = abroad(rows)
    exiles = rows["exile_id"].nunique()
    steps = stays(located)
    return Journeys(
        first_year,
        last_year,
        incidents=located,
        exiles=exiles,
        missing=exiles - located["exile_id"].nunique(),
        stays=steps,
        record=hosts_on_record(steps, linked(located)),
        hosts=by_host(located),
        spaces=by_space(located, space),
        estimates=_estimates(located, space),
    )


def _estimates(located: pd.DataFrame, space: Sequence[str]) -> pd.DataFrame:
    """The field `estimates` of `Journeys`. located: incidents with a host."""
    return shared.table(_estimate_rows(reached(located), space))


def _estimate_rows(pairs: pd.DataFrame, space: Sequence[str]) -> list[shared.Row]:
    """The estimates from pairs of exile and host, as `reached` gives them."""
    inside = pairs["host"].isin(space)
    holds = {
        INSIDE: inside,
        CAUGHT: pairs["stage"] >= 2,
        SEVERAL: pairs["exile_id"].duplicated(),
    }
    persons = pairs.drop_duplicates("exile_id").set_index("exile_id")["cluster"]
    rows: list[shared.Row] = []
    for words, part in holds.items():
        hits = pd.Series(persons.index.isin(pairs.loc[part, "exile_id"]), persons.index)
        share = share_or_none(hits, persons)
        rows.append((words, [share["share"], share["low"], share["high"]], len(hits), "share"))
    gap = within = None
    if inside.any() and not inside.all():
        # being inside is a trait of hosts, and hosts differ in more than that
        gap = clustered_difference(pairs["stage"] == 3, inside, pairs["corridor"])[:3]
        parts = kitagawa(pairs["stage"] == 3, inside, pairs["origin"], pairs["corridor"])
        within = parts.within
    rows += [(GAP, gap, len(pairs), "difference"), (GAP_WITHIN, within, len(pairs), "difference")]
    return rows


def _independent_rows(pairs: pd.DataFrame, space: Sequence[str]) -> list[shared.Row]:
    """The same estimates with Wilson's and Newcombe's intervals of independent exiles."""
    rows: list[shared.Row] = []
    for words, values, n, unit in _estimate_rows(pairs, space):
        interval = values
        if words == GAP_WITHIN:
            interval = None if values is None else (values[0], np.nan, np.nan)
        elif values is not None and n and unit == "share":
            interval = wilson(round(values[0] * n), n)[2:]
        elif values is not None and words == GAP:
            ended, inside = pairs["stage"] == 3, pairs["host"].isin(space)
            sides = [wilson(int(ended[side].sum()), int(side.sum())) for side in (inside, ~inside)]
            interval = difference(*sides)
        rows.append((words, interval, n, unit))
    return rows


@takes_dataset
def variants(joined: pd.DataFrame, first_year: int, last_year: int) -> pd.DataFrame:
    """What would change the answer? The same estimates under other choices, one row a choice.

    Parameters
    ----------
    joined
        Incidents as `Dataset.joined` gives.
    first_year, last_year
        As for `journeys`.

    Returns
    -------
    DataFrame
        `choice`, `exiles` (with a host on record), and for `inside`, `caught`, `several` (shares),
        `gap` and `within` (the difference, and its part within pursuing states) the value with
        `_low` and `_high`, as fractions. The last rows have all estimates with other clusters:
        exiles reported together, as if hosts differed in nothing else; all exiles of one corridor
        (as chosen, for the difference); all of one host; all of one pursuing state (`within` then
        has no interval: no cluster is left to vary within a state); and every exile alone (Wilson,
        Newcombe).
    """
    parts = {"as chosen": joined, "each episode once": collapse(joined)} | selections(
        joined, "doubtful", "alleged", "cape", "court", "interested", "relatives", "undated"
    )
    parts["without the measure other"] = joined[joined["measure"] != "other"]
    choices = {words: (part, FORMER_SOVIET) for words, part in parts.items()}
    baltic = group("baltic")
    others = tuple(state for state in FORMER_SOVIET if state not in baltic)
    choices["Baltic states count as beyond"] = (joined, others)
    rows = []
    for words, (part, space) in progress(choices.items(), "choices"):
        pairs = reached(abroad(of_period(part, first_year, last_year)))
        rows.append(_variant(words, pairs, _estimate_rows(pairs, space)))
    if first_year < RECENT <= last_year:
        pairs = reached(abroad(of_period(joined, RECENT, last_year)))
        words = f"from {RECENT} on"
        rows.append(_variant(words, pairs, _estimate_rows(pairs, FORMER_SOVIET)))
    pairs = reached(abroad(of_period(joined, first_year, last_year)))
    clusters = {
        TOGETHER: pairs["cluster"],
        CORRIDOR: pairs["corridor"],
        HOST: pairs["host"],
        ORIGIN: pairs["origin"],
    }
    for words, cluster in clusters.items():
        alike = pairs.assign(cluster=cluster, corridor=cluster)
        row = _variant(words, pairs, _estimate_rows(alike, FORMER_SOVIET))
        if words == ORIGIN:
            row |= {"within_low": np.nan, "within_high": np.nan}
        rows.append(row)
    rows.append(_variant(INDEPENDENT, pairs, _independent_rows(pairs, FORMER_SOVIET)))
    return pd.DataFrame(rows)


def _variant(words: str, pairs: pd.DataFrame, estimates: list[shared.Row]) -> dict[str, object]:
    """One row of `variants`."""
    row: dict[str, object] = {"choice": words, "exiles": pairs["exile_id"].nunique()}
    numbers = shared.table(estimates)[["value", "low", "high"]].to_numpy()
    for name, interval in zip(_NAMES, numbers, strict=True):
        row |= dict(zip((name, f"{name}_low", f"{name}_high"), interval, strict=True))
    return row
