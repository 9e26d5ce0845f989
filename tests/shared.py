"""What several test files use: the number of examples, and readings and changes as short values."""

from collections.abc import Sequence

import hypothesis
import pandas as pd
import pytest

import capelib as cape


def examples(number: int) -> int:
    """This many examples in `make test-all`, a tenth of them in `make test`."""
    return max(1, number * hypothesis.settings.default.max_examples // 100)


def slow(*values: object):
    """A parameter that only `make test-all` tries."""
    return pytest.param(*values, marks=pytest.mark.slow)


def spread(values: Sequence, number: int) -> list:
    """All values as parameters; `make test` tries this number of them, from first to last."""
    step = max(1, (len(values) - 1) // max(1, number - 1))
    tried = range(0, step * number, step)
    return [
        value if n in tried else slow(*value) if isinstance(value, tuple) else slow(value)
        for n, value in enumerate(values)
    ]


def outcome(row: pd.Series) -> str:
    """A reading as the golden files write it: its value, "-" where refused, "" for a blank."""
    if pd.notna(row["problem"]):
        return "-"
    return "" if pd.isna(row["value"]) else row["value"]


def all_text(ds: cape.Dataset) -> str:
    """All that a Dataset holds or shows, as text: to see that no name is in it."""
    frames = (ds.incidents, ds.exiles, ds.sources, ds.problems, ds.set_aside, ds.rows, ds.changes)
    return repr(ds.info) + repr(ds) + "".join(frame.to_csv() for frame in frames)


def changes_by(ds: cape.Dataset, rule: str) -> list[tuple]:
    """The changes of one rule: row, column, value, made, severity; a blank is ""."""
    rows = ds.changes.loc[
        ds.changes["rule"] == rule, ["row", "column", "value", "made", "severity"]
    ]
    return list(rows.astype(object).fillna("").itertuples(index=False, name=None))
