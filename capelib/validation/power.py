"""What could be seen at all: rises, breaks, changes and odds ratios, by the number of cases."""

from collections.abc import Sequence
from functools import partial
from multiprocessing import Pool
from typing import NamedTuple

import numpy as np
import pandas as pd

from capelib.errors import TooFewCases
from capelib.twin import Truth
from capelib.validation import estimates as e
from capelib.validation.cases import SCATTERED, TWO_PERIODS
from capelib.validation.estimates import Estimate

COLUMNS = ["question", "cases", "effect", "seen", "twins"]
CHUNK = 10


class Question(NamedTuple):
    """One estimator in worlds with more and more cases and effect.

    Attributes
    ----------
    words
        What is to be seen, and when it counts as seen.
    estimate
        As in `capelib.validation.estimates`.
    nothing
        The value that the interval must not hold; missing for a test (p of 0.05 or less).
    worlds
        By the number of cases and the effect, in words.
    """

    words: str
    estimate: Estimate
    nothing: float
    worlds: dict[tuple[str, str], Truth]


def _rises() -> dict[tuple[str, str], Truth]:
    worlds = {}
    for cases in (60, 160, 400):
        for growth in (1.0, 1.02, 1.04, 1.06, 1.08):
            first_year = cases / sum(growth**year for year in range(24))
            truth = Truth(cases=first_year, growth=growth, **SCATTERED)
            worlds[f"{cases} episodes in 24 years", f"{growth:.2f}"] = truth
    return worlds


def _steps() -> dict[tuple[str, str], Truth]:
    worlds = {}
    for cases in (60, 160, 400):
        for step in (1.0, 1.5, 2.0, 3.0, 4.0):
            first_year = cases / (12 + 12 * step)
            truth = Truth(cases=first_year, break_year=2013, step=step, **SCATTERED)
            worlds[f"{cases} episodes in 24 years", f"{step:g} times"] = truth
    return worlds


def _changes() -> dict[tuple[str, str], Truth]:
    worlds = {}
    for persons in (20, 60, 120):
        for odds in (1.0, 1.5, 2.0, 3.0, 5.0):
            usual = TWO_PERIODS | {"cases": persons / 5 / TWO_PERIODS["persons"]}
            truth = Truth(unfree_from=2021, unfree_odds=odds, **usual)
            words = f"{100 * (odds / (1 + odds) - 0.5):.0f} points"
            worlds[f"{persons} a year, seven years against one", words] = truth
    return worlds


def _odds() -> dict[tuple[str, str], Truth]:
    worlds = {}
    for persons in (120, 300, 600):
        for odds in (1.0, 1.5, 2.0, 3.0, 4.0):
            cases = persons / 2 / 5 / 24
            truth = Truth(cases=cases, persons=2.0, together=0.7, religious=0.35, held_odds=odds)
            worlds[f"{persons} exiles, two an episode", f"{odds:g}"] = truth
    return worlds


QUESTIONS = (
    Question("A rise of one state, factor a year (03)", e.one_line, 1.0, _rises()),
    Question("A step in a year not known beforehand (03)", e.any_break, np.nan, _steps()),
    Question("The same step, sought as two levels without slopes", e.any_step, np.nan, _steps()),
    Question("A change of a share of one half (04)", e.change_of_share, 0.0, _changes()),
    Question(
        "An odds ratio of being held, 35 % religious (05, 07)", e.clustered_odds, 1.0, _odds()
    ),
)


def power(twins: int, processes: int = 2) -> pd.DataFrame:
    """On which share of made-up records would an effect have been seen?

    Parameters
    ----------
    twins
        Records for each number of cases and each effect.
    processes
        At a time.

    Returns
    -------
    DataFrame
        `question`, `cases`, `effect` (the first of each is none), `seen` (share of records), and
        `twins`. Records on which the estimator gives no interval count as not seen.
    """
    rows = []
    with Pool(processes) as pool:
        for question in QUESTIONS:
            for (cases, effect), truth in question.worlds.items():
                one = partial(_is_seen, question.estimate, question.nothing, truth)
                flags = pool.map(one, range(twins), chunksize=CHUNK)
                rows.append((question.words, cases, effect, np.mean(flags), twins))
    return pd.DataFrame(rows, columns=COLUMNS)


def _is_seen(estimate: Estimate, nothing: float, truth: Truth, seed: int) -> bool:
    try:
        result = estimate(truth, seed)
    except (TooFewCases, np.linalg.LinAlgError):
        return False
    if np.isnan(nothing):
        return bool(result.value <= 0.05)
    return bool(result.low > nothing or result.high < nothing)


def page(table: pd.DataFrame) -> str:
    """The page as Markdown; table: from `power`."""
    twins = int(table["twins"].max())
    error = 100 * np.sqrt(0.25 / twins)
    parts = [_HEAD.format(twins=twins, error=f"{error:.0f}")]
    for words, rows in table.groupby("question", sort=False):
        wide = rows.pivot_table("seen", "cases", "effect")
        wide = wide.loc[rows["cases"].unique(), rows["effect"].unique()]
        parts.append(f"## {words}\n")
        names: Sequence[str] = ["cases", *wide.columns]
        lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
        for cases, shares in wide.iterrows():
            cells = " | ".join(f"{100 * share:.0f} %" for share in shares)
            lines.append(f"| {cases} | {cells} |")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


_HEAD = """# What could have been seen

Made by `make validate`. "Not established" is not "there was none": the tables say on which share
of made-up records an effect of known size is seen, which means that its 95 % interval does not hold
"no effect" (or, of a step, that the search over all years passes at 5 %). The first column is no
effect: what is seen there is a false alarm. {twins} records a cell, so a share is exact to {error}
points or better (one standard error). Years scatter (variance mean + 0.15 mean²) and lean on each
other (correlation 0.3); in a change of a share and in an odds ratio persons come in episodes.

The search of notebook 03, two sloping lines against one, hardly ever sees a step: it takes scatter
and correlation from the series around one line, and a step there looks like both. So "no break is
established" says next to nothing; the table beside that notebook's answer says how little for its
own series. Two levels against one see a step far more often, but take any growth for a step too.
"""
