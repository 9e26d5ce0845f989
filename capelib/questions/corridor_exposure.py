"""Counts in fellow-member states beside the displaced people who live there: what is left?"""

from functools import cache

import numpy as np
import pandas as pd

from capelib.errors import TooFewCases
from capelib.estimators.panel_counts import expected_counts
from capelib.questions.corridor_models import membership_ratios
from capelib.questions.corridor_panel import coded
from capelib.questions.membership_shares import ANY
from capelib.questions.wording import two_digits
from capelib.vocabulary.groups import group
from capelib.vocabulary.shipped import table

SOVIET = "former Soviet host"
TERMS = (ANY, "authoritarian", "year")
# How displaced people in the host enter, in words; to a term 1 person is added as well.
EXPOSURES = {
    "none": "no exposure",
    "offset": "per displaced person in the host",
    "offset, 1 more": "per displaced person and 1 more",
    "term": "displaced people as a term",
}


@cache
def _people_in_hosts() -> pd.DataFrame:
    counts = table("displaced_by_host")
    people = counts["refugees"] + counts["asylum_seekers"]
    return counts[["origin", "host"]].assign(
        year=counts["year"].astype("int64"), people_in_host=people.astype("int64")
    )


def add_people_in_host(cells: pd.DataFrame) -> pd.DataFrame:
    """How many refugees and asylum-seekers of the origin does UNHCR count in the host that year?

    Parameters
    ----------
    cells
        A frame with `origin`, `host`, `year`.

    Returns
    -------
    DataFrame
        The same rows in their order, with columns more: `people_in_host` (Int64, persons; 0 where
        UNHCR lists none; missing for origins whose counts do not ship), "former Soviet host"
        (bool).

    Notes
    -----
    UNHCR rounds small counts, and exiles who never asked for asylum are in none.

    Examples
    --------
    >>> cells = pd.DataFrame({"origin": "UZB", "host": ["KAZ", "JAM"], "year": 2006})
    >>> add_people_in_host(cells)["people_in_host"].tolist()[1]
    0
    """
    counts = _people_in_hosts()
    people = cells[["origin", "host", "year"]].merge(counts, how="left")["people_in_host"]
    ships = cells["origin"].isin(counts["origin"].unique()).to_numpy()
    return cells.assign(
        people_in_host=people.astype("Int64").fillna(0).where(ships).array,
        **{SOVIET: cells["host"].isin(group("former_soviet")).astype(bool).array},
    )


def exposure_ratios(cells: pd.DataFrame, beside: pd.DataFrame | None = None) -> pd.DataFrame:
    """How many times as many incidents in fellow-member states, by what is held equal?

    Parameters
    ----------
    cells
        From `corridor_panel.panel`: the acts that need the host.
    beside
        The same cells with the acts that do not need it; without, those columns are missing.

    Returns
    -------
    DataFrame
        One row a model: `exposure` (a key of `EXPOSURES`), `soviet` (bool: former Soviet hosts have
        a term of their own), `model` (in words), `n` (incidents that enter), `left_out` (incidents
        in cells where UNHCR lists nobody), `ratio`, `low`, `high` (fellow members against others),
        `soviet_ratio` (former Soviet hosts against others), and `beside`, `beside_low`,
        `beside_high`: the ratio of the acts that do not need the host. Intervals are clustered by
        host; missing where there are too few cases, or one host holds most of them: then `host` is
        that host, `host_share` its share of the incidents `host_among` ("fellow-member states" or
        "other states").
    """
    both = [None if part is None else _with_people(part) for part in (cells, beside)]
    rows = []
    for exposure, words in EXPOSURES.items():
        for soviet in (False, True):
            row = {"exposure": exposure, "soviet": soviet}
            row["model"] = words + (", former Soviet hosts set apart" if soviet else "")
            main, other = ({} if part is None else _ratio(part, exposure, soviet) for part in both)
            names = {"ratio": "beside", "low": "beside_low", "high": "beside_high"}
            rows.append(row | main | {new: other.get(old, np.nan) for old, new in names.items()})
    return pd.DataFrame(rows)


def _with_people(cells: pd.DataFrame) -> pd.DataFrame:
    """What `_ratio` reads."""
    return coded(add_people_in_host(cells[["n", "origin", "host", *TERMS, "displaced"]]))


def _ratio(cells: pd.DataFrame, exposure: str, soviet: bool) -> dict[str, float]:
    """The ratio of one model, and how many incidents entered."""
    terms: list[str] = [*TERMS, *([SOVIET] if soviet else [])]
    used, offset = cells, None
    if exposure == "none" and cells["displaced"].notna().all():
        terms.append("displaced")  # of the origin, in all hosts: as in `membership_ratios`
    if exposure != "none":
        used = used[used["people_in_host"].notna()]
        people = used["people_in_host"].astype("float64")
        if exposure == "offset":
            used, people = used[people > 0], people[people > 0]
        else:
            people = people + 1
        used = used.assign(log_people=np.log(people))
        if exposure == "term":
            terms.append("log_people")
        else:
            offset = "log_people"
    n = int(used["n"].sum())
    row = {"n": n, "left_out": int(cells["n"].sum()) - n}
    nothing = dict.fromkeys(("ratio", "low", "high", "soviet_ratio"), np.nan)
    no_host = {"host": "", "host_share": np.nan, "host_among": ""}
    try:
        fit = expected_counts(used, terms, "origin", "host", offset=offset)
    except TooFewCases:
        return row | nothing | no_host
    row |= fit.row(ANY) | {"soviet_ratio": fit.row(SOVIET)["ratio"]}
    alone = fit.no_interval.get(ANY)
    if alone is None:
        return row | no_host
    among = "fellow-member states" if alone.flagged else "other states"
    return row | {"host": alone.cluster, "host_share": alone.share, "host_among": among}


def without_exposure_counted(
    cells: pd.DataFrame,
    ratio: float = 1.0,
    exiles: float = 8.0,
    draws: int = 20,
    seed: int = 1,
) -> pd.DataFrame:
    """What does the ratio without exposure show where exiles live in former Soviet hosts?

    Parameters
    ----------
    cells
        From `corridor_panel.panel`: its memberships, hosts, years and total count are kept.
    ratio
        The true ratio of incidents per exile, fellow members against others.
    exiles
        How many times as many exiles live in a former Soviet host as in another.
    draws
        Simulated panels.
    seed
        Of the random numbers.

    Returns
    -------
    DataFrame
        One row a draw: `ratio`, `low`, `high` of the model without exposure, and `true`.

    Notes
    -----
    Counts are Poisson, with levels of the origins as in the data.
    """
    rng = np.random.default_rng(seed)
    soviet = cells["host"].isin(group("former_soviet")).to_numpy()
    level = cells.groupby("origin")["n"].transform("sum").to_numpy("float64")
    expected = level * np.where(soviet, exiles, 1.0)
    expected = expected * np.where(cells[ANY].to_numpy(bool), ratio, 1.0)
    total = cells["n"].sum()
    cells = coded(cells)
    expected *= total / expected.sum() if total else 0.0
    rows = []
    for _ in range(draws if total else 0):
        drawn = cells.assign(n=rng.poisson(expected))
        try:
            fit = membership_ratios(drawn, (ANY,))
        except TooFewCases:
            continue
        rows.append({**fit.row(ANY), "true": ratio})
    return pd.DataFrame(rows, columns=["ratio", "low", "high", "true"])


def simulated_sentence(draws: pd.DataFrame, exiles: float = 8.0) -> str:
    """What the simulation shows, in a sentence.

    Parameters
    ----------
    draws
        From `without_exposure_counted`.
    exiles
        As there.
    """
    if draws.empty:
        return "Too few cases to simulate what the ratio measures."
    true = draws["true"].iloc[0]
    many = "as many" if true == 1 else f"{two_digits(true)} times as many"
    holds = draws["true"].between(draws["low"], draws["high"]).mean()
    return (
        f"If incidents per exile were {many} in fellow-member states as in others, and "
        f"{two_digits(exiles)} times as many exiles lived in former Soviet hosts, "
        f"the model without exposure would show {two_digits(draws['ratio'].median())} times "
        f"(median of {len(draws)} simulated panels), and its interval would hold the truth in "
        f"{100 * holds:.0f} % of them."
    )
