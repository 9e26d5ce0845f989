"""Corridors, pairs of a pursuing and a host state: which carry the incidents, and do shared memberships go with more of them?"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from capelib.errors import TooFewCases
from capelib.estimators.panel_counts import Ratios, expected_counts
from capelib.estimators.shares import Estimate, Share, difference, wilson
from capelib.questions.hosts import years
from capelib.questions.membership_shares import (
    ANY,
    ORGANISATIONS,
    Period,
    counted,
    fellow,
    fellow_shares,
    matrix,
    people_of,
    per_displaced,
    possible_hosts,
)
from capelib.reference import regimes
from capelib.vocabulary.codebook import codes, require
from capelib.vocabulary.tables import states


def panel(
    incidents: pd.DataFrame,
    hosts: Iterable[str],
    first_year: int,
    last_year: int,
    unit: str = "episode",
    measure: str = "fiw",
    cutoff: str | int = "NF",
) -> pd.DataFrame:
    """Every pursuing state, possible host and year, with the number of incidents: the cells of the count model.

    incidents: of the states and stages asked about. hosts: see `possible_hosts`. unit: see `counted`. measure, cutoff: which hosts
        count as authoritarian, see `cape.regimes.at_or_below`.
    Returns `origin`, `host`, `corridor` ("UZB to RUS"), `year`, `n` (int64), CIS, CSTO, SCO and "any of the three" (bool: both members
    in that year), `authoritarian` (the host; nullable boolean, missing where not rated), `displaced` (Float64: logarithm to base 2
    of the displaced people of the origin, so that one more is twice as many; missing where no count ships).

    >>> import capelib as cape
    >>> cells = panel(cape.load().where(origin="UZB", stage=[2, 3]).incidents, ["KAZ", "RUS", "UZB"], 2006, 2012)
    >>> len(cells), int(cells["n"].sum()), int(cells["CSTO"].sum())
    (14, 42, 14)
    """
    places = _places(
        sorted(incidents["origin"].unique()), hosts, first_year, last_year, measure, cutoff
    )
    return _filled(places, counted(incidents, unit))


def _places(
    origins: Sequence[str],
    hosts: Iterable[str],
    first_year: int,
    last_year: int,
    measure: str,
    cutoff: str | int,
) -> pd.DataFrame:
    """The cells of a panel without their counts, by origin, host and year: most of the work, and the same for every choice of incidents."""
    every = pd.MultiIndex.from_product(
        [origins, sorted(hosts), range(first_year, last_year + 1)], names=["origin", "host", "year"]
    )
    every = every[every.get_level_values("origin") != every.get_level_values("host")]
    cells = regimes.add_regime(fellow(every.to_frame(index=False)), measure, "host")
    people = (
        pd.DataFrame([people_of(origin) for origin in every.levels[0]])
        .reindex(columns=every.levels[2])
        .to_numpy("float64")
    )
    logs = np.log2(people, where=people > 0, out=np.full(people.shape, np.nan))[
        every.codes[0], every.codes[2]
    ]
    return cells.assign(
        corridor=cells["origin"] + " to " + cells["host"],
        authoritarian=regimes.is_authoritarian(cells[f"host_{measure}"], measure, cutoff),
        displaced=pd.Series(logs, index=cells.index).astype("Float64"),
    ).set_index(every)


def _filled(places: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """The cells with the number of rows in each."""
    place = places.index.get_indexer(pd.MultiIndex.from_frame(rows[["origin", "host", "year"]]))
    cells = places.reset_index(drop=True)
    cells.insert(3, "n", np.bincount(place[place >= 0], minlength=len(places)))
    return cells


def membership_ratios(
    cells: pd.DataFrame,
    terms: Sequence[str] = ORGANISATIONS,
    effects: str = "origin",
    model: str = "poisson",
    people: str = "term",
) -> Ratios:
    """How many times as many incidents are expected in fellow-member states as in others, all else equal?

    cells: from `panel`. terms: the memberships in the model. effects: "origin" (compares hosts of the same pursuing state) or
        "corridor" (compares a corridor with itself: only changes of membership speak). model: "poisson" or "negative_binomial".
    people: the displaced people of the origin as a "term", an "offset" (incidents proportional to them) or "none".
    The other terms: host authoritarian, year, displaced people (twice as many). Intervals are clustered by host, which includes the
    corridor (a corridor has one host). See `capelib.estimators.panel_counts.expected_counts` for returns, errors, assumptions and source.

    >>> import capelib as cape
    >>> incidents = cape.load().where(origin=cape.CENTRAL_ASIA, stage=[2, 3]).incidents
    >>> found = membership_ratios(panel(incidents, possible_hosts(cape.load().incidents, 2001, 2024), 2001, 2024))
    >>> round(found.row("CSTO")["ratio"], 1), found.n, found.n_clusters
    (3.5, 274, 78)
    """
    require("effects", effects, ("origin", "corridor"))
    require("people", people, ("term", "offset", "none"))
    unknown = cells["displaced"].isna()
    if unknown.any() and cells.loc[~unknown, "origin"].nunique() < cells["origin"].nunique():
        people = "none"  # no counts ship for these origins; the year's trend stands alone
    every = [*terms, "authoritarian", "year", *(["displaced"] if people == "term" else [])]
    ready = cells.assign(exposure=cells["displaced"] * np.log(2)) if people == "offset" else cells
    fit = expected_counts(
        ready, every, effects, "host", model, "exposure" if people == "offset" else None
    )
    if set(terms) <= set(fit.dropped):
        raise TooFewCases(
            f"no membership can be compared: {'; '.join(f'{term}: {fit.dropped[term]}' for term in terms)}"
        )
    return fit


def overlap(cells: pd.DataFrame) -> pd.DataFrame:
    """Can the three organisations be told apart? Cells, hosts, corridors and incidents by the combination of shared memberships.

    cells: from `panel`. Returns `shared` ("CIS + CSTO", "none"), `cells`, `hosts`, `corridors`, `incidents`, the largest first.
    """
    combinations = list(product((False, True), repeat=len(ORGANISATIONS)))
    names = [
        " + ".join(name for name, held in zip(ORGANISATIONS, row, strict=True) if held) or "none"
        for row in combinations
    ]
    shared = np.array(names)[cells[list(ORGANISATIONS)].to_numpy() @ (4, 2, 1)]
    sizes = {
        "cells": ("n", "size"),
        "hosts": ("host", "nunique"),
        "corridors": ("corridor", "nunique"),
        "incidents": ("n", "sum"),
    }
    table = (
        cells.assign(shared=shared)
        .groupby("shared")
        .agg(**sizes)
        .sort_values("cells", ascending=False, kind="stable")
    )
    return table.reset_index()


def leave_one_host_out(cells: pd.DataFrame, most: int = 6) -> pd.DataFrame:
    """Do the ratios rest on one host? The same models with each of the hosts with most incidents left out.

    cells: from `panel`. Returns one row a host left out ("none" first) and term (CIS, CSTO, SCO from one model; "any of the three" from
    another): `host`, `left_out` (incidents), `term`, `ratio`, `low`, `high`; missing where too few cases are left.
    """
    totals = cells.groupby("host")["n"].sum().sort_values(ascending=False, kind="stable")
    found = []
    for host, n in [("none", 0), *totals[totals > 0].head(most).items()]:
        part = cells[cells["host"] != host]
        for terms in (ORGANISATIONS, (ANY,)):
            fit = _tried(part, terms)
            found += [
                {"host": host, "left_out": int(n), "term": term, **_row(fit, term)}
                for term in terms
            ]
    return pd.DataFrame(found)


def _tried(cells: pd.DataFrame, terms: Sequence[str] = ORGANISATIONS, **how: str) -> Ratios | None:
    try:
        return membership_ratios(cells, terms, **how)
    except TooFewCases:
        return None


def _row(fit: Ratios | None, term: str) -> dict[str, float]:
    return fit.row(term) if fit else dict.fromkeys(("ratio", "low", "high"), np.nan)


def switches(cells: pd.DataFrame) -> pd.DataFrame:
    """Which corridors changed their shared membership, and did incidents change with it? All changes, counted openly.

    cells: from `panel`. Corridors of one origin that changed in the same years stand in one row; those of all incidents only.
    Returns `organisation`, `origin`, `shared` (years with both as members, in words), `hosts` (those with incidents), `years_with`,
    `years_without`, `n_with`, `n_without` (incidents in the years with and without), `other_with`, `other_without` (incidents of the
    same origin in the same years in hosts whose shared membership did not change), `ratio`, `low`, `high`: how many times the change
    here is the change there (odds ratio; conditional maximum likelihood and exact 95 % interval, which take incidents as independent).
    """
    found = []
    for organisation in ORGANISATIONS:
        held = cells[cells[organisation]].groupby("corridor").size()
        moves = cells["corridor"].isin(held.index[held < cells["year"].nunique()])
        part = cells.loc[moves, ["origin", "host", "corridor", "year", "n", organisation]]
        moved = (
            part[part[organisation]]
            .groupby("corridor")["year"]
            .agg(lambda years: tuple(sorted(years)))
        )
        for (origin, shared), corridors in part.groupby(
            [part["origin"], part["corridor"].map(moved)], sort=True
        ):
            inside = _split(corridors, shared)
            if not sum(inside):
                continue
            outside = _split(cells.loc[(cells["origin"] == origin) & ~moves, ["year", "n"]], shared)
            hosts = sorted(corridors.loc[corridors["n"] > 0, "host"].unique())
            ratio = stats.contingency.odds_ratio(np.array([inside, outside]))
            low, high = ratio.confidence_interval(0.95)
            row = (
                organisation,
                origin,
                spans(shared),
                ", ".join(hosts),
                len(shared),
                cells["year"].nunique() - len(shared),
            )
            found.append((*row, *inside, *outside, float(ratio.statistic), float(low), float(high)))
    names = [
        "organisation",
        "origin",
        "shared",
        "hosts",
        "years_with",
        "years_without",
        "n_with",
        "n_without",
    ]
    table = pd.DataFrame(
        found, columns=[*names, "other_with", "other_without", "ratio", "low", "high"]
    )
    return table.astype(dict.fromkeys(("ratio", "low", "high"), "float64"))


def _split(rows: pd.DataFrame, shared: tuple[int, ...]) -> tuple[int, int]:
    inside = int(rows["n"].to_numpy()[rows["year"].isin(shared)].sum())
    return inside, int(rows["n"].sum()) - inside


def spans(years: Sequence[int]) -> str:
    """Years in words.

    >>> spans([1994, 1995, 1996, 2006])
    '1994-1996, 2006'
    """
    ordered = sorted(years)
    starts = [year for year in ordered if year - 1 not in ordered]
    ends = [year for year in ordered if year + 1 not in ordered]
    return ", ".join(
        f"{first}-{last}" if first < last else f"{first}"
        for first, last in zip(starts, ends, strict=True)
    )


THINGS = {
    "incident": "incidents on record",
    "exile": "persons on record (once a year and host)",
    "episode": "incidents on record (clusters once)",
}
FEWEST = 5  # incidents that a sentence about shares needs
MODEL_NAMES = (
    "hosts compared",
    "hosts compared, any of the three",
    "hosts compared, negative binomial",
    "a corridor with itself",
)


@dataclass(frozen=True)
class Cooperation:
    """Where the incidents of some states happen, and whether shared memberships go with more of them.

    rows: the incidents that count, each marked with the memberships of its year. table: origin by host. shares: of fellow members, by
    organisation and period. stages: the share in fellow-member states of the incidents counted and of all others, and the difference.
    people: incidents per 1,000 displaced people. cells: the panel. separate, together, negative, within: models with the three
    organisations, with any of them, negative binomial, and of each corridor with itself; None with too few cases (`why` says which).
    switches: changes of membership.
    """

    period: Period
    unit: str
    rows: pd.DataFrame
    table: pd.DataFrame
    shares: pd.DataFrame
    stages: pd.DataFrame
    people: pd.DataFrame
    cells: pd.DataFrame
    separate: Ratios | None
    together: Ratios | None
    negative: Ratios | None
    within: Ratios | None
    switches: pd.DataFrame
    why: tuple[str, ...]

    @property
    def share(self) -> Share | None:
        """The share of incidents in states that are fellow members in any of the three; None without incidents."""
        return wilson(int(self.rows[ANY].sum()), len(self.rows)) if len(self.rows) else None

    @property
    def if_equal(self) -> float:
        """That share if every possible host were as likely as every other."""
        whole = self.shares[
            (self.shares["organisation"] == ANY) & (self.shares["period"] == years(self.period))
        ]
        return float(whole["if_equal"].iloc[0])

    @property
    def largest_host(self) -> str:
        """The host with most incidents; "" without incidents."""
        return str(self.rows["host"].mode().iloc[0]) if len(self.rows) else ""

    def corridors(self, most: int = 10) -> pd.DataFrame:
        """The corridors with most incidents: corridor, incidents, CIS, CSTO, SCO (how many of them as fellow members)."""
        flags = {name: (name, "sum") for name in ORGANISATIONS}
        table = self.rows.assign(corridor=self.rows["origin"] + " to " + self.rows["host"]).groupby(
            "corridor"
        )
        table = table.agg(incidents=("host", "size"), **flags).sort_values(
            "incidents", ascending=False, kind="stable"
        )
        return table.head(most).astype("int64").reset_index()

    def models(self) -> pd.DataFrame:
        """All terms of the models: model (in words), term, ratio, low, high, df, vif, n, and a note where a term is missing."""
        fits = (self.separate, self.together, self.negative, self.within)
        found = []
        for name, fit in zip(MODEL_NAMES, fits, strict=True):
            if fit:
                found += [
                    {"model": name, **row, "n": fit.n, "note": ""}
                    for row in fit.terms.drop(columns="p").to_dict("records")
                ]
                found += [
                    {"model": name, "term": term, "n": fit.n, "note": why}
                    for term, why in fit.dropped.items()
                ]
        return pd.DataFrame(
            found, columns=["model", "term", "ratio", "low", "high", "df", "vif", "n", "note"]
        )

    def switch(self) -> pd.Series | None:
        """The change of membership with most incidents on both sides, as a row of `switches`; None where there is none."""
        found = self.switches[
            (self.switches["n_with"] > 0)
            & (self.switches["n_without"] > 0)
            & self.switches["ratio"].gt(0)
        ]
        found = found[np.isfinite(found["high"])]
        return None if found.empty else found.loc[(found["n_with"] + found["n_without"]).idxmax()]

    def estimates(self) -> pd.DataFrame:
        """The main estimates of the run: estimate, value, low, high, n, unit."""
        found: list[tuple[object, ...]] = []
        if self.share:
            share, gap = self.share, self.stages.loc["difference"]
            found.append(
                (
                    "share in states that are fellow members",
                    share.share,
                    share.low,
                    share.high,
                    share.n,
                    "share",
                )
            )
            found.append(
                (
                    "that share, minus that of other stages",
                    gap["share"],
                    gap["low"],
                    gap["high"],
                    int(gap["n"]),
                    "difference",
                )
            )
        if self.together:
            found.append(
                (
                    "fellow members against others",
                    *self.together.row(ANY).values(),
                    self.together.n,
                    "ratio",
                )
            )
        switch = self.switch()
        if switch is not None:
            n = int(switch[["n_with", "n_without", "other_with", "other_without"]].sum())
            found.append((switch_label(switch), *switch[["ratio", "low", "high"]], n, "ratio"))
        table = pd.DataFrame(found, columns=["estimate", "value", "low", "high", "n", "unit"])
        return table.dropna(subset=["value", "low"]).astype(
            {"value": "float64", "low": "float64", "high": "float64", "n": "int64"}
        )

    def sentence(self, who: str) -> str:
        """The answer in a few sentences, with intervals. who: the pursuing states, for example "Tajikistan"."""
        if not self.share:
            return f"No incident of {who} with a known host and year in {years(self.period)}: nothing to compare."
        if self.share.n < FEWEST:
            return f"Too few incidents of {who} with a known host and year in {years(self.period)} to compare (n = {self.share.n})."
        other = self.stages.loc["other stages"]
        yardstick = f"{_percent(other)} of those of other stages and " if other["n"] else ""
        counted_as = f"{THINGS[self.unit]} by {who} ({self.stages.index[0]}; n = {self.share.n})"
        said = (
            f"In {years(self.period)}, {_percent(self.share._asdict())} of the {counted_as} happened in states that were fellow members of "
            f"CIS, CSTO or SCO in that year, against {yardstick}{100 * self.if_equal:.0f} % if every possible host were as likely. "
            f"{self._largest()}"
        )
        found = self.together.row(ANY) if self.together else None
        if found is None or np.isnan(found["ratio"]):
            return f"{said}; too few cases for a model."
        without = _row(_tried(self.cells[self.cells["host"] != self.largest_host], (ANY,)), ANY)
        rest = (
            f" ({_times(without)} without {states()[self.largest_host]})"
            if not np.isnan(without["ratio"])
            else ""
        )
        return (
            f"{said}. With the origin, the year and the host's regime held equal, {_times(found)} as many are expected in a "
            f"fellow-member state as in another{rest}: an association that migration, language and borders may explain."
        )

    def _largest(self) -> str:
        """Which corridor has most incidents, where one has."""
        first, *rest = self.corridors().to_dict("records")
        if rest and rest[0]["incidents"] == first["incidents"]:
            return f"No corridor is the largest: several have {first['incidents']} each"
        return f"The largest corridor is {named(first['corridor'])} ({first['incidents']})"


def switch_label(switch: pd.Series) -> str:
    """A change of membership in words: "Uzbekistan in CSTO 2006-2012, against its other hosts"."""
    return f"{states()[switch['origin']]} in {switch['organisation']} {switch['shared']}, against its other hosts"


def named(corridor: str) -> str:
    """A corridor in words.

    >>> named("TJK to RUS")
    'Tajikistan to Russia'
    """
    return " to ".join(states().get(code, code) for code in corridor.split(" to "))


def _percent(share: Mapping[str, Any] | pd.Series) -> str:
    return f"{100 * share['share']:.0f} % [{100 * share['low']:.0f}, {100 * share['high']:.0f}]"


def _times(ratio: dict[str, float]) -> str:
    return "{} times [{}, {}]".format(*(short(ratio[name]) for name in ("ratio", "low", "high")))


def short(value: float) -> str:
    """A ratio with two digits that matter.

    >>> short(0.324), short(4.449), short(325.96)
    ('0.32', '4.4', '326')
    """
    return f"{value:.2g}" if value < 10 else f"{value:,.0f}"


def cooperation(
    joined: pd.DataFrame,
    hosts: Iterable[str],
    first_year: int,
    split_year: int,
    last_year: int,
    stages: Sequence[int] = (2, 3),
    unit: str = "episode",
    measure: str = "fiw",
    cutoff: str | int = "NF",
) -> Cooperation:
    """Which pairs of states cooperate, and are they fellow members of CIS, CSTO or SCO?

    joined: incidents of all stages of the states asked about. hosts: the possible host states, see `possible_hosts`. first_year,
    split_year, last_year: the period, and the first year of its second part. stages: those that count. unit, measure, cutoff: see `panel`.
    Nothing is raised for too few cases: the parts that cannot be estimated are None or empty, and `why` says so.

    >>> import capelib as cape
    >>> ds = cape.load()
    >>> hosts = possible_hosts(ds.incidents, 2001, 2024)
    >>> found = cooperation(ds.where(origin=cape.CENTRAL_ASIA).joined(), hosts, 2001, 2013, 2024)
    >>> found.share.k, found.share.n, found.largest_host
    (195, 274, 'RUS')
    """
    whole = (first_year, last_year)
    hosts = sorted(hosts)
    dated = joined[joined["year"].between(*whole).fillna(False).astype(bool)]
    chosen = dated[dated["stage"].isin(stages)]
    parts = (
        whole,
        (first_year, min(split_year - 1, last_year)),
        (max(split_year, first_year), last_year),
    )
    periods = [period for period in dict.fromkeys(parts) if period[0] <= period[1]]
    rows = fellow(counted(chosen, unit))
    cells = panel(chosen, hosts, first_year, last_year, unit, measure, cutoff)
    fits: list[Ratios | None] = []
    why = []
    choices = (
        (ORGANISATIONS, "origin", "poisson"),
        ((ANY,), "origin", "poisson"),
        (ORGANISATIONS, "origin", "negative_binomial"),
    )
    for terms, effects, model in (*choices, (ORGANISATIONS, "corridor", "poisson")):
        try:
            fits.append(membership_ratios(cells, terms, effects, model))
        except TooFewCases as reason:
            fits.append(None)
            why.append(str(reason))
    return Cooperation(
        whole,
        unit,
        rows,
        matrix(chosen, unit),
        fellow_shares(chosen, periods, hosts, unit),
        by_stage(dated, stages, unit),
        per_displaced(chosen, periods, unit),
        cells,
        *fits,
        switches(cells),
        tuple(dict.fromkeys(why)),
    )


def by_stage(
    incidents: pd.DataFrame, stages: Sequence[int] = (2, 3), unit: str = "episode"
) -> pd.DataFrame:
    """Are acts that need the host found more often in fellow-member states than acts that do not?

    incidents: of all stages. stages: those that need the host. unit: see `counted`.
    Returns three rows, index `incidents` ("stages 2, 3", "other stages", "difference"): `k`, `n`, `share`, `low`, `high`: shares in states
    that were fellow members in any of the three (Wilson 95 %), and their difference (Newcombe 95 %); missing where there are none.
    The other stages are a yardstick made of exiles who were pursued, wherever they were; but a host is on record for few of them.

    >>> import capelib as cape
    >>> by_stage(cape.load().where(origin="TJK", years=(2001, 2024)).incidents)["n"].tolist()[:2]
    [92, 46]
    """
    needs = incidents["stage"].isin(stages)
    names = [
        f"stage{'s' if len(stages) > 1 else ''} {', '.join(map(str, sorted(stages)))}",
        "other stages",
    ]
    found, shares = [], []
    for part in (incidents[needs], incidents[~needs]):
        marked = fellow(counted(part, unit))
        shares.append(
            wilson(int(marked[ANY].sum()), len(marked))
            if len(marked)
            else Share(0, 0, np.nan, np.nan, np.nan)
        )
        found.append(shares[-1]._asdict())
    gap = (
        difference(*shares)
        if all(share.n for share in shares)
        else Estimate(np.nan, np.nan, np.nan)
    )
    found.append(
        {
            "n": sum(share.n for share in shares),
            "share": gap.value,
            "low": gap.low,
            "high": gap.high,
        }
    )
    table = pd.DataFrame(found, index=pd.Index([*names, "difference"], name="incidents"))
    return table[["k", "n", "share", "low", "high"]].astype({"k": "Int64", "n": "int64"})


def variants(
    joined: pd.DataFrame,
    hosts: Iterable[str],
    first_year: int,
    last_year: int,
    stages: Sequence[int],
    unit: str,
    measure: str,
    cutoff: str | int,
) -> pd.DataFrame:
    """What would change the answer? The same estimates under other choices, one row a choice.

    joined: incidents of all stages of the states asked about, with `source_kind`, as `Dataset.joined` gives. The others: see `cooperation`.
    Returns `choice`, `n`, `share`, `share_low`, `share_high` (in states that are fellow members in any of the three; fraction),
    `ratio`, `low`, `high` (fellow members against others, ratio of expected counts), and `CIS`, `CSTO`, `SCO` (ratios of the model with the
    three); missing where there are too few cases.
    """
    used = [
        "exile_id",
        "episode_id",
        "origin",
        "host",
        "year",
        "stage",
        "doubtful",
        "attribution",
        "source_kind",
    ]
    hosts, joined = sorted(hosts), joined[used]
    chosen = joined[joined["stage"].isin(stages)]
    inside = chosen[chosen["year"].between(first_year, last_year).fillna(False).astype(bool)]
    top = str(inside["host"].mode().iloc[0]) if inside["host"].notna().any() else ""
    origins = sorted(chosen["origin"].unique())
    shipped = all(len(people_of(origin)) for origin in origins)
    choices: dict[str, dict[str, Any]] = {
        "as chosen": {},
        **{f"counted by {name}": {"unit": name} for name in codes("unit") if name != unit},
        "negative binomial model": {"model": "negative_binomial"},
        "stage 3 only": {"rows": joined[joined["stage"] == 3]},
        "stage 1 only (needs no host)": {"rows": joined[joined["stage"] == 1]},
        "without doubtful cases": {"rows": chosen[~chosen["doubtful"]]},
        "without alleged cases": {"rows": chosen[chosen["attribution"].isna()]},
        "without CAPE's own pages": {"rows": chosen[chosen["source_kind"] != "cape"]},
        **(
            {
                f"without host {states()[top]}": {
                    "rows": chosen[chosen["host"] != top],
                    "hosts": [host for host in hosts if host != top],
                }
            }
            if top
            else {}
        ),
        **(
            {"from 1994, the first UNHCR counts": {"first": 1994}}
            if first_year > 1994 and shipped
            else {}
        ),
        **(
            {"from 2006 (no refugees of the Tajik war)": {"first": 2006}}
            if first_year < 2006 and "TJK" in origins
            else {}
        ),
        **(
            {"until 2016, the essay's last year": {"last": 2016}}
            if first_year < 2016 < last_year
            else {}
        ),
        "hosts: those of these incidents, and members": {
            "hosts": possible_hosts(inside, first_year, last_year)
        },
        "hosts: every state with a rating": {"hosts": {*hosts, *regimes.by_year()["iso3"]}},
        "hosts: authoritarian ones only": {"authoritarian": True},
        "incidents proportional to displaced people": {"people": "offset"},
        "displaced people left out": {"people": "none"},
    }
    usual = {"rows": chosen, "hosts": hosts, "first": first_year, "last": last_year, "unit": unit}
    uses = {name: usual | choice for name, choice in choices.items()}
    widest = {host for use in uses.values() for host in use["hosts"]}
    first, last = (
        min(use["first"] for use in uses.values()),
        max(use["last"] for use in uses.values()),
    )
    places = _places(sorted(joined["origin"].unique()), widest, first, last, measure, cutoff)
    places = places[["origin", "host", "year", *ORGANISATIONS, ANY, "authoritarian", "displaced"]]
    return pd.DataFrame([{"choice": name, **_variant(use, places)} for name, use in uses.items()])


def _variant(use: dict[str, Any], places: pd.DataFrame) -> dict[str, float]:
    rows = use["rows"][
        use["rows"]["year"].between(use["first"], use["last"]).fillna(False).astype(bool)
    ]
    (origins, hosts, _), (origin, host, _) = places.index.levels, places.index.codes
    asked = (
        origins.isin(rows["origin"])[origin]
        & hosts.isin(use["hosts"])[host]
        & places["year"].between(use["first"], use["last"])
    )
    cells = _filled(places, counted(rows, use["unit"]))[asked.to_numpy()]
    how = {key: use[key] for key in ("model", "people") if key in use}
    if "authoritarian" in use:
        cells = cells[cells["authoritarian"].fillna(False).astype(bool)]
    n = int(cells["n"].sum())
    share = (
        wilson(int(cells.loc[cells[ANY], "n"].sum()), n)
        if n
        else Share(0, 0, np.nan, np.nan, np.nan)
    )
    separate = _tried(cells, **how)
    ratios = {name: _row(separate, name)["ratio"] for name in ORGANISATIONS}
    one = _row(_tried(cells, (ANY,), **how), ANY)
    return {
        "n": n,
        "share": share.share,
        "share_low": share.low,
        "share_high": share.high,
        **one,
        **ratios,
    }
