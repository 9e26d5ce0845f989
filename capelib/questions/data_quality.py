"""What the record holds, how far its codes can be trusted, and which answers hang on a part."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from capelib.dataset import Dataset
from capelib.display import Result
from capelib.questions.category_errors import by_category, corrected, held_odds
from capelib.questions.coding_rounds import BOTH, FIELDS, CodingRounds, coding_rounds, confusions
from capelib.questions.coverage_tables import (
    blanks,
    by_kind,
    by_state,
    by_year,
    marks,
    search_effort,
)
from capelib.questions.headlines import AS_IT_STANDS, headlines
from capelib.questions.wording import number_word, percent

__all__ = [
    "AS_IT_STANDS", "FIELDS", "CodingRounds", "DataQuality", "blanks", "by_category", "by_kind",
    "by_state", "by_year", "coding_rounds", "confusions", "corrected", "headlines", "held_odds",
    "marks", "quality", "search_effort",
]  # fmt: skip


@dataclass(frozen=True, repr=False)
class DataQuality(Result):
    """What the data is, and how far its codes can be trusted.

    Attributes
    ----------
    n, dated, hosted : int
        Incidents, those with a year, those with a host.
    rounds : CodingRounds or None
        The second coder; None for any data but the public record.
    headlines : DataFrame
        See `cape.data_quality.headlines`.
    """

    n: int
    dated: int
    hosted: int
    rounds: CodingRounds | None
    headlines: pd.DataFrame

    def summary(self) -> str:
        """The answer, without a sentence's full form."""
        return self.sentence()

    def sentence(self) -> str:
        """The answer in a few sentences, with intervals."""
        text = (
            f"Of {self.n:,} incidents {100 * self.dated / max(1, self.n):.0f} % have a year and "
            f"{100 * self.hosted / max(1, self.n):.0f} % a host."
        )
        return " ".join(part for part in (text, self._coders(), self._exclusions()) if part)

    def _coders(self) -> str:
        if self.rounds is None:
            return "No second coder has read this data: how far its codes hold is not known."
        seen = self.rounds.seen.loc[BOTH]
        share = percent(seen["share"], seen["low"], seen["high"])
        kappa = self.rounds.row(FIELDS["category"])
        counts = self.rounds.categories.counts
        religious = counts.loc["religious"]
        return (
            f"Of the incidents that either of two coders saw in the same reports both saw {share}; "
            f"the first edition lacked {seen['lacked']:.0f} of the {seen['right']:.0f} that the "
            f"second rightly saw. On the category they agree with kappa {kappa['kappa']:.2f} "
            f"[{kappa['kappa_low']:.2f}, {kappa['kappa_high']:.2f}], but of {religious.sum()} "
            f"exiles coded religious the second coder left {religious['religious']} so."
        )

    def _exclusions(self) -> str:
        """Which main numbers of notebooks an exclusion turns."""
        rows = self.headlines
        known = rows[rows["value"].notna()]
        if known.empty:
            return ""
        turned = known[known["turned"]]
        others = known[known["choice"] != AS_IT_STANDS]
        if turned.empty:
            return (
                f"None of {len(others)} reruns with a part left out turns the main number of a "
                "notebook."
            )
        named = "; ".join(
            f"{row.notebook.split(' ')[0]} {row.choice}" for row in turned.itertuples()
        )
        return (
            f"Of {len(others)} reruns of the notebooks' main numbers with a part left out "
            f"{number_word(len(turned))} change what can be told from none ({named})."
        )

    def estimates(self) -> pd.DataFrame:
        """The main estimates, for laying runs side by side; see `capelib.questions.estimates`."""
        columns = ["estimate", "value", "low", "high", "n", "unit"]
        rows: list[tuple] = [
            ("incidents with a year", self.dated / max(1, self.n), np.nan, np.nan, self.n, "share"),
            (
                "incidents with a host",
                self.hosted / max(1, self.n),
                np.nan,
                np.nan,
                self.n,
                "share",
            ),
        ]
        if self.rounds is not None:
            seen = self.rounds.seen.loc[BOTH]
            total = int(seen[["both", "first_only", "second_only"]].sum())
            shown = seen[["share", "low", "high"]]
            rows.append(("incidents that both coders saw", *map(float, shown), total, "share"))
        return pd.DataFrame(rows, columns=columns)


def quality(ds: Dataset, region: tuple[str, ...]) -> DataQuality:
    """How complete is the data, how far do coders agree, and which answers hang on a part of it?

    Parameters
    ----------
    ds
        All that is loaded.
    region
        The states of the notebooks that speak of a region.

    Returns
    -------
    DataQuality

    Examples
    --------
    >>> import capelib as cape
    >>> result = quality(cape.load().where(origin="TJK"), ("TJK",))
    >>> result.n, result.rounds.categories.n
    (287, 127)
    """
    rows = ds.incidents
    is_record = ds.info.label == "public record"
    return DataQuality(
        n=len(rows),
        dated=int(rows["year"].notna().sum()),
        hosted=int(rows["host"].notna().sum()),
        rounds=coding_rounds() if is_record else None,
        headlines=headlines(ds, region),
    )
