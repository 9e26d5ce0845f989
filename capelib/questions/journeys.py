"""Journeys: the hosts in which each exile is on record, in their order, and what was done there. Persons are counted, not incidents."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from capelib.errors import ParameterError
from capelib.estimators.counts import collapse
from capelib.estimators.shares import Estimate, Share, difference, wilson
from capelib.questions.hosts import years
from capelib.reference import regimes
from capelib.vocabulary.tables import states

FORMER_SOVIET = (
    "ARM",
    "AZE",
    "BLR",
    "EST",
    "GEO",
    "KAZ",
    "KGZ",
    "LTU",
    "LVA",
    "MDA",
    "RUS",
    "TJK",
    "TKM",
    "UKR",
    "UZB",
)
LEAST_MOVES = 3  # a move that fewer exiles made is never named: it would point at a person
LEAST_EXILES = 10  # hosts with fewer exiles are pooled
OTHER = "other"


def of_period(incidents: pd.DataFrame, first_year: int, last_year: int) -> pd.DataFrame:
    """The incidents that may have happened in these years (both included), and those without a date: they too name a host.

    >>> import capelib as cape
    >>> rows = cape.load().where(origin="TJK").incidents
    >>> len(rows), len(of_period(rows, 2001, 2018)), int(rows["date_start"].isna().sum())
    (222, 146, 34)
    """
    may = (incidents["date_start"].dt.year <= last_year) & (
        incidents["date_end"].dt.year >= first_year
    )
    return incidents[may | incidents["date_start"].isna()].reset_index(drop=True)


def abroad(incidents: pd.DataFrame) -> pd.DataFrame:
    """The incidents with a host on record that is not the pursuing state itself (a forced landing there is no host)."""
    return incidents[
        incidents["host"].notna() & (incidents["host"] != incidents["origin"])
    ].reset_index(drop=True)


def stays(incidents: pd.DataFrame) -> pd.DataFrame:
    """In which hosts is each exile on record, and in which order? One row a stay: consecutive incidents in one host.

    incidents: a frame with `exile_id`, `incident_id`, `origin`, `host`, `date_start`, `date_end`, `stage`, `year`; incidents
        without a host, or in the pursuing state itself, are left out.
    Incidents are put in order by the first day that their date allows, then by the last. An undated incident joins the exile's
    first stay in that host; where the host is on record only without a date, the stay has no step.
    Returns `exile_id`, `step` (Int64; missing where the order cannot be told), `host`, `first`, `last` (datetime64: first and
    last day that the dates allow), `year` (Int64, of arrival on record), `stage` (highest, ordered), `incidents`, `came_from`
    (the host before; missing at the first step) and `certain` (nullable boolean, missing at the first step): True where every
    order of the incidents that the dates allow has this same move, from that host straight to this one. It is False where dates
    of the two sides overlap ("2013" and "March 2013"), and where the exile has a host without any date, which may lie between.

    >>> import capelib as cape
    >>> found = stays(cape.load().where(origin="UZB", host=["NOR", "CZE"]).incidents)
    >>> found.groupby("exile_id").filter(lambda rows: len(rows) > 1)[["step", "host", "certain"]].values.tolist()
    [[1, 'NOR', <NA>], [2, 'CZE', True]]
    """
    names = ["exile_id", "incident_id", "origin", "host", "date_start", "date_end", "stage"]
    rows = abroad(incidents[names]).sort_values(
        ["exile_id", "date_start", "date_end", "incident_id"]
    )
    dated = rows[rows["date_start"].notna()]
    new = (dated["exile_id"] != dated["exile_id"].shift()) | (
        dated["host"] != dated["host"].shift()
    )
    step = new.groupby(dated["exile_id"]).cumsum()
    first_there = step.groupby([dated["exile_id"], dated["host"]]).min()
    joined = first_there.reindex(pd.MultiIndex.from_frame(rows[["exile_id", "host"]])).to_numpy()
    rows = rows.assign(
        step=step.reindex(rows.index).fillna(pd.Series(joined, index=rows.index)).astype("Int64")
    )

    groups = rows.groupby(["exile_id", "step", "host"], dropna=False)  # missing steps come last
    found = groups.agg(
        first=("date_start", "min"),
        last=("date_end", "max"),
        stage=("stage", "max"),
        incidents=("incident_id", "size"),
    )
    found = found.reset_index()
    found["step"] = found["step"].mask(
        ~found["exile_id"].duplicated(keep=False), 1
    )  # the only host, even where it has no date
    sure = _certain(rows)
    certain = [
        pd.NA if step is not pd.NA and step == 1 else (exile, step) in sure
        for exile, step in zip(found["exile_id"], found["step"], strict=True)
    ]
    return found.assign(
        year=found["first"].dt.year.astype("Int64"),
        came_from=found.groupby("exile_id")["host"]
        .shift()
        .where((found["step"] > 1).fillna(False).astype(bool)),
        certain=pd.array(certain, dtype="boolean"),
    )[
        [
            "exile_id",
            "step",
            "host",
            "first",
            "last",
            "year",
            "stage",
            "incidents",
            "came_from",
            "certain",
        ]
    ]


def _certain(rows: pd.DataFrame) -> set[tuple[str, int]]:
    """The moves, as (exile, step arrived at), that every order of the incidents has. rows: sorted, with `step`.

    A move holds where all incidents before it end before any after it begins, where the last before is surely in the host left,
    and the first after surely in the host reached.
    """
    sure = set()
    columns = [rows[name].to_numpy() for name in ("host", "date_start", "date_end")]
    unplaced = rows["step"].isna().to_numpy()
    steps = rows["step"].to_numpy("int64", na_value=0)
    for exile, places in rows.groupby("exile_id").indices.items():
        if unplaced[places].any() or steps[places].max() == 1:
            continue
        places = places[~np.isnat(columns[1][places])]
        step, (host, first, last) = steps[places], (column[places] for column in columns)
        for number in range(2, step.max() + 1):
            before, after = step < number, step >= number
            elsewhere = last[before & (host != host[step == number - 1][0])]
            beyond = first[after & (host != host[step == number][0])]
            apart = last[before].max() < first[after].min()
            if (
                apart
                and (elsewhere < first[before].max()).all()
                and (beyond > last[after].min()).all()
            ):
                sure.add((exile, number))
    return sure


def hosts_on_record(found: pd.DataFrame) -> pd.DataFrame:
    """How many exiles have one, two, three or more hosts on record? Different hosts, whatever their order.

    found: from `stays`. Returns `hosts` ("1", "2", "3 or more"), `exiles`, `n`, `share`, `low`, `high` (Wilson 95 %, of the exiles with
    a host on record; missing where there are none). A lower bound for the hosts that they really had: unreported ones are not in it.

    >>> import capelib as cape
    >>> hosts_on_record(stays(cape.load().where(origin="TJK").incidents))["exiles"].tolist()
    [93, 11, 0]
    """
    number = found.groupby("exile_id")["host"].nunique().clip(upper=3)
    rows = [
        {"hosts": name, **_share(int((number == k).sum()), len(number))}
        for k, name in ((1, "1"), (2, "2"), (3, "3 or more"))
    ]
    return pd.DataFrame(rows).rename(columns={"k": "exiles"})


def _share(k: int, n: int) -> dict[str, float]:
    """k, n, share, low, high; shares missing where n is 0."""
    return (wilson(k, n) if n else Share(0, 0, *[float("nan")] * 3))._asdict()


def moves(found: pd.DataFrame, least: int = LEAST_MOVES, certain: bool = True) -> pd.DataFrame:
    """From which host to which did exiles move? Counted in persons, the most frequent first.

    found: from `stays`. least: pairs of hosts with fewer exiles are pooled into one last row ("other", "other"), at least 1.
    certain: True counts only moves whose order is certain.
    Returns `from`, `to` (state codes), `exiles` (persons; in the pooled row, persons with any of its moves), `pairs` (of hosts).
    """
    if least < 1:
        raise ParameterError(f"least must be 1 or more, not {least}")
    rows = found[
        found["came_from"].notna() & (found["certain"].fillna(False).astype(bool) | (not certain))
    ]
    counted = (
        rows.groupby(["came_from", "host"])["exile_id"].nunique().rename("exiles").reset_index()
    )
    counted = counted.set_axis(["from", "to", "exiles"], axis=1).sort_values(
        ["exiles", "from", "to"], ascending=[False, True, True]
    )
    shown = counted[counted["exiles"] >= least].assign(pairs=1)
    rare = counted[counted["exiles"] < least]
    if len(rare):
        persons = rows.merge(rare, left_on=["came_from", "host"], right_on=["from", "to"])[
            "exile_id"
        ].nunique()
        shown.loc[len(counted)] = [OTHER, OTHER, persons, len(rare)]
    return shown.reset_index(drop=True).astype({"exiles": "int64", "pairs": "int64"})


def directions(found: pd.DataFrame, measure: str = "fiw") -> pd.DataFrame:
    """Do exiles move to freer states? Certain moves by the ratings of both hosts in the year of arrival on record.

    found: from `stays`. measure: a regime measure, see `cape.regimes.scale`. Returns `direction` ("to a freer state", "to one rated
    alike", "to a less free state"), `moves`, `n` (certain moves with both ratings), `share`, `low`, `high` (Wilson 95 %, missing
    where n is 0). Assumes independent moves; an exile with two moves counts twice.
    """
    values = regimes.scale(measure)
    rows = found[found["certain"].fillna(False).astype(bool)]
    pairs = [
        [regimes.of(host, int(year), measure) for host in hosts]
        for *hosts, year in zip(rows["came_from"], rows["host"], rows["year"], strict=True)
    ]
    steps = pd.Series(
        [values.index(to) - values.index(left) for left, to in pairs if left and to], dtype="int64"
    )
    kinds = {
        "to a freer state": steps > 0,
        "to one rated alike": steps == 0,
        "to a less free state": steps < 0,
    }
    counted = [
        {"direction": name, **_share(int(held.sum()), len(steps))} for name, held in kinds.items()
    ]
    return pd.DataFrame(counted).rename(columns={"k": "moves"})


def reached(incidents: pd.DataFrame) -> pd.DataFrame:
    """The highest stage that was recorded for each exile in each host: `exile_id`, `host`, `stage` (int64). One row a pair.

    incidents: as for `stays`. Needs no dates and no order.
    """
    rows = abroad(incidents[["exile_id", "origin", "host", "stage"]])
    return (
        rows.astype({"stage": "int64"}).groupby(["exile_id", "host"])["stage"].max().reset_index()
    )


def by_host(incidents: pd.DataFrame, least: int = LEAST_EXILES) -> pd.DataFrame:
    """Where are exiles caught? For each host, the exiles on record there by the highest stage they reached there.

    incidents: as for `stays`. least: hosts with fewer exiles are pooled as "other" (last row). An exile with two hosts counts in both.
    Returns `host`, `hosts` (1, or how many are pooled), `exiles`, `stage_1`, `stage_2`, `stage_3` (exiles by highest stage there),
    `caught` (held, returned or attacked: stages 2 and 3), `share` (of the exiles on record there), `low`, `high` (Wilson 95 %).
    The share is one of recorded exiles, not a risk: an exile to whom nothing happened is not on record at all.

    >>> import capelib as cape
    >>> by_host(cape.load().where(origin="TJK").incidents)[["host", "exiles", "caught"]].values.tolist()
    [['RUS', 53, 50], ['POL', 17, 2], ['other', 45, 32]]
    """
    pairs = reached(incidents)
    common = pairs["host"].map(pairs["host"].value_counts()) >= least
    frame = _by(pairs, pairs["host"].where(common, OTHER).rename("host"))
    return frame.sort_values("host", key=lambda host: host == OTHER, kind="stable").reset_index(
        drop=True
    )


def by_space(incidents: pd.DataFrame, space: Sequence[str] = FORMER_SOVIET) -> pd.DataFrame:
    """Are exiles caught inside the former Soviet space or beyond it? The columns of `by_host`, for two groups of hosts.

    incidents: as for `stays`. space: the states inside. Returns `space` ("inside", "beyond"; only those that occur) for `host`, and
    `ended`, `ended_low`, `ended_high` (share at stage 3, Wilson 95 %) more. Counted are pairs of exile and host.
    """
    return _spaces(reached(incidents), space)


def _spaces(pairs: pd.DataFrame, space: Sequence[str]) -> pd.DataFrame:
    frame = _by(
        pairs, pairs["host"].isin(space).map({True: "inside", False: "beyond"}).rename("space")
    )
    ended = [wilson(k, n)[2:] for k, n in zip(frame["stage_3"], frame["exiles"], strict=True)]
    return frame.join(
        pd.DataFrame(
            ended, columns=["ended", "ended_low", "ended_high"], index=frame.index, dtype="float64"
        )
    )


def _by(pairs: pd.DataFrame, group: pd.Series) -> pd.DataFrame:
    rows = []
    for name, part in pairs.groupby(group):
        stage = {
            f"stage_{k}": int(n) for k, n in enumerate(np.bincount(part["stage"], minlength=4)) if k
        }
        caught = wilson(stage["stage_2"] + stage["stage_3"], len(part))
        numbers = {
            "caught": caught.k,
            "share": caught.share,
            "low": caught.low,
            "high": caught.high,
        }
        rows.append(
            {group.name: name, "hosts": part["host"].nunique(), "exiles": len(part)}
            | stage
            | numbers
        )
    columns = [
        group.name,
        "hosts",
        "exiles",
        "stage_1",
        "stage_2",
        "stage_3",
        "caught",
        "share",
        "low",
        "high",
    ]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.sort_values(["exiles", group.name], ascending=[False, True]).reset_index(drop=True)


@dataclass(frozen=True)
class Journeys:
    """Where the exiles of one or more states were recorded, and where they were caught.

    incidents: those of the period with a host. exiles: persons with any incident in the period; missing: those without a host.
    stays, record, hosts, spaces: from `stays`, `hosts_on_record`, `by_host`, `by_space`. estimates: estimate, value, low, high, n,
    unit; missing where there are no cases.
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

    def sentence(self, who: str) -> str:
        """The answer in one sentence, with intervals. who: for example "exiles pursued by Tajikistan"."""
        span = years((self.first_year, self.last_year))
        if not self.located:
            return f"No host is on record for {who} in {span}: where they go, and where they are caught, cannot be told."
        said = {
            row.estimate: f"{100 * row.value:.0f} % [{100 * row.low:.0f}, {100 * row.high:.0f}]"
            for row in self.estimates.itertuples()
            if row.unit == "share"
        }
        named = self.hosts[self.hosts["host"] != OTHER].sort_values("share", kind="stable")

        def host(row: pd.Series) -> str:
            share = f"{100 * row['share']:.0f} % [{100 * row['low']:.0f}, {100 * row['high']:.0f}]"
            return f"{states()[row['host']]} {share} (n = {row['exiles']})"

        text = (
            f"Of the {who} with a host on record in {span} (n = {self.located}), {said[INSIDE]} were recorded in the former "
            f"Soviet space, and {said[CAUGHT]} were held, returned or attacked in a host"
        )
        if len(named) > 1:
            text += f" (of the exiles recorded in a host, from {host(named.iloc[0])} to {host(named.iloc[-1])})"
        return f"{text}; {said[SEVERAL]} have more than one host on record."


INSIDE = "recorded in the former Soviet space"
CAUGHT = "held, returned or attacked in a host"
SEVERAL = "two or more hosts on record"
GAP = "returned or attacked: former Soviet space minus beyond"


def journeys(
    incidents: pd.DataFrame, first_year: int, last_year: int, space: Sequence[str] = FORMER_SOVIET
) -> Journeys:
    """Where do exiles go, and where are they caught? Everything that the public record says about their hosts.

    incidents: of the states asked about. first_year, last_year: both included; undated incidents are kept. space: the states that
    count as the former Soviet space. Nothing is raised for too few cases.
    Assumes independent exiles; the difference also takes exiles recorded inside and beyond as two.

    >>> import capelib as cape
    >>> found = journeys(cape.load().where(origin="TJK").incidents, 1990, 2024)
    >>> found.located, found.missing, found.hosts["host"].tolist()
    (104, 18, ['RUS', 'POL', 'other'])
    """
    rows = of_period(incidents, first_year, last_year)
    located = abroad(rows)
    found, (spaces, frame) = stays(located), _estimates(located, space)
    everyone, n = rows["exile_id"].nunique(), located["exile_id"].nunique()
    return Journeys(
        first_year,
        last_year,
        located,
        everyone,
        everyone - n,
        found,
        hosts_on_record(found),
        by_host(located),
        spaces,
        frame,
    )


def _estimates(located: pd.DataFrame, space: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The frames `spaces` and `estimates` of `Journeys`. located: incidents with a host."""
    pairs = reached(located)
    spaces = _spaces(pairs, space)
    n = pairs["exile_id"].nunique()
    shares = {
        INSIDE: pairs["host"].isin(space),
        CAUGHT: pairs["stage"] >= 2,
        SEVERAL: pairs["exile_id"].duplicated(),
    }
    rows = [
        {"estimate": name, **_share(pairs.loc[held, "exile_id"].nunique(), n), "unit": "share"}
        for name, held in shares.items()
    ]
    ended = {row.space: wilson(row.stage_3, row.exiles) for row in spaces.itertuples()}
    gap = (
        difference(ended["inside"], ended["beyond"])
        if len(ended) == 2
        else Estimate(*[float("nan")] * 3)
    )
    rows.append(
        {
            "estimate": GAP,
            **dict(zip(("share", "low", "high"), gap, strict=True)),
            "n": spaces["exiles"].sum(),
            "unit": "difference",
        }
    )
    return spaces, pd.DataFrame(rows).rename(columns={"share": "value"})[
        ["estimate", "value", "low", "high", "n", "unit"]
    ]


def variants(joined: pd.DataFrame, first_year: int, last_year: int) -> pd.DataFrame:
    """What would change the answer? The same estimates under other choices, one row a choice.

    joined: incidents with `source_kind`, as `Dataset.joined` gives. Returns `choice`, `exiles` (with a host on record), and for
    `inside`, `caught`, `several` (shares) and `gap` (difference) the value with `_low` and `_high`, as fractions.
    """
    no_baltic = tuple(state for state in FORMER_SOVIET if state not in ("EST", "LTU", "LVA"))
    choices = {
        "as chosen": (joined, FORMER_SOVIET),
        "each episode once": (collapse(joined), FORMER_SOVIET),
        "without doubtful cases": (joined[~joined["doubtful"]], FORMER_SOVIET),
        "without alleged cases": (joined[joined["attribution"].isna()], FORMER_SOVIET),
        "without CAPE's own pages": (joined[joined["source_kind"] != "cape"], FORMER_SOVIET),
        "without interested sources": (
            joined[joined["source_kind"] != "interested_party"],
            FORMER_SOVIET,
        ),
        "without relatives": (joined[joined["measure"] != "relatives_targeted"], FORMER_SOVIET),
        "dated incidents only": (joined[joined["date_start"].notna()], FORMER_SOVIET),
        "Baltic states count as beyond": (joined, no_baltic),
    }
    rows = []
    for name, (part, space) in choices.items():
        located = abroad(of_period(part, first_year, last_year))
        row: dict[str, object] = {"choice": name, "exiles": located["exile_id"].nunique()}
        estimates = _estimates(located, space)[1]
        for short, estimate in zip(
            ("inside", "caught", "several", "gap"), estimates.itertuples(), strict=True
        ):
            row |= {
                short: estimate.value,
                f"{short}_low": estimate.low,
                f"{short}_high": estimate.high,
            }
        rows.append(row)
    return pd.DataFrame(rows)
