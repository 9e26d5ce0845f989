"""One state's pursuit of its exiles by year: until when did it grow, what since, did it break?"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from capelib.dataset import takes_dataset
from capelib.display import Result
from capelib.errors import ParameterError, TooFewCases
from capelib.estimators.break_power import power
from capelib.estimators.change_points import ChangePoint, change_point
from capelib.estimators.counts import per_year, years
from capelib.estimators.trend_shapes import Course, course
from capelib.estimators.yearly_counts import Fit, interrupted, trend
from capelib.questions import estimates
from capelib.vocabulary.codebook import break_margin

NUMBERS = ["ratio", "low", "high"]


@dataclass(frozen=True, repr=False)
class Targeting(Result):
    """One series: its yearly counts, its course, and a break at a chosen or any year.

    Attributes
    ----------
    counts : DataFrame
        `year`, `n`.
    rise : Fit or None
        One line through all years; None where there are too few cases.
    broken : Fit or None
        Two lines, the second from the chosen year on.
    course : Course or None
        Growth to a year that the data chooses, and what came after.
    break_year : int
        The first year after the chosen break.
    why : tuple of str
        What there is too little of.
    """

    counts: pd.DataFrame
    rise: Fit | None
    broken: Fit | None
    course: Course | None
    break_year: int
    why: tuple[str, ...]

    def summary(self) -> str:
        """The answer in words."""
        return self.course.summary() if self.course else "; ".join(self.why)

    @cached_property
    def breaks(self) -> ChangePoint | None:
        """The search for a break over all years; None where there are too few cases."""
        try:
            return change_point(self.counts)
        except TooFewCases:
            return None

    @cached_property
    def power(self) -> pd.DataFrame:
        """Which steps at the chosen year could have been seen? Empty where it cannot be tested.

        Returns
        -------
        DataFrame
            See `capelib.estimators.break_power.power`.
        """
        if self.breaks is None or self.untested:
            return pd.DataFrame(columns=["step", "this_year", "any_year"])
        return power(self.counts, self.break_year, self.breaks.correlation)

    @property
    def chosen_p(self) -> float:
        """The p of a break at the chosen year, looked at alone; missing where it is not tested."""
        return self.breaks.p_of(self.break_year) if self.breaks else np.nan

    @property
    def grew(self) -> bool:
        """Did it grow up to the turn, beyond chance?"""
        return self.course is not None and self.course.terms.loc["to the turn", "low"] > 1

    def estimates(self) -> pd.DataFrame:
        """The estimates in words (index): ratio, low, high; missing with too few cases."""
        whole = self.rise.with_correlation.loc["per year"] if self.rise else None
        terms = self.course.terms if self.course else None
        jump = self.broken.with_correlation.loc["level at the break"] if self.broken else None
        rows = {
            "yearly factor, whole period": whole,
            "yearly factor to the turn": None if terms is None else terms.loc["to the turn"],
            "yearly factor since the turn": None if terms is None else terms.loc["since the turn"],
            "jump in level at the break": jump,
        }
        blank = pd.Series(np.nan, index=NUMBERS)
        table = pd.DataFrame({words: blank if row is None else row for words, row in rows.items()})
        return table.T.rename_axis("estimate")[NUMBERS].astype(float)

    def compared(self) -> pd.DataFrame:
        """The main estimates, for laying runs side by side; see `capelib.questions.estimates`."""
        n = int(self.counts["n"].sum())
        rows = self.estimates().itertuples(name=None)
        return estimates.table((words, numbers, n, "ratio") for words, *numbers in rows)

    @property
    def untested(self) -> str:
        """Why the chosen year cannot be tested as a break, and which can; "" where it can be."""
        first, last = int(self.counts["year"].min()), int(self.counts["year"].max())
        tested = (first + break_margin(), last - break_margin() + 1)
        if tested[0] <= self.break_year <= tested[1]:
            return ""
        start = f"A break at {self.break_year} cannot be tested in {self.period}: a break needs "
        start += f"{break_margin()} years before it and {break_margin()} from it on. "
        if tested[0] > tested[1]:
            return f"{start}No year has them."
        return f"{start}Years that have them: {years(tested)}."

    @property
    def period(self) -> str:
        """The years of the series in words."""
        return years((self.counts["year"].min(), self.counts["year"].max()))


@takes_dataset
def targeting(
    incidents: pd.DataFrame,
    first_year: int,
    last_year: int,
    break_year: int,
    unit: str = "episode",
    model: str = "poisson",
) -> Targeting:
    """Until when did this series grow, what did it do since, and did it break?

    Parameters
    ----------
    incidents
        Of the states and measures asked about.
    first_year, last_year
        Both included.
    break_year
        First year after the break that is looked at alone.
    unit, model
        See `cape.counts.per_year` and `cape.trends.trend`.

    Returns
    -------
    Targeting
        Parts that cannot be estimated are None; nothing is raised for too few cases.

    Raises
    ------
    ParameterError
        Where the first year lies after the last, or for an unknown unit or model.

    Examples
    --------
    >>> import capelib as cape
    >>> series = targeting(cape.load().where(origin="TJK").incidents, 2001, 2024, 2015)
    >>> bool(series.grew), bool(series.rise.n == series.counts["n"].sum())
    (True, True)
    """
    if first_year > last_year:
        raise ParameterError(
            f"the series would start in {first_year} and end in {last_year}: "
            "choose a later last_year"
        )
    return of_counts(per_year(incidents, first_year, last_year, unit), break_year, model)


def of_counts(counts: pd.DataFrame, break_year: int, model: str = "poisson") -> Targeting:
    """The same from counts a year: `year`, `n`."""
    why: list[str] = []
    parts: list = []
    for estimate in (
        lambda: trend(counts, model),
        lambda: interrupted(counts, break_year, model),
        lambda: course(counts, model),
    ):
        try:
            parts.append(estimate())
        except TooFewCases as reason:
            parts.append(None)
            why.append(str(reason))
    return Targeting(counts, *parts, break_year, tuple(why))
