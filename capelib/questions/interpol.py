"""Interpol: is it the first recorded step against exiles, what follows, and where are they held?"""

from dataclasses import dataclass
from math import isnan

import pandas as pd

from capelib.dataset import takes_dataset
from capelib.estimators.clusters import (
    clustered,
    clustered_difference,
    linked,
)
from capelib.estimators.event_order import (
    AFTER,
    FIRST,
    SAME,
    THEN,
    UNKNOWN,
    Bounds,
    clustered_bounds,
    comes_first,
    then,
)
from capelib.estimators.shares import Share, difference, wilson
from capelib.questions import estimates
from capelib.questions.selections import CORRIDOR, INDEPENDENT, ORIGIN, kept
from capelib.reference import regimes
from capelib.vocabulary.tables import states

LATER = {"held": 2, "ended or attacked": 3}  # stages after being on notice
GROUPS = ["Interpol reported", "Interpol reported apart from the arrest", "Interpol not reported"]
FEWEST = 3  # persons in a host that a table names
FEWEST_ASKED = 5  # exiles that a sentence about shares needs
_DIFFERENCE = ["difference", "difference_low", "difference_high"]
_NAIVE = ["naive_low", "naive_high"]
_SHARE = [*Share._fields, "clusters"]
ONE_EACH = "one exile of each cluster"


@dataclass(frozen=True)
class Interpol:
    """What is recorded of exiles pursued through Interpol?

    A blank mark is "not reported", never "no".

    Attributes
    ----------
    exiles : DataFrame
        One row an exile, see `of_exiles`.
    first : Bounds or None
        Between which shares the Interpol step is the first recorded one; None without cases.
    alone : int
        Exiles of whom every incident names Interpol.
    follows : DataFrame
        What is recorded at or after the step, see `follows`.
    compared : DataFrame
        Exiles with and without the mark, see `compare`.
    choices : DataFrame
        The bounds under other choices of the data, see `choices`.
    """

    exiles: pd.DataFrame
    first: Bounds | None
    alone: int
    follows: pd.DataFrame
    compared: pd.DataFrame
    choices: pd.DataFrame

    def sentence(self, who: str) -> str:
        """The answer in one sentence, with bounds. who: "exiles pursued by Tajikistan"."""
        first = self.first
        if first is None:
            return (
                f"No report on {who} names Interpol: "
                "whether it is the first step cannot be asked of this data."
            )
        counts = (
            f"By the dates as reported, the Interpol step is first for {first.k} of the {first.n} "
            f"{who} with Interpol named, not first for {first.n - first.k - first.unknown}, "
            f"and for {first.unknown} it cannot be told"
        )
        if first.n < FEWEST_ASKED:
            return f"{counts}: too few for a share."
        return (
            f"{counts}: a share of {_span(first.lower, first.upper)}, {_limits(first)}; "
            f"{_for_most(first)}.{self._for_want_of_others()} {self._held(first.n)}"
        )

    def _for_want_of_others(self) -> str:
        """For how many is the step first only since nothing else is recorded?"""
        if not self.alone:
            return ""
        text = f" But for {self.alone} of the first no incident without Interpol is on record"
        others = self.choices.set_index("choice").loc["something else recorded as well"]
        if others["n"]:
            span = _span(others["lower"], others["upper"])
            text += f"; among the other {others['n']:.0f} the share is {span}"
        return f"{text}."

    def _held(self, n: int) -> str:
        held = self.follows.set_index("kind").loc["held"]
        least, most = int(held[AFTER]), int(held[AFTER] + held[UNKNOWN])
        number = f"{least} to {most}" if most > least else f"{least}"
        return (
            f"Of the {n}, {held[SAME]} were held in an incident whose report itself names "
            f"Interpol; held after the step: {number}."
        )

    def estimates(self) -> pd.DataFrame:
        """The main estimates, for laying runs side by side; see `capelib.questions.estimates`."""
        rows: list[estimates.Row] = []
        for words, unknown_too in (("at least", False), ("at most", True)):
            share = None
            if self.first is not None:
                marked = self.exiles[self.exiles["interpol"]]
                counts = [FIRST, UNKNOWN] if unknown_too else [FIRST]
                share = clustered(marked["order"].isin(counts), marked["cluster"])
            n = share.n if share else 0
            rows.append((f"Interpol first, {words}", share and share[2:5], n, "share"))
        table = self.compared.set_index(["kind", "group"])
        for kind in LATER:
            reported, not_reported = table.loc[(kind, GROUPS[0])], table.loc[(kind, GROUPS[2])]
            n = int(reported["n"] + not_reported["n"])
            words = f"{kind}, with Interpol minus without"
            rows.append((words, reported[_DIFFERENCE].tolist(), n, "difference"))
        return estimates.table(rows)


def _span(lower: float, upper: float) -> str:
    low, high = f"{100 * lower:.0f}", f"{100 * upper:.0f}"
    return f"{low} %" if low == high else f"{low} to {high} %"


def _limits(share: Bounds) -> str:
    if isnan(share.low) or isnan(share.high):
        return "with too few clusters for limits"
    return f"with 95 % limits [{100 * share.low:.0f}, {100 * share.high:.0f}]"


def _for_most(share: Bounds) -> str:
    if share.low > 0.5:
        return "for most it is"
    return "for most it is not" if share.high < 0.5 else "whether it is for most is not decided"


@takes_dataset
def interpol(joined: pd.DataFrame) -> Interpol:
    """Is Interpol the first recorded step, and what follows?

    Parameters
    ----------
    joined
        Incidents as `Dataset.joined` gives.

    Returns
    -------
    Interpol
        Nothing is raised for too few cases.

    Examples
    --------
    >>> import capelib as cape
    >>> result = interpol(cape.load().where(origin=cape.CENTRAL_ASIA).joined())
    >>> result.first.k, result.first.unknown, result.first.n
    (17, 22, 46)
    """
    exiles = of_exiles(joined)
    marked = exiles[exiles["interpol"]]
    return Interpol(
        exiles,
        first=_bounds(marked["order"], marked["cluster"]),
        alone=int(marked["alone"].sum()),
        follows=follows(joined),
        compared=compare(joined),
        choices=choices(joined),
    )


def _bounds(order: pd.Series, cluster: pd.Series) -> Bounds | None:
    """For which share is the step the first one? None without cases."""
    return None if order.empty else clustered_bounds(order, cluster)


@takes_dataset
def named(incidents: pd.DataFrame) -> pd.Series:
    """Does the incident report that Interpol was used: as a notice, or beside another measure?

    Parameters
    ----------
    incidents
        A frame with `measure` and `interpol`.

    Returns
    -------
    Series
        True or False; False is "not reported", never "no".

    Examples
    --------
    >>> import capelib as cape
    >>> int(named(cape.load().where(origin=cape.CENTRAL_ASIA).incidents).sum())
    84
    """
    return (incidents["measure"] == "red_notice") | incidents["interpol"].fillna(False).astype(bool)


@takes_dataset
def of_exiles(joined: pd.DataFrame) -> pd.DataFrame:
    """Of which exiles is Interpol named, and is that step the first recorded one?

    Parameters
    ----------
    joined
        Incidents as `Dataset.joined` gives.

    Returns
    -------
    DataFrame
        One row an exile: `exile_id`, `origin` (of the exile's first row), `interpol` (bool),
        `apart` (bool: Interpol is named in an incident other than an arrest or a forced return),
        `notice` (bool: a red notice is recorded by itself), `order` ("first", "not first", "cannot
        be told"; missing without Interpol), `alone` (boolean: every incident names Interpol;
        missing without Interpol), `cluster` (see `capelib.estimators.clusters.linked`).

    Notes
    -----
    The Interpol step is the first incident that reports Interpol (see `named`): a notice that is
    recorded by itself, or an arrest, a request or another measure of which the report says that
    Interpol was used. Where an arrest is the first such record, the notice behind it is older than
    the arrest, but its date is not recorded.
    """
    step = named(joined)
    ordered = comes_first(joined, step)
    marks = pd.DataFrame(
        {
            "interpol": step,
            "apart": step & (joined["stage"] == 1),
            "notice": joined["measure"] == "red_notice",
        }
    )
    origin = joined.groupby("exile_id")[["origin"]].first()
    rows = origin.join(marks.groupby(joined["exile_id"]).max())
    rows = rows.join(ordered.assign(alone=ordered["alone"].astype("boolean")))
    return rows.join(linked(joined)).reset_index()


def order_table(result: Interpol) -> pd.DataFrame:
    """How many exiles does each answer have, and how is the Interpol step recorded?

    Parameters
    ----------
    result
        From `interpol`.

    Returns
    -------
    DataFrame
        `order` (the index), `notice by itself`, `only beside another measure`, `all` and `every
        incident names Interpol` (of all).
    """
    marked = result.exiles[result.exiles["interpol"]]
    table = marked.groupby("order", observed=False).agg(
        notice=("notice", "sum"), every=("notice", "size"), alone=("alone", "sum")
    )
    columns = {
        "notice by itself": table["notice"],
        "only beside another measure": table["every"] - table["notice"],
        "all": table["every"],
        "every incident names Interpol": table["alone"],
    }
    return pd.DataFrame(columns).astype("int64")


@takes_dataset
def follows(joined: pd.DataFrame) -> pd.DataFrame:
    """Who is recorded as held, and whose exile ended, at or after the Interpol step or before?

    Parameters
    ----------
    joined
        Incidents as `Dataset.joined` gives.

    Returns
    -------
    DataFrame
        One row a kind ("held": stage 2, "ended or attacked": stage 3): `kind`, the number of exiles
        with Interpol named by `capelib.estimators.event_order.then` ("same incident": Interpol is
        named in it; "after", "cannot be told", "before only", "not recorded") and `n`, their sum.
    """
    step, stage = named(joined), joined["stage"].astype("int64")
    rows = {
        kind: then(joined, step, stage == later).value_counts().reindex(THEN, fill_value=0)
        for kind, later in LATER.items()
    }
    table = pd.DataFrame(rows).T.rename_axis("kind").reset_index()
    return table.assign(n=table[THEN].sum(axis=1))


@takes_dataset
def compare(joined: pd.DataFrame) -> pd.DataFrame:
    """Are exiles with Interpol named more often held, or sent back, killed or attacked?

    Parameters
    ----------
    joined
        Incidents as `Dataset.joined` gives.

    Returns
    -------
    DataFrame
        `kind`, `group` (GROUPS), `k`, `n`, `share`, `low`, `high`, `clusters` (exiles reported
        together), `difference`, `difference_low`, `difference_high` (group minus "Interpol not
        reported"), all as fractions, with intervals that allow for clusters (see
        `capelib.estimators.clusters.clustered_difference`); `naive_low`, `naive_high`: Newcombe's
        interval of the difference, which takes exiles as independent. Missing where a group is
        empty.

    Notes
    -----
    This is not an effect of Interpol. An arrest is often the reason why a report speaks of a notice
    at all, so the mark is not independent of the arrest; and exiles without the mark may have been
    pursued through Interpol without a report of it. The second group takes only exiles of whom
    Interpol is named in something other than an arrest or a forced return: that removes the first
    reason in part. Groups one and two overlap; each is compared with exiles without the mark.
    """
    exiles = of_exiles(joined)
    marks = [exiles["interpol"], exiles["apart"], ~exiles["interpol"]]
    groups = dict(zip(GROUPS, marks, strict=True))
    rows = []
    for kind, later in LATER.items():
        reached = joined.loc[joined["stage"].astype("int64") == later, "exile_id"]
        hit = exiles["exile_id"].isin(reached)
        cluster = exiles["cluster"]
        base = groups[GROUPS[2]]
        for name, members in groups.items():
            row: dict[str, object] = {"kind": kind, "group": name, "k": 0, "n": 0}
            if members.any():
                row |= clustered(hit[members], cluster[members])._asdict()
            if members.any() and base.any() and name != GROUPS[2]:
                both = members | base
                row |= _difference(hit[both], members[both], cluster[both])
            rows.append(row)
    return pd.DataFrame(rows).reindex(columns=["kind", "group", *_SHARE, *_DIFFERENCE, *_NAIVE])


def _difference(hits: pd.Series, group: pd.Series, cluster: pd.Series) -> dict[str, float]:
    """The columns of `compare` on the difference of a group and the others."""
    gap = clustered_difference(hits, group, cluster)
    naive = difference(wilson(*gap.group[:2]), wilson(*gap.others[:2]))
    return dict(zip([*_DIFFERENCE, *_NAIVE], [*gap[:3], *naive[1:]], strict=True))


@takes_dataset
def choices(joined: pd.DataFrame) -> pd.DataFrame:
    """What would change the answer? The share with Interpol first, under other choices.

    Parameters
    ----------
    joined
        Incidents as `Dataset.joined` gives.

    Returns
    -------
    DataFrame
        `choice`, `k` (certainly first), `unknown`, `n`, `lower`, `upper`, `low`, `high` (fractions,
        see `capelib.estimators.event_order.clustered_bounds`); missing where there are no cases,
        limits where there are too few clusters. Three rows have the limits as chosen with other
        clusters: all exiles of one corridor (the host of the first row with one), all of one
        pursuing state, every exile alone.
    """
    step, exile = named(joined), joined["exile_id"]
    notice = joined["measure"] == "red_notice"
    every = pd.Series(True, index=joined.index)
    names_always = step.groupby(exile).transform("min")
    clusters = linked(joined)
    asked = clusters[clusters.index.isin(exile[step])]
    one_each = asked[~asked.duplicated()].index
    persons = joined.groupby("exile_id")
    origin, host = persons["origin"].first(), persons["host"].first()
    corridor = origin + " to " + host.astype("object").fillna("unknown")
    other_clusters = {
        CORRIDOR: corridor,
        ORIGIN: origin,
        INDEPENDENT: pd.Series(origin.index, origin.index),
    }
    # for each choice: the incidents that remain, and which of them are the step
    parts = {
        "as chosen": (every, step),
        **dict.fromkeys(other_clusters, (every, step)),
        "only notices recorded by themselves": (every, notice),
        "something else recorded as well": (~names_always, step),
        **{words: (remain, step) for words, remain in kept(joined, "undated", "relatives").items()},
        ONE_EACH: (exile.isin(one_each), step),
    }
    for words, remain in kept(joined, "doubtful", "alleged", "cape").items():
        parts[words] = (remain, step)
    days = joined[["exile_id", "date_start", "date_end"]]
    rows = []
    for words, (remain, steps) in parts.items():
        order = comes_first(days[remain], steps[remain])["order"]
        share = _bounds(order, other_clusters.get(words, clusters)[order.index])
        numbers = share._asdict() if share else {"k": 0, "unknown": 0, "n": 0}
        rows.append({"choice": words, **numbers})
    return pd.DataFrame(rows).reindex(columns=["choice", *Bounds._fields])


@takes_dataset
def held_where(joined: pd.DataFrame, measure: str = "fiw") -> pd.DataFrame:
    """Where are exiles with Interpol named held? Persons by host, with its rating in the year.

    Parameters
    ----------
    joined
        Incidents as `Dataset.joined` gives.
    measure
        Whose rating, see `cape.regimes.add_regime`.

    Returns
    -------
    DataFrame
        `host` (a name, "others" or "not stated"), `rating` (in the year of the arrest; "not known"
        without host, year or rating, "all" for others), `held` (persons), `interpol_named` (persons
        of whom the report on the arrest itself names Interpol). An exile counts once in each row.
        Hosts (with one rating) of fewer than 3 persons are put together, so that no row points to
        one person.
    """
    rows = regimes.add_regime(joined, measure, "host")
    marked = rows["exile_id"].isin(rows.loc[named(rows), "exile_id"])
    rows = rows[marked & (rows["stage"].astype("int64") == LATER["held"])]
    host = rows["host"].map(states()).fillna("not stated")
    rating = rows[f"host_{measure}"].astype("str").fillna("not known")
    few = rows["exile_id"].groupby([host, rating]).transform("nunique").lt(FEWEST)
    cells = pd.DataFrame(
        {
            "host": host.mask(few, "others"),
            "rating": rating.mask(few, "all"),
            "exile_id": rows["exile_id"],
            "named": named(rows),
        }
    )
    exiles = cells.groupby(["host", "rating", "exile_id"], as_index=False)["named"].max()
    table = exiles.groupby(["host", "rating"], as_index=False).agg(
        held=("exile_id", "size"), interpol_named=("named", "sum")
    )
    table = table.astype({"held": "int64", "interpol_named": "int64"})
    return table.sort_values(["held", "host"], ascending=[False, True]).reset_index(drop=True)


@takes_dataset
def held_by_regime(joined: pd.DataFrame, measure: str = "fiw") -> pd.DataFrame:
    """In what kind of state are exiles held for the first time, with Interpol named and without?

    Parameters
    ----------
    joined
        Incidents as `Dataset.joined` gives. An exile counts once, by the first dated detention or
        conviction with a rated host; the others are left out.
    measure
        Whose rating, see `cape.regimes.scale`.

    Returns
    -------
    DataFrame
        `group`, `rating`, `k`, `n`, `share`, `low`, `high` (fractions), `clusters` (exiles reported
        together); no interval where there are too few.
    """
    rated = regimes.add_regime(joined, measure, "host")
    held = (rated["stage"].astype("int64") == LATER["held"]) & rated[f"host_{measure}"].notna()
    rated = rated[held].sort_values(["date_start", "date_end"], kind="stable")
    rated = rated.drop_duplicates("exile_id")
    marked = rated["exile_id"].isin(joined.loc[named(joined), "exile_id"])
    rated = rated.assign(cluster=rated["exile_id"].map(linked(joined)))
    rows = []
    for group, part in ((GROUPS[0], rated[marked]), (GROUPS[2], rated[~marked])):
        for value in regimes.scale(measure) if len(part) else []:
            share = clustered(part[f"host_{measure}"] == value, part["cluster"])
            rows.append({"group": group, "rating": value, **share._asdict()})
    return pd.DataFrame(rows, columns=["group", "rating", *_SHARE])
