"""Relatives of exiles as a lever: how often are they reported as targeted, and in which hosts?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from capelib.dataset import takes_dataset
from capelib.display import Result
from capelib.estimators.clusters import ClusteredDifference, ClusteredShare, clustered, linked
from capelib.estimators.event_order import THEN, then
from capelib.estimators.shares import Share
from capelib.questions.relatives_by_exile import (
    FREE,
    HOST_RULES,
    KINDS,
    NOT_FREE,
    host_of_each,
    kind_of,
    of_exiles,
    period_of,
    rated_hosts,
    targeted,
)
from capelib.questions.relatives_choices import (
    ALONE,
    BEST_CASE,
    FEWEST,
    GAP,
    OTHERWISE,
    WORST_CASE,
    choices,
    comparisons,
    host_gap,
    hosts_missing,
    once,
)
from capelib.questions.selections import INDEPENDENT
from capelib.questions.wording import (
    percent,
    points,
    pursued_by,
    signed,
)
from capelib.reference import regimes
from capelib.vocabulary.codebook import codes
from capelib.vocabulary.tables import states

__all__ = [
    "ALONE", "FEWEST", "FREE", "GAP", "HOST_RULES", "INDEPENDENT", "KINDS", "NOT_FREE", "OTHERWISE",
    "Relatives", "by_group", "choices", "comparisons", "composition", "host_gap", "hosts_missing",
    "kind_of", "of_exiles", "once", "period_of", "relatives", "targeted", "what_else", "within",
]  # fmt: skip


@dataclass(frozen=True, repr=False)
class Relatives(Result):
    """What share of exiles has relatives reported as targeted?

    Every share is a lower bound: not reported is not "no".

    Attributes
    ----------
    exiles
        One row an exile, see `of_exiles`.
    overall
        The share, with an interval that allows for exiles who were reported together; None without
        cases.
    shares
        By origin, category, period and host, see `by_group`.
    free, other, gap, why
        The shares by host and their difference, see `host_gap`.
    definition
        Which hosts are not free, in words.
    choices, comparisons
        What would change the share and the gap: see the functions of these names.
    """

    exiles: pd.DataFrame
    overall: ClusteredShare | None
    shares: pd.DataFrame
    free: ClusteredShare | None
    other: ClusteredShare | None
    gap: ClusteredDifference | None
    why: str
    definition: str
    choices: pd.DataFrame
    comparisons: pd.DataFrame

    CAVEAT = 'Lowest possible shares: not reported is not "no".'

    def summary(self) -> str:
        """The answer in words."""
        return self.sentence(f"exiles pursued by {pursued_by(self.exiles['origin'])}")

    def sentence(self, who: str) -> str:
        """The answer in one sentence, with intervals.

        Parameters
        ----------
        who
            For example "exiles pursued by Tajikistan".
        """
        if self.overall is None:
            return f"No {who} are on record here: nothing can be said about their relatives."
        total = f"{percent(*self.overall[2:5])} of the {who} (n = {self.overall.n})"
        start = f"Relatives are reported as targeted for at least {total}"
        if self.why or self.gap is None or self.free is None or self.other is None:
            return (
                f"{start}; whether it is more often so in free hosts cannot be told ({self.why})."
            )
        in_free = f"{percent(*self.free[2:5])} (n = {self.free.n})"
        elsewhere = f"{percent(*self.other[2:5])} elsewhere (n = {self.other.n})"
        return (
            f"{start}. Where the host is known, such reports are {_frequency(self.gap)} for exiles "
            f"in free hosts: {in_free} against {elsewhere}, {points(*self.gap[:3])}"
            f"{self._definitions()}.{self._unknown()}"
        )

    def _definitions(self) -> str:
        """The range of the gap under other rules and definitions, in words."""
        rows = self.comparisons
        unlike = rows["descriptive"] | rows["comparison"].isin([WORST_CASE, BEST_CASE])
        gaps = 100 * rows.loc[~unlike, "difference"].dropna()
        if len(gaps) < 2:
            return ""
        return (
            f"; from {signed(gaps.min())} to {signed(gaps.max())} under other definitions and "
            "rules, and with each pursuing state left out"
        )

    def _unknown(self) -> str:
        """What the exiles without a known host could do to the gap, in words."""
        rows = self.comparisons.set_index("comparison")[GAP[-3:]]
        worst, best = rows.loc[WORST_CASE], rows.loc[BEST_CASE]
        unknown = int(self.exiles["side"].isna().sum())
        if not unknown or worst.isna().any() or best.isna().any():
            return ""
        low = min(worst["difference_low"], best["difference_low"])
        high = max(worst["difference_high"], best["difference_high"])
        text = (
            f" Wherever the {unknown} exiles without a known host are, the gap lies between "
            f"{points(*worst)} and {points(*best)}"
        )
        open_ = low <= 0 <= high
        verdict = ": without an assumption on them it is not established" if open_ else ""
        return f"{text}{verdict}."

    def estimates(self) -> pd.DataFrame:
        """The main estimates; missing values where there are too few cases.

        Returns
        -------
        DataFrame
            `estimate`, `value`, `low`, `high` (fractions), `n`, `unit` ("share", "difference").
        """
        named = {
            "relatives reported, at least": self.overall,
            "in free hosts, at least": self.free,
            "in other hosts, at least": self.other,
        }
        rows, missing = [], (np.nan, np.nan, np.nan)
        for name, share in named.items():
            rows.append(
                (name, *(share[2:5] if share else missing), share.n if share else 0, "share")
            )
        n = sum(share.n for share in (self.free, self.other) if share)
        gap = self.gap[:3] if self.gap else missing
        rows.append(("free hosts minus others", *gap, n, "difference"))
        cases = self.comparisons.set_index("comparison")
        for words in (WORST_CASE, BEST_CASE):
            row = cases.loc[words]
            n = int(row["free_n"] + row["other_n"])
            rows.append((f"free hosts minus others, {words}", *row[GAP[-3:]], n, "difference"))
        return pd.DataFrame(rows, columns=["estimate", "value", "low", "high", "n", "unit"])


def _frequency(gap: ClusteredDifference) -> str:
    if gap.low > 0:
        return "more frequent"
    if gap.high < 0:
        return "less frequent"
    return "neither clearly more nor less frequent"


@takes_dataset
def relatives(
    joined: pd.DataFrame,
    split_years: Sequence[int] = (2011, 2016),
    measure: str = "fiw",
    cutoff: str | int = "PF",
    rule: str = "first",
) -> Relatives:
    """How often is the family the lever, by origin, category, period and host?

    Parameters
    ----------
    joined
        Incidents as `Dataset.joined` gives.
    split_years
        First year of each later period.
    measure, cutoff
        Which hosts are not free, see `cape.regimes.at_or_below`.
    rule
        Which host counts for an exile with several, see `of_exiles`.

    Returns
    -------
    Relatives
        Nothing is raised for too few cases: what cannot be estimated is None, and `why` says so.

    Examples
    --------
    >>> import capelib as cape
    >>> result = relatives(cape.load().where(origin=cape.CENTRAL_ASIA).joined())
    >>> result.overall.k, result.overall.n, result.free.n
    (124, 549, 71)
    """
    exiles = of_exiles(joined, split_years, measure, cutoff, rule)
    return Relatives(
        exiles=exiles,
        overall=clustered(exiles["relatives"], exiles["cluster"]) if len(exiles) else None,
        shares=by_group(exiles),
        **host_gap(exiles)._asdict(),
        definition=regimes.sentence(measure, cutoff),
        choices=choices(joined, measure, cutoff, rule),
        comparisons=comparisons(joined, measure, cutoff, rule),
    )


def by_group(exiles: pd.DataFrame) -> pd.DataFrame:
    """What share of exiles has relatives reported, by origin, category, period and host?

    Parameters
    ----------
    exiles
        From `of_exiles`. Exiles whose period or host is not known make a group of their own.

    Returns
    -------
    DataFrame
        `kind` ("origin", "category", "first report", "host"), `group` (in words), `k`, `n`,
        `share`, `low`, `high` (fractions), `clusters` (exiles reported together); no interval where
        there are too few clusters, see `capelib.estimators.clusters.clustered`.

    Examples
    --------
    >>> import capelib as cape
    >>> table = by_group(of_exiles(cape.load().where(origin="TJK").joined()))
    >>> table.loc[:0, ["group", "k", "n"]].to_dict("list")
    {'group': ['Tajikistan'], 'k': [53], 'n': [148]}
    """
    labels, periods = codes("category"), exiles["period"].cat.categories
    named = {
        "origin": exiles["origin"].map(states()),
        "category": exiles["category"].astype("str").map(labels),
        "first report": exiles["period"].astype("str").fillna("year not known"),
        "host": exiles["side"].astype("str").fillna("host not known"),
    }
    orders = {
        "origin": sorted(named["origin"].unique()),
        "category": list(labels.values()),
        "first report": [*map(str, periods), "year not known"],
        "host": [FREE, NOT_FREE, "host not known"],
    }
    rows = []
    for kind, groups in named.items():
        for group in orders[kind]:
            part = exiles[groups == group]
            if len(part):
                share = clustered(part["relatives"], part["cluster"])
                rows.append({"kind": kind, "group": group, **share._asdict()})
    return pd.DataFrame(rows, columns=["kind", "group", *Share._fields, "clusters"])


@takes_dataset
def composition(
    joined: pd.DataFrame, measure: str = "fiw", cutoff: str | int = "PF", rule: str = "first"
) -> pd.DataFrame:
    """What else is reported of exiles in free hosts and in others?

    Parameters
    ----------
    joined, measure, cutoff, rule
        As for `relatives`.

    Returns
    -------
    DataFrame
        `kind` (of measure; an exile counts once a kind, wherever it happened), `side`, `k`, `n`,
        `share`, `low`, `high` (fractions of exiles), `clusters`, as in `by_group`.
    """
    sides = host_of_each(rated_hosts(joined, measure, cutoff), rule)["side"]
    kind_on_record, clusters = kind_of(joined), linked(joined)
    kinds = {"relatives targeted": targeted(joined)}
    kinds |= {kind: kind_on_record == kind for kind in KINDS}
    rows = []
    for kind, hits in kinds.items():
        reported = pd.Series(sides.index.isin(joined.loc[hits, "exile_id"]), sides.index)
        for side in (FREE, NOT_FREE):
            part = reported[sides == side]
            if len(part):
                share = clustered(part, clusters[part.index])
                rows.append({"kind": kind, "side": side, **share._asdict()})
    return pd.DataFrame(rows, columns=["kind", "side", *Share._fields, "clusters"])


@takes_dataset
def what_else(joined: pd.DataFrame) -> pd.DataFrame:
    """Among exiles with relatives targeted: what else was done to the exile, and when?

    Returns
    -------
    DataFrame
        One row a kind (`KINDS`): `kind`, the number of exiles by
        `capelib.estimators.event_order.then` ("same incident", "after", "cannot be told", "before
        only", "not recorded": against the first report of relatives) and `n`, their sum.

    Examples
    --------
    >>> import capelib as cape
    >>> what_else(cape.load().where(origin=cape.CENTRAL_ASIA).joined())["n"].tolist()
    [124, 124, 124, 124]
    """
    step, kinds = targeted(joined), kind_of(joined)
    rows = []
    for kind in KINDS:
        order = then(joined, step, kinds == kind)
        rows.append(order.value_counts().reindex(THEN).rename(kind))
    table = pd.DataFrame(rows).rename_axis("kind").reset_index()
    return table.assign(n=table[THEN].sum(axis=1))


@takes_dataset
def within(incidents: pd.DataFrame, first_day: str, last_day: str) -> tuple[int, int]:
    """How many exiles have relatives reported as targeted in a period?

    Parameters
    ----------
    incidents
        Blank dates are left out.
    first_day, last_day
        For example "2017-07-01", "2017-07-31".

    Returns
    -------
    tuple
        How many certainly, and how many possibly (a date that overlaps with the period).

    Examples
    --------
    >>> import capelib as cape
    >>> within(cape.load().where(origin="TJK").incidents, "2017-07-01", "2017-07-31")
    (2, 4)
    """
    rows = incidents[targeted(incidents) & incidents["date_start"].notna()]
    first, last = pd.Timestamp(first_day), pd.Timestamp(last_day)
    certain = (rows["date_start"] >= first) & (rows["date_end"] <= last)
    possible = (rows["date_start"] <= last) & (rows["date_end"] >= first)
    return rows.loc[certain, "exile_id"].nunique(), rows.loc[possible, "exile_id"].nunique()
