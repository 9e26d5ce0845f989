"""Runs of one notebook side by side: the same estimates under other parameters."""

import re
from itertools import chain
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd

from capelib.dataset import Info
from capelib.figures.forest import Mark, Row, forest, log_limits, margins
from capelib.figures.style import BLUE, INK, ORIGIN_COLOURS, WIDTH, Chart, canvas, style
from capelib.questions.wording import value_and_interval
from capelib.vocabulary.tables import states

# Ratios are cut here and at the inverse, so that one vague run does not hide the others.
WIDEST_RATIO = 20.0
BETWEEN = 0.62  # inches between blocks
LINE = 0.17  # inches of a line of a heading
LETTER = 0.092  # inches of a letter of a heading


def side_by_side(data: pd.DataFrame, info: Info, title: str, varied: str = "") -> Chart:
    """How do the main estimates differ from run to run? One block an estimate, one row a run.

    Parameters
    ----------
    data
        run (label), estimate (label), value, low, high, n, unit ("share", "difference": fractions;
        "ratio"; "count"), as the answers of runs give them.
    info
        The dataset, for the source line.
    title
        The text above the blocks.
    varied
        The parameters that differ from run to run.

    Returns
    -------
    Chart
        The frame behind is `data`.
    """
    blocks = [block for _, block in data.groupby("estimate", sort=False)]
    rows = [[_row(run) for run in block.itertuples()] for block in blocks]
    differ = f" that differ in {varied}" if varied else ""
    total = f"{data['run'].nunique()} runs{differ}, one row a run"
    arrows = "Lines: 95 % intervals; an arrow goes on beyond the axis"
    sides = margins(list(chain.from_iterable(rows)))
    letters = int(WIDTH * (0.99 - sides["left"]) / LETTER)
    headings = [fill(str(block["estimate"].iloc[0]), letters) for block in blocks]
    more = LINE * max((heading.count("\n") for heading in headings), default=0)
    height = 1.75 + sum(0.3 * len(block) + 0.55 + more for block in blocks)
    between = BETWEEN + more
    mean = max(height - 1.9 - between * (len(blocks) - 1), 1) / len(blocks)
    size = {
        "height": height,
        "height_ratios": [len(block) + 1 for block in blocks],
        "hspace": between / mean,
        **sides,
    }
    with style():
        subtitle = f"{info.heading}: {total}. {arrows}."
        figure, axes = canvas(title, subtitle, info, len(blocks), space=0.3 + more, **size)
        each = zip(np.atleast_1d(axes), blocks, rows, headings, strict=True)
        for axis, block, block_rows, heading in each:
            unit = str(block["unit"].iloc[0])
            inner = block[["value", "low", "high"]].clip(1 / WIDEST_RATIO, WIDEST_RATIO)
            forest(
                axis,
                block_rows,
                unit,
                limits=log_limits(inner["value"], inner["low"], inner["high"]),
            )
            axis.set_title(heading, loc="left", size=10, weight="bold", color=INK, pad=4)
            axis.set_xlabel(axis.get_xlabel(), loc="right", size=8, labelpad=1)
        return Chart(figure, data, title, info)


def _row(run: Any) -> Row:
    """A run has the colour of the state that its label names."""
    parts = re.split(", |: ", str(run.run))
    named = {*parts, *(part.rpartition(" ")[2] for part in parts)}
    colours = [
        colour for code, colour in ORIGIN_COLOURS.items() if {code, states().get(code)} & named
    ]
    mark = Mark(run.value, run.low, run.high, [*colours, BLUE][0], size=6.5)
    value, interval = value_and_interval(run.value, run.low, run.high, run.unit)
    n = "" if pd.isna(run.n) or not interval else f", n = {run.n:,.0f}"
    return Row(str(run.run), (mark,), f"{value} {interval.replace('no interval', '')}".strip() + n)
