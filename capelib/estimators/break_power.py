"""Which breaks could a series of this size have shown?"""

import numpy as np
import pandas as pd
from scipy.interpolate import RegularGridInterpolator

from capelib.errors import ParameterError
from capelib.estimators.change_points import (
    SEED,
    candidates,
    f_statistics,
    line,
    scatter,
    scatter_around,
    series,
    two_lines,
)
from capelib.estimators.many_counts import draw, fit_many

DRAWS = 200
STEPS = (1.5, 2.0, 3.0, 4.0, 6.0)
# The 5 % lines of the tests are drawn for these, and taken between them: drawn anew for each of
# the 1,200 series they would take five minutes (0.25 s each), so 4 s.
_ALPHAS = (0.0, 0.1, 0.3, 1.0, 3.0, 20.0)
_CORRELATIONS = (0.0, 0.4, 0.8)
_DRAWS_OF_A_LINE = 299


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
    200 series for each step: flat before and after, their sum on average that of this series,
    overdispersed and correlated as this one around its straight line. Each is tested as the series
    itself is: scatter and correlation are estimated around one line, and the 5 % line is that of
    series without a step which have them. A step looks like scatter and correlation, so a test that
    is honest about both sees few steps. Seeded.

    It assumes that nothing but a step happened. Beside real growth a step is harder to see.
    """
    year, n = series(counts)
    places = candidates(len(n))
    here = np.flatnonzero(year[places] == break_year)
    if not len(here):
        raise ParameterError(f"a step at {break_year} leaves too few years on a side")
    alpha, _ = scatter(n, line(len(n)))
    rng = np.random.default_rng(SEED)
    unbroken, broken = line(len(n)), [two_lines(len(n), k) for k in places]

    def tests(drawn: np.ndarray) -> np.ndarray:
        """The statistic of this year, and the largest of all years; one row a series."""
        statistic = f_statistics(drawn, unbroken, broken)
        return np.column_stack([statistic[:, here[0]], statistic.max(axis=1)])

    flat = np.full(len(n), n.mean())
    limits = [
        [
            np.quantile(tests(draw(flat, a, r, _DRAWS_OF_A_LINE, rng)), 0.95, axis=0)
            for r in _CORRELATIONS
        ]
        for a in _ALPHAS
    ]
    limit = RegularGridInterpolator((np.log1p(_ALPHAS), _CORRELATIONS), np.array(limits))
    rows = []
    for step in (1.0, *STEPS):
        level = np.where(year >= break_year, step, 1.0)
        drawn = draw(level * n.sum() / level.sum(), alpha, correlation, DRAWS, rng)
        each = zip(drawn, fit_many(drawn, unbroken)[1], strict=True)
        shown = np.array([scatter_around(n, expected, unbroken) for n, expected in each])
        seen = tests(drawn) > limit(np.column_stack([np.log1p(shown[:, 0]), shown[:, 1]]))
        rows.append([step, *seen.mean(axis=0)])
    return pd.DataFrame(rows, columns=["step", "this_year", "any_year"])
