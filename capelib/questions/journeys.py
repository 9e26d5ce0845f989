"""Journeys: where exiles are recorded, and where caught. Persons are counted, not incidents."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from capelib.dataset import takes_dataset
from capelib.errors import ParameterError
from capelib.estimators.clusters import clustered, clustered_difference, linked
from capelib.estimators.counts import collapse, years
from capelib.estimators.decomposition import kitagawa
from capelib.estimators.pooled_shares import LEAST_GROUPS, pooled_shares
from capelib.estimators.shares import difference, wilson
from capelib.questions import estimates as shared
from capelib.questions.host_order import (
    abroad,
    hosts_on_record,
    of_period,
    share_or_none,
    stays,
)
from capelib.questions.selections import CORRIDOR, INDEPENDENT, ORIGIN, selections
from capelib.questions.wording import percent, points
from capelib.reference import regimes
from capelib.vocabulary.groups import group
from capelib.vocabulary.tables import states

FORMER_SOVIET = group("former_soviet")
LEAST_MOVES = 3  # a move that fewer exiles made is never named: it would point at a person
RECENT = 2001  # the years before have few reports
OTHER = "other"
LEAST_EXILES = 10  # hosts with fewer exiles are pooled
GAP_WITHIN = "the same, within pursuing states"
INSIDE = "recorded in the former Soviet space"
_NAMES = ("inside", "caught", "several", "gap", "within")  # of the estimates, in `variants`
CAUGHT = "held, returned or attacked in a host"
SEVERAL = "two or more hosts on record"
POOLED = ["pooled", "pooled_low", "pooled_high"]
GAP = "returned or attacked: former Soviet space minus beyond"


def moves(found: pd.DataFrame, least: int = LEAST_MOVES, certain: bool = True) -> pd.DataFrame:
    """From which host to which did exiles move? Counted in persons, the most frequent first.

    Parameters
    ----------
    found
        From `stays`.
    least
        Pairs of hosts with fewer exiles are pooled into one last row ("other", "other"); 1 or more.
    certain
        True counts only moves whose order is certain.

    Returns
    -------
    DataFrame
        `from`, `to` (state codes), `exiles` (persons; in the pooled row, persons with any of its
        moves), `pairs` (of hosts).

    Raises
    ------
    ParameterError
        For `least` below 1.
    """
    if least < 1:
        raise ParameterError(f"least must be 1 or more, not {least}")
    counted = found["certain"].fillna(False).astype(bool) | (not certain)
    rows = found[found["came_from"].notna() & counted].rename(
        columns={"came_from": "from", "host": "to"}
    )
    pairs = rows.groupby(["from", "to"])["exile_id"].nunique().rename("exiles").reset_index()
    pairs = pairs.sort_values(["exiles", "from", "to"], ascending=[False, True, True])
    rare = pairs["exiles"] < least
    shown = pairs[~rare].assign(pairs=1)
    if rare.any():
        persons = rows.merge(pairs.loc[rare, ["from", "to"]])["exile_id"].nunique()
        shown.loc[len(pairs)] = [OTHER, OTHER, persons, int(rare.sum())]
    return shown.reset_index(drop=True).astype({"exiles": "int64", "pairs": "int64"})


def directions(found: pd.DataFrame, cluster: pd.Series, measure: str = "fiw") -> pd.DataFrame:
    """Do exiles move to freer states? Certain moves by the ratings of both hosts on arrival.

    Parameters
    ----------
    found
        From `stays`.
    cluster
        By exile_id, who was reported together: see `capelib.estimators.clusters.linked`. Moves of
        one exile belong together too.
    measure
        A regime measure, see `cape.regimes.scale`; ratings are those of the year of arrival on
        record.

    Returns
    -------
    DataFrame
        `direction` ("to a freer state", "to one rated alike", "to a less free state"), `moves`, `n`
        (certain moves with both ratings), `share`, `low`, `high` (missing where n is 0, the
        interval where there are too few clusters).
    """
    values = regimes.scale(measure)
    certain = found[found["certain"].fillna(False).astype(bool)]
    changes, exiles = [], []
    for move in certain.itertuples():
        year = int(move.year)
        left = regimes.of(move.came_from, year, measure)
        reached = regimes.of(move.host, year, measure)
        if left and reached:
            changes.append(values.index(reached) - values.index(left))
            exiles.append(move.exile_id)
    freer = np.array(changes, dtype=int)
    kinds = {
        "to a freer state": freer > 0,
        "to one rated alike": freer == 0,
        "to a less free state": freer < 0,
    }
    rows = [
        {"direction": words, **share_or_none(pd.Series(holds), cluster.reindex(exiles).array)}
        for words, holds in kinds.items()
    ]
    return pd.DataFrame(rows).rename(columns={"k": "moves"})


@takes_dataset
def reached(incidents: pd.DataFrame) -> pd.DataFrame:
    """What is the highest stage that was recorded for each exile in each host?

    Parameters
    ----------
    incidents
        As for `stays`; needs no dates and no order.

    Returns
    -------
    DataFrame
        One row a pair: `exile_id`, `host`, `stage` (int64), `origin`, `cluster` (of the exile, see
        `capelib.estimators.clusters.linked`).
    """
    rows = abroad(incidents[["exile_id", "origin", "host", "stage"]]).astype({"stage": "int64"})
    pairs = rows.groupby(["exile_id", "host"]).agg(
        stage=("stage", "max"), origin=("origin", "first")
    )
    return pairs.reset_index().join(linked(incidents), on="exile_id")


@takes_dataset
def by_host(incidents: pd.DataFrame, least: int = LEAST_EXILES) -> pd.DataFrame:
    """Where are exiles caught? The exiles on record in each host by the highest stage there.

    Parameters
    ----------
    incidents
        As for `stays`.
    least
        Hosts with fewer exiles are pooled as "other" (last row).

    Returns
    -------
    DataFrame
        `host`, `hosts` (1, or how many are pooled), `exiles`, `stage_1`, `stage_2`, `stage_3`
        (exiles by highest stage there), `caught` (held, returned or attacked: stages 2 and 3),
        `share` (of the exiles on record there), `low`, `high`, `clusters` (of exiles reported
        together), `why` (there is no interval, in words: too few clusters; "" where there is one).
        An exile with two hosts counts in both.

    Notes
    -----
    The share is one of recorded exiles, not a risk: an exile to whom nothing happened is not on
    record at all.

    Pooled are all hosts, also those in the last row. Cases count divided by the design effect of
    the host's share, or by the mean one of all hosts where that is larger: few cases do not show
    how alike they are.

    Examples
    --------
    >>> import capelib as cape
    >>> hosts = by_host(cape.load().where(origin="TJK").incidents)
    >>> hosts[["host", "exiles", "caught"]].values.tolist()
    [['RUS', 68, 60], ['DEU', 13, 3], ['POL', 10, 4], ['other', 42, 35]]
    """
    pairs = reached(incidents)
    common = pairs["host"].map(pairs["host"].value_counts()) >= least
    table = _by(pairs, pairs["host"].where(common, OTHER).rename("host"))
    table = table.sort_values("host", key=lambda host: host == OTHER, kind="stable")
    return table.reset_index(drop=True).join(_pooled(pairs), on="host")


def _pooled(pairs: pd.DataFrame) -> pd.DataFrame:
    """The share of exiles caught in each host, partially pooled. pairs: from `reached`."""
    columns = dict(zip(("share", "low", "high"), POOLED, strict=True))
    if pairs["host"].nunique() < LEAST_GROUPS:
        return pd.DataFrame(columns=POOLED, dtype="float64")
    shares = {
        host: clustered(part["stage"] >= 2, part["cluster"]) for host, part in pairs.groupby("host")
    }
    n = pd.Series({host: share.n for host, share in shares.items()}, dtype="float64")
    effect = pd.Series({host: share.design_effect for host, share in shares.items()})
    effect = effect.clip(lower=float(np.average(effect, weights=n)))
    cases = n / np.minimum(effect, n)
    hits = cases * pd.Series({host: share.share for host, share in shares.items()})
    return pooled_shares(hits, cases).rename(columns=columns)[POOLED]


@takes_dataset
def by_space(incidents: pd.DataFrame, space: Sequence[str] = FORMER_SOVIET) -> pd.DataFrame:
    """Are exiles caught inside the former Soviet space or beyond it?

    Parameters
    ----------
    incidents
        As for `stays`.
    space
        The states inside.

    Returns
    -------
    DataFrame
        The columns of `by_host` with `space` ("inside", "beyond"; only those that occur) for
        `host`, and `ended`, `ended_low`, `ended_high` (share at stage 3, with clusters). Counted
        are pairs of exile and host.
    """
    return _spaces(reached(incidents), space)


def _spaces(pairs: pd.DataFrame, space: Sequence[str]) -> pd.DataFrame:
    where = pairs["host"].isin(space).map({True: "inside", False: "beyond"}).rename("space")
    table = _by(pairs, where)
    ended = {
        space: clustered(part["stage"] == 3, part["cluster"])[2:5]
        for space, part in pairs.groupby(where)
    }
    columns = ["ended", "ended_low", "ended_high"]
    return table.join(pd.DataFrame(ended, index=columns, dtype="float64").T, on="space")


def _by(pairs: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    rows = []
    for name, part in pairs.groupby(key):
        _, *stages = np.bincount(part["stage"], minlength=4).tolist()
        caught = clustered(part["stage"] >= 2, part["cluster"])
        share = (caught.k, *caught[2:6], caught.why)
        rows.append([name, part["host"].nunique(), len(part), *stages, *share])
    columns = [
        *(key.name, "hosts", "exiles", "stage_1", "stage_2", "stage_3"),
        *("caught", "share", "low", "high", "clusters", "why"),
    ]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values(["exiles", key.name], ascending=[False, True]).reset_index(drop=True)


@dataclass(frozen=True)
class Journeys:
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
            f"a host{self._extremes()}; {several} have more than one host on record.{self._gap(choices)}"
        )

    def _gap(self, choices: pd.DataFrame | None) -> str:
        """The difference between inside and beyond at stage 3, in words."""
        rows = self.estimates.set_index("estimate")[["value", "low", "high"]]
        gap, within = rows.loc[GAP], rows.loc[GAP_WITHIN]
        if gap.isna().any():
            return ""
        text = (
            f" At stage 3 (returned or attacked), former Soviet space minus beyond: {points(*gap)}"
        )
        if within.notna().all():
            text += f", {points(*within)} within pursuing states"
        holds_none = gap["low"] <= 0 <= gap["high"]
        if holds_none:
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
    others = choices[choices["choice"].ne("as chosen") & choices["choice"].ne(INDEPENDENT)]
    others = others.dropna(subset=["gap_low", "gap_high"])
    if others.empty:
        return ""
    none = int((others["gap_low"] <= 0).sum())
    least = others.loc[others["gap"].idxmin()]
    smallest = points(*least[["gap", "gap_low", "gap_high"]])
    return (
        f"; it may be none under {none} of {len(others)} other choices ({least['choice']}: "
        f"{smallest})"
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
        Nothing is raised for too few cases. Intervals allow for exiles reported together, and the
        difference for those recorded both inside and beyond.

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
        gap = clustered_difference(pairs["stage"] == 3, inside, pairs["cluster"])[:3]
        parts = kitagawa(pairs["stage"] == 3, inside, pairs["origin"], pairs["cluster"])
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
        elif values is not None:
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
        `choice`, `exiles` (with a host on record), and for `inside`, `caught`, `several` (shares)
        and `gap`, `within` (the difference, and its part within pursuing states) the value with `_low` and `_high`, as fractions. The last rows have
        the estimates as chosen with other clusters: all exiles of one corridor (by the first of
        their hosts), all of one pursuing state, and every exile alone (Wilson, Newcombe).
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
    for words, (part, space) in choices.items():
        pairs = reached(abroad(of_period(part, first_year, last_year)))
        rows.append(_variant(words, pairs, _estimate_rows(pairs, space)))
    if first_year < RECENT <= last_year:
        pairs = reached(abroad(of_period(joined, RECENT, last_year)))
        words = f"from {RECENT} on"
        rows.append(_variant(words, pairs, _estimate_rows(pairs, FORMER_SOVIET)))
    pairs = reached(abroad(of_period(joined, first_year, last_year)))
    first_host = pairs.groupby("exile_id")["host"].transform("first")
    clusters = {CORRIDOR: pairs["origin"] + " to " + first_host, ORIGIN: pairs["origin"]}
    for words, cluster in clusters.items():
        estimates = _estimate_rows(pairs.assign(cluster=cluster), FORMER_SOVIET)
        rows.append(_variant(words, pairs, estimates))
    rows.append(_variant(INDEPENDENT, pairs, _independent_rows(pairs, FORMER_SOVIET)))
    return pd.DataFrame(rows)


def _variant(words: str, pairs: pd.DataFrame, estimates: list[shared.Row]) -> dict[str, object]:
    """One row of `variants`."""
    row: dict[str, object] = {"choice": words, "exiles": pairs["exile_id"].nunique()}
    numbers = shared.table(estimates)[["value", "low", "high"]].to_numpy()
    for name, interval in zip(_NAMES, numbers, strict=True):
        row |= dict(zip((name, f"{name}_low", f"{name}_high"), interval, strict=True))
    return row
