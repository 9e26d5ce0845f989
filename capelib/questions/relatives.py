"""Relatives of exiles as a lever: for which share of exiles are they reported as targeted, and is it where the exile is out of reach?"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from capelib.errors import ParameterError, TooFewCases
from capelib.estimators.clusters import ClusteredShare, clustered, difference_of, linked
from capelib.estimators.counts import collapse
from capelib.estimators.event_order import THEN, then
from capelib.estimators.shares import Estimate, Share, difference, wilson
from capelib.reference import regimes
from capelib.vocabulary.codebook import codes, require
from capelib.vocabulary.tables import states

HOST_RULES = {
    "first": "the host of the exile's first dated incident with a rated host",
    "last": "the host of the exile's last dated incident with a rated host",
    "one only": "only exiles whose rated hosts are all free, or all not free",
}
TAKEN = ["extradition", "deportation", "rendition"]
ATTACKED = ["disappearance", "assault", "assassination_attempt", "assassination"]
KINDS = ["put on notice otherwise", "held", "sent or taken back", "attacked, killed or missing"]
FREE, NOT_FREE = "free hosts", "other hosts"
DEFINITIONS = {
    ("fiw", "NF"): "Partly Free counted as free",
    ("fiw", "PF"): "Partly Free counted as not free",
    ("row", "1"): "not free: Regimes of the World <= 1",
    ("lied", "3"): "not free: Lexical Index <= 3",
}
FEWEST = 5  # exiles that each side of a comparison needs


@dataclass(frozen=True)
class Relatives:
    """What share of exiles has relatives reported as targeted. Every share is a lower bound: not reported is not "no".

    exiles: one row an exile, see `of_exiles`. overall: the share with Wilson's interval, None without cases. together: the same,
    allowing for exiles who were reported together. shares: by origin, category, period and host, see `by_group`.
    free, other: the shares among exiles in free hosts and in others; gap: free minus other (Newcombe 95 %); None with too few, and
    `why` says which. choices, comparisons: what would change the share and the gap. definition: which hosts are not free.
    """

    exiles: pd.DataFrame
    overall: Share | None
    together: ClusteredShare | None
    shares: pd.DataFrame
    free: Share | None
    other: Share | None
    gap: Estimate | None
    why: str
    definition: str
    choices: pd.DataFrame
    comparisons: pd.DataFrame

    def sentence(self, who: str) -> str:
        """The answer in one sentence, with intervals. who: for example "exiles pursued by Tajikistan"."""
        if self.overall is None:
            return f"No {who} are on record here: nothing can be said about their relatives."
        total = f"{_said(self.overall)} of the {who} (n = {self.overall.n})"
        if self.together:
            total += f", or [{100 * self.together.low:.0f}, {100 * self.together.high:.0f}] allowing for exiles reported together"
        said = f"Relatives are reported as targeted for at least {total}"
        if self.gap is None or self.free is None or self.other is None:
            return f"{said}; whether it is more often so in free hosts cannot be told ({self.why})."
        points = f"{100 * self.gap.value:+.0f} points [{100 * self.gap.low:+.0f}, {100 * self.gap.high:+.0f}]"
        clear = (
            "more frequent"
            if self.gap.low > 0
            else "less frequent"
            if self.gap.high < 0
            else "neither clearly more nor less frequent"
        )
        where = f"{_said(self.free)} (n = {self.free.n}) against {_said(self.other)} elsewhere (n = {self.other.n})"
        others = 100 * self.comparisons["difference"].dropna()
        known = self.comparisons.set_index("comparison").loc["known for something else as well"]
        fair = (
            ""
            if pd.isna(known["difference"])
            else f"; {100 * known['difference']:+.0f} among exiles known for something else as well"
        )
        spread = (
            f"{fair}; from {others.min():+.0f} to {others.max():+.0f} under all comparisons made"
        )
        return (
            f"{said}. Such reports are {clear} for exiles in free hosts: {where}, {points}{spread}."
        )

    def estimates(self) -> pd.DataFrame:
        """The main estimates: estimate, value, low, high (fractions), n, unit; missing values where there are too few cases."""
        named = {
            "relatives reported, at least": self.overall,
            "in free hosts, at least": self.free,
            "in other hosts, at least": self.other,
        }
        rows = [
            (name, *(share[2:] if share else [np.nan] * 3), share.n if share else 0, "share")
            for name, share in named.items()
        ]
        n = sum(share.n for share in (self.free, self.other) if share)
        rows.append(("free hosts minus others", *(self.gap or [np.nan] * 3), n, "difference"))
        return pd.DataFrame(rows, columns=["estimate", "value", "low", "high", "n", "unit"])


def _said(share: Share) -> str:
    return f"{100 * share.share:.0f} % [{100 * share.low:.0f}, {100 * share.high:.0f}]"


def relatives(
    joined: pd.DataFrame,
    split_years: Sequence[int] = (2011, 2016),
    measure: str = "fiw",
    cutoff: str | int = "PF",
    rule: str = "first",
) -> Relatives:
    """How often is the family the lever, by origin, category, period and host?

    joined: incidents with `category`, `is_group` and `source_kind`, as `Dataset.joined` gives. split_years: first year of each later
    period. measure, cutoff: which hosts are not free, see `cape.regimes.at_or_below`. rule: which host counts for an exile with
    several, see `of_exiles`. Nothing is raised for too few cases: what cannot be estimated is None, and `why` says so.

    >>> import capelib as cape
    >>> found = relatives(cape.load().where(origin=cape.CENTRAL_ASIA).joined())
    >>> found.overall.k, found.overall.n, found.free.n
    (91, 390, 56)
    """
    exiles = of_exiles(joined, split_years, measure, cutoff, rule)
    together = None
    with suppress(TooFewCases):
        together = clustered(exiles["relatives"], exiles["cluster"])
    free, other, gap, why = host_gap(exiles)
    return Relatives(
        exiles,
        wilson(int(exiles["relatives"].sum()), len(exiles)) if len(exiles) else None,
        together,
        by_group(exiles),
        free,
        other,
        gap,
        why,
        regimes.sentence(measure, cutoff),
        choices(joined, measure, cutoff, rule),
        comparisons(joined, measure, cutoff, rule),
    )


def targeted(incidents: pd.DataFrame) -> pd.Series:
    """Does the incident report that relatives were targeted: as its measure, or by the mark beside another measure?

    True or False; False is "not reported", never "no".

    >>> import capelib as cape
    >>> int(targeted(cape.load().where(origin="TJK").incidents).sum())
    61
    """
    return (incidents["measure"] == "relatives_targeted") | incidents["relatives_targeted"].fillna(
        False
    ).astype(bool)


def kind_of(incidents: pd.DataFrame) -> pd.Series:
    """What kind of measure is each incident, besides relatives? One of KINDS; missing for relatives_targeted itself.

    >>> kind_of(pd.DataFrame({"measure": ["relatives_targeted", "threat", "rendition"], "stage": [1, 1, 3]})).tolist()
    [nan, 'put on notice otherwise', 'sent or taken back']
    """
    measure, stage = incidents["measure"].astype("str"), incidents["stage"].astype("int64")
    picks = [
        measure == "relatives_targeted",
        stage == 1,
        stage == 2,
        measure.isin(TAKEN),
        measure.isin(ATTACKED),
    ]
    return pd.Series(
        pd.Categorical(np.select(picks, [None, *KINDS], None), KINDS), index=incidents.index
    )


def period_of(years: pd.Series, split_years: Sequence[int]) -> pd.Series:
    """The period in which each year falls, in words, as an ordered categorical; missing where the year is.

    split_years: first year of each later period, rising. Raises ParameterError for an empty or falling list.

    >>> period_of(pd.Series([2010, 2011, 2020]), [2011, 2016]).tolist()
    ['until 2010', '2011-2015', '2016 on']
    """
    starts = list(split_years)
    if not starts or starts != sorted(set(starts)):
        raise ParameterError(
            f"split_years must be years that rise, such as [2011, 2016], not {starts!r}"
        )
    middle = [str(a) if b - a == 1 else f"{a}-{b - 1}" for a, b in pairwise(starts)]
    labels = [f"until {starts[0] - 1}", *middle, f"{starts[-1]} on"]
    return pd.cut(years.astype("float64"), [-np.inf, *starts, np.inf], right=False, labels=labels)


def of_exiles(
    joined: pd.DataFrame,
    split_years: Sequence[int] = (2011, 2016),
    measure: str = "fiw",
    cutoff: str | int = "PF",
    rule: str = "first",
) -> pd.DataFrame:
    """One row an exile: are relatives reported as targeted, and what is known about the exile?

    joined: incidents with `category` and `is_group`, as `Dataset.joined` gives. split_years, measure, cutoff: see `relatives`.
    rule: the host of an exile with several: "first" (of the first dated incident with a rated host), "last" (of the last), or
    "one only" (an exile whose rated hosts are not all on one side has no host). The rule looks at all incidents alike, so that it does
    not depend on whether relatives are reported; the rating is that of the incident's year. Dates are ordered by their first
    possible day, then their last one, then as the rows stand.
    Returns exile_id, origin (of the exile's first row), category, is_group, relatives (bool), period (of the first dated incident),
    host, rating (of that host in that year), side ("free hosts", "other hosts" or missing), stage (the highest reached, 1 to 3),
    otherwise (bool: known for something else than relatives_targeted), cluster (see `capelib.estimators.clusters.linked`).
    Raises ParameterError for an unknown rule.
    """
    stage, otherwise = joined["stage"].astype("int64"), joined["measure"] != "relatives_targeted"
    marks = pd.DataFrame({"relatives": targeted(joined), "stage": stage, "otherwise": otherwise})
    persons = joined.groupby("exile_id")
    rows = (
        persons[["origin", "category", "is_group"]]
        .first()
        .join(marks.groupby(joined["exile_id"]).max())
        .join(linked(joined))
    )
    rows["period"] = period_of(persons["year"].min(), split_years)
    rows = rows.join(_hosts(_rated(joined, measure, cutoff), rule))
    names = [
        "origin",
        "category",
        "is_group",
        "relatives",
        "period",
        "host",
        "rating",
        "side",
        "stage",
        "otherwise",
        "cluster",
    ]
    return rows[names].reset_index()


def _rated(joined: pd.DataFrame, measure: str, cutoff: str | int) -> pd.DataFrame:
    """The incidents with a rated host, the first dated one first: exile_id, host, rating, side. The index is that of `joined`."""
    rows = regimes.add_regime(
        joined[["exile_id", "host", "year", "date_start", "date_end"]], measure, "host"
    )
    rows = rows[rows[f"host_{measure}"].notna()].sort_values(
        ["date_start", "date_end"], kind="stable"
    )
    rating = rows[f"host_{measure}"].astype("str")
    side = np.where(rating.isin(regimes.at_or_below(measure, cutoff)), NOT_FREE, FREE)
    return rows[["exile_id", "host"]].assign(rating=rating, side=side)


def _hosts(rated: pd.DataFrame, rule: str) -> pd.DataFrame:
    """The host of each exile by the rule, with its rating and side, by exile_id (index). rated: as `_rated` gives."""
    require("host rule", rule, HOST_RULES)
    if rule == "one only":
        rated = rated[rated.groupby("exile_id")["side"].transform("nunique") == 1]
    return rated.drop_duplicates("exile_id", keep="last" if rule == "last" else "first").set_index(
        "exile_id"
    )


def by_group(exiles: pd.DataFrame) -> pd.DataFrame:
    """The share of exiles with relatives reported, by origin, category, period of the first report and host.

    exiles: from `of_exiles`. Exiles whose period or host is not known make a group of their own.
    Returns `kind` ("origin", "category", "first report", "host"), `group` (in words), `k`, `n`, `share`, `low`, `high` (fractions,
    Wilson 95 %).

    >>> import capelib as cape
    >>> by_group(of_exiles(cape.load().where(origin="TJK").joined())).loc[:0, ["group", "k", "n"]].to_dict("list")
    {'group': ['Tajikistan'], 'k': [47], 'n': [122]}
    """
    named = {
        "origin": exiles["origin"].map(states()),
        "category": exiles["category"].astype("str").map(codes("category")),
        "first report": exiles["period"].astype("str").fillna("year not known"),
        "host": exiles["side"].astype("str").fillna("host not known"),
    }
    orders = {
        "origin": sorted(named["origin"].unique()),
        "category": list(codes("category").values()),
        "first report": [*map(str, exiles["period"].cat.categories), "year not known"],
        "host": [FREE, NOT_FREE, "host not known"],
    }
    rows = []
    for kind, groups in named.items():
        for group in orders[kind]:
            part = exiles.loc[groups == group, "relatives"]
            if len(part):
                rows.append(
                    {"kind": kind, "group": group, **wilson(int(part.sum()), len(part))._asdict()}
                )
    return pd.DataFrame(rows, columns=["kind", "group", *Share._fields])


def host_gap(exiles: pd.DataFrame) -> tuple[Share | None, Share | None, Estimate | None, str]:
    """The shares in free hosts and in others, and free minus others (Newcombe 95 %).

    exiles: from `of_exiles`. A share is None without exiles on its side; the difference is None with fewer than 5, and the text says why.
    """
    sides = {name: exiles["relatives"][exiles["side"] == name] for name in (FREE, NOT_FREE)}
    found = {
        name: wilson(int(part.sum()), len(part)) if len(part) else None
        for name, part in sides.items()
    }
    free, other = found[FREE], found[NOT_FREE]
    if free is None or other is None or min(free.n, other.n) < FEWEST:
        few = " and ".join(f"{len(part)} in {name}" for name, part in sides.items())
        return free, other, None, f"{few}; each side needs {FEWEST} exiles"
    return free, other, difference(free, other), ""


def _gap_row(exiles: pd.DataFrame) -> dict[str, object]:
    free, other, gap, _ = host_gap(exiles)
    row: dict[str, object] = {}
    for name, share in (("free", free), ("other", other)):
        row |= {
            f"{name}_k": share.k if share else 0,
            f"{name}_n": share.n if share else 0,
            name: share.share if share else np.nan,
        }
    return row | dict(
        zip(("difference", "difference_low", "difference_high"), gap or [np.nan] * 3, strict=True)
    )


TOGETHER = "exiles reported together not independent"
ALONE = "only relatives as the measure, marks left out"
GAP = [
    "free_k",
    "free_n",
    "free",
    "other_k",
    "other_n",
    "other",
    "difference",
    "difference_low",
    "difference_high",
]


def once(joined: pd.DataFrame) -> pd.DataFrame:
    """The incidents without those exiles who are known only through an episode that an earlier exile already stands for.

    An exile with any incident outside of such episodes stays, with all of its incidents.
    """
    return joined[_once(joined)].reset_index(drop=True)


def _once(joined: pd.DataFrame) -> pd.Series:
    return joined["exile_id"].isin(collapse(joined)["exile_id"])


def choices(
    joined: pd.DataFrame, measure: str = "fiw", cutoff: str | int = "PF", rule: str = "first"
) -> pd.DataFrame:
    """What would change the share? The share, and the gap between free and other hosts, under other choices of the data.

    Returns `choice`, `k`, `n`, `share`, `low`, `high`, and `free`, `other`, `difference`, `difference_low`, `difference_high`
    (fractions); missing where there are no cases. "exiles reported together not independent" has the same shares with intervals
    that allow for clusters (see `capelib.estimators.clusters.clustered`); all others take exiles as independent.
    """
    hit, alone = targeted(joined), joined["measure"] == "relatives_targeted"
    rated, clusters = _rated(joined, measure, cutoff), linked(joined)
    every, one_each = pd.Series(True, index=joined.index), clusters[~clusters.duplicated()].index
    parts = {
        "as chosen": every,
        TOGETHER: every,
        "exiles of one episode once": _once(joined),
        "one exile of each cluster": joined["exile_id"].isin(one_each),
        ALONE: every,
        "without doubtful cases": ~joined["doubtful"],
        "without alleged cases": joined["attribution"].isna(),
        "without CAPE's own pages": joined["source_kind"] != "cape",
        "without unnamed groups": ~joined["is_group"],
    }
    rows = []
    for name, kept in parts.items():
        row: dict[str, object] = {"choice": name}
        if kept.any():
            reported = (alone if name == ALONE else hit)[kept].groupby(joined["exile_id"]).max()
            side = _hosts(rated[kept[rated.index]], rule)["side"].reindex(reported.index)
            exiles = pd.DataFrame({"relatives": reported, "side": side})
            row |= wilson(int(exiles["relatives"].sum()), len(exiles))._asdict() | _gap_row(exiles)
            row |= _together(exiles.join(clusters)) if name == TOGETHER else {}
        rows.append(row)
    return pd.DataFrame(rows).reindex(columns=["choice", *Share._fields, *GAP])


def _together(exiles: pd.DataFrame) -> dict[str, float]:
    """The intervals of one row of `choices`, allowing for clusters; missing where there are fewer than two."""
    row = dict.fromkeys(("low", "high", "difference_low", "difference_high"), np.nan)
    with suppress(TooFewCases):
        whole = clustered(exiles["relatives"], exiles["cluster"])
        row |= {"low": whole.low, "high": whole.high}
        if host_gap(exiles)[2]:
            sides = [exiles[exiles["side"] == name] for name in (FREE, NOT_FREE)]
            gap = difference_of(*(clustered(side["relatives"], side["cluster"]) for side in sides))
            row |= {"difference_low": gap.low, "difference_high": gap.high}
    return row


def comparisons(
    joined: pd.DataFrame, measure: str = "fiw", cutoff: str | int = "PF", rule: str = "first"
) -> pd.DataFrame:
    """Does the gap between free and other hosts come from who gets into the collection? The gap among comparable exiles.

    Exiles in other hosts often get into the collection because they were held or sent back, which cannot happen where they are out
    of reach; exiles in free hosts because of their relatives. So the gap is also shown among exiles known for something else as well,
    among exiles never held, sent back or attacked (whatever the host), under other rules for the host, other definitions of
    "free", with each origin left out, and in the worst case for exiles whose host is not known (those with relatives reported are put
    on the side that makes the gap smaller, those without on the other).
    Returns `comparison` and the shares and the gap as in `choices` (fractions, Newcombe 95 %); missing where a side is empty.
    """
    exiles = of_exiles(joined, measure=measure, cutoff=cutoff, rule=rule)
    exiles = exiles[["exile_id", "origin", "relatives", "side", "stage", "otherwise"]]
    parts = {
        "all exiles with a rated host": exiles,
        "known for something else as well": exiles[exiles["otherwise"]],
        "never held, sent back or attacked": exiles[exiles["stage"] == 1],
        "held, sent back or attacked": exiles[exiles["stage"] >= 2],
    }
    rules = {
        "first": "first rated host",
        "last": "last rated host",
        "one only": "hosts of one side only",
    }
    rated, known = _rated(joined, measure, cutoff), exiles[["exile_id", "relatives"]]
    parts |= {
        name: known.join(_hosts(rated, key), on="exile_id")
        for key, name in rules.items()
        if key != rule
    }
    for (its_measure, its_cutoff), name in DEFINITIONS.items():
        if (its_measure, its_cutoff) != (measure, str(cutoff)):
            parts[name] = known.join(
                _hosts(_rated(joined, its_measure, its_cutoff), rule), on="exile_id"
            )
    against = (
        (FREE, NOT_FREE)
        if (host_gap(exiles)[2] or Estimate(0, 0, 0)).value < 0
        else (NOT_FREE, FREE)
    )
    placed = exiles["side"].where(exiles["side"].notna(), np.where(exiles["relatives"], *against))
    parts["unknown hosts placed against the gap"] = exiles.assign(side=placed)
    origins = sorted(exiles["origin"].unique())
    if len(origins) > 1:
        parts |= {
            f"without {states()[origin]}": exiles[exiles["origin"] != origin] for origin in origins
        }
    rows = [{"comparison": name, **_gap_row(part)} for name, part in parts.items()]
    return pd.DataFrame(rows, columns=["comparison", *GAP])


def composition(
    joined: pd.DataFrame, measure: str = "fiw", cutoff: str | int = "PF", rule: str = "first"
) -> pd.DataFrame:
    """What else is reported of exiles in free hosts and in others? The share of exiles for each kind of measure.

    An exile counts once a kind, wherever it happened. Returns `kind`, `side`, `k`, `n`, `share`, `low`, `high` (fractions, Wilson
    95 %).
    """
    sides, kind_on_record = _hosts(_rated(joined, measure, cutoff), rule)["side"], kind_of(joined)
    kinds = {
        "relatives targeted": targeted(joined),
        **{kind: kind_on_record == kind for kind in KINDS},
    }
    rows = []
    for kind, hit in kinds.items():
        reported = sides.index.isin(joined.loc[hit, "exile_id"])
        for side in (FREE, NOT_FREE):
            part = reported[sides == side]
            if len(part):
                rows.append(
                    {"kind": kind, "side": side, **wilson(int(part.sum()), len(part))._asdict()}
                )
    return pd.DataFrame(rows, columns=["kind", "side", *Share._fields])


def what_else(joined: pd.DataFrame) -> pd.DataFrame:
    """Among exiles with relatives targeted: what else was done to the exile, at or after the first report of it, or only before?

    Returns one row a kind (KINDS): `kind`, the number of exiles by `capelib.estimators.event_order.then` ("same incident", "after",
    "cannot be told", "before only", "not recorded") and `n`, their sum.

    >>> import capelib as cape
    >>> what_else(cape.load().where(origin=cape.CENTRAL_ASIA).joined())["n"].tolist()
    [91, 91, 91, 91]
    """
    step, kinds = targeted(joined), kind_of(joined)
    counted = [
        then(joined, step, kinds == kind).value_counts().reindex(THEN).rename(kind)
        for kind in KINDS
    ]
    table = pd.DataFrame(counted).rename_axis("kind").reset_index()
    return table.assign(n=table[THEN].sum(axis=1))


def within(incidents: pd.DataFrame, first_day: str, last_day: str) -> tuple[int, int]:
    """How many exiles have relatives reported as targeted in a period: certainly, and possibly (a date that overlaps with it)?

    first_day, last_day: for example "2017-07-01", "2017-07-31". Blank dates are left out.

    >>> import capelib as cape
    >>> within(cape.load().where(origin="TJK").incidents, "2017-07-01", "2017-07-31")
    (2, 3)
    """
    rows = incidents[targeted(incidents) & incidents["date_start"].notna()]
    first, last = pd.Timestamp(first_day), pd.Timestamp(last_day)
    certain = (rows["date_start"] >= first) & (rows["date_end"] <= last)
    possible = (rows["date_start"] <= last) & (rows["date_end"] >= first)
    return rows.loc[certain, "exile_id"].nunique(), rows.loc[possible, "exile_id"].nunique()
