"""Within how many years was stage 3 recorded? Bounds, since nobody was watched.

An exile of whom nothing more is recorded may be safe, or taken without a report. How long such an
exile was watched is an assumption; so is what to do with those first seen at stage 3.
"""

from contextlib import suppress
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from capelib.display import Result
from capelib.errors import TooFewCases
from capelib.questions.escalation import (
    BLURRED,
    SCENARIOS,
    YEAR,
    escalation,
    followed,
    interval_censored,
)

MARKS = (1, 2, 5, 10)  # years after the first recorded incident
WATCHED = "watched to the end"
LAST = "watched to the last record only"
AT_ZERO = "first seen at stage 3 as time 0"
CLEAR = "order that cannot be told left out"
SEEN_AT_THIRD = ("only_third", "third_first")
SHOWN = ((), (LAST,), (AT_ZERO,), (CLEAR,))  # one departure from `WATCHED` each
ALL = tuple(
    tuple(name for name, chosen in zip((LAST, AT_ZERO, CLEAR), choice, strict=True) if chosen)
    for choice in product((False, True), repeat=3)
)


@dataclass(frozen=True, repr=False)
class Reach(Result):
    """Between which shares was stage 3 recorded so many years after the first incident?

    Attributes
    ----------
    least, most : float
        The smallest and the largest share of all readings, and of all days that the dates allow.
    lower, upper : float
        The share with no assumption on those of whom nothing more is recorded: none, or all of
        them came to stage 3 in time.
    n : int
        Exiles first recorded at stage 1 or 2.
    """

    least: float
    most: float
    lower: float
    upper: float
    n: int

    def summary(self) -> str:
        """The answer in words."""
        return (
            f"{100 * self.least:.0f} to {100 * self.most:.0f} % by the readings, "
            f"{100 * self.lower:.0f} to {100 * self.upper:.0f} % with no assumption, n = {self.n}"
        )


def words_of(reading: tuple[str, ...]) -> str:
    """A reading in words.

    >>> words_of(()), words_of((LAST, CLEAR))
    ('watched to the end', 'watched to the last record only; order that cannot be told left out')
    """
    return "; ".join(reading if LAST in reading else (WATCHED, *reading))


def read_as(times: pd.DataFrame, reading: tuple[str, ...]) -> pd.DataFrame:
    """The times under one reading.

    Parameters
    ----------
    times
        As `cape.stages.waiting` gives.
    reading
        Any of `LAST` (those never recorded at stage 3 are watched to their last record), `AT_ZERO`
        (those surely at stage 3 first, or of whom nothing else is dated, enter with time 0) and
        `CLEAR` (those whose order cannot be told are left out).

    Examples
    --------
    >>> import capelib as cape
    >>> times = cape.stages.waiting(cape.load().where(origin="TJK").joined(), 2024)
    >>> len(followed(times)) < len(followed(read_as(times, (AT_ZERO,))))
    True
    """
    rows = times.copy()
    if LAST in reading:
        never = ~rows["event"] & rows["midpoint"].notna()
        for name in SCENARIOS:
            rows[name] = rows[name].mask(never, rows[f"seen_{name}"])
    if AT_ZERO in reading:
        rows.loc[rows["order"].isin(SEEN_AT_THIRD), list(SCENARIOS)] = 0.0
    return rows[~rows["order"].isin(BLURRED)] if CLEAR in reading else rows


def curves(
    times: pd.DataFrame, cluster: pd.Series | None = None
) -> dict[tuple[str, ...], pd.DataFrame]:
    """The share recorded at stage 3 so far, under each reading: `escalation` of `read_as`.

    Readings with too few cases are left out.
    """
    result = {}
    for reading in ALL:
        with suppress(TooFewCases):
            result[reading] = escalation(read_as(times, reading), cluster)
    return result


def reach(
    times: pd.DataFrame, every: dict[tuple[str, ...], pd.DataFrame], years: float = 5
) -> Reach | None:
    """Between which shares was stage 3 recorded within so many years? None without a reading.

    Parameters
    ----------
    times
        As `cape.stages.waiting` gives.
    every
        As `curves` gives. A reading whose curve ends before is left out.
    years
        After the first recorded incident.

    References
    ----------
    Manski 1989, Journal of Human Resources 24, 343-360 (lower and upper: no assumption on what is
    not observed).
    """
    rows = [curve[curve["years"] == years] for curve in every.values()]
    shares = pd.concat(rows)[list(SCENARIOS)].to_numpy() if rows else np.empty(0)
    if not shares.size:
        return None
    lower, upper = worst_case(times, years)
    return Reach(float(shares.min()), float(shares.max()), lower, upper, len(followed(times)))


def worst_case(times: pd.DataFrame, years: float) -> tuple[float, float]:
    """The share at stage 3 within so many years, if nothing is assumed of the unrecorded.

    Returns
    -------
    tuple
        Lower: those surely recorded at stage 3 in time. Upper: all but those recorded at stage 1 or
        2 after that time, and not at stage 3 before it.

    Examples
    --------
    Of four exiles one is at stage 3 after a year, one after nine years; of one nothing more is
    recorded, and one is threatened again after six years.

    >>> days = np.array([365, 3285, 7000, 7000])
    >>> rows = {name: days for name in SCENARIOS}
    >>> rows |= {f"seen_{name}": np.array([365, 3285, 0, 2190]) for name in SCENARIOS}
    >>> worst_case(pd.DataFrame(rows).assign(event=[True, True, False, False]), 5)
    (0.25, 0.5)
    """
    rows = followed(times)
    limit = YEAR * years
    surely = rows["event"] & (rows["longest"] <= limit)
    later = rows["shortest"].where(rows["event"], rows["seen_shortest"]) > limit
    return float(surely.mean()), float(1 - later.mean())


def readings(
    times: pd.DataFrame, every: dict[tuple[str, ...], pd.DataFrame], years: float = 5
) -> pd.DataFrame:
    """The share recorded at stage 3 within so many years, one row a reading.

    Parameters
    ----------
    times, every, years
        As for `reach`.

    Returns
    -------
    DataFrame
        `reading` (index), `n`, `at_risk` (of them still counted on at that time), `shortest`,
        `midpoint`, `longest` (fractions, by the days that the dates allow), `low`, `high` (95 %,
        allowing for clusters, *if* the reading were right). Then the same by intervals alone
        (Turnbull), and with no assumption on those of whom nothing more is recorded, in the
        columns `shortest` (most) and `longest` (least).
    """
    rows = []
    for reading in ALL:
        row: dict[str, object] = {"reading": words_of(reading)}
        row["n"] = len(followed(read_as(times, reading)))
        curve = every.get(reading)
        here = curve[curve["years"] == years] if curve is not None else ()
        if len(here):
            columns = ["at_risk", *SCENARIOS, "low", "high"]
            row |= here.iloc[0][columns].to_dict()
        rows.append(row)
    n = len(followed(times))
    if () in every:
        share = float(interval_censored(times, (years,))["share"].iloc[0])
        rows.append({"reading": f"{WATCHED}, by intervals alone", "n": n, "midpoint": share})
    if n:
        least, most = worst_case(times, years)
        row = {"reading": "no assumption on the unrecorded", "n": n}
        rows.append(row | {"shortest": most, "longest": least})
    columns = ["reading", "n", "at_risk", *SCENARIOS, "low", "high"]
    return pd.DataFrame(rows).reindex(columns=columns).set_index("reading")
