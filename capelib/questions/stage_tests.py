"""Which differences between exiles survive a second coder, and the number of tests?"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from capelib.dataset import Dataset
from capelib.display import Result
from capelib.errors import DataError, TooFewCases
from capelib.estimators.misclassified import Confusion, confusion, holm, holm_rows, recodings
from capelib.progress import progress
from capelib.questions.odds import Odds, columns_of, odds, step_tests_of
from capelib.vocabulary.codebook import codes
from capelib.vocabulary.tables import path_of, read_text

STEPS = {"held_p": "being held or worse", "ended_p": "reaching stage 3"}
LEVEL = 0.05
DRAWS = 100  # recodings; a share of draws is sure to 10 points, one of 95 % to 5
MOST = 0.95  # of the draws must have a p below LEVEL for a difference to survive the second coder
SEED = 2026
NOT_TOLD_APART = ("religious", "unknown")  # categories, by the second coder
_CARRIED = ["p_median", "holm_median", "share_below"]


@dataclass(frozen=True, repr=False)
class StepTests(Result):
    """Tests of no difference by origin or category, for each step apart.

    Attributes
    ----------
    tests : DataFrame
        One row a test, the family that Holm's rule corrects: `step`, `factor`, `p` (as coded),
        `holm`, and with the second coder's disagreements carried through `p_median`,
        `holm_median`, `share_below` (of the draws, those with a corrected p below 0.05).
    draws : int
        Recodings; 0 without a second coder.
    coded_twice : int
        Exiles on whom both coders' codes rest.
    """

    tests: pd.DataFrame
    draws: int
    coded_twice: int

    def summary(self) -> str:
        """The answer in words."""
        return "; ".join(self.sentences()) or "nothing was tested"

    def sentences(self) -> list[str]:
        """What differed at each step, in words; only what survives is called a difference."""
        steps = self.tests.groupby("step", sort=False)
        sentences = [_of_step(str(step), rows, self.draws) for step, rows in steps]
        return [words for words in sentences if words]


def second_coding(ds: Dataset) -> Confusion | None:
    """How did the second coder code the category of the exiles?

    Parameters
    ----------
    ds
        All that is loaded: agreement is a matter of the coders, not of one pursuing state.

    Returns
    -------
    Confusion or None
        None for data that the second coder did not read: any but the public record.

    Examples
    --------
    >>> import capelib as cape
    >>> both = second_coding(cape.load())
    >>> both.n, both.counts.loc["religious", ["religious", "unknown"]].tolist()
    (127, [16, 12])
    """
    if ds.info.label != "public record":
        return None
    rows = read_text(path_of("double_coding")).dropna(subset="category")
    second = rows.groupby("exile_id")["category"].first().astype("str")
    first = ds.exiles.set_index("exile_id")["category"].astype("str")
    return confusion(first, second, list(codes("category")))


def step_tests(
    exiles: pd.DataFrame, fit: Odds | None, coding: Confusion | None, draws: int = DRAWS
) -> StepTests:
    """Which tests of the steps survive Holm's rule and a second coder?

    Parameters
    ----------
    exiles
        As `cape.stages.people` gives, without groups.
    fit
        The odds of the categories as coded; None gives no tests.
    coding
        From `second_coding`; None leaves the categories as they are.
    draws
        Recodings of the category.

    Notes
    -----
    The family is fixed: two steps, two factors. It does not hang on a test before it (of parallel
    lines). A draw without an estimate (separation) has no p, and counts as not below 0.05.
    """
    if fit is None:
        columns = ["step", "factor", "p", "holm", *_CARRIED]
        return StepTests(pd.DataFrame(columns=columns), 0, 0)
    p = _p_of_steps(fit.tests)
    tests = pd.DataFrame({"p": p, "holm": holm(p)})
    asked = coding is not None and coding.n > 0 and "category" in set(fit.tests["factor"])
    if asked and coding is not None:
        tests = tests.join(carried(exiles, coding, p.index, draws))
    tests = tests.reindex(columns=["p", "holm", *_CARRIED])
    return StepTests(
        tests.reset_index(), draws if asked else 0, coding.n if coding and asked else 0
    )


def carried(
    exiles: pd.DataFrame,
    coding: Confusion,
    tests: pd.MultiIndex,
    draws: int = DRAWS,
    symmetric: bool = False,
    together: bool = False,
) -> pd.DataFrame:
    """The tests of steps under many recodings of the category.

    Parameters
    ----------
    exiles, coding
        As for `step_tests`.
    tests
        Step and factor of the tests that are wanted.
    draws
        Recodings.
    symmetric
        See `capelib.estimators.misclassified.recodings`.
    together
        True codes exiles who were reported together alike (`cluster`), if we coded them alike.

    Returns
    -------
    DataFrame
        By step and factor: `p_median`, `holm_median`, `share_below`; missing where the coders
        agree too little for symmetric errors.
    """
    by_exile = exiles.set_index("exile_id")
    groups = by_exile["cluster"] if together else None
    rows, draws_p = columns_of(exiles), []
    with suppress(DataError):
        coded_anew = recodings(by_exile["category"], coding, draws, SEED, symmetric, groups)
        for coded in progress(coded_anew, "recodings", draws):
            tested: dict[tuple[str, str], float] = {}
            with suppress(TooFewCases):
                tested = step_tests_of(rows | {"category": coded.to_numpy()})
            named = {(STEPS[step], factor): p for (step, factor), p in tested.items()}
            draws_p.append([named.get(test, np.nan) for test in tests])
    if not draws_p:
        return pd.DataFrame(np.nan, tests, _CARRIED)
    every = np.array(draws_p)
    p, corrected = (pd.DataFrame(each.T, tests) for each in (every, holm_rows(every)))
    return pd.DataFrame(
        {
            "p_median": p.median(axis=1),
            "holm_median": corrected.median(axis=1),
            "share_below": (corrected < LEVEL).mean(axis=1),
        }
    )


def coders(
    exiles: pd.DataFrame, fit: Odds | None, coding: Confusion | None, tests: StepTests
) -> pd.DataFrame:
    """The tests of steps under each idea of who is right; the categories merged, too.

    Parameters
    ----------
    exiles, fit, coding
        As for `step_tests`.
    tests
        What it gave.

    Returns
    -------
    DataFrame
        `coding`, `step`, `factor`, `p_median`, `holm_median`, `share_below`. As coded, and with
        religious and unknown as one level (no second coder tells these two apart), the p is one,
        and the share 0 or 1.
    """
    one_level = exiles["category"].replace(*NOT_TOLD_APART)
    merged = None
    with suppress(TooFewCases):
        merged = odds(exiles.assign(category=one_level))
    parts = {"as coded": _single(fit), "religious and unknown as one level": _single(merged)}
    if fit is not None and coding is not None and tests.draws:
        done = tests.tests.set_index(["step", "factor"])[_CARRIED]
        parts["second coder taken as right"] = done
        wanted = pd.MultiIndex.from_tuples(done.index)
        parts["the same, exiles of one report coded alike"] = carried(
            exiles, coding, wanted, tests.draws, together=True
        )
        parts["both coders wrong equally often"] = carried(
            exiles, coding, wanted, tests.draws, symmetric=True
        )
    rows = [part.rename_axis(["step", "factor"]).reset_index() for part in parts.values()]
    for name, part in zip(parts, rows, strict=True):
        part.insert(0, "coding", name)
    return pd.concat([part for part in rows if len(part)] or rows[:1], ignore_index=True)


def _single(fit: Odds | None) -> pd.DataFrame:
    """The tests of one fit in the columns of `carried`."""
    if fit is None:
        empty = pd.MultiIndex.from_arrays([[], []], names=["step", "factor"])
        return pd.DataFrame(columns=_CARRIED, index=empty, dtype=float)
    p = _p_of_steps(fit.tests)
    corrected = holm(p)
    below = (corrected < LEVEL).astype(float)
    return pd.DataFrame({"p_median": p, "holm_median": corrected, "share_below": below})


def _p_of_steps(tests: pd.DataFrame) -> pd.Series:
    """p of no difference by step and factor. tests: as in `Odds`."""
    wide = tests.set_index("factor")[list(STEPS)].rename(columns=STEPS).astype(float)
    keys = pd.MultiIndex.from_product([wide.columns, wide.index], names=["step", "factor"])
    return pd.Series(wide.to_numpy().T.ravel(), keys)


def _of_step(step: str, rows: pd.DataFrame, draws: int) -> str:
    """One step in words."""
    clear, open_, none = [], [], []
    for row in rows.dropna(subset="p").itertuples():
        words = f"by {row.factor} ({_numbers(row, draws)})"
        if row.holm >= LEVEL:
            none.append(f"by {row.factor}")
        elif draws and row.share_below < MOST:
            open_.append(words)
        else:
            clear.append(words)
    parts = []
    if clear:
        parts.append(f"{step} differed {' and '.join(clear)}")
    if open_:
        parts.append(f"whether {step} differed {' and '.join(open_)} depends on the coder")
    if none:
        start = "" if parts else f"{step}: "
        parts.append(f"{start}{' and '.join(none)} no difference can be told from chance")
    return ", ".join(parts)


def _numbers(row: Any, draws: int) -> str:
    if not draws:
        return f"p = {row.holm:.1g}, Holm"
    return (
        f"p = {row.holm:.1g}, Holm; {row.holm_median:.1g} with the second coder's disagreements, "
        f"below {LEVEL} in {100 * row.share_below:.0f} of 100 codings"
    )
