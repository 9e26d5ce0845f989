"""Which corridors changed their shared membership, and did incidents change with it?"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from capelib.questions.membership_shares import ORGANISATIONS
from capelib.vocabulary.tables import states

_COLUMNS = [
    *("organisation", "origin", "shared", "hosts", "years_with", "years_without"),
    *("n_with", "n_without", "other_with", "other_without", "ratio", "low", "high"),
]


def switches(cells: pd.DataFrame) -> pd.DataFrame:
    """Did incidents change where a shared membership began or ended? All changes, counted.

    Parameters
    ----------
    cells
        From `panel`.

    Returns
    -------
    DataFrame
        One row for the corridors of an origin that changed in the same years, if they hold any
        incident: `organisation`, `origin`, `shared` (years with both as members, in words),
        `hosts` (those with incidents), `years_with`, `years_without`, `n_with`, `n_without`
        (incidents in the years with and without), `other_with`, `other_without` (incidents of the
        same origin in the same years in hosts whose shared membership did not change), `ratio`,
        `low`, `high`: how many times the change here is the change there (odds ratio; conditional
        maximum likelihood and exact 95 % interval, which take incidents as independent).
    """
    n_years = cells["year"].nunique()
    rows = []
    for organisation in ORGANISATIONS:
        by_corridor = cells[cells[organisation]].groupby("corridor")["year"]
        shared = {corridor: tuple(sorted(years)) for corridor, years in by_corridor}
        changed = {key: years for key, years in shared.items() if len(years) < n_years}
        changes = cells["corridor"].isin(changed)
        part = cells[changes]
        groups = part.groupby([part["origin"], part["corridor"].map(changed)], sort=True)
        for (origin, years), corridors in groups:
            if corridors["n"].sum():
                unchanged = cells[(cells["origin"] == origin) & ~changes]
                row = {"organisation": organisation, "origin": origin, "shared": spans(years)}
                row |= {"years_with": len(years), "years_without": n_years - len(years)}
                rows.append(row | _change(corridors, unchanged, years))
    table = pd.DataFrame(rows, columns=_COLUMNS)
    return table.astype(dict.fromkeys(("ratio", "low", "high"), "float64"))


def _change(
    changed: pd.DataFrame, unchanged: pd.DataFrame, years: tuple[int, ...]
) -> dict[str, object]:
    """One change of membership: hosts, incidents with and without it, and the odds ratio."""
    with_and_without = np.array([_with_and_without(part, years) for part in (changed, unchanged)])
    ratio = stats.contingency.odds_ratio(with_and_without)
    low, high = ratio.confidence_interval(0.95)
    names = ("n_with", "n_without", "other_with", "other_without")
    return {
        "hosts": ", ".join(sorted(changed.loc[changed["n"] > 0, "host"].unique())),
        **dict(zip(names, with_and_without.ravel().tolist(), strict=True)),
        "ratio": float(ratio.statistic),
        "low": float(low),
        "high": float(high),
    }


def _with_and_without(rows: pd.DataFrame, years: tuple[int, ...]) -> tuple[int, int]:
    """Incidents in these years, and in all others."""
    inside = int(rows.loc[rows["year"].isin(years), "n"].sum())
    return inside, int(rows["n"].sum()) - inside


def spans(years: Sequence[int]) -> str:
    """Years in words.

    Examples
    --------
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


def switch_label(switch: pd.Series) -> str:
    """A row of `switches` in words.

    Examples
    --------
    >>> switch = pd.Series({"origin": "UZB", "organisation": "CSTO", "shared": "2006-2012"})
    >>> switch_label(switch)
    'Uzbekistan in CSTO 2006-2012, against its other hosts'
    """
    origin = states()[switch["origin"]]
    return f"{origin} in {switch['organisation']} {switch['shared']}, against its other hosts"
