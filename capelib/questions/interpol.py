"""Interpol: is it the first recorded step, what else is on record, and where are exiles held?"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isnan

import pandas as pd

from capelib.dataset import takes_dataset
from capelib.display import Result
from capelib.estimators.clusters import clustered, clustered_difference, linked
from capelib.estimators.decomposition import kitagawa
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
from capelib.estimators.shares import difference, wilson
from capelib.questions import estimates
from capelib.questions.interpol_hosts import (
    FEWEST,
    GROUPS,
    LATER,
    SHARE,
    held_by_regime,
    held_where,
    named,
)
from capelib.questions.report_dates import dated_by_reports
from capelib.questions.selections import CORRIDOR, INDEPENDENT, ORIGIN, kept
from capelib.questions.wording import (
    points,
    pursued_by,
)

__all__ = [
    "AS_DATED", "FEWEST", "FEWEST_ASKED", "GROUPS", "INDEPENDENT", "LATER", "ONE_EACH", "Interpol",
    "choices", "compare", "dated_by_reports", "follows", "held_by_regime", "held_where", "interpol",
    "named", "of_exiles", "order_table",
]  # fmt: skip

FEWEST_ASKED = 5  # exiles that a sentence about shares needs
_DIFFERENCE = ["difference", "difference_low", "difference_high"]
_WITHIN = ["within", "within_low", "within_high"]
_NAIVE = ["naive_low", "naive_high"]
AS_DATED = "without the dates of reports"
ONE_EACH = "one exile of each cluster"


@dataclass(frozen=True, repr=False)
class Interpol(Result):
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
    narrowed : int
        Incidents, of exiles with Interpol named, whose last possible day is that of the report.
    """

    exiles: pd.DataFrame
    first: Bounds | None
    alone: int
    follows: pd.DataFrame
    compared: pd.DataFrame
    choices: pd.DataFrame
    narrowed: int

    CAVEAT = "Rests on what was reported: shares of a collection, no rates."

    def summary(self) -> str:
        """The answer in words."""
        return self.sentence(f"exiles pursued by {pursued_by(self.exiles['origin'])}")

    def sentence(self, who: str) -> str:
        """The answer in one sentence, with bounds. who: "exiles pursued by Tajikistan"."""
        first = self.first
        if first is None:
            return (
                f"No report on {who} names Interpol: "
                "whether it is the first step cannot be asked of this data."
            )
        if first.n < FEWEST_ASKED:
            return f"{self._held(first.n, who)} {self._first(first)}: too few for a share."
        return (
            f"{self._held(first.n, who)} {self._first(first)}: a share of "
            f"{_span(first.lower, first.upper)}, {_limits(first)}; "
            f"{_for_most(first)}.{self._for_want_of_others()}{self._ended()}"
        )

    def _first(self, first: Bounds) -> str:
        return (
            f"By the dates as reported, the Interpol step is first for {first.k}, not first for "
            f"{first.n - first.k - first.unknown}, and for {first.unknown} it cannot be told"
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

    def _held(self, n: int, who: str) -> str:
        """How many are known because of an arrest, and how few were held after the step."""
        held = self.follows.set_index("kind").loc["held"]
        least, most = int(held[AFTER]), int(held[AFTER] + held[UNKNOWN])
        number = f"{least}, at most {most}" if most > least else f"{least}"
        return (
            f"Of the {n} {who} with Interpol named, {held[SAME]} were held in an incident whose "
            f"report itself names Interpol, so that the arrest may be why it is known; "
            f"certainly held after the step: {number}."
        )

    def _ended(self) -> str:
        """The difference at stage 3, as it is and within pursuing states."""
        rows = self.compared.set_index(["kind", "group"])
        row = rows.loc[("ended or attacked", GROUPS[0])]
        if row[_DIFFERENCE + _WITHIN].isna().any():
            return ""
        return (
            " Recorded at stage 3, with Interpol named minus without (descriptive, no effect): "
            f"{points(*row[_DIFFERENCE])}, {points(*row[_WITHIN])} within pursuing states."
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
            rows.append((f"{words}, by origin", reported[_WITHIN].tolist(), n, "difference"))
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
def interpol(joined: pd.DataFrame, sources: pd.DataFrame | None = None) -> Interpol:
    """Is Interpol the first recorded step, and what else is on record?

    Parameters
    ----------
    joined
        Incidents as `Dataset.joined` gives.
    sources
        As `Dataset.sources`: an incident lies before its report, see `dated_by_reports`. None
        leaves the dates as they are.

    Returns
    -------
    Interpol
        Nothing is raised for too few cases.

    Examples
    --------
    >>> import capelib as cape
    >>> ds = cape.load().where(origin=cape.CENTRAL_ASIA)
    >>> result = interpol(ds.joined(), ds.sources)
    >>> result.first.k, result.first.unknown, result.first.n
    (17, 22, 46)
    """
    rows = joined if sources is None else dated_by_reports(joined, sources)
    exiles = of_exiles(rows)
    marked = exiles[exiles["interpol"]]
    asked = joined["exile_id"].isin(marked["exile_id"])
    before, after = joined.loc[asked, "date_end"], rows.loc[asked, "date_end"]
    return Interpol(
        exiles,
        first=_bounds(marked["order"], marked["cluster"]),
        alone=int(marked["alone"].sum()),
        follows=follows(rows),
        compared=compare(rows),
        choices=choices(joined, sources),
        narrowed=int(((before != after) & after.notna()).sum()),
    )


def _bounds(order: pd.Series, cluster: pd.Series) -> Bounds | None:
    """For which share is the step the first one? None without cases."""
    return None if order.empty else clustered_bounds(order, cluster)


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
    """Who is recorded as held, and whose exile ended: in, after or before the Interpol step?

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
        reported"), `within`, `within_low`, `within_high` (the part of the difference within
        pursuing states, see `capelib.estimators.decomposition.kitagawa`: both groups weighted by
        the mean of their shares of each state), all as fractions, with intervals that allow for
        clusters (see `capelib.estimators.clusters.clustered_difference`); `naive_low`,
        `naive_high`: Newcombe's interval of the difference, which takes exiles as independent.
        Missing where a group is empty.

    Notes
    -----
    This is not an effect of Interpol. An arrest is often the reason why a report speaks of a notice
    at all, so the mark is not independent of the arrest; and exiles without the mark may have been
    pursued through Interpol without a report of it. The second group takes only exiles of whom
    Interpol is named in something other than an arrest or a forced return: that removes the first
    reason in part. Groups one and two overlap; each is compared with exiles without the mark.
    """
    return compare_kinds(joined, LATER)


def compare_kinds(joined: pd.DataFrame, kinds: Iterable[str]) -> pd.DataFrame:
    """The rows of `compare` of these kinds, keys of `LATER`."""
    exiles = of_exiles(joined)
    marks = [exiles["interpol"], exiles["apart"], ~exiles["interpol"]]
    groups = dict(zip(GROUPS, marks, strict=True))
    rows = []
    for kind in kinds:
        later = LATER[kind]
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
                row |= _difference(hit[both], members[both], exiles["origin"][both], cluster[both])
            rows.append(row)
    return pd.DataFrame(rows).reindex(
        columns=["kind", "group", *SHARE, *_DIFFERENCE, *_WITHIN, *_NAIVE]
    )


def _difference(
    hits: pd.Series, group: pd.Series, origin: pd.Series, cluster: pd.Series
) -> dict[str, float]:
    """The columns of `compare` on the difference of a group and the others."""
    gap = clustered_difference(hits, group, cluster)
    naive = difference(wilson(*gap.group[:2]), wilson(*gap.others[:2]))
    within = kitagawa(hits, group, origin, cluster).within
    values = [*gap[:3], *within, *naive[1:]]
    return dict(zip([*_DIFFERENCE, *_WITHIN, *_NAIVE], values, strict=True))


@takes_dataset
def choices(joined: pd.DataFrame, sources: pd.DataFrame | None = None) -> pd.DataFrame:
    """What would change the answer? The share with Interpol first, under other choices.

    Parameters
    ----------
    joined, sources
        As for `interpol`.

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
        AS_DATED: (every, step),
        "only notices recorded by themselves": (every, notice),
        "something else recorded as well": (~names_always, step),
        **{words: (remain, step) for words, remain in kept(joined, "undated", "relatives").items()},
        ONE_EACH: (exile.isin(one_each), step),
    }
    not_dated_safely = joined["measure"] == "extradition_request"
    parts["without extradition requests"] = (~not_dated_safely, step)
    for words, remain in kept(joined, "doubtful", "alleged", "cape", "court").items():
        parts[words] = (remain, step)
    columns = ["exile_id", "date_start", "date_end"]
    dated = joined[columns]
    days = dated if sources is None else dated_by_reports(joined, sources)[columns]
    rows = []
    for words, (remain, steps) in parts.items():
        used = dated if words == AS_DATED else days
        order = comes_first(used[remain], steps[remain])["order"]
        share = _bounds(order, other_clusters.get(words, clusters)[order.index])
        numbers = share._asdict() if share else {"k": 0, "unknown": 0, "n": 0}
        rows.append({"choice": words, **numbers})
    return pd.DataFrame(rows).reindex(columns=["choice", *Bounds._fields])
