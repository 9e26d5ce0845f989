"""The page that says how far each estimator holds, by the notebook that shows it."""

import numpy as np
import pandas as pd

from capelib.validation.cases import CASES, Case

PERCENT = {"share", "difference"}


def page(table: pd.DataFrame) -> str:
    """The page as Markdown.

    Parameters
    ----------
    table
        From `capelib.validation.run.validate`; cases without a row are left out.
    """
    rows = table.set_index("case")
    numbers = sorted({number for case in CASES for number in case.notebooks})
    parts = [_HEAD]
    for number in numbers:
        shown = [case for case in CASES if number in case.notebooks and case.name in rows.index]
        parts.append(f"## Notebook {number}\n")
        holds = [case for case in shown if not case.fails]
        fails = [case for case in shown if case.fails]
        parts.append(_lines(holds, rows, "holds in"))
        if fails:
            parts.append("Must fail, and does:\n")
            parts.append(_lines(fails, rows, "holds in only"))
    return "\n".join(parts)


def _lines(cases: list[Case], rows: pd.DataFrame, covers: str) -> str:
    names = ["estimator", "what is asked, and what is true", "mean", "bias", covers, "records"]
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    for case in cases:
        row = rows.loc[case.name]
        why = f"; **fails: {case.fails}**" if case.fails else ""
        without = f", {row['without']:.0f} of them without an interval" if row["without"] else ""
        cells = [
            f"`{case.estimator.removeprefix('estimators.')}`",
            f"{case.asks}{why}",
            _number(row["mean"], case.unit),
            _bias(row, case.unit),
            _coverage(row, case.unit),
            f"{row['twins']:.0f}{without}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _number(value: float, unit: str) -> str:
    if np.isnan(value):
        return ""
    return f"{100 * value:.1f} %" if unit in PERCENT else f"{value:.2f}"


def _bias(row: pd.Series, unit: str) -> str:
    """Mean minus truth (of ratios in percent of it), with its Monte Carlo error."""
    if np.isnan(row["bias"]):
        return ""
    if unit == "agreement":
        return f"{row['bias']:+.3f} ± {row['bias_error']:.3f}"
    words = " %" if unit == "ratio" else " points"
    return f"{100 * row['bias']:+.1f} ± {100 * row['bias_error']:.1f}{words}"


def _coverage(row: pd.Series, unit: str) -> str:
    ends = f"{100 * row['coverage']:.0f} % [{100 * row['low']:.0f}, {100 * row['high']:.0f}]"
    return f"passes in {ends}" if unit == "p" else ends


_HEAD = """# How far the estimators hold

Made by `make validate`: each estimator that a notebook shows is tried on made-up records whose
truth is known (`cape.simulate`). See also [what could have been seen](power.md).

`mean` is that of the estimates (of ratios the geometric one), `bias` the mean minus the truth (of
ratios in percent of it) ± one Monte Carlo error. An interval of 95 % should hold the truth in 95 %
of records; a test at 5 % should pass in 5 % where there is nothing (the test of a special year
among eight: at 1/8, in 12 or 13 %). Brackets are 95 % intervals of these shares themselves, for the
number of records. Estimators that themselves simulate get fewer records.

A row under "must fail" is a world in which an assumption does not hold. It stands here since no
interval can show it: whoever reads an answer must know whether the world is of this kind.
"""
