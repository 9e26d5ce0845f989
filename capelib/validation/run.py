"""Runs every case on many made-up records, and sums up bias and coverage."""

from collections.abc import Iterable, Sequence
from multiprocessing import Pool
from typing import NamedTuple

import numpy as np
import pandas as pd

from capelib.errors import TooFewCases
from capelib.estimators.shares import wilson
from capelib.validation.cases import CASES, Case
from capelib.validation.estimates import Result

COLUMNS = [
    "case", "twins", "without", "truth", "mean", "bias", "bias_error", "coverage", "low", "high",
]  # fmt: skip
CHUNK = 20  # twins that one process takes at a time
AT = {"a special year": 1 / 8}  # where a test cannot pass at 0.05: the least p that it can give


class _Part(NamedTuple):
    name: str
    first: int
    count: int


def _results(part: _Part) -> list[Result | None]:
    """One case on some records; None where the estimator refuses or has no interval."""
    case = next(case for case in CASES if case.name == part.name)
    return [_result(case, seed) for seed in range(part.first, part.first + part.count)]


def _result(case: Case, seed: int) -> Result | None:
    try:
        result = case.estimate(case.truth, seed)
    except (TooFewCases, np.linalg.LinAlgError, KeyError):
        return None
    needed = result.value if case.unit == "p" else result.low + result.high
    return None if np.isnan(needed) else result


def validate(twins: int, names: Iterable[str] = (), processes: int = 2) -> pd.DataFrame:
    """How far does each estimator hold?

    Parameters
    ----------
    twins
        Made-up records for each case; those that themselves simulate get a part of them.
    names
        Of the cases; all where empty.
    processes
        At a time.

    Returns
    -------
    DataFrame
        One row a case: `case`, `twins`, `without` (records on which the estimator gave no
        interval), `truth` and `mean` (of the estimate; of ratios the geometric mean), `bias` (mean
        minus truth; of ratios the mean over the truth, minus 1) with its Monte Carlo error
        `bias_error`, `coverage` (share of intervals that hold the truth; of a test, the share that
        passes) with its 95 % interval `low`, `high`.

    Notes
    -----
    Seeded: record number n of a case is the same at every run.
    """
    wanted = list(names)
    chosen = [case for case in CASES if not wanted or case.name in wanted]
    parts = [
        _Part(case.name, first, min(CHUNK, twins_of(case, twins) - first))
        for case in chosen
        for first in range(0, twins_of(case, twins), CHUNK)
    ]
    if processes == 1:
        done = [_results(part) for part in parts]
    else:
        with Pool(processes) as pool:
            done = pool.map(_results, parts, chunksize=1)
    rows = []
    for case in chosen:
        of_case = [
            result
            for part, results in zip(parts, done, strict=True)
            for result in results
            if part.name == case.name
        ]
        rows.append(_summary(case, of_case))
    return pd.DataFrame(rows, columns=COLUMNS)


def twins_of(case: Case, twins: int) -> int:
    """How many records a case gets."""
    return max(2, round(case.part * twins))


def _summary(case: Case, results: Sequence[Result | None]) -> tuple:
    known = pd.DataFrame(
        [result for result in results if result is not None], columns=Result._fields
    )
    without = len(results) - len(known)
    if known.empty:
        return (case.name, len(results), without, *[np.nan] * 7)
    if case.unit == "p":
        passed = known["value"] <= AT.get(case.name, 0.05) + 1e-9
        share = wilson(int(passed.sum()), len(known))
        return (case.name, len(results), without, *[np.nan] * 4, *share[2:])
    inside = (known["low"] <= known["truth"]) & (known["truth"] <= known["high"])
    share = wilson(int(inside.sum()), len(known))
    value, truth = known["value"], known["truth"]
    if case.unit == "ratio":
        off = np.log(value / truth)
        mean, bias = np.exp(np.log(value).mean()), np.exp(off.mean()) - 1
    else:
        off = value - truth
        mean, bias = value.mean(), off.mean()
    error = off.std(ddof=1) / np.sqrt(len(off)) if len(off) > 1 else np.nan
    numbers = [truth.mean(), mean, bias, error, *share[2:]]
    return (case.name, len(results), without, *map(float, numbers))
