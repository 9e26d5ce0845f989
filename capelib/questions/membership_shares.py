"""Where incidents happen, against where they could: fellow members of CIS, CSTO and SCO, and displaced people."""

from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
import pandas as pd
from scipy import special

from capelib.errors import ParameterError
from capelib.estimators.counts import collapse
from capelib.estimators.shares import Estimate, wilson
from capelib.reference import displaced, memberships
from capelib.vocabulary.codebook import codes, require

ORGANISATIONS = ("CIS", "CSTO", "SCO")
ANY = "any of the three"
Period = tuple[int, int]


@cache
def _members(organisation: str, year: int) -> frozenset[str]:
    return frozenset(memberships.members(organisation, year))


def counted(incidents: pd.DataFrame, unit: str = "episode") -> pd.DataFrame:
    """The rows that count: abroad, with a known host and year, by the unit of counting.

    unit: "incident", "exile" (a person once a year in a host state) or "episode" (three or more persons in one action once).
    Incidents in the pursuing state itself (forced landings) are left out. Raises ParameterError for an unknown unit.

    >>> import capelib as cape
    >>> rows = cape.load().where(origin=cape.CENTRAL_ASIA, stage=[2, 3]).incidents
    >>> len(rows), len(counted(rows, "incident")), len(counted(rows))
    (386, 347, 291)
    """
    require("unit", unit, codes("unit"))
    rows = incidents[
        incidents["host"].notna()
        & incidents["year"].notna()
        & (incidents["host"] != incidents["origin"])
    ]
    rows = rows.astype({"year": "int64"})
    if unit == "exile":
        rows = rows.drop_duplicates(["exile_id", "origin", "host", "year"])
    return collapse(rows) if unit == "episode" else rows.reset_index(drop=True)


def matrix(incidents: pd.DataFrame, unit: str = "episode", most: int = 12) -> pd.DataFrame:
    """In which host states does each state reach its exiles? Counts, one row a pursuing state, one column a host.

    unit: see `counted`. most: hosts shown by name, those with the largest totals; the rest are added up in "other hosts".
    Returns int64 counts; index `origin`, columns the hosts' codes by total, then "other hosts".

    >>> import capelib as cape
    >>> matrix(cape.load().where(origin=cape.CENTRAL_ASIA, stage=[2, 3]).incidents, most=3).loc["UZB"].to_dict()
    {'RUS': 46, 'TUR': 5, 'KAZ': 26, 'other hosts': 38}
    """
    rows = counted(incidents, unit)
    order = (
        rows["host"]
        .value_counts()
        .reset_index()
        .sort_values(["count", "host"], ascending=[False, True])["host"]
    )
    named = rows["host"].where(rows["host"].isin(order.head(most)), "other hosts")
    columns = [*order.head(most), *(["other hosts"] if len(order) > most else [])]
    index = pd.Index(sorted(incidents["origin"].unique()), name="origin")
    return (
        pd.crosstab(rows["origin"], named)
        .reindex(index=index, columns=columns, fill_value=0)
        .rename_axis(columns=None)
    )


def fellow(rows: pd.DataFrame) -> pd.DataFrame:
    """Were origin and host both members of the organisation in that year? The rows with columns CIS, CSTO, SCO and "any of the three".

    rows: a frame with `origin`, `host`, `year`. Returns a new frame with four boolean columns more; False where the host or the year
    is not known or the host is the origin, so pass `counted` rows.
    Memberships are of whole years, first and last included: see `cape.memberships`.

    >>> rows = pd.DataFrame({"origin": "UZB", "host": "KAZ", "year": [2005, 2006, 2012, 2013]})
    >>> fellow(rows)["CSTO"].tolist()
    [False, True, True, False]
    """
    states, names = pd.factorize(pd.concat([rows["origin"], rows["host"]]))
    origin, host = states[: len(rows)], states[len(rows) :]
    year, years = pd.factorize(rows["year"])
    marked = rows.copy()
    for organisation in ORGANISATIONS:
        member = np.zeros(
            (len(names) + 1, len(years) + 1), dtype=bool
        )  # the last row and column stand for "not known" (code -1)
        for place, one in enumerate(years):
            held = _members(organisation, int(one))
            member[:-1, place] = [name in held for name in names]
        marked[organisation] = member[origin, year] & member[host, year] & (origin != host)
    return marked.assign(**{ANY: marked[list(ORGANISATIONS)].any(axis=1).astype(bool)})


def fellow_shares(
    incidents: pd.DataFrame, periods: Sequence[Period], hosts: Iterable[str], unit: str = "episode"
) -> pd.DataFrame:
    """What share of incidents happens in states that are fellow members, by organisation and period?

    incidents: of the states and stages asked about. periods: first and last years, both included. hosts: the possible host states,
        for the yardstick (see `possible_hosts`). unit: see `counted`.
    Returns one row an organisation ("CIS", "CSTO", "SCO", "any of the three") and period: `organisation`, `period`, `k`, `n`, `share`,
    `low`, `high` (Wilson 95 %, fractions), `if_equal`: the share that would be expected if every possible host were as likely as every
    other, given origins and years of the incidents; `hosts`: how many of the hosts on record are fellow members, of how many, in words.
    Missing values where a period holds no incident.
    The yardstick is weak: exiles are not spread equally over states, and how many of them live where is not in the data that ships.

    >>> import capelib as cape
    >>> rows = cape.load().where(origin="UZB", stage=[2, 3]).incidents
    >>> fellow_shares(rows, [(2006, 2012)], possible_hosts(rows, 2006, 2012))[["organisation", "k", "n"]].values.tolist()
    [['CIS', 61, 63], ['CSTO', 54, 63], ['SCO', 54, 63], ['any of the three', 61, 63]]
    """
    hosts, rows = sorted(hosts), fellow(counted(incidents, unit))
    pairs = (
        rows[["origin", "year"]]
        .drop_duplicates()
        .merge(pd.DataFrame({"host": hosts}, dtype="str"), how="cross")
    )
    equal = (
        fellow(pairs[pairs["origin"] != pairs["host"]])
        .groupby(["origin", "year"])[[*ORGANISATIONS, ANY]]
        .mean()
    )
    equal = equal.reindex(pd.MultiIndex.from_frame(rows[["origin", "year"]])).set_axis(rows.index)
    within = [(first, last, rows["year"].between(first, last)) for first, last in periods]
    found = []
    for organisation in (*ORGANISATIONS, ANY):
        for first, last, inside in within:
            part = rows.loc[inside, ["host", organisation]]
            row: dict[str, object] = {
                "organisation": organisation,
                "period": f"{first}-{last}",
                "k": 0,
                "n": len(part),
            }
            if len(part):
                row |= wilson(int(part[organisation].sum()), len(part))._asdict()
                row["if_equal"] = float(equal.loc[inside, organisation].mean())
            row["hosts"] = (
                f"{part.loc[part[organisation], 'host'].nunique()} of {part['host'].nunique()}"
            )
            found.append(row)
    return pd.DataFrame(found).reindex(
        columns=["organisation", "period", "k", "n", "share", "low", "high", "if_equal", "hosts"]
    )


def poisson(n: int, spread: float = 1.0, level: float = 0.95) -> Estimate:
    """What expected count does an observed count of n go with? The exact Poisson interval, or a wider one for counts in waves.

    spread: variance over mean, 1 or more; with 1 the interval is exact (from the chi-squared distribution), with more it is that of
    n / spread independent events, scaled back. level: confidence level, between 0 and 1.
    Raises ParameterError for n below 0 or a spread below 1.
    Source: Garwood 1936, Biometrika 28, 437-442; the scaling is the usual quasi-Poisson one.

    >>> [round(float(bound), 2) for bound in poisson(10)]
    [10.0, 4.8, 18.39]
    """
    if n < 0 or spread < 1:
        raise ParameterError(f"n must be 0 or more and spread 1 or more, not {n} and {spread}")
    k, tail = n / spread, (1 - level) / 2
    low = special.gammaincinv(k, tail) * spread if n else 0.0
    return Estimate(n, float(low), float(special.gammaincinv(k + 1, 1 - tail) * spread))


def per_displaced(
    incidents: pd.DataFrame, periods: Sequence[Period], unit: str = "episode"
) -> pd.DataFrame:
    """How many incidents are on record per 1,000 displaced people of that origin and year?

    incidents: of the states and stages asked about; those without a host count too, those without a year do not. periods: first and
        last years, both included; years without a UNHCR count are left out of both sides. unit: see `counted`.
    Returns one row an origin and period: `origin`, `period`, `n`, `person_years` (UNHCR refugees plus asylum-seekers abroad at
    the end of each year, added up), `per_1000`, `low`, `high` (95 %: Poisson, widened by `spread` for counts that vary more from
    year to year than independent events would). Origins without UNHCR counts are left out.
    Never a rate of risk: the numerator is a convenience sample, and most exiles and migrants are not in the denominator.
    Source: a ratio estimator (Cochran 1977, Sampling Techniques, ch. 6); spread is the sum of the squared residuals of the years,
    each enlarged by its leverage as in HC3, over the count, times (t/z)^2 for few years (their effective number after Kish 1965, Survey
    Sampling, less 1, as degrees of freedom), at least 1. In simulations (10 to 100 incidents in 24 years, yearly levels that vary with a
    standard deviation up to 1.2 times their mean) the interval holds in 93 to 99 %, also where a few years hold most of the displaced
    people, as for Tajikistan; the exact Poisson interval in as few as 33 %. Years are taken as independent of each other.

    >>> import capelib as cape
    >>> found = per_displaced(cape.load().where(origin="UZB", stage=[2, 3]).incidents, [(2013, 2024)]).iloc[0]
    >>> int(found["n"]), int(found["person_years"]), round(float(found["per_1000"]), 2)
    (34, 129434, 0.26)
    """
    require("unit", unit, codes("unit"))
    rows = incidents[
        incidents["year"].notna()
        & (incidents["host"].isna() | (incidents["host"] != incidents["origin"]))
    ]
    rows = (
        rows.drop_duplicates(["exile_id", "origin", "year"])
        if unit == "exile"
        else collapse(rows)
        if unit == "episode"
        else rows
    )
    found = []
    for origin, part in rows.groupby("origin"):
        people = people_of(str(origin))
        for first, last in periods:
            exposed = people.loc[first:last]
            if not exposed.sum():
                continue
            n = part["year"].astype("int64").value_counts().reindex(exposed.index, fill_value=0)
            total, share = int(n.sum()), exposed / exposed.sum()
            spread = _spread(n, share) if total else 1.0
            numbers = [1000 * value / float(exposed.sum()) for value in poisson(total, spread)]
            found.append((origin, f"{first}-{last}", total, int(exposed.sum()), *numbers, spread))
    return pd.DataFrame(
        found,
        columns=["origin", "period", "n", "person_years", "per_1000", "low", "high", "spread"],
    )


def _spread(n: pd.Series, share: pd.Series) -> float:
    """Variance over mean of the total of n, whose years have these shares of the displaced people; 1 where one year cannot tell."""
    if len(n) < 2:
        return 1.0
    residual = (n - n.sum() * share) / (1 - share).clip(lower=1e-6)
    years = 1 / float((share**2).sum())
    few = special.stdtrit(years - 1, 0.975) / special.ndtri(0.975)
    return max(1.0, few**2 * float((residual**2).sum()) / int(n.sum()))


@cache
def people_of(origin: str) -> pd.Series:
    """UNHCR refugees plus asylum-seekers of this origin abroad, by year; empty where no counts ship.

    >>> int(people_of("TJK")[2016]), len(people_of("RUS"))
    (4130, 0)
    """
    try:
        return displaced.series(origin).set_index("year")["displaced"].astype("int64")
    except ParameterError:
        return pd.Series(dtype="int64", index=pd.Index([], dtype="int64"))


def possible_hosts(incidents: pd.DataFrame, first_year: int, last_year: int) -> list[str]:
    """Which states could be a host? Those that host any of the incidents, and all members of CIS, CSTO and SCO in these years.

    A ratio of fellow members to others depends on how many others there are. Pass all incidents of a dataset, of every origin and
    stage: then a host need not have cooperated with the states asked about to be in the list.

    >>> import capelib as cape
    >>> len(possible_hosts(cape.load().incidents, 2001, 2024))
    78
    """
    members = {
        state
        for organisation in ORGANISATIONS
        for year in range(first_year, last_year + 1)
        for state in _members(organisation, year)
    }
    return sorted({*incidents["host"].dropna(), *members})
