"""Which differences between exiles survive a second coder, and the number of tests?"""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pandas as pd

from capelib.dataset import Dataset
from capelib.errors import DataError, TooFewCases
from capelib.estimators.misclassified import Confusion, confusion, holm, recodings
from capelib.questions.odds import FACTORS, Odds, odds
from capelib.vocabulary.codebook import codes
from capelib.vocabulary.tables import path_of, read_text

STEPS = {"held_p": "being held or worse", "ended_p": "reaching stage 3"}
LEVEL = 0.05
DRAWS = 200  # recodings; half the width of the interval of a share of draws is 7 points at most
MOST = 0.95  # of the draws must have a p below LEVEL for a difference to survive the second coder
SEED = 2026
_CARRIED = ["p_median", "holm_median", "share_below"]


@dataclass(frozen=True)
class StepTests:
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

    def sentences(self) -> list[str]:
        """What differed at each step, in words; only what survives is called a difference."""
        return [
            _of_step(step, rows, self.draws)
            for step, rows in self.tests.groupby("step", sort=False)
        ]


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
    (127, [15, 11])
    """
    if ds.info.label != "public record":
        return None
    rows = read_text(path_of("double_coding")).dropna(subset="category")
    second = rows.groupby("exile_id")["category"].first().astype("str")
    first = ds.exiles.set_index("exile_id")["category"].astype("str")
    return confusion(first, second, list(codes("category")))


def step_tests(exiles: pd.DataFrame, fit: Odds | None, coding: Confusion | None) -> StepTests:
    """Which tests of the steps survive Holm's rule and a second coder?

    Parameters
    ----------
    exiles
        As `cape.stages.people` gives, without groups.
    fit
        The odds of the categories as coded; None gives no tests.
    coding
        From `second_coding`; None leaves the categories as they are.

    Notes
    -----
    The family is fixed: two steps, two factors. It does not hang on a test before it (of parallel
    lines). A draw without an estimate (separation) has no p, and counts as not below 0.05.
    """
    if fit is None:
        columns = ["step", "factor", "p", "holm", *_CARRIED]
        return StepTests(pd.DataFrame(columns=columns), 0, 0)
    p = _p_of_steps(fit)
    tests = pd.DataFrame({"p": p, "holm": holm(p)})
    draws = 0
    if coding is not None and "category" in set(fit.tests["factor"]):
        tests = tests.join(carried(exiles, coding, p.index))
        draws = DRAWS
    tests = tests.reindex(columns=["p", "holm", *_CARRIED])
    return StepTests(tests.reset_index(), draws, coding.n if draws and coding else 0)


def carried(
    exiles: pd.DataFrame, coding: Confusion, tests: pd.MultiIndex, symmetric: bool = False
) -> pd.DataFrame:
    """The tests of steps under many recodings of the category.

    Parameters
    ----------
    exiles, coding
        As for `step_tests`.
    tests
        Step and factor of the tests that are wanted.
    symmetric
        See `capelib.estimators.misclassified.recodings`.

    Returns
    -------
    DataFrame
        By step and factor: `p_median`, `holm_median`, `share_below`; missing where the coders
        agree too little for symmetric errors.
    """
    category = exiles.set_index("exile_id")["category"]
    columns = []
    with suppress(DataError):
        for coded in recodings(category, coding, DRAWS, SEED, symmetric):
            p = pd.Series(np.nan, tests)
            with suppress(TooFewCases):
                p = _p_of_steps(odds(exiles.assign(category=coded.to_numpy()))).reindex(tests)
            columns.append(pd.DataFrame({"p": p, "holm": holm(p)}))
    if not columns:
        return pd.DataFrame(np.nan, tests, _CARRIED)
    every = pd.concat(columns, keys=range(len(columns)), axis=1)
    p, corrected = (every.xs(name, axis=1, level=1) for name in ("p", "holm"))
    return pd.DataFrame(
        {
            "p_median": p.median(axis=1),
            "holm_median": corrected.median(axis=1),
            "share_below": (corrected < LEVEL).mean(axis=1),
        }
    )


def coders(exiles: pd.DataFrame, fit: Odds | None, coding: Confusion | None) -> pd.DataFrame:
    """The tests of steps under each idea of who is right; the categories merged, too.

    Returns
    -------
    DataFrame
        `coding`, `step`, `factor`, `p_median`, `holm_median`, `share_below`. As coded, and with
        religious and unknown as one level (no second coder tells these two apart), the p is one,
        and the share 0 or 1.
    """
    one_level = exiles["category"].replace("religious", "unknown")
    merged = None
    with suppress(TooFewCases):
        merged = odds(exiles.assign(category=one_level))
    parts = {"as coded": _single(fit), "religious and unknown as one level": _single(merged)}
    if fit is not None and coding is not None:
        tests = _p_of_steps(fit).index
        parts["second coder taken as right"] = carried(exiles, coding, tests)
        parts["both coders wrong equally often"] = carried(exiles, coding, tests, symmetric=True)
    rows = pd.concat({name: part for name, part in parts.items() if len(part)} or {"": _single(None)})
    return rows.rename_axis(["coding", "step", "factor"]).reset_index()


def _single(fit: Odds | None) -> pd.DataFrame:
    """The tests of one fit in the columns of `carried`."""
    if fit is None:
        empty = pd.MultiIndex.from_arrays([[], []], names=["step", "factor"])
        return pd.DataFrame(columns=_CARRIED, index=empty, dtype=float)
    p = _p_of_steps(fit)
    corrected = holm(p)
    below = (corrected < LEVEL).astype(float)
    return pd.DataFrame({"p_median": p, "holm_median": corrected, "share_below": below})


def _p_of_steps(fit: Odds) -> pd.Series:
    """p of no difference by step and factor, as coded."""
    wide = fit.tests.set_index("factor")[list(STEPS)].rename(columns=STEPS).astype(float)
    p = wide.T.stack(future_stack=True)
    return p.rename_axis(["step", "factor"])


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
    parts = [f"differed {' and '.join(clear)}"] if clear else []
    if open_:
        parts.append(f"{' and '.join(open_)} it depends on the coder whether there is a difference")
    if none:
        parts.append(f"{' and '.join(none)} no difference can be told from chance")
    return f"{step} {parts[0]}{''.join(f', {part}' for part in parts[1:])}" if parts else ""


def _numbers(row: object, draws: int) -> str:
    p = f"p = {row.holm:.2g} as coded"  # type: ignore[attr-defined]
    if not draws:
        return p
    median, share = row.holm_median, row.share_below  # type: ignore[attr-defined]
    return (
        f"{p}; with the second coder's disagreements {median:.2g}, below {LEVEL} in "
        f"{100 * share:.0f} % of {draws} draws"
    )
