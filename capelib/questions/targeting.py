"""The series of one state's pursuit of its exiles: did it rise, did it break, and what would change the answer?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from capelib.errors import ParameterError, TooFewCases
from capelib.estimators.counts import per_year
from capelib.estimators.yearly_counts import Fit, break_scan, interrupted, trend
from capelib.vocabulary.codebook import codes


@dataclass(frozen=True)
class Targeting:
    """One series: the yearly counts, the trend and the break (None where there are too few cases; `why` says which).

    scan: the same break at every other year. passing: how many of the others pass at 5 %, tested: of how many.
    """

    counts: pd.DataFrame
    rise: Fit | None
    broken: Fit | None
    scan: pd.DataFrame
    at: int
    why: tuple[str, ...]

    @property
    def chosen_p(self) -> float:
        """The p value of no change in level and slope together at the chosen year; missing with too few cases."""
        found = self.scan.loc[self.scan["at"] == self.at, "p"]
        return float(found.iloc[0]) if len(found) else np.nan

    @property
    def tested(self) -> int:
        """How many other years could be tested."""
        return int(self.scan.loc[self.scan["at"] != self.at, "p"].notna().sum())

    @property
    def passing(self) -> int:
        """How many other years pass the same test at 5 %."""
        return int((self.scan.loc[self.scan["at"] != self.at, "p"] < 0.05).sum())

    def estimates(self) -> pd.DataFrame:
        """The estimates in words: estimate (index), ratio, low, high, p. Missing where there are too few cases."""
        rows = [("yearly factor, whole period", self.rise, "per year")]
        rows += [("yearly factor before the break", self.broken, "per year before")]
        rows += [("jump in level at the break", self.broken, "level at the break")]
        rows += [("change of the yearly factor", self.broken, "slope change")]
        numbers = ["ratio", "low", "high", "p"]
        values = [
            [np.nan] * 4 if fit is None else list(fit.term(term)[numbers]) for _, fit, term in rows
        ]
        return pd.DataFrame(
            values,
            columns=numbers,
            index=pd.Index([name for name, _, _ in rows], name="estimate"),
            dtype=float,
        )

    def compared(self) -> pd.DataFrame:
        """The main estimates, for laying runs side by side: estimate, value, low, high, n, unit ("ratio")."""
        rows = self.estimates().drop(columns="p").rename(columns={"ratio": "value"}).reset_index()
        return rows.assign(n=int(self.counts["n"].sum()), unit="ratio")[
            ["estimate", "value", "low", "high", "n", "unit"]
        ]

    def sentence(self, who: str, unit: str) -> str:
        """The answer in one sentence, with intervals.

        who: for example "exiles pursued by Tajikistan". unit: "incident", "exile" or "episode".
        """
        first, last = int(self.counts["year"].min()), int(self.counts["year"].max())
        thing = {
            "incident": "incidents against",
            "exile": "persons targeted among",
            "episode": "incidents (clusters counted once) against",
        }[unit]
        if self.rise is None:
            return f"Recorded {thing} {who}, {first}-{last}: too few cases for a trend ({'; '.join(self.why)})."
        found = self.rise.term("per year")
        low, high = 100 * (found["low"] - 1), 100 * (found["high"] - 1)
        clear = (
            "rose"
            if found["low"] > 1
            else "fell"
            if found["high"] < 1
            else "neither clearly rose nor fell"
        )
        yearly = f"{100 * (found['ratio'] - 1):+.0f} % a year [{low:+.0f}, {high:+.0f}]"
        said = f"Recorded {thing} {who} {clear}: {yearly} in {first}-{last}, n = {self.rise.n}"
        if self.broken is None:
            return f"{said}; whether {self.at} was a break cannot be told ({'; '.join(self.why)})."
        p, others = f"p = {self.chosen_p:.2g}", f"{self.passing} of {self.tested} other years"
        if self.chosen_p < 0.05:
            return f"{said}; a break at {self.at} passes the test ({p}); so do {others}."
        return (
            f"{said}; a break at {self.at} is not established ({p}; {others} pass the same test)."
        )


def targeting(
    incidents: pd.DataFrame,
    first_year: int,
    last_year: int,
    at: int,
    unit: str = "episode",
    model: str = "poisson",
) -> Targeting:
    """Did this series rise, and did it break at a chosen year?

    incidents: of the states and measures asked about. at: first year after the break. unit, model: see `cape.counts.per_year`
    and `cape.trends.trend`. Nothing is raised for too few cases: the parts that cannot be estimated are None, and `why` says so.
    Raises ParameterError where the first year does not lie before the last.

    >>> import capelib as cape
    >>> found = targeting(cape.load().where(origin="TJK").incidents, 2001, 2024, 2015)
    >>> round(float(found.rise.term("per year")["ratio"]), 2), found.rise.n
    (1.08, 160)
    """
    if first_year >= last_year:
        raise ParameterError(
            f"the series would start in {first_year} (not searched before?) and end in {last_year}: choose a later last_year"
        )
    counts = per_year(incidents, first_year, last_year, unit)
    why: list[str] = []
    rise = broken = None
    try:
        rise = trend(counts, model)
    except TooFewCases as reason:
        why.append(str(reason))
    try:
        broken = interrupted(counts, at, model)
    except TooFewCases as reason:
        why.append(str(reason))
    return Targeting(counts, rise, broken, break_scan(counts, model), at, tuple(why))


def variants(
    joined: pd.DataFrame, first_year: int, last_year: int, at: int, unit: str, model: str
) -> pd.DataFrame:
    """What would change the answer? The same estimates under other choices, one row a choice.

    joined: incidents with `source_kind`, as `Dataset.joined` gives.
    Returns `choice`, `n`, `per_year`, `low`, `high` (ratios), `level`, `level_low`, `level_high`, `p_break` (no change at `at`),
    `passing` (other years that pass at 5 %, of those tested); missing where there are too few cases.
    """
    other_model = "negative_binomial" if model == "poisson" else "poisson"
    # each entry: the incidents, the unit, the model and the last year
    choices = {
        "as chosen": (joined, unit, model, last_year),
        **{
            f"counted by {name}": (joined, name, model, last_year)
            for name in codes("unit")
            if name != unit
        },
        f"{other_model.replace('_', ' ')} model": (joined, unit, other_model, last_year),
        "stages 2 and 3 only": (joined[joined["stage"] >= 2], unit, model, last_year),
        "without doubtful cases": (joined[~joined["doubtful"]], unit, model, last_year),
        "without alleged cases": (joined[joined["attribution"].isna()], unit, model, last_year),
        "without CAPE's own pages": (
            joined[joined["source_kind"] != "cape"],
            unit,
            model,
            last_year,
        ),
        "without relatives": (
            joined[joined["measure"] != "relatives_targeted"],
            unit,
            model,
            last_year,
        ),
        "until 2018, CAPE's last year": (joined, unit, model, min(last_year, 2018)),
    }
    rows = []
    for name, (part, its_unit, its_model, its_last) in choices.items():
        if its_last - first_year < 4:
            continue
        found = targeting(part, first_year, its_last, at, its_unit, its_model)
        row: dict[str, object] = {
            "choice": name,
            "n": int(found.counts["n"].sum()),
            "p_break": found.chosen_p,
            "passing": f"{found.passing} of {found.tested}",
        }
        for fit, term, column in (
            (found.rise, "per year", "per_year"),
            (found.broken, "level at the break", "level"),
        ):
            prefix = "" if column == "per_year" else "level_"
            values = (
                (np.nan, np.nan, np.nan)
                if fit is None
                else tuple(fit.term(term)[["ratio", "low", "high"]])
            )
            row |= dict(zip((column, f"{prefix}low", f"{prefix}high"), values, strict=True))
        rows.append(row)
    return pd.DataFrame(rows)[
        [
            "choice",
            "n",
            "per_year",
            "low",
            "high",
            "level",
            "level_low",
            "level_high",
            "p_break",
            "passing",
        ]
    ]
