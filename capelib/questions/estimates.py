"""The table of main estimates, the same for each question: runs can be laid side by side."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

COLUMNS = ["estimate", "value", "low", "high", "n", "unit"]
Row = tuple[str, Sequence[float] | None, int | None, str]


def table(rows: Iterable[Row]) -> pd.DataFrame:
    """What came out, one row an estimate?

    Parameters
    ----------
    rows
        For each estimate: its words; value, low and high (None where there are too few cases);
        the cases behind it; its unit ("share", "difference" or "ratio").

    Returns
    -------
    DataFrame
        The columns `COLUMNS`; value, low and high are missing where there are too few cases.

    Examples
    --------
    >>> rows = [("held", (0.5, 0.4, 0.6), 96, "share"), ("gap", None, 0, "difference")]
    >>> table(rows).values.tolist()
    [['held', 0.5, 0.4, 0.6, 96, 'share'], ['gap', nan, nan, nan, 0, 'difference']]
    """
    cells = [
        (words, *([np.nan] * 3 if interval is None else interval), n, unit)
        for words, interval, n, unit in rows
    ]
    return pd.DataFrame(cells, columns=COLUMNS)
