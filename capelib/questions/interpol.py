"""Interpol: is it the first recorded step against an exile, what follows, and where are the exiles held?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from capelib.estimators.clusters import linked
from capelib.estimators.event_order import (
    AFTER,
    FIRST,
    SAME,
    THEN,
    UNKNOWN,
    Bounds,
    bounds,
    comes_first,
    then,
)
from capelib.estimators.shares import Share, difference, wilson
from capelib.reference import regimes
from capelib.vocabulary.tables import states

LATER = {"held": 2, "ended or attacked": 3}
GROUPS = ["Interpol reported", "Interpol reported apart from the arrest", "Interpol not reported"]
FEWEST = 3  # persons in a host that a table names
FEWEST_ASKED = 5  # exiles that a sentence about shares needs


@dataclass(frozen=True)
class Interpol:
    """What is recorded of exiles pursued through Interpol. A blank mark is "not reported", never "no".

    exiles: one row an exile, see `of_exiles`. first: between which shares the Interpol step is the first recorded one, None without
    cases. alone: exiles of whom every incident names Interpol. follows: what is recorded at or after it, see `follows`.
    compared: exiles with and without the mark, see `compare`. choices: the bounds under other choices of the data.
    """

    exiles: pd.DataFrame
    first: Bounds | None
    alone: int
    follows: pd.DataFrame
    compared: pd.DataFrame
    choices: pd.DataFrame

    def sentence(self, who: str) -> str:
        """The answer in one sentence, with bounds and intervals. who: for example "exiles pursued by Tajikistan"."""
        if self.first is None:
            return f"No report on {who} names Interpol: whether it is the first step cannot be asked of this data."
        found, asked = (
            self.first,
            self.choices.set_index("choice").loc["something else recorded as well"],
        )
        counts = f"first for {found.k} of the {found.n} {who} with Interpol named, not first for {found.n - found.k - found.unknown}"
        said = f"By the dates as reported, the Interpol step is {counts}, and for {found.unknown} it cannot be told"
        if found.n < FEWEST_ASKED:
            return f"{said}: too few for a share."
        limits = f"{_span(found.lower, found.upper)}, with 95 % limits [{100 * found.low:.0f}, {100 * found.high:.0f}]"
        most = (
            "for most it is"
            if found.low > 0.5
            else "for most it is not"
            if found.high < 0.5
            else "whether it is for most is not decided"
        )
        only = (
            f" But for {self.alone} of the first no incident without Interpol is on record"
            if self.alone
            else ""
        )
        only += (
            f"; among the other {asked['n']:.0f} the share is {_span(asked['lower'], asked['upper'])}"
            if only and asked["n"]
            else ""
        )
        held = self.follows.set_index("kind").loc["held"]
        least, most_held = (
            int(held[SAME] + held[AFTER]),
            int(held[SAME] + held[AFTER] + held[UNKNOWN]),
        )
        after = f"{least} to {most_held}" if most_held > least else f"{least}"
        return f"{said}: a share of {limits}; {most}.{only}{'.' if only else ''} Held at or after the step: {after} of {found.n}."

    def estimates(self) -> pd.DataFrame:
        """The main estimates: estimate, value, low, high (fractions), n, unit; missing values where there are too few cases."""
        rows: list[tuple[object, ...]] = []
        for name, side in (
            ("Interpol first, at least", "lower"),
            ("Interpol first, at most", "upper"),
        ):
            found = self.first
            share = (
                wilson(found.k + (found.unknown if side == "upper" else 0), found.n)
                if found
                else None
            )
            rows.append(
                (name, *(share[2:] if share else [np.nan] * 3), share.n if share else 0, "share")
            )
        table = self.compared.set_index(["kind", "group"])
        for kind in LATER:
            row = table.loc[(kind, GROUPS[0])]
            n = int(row["n"] + table.loc[(kind, GROUPS[2]), "n"])
            rows.append(
                (
                    f"{kind}, with Interpol minus without",
                    *row[["difference", "difference_low", "difference_high"]],
                    n,
                    "difference",
                )
            )
        return pd.DataFrame(rows, columns=["estimate", "value", "low", "high", "n", "unit"])


def _span(lower: float, upper: float) -> str:
    low, high = f"{100 * lower:.0f}", f"{100 * upper:.0f}"
    return f"{low} %" if low == high else f"{low} to {high} %"


def interpol(joined: pd.DataFrame) -> Interpol:
    """Is Interpol the first recorded step, and what follows?

    joined: incidents with `category`, `is_group` and `source_kind`, as `Dataset.joined` gives. Nothing is raised for too few cases.

    >>> import capelib as cape
    >>> found = interpol(cape.load().where(origin=cape.CENTRAL_ASIA).joined())
    >>> found.first.k, found.first.unknown, found.first.n
    (14, 11, 29)
    """
    exiles = of_exiles(joined)
    marked = exiles[exiles["interpol"]]
    return Interpol(
        exiles,
        _bounds(marked["order"]),
        int(marked["alone"].sum()),
        follows(joined),
        compare(joined),
        choices(joined),
    )


def _bounds(order: pd.Series) -> Bounds | None:
    return (
        bounds(int((order == FIRST).sum()), int((order == UNKNOWN).sum()), len(order))
        if len(order)
        else None
    )


def named(incidents: pd.DataFrame) -> pd.Series:
    """Does the incident report that Interpol was used: as a notice of its own, or by the mark beside another measure?

    True or False; False is "not reported", never "no".

    >>> import capelib as cape
    >>> int(named(cape.load().where(origin=cape.CENTRAL_ASIA).incidents).sum())
    56
    """
    return (incidents["measure"] == "red_notice") | incidents["interpol"].fillna(False).astype(bool)


def of_exiles(joined: pd.DataFrame) -> pd.DataFrame:
    """One row an exile: is Interpol named, and is that step the first recorded one?

    The Interpol step is the first incident that reports Interpol (see `named`): a notice that is recorded by itself, or an arrest, a
    request or another measure of which the report says that Interpol was used. Where an arrest is the first such record, the notice
    behind it is older than the arrest, but its date is not recorded.
    Returns exile_id, origin (of the exile's first row), interpol (bool), apart (bool: Interpol is named in an incident other than an
    arrest or a forced return), notice (bool: a red notice is recorded by itself), order ("first", "not first", "cannot be told";
    missing without Interpol), alone (boolean: every incident names Interpol; missing without Interpol).
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
    rows = (
        joined.groupby("exile_id")[["origin"]].first().join(marks.groupby(joined["exile_id"]).max())
    )
    return rows.join(ordered.assign(alone=ordered["alone"].astype("boolean"))).reset_index()


def order_table(result: Interpol) -> pd.DataFrame:
    """How many exiles does each answer have, and how is the Interpol step recorded: as a notice by itself, or only beside others?

    Returns `order` (the index), `notice by itself`, `only beside another measure`, `all` and `every incident names Interpol` (of all).
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


def follows(joined: pd.DataFrame) -> pd.DataFrame:
    """Of the exiles with Interpol named: who is recorded as held, and whose exile ended, at or after the Interpol step or only before?

    Returns one row a kind ("held": stage 2, "ended or attacked": stage 3): `kind`, the number of exiles by
    `capelib.estimators.event_order.then` ("same incident": Interpol is named in it; "after", "cannot be told", "before only",
    "not recorded") and `n`, their sum.
    """
    stage = joined["stage"].astype("int64")
    counted = [
        then(joined, named(joined), stage == at)
        .value_counts()
        .reindex(THEN, fill_value=0)
        .rename(kind)
        for kind, at in LATER.items()
    ]
    table = pd.DataFrame(counted).rename_axis("kind").reset_index()
    return table.assign(n=table[THEN].sum(axis=1))


def compare(joined: pd.DataFrame) -> pd.DataFrame:
    """Are exiles with Interpol named more often recorded as held, or as sent back, killed or attacked, than the others?

    This is not an effect of Interpol. An arrest is often the reason why a report speaks of a notice at all, so the mark is not
    independent of the arrest; and exiles without the mark may have been pursued through Interpol without a report of it. The second
    group takes only exiles of whom Interpol is named in something other than an arrest or a forced return: that removes the first
    reason in part. Groups one and two overlap; each is compared with exiles without the mark.
    Returns `kind`, `group` (GROUPS), `k`, `n`, `share`, `low`, `high` (Wilson 95 %), `difference`, `difference_low`,
    `difference_high` (group minus "Interpol not reported", Newcombe 95 %), all as fractions; missing where a group is empty.
    """
    exiles, stage = of_exiles(joined), joined["stage"].astype("int64")
    groups = dict(
        zip(GROUPS, (exiles["interpol"], exiles["apart"], ~exiles["interpol"]), strict=True)
    )
    rows = []
    for kind, at in LATER.items():
        hit = exiles["exile_id"].isin(joined.loc[stage == at, "exile_id"])
        shares = {
            name: wilson(int(hit[part].sum()), int(part.sum())) if part.any() else None
            for name, part in groups.items()
        }
        base = shares[GROUPS[2]]
        for name, share in shares.items():
            row: dict[str, object] = {"kind": kind, "group": name, "k": 0, "n": 0} | (
                share._asdict() if share else {}
            )
            if share and base and name != GROUPS[2]:
                row |= dict(
                    zip(
                        ("difference", "difference_low", "difference_high"),
                        difference(share, base),
                        strict=True,
                    )
                )
            rows.append(row)
    return pd.DataFrame(rows).reindex(
        columns=["kind", "group", *Share._fields, "difference", "difference_low", "difference_high"]
    )


def choices(joined: pd.DataFrame) -> pd.DataFrame:
    """What would change the answer? The bounds of the share for which Interpol is the first recorded step, under other choices.

    Returns `choice`, `k` (certainly first), `unknown`, `n`, `lower`, `upper`, `low`, `high` (fractions, see
    `capelib.estimators.event_order.bounds`); missing where there are no cases.
    """
    step, ids = named(joined), joined["exile_id"]
    alone = step.groupby(ids).transform("min")  # every incident of the exile names Interpol
    one_each = (
        linked(joined[ids.isin(ids[step])]).reset_index().drop_duplicates("cluster")["exile_id"]
    )
    every = pd.Series(True, index=joined.index)
    notice = joined["measure"] == "red_notice"
    parts = {
        "as chosen": (every, step),
        "only notices recorded by themselves": (every, notice),
        "something else recorded as well": (~alone, step),
        "dated incidents only": (joined["date_start"].notna(), step),
        "without relatives": (joined["measure"] != "relatives_targeted", step),
        "one exile of each cluster": (ids.isin(one_each), step),
        "without doubtful cases": (~joined["doubtful"], step),
        "without alleged cases": (joined["attribution"].isna(), step),
        "without CAPE's own pages": (joined["source_kind"] != "cape", step),
    }
    days, rows = joined[["exile_id", "date_start", "date_end"]], []
    for name, (kept, its) in parts.items():
        share = _bounds(comes_first(days[kept], its[kept])["order"])
        rows.append(
            {"choice": name, "k": 0, "unknown": 0, "n": 0} | (share._asdict() if share else {})
        )
    return pd.DataFrame(rows).reindex(columns=["choice", *Bounds._fields])


def held_where(joined: pd.DataFrame, measure: str = "fiw") -> pd.DataFrame:
    """Where are exiles with Interpol named held? Persons by host, with its rating in the year.

    measure: whose rating, see `cape.regimes.add_regime`. An exile counts once in each row. Hosts (with one rating) of fewer than 3
    persons are put together, so that no row points to one person.
    Returns `host` (a name, "others" or "not stated"), `rating` (in the year of the arrest; "not known" without host, year or rating,
    "all" for others), `held` (persons), `interpol_named` (persons of whom the report on the arrest itself names Interpol).
    """
    found = regimes.add_regime(joined, measure, "host")
    found = found[
        found["exile_id"].isin(found.loc[named(found), "exile_id"])
        & (found["stage"].astype("int64") == LATER["held"])
    ]
    host = found["host"].map(states()).fillna("not stated")
    rating = found[f"host_{measure}"].astype("str").fillna("not known")
    persons = found.groupby([host, rating])["exile_id"].nunique()
    few = pd.Series(
        [persons[place] < FEWEST for place in zip(host, rating, strict=True)],
        index=found.index,
        dtype=bool,
    )
    cells = {
        "host": host.mask(few, "others"),
        "rating": rating.mask(few, "all"),
        "exile_id": found["exile_id"],
        "at_once": named(found),
    }
    each = (
        pd.DataFrame(cells).groupby(["host", "rating", "exile_id"], as_index=False)["at_once"].max()
    )
    table = each.groupby(["host", "rating"], as_index=False).agg(
        held=("exile_id", "size"), interpol_named=("at_once", "sum")
    )
    table = table.astype({"held": "int64", "interpol_named": "int64"}).sort_values(
        ["held", "host"], ascending=[False, True]
    )
    return table.reset_index(drop=True)


def held_by_regime(joined: pd.DataFrame, measure: str = "fiw") -> pd.DataFrame:
    """In what kind of state are exiles held for the first time: those with Interpol named, and the others? Shares by rating.

    An exile counts once, by the first dated detention or conviction with a rated host; the others are left out.
    Returns `group`, `rating`, `k`, `n`, `share`, `low`, `high` (fractions, Wilson 95 %).
    """
    rated = regimes.add_regime(joined, measure, "host").sort_values(
        ["date_start", "date_end"], kind="stable"
    )
    rated = rated[
        (rated["stage"].astype("int64") == LATER["held"]) & rated[f"host_{measure}"].notna()
    ].drop_duplicates("exile_id")
    marked = rated["exile_id"].isin(joined.loc[named(joined), "exile_id"])
    rows = []
    for group, part in ((GROUPS[0], rated[marked]), (GROUPS[2], rated[~marked])):
        for value in regimes.scale(measure):
            if len(part):
                share = wilson(int((part[f"host_{measure}"] == value).sum()), len(part))
                rows.append({"group": group, "rating": value, **share._asdict()})
    return pd.DataFrame(rows, columns=["group", "rating", *Share._fields])
