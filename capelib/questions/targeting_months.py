"""What lies before and after the month of an event, within and around its year?"""

from dataclasses import dataclass

import pandas as pd
from scipy import stats

from capelib.dataset import takes_dataset
from capelib.display import Result
from capelib.estimators.counts import collapse

_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
           "October", "November", "December")  # fmt: skip


@dataclass(frozen=True, repr=False)
class AroundMonth(Result):
    """Incidents around the month of an event.

    Attributes
    ----------
    year, month : int
        Of the event.
    counts : DataFrame
        Index "in the year" and "24 months": `before`, `in`, `after` (dated to a month or a day),
        `undated` (to the year only). The 24 months are those before and those after.
    ratio, low, high : float
        After over before in the 24 months on each side, exact 95 % interval as if independent.
    """

    year: int
    month: int
    counts: pd.DataFrame
    ratio: float
    low: float
    high: float

    def summary(self) -> str:
        """The answer in words."""
        return self.sentence

    @property
    def sentence(self) -> str:
        """What the yearly break puts on the wrong side, in words."""
        row = self.counts.loc["in the year"]
        dated = int(row[["before", "in", "after"]].sum())
        name = f"{_MONTHS[self.month - 1]} {self.year}"
        wide = self.counts.loc["24 months"]
        text = (
            f"Of {dated} of {self.year} dated to a month {row['before']} lie before {name}, "
            f"{row['in']} in it, {row['after']} after it ({row['undated']} have no month): "
            f"a break that begins with {self.year} counts those before as after. "
            f"By month: {wide['before']} in the 24 months before, {wide['after']} in the 24 after"
        )
        if wide["before"] and wide["after"]:
            text += f", {self.ratio:.2g} times [{self.low:.2g}, {self.high:.2g}] as many"
        return f"{text}; {wide['undated']} of these years have no month."


@takes_dataset
def around_month(
    incidents: pd.DataFrame, year: int, month: int, unit: str = "episode"
) -> AroundMonth:
    """How many incidents lie before, in and after the month of an event?

    Parameters
    ----------
    incidents
        A frame with `date_start`, `precision`, `year`, `episode_id`, `exile_id`.
    year, month
        Of the event; the month itself is neither before nor after.
    unit
        "incident", "exile" (a person once a month) or "episode" (one action once).

    Returns
    -------
    AroundMonth

    Notes
    -----
    The ratio is Clopper and Pearson's interval for the part that lies after, as odds. It takes
    incidents as independent: with waves it is too narrow, so it says at best what *cannot* be
    shown. Incidents without a month are left out, and they are no random part.

    Examples
    --------
    >>> import capelib as cape
    >>> table = around_month(cape.load().where(origin="TJK").incidents, 2015, 9).counts
    >>> bool(table.loc["in the year", "before"] > table.loc["in the year", "after"])
    True
    """
    rows = collapse(incidents) if unit == "episode" else incidents
    rows = rows[rows["year"].notna()]
    dated = rows["precision"].isin(["day", "month"])
    start = rows["date_start"]
    distance = (start.dt.year - year) * 12 + start.dt.month - month
    if unit == "exile":
        repeated = pd.DataFrame({"exile": rows["exile_id"], "month": distance, "dated": dated})
        kept = ~repeated.duplicated()
        rows, dated, distance = rows[kept], dated[kept], distance[kept]
    in_year = (rows["year"] == year).astype(bool)
    near = distance.abs() <= 24
    around = rows["year"].between(year - 2, year + 2).astype(bool)
    table = pd.DataFrame(
        [
            _sides(distance[dated & in_year], int((~dated & in_year).sum())),
            _sides(distance[dated & near], int((~dated & around).sum())),
        ],
        index=["in the year", "24 months"],
    )
    before, after = (int(table.loc["24 months", side]) for side in ("before", "after"))
    ratio = after / before if before else float("nan")
    low = stats.beta.ppf(0.025, after, before + 1) if after else 0.0
    high = stats.beta.ppf(0.975, after + 1, before) if before else 1.0
    return AroundMonth(year, month, table, ratio, _odds(low), _odds(high))


def _sides(distance: pd.Series, undated: int) -> dict[str, int]:
    return {
        "before": int((distance < 0).sum()),
        "in": int((distance == 0).sum()),
        "after": int((distance > 0).sum()),
        "undated": undated,
    }


def _odds(share: float) -> float:
    return float(share / (1 - share)) if share < 1 else float("inf")
