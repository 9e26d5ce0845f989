"""Which breaks could a series of this size have shown?"""

import numpy as np
import pandas as pd

from capelib.errors import ParameterError
from capelib.estimators.change_points import (
    SEED,
    candidates,
    f_statistics,
    line,
    series,
    two_lines,
)
from capelib.estimators.many_counts import draw, extra_variance, fit_many

DRAWS = 499
STEPS = (1.5, 2.0, 3.0, 4.0, 6.0)


def power(counts: pd.DataFrame, break_year: int, correlation: float = 0.0) -> pd.DataFrame:
    """How often would a step at this year have been seen, in a series with as many cases?

    Parameters
    ----------
    counts
        `year`, `n`, one row a year without gaps: years, cases and overdispersion are taken from it.
    break_year
        The first year after the step.
    correlation
        Of the level with that of the year before; see `cape.change_points`.

    Returns
    -------
    DataFrame
        One row a step: `step` (the level after, over the level before), `this_year` (the share of
        series in which the test of this year alone passes at 5 %), `any_year` (the share in which
        the search over all years does). The row of step 1 holds what passes without any step.

    Raises
    ------
    ParameterError
        Where the year leaves too few years on a side, or years do not follow each other.

    Notes
    -----
    499 series for each step: flat before and after, their sum on average that of this series,
    overdispersed and correlated as this one around its straight line. The 5 % lines are those of
    series without a step. Seeded.

    It assumes that nothing but a step happened. Beside real growth a step is harder to see. It also
    takes scatter and correlation as known. The search estimates both around one line, where a step
    looks like both, and so sees far less: docs/power.md.
    """
    year, n = series(counts)
    places = candidates(len(n))
    here = np.flatnonzero(year[places] == break_year)
    if not len(here):
        raise ParameterError(f"a step at {break_year} leaves too few years on a side")
    expected = fit_many(n[None], line(len(n)))[1][0]
    alpha = extra_variance(n, expected, 2)
    rng = np.random.default_rng(SEED)
    unbroken, broken = line(len(n)), [two_lines(len(n), k) for k in places]
    rows = []
    limits = (np.inf, np.inf)
    for step in (1.0, *STEPS):
        level = np.where(year >= break_year, step, 1.0)
        drawn = draw(level * n.sum() / level.sum(), alpha, correlation, DRAWS, rng)
        statistic = f_statistics(drawn, unbroken, broken)
        tests = (statistic[:, here[0]], statistic.max(axis=1))
        if step == 1.0:
            limits = tuple(np.quantile(test, 0.95) for test in tests)
        seen = [float((test > limit).mean()) for test, limit in zip(tests, limits, strict=True)]
        rows.append([step, *seen])
    return pd.DataFrame(rows, columns=["step", "this_year", "any_year"])
