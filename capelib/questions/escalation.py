"""How soon is stage 3 recorded after the first incident, where dates are often only years?"""

import numpy as np
import pandas as pd

from capelib.errors import TooFewCases
from capelib.estimators.survival import kaplan_meier_columns, turnbull
from capelib.questions.exiles import FEWEST

AT_RISK = 10  # exiles that must be counted on beyond a time for the curve to go on
YEAR = 365.25  # days
SCENARIOS = ("shortest", "midpoint", "longest")
ORDERS = {
    "undated": "no incident with a date",
    "only_third": "nothing but stage 3 dated",
    "third_first": "surely at stage 3 first",
    "third_undated": "stage 3 on record, but without a date",
    "unclear": "stage 1 or 2 and stage 3, order cannot be told",
    "lower_first": "surely at stage 1 or 2 first, then stage 3",
    "never": "stage 1 or 2, stage 3 never recorded",
}
FOLLOWED = ("third_undated", "unclear", "lower_first", "never")
BLURRED = ("unclear", "third_undated")  # followed, though the order cannot be told


def waiting(joined: pd.DataFrame, last_year: int) -> pd.DataFrame:
    """How long after the first recorded incident was stage 3 recorded?

    Parameters
    ----------
    joined
        Incidents of persons, as `Dataset.joined` gives.
    last_year
        Exiles never recorded at stage 3 are followed to its end.

    Returns
    -------
    DataFrame
        One row an exile: `exile_id`, `order` (a key of `ORDERS`), `event` (bool: stage 3 on
        record), `shortest`, `midpoint`, `longest` (days, float; missing where not followed), and
        `seen_shortest`, `seen_midpoint`, `seen_longest` (days from the first incident to the last
        record of the exile).

    Notes
    -----
    Followed are exiles whose first dated incident is, or may be, at stage 1 or 2. A date is often
    only a year, so each time is an interval: it starts between the first and the last day of the
    first incident, and ends between those of the first incident at stage 3. Where the order cannot
    be told it may be 0; where stage 3 has no date, anything to the end of the period.

    Examples
    --------
    >>> import capelib as cape
    >>> times = waiting(cape.load().where(origin="UZB").joined(), 2024)
    >>> times["order"].value_counts().to_dict()["lower_first"]
    46
    """
    rows = joined[["exile_id", "date_start", "date_end"]]
    exile_ids, at_third = rows["exile_id"].drop_duplicates(), joined["stage"] == 3
    lower_first, lower_last = _first_dates(rows[~at_third], exile_ids)
    third_first, third_last = _first_dates(rows[at_third], exile_ids)
    has_lower, has_third = ~np.isnat(lower_first), ~np.isnat(third_first)
    on_record = exile_ids.isin(rows.loc[at_third, "exile_id"]).to_numpy()
    rules = {
        "undated": ~has_lower & ~has_third,
        "only_third": ~has_lower,
        "third_first": has_third & (third_last < lower_first),
        "third_undated": ~has_third & on_record,
        "unclear": has_third & (third_first <= lower_last),
        "lower_first": has_third,
    }
    order = np.select(list(rules.values()), list(rules), "never")  # the first rule that holds
    end, day = np.datetime64(f"{last_year}-12-31"), np.timedelta64(1, "D")
    shortest = np.maximum((np.where(has_third, third_first, end) - lower_last) / day, 0)
    longest = np.maximum((np.where(has_third, third_last, end) - lower_first) / day, 0)
    shortest[order == "third_undated"] = 0
    days = np.column_stack([shortest, (shortest + longest) / 2, longest])
    days[~np.isin(order, FOLLOWED)] = np.nan
    last = rows.groupby("exile_id")[["date_start", "date_end"]].max().reindex(exile_ids)
    last_first, last_last = (last[name].to_numpy() for name in ("date_start", "date_end"))
    nearest = np.maximum((last_first - lower_last) / day, 0)
    farthest = np.maximum((np.minimum(last_last, end) - lower_first) / day, 0)
    seen = np.column_stack([nearest, (nearest + farthest) / 2, farthest])
    seen[~np.isin(order, FOLLOWED)] = np.nan
    times = pd.DataFrame({"exile_id": exile_ids.to_numpy(), "order": order, "event": on_record})
    times = times.assign(**dict(zip(SCENARIOS, days.T, strict=True)))
    return times.assign(
        **{f"seen_{name}": part for name, part in zip(SCENARIOS, seen.T, strict=True)}
    )


def _first_dates(rows: pd.DataFrame, exile_ids: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """The earliest first and the earliest last day of each exile; blank dates are passed over."""
    first = rows.groupby("exile_id").min().reindex(exile_ids)
    return first["date_start"].to_numpy(), first["date_end"].to_numpy()


def followed(times: pd.DataFrame) -> pd.DataFrame:
    """Which exiles enter the curve? The rows of `waiting` with a time until stage 3."""
    return times[times["midpoint"].notna()]


def escalation(times: pd.DataFrame, cluster: pd.Series | None = None) -> pd.DataFrame:
    """Within how many years of the first incident was stage 3 recorded, for each reading of dates?

    Parameters
    ----------
    times
        As `waiting` gives.
    cluster
        A number for each `exile_id` (index); None takes exiles as independent.

    Returns
    -------
    DataFrame
        For each quarter of a year while 10 exiles or more are followed: `years`, `at_risk`
        (followed so far, longest times), `shortest`, `midpoint`, `longest` (share recorded at
        stage 3 by then, if each time is as short, as middling, as long as its dates allow: one
        minus Kaplan and Meier), `low`, `high` (the outermost pointwise 95 % limits of the three:
        sampling and dating together).

    Raises
    ------
    TooFewCases
        With fewer than 10 exiles followed, or fewer than 5 recorded at stage 3 later.

    Notes
    -----
    With follow-up that ends, the shortest and the longest times need not give the outermost of all
    curves that the dates allow; in simulations with dates coarsened to years they held the true
    curve.

    Examples
    --------
    >>> import capelib as cape
    >>> curve = escalation(waiting(cape.load().where(origin="UZB").joined(), 2024))
    >>> bool((curve["shortest"] >= curve["longest"]).all())
    True
    """
    rows = followed(times)
    events = int(rows["event"].sum())
    if len(rows) < AT_RISK or events < FEWEST:
        raise TooFewCases(
            f"a curve needs {AT_RISK} exiles first recorded at stage 1 or 2, {FEWEST} of them "
            f"later at stage 3; here are {len(rows)} and {events}"
        )
    groups = None
    if cluster is not None:
        groups = cluster.to_numpy()[cluster.index.get_indexer(rows["exile_id"])]
    end = min(np.sort(rows[name].to_numpy())[-AT_RISK] for name in SCENARIOS)
    grid = np.arange(0, end / YEAR + 1e-9, 0.25)
    at_risk = (rows["longest"].to_numpy()[:, None] >= YEAR * grid).sum(axis=0)
    table, event = {"years": grid, "at_risk": at_risk}, rows["event"].to_numpy()
    lows, highs = [], []
    for name in SCENARIOS:
        curve = kaplan_meier_columns(rows[name].to_numpy(), event, groups)
        limits = np.column_stack([curve[part] for part in ("survival", "low", "high")])
        steps = np.vstack([[1.0, 1.0, 1.0], limits])
        place = np.searchsorted(curve["time"], YEAR * grid, side="right")
        survival, low, high = steps[place].T
        table[name] = 1 - survival
        lows.append(1 - high)
        highs.append(1 - low)
    return pd.DataFrame(table | {"low": np.fmin.reduce(lows), "high": np.fmax.reduce(highs)})


def interval_censored(
    times: pd.DataFrame, years: tuple[float, ...] = (1, 2, 5, 10)
) -> pd.DataFrame:
    """The same shares by an estimate that knows of intervals only: a check of `escalation`.

    Parameters
    ----------
    times
        As `waiting` gives.
    years
        Years after the first recorded incident.

    Returns
    -------
    DataFrame
        `years`, `share` (fraction).

    Notes
    -----
    Times are intervals of whole days; exiles never recorded at stage 3 go on for a day more than
    the shortest follow-up, or longer. Probability that may lie before or after a year counts as
    after. See `capelib.estimators.survival.turnbull`.
    """
    rows = followed(times)
    event = rows["event"].to_numpy()
    mass = turnbull(rows["shortest"].to_numpy() + ~event, np.where(event, rows["longest"], np.inf))
    shares = [float(mass.loc[mass["high"] <= YEAR * year, "p"].sum()) for year in years]
    return pd.DataFrame({"years": years, "share": shares})
